"""OpenStreetMap: features and streets from a file, or by a place's name through osmnx.

Files are ``.osm`` (XML) and ``.osm.pbf`` extracts, read by GDAL, which pyogrio brings along, and
tables of features (GeoPackage, GeoJSON, shapefile, GeoParquet) as osmnx, QuackOSM and Geofabrik
write them. None of them needs a network. What has no file is asked of OpenStreetMap's services,
see `spineq._osm_services`.

OpenStreetMap's data are under the Open Database Licence; `ATTRIBUTION` is to be shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq._osm_services import asked_features, in_degrees
from spineq.data._tables import ENDINGS, existing_path, located, read_table
from spineq.errors import (
    DataError,
    UnreadableFileError,
    shortened,
    shown,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj

#: To be shown beside everything that comes from OpenStreetMap.
ATTRIBUTION = "© OpenStreetMap contributors, ODbL"

#: Endings of OpenStreetMap's own files.
EXTRACTS = (".osm", ".pbf")

_PACKED = (".bz2", ".gz", ".xz", ".zip")

#: Tags to look for: a value, several of them, or True for any.
Tags = Mapping[str, str | bool | Sequence[str]]

#: Ways of these kinds nobody walks on, or not yet, or not any more.
_NOT_WALKED = {
    "abandoned", "bus_guideway", "construction", "disused", "motorway", "motorway_link", "no",
    "planned", "proposed", "raceway", "razed", "removed",
}  # fmt: skip

#: Words that allow a way to people on foot, and that forbid it.
_ALLOWED, _FORBIDDEN = {"yes", "designated", "permissive", "destination"}, {"no", "private"}

#: Tags that say whether people may walk on a way.
_WALKING = ("highway", "foot", "access")

_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')

# What begins a description of a virtual data set, which GDAL would read instead, see
# `spineq.data._tables`.
_VIRTUAL = (b"<OGR", b"<VRT", b"<GDAL", b"<WMS", b"<WFS")


def is_extract(source: object) -> bool:
    """Whether something is the path of an OpenStreetMap extract, by its ending."""
    return isinstance(source, (str, Path)) and Path(source).suffix.lower() in EXTRACTS


def is_file(source: object) -> bool:
    """Whether something is meant as a file and not as the name of a place."""
    if isinstance(source, Path):
        return True
    ending = Path(source).suffix.lower() if isinstance(source, str) else ""
    return ending in (*ENDINGS, *EXTRACTS, *_PACKED, ".graphml") or "/" in str(source)


def unpacked(path: Path) -> Path:
    """Check that a file is not packed, as extracts often are.

    Raises
    ------
    UnreadableFileError
        It is.
    """
    if path.suffix.lower() in _PACKED:
        msg = "packed files are not read"
        raise UnreadableFileError(msg, file=path, mend="Unpack it first, or take a .osm.pbf")
    return path


def need_tags(tags: object) -> dict[str, set[str] | None]:
    """Check the tags to look for.

    Returns
    -------
    dict
        The values of each key, None where any will do.

    Raises
    ------
    DataError
        There are none, or they are of another kind.
    """
    mend = 'Write for example {"amenity": ["school", "hospital"]}, or True for every value'
    if not isinstance(tags, Mapping) or not tags:
        msg = f"tags must be keys with values, not {shown(tags)}"
        raise DataError(msg, field="tags", mend=mend)
    made: dict[str, set[str] | None] = {}
    for key, value in tags.items():
        values = [value] if isinstance(value, str) else value
        right = values is True or (
            isinstance(values, (list, tuple, set, frozenset))
            and len(values) > 0
            and all(isinstance(one, str) and one for one in values)
        )
        if not (isinstance(key, str) and key and right):
            msg = f"{shown(key)}: {shown(value)} is no tag to look for"
            raise DataError(msg, field="tags", mend=mend)
        made[key] = None if values is True else {str(one) for one in values}
    return made


def features(
    source: str | Path | None,
    tags: Tags,
    crs: pyproj.CRS,
    bounds: tuple[float, float, float, float] | None = None,
    also: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    """Features that have one of some tags.

    Parameters
    ----------
    source
        Path of an extract or of a table of features; the name of a place; or None for what
        OpenStreetMap has within the bounds.
    tags
        A value for each key, several, or True for any; a feature needs one of the keys only.
    crs
        Coordinate reference system of the answer and of the bounds.
    bounds
        West, south, east and north of what is wanted, metres; None for everything.
    also
        Further tags to return, such as ``"building:levels"``.

    Returns
    -------
    GeoDataFrame
        ``osm_id`` (``n1``, ``w1``, ``r1`` for node, way and relation where the file says which,
        text), a column for each tag asked for (text, None where it is missing), ``geometry``;
        sorted by ``osm_id``.

    Raises
    ------
    DataError
        Tags of the wrong kind, or a file that is missing or not what it should be.
    MissingExtraError
        There is no file, and osmnx is not installed.
    """
    wanted = need_tags(tags)
    keys = list(dict.fromkeys([*wanted, *also]))
    if source is not None and is_file(source):
        path = unpacked(existing_path(source))
        if is_extract(path):
            found = _of_extract(path, wanted, in_degrees(bounds, crs))
        else:
            found = located(read_table(path, "sites"), None, path)
    else:
        found = asked_features(source, tags, in_degrees(bounds, crs))
    return _chosen(found, wanted, keys, crs, bounds)


def _chosen(
    found: gpd.GeoDataFrame,
    wanted: Mapping[str, set[str] | None],
    keys: Sequence[str],
    crs: pyproj.CRS,
    bounds: tuple[float, float, float, float] | None,
) -> gpd.GeoDataFrame:
    import geopandas as gpd

    # Objects, for pandas would otherwise make NaN of a None between texts.
    columns = {key: pd.Series(tag_values(found, key), dtype=object) for key in keys}
    keep = np.zeros(len(found), dtype=bool)
    for key, values in wanted.items():
        right = [
            value is not None and value != "no" and (values is None or value in values)
            for value in columns[key]
        ]
        keep |= np.array(right, dtype=bool)
    keep &= ~(found.geometry.isna() | found.geometry.is_empty).to_numpy()
    made = gpd.GeoDataFrame(
        {"osm_id": _osm_ids(found), **columns}, geometry=found.geometry.to_numpy(), crs=found.crs
    )
    made = made[keep].to_crs(crs)
    if bounds is not None:
        made = made.cx[bounds[0] : bounds[2], bounds[1] : bounds[3]]
    return made.sort_values("osm_id", kind="stable").reset_index(drop=True)


def tag_values(frame: pd.DataFrame, key: str) -> list[str | None]:
    """Values of a tag, (row,): from a column of its name, else from ``tags`` or ``other_tags``."""
    made: list[str | None] = [None] * len(frame)
    for name in (key, key.replace(":", "_")):
        if name in frame.columns:
            made = [_text(value) for value in frame[name]]
            break
    for name in ("other_tags", "tags", "all_tags"):
        if name in frame.columns:
            rest = [_text(tags_of(held).get(key)) for held in frame[name]]
            made = [
                mine if mine is not None else more for mine, more in zip(made, rest, strict=True)
            ]
    return made


def _text(value: object) -> str | None:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):  # type: ignore[call-overload]
        return None
    text = str(value).strip()
    return text or None


def tags_of(held: object) -> dict[str, Any]:
    """Tags of a feature from one cell: a mapping, pairs, JSON, or GDAL's ``"key"=>"value"``."""
    if isinstance(held, Mapping):
        return dict(held)
    if isinstance(held, (list, tuple, np.ndarray)):  # as Parquet gives maps
        return {str(pair[0]): pair[1] for pair in held if len(pair) == 2}
    if not isinstance(held, str):
        return {}
    if held.lstrip().startswith("{"):
        try:
            made = json.loads(held)
        except ValueError:
            return {}
        return made if isinstance(made, dict) else {}
    return {
        re.sub(r"\\(.)", r"\1", key): re.sub(r"\\(.)", r"\1", value)
        for key, value in _PAIR.findall(held)
    }


