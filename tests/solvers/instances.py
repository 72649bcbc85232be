"""Small instances to hold solvers against: strategies, brute force, and naive algorithms."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from spineq.model.city import City
from spineq.solvers.coverage import Coverage
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Apart, Prices, Regions, Rules

NOWHERE = np.empty(0, dtype=np.int64)


def as_lists(matrix: np.ndarray, floor: float = 0.0) -> Coverage:
    """Neighbourhood lists of a matrix (site, point): what is not above ``floor`` is cut off."""
    site, point = np.nonzero(matrix > floor)
    start = np.zeros(len(matrix) + 1, dtype=np.int64)
    np.cumsum(np.bincount(site, minlength=len(matrix)), out=start[1:])
    value = np.ascontiguousarray(matrix[site, point], dtype=np.float64)
    return Coverage(start, point.astype(np.int32), value, matrix.shape[1], floor)


def as_matrix(coverage: Coverage) -> np.ndarray:
    """Matrix (site, point) of a coverage; 0 where a pair is not held."""
    if coverage.dense:
        return coverage.value.reshape(coverage.n_sites, coverage.n_points)
    made = np.zeros((coverage.n_sites, coverage.n_points))
    rows = np.repeat(np.arange(coverage.n_sites), np.diff(coverage.start))
    made[rows, coverage.point] = coverage.value
    return made


@st.composite
def matrices(draw, max_sites: int = 9, max_points: int = 9, largest: int = 6) -> np.ndarray:
    """Matrix of small whole numbers (site, point): exact sums, many ties, many zeros."""
    n_sites = draw(st.integers(1, max_sites))
    n_points = draw(st.integers(1, max_points))
    row = st.lists(st.integers(0, largest), min_size=n_points, max_size=n_points)
    rows = draw(st.lists(row, min_size=n_sites, max_size=n_sites))
    return np.array(rows, dtype=np.float64)


@st.composite
def objectives(draw, max_sites: int = 9, some_usable: bool = True, kept: bool = False) -> Objective:
    """Objective over whole numbers, dense or lists, with zero weights and unusable sites.

    ``kept`` adds, at times, what stands already.
    """
    matrix = draw(matrices(max_sites))
    n_sites, n_points = matrix.shape
    weight = draw(st.lists(st.integers(0, 4), min_size=n_points, max_size=n_points))
    coverage = Coverage.from_matrix(matrix) if draw(st.booleans()) else as_lists(matrix)
    usable = None
    if some_usable and draw(st.booleans()):
        marks = draw(st.lists(st.booleans(), min_size=n_sites, max_size=n_sites))
        marks[draw(st.integers(0, n_sites - 1))] = True
        usable = np.array(marks)
    base = None
    if kept and draw(st.booleans()):
        points = st.lists(st.integers(0, 4), min_size=n_points, max_size=n_points)
        base = np.array(draw(points), dtype=np.float64)
    return Objective(coverage, np.array(weight, dtype=np.float64), usable, base)


def value_of(objective: Objective, sites: object) -> float:
    """Objective of a set of sites, by its definition."""
    chosen = np.array(sites, dtype=np.int64)
    matrix = as_matrix(objective.coverage)
    covered = objective.nothing()
    if len(chosen):
        covered = np.maximum(covered, matrix[chosen].max(axis=0))
    return float(objective.weight @ covered)


def best_value(objective: Objective, n: int) -> float:
    """Best objective of ``n`` usable sites, by trying all sets."""
    usable = np.flatnonzero(objective.usable_sites)
    return max(value_of(objective, sites) for sites in itertools.combinations(usable, n))


def allowed_networks(objective: Objective, rules: Rules) -> list[np.ndarray]:
    """All networks of usable sites that keep the rules."""
    usable = np.flatnonzero(objective.usable_sites)
    sizes = range(min(rules.n, len(usable)) + 1)
    sets = (set_ for size in sizes for set_ in itertools.combinations(usable, size))
    arrays = (np.array(sites, dtype=np.int64) for sites in sets)
    return [sites for sites in arrays if not rules.broken_by(sites)]


def best_allowed(objective: Objective, rules: Rules) -> float:
    """Best objective of a network that keeps the rules, by trying all; -inf without one."""
    networks = allowed_networks(objective, rules)
    return max((value_of(objective, sites) for sites in networks), default=-np.inf)


def apart_of(pairs: object, n_sites: int) -> Apart:
    """Symmetric lists of pairs of sites that are too near to each other."""
    near = np.zeros((n_sites, n_sites), dtype=np.bool_)
    for one, other in pairs:
        near[one, other] = near[other, one] = one != other
    start = np.concatenate([[0], np.cumsum(near.sum(axis=1))])
    return Apart(start, np.nonzero(near)[1])


@st.composite
def rules_for(draw, objective: Objective, kinds: object = None) -> Rules:
    """Rules over an objective's sites, of the kinds named or of any; at times impossible."""
    n_sites = objective.n_sites
    if kinds is None:
        kinds = draw(st.sets(st.sampled_from(["regions", "budget", "spacing"]), min_size=1))
    n = draw(st.integers(1, int(objective.usable_sites.sum())))
    regions = prices = apart = None
    if "regions" in kinds:
        n_regions = draw(st.integers(1, 3))
        of = draw(st.lists(st.integers(0, n_regions - 1), min_size=n_sites, max_size=n_sites))
        sizes = {"min_size": n_regions, "max_size": n_regions}
        least = np.array(draw(st.lists(st.sampled_from([0, 0, 1, 1, 2]), **sizes)))
        more = np.array(draw(st.lists(st.integers(0, 4), **sizes)))
        regions = Regions(np.array(of), least + more, least)
    if "budget" in kinds:
        price = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0])
        cost = np.array(draw(st.lists(price, min_size=n_sites, max_size=n_sites)))
        prices = Prices(cost, draw(st.sampled_from([0.0, 0.2, 0.3, 0.7, 1.0, 2.0, 4.0])))
    if "spacing" in kinds:
        site = st.integers(0, n_sites - 1)
        apart = apart_of(draw(st.lists(st.tuples(site, site), max_size=2 * n_sites)), n_sites)
    return Rules(n, regions, prices, apart)


