"""Laws of answers under every rule and goal, from the question to the network."""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from solvers.instances import cities, straight_lines

import spineq as sq
from spineq import instance
from spineq.errors import ProblemError
from spineq.solvers import METHODS
from spineq.solvers import coverage as coverage_module

THETA = 600.0
GROUPS = {
    "young": sq.Group(ages=(0, 15), weight=2),
    "jobs": sq.Group(column="workers"),
    "all": sq.Group(ages=(0, 90)),
}

#: Methods but for the one that starts a process each time, which few examples must do for.
QUICK = sorted(set(METHODS) - {"milp"})

#: Fields by which a refusal names what cannot be met.
FIELDS = {
    "n_sensors", "budget", "min_per_region", "max_per_region", "min_spacing", "forbid", "keep",
    "at_least", "objective", "region", "start",
}  # fmt: skip


#: Words by which the sentence of a refusal does.
WORDS = ("limit of", "regions", "budget", "spacing")


class Asked:
    """A small city, a question with rules, and every network that keeps them, by definition."""

    def __init__(self, city: sq.City, words: dict[str, Any]) -> None:
        self.city, self.words = city, words
        self.ids = city.dataset["site"].to_numpy().tolist()
        apart = city.site_xy[:, None, :] - city.point_xy[None, :, :]
        self.coverage = np.exp(-np.hypot(apart[..., 0], apart[..., 1]) / THETA)
        self.weight = city.point_weights(city.weights(GROUPS.items()))
        self.rows = self.rows_of(GROUPS)

    def __repr__(self) -> str:
        return f"Asked({self.city.site_xy.tolist()}, {self.words})"

    def answer(self, **more: Any) -> sq.Network:
        """The answer to the question."""
        return sq.optimise(self.city, theta=THETA, groups=GROUPS, **self.words | more)

    def kept(self) -> list[int]:
        """Positions of the sites whose sensors stay."""
        return [self.ids.index(site) for site in self.words.get("keep", ())]

    def breaks(self, sites: tuple[int, ...]) -> str:
        """Name the first rule that new sensors at these sites break; empty for none."""
        words, table = self.words, self.city.sites
        kept = self.kept()
        if len(set(sites)) < len(sites) or set(sites) & set(kept):
            return "a site is taken twice"
        if {self.ids[site] for site in sites} & set(words.get("forbid", ())):
            return "forbid"
        n, spacing = words.get("n_sensors"), words.get("min_spacing", 0.0)
        # With a spacing, or what regions and a spacing leave, it is the most.
        if n is not None and (len(sites) > n or (not spacing and len(sites) < n)):
            return "n_sensors"
        for one, other in itertools.combinations([*kept, *sites], 2):
            away = float(np.hypot(*(self.city.site_xy[one] - self.city.site_xy[other])))
            if {one, other} & set(sites) and away < spacing * (1 - 1e-9):
                return "min_spacing"
        if "budget" in words:
            price = table["price"].to_numpy()[list(sites)].sum()
            if price > words["budget"] * (1 + 1e-9):
                return "budget"
        if "region" in words:
            count = Counter(table["ward"].to_numpy()[list(sites)])
            for ward in set(table["ward"]):
                if count[ward] > words.get("max_per_region", len(self.ids)):
                    return "max_per_region"
                if count[ward] < words.get("min_per_region", 0):
                    return "min_per_region"
        return ""

    @cached_property
    def allowed(self) -> list[tuple[int, ...]]:
        """New sensors, by position, of every network that keeps the rules; never none at all."""
        sizes = range(1, self.words.get("n_sensors", len(self.ids)) + 1)
        sites = range(len(self.ids))
        every = (chosen for size in sizes for chosen in itertools.combinations(sites, size))
        return [chosen for chosen in every if not self.breaks(chosen)]

    @property
    def networks(self) -> list[np.ndarray]:
        """Coverage of the points, (point,), by every network that keeps the rules."""
        return [self.coverage[[*self.kept(), *sites]].max(axis=0) for sites in self.allowed]

    @property
    def possible(self) -> bool:
        """Whether as many sensors as are asked can stand: what cannot may be refused."""
        n = self.words.get("n_sensors")
        return bool(self.allowed) and n in (None, len(self.allowed[-1]))

    def rows_of(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Weights of reported groups over the points, summing to 1."""
        groups = self.city.reported_groups({}) | GROUPS
        people = {name: self.city.people(groups[name]).values for name in names}
        return {name: self.city.point_weights(each / each.sum()) for name, each in people.items()}

    def mean(self, covered: np.ndarray) -> float:
        """Weighted mean of the groups' coverage."""
        return float(self.weight @ covered)

    def worst(self, covered: np.ndarray) -> float:
        """Coverage of the worst-off group."""
        return min(float(row @ covered) for row in self.rows.values())

    def best(self, value: Callable[[np.ndarray], float]) -> float:
        """Best value of all networks; minus infinity where there is none."""
        return max(map(value, self.networks), default=-np.inf)

    def new_sites(self, net: sq.Network) -> tuple[int, ...]:
        """Positions of the sites of a network's new sensors, read from its table."""
        table = net.sensors
        sites = [self.ids.index(site) for site in table["site"]]
        # The table says where the sensors stand, too: it must be the same places.
        assert np.allclose(table[["x", "y"]].to_numpy(), self.city.site_xy[sites])
        assert sites[: net.n_kept] == self.kept()
        return tuple(sites[net.n_kept :])


@st.composite
def asked(draw, kinds: tuple[str, ...] | None = None) -> Asked:
    """Small cities, one or several points an area, with a question that has rules."""
    city = draw(cities())
    if draw(st.booleans()):
        table = city.to_frame()
        points = [
            {"area_id": area, "x": x + 150.0 * k, "y": y, "weight": 1.0 + k}
            for area, x, y in zip(table["area_id"], table["x"], table["y"], strict=True)
            for k in range(draw(st.integers(1, 3)))
        ]
        city = city.with_demand(pd.DataFrame(points))
    m = city.n_sites
    ward = draw(st.lists(st.sampled_from(["east", "west"]), min_size=m, max_size=m))
    price = draw(st.lists(st.sampled_from([1.0, 2.0, 3.5]), min_size=m, max_size=m))
    sites = city.sites.reset_index(names="site_id").assign(ward=ward, price=price)
    city = city.with_sites(sites[["site_id", "x", "y", "ward", "price"]])
    ids = city.dataset["site"].to_numpy().tolist()
    if kinds is None:
        every = ["keep", "forbid", "spacing", "budget", "regions"]
        kinds = tuple(draw(st.lists(st.sampled_from(every), unique=True, max_size=3)))
    words: dict[str, Any] = {"n_sensors": draw(st.integers(1, min(4, m)))}
    order = draw(st.permutations(ids))
    if "keep" in kinds:
        words["keep"] = tuple(sorted(order[:1]))
    if "forbid" in kinds:
        words["forbid"] = tuple(sorted(order[1 : 1 + draw(st.integers(1, 2))]))
    if "spacing" in kinds:
        words["min_spacing"] = draw(st.sampled_from([100.0, 350.0, 900.0]))
    if "budget" in kinds:
        del words["n_sensors"]
        words |= {"budget": draw(st.sampled_from([1.0, 3.0, 4.5, 7.0])), "site_cost": "price"}
    if "regions" in kinds:
        limits = st.sampled_from([{"max_per_region": 1}, {"min_per_region": 1},
                                  {"max_per_region": 2, "min_per_region": 1}])  # fmt: skip
        words |= {"region": "ward"} | draw(limits)
    return Asked(city, words)


def answer_or_field(question: Asked, **words: Any) -> tuple[sq.Network | None, str]:
    """The answer; or, where it is refused, the field that the refusal names."""
    try:
        return question.answer(**words), ""
    except ProblemError as error:
        return None, error.field or str(error)


def held(question: Asked, method: str) -> None:
    """Check that an answer keeps every rule, or that the refusal names one that cannot be."""
    best = question.best(question.mean)
    net, refused = answer_or_field(question, method=method)
    if net is None:
        # Where several rules clash there is no one field: then the sentence names them.
        assert refused in FIELDS or any(word in refused for word in WORDS), refused
        # A method that proves refuses only what cannot be.
        assert not (question.possible and METHODS[method].tight)
        return
    assert not question.breaks(question.new_sites(net))
    assert net.objective_value <= best + 1e-9
    assert net.upper_bound >= best - 1e-9


@pytest.mark.parametrize("method", QUICK)
@settings(max_examples=30)
@given(question=asked())
def test_rules_hold_or_are_refused(method: str, question: Asked) -> None:
    """Whatever a method answers keeps every rule; and a refusal says which one cannot be."""
    held(question, method)


@settings(max_examples=6)
@given(question=asked())
def test_rules_hold_in_an_integer_programme(needs: Callable[[str], Any], question: Asked) -> None:
    """The method that starts a process keeps them, too."""
    needs("highspy")
    held(question, "milp")


def exact(question: Asked, **words: Any) -> None:
    """Check a proven answer against every network."""
    value = question.worst if words.get("objective") == "worst" else question.mean
    best = question.best(value)
    net, _ = answer_or_field(question, **words)
    if net is None:
        assert not question.possible
        return
    assert question.allowed
    assert net.proven
    assert net.objective_value == pytest.approx(best, abs=1e-9)
    assert net.upper_bound >= best - 1e-9


@pytest.mark.parametrize("objective", ["mean", "worst"])
@settings(max_examples=30)
@given(question=asked())
def test_exact_is_exact(objective: str, question: Asked) -> None:
    """Under every rule, the proven answer is the best of all networks."""
    exact(question, objective=objective)


@pytest.mark.parametrize("objective", ["mean", "worst"])
@settings(max_examples=15)
@given(question=asked())
def test_exact_by_travel_table(objective: str, question: Asked) -> None:
    """The same with distances from a table: not a straight line is computed."""
    question.city = question.city.with_travel(straight_lines(question.city), unit="m")
    exact(question, objective=objective)


@pytest.mark.parametrize("objective", ["mean", "worst"])
@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(question=asked())
def test_cut_off_lists_still_bound(
    monkeypatch: pytest.MonkeyPatch, objective: str, question: Asked
) -> None:
    """With lists that leave out what is far, the bound holds and the answer keeps the rules."""
    monkeypatch.setattr(coverage_module, "DENSE_PAIRS", 0)
    monkeypatch.setattr(instance, "_KEPT", OrderedDict())
    monkeypatch.setattr(instance, "_KEPT_MOST", 0)
    value = question.worst if objective == "worst" else question.mean
    assume(question.possible)
    best = question.best(value)
    net = question.answer(objective=objective)
    assert not question.breaks(question.new_sites(net))
    assert net.objective_value <= best + 1e-9
    assert net.upper_bound >= best - 1e-9
    # What is cut off is below 1e-6 everywhere.
    assert net.objective_value >= best - 2e-6


@settings(max_examples=30)
@given(question=asked(), data=st.data())
def test_a_start_is_never_made_worse(question: Asked, data: st.DataObject) -> None:
    """Whoever improves a network has one that is as good, at least, and keeps the rules."""
    assume(question.possible)
    start = data.draw(st.sampled_from(question.allowed))
    covered = question.coverage[[*question.kept(), *start]].max(axis=0)
    method = data.draw(
        st.sampled_from([name for name in QUICK if "start" in METHODS[name].honours])
    )
    names = [question.ids[site] for site in start]
    net = question.answer(method=method, start=names, effort=0.01)
    assert net.objective_value >= question.mean(covered) - 1e-12
    assert not question.breaks(question.new_sites(net))


@pytest.mark.parametrize("objective", ["mean", "worst", "worst_share"])
@settings(max_examples=15)
@given(question=asked())
def test_measured_again_it_is_the_same(objective: str, question: Asked) -> None:
    """Evaluating an answer's sensors gives its value; and asking again gives the same answer."""
    assume(question.possible)
    net = question.answer(objective=objective)
    assert question.answer(objective=objective) == net
    if objective == "worst_share":
        return  # held against what each group could have, which rules are part of
    # By place: where areas share one, a site's name may be that of another area.
    places = net.sensors[["x", "y"]]
    again = sq.evaluate(question.city, places, theta=THETA, groups=GROUPS, objective=objective)
    assert again.objective_value == net.objective_value
    assert again.group_coverage.identical(net.group_coverage)


@st.composite
def equipped(draw) -> tuple[Asked, list[np.ndarray]]:
    """Questions in cities with existing sensors that stay, some at no site; and their places."""
    question = draw(asked(()))
    step = st.integers(0, 20).map(lambda k: 100.0 * k)
    places = draw(st.lists(st.tuples(step, step), min_size=1, max_size=3))
    xy = np.array(places) + np.array([4e5, 5e5])
    if draw(st.booleans()):
        xy[0] = question.city.site_xy[0]
    question.city = question.city.with_existing(pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1]}))
    return question, list(xy)


