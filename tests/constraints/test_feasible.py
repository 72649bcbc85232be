"""What no network can meet is refused in plain words, and nothing else."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from constraints.test_constraints import LINE, a_city
from hypothesis import given, settings
from hypothesis import strategies as st

from spineq.constraints import constraints_for
from spineq.constraints.feasible import most_apart
from spineq.errors import ProblemError
from spineq.model.problem import Problem

WARDS = ["Byker", "Byker", "Byker", "Heaton", "Heaton", "Walker"]
PRICES = [2.0, 3.0, 4.0, 1.0, 5.0, 6.0]

#: Problems that cannot be, the field that is named, and the sentence.
CLASHES: dict[str, tuple[dict[str, Any], str, str]] = {
    "more than sites": (
        {"n_sensors": 7},
        "n_sensors",
        "7 sensors are more than the city's 6 sites. Ask for at most 6",
    ),
    "more than what is left": (
        {"n_sensors": 4, "forbid": ["s0"], "keep": ["s4"], "min_spacing": 50},
        "n_sensors",
        "",
    ),
    "more than is left by all three": (
        {"n_sensors": 4, "forbid": ["s0"], "keep": ["s4"], "min_spacing": 101},
        "n_sensors",
        (
            "4 sensors are more than the 2 sites that are left: of 6 sites, 1 forbidden, 1 "
            "taken by sensors that stay and 2 too near to them. Ask for at most 2"
        ),
    ),
    "all forbidden": (
        {"n_sensors": 1, "forbid": [f"s{k}" for k in range(6)]},
        "forbid",
        "there is no site left for a sensor: of 6 sites, 6 forbidden. Forbid or keep fewer",
    ),
    "all kept": (
        {"n_sensors": 1, "keep": [f"s{k}" for k in range(6)]},
        "keep",
        "there is no site left for a sensor: of 6 sites, 6 taken by sensors that stay",
    ),
    "all too near to what stays": (
        {"n_sensors": 1, "keep": ["s3"], "min_spacing": 800},
        "min_spacing",
        (
            "of 6 sites, 1 taken by sensors that stay and 5 too near to them (800 m are asked). "
            "Ask for less spacing, or forbid or keep fewer"
        ),
    ),
    "minimum above maximum": (
        {"n_sensors": 4, "region": "ward", "min_per_region": {"Byker": 3}, "max_per_region": 2},
        "min_per_region",
        "region 'Byker' must have 3 sensors and may have at most 2. Raise max_per_region, or lower",
    ),
    "minimum above sites": (
        {"n_sensors": 5, "region": "ward", "min_per_region": 2},
        "min_per_region",
        (
            "region 'Walker' must have 2 sensors, and has 1 site where one may stand. Ask for at "
            "most 1 there"
        ),
    ),
    "minimum above usable sites": (
        {"n_sensors": 3, "region": "ward", "min_per_region": {"Byker": 2}, "forbid": ["s0", "s1"]},
        "min_per_region",
        "must have 2 sensors, and has 1 site where one may stand. Ask for at most 1 there, or forb",
    ),
    "minima above the number": (
        {"n_sensors": 3, "region": "ward", "min_per_region": {"Byker": 2, "Heaton": 2}},
        "min_per_region",
        (
            "the regions must have 4 sensors together, 1 more than the 3 that are asked. Ask for "
            "at least 4, or lower min_per_region"
        ),
    ),
    "maxima below the number": (
        {"n_sensors": 5, "region": "ward", "max_per_region": 1},
        "max_per_region",
        (
            "the regions may have 3 sensors together, 2 fewer than the 5 that are asked. Ask for "
            "at most 3, or raise max_per_region"
        ),
    ),
    "maxima and sites below the number": (
        {"n_sensors": 6, "region": "ward", "max_per_region": {"Byker": 2, "Walker": 5}},
        "max_per_region",
        "the regions may have 5 sensors together, 1 fewer than the 6",
    ),
    "budget below the cheapest": (
        {"budget": 1.5, "site_cost": "price", "forbid": ["s3"]},
        "budget",
        "the cheapest site costs 2, 0.5 more than the budget of 1.5. Give at least 2",
    ),
    "budget below the minima": (
        {
            "budget": 9, "site_cost": "price",
            "region": "ward", "min_per_region": {"Byker": 2, "Walker": 1},
        },
        "budget",
        (
            "the 3 sensors that the regions must have cost 11 at least, 2 more than the budget of "
            "9. Give at least 11, or lower min_per_region"
        ),
    ),
    "spacing against the number": (
        {"n_sensors": 4, "min_spacing": 300},
        "min_spacing",
        "at most 2 sensors can stand 300 m apart; 4 are asked. Ask for at most 2, or ask for less",
    ),
    "spacing against a region": (
        {"n_sensors": 3, "min_spacing": 250, "region": "ward", "min_per_region": {"Byker": 2}},
        "min_spacing",
        "region 'Byker' must have 2 sensors, and at most 1 can stand 250 m apart there",
    ),
    "spacing against all regions": (
        {
            "budget": 99, "site_cost": "price", "min_spacing": 800,
            "region": "ward", "min_per_region": 1,
        },
        "min_spacing",
        "at most 1 sensor can stand 800 m apart; 3 the regions must have. Lower min_per_region",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "field", "message"), CLASHES.values(), ids=CLASHES)
def test_a_clash_is_said_with_how_much(words: dict[str, Any], field: str, message: str) -> None:
    """Which rules clash, by how much, and what would do; the field to change is named."""
    city = a_city(LINE, ward=WARDS, price=PRICES)
    problem = Problem(**words)
    if not message:
        assert constraints_for(city, problem).usable.sum() == 4
        return
    with pytest.raises(ProblemError) as caught:
        constraints_for(city, problem)
    assert message in str(caught.value)
    assert caught.value.field == field


def test_prices_that_just_add_up_are_enough() -> None:
    """0.1 and 0.2 pay for what costs 0.3, as they do for the rules."""
    city = a_city(LINE[:3], price=[0.1, 0.2, 9.0], ward=["a", "a", "b"])
    problem = Problem(budget=0.3, site_cost="price", region="ward", min_per_region={"a": 2})
    made = constraints_for(city, problem)
    assert made.rules.broken_by(np.array([0, 1])) == ""


# ---------------------------------------------------------------------------- how many stand apart


def most_by_trying(xy: np.ndarray, spacing: float) -> int:
    """Largest number of places that are far enough from each other, by trying all sets."""
    off = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(axis=2))
    for size in range(len(xy), 1, -1):
        for chosen in itertools.combinations(range(len(xy)), size):
            pairs = itertools.combinations(chosen, 2)
            if all(off[one, other] >= spacing for one, other in pairs):
                return size
    return min(len(xy), 1)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=10),
    st.sampled_from([1.0, 1.4142135623730951, 2.0, 2.5, 5.0, 1e-6, 1e6]),
    st.sampled_from([1.0, 50.0, 1e-3]),
)
def test_the_bound_is_never_below_what_can_stand(
    places: list[tuple[int, int]], spacing: float, scale: float
) -> None:
    """Whatever the spacing, on a grid where distances are met exactly."""
    xy = np.array(places, dtype=float).reshape(-1, 2) * scale + 4e5
    # Distances as the rules have them, so that rounding far from the origin is the same.
    assert most_by_trying(xy, spacing * scale) <= most_apart(xy, spacing * scale) <= len(xy)


def test_the_bound_is_tight_where_it_is_plain() -> None:
    """All in one place, all far from each other, and two heaps."""
    rng = np.random.default_rng(5)
    heap = rng.random((50, 2))
    assert most_apart(np.zeros((9, 2)), 100.0) == 1
    assert most_apart(np.arange(9.0)[:, None] * [300, 0], 100.0) == 9
    assert most_apart(np.concatenate([heap, heap + 500]), 100.0) == 2
    assert most_apart(np.empty((0, 2)), 100.0) == 0


def test_the_bound_is_near_what_a_plane_holds() -> None:
    """Hexagons of the spacing's width have 1.33 times the density of the best packing, no more."""
    step = np.arange(0, 3000, 30.0)
    xy = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
    best_packing = 2 / np.sqrt(3) * (3000 / 300 + 1) ** 2
    assert most_apart(xy, 300.0) <= 1.4 * best_packing
