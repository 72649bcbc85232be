"""Progress from Dask tasks, and the end of a task that nobody wants any more."""

from __future__ import annotations

import gc
import pickle
import time
import weakref
from collections.abc import Iterator
from typing import Any

import dask_processes
import pytest
from distributed import Client

import spineq as sq
from spineq.jobs.events import PERIOD, DaskProgress, connection_of, follow, resubscribe
from spineq.progress import Progress

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of a cluster with one worker process."""
    with sq.connect(n_workers=1, set_as_default=False) as made:
        yield made


def _report_for(seconds: float, progress: Progress) -> tuple[int, bool]:
    """Report as often as possible; returns how often, and whether a stop was asked for."""
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        count += 1
        if progress.report(min(count / 1e6, 0.99), "working", 0.25, 0.5):
            return count, True
    progress.report(1.0, "done", 0.5, 0.5)
    return count, False


def _follow(client: Client, topic: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    follow(client, topic, lambda event: events.append(event[1]))
    return events


def _wait_until(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_events_are_few_numbered_and_end_with_the_last(client: Client) -> None:
    """However often a task reports, some ten events a second arrive, and the last one does."""
    events = _follow(client, "few")
    count, stopped = client.submit(_report_for, 0.6, DaskProgress("few")).result()
    _wait_until(lambda: events and events[-1]["fraction"] == 1.0)
    assert not stopped
    assert count > 100
    # One at the beginning, one after each period, and the last; 0.6 / 0.1 is less than 6.
    assert 3 <= len(events) <= round(0.6 / PERIOD) + 2
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert {event["key"] for event in events} == {events[0]["key"]}
    last = {name: events[-1][name] for name in ("fraction", "message", "value", "bound")}
    assert last == {"fraction": 1.0, "message": "done", "value": 0.5, "bound": 0.5}


def test_a_cancelled_task_stops_and_its_worker_takes_the_next(client: Client) -> None:
    """Cancelling the future ends the running task within a quarter of a second."""
    events = _follow(client, "cancelled")
    future = client.submit(_report_for, 60.0, DaskProgress("cancelled"), pure=False)
    _wait_until(lambda: events)
    began = time.monotonic()
    future.cancel()
    assert client.submit(sum, [1, 2], pure=False).result(timeout=10) == 3
    assert time.monotonic() - began < 1.0  # a loose limit: the machine may be busy


def test_optimise_reports_from_a_worker(client: Client) -> None:
    """A real job sends events whose last one carries the answer's value and bound."""
    events = _follow(client, "real")
    network = client.submit(
        sq.optimise, sq.demo_city(), n_sensors=5, progress=DaskProgress("real")
    ).result()
    _wait_until(lambda: events and events[-1]["fraction"] == 1.0)
    assert events[-1]["value"] == pytest.approx(network.total_coverage, abs=1e-12)
    assert events[-1]["bound"] == pytest.approx(network.upper_bound, abs=1e-12)


def test_outside_of_a_worker_it_is_silent_and_picklable() -> None:
    """In a plain process nothing is sent and nothing stops."""
    progress = pickle.loads(pickle.dumps(DaskProgress("topic")))
    assert progress.topic == "topic"
    assert progress.report(0.5) is False
    assert isinstance(progress, Progress)


def _followed(client: Client) -> list[str]:
    """Topics that the scheduler sends to this client."""
    me = client.id

    def look(dask_scheduler: Any) -> list[str]:
        topics = dask_scheduler._broker._topics
        return [name for name, topic in topics.items() if me in topic.subscribers]

    return client.run_on_scheduler(look)


def _say(client: Client, topic: str, message: int, *hearers: list[Any]) -> None:
    """Send an event once the scheduler knows who follows; wait until all have heard it."""
    _wait_until(lambda: topic in _followed(client))
    client.log_event(topic, message)
    for heard in hearers:
        _wait_until(lambda heard=heard: message in heard)


