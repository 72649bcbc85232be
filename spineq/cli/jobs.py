"""``spineq jobs``: list, show, watch, steer and finish the jobs of a store."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from spineq.cli.options import Folder, cluster_options, json_option, store_option
from spineq.cli.printing import print_json, say, wrapped
from spineq.jobs.states import State

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot

_some_ids = click.argument("ids", nargs=-1, required=True, metavar="ID...")
_one_id = click.argument("job_id", metavar="ID")

_SUBMIT = "Submit one with: spineq optimise san-francisco -n 20 --queue"


@click.group()
def jobs() -> None:
    """Look at jobs, steer them, and have them done.

    An ID may be given by its first or last characters, 4 or more.

    Example: spineq jobs list
    """


@jobs.command("list", epilog="Example: spineq jobs list --state running --state queued")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(get_args(State)),
    help="Only jobs in this state. May be repeated.",
)  # fmt: skip
@click.option("--user", help="Only this user's jobs.")
@click.option("--tag", help="Only jobs with this tag.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="Most jobs to list."
)
@click.option(
    "--offset", type=click.IntRange(min=0), default=0, help="Latest jobs to leave out before."
)
@store_option
@json_option
def list_jobs(
    states: tuple[State, ...],
    user: str | None,
    tag: str | None,
    limit: int,
    offset: int,
    store: str | None,
    as_json: bool,
) -> None:
    """List jobs, the latest first."""
    from spineq.cli.job_access import looking, store_named
    from spineq.cli.job_words import counts_words, job_table

    where = store_named(store)
    words: dict[str, Any] = {"state": states or None, "user": user, "tag": tag, "offset": offset}
    found: list[JobSnapshot] = []
    counts: dict[State, int] = {}
    ids: list[str] = []
    with looking(where) as queue:
        if queue is not None:
            found = queue.jobs(limit=limit + 1, **words)
            counts = queue.count()
            ids = queue.ids()
    more, found = len(found) > limit, found[:limit]
    if as_json:
        made = [job.to_dict() for job in found]
        print_json({"store": where, "counts": counts, "more": more, "jobs": made})
        return
    if not counts:
        click.echo(f"No jobs in {where} yet. {_SUBMIT}")
        return
    if found:
        click.echo(f"{job_table(found, _width(), ids)}\n")
    elif limit:
        click.echo("No jobs like that.")
    click.echo(f"{counts_words(counts)}.")
    if more and found:
        click.echo(f"Older ones: --offset {offset + len(found)}")


def _width() -> int | None:
    """Characters of a line on the terminal; None where nobody looks."""
    size = shutil.get_terminal_size((0, 0)).columns
    return size or (80 if sys.stdout.isatty() else None)


@jobs.command(epilog="Example: spineq jobs show k3x9")
@_one_id
@click.option("--traceback", is_flag=True, help="Show where in the code a failed job failed.")
@store_option
@json_option
def show(job_id: str, traceback: bool, store: str | None, as_json: bool) -> None:
    """Say everything about a job."""
    from spineq.cli.job_access import command, ids_named, looking, opened, store_named
    from spineq.cli.job_words import early_words, job_lines, state_words

    with looking(store_named(store)) as queue:
        (name,) = ids_named(queue, [job_id])
        job = opened(queue).snapshot(name)
    if as_json:
        print_json(job.to_dict())
        return
    click.echo(f"Job {job.id}: {state_words(job)}\n")
    for label, words in job_lines(job):
        click.echo(wrapped(f"{label:12}{words}", indent=12))
    if early := early_words(job):
        click.echo()
        say(early)
    if job.answer:
        line = command(store_named(store), "result", job.id)
        click.echo(f"\nSee the answer with: {line}")
    if job.error is not None and job.error.traceback:
        if traceback:
            click.echo(f"\n{job.error.traceback.rstrip()}")
        else:
            click.echo("\nSee where in the code with --traceback.")


@jobs.command(
    short_help="Follow a job until it has ended.", epilog="Example: spineq jobs watch k3x9"
)
@_one_id
@store_option
@json_option
def watch(job_id: str, store: str | None, as_json: bool) -> None:
    """Follow a job until it has ended; Ctrl-C ends the watching, not the job."""
    from spineq.cli.job_access import (
        answer_of,
        command,
        follow,
        ids_named,
        looking,
        opened,
        store_named,
    )
    from spineq.model.network import Network
    from spineq.progress import TextProgress

    with looking(store_named(store)) as found:
        (name,) = ids_named(found, [job_id])
        queue = opened(found)
        try:
            job = queue.snapshot(name)
            if job.state == "queued" and not queue.is_served:
                _say_nobody(queue)
            if not job.has_ended:
                with TextProgress(sys.stderr) as bar:
                    job = follow(queue, name, bar)
        except KeyboardInterrupt:
            line = command(queue.store, "cancel", name)
            _say(f"stopped watching; job {name} goes on. Cancel it with: {line}")
            sys.exit(130)
        if as_json:
            print_json(job.to_dict())
            return
        answer = answer_of(queue, job)
    words = f"Job {name}: {_end_words(job, answer, command(queue.store, 'result', job.id))}"
    # A command is copied, so it stays in one line.
    click.echo(wrapped(words) if isinstance(answer, Network) else words)


def _say(text: str) -> None:
    click.echo(f"spineq: {text}", err=True)


def _say_nobody(queue: JobQueue) -> None:
    from spineq.cli.job_access import command

    line = command(queue.store, "reconcile")
    _say(f"nobody works at this store; have its jobs done with: {line}")


def _end_words(job: JobSnapshot, answer: Any, line: str) -> str:
    from spineq.cli.job_words import early_words, state_words
    from spineq.model.network import Network

    if not isinstance(answer, Network):
        return f"{state_words(job)}. See the answer with: {line}"
    from spineq.model._objective_words import value_words

    covered = f"{state_words(job)}: {value_words(answer)}."
    return " ".join(filter(None, [covered, early_words(job), answer.certificate()]))


@jobs.command(epilog="Example: spineq jobs result k3x9 --output my-folder")
@_one_id
@click.option(
    "--output", type=Folder(),
    help="Write the answer into this folder: network.nc and its maps, front.nc and its pictures, "
    "baseline.nc, or the figures of a question about a network.",
)  # fmt: skip
@store_option
@json_option
def result(job_id: str, output: Path | None, store: str | None, as_json: bool) -> None:
    """Print a job's answer, and write its maps and data."""
    from spineq.cli.job_access import answer_of, ids_named, looking, opened, store_named
    from spineq.cli.results import finish_answer

    with looking(store_named(store)) as found:
        (name,) = ids_named(found, [job_id])
        queue = opened(found)
        job = queue.snapshot(name)
        answer = answer_of(queue, job)
        city = queue.city(job)
    finish_answer(answer, job, city, output, as_json=as_json)


