"""An attempt ends with one outcome, whatever happens to it: here in this process, without Dask."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import spineq as sq
from spineq.data.packed import pack_city
from spineq.errors import StoreError
from spineq.jobs import tasks, worker
from spineq.jobs.ledger import MOST_DEATHS, Ledger
from spineq.jobs.records import Beat, Lease, Outcome, Stop, attempt_name, digest
from spineq.jobs.tasks import Task, check_asked, run_digest, task_named
from spineq.jobs.worker import Order, run_attempt
from spineq.progress import Progress
from spineq.store import FolderStore

ELSEWHERE = "other/boot/pid:[1]#1@1"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits, and nothing remembered from test to test."""
    monkeypatch.setattr(worker, "PATIENCE", 0.3)
    monkeypatch.setattr(worker, "_WAIT", 0.01)
    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))
    worker._ledger_at.cache_clear()
    worker._cities.clear()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """The ledger that the worker opens."""
    return Ledger.open(str(tmp_path))


@pytest.fixture(scope="module")
def city() -> sq.City:
    """A city of six areas."""
    frame = pd.DataFrame(
        {"area_id": list("abcdef"), "x": [0.0, 5, 900, 40, 2000, 7], "y": 0.0, "population": 9.0}
    )
    return sq.City.from_frame(frame, crs="EPSG:27700", name="Six")


def _task(function: Callable[..., Any], *, needs_city: bool = False) -> Task:
    return sq.register_task("t", function, needs_city=needs_city)


def order_of(ledger: Ledger, task: Task, **fields: Any) -> Order:
    """Order for a new run of a task."""
    run = fields.pop("run", digest(task.name, time.time_ns()))
    made: dict[str, Any] = {
        "store": ledger.store.where,
        "store_id": ledger.id,
        "cluster": "c",
        "topic": "topic",
        "attempt": attempt_name(run, 1, None),
        "run": run,
        "task": task,
        "version": task.version_of(fields.get("parameters", {})),
        "city": "",
        "parameters": {},
        "time_limit": None,
        "earlier": "",
        "fresh": False,
    }
    return Order(**made | fields)


def ran(ledger: Ledger, order: Order) -> Outcome:
    """Outcome of an attempt that runs now; nothing but it and the answer is left."""
    assert run_attempt(order) == "ended"
    outcome = ledger.outcome(order.attempt)
    assert outcome is not None
    assert ledger.store.names("leases/") == ledger.store.names("beats/") == []
    return outcome


def until_stopped(city: Any, progress: Progress) -> str:
    """Report until told to stop."""
    for k in range(10_000):
        if progress.report(0.5, f"round {k}", 0.25, 0.75):
            return "so far"
        time.sleep(0.001)
    return "all"


# ---------------------------------------------------------------------------- ends


def test_a_finished_attempt_has_its_answer_and_figures(ledger: Ledger) -> None:
    """And the times, the lease and the last words."""

    def compute(city: Any, progress: Progress, *, n: int) -> list[int]:
        assert city is None
        progress.report(0.5, "half", 0.25, 0.75)
        progress.report(1.0, "done", 0.5)
        return list(range(n))

    task, before = _task(compute), time.time()
    order = order_of(ledger, task, parameters={"n": 3})
    outcome = ran(ledger, order)
    assert (outcome.event, outcome.cut_short, outcome.error) == ("finished", "", {})
    assert (outcome.message, outcome.value, outcome.bound) == ("done", 0.5, 0.75)
    assert outcome.began is not None
    assert before <= outcome.began <= outcome.ended <= time.time()
    assert outcome.lease == 1
    assert outcome.answer == f"answers/{order.run}"
    assert task.load(ledger.answer(outcome.answer)) == [0, 1, 2]


