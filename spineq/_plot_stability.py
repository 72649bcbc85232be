"""Map of how often places are chosen where the numbers differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._plot_parts import colour_bar, colours_to, draw_dots, draw_map, head
from spineq.errors import DataError, ProblemError, shown
from spineq.insight.stability import Stability
from spineq.insight.stability_words import MOST, worth
from spineq.model._exports import need_city
from spineq.model._words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Up to so many sensors have their share on them.
_WRITTEN = 60

#: Least share of each class of sensors, what the legend says of it, and its mark: told apart by
#: shape, not by colour.
_CLASSES = (
    (MOST, "{most:.0%} or more", "o"),
    (0.5, "50 % to {most:.0%}", "s"),
    (0.0, "less than 50 %", "D"),
)

_SENSOR: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": "#c1121f",
    "linewidth": 1.4,
    "zorder": 5,
}
_STAYS: dict[str, Any] = _SENSOR | {"facecolor": "#c1121f", "edgecolor": "white", "marker": "P"}


def stability(found: Stability, city: City, *, ax: Axes | None = None) -> Axes:
    """Draw how often a sensor stands near each place, and how certain the network's places are.

    Areas are shaded by the share of scenarios in which a sensor is within ``found.near`` metres of
    the site there. On each of the network's sensors, up to 60, stands in how many percent one is
    within that distance of it.

    Parameters
    ----------
    found
        What `spineq.stability` found.
    city
        The city that it is about. Sites that are not at the areas' own points are drawn as dots.
    ax
        Where to draw; a figure of its own by default.

    Raises
    ------
    ProblemError
        Something else than a stability or a city, or not a single scenario was solved.
    DataError
        It is about another city.
    """
    need_city(city)
    if not isinstance(found, Stability):
        msg = f"a stability is needed, not {shown(found)}"
        raise ProblemError(msg, field="found", mend="Make one with spineq.stability")
    if found.city_digest != city.digest:
        msg = f"this is about {found.city_name or 'a city'}, not about {city.name or 'this city'}"
        raise DataError(msg, mend="Give the city that it was made for")
    if not found.n_scenarios:
        msg = "not a single scenario was solved, so there is nothing to draw"
        raise ProblemError(msg, field="found", mend="Give spineq.stability more time")
    near = f"{found.near:,g} m"
    notes = [
        worth(found) if ax is None else "",
        f"On a sensor: the percentage of scenarios in which one is placed within {near} of it"
        if len(found.table) <= _WRITTEN
        else "",
        "An area's colour is about the site at its point" if city.sites_are_areas else "",
        city.attribution,
    ]
    ax = _ground(found, city, ax, notes)
    _sensors(found, ax)
    scenarios = counted(found.n_scenarios, "scenario")
    some = f" of {found.n_asked:,}, then stopped" if found.stopped else ""
    head(
        ax,
        f"{city.name or 'City'}: how often a sensor stands within {near}, in {scenarios}{some}",
    )
    return ax


def _ground(found: Stability, city: City, ax: Axes | None, notes: list[str]) -> Axes:
    values: NDArray[np.float64] = found.sites["near"].to_numpy(dtype=np.float64)
    label = f"Scenarios with a sensor within {found.near:,g} m"
    if city.sites_are_areas:
        return draw_map(city, values, ax, label=label, top=1.0, notes=notes)
    # The likelier ones over the others.
    last = np.argsort(values, kind="stable")
    size = float(np.clip(8000 / len(values), 4, 60))
    ax, _ = draw_dots(
        city, city.site_xy[last], ax, notes=notes, c=values[last], s=size, **colours_to(1.0)
    )
    colour_bar([ax], label=label, top=1.0)
    return ax


def _sensors(found: Stability, ax: Axes) -> None:
    """Mark the network's sensors by how often one is near, and those that stay."""
    table = found.table
    shares, written = table["near"].to_numpy(dtype=np.float64), len(table) <= _WRITTEN
    few = len(table) <= 30
    most = 1.1
    for least, words, mark in _CLASSES:
        these = (shares >= least) & (shares < most)
        most = least
        if not these.any():
            continue
        said = words.format(most=MOST).replace("%", " %").replace("  ", " ")
        label = f"{counted(int(these.sum()), 'sensor')}: one near in {said} of scenarios"
        xy = table.loc[these, ["x", "y"]].to_numpy()
        size = (110 if few else 72) if written else 24
        ax.scatter(xy[:, 0], xy[:, 1], s=size, marker=mark, label=label, **_SENSOR)
    stay = found.sites[found.sites["in_network"] & ~found.sites.index.isin(table["site"])]
    if len(stay):
        label = f"{counted(len(stay), 'sensor')} that {'stays' if len(stay) == 1 else 'stay'}"
        ax.scatter(stay["x"], stay["y"], s=36 if few else 20, label=label, **_STAYS)
    if not written:
        return
    for (x, y), share in zip(table[["x", "y"]].to_numpy().tolist(), shares, strict=True):
        # As the words have it: 100 is all of them, 0 is none.
        percent = int(
            np.clip(round(100 * share), 0 if share == 0 else 1, 100 if share == 1 else 99)
        )
        ax.annotate(
            str(percent), (x, y), ha="center", va="center", fontsize=6 if few else 5, zorder=6
        )  # fmt: skip
