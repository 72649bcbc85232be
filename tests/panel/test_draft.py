"""What a form has entered becomes a problem, or a sentence at the field that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spineq as sq
from spineq.panel.draft import (
    as_parameters,
    as_python,
    defaults,
    drafted,
    meaning_of_theta,
    values_of,
    who_options,
)
from spineq.report.asked import Parameters, question_of

CITY = sq.demo_city()


def test_the_form_begins_with_a_problem_that_can_be_solved() -> None:
    """Of each city, a tiny one included."""
    for city in (CITY, sq.demo_city("synthetic", n_areas=2)):
        made = drafted(city, defaults(city))
        assert made.errors == {}
        assert made.problem is not None
        assert sq.optimise(city, made.problem).proven


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"n_sensors": None}, "n_sensors", "There is no number"),
        ({"n_sensors": 0}, "n_sensors", "1"),
        ({"n_sensors": 191}, "n_sensors", "190"),
        ({"n_sensors": 2.5}, "n_sensors", "whole"),
        ({"theta": None}, "theta", "There is no number"),
        ({"theta": -5}, "theta", "above 0"),
        ({"theta": float("nan")}, "theta", "finite"),
        ({"effort": 0}, "effort", "above 0"),
        ({"min_spacing": -1}, "min_spacing", "0"),
        ({"min_spacing": 1e6}, "min_spacing", "apart"),
        ({"goal": "aversion", "aversion": None}, "aversion", "There is no number"),
        ({"goal": "aversion", "aversion": 1000}, "aversion", "100"),
        ({"keep": True}, "keep", "no existing sensors"),
        ({"groups": [{"who": "ages", "ages": [50, 20], "weight": 1}]}, "groups", "20"),
        ({"groups": [{"who": "ages", "ages": [None, 20], "weight": 1}]}, "groups", "two ages"),
        ({"groups": [{"who": "pop_total", "weight": None}]}, "groups", "weight"),
        ({"groups": [{"who": "pop_total", "weight": -1}]}, "groups", "weight"),
        ({"groups": [{"who": "pop_total", "weight": 0}]}, "groups", "weight above 0"),
        ({"groups": [{"who": "pop_total", "weight": 1}] * 2}, "groups", "again"),
        ({"groups": [{"who": "column:unicorns", "weight": 1}]}, "groups", "unicorns"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(change: dict[str, Any], field: str, words: str) -> None:
    """In a sentence; no problem comes of it."""
    made = drafted(CITY, defaults(CITY) | change)
    assert made.problem is None
    assert list(made.errors) == [field]
    assert words in made.errors[field]
    assert not made.errors[field][0].islower()


@given(
    n=st.integers(1, 190),
    theta=st.floats(1, 5000),
    goal=st.sampled_from(["mean", "worst", "worst_share", "aversion"]),
    method=st.sampled_from(["auto", "lagrangian"]),
    effort=st.floats(0.1, 10),
    weights=st.tuples(st.floats(0.1, 5), st.floats(0.1, 5), st.floats(0.1, 5)),
    ages=st.tuples(st.integers(0, 90), st.integers(0, 90)).map(sorted),
)
def test_a_problem_put_into_the_form_comes_out_the_same(
    n: int,
    theta: float,
    goal: str,
    method: str,
    effort: float,
    weights: tuple[float, float, float],
    ages: list[int],
) -> None:
    """Of whatever the form can ask."""
    rows = [
        {"who": "workplace", "weight": weights[0]},
        {"who": "pop_children", "weight": weights[1]},
    ]
    if ages not in ([0, 15], [0, 90]):
        rows.append({"who": "ages", "ages": ages, "weight": weights[2]})
    values = defaults(CITY) | {
        "n_sensors": n, "theta": theta, "goal": goal, "method": method, "effort": effort,
        "groups": rows,
    }  # fmt: skip
    made = drafted(CITY, values)
    assert made.problem is not None, made.errors
    again = drafted(CITY, defaults(CITY) | values_of(CITY, made.problem))
    assert again.problem == made.problem


def test_the_python_and_the_parameters_say_the_same_problem() -> None:
    """The text that can be copied makes the problem that the form has."""
    import json

    values = defaults(CITY) | {
        "groups": [
            {"who": "pop_children", "weight": 2.0},
            {"who": "ages", "ages": [18, 30], "weight": 1.0},
        ],
        "goal": "worst",
        "n_sensors": 7,
    }
    problem = drafted(CITY, values).problem
    assert problem is not None
    asked = {}

    class Queue:
        def submit(self, city: object, **words: Any) -> Any:
            asked.update(words)
            return type("Job", (), {"result": lambda self: self, "summary": lambda self: ""})()

    code = as_python("sq.demo_city()", problem).replace("sq.JobQueue()", "Queue()")
    exec(code, {"Queue": Queue})
    assert sq.Problem.from_words(**asked) == problem
    parameters = Parameters.from_dict(json.loads(as_parameters("san-francisco", problem)))
    assert parameters.city == "san-francisco"
    assert question_of(parameters).problem == problem


def test_groups_that_a_city_lacks_are_not_offered() -> None:
    """A city with counts alone has no ages to choose."""
    import pandas as pd

    frame = pd.DataFrame(
        {"area_id": ["a", "b"], "x": [4e5, 4.001e5], "y": [5e5, 5e5], "shops": [3, 4]}
    )
    city = sq.City.from_frame(frame, crs="EPSG:27700")
    assert who_options(city) == [("column:shops", "Shops")]
    assert drafted(city, defaults(city)).problem is not None
    # Points that matter by themselves are a group like any other.
    schools = pd.DataFrame({"x": [4e5, 4.0005e5], "y": [5e5, 5e5]})
    both = city.with_group_points(schools, "schools")
    assert who_options(both) == [("column:shops", "Shops"), ("column:schools", "Schools")]
    asked = defaults(both) | {"groups": [{"who": "column:schools", "weight": 1.0}]}
    made = drafted(both, asked)
    assert made.problem is not None, made.errors
    assert made.problem.groups == (("schools", sq.Group(column="schools")),)


def test_theta_is_said_as_what_it_means() -> None:
    """Coverage at distances that one can imagine; nothing for a number that is none."""
    said = meaning_of_theta(500)
    assert "82 % at 100 m, 61 % at 250 m, 37 % at 500 m" in said
    assert "37 % at 10 minutes" in meaning_of_theta(10, "minutes")
    assert meaning_of_theta(None) == meaning_of_theta(0) == meaning_of_theta(True) == ""


@pytest.mark.parametrize(
    "odd",
    [None, "x", "", float("nan"), float("inf"), -1, 0, 1e308, 10**400, [], {}, [1], [None], True],
    ids=repr,
)
def test_nonsense_is_an_error_at_a_field(odd: Any) -> None:
    """Whatever a page sends for whichever field, the form says what is wrong, or drafts."""
    values = defaults(CITY)
    for name in values:
        for goal in ("mean", "aversion"):
            made = drafted(CITY, values | {"goal": goal} | {name: odd})
            assert (made.problem is None) == bool(made.errors)
        missing = {key: value for key, value in values.items() if key != name}
        drafted(CITY, missing)
        meaning_of_theta(odd)
    for part in ("who", "ages", "weight"):
        row = {"who": "ages", "ages": [0, 15], "weight": 1.0, part: odd}
        made = drafted(CITY, values | {"groups": [row]})
        assert (made.problem is None) == bool(made.errors)
