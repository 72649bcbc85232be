"""What the commands about jobs share: a queue on a store, ids, and following a job."""

from __future__ import annotations

import json
import logging
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spineq.cli.job_words import failure_words, percent_done, plain
from spineq.errors import (
    JobCancelledError,
    JobError,
    JobNotFoundError,
    NotInStoreError,
    UnknownTaskError,
    shown,
)
from spineq.jobs.states import ENDED, State

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.progress import TextProgress

#: Fewest characters of an id.
_LEAST_ID = 4

#: Ids that a message names.
_MOST_NAMED = 4

#: Seconds from one look for a stop to the next.
_PERIOD = 0.1


def store_named(store: str | None) -> str:
    """Store of the command line, or the one by default."""
    from spineq.jobs.queue import default_store

    return store or default_store()


def command(store: str, *words: str) -> str:
    """Line that a person can paste: ``spineq jobs ...`` for this store."""
    from spineq.jobs.queue import default_store

    place = [] if store == default_store() else ["--store", store]
    return shlex.join(["spineq", "jobs", *words, *place])


@contextmanager
def looking(store: str) -> Iterator[JobQueue | None]:
    """Open the queue of a store, without a cluster; None where nobody has kept a job yet.

    Looking into a folder makes no store of it.
    """
    from spineq.jobs.queue import JobQueue
    from spineq.store import open_store

    if not open_store(store).exists("format"):
        yield None
        return
    with JobQueue(store=store, connect=False) as queue:
        yield queue


@contextmanager
def working(
    store: str, scheduler: str | None, *, allow_remote: bool, **options: Any
) -> Iterator[JobQueue]:
    """Open a queue on a store that has a cluster."""
    from spineq.jobs.queue import JobQueue

    # What fails is told by the job; Dask's own words on it are not for this screen.
    dask_log = logging.getLogger("distributed")
    before = dask_log.level
    dask_log.setLevel(logging.CRITICAL)
    options["silence_logs"] = logging.CRITICAL
    try:
        with JobQueue(scheduler, store=store, allow_remote=allow_remote, **options) as queue:
            yield queue
    finally:
        dask_log.setLevel(before)


def ids_named(queue: JobQueue | None, texts: Iterable[str]) -> list[str]:
    """Find the ids of jobs by their beginnings or endings, each once, in the order given.

    Raises
    ------
    JobNotFoundError
        No job is called that, or several.
    """
    known = set() if queue is None else set(queue.ids())
    return list(dict.fromkeys(_id_named(known, text) for text in texts))


def _id_named(known: set[str], text: str) -> str:
    wanted = text.strip().lower()
    if wanted in known:
        return wanted
    if len(wanted) < _LEAST_ID:
        msg = f"{shown(text)} is too short for the id of a job"
        raise JobNotFoundError(msg, mend=f"Give at least its last {_LEAST_ID} characters")
    found = sorted(name for name in known if name.startswith(wanted) or name.endswith(wanted))
    if not found:
        msg = f"there is no job {shown(text)}, or not any more"
        raise JobNotFoundError(msg, mend="See the ids with: spineq jobs list")
    if len(found) > 1:
        some = ", ".join(found[-_MOST_NAMED:]) + (" ..." if len(found) > _MOST_NAMED else "")
        msg = f"{shown(text)} fits {len(found):,} jobs ({some})"
        raise JobNotFoundError(msg, mend="Give more of the id; the endings are what differs")
    return found[0]


def opened(queue: JobQueue | None) -> JobQueue:
    """Queue that `ids_named` found a job in."""
    assert queue is not None
    return queue


