"""How a job gets into the ledger: answered at once, sharing an attempt, or waiting for its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
    if job.key and (known := _under_its_key(ledger, job, ledger.key(job.key))):
        keeper.refresh()
        return known
    if not job.fresh and ledger.has_answer(job.run):
        value, bound = figures_of(task_named(job.task), ledger, job.run)
        job = replace(job, reused="answer", value=value, bound=bound)
        with keeper.lock:
            job, is_new = _put(ledger, job)
            if is_new:
                keeper.index.add(job)
    else:
        with keeper.lock:
            index = keeper.index
            check_room(keeper, [job.user], most_waiting, most_of_a_user)
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
            job, is_new = _put(ledger, job)
            if is_new:
                index.add(job)
                keeper.start(job, job.attempt)
    if not is_new:
        keeper.refresh()
    return job.id


def check_room(
    keeper: Keeper, users: Sequence[str], most_waiting: int, most_of_a_user: int | None
) -> None:
    """See that so many more jobs of these users may wait; the keeper's lock is held.

    Raises
    ------
    QueueFullError
        Too many would wait.
    """
    index = keeper.index
    if len(index.open) + len(users) > most_waiting:
        msg = f"{len(index.open):,} jobs wait, and the queue takes no more than {most_waiting:,}"
        raise QueueFullError(msg, mend="Wait for some, or clear(waiting=True)")
    if most_of_a_user is None:
        return
    waiting = Counter(index.entries[job_id].user for job_id in index.open)
    for user, more in Counter(users).items():
        if waiting[user] + more > most_of_a_user:
            msg = (
                f"{waiting[user]:,} jobs of {user!r} wait, and the queue takes no more of one "
                f"user than {most_of_a_user:,}"
            )
            raise QueueFullError(msg, mend="Wait for some, or delete some")


def _put(ledger: Ledger, job: JobRecord) -> tuple[JobRecord, bool]:
    """Write a job; returns it with the id that it has, and whether it was not there before."""
    if job.key:
        # Last of all, so that what is refused leaves no key behind.
        record = KeyRecord(job=job.id, asked=_asked(job))
        while (known := ledger.put_key(job.key, record)).asked != record.asked:
            _under_its_key(ledger, job, known)
            # Whoever asked for something else died before the job was written.
            ledger.delete_key(job.key)
        job = replace(job, id=known.job)
        # Under the same key in this moment, somebody else may write it.
        return job, ledger.put_job(job)
    while not ledger.put_job(job):
        job = replace(job, id=new_job_id())
    return job, True


def _asked(job: JobRecord) -> str:
    return digest(*(getattr(job, name) for name in _ASKED))


def _under_its_key(ledger: Ledger, job: JobRecord, known: KeyRecord | None) -> str:
    """Id of the job that a key stands for; empty while there is none."""
    if known is None or not ledger.has_job(known.job):
        return ""  # never used, or deleted, or its submitter died before it was written
    if known.asked != _asked(job):
        msg = "this key was given to another job, which asks for something else"
        raise ProblemError(msg, field="key", mend="Give each job a key of its own")
    return known.job
