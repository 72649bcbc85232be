"""Cities from files: the file contract, and the original system's processed folder."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from spineq.data._original import read_original
from spineq.data._tables import ENDINGS, existing_path, located, projected
from spineq.data._tables import read_table as read_table
from spineq.errors import DataError, EmptyCityError, MissingFileError, SpineqWarning
from spineq.model._checks import crs_of
from spineq.model._parquet import PARTS, read_head
from spineq.model.city import City
from spineq.model.groups import GROUPS, unprintable


def read_city(
    path: str | Path,
    *,
    crs: object = None,
    sites: str | Path | None = None,
    points: str | Path | None = None,
    existing: str | Path | None = None,
    travel: str | Path | None = None,
    travel_unit: str = "m",
    columns: Sequence[str] | None = None,
    site_columns: Sequence[str] | None = None,
    name: str | None = None,
    attribution: str | None = None,
) -> City:
    """Read a city from a file or a folder.

    Parameters
    ----------
    path
        A GeoParquet, GeoPackage, GeoJSON, shapefile or CSV file with one row per area as
        `City.from_frame` describes it; a folder with a file ``areas`` of one of these kinds
        and optionally ``sites``, ``points``, ``existing`` and ``travel`` beside it; or the
        original system's processed folder (``centroids.csv``, ``population_ages.csv``,
        ``workplace.csv`` and, where they are there, ``population_total.csv``, ``oa_shape``,
        ``la_shape``, ``uo_sensors``).
    crs
        Coordinate reference system of files that carry none (CSV), such as ``"EPSG:27700"``;
        it holds for the parts too. Without it, parts that carry none are in the city's own.
        Longitude and latitude, feet and the like are projected to the UTM zone of the city.
    sites, points, existing, travel
        Files of their own for candidate sites, demand points, existing sensors and travel
        costs; see ``City.with_sites``, ``with_demand``, ``with_existing``, ``with_travel``.
    travel_unit
        Unit of the travel costs.
    columns
        Further columns to take as weights; None takes every numeric one.
    site_columns
        Columns of the table of areas, numbers or texts, that their sites are to have, such as a
        ward; a table of sites has its own, all of which are kept.
    name, attribution
        What to call the city, and the source to name in every picture.

    Returns
    -------
    City

    Raises
    ------
    DataError
        One of its kinds, naming the file, the row and the mend; see `spineq.errors`.

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
    head: dict[str, Any] = {}
    if path.is_dir() and (path / "centroids.csv").exists():
        city = read_original(path, crs, columns, site_columns)
        files = given
    else:
        file, found = _contract_files(path)
        city, head = _contract(file, crs, columns, site_columns)
        files = {part: given[part] or found.get(part) for part in PARTS}
    if given["travel"] is None:
        travel_unit = head.get("travel_unit", travel_unit)
    if site_columns and files["sites"]:
        msg = "site_columns are for sites at the areas, and there is a table of sites"
        mend = "Give that table the columns, and leave site_columns out"
        raise DataError(msg, file=files["sites"], field="site_columns", mend=mend)
    city = _with_parts(city, files, crs, travel_unit)
    if columns is None and not site_columns and not any(given.values()):
        _check_written(city, head, files, path)
    if name is not None or attribution is not None:
        city = city.labelled(name=name, attribution=attribution)
    _warn(city, path)
    return city


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
        msg = f"the city was written with {' and '.join(missing)}, not found here"
        mend = "Read the whole folder that City.to_geoparquet wrote"
    elif extra:
        msg = f"the city was written without {' and '.join(extra)}, found beside it"
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


def _contract(
    file: Path, crs: object, columns: Sequence[str] | None, site_columns: Sequence[str] | None
) -> tuple[City, dict[str, Any]]:
    """Read the areas, and what our own files say beside them."""
    frame = read_table(file)
    head = read_head(file) if file.suffix.lower() == ".parquet" else {}
    if len(frame) == 0:
        msg = "there is not a single area"
        raise EmptyCityError(msg, file=file, mend="Give at least one row")
    frame, note = projected(frame, crs, file)
    label = {key: str(head.get(key, "")) for key in ("name", "code", "attribution", "note")}
    if note:
        label["note"] = f"{label['note']} {note}".strip()
    # The name of a file may hold what no text can.
    stem = file.parent.name if file.stem == "areas" else file.stem
    label["name"] = label["name"] or "".join("?" if unprintable(char) else char for char in stem)
    city = City.from_frame(frame, columns=columns, site_columns=site_columns, file=file, **label)
    return city, head


def _with_parts(city: City, files: dict[str, Path | None], crs: object, travel_unit: str) -> City:
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


def _warn(city: City, path: Path) -> None:
    import shapely

    polygons = city.polygons
    if polygons is not None:
        invalid = ~shapely.is_valid(polygons.geometry.to_numpy())
        if invalid.any():
            first = ", ".join(polygons.index[invalid][:3])
            warnings.warn(
                f"{path}: {invalid.sum()} of {len(invalid)} polygons are not valid ({first}); "
                "they are drawn as they are, and no sum uses them.",
                SpineqWarning,
                stacklevel=3,
            )
    split = [
        group.label for group in GROUPS.values() if city.has(group) and city.people(group).estimated
    ]
    if split:
        warnings.warn(
            f"{path}: the age bands cut through {' and '.join(split)}; "
            "these groups are estimates, in proportion to the years.",
            SpineqWarning,
            stacklevel=3,
        )
