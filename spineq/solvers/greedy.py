"""Greedy placement with lazy evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SpanProgress
from spineq.solvers import _kernels
from spineq.solvers.objective import BUDGET, Objective
from spineq.solvers.solution import Solution, certified

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 1


def greedy(objective: Objective, n: int, seed: int, progress: Progress) -> Solution:
    """Place one sensor after the other where it adds most.

    The value is at least 63 % of the best (Nemhauser, Wolsey, Fisher 1978). A site's gain can
    only shrink while others are placed, so the last gain computed for it bounds the next one:
    only sites at the top are computed again (Minoux 1978). Same sensors as plain evaluation;
    ties go to the first site in id order.

    Parameters
    ----------
    objective
        What is maximised.
    n
        Number of sensors, at most the number of usable sites.
    seed
        Not used; greedy draws nothing.
    progress
        Watcher; when it asks to stop, the sensors placed so far are returned.
    """
    placed = place(objective, n, SpanProgress(progress, 0.0, 0.7))
    bounding = SpanProgress(progress, 0.7, 1.0)
    return certified(
        objective, placed.sites, n, bounding, known=placed.upper_bound, stopped=placed.stopped
    )


class Placement(NamedTuple):
    """What lazy greedy leaves.

    Parameters
    ----------
    sites
        (sensor,) in order of placement.
    upper_bound
        Bound on every network of as many sensors as were wanted, from gains that were at hand
        anyway; infinite where there were none yet.
    stopped
        The watcher asked to stop.
    """

    sites: NDArray[np.int64]
    upper_bound: float
    stopped: bool


def place(objective: Objective, n: int, progress: Progress) -> Placement:
    """Run lazy greedy.

    Raises
    ------
    ProblemError
        More sensors than usable sites.
    """
    n_sites, n_usable = objective.n_sites, int(objective.usable_sites.sum())
    if n > n_usable:
        msg = f"{n:,} sensors are more than the {n_usable:,} sites where one may stand"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {n_usable:,}")
    covered = objective.nothing()
    bound = np.zeros(n_sites)
    for low, high in objective.blocks():
        objective.gains(covered, bound, low, high)
        if progress.report(0.3 * high / n_sites, "gains of every site"):
            return Placement(np.empty(0, dtype=np.int64), np.inf, stopped=True)
    bound[~objective.usable_sites] = -1.0
    fresh = np.zeros(n_sites, dtype=np.int64)
    tree = np.empty(2 << (n_sites - 1).bit_length(), dtype=np.int64)
    _kernels.plant(bound, tree)
    chosen = np.empty(n, dtype=np.int64)
    gained = np.empty(n)
    placed = 0
    while placed < n:
        placed = int(
            _kernels.lazy_greedy(
                *objective.matrix,
                objective.weight,
                covered,
                bound,
                fresh,
                tree,
                chosen,
                gained,
                placed,
                BUDGET,
            )
        )
        value = float(gained[:placed].sum())
        if progress.report(0.3 + 0.7 * placed / n, f"{placed} of {n} sensors placed", value):
            break
    # Gains that were computed earlier are never below the present ones.
    upper_bound = objective.bound_by(float(gained[:placed].sum()), bound, n)
    return Placement(chosen[:placed], upper_bound, stopped=placed < n)


def in_greedy_order(
    objective: Objective, sites: NDArray[np.int64], progress: Progress
) -> tuple[NDArray[np.int64], bool]:
    """Sort sites as greedy would place them, so that the first k are a sensible network.

    Returns
    -------
    tuple
        The sites, in the order given from where the watcher asked to stop; and whether it did.
    """
    usable = np.zeros(objective.n_sites, dtype=np.bool_)
    usable[sites] = True
    placed = place(replace(objective, usable=usable), len(sites), progress)
    rest = sites[~np.isin(sites, placed.sites)]
    return np.concatenate([placed.sites, rest]), placed.stopped
