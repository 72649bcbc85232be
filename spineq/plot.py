"""Static pictures: coverage, difference, importance, and coverage against number of sensors.

Every function draws into the ``ax`` that it is given, or makes a figure of its own, and
returns the axes. Maps carry a scale bar, a legend and the source of the data. Colours are
even in lightness and readable for colour-blind people.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.model._exports import need_same_city
from spineq.model._words import counted, objective_words, percent, theta_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.model.network import Network
    from spineq.model.problem import Problem

_SENSOR: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": "#c1121f",
    "linewidth": 1.4,
    "zorder": 5,
}
_EXISTING: dict[str, Any] = {
    "marker": "x",
    "color": "#111111",
    "linewidth": 1.0,
    "s": 18,
    "zorder": 4,
}

# Okabe and Ito (2008): eight colours that colour-blind people tell apart; yellow left out.
_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_STYLES = ("-", "--", "-.", ":")


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
        Whether to write the order of placement beside the sensors; by default up to 30.
    existing
        Whether to mark the city's existing sensors.

    Raises
    ------
    DataError
        The network was made for another city.
    """
    need_same_city(net, city)
    ax = _map(city, net.area_coverage.to_numpy(), ax, label="Coverage of the area", top=1.0)
    data = net.dataset
    size = 60 if net.n_sensors <= 30 else 24
    ax.scatter(
        data["sensor_x"],
        data["sensor_y"],
        s=size,
        label=counted(net.n_sensors, "sensor"),
        **_SENSOR,
    )
    if number if number is not None else net.n_sensors <= 30:
        for order, row in net.sensors.iterrows():
            ax.annotate(
                str(order), (row["x"], row["y"]), ha="center", va="center", fontsize=5, zorder=6
            )
    if existing and city.existing is not None:
        now = city.existing
        ax.scatter(now["x"], now["y"], label=f"{len(now):,} existing", **_EXISTING)
    _legend(ax)
    ax.set_title(
        f"{city.name or 'City'}: {counted(net.n_sensors, 'sensor')} "
        f"{'covers' if net.n_sensors == 1 else 'cover'} "
        f"{percent(net.total_coverage)} of {_of_whom(net)} (theta {theta_words(net)})\n"
        f"{net.certificate()}",
        fontsize=9,
    )
    return ax


def history(net: Network, *, ax: Axes | None = None) -> Axes:
    """Draw coverage against the number of sensors, one line a group.

    Parameters
    ----------
    net
        The network; its first k sensors are the network of k.
    ax
        Where to draw; a figure of its own by default.
    """
    from matplotlib.ticker import MaxNLocator

    ax = _axes(ax, (7.0, 4.5))
    data = net.dataset
    order = np.arange(net.n_sensors + 1)
    table = net.table()
    several = int((table["weight"] > 0).sum()) > 1
    if several:
        total = np.concatenate([[0.0], net.coverage_history])
        ax.plot(order, 100 * total, color="#666666", linewidth=3, alpha=0.5, label="Objective")
    for k, row in enumerate(table.itertuples()):
        line = np.concatenate([[0.0], data["group_history"].sel(group=row.Index).to_numpy()])
        ax.plot(
            order,
            100 * line,
            color=_LINES[k % len(_LINES)],
            linestyle=_STYLES[k % len(_STYLES)],
            linewidth=2,
            label=f"{row.title}{' (estimated)' if row.estimated else ''}: {percent(line[-1])}",
        )
    ax.set_xlim(0, max(net.n_sensors, 1))
    ax.set_ylim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Number of sensors, in order of placement")
    ax.set_ylabel("Coverage of the group (%)")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=8, loc="best")
    city = data.attrs["city_name"] or "City"
    ax.set_title(f"{city}: coverage by number of sensors (theta {theta_words(net)})", fontsize=10)
    _credit(ax, data.attrs["attribution"], below=0.16)
    return ax


