"""Folders of a report: the work is done in a hidden folder inside, and moved out when it is done.

A folder keeps a list of what the last report left there. Only that is replaced or taken away: what
somebody else put there stays, and a report that would have to replace it is refused.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spineq.errors import StoreError
from spineq.jobs._host import is_gone, process_name
from spineq.store import whole_file

#: The list of what a report left in its folder.
LIST = ".spineq-report.json"

_WORK, _OWNER = ".spineq-work-", ".owner"


@contextmanager
def beside(folder: Path, names: Iterable[str] = ()) -> Iterator[Path]:
    """Make a folder for the work inside the one to write, on the same disk; removed in the end.

    The folder itself is made where it is missing, and goes again where nothing was moved into it.

    Parameters
    ----------
    folder
        The folder to write.
    names
        Files and folders that will be written there.

    Yields
    ------
    Path
        An empty folder.

    Raises
    ------
    StoreError
        The folder is a file, cannot be written, or holds something of somebody else's under one
        of the names.
    """
    made: list[Path] = []
    try:
        if folder.exists() and not folder.is_dir():
            msg = "this is a file and no folder"
            raise StoreError(msg, file=folder, mend="Name another folder")
        _need_ours(folder, names)
        made = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        _clear_stale(folder)
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=folder))
        (work / _OWNER).write_text(process_name(), encoding="utf-8")
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise unwritable(folder, error) from error
    try:
        yield work
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise unwritable(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        for each in made:
            # Not where something is in it.
            with suppress(OSError):
                each.rmdir()


def moved(work: Path, folder: Path, names: Iterable[str] | None = None) -> None:
    """Move what was made into the folder, in place of what an earlier report left there.

    Parameters
    ----------
    work, folder
        Those of `beside`.
    names
        Files to move, the rest of an earlier report stays; None for all files, and what the
        earlier report left beside them goes.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    if names is None:
        made = (path.relative_to(work) for path in sorted(work.rglob("*")) if path.is_file())
        files = [path for path in made if path.name != _OWNER]
    else:
        files = [Path(name) for name in names if (work / name).is_file()]
    if not files:
        return
    new, before = {path.as_posix() for path in files}, _listed(folder)
    try:
        # First the list of both: whatever ends this half-way, the next report knows what is ours.
        _write_list(folder, new | before)
        for path in files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).replace(folder / path)
        if names is None:
            for old in before - new:
                (folder / old).unlink(missing_ok=True)
                with suppress(OSError):
                    (folder / old).parent.rmdir()
            _write_list(folder, new)
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise unwritable(folder, error) from error


def _clear_stale(folder: Path) -> None:
    """Take away what processes that were killed have left."""
    for old in folder.glob(f"{_WORK}*"):
        with suppress(OSError):
            if is_gone((old / _OWNER).read_text(encoding="utf-8")):
                shutil.rmtree(old, ignore_errors=True)


def _need_ours(folder: Path, names: Iterable[str]) -> None:
    before = _listed(folder)
    for name in names:
        path = folder / name
        inside = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
        foreign = [
            each
            for each in inside
            if each.exists() and each.relative_to(folder).as_posix() not in before
        ]
        if foreign:
            msg = f"{foreign[0].relative_to(folder)} is there already, and not by an earlier report"
            raise StoreError(msg, file=folder, mend="Name another folder, or move it away")


def _listed(folder: Path) -> set[str]:
    """Names of the files that the last report left; none where the list is missing or damaged."""
    try:
        made = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {str(name) for name in made} if isinstance(made, list) else set()


def _write_list(folder: Path, names: Iterable[str]) -> None:
    with whole_file(folder / LIST) as temporary:
        temporary.write_text(json.dumps(sorted(names), indent=0), encoding="utf-8")


def unwritable(folder: Path, error: OSError) -> StoreError:
    """Say that a folder cannot be written, and why."""
    msg = f"the folder cannot be written ({error.strerror or error})"
    return StoreError(msg, file=folder, mend="Name another folder")
