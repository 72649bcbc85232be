"""``spineq optimise`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from spineq.cli.options import (
    city_options,
    json_option,
    measure_options,
    output_option,
    problem_options,
    read_city_argument,
    stoppable_progress,
    take_city_options,
    take_problem_words,
)
from spineq.cli.problem_words import need_number, sensors_named
from spineq.cli.queued import queue_options, queued, take_queue_words
from spineq.cli.results import finish
from spineq.model.problem import MethodName


@click.command(
    short_help="Place sensors in a city.",
    epilog="Example: spineq optimise san-francisco -n 20 --group children:0-15:2 --json",
)
@click.option(
    "-n", "--n-sensors", type=int, help="Number of sensors to place, or --budget, --reach."
)
@problem_options
@click.option(
    "--method", type=click.Choice(get_args(MethodName)), default="auto", show_default=True,
    help="Solver; auto is the best that there is.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random method.")
@city_options
@queue_options
@output_option()
@json_option
def optimise(city: str, output: Path | None, as_json: bool, **words: Any) -> None:
    """Place sensors in CITY so that the groups that matter are covered best."""
    from spineq.solve import optimise as solve

    request = take_queue_words(words)
    need_number(words)
    where = read_city_argument(city, take_city_options(words))
    problem_words = take_problem_words(words)
    if request is not None:
        queued(request, where, problem_words, output, as_json=as_json)
        return
    with stoppable_progress() as progress:
        network = solve(where, progress=progress, **problem_words)
    finish(network, where, output, as_json=as_json)


@click.command(
    short_help="Measure a network of your own.",
    epilog="Example: spineq evaluate san-francisco --sensors 044,106 --theta 500 --json",
)
@click.option(
    "--sensors",
    required=True,
    help="Ids of areas or sites with commas between, or a file of points; or 'existing' (the "
    "areas with an existing sensor) or 'existing-points' (where they stand).",
)
@measure_options
@city_options
@output_option()
@json_option
def evaluate(city: str, sensors: str, output: Path | None, as_json: bool, **words: Any) -> None:
    """Measure a network of your own in CITY."""
    from spineq.solve import evaluate as measure

    where = read_city_argument(city, take_city_options(words))
    network = measure(where, sensors_named(sensors), **take_problem_words(words))
    finish(network, where, output, as_json=as_json)
