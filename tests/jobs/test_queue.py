"""The queue on a small cluster of real processes."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import queue_tasks
from distributed import Client

import spineq as sq
from spineq.errors import (
    ClusterError,
    JobCancelledError,
    JobError,
    JobExpiredError,
    JobFailedError,
    JobNotEndedError,
    JobNotFoundError,
    ProblemError,
    QueueFullError,
    SpineqError,
    UnknownIdError,
    UnknownTaskError,
)
from spineq.jobs import tasks

pytestmark = pytest.mark.cluster

#: Longest time until something happens, seconds: the two cores may be busy with other tests.
PATIENCE = 45.0

_TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Client of a cluster of two workers."""
    with sq.connect(n_workers=2, set_as_default=False) as client:
        yield client


@pytest.fixture(scope="module")
def single() -> Iterator[Client]:
    """Client of a cluster of one worker."""
    with sq.connect(n_workers=1, set_as_default=False) as client:
        yield client


@pytest.fixture(autouse=True)
def _tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))
    _register(queue_tasks)


def _register(module: Any, version: int = 1) -> None:
    types = {"number": (int, 0), "seconds": (float, 0.0), "diary": (str, os.devnull)}
    sq.register_task("steps", module.steps, version=version, parameters=types)
    sq.register_task("gate", module.gate, parameters={"path": str})
    sq.register_task("odd", module.odd, parameters={"kind": str})


@pytest.fixture
def queue(client: Client, tmp_path: Path) -> Iterator[sq.JobQueue]:
    """Queue on the two workers."""
    with sq.JobQueue(client, store=tmp_path / "store", user="ann") as queue:
        yield queue


@pytest.fixture
def alone(single: Client, tmp_path: Path) -> Iterator[sq.JobQueue]:
    """Queue on the one worker."""
    with sq.JobQueue(single, store=tmp_path / "store", user="ann") as queue:
        yield queue


@pytest.fixture(scope="module")
def city() -> sq.City:
    """A small city."""
    return sq.demo_city("synthetic", n_areas=60)


def _until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


class _Gate:
    """A job that holds up the one worker until it is opened."""

    def __init__(self, queue: sq.JobQueue, folder: Path) -> None:
        self.path = folder / "gate"
        self.job = queue.submit(task="gate", path=str(self.path))
        _until(Path(f"{self.path}.reached").exists)

    def open(self) -> None:
        self.path.touch()


def _lines(diary: Path) -> list[str]:
    return diary.read_text().split() if diary.exists() else []


def _raises(error: type[Exception], wait: Callable[[float], Any]) -> None:
    with pytest.raises(error):
        wait(PATIENCE)


