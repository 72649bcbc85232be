"""What solvers take from a city and a problem, against the same said naively."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solvers.instances import city_of, straight_lines

import spineq as sq
from spineq.constraints import (
    base_for,
    constraints_for,
    kept_places,
    rules,
    rules_for,
    start_for,
    usable_for,
)
from spineq.errors import ProblemError
from spineq.model.city import City
from spineq.model.problem import Problem

ORIGIN = np.array([4e5, 5e5])


def a_city(xy: Any, existing: Any = None, **columns: Any) -> City:
    """A city whose sites s0, s1, ... are at places around the origin, with columns."""
    xy = np.asarray(xy, dtype=float) + ORIGIN
    city = city_of([[0, 0], [900, 100]], name="Town")
    ids = [f"s{k}" for k in range(len(xy))]
    sites = pd.DataFrame({"site_id": ids, "x": xy[:, 0], "y": xy[:, 1], **columns})
    city = city.with_sites(sites)
    if existing is not None:
        place = np.asarray(existing, dtype=float).reshape(-1, 2) + ORIGIN
        names = [f"e{k}" for k in range(len(place))]
        sensors = pd.DataFrame({"sensor_id": names, "x": place[:, 0], "y": place[:, 1]})
        city = city.with_existing(sensors)
    return city


LINE = [[0, 0], [100, 0], [200, 0], [300, 0], [400, 0], [500, 0]]
WARDS = ["Byker", "Byker", "Byker", "Heaton", "Heaton", "Walker"]
PRICES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


@pytest.fixture
def town() -> City:
    """Six sites 100 m apart in three wards, with prices."""
    return a_city(LINE, ward=WARDS, price=PRICES, number=[1, 1, 1, 2, 2, 3])


# ---------------------------------------------------------------------------- laws


@st.composite
def towns(draw: st.DrawFn) -> City:
    """Up to eight sites on a coarse grid, so that distances are met exactly, and places recur."""
    step = st.integers(0, 6).map(lambda k: 50.0 * k)
    size = draw(st.integers(1, 8))
    pairs = st.tuples(step, step)
    xy = draw(st.lists(pairs, min_size=size, max_size=size))
    existing = draw(st.none() | st.lists(pairs, min_size=1, max_size=3))
    ward = draw(st.lists(st.sampled_from("ABC"), min_size=size, max_size=size))
    price = draw(st.lists(st.integers(0, 5), min_size=size, max_size=size))
    return a_city(xy, existing, ward=ward, price=price)


@st.composite
def problems_for(draw: st.DrawFn, city: City) -> Problem:
    """Problems with every kind of rule about a city's sites, regions and prices."""
    words: dict[str, Any] = {}
    if draw(st.booleans()):
        words |= {"budget": draw(st.integers(0, 12)), "site_cost": "price"}
    else:
        words["n_sensors"] = draw(st.integers(1, 8))
    if draw(st.booleans()):
        there = sorted(set(city.site_column("ward")))
        limit = st.integers(1, 3) | st.dictionaries(
            st.sampled_from(there), st.integers(0, 3), min_size=1
        )
        names = draw(st.sampled_from([["max"], ["min"], ["max", "min"]]))
        words["region"] = "ward"
        words |= {f"{name}_per_region": draw(limit) for name in names}
    ids = list(city.sites.index)
    if city.existing is not None and draw(st.booleans()):
        words["keep"] = "existing"
    else:
        words["keep"] = draw(st.lists(st.sampled_from(ids), max_size=2))
    free = [name for name in ids if words["keep"] == "existing" or name not in words["keep"]]
    if free:
        words["forbid"] = draw(st.lists(st.sampled_from(free), max_size=3))
    words["min_spacing"] = draw(st.sampled_from([0, 50, 100, 120, 250]))
    return Problem(**words)


@st.composite
def asked(draw: st.DrawFn) -> tuple[City, Problem]:
    """A town and a problem about it."""
    city = draw(towns())
    return city, draw(problems_for(city))


