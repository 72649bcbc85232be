"""Why sensors stand where they do: against every network of small cities, and in plain words."""

from __future__ import annotations

import itertools
import json
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
from spineq.errors import DataError, ProblemError, UnknownSensorError
from spineq.insight._explain_words import change, listed, people_words, share, share_down
from spineq.insight._explanation import Explanation, GroupFacts, SolvedAgain, Substitute
from spineq.insight.explain import explain
from spineq.progress import RecordingProgress

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


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=4, theta=500, groups=sq.GROUPS)


@pytest.fixture(scope="module")
def made(city: sq.City, net: sq.Network) -> Explanation:
    return explain(city, net)


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


def test_people_near_by_and_coverage_of_the_own_area(
    city: sq.City, net: sq.Network, made: Explanation
) -> None:
    """People add up to those within the distance; the own area is covered in full."""
    data = city.dataset
    far = np.hypot(
        data["x"].to_numpy()[None] - net.sensors["x"].to_numpy()[:, None],
        data["y"].to_numpy()[None] - net.sensors["y"].to_numpy()[:, None],
    )
    within = far <= 500.0
    people = city.people(sq.GROUPS["pop_total"]).values
    for k, sensor in enumerate(made.sensors):
        only = within[k] & (within.sum(axis=0) == 1)
        assert sensor.people_near["pop_total"] == pytest.approx(people[within[k]].sum())
        assert sensor.people_only["pop_total"] == pytest.approx(people[only].sum())
        rest = sq.evaluate(
            city, [s for s in net.placement_history if s != sensor.site], theta=500, bound="none"
        )
        assert sensor.area_coverage == pytest.approx(1.0)
        without = float(rest.area_coverage.sel(area=sensor.area))
        assert sensor.area_coverage_without == pytest.approx(without, abs=1e-12)
    wide = explain(city, net, refuse=False, near=2000.0)
    assert wide.sensors[0].people_near["pop_total"] >= made.sensors[0].people_near["pop_total"]


def test_the_table_has_a_row_for_each_sensor(net: sq.Network, made: Explanation) -> None:
    table = made.table
    assert list(table["site"]) == net.placement_history
    assert list(table.index) == [1, 2, 3, 4]
    assert (table["replacement cost"] >= -1e-12).all()
    bounds = table["replacement cost at least"]
    assert bounds.to_numpy() == pytest.approx(table["replacement cost"].to_numpy(), abs=1e-10)
    assert table["proven"].all()


def test_json_and_back(city: sq.City, net: sq.Network, made: Explanation) -> None:
    """What is written is JSON's and says the same when it is read."""
    other = next(s for s in city.dataset["site"].to_numpy() if s not in net.placement_history)
    asked = explain(city, net, site=other, refuse=False)
    for each in (made, asked):
        back = Explanation.from_dict(json.loads(json.dumps(each.to_dict(), allow_nan=False)))
        assert back == each
        assert back.summary() == each.summary()
    assert asked.sentence(other) in asked.summary()
    broken = made.to_dict()
    del broken["sensors"]
    with pytest.raises(ProblemError, match="lacks 'sensors'"):
        Explanation.from_dict(broken)
    with pytest.raises(ProblemError, match="no field 'more'"):
        Explanation.from_dict(made.to_dict() | {"more": 1})


def test_it_is_the_same_each_time(city: sq.City, net: sq.Network, made: Explanation) -> None:
    assert explain(city, net) == made


def test_the_sentences(made: Explanation) -> None:
    """They name the sensor, its people, what is lost, and that it is proven."""
    for number in (1, 2, 3, 4):
        said = made.sentence(number)
        assert said.startswith(f"Sensor {number} at ")
        assert said == made.sentence(made.sensor(number).site)
        assert "within 500 m" in said
        assert "(proven)" in said
        assert "all residents" not in said
    assert made.summary().startswith("4 sensors in ")
    assert "All of this is proven." in made.summary()
    assert repr(made).endswith("proven>")


def test_the_sentence_word_for_word(made: Explanation) -> None:
    """Singular, plural, nobody, one and several sites."""
    first = made.sensors[0]
    zero = dict.fromkeys(first.people_near, 0.0)
    again = SolvedAgain(made.value * 0.9996, made.value * 0.9996, proven=True, comes=("A",))
    sensor = replace(
        first,
        site="S",
        people_near=zero | {"pop_total": 9.0},
        people_only=zero | {"pop_total": 3100.0, "pop_elderly": 620.0},
        area_coverage_without=0.5,
        loss=0.02 * made.value,
        n_tenth=4,
        n_half=4,
        substitutes=(Substitute("B", 0.0, 240.4),),
        replacement=replace(again, goes=("S",)),
    )
    only = replace(made, sensors=(sensor,))
    said = only.sentence("S")
    assert said == (
        "Sensor 1 at S brings 3,100 residents within 500 m whom no other sensor is near, 620 of "
        "them aged 66 or older. Its own area is covered 100.0 % with it and 50.0 % without it. "
        "With nothing in its place, the network covers 2.0 % less. If it may not stand there, the "
        "best network without it covers 0.04 % less (proven), with a sensor at A instead. "
        "Four other places would do almost as well, losing at most 0.1 %; the best is B, 240 m "
        "away."
    )
    nobody = replace(only, sensors=(replace(sensor, people_only=zero, people_near=zero),))
    assert nobody.sentence(1).startswith("Sensor 1 at S has nobody within 500 m. ")
    shared = replace(only, sensors=(replace(sensor, people_only=zero),))
    assert "brings nobody within 500 m whom no other" in shared.sentence(1)
    assert "near: 9 residents are within" in shared.sentence(1)
    one = replace(shared.sensors[0], people_near=zero | {"pop_total": 1.0})
    assert "1 resident is within" in replace(only, sensors=(one,)).sentence(1)
    open_ = replace(
        again, bound=made.value * 0.9999, proven=False, goes=("S", "T"), comes=("A", "B")
    )
    said = replace(only, sensors=(replace(sensor, replacement=open_),)).sentence(1)
    assert (
        "the best network found without it covers 0.04 % less, with sensors at A and B instead of "
        "it and the one at T; a better one may exist, but every network without it covers at "
        "least 0.01 % less, which is proven." in said
    )
    assert "(proven)" not in said
    alone = replace(sensor, replacement=SolvedAgain(None, None, proven=False))
    assert "No allowed network without it was found." in replace(only, sensors=(alone,)).sentence(1)
    assert not replace(only, sensors=(alone,)).proven


