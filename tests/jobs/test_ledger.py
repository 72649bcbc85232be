"""The ledger keeps its promises on every kind of store, and reads past whatever lies there."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from job_records import KINDS, finished, job_of, place, submitted
from races import race

from spineq.errors import (
    AlreadyExistsError,
    JobNotFoundError,
    LedgerFormatError,
    NotInStoreError,
    StoreError,
)
from spineq.jobs.index import Index
from spineq.jobs.ledger import MOST_DEATHS, MOST_LEASES, MOST_MISSED, Busy, Ledger, Vigil, claim
from spineq.jobs.records import (
    FORMAT,
    Beat,
    Lease,
    Outcome,
    Stop,
    Turn,
    Withdrawal,
    attempt_name,
    digest,
    dumps,
    loads,
)
from spineq.store import FolderStore, open_store

RUN = digest("run")
ATTEMPT = attempt_name(RUN, 1, None)

#: What a file may hold that is none of ours.
FOREIGN = {
    "empty": b"",
    "half": b'{"id":"0123456789ab',
    "binary": bytes(range(256)),
    "list": b'["a","b"]',
    "wrong types": dumps(
        {name: [5] for name in ("id", "event", "attempt", "number", "count", "at", "ended")}
    ),
    "bottomless": b"[" * 100_000,
}


@pytest.fixture(params=KINDS)
def where(request: pytest.FixtureRequest) -> str:
    """Place of a store of each kind: what stands below holds for all."""
    return place(request.param, request)


@pytest.fixture
def ledger(where: str) -> Ledger:
    """A new ledger on each kind of store."""
    return Ledger.open(where)


@pytest.fixture(params=["folder", "s3"])
def shared_ledger(request: pytest.FixtureRequest) -> Ledger:
    """A new ledger on each kind of store that other processes see."""
    return Ledger.open(place(request.param, request))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass on the observer's clock."""
    now = [1000.0]
    monkeypatch.setattr("spineq.jobs.ledger.time.monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


# ---------------------------------------------------------------------------- the format


def test_a_new_ledger_has_the_formats_number(where: str) -> None:
    """Written once, and found by whoever opens the store again."""
    store = Ledger.open(where).store
    written = store.get("format")
    made = loads(written)
    assert made["spineq-ledger"] == FORMAT
    assert made["id"] == Ledger.open(where).id != ""
    Ledger.open(where)
    assert store.names() == ["format"]
    assert store.get("format") == written


def test_two_may_open_a_new_store_at_once(where: str) -> None:
    """Both get the ledger."""
    together = threading.Barrier(4)

    def begin(_: int) -> Ledger:
        together.wait()
        return Ledger.open(where)

    with ThreadPoolExecutor(4) as pool:
        ledgers = list(pool.map(begin, range(4)))
    job = submitted(ledgers[0])
    assert all(ledger.job(job.id) == job for ledger in ledgers)


def test_a_later_format_is_refused(where: str) -> None:
    """In plain words, with what to do, and nothing is written."""
    open_store(where).put("format", dumps({"spineq-ledger": FORMAT + 1}))
    with pytest.raises(LedgerFormatError, match=rf"format {FORMAT + 1}, known up to {FORMAT}\. U"):
        Ledger.open(where)
    assert open_store(where).names() == ["format"]


@pytest.mark.parametrize("data", [*FOREIGN.values(), b"{}", b'{"spineq-ledger":0}', b"1"])
def test_what_is_no_format_is_refused(tmp_path: Any, data: bytes) -> None:
    """Nobody knows what else lies there."""
    open_store(tmp_path).put("format", data)
    with pytest.raises(LedgerFormatError, match="or name another store"):
        Ledger.open(str(tmp_path))


def test_a_store_that_overwrites_is_refused(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that does not heed the condition of a put would lose outcomes in silence."""
    monkeypatch.setattr(FolderStore, "put", lambda self, name, data, **_: self.replace(name, data))
    with pytest.raises(StoreError, match="lets a name be written twice"):
        Ledger.open(str(tmp_path))


# ---------------------------------------------------------------------------- jobs


def test_a_job_is_written_once(ledger: Ledger) -> None:
    """A second job of the same id is refused, and the first stays."""
    job = submitted(ledger, tags=["a"], note="né", time_limit=2.5)
    assert not ledger.put_job(replace(job, note="other"))
    assert ledger.job(job.id) == job
    assert ledger.job_ids() == [job.id]
    assert ledger.jobs([job.id, "0" * 16]) == {job.id: job}


def test_a_put_that_was_sent_again_has_succeeded(ledger: Ledger) -> None:
    """Who finds their own words under a name has written them."""
    job = submitted(ledger)
    assert ledger.put_job(job)
    lease = Lease(attempt=ATTEMPT, number=1, worker="a", at=1.0)
    assert ledger.take_lease(lease)
    assert ledger.take_lease(lease)
    assert not ledger.take_lease(replace(lease, worker="b"))


@pytest.mark.parametrize("job_id", ["", "none", "../format", "0" * 16, "0" * 15 + "/", 5, None])
def test_an_unknown_job_is_an_error_of_its_own(tmp_path: Any, job_id: Any) -> None:
    """Whatever is asked for."""
    with pytest.raises(JobNotFoundError, match="there is no job"):
        Ledger.open(str(tmp_path)).job(job_id)


def test_turns_are_written_once_each(ledger: Ledger) -> None:
    """Of two who retry at once, one gives the job its attempt."""
    job = submitted(ledger)
    first = Turn(attempt=f"{job.run}-2", at=1.0)
    assert ledger.put_turn(job.id, 1, first)
    assert not ledger.put_turn(job.id, 1, replace(first, at=2.0))
    assert ledger.put_turn(job.id, 2, replace(first, at=3.0))
    assert sorted(ledger.turn_names()) == [(job.id, 1), (job.id, 2)]
    assert ledger.turns([(job.id, 1), (job.id, 9)]) == {f"{job.id}-1": first}


def test_withdrawals_are_written_once_each_turn(ledger: Ledger) -> None:
    """The first to withdraw says how."""
    job = submitted(ledger)
    first = Withdrawal(event="left", at=1.0, by="ann")
    assert ledger.withdraw(job.id, 0, first)
    assert not ledger.withdraw(job.id, 0, replace(first, event="withdrawn"))
    assert ledger.withdraw(job.id, 1, first)
    assert sorted(ledger.withdrawn_names()) == [(job.id, 0), (job.id, 1)]
    assert ledger.withdrawals([(job.id, 0), (job.id, 5)]) == {f"{job.id}-0": first}


def test_a_deleted_job_leaves_nothing_of_itself(ledger: Ledger) -> None:
    """Its withdrawals and turns go too, and other jobs stay."""
    job, other = submitted(ledger), submitted(ledger)
    for each in (job, other):
        for turn in (0, 1, 2):
            ledger.withdraw(each.id, turn, Withdrawal(event="left", at=1.0))
            if turn:
                ledger.put_turn(each.id, turn, Turn(attempt=f"{each.run}-{turn}", at=1.0))
    ledger.delete_job(job.id, 2)
    assert not [name for name in ledger.store.names() if job.id in name]
    assert len([name for name in ledger.store.names() if other.id in name]) == 6
    ledger.delete_job(job.id, 2)


# ---------------------------------------------------------------------------- attempts


def test_a_new_job_waits_for_the_first_attempt_that_has_not_ended(ledger: Ledger) -> None:
    """Ended and stopped attempts are passed by, and a time limit has attempts of its own."""
    assert ledger.open_attempt(RUN, None) == ledger.open_attempt(RUN, None) == ATTEMPT
    ledger.publish(ATTEMPT, Outcome(event="failed", ended=1.0))
    second = ledger.open_attempt(RUN, None)
    ledger.stop(second, Stop(at=1.0))
    third = ledger.open_attempt(RUN, None)
    assert len({ATTEMPT, second, third}) == 3
    limited = {ledger.open_attempt(RUN, limit) for limit in (1.0, 2.0, 11.0)}
    assert len(limited | {third}) == 4


def test_an_outcome_is_published_once(ledger: Ledger) -> None:
    """Whoever comes later changes nothing."""
    first = finished(RUN, message="né", error={})
    assert ledger.outcome(ATTEMPT) is None
    assert not ledger.has_ended(ATTEMPT)
    assert ledger.publish(ATTEMPT, first)
    assert not ledger.publish(ATTEMPT, Outcome(event="failed", ended=2.0))
    assert ledger.outcome(ATTEMPT) == first
    assert ledger.outcomes([ATTEMPT, "none-1"]) == {ATTEMPT: first}
    assert ledger.ended_attempts() == [ATTEMPT]


def test_bounds_that_are_not_finite_are_kept(ledger: Ledger) -> None:
    """A search that was stopped early has none."""
    outcome = Outcome(event="stopped", ended=1.0, bound=float("inf"))
    ledger.publish(ATTEMPT, outcome)
    assert ledger.outcome(ATTEMPT) == outcome


def test_a_stop_may_be_given_twice(ledger: Ledger) -> None:
    """It stays a stop."""
    assert not ledger.is_stopped(ATTEMPT)
    for at in (1.0, 2.0):
        ledger.stop(ATTEMPT, Stop(at=at))
        assert ledger.is_stopped(ATTEMPT)


def test_leases_beats_and_their_release(ledger: Ledger) -> None:
    """The latest number of each attempt counts, and a release leaves nothing."""
    leases = [Lease(attempt=ATTEMPT, number=k, worker=f"w{k}") for k in (1, 2, 10)]
    other = Lease(attempt=attempt_name(RUN, 2, 1e-5), number=1)
    for lease in [*leases, other]:
        assert ledger.take_lease(lease)
        ledger.beat(lease, Beat(count=lease.number, fraction=0.5))
        ledger.beat(lease, Beat(count=lease.number + 1, fraction=0.75))
    assert ledger.leases() == {ATTEMPT: 10, other.attempt: 1}
    assert ledger.leases(ATTEMPT) == {ATTEMPT: 10}
    assert ledger.lease(ATTEMPT, 2) == leases[1]
    assert ledger.beats([leases[2], other]) == {
        ATTEMPT: Beat(count=11, fraction=0.75),
        other.attempt: Beat(count=2, fraction=0.75),
    }
    ledger.release(ATTEMPT, 10)
    assert ledger.leases() == {other.attempt: 1}
    assert ledger.store.names("beats/") == [f"beats/{other.attempt}-1"]


def test_a_deleted_attempt_leaves_nothing(ledger: Ledger) -> None:
    """All kinds of its files go; others stay."""
    for attempt in (ATTEMPT, f"{RUN}-2"):
        lease = Lease(attempt=attempt, number=1)
        ledger.take_lease(lease)
        ledger.beat(lease, Beat())
        ledger.stop(attempt, Stop(at=1.0))
        ledger.put_answer(f"partial/{attempt}", b"1")
        ledger.publish(attempt, Outcome(event="stopped", ended=1.0))
    ledger.delete_attempt(ATTEMPT, 1)
    left = [name for name in ledger.store.names() if name != "format"]
    assert len(left) == 5
    assert all(f"{RUN}-2" in name for name in left)


def test_racing_threads_get_one_lease_and_one_outcome(ledger: Ledger) -> None:
    """Of eight, ten times."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for k in range(10):
            together = threading.Barrier(8)

            def race(
                me: int, k: int = k, together: threading.Barrier = together
            ) -> tuple[bool, bool]:
                together.wait()
                lease = Lease(attempt=f"{RUN}-{k}", number=1, worker=str(me))
                outcome = Outcome(event="finished", ended=1.0, worker=str(me))
                return ledger.take_lease(lease), ledger.publish(f"{RUN}-{k}", outcome)

            with ThreadPoolExecutor(8) as pool:
                took, published = zip(*pool.map(race, range(8)), strict=True)
            assert (sum(took), sum(published)) == (1, 1)
            assert ledger.lease(f"{RUN}-{k}", 1).worker == str(took.index(True))
            outcome = ledger.outcome(f"{RUN}-{k}")
            assert outcome is not None
            assert outcome.worker == str(published.index(True))
    finally:
        sys.setswitchinterval(interval)


GET_READY = """
from spineq.jobs.ledger import Ledger, Vigil, claim
from spineq.jobs.records import Lease
ledger = Ledger.open(where)
"""

CLAIM = """
print(sum(
    isinstance(claim(ledger, Lease(attempt=f"{k}-1", number=0, worker=me), Vigil()), Lease)
    for k in range(12)
))
"""


def test_racing_processes_get_one_lease(shared_ledger: Ledger) -> None:
    """Three processes claim the same twelve attempts: twelve claims succeed."""
    wins = race(GET_READY, CLAIM, shared_ledger.store.where, "abc")
    assert sum(wins.values()) == 12
    owners = [shared_ledger.lease(f"{k}-1", 1).worker for k in range(12)]
    assert shared_ledger.leases() == {f"{k}-1": 1 for k in range(12)}
    for letter, won in wins.items():
        assert owners.count(letter) == won


# ---------------------------------------------------------------------------- who lives


def test_a_lease_is_stale_after_three_missed_beats(later: Callable[[float], None]) -> None:
    """By the observer's clock, counted from the last change that it saw."""
    vigil, lease = Vigil(), Lease(attempt=ATTEMPT, number=1, period=2.0)
    assert vigil.is_alive(lease, None)
    later(5.9)
    assert vigil.is_alive(lease, None)
    assert vigil.is_alive(lease, Beat(count=0))  # the first beat is a change
    later(5.9)
    assert vigil.is_alive(lease, Beat(count=0, fraction=0.5))
    later(0.1)
    assert not vigil.is_alive(lease, Beat(count=0))
    assert vigil.is_alive(lease, Beat(count=1))
    later(2 * MOST_MISSED)
    assert not vigil.is_alive(lease, Beat(count=1))
    assert vigil.is_alive(replace(lease, number=2), None)


def test_each_observer_counts_for_itself(later: Callable[[float], None]) -> None:
    """Whoever comes late, or has forgotten, waits for three periods of their own."""
    vigil, lease = Vigil(), Lease(attempt=ATTEMPT, number=1, period=5.0)
    vigil.is_alive(lease, None)
    later(15.0)
    assert not vigil.is_alive(lease, None)
    assert Vigil().is_alive(lease, None)
    vigil.forget(ATTEMPT)
    vigil.forget("never seen")
    assert vigil.is_alive(lease, None)


def _of_a_killed_process() -> str:
    code = "from spineq.jobs._host import *; print(process_name(), flush=True); input()"
    owner = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    name = owner.stdout.readline().strip()
    assert Vigil().is_alive(Lease(attempt=ATTEMPT, number=1, process=name), None)
    owner.kill()
    owner.communicate()
    return name


@pytest.mark.usefixtures("_named_processes")
def test_the_lease_of_a_killed_process_is_stale_at_once(tmp_path: Any) -> None:
    """On its own machine, without waiting for a heartbeat; the next number is taken."""
    ledger = Ledger.open(str(tmp_path))
    dead = Lease(attempt=ATTEMPT, number=1, cluster="c", process=_of_a_killed_process())
    ledger.take_lease(dead)
    ledger.beat(dead, Beat(count=7))
    assert not Vigil().is_alive(dead, Beat(count=7))
    taken = claim(ledger, Lease(attempt=ATTEMPT, number=0, cluster="c"), Vigil())
    assert taken == Lease(attempt=ATTEMPT, number=2, cluster="c")


def test_the_lease_of_another_machine_is_stale_after_three_periods(
    later: Callable[[float], None],
) -> None:
    """Nothing is known there but the heartbeat."""
    lease = Lease(attempt=ATTEMPT, number=1, process="elsewhere/boot/pid:[1]#1@1", period=2.0)
    vigil = Vigil()
    assert vigil.is_alive(lease, Beat(count=1))
    later(6.0)
    assert not vigil.is_alive(lease, Beat(count=1))


# ---------------------------------------------------------------------------- claims


def test_a_claim_of_a_free_attempt_is_its_first_lease(ledger: Ledger) -> None:
    """And it is written."""
    mine = Lease(attempt=ATTEMPT, number=0, worker="a", at=1.0)
    taken = claim(ledger, mine, Vigil())
    assert taken == replace(mine, number=1)
    assert ledger.lease(ATTEMPT, 1) == taken


def test_a_claim_of_what_somebody_holds_says_who(
    ledger: Ledger, later: Callable[[float], None]
) -> None:
    """Until its heart stands still; then the next number is ours."""
    held = Lease(attempt=ATTEMPT, number=1, worker="a")
    ledger.take_lease(held)
    mine, vigil = Lease(attempt=ATTEMPT, number=0, worker="b"), Vigil()
    for count in range(3):
        ledger.beat(held, Beat(count=count))
        assert claim(ledger, mine, vigil) == Busy(held)
        later(MOST_MISSED * held.period - 0.01)
        assert claim(ledger, mine, vigil) == Busy(held)
    later(0.02)
    assert claim(ledger, mine, vigil) == replace(mine, number=2)


def test_a_claim_that_somebody_was_quicker_with_is_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look again."""
    ledger.take_lease(Lease(attempt=ATTEMPT, number=1, worker="a"))
    monkeypatch.setattr(ledger, "leases", lambda attempt="": {})
    assert claim(ledger, Lease(attempt=ATTEMPT, number=0, worker="b"), Vigil()) is None


def _claims(ledger: Ledger, clusters: list[str], later: Callable[[float], None]) -> list[object]:
    """What each of workers gets who come when the one before has died, one to a cluster."""
    got: list[object] = []
    for cluster in clusters:
        mine, vigil = Lease(attempt=ATTEMPT, number=0, cluster=cluster, worker="w"), Vigil()
        claimed = claim(ledger, mine, vigil)
        if isinstance(claimed, Busy):
            later(MOST_MISSED * ledger.beat_period)
            claimed = claim(ledger, mine, vigil)
        got.append(claimed)
    return got


def test_three_deaths_in_one_cluster_are_the_jobs_fault(
    ledger: Ledger, later: Callable[[float], None]
) -> None:
    """The fourth worker fails it, in words."""
    *taken, last = _claims(ledger, ["c"] * (MOST_DEATHS + 1), later)
    assert all(isinstance(each, Lease) for each in taken)
    assert isinstance(last, Outcome)
    assert (last.event, last.lease) == ("failed", MOST_DEATHS)
    assert last.error["type"] == "WorkersDiedError"
    assert "3 workers took up this job" in last.error["message"]


def test_deaths_of_other_clusters_count_after_ten(
    ledger: Ledger, later: Callable[[float], None]
) -> None:
    """A cluster that dies as a whole is not the job's fault, unless it always does."""
    *taken, last = _claims(ledger, [str(k) for k in range(MOST_LEASES + 1)], later)
    assert all(isinstance(each, Lease) for each in taken)
    assert isinstance(last, Outcome)
    assert last.lease == MOST_LEASES


def test_a_lease_that_was_handed_back_is_no_death(
    ledger: Ledger, later: Callable[[float], None]
) -> None:
    """A worker that gives up in order leaves the count where it was."""
    for _ in range(3 * MOST_DEATHS):
        (taken,) = _claims(ledger, ["c"], later)
        assert isinstance(taken, Lease)
        ledger.release(ATTEMPT, taken.number)


# ---------------------------------------------------------------------------- bytes


def test_an_answer_stays_unless_it_is_written_anew(ledger: Ledger) -> None:
    """Equal runs have equal answers; want of trust alone replaces one."""
    name = f"answers/{RUN}"
    assert not ledger.has_answer(RUN)
    with pytest.raises(NotInStoreError):
        ledger.answer(name)
    for data, anew, then in [(b"1", False, b"1"), (b"2", False, b"1"), (b"3", True, b"3")]:
        ledger.put_answer(name, data, anew=anew)
        assert ledger.has_answer(RUN)
        assert ledger.answer(name) == then
    ledger.delete_answer(RUN)
    assert not ledger.has_answer(RUN)
    ledger.delete_answer(RUN)


def test_cities_are_kept_once(ledger: Ledger) -> None:
    """By digest."""
    assert not ledger.has_city("ab")
    with pytest.raises(NotInStoreError):
        ledger.city("ab")
    for data in (b"1", b"1"):
        ledger.put_city("ab", data)
        assert ledger.has_city("ab")
        assert ledger.city("ab") == b"1"


def test_segments_are_lines(ledger: Ledger) -> None:
    """One that is gone is passed over."""
    ledger.put_segment("0-a", [b'["x"]', b'["y"]'])
    ledger.put_segment("1-b", [b"1"])
    assert ledger.segment_names() == ["0-a", "1-b"]
    read = dict(ledger.segments(["0-a", "0-gone", "1-b"]))
    assert read == {"0-a": [b'["x"]', b'["y"]'], "1-b": [b"1"]}
    ledger.delete_segment("0-a")
    ledger.delete_segment("0-a")
    assert ledger.segment_names() == ["1-b"]


# ---------------------------------------------------------------------------- foreign files


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_torn_files_are_passed_over(ledger: Ledger, data: bytes) -> None:
    """Under names of ours, in every folder, they raise nothing and hide nothing."""
    good, bad = submitted(ledger), job_of()
    lease = Lease(attempt=ATTEMPT, number=1)
    for name in (
        f"jobs/{bad.id}",
        f"turns/{good.id}-1",
        f"leases/{good.attempt}-1",
        f"beats/{good.attempt}-1",
        f"stops/{bad.attempt}",
        f"outcomes/{ATTEMPT}",
        "index/0-0123456789abcdef",
        "scheduler.json",
    ):
        ledger.store.put(name, data)
    ledger.store.put(f"withdrawn/{bad.id}-0", data)
    with pytest.raises(JobNotFoundError):
        ledger.job(bad.id)
    assert ledger.jobs([good.id, bad.id]) == {good.id: good}
    assert ledger.turns([(good.id, 1)]) == {}
    assert ledger.withdrawals([(bad.id, 0)])[f"{bad.id}-0"].event == "withdrawn"
    torn = ledger.lease(good.attempt, 1)
    assert (torn.cluster, torn.process, torn.period) == ("", "", ledger.beat_period)
    assert ledger.beats([replace(lease, attempt=good.attempt)]) == {}
    outcome = ledger.outcome(ATTEMPT)
    assert outcome is not None
    assert outcome.event == "failed"
    index = Index(ledger)
    index.refresh()
    assert set(index.entries) == {good.id}
    assert index.snapshot(index.entries[good.id]).state == "running"


def test_a_torn_outcome_is_a_failure_and_the_run_is_open_again(ledger: Ledger) -> None:
    """It cannot be written again, so that a retry is another attempt."""
    ledger.store.put(f"outcomes/{ATTEMPT}", b'{"eve')
    assert ledger.has_ended(ATTEMPT)
    outcome = ledger.outcome(ATTEMPT)
    assert outcome is not None
    assert outcome.event == "failed"
    assert "Retry the job" in outcome.error["message"]
    assert not ledger.publish(ATTEMPT, finished(RUN))
    again = ledger.open_attempt(RUN, None)
    assert again != ATTEMPT
    assert ledger.publish(again, finished(RUN))


def test_names_that_are_not_ours_are_passed_over(ledger: Ledger) -> None:
    """In every folder, and beside them; so is a job under another's name."""
    job = submitted(ledger)
    other = job_of()
    for folder in ("jobs", "turns", "withdrawn", "leases", "beats", "stops", "outcomes", "index"):
        for name in (".DS_Store", "README", "a-b-c", "deep/er", "x-", "-1", "x-²", "🙂"):
            ledger.store.put(f"{folder}/{name}", b"foreign")
    ledger.store.put("notes.txt", b"foreign")
    ledger.store.put(f"jobs/{other.id}", job.to_bytes())
    assert ledger.job_ids() == sorted([job.id, other.id])
    assert ledger.jobs(ledger.job_ids()) == {job.id: job}
    index = Index(ledger)
    for _ in range(2):
        index.refresh()
        assert set(index.entries) == {job.id}
        assert index.entries[job.id].state == "queued"
    assert index.changed() == {job.id}


def test_fields_of_a_later_version_are_passed_over(ledger: Ledger) -> None:
    """Its files are read for what this version knows of them."""
    job = job_of()
    new = {"in_a_later_version": {"a": [1]}}
    lease, beat = Lease(attempt=job.attempt, number=1), Beat(count=1, fraction=0.5)
    ledger.store.put(f"jobs/{job.id}", dumps(job.to_dict() | new))
    ledger.store.put(f"leases/{job.attempt}-1", dumps(lease.to_dict() | new))
    ledger.store.put(f"beats/{job.attempt}-1", dumps(beat.to_dict() | new))
    ledger.store.put("format.later", b"")
    assert ledger.job(job.id) == job
    index = Index(ledger)
    index.refresh()
    snapshot = index.snapshot(index.entries[job.id])
    assert (snapshot.state, snapshot.progress.fraction) == ("running", 0.5)
    ledger.store.put(f"outcomes/{job.attempt}", dumps(finished(job.run).to_dict() | new))
    index.refresh()
    assert index.entries[job.id].state == "finished"


def test_the_names_of_the_documentation_are_those_in_use(ledger: Ledger) -> None:
    """Nothing is written elsewhere than the table of files says."""
    from spineq.jobs import records

    job = submitted(ledger)
    lease = Lease(attempt=job.attempt, number=1)
    ledger.take_lease(lease)
    ledger.beat(lease, Beat())
    ledger.stop(job.attempt, Stop(at=1.0))
    ledger.withdraw(job.id, 0, Withdrawal(event="left", at=1.0))
    ledger.put_turn(job.id, 1, Turn(attempt="x-2", at=1.0))
    ledger.put_answer(f"answers/{job.run}", b"")
    ledger.put_answer(f"partial/{job.attempt}", b"")
    ledger.publish(job.attempt, finished(job.run))
    ledger.put_segment("0-a", [])
    ledger.put_city("d", b"")
    for name in ledger.store.names():
        assert f"``{name.partition('/')[0]}" in (records.__doc__ or "")
    with pytest.raises(AlreadyExistsError):
        ledger.store.put(f"jobs/{job.id}", b"")
