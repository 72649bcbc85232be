"""Two networks side by side: who wins, who loses, and what it takes that no group does.

A little longer than most files, by the fields and columns that its tables show.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets

from spineq.errors import ProblemError
from spineq.model._objective_words import counted
from spineq.model.network import Network
from spineq.panel.comparing import (
    EXISTING,
    SHOWN,
    Choice,
    Difference,
    choices,
    existing_network,
    job_choices,
    measure_of,
    measured_like,
)
from spineq.panel.elements import Form, Table, Text
from spineq.panel.errand import Errand
from spineq.panel.state import PanelState
from spineq.panel.today import Today, what_it_takes
from spineq.panel.view import View, visible
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.panel.map import NetworkMap

#: Seconds between looks at which jobs have finished.
_EVERY = 3.0

#: Measured networks that are kept, so that looking again costs nothing.
_KEPT = 12

EMPTY = (
    "Choose two networks: what the map shows, one that was shown before, the existing sensors, "
    "or the answer of a finished job."
)
NO_EXISTING = "This city has no existing sensors, so there is no today to compare with."


class Comparison(View):
    """Two networks of the city, measured alike, and how both compare with today.

    Parameters
    ----------
    state
        What is looked at.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network", "network_name")

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        #: What is compared at the moment; None without two networks.
        self.difference: Difference | None = None
        # What the tables show.
        self._seen: Difference | None = None
        #: What it takes that no group is worse off than today; None where that was not asked.
        self.today: Today | None = None
        self._wanted: tuple[object, ...] = ()
        self._kept: dict[tuple[Any, ...], Network] = {}
        self._jobs: list[Choice] = []
        self._making = threading.Lock()
        #: The two maps; none before there are two networks.
        self.maps: list[NetworkMap] = []
        self.choice = Form(_choice_fields([("", "Choose a network")]), {"one": "", "other": ""})
        self.words = Text()
        self.groups = Table(_group_columns())
        self.gain = Table(_area_columns(), empty="No area gains.", layout=_half())
        self.lose = Table(_area_columns(), empty="No area loses.", layout=_half())
        self.areas = ipywidgets.Box([self.gain, self.lose], layout=_row())
        self.sides = ipywidgets.Box(layout=_row())
        self.titles = (Text(), Text())
        self.mapping = Form(_mapping_fields(), {})
        self.body = ipywidgets.VBox([self.words, self.groups, self.mapping, self.sides, self.areas])
        self.against = Form(_today_fields("", False, False), {})
        self.answer = Text()
        self._looking = state.guarded(self._look)
        self.work = Errand(state, self._tell)
        self.search = Errand(state, self._tell)
        self.at_end(self._end)
        self.choice.observe(self._changed, "values")
        for form in (self.choice, self.mapping, self.against):
            form.hear(state.guarded(self._press))
        self.children = (self.choice, self.body, self.against, self.answer)
        self._look()
        self.renew()
        state.ticker.every(_EVERY, self._looking)

    def draw(self) -> None:
        """Compare what is chosen now."""
        state, city = self.state, self.state.city
        self._offer()
        today = self.today
        if today is not None and (city is None or not _of(today.shown, city)):
            self.today = today = None
            self.search.drop()
        self.answer.lines(*([] if today is None else today.words()), live=True)
        one, other = self.choice.values.get("one"), self.choice.values.get("other")
        wanted = (
            city, one, other, self._source(str(one or "")), self._source(str(other or "")),
            state.network_name if SHOWN in (one, other) else "",
        )  # fmt: skip
        if not _same(wanted, self._wanted):
            if wanted[:3] != self._wanted[:3]:
                # While a network moves, the figures of a moment ago stay; not so for others.
                self.difference = None
            self._wanted = wanted
            self.work.drop()
            if city is not None and one and other:
                self._measure(city, str(one), str(other))
        self._put()
        self._tell()

    def _end(self) -> None:
        for errand in (self.work, self.search):
            errand.close()
        for each in self.maps:
            each.close()
        for title in self.titles:
            title.close()
        self.state.ticker.forget(self._looking)

    # What can be chosen

    def _offer(self) -> None:
        """Renew the lists, and choose what is likeliest where nothing sensible is chosen."""
        chosen = dict(self.choice.values)
        options = choices(self.state, self._jobs, list(chosen.values()))
        fields = _choice_fields(options)
        if self.choice.fields != fields:
            self.choice.fields = fields
        values = [value for value, _ in options]
        if chosen.get("one") not in values or not chosen.get("one"):
            chosen["one"] = SHOWN if SHOWN in values else ""
        if chosen.get("other") not in values or not chosen.get("other"):
            chosen["other"] = EXISTING if EXISTING in values else ""
        if chosen != self.choice.values:
            self.choice.values = chosen

    def _look(self) -> None:
        """Look now and then whether jobs have finished."""
        if self.active:
            jobs = job_choices(self.state)
            if jobs != self._jobs:
                self._jobs = jobs
                self.ask()

    def _source(self, choice: str) -> Network | None:
        """Return the network of a choice where it is at hand."""
        found: Network | None = None
        if choice == SHOWN:
            found = self.state.network
        elif choice.startswith("network:"):
            found = self.state.networks.get(choice.removeprefix("network:"))
        return found

    def _name(self, choice: str) -> str:
        if choice == SHOWN:
            return self.state.network_name or "what the map shows"
        if choice == EXISTING:
            return "existing sensors"
        if choice.startswith("job:"):
            return dict(self._jobs).get(choice, f"job {choice[-6:]}")
        return choice.removeprefix("network:")

    def _loaded(self, city: City, choice: str, like: Network | None, progress: Progress) -> Network:
        """Get a network: from the state, the store, or by measuring the sensors of today."""
        found = self._source(choice)
        if found is not None:
            return found
        if choice.startswith("job:"):
            key: tuple[Any, ...] = (choice,)
            if key not in self._kept:
                queue = self.state.queue
                assert queue is not None  # without one, no job is offered
                self._keep(key, queue.get(choice.removeprefix("job:")).result(timeout=30.0))
            return self._kept[key]
        like = like or self.state.network
        if like is None:
            msg = "the existing sensors are measured like another network"
            raise ProblemError(msg, mend="Choose another network beside them, or press Run")
        key = (EXISTING, city.digest, measure_of(like.problem))
        if key not in self._kept:
            self._keep(key, existing_network(city, like.problem, progress))
        return self._kept[key]

    def _keep(self, key: tuple[Any, ...], network: Network) -> None:
        self._kept[key] = network
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]

    def _measure(self, city: City, one: str, other: str) -> None:
        """Measure both alike on a thread, and show them."""
        names = self._name(one), self._name(other)

        def work(progress: Progress) -> Difference:
            # The sensors of today are measured like the other network, whichever it is.
            if one == EXISTING and other != EXISTING:
                theirs = self._loaded(city, other, None, progress)
                mine = self._loaded(city, one, theirs, progress)
            else:
                mine = self._loaded(city, one, None, progress)
                theirs = self._loaded(city, other, mine, progress)
            alike = measured_like(city, theirs, mine.problem, progress)
            self._make_maps(city, mine, alike)
            return Difference(city, mine, alike, names, anew=alike is not theirs)

        def done(difference: Difference) -> None:
            self.difference = difference
            self.ask()

        self.work.start(work, done, "measuring both networks alike")

    # What is seen

    def _put(self) -> None:
        difference = self.difference
        visible(self.body, difference is not None)
        if difference is None or difference is self._seen:
            return
        self._seen = difference
        mine, theirs = difference.names
        self.words.lines(*difference.words(), live=True)
        for table, rows, words in (
            (self.groups, difference.group_rows(), f"Groups: {mine} (A) and {theirs} (B)"),
            (self.gain, difference.area_rows(lose=False), "Areas that gain most with A"),
            (self.lose, difference.area_rows(lose=True), "Areas that lose most with A"),
        ):
            with table.hold_sync():
                table.rows, table.caption = rows, words
        for title, letter, name in zip(self.titles, "AB", difference.names, strict=True):
            title.lines(heading=f"{letter}: {name}")
        for made, network in zip(self.maps, (difference.one, difference.other), strict=True):
            if made.network is not network:
                made.fix(network)
        if not self.sides.children:
            self.sides.children = tuple(
                ipywidgets.VBox([title, made], layout=_half())
                for title, made in zip(self.titles, self.maps, strict=True)
            )

    def _make_maps(self, city: City, *networks: Network) -> None:
        """Make the maps when they are first needed, on the thread of the work: it takes a second.

        They are linked: moving one moves the other.
        """
        with self._making:
            if self.maps or self._closed or self.state.city is not city:
                return
            from spineq.panel.map import NetworkMap

            made = [
                NetworkMap(state=self.state, network=network, linked=True, height="320px")
                for network in networks
            ]
            for each in made:
                each.shading = "coverage"
            self.maps = made

    def _tell(self) -> None:
        """Say how far the work beside the page is."""
        if not self.active:
            return
        difference, state = self.difference, self.state
        said = self.work.words or ("" if difference is not None else EMPTY)
        self.choice.note(compare=said)
        why = ""
        if state.city is not None and state.city.existing is None:
            why = NO_EXISTING
        elif state.network is None:
            why = "There is no network yet whose question could be asked again."
        found = self.today is not None and self.today.network is not None
        fields = _today_fields(why, self.search.busy, found)
        if self.against.fields != fields:
            self.against.fields = fields
        self.against.note(today=self.search.words or why)

    # What can be pressed

    def _press(self, message: Mapping[str, Any]) -> None:
        press = message.get("press")
        if press == "difference":
            self.show_difference()
        elif press == "today":
            self.ask_today()
        elif press == "stop_today":
            self.search.stop()
        elif press == "show_today":
            self.show_today()

    def show_difference(self) -> None:
        """Have the map show the one network, and offer the difference from the other."""
        difference, state = self.difference, self.state
        if difference is None:
            return
        name, other = difference.names
        with state.lock:
            if state.network is not difference.one:
                state.show(difference.one, name)
            state.other_name, state.other = other, difference.other
        state.news = f"The map shows the change of coverage from {other} to {name}."

    def ask_today(self) -> None:
        """Find out what it takes that no group is worse off than today."""
        city, network = self.state.city, self.state.network
        if city is None or network is None or city.existing is None:
            return
        self.today = None

        def work(progress: Progress) -> Today:
            return what_it_takes(city, network, progress)

        def done(today: Today) -> None:
            self.today = today
            self.ask()

        self.search.start(work, done, "measuring the sensors of today")
        self.ask()

    def show_today(self) -> None:
        """Show the network that leaves no group worse off."""
        today = self.today
        if today is None or today.network is None:
            return
        name = f"{counted(today.enough, 'sensor')}, no group worse off than today"
        with self.state.lock:
            if self.state.network is not today.network:
                self.state.show(today.network, name)
            self.state.other_name = "existing sensors"
            self.state.other = today.existing


