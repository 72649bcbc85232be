"""Options that several commands have, and what is made of them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spineq.cli.problem_words import measure_options as measure_options
from spineq.cli.problem_words import parse_group as parse_group
from spineq.cli.problem_words import problem_options as problem_options
from spineq.cli.problem_words import take_problem_words as take_problem_words
from spineq.data.named import CITY_WORDS
from spineq.errors import MissingFileError, ProblemError
from spineq.progress import Report, TextProgress

if TYPE_CHECKING:
    from spineq.model.city import City

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: What a file of a city may be, for help.
_FILES = (
    "A file is a table of areas, a table of census tracts or block groups of the United States, or "
    "a raster of people (.tif)."
)


class _Named(click.ParamType[str]):
    """A text that must not be empty: one that is would mean the default, or a folder above."""

    what = "text"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Refuse what has no name."""
        if not str(value).strip():
            self.fail(f"the {self.what} has no name", param, ctx)
        return str(value)


class _Store(_Named):
    """A folder or URL of jobs."""

    name = what = "store"


class _Address(_Named):
    """Address of a scheduler."""

    name, what = "address", "scheduler"


class _Within(click.ParamType[Any]):
    """A file of polygons, or four numbers: west, south, east and north."""

    name = "file or box"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Tell a box from a file by its numbers."""
        parts = str(value).split(",")
        try:
            numbers = tuple(float(part) for part in parts)
        except ValueError:
            return value
        if len(numbers) == 1:
            return value
        if len(numbers) != 4:
            self.fail("a box is WEST,SOUTH,EAST,NORTH, four numbers", param, ctx)
        return numbers


class Folder(click.ParamType[Path]):
    """A folder to write into."""

    name = "folder"

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """Refuse an empty name, which would mean the folder that one stands in."""
        if not str(value).strip():
            self.fail("the folder has no name", param, ctx)
        return Path(value)


def json_option(command: _Command) -> _Command:
    """``--json``, as ``as_json``."""
    text = "Print JSON and nothing else."
    return click.option("--json", "as_json", is_flag=True, help=text)(command)


def output_option(default: Path | None = None) -> Callable[[_Command], _Command]:
    """``--output``, with the folder that is taken if none is named."""
    return click.option(
        "--output",
        type=Folder(),
        default=default,
        show_default=default is not None,
        help="Write network.nc, .gpkg, .geojson and .png into this folder.",
    )


def store_option(command: _Command) -> _Command:
    """``--store``: where the jobs are."""
    return click.option(
        "--store",
        type=_Store(),
        metavar="FOLDER_OR_URL",
        help="Where the jobs are kept; by default what SPINEQ_STORE names, or else a folder of "
        "yours.",
    )(command)


def cluster_options(command: _Command) -> _Command:
    """``--scheduler`` and ``--allow-remote``: who does the jobs."""
    for option in (
        click.option(
            "--allow-remote", is_flag=True,
            help="Accept a scheduler elsewhere without encryption: if the network is your own.",
        ),
        click.option(
            "--scheduler",
            type=_Address(),
            metavar="ADDRESS",
            help="Dask scheduler, such as tcp://127.0.0.1:8786; by default the one that serves "
            "the store, or else one that is started here and ends with the command.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def city_options(command: _Command) -> _Command:
    """``CITY``, and options that say how its files are to be read.

    Help and errors come from the command's own docstring, which gets lines about ``CITY``.
    """
    command.__doc__ = f"{command.__doc__}\n\n    CITY is {CITY_WORDS}. {_FILES}"
    for option in (
        click.option("--attribution", help="Source to name in every picture."),
        click.option(
            "--within",
            type=_Within(),
            metavar="FILE_OR_BOX",
            help="What part of a raster to read: a file of polygons, or WEST,SOUTH,EAST,NORTH in "
            "degrees.",
        ),
        click.option(
            "--cell",
            type=float,
            metavar="METRES",
            help="Side of the square cells into which a raster is gathered; by default 200.",
        ),
        click.option(
            "--workplaces",
            multiple=True,
            type=click.Path(),
            help="LODES file of workplaces, for zones of the United States. May be repeated.",
        ),
        click.option(
            "--ages",
            type=click.Path(),
            help="File of residents by age (B01001), for zones of the United States.",
        ),
        click.option(
            "--travel-unit",
            help="Unit of the travel costs, and so of theta. "
            "By default the one that the file says, or else metres.",
        ),
        click.option(
            "--travel", type=click.Path(), help="File of travel costs: site, area or point, cost."
        ),
        click.option(
            "--existing",
            type=click.Path(),
            help="File of existing sensors: x, y or points. Drawn, and for evaluate; optimise "
            "counts them with --keep existing.",
        ),
        click.option(
            "--points",
            type=click.Path(),
            help="File of demand points: area_id, x, y, and share or weight; rows with group and "
            "people are a group's own, such as schools.",
        ),
        click.option(
            "--site-column",
            "site_columns",
            multiple=True,
            metavar="COLUMN",
            help="Column of the areas that the sites at them are to have, such as a ward. May be "
            "repeated.",
        ),
        click.option(
            "--sites",
            type=click.Path(),
            help="File of candidate sites: site_id, x, y, and columns for --region and "
            "--site-cost.",
        ),
        click.option(
            "--crs",
            help="Coordinate system of a CSV, such as EPSG:27700, or for a raster's cells.",
        ),
        click.argument("city"),
    ):
        command = option(command)
    return command


def read_city_argument(where: str, options: dict[str, Any]) -> City:
    """Make the city that the command line names.

    Raises
    ------
    SpineqError
        It cannot be made; the sentence says why.
    """
    from spineq.data.named import city_named, is_built_in

    for name, given in options.items():
        if given == "" or (isinstance(given, list) and "" in given):
            msg = "the text is empty"
            raise MissingFileError(msg, field=name, mend="Name a file or a folder")
        if given is not None and is_built_in(where):
            msg = f"{where.strip()} is built in and takes no {name}"
            raise ProblemError(msg, field=name, mend="Leave it out")
    return city_named(where, **options)


def take_city_options(words: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `city_options` out of a command's words."""
    names = (
        "crs", "sites", "points", "existing", "travel", "travel_unit", "ages", "cell", "within",
        "attribution",
    )  # fmt: skip
    several = ("workplaces", "site_columns")
    return {name: words.pop(name) for name in names} | {
        name: list(words.pop(name)) or None for name in several
    }


class _StoppableProgress(TextProgress):
    """A bar whose computation the first Ctrl-C stops."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.stop = False

    def hear(self, report: Report) -> bool:
        """Move the bar, and say whether Ctrl-C was pressed."""
        super().hear(report)
        return self.stop


@contextmanager
def stoppable_progress(
    what: str = "the best network so far is kept",
) -> Iterator[_StoppableProgress]:
    """Show a bar; the first Ctrl-C asks to stop, a second one ends at once.

    Parameters
    ----------
    what
        What becomes of the work, to be said at the first Ctrl-C.
    """
    with _StoppableProgress() as progress:

        def stop(*_: object) -> None:
            progress.stop = True
            for number, handler in before.items():
                signal.signal(number, handler)
            click.echo(f"stopping; {what} (Ctrl-C again to end)", err=True)

        # Ctrl-C, and how a terminal that is closed or a machine that goes down ends a command.
        names = ("SIGINT", "SIGTERM", "SIGHUP")
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {
            number: signal.signal(number, stop)
            for number in numbers
            # What is ignored, by nohup say, is so on purpose.
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield progress
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
