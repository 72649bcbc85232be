"""Workers, schedulers and clients that are killed: no job is lost, and none is done twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from job_faults import PATIENCE, Cluster, Fifty, submitted_by_the_dead, took_up

import spineq as sq

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.usefixtures("_tasks_of_workers")]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Folder of the jobs."""
    return tmp_path / "store"


@pytest.fixture
def fifty(tmp_path: Path) -> Fifty:
    """Fifty jobs."""
    return Fifty(tmp_path)


def test_a_worker_and_its_nanny_are_killed(store: Path, fifty: Fifty) -> None:
    """The job that a killed worker had begun is begun again elsewhere, and no other one is."""
    with Cluster() as cluster, sq.JobQueue(cluster.address, store=store) as queue:
        fifty.submit(queue)
        process = fifty.await_long()
        [owner] = [worker for worker in cluster.workers if worker.pid == os.getpgid(process)]
        owner.kill()
        seen = fifty.check(store, queue)
    assert took_up(seen) == {1: 49, 2: 1}
    assert len(fifty.begun()) == 45


def test_a_worker_process_is_killed_and_its_nanny_lives(store: Path, fifty: Fifty) -> None:
    """The only worker is killed; its nanny starts another one, which does all that is left."""
    with Cluster(1) as cluster, sq.JobQueue(cluster.address, store=store) as queue:
        fifty.submit(queue)
        os.kill(fifty.await_long(), signal.SIGKILL)
        seen = fifty.check(store, queue)
    assert took_up(seen) == {1: 49, 2: 1}
    assert len(set(fifty.begun())) == 2


def test_all_workers_are_killed(store: Path, fifty: Fifty) -> None:
    """Jobs wait while there is no worker, and new workers do them."""
    with Cluster() as cluster, sq.JobQueue(cluster.address, store=store) as queue:
        fifty.submit(queue)
        fifty.await_long()
        for worker in cluster.workers:
            worker.kill()
        for worker in cluster.workers:
            worker.start()
        seen = fifty.check(store, queue)
    assert took_up(seen).keys() == {1, 2}


@pytest.mark.parametrize("together", [False, True], ids=["alone", "with its workers"])
def test_the_scheduler_is_killed(store: Path, fifty: Fifty, together: bool) -> None:
    """What a killed scheduler knew is carried to the next one at its address."""
    with Cluster() as cluster, sq.JobQueue(cluster.address, store=store) as queue:
        fifty.submit(queue)
        fifty.await_long()
        cluster.scheduler.kill()
        for worker in cluster.workers:
            if together:
                worker.kill()
            else:
                worker.wait(PATIENCE)
        cluster.scheduler.start()
        for worker in cluster.workers:
            worker.start()
        fifty.check(store, queue)
    # A worker that has lost its scheduler ends what it is at, if it is quick.
    assert len(fifty.begun("13")) in ((2,) if together else (1, 2))


def test_a_client_is_killed_right_after_submitting(store: Path, fifty: Fifty) -> None:
    """What was submitted by a process that was killed at once is done for the next queue."""
    with Cluster() as cluster:
        ids = submitted_by_the_dead(cluster.address, str(store), str(fifty.diary))
        fifty.expect(ids)
        with sq.JobQueue(cluster.address, store=store) as queue:
            seen = fifty.check(store, queue)
    assert took_up(seen) == {1: 50}


def test_a_client_is_killed_with_its_own_cluster(store: Path, fifty: Fifty) -> None:
    """A cluster ends with the process that started it, and the next queue does all the jobs."""
    ids = submitted_by_the_dead(None, str(store), str(fifty.diary))
    fifty.expect(ids)
    with sq.JobQueue(store=store, n_workers=2) as queue:
        fifty.check(store, queue)


def test_a_queue_closes_its_own_cluster_while_jobs_run(store: Path, fifty: Fifty) -> None:
    """A queue that closes hands back what runs, so that no worker has died of it."""
    with sq.JobQueue(store=store, n_workers=2) as queue:
        fifty.submit(queue, long=5.0)
        fifty.await_long()
    assert not list((store / "leases").iterdir())
    with sq.JobQueue(store=store, connect=False) as reader:
        assert reader.count().keys() == {"finished", "queued"}
    with sq.JobQueue(store=store, n_workers=2) as queue:
        seen = fifty.check(store, queue)
    assert took_up(seen) == {1: 50}
    assert len(fifty.begun("13")) == 2


def test_a_job_that_kills_its_workers_fails(store: Path, fifty: Fifty) -> None:
    """A job under which three workers died has failed, in plain words; the others are done."""
    with Cluster() as cluster, sq.JobQueue(cluster.address, store=store) as queue:
        fifty.submit(queue, range(10))
        poison = queue.submit(task="poison", diary=str(fifty.diary))
        fifty.submit(queue, range(10, 49))
        failed = poison.wait(PATIENCE)
        seen = fifty.check(store, queue, others=1)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error.message.startswith("3 workers took up this job")
    assert "died under it" in failed.error.message
    assert len(fifty.begun("poison")) == 3
    assert took_up(seen) == {1: 49, 3: 1}
