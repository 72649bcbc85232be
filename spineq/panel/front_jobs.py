"""Searches for trade-offs that a queue knows, whoever asked for them; and their words."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from spineq.model._words import counted
from spineq.model.groups import Group, title_of

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot


class FrontJobs:
    """The jobs of the task `trade_off`, as the queue tells of them.

    The queue's list is read once: it may be long, and is not to be read ten times a second.

    Parameters
    ----------
    queue
        The queue.
    changed
        Called when one of them has changed, on a thread of the queue.
    """

    def __init__(self, queue: JobQueue, changed: Callable[[], object]) -> None:
        self._queue, self._changed = queue, changed
        self._lock = threading.Lock()
        self._known: dict[str, JobSnapshot] = {}
        self.close = queue.watch(self.note, self._gone)

    def read(self) -> None:
        """Read the queue's list; what was told meanwhile is newer."""
        found = {job.id: job for job in self._queue.jobs(task="trade_off")}
        with self._lock:
            self._known = found | self._known
        self._changed()

    def note(self, job: JobSnapshot) -> None:
        """Remember a job, if it is a search."""
        if job.task == "trade_off":
            with self._lock:
                self._known[job.id] = job
            self._changed()

    def get(self, job_id: str) -> JobSnapshot | None:
        """One of them, as last told."""
        with self._lock:
            return self._known.get(job_id)

    def of(self, city: str) -> list[JobSnapshot]:
        """Those of the city with this digest, the newest first."""
        with self._lock:
            mine = [job for job in self._known.values() if job.city == city]
        return sorted(mine, key=lambda job: job.id, reverse=True)

    def _gone(self, job_id: str | None) -> None:
        with self._lock:
            known = job_id is not None and self._known.pop(job_id, None) is not None
        if known:
            self._changed()


def row(job: JobSnapshot) -> dict[str, Any]:
    """How far a search is, for the table."""
    progress, what = job.progress, _asked(job)
    waits = job.state == "queued"
    text = "Waits for its turn" if waits else f"{job.percent_done} %"
    second = progress.message
    if progress.value is not None:
        second = f"{second}; value so far {progress.value:.4f}".removeprefix("; ")
    stopping = job.state == "cancelling"
    return {
        "id": job.id,
        "what": {"text": what, "second": _who(job)},
        "progress": {
            "fraction": progress.fraction,
            "text": "Stops" if stopping else text,
            "second": second,
            "bar": not waits,
            "label": f"Progress of the search, {what}",
        },
        "do": [
            {
                "name": "cancel",
                "label": "Cancel",
                "title": f"Cancel the search, {what}; what it has found is kept",
                "disabled": stopping,
            }
        ],
    }


def _asked(job: JobSnapshot) -> str:
    words = job.parameters
    theta = words.get("theta", 500)
    beside = " beside the existing ones" if words.get("keep") == "existing" else ""
    sensors = counted(int(words.get("n_sensors") or 0), "sensor")
    return f"{sensors}{beside}, theta {theta:,g}"


def _who(job: JobSnapshot) -> str:
    groups = job.parameters.get("groups") or {}
    return ", ".join(title_of(name, Group.from_dict(group)) for name, group in groups.items())


def done_words(job: JobSnapshot) -> str:
    """What a finished search is, in a line."""
    when = datetime.fromtimestamp(job.created)
    stopped = ", stopped early" if job.cut_short else ""
    return f"{_asked(job)}: {_who(job)} ({when.day} {when:%B, %H:%M}{stopped})"
