"""The folder of a sweep: whose it is, and the files in it, each whole or not there.

::

    sweep.yml           the configuration, with the sweep's digest and versions above it
    store/              the jobs, unless another store is named
    networks/0001.nc    answers by point: networks, fronts, baselines
    reports/0001/       reports by point
    points.parquet      the table, at the end; points.csv the same for any programme
    grid.nc             the dataset over the grid
    summary.html        pictures of it all, from summary.ipynb
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from spineq.errors import MissingFileError, ProblemError, StoreError, UnreadableFileError
from spineq.model._sealed import Kind, read_sealed, sealed
from spineq.store import whole_file
from spineq.sweeps.table import (
    BASELINES,
    FRONTS,
    NETWORKS,
    SWEEP_SCHEMA,
    SweepResult,
    answer_file,
)

#: Names of the files.
CONFIG, TABLE, CSV, GRID, STORE, REPORTS, PAGE, NOTEBOOK = (
    "sweep.yml", "points.parquet", "points.csv", "grid.nc", "store", "reports", "summary.html",
    "summary.ipynb",
)  # fmt: skip

_KIND = Kind("sweep", "spineq_sweep_schema", SWEEP_SCHEMA)

#: Packages whose version a result may depend on.
_PACKAGES = ("numpy", "scipy", "numba", "pandas", "xarray", "distributed")

_DIGEST = re.compile(r"^# digest: ([0-9a-f]{16})$", re.MULTILINE)


def claim(folder: Path, digest: str, text: str, *, anew: bool) -> None:
    """Make a folder that of a sweep.

    Parameters
    ----------
    folder
        The folder, which is made where it is missing.
    digest
        Of the sweep.
    text
        Its configuration.
    anew
        Whether to replace what this or another sweep left there.

    Raises
    ------
    ProblemError
        It is that of another sweep, or has something of somebody else's under our names.
    StoreError
        It cannot be written.
    """
    earlier = _digest_of(folder / CONFIG)
    if earlier == "other":
        msg = f"the folder {folder} has a {CONFIG} that is not of a sweep's results"
        raise ProblemError(msg, field="output", mend="Name another folder")
    if earlier == "":
        _need_free(folder)
    if earlier not in ("", digest) and not anew:
        msg = f"the folder {folder} holds the results of another sweep"
        mend = "Name another folder, or replace them with --anew (in Python anew=True)"
        raise ProblemError(msg, field="output", mend=mend)
    if anew and earlier:
        try:
            _clear(folder)
        except OSError as error:
            msg = f"the earlier results cannot be taken away ({error.strerror or error})"
            raise StoreError(msg, file=folder, mend="Name another folder") from error
    versions = ", ".join(f"{name} {version}" for name, version in versions_here().items())
    head = (
        "# A sweep of spineq's; the same command with the same file goes on with it.\n"
        f"# digest: {digest}\n# versions: {versions}\n"
        "# Below, the file as it was given: its paths are relative to where it lay.\n\n"
    )
    with whole_file(folder / CONFIG) as temporary:
        temporary.write_text(head + text, encoding="utf-8")


def versions_here() -> dict[str, str]:
    """Versions of spineq, Python and the packages that results depend on."""
    found = {"spineq": metadata.version("spineq"), "python": platform.python_version()}
    return found | {name: metadata.version(name) for name in _PACKAGES}


def _digest_of(path: Path) -> str:
    """Digest of the sweep whose folder it is: empty for none, and for one that has none."""
    try:
        found = _DIGEST.search(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except NotADirectoryError as error:
        msg = f"the folder {path.parent} cannot be written ({error.strerror})"
        raise StoreError(msg, field="output", mend="Name another folder") from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"the file {path} cannot be read"
        raise StoreError(msg, field="output", mend="Name another folder") from error
    return found[1] if found else "other"


def _need_free(folder: Path) -> None:
    """Refuse a folder that has files under our names, and not by a sweep.

    Raises
    ------
    ProblemError
        It has.
    """
    for name in (TABLE, CSV, GRID, PAGE, NOTEBOOK, NETWORKS, FRONTS, BASELINES, REPORTS):
        path = folder / name
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            msg = f"the folder {folder} has {name} already, and not by a sweep"
            raise ProblemError(msg, field="output", mend="Name another folder, or move it away")


def _clear(folder: Path) -> None:
    """Take away what a sweep left, and nothing else."""
    for name in (TABLE, CSV, GRID, PAGE, NOTEBOOK):
        (folder / name).unlink(missing_ok=True)
    for kind in (NETWORKS, FRONTS, BASELINES):
        for file in (folder / kind).glob("*.nc"):
            if re.fullmatch(r"\d{4,}", file.stem):
                file.unlink()
    for made in (folder / REPORTS).glob("*"):
        if re.fullmatch(r"\d{4,}", made.name):
            shutil.rmtree(made, ignore_errors=True)


def write_answer(folder: Path, kind: str, number: int, content: bytes) -> None:
    """Write the file of a point's answer.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    path = answer_file(folder, kind, number)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_report(folder: Path, number: int, answer: Any) -> str:
    """Have a report write its files, all of them or none; returns its folder's name in ours.

    Raises
    ------
    StoreError
        They cannot be written.
    """
    place = folder / REPORTS / f"{number:04d}"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=place.parent) as beside:
            made = Path(beside) / "new"
            answer.write(made)
            if place.exists():
                place.rename(Path(beside) / "old")
            made.rename(place)
    except StoreError:
        raise
    except OSError as error:
        msg = f"the report of point {number} cannot be written ({error.strerror or error})"
        raise StoreError(msg, mend="Make room, and run the sweep again") from error
    return f"{REPORTS}/{place.name}"


