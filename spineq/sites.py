"""Where sensors may stand: a grid, a file, what OpenStreetMap knows; brought to streets or lines.

Each function returns a table for `City.with_sites`, in the city's coordinate reference system, to
be looked at and written first. Sites need not be areas: there may be more of them, or fewer.
Each site belongs to the area whose polygon it lies in; outside all polygons, and in a city
without them, to the area with the nearest point.

>>> import spineq as sq
>>> city = sq.demo_city()
>>> lamps = sq.sites.from_osm(city, {"highway": "street_lamp"}, "bay.osm.pbf")  # doctest: +SKIP
>>> city = city.with_sites(lamps)  # doctest: +SKIP
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq import _osm
from spineq._inside import area_around, areas_of, moved, points_at, polygons_of
from spineq.data import _tables
from spineq.data._tables import existing_path, located, read_table
from spineq.errors import DataError, SpineqWarning, UnreadableFileError, shown
from spineq.model._checks import crs_of, geometry_of, identifiers, need_columns, need_table
from spineq.model._contract import coordinates

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from spineq.model.city import City

__all__ = ["from_file", "from_osm", "grid", "snap"]

#: More sites than this are refused: no solver would end.
MOST_SITES = 2_000_000


def grid(city: City, spacing: float) -> gpd.GeoDataFrame:
    """Sites on a square grid inside the city's polygons.

    The grid's lines lie at whole multiples of the spacing in the city's coordinate reference
    system, so that a larger city around has the same sites and more.

    Parameters
    ----------
    city
        A city with polygons.
    spacing
        Distance between neighbours, metres, above 0.

    Returns
    -------
    GeoDataFrame
        ``site_id`` (``g<column>-<row>``, counted in spacings from the system's origin),
        ``area_id``, and points; south to north within west to east. A place on the border of
        several areas belongs to the first by id.

    Raises
    ------
    DataError
        The spacing is out of its range, the city has no polygons, or no place of the grid is in
        any of them.
    """
    import geopandas as gpd
    import shapely

    right = isinstance(spacing, (int, float, np.integer, np.floating))
    if not right or isinstance(spacing, bool) or not (math.isfinite(spacing) and spacing > 0):
        msg = f"spacing must be metres above 0, not {shown(spacing)}"
        raise DataError(msg, field="spacing", mend="Say for example spacing=100")
    polygons = polygons_of(city)
    if polygons is None:
        msg = "the city has no polygons to lay a grid over"
        raise DataError(msg, mend="Read it from a file of polygons")
    bounds = shapely.bounds(polygons)
    # Of each polygon's own box: between parts of a city far away there is nothing to look at.
    with np.errstate(over="ignore", invalid="ignore"):
        first, last = np.ceil(bounds[:, :2] / spacing), np.floor(bounds[:, 2:] / spacing)
        sides = np.maximum(last - first + 1, 0)
        sides[np.isnan(bounds).any(axis=1)] = 0  # an empty polygon
        places = np.prod(sides, axis=1).sum()
    mend = "Give a wider spacing"
    # Of the smallest spacings there are more than a number can say.
    if not places <= 20 * MOST_SITES:
        msg = f"a grid of {spacing:g} m over the city has too many places"
        raise DataError(msg, field="spacing", mend=mend)
    if places > 2 * MOST_SITES:
        # By area, before gigabytes are filled with what is then refused.
        about = shapely.area(shapely.union_all(polygons)) / float(spacing) ** 2
        if about > 2 * MOST_SITES:
            msg = f"about {about:,.0f} sites are more than the {MOST_SITES:,} that are taken"
            raise DataError(msg, field="spacing", mend=mend)
    number = _candidates(first, sides)
    xy = np.asarray(number * float(spacing), dtype=np.float64)
    area = area_around(polygons, xy)
    inside = area >= 0
    if not inside.any():
        msg = f"no place of a grid of {spacing:g} m lies in any polygon"
        raise DataError(msg, field="spacing", mend="Give a narrower spacing")
    number, xy, area = number[inside], xy[inside], area[inside]
    _need_fewer(len(xy), mend)
    return gpd.GeoDataFrame(
        {
            "site_id": [f"g{column}-{row}" for column, row in number.tolist()],
            "area_id": city.dataset["area"].to_numpy()[area],
        },
        geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]),
        crs=city.crs,
    )


def _candidates(first: NDArray[np.float64], sides: NDArray[np.float64]) -> NDArray[np.int64]:
    """Column and row of each place of a grid in any box, sorted, from each box's first and many."""
    made = [np.empty((0, 2), dtype=np.int64)]
    for box in np.flatnonzero(sides.prod(axis=1) > 0):
        (column, row), (across, along) = first[box].astype(np.int64), sides[box].astype(np.int64)
        columns, rows = column + np.arange(across), row + np.arange(along)
        made.append(np.column_stack([np.repeat(columns, along), np.tile(rows, across)]))
    number = np.concatenate(made)
    number = number[np.lexsort((number[:, 1], number[:, 0]))]
    fresh = np.ones(len(number), dtype=np.bool_)
    fresh[1:] = (np.diff(number, axis=0) != 0).any(axis=1)
    return number[fresh]


def from_file(
    city: City,
    file: str | Path,
    id: str | None = None,
    columns: Sequence[str] | None = None,
    *,
    crs: object = None,
) -> gpd.GeoDataFrame:
    """Sites from a file of places.

    Parameters
    ----------
    city
        The city that they are for.
    file
        GeoPackage, GeoJSON, shapefile, GeoParquet, or CSV. Lines and polygons (a school's
        grounds) count as a place on or inside them. Coordinates in columns are ``x`` and ``y``;
        without these ``easting`` and ``northing``, ``oseast1m`` and ``osnrth1m`` (EPSG:27700),
        or ``longitude`` and ``latitude`` (or ``long``, ``lon``, ``lat``; EPSG:4326).
    id
        Column of their ids; by default ``site_id`` or ``id``. Where there is none, they are
        numbered by place.
    columns
        Further columns to keep, such as a price or a ward; None keeps every one that holds
        numbers or texts.
    crs
        Coordinate reference system of a file that carries none; by default that which the names
        of its coordinates mean, else the city's.

    Returns
    -------
    GeoDataFrame
        ``site_id`` (where there are ids), ``area_id``, the further columns, and points, in the
        file's order. An ``area_id`` that the file gives is kept.

    Raises
    ------
    DataError
        One of its kinds: the file cannot be read, a column or a place is missing, an id stands
        there twice.

    Warns
    -----
    SpineqWarning
        Not one of the sites is near the city.
    """
    import geopandas as gpd

    path = existing_path(file)
    frame = read_table(path, "sites", (id,)).rename(columns=str)
    need_columns(frame, [], path)
    names = [id] if id is not None else [n for n in ("site_id", "id") if n in frame.columns][:1]
    need_columns(frame, [*names, *(columns or [])], path)
    if len(frame) == 0:
        msg = "there is not a single site"
        raise DataError(msg, file=path, mend="Give at least one place where a sensor may stand")
    _need_fewer(len(frame), "Give those alone that may be chosen")
    ids = identifiers(frame[names[0]], names[0], path) if names else None
    carried = crs_of(frame)
    places, crs, their_xy = _tables.usual_places(frame, crs, path)
    given = crs if crs is not None or carried is not None else city.crs
    there = located(places, given, path, ids)
    xy = moved(there, coordinates(there, ids, path, inner_point=True), city.crs)
    _tables.refuse_degrees(xy, city.crs, path)
    made: dict[str, Any] = {} if ids is None else {"site_id": ids}
    if "area_id" in frame.columns:
        made["area_id"] = frame["area_id"].to_numpy()
    else:
        made["area_id"] = areas_of(city, xy)
    reserved = {*names, "site_id", "id", "area_id", "x", "y", *their_xy, _geometry_name(frame)}
    for name in columns if columns is not None else frame.columns:
        if name not in reserved and (columns is not None or _holds_values(frame[name])):
            made[name] = frame[name].to_numpy()
    _warn_if_elsewhere(city, xy, path)
    return gpd.GeoDataFrame(made, geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=city.crs)


def from_osm(
    city: City, tags: _osm.Tags, file: str | Path | None = None, *, outside: float = 0.0
) -> gpd.GeoDataFrame:
    """Sites from OpenStreetMap: lamp posts, schools, hospitals.

    Parameters
    ----------
    city
        The city that they are for.
    tags
        What to look for, such as ``{"highway": "street_lamp"}`` or ``{"amenity": ["school",
        "hospital"]}``; True stands for any value.
    file
        Path of an extract (``.osm``, ``.osm.pbf``), or of a table of features (GeoPackage,
        GeoJSON, shapefile, GeoParquet) with the tags as columns or in one column ``tags``; the
        name of a place; or None for what OpenStreetMap has in the city's surroundings. The last
        two ask its services through osmnx (extra ``osm``), which was tried against a stand-in.
    outside
        How far outside the areas' polygons a site may lie, metres. Where the city has no
        polygons, how far outside the box around its points.

    Returns
    -------
    GeoDataFrame
        ``site_id`` (kind and number in OpenStreetMap, ``n1``), ``area_id``, a column for each
        tag (text, None where missing), and points; a building counts as a place inside it.
        Sorted by id. To be shown with "© OpenStreetMap contributors, ODbL".

    Raises
    ------
    DataError
        One of its kinds: tags or file are not what they should be, nothing was found.
    MissingExtraError
        There is no file, and osmnx is not installed.
    """
    import geopandas as gpd
    import shapely

    right = isinstance(outside, (int, float, np.integer, np.floating))
    if not right or isinstance(outside, bool) or not (math.isfinite(outside) and outside >= 0):
        msg = f"outside must be metres of 0 or more, not {shown(outside)}"
        raise DataError(msg, field="outside", mend="Say for example outside=100")
    polygons = polygons_of(city)
    corners = city.point_xy if polygons is None else shapely.bounds(polygons).reshape(-1, 2)
    west, south = np.nanmin(corners, axis=0) - outside
    east, north = np.nanmax(corners, axis=0) + outside
    found = _osm.features(file, tags, city.crs, (west, south, east, north))
    xy = shapely.get_coordinates(shapely.point_on_surface(found.geometry.to_numpy()))
    keep = (xy >= [west, south]).all(axis=1) & (xy <= [east, north]).all(axis=1)
    if polygons is not None and outside == 0:
        keep &= area_around(polygons, xy) >= 0
    elif polygons is not None:
        tree = shapely.STRtree(polygons)
        near = np.zeros(len(xy), dtype=bool)
        near[tree.query(points_at(xy), predicate="dwithin", distance=outside)[0]] = True
        keep &= near
    # A way that is cut at the extract's border, or a layer that has a feature twice.
    keep &= ~found["osm_id"].duplicated().to_numpy()
    if not keep.any():
        msg = f"nothing with {shown(dict(tags))} lies in the city"
        raise DataError(
            msg, file=file, field="tags", mend="Check the tags, and that it covers the city"
        )
    found, xy = found[keep].reset_index(drop=True), xy[keep]
    _need_fewer(len(xy), "Look for fewer tags")
    tagged = {key: found[key].to_numpy() for key in _osm.need_tags(tags)}
    return gpd.GeoDataFrame(
        {"site_id": found["osm_id"].to_numpy(), "area_id": areas_of(city, xy), **tagged},
        geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]),
        crs=city.crs,
    )


