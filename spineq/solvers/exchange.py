"""Exchange: greedy, then swaps of one site against another until none helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq.progress import Progress, SpanProgress
from spineq.solvers.greedy import in_greedy_order, place
from spineq.solvers.objective import Objective, Swaps
from spineq.solvers.solution import Solution, certified

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1

#: A swap must bring this share of greedy's value, or rounding would swap for ever.
LEAST_CHANGE = 1e-12


def exchange(objective: Objective, n: int, seed: int, progress: Progress) -> Solution:
    """Improve greedy's network by the best swap, again and again.

    Best improvement with the bookkeeping of Whitaker (1983) as sharpened by Resende and
    Werneck (2007). Never below greedy. At the end the books are filled anew and looked at
    once more, so that the answer is locally optimal in exact books.

    Parameters
    ----------
    objective
        What is maximised.
    n
        Number of sensors, at most the number of usable sites.
    seed
        Not used; exchange draws nothing.
    progress
        Watcher; when it asks to stop, the network so far is returned.
    """
    placed = place(objective, n, SpanProgress(progress, 0.0, 0.3))
    sites, stopped = placed.sites, placed.stopped
    if not stopped:
        sites, stopped = improve(objective, sites, SpanProgress(progress, 0.3, 0.85))
    if not stopped:
        # Swaps leave the newcomer in the place of the one that went.
        sites, stopped = in_greedy_order(objective, sites, SpanProgress(progress, 0.85, 0.88))
    watcher = SpanProgress(progress, 0.88, 1.0)
    return certified(objective, sites, n, watcher, known=placed.upper_bound, stopped=stopped)


def improve(
    objective: Objective, sites: NDArray[np.int64], progress: Progress
) -> tuple[NDArray[np.int64], bool]:
    """Swap until nothing helps; returns the sites, and whether the watcher stopped it.

    Parameters
    ----------
    objective
        What is maximised.
    sites
        The network to start from, (sensor,).
    progress
        Watcher. How many swaps there will be is not known, so the fraction moves half of
        what is left every tenth of ``n`` swaps.
    """
    swaps = Swaps(objective, sites)
    value = objective.value(objective.covered_by(sites))
    least = LEAST_CHANGE * value
    pace = max(len(sites) / 10, 5)
    made, made_before = 0, -1
    words = "looking for swaps"
    # Swaps leave rounding in the books: look again with fresh ones until they agree.
    while made > made_before:
        made_before = made
        for _ in swaps.open_books():
            if progress.report(1 - 0.5 ** (made / pace), words, value):
                return swaps.sites, True
        while True:
            found = (0.0, -1, -1)
            for found in swaps.best():  # noqa: B007 - the last one is wanted
                if progress.report(1 - 0.5 ** (made / pace), words, value):
                    return swaps.sites, True
            change, opened, closed = found
            if opened < 0 or change <= least:
                break
            made += 1
            value += change
            words = f"{made} swap{'s' if made > 1 else ''} made"
            for _ in swaps.make(opened, closed):
                if progress.report(1 - 0.5 ** (made / pace), words, value):
                    return swaps.sites, True
    return swaps.sites, False
