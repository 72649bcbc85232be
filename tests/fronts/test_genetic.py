"""Genetic fronts, which are there to compare with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fronts.landscapes import best_of_all, landscapes
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from solvers.instances import city_of

import spineq as sq
from spineq.errors import MissingExtraError, ProblemError
from spineq.fronts.genetic import different
from spineq.progress import RecordingProgress

GROUPS = {
    "older": sq.Group(ages=(66, 90)),
    "young": sq.Group(ages=(0, 15)),
    "jobs": sq.Group(column="workers"),
}


@pytest.fixture(scope="module")
def city() -> Any:
    rng = np.random.default_rng(0)
    residents = rng.integers(0, 100, (30, 3)) * rng.integers(0, 3, (30, 3)) + 1
    return city_of(rng.random((30, 2)) * 3000, residents, rng.integers(0, 400, 30) + 1)


@given(
    arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.integers(0, 7))
)
def test_a_site_named_twice_is_replaced(networks: np.ndarray) -> None:
    """Every network gets as many sites as numbers, those that it named among them."""
    made = different(networks, 8)
    for old, new in zip(networks.tolist(), made.tolist(), strict=True):
        assert set(old) <= set(new)
        assert len(set(new)) == len(new)
        assert max(new) < 8


@given(landscapes(), st.data())
def test_many_networks_are_covered_as_one_by_one(land: Any, data: Any) -> None:
    """The coverage of a population is that of each network."""
    n = data.draw(st.integers(1, len(land.usable)))
    networks = np.array([data.draw(st.permutations(range(len(land.usable))))[:n] for _ in "abc"])
    made = land.coverage_of_many(networks)
    assert np.array_equal(made, [land.group_coverage(sites) for sites in networks])


@pytest.mark.parametrize("method", ["nsga2", "nsga3"])
def test_evolution_is_seeded_and_sound(needs: Callable[[str], Any], city: Any, method: Any) -> None:
    """The same seed gives the same front, whose networks have the coverage said."""
    needs("pymoo")
    words: dict[str, Any] = {"effort": 0.02, "size": 20, "method": method}
    made = sq.trade_off(city, 4, 400, GROUPS, **words, seed=1)
    assert made == sq.trade_off(city, 4, 400, GROUPS, **words, seed=1)
    assert made.method == method
    assert best_of_all(made.group_coverage.to_numpy()).all()
    for number in range(made.n_networks):
        net = sq.evaluate(city, made.network(number), theta=400, groups=GROUPS)
        found = net.group_coverage.sel(group=list(made.groups)).to_numpy()
        assert found == pytest.approx(made.group_coverage.to_numpy()[number], abs=1e-12)
    ours = sq.trade_off(city, 4, 400, GROUPS, effort=0.02, size=20)
    assert made.hypervolume < ours.hypervolume


def test_from_our_networks_it_starts_higher(needs: Callable[[str], Any], city: Any) -> None:
    """Begun with our networks, it is above where it gets by itself."""
    needs("pymoo")
    words: dict[str, Any] = {"effort": 0.005, "size": 20, "method": "nsga2"}
    cold = sq.trade_off(city, 4, 400, GROUPS, **words)
    assert sq.trade_off(city, 4, 400, GROUPS, **words, start="ours").hypervolume > cold.hypervolume


def test_a_stop_keeps_the_last_population(needs: Callable[[str], Any], city: Any) -> None:
    """Stopped after some generations, there is a front, marked."""
    needs("pymoo")
    made = sq.trade_off(
        city, 4, 400, GROUPS, method="nsga2", size=20, progress=RecordingProgress(stop_after=60)
    )
    assert made.stopped
    assert made.n_networks > 0


def test_what_genetic_fronts_cannot_do_is_refused(
    city: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No proof, no other start for the weighted search, and no pymoo no genes."""
    two = {name: GROUPS[name] for name in ("older", "jobs")}
    with pytest.raises(ProblemError, match="proves nothing"):
        sq.trade_off(city, 4, 400, two, method="nsga2", tolerance=0.1)
    with pytest.raises(ProblemError, match="no other start"):
        sq.trade_off(city, 4, 400, two, start="ours")
    monkeypatch.setitem(sys.modules, "pymoo.core.problem", None)
    with pytest.raises(MissingExtraError, match=r"spineq\[compare\]"):
        sq.trade_off(city, 4, 400, two, method="nsga2")