@pytest.mark.parametrize("objective", ["mean", "worst"])
@settings(max_examples=30)
@given(drawn=equipped())
def test_existing_sensors_stay(objective: str, drawn: tuple[Asked, list[np.ndarray]]) -> None:
    """Keeping what exists is as good as the best with the sensors put in by hand."""
    question, places = drawn
    apart = np.array(places)[:, None, :] - question.city.point_xy[None, :, :]
    base = np.exp(-np.hypot(apart[..., 0], apart[..., 1]) / THETA).max(axis=0)
    there = [tuple(xy) for xy in question.city.site_xy]
    taken = {tuple(xy) for xy in places}
    # Of several sites at one place one is taken, no matter which.
    used = {there.index(xy) for xy in taken if xy in there}
    free = [k for k in range(len(there)) if k not in used]
    n = question.words["n_sensors"]
    if len(free) < n:
        with pytest.raises(ProblemError):
            question.answer(keep="existing", objective=objective)
        return
    value = question.worst if objective == "worst" else question.mean
    best = max(
        value(np.maximum(base, question.coverage[list(sites)].max(axis=0)))
        for sites in itertools.combinations(free, n)
    )
    net = question.answer(keep="existing", objective=objective)
    assert net.n_kept == len(taken)
    assert net.n_sensors == len(taken) + n
    assert net.proven
    assert net.objective_value == pytest.approx(best, abs=1e-9)


