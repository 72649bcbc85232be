"""Questions about a network: what is asked, what is said, and what networks they do not break."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import spineq as sq
from spineq.panel.asked_about import KINDS, askable, plain
from spineq.panel.edit_view import EditView
from spineq.panel.near_best import NearBest
from spineq.panel.questions import NOTHING, QUESTIONS, Questions
from spineq.panel.state import PanelState
from spineq.panel.telling import first_sensors
from spineq.panel.today import what_it_takes
from spineq.panel.which_move import NO_SENSORS
from spineq.progress import SilentProgress

Until = Callable[..., None]


@pytest.fixture(scope="module")
def bare() -> sq.City:
    """A city without sensors."""
    return sq.demo_city("synthetic", n_areas=60)


@pytest.fixture(scope="module")
def city(bare: sq.City) -> sq.City:
    """The same with eight sensors, which stand beside the sites."""
    xy = bare.site_xy[[3, 9, 17, 25, 33, 41, 49, 57]] + 15.0
    table = pd.DataFrame({"sensor_id": [f"S{k}" for k in range(8)], "x": xy[:, 0], "y": xy[:, 1]})
    return bare.with_existing(table)


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=5, theta=500)


@pytest.fixture
def state(city: sq.City) -> Iterator[PanelState]:
    made = PanelState(city)
    yield made
    assert made.error == "", made.error_details
    made.close()


@pytest.fixture
def view(state: PanelState, net: sq.Network) -> Iterator[Questions]:
    state.show(net, "five sensors")
    made = Questions(state)
    yield made
    made.close()


def said(words: Any) -> str:
    return " ".join(str(item["text"]) for item in words.items)


def _others(city: sq.City) -> dict[str, sq.Network]:
    """Networks that answer other questions than the best of so many."""
    at_sites = city.with_existing(
        pd.DataFrame(city.site_xy[:6], columns=["x", "y"]).assign(sensor_id=list("abcdef"))
    )
    kinds = {"good": sq.Kind(theta=800, n_sensors=2), "cheap": sq.Kind(theta=300)}
    return {
        "few": sq.optimise(city, reach={"pop_total": 0.5}, theta=500),
        "few more": sq.optimise(city, reach={"pop_total": 0.7}, keep="existing", theta=500),
        "moved": sq.optimise(city, retire=3, move_at_most=1, n_sensors=1, theta=500),
        "moved from sites": sq.optimise(at_sites, move_at_most=2, theta=500),
        "taken": sq.optimise(city, retire=3, theta=500),
        "kinds": sq.optimise(city, n_sensors=5, kinds=kinds, theta=500),
    }


@pytest.fixture(scope="module")
def others(city: sq.City) -> dict[str, sq.Network]:
    return _others(city)


# The tile


def test_without_a_network_it_says_so(city: sq.City, until: Until) -> None:
    """But how few and which to move can be asked."""
    state = PanelState(city)
    view = Questions(state)
    until(lambda: said(view.words) == NOTHING)
    for name, _ in QUESTIONS:
        view.tabs.chosen = name
        part = view.parts[name]
        until(lambda part=part: part.active)
        assert [each.active for each in view.parts.values()].count(True) == 1
        seen = name in ("few", "change")
        until(lambda name=name, seen=seen: (view._boxes[name].layout.display != "none") is seen)
    assert state.error == ""
    view.close()
    state.close()


def test_why_here_tells_what_explain_tells(
    view: Questions, state: PanelState, city: sq.City, net: sq.Network, until: Until
) -> None:
    """The sentence, the loss, the places nearly as good, on the map too."""
    found = sq.explain(city, net)
    why = view.why
    until(lambda: why.sensors.rows and why.sensors.rows[0]["loss"] != "...")
    why.sensors.say(action="why", id="1")
    until(lambda: said(why.words).endswith(sq.explain(city, net, refuse=False).sentence(2)))
    assert why.sensors.rows[1]["loss"].endswith("%")
    until(lambda: state.marks)
    assert state.marks[0].kind == "asked"
    assert {row["id"] for row in why.others.rows} == {
        each.site for each in found.sensors[1].substitutes
    }
    why.refuse.press("refuse")
    until(lambda: why.refusing.said == "Looked at 5 sensors. All of it is proven.")
    until(lambda: why.sensors.rows[1]["cost"])
    until(lambda: said(why.words).endswith(found.sentence(2)))
    view.active = False
    until(lambda: state.marks == ())


def test_why_not_there(
    view: Questions, state: PanelState, city: sq.City, net: sq.Network, until: Until
) -> None:
    """By its id; one that is no place is refused in words, a sensor's own place is explained."""
    why, taken = view.why, set(net.sensors["site"])
    site = next(str(each) for each in city.dataset["site"].to_numpy() if each not in taken)
    why.elsewhere.press("place")
    assert "site" in why.elsewhere.errors
    why.elsewhere.put(site=site)
    why.elsewhere.press("place")
    wanted = sq.explain(city, net, site=site, refuse=False).sentence(site)
    until(lambda: said(why.words) == f"Why not {site}? {wanted}")
    until(lambda: state.marks and state.marks[0].title.endswith(site))
    why.ask_place("nowhere")
    until(lambda: "is no site" in why.insisting.said)
    assert why.insisting.bad
    why.ask_place(str(net.sensors["site"].iloc[2]))
    assert why.chosen == 2