@jobs.command(
    short_help="Stop jobs, keeping their best so far.",
    epilog="Example: spineq jobs cancel k3x9 m2ae",
)
@_some_ids
@store_option
@json_option
def cancel(ids: tuple[str, ...], store: str | None, as_json: bool) -> None:
    """Withdraw jobs; what runs stops at once and keeps its best so far."""
    from spineq.cli.job_access import ids_named, looking, opened, store_named

    with looking(store_named(store)) as found:
        names = ids_named(found, ids)
        queue = opened(found)
        over = {name for name in names if queue.snapshot(name).has_ended}
        queue.cancel(*names)
        _print_states(queue, names, over, as_json=as_json)


def _print_states(
    queue: JobQueue, names: list[str], over: Set[str] = frozenset(), *, as_json: bool
) -> None:
    found = [queue.snapshot(name) for name in names]
    if as_json:
        print_json([job.to_dict() for job in found])
        return
    for job in found:
        before = " already" if job.id in over else ""
        click.echo(f"Job {job.id}: {job.state}{before}")


@jobs.command(epilog="Example: spineq jobs retry k3x9")
@_some_ids
@store_option
@json_option
def retry(ids: tuple[str, ...], store: str | None, as_json: bool) -> None:
    """Give failed, cancelled or expired jobs another try."""
    from spineq.cli.job_access import ids_named, looking, opened, store_named

    with looking(store_named(store)) as found:
        names = ids_named(found, ids)
        queue = opened(found)
        for name in names:
            queue.retry(name)
        _print_states(queue, names, as_json=as_json)
        if not queue.is_served:
            _say_nobody(queue)


@jobs.command(epilog="Example: spineq jobs delete k3x9 m2ae")
@_some_ids
@store_option
@json_option
def delete(ids: tuple[str, ...], store: str | None, as_json: bool) -> None:
    """Cancel jobs that have not ended, and forget them."""
    from spineq.cli.job_access import ids_named, looking, opened, store_named

    with looking(store_named(store)) as queue:
        names = ids_named(queue, ids)
        opened(queue).delete(*names)
    if as_json:
        print_json({"deleted": names})
        return
    for name in names:
        click.echo(f"Job {name}: deleted")


