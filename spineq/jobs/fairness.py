"""Fairness between users: start-time fair queueing.

Each job gets a start tag in its user's virtual time, and lower tags go first (Goyal, Vin,
Cheng 1996, with every job of length 1). A user who comes late starts at the present virtual
time, so takes turns with those who were there; nobody overtakes in the same user's queue, and
a user alone is served first come, first served.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable


class StartTags:
    """Start tags by priority: each priority has a virtual time of its own."""

    def __init__(self) -> None:
        self._last: dict[int, dict[str, float]] = defaultdict(dict)
        self._waiting: dict[int, list[tuple[float, str]]] = defaultdict(list)

    def note(self, priority: int, user: str, tag: float) -> None:
        """Take note of a job's tag."""
        last = self._last[priority]
        last[user] = max(tag, last.get(user, tag))

    def wait(self, priority: int, tag: float, job_id: str) -> None:
        """Take note of a job that waits."""
        heapq.heappush(self._waiting[priority], (tag, job_id))

    def next(self, priority: int, user: str, waits: Callable[[str, float], bool]) -> float:
        """Tag for a new job.

        Parameters
        ----------
        priority, user
            Of the job.
        waits
            Whether a job, by id, has not ended and has this tag still.
        """
        last, waiting = self._last[priority], self._waiting[priority]
        while waiting and not waits(waiting[0][1], waiting[0][0]):
            heapq.heappop(waiting)
        now = waiting[0][0] if waiting else max(last.values(), default=0.0)
        return max(now, last[user] + 1.0) if user in last else now