def test_a_click_on_the_map_asks(view: Questions, net: sq.Network, until: Until) -> None:
    """About a sensor; or about the nearest place where none stands."""
    why = view.why
    why._clicked({"kind": "ask", "sensor": 3, "x": 0.0, "y": 0.0})
    assert why.chosen == 3
    x, y = (float(each) for each in net.sensors[["x", "y"]].iloc[0])
    why._clicked({"kind": "ask", "x": x + 1.0, "y": y})
    assert why.chosen == 0
    why._clicked({"kind": "add", "x": x, "y": y})
    until(lambda: "Why?" in str(why.sensors.rows))


def test_how_sure_when_sensors_fail(
    view: Questions, city: sq.City, net: sq.Network, until: Until
) -> None:
    """What `robustness` says, what is missed most first; wrong numbers are marked."""
    view.tabs.chosen = "sure"
    part = view.sure.failing
    until(lambda: part.active)
    for wrong in ({"failures": 6}, {"failures": 1.5}, {"chance": 101}):
        part.form.put(**{"failures": 2, "chance": 5, **wrong})
        part.form.press("fail")
        assert list(part.form.errors) == list(wrong)
    part.form.put(failures=2, chance=5)
    part.form.press("fail")
    found = sq.robustness(city, net, failures=2, probability=0.05)
    until(lambda: said(part.words) == " ".join(found.summary().splitlines()))
    until(lambda: part.table.rows)
    assert part.table.rows[0]["id"] == str(found.table["lost"].idxmax())
    until(lambda: "proven to be the worst" in part.asking.said)


def test_how_sure_when_numbers_are_others(
    view: Questions, state: PanelState, city: sq.City, net: sq.Network, until: Until
) -> None:
    """What `stability` says; the map can be coloured by it while its network is shown."""
    from spineq.panel.shading import OVERLAY, choices, shading

    view.tabs.chosen = "sure"
    part = view.sure.others
    until(lambda: part.active and part.form.values["high"] == 600)
    part.form.put(low=0, number=0)
    part.form.press("solve")
    assert set(part.form.errors) == {"low", "number"}
    part.form.put(low=400, number=6)
    part.form.press("solve")
    found = sq.stability(city, net, n_scenarios=6, theta=(400.0, 600.0), people_error=0.1)
    until(lambda: said(part.words) == " ".join(found.summary().splitlines()))
    until(lambda: len(part.table.rows) == 5)
    overlay = state.overlay
    assert OVERLAY in dict(choices(city, net, None, overlay))
    made = shading(OVERLAY, city, net, None, overlay)
    assert np.array_equal(made.values, found.sites.groupby("area")["near"].max().to_numpy())
    assert OVERLAY not in dict(choices(city, None, None, overlay))


