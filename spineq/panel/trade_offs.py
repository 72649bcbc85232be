"""Trade-offs: ask for a front, narrow it down, and put one of its networks on the map.

A little longer than most files: it keeps form, charts, table and map in step, in one place.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets
import numpy as np
import traitlets

from spineq.errors import DataError
from spineq.model._front_comparison import ROUNDING
from spineq.model._front_words import shares, titles
from spineq.model._words import counted
from spineq.panel import front_table
from spineq.panel.charts import Fit
from spineq.panel.elements import Form, Message, Table, Text
from spineq.panel.errand import Errand
from spineq.panel.front_ask import FrontAsk
from spineq.panel.front_charts import FrontCharts
from spineq.panel.front_points import bounds
from spineq.panel.front_table import COLUMN
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.solve import evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.front import Front
    from spineq.model.network import Network

#: Rows of a page of the table.
ROWS = 10

#: Networks that are kept once they were measured; the oldest go first.
_MOST_KEPT = 30

_NOTHING_YET = "Once there is a trade-off, its networks are compared here."

_READING = (
    "Each line of the first chart is a network, and an axis is the coverage of a group. Drag "
    "along an axis to keep the networks that reach so much; a click on it keeps all again. "
    "Click a point of the other charts to put that network on the map. The table says the same."
)


_BUTTONS = {
    "kind": "buttons",
    "name": "buttons",
    "buttons": [
        {
            "name": "knee",
            "label": "Show the knee",
            "title": "The network where the front bends most: beyond it, a little more for one "
            "group costs the others much",
        },
        {
            "name": "worst",
            "label": "Show the best for the worst-off group",
            "title": "The network whose worst-covered group is covered best",
        },
    ],
}


class TradeOffs(View):
    """Ask for a trade-off, compare its networks, and choose one of them.

    Parameters
    ----------
    state
        What is looked at: its ``front`` is shown here, and a network that is chosen here becomes
        its ``network``.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "front", "network", "dark")

    #: Number of the network that is on the map, or on its way there; -1 for none.
    chosen = traitlets.Int(-1)
    #: Least coverage by name of group, percent; a group that is not named has no limit.
    limits: Any = traitlets.Dict()

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        self._lock = threading.RLock()
        self._front: Front | None = None
        self._coverage = np.empty((0, 0))
        self._kept: dict[int, Network] = {}
        self._drawn: dict[str, Any] = {}
        self._drawing_of: Front | None = None
        self._sort, self._page = ("number", False), 0
        #: The plotly charts; None before there is a front to draw.
        self.charts: FrontCharts | None = None
        self.measuring = Errand(state, self.ask)
        self.drawing = Errand(state, self.ask)
        self.asking = FrontAsk(state)
        for part in (self.measuring, self.drawing, self.asking):
            self.at_end(part.close)
        self.summary = Text(_NOTHING_YET)
        self.buttons = Form([_BUTTONS, {"kind": "say", "name": "shown"}], {})
        self.least = Form([], {})
        self.pair = Form([], {})
        # These are not always among the children.
        self.at_end(self.pair.close)
        self.at_end(self._end)
        self.table = Table(
            [], empty="Nothing reaches this; lower a limit.", page_words=["Previous", "Next"]
        )
        # Made before plotly comes: a script that waits two seconds behind plotly's is given up.
        self._fit = Fit()
        self.pictures = ipywidgets.HBox(
            [self._fit], layout={"flex_flow": "row wrap", "width": "100%"}
        )
        side = ipywidgets.VBox(
            [self.summary, self.buttons, self.least, self.pictures, self.table],
            layout={"flex": "3 1 420px", "min_width": "0", "overflow": "hidden"},
        )
        self.asking.layout.flex = "1 1 280px"
        self.asking.layout.min_width = "0"
        self.children = (
            ipywidgets.HBox(
                [self.asking, side], layout={"flex_flow": "row wrap", "grid_gap": "16px"}
            ),
        )
        self.add_class("spineq-trade-offs")
        self.buttons.hear(state.guarded(self._pressed))
        self.least.hear(state.guarded(self._cleared))
        self.least.observe(state.guarded(self._entered), "values")
        self.pair.observe(self._changed, "values")
        self.table.hear(state.guarded(self._acted))
        self.observe(self._hand_on, "active")
        self.observe(self._changed, ["chosen", "limits"])
        self.renew()

    def _end(self) -> None:
        if self.charts is not None:
            self.charts.close()

    @property
    def within(self) -> NDArray[np.bool_]:
        """Whether each network of the front reaches the limits, (network,)."""
        with self._lock:
            front, coverage = self._front, self._coverage
        least = np.zeros(coverage.shape[1])
        if front is not None:
            for name, limit in self.limits.items():
                least[front.groups.index(name)] = limit / 100
        reached: NDArray[np.bool_] = coverage >= least - ROUNDING
        return np.asarray(reached.all(axis=1))

    # Showing

    def draw(self) -> None:
        """Show the front, what reaches the limits, and which network is on the map."""
        front = self.state.front
        if front is not self._front:
            self._take(front)
        self._follow_map()
        has = front is not None and front.n_networks > 0
        for each in (self.buttons, self.least, self.pictures, self.table):
            visible(each, has)
        if front is None or not has:
            return
        within, limits = self.within, dict(self.limits)
        self._show_limits(front, within, limits)
        self._show_table(front, within)
        self._show_chosen(front)
        self._show_charts(front, within, limits)

    def _take(self, front: Front | None) -> None:
        """Begin with another front."""
        with self._lock:
            self._front, self._kept, self._page = front, {}, 0
            self._sort = ("number", False)
            self._coverage = np.empty((0, 0))
            if front is not None:
                self._coverage = front.group_coverage.to_numpy()
            self.limits, self.chosen = {}, -1
        if front is None:
            self.summary.lines(_NOTHING_YET)
            return
        self.summary.lines(
            *front.summary().splitlines(),
            _READING if front.n_networks else "",
            heading="Networks to choose from",
        )
        if front.n_networks == 0:
            return
        names = titles(front)
        fields: list[dict[str, Any]] = [
            {"kind": "heading", "name": "least", "label": "What each group must have at least"}
        ]
        for name, title, (low, high) in zip(
            front.groups, names, bounds(self._coverage), strict=True
        ):
            fields.append(
                {
                    "kind": "range", "name": COLUMN + name, "label": f"{title}: at least",
                    "unit": "%", "min": low, "max": high, "step": 0.1,
                    "hard_min": 0, "hard_max": 100,
                }
            )  # fmt: skip
        clear = {"name": "clear", "label": "Take the limits away"}
        fields += [
            {"kind": "say", "name": "count"},
            {"kind": "buttons", "name": "b", "buttons": [clear]},
        ]
        with self.least.hold_sync():
            self.least.fields = fields
            self.least.values = self._values(front, {})
        options = [[name, title] for name, title in zip(front.groups, names, strict=True)]
        with self.pair.hold_sync():
            self.pair.fields = [
                {"kind": "select", "name": "x", "label": "Across", "options": options},
                {"kind": "select", "name": "y", "label": "Upwards", "options": options},
            ]
            self.pair.values = {"x": front.groups[0], "y": front.groups[1]}
        # Two groups are the one pair.
        visible(self.pair, len(options) > 2)
        self.table.columns = front_table.columns(front)

    def _values(self, front: Front, limits: Mapping[str, float]) -> dict[str, float]:
        """Values of the form: without a limit, the least that any network has."""
        ends = bounds(self._coverage)
        return {
            COLUMN + name: limits.get(name, low)
            for name, (low, _) in zip(front.groups, ends, strict=True)
        }

    def _follow_map(self) -> None:
        """See whether the network on the map is one of the front's."""
        if self.measuring.busy:
            return
        shown = self.state.network
        with self._lock:
            numbers = [k for k, net in self._kept.items() if net is shown]
        self.chosen = numbers[0] if numbers else -1

    def _show_limits(
        self, front: Front, within: NDArray[np.bool_], limits: Mapping[str, float]
    ) -> None:
        if self._limits_of(front, self.least.values) != limits:
            self.least.values = self._values(front, limits)
        many, n = int(within.sum()), front.n_networks
        reach = "reaches" if many == 1 else "reach"
        said = f"{many:,} of {counted(n, 'network')} {reach} this."
        if many == 0:
            said = f"{said} Nothing reaches this; lower a limit."
        if self.least.notes.get("count") != said:
            self.least.note(count=said)

    def _show_table(self, front: Front, within: NDArray[np.bool_]) -> None:
        numbers = front_table.ordered(front, np.flatnonzero(within), *self._sort)
        pages = max(-(-len(numbers) // ROWS), 1)
        page = self._page = min(self._page, pages - 1)
        rows = front_table.rows(front, numbers[page * ROWS : (page + 1) * ROWS], self.chosen)
        with self.table.hold_sync():
            self.table.sort = {"key": self._sort[0], "down": self._sort[1]}
            self.table.page, self.table.pages = page, pages
            self.table.selected = str(self.chosen) if self.chosen >= 0 else ""
            self.table.total = counted(len(numbers), "network")
            self.table.rows = rows

    def _show_chosen(self, front: Front) -> None:
        said = ""
        if self.measuring.busy:
            said = f"Network {self.chosen} is being measured ..."
        elif self.chosen >= 0:
            said = f"Network {self.chosen} is on the map: {shares(front, self.chosen)}."
        elif self.drawing.busy:
            said = "The charts are being drawn ..."
        if self.buttons.notes.get("shown", "") != said:
            self.buttons.note(shown=said)

    def _show_charts(
        self, front: Front, within: NDArray[np.bool_], limits: Mapping[str, float]
    ) -> None:
        charts, drawn = self.charts, self._drawn
        dark, chosen, pair = self.state.dark, self.chosen, self._pair(front)
        if charts is None or drawn.get("front") is not front:
            # Plotly takes seconds to come, in which the other views must not wait.
            if self._drawing_of is not front:
                self._drawing_of = front
                self.drawing.start(
                    lambda _: self._made(front, dark), lambda made: self._put(made, front, dark)
                )
            return
        # What was drawn is noted piece by piece, so that what failed is tried again.
        if drawn["dark"] != dark:
            charts.shade(dark)
            drawn["dark"] = dark
        if drawn["pair"] != pair:
            charts.pair(*pair)
            drawn["pair"] = pair
        if drawn["limits"] != limits:
            charts.limit([limits.get(name) for name in front.groups], within)
            drawn["limits"] = limits
        if drawn["chosen"] != chosen:
            charts.mark(chosen)
            drawn["chosen"] = chosen

    def _pair(self, front: Front) -> tuple[int, int]:
        x, y = (str(self.pair.values.get(name)) for name in ("x", "y"))
        groups = front.groups
        return (groups.index(x), groups.index(y)) if x in groups and y in groups else (0, 1)

    def _made(self, front: Front, dark: bool) -> FrontCharts:
        guarded = self.state.guarded
        return FrontCharts(self._lock, guarded(self.choose), guarded(self._brushed), front, dark)

    def _put(self, charts: FrontCharts, front: Front, dark: bool) -> None:
        """Put figures into the page."""
        if self._closed:
            charts.close()
            return
        before = self.charts
        room = {"flex": "1 1 340px", "min_width": "0", "overflow": "hidden"}
        parts = [[figure] for figure in charts.figures]
        parts[-1].insert(0, self.pair)
        boxes = [ipywidgets.VBox(part, layout=room) for part in parts]
        self._drawn = {"front": front, "dark": dark, "pair": (0, 1), "limits": {}, "chosen": -1}
        self.charts = charts
        olds, self.pictures.children = self.pictures.children, (*boxes, self._fit)
        for old in olds:
            if old is not self._fit:
                old.close()
        if before is not None:
            before.close()
        self.ask()

    # What people do

    def choose(self, number: int) -> None:
        """Put a network of the front on the map; it is measured first, which may take a moment."""
        front = self.state.front
        if front is None or not 0 <= number < front.n_networks:
            return
        self.measuring.start(
            lambda _: self._measured(front, number),
            lambda network: self._show(front, number, network),
            f"Measuring network {number}",
        )
        self.chosen = number

    def _measured(self, front: Front, number: int) -> Network:
        with self._lock:
            kept = self._kept.get(number) if front is self._front else None
        city = self.state.city
        if city is None or front.dataset.attrs["city_digest"] != city.digest:
            msg = "the trade-off was found for another city"
            raise DataError(msg, mend="Open that city, or find trade-offs for this one")
        problem = front.problem
        return kept or evaluate(
            city,
            front.network(number),
            theta=problem.theta,
            groups=dict(problem.groups),
            decay=problem.decay,
            keep=problem.keep,
        )

    def _show(self, front: Front, number: int, network: Network) -> None:
        if front is not self.state.front:
            return
        with self._lock:
            self._kept[number] = network
            while len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        self.state.show(network, f"network {number} of the trade-off")

    def _pressed(self, message: Message) -> None:
        front = self.state.front
        if front is not None and front.n_networks:
            if message.get("press") == "knee":
                self.choose(front.knee())
            elif message.get("press") == "worst":
                self.choose(front.worst_best())

    def _hand_on(self, change: Mapping[str, Any]) -> None:
        self.asking.active = change["new"]

    def _limits_of(self, front: Front, values: Mapping[str, Any]) -> dict[str, float]:
        """Limits that are entered; what every network reaches is none."""
        made = {}
        for name, (low, _) in zip(front.groups, bounds(self._coverage), strict=True):
            value = values.get(COLUMN + name)
            if isinstance(value, int | float) and value > low:
                made[name] = float(value)
        return made

    def _entered(self, change: Mapping[str, Any]) -> None:
        front = self._front
        if front is not None:
            self.limits = self._limits_of(front, change["new"])

    def _cleared(self, message: Message) -> None:
        if message.get("press") == "clear":
            self.limits = {}

    def _brushed(self, given: list[float | None]) -> None:
        front = self._front
        if front is not None and len(given) == len(front.groups):
            named = {COLUMN + name: low for name, low in zip(front.groups, given, strict=True)}
            self.limits = self._limits_of(front, named)

    def _acted(self, message: Message) -> None:
        if message.get("action") == "show":
            self.choose(int(message["id"]))
        elif "page" in message:
            self._page = max(int(message["page"]), 0)
            self.ask()
        elif "sort" in message:
            key = str(message["sort"])
            before, down = self._sort
            # The best first; a number is the better the lower it is.
            self._sort = (key, not down if key == before else key != "number")
            self._page = 0
            self.ask()
