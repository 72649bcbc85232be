"""What the tests of jobs may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest

from spineq.jobs import tasks
from spineq.jobs._host import process_name


@pytest.fixture
def _tasks_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the tasks of `worker_side` while a test runs."""
    from job_faults import register

    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))
    register()


@pytest.fixture(scope="session")
def _named_processes(lacking: Callable[[str], NoReturn]) -> None:
    """A system on which one process can tell that another one has ended."""
    if not process_name():
        lacking("the system has no /proc")
