"""Files of rasters by what they count: WorldPop's names, or the user's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spineq.data._tables import existing_path
from spineq.errors import AgeBandError, EmptyCityError, UnreadableFileError, shortened, shown
from spineq.model._parquet import band_name
from spineq.model.groups import OLDEST

#: Endings of rasters.
RASTERS = (".tif", ".tiff")

#: Columns of the cells themselves.
_NO_COUNTS = ("", "area_id", "x", "y", "geometry")

#: WorldPop's names: ``gbr_f_10_2020.tif``, sex (f, m, t for both) and youngest age of the band.
_WORLDPOP = re.compile(r"(?:^|_)([fmt])_(\d{1,2})_", re.IGNORECASE)


def files_by_column(files: Any) -> dict[str, list[Path]]:
    """Files by the column of the city that they count, several where they are to be added."""
    if isinstance(files, Mapping):
        made = {str(column): [_tiff(path)] for column, path in files.items()}
    elif isinstance(files, (str, Path)) or not isinstance(files, Iterable):
        made = {"population": [_tiff(files)]}
    else:
        paths = [_tiff(path) for path in files]
        made = {"population": paths} if len(paths) < 2 else _worldpop(paths)
    if not any(made.values()):
        msg = "there is not a single raster"
        raise EmptyCityError(msg, field="files", mend="Name at least one GeoTIFF")
    reserved = next((column for column in made if column.strip() in _NO_COUNTS), None)
    if reserved is not None:
        msg = f"no raster can count {shown(reserved)}, which the cells have anyway"
        mend = "Call it population, workers, an age band such as age_0_15, or otherwise"
        raise UnreadableFileError(msg, field="files", mend=mend)
    return made


def _tiff(given: object) -> Path:
    path = existing_path(given)
    if path.suffix.lower() not in RASTERS or not path.is_file():
        msg = "a GeoTIFF is needed, a file that ends in .tif"
        raise UnreadableFileError(msg, file=path, mend="Name the file itself")
    return path


def _worldpop(paths: list[Path]) -> dict[str, list[Path]]:
    """Files by age band, from WorldPop's names."""
    found: dict[str, dict[int, Path]] = {}
    for path in paths:
        match = _WORLDPOP.search(path.stem)
        if match is None:
            msg = "the name says neither sex nor age, as in gbr_f_10_2020.tif"
            mend = "Give a dictionary of files by what they count, such as population or age_0_15"
            raise UnreadableFileError(msg, file=path, mend=mend)
        sex, age = match[1].lower(), int(match[2])
        if age in found.setdefault(sex, {}):
            msg = f"there are two files of sex {sex} and age {age}"
            mend = "Give those of one year alone"
            raise AgeBandError(msg, file=path, mend=mend)
        found[sex][age] = path
    both = {"f", "m"} if "t" not in found else {"t"}
    if set(found) != both or len({tuple(sorted(by_age)) for by_age in found.values()}) != 1:
        said = "; ".join(
            f"{sex}: {', '.join(map(str, sorted(by_age)))}" for sex, by_age in sorted(found.items())
        )
        msg = f"the ages differ between the sexes, or a sex is missing ({shortened(said, 200)})"
        mend = "Give every age of f and of m, or of t alone"
        raise AgeBandError(msg, field="files", mend=mend)
    youngest = sorted(next(iter(found.values())))
    if youngest[0] != 0:
        msg = f"the youngest age is {youngest[0]}"
        raise AgeBandError(msg, field="files", mend="Give the files from age 0 on")
    ends = [age - 1 for age in youngest[1:]] + [OLDEST]
    return {
        band_name(first, last): [found[sex][first] for sex in sorted(found)]
        for first, last in zip(youngest, ends, strict=True)
    }
