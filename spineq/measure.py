"""Measuring a network in float64 from its places: no cut-off, no solver's shortcuts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import UnknownSensorError
from spineq.model._assembly import make_network
from spineq.model._checks import need_columns, numbers, row_name
from spineq.model.network import WITHIN, Network
from spineq.progress import Progress, SpanProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.solvers.solution import Solution

#: What the watcher is told while a network is measured.
MEASURING = "measuring the network"


def at_sites(city: City, positions: NDArray[np.int64]) -> pd.DataFrame:
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


def places_of(city: City, sensors: Any) -> tuple[pd.DataFrame, int]:
    """Table of the user's sensors, each once, and how many were named.

    The table's columns: position (-1 for a place that is no site), site, area, x, y.

    Raises
    ------
    UnknownSensorError
        Something that names no sensor or place of the city.
    MissingColumnError, NotANumberError
        A table without x and y, or with something else than numbers in them.
    """
    import geopandas as gpd

    if isinstance(sensors, str):
        if sensors not in ("existing", "existing-points"):
            sensors = [sensors]
        elif city.existing is None:
            msg = "the city has no existing sensors"
            raise UnknownSensorError(msg, field="sensors", mend="Add them with with_existing")
        elif sensors == "existing":
            return _named_places(city, list(city.existing_areas)), len(city.existing)
        else:
            sensors = city.existing[["x", "y"]]
    if isinstance(sensors, gpd.GeoSeries | gpd.GeoDataFrame):
        return _free_places(city, _points_xy(city, sensors)), len(sensors)
    if isinstance(sensors, pd.DataFrame):
        return _free_places(city, _table_xy(sensors)), len(sensors)
    if isinstance(sensors, np.ndarray) and sensors.dtype.kind in "fiu":
        return _free_places(city, np.asarray(sensors, dtype=np.float64)), len(sensors)
    listed = _listed(sensors)
    if all(_is_id(sensor) for sensor in listed):
        return _named_places(city, [str(name).strip() for name in listed]), len(listed)
    for sensor in listed:
        if not _is_pair(sensor):
            raise _no_sensor(sensor)
    return _free_places(city, np.array([list(pair) for pair in listed], dtype=float)), len(listed)


def _no_sensor(given: object) -> UnknownSensorError:
    return UnknownSensorError(
        f"{given!r:.60} names no sensor",
        field="sensors",
        mend="Give ids of sites or areas, or pairs of x and y, all of one kind",
    )


def _listed(sensors: Any) -> list[Any]:
    """Items of a collection, in an order that is the same in every process."""
    if isinstance(sensors, Mapping | bytes) or not isinstance(sensors, Iterable):
        raise _no_sensor(sensors)
    if not isinstance(sensors, Set):
        return list(sensors)
    try:
        return sorted(sensors)
    except TypeError as error:
        raise _no_sensor(sensors) from error


def _is_id(sensor: object) -> bool:
    return isinstance(sensor, str | int | np.integer) and not isinstance(sensor, bool)


def _is_pair(sensor: Any) -> bool:
    return (
        isinstance(sensor, tuple | list | np.ndarray)
        and len(sensor) == 2
        and all(
            isinstance(number, int | float | np.integer | np.floating)
            and not isinstance(number, bool)
            for number in sensor
        )
    )


def _table_xy(table: pd.DataFrame) -> NDArray[np.float64]:
    need_columns(table, ["x", "y"], None)
    mend = "Write a number in the city's coordinate system"
    return np.column_stack(
        [numbers(table[axis], None, axis, None, least=None, mend=mend) for axis in ("x", "y")]
    )


def _points_xy(city: City, sensors: Any) -> NDArray[np.float64]:
    """Coordinates of a GeoSeries' or GeoDataFrame's points in the city's CRS, (sensor, 2)."""
    try:
        points = sensors.geometry
    except AttributeError as error:
        msg = "the table has no column of geometries"
        mend = "Name it with set_geometry, or give a table with columns x and y"
        raise UnknownSensorError(msg, field="sensors", mend=mend) from error
    nowhere = np.flatnonzero(points.isna() | points.is_empty)
    if len(nowhere):
        msg = "the geometry is empty"
        row = row_name(int(nowhere[0]))
        raise UnknownSensorError(msg, field="sensors", row=row, mend="Give every sensor a point")
    other = sorted(set(points.geom_type) - {"Point"})
    if other:
        msg = f"a {other[0]} is not a place for a sensor"
        mend = "Give points, for example those of representative_point()"
        raise UnknownSensorError(msg, field="sensors", mend=mend)
    if points.crs is not None and points.crs != city.crs:
        points = points.to_crs(city.crs)
    return np.column_stack([points.x, points.y])


