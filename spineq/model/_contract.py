"""The file contract: from tables as users have them to checked arrays, sorted by id.

Areas: one row each; a unique ``area_id``; a polygon or point, or ``x`` and ``y`` (which win
over a polygon's inner point); optionally ``population``, ``workers``, ages as ``age_0`` to
``age_90`` or bands such as ``age_0_15`` and ``age_65_plus``; any other numeric column is a
weight. Sites, existing sensors and demand points: a point, or ``x`` and ``y``, each. Travel:
``site``, ``area`` or ``point``, and ``cost``. Here are all the tables and the reading of
areas; `spineq.model._parts` reads the others, and `spineq.model._group_points` demand points
that belong to a group (``group`` and ``people``) instead of an area.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import (
    AgeBandError,
    EmptyCityError,
    NotANumberError,
    TotalMismatchError,
    UnreadableFileError,
    shortened,
    shown,
)
from spineq.model._checks import (
    WITHOUT,
    geometry_of,
    identifiers,
    need_columns,
    need_table,
    need_text,
    numbers,
    positive_sum,
    row_name,
)
from spineq.model.groups import MOST, OLDEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AGE = re.compile(r"age_([0-9]+)(?:_([0-9]+|plus))?")
_NOT_WEIGHTS = {"area_id", "x", "y", "population", "geometry"}


class _Table:
    """Arrays that nobody can write to, neither here nor after a journey by pickle."""

    def __post_init__(self) -> None:
        for held in vars(self).values():
            for array in held if isinstance(held, tuple) else (held,):
                if isinstance(array, np.ndarray):
                    array.setflags(write=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()


@dataclass(frozen=True)
class AreaTable(_Table):
    """Areas, sorted by id."""

    ids: NDArray[np.object_]  # (area,)
    xy: NDArray[np.float64]  # (area, 2)
    bands: tuple[tuple[int, int], ...]  # youngest and oldest age of each band
    residents: NDArray[np.float64]  # (area, band)
    columns: tuple[str, ...]
    values: NDArray[np.float64]  # (area, column)
    polygons: NDArray[np.object_] | None  # (area,)


@dataclass(frozen=True)
class PlaceTable(_Table):
    """Sites or existing sensors, sorted by id."""

    ids: NDArray[np.object_]  # (place,)
    xy: NDArray[np.float64]  # (place, 2)
    areas: NDArray[np.object_]  # (place,) id of the area that each lies in
    columns: tuple[str, ...] = ()  # further columns of sites, sorted
    values: tuple[NDArray[Any], ...] = ()  # (place,) each, floats or texts, NaN or "" if missing


@dataclass(frozen=True)
class PointTable(_Table):
    """Demand points, sorted by area and id."""

    ids: NDArray[np.object_]  # (point,)
    xy: NDArray[np.float64]  # (point, 2)
    area: NDArray[np.int64]  # (point,) position of the area
    share: NDArray[np.float64]  # (point,) sums to 1 over an area, 0 for points of a group
    groups: tuple[str, ...] = ()  # names of the groups that stand at points of their own, sorted
    group: NDArray[np.int64] | None = None  # (point,) position of the group, -1 for an area's
    people: NDArray[np.float64] | None = None  # (point,) people of that group, 0 for an area's


@dataclass(frozen=True)
class TravelTable(_Table):
    """Pairs within reach, sorted by site and target."""

    by: str  # "area" or "point": what the targets are
    site: NDArray[np.int64]  # (pair,) position of the site
    target: NDArray[np.int64]  # (pair,) position of the area or point
    cost: NDArray[np.float64]  # (pair,)


def read_areas(frame: pd.DataFrame, file: object, columns: Sequence[str] | None) -> AreaTable:
    """Read the table of areas.

    Parameters
    ----------
    frame
        One row per area; a GeoDataFrame where there are polygons.
    file
        Where the table comes from, for messages.
    columns
        Further columns to take as weights; None takes every numeric one.
    """
    need_table(frame, file)
    if len(frame) == 0:
        msg = "there is not a single area"
        raise EmptyCityError(msg, file=file, mend="Give at least one row")
    frame = frame.rename(columns=str)
    need_columns(frame, ["area_id"], file)
    ids = identifiers(frame["area_id"], "area_id", file)
    xy = coordinates(frame, ids, file, inner_point=True)
    bands, residents = _residents(frame, ids, file)
    names = _weight_columns(frame, file, columns)
    values = np.empty((len(ids), len(names)))
    for k, name in enumerate(names):
        values[:, k] = _counts(frame, name, ids, file)
        positive_sum(values[:, k], name, file)
    order = np.argsort(ids)
    polygons = _polygons(frame)
    return AreaTable(
        ids[order],
        xy[order],
        bands,
        residents[order],
        tuple(names),
        values[order],
        None if polygons is None else polygons[order],
    )


def _counts(
    frame: pd.DataFrame, name: str, ids: NDArray[np.object_], file: object
) -> NDArray[np.float64]:
    mend = f"Correct it (0 where there is nobody), or {WITHOUT}"
    return numbers(frame[name], ids, name, file, mend=mend)


def _polygons(frame: pd.DataFrame) -> NDArray[np.object_] | None:
    geometry = geometry_of(frame)
    if geometry is None or not geometry.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        return None
    made = np.empty(len(frame), dtype=object)
    made[:] = geometry.to_numpy()
    return made


def coordinates(
    frame: pd.DataFrame, ids: NDArray[np.object_] | None, file: object, *, inner_point: bool = False
) -> NDArray[np.float64]:
    """Read x and y of each row, (row, 2): from columns, else from points, else inside polygons.

    Parameters
    ----------
    frame
        With columns ``x`` and ``y``, or a GeoDataFrame.
    ids
        Identifier of each row, for messages; None where rows have none.
    file
        Where the table comes from, for messages.
    inner_point
        Whether polygons are allowed.
    """
    import shapely

    geometry = geometry_of(frame)
    if geometry is None or "x" in frame.columns or "y" in frame.columns:
        need_columns(frame, ["x", "y"], file)
        mend = "Write the coordinate as a number"
        return np.column_stack(
            [numbers(frame[name], ids, name, file, least=None, mend=mend) for name in ("x", "y")]
        )
    mend = "Give it one, or give all rows x and y"
    bad = np.flatnonzero((geometry.isna() | geometry.is_empty).to_numpy())
    if len(bad):
        msg = "the row has no geometry"
        raise UnreadableFileError(
            msg, file=file, row=row_name(bad[0], ids), field="geometry", mend=mend
        )
    no_point = np.flatnonzero((geometry.geom_type != "Point").to_numpy())
    if len(no_point) and not inner_point:
        msg = f"a {geometry.geom_type.iloc[no_point[0]]} stands where a point must"
        raise UnreadableFileError(
            msg, file=file, row=row_name(no_point[0], ids), field="geometry", mend="Give points"
        )
    vertices, row = shapely.get_coordinates(geometry.to_numpy(), return_index=True)
    bad = row[~(np.abs(vertices) <= MOST).all(axis=1)]
    if len(bad):
        # GEOS would take 0, 0 for a point inside it.
        msg = f"the geometry has coordinates that are not finite, or beyond {MOST:g}"
        raise NotANumberError(
            msg,
            file=file,
            row=row_name(bad[0], ids),
            field="geometry",
            mend="Correct it, and check the coordinate reference system",
        )
    points = geometry.representative_point() if len(no_point) else geometry
    return np.column_stack([points.x.to_numpy(), points.y.to_numpy()]) + 0.0


def _residents(
    frame: pd.DataFrame, ids: NDArray[np.object_], file: object
) -> tuple[tuple[tuple[int, int], ...], NDArray[np.float64]]:
    found: list[tuple[int, int, str]] = []
    for name in frame.columns:
        match = _AGE.fullmatch(str(name))
        if match:
            first = age_number(match[1])
            last = first if match[2] is None else OLDEST
            if match[2] not in (None, "plus"):
                last = age_number(match[2])
            found.append((first, last, str(name)))
    if not found:
        if "population" not in frame.columns:
            return (), np.zeros((len(ids), 0))
        total = _counts(frame, "population", ids, file)
        positive_sum(total, "population", file)
        return ((0, OLDEST),), total[:, None]
    found.sort()
    check_bands(found, file)
    residents = np.column_stack([_counts(frame, name, ids, file) for *_, name in found])
    positive_sum(residents.sum(axis=1), "the sum of the ages", file)
    if "population" in frame.columns:
        total = _counts(frame, "population", ids, file)
        check_total(residents.sum(axis=1), total, ids, file)
    return tuple((first, last) for first, last, _ in found), residents


def age_number(digits: str) -> int:
    """Read an age in a column's name; whoever writes more than three digits means no age."""
    return int(digits) if len(digits) <= 3 else 999


