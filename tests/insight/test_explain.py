"""Why sensors stand where they do: against every network of small cities, and in plain words."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import cities

import spineq as sq
from spineq.insight.explain import explain

THETA = 700.0


class Small:
    """Every network of a small city, one by one, by the definition."""

    def __init__(self, city: sq.City, problem: sq.Problem) -> None:
        self.ids = [str(site) for site in city.dataset["site"].to_numpy()]
        self.xy, self.spacing = city.site_xy, problem.min_spacing
        if city.travel is None:
            off = city.site_xy[:, None, :] - city.point_xy[None, :, :]
            far = np.sqrt((off**2).sum(axis=2))
        else:
            far = np.array([city.travel_costs_from(k) for k in range(city.n_sites)])
        self.rows = np.exp(-far / problem.theta)
        self.weight = city.weights_at_points(problem.groups)
        self.kept = [self.ids.index(site) for site in problem.keep]
        banned = {*problem.keep, *problem.forbid}
        self.usable = [k for k, site in enumerate(self.ids) if site not in banned]
        self.usable = [k for k in self.usable if self.apart([k, *self.kept])]
        assert problem.n_sensors is not None
        self.n = problem.n_sensors

    def apart(self, sites: list[int]) -> bool:
        """Whether sensors keep their distance; those that stay need not from each other."""
        return all(
            np.hypot(*(self.xy[a] - self.xy[b])) >= self.spacing
            for a, b in itertools.combinations(sites, 2)
            if not (a in self.kept and b in self.kept)
        )

    def value(self, sites: list[int]) -> float:
        covered = self.rows[[*sites, *self.kept]].max(axis=0, initial=0.0)
        return float((self.weight * covered).sum())

    def networks(self, without: int = -1) -> Iterator[list[int]]:
        able = [site for site in self.usable if site != without]
        for n in range(1, min(self.n, len(able)) + 1):
            for sites in itertools.combinations(able, n):
                if self.apart(list(sites)):
                    yield list(sites)


@st.composite
def small(draw: st.DrawFn) -> tuple[sq.City, sq.Problem]:
    """A small city and a problem that can be met in it."""
    city = draw(cities(2, 8, existing=False))
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    # Sites that are named like another area cannot be named to `evaluate`.
    areas = dict(zip(ids, city.site_areas, strict=True))
    named = set(city.dataset["area"].to_numpy())
    assume(len(ids) >= 3 and all(areas[s] == s for s in ids if s in named))
    some = draw(st.permutations(ids))
    problem: dict[str, Any] = {
        "n_sensors": draw(st.integers(1, min(3, len(ids) - 2))),
        "theta": THETA if city.travel is None else 20.0,
        "keep": some[:1] if draw(st.booleans()) else [],
        "forbid": some[1:2] if draw(st.booleans()) else [],
        "min_spacing": draw(st.sampled_from([0.0, 0.0, 300.0])),
    }
    if not city.has(sq.GROUPS["pop_total"]):
        problem["groups"] = {"workplace": sq.GROUPS["workplace"]}
    return city, sq.Problem(**problem)


def optimised(city: sq.City, problem: sq.Problem) -> sq.Network:
    try:
        return sq.optimise(city, problem)
    except sq.SpineqError:
        assume(False)
        raise


@settings(max_examples=15)
@given(asked=small())
def test_doing_without_a_sensor_costs_what_all_networks_say(
    asked: tuple[sq.City, sq.Problem],
) -> None:
    """The best of all networks without the site, with the rules kept, is found and proven."""
    city, problem = asked
    net = optimised(city, problem)
    made, every = explain(city, net), Small(city, problem)
    for sensor in made.sensors:
        if sensor.kept:
            assert sensor.replacement is None
            continue
        found = sensor.replacement
        assert found is not None
        best = max(map(every.value, every.networks(every.ids.index(sensor.site))), default=None)
        if best is None:
            assert found.value is None
            assert found.proven
            continue
        assert found.value == pytest.approx(best, abs=1e-9)
        assert found.proven
        assert made.cost(sensor) == pytest.approx(net.objective_value - best, abs=1e-9)
        assert sensor.site not in found.comes
        sites = set(net.placement_history) - set(problem.keep)
        again = [every.ids.index(s) for s in (sites - set(found.goes)) | set(found.comes)]
        assert every.value(again) == pytest.approx(best, abs=1e-9)
    assert made.proven


@settings(max_examples=15)
@given(asked=small(), drawn=st.data())
def test_substitutes_are_what_all_swaps_say(
    asked: tuple[sq.City, sq.Problem], drawn: st.DataObject
) -> None:
    """Also for networks of the user's own, which have no rules to keep."""
    city, problem = asked
    if drawn.draw(st.booleans()):
        net = optimised(city, problem)
    else:
        ids = [str(site) for site in city.dataset["site"].to_numpy()]
        problem = replace(problem, min_spacing=0.0, forbid=())
        free = [site for site in ids if site not in problem.keep]
        net = sq.evaluate(city, drawn.draw(st.permutations(free))[: problem.n_sensors], problem)
    made, every = explain(city, net, refuse=False), Small(city, problem)
    sites = [every.ids.index(s) for s in net.sensors["site"]][net.n_kept :]
    value = every.value(sites)
    for sensor in made.sensors[net.n_kept :]:
        out = every.ids.index(sensor.site)
        others = [site for site in sites if site != out]
        assert sensor.loss == pytest.approx(value - every.value(others), abs=1e-12)
        losses = {
            site: value - every.value([*others, site])
            for site in every.usable
            if site not in sites and every.apart([*others, site, *every.kept])
        }
        # What lies on the limit but for rounding may go either way.
        assume(all(abs(x - s * value) > 1e-9 for x in losses.values() for s in (1e-3, 5e-3)))
        assert sensor.n_tenth == sum(loss <= 1e-3 * value for loss in losses.values())
        assert sensor.n_half == sum(loss <= 5e-3 * value for loss in losses.values())
        named = [losses[every.ids.index(each.site)] for each in sensor.substitutes]
        assert [each.loss for each in sensor.substitutes] == pytest.approx(named, abs=1e-12)
        assert len(named) == min(sensor.n_half, 5)
        assert named == pytest.approx(sorted(losses.values())[: len(named)], abs=1e-12)


