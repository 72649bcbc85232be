"""Where the points of a front lie in its charts, and how those that stand out look."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq._plot_parts import LINES

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Mark(NamedTuple):
    """How a network that stands out is drawn; each has a colour and a symbol of its own."""

    label: str
    colour: str
    symbol: str


MARKS = (
    Mark("knee: bends most", LINES[1], "diamond"),
    Mark("best for worst-off", LINES[2], "square"),
    Mark("on the map", LINES[3], "star"),
)


def bounds(coverage: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Lowest and highest coverage by group, whole percent, outwards; (network, group), 0 to 1."""
    low = np.floor(100 * coverage.min(axis=0) + 1e-9)
    high = np.maximum(np.ceil(100 * coverage.max(axis=0) - 1e-9), low + 1)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def swarm(values: NDArray[np.float64], apart: float, lanes: int) -> NDArray[np.int64]:
    """Lanes for points on a strip, so that none covers another: 0 is the middle, then +-1, ...

    Each point takes the innermost lane where the one before is far enough. Where every lane is
    full, which a strip of so many points cannot help, it takes the one that is least so.

    Parameters
    ----------
    values
        Where the points are along the strip, (point,).
    apart
        Width of a point, in the unit of the values.
    lanes
        How many lanes there are.
    """
    last = np.full(lanes, -np.inf)
    made = np.zeros(len(values), dtype=np.int64)
    for at in np.argsort(values, kind="stable"):
        x = values[at]
        free = last <= x - apart
        lane = int(free.argmax()) if free.any() else int(last.argmin())
        last[lane] = x
        made[at] = lane
    return np.where(made % 2 == 1, (made + 1) // 2, -(made // 2))
