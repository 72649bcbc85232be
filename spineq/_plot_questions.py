"""A picture of how coverage grows with the number of sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq._plot_parts import LINES, STYLES, axes, credit, head
from spineq.errors import ProblemError, shown
from spineq.insight.curve import CoverageCurve
from spineq.model._exports import need_city
from spineq.model._words import counted, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spineq.model.city import City

#: What the line of what was maximised is called.
_NAMES = {
    "mean": "weighted mean of the groups",
    "equivalent": "equally-distributed equivalent",
    "expected": "coverage to be expected",
    "worst": "worst-off group",
    "worst_share": "smallest share of own best",
}


def curve(
    found: CoverageCurve,
    city: City,
    *,
    today: tuple[int, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the best coverage against the number of sensors: their mean, and each group.

    Full dots are proven: no network of so many sensors does better. Where a better one may exist,
    dots are hollow.

    Parameters
    ----------
    found
        What `spineq.coverage_curve` found.
    city
        The city that it is about.
    today
        Number of places with a sensor today, and what they cover of what was maximised, 0 to 1:
        marked by a cross.
    ax
        Where to draw; a figure of its own by default.

    Raises
    ------
    ProblemError
        Something else than a curve or a city, or not a single number of sensors was looked at.
    """
    from matplotlib.ticker import MaxNLocator

    need_city(city)
    if not isinstance(found, CoverageCurve):
        msg = f"a curve is needed, not {shown(found)}"
        raise ProblemError(msg, field="found", mend="Make one with spineq.coverage_curve")
    table = found.table
    if table.empty:
        msg = "not a single number of sensors was looked at, so there is nothing to draw"
        raise ProblemError(msg, field="found", mend="Give spineq.coverage_curve more time")
    ax = axes(ax, (7.0, 4.5))
    numbers, many = table.index.to_numpy(), int(table.index[-1])
    several = len(found.titles) > 1
    # Below the mean, which is what the dots are about.
    for k, (name, title) in enumerate(found.titles.items() if several else ()):
        ax.plot(
            numbers,
            100 * table[name],
            color=LINES[k % len(LINES)],
            linestyle=STYLES[k % len(STYLES)],
            linewidth=1.4,
            label=f"{title}: {percent(float(table[name].iloc[-1]))} with {many:,}",
        )
    value, proven = 100 * table["value"].to_numpy(), table["proven"].to_numpy(dtype=bool)
    called = _NAMES[found.unit_of_value] if several else next(iter(found.titles.values()))
    last = percent(float(table["value"].iloc[-1]))
    ax.plot(numbers, value, color="black", linewidth=2, zorder=3, label=f"{called}: {last}")
    for these, fill, words in (
        (proven, "black", "proven: none does better"),
        (~proven, "white", "a better one may exist"),
    ):
        if these.any():
            ax.scatter(
                numbers[these], value[these], s=26, facecolor=fill, edgecolor="black", zorder=4,
                label=words,
            )  # fmt: skip
    if today is not None:
        places, covered = today
        ax.scatter(
            [places], [100 * covered], marker="X", s=90, color=LINES[1], edgecolor="black",
            linewidth=0.8, zorder=5,
            label=f"today: {counted(places, 'place')}, {percent(covered)}",
        )  # fmt: skip
    ax.set_xlim(0, 1.03 * max(many, 0 if today is None else today[0]))
    ax.set_ylim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Number of sensors, each time placed anew")
    ax.set_ylabel("Coverage (%)")
    ax.grid(alpha=0.3)
    head(ax, f"{city.name or 'City'}: best coverage by number of sensors")
    credit(ax, [city.attribution], below=36)
    return ax
