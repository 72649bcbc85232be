"""Subset: hypervolume, what nothing dominates, and the greedy choice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fronts.landscapes import best_of_all
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spineq.fronts import subset
from spineq.fronts.subset import greedy_subset, nondominated, thinned
from spineq.model.front import hypervolume
from spineq.progress import RecordingProgress, SilentProgress

SILENT = SilentProgress()

#: Coverage of small wholes over 8, (network, group), with ties.
points = st.tuples(st.integers(1, 9), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(0, 8).map(lambda k: k / 8))
)


@given(points)
def test_hypervolume_counts_cells(coverage: np.ndarray) -> None:
    """The volume is the number of cells of a grid that some network covers."""
    cells = np.array(list(itertools.product(range(8), repeat=coverage.shape[1]))) / 8 + 1 / 16
    inside = (cells[:, None, :] < coverage[None, :, :]).all(axis=2).any(axis=1)
    assert hypervolume(coverage) == pytest.approx(inside.mean(), abs=1e-12)


@given(points)
def test_nondominated_is_by_all_pairs(coverage: np.ndarray) -> None:
    """What is marked is what no other dominates, each coverage once."""
    marks = nondominated(coverage)
    wanted = {tuple(row) for row in coverage[best_of_all(coverage)]}
    assert {tuple(row) for row in coverage[marks]} == wanted
    assert marks.sum() == len(wanted)


@given(points, st.integers(1, 5))
def test_the_choice_is_greedy(coverage: np.ndarray, size: int) -> None:
    """Each network chosen adds as much hypervolume as any other would have."""
    chosen, stopped = greedy_subset(coverage, size, SILENT)
    assert not stopped
    assert len(chosen) == len(set(chosen.tolist())) == min(size, len(coverage))
    for k in range(len(chosen)):
        volumes = [hypervolume(coverage[[*chosen[:k], j]]) for j in range(len(coverage))]
        assert volumes[chosen[k]] == pytest.approx(max(volumes), abs=1e-12)


@given(points, st.integers(1, 6))
def test_thinning_keeps_different_ones(coverage: np.ndarray, most: int) -> None:
    """At most as many as wanted are kept, one at least, in order; all where they fit."""
    kept = thinned(coverage, most)
    assert 1 <= len(kept) <= most
    assert (np.diff(kept) > 0).all()
    if len(coverage) <= most:
        assert len(kept) == len(coverage)


def test_a_large_set_loses_little_by_thinning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 3,000 networks on a sphere, choosing among 500 loses less than 1 % of hypervolume."""
    rng = np.random.default_rng(1)
    coverage = np.abs(rng.normal(size=(3000, 3)))
    coverage /= np.linalg.norm(coverage, axis=1, keepdims=True)
    whole = hypervolume(coverage[greedy_subset(coverage, 50, SILENT)[0]])
    monkeypatch.setattr(subset, "_LOOKED_AT", 500)
    assert hypervolume(coverage[greedy_subset(coverage, 50, SILENT)[0]]) > 0.99 * whole


def test_a_stop_keeps_what_was_chosen() -> None:
    """A stop leaves the networks chosen first."""
    rng = np.random.default_rng(2)
    coverage = np.sqrt(rng.dirichlet(np.ones(3), 400))
    whole = greedy_subset(coverage, 30, SILENT)[0]
    part, stopped = greedy_subset(coverage, 30, RecordingProgress(stop_after=4))
    assert stopped
    assert 0 < len(part) < len(whole)
    assert np.array_equal(part, whole[: len(part)])
