"""Writing a network for a GIS: GeoJSON, and a GeoPackage with its own styles."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import DataError, NetworkFileError, ProblemError, StoreError, shown
from spineq.model._problem_checks import is_network
from spineq.model._styles import areas_qml, sensors_qml
from spineq.model._words import shown_table
from spineq.model.groups import title_of
from spineq.store import whole_file

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.model.network import Network

#: Column of the metres from an area's point to the nearest sensor.
NEAREST = "nearest_sensor_m"

#: An existing sensor up to so many metres from one that stays is that one.
AT_A_PLACE = 0.01

# QGIS reads styles from a table of this name and shape inside the file.
_STYLES_TABLE = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
    f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
)
"""


def file_to_write(path: object) -> Path:
    """Check that something is the path of a file to write.

    Raises
    ------
    StoreError
        It is none.
    """
    return _path_of(path, StoreError, "Give the path of the file to write")


def file_to_read(path: object) -> Path:
    """Check that something is the path of a file to read.

    Raises
    ------
    NetworkFileError
        It is none.
    """
    return _path_of(path, NetworkFileError, "Give the path of a file written by to_netcdf")


def _path_of(path: object, refusal: type[StoreError | NetworkFileError], mend: str) -> Path:
    if not isinstance(path, str | os.PathLike):
        msg = f"{shown(path)} does not name a file"
        raise refusal(msg, mend=mend)
    return Path(path)


@contextmanager
def exported(path: Path) -> Iterator[Path]:
    """Write a whole file or none, whatever kind of error a format's library has.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    try:
        with whole_file(path) as temporary:
            yield temporary
    except (RuntimeError, UnicodeError, sqlite3.Error) as error:
        # GDAL, HDF5 and SQLite say in their own ways that a disk is full or a folder closed,
        # and HDF5 takes no name that the locale cannot write.
        raise StoreError(
            f"{path.name!r} cannot be written: {error}",
            mend="Check that the folder exists, has room and lets you write",
        ) from error


def content_digest(data: xr.Dataset) -> str:
    """SHA-256 of a dataset's variables and attributes, 64 hex digits.

    The same before it is written as NetCDF and after it was read: numbers by value, not by
    the type that an attribute has in Python.
    """
    sha = hashlib.sha256(b"spineq-network-1\n")
    entries: list[tuple[str, Any]] = [*_with_prefix("attribute", data.attrs)]
    for name, variable in data.variables.items():
        entries.append((f"variable {name} {variable.dims} {variable.shape}", variable.values))
        entries += _with_prefix(f"attribute of {name}", variable.attrs)
    for key, values in sorted(entries, key=lambda entry: entry[0]):
        array = np.asarray(values)
        body = b""
        if array.size == 0:
            # A list of no texts comes back as a list of no numbers: nothing has no type.
            pass
        elif array.dtype.kind in "OUT":
            texts = [str(text).encode("utf-8", "surrogatepass") for text in array.ravel()]
            # Each text with its length, so that no two lists run together to the same bytes.
            body = b"".join(len(text).to_bytes(8, "little") + text for text in texts)
        else:
            kind = {"f": "<f8", "b": "?"}.get(array.dtype.kind, "<i8")
            body = kind.encode() + np.ascontiguousarray(array, dtype=kind).tobytes()
        sha.update(f"{key} {len(body)}\n".encode("utf-8", "surrogatepass") + body)
    return sha.hexdigest()


def _with_prefix(prefix: str, attrs: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{prefix} {name}", value) for name, value in attrs.items())


def sensor_columns(network: Network, city: City | None) -> pd.DataFrame:
    """`Network.sensors` with ``kept``, ``number`` (1, 2, ... of those placed) and ``existing``.

    ``existing`` has the ids of the city's existing sensors where a sensor stays, joined by
    commas where several stand at one place; without the city there is no such column.

    Raises
    ------
    ProblemError
        It is no city.
    DataError
        The city is not the one that the network was made for.
    """
    import pandas as pd

    kept = network.dataset["kept"].to_numpy()
    table = network.sensors.assign(kept=kept, number=pd.array(np.cumsum(~kept), dtype="Int64"))
    table.loc[kept, "number"] = pd.NA
    if city is not None:
        need_same_city(network, city)
        table["existing"] = existing_ids(table[["x", "y"]].to_numpy(), kept, city)
    return table


def existing_ids(xy: NDArray[np.float64], kept: NDArray[np.bool_], city: City) -> list[str]:
    """Ids of the existing sensors at each sensor that stays, (sensor,); empty elsewhere."""
    from scipy.spatial import cKDTree

    ids: list[list[str]] = [[] for _ in xy]
    stays = np.flatnonzero(kept)
    now = city.existing
    if now is not None and len(now) and len(stays):
        # A sensor that stands at a site was given the site's place, which may be a hair away.
        distance, nearest = cKDTree(xy[stays]).query(now[["x", "y"]].to_numpy())
        for name, metres, k in zip(now.index, distance, nearest, strict=True):
            if metres <= AT_A_PLACE:
                ids[stays[k]].append(str(name))
    return [", ".join(names) for names in ids]


def sensor_frame(network: Network, city: City | None = None) -> gpd.GeoDataFrame:
    """Sensors as points in the city's CRS, with the columns of `sensor_columns` but x and y."""
    import geopandas as gpd

    table = sensor_columns(network, city).reset_index()
    points = gpd.points_from_xy(table.pop("x"), table.pop("y"))
    return gpd.GeoDataFrame(table, geometry=points, crs=network.dataset.attrs["crs"])


