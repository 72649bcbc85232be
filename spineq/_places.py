"""Where sensors stand: a solver's sites, and what a user may name as sensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import UnknownSensorError
from spineq.model._checks import need_columns, numbers, row_name
from spineq.model.groups import real_number
from spineq.model.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City


def at_sites(city: City, positions: NDArray[np.int64]) -> pd.DataFrame:
    """Table of chosen sites: position, site, area, x, y."""
    data = city.dataset
    return pd.DataFrame(
        {
            "position": positions,
            "site": data["site"].to_numpy()[positions],
            "area": city.site_areas[positions],
            "x": data["site_x"].to_numpy()[positions],
            "y": data["site_y"].to_numpy()[positions],
        }
    )


def places_of(city: City, sensors: Any) -> tuple[pd.DataFrame, int]:
    """Table of the user's sensors, each once, and how many were named.

    The table's columns: position (-1 for a place that is no site), site, area, x, y.

    Raises
    ------
    UnknownSensorError
        Something that names no sensor or place of the city.
    MissingColumnError, NotANumberError
        A table without x and y, or with something else than numbers in them.
    """
    made = in_one_form(city, sensors)
    if isinstance(made, str):
        assert city.existing is not None  # in_one_form saw to it
        if made == "existing":
            return _named_places(city, list(city.existing_areas)), len(city.existing)
        made = _table_xy(city.existing)
    places = _named_places(city, made) if isinstance(made, list) else _free_places(city, made)
    return places, len(made)


def in_one_form(city: City, sensors: Any) -> str | list[str] | NDArray[np.float64]:
    """What a user may name as sensors, in one of three forms and in the order given.

    Whether the ids and places are of the city is for `places_of` to see.

    Returns
    -------
    str, list or array
        ``"existing"`` or ``"existing-points"``; ids; or coordinates in the city's CRS,
        (sensor, 2), metres.

    Raises
    ------
    UnknownSensorError
        Something that names no sensor; or the existing ones of a city without any.
    MissingColumnError, NotANumberError
        As `places_of`.
    """
    import geopandas as gpd

    if isinstance(sensors, str):
        if sensors not in ("existing", "existing-points"):
            return [sensors.strip()]
        if city.existing is None:
            msg = "the city has no existing sensors"
            raise UnknownSensorError(msg, field="sensors", mend="Add them with with_existing")
        return str(sensors)
    if isinstance(sensors, Network):
        return _of_network(city, sensors)
    if isinstance(sensors, gpd.GeoSeries | gpd.GeoDataFrame):
        return _points_xy(city, sensors)
    if isinstance(sensors, pd.DataFrame):
        return _table_xy(sensors)
    if isinstance(sensors, np.ndarray) and sensors.dtype.kind in "fiu":
        return np.asarray(sensors, dtype=np.float64)
    listed = _listed(sensors)
    if all(_is_id(sensor) for sensor in listed):
        return [str(name).strip() for name in listed]
    for sensor in listed:
        if not _is_pair(sensor):
            raise _no_sensor(sensor)
    # A whole number may be too large for an array; as a place it is not finite.
    return np.array([[real_number(n, "sensors", "") for n in pair] for pair in listed])


def _of_network(city: City, network: Network) -> list[str] | NDArray[np.float64]:
    """Sensors of a network, which may have been made for another city: sites where they are any.

    Two cities may have sites of one name at two places; it is the place that counts.
    """
    import geopandas as gpd

    table = network.sensors
    points = gpd.points_from_xy(table["x"], table["y"], crs=network.dataset.attrs["crs"])
    xy = _points_xy(city, gpd.GeoSeries(points))
    names = table["site"].tolist()
    position = _sites_at(city, xy)
    is_here = (position >= 0).all()
    if is_here and city.dataset["site"].to_numpy()[position].tolist() == names:
        return names
    return xy


def _no_sensor(given: object) -> UnknownSensorError:
    return UnknownSensorError(
        f"{given!r:.60} names no sensor",
        field="sensors",
        mend="Give ids of sites or areas, or pairs of x and y, all of one kind",
    )


def _listed(sensors: Any) -> list[Any]:
    """Items of a collection, in an order that is the same in every process."""
    if isinstance(sensors, Mapping | bytes) or not isinstance(sensors, Iterable):
        raise _no_sensor(sensors)
    if not isinstance(sensors, Set):
        return list(sensors)
    try:
        return sorted(sensors)
    except TypeError as error:
        raise _no_sensor(sensors) from error


def _is_id(sensor: object) -> bool:
    return isinstance(sensor, str | int | np.integer) and not isinstance(sensor, bool)


def _is_pair(sensor: Any) -> bool:
    return (
        isinstance(sensor, tuple | list | np.ndarray)
        and len(sensor) == 2
        and all(
            isinstance(number, int | float | np.integer | np.floating)
            and not isinstance(number, bool)
            for number in sensor
        )
    )


def _table_xy(table: pd.DataFrame) -> NDArray[np.float64]:
    need_columns(table, ["x", "y"], None)
    mend = "Write a number in the city's coordinate system"
    return np.column_stack(
        [numbers(table[axis], None, axis, None, least=None, mend=mend) for axis in ("x", "y")]
    )


def _points_xy(city: City, sensors: Any) -> NDArray[np.float64]:
    """Coordinates of a GeoSeries' or GeoDataFrame's points in the city's CRS, (sensor, 2)."""
    try:
        points = sensors.geometry
    except AttributeError as error:
        msg = "the table has no column of geometries"
        mend = "Name it with set_geometry, or give a table with columns x and y"
        raise UnknownSensorError(msg, field="sensors", mend=mend) from error
    nowhere = np.flatnonzero(points.isna() | points.is_empty)
    if len(nowhere):
        msg = "the geometry is empty"
        row = row_name(int(nowhere[0]))
        raise UnknownSensorError(msg, field="sensors", row=row, mend="Give every sensor a point")
    other = sorted(set(points.geom_type) - {"Point"})
    if other:
        msg = f"a {other[0]} is not a place for a sensor"
        mend = "Give points, for example those of representative_point()"
        raise UnknownSensorError(msg, field="sensors", mend=mend)
    if points.crs is not None and points.crs != city.crs:
        points = points.to_crs(city.crs)
    return np.column_stack([points.x, points.y])


