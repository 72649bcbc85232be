"""Charts of fronts: strips without overlap, brushes both ways, marks, and speed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spineq as sq
from spineq.panel.front_charts import FrontCharts
from spineq.panel.front_points import bounds, swarm


@pytest.fixture(scope="module", autouse=True)
def _libraries(needs: Callable[[str], ModuleType]) -> None:
    """What the charts and fronts are made with; skips without it, fails in CI."""
    needs("plotly")
    needs("moocore")


@pytest.fixture(scope="module")
def front() -> sq.Front:
    city = sq.demo_city("synthetic", n_areas=60)
    return sq.trade_off(city, n_sensors=4, theta=500, effort=0.02, size=60)


class Heard:
    """What charts said."""

    def __init__(self, front: sq.Front) -> None:
        self.clicks: list[int] = []
        self.brushes: list[list[float | None]] = []
        self.charts = FrontCharts(threading.RLock(), self.clicks.append, self.brushes.append, front)


@pytest.fixture
def heard(front: sq.Front) -> Any:
    made = Heard(front)
    yield made
    made.charts.close()


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=80),
    st.floats(0.1, 5),
)
def test_points_of_a_strip_do_not_overlap(values: list[float], apart: float) -> None:
    """With lanes enough, two points of a lane are a point's width apart; the middle comes first."""
    at = np.array(values)
    lanes = swarm(at, apart, len(values))
    for lane in set(lanes.tolist()):
        mine = np.sort(at[lanes == lane])
        assert (np.diff(mine) >= apart * (1 - 1e-9)).all()
    assert lanes[np.argmin(at)] == 0
    assert np.abs(swarm(at, apart, 5)).max() <= 2


def test_bounds_hold_every_network(front: sq.Front) -> None:
    """Whole percent, outwards, never empty."""
    coverage = front.group_coverage.to_numpy()
    for (low, high), column in zip(bounds(coverage), coverage.T, strict=True):
        assert low <= 100 * column.min() + 1e-9
        assert high >= 100 * column.max() - 1e-9
        assert low == int(low) < high == int(high)
    assert bounds(np.array([[0.5]])) == [(50.0, 51.0)]


def test_the_charts_have_every_network_and_three_marks(heard: Heard, front: sq.Front) -> None:
    """Percent throughout; the knee and the worst-off's best are marked from the beginning."""
    charts, n = heard.charts, front.n_networks
    coverage = 100 * front.group_coverage.to_numpy()
    dimensions = charts.parallel.data[0].dimensions
    np.testing.assert_allclose([d.values for d in dimensions], coverage.T)
    assert len(charts.swarm.data[0].x) == 4 * n
    assert list(charts.swarm.data[1].x) == coverage[front.knee()].tolist()
    assert charts.pairs.data[2].x[0] == coverage[front.worst_best(), 0]
    assert [trace.visible for trace in charts.pairs.data] == [None, True, True, False]
    symbols = {trace.marker.symbol for trace in charts.pairs.data[1:]}
    assert len(symbols) == 3
    charts.mark(1)
    assert charts.pairs.data[3].visible
    assert charts.pairs.data[3].x[0] == coverage[1, 0]
    assert charts.parallel.data[0].line.color[1] == 3
    charts.pair(2, 1)
    assert charts.pairs.data[3].x[0] == coverage[1, 2]
    assert all(figure.layout.height <= 300 for figure in charts.figures)


def test_limits_grey_what_is_outside(heard: Heard, front: sq.Front) -> None:
    """In all three charts; and no limits grey nothing. Our own changes are no brushes."""
    charts, n = heard.charts, front.n_networks
    coverage = 100 * front.group_coverage.to_numpy()
    limit = float(np.median(coverage[:, 1]))
    within = coverage[:, 1] >= limit
    charts.limit([None, limit, None, None], within)
    assert list(charts.pairs.data[0].selectedpoints) == np.flatnonzero(within).tolist()
    assert len(charts.swarm.data[0].selectedpoints) == 4 * within.sum()
    ends = [d.constraintrange for d in charts.parallel.data[0].dimensions]
    assert ends[0] is None
    assert ends[1][0] == limit
    charts.limit([None] * 4, np.ones(n, dtype=bool))
    assert charts.pairs.data[0].selectedpoints is None
    assert heard.brushes == []


