"""Cities of the United States: census tracts or block groups with residents and jobs.

Zones come as the Census Bureau's boundary files (shapefile, GeoPackage) or as a table with
coordinates, residents by age as the American Community Survey's table B01001 or as age bands of
the file contract, jobs as LODES's workplace files (one row per block). Everything is read from
files on this machine; all tables of a state may hold more than the city.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.data._cautions import caution
from spineq.data._geoids import in_a_state, with_leading_zeros
from spineq.data._tables import existing_path, named_after, projected, read_table
from spineq.errors import (
    AreaMismatchError,
    DataError,
    DuplicateIdError,
    EmptyCityError,
    MissingColumnError,
    UnreadableFileError,
    shortened,
    shown,
)
from spineq.model._checks import distinct_texts, identifiers, need_columns, numbers, row_name
from spineq.model._parquet import band_name
from spineq.model.city import City
from spineq.model.groups import OLDEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

ATTRIBUTION = (
    "Source: U.S. Census Bureau, American Community Survey and LEHD Origin-Destination "
    "Employment Statistics"
)

#: Digits of a zone's GEOID, and what it is then called.
_KINDS = {5: "county", 11: "tract", 12: "block group", 15: "block"}

#: Digits of the parts of a GEOID, where they stand in columns of their own.
_PARTS = {"state": 2, "county": 3, "tract": 6, "block group": 1}

#: Digits of a block's GEOID.
_BLOCK = 15

#: Youngest ages of the bands of B01001, which stand in its lines 3 to 25 for men and 27 to 49
#: for women; line 1 is everybody.
_YOUNGEST = (0, 5, 10, 15, 18, 20, 21, 22, 25, 30, 35, 40, 45, 50, 55, 60, 62, 65, 67, 70, 75,
             80, 85)  # fmt: skip

#: Line of the first band, and how many lines later that of the other sex is.
_FIRST, _OTHER_SEX, _EVERYBODY = 3, 24, 1

#: Names of the lines: B01001_003E (the service's), B01001e3 (TIGER's), B01001_003, B01001003.
_LINE = re.compile(r"B01001_?E?(\d{1,3})E?", re.IGNORECASE)

#: Columns of the identifier, the preferred one first: with letters, it is GEOID and a number.
_GEOID = re.compile(r"GEOID(\d\d)?|GEO_?ID|GEOIDFQ|AFFGEOID(\d\d)?", re.IGNORECASE)

#: What the long form of an identifier begins with: ``1400000US06075010100``.
_LONG = re.compile(r"[0-9A-Z]{7,9}US(?=\d)")

_AGE = re.compile(r"age_[0-9]+(?:_(?:[0-9]+|plus))?")


def read_us_zones(
    zones: str | Path,
    ages: str | Path | None = None,
    workplaces: str | Path | Sequence[str | Path] | None = None,
    *,
    jobs: str = "C000",
    crs: object = None,
    columns: Sequence[str] = (),
    site_columns: Sequence[str] | None = None,
    name: str | None = None,
    attribution: str = ATTRIBUTION,
) -> City:
    """Read a city from tables of the Census Bureau.

    Parameters
    ----------
    zones
        One row per tract or block group (or county, or block): ``GEOID`` (also ``GEOID20``,
        ``GEO_ID`` in its long form), and polygons (shapefile, GeoPackage, GeoParquet, GeoJSON)
        or ``x`` and ``y`` (CSV). They are the city's areas.
    ages
        Residents of each zone by age: table B01001 of the American Community Survey, as the
        service, data.census.gov or TIGER name its lines (``B01001_003E``, ``B01001e3``); or
        age bands of the file contract (``age_0_15``); or ``population``. Further zones in it
        are left out. None where the table of zones has these columns itself.
    workplaces
        LODES's file of workplaces (``ca_wac_S000_JT00_2021.csv.gz``), or several: jobs by
        block, which are summed over each zone. None for a city without jobs.
    jobs
        Column of the jobs that are to be the city's workers: ``C000`` is all of them.
    crs
        Coordinate reference system of a table that carries none.
    columns
        Further columns of the table of zones to take as weights, counts of 0 or more.
    site_columns
        Columns of the table of zones, numbers or texts, that the sites at them are to have, such
        as ``COUNTYFP``.
    name, attribution
        What to call the city, and the source to name in every picture.

    Returns
    -------
    City
        With columns of ages, and ``workers`` where there are workplaces, in the UTM zone of
        the city unless the table has metres already.

    Raises
    ------
    AreaMismatchError
        A zone is missing from the table of ages, or no workplace lies in any zone.
    DataError
        One of its other kinds for whatever else does not add up.

    Warns
    -----
    SpineqWarning
        As `spineq.read_city`.
    """
    file = existing_path(zones)
    city = city_of_zones(
        read_us_table(file), file, ages, workplaces, jobs=jobs, crs=crs, columns=columns,
        site_columns=site_columns,
    )  # fmt: skip
    caution(city, file)
    return city.labelled(name=name, attribution=attribution)


def city_of_zones(
    frame: pd.DataFrame,
    file: Path,
    ages: str | Path | None,
    workplaces: str | Path | Sequence[str | Path] | None,
    *,
    jobs: str = "C000",
    crs: object = None,
    columns: Sequence[str] = (),
    site_columns: Sequence[str] | None = None,
) -> City:
    """Make a city of a table of zones, as `read_us_table` reads it; see `read_us_zones`.

    It is named after its file, and cautions are left to whoever calls.
    """
    if len(frame) == 0:
        msg = "there is not a single zone"
        raise EmptyCityError(msg, file=file, mend="Give at least one row")
    frame = frame.rename(columns=str)
    ids = identifiers(_geoids(frame, file), "GEOID", file)
    source = file if ages is None else existing_path(ages)
    table = frame if ages is None else read_us_table(source).rename(columns=str)
    theirs = ids if ages is None else identifiers(_geoids(table, source), "GEOID", source)
    whole = with_leading_zeros(ids, theirs)
    # Two rows may be one now, as where a table has a zone in both forms.
    changed = "" if (whole == ids).all() else " The leading zeros of identifiers were put back."
    ids = identifiers(pd.Series(whole), "GEOID", file)
    frame = frame.assign(area_id=ids)
    digits = _digits(ids, file)
    residents = frame if ages is None else _matched(table, theirs, ids, source)
    counted = _residents(residents, ids, source)
    note = f"Census {_KINDS[digits]}s.{changed}"
    if workplaces is not None:
        counted["workers"], said = _jobs(workplaces, jobs, ids, digits)
        note = f"{note} {said}"
    need_columns(frame, [*columns, *(site_columns or ())], file)
    weights = {name: _numbers(frame, name, ids, file) for name in columns}
    twice = next((name for name in weights if name in counted), None)
    if twice is not None:
        msg = f"the column {shown(twice)} would be there twice, as it is also made of other tables"
        raise DataError(msg, file=file, field="columns", mend="Leave it out, or rename it")
    kept = [name for name in ("area_id", "x", "y") if name in frame.columns]
    kept += [name for name in site_columns or () if name not in kept]
    geometry = getattr(frame, "active_geometry_name", None)
    bare = frame[[*kept, geometry]] if geometry else frame[kept]
    placed, moved = projected(bare, crs, file)
    return City.from_frame(
        placed.assign(**weights, **counted),
        name=named_after(file),
        attribution=ATTRIBUTION,
        note=f"{note} {moved}".strip(),
        columns=[*weights, *(["workers"] if workplaces is not None else [])],
        site_columns=site_columns,
        file=file,
    )


def is_us_zones(frame: pd.DataFrame) -> bool:
    """Whether a table of areas is one of the Census Bureau's: a GEOID, and no ``area_id``."""
    names = [str(column) for column in frame.columns]
    return "area_id" not in names and any(_GEOID.fullmatch(column) for column in names)


