"""The index knows what others wrote, and files of many ended jobs lose none and revive none."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from job_records import finished, job_of, submitted
from pretended_s3 import S3

from spineq.jobs import index as index_module
from spineq.jobs.index import Index
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import (
    FORMAT,
    Beat,
    JobRecord,
    Lease,
    Outcome,
    Turn,
    Withdrawal,
    attempt_name,
    dumps,
)
from spineq.jobs.snapshot import JobSnapshot


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger in a folder."""
    return Ledger.open(str(tmp_path))


def looked(ledger: Ledger) -> Index:
    """An index of whoever opens the ledger now."""
    made = Index(Ledger.open(ledger.store.where))
    made.refresh()
    return made


def listing(index: Index) -> dict[str, JobSnapshot]:
    """All snapshots of an index."""
    return {job: index.snapshot(entry) for job, entry in sorted(index.entries.items())}


def ended(ledger: Ledger, **fields: Any) -> JobRecord:
    """Write a job and the answer to it."""
    job = submitted(ledger, **fields)
    ledger.publish(job.attempt, finished(job.run))
    return job


def withdraw(ledger: Ledger, job: JobRecord, event: str = "left", turn: int = 0) -> None:
    """Withdraw a job at whose attempt nobody works."""
    ledger.withdraw(job.id, turn, Withdrawal(event=event, at=1.7e9 + 5, by="ann"))
    ledger.publish(job.attempt, Outcome(event="stopped", ended=1.7e9 + 5))


def retry(ledger: Ledger, job: JobRecord, turn: int = 1) -> str:
    """Give a job its next attempt."""
    attempt = ledger.open_attempt(job.run, job.time_limit)
    assert ledger.put_turn(job.id, turn, Turn(attempt=attempt, at=1.7e9 + 9))
    return attempt


def states(index: Index) -> dict[str, str]:
    """State of each job."""
    return {job: entry.state for job, entry in index.entries.items()}


# ---------------------------------------------------------------------------- refresh


@pytest.mark.parametrize("n", [1, 20], ids=["few", "many"])
def test_what_others_wrote_is_seen_by_the_next_look(ledger: Ledger, n: int) -> None:
    """New, finished, failed, withdrawn, retried and deleted jobs, one by one and many at once."""
    mine = looked(ledger)
    jobs = [submitted(ledger, tags=["a"], user=f"user {k % 3}") for k in range(n)]

    def see(state: str) -> None:
        mine.refresh()
        assert states(mine) == {job.id: state for job in jobs}
        assert listing(mine) == listing(looked(ledger))
        assert mine.changed() == {job.id for job in jobs}
        mine.refresh()
        assert mine.changed() == set()

    see("queued")
    assert mine.open == {job.id for job in jobs}
    for job in jobs:
        ledger.take_lease(Lease(attempt=job.attempt, number=1, worker="w", at=2.0))
    see("running")
    for job in jobs:
        ledger.publish(job.attempt, Outcome(event="failed", ended=3.0, lease=1))
        ledger.release(job.attempt, 1)
    see("failed")
    assert not mine.open
    assert not mine.attempts
    for job in jobs:
        retry(ledger, job)
    see("queued")
    for job in jobs:
        ledger.withdraw(job.id, 1, Withdrawal(event="overdue", at=1.0))
    see("expired")
    for job in jobs:
        ledger.publish(retry(ledger, job, 2), finished(job.run))
    see("finished")
    for job in jobs:
        ledger.delete_job(job.id, 2)
    mine.refresh()
    assert mine.entries == {}
    assert mine.changed() == {job.id for job in jobs}


