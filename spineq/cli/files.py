"""Files that a command writes into the folder of ``--output``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from spineq.errors import StoreError


def written(folder: Path, make: Callable[[Path], list[Path]]) -> list[Path]:
    """Have files made, first all of them beside the place, then into it: they belong together."""
    import matplotlib as mpl

    mpl.use("Agg")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as beside:
            return [path.replace(folder / path.name) for path in make(Path(beside))]
    except StoreError:
        raise
    except OSError as error:
        msg = f"the folder {folder} cannot be written ({error.strerror or error})"
        raise StoreError(msg, mend="Name another folder with --output") from error


def say_where(folder: Path | None, files: list[Path], what: str) -> None:
    """Say where files are, or how to have them written."""
    # In one line, for a path is copied.
    if folder is None:
        click.echo(f"Write {what} with --output FOLDER.")
    else:
        click.echo(f"Written to {folder}: {', '.join(path.name for path in files)}")
