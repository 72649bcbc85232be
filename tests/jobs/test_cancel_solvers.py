"""Every solver's running job stops soon when it is cancelled, and keeps what it had found."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from distributed import Client

import spineq as sq
from spineq.jobs.overhead import CancelCase, cancel_cases
from spineq.solvers import METHODS

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

#: Jobs of each kind that are cancelled.
_TIMES = 3

#: Seconds within which the usual job has stopped: `spineq jobs bench` measures against 0.25, but
#: here other tests may have the cores.
_SOON = 2.0


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Client of a cluster of one worker."""
    with sq.connect(n_workers=1, set_as_default=False) as client:
        yield client


@pytest.fixture
def queue(client: Client, tmp_path: Path) -> Iterator[sq.JobQueue]:
    """Queue on the one worker."""
    with sq.JobQueue(client, store=tmp_path / "store", user="ann") as queue:
        yield queue


def test_every_method_is_among_the_cases() -> None:
    """Whatever method is added is measured, too."""
    asked = {case.words.get("method") for case in cancel_cases()}
    assert asked >= set(METHODS)


@pytest.mark.parametrize("case", cancel_cases(), ids=lambda case: case.name)
def test_a_running_solver_stops_soon(
    queue: sq.JobQueue, case: CancelCase, needs: Callable[[str], ModuleType]
) -> None:
    """The usual cancelled job ends within two seconds, with the best that it had found."""
    if case.words.get("method") == "milp":
        needs("highspy")
    if case.words.get("task") == "trade_off":
        needs("moocore")
    took = [case.cancel(queue, number, number / _TIMES) for number in range(_TIMES)]
    seconds = [each for each in took if each is not None]
    # Some may have ended by themselves before, on a fast machine.
    assert len(seconds) > _TIMES // 2
    assert statistics.median(seconds) < _SOON
    cancelled = [job for job in queue.jobs() if job.state == "cancelled"]
    assert len(cancelled) == len(seconds)
    for snapshot in cancelled:
        best = queue.get(snapshot.id).best()
        assert best.stopped
        if isinstance(best, sq.Network):
            assert best.n_sensors <= best.problem.n_sensors
            assert best.objective_value >= 0.0