def naive_kept(city: City, problem: Problem) -> np.ndarray:
    """Places of the sensors that stay, (place, 2)."""
    if problem.keep == "existing":
        return np.unique(city.existing[["x", "y"]].to_numpy(), axis=0)
    return city.sites.loc[list(problem.keep), ["x", "y"]].to_numpy()


def naive_usable(city: City, problem: Problem) -> list[bool]:
    """The same in words: not forbidden, not taken, not too near."""
    kept = naive_kept(city, problem).tolist()
    made, taken = [], set()
    for name, place in zip(city.sites.index, city.site_xy.tolist(), strict=True):
        if problem.keep == "existing":
            # Of several sites in one place the first is the sensor's.
            stays = place in kept and tuple(place) not in taken
            taken.add(tuple(place))
        else:
            stays = name in problem.keep
        near = any(math.dist(place, other) < problem.min_spacing for other in kept)
        made.append(name not in problem.forbid and not stays and not near)
    return made


class Words:
    """The rules of a problem as its words have them."""

    def __init__(self, city: City, problem: Problem) -> None:
        self.problem = problem
        self.place = dict(zip(city.sites.index, city.site_xy.tolist(), strict=True))
        self.ward = city.sites["ward"].to_dict()
        self.price = city.sites["price"].to_dict()
        self.usable = dict(zip(city.sites.index, naive_usable(city, problem), strict=True))

    def allow(self, sites: tuple[str, ...]) -> bool:
        """Whether a set of new sensors keeps every rule but that of the number."""
        problem = self.problem
        if not all(self.usable[name] for name in sites):
            return False
        if problem.budget is not None and sum(self.price[n] for n in sites) > problem.budget:
            return False
        for ward in set(self.ward.values()) if problem.region else ():
            number = sum(self.ward[name] == ward for name in sites)
            for field, holds in (("max_per_region", int.__le__), ("min_per_region", int.__ge__)):
                limit = getattr(problem, field)
                limit = dict(limit).get(ward) if isinstance(limit, tuple) else limit
                if limit is not None and not holds(number, limit):
                    return False
        return all(
            math.dist(self.place[one], self.place[other]) >= problem.min_spacing
            for one, other in itertools.combinations(sites, 2)
        )


@given(asked())
def test_usable_sites_are_those_of_the_words(pair: tuple[City, Problem]) -> None:
    """Sites that are neither forbidden, nor taken, nor too near to a sensor that stays."""
    city, problem = pair
    usable = usable_for(city, problem)
    expected = naive_usable(city, problem)
    assert (usable is None) == all(expected)
    assert usable is None or usable.tolist() == expected


@given(asked(), st.data())
def test_rules_allow_what_the_words_allow(pair: tuple[City, Problem], data: st.DataObject) -> None:
    """Any set of usable sites breaks the rules exactly if it breaks the words."""
    city, problem = pair
    usable = np.flatnonzero(naive_usable(city, problem))
    made = rules.made_rules(city, problem, usable_for(city, problem))
    if problem.n_sensors is None:
        assert made.n == len(usable)
    else:
        assert made.n == problem.n_sensors
    chosen = (
        data.draw(st.lists(st.sampled_from(usable.tolist()), unique=True)) if len(usable) else []
    )
    names = tuple(city.sites.index[chosen])
    allowed = Words(city, problem).allow(names) and len(chosen) <= made.n
    assert (made.broken_by(np.array(chosen, dtype=np.int64)) == "") == allowed


@given(towns(), st.sampled_from([50, 100, 120, 250]))
def test_pairs_too_near_are_listed_from_both_sides(city: City, spacing: float) -> None:
    """Sorted rows without the site itself; exactly so far apart is far enough."""
    apart = rules_for(city, Problem(1, min_spacing=spacing)).apart
    assert apart is not None
    xy = city.site_xy
    for site in range(len(xy)):
        row = apart.site[apart.start[site] : apart.start[site + 1]].tolist()
        distance = np.sqrt(((xy - xy[site]) ** 2).sum(axis=1))
        assert row == [k for k in np.flatnonzero(distance < spacing).tolist() if k != site]


