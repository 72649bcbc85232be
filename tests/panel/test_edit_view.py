"""The tab for editing: what is done on the map, and what that does to whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import spineq as sq
from spineq.model._objective_words import points
from spineq.panel.edit_view import EDITED, EditView
from spineq.panel.following import Following
from spineq.panel.map import NetworkMap
from spineq.panel.state import PanelState

pytestmark = pytest.mark.cluster

Until = Callable[..., None]


def _shown(state: PanelState, n: int = 5) -> Any:
    net = sq.optimise(state.city, n_sensors=n, theta=500)
    state.show(net, "mine")
    return net


def _free_site(state: PanelState) -> Any:
    taken = state.network.placement_history
    site = next(s for s in state.city.sites.index if s not in taken)
    return state.city.sites.loc[site]


def test_a_drag_changes_the_figures_and_undo_brings_them_back(state: PanelState) -> None:
    """Coverage by group, the loss against the proven best, and the map's own network."""
    view = EditView(state)
    net = _shown(state)
    assert "Proven best" in view.words.items[0]["text"]
    place = _free_site(state)
    view.edit({"kind": "move", "sensor": 0, "x": place["x"], "y": place["y"]})
    assert state.network_name == EDITED
    assert state.network.total_coverage < net.total_coverage
    assert "below the proven best" in view.words.items[0]["text"]
    changes = [row["change"] for row in view.figures.rows]
    assert any(change.startswith("\N{MINUS SIGN}") for change in changes)
    assert view.tools.disabled == ["redo"]
    view.tools.press("undo")
    assert state.network.total_coverage == pytest.approx(net.total_coverage, abs=1e-12)
    assert [row["change"] for row in view.figures.rows] == ["0.0"] * len(changes)
    view.tools.press("redo")
    assert state.network.total_coverage < net.total_coverage
    view.close()


def test_the_best_of_another_number_is_looked_for(state: PanelState, until: Until) -> None:
    """A sensor more: how far that is from the best of so many comes a moment later."""
    view = EditView(state)
    _shown(state)
    place = _free_site(state)
    view.edit({"kind": "add", "x": place["x"], "y": place["y"]})
    assert state.network.n_sensors == 6
    until(lambda: "proven best" in view.words.items[0]["text"])
    view.close()


def test_what_cannot_be_is_said_and_nothing_changes(state: PanelState) -> None:
    """Two sensors at one site."""
    view = EditView(state)
    net = _shown(state)
    there = net.sensors.loc[2]
    view.edit({"kind": "move", "sensor": 0, "x": there["x"], "y": there["y"]})
    assert "sensor 2 stands there already" in view.tools.notes["edit"]
    assert state.network is net
    view.close()


def test_a_network_can_be_made_from_nothing(state: PanelState) -> None:
    """Sensors are added to an empty map, and the last one can be deleted."""
    view = EditView(state)
    assert "delete" in view.tools.disabled
    x, y = state.city.site_xy[5]
    view.edit({"kind": "add", "x": x, "y": y})
    assert state.network.n_sensors == 1
    view.edit({"kind": "delete", "sensor": 0})
    assert state.network is None
    assert state.error == ""
    view.tools.press("undo")
    assert state.network.n_sensors == 1
    view.close()


def test_improving_submits_a_job_that_keeps_what_was_moved(
    state: PanelState, busy_queue: sq.JobQueue, until: Until
) -> None:
    """Its answer holds the moved sensor and is shown."""
    view, following = EditView(state), Following(state)
    _shown(state)
    place = _free_site(state)
    view.edit({"kind": "move", "sensor": 0, "x": place["x"], "y": place["y"]})
    edited = state.network
    view.after.press("improve")
    until(lambda: state.network is not edited)
    assert place.name in state.network.placement_history
    assert state.network.total_coverage >= edited.total_coverage - 1e-12
    [job] = busy_queue.jobs()
    assert job.note == "improved, 1 sensor kept as placed"
    following.close()
    view.close()


def test_a_saved_network_is_a_job_of_that_name(
    state: PanelState, busy_queue: sq.JobQueue, until: Until
) -> None:
    """Without a name nothing is saved; with one it is there for every session."""
    view = EditView(state)
    _shown(state)
    view.after.press("save")
    assert "name" in view.after.errors
    place = _free_site(state)
    view.edit({"kind": "move", "sensor": 0, "x": place["x"], "y": place["y"]})
    edited = state.network
    view.after.put(name="plan B")
    view.after.press("save")
    [job] = busy_queue.jobs()
    assert job.note == "plan B"
    made = busy_queue.get(job.id).result(timeout=60)
    assert made.placement_history == edited.placement_history
    assert made.total_coverage == pytest.approx(edited.total_coverage, abs=1e-12)
    assert "plan B" in state.networks
    assert "plan B" in state.news
    assert view.after.values["name"] == ""
    assert "below the proven best" in state.remark
    # The same name again would make two that nobody can tell apart.
    view.after.put(name="plan B")
    view.after.press("save")
    assert "already" in view.after.errors["name"]
    assert len(busy_queue.jobs()) == 1
    # News of this network is none of the next.
    _shown(state)
    assert state.news == ""
    view.close()


