"""Small landscapes to hold the search for fronts against, and brute force."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from solvers.instances import as_lists

from spineq.fronts.landscape import Landscape
from spineq.solvers._kernels import fronts as kernels
from spineq.solvers.coverage import Coverage


def landscape(
    matrix: np.ndarray,
    rows: np.ndarray,
    usable: np.ndarray | None = None,
    base: np.ndarray | None = None,
    *,
    lists: bool = False,
) -> Landscape:
    """Landscape of a matrix (site, point) and weights (point, group)."""
    coverage = as_lists(matrix) if lists else Coverage.from_matrix(matrix)
    flipped = coverage.by_point
    site = np.empty(flipped.n_pairs, dtype=np.int32)
    falling = np.empty(flipped.n_pairs)
    kernels.sort_rows(
        flipped.start, flipped.point, flipped.value, site, falling, 0, coverage.n_points
    )
    return Landscape(
        coverage,
        np.ascontiguousarray(rows, dtype=np.float64),
        np.ones(len(matrix), dtype=np.bool_) if usable is None else usable,
        np.zeros(matrix.shape[1]) if base is None else base,
        site,
        falling,
    )


@st.composite
def landscapes(draw, max_sites: int = 8, max_points: int = 8, groups: int = 3) -> Landscape:
    """Landscapes of whole numbers: exact sums, many ties, points that nobody is at."""
    n_sites, n_points = draw(st.integers(2, max_sites)), draw(st.integers(1, max_points))
    numbers = st.lists(st.integers(0, 6), min_size=n_points, max_size=n_points)
    matrix = np.array([draw(numbers) for _ in range(n_sites)], dtype=np.float64)
    rows = np.array([draw(numbers) for _ in range(groups)], dtype=np.float64).T
    usable = np.ones(n_sites, dtype=np.bool_)
    if draw(st.booleans()):
        usable[draw(st.integers(0, n_sites - 1))] = False
    base = np.array(draw(numbers), dtype=np.float64) if draw(st.booleans()) else None
    return landscape(matrix, rows, usable, base, lists=draw(st.booleans()))


def every_network(land: Landscape, n: int) -> np.ndarray:
    """Coverage of each group by every network of ``n`` usable sites, (network, group)."""
    sets = itertools.combinations(np.flatnonzero(land.usable), n)
    return np.array([land.group_coverage(np.array(sites)) for sites in sets])


def best_of_all(coverage: np.ndarray) -> np.ndarray:
    """Mark networks that no other one dominates, by comparing all pairs; of equal ones all."""
    no_less = (coverage[None, :, :] >= coverage[:, None, :]).all(axis=2)
    more = (coverage[None, :, :] > coverage[:, None, :]).any(axis=2)
    return ~(no_less & more).any(axis=1)