def test_followers_of_one_topic_do_not_replace_each_other(client: Client) -> None:
    """Each of several handlers gets every event until its own end, one that fails or not."""
    one: list[int] = []
    two: list[int] = []

    def failing(event: Any) -> None:
        raise ValueError(event)

    def second(event: Any) -> None:
        two.append(event[1])

    ends = [
        follow(client, "shared", failing),
        follow(client, "shared", lambda event: one.append(event[1])),
        follow(client, "shared", second),
        follow(client, "shared", second),
    ]
    _say(client, "shared", 1, one, two)
    assert one == [1]
    assert two == [1, 1]
    ends[2]()
    ends[2]()  # may be called twice
    _say(client, "shared", 2, one, two)
    assert two == [1, 1, 2]
    ends[1]()
    _say(client, "shared", 3, two)
    assert one == [1, 2]
    assert "shared" in _followed(client)
    ends[3]()
    ends[0]()
    _wait_until(lambda: "shared" not in _followed(client))
    end = follow(client, "shared", lambda event: one.append(event[1]))
    _say(client, "shared", 4, one)
    end()


def test_a_handler_may_end_the_following_of_itself_and_others(client: Client) -> None:
    """An end that is called on the loop's own thread does not wait for anything."""
    heard: list[int] = []

    def once(event: Any) -> None:
        heard.append(event[1])
        end()

    end = follow(client, "once", once)
    _say(client, "once", 1, heard)
    _wait_until(lambda: "once" not in _followed(client))
    client.log_event("once", 2)
    assert client.submit(sum, [2, 3], pure=False).result() == 5
    assert heard == [1]


def test_following_does_not_keep_a_client_alive(client: Client) -> None:
    """A closed client is forgotten, with handlers that know it; an end after that is harmless."""
    address = client.scheduler.address

    def come_and_go(topics: list[str]) -> tuple[weakref.ref[Client], Any]:
        other = Client(address, set_as_default=False)
        end = None
        for topic in topics:
            follow(other, topic, lambda event: other.log_event("echo", event))
            end = follow(other, topic, print)
        other.close()
        return weakref.ref(other), end

    for topics in ([], ["a", "b"]):
        gone, end = come_and_go(topics)
        if end is not None:
            end()
        del end
        gc.collect()
        assert gone() is None, topics


def test_a_connection_is_another_one_after_the_scheduler_died() -> None:
    """A scheduler that is killed and started anew gives another connection, and none between."""
    heard: list[int] = []
    with dask_processes.scheduler() as scheduler:
        with Client(scheduler.address, set_as_default=False) as client:
            end = follow(client, "topic", lambda event: heard.append(event[1]))
            first = connection_of(client)
            assert first is not None
            assert connection_of(client) is first
            _say(client, "topic", 1, heard)
            scheduler.kill()
            _wait_until(lambda: connection_of(client) is None)
            scheduler.start()
            _wait_until(lambda: connection_of(client) is not None, 60)
            assert connection_of(client) is not first
            assert "topic" not in _followed(client)
            resubscribe(client)
            _say(client, "topic", 2, heard)
            end()
            _wait_until(lambda: "topic" not in _followed(client))
            resubscribe(client)  # nothing is followed any more
            assert "topic" not in _followed(client)
        assert connection_of(client) is None
    assert heard == [1, 2]


def test_a_connection_is_another_one_after_it_was_cut() -> None:
    """A client that only lost its connection is new to the same scheduler too."""
    heard: list[int] = []
    with (
        dask_processes.scheduler() as scheduler,
        dask_processes.Proxy(scheduler.address) as proxy,
        Client(proxy.address, set_as_default=False) as client,
    ):
        follow(client, "topic", lambda event: heard.append(event[1]))
        first = connection_of(client)
        proxy.refuse()
        _wait_until(lambda: connection_of(client) is None)
        proxy.accept()
        _wait_until(lambda: connection_of(client) is not None, 60)
        assert connection_of(client) is not first
        second = connection_of(client)
        proxy.cut()
        _wait_until(lambda: connection_of(client) not in (None, second), 60)
        resubscribe(client)
        _say(client, "topic", 1, heard)