def test_both_sides_say_alike_how_near_an_edit_is(state: PanelState) -> None:
    """The sentence under the map is the one beside it, and goes with the edit; figures add up."""
    view = EditView(state)
    best = _shown(state)
    assert state.remark == ""
    place = _free_site(state)
    view.edit({"kind": "move", "sensor": 0, "x": place["x"], "y": place["y"]})
    assert "below the proven best" in state.remark
    assert state.remark in view.words.items[0]["text"]
    now, lost, top = (float(figure) for figure in re.findall(r"\d+\.\d", state.remark))
    assert now + lost == pytest.approx(top, abs=1e-9)
    view.tools.press("undo")
    assert "as good as the proven best" in state.remark
    state.show(best, "preview")
    assert state.remark == ""
    view.close()


def test_the_tab_switches_the_map_to_editing_and_back(state: PanelState) -> None:
    """A map that is only looked at moves no sensor."""
    network_map = NetworkMap(state=state)
    view = EditView(state, network_map)
    view.active = False
    assert network_map.mode == "look"
    view.active = True
    assert network_map.mode == "move"
    assert view.tools.pressed == ["move"]
    view.tools.press("add")
    assert network_map.mode == "add"
    view.tools.press("add")
    assert network_map.mode == "look"
    view.close()
    network_map.close()


def test_points_are_written_with_a_proper_sign() -> None:
    """No minus nothing."""
    assert [points(x) for x in (0.0123, -0.0004, 0.0, -0.034)] == [
        "+1.2", "0.0", "0.0", "\N{MINUS SIGN}3.4",
    ]  # fmt: skip


def test_a_page_that_sends_nonsense_edits_nothing(state: PanelState) -> None:
    """Edits without a sensor or a place, of kinds that nobody knows, at places that are none."""
    view = EditView(state)
    state.show(sq.optimise(state.city, n_sensors=2, method="greedy"), "mine")
    shown = state.network
    nan = float("nan")
    events: list[Any] = [
        None, [], {}, {"kind": "move"}, {"kind": "x", "sensor": 0, "x": 1, "y": 1},
        {"kind": "move", "sensor": None, "x": 1, "y": 1}, {"kind": "add", "x": nan, "y": 0},
        {"kind": "add", "x": "<b>", "y": 0}, {"kind": "add", "x": 1e308, "y": 1e308},
        {"kind": "delete"}, {"kind": "delete", "sensor": 9}, {"kind": ["add"]},
    ]  # fmt: skip
    for event in events:
        state.guarded(view.edit)(event)
    assert state.error == ""
    assert state.network is shown
    assert not view.editor.can_undo
    view.close()


def test_a_refused_move_puts_the_marker_back(state: PanelState) -> None:
    """It says why; the page, which has moved the marker already, is told to put it back."""
    _shown(state)
    network_map = NetworkMap(state=state)
    view = EditView(state, network_map)
    network_map.refresh()
    told: list[int] = []
    network_map.bridge.observe(lambda change: told.append(change["new"]), "restored")
    one, other = (state.network.sensors.iloc[k] for k in range(2))
    assert (one["x"], one["y"]) != (other["x"], other["y"])
    view.edit({"kind": "move", "sensor": 0, "x": float(other["x"]), "y": float(other["y"])})
    assert "sensor 2 stands there" in view.tools.notes["edit"]
    view.edit({"kind": "move", "sensor": 0, "x": float(one["x"]) + 1, "y": float(one["y"])})
    assert view.tools.notes["edit"] == ""  # it snapped back to its own site
    assert told == [1, 2]
    assert state.error == ""
    view.close()
    network_map.close()


def test_a_view_that_is_not_made_yet_is_not_drawn(state: PanelState, until: Until) -> None:
    """Traits change on other threads while it is being made; it is drawn once it is there."""

    class Slow(EditView):
        shows = ("news",)
        drawn = 0

        def __init__(self, state: PanelState) -> None:
            super().__init__(state)
            state.news = "came early"
            until(lambda: self._asked_early)
            assert self.drawn == 0

        def draw(self) -> None:
            self.drawn += 1

    view = Slow(state)
    until(lambda: view.drawn == 1)
    view.close()