@settings(max_examples=15)
@given(asked=small(), drawn=st.data())
def test_insisting_on_a_site_costs_what_all_networks_say(
    asked: tuple[sq.City, sq.Problem], drawn: st.DataObject
) -> None:
    """And so do the best swap, and what one sensor more would add."""
    city, problem = asked
    net = optimised(city, problem)
    every = Small(city, problem)
    free = [site for site in every.ids if site not in net.placement_history]
    assume(free)
    site = drawn.draw(st.sampled_from(free))
    made = explain(city, net, site=site, refuse=False)
    place, k = made.place, every.ids.index(site)
    assert place is not None
    sites = [every.ids.index(s) for s in net.sensors["site"]][net.n_kept :]
    more = every.value([*sites, k]) - every.value(sites)
    assert place.adds == pytest.approx(more, abs=1e-12)
    assert place.allowed == (k in every.usable)
    if not place.allowed:
        assert place.insisting is None
        assert "allow none there" in made.sentence(site)
        return
    with_it = [every.value(each) for each in every.networks() if k in each]
    assert place.insisting is not None
    assert place.insisting.proven
    assert place.insisting.value == pytest.approx(max(with_it), abs=1e-9)
    assert place.insisting.comes[:1] == (site,)
    swaps = [[k, *(s for s in sites if s != out)] for out in sites]
    swaps = [each for each in swaps if every.apart([*each, *every.kept])]
    if swaps:
        best = max(map(every.value, swaps))
        assert place.swap_value == pytest.approx(best, abs=1e-12)
    else:
        assert place.swap_out is None
    assert made.proven


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=30, seed=3)


