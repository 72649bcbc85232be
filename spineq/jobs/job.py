"""A handle on one job."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from spineq import errors
from spineq.errors import (
    JobCancelledError,
    JobError,
    JobExpiredError,
    JobFailedError,
    JobNotFoundError,
)
from spineq.jobs.snapshot import JobFailure, JobProgress, JobSnapshot
from spineq.jobs.states import State
from spineq.jobs.watch import Watch

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue


class Job:
    """A job of a queue: ask it, wait for it, cancel it. Made by `JobQueue.submit` and ``get``.

    ``await job`` gives its result in a notebook, and ``async for snapshot in job`` follows it.
    All methods raise `JobNotFoundError` once the job was deleted, and `StoreError` where the
    store fails; those that wait raise `ClusterError` when the queue is closed.

    Parameters
    ----------
    queue
        Whose job.
    job_id
        Its name.
    """

    def __init__(self, queue: JobQueue, job_id: str) -> None:
        self._queue = queue
        self.id = job_id

    def snapshot(self) -> JobSnapshot:
        """Everything about the job at this moment, as far as this process knows.

        Raises
        ------
        JobNotFoundError
            It was deleted.
        """
        return self._queue.snapshot(self.id)

    @property
    def status(self) -> State:
        """State of the job; see `spineq.jobs.states`."""
        return self.snapshot().state

    @property
    def progress(self) -> JobProgress:
        """How far it is."""
        return self.snapshot().progress

    @property
    def error(self) -> JobFailure | None:
        """Why it failed; None if it did not."""
        return self.snapshot().error

    @property
    def has_ended(self) -> bool:
        """Whether nothing happens any more, unless somebody retries."""
        return self.snapshot().has_ended

    def wait(self, timeout: float | None = None) -> JobSnapshot:
        """Wait until the job has ended.

        Parameters
        ----------
        timeout
            Seconds; None for as long as it takes.

        Raises
        ------
        JobNotEndedError
            It has not ended within that time; it goes on.
        JobNotFoundError
            It was deleted.
        """
        return self._queue.wait_for(self.id, timeout)

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the answer; for ``optimise`` a `spineq.Network`.

        An answer that a time limit cut short is the best found by then, and says so
        (``stopped``).

        Parameters
        ----------
        timeout
            Seconds; None for as long as it takes.

        Raises
        ------
        JobNotEndedError
            The job has not ended within that time; it goes on.
        JobFailedError
            It failed; the notes of the exception hold the worker's traceback.
        JobCancelledError, JobExpiredError
            It was cancelled (`best` may have something), or waited for too long.
        JobNotFoundError
            It was deleted.
        JobError
            The answer is damaged or gone from the store.
        """
        return self._answer_of(self.wait(timeout))

    def best(self) -> Any:
        """What a cancelled job had found when it stopped; None if that is nothing.

        Raises
        ------
        JobNotFoundError
            The job was deleted.
        JobError
            The answer is damaged or gone from the store.
        """
        snapshot = self.snapshot()
        return self._queue.load(snapshot) if snapshot.answer else None

    def _answer_of(self, snapshot: JobSnapshot) -> Any:
        if snapshot.state == "finished":
            return self._queue.load(snapshot)
        if snapshot.state == "failed" and snapshot.error is not None:
            failure = snapshot.error
            # The sentences of our own errors need no name.
            kind = "" if hasattr(errors, failure.type) else f"{failure.type}: "
            msg = f"job {self.id} failed: {kind}{failure.message.rstrip('.')}"
            error = JobFailedError(msg, mend="Mend what is wrong, then retry() it")
            if snapshot.error.traceback:
                error.add_note(f"On the worker:\n{snapshot.error.traceback}")
            raise error
        if snapshot.state == "cancelled":
            msg = f"job {self.id} was cancelled"
            mend = "best() has what it had found" if snapshot.answer else "Retry it with retry()"
            raise JobCancelledError(msg, mend=mend)
        if snapshot.state == "expired":
            msg = f"job {self.id} waited for more than {snapshot.expires_in:g} seconds"
            raise JobExpiredError(msg, mend="Retry it with retry()")
        msg = f"job {self.id} has no answer ({snapshot.state})"
        raise JobError(msg)

    def cancel(self) -> JobSnapshot:
        """Withdraw the job; a run that no other job wants stops within a quarter of a second.

        A job that has ended stays as it is.
        """
        self._queue.cancel(self.id)
        return self.snapshot()

    def retry(self) -> JobSnapshot:
        """Give a failed, cancelled or expired job a new attempt; what it had found is let go.

        Raises
        ------
        JobError
            The job is in another state.
        """
        self._queue.retry(self.id)
        return self.snapshot()

    def delete(self) -> None:
        """Cancel the job if it has not ended, and remove it from the ledger."""
        self._queue.delete(self.id)

    def watch(self, callback: Callable[[JobSnapshot], object] | None = None) -> Any:
        """Follow the job until it has ended.

        Parameters
        ----------
        callback
            Called with each snapshot: the present one now, later ones on a thread of the queue;
            it must return soon.

        Returns
        -------
        Watch or callable
            Without a callback an iterator of snapshots, the present one first; with one, a
            function that ends the following.
        """
        if callback is None:
            return Watch(self._queue.keeper, self.id)

        ends: list[Callable[[], None]] = []

        def mine(snapshot: JobSnapshot) -> None:
            if snapshot.id == self.id:
                callback(snapshot)
                if snapshot.has_ended:
                    for end in ends:
                        end()

        ends.append(self._queue.keeper.watch(mine))
        mine(self.snapshot())
        return ends[0]

    def __aiter__(self) -> Watch:
        return Watch(self._queue.keeper, self.id)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        watch = Watch(self._queue.keeper, self.id)
        try:
            async for _ in watch:
                pass
        finally:
            watch.stop()
        return self._answer_of(self.snapshot())

    def __repr__(self) -> str:
        try:
            snapshot = self.snapshot()
        except JobNotFoundError:
            return f"<Job {self.id}: deleted>"
        share = f", {snapshot.progress.fraction:.0%}" if snapshot.state == "running" else ""
        return f"<Job {self.id}: {snapshot.state}{share}>"
