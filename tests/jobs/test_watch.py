"""Following jobs: what watches hear, and how they end."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hand_carrier import TASK, Hands

import spineq as sq
from spineq.errors import JobNotFoundError
from spineq.jobs.watch import Watch

_names = itertools.count()


@pytest.fixture
def hands() -> Iterator[Hands]:
    """Workers that the test moves."""
    with Hands(f"memory://watch-{next(_names)}") as hands:
        yield hands


@pytest.fixture
def queue(hands: Hands) -> sq.JobQueue:
    """A queue that hears of something when the test says so."""
    return hands.open_queue()


def _watch(queue: sq.JobQueue) -> Watch:
    watch = queue.watch()
    assert isinstance(watch, Watch)
    return watch


def _later(do: Callable[[], object]) -> threading.Thread:
    """Do something on another thread, a little later."""
    thread = threading.Timer(0.05, do)
    thread.start()
    return thread


def test_a_watch_begins_with_the_present_and_ends_with_the_job(
    hands: Hands, queue: sq.JobQueue
) -> None:
    """However slowly it is read, it gives the latest state, and stops after the last."""
    job = queue.submit(task=TASK, question=3)
    watch = job.watch()
    assert next(watch).state == "queued"
    worker = hands.take()
    for fraction in (0.2, 0.4, 0.6):
        worker.report(fraction)
        hands.hear(queue)
    snapshot = next(watch)
    assert (snapshot.state, snapshot.progress.fraction) == ("running", 0.6)
    worker.finish()
    hands.hear(queue)
    assert [each.state for each in watch] == ["finished"]
    assert watch.next() is None
    assert [each.state for each in job.watch()] == ["finished"]


def test_nothing_new_is_not_told_again(hands: Hands, queue: sq.JobQueue) -> None:
    """A job that did not change is not heard of."""
    watch = queue.submit(task=TASK, question=3).watch()
    assert watch.next(0) is not None
    hands.look(queue)
    hands.look(queue)
    assert watch.next(0) is None


def test_a_watch_that_waits_is_woken(hands: Hands, queue: sq.JobQueue) -> None:
    """An iteration that waits goes on when something changes, and ends when it is stopped."""
    job, watch = queue.submit(task=TASK, question=3), _watch(queue)
    hands.hear(queue)
    assert next(watch).id == job.id
    worker = hands.take()
    worker.finish()
    _later(lambda: hands.hear(queue))
    assert next(watch).state == "finished"
    _later(watch.stop)
    assert list(watch) == []
    watch.stop()


@pytest.mark.parametrize("end", ["delete", "close"])
def test_a_watch_ends_when_there_is_nothing_to_follow(
    hands: Hands, queue: sq.JobQueue, end: str
) -> None:
    """A job that is deleted and a queue that closes end the watches."""
    job = queue.submit(task=TASK, question=3)
    watch = job.watch()
    next(watch)

    def over() -> None:
        job.delete() if end == "delete" else queue.keeper.close()
        hands.hear(queue)

    _later(over).join()
    assert [each.state for each in watch if each.has_ended] == []


def test_a_job_that_is_gone_is_watched_in_vain(hands: Hands, queue: sq.JobQueue) -> None:
    """The iterator is empty; awaiting says that the job is gone."""
    job = queue.submit(task=TASK, question=3)
    job.delete()
    assert list(job.watch()) == []

    async def main() -> None:
        with pytest.raises(JobNotFoundError):
            await job

    asyncio.run(main())


def test_a_callback_hears_of_its_job_alone(hands: Hands, queue: sq.JobQueue) -> None:
    """The present first, then each change, until it is ended."""
    job, heard = queue.submit(task=TASK, question=3), []
    end = job.watch(heard.append)
    queue.submit(task=TASK, question=4)
    hands.hear(queue)
    hands.take(job.snapshot().attempt).finish()
    hands.look(queue)
    assert {each.id for each in heard} == {job.id}
    assert heard[-1].state == "finished"
    end()
    end()
    number = len(heard)
    job.delete()
    hands.hear(queue)
    assert len(heard) == number


def test_a_callback_that_fails_spoils_nothing(
    hands: Hands, queue: sq.JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, and the other watchers hear all."""

    def bad(_: Any) -> None:
        raise ValueError

    heard: list[sq.JobSnapshot] = []
    queue.watch(bad)
    queue.watch(heard.append)
    job = queue.submit(task=TASK, question=3)
    hands.hear(queue)
    assert [each.id for each in heard] == [job.id]
    assert "a watcher of jobs failed" in caplog.text


def test_a_callback_may_ask_the_queue(hands: Hands, queue: sq.JobQueue) -> None:
    """It may list, cancel and end itself."""
    seen: list[int] = []

    def ask(snapshot: sq.JobSnapshot) -> None:
        seen.append(len(queue.jobs()))
        queue.cancel(snapshot)
        end()

    end = queue.watch(ask)
    job = queue.submit(task=TASK, question=3)
    hands.hear(queue)
    assert seen == [1]
    assert job.status == "cancelled"


def test_an_asynchronous_watch_is_woken(hands: Hands, queue: sq.JobQueue) -> None:
    """The loop goes on while it waits."""

    async def main() -> list[str]:
        job = queue.submit(task=TASK, question=3)
        states = []
        async for snapshot in job:
            states.append(snapshot.state)
            if snapshot.state == "queued":
                worker = hands.take()
                worker.report(0.5)
                _later(lambda: hands.hear(queue))
            if snapshot.state == "running":
                worker.finish()
                _later(lambda: hands.hear(queue))
        assert await job == {"answer": 9}
        return states

    assert asyncio.run(main()) == ["queued", "running", "finished"]


def test_waiting_may_be_given_up(hands: Hands, queue: sq.JobQueue) -> None:
    """A task that awaits a job may be cancelled; the job goes on."""

    async def main() -> sq.Job:
        job = queue.submit(task=TASK, question=3)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(job, 0.05)
        return job

    job = asyncio.run(main())
    hands.take().finish()
    hands.look(queue)
    assert job.result() == {"answer": 9}