def check_total(
    by_age: NDArray[np.float64], total: NDArray[np.float64], ids: NDArray[np.object_], file: object
) -> None:
    """Check that residents by age add up to the population given beside them."""
    off = np.abs(by_age - total) > 1e-6 * np.maximum(total, 1.0)
    if off.any():
        row = int(np.flatnonzero(off)[0])
        msg = f"the ages sum to {by_age[row]:g}, but the population is {total[row]:g}"
        raise TotalMismatchError(
            msg,
            file=file,
            row=row_name(row, ids),
            field="population",
            mend="Correct one of them, or leave the population out",
        )


def check_bands(found: Sequence[tuple[int, int, str]], file: object) -> None:
    """Check that bands (youngest, oldest, name), sorted, hold each age once."""
    expected = 0
    for first, last, name in found:
        if max(first, last) > OLDEST:
            msg = (
                f"{shortened(name)} goes beyond age {OLDEST}, the oldest that is counted by itself"
            )
            mend = (
                f"Count everyone from {OLDEST} on in age_{OLDEST}, or make the last band age_N_plus"
            )
            raise AgeBandError(msg, file=file, field=name, mend=mend)
        if last < first:
            msg = f"{shortened(name)} ends before it begins"
            raise AgeBandError(msg, file=file, field=name, mend=f"Call it age_{last}_{first}")
        if first != expected:
            what = "overlaps the band before it" if first < expected else "leaves a hole before it"
            msg = f"{shortened(name)} {what} (age {expected} was next)"
            raise AgeBandError(
                msg, file=file, field=name, mend="Let each band begin where the one before it ends"
            )
        expected = last + 1
    if expected <= OLDEST:
        first, _, name = found[-1]
        msg = f"the ages stop at {name}"
        raise AgeBandError(
            msg, file=file, field=name, mend=f"Call the last column age_{first}_plus if it is open"
        )


