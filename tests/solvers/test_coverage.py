"""Coverage: decays, dense and neighbourhood lists, transposes, travel tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import as_lists, as_matrix, city_of, matrices, straight_lines

from spineq.errors import ProblemError
from spineq.progress import RecordingProgress
from spineq.solvers import _kernels
from spineq.solvers import coverage as module
from spineq.solvers.coverage import Coverage, distances, from_travel, straight_line
from spineq.solvers.decays import DECAYS

FORMULAS = {
    "exponential": lambda d, theta: np.exp(-d / theta),
    "step": lambda d, theta: np.where(d <= theta, 1.0, 0.0),
    "linear": lambda d, theta: np.maximum(0.0, 1.0 - d / theta),
    "gaussian": lambda d, theta: np.exp(-0.5 * (d / theta) ** 2),
}


@pytest.mark.parametrize("name", DECAYS)
def test_decay_is_its_formula(name: str) -> None:
    """A decay is what its formula says, 1 at the sensor and 0 at infinity."""
    d = np.array([0.0, 1.0, 250.0, 500.0, 500.1, 4000.0, np.inf])
    decay = DECAYS[name]
    np.testing.assert_allclose(decay(d, 500.0), FORMULAS[name](d, 500.0), rtol=1e-14)
    assert decay(d, 500.0)[0] == 1.0
    assert decay(d, 500.0)[-1] == 0.0
    assert d[1] == 1.0, "the distances were changed"


@pytest.mark.parametrize("name", DECAYS)
@given(theta=st.floats(1e-3, 1e5), level=st.floats(1e-9, 0.99))
def test_radius_is_where_the_level_is_reached(name: str, theta: float, level: float) -> None:
    """Beyond the radius of a level, coverage is at most that level."""
    decay = DECAYS[name]
    radius = decay.radius(theta, level)
    beyond = decay(np.array([radius * (1 + 1e-9), radius * 2]), theta)
    assert (beyond <= level * (1 + 1e-6)).all()
    if decay.ends:
        assert (beyond < 1e-8).all()
    else:
        np.testing.assert_allclose(decay(np.array([radius]), theta), level, rtol=1e-9)


@pytest.mark.parametrize("name", DECAYS)
@pytest.mark.parametrize("theta", [5e-324, 1e-300, 1e300, 1.7e308])
def test_extreme_thetas_give_neither_nan_nor_warning(name: str, theta: float) -> None:
    """Coverage stays within 0 and 1 however small or large theta is."""
    covered = DECAYS[name](np.array([0.0, 1e-3, 1e7]), theta)
    assert covered[0] == 1.0
    assert ((covered >= 0) & (covered <= 1)).all()


def places(seed: int, n: int, spread: float) -> np.ndarray:
    """Random places, metres, some of them coincident and some on a grid."""
    generator = np.random.default_rng(seed)
    xy = generator.random((n, 2)) * spread
    xy[::3] = np.round(xy[::3] / 500) * 500
    xy[n // 2] = xy[0]
    return xy


@given(
    seed=st.integers(0, 10_000),
    n_sites=st.integers(1, 30),
    n_points=st.integers(1, 30),
    name=st.sampled_from(sorted(DECAYS)),
    theta=st.sampled_from([1e-6, 30.0, 500.0, 5_000.0, 1e12]),
    cutoff=st.sampled_from([1e-4, 0.01, 0.5]),
    away=st.sampled_from([0.0, 2_000.0, -50_000.0, 1e9]),
)
def test_lists_agree_with_the_matrix(
    seed: int,
    n_sites: int,
    n_points: int,
    name: str,
    theta: float,
    cutoff: float,
    away: float,
) -> None:
    """A listed pair has the matrix's value; one that is not listed is at most the floor."""
    sites, points = places(seed, n_sites, 6_000.0), places(seed + 1, n_points, 4_000.0)
    sites[-1] += away
    dense = straight_line(sites, points, DECAYS[name], theta, dense=True)
    lists = straight_line(sites, points, DECAYS[name], theta, dense=False, cutoff=cutoff)
    assert dense is not None
    assert lists is not None
    assert dense.dense
    assert not lists.dense
    full, listed = as_matrix(dense), as_matrix(lists)
    held = listed > 0
    np.testing.assert_array_equal(listed[held], full[held])
    assert full[~held].max(initial=0.0) <= lists.floor * (1 + 1e-12)
    assert lists.floor <= cutoff * (1 + 1e-9)
    if DECAYS[name].ends:
        assert lists.floor == 0.0


@pytest.mark.parametrize("radius", [0.1, 0.3, 500.0, 1 / 3])
def test_points_exactly_at_the_radius_are_listed(radius: float) -> None:
    """Lists hold what brute force holds also where distances equal the radius."""
    steps = np.arange(40.0)
    points = np.column_stack([steps * radius, np.zeros(40)])
    step = DECAYS["step"]
    lists = straight_line(points, points, step, radius, dense=False)
    assert lists is not None
    np.testing.assert_array_equal(as_matrix(lists), step(distances(points, points), radius))


