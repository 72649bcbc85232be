"""Charts: what they draw, that they are late and move in place, and what a click does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import spineq as sq
from spineq._plot_parts import LINES
from spineq.panel.state import PanelState

GROUPS = {"children": sq.Group(ages=(0, 15), weight=2), "jobs": sq.Group(column="workers")}


@pytest.fixture(scope="module", autouse=True)
def charts(needs: Callable[[str], ModuleType]) -> ModuleType:
    needs("plotly")
    return needs("spineq.panel.charts")


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=8, theta=500, method="greedy", bound="none")


@pytest.fixture(scope="module")
def mixed(city: sq.City) -> sq.Network:
    words: dict[str, Any] = {"method": "greedy", "bound": "none", "groups": GROUPS}
    return sq.optimise(city, n_sensors=12, theta=500, **words)


@pytest.fixture
def state(city: sq.City) -> Iterator[PanelState]:
    made = PanelState(city)
    yield made
    made.close()


def click(chart: Any, point: int) -> None:
    """Act as the page does: all lines hear of a click."""
    from plotly.callbacks import InputDeviceState, Points

    for trace in chart.figure.data:
        trace._dispatch_on_click(Points(point_inds=[point]), InputDeviceState())


def test_the_history_has_a_line_for_each_group_from_no_sensors_on(
    charts: ModuleType, net: sq.Network, mixed: sq.Network
) -> None:
    """Values are the network's own, in percent; colours are those that people tell apart."""
    lines = charts.history_lines(net)
    assert [line.colour for line in lines] == list(LINES[:4])
    assert len({line.dash for line in lines}) == 4
    everyone = lines[0]
    assert everyone.name == "All residents"
    assert list(everyone.x) == list(range(9))
    assert list(everyone.y) == pytest.approx([0, *(100 * c for c in net.coverage_history)])
    assert all(line.y[-1] >= line.y[0] == 0 for line in lines)
    weighted = charts.history_lines(mixed)[0]
    assert weighted.name == "Weighted mean"
    assert weighted.y[-1] == pytest.approx(100 * mixed.total_coverage)


def test_the_history_begins_with_all_that_stay(
    charts: ModuleType, state: PanelState, until: Callable[..., None]
) -> None:
    """Their order means nothing: what is placed beside them is counted, by a click too."""
    city = sq.demo_city()
    here = city.dataset[["x", "y"]].to_dataframe()[["x", "y"]].iloc[[0, 40, 90]]
    city = city.with_existing(here.reset_index(drop=True))
    net = sq.optimise(city, n_sensors=4, theta=500, keep="existing")
    lines = charts.history_lines(net)
    assert all(list(line.x) == [0, 1, 2, 3, 4] for line in lines)
    assert list(lines[0].y) == pytest.approx([100 * c for c in net.coverage_history[2:]])
    state.city, state.network = city, net
    picked: list[int] = []
    chart = charts.HistoryChart(state, picked.append)
    chart.wait()
    assert chart.figure.layout.xaxis.title.text == "Sensors beside the 3 that stay"
    click(chart, 2)
    until(lambda: picked)
    assert picked == [2]
    chart.close()


def test_there_is_no_figure_before_anybody_sees_it(
    charts: ModuleType, state: PanelState, net: sq.Network
) -> None:
    """Nothing is made without a network, nor for a hidden chart."""
    chart = charts.HistoryChart(state)
    chart.wait()
    assert chart.figure is None
    chart.active = False
    state.network = net
    chart.wait()
    assert chart.figure is None
    chart.active = True
    chart.wait()
    assert chart.children[0] is chart.figure
    chart.close()
    chart.close()


def test_lines_move_in_place(
    charts: ModuleType, state: PanelState, net: sq.Network, mixed: sq.Network
) -> None:
    """The figure and its traces stay; one line more or less makes no new figure."""
    state.network = net
    chart = charts.HistoryChart(state)
    chart.wait()
    figure = chart.figure
    first = figure.data[0].uid
    for shown in (mixed, net, mixed):
        state.network = shown
        chart.wait()
        assert chart.figure is figure
        assert figure.data[0].uid == first
        seen = [trace for trace in figure.data if trace.visible]
        lines = charts.history_lines(shown)
        assert [trace.name for trace in seen] == [line.name for line in lines]
        assert list(seen[-1].y) == pytest.approx(list(lines[-1].y))
        assert figure.layout.xaxis.range[1] >= shown.n_sensors
    chart.close()


