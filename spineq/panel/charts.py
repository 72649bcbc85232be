"""Charts of one network: coverage by number of sensors, and by tenths of people.

Plotly is slow to import and its figures are large, so that both come when a chart is first seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import anywidget

from spineq._plot_parts import LINES, STYLES
from spineq.model._words import objective_table, shown_table
from spineq.panel.state import PanelState
from spineq.panel.view import View

if TYPE_CHECKING:
    from spineq.inequality import Equity
    from spineq.model.network import Network

#: Height of a chart, pixels.
HEIGHT = 300

#: Plotly's names for matplotlib's strokes.
_DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}

#: A colour that would not be seen on a dark ground, and what stands for it there.
_ON_DARK = {"#000000": "#f0f0f0", "#0072b2": "#56a8e0", "#666666": "#b0b0b0"}


class Line(NamedTuple):
    """One line of a chart: ``x`` and ``y`` (point,), ``y`` in percent; and its stroke."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dash: str = "solid"
    width: float = 2.0
    marks: bool = False


def history_lines(network: Network) -> list[Line]:
    """Coverage of each group by the first k sensors; the weighted mean where it differs.

    Where sensors stay and others are placed beside them, k begins with all that stay: their order
    means nothing.

    Parameters
    ----------
    network
        The network.
    """
    table, data = shown_table(network), network.dataset
    first = beginning(network)
    order = [float(k) for k in range(first, network.n_sensors + 1)]
    lines = []
    if len(objective_table(network)) > 1:
        mean = [0.0, *(100 * value for value in network.coverage_history)]
        lines.append(Line("Weighted mean", order, mean[first:], "#666666", width=4.0))
    names = [str(name) for name in data["group"].to_numpy()]
    histories = data["group_history"].to_numpy()
    for k, row in enumerate(table.itertuples()):
        covered = 100 * histories[:, names.index(str(row.Index))]
        name = f"{row.title} (estimated)" if row.estimated else str(row.title)
        lines.append(Line(name, order, [0.0, *covered.tolist()][first:], *_stroke(k)))
    return lines


def beginning(network: Network) -> int:
    """Least number of sensors that the history shows: those that stay, beside others; else 0."""
    return network.n_kept if network.n_kept < network.n_sensors else 0


def decile_lines(report: Equity) -> list[Line]:
    """Coverage of each tenth of a group's people, one line a group.

    Parameters
    ----------
    report
        What `spineq.equity` returned for a column.
    """
    lines = []
    for k, (name, row) in enumerate(report.groups.iterrows()):
        of_group = report.deciles[report.deciles["group"] == name]
        estimated = " (estimated)" if row["estimated"] else ""
        tenths = [float(tenth) for tenth in of_group["decile"]]
        covered = (100 * of_group["coverage"]).tolist()
        lines.append(Line(f"{row['title']}{estimated}", tenths, covered, *_stroke(k), marks=True))
    return lines


def _stroke(k: int) -> tuple[str, str]:
    return LINES[k % len(LINES)], _DASHES[STYLES[k % len(STYLES)]]


class Fit(anywidget.AnyWidget):
    """Has the figures of its page take the width of their boxes, whenever that changes.

    A figure that is drawn before its box has a width, or while it is hidden, is as wide as plotly
    likes, and looks again only when the window changes.
    """

    _esm = """
    export default { render({ el }) {
      el.style.height = "0";
      el.style.width = "100%";
      let timer;
      const tell = () => {
        clearTimeout(timer);
        timer = setTimeout(() => window.dispatchEvent(new Event("resize")), 100);
      };
      const boxes = new ResizeObserver(tell);
      boxes.observe(el);
      // Figures come when their script is there; what comes later is theirs to fit.
      const figures = new MutationObserver(() => {
        const drawn = el.parentElement?.querySelectorAll(".main-svg").length ?? 0;
        if (drawn !== figures.drawn) tell();
        figures.drawn = drawn;
      });
      const begin = setTimeout(() => {
        if (el.parentElement) figures.observe(el.parentElement, { childList: true, subtree: true });
        tell();
      }, 0);
      return () => {
        [timer, begin].forEach(clearTimeout);
        boxes.disconnect();
        figures.disconnect();
      };
    } };
    """


