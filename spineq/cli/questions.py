"""``spineq explain``, ``robustness``, ``stability``, ``alternatives`` and ``curve``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spineq.cli.options import (
    Folder,
    city_options,
    cluster_options,
    json_option,
    read_city_argument,
    stoppable_progress,
    store_option,
    take_city_options,
    take_problem_words,
)
from spineq.cli.question_results import finish_question
from spineq.cli.question_words import (
    Numbers,
    Subject,
    network_options,
    placing_options,
    take_subject,
)
from spineq.cli.queued import need_wait, queue_options, submitted, take_queue_words
from spineq.progress import SpanProgress

if TYPE_CHECKING:
    from spineq.model.city import City

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: What becomes of the work at the first Ctrl-C.
_KEPT = "what is found by then is kept"

#: Largest number of sensors that a list may have; the city has its own limit.
_MOST = 100_000


def _output(files: str) -> Callable[[_Command], _Command]:
    return click.option("--output", type=Folder(), help=f"Write {files} into this folder.")


def _asked(
    task: str,
    city: City,
    subject: Subject,
    how: dict[str, Any],
    request: dict[str, Any] | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Ask a question about a network, here or as a job, and print and write the answer."""
    if request is not None:
        from spineq.jobs.tasks import check_asked, task_named

        need_wait(request, output)
        with stoppable_progress(_KEPT) as bar:
            net, _ = subject.of(city, bar)
        # Checked here, so that bad input starts no cluster.
        check_asked(task_named(task), city, {"network": net, **how})
        asked = {"task": task, "network": net, **how}
        submitted(request, city, asked, output, as_json=as_json)
        return
    function = getattr(importlib.import_module(f"spineq.insight.{task}"), task)
    with stoppable_progress(_KEPT) as bar:
        net, done = subject.of(city, bar)
        found = function(city, net, **how, progress=SpanProgress(bar, done, 1.0))
    finish_question(found, city, output, as_json=as_json)


@click.command(
    short_help="Say why each sensor stands where it does.",
    epilog="Example: spineq explain san-francisco -n 10 --site 044",
)
@click.option("--site", metavar="ID", help="A site that has no sensor, to be told why.")
@click.option(
    "--no-refuse", is_flag=True,
    help="Do not work out what it costs to do without each sensor: each takes about the time that "
    "placing the network takes.",
)  # fmt: skip
@click.option(
    "--near", type=float, default=500.0, show_default=True, metavar="METRES",
    help="Distance within which people are near a sensor.",
)  # fmt: skip
@network_options
@city_options
@queue_options
@_output("explanation.json, explanation.txt and sensors.csv")
@json_option
def explain(
    city: str,
    site: str | None,
    no_refuse: bool,
    near: float,
    output: Path | None,
    as_json: bool,
    **words: Any,
) -> None:
    """Say what each sensor of a network in CITY is worth, and what it costs to do without it."""
    from spineq.constraints.places import positions
    from spineq.model._problem_checks import positive

    request, options = take_queue_words(words), take_city_options(words)
    subject = take_subject(words)
    how = {"site": site, "refuse": not no_refuse, "near": positive(near, "near", "500")}
    where = read_city_argument(city, options)
    if site is not None:
        positions(where, [site.strip()], "site")
    _asked("explain", where, subject, how, request, output, as_json=as_json)


@click.command(
    short_help="Say what a network covers when sensors fail.",
    epilog="Example: spineq robustness san-francisco -n 10 --failures 2 --probability 0.05",
)
@click.option(
    "--failures", type=click.IntRange(min=1), default=1, show_default=True,
    help="How many sensors fail at once in the worst case.",
)  # fmt: skip
@click.option(
    "--probability", type=Numbers("a probability, or one for each sensor", float, 0.0, 1.0),
    metavar="P[,P...]",
    help="Probability with which each sensor fails, 0 to 1; or one for each, in their order.",
)  # fmt: skip
@network_options
@city_options
@queue_options
@_output("robustness.json, sensors.csv and groups.csv")
@json_option
def robustness(
    city: str,
    failures: int,
    probability: tuple[float, ...] | None,
    output: Path | None,
    as_json: bool,
    **words: Any,
) -> None:
    """Say what is left of a network in CITY when some of its sensors fail."""
    request, options = take_queue_words(words), take_city_options(words)
    subject = take_subject(words)
    several = probability is not None and len(probability) > 1
    chance = probability if several or probability is None else probability[0]
    how = {"failures": failures, "probability": chance}
    where = read_city_argument(city, options)
    _asked("robustness", where, subject, how, request, output, as_json=as_json)


@click.command(
    short_help="Find other networks that are nearly as good.",
    epilog="Example: spineq alternatives san-francisco -n 10 -k 3 --min-different 2",
)
@click.option(
    "-k", type=click.IntRange(1, 100), default=3, show_default=True, help="How many to look for."
)
@click.option(
    "--min-different", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
    help="How many sites each gives up, at least, of those of the network and of each other.",
)  # fmt: skip
@network_options
@city_options
@queue_options
@_output("alternatives.json, alternatives.csv and the networks, alternative-1.nc and so on,")
@json_option
def alternatives(
    city: str, k: int, min_different: int, output: Path | None, as_json: bool, **words: Any
) -> None:
    """Find the best networks in CITY beside a given one, each with what it loses."""
    request, options = take_queue_words(words), take_city_options(words)
    subject = take_subject(words)
    how = {"k": k, "min_different": min_different}
    where = read_city_argument(city, options)
    _asked("alternatives", where, subject, how, request, output, as_json=as_json)


