"""Sensors by rank for each demand point, and what remains when each fails by chance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.progress import Progress

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Draws of which sensors fail, at most and at least, and draws times points that are wanted.
MOST_DRAWS, LEAST_DRAWS, DRAWN_POINTS = 10_000, 500, 50_000_000

#: Share of the draws that a low case has below it.
LOW = 0.05

#: Seed of the draws.
_SEED = 0

#: Numbers that are looked at in one go: some milliseconds.
_AT_ONCE = 200_000

#: Chance that so many sensors fail at once, below which the rest changes no digit.
_NEVER = 1e-18

#: Standard deviations of a 95 % interval.
_NORMAL_95 = 1.959963984540054


class Ranked(NamedTuple):
    """Sensors of some demand points, the nearest first.

    Parameters
    ----------
    low, high
        Positions of the points, from and up to.
    sensor
        (point, rank) positions of the sensors.
    distance
        (point, rank) metres or travel cost, infinite out of reach.
    metres
        (point, 2) metres to the two nearest sensors, straight lines where costs are not metres
        or sensors differ in theta; infinite where there is no second one.
    nearest
        (point,) position of the sensor that is nearest in metres.
    """

    low: int
    high: int
    sensor: NDArray[np.int32]
    distance: NDArray[np.float64]
    metres: NDArray[np.float64]
    nearest: NDArray[np.int32]


def ranked(
    city: City, places: pd.DataFrame, ranks: int, progress: Progress
) -> Iterator[Ranked | None]:
    """List the nearest sensors of each demand point, some points at a time.

    Where sensors differ in theta, the nearest are those of the fewest thetas, as every decay has
    it: they cover best.

    Parameters
    ----------
    city
        The city; where it has travel costs, they are what is near.
    places
        The sensors: position, x, y, theta.
    ranks
        How many of the nearest, 1 to their number.
    progress
        Watcher of the costs' reading; when it asks to stop, None comes and nothing after it.
    """
    from scipy.spatial import cKDTree
    from scipy.spatial.distance import cdist

    n, xy = len(places), places[["x", "y"]].to_numpy(dtype=np.float64)
    tree, two = cKDTree(xy), list(range(1, min(n, 2) + 1))
    theta = places["theta"].to_numpy(dtype=np.float64)
    costs, kinds = None, bool((theta != theta[0]).any())
    if city.travel is not None:
        costs = np.empty((n, city.n_points))
        for k, position in enumerate(places["position"]):
            costs[k] = city.travel_costs_from(int(position))
            if progress.report((k + 1) / n, "reading travel costs"):
                yield None
                return
    step = max(1, _AT_ONCE // max(ranks, 1 if costs is None and not kinds else n))
    for low in range(0, city.n_points, step):
        high = min(low + step, city.n_points)
        if costs is None and not kinds:
            distance, sensor = tree.query(city.point_xy[low:high], k=list(range(1, ranks + 1)))
        else:
            part = (
                cdist(city.point_xy[low:high], xy)
                if costs is None
                else np.ascontiguousarray(costs[:, low:high].T)
            )
            far = part / theta if kinds else part
            sensor = np.argsort(far, axis=1, kind="stable")[:, :ranks]
            distance = np.take_along_axis(part, sensor, axis=1)
        metres, first = distance[:, :2], sensor[:, 0]
        if kinds or (costs is not None and city.travel_unit != "m") or metres.shape[1] < len(two):
            metres, nearest = tree.query(city.point_xy[low:high], k=two)
            first = nearest[:, 0]
        if n == 1:
            metres = np.column_stack([metres[:, 0], np.full(high - low, np.inf)])
        yield Ranked(
            low, high, sensor.astype(np.int32), distance, metres, np.asarray(first, np.int32)
        )


def ranks_for(probability: NDArray[np.float64]) -> int:
    """Count the nearest sensors that matter where each fails with such a probability."""
    n, most = len(probability), float(probability.max())
    if most <= 0.0:
        return 1
    return n if most >= 1.0 else min(n, math.ceil(math.log(_NEVER) / math.log(most)))


def expected(
    sensor: NDArray[np.int32], covered: NDArray[np.float64], probability: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Coverage to be expected at each point, (point,), 0 to 1.

    ``sum_k (1 - p_(k)) c_(k) product of p_(j) over j < k``, sensors sorted by the coverage c_(k)
    that they give the point: the k-th serves where it works and all better ones have failed
    (Snyder and Daskin 2005, Reliability models for facility location).

    Parameters
    ----------
    sensor
        (point, rank), the nearest first.
    covered
        (point, rank) coverage by each, 0 to 1.
    probability
        (sensor,) of failing, 0 to 1.
    """
    failing = probability[sensor]
    before = np.ones_like(failing)
    np.cumprod(failing[:, :-1], axis=1, out=before[:, 1:])
    made: NDArray[np.float64] = ((1.0 - failing) * before * covered).sum(axis=1)
    return made


