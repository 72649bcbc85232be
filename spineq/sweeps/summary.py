"""Pictures of a sweep: coverage by theta and number of sensors, one sensor more, and regret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq._plot_parts import LINES, STYLES, axes, credit, head, split_bands
from spineq.errors import ProblemError, shown
from spineq.sweeps.figures import chosen_of, gain_of_one_more, over_both, regret_of
from spineq.sweeps.figures import regret_table as regret_table
from spineq.sweeps.files import read_sweep as read_sweep
from spineq.sweeps.table import COVERAGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spineq.sweeps.table import SweepResult

#: Most lines of a picture; more thetas are a heat map.
_MOST_LINES = 4

#: Cells of a heat map that still get their number.
_MOST_CELLS = 150


def surface(
    result: SweepResult,
    *,
    city: str | None = None,
    groups: str | None = None,
    group: str | None = None,
    where: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw coverage over theta and the number of sensors.

    Up to four thetas are lines, more a heat map with its numbers.

    Parameters
    ----------
    result
        A sweep.
    city, groups
        Of which city, and which set of groups, the networks are; by default the first of those
        that have any.
    group
        Whose coverage; by default what was maximised.
    where
        Further words, such as ``{"method": "greedy"}``, where several points have the same
        theta and number of sensors.
    ax
        Where to draw; by default into a figure of its own.

    Raises
    ------
    ProblemError
        There is no such network, or several at one place.
    """
    chosen = chosen_of(result, city, groups, where)
    column = "value" if group is None else f"{COVERAGE}{group}"
    if column not in chosen:
        msg = f"the sweep has no group {shown(group)}"
        raise ProblemError(msg, field="group", mend=f"Use {', '.join(result.groups)}")
    values = over_both(chosen, column)
    whose = _set_title(chosen) if group is None else _title(result, group)
    ax = axes(ax, (7.0, 4.6))
    if len(values.index) <= _MOST_LINES:
        _lines(ax, result, chosen, 100 * values, "coverage, %")
        ax.set_ylim(bottom=0)
    else:
        _heat(
            ax, 100 * values.iloc[::-1], "coverage, %", f"theta, {_unit(result, chosen)}", "sensors"
        )
    head(ax, f"{_city(result, chosen)}: coverage of {whose}")
    credit(ax, _notes(result, chosen, group), below=34)
    return ax


