"""Groups and the original system's words for them."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import CRS, area_frames

from spineq.errors import ProblemError
from spineq.model.city import City
from spineq.model.groups import GROUPS, OLDEST, Group, groups_from_words

ages_ranges = st.tuples(st.integers(0, OLDEST), st.integers(0, OLDEST)).map(sorted).map(tuple)
weights = st.floats(0.01, 100)
texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]).filter(str.isprintable))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "needs either ages or a column"),
        ({"ages": (0, 15), "column": "workers"}, "needs either ages or a column"),
        ({"ages": 15}, "ages must be two numbers, not 15"),
        ({"ages": (0, 15, 16)}, "ages must be two numbers"),
        ({"ages": "09"}, "ages must be two numbers, not '09'"),
        ({"ages": (0.0, 15.0)}, r"ages must be whole numbers, not \(0.0, 15.0\)"),
        ({"ages": (False, True)}, "ages must be whole numbers"),
        ({"ages": (15, 0)}, "ages 15 to 0 are not a range"),
        ({"ages": (-1, 15)}, "ages -1 to 15 are not a range"),
        ({"ages": (66, 91)}, "ages 66 to 91 are not a range.*0 to 90"),
        ({"column": ""}, "a group's column must be a name, not ''"),
        ({"column": 5}, "a group's column must be a name, not 5"),
        ({"column": "a", "weight": -1}, "0 or more and finite, not -1"),
        ({"column": "a", "weight": math.nan}, "0 or more and finite, not nan"),
        ({"column": "a", "weight": 10**400}, "0 or more and finite, not inf"),
        ({"column": "a", "weight": "2"}, "'2' is not a number"),
        ({"column": "a", "weight": True}, "True is not a number"),
        ({"column": "a", "title": 5}, "a group's title must be text, not 5"),
    ],
)
def test_a_group_that_is_none_is_refused(words: dict[str, Any], message: str) -> None:
    """Each mistake has a sentence of its own, with the value and the mend."""
    with pytest.raises(ProblemError, match=message) as caught:
        Group(**words)
    assert caught.value.mend
    assert caught.value.field


def test_numbers_of_any_type_become_plain_ones() -> None:
    """What numpy or JSON gives makes the same group."""
    made = Group(ages=[np.int64(0), np.int32(15)], weight=np.float32(2))  # type: ignore[arg-type]
    assert made == Group(ages=(0, 15), weight=2)
    assert type(made.ages[0]) is int  # type: ignore[index]
    assert type(made.weight) is float


@pytest.mark.parametrize(
    ("group", "label"),
    [
        (Group(ages=(0, 90)), "All residents"),
        (Group(ages=(66, 90)), "Residents aged 66 and over"),
        (Group(ages=(0, 15)), "Residents aged 0 to 15"),
        (Group(column="night_shift"), "Night shift"),
        (Group(column="workers", title="Jobs"), "Jobs"),
    ],
)
def test_a_label_says_who_it_is(group: Group, label: str) -> None:
    """The title, else plain words."""
    assert group.label == label


@given(
    st.builds(Group, ages=ages_ranges, weight=weights, title=st.none() | texts)
    | st.builds(Group, column=texts.filter(bool), weight=weights, title=st.none() | texts)
)
def test_a_group_goes_through_json(group: Group) -> None:
    """What comes back is the same group, title included."""
    back = Group.from_dict(json.loads(json.dumps(group.to_dict())))
    assert back == group
    assert back.title == group.title


def test_a_title_is_display() -> None:
    """Two groups that differ in their title are equal."""
    one, other = Group(column="a", title="A"), Group(column="a", title="B")
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize("made", [{"agse": [0, 15]}, "children", None, {5: 1}])
def test_a_description_that_is_none_is_refused(made: Any) -> None:
    """A misspelt key and a value of another kind say what would be right."""
    with pytest.raises(ProblemError, match="Use ages, column, weight, title"):
        Group.from_dict(made)


def test_the_four_groups_are_the_originals() -> None:
    """Names and ranges are those of the original system."""
    assert {name: group.ages or group.column for name, group in GROUPS.items()} == {
        "pop_total": (0, 90),
        "pop_children": (0, 15),
        "pop_elderly": (66, 90),
        "workplace": "workers",
    }


# ---------------------------------------------------------------------------- the original's words


@pytest.mark.parametrize(
    ("words", "groups"),
    [
        ({}, {"pop_total": Group(ages=(0, 90))}),
        ({"min_age": 66}, {"pop_elderly": Group(ages=(66, 90))}),
        ({"max_age": 15}, {"pop_children": Group(ages=(0, 15))}),
        ({"min_age": 18, "max_age": 24}, {"pop_18_24": Group(ages=(18, 24))}),
        (
            {"population_weight": 1, "workplace_weight": 0.5},
            {"pop_total": Group(ages=(0, 90)), "workplace": Group(column="workers", weight=0.5)},
        ),
        (
            {"population_weight": 0, "workplace_weight": 2},
            {"workplace": Group(column="workers", weight=2)},
        ),
        (
            {"pop_age_groups": {"a": {"min": 0, "max": 15, "weight": 3}, "b": {"min": 66}}},
            {"a": Group(ages=(0, 15), weight=0.75), "b": Group(ages=(66, 90), weight=0.25)},
        ),
        (
            {"pop_age_groups": {"a": {"max": 15}, "b": {"weight": 0}}, "population_weight": 4},
            {"a": Group(ages=(0, 15), weight=4)},
        ),
    ],
)
def test_words_stand_for_groups(words: dict[str, Any], groups: dict[str, Group]) -> None:
    """Each of the original's words, and what it means in ours."""
    assert groups_from_words(**words) == groups


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"min_age": 5, "pop_age_groups": {}}, "say the same thing twice"),
        ({"min_age": 50, "max_age": 40}, "ages 50 to 40 are not a range"),
        ({"min_age": "5"}, "ages must be whole numbers"),
        ({"min_age": [5]}, "ages must be whole numbers"),
        ({"population_weight": -1}, "field population_weight: a weight must be 0 or more"),
        ({"workplace_weight": "high"}, "field workplace_weight: 'high' is not a number"),
        ({"population_weight": 0}, "no group has a weight above zero"),
        ({"pop_age_groups": {}}, "no age group has a weight above zero"),
        ({"pop_age_groups": {"a": {"weight": 0}}}, "no age group has a weight above zero"),
        (
            {"pop_age_groups": {"a": {"minimum": 5}}},
            "groups a: an age group has no field 'minimum'",
        ),
        ({"pop_age_groups": {"a": {"min": 9, "max": 5}}}, "pop_age_groups a: ages 9 to 5"),
        ({"pop_age_groups": {"a": {"weight": -2}}}, "pop_age_groups a: .* not -2"),
        (
            {"pop_age_groups": {"a": 5}},
            "pop_age_groups a: an age group must be a dictionary, not 5",
        ),
        ({"pop_age_groups": ["a"]}, "age groups must be a dictionary by name"),
        (
            {"pop_age_groups": {"workplace": {}}, "workplace_weight": 1},
            "'workplace' is the name of the group of workers",
        ),
    ],
)
def test_words_that_contradict_are_refused(words: dict[str, Any], message: str) -> None:
    """Nothing is guessed: out of range, twice the same, or nobody left."""
    with pytest.raises(ProblemError, match=message) as caught:
        groups_from_words(**words)
    assert caught.value.mend


