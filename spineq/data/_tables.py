"""Tables from files of every kind, and coordinates in a system that is known."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import (
    GeographicCRSError,
    MissingFileError,
    SpineqError,
    UnknownCRSError,
    UnreadableFileError,
    shortened,
    shown,
)
from spineq.model._checks import (
    crs_of,
    geometry_of,
    identifiers,
    in_metres,
    known_crs,
    look_like_degrees,
    need_columns,
    numbers,
)
from spineq.model._contract import coordinates
from spineq.model.groups import unprintable

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from numpy.typing import NDArray

#: Endings of the files that are read, the preferred one first.
ENDINGS = (".parquet", ".gpkg", ".geojson", ".json", ".shp", ".csv")

#: Columns of identifiers, which stay text in a CSV: 007 is not 7, and NA is a name.
_IDENTIFIERS = {
    "areas": {"area_id", "oa11cd"},
    "sites": {"site_id", "id", "area_id"},
    "points": {"point_id", "area_id", "group"},
    "existing": {"sensor_id", "id", "area_id"},
    "travel": {"site", "area", "point"},
}

#: Columns of coordinates as public tables call them, in small letters, the preferred ones first,
#: and the system that such names mean: postcode directories have metres and degrees both.
_PLACES = (
    (("easting", "northing"), None),
    (("eastings", "northings"), None),
    (("oseast1m", "osnrth1m"), "EPSG:27700"),
    (("longitude", "latitude"), "EPSG:4326"),
    (("long", "lat"), "EPSG:4326"),
    (("lon", "lat"), "EPSG:4326"),
    (("lng", "lat"), "EPSG:4326"),
)

#: What stands for "no value" in the other columns of a CSV.
_NOTHING = ["", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None"]


#: Names of paths that GDAL does not take for a file's: its own file systems, and URLs.
_NO_FILE = re.compile(r"/vsi|[A-Za-z][A-Za-z0-9+.-]+:/")


def existing_path(path: object, what: str = "file") -> Path:
    """Check that something is the path of a file or folder on this machine.

    Raises
    ------
    MissingFileError
        It is not.
    """
    if not isinstance(path, (str, Path)):
        msg = f"a path is needed, not {shown(path)}"
        raise MissingFileError(msg, mend="Write it in quotation marks")
    if _NO_FILE.match(str(path)):
        msg = "only files on this machine are read"
        raise MissingFileError(msg, file=path, mend="Download it first")
    path = Path(path)
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"there can be no such {what} ({reason})"
        raise MissingFileError(msg, file=path, mend="Check the path") from error
    if not there:
        msg = f"there is no such {what}"
        raise MissingFileError(msg, file=path, mend="Check the path")
    return path


def named_after(file: Path) -> str:
    """Name a city after its file, or after the folder in which the file ``areas`` lies."""
    stem = file.parent.name if file.stem == "areas" else file.stem
    # The name of a file may hold what no text can.
    return "".join("?" if unprintable(char) else char for char in stem)


def read_table(file: Path, part: str = "areas", text: Iterable[str | None] = ()) -> pd.DataFrame:
    """Read a table of any supported kind; a GeoDataFrame where it has geometry.

    Parameters
    ----------
    file
        Path of the file.
    part
        What the table is of: ``"areas"``, ``"sites"``, ``"points"``, ``"existing"`` or
        ``"travel"``. It says which columns are text, and which layer of several to take.
    text
        Further columns of a CSV file that are text, such as one of ids that the user names.
        In small letters they stand for the same name in any.

    Raises
    ------
    MissingFileError, UnreadableFileError
        The file is not there, is of an unknown kind, or cannot be read as what it is.
    """
    import geopandas as gpd

    file = existing_path(file)
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        msg = f"files that end in {ending} are not read" if ending else "the name has no ending"
        raise UnreadableFileError(msg, file=file, mend=f"Use one of {', '.join(ENDINGS)}")
    if not file.is_file():
        msg = "a file is needed, and this is none"
        raise UnreadableFileError(msg, file=file, mend="Name the file itself")
    try:
        # Whole paths, of which no reader takes the beginning for the name of a driver.
        file = file.absolute()
        if ending == ".csv":
            return _read_csv(file, _IDENTIFIERS[part] | {name for name in text if name})
        if ending == ".parquet":
            return _read_parquet(file)
        if ending in (".geojson", ".json"):
            return _read_geojson(file)
        _check_header(file, ending)
        frame: pd.DataFrame = gpd.read_file(file, layer=_layer(file, part))
        return frame
    except SpineqError:
        raise
    except Exception as error:  # every reader has its own family of exceptions
        first = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else ""
        first = shortened(first, 200)
        msg = f"the file cannot be read ({first or type(error).__name__})"
        raise UnreadableFileError(
            msg, file=file, mend=f"Check that it is a whole {ending[1:]} file"
        ) from error


def _read_csv(file: Path, text: set[str]) -> pd.DataFrame:
    head = pd.read_csv(file, header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0]
    if head.duplicated().any():
        # pandas would call the second one x.1.
        name = head[head.duplicated()].iloc[0]
        msg = f"there are two columns {shown(name)}"
        raise UnreadableFileError(msg, file=file, field=name, mend="Keep one of them")
    text = {name for name in head if name in text or name.lower() in text}
    frame = pd.read_csv(
        file,
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,
        na_values={name: _NOTHING for name in head if name not in text},
    )
    if not isinstance(frame.index, pd.RangeIndex):
        # pandas would take the first column for the names of rows, and shift the others.
        msg = "the rows have more values than there are columns"
        raise UnreadableFileError(
            msg, file=file, row=1, mend="Name every column in the first line, or drop end commas"
        )
    return frame


def _read_parquet(file: Path) -> pd.DataFrame:
    import geopandas as gpd
    import pyarrow.parquet as pq

    with_geometry = b"geo" in (pq.read_schema(file).metadata or {})
    frame: pd.DataFrame = gpd.read_parquet(file) if with_geometry else pd.read_parquet(file)
    return frame


def _check_header(file: Path, ending: str) -> None:
    """Check that a file begins as its ending says.

    GDAL goes by the content: under any name it would take a description of a virtual data set,
    which may name other files and addresses, and read those.
    """
    with file.open("rb") as opened:
        head = opened.read(72)
    if ending == ".shp":
        known = head[:4] == (9994).to_bytes(4, "big")
    else:
        known = head[:16] == b"SQLite format 3\0" and head[68:72] in (b"GPKG", b"GP10", b"GP11")
    if not known:
        what = "shapefile" if ending == ".shp" else "GeoPackage"
        msg = f"the file is no {what}"
        raise UnreadableFileError(msg, file=file, mend=f"Write it as a {what}, or rename it")


def _read_geojson(file: Path) -> pd.DataFrame:
    """Read a GeoJSON file; GDAL sees only what Python found to be GeoJSON in it.

    A file that is JSON may at the same time hold a description of a virtual data set that GDAL
    would find first, see `_check_header`.
    """
    import geopandas as gpd

    made: Any = json.loads(file.read_text(encoding="utf-8-sig"))
    kind = made.get("type") if isinstance(made, dict) else None
    if kind == "Feature":
        made["features"] = [{key: value for key, value in made.items() if key != "crs"}]
    if kind not in ("Feature", "FeatureCollection") or not isinstance(made.get("features"), list):
        msg = "the file is JSON, but no collection of GeoJSON features"
        raise UnreadableFileError(msg, file=file, mend="Write it as a GeoJSON FeatureCollection")
    clean = {"type": "FeatureCollection"}
    clean |= {key: made[key] for key in ("name", "crs") if key in made}
    clean["features"] = made["features"]
    # Without a bracket no XML begins anywhere in it.
    text = json.dumps(clean).replace("<", "\\u003c")
    frame: pd.DataFrame = gpd.read_file(io.BytesIO(text.encode()))
    return frame


def _layer(file: Path, part: str) -> str | None:
    """Layer to read of a GeoPackage with several."""
    if file.suffix.lower() != ".gpkg":
        return None
    import pyogrio

    layers = [str(name) for name, _ in pyogrio.list_layers(file)]
    if len(layers) <= 1:
        return None
    if part not in layers:
        msg = f"the file has {len(layers)} layers ({', '.join(layers)}), none of them {part!r}"
        raise UnreadableFileError(
            msg, file=file, mend=f"Call one {part!r}, or keep it alone in a file"
        )
    return part


def usual_places(
    table: pd.DataFrame, crs: object, file: object
) -> tuple[pd.DataFrame, object, tuple[str, ...]]:
    """Give a table of places ``x`` and ``y`` where it calls them otherwise.

    Parameters
    ----------
    table
        One row per place. With geometry, or with ``x`` or ``y``, it stays as it is.
    crs
        What the user names, or None.
    file
        Where the table comes from, for messages.

    Returns
    -------
    tuple
        The table; its coordinate system, that which the names mean unless the user names one;
        and the names of the two columns, if any.

    Raises
    ------
    NotANumberError
        A coordinate that is none.
    """
    table = table.rename(columns=str)
    if geometry_of(table) is not None or {"x", "y"} & set(table.columns):
        return table, crs, ()
    small = {name.lower(): name for name in reversed(table.columns)}
    for pair, meant in ((("x", "y"), None), *_PLACES):
        if set(pair) <= set(small):
            names = (small[pair[0]], small[pair[1]])
            mend = "Write the coordinate as a number, or leave the row out"
            xy = [numbers(table[n], None, n, file, least=None, mend=mend) for n in names]
            return table.assign(x=xy[0], y=xy[1]), meant if crs is None else crs, names
    return table, crs, ()


def refuse_degrees(xy: NDArray[np.float64], crs: pyproj.CRS, file: object) -> None:
    """Check that places, (place, 2), in a system of metres are no longitudes and latitudes.

    Raises
    ------
    GeographicCRSError
        They look like it.
    """
    # One place alone may well stand near the origin.
    if len(xy) > 1 and look_like_degrees(xy):
        msg = (
            f"the coordinates look like degrees (the first is {xy[0, 0]:g}, {xy[0, 1]:g}), "
            f"but {crs.name} counts in metres"
        )
        mend = "If they are longitude and latitude, give crs='EPSG:4326' here"
        raise GeographicCRSError(msg, file=file, field="x, y", mend=mend)


def located(
    frame: pd.DataFrame, crs: object, file: Path, ids: NDArray[np.object_] | None = None
) -> gpd.GeoDataFrame:
    """Give a table geometry in a known system: its own, or the one that the user names.

    Parameters
    ----------
    frame
        With geometry, or with columns ``x`` and ``y``.
    crs
        What the user names, or None.
    file
        Where the table comes from, for messages.
    ids
        Identifier of each row, for messages; None where rows have none.

    Raises
    ------
    UnknownCRSError
        There is neither, or they differ.
    GeographicCRSError
        The system counts in degrees, and the coordinates are none.
    """
    import geopandas as gpd

    if not isinstance(frame, gpd.GeoDataFrame):
        found = known_crs(crs, file)
        xy = coordinates(frame, ids, file)
        made = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=found)
    elif crs is not None and crs_of(frame) is not None and not _plausible(frame):
        # GeoJSON is in degrees unless it says otherwise; where it is not, the user knows better.
        made = frame.set_crs(known_crs(crs, file), allow_override=True)
    else:
        made = frame.set_crs(known_crs(crs, file, carried=frame.crs))
    if not _plausible(made):
        west, south, *_ = made.total_bounds
        msg = f"{made.crs.to_string()} counts in degrees, and {west:g}, {south:g} are none"
        raise GeographicCRSError(
            msg,
            file=file,
            field="crs",
            mend="Name the system of the coordinates, for example crs='EPSG:27700'",
        )
    return made


def _plausible(frame: gpd.GeoDataFrame) -> bool:
    bounds = np.asarray(frame.total_bounds).reshape(2, 2)
    return not (
        frame.crs.is_geographic and np.isfinite(bounds).all() and not look_like_degrees(bounds)
    )


def projected(frame: pd.DataFrame, crs: object, file: Path) -> tuple[gpd.GeoDataFrame, str]:
    """Give a table of areas geometry in metres; the second answer says what was done for it."""
    import geopandas as gpd

    need_columns(frame, ["area_id"], file)
    ids = identifiers(frame["area_id"], "area_id", file)
    made = located(frame, crs, file, ids)
    if in_metres(made.crs):
        return made, ""
    target = _utm(made, file)
    moved = made.to_crs(target)
    if {"x", "y"} <= set(made.columns):
        if (made.geom_type == "Point").all():
            moved = moved.drop(columns=["x", "y"])
        else:
            # The points that the file gives must move together with its polygons.
            xy = coordinates(made, ids, file)
            points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=made.crs)
            points = located(points, None, file).to_crs(target)
            moved = moved.assign(x=points.geometry.x.to_numpy(), y=points.geometry.y.to_numpy())
    return moved, f"Projected from {made.crs.to_string()} to {target.to_string()}."


def _utm(frame: gpd.GeoDataFrame, file: Path) -> pyproj.CRS:
    try:
        found: pyproj.CRS = frame.estimate_utm_crs()
    except (RuntimeError, ValueError) as error:
        msg = f"there is no UTM zone for coordinates in {frame.crs.to_string()} ({error})"
        raise UnknownCRSError(
            msg, file=file, field="crs", mend="Project the data to metres first"
        ) from error
    return found
