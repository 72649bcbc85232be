"""Files that are never half-written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from spineq.errors import SpineqError, StoreError, shown
from spineq.store._words import failed, temporary_name


def _named(path: Path) -> bool:
    return path.name not in ("", "..")


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write a file so that nobody ever sees half of it.

    Yields a temporary path in the same folder with the same ending. When the block ends
    well, the file takes its name in one step and replaces an earlier one; when it fails or
    is interrupted, the temporary file goes and an earlier file stays as it was.

    Parameters
    ----------
    path
        The file to write; its folder is made where it is missing.

    Raises
    ------
    StoreError
        The path names no file, or the folder cannot be written.
    """
    # A folder's last part may be "..", and NUL ends a path where the system reads it.
    if not isinstance(path, (str, os.PathLike)) or "\0" in str(path) or not _named(Path(path)):
        msg = f"{shown(path)} does not name a file"
        raise StoreError(msg, mend="Give the path of the file to write")
    path = Path(path)
    mine = temporary_name()
    temporary = path.with_name(mine + path.suffix)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise failed("written", path.name, str(path.parent), error) from error
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, SpineqError):
            raise
        raise failed("written", path.name, str(path.parent), error) from error
    finally:
        # Writers leave files of their own beside it, such as SQLite's journals.
        for leftover in path.parent.glob(f"{mine}*"):
            leftover.unlink(missing_ok=True)
