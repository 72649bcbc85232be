"""How many people of a group are in each area."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import (
    AgeBandError,
    DataError,
    MissingColumnError,
    ZeroWeightError,
    shortened,
    shown,
)
from spineq.model._group_points import people_of
from spineq.model.groups import OLDEST, Group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model._contract import AreaTable, PointTable


@dataclass(frozen=True)
class People:
    """A group's people by area."""

    values: NDArray[np.float64]  # (area,) people, 0 or more
    estimated: bool  # an age band had to be split to get them


def people(areas: AreaTable, points: PointTable, group: Group) -> People:
    """Count a group's people in each area; see `spineq.City.people`."""
    if group.column in points.groups:
        there = people_of(points, str(group.column))
        by_area = np.bincount(points.area, weights=there, minlength=len(areas.ids))
        return People(by_area.astype(np.float64), estimated=False)
    if group.column is not None:
        return People(_column(areas, points, group.column), estimated=False)
    youngest, oldest = group.ages or (0, OLDEST)
    if not areas.bands:
        msg = "the city has no residents, only columns"
        raise MissingColumnError(msg, mend="Add population or age columns to its table")
    share = np.array(
        [
            max(0, min(last, oldest) - max(first, youngest) + 1) / (last - first + 1)
            for first, last in areas.bands
        ]
    )
    split = bool(((share > 0) & (share < 1)).any())
    if split and len(areas.bands) == 1:
        msg = f"ages {youngest} to {oldest} cannot be told from the total population"
        raise AgeBandError(msg, field="ages", mend="Add age columns to the city's table")
    # Not a BLAS product: its last bits depend on the number of threads.
    values = np.einsum("ab,b->a", areas.residents, share)
    if not values.sum() > 0:
        msg = f"nobody in the city is aged {youngest} to {oldest}"
        raise ZeroWeightError(msg, field="ages", mend="Choose other ages")
    return People(values, estimated=split)


def _column(areas: AreaTable, points: PointTable, name: str) -> NDArray[np.float64]:
    if name == "population" and areas.bands:
        everyone: NDArray[np.float64] = areas.residents.sum(axis=1)
        return everyone
    if name not in areas.columns:
        there = ", ".join(map(shortened, [*areas.columns, *points.groups])) or "none"
        msg = f"the city has no column {shown(name)}"
        raise MissingColumnError(msg, field="column", mend=f"Its columns are {there}")
    return areas.values[:, areas.columns.index(name)]


def mixed(
    areas: AreaTable, points: PointTable, groups: Iterable[tuple[str, Group]]
) -> NDArray[np.float64]:
    """Weight of each area in a mix of groups, (area,); see `spineq.City.weights`."""
    total = np.zeros(len(areas.ids))
    for _, share, values in _shares(areas, points, groups):
        total += share * (values / values.sum())
    return total


def mixed_at_points(
    areas: AreaTable, points: PointTable, groups: Iterable[tuple[str, Group]]
) -> NDArray[np.float64]:
    """Weight of each point in a mix of groups, (point,); see `spineq.City.weights_at_points`."""
    total, own = np.zeros(len(areas.ids)), np.zeros(len(points.ids))
    for group, share, values in _shares(areas, points, groups):
        if group.column in points.groups:
            there = people_of(points, str(group.column))
            own += share * (there / there.sum())
        else:
            total += share * (values / values.sum())
    spread: NDArray[np.float64] = total[points.area] * points.share
    return spread + own if points.groups else spread


def _shares(
    areas: AreaTable, points: PointTable, groups: Iterable[tuple[str, Group]]
) -> Iterator[tuple[Group, float, NDArray[np.float64]]]:
    """Each group of a mix that counts, its share of the whole, and its people, (area,)."""
    kept = [(name, group) for name, group in groups if group.weight > 0]
    if not kept:
        msg = "no group has a weight above zero"
        raise ZeroWeightError(msg, field="groups", mend="Give at least one a positive weight")
    importance = math.fsum(group.weight for _, group in kept)
    for name, group in kept:
        try:
            values = people(areas, points, group).values
        except DataError as error:
            raise type(error)(error.what, field=f"group {name}", mend=error.mend) from error
        yield group, group.weight / importance, values
