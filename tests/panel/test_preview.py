"""The live preview: greedy at once, the proven answer after it, and nothing in the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import spineq as sq
from spineq.panel.preview import PROVEN, QUICK, Preview
from spineq.panel.state import PanelState

pytestmark = pytest.mark.cluster


def test_greedy_comes_first_and_the_proven_best_takes_its_place(
    state: PanelState, busy_queue: sq.JobQueue, until: Callable[..., None]
) -> None:
    """Both are what `sq.optimise` says, and no job was made."""
    seen: list[str] = []
    state.observe(lambda _: seen.append(state.network_name), "network")
    preview = Preview(state, print)
    problem = sq.Problem(n_sensors=9, theta=430)
    # Workers that still load their solvers may have the proven answer before the quick one.
    preview.want(replace(problem, n_sensors=8))
    until(lambda: set(preview.seconds) == {QUICK, PROVEN})
    seen.clear()
    preview.want(problem)
    until(lambda: PROVEN in seen)
    assert seen == [QUICK, PROVEN]
    assert state.network == sq.optimise(state.city, problem)
    assert busy_queue.ids() == []
    assert set(preview.seconds) == {QUICK, PROVEN}


def test_greedy_that_comes_late_does_not_take_the_place_of_what_is_proven(
    state: PanelState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proven for 8, then a wish for 9, then greedy for 8: it is older than what is shown."""
    asked: list[tuple[sq.Problem, Callable[[Any], None]]] = []

    class Answer:
        def __init__(self, problem: sq.Problem) -> None:
            self.problem = problem

        def answer(self) -> sq.Network:
            return sq.optimise(state.city, self.problem)

        def take_back(self) -> None: ...

    def ask(problem: sq.Problem, _: int, come: Callable[[Any], None]) -> Answer:
        asked.append((problem, come))
        return Answer(problem)

    preview = Preview(state, print)
    monkeypatch.setattr(preview._asking, "ask", ask)
    preview.want(sq.Problem(n_sensors=8, theta=430))
    preview._prove()
    (quick, quick_came), (proof, proof_came) = asked
    assert (quick.method, proof.method) == ("greedy", "auto")
    proof_came(preview._proving)
    assert state.network_name == PROVEN
    preview.want(sq.Problem(n_sensors=9, theta=430))
    quick_came(preview._quick)
    assert (state.network_name, state.network.n_sensors) == (PROVEN, 8)
    last, last_came = asked[-1]
    assert (last.method, last.n_sensors) == ("greedy", 9)
    last_came(preview._quick)
    assert (state.network_name, state.network.n_sensors) == (QUICK, 9)
    preview.stop()


def test_while_a_slider_moves_the_last_wish_wins(
    state: PanelState, until: Callable[..., None]
) -> None:
    """Few of the many are computed, and what stays is the last."""
    preview = Preview(state, print)
    shown: list[int] = []
    state.observe(lambda _: shown.append(state.network.n_sensors), "network")
    for n in range(2, 42):
        preview.want(sq.Problem(n_sensors=n, theta=500))
        time.sleep(0.01)
    until(lambda: state.network_name == PROVEN)
    time.sleep(0.3)
    assert state.network.n_sensors == 41
    assert state.network.proven
    assert len(shown) < 40
    assert shown == sorted(shown)


def test_nothing_comes_after_it_was_stopped(state: PanelState) -> None:
    """Run, another city, or a switch: what is on its way is dropped."""
    preview = Preview(state, print)
    preview.want(sq.Problem(n_sensors=30, theta=500))
    preview.stop()
    time.sleep(1.0)
    assert state.network is None


def test_a_wish_that_cannot_be_met_is_said(state: PanelState, until: Callable[..., None]) -> None:
    """What the solver refuses comes as its own sentence; the panel goes on."""
    said: list[str] = []
    preview = Preview(state, said.append)
    preview.want(sq.Problem(n_sensors=500, theta=500))
    until(lambda: said)
    assert "190" in said[0]
    assert state.error == ""