class Draws:
    """Draws of which sensors fail, and what coverage remains in each.

    Parameters
    ----------
    probability
        (sensor,) of failing, 0 to 1.
    n_points, n_rows
        Numbers of demand points, and of weights by which coverage is summed.
    """

    def __init__(self, probability: NDArray[np.float64], n_points: int, n_rows: int) -> None:
        work = DRAWN_POINTS * max(1.0 - float(probability.max()), 1e-3) / n_points
        self.number = int(min(MOST_DRAWS, max(LEAST_DRAWS, work)))
        rng = np.random.default_rng(_SEED)
        self.failed = rng.random((self.number, len(probability))) < probability
        self.coverage = np.zeros((self.number, n_rows))

    def add(
        self,
        sensor: NDArray[np.int32],
        covered: NDArray[np.float64],
        rows: NDArray[np.float64],
        progress: Progress,
    ) -> bool:
        """Add what some points have in each draw; whether the watcher asked to stop.

        Parameters
        ----------
        sensor, covered
            (point, rank), as for `expected`.
        rows
            (row, point) weights.
        progress
            Watcher.
        """
        n_points, ranks = sensor.shape
        step = max(1, _AT_ONCE // n_points)
        for low in range(0, self.number, step):
            failed = self.failed[low : low + step]
            has = np.tile(covered[:, 0], (len(failed), 1))
            draw, point = np.nonzero(failed[:, sensor[:, 0]])
            for rank in range(1, ranks):
                if len(draw) == 0:
                    break
                fails = failed[draw, sensor[point, rank]]
                has[draw[~fails], point[~fails]] = covered[point[~fails], rank]
                draw, point = draw[fails], point[fails]
            has[draw, point] = 0.0
            for k, row in enumerate(rows):
                # Not a matrix product: BLAS adds in another order when it has more threads.
                self.coverage[low : low + step, k] += (has * row).sum(axis=1)
            if progress.report(min(1.0, (low + step) / self.number), "drawing which sensors fail"):
                return True
        return False

    def figures(self, row: int) -> dict[str, float]:
        """Standard deviation and low case of one row's coverage, with their sampling errors."""
        drawn, size = np.sort(self.coverage[:, row]), self.number
        apart = drawn - drawn.mean()
        variance, fourth = float((apart**2).mean()), float((apart**4).mean())
        deviation = math.sqrt(variance * size / (size - 1))
        # Of the variance sqrt((m4 - s^4) / S), of its root that over 2 s.
        error = math.sqrt(max(fourth - variance**2, 0.0) / size) / (2.0 * deviation or 1.0)
        half = _NORMAL_95 * math.sqrt(size * LOW * (1.0 - LOW))
        return {
            "deviation": deviation,
            "deviation_error": error,
            "low": float(drawn[int(LOW * size)]),
            "low_from": float(drawn[max(0, math.floor(LOW * size - half))]),
            "low_to": float(drawn[min(size - 1, math.ceil(LOW * size + half))]),
        }