def test_numbers_in_words() -> None:
    group = GroupFacts("g", "Older people", (66, 90), None, estimated=True, judged=True)
    assert people_words(12345.0, group) == "about 12,300 residents aged 66 or older"
    assert people_words(1.0, replace(group, ages=(0, 90), estimated=False)) == "1 resident"
    workers = replace(group, ages=None, column="workers", estimated=False)
    assert people_words(2.4, workers) == "2 workers"
    assert people_words(3.0, replace(workers, column="beds", title="Beds")) == "3 of the group beds"
    assert people_words(3.0, replace(group, ages=(7, 7))) == "about 3 residents aged 7"
    assert people_words(3.0, replace(group, ages=(5, 9))) == "about 3 residents aged 5 to 9"
    assert listed(["A", "B", "C", "D"]) == "A, B, C and one other"
    assert share(1e-6) == "less than 0.01 %"
    assert share_down(0.00019) == "0.01 %"
    assert change("mean", 0.5, 0.5) == "covers as much"
    assert change("worst", 0.5, 0.51) == "covers its worst-off group 2.0 % more"


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


def test_as_many_sensors_as_sites() -> None:
    """Where every site has a sensor, to do without one is to have one fewer."""
    city = sq.demo_city("synthetic", n_areas=4, seed=1)
    made = explain(city, sq.optimise(city, n_sensors=4, theta=500))
    for sensor in made.sensors:
        assert made.cost(sensor) == pytest.approx(sensor.loss, abs=1e-12)
        assert sensor.n_half == 0
    one = sq.demo_city("synthetic", n_areas=1, seed=1)
    made = explain(one, sq.optimise(one, n_sensors=1, theta=500))
    assert "No allowed network can do without it (proven)." in made.sentence(1)


def test_what_is_refused(city: sq.City, net: sq.Network, made: Explanation) -> None:
    with pytest.raises(ProblemError, match="'nowhere' is no site"):
        explain(city, net, site="nowhere")
    with pytest.raises(ProblemError, match="is chosen already: sensor 2 stands there"):
        explain(city, net, site=net.placement_history[1])
    with pytest.raises(DataError, match="the network was made for"):
        explain(sq.demo_city("synthetic", n_areas=30, seed=4), net)
    with pytest.raises(ProblemError, match="near"):
        explain(city, net, near=-1.0)
    with pytest.raises(ProblemError, match="network is needed"):
        explain(city, "net")  # type: ignore[arg-type]
    with pytest.raises(UnknownSensorError, match="number from 1 to 4"):
        made.sentence(5)
    with pytest.raises(UnknownSensorError, match="has no sensor True"):
        made.sentence(True)


def test_effort_that_does_not_suffice_is_said(city: sq.City) -> None:
    """What is not proven is not called so."""
    words: dict[str, Any] = {"n_sensors": 6, "theta": 2000, "effort": 1e-9, "groups": sq.GROUPS}
    made = explain(city, sq.optimise(city, **words))
    open_ = [s for s in made.sensors if s.replacement and not s.replacement.proven]
    assert open_
    assert not made.proven
    assert "Not all of this is proven" in made.summary()
    for sensor in open_:
        assert "(proven)" not in made.sentence(sensor.site)
        assert "a better one may exist" in made.sentence(sensor.site)


def test_it_can_be_stopped_at_any_time(city: sq.City, net: sq.Network, made: Explanation) -> None:
    """What is found by then is what would be found."""
    watcher = RecordingProgress()
    explain(city, net, progress=watcher)
    shares = [report.fraction for report in watcher.reports]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    for after in range(1, len(shares), max(len(shares) // 25, 1)):
        part = explain(city, net, progress=RecordingProgress(stop_after=after))
        if not part.stopped:
            # Nothing was left to be done when it was asked.
            assert part == made
            continue
        assert not part.proven
        assert "stopped early" in part.summary()
        for sensor, whole in zip(part.sensors, made.sensors, strict=False):
            assert sensor.loss == whole.loss
            assert sensor.replacement in (None, whole.replacement)
            assert ("was stopped early" in part.sentence(whole.site)) == (
                sensor.replacement is None
            )


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