def snap(sites: pd.DataFrame, to: Any, limit: float | None = None) -> gpd.GeoDataFrame:
    """Bring sites to the nearest place on lines, or to the nearest of some points.

    Parameters
    ----------
    sites
        Table of sites with points, in metres, as the other functions return it; or with ``x``
        and ``y``, then taken to be in the system of a table ``to``.
    to
        A table of points (lamp posts that are there), of lines (kerbs); the path of such a file;
        or a street network, anything that `spineq.travel.from_streets` takes. Several sites may
        come to the same place.
    limit
        Sites that are farther from it are left out, metres; None leaves out none.

    Returns
    -------
    GeoDataFrame
        The sites at their new places, with ``snap_distance`` in metres beside what they had.
        An ``area_id`` stays as it was.

    Raises
    ------
    DataError
        One of its kinds: what is given is no table of points or network, counts in degrees, or
        no site is within the limit.

    Warns
    -----
    SpineqWarning
        Sites were left out, being farther than the limit.
    """
    import geopandas as gpd

    need_table(sites, None)
    right = isinstance(limit, (int, float, np.integer, np.floating)) and not isinstance(limit, bool)
    if limit is not None and not (right and limit >= 0):
        msg = f"limit must be metres of 0 or more, or None, not {shown(limit)}"
        raise DataError(msg, field="limit", mend="Say for example limit=50")
    xy = coordinates(sites, None, None)
    if len(xy) == 0:
        msg = "there is not a single site to be moved"
        raise DataError(msg, field="sites", mend="Give at least one")
    there, crs = _nearest(xy, crs_of(sites), to)
    distance = np.hypot(*(there - xy).T)
    kept = pd.DataFrame(sites).drop(columns=["x", "y", _geometry_name(sites)], errors="ignore")
    made = gpd.GeoDataFrame(
        kept.assign(snap_distance=distance),
        geometry=gpd.points_from_xy(there[:, 0], there[:, 1]),
        crs=crs,
    )
    if limit is None or (distance <= limit).all():
        return made
    far = distance > limit
    if far.all():
        msg = f"no site is within {limit:g} m; the nearest is {distance.min():,.0f} m away"
        raise DataError(msg, field="limit", mend="Give a larger limit, or check both tables' crs")
    msg = (
        f"{far.sum():,} of {len(far):,} sites are farther than {limit:g} m (up to "
        f"{distance.max():,.0f} m) and were left out."
    )
    warnings.warn(msg, SpineqWarning, stacklevel=2)
    return made[~far].reset_index(drop=True)


