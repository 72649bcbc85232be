"""What no network can meet: which rules clash, and by how much, before anything is solved.

Only what a count or a sum shows is refused here; a solver finds the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.model._objective_words import in_a_list

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.problem import Problem
    from spineq.solvers.rules import Prices, Regions, Rules

#: Positions in which the grid is laid over the sites along each axis.
_SHIFTS = 4

#: Size of a cell below what it could be, so that no rounding makes one too large.
_SLACK = 1e-6


class Excluded(NamedTuple):
    """Numbers of sites where no new sensor may stand, by the first reason that holds."""

    forbidden: int
    taken: int
    near: int


def need_feasible(
    problem: Problem,
    rules: Rules,
    xy: NDArray[np.float64],
    usable: NDArray[np.bool_] | None,
    names: Sequence[str],
    excluded: Excluded,
) -> None:
    """Refuse rules that no network can keep together.

    Parameters
    ----------
    problem, rules
        What is asked, and what it means in the city.
    xy
        (site, 2) places, metres.
    usable
        (site,) whether a new sensor may stand there; None for everywhere.
    names
        Names of the regions, in the order of ``rules.regions``.
    excluded
        Why sites are not usable.

    Raises
    ------
    ProblemError
        Naming the rules that clash, and by how much.
    """
    able = np.ones(len(xy), dtype=np.bool_) if usable is None else usable
    need_sites(problem, able, excluded)
    if rules.regions is not None:
        _need_regions(problem, rules.regions, able, names, excluded)
    if rules.prices is not None:
        _need_money(problem, rules.prices, rules.regions, able)
    if rules.apart is not None:
        _need_spacing(problem, rules.regions, xy, able, names)


def _sensors(number: int | np.int64) -> str:
    return "1 sensor" if number == 1 else f"{number:,} sensors"


def _sites(number: int | np.int64) -> str:
    return "1 site" if number == 1 else f"{number:,} sites"


def _but(total: int, excluded: Excluded) -> str:
    """Say how many of some sites are left, and why."""
    reasons = [
        f"{number:,} {reason}"
        for number, reason in zip(
            excluded, ("forbidden", "taken by sensors that stay", "too near to them"), strict=True
        )
        if number
    ]
    return ", ".join([_sites(total), *([in_a_list(reasons)] if reasons else [])])


def need_sites(problem: Problem, able: NDArray[np.bool_], excluded: Excluded) -> None:
    """Refuse more sensors than there are sites left, and no site at all; see `need_feasible`."""
    n, room, total = problem.n_sensors, int(able.sum()), len(able)
    if room == 0:
        msg = f"there is no site left for a sensor: of {_but(total, excluded)}"
        mend = "Forbid or keep fewer"
        if excluded.near:
            msg += f" ({problem.min_spacing:g} m are asked)"
            mend = "Ask for less spacing, or forbid or keep fewer"
        field = "min_spacing" if excluded.near else "forbid" if excluded.forbidden else "keep"
        raise ProblemError(msg, field=field, mend=mend)
    if n is not None and n > room:
        msg = f"{_sensors(n)} are more than the city's {_sites(total)}"
        if room < total:
            left = "1 site that is" if room == 1 else f"{room:,} sites that are"
            msg = f"{_sensors(n)} are more than the {left} left: of "
            msg += _but(total, excluded)
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {room:,}")


def _need_regions(
    problem: Problem,
    regions: Regions,
    able: NDArray[np.bool_],
    names: Sequence[str],
    excluded: Excluded,
) -> None:
    room = np.bincount(regions.of[able], minlength=len(names))
    for region in np.flatnonzero(regions.least > regions.most):
        # A region without a limit may get all sensors that there are: that is no maximum.
        if _has_maximum(problem, names[int(region)]):
            msg = f"region {shown(names[int(region)])} must have {_sensors(regions.least[region])} "
            msg += f"and may have at most {regions.most[region]:,}"
            mend = "Raise max_per_region, or lower min_per_region"
            raise ProblemError(msg, field="min_per_region", mend=mend)
    for region in np.flatnonzero(regions.least > room):
        msg = f"region {shown(names[int(region)])} must have {_sensors(regions.least[region])}, "
        msg += f"and has {_sites(room[region])} where one may stand"
        mend = f"Ask for at most {room[region]:,} there"
        if any(excluded):
            mend += ", or forbid and keep fewer sites"
        raise ProblemError(msg, field="min_per_region", mend=mend)
    n, may = problem.n_sensors, int(np.minimum(regions.most, room).sum())
    if n is None:
        if may == 0:
            msg = "no region with a site that is left may have a sensor"
            raise ProblemError(msg, field="max_per_region", mend="Raise max_per_region")
        return
    must = int(regions.least.sum())
    if must > n:
        msg = f"the regions must have {_sensors(must)} together, {must - n:,} more than "
        msg += f"the {n:,} that are asked"
        mend = f"Ask for at least {must:,}, or lower min_per_region"
        raise ProblemError(msg, field="min_per_region", mend=mend)
    if may < n:
        msg = f"the regions may have {_sensors(may)} together, {n - may:,} fewer than "
        msg += f"the {n:,} that are asked"
        mend = f"Ask for at most {may:,}, or raise max_per_region"
        raise ProblemError(msg, field="max_per_region", mend=mend)


def _has_maximum(problem: Problem, region: str) -> bool:
    given = problem.max_per_region
    return given is not None and (isinstance(given, int) or region in dict(given))


def _need_money(
    problem: Problem, prices: Prices, regions: Regions | None, able: NDArray[np.bool_]
) -> None:
    from spineq.solvers.rules import PENNY

    room = prices.budget * (1 + PENNY)
    able = able if regions is None else able & (regions.most[regions.of] > 0)
    cheapest = float(prices.cost[able].min())
    if cheapest > room:
        msg = f"the cheapest site costs {cheapest:g}, {cheapest - prices.budget:g} more than the "
        msg += f"budget of {prices.budget:g}"
        raise ProblemError(msg, field="budget", mend=f"Give at least {cheapest:g}")
    if regions is None or not regions.least.any():
        return
    # The regions share no site, so that the cheapest of each are the cheapest together.
    sites = np.flatnonzero(able)
    sites = sites[np.lexsort((prices.cost[sites], regions.of[sites]))]
    sizes = np.bincount(regions.of[sites], minlength=len(regions.least))
    rank = np.arange(len(sites)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    needed = float(prices.cost[sites[rank < regions.least[regions.of[sites]]]].sum())
    if needed > room:
        number = _sensors(int(regions.least.sum()))
        msg = f"the {number} that the regions must have cost {needed:g} at least, "
        msg += f"{needed - prices.budget:g} more than the budget of {prices.budget:g}"
        mend = f"Give at least {needed:g}, or lower min_per_region"
        raise ProblemError(msg, field="budget", mend=mend)


def _need_spacing(
    problem: Problem,
    regions: Regions | None,
    xy: NDArray[np.float64],
    able: NDArray[np.bool_],
    names: Sequence[str],
) -> None:
    spacing, n = problem.min_spacing, problem.n_sensors
    needed = 1 if n is None else n
    if regions is not None:
        for region in np.flatnonzero(regions.least > 1):
            most = most_apart(xy[able & (regions.of == region)], spacing)
            if most < regions.least[region]:
                number = _sensors(regions.least[region])
                msg = f"region {shown(names[int(region)])} must have {number}, and at most "
                msg += f"{most:,} can stand {spacing:g} m apart there"
                mend = f"Ask for at most {most:,} there, or for less spacing"
                raise ProblemError(msg, field="min_spacing", mend=mend)
        needed = max(needed, int(regions.least.sum()))
    most = most_apart(xy[able], spacing) if needed > 1 else 1
    if most < needed:
        asked = "are asked" if n is not None else "the regions must have"
        msg = f"at most {_sensors(most)} can stand {spacing:g} m apart; {needed:,} {asked}"
        fewer = f"Ask for at most {most:,}" if n is not None else "Lower min_per_region"
        raise ProblemError(msg, field="min_spacing", mend=f"{fewer}, or ask for less spacing")


def most_apart(xy: NDArray[np.float64], spacing: float) -> int:
    """Bound from above how many places can be chosen no two of which are too near.

    The plane is cut into regular hexagons whose longest diagonal is a little less than the
    spacing: two places in one of them are too near to each other, so that each holds one at
    most, and the cells that hold any place are a bound. That of the best of several positions
    of the grid is returned; in graph theory's words, the number of cliques in a cover, which no
    independent set exceeds.

    Parameters
    ----------
    xy
        (place, 2), metres.
    spacing
        Above 0, metres; places nearer than that to each other are too near.
    """
    if len(xy) < 2:
        return len(xy)
    # Half of the diagonal is the hexagon's side.
    side = spacing / 2 * (1 - _SLACK)
    local = xy - xy.min(axis=0)
    if local.max() > 1e8 * side:
        # So fine a grid would be nothing but rounding, and the places are hardly that near.
        return len(xy)
    best = len(xy)
    for u, v in ((local[:, 0], local[:, 1]), (local[:, 1], local[:, 0])):
        for shift in np.ndindex(_SHIFTS, _SHIFTS):
            across = (u / side + np.sqrt(3) * shift[0] / _SHIFTS) / np.sqrt(3)
            along = (v / side + 1.5 * shift[1] / _SHIFTS) * 2 / 3
            best = min(
                best, len(pd.DataFrame(_hexagon(across - along / 2, along)).drop_duplicates())
            )
    return best


def _hexagon(q: NDArray[np.float64], r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Axial coordinates of the hexagon that holds each place, (place, 2).

    The three cube coordinates sum to 0 before they are rounded; the one that is rounded most
    is put right from the others.
    """
    exact = np.column_stack([q, r, -q - r])
    rounded: NDArray[np.float64] = np.rint(exact, dtype=np.float64)
    off = np.abs(rounded - exact)
    worst = off.argmax(axis=1)
    rounded[worst == 0, 0] = -(rounded[:, 1] + rounded[:, 2])[worst == 0]
    rounded[worst == 1, 1] = -(rounded[:, 0] + rounded[:, 2])[worst == 1]
    return rounded[:, :2]
