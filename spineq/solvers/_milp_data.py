"""What is sent to HiGHS's process: the sites and pairs that are left, and the rules among them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from spineq.solvers.goals import FLOOR_ROOM, Goals
from spineq.solvers.rules import PENNY, Apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.coverage import Coverage
    from spineq.solvers.relaxation import Relaxation
    from spineq.solvers.search import Search

#: Nodes that the branch and bound may have at an effort of 1.
NODES = 20_000

#: HiGHS's tolerances, absolute: of improvements that are still looked for, and of reduced costs.
PRUNED, DUAL = 1e-6, 1e-7


class Pairs(NamedTuple):
    """Pairs of site and point: positions in the objective, and coverage, (pair,) each."""

    site: NDArray[np.int64]
    point: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Left:
    """What another solver has left undecided, all that is not above its target being gone.

    Parameters
    ----------
    fixed
        (site,) 1 where a sensor must stand, -1 where none may, 0 where that is open; None for
        open everywhere.
    pairs
        The pairs that may still serve; None for the objective's own.
    target
        Value above which no network is lost: the bound cannot be less. Minus infinity where
        nothing is.
    """

    fixed: NDArray[np.int8] | None = None
    pairs: Pairs | None = None
    target: float = -math.inf

    @classmethod
    def of(cls, search: Search, relaxation: Relaxation) -> Left:
        """Take what a relaxation has left for a search."""
        start, site, value = relaxation.lists
        fixed = np.full(search.objective.n_sites, -1, dtype=np.int8)
        fixed[relaxation.sites] = relaxation.state
        point = np.repeat(np.arange(len(start) - 1), np.diff(start))
        return cls(fixed, Pairs(relaxation.sites[site], point, value), search.target)


def room(points: int, n: int) -> float:
    """What HiGHS's bound may be too low by, in the unit of the scaled objective.

    Nodes that are better than the best network by less than `PRUNED` are dropped. Beside that, a
    reduced cost that is wrong by up to `DUAL` counts for each column that is 1 in a network: a
    site for each sensor, a pair for each point. Twice that is taken.

    Parameters
    ----------
    points
        Number of points.
    n
        Most sensors.
    """
    return 2.0 * (PRUNED + DUAL * (points + n))


def _factor(search: Search) -> float:
    """Power of two, which keeps whole benefits whole, that makes `room` 1.2e-12 to 2.5e-12."""
    bound, rules = search.bound, search.rules
    if not (math.isfinite(bound) and bound > 0.0):
        return 1.0
    wanted = room(search.objective.coverage.n_points, rules.n) / 2.5e-12
    return float(2.0 ** min(math.ceil(math.log2(wanted) - math.log2(bound)), 1000))


def gathered(search: Search, left: Left) -> dict[str, NDArray[Any]] | None:
    """Gather what the programme needs, of the free sites; None where nothing can be allowed.

    Beside what `_milp_child.build` and ``solve`` take there are ``free`` (site,) and ``inside``
    (sensor,): positions of the sites that are left, and of those that are decided on.
    """
    objective, rules, options = search.objective, search.rules, search.options
    fixed = np.zeros(objective.n_sites, dtype=np.int8) if left.fixed is None else left.fixed
    usable = objective.usable_sites
    inside, free = np.flatnonzero(usable & (fixed > 0)), usable & (fixed == 0)
    n = rules.n - len(inside)
    if rules.apart is not None:
        free &= rules.allowed_beside(inside, usable) if n > 0 else False
    made: dict[str, Any] = {}
    if rules.prices is not None:
        budget = rules.prices.budget * (1.0 + PENNY) - float(rules.prices.cost[inside].sum())
        free &= rules.prices.cost <= budget
        if budget < 0.0:
            return None
        made |= {"cost": rules.prices.cost[free], "budget": budget}
    sites = np.flatnonzero(free)
    most = min(n, len(sites))
    if rules.regions is not None:
        of = rules.regions.of
        standing = np.bincount(of[inside], minlength=len(rules.regions.most))
        room = np.bincount(of[sites], minlength=len(standing))
        at_most, at_least = rules.regions.most - standing, rules.regions.least - standing
        if (at_most < 0).any() or (at_least > room).any() or np.maximum(at_least, 0).sum() > n:
            return None
        most = min(most, int(np.minimum(at_most, room).sum()))
        made |= {"region": of[sites], "region_most": at_most, "region_least": at_least}
    if n < 0:
        return None
    if rules.apart is not None:
        made |= dict(zip(("apart_start", "apart_site"), _among(rules.apart, sites), strict=True))
    # More sensors are never worse, so that there are exactly as many as may be; that is easier.
    exact = rules.prices is None and rules.apart is None
    known = np.searchsorted(sites, np.setdiff1d(search.sites, inside))
    fits = len(search.sites) > 0 and set(search.sites) <= {*sites.tolist(), *inside.tolist()}
    fits = fits and set(inside) <= set(search.sites) and (not exact or len(known) == most)
    made |= _pairs_of(left.pairs or objective.coverage, sites, objective.n_sites)
    made |= _goals(objective.goals, objective.weight)
    made |= {
        "free": sites, "n_sites": len(sites), "inside": inside,
        "base": objective.covered_by(inside), "factor": _factor(search),
        "n": most if exact else n, "exact": exact,
        "has_known": bool(fits), "known": known if fits else np.empty(0, dtype=np.int64),
        "gap": options.gap_limit, "nodes": max(1, round(options.effort * NODES)),
        "seed": options.seed % 2**31, "seconds": math.inf,
    }  # fmt: skip
    return {name: np.asarray(value) for name, value in made.items()}


def _goals(goals: Goals | None, weight: NDArray[np.float64]) -> dict[str, Any]:
    if goals is None:
        none = np.empty(0)
        return {
            "weight": weight, "rows": np.empty((0, len(weight))), "least": none,
            "judged": none, "scale": none,
        }  # fmt: skip
    needed = goals.judged | np.isfinite(goals.least)
    return {
        "weight": np.zeros_like(weight) if goals.worst else weight,
        "rows": goals.rows[needed],
        "least": goals.least[needed] * (1.0 - FLOOR_ROOM),
        "judged": goals.judged[needed],
        "scale": goals.scale[needed],
    }


def _pairs_of(
    pairs: Pairs | Coverage, sites: NDArray[np.int64], n_sites: int
) -> dict[str, NDArray[Any]]:
    """Pairs of some sites, by their new positions."""
    if isinstance(pairs, Pairs):
        position = np.full(n_sites, -1, dtype=np.int64)
        position[sites] = np.arange(len(sites))
        site = position[pairs.site]
        keep = site >= 0
        return {"site": site[keep], "point": pairs.point[keep], "value": pairs.value[keep]}
    many = np.diff(pairs.start)[sites]
    site = np.repeat(np.arange(len(sites)), many)
    where = np.arange(len(site)) + np.repeat(pairs.start[sites] - np.cumsum(many) + many, many)
    if pairs.point is None:
        point = np.tile(np.arange(pairs.n_points), len(sites))
    else:
        point = pairs.point[where].astype(np.int64)
    return {"site": site, "point": point, "value": pairs.value[where]}


def _among(apart: Apart, sites: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Conflicts among some sites, by their new positions."""
    position = np.full(len(apart.start) - 1, -1, dtype=np.int64)
    position[sites] = np.arange(len(sites))
    row = np.repeat(position, np.diff(apart.start))
    other = position[apart.site]
    keep = (row >= 0) & (other >= 0)
    start = np.zeros(len(sites) + 1, dtype=np.int64)
    np.cumsum(np.bincount(row[keep], minlength=len(sites)), out=start[1:])
    # Sites are in order, and so are the rows that are kept.
    return start, other[keep]