def _in_a_process(program: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=os.environ | {"PYTHONPATH": str(_TESTS)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Answers


def test_a_job_gives_what_optimise_gives(queue: sq.JobQueue, city: sq.City) -> None:
    """A job's network equals the local one, and its record says how it was made."""
    job = queue.submit(city, n_sensors=5, theta=500, tags=["north", "a"], note="mine", priority=3)
    assert job.result(PATIENCE) == sq.optimise(city, n_sensors=5, theta=500)
    snapshot = job.snapshot()
    assert (snapshot.state, snapshot.user, snapshot.tags) == ("finished", "ann", ("a", "north"))
    assert (snapshot.note, snapshot.priority, snapshot.city) == ("mine", 3, city.digest)
    assert snapshot.created <= snapshot.started <= snapshot.ended
    assert (snapshot.attempts, snapshot.from_cache, snapshot.turn) == (1, False, 0)
    assert snapshot.worker.startswith("tcp://127.0.0.1:")
    assert job.progress.fraction == 1.0
    assert job.progress.value == job.result().total_coverage
    assert job.progress.bound == job.result().upper_bound
    assert job.error is None
    assert json.loads(json.dumps(snapshot.to_dict()))["state"] == "finished"
    assert repr(job) == f"<Job {job.id}: finished>"
    assert "1 finished" in repr(queue)


def test_the_city_may_be_named_by_its_digest(queue: sq.JobQueue, city: sq.City) -> None:
    """A city that the store has need not be given again."""
    first = queue.submit(city, n_sensors=2, theta=500)
    second = queue.submit(city.digest, n_sensors=3, theta=500)
    assert second.result(PATIENCE) == sq.optimise(city, n_sensors=3, theta=500)
    first.result(PATIENCE)


def test_progress_comes_as_it_is_made(queue: sq.JobQueue) -> None:
    """A job that runs says how far it is, sooner than by heartbeats."""
    job = queue.submit(task="steps", number=1, seconds=1.5)
    seen = [(each.state, each.progress) for each in job.watch()]
    states = [state for state, _ in seen]
    assert states == sorted(states, key=["queued", "running", "finished"].index)
    fractions = [progress.fraction for _, progress in seen]
    assert fractions == sorted(fractions)
    assert len({fraction for fraction in fractions if 0 < fraction < 1}) >= 3
    during = [progress for state, progress in seen if state == "running" and progress.value]
    assert all(progress.message == "step 1" and progress.bound == 1.5 for progress in during)


def test_await_gives_the_result(queue: sq.JobQueue) -> None:
    """Jobs may be awaited together, in a loop that runs, and again when they have ended."""

    async def main() -> list[Any]:
        jobs = [queue.submit(task="steps", number=number, seconds=0.2) for number in range(3)]
        results = await asyncio.gather(*jobs)
        assert await jobs[0] == results[0]
        return results

    assert asyncio.run(main()) == [{"number": number} for number in range(3)]


def test_a_queue_may_be_opened_while_a_loop_runs(client: Client, tmp_path: Path) -> None:
    """In a notebook a loop runs already: plain calls and await both work there."""

    async def main() -> None:
        with sq.JobQueue(client, store=tmp_path) as queue:
            assert await queue.submit(task="steps", number=1) == {"number": 1}
            assert queue.submit(task="steps", number=2).result(PATIENCE) == {"number": 2}
            with pytest.raises(JobFailedError):
                await queue.submit(task="odd", kind="odd")

    asyncio.run(main())


def test_async_for_follows_a_job(queue: sq.JobQueue) -> None:
    """The snapshots end with the state in which the job ended."""

    async def main() -> list[str]:
        job = queue.submit(task="steps", number=4, seconds=0.5)
        return [snapshot.state async for snapshot in job]

    states = asyncio.run(main())
    assert states[-1] == "finished"
    assert "running" in states


def test_a_queue_is_watched(queue: sq.JobQueue) -> None:
    """Iterators and callbacks hear of every job, until they are ended."""
    heard: list[sq.JobSnapshot] = []
    end = queue.watch(heard.append)
    assert callable(end)
    watch = queue.watch()
    jobs = [queue.submit(task="steps", number=number) for number in range(3)]
    ended: set[str] = set()
    for snapshot in watch:  # type: ignore[union-attr]
        ended |= {snapshot.id} if snapshot.has_ended else set()
        if len(ended) == 3:
            break
    watch.stop()  # type: ignore[union-attr]
    _until(lambda: {each.id for each in heard if each.has_ended} == {job.id for job in jobs})
    end()
    number = len(heard)
    queue.submit(task="steps", number=9).wait(PATIENCE)
    assert len(heard) == number
    assert {each.id for each in watch} <= ended  # type: ignore[union-attr]


def test_waiting_ends_when_the_time_is_over(alone: sq.JobQueue, tmp_path: Path) -> None:
    """A job that takes longer than the timeout goes on; the error says where it is."""
    gate = _Gate(alone, tmp_path)
    job = alone.submit(task="steps", number=1)
    for ask in (job.wait, job.result):
        with pytest.raises(JobNotEndedError, match=r"is queued after 0\.05 seconds"):
            ask(0.05)
    with pytest.raises(TimeoutError):
        alone.wait(timeout=0.05)
    gate.open()
    assert [each.state for each in alone.wait([gate.job, job], PATIENCE)] == ["finished"] * 2
    alone.wait(timeout=0.0)


# Answers that are there


def test_a_run_is_computed_once(client: Client, tmp_path: Path) -> None:
    """The same run is answered at once: here, in another queue, and when the store is reopened."""
    diary = tmp_path / "diary"
    words = {"task": "steps", "number": 1, "diary": str(diary)}
    with sq.JobQueue(client, store=tmp_path / "store") as queue:
        first = queue.submit(**words)
        assert first.result(PATIENCE) == {"number": 1}
        assert not first.snapshot().from_cache
        with sq.JobQueue(client, store=tmp_path / "store", user="bob") as other:
            for each in (queue, other):
                again = each.submit(**words)
                assert again.status == "finished"
                assert again.snapshot().from_cache
                assert again.result() == {"number": 1}
    with sq.JobQueue(client, store=tmp_path / "store") as queue:
        assert queue.submit(**words).snapshot().from_cache
        assert len(queue.jobs(state="finished")) == 4
        _register(queue_tasks, version=2)
        anew = queue.submit(**words)
        assert not anew.snapshot().from_cache
        anew.result(PATIENCE)
        assert len(_lines(diary)) == 2
        forced = queue.submit(**words, reuse=False)
        assert not forced.snapshot().from_cache
        forced.result(PATIENCE)
    assert len(_lines(diary)) == 3


def test_an_answer_that_was_cut_short_is_not_reused(queue: sq.JobQueue, tmp_path: Path) -> None:
    """Neither a time limit's nor a cancelled job's answer is served to others."""
    words = {"task": "steps", "number": 1, "seconds": 0.6, "diary": str(tmp_path / "diary")}
    limited = queue.submit(**words, time_limit=0.1)
    # The time begins a moment before the task does.
    assert 0.05 <= limited.result(PATIENCE)["so far"] < 0.5
    assert limited.snapshot().cut_short == "time limit"
    again = queue.submit(**words, time_limit=0.1)
    assert not again.snapshot().from_cache
    cancelled = queue.submit(**words)
    _until(lambda: cancelled.status == "running")
    cancelled.cancel()
    assert cancelled.wait(PATIENCE).state == "cancelled"
    full = queue.submit(**words)
    assert not full.snapshot().from_cache
    assert full.result(PATIENCE) == {"number": 1}
    assert again.result(PATIENCE).keys() == {"so far"}


def test_a_network_that_was_cut_short_says_so(queue: sq.JobQueue, city: sq.City) -> None:
    """After its time limit, optimise gives the best so far, marked as stopped."""
    words = {"n_sensors": 12, "theta": 400, "method": "exchange"}
    limited = queue.submit(city, **words, time_limit=1e-6)
    network = limited.result(PATIENCE)
    assert network.stopped
    assert limited.snapshot().cut_short == "time limit"
    full = queue.submit(city, **words)
    assert not full.snapshot().from_cache
    assert full.result(PATIENCE) == sq.optimise(city, **words)


@pytest.mark.parametrize(("sizes", "kinds"), [((9, 4), "longer"), ((4, 9), "shorter")])
def test_greedy_answers_help_each_other(
    queue: sq.JobQueue, city: sq.City, sizes: tuple[int, int], kinds: str
) -> None:
    """A greedy network that is cut from, or continues, another equals one from scratch."""
    words = {"theta": 400, "method": "greedy"}
    queue.submit(city, n_sensors=sizes[0], **words).result(PATIENCE)
    job = queue.submit(city, n_sensors=sizes[1], **words)
    assert job.snapshot().reused == kinds
    network, scratch = job.result(PATIENCE), sq.optimise(city, n_sensors=sizes[1], **words)
    assert network == scratch
    assert (network.upper_bound, network.gap) == (scratch.upper_bound, scratch.gap)
    assert queue.submit(city, n_sensors=sizes[1], **words, reuse=False).snapshot().reused == ""


def test_similar_jobs_are_found(queue: sq.JobQueue, city: sq.City) -> None:
    """The finished jobs nearest in theta and number come first, each run once."""
    jobs = {
        (n, theta): queue.submit(city, n_sensors=n, theta=theta)
        for n, theta in [(3, 500), (4, 500), (3, 1000)]
    }
    queue.submit(city, n_sensors=3, theta=500)
    queue.wait(timeout=PATIENCE)
    found = queue.similar(city, n_sensors=3, theta=520)
    assert [each.run for each in found] == [
        jobs[key].snapshot().run for key in [(3, 500), (4, 500), (3, 1000)]
    ]
    assert len(queue.similar(city.digest, n_sensors=3, theta=520, limit=1)) == 1
    assert queue.similar(sq.demo_city("synthetic", n_areas=61), n_sensors=3) == []


# Shared runs and cancelling


def test_identical_jobs_share_a_run(queue: sq.JobQueue, tmp_path: Path) -> None:
    """Two jobs of one run are one computation, and cancelling one leaves the other."""
    diary = tmp_path / "diary"
    words = {"task": "steps", "number": 1, "seconds": 1.0, "diary": str(diary)}
    one, other = queue.submit(**words), queue.submit(**words)
    _until(lambda: one.status == other.status == "running")
    assert one.cancel().state == "cancelled"
    assert one.best() is None
    assert other.result(PATIENCE) == {"number": 1}
    assert one.status == "cancelled"
    assert _lines(diary) == ["1"]
    with pytest.raises(JobCancelledError, match="was cancelled"):
        one.result()


def test_a_cancelled_job_keeps_its_best(queue: sq.JobQueue) -> None:
    """A job that is cancelled while it runs stops soon, and what it had found is kept."""
    job = queue.submit(task="steps", number=1, seconds=60.0)
    _until(lambda: job.progress.fraction > 0)
    began = time.monotonic()
    assert job.cancel().state in ("cancelling", "cancelled")
    assert job.wait(10).state == "cancelled"
    assert time.monotonic() - began < 2.0
    assert 0 < job.best()["so far"] < 30
    assert job.snapshot().cut_short == "cancelled"
    job.cancel()
    with pytest.raises(JobCancelledError, match="best"):
        job.result()


def test_a_job_that_waits_is_cancelled_at_once(alone: sq.JobQueue, tmp_path: Path) -> None:
    """It never runs, has no answer, and may be retried."""
    gate, diary = _Gate(alone, tmp_path), tmp_path / "diary"
    job = alone.submit(task="steps", number=1, diary=str(diary))
    assert job.cancel().state == "cancelled"
    assert job.best() is None
    gate.open()
    gate.job.result(PATIENCE)
    assert _lines(diary) == []
    assert job.retry().turn == 1
    assert job.result(PATIENCE) == {"number": 1}


@pytest.mark.parametrize("where", ["another queue", "another process"])
def test_a_job_is_cancelled_from_elsewhere(queue: sq.JobQueue, where: str) -> None:
    """Whoever opens the store may cancel, also without a cluster."""
    job = queue.submit(task="steps", number=1, seconds=60.0)
    _until(lambda: job.progress.fraction > 0)
    if where == "another queue":
        with sq.JobQueue(store=queue.store, connect=False) as other:
            assert other.get(job.id).cancel().state in ("cancelling", "cancelled")
    else:
        program = "import sys, spineq as sq; sq.JobQueue(store=sys.argv[1], connect=False)"
        _in_a_process(f"{program}.cancel(sys.argv[2])", queue.store, job.id)
    assert job.wait(10).state == "cancelled"
    assert "so far" in job.best()


# Order


def test_first_come_first_served(alone: sq.JobQueue, tmp_path: Path) -> None:
    """Two hundred jobs on one worker run in the order in which they were submitted."""
    gate, diary = _Gate(alone, tmp_path), tmp_path / "diary"
    for number in range(200):
        alone.submit(task="steps", number=number, diary=str(diary))
    gate.open()
    alone.wait(timeout=PATIENCE)
    assert _lines(diary) == [str(number) for number in range(200)]


def test_users_take_turns(alone: sq.JobQueue, single: Client, tmp_path: Path) -> None:
    """Of two users with a hundred jobs each, the one who came later need not wait for all."""
    gate, diary = _Gate(alone, tmp_path), tmp_path / "diary"
    for number in range(100):
        alone.submit(task="steps", number=number, diary=str(diary))
    with sq.JobQueue(single, store=alone.store, user="bob") as other:
        for number in range(1000, 1100):
            other.submit(task="steps", number=number, diary=str(diary))
        gate.open()
        alone.wait(timeout=PATIENCE)
        assert {each.user for each in other.jobs()} == {"ann", "bob"}
    order = [int(line) for line in _lines(diary)]
    assert len(order) == 200
    for place in range(200):
        ahead = sum(1 if number < 1000 else -1 for number in order[:place])
        assert abs(ahead) <= 2


def test_a_higher_priority_goes_first(alone: sq.JobQueue, tmp_path: Path) -> None:
    """Within a priority the order of submission counts."""
    gate, diary = _Gate(alone, tmp_path), tmp_path / "diary"
    # Dask sends the first jobs, twice as many as there are threads, to the worker at once, where
    # nothing overtakes them.
    for number in (100, 101):
        alone.submit(task="steps", number=number, priority=1000, diary=str(diary))
    for number, priority in enumerate([0, -5, 5, 1000, 5, -1000, 0]):
        alone.submit(task="steps", number=number, priority=priority, diary=str(diary))
    gate.open()
    alone.wait(timeout=PATIENCE)
    assert _lines(diary) == ["100", "101", "3", "2", "4", "0", "6", "1", "5"]


def test_a_job_expires(alone: sq.JobQueue, tmp_path: Path) -> None:
    """A job that waits for too long is not run any more, unless it is retried."""
    gate, diary = _Gate(alone, tmp_path), tmp_path / "diary"
    job = alone.submit(task="steps", number=1, diary=str(diary), expires_in=0.5)
    patient = alone.submit(task="steps", number=2, diary=str(diary), expires_in=600)
    assert job.wait(PATIENCE).state == "expired"
    with pytest.raises(JobExpiredError, match=r"more than 0\.5 seconds"):
        job.result()
    gate.open()
    patient.result(PATIENCE)
    assert _lines(diary) == ["2"]
    job.retry()
    assert job.result(PATIENCE) == {"number": 1}


def test_a_full_queue_takes_no_more(single: Client, tmp_path: Path) -> None:
    """Jobs beyond the most that may wait are refused, and nothing of them is written."""
    with sq.JobQueue(single, store=tmp_path / "store", max_waiting=2) as queue:
        gate = _Gate(queue, tmp_path)
        queue.submit(task="steps", number=1)
        with pytest.raises(QueueFullError, match="2 jobs wait"):
            queue.submit(task="steps", number=2)
        assert len(queue.keeper.ledger.job_ids()) == 2
        gate.open()
        queue.wait(timeout=PATIENCE)
        queue.submit(task="steps", number=2).result(PATIENCE)


# Lists


def test_jobs_are_listed_by_page_state_user_and_tag(client: Client, tmp_path: Path) -> None:
    """The latest come first; filters combine."""
    with (
        sq.JobQueue(client, store=tmp_path, user="ann") as ann,
        sq.JobQueue(client, store=tmp_path, user="bob") as bob,
    ):
        ids = [ann.submit(task="steps", number=n, tags=f"t{n % 2}").id for n in range(6)]
        other = bob.submit(task="odd", kind="odd", tags=["t1"]).id
        ann.wait(timeout=PATIENCE)
        bob.refresh()
        for queue in (ann, bob):
            assert [each.id for each in queue.jobs()] == sorted([*ids, other], reverse=True)
        pages = [ann.jobs(limit=3, offset=start) for start in (0, 3, 6, 9)]
        assert [len(page) for page in pages] == [3, 3, 1, 0]
        assert [each for page in pages for each in page] == ann.jobs()
        assert ann.jobs(limit=0) == []
        assert [each.id for each in ann.jobs(user="bob")] == [other]
        assert {each.id for each in ann.jobs(tag="t1", user="ann")} == {ids[1], ids[3], ids[5]}
        assert [each.id for each in ann.jobs(state="failed")] == [other]
        assert len(ann.jobs(state=["failed", "finished"])) == 7
        assert ann.jobs(state="queued", tag="t0") == []
        assert ann.count() == {"finished": 6, "failed": 1}
        for words in ({"state": "done"}, {"limit": -1}, {"offset": 1.5}, {"limit": True}):
            with pytest.raises(ProblemError):
                ann.jobs(**words)


def test_a_deleted_job_is_gone(queue: sq.JobQueue) -> None:
    """Running and finished jobs are deleted; of several, all or none."""
    done = queue.submit(task="steps", number=1)
    done.result(PATIENCE)
    runs = queue.submit(task="steps", number=2, seconds=60.0)
    _until(lambda: runs.progress.fraction > 0)
    with pytest.raises(JobNotFoundError):
        queue.delete(done, "0000000000000000")
    assert done.status == "finished"
    waiter = threading.Thread(target=_raises, args=(JobNotFoundError, runs.wait))
    waiter.start()
    queue.delete(done, runs.id)
    waiter.join(10)
    assert not waiter.is_alive()
    assert queue.jobs() == []
    assert repr(done) == f"<Job {done.id}: deleted>"
    for ask in (done.snapshot, runs.cancel, done.retry, done.delete, done.result, runs.best):
        with pytest.raises(JobNotFoundError):
            ask()
    again = queue.submit(task="steps", number=1)
    assert again.snapshot().from_cache
    _until(lambda: not queue.keeper.ledger.leases(), 5)


@pytest.mark.parametrize("unknown", ["0000000000000000", "", "../../etc", "é" * 16, "x" * 5000])
def test_unknown_ids_are_refused(queue: sq.JobQueue, unknown: str) -> None:
    """An id that no job has is a plain error, whatever it looks like."""
    for ask in (queue.get, queue.cancel, queue.retry, queue.delete, queue.wait_for, queue.load):
        with pytest.raises(JobNotFoundError):
            ask(unknown)


def test_the_queue_is_cleared(alone: sq.JobQueue, tmp_path: Path) -> None:
    """Either what waits goes, or everything."""
    gate = _Gate(alone, tmp_path)
    for number in range(5):
        alone.submit(task="steps", number=number)
    assert alone.clear(waiting=True) == 5
    assert [each.id for each in alone.jobs()] == [gate.job.id]
    assert alone.clear() == 1
    assert alone.jobs() == []
    assert alone.submit(task="steps", number=7).result(PATIENCE) == {"number": 7}


def test_only_what_failed_is_retried(queue: sq.JobQueue, tmp_path: Path) -> None:
    """A retry is a new attempt, which may end otherwise."""
    flaky = tmp_path / "diary"
    flaky.mkdir()
    job = queue.submit(task="steps", number=1, diary=str(flaky))
    with pytest.raises(JobFailedError, match="directory"):
        job.result(PATIENCE)
    assert job.error is not None
    assert job.error.type == "IsADirectoryError"
    flaky.rmdir()
    assert job.retry().state in ("queued", "running", "finished")
    assert job.result(PATIENCE) == {"number": 1}
    with pytest.raises(JobError, match="is finished"):
        job.retry()


# What goes wrong


@pytest.mark.parametrize(
    ("words", "error", "field"),
    [
        ({"n_sensors": 0}, ProblemError, "n_sensors"),
        ({"n_sensors": 10_000}, ProblemError, "n_sensors"),
        ({"n_sensors": 2, "theta": -1}, ProblemError, "theta"),
        ({"n_sensors": 2, "colour": 1}, ProblemError, None),
        ({"n_sensors": 2, "priority": 1.5}, ProblemError, "priority"),
        ({"n_sensors": 2, "priority": 5000}, ProblemError, "priority"),
        ({"n_sensors": 2, "priority": True}, ProblemError, "priority"),
        ({"n_sensors": 2, "tags": [1]}, ProblemError, "tags"),
        ({"n_sensors": 2, "tags": [""]}, ProblemError, "tags"),
        ({"n_sensors": 2, "note": 5}, ProblemError, "note"),
        ({"n_sensors": 2, "time_limit": 0}, ProblemError, "time_limit"),
        ({"n_sensors": 2, "time_limit": float("nan")}, ProblemError, "time_limit"),
        ({"n_sensors": 2, "expires_in": "1"}, ProblemError, "expires_in"),
        ({"n_sensors": 2, "expires_in": float("inf")}, ProblemError, "expires_in"),
        ({"task": "nothing"}, UnknownTaskError, "task"),
        ({"task": "steps"}, ProblemError, "city"),
        ({"city": None, "n_sensors": 2}, ProblemError, "city"),
        ({"city": "0" * 64, "n_sensors": 2}, UnknownIdError, "city"),
        ({"city": "../format", "n_sensors": 2}, UnknownIdError, "city"),
        ({"city": None, "task": "steps", "number": "1"}, ProblemError, "number"),
        ({"city": None, "task": "steps", "speed": 1}, ProblemError, "speed"),
        ({"city": None, "task": "odd"}, ProblemError, "kind"),
        ({"city": None, "task": "steps", "seconds": float("nan")}, ProblemError, "seconds"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    queue: sq.JobQueue,
    city: sq.City,
    words: dict[str, Any],
    error: type[SpineqError],
    field: str | None,
) -> None:
    """Each mistake has an error of its own, which names the field."""
    before = queue.keeper.ledger.store.names()
    with pytest.raises(error) as caught:
        queue.submit(**{"city": city} | words)
    assert caught.value.field == field
    assert queue.keeper.ledger.store.names() == before
    assert queue.jobs() == []


@pytest.mark.parametrize(
    ("kind", "type_name"),
    [
        ("odd", "OddError"),
        ("exit", "SystemExit"),
        ("interrupt", "KeyboardInterrupt"),
        ("generator", "GeneratorExit"),
        ("cancelled", "CancelledError"),
        ("long", "ValueError"),
        ("recursion", "RecursionError"),
        ("a set", "ProblemError"),
        ("not a number", "ProblemError"),
    ],
)
def test_whatever_a_task_raises_the_job_fails_with_words(
    queue: sq.JobQueue, kind: str, type_name: str
) -> None:
    """The failure names the exception and shows where it was raised; the workers go on."""
    job = queue.submit(task="odd", kind=kind)
    with pytest.raises(JobFailedError) as caught:
        job.result(PATIENCE)
    assert job.error is not None
    assert job.error.type == type_name
    assert 0 < len(job.error.message) <= 4000
    assert "queue_tasks" in job.error.traceback or "ProblemError" in job.error.traceback
    assert "On the worker" in caught.value.__notes__[0]
    assert queue.submit(task="steps", number=1).result(PATIENCE) == {"number": 1}


def test_workers_that_lack_the_module_say_so(
    queue: sq.JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that workers cannot import fails with words, rather than never running."""
    (tmp_path / "only_here.py").write_text("def f(city, progress):\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here  # type: ignore[import-not-found]

    sq.register_task("only here", only_here.f)
    job = queue.submit(task="only here")
    with pytest.raises(JobFailedError, match="the workers need the same packages"):
        job.result(PATIENCE)
    assert job.error is not None
    assert job.error.type == "ModuleNotFoundError"


def test_a_function_of_a_notebook_travels(queue: sq.JobQueue) -> None:
    """A task need not be importable on the workers if it was defined in a notebook."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("def double(city, progress, *, n):\n    return 2 * n\n", space)
    sq.register_task("double", space["double"], parameters={"n": int})
    assert queue.submit(task="double", n=4).result(PATIENCE) == 8


def test_a_task_that_this_process_does_not_know(queue: sq.JobQueue) -> None:
    """Its jobs are listed; only to run them or to read their answers needs the task."""
    done = queue.submit(task="steps", number=1)
    done.result(PATIENCE)
    del tasks._TASKS["steps"]
    assert done.status == "finished"
    for ask in (done.result, done.best, lambda: queue.submit(task="steps", number=1)):
        with pytest.raises(UnknownTaskError, match="'steps'"):
            ask()
    program = (
        "import sys, queue_tasks, spineq as sq\n"
        "sq.register_task('other', queue_tasks.gate, parameters={'path': str})\n"
        "queue = sq.JobQueue(store=sys.argv[1])\n"
        "print(queue.submit(task='other', path=sys.argv[2]).id)\n"
    )
    path = str(Path(queue.store) / "gate")
    job = queue.get(_in_a_process(program, queue.store, path).strip())
    _until(lambda: job.status == "running")
    Path(path).touch()
    assert job.wait(PATIENCE).state == "finished"


# Queues


def test_another_process_finds_the_cluster(queue: sq.JobQueue, client: Client) -> None:
    """A second queue on the store joins the scheduler that serves it, and leaves it running."""
    program = (
        "import sys, queue_tasks, spineq as sq\n"
        "sq.register_task('gate', queue_tasks.gate, parameters={'path': str})\n"
        "with sq.JobQueue(store=sys.argv[1], user='bob') as queue:\n"
        "    print(queue.owns_cluster, queue.keeper.carrier.client.scheduler.address)\n"
        "    print(queue.submit(task='gate', path=sys.argv[1]).result(60))\n"
    )
    said = _in_a_process(program, queue.store).split()
    assert said == ["False", client.scheduler.address, "True"]
    assert not queue.owns_cluster
    queue.refresh()
    assert [each.user for each in queue.jobs()] == ["bob"]
    assert client.submit(sum, [1, 2]).result() == 3


def test_a_queue_that_only_looks_runs_nothing(queue: sq.JobQueue) -> None:
    """Without a cluster it lists, waits and watches; what it submits, others run."""
    job = queue.submit(task="steps", number=1, seconds=0.3)
    with sq.JobQueue(store=queue.store, connect=False) as onlooker:
        assert onlooker.get(job.id).result(PATIENCE) == {"number": 1}
        assert onlooker.submit(task="steps", number=2).result(PATIENCE) == {"number": 2}


def test_a_closed_queue_answers_what_it_knows(client: Client, tmp_path: Path) -> None:
    """Closing ends the waiting and leaves the jobs to whoever opens the store next."""
    queue = sq.JobQueue(client, store=tmp_path)
    job = queue.submit(task="steps", number=1, seconds=1.0)
    watch = queue.watch()
    waiter = threading.Thread(target=_raises, args=(ClusterError, job.wait))
    waiter.start()
    queue.close()
    queue.close()
    waiter.join(10)
    assert not waiter.is_alive()
    list(watch)  # type: ignore[arg-type]
    assert job.status in ("queued", "running")
    with pytest.raises(ClusterError, match="is closed"):
        queue.submit(task="steps", number=2)
    with sq.JobQueue(client, store=tmp_path) as other:
        assert other.get(job.id).result(PATIENCE) == {"number": 1}
    assert client.status == "running"


def test_a_queue_that_nobody_holds_is_closed(client: Client, tmp_path: Path) -> None:
    """Its thread ends with it; jobs that are held keep their queue."""
    queue = sq.JobQueue(client, store=tmp_path)
    thread = queue.keeper._thread
    job = queue.submit(task="steps", number=1, seconds=0.2)
    del queue
    gc.collect()
    assert job.result(PATIENCE) == {"number": 1}
    assert thread.is_alive()
    del job
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_a_cell_that_is_run_again(client: Client, tmp_path: Path) -> None:
    """Two queues on one client and store both hear of progress, also after one has closed."""
    first = sq.JobQueue(client, store=tmp_path)
    with sq.JobQueue(client, store=tmp_path) as second:
        job = second.submit(task="steps", number=1, seconds=1.5)
        first.refresh()
        for queue in (first, second):
            _until(lambda queue=queue: 0 < queue.get(job.id).progress.fraction < 1, 1.5)
        job.result(PATIENCE)
        assert first.get(job.id).result(PATIENCE) == {"number": 1}
        first.close()
        job = second.submit(task="steps", number=2, seconds=1.5)
        fractions = [each.progress.fraction for each in job.watch()]
        assert len(set(fractions)) > 3
