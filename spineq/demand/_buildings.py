"""People in the buildings of OpenStreetMap."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq.demand._placing import areas_holding
from spineq.demand._points import warn_of_missing, with_own_points
from spineq.errors import DataError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Values of ``building`` that say that people live there.
HOMES = frozenset(
    {
        "annexe", "apartments", "bungalow", "cabin", "detached", "dormitory", "farm", "ger",
        "house", "houseboat", "residential", "semidetached_house", "static_caravan",
        "stilt_house", "terrace", "tree_house", "trullo",
    }
)  # fmt: skip

#: Those with one level unless they say otherwise.
LOW = frozenset({"bungalow", "cabin", "ger", "houseboat", "static_caravan", "tree_house"})

#: Values of ``building`` where nobody lives or works.
NOBODY = frozenset(
    {
        "allotment_house", "barn", "bunker", "bridge", "carport", "collapsed", "construction",
        "container", "cowshed", "demolished", "farm_auxiliary", "garage", "garages", "greenhouse",
        "hut", "no", "parking", "roof", "ruins", "service", "shed", "silo", "slurry_tank",
        "stable", "storage_tank", "sty", "tank", "tent", "toilets", "transformer_tower", "wall",
        "water_tower",
    }
)  # fmt: skip

#: Keys that say what a building is used for where ``building`` does not.
USES = ("amenity", "craft", "industrial", "leisure", "man_made", "office", "power", "shop",
        "tourism")  # fmt: skip

#: Levels of a building that says neither levels nor height, and metres of a level.
_LEVELS, _METRES = 2.0, 3.0

#: More levels, and metres of height, no building has: a slip would draw all people to itself.
_MOST_LEVELS, _MOST_METRES = 200.0, 1000.0

#: Share of the floor space of possible homes from which those that are named stand for all.
_ENOUGH = 0.5

_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)")


def from_osm(city: City, source: str | Path | None = None) -> gpd.GeoDataFrame:
    """Put each area's people into its buildings, in proportion to their floor space.

    A building's floor space is its footprint times its levels: ``building:levels``, else its
    ``height`` by 3 m, else 1 for a bungalow and the like and 2 for any other. Where levels are
    above 200, or the height above 1,000 m, they are taken for a slip and not used. Homes come
    first.
    In each area people are in the buildings that are tagged as homes (``house``,
    ``apartments``, ...); where these have less than half of the floor space of homes and of
    buildings without a word on their use (``building=yes``) together, in both; where there are
    neither, in any building but garages, sheds and the like. An area without buildings keeps
    the points that it has.

    This is about where people live. An area's workers stand at the same points; to place them
    by offices and shops, use `from_points` and a city of its own.

    Parameters
    ----------
    city
        A city with polygons.
    source
        An extract (``.osm``, ``.osm.pbf``) or a table of buildings with their tags
        (GeoPackage, GeoJSON, GeoParquet, shapefile); the name of a place; or None to ask
        OpenStreetMap for what lies within the city's bounds.

    Returns
    -------
    GeoDataFrame
        For `City.with_demand`: ``area_id``, ``weight`` (square metres of floor), points inside
        the buildings in the city's system. Where it is shown, name "© OpenStreetMap
        contributors".

    Raises
    ------
    DataError
        The city has no polygons, the file cannot be read, or no building lies in an area.
    MissingExtraError
        There is no file, and osmnx is not installed.

    Warns
    -----
    SpineqWarning
        Areas without any building keep their own points.
    """
    from spineq._osm import features

    polygons = city.polygons
    if polygons is None:
        msg = "the city has no polygons that could say which area a building lies in"
        raise DataError(msg, field="area_id", mend="Read it from a file of polygons")
    west, south, east, north = (float(end) for end in polygons.total_bounds)
    also = ("building:levels", "height", *USES)
    found = features(source, {"building": True}, city.crs, (west, south, east, north), also)
    found = found[found.geom_type.isin(["Polygon", "MultiPolygon"])]
    # A building that an extract, or several put together, has twice is one; cut pieces stay.
    found = found[~found.assign(shape=found.geometry.to_wkb())[["osm_id", "shape"]].duplicated()]
    inside = found.geometry.representative_point()
    xy = np.column_stack([inside.x.to_numpy(), inside.y.to_numpy()])
    area = areas_holding(city, xy) if len(xy) else np.empty(0, dtype=np.int64)
    floor = floor_space(found)
    kept = (area >= 0) & (floor > 0.0)
    area, xy, floor, kind = area[kept], xy[kept], floor[kept], kinds(found)[kept]
    lived_in = _lived_in(area, floor, kind, city.n_areas)
    if not lived_in.any():
        msg = "no building in which somebody may be lies in an area of the city"
        mend = "Check that the extract is of this place, and holds its buildings"
        raise DataError(msg, file=source, mend=mend)
    warn_of_missing(city, area[lived_in], 3)
    return with_own_points(city, area[lived_in], xy[lived_in], floor[lived_in])


def floor_space(buildings: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Footprint times levels, (building,), square metres."""
    kind = _tag(buildings, "building")
    levels = _numbers_of(_tag(buildings, "building:levels"), _MOST_LEVELS)
    by_height = np.maximum(_numbers_of(_tag(buildings, "height"), _MOST_METRES) / _METRES, 1.0)
    usual = np.where(kind.isin(LOW), 1.0, _LEVELS)
    levels = np.where(levels > 0.0, levels, np.where(np.isnan(by_height), usual, by_height))
    footprint: NDArray[np.float64] = buildings.geometry.area.to_numpy()
    return footprint * levels


def kinds(buildings: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """How likely people live in each building, (building,).

    0 for a home, 1 for no word on its use, 2 for another use, 3 for where nobody is.
    """
    kind = _tag(buildings, "building")
    used = np.zeros(len(buildings), dtype=np.bool_)
    for key in USES:
        used |= (_tag(buildings, key) != "").to_numpy()
    made = np.where((kind == "yes").to_numpy() & ~used, 1, 2)
    made[kind.isin(HOMES).to_numpy()] = 0
    made[kind.isin(NOBODY).to_numpy() | (kind == "").to_numpy()] = 3
    return made.astype(np.int64)


def _lived_in(
    area: NDArray[np.int64],
    floor: NDArray[np.float64],
    kind: NDArray[np.int64],
    n_areas: int,
) -> NDArray[np.bool_]:
    """Whether people of its area are in each building, (building,)."""
    homes, unknown = (
        np.bincount(area[kind == k], weights=floor[kind == k], minlength=n_areas) for k in (0, 1)
    )
    deepest = np.where(homes >= _ENOUGH * (homes + unknown), 0, 1)
    deepest[homes + unknown == 0.0] = 2
    lived_in: NDArray[np.bool_] = kind <= deepest[area]
    return lived_in


def _tag(buildings: gpd.GeoDataFrame, key: str) -> pd.Series[str]:
    """Values of a tag in small letters; empty where a building has none."""
    if key not in buildings.columns:
        return pd.Series("", index=buildings.index, dtype=object)
    values = buildings[key]
    made: pd.Series[str] = values.where(values.notna(), "").astype(str).str.strip().str.lower()
    return made


def _numbers_of(texts: pd.Series[str], most: float) -> NDArray[np.float64]:
    """First number of each text, such as of "12 m" or "3;4"; NaN for none, or one above most."""
    found = [_NUMBER.match(text) for text in texts]
    made = np.array([np.nan if match is None else float(match[1]) for match in found])
    return np.where(made <= most, made, np.nan)
