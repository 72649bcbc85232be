"""``spineq trade-off``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

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
from spineq.cli.problem_words import rivals_option
from spineq.cli.results import finish_front
from spineq.fronts import trade_off as find
from spineq.model.problem import DecayName


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
@rivals_option
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
    help="For two groups: prove that no network lies further beyond the front, such as 0.001. How "
    "far that succeeds is limited by --effort, and said with the front.",
)  # fmt: skip
@city_options
@click.option(
    "--output", type=Folder(), help="Write front.nc, parallel.png, pairs.png and maps.png here."
)
@json_option
def trade_off(city: str, output: Path | None, as_json: bool, **words: Any) -> None:
    """Find networks in CITY of which none is better for every group than another."""
    asked = words["tolerance"]
    where = read_city_argument(city, take_city_options(words))
    with stoppable_progress() as progress:
        front = find(where, progress=progress, **take_problem_words(words))
    finish_front(front, where, output, asked=asked, as_json=as_json)
