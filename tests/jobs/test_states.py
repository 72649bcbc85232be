"""The table in the documentation is the table in the code, and what the ledger's files lead to."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import get_args

import pytest
from job_records import finished, submitted

from spineq.jobs import states
from spineq.jobs.index import Index
from spineq.jobs.ledger import MOST_MISSED, Ledger
from spineq.jobs.records import Beat, JobRecord, Lease, Outcome, Stop, Turn, Withdrawal
from spineq.jobs.states import ENDED, TABLE, Event, State, after, state_after

#: Rows of the table as the module's documentation shows it.
ROWS = [
    tuple(line.split())
    for line in (states.__doc__ or "").split("\n\n")[1].splitlines()
    if not line.startswith(("=", "state "))
]


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_a_row_of_the_documentation_is_a_row_of_the_table(row: tuple[str, ...]) -> None:
    """State and event lead where the page says."""
    state, event, then = row
    assert TABLE[state, event] == then  # type: ignore[index]  # text from a page
    assert after(state, event) == then  # type: ignore[arg-type]


def test_the_documentation_has_every_row() -> None:
    """In the table's own order, and each once."""
    assert [(state, event) for state, event, _ in ROWS] == list(TABLE)


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("event", get_args(Event))
def test_what_is_not_in_the_table_changes_nothing(state: State, event: Event) -> None:
    """Such a pair leaves the state as it is."""
    if (state, event) not in TABLE:
        assert after(state, event) == state


def test_an_end_is_left_by_a_retry_alone() -> None:
    """And finished by nothing at all."""
    for state, event in itertools.product(ENDED, get_args(Event)):
        leaves = event == "retried" and state != "finished"
        assert (after(state, event) != state) is leaves


def test_every_state_is_reached_from_queued() -> None:
    """Events in a row lead from one row to the next."""
    reached: set[State] = {"queued"}
    for _ in get_args(State):
        reached |= {then for (state, _), then in TABLE.items() if state in reached}
    assert reached == set(get_args(State))
    assert state_after(["leased", "withdrawn", "failed"]) == "failed"
    assert state_after([]) == "queued"


# ---------------------------------------------------------------------------- files


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger in a folder."""
    return Ledger.open(str(tmp_path))


class Files:
    """Writes the files of a job that events leave, and reads its state.

    Parameters
    ----------
    ledger
        Where.
    index
        Who reads.
    """

    def __init__(self, ledger: Ledger, index: Index) -> None:
        self.ledger, self.index = ledger, index
        self.job = submitted(ledger)
        self.attempt, self.turn = self.job.attempt, 0
        self.lease = Lease(attempt=self.attempt, number=1, worker="tcp://w", cluster="c", at=1.0)

    def write(self, event: str) -> None:
        """Write what stands for an event."""
        ledger = self.ledger
        if event == "leased":
            assert ledger.take_lease(self.lease)
            ledger.beat(self.lease, Beat(count=1))
        elif event == "lost":
            # Seen once by a look, then for longer than the heart may miss.
            self.index.refresh()
        elif event in ("left", "withdrawn", "overdue"):
            assert ledger.withdraw(self.job.id, self.turn, Withdrawal(event=event, at=3.0))
        elif event == "retried":
            self.turn += 1
            self.attempt = f"{self.job.run}-{self.turn + 1}"
            assert ledger.put_turn(self.job.id, self.turn, Turn(attempt=self.attempt, at=9.0))
        else:
            held = ledger.leases(self.attempt).get(self.attempt, 0)
            assert ledger.publish(self.attempt, Outcome(event=event, ended=5.0, lease=held))
            ledger.release(self.attempt, held)

    def state(self) -> State:
        """State by the index that has followed, after one more look."""
        self.index.refresh()
        return self.index.entries[self.job.id].state


#: Files that bring a job to a state in which an event may meet it.
WAYS: dict[str, list[str]] = {
    "queued": [],
    "running": ["leased"],
    "cancelling": ["leased", "withdrawn"],
    "failed": ["leased", "failed"],
    "cancelled": ["left"],
    "expired": ["overdue"],
}


@pytest.mark.parametrize("follows", [False, True], ids=["at the end", "all along"])
@pytest.mark.parametrize("row", list(TABLE), ids=" ".join)
def test_the_files_of_a_ledger_lead_where_the_table_says(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, row: tuple[State, Event], follows: bool
) -> None:
    """For whoever looks after each file, and for whoever opens the ledger when all are there."""
    state, event = row
    now = 100.0
    monkeypatch.setattr("spineq.jobs.ledger.time.monotonic", lambda: now)
    files = Files(ledger, Index(ledger))
    for earlier in WAYS[state]:
        files.write(earlier)
        if follows:
            files.state()
    if follows:
        assert files.state() == state
    files.write(event)
    if event == "lost":
        now += MOST_MISSED * files.lease.period
    assert files.state() == TABLE[row]


def test_a_lease_is_of_a_living_worker_until_its_heart_stands_still(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beat in time keeps the job running, and a beat of the dead makes it run again."""
    now = 100.0
    monkeypatch.setattr("spineq.jobs.ledger.time.monotonic", lambda: now)
    files = Files(ledger, Index(ledger))
    files.write("leased")
    for count in (2, 3):
        assert files.state() == "running"
        now += MOST_MISSED * files.lease.period - 0.1
        ledger.beat(files.lease, Beat(count=count))
    assert files.state() == "running"
    now += MOST_MISSED * files.lease.period
    assert files.state() == "queued"
    ledger.beat(files.lease, Beat(count=4))
    assert files.state() == "running"