def _named_places(city: City, names: Sequence[str]) -> pd.DataFrame:
    data = city.dataset
    names = list(dict.fromkeys(names))
    site = pd.Index(data["site"].to_numpy()).get_indexer(pd.Index(names, dtype=object))
    area = pd.Index(data["area"].to_numpy()).get_indexer(pd.Index(names, dtype=object))
    for k, name in enumerate(names):
        if site[k] < 0 and area[k] < 0:
            msg = f"{name!r} is neither a site nor an area of {city.name or 'the city'}"
            first = data["site"].to_numpy()[0]
            mend = f"Use ids such as {first!r}, or x and y"
            raise UnknownSensorError(msg, field="sensors", mend=mend)
        if site[k] >= 0 and area[k] >= 0 and city.site_areas[site[k]] != name:
            msg = f"{name!r} is an area, and a site in another area, {city.site_areas[site[k]]!r}"
            mend = "Rename the site, or give x and y"
            raise UnknownSensorError(msg, field="sensors", mend=mend)
    made = at_sites(city, np.maximum(site, 0).astype(np.int64))
    made["position"] = site
    elsewhere = np.flatnonzero(site < 0)
    made.loc[elsewhere, "site"] = ""
    made.loc[elsewhere, "area"] = [names[k] for k in elsewhere]
    made.loc[elsewhere, "x"] = data["x"].to_numpy()[area[elsewhere]]
    made.loc[elsewhere, "y"] = data["y"].to_numpy()[area[elsewhere]]
    return made


def _free_places(city: City, xy: NDArray[np.float64]) -> pd.DataFrame:
    if xy.size == 0:
        xy = np.empty((0, 2))
    mend = "Give an array (sensor, 2)"
    if xy.ndim != 2 or xy.shape[1] != 2:
        msg = f"places must be in two columns, x and y, not of shape {xy.shape}"
        raise UnknownSensorError(msg, field="sensors", mend=mend)
    if not np.isfinite(xy).all():
        row = int(np.flatnonzero(~np.isfinite(xy).all(axis=1))[0])
        msg = f"the place {xy[row, 0]:g}, {xy[row, 1]:g} is not finite"
        raise UnknownSensorError(msg, field="sensors", row=row_name(row), mend="Give numbers")
    if len(xy):
        _need_near(city, xy)
        # Once each, in the order given.
        xy = xy[np.sort(np.unique(xy, axis=0, return_index=True)[1])]
    if city.travel is not None and len(xy):
        # Only from a site are costs known: a place where one is, to the millimetre, is that site.
        position = _sites_at(city, xy)
        if (position >= 0).all():
            return at_sites(city, pd.unique(position))
    return pd.DataFrame(
        {
            "position": np.full(len(xy), -1),
            "site": np.full(len(xy), "", dtype=object),
            "area": city.areas_at(xy) if len(xy) else np.empty(0, dtype=object),
            "x": xy[:, 0],
            "y": xy[:, 1],
        }
    )


def _sites_at(city: City, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position of the site at each place, (place,); -1 where there is none within 1 mm."""
    from scipy.spatial import cKDTree

    found = cKDTree(city.site_xy).query(xy, distance_upper_bound=1e-3)[1]
    return np.where(found < city.n_sites, found, -1).astype(np.int64)


def _need_near(city: City, xy: NDArray[np.float64]) -> None:
    """Refuse places so far outside that they must be in another coordinate system."""
    low, high = city.point_xy.min(axis=0), city.point_xy.max(axis=0)
    # A sensor may stand outside, but not further than the city is wide, or than 50 km.
    room = max(float((high - low).max()), 50_000.0)
    far = ((xy < low - room) | (xy > high + room)).any(axis=1)
    if far.any():
        x, y = xy[far][0]
        msg = f"the place {x:g}, {y:g} is far outside {city.name or 'the city'}"
        mend = f"Give x and y in {city.crs.to_string()}, or a GeoSeries with its own CRS"
        raise UnknownSensorError(msg, field="sensors", mend=mend)
