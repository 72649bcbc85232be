"""People at points of the user's own: buildings, postcodes, cells of a grid."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from spineq.demand._placing import (
    areas_holding,
    areas_named,
    areas_nearest,
    first_outside,
    placed,
    table_of_points,
    warn_of_outside,
)
from spineq.errors import SpineqWarning, ZeroWeightError
from spineq.model._checks import identifiers, need_columns, numbers

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from spineq.model.city import City


def from_points(
    city: City,
    points: str | Path | pd.DataFrame,
    weight: str | None = None,
    *,
    area: str = "area_id",
    crs: object = None,
    id: str | None = None,
) -> gpd.GeoDataFrame:
    """Put each area's people at points of the user's own, in proportion to a weight.

    Each point belongs to the area that its column names or, without that column, to the area
    whose polygon holds it. Only proportions within an area count: how many people there are is
    the city's to say. Areas without any point keep the points that they have.

    Parameters
    ----------
    city
        Areas with their people.
    points
        A file (GeoParquet, GeoPackage, GeoJSON, shapefile, CSV) or a table, one row per
        building, postcode or cell. Of a polygon a point inside it is taken. Coordinates in
        columns are ``x`` and ``y``; without these ``easting`` and ``northing``, ``oseast1m`` and
        ``osnrth1m`` (EPSG:27700), or ``longitude`` and ``latitude`` (or ``long``, ``lon``,
        ``lat``; EPSG:4326), in small letters or large ones.
    weight
        Column with what each point weighs, 0 or more: people, dwellings, floor space. None
        takes the column ``weight`` where there is one; else every point of an area weighs the
        same.
    area
        Column that names each point's area, such as ``"oa21cd"``.
    crs
        Coordinate reference system of points that carry none; None for that which the names of
        their coordinates mean, else the city's own.
    id
        Column of the points' ids, such as ``"pcds"``; None for ``point_id``, where there is one.

    Returns
    -------
    GeoDataFrame
        For `City.with_demand`: ``area_id``, ``weight``, points in the city's system, and
        ``point_id`` where the points have one.

    Raises
    ------
    DataError
        The file cannot be read, there is no such column, a weight is no number, the city has
        no polygons and the points no column of areas, or not a single point lies in an area.

    Warns
    -----
    SpineqWarning
        Points outside of all areas, of areas that are not in the city, or that weigh 0, are
        left out; areas without any point keep their own.
    """
    read = _read(city, points, weight, area, crs, id, ("point_id",), nearest=False)
    warn_of_missing(city, read.area, 3)
    return with_own_points(city, read.area, read.xy, read.weights, read.ids)


def group_points(
    city: City,
    points: str | Path | pd.DataFrame,
    weight: str | None = None,
    *,
    area: str = "area_id",
    crs: object = None,
    id: str | None = None,
) -> gpd.GeoDataFrame:
    """Read points that matter by themselves: schools, hospitals, road junctions.

    Each point is counted in the area that its column names or, without that column, in the
    area whose polygon holds it; in a city without polygons in the one with the nearest point,
    up to 5 km around the box of all.

    Parameters
    ----------
    city, points, weight, area, crs, id
        As for `from_points`; such an id is a school's ``"URN"``.

    Returns
    -------
    GeoDataFrame
        For `City.with_group_points`: ``area_id``, ``weight``, points in the city's system, and
        ``point_id`` where the points have ids, by default in ``point_id`` or ``id``.

    Raises
    ------
    DataError
        The file cannot be read, there is no such column, a weight is no number, or not a
        single point that weighs something lies in an area.

    Warns
    -----
    SpineqWarning
        Points outside of all areas, of areas that are not in the city, or that weigh 0, are
        left out.
    """
    read = _read(city, points, weight, area, crs, id, ("point_id", "id"), nearest=True)
    more = {} if read.ids is None else {"point_id": read.ids}
    return table_of_points(city, read.area, read.xy, **more, weight=read.weights)


class _Read(NamedTuple):
    """Points that lie in an area and weigh something."""

    area: NDArray[np.int64]  # (point,) position of the area
    xy: NDArray[np.float64]  # (point, 2) metres in the city's system
    weights: NDArray[np.float64]  # (point,) above 0
    ids: NDArray[np.object_] | None  # (point,)


def _read(
    city: City,
    points: str | Path | pd.DataFrame,
    weight: str | None,
    area: str,
    crs: object,
    id: str | None,
    named_by: tuple[str, ...],
    *,
    nearest: bool,
) -> _Read:
    """Read the points of a file or table; see `from_points` and `group_points`."""
    table, xy, file = placed(city, points, "points", crs, (area, id))
    table = table.rename(columns=str)
    column = next((name for name in named_by if name in table.columns), None) if id is None else id
    need_columns(table, [] if id is None else [id], file)
    ids = None if column is None else identifiers(table[column], column, file)
    weights = _weights(table, weight, ids, file)
    named = table[area] if area in table.columns else None
    if named is None and area != "area_id":
        need_columns(table, [area], file)
    if named is not None:
        found = areas_named(city, named, file)
    elif nearest and city.polygons is None:
        found = areas_nearest(city, xy)
    else:
        found = areas_holding(city, xy)
    kept = (found >= 0) & (weights > 0.0)
    idle = int((found >= 0).sum() - kept.sum())
    first = first_outside(found, xy, named)
    warn_of_outside(found, "points", first, file, 4, idle if kept.any() else 0)
    if not kept.any():
        msg = "no point within the city weighs more than 0"
        mend = "Name another column, or none, so that all points weigh the same"
        raise ZeroWeightError(msg, file=file, field=weight or "weight", mend=mend)
    return _Read(found[kept], xy[kept], weights[kept], None if ids is None else ids[kept])


def _weights(
    table: pd.DataFrame, weight: str | None, ids: NDArray[np.object_] | None, file: Path | None
) -> NDArray[np.float64]:
    if weight is None and "weight" not in table.columns:
        return np.ones(len(table))
    column = "weight" if weight is None else weight
    need_columns(table, [column], file)
    return numbers(table[column], ids, column, file, mend="Write 0 where nobody is")


def warn_of_missing(city: City, area: NDArray[np.int64], stacklevel: int) -> None:
    """Warn that areas have none of the points, (point,) positions of areas, and keep their own."""
    missing = city.n_areas - len(np.unique(area))
    if missing:
        first = np.setdiff1d(np.arange(city.n_areas), area)[0]
        name = city.dataset["area"].to_numpy()[first]
        warnings.warn(
            f"{missing:,} of {city.n_areas:,} areas have none of the points and keep the points "
            f"that they have, the first of them {name}.",
            SpineqWarning,
            stacklevel=stacklevel,
        )


def with_own_points(
    city: City,
    area: NDArray[np.int64],
    xy: NDArray[np.float64],
    weights: NDArray[np.float64],
    ids: NDArray[np.object_] | None = None,
) -> gpd.GeoDataFrame:
    """Table of points, and of the points that the city has in areas without any of them.

    Parameters
    ----------
    city
        Whose areas they are.
    area
        Position of each point's area, (point,).
    xy
        Places, (point, 2), metres in the city's system.
    weights
        Above 0, (point,); only proportions within an area count.
    ids
        Ids of the points, (point,), where they have any.
    """
    own = np.flatnonzero(~np.isin(city.point_area, area) & (city.point_share > 0.0))
    more: dict[str, NDArray[Any]] = {}
    if ids is not None:
        more["point_id"] = np.concatenate([ids, city.points.index.to_numpy()[own]])
    more["weight"] = np.concatenate([weights, city.point_share[own]])
    return table_of_points(
        city,
        np.concatenate([area, city.point_area[own]]),
        np.concatenate([xy, city.point_xy[own]]),
        **more,
    )
