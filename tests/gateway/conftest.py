"""What the tests of the gateway may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from served import Served, served

import spineq as sq


@pytest.fixture(scope="session")
def _web(needs: Callable[[str], ModuleType]) -> None:
    for package in ("fastapi", "fastapi_offline", "uvicorn", "socketio", "httpx", "aiohttp"):
        needs(package)


@pytest.fixture(scope="session")
def city() -> sq.City:
    """A small city."""
    return sq.demo_city("synthetic", n_areas=60).labelled(name="Smallton", code="S1")


@pytest.fixture
def serve(_web: None, city: sq.City, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """``serve(compat=True)``: a gateway whose jobs wait, for there is no cluster.

    ``room`` are words of the queue.
    """
    with ExitStack() as stack:

        def make(*, room: dict[str, int] | None = None, **settings: Any) -> Served:
            queue = stack.enter_context(
                sq.JobQueue(store=tmp_path / "store", connect=False, **(room or {}))
            )
            return stack.enter_context(served(queue, city, **settings))

        yield make


@pytest.fixture(scope="module")
def live(_web: None, city: sq.City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway with two workers."""
    store = tmp_path_factory.mktemp("gateway") / "store"
    with sq.JobQueue(store=store, n_workers=2) as queue, served(queue, city) as made:
        yield made
