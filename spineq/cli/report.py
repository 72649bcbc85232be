"""``spineq report``: one question answered at length, as a page to send."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from spineq.cli.options import (
    Folder,
    city_options,
    cluster_options,
    json_option,
    problem_options,
    read_city_argument,
    stoppable_progress,
    store_option,
    take_city_options,
    take_problem_words,
)
from spineq.cli.printing import print_json, say
from spineq.cli.problem_words import INSTEAD_OF_A_NUMBER
from spineq.model.problem import MethodName, Problem

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.progress import TextProgress
    from spineq.report.asked import Parameters

#: Options of the command that are none of a problem.
_BESIDE = ("output", "parameters", "given", "by", "what_if", "on_cluster", "as_json")


@click.command(
    short_help="Write a report: a page to send, its figures and data.",
    epilog="Example: spineq report san-francisco -n 20 --theta 500 --output my-report",
)
@click.option("-n", "--n-sensors", type=int, help="Number of sensors to place; 20 by default.")
@problem_options
@click.option(
    "--method",
    type=click.Choice(get_args(MethodName)),
    help="Solver; by default the best there is.",
)
@click.option(
    "--by", metavar="COLUMN",
    help="Column by whose value in their area people are divided into tenths; by default how "
    "densely people live.",
)  # fmt: skip
@click.option(
    "--parameters", type=click.Path(path_type=Path), metavar="FILE",
    help="Parameters in YAML, such as the panel shows them; options of this line go before them.",
)  # fmt: skip
@click.option(
    "-p", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
    help="One parameter of the notebook by name, its value in YAML. May be repeated.",
)  # fmt: skip
@click.option(
    "--what-if", is_flag=True,
    help="Write what-if.html too: a page on which sensors can be moved and removed.",
)  # fmt: skip
@click.option(
    "--on-cluster", is_flag=True,
    help="Have a worker of the store's cluster, or of --scheduler, make the report, as a job.",
)  # fmt: skip
@city_options
@store_option
@cluster_options
@click.option(
    "--output", type=Folder(), required=True,
    help="Folder for report.html, report.ipynb, figures and data.",
)  # fmt: skip
@json_option
def report(city: str | None, **words: Any) -> None:
    """Write a report on the best sensors for CITY: one page that opens offline, figures, data.

    Without --group the usual four count alike: all residents, children, older people and workers,
    as far as the city has their data.

    The page shows the city and its groups, the network and its proof, why each place and what
    doing without it costs, other networks that are nearly as good, who gains and who loses
    against the existing sensors, how few would do and which to move, who is left behind, what
    more for one group costs the others, how sure it is, and how far to trust all that.
    -p 'sections=[places, sure]' has only some of the longer sections.
    """
    from spineq.report.making import NOTEBOOK, PAGE, WHAT_IF

    beside = {name: words.pop(name) for name in _BESIDE}
    cluster = {name: words.pop(name) for name in ("store", "scheduler", "allow_remote")}
    place = take_city_options(words)
    asked = _asked(city, place.pop("existing"), words, beside, cluster)
    where = _city(city, place)
    output: Path = beside["output"]
    with stoppable_progress("no report will be written") as bar:
        if beside["on_cluster"]:
            ended = _by_worker(asked, where, output, beside, cluster, bar)
        else:
            ended = _here(asked, where, output, beside, bar)
    if not ended:
        click.echo("spineq: stopped; no report was written.", err=True)
        sys.exit(130)
    files = [PAGE, NOTEBOOK, *([WHAT_IF] if beside["what_if"] else [])]
    if beside["as_json"]:
        print_json({"folder": str(output), "files": files, "page": str(output / PAGE)})
        return
    say(f"Written to {output}: {', '.join(files)}, figures and data")
    say(f"Open {output / PAGE} by double click; it needs no internet.")


# An argument that may be left out where --parameters names the city.
for _argument in report.params:
    if _argument.name == "city":
        _argument.required = False


def _asked(
    city: str | None,
    existing: str | None,
    words: dict[str, Any],
    beside: dict[str, Any],
    cluster: dict[str, Any],
) -> Parameters:
    """Put the parameters together: of the file, of ``-p``, and of the options."""
    from spineq.report.asked import Parameters, read_parameter, read_parameters

    made: dict[str, Any] = {}
    if beside["parameters"] is not None:
        made |= read_parameters(beside["parameters"])
    made |= dict(read_parameter(text) for text in beside["given"])
    made |= _of_problem(take_problem_words(words), made.get("rules"))
    for name, value in (("city", city), ("existing", existing), ("by", beside["by"])):
        if value is not None:
            made[name] = value
    for name in ("store", "scheduler"):
        if cluster[name] is not None and not beside["on_cluster"]:
            made[name] = cluster[name]
    if "city" not in made:
        msg = "Missing argument 'CITY', or --parameters with a city."
        raise click.UsageError(msg)
    return Parameters.from_dict(made)


def _of_problem(words: dict[str, Any], rules: Any) -> dict[str, Any]:
    """Sort the words of a problem into the notebook's parameters, in JSON's types."""
    if not words:
        return {}
    # The number is only there so that the others can be checked.
    number = {} if {"n_sensors", *INSTEAD_OF_A_NUMBER} & set(words) else {"n_sensors": 1}
    described = Problem.from_words(**words, **number).to_dict()
    made: dict[str, Any] = {}
    for name in ("n_sensors", "theta", "method", "groups"):
        value = described.pop(name, None)
        if name in words or (name == "groups" and value is not None):
            made[name] = words[name] if name in ("theta", "method") else value
    if described:
        # What is none of a mapping is refused with the rest.
        made["rules"] = {**(rules or {}), **described} if isinstance(rules or {}, dict) else rules
    return made


def _city(city: str | None, place: dict[str, Any]) -> City | None:
    """Read the city with the options of this line; None to leave it to the parameters."""
    if city is None or not any(place.values()):
        return None
    return read_city_argument(city, place)


def _here(
    asked: Parameters, city: City | None, output: Path, beside: dict[str, Any], bar: TextProgress
) -> bool:
    from spineq.report.making import write_report

    made = write_report(asked, output, city=city, what_if=beside["what_if"], progress=bar)
    return made is not None


def _by_worker(
    asked: Parameters,
    city: City | None,
    output: Path,
    beside: dict[str, Any],
    cluster: dict[str, Any],
    bar: TextProgress,
) -> bool:
    """Have a worker make the report, as a job of the queue."""
    from spineq.cli.job_access import answer_of, follow, store_named, working
    from spineq.report.asked import question_of

    question = question_of(asked, city)
    words = question.problem.to_dict() | {"groups": dict(question.problem.groups)}
    words |= {"theta": question.problem.theta, "what_if": beside["what_if"]}
    for name in ("by", "sections", "refuse", "scenarios"):
        if (value := getattr(asked, name)) is not None:
            words[name] = value
    where = store_named(cluster["store"] or asked.store)
    scheduler = cluster["scheduler"] or asked.scheduler
    with working(where, scheduler, allow_remote=cluster["allow_remote"]) as queue:
        bar.report(0.0, "submitting")
        name = queue.submit(question.city, task="report", store=where, **words).id
        job = follow(queue, name, bar)
        if job.state == "cancelled":
            return False
        bundle = answer_of(queue, job)
    if bundle.files:
        bundle.write(output)
    return bool(bundle.files)