def read_us_table(file: Path) -> pd.DataFrame:
    """Read a table of the Census Bureau, identifiers as text.

    A CSV of data.census.gov has the names of its columns in the first line and what they mean
    in the second, which is left out.
    """
    endings = [ending.lower() for ending in file.suffixes[-2:]]
    if endings[-1:] != [".csv"] and endings != [".csv", ".gz"]:
        return read_table(file)
    try:
        frame = pd.read_csv(file, dtype=str, encoding="utf-8-sig")
    except (ValueError, OSError, EOFError) as error:
        said = shortened((str(error).strip().splitlines() or [""])[0].rstrip("."), 200)
        msg = f"the file cannot be read ({said or type(error).__name__})"
        raise UnreadableFileError(
            msg, file=file, mend="Check that it is a whole CSV file, and download it again if not"
        ) from error
    explained = len(frame) > 0 and str(frame.iloc[0, 0]).strip().lower() in ("geography", "id")
    return frame.iloc[1:].reset_index(drop=True) if explained else frame


def _geoids(frame: pd.DataFrame, file: Path) -> pd.Series[Any]:
    """GEOID of each row as text, in its short form."""
    parts = [part for part in _PARTS if part in frame.columns]
    column = next((name for name in frame.columns if _GEOID.fullmatch(name)), None)
    if column is None and len(parts) >= 2:
        # As the service answers: the parts of the identifier in columns of their own.
        full = {part: frame[part].astype(str).str.zfill(_PARTS[part]) for part in parts}
        joined = pd.DataFrame(full).agg("".join, axis=1)
        return joined.rename("GEOID")
    if column is None:
        there = ", ".join(map(shortened, frame.columns[:12]))
        msg = "there is no column of identifiers, such as GEOID"
        raise MissingColumnError(
            msg, file=file, field="GEOID", mend=f"Add it; the columns there are {there}"
        )
    texts, codes = distinct_texts(frame[column], file)
    short = np.array([_LONG.sub("", text) for text in texts], dtype=object)
    return pd.Series(short[codes], index=frame.index, name=column)


