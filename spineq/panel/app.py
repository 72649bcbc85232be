"""The panel: all views over one state, in tabs beside a map."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from spineq.data.named import city_named
from spineq.model._objective_words import value_words
from spineq.model.city import City
from spineq.panel.areas_table import AreasTable
from spineq.panel.controls import SetUp
from spineq.panel.draft import defaults, drafted
from spineq.panel.edit_view import EditView
from spineq.panel.elements import Messages, Presence, Tabs, Text
from spineq.panel.following import Following
from spineq.panel.geometry import places_of
from spineq.panel.jobs_table import JobsTable
from spineq.panel.map import NetworkMap
from spineq.panel.preview import QUICK
from spineq.panel.state import PanelState
from spineq.panel.view import close_all

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.model.network import Network

#: Names and titles of the tabs.
TABS = (
    ("setup", "Set up"),
    ("jobs", "Jobs"),
    ("results", "Results"),
    ("questions", "Questions"),
    ("edit", "Edit"),
    ("compare", "Compare"),
    ("tradeoffs", "Trade-offs"),
)

#: Those whose views are made when they are first opened.
_LATER = ("results", "questions", "compare", "tradeoffs")


class Panel(ipywidgets.VBox):
    """Set up, run, watch, look at, edit and compare networks, in a notebook cell.

    Parameters
    ----------
    city
        The city; or what names one: ``"san-francisco"``, ``"synthetic:910"``, a file or a folder.
        By default San Francisco; another one can be chosen in the panel.
    queue
        Where jobs go. None opens one on the default store, with a cluster on this machine, and
        closes it with the panel.

    Raises
    ------
    SpineqError
        The city cannot be read, or the queue not be opened.

    Examples
    --------
    >>> panel = Panel(sq.demo_city(), sq.JobQueue())              # doctest: +SKIP
    >>> panel                                                     # doctest: +SKIP
    """

    def __init__(
        self, city: City | str | Path | None = None, queue: JobQueue | None = None
    ) -> None:
        self._is_closed = True  # until all is there
        where = "san-francisco" if city is None else str(city) if _is_text(city) else "city"
        place = city if isinstance(city, City) else city_named(where)
        self._own_queue = queue is None
        if queue is None:
            from spineq.jobs.queue import JobQueue

            queue = JobQueue()
        self.queue = queue
        self.state = state = PanelState(place, queue)
        self.map = NetworkMap(state=state)
        self.areas = AreasTable(state)
        self.setup = SetUp(state, where)
        self.jobs = JobsTable(state)
        self.jobs.active = False
        self.following = Following(state)
        self.edit = EditView(state, self.map)
        self.edit.active = False
        #: Views that are made when their tab is first opened: they are heavy.
        self.later: dict[str, Any] = {}
        self.tabs = Tabs(TABS)
        self.messages = Messages()
        self.headline = Text()
        self.headline.add_class("spineq-headline")
        self._boxes = {name: ipywidgets.VBox() for name, _ in TABS}
        for name, view in (("setup", self.setup), ("jobs", self.jobs), ("edit", self.edit)):
            self._boxes[name].children = (view,)
        for name, box in self._boxes.items():
            box.add_class(f"spineq-tab-{name}")
            box.layout.padding = "10px 2px 0"
            box.layout.display = "" if name == "setup" else "none"
        self._side = ipywidgets.VBox(
            [self.following, self.map, self.headline, self.areas],
            layout=ipywidgets.Layout(flex="1.2 1 380px", min_width="300px"),
        )
        self._side.add_class("spineq-side")
        row = ipywidgets.Layout(flex_flow="row wrap", width="100%", align_items="flex-start")
        body = ipywidgets.Box(
            [
                ipywidgets.VBox(
                    [self.tabs, *self._boxes.values()],
                    layout=ipywidgets.Layout(
                        flex="1 1 290px", min_width="280px", padding="0 8px 0 0"
                    ),
                ),
                self._side,
            ],
            layout=row,
        )
        self.presence = Presence(self._seen)
        super().__init__([self.messages, body, self.presence])
        self.add_class("spineq-panel")
        self.tabs.observe(state.guarded(self._turned), "chosen")
        self.messages.hear(state.guarded(self._closed_message))
        state.observe(self._told, ["error", "error_details", "news", "trouble"])
        state.observe(self._renewed, ["network", "network_name", "remark"])
        self.setup.form.observe(self._renewed, "notes")
        self._renewed(None)
        state.ticker.every(1.0, self._look)
        state.ticker.ask(self._warm_up, after=2.0)
        self._is_closed = False
        self._take_up()

    # What the person sees

    @property
    def network(self) -> Network | None:
        """The network that the map shows."""
        found: Network | None = self.state.network
        return found

    @property
    def city(self) -> City | None:
        """The city that is looked at."""
        found: City | None = self.state.city
        return found

    def open_tab(self, tab: str) -> None:
        """Open a tab by name: setup, jobs, results, questions, edit, compare or tradeoffs."""
        self.tabs.chosen = tab

    def _turned(self, change: Any) -> None:
        for name, box in self._boxes.items():
            box.layout.display = "" if name == change["new"] else "none"
        if change["new"] in _LATER and change["new"] not in self.later:
            self._make(change["new"])
        # The one that is left first: it gives the map back.
        views = sorted(self._switched().items(), key=lambda each: each[0] == change["new"])
        for name, view in views:
            on = name == change["new"]
            if view.active != on:
                view.active = on

    def _switched(self) -> dict[str, Any]:
        return {"jobs": self.jobs, "edit": self.edit, **self.later}

    def _make(self, name: str) -> None:
        """Make a heavy view on a thread: its libraries take seconds to import."""
        self.later[name] = _Waiting()
        box = self._boxes[name]
        box.children = (Text("Opening ..."),)

        def work() -> None:
            view: Any
            if name == "results":
                from spineq.panel.results import Results

                view = Results(self.state)
            elif name == "questions":
                from spineq.panel.questions import Questions

                view = Questions(self.state, self.map)
            elif name == "compare":
                from spineq.panel.comparison import Comparison

                view = Comparison(self.state)
            else:
                from spineq.panel.trade_offs import TradeOffs

                view = TradeOffs(self.state)
            self.later[name] = view
            if self._is_closed:
                view.close()
                return
            waiting, *_ = box.children
            view.active = self.tabs.chosen == name
            box.children = (view,)
            waiting.close()

        self.state.beside(work)

    def _renewed(self, _change: Any) -> None:
        self.state.ticker.ask(self._headlines)

    def _headlines(self) -> None:
        with self.state.guard():
            network, name = self.state.network, self.state.network_name
            if network is None:
                self.headline.lines("No network yet. Choose who matters and how many sensors.")
                return
            value = value_words(network)
            first = f"{name[:1].upper()}{name[1:]}: {value}." if name else f"{value}."
            second = self.state.remark or network.certificate()
            if name == QUICK and network.upper_bound is None:
                second = "A quick answer: press Run for the best one."
                if self.setup.preview.on:
                    second = "A quick answer; the best one follows."
            self.headline.lines(first, second, live=True)

    def _told(self, _change: Any) -> None:
        state, items = self.state, []
        if state.trouble:
            text = f"{state.trouble} Jobs are safe in the store and go on when this is over."
            items.append({"text": text, "kind": "bad"})
        if state.error:
            items.append(
                {
                    "text": state.error, "kind": "bad", "details": state.error_details,
                    "name": "error",
                }
            )  # fmt: skip
        if state.news:
            items.append({"text": state.news, "kind": "good", "name": "news"})
        if items != self.messages.items:
            self.messages.items = items

    def _closed_message(self, message: Any) -> None:
        if message.get("close") == "error":
            self.state.forgive()
        elif message.get("close") == "news":
            self.state.news = ""

    # What runs

    def _look(self) -> None:
        with self.state.guard():
            trouble = self.queue.trouble
            if self.queue.keeper.is_closed:
                trouble = "The queue is closed: open another panel, with a new queue"
            words = f"{trouble[:1].upper()}{trouble[1:].rstrip('.')}." if trouble else ""
            if words != self.state.trouble:
                self.state.trouble = words

    def _take_up(self) -> None:
        """Follow what this person's panel was at when its kernel ended."""
        place = self.state.city
        assert place is not None
        for job in self.queue.jobs(state=["running", "queued"], user=self.queue.user, limit=20):
            if job.city == place.digest and job.task == "optimise" and "panel" in job.tags:
                self.state.job = job.id
                return

    def _warm_up(self) -> None:
        """Load what the first drag and the first chart want, before anybody waits for it."""
        city = self.state.city
        if city is not None:
            self.state.beside(lambda: _quietly(_load, city))

    def _seen(self, views: int) -> None:
        """Rest while no page shows the panel."""
        if views:
            self.state.ticker.go_on()
        else:
            self.state.ticker.pause()

    def close(self) -> None:
        """Stop all that runs for the panel, and end the queue that it opened."""
        if self._is_closed:
            return
        self._is_closed = True
        views = [self.setup, self.jobs, self.following, self.edit, *self.later.values()]
        views += [self.areas, self.map]
        for view in views:
            with self.state.guard():
                view.close()
        self.state.close()
        close_all(self)
        layout = self.layout
        super().close()
        layout.close()
        if self._own_queue:
            self.queue.close()


def _load(city: City) -> None:
    """Load what is slow to load."""
    from spineq.solve import evaluate

    site = str(city.dataset["site"].to_numpy()[0])
    problem = drafted(city, defaults(city)).problem
    if problem is not None:
        evaluate(city, [site], replace(problem, bound="none"))
    places_of(city).nearest_site(city.site_xy[0])
    importlib.import_module("plotly.graph_objects")


def _quietly(work: Callable[[City], object], city: City) -> None:
    """Do something that nobody asked for: who wants what is missing will see why."""
    with suppress(Exception):
        work(city)


class _Waiting:
    """Stands for a view that is being made."""

    active = False

    def close(self) -> None:
        """Nothing to close yet."""


def _is_text(city: object) -> bool:
    return isinstance(city, str | Path)
