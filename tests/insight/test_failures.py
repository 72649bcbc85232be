"""Which sensors are missed most: against every set of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spineq.insight import _failures
from spineq.progress import SilentProgress


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    k=st.integers(3, 6),
    theta=st.sampled_from([200, 800, 4000]),
    n_points=st.integers(1, 60),
    step_decay=st.booleans(),
)
def test_branching_finds_the_worst_of_all_sets(
    seed: int, k: int, theta: float, n_points: int, step_decay: bool
) -> None:
    """Where sets are many, bounds cut off none that is worse; and an early end is honest."""
    rng = np.random.default_rng(seed)
    n, points = 10, rng.uniform(0, 2000, (n_points, 2))
    sensors = rng.uniform(0, 2000, (n, 2))
    weight = rng.dirichlet(np.ones(n_points))
    distance = np.hypot(*(points[:, None] - sensors).transpose(2, 0, 1)).T
    # With a step many sensors cover a point alike, and some points are covered by none.
    matrix = (distance <= theta).astype(float) if step_decay else np.exp(-distance / theta)
    sensor = np.argsort(-matrix, axis=0, kind="stable").T.astype(np.int32)
    sorted_cover = -np.sort(-matrix.T, axis=1)
    step = weight[:, None] * (sorted_cover[:, :k] - sorted_cover[:, 1 : k + 1])
    sets = _failures.backing_sets(sensor[:, :k], step, n, SilentProgress())
    assert sets is not None

    def remains(gone: tuple[int, ...]) -> float:
        return float(weight @ np.delete(matrix, gone, axis=0).max(axis=0))

    whole, every = remains(()), {gone: remains(gone) for gone in combinations(range(n), k)}
    found = _failures.most_missed(sets, k, SilentProgress())
    assert found.proven
    assert every[found.sensors] == pytest.approx(min(every.values()), abs=1e-11)
    assert whole - found.bound == pytest.approx(min(every.values()), abs=1e-11)
    for limit in (0, 20_000, 60_000):
        early = _failures.most_missed(sets, k, SilentProgress(), limit)
        assert whole - early.bound <= min(every.values()) + 1e-11
        assert every[early.sensors] >= whole - early.bound - 1e-11
        again = _failures.most_missed(sets, k, SilentProgress(), limit)
        assert again == early
