"""Fronts against time: how much hypervolume ours and pymoo's reach in how many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spineq.fronts import trade_off
from spineq.model.groups import GROUPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spineq.model.city import City

#: Hypervolumes of 200 networks recorded for Newcastle upon Tyne, the four groups, 55 sensors and
#: theta 500: of pygmo's NSGA-II with a population of 200, after so many generations.
RECORDED = {
    "NSGA-II, 20,000 generations": 0.1052962982299101,
    "NSGA-II, 1,000 generations": 0.0938325,
}

_NEWCASTLE = ("E08000021", 55, 500.0)

# What runs: title, words for `trade_off`, efforts.
_RUNS: tuple[tuple[str, dict[str, Any], tuple[float, ...]], ...] = (
    ("ours", {}, (0.01, 0.05, 0.2, 1.0, 2.0)),
    ("NSGA-II", {"method": "nsga2"}, (0.03, 0.1, 0.3, 1.0)),
    ("NSGA-III", {"method": "nsga3"}, (0.03, 0.1, 0.3, 1.0)),
    ("NSGA-II from ours", {"method": "nsga2", "start": "ours"}, (0.1, 0.3)),
    ("NSGA-III from ours", {"method": "nsga3", "start": "ours"}, (0.1, 0.3)),
)


@dataclass(frozen=True)
class Reached:
    """One whole run: who, with what effort, in how many seconds, to which hypervolume."""

    name: str
    effort: float
    seconds: float
    hypervolume: float
    networks: int
    archive: int


def race(
    city: City,
    n_sensors: int = 55,
    theta: float = 500.0,
    *,
    client: Any = None,
    tell: Callable[[str], object] = lambda _: None,
) -> list[Reached]:
    """Run every method with several efforts on the four groups.

    Parameters
    ----------
    city
        Where.
    n_sensors, theta
        Of each network; metres.
    client
        A Dask client, whose workers help ours; pymoo runs in this process.
    tell
        Called with what is being done.

    Raises
    ------
    MissingExtraError
        moocore or pymoo is not installed.
    """
    # Compiled and sorted beforehand, which is not what is compared.
    trade_off(city, n_sensors, theta, GROUPS, effort=0.001, client=client)
    return list(_run(city, n_sensors, theta, client, tell))


def _run(
    city: City, n_sensors: int, theta: float, client: Any, tell: Callable[[str], object]
) -> Iterator[Reached]:
    for name, words, efforts in _RUNS:
        for effort in efforts:
            tell(f"{name}, effort {effort:g}")
            began = time.perf_counter()
            front = trade_off(city, n_sensors, theta, GROUPS, effort=effort, client=client, **words)
            seconds = time.perf_counter() - began
            found = int(front.dataset.sizes["found"])
            yield Reached(name, effort, seconds, front.hypervolume, front.n_networks, found)


def recorded(city: City, n_sensors: int, theta: float) -> dict[str, float]:
    """Return `RECORDED` where it is about this; else nothing."""
    return RECORDED if (city.label.code, n_sensors, theta) == _NEWCASTLE else {}


def draw(
    reached: list[Reached], title: str, lines: dict[str, float], ax: Axes | None = None
) -> Axes:
    """Draw hypervolume against seconds, one line a method, and recorded figures as levels.

    Parameters
    ----------
    reached
        From `race`.
    title
        Above the picture.
    lines
        Levels by name, from `recorded`.
    ax
        Where to draw; a figure of its own by default.
    """
    from spineq._plot_front import race as picture

    return picture([(r.name, r.seconds, r.hypervolume) for r in reached], title, lines, ax=ax)