def test_progress_comes_by_heartbeats_and_events_and_never_goes_back(ledger: Ledger) -> None:
    """Whichever is newer counts; an old lease's words do not."""
    job = submitted(ledger)
    index = looked(ledger)
    lease = Lease(attempt=job.attempt, number=1)
    ledger.take_lease(lease)

    def fraction() -> float:
        return index.snapshot(index.entries[job.id]).progress.fraction

    index.note_progress(job.attempt, lease, Beat(number=5, fraction=0.5))
    assert (index.entries[job.id].state, fraction()) == ("running", 0.5)
    ledger.beat(lease, Beat(count=1, number=4, fraction=0.4))
    index.refresh()
    assert fraction() == 0.5
    ledger.beat(lease, Beat(count=2, number=6, fraction=0.6))
    index.refresh()
    assert fraction() == 0.6
    second = Lease(attempt=job.attempt, number=2)
    ledger.take_lease(second)
    ledger.beat(second, Beat(count=1, number=1, fraction=0.1))
    index.refresh()
    assert fraction() == 0.1
    index.note_progress(job.attempt, lease, Beat(number=9, fraction=0.9))
    assert fraction() == 0.1
    third = Lease(attempt=job.attempt, number=3)
    index.note_progress(job.attempt, third, Beat(number=1, fraction=0.05))
    assert fraction() == 0.05
    index.note_progress("of nobody-1", third, Beat(number=1))


def test_who_opens_the_ledger_while_a_job_is_cancelling_sees_it_cancelling(
    ledger: Ledger,
) -> None:
    """And what it had when it stopped."""
    job = submitted(ledger)
    ledger.take_lease(Lease(attempt=job.attempt, number=1))
    ledger.withdraw(job.id, 0, Withdrawal(event="withdrawn", at=1.0))
    index = looked(ledger)
    assert states(index) == {job.id: "cancelling"}
    part = f"partial/{job.attempt}"
    outcome = Outcome(event="stopped", ended=2.0, lease=1, answer=part, cut_short="cancelled")
    ledger.publish(job.attempt, outcome)
    ledger.release(job.attempt, 1)
    for each in (index, looked(ledger)):
        each.refresh()
        snapshot = each.snapshot(each.entries[job.id])
        assert (snapshot.state, snapshot.answer) == ("cancelled", part)


def test_a_run_is_wanted_until_the_last_job_has_left(ledger: Ledger) -> None:
    """Jobs of one run share its attempt."""
    first = submitted(ledger)
    second = submitted(ledger, run=first.run)
    index = looked(ledger)
    assert index.wanted_by(first.attempt) == {first.id, second.id}
    index.note_withdrawal(first.id, Withdrawal(event="left", at=1.0))
    assert index.wanted_by(first.attempt) == {second.id}
    index.note_withdrawal(second.id, Withdrawal(event="left", at=1.0))
    assert index.wanted_by(first.attempt) == set()
    index.note_withdrawal(second.id, Withdrawal(event="overdue", at=1.0))
    index.remove(first.id)
    index.remove(first.id)
    assert states(index) == {second.id: "cancelled"}


def test_relatives_are_complete_answers_of_the_family(ledger: Ledger) -> None:
    """The shortest of the longer ones, else the longest of the shorter ones."""
    for size, cut in [(3, ""), (5, ""), (9, ""), (20, "time limit")]:
        job = submitted(ledger, family="f", size=size, run=f"{size:032}")
        ledger.publish(job.attempt, finished(job.run, cut_short=cut))
    failed = submitted(ledger, family="f", size=7)
    ledger.publish(failed.attempt, Outcome(event="failed", ended=1.0))
    index = looked(ledger)
    wanted = {4: ("longer", 5), 5: ("longer", 5), 6: ("longer", 9), 12: ("shorter", 9)}
    for again in (False, True):
        for size, (word, found) in wanted.items():
            assert index.relative_of(job_of(family="f", size=size)) == (word, f"{found:032}")
        assert index.relative_of(job_of(family="g", size=5)) == ("", "")
        assert index.relative_of(job_of(size=5)) == ("", "")
        if not again:
            for _ in range(40):
                ended(ledger)
            index.refresh()
            index.compact()
            index = looked(ledger)


# ---------------------------------------------------------------------------- segments


