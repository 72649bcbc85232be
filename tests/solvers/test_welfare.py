"""Welfare: the laws of the transforms, and of the coverage that they are equivalent to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import as_lists, as_matrix, best_value, matrices, value_of

from spineq.errors import ProblemError
from spineq.progress import RecordingProgress
from spineq.solvers import welfare as welfare_module
from spineq.solvers.coverage import Coverage
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Rules
from spineq.solvers.welfare import Welfare, transformed, welfare_of

# Aversions that people use; what happens beyond them is tested apart.
kolm_pollak = st.floats(1e-6, 20).map(lambda k: Welfare("kolm_pollak", k))
atkinson = st.floats(1e-6, 0.95).map(lambda e: Welfare("atkinson", e))
welfares = kolm_pollak | atkinson
shares = st.floats(0, 1)


@st.composite
def spreads(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Weights, some of them 0, and coverage of as many points."""
    n = draw(st.integers(1, 8))
    weight = draw(st.lists(st.integers(0, 5), min_size=n, max_size=n).filter(any))
    coverage = draw(st.lists(shares, min_size=n, max_size=n))
    return np.array(weight, dtype=float), np.array(coverage)


def by_definition(welfare: Welfare, coverage: float) -> float:
    """The transform as the papers write it."""
    k = welfare.aversion
    if welfare.form == "atkinson":
        return coverage ** (1 - k)
    return (1 - np.exp(-k * coverage)) / (1 - np.exp(-k))


def mean_of(weight: np.ndarray, coverage: np.ndarray) -> float:
    return float(weight @ coverage / weight.sum())


# ---------------------------------------------------------------------------- the transform


@given(welfare=welfares, coverage=shares)
def test_the_formula(welfare: Welfare, coverage: float) -> None:
    """The transform is the published one, but for the rounding of its plain form."""
    found = float(welfare(np.array([coverage]))[0])
    assert found == pytest.approx(by_definition(welfare, coverage), rel=1e-9, abs=1e-9)


@given(welfare=welfares, low=shares, high=shares, share=shares)
def test_increasing_and_concave(welfare: Welfare, low: float, high: float, share: float) -> None:
    """More coverage is never worth less, and g of a mean is at least the mean of g."""
    low, high = sorted((low, high))
    middle = share * low + (1 - share) * high
    g_low, g_middle, g_high = welfare(np.array([low, middle, high]))
    assert g_low <= g_high * (1 + 1e-15)
    assert g_middle >= share * g_low + (1 - share) * g_high - 1e-15


@given(welfare=welfares)
def test_ends(welfare: Welfare) -> None:
    """Nothing is worth nothing, everything 1, exactly."""
    assert welfare(np.array([0.0, 1.0])).tolist() == [0.0, 1.0]
    assert welfare.inverse(0.0) == 0.0
    assert welfare.inverse(1.0) == pytest.approx(1.0, abs=1e-9)


@given(welfare=st.floats(1e-6, 8).map(lambda k: Welfare("kolm_pollak", k)) | atkinson, c=shares)
def test_inverse(welfare: Welfare, c: float) -> None:
    """The inverse gives the coverage back."""
    assert welfare.inverse(float(welfare(np.array([c]))[0])) == pytest.approx(c, abs=1e-11)


@given(coverage=shares, aversion=st.floats(0, 1e-8, exclude_min=True))
def test_without_aversion_it_is_the_identity(coverage: float, aversion: float) -> None:
    """As the aversion goes to 0 the transform leaves coverage as it is; at 0 there is none."""
    for form in ("kolm_pollak", "atkinson"):
        welfare = Welfare(form, aversion)
        found = float(welfare(np.array([coverage]))[0])
        # c |log c| is what Atkinson's takes away, for each unit of aversion.
        assert found == pytest.approx(coverage, abs=aversion + 1e-15)
        assert welfare.inverse(coverage) == pytest.approx(coverage, abs=aversion + 1e-15)
        assert welfare_of(form, 0.0) is None