def test_a_brush_is_a_limit(heard: Heard, front: sq.Front) -> None:
    """As the page sends it: the lower end counts, rounded downwards; a click takes it away."""
    charts = heard.charts
    middle = float(np.median(100 * front.group_coverage.to_numpy()[:, 2]))
    key = "dimensions[2].constraintrange"
    charts.parallel.plotly_restyle({key: [[middle, middle + 1]]}, [0])
    (limits,) = heard.brushes
    assert limits[:2] == [None, None]
    assert middle - 0.1 <= limits[2] <= middle  # type: ignore[operator]
    charts.parallel.plotly_restyle({key: None}, [0])
    assert heard.brushes[-1] == [None] * 4


def test_a_click_names_the_network(heard: Heard, front: sq.Front) -> None:
    """Whichever strip it is on."""
    charts, n = heard.charts, front.n_networks
    for figure, point, number in ((charts.swarm, 2 * n + 3, 3), (charts.pairs, 5, 5)):
        figure._js2py_pointsCallback = {
            "event_type": "plotly_click",
            "points": {
                "trace_indexes": [0],
                "point_indexes": [point],
                "xs": [0],
                "ys": [0],
            },
        }
        assert heard.clicks[-1] == number


def test_dark_and_light(heard: Heard) -> None:
    """Text is light on a dark page, and grounds stay the page's."""
    heard.charts.shade(True)
    for figure in heard.charts.figures:
        assert figure.layout.font.color == "#f0f0f0"
        assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
        # A page that is loaded again begins with the colours of now.
        assert figure._widget_layout["font"]["color"] == "#f0f0f0"


def test_names_are_no_tags(front: sq.Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plotly takes labels for HTML, but shows what stands for quotes as it is."""
    names = ['<b>"x"</b>', "a & b", "c", "d"]
    monkeypatch.setattr("spineq.panel.front_charts.titles", lambda _: names)
    charts = Heard(front).charts
    written = ['&lt;b&gt;"x"&lt;/b&gt;', "a &amp; b", "c", "d"]
    labels = [dimension.label for dimension in charts.parallel.data[0].dimensions]
    assert labels == [f"{name}, %" for name in written]
    assert list(charts.swarm.layout.yaxis.ticktext) == written
    assert charts.pairs.layout.xaxis.title.text == f"{written[0]} (%)"
    charts.close()


def test_five_thousand_networks(front: sq.Front) -> None:
    """They are drawn with WebGL, and a brush is answered at once."""
    rng = np.random.default_rng(0)
    data = front.dataset.isel(network=rng.integers(0, front.n_networks, 5_000))
    noise = rng.normal(0, 0.02, (5_000, 4))
    data = data.assign(group_coverage=(data["group_coverage"] + noise).clip(0, 1))
    many = sq.Front(data)
    began = time.perf_counter()
    heard = Heard(many)
    drawn = time.perf_counter() - began
    assert heard.charts.swarm.data[0].type == "scattergl"
    knee = 100 * many.group_coverage.to_numpy()[many.knee()]
    assert list(heard.charts.swarm.data[1].x) == knee.tolist()
    coverage = 100 * many.group_coverage.to_numpy()
    limit = float(np.median(coverage[:, 0]))
    began = time.perf_counter()
    heard.charts.limit([limit, None, None, None], coverage[:, 0] >= limit)
    brushed = time.perf_counter() - began
    print(f"5,000 networks: drawn {drawn:.2f} s, brushed {brushed:.3f} s")
    assert brushed < 2
    heard.charts.close()
