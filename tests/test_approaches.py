"""Which sensors come nearer, against all distances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from solvers.instances import city_of

import spineq as sq
from spineq import _approaches
from spineq._approaches import approaches

# Where `city_of` puts the places.
EAST_NORTH = np.array([400_000.0, 500_000.0])

# Whole numbers, so that places and distances tie; and some far apart.
places = st.integers(0, 6) | st.sampled_from([1000, 1001, 200_000])


def listed(city: sq.City, sensors: np.ndarray) -> tuple[np.ndarray, ...]:
    """What is listed for a city, in one."""
    table = pd.DataFrame(sensors, columns=["x", "y"]).assign(position=-1)
    # The arrays are written again for the next piece.
    pieces = [
        (share, sensor.copy(), point.copy(), away.copy())
        for share, sensor, point, away in approaches(city, table)
    ]
    shares = [piece[0] for piece in pieces]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    return tuple(np.concatenate(part) for part in list(zip(*pieces, strict=True))[1:])


def by_definition(city: sq.City, sensors: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same from the whole matrix of distances, (point, sensor)."""
    away = np.sqrt(((city.point_xy[:, None, :] - sensors[None, :, :]) ** 2).sum(axis=2))
    before = np.minimum.accumulate(away, axis=1)
    nearer = np.ones(away.shape, dtype=bool)
    nearer[:, 1:] = away[:, 1:] < before[:, :-1]
    point, sensor = np.nonzero(nearer)
    return sensor, point, away[nearer]


@given(
    st.integers(1, 12).flatmap(lambda n: arrays(float, (n, 2), elements=places)),
    st.integers(1, 9).flatmap(lambda n: arrays(float, (n, 2), elements=places)),
    st.sampled_from([1, 3, 64]),
    st.sampled_from([1, 7, 1_000_000]),
)
def test_equals_the_whole_matrix(
    xy: np.ndarray, sensors: np.ndarray, flock: int, looked_at: int
) -> None:
    """Whatever the flocks and pieces, the same sensors, points and distances in the same order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_approaches, "_FLOCK", flock)
        patch.setattr(_approaches, "_LOOKED_AT", looked_at)
        city, sensors = city_of(xy), sensors + EAST_NORTH
        for got, wanted in zip(listed(city, sensors), by_definition(city, sensors), strict=True):
            assert got.tolist() == wanted.tolist()


def test_equals_the_whole_matrix_in_a_large_city() -> None:
    """With real flocks: dense towns, and a sensor somewhere for each 25 points."""
    rng = np.random.default_rng(5)
    towns = rng.uniform(0, 200_000, (8, 2))
    xy = towns[rng.integers(0, 8, 2_500)] + rng.normal(0, 2_000, (2_500, 2))
    # Whole metres are exact at any place on the map: distances are the same bits.
    xy = xy.round()
    sensors = xy[rng.choice(2_500, 100, replace=False)]
    city, sensors = city_of(xy), sensors + EAST_NORTH
    for got, wanted in zip(listed(city, sensors), by_definition(city, sensors), strict=True):
        assert got.tolist() == wanted.tolist()


def test_without_sensors_nothing_is_near() -> None:
    """No sensor, nothing listed."""
    none = pd.DataFrame({"position": [], "x": [], "y": []})
    assert list(approaches(city_of([[0.0, 0.0]]), none)) == []