def follow(queue: JobQueue, job_id: str, bar: TextProgress) -> JobSnapshot:
    """Move a bar with a job until it has ended; when the bar asks to stop, cancel the job.

    Raises
    ------
    JobNotFoundError
        The job was deleted.
    """
    watch = queue.get(job_id).watch()
    cancelled = False
    try:
        while True:
            snapshot = watch.next(_PERIOD) or queue.snapshot(job_id)
            if snapshot.has_ended:
                return snapshot
            progress = snapshot.progress
            words = _doing(queue, snapshot)
            if bar.report(progress.fraction, words, progress.value, progress.bound):
                if not cancelled:
                    queue.cancel(job_id)
                cancelled = True
    finally:
        watch.stop()


def _doing(queue: JobQueue, snapshot: JobSnapshot) -> str:
    if queue.trouble:
        return "the store does not answer"
    if snapshot.state == "queued":
        return "waiting for a worker"
    return "stopping" if snapshot.state == "cancelling" else plain(snapshot.progress.message)


def drain(queue: JobQueue) -> tuple[dict[State, int], list[JobSnapshot]]:
    """Wait, with a bar on standard error, until a queue has nothing left to do.

    Returns
    -------
    tuple
        Number of jobs that ended meanwhile, by state; and those left, which wait for a task
        that this process does not know.
    """
    from spineq.progress import TextProgress

    seen: set[str] = set()
    open_states: tuple[State, ...] = ("queued", "running", "cancelling")
    with TextProgress(sys.stderr) as bar:
        while True:
            jobs = queue.jobs(state=open_states)
            seen.update(job.id for job in jobs)
            left = [job for job in jobs if job.state == "queued" and not _is_known(job.task)]
            if len(left) == len(jobs):
                break
            counts = Counter(job.state for job in jobs)
            words = ", ".join(f"{counts[each]:,} {each}" for each in open_states if counts[each])
            done = len(seen) - sum(1 - job.progress.fraction for job in jobs)
            bar.report(done / len(seen), words)
            time.sleep(_PERIOD)
    ended = Counter(job.state for job in queue.jobs() if job.id in seen)
    return {state: ended[state] for state in ended if state in ENDED}, left


def _is_known(task: str) -> bool:
    from spineq.jobs.tasks import task_named

    try:
        task_named(task)
    except UnknownTaskError:
        return False
    return True


def answer_of(queue: JobQueue, snapshot: JobSnapshot) -> Any:
    """Read the answer of a job that has ended: what there is, whole or the best so far.

    Raises
    ------
    JobError
        It has none, or the answer is damaged or gone; the sentence says why and what to do.
    """
    name = snapshot.id
    again = f"Try again with: {command(queue.store, 'retry', name)}"
    if snapshot.answer:
        return _loaded(queue, snapshot)
    if snapshot.error is not None:
        msg = f"job {name} failed: {failure_words(snapshot)}"
        raise JobError(
            msg, mend=f"See its traceback with: {command(queue.store, 'show', name, '--traceback')}"
        )
    if snapshot.state == "cancelled":
        msg = f"job {name} was cancelled before it had found anything"
        raise JobCancelledError(msg, mend=again)
    if snapshot.state == "expired":
        msg = f"job {name} waited for longer than it was wanted"
        raise JobError(msg, mend=again)
    how_far = "" if snapshot.state == "queued" else f" ({percent_done(snapshot)})"
    msg = f"job {name} is {snapshot.state}{how_far} and has no answer yet"
    raise JobError(msg, mend=f"Wait for it with: {command(queue.store, 'watch', name)}")


def _loaded(queue: JobQueue, snapshot: JobSnapshot) -> Any:
    mend = "Submit it again with --anew"
    try:
        return queue.load(snapshot)
    except UnknownTaskError:
        # A task of somebody's own, known to their program; its answers are JSON.
        try:
            return json.loads(queue.keeper.ledger.answer(snapshot.answer))
        except (NotInStoreError, ValueError) as error:
            msg = f"the answer of job {snapshot.id} is damaged or gone ({error})"
            raise JobError(msg, mend="Submit it again") from error
    except JobError as error:
        raise JobError(error.what, mend=mend) from error
