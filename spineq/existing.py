"""Sensors that stand today: tables for `City.with_existing`.

Several sensors may stand in one area. What is counted is then said where they are used:
``"existing-points"`` is every sensor where it stands, ``"existing"`` is each area with a sensor
once, at the area's point, as the original system had it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.demand._placing import (
    areas_holding,
    areas_named,
    areas_nearest,
    first_outside,
    placed,
    warn_of_outside,
)
from spineq.errors import (
    DataError,
    DuplicateIdError,
    MissingColumnError,
    MissingExtraError,
    NotANumberError,
    UnreadableFileError,
    shortened,
    shown,
)
from spineq.model._checks import identifiers

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Where the Urban Observatory of Newcastle lists its sensors, as public code of 2023 asks it.
URBAN_OBSERVATORY = "https://newcastle.urbanobservatory.ac.uk/api/v1.1/sensors/json/"

#: Its later address, with other names for the same things, as later public code asks it.
URBAN_OBSERVATORY_2 = "https://api.v2.urbanobservatory.ac.uk/sensors/json?limit=-1"

#: Columns that may name a sensor, the preferred one first.
_IDS = ("sensor_id", "id")

#: Seconds to wait for a connection, and for each piece of an answer.
_PATIENCE = (10.0, 60.0)

#: Longest answer that is read, bytes: the list is of some MB.
_LONGEST = 200_000_000

_POINT = re.compile(r"\s*POINT\s*Z?\s*\(\s*(\S+)\s+(\S+?)(?:\s+\S+)?\s*\)\s*", re.IGNORECASE)


def from_file(
    city: City,
    file: str | Path | pd.DataFrame,
    *,
    area: str = "area_id",
    crs: object = None,
) -> gpd.GeoDataFrame:
    """Read sensors from a file or table.

    Each sensor belongs to the area that its column names or, without that column, to the area
    whose polygon holds it; in a city without polygons to the area with the nearest point, up to
    5 km around the box of all.

    Parameters
    ----------
    city
        Where they stand.
    file
        A GeoParquet, GeoPackage, GeoJSON, shapefile or CSV file, or a table, one row per
        sensor; optionally ``sensor_id`` or ``id``. Coordinates in columns are ``x`` and ``y``;
        without these ``easting`` and ``northing``, ``oseast1m`` and ``osnrth1m`` (EPSG:27700),
        or ``longitude`` and ``latitude`` (or ``long``, ``lon``, ``lat``; EPSG:4326).
    area
        Column that names each sensor's area, such as ``"oa11cd"``.
    crs
        Coordinate reference system of sensors that carry none; None for that which the names
        of their coordinates mean, else the city's own.

    Returns
    -------
    GeoDataFrame
        For `City.with_existing`: ``sensor_id`` where the sensors have one, ``area_id`` where
        it is known, points in the city's system; sorted by id, or else by area and place.

    Raises
    ------
    DataError
        The file cannot be read, there is no such column, two sensors have one id, or none
        stands in an area.

    Warns
    -----
    SpineqWarning
        Sensors outside of all areas, or of areas that are not in the city, are left out.
    """
    table, xy, path = placed(city, file, "existing", crs, (area,))
    table = table.rename(columns=str)
    if area != "area_id" and area not in table.columns:
        msg = f"the column {shown(area)} is missing"
        there = ", ".join(map(shortened, table.columns[:12]))
        mend = f"The columns there are {there}"
        raise MissingColumnError(msg, file=path, field=area, mend=mend)
    named = table[area] if area in table.columns else None
    column = next((name for name in _IDS if name in table.columns), None)
    ids = None if column is None else identifiers(table[column], column, path)
    return _sensors(city, xy, ids, named, path, 4)


def from_urban_observatory(
    city: City, file_or_url: str | Path = URBAN_OBSERVATORY, *, broker: str | None = None
) -> gpd.GeoDataFrame:
    """Read sensors from the Urban Observatory's list.

    Both forms are read: that of version 1.1 (``sensors``, ``"Sensor Name"``, values alone or
    as ``{"0": value}``) and that of version 2 (``Sensors``, ``Sensor_Name``). A sensor listed
    several times at one place counts once. Tried against saved answers; the service itself was
    out of reach when this was written.

    Parameters
    ----------
    city
        Where they stand; what the list has elsewhere is left out.
    file_or_url
        The answer of the service, saved as a file; or its address. Which sensors are wanted
        goes into the address (``?theme=Air+Quality``, ``?variable=NO2``).
    broker
        Only sensors of this broker, such as ``"aq_mesh_api"``; None for all.

    Returns
    -------
    GeoDataFrame
        For `City.with_existing`: ``sensor_id`` (the sensor's name), ``area_id``, points in the
        city's system.

    Raises
    ------
    DataError
        The file or answer is no list of sensors, one has no place, one name stands at two
        places, no sensor is of the broker, or none stands in an area.
    MissingExtraError
        An address is given, and requests is not installed.

    Warns
    -----
    SpineqWarning
        Sensors outside of all areas are left out.
    """
    text, where = _text_of(file_or_url)
    listed = _listed(text, where)
    if broker is not None:
        of_broker = [one for one in listed if one.get("broker_name") == broker]
        if not of_broker:
            brokers = sorted({str(one.get("broker_name")) for one in listed})
            msg = f"no sensor is of the broker {shown(broker)}"
            mend = f"The brokers there are {shortened(', '.join(brokers), 200)}"
            raise DataError(msg, file=where, field="broker", mend=mend)
        listed = of_broker
    names = identifiers_of(listed, where)
    degrees = np.array([_place(one, name, where) for one, name in zip(listed, names, strict=True)])
    frame = pd.DataFrame({"id": names, "x": degrees[:, 0], "y": degrees[:, 1]}).drop_duplicates()
    twice = frame["id"].duplicated()
    if twice.any():
        msg = f"the sensor {shown(frame['id'][twice].iloc[0])} stands at two places"
        mend = "Keep the place where it stands today"
        raise DuplicateIdError(msg, file=where, field="Sensor Name", mend=mend)
    _, xy, _ = placed(city, frame, "existing", "EPSG:4326")
    return _sensors(city, xy, frame["id"].to_numpy(dtype=object), None, where, 4)


def _sensors(
    city: City,
    xy: NDArray[np.float64],
    ids: NDArray[np.object_] | None,
    named: pd.Series[Any] | None,
    file: object,
    stacklevel: int,
) -> gpd.GeoDataFrame:
    """Table of the sensors that stand in an area."""
    import geopandas as gpd

    if named is not None:
        area = areas_named(city, named, file)
    elif city.polygons is not None:
        area = areas_holding(city, xy)
    else:
        area = areas_nearest(city, xy)
    warn_of_outside(area, "sensors", first_outside(area, xy, named), file, stacklevel)
    # By place too, so that the order of the rows of sensors without ids decides nothing.
    order = np.lexsort((xy[:, 1], xy[:, 0], area))
    order = order[area[order] >= 0]
    columns: dict[str, Any] = {} if ids is None else {"sensor_id": ids[order]}
    columns["area_id"] = city.dataset["area"].to_numpy()[area[order]]
    made = gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(*xy[order].T), crs=city.crs)
    return made if ids is None else made.sort_values("sensor_id", ignore_index=True)


def _text_of(file_or_url: str | Path) -> tuple[bytes, str]:
    """Content of a file or an address, and what to call it in messages."""
    from spineq.data._tables import existing_path

    if isinstance(file_or_url, str) and re.match(r"https?://", file_or_url, re.IGNORECASE):
        return _downloaded(file_or_url), file_or_url
    path = existing_path(file_or_url)
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        msg = f"the file cannot be read ({error.strerror})"
        raise UnreadableFileError(msg, file=path, mend="Name the saved answer itself") from error


def _downloaded(url: str) -> bytes:
    try:
        import requests
    except ImportError as error:
        msg = "asking the Urban Observatory needs requests, which is not installed"
        mend = 'Install it: pip install "spineq[fetch]"; or save the answer and name the file'
        raise MissingExtraError(msg, mend=mend) from error
    mend = "Try again later, or save the answer with a browser and name the file"
    try:
        with requests.get(url, timeout=_PATIENCE, stream=True) as answer:
            answer.raise_for_status()
            parts, size = [], 0
            for part in answer.iter_content(1 << 20):
                parts.append(part)
                size += len(part)
                if size > _LONGEST:
                    msg = f"the answer is longer than {_LONGEST:,} bytes"
                    raise UnreadableFileError(msg, file=url, mend="Ask for fewer sensors")
    except requests.RequestException as error:
        said = shortened(" ".join(str(error).split()).rstrip("."), 200)
        msg = f"the Urban Observatory gave no answer ({said or type(error).__name__})"
        raise DataError(msg, file=url, mend=mend) from error
    return b"".join(parts)


def _listed(text: bytes, where: str) -> list[dict[str, Any]]:
    """Sensors of an answer, each with small names: ``sensor_name``, ``broker_name``."""
    mend = "Save the answer of .../sensors/json as it comes"
    try:
        made = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        msg = "the answer is no JSON"
        raise UnreadableFileError(msg, file=where, mend=mend) from error
    listed = None
    if isinstance(made, dict):
        listed = next((made[key] for key in ("sensors", "Sensors") if key in made), None)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        msg = "the answer is JSON, but has no list of sensors"
        raise UnreadableFileError(msg, file=where, field="sensors", mend=mend)
    if not listed:
        msg = "there is not a single sensor in the answer"
        raise DataError(msg, file=where, field="sensors", mend="Ask for others")
    return [
        {re.sub("[^a-z0-9]+", "_", str(key).lower()): _alone(value) for key, value in one.items()}
        for one in listed
    ]


def _alone(value: Any) -> Any:
    """Take a value out of ``{"0": value}``, as version 1.1 writes it at times."""
    return next(iter(value.values())) if isinstance(value, dict) and len(value) == 1 else value


def identifiers_of(listed: list[dict[str, Any]], where: str) -> list[str]:
    """Name of each sensor of the list: its name, else its id.

    Raises
    ------
    DuplicateIdError
        A sensor has neither.
    """
    names = []
    for row, one in enumerate(listed, start=1):
        found = (str(one[key]).strip() for key in ("sensor_name", "raw_id") if one.get(key))
        name = next(filter(None, found), "")
        if not name:
            msg = "the sensor has no name"
            mend = "Take it out of the saved answer"
            raise DuplicateIdError(msg, file=where, row=row, field="Sensor Name", mend=mend)
        names.append(name)
    return names


def _place(one: dict[str, Any], name: str, where: str) -> tuple[float, float]:
    """Longitude and latitude of a sensor: its point, else the middle of its path."""
    match = _POINT.fullmatch(str(one.get("location_wkt") or ""))
    pair = match.groups() if match else None
    if pair is None:
        pair = tuple(one.get(f"sensor_centroid_{axis}") for axis in ("longitude", "latitude"))
    try:
        longitude, latitude = (float(number) for number in pair)
    except (TypeError, ValueError):
        longitude = latitude = np.nan
    if not (abs(longitude) <= 180.0 and abs(latitude) <= 90.0):
        msg = f"the sensor has no place on earth ({shown(pair)})"
        mend = "Take it out of the saved answer, or correct it"
        raise NotANumberError(msg, file=where, row=name, field="Location WKT", mend=mend)
    return longitude, latitude
