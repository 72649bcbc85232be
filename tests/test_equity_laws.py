"""Laws of the equity objectives, from the problem to the answer, against every network."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solvers.instances import cities

import spineq as sq
from spineq.solvers.welfare import Welfare

THETA = 600.0
GROUPS = {
    "young": sq.Group(ages=(0, 15), weight=2),
    "jobs": sq.Group(column="workers"),
    "all": sq.Group(ages=(0, 90)),
}


class Instance:
    """A small city with every network of so many sensors, measured by definition."""

    def __init__(self, city: sq.City, n: int) -> None:
        self.city, self.n = city, min(n, city.n_sites)
        apart = np.hypot(*(city.site_xy[:, None, :] - city.point_xy[None, :, :]).T).T
        coverage = np.exp(-apart / THETA)
        self.networks = [
            coverage[list(sites)].max(axis=0)
            for sites in itertools.combinations(range(city.n_sites), self.n)
        ]
        self.weight = city.point_weights(city.weights(GROUPS.items()))
        people = {name: city.people(group).values for name, group in GROUPS.items()}
        self.rows = {
            name: city.point_weights(counts / counts.sum()) for name, counts in people.items()
        }
        self.own = {
            name: max(float(row @ covered) for covered in self.networks)
            for name, row in self.rows.items()
        }

    def best(self, value: Callable[[np.ndarray], float]) -> float:
        """Best value of all networks."""
        return max(value(covered) for covered in self.networks)

    def worst(self, covered: np.ndarray) -> float:
        """Coverage of the worst-off group."""
        return min(float(row @ covered) for row in self.rows.values())

    def worst_share(self, covered: np.ndarray) -> float:
        """Smallest share of its own best that a group has."""
        return min(float(row @ covered) / self.own[name] for name, row in self.rows.items())

    def ask(self, **words: Any) -> sq.Network:
        """The answer for these groups."""
        return sq.optimise(self.city, n_sensors=self.n, theta=THETA, groups=GROUPS, **words)


instances = st.builds(Instance, cities(), st.integers(1, 3))
welfares = st.sampled_from(
    [
        Welfare("kolm_pollak", 0.5),
        Welfare("kolm_pollak", 6.0),
        Welfare("atkinson", 0.3),
        Welfare("atkinson", 0.9),
    ]
)


def certified(net: sq.Network, best: float) -> None:
    """Check value, bound and proof against the best that there is."""
    assert net.objective_value <= best + 1e-12
    assert net.upper_bound >= best - 1e-12
    if net.proven:
        assert net.objective_value == pytest.approx(best, abs=1e-9)


@settings(max_examples=25)
@given(instance=instances, welfare=welfares)
def test_an_aversion_has_its_best_equivalent(instance: Instance, welfare: Welfare) -> None:
    """It is the best of all networks in its own welfare, and never above the best mean."""
    net = instance.ask(aversion=welfare.aversion, aversion_form=welfare.form)
    best = instance.best(lambda covered: welfare.equivalent(instance.weight, covered))
    certified(net, best)
    mean = instance.ask()
    alike = sq.evaluate(
        instance.city,
        mean.placement_history,
        theta=THETA,
        groups=GROUPS,
        aversion=welfare.aversion,
        aversion_form=welfare.form,
    )
    assert net.objective_value >= alike.objective_value - 1e-12
    assert net.objective_value <= mean.upper_bound + 1e-12
    assert net.total_coverage <= mean.upper_bound + 1e-12


@settings(max_examples=25)
@given(instance=instances)
def test_the_worst_off_group_has_its_best(instance: Instance) -> None:
    """No network covers its worst-off group better, that for the mean included."""
    net = instance.ask(objective="worst")
    certified(net, instance.best(instance.worst))
    assert net.objective_value >= instance.ask().worst_group_coverage - 1e-12


@settings(max_examples=25)
@given(instance=instances)
def test_the_smallest_share_has_its_best(instance: Instance) -> None:
    """Each group is held against its own best, and no network gives every group more of it."""
    net = instance.ask(objective="worst_share")
    certified(net, instance.best(instance.worst_share))
    for name, best in instance.own.items():
        assert float(net.dataset["group_own_best"].sel(group=name)) == pytest.approx(best)


@settings(max_examples=25)
@given(instance=instances, data=st.data())
def test_what_is_owed_is_kept(instance: Instance, data: st.DataObject) -> None:
    """A network that owes no less than another leaves no group below it, and is best of those."""
    sites = instance.city.dataset["site"].to_numpy().tolist()
    chosen = st.lists(st.sampled_from(sites), min_size=instance.n, max_size=instance.n, unique=True)
    today = sq.evaluate(instance.city, data.draw(chosen), theta=THETA, groups=GROUPS)
    net = instance.ask(at_least=today)
    for name, floor in today.group_coverage.to_series().items():
        assert float(net.group_coverage.sel(group=name)) >= floor * (1 - 1e-9)
    assert net.total_coverage >= today.total_coverage * (1 - 1e-9)
    assert "Every group has at least what it was owed" in net.summary()