def _osm_ids(frame: gpd.GeoDataFrame) -> list[str]:
    """Name each feature as OpenStreetMap does, by kind and number; by its row where none is."""
    columns = frame.reset_index() if frame.index.names != [None] else frame
    number = next(
        (name for name in ("osm_id", "osmid", "feature_id", "id", "@id") if name in columns), None
    )
    kind = next((name for name in ("element", "element_type", "osm_type") if name in columns), None)
    rows = range(len(frame))
    ids: list[str | None] = [None] * len(frame)
    if number is not None:
        letters = [""] * len(frame)
        if kind is not None:
            letters = [(_text(value) or "")[:1].lower() for value in columns[kind]]
        texts = [_text(value) for value in columns[number]]
        ids = [
            None if text is None else letter + text.removesuffix(".0").replace("/", "")
            for letter, text in zip(letters, texts, strict=True)
        ]
    width = len(str(len(frame)))
    return [
        name if name is not None else f"row-{row + 1:0{width}d}"
        for row, name in zip(rows, ids, strict=True)
    ]


def _of_extract(
    path: Path,
    wanted: Mapping[str, set[str] | None],
    box: tuple[float, float, float, float] | None,
) -> gpd.GeoDataFrame:
    import geopandas as gpd

    parts = []
    for layer in ("points", "lines", "multipolygons"):
        part = _layer(path, layer, wanted, box)
        if layer == "multipolygons":
            ways = part["osm_way_id"].notna()
            part["osm_id"] = ("w" + part["osm_way_id"].astype(str)).where(
                ways, "r" + part["osm_id"].astype(str)
            )
        else:
            part["osm_id"] = ("n" if layer == "points" else "w") + part["osm_id"].astype(str)
        parts.append(part)
    made: gpd.GeoDataFrame = gpd.GeoDataFrame(
        pd.concat([part.astype({"osm_id": object}) for part in parts], ignore_index=True),
        crs="EPSG:4326",
    )
    return made