def test_small_differences_are_kept() -> None:
    """With a small aversion the plain form has lost five digits; this one has all."""
    coverage = np.array([0.3])
    k = 1e-5
    series = coverage * (
        1 + k * (1 - coverage) / 2 + k * k * (1 - coverage) * (1 - 2 * coverage) / 12
    )
    np.testing.assert_allclose(Welfare("kolm_pollak", k)(coverage), series, rtol=1e-15)


@pytest.mark.parametrize("aversion", [50.0, 700.0, 1e308, 5e-324])
def test_aversions_that_nobody_has(aversion: float) -> None:
    """However large or small, figures stay between 0 and 1, in order, without a warning."""
    welfare, coverage = Welfare("kolm_pollak", aversion), np.linspace(0, 1, 11)
    with np.errstate(all="raise", under="ignore"):
        found = welfare(coverage)
        back = [welfare.inverse(float(value)) for value in found]
        equal = welfare.equivalent(np.ones(11), coverage)
    assert (np.diff([0.0, *found, 1.0]) >= 0).all()
    assert (np.diff([0.0, *back, 1.0]) >= 0).all()
    assert 0 <= equal <= 0.5


def test_what_is_no_aversion() -> None:
    """Forms that do not exist and aversions out of range are refused."""
    for aversion in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ProblemError, match="out of range"):
            Welfare("kolm_pollak", aversion)
    with pytest.raises(ProblemError, match="above 0 and below 1"):
        Welfare("atkinson", 1.0)
    with pytest.raises(ProblemError, match="'rawls' does not exist"):
        Welfare("rawls", 1.0)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------- equivalents


@given(welfare=welfares, spread=spreads())
def test_equivalent_by_definition(welfare: Welfare, spread: tuple[np.ndarray, np.ndarray]) -> None:
    """It is the coverage whose transform is the mean of the transforms."""
    weight, coverage = spread
    found = welfare.equivalent(weight, coverage)
    mean = mean_of(weight, np.array([by_definition(welfare, c) for c in coverage]))
    assert by_definition(welfare, found) == pytest.approx(mean, abs=1e-9)


@given(welfare=welfares, spread=spreads(), c=shares)
def test_equivalent_and_mean(
    welfare: Welfare, spread: tuple[np.ndarray, np.ndarray], c: float
) -> None:
    """Alike for all it is that coverage; never above the mean; below it where people differ."""
    weight, coverage = spread
    assert welfare.equivalent(weight, np.full(len(weight), c)) == pytest.approx(c, abs=1e-15)
    found, mean = welfare.equivalent(weight, coverage), mean_of(weight, coverage)
    some = coverage[weight > 0]
    assert some.min() - 1e-15 <= found <= mean + 1e-15
    if np.ptp(some) > 0.1 and welfare.aversion > 0.1:
        assert found < mean - 1e-6


@given(spread=spreads(), low=st.floats(0.01, 30), more=st.floats(0.01, 30))
def test_more_aversion_never_gives_more(
    spread: tuple[np.ndarray, np.ndarray], low: float, more: float
) -> None:
    """The equivalent coverage falls with the aversion, strictly where people differ."""
    weight, coverage = spread
    both = low, low + more
    one, two = (Welfare("kolm_pollak", k).equivalent(weight, coverage) for k in both)
    assert two <= one + 1e-14
    few, many = (
        Welfare("atkinson", k / 61).equivalent(weight, coverage) for k in (low, low + more)
    )
    assert many <= few + 1e-14
    if np.ptp(coverage[weight > 0]) > 0.1 and more > 0.1:
        assert many < few
        assert two < one


