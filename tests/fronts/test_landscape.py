"""Landscape: coverage by group, and what every swap would bring."""

from __future__ import annotations

import itertools

import numpy as np
from fronts.landscapes import landscapes
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import as_matrix

from spineq.progress import RecordingProgress, SilentProgress

SILENT = SilentProgress()


def network_in(land, data) -> np.ndarray:
    """A network of some usable sites."""
    usable = np.flatnonzero(land.usable).tolist()
    size = data.draw(st.integers(1, len(usable)))
    return np.array(sorted(data.draw(st.permutations(usable))[:size]), dtype=np.int64)


@given(landscapes(), st.data())
def test_coverage_by_group_is_its_definition(land, data) -> None:
    """Each group's weights times what the best of the sensors and of what stands gives."""
    sites = network_in(land, data)
    covered = np.maximum(as_matrix(land.coverage)[sites].max(axis=0), land.base)
    assert np.array_equal(land.group_coverage(sites), land.rows.T @ covered)


@given(landscapes(), st.data())
def test_swaps_are_all_that_matter(land, data) -> None:
    """Every swap is either kept with its true coverage, or something known matches it."""
    sites = network_in(land, data)
    found = land.neighbours(sites, np.empty((0, land.n_groups)), SILENT)
    assert found is not None
    known = np.vstack([land.group_coverage(sites), found.coverage])
    for coverage, slot, site in zip(*found, strict=True):
        swapped = sites.copy()
        swapped[slot] = site
        assert land.usable[site]
        assert site not in sites
        assert np.array_equal(coverage, land.group_coverage(swapped))
    outside = np.setdiff1d(np.flatnonzero(land.usable), sites)
    for slot, site in itertools.product(range(len(sites)), outside):
        swapped = sites.copy()
        swapped[slot] = site
        assert (known >= land.group_coverage(swapped)).all(axis=1).any()


@given(landscapes(), st.data())
def test_a_screen_leaves_out_what_it_matches(land, data) -> None:
    """No swap is kept that a network of the screen matches in every group, and no other goes."""
    sites = network_in(land, data)
    everything = land.neighbours(sites, np.empty((0, land.n_groups)), SILENT)
    assert everything is not None
    number = st.integers(0, 60).map(float)
    wall = data.draw(st.lists(number, min_size=land.n_groups, max_size=land.n_groups))
    screen = np.array([wall])
    found = land.neighbours(sites, screen, SILENT)
    assert found is not None
    assert not (screen >= found.coverage).all(axis=1).any()
    left = everything.coverage[~(everything.coverage <= screen).all(axis=1)]
    for row in left:
        assert (found.coverage >= row).all(axis=1).any()


@given(landscapes(), st.data())
def test_climbing_ends_where_no_swap_helps(land, data) -> None:
    """The network is never worse than the one it started from, and no single swap betters it."""
    sites = network_in(land, data)
    drawn = st.lists(st.integers(0, 4), min_size=land.n_groups, max_size=land.n_groups)
    weights = np.array(data.draw(drawn), dtype=np.float64)
    found, stopped = land.climb(weights, sites, SILENT)
    assert not stopped
    assert len(set(found.tolist())) == len(sites)
    assert land.usable[found].all()
    value = weights @ land.group_coverage(found)
    assert value >= weights @ land.group_coverage(sites)
    for slot, site in itertools.product(
        range(len(sites)), np.setdiff1d(np.flatnonzero(land.usable), found)
    ):
        swapped = found.copy()
        swapped[slot] = site
        assert weights @ land.group_coverage(swapped) <= value


@given(landscapes(), st.data())
def test_a_stop_is_heard(land, data) -> None:
    """A watcher that asks to stop at once gets a network, and no swaps."""
    sites = network_in(land, data)
    assert land.neighbours(sites, np.empty((0, 3)), RecordingProgress(stop_after=1)) is None
    found, _ = land.climb(np.ones(3), sites, RecordingProgress(stop_after=1))
    assert len(found) == len(sites)
