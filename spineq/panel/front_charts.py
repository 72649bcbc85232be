"""Charts of a front: parallel coordinates to brush, strips of points, and two groups in a plane.

Plotly is slow to import and its figures are large, so that both come when they are needed.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._plot_parts import LINES
from spineq.model._front_words import titles
from spineq.panel.front_points import MARKS, bounds, swarm
from spineq.panel.plotly_parts import CONFIG, escaped, ground, keep, shade

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.front import Front

#: Height of a chart, pixels.
HEIGHT = 290

#: Points of a figure above which it is drawn with WebGL; pages may have few such figures.
_MANY = 4_000

#: Width of the strips that is reckoned with, pixels; where there is more, points lie looser.
_WIDTH = 280

#: Coverage in percentage points within which a brush that reaches an axis's end is no limit.
_CLOSE = 0.05


class FrontCharts:
    """Three figures over one front, moved in place.

    Parameters
    ----------
    lock
        Held while a figure changes: the page's brushes come on other threads than ours.
    clicked
        Called with the number of the network whose point was clicked.
    brushed
        Called with a limit by position of group, percent, or None without one, when an axis was
        brushed.
    front
        A front that has networks.
    dark
        Whether the page is dark.
    """

    def __init__(
        self,
        lock: threading.RLock,  # type: ignore[valid-type, unused-ignore]
        clicked: Callable[[int], object],
        brushed: Callable[[list[float | None]], object],
        front: Front,
        dark: bool = False,
    ) -> None:
        import plotly.graph_objects as go

        self._lock: Any = lock
        self._clicked, self._brushed = clicked, brushed
        self._moving = False
        self._coverage = 100 * front.group_coverage.to_numpy()
        self._titles = [_short(title) for title in titles(front)]
        self._numbers = [front.knee(), front.worst_best(), -1]
        self._pair = (0, 1)
        self._offsets: NDArray[Any] = np.empty((0, 0))
        self.parallel = go.Figure(go.Parcoords(dimensions=[]))
        kinds = [
            go.Scattergl if points > _MANY else go.Scatter
            for points in (self._coverage.size, len(self._coverage))
        ]
        self.swarm, self.pairs = (go.Figure([*_points(kind), *_marks()]) for kind in kinds)
        self._lay_out()
        self._draw_parallel()
        self._draw_swarm()
        self._draw_pairs()
        self._on_page = False
        self.shade(dark)
        # Only what a figure is made with is sure to be on the page: what is changed while its
        # script is still loading is lost, and a script does not bear axes that come later.
        figure = _figure_class(lock)
        self.parallel, self.swarm, self.pairs = map(figure, self.figures)
        for each in self.figures:
            each._config = each._config | CONFIG
        self._on_page = True
        self.parallel.data[0].on_change(self._on_brush, "dimensions")
        for each in (self.swarm, self.pairs):
            each.data[0].on_click(self._on_point)

    @property
    def figures(self) -> tuple[Any, Any, Any]:
        """Parallel coordinates, strips, and pairs."""
        return self.parallel, self.swarm, self.pairs

    def close(self) -> None:
        """Take the figures away."""
        for figure in self.figures:
            figure.close()

    # What is drawn

    def limit(self, limits: list[float | None], within: NDArray[np.bool_]) -> None:
        """Grey the networks outside limits.

        Parameters
        ----------
        limits
            Least coverage by group, percent; None without one.
        within
            Whether a network reaches them, (network,).
        """
        all_are = bool(within.all())
        chosen = np.flatnonzero(within)
        n, groups = self._coverage.shape
        strips = (chosen[None, :] + n * np.arange(groups)[:, None]).ravel()
        with self._lock, self._moved(self.parallel):
            trace, top = self.parallel.data[0], self._top()
            for dimension, limit in zip(trace.dimensions, limits, strict=True):
                wanted = None if limit is None else (limit, max(top, limit + 1))
                if dimension.constraintrange != wanted:
                    dimension.constraintrange = wanted
        with self._lock:
            for figure, indices in ((self.swarm, strips), (self.pairs, chosen)):
                with self._moved(figure):
                    figure.data[0].selectedpoints = None if all_are else indices.tolist()

    def mark(self, number: int) -> None:
        """Mark the network that is on the map; -1 for none."""
        with self._lock:
            self._numbers[2] = number
            with self._moved(self.parallel):
                self.parallel.data[0].line.color = self._line_colours()
            for figure, place in ((self.swarm, self._on_strips), (self.pairs, self._on_plane)):
                with self._moved(figure):
                    x, y = place(number)
                    figure.data[3].update(x=x, y=y, visible=number >= 0)

    def pair(self, x: int, y: int) -> None:
        """Show these two groups against each other, by position."""
        with self._lock:
            self._pair = (x, y)
            self._draw_pairs()

    def shade(self, dark: bool) -> None:
        """Fit the figures to the page's ground."""
        colours, point = ground(dark), LINES[4] if dark else LINES[0]
        with self._lock:
            for figure in self.figures:
                with self._moved(figure):
                    shade(figure, dark, axes=figure is not self.parallel)
                    if figure is self.parallel:
                        line = figure.data[0]
                        line.line.colorscale = _scale(point)
                        line.unselected.line.update(color=colours.rest, opacity=0.25)
                        for font in (line.labelfont, line.tickfont, line.rangefont):
                            font.color = colours.text
                        continue
                    figure.data[0].marker.color = point
                    figure.data[0].unselected.marker.update(color=colours.rest, opacity=0.35)
                    for mark in figure.data[1:]:
                        mark.marker.line.color = colours.text
            if self._on_page:
                for figure in self.figures:
                    keep(figure)

    def _lay_out(self) -> None:
        for figure in self.figures:
            figure.update_layout(
                height=HEIGHT,
                autosize=True,
                font={"size": 12, "family": "system-ui, sans-serif"},
                margin={"l": 56, "r": 12, "t": 8, "b": 44},
                dragmode=False,
                hovermode="closest",
                legend={
                    "orientation": "h",
                    "x": 0,
                    "y": 1.02,
                    "yanchor": "bottom",
                    "font": {"size": 11},
                },
            )
        self.parallel.layout.margin.update(l=64, r=64, t=64, b=24)
        self.parallel.data[0].update(labelside="top", line={"cmin": 0, "cmax": 3})
        for figure in (self.swarm, self.pairs):
            figure.update_xaxes(zeroline=False, fixedrange=True, ticksuffix=" %")
            figure.update_yaxes(zeroline=False, fixedrange=True)
        self.pairs.update_yaxes(ticksuffix=" %")

    def _top(self) -> float:
        return max(high for _, high in bounds(self._coverage / 100))

    def _low(self) -> float:
        return min(low for low, _ in bounds(self._coverage / 100))

    def _line_colours(self) -> NDArray[np.float64]:
        made = np.zeros(len(self._coverage))
        for k, number in enumerate(self._numbers, start=1):
            if number >= 0:
                made[number] = k
        return made

    def _draw_parallel(self) -> None:
        # One scale for all: the same height is the same coverage.
        ends = [self._low(), self._top()]
        dimensions = [
            {
                "label": f"{title}, %",
                "values": column,
                "range": ends,
                "tickformat": ".0f",
                "multiselect": False,
            }
            for title, column in zip(self._titles, self._coverage.T, strict=True)
        ]
        with self._moved(self.parallel):
            self.parallel.data[0].update(dimensions=dimensions, overwrite=True)
            self.parallel.data[0].line.color = self._line_colours()

    def _draw_swarm(self) -> None:
        n, groups = self._coverage.shape
        span = self._top() - self._low()
        for size in (7, 5, 4, 3) if n <= 1_500 else (2,):
            # Pixels of a strip, but for axis and legend, and for the gap between strips.
            lanes = max(int(0.84 * (HEIGHT - 90) / groups / size), 1)
            lanes = lanes - 1 + lanes % 2
            apart = span * (size + 1) / _WIDTH
            columns = [swarm(column, apart, lanes) for column in self._coverage.T]
            if all(
                (np.diff(np.sort(column[rows == lane])) >= apart * (1 - 1e-9)).all()
                for column, rows in zip(self._coverage.T, columns, strict=True)
                for lane in range(-lanes // 2, lanes // 2 + 1)
            ):
                break
        self._offsets = 0.84 / lanes * np.column_stack(columns)
        x = self._coverage.T.ravel()
        y = (np.arange(groups)[:, None] + self._offsets.T).ravel()
        room = 0.03 * span
        with self._moved(self.swarm):
            self.swarm.data[0].update(
                x=x,
                y=y,
                customdata=np.tile(np.arange(n), groups),
                marker={"size": size},
                selectedpoints=None,
                hovertemplate="Network %{customdata}: %{x:.1f} %<extra></extra>",
            )
            for trace, number in zip(self.swarm.data[1:], self._numbers, strict=True):
                xs, ys = self._on_strips(number)
                trace.update(x=xs, y=ys, visible=number >= 0)
            self.swarm.layout.xaxis.update(
                range=[self._low() - room, self._top() + room], title={"text": "Coverage (%)"}
            )
            self.swarm.layout.yaxis.update(
                tickvals=list(range(groups)), ticktext=self._titles, showgrid=False,
                range=[groups - 0.5, -0.5], automargin=True,
            )  # fmt: skip

    def _draw_pairs(self) -> None:
        x, y = self._pair
        with self._moved(self.pairs):
            self.pairs.data[0].update(
                x=self._coverage[:, x],
                y=self._coverage[:, y],
                customdata=np.arange(len(self._coverage)),
                marker={"size": 7 if len(self._coverage) <= 1_000 else 4},
                hovertemplate="Network %{customdata}: %{x:.1f} and %{y:.1f} %<extra></extra>",
            )
            for trace, number in zip(self.pairs.data[1:], self._numbers, strict=True):
                xs, ys = self._on_plane(number)
                trace.update(x=xs, y=ys, visible=number >= 0)
            self.pairs.layout.xaxis.title.text = f"{self._titles[x]} (%)"
            self.pairs.layout.yaxis.title.text = f"{self._titles[y]} (%)"

    def _on_strips(self, number: int) -> tuple[list[float], list[float]]:
        """Where a network is on every strip."""
        if number < 0:
            return [], []
        at = np.arange(self._coverage.shape[1]) + self._offsets[number]
        return self._coverage[number].tolist(), at.tolist()

    def _on_plane(self, number: int) -> tuple[list[float], list[float]]:
        if number < 0:
            return [], []
        x, y = self._pair
        return [float(self._coverage[number, x])], [float(self._coverage[number, y])]

    # What people do

    def _moved(self, figure: Any) -> Any:
        return _Moving(self, figure)

    def _on_point(self, trace: Any, points: Any, _: object) -> None:
        if points.point_inds:
            self._clicked(int(trace.customdata[points.point_inds[0]]))

    def _on_brush(self, _trace: object, dimensions: Any) -> None:
        """Take an axis's lower end as the limit; its upper end means nothing here."""
        if self._moving:
            return
        limits: list[float | None] = []
        for dimension, column in zip(dimensions, self._coverage.T, strict=True):
            ends = dimension.constraintrange
            low = None if not ends else float(np.min(np.asarray(ends, dtype=np.float64)))
            if low is not None:
                # Downwards, so that the network that the brush began at is within.
                low = math.floor(round(10 * low, 4)) / 10
                low = None if low <= column.min() + _CLOSE and low < column.min() else low
            limits.append(low)
        self._brushed(limits)


class _Moving:
    """Changes of a figure by us, sent at once; what it says of them is no brush."""

    def __init__(self, charts: FrontCharts, figure: Any) -> None:
        self._charts, self._batch = charts, figure.batch_update()

    def __enter__(self) -> None:
        self._charts._lock.acquire()
        self._charts._moving = True
        self._batch.__enter__()

    def __exit__(self, *error: Any) -> None:
        try:
            self._batch.__exit__(*error)
        finally:
            self._charts._moving = False
            self._charts._lock.release()


def _figure_class(lock: Any) -> Any:
    """Make figures whose changes by the page wait for ours."""
    import plotly.graph_objects as go

    class Figure(go.FigureWidget):  # type: ignore[misc, unused-ignore]
        def plotly_restyle(self, *given: Any, **words: Any) -> Any:
            with lock:
                return super().plotly_restyle(*given, **words)

    return Figure


def _points(kind: Any) -> list[Any]:
    """Make the trace of all networks."""
    return [kind(x=[], y=[], mode="markers", showlegend=False)]


def _marks() -> list[Any]:
    import plotly.graph_objects as go

    return [
        go.Scatter(
            x=[], y=[], mode="markers", name=mark.label, visible=False, hoverinfo="skip",
            marker={"color": mark.colour, "symbol": mark.symbol, "size": 13, "line": {"width": 1}},
        )
        for mark in MARKS
    ]  # fmt: skip


def _scale(point: str) -> list[tuple[float, str]]:
    """Give a line its colour by 0, or 1 to 3 for a mark."""
    colours = [point, *(mark.colour for mark in MARKS)]
    return [(end, c) for k, c in enumerate(colours) for end in (k / 4, (k + 1) / 4)]


def _short(title: str) -> str:
    """Write a title so that it fits and nothing in it is taken for plotly's tags."""
    return escaped(title if len(title) <= 22 else f"{title[:21]}\N{HORIZONTAL ELLIPSIS}")