def test_the_chart_follows_the_page_into_the_dark(
    charts: ModuleType, state: PanelState, net: sq.Network
) -> None:
    """Text is readable on both grounds, and the ground is the page's own."""
    state.network = net
    chart = charts.HistoryChart(state)
    chart.wait()
    light = chart.figure.layout.font.color, chart.figure.data[0].line.color
    state.dark = True
    chart.wait()
    assert (chart.figure.layout.font.color, chart.figure.data[0].line.color) != light
    for ground in (chart.figure.layout.paper_bgcolor, chart.figure.layout.plot_bgcolor):
        assert ground == "rgba(0,0,0,0)"
    assert "%" in chart.figure.layout.yaxis.title.text
    assert chart.figure.layout.autosize
    assert chart.figure._config["displayModeBar"] is False
    chart.close()


@pytest.mark.parametrize("dark", [False, True])
def test_a_figure_comes_with_its_lines_and_colours(
    charts: ModuleType, state: PanelState, net: sq.Network, dark: bool
) -> None:
    """What comes to a page while its script is loading is lost, so that nothing is sent later."""
    state.network, state.dark = net, dark
    chart = charts.HistoryChart(state)
    chart.wait()
    import plotly.io as pio

    # What a page begins with; it is not what the figure has by now.
    layout, lines = chart.figure._widget_layout, chart.figure._widget_data
    assert layout["font"]["color"] == ("#f0f0f0" if dark else "#1f1f1f")
    template = pio.templates["plotly_dark" if dark else "plotly_white"]
    assert layout["template"]["layout"]["font"] == template.layout.font.to_plotly_json()
    assert [line["name"] for line in lines] == [line.name for line in charts.history_lines(net)]
    assert chart.figure._last_layout_edit_id == chart.figure._last_trace_edit_id == 0
    # So does a page that is loaded again.
    state.dark = not dark
    chart.wait()
    assert chart.figure._widget_layout["font"]["color"] == ("#1f1f1f" if dark else "#f0f0f0")
    assert chart.figure._widget_data[0]["line"]["color"] == chart.figure.data[0].line.color
    chart.close()


def test_words_stand_where_the_figure_will_be(
    charts: ModuleType, state: PanelState, net: sq.Network
) -> None:
    """Until a page says that it has drawn; a chart without lines says nothing."""
    chart = charts.HistoryChart(state)
    chart.wait()
    words = chart.children[0]
    assert words.layout.display == "none"
    state.network = net
    chart.wait()
    assert [item["text"] for item in words.items] == ["Drawing the chart ..."]
    assert words in chart.children
    assert not words.layout.display
    chart._fit._handle_custom_msg({"drawn": 1}, [])
    assert words.layout.display == "none"
    chart.wait()
    assert words.layout.display == "none"
    chart.close()


def test_names_are_no_tags(
    charts: ModuleType, state: PanelState, city: sq.City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plotly takes a name for HTML, and its templates' parts for values."""
    line = charts.Line('<b>x</b> & "y" %{x}', [0.0, 1.0], [0.0, 5.0], "#000000")
    monkeypatch.setattr(charts.LineChart, "lines", lambda self: [line])
    chart = charts.LineChart(state)
    chart.wait()
    (trace,) = chart.figure.data
    assert trace.name == '&lt;b&gt;x&lt;/b&gt; &amp; "y" &#37;{x}'
    assert trace.hovertemplate == f"%{{y:.1f}} %<extra>{trace.name}</extra>"
    chart.close()


def test_a_box_of_a_chart_never_scrolls(charts: ModuleType, state: PanelState) -> None:
    """A figure that is wider than its box for a moment makes no region that a keyboard misses."""
    chart = charts.LineChart(state)
    assert chart.layout.overflow == "hidden"
    chart.close()


def test_a_click_is_told_once(
    charts: ModuleType, state: PanelState, net: sq.Network, until: Callable[..., None]
) -> None:
    """Lines that share an x all hear of one click; whoever asked hears of it once."""
    picked: list[int] = []
    state.network = net
    chart = charts.HistoryChart(state, picked.append)
    chart.wait()
    click(chart, 3)
    until(lambda: picked)
    done = threading.Event()
    state.ticker.ask(done.set, after=0.2)
    assert done.wait(10)
    assert picked == [3]
    chart.close()


def test_tenths_are_those_of_the_report(
    charts: ModuleType, state: PanelState, city: sq.City, net: sq.Network
) -> None:
    """A line a group, ten tenths, percent; nothing for a report without a column."""
    report = sq.equity(net, city, by="workers", own_best=False)
    chart = charts.DecileChart(state, report)
    chart.wait()
    lines = [trace for trace in chart.figure.data if trace.visible]
    assert len(lines) == len(report.groups)
    for trace, name in zip(lines, report.groups.index, strict=True):
        of_group = report.deciles[report.deciles["group"] == name]
        assert list(trace.x) == list(range(1, 11))
        assert list(trace.y) == pytest.approx((100 * of_group["coverage"]).tolist())
    assert "workers" in chart.figure.layout.xaxis.title.text
    chart.show(sq.equity(net, city, own_best=False))
    chart.wait()
    assert not [trace for trace in chart.figure.data if trace.visible]
    chart.close()