def _nearest(xy: NDArray[np.float64], crs: Any, to: Any) -> tuple[NDArray[np.float64], Any]:
    """Nearest place of each site, (site, 2), and the system that it is in."""
    from scipy.spatial import cKDTree

    from spineq.model._checks import need_metres
    from spineq.travel.network import Streets
    from spineq.travel.snapping import snap_to_streets
    from spineq.travel.sources import read_streets

    frame, file = to, None
    if isinstance(to, (str, Path)) and _osm.is_file(to):
        file = existing_path(to)
        if not _osm.is_extract(file) and file.suffix.lower() != ".graphml":
            frame = read_table(file, "sites")
    theirs = crs_of(frame) if isinstance(frame, pd.DataFrame) else None
    if isinstance(to, Streets):
        theirs = to.crs
    system = crs if crs is not None else theirs
    if system is None:
        msg = "neither the sites nor what they are brought to carry a coordinate reference system"
        raise UnreadableFileError(msg, file=file, mend="Give a GeoDataFrame with a crs")
    need_metres(system, xy, file)
    if isinstance(frame, pd.DataFrame) and not _is_lines(frame):
        points = coordinates(frame, None, file)
        if theirs is not None and theirs != system:
            points = moved(frame, points, system)
        if len(points) == 0:
            msg = "there is not a single point to bring sites to"
            raise DataError(msg, file=file, field="to", mend="Give at least one")
        # By place, so that of equally near points the order of rows decides nothing.
        points = points[np.lexsort((points[:, 1], points[:, 0]))]
        return points[cKDTree(points).query(xy)[1]], system
    everywhere = (-math.inf, -math.inf, math.inf, math.inf)
    if to is None or file is not None or isinstance(to, str):
        west, south = xy.min(axis=0) - 1000.0
        everywhere = (west, south, *(xy.max(axis=0) + 1000.0))
    source = frame if isinstance(frame, pd.DataFrame) else to
    return snap_to_streets(read_streets(source, system, everywhere), xy).xy, system


