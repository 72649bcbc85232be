"""Parameters of a report: strict, and the same question however it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import spineq as sq
from spineq.report.asked import Parameters, question_of, read_parameters
from spineq.report.execution import notebook_named, parameters_of

#: Each line holds ten times what the one above holds.
BOMB = "\n".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]"
    for old, new in zip("abcdefg", "bcdefgh", strict=True)
)


def asked(**words: Any) -> sq.Problem:
    return question_of(Parameters.from_dict(words)).problem


def test_the_notebook_has_these_parameters() -> None:
    """No parameter is known to one and not to the other, and their defaults agree."""
    known = Parameters()
    assert parameters_of(notebook_named("report")) == {
        name: getattr(known, name) for name in Parameters.__dataclass_fields__
    }


def test_by_default_the_usual_groups_count_alike() -> None:
    problem = asked(city="san-francisco", n_sensors=5)
    assert dict(problem.groups) == dict(sq.Problem(n_sensors=5, groups=sq.GROUPS).groups)
    assert problem.theta == 500


@pytest.mark.parametrize(
    ("groups", "weights"),
    [
        ({"children": {"ages": [0, 15], "weight": 2}, "workplace": None}, {}),
        ({"children": {"ages": [0, 15]}, "workplace": {"column": "workers"}}, {"children": 2}),
    ],
)
def test_groups_and_weights(groups: dict[str, Any], weights: dict[str, float]) -> None:
    found = dict(asked(groups=groups, weights=weights).groups)
    assert found["children"] == sq.Group(ages=(0, 15), weight=2)
    assert found["workplace"].column == "workers"
    assert found["workplace"].weight == 1


def test_groups_at_points_of_their_own_have_names() -> None:
    """They count with the usual four by default, and can be named as these are."""
    city = sq.demo_city()
    places = city.sites.iloc[[3, 50]][["x", "y"]]
    city = city.with_group_points(places.reset_index(drop=True), "schools")
    schools = sq.Group(column="schools")
    named = question_of(Parameters(groups=["schools", "workplace"]), city).problem
    assert dict(named.groups) == {"schools": schools, "workplace": sq.GROUPS["workplace"]}
    usual = question_of(Parameters(), city).problem
    assert dict(usual.groups) == {**sq.GROUPS, "schools": schools}
    with pytest.raises(sq.SpineqError, match=r"'banks' is none .* workplace, schools, or"):
        question_of(Parameters(groups=["banks"]), city)


def test_further_rules_are_fields_of_a_problem() -> None:
    problem = asked(n_sensors=4, rules={"min_spacing": 300, "forbid": ["001"], "effort": 0.5})
    assert (problem.min_spacing, problem.forbid, problem.effort) == (300, ("001",), 0.5)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"n_sensor": 3}, "no parameter 'n_sensor'"),
        ({"n_sensors": "many"}, "whole number, not 'many'"),
        ({"n_sensors": 191}, "more than the city's 190 sites"),
        ({"theta": -1}, "theta"),
        ({"city": ""}, "city must be a text"),
        ({"city": "nowhere"}, "no such file or folder"),
        ({"city": 3}, "city must be a text"),
        ({"existing": "nowhere.csv"}, "no such file"),
        ({"groups": []}, "no group"),
        ({"groups": ["nobody"]}, "none of the usual groups"),
        ({"groups": {"a": {"age": 3}}}, "a group has no field 'age'"),
        ({"groups": 5}, "must be names"),
        ({"weights": {"a": 1}}, "no group 'a'"),
        ({"weights": {"workplace": -1}}, "weight"),
        ({"weights": [1]}, "weights must be names with values"),
        ({"by": "income"}, "no column 'income'"),
        ({"method": "guess"}, "guess"),
        ({"rules": {"n_sensors": 3}}, "a parameter of its own"),
        ({"rules": {"keepp": 3}}, "no field 'keepp'"),
        ({"rules": "none"}, "rules must be names with values"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "Name a store too"),
        ({"sections": ["place"]}, "no section 'place' that may be left out"),
        ({"sections": "places"}, "sections must be a list of names, not 'places'"),
        ({"refuse": "no"}, "refuse must be true or false, not 'no'"),
        ({"scenarios": 2.5}, "scenarios must be a whole number"),
        ({"scenarios": 1001}, "scenarios"),
        ({"n_sensors": 3, "rules": {"budget": 5}}, "number of sensors and a budget are both given"),
        ({"city_options": {"crs": "EPSG:1"}}, "built in and takes no crs"),
        ({"city_options": {"crss": 1}, "city": "nowhere"}, "city_options has a word"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(words: dict[str, Any], sentence: str) -> None:
    """The value and the mend are named, and nothing is solved."""
    with pytest.raises(sq.SpineqError, match=sentence):
        asked(**words)


def test_a_city_of_the_store_by_its_digest(tmp_path: Path) -> None:
    """What the panel shows as parameters names a city that was given as an object so."""
    city = sq.demo_city("synthetic", n_areas=30)
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        queue.submit(city, n_sensors=2)
    words = {"city": city.digest, "store": str(tmp_path / "store"), "n_sensors": 2}
    assert question_of(Parameters.from_dict(words)).city == city


def test_a_file_of_parameters(tmp_path: Path) -> None:
    good = tmp_path / "good.yml"
    good.write_text("city: san-francisco\nn_sensors: 3\nweights:\n", encoding="utf-8")
    assert asked(**read_parameters(good)).n_sensors == 3
    for text, sentence in (
        ("a: [", "line 1, column 5: this is not YAML"),
        ("- a", "holds a list, not keys and values"),
        ("", "holds nothing, not keys and values"),
        ("3: 4", "keys that are no text"),
        ("a: 1\na: 2", "the key a stands twice"),
        ("a: 2026-99-99", "this is not YAML"),
        ("[" * 5000, "this is not YAML"),
        (f"a: &a [1,1,1,1,1,1,1,1,1,1]\n{BOMB}", "more than 1,000,000 values"),
        ('a: "\\ud800"', "this is not YAML"),
    ):
        bad = tmp_path / "bad.yml"
        bad.write_text(text, encoding="utf-8")
        with pytest.raises(sq.SpineqError, match=sentence):
            read_parameters(bad)
    with pytest.raises(sq.SpineqError, match="no such file"):
        read_parameters(tmp_path / "none.yml")
