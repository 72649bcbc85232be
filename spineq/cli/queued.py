"""``spineq optimise --queue``: the same answer, by way of the queue."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spineq.cli.options import cluster_options, stoppable_progress, store_option
from spineq.cli.printing import print_json
from spineq.cli.results import finish_answer

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.model.city import City

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: What means nothing without ``--queue``, with the values that say nothing.
_IDLE = {
    "store": None,
    "scheduler": None,
    "allow_remote": False,
    "priority": None,
    "tags": (),
    "note": None,
    "time_limit": None,
    "anew": False,
    "no_wait": False,
}

_FLAGS = {"tags": "--tag"}

#: What becomes of a problem, or of a question, at the first Ctrl-C.
_BEST, _FOUND = "the best network so far is kept", "what is found by then is kept"


def queue_options(command: _Command) -> _Command:
    """``--queue``, and what goes with a job."""
    for option in (
        click.option(
            "--no-wait", is_flag=True,
            help="Print the job's id and leave it to the cluster that serves the store.",
        ),
        click.option("--anew", is_flag=True, help="Compute although the store has the answer."),
        click.option(
            "--time-limit", type=float, metavar="SECONDS",
            help="Computing time, after which the best so far is the answer, marked.",
        ),
        click.option("--note", help="A line of text, to find the job again."),
        click.option(
            "--tag", "tags", multiple=True, help="A word to find the job by. May be repeated."
        ),
        click.option(
            "--priority", type=int,
            help="-1000 to 1000; jobs with a higher one go first. By default 0.",
        ),
        cluster_options,
        store_option,
        click.option(
            "--queue", is_flag=True,
            help="Make it a job, which is kept until it is done. --store to --no-wait are for "
            "jobs.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def take_queue_words(words: dict[str, Any]) -> dict[str, Any] | None:
    """Take the options of `queue_options` out of a command's words; None without ``--queue``.

    Raises
    ------
    click.UsageError
        An option that is for jobs alone.
    """
    taken = {name: words.pop(name) for name in _IDLE}
    if words.pop("queue"):
        return taken
    for name, value in taken.items():
        if value != _IDLE[name]:
            msg = f"{_FLAGS.get(name) or '--' + name.replace('_', '-')} is for jobs: add --queue."
            raise click.UsageError(msg)
    return None


def need_wait(request: dict[str, Any], output: Path | None) -> None:
    """Refuse files of an answer that nobody waits for.

    Raises
    ------
    click.UsageError
        They are wanted.
    """
    if request["no_wait"] and output is not None:
        msg = "--no-wait has no answer to write: leave out --output, and use spineq jobs result."
        raise click.UsageError(msg)


def queued(
    request: dict[str, Any],
    city: City,
    problem_words: dict[str, Any],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Submit a problem to a queue, follow it, and print its answer."""
    from spineq.instance import check
    from spineq.model.problem import Problem

    need_wait(request, output)
    # Checked here, so that bad input starts no cluster.
    problem = Problem.from_words(**problem_words)
    check(city, problem)
    submitted(request, city, {"problem": problem}, output, as_json=as_json)


def submitted(
    request: dict[str, Any],
    city: City,
    asked: dict[str, Any],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Submit what is asked and was checked, follow it, and print its answer.

    Parameters
    ----------
    request
        What `take_queue_words` took.
    city
        Where.
    asked
        Words of `spineq.JobQueue.submit`: a problem, or a task and its parameters.
    output
        Where the answer's files go; None for no files.
    as_json
        Whether to print JSON.
    """
    from spineq.cli.job_access import answer_of, follow, store_named, working
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.requests import checked_request

    need_wait(request, output)
    details: dict[str, Any] = {
        "priority": request["priority"] or 0,
        "tags": request["tags"],
        "note": request["note"] or "",
        "time_limit": request["time_limit"],
    }
    checked_request(**details, expires_in=None)
    words = details | asked | {"reuse": not request["anew"]}
    where = store_named(request["store"])
    if request["no_wait"] and not request["scheduler"]:
        with JobQueue(store=where, connect=False) as waiting:
            if not waiting.is_served:
                _leave(waiting, waiting.submit(city, **words).snapshot(), as_json=as_json)
                return
    with working(where, request["scheduler"], allow_remote=request["allow_remote"]) as queue:
        if request["no_wait"]:
            _leave(queue, queue.submit(city, **words).snapshot(), as_json=as_json)
            return
        with stoppable_progress(_FOUND if "task" in asked else _BEST) as bar:
            bar.report(0.0, "submitting")
            name = queue.submit(city, **words).id
            job = follow(queue, name, bar)
        if job.state == "cancelled" and not job.answer:
            click.echo(f"spineq: job {name} was cancelled before it had found anything.", err=True)
            sys.exit(130)
        answer = answer_of(queue, job)
    click.echo(f"spineq: this is job {name} in {where}", err=True)
    finish_answer(answer, job, city, output, as_json=as_json)


def _leave(queue: JobQueue, job: JobSnapshot, *, as_json: bool) -> None:
    """Say where a job is that nobody waits for."""
    carried = queue.is_served
    if as_json:
        print_json({"id": job.id, "store": queue.store, "state": job.state, "carried": carried})
    else:
        click.echo(job.id)
    if job.has_ended:
        click.echo("spineq: the store has the answer already", err=True)
    elif not carried:
        click.echo(
            "spineq: no cluster serves this store, so the job stays in it until somebody runs "
            "spineq jobs reconcile, or a notebook opens it",
            err=True,
        )
