"""Tables of places as users have them, in a city's coordinate system, and the area of each."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq._inside import area_around, polygons_of
from spineq.data._tables import (
    existing_path,
    located,
    read_table,
    refuse_degrees,
    usual_places,
)
from spineq.errors import DataError, NotANumberError, SpineqWarning, shown
from spineq.model._checks import crs_of, distinct_texts, need_columns, need_table
from spineq.model._contract import coordinates

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from spineq.model.city import City


#: How far around the box of a city without polygons places still belong to it, metres.
AROUND = 5_000.0


def placed(
    city: City,
    given: str | Path | pd.DataFrame,
    part: str,
    crs: object,
    text: Iterable[str | None] = (),
) -> tuple[pd.DataFrame, NDArray[np.float64], Path | None]:
    """Read a table of places, and where they are in the city's coordinate system.

    Parameters
    ----------
    city
        Whose coordinate system a table is in that carries none.
    given
        A file, or a table: with ``x`` and ``y``, with coordinates as public tables call them
        (see `spineq.data._tables.usual_places`), or with geometry (of a polygon a point inside
        it is taken).
    part
        What the table is of, as for `spineq.data.files.read_table`.
    crs
        Coordinate reference system of a table that carries none; None for the city's own.
    text
        Columns of ids that the user names, which stay as a CSV file writes them.

    Returns
    -------
    tuple
        The table as it was given; places, (row, 2), metres in the city's system; the file.

    Raises
    ------
    DataError
        The file cannot be read, a row has no place, or the coordinate system is none.
    """
    if isinstance(given, pd.DataFrame):
        table, file = given, None
    else:
        file = existing_path(given)
        table = read_table(file, part, text)
    need_table(table, file)
    need_columns(table.rename(columns=str), [], file)
    if len(table) == 0:
        msg = "there is not a single row"
        raise DataError(msg, file=file, mend="Give at least one place")
    places, crs, _ = usual_places(table, crs, file)
    if crs is None and crs_of(table) is None:
        crs = city.crs
    # Whatever file the table is from, messages are to name it.
    moved = located(places, crs, file)  # type: ignore[arg-type]
    if moved.crs != city.crs:
        # As in City: x and y are in the old system, the geometry then holds the right numbers.
        moved = moved.to_crs(city.crs).drop(columns=["x", "y"], errors="ignore")
    xy = coordinates(moved, None, file, inner_point=True)
    bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if len(bad):
        msg = f"the place has no coordinates in {city.crs.to_string()}"
        mend = "Check the table's coordinate reference system"
        raise NotANumberError(msg, file=file, row=int(bad[0]) + 1, field="geometry", mend=mend)
    refuse_degrees(xy, city.crs, file)
    return table, xy, file


def areas_holding(city: City, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position of the area whose polygon holds each place, (place,); -1 outside of all.

    On a border it is the first area by id. Polygons that are not valid are mended for the
    question alone.

    Parameters
    ----------
    city
        With polygons.
    xy
        Places, (place, 2), metres in the city's coordinate system.

    Raises
    ------
    DataError
        The city has no polygons.
    """
    polygons = polygons_of(city)
    if polygons is None:
        msg = "the city has no polygons that could say which area a point lies in"
        mend = "Give the points a column area_id, or read the city from a file of polygons"
        raise DataError(msg, field="area_id", mend=mend)
    return area_around(polygons, xy)


def areas_nearest(city: City, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position of the area with the nearest point, (place,); -1 far away from all of them.

    Where there are no polygons to say what is outside: a list of a whole region would otherwise
    end in the areas at the city's edge.

    Parameters
    ----------
    city
        The city.
    xy
        Places, (place, 2), metres in the city's coordinate system.
    """
    made = areas_named(city, pd.Series(city.areas_at(xy)), None)
    everywhere = np.column_stack([city.dataset["x"].to_numpy(), city.dataset["y"].to_numpy()])
    low, high = everywhere.min(axis=0) - AROUND, everywhere.max(axis=0) + AROUND
    made[~((xy >= low) & (xy <= high)).all(axis=1)] = -1
    return made


def areas_named(city: City, names: pd.Series[Any], file: object) -> NDArray[np.int64]:
    """Position of the area that each row names, (row,); -1 for one that is not in the city.

    Raises
    ------
    UnreadableFileError
        A name that is neither text nor a number.
    """
    texts, codes = distinct_texts(names, file)
    known = pd.Index(city.dataset["area"].to_numpy(), dtype=object)
    found: NDArray[np.int64] = known.get_indexer(pd.Index(texts, dtype=object))[codes]
    return found


def warn_of_outside(
    area: NDArray[np.int64],
    what: str,
    first: object,
    file: object,
    stacklevel: int,
    idle: int = 0,
) -> None:
    """Warn that places lie outside of all areas, or that ``idle`` weigh 0, and are left out.

    Raises
    ------
    DataError
        Not a single one lies inside: then something is wrong with all of them.
    """
    outside = int((area < 0).sum())
    if outside == len(area):
        msg = f"not a single one of {outside:,} {what} lies in an area of the city"
        if outside == 1:
            msg = f"the only {what.removesuffix('s')} lies in no area of the city"
        mend = "Check the coordinate reference system, and the ids of the areas"
        raise DataError(msg, file=file, mend=mend)
    said = []
    if outside:
        does = "lie outside of all areas and are left out, the first of them"
        if outside == 1:
            does = "lies outside of all areas and is left out, that"
        said.append(f"{outside:,} of {len(area):,} {what} {does} {first}")
    if idle:
        does = "weighs 0 and is left out" if idle == 1 else "weigh 0 and are left out"
        said.append(f"{idle:,} of {len(area):,} {what} {does}")
    if said:
        where = "" if file is None else f"{file}: "
        warnings.warn(f"{where}{'; '.join(said)}.", SpineqWarning, stacklevel=stacklevel)


def first_outside(
    area: NDArray[np.int64], xy: NDArray[np.float64], names: pd.Series[Any] | None
) -> str:
    """Name the first place that lies outside, by its row, and what it names or where it is."""
    outside = np.flatnonzero(area < 0)
    if len(outside) == 0:
        return ""
    row = int(outside[0])
    if names is not None:
        return f"in row {row + 1} ({shown(names.iloc[row])})"
    return f"in row {row + 1} (at {xy[row, 0]:.0f}, {xy[row, 1]:.0f})"


def table_of_points(
    city: City, area: NDArray[np.int64], xy: NDArray[np.float64], **columns: NDArray[Any]
) -> gpd.GeoDataFrame:
    """Table of demand points in the city's system, sorted by area and place.

    Parameters
    ----------
    city
        Whose points they are.
    area
        Position of each point's area, (point,).
    xy
        Places, (point, 2), metres.
    **columns
        Further columns, (point,) each.
    """
    import geopandas as gpd

    order = np.lexsort((xy[:, 1], xy[:, 0], area))
    ids = city.dataset["area"].to_numpy()[area[order]]
    return gpd.GeoDataFrame(
        {"area_id": ids} | {name: values[order] for name, values in columns.items()},
        geometry=gpd.points_from_xy(xy[order, 0], xy[order, 1]),
        crs=city.crs,
    )
