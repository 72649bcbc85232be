"""Static pictures: people, coverage, difference, importance; by sensors, by tenths of people.

Every function draws into the ``ax`` that it is given, or makes a figure of its own, and
returns the axes. Maps carry a scale bar, a legend and the source of the data. Colours are
even in lightness and readable for colour-blind people.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._plot_city import density, importance
from spineq._plot_equity import deciles
from spineq._plot_front import front_maps, front_pairs, front_parallel
from spineq._plot_grid import difference_grid
from spineq._plot_parts import (
    LINES,
    STYLES,
    axes,
    credit,
    draw_map,
    estimates,
    existing_elsewhere,
    head,
    kept_words,
    of_whom,
)
from spineq._plot_questions import curve
from spineq._plot_stability import stability
from spineq.errors import ProblemError, shown
from spineq.insight.centroids import area_points
from spineq.measure import mean_change
from spineq.model._exports import need_network, need_same_city
from spineq.model._objective_words import (
    figure_name,
    maximised,
    points,
    sensors_words,
    worst_title,
)
from spineq.model._words import (
    counted,
    in_a_sentence,
    objective_table,
    percent,
    shown_table,
    theta_words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network

__all__ = [
    "curve",
    "deciles",
    "density",
    "difference",
    "difference_grid",
    "front_maps",
    "front_pairs",
    "front_parallel",
    "history",
    "importance",
    "network",
    "save",
    "stability",
    "to_png",
]

#: Up to so many sensors have numbers on them, as on the panel's map.
_NUMBERED = 60

#: How a figure is written: with everything that stands beside its axes.
_WHOLE: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": 0.12}

_SENSOR: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": "#c1121f",
    "linewidth": 1.4,
    "zorder": 5,
}
_STAYS: dict[str, Any] = _SENSOR | {"facecolor": "#c1121f", "edgecolor": "white", "marker": "s"}
_OTHER: dict[str, Any] = {"edgecolor": "#111111", "zorder": 4}
_EXISTING: dict[str, Any] = {
    "marker": "x",
    "color": "#111111",
    "linewidth": 1.0,
    "s": 18,
    "zorder": 4,
}

#: What is taken away may stand close to what stays: above it.
_GONE: dict[str, Any] = {
    "marker": "X",
    "facecolor": "#111111",
    "edgecolor": "white",
    "linewidth": 0.9,
    "s": 46,
    "zorder": 7,
}


def network(
    net: Network,
    city: City,
    *,
    ax: Axes | None = None,
    number: bool | None = None,
    existing: bool = True,
) -> Axes:
    """Draw the coverage of every area and the sensors.

    Parameters
    ----------
    net, city
        The network and the city that it was made for.
    ax
        Where to draw; a figure of its own by default.
    number
        Whether to number the sensors that do not stay, in order of placement; by default up
        to 60.
    existing
        Whether to mark the city's existing sensors at whose places none of the network's stands.

    Raises
    ------
    ProblemError
        No network, or no city.
    DataError
        The network was made for another city.
    """
    need_same_city(net, city)
    own_figure = ax is None
    place = "its point" if area_points(city) == city.n_areas else "its points"
    notes = [
        net.certificate() if own_figure else "",
        f"An area's colour is the coverage of its people, who are taken to be at {place}",
        city.attribution,
        estimates(objective_table(net)),
    ]
    values = net.area_coverage.to_numpy()
    ax = draw_map(city, values, ax, label="Coverage of the area", top=1.0, notes=notes)
    placed = net.n_sensors - net.n_kept
    numbered = number if number is not None else placed <= _NUMBERED
    order = "in the order given" if net.method == "given" else "in order of placement"
    xy, size = net.sensors[["x", "y"]].to_numpy(), 60 if net.n_sensors <= 30 else 24
    many = f", numbered {order}" if numbered else ""
    for kind, marker, rows in _by_kind(net):
        ax.scatter(
            xy[rows, 0],
            xy[rows, 1],
            s=(110 if placed <= 30 else 64) if numbered else size,
            label=f"{counted(len(rows), f'{kind} sensor'.strip())}{many}",
            marker=marker,
            **_SENSOR,
        )
    if net.n_kept:
        x, y = xy[: net.n_kept].T
        ax.scatter(x, y, s=size, label=kept_words(city, net), **_STAYS)
    if numbered:
        for k, place in enumerate(xy[net.n_kept :], start=1):
            ax.annotate(
                str(k),
                place,
                ha="center",
                va="center",
                fontsize=7 if placed <= 30 else 5.5,
                zorder=6,
            )
    now = existing_elsewhere(city, net) if existing else None
    if now is not None and len(now):
        what, style = "existing", _EXISTING
        if net.problem.changes_existing:
            what, style = "no longer there", _GONE
        ax.scatter(now["x"], now["y"], label=f"{len(now):,} {what}", **style)
    head(
        ax,
        f"{city.name or 'City'}: {sensors_words(net)}, {_reached(net)}mean coverage of "
        f"{of_whom(net)} {percent(net.total_coverage)} (theta {theta_words(net)})",
    )
    return ax


def _by_kind(net: Network) -> list[tuple[str, str, NDArray[np.int64]]]:
    """Kinds of the sensors that do not stay, each with a mark and its rows in their table."""
    placed = np.arange(net.n_kept, net.n_sensors)
    if not net.problem.kinds:
        return [("", "o", placed)]
    kind = net.sensors["kind"].to_numpy()[placed]
    names = [name for name, _ in net.problem.kinds]
    marks = itertools.cycle("o^Ds*Pv")
    return [(name, next(marks), placed[kind == name]) for name in names]


def _reached(net: Network) -> str:
    """Write what was maximised and its figure, for a title; nothing for the mean."""
    kind = maximised(net.problem)
    if kind == "mean":
        return ""
    more = {
        "equivalent": f" (inequality aversion {net.problem.aversion:g})",
        "worst": f" ({worst_title(net)})",
    }.get(kind, "")
    name = in_a_sentence(figure_name(net.problem))
    return f"{name}{more} {percent(net.objective_value)}, "


def _mean_name(net: Network) -> str:
    return "What was maximised" if maximised(net.problem) == "mean" else "Weighted mean"


def history(net: Network, *, ax: Axes | None = None) -> Axes:
    """Draw coverage against the number of sensors, one line a group.

    Parameters
    ----------
    net
        The network. At k stands what its first k sensors cover, which is not the best that k
        sensors could.
    ax
        Where to draw; a figure of its own by default.

    Raises
    ------
    ProblemError
        No network.
    """
    from matplotlib.ticker import MaxNLocator

    need_network(net)
    ax = axes(ax, (7.0, 4.5))
    data = net.dataset
    order = np.arange(net.n_sensors + 1)
    table = shown_table(net)
    several = int((table["weight"] > 0).sum()) > 1
    if several:
        total = np.concatenate([[0.0], net.coverage_history])
        ax.plot(order, 100 * total, color="#666666", linewidth=3, alpha=0.5, label=_mean_name(net))
    for k, row in enumerate(table.itertuples()):
        line = np.concatenate([[0.0], data["group_history"].sel(group=row.Index).to_numpy()])
        ax.plot(
            order,
            100 * line,
            color=LINES[k % len(LINES)],
            linestyle=STYLES[k % len(STYLES)],
            linewidth=2,
            label=f"{row.title}{' (estimated)' if row.estimated else ''}: {percent(line[-1])}",
        )
    ax.set_xlim(0, max(net.n_sensors, 1))
    ax.set_ylim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Number of sensors, in order of placement")
    ax.set_ylabel("Coverage of the group (%)")
    ax.grid(alpha=0.3)
    city = data.attrs["city_name"] or "City"
    head(ax, f"{city}: coverage by number of sensors (theta {theta_words(net)})")
    credit(ax, [data.attrs["attribution"], estimates(table)], below=36)
    return ax


def difference(
    net: Network,
    other: Network,
    city: City,
    *,
    ax: Axes | None = None,
    labels: tuple[str, str] = ("this network", "the other"),
) -> Axes:
    """Draw where one network covers better or worse than another.

    Parameters
    ----------
    net, other
        The networks; shown is the coverage by ``net`` minus that by ``other``. The title has
        the change for the groups that ``net`` was made for.
    city
        The city that both were made for.
    ax
        Where to draw; a figure of its own by default.
    labels
        What the legend calls the two.

    Raises
    ------
    ProblemError
        No network, or no city.
    DataError
        A network was made for another city.
    """
    need_same_city(net, city)
    need_same_city(other, city)
    values = net.area_coverage.to_numpy() - other.area_coverage.to_numpy()
    top = max(float(np.abs(values).max()), 0.01)
    ax = draw_map(
        city,
        values,
        ax,
        label="Change of coverage (percentage points)",
        top=top,
        notes=[city.attribution, estimates(objective_table(net))],
        diverging=True,
    )
    mine, theirs = ({(row.x, row.y) for row in one.sensors.itertuples()} for one in (net, other))
    for places, name, style in (
        (mine - theirs, f"only in {labels[0]}", _SENSOR | {"marker": "o", "s": 34}),
        (theirs - mine, f"only in {labels[1]}", _SENSOR | _OTHER | {"marker": "s", "s": 22}),
        (mine & theirs, "in both", _SENSOR | {"marker": "D", "s": 26, "facecolor": "#c1121f"}),
    ):
        if places:
            xy = np.array(sorted(places))
            ax.scatter(*xy.T, label=f"{counted(len(xy), 'sensor')} {name}", **style)
    # By the first network's weights: the other may have been made for other groups.
    change = mean_change(net, other, city)
    thetas = " against ".join(dict.fromkeys([theta_words(net), theta_words(other)]))
    head(
        ax,
        f"{city.name or 'City'}: {counted(net.n_sensors, 'sensor')} against "
        f"{other.n_sensors:,}, mean coverage of {of_whom(net)} "
        f"{points(change)} percentage points (theta {thetas})",
    )
    return ax


def save(ax: Axes | NDArray[np.object_], path: Any, *, dpi: int = 160) -> None:
    """Write the figure of some axes as a PNG (or what the ending says) and close it.

    Parameters
    ----------
    ax
        What a function of this module returned: axes, or an array of those of one figure.
    path
        File to write; an earlier one is replaced in one step.
    dpi
        Dots per inch.

    Raises
    ------
    ProblemError
        No axes, or those of several figures.
    StoreError
        The file cannot be written.
    """
    from spineq.store import whole_file

    figure = _figure_of(ax)
    with _closed(figure), whole_file(path) as temporary:
        # Whatever is written beside the axes is on the picture, however long it is.
        figure.savefig(temporary, dpi=dpi, **_WHOLE)


def to_png(ax: Axes | NDArray[np.object_], *, dpi: int = 160) -> bytes:
    """Return the figure of some axes as a PNG and close it.

    Parameters
    ----------
    ax
        What a function of this module returned: axes, or an array of those of one figure.
    dpi
        Dots per inch.

    Raises
    ------
    ProblemError
        No axes, or those of several figures.
    """
    figure, stream = _figure_of(ax), io.BytesIO()
    with _closed(figure):
        figure.savefig(stream, format="png", dpi=dpi, **_WHOLE)
    return stream.getvalue()


def _figure_of(ax: object) -> Any:
    """Check that axes are of one figure, and return it."""
    from matplotlib.axes import Axes

    several: list[Any] = list(ax.flat) if isinstance(ax, np.ndarray) else [ax]
    if not several or not all(isinstance(one, Axes) for one in several):
        msg = f"axes are needed, not {shown(ax)}"
        mend = "Give what a function of spineq.plot returned"
        raise ProblemError(msg, field="ax", mend=mend)
    if len({id(one.figure) for one in several}) > 1:
        msg = "the axes must be of one figure, not of several"
        raise ProblemError(msg, field="ax", mend="Save each figure by itself")
    return several[0].figure


@contextmanager
def _closed(figure: Any) -> Iterator[None]:
    """Close a figure in the end, whatever happens."""
    import matplotlib.pyplot as plt

    try:
        yield
    finally:
        plt.close(figure)