def naive_greedy(objective: Objective, n: int) -> list[int]:
    """Greedy without a trick: every gain anew for every sensor, the first of the best."""
    matrix, covered = as_matrix(objective.coverage), objective.nothing()
    chosen: list[int] = []
    for _ in range(n):
        gains = (objective.weight * np.maximum(matrix - covered, 0)).sum(axis=1)
        gains[~objective.usable_sites] = -1
        gains[chosen] = -1
        chosen.append(int(np.argmax(gains)))
        covered = np.maximum(covered, matrix[chosen[-1]])
    return chosen


def city_of(
    xy: object,
    residents: object = None,
    workers: object = None,
    *,
    name: str = "Smallville",
) -> City:
    """City of areas A0, A1, ... at places in metres, with three age bands and workers."""
    xy = np.asarray(xy, dtype=np.float64)
    n = len(xy)
    residents = np.ones((n, 3)) if residents is None else np.asarray(residents, dtype=np.float64)
    frame = pd.DataFrame(
        {
            "area_id": [f"A{k}" for k in range(n)],
            # Far from zero, or they would look like degrees.
            "x": xy[:, 0] + 400_000,
            "y": xy[:, 1] + 500_000,
            "age_0_15": residents[:, 0],
            "age_16_65": residents[:, 1],
            "age_66_plus": residents[:, 2],
            "workers": np.ones(n) if workers is None else np.asarray(workers, dtype=np.float64),
        }
    )
    return City.from_frame(frame, crs="EPSG:27700", name=name, code="S1", attribution="Invented")


@st.composite
def cities(draw, max_areas: int = 7) -> City:
    """Small city, areas often at one place, some without people, perhaps with own sites."""
    n = draw(st.integers(1, max_areas))
    place = st.tuples(st.integers(0, 20), st.integers(0, 20))
    xy = 100.0 * np.array(draw(st.lists(place, min_size=n, max_size=n)))
    counts = st.lists(st.integers(0, 9), min_size=n, max_size=n)
    residents = np.array([draw(counts) for _ in range(3)], dtype=np.float64).T
    workers = np.array(draw(counts), dtype=np.float64)
    residents[0] += 1
    workers[0] += 1
    city = city_of(xy, residents, workers)
    if draw(st.booleans()):
        sites = 100.0 * np.array(draw(st.lists(place, min_size=1, max_size=6)))
        city = city.with_sites(pd.DataFrame({"x": sites[:, 0] + 4e5, "y": sites[:, 1] + 5e5}))
    return city


def straight_lines(city: City, by: str = "point") -> pd.DataFrame:
    """Travel table of the straight-line distances of every pair."""
    sites = city.sites
    targets = city.points if by == "point" else city.to_frame().set_index("area_id")
    dx = sites["x"].to_numpy()[:, None] - targets["x"].to_numpy()[None, :]
    dy = sites["y"].to_numpy()[:, None] - targets["y"].to_numpy()[None, :]
    return pd.DataFrame(
        {
            "site": np.repeat(sites.index.to_numpy(), len(targets)),
            by: np.tile(targets.index.to_numpy(), len(sites)),
            "cost": np.sqrt(dx**2 + dy**2).ravel(),
        }
    )