WORDS: list[dict[str, Any]] = [
    {"n_sensors": 3, "objective": "worst", "groups": sq.GROUPS},
    {"n_sensors": 3, "objective": "worst", "groups": {"all": sq.GROUPS["pop_total"]}},
    {"n_sensors": 3, "aversion": 3.0},
    {"n_sensors": 3, "aversion": 0.5, "aversion_form": "atkinson"},
    {"n_sensors": 3, "at_least": {"pop_children": 0.2}},
    {"budget": 5.0, "site_cost": "price"},
    {"n_sensors": 3, "region": "ward", "max_per_region": 1},
    {"n_sensors": 3, "region": "ward", "min_per_region": {"w0": 2}, "min_spacing": 400.0},
    {"n_sensors": 3, "decay": "step"},
    {"n_sensors": 3, "keep": "existing"},
    {"n_sensors": 3, "method": "greedy"},
]


@pytest.fixture(scope="module")
def rich(city: sq.City) -> sq.City:
    """The city with prices, wards and two sensors that stand already, one at no site."""
    data = city.dataset
    sites = pd.DataFrame(
        {
            "site_id": data["area"].to_numpy(),
            "area_id": data["area"].to_numpy(),
            "x": data["x"].to_numpy(),
            "y": data["y"].to_numpy(),
            "price": 1.0 + np.arange(city.n_areas) % 3,
            "ward": [f"w{k % 4}" for k in range(city.n_areas)],
        }
    )
    there = pd.DataFrame(
        {
            "sensor_id": ["old", "older"],
            "x": data["x"].to_numpy()[:2] + np.array([0.0, 55.0]),
            "y": data["y"].to_numpy()[:2],
        }
    )
    return city.with_sites(sites).with_existing(there)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: "-".join(map(str, words)))
def test_it_is_what_optimise_says(words: dict[str, Any], rich: sq.City) -> None:
    """For every kind of problem: the network solved anew with the site forbidden."""
    net = sq.optimise(rich, theta=600, **words)
    made = explain(rich, net)
    words = words | {"method": "auto"}
    for sensor in made.sensors:
        if sensor.kept:
            continue
        found = sensor.replacement
        assert found is not None
        assert found.value is not None
        again = sq.optimise(rich, theta=600, forbid=[sensor.site], **words)
        assert again.proven
        assert found.proven
        assert found.value == pytest.approx(again.objective_value, abs=1e-9)
        assert f"t {sensor.site}" in made.sentence(sensor.site)
    assert made.proven
    assert made.value == net.objective_value


def test_shares_of_own_bests_are_measured_by_those_of_the_network(rich: sq.City) -> None:
    """No network without a site gives every group a larger share of the same bests."""
    groups = {name: sq.GROUPS[name] for name in ("pop_children", "workplace")}
    net = sq.optimise(rich, n_sensors=3, theta=600, objective="worst_share", groups=groups)
    made = explain(rich, net)
    best = {name: float(net.dataset["group_own_best"].sel(group=name)) for name in groups}
    for sensor in made.sensors:
        found = sensor.replacement
        assert found is not None
        assert found.value is not None
        assert found.value <= net.objective_value + 1e-11
        sites = [s for s in net.placement_history if s not in found.goes] + [*found.comes]
        again = sq.evaluate(rich, sites, theta=600, groups=groups, bound="none")
        shares = [float(again.group_coverage.sel(group=name)) / best[name] for name in groups]
        assert found.value == pytest.approx(min(shares), abs=1e-9)
        assert "furthest from its own best" in made.sentence(sensor.site)


