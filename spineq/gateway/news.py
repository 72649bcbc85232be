"""What the queue's thread says, on the event loop: each job's progress, and its end once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
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

Hearer = Callable[["JobSnapshot"], Awaitable[None]]


class News:
    """Tells hearers of jobs as they change: the latest only, and the end of each once.

    Parameters
    ----------
    queue
        Whose jobs.
    hearer
        Awaited on the event loop with each snapshot.
    """

    def __init__(self, queue: JobQueue, hearer: Hearer) -> None:
        self._hearer = hearer
        self._lock = threading.Lock()
        self._changed: dict[str, JobSnapshot] = {}
        self._ends: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._submitting: set[asyncio.Event] = set()
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run())
        self._end = queue.watch(self._heard)

    def _heard(self, snapshot: JobSnapshot) -> None:
        """Take note on the queue's thread, which must not wait."""
        with self._lock:
            self._changed[snapshot.id] = snapshot
        self._loop.call_soon_threadsafe(self._wake.set)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            with self._lock:
                changed, self._changed = self._changed, {}
            # An answer from the store may be there before whoever asked knows the job's id.
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    for submit in list(self._submitting):
                        await submit.wait()
            for snapshot in changed.values():
                if snapshot.has_ended and not self._is_first(snapshot):
                    continue
                try:
                    await self._hearer(snapshot)
                except Exception:
                    _LOG.exception("news of job %s could not be told", snapshot.id)
            await asyncio.sleep(PACE)

    def _is_first(self, snapshot: JobSnapshot) -> bool:
        end = snapshot.id, snapshot.turn
        if end in self._ends:
            return False
        self._ends[end] = None
        while len(self._ends) > _MOST_ENDS:
            self._ends.popitem(last=False)
        return True

    def submitting(self) -> Submitting:
        """Hold back news until a job's submitter was told its id: ``async with``."""
        return Submitting(self._submitting)

    async def close(self) -> None:
        """Tell no more."""
        self._end()
        self._task.cancel()


class Submitting:
    """A submit on its way."""

    def __init__(self, those: set[asyncio.Event]) -> None:
        self._those, self._over = those, asyncio.Event()

    async def __aenter__(self) -> None:
        self._those.add(self._over)

    async def __aexit__(self, *_: object) -> None:
        self._those.discard(self._over)
        self._over.set()
