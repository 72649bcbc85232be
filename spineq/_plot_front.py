"""Pictures of fronts: networks over the groups, groups against each other, and maps."""

from __future__ import annotations

import textwrap
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._plot_parts import (
    LINES,
    axes,
    bare_map,
    colour_bar,
    credit,
    credit_of_all,
    head,
    head_of_all,
    split_bands,
)
from spineq.errors import DataError, ProblemError, shown
from spineq.model._exports import need_city
from spineq.model._front_words import theta_words, titles
from spineq.model._words import counted, in_a_sentence, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spineq.model.city import City
    from spineq.model.front import Front

# Networks of the archive that are drawn at most: more would be one spot.
_DOTS = 20_000

_KNEE = {"color": LINES[1], "label": "where the front bends most"}
_WORST = {"color": LINES[2], "label": "best for the worst-off group"}


def front_parallel(front: Front, *, ax: Axes | None = None) -> Axes:
    """Draw each network as a line over the groups: where lines cross, groups compete.

    Two lines stand out: the network where the front bends most, and that which is best for the
    worst-off group.

    Parameters
    ----------
    front
        The front.
    ax
        Where to draw; a figure of its own by default.

    Raises
    ------
    ProblemError
        No front, or an empty one.
    """
    _need_front(front)
    ax = axes(ax, (7.0, 4.8))
    knee, worst = front.knee(), front.worst_best()
    coverage, names = 100 * front.group_coverage.to_numpy(), titles(front)
    at = np.arange(len(names))
    for k, row in enumerate(coverage):
        label = counted(front.n_networks, "network") if k == 0 else None
        ax.plot(at, row, color=LINES[0], linewidth=0.7, alpha=0.25, label=label, zorder=2)
    marked = [(knee, _KNEE, "-", "o"), (worst, _WORST, "--", "s")]
    for number, look, line, marker in marked:
        ax.plot(
            at,
            coverage[number],
            linestyle=line,
            marker=marker,
            linewidth=2.4,
            zorder=4,
            color=look["color"],
            label=f"{look['label']} (network {number})",
        )
    for a in at:
        ax.axvline(float(a), color="#888888", linewidth=0.8, zorder=1)
    ax.set_xticks(at, [textwrap.fill(name, 16) for name in names])
    for text in ax.get_xticklabels():
        text.set_parse_math(False)
    ax.set_xlim(-0.2, len(names) - 0.8)
    ax.set_ylabel("Coverage of the group (%)")
    ax.grid(axis="y", alpha=0.3)
    head(ax, _title(front, "coverage by group"))
    lines = max(textwrap.fill(name, 16).count("\n") for name in names)
    credit(ax, _notes(front), below=26 + 12 * lines)
    return ax


