"""OpenStreetMap's services, asked through osmnx (extra ``osm``) where there is no file.

None of this was tried against the services themselves, only against a stand-in for osmnx with
its signatures (2.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spineq.errors import DataError, MissingExtraError, MissingFileError, shortened, shown

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj


def in_degrees(
    bounds: tuple[float, float, float, float] | None, crs: pyproj.CRS
) -> tuple[float, float, float, float] | None:
    """Bounds as longitude and latitude, a little wider, for a box is none after turning."""
    import pyproj

    if bounds is None:
        return None
    turned = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    west, south, east, north = turned.transform_bounds(*bounds, densify_pts=21)
    return west - 1e-4, south - 1e-4, east + 1e-4, north + 1e-4


def asked_features(
    place: object, tags: Mapping[str, Any], box: tuple[float, float, float, float] | None
) -> gpd.GeoDataFrame:
    """Ask OpenStreetMap for features, of a place by its name or within a box of degrees.

    Raises
    ------
    MissingExtraError
        osmnx is not installed.
    DataError
        There was no answer, or no place is named.
    """
    if place is None and box is None:
        msg = "neither a file nor a place is named"
        raise MissingFileError(msg, mend="Name the file of an extract, or a place")
    name = None if place is None else _name(place)
    osmnx = _osmnx()
    try:
        if name is not None:
            found = osmnx.features_from_place(name, dict(tags))
        else:
            found = osmnx.features_from_bbox(box, dict(tags))
    except Exception as error:  # osmnx has its own errors, and those of requests and geopandas
        raise _no_answer(place, error) from error
    made: gpd.GeoDataFrame = found.reset_index()
    return made


def asked_streets(
    place: str | None, box: tuple[float, float, float, float] | None, crs: pyproj.CRS
) -> Any:
    """Ask OpenStreetMap through osmnx for the streets of a place, or within bounds in metres.

    Returns
    -------
    networkx.MultiDiGraph
        Every part of it, connected or not.

    Raises
    ------
    MissingExtraError
        osmnx is not installed.
    DataError
        There was no answer.
    """
    name = None if place is None else _name(place)
    osmnx = _osmnx()
    kind = {"network_type": "walk", "retain_all": True}
    try:
        if name is not None:
            return osmnx.graph_from_place(name, **kind)
        return osmnx.graph_from_bbox(in_degrees(box, crs), **kind)
    except Exception as error:  # as above
        raise _no_answer(place, error) from error


def _name(place: object) -> str:
    if not isinstance(place, str) or not place.strip():
        msg = f"a path or the name of a place is needed, not {shown(place)}"
        raise MissingFileError(msg, mend='Write it in quotation marks, "Newcastle upon Tyne, UK"')
    return place


def _no_answer(place: object, error: Exception) -> DataError:
    first = shortened((str(error).strip().splitlines() or [""])[0].rstrip("."), 200)
    where = "the city's outline" if place is None else shown(place)
    msg = f"OpenStreetMap gave no answer for {where} ({first or type(error).__name__})"
    return DataError(msg, mend="Download an extract and name its file instead")


def _osmnx() -> Any:
    try:
        import osmnx
    except ImportError as error:
        msg = "asking OpenStreetMap needs osmnx, which is not installed"
        mend = 'Install it: pip install "spineq[osm]"; or name the file of an extract'
        raise MissingExtraError(msg, mend=mend) from error
    return osmnx