@click.command(
    short_help="Say how certain the places of sensors are.",
    epilog="Example: spineq stability san-francisco -n 10 --scenarios 50 --theta-range 400:600",
)
@click.option(
    "--scenarios", "n_scenarios", type=click.IntRange(1, 100_000), default=200, show_default=True,
    metavar="N", help="How many times the question is solved again with other numbers.",
)  # fmt: skip
@click.option(
    "--people-error", default="0", show_default=True, metavar="SHARE_OR_COLUMN",
    help="Relative error of the number of people of an area beside chance, 0 to 1: 0.1 for 10 %; "
    "or the column of the areas that has it.",
)  # fmt: skip
@click.option(
    "--no-chance", is_flag=True, help="Do not draw people as counts vary by chance (Poisson)."
)
@click.option(
    "--theta-range", type=Numbers("a range LOW:HIGH", float, 0.0, 1e9, ":", 2),
    metavar="LOW:HIGH", help="Range in which theta lies; by default it stays as it is.",
)  # fmt: skip
@click.option(
    "--near", type=float, default=300.0, show_default=True, metavar="METRES",
    help="Distance within which a sensor counts as at a place.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the draws."
)
@network_options
@city_options
@cluster_options
@store_option
@click.option(
    "--queue", is_flag=True,
    help="Have the scenarios solved by the workers of a queue; those that its store has are not "
    "solved again. --store to --allow-remote are for that.",
)  # fmt: skip
@_output("stability.json, sensors.csv, sites.csv, scenarios.csv and stability.png")
@json_option
def stability(
    city: str,
    n_scenarios: int,
    people_error: str,
    no_chance: bool,
    theta_range: tuple[float, float] | None,
    near: float,
    seed: int,
    output: Path | None,
    as_json: bool,
    **words: Any,
) -> None:
    """Say how far the places of a network in CITY hang on numbers that nobody knows exactly."""
    from spineq.insight.changes import theta_range as checked_range
    from spineq.insight.stability import stability as test
    from spineq.model._problem_checks import between

    queue = _take_workers(words)
    options = take_city_options(words)
    subject = take_subject(words)
    how: dict[str, Any] = {
        "n_scenarios": n_scenarios,
        "people_error": _error(people_error),
        "poisson": not no_chance,
        "theta": checked_range(theta_range),
        "near": between(near, "near", 1e7),
        "seed": seed,
    }
    where = read_city_argument(city, options)
    with stoppable_progress(_KEPT) as bar:
        net, done = subject.of(where, bar)
        if queue is None:
            found = test(where, net, **how, progress=SpanProgress(bar, done, 1.0))
    if queue is not None:
        from spineq.cli.job_access import store_named, working

        store, remote = store_named(queue["store"]), queue["allow_remote"]
        # Nothing is kept of a cluster that is starting: there Ctrl-C ends the command.
        with (
            working(store, queue["scheduler"], allow_remote=remote) as workers,
            stoppable_progress(_KEPT) as bar,
        ):
            found = test(where, net, **how, queue=workers, progress=bar)
    finish_question(found, where, output, as_json=as_json)


def _take_workers(words: dict[str, Any]) -> dict[str, Any] | None:
    """Take the options of a queue of workers out of a command's words; None without ``--queue``."""
    taken = {name: words.pop(name) for name in ("store", "scheduler", "allow_remote")}
    if words.pop("queue"):
        return taken
    for name, value in taken.items():
        if value:
            msg = f"--{name.replace('_', '-')} is for a queue: add --queue."
            raise click.UsageError(msg)
    return None


def _error(text: str) -> float | str:
    """Read a share, or else the name of a column."""
    try:
        return float(text)
    except ValueError:
        return text.strip()


@click.command(
    short_help="Say how coverage grows with the number of sensors.",
    epilog="Example: spineq curve san-francisco --numbers 5,10,20 --group children:0-15",
)
@click.option(
    "--numbers", type=Numbers("a list of whole numbers", int, 1, _MOST), metavar="N[,N...]",
    help="Numbers of sensors to look at; by default some up to twice -n.",
)  # fmt: skip
@placing_options
@city_options
@_output("curve.json, curve.csv and curve.png")
@json_option
def curve(
    city: str, numbers: tuple[int, ...] | None, output: Path | None, as_json: bool, **words: Any
) -> None:
    """Say how much of CITY the best networks of some numbers of sensors cover."""
    from spineq.insight.curve import coverage_curve

    options = take_city_options(words)
    if numbers is None and words["n_sensors"] is None:
        msg = "Missing option '-n' / '--n-sensors', or '--numbers'."
        raise click.UsageError(msg)
    problem_words = take_problem_words(words)
    where = read_city_argument(city, options)
    with stoppable_progress(_KEPT) as progress:
        found = coverage_curve(where, numbers=numbers, progress=progress, **problem_words)
    finish_question(found, where, output, as_json=as_json)
