"""The view of results: what it says of a network, its first sensors, how even it is, its files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import spineq as sq
from spineq.panel.errand import Errand
from spineq.panel.state import PanelState
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.panel.results import Results


@pytest.fixture(scope="module", autouse=True)
def results(needs: Callable[[str], ModuleType]) -> ModuleType:
    needs("plotly")
    return needs("spineq.panel.results")


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=25, theta=500, method="greedy", bound="none")


@pytest.fixture
def state(city: sq.City) -> Iterator[PanelState]:
    made = PanelState(city)
    yield made
    made.close()


@pytest.fixture
def view(results: ModuleType, state: PanelState) -> Iterator[Results]:
    made = results.Results(state)
    yield made
    made.close()
    assert state.error == ""


def _texts(widget: Any) -> str:
    return "\n".join(str(item["text"]) for item in widget.items)


def test_without_a_network_it_says_what_to_do(view: Results, state: PanelState) -> None:
    """No empty tables: one sentence."""
    assert "No network yet" in _texts(view.words)
    assert view.body.layout.display == "none"
    assert repr(view).startswith("Results(")
    with pytest.raises(sq.SpineqError, match="no network to write"):
        view.save("csv")


def test_it_says_what_the_network_does(view: Results, state: PanelState, net: sq.Network) -> None:
    """Name, certificate, groups with one decimal, who is worst off."""
    state.show(net, "preview")
    view.renew()
    assert view.words.items[0] == {"text": "Preview", "heading": True}
    assert net.certificate() in _texts(view.words)
    assert view.body.layout.display == ""
    rows = {row["id"]: row for row in view.groups.rows}
    table = net.table()
    assert rows["workplace"]["coverage"] == f"{100 * table.loc['workplace', 'coverage']:.1f} %"
    assert rows["workplace"]["people"] == f"{table.loc['workplace', 'people']:,.0f}"
    assert rows["workplace"]["500"] == f"{100 * table.loc['workplace', 'within 500 m']:.1f} %"
    assert rows["pop_children"]["group"]["second"] == "estimated"
    assert "worst-covered tenth" in _texts(view.even)
    assert "Gini" in _texts(view.even)


def test_a_line_under_the_certificate_is_about_centroids(
    view: Results, state: PanelState, net: sq.Network, until: Callable[..., None]
) -> None:
    """It stands below the words, and rests while the tab is hidden."""
    assert view.children[:2] == (view.words, view.centroids)
    state.show(net, "preview")
    until(lambda: "with people spread evenly" in _texts(view.centroids.words))
    view.active = False
    assert not view.centroids.active


def test_sensors_come_in_pages(view: Results, state: PanelState, net: sq.Network) -> None:
    """Twenty to a page, in order; a shorter network takes back to a page that is there."""
    state.show(net, "preview")
    view.renew()
    assert (view.sensors.pages, len(view.sensors.rows)) == (2, 20)
    view.sensors.say(page=1)
    view.renew()
    assert [row["order"] for row in view.sensors.rows] == ["21", "22", "23", "24", "25"]
    assert view.sensors.rows[0]["site"] == net.sensors["site"].iloc[20]
    state.show(sq.evaluate(view.state.city, ["001"], net.problem), "edited")
    view.renew()
    assert (view.sensors.page, [row["order"] for row in view.sensors.rows]) == (0, ["1"])


def test_the_first_sensors_are_shown_and_the_whole_again(
    view: Results, state: PanelState, net: sq.Network
) -> None:
    """A click on k shows the first k; the chart keeps the whole network, a click there too."""
    state.show(net, "preview")
    view.renew()
    view.show_first(7)
    view.firsts.wait()
    first = state.network
    assert first is not None
    assert state.network_name == "the first 7 of preview"
    assert first.placement_history == net.placement_history[:7]
    assert first.total_coverage == pytest.approx(net.coverage_history[6])
    view.renew()
    assert view.history.whole is net
    assert "first 7 of 25" in view.first.notes["first"]
    view.first.put(k=3)
    view.first.press("show_first")
    view.firsts.wait()
    assert state.network_name == "the first 3 of preview"
    view.show_first(25)
    assert (state.network, state.network_name) == (net, "preview")
    view.renew()
    assert view.history.whole is None
    view.first.put(k=2.5)
    view.first.press("show_first")
    assert "whole number" in view.first.errors["k"]
    assert state.network is net


def test_sensors_that_stay_and_places_that_are_no_site(
    view: Results, state: PanelState, city: sq.City
) -> None:
    """Those that stay are always among the first; a sensor at no site is taken by x and y."""
    words: dict[str, Any] = {"theta": 500, "bound": "none", "keep": ["001", "002"]}
    xy = city.site_xy[[10, 20, 30]] + 40.0
    net = sq.evaluate(city, xy, **words)
    state.show(net, "edited")
    view.renew()
    assert [row["order"] for row in view.sensors.rows] == ["", "", "1", "2", "3"]
    assert view.first.fields[0]["unit"] == "of 3 beside the 2 that stay"
    assert view.sensors.rows[0]["site"]["second"] == "stays"
    assert view.sensors.rows[3]["site"] == "at no site"
    for k, n in ((0, 2), (-3, 2), (1, 3), (2, 4), (9, 5)):
        state.show(net, "edited")
        view.show_first(k)
        view.firsts.wait()
        made = state.network
        assert made is not None
        assert (made.n_sensors, made.n_kept) == (n, 2)
        assert made.sensors["x"].tolist() == pytest.approx(net.sensors["x"].tolist()[:n])


def test_equity_is_computed_beside_the_page(
    view: Results, state: PanelState, city: sq.City
) -> None:
    """By a column, with the chart of tenths; another network takes it away again."""
    net = sq.optimise(city, n_sensors=3, theta=500, method="greedy", bound="none")
    state.show(net, "preview")
    view.renew()
    view.equity.put(by="workers")
    view.equity.press("compute")
    view.evenness.wait()
    view.renew()
    assert view.tenths.layout.display == ""
    assert view.tenths.report is not None
    assert view.tenths.report.network is net
    assert "By workers" in _texts(view.report)
    assert view.equity.notes["equity"] == ""
    state.show(sq.evaluate(city, ["001"], net.problem), "edited")
    view.renew()
    assert view.report.items == []
    assert view.tenths.report is None


def test_a_newer_request_stops_the_older(state: PanelState, until: Callable[..., None]) -> None:
    """The older one's answer never comes; a person's stop brings what there is."""
    stopped: list[int] = []
    answers: list[str] = []

    def work(progress: Progress) -> str:
        while not progress.report(0.5, "thinking"):
            time.sleep(0.01)
        stopped.append(1)
        return "so far"

    errand = Errand(state, lambda: None)
    errand.start(work, answers.append)
    until(lambda: errand.words == "thinking (50 %)")
    errand.start(work, answers.append)
    until(lambda: len(stopped) == 1)
    assert answers == []
    errand.stop()
    errand.wait()
    assert answers == ["so far"]
    assert (errand.busy, errand.words) == (False, "")
    errand.start(lambda _: 1 / 0, answers.append)
    errand.wait()
    assert "ZeroDivisionError" in state.error
    errand.close()


def test_every_button_hands_over_a_file(view: Results, state: PanelState, net: sq.Network) -> None:
    """The browser gets name, bytes and media type."""
    sent: list[tuple[str, int]] = []
    view.download.offer = lambda file, data, kind: sent.append((file, len(data)))  # type: ignore[method-assign]
    state.show(net, "preview")
    view.renew()
    (buttons,) = [field for field in view.files.fields if field["kind"] == "buttons"]
    names = [each["name"] for each in buttons["buttons"]]
    assert names[:5] == ["geopackage", "geojson", "csv", "xlsx", "png"]
    for name in names:
        view.files.press(name)
    assert [file.rpartition(".")[2] for file, _ in sent] == [
        "gpkg", "geojson", "csv", "xlsx", "png", "nc",
    ]  # fmt: skip
    assert min(size for _, size in sent) > 500
    assert "spineq-san-francisco" in view.files.notes["file"]


def test_a_hidden_view_does_nothing(
    view: Results, state: PanelState, net: sq.Network, until: Callable[..., None]
) -> None:
    """Until it is seen again."""
    view.active = False
    state.show(net, "preview")
    view.renew()
    assert view.groups.rows == []
    assert not view.history.active
    view.active = True
    until(lambda: view.groups.rows)


def test_renewing_is_fast_enough_for_a_slider(results: ModuleType, shared: Path) -> None:
    """Newcastle's 910 areas cost less than 50 ms without charts, at best of some times."""
    city = sq.read_city(shared / "data" / "cities" / "E08000021")
    nets = [
        sq.optimise(city, n_sensors=n, theta=500, method="greedy", bound="none") for n in (20, 21)
    ]
    state = PanelState(city)
    state.ticker.pause()
    view = results.Results(state)
    view.history.active = False
    spans = []
    for k in range(10):
        state.show(nets[k % 2], "preview")
        began = time.perf_counter()
        view.renew()
        spans.append(time.perf_counter() - began)
    view.close()
    state.close()
    assert min(spans) < 0.05