def one_more(
    result: SweepResult,
    *,
    city: str | None = None,
    groups: str | None = None,
    where: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what one sensor more brings, by how many there are.

    Between two numbers of sensors of the sweep it is the mean gain of each sensor that the larger
    network has more.

    Parameters
    ----------
    result, city, groups, where, ax
        As for `surface`.

    Raises
    ------
    ProblemError
        There is no such network, several at one place, or one number of sensors alone.
    """
    chosen = chosen_of(result, city, groups, where)
    gains = gain_of_one_more(over_both(chosen, "value"))
    ax = axes(ax, (7.0, 4.6))
    for k, (theta, row) in enumerate(gains.groupby("theta")):
        ax.stairs(
            100 * row["gain"].to_numpy(),
            np.append(row["from"].to_numpy(), row["to"].to_numpy()[-1]).astype(float),
            baseline=None,
            color=LINES[k % len(LINES)],
            linestyle=STYLES[k % len(STYLES)],
            linewidth=1.8,
            label=f"theta {theta:g} {_unit(result, chosen)}",
        )
    ax.set_xlabel("sensors")
    ax.set_ylabel("gain of one sensor more,\npercentage points")
    ax.set_ylim(bottom=0)
    _tidy(ax)
    head(ax, f"{_city(result, chosen)}: what one sensor more brings to {_set_title(chosen)}")
    note = "Mean gain of each sensor between two numbers of sensors that were computed"
    credit(ax, [note, *_notes(result, chosen, None)], below=34)
    return ax


def regret(
    result: SweepResult,
    *,
    theta: float | None = None,
    n_sensors: int | None = None,
    city: str | None = None,
    where: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what groups lose by a network that was made for others.

    Parameters
    ----------
    result
        A sweep.
    theta, n_sensors
        Which networks; by default the last of the sweep.
    city, where, ax
        As for `surface`.

    Raises
    ------
    ProblemError
        There is no such network, or fewer than two sets of groups.
    """
    matrix, chosen = regret_of(result, theta, n_sensors, city, where)
    ax = axes(ax, (7.0, 5.0))
    _heat(ax, 100 * matrix, "coverage lost, percentage points", "network made for", "judged for")
    n, at = int(chosen["n_sensors"].iloc[0]), float(chosen["theta"].iloc[0])
    unit = _unit(result, chosen)
    head(ax, f"{_city(result, chosen)}, {n:,} sensors, theta {at:g} {unit}: coverage lost")
    note = "Each column against the network that was made for its own groups"
    credit(ax, [note, *_notes(result, chosen, None)], below=36 + _room(matrix.columns))
    return ax


def _lines(
    ax: Axes, result: SweepResult, chosen: pd.DataFrame, values: pd.DataFrame, label: str
) -> None:
    for k, (theta, row) in enumerate(values.iterrows()):
        known = row.dropna()
        ax.plot(
            known.index.to_numpy(),
            known.to_numpy(),
            color=LINES[k % len(LINES)],
            linestyle=STYLES[k % len(STYLES)],
            linewidth=1.8,
            marker="o",
            markersize=4,
            label=f"theta {theta:g} {_unit(result, chosen)}",
        )
    ax.set_xlabel("sensors")
    ax.set_ylabel(label)
    _tidy(ax)


def _tidy(ax: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=True, color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _heat(ax: Axes, values: pd.DataFrame, label: str, rows: str, columns: str) -> None:
    """Draw a table as colours, with its numbers where they have room."""
    numbers = values.to_numpy()
    top = float(np.nanmax(numbers)) if np.isfinite(numbers).any() else 1.0
    drawn = ax.imshow(numbers, cmap="cividis", vmin=min(0.0, float(np.nanmin(numbers))),
                      vmax=max(top, 1e-9), aspect="auto")  # fmt: skip
    for names, ticks in ((values.columns, ax.set_xticks), (values.index, ax.set_yticks)):
        texts = [_short(name if isinstance(name, str) else f"{name:g}") for name in names]
        turned = ticks == ax.set_xticks and max(map(len, texts)) > 8
        more: dict[str, Any] = (
            {"rotation": 25, "ha": "right", "rotation_mode": "anchor"} if turned else {}
        )
        ticks(range(len(texts)), texts, **more)
    for axis in (ax.xaxis, ax.yaxis):
        for text in axis.get_ticklabels():
            text.set_parse_math(False)
    ax.set_xlabel(columns)
    ax.set_ylabel(rows)
    ax.tick_params(length=0)
    figure: Any = ax.figure
    figure.colorbar(drawn, ax=ax, label=label, shrink=0.8)
    if numbers.size > _MOST_CELLS:
        return
    for (i, j), value in np.ndenumerate(numbers):
        # Cividis is dark below its middle.
        light = np.isfinite(value) and value < 0.55 * top
        words = f"{value:.1f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "-"
        ax.text(j, i, words, ha="center", va="center", fontsize=8,
                color="white" if light else "black")  # fmt: skip


def _short(text: str, most: int = 28) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _room(names: Sequence[str] | pd.Index) -> float:
    """Points that turned names need below the axes."""
    longest = max(len(_short(str(name))) for name in names)
    return 0.0 if longest <= 8 else 2.6 * longest


def _title(result: SweepResult, group: str) -> str:
    titles: Mapping[str, str] = result.facts.get("titles", {})
    return titles.get(group, group)


def _set_title(chosen: pd.DataFrame) -> str:
    return str(chosen["groups"].iloc[0])


def _city(result: SweepResult, chosen: pd.DataFrame) -> str:
    return _short(str(_about(result, chosen).get("title") or chosen["city"].iloc[0]), 40)


def _about(result: SweepResult, chosen: pd.DataFrame) -> Mapping[str, Any]:
    found: Mapping[str, Any] = result.facts.get("cities", {}).get(chosen["city"].iloc[0], {})
    return found


def _unit(result: SweepResult, chosen: pd.DataFrame) -> str:
    return str(_about(result, chosen).get("unit", "m"))


def _notes(result: SweepResult, chosen: pd.DataFrame, group: str | None) -> list[str]:
    """Say what the figures hide: estimates, what is not proven, and the source."""
    about = _about(result, chosen)
    sets = result.facts.get("sets", {})
    shown_groups = [group] if group else [
        name for label in dict.fromkeys(chosen["groups"]) for name in sets.get(label, {})
    ]  # fmt: skip
    split = [name for name in about.get("estimated", ()) if name in shown_groups]
    proven = chosen["proven"].fillna(False).astype(bool)
    open_ones = "" if proven.all() else (
        f"{int((~proven).sum()):,} of {len(chosen):,} networks are not proven best"
    )  # fmt: skip
    titles = [_title(result, name) for name in split]
    return [split_bands(titles), open_ones, str(about.get("attribution", ""))]
