"""How sensors, one after the other, come nearer to the points of a city."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Pairs of sensor and flock, or point, that are looked at in one go: some milliseconds.
_LOOKED_AT = 1_000_000

#: Points to a flock.
_FLOCK = 64

Approaches = Iterator[tuple[float, "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]]


def approaches(city: City, places: pd.DataFrame) -> Approaches:
    """List where a sensor is nearer to a point than all before it.

    Parameters
    ----------
    city
        The city; where it has travel costs, they are what is near.
    places
        The sensors in order: position, x, y.

    Yields
    ------
    tuple
        Share done, sensor, point, and distance in metres or travel cost, (listed,) each; for
        each point the sensors come in order, and a point comes in one piece unless it is by
        travel cost. The arrays are written again for the next piece.
    """
    if len(places) == 0:
        return
    yield from _by_cost(city, places) if city.travel is not None else _by_line(city, places)


def _by_line(city: City, places: pd.DataFrame) -> Approaches:
    """By straight line; by point, then by sensor.

    Most sensors are far from most points. Points are put together in flocks, and for each flock
    the few sensors are found that may come nearer to any of its points.
    """
    from spineq.solvers import _kernels

    sensors, points = np.ascontiguousarray(places[["x", "y"]], dtype=np.float64), city.point_xy
    flock, centre, radius = _flocks(points)
    start, near = np.zeros(len(centre) + 1, dtype=np.int64), np.empty(0, dtype=np.int64)
    low = 0
    while low < len(centre):
        more = max(_LOOKED_AT, len(sensors))
        near = np.concatenate([near[: start[low]], np.empty(more, dtype=np.int64)])
        low = _kernels.may_come_nearer(sensors, centre, radius, low, len(centre), start, near)
        yield 0.5 * low / len(centre), *_NONE
    size = max(_LOOKED_AT // 5, int(np.diff(start).max()))
    sensor, point = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    distance = np.empty(size)
    low = 0
    while low < len(points):
        n, low = _kernels.approaches(
            sensors, points, low, len(points), flock, start, near, sensor, point, distance
        )
        yield 0.5 + 0.5 * low / len(points), sensor[:n], point[:n], distance[:n]


_NONE = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)


def _flocks(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Put points that lie together into flocks: flock of each, centres, radii.

    Points are cut into equal parts along a curve that goes through the whole plane and seldom
    far at once (G. M. Morton, 1966), so that a flock is as small as its place is dense.
    """
    low = points.min(axis=0)
    span = max(float((points.max(axis=0) - low).max()), 1.0)
    cell = ((points - low) * (65_535.0 / span)).astype(np.uint32)
    code = _spread(cell[:, 0]) | _spread(cell[:, 1]) << np.uint32(1)
    flock = np.empty(len(points), dtype=np.int64)
    flock[np.argsort(code, kind="stable")] = np.arange(len(points)) // _FLOCK
    size = np.bincount(flock)
    centre = np.stack([np.bincount(flock, weights=axis) / size for axis in points.T], axis=1)
    radius = np.zeros(len(size))
    np.maximum.at(radius, flock, np.hypot(*(points - centre[flock]).T))
    return flock, centre, radius


def _spread(number: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Put a zero bit before each of the lower 16 bits."""
    for shift, mask in (8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555):
        number = (number | number << np.uint32(shift)) & np.uint32(mask)
    return number


def _by_cost(city: City, places: pd.DataFrame) -> Approaches:
    """By travel cost, one sensor after the other."""
    nearest = np.full(city.n_points, np.inf)
    for k, position in enumerate(places["position"]):
        cost = city.travel_costs_from(int(position))
        point = np.flatnonzero(cost < nearest)
        nearest[point] = cost[point]
        yield (k + 1) / len(places), np.full(len(point), k), point, cost[point]
