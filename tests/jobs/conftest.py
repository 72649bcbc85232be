"""What the tests of jobs may use."""

from __future__ import annotations

import pytest

from spineq.jobs import tasks


@pytest.fixture
def _tasks_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the tasks of `worker_side` while a test runs."""
    from job_faults import register

    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))
    register()