def front_pairs(front: Front) -> Any:
    """Draw the coverage of every two groups against each other.

    Parameters
    ----------
    front
        The front.

    Returns
    -------
    ndarray of Axes
        (group - 1, group - 1): below, a group against each before it; the rest is empty.

    Raises
    ------
    ProblemError
        No front, or an empty one.
    """
    import matplotlib.pyplot as plt

    _need_front(front)
    knee, worst = front.knee(), front.worst_best()
    coverage, names = 100 * front.group_coverage.to_numpy(), titles(front)
    archive = 100 * front.dataset["archive_coverage"].to_numpy()
    archive = archive[:: max(1, -(-len(archive) // _DOTS))]
    side = len(names) - 1
    found = int(front.dataset.sizes["found"])
    size = 5.4 if side == 1 else 2.7 * side
    figure, made = plt.subplots(
        side, side, figsize=(size, size), layout="constrained", squeeze=False, sharex="col",
        sharey="row",
    )  # fmt: skip
    for row in range(side):
        for column in range(side):
            ax = made[row, column]
            if column > row:
                ax.set_axis_off()
                continue
            x, y = column, row + 1
            # With two groups, mostly, the front is all that was found and would hide it.
            if found > front.n_networks:
                ax.scatter(
                    archive[:, x], archive[:, y], s=2, color="#bbbbbb", linewidth=0,
                    rasterized=True, zorder=1, label=counted(found, "network") + " found",
                )  # fmt: skip
            ax.scatter(
                coverage[:, x], coverage[:, y], s=9, color=LINES[0], linewidth=0, zorder=2,
                label=counted(front.n_networks, "network") + " of the front",
            )  # fmt: skip
            for number, look, marker in ((knee, _KNEE, "o"), (worst, _WORST, "s")):
                ax.scatter(
                    *coverage[number, [x, y]], s=60, marker=marker, zorder=4, edgecolor="white",
                    color=look["color"], label=f"{look['label']} (network {number})",
                )  # fmt: skip
            ax.grid(alpha=0.3)
            if row == side - 1:
                ax.set_xlabel(f"{names[x]}, %", fontsize=8, parse_math=False)
            if column == 0:
                ax.set_ylabel(f"{names[y]}, %", fontsize=8, parse_math=False)
            ax.tick_params(labelsize=7)
    title = _title(front, "coverage of groups against each other")
    if side == 1:
        head(made[0, 0], title)
    else:
        head_of_all(figure, title)
        # In the corner that no pair takes.
        handles, labels = made[side - 1, 0].get_legend_handles_labels()
        made[0, side - 1].legend(
            handles,
            [textwrap.fill(label, 26) for label in labels],
            loc="upper right",
            fontsize=8,
            frameon=False,
        )
    legend = made[0, side - 1].get_legend()
    for handle in legend.legend_handles:
        # The dots of many networks are too small to be told apart.
        handle.set_sizes(np.maximum(handle.get_sizes(), 20.0))
    credit_of_all(figure, _notes(front))
    return made


def front_maps(
    front: Front, city: City, *, between: tuple[str, str] | None = None, count: int = 6
) -> Any:
    """Draw maps of networks from the one that is best for a group to that for another.

    Parameters
    ----------
    front, city
        The front and the city that it was made for.
    between
        Names of the two groups; by default those that compete most, whose coverage over the
        front is most opposed.
    count
        Number of maps, 2 to 12.

    Returns
    -------
    ndarray of Axes
        (map,), from the first group's best network to the other's.

    Raises
    ------
    DataError
        The front was made for another city.
    ProblemError
        No front, or an empty one; no city; a group is not the front's, or the number of maps is
        out of range.
    """
    import matplotlib.pyplot as plt

    from spineq.solve import evaluate

    _need_front(front)
    need_city(city)
    if front.dataset.attrs["city_digest"] != city.digest:
        msg = "the front was made for another city"
        raise DataError(msg, mend="Give the city that it was made for")
    if isinstance(count, bool) or not isinstance(count, Integral) or not 2 <= count <= 12:
        msg = f"the number of maps must be 2 to 12, not {shown(count)}"
        raise ProblemError(msg, field="count", mend="Say for example count=6")
    front.knee()  # refuses an empty front
    one, other = _competing(front) if between is None else _named(front, between)
    numbers = _spectrum(front, one, other, count)
    columns = 2 if len(numbers) == 4 else min(3, len(numbers))
    rows = -(-len(numbers) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(3.4 * columns, 3.3 * rows + 0.4), layout="compressed",
        squeeze=False,
    )  # fmt: skip
    made = grid.ravel()
    problem, names = front.problem, titles(front)
    for ax, number in zip(made, numbers, strict=False):
        net = evaluate(
            city,
            front.network(number),
            theta=problem.theta,
            decay=problem.decay,
            groups=dict(problem.groups),
            keep=problem.keep,
        )
        bare_map(city, net.area_coverage.to_numpy(), ax, top=1.0)
        xy = net.sensors[["x", "y"]].to_numpy()
        ax.scatter(*xy.T, s=9, facecolor="white", edgecolor="#c1121f", linewidth=0.8, zorder=5)
        row = front.group_coverage.to_numpy()[number]
        words = "\n".join(f"{n}: {percent(v)}" for n, v in zip(names, row, strict=True))
        ax.set_title(f"Network {number}\n{words}", fontsize=7, loc="left", parse_math=False)
    for ax in made[len(numbers) :]:
        ax.set_axis_off()
    best = [in_a_sentence(names[front.groups.index(name)]) for name in (one, other)]
    what = f"from the best network for {best[0]} to that for {best[1]}"
    colour_bar(made, label="Coverage of the area", top=1.0)
    head_of_all(figure, _title(front, what))
    notes = ["An area's colour is the coverage of its people, rings are sensors", *_notes(front)]
    credit_of_all(figure, notes)
    return made[: len(numbers)]


def _need_front(front: object) -> None:
    from spineq.model.front import Front

    if not isinstance(front, Front):
        msg = f"a front is needed, not {shown(front)}"
        raise ProblemError(msg, field="front", mend="Give what trade_off returned")


def _named(front: Front, between: object) -> tuple[str, str]:
    """Check the two groups that somebody named."""
    if not isinstance(between, tuple | list) or len(between) != 2:
        msg = f"between must be the names of two groups, not {shown(between)}"
        mend = f"Write ({front.groups[0]!r}, {front.groups[1]!r})"
        raise ProblemError(msg, field="between", mend=mend)
    for name in between:
        if not isinstance(name, str) or name not in front.groups:
            msg = f"the front has no group {shown(name)}"
            raise ProblemError(msg, field="between", mend=f"Use {', '.join(front.groups)}")
    return between[0], between[1]


def _competing(front: Front) -> tuple[str, str]:
    """Name the two groups whose coverage over the front is most opposed."""
    coverage = front.group_coverage.to_numpy()
    centred = coverage - coverage.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    alike = (centred.T @ centred) / np.maximum(np.outer(length, length), 1e-300)
    alike[np.tril_indices(len(alike))] = np.inf
    one, other = np.unravel_index(int(np.argmin(alike)), alike.shape)
    return front.groups[int(one)], front.groups[int(other)]


def _spectrum(front: Front, one: str, other: str, count: int) -> list[int]:
    """Numbers of networks from one group's best to another's, in even steps between."""
    coverage = front.group_coverage.to_numpy()
    pair = coverage[:, [front.groups.index(one), front.groups.index(other)]]
    # Only those that are as good as can be for the two: others are there for a third group.
    beaten = [bool(((pair >= row).all(axis=1) & (pair > row).any(axis=1)).any()) for row in pair]
    among = np.flatnonzero(~np.array(beaten))
    low, width = pair[among].min(axis=0), np.ptp(pair[among], axis=0)
    scaled = (pair[among] - low) / np.where(width > 0, width, 1.0)
    along = scaled[:, 1] - scaled[:, 0]
    wishes = np.linspace(along.min(), along.max(), count)
    chosen = [int(among[np.argmin(np.abs(along - wish))]) for wish in wishes]
    return list(dict.fromkeys(chosen))


def _title(front: Front, what: str) -> str:
    city = front.dataset.attrs["city_name"] or "City"
    sensors = counted(front.problem.n_sensors or 0, "sensor")
    return f"{city}: {what}, {sensors} (theta {theta_words(front)})"


def _notes(front: Front) -> list[str]:
    data = front.dataset
    marks = data["group_estimated"].to_numpy()
    estimated = [title for title, mark in zip(titles(front), marks, strict=True) if mark]
    stopped = "The search was stopped early" if front.stopped else ""
    return [stopped, data.attrs["attribution"], split_bands(estimated)]
