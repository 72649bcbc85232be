"""What the commands share: the city, the groups, progress, and output files."""

from __future__ import annotations

import json
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spineq.errors import MissingFileError, ProblemError, StoreError
from spineq.model._words import metres, percent, shown_table, theta_words
from spineq.model.groups import Group
from spineq.progress import TextProgress

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network

#: Most sensors that are listed on a terminal.
_LISTED = 30

_Command = TypeVar("_Command", bound=Callable[..., Any])

CITY_HELP = "a file, a folder, 'san-francisco' or 'synthetic:AREAS[:TOWNS[:SEED]]'"


class Folder(click.ParamType[Path]):
    """A folder to write into."""

    name = "folder"

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """Refuse an empty name, which would mean the folder that one stands in."""
        if not str(value).strip():
            self.fail("the folder has no name", param, ctx)
        return Path(value)


def city_options(command: _Command) -> _Command:
    """Options that say how a city's files are to be read."""
    for option in (
        click.option("--attribution", help="Source to name in every picture."),
        click.option(
            "--travel-unit",
            default="m",
            show_default=True,
            help="Unit of the travel costs, and so of theta.",
        ),
        click.option(
            "--travel", type=click.Path(), help="File of travel costs: site, area or point, cost."
        ),
        click.option(
            "--existing",
            type=click.Path(),
            help="File of existing sensors: x, y or points. Drawn, and for evaluate; optimise "
            "does not count them.",
        ),
        click.option(
            "--points",
            type=click.Path(),
            help="File of demand points: area_id, x, y, and share or weight.",
        ),
        click.option("--sites", type=click.Path(), help="File of candidate sites: site_id, x, y."),
        click.option("--crs", help="Coordinate system of a CSV, such as EPSG:27700."),
    ):
        command = option(command)
    return command


