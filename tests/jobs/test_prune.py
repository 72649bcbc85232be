"""What ended long ago goes with all its files; what anybody may still need stays."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from job_records import finished, submitted

from spineq.jobs.index import Index
from spineq.jobs.ledger import Ledger
from spineq.jobs.prune import prune
from spineq.jobs.records import JobRecord, KeyRecord, Lease, Outcome, Stop, Turn, Withdrawal

DAY = 86_400.0


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger in a folder."""
    return Ledger.open(str(tmp_path))


def ended(ledger: Ledger, days: float, run: str = "", **fields: object) -> JobRecord:
    """Write a job that finished so many days ago, and its answer."""
    then = time.time() - days * DAY
    job = submitted(ledger, run=run, created=then - 60, **fields)
    ledger.put_answer(f"answers/{job.run}", b"1")
    ledger.publish(job.attempt, finished(job.run, ended=then))
    return job


def pruned(ledger: Ledger, days: float = 30) -> int:
    """Sweep by a fresh index; the jobs left in it are those in the ledger."""
    index = Index(ledger)
    index.refresh()
    removed = prune(index, ledger, days)
    assert set(index.entries) == set(ledger.job_ids())
    return removed


def test_what_is_older_than_the_retention_goes(ledger: Ledger) -> None:
    """Job, outcome, answer; the young, the waiting, and cities stay."""
    old, young, waiting = ended(ledger, 31), ended(ledger, 29), submitted(ledger, created=1.0)
    ledger.put_city("d", b"1")
    assert pruned(ledger) == 1
    assert ledger.job_ids() == sorted([young.id, waiting.id])
    assert not [name for name in ledger.store.names() if old.run in name or old.id in name]
    assert ledger.has_answer(young.run)
    assert ledger.has_city("d")
    assert pruned(ledger) == 0


def test_all_files_of_an_old_job_go(ledger: Ledger) -> None:
    """Its turns, withdrawals, stops, its key and what it had when it was stopped."""
    job = submitted(ledger, created=1.0, key="k")
    ledger.put_key("k", KeyRecord(job=job.id, asked="a"))
    ledger.put_answer(f"partial/{job.attempt}", b"1")
    ledger.stop(job.attempt, Stop(at=2.0))
    ledger.withdraw(job.id, 0, Withdrawal(event="left", at=2.0))
    ledger.publish(job.attempt, Outcome(event="stopped", ended=2.0, lease=1))
    ledger.take_lease(Lease(attempt=job.attempt, number=1))
    second = ledger.open_attempt(job.run, None)
    ledger.put_turn(job.id, 1, Turn(attempt=second, at=3.0))
    ledger.publish(second, finished(job.run, ended=4.0))
    assert pruned(ledger) == 1
    assert ledger.store.names() == ["format"]


def test_an_answer_stays_while_a_job_refers_to_it(ledger: Ledger) -> None:
    """A young job that shares the run, or was answered from the store; then it goes as well."""
    for attempt in (None, ""):
        old = ended(ledger, 40)
        fields = {} if attempt is None else {"attempt": attempt, "reused": "answer"}
        young = submitted(ledger, run=old.run, created=time.time() - 20 * DAY, **fields)
        assert pruned(ledger) == 1
        assert ledger.job_ids() == [young.id]
        assert ledger.has_answer(old.run)
        assert pruned(ledger, days=10) == 1
        assert ledger.store.names() == ["format"]


def test_the_answer_of_a_deleted_job_stays_while_it_is_young(ledger: Ledger) -> None:
    """Perhaps somebody asks again."""
    for days in (1, 40):
        job = ended(ledger, days)
        ledger.delete_job(job.id, 0)
        assert pruned(ledger) == 0
        assert ledger.has_answer(job.run) == (days == 1)


def test_a_damaged_outcome_goes_with_its_job(ledger: Ledger) -> None:
    """Nobody knows when it ended."""
    job = submitted(ledger, created=1.0)
    ledger.store.put(f"outcomes/{job.attempt}", b"{")
    assert pruned(ledger) == 1
    assert ledger.store.names() == ["format"]


def test_expired_and_cancelled_jobs_go_by_the_time_of_their_withdrawal(ledger: Ledger) -> None:
    """Those that nobody worked at have no other end."""
    for event, days in [("overdue", 31), ("left", 31), ("overdue", 1), ("left", 1)]:
        job = submitted(ledger, created=1.0)
        then = time.time() - days * DAY
        ledger.withdraw(job.id, 0, Withdrawal(event=event, at=then))
        ledger.publish(job.attempt, Outcome(event="stopped", ended=then))
    assert pruned(ledger) == 2
    assert len(ledger.job_ids()) == 2


def test_jobs_in_segments_are_pruned_too(ledger: Ledger) -> None:
    """And do not come back."""
    for _ in range(40):
        ended(ledger, 31)
    young = ended(ledger, 1)
    index = Index(ledger)
    index.refresh()
    index.compact()
    assert pruned(ledger) == 40
    again = Index(ledger)
    again.refresh()
    assert set(again.entries) == {young.id}