@given(spread=spreads(), k=st.floats(0.01, 20), more=st.floats(0, 1))
def test_what_leaves_inequality_as_it_is(
    spread: tuple[np.ndarray, np.ndarray], k: float, more: float
) -> None:
    """The same amount for all adds as much to Kolm-Pollak's; the same factor scales Atkinson's."""
    weight, coverage = spread
    coverage = coverage / 2
    for welfare, changed, expected in (
        (Welfare("kolm_pollak", k), coverage + more / 2, lambda c: c + more / 2),
        (Welfare("atkinson", k / 21), coverage * more, lambda c: c * more),
    ):
        before = welfare.equivalent(weight, coverage)
        after = welfare.equivalent(weight, changed)
        assert after == pytest.approx(expected(before), abs=1e-12)


def test_equivalent_where_welfare_is_rounded_to_1() -> None:
    """A large aversion is computed from what is lost, not from 1 less almost nothing."""
    weight, coverage = np.ones(4), np.array([0.8, 0.85, 0.9, 1.0])
    k = 60.0
    expected = 0.8 - np.log(np.mean(np.exp(-k * (coverage - 0.8)))) / k
    assert Welfare("kolm_pollak", k).equivalent(weight, coverage) == pytest.approx(expected)


# ---------------------------------------------------------------------------- coverage


@given(matrix=matrices(), welfare=welfares, data=st.data(), lists=st.booleans())
def test_transformed_coverage_is_g_of_coverage(
    matrix: np.ndarray, welfare: Welfare, data: st.DataObject, lists: bool
) -> None:
    """Every network's value is its welfare, for g of the largest is the largest g."""
    matrix = matrix / 6
    floor = 1 / 6 if lists else 0.0
    coverage = as_lists(matrix, floor) if lists else Coverage.from_matrix(matrix)
    kept = coverage.value.copy()
    made = transformed(coverage, welfare)
    assert (coverage.value == kept).all()
    assert made.floor == pytest.approx(by_definition(welfare, floor), abs=1e-9)
    assert (made.n_points, made.n_sites, made.dense) == (matrix.shape[1], len(matrix), not lists)
    held = as_matrix(coverage)
    weight = np.ones(matrix.shape[1])
    sites = data.draw(st.lists(st.integers(0, len(matrix) - 1), min_size=1, unique=True))
    welfare_of_sites = welfare(held[sites].max(axis=0)).sum()
    assert value_of(Objective(made, weight), sites) == pytest.approx(welfare_of_sites, rel=1e-14)


@given(matrix=matrices(max_sites=6), welfare=welfares, n=st.integers(1, 3))
def test_bounds_hold_with_a_cut_off(matrix: np.ndarray, welfare: Welfare, n: int) -> None:
    """With lists and their transformed floor, the bound is that of the whole welfare."""
    matrix, n = matrix / 6, min(n, len(matrix))
    weight = np.ones(matrix.shape[1])
    whole = Objective(transformed(Coverage.from_matrix(matrix), welfare), weight)
    cut = Objective(transformed(as_lists(matrix, 1 / 6), welfare), weight)
    for sites in ([], [0]):
        bound = cut.upper_bound(np.array(sites, dtype=np.int64), Rules(n))
        assert bound >= best_value(whole, n) - 1e-12


def test_transforming_in_pieces_and_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces it is the same; it reports, and stops where it is asked to."""
    matrix = np.random.default_rng(0).random((7, 30))
    coverage, welfare = Coverage.from_matrix(matrix), Welfare("atkinson", 0.5)
    whole = transformed(coverage, welfare)
    monkeypatch.setattr(welfare_module, "_PIECE", 50)
    watcher = RecordingProgress()
    pieces = transformed(coverage, welfare, watcher)
    assert (pieces.value == whole.value).all()
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert (len(fractions), fractions[-1]) == (5, 1.0)
    assert transformed(coverage, welfare, RecordingProgress(2)) is None


def test_nothing_to_transform() -> None:
    """A coverage without pairs stays one."""
    made = transformed(as_lists(np.zeros((2, 3))), Welfare("kolm_pollak", 2.0))
    assert (made.n_pairs, made.n_sites) == (0, 2)
