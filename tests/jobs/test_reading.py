"""What a queue tells of its store and its cluster: the cities that jobs name, and the client."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from job_records import KINDS, finished, job_of, place, submitted

import spineq as sq
from spineq.data.packed import pack_city
from spineq.errors import JobNotFoundError, UnknownIdError, UnreadableFileError
from spineq.jobs import worker
from spineq.jobs.facts import line_of
from spineq.jobs.ledger import Ledger
from spineq.jobs.states import State

HERE, THERE, GONE = ("a" * 64, "b" * 64, "c" * 64)


def _name(number: int) -> str:
    return f"{number:016d}"


@pytest.fixture
def city() -> sq.City:
    """A small city that no other test has read from a store."""
    return sq.demo_city("synthetic", n_areas=12, seed=secrets.randbelow(10**6))


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[sq.JobQueue]:
    """Queue without a cluster."""
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        yield queue


# ---------------------------------------------------------------------------- cities


@pytest.mark.parametrize("kind", KINDS)
def test_cities_are_listed_by_their_last_use(kind: str, request: pytest.FixtureRequest) -> None:
    """Of open and of ended jobs, each once and named as by the latest job; not those whose data
    the store has lost, nor jobs without a city.
    """
    store = place(kind, request)
    ledger = Ledger.open(store)
    for digest in (HERE, THERE):
        ledger.put_city(digest, b"1")
    jobs = [
        submitted(ledger, id=_name(number), city=digest, city_name=name)
        for number, (digest, name) in enumerate(
            [(HERE, "Old name"), (THERE, "Byker"), (GONE, "Lost"), (HERE, "Leeds"), ("", "")]
        )
    ]
    with sq.JobQueue(store=store, connect=False) as queue:
        assert list(queue.cities().items()) == [(HERE, "Leeds"), (THERE, "Byker")]
    for job in jobs:
        ledger.publish(job.attempt, finished(job.run))
    submitted(ledger, id=_name(9), city=THERE, city_name="")
    with sq.JobQueue(store=store, connect=False) as queue:
        assert list(queue.cities().items()) == [(THERE, ""), (HERE, "Leeds")]
        queue.delete(_name(9))
        assert list(queue.cities().items()) == [(HERE, "Leeds"), (THERE, "Byker")]
        queue.clear()
        assert queue.cities() == {}


def test_a_city_may_be_submitted_and_loaded(idle: sq.JobQueue, city: sq.City) -> None:
    """What was submitted is listed at once, and the digest brings it back."""
    assert idle.cities() == {}
    idle.submit(city, n_sensors=2)
    assert idle.cities() == {city.digest: city.name}
    found = idle.load_city(city.digest)
    assert found == city
    assert found.name == city.name


@pytest.mark.parametrize("digest", [HERE, "", "../format", "ä", None, 5])
def test_a_city_that_is_not_there(idle: sq.JobQueue, digest: str) -> None:
    """It is refused in a sentence, whatever it is called."""
    with pytest.raises(UnknownIdError, match="city"):
        idle.load_city(digest)


def test_a_damaged_city_is_refused(
    idle: sq.JobQueue, city: sq.City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torn, or another city than its name says."""
    monkeypatch.setattr(worker, "_cities", type(worker._cities)())
    packed = pack_city(city)
    ledger = idle.keeper.ledger
    ledger.put_city(HERE, packed[: len(packed) // 2])
    ledger.put_city(THERE, packed)
    for digest in (HERE, THERE):
        with pytest.raises(UnreadableFileError):
            idle.load_city(digest)


def test_listing_cities_reads_no_job(idle: sq.JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ten thousand jobs, one line is read of each city, and the store is listed once,
    without the lock.
    """
    index, ledger = idle.keeper.index, idle.keeper.ledger
    for number in range(10_000):
        digest = (HERE, THERE)[number % 2]
        job = job_of(id=_name(number), run="d" * 32, city=digest, city_name=digest[0])
        entry = index._entry(job)
        index._end(entry, job, None, line_of(job, 0, "", None, None))
    for digest in (HERE, THERE):
        ledger.put_city(digest, b"1")
    read: list[str] = []
    record, names = index.record, ledger.store.names

    def listed(prefix: str = "") -> list[str]:
        free = []

        def look() -> None:
            with idle.keeper.lock:
                free.append(True)

        other = threading.Thread(target=look, daemon=True)
        other.start()
        other.join(timeout=10)
        assert free == [True]
        read.append(prefix)
        return list(names(prefix))

    monkeypatch.setattr(index, "record", lambda entry: read.append(entry.id) or record(entry))
    monkeypatch.setattr(ledger.store, "names", listed)
    assert list(idle.cities().items()) == [(THERE, "b"), (HERE, "a")]
    assert sorted(read) == [_name(9998), _name(9999), "cities/"]


# ---------------------------------------------------------------------------- the client


def test_a_queue_that_only_looks_has_no_client(idle: sq.JobQueue) -> None:
    """Neither while it is open nor when it is closed."""
    assert idle.client is None
    idle.close()
    assert idle.client is None


@pytest.mark.cluster
def test_the_client_is_the_one_that_carries(tmp_path: Path) -> None:
    """It is connected, another one when it was replaced, and None when the queue is closed; on
    any thread.
    """
    with sq.JobQueue(store=tmp_path / "store", n_workers=1) as queue:
        first = queue.client
        assert first is not None
        assert first.submit(abs, -3).result() == 3
        seen: list[object] = []
        thread = threading.Thread(target=lambda: seen.append(queue.client))
        thread.start()
        thread.join()
        assert seen == [first]
        first.close()
        assert queue.client is not first
        end = time.monotonic() + 60
        while (second := queue.client) is None:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert second.submit(abs, -4).result() == 4
    assert queue.client is None


@pytest.mark.cluster
def test_a_client_of_somebody_else_s_is_left_alone(tmp_path: Path) -> None:
    """The queue shows it while it is open, and leaves it running."""
    with sq.connect(n_workers=1, set_as_default=False) as client:
        with sq.JobQueue(client, store=tmp_path / "store") as queue:
            assert queue.client is client
        assert queue.client is None
        assert client.status == "running"


def test_jobs_are_listed_by_task_and_city(tmp_path: Path) -> None:
    """Only those, the latest first; a page of them."""
    one, two = sq.demo_city(), sq.demo_city("synthetic", n_areas=40)
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        first = queue.submit(one, n_sensors=3)
        front = queue.submit(one, task="trade_off", n_sensors=3, theta=500)
        other = queue.submit(two, n_sensors=3)
        last = queue.submit(one, n_sensors=4)
        queue.cancel(first)
        assert [job.id for job in queue.jobs(city=one)] == [last.id, front.id, first.id]
        assert [job.id for job in queue.jobs(city=two.digest)] == [other.id]
        assert [job.id for job in queue.jobs(task="trade_off")] == [front.id]
        found = queue.jobs(city=one, task="optimise", limit=1, offset=1)
        assert [job.id for job in found] == [first.id]


def test_a_deleted_job_and_a_closed_queue_are_told(tmp_path: Path) -> None:
    """To whoever watches with a second callback."""
    gone: list[str | None] = []
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        queue.watch(lambda _: None, gone.append)
        job = queue.submit(sq.demo_city(), n_sensors=3)
        queue.delete(job)
        queue.submit(sq.demo_city(), n_sensors=4)
    assert gone == [job.id, None]


# ---------------------------------------------------------------------------- jobs by state, by id


def test_ids_by_state(tmp_path: Path) -> None:
    """Every state is there, the oldest first."""
    ledger = Ledger.open(str(tmp_path))
    waiting = [submitted(ledger).id for _ in range(3)]
    done = submitted(ledger)
    ledger.publish(done.attempt, finished(done.run))
    with sq.JobQueue(store=tmp_path, connect=False) as queue:
        found = queue.ids_by_state()
    assert set(found) == set(get_args(State))
    assert found["queued"] == sorted(waiting)
    assert found["finished"] == [done.id]
    assert sum(map(len, found.values())) == 4


def test_an_unknown_id_costs_one_look(idle: sq.JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for what is not there has no store of thousands listed; who asks for what
    another process has just submitted is told of it.
    """
    looks: list[int] = []
    plain = idle.keeper.refresh
    monkeypatch.setattr(idle.keeper, "refresh", lambda: (looks.append(1), plain()))
    monkeypatch.setattr(idle.keeper, "nudge", lambda: None)
    for unknown in ("0000000000000000", "", "../etc", "x" * 5000):
        with pytest.raises(JobNotFoundError):
            idle.snapshot(unknown)
    assert looks == []
    new = submitted(Ledger.open(idle.store))
    assert idle.snapshot(new.id).id == new.id
