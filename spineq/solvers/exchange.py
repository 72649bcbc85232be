"""Exchange: greedy, then swaps of one site against another until none helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq.progress import Progress, SpanProgress
from spineq.solvers.greedy import in_greedy_order, place
from spineq.solvers.make_room import make_room, tries_for
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Rules, need_start
from spineq.solvers.solution import Solution, certified
from spineq.solvers.swaps import Swaps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 2

#: A swap must bring this share of greedy's value, or rounding would swap for ever.
LEAST_CHANGE = 1e-12


def exchange(objective: Objective, rules: Rules, options: Options, progress: Progress) -> Solution:
    """Improve greedy's network by the best swap, again and again.

    Best improvement with the bookkeeping of Whitaker (1983) as sharpened by Resende and
    Werneck (2007). Never below greedy. At the end the books are filled anew and looked at
    once more, so that the answer is locally optimal in exact books. Under rules only swaps are
    made that they allow, and then sensors are added where they leave room, until neither helps;
    with a budget or a spacing, sensors then make room for others, see
    `spineq.solvers.make_room`.

    Parameters
    ----------
    objective
        What is maximised.
    rules
        What a network may be; without prices and a spacing, at most as many sensors as there
        are usable sites.
    options
        Which bound is wanted; a network to start from, which is completed by greedy and
        improved as well as greedy's own: the better one is the answer; and with a budget or a
        spacing the effort.
    progress
        Watcher; when it asks to stop, the best network so far is returned.

    Raises
    ------
    ProblemError
        More sensors than usable sites, a network to start from that breaks a rule, or no
        network was found that keeps the rules.
    """
    start = need_start(rules, options, objective.usable_sites)
    first, half, end = (0.15, 0.45, 0.85) if len(start) else (0.3, 0.85, 0.85)
    makes_room = rules.prices is not None or rules.apart is not None
    if makes_room:
        first, half, end = (0.15, 0.35, 0.6) if len(start) else (0.2, 0.6, 0.6)
    placed = place(objective, rules, SpanProgress(progress, 0.0, first))
    sites, stopped = placed.sites, placed.stopped
    if not stopped:
        sites, stopped = improve(objective, sites, SpanProgress(progress, first, half), rules)
    if len(start):
        made = start
        if not stopped:
            watcher = SpanProgress(progress, half, half + 0.1)
            made, _, stopped = place(objective, rules, watcher, start)
        if not stopped:
            watcher = SpanProgress(progress, half + 0.1, end)
            made, stopped = improve(objective, made, watcher, rules)
        # Greedy that was stopped may have left regions without what they must have.
        owing = [bool(rules.broken_by(each)) for each in (made, sites)]
        values = [objective.value(objective.covered_by(each)) for each in (made, sites)]
        if (not owing[0], values[0]) > (not owing[1], values[1]):
            sites = made
    if not stopped and makes_room:
        watcher = SpanProgress(progress, 0.6, 0.85)
        sites, stopped = _made_room(objective, rules, sites, options.effort, watcher)
    if not stopped:
        # Swaps leave the newcomer in the place of the one that went.
        sites, stopped = in_greedy_order(objective, sites, SpanProgress(progress, 0.85, 0.88))
    return certified(
        objective,
        sites,
        rules,
        SpanProgress(progress, 0.88, 1.0),
        known=placed.upper_bound,
        stopped=stopped,
        bound=options.bound,
    )


def improve(
    objective: Objective,
    sites: NDArray[np.int64],
    progress: Progress,
    rules: Rules | None = None,
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
        what is left every tenth of as many swaps as there are sensors.
    rules
        Rules that the sites keep, to be kept by every swap; then sensors are added too where
        they leave room. None for no rules, and as many sensors as there are.
    """
    ruled = rules is not None and bool(rules.named)
    low, stopped = 0.0, False
    while True:
        # Under rules half of what is left at every turn, of which there may be any number.
        high = 0.5 + 0.5 * low if ruled else 1.0
        sites, stopped = _swapped(objective, sites, SpanProgress(progress, low, high), rules)
        if stopped or not ruled:
            return sites, stopped
        assert rules is not None  # ruled
        low, high = high, 0.5 + 0.5 * high
        more, _, stopped = place(objective, rules, SpanProgress(progress, low, high), sites)
        low = high
        if stopped or len(more) == len(sites):
            return sites, stopped
        sites = more


def _made_room(
    objective: Objective,
    rules: Rules,
    sites: NDArray[np.int64],
    effort: float,
    progress: Progress,
) -> tuple[NDArray[np.int64], bool]:
    """Let sensors make room for others, and swap again, while that helps."""
    tries, low, stopped = tries_for(objective, effort), 0.0, False
    while tries > 0 and not stopped:
        # Half of what is left at every turn, of which there may be any number.
        middle, high = 0.75 * low + 0.25, 0.5 * low + 0.5
        watcher = SpanProgress(progress, low, middle)
        better, tries, stopped = make_room(objective, rules, sites, tries, watcher)
        if better is sites:
            break
        sites, low = better, high
        if not stopped:
            watcher = SpanProgress(progress, middle, high)
            sites, stopped = improve(objective, sites, watcher, rules)
    return sites, stopped


def _swapped(
    objective: Objective, sites: NDArray[np.int64], progress: Progress, rules: Rules | None
) -> tuple[NDArray[np.int64], bool]:
    """Swap until no allowed swap helps."""
    swaps = Swaps(objective, sites, rules)
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
