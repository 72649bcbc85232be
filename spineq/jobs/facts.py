"""What the ledger's files say of a job together: its events, its state, its line in an index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from spineq.jobs.records import Beat, JobRecord, Lease, Outcome, Withdrawal, dumps, loads
from spineq.jobs.states import ENDED, Event, State, state_after


@dataclass(slots=True)
class Attempt:
    """What is known of an attempt that a job waits for."""

    jobs: set[str] = field(default_factory=set)
    lease: Lease | None = None
    alive: bool = False
    beat: Beat | None = None
    outcome: Outcome | None = None

    def note(self, beat: Beat) -> bool:
        """Take note of progress; False if newer is known already."""
        if self.beat is not None and beat.number <= self.beat.number:
            return False
        self.beat = beat
        return True


def events_of(name: str, withdrawal: Withdrawal | None, attempt: Attempt | None) -> Iterator[Event]:
    """Events that the ledger's files imply, in the order in which they count."""
    if not name:
        yield "finished"
        return
    lease = outcome = None
    if attempt is not None:
        lease, outcome = attempt.lease, attempt.outcome
    if withdrawal and withdrawal.event in ("left", "overdue"):
        yield "left" if withdrawal.event == "left" else "overdue"
        return
    # The lease is removed after the outcome; and only what is at work can be "withdrawn".
    if lease or withdrawal or (outcome and outcome.lease):
        yield "leased"
    if withdrawal:
        yield "withdrawn"
    if outcome:
        yield _OUTCOMES.get(outcome.event, "failed")
    elif lease and not withdrawal and not (attempt and attempt.alive):
        # A job that was withdrawn is cancelling until a keeper has published that it stopped:
        # its worker may only seem dead.
        yield "lost"


def last_state(name: str, withdrawal: Withdrawal | None, outcome: Outcome | None) -> State:
    """State of a job at whose attempt nobody works."""
    return state_after(events_of(name, withdrawal, Attempt(outcome=outcome)))


_OUTCOMES: dict[str, Event] = {"finished": "finished", "stopped": "stopped"}


def line_of(
    job: JobRecord,
    turn: int,
    attempt: str,
    withdrawal: Withdrawal | None,
    outcome: Outcome | None,
) -> bytes:
    """Write a job that has ended."""
    withdrawn = withdrawal.to_dict() if withdrawal else None
    ended = outcome.to_dict() if outcome else None
    return dumps([job.to_dict(), turn, attempt, withdrawn, ended])


Parts = tuple[JobRecord, int, str, Withdrawal | None, Outcome | None]


def read_line(line: bytes) -> Parts | None:
    """Read what `line_of` wrote; None where it is something else, or a job that is open."""
    made: Any = loads(line)
    if not isinstance(made, list) or len(made) != 5:
        return None
    job, turn, attempt = JobRecord.from_dict(made[0]), made[1], made[2]
    if job is None or not isinstance(turn, int) or not isinstance(attempt, str):
        return None
    withdrawal, outcome = Withdrawal.from_dict(made[3]), Outcome.from_dict(made[4])
    # Whatever the line is, a job that it leaves open is to be read from its own files.
    if last_state(attempt, withdrawal, outcome) not in ENDED:
        return None
    return job, turn, attempt, withdrawal, outcome


def parts_of(line: bytes) -> Parts:
    """Read a line that was written or checked before."""
    read = read_line(line)
    assert read is not None  # written or checked by this process
    return read
