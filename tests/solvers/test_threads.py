"""Threads: as many as cores, answers in order, errors passed on."""

from __future__ import annotations

import os
import threading

import pytest

from spineq.solvers import threads


def test_as_many_threads_as_cores_or_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable can only make them fewer, and nonsense in it is passed over."""
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    cores = threads.threads()
    assert 1 <= cores <= (os.cpu_count() or 1)
    for wanted, expected in (("1", 1), ("9999", cores), ("0", cores), ("-2", cores), ("x", cores)):
        monkeypatch.setenv(threads.VARIABLE, wanted)
        assert threads.threads() == expected


@pytest.mark.parametrize("most", [1, 2, 3])
def test_answers_come_in_order(most: int) -> None:
    """Whatever thread a function ran in, its answer has its place."""
    assert threads.run([lambda k=k: k * k for k in range(20)], most) == [k * k for k in range(20)]
    assert threads.run([], most) == []


def test_functions_run_at_the_same_time() -> None:
    """Two functions that wait for each other both end."""
    both = threading.Barrier(2, timeout=10)
    assert sorted(threads.run([both.wait, both.wait], 2)) == [0, 1]


@pytest.mark.parametrize("most", [1, 2])
def test_errors_are_passed_on(most: int) -> None:
    """An error in a function is the caller's."""

    def wrong() -> int:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        threads.run([lambda: 1, wrong], most)
