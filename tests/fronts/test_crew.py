"""Crew: the front is the same whoever does the work, and a stop is heard by all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from solvers.instances import city_of

import spineq as sq
from spineq.errors import ProblemError
from spineq.fronts.aside import aside
from spineq.fronts.crew import Here, OnCluster
from spineq.progress import RecordingProgress, SilentProgress

TWO = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}
THREE = {**TWO, "young": sq.Group(ages=(0, 15))}


def smallville(n: int = 40, seed: int = 1) -> Any:
    """City of areas strewn over 3 km, groups that live apart."""
    rng = np.random.default_rng(seed)
    residents = rng.integers(0, 100, (n, 3)) * rng.integers(0, 3, (n, 3)) + 1
    return city_of(rng.random((n, 2)) * 3000, residents, rng.integers(0, 400, n) + 1)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Client of two worker processes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        Client(cluster, set_as_default=False) as made,
    ):
        yield made


@pytest.mark.slow
@pytest.mark.cluster
def test_the_front_is_the_same_with_a_client(client: Any) -> None:
    """Two workers, and nobody but this process, find the same front, bit for bit."""
    city = smallville()
    watcher = RecordingProgress()
    alone = sq.trade_off(city, 5, 400, THREE, effort=0.1, size=30)
    together = sq.trade_off(
        city, 5, 400, THREE, effort=0.1, size=30, client=client, progress=watcher
    )
    assert together == alone
    assert together.digest == alone.digest
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


@pytest.mark.slow
@pytest.mark.cluster
def test_the_proof_is_the_same_with_a_client(client: Any) -> None:
    """Bounds that workers found prove the same tolerance."""
    city = smallville(15)
    words: dict[str, Any] = {"effort": 0.1, "size": 30, "tolerance": 0.005}
    alone = sq.trade_off(city, 3, 400, TWO, **words)
    assert sq.trade_off(city, 3, 400, TWO, client=client, **words) == alone
    assert alone.tolerance is not None


@pytest.mark.slow
@pytest.mark.cluster
def test_a_stop_cancels_what_workers_have_before_them(client: Any) -> None:
    """A stop is obeyed within a quarter of a second, and nothing is left on the cluster."""

    class Impatient:
        asked = 0.0

        def report(self, fraction: float, *_: object) -> bool:
            if fraction > 0.3 and not self.asked:
                self.asked = time.perf_counter()
            return bool(self.asked)

    took = []
    for seed in range(3):
        watcher = Impatient()
        made = sq.trade_off(smallville(200, seed), 30, 400, THREE, client=client, progress=watcher)
        took.append(time.perf_counter() - watcher.asked)
        assert made.stopped
        assert made.n_networks > 0
    assert sorted(took)[1] < 0.25
    end = time.monotonic() + 20
    while any("spineq-front" in key for keys in client.processing().values() for key in keys):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.cluster
def test_an_error_of_a_worker_is_raised(client: Any) -> None:
    """What goes wrong in a piece goes wrong for the caller."""
    city = smallville(8)
    problem = sq.Problem(n_sensors=2, groups=dict(TWO))
    crew = OnCluster(client, city, problem)
    with pytest.raises(ZeroDivisionError):
        crew.do(_divide, [1, 0], SilentProgress(), "dividing")
    assert crew.do(_divide, [1, 2], SilentProgress(), "dividing") == ([1.0, 0.5], False)


def _divide(land: Any, piece: int, progress: Any) -> float:
    return 1 / piece


def test_an_asynchronous_client_is_refused() -> None:
    """Such a client would answer with promises."""

    class Promising:
        asynchronous = True

        def submit(self) -> None: ...

        def scatter(self) -> None: ...

    with pytest.raises(ProblemError, match="asynchronous"):
        sq.trade_off(smallville(8), 2, 400, TWO, client=Promising())


def test_aside_hands_on_what_the_function_gives_or_raises() -> None:
    """The value comes back, an error is raised here, and after a stop nothing comes."""
    silent = SilentProgress()
    assert aside(lambda: 7, silent, 0.0, "") == 7
    with pytest.raises(ZeroDivisionError):
        aside(lambda: 1 // 0, silent, 0.0, "")
    began = time.perf_counter()
    assert aside(lambda: time.sleep(2), RecordingProgress(stop_after=2), 0.5, "") is None
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("tolerance", [None, 0.01])
def test_the_front_is_the_same_on_one_core(
    monkeypatch: pytest.MonkeyPatch, tolerance: float | None
) -> None:
    """Threads change nothing, with the proof of two groups or without."""
    city, made = smallville(), []
    for number in ("1", "3"):
        monkeypatch.setattr("spineq.fronts.crew.threads", lambda number=number: int(number))
        made.append(sq.trade_off(city, 5, 400, TWO, effort=0.1, size=30, tolerance=tolerance))
    assert made[0] == made[1]
    assert made[0].digest == made[1].digest


def test_what_goes_wrong_in_a_piece_is_raised_here() -> None:
    """And the other pieces end."""

    def piece(_: Any, number: int, progress: Any) -> int:
        if number == 1:
            raise ZeroDivisionError
        for _ in range(1_000):
            if progress.report(0.5):
                break
            time.sleep(0.01)
        return number

    before = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        Here(None).do(piece, [0, 1, 2], SilentProgress(), "working")  # type: ignore[arg-type]
    assert time.monotonic() - before < 5.0


def test_a_stop_leaves_what_was_done() -> None:
    """In order, without the pieces that had not begun; nothing comes of no pieces."""

    def piece(_: Any, number: int, progress: Any) -> int:
        while number > 0 and not progress.report(0.5):
            time.sleep(0.01)
        return number

    watcher = RecordingProgress(stop_after=5)
    done, stopped = Here(None).do(piece, list(range(50)), watcher, "working")  # type: ignore[arg-type]
    assert stopped
    assert done == list(range(len(done)))
    assert 0 < len(done) < 50
    assert {report.message for report in watcher.reports} == {"working"}
    assert Here(None).do(piece, [], watcher, "working") == ([], False)  # type: ignore[arg-type]
