"""Following jobs: an iterator for scripts, an asynchronous one for notebooks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from spineq.jobs.snapshot import JobSnapshot

if TYPE_CHECKING:
    from spineq.jobs.keeper import Keeper


class Watch:
    """Snapshots of jobs as they change; the latest only, however slowly it is read.

    ``for snapshot in watch`` in scripts, ``async for snapshot in watch`` in notebooks.

    Parameters
    ----------
    keeper
        Of the queue.
    job_id
        The one job to follow until it has ended, or is deleted; None for all jobs, until `stop`.
    """

    def __init__(self, keeper: Keeper, job_id: str | None = None) -> None:
        self._keeper, self._job_id = keeper, job_id
        self._pending: dict[str, JobSnapshot] = {}
        self._last: JobSnapshot | None = None
        self._over = False
        self._news = threading.Condition()
        self._wakes: set[Callable[[], object]] = set()
        self._end = keeper.watch(self._offer, self._gone)
        if job_id is not None:
            with keeper.lock:
                entry = keeper.index.entries.get(job_id)
                snapshot = keeper.index.snapshot(entry) if entry else None
            if snapshot is None:
                self._gone(job_id)
            else:
                self._offer(snapshot)

    def stop(self) -> None:
        """End the watching; an iteration that waits ends too."""
        self._end()
        self._finish()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> JobSnapshot:
        snapshot = self.next()
        if snapshot is None:
            raise StopIteration
        return snapshot

    def next(self, timeout: float | None = None) -> JobSnapshot | None:
        """Wait for the next change; None after the last, or when the time is over, in seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._news:
            while not self._pending and not self._over:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._news.wait(left)
            return self._taken()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JobSnapshot:
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            # A loop that was closed meanwhile has nobody to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(news.set)

        with self._news:
            self._wakes.add(wake)
        try:
            while True:
                with self._news:
                    news.clear()
                    if self._pending or self._over:
                        snapshot = self._taken()
                        break
                await news.wait()
        finally:
            with self._news:
                self._wakes.discard(wake)
        if snapshot is None:
            raise StopAsyncIteration
        return snapshot

    def _taken(self) -> JobSnapshot | None:
        if not self._pending:
            return None
        snapshot = self._pending.pop(next(iter(self._pending)))
        if self._job_id is not None:
            self._last = snapshot
            if snapshot.has_ended:
                self._over = True
                self._end()
        return snapshot

    def _offer(self, snapshot: JobSnapshot) -> None:
        if self._job_id not in (None, snapshot.id):
            return
        with self._news:
            if not self._over and snapshot != self._last:
                self._pending[snapshot.id] = snapshot
                self._tell()

    def _gone(self, job_id: str | None) -> None:
        """A job was deleted; or the queue closed, for None."""
        if job_id is None or job_id == self._job_id:
            self._finish()

    def _finish(self) -> None:
        with self._news:
            self._over = True
            self._tell()

    def _tell(self) -> None:
        self._news.notify_all()
        for wake in self._wakes:
            wake()