def test_finished_wins_over_a_withdrawal(ledger: Ledger) -> None:
    """A withdrawn job whose run finishes first has its answer."""
    files = Files(ledger, Index(ledger))
    for event in ("leased", "withdrawn"):
        files.write(event)
    ledger.stop(files.attempt, Stop(at=4.0))
    assert files.state() == "cancelling"
    ledger.publish(files.attempt, finished(files.job.run))
    assert files.state() == "finished"
    assert files.index.snapshot(files.index.entries[files.job.id]).answer


def test_a_job_leaves_and_others_go_on(ledger: Ledger) -> None:
    """Who has left is cancelled at once, and stays so when the others' run finishes."""
    files = Files(ledger, Index(ledger))
    other = submitted(ledger, run=files.job.run)
    assert other.attempt == files.attempt
    for event in ("leased", "left"):
        files.write(event)
    assert files.state() == "cancelled"
    assert files.index.entries[other.id].state == "running"
    assert files.index.wanted_by(files.attempt) == {other.id}
    files.write("finished")
    for index in (files.index, Index(ledger)):
        index.refresh()
        assert index.entries[files.job.id].state == "cancelled"
        assert index.entries[other.id].state == "finished"


def test_a_job_that_wants_a_stopped_attempt_waits_for_the_next(ledger: Ledger) -> None:
    """It is queued, takes its turn, and finishes with the new attempt."""
    files = Files(ledger, Index(ledger))
    other = submitted(ledger, run=files.job.run)
    for event in ("leased", "withdrawn"):
        files.write(event)
    ledger.stop(files.attempt, Stop(at=4.0))
    files.write("stopped")
    assert files.state() == "cancelled"
    assert files.index.entries[other.id].state == "queued"
    second = ledger.open_attempt(other.run, None)
    assert second != other.attempt
    ledger.put_turn(other.id, 1, Turn(attempt=second, at=6.0, retried=False))
    ledger.publish(second, finished(other.run))
    for index in (files.index, Index(ledger)):
        index.refresh()
        assert index.entries[other.id].state == "finished"
        assert index.entries[files.job.id].state == "cancelled"