@settings(max_examples=20)
@given(drawn=equipped())
def test_nobody_is_worse_off_than_today(drawn: tuple[Asked, list[np.ndarray]]) -> None:
    """An answer that owes every group what it has today leaves none below that, or is refused."""
    question, _ = drawn
    today = sq.evaluate(question.city, "existing", theta=THETA, groups=GROUPS)
    floors = today.group_coverage.to_series()
    net, refused = answer_or_field(question, at_least=today)
    rows = question.rows_of(floors.index)
    reached = [
        all(float(row @ covered) >= floors[name] + 1e-9 for name, row in rows.items())
        for covered in question.networks
    ]
    if net is None:
        assert refused == "at_least"
        assert not any(reached)
        return
    for name, floor in floors.items():
        assert float(net.group_coverage.sel(group=name)) >= floor * (1 - 1e-9)


@pytest.mark.cluster
def test_workers_give_the_same_answers() -> None:
    """What a worker of a cluster answers is the same, bit for bit."""
    city = sq.demo_city("synthetic", n_areas=80)
    ward = [f"ward {k % 3}" for k in range(city.n_sites)]
    city = city.with_sites(
        city.sites.reset_index(names="site_id").assign(ward=ward)[["site_id", "x", "y", "ward"]]
    )
    common = {"n_sensors": 6, "theta": 500.0}
    questions = [common | {"method": name} for name in QUICK]
    questions += [
        common | {"min_spacing": 400.0},
        common | {"region": "ward", "max_per_region": 2},
        common | {"objective": "worst", "groups": GROUPS},
        common | {"aversion": 3.0},
    ]
    with sq.connect(n_workers=1, set_as_default=False) as client:
        futures = [client.submit(sq.optimise, city, **words) for words in questions]
        there = client.gather(futures)
    assert there == [sq.optimise(city, **words) for words in questions]