def _weight_columns(frame: pd.DataFrame, file: object, columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        wanted = [name for name in frame.columns if name == "workers" or _is_count(frame[name])]
    else:
        if isinstance(columns, str):
            columns = [columns]
        wanted = list(columns) if isinstance(columns, Iterable) else None
        if wanted is None or not all(isinstance(name, str) for name in wanted):
            msg = f"columns must be a list of names, not {shown(columns)}"
            raise UnreadableFileError(msg, file=file, field="columns", mend='Write ["workers"]')
        need_columns(frame, wanted, file)
    # Residents are read anyway.
    names = {name for name in wanted if name not in _NOT_WEIGHTS and not _AGE.fullmatch(name)}
    for name in names:
        need_text(name, "the name of a column", file)
    return sorted(names)


def _is_count(values: pd.Series[Any]) -> bool:
    kind = pd.api.types
    return kind.is_numeric_dtype(values) and not kind.is_bool_dtype(values)


def areas_at(areas: AreaTable, xy: NDArray[np.float64]) -> NDArray[np.object_]:
    """Id of the area whose point is nearest to each place, (place,); the first id of several.

    Polygons have no say: they are display, and a city may have lost them on its way to a
    worker.
    """
    from scipy.spatial import cKDTree

    # Eight: a place in the middle of a grid's cell is as near to four.
    distance, near = cKDTree(areas.xy).query(xy, k=list(range(1, min(8, len(areas.ids)) + 1)))
    nearest = np.where(distance == distance[:, :1], near, len(areas.ids)).min(axis=1)
    found: NDArray[np.object_] = areas.ids[nearest]
    return found