@pytest.mark.parametrize("n_sites", [1, 5])
def test_single_point(n_sites: int) -> None:
    """One point, or all points at one place, make lists without a hitch."""
    sites = np.full((n_sites, 2), 7.0)
    for n_points in (1, 4):
        lists = straight_line(
            sites, np.full((n_points, 2), 7.0), DECAYS["exponential"], 500.0, dense=False
        )
        assert lists is not None
        np.testing.assert_array_equal(as_matrix(lists), np.ones((n_sites, n_points)))


def test_nothing_in_reach_gives_empty_lists() -> None:
    """With a tiny theta and sites away from the points the lists are empty."""
    sites, points = np.array([[0.0, 0.0], [50.0, 0.0]]), np.array([[10.0, 10.0]])
    lists = straight_line(sites, points, DECAYS["step"], 1.0, dense=False)
    assert lists is not None
    assert lists.n_pairs == 0
    assert lists.by_point.start.tolist() == [0, 0]


@pytest.mark.parametrize("theta", [500.0, 1e9])
def test_lists_never_grow_beyond_the_limit(theta: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The radius shrinks until the lists fit, the floor says so, and progress goes forward."""
    monkeypatch.setattr(module, "MOST_PAIRS", 900)
    monkeypatch.setattr(module, "_COUNTED", 100)
    monkeypatch.setattr(module, "_FILLED", 100)
    xy = np.random.default_rng(5).random((600, 2)) * 4_000
    watcher = RecordingProgress()
    lists = straight_line(xy, xy, DECAYS["exponential"], theta, dense=False, progress=watcher)
    assert lists is not None
    assert 0 < lists.n_pairs <= 900
    assert lists.floor == DECAYS["exponential"](np.array([lists.radius]), theta)[0]
    full = DECAYS["exponential"](distances(xy, xy), theta)
    assert full[as_matrix(lists) == 0].max() <= lists.floor * (1 + 1e-12)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(fractions) > 20


def test_too_many_pairs_at_one_place_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no radius makes the lists short enough, that is said, not tried for ever."""
    monkeypatch.setattr(module, "MOST_PAIRS", 30)
    with pytest.raises(ProblemError, match="same places"):
        straight_line(np.ones((8, 2)), np.ones((8, 2)), DECAYS["linear"], 1e4, dense=False)


@pytest.mark.parametrize("dense", [True, False])
def test_stop_gives_nothing(dense: bool) -> None:
    """A watcher that asks to stop gets None instead of half a coverage."""
    xy = places(1, 50, 3_000.0)
    watcher = RecordingProgress(stop_after=1)
    assert straight_line(xy, xy, DECAYS["step"], 9.0, dense=dense, progress=watcher) is None
    assert len(watcher.reports) == 1


def assert_nearest_first(lists: Coverage, row: int) -> None:
    """A row has the largest coverage first, and ties by position."""
    assert lists.point is not None
    piece = slice(lists.start[row], lists.start[row + 1])
    order = np.lexsort((lists.point[piece], -lists.value[piece]))
    assert (order == np.arange(len(order))).all()


@given(
    seed=st.integers(0, 10_000),
    length=st.integers(0, 200),
    largest=st.sampled_from([0, 1, 5, 10_000]),
    kind=st.sampled_from(["random", "rising", "falling", "runs"]),
)
def test_rows_are_sorted_in_place(seed: int, length: int, largest: int, kind: str) -> None:
    """Any row is sorted by value and then by position, and keeps its pairs; others stay."""
    generator = np.random.default_rng(seed)
    value = generator.integers(0, largest, length, endpoint=True).astype(np.float64)
    if kind in ("rising", "falling"):
        value = np.sort(value)[:: 1 if kind == "rising" else -1].copy()
    elif kind == "runs":
        value = np.concatenate([np.sort(run) for run in np.array_split(value, 3)])
    index = generator.permutation(length).astype(np.int32)
    order = np.lexsort((index, -value))
    start = np.array([0, 2, 2 + length, 4 + length], dtype=np.int64)
    ends = np.array([7, 3], dtype=np.int32), np.array([0.25, 0.5])
    indices = np.concatenate([ends[0], index, ends[0]])
    values = np.concatenate([ends[1], value, ends[1]])
    _kernels.sort_rows(start, indices, values, 1, 2)
    assert indices.tolist() == [7, 3, *index[order], 7, 3]
    assert values.tolist() == [0.25, 0.5, *value[order], 0.25, 0.5]


@pytest.mark.parametrize("name", DECAYS)
def test_lists_of_the_same_places_are_their_own_transpose(name: str) -> None:
    """Where sites and points are the same, the lists are what flipping them would give."""
    xy = places(11, 120, 3_000.0)
    lists = straight_line(xy, xy.copy(), DECAYS[name], 500.0, dense=False)
    assert lists is not None
    assert lists.symmetric
    assert lists.by_point is lists
    flipped = replace(lists, symmetric=False).by_point
    assert flipped is not lists
    np.testing.assert_array_equal(flipped.start, lists.start)
    np.testing.assert_array_equal(flipped.point, lists.point)
    np.testing.assert_array_equal(flipped.value, lists.value)
    others = straight_line(xy, xy + 1.0, DECAYS[name], 500.0, dense=False)
    assert others is not None
    assert not others.symmetric


def test_lists_are_the_same_on_any_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists and their transpose have the same bits with one, two and three threads."""
    sites, points = places(2, 150, 4_000.0), places(3, 170, 4_000.0)
    monkeypatch.setattr(module, "_FILLED", 500)
    made = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(module.threads, "threads", lambda number=threads: number)
        lists = straight_line(sites, points, DECAYS["exponential"], 500.0, dense=False)
        assert lists is not None
        for row in range(lists.n_sites):
            assert_nearest_first(lists, row)
        by_point = lists.by_point
        assert by_point.point is not None
        made.append([lists.point, lists.value, by_point.start, by_point.point, by_point.value])
    for other in made[1:]:
        for one, two in zip(made[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


@given(matrix=matrices(), dense=st.booleans(), pieces=st.booleans())
def test_transpose(matrix: np.ndarray, dense: bool, pieces: bool) -> None:
    """By point, the coverage is the transposed matrix; rows of lists have the nearest first."""
    coverage = Coverage.from_matrix(matrix) if dense else as_lists(matrix)
    with pytest.MonkeyPatch.context() as patch:
        if pieces:
            patch.setattr(module, "_FILLED", 3)
            patch.setattr(module, "_COUNTED", 2)
        flipped = coverage.by_point
    np.testing.assert_array_equal(as_matrix(flipped), matrix.T)
    assert flipped.dense == dense
    assert coverage.by_point is flipped
    if flipped.point is not None:
        for row in range(flipped.n_sites):
            assert_nearest_first(flipped, row)


@given(
    lengths=st.lists(st.integers(0, 9), max_size=30),
    budget=st.integers(1, 12),
)
def test_blocks_cut_rows_into_ranges(lengths: list[int], budget: int) -> None:
    """Blocks follow each other, cover all rows, and exceed the budget with one row only."""
    start = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    made = list(module.blocks(start, budget))
    assert [low for low, _ in made] == [0, *(high for _, high in made[:-1])][: len(made)]
    assert (made[-1][1] if made else 0) == len(lengths)
    assert all(start[high] - start[low] <= budget or high == low + 1 for low, high in made)


# ---------------------------------------------------------------------------- travel


@pytest.mark.parametrize("by", ["area", "point"])
def test_travel_by_straight_lines_is_straight_line_coverage(by: str) -> None:
    """A travel table of straight-line distances gives the coverage of straight lines."""
    city = city_of(places(3, 12, 3_000.0))
    xy = city.sites[["x", "y"]].to_numpy()
    travel = city.with_travel(straight_lines(city, by)).travel
    assert travel is not None
    decay = DECAYS["exponential"]
    made = from_travel(travel, city.n_sites, city.point_area, decay, 500.0)
    straight = straight_line(xy, xy, decay, 500.0, dense=True)
    assert made is not None
    assert straight is not None
    np.testing.assert_allclose(as_matrix(made), as_matrix(straight), rtol=1e-12, atol=0)
    assert made.floor == 0.0


def test_costs_by_area_hold_for_all_its_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs to an area reach each of its points; pairs not in the table are out of reach."""
    monkeypatch.setattr(module, "_FILLED", 2)
    city = city_of([[0, 0], [1000, 0], [2000, 0]])
    points = pd.DataFrame(
        {
            "area_id": ["A0", "A1", "A1", "A1", "A2", "A2"],
            "x": np.arange(6.0) + 4e5,
            "y": 5e5,
            "share": [1, 0.5, 0.25, 0.25, 0.5, 0.5],
        }
    )
    city = city.with_demand(points).with_travel(
        pd.DataFrame(
            {"site": ["A2", "A0", "A0"], "area": ["A1", "A2", "A0"], "cost": [7.0, 5.0, 0.0]}
        ),
        unit="minutes",
    )
    assert city.travel is not None
    decay = DECAYS["exponential"]
    made = from_travel(city.travel, 3, city.point_area, decay, 10.0)
    assert made is not None
    near, far = np.exp(-0.5), np.exp(-0.7)
    expected = [[1, 0, 0, 0, near, near], [0] * 6, [0, far, far, far, 0, 0]]
    np.testing.assert_allclose(as_matrix(made), expected, rtol=1e-15)


def test_travel_stops_and_refuses_a_theta_of_another_unit() -> None:
    """Building from a table can be stopped, and a theta that reaches nothing is refused."""
    city = city_of([[0, 0], [1000, 0]])
    table = pd.DataFrame({"site": ["A0"], "area": ["A1"], "cost": [900.0]})
    travel = city.with_travel(table).travel
    assert travel is not None
    decay = DECAYS["step"]
    stopped = RecordingProgress(stop_after=1)
    assert from_travel(travel, 2, city.point_area, decay, 1e3, stopped) is None
    with pytest.raises(ProblemError, match="covers anything"):
        from_travel(travel, 2, city.point_area, decay, 5.0)