def test_insisting_pays_from_the_budget_and_counts_in_its_region(rich: sq.City) -> None:
    """Against all networks of two sensors for a budget, and of one a ward."""
    data = rich.dataset
    ids = [str(site) for site in data["site"].to_numpy()]
    price, ward = rich.site_column("price"), rich.site_column("ward")
    plain = Small(rich, sq.Problem(n_sensors=3, theta=600))
    pairs = list(itertools.combinations(range(len(ids)), 2))
    money = sq.optimise(rich, budget=3.0, site_cost="price", theta=600)
    wards = sq.optimise(rich, n_sensors=2, region="ward", max_per_region=1, theta=600)
    for site in [s for s in ids if s not in {*money.placement_history, *wards.placement_history}]:
        k = ids.index(site)
        place = explain(rich, wards, site=site, refuse=False).place
        assert place is not None
        assert place.insisting is not None
        best = max(plain.value([*p]) for p in pairs if k in p and ward[p[0]] != ward[p[1]])
        assert place.insisting.value == pytest.approx(best, abs=1e-9)
        place = explain(rich, money, site=site, refuse=False).place
        assert place is not None
        assert place.insisting is not None
        able = [[*p] for p in pairs if k in p and price[[*p]].sum() <= 3.0] + [[k]]
        able += [[k, a, b] for a, b in pairs if k not in (a, b) and price[[k, a, b]].sum() <= 3.0]
        assert place.insisting.value == pytest.approx(max(map(plain.value, able)), abs=1e-9)


def test_sensors_that_stay_are_described_and_not_refused(rich: sq.City) -> None:
    net = sq.optimise(rich, n_sensors=2, theta=500, keep="existing")
    made = explain(rich, net)
    stay = [sensor for sensor in made.sensors if sensor.kept]
    assert [sensor.site for sensor in stay][1] == ""
    assert all(sensor.replacement is None and sensor.number is None for sensor in stay)
    assert made.sentence(stay[0].site).startswith(f"The sensor that stays at {stay[0].site}")
    assert made.sentence(stay[1].area).startswith(f"The sensor that stays in area {stay[1].area}")
    assert made.sensor(1).order == 3
    assert "2 sensors in" in made.summary()
    assert "two more that stay" in made.summary()


def test_a_network_of_ones_own(rich: sq.City) -> None:
    """Better ones are said to cover more; a place that is no site cannot be refused."""
    ids = [str(s) for s in rich.dataset["site"].to_numpy()]
    made = explain(rich, sq.evaluate(rich, ids[:3], theta=500))
    assert all((made.cost(sensor) or 0.0) < 0.0 for sensor in made.sensors)
    assert "% more (proven)" in made.sentence(1)
    x, y = (float(each) for each in rich.site_xy[5])
    free = sq.evaluate(rich, [(x + 40.0, y), (x + 900.0, y)], theta=500)
    made = explain(rich, free)
    assert all(s.replacement is None and not s.refusable for s in made.sensors)
    assert made.sentence(1).startswith("Sensor 1 in area ")
    none = explain(rich, sq.evaluate(rich, [], theta=500), site=ids[0])
    assert none.sensors == ()
    assert none.place is not None
    assert none.place.nearest is None
    assert none.summary()


@pytest.mark.slow
def test_all_sensors_of_newcastle(shared: Path) -> None:
    """All 55 are proven, and one of them is what optimise says."""
    with pytest.warns(sq.SpineqWarning):
        city = sq.read_city(shared / "data" / "cities" / "E08000021")
    words: dict[str, Any] = {"n_sensors": 55, "theta": 500, "groups": sq.GROUPS}
    net = sq.optimise(city, **words)
    began = time.perf_counter()
    made = explain(city, net)
    print(f"55 replacement costs took {time.perf_counter() - began:.1f} s")
    assert made.proven
    for sensor in made.sensors[6:7]:
        again = sq.optimise(city, forbid=[sensor.site], **words)
        cost = net.objective_value - again.objective_value
        assert made.cost(sensor) == pytest.approx(cost, abs=1e-9)
