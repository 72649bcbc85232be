"""How sure the places are when the numbers are others: many scenarios, each solved again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from spineq.insight.stability_words import share
from spineq.model._objective_words import counted
from spineq.panel.answering import Answering
from spineq.panel.asked_about import askable
from spineq.panel.elements import Form, Table, Text
from spineq.panel.marks import Overlay
from spineq.panel.shading import OVERLAY
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.insight.stability import Stability
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.panel.map import NetworkMap

#: Sensors to a page of the table.
_PAGE = 10

#: Answers that are remembered.
_MOST = 12

#: Scenarios that are asked for at most here: a script may ask for more.
_MOST_SCENARIOS = 2_000


class OtherNumbers(View):
    """Asks how far a network's places hang on numbers that nobody knows exactly.

    Parameters
    ----------
    state
        Whose network is asked about.
    network_map
        The map, which can be coloured by the answer.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network")

    def __init__(self, state: PanelState, network_map: NetworkMap | None = None) -> None:
        super().__init__(state)
        self.map = network_map
        self._known: list[tuple[Network, Stability]] = []
        self._page = 0
        self._city: City | None = None
        self._seen: Network | None = None
        self.form = Form(_fields("m"), dict(_VALUES))
        self.asking = Answering(state, "No scenarios were solved yet.", self.ask)
        self.at_end(self.asking.close)
        self.words = Text()
        self.table = Table(
            [
                {"key": "sensor", "label": "Sensor", "head": True},
                {"key": "near", "label": "One stands near", "align": "right"},
                {"key": "same", "label": "At the same place", "align": "right"},
            ],
            caption="In how many scenarios",
            page_words=["Earlier sensors", "Later sensors"],
        )
        colour = {"name": "colour", "label": "Colour the map by this"}
        colour["title"] = "In how many scenarios a sensor stands near each area"
        self.colouring = Form([{"kind": "buttons", "buttons": [colour]}], {})
        self.children = (self.form, self.asking, self.words, self.table, self.colouring)
        self.form.hear(state.guarded(self._pressed))
        self.colouring.hear(state.guarded(self._pressed))
        self.table.hear(state.guarded(self._turned))
        self.renew()

    def draw(self) -> None:
        """Show what is known of the network that is looked at."""
        city, network = self.state.city, self.state.ours(self.state.network)
        if city is not None and city is not self._city:
            self._city = city
            self.form.fields = _fields(city.travel_unit)
            theta = 500.0 if network is None else network.problem.theta
            self.form.values = {**_VALUES, "low": round(0.8 * theta, 3), "high": 1.2 * theta}
        if network is not self._seen:
            self._seen, self._page = network, 0
        found = self._found(network)
        self.asking.about(found is not None)
        self.words.lines(*([] if found is None else found.summary().splitlines()), live=True)
        has = found is not None and found.n_scenarios > 0
        if found is not None and has:
            pages = max(-(-len(found.table) // _PAGE), 1)
            self._page = min(self._page, pages - 1)
            columns = [dict(each) for each in self.table.columns]
            columns[1]["label"] = f"One within {found.near:,g} m"
            with self.table.hold_sync():
                self.table.columns = columns
                self.table.page, self.table.pages = self._page, pages
                self.table.total = counted(len(found.table), "sensor")
                self.table.rows = _rows(found, self._page)
        visible(self.table, has)
        visible(self.colouring, has)

    def _found(self, network: Network | None) -> Stability | None:
        return next((found for net, found in self._known if net is network), None)

    def solve(self) -> None:
        """Solve the network's question again in many scenarios."""
        city, network, queue = (
            self.state.city,
            self.state.ours(self.state.network),
            self.state.queue,
        )
        if city is None or network is None:
            return
        words = self._entered()
        if words is None:
            return
        if queue is not None and queue.keeper.carrier is None:
            queue = None  # no workers: here

        def work(progress: Progress) -> Stability:
            from spineq.insight.stability import stability

            return stability(city, askable(city, network), queue=queue, progress=progress, **words)

        def done(found: Stability) -> str:
            rest = [pair for pair in self._known if pair[0] is not network]
            self._known = [*rest[-_MOST + 1 :], (network, found)]
            self.state.overlay = _overlay(city, network, found) if found.n_scenarios else None
            if not found.stopped:
                return ""
            return (
                f"Cancelled after {counted(found.n_scenarios, 'scenario')}. What is solved is "
                "kept: the same question goes on from there."
            )

        number = counted(words["n_scenarios"], "scenario")
        self.asking.start(f"how sure are the places, in {number}?", work, done)

    def _entered(self) -> dict[str, Any] | None:
        """What `spineq.stability` is asked; None with the errors marked at their fields."""
        values, errors = self.form.values, {}
        n, low, high = (values.get(name) for name in ("number", "low", "high"))
        error, near = values.get("error"), values.get("near")
        if not isinstance(n, int | float) or n != int(n) or not 1 <= n <= _MOST_SCENARIOS:
            errors["number"] = f"Give a whole number from 1 to {_MOST_SCENARIOS:,}."
        if not isinstance(low, int | float) or low <= 0:
            errors["low"] = "Give a number above 0."
        elif not isinstance(high, int | float) or high < low:
            errors["high"] = f"Give a number of {low:,g} or more."
        if not isinstance(error, int | float) or not 0 <= error <= 100:
            errors["error"] = "Give a number from 0 to 100."
        if not isinstance(near, int | float) or near < 0:
            errors["near"] = "Give a distance, 0 m or more."
        self.form.errors = errors
        if errors:
            return None
        assert isinstance(n, int | float)
        assert isinstance(error, int | float)
        return {
            "n_scenarios": int(n), "theta": (low, high), "people_error": error / 100, "near": near,
        }  # fmt: skip

    def colour(self) -> None:
        """Have the map coloured by how sure a sensor near each area is."""
        city, network = self.state.city, self.state.ours(self.state.network)
        found = self._found(network)
        if city is None or network is None or found is None or not found.n_scenarios:
            return
        self.state.overlay = _overlay(city, network, found)
        if self.map is not None:
            self.map.shading = OVERLAY

    def _pressed(self, message: Mapping[str, Any]) -> None:
        if message.get("press") == "solve":
            self.solve()
        elif message.get("press") == "colour":
            self.colour()

    def _turned(self, message: Mapping[str, Any]) -> None:
        if isinstance(message.get("page"), int):
            self._page = max(int(message["page"]), 0)
            self.ask()


def _overlay(city: City, network: Network, found: Stability) -> Overlay:
    number = counted(found.n_scenarios, "scenario")
    return Overlay(
        network,
        "How sure a sensor is here",
        f"Share of {number} with a sensor within {found.near:,g} m",
        near_areas(city, found),
    )


def near_areas(city: City, found: Stability) -> NDArray[np.float64]:
    """Share of scenarios with a sensor near each area, (area,): that of its site sensors prefer.

    An area without a site has that of the nearest site's.
    """
    from scipy.spatial import cKDTree

    sites = found.sites
    best = sites.groupby("area")["near"].max()
    areas = pd.Index(city.dataset["area"].to_numpy())
    made = best.reindex(areas).to_numpy(dtype=np.float64, copy=True)
    lone = np.flatnonzero(np.isnan(made))
    if len(lone):
        xy = np.column_stack([city.dataset["x"].to_numpy(), city.dataset["y"].to_numpy()])
        at = cKDTree(sites[["x", "y"]].to_numpy()).query(xy[lone])[1]
        made[lone] = sites["near"].to_numpy()[at]
    return np.asarray(made)


def _rows(found: Stability, page: int) -> list[dict[str, Any]]:
    rows = []
    for number, row in found.table.iloc[page * _PAGE : (page + 1) * _PAGE].iterrows():
        same = "no site" if pd.isna(row["chosen"]) else share(float(row["chosen"]))
        rows.append(
            {
                "id": str(number),
                "sensor": {
                    "text": str(row["site"]) or str(row["area"]), "second": f"Sensor {number}",
                },
                "near": share(float(row["near"])),
                "same": same,
            }
        )  # fmt: skip
    return rows


_VALUES = {"number": 50, "low": 400.0, "high": 600.0, "error": 10, "near": 300}


def _fields(unit: str) -> list[dict[str, Any]]:
    title = "Solve the question again with other numbers, and count where sensors go"
    return [
        {"kind": "heading", "label": "When the numbers are others"},
        {
            "kind": "number", "name": "number", "label": "Scenarios", "min": 1,
            "max": _MOST_SCENARIOS, "step": 1, "inline": True,
            "help": "Each is the question solved again.",
        },
        {
            "kind": "number", "name": "near", "label": "What is called near", "min": 0, "step": 50,
            "unit": "m", "inline": True, "help": "As the crow flies.",
        },
        {
            "kind": "number", "name": "low", "label": "How near is near (theta), from",
            "min": 0, "unit": unit, "inline": True,
        },
        {
            "kind": "number", "name": "high", "label": "Up to", "min": 0, "unit": unit,
            "inline": True,
        },
        {
            "kind": "range", "name": "error", "label": "How wrong the counts of people may be",
            "min": 0, "max": 50, "step": 1, "any": True, "hard_min": 0, "hard_max": 100,
            "unit": "%", "help": "For every area; counts vary by chance besides.",
        },
        {
            "kind": "buttons",
            "buttons": [{"name": "solve", "label": "How sure are the places?", "title": title}],
        },
    ]  # fmt: skip