def difference(net: Network, other: Network, city: City, *, ax: Axes | None = None) -> Axes:
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

    Raises
    ------
    DataError
        A network was made for another city.
    """
    need_same_city(net, city)
    need_same_city(other, city)
    values = net.area_coverage.to_numpy() - other.area_coverage.to_numpy()
    top = max(float(np.abs(values).max()), 0.01)
    ax = _map(
        city, values, ax, label="Change of coverage (percentage points)", top=top, diverging=True
    )
    for one, marker, name in ((net, "o", "in this network"), (other, "s", "in the other")):
        style = _SENSOR | ({} if marker == "o" else {"edgecolor": "#111111", "s": 16, "zorder": 4})
        ax.scatter(
            one.dataset["sensor_x"],
            one.dataset["sensor_y"],
            marker=marker,
            label=f"{counted(one.n_sensors, 'sensor')} {name}",
            **({"s": 30} | style),
        )
    _legend(ax)
    # By the first network's weights: the other may have been made for other groups.
    change = float(net.dataset["area_weight"].to_numpy() @ values)
    ax.set_title(
        f"{city.name or 'City'}: {counted(net.n_sensors, 'sensor')} against "
        f"{other.n_sensors:,}, {100 * change:+.1f} percentage points of {_of_whom(net)}",
        fontsize=10,
    )
    return ax


def importance(
    city: City,
    problem: Problem | None = None,
    *,
    ax: Axes | None = None,
    groups: dict[str, Group] | None = None,
    theta: float = 500.0,
) -> Axes:
    """Draw how much a single sensor would cover, at each area's point.

    Parameters
    ----------
    city
        The city; with sites of its own, an area shows the best site inside it.
    problem
        Groups, theta and decay; or give ``groups`` and ``theta``.
    ax
        Where to draw; a figure of its own by default.
    groups, theta
        See `spineq.Problem`.
    """
    from spineq.model.problem import Problem
    from spineq.solve import site_values

    if problem is None:
        problem = Problem(n_sensors=1, theta=theta, groups=tuple((groups or {}).items()))
    values = site_values(city, problem)
    position = {area: k for k, area in enumerate(city.dataset["area"].to_numpy())}
    by_area = np.full(city.n_areas, np.nan)
    for area, value in zip(city.site_areas, values, strict=True):
        k = position[area]
        by_area[k] = np.fmax(by_area[k], value)
    ax = _map(
        city,
        by_area,
        ax,
        label="Coverage by one sensor there",
        top=float(np.nanmax(by_area)),
        decimals=1,
    )
    ax.set_title(
        f"{city.name or 'City'}: what one sensor would cover "
        f"(theta {problem.theta:,g} {city.travel_unit})",
        fontsize=10,
    )
    return ax


# ---------------------------------------------------------------------------- parts


def _of_whom(net: Network) -> str:
    """Name the objective's group, or say how many there are: titles have little room."""
    several = int((net.table()["weight"] > 0).sum())
    return objective_words(net) if several == 1 else f"{several} weighted groups"


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    made: Axes = plt.subplots(figsize=size, layout="constrained")[1]
    return made


def _map(
    city: City,
    values: NDArray[np.float64],
    ax: Axes | None,
    *,
    label: str,
    top: float,
    diverging: bool = False,
    decimals: int = 0,
) -> Axes:
    """Draw values of areas, (area,), with colour bar, scale bar and source."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import PercentFormatter

    ax = _axes(ax, (7.0, 6.2))
    colours = "PuOr" if diverging else "viridis"
    scale = Normalize(-top if diverging else 0.0, top)
    polygons = city.polygons
    x, y = city.dataset["x"].to_numpy(), city.dataset["y"].to_numpy()
    if polygons is not None:
        shown = polygons.assign(value=values)
        shown.plot(
            "value",
            ax=ax,
            cmap=colours,
            norm=scale,
            edgecolor="face",
            linewidth=0.2,
            missing_kwds={"color": "#d9d9d9"},
        )
    else:
        size = float(np.clip(8000 / max(len(x), 1), 2, 60))
        ax.scatter(x, y, c=values, s=size, cmap=colours, norm=scale, linewidth=0)
    ax.set_aspect("equal")
    ax.set_axis_off()
    south, north = ax.get_ylim()
    # Room for the scale bar below the city.
    ax.set_ylim(south - 0.06 * (north - south), north)
    bar = ax.figure.colorbar(
        ScalarMappable(scale, colours),
        ax=ax,
        shrink=0.6,
        pad=0.02,
        format=PercentFormatter(1.0, decimals=decimals, symbol="" if diverging else " %"),
    )
    bar.set_label(label)
    _scale_bar(ax)
    _credit(ax, " ".join(filter(None, [city.attribution, _estimates(city)])), below=0.02)
    return ax


def _estimates(city: City) -> str:
    split = [
        group.label for group in city.reported_groups().values() if city.people(group).estimated
    ]
    return f"Estimated from split age bands: {', '.join(split)}." if split else ""


def _scale_bar(ax: Axes) -> None:
    """Draw a bar of a round length, a quarter of the map at most."""
    from matplotlib.font_manager import FontProperties
    from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

    width = abs(ax.get_xlim()[1] - ax.get_xlim()[0])
    power = 10.0 ** np.floor(np.log10(max(width / 4, 1e-9)))
    length = max(step * power for step in (1, 2, 5) if step * power <= max(width / 4, power))
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    ax.add_artist(
        AnchoredSizeBar(
            ax.transData,
            length,
            text,
            "lower right",
            pad=0.3,
            sep=3,
            frameon=False,
            size_vertical=width / 300,
            fontproperties=FontProperties(size=8),
        )
    )


def _legend(ax: Axes) -> None:
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=8)


def _credit(ax: Axes, text: str, *, below: float) -> None:
    if text:
        ax.text(
            0.0,
            -below,
            textwrap.fill(text, 100),
            transform=ax.transAxes,
            fontsize=6,
            color="#555555",
            va="top",
        )


def save(ax: Axes, path: Any, *, dpi: int = 160) -> None:
    """Write the figure of some axes as a PNG (or what the ending says) and close it.

    Parameters
    ----------
    ax
        Axes that a function of this module returned.
    path
        File to write; an earlier one is replaced in one step.
    dpi
        Dots per inch.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    import matplotlib.pyplot as plt

    from spineq.store import whole_file

    figure: Any = ax.figure
    try:
        with whole_file(path) as temporary:
            figure.savefig(temporary, dpi=dpi)
    finally:
        plt.close(figure)
