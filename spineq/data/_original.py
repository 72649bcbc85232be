"""The original system's processed folder, read as it lies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spineq.data._tables import read_table
from spineq.errors import (
    AreaMismatchError,
    EmptyCityError,
    MissingFileError,
    UnreadableFileError,
    shown,
)
from spineq.model._checks import (
    identifiers,
    known_crs,
    need_columns,
    numbers,
    positive_sum,
    row_name,
)
from spineq.model._contract import age_number, check_bands, check_total
from spineq.model.city import City

#: What the folder's coordinates are in, though no table of it says so.
CRS = "EPSG:27700"

_YEAR = re.compile("[0-9]+")

ATTRIBUTION = (
    "Source: Office for National Statistics licensed under the Open Government Licence "
    "v.3.0. Contains OS data © Crown copyright and database right 2020"
)


def read_original(
    folder: Path,
    crs: object,
    columns: Sequence[str] | None,
    site_columns: Sequence[str] | None = None,
) -> City:
    """Read the folder; see `spineq.read_city`."""
    known_crs(crs, folder, carried=CRS)
    areas = _table(folder / "centroids.csv")
    ids = areas.index.to_numpy(dtype=object)
    for name in ("x", "y"):
        _numbers(areas, name, folder / "centroids.csv", least=None)
    ages = _ages(folder, areas.index)
    workers = _like(folder / "workplace.csv", areas.index)
    jobs = _numbers(workers, "workers", folder / "workplace.csv")
    positive_sum(jobs, "workers", folder / "workplace.csv")
    frame = areas[["x", "y"]].join(ages).join(workers[["workers"]])
    frame.insert(0, "area_id", ids)
    # Of the folder's tables, centroids.csv is the one about the areas themselves.
    named = [site_columns] if isinstance(site_columns, str) else site_columns or []
    frame = frame.join(areas[[c for c in areas.columns if c in named and c not in frame.columns]])
    frame = _with_polygons(frame, folder / "oa_shape" / "oa.shp")
    name, code = _authority(folder / "la_shape" / "la.shp")
    city = City.from_frame(
        frame,
        crs=CRS,
        name=name or folder.name,
        code=code,
        attribution=ATTRIBUTION,
        columns=columns,
        site_columns=site_columns,
        file=folder,
    )
    return _with_sensors(city, folder / "uo_sensors" / "uo_sensors.shp")


def _table(file: Path) -> pd.DataFrame:
    """Read a table and index it by area."""
    if not file.exists():
        msg = "there is no such file"
        raise MissingFileError(msg, file=file, mend="The original's folder needs it")
    frame = read_table(file)
    need_columns(frame, ["oa11cd"], file)
    if len(frame) == 0:
        msg = "there is not a single area"
        raise EmptyCityError(msg, file=file, mend="Give at least one row")
    frame.index = pd.Index(identifiers(frame["oa11cd"], "oa11cd", file), dtype=object)
    return frame.drop(columns="oa11cd")


def _like(file: Path, areas: pd.Index[str]) -> pd.DataFrame:
    """Read a table that must list the same areas, in whatever order."""
    frame = _table(file)
    strange = np.flatnonzero(~frame.index.isin(areas))
    missing = areas[~areas.isin(frame.index)]
    mend = "Let every table list the same areas; where there is nobody, write 0"
    if len(strange):
        code = frame.index[strange[0]]
        msg = f"area {shown(code)} is not in centroids.csv"
        row = row_name(strange[0], frame.index.to_numpy())
        raise AreaMismatchError(msg, file=file, row=row, field="oa11cd", mend=mend)
    if len(missing):
        msg = f"area {shown(missing[0])} is in centroids.csv but not here"
        raise AreaMismatchError(msg, file=file, field="oa11cd", mend=mend)
    return frame


def _numbers(
    frame: pd.DataFrame, name: str, file: Path, *, least: float | None = 0.0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    need_columns(frame, [name], file)
    return numbers(frame[name], frame.index.to_numpy(dtype=object), name, file, least=least)


def _ages(folder: Path, areas: pd.Index[str]) -> pd.DataFrame:
    file = folder / "population_ages.csv"
    ages = _like(file, areas)
    years = sorted(
        (str(name) for name in ages.columns if _YEAR.fullmatch(str(name))), key=age_number
    )
    if not years:
        msg = "there is no column of an age, such as '0'"
        raise UnreadableFileError(msg, file=file, mend="Give one column for each year of age")
    check_bands([(age_number(year), age_number(year), year) for year in years], file)
    by_age = np.column_stack([_numbers(ages, name, file) for name in years])
    positive_sum(by_age.sum(axis=1), "the sum of the ages", file)
    if (folder / "population_total.csv").exists():
        file = folder / "population_total.csv"
        total = _like(file, areas)
        in_their_order = by_age[ages.index.get_indexer(total.index)].sum(axis=1)
        people = _numbers(total, "population", file)
        check_total(in_their_order, people, total.index.to_numpy(dtype=object), file)
    return ages[years].rename(columns=lambda year: f"age_{year}")


def _with_polygons(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    import geopandas as gpd

    if not file.parent.is_dir():
        return frame
    shapes = gpd.GeoDataFrame(_like(file, frame.index))
    polygons = shapes.set_crs(CRS) if shapes.crs is None else shapes.to_crs(CRS)
    made: pd.DataFrame = gpd.GeoDataFrame(
        frame, geometry=polygons.geometry.loc[frame.index].to_numpy(), crs=CRS
    )
    return made


def _authority(file: Path) -> tuple[str, str]:
    """Name and code of the local authority, empty where the folder does not say."""
    if not file.parent.is_dir():
        return "", ""
    table = read_table(file)
    need_columns(table, ["lad20nm", "lad20cd"], file)
    if len(table) != 1:
        msg = f"there are {len(table)} local authorities"
        raise UnreadableFileError(msg, file=file, mend="Keep the one that the folder is of")
    return str(table["lad20nm"].iloc[0]), str(table["lad20cd"].iloc[0])


def _with_sensors(city: City, file: Path) -> City:
    if not file.parent.is_dir():
        return city
    sensors = read_table(file, "existing")
    need_columns(sensors, ["oa11cd"], file)
    sensors = sensors.rename(columns={"oa11cd": "area_id", "id": "sensor_id"})
    kept = [name for name in ("sensor_id", "area_id", "geometry") if name in sensors.columns]
    return city.with_existing(sensors[kept], file=file)
