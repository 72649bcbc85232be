"""How many people of a group are in each area."""

from __future__ import annotations

import math
from collections.abc import Iterable
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
from spineq.model.groups import OLDEST, Group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model._contract import AreaTable


@dataclass(frozen=True)
class People:
    """A group's people by area."""

    values: NDArray[np.float64]  # (area,) people, 0 or more
    estimated: bool  # an age band had to be split to get them


def people(areas: AreaTable, group: Group) -> People:
    """Count a group's people in each area; see `spineq.City.people`."""
    if group.column is not None:
        return People(_column(areas, group.column), estimated=False)
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


def _column(areas: AreaTable, name: str) -> NDArray[np.float64]:
    if name == "population" and areas.bands:
        everyone: NDArray[np.float64] = areas.residents.sum(axis=1)
        return everyone
    if name not in areas.columns:
        there = ", ".join(map(shortened, areas.columns)) or "none"
        msg = f"the city has no column {shown(name)}"
        raise MissingColumnError(msg, field="column", mend=f"Its columns are {there}")
    return areas.values[:, areas.columns.index(name)]


def mixed(areas: AreaTable, groups: Iterable[tuple[str, Group]]) -> NDArray[np.float64]:
    """Weight of each area in a mix of groups, (area,); see `spineq.City.weights`."""
    kept = [(name, group) for name, group in groups if group.weight > 0]
    if not kept:
        msg = "no group has a weight above zero"
        raise ZeroWeightError(msg, field="groups", mend="Give at least one a positive weight")
    total = np.zeros(len(areas.ids))
    importance = math.fsum(group.weight for _, group in kept)
    for name, group in kept:
        try:
            values = people(areas, group).values
        except DataError as error:
            raise type(error)(error.what, field=f"group {name}", mend=error.mend) from error
        total += group.weight / importance * (values / values.sum())
    return total