def _layer(
    path: Path,
    layer: str,
    keys: Iterable[str],
    box: tuple[float, float, float, float] | None,
) -> gpd.GeoDataFrame:
    """Read what one layer of an extract has with one of some keys."""
    import pyogrio

    _check_extract(path)
    path = path.absolute()
    try:
        columns = set(pyogrio.read_info(path, layer=layer)["fields"])
        tests = []
        for key in keys:
            quoted = key.replace("'", "''")
            if key in columns:
                name = key.replace('"', '""')
                tests.append(f'"{name}" IS NOT NULL')
            # GDAL keeps what it has no column for in one text.
            tests.append(f"other_tags LIKE '%\"{quoted}\"%'")
        # By way of Arrow, GDAL's errors would be lost, and half a file taken for a whole one.
        made: gpd.GeoDataFrame = pyogrio.read_dataframe(
            path,
            layer=layer,
            where=" OR ".join(tests),
            bbox=box,
            use_arrow=False,
            TAGS_FORMAT="JSON",
        )
    except Exception as error:  # GDAL's errors are of several families
        first = shortened((str(error).strip().splitlines() or [""])[0].rstrip("."), 200)
        msg = f"the extract cannot be read ({first or type(error).__name__})"
        raise UnreadableFileError(msg, file=path, mend="Download or cut it again") from error
    return made


def _check_extract(path: Path) -> None:
    """Check that a file begins as an OpenStreetMap extract does: GDAL goes by content alone."""
    if not path.is_file():
        msg = "a file is needed, and this is none"
        raise UnreadableFileError(msg, file=path, mend="Name the file itself")
    with path.open("rb") as opened:
        head = opened.read(8192)
    if path.suffix.lower() == ".pbf":
        right = head[4:15] == b"\n\tOSMHeader"
    else:
        body = re.sub(rb"^(\xef\xbb\xbf)?\s*(<\?.*?\?>|<!--.*?-->|\s)*", b"", head, flags=re.DOTALL)
        right = re.match(rb"<osm[\s>]", body) is not None
    if not right or any(word in head for word in _VIRTUAL):
        msg = f"the file does not begin as OpenStreetMap's {path.suffix} files do"
        mend = "Check what it is; an extract ends in .osm (XML) or .osm.pbf"
        raise UnreadableFileError(msg, file=path, mend=mend)


def streets(
    source: str | Path, crs: pyproj.CRS, bounds: tuple[float, float, float, float] | None = None
) -> gpd.GeoDataFrame:
    """Ways of an extract on which people walk, as lines.

    Left out are motorways, what is planned or no more, ways that ``foot`` or ``access``
    forbid, and cycleways that do not say that people may walk on them. Which side of a street,
    and which direction, makes no difference to somebody on foot.

    Parameters
    ----------
    source
        Path of a ``.osm`` or ``.osm.pbf`` file.
    crs
        Coordinate reference system of the answer and of the bounds.
    bounds
        West, south, east and north of what is wanted, metres; ways that cross them come whole.

    Returns
    -------
    GeoDataFrame
        ``osm_id`` and ``geometry``, a line for each way. Ways that meet share a vertex.

    Raises
    ------
    UnreadableFileError
        The file is no extract, or has no way to walk on there.
    """
    path = existing_path(source)
    found = _layer(path, "lines", ["highway"], in_degrees(bounds, crs))
    highway, foot, access = (tag_values(found, key) for key in _WALKING)
    keep = [walked(*values) for values in zip(highway, foot, access, strict=True)]
    made = found.loc[np.array(keep, dtype=bool), ["osm_id", "geometry"]]
    if len(made) == 0:
        where = "" if bounds is None else " within the city"
        msg = f"the extract has no street to walk on{where}"
        raise UnreadableFileError(msg, file=path, mend="Cut an extract that covers the city")
    return made.set_crs("EPSG:4326", allow_override=True).to_crs(crs).reset_index(drop=True)


def walked(highway: str | None, foot: str | None, access: str | None) -> bool:
    """Whether people walk on a way with these values of the tags of the same names."""
    if highway is None or highway in _NOT_WALKED or foot in _FORBIDDEN:
        return False
    if access in _FORBIDDEN or highway == "cycleway":
        return foot in _ALLOWED
    return True
