"""The line about centroids: beside the result, never before it, and of this result alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import spineq as sq
from spineq.insight import centroids
from spineq.panel import centroid_line
from spineq.panel.centroid_line import WAITING, CentroidLine
from spineq.panel.state import PanelState

if TYPE_CHECKING:
    from spineq.insight.centroids import CentroidError


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=40, seed=4)


@pytest.fixture
def state(city: sq.City) -> Iterator[PanelState]:
    made = PanelState(city)
    yield made
    assert made.error == ""
    made.close()


@pytest.fixture
def view(state: PanelState) -> Iterator[CentroidLine]:
    made = CentroidLine(state)
    yield made
    made.close()


def _net(city: sq.City, n: int = 3) -> sq.Network:
    return sq.evaluate(city, list(city.sites.index[:n]), theta=500, bound="none")


def _said(view: CentroidLine) -> str:
    return " ".join(str(item["text"]) for item in view.words.items)


def test_it_says_what_the_library_says(
    view: CentroidLine, state: PanelState, city: sq.City, until: Callable[..., None]
) -> None:
    """Nothing without a network; then the sentence, read out, and again without waiting."""
    assert (_said(view), view.layout.display) == ("", "none")
    nets = [_net(city, 3), _net(city, 4)]
    for net in nets:
        state.show(net, "preview")
        until(lambda: "Counted at centroids" in _said(view))
        found = sq.centroid_error(city, net, sq.demand.spread(city))
        assert f"residents is {100 * found.total_at_centroids:.1f} %" in _said(view)
        assert f"it is {100 * found.total_at_points:.1f} %" in _said(view)
        assert view.words.items[0]["live"]
        assert view.layout.display == ""
        state.show(None)
        until(lambda: _said(view) == "")
    state.ticker.pause()
    state.show(nets[0], "preview")
    view.renew()
    assert "Counted at centroids" in _said(view)
    assert not view.errand.busy


class _Slow:
    """`two_cities` that waits until it is let go, and counts its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.go = threading.Event()
        self._true = centroids.two_cities
        monkeypatch.setattr(centroid_line, "two_cities", self)

    def __call__(self, city: sq.City) -> centroids.TwoCities:
        self.calls.append(threading.current_thread().name)
        assert self.go.wait(20.0)
        return self._true(city)


def test_the_result_does_not_wait_for_it(
    view: CentroidLine,
    state: PanelState,
    city: sq.City,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[..., None],
) -> None:
    """It is counted on a thread of its own; the ticker's goes on."""
    slow = _Slow(monkeypatch)
    began = time.monotonic()
    state.show(_net(city), "preview")
    view.renew()
    assert time.monotonic() - began < 5.0
    assert _said(view) == WAITING
    until(lambda: slow.calls)
    ticked = threading.Event()
    state.ticker.ask(ticked.set)
    assert ticked.wait(10.0)
    assert slow.calls == ["spineq-errand"]
    slow.go.set()
    until(lambda: "Counted" in _said(view))


def test_another_result_takes_its_place(
    view: CentroidLine,
    state: PanelState,
    city: sq.City,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[..., None],
) -> None:
    """The sentence of a network that is gone never comes, nor is it counted; people spread once."""
    slow = _Slow(monkeypatch)
    measured: list[sq.Network] = []
    error = centroids.TwoCities.error

    def count(two: centroids.TwoCities, net: sq.Network) -> CentroidError:
        measured.append(net)
        return error(two, net)

    monkeypatch.setattr(centroids.TwoCities, "error", count)
    nets = [_net(city, n) for n in (1, 2, 3, 4, 5)]
    said: list[str] = []
    view.words.observe(lambda change: said.extend(each["text"] for each in change["new"]), "items")
    for net in nets:
        state.show(net, "preview")
        view.renew()
    slow.go.set()
    until(lambda: "Counted" in _said(view))
    assert measured == [nets[-1]]
    assert len(slow.calls) == 1
    assert {each for each in said if each != WAITING} == {_said(view)}
    state.open_city(sq.demo_city("synthetic", n_areas=30, seed=1))
    until(lambda: _said(view) == "")


def test_a_hidden_line_asks_for_nothing(
    view: CentroidLine, state: PanelState, city: sq.City, until: Callable[..., None]
) -> None:
    view.active = False
    state.show(_net(city), "preview")
    view.renew()
    assert not view.errand.busy
    view.active = True
    until(lambda: "Counted" in _said(view))


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (sq.SpineqError("the figures do not fit"), "is not known: the figures do not fit."),
        (KeyError("x"), "is not known: counting it failed, and the log says why."),
    ],
)
def test_it_gives_up_with_a_sentence(
    view: CentroidLine,
    state: PanelState,
    city: sq.City,
    raised: Exception,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody asked for it, so that it is no error of the panel's; a bug is logged."""

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(centroids.TwoCities, "error", fail)
    state.show(_net(city), "preview")
    until(lambda: words in _said(view))
    logged = [record for record in caplog.records if record.exc_info]
    assert len(logged) == (not isinstance(raised, sq.SpineqError))


def test_large_cities_and_points_alone_say_how_to_ask(
    city: sq.City, monkeypatch: pytest.MonkeyPatch, until: Callable[..., None]
) -> None:
    monkeypatch.setattr(centroids, "MOST_AREAS", 39)
    frame = pd.DataFrame({"area_id": list("ab"), "x": [0.0, 900.0], "y": 0.0, "population": 9})
    bare = sq.City.from_frame(frame, crs="EPSG:27700")
    for place, words in (
        (city, "Call spineq.centroid_error(city, net, spineq.demand.spread(city))."),
        (bare, "the city has no polygons to spread people over"),
    ):
        state = PanelState(place)
        view = CentroidLine(state)
        state.show(_net(place, 1), "preview")
        until(lambda words=words, view=view: words in _said(view))
        view.close()
        state.close()


def test_closing_ends_it(
    city: sq.City, monkeypatch: pytest.MonkeyPatch, until: Callable[..., None]
) -> None:
    """Also in the middle of the work, whose answer goes nowhere."""
    slow, state = _Slow(monkeypatch), PanelState(city)
    view = CentroidLine(state)
    state.show(_net(city), "preview")
    until(lambda: slow.calls)
    view.close()
    slow.go.set()
    view.errand.wait()
    state.close()
    assert state.error == ""
