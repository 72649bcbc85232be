"""Workers that prepare for jobs before the first comes, without being in anybody's way."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import worker_side
from dask_processes import Process, scheduler, worker
from distributed import Client, Worker

import spineq as sq
from spineq.jobs import warm_up as module
from spineq.jobs.warm_up import NAME, WarmUp, warm_up

pytestmark = pytest.mark.cluster


@pytest.fixture
def cold(tmp_path: Path) -> dict[str, str]:
    """Environment of a worker whose numba has nothing on disk."""
    return {"NUMBA_CACHE_DIR": str(tmp_path)}


@pytest.fixture
def far() -> Iterator[Process]:
    """A scheduler."""
    with scheduler() as made:
        yield made


@pytest.mark.slow
def test_a_warm_worker_has_every_kernel_that_jobs_need(far: Process) -> None:
    """Jobs of small and large cities with every method compile and load nothing more."""
    from spineq.solvers import METHODS
    from spineq.solvers.coverage import DENSE_PAIRS

    large = sq.demo_city("synthetic", n_areas=2100)
    assert large.n_sites**2 > DENSE_PAIRS
    with Client(far.address, set_as_default=False) as client:
        warm_up(client)
        warm_up(client)  # once
        with worker(far.address) as hand:
            client.submit(worker_side.wait_until_warm).result()
            before = client.submit(worker_side.compiled, pure=False).result()
            for city in client.scatter([sq.demo_city(), large]):
                for method in METHODS:
                    client.submit(sq.optimise, city, n_sensors=20, method=method).result()
            assert client.submit(worker_side.compiled, pure=False).result() == before
            assert hand.log.count(f"Starting Worker plugin {NAME}") == 1
            assert "could not warm up" not in hand.log
            # The scheduler gives the plugin to the next worker too.
            client.restart()
            client.submit(worker_side.wait_until_warm, pure=False).result()
            assert client.submit(worker_side.compiled, pure=False).result() == before


def test_what_a_worker_reads_and_warms_up_with_is_imported_by_one_thread() -> None:
    """Two at once may find packages half made: a city that is read then never comes."""
    code = """
import pickle, sys, threading
import distributed
from spineq.jobs import warm_up
start, threading.Thread.start = threading.Thread.start, lambda self: None
warm_up.WarmUp().setup(None)
threading.Thread.start = start
def ours():
    tops = ("spineq", "pyproj", "pandas", "geopandas", "shapely", "xarray")
    return {name for name in sys.modules if name.split(".")[0] in tops}
before = ours()
pickle.loads(sys.stdin.buffer.read())
print(ours() - before)
warm_up.exercise()
print(ours() - before)
"""
    made = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(sq.demo_city()),
        capture_output=True,
        check=True,
        timeout=240,
    )
    assert made.stdout.decode().split("\n") == ["set()", "set()", ""], made.stdout


@pytest.mark.slow
def test_jobs_that_come_while_warming_are_right_and_the_loop_goes_on(
    far: Process, cold: dict[str, str]
) -> None:
    """With nothing on disk, jobs compile beside the warm-up, and the worker answers all along."""
    city = sq.demo_city()
    with Client(far.address, set_as_default=False) as client, worker(far.address, environment=cold):
        warm_up(client)
        assert client.submit(worker_side.warming).result()
        jobs = [
            client.submit(sq.optimise, city, n_sensors=n, theta=500, method=method)
            for n, method in ((5, "greedy"), (20, "exchange"), (7, "random"))
        ]
        slowest, answers = 0.0, 0
        while not all(job.done() for job in jobs):
            began = time.monotonic()
            client.run(os.getpid)  # in the worker's event loop
            slowest = max(slowest, time.monotonic() - began)
            answers += 1
        assert answers > 10
        assert slowest < 3.0  # a loose limit: the machine may be busy
        for job, (n, method) in zip(
            jobs, ((5, "greedy"), (20, "exchange"), (7, "random")), strict=True
        ):
            assert job.result() == sq.optimise(city, n_sensors=n, theta=500, method=method)


@pytest.mark.slow
def test_a_worker_that_is_warming_restarts_and_ends_at_once(
    far: Process, cold: dict[str, str]
) -> None:
    """Neither a restart by the nanny nor the end of the worker waits for the compiler."""
    with (
        Client(far.address, set_as_default=False) as client,
        worker(far.address, environment=cold) as hand,
    ):
        warm_up(client)
        assert client.submit(worker_side.warming, pure=False).result()
        before = client.submit(os.getpid, pure=False).result()
        client.restart(timeout=60)
        assert client.submit(os.getpid, pure=False).result() != before
        assert client.submit(worker_side.warming, pure=False).result()
        began = time.monotonic()
        hand.stop(60)
        assert time.monotonic() - began < 5.0


def test_what_goes_wrong_is_said_in_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A warm-up that fails leaves a worker as good as any."""

    def failing(unwanted: threading.Event) -> None:
        raise OSError("no compiler")

    monkeypatch.setattr(module, "exercise", failing)
    # Other tests may have told Dask's loggers to be silent.
    caplog.set_level(logging.WARNING, logger="distributed.worker.spineq")
    module._run(threading.Event())
    assert "could not warm up" in caplog.text
    assert "no compiler" in caplog.text


def test_a_module_that_cannot_be_imported_leaves_the_worker_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which; a job that needs it fails in its own words."""
    monkeypatch.setattr(module, "_MODULES", ("spineq.no_such_module",))
    caplog.set_level(logging.WARNING, logger="distributed.worker.spineq")
    module._import()
    assert "could not be imported whole" in caplog.text
    assert "no_such_module" in caplog.text


def test_a_worker_that_ends_stops_its_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teardown sets what the exercise looks at; the plugin travels as a pickle."""
    seen = []

    def patient(unwanted: threading.Event) -> None:
        seen.append(unwanted.wait(30))

    monkeypatch.setattr(module, "exercise", patient)
    plugin = pickle.loads(pickle.dumps(WarmUp()))
    worker: Worker = None  # type: ignore[assignment]  # not looked at
    plugin.setup(worker)
    plugin.teardown(worker)
    end = time.monotonic() + 20
    while not seen and time.monotonic() < end:
        time.sleep(0.01)
    assert seen == [True]
