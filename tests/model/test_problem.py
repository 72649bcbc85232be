"""Problems: checked when made, the same on both sides of JSON, digested without the defaults."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems

import spineq as sq
from spineq.errors import ProblemError
from spineq.model.groups import GROUPS, Group
from spineq.model.problem import Problem

CHILDREN = Group(ages=(0, 15), weight=2)
JOBS = Group(column="workers")

#: For each field a value that is not its default, and what cannot be without it.
OTHER: dict[str, dict[str, Any]] = {
    "n_sensors": {"n_sensors": 6},
    "theta": {"theta": 250.0},
    "groups": {"groups": {"jobs": JOBS}},
    "decay": {"decay": "linear"},
    "method": {"method": "greedy"},
    "seed": {"seed": 1},
    "budget": {"n_sensors": None, "budget": 8, "site_cost": "cost"},
    "site_cost": {"n_sensors": None, "budget": 8, "site_cost": "price"},
    "region": {"region": "ward", "max_per_region": 2},
    "max_per_region": {"region": "ward", "max_per_region": {"Byker": 2}},
    "min_per_region": {"region": "ward", "min_per_region": 1},
    "min_spacing": {"min_spacing": 400},
    "keep": {"keep": ["a"]},
    "forbid": {"forbid": ["a"]},
    "start": {"start": ["a"]},
    "aversion": {"aversion": 0.5},
    "aversion_form": {"aversion": 0.5, "aversion_form": "atkinson"},
    "reach": {"reach": {"all": (Group(ages=(0, 90)), 0.5)}, "n_sensors": None},
    "retire": {"retire": 2},
    "failure_probability": {"failure_probability": 0.1},
    "move_at_most": {"move_at_most": 2},
    "kinds": {"kinds": {"near": {"theta": 300, "n_sensors": 9}}},
    "at_least": {"at_least": {"pop_elderly": 0.45}},
    "objective": {"objective": "worst"},
    "bound": {"bound": "quick"},
    "effort": {"effort": 2},
    "gap_limit": {"gap_limit": 0.01},
}

#: Problems and the digests that they had before there was anything but the first six fields.
BEFORE = [
    (Problem(5), "07684a82204063762f52512256346434259837509b2e2fbbbf33891a55489436"),
    (
        Problem(20, theta=250.0, decay="linear", method="greedy", seed=3),
        "999cfb14a1622dbe9b64f905b9350a9c374168e963a969359263f27932866eae",
    ),
    (
        Problem(55, theta=100, groups=GROUPS),  # type: ignore[arg-type]
        "8284b1746d2208f221bef46cf6a6af6535b96cd4b6f4db1962a250f6771b57fd",
    ),
    (
        Problem(
            7,
            groups={  # type: ignore[arg-type]
                "jobs": Group(column="workers", weight=0.5),
                "children": Group(ages=(0, 15), weight=2, title="Kids"),
            },
        ),
        "91e8464ff739fc4db11ebb9526f3daaecf690b92e7c129e81ebe9dc1daef5309",
    ),
    (
        Problem(10**9, method="exchange"),
        "4912b856a3751ded38a9d29767ddc266126403fb2321ee43f8125f970e75d394",
    ),
    (
        Problem(1, method="random", seed=2**63 - 1, decay="step"),
        "90a71033f35602bf0a932b1cbdcfb3e9c9689b761bd9e807e09724093bbe7565",
    ),
]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"n_sensors": 0}, "n_sensors must be 1 or more, not 0"),
        ({"n_sensors": 2.0}, "n_sensors must be a whole number, not 2.0"),
        ({"n_sensors": True}, "n_sensors must be a whole number, not True"),
        ({"n_sensors": None}, "the number of sensors is missing.*budget"),
        ({"theta": 0}, "theta must be above 0 and finite, not 0"),
        ({"theta": -500}, "theta must be above 0 and finite, not -500"),
        ({"theta": math.nan}, "theta must be above 0 and finite, not nan"),
        ({"theta": 10**400}, "theta must be above 0 and finite, not inf"),
        ({"theta": "500"}, "'500' is not a number"),
        ({"seed": -1}, "seed must be 0 or more, not -1"),
        ({"seed": 1.5}, "seed must be a whole number, not 1.5"),
        ({"decay": "cubic"}, "decay 'cubic' does not exist.*exponential"),
        ({"method": "best"}, "method 'best' does not exist.*exchange"),
        ({"method": ["auto"]}, r"method \['auto'\] does not exist"),
        ({"groups": ["a"]}, "groups must be a dictionary"),
        ({"groups": ("a",)}, "groups must be a dictionary"),
        ({"groups": (5,)}, "groups must be a dictionary"),
        ({"groups": {"": JOBS}}, "a group's name must be text, not ''"),
        ({"groups": {5: JOBS}}, "a group's name must be text, not 5"),
        ({"groups": {"a": {"column": "workers"}}}, "group 'a' must be a Group"),
        ({"groups": (("a", JOBS), ("a", CHILDREN))}, "two groups have the name 'a'"),
        ({"groups": {"a": Group(column="b", weight=0)}}, "no group has a weight above zero"),
        ({"budget": -1}, "budget must be from 0 to 1e.15, not -1"),
        ({"budget": math.nan}, "budget must be from 0 to 1e.15, not nan"),
        ({"budget": "8"}, "'8' is not a number"),
        ({"budget": 8}, r"both n_sensors \(5\) and a budget \(8\) are given"),
        ({"site_cost": ""}, "site_cost must be the name of a column of the sites, not ''"),
        ({"site_cost": "price"}, "there is a site_cost, but no budget"),
        ({"region": 5}, "region must be the name of a column of the sites, not 5"),
        ({"region": "ward"}, "the region 'ward' is given, but no limit"),
        ({"max_per_region": 2}, "max_per_region is given, but not what the regions are"),
        ({"min_per_region": {"a": 1}}, "min_per_region is given, but not what the regions are"),
        ({"max_per_region": 0, "region": "w"}, "max_per_region must be 1 or more, not 0"),
        ({"max_per_region": 1.5, "region": "w"}, "max_per_region must be a number of sensors, or"),
        ({"max_per_region": "2", "region": "w"}, "must be a number of sensors, or one by region"),
        ({"max_per_region": True, "region": "w"}, "must be a whole number, not True"),
        ({"min_per_region": {"a": -1}, "region": "w"}, r"0 or more, not -1 \(region 'a'\)"),
        ({"min_per_region": {"a": None}, "region": "w"}, r"not None \(region 'a'\)"),
        ({"min_per_region": {1.5: 1}, "region": "w"}, "1.5 is not a value that a region can"),
        ({"min_per_region": {None: 1}, "region": "w"}, "None is not a value that a region can"),
        ({"min_per_region": {1: 1, "1": 2}, "region": "w"}, "region '1' is named twice"),
        ({"min_spacing": -1}, "min_spacing must be from 0 to 1e.15, not -1"),
        ({"min_spacing": math.inf}, "min_spacing must be from 0 to 1e.15, not inf"),
        ({"keep": 1.5}, "keep must be ids of sites, not 1.5"),
        ({"keep": {"a": 1}}, "keep must be ids of sites"),
        ({"keep": ["a", 1.5]}, "1.5 is not the id of a site"),
        ({"keep": [True]}, "True is not the id of a site"),
        ({"forbid": True}, "forbid must be ids of sites, not True"),
        ({"forbid": [""]}, "'' is not the id of a site"),
        ({"start": b"a"}, "start must be ids of sites"),
        ({"keep": np.array("a")}, r"keep must be ids of sites, not array\('a'"),
        ({"forbid": np.array("a")}, r"forbid must be ids of sites, not array\('a'"),
        ({"start": np.array("a")}, r"start must be ids of sites, not array\('a'"),
        ({"forbid": ["b", "a"], "keep": ["c", "b"]}, "site 'b' is both forbidden and kept"),
        ({"start": ["b", "a"], "keep": ["c", "b"]}, "site 'b' is both to start from and kept"),
        ({"start": ["b"], "forbid": ["b"]}, "site 'b' is both to start from and forbidden"),
        ({"aversion": -0.1}, "aversion must be from 0 to 100, not -0.1"),
        ({"aversion": 101}, "aversion must be from 0 to 100, not 101"),
        ({"aversion": 1, "aversion_form": "atkinson"}, "an aversion of 1 has no Atkinson form"),
        ({"aversion_form": "gini"}, "aversion_form 'gini' does not exist.*kolm_pollak, atkinson"),
        ({"at_least": 0.5}, "at_least must be levels by name of a group, not 0.5"),
        ({"at_least": {"older": 0.5}}, "there is no group 'older'.*pop_children, pop_elderly"),
        ({"at_least": {"pop_elderly": 1.5}}, "'pop_elderly' must be from 0 to 1, not 1.5"),
        ({"at_least": {"pop_elderly": math.nan}}, "'pop_elderly' must be from 0 to 1, not nan"),
        ({"at_least": {"pop_elderly": "half"}}, "'half' is not a number"),
        ({"at_least": {"a": ("b", 0.5)}}, "group 'a' must be a Group, not 'b'"),
        ({"at_least": {5: 0.5}}, "a group's name must be text, not 5"),
        ({"at_least": (("pop_total", 0.5), ("pop_total", 0.4))}, "'pop_total' is named twice"),
        ({"at_least": {"pop_total": 0.5}, "aversion": 1}, "at_least is about coverage"),
        ({"aversion": 1, "objective": "worst"}, "is between people, and objective .worst."),
        ({"objective": "best"}, "objective 'best' does not exist.*mean, worst, worst_share"),
        ({"bound": "loose"}, "bound 'loose' does not exist.*none, quick, tight"),
        ({"effort": 0}, "effort must be above 0 and finite, not 0"),
        ({"gap_limit": 1.1}, "gap_limit must be from 0 to 1, not 1.1"),
    ],
)
def test_a_value_out_of_range_is_refused(words: dict[str, Any], message: str) -> None:
    """Each field says what it wants, and names itself."""
    with pytest.raises(ProblemError, match=message) as caught:
        Problem(**({"n_sensors": 5} | words))
    assert caught.value.field == next(iter(words))
    assert caught.value.mend


def test_a_problem_cannot_be_changed_and_is_hashable() -> None:
    """Equal problems are one key of a dictionary."""
    problem = Problem(5)
    with pytest.raises(FrozenInstanceError):
        problem.theta = 1.0  # type: ignore[misc]
    assert {problem: 1}[Problem(5, theta=500)] == 1


def test_everyone_is_the_default() -> None:
    """No groups mean all residents; a group of weight 0 is left out."""
    assert Problem(5).groups == (("pop_total", GROUPS["pop_total"]),)
    assert Problem(5, groups={}) == Problem(5)  # type: ignore[arg-type]
    left_out = Problem(5, groups={"a": JOBS, "b": Group(column="b", weight=0)})  # type: ignore[arg-type]
    assert left_out.groups == (("a", JOBS),)


@given(problems())
def test_group_weights_sum_to_one(problem: Problem) -> None:
    """They are in proportion to the weights that were given."""
    weights = problem.group_weights
    assert math.isclose(math.fsum(weights.values()), 1.0)
    (name, group), *_ = problem.groups
    for other_name, other in problem.groups:
        assert math.isclose(weights[other_name] * group.weight, weights[name] * other.weight)


# ---------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("words", "groups"),
    [
        ({"population_weight": 1}, {"pop_total": Group(ages=(0, 90))}),
        (
            {"population_weight": 1, "workplace_weight": 0.5, "max_age": 15},
            {"pop_children": Group(ages=(0, 15)), "workplace": Group(column="workers", weight=0.5)},
        ),
        (
            {"pop_age_groups": {"a": {"min": 0, "max": 15, "weight": 1}}},
            {"a": Group(ages=(0, 15))},
        ),
    ],
)
def test_words_make_the_problem_that_groups_make(
    words: dict[str, Any], groups: dict[str, Group]
) -> None:
    """Both forms are one problem, digest included."""
    sugared = Problem.from_words(n_sensors=5, **words)
    plain = Problem.from_words(n_sensors=5, groups=groups)
    assert sugared == plain
    assert sugared.digest == plain.digest


def test_words_that_are_none_are_not_given() -> None:
    """A caller may pass every word on, None where the user said nothing."""
    words = dict.fromkeys(
        ("population_weight", "workplace_weight", "min_age", "max_age", "pop_age_groups", "groups")
    )
    assert Problem.from_words(n_sensors=5, **words) == Problem(5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "the number of sensors is missing"),
        ({"n_sensors": 5, "n_sensor": 5}, "there is no parameter 'n_sensor'.*n_sensors"),
        (
            {"n_sensors": 5, "groups": {"jobs": JOBS}, "min_age": 3, "workplace_weight": 1},
            "groups and workplace_weight, min_age say the same thing twice",
        ),
    ],
)
def test_words_that_do_not_fit_are_refused(words: dict[str, Any], message: str) -> None:
    """A misspelt word is an error, and so is saying who matters in two ways."""
    with pytest.raises(ProblemError, match=message):
        Problem.from_words(**words)


# ---------------------------------------------------------------------------- JSON and digest


@given(problems())
def test_a_problem_goes_through_json_and_pickle(problem: Problem) -> None:
    """What comes back is equal, says the same JSON and has the same digest."""
    for back in (Problem.from_json(problem.to_json()), pickle.loads(pickle.dumps(problem))):
        assert back == problem
        assert back.digest == problem.digest
        assert back.to_json() == problem.to_json()


def test_json_holds_what_differs_from_the_default() -> None:
    """The default problem is one field long."""
    assert json.loads(Problem(5, theta=500).to_json()) == {"n_sensors": 5}
    assert json.loads(Problem(5, groups={"jobs": JOBS}).to_json()) == {  # type: ignore[arg-type]
        "n_sensors": 5,
        "groups": {"jobs": {"column": "workers"}},
    }


def test_a_title_goes_through_json_also_of_the_default_group() -> None:
    """Display is kept, though it changes no digest."""
    renamed = Problem(5, groups={"pop_total": Group(ages=(0, 90), title="Tout le monde")})  # type: ignore[arg-type]
    assert Problem.from_json(renamed.to_json()).groups[0][1].title == "Tout le monde"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the problem is not JSON"),
        ("[5]", "a problem must be a dictionary"),
        ('{"n_sensors": 5, "colour": 1}', "a problem has no field 'colour'"),
        ('{"n_sensors": 5, "groups": [1]}', "groups must be a dictionary"),
        ('{"n_sensors": 5, "groups": {"a": 1}}', "a group must be a dictionary, not 1"),
        ('{"n_sensors": 5, "groups": {"a": {"ages": [0]}}}', "ages must be two numbers"),
        ("{}", "the number of sensors is missing"),
    ],
)
def test_json_that_is_no_problem_is_refused(text: str, message: str) -> None:
    """A file that was written by hand meets sentences, not tracebacks of ours."""
    with pytest.raises(ProblemError, match=message):
        Problem.from_json(text)


def test_the_digest_knows_every_field() -> None:
    """Each field that differs gives another digest."""
    assert set(OTHER) == {field.name for field in fields(Problem)}
    digests = {replace(Problem(5), **words).digest for words in OTHER.values()}
    assert len(digests | {Problem(5).digest}) == len(OTHER) + 1


@pytest.mark.parametrize("words", OTHER.values(), ids=OTHER)
def test_every_field_goes_through_json_and_pickle(words: dict[str, Any]) -> None:
    """What comes back is equal, hashes the same and has the same digest."""
    problem = replace(Problem(5), **words)
    for back in (Problem.from_json(problem.to_json()), pickle.loads(pickle.dumps(problem))):
        assert back == problem
        assert hash(back) == hash(problem)
        assert back.digest == problem.digest
    given = json.loads(problem.to_json())
    assert {name for name, value in words.items() if value is not None} <= given.keys()


@pytest.mark.parametrize(("problem", "digest"), BEFORE)
def test_the_digest_of_an_earlier_version_stays(problem: Problem, digest: str) -> None:
    """Answers that a store has are found again: these were written down before."""
    assert problem.digest == digest


@pytest.mark.parametrize(
    "group",
    [
        Group(ages=(0, 14), weight=2),
        Group(ages=(0, 15), weight=3),
        Group(column="children", weight=2),
    ],
)
def test_the_digest_knows_every_field_of_a_group(group: Group) -> None:
    """Ages, weight and column count."""
    before, after = (Problem(5, groups={"a": who}) for who in (CHILDREN, group))  # type: ignore[arg-type]
    assert before.digest != after.digest


def test_the_digest_is_of_what_differs_from_the_default_only() -> None:
    """SHA-256 of a line of JSON: a field that a later version adds changes no old digest."""
    line = b'spineq-problem-1\n{"n_sensors":5,"seed":3}'
    assert Problem(5, seed=3).digest == hashlib.sha256(line).hexdigest()


@given(problems(), st.randoms(use_true_random=False))
def test_order_and_titles_of_groups_do_not_count(problem: Problem, random: Any) -> None:
    """However a caller names the groups, it is the same problem."""
    groups = list(problem.groups)
    random.shuffle(groups)
    other = replace(
        problem, groups=tuple((name, replace(group, title="other")) for name, group in groups)
    )
    assert other == problem
    assert other.digest == problem.digest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"n_sensors": 10**5000}, "1,000,000,000 or less, not a number of thousands of digits"),
        ({"n_sensors": -(10**5000)}, "1 or more, not a number of thousands of digits"),
        ({"n_sensors": 10**9 + 1}, "1,000,000,000 or less, not 1000000001"),
        ({"n_sensors": 1, "seed": 2**63}, "seed must be .* or less"),
        ({"n_sensors": "x" * 5000}, "must be a whole number, not 'xxx"),
        ({"n_sensors": 1, "decay": "x" * 5000}, "does not exist"),
        ({"n_sensors": 1, "groups": {"a\0b": Group(column="c")}}, r"control character U\+0000"),
        ({"n_sensors": 1, "groups": {"\udc80": Group(column="c")}}, r"control character U\+DC80"),
        ({"n_sensors": 1, "groups": {"a\nb": Group(column="c")}}, r"control character U\+000A"),
    ],
)
def test_values_that_no_file_can_hold_are_refused(words: dict[str, Any], message: str) -> None:
    """In a sentence that is no longer than a sentence is."""
    with pytest.raises(ProblemError, match=message) as caught:
        Problem(**words)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", [None, 5, "", "{", "[" * 100_000, "[]", "null", b"\xff\xfe{"])
def test_what_is_no_json_of_a_problem_is_refused(text: Any) -> None:
    """Whatever is given, the error is ours."""
    with pytest.raises(ProblemError):
        Problem.from_json(text)


# ---------------------------------------------------------------------------- rules and goals


@pytest.mark.parametrize(
    "ids",
    [["b", "a"], ("a", "b", "a"), {"b", "a"}, {"b": 0, " a ": 0}.keys(), np.array(["b", "a"])],
    ids=["list", "twice", "set", "keys", "array"],
)
@pytest.mark.parametrize("field", ["keep", "forbid", "start"])
def test_sites_are_a_set_whatever_holds_them(field: str, ids: Any) -> None:
    """Order and repetition make no other problem."""
    problem = Problem.from_words(n_sensors=5, **{field: ids})
    assert getattr(problem, field) == ("a", "b")


def test_a_single_site_and_numbers_are_ids() -> None:
    """One id needs no list, and an id that a table has as a number is text."""
    assert Problem(5, keep="044").keep == ("044",)  # type: ignore[arg-type]
    assert Problem(5, forbid=[np.int64(7), 8]).forbid == ("7", "8")  # type: ignore[arg-type]
    assert Problem.from_words(n_sensors=5, keep=None, forbid=None, start=None) == Problem(5)


def test_existing_is_a_word_and_not_a_site() -> None:
    """It stays a word through JSON; a list with it names a site of that id."""
    word, site = Problem(5, keep="existing"), Problem(5, keep=("existing",))
    assert Problem.from_json(word.to_json()).keep == "existing"
    assert Problem.from_json(site.to_json()).keep == ("existing",)
    assert word.digest != site.digest


def test_regions_are_named_by_text_or_number() -> None:
    """7, 7.0 and "7" are one region; a limit of 0 closes one."""
    limits = [{7: 0, "b": 2}, {"b": 2, "7": 0}, {np.float64(7): 0, " b": 2}]
    made = {Problem(5, region="ward", max_per_region=limit) for limit in limits}  # type: ignore[arg-type]
    assert {problem.max_per_region for problem in made} == {(("7", 0), ("b", 2))}
    assert Problem(5, max_per_region={}) == Problem(5)  # type: ignore[arg-type]


def test_a_name_of_the_problems_groups_comes_before_the_originals() -> None:
    """Also that of a group which weighs nothing in what is maximised."""
    older = Group(ages=(75, 90), weight=0)
    problem = Problem(
        5,
        groups={"pop_total": GROUPS["pop_total"], "pop_elderly": older},  # type: ignore[arg-type]
        at_least={"pop_elderly": 0.45, "workplace": 0.25},  # type: ignore[arg-type]
    )
    assert problem.at_least == (
        ("pop_elderly", Group(ages=(75, 90)), 0.45),
        ("workplace", Group(column="workers"), 0.25),
    )
    assert Problem.from_json(problem.to_json()) == problem


def test_a_group_can_come_with_its_level() -> None:
    """And needs no name among the groups; a level of 0 is nothing."""
    one = Problem(5, at_least={"old": (Group(ages=(75, 90), weight=3, title="Old"), 0.4)})  # type: ignore[arg-type]
    assert one.at_least == (("old", Group(ages=(75, 90)), 0.4),)
    assert Problem.from_json(one.to_json()).at_least[0][1].title == "Old"
    plain = Problem(5, at_least={"old": (Group(ages=(75, 90)), 0.4)})  # type: ignore[arg-type]
    assert plain.digest == one.digest
    assert Problem(5, at_least={"pop_total": 0.0}) == Problem(5)  # type: ignore[arg-type]


def test_without_aversion_its_form_is_one() -> None:
    """It makes no other problem; from 1 on Kolm-Pollak goes on."""
    assert Problem(5, aversion_form="atkinson") == Problem(5)
    assert Problem(5, aversion=2).aversion == 2.0
    assert Problem(5, aversion=-0.0).to_json() == Problem(5).to_json()


def test_the_number_is_there_unless_there_is_a_budget() -> None:
    """Who needs it is told that the problem has none."""
    assert Problem(5).number == 5
    spending = Problem(budget=10, site_cost="price")
    with pytest.raises(ProblemError, match="the problem has a budget instead"):
        spending.number  # noqa: B018
    assert spending.to_dict() == {"budget": 10.0, "site_cost": "price"}


def test_a_budget_needs_to_know_what_a_sensor_costs() -> None:
    """The sentence names the other field."""
    with pytest.raises(ProblemError, match=r"not what a sensor costs.*site_cost"):
        Problem(budget=10)


# ---------------------------------------------------------------------------- networks


@pytest.fixture(scope="module")
def network() -> Any:
    """A network of three sensors in San Francisco."""
    return sq.optimise(sq.demo_city(), n_sensors=3, theta=500, method="greedy")


def test_a_network_stands_for_its_sites(network: Any) -> None:
    """In ``keep``, ``forbid`` and ``start``."""
    sites = tuple(sorted(network.sensors["site"]))
    for field in ("keep", "forbid", "start"):
        assert getattr(Problem.from_words(n_sensors=5, **{field: network}), field) == sites


def test_a_network_stands_for_the_coverage_that_it_reports(network: Any) -> None:
    """Of the four groups, with their people, and of the problem's own."""
    problem = Problem.from_words(n_sensors=5, at_least=network)
    assert {name: group for name, group, _ in problem.at_least} == dict(GROUPS)
    levels = {name: level for name, _, level in problem.at_least}
    assert levels == dict(network.table()["coverage"])
    older = Group(ages=(75, 90))
    own = sq.evaluate(sq.demo_city(), ["044"], theta=500, groups={"pop_elderly": older})
    owed = Problem.from_words(n_sensors=5, at_least=own).at_least
    assert {name: group for name, group, _ in owed}["pop_elderly"] == older


@pytest.mark.parametrize("field", ["keep", "start"])
def test_a_network_at_no_site_is_refused(field: str) -> None:
    """A sensor between the sites cannot be named by one."""
    city = sq.demo_city()
    x, y = city.site_xy[0] + 1.0
    between = sq.evaluate(city, [(x, y)], theta=500)
    with pytest.raises(ProblemError, match="sensor 1 of the network stands at no site") as caught:
        Problem.from_words(n_sensors=5, **{field: between})
    assert caught.value.field == field