#: What the tables of areas call their own columns.
_TAKEN = (
    "area", "area_id", "id", "x", "y", "weight", "coverage", "distance", "difference", NEAREST,
    "fid", "geom", "geometry",
)  # fmt: skip


def people_columns(city: City, groups: Mapping[str, Group]) -> dict[str, NDArray[np.float64]]:
    """People of each group in each area, (area,), by a column's name.

    The name is the group's title, with more to it where a table has such a column already.
    """
    made: dict[str, NDArray[np.float64]] = {}
    # SQLite does not tell small letters from capitals in the names of columns.
    taken = set(_TAKEN)
    for name, group in groups.items():
        column = title_of(name, group)
        while column.casefold() in taken:
            column += " (people)"
        taken.add(column.casefold())
        made[column] = city.people(group).values
    return made


def area_columns(network: Network, city: City) -> dict[str, NDArray[np.float64]]:
    """`people_columns` of the groups that the network reports."""
    return people_columns(city, shown_groups(network, city))


def shown_groups(network: Network, city: City) -> dict[str, Group]:
    """Groups that the network's tables show, as the city counts them, in the tables' order."""
    from spineq.model._objective_words import owed

    # One that is only owed something is the problem's too.
    known = city.reported_groups({name: group for name, group, _ in owed(network.problem)})
    known |= dict(network.problem.groups)
    return {str(name): known[str(name)] for name in shown_table(network).index}


def nearest_sensor(network: Network) -> NDArray[np.float64]:
    """Metres from each area's point to the nearest sensor, straight, (area,); NaN without one."""
    from scipy.spatial import cKDTree

    data = network.dataset
    if network.n_sensors == 0:
        return np.full(data.sizes["area"], np.nan)
    sensors = np.column_stack([data["sensor_x"].to_numpy(), data["sensor_y"].to_numpy()])
    areas = np.column_stack([data["x"].to_numpy(), data["y"].to_numpy()])
    distance: NDArray[np.float64] = cKDTree(sensors).query(areas)[0]
    return distance


def area_frame(network: Network, city: City | None) -> gpd.GeoDataFrame:
    """Areas in the city's CRS: polygons where the city has them, else points.

    Raises
    ------
    ProblemError
        It is no city.
    DataError
        The city is not the one that the network was made for.
    """
    import geopandas as gpd
    import pandas as pd

    if city is not None:
        need_same_city(network, city)
    data = network.dataset
    table = pd.DataFrame(
        {
            "area_id": data["area"].to_numpy(),
            "coverage": data["area_coverage"].to_numpy(),
            "weight": data["area_weight"].to_numpy(),
            NEAREST: nearest_sensor(network),
        }
        | ({} if city is None else area_columns(network, city))
    )
    polygons = None if city is None else city.polygons
    geometry: Any = (
        gpd.points_from_xy(data["x"].to_numpy(), data["y"].to_numpy())
        if polygons is None
        else polygons.geometry.to_numpy()
    )
    return gpd.GeoDataFrame(table, geometry=geometry, crs=data.attrs["crs"])


def need_network(network: object) -> None:
    """Refuse what is no network.

    Raises
    ------
    ProblemError
        It is none.
    """
    if not is_network(network):
        msg = f"a network is needed, not {shown(network)}"
        raise ProblemError(msg, field="network", mend="Give what optimise or evaluate returned")


def need_city(city: object) -> None:
    """Refuse what is no city.

    Raises
    ------
    ProblemError
        It is none.
    """
    from spineq.model.city import City

    if not isinstance(city, City):
        msg = f"a city is needed, not {shown(city)}"
        raise ProblemError(msg, field="city", mend="Read it with read_city(path)")


def need_same_city(network: Network, city: City) -> None:
    """Check that a network belongs to a city.

    Raises
    ------
    ProblemError
        One of them is something else.
    DataError
        It does not.
    """
    need_network(network)
    need_city(city)
    if network.dataset.attrs["city_digest"] != city.digest:
        mine, theirs = network.dataset.attrs["city_name"], city.name
        msg = (
            f"the network was made for {mine or 'a city'}, not for this {theirs or 'city'}: its "
            "people, points, sites or distances are others"
        )
        mend = "Give that city, or measure the network in this one first: sq.evaluate(city, net)"
        raise DataError(msg, mend=mend)


def write_geojson(network: Network, path: Path, city: City | None) -> Path:
    """Write `Network.to_geojson`."""
    frame = sensor_frame(network, city).to_crs("EPSG:4326")
    with exported(path) as temporary:
        frame.to_file(temporary, layer="sensors", driver="GeoJSON", engine="pyogrio", RFC7946="YES")
    return path


def write_gpkg(network: Network, path: Path, city: City | None) -> Path:
    """Write `Network.to_gpkg`."""
    areas, sensors = area_frame(network, city), sensor_frame(network, city)
    polygons = city is not None and city.polygons is not None
    styles = {
        "areas": areas_qml(polygons=polygons, top=float(areas["coverage"].max())),
        "sensors": sensors_qml(),
    }
    with exported(path) as temporary:
        areas.to_file(temporary, layer="areas", driver="GPKG", engine="pyogrio")
        sensors.to_file(temporary, layer="sensors", driver="GPKG", engine="pyogrio", mode="a")
        with closing(sqlite3.connect(temporary)) as database, database:
            database.execute(_STYLES_TABLE)
            database.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier) "
                "VALUES ('layer_styles', 'attributes', 'layer_styles')"
            )
            database.executemany(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
                "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, "
                "owner) VALUES ('', '', ?, 'geom', 'spineq', ?, '', 1, ?, '')",
                [(layer, qml, f"Coverage, {layer}") for layer, qml in styles.items()],
            )
    return path
