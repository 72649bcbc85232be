"""A queue with workers for the tests of views: one for a file, since it takes seconds to start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

import spineq as sq
from spineq.panel.state import PanelState


@pytest.fixture(scope="module")
def busy_queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sq.JobQueue]:
    """A queue with two workers."""
    with sq.JobQueue(store=tmp_path_factory.mktemp("store"), n_workers=2) as queue:
        yield queue


@pytest.fixture
def state(busy_queue: sq.JobQueue) -> Iterator[PanelState]:
    """The demo city and that queue."""
    made = PanelState(sq.demo_city(), busy_queue)
    yield made
    made.close()
    busy_queue.clear()


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Wait for what happens on another thread: ``until(lambda: ..., seconds)``."""

    def wait(condition: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come"
            time.sleep(0.01)

    return wait