@settings(max_examples=200)
@given(asked())
def test_only_what_nothing_can_meet_is_refused(pair: tuple[City, Problem]) -> None:
    """What is refused has no network, by going through all of them; without spacing also back."""
    city, problem = pair
    words = Words(city, problem)
    usable = [name for name, on in words.usable.items() if on]
    sizes = range(1, len(usable) + 1) if problem.n_sensors is None else [problem.n_sensors]
    possible = any(
        words.allow(sites) for size in sizes for sites in itertools.combinations(usable, size)
    )
    said = refusal(city, problem)
    assert not (said and possible), said
    assert said or possible or problem.min_spacing > 0


def refusal(city: City, problem: Problem) -> str:
    """What is said against a problem, empty where it is taken."""
    try:
        constraints_for(city, problem)
    except ProblemError as error:
        return str(error)
    return ""


@given(towns(), st.sampled_from([100.0, 500.0]))
def test_the_base_is_the_coverage_by_the_nearest_that_stays(city: City, theta: float) -> None:
    """By the decay of its distance, for sensors at sites and elsewhere."""
    keep: Any = "existing" if city.existing is not None else [city.sites.index[0]]
    problem = Problem(1, theta=theta, keep=keep)
    kept = kept_places(city, problem)
    base = base_for(city, problem, kept)
    far = np.linalg.norm(city.point_xy[:, None] - naive_kept(city, problem)[None], axis=2)
    np.testing.assert_allclose(base, np.exp(-far / theta).max(axis=1), rtol=1e-12)


# ---------------------------------------------------------------------------- what stays


def test_nothing_asked_is_nothing_made(town: City) -> None:
    """Without rules there are no arrays for them."""
    made = constraints_for(town, Problem(3))
    assert (made.rules.n, made.rules.named) == (3, frozenset())
    assert made.usable is None
    assert made.start is None
    assert len(made.kept) == 0
    assert base_for(town, Problem(3), made.kept) is None


def test_existing_sensors_stay_where_they_stand() -> None:
    """Those at one place once, at a site where there is one, in the order of their ids."""
    places = [[400.0004, 0], [33, 44], [33, 44], [100, 0]]
    city = a_city(LINE, places, ward=WARDS)
    kept = kept_places(city, Problem(1, keep="existing"))
    assert kept["position"].tolist() == [4, -1, 1]
    assert kept["site"].tolist() == ["s4", "", "s1"]
    assert kept["x"].tolist() == [400_400.0, 400_033.0, 400_100.0]
    assert kept["area"].tolist() == city.existing["area_id"].iloc[[0, 1, 3]].tolist()
    assert usable_for(city, Problem(1, keep="existing")).tolist() == [
        True, False, True, True, False, True
    ]  # fmt: skip


def test_the_area_that_the_table_names_stays_with_a_sensor() -> None:
    """It is not looked up again by the nearest point."""
    city = a_city(LINE)
    sensors = pd.DataFrame({"x": [4e5 + 33], "y": [5e5], "area_id": [city.dataset["area"].item(1)]})
    kept = kept_places(city.with_existing(sensors), Problem(1, keep="existing"))
    assert kept["area"].tolist() == [city.dataset["area"].item(1)]


def test_kept_and_started_sites_are_positions_in_order(town: City) -> None:
    """Whatever the order in which they are named."""
    problem = Problem(3, keep=("s4", "s2"), start=("s5", "s0"))
    made = constraints_for(town, problem)
    assert made.kept["position"].tolist() == [2, 4]
    assert made.start.tolist() == start_for(town, problem).tolist() == [0, 5]
    assert made.usable.tolist() == [True, True, False, True, False, True]


def test_with_travel_costs_what_stays_covers_by_them() -> None:
    """And must stand at sites; spacing stays a straight line."""
    city = a_city(LINE[:3], [[100, 0]])
    costs = straight_lines(city)
    costs["cost"] = costs["cost"] / 100
    city = city.with_travel(costs, unit="minutes")
    problem = Problem(1, theta=10, keep="existing", min_spacing=150)
    kept = kept_places(city, problem)
    expected = np.exp(-city.travel_costs_from(1) / 10)
    np.testing.assert_allclose(base_for(city, problem, kept), expected, rtol=1e-12)
    with pytest.raises(ProblemError, match=r"no site left.*1 taken.* and 2 too near to them"):
        constraints_for(city, problem)
    sensors = pd.DataFrame({"sensor_id": ["lamp"], "x": [4e5 + 1.0], "y": [5e5]})
    off = city.with_existing(sensors)
    with pytest.raises(ProblemError, match="existing sensor 'lamp' stands at none"):
        kept_places(off, problem)