@given(
    area_frames(ages=(("age_0_15", "age_16_65", "age_66_plus"),), columns=(("workers",),)),
    st.dictionaries(
        st.sampled_from(["young", "old", "some"]),
        st.fixed_dictionaries({"min": st.integers(0, 15), "max": st.integers(66, 90)})
        | st.fixed_dictionaries({"max": st.just(90), "weight": weights}),
        min_size=1,
    ),
    st.floats(0.01, 10),
    st.floats(0.01, 10),
)
def test_weights_are_those_of_the_original(
    frame: Any, age_groups: dict[str, dict[str, Any]], residents: float, workers: float
) -> None:
    """The original's formula, written out, against the groups that its words become.

    Each age group's residents sum to 1, times its weight; their sum is scaled to the weight
    of residents, workers to theirs, the whole to 1.
    """
    city = City.from_frame(frame, crs=CRS)
    groups = groups_from_words(
        population_weight=residents, workplace_weight=workers, pop_age_groups=age_groups
    )
    by_age = np.zeros(city.n_areas)
    for words in age_groups.values():
        people = city.people(Group(ages=(words.get("min", 0), words["max"]))).values
        by_age += words.get("weight", 1.0) * people / people.sum()
    jobs = city.people(GROUPS["workplace"]).values
    expected = residents * by_age / by_age.sum() + workers * jobs / jobs.sum()
    expected /= expected.sum()
    np.testing.assert_allclose(city.weights(groups.items()), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"column": "a", "weight": 1e308}, r"must be 1e\+15 or less, not 1e\+308"),
        ({"column": "a", "weight": 10**5000}, "0 or more and finite, not inf"),
        ({"column": "a\0"}, r"must be a name, not 'a\\x00'"),
        ({"column": "a", "title": "a\x07"}, r"control character U\+0007"),
        ({"ages": (0, 10**5000)}, "0 to a number of thousands of digits are not a range"),
    ],
)
def test_values_that_no_file_can_hold_are_refused(words: dict[str, Any], message: str) -> None:
    """Weights that would overflow, and control characters."""
    with pytest.raises(ProblemError, match=message):
        Group(**words)


def test_the_largest_weights_add_up() -> None:
    """Sums of weights stay finite."""
    frame = pd.DataFrame({"area_id": ["a", "b"], "x": [4e5, 5e5], "y": [5e5, 5e5]})
    city = City.from_frame(frame.assign(here=[1e15, 0], there=[0, 1]), crs=CRS)
    groups = {name: Group(column=name, weight=1e15) for name in ("here", "there")}
    assert list(city.weights(groups.items())) == [0.5, 0.5]
