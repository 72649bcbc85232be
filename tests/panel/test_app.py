"""The panel as a whole: its tabs, its lines of errors, its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import ipywidgets
import pandas as pd
import pytest

import spineq as sq
from spineq.errors import MissingFileError
from spineq.panel.app import _load

pytestmark = pytest.mark.cluster

Until = Callable[..., None]


def test_every_tab_opens_without_an_error(busy_queue: sq.JobQueue, until: Until) -> None:
    """Also before there is a network, and after."""
    panel = sq.Panel(sq.demo_city(), busy_queue)
    panel.setup.form.put(live=False)
    for network in (None, sq.optimise(panel.city, n_sensors=4)):
        panel.state.show(network, "mine")
        for tab, _ in panel.tabs.items:
            panel.open_tab(tab)
            if tab in ("results", "questions", "compare", "tradeoffs"):
                until(lambda tab=tab: isinstance(panel.later[tab], ipywidgets.Widget))
            visible = [name for name, box in panel._boxes.items() if box.layout.display != "none"]
            assert visible == [tab]
    assert panel.state.error == "", panel.state.error_details
    panel.close()


def test_a_city_may_be_named(busy_queue: sq.JobQueue, tmp_path: Path) -> None:
    """As on the command line; one that is not there is refused before anything is drawn."""
    panel = sq.Panel("synthetic:60", busy_queue)
    assert panel.city.n_areas == 60
    panel.close()
    with pytest.raises(MissingFileError):
        sq.Panel(tmp_path / "nowhere", busy_queue)


def test_a_city_of_columns_alone_warms_up() -> None:
    """One without residents has other groups to begin with."""
    place = {"area_id": ["a", "b"], "x": [4e5, 4.01e5], "y": [4e5, 4e5], "jobs": [1.0, 2.0]}
    _load(sq.City.from_frame(pd.DataFrame(place), crs="EPSG:27700"))


def test_errors_news_and_trouble_are_lines(busy_queue: sq.JobQueue, until: Until) -> None:
    """Each can be read; errors and news can be closed, trouble goes when it is over."""
    panel = sq.Panel("synthetic:60", busy_queue)
    state = panel.state
    with state.guard():
        raise ZeroDivisionError
    state.news = "saved"
    state.trouble = "The scheduler does not answer."
    kinds = [(item["kind"], bool(item.get("details"))) for item in panel.messages.items]
    assert kinds == [("bad", False), ("bad", True), ("good", False)]
    panel.messages.say(close="error")
    panel.messages.say(close="news")
    until(lambda: not state.trouble)  # the panel looks for itself: there is none
    assert panel.messages.items == []
    panel.close()


def test_a_panel_takes_up_what_it_was_at(busy_queue: sq.JobQueue, until: Until) -> None:
    """After its kernel was restarted: the job that runs is followed, and its answer is shown."""
    first = sq.Panel("synthetic:6000", busy_queue)
    first.setup.form.put(n_sensors=60, effort=0.2)
    first.setup.run()
    job = first.state.job
    first.close()
    second = sq.Panel("synthetic:6000", busy_queue)
    assert second.state.job == job
    until(lambda: second.following.line.rows)
    until(lambda: second.network is not None, 120)
    assert second.network.n_sensors == 60
    second.close()
    busy_queue.clear()


def test_two_panels_agree(busy_queue: sq.JobQueue, until: Until) -> None:
    """A job of one is in the other's table, can be cancelled there, and both see it."""
    one, two = (sq.Panel("synthetic:12000", busy_queue) for _ in range(2))
    for panel in (one, two):
        panel.open_tab("jobs")
    one.setup.form.put(n_sensors=100)
    one.setup.run()
    until(lambda: two.jobs.table.rows, 2)
    two.jobs.table.say(action="cancel", id=one.state.job)
    for panel in (one, two):
        until(lambda panel=panel: panel.jobs.table.rows[0]["state"] == "cancelled", 20)
    for panel in (one, two):
        panel.close()
    busy_queue.clear()


def test_a_panel_rests_while_no_page_shows_it(busy_queue: sq.JobQueue) -> None:
    """And goes on when it is shown again."""
    panel = sq.Panel("synthetic:60", busy_queue)
    panel.presence.say(views=1)
    assert panel.state.ticker.is_running
    panel.presence.say(views=-1)
    assert not panel.state.ticker.is_running
    panel.presence.say(views=1)
    assert panel.state.ticker.is_running
    panel.close()


def test_closing_leaves_nothing_behind(busy_queue: sq.JobQueue, until: Until) -> None:
    """No widget, no watcher, no thread, however many panels there were."""
    widgets, watchers = len(ipywidgets.Widget.widgets), len(busy_queue.keeper._watchers)
    threads = threading.active_count()
    for _ in range(3):
        panel = sq.Panel("synthetic:60", busy_queue)
        for tab in ("results", "questions", "compare", "tradeoffs"):
            panel.open_tab(tab)
            until(lambda panel=panel, tab=tab: isinstance(panel.later[tab], ipywidgets.Widget))
        panel.close()
    assert len(busy_queue.keeper._watchers) == watchers
    until(lambda: threading.active_count() <= threads + 1)
    assert len(ipywidgets.Widget.widgets) == widgets
