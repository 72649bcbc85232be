"""Progress from Dask tasks, and the end of a task that nobody wants any more."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest
from distributed import Client

import spineq as sq
from spineq.jobs.events import PERIOD, DaskProgress
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
    client.subscribe_topic(topic, lambda event: events.append(event[1]))
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
    assert 3 <= len(events) <= 0.6 / PERIOD + 2
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
