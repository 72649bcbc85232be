"""The states of a job, and what moves it from one to the next.

=============  ============  =============
state          event         next state
=============  ============  =============
queued         leased        running
queued         left          cancelled
queued         overdue       expired
queued         finished      finished
queued         failed        failed
queued         stopped       queued
running        lost          queued
running        left          cancelled
running        withdrawn     cancelling
running        finished      finished
running        failed        failed
running        stopped       queued
cancelling     finished      finished
cancelling     failed        failed
cancelling     stopped       cancelled
failed         retried       queued
cancelled      retried       queued
expired        retried       queued
=============  ============  =============

Whatever is not in the table changes nothing: a job that has ended stays as it ended, until
somebody retries it.

The events, each of them a file in the ledger, but for ``lost``, which is the want of one:

leased
    A worker took the attempt: there is a lease.
lost
    The lease's heartbeat stands still: the worker is dead. If its job is cancelling, whoever
    sees that publishes that the attempt was stopped: the worker may only seem dead.
left
    The job was withdrawn, and has nothing to wait for: no worker holds the attempt, or other
    jobs go on wanting it.
withdrawn
    The job was withdrawn while a worker holds the attempt that nobody else wants. Until the
    worker has published what it has, the job is cancelling; if the run finishes first,
    finished wins.
overdue
    The job waited longer than its time to live.
finished, failed
    The attempt's outcome.
stopped
    The attempt's outcome, where it was stopped because nobody wanted it. A job that wants it
    all the same, since it came at that very moment, moves on to the next attempt.
retried
    Somebody asks again: the job gets a new attempt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

State = Literal["queued", "running", "cancelling", "finished", "failed", "cancelled", "expired"]
Event = Literal[
    "leased", "lost", "left", "withdrawn", "overdue", "finished", "failed", "stopped", "retried"
]

#: Next state by state and event.
TABLE: dict[tuple[State, Event], State] = {
    ("queued", "leased"): "running",
    ("queued", "left"): "cancelled",
    ("queued", "overdue"): "expired",
    ("queued", "finished"): "finished",
    ("queued", "failed"): "failed",
    ("queued", "stopped"): "queued",
    ("running", "lost"): "queued",
    ("running", "left"): "cancelled",
    ("running", "withdrawn"): "cancelling",
    ("running", "finished"): "finished",
    ("running", "failed"): "failed",
    ("running", "stopped"): "queued",
    ("cancelling", "finished"): "finished",
    ("cancelling", "failed"): "failed",
    ("cancelling", "stopped"): "cancelled",
    ("failed", "retried"): "queued",
    ("cancelled", "retried"): "queued",
    ("expired", "retried"): "queued",
}

#: States in which nothing happens any more, unless somebody retries.
ENDED: frozenset[State] = frozenset({"finished", "failed", "cancelled", "expired"})


def after(state: State, event: Event) -> State:
    """State of a job after an event; the same one where the table has no such row."""
    return TABLE.get((state, event), state)


def state_after(events: Iterable[Event]) -> State:
    """State of a job that was queued, after these events of its present attempt."""
    state: State = "queued"
    for event in events:
        state = after(state, event)
    return state