def test_an_answer_that_the_cluster_loses_is_said(
    state: PanelState, busy_queue: sq.JobQueue, until: Callable[..., None]
) -> None:
    """Nobody is left waiting for it."""
    said: list[str] = []
    preview = Preview(state, said.append)
    # Both workers are at something else, so that it can be lost before it is answered.
    sleeps = [busy_queue.client.submit(time.sleep, 1.0, pure=False, priority=2000) for _ in "ab"]
    until(lambda: sum(map(len, busy_queue.client.processing().values())) == 2)
    preview.want(sq.Problem(n_sensors=9, theta=430))
    until(lambda: preview._quick is not None and preview._quick._future is not None)
    preview._quick._future.cancel(force=True)
    until(lambda: said)
    assert said[0] == "No preview at the moment: the cluster does not answer."
    busy_queue.client.gather(sleeps)


@pytest.mark.parametrize(
    ("city", "queue", "words"),
    [
        ("synthetic", True, "could not keep up"),
        ("demo", False, "needs a queue"),
    ],
)
def test_where_there_can_be_none_it_says_so(
    busy_queue: sq.JobQueue, city: str, queue: bool, words: str
) -> None:
    """A city that is too large, or no cluster."""
    place = sq.demo_city() if city == "demo" else sq.demo_city("synthetic", n_areas=5_100)
    state = PanelState(place, busy_queue if queue else None)
    preview = Preview(state, print)
    assert words in preview.why_not()
    preview.want(sq.Problem(n_sensors=5))
    time.sleep(0.3)
    assert state.network is None
    state.close()


def test_goals_that_greedy_does_not_know_have_a_proven_preview(
    state: PanelState, until: Callable[..., None]
) -> None:
    """The worst-off group: only the second answer comes."""
    seen: list[Any] = []
    state.observe(lambda _: seen.append(state.network_name), "network")
    preview = Preview(state, print)
    groups = {name: sq.GROUPS[name] for name in ("pop_children", "workplace")}
    preview.want(sq.Problem.from_words(n_sensors=5, theta=500, groups=groups, objective="worst"))
    until(lambda: seen)
    assert seen == [PROVEN]


def test_what_a_person_turns_to_is_not_overwritten(
    state: PanelState, busy_queue: sq.JobQueue, until: Callable[..., None]
) -> None:
    """An edit or a result that is shown while an answer is on its way stays."""
    preview = Preview(state, print)
    preview.want(sq.Problem(n_sensors=9, theta=430))
    mine = sq.optimise(state.city, n_sensors=2, method="greedy")
    state.show(mine, "edited")
    until(lambda: preview.seconds.get(PROVEN))
    time.sleep(0.2)
    assert state.network is mine
    preview.want(sq.Problem(n_sensors=8, theta=430))
    until(lambda: state.network_name == PROVEN and state.network is not mine)
    until(lambda: state.network.proven)
    assert state.network.n_sensors == 8


def test_the_answer_for_one_city_is_not_shown_for_the_next(
    state: PanelState, busy_queue: sq.JobQueue, until: Callable[..., None]
) -> None:
    """Also where the next has no preview."""
    for areas in (60, 5_100):
        state.open_city(sq.demo_city("synthetic", n_areas=3_000))
        preview = Preview(state, print)
        seen: list[Any] = []
        preview.want(sq.Problem(n_sensors=30, theta=500))
        city = sq.demo_city("synthetic", n_areas=areas)
        state.open_city(city)
        hear = lambda change, seen=seen: seen.append(change["new"])  # noqa: E731
        state.observe(hear, "network")
        preview.want(sq.Problem(n_sensors=5, theta=500))
        if areas == 60:
            until(lambda seen=seen: seen)
        time.sleep(3.0)
        state.unobserve(hear, "network")
        assert all(network.n_sensors == 5 for network in seen)
        assert bool(seen) == (areas == 60)
        preview.stop()
