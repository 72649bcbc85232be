"""The ledger in memory: what a queue knows of all jobs, so that reading it costs no files.

Jobs that have ended are kept as the lines of the ledger's index files: a kilobyte each, read
when somebody asks. Not thread-safe; the queue's keeper holds a lock around it.
"""

from __future__ import annotations

import secrets
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from spineq.jobs.fairness import StartTags
from spineq.jobs.ledger import Ledger, Vigil
from spineq.jobs.records import (
    Beat,
    JobRecord,
    Lease,
    Outcome,
    Turn,
    Withdrawal,
    dumps,
    loads,
)
from spineq.jobs.snapshot import JobSnapshot, snapshot_of
from spineq.jobs.states import ENDED, Event, State, state_after

#: Attempts whose outcomes are looked for one by one; for more, the names are listed.
_FEW = 8

#: Ended jobs that make a file of the index, and files that are merged into a larger one.
_LEAST_SEGMENT, _MOST_SEGMENTS = 32, 8


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


@dataclass(slots=True)
class Entry:
    """What is known of a job. ``record`` while it is open, ``line`` once it has ended."""

    id: str
    user: str
    tags: tuple[str, ...]
    created: float
    state: State = "queued"
    turn: int = 0
    attempt: str = ""
    record: JobRecord | None = None
    withdrawal: Withdrawal | None = None
    line: bytes = b""
    stored: bool = False


