"""The ledger: jobs, attempts and outcomes on a store. Neither Dask nor science.

The ledger is the truth and Dask is transport: what a file here says has happened, and nothing
else has. Files are written once (`spineq.store.Store.put`), so that of many racing processes
one wins and the others see that it did; heartbeats alone are overwritten, each by its owner.
`spineq.jobs.records` lists the files.

Longer than most files, since all names and all rules of writing stand here and nowhere else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, TypeVar

from spineq.errors import (
    AlreadyExistsError,
    JobNotFoundError,
    LedgerFormatError,
    NotInStoreError,
    StoreError,
    shown,
)
from spineq.jobs._host import is_gone
from spineq.jobs.records import (
    FORMAT,
    Beat,
    JobRecord,
    KeyRecord,
    Lease,
    Outcome,
    Record,
    Stop,
    Turn,
    Withdrawal,
    attempt_name,
    dumps,
    is_job_id,
    loads,
)
from spineq.store import FolderStore, Store, open_store

#: Workers that may die under one attempt before it has failed, in one cluster and in all.
#: A cluster that dies as a whole is not the job's doing, unless it always does.
MOST_DEATHS, MOST_LEASES = 3, 10

#: Heartbeats that may fail to come before a lease is stale.
MOST_MISSED = 3

#: Digits of a number in a name; numbers are counted to.
_MOST_DIGITS = 6

_Kind = TypeVar("_Kind", bound=Record)


class Ledger:
    """Records on a store. All methods raise `StoreError` where the store fails.

    Parameters
    ----------
    store
        Where the files lie.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        #: Drawn when the store was made: another process that sees another one is elsewhere.
        self.id = ""
        local = isinstance(store, FolderStore)
        #: Seconds from one heartbeat to the next.
        self.beat_period = 2.0 if local else 5.0
        #: Seconds from one look for a stop to the next: cheap in a folder, a request elsewhere.
        self.look_period = 0.05 if local else 1.0

    @classmethod
    def open(cls, where: str) -> Ledger:
        """Open the ledger of a store; a new one gets its format's number.

        Raises
        ------
        LedgerFormatError
            A later version of spineq wrote it.
        StoreError
            The store cannot be read or written.
        """
        ledger = cls(open_store(where))
        found = ledger._get("format")
        if found is None:
            ledger._begin()
            found = ledger.store.get("format")
        made = loads(found)
        number = made.get("spineq-ledger") if isinstance(made, dict) else None
        if not isinstance(number, int) or not 1 <= number <= FORMAT:
            msg = f"the store {where} keeps jobs in format {shown(number)}, known up to {FORMAT}"
            raise LedgerFormatError(msg, mend="Update spineq, or name another store")
        ledger.id = str(made.get("id", ""))
        return ledger

    def _begin(self) -> None:
        """Write the format, and make sure that the store keeps what is written once."""
        mine = dumps({"spineq-ledger": FORMAT, "id": secrets.token_hex(8)})
        for _ in range(2):
            try:
                self.store.put("format", mine)
            except AlreadyExistsError:
                return
        msg = f"the store {self.store.where} lets a name be written twice"
        raise StoreError(msg, mend="Use a folder, or a service that honours If-None-Match")

    def _get(self, name: str) -> bytes | None:
        try:
            return self.store.get(name)
        except NotInStoreError:
            return None

    def _put(self, name: str, data: bytes, *, lasting: bool = True) -> bool:
        """Write once; False where the name was taken by somebody else."""
        try:
            self.store.put(name, data, lasting=lasting)
        except AlreadyExistsError:
            # A service whose answer was lost is asked again, and finds our own words.
            return self._get(name) == data
        return True

    def _many(self, kind: type[_Kind], prefix: str, names: Iterable[str]) -> dict[str, _Kind]:
        """Read records by the last part of their names; torn ones and missing ones are left out."""
        read = self.store.get_many([prefix + name for name in names])
        made = {name.removeprefix(prefix): kind.from_bytes(data) for name, data in read.items()}
        return {name: record for name, record in made.items() if record is not None}

    def _names(self, prefix: str) -> list[str]:
        return [name.removeprefix(prefix) for name in self.store.names(prefix)]

    # Jobs

    def put_job(self, job: JobRecord) -> bool:
        """Write a new job: the promise that it will be done. False where the id is taken."""
        return self._put(f"jobs/{job.id}", job.to_bytes())

    def job(self, job_id: str) -> JobRecord:
        """Read a job.

        Raises
        ------
        JobNotFoundError
            There is none of that id.
        """
        found = self.jobs([job_id]).get(job_id) if is_job_id(job_id) else None
        if found is None:
            msg = f"there is no job {shown(job_id)}"
            raise JobNotFoundError(msg, mend="List the jobs to see their ids")
        return found

    def job_ids(self) -> list[str]:
        """List the ids of all jobs.

        Raises
        ------
        StoreError
            The store is not there any more, which must not look like one without jobs.
        """
        ids = [name for name in self._names("jobs/") if is_job_id(name)]
        if not ids and self._get("format") is None:
            msg = f"the store {self.store.where} is gone"
            raise StoreError(msg, mend="Mount it again; its jobs are where it is")
        return ids

    def jobs(self, ids: Iterable[str]) -> dict[str, JobRecord]:
        """Read jobs by id."""
        read = self._many(JobRecord, "jobs/", ids)
        return {name: job for name, job in read.items() if job.id == name}

    def has_job(self, job_id: str) -> bool:
        """Whether a job is in the store."""
        return self.store.exists(f"jobs/{job_id}")

    def key(self, key: str) -> KeyRecord | None:
        """Read which job a key stands for."""
        return KeyRecord.from_bytes(self._get(f"keys/{key}"))

    def put_key(self, key: str, record: KeyRecord) -> KeyRecord:
        """Say which job a key stands for; returns what it stands for since its first use."""
        if self._put(f"keys/{key}", record.to_bytes()):
            return record
        # A torn one stands for nothing any more, and the job is another.
        return self.key(key) or record

    def delete_key(self, key: str) -> None:
        """Have a key stand for nothing."""
        self.store.delete(f"keys/{key}")

    def delete_job(self, job_id: str, turns: int, key: str = "") -> None:
        """Remove a job's files; what it waited for goes on unless it was withdrawn before."""
        # The job first: without its withdrawal it would be wanted again.
        self.store.delete(f"jobs/{job_id}")
        for number in range(turns + 1):
            self.store.delete(f"withdrawn/{job_id}-{number}")
            if number:
                self.store.delete(f"turns/{job_id}-{number}")
        if key:
            self.delete_key(key)

    def turn_names(self) -> list[tuple[str, int]]:
        """List jobs that had a new turn, with its number."""
        return [_numbered(name) for name in self._names("turns/")]

    def turns(self, names: Iterable[tuple[str, int]]) -> dict[str, Turn]:
        """Read turns, by ``job-number``."""
        return self._many(Turn, "turns/", [f"{job}-{number}" for job, number in names])

    def put_turn(self, job_id: str, number: int, turn: Turn) -> bool:
        """Give a job a new attempt; False where somebody did so already."""
        return self._put(f"turns/{job_id}-{number}", turn.to_bytes())

    def withdrawn_names(self) -> list[tuple[str, int]]:
        """List jobs that were withdrawn, with the turn in which they were."""
        return [_numbered(name) for name in self._names("withdrawn/")]

    def withdrawals(self, names: Iterable[tuple[str, int]]) -> dict[str, Withdrawal]:
        """Read withdrawals, by ``job-turn``.

        A torn one counts: its name says what matters, and it can never be written again.
        """
        read = self.store.get_many([f"withdrawn/{job}-{turn}" for job, turn in names])
        return {
            name.removeprefix("withdrawn/"): Withdrawal.from_bytes(data) or _TORN_WITHDRAWAL
            for name, data in read.items()
        }

    def withdraw(self, job_id: str, turn: int, withdrawal: Withdrawal) -> bool:
        """Write that a job is not wanted any more; False where that was written already."""
        return self._put(f"withdrawn/{job_id}-{turn}", withdrawal.to_bytes())

    # Attempts

    def open_attempt(self, run: str, time_limit: float | None) -> str:
        """Name the attempt that a new job of a run waits for: the first that has not ended.

        Two processes that ask at the same time get the same name, and so share the attempt.
        """
        number = 1
        while True:
            attempt = attempt_name(run, number, time_limit)
            if not self.has_ended(attempt) and not self.is_stopped(attempt):
                return attempt
            number += 1

    def has_ended(self, attempt: str) -> bool:
        """Whether an attempt has an outcome."""
        return self.store.exists(f"outcomes/{attempt}")

    def outcome(self, attempt: str) -> Outcome | None:
        """Read an attempt's outcome; None while there is none."""
        return self.outcomes([attempt]).get(attempt)

    def outcomes(self, attempts: Iterable[str]) -> dict[str, Outcome]:
        """Read outcomes by attempt.

        A torn one counts as a failure: it can never be written again, and the attempt would
        never end.
        """
        read = self.store.get_many([f"outcomes/{attempt}" for attempt in attempts])
        return {
            name.removeprefix("outcomes/"): Outcome.from_bytes(data) or _torn(name)
            for name, data in read.items()
        }

    def ended_attempts(self) -> list[str]:
        """List the attempts that have an outcome."""
        return self._names("outcomes/")

    def publish(self, attempt: str, outcome: Outcome) -> bool:
        """End an attempt; False where it has ended already."""
        return self._put(f"outcomes/{attempt}", outcome.to_bytes())

    def stop(self, attempt: str, stop: Stop) -> None:
        """Tell whoever works at an attempt that nobody wants it any more."""
        self._put(f"stops/{attempt}", stop.to_bytes())

    def is_stopped(self, attempt: str) -> bool:
        """Whether nobody wants the attempt any more."""
        return self.store.exists(f"stops/{attempt}")

    def leases(self, attempt: str = "") -> dict[str, int]:
        """Number of the latest lease of each attempt that is at work; or of one attempt."""
        latest: dict[str, int] = {}
        for name in self._names("leases/"):
            of, number = _numbered(name)
            if not attempt or of == attempt:
                latest[of] = max(number, latest.get(of, 0))
        return latest

    def lease(self, attempt: str, number: int) -> Lease:
        """Read a lease; one that is torn has no known owner."""
        found = Lease.from_bytes(self._get(f"leases/{attempt}-{number}"))
        return found or Lease(attempt=attempt, number=number, period=self.beat_period)

    def take_lease(self, lease: Lease) -> bool:
        """Claim an attempt; False where somebody took that number."""
        # A loss of power ends the owner too.
        name = f"leases/{lease.attempt}-{lease.number}"
        return self._put(name, lease.to_bytes(), lasting=False)

    def beat(self, lease: Lease, beat: Beat) -> None:
        """Show that the owner of a lease is alive; the owner alone calls this."""
        self.store.replace(f"beats/{lease.attempt}-{lease.number}", beat.to_bytes())

    def beats(self, leases: Iterable[Lease]) -> dict[str, Beat]:
        """Read the heartbeats of leases, by attempt."""
        names = {f"{lease.attempt}-{lease.number}": lease.attempt for lease in leases}
        return {names[name]: beat for name, beat in self._many(Beat, "beats/", names).items()}

    def release(self, attempt: str, number: int) -> None:
        """Remove the leases of an attempt up to a number: it has ended, or was handed back."""
        for each in range(number, 0, -1):
            self.store.delete(f"beats/{attempt}-{each}")
            self.store.delete(f"leases/{attempt}-{each}")

    def delete_attempt(self, attempt: str, lease: int) -> None:
        """Remove all files of an attempt that no job refers to."""
        self.release(attempt, lease)
        for kind in ("partial", "stops", "outcomes"):
            self.store.delete(f"{kind}/{attempt}")

    # Answers

    def put_answer(self, name: str, data: bytes, *, anew: bool = False) -> None:
        """Write the answer of a run, or what an attempt had when it was stopped.

        An answer that is there stays, for it is the same one; unless it is to be written anew,
        for want of trust in the old one.
        """
        if anew:
            self.store.replace(name, data, lasting=True)
        else:
            self._put(name, data)

    def has_answer(self, run: str) -> bool:
        """Whether a run was completed."""
        return self.store.exists(f"answers/{run}")

    def answer(self, name: str) -> bytes:
        """Read an answer.

        Raises
        ------
        NotInStoreError
            It is not there.
        """
        return self.store.get(name)

    def delete_answer(self, run: str) -> None:
        """Remove the answer of a run."""
        self.store.delete(f"answers/{run}")

    # Cities

    def has_city(self, digest: str) -> bool:
        """Whether the store has a city."""
        return self.store.exists(f"cities/{digest}")

    def cities(self) -> list[str]:
        """List the digests of all cities that the store has."""
        return self._names("cities/")

    def put_city(self, digest: str, data: bytes) -> None:
        """Keep a city."""
        self._put(f"cities/{digest}", data)

    def city(self, digest: str) -> bytes:
        """Read a city.

        Raises
        ------
        NotInStoreError
            It is not there.
        """
        return self.store.get(f"cities/{digest}")

    # Ended jobs, many to a file

    def segment_names(self) -> list[str]:
        """List the files of ended jobs."""
        return self._names("index/")

    def segments(self, names: Iterable[str]) -> Iterator[tuple[str, list[bytes]]]:
        """Read files of ended jobs: lines of JSON; one that was merged away is passed over."""
        read = self.store.get_many([f"index/{name}" for name in names])
        for name, data in read.items():
            yield name.removeprefix("index/"), data.splitlines()

    def put_segment(self, name: str, lines: Iterable[bytes]) -> None:
        """Write a file of ended jobs."""
        self._put(f"index/{name}", b"\n".join(lines))

    def delete_segment(self, name: str) -> None:
        """Remove a file whose jobs stand in another one."""
        self.store.delete(f"index/{name}")


