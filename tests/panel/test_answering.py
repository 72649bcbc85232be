"""A question on its way: nothing yet, running, cancelled, failed, answered; each in words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import spineq as sq
from spineq.errors import ProblemError
from spineq.panel.answering import Answering, answered
from spineq.panel.state import PanelState
from spineq.progress import Progress, SilentProgress

Until = Callable[..., None]


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=40)


@pytest.fixture
def state(city: sq.City) -> Iterator[PanelState]:
    made = PanelState(city)
    yield made
    made.close()


@pytest.fixture
def view(state: PanelState) -> Iterator[Answering]:
    made = Answering(state, "Nothing yet.")
    yield made
    made.close()


def said(view: Answering) -> str:
    return " ".join(item["text"] for item in view.words.items)


def test_from_nothing_to_an_answer(view: Answering, until: Until) -> None:
    """How far it is while it runs, and what the answer is said to be."""
    assert said(view) == "Nothing yet."
    go = threading.Event()

    def work(progress: Progress) -> int:
        progress.report(0.4, "looking")
        go.wait(20)
        return 7

    view.start("how many?", work, lambda found: f"It is {found}.")
    until(lambda: view.line.rows and view.line.rows[0]["progress"]["fraction"] == 0.4)
    assert view.line.rows[0]["progress"]["text"] == "looking (40\N{NO-BREAK SPACE}%)"
    assert said(view) == ""
    go.set()
    until(lambda: said(view) == "It is 7.")
    assert view.line.layout.display == "none"
    assert not view.bad


def test_cancelled(view: Answering, until: Until) -> None:
    """The work is asked to stop, and what it has found is told."""

    def work(progress: Progress) -> Any:
        while not progress.report(0.1, "looking"):
            pass
        return None

    view.start("how many?", work, lambda found: "never said")
    until(lambda: view.line.rows)
    view.line.say(action="cancel", id="question")
    until(lambda: said(view) == "It was cancelled before anything was found.")


def test_failed(view: Answering, state: PanelState, until: Until) -> None:
    """What is wrong is a sentence here; what should not happen is told at the top too."""

    def wrong(progress: Progress) -> None:
        msg = "there are too many"
        raise ProblemError(msg, mend="Ask for fewer")

    def broken(progress: Progress) -> None:
        raise KeyError("x")

    view.start("how many?", wrong, lambda found: "")
    until(lambda: "too many. Ask for fewer" in said(view))
    assert view.bad
    assert state.error == ""
    view.start("how many?", broken, lambda found: "")
    until(lambda: "could not be worked out" in said(view))
    until(lambda: "KeyError" in state.error)


def test_a_task_without_workers_is_done_here(state: PanelState, city: sq.City) -> None:
    """With the same answer, and a wrong question is refused in words."""
    net = sq.optimise(city, n_sensors=3, theta=500)
    found = answered(state, city, "explain", SilentProgress(), network=net, refuse=False)
    assert found.sentence(1) == sq.explain(city, net, refuse=False).sentence(1)
    with pytest.raises(ProblemError, match="must be whole, 1 to 3"):
        answered(state, city, "robustness", SilentProgress(), network=net, failures=9)


def test_a_failed_job_is_one_sentence(city: sq.City, busy_queue: sq.JobQueue, until: Until) -> None:
    """Nothing of ids or of workers is in it."""
    state = PanelState(city, busy_queue)
    view = Answering(state)
    too_much = sq.Problem.from_words(n_sensors=1, at_least={"pop_total": 0.99})

    def work(progress: Progress) -> Any:
        words: dict[str, Any] = {"problem": too_much, "note": "all of them"}
        return answered(state, city, "optimise", progress, **words)

    view.start("how few?", work, lambda found: f"{found.n_sensors} are enough.")
    until(lambda: said(view), 60)
    assert view.bad
    assert said(view).startswith("It failed: ")
    assert "job" not in said(view)
    assert "Traceback" not in said(view)
    view.close()
    state.close()
