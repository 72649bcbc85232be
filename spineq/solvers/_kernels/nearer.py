"""Which sensors come nearer to points than all before them."""

from __future__ import annotations

import numpy as np

from spineq.solvers._kernels.jit import Array, jit


@jit
def may_come_nearer(
    sensors: Array,
    centre: Array,
    radius: Array,
    low: int,
    high: int,
    start: Array,
    found: Array,
) -> int:
    """List, for flocks ``low`` to ``high``, the sensors that may come nearer to some point.

    A flock's points are within its radius of its centre. A sensor that is farther from the centre
    than an earlier one by more than twice the radius is farther from each point, too.

    Parameters
    ----------
    sensors
        (sensor, 2), metres; in order of placement.
    centre, radius
        (flock, 2) and (flock,), metres.
    low, high
        Flocks to look at.
    start
        (flock + 1,), written from ``low + 1`` to ``high``: where each flock's sensors begin.
    found
        (any,), written: the sensors of each flock in order. Where it has no room for all sensors,
        the flock is left.

    Returns
    -------
    int
        The first flock that was left.
    """
    listed = start[low]
    for flock in range(low, high):
        if listed + len(sensors) > len(found):
            return flock
        best, r = np.inf, radius[flock]
        for k in range(len(sensors)):
            dx, dy = centre[flock, 0] - sensors[k, 0], centre[flock, 1] - sensors[k, 1]
            away = np.sqrt(dx * dx + dy * dy)
            # A little room for rounding, of coordinates in the millions.
            if (away - r) * (1.0 - 1e-9) <= best + 1e-6:
                found[listed] = k
                listed += 1
                best = min(best, away + r)
        start[flock + 1] = listed
    return high


@jit
def approaches(
    sensors: Array,
    points: Array,
    low: int,
    high: int,
    flock: Array,
    start: Array,
    near: Array,
    sensor: Array,
    point: Array,
    distance: Array,
) -> tuple[int, int]:
    """List, from point ``low`` on, each sensor nearer than all those before it.

    Parameters
    ----------
    sensors, points
        (sensor, 2) and (point, 2), metres; sensors in order of placement.
    low, high
        Points to look at.
    flock
        (point,) the flock of each point.
    start, near
        (flock + 1,) and (any,): the sensors that may come nearer, by flock, in order.
    sensor, point, distance
        Written: by point, then by sensor. Where they have no room for all that a point may need,
        it is left.

    Returns
    -------
    tuple
        How many are listed, and the first point that was left.
    """
    listed = 0
    for j in range(low, high):
        first, last = start[flock[j]], start[flock[j] + 1]
        if listed + last - first > len(sensor):
            return listed, j
        best = np.inf
        for p in range(first, last):
            k = near[p]
            dx, dy = points[j, 0] - sensors[k, 0], points[j, 1] - sensors[k, 1]
            square = dx * dx + dy * dy
            if square < best:
                best = square
                sensor[listed] = k
                point[listed] = j
                distance[listed] = np.sqrt(square)
                listed += 1
    return listed, high