def _is_lines(frame: pd.DataFrame) -> bool:
    geometry = geometry_of(frame)
    return geometry is not None and bool(geometry.geom_type.str.contains("Line").any())


def _geometry_name(frame: pd.DataFrame) -> str:
    return str(getattr(frame, "active_geometry_name", None) or "geometry")


def _holds_values(values: pd.Series[Any]) -> bool:
    kind = pd.api.types
    text = isinstance(values.dtype, pd.StringDtype) or (
        kind.is_object_dtype(values) and values.map(lambda v: v is None or isinstance(v, str)).all()
    )
    return bool(text or (kind.is_numeric_dtype(values) and not kind.is_complex_dtype(values)))


def _need_fewer(n: int, mend: str) -> None:
    if n > MOST_SITES:
        msg = f"{n:,} sites are more than the {MOST_SITES:,} that are taken"
        raise DataError(msg, mend=mend)


def _warn_if_elsewhere(city: City, xy: NDArray[np.float64], file: Path) -> None:
    low, high = city.point_xy.min(axis=0) - 5_000.0, city.point_xy.max(axis=0) + 5_000.0
    if not ((xy >= low) & (xy <= high)).all(axis=1).any():
        msg = (
            f"{file}: not one of the {len(xy):,} sites is within 5 km of the city. Check their "
            "coordinate reference system (crs)."
        )
        warnings.warn(msg, SpineqWarning, stacklevel=3)
