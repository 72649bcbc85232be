"""The recipe: a city and a problem in, a network with its certificate out."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, UnknownSensorError
from spineq.model.network import WITHIN, Network, make_network
from spineq.model.problem import Problem
from spineq.progress import Progress, SilentProgress, SpanProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.solvers.coverage import Coverage
    from spineq.solvers.objective import Objective
    from spineq.solvers.solution import Solution


#: What the watcher is told while a network is measured.
MEASURING = "measuring the network"


def optimise(
    city: City,
    problem: Problem | None = None,
    *,
    progress: Progress | None = None,
    **words: Any,
) -> Network:
    """Place sensors so that as many people as possible, of the groups that matter, are covered.

    Maximises ``sum_j weight_j max over sensors i of decay(d_ij)`` over the city's demand
    points j: uncapacitated facility location with a fixed number of sites.

    Parameters
    ----------
    city
        Where.
    problem
        What is asked; or the fields of `Problem` as keywords.
    progress
        Watcher; when it asks to stop, the best network so far is returned, marked.
    **words
        ``n_sensors``, ``theta`` (500), ``groups`` (all residents), ``decay``
        (``"exponential"``), ``method`` (``"auto"``), ``seed`` (0); or the original system's
        ``population_weight``, ``workplace_weight``, ``min_age``, ``max_age``,
        ``pop_age_groups`` instead of groups.

    Returns
    -------
    Network
        With its value recomputed in float64 from the chosen sites, and a proven upper bound.

    Raises
    ------
    ProblemError
        A parameter is wrong, or the city has fewer sites than sensors.
    DataError
        The city lacks the data of a group.

    Examples
    --------
    >>> import spineq as sq
    >>> net = sq.optimise(sq.demo_city(), n_sensors=5, theta=500)
    >>> net.n_sensors
    5
    """
    from spineq.solvers import method_named
    from spineq.solvers.solution import Solution

    problem = _problem(problem, words)
    watcher = progress or SilentProgress()
    began = time.perf_counter()
    check(city, problem)
    name, method = method_named(problem.method)
    coverage = coverage_of(city, problem, SpanProgress(watcher, 0.0, 0.25))
    if coverage is None:
        # Stopped before there was anything to choose by.
        solution = Solution(np.empty(0, dtype=np.int64), 0.0, 1.0, stopped=True)
    else:
        objective = objective_of(city, problem, coverage)
        solution = method.solve(
            objective, problem.n_sensors, problem.seed, SpanProgress(watcher, 0.25, 0.95)
        )
    # Measuring is short and is not stopped: a network without its figures is none.
    measuring = SilentProgress() if solution.stopped else SpanProgress(watcher, 0.95, 0.999)
    places = _at_sites(city, solution.sites)
    made = _measured(city, problem, places, name, solution, began, measuring)
    if not solution.stopped:
        watcher.report(1.0, "done", made.total_coverage, made.upper_bound)
    return made


def evaluate(
    city: City,
    sensors: Any,
    problem: Problem | None = None,
    *,
    progress: Progress | None = None,
    **words: Any,
) -> Network:
    """Measure a network of the user's own.

    Parameters
    ----------
    city
        Where.
    sensors
        Ids of sites or areas (an area means its point); or places: an array (sensor, 2) of x
        and y in the city's CRS, or a GeoSeries or GeoDataFrame of points; or ``"existing"``:
        the areas that have an existing sensor (the original system's way), or
        ``"existing-points"``: the existing sensors where they stand.
    problem, **words
        As for `optimise`; ``n_sensors`` follows from the sensors and ``method`` means nothing.
    progress
        Watcher; when it asks to stop, the network comes without a bound, marked.

    Returns
    -------
    Network
        With an upper bound where all sensors stand at sites. Sensors that are named twice
        count once.

    Raises
    ------
    UnknownSensorError
        An id that is neither a site nor an area.
    ProblemError
        A parameter is wrong, or a place that is no site in a city with a travel table.
    """
    from spineq.solvers.solution import Solution, certified

    began = time.perf_counter()
    watcher = progress or SilentProgress()
    places = _places(city, sensors)
    # The bound is that of as many sensors; of one, where there is none.
    n_sensors = max(len(places), 1)
    if problem is None:
        words["n_sensors"] = n_sensors
    problem = replace(_problem(problem, words), n_sensors=n_sensors)
    city.weights(problem.groups)
    sites = places["position"].to_numpy(dtype=np.int64)
    solution = Solution(sites, float("nan"), float("nan"), stopped=False)
    if (sites < 0).any():
        if city.travel is not None:
            msg = "travel costs are known for sites only"
            raise ProblemError(msg, field="sensors", mend="Name sites of the city")
    else:
        coverage = coverage_of(city, problem, SpanProgress(watcher, 0.0, 0.5))
        if coverage is None:
            solution = replace(solution, stopped=True)
        else:
            objective = objective_of(city, problem, coverage)
            solution = certified(objective, sites, n_sensors, SpanProgress(watcher, 0.5, 0.9))
    measuring = SilentProgress() if solution.stopped else SpanProgress(watcher, 0.9, 0.999)
    made = _measured(city, problem, places, "given", solution, began, measuring)
    if not solution.stopped:
        watcher.report(1.0, "done", made.total_coverage, made.upper_bound)
    return made


def check(city: City, problem: Problem) -> None:
    """Check a problem against a city, before anything is computed.

    Raises
    ------
    ProblemError
        More sensors than sites.
    DataError
        The city lacks the data of a group.
    """
    if problem.n_sensors > city.n_sites:
        msg = f"{problem.n_sensors:,} sensors are more than the city's {city.n_sites:,} sites"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {city.n_sites:,}")
    city.weights(problem.groups)


def site_values(city: City, problem: Problem) -> NDArray[np.float64]:
    """Objective of a single sensor at each site, (site,), 0 to 1.

    Raises
    ------
    DataError
        The city lacks the data of a group.
    """
    coverage = coverage_of(city, problem, SilentProgress())
    assert coverage is not None  # nobody asked to stop
    objective = objective_of(city, problem, coverage)
    values = np.zeros(city.n_sites)
    for low, high in objective.blocks():
        objective.gains(objective.nothing(), values, low, high)
    return values


def _problem(problem: Problem | None, words: dict[str, Any]) -> Problem:
    if problem is None:
        return Problem.from_words(**words)
    if words:
        msg = f"a problem and {', '.join(sorted(words))} are both given"
        raise ProblemError(msg, mend="Give either a Problem or its fields")
    return problem


# ---------------------------------------------------------------------------- coverage


def coverage_of(city: City, problem: Problem, progress: Progress) -> Coverage | None:
    """Coverage of the city's points by its sites; small ones are kept for the next call.

    Returns
    -------
    Coverage or None
        None where the watcher asked to stop.
    """
    from spineq.solvers.coverage import DENSE_PAIRS, from_travel, straight_line

    # By digest, so that a city unpickled for every task is still one.
    key = city.digest, problem.theta, problem.decay
    with _KEPT_LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]
    decay = _decay(problem.decay)
    if city.travel is not None:
        n_sites, areas = city.n_sites, city.point_area
        made = from_travel(city.travel, n_sites, areas, decay, problem.theta, progress)
    else:
        made = straight_line(*_xy(city), decay, problem.theta, progress=progress)
    if made is not None and made.n_pairs <= DENSE_PAIRS:
        with _KEPT_LOCK:
            _KEPT[key] = made
            while len(_KEPT) > _KEPT_MOST:
                _KEPT.popitem(last=False)
    return made


# Coverages made last, for a notebook or a worker that asks the same city again and again.
_KEPT: OrderedDict[tuple[str, float, str], Coverage] = OrderedDict()
_KEPT_LOCK = threading.Lock()
_KEPT_MOST = 2


def _decay(name: str) -> Any:
    from spineq.solvers.coverage import DECAYS

    return DECAYS[name]


def _xy(city: City) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    data = city.dataset
    return (
        np.column_stack([data["site_x"], data["site_y"]]),
        np.column_stack([data["point_x"], data["point_y"]]),
    )


def objective_of(city: City, problem: Problem, coverage: Coverage) -> Objective:
    """Weigh coverage by the problem's groups."""
    from spineq.solvers.objective import Objective

    return Objective(coverage, city.point_weights(city.weights(problem.groups)))


# ---------------------------------------------------------------------------- sensors


def _at_sites(city: City, positions: NDArray[np.int64]) -> pd.DataFrame:
    """Table of chosen sites: position, site, area, x, y."""
    data = city.dataset
    return pd.DataFrame(
        {
            "position": positions,
            "site": data["site"].to_numpy()[positions],
            "area": city.site_areas[positions],
            "x": data["site_x"].to_numpy()[positions],
            "y": data["site_y"].to_numpy()[positions],
        }
    )


def _places(city: City, sensors: Any) -> pd.DataFrame:
    """Table of the user's sensors: position (-1 for a place that is no site), site, area, x, y."""
    if isinstance(sensors, str):
        if sensors not in ("existing", "existing-points"):
            sensors = [sensors]
        elif city.existing is None:
            msg = "the city has no existing sensors"
            raise UnknownSensorError(msg, field="sensors", mend="Add them with with_existing")
        elif sensors == "existing":
            sensors = city.existing_areas
        else:
            sensors = city.existing[["x", "y"]].to_numpy()
    if hasattr(sensors, "geometry"):
        other = sorted(set(sensors.geometry.geom_type.dropna()) - {"Point"})
        if other:
            msg = f"a {other[0]} is not a place for a sensor"
            raise UnknownSensorError(msg, field="sensors", mend="Give points")
        if sensors.crs is not None and sensors.crs != city.crs:
            sensors = sensors.to_crs(city.crs)
        sensors = np.column_stack([sensors.geometry.x, sensors.geometry.y])
    if isinstance(sensors, np.ndarray) and sensors.dtype.kind in "fiu":
        return _free_places(city, np.asarray(sensors, dtype=np.float64))
    return _named_places(city, [str(name) for name in sensors])


def _named_places(city: City, names: Sequence[str]) -> pd.DataFrame:
    data = city.dataset
    names = list(dict.fromkeys(names))
    site = pd.Index(data["site"].to_numpy()).get_indexer(pd.Index(names, dtype=object))
    area = pd.Index(data["area"].to_numpy()).get_indexer(pd.Index(names, dtype=object))
    unknown = [name for k, name in enumerate(names) if site[k] < 0 and area[k] < 0]
    if unknown:
        msg = f"{unknown[0]!r} is neither a site nor an area of {city.name or 'the city'}"
        first = data["site"].to_numpy()[0]
        raise UnknownSensorError(
            msg, field="sensors", mend=f"Use ids such as {first!r}, or x and y"
        )
    made = _at_sites(city, np.maximum(site, 0).astype(np.int64))
    made["position"] = site
    elsewhere = np.flatnonzero(site < 0)
    made.loc[elsewhere, "site"] = ""
    made.loc[elsewhere, "area"] = [names[k] for k in elsewhere]
    made.loc[elsewhere, "x"] = data["x"].to_numpy()[area[elsewhere]]
    made.loc[elsewhere, "y"] = data["y"].to_numpy()[area[elsewhere]]
    return made


def _free_places(city: City, xy: NDArray[np.float64]) -> pd.DataFrame:
    if xy.ndim != 2 or xy.shape[1] != 2 or not np.isfinite(xy).all():
        msg = f"places must be finite numbers in two columns, x and y, not of shape {xy.shape}"
        raise UnknownSensorError(msg, field="sensors", mend="Give an array (sensor, 2)")
    if len(xy):
        # Once each, in the order given.
        xy = xy[np.sort(np.unique(xy, axis=0, return_index=True)[1])]
    return pd.DataFrame(
        {
            "position": np.full(len(xy), -1),
            "site": np.full(len(xy), "", dtype=object),
            "area": city.areas_at(xy) if len(xy) else np.empty(0, dtype=object),
            "x": xy[:, 0],
            "y": xy[:, 1],
        }
    )


# ---------------------------------------------------------------------------- measuring


def _measured(
    city: City,
    problem: Problem,
    places: pd.DataFrame,
    method: str,
    solution: Solution,
    began: float,
    progress: Progress,
) -> Network:
    """Measure a network in float64 from its places, without cut-offs, and put it together."""
    groups = city.reported_groups(dict(problem.groups))
    area_weight = city.weights(problem.groups)
    progress.report(0.0, MEASURING)
    people, rows = {}, np.empty((1 + len(groups), city.n_points))
    rows[0] = city.point_weights(area_weight)
    for k, (name, group) in enumerate(groups.items(), start=1):
        people[name] = city.people(group)
        rows[k] = city.point_weights(people[name].values / people[name].values.sum())
        progress.report(0.2 * k / len(groups), MEASURING)
    watcher = SpanProgress(progress, 0.2, 0.8)
    nearest, covered, history = _history(city, problem, places, rows, watcher)
    final = (rows * covered).sum(axis=1)
    value = float(final[0])
    if len(history):
        # The same sum in two orders: the last sensor's is the total, and none is above it.
        np.minimum(history, final, out=history)
        history[-1] = final
    table = pd.DataFrame(
        {
            "people": [float(found.values.sum()) for found in people.values()],
            "estimated": [found.estimated for found in people.values()],
            "coverage": final[1:],
        },
        index=pd.Index(list(groups)),
    )
    metres = _metres(city, places, nearest)
    for radius in WITHIN:
        table[radius] = (rows[1:] * (metres <= radius)).sum(axis=1)
    nearest_first = np.argsort(metres, kind="stable")
    table["median"], table["p90"] = (
        [_weighted_quantile(metres, row, nearest_first, share) for row in rows[1:]]
        for share in (0.5, 0.9)
    )
    progress.report(1.0, MEASURING)
    area_coverage = np.bincount(
        city.point_area, weights=city.point_share * covered, minlength=city.n_areas
    )
    bound = solution.upper_bound
    unknown = np.isnan(solution.value)
    return make_network(
        problem=problem,
        city=city,
        method=method,
        sensors=places,
        area_weight=area_weight,
        area_coverage=area_coverage.astype(np.float64),
        history=history[:, 0],
        group_history=history[:, 1:],
        groups=groups,
        table=table,
        total_coverage=value,
        upper_bound=bound if np.isnan(bound) else max(bound, value),
        stopped=solution.stopped,
        cutoff_error=0.0 if unknown else abs(value - solution.value),
        seconds=time.perf_counter() - began,
    )


def _history(
    city: City,
    problem: Problem,
    places: pd.DataFrame,
    rows: NDArray[np.float64],
    progress: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Follow the coverage of weights, (row, point), from sensor to sensor.

    Returns
    -------
    tuple
        Distance or cost to the nearest sensor (point,), coverage (point,), and the rows'
        coverage after each sensor (sensor, row).
    """
    decay, n_places = _decay(problem.decay), len(places)
    nearest, covered = np.full(city.n_points, np.inf), np.zeros(city.n_points)
    gained = np.zeros((n_places, len(rows)))
    approaches = _costs(city, places) if city.travel is not None else _approaches(city, places)
    for share, sensor, point, distance in approaches:
        value = decay(distance, problem.theta)
        # What a point had before is the entry before it, or what stands in the books.
        again = np.flatnonzero(point[1:] == point[:-1]) + 1
        before = covered[point]
        before[again] = value[again - 1]
        last = np.ones(len(point), dtype=np.bool_)
        last[again - 1] = False
        nearest[point[last]], covered[point[last]] = distance[last], value[last]
        for k, row in enumerate(rows):
            more = row[point] * (value - before)
            gained[:, k] += np.bincount(sensor, weights=more, minlength=n_places)
        progress.report(share, MEASURING)
    return nearest, covered, np.cumsum(gained, axis=0)


#: Pairs of sensor and point whose distances are looked at in one go: some milliseconds.
_LOOKED_AT = 1_000_000

_Approaches = Iterator[
    tuple[float, "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]
]


def _approaches(city: City, places: pd.DataFrame) -> _Approaches:
    """List where a sensor is nearer to a point than all before it, by straight line.

    Yields share done, sensor, point and distance; by point, then by sensor.
    """
    from spineq.solvers import _kernels

    sensors, points = np.ascontiguousarray(places[["x", "y"]], dtype=np.float64), _xy(city)[1]
    if len(sensors) == 0:
        return
    step = max(1, _LOOKED_AT // len(sensors))
    room = min(step, len(points)) * len(sensors)
    sensor, point = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    distance = np.empty(room)
    for low in range(0, len(points), step):
        high = min(low + step, len(points))
        n = _kernels.approaches(sensors, points, low, high, sensor, point, distance)
        yield high / len(points), sensor[:n], point[:n], distance[:n]


def _costs(city: City, places: pd.DataFrame) -> _Approaches:
    """List as `_approaches` does, by travel cost, one sensor after the other."""
    nearest = np.full(city.n_points, np.inf)
    for k, position in enumerate(places["position"]):
        cost = city.travel_costs_from(int(position))
        point = np.flatnonzero(cost < nearest)
        nearest[point] = cost[point]
        yield (k + 1) / len(places), np.full(len(point), k), point, cost[point]


def _metres(city: City, places: pd.DataFrame, nearest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres to the nearest sensor, (point,): straight lines where costs are not metres."""
    from scipy.spatial import cKDTree

    if len(places) == 0 or city.travel is None or city.travel_unit == "m":
        return nearest
    tree = cKDTree(places[["x", "y"]].to_numpy())
    distance: NDArray[np.float64] = tree.query(_xy(city)[1])[0]
    return distance


def _weighted_quantile(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    order: NDArray[np.int64],
    share: float,
) -> float:
    """Smallest value that at least this share of the weight does not exceed.

    ``order`` sorts the values.
    """
    total = np.cumsum(weights[order])
    # A share that is met but for rounding is met.
    return float(values[order[np.searchsorted(total, share * total[-1] * (1.0 - 1e-12))]])