def test_a_network_is_what_optimise_gives(ledger: Ledger, city: sq.City) -> None:
    """Computed for a city from the store."""
    ledger.put_city(city.digest, pack_city(city))
    task = task_named("optimise")
    asked = check_asked(task, city, {"n_sensors": 2})
    order = order_of(
        ledger,
        task,
        run=run_digest(task, asked, city.digest),
        city=city.digest,
        parameters=asked.parameters,
    )
    outcome = ran(ledger, order)
    network = task.load(ledger.answer(outcome.answer))
    direct = sq.optimise(city, n_sensors=2)
    assert network.sensors.equals(direct.sensors)
    assert (outcome.value, outcome.bound) == (direct.total_coverage, direct.upper_bound)


class StrangeError(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ValueError("the reason"), "ValueError", "the reason"),
        (ValueError(), "ValueError", "ValueError"),
        (ValueError("a file \udc80"), "ValueError", "a file \udc80"),
        (MemoryError("much"), "MemoryError", "much"),
        (SystemExit("over"), "SystemExit", "over"),
        (StrangeError(), "StrangeError", "StrangeError"),
        (ValueError("x" * 10**5), "ValueError", "x" * 4000),
    ],
)
def test_a_failure_keeps_its_traceback(
    ledger: Ledger, error: BaseException, kind: str, words: str
) -> None:
    """And the worker lives."""

    def fail(city: Any, progress: Progress) -> None:
        progress.report(0.5, "on the way")
        raise error

    outcome = ran(ledger, order_of(ledger, _task(fail)))
    assert (outcome.event, outcome.answer, outcome.message) == ("failed", "", "on the way")
    assert (outcome.error["type"], outcome.error["message"]) == (kind, words)
    assert len(outcome.error["traceback"]) <= 20_000
    if len(words) < 100:
        assert "in fail" in outcome.error["traceback"]


@pytest.mark.parametrize("result", [{1, 2}, float("nan"), b"x"])
def test_a_result_that_is_not_json_is_a_failure(ledger: Ledger, result: Any) -> None:
    """In words, and no answer is written."""
    outcome = ran(ledger, order_of(ledger, _task(lambda city, progress: result)))
    assert outcome.event == "failed"
    assert "not JSON" in outcome.error["message"]
    assert ledger.store.names("answers/") == []


def test_a_report_that_is_no_number_is_the_tasks_failure(ledger: Ledger) -> None:
    """Not the worker's."""
    outcome = ran(ledger, order_of(ledger, _task(lambda city, progress: progress.report("x"))))
    assert (outcome.event, outcome.error["type"]) == ("failed", "ValueError")


@pytest.mark.parametrize("data", [None, b"", b"no zip"], ids=["missing", "empty", "damaged"])
def test_a_city_that_cannot_be_read_is_a_failure(ledger: Ledger, data: bytes | None) -> None:
    """Of this job alone."""
    if data is not None:
        ledger.put_city("d" * 64, data)
    task = _task(lambda city, progress: 1, needs_city=True)
    outcome = ran(ledger, order_of(ledger, task, city="d" * 64))
    assert outcome.event == "failed"
    assert outcome.error["type"] == ("NotInStoreError" if data is None else "UnreadableFileError")