def _row() -> ipywidgets.Layout:
    return ipywidgets.Layout(display="flex", flex_flow="row wrap", width="100%", grid_gap="12px")


def _of(network: Network, city: City) -> bool:
    return bool(network.dataset.attrs["city_digest"] == city.digest)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether two are of the same things; networks are compared by which they are."""
    if len(one) != len(other):
        return False
    return all(a is b or (isinstance(a, str) and a == b) for a, b in zip(one, other, strict=True))


def _half() -> ipywidgets.Layout:
    return ipywidgets.Layout(flex="1 1 320px", min_width="260px", width="auto")


def _choice_fields(options: list[Choice]) -> list[dict[str, Any]]:
    listed = [list(option) for option in options]
    words = "What is told is about A compared with B."
    return [
        {"kind": "heading", "label": "Compare two networks"},
        {"kind": "select", "name": "one", "label": "A", "options": listed, "help": ""},
        {"kind": "select", "name": "other", "label": "B", "options": listed, "help": words},
        {"kind": "say", "name": "compare"},
    ]


def _mapping_fields() -> list[dict[str, Any]]:
    button = {
        "name": "difference",
        "label": "Show the difference on the map",
        "title": "The main map shows A, and colours areas by the change from B to A",
    }
    return [{"kind": "buttons", "buttons": [button]}]


def _today_fields(why: str, busy: bool, found: bool) -> list[dict[str, Any]]:
    return [
        {"kind": "heading", "label": "Against today"},
        {
            "kind": "buttons",
            "buttons": [
                {
                    "name": "today",
                    "label": "Leave no group worse off than today",
                    "title": why or "How many sensors that takes, and what it costs",
                    "disabled": bool(why) or busy,
                },
                {"name": "stop_today", "label": "Stop", "disabled": not busy},
                {
                    "name": "show_today",
                    "label": "Show that network on the map",
                    "disabled": not found or busy,
                },
            ],
        },
        {"kind": "say", "name": "today"},
    ]


def _group_columns() -> list[dict[str, Any]]:
    return [
        {"key": "group", "label": "Group", "head": True},
        {"key": "one", "label": "A", "align": "right"},
        {"key": "other", "label": "B", "align": "right"},
        {"key": "change", "label": "Difference (points)", "align": "right"},
        {"key": "one_near", "label": "People within 500 m, A", "align": "right", "narrow": "hide"},
        {
            "key": "other_near",
            "label": "People within 500 m, B",
            "align": "right",
            "narrow": "hide",
        },
    ]


def _area_columns() -> list[dict[str, Any]]:
    return [
        {"key": "area", "label": "Area", "head": True},
        {"key": "people", "label": "People", "align": "right"},
        {"key": "one", "label": "A", "align": "right", "narrow": "hide"},
        {"key": "other", "label": "B", "align": "right", "narrow": "hide"},
        {"key": "change", "label": "Points", "align": "right"},
    ]
