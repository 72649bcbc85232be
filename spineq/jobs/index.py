"""The ledger in memory: what a queue knows of all jobs, so that reading it costs no files.

Jobs that have ended are kept as the lines of the ledger's index files: a kilobyte each, read
when somebody asks. Not thread-safe; the queue's keeper holds a lock around it.
"""

from __future__ import annotations

import secrets
import sys
from collections import defaultdict
from dataclasses import dataclass

from spineq.jobs.facts import Attempt, events_of, last_state, line_of, parts_of, read_line
from spineq.jobs.fairness import StartTags
from spineq.jobs.ledger import Ledger, Vigil
from spineq.jobs.listing import Known, Listing, list_names
from spineq.jobs.records import (
    Beat,
    JobRecord,
    Lease,
    Outcome,
    Turn,
    Withdrawal,
)
from spineq.jobs.snapshot import JobSnapshot, snapshot_of
from spineq.jobs.states import ENDED, State, state_after

#: New jobs that are read one by one; for more, the files of ended jobs are read.
_FEW = 8

#: Ended jobs that make a file of the index, and files that are merged into a larger one.
_LEAST_SEGMENT, _MOST_SEGMENTS = 32, 8


@dataclass(slots=True)
class Entry:
    """What is known of a job. ``record`` while it is open, ``line`` once it has ended."""

    id: str
    user: str
    tags: tuple[str, ...]
    created: float
    order: float
    city: str = ""
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
        self.start_tags = StartTags()
        self.open: set[str] = set()
        self._vigil = Vigil()
        self._segments: set[str] = set()
        self._changed: set[str] = set()

    # What others wrote

    def known(self) -> Known:
        """What to give to `list_names`."""
        leases = {
            name: attempt.lease.number if attempt.lease else 0
            for name, attempt in self.attempts.items()
        }
        turns = {(name, n) for name, e in self.entries.items() for n in range(1, e.turn + 1)}
        return Known(frozenset(self.entries), frozenset(turns), leases)

    def refresh(self, listing: Listing | None = None) -> None:
        """Bring the index up to date with the ledger.

        Parameters
        ----------
        listing
            Names that were listed before, without holding the queue's lock; None to list now.
        """
        if listing is None:
            listing = list_names(self.ledger, self.known())
        for gone in listing.known.jobs & self.entries.keys() - listing.jobs:
            self.remove(gone)
        new = set(listing.jobs - self.entries.keys() - listing.known.jobs)
        if len(new) > _FEW:
            new -= self._load_segments(new)
        for record in self.ledger.jobs(sorted(new)).values():
            self.add(record)
        self._read_turns(listing.turns)
        self._read_attempts(listing)

    def _load_segments(self, wanted: set[str]) -> set[str]:
        names = set(self.ledger.segment_names())
        found = set()
        for name, lines in self.ledger.segments(sorted(names - self._segments)):
            self._segments.add(name)
            for line in lines:
                read = read_line(line)
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

    def _read_turns(self, names: list[tuple[str, int]]) -> None:
        wanted = [
            (job, number)
            for job, number in names
            if job in self.entries and number > self.entries[job].turn
        ]
        if wanted:
            read = self.ledger.turns(wanted)
            for job, number in sorted(wanted):
                if turn := read.get(f"{job}-{number}"):
                    self.note_turn(job, number, turn)

    def _read_attempts(self, listing: Listing) -> None:
        """Read leases, outcomes and withdrawals, and only then settle what they mean together."""
        if not self.attempts:
            return
        changed = self._read_leases(listing)
        ended = self.attempts.keys() & listing.ended
        for name, outcome in self.ledger.outcomes(ended).items():
            self.attempts[name].outcome = outcome
            changed.add(name)
        for job, withdrawal in self._new_withdrawals(listing.withdrawn).items():
            self.entries[job].withdrawal = withdrawal
            changed.add(self.entries[job].attempt)
        for name in changed:
            self._touch(name)

    def _read_leases(self, listing: Listing) -> set[str]:
        changed = set()
        for name, attempt in self.attempts.items():
            number = listing.leases.get(name, 0)
            now = attempt.lease.number if attempt.lease else 0
            # A later one than is listed, and than was known before, came in the meantime.
            if number > now or number < now <= listing.known.leases.get(name, 0):
                attempt.lease = self.ledger.lease(name, number) if number else None
                attempt.beat, attempt.alive = None, False
                changed.add(name)
        held = {name: attempt.lease for name, attempt in self.attempts.items() if attempt.lease}
        beats = self.ledger.beats(held.values())
        for name, lease in held.items():
            attempt, beat = self.attempts[name], beats.get(name)
            alive = self._vigil.is_alive(lease, beat)
            if (beat and attempt.note(beat)) or alive != attempt.alive:
                attempt.alive = alive
                changed.add(name)
        return changed

    def _new_withdrawals(self, names: list[tuple[str, int]]) -> dict[str, Withdrawal]:
        wanted = [
            (job, turn)
            for job, turn in names
            if job in self.open
            and turn == self.entries[job].turn
            and self.entries[job].withdrawal is None
        ]
        read = self.ledger.withdrawals(wanted) if wanted else {}
        return {name.rpartition("-")[0]: withdrawal for name, withdrawal in read.items()}

    # What this process does or is told

    def add(self, job: JobRecord) -> None:
        """Add a job that was submitted."""
        entry = self._entry(job)
        entry.record, entry.attempt = job, job.attempt
        self.open.add(job.id)
        self.start_tags.wait(job.priority, entry.order, job.id)
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
        entry.order = turn.order
        self.start_tags.note(job.priority, job.user, turn.order)
        self.start_tags.wait(job.priority, turn.order, job_id)
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

    def next_order(self, priority: int, user: str) -> float:
        """Start tag for a job of this user that is submitted or retried now."""

        def waits(job_id: str, tag: float) -> bool:
            return job_id in self.open and self.entries[job_id].order == tag

        return self.start_tags.next(priority, user, waits)

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

    def city_names(self) -> dict[str, str]:
        """Name of each city that a job names, by digest; that of the latest job comes first."""
        # By id, which sorts by time. Of each city only the latest job's line is read.
        latest: dict[str, str] = {}
        for entry in self.entries.values():
            if entry.city and entry.id > latest.get(entry.city, ""):
                latest[entry.city] = entry.id
        found = sorted(latest.items(), key=lambda pair: pair[1], reverse=True)
        return {city: self.record(self.entries[job]).city_name for city, job in found}

    def record(self, entry: Entry) -> JobRecord:
        """Read the record of a job."""
        if entry.record is not None:
            return entry.record
        return parts_of(entry.line)[0]

    def snapshot(self, entry: Entry) -> JobSnapshot:
        """Describe a job."""
        lease = beat = outcome = None
        if entry.record is None:
            job, turn, attempt, withdrawal, outcome = parts_of(entry.line)
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
                    if (read := read_line(line))
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
        # Many jobs are of one user and one city: interned, each name is in memory once.
        user, city = sys.intern(job.user), sys.intern(job.city)
        entry = Entry(job.id, user, tags, job.created, job.order, city)
        self.entries[job.id] = entry
        self.start_tags.note(job.priority, job.user, job.order)
        return entry

    def _touch(self, attempt: str) -> None:
        for job in list(self.attempts[attempt].jobs):
            self._settle(self.entries[job])

    def _settle(self, entry: Entry) -> None:
        """Work out the state of an open job."""
        assert entry.record is not None
        attempt = self.attempts.get(entry.attempt)
        entry.state = state_after(events_of(entry.attempt, entry.withdrawal, attempt))
        self._changed.add(entry.id)
        if entry.state in ENDED:
            outcome = attempt.outcome if attempt else None
            self._end(entry, entry.record, outcome, b"")

    def _end(self, entry: Entry, job: JobRecord, outcome: Outcome | None, line: bytes) -> None:
        if line:
            entry.state = last_state(entry.attempt, entry.withdrawal, outcome)
        self._leave(entry)
        entry.line = line or line_of(job, entry.turn, entry.attempt, entry.withdrawal, outcome)
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