def test_a_city_is_read_once_a_process(
    ledger: Ledger, city: sq.City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last four are kept."""
    ledger.put_city(city.digest, pack_city(city))
    first = worker.city_at(ledger, city.digest)
    assert first.digest == city.digest
    monkeypatch.setattr(Ledger, "city", lambda self, digest: pytest.fail("read again"))
    assert worker.city_at(ledger, city.digest) is first


def test_a_city_has_the_name_that_its_own_store_gives_it(
    ledger: Ledger, city: sq.City, tmp_path: Path
) -> None:
    """The same data under another name, in another store of the same process."""
    other = Ledger.open(str(tmp_path / "other"))
    ledger.put_city(city.digest, pack_city(city.labelled(name="Here")))
    other.put_city(city.digest, pack_city(city.labelled(name="There")))
    names = [worker.city_at(one, city.digest).name for one in (ledger, other)]
    assert names == ["Here", "There"]


# ---------------------------------------------------------------------------- stops


def test_an_attempt_that_nobody_wants_is_not_begun(ledger: Ledger) -> None:
    """A stop that is there before ends it."""
    order = order_of(ledger, _task(lambda city, progress: pytest.fail("begun")))
    ledger.stop(order.attempt, Stop(at=1.0))
    outcome = ran(ledger, order)
    assert (outcome.event, outcome.began, outcome.lease, outcome.answer) == ("stopped", None, 0, "")


def test_an_attempt_that_has_ended_is_not_begun(ledger: Ledger) -> None:
    """Dask may bring a job twice."""
    order = order_of(ledger, _task(lambda city, progress: pytest.fail("begun")))
    first = Outcome(event="failed", ended=1.0)
    ledger.publish(order.attempt, first)
    assert ran(ledger, order) == first


def test_a_stop_during_the_computation_keeps_what_there_is(ledger: Ledger) -> None:
    """Within a quarter of a second; no later job is answered with it."""
    order = order_of(ledger, _task(until_stopped))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(ran, ledger, order)
        while not ledger.leases(order.attempt):
            time.sleep(0.005)
        began = time.monotonic()
        ledger.stop(order.attempt, Stop(at=1.0))
        outcome = running.result()
    assert time.monotonic() - began < 1.0  # a loose limit: the machine may be busy
    assert (outcome.event, outcome.cut_short) == ("stopped", "cancelled")
    assert outcome.answer == f"partial/{order.attempt}"
    assert ledger.answer(outcome.answer) == b'"so far"'
    assert not ledger.has_answer(order.run)
    assert (outcome.value, outcome.bound) == (0.25, 0.75)


def test_a_time_limit_cuts_the_answer_short(ledger: Ledger) -> None:
    """The job has finished, with the best so far."""
    order = order_of(ledger, _task(until_stopped), time_limit=0.05)
    outcome = ran(ledger, order)
    assert (outcome.event, outcome.cut_short) == ("finished", "time limit")
    assert outcome.answer == f"partial/{order.attempt}"
    assert not ledger.has_answer(order.run)
    assert outcome.began is not None
    assert outcome.ended - outcome.began < 2.0


def test_a_limit_that_is_not_reached_leaves_the_answer_whole(ledger: Ledger) -> None:
    """And one that passes after the last report too."""

    def compute(city: Any, progress: Progress) -> str:
        assert not progress.report(0.9)
        time.sleep(2.1)
        return "all"

    # Time enough for a busy machine to come to the first report.
    outcome = ran(ledger, order_of(ledger, _task(compute), time_limit=2.0))
    assert (outcome.event, outcome.cut_short) == ("finished", "")
    assert outcome.answer.startswith("answers/")


def test_a_network_that_was_cut_short_says_so(ledger: Ledger, city: sq.City) -> None:
    """With no time at all there is a network all the same."""
    ledger.put_city(city.digest, pack_city(city))
    task = task_named("optimise")
    order = order_of(ledger, task, city=city.digest, parameters={"n_sensors": 2}, time_limit=1e-9)
    outcome = ran(ledger, order)
    assert (outcome.event, outcome.cut_short) == ("finished", "time limit")
    assert task.load(ledger.answer(outcome.answer)).stopped


# ---------------------------------------------------------------------------- answers


def test_an_answer_without_an_outcome_ends_the_attempt(ledger: Ledger) -> None:
    """An earlier worker died between the two; nothing is computed again."""
    order = order_of(ledger, _task(lambda city, progress: pytest.fail("computed")))
    ledger.put_answer(f"answers/{order.run}", b"1")
    outcome = ran(ledger, order)
    assert (outcome.event, outcome.answer) == ("finished", f"answers/{order.run}")


def test_an_answer_is_computed_afresh_where_that_is_asked(ledger: Ledger) -> None:
    """And takes the place of the old one."""
    order = order_of(ledger, _task(lambda city, progress: "new"), fresh=True)
    ledger.put_answer(f"answers/{order.run}", b'"old"')
    assert ran(ledger, order).event == "finished"
    assert ledger.answer(f"answers/{order.run}") == b'"new"'


@pytest.mark.parametrize("state", ["whole", "missing", "damaged", "of another problem"])
def test_an_earlier_answer_helps_or_does_no_harm(ledger: Ledger, city: sq.City, state: str) -> None:
    """The network is the same with it and without it."""
    ledger.put_city(city.digest, pack_city(city))
    earlier = sq.optimise(
        city, n_sensors=4, method="greedy", theta=900 if state.startswith("of") else 500
    )
    if state != "missing":
        data = b"damaged" if state == "damaged" else earlier.to_bytes()
        ledger.put_answer("answers/earlier", data)
    task, words = task_named("optimise"), {"n_sensors": 2, "method": "greedy"}
    order = order_of(ledger, task, city=city.digest, parameters=words, earlier="earlier")
    outcome = ran(ledger, order)
    assert outcome.event == "finished"
    direct = sq.optimise(city, n_sensors=2, method="greedy")
    assert task.load(ledger.answer(outcome.answer)).sensors.equals(direct.sensors)


# ---------------------------------------------------------------------------- leases


def _held(ledger: Ledger, order: Order, **fields: Any) -> Lease:
    lease = Lease(attempt=order.attempt, number=1, process=ELSEWHERE, **fields)
    assert ledger.take_lease(lease)
    ledger.beat(lease, Beat(count=1))
    return lease


def test_what_another_cluster_holds_is_left_to_it(ledger: Ledger) -> None:
    """As soon as its heart is seen to beat, and nothing is written."""
    order = order_of(ledger, _task(lambda city, progress: pytest.fail("begun")))
    lease = _held(ledger, order, cluster="other")
    names = ledger.store.names()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_attempt, order)
        time.sleep(0.1)
        assert not waiting.done()
        ledger.beat(lease, Beat(count=2))
        assert waiting.result(timeout=10) == "elsewhere"
    assert ledger.store.names() == names


def test_what_this_cluster_holds_is_waited_for(ledger: Ledger) -> None:
    """Until there is an outcome."""
    order = order_of(ledger, _task(lambda city, progress: pytest.fail("begun")))
    _held(ledger, order, cluster="c")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_attempt, order)
        time.sleep(0.1)
        assert not waiting.done()
        ledger.publish(order.attempt, Outcome(event="finished", ended=1.0))
        assert waiting.result(timeout=10) == "ended"


def test_what_a_dead_worker_held_is_taken_up(ledger: Ledger) -> None:
    """When its heart has stood still for three periods, with the next number."""
    order = order_of(ledger, _task(lambda city, progress: "done"))
    _held(ledger, order, cluster="c", period=0.05)
    outcome = ran(ledger, order)
    assert (outcome.event, outcome.lease) == ("finished", 2)


def test_a_job_under_which_workers_die_fails(ledger: Ledger) -> None:
    """After three of this cluster's."""
    order = order_of(ledger, _task(lambda city, progress: pytest.fail("begun")))
    for number in range(1, MOST_DEATHS + 1):
        lease = Lease(
            attempt=order.attempt, number=number, cluster="c", process=ELSEWHERE, period=0.01
        )
        ledger.take_lease(lease)
    outcome = ran(ledger, order)
    assert (outcome.event, outcome.error["type"]) == ("failed", "WorkersDiedError")


def test_of_two_that_run_an_attempt_at_once_one_computes(ledger: Ledger) -> None:
    """The other waits, and both say that it has ended."""
    calls: list[int] = []

    def compute(city: Any, progress: Progress) -> int:
        calls.append(1)
        time.sleep(0.1)
        return 1

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        order, together = order_of(ledger, _task(compute)), threading.Barrier(4)

        def run(_: int) -> str:
            together.wait()
            return run_attempt(order)

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(run, range(4))) == ["ended"] * 4
    finally:
        sys.setswitchinterval(interval)
    assert calls == [1]
    assert ledger.ended_attempts() == [order.attempt]