def problem_options(command: _Command) -> _Command:
    """Options that say what is asked."""
    from typing import get_args

    from spineq.model.problem import DecayName

    for option in (
        click.option("--max-age", type=int, help="Oldest age that counts (without --group)."),
        click.option("--min-age", type=int, help="Youngest age that counts (without --group)."),
        click.option("--workplace-weight", type=float, help="Weight of workers (without --group)."),
        click.option("--population-weight", type=float, help="Weight of residents, likewise."),
        click.option(
            "--group",
            "groups",
            multiple=True,
            metavar="NAME:WHO[:WEIGHT]",
            help="Who matters: children:0-15:2, older:66-90 (90 and older included), or a column, "
            "jobs:workers:0.5. Weights are importance, not head counts. May be repeated.",
        ),
        click.option(
            "--decay", type=click.Choice(get_args(DecayName)), default="exponential",
            show_default=True,
            help="How coverage falls with distance: at theta, exponential is down to 37 %, "
            "gaussian to 61 %, linear to nothing; step covers everyone up to theta.",
        ),
        click.option(
            "--theta", type=float,
            help="Distance at which coverage has fallen to what --decay says: 500 metres by "
            "default, to be given in the unit of travel costs where there are any.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def read_city_argument(where: str, options: dict[str, Any]) -> City:
    """Make the city that the command line names.

    Raises
    ------
    SpineqError
        It cannot be made; the sentence says why.
    """
    from spineq.data.demo import demo_city
    from spineq.data.files import read_city

    for name, text in [("city", where), *options.items()]:
        if text == "":
            msg = "the text is empty"
            raise MissingFileError(msg, field=name, mend="Name a file or a folder")
    if where in ("san-francisco", "demo"):
        return demo_city()
    match = re.fullmatch(r"synthetic:(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?", where)
    if match:
        towns, seed = int(match[2] or 1), int(match[3] or 0)
        return demo_city("synthetic", n_areas=int(match[1]), towns=towns, seed=seed)
    return read_city(where, **options)


def take_city_options(words: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `city_options` out of a command's words."""
    names = ("crs", "sites", "points", "existing", "travel", "travel_unit", "attribution")
    return {name: words.pop(name) for name in names}


def take_problem_words(words: dict[str, Any]) -> dict[str, Any]:
    """Turn a command's words into those of `spineq.Problem`."""
    groups = dict(parse_group(text) for text in words.pop("groups"))
    if groups:
        words["groups"] = groups
    return {name: word for name, word in words.items() if word is not None}


def parse_group(text: str) -> tuple[str, Group]:
    """Read ``NAME:WHO[:WEIGHT]``, where WHO is an age range or a column.

    Raises
    ------
    ProblemError
        It is not of that form.
    """
    parts = text.split(":")
    mend = "Write children:0-15:2 or jobs:workers:0.5"
    if len(parts) not in (2, 3) or not all(parts):
        msg = f"{text!r} is not a group"
        raise ProblemError(msg, field="group", mend=mend)
    try:
        weight = float(parts[2]) if len(parts) == 3 else 1.0
    except ValueError as error:
        msg = f"the weight {parts[2]!r} of {text!r} is not a number"
        raise ProblemError(msg, field="group", mend=mend) from error
    ages = re.fullmatch(r"(\d{1,3})-(\d{1,3})", parts[1])
    if ages:
        return parts[0], Group(ages=(int(ages[1]), int(ages[2])), weight=weight)
    return parts[0], Group(column=parts[1], weight=weight)


class _StoppableProgress(TextProgress):
    """A bar whose computation the first Ctrl-C stops, keeping the best network so far."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.stop = False

    def report(
        self,
        fraction: float,
        message: str = "",
        value: float | None = None,
        bound: float | None = None,
    ) -> bool:
        """Move the bar, and say whether Ctrl-C was pressed."""
        super().report(fraction, message, value, bound)
        return self.stop


@contextmanager
def stoppable_progress() -> Iterator[TextProgress]:
    """Show a bar; the first Ctrl-C asks for the result so far, a second one ends at once."""
    with _StoppableProgress() as progress:

        def stop(*_: object) -> None:
            progress.stop = True
            signal.signal(signal.SIGINT, before)
            click.echo("stopping; the best network so far is kept (Ctrl-C again to end)", err=True)

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield progress
        finally:
            signal.signal(signal.SIGINT, before)


def write_outputs(network: Network, city: City, folder: Path) -> list[Path]:
    """Write network.nc, .gpkg, .geojson and .png; each is whole or not there."""
    import matplotlib as mpl

    mpl.use("Agg")
    from spineq import plot

    # First all of them beside the place, then into it: a set of files is of one network.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as beside:
            made = [
                network.to_netcdf(Path(beside) / "network.nc"),
                network.to_gpkg(Path(beside) / "network.gpkg", city),
                network.to_geojson(Path(beside) / "network.geojson"),
                Path(beside) / "network.png",
            ]
            plot.save(plot.network(network, city), made[-1])
            return [path.replace(folder / path.name) for path in made]
    except StoreError:
        raise
    except OSError as error:
        msg = f"the folder {folder} cannot be written ({error.strerror or error})"
        raise StoreError(msg, mend="Name another folder with --output") from error


def finish(network: Network, city: City, folder: Path | None, *, as_json: bool) -> None:
    """Write the files, and print JSON alone, or for people a table with the certificate."""
    files = [] if folder is None else write_outputs(network, city, folder)
    if as_json:
        click.echo(json.dumps(network.to_dict(), allow_nan=False))
        return
    sensors = "1 sensor" if network.n_sensors == 1 else f"{network.n_sensors:,} sensors"
    click.echo(f"{sensors} in {city.name}, theta {theta_words(network)}\n")
    click.echo(f"{sensor_table(network)}\n")
    click.echo(f"{group_table(network)}\n")
    given = int(network.dataset.attrs["sensors_given"])
    if given > network.n_sensors:
        click.echo(f"{given:,} sensors were given; those in one place count once.")
    if network.stopped:
        click.echo("The search was stopped early; this is the best network so far.")
    click.echo(network.certificate())
    if folder is None:
        click.echo("Write maps and data with --output FOLDER.")
    else:
        click.echo(f"Written to {folder}: {', '.join(path.name for path in files)}")


def group_table(network: Network) -> str:
    """Format coverage by group for a terminal."""
    table = shown_table(network)
    rows: list[tuple[str, ...]] = [
        ("group", "people or total", "coverage", "within 500 m", "median distance")
    ]
    rows += [
        (
            f"{row['title']}{' (estimated)' if row['estimated'] else ''}",
            f"{row['people']:,.0f}",
            percent(row["coverage"]),
            percent(row["within 500 m"]),
            metres(row["median distance"]),
        )
        for row in table.to_dict("records")
    ]
    if (table["weight"] > 0).sum() > 1:
        rows.append(("What was maximised", "", percent(network.total_coverage), "", ""))
    return text_table(rows)


def sensor_table(network: Network) -> str:
    """Format the sensors for a terminal."""
    rows: list[tuple[str, ...]] = [("sensor", "site", "area", "x", "y")]
    rows += [
        (str(order), row["site"] or "-", row["area"], f"{row['x']:.0f}", f"{row['y']:.0f}")
        for order, row in network.sensors.head(_LISTED).iterrows()
    ]
    more = network.n_sensors - _LISTED
    return text_table(rows) + (f"\n... and {more:,} more" if more > 0 else "")


def text_table(rows: list[tuple[str, ...]]) -> str:
    """Align a table: the first column left, the others right; a line under the head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[1:]])