def test_how_few(view: Questions, state: PanelState, city: sq.City, until: Until) -> None:
    """Today's coverage, or levels; what is wrong is marked, what cannot be is said."""
    few = view.few
    view.tabs.chosen = "few"
    until(lambda: few.form.values.get("goal") == "existing")
    few.form.press("fewest")
    until(lambda: state.network_name == "fewest sensors for today's coverage")
    assert state.network.too_few is not None
    until(lambda: state.network.certificate() in said(few.words))
    levels = {key: None for key in few.form.values if key.startswith("level:")}
    few.form.put(goal="levels", **levels)
    few.form.press("fewest")
    assert few.form.errors
    few.form.put(**{"level:pop_total": 120})
    few.form.press("fewest")
    assert few.form.errors == {"level:pop_total": "Give a number from 0 to 100."}
    few.form.put(**{"level:pop_total": 60})
    few.form.press("fewest")
    until(lambda: state.network_name == "fewest sensors for the coverage asked for")
    assert state.network.total_coverage >= 0.6


def test_which_to_move(view: Questions, state: PanelState, city: sq.City, until: Until) -> None:
    """What goes and what comes is listed; nothing to do is said."""
    from spineq.panel.geometry import places_of
    from spineq.panel.map_words import markers, symbols

    change = view.change
    view.tabs.chosen = "change"
    until(lambda: change.form.fields and change.active)
    change.form.put(retire=0, move=0, add=1)
    change.form.press("change")
    assert list(change.form.errors) == ["move"]
    change.form.put(retire=2, move=1, add=1)
    change.form.press("change")
    until(lambda: len(change.goes.rows) == 3)
    until(lambda: len(change.comes.rows) == 2)
    wanted = sq.optimise(city, retire=2, move_at_most=1, n_sensors=1, theta=500)
    assert [row["place"] for row in change.goes.rows] == wanted.gone["sensor"].tolist()
    until(lambda: wanted.certificate() in said(change.words))
    kinds = [each[3] for each in markers(city, places_of(city), state.network)]
    assert kinds.count("gone") == 3
    assert "existing" not in kinds
    assert "gone" in dict(symbols(city, state.network, None))


def test_a_city_without_sensors_has_none_to_move(bare: sq.City, until: Until) -> None:
    """It is said, and no form is shown."""
    state = PanelState(bare)
    view = Questions(state)
    view.tabs.chosen = "change"
    until(lambda: view.change.form.notes.get("none") == NO_SENSORS)
    view.close()
    state.close()


def test_what_else(
    view: Questions, state: PanelState, city: sq.City, net: sq.Network, until: Until
) -> None:
    """Each alternative can be shown, and the network itself again."""
    part: NearBest = view.others
    view.tabs.chosen = "others"
    until(lambda: part.active)
    part.form.put(k=0, different=6)
    part.form.press("others")
    assert set(part.form.errors) == {"k", "different"}
    part.form.put(k=2, different=1)
    part.form.press("others")
    found = sq.alternatives(city, net, 2)
    until(lambda: len(part.table.rows) == 3)
    part.table.say(action="show", id="2")
    assert state.network.placement_history == found.found[1].network.placement_history
    assert state.remark == found.sentence(2)
    until(lambda: part.table.selected == "2")
    part.table.say(action="show", id="0")
    assert state.network is net


