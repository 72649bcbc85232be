"""Measuring a network in float64 from its places: no cut-off, no solver's shortcuts."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq._approaches import approaches
from spineq._places import at_sites as at_sites
from spineq._places import places_of as places_of
from spineq.model._assembly import make_network
from spineq.model._inequality import gini, mean_of_lowest
from spineq.model._objective_words import owed
from spineq.model.network import WITHIN, Network
from spineq.progress import Progress, SilentProgress, SpanProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.model.problem import Problem
    from spineq.solvers.solution import Solution

#: What the watcher is told while a network is measured.
MEASURING = "measuring the network"


def measured(
    city: City,
    problem: Problem,
    places: pd.DataFrame,
    method: str,
    solution: Solution,
    began: float,
    progress: Progress,
    sensors_given: int | None = None,
    *,
    kept: int = 0,
    own_best: Mapping[str, float] | None = None,
    slack: float = 1.0,
    spent: float = math.nan,
) -> Network:
    """Measure a network in float64 from its places, without cut-offs, and put it together.

    Parameters
    ----------
    city, problem
        What was asked, of which city.
    places
        The sensors in order, those that stay first: position (-1 for a place that is no site),
        site, area, x, y.
    method
        Who answered.
    solution
        The solver's answer, whose value and bound are in its own units: the weighted mean; for
        an aversion the sum of transformed coverage; for ``"worst"`` and ``"worst_share"`` the
        smallest share. A value or bound that is not known is NaN.
    began
        When the work began, by `time.perf_counter`.
    progress
        Watcher; it cannot stop the measuring.
    sensors_given
        How many sensors the user named, where some stood in one place.
    kept
        How many of the places are of sensors that stay.
    own_best
        Best coverage that each group could have alone, above 0, where it is known; all of the
        problem's groups for ``"worst_share"``.
    slack
        How many times as much the best of a group alone may be, 1 where each is proven; then
        the bound of ``"worst_share"`` is one on what is true, not on what is known.
    spent
        What the sensors that do not stay cost; NaN without a budget.
    """
    groups = city.reported_groups({name: group for name, group, _ in owed(problem)})
    groups |= dict(problem.groups)
    area_weight = city.weights(problem.groups)
    progress.report(0.0, MEASURING)
    people, rows = {}, np.empty((1 + len(groups), city.n_points))
    rows[0] = city.weights_at_points(problem.groups)
    for k, (name, group) in enumerate(groups.items(), start=1):
        people[name] = city.people(group)
        rows[k] = city.weights_at_points([(name, replace(group, weight=1.0))])
        progress.report(0.2 * k / len(groups), MEASURING)
    watcher = SpanProgress(progress, 0.2, 0.8)
    nearest, covered, history = _history(city, problem, places, rows, watcher)
    final = (rows * covered).sum(axis=1)
    if len(history):
        # The same sum in two orders: the last sensor's is the total, and none is above it.
        np.minimum(history, final, out=history)
        history[-1] = final
    table = pd.DataFrame(
        {
            "people": [float(found.values.sum()) for found in people.values()],
            "estimated": [found.estimated for found in people.values()],
            "coverage": final[1:],
            "own best": [(own_best or {}).get(name, math.nan) for name in groups],
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
    total = float(final[0])
    if problem.failure_probability > 0.0:
        covered_then = expected(city, problem, places)
        value, solved = float((rows[0] * covered_then).sum()), solution.value
        bound = math.nan if math.isnan(solution.upper_bound) else min(solution.upper_bound, 1.0)
        bound = max(bound, value) if not math.isnan(bound) else bound
    else:
        value, bound, solved = _certificate(
            problem, solution, total, rows[0], covered, table, slack
        )
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
        total_coverage=total,
        objective_value=value,
        upper_bound=bound,
        stopped=solution.stopped,
        cutoff_error=0.0 if math.isnan(solved) else abs(value - solved),
        gini_people=gini(covered, rows[0]),
        worst_tenth=mean_of_lowest(covered, rows[0], 0.1),
        seconds=time.perf_counter() - began,
        sensors_given=sensors_given,
        kept=kept,
        spent=spent,
    )


def ranked_coverage(
    city: City, problem: Problem, places: pd.DataFrame, ranks: int
) -> NDArray[np.float64]:
    """Coverage of every point by the sensors that cover it best, (point, rank), falling.

    Parameters
    ----------
    city, problem
        Where, and with which decay and theta.
    places
        The sensors: position (-1 for a place that is no site), x, y.
    ranks
        How many of the best of each point; 0 where there are fewer sensors.
    """
    from spineq.solvers._kernels import failing
    from spineq.solvers.decays import DECAYS

    decay, table = DECAYS[problem.decay], np.zeros((city.n_points, ranks))
    if ranks == 0:
        return table
    xy = places[["x", "y"]].to_numpy(dtype=np.float64)
    for k, position in enumerate(places["position"]):
        if city.travel is None:
            distance = np.sqrt(((city.point_xy - xy[k]) ** 2).sum(axis=1))
        else:
            distance = city.travel_costs_from(int(position))
        failing.insert_all(table, decay(distance, problem.theta))
    return table


def expected(city: City, problem: Problem, places: pd.DataFrame) -> NDArray[np.float64]:
    """Coverage of every point that is to be expected where sensors may fail, (point,), 0 to 1.

    ``sum_k (1 - p) p^(k-1) c_(k)`` over the sensors by falling coverage c_(k) of the point (Snyder
    and Daskin 2005), without cut-off.

    Parameters
    ----------
    city, problem, places
        As for `ranked_coverage`; the problem says with which probability p each sensor fails.
    """
    from spineq.solvers.failing_books import rank_weights, ranks_for

    n, probability = len(places), problem.failure_probability
    ranks = ranks_for(probability, n) if n else 0
    table = ranked_coverage(city, problem, places, ranks)
    made: NDArray[np.float64] = (rank_weights(probability, ranks) * table).sum(axis=1)
    return made


def _certificate(
    problem: Problem,
    solution: Solution,
    total: float,
    weight: NDArray[np.float64],
    covered: NDArray[np.float64],
    table: pd.DataFrame,
    slack: float,
) -> tuple[float, float, float]:
    """Put what was maximised, its bound and what the solver found in one unit, 0 to 1.

    For an aversion that is the equally-distributed equivalent coverage.

    Returns
    -------
    tuple
        The objective's value, from the points' coverage; its bound, at least the value, NaN
        where it is not known; and its value by the solver, NaN where it gave none.
    """
    from spineq.solvers.welfare import welfare_of

    value, solved, bound = total, solution.value, solution.upper_bound
    if problem.objective == "worst_share":
        # A share of the best that is known may exceed 1; `slack` says by how much.
        bound = math.nan if math.isinf(bound * slack) else min(bound, slack) * slack
    elif not math.isnan(bound):
        # No one is covered more than wholly, whatever a sum of gains says.
        bound = min(bound, 1.0)
    welfare = welfare_of(problem.aversion_form, problem.aversion)
    if problem.objective != "mean":
        judged = table.loc[[name for name, _ in problem.groups]]
        # Nobody has more alone than everything: a share of that is certain.
        best = judged["own best"].fillna(1.0) if problem.objective == "worst_share" else 1.0
        value = float((judged["coverage"] / best).min())
    elif welfare is not None:
        value = welfare.equivalent(weight, covered)
        bound, solved = (
            known if math.isnan(known) else welfare.inverse(known) for known in (bound, solved)
        )
    return value, bound if math.isnan(bound) else max(bound, value), solved


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

    if "theta" in places:
        return _history_of_kinds(city, problem, places, rows, progress)
    decay, n_places = DECAYS[problem.decay], len(places)
    nearest, covered = np.full(city.n_points, np.inf), np.zeros(city.n_points)
    gained = np.zeros((n_places, len(rows)))
    for share, sensor, point, distance in approaches(city, places):
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


def _history_of_kinds(
    city: City,
    problem: Problem,
    places: pd.DataFrame,
    rows: NDArray[np.float64],
    progress: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Do the same for sensors of several kinds, where the nearest need not cover most."""
    from spineq.solvers.decays import DECAYS

    decay, points = DECAYS[problem.decay], city.point_xy
    nearest, covered = np.full(city.n_points, np.inf), np.zeros(city.n_points)
    history = np.empty((len(places), len(rows)))
    position, theta = places["position"].to_numpy(dtype=np.int64), places["theta"].to_numpy()
    xy = places[["x", "y"]].to_numpy(dtype=np.float64)
    for k in range(len(places)):
        if city.travel is None:
            distance = np.sqrt(((points - xy[k]) ** 2).sum(axis=1))
        else:
            distance = city.travel_costs_from(int(position[k]))
        np.minimum(nearest, distance, out=nearest)
        np.maximum(covered, decay(distance, float(theta[k])), out=covered)
        history[k] = (rows * covered).sum(axis=1)
        progress.report((k + 1) / len(places), MEASURING)
    return nearest, covered, history