class LineChart(View):
    """A chart of lines, drawn when it is first seen and moved in place from then on.

    Parameters
    ----------
    state
        What is looked at; the chart is dark where the page is.
    pick
        Called with the x of a point that is clicked.
    """

    shows: ClassVar[tuple[str, ...]] = ("dark",)
    x_title: ClassVar[str] = ""
    y_title: ClassVar[str] = "Coverage (%)"

    def __init__(self, state: PanelState, pick: Callable[[int], object] | None = None) -> None:
        super().__init__(state)
        self.layout.width = "100%"
        #: The plotly figure; None before there is anything to draw.
        self.figure: Any = None
        self._pick = pick
        self._picked: int | None = None
        self._pick_once = state.guarded(self._pass_on)
        self._maker: threading.Thread | None = None
        self._lines: list[Line] = []
        self._dark = False
        # Made before plotly comes: a script that waits two seconds behind plotly's is given up.
        self._fit = Fit()
        self.children = (self._fit,)
        self.at_end(self._end)
        self.renew()

    def lines(self) -> list[Line]:
        """What is to be drawn now."""
        return []

    def draw(self) -> None:
        """Draw what is the case now."""
        lines, dark = self.lines(), self.state.dark
        if self.figure is None:
            if lines and self._maker is None:
                self._make_soon()
        elif lines != self._lines or dark != self._dark:
            self._move(lines, dark)
        if self.figure is not None and self.figure not in self.children:
            self.children = (self.figure, self._fit)

    def _make_soon(self) -> None:
        """Make the figure on a thread: the ticker's must not wait for plotly's import."""

        def make() -> None:
            figure = _new_figure(self.x_title, self.y_title)
            with self._drawing:
                self.figure, self._dark = figure, not self.state.dark
            self.ask()

        self._maker = threading.Thread(
            target=self.state.guarded(make), name="spineq-chart", daemon=True
        )
        self._maker.start()

    def wait(self, seconds: float = 60.0) -> None:
        """Draw what is the case now, also where the figure is to be made; for tests and scripts."""
        self.renew()
        if self._maker is not None:
            self._maker.join(seconds)
        self.renew()

    def _move(self, lines: list[Line], dark: bool) -> None:
        """Move the lines that are there; some more, or some unseen, where their number differs."""
        figure = self.figure
        missing = len(lines) - len(figure.data)
        if missing > 0:
            first = len(figure.data)
            figure.add_traces([{"type": "scatter", "x": [], "y": []} for _ in range(missing)])
            for trace in figure.data[first:]:
                trace.on_click(self.state.guarded(self._clicked))
        with figure.batch_update():
            if dark != self._dark:
                _shade(figure, dark)
            for k, trace in enumerate(figure.data):
                if k >= len(lines):
                    trace.update(x=[], y=[], visible=False)
                    continue
                self._put(trace, lines[k], dark)
            figure.layout.xaxis.update(**self.x_axis(lines))
            top = max((max(line.y, default=0.0) for line in lines), default=0.0)
            figure.layout.yaxis.range = [0, 1.05 * max(top, 1.0)]
        self._lines, self._dark = lines, dark

    def _put(self, trace: Any, line: Line, dark: bool) -> None:
        colour = _ON_DARK.get(line.colour, line.colour) if dark else line.colour
        trace.update(
            x=list(line.x),
            y=list(line.y),
            name=line.name,
            visible=True,
            mode="lines+markers" if line.marks or len(line.x) <= 60 else "lines",
            line={"color": colour, "dash": line.dash, "width": line.width},
            # Large enough to be hit with a finger, and hardly there where a line is long.
            marker={"color": colour, "size": 6 if line.marks else 5},
            hovertemplate=f"%{{y:.1f}} %<extra>{_escaped(line.name)}</extra>",
        )

    def x_axis(self, lines: list[Line]) -> dict[str, Any]:
        """What the axis of these lines needs."""
        right = max((max(line.x, default=0.0) for line in lines), default=1.0)
        left = min((min(line.x, default=0.0) for line in lines), default=0.0)
        room = 0.02 * max(right - left, 1.0)
        return {"range": [left - room, max(right, left + 1.0) + room], "hoverformat": ".0f"}

    def _clicked(self, trace: Any, points: Any, _selector: object = None) -> None:
        """Take a click; one click on lines that share an x comes once a line."""
        if self._pick is None or not points.point_inds:
            return
        self._picked = int(trace.x[points.point_inds[0]])
        self.state.ticker.ask(self._pick_once)

    def _end(self) -> None:
        self.state.ticker.forget(self._pick_once)
        figure, self.figure = self.figure, None
        for part in (figure, self._fit):
            if part is not None:
                part.close()

    def _pass_on(self) -> None:
        picked, self._picked = self._picked, None
        if picked is not None and self._pick is not None:
            self._pick(picked)


