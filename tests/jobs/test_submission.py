"""Submitting in somebody's name, under a key of the caller's own, and within one user's quota."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import spineq as sq
from spineq.errors import ProblemError, QueueFullError
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import KeyRecord
from spineq.jobs.requests import MOST_KEY

CITY = sq.demo_city("synthetic", n_areas=12, seed=15)


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[sq.JobQueue]:
    """Queue without a cluster, of ann."""
    with sq.JobQueue(store=tmp_path / "store", user="ann", connect=False) as queue:
        yield queue


def keys(queue: sq.JobQueue) -> list[str]:
    """Names of keys in the store."""
    return [name for name in queue.keeper.ledger.store.names() if name.startswith("keys/")]


def test_a_job_in_somebody_s_name(idle: sq.JobQueue) -> None:
    """It is listed under that name; without one it is the queue's own user's."""
    theirs, ours = idle.submit(CITY, n_sensors=1, user="bob"), idle.submit(CITY, n_sensors=2)
    assert [job.id for job in idle.jobs(user="bob")] == [theirs.id]
    assert [job.id for job in idle.jobs(user="ann")] == [ours.id]
    for odd in ("", " ", "a\nb", 3):
        with pytest.raises(ProblemError, match="no name of a user"):
            idle.submit(CITY, n_sensors=1, user=odd)  # type: ignore[arg-type]
    assert len(idle.jobs()) == 2


def test_one_key_one_job(idle: sq.JobQueue) -> None:
    """Whoever lost the answer gets the same job; keys of others are others."""
    first = idle.submit(CITY, n_sensors=1, key="a")
    assert idle.submit(CITY, n_sensors=1, key="a").id == first.id
    others = [
        idle.submit(CITY, n_sensors=1, key="b").id,
        idle.submit(CITY, n_sensors=1, key="a", user="bob").id,
        idle.submit(CITY, n_sensors=1).id,
    ]
    assert len({first.id, *others}) == 4
    assert len(idle.jobs()) == 4
    assert len(keys(idle)) == 3


@pytest.mark.parametrize(
    "other",
    [{"n_sensors": 2}, {"note": "x"}, {"tags": ["x"]}, {"priority": 1}, {"time_limit": 5},
     {"reuse": False}, {"expires_in": 60}, {"theta": 400}],
)  # fmt: skip
def test_a_key_stands_for_one_question(idle: sq.JobQueue, other: dict[str, Any]) -> None:
    """Asked for something else under it, the queue does not guess which was meant."""
    idle.submit(CITY, n_sensors=1, key="a")
    with pytest.raises(ProblemError, match="given to another job") as refused:
        idle.submit(CITY, **({"n_sensors": 1} | other), key="a")
    assert refused.value.field == "key"
    assert len(idle.jobs()) == 1


@pytest.mark.parametrize("key", ["", "x" * (MOST_KEY + 1), "a\nb", "\ud800", 3, b"a", True])
def test_what_can_be_no_key(idle: sq.JobQueue, key: Any) -> None:
    """It is refused, and nothing is written."""
    with pytest.raises(ProblemError, match="cannot name a submission"):
        idle.submit(CITY, n_sensors=1, key=key)
    assert idle.jobs() == []
    assert keys(idle) == []


def test_a_key_in_two_processes_at_once(tmp_path: Path) -> None:
    """As many threads and queues as like submit under one key: one job, which all are given."""
    barrier, ids = threading.Barrier(8), []
    with ExitStack() as stack:
        queues = [
            stack.enter_context(sq.JobQueue(store=tmp_path / "store", user="ann", connect=False))
            for _ in range(4)
        ]

        def submit(queue: sq.JobQueue) -> None:
            barrier.wait()
            ids.append(queue.submit(CITY, n_sensors=1, key="a").id)

        threads = [threading.Thread(target=submit, args=[queue]) for queue in queues * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(ids) == 8
        assert len(set(ids)) == 1
        for queue in queues:
            queue.refresh()
            assert queue.ids() == ids[:1]


def test_whoever_died_before_the_job_was_written(idle: sq.JobQueue) -> None:
    """The key was, the job not: submitted again, it is the job that the key stands for."""
    job = idle.submit(CITY, n_sensors=1, key="a")
    ledger: Ledger = idle.keeper.ledger
    ledger.store.delete(f"jobs/{job.id}")
    with sq.JobQueue(store=idle.store, user="ann", connect=False) as later:
        assert later.ids() == []
        assert later.submit(CITY, n_sensors=1, key="a").id == job.id
        assert later.ids() == [job.id]


def test_whoever_died_before_a_job_that_asked_for_something_else(idle: sq.JobQueue) -> None:
    """A key without a job is free."""
    job = idle.submit(CITY, n_sensors=1, key="a")
    idle.keeper.ledger.store.delete(f"jobs/{job.id}")
    other = idle.submit(CITY, n_sensors=2, key="a")
    assert idle.submit(CITY, n_sensors=2, key="a").id == other.id != job.id


def test_what_is_refused_leaves_no_key(tmp_path: Path) -> None:
    """Refused for want of room, a key may be given to anything later."""
    with sq.JobQueue(store=tmp_path / "store", max_waiting=1, connect=False) as queue:
        first = queue.submit(CITY, n_sensors=1)
        with pytest.raises(QueueFullError):
            queue.submit(CITY, n_sensors=2, key="a")
        assert keys(queue) == []
        queue.delete(first)
        assert queue.submit(CITY, n_sensors=3, key="a").status == "queued"


def test_an_answer_under_a_key(idle: sq.JobQueue) -> None:
    """What the store answers at once is one job too."""
    first = idle.submit(CITY, n_sensors=1)
    ledger = idle.keeper.ledger
    ledger.put_answer(
        f"answers/{ledger.job(first.id).run}", sq.optimise(CITY, n_sensors=1).to_bytes()
    )
    ids = {idle.submit(CITY, n_sensors=1, key="a").id for _ in range(2)}
    assert len(ids) == 1
    assert idle.get(ids.pop()).snapshot().from_cache


def test_a_torn_key_stands_for_nothing(idle: sq.JobQueue) -> None:
    """A broken disk costs the promise that a job is not made twice, not the job."""
    job = idle.submit(CITY, n_sensors=1, key="a")
    (name,) = keys(idle)
    (Path(idle.store) / name).write_bytes(b'{"jo')
    assert idle.submit(CITY, n_sensors=1, key="a").id != job.id


def test_a_key_goes_with_its_job(idle: sq.JobQueue) -> None:
    """Deleted, the key is free for anything."""
    job = idle.submit(CITY, n_sensors=1, key="a")
    idle.delete(job)
    assert keys(idle) == []
    assert idle.submit(CITY, n_sensors=2, key="a").id != job.id


def test_the_record_of_a_key_names_nothing_else() -> None:
    """What would lead elsewhere in the store is refused."""
    with pytest.raises(ValueError, match="etc"):
        KeyRecord(job="../etc", asked="a")


def test_a_user_s_quota(tmp_path: Path) -> None:
    """Who has enough waiting is refused, in words; others are not, and room comes back."""
    with sq.JobQueue(
        store=tmp_path / "store", user="ann", max_waiting_per_user=2, connect=False
    ) as queue:
        first = queue.submit(CITY, n_sensors=1, key="a")
        queue.submit(CITY, n_sensors=2)
        with pytest.raises(QueueFullError, match="2 jobs of 'ann' wait"):
            queue.submit(CITY, n_sensors=3)
        # The same job as before is no other one.
        assert queue.submit(CITY, n_sensors=1, key="a").id == first.id
        assert queue.submit(CITY, n_sensors=3, user="bob").status == "queued"
        queue.cancel(first)
        assert queue.submit(CITY, n_sensors=3).status == "queued"
        assert len(queue.jobs()) == 4


def test_groups_as_json_has_them(idle: sq.JobQueue) -> None:
    """A group may be a table of its fields: the same question as the library's own words."""
    plain = {"kids": {"ages": [0, 15], "weight": 2}, "jobs": {"column": "workers"}}
    groups = {"kids": sq.Group(ages=(0, 15), weight=2), "jobs": sq.Group(column="workers")}
    ours = idle.submit(CITY, n_sensors=2, groups=groups).snapshot()
    theirs = idle.submit(CITY, n_sensors=2, groups=plain).snapshot()
    assert ours.parameters == theirs.parameters
    ledger = idle.keeper.ledger
    assert ledger.job(ours.id).run == ledger.job(theirs.id).run
    for odd in ({"kids": {"ages": [0]}}, {"kids": {"colour": "red"}}, {"kids": 3}, [1]):
        with pytest.raises(ProblemError):
            idle.submit(CITY, n_sensors=2, groups=odd)
