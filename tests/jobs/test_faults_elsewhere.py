"""Connections, stores and clocks that fail; clusters that race: no job is lost or done twice."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from dask_processes import Proxy
from job_faults import (
    Cluster,
    Fifty,
    clock,
    linked,
    records,
    submitted_by_the_dead,
    took_up,
    unreachable,
    until,
)

import spineq as sq
from spineq.errors import StoreError

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.usefixtures("_tasks_of_workers")]


@pytest.fixture
def fifty(tmp_path: Path) -> Fifty:
    """Fifty jobs."""
    return Fifty(tmp_path)


def test_the_connection_is_cut(tmp_path: Path, fifty: Fifty) -> None:
    """A client that loses its scheduler for a while finds all jobs again, and those done since."""
    store = tmp_path / "store"
    with (
        Cluster() as cluster,
        Proxy(cluster.address) as proxy,
        sq.JobQueue(proxy.address, store=store) as queue,
    ):
        fifty.submit(queue, range(20))
        fifty.await_long()
        proxy.cut()
        fifty.submit(queue, range(20, 35))
        until(lambda: proxy.connections, "the client does not come back")
        proxy.refuse()
        fifty.submit(queue, range(35, 50))
        # Longer than a client of Dask's looks for its scheduler.
        time.sleep(6.0)
        proxy.accept()
        seen = fifty.check(store, queue)
    assert took_up(seen) == {1: 50}
    assert set(Counter(fifty.entries()).values()) == {1}


@pytest.mark.parametrize("preload", [(), ("--preload", "impatient")], ids=["patient", "impatient"])
def test_the_store_is_unreachable(tmp_path: Path, fifty: Fifty, preload: tuple[str, ...]) -> None:
    """Jobs wait while nothing can be read or written, whether the workers wait or give up."""
    store = linked(tmp_path)
    with (
        Cluster(options=preload) as cluster,
        sq.JobQueue(cluster.address, store=store) as queue,
    ):
        fifty.submit(queue, range(30))
        fifty.await_long()
        with unreachable(store):
            until(lambda: queue.keeper.trouble, "the queue sees no trouble")
            assert "store" in repr(queue).partition(";")[2]
            before = records(tmp_path / "real")
            _check_refused(queue, fifty)
            time.sleep(2.0)
            assert records(tmp_path / "real") == before
        fifty.submit(queue, range(30, 50))
        seen = fifty.check(store, queue)
    # The lease of a worker that gave up while it could not be released has to get stale.
    assert took_up(seen).keys() <= ({1, 2} if preload else {1})


@pytest.fixture
def small(tmp_path: Path, lacking: Callable[[str], NoReturn]) -> Iterator[Path]:
    """A disk of four megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        lacking(f"a small disk cannot be mounted here ({error})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_store_is_full(small: Path, fifty: Fifty) -> None:
    """Jobs wait while the disk is full, and nothing is half-written."""
    store = small / "store"
    with Cluster() as cluster, sq.JobQueue(cluster.address, store=store) as queue:
        fifty.submit(queue, range(30))
        fifty.await_long()
        _fill(small / "filler")
        _check_refused(queue, fifty)
        time.sleep(2.0)
        _check_refused(queue, fifty)
        (small / "filler").unlink()
        fifty.submit(queue, range(30, 50))
        seen = fifty.check(store, queue)
    assert took_up(seen) == {1: 50}
    assert not list(store.rglob(".tmp-*"))


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def _check_refused(queue: sq.JobQueue, fifty: Fifty) -> None:
    """See that nothing can be submitted, and that nothing comes of it."""
    before = len(queue.jobs())
    for number in (0, 49):
        with pytest.raises(StoreError, match="cannot"):
            fifty.submit(queue, range(number, number + 1), note="refused")
    assert len(queue.jobs()) == before == len(fifty.expected)


def test_two_clusters_race_on_one_store(tmp_path: Path, fifty: Fifty) -> None:
    """Eight workers of two clusters do each job once, though both clusters are given all."""
    store, options = tmp_path / "store", ("--no-nanny",)
    with (
        Cluster(4, options) as one,
        Cluster(4, options) as other,
        sq.JobQueue(one.address, store=store) as first,
        sq.JobQueue(other.address, store=store) as second,
    ):
        one.await_workers()
        other.await_workers()
        fifty.submit(first, range(6, 31))
        fifty.submit(second, range(31, 56))
        fifty.check(store, first)
        assert len(second.wait(fifty.expected, 30)) == 50
    begun = [what for word, what, _ in fifty.entries() if word == "begin"]
    assert len(set(begun)) == 50
    assert len(begun) <= 52
    assert len(set(fifty.begun())) > 4, "one cluster did it all"


def test_clocks_differ_by_an_hour(tmp_path: Path, fifty: Fifty) -> None:
    """Neither leases nor waiting times are confused by machines whose clocks are wrong."""
    store = tmp_path / "store"
    with Cluster(0) as cluster:
        cluster.add_worker(environment=clock(3600))
        cluster.add_worker(environment=clock(-3600))
        cluster.await_workers()
        # Submitted an hour ago, if one were to believe it.
        words = cluster.address, str(store), str(fifty.diary)
        ids = submitted_by_the_dead(*words, long=4.0, expires_in=600, environment=clock(-3600))
        fifty.expect(ids)
        with sq.JobQueue(cluster.address, store=store) as queue:
            process = fifty.await_long()
            [owner] = [worker for worker in cluster.workers if worker.pid == os.getpgid(process)]
            owner.kill()
            seen = fifty.check(store, queue)
    assert took_up(seen) == {1: 49, 2: 1}
    now = time.time()
    assert {round((job.ended - now) / 3600) for job in seen if job.ended} == {-1, 1}
    assert {round((job.created - now) / 3600) for job in seen} == {-1}
