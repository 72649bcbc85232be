"""What the queue's thread says, on the event loop: each job's progress, and its end once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot

_LOG = logging.getLogger(__name__)

#: Seconds from one look at what changed to the next.
PACE = 0.1

#: Seconds for which news wait for a submit that is on its way.
_PATIENCE = 5.0

#: Ends that are remembered, so that none is told twice.
_MOST_ENDS = 100_000

#: An event, and what is said with it.
End = tuple[str, dict[str, object]]

Hearer = Callable[[str, "JobSnapshot | None"], Awaitable[None]]


class News:
    """Tells a hearer of jobs as they change: the latest only, and the end of each once.

    Parameters
    ----------
    queue
        Whose jobs.
    hearer
        Awaited on the event loop with each job's id, and its snapshot; None for one that was
        deleted.
    """

    def __init__(self, queue: JobQueue, hearer: Hearer) -> None:
        self._queue, self._hearer = queue, hearer
        self._lock = threading.Lock()
        self._changed: dict[str, JobSnapshot | None] = {}
        self._ends: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._submitting: dict[asyncio.Event, dict[str, End]] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Tell what changes, until this is cancelled."""
        loop = asyncio.get_running_loop()

        def heard(job_id: str | None, snapshot: JobSnapshot | None) -> None:
            """Take note on the queue's thread, which must not wait."""
            if job_id is not None:
                with self._lock:
                    self._changed[job_id] = snapshot
                loop.call_soon_threadsafe(self._wake.set)

        end = self._queue.watch(lambda job: heard(job.id, job), lambda job_id: heard(job_id, None))
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._tell()
                await asyncio.sleep(PACE)
        finally:
            end()

    async def _tell(self) -> None:
        with self._lock:
            changed, self._changed = self._changed, {}
        # An answer from the store may be there before whoever asked knows the job's id.
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                for submit in list(self._submitting):
                    await submit.wait()
        for job_id, snapshot in changed.items():
            if snapshot is not None and snapshot.has_ended and not self._is_first(snapshot):
                continue
            try:
                await self._hearer(job_id, snapshot)
            except Exception:
                _LOG.exception("news of job %s could not be told", job_id)

    def _is_first(self, snapshot: JobSnapshot) -> bool:
        end = snapshot.id, snapshot.turn
        if end in self._ends:
            return False
        self._ends[end] = None
        while len(self._ends) > _MOST_ENDS:
            self._ends.popitem(last=False)
        return True

    def note_end(self, job_id: str, end: End) -> None:
        """Note for whoever is submitting what is about to be told of the end of a job."""
        for told in self._submitting.values():
            told[job_id] = end

    @contextmanager
    def submitting(self) -> Iterator[dict[str, End]]:
        """Hold back news until a job's submitter was told its id.

        Not for ever: what is given holds the ends that were told in the meantime, by job.
        """
        over = asyncio.Event()
        told = self._submitting[over] = {}
        try:
            yield told
        finally:
            del self._submitting[over]
            over.set()