def group_coverage_by_area(network: Network, city: City, group: Group) -> NDArray[np.float64]:
    """Coverage of a group's people in each area, (area,), 0 to 1.

    People of an area are covered alike, whatever their group; a group that stands at points of
    its own is covered there, and its mean over those that belong to an area is the area's: 0
    where it has none.

    Parameters
    ----------
    network, city
        A network and the city that it was made for.
    group
        Whose coverage.
    """
    if group.column not in city.point_groups:
        return network.area_coverage.to_numpy()
    kinds = ["theta"] if "theta" in network.sensors else []
    places = network.sensors[["site", "x", "y", *kinds]].reset_index(drop=True)
    sites = pd.Index(city.dataset["site"].to_numpy())
    places["position"] = sites.get_indexer(pd.Index(places["site"]))
    nothing = np.empty((0, city.n_points))
    _, covered, _ = _history(city, network.problem, places, nothing, SilentProgress())
    weight = city.weights_at_points([("", replace(group, weight=1.0))])
    people, reached = (
        np.bincount(city.point_area, weights=values, minlength=city.n_areas)
        for values in (weight, weight * covered)
    )
    return np.divide(reached, people, out=np.zeros(city.n_areas), where=people > 0.0)


def mean_change(one: Network, other: Network, city: City) -> float:
    """Weighted mean coverage by one network less that by another, -1 to 1.

    By the first network's groups and their weights, whatever the other was made for.

    Parameters
    ----------
    one, other, city
        Two networks and the city that both were made for.
    """
    if not city.point_groups:
        weight = one.dataset["area_weight"].to_numpy()
        return float(weight @ (one.area_coverage.to_numpy() - other.area_coverage.to_numpy()))
    total = 0.0
    for name, group in one.problem.groups:
        people = city.people(group).values
        mine, theirs = (group_coverage_by_area(each, city, group) for each in (one, other))
        total += one.problem.group_weights[name] * float(people @ (mine - theirs)) / people.sum()
    return float(total)


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
