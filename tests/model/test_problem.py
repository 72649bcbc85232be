"""Problems: checked when made, the same on both sides of JSON, digested without the defaults."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import problems

from spineq.errors import ProblemError
from spineq.model.groups import GROUPS, Group
from spineq.model.problem import Problem

CHILDREN = Group(ages=(0, 15), weight=2)
JOBS = Group(column="workers")

#: A value of each field that is not its default.
OTHER = {
    "n_sensors": 6,
    "theta": 250.0,
    "groups": {"jobs": JOBS},
    "decay": "linear",
    "method": "greedy",
    "seed": 1,
}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"n_sensors": 0}, "n_sensors must be 1 or more, not 0"),
        ({"n_sensors": 2.0}, "n_sensors must be a whole number, not 2.0"),
        ({"n_sensors": True}, "n_sensors must be a whole number, not True"),
        ({"n_sensors": None}, "n_sensors must be a whole number, not None"),
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
    digests = {replace(Problem(5), **{name: value}).digest for name, value in OTHER.items()}
    assert len(digests | {Problem(5).digest}) == len(OTHER) + 1


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
