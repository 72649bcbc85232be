"""The file contract: from tables as users have them to checked arrays, sorted by id.

Areas: one row each; a unique ``area_id``; a polygon or point, or ``x`` and ``y`` (which win
over a polygon's inner point); optionally ``population``, ``workers``, ages as ``age_0`` to
``age_90`` or bands such as ``age_0_15`` and ``age_65_plus``; any other numeric column is a
weight. Sites, existing sensors and demand points: a point, or ``x`` and ``y``, each. Travel:
``site``, ``area`` or ``point``, and ``cost``. Here are all the tables and the reading of
areas; `spineq.model._parts` reads the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
)
from spineq.model._checks import (
    WITHOUT,
    identifiers,
    need_columns,
    numbers,
    positive_sum,
    row_name,
)
from spineq.model.groups import OLDEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AGE = re.compile(r"age_(\d+)(?:_(\d+|plus))?")
_NOT_WEIGHTS = {"area_id", "x", "y", "population"}


class _Table:
    """Arrays that nobody can write to, neither here nor after a journey by pickle."""

    def __post_init__(self) -> None:
        for array in vars(self).values():
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


@dataclass(frozen=True)
class PointTable(_Table):
    """Demand points, sorted by area and id."""

    ids: NDArray[np.object_]  # (point,)
    xy: NDArray[np.float64]  # (point, 2)
    area: NDArray[np.int64]  # (point,) position of the area
    share: NDArray[np.float64]  # (point,) sums to 1 over an area


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


def _geometry(frame: pd.DataFrame) -> Any:
    return frame.geometry if hasattr(frame, "geometry") and hasattr(frame, "crs") else None


def _polygons(frame: pd.DataFrame) -> NDArray[np.object_] | None:
    geometry = _geometry(frame)
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

    geometry = _geometry(frame)
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
    bad = row[~np.isfinite(vertices).all(axis=1)]
    if len(bad):
        # GEOS would take 0, 0 for a point inside it.
        msg = "the geometry has coordinates that are not finite"
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
            first = int(match[1])
            last = first if match[2] is None else OLDEST if match[2] == "plus" else int(match[2])
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
            msg = f"{name} goes beyond age {OLDEST}, the oldest that is counted by itself"
            mend = (
                f"Count everyone from {OLDEST} on in age_{OLDEST}, or make the last band age_N_plus"
            )
            raise AgeBandError(msg, file=file, field=name, mend=mend)
        if last < first:
            msg = f"{name} ends before it begins"
            raise AgeBandError(msg, file=file, field=name, mend=f"Call it age_{last}_{first}")
        if first != expected:
            what = "overlaps the band before it" if first < expected else "leaves a hole before it"
            msg = f"{name} {what} (age {expected} was next)"
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
        wanted = [columns] if isinstance(columns, str) else list(columns)
        need_columns(frame, wanted, file)
    # Residents are read anyway.
    return sorted(
        {name for name in wanted if name not in _NOT_WEIGHTS and not _AGE.fullmatch(name)}
    )


def _is_count(values: pd.Series[Any]) -> bool:
    kind = pd.api.types
    return kind.is_numeric_dtype(values) and not kind.is_bool_dtype(values)


def areas_at(areas: AreaTable, xy: NDArray[np.float64]) -> NDArray[np.object_]:
    """Id of the area around each place, (place,): by polygon, else the nearest point."""
    from scipy.spatial import cKDTree

    nearest = cKDTree(areas.xy).query(xy)[1]
    if areas.polygons is not None:
        import shapely

        tree = shapely.STRtree(areas.polygons)
        place, area = tree.query(shapely.points(xy), predicate="intersects")
        # Backwards, so that the first area in id order wins a place on a border.
        order = np.lexsort((-area, place))
        nearest[place[order]] = area[order]
    found: NDArray[np.object_] = areas.ids[nearest]
    return found
