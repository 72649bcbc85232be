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
from spineq.panel.elements import Text
from spineq.panel.plotly_parts import CONFIG, escaped, keep, shade
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible

if TYPE_CHECKING:
    from spineq.inequality import Equity
    from spineq.model.network import Network

#: Height of a chart, pixels.
HEIGHT = 300

#: Plotly's names for matplotlib's strokes.
_DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}

#: A line before it has points.
_EMPTY: dict[str, Any] = {"type": "scatter", "x": [], "y": []}

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

    Where sensors stay and others are placed beside them, those alone are counted: 0 is all that
    stay, whose order means nothing.

    Parameters
    ----------
    network
        The network.
    """
    table, data = shown_table(network), network.dataset
    first = beginning(network)
    order = [float(k) for k in range(network.n_sensors - first + 1)]
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
    likes, and looks again only when the window changes. It tells the kernel of figures that have
    come to be drawn: ``{"drawn": how many}``.
    """

    _esm = """
    export default { render({ model, el }) {
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
      let before = 0;
      const look = () => {
        const drawn = el.parentElement?.querySelectorAll(".main-svg").length ?? 0;
        if (drawn === before) return;
        before = drawn;
        tell();
        if (drawn) model.send({ drawn });
      };
      const figures = new MutationObserver(look);
      const begin = setTimeout(() => {
        if (el.parentElement) figures.observe(el.parentElement, { childList: true, subtree: true });
        look();
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
        Called with the number of a point that is clicked.
    """

    shows: ClassVar[tuple[str, ...]] = ("dark",)
    x_title: ClassVar[str] = ""
    y_title: ClassVar[str] = "Coverage (%)"

    def __init__(self, state: PanelState, pick: Callable[[int], object] | None = None) -> None:
        super().__init__(state)
        self.layout.width = "100%"
        # A figure that is a little wider than its box until it has been fitted would make the box
        # one that scrolls, which a keyboard cannot do while nothing in it takes the focus.
        self.layout.overflow = "hidden"
        #: The plotly figure; None before there is anything to draw.
        self.figure: Any = None
        self._pick = pick
        self._picked: int | None = None
        self._pick_once = state.guarded(self._pass_on)
        self._maker: threading.Thread | None = None
        # What was drawn: lines, what their axis needs, and whether it is dark.
        self._drawn: tuple[list[Line], dict[str, Any], bool] | None = None
        self._waiting = Text("Drawing the chart ...")
        # Made before plotly comes: a script that waits two seconds behind plotly's is given up.
        self._fit = Fit()
        # The figure's script takes a while, too, once the figure is there.
        self._fit.on_msg(state.guarded(lambda *_: visible(self._waiting, False)))
        visible(self._waiting, False)
        self.children = (self._waiting, self._fit)
        self.at_end(self._end)
        self.renew()

    def lines(self) -> list[Line]:
        """What is to be drawn now."""
        return []

    def draw(self) -> None:
        """Draw what is the case now."""
        lines = self.lines()
        if self.figure is None:
            visible(self._waiting, bool(lines))
            if lines and self._maker is None:
                self._make_soon()
            return
        wanted = lines, self.x_axis(lines), self.state.dark
        if wanted != self._drawn:
            self._move(*wanted)

    def _make_soon(self) -> None:
        """Make the figure on a thread: the ticker's must not wait for plotly's import."""

        def make() -> None:
            figure = _new_figure(self.x_title, self.y_title)
            with self._drawing:
                if self._closed:
                    return
                # Only what a figure is made with is sure to be on the page: what is sent while its
                # script is still loading is lost, and colours would be plotly's own.
                lines = self.lines()
                self._draw_on(figure, lines, self.x_axis(lines), self.state.dark)
                self.figure = _on_page(figure)
                for trace in self.figure.data:
                    trace.on_click(self.state.guarded(self._clicked))
                self.children = (self.figure, self._waiting, self._fit)
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

    def _move(self, lines: list[Line], axis: dict[str, Any], dark: bool) -> None:
        """Move the lines that are there; some more, or some unseen, where their number differs."""
        figure = self.figure
        first = len(figure.data)
        if len(lines) > first:
            figure.add_traces([_EMPTY] * (len(lines) - first))
            for trace in figure.data[first:]:
                trace.on_click(self.state.guarded(self._clicked))
        with figure.batch_update():
            self._draw_on(figure, lines, axis, dark)
        keep(figure)

    def _draw_on(self, figure: Any, lines: list[Line], axis: dict[str, Any], dark: bool) -> None:
        if len(figure.data) < len(lines):
            figure.add_traces([_EMPTY] * (len(lines) - len(figure.data)))
        if self._drawn is None or dark != self._drawn[2]:
            shade(figure, dark)
        for k, trace in enumerate(figure.data):
            if k < len(lines):
                self._put(trace, lines[k], dark)
            else:
                trace.update(x=[], y=[], visible=False)
        figure.layout.xaxis.update(**axis)
        top = max((max(line.y, default=0.0) for line in lines), default=0.0)
        figure.layout.yaxis.range = [0, 1.05 * max(top, 1.0)]
        self._drawn = lines, axis, dark

    def _put(self, trace: Any, line: Line, dark: bool) -> None:
        colour = _ON_DARK.get(line.colour, line.colour) if dark else line.colour
        trace.update(
            x=list(line.x),
            y=list(line.y),
            name=escaped(line.name),
            visible=True,
            mode="lines+markers" if line.marks or len(line.x) <= 60 else "lines",
            line={"color": colour, "dash": line.dash, "width": line.width},
            # Large enough to be hit with a finger, and hardly there where a line is long.
            marker={"color": colour, "size": 6 if line.marks else 5},
            hovertemplate=f"%{{y:.1f}} %<extra>{escaped(line.name)}</extra>",
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
        with self._drawing:
            figure, self.figure = self.figure, None
        for part in (figure, self._waiting, self._fit):
            if part is not None:
                part.close()

    def _pass_on(self) -> None:
        picked, self._picked = self._picked, None
        if picked is not None and self._pick is not None:
            self._pick(picked)


class HistoryChart(LineChart):
    """Coverage against the number of sensors in order of placement, one line a group.

    Where sensors stay, those that were placed beside them are counted.

    Parameters
    ----------
    state
        The network comes from its ``network``.
    pick
        Called with k when the point of the first k sensors is clicked, those that stay not
        counted.
    """

    shows: ClassVar[tuple[str, ...]] = ("network", "dark")
    x_title: ClassVar[str] = "Sensors, in order of placing"
    y_title: ClassVar[str] = "Coverage of the group (%)"

    #: A network that is drawn instead of the one that is shown, which is its beginning.
    whole: Network | None = None

    @property
    def drawn(self) -> Network | None:
        """The network whose history is drawn."""
        shown: Network | None = self.state.network
        return self.whole or shown

    def lines(self) -> list[Line]:
        """The network's history."""
        network = self.drawn
        return [] if network is None else history_lines(network)

    def x_axis(self, lines: list[Line]) -> dict[str, Any]:
        """Say beside how many that stay sensors were placed."""
        kept = 0 if self.drawn is None else beginning(self.drawn)
        words = f"Sensors beside the {kept:,} that stay" if kept else self.x_title
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
        words = f"Tenth of the group's people, by {escaped(by)} in their area, lowest first"
        return {"range": [0.7, 10.3], "tickvals": list(range(1, 11)), "title": {"text": words}}


def _new_figure(x_title: str, y_title: str) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        height=HEIGHT,
        autosize=True,
        margin={"l": 56, "r": 12, "t": 8, "b": 48},
        font={"size": 13, "family": "system-ui, sans-serif"},
        hoverlabel={"font": {"size": 13}},
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


def _on_page(figure: Any) -> Any:
    """Make a figure one that a page can show."""
    import plotly.graph_objects as go

    made = go.FigureWidget(figure)
    made._config = made._config | CONFIG
    return made