def _digits(ids: NDArray[np.object_], file: Path) -> int:
    """How many digits the zones' identifiers have, all of them alike."""
    for row, text in enumerate(ids):
        known = re.fullmatch(r"[0-9]+", text) and len(text) in _KINDS and in_a_state(text)
        if not known or len(text) != len(ids[0]):
            msg = f"{shown(text)} is no GEOID of a tract (11 digits) or block group (12 digits)"
            if text.isdigit() and len(text) in _KINDS and not in_a_state(text):
                msg = f"{shown(text)} is no GEOID, for no state has the number {text[:2]}"
            elif text.isdigit() and len(text) in _KINDS:
                msg = f"{shown(text)} and {shown(ids[0])} are not of the same kind of zones"
            mend = (
                "Write all in full, with the leading zero of the state, as text (a table program "
                "drops it); the zones of other countries have their names in a column area_id"
            )
            raise UnreadableFileError(
                msg, file=file, row=row_name(row, ids), field="GEOID", mend=mend
            )
    return len(ids[0])


def _matched(
    table: pd.DataFrame, found: NDArray[np.object_], ids: NDArray[np.object_], file: Path
) -> pd.DataFrame:
    """Rows of a table with the GEOIDs ``found``, (row,), in the order of the zones."""
    # Some may have lost the zero of their state; there are zones of one kind alone in `ids`.
    known, short = set(found), len(ids[0]) - 1
    whole = [f"0{t}" if len(t) == short and f"0{t}" not in known else t for t in found]
    position = pd.Index(whole, dtype=object).get_indexer(pd.Index(ids, dtype=object))
    missing = np.flatnonzero(position < 0)
    if len(missing):
        more = len(missing) - 1
        nor = f" (nor {'is' if more == 1 else 'are'} {more:,} more)" if more else ""
        msg = f"zone {shown(ids[missing[0]])} is not in the table{nor}"
        mend = (
            "Use tables of the same year and of the same kind of zones, with GEOIDs in full (a "
            "table program drops leading zeros)"
        )
        raise AreaMismatchError(msg, file=file, field="GEOID", mend=mend)
    return table.iloc[position].reset_index(drop=True)