def write_result(result: SweepResult) -> list[Path]:
    """Write the table and the dataset: first all of them, then each in its place.

    Raises
    ------
    StoreError
        They cannot be written.
    """
    folder = result.folder
    table = result.table.copy()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as beside:
            made = [Path(beside) / TABLE, Path(beside) / CSV]
            table.attrs.update(result.facts.items())
            table.to_parquet(made[0])
            table["sensors"] = [";".join(ids) for ids in table["sensors"]]
            # With the mark by which Excel knows UTF-8; pandas and QGIS read over it.
            table.to_csv(made[1], lineterminator="\n", encoding="utf-8-sig")
            if result.dataset is not None:
                made.append(Path(beside) / GRID)
                made[-1].write_bytes(sealed(result.dataset))
            for file in made:
                with whole_file(folder / file.name) as temporary:
                    file.replace(temporary)
    except StoreError:
        raise
    except OSError as error:
        msg = f"the folder {folder} cannot be written ({error.strerror or error})"
        raise StoreError(msg, field="output", mend="Name another folder") from error
    if result.dataset is None:
        (folder / GRID).unlink(missing_ok=True)
    return [folder / file.name for file in made]


def read_sweep(folder: str | Path) -> SweepResult:
    """Read what a sweep that has ended left in its folder.

    Raises
    ------
    MissingFileError
        There is no table of a sweep.
    UnreadableFileError, NetworkFileError
        The table or the dataset is damaged.
    """
    place = Path(folder)
    path = place / TABLE
    mend = "Name the folder that spineq sweep wrote, once it has ended"
    try:
        table = pd.read_parquet(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        msg = "there is no table of a sweep"
        raise MissingFileError(msg, file=path, mend=mend) from error
    except (OSError, ValueError) as error:
        msg = "the table of the sweep is damaged"
        raise UnreadableFileError(msg, file=path, mend="Run the sweep again") from error
    if not {"state", "of", "sensors"} <= set(table.columns):
        msg = "the file is no table of a sweep"
        raise UnreadableFileError(msg, file=path, mend=mend)
    table["sensors"] = [list(ids) for ids in table["sensors"]]
    grid = place / GRID
    dataset = read_sealed(grid, _KIND) if grid.exists() else None
    facts = {str(name): fact for name, fact in table.attrs.items()}
    table.attrs = {}
    return SweepResult(place, table, dataset, facts)


def attributes(digest: str, cities: Mapping[str, str]) -> dict[str, Any]:
    """Attributes of the dataset: which sweep it is of, and what it was made with."""
    spineq = metadata.version("spineq")
    return {
        "title": f"Sweep made by spineq {spineq}",
        "spineq_version": spineq,
        "sweep_digest": digest,
        "cities": json.dumps(dict(cities), ensure_ascii=False),
        "versions": json.dumps(versions_here()),
    }