def test_a_network_can_be_kept_and_improved() -> None:
    """Networks stand for their sites, also those that kept some."""
    city = sq.demo_city()
    net = sq.optimise(city, n_sensors=3, method="greedy")
    sites = sorted(net.sensors["site"])
    made = constraints_for(city, Problem.from_words(n_sensors=2, keep=net))
    assert sorted(made.kept["site"]) == sites
    made = constraints_for(city, Problem.from_words(n_sensors=3, start=net))
    assert sorted(city.sites.index[made.start]) == sites


def test_regions_are_numbered_by_name(town: City) -> None:
    """Texts and whole numbers alike; a region without a limit may have all sensors."""
    limits = {"Byker": 1, "Walker": 0}
    regions = rules_for(town, Problem(3, region="ward", max_per_region=limits)).regions
    assert regions.of.tolist() == [0, 0, 0, 1, 1, 2]
    assert regions.most.tolist() == [1, 3, 0]
    assert regions.least.tolist() == [0, 0, 0]
    problem = Problem(3, region="number", min_per_region={2: 1}, max_per_region=2)
    regions = rules_for(town, problem).regions
    assert (regions.most.tolist(), regions.least.tolist()) == ([2, 2, 2], [0, 1, 0])
    by_area = Problem(2, region="area_id", max_per_region=1)
    assert len(rules_for(town, by_area).regions.most) == len(set(town.site_areas))


def test_a_budget_is_for_as_many_as_there_are_sites(town: City) -> None:
    """Of those that are left; prices are the column's."""
    made = rules_for(town, Problem(budget=6, site_cost="price", forbid=("s0",)))
    assert made.n == 5
    assert made.prices.cost.tolist() == PRICES
    assert made.prices.budget == 6.0
    areas = sq.demo_city()
    assert rules_for(areas, Problem(budget=1e9, site_cost="workers")).n == areas.n_sites


# ---------------------------------------------------------------------------- what is not there

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "kept": ({"keep": ["s9"]}, "keep", "'s9' is no site of Town. Use ids of sites, such as 's0'"),
    "existing beside ids": (
        {"keep": ["existing", "s1"]},
        "keep",
        "'existing' is no site of Town. The word \"existing\" stands alone",
    ),
    "forbidden": ({"forbid": ["A0"]}, "forbid", "'A0' is no site of Town"),
    "start": ({"start": ["s1", "s9"]}, "start", "'s9' is no site of Town"),
    "existing": ({"keep": "existing"}, "keep", "Town has no existing sensors to keep"),
    "column": (
        {"region": "wards", "max_per_region": 1},
        "region",
        "the sites of Town have no column 'wards'. Use one of number, price, ward, area_id, or add",
    ),
    "price column": (
        {"n_sensors": None, "budget": 5, "site_cost": "cost"}, "site_cost", "no column 'cost'",
    ),
    "text as price": (
        {"n_sensors": None, "budget": 5, "site_cost": "ward"}, "site_cost", "holds text .'Byker'",
    ),
    "region": (
        {"region": "ward", "max_per_region": {"byker": 1}},
        "max_per_region",
        "'ward' of the sites has no region 'byker'. Use one of Byker, Heaton, Walker",
    ),
    "region of a minimum": (
        {"region": "number", "min_per_region": {7: 1}}, "min_per_region", "no region '7'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "field", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_there_is_named(
    town: City, words: dict[str, Any], field: str, message: str
) -> None:
    """Sites, columns and regions, with those that are there."""
    with pytest.raises(ProblemError, match=message) as caught:
        constraints_for(town, Problem(**({"n_sensors": 2} | words)))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ([1, None, 3], "site 's1' has no value in column 'price'"),
        ([1, 2, -3], "a sensor at site 's2' costs -3"),
        ([1, np.inf, 3], "a sensor at site 's1' costs inf"),
        ([1, 1e16, 3], "a sensor at site 's1' costs 1e.16. Give every site 0 to 1e.15"),
    ],
)
def test_a_price_that_is_none_is_refused_where_it_is_used(price: list[Any], message: str) -> None:
    """With the site named; who does not ask for it does not see it."""
    city = a_city(LINE[:3], price=price)
    assert rules_for(city, Problem(1)).prices is None
    with pytest.raises(ProblemError, match=message):
        rules_for(city, Problem(budget=5, site_cost="price"))


