"""Cities from files of every kind: tables, rasters, the original system's processed folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from spineq.data._cautions import caution
from spineq.data._original import read_original
from spineq.data._tables import ENDINGS, existing_path, located, named_after, projected
from spineq.data._tables import read_table as read_table
from spineq.data._worldpop import RASTERS
from spineq.data.raster import CELL, city_of_rasters
from spineq.data.us_zones import city_of_zones, is_us_zones, read_us_table
from spineq.errors import DataError, EmptyCityError, MissingFileError
from spineq.model._checks import crs_of
from spineq.model._objective_words import in_a_list
from spineq.model._parquet import PARTS, read_head
from spineq.model.city import City

if TYPE_CHECKING:
    import geopandas as gpd

#: What a city may be read from, as messages call it.
_TABLE = "a table of areas"
_ZONES = "a table of zones of the United States"
_RASTER = "a raster of people"
_ORIGINAL = "a folder of the original system"

#: Words that not every kind of input knows: the kinds that do, and how they are told apart.
_ANY_TABLE = ((_TABLE, _ZONES, _ORIGINAL), "tables of areas")
_ONLY_ZONES = ((_ZONES,), f"{_ZONES}, which has a column GEOID and none called area_id")
_ONLY_RASTER = ((_RASTER,), f"{_RASTER}, a file that ends in {RASTERS[0]}")
_KINDS = {
    "columns": _ANY_TABLE,
    "site_columns": _ANY_TABLE,
    "ages": _ONLY_ZONES,
    "workplaces": _ONLY_ZONES,
    "cell": _ONLY_RASTER,
    "within": _ONLY_RASTER,
}


def read_city(
    path: str | Path,
    *,
    crs: object = None,
    sites: str | Path | None = None,
    points: str | Path | None = None,
    existing: str | Path | None = None,
    travel: str | Path | None = None,
    travel_unit: str | None = None,
    columns: Sequence[str] | None = None,
    site_columns: Sequence[str] | None = None,
    ages: str | Path | None = None,
    workplaces: str | Path | Sequence[str | Path] | None = None,
    cell: float | None = None,
    within: str | Path | gpd.GeoDataFrame | tuple[float, float, float, float] | None = None,
    name: str | None = None,
    attribution: str | None = None,
) -> City:
    """Read a city from a file or a folder.

    The path says what it is, and of a table its columns do:

    - a table of areas, as `City.from_frame` describes it: a GeoParquet, GeoPackage, GeoJSON,
      shapefile or CSV file with one row per area and a column ``area_id``;
    - a folder with such a file ``areas``, and optionally ``sites``, ``points``, ``existing``
      and ``travel`` beside it;
    - a table of zones of the United States, census tracts or block groups: such a file with a
      column ``GEOID`` and none called ``area_id``; see `spineq.read_us_zones`;
    - a raster, a GeoTIFF (``.tif``) with the number of people in each pixel, which are gathered
      into square cells; see `spineq.read_raster`, which reads several by age and sex too;
    - the original system's processed folder: ``centroids.csv``, ``population_ages.csv``,
      ``workplace.csv`` and, where they are there, ``population_total.csv``, ``oa_shape``,
      ``la_shape``, ``uo_sensors``.

    Parameters
    ----------
    path
        The file or folder.
    crs
        Coordinate reference system of files that carry none (CSV), such as ``"EPSG:27700"``;
        it holds for the parts too. Without it, parts that carry none are in the city's own.
        Longitude and latitude, feet and the like are projected to the UTM zone of the city.
        For a raster, the system of metres in which the cells are squares.
    sites, points, existing, travel
        Files of their own for candidate sites, demand points, existing sensors and travel
        costs, whatever the city is read from; see ``City.with_sites``, ``with_demand``,
        ``with_existing``, ``with_travel``. In a file of demand points, rows with a ``group``
        are that group's and no area's: so many ``people`` exactly there, such as the pupils of
        a school (``City.with_group_points``).
    travel_unit
        Unit of the travel costs; None for the one that the file says (a GeoParquet folder, or a
        Parquet file of `spineq.travel`), or else metres.
    columns
        Further columns of the table of areas to take as weights; None takes every numeric one,
        of zones of the United States none.
    site_columns
        Columns of the table of areas, numbers or texts, that their sites are to have, such as a
        ward; a table of sites has its own, all of which are kept.
    ages
        For zones of the United States: the file of residents by age, such as table B01001,
        where the table of zones has no such columns.
    workplaces
        For zones of the United States: LODES's file of workplaces, or several.
    cell
        For a raster: side of the cells, metres; None for 200.
    within
        For a raster: what part of it to read, a file or table of polygons, or west, south, east
        and north in degrees; None for all of it.
    name, attribution
        What to call the city, and the source to name in every picture.

    Returns
    -------
    City

    Raises
    ------
    DataError
        One of its kinds, naming the file, the row and the mend; see `spineq.errors`. Also
        where a word is given that this kind of input does not know.
    MissingExtraError
        It is a raster, and rasterio is not installed.

    Warns
    -----
    SpineqWarning
        Polygons that are not valid (the sums do not use them), and age bands that cut
        through one of the four groups, which are then estimates.
    """
    path = existing_path(path, "file or folder")
    given = {
        part: _optional(file)
        for part, file in zip(PARTS, (sites, points, existing, travel), strict=True)
    }
    words: dict[str, Any] = {
        "columns": columns, "site_columns": site_columns, "ages": ages, "workplaces": workplaces,
        "cell": cell, "within": within,
    }  # fmt: skip
    head: dict[str, Any] = {}
    found: dict[str, Path] = {}
    if path.is_dir() and (path / "centroids.csv").exists():
        _need_known(words, _ORIGINAL, path)
        city = read_original(path, crs, columns, site_columns)
    elif path.suffix.lower() in RASTERS and path.is_file():
        _need_known(words, _RASTER, path)
        side = CELL if cell is None else cell
        city = city_of_rasters({"population": [path]}, cell=side, within=within, crs=crs)
    else:
        file, found = _contract_files(path)
        city, head = _of_table(file, crs, words)
    files = {part: given[part] or found.get(part) for part in PARTS}
    if given["travel"] is None:
        travel_unit = head.get("travel_unit", travel_unit)
    elif said := head.get("travel_note"):
        # Another table takes the place of the one that this was said of.
        kept = [line for line in city.label.note.splitlines() if line != said]
        city = city.labelled(note="\n".join(kept))
    if site_columns and files["sites"]:
        msg = "site_columns are for sites at the areas, and there is a table of sites"
        mend = "Give that table the columns, and leave site_columns out"
        raise DataError(msg, file=files["sites"], field="site_columns", mend=mend)
    city = _with_parts(city, files, crs, travel_unit)
    if columns is None and not site_columns and not any(given.values()):
        _check_written(city, head, files, path)
    if name is not None or attribution is not None:
        city = city.labelled(name=name, attribution=attribution)
    caution(city, path)
    return city


def _need_known(words: Mapping[str, Any], kind: str, path: Path) -> None:
    """Refuse words that the kind of input does not know."""
    for word, value in words.items():
        kinds, told = _KINDS[word]
        if value is not None and kind not in kinds:
            msg = f"{word} is for {told}, and this is {kind}"
            raise DataError(msg, file=path, field=word, mend="Leave it out")


def _check_written(
    city: City, head: dict[str, Any], files: dict[str, Path | None], path: Path
) -> None:
    """Check that what `City.to_geoparquet` wrote is together and as it was."""
    if head.get("digest") in (None, city.digest):
        return
    written = set(head.get("parts", ()))
    missing = [part for part in PARTS if part in written and not files[part]]
    extra = [part for part in PARTS if part not in written and files[part]]
    if missing:
        msg = f"the city was written with {in_a_list(missing)}, not found here"
        mend = "Read the whole folder that City.to_geoparquet wrote"
    elif extra:
        msg = f"the city was written without {in_a_list(extra)}, found beside it"
        mend = f"Name it if you want it ({extra[0]}=...), else take it away"
    else:
        msg = "the files were changed since they were written, and may not belong together"
        mend = "Write the city again with City.to_geoparquet"
    raise DataError(msg, file=path, mend=mend)


def _optional(path: str | Path | None) -> Path | None:
    return None if path is None else existing_path(path)


def _contract_files(path: Path) -> tuple[Path, dict[str, Path]]:
    if not path.is_dir():
        return path, {}
    found = {
        stem: path / f"{stem}{ending}"
        for stem in ("areas", *PARTS)
        for ending in reversed(ENDINGS)
        if (path / f"{stem}{ending}").exists()
    }
    if "areas" not in found:
        msg = "the folder holds neither a file areas nor centroids.csv"
        raise MissingFileError(
            msg, file=path, mend=f"Name the table of areas areas{', areas'.join(ENDINGS)}"
        )
    return found.pop("areas"), found


def _of_table(file: Path, crs: object, words: dict[str, Any]) -> tuple[City, dict[str, Any]]:
    """Read the areas, and what our own files say beside them."""
    frame = read_table(file)
    if is_us_zones(frame):
        _need_known(words, _ZONES, file)
        if file.suffix.lower() == ".csv":
            # Again: identifiers are text there, with their leading zeros.
            frame = read_us_table(file)
        city = city_of_zones(
            frame, file, words["ages"], words["workplaces"], crs=crs,
            columns=words["columns"] or (), site_columns=words["site_columns"],
        )  # fmt: skip
        return city, {}
    _need_known(words, _TABLE, file)
    head = read_head(file) if file.suffix.lower() == ".parquet" else {}
    if len(frame) == 0:
        msg = "there is not a single area"
        raise EmptyCityError(msg, file=file, mend="Give at least one row")
    frame, note = projected(frame, crs, file)
    label = {key: str(head.get(key, "")) for key in ("name", "code", "attribution", "note")}
    if note:
        label["note"] = f"{label['note']} {note}".strip()
    label["name"] = label["name"] or named_after(file)
    city = City.from_frame(
        frame, columns=words["columns"], site_columns=words["site_columns"], file=file, **label
    )
    return city, head


def _with_parts(
    city: City, files: dict[str, Path | None], crs: object, travel_unit: str | None
) -> City:
    def places(part: str, file: Path) -> pd.DataFrame:
        frame = read_table(file, part)
        if crs is None or crs_of(frame) is not None:
            return frame
        placed: pd.DataFrame = located(frame, crs, file)
        return placed

    # Sites and points first: travel costs lead from the ones to the others.
    if file := files["sites"]:
        city = city.with_sites(places("sites", file), file=file)
    if file := files["points"]:
        city = city.with_demand(places("points", file), file=file)
    if file := files["existing"]:
        city = city.with_existing(places("existing", file), file=file)
    if file := files["travel"]:
        city = city.with_travel(read_table(file, "travel"), unit=travel_unit, file=file)
    return city
