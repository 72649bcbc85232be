"""Search: what the archive must hold, by brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fronts.landscapes import best_of_all, every_network, landscape, landscapes
from hypothesis import given, settings
from hypothesis import strategies as st

from spineq.fronts.archive import Archive
from spineq.fronts.crew import Here
from spineq.fronts.lattice import lattice
from spineq.fronts.search import Search
from spineq.progress import RecordingProgress, SilentProgress


def searched(land, n: int, effort: float = 0.2, progress=None) -> Search:
    """Run a search on a landscape."""
    made = Search(Here(land), Archive(n, land.n_groups), progress or SilentProgress())
    made.run(effort)
    return made


@settings(max_examples=30)
@given(landscapes(max_sites=6), st.data())
def test_the_archive_is_sound(land, data) -> None:
    """Every network of the archive is one, has the coverage said, and dominates no other."""
    n = data.draw(st.integers(1, int(land.usable.sum())))
    archive = searched(land, n).archive
    found = archive.found
    assert best_of_all(found.coverage).all()
    assert len(np.unique(found.coverage, axis=0)) == len(found)
    for k in range(len(found)):
        sites = archive.sites(k)
        assert len(set(sites.tolist())) == n
        assert land.usable[sites].all()
        assert np.allclose(land.group_coverage(sites), found.coverage[k], atol=1e-9)


@settings(max_examples=30)
@given(landscapes(max_sites=5, groups=2), st.data())
def test_one_sensor_and_all_but_one_are_solved_wholly(land, data) -> None:
    """With one sensor, or all sites but one, every network is a swap away: none is missing."""
    usable = int(land.usable.sum())
    n = data.draw(st.sampled_from(sorted({1, max(usable - 1, 1)})))
    every = every_network(land, n)
    wanted = {tuple(row) for row in every[best_of_all(every)]}
    assert {tuple(row) for row in searched(land, n).archive.found.coverage} == wanted


@pytest.mark.parametrize("seed", range(6))
def test_supported_networks_of_the_lattice_are_found(seed: int) -> None:
    """Each weighting of a lattice reaches the best value that any network has."""
    rng = np.random.default_rng(seed)
    places, sites = rng.random((30, 2)), rng.random((12, 2))
    matrix = np.exp(-4 * np.hypot(*(sites[:, None] - places).transpose(2, 0, 1)))
    rows = rng.dirichlet(np.full(30, 0.5), size=3).T
    land = landscape(matrix, rows)
    found = searched(land, 4, 1.0).archive.found
    every = every_network(land, 4)
    for weights in lattice(3, 6) / 6:
        assert (found.coverage @ weights).max() == pytest.approx((every @ weights).max(), abs=1e-9)
    # Most of what no weighting finds is found by swaps.
    whole = every[best_of_all(every)]
    close = (found.coverage[:, None, :] >= whole[None, :, :] - 1e-9).all(axis=2).any(axis=0)
    assert close.mean() > 0.8


def test_more_effort_loses_nothing_by_hypervolume() -> None:
    """Twice the effort looks at more networks; the archive is no smaller a front."""
    from spineq.model.front import hypervolume

    rng = np.random.default_rng(3)
    places = rng.random((60, 2))
    matrix = np.exp(-5 * np.hypot(*(places[:, None] - places).transpose(2, 0, 1)))
    land = landscape(matrix, rng.dirichlet(np.full(60, 0.3), size=3).T)
    little, much = (searched(land, 6, effort).archive for effort in (0.01, 0.5))
    assert len(much.bases) > len(little.bases)
    assert hypervolume(much.found.coverage) > hypervolume(little.found.coverage)


def test_the_same_twice() -> None:
    """Nothing is drawn: two runs find the same networks in the same order."""
    rng = np.random.default_rng(4)
    matrix, rows = rng.random((10, 20)), rng.random((20, 3))
    one, two = (searched(landscape(matrix, rows), 3).archive.found for _ in range(2))
    assert np.array_equal(one.coverage, two.coverage)
    assert np.array_equal(one.base, two.base)
    assert np.array_equal(one.site, two.site)


def test_a_stop_at_any_moment_leaves_a_front() -> None:
    """However early it is stopped, the archive is sound; and it is stopped soon."""
    rng = np.random.default_rng(5)
    matrix, rows = rng.random((12, 20)), rng.random((20, 3))
    watcher = RecordingProgress()
    searched(landscape(matrix, rows), 3, 0.2, watcher)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    for stop_after in itertools.chain(range(1, 8), range(10, len(fractions), 60)):
        impatient = RecordingProgress(stop_after=stop_after)
        made = searched(landscape(matrix, rows), 3, 0.2, impatient)
        assert made.stopped
        assert len(impatient.reports) <= stop_after + 4
        assert best_of_all(made.archive.found.coverage).all()
