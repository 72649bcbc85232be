"""What a solver returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spineq.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spineq.solvers.objective import Objective


@dataclass(frozen=True, eq=False)
class Solution:
    """A network as a solver sees it.

    Parameters
    ----------
    sites
        (sensor,) positions of the chosen sites, in greedy order among themselves unless stopped.
    value
        Objective of the sites, as the solver computed it.
    upper_bound
        Proven upper bound on the objective of every allowed network; infinite where a stop
        came before there was one.
    stopped
        The watcher asked to stop, so that the search, or that for a bound, was cut short.
    """

    sites: NDArray[np.int64]
    value: float
    upper_bound: float
    stopped: bool


def certified(
    objective: Objective,
    sites: NDArray[np.int64],
    n: int,
    progress: Progress,
    *,
    known: float = math.inf,
    stopped: bool = False,
) -> Solution:
    """Give a network its value and its bound.

    Parameters
    ----------
    objective
        What is maximised.
    sites
        (sensor,) the network, in greedy order.
    n
        Number of sensors that may be placed, at least as many as stand.
    progress
        Watcher; when it asks to stop, the bound is the one found by then.
    known
        A bound that is known already.
    stopped
        The watcher has asked already: it is not asked again, and the known bound must do.
    """
    covered = objective.covered_by(sites)
    value = objective.value(covered)
    if stopped:
        return Solution(sites, value, max(known, value), stopped=True)
    upper_bound, cut_short = objective.bound(covered, n, progress, known=known)
    if not cut_short:
        progress.report(1.0, f"{len(sites)} of {n} sensors placed", value, upper_bound)
    return Solution(sites, value, max(upper_bound, value), cut_short)
