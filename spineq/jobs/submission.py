"""How a job gets into the ledger: answered at once, sharing an attempt, or waiting for its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spineq.errors import ProblemError, QueueFullError
from spineq.jobs.records import JobRecord, KeyRecord, digest, new_job_id
from spineq.jobs.tasks import task_named
from spineq.jobs.worker import figures_of

if TYPE_CHECKING:
    from spineq.jobs.keeper import Keeper
    from spineq.jobs.ledger import Ledger

#: What a caller says of a job: with one key always the same.
_ASKED = (
    "task", "city", "parameters", "priority", "tags", "note", "time_limit", "expires_in", "fresh",
)  # fmt: skip


def submitted(
    keeper: Keeper, job: JobRecord, *, most_waiting: int, most_of_a_user: int | None
) -> str:
    """Write a job, and have it done; returns its id.

    Parameters
    ----------
    keeper
        Of the queue.
    job
        The job, without an attempt. One with a key that was used before is the job of that time.
    most_waiting, most_of_a_user
        Jobs that may wait, of all and of one user; None for as many as like.

    Raises
    ------
    ProblemError
        The key was used for something else.
    QueueFullError
        Too many jobs wait.
    StoreError
        The job cannot be written.
    """
    ledger = keeper.ledger
    if job.key:
        job, is_there = _under_its_key(keeper, job)
        if is_there:
            return job.id
    if not job.fresh and ledger.has_answer(job.run):
        value, bound = figures_of(task_named(job.task), ledger, job.run)
        job = replace(job, reused="answer", value=value, bound=bound)
        with keeper.lock:
            job = _put(ledger, job)
            keeper.index.add(job)
        return job.id
    with keeper.lock:
        index = keeper.index
        _check_room(keeper, job.user, most_waiting, most_of_a_user)
        reused, earlier = ("", "") if job.fresh else index.relative_of(job)
        if earlier and not ledger.has_answer(earlier):
            reused = earlier = ""  # pruned since
        job = replace(
            job,
            reused=reused,
            earlier=earlier,
            order=index.next_order(job.priority, job.user),
            attempt=ledger.open_attempt(job.run, job.time_limit),
        )
        job = _put(ledger, job)
        index.add(job)
        keeper.start(job, job.attempt)
    return job.id


def _check_room(keeper: Keeper, user: str, most_waiting: int, most_of_a_user: int | None) -> None:
    index = keeper.index
    if len(index.open) >= most_waiting:
        msg = f"{len(index.open):,} jobs wait, and the queue takes no more"
        raise QueueFullError(msg, mend="Wait for some, or clear(waiting=True)")
    if most_of_a_user is None:
        return
    his = sum(index.entries[job_id].user == user for job_id in index.open)
    if his >= most_of_a_user:
        msg = f"{his:,} jobs of {user!r} wait, and the queue takes no more of one user"
        raise QueueFullError(msg, mend="Wait for some, or delete some")


def _put(ledger: Ledger, job: JobRecord) -> JobRecord:
    while not ledger.put_job(job):
        if job.key:
            # Submitted with the same key in this moment, by somebody who may be another process.
            return ledger.job(job.id)
        job = replace(job, id=new_job_id())
    return job


def _under_its_key(keeper: Keeper, job: JobRecord) -> tuple[JobRecord, bool]:
    """Give a job the id that its key stands for; and say whether that job is there already."""
    ledger = keeper.ledger
    asked = digest(*(getattr(job, name) for name in _ASKED))
    known = ledger.put_key(job.key, KeyRecord(job=job.id, asked=asked))
    if known.asked != asked:
        msg = "this key was given to another job, which asks for something else"
        raise ProblemError(msg, field="key", mend="Give each job a key of its own")
    there = known.job != job.id and ledger.has_job(known.job)
    if there:
        keeper.refresh()
    # Not there, it was deleted or its submitter died before it was written.
    return replace(job, id=known.job), there
