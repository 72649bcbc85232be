"""What a solver returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from spineq.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Bound, Rules


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
        Proven upper bound on the objective of every allowed network; infinite where none was
        wanted or a stop came before there was one.
    stopped
        The watcher asked to stop, so that the search, or that for a bound, was cut short.
    nodes
        Branches that an exact solver looked at.
    """

    sites: NDArray[np.int64]
    value: float
    upper_bound: float
    stopped: bool
    nodes: int = 0


class Placement(NamedTuple):
    """What lazy greedy leaves.

    Parameters
    ----------
    sites
        (sensor,) in order of placement.
    upper_bound
        Bound on every allowed network, from gains that were at hand anyway; infinite where
        there were none. Which were at hand depends on the start.
    stopped
        The watcher asked to stop.
    """

    sites: NDArray[np.int64]
    upper_bound: float
    stopped: bool


def certified(
    objective: Objective,
    sites: NDArray[np.int64],
    rules: Rules,
    progress: Progress,
    *,
    known: float = math.inf,
    stopped: bool = False,
    bound: Bound | None = None,
) -> Solution:
    """Give a network its value and its bound.

    Parameters
    ----------
    objective
        What is maximised.
    sites
        (sensor,) the network, in greedy order.
    rules
        What a network may be; its number is at least that of the sites.
    progress
        Watcher; when it asks to stop, the bound is the one found by then.
    known
        A bound that is known already.
    stopped
        The watcher has asked already: it is not asked again, and the known bound must do.
    bound
        Which bound is wanted: with "none" it is infinite.
    """
    covered = objective.covered_by(sites)
    value = objective.value(covered)
    if stopped:
        return Solution(sites, value, max(known, value), stopped=True)
    if bound == "none":
        progress.report(1.0, f"{len(sites)} of {rules.n} sensors placed", value)
        return Solution(sites, value, math.inf, stopped=False)
    upper_bound, cut_short = objective.bound(covered, rules, progress, known=known)
    if not cut_short:
        progress.report(1.0, f"{len(sites)} of {rules.n} sensors placed", value, upper_bound)
    return Solution(sites, value, max(upper_bound, value), cut_short)
