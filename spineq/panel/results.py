"""What the shown network does: its certificate, its groups, its sensors, and files of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets

from spineq.errors import DataError
from spineq.exports import KINDS, export
from spineq.model._objective_words import counted, equity_words, stay_words
from spineq.panel.centroid_line import CentroidLine
from spineq.panel.charts import DecileChart, HistoryChart, beginning
from spineq.panel.elements import Download, Form, Table, Text
from spineq.panel.errand import Errand
from spineq.panel.reporting import Reporting
from spineq.panel.state import PanelState
from spineq.panel.telling import PAGE, first_sensors, group_rows, network_lines, sensor_rows
from spineq.panel.view import View, visible
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.inequality import Equity
    from spineq.model.network import Network

EMPTY = (
    "No network yet. Set one up and press Run, click sites on the map, or choose a finished job: "
    "what it covers, whom it leaves out and how near it is to the best possible is told here."
)

_GROUP_COLUMNS: list[dict[str, Any]] = [
    {"key": "group", "label": "Group", "head": True},
    {"key": "people", "label": "People", "align": "right", "narrow": "hide"},
    {"key": "coverage", "label": "Coverage", "align": "right"},
    {"key": "250", "label": "Within 250 m", "align": "right", "narrow": "hide"},
    {"key": "500", "label": "Within 500 m", "align": "right"},
    {"key": "1000", "label": "Within 1,000 m", "align": "right", "narrow": "hide"},
    {"key": "median", "label": "Half are within", "align": "right"},
]
_SENSOR_COLUMNS: list[dict[str, Any]] = [
    {"key": "order", "label": "Order", "align": "right"},
    {"key": "site", "label": "Site", "head": True},
    {"key": "area", "label": "Area", "narrow": "hide"},
    {"key": "x", "label": "x (m)", "align": "right", "narrow": "hide"},
    {"key": "y", "label": "y (m)", "align": "right", "narrow": "hide"},
    {"key": "gain", "label": "Adds (points)", "align": "right"},
    {"key": "coverage", "label": "Coverage then", "align": "right"},
]


class Results(View):
    """The shown network in words, tables and charts, and as files.

    Parameters
    ----------
    state
        What is looked at.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network", "network_name")

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        self._page = 0
        # The network whose sensors the table shows.
        self._listed: Network | None = None
        self._report: Equity | None = None
        self._asked: Network | None = None
        # The network whose number of sensors the field has.
        self._told: Network | None = None
        # The last network that was made of another's first sensors; that network, and its name.
        self._first: tuple[Network, Network, str] | None = None
        self.words = Text()
        self.centroids = CentroidLine(state)
        self.groups = Table(_GROUP_COLUMNS, caption="Who is covered")
        self.even = Text()
        self.history = HistoryChart(state, self.show_first)
        self.first = Form(_first_fields(1, 0, False), {"k": 1})
        self.equity = Form(_equity_fields((), False), {"by": ""})
        self.tenths = DecileChart(state)
        self.report = Text()
        self.sensors = Table(
            _SENSOR_COLUMNS,
            caption="Sensors, in order of placement",
            page_words=["Earlier sensors", "Later sensors"],
        )
        self.reporting = Reporting(state)
        self.files = Form(_file_fields(), {})
        self.download = Download()
        self.body = ipywidgets.VBox(
            [
                self.groups,
                self.even,
                self.history,
                self.first,
                self.equity,
                self.tenths,
                self.report,
                self.sensors,
                self.reporting,
                self.files,
                self.download,
            ]
        )
        self.firsts = Errand(state, self._tell)
        self.evenness = Errand(state, self._tell)
        for errand in (self.firsts, self.evenness):
            self.at_end(errand.close)
        self.first.hear(state.guarded(self._press_first))
        self.equity.hear(state.guarded(self._press_equity))
        self.sensors.hear(state.guarded(self._turn))
        self.files.hear(state.guarded(self._press_file))
        self.observe(self._seen, "active")
        self.children = (self.words, self.centroids, self.body)
        self.renew()

    def draw(self) -> None:
        """Show the network that is looked at now."""
        network, city = self.state.network, self.state.city
        if network is None or city is None:
            self.words.lines(EMPTY)
            visible(self.body, False)
            self.evenness.drop()
            return
        name = self.state.network_name or "the network"
        self.words.lines(*network_lines(network), heading=f"{name[:1].upper()}{name[1:]}")
        self.groups.rows = group_rows(network)
        self.even.lines(equity_words(network) if network.n_sensors else "")
        self._draw_sensors(network)
        whole = self._whole_of(network)
        self.history.whole = None if whole is None else whole[0]
        if self.evenness.busy and network is not self._asked:
            self.evenness.drop()
        self._draw_report(network)
        self._tell()
        visible(self.body, True)
        self.history.ask()

    def _draw_sensors(self, network: Network) -> None:
        if network is not self._listed:
            # What was placed is looked for; those that stay are on the pages before.
            self._listed, self._page = network, beginning(network) // PAGE
        pages = max(-(-network.n_sensors // PAGE), 1)
        self._page = min(max(self._page, 0), pages - 1)
        with self.sensors.hold_sync():
            self.sensors.page, self.sensors.pages = self._page, pages
            self.sensors.total = counted(network.n_sensors, "sensor")
            self.sensors.rows = sensor_rows(network, self._page)

    def _draw_report(self, network: Network) -> None:
        report = self._report
        if report is not None and report.network is not network:
            report = self._report = None
        self.report.lines(*([] if report is None else report.summary().splitlines()))
        seen = report is not None and not report.deciles.empty
        visible(self.tenths, seen)
        if self.tenths.report is not report:
            self.tenths.show(report)

    def _tell(self) -> None:
        """Say how far the work beside the page is."""
        network, city = self.state.network, self.state.city
        if not self.active or network is None or city is None:
            return
        whole, _ = self._whole_of(network) or (network, "")
        kept = whole.n_kept
        _describe(self.first, _first_fields(whole.n_sensors - kept, kept, self.firsts.busy))
        said, k, n = self.firsts.words, network.n_sensors - kept, whole.n_sensors - kept
        if not said and whole is not network:
            said = f"The map shows the first {k:,} of {n:,} sensors{stay_words(kept)}."
        if network is not self._told:
            # Also where a point of the chart was clicked.
            self._told = network
            self.first.put(k=k)
        self.first.note(first=said)
        _describe(self.equity, _equity_fields(city.columns, self.evenness.busy))
        if self.equity.values.get("by") not in ("", *city.columns):
            self.equity.put(by="")
        self.equity.note(equity=self.evenness.words)

    def _turn(self, message: Mapping[str, Any]) -> None:
        if isinstance(message.get("page"), int):
            self._page = int(message["page"])
            self.ask()

    # The first k sensors

    def _whole_of(self, shown: Network) -> tuple[Network, str] | None:
        """Return the network of which the shown one is the beginning, with its name."""
        first = self._first
        return None if first is None or first[0] is not shown else first[1:]

    def show_first(self, k: int) -> None:
        """Show the first k sensors that were placed on the map, beside those that stay.

        Parameters
        ----------
        k
            How many, 0 or more, and 1 where none stays; all of them, or more, is the network
            itself.
        """
        city, shown = self.state.city, self.state.network
        if city is None or shown is None:
            return
        network, name = self._whole_of(shown) or (shown, self.state.network_name or "the network")
        k = max(k, 0 if network.n_kept else 1)
        if k >= network.n_sensors - network.n_kept:
            self.firsts.drop()
            self.state.show(network, name)
            return

        def done(made: Network) -> None:
            self._first = made, network, name
            words = f"the first {k:,} of" if k else "those that stay of"
            # Unless the person has gone on meanwhile.
            self.state.show_over([shown], city, made, f"{words} {name}")

        def work(progress: Progress) -> Network:
            return first_sensors(city, network, k, progress)

        self.firsts.start(work, done, f"measuring the first {k:,}")

    def _n_kept(self) -> int:
        shown: Network | None = self.state.network
        return 0 if shown is None else shown.n_kept

    def _press_first(self, message: Mapping[str, Any]) -> None:
        if message.get("press") == "stop_first":
            self.firsts.drop()
        elif message.get("press") == "show_first":
            k = self.first.values.get("k")
            least = 0 if self._n_kept() else 1
            if not isinstance(k, int | float) or k < least or k != int(k):
                self.first.errors = {"k": f"Give a whole number, {least} or more."}
                return
            self.first.errors = {}
            self.show_first(int(k))

    # How even coverage is

    def compute_equity(self, by: str = "") -> None:
        """Look at how even coverage is, by tenths of people where a column is named."""
        city, network = self.state.city, self.state.network
        if city is None or network is None:
            return
        self._asked = network

        def work(progress: Progress) -> Equity:
            from spineq.inequality import equity

            return equity(network, city, by or None, progress=progress)

        def done(report: Equity) -> None:
            self._report = report
            self.ask()

        self.evenness.start(work, done, "looking for what each group could have alone")

    def _press_equity(self, message: Mapping[str, Any]) -> None:
        if message.get("press") == "stop_equity":
            self.evenness.stop()
        elif message.get("press") == "compute":
            self.compute_equity(str(self.equity.values.get("by") or ""))

    # Files

    def save(self, kind: str) -> tuple[str, bytes, str]:
        """Hand a file of the network to the browser; returns name, content and media type."""
        network, city = self.state.network, self.state.city
        if network is None or city is None:
            msg = "there is no network to write"
            raise DataError(msg, mend="Set one up and press Run")
        self.files.note(file=f"Writing {KINDS[kind].label} ...")
        try:
            name, data, mime = export(network, city, kind)
        except BaseException:
            self.files.note(file="")
            raise
        self.download.offer(name, data, mime)
        self.files.note(file=f"{name}: {size_words(len(data))}.")
        return name, data, mime

    def _press_file(self, message: Mapping[str, Any]) -> None:
        if message.get("press") in KINDS:
            self.save(str(message["press"]))

    def _seen(self, _change: object) -> None:
        self.history.active = self.tenths.active = self.centroids.active = self.active


def size_words(size: int) -> str:
    """Write a file's size in kB or MB."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 0.1):,.1f} kB"


def _describe(form: Form, fields: list[dict[str, Any]]) -> None:
    """Change a form where it is another one: it is drawn anew then."""
    if form.fields != fields:
        form.fields = fields


def _button(name: str, label: str, title: str = "", *, disabled: bool = False) -> dict[str, Any]:
    return {"name": name, "label": label, "title": title or None, "disabled": disabled}


def _first_fields(n: int, kept: int, busy: bool) -> list[dict[str, Any]]:
    return [
        {
            "kind": "number",
            "name": "k",
            "label": "Fewer sensors",
            "help": "How many of the first sensors to show on the map; a click on the chart "
            "does the same.",
            "min": 0 if kept else 1,
            "step": 1,
            "unit": f"of {n:,}{stay_words(kept)}",
        },
        {
            "kind": "buttons",
            "buttons": [
                _button("show_first", "Show these on the map"),
                _button("stop_first", "Stop", disabled=not busy),
            ],
        },
        {"kind": "say", "name": "first"},
    ]


def _equity_fields(columns: tuple[str, ...], busy: bool) -> list[dict[str, Any]]:
    options = [("", "No column: each group against its own best alone")]
    return [
        {"kind": "heading", "label": "How even coverage is"},
        {
            "kind": "select",
            "name": "by",
            "label": "By tenths of people, from where there is least to where there is most of",
            "help": "Also looks for the best network of each group alone, which takes as long as "
            "so many runs.",
            "options": [list(option) for option in [*options, *((c, c) for c in columns)]],
        },
        {
            "kind": "buttons",
            "buttons": [
                _button("compute", "Compute"),
                _button("stop_equity", "Stop", disabled=not busy),
            ],
        },
        {"kind": "say", "name": "equity"},
    ]


def _file_fields() -> list[dict[str, Any]]:
    return [
        {"kind": "heading", "label": "Save as a file"},
        {
            "kind": "buttons",
            "buttons": [_button(name, kind.label, kind.help) for name, kind in KINDS.items()],
        },
        {"kind": "say", "name": "file"},
    ]
