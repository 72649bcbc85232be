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


#: What greedy starts from by itself.
NOWHERE: NDArray[np.int64] = np.empty(0, dtype=np.int64)


def greedy(
    objective: Objective,
    n: int,
    seed: int,
    progress: Progress,
    start: NDArray[np.int64] = NOWHERE,
) -> Solution:
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
    start
        (sensor,) what greedy placed for another ``n``, in order; the answer is the same as
        without it, bit for bit.

    Raises
    ------
    ProblemError
        More sensors than usable sites, or a start that greedy cannot have placed.
    """
    placed = place(objective, n, SpanProgress(progress, 0.0, 0.7), start)
    bounding = SpanProgress(progress, 0.7, 1.0)
    made = certified(objective, placed.sites, n, bounding, stopped=placed.stopped)
    if not made.stopped:
        # The bound that placing left would not lower it: it adds up gains computed earlier,
        # which are not below those computed anew. But rounding could, by way of which of them
        # were computed when, and that depends on the start.
        return made
    bound = max(min(made.upper_bound, placed.upper_bound), made.value)
    return replace(made, upper_bound=bound)


class Placement(NamedTuple):
    """What lazy greedy leaves.

    Parameters
    ----------
    sites
        (sensor,) in order of placement.
    upper_bound
        Bound on every network of as many sensors as were wanted, from gains that were at hand
        anyway; infinite where there were none. Which were at hand depends on the start.
    stopped
        The watcher asked to stop.
    """

    sites: NDArray[np.int64]
    upper_bound: float
    stopped: bool


def place(
    objective: Objective, n: int, progress: Progress, start: NDArray[np.int64] = NOWHERE
) -> Placement:
    """Run lazy greedy.

    Parameters
    ----------
    objective
        What is maximised.
    n
        Number of sensors, at most the number of usable sites.
    progress
        Watcher; when it asks to stop, the sensors placed so far are returned.
    start
        (sensor,) sites that greedy placed before, in order; of more than ``n`` the first.

    Raises
    ------
    ProblemError
        More sensors than usable sites, or a start with a site twice or one that is not usable.
    """
    n_sites, n_usable = objective.n_sites, int(objective.usable_sites.sum())
    if n > n_usable:
        msg = f"{n:,} sensors are more than the {n_usable:,} sites where one may stand"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {n_usable:,}")
    start = _checked(objective, start)[:n]
    if len(start) == n > 0:
        return Placement(start, np.inf, stopped=False)
    covered = objective.nothing()
    chosen, gained = np.empty(n, dtype=np.int64), np.empty(n)
    for k, site in enumerate(start):
        chosen[k], gained[k] = site, objective.gain(covered, site)
        objective.cover(covered, site)
    bound = np.zeros(n_sites)
    for low, high in objective.blocks():
        objective.gains(covered, bound, low, high)
        if progress.report(0.3 * high / n_sites, "gains of every site"):
            return Placement(start, np.inf, stopped=True)
    bound[~objective.usable_sites] = -1.0
    bound[start] = -1.0
    placed = len(start)
    fresh = np.full(n_sites, placed, dtype=np.int64)
    tree = np.empty(2 << (n_sites - 1).bit_length(), dtype=np.int64)
    _kernels.plant(bound, tree)
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
    # Gains that were computed earlier are never below the present ones: a sum in a fixed order
    # of terms that fall stays monotone when it is rounded.
    upper_bound = objective.bound_by(float(gained[:placed].sum()), bound, n)
    return Placement(chosen[:placed], upper_bound, stopped=placed < n)


def _checked(objective: Objective, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Check sites to start from, since the kernels do not."""
    mend = "Start from what greedy placed for the same objective"
    strange = start[~np.isin(start, np.flatnonzero(objective.usable_sites))]
    if len(strange):
        msg = f"no sensor may stand at {strange[0]}"
        raise ProblemError(msg, field="start", mend=mend)
    if len(np.unique(start)) < len(start):
        msg = "a site is named twice"
        raise ProblemError(msg, field="start", mend=mend)
    return start


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
