"""Rules of a problem in a city: regions, prices and spacing as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shortened, shown
from spineq.model._problem_checks import region_text
from spineq.model._site_columns import is_missing
from spineq.model.groups import MOST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.solvers.rules import Apart, Prices, Regions, Rules

#: Pairs of sites, both ways, that may be too near to each other: 0.2 GB, and 1 GB on the way.
MOST_PAIRS = 20_000_000


def made_rules(city: City, problem: Problem, usable: NDArray[np.bool_] | None) -> Rules:
    """Make the rules of a problem, by the sites that are usable; None for all of them."""
    from spineq.solvers.rules import Rules

    n = problem.n_sensors
    if n is None:
        n = city.n_sites if usable is None else int(usable.sum())
    return Rules(
        n,
        None if problem.region is None else _regions(city, problem, n),
        None if problem.budget is None else prices_of(city, problem),
        None if problem.min_spacing == 0 else apart_of(city, problem),
    )


def _column(city: City, name: str, field: str) -> NDArray[Any]:
    """Values of a column of the sites that a problem names, (site,), none of them missing."""
    if name not in city.site_columns:
        msg = f"the sites of {city.name or 'the city'} have no column {shown(name)}"
        there = ", ".join(shortened(column) for column in city.site_columns[:12])
        mend = f"Use one of {there}, or add it to their table"
        if city.sites_are_areas:
            mend += "; site_columns hands a column of the areas on to them"
        raise ProblemError(msg, field=field, mend=mend)
    values = city.site_column(name)
    missing = np.flatnonzero(is_missing(values))
    if len(missing):
        site = city.dataset["site"].to_numpy()[missing[0]]
        msg = f"site {shown(site)} has no value in column {shown(name)}"
        raise ProblemError(msg, field=field, mend="Fill it in")
    return values


def regions_of(city: City, name: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the regions, sorted, and the number of each site's, (site,).

    Raises
    ------
    ProblemError
        No such column, or a value in it that names no region.
    """
    values = _column(city, name, "region")
    if values.dtype != object:
        strange = np.flatnonzero(~np.isfinite(values) | (values != np.floor(values)))
        if len(strange):
            site = city.dataset["site"].to_numpy()[strange[0]]
            msg = f"the region of site {shown(site)} is {values[strange[0]]:g} in column "
            msg += f"{shown(name)}, neither text nor a whole number"
            raise ProblemError(msg, field="region", mend="Name a column of regions")
        distinct, inverse = np.unique(values, return_inverse=True)
        values = np.array([region_text(float(number)) for number in distinct], dtype=object)[
            inverse
        ]
    codes, names = pd.factorize(values, sort=True)
    return tuple(str(region) for region in names), codes.astype(np.int64)


def _regions(city: City, problem: Problem, n: int) -> Regions:
    from spineq.solvers.rules import Regions

    assert problem.region is not None
    names, of = regions_of(city, problem.region)
    most = np.full(len(names), n, dtype=np.int64)
    least = np.zeros(len(names), dtype=np.int64)
    position = {region: number for number, region in enumerate(names)}
    for field, limits in (("max_per_region", most), ("min_per_region", least)):
        given = getattr(problem, field)
        if isinstance(given, int):
            limits[:] = given
            continue
        for region, limit in given or ():
            if region not in position:
                msg = f"column {shown(problem.region)} of the sites has no region {shown(region)}"
                there = ", ".join(shortened(name, 30) for name in names[:12])
                raise ProblemError(msg, field=field, mend=f"Use one of {there}")
            limits[position[region]] = limit
    return Regions(of, most, least)


def prices_of(city: City, problem: Problem) -> Prices:
    """What a sensor costs at each site, and the budget of a problem that has one.

    Raises
    ------
    ProblemError
        No such column, or a value in it that is no price.
    """
    from spineq.solvers.rules import Prices

    assert problem.budget is not None
    assert problem.site_cost is not None
    cost = _column(city, problem.site_cost, "site_cost")
    if cost.dtype == object:
        msg = f"column {shown(problem.site_cost)} of the sites holds text ({shown(cost[0])})"
        raise ProblemError(msg, field="site_cost", mend="Name a column of numbers")
    bad = np.flatnonzero(~((cost >= 0) & (cost <= MOST)))
    if len(bad):
        site = city.dataset["site"].to_numpy()[bad[0]]
        msg = f"a sensor at site {shown(site)} costs {cost[bad[0]]:g}"
        raise ProblemError(msg, field="site_cost", mend=f"Give every site 0 to {MOST:g}")
    # A copy, which can be written to as all arrays of solvers: kernels are compiled once.
    return Prices(cost.copy(), problem.budget)


def apart_of(city: City, problem: Problem, together: NDArray[np.bool_] | None = None) -> Apart:
    """List the pairs of sites that are too near to each other, from both sides.

    Parameters
    ----------
    city, problem
        Where, and with which spacing.
    together
        (site,) sites that may be as near to each other as they are; None for none.

    Raises
    ------
    ProblemError
        There are too many such pairs.
    """
    from scipy.spatial import cKDTree

    from spineq.solvers.rules import Apart

    xy, spacing = city.site_xy, problem.min_spacing
    tree = cKDTree(xy)
    # A little further, so that what is exactly so near is decided below and not in the tree.
    radius = spacing * (1 + 1e-9)
    n_pairs = int(tree.count_neighbors(tree, radius)) - len(xy)
    if n_pairs > MOST_PAIRS:
        msg = f"{n_pairs // 2:,} pairs of sites are nearer to each other than {spacing:g} m, "
        msg += f"more than the {MOST_PAIRS // 2:,} that are handled"
        mend = "Ask for less spacing, or give the city fewer sites"
        raise ProblemError(msg, field="min_spacing", mend=mend)
    pairs = tree.query_pairs(radius, output_type="ndarray")
    off = xy[pairs[:, 0]] - xy[pairs[:, 1]]
    pairs = pairs[np.sqrt((off**2).sum(axis=1)) < spacing]
    if together is not None:
        pairs = pairs[~(together[pairs[:, 0]] & together[pairs[:, 1]])]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    start = np.searchsorted(both[:, 0], np.arange(len(xy) + 1))
    return Apart(start.astype(np.int64), np.ascontiguousarray(both[:, 1], dtype=np.int64))