def test_as_jobs_they_can_be_cancelled(
    busy_queue: sq.JobQueue, bare: sq.City, until: Until
) -> None:
    """The question is a job of the queue; what is solved is told, and asking again goes on."""
    state = PanelState(bare, busy_queue)
    net = sq.optimise(bare, n_sensors=5, theta=500)
    state.show(net, "five sensors")
    view = Questions(state)
    view.why.refuse.press("refuse")
    until(lambda: view.why.refusing.said.startswith("Looked at 5"), 60)
    assert "explain" in {job.task for job in busy_queue.jobs()}
    view.tabs.chosen = "sure"
    part = view.sure.others
    until(lambda: part.active)
    part.form.put(number=2_000)
    part.form.press("solve")
    until(lambda: part.asking.line.rows and "solved" in str(part.asking.line.rows), 60)
    part.asking.line.say(action="cancel", id="question")
    until(lambda: part.asking.said.startswith("Cancelled after"), 60)
    view.tabs.chosen = "few"
    until(lambda: view.few.form.values.get("goal") == "shown")
    view.few.form.press("fewest")
    until(lambda: "It is on the map." in view.few.asking.said, 60)
    assert state.error == ""
    view.close()
    state.close()


# Networks of other questions


@pytest.mark.parametrize("name", ["few", "few more", "moved", "moved from sites", "taken"])
def test_a_network_of_another_question_is_one_of_so_many(
    others: dict[str, sq.Network], city: sq.City, name: str
) -> None:
    """Its sensors are the same ones, whatever is asked, edited or left out."""
    net = others[name]
    if name == "moved from sites":
        table = pd.DataFrame(city.site_xy[:6], columns=["x", "y"])
        city = city.with_existing(table.assign(sensor_id=list("abcdef")))
    made = askable(city, net)

    def places(one: sq.Network) -> set[tuple[float, float]]:
        return {(x, y) for x, y in one.sensors[["x", "y"]].round(3).to_numpy().tolist()}

    assert places(made) == places(net)
    assert abs(made.total_coverage - net.total_coverage) < 1e-12
    assert sq.explain(city, made, refuse=False).sensors
    n = net.n_sensors - net.n_kept
    whole = first_sensors(city, net, max(n, 1), SilentProgress())
    if n:
        assert abs(whole.total_coverage - net.total_coverage) < 1e-12
    assert what_it_takes(city, net).words()
    assert len(plain(net).placed) + plain(net).n_kept == net.n_sensors


def test_editing_leaves_what_stays(
    others: dict[str, sq.Network], city: sq.City, until: Until
) -> None:
    """No figure changes by beginning to edit; a sensor taken away is one fewer."""
    state = PanelState(city)
    view = EditView(state)
    for name in ("few", "few more", "moved", "taken"):
        net = others[name]
        state.show(net, name)
        assert view.editor is not None
        assert abs(view.editor.measured().total_coverage - net.total_coverage) < 1e-12
        view.edit({"kind": "delete", "sensor": net.n_sensors - 1})
        assert state.network.n_sensors == net.n_sensors - 1
        assert view.editor.best_problem().number == len(view.editor.sensors)
    assert state.error == "", state.error_details
    view.close()
    state.close()


def test_several_kinds_are_said_to_be_too_many(
    others: dict[str, sq.Network], city: sq.City, until: Until
) -> None:
    """In one sentence, for every question and for editing; nothing else is harmed."""
    state = PanelState(city)
    state.show(others["kinds"], "kinds")
    view, edit = Questions(state), EditView(state)
    until(lambda: KINDS in said(view.words))
    view.tabs.chosen = "sure"
    view.sure.failing.measure()
    view.sure.others.solve()
    view.others.seek()
    view.why.ask_refused()
    for asking in (
        view.sure.failing.asking, view.sure.others.asking, view.others.asking, view.why.refusing,
    ):  # fmt: skip
        until(lambda asking=asking: "several kinds" in asking.said and asking.bad)
    assert "several kinds" in said(edit.words)
    edit.edit({"kind": "add", "x": float(city.site_xy[0, 0]), "y": float(city.site_xy[0, 1])})
    assert "several kinds" in edit.tools.notes["edit"]
    assert state.network is others["kinds"]
    time.sleep(0.2)
    assert state.error == "", state.error_details
    for each in (view, edit):
        each.close()
    state.close()
