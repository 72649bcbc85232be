"""``spineq trade-off``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from spineq.cli.options import (
    Folder,
    city_options,
    json_option,
    read_city_argument,
    stoppable_progress,
    take_city_options,
    take_problem_words,
)
from spineq.cli.printing import print_json, text_table
from spineq.errors import StoreError
from spineq.fronts import trade_off as find
from spineq.model._front_words import proof, theta_words, titles
from spineq.model._words import counted, percent
from spineq.model.problem import DecayName

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.front import Front


@click.command(
    name="trade-off",
    short_help="Find the networks between which groups compete.",
    epilog="Example: spineq trade-off synthetic:200 -n 10 --group older:66-90 "
    "--group jobs:workers --tolerance 0.001 --json",
)
@click.option("-n", "--n-sensors", type=int, required=True, help="Number of sensors to place.")
@click.option(
    "--theta", type=float,
    help="Distance at which coverage has fallen to what --decay says: 500 metres by default, to "
    "be given in the unit of travel costs where there are any.",
)  # fmt: skip
@click.option(
    "--decay", type=click.Choice(get_args(DecayName)), default="exponential", show_default=True,
    help="How coverage falls with distance.",
)  # fmt: skip
@click.option(
    "--group", "groups", multiple=True, metavar="NAME:WHO",
    help="Who competes, twice at least: older:66-90 (90 and older included), or a column, "
    "jobs:workers. By default everybody, children, older people and workers.",
)  # fmt: skip
@click.option(
    "--keep", multiple=True, metavar="SITES",
    help="Sensors that stay and are not counted in -n: ids of sites with commas between, or "
    "'existing', those of the city. May be repeated.",
)  # fmt: skip
@click.option(
    "--forbid", multiple=True, metavar="SITES",
    help="Where no sensor may stand: ids of sites with commas between. May be repeated.",
)  # fmt: skip
@click.option(
    "--effort", type=float, default=1.0, show_default=True,
    help="How hard to look, as a multiple of the usual.",
)  # fmt: skip
@click.option(
    "--size", type=int, default=200, show_default=True, help="Networks of the front at most."
)
@click.option(
    "--tolerance", type=float, metavar="COVERAGE",
    help="For two groups: prove that no network lies further beyond the front, such as 0.001.",
)  # fmt: skip
@city_options
@click.option(
    "--output", type=Folder(), help="Write front.nc, parallel.png, pairs.png and maps.png here."
)
@json_option
def trade_off(city: str, output: Path | None, as_json: bool, **words: Any) -> None:
    """Find networks in CITY of which none is better for every group than another."""
    where = read_city_argument(city, take_city_options(words))
    with stoppable_progress() as progress:
        front = find(where, progress=progress, **take_problem_words(words))
    files = [] if output is None else _written(front, where, output)
    if as_json:
        print_json(front.to_dict())
        return
    networks = counted(front.n_networks, "network")
    sensors = counted(front.problem.n_sensors or 0, "sensor")
    click.echo(f"{networks} of {sensors} in {where.name}, theta {theta_words(front)}\n")
    if front.n_networks:
        click.echo(f"{_table(front)}\n")
    if front.stopped:
        click.echo("The search was stopped early; these are the best networks so far.")
    click.echo(proof(front))
    if output is None:
        click.echo("Write networks and pictures with --output FOLDER.")
    else:
        click.echo(f"Written to {output}: {', '.join(path.name for path in files)}")


def _table(front: Front) -> str:
    """Format coverage by group for a terminal."""
    coverage = front.group_coverage.to_numpy()
    knee, worst = front.knee(), front.worst_best()
    heads = ("group", "lowest", "highest", f"knee ({knee})", f"best worst-off ({worst})")
    rows: list[tuple[str, ...]] = [heads]
    marks = front.dataset["group_estimated"].to_numpy()
    for k, title in enumerate(titles(front)):
        column = coverage[:, k]
        cells = (column.min(), column.max(), column[knee], column[worst])
        name = f"{title}{' (estimated)' if marks[k] else ''}"
        rows.append((name, *(percent(float(cell)) for cell in cells)))
    return text_table(rows)


def _written(front: Front, city: City, folder: Path) -> list[Path]:
    """Write front.nc and the pictures; each is whole or not there."""
    import matplotlib as mpl

    mpl.use("Agg")
    from spineq import plot

    # First all of them beside the place, then into it: a set of files is of one front.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as beside:
            made = [front.to_netcdf(Path(beside) / "front.nc")]
            if front.n_networks:
                made += [Path(beside) / f"{name}.png" for name in ("parallel", "pairs", "maps")]
                plot.save(plot.front_parallel(front), made[1])
                plot.save(plot.front_pairs(front)[-1, 0], made[2])
                plot.save(plot.front_maps(front, city)[0], made[3])
            return [path.replace(folder / path.name) for path in made]
    except StoreError:
        raise
    except OSError as error:
        msg = f"the folder {folder} cannot be written ({error.strerror or error})"
        raise StoreError(msg, mend="Name another folder with --output") from error