def test_of_two_outcomes_the_first_stays(ledger: Ledger) -> None:
    """A worker that was taken for dead loses nothing but the race."""
    first = Outcome(event="finished", ended=1.0, answer="answers/x")

    def slow(city: Any, progress: Progress) -> str:
        assert ledger.publish(order.attempt, first)
        return "late"

    order = order_of(ledger, _task(slow))
    assert ran(ledger, order) == first


def test_the_heart_beats_while_a_task_reports_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And carries the latest progress."""
    seen: list[Beat] = []
    monkeypatch.setattr(Ledger, "beat", lambda self, lease, beat: seen.append(beat))
    worker._ledger_at(ledger.store.where).beat_period = 0.05

    def silent(city: Any, progress: Progress) -> str:
        progress.report(0.25, "silent", 0.5, 0.75)
        time.sleep(0.5)
        return "done"

    ran(ledger, order_of(ledger, _task(silent)))
    assert len(seen) >= 3
    assert [beat.count for beat in seen] == list(range(1, len(seen) + 1))
    assert (seen[-1].fraction, seen[-1].message, seen[-1].value) == (0.25, "silent", 0.5)


# ---------------------------------------------------------------------------- stores that fail


def _failing(monkeypatch: pytest.MonkeyPatch, method: str, prefix: str, times: int) -> list[int]:
    """Let a store fail so many times; returns the count of what is left."""
    real, left = getattr(FolderStore, method), [times]

    def fail(self: FolderStore, name: str, *rest: Any, **options: Any) -> Any:
        if name.startswith(prefix) and left[0]:
            left[0] -= 1
            msg = "the disk is full"
            raise StoreError(msg)
        return real(self, name, *rest, **options)

    monkeypatch.setattr(FolderStore, method, fail)
    return left


@pytest.mark.parametrize(
    ("method", "prefix"),
    [
        ("put", "answers/"),
        ("put", "outcomes/"),
        ("put", "leases/"),
        ("exists", "outcomes/"),
        ("exists", "stops/"),
        ("exists", "answers/"),
        ("names", "leases/"),
    ],
)
def test_a_store_that_fails_for_a_moment_is_waited_for(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, method: str, prefix: str
) -> None:
    """The attempt finishes all the same, computed once."""
    calls: list[int] = []
    order = order_of(ledger, _task(lambda city, progress: calls.append(1)))
    left = _failing(monkeypatch, method, prefix, 1)
    assert run_attempt(order) == "ended"
    assert left == [0]
    outcome = ledger.outcome(order.attempt)
    assert outcome is not None
    assert outcome.event == "finished"
    assert calls == [1]


@pytest.mark.parametrize("prefix", ["answers/", "outcomes/", "leases/"])
def test_a_store_that_fails_for_long_gives_the_job_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    """The failure is the store's; no lease stays behind, and the next try finishes."""
    order = order_of(ledger, _task(lambda city, progress: "done"))
    with monkeypatch.context() as patch:
        _failing(patch, "put", prefix, 10**9)
        with pytest.raises(StoreError, match="the disk is full"):
            run_attempt(order)
    assert ledger.outcome(order.attempt) is None
    assert ledger.leases() == {}
    assert ran(ledger, order).event == "finished"


def test_leases_that_cannot_be_removed_stay(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The outcome counts."""
    order = order_of(ledger, _task(lambda city, progress: "done"))
    _failing(monkeypatch, "delete", "", 10**9)
    assert run_attempt(order) == "ended"
    assert ledger.has_ended(order.attempt)
    assert "the disk is full" in caplog.text