@pytest.mark.parametrize(
    ("ward", "message"),
    [
        (["a", None, "b"], "site 's1' has no value in column 'ward'"),
        ([1, 2.5, 3], "the region of site 's1' is 2.5 in column 'ward', neither text nor a whole"),
        ([1, 2, np.inf], "the region of site 's2' is inf"),
    ],
)
def test_a_region_that_is_none_is_refused_where_it_is_used(ward: list[Any], message: str) -> None:
    """With the site named."""
    city = a_city(LINE[:3], ward=ward)
    with pytest.raises(ProblemError, match=message):
        rules_for(city, Problem(1, region="ward", max_per_region=1))


def test_areas_are_told_how_to_hand_a_column_on() -> None:
    """Sites at the areas have those of the areas that are named."""
    with pytest.raises(ProblemError, match="site_columns hands a column of the areas on"):
        rules_for(sq.demo_city(), Problem(1, region="ward", max_per_region=1))


def test_more_pairs_than_memory_has_room_for_are_refused(
    town: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before they are made."""
    monkeypatch.setattr(rules, "MOST_PAIRS", 10)
    assert rules_for(town, Problem(1, min_spacing=100)).apart is not None
    with pytest.raises(ProblemError, match="9 pairs of sites are nearer to each other than 201 m"):
        rules_for(town, Problem(1, min_spacing=201))


# ---------------------------------------------------------------------------- the start

STARTS: dict[str, tuple[dict[str, Any], str]] = {
    "too many": ({"n_sensors": 1}, "3 sensors are more than 1"),
    "too dear": (
        {"n_sensors": None, "budget": 9, "site_cost": "price"},
        "it costs 12, more than the budget of 9",
    ),
    "too many in a region": (
        {"region": "ward", "max_per_region": {"Byker": 1}},
        "region 'Byker' has 2 sensors, more than 1",
    ),
    "too few in a region": (
        {"region": "ward", "min_per_region": {"Heaton": 1}},
        "region 'Heaton' has 0 sensors, fewer than 1",
    ),
    "too near": ({"min_spacing": 250}, "two sensors are too near to each other"),
    "too near to what stays": (
        {"n_sensors": 2, "keep": ["s4"], "min_spacing": 150, "start": ("s0", "s3")},
        "stands at 's3', where a sensor stays, or nearer than 150 m to one",
    ),
}


@pytest.mark.parametrize(("words", "message"), STARTS.values(), ids=STARTS)
def test_a_start_that_breaks_a_rule_is_refused(words: dict[str, Any], message: str) -> None:
    """Saying which; the prices make s1, s3 and s5 cost 12, and s1, s2 are near."""
    city = a_city(
        LINE, ward=["Byker", "Byker", "Heaton", "Heaton", "Walker", "Byker"], price=PRICES
    )
    start = ("s1", "s3", "s5")
    if "Heaton" in message:
        start = ("s0", "s1", "s5")
    with pytest.raises(ProblemError, match=message) as caught:
        constraints_for(city, Problem(**({"n_sensors": 3, "start": start} | words)))
    assert caught.value.field == "start"


def test_a_start_where_an_existing_sensor_stays_is_refused() -> None:
    """Without a spacing, none is spoken of."""
    city = a_city(LINE, [[100, 0]])
    with pytest.raises(ProblemError, match=r"stands at 's1', where a sensor stays\."):
        constraints_for(city, Problem(2, keep="existing", start=("s1", "s3")))
