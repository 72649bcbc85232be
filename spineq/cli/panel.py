"""``spineq panel``: the panel in JupyterLab, or in Voila as a page of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from spineq.cli.options import read_city_argument, store_option
from spineq.cli.signals import ending
from spineq.data.named import CITY_WORDS, is_built_in
from spineq.errors import MissingExtraError, StoreError

#: The notebook that is made in the current folder.
NOTEBOOK = "spineq-panel.ipynb"

#: Seconds from one look at the server to the next, and until one that was told to end is killed:
#: it has kernels to end, and they have clusters.
_PERIOD, _PATIENCE = 0.1, 20.0

_TOP = """\
# Sensors for a city

The panel below proposes where sensors go in a city, so that the people who matter are covered, \
shows each proposal on a map, and says how far it is at most from the best possible one. Run all \
cells of this notebook to see it (in JupyterLab: menu *Run*, *Run All Cells*).

- **Set up**: choose the city, the number of sensors, how near is near (theta), and who matters \
and how much.
- **Run**: press *Run*, and follow the job under *Jobs*, where it can be cancelled; it is kept in \
the store, so that it is there again when the notebook is closed and opened.
- **Look**: see the proposal on the map and its figures under *Results*; move sensors under \
*Edit*, lay two proposals side by side under *Compare*, and weigh groups against each other under \
*Trade-offs*.
- **Export**: save maps, tables and the network itself as files at the end of *Results*.

The next cell says with which city the panel begins, and where the jobs are kept: a folder or a \
bucket, or `None` for a folder of yours."""

_PANEL = """\
import spineq as sq

sq.Panel(city, sq.JobQueue(store=store))"""


def panel_notebook(city: str, store: str | None) -> dict[str, Any]:
    """Make a notebook that shows the panel.

    Parameters
    ----------
    city
        Name of the city, or the path of its file or folder.
    store
        Where the jobs are; None for the store by default.

    Returns
    -------
    dict
        A notebook of nbformat 4.5, in JSON's types, without outputs; papermill knows its second
        cell as the one of the parameters ``city`` and ``store``.
    """
    parameters = f"city = {_literal(city)}\nstore = {_literal(store)}"
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": _TOP},
        _code(parameters, {"tags": ["parameters"]}),
        _code(_PANEL, {}),
    ]
    return {
        "cells": [
            # In the order in which nbformat writes keys, and with one line of text a line.
            dict(sorted((cell | {"id": f"cell-{k:02}", "source": _lines(cell["source"])}).items()))
            for k, cell in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _code(source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": metadata, "source": source, **empty}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _literal(text: str | None) -> str:
    # JSON's text is Python's too; names of files may hold what no file of UTF-8 can.
    return "None" if text is None else json.dumps(text, ensure_ascii=not text.isprintable())


def written(notebook: dict[str, Any]) -> str:
    """Text of a notebook's file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


@click.command(
    short_help="Open the panel in JupyterLab.",
    epilog="Example: spineq panel san-francisco --store my-jobs",
)
@click.argument("city", required=False)
@store_option
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port on this machine; by default the first free one from the server's own.",
)
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option("--voila", is_flag=True, help="A page with the panel alone, by Voila.")
def panel(
    city: str | None, store: str | None, port: int | None, no_browser: bool, voila: bool
) -> None:
    """Open the panel in JupyterLab, on this machine alone, until Ctrl-C.

    The panel is in a notebook, spineq-panel.ipynb in the current folder. One that is there
    already is yours: it is opened as it is.
    """
    server = "voila" if voila else "jupyterlab"
    if importlib.util.find_spec(server) is None:
        msg = f"the package {server} is not installed"
        extra = "voila" if voila else "panel"
        raise MissingExtraError(msg, mend=f'Install it: pip install "spineq[{extra}]"')
    # Checked here, so that bad input starts nothing and writes nothing.
    if city is not None:
        read_city_argument(city, {})
    begin = "san-francisco" if city is None else _place(city)
    made = _write(panel_notebook(begin, None if store is None else _place(store)))
    if not made and (city, store) != (None, None):
        click.echo(
            f"spineq: note: {NOTEBOOK} is there already and is opened as it is; its first lines of "
            "code say which city and store it has",
            err=True,
        )
    # The address of this machine alone, whatever the user's settings of Jupyter say.
    app = "Voila" if voila else "ServerApp"
    words = [sys.executable, "-m", server, NOTEBOOK, f"--{app}.ip=127.0.0.1"]
    words += [] if port is None else [f"--port={port}"]
    words += ["--no-browser"] if no_browser else []
    if _run(words) != 0:
        # It has said why.
        sys.exit(1)


panel.help = f"{panel.help}\n\nCITY is {CITY_WORDS}; by default San Francisco."


def _place(where: str) -> str:
    """What the notebook is to say, which may be moved to another folder."""
    if is_built_in(where) or "://" in where:
        return where
    return str(Path(where).expanduser().absolute())


def _write(notebook: dict[str, Any]) -> bool:
    """Write the notebook where there is none; returns whether it was written."""
    path, text = Path(NOTEBOOK), written(notebook)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        msg = f"the notebook cannot be written ({error.strerror or error})"
        raise StoreError(msg, file=path.absolute(), mend="Go to another folder") from error
    return True


def _run(words: list[str]) -> int:
    """Run a server until it ends or somebody ends it; returns its exit status, then 0.

    The server has a session of its own: otherwise Ctrl-C would reach it too, and it would ask
    whether it is meant.
    """
    asked = 0

    def stop(*_: object) -> None:
        nonlocal asked
        asked += 1

    with ending(stop):
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
        while (status := process.poll()) is None and not asked:
            time.sleep(_PERIOD)
        if status is not None:
            return status
        process.terminate()
        end = time.monotonic() + _PATIENCE
        # Whoever asks twice does not want to wait.
        while process.poll() is None and asked < 2 and time.monotonic() < end:
            time.sleep(_PERIOD)
        if process.poll() is None:
            _kill(process)
    return 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started in its session; kernels notice that it is gone."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