class Vigil:
    """Tells whether leases are alive, by this process's own clock.

    A lease is stale when its heartbeat has not changed for three of its periods as this
    observer counts them, or when its process is known to have ended: no two clocks are
    compared, and an owner that still works loses nothing but the race to publish.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, float]] = {}

    def is_alive(self, lease: Lease, beat: Beat | None) -> bool:
        """Whether a lease is alive as far as can be told; ``beat`` is its present heartbeat."""
        if is_gone(lease.process):
            return False
        count, now = (-1 if beat is None else beat.count), time.monotonic()
        number, before, since = self._seen.get(lease.attempt, (0, 0, now))
        if (number, before) != (lease.number, count):
            self._seen[lease.attempt] = lease.number, count, now
            return True
        return now - since < MOST_MISSED * lease.period

    def forget(self, attempt: str) -> None:
        """Forget an attempt that has ended."""
        self._seen.pop(attempt, None)


class Busy(NamedTuple):
    """Somebody else works at the attempt, and lives as far as can be told."""

    lease: Lease


def claim(ledger: Ledger, mine: Lease, vigil: Vigil) -> Lease | Busy | Outcome | None:
    """Try to take an attempt.

    Parameters
    ----------
    ledger
        Where.
    mine
        The lease to take, but for its number.
    vigil
        The worker's own; it takes several calls to see that a lease is stale.

    Returns
    -------
    Lease, Busy, Outcome or None
        Our lease; or somebody else's; or the outcome, where too many workers died under the
        attempt; or None if somebody was quicker: look again.
    """
    number = ledger.leases(mine.attempt).get(mine.attempt, 0)
    if number:
        held = ledger.lease(mine.attempt, number)
        if vigil.is_alive(held, ledger.beats([held]).get(mine.attempt)):
            return Busy(held)
        deaths = sum(
            ledger.lease(mine.attempt, earlier).cluster == mine.cluster
            for earlier in range(1, number + 1)
        )
        if deaths >= MOST_DEATHS or number >= MOST_LEASES:
            return workers_died(number)
    taken = replace(mine, number=number + 1)
    return taken if ledger.take_lease(taken) else None


def workers_died(number: int) -> Outcome:
    """Outcome of an attempt under which too many workers died."""
    message = (
        f"{number} workers took up this job, one after the other, and died under it. "
        "Perhaps it needs more memory than they have"
    )
    error = {"type": "WorkersDiedError", "message": message, "traceback": ""}
    return Outcome(event="failed", ended=time.time(), lease=number, error=error)


_TORN_WITHDRAWAL = Withdrawal(event="withdrawn", at=0.0)


def _torn(name: str) -> Outcome:
    message = f"the outcome of this job is damaged in the store ({name}). Retry the job"
    return Outcome(event="failed", ended=0.0, error={"type": "StoreError", "message": message})


def _numbered(name: str) -> tuple[str, int]:
    """Split ``name-number``; a strange name has the number -1."""
    name, _, number = name.rpartition("-")
    return name, int(number) if number.isdecimal() and len(number) <= _MOST_DIGITS else -1