def _named_places(city: City, names: Sequence[str]) -> pd.DataFrame:
    data = city.dataset
    names = list(dict.fromkeys(names))
    site = pd.Index(data["site"].to_numpy()).get_indexer(pd.Index(names, dtype=object))
    area = pd.Index(data["area"].to_numpy()).get_indexer(pd.Index(names, dtype=object))
    for k, name in enumerate(names):
        if site[k] < 0 and area[k] < 0:
            msg = f"{name!r} is neither a site nor an area of {city.name or 'the city'}"
            first = data["site"].to_numpy()[0]
            mend = f"Use ids such as {first!r}, or x and y"
            raise UnknownSensorError(msg, field="sensors", mend=mend)
        if site[k] >= 0 and area[k] >= 0 and city.site_areas[site[k]] != name:
            msg = f"{name!r} is an area, and a site in another area, {city.site_areas[site[k]]!r}"
            mend = "Rename the site, or give x and y"
            raise UnknownSensorError(msg, field="sensors", mend=mend)
    made = at_sites(city, np.maximum(site, 0).astype(np.int64))
    made["position"] = site
    elsewhere = np.flatnonzero(site < 0)
    made.loc[elsewhere, "site"] = ""
    made.loc[elsewhere, "area"] = [names[k] for k in elsewhere]
    made.loc[elsewhere, "x"] = data["x"].to_numpy()[area[elsewhere]]
    made.loc[elsewhere, "y"] = data["y"].to_numpy()[area[elsewhere]]
    return made


def _free_places(city: City, xy: NDArray[np.float64]) -> pd.DataFrame:
    if xy.size == 0:
        xy = np.empty((0, 2))
    mend = "Give an array (sensor, 2)"
    if xy.ndim != 2 or xy.shape[1] != 2:
        msg = f"places must be in two columns, x and y, not of shape {xy.shape}"
        raise UnknownSensorError(msg, field="sensors", mend=mend)
    if not np.isfinite(xy).all():
        row = int(np.flatnonzero(~np.isfinite(xy).all(axis=1))[0])
        msg = f"the place {xy[row, 0]:g}, {xy[row, 1]:g} is not finite"
        raise UnknownSensorError(msg, field="sensors", row=row_name(row), mend="Give numbers")
    if len(xy):
        _need_near(city, xy)
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


def _need_near(city: City, xy: NDArray[np.float64]) -> None:
    """Refuse places so far outside that they must be in another coordinate system."""
    low, high = city.point_xy.min(axis=0), city.point_xy.max(axis=0)
    # A sensor may stand outside, but not further than the city is wide, or than 50 km.
    room = max(float((high - low).max()), 50_000.0)
    far = ((xy < low - room) | (xy > high + room)).any(axis=1)
    if far.any():
        x, y = xy[far][0]
        msg = f"the place {x:g}, {y:g} is far outside {city.name or 'the city'}"
        mend = f"Give x and y in {city.crs.to_string()}, or a GeoSeries with its own CRS"
        raise UnknownSensorError(msg, field="sensors", mend=mend)


def measured(
    city: City,
    problem: Problem,
    places: pd.DataFrame,
    method: str,
    solution: Solution,
    began: float,
    progress: Progress,
    sensors_given: int | None = None,
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
    # No one is covered more than wholly, whatever a sum of gains says.
    bound = (
        solution.upper_bound if np.isnan(solution.upper_bound) else min(solution.upper_bound, 1.0)
    )
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
        sensors_given=sensors_given,
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
    from spineq.solvers.decays import DECAYS

    decay, n_places = DECAYS[problem.decay], len(places)
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

    sensors, points = np.ascontiguousarray(places[["x", "y"]], dtype=np.float64), city.point_xy
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
    distance: NDArray[np.float64] = tree.query(city.point_xy)[0]
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
