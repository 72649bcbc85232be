"""Two groups: the proof of how far beyond a front a network may lie."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fronts.landscapes import best_of_all, every_network, landscape
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spineq.fronts.archive import Archive
from spineq.fronts.crew import Here
from spineq.fronts.search import Search
from spineq.fronts.two_groups import Proof, Prover, gaps, upper_hull
from spineq.progress import RecordingProgress, SilentProgress, SpanProgress

points = arrays(
    np.float64,
    st.tuples(st.integers(2, 9), st.just(2)),
    elements=st.integers(0, 8).map(lambda k: k / 8),
)


def beyond(archive: np.ndarray, every: np.ndarray) -> float:
    """How far some network lies beyond an archive at least: by comparing all pairs."""
    return float((every[:, None, :] - archive[None, :, :]).max(axis=2).min(axis=1).max())


@given(points, st.data())
def test_what_bounds_say_is_so(every: np.ndarray, data) -> None:
    """From true bounds on all networks follows a tolerance that holds for each of them."""
    archive = every[best_of_all(every)]
    archive = np.unique(archive, axis=0)
    some = data.draw(st.sets(st.integers(0, len(archive) - 1), min_size=1))
    archive = archive[sorted(some)]
    proof = Proof()
    for share in data.draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), max_size=4)):
        weights = np.array([share, 1 - share])
        proof.weights.append(weights)
        proof.most.append(float((every @ weights).max()))
    for floor in data.draw(st.lists(st.sampled_from([0.1, 0.3, 0.6]), max_size=2)):
        reach = every[every[:, 0] >= floor, 1]
        if len(reach):
            proof.floors.append(floor)
            proof.best.append(float(reach.max()))
    assert proof.needed(*gaps(archive)).max() >= beyond(archive, every) - 1e-12


def test_corners_and_middle_close_a_simple_gap() -> None:
    """One network in the middle of a segment between two leaves what the weighting says."""
    archive = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    proof = Proof()
    assert np.isinf(proof.needed(*gaps(archive))).all()
    for weights, most in (([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([0.5, 0.5], 0.5)):
        proof.weights.append(np.array(weights))
        proof.most.append(most)
    assert proof.needed(*gaps(archive)) == pytest.approx([0.0, 0.25, 0.25, 0.0])
    proof.floors.append(0.2)
    proof.best.append(0.5)
    assert proof.needed(*gaps(archive)) == pytest.approx([0.0, 0.2, 0.25, 0.0])


@given(points)
def test_the_hull_is_above_everything(coverage: np.ndarray) -> None:
    """Every network lies on or below the hull's segments, whose corners are networks."""
    hull = upper_hull(coverage)
    assert {tuple(row) for row in hull} <= {tuple(row) for row in coverage}
    assert (np.diff(hull[:, 0]) > 0).all()
    assert (np.diff(hull[:, 1]) < 0).all()
    for (x0, y0), (x1, y1) in itertools.pairwise(hull):
        level = (y0 - y1) * coverage[:, 0] + (x1 - x0) * coverage[:, 1]
        assert (level <= (y0 - y1) * x0 + (x1 - x0) * y0 + 1e-12).all()
    assert (coverage[:, 1] <= hull[0, 1]).all()
    assert (coverage[:, 0] <= hull[-1, 0]).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tolerance", [0.02, 1e-6])
def test_the_proof_holds_by_brute_force(seed: int, tolerance: float) -> None:
    """What is proven is at least what all networks show, and the wish is reached."""
    rng = np.random.default_rng(seed)
    places, sites = rng.random((25, 2)), rng.random((11, 2))
    matrix = np.exp(-4 * np.hypot(*(sites[:, None] - places).transpose(2, 0, 1)))
    rows = rng.dirichlet(np.full(25, 0.4), size=2).T
    land = landscape(matrix, rows)
    search = Search(Here(land), Archive(4, 2), SilentProgress())
    search.run(0.02)
    proven = Prover(search, tolerance, 1.0).run(SpanProgress(SilentProgress(), 0.0, 1.0))
    every = every_network(land, 4)
    assert proven >= beyond(search.archive.found.coverage, every) - 1e-12
    assert proven <= tolerance


def test_a_stop_leaves_what_is_proven_by_then() -> None:
    """Stopped at once nothing is proven, and nothing is lost."""
    rng = np.random.default_rng(7)
    land = landscape(rng.random((12, 20)), rng.dirichlet(np.ones(20), size=2).T)
    search = Search(Here(land), Archive(4, 2), SilentProgress())
    search.run(0.02)
    before = len(search.archive.found)
    stop = SpanProgress(RecordingProgress(stop_after=1), 0.0, 1.0)
    proven = Prover(search, 1e-6, 1.0).run(stop)
    assert search.stopped
    assert proven > 1e-6
    assert len(search.archive.found) >= min(before, 1)