class HistoryChart(LineChart):
    """Coverage against the number of sensors in order of placement, one line a group.

    Parameters
    ----------
    state
        The network comes from its ``network``.
    pick
        Called with k when the point of the first k sensors is clicked.
    """

    shows: ClassVar[tuple[str, ...]] = ("network", "dark")
    x_title: ClassVar[str] = "Number of sensors, in order of placement"
    y_title: ClassVar[str] = "Coverage of the group (%)"

    #: A network that is drawn instead of the one that is shown, which is its beginning.
    whole: Network | None = None

    def lines(self) -> list[Line]:
        """The network's history."""
        network = self.whole or self.state.network
        return [] if network is None else history_lines(network)

    def x_axis(self, lines: list[Line]) -> dict[str, Any]:
        """Say that those that stay are counted, too."""
        network = self.whole or self.state.network
        first = 0 if network is None else beginning(network)
        words = f"Number of sensors, with the {first:,} that stay" if first else self.x_title
        return super().x_axis(lines) | {"title": {"text": words}}


class DecileChart(LineChart):
    """Coverage by tenths of each group's people, one line a group.

    Parameters
    ----------
    state
        Says whether the page is dark.
    report
        What `spineq.equity` returned; another is shown with `show`.
    """

    y_title: ClassVar[str] = "Coverage of the tenth (%)"

    def __init__(self, state: PanelState, report: Equity | None = None) -> None:
        self.report = report
        super().__init__(state)

    def show(self, report: Equity | None) -> None:
        """Draw another report; None, or one without a column, takes the lines away."""
        self.report = report
        self.ask()

    def lines(self) -> list[Line]:
        """The report's tenths."""
        if self.report is None or self.report.deciles.empty:
            return []
        return decile_lines(self.report)

    def x_axis(self, lines: list[Line]) -> dict[str, Any]:
        """Ten tenths, and by what."""
        by = self.report.by if self.report is not None else ""
        words = f"Tenth of the group's people, by {_escaped(by)} in their area, lowest first"
        return {"range": [0.7, 10.3], "tickvals": list(range(1, 11)), "title": {"text": words}}


def _new_figure(x_title: str, y_title: str) -> Any:
    import plotly.graph_objects as go

    figure = go.FigureWidget()
    figure._config = figure._config | {"displayModeBar": False, "responsive": True}
    figure.update_layout(
        height=HEIGHT,
        autosize=True,
        margin={"l": 56, "r": 12, "t": 8, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": 13, "family": "system-ui, sans-serif"},
        hovermode="x unified",
        dragmode=False,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        showlegend=True,
    )
    figure.update_xaxes(
        title={"text": x_title, "font": {"size": 13}}, zeroline=False, fixedrange=True
    )
    figure.update_yaxes(
        title={"text": y_title, "font": {"size": 13}}, rangemode="tozero", fixedrange=True
    )
    return figure


def _shade(figure: Any, dark: bool) -> None:
    """Fit the figure to the page's ground."""
    import plotly.io as pio

    figure.layout.template = pio.templates["plotly_dark" if dark else "plotly_white"]
    # The template has grounds of its own.
    figure.layout.update(paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")
    text, grid = ("#f0f0f0", "#4a4a4a") if dark else ("#1f1f1f", "#d9d9d9")
    figure.layout.font.color = text
    figure.layout.hoverlabel = {
        "bgcolor": "#2b2b2b" if dark else "#ffffff",
        "font": {"color": text, "size": 13},
    }
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        axis.gridcolor = grid


def _escaped(text: str) -> str:
    """Write text so that plotly takes nothing in it for its few tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
