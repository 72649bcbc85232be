"""Several kinds of sensors: each pair of kind and site is a candidate.

Candidates are all sites for the first kind, in order, then all for the second, and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spineq._places import at_sites
from spineq.constraints.rules import apart_of, prices_of
from spineq.errors import ProblemError, shown

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.solvers.rules import Apart, Prices, Rules


def rules_of_kinds(city: City, problem: Problem, usable: NDArray[np.bool_] | None) -> Rules:
    """Make the rules of a problem with several kinds.

    A kind's number is the limit of a region of candidates, and two candidates of one site are
    too near to each other.

    Parameters
    ----------
    city, problem
        Where, and what is asked.
    usable
        (site,) whether a sensor may stand there; None for everywhere.

    Raises
    ------
    ProblemError
        The cheapest sensor costs more than the budget.
    """
    from spineq.solvers.rules import PENNY, Regions, Rules

    kinds, room = problem.kinds, city.n_sites if usable is None else int(usable.sum())
    limits = np.array([kind.n_sensors or room for _, kind in kinds], dtype=np.int64)
    n = problem.n_sensors
    n = room if n is None else n
    of = np.repeat(np.arange(len(kinds)), city.n_sites)
    regions = Regions(of, np.minimum(limits, n), np.zeros(len(kinds), dtype=np.int64))
    prices = None if problem.budget is None else _prices(city, problem)
    if prices is not None:
        able = np.ones(city.n_sites, dtype=np.bool_) if usable is None else usable
        cheapest = float(prices.cost[np.tile(able, len(kinds))].min(initial=np.inf))
        if cheapest > prices.budget * (1 + PENNY):
            msg = f"the cheapest sensor costs {cheapest:g}, more than the budget of "
            msg += f"{prices.budget:g}"
            raise ProblemError(msg, field="budget", mend=f"Give at least {cheapest:g}")
    return Rules(n, regions, prices, _apart(city, problem))


def tiled(usable: NDArray[np.bool_] | None, problem: Problem) -> NDArray[np.bool_] | None:
    """Marks of sites, (site,), for the candidates of every kind."""
    return None if usable is None else np.tile(usable, len(problem.kinds))


def placed_kinds(city: City, problem: Problem, chosen: NDArray[np.int64]) -> pd.DataFrame:
    """Table of chosen candidates in order: position, site, area, x, y, kind, theta."""
    made = at_sites(city, chosen % city.n_sites)
    kind = chosen // city.n_sites
    made["kind"] = np.array([name for name, _ in problem.kinds], dtype=object)[kind]
    made["theta"] = np.array([each.theta for _, each in problem.kinds])[kind]
    return made


def _prices(city: City, problem: Problem) -> Prices:
    """What each candidate costs: its kind, and its site where sites have prices."""
    from spineq.solvers.rules import Prices

    assert problem.budget is not None  # who asks has one
    site = np.zeros(city.n_sites) if problem.site_cost is None else prices_of(city, problem).cost
    cost = np.concatenate([kind.cost + site for _, kind in problem.kinds])
    if not cost.any():
        names = ", ".join(shown(name) for name, _ in problem.kinds)
        msg = f"there is a budget, and none of the kinds {names} costs anything"
        raise ProblemError(msg, field="kinds", mend="Give each kind its cost")
    return Prices(cost, problem.budget)


def _apart(city: City, problem: Problem) -> Apart:
    """Candidates of one site, or of sites too near to each other, exclude each other."""
    from spineq.solvers.rules import Apart

    n, k = city.n_sites, len(problem.kinds)
    one, other = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    if problem.min_spacing > 0:
        near = apart_of(city, problem)
        one, other = np.repeat(np.arange(n), np.diff(near.start)), near.site
    sites, kinds = np.arange(n), np.arange(k)
    pairs = []
    for a in kinds:
        for b in kinds:
            first, second = (
                (one, other)
                if a == b
                else (np.concatenate([one, sites]), np.concatenate([other, sites]))
            )
            pairs.append(np.column_stack([a * n + first, b * n + second]))
    both = np.concatenate(pairs)
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    start = np.searchsorted(both[:, 0], np.arange(n * k + 1))
    return Apart(start.astype(np.int64), np.ascontiguousarray(both[:, 1], dtype=np.int64))