def _varied(ledger: Ledger, n: int) -> list[JobRecord]:
    """Jobs that ended in every way, and two that did not."""
    jobs = []
    for k in range(n):
        job = submitted(ledger, tags=[f"tag {k % 4}"], user=f"user {k % 3}", note="né\n")
        jobs.append(job)
        if k % 6 == 0:
            withdraw(ledger, job)
        elif k % 6 == 1:
            withdraw(ledger, job, "overdue")
        elif k % 6 == 2:
            error = {"type": "E", "message": "m", "traceback": "t"}
            ledger.publish(job.attempt, Outcome(event="failed", ended=1.0, error=error))
        elif k % 6 == 3:
            ledger.publish(job.attempt, Outcome(event="failed", ended=1.0))
            ledger.publish(retry(ledger, job), finished(job.run, message="done"))
        else:
            ledger.publish(job.attempt, finished(job.run, cut_short="time limit"))
    for _ in range(2):
        submitted(ledger)
    return jobs


def _without_segments(ledger: Ledger) -> dict[str, JobSnapshot]:
    """Listing of all jobs by their own files."""
    index = Index(ledger)
    index._load_segments = lambda wanted: set()  # type: ignore[method-assign]
    index.refresh()
    return listing(index)


def test_few_ended_jobs_make_no_segment(ledger: Ledger) -> None:
    """Until there are enough, or somebody closes."""
    for _ in range(5):
        ended(ledger)
    index = looked(ledger)
    index.compact()
    assert ledger.segment_names() == []
    index.compact(least=2)
    assert len(ledger.segment_names()) == 1
    index.compact(least=1)
    assert len(ledger.segment_names()) == 1


def test_segments_give_the_same_snapshots_as_the_jobs_own_files(ledger: Ledger) -> None:
    """Of jobs that ended in every way; those at work are not in them."""
    _varied(ledger, 60)
    index = looked(ledger)
    before = listing(index)
    index.compact()
    (name,) = ledger.segment_names()
    assert name.startswith("0-")
    assert len(ledger.store.get(f"index/{name}").splitlines()) == 60
    assert listing(index) == before == listing(looked(ledger)) == _without_segments(ledger)


