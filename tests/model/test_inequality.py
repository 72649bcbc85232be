"""Inequality: each measure against its definition, on drawn data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineq.model._inequality import equal_parts, gini, mean_of_lowest


@st.composite
def spreads(draw: st.DrawFn, n_more: int = 0) -> tuple[np.ndarray, ...]:
    """Weights that are not all 0, and values of 0 to 1 with ties; ``n_more`` further values."""
    n = draw(st.integers(1, 9))
    value = st.integers(0, 4).map(lambda k: k / 4) | st.floats(0, 1)
    weights = draw(st.lists(st.integers(0, 5), min_size=n, max_size=n).filter(any))
    columns = [draw(st.lists(value, min_size=n, max_size=n)) for _ in range(1 + n_more)]
    return np.array(weights, dtype=float), *map(np.array, columns)


def one_by_one(weights: np.ndarray, *columns: np.ndarray) -> list[np.ndarray]:
    """Columns with an entry for each of so many people."""
    counts = weights.astype(int)
    return [np.repeat(column, counts) for column in columns]


# ---------------------------------------------------------------------------- Gini


@given(spread=spreads())
def test_gini_by_pairs(spread: tuple[np.ndarray, ...]) -> None:
    """The coefficient is the mean difference of all pairs over twice the mean."""
    weights, values = spread
    shares = weights / weights.sum()
    mean = shares @ values
    pairs = shares @ np.abs(values[:, None] - values[None, :]) @ shares
    # Where there is next to nothing, the definition itself is rounding.
    if mean > 1e-12:
        assert gini(values, weights) == pytest.approx(pairs / (2 * mean), abs=1e-12)
        assert 0 <= gini(values, weights) < 1


@given(spread=spreads())
def test_gini_counts_people(spread: tuple[np.ndarray, ...]) -> None:
    """A weight of 3 is three people who have the same."""
    weights, values = spread
    assert gini(values, weights) == pytest.approx(gini(*one_by_one(weights, values)), abs=1e-12)


def test_gini_of_nothing_and_of_equals() -> None:
    """Where all have the same, and where nobody has anything, it is exactly 0."""
    assert gini(np.zeros(3)) == 0.0
    assert gini(np.full(7, 0.1), np.arange(1.0, 8.0)) == 0.0
    assert gini(np.array([0.3])) == 0.0
    # One of four has everything.
    assert gini(np.array([0.0, 1.0, 0.0, 0.0])) == pytest.approx(0.75)


# ---------------------------------------------------------------------------- the worst-off


@given(spread=spreads(), share=st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_lowest_by_brute_force(spread: tuple[np.ndarray, ...], share: float) -> None:
    """Of twenty copies of each person, the lowest share is so many whole copies."""
    weights, values = spread
    (everyone,) = one_by_one(weights * 20, values)
    lowest = np.sort(everyone)[: round(share * len(everyone))]
    assert mean_of_lowest(values, weights, share) == pytest.approx(lowest.mean(), abs=1e-12)


@given(spread=spreads(), share=st.floats(0.01, 1), more=st.floats(0, 1))
def test_a_larger_share_is_no_worse(
    spread: tuple[np.ndarray, ...], share: float, more: float
) -> None:
    """Who is added has no less than those who were in already; all of them have the mean."""
    weights, values = spread
    larger = share + more * (1 - share)
    some = mean_of_lowest(values, weights, share)
    assert some <= mean_of_lowest(values, weights, larger) + 1e-12
    assert some >= values[weights > 0].min() - 1e-12
    mean = weights @ values / weights.sum()
    assert mean_of_lowest(values, weights, 1.0) == pytest.approx(mean, abs=1e-12)


# ---------------------------------------------------------------------------- parts


@given(spread=spreads(1), n=st.sampled_from([2, 4, 5, 10]))
def test_parts_add_up(spread: tuple[np.ndarray, ...], n: int) -> None:
    """Parts hold as many people each, all of them together, and have their mean."""
    people, by, values = spread
    parts = equal_parts(by, people, values, n)
    assert len(parts.people) == n
    assert parts.people == pytest.approx(np.full(n, people.sum() / n))
    assert parts.people @ parts.mean == pytest.approx(people @ values, abs=1e-9)
    assert (parts.lowest <= parts.highest).all()
    # Each part goes on where the one before it ended.
    assert (parts.highest[:-1] <= parts.lowest[1:]).all()
    assert parts.lowest[0] == by[people > 0].min()
    assert parts.highest[-1] == by[people > 0].max()


@given(spread=spreads(1), n=st.sampled_from([2, 5, 10]))
def test_parts_by_brute_force(spread: tuple[np.ndarray, ...], n: int) -> None:
    """With equals given the mean of all equals, parts are slices of a row of people."""
    people, by, values = spread
    alike = values.copy()
    for level in np.unique(by):
        same = (by == level) & (people > 0)
        if same.any():
            alike[same] = people[same] @ values[same] / people[same].sum()
    levels, row = one_by_one(people * n, by, alike)
    order = np.argsort(levels, kind="stable")
    slices, ends = row[order].reshape(n, -1), levels[order].reshape(n, -1)
    parts = equal_parts(by, people, values, n)
    np.testing.assert_allclose(parts.mean, slices.mean(axis=1), atol=1e-12)
    assert parts.lowest.tolist() == ends[:, 0].tolist()
    assert parts.highest.tolist() == ends[:, -1].tolist()


@given(spread=spreads(1), seed=st.integers(0, 99))
def test_the_order_of_areas_has_no_say(spread: tuple[np.ndarray, ...], seed: int) -> None:
    """Ties and all, rows in another order give the same parts."""
    people, by, values = spread
    order = np.random.default_rng(seed).permutation(len(by))
    one = equal_parts(by, people, values)
    two = equal_parts(by[order], people[order], values[order])
    for mine, theirs in zip(one, two, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


def test_one_area_fills_every_part() -> None:
    """Where all have as much, every part is the whole."""
    parts = equal_parts(np.array([3.0, 3.0]), np.array([5.0, 15.0]), np.array([0.2, 0.4]))
    assert parts.mean == pytest.approx(np.full(10, 0.35))
    assert set(parts.lowest) == set(parts.highest) == {3.0}
