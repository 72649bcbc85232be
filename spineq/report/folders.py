"""Folders that are written whole: the work is done beside them, and moved in when it is done."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spineq.errors import StoreError


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """Make a folder for the work beside the one to write, on the same disk; removed in the end.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    try:
        if folder.exists() and not folder.is_dir():
            msg = "this is a file and no folder"
            raise StoreError(msg, file=folder, mend="Name another folder with --output")
        if folder.is_dir() and not os.access(folder, os.W_OK):
            raise PermissionError(13, os.strerror(13), str(folder))
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise _unwritable(folder, error) from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def moved(work: Path, folder: Path, names: list[str]) -> None:
    """Move what was made into the folder, in place of what an earlier report left there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            if not (work / name).exists():
                continue
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
            (work / name).replace(folder / name)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> StoreError:
    msg = f"the folder cannot be written ({error.strerror or error})"
    return StoreError(msg, file=folder, mend="Name another folder")
