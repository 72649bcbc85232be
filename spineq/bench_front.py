"""Fronts against time: how much hypervolume ours and pymoo's reach in how many seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from spineq._plot_parts import LINES, STYLES, axes, head
from spineq.fronts import FrontMethod, trade_off
from spineq.progress import Progress, SilentProgress, SpanProgress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spineq.model.city import City
    from spineq.model.groups import Group

# Who runs: source, words for `trade_off`, efforts.
_RUNS: tuple[tuple[str, dict[str, Any], tuple[float, ...]], ...] = (
    ("ours", {}, (0.01, 0.05, 0.2, 1.0, 2.0)),
    ("NSGA-II", {"method": "nsga2"}, (0.03, 0.1, 0.3, 1.0)),
    ("NSGA-III", {"method": "nsga3"}, (0.03, 0.1, 0.3, 1.0)),
    ("NSGA-II from ours", {"method": "nsga2", "start": "ours"}, (0.1, 0.3)),
    ("NSGA-III from ours", {"method": "nsga3", "start": "ours"}, (0.1, 0.3)),
)

_MARKERS = ("o", "s", "^", "D", "v")


@dataclass(frozen=True)
class Reached:
    """What a whole run reached.

    Parameters
    ----------
    source
        Who looked for the front.
    effort
        How hard, as a multiple of what is usual for this source.
    seconds
        Time of the whole run.
    hypervolume
        Of the front, from no coverage on.
    networks, archive
        Number of networks of the front, and of all that were found and that nothing dominates.
    """

    source: str
    effort: float
    seconds: float
    hypervolume: float
    networks: int
    archive: int


def race(
    city: City,
    n_sensors: int = 55,
    theta: float = 500.0,
    groups: Mapping[str, Group] | None = None,
    *,
    effort: float = 1.0,
    progress: Progress | None = None,
) -> list[Reached]:
    """Let ours and pymoo's NSGA-II and NSGA-III look for the same front, each several times.

    Parameters
    ----------
    city
        Where.
    n_sensors, theta, groups
        The front, as for `spineq.trade_off`.
    effort
        How hard everybody looks, as a multiple of the usual; above 0.
    progress
        Watcher; when it asks to stop, the runs that have ended by then are returned.

    Raises
    ------
    ProblemError, DataError
        As `spineq.trade_off`.
    MissingExtraError
        moocore or pymoo is not installed.
    """
    from spineq.fronts.genetic import need_pymoo

    need_pymoo()
    watcher = progress or SilentProgress()
    made: list[Reached] = []
    # Machine code, pymoo's modules, and coverage of a city that is not too large, are made once
    # for all runs: that is not what is compared.
    methods: tuple[FrontMethod, ...] = get_args(FrontMethod)
    for k, method in enumerate(methods):
        low, high = (0.02 * part / len(methods) for part in (k, k + 1))
        span = SpanProgress(watcher, low, high, "making ready")
        front = trade_off(
            city, n_sensors, theta, groups, method=method, effort=0.001, progress=span
        )
        if front.stopped:
            return made
    runs = [(source, words, share) for source, words, shares in _RUNS for share in shares]
    for k, (source, words, share) in enumerate(runs):
        low, high = (0.02 + 0.98 * part / len(runs) for part in (k, k + 1))
        span = SpanProgress(watcher, low, high, f"{source}, effort {share * effort:g}")
        began = time.perf_counter()
        front = trade_off(
            city, n_sensors, theta, groups, effort=share * effort, progress=span, **words
        )
        seconds = time.perf_counter() - began
        if front.stopped:
            break
        archive = int(front.dataset.sizes["found"])
        made.append(
            Reached(source, share * effort, seconds, front.hypervolume, front.n_networks, archive)
        )
    return made


def draw(
    reached: Sequence[Reached],
    title: str,
    published: Mapping[str, float],
    ax: Axes | None = None,
) -> Axes:
    """Draw the hypervolume that each source reaches against the seconds that it takes.

    Parameters
    ----------
    reached
        From `race`.
    title
        Above the picture.
    published
        Hypervolumes to compare with, by name: drawn as level lines.
    ax
        Where to draw; a figure of its own by default.
    """
    from matplotlib.ticker import FuncFormatter

    ax = axes(ax, (7.0, 4.5))
    for k, source in enumerate(dict.fromkeys(run.source for run in reached)):
        line = np.array([(r.seconds, r.hypervolume) for r in reached if r.source == source])
        ax.plot(
            *line.T,
            color=LINES[k % len(LINES)],
            linestyle=STYLES[k % len(STYLES)],
            marker=_MARKERS[k % len(_MARKERS)],
            markersize=5,
            linewidth=1.6,
            label=f"{source}: {line[:, 1].max():.4f}",
        )
    for k, (name, level) in enumerate(published.items()):
        ax.axhline(level, color="#555555", linewidth=1, linestyle=STYLES[(k + 1) % len(STYLES)])
        ax.annotate(
            f"published: {name}, {level:.4f}",
            (0.99, level),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=7,
            color="#333333",
            parse_math=False,
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    # Between the powers of ten 2, 3 and 5 alone: the words of all would run into each other.
    ax.xaxis.set_minor_formatter(
        FuncFormatter(lambda seconds, _: f"{seconds:g}" if f"{seconds:e}"[0] in "235" else "")
    )
    ax.tick_params(axis="x", which="both", labelsize=7)
    ax.set_xlabel("Time of the whole run (seconds)")
    ax.set_ylabel("Hypervolume of the front (1)")
    ax.grid(alpha=0.3)
    head(ax, title)
    return ax