class Index:
    """All jobs of a ledger.

    Parameters
    ----------
    ledger
        Whose jobs.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.entries: dict[str, Entry] = {}
        #: Attempts that open jobs wait for.
        self.attempts: dict[str, Attempt] = {}
        #: Runs of complete answers by family and size.
        self.families: dict[str, dict[int, str]] = defaultdict(dict)
        self.tags = StartTags()
        self.open: set[str] = set()
        self._vigil = Vigil()
        self._segments: set[str] = set()
        self._changed: set[str] = set()

    # What others wrote

    def refresh(self) -> None:
        """Bring the index up to date with the ledger."""
        present = set(self.ledger.job_ids())
        for gone in self.entries.keys() - present:
            self.remove(gone)
        new = present - self.entries.keys()
        if len(new) > _FEW:
            new -= self._load_segments(new)
        for record in self.ledger.jobs(sorted(new)).values():
            self.add(record)
        self._read_turns()
        self._read_withdrawals()
        self._read_attempts()

    def _load_segments(self, wanted: set[str]) -> set[str]:
        names = set(self.ledger.segment_names())
        found = set()
        for name, lines in self.ledger.segments(sorted(names - self._segments)):
            self._segments.add(name)
            for line in lines:
                read = _read_line(line)
                if read is None or read[0].id not in wanted:
                    continue
                job, turn, attempt, withdrawal, outcome = read
                known = self.entries.get(job.id)
                if known is None or known.turn < turn:
                    entry = self._entry(job)
                    entry.turn, entry.attempt, entry.withdrawal = turn, attempt, withdrawal
                    self._end(entry, job, outcome, line)
                    entry.stored = True
                    found.add(job.id)
        self._segments &= names
        return found

    def _read_turns(self) -> None:
        wanted = [
            (job, number)
            for job, number in self.ledger.turn_names()
            if job in self.entries and number > self.entries[job].turn
        ]
        if wanted:
            read = self.ledger.turns(wanted)
            for job, number in sorted(wanted):
                if turn := read.get(f"{job}-{number}"):
                    self.note_turn(job, number, turn)

    def _read_withdrawals(self) -> None:
        wanted = [
            (job, turn)
            for job, turn in self.ledger.withdrawn_names()
            if job in self.open
            and turn == self.entries[job].turn
            and self.entries[job].withdrawal is None
        ]
        if wanted:
            for name, withdrawal in self.ledger.withdrawals(wanted).items():
                self.note_withdrawal(name.rpartition("-")[0], withdrawal)

    def _read_attempts(self) -> None:
        if not self.attempts:
            return
        names: Iterable[str] = list(self.attempts)
        if len(self.attempts) > _FEW:
            names = self.attempts.keys() & set(self.ledger.ended_attempts())
        self.note_outcomes(self.ledger.outcomes(names))
        latest = self.ledger.leases()
        for name in list(self.attempts):
            attempt, number = self.attempts[name], latest.get(name, 0)
            if number != (attempt.lease.number if attempt.lease else 0):
                attempt.lease = self.ledger.lease(name, number) if number else None
                self._touch(name)
        held = {name: attempt.lease for name, attempt in self.attempts.items() if attempt.lease}
        beats = self.ledger.beats(held.values())
        for name, lease in held.items():
            if name not in self.attempts:
                continue
            attempt, beat = self.attempts[name], beats.get(name)
            alive = self._vigil.is_alive(lease, beat)
            if (beat and attempt.note(beat)) or alive != attempt.alive:
                attempt.alive = alive
                self._touch(name)

    # What this process does or is told

    def add(self, job: JobRecord) -> None:
        """Add a job that was submitted."""
        entry = self._entry(job)
        entry.record, entry.attempt = job, job.attempt
        self.open.add(job.id)
        self.tags.wait(job.priority, job.order, job.id)
        if job.attempt:
            self.attempts.setdefault(job.attempt, Attempt()).jobs.add(job.id)
        self._settle(entry)

    def remove(self, job_id: str) -> None:
        """Forget a job that was deleted."""
        entry = self.entries.pop(job_id, None)
        if entry is not None:
            self._leave(entry)
            self._changed.add(job_id)

    def note_turn(self, job_id: str, number: int, turn: Turn) -> None:
        """Take note that a job has a new attempt."""
        entry = self.entries[job_id]
        job = self.record(entry)
        self._leave(entry)
        entry.turn, entry.attempt, entry.withdrawal = number, turn.attempt, None
        entry.record, entry.line, entry.stored = job, b"", False
        self.open.add(job_id)
        self.tags.wait(job.priority, job.order, job_id)
        self.attempts.setdefault(turn.attempt, Attempt()).jobs.add(job_id)
        self._settle(entry)

    def note_withdrawal(self, job_id: str, withdrawal: Withdrawal) -> None:
        """Take note that a job is not wanted any more."""
        if job_id in self.open:
            entry = self.entries[job_id]
            entry.withdrawal = withdrawal
            self._settle(entry)

    def note_outcomes(self, outcomes: dict[str, Outcome]) -> None:
        """Take note of the end of attempts."""
        for name, outcome in outcomes.items():
            if attempt := self.attempts.get(name):
                attempt.outcome = outcome
                self._touch(name)

    def note_progress(self, name: str, lease: Lease, beat: Beat) -> None:
        """Take note of an event from a worker."""
        attempt = self.attempts.get(name)
        if attempt is None or attempt.outcome is not None:
            return
        if attempt.lease is None or attempt.lease.number < lease.number:
            attempt.lease, attempt.beat = lease, None
        elif attempt.lease.number > lease.number:
            return
        attempt.alive = True
        if attempt.note(beat):
            self._touch(name)

    def changed(self) -> set[str]:
        """Take the ids of jobs that changed since the last call, deleted ones among them."""
        changed, self._changed = self._changed, set()
        return changed

    # Questions

    def wanted_by(self, attempt: str) -> set[str]:
        """Jobs that wait for an attempt and were not withdrawn."""
        known = self.attempts.get(attempt)
        jobs = known.jobs if known else ()
        return {job for job in jobs if self.entries[job].withdrawal is None}

    def relative_of(self, job: JobRecord) -> tuple[str, str]:
        """Find an answer that a worker may start from.

        Returns
        -------
        tuple
            ``"longer"`` (it holds the wanted answer), ``"shorter"`` (it is the beginning of it)
            or nothing; and its run.
        """
        sizes = self.families.get(job.family, {}) if job.family else {}
        longer = [size for size in sizes if size >= job.size]
        if longer:
            return "longer", sizes[min(longer)]
        return ("shorter", sizes[max(sizes)]) if sizes else ("", "")

    def record(self, entry: Entry) -> JobRecord:
        """Read the record of a job."""
        if entry.record is not None:
            return entry.record
        return _parts(entry.line)[0]

    def snapshot(self, entry: Entry) -> JobSnapshot:
        """Describe a job."""
        lease = beat = outcome = None
        if entry.record is None:
            job, turn, attempt, withdrawal, outcome = _parts(entry.line)
        else:
            job, turn, withdrawal = entry.record, entry.turn, entry.withdrawal
            attempt = entry.attempt
            if known := self.attempts.get(attempt):
                lease, beat, outcome = known.lease, known.beat, known.outcome
        return snapshot_of(
            job,
            state=entry.state,
            turn=turn,
            attempt=attempt,
            withdrawal=withdrawal,
            lease=lease,
            beat=beat,
            outcome=outcome,
        )

    # Ended jobs, many to a file

    def compact(self, least: int = _LEAST_SEGMENT) -> None:
        """Write jobs that have ended into files of many, if there are at least so many."""
        loose = [entry for entry in self.entries.values() if entry.line and not entry.stored]
        if len(loose) < least:
            return
        self._store_segment(0, loose)
        levels = defaultdict(list)
        for name in self.ledger.segment_names():
            levels[name.partition("-")[0]].append(name)
        for level, names in sorted(levels.items()):
            if len(names) >= _MOST_SEGMENTS and level.isdecimal():
                ids = {
                    read[0].id
                    for _, lines in self.ledger.segments(names)
                    for line in lines
                    if (read := _read_line(line))
                }
                kept = [self.entries[job] for job in sorted(ids) if job in self.entries]
                self._store_segment(int(level) + 1, [entry for entry in kept if entry.line])
                for name in names:
                    self.ledger.delete_segment(name)

    def _store_segment(self, level: int, entries: list[Entry]) -> None:
        name = f"{level}-{secrets.token_hex(8)}"
        if entries:
            self.ledger.put_segment(name, [entry.line for entry in entries])
        self._segments.add(name)
        for entry in entries:
            entry.stored = True

    # Inside

    def _entry(self, job: JobRecord) -> Entry:
        tags = tuple(sys.intern(tag) for tag in job.tags)
        entry = Entry(job.id, sys.intern(job.user), tags, job.created)
        self.entries[job.id] = entry
        self.tags.note(job.priority, job.user, job.order)
        return entry

    def _touch(self, attempt: str) -> None:
        for job in list(self.attempts[attempt].jobs):
            self._settle(self.entries[job])

    def _settle(self, entry: Entry) -> None:
        """Work out the state of an open job."""
        assert entry.record is not None
        attempt = self.attempts.get(entry.attempt)
        entry.state = state_after(_events(entry, attempt))
        self._changed.add(entry.id)
        if entry.state in ENDED:
            outcome = attempt.outcome if attempt else None
            self._end(entry, entry.record, outcome, b"")

    def _end(self, entry: Entry, job: JobRecord, outcome: Outcome | None, line: bytes) -> None:
        if line:
            entry.state = state_after(_events(entry, Attempt(outcome=outcome)))
        self._leave(entry)
        entry.line = line or _line(job, entry, outcome)
        entry.record = None
        if job.family and entry.state == "finished" and not (outcome and outcome.cut_short):
            self.families[job.family][job.size] = job.run
        entry.withdrawal = None

    def _leave(self, entry: Entry) -> None:
        """Part an entry from the attempt that it waits for."""
        self.open.discard(entry.id)
        if attempt := self.attempts.get(entry.attempt):
            attempt.jobs.discard(entry.id)
            if not attempt.jobs:
                del self.attempts[entry.attempt]
                self._vigil.forget(entry.attempt)


def _events(entry: Entry, attempt: Attempt | None) -> Iterator[Event]:
    """Events that the ledger's files imply, in the order in which they count."""
    if not entry.attempt:
        yield "finished"
        return
    withdrawal, lease, outcome = entry.withdrawal, None, None
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
    elif (lease or withdrawal) and not (lease and attempt and attempt.alive):
        yield "lost"


_OUTCOMES: dict[str, Event] = {"finished": "finished", "stopped": "stopped"}


def _line(job: JobRecord, entry: Entry, outcome: Outcome | None) -> bytes:
    withdrawal = entry.withdrawal.to_dict() if entry.withdrawal else None
    ended = outcome.to_dict() if outcome else None
    return dumps([job.to_dict(), entry.turn, entry.attempt, withdrawal, ended])


_Parts = tuple[JobRecord, int, str, Withdrawal | None, Outcome | None]


def _read_line(line: bytes) -> _Parts | None:
    made: Any = loads(line)
    if not isinstance(made, list) or len(made) != 5:
        return None
    job = JobRecord.from_dict(made[0])
    if job is None or not isinstance(made[1], int) or not isinstance(made[2], str):
        return None
    return job, made[1], made[2], Withdrawal.from_dict(made[3]), Outcome.from_dict(made[4])


def _parts(line: bytes) -> _Parts:
    read = _read_line(line)
    assert read is not None  # written or checked by this process
    return read
