"""The map without a browser: what it would send, and what it makes of what the page says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spineq as sq
from spineq.errors import DataError, ProblemError
from spineq.panel.state import PanelState

if TYPE_CHECKING:
    from spineq.panel.map import NetworkMap


@pytest.fixture(scope="module", autouse=True)
def panel(needs: Callable[[str], ModuleType]) -> ModuleType:
    needs("ipyleaflet")
    needs("anywidget")
    return needs("spineq.panel.map")


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def nets(city: sq.City) -> tuple[sq.Network, sq.Network]:
    return (
        sq.optimise(city, n_sensors=5, theta=500, method="greedy", bound="none", keep=["001"]),
        sq.evaluate(city, sensors=["010", "064", "120"], theta=500, bound="none"),
    )


@pytest.fixture
def state(city: sq.City) -> Iterator[PanelState]:
    made = PanelState(city)
    yield made
    made.close()


@pytest.fixture
def view(panel: ModuleType, state: PanelState) -> Iterator[NetworkMap]:
    made = panel.NetworkMap(state)
    yield made
    made.close()
    assert state.error == ""


def heard(view: NetworkMap, **event: Any) -> None:
    """Act as the page does."""
    view._hear(view.bridge, event, [])


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_follows_the_state(
    view: NetworkMap, state: PanelState, nets: tuple[sq.Network, sq.Network]
) -> None:
    """Before a network there are people; with one its coverage and sensors, in order."""
    assert view.bridge.shading == "density:pop_total"
    assert view.bridge.markers == []
    state.network = nets[0]
    until(lambda: view.bridge.shading == "coverage")
    until(lambda: len(view.bridge.markers) == nets[0].n_sensors)
    kinds = [(label, kind, title) for _, _, label, kind, title in view.bridge.markers]
    assert kinds[0] == ("", "kept", "A sensor that stays")
    assert kinds[1][:2] == ("1", "placed")
    until(lambda: view.bridge.paint == view.shown_shading.classes.tobytes())
    state.other_name, state.other = "another", nets[1]
    until(lambda: view.bridge.shading == "difference")
    until(lambda: any(kind == "ghost" for *_, kind, _ in view.bridge.markers))
    until(lambda: view.bridge.legend["title"] == "Change of coverage from another")
    state.other = None
    until(lambda: view.bridge.shading == "coverage")


def test_polygons_are_sent_once(
    view: NetworkMap, state: PanelState, nets: tuple[sq.Network, sq.Network]
) -> None:
    """A new network sends classes, a byte an area; the same colours are not sent again."""
    before = view.bridge.areas_serial
    state.network = nets[0]
    view.refresh()
    serial = view.serial
    assert len(view.bridge.paint) == 190
    view.refresh()
    assert view.serial == serial
    assert view.bridge.areas_serial == before


def test_edits_come_in_metres(
    view: NetworkMap, state: PanelState, nets: tuple[sq.Network, sq.Network]
) -> None:
    """Longitude and latitude become the city's coordinates; sensors count from 0."""
    state.network = nets[0]
    view.refresh()
    edits: list[dict[str, Any]] = []
    view.on_edit(edits.append)
    lat, lng, *_ = view.bridge.markers[2]
    heard(view, kind="move", sensor=2, lat=lat, lng=lng)
    heard(view, kind="add", lat=lat, lng=lng)
    heard(view, kind="delete", sensor=2)
    x, y = nets[0].sensors.loc[3, ["x", "y"]]
    assert [edit["kind"] for edit in edits] == ["move", "add", "delete"]
    assert edits[0]["sensor"] == edits[2]["sensor"] == 2
    for edit in edits[:2]:
        assert (edit["x"], edit["y"]) == pytest.approx((x, y), abs=0.2)


def test_what_is_at_a_place(
    view: NetworkMap, state: PanelState, nets: tuple[sq.Network, sq.Network]
) -> None:
    """The box tells of the area's people, coverage and distance; away from it it goes."""
    state.network, state.other = nets
    view.refresh()
    heard(view, kind="hover", area=0)
    head, *lines = view.bridge.hover_lines
    told = dict(lines)
    assert head == "Area 001"
    assert told["Coverage"] == "100.0 %"
    assert told["Nearest sensor"] == "0 m"
    assert told["Children (0-15)"].startswith("about ")
    assert {"All residents", "Workers", "Change"} <= set(told)
    heard(view, kind="hover", area=None, sensor=1)
    assert view.bridge.hover_lines[0] == "Sensor 1 of 5"
    heard(view, kind="hover", area=None)
    assert view.bridge.hover_lines == []


def test_the_page_reports(view: NetworkMap, state: PanelState) -> None:
    """What is painted, whether it is dark, what was chosen, and that tiles do not come."""
    heard(view, kind="shown")
    heard(view, kind="painted", serial=1)
    heard(view, kind="dark", dark=True)
    assert (view.shown, view.painted, state.dark) == (True, 1, True)
    view.tiles = True
    assert view.bridge.tiles
    heard(view, kind="note", text="The background map cannot be reached.")
    assert not view.tiles
    heard(view, kind="shading", key="density:workplace")
    until(lambda: view.bridge.shading == "density:workplace")
    assert "reached" in view.bridge.note


def test_errors_are_words(panel: ModuleType, state: PanelState) -> None:
    """What a callback raises goes to the panel's line of errors."""
    view = panel.NetworkMap(state)

    def wrong(_event: object) -> None:
        raise ProblemError("no such place", field="sensors", mend="Choose another")

    view.on_edit(wrong)
    heard(view, kind="delete", sensor=0)
    assert "no such place" in state.error
    view.close()


SOMETHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
SOMETHING |= st.lists(st.integers(), max_size=2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        [
            "painted",
            "shown",
            "dark",
            "note",
            "shading",
            "hover",
            "move",
            "add",
            "delete",
            "?",
            7,
            [],
        ]
    ),
    st.dictionaries(
        st.sampled_from(["serial", "dark", "text", "key", "sensor", "area", "lat", "lng"]),
        SOMETHING,
    ),
)
def test_no_message_is_an_error(view: NetworkMap, kind: object, parts: dict[str, Any]) -> None:
    """Whatever a page says; edits that are heard are whole."""
    edits: list[dict[str, Any]] = []
    view._hearers = [edits.append]
    heard(view, kind=kind, **parts)
    assert view.state.error == view.state.error_details == ""
    for edit in edits:
        wanted = {"move": "kind sensor x y", "add": "kind x y", "delete": "kind sensor"}
        assert sorted(edit) == wanted[edit["kind"]].split()
        assert all(np.isfinite(value) for name, value in edit.items() if name != "kind")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"kind": "painted"},
        {"kind": "painted", "serial": "many"},
        {"kind": "painted", "serial": True},
        {"kind": "dark", "dark": "yes"},
        {"kind": "note"},
        {"kind": "shading", "key": 5},
        {"kind": "hover", "area": "0"},
        {"kind": "hover", "sensor": -1},
        {"kind": "hover", "lat": 37.77},
        {"kind": "move", "sensor": 0},
        {"kind": "move", "lat": 37.77, "lng": -122.4},
        {"kind": "add", "lat": float("nan"), "lng": -122.4},
        {"kind": "add", "lat": "37.77", "lng": -122.4},
        {"kind": "delete"},
        {"kind": "delete", "sensor": 1.5},
    ],
)
def test_messages_with_parts_missing_are_passed_over(
    view: NetworkMap, state: PanelState, event: dict[str, Any]
) -> None:
    """Nothing changes, and nobody is told: whoever sits there could not help it."""
    edits: list[dict[str, Any]] = []
    view.on_edit(edits.append)
    shown = view.painted, state.dark, view.shading, view.bridge.note, view.bridge.hover_lines
    heard(view, **event)
    assert edits == []
    assert shown == (
        view.painted, state.dark, view.shading, view.bridge.note, view.bridge.hover_lines
    )  # fmt: skip
    assert state.error == ""


def test_importance_is_worked_out_aside(view: NetworkMap) -> None:
    """Meanwhile the map says so."""
    view.shading = "importance"
    until(lambda: view.shown_shading is not None and view.shown_shading.key == "importance")
    until(lambda: view.bridge.note == "")
    until(lambda: view.bridge.shading == "importance")


def test_another_city(view: NetworkMap, state: PanelState) -> None:
    """The map turns to it, and shows nothing of the one before."""
    serial = view.bridge.areas_serial
    state.open_city(sq.demo_city("synthetic", n_areas=300))
    until(lambda: view.bridge.areas_serial > serial)
    until(lambda: len(view.bridge.paint) == 300)
    state.city = None
    until(lambda: view.bridge.kind == "")


def test_a_network_of_its_own(
    panel: ModuleType, city: sq.City, state: PanelState, nets: tuple[sq.Network, sq.Network]
) -> None:
    """A second map shows a fixed network whatever the state's is; no other city's."""
    view = panel.NetworkMap(state=state, network=nets[1])
    state.network = nets[0]
    view.refresh()
    assert view.network is nets[1]
    view.fix(None)
    assert view.network is nets[0]
    view.close()
    other = sq.demo_city("synthetic", n_areas=60)
    with pytest.raises(DataError, match="was made for"):
        panel.NetworkMap(other, network=nets[0])
    with pytest.raises(ProblemError):
        panel.NetworkMap("San Francisco")


def test_nothing_is_left(panel: ModuleType, city: sq.City, nets: tuple[sq.Network, Any]) -> None:
    """Closing closes every widget, and the ticker of a map that has one of its own."""
    from ipywidgets.widgets import widget

    before, threads = len(widget._instances), threading.active_count()
    views = [panel.NetworkMap(city, network=nets[0]) for _ in range(3)]
    assert len(widget._instances) > before
    for view in views:
        view.close()
        view.close()
    assert len(widget._instances) == before
    until(lambda: threading.active_count() <= threads)


def test_threads(view: NetworkMap, state: PanelState, nets: tuple[sq.Network, Any]) -> None:
    """Networks set on many threads leave the last one on the map."""
    threads = [
        threading.Thread(target=lambda k=k: setattr(state, "network", nets[k % 2]))
        for k in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state.network = nets[1]
    until(lambda: len(view.bridge.markers) == nets[1].n_sensors)
    covered = np.frombuffer(view.bridge.paint, dtype=np.uint8)
    until(lambda: view.shown_shading is not None)
    assert len(covered) == 190


def test_table(view: NetworkMap, state: PanelState, nets: tuple[sq.Network, Any]) -> None:
    """The table has what the map shows."""
    state.network = nets[0]
    assert "coverage" in view.area_table().columns


def test_what_stays_is_not_marked_twice(panel: ModuleType) -> None:
    """A kept sensor stands for the existing ones at its place, and the legend counts both."""
    city = sq.demo_city()
    here = city.dataset[["x", "y"]].to_dataframe()[["x", "y"]].iloc[[0, 40, 90, 90]]
    city = city.with_existing(here.reset_index(drop=True))
    net = sq.optimise(city, n_sensors=4, theta=500, keep="existing")
    view = panel.NetworkMap(city, network=net)
    assert [kind for *_, kind, _ in view.bridge.markers] == ["kept"] * 3 + ["placed"] * 4
    words = dict(view.bridge.legend["symbols"])
    assert words["kept"] == "4 existing at 3 places, which stay"
    assert "existing" not in words
    view.close()