def _residents(
    table: pd.DataFrame, ids: NDArray[np.object_], file: Path
) -> dict[str, NDArray[np.float64]]:
    """Residents by age band, (zone,) each, by the names of the file contract."""
    lines = {int(match[1]): name for name in table.columns if (match := _LINE.fullmatch(name))}
    if not lines:
        kept = [name for name in table.columns if _AGE.fullmatch(name) or name == "population"]
        if not kept:
            msg = "there are neither lines of B01001, such as B01001_003E, nor age bands"
            mend = (
                "Give table B01001 with all its lines, as ages= (--ages) where it is a file of "
                "its own, or columns such as age_0_15 or population"
            )
            raise MissingColumnError(msg, file=file, field="B01001_003E", mend=mend)
        return {name: _numbers(table, name, ids, file) for name in kept}
    made = {}
    for k, youngest in enumerate(_YOUNGEST):
        both = (_FIRST + k, _FIRST + k + _OTHER_SEX)
        need_columns(table, [lines.get(line, f"B01001_{line:03d}E") for line in both], file)
        oldest = _YOUNGEST[k + 1] - 1 if k + 1 < len(_YOUNGEST) else OLDEST
        made[band_name(youngest, oldest)] = sum(
            (_numbers(table, lines[line], ids, file) for line in both), np.zeros(len(ids))
        )
    if _EVERYBODY in lines:
        # City.from_frame compares it with the sum of the ages.
        made["population"] = _numbers(table, lines[_EVERYBODY], ids, file)
    return made


def _numbers(
    table: pd.DataFrame, name: str, ids: NDArray[np.object_], file: Path
) -> NDArray[np.float64]:
    values = table[name]
    if not pd.api.types.is_numeric_dtype(values):
        values = values.where(values.isna(), values.astype(str).str.replace(",", ""))
    mend = "Correct it; the survey writes numbers below 0 where it has no estimate"
    return numbers(values, ids, name, file, mend=mend)


def _jobs(
    workplaces: str | Path | Sequence[str | Path],
    jobs: str,
    ids: NDArray[np.object_],
    digits: int,
) -> tuple[NDArray[np.float64], str]:
    """Jobs in each zone, (zone,), and a sentence that says how many there are around."""
    several = isinstance(workplaces, Iterable) and not isinstance(workplaces, str)
    files = list(workplaces) if several else [workplaces]  # type: ignore[arg-type]
    if not files:
        msg = "there is not a single file of workplaces"
        raise DataError(msg, field="workplaces", mend="Name one, or None for a city without jobs")
    total, around = np.zeros(len(ids)), 0.0
    earlier: set[str] = set()
    counties = {text[:5] for text in ids}
    for given in files:
        file = existing_path(given)
        table = read_us_table(file)
        need_columns(table, ["w_geocode", jobs], file)
        blocks, codes = distinct_texts(table["w_geocode"], file)
        wrong = next((b for b in blocks if not (b.isdigit() and len(b) == _BLOCK)), None)
        if wrong is not None:
            row = int(np.flatnonzero(blocks[codes] == wrong)[0])
            msg = f"{shown(wrong)} is no block of {_BLOCK} digits"
            mend = "Read LODES's file as it comes; a table program drops leading zeros"
            raise UnreadableFileError(
                msg, file=file, row=row_name(row), field="w_geocode", mend=mend
            )
        # Jobs of a block that is there twice, as in files of two years, would count twice.
        again = np.array([block in earlier for block in blocks], dtype=np.bool_)[codes]
        again |= pd.Series(codes).duplicated().to_numpy()
        if again.any():
            row = int(np.flatnonzero(again)[0])
            msg = f"the block {shown(blocks[codes[row]])} stands in an earlier row or file too"
            mend = "Give each state's file once, of one year"
            raise DuplicateIdError(msg, file=file, row=row_name(row), field="w_geocode", mend=mend)
        earlier.update(blocks)
        count = numbers(table[jobs], blocks[codes], jobs, file)
        zone = np.array([block[:digits] for block in blocks], dtype=object)
        position = pd.Index(ids, dtype=object).get_indexer(pd.Index(zone, dtype=object))[codes]
        inside = position >= 0
        if not inside.any():
            msg = f"not one of {len(table):,} blocks lies in a zone of the city"
            mend = (
                "Use the file of the city's state, and zones of the same census, with GEOIDs in "
                "full (a table program drops leading zeros)"
            )
            raise AreaMismatchError(msg, file=file, field="w_geocode", mend=mend)
        total += np.bincount(position[inside], weights=count[inside], minlength=len(ids))
        near = np.array([block[:5] in counties for block in blocks], dtype=np.bool_)[codes]
        around += float(count[near].sum())
    said = f"Jobs: {total.sum():,.0f} in these zones, of {around:,.0f} in their counties."
    return total, said