def test_a_fresh_index_reads_no_file_of_a_job_in_a_segment(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of the jobs and the segments are all that it needs."""
    jobs = _varied(ledger, 40)
    looked(ledger).compact()
    read: list[str] = []
    get_many = Ledger.jobs

    def noted(self: Ledger, ids: Any) -> dict[str, JobRecord]:
        read.extend(ids := list(ids))
        return get_many(self, ids)

    monkeypatch.setattr(Ledger, "jobs", noted)
    index = looked(ledger)
    assert len(index.entries) == 42
    assert not {job.id for job in jobs} & set(read)


def test_eight_segments_of_a_level_become_one_of_the_next(ledger: Ledger) -> None:
    """Level by level, so that there are few of them however many jobs there are."""
    index, most = looked(ledger), index_module._MOST_SEGMENTS
    for k in range(1, most * most + 1):
        for _ in range(2):
            ended(ledger)
        index.refresh()
        index.compact(least=2)
        names = ledger.segment_names()
        low = k % most
        assert len([name for name in names if name.startswith("0-")]) == low
        assert len(names) <= 2 * most
        if k % (most * 2) == 1:
            assert listing(looked(ledger)) == listing(index)
    # A level is looked at once each time, so that one compaction is never a long one.
    for _ in range(2):
        ended(ledger)
    index.refresh()
    index.compact(least=2)
    assert [name.partition("-")[0] for name in ledger.segment_names()] == ["0", "2"]
    assert len(index.entries) == 2 * most * most + 2
    assert listing(looked(ledger)) == listing(index) == _without_segments(ledger)


def _compacted(ledger: Ledger, n: int = 40) -> tuple[Index, list[JobRecord]]:
    jobs = [submitted(ledger) for _ in range(n)]
    for job in jobs:
        ledger.publish(job.attempt, Outcome(event="failed", ended=1.0))
    index = looked(ledger)
    index.compact()
    assert len(ledger.segment_names()) == 1
    return index, jobs


def test_deleted_jobs_do_not_come_back(ledger: Ledger) -> None:
    """Neither from the segment that holds them, nor by way of a merge."""
    index, jobs = _compacted(ledger)
    for job in jobs[:10]:
        ledger.delete_job(job.id, 0)
    index.refresh()
    kept = {job.id for job in jobs[10:]}
    assert set(index.entries) == set(looked(ledger).entries) == kept
    for _ in range(index_module._MOST_SEGMENTS):
        for _ in range(2):
            kept.add(ended(ledger).id)
        index.refresh()
        index.compact(least=2)
    (name,) = (name for name in ledger.segment_names() if name.startswith("1-"))
    lines = ledger.store.get(f"index/{name}")
    assert not any(job.id.encode() in lines for job in jobs[:10])
    assert set(index.entries) == set(looked(ledger).entries) == kept


def test_a_job_that_was_retried_after_compaction_is_what_it_became(ledger: Ledger) -> None:
    """At work, then ended another way, then in a segment again beside its old line."""
    index, jobs = _compacted(ledger)
    job = jobs[0]
    attempt = retry(ledger, job)
    for each in (index, looked(ledger)):
        each.refresh()
        assert each.entries[job.id].state == "queued"
        assert each.open == {job.id}
    index.compact(least=1)
    assert len(ledger.segment_names()) == 1
    ledger.publish(attempt, finished(job.run))
    for each in (index, looked(ledger)):
        each.refresh()
        assert each.entries[job.id].state == "finished"
    index.compact(least=1)
    assert len(ledger.segment_names()) == 2
    for each in (index, looked(ledger)):
        assert each.entries[job.id].state == "finished"
        assert each.snapshot(each.entries[job.id]).turn == 1
        assert states(each) == {each_job.id: "failed" for each_job in jobs} | {job.id: "finished"}


def test_two_that_compact_at_once_lose_nothing(ledger: Ledger) -> None:
    """Both write all jobs, or one merges what it does not know: the listing stays."""
    _varied(ledger, 40)
    one, other = looked(ledger), looked(ledger)
    before = listing(one)
    one.compact()
    other.compact()
    assert len(ledger.segment_names()) == 2
    assert listing(looked(ledger)) == before
    # One goes on alone, and the other merges without having looked.
    for _ in range(index_module._MOST_SEGMENTS - 3):
        for _ in range(2):
            ended(ledger)
        one.refresh()
        one.compact(least=2)
    for _ in range(2):
        job = ended(ledger)
        other.add(job)
        other.note_outcomes(ledger.outcomes([job.attempt]))
    other.compact(least=2)
    assert all(name.startswith("1-") for name in ledger.segment_names())
    one.refresh()
    assert listing(looked(ledger)) == listing(one) == _without_segments(ledger)


@pytest.mark.parametrize("step", ["put_segment", "delete_segment"])
def test_a_merge_that_dies_half_way_loses_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before the large segment is there, or after some of the small ones went."""
    index = looked(ledger)
    for _ in range(index_module._MOST_SEGMENTS - 1):
        for _ in range(3):
            ended(ledger)
        index.refresh()
        index.compact(least=2)
    for _ in range(3):
        ended(ledger)
    index.refresh()
    before = listing(index)
    real, left = getattr(ledger, step), [1 if step == "put_segment" else 3]
    index.ledger = ledger

    def die(*arguments: Any) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, step, die)
        with pytest.raises(KeyboardInterrupt):
            index.compact(least=2)
    again = looked(ledger)
    assert listing(again) == before
    again.compact(least=1)
    assert listing(looked(ledger)) == before


