"""How few sensors reach a coverage: against what every number of sensors reaches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spineq as sq
from spineq.insight.fewest import fewest
from spineq.progress import RecordingProgress


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=40, seed=5)


@pytest.fixture(scope="module")
def reached(city: sq.City) -> list[float]:
    """What the best network of 1, 2, ... sensors covers; each is proven."""
    nets = [sq.optimise(city, n_sensors=n, theta=500) for n in range(1, 13)]
    assert all(net.proven for net in nets)
    return [net.total_coverage for net in nets]


@settings(max_examples=12)
@given(share=st.floats(0.01, 1.0))
def test_it_is_the_smallest_of_all_numbers(
    share: float, city: sq.City, reached: list[float]
) -> None:
    """No smaller number reaches it, and that is said to be proven."""
    wanted = share * reached[-1]
    found = fewest(city, sq.Problem(n_sensors=3, theta=500), wanted)
    smallest = next(k for k, best in enumerate(reached, start=1) if best >= wanted)
    assert found.n_sensors == smallest
    assert found.proven
    assert found.network is not None
    assert found.network.total_coverage >= wanted * (1 - 1e-12)
    assert "proven" in found.summary()


def test_what_is_out_of_reach(city: sq.City) -> None:
    """A sensor at each site covers everybody in full, and without some sites nothing does."""
    everywhere = fewest(city, sq.Problem(n_sensors=1, theta=500), 1.0)
    assert everywhere.n_sensors is not None
    sites = list(city.dataset["area"].to_numpy())
    least = fewest(city, sq.Problem(n_sensors=1, theta=50, forbid=sites[3:]), 0.9)
    assert least.network is None
    assert least.n_sensors is None
    assert "No number of sensors" in least.summary()


@pytest.mark.parametrize("wanted", [0.0, -1.0, 1.1, float("nan"), "half", True])
def test_a_coverage_that_is_none(wanted: object, city: sq.City) -> None:
    with pytest.raises(sq.SpineqError, match="coverage to reach must be a number above 0"):
        fewest(city, sq.Problem(n_sensors=1), wanted)  # type: ignore[arg-type]


def test_other_objectives_are_refused(city: sq.City) -> None:
    with pytest.raises(sq.SpineqError, match="by the mean coverage"):
        fewest(city, sq.Problem(n_sensors=1, aversion=2.0), 0.5)


def test_it_can_be_stopped(city: sq.City) -> None:
    """The watcher's stop ends it, and is said."""
    found = fewest(
        city, sq.Problem(n_sensors=1, theta=500), 0.6, progress=RecordingProgress(stop_after=2)
    )
    assert found.stopped