@jobs.command(
    short_help="Cancel and forget many jobs.", epilog="Example: spineq jobs clear --waiting"
)
@click.option("--waiting", is_flag=True, help="Only jobs that wait.")
@click.option("--all", "everything", is_flag=True, help="All jobs, of all users.")
@click.option("--yes", is_flag=True, help="Do not ask before --all.")
@store_option
@json_option
def clear(waiting: bool, everything: bool, yes: bool, store: str | None, as_json: bool) -> None:
    """Cancel and forget many jobs, of whoever they are."""
    from spineq.cli.job_access import looking, store_named
    from spineq.cli.job_words import counts_words

    if waiting == everything:
        msg = "Say either --waiting or --all."
        raise click.UsageError(msg)
    where, deleted = store_named(store), 0
    with looking(where) as queue:
        counts = {} if queue is None else queue.count()
        if queue is not None and counts:
            if everything and not yes:
                if not sys.stdin.isatty():
                    msg = f"This would delete {sum(counts.values()):,} jobs: say --yes too."
                    raise click.UsageError(msg)
                ask = f"{where} has {counts_words(counts)}. Delete them all, of all users?"
                if not click.confirm(ask, err=True):
                    click.echo("Nothing was deleted.", err=True)
                    sys.exit(1)
            deleted = queue.clear(waiting=waiting)
    if as_json:
        print_json({"deleted": deleted})
    else:
        click.echo(f"{deleted:,} job{'' if deleted == 1 else 's'} deleted.")


@jobs.command(
    short_help="Have everything done that waits.",
    epilog="Example: spineq jobs reconcile --n-workers 4",
)
@cluster_options
@click.option(
    "--n-workers", type=click.IntRange(min=1),
    help="Processes of a cluster that is started here; by default one a core.",
)  # fmt: skip
@store_option
@json_option
def reconcile(
    scheduler: str | None,
    allow_remote: bool,
    n_workers: int | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Have everything done that waits in a store; Ctrl-C leaves the rest in it."""
    from spineq.cli.job_access import drain, looking, store_named, working
    from spineq.cli.job_words import counts_words, plain

    if scheduler is not None and n_workers is not None:
        msg = "--n-workers is for a cluster that is started here: leave out it or --scheduler."
        raise click.UsageError(msg)
    where = store_named(store)
    with looking(where) as found:
        counts = {} if found is None else found.count()
    ended: dict[State, int] = {}
    left: list[JobSnapshot] = []
    if any(counts.get(state) for state in ("queued", "running", "cancelling")):
        with working(where, scheduler, allow_remote=allow_remote, n_workers=n_workers) as queue:
            try:
                ended, left = drain(queue)
            except KeyboardInterrupt:
                rest = queue.count()
                open_jobs = sum(rest.get(state, 0) for state in ("queued", "running", "cancelling"))
                jobs_stay = "1 job stays" if open_jobs == 1 else f"{open_jobs:,} jobs stay"
                _say(f"stopped; {jobs_stay} in the store for the next reconcile")
                sys.exit(130)
    if as_json:
        print_json({"ended": ended, "left": [job.id for job in left]})
        return
    nothing = f"Nothing waits{' that could be done here' if left else ''}"
    click.echo(f"{counts_words(ended) if ended else nothing}.")
    if left:
        names = ", ".join(sorted({plain(job.task) for job in left}))
        one = len(left) == 1
        click.echo(
            f"{len(left):,} {'waits' if one else 'wait'} for a program that knows "
            f"{'its' if one else 'their'} task: {names}. Open the store there with spineq.JobQueue."
        )


@jobs.command(
    short_help="Time the queue, in ratios.", epilog="Example: spineq jobs bench --jobs 10000"
)
@click.option("--jobs", "n_jobs", type=click.IntRange(10, 100_000), default=1000, show_default=True)
@json_option
def bench(n_jobs: int, as_json: bool) -> None:
    """Time the queue against bare Dask, on two workers and a store of its own, in this run."""
    from dataclasses import asdict

    from spineq.cli.printing import text_table
    from spineq.jobs.overhead import measure

    figures = measure(n_jobs, tell=_say)
    if as_json:
        print_json([asdict(figure) for figure in figures])
        return
    rows: list[tuple[str, ...]] = [("", "", "times bare Dask")]
    rows += [
        (
            figure.name,
            f"{figure.value:,.3g} {figure.unit}",
            "" if figure.ratio is None else f"{figure.ratio:.2f} x",
        )
        for figure in figures
    ]
    click.echo(text_table(rows))