def test_a_segment_that_is_merged_away_while_somebody_reads(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its jobs are read from their own files."""
    _, jobs = _compacted(ledger)
    names = ledger.segment_names()
    read = Ledger.segment_names

    def merge_meanwhile(self: Ledger) -> list[str]:
        found = read(self)
        for name in names:
            self.store.delete(f"index/{name}")
        return found

    monkeypatch.setattr(Ledger, "segment_names", merge_meanwhile)
    assert states(looked(ledger)) == {job.id: "failed" for job in jobs}


def test_lines_that_are_torn_or_foreign_are_passed_over(ledger: Ledger) -> None:
    """The jobs of such lines are read from their own files."""
    index, jobs = _compacted(ledger)
    (name,) = ledger.segment_names()
    lines = ledger.store.get(f"index/{name}").splitlines()
    record, *rest = job_of(id=jobs[6].id).to_dict(), 0, jobs[6].attempt, None, None
    lines[:7] = [
        lines[0][: len(lines[0]) // 2],
        b"",
        b"[]",
        b'[{},0,"",null,null]',
        b"\xff\x00",
        lines[5].replace(b'"failed"', b"5"),
        dumps([record, *rest]),  # of a job that has not ended
    ]
    ledger.store.replace(f"index/{name}", b"\n".join(lines))
    again = looked(ledger)
    assert listing(again) == listing(index)
    assert not again.open


# ---------------------------------------------------------------------------- ten thousand


def _blobs(n: int, restless: int) -> dict[str, bytes]:
    """Files of jobs that have ended, some of which were cancelled or retried before."""
    blobs = {"format": dumps({"spineq-ledger": FORMAT})}
    for k in range(n):
        run = secrets.token_hex(16)
        job = job_of(run=run, tags=[f"tag {k % 5}"], user=f"user {k % 7}", city="c")
        end = f"outcomes/{job.attempt}"
        blobs[f"jobs/{job.id}"] = job.to_bytes()
        if k >= restless:
            blobs[end] = finished(run).to_bytes()
        elif k % 2:
            blobs[end] = Outcome(event="stopped", ended=1.0).to_bytes()
            blobs[f"withdrawn/{job.id}-0"] = Withdrawal(event="left", at=1.0).to_bytes()
        else:
            second = attempt_name(run, 2, None)
            blobs[end] = Outcome(event="failed", ended=1.0).to_bytes()
            blobs[f"turns/{job.id}-1"] = Turn(attempt=second, at=2.0).to_bytes()
            blobs[f"outcomes/{second}"] = finished(run).to_bytes()
    return blobs


@pytest.fixture
def ten_thousand(tmp_path: Path) -> Ledger:
    """A ledger in a folder with ten thousand ended jobs, three hundred of them with a history."""
    for name, data in _blobs(10_000, 300).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return Ledger.open(str(tmp_path))


def _timed(what: str, do: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    made = do()
    print(f"{what}: {time.perf_counter() - began:.2f} s")
    return made


@pytest.mark.slow
def test_ten_thousand_jobs_in_a_folder(ten_thousand: Ledger) -> None:
    """They are listed with segments and without, the same."""
    ledger = ten_thousand
    index = _timed("opening without segments", lambda: looked(ledger))
    first = _timed("listing", lambda: listing(index))
    assert len(first) == 10_000
    _timed("compaction", index.compact)
    again = _timed("opening with segments", lambda: looked(ledger))
    assert _timed("listing", lambda: listing(again)) == first
    _timed("a look when nothing happened", again.refresh)


@pytest.mark.slow
def test_ten_thousand_jobs_in_s3_cost_few_requests(s3: S3, ten_thousand: Ledger) -> None:
    """Opening and listing take at most fifty, for those with a history too."""
    index = Index(ten_thousand)
    index.refresh()
    index.compact()
    url, store = s3.url(), ten_thousand.store
    s3.fill(url, {name: store.get(name) for name in store.names()})
    before = s3.requests()
    ledger = _timed("opening the store", lambda: Ledger.open(url))
    fresh = Index(ledger)
    _timed("reading the index", fresh.refresh)
    found = _timed("listing", lambda: listing(fresh))
    requests = s3.requests() - before
    print(f"{requests} requests")
    assert requests <= 50
    assert found == listing(index)
    before = s3.requests()
    fresh.refresh()
    print(f"{s3.requests() - before} requests of a look when nothing happened")
