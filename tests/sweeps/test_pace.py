"""How far a sweep is, and how long it may still take."""

from __future__ import annotations

from typing import Any

import pytest

from spineq.jobs.snapshot import JobProgress, JobSnapshot
from spineq.sweeps.pace import Pace, rounded


def _job(state: Any = "finished", seconds: float = 2.0, **words: Any) -> JobSnapshot:
    return JobSnapshot(
        **{
            "id": "j", "state": state, "task": "optimise", "parameters": {}, "city": "",
            "city_name": "", "user": "", "tags": (), "note": "", "priority": 0,
            "time_limit": None, "expires_in": None, "created": 0.0, "started": 100.0,
            "ended": 100.0 + seconds, "worker": "", "attempts": 1, "progress": JobProgress(),
            "error": None, "reused": "", "cut_short": "", "answer": "", "run": "", "attempt": "",
            "turn": 0,
        } | words
    )  # fmt: skip


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_counts_the_workers() -> None:
    """Four jobs of 2 s done in 4 s are two workers: six more take 6 s; a half-done one half."""
    clock = _Clock()
    pace = Pace(10, clock)
    waiting = {str(k): _job("queued") for k in range(6)}
    assert pace.left(waiting) is None
    assert pace.words(waiting) == "0 of 10 done"
    for _ in range(4):
        pace.note(_job())
    clock.now = 4.0
    assert pace.left(waiting) == pytest.approx(6.0)
    half = {"a": _job("running", progress=JobProgress(0.5))}
    # One second of work is left, after nine seconds of work in 4 s.
    assert pace.left(half) == pytest.approx(4.0 / 9.0)
    assert pace.fraction(half) == pytest.approx(0.45)
    assert pace.words(half) == "4 of 10 done, 1 running, about 5 s left"


def test_tasks_take_their_own_time() -> None:
    """A task of which nothing is known yet is taken for the mean of all."""
    clock = _Clock()
    pace = Pace(4, clock)
    pace.note(_job(seconds=1.0))
    pace.note(_job(seconds=9.0, task="trade_off"))
    clock.now = 10.0
    assert pace.left({"a": _job("queued")}) == pytest.approx(1.0)
    assert pace.left({"a": _job("queued", task="trade_off")}) == pytest.approx(9.0)
    assert pace.left({"a": _job("queued", task="random")}) == pytest.approx(5.0)


def test_what_was_there_says_nothing_of_the_speed() -> None:
    """Answers from the store, jobs of an earlier run, and failures."""
    clock = _Clock()
    pace = Pace(6, clock)
    pace.note(_job(reused="answer"))
    pace.note(_job(), here=False)
    pace.note(_job("failed"))
    pace.note(None)
    clock.now = 1.0
    waiting = {"a": _job("queued"), "b": _job("queued")}
    assert pace.left(waiting) is None
    assert pace.words(waiting) == "4 of 6 done, 2 failed"
    assert pace.fraction(waiting) == pytest.approx(4 / 6)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "5 s"), (12, "10 s"), (57, "55 s"), (59, "1 min"), (200, "3 min"), (7800, "2 h 10 min")],
)
def test_an_estimate_is_round(seconds: float, words: str) -> None:
    """No more figures than are known."""
    assert rounded(seconds) == words