def test_a_stop_is_never_seen_without_the_withdrawal_behind_it(ledger: Ledger) -> None:
    """A job that is cancelled while somebody looks is not taken for one that wants more."""
    files = Files(ledger, Index(ledger))
    assert files.state() == "queued"
    read = ledger.withdrawn_names

    def cancel_meanwhile() -> list[tuple[str, int]]:
        found = read()
        if not ledger.has_ended(files.attempt):
            files.write("left")
            files.write("stopped")
        return found

    ledger.withdrawn_names = cancel_meanwhile  # type: ignore[method-assign]
    assert files.state() == "queued"
    assert files.index.attempts[files.attempt].outcome is None
    assert files.state() == "cancelled"


def test_a_lease_that_goes_with_the_outcome_is_no_return_to_the_queue(ledger: Ledger) -> None:
    """A worker that publishes while somebody looks does not seem to be lost."""
    files = Files(ledger, Index(ledger))
    files.write("leased")
    assert files.state() == "running"
    read = ledger.leases

    def publish_meanwhile(attempt: str = "") -> dict[str, int]:
        found = read(attempt)
        if not attempt and not ledger.has_ended(files.attempt):
            files.write("finished")
        return found

    ledger.leases = publish_meanwhile  # type: ignore[method-assign]
    assert files.state() == "finished"


@pytest.mark.parametrize("data", [b"", b'{"event":"fin', b"\x00\xff", b"[]", b'{"event":1}'])
def test_a_torn_outcome_is_a_failure_that_can_be_retried(ledger: Ledger, data: bytes) -> None:
    """It can never be written again, so it ends the attempt; the next one is another file."""
    files = Files(ledger, Index(ledger))
    ledger.store.put(f"outcomes/{files.attempt}", data)
    assert files.state() == "failed"
    failure = files.index.snapshot(files.index.entries[files.job.id]).error
    assert failure is not None
    assert "damaged" in failure.message
    files.write("retried")
    assert files.state() == "queued"
    files.write("finished")
    assert files.state() == "finished"


@pytest.mark.parametrize("data", [b"", b'{"event":"lef', b"\x00\xff", b"[]", b'{"event":1}'])
def test_a_torn_withdrawal_is_a_withdrawal(ledger: Ledger, data: bytes) -> None:
    """Its name says what matters, to everybody who looks."""
    files = Files(ledger, Index(ledger))
    files.write("leased")
    ledger.store.put(f"withdrawn/{files.job.id}-0", data)
    assert files.state() == "cancelling"
    files.write("stopped")
    assert files.state() == "cancelled"


@pytest.mark.parametrize("data", [b"", b'{"attempt":"', b"\x00\xff", b"[]", b'{"attempt":1}'])
def test_a_torn_lease_is_stale_after_three_periods(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    """Nobody knows its owner, who may live for all that."""
    now = 100.0
    monkeypatch.setattr("spineq.jobs.ledger.time.monotonic", lambda: now)
    files = Files(ledger, Index(ledger))
    ledger.store.put(f"leases/{files.attempt}-1", data)
    assert files.state() == "running"
    now += MOST_MISSED * ledger.beat_period
    assert files.state() == "queued"


def test_a_torn_turn_is_no_turn(ledger: Ledger) -> None:
    """The job stays as it ended, and the turn after the torn one counts."""
    files = Files(ledger, Index(ledger))
    files.write("failed")
    ledger.store.put(f"turns/{files.job.id}-1", b'{"attem')
    assert files.state() == "failed"
    ledger.put_turn(files.job.id, 2, Turn(attempt=f"{files.job.run}-2", at=time.time()))
    assert files.state() == "queued"
    assert files.index.entries[files.job.id].turn == 2


def test_a_cached_job_has_finished_when_it_is_submitted(ledger: Ledger) -> None:
    """It waits for no attempt."""
    index = Index(ledger)
    job: JobRecord = submitted(ledger, attempt="", reused="answer", value=0.5, bound=0.5)
    index.refresh()
    assert index.entries[job.id].state == "finished"
    snapshot = index.snapshot(index.entries[job.id])
    assert (snapshot.answer, snapshot.ended) == (f"answers/{job.run}", job.created)
