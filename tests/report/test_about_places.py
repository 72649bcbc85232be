"""What a report says of single places: the figures are those of `spineq.explain`, and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from studies import schools, study_of, town

import spineq as sq
from spineq.insight._explanation import SolvedAgain
from spineq.report import about_places
from spineq.report.asked import Parameters
from spineq.report.study import Study


@pytest.fixture(scope="module")
def city() -> sq.City:
    return town(40)


@pytest.fixture(scope="module")
def study(city: sq.City) -> Study:
    """Four sensors that are proven best."""
    return study_of(city, n_sensors=4, method="auto")


def _rows(text: str) -> list[list[str]]:
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("Sensor "))
    rows = []
    for line in lines[start + 1 :]:
        if not line[:1].isdigit():
            break
        rows.append(line.replace(" %", "").split())
    return rows


def test_the_table_is_that_of_explain(city: sq.City, study: Study) -> None:
    made = sq.explain(city, study.network)
    rows = _rows(about_places.places(study).text)
    assert [row[:2] for row in rows] == [[str(s.number), s.site] for s in made.sensors]
    for row, sensor in zip(rows, made.sensors, strict=True):
        near = sensor.people_near
        wanted = [near["pop_total"], sensor.people_only["pop_total"], near["workplace"]]
        assert row[2:5] == [f"{people:,.0f}" for people in wanted]
        cost = made.cost(sensor)
        assert cost is not None
        assert float(row[5]) == pytest.approx(100 * cost / made.value, abs=0.051)
        assert row[6:] == [f"{sensor.n_tenth}", f"{sensor.n_half}"]


def test_the_hardest_and_the_easiest_are_told(city: sq.City, study: Study) -> None:
    made = sq.explain(city, study.network)
    costs = {sensor.site: made.cost(sensor) or 0.0 for sensor in made.sensors}
    said = about_places.places(study).text
    for what, cost in (("Hardest", max(costs.values())), ("Easiest", min(costs.values()))):
        (line,) = [line for line in said.splitlines() if line.startswith(f"{what} to do without")]
        # Two may cost the same.
        assert any(f" at {s} brings " in line for s in costs if abs(costs[s] - cost) < 1e-12)
    assert "All of these losses are proven." in said


def test_one_sensor_is_told_in_the_singular(city: sq.City) -> None:
    said = about_places.places(study_of(city, n_sensors=1, method="auto")).text
    assert "Hardest" not in said
    assert "Each place is looked at alone" not in said
    assert "\nSensor 1 at " in said


def test_many_sensors_are_folded(city: sq.City) -> None:
    """The hardest ten are open; all are there to be opened."""
    shown = about_places.places(study_of(city, n_sensors=14, method="auto"))
    assert "The 10 sensors that are hardest to do without." in shown.text
    assert "<summary>All 14 in the order in which they were placed</summary>" in shown.html


def test_what_is_not_proven_is_told_as_a_range(study: Study) -> None:
    made = study.questions.explanation
    assert made is not None
    open_ = [
        SolvedAgain(0.9 * made.value, 0.95 * made.value, proven=False, comes=("A01",)),
        SolvedAgain(0.9 * made.value, made.value, proven=False, comes=("A01",)),
        SolvedAgain(None, None, proven=True),
        SolvedAgain(None, None, proven=False),
    ]
    sensors = tuple(
        replace(each, replacement=found) for each, found in zip(made.sensors, open_, strict=True)
    )
    other = study_of(study.city, n_sensors=4, method="auto")
    other.questions.__dict__["explanation"] = replace(made, sensors=sensors)
    said = about_places.places(other).text
    assert "5.00 % to 10.0 %" in said
    assert "at most 10.0 %" in said
    assert "no network without" in said
    assert "not known" in said
    assert "1 of 4 are proven" in said
    assert "All of these losses are proven" not in said


def test_a_network_that_is_not_the_best_is_said_to_be_none(city: sq.City) -> None:
    """Doing without a bad place gains; the report does not hide it."""
    study = study_of(city, n_sensors=4, method="random")
    said = about_places.places(study).text
    assert "gains " in said
    assert "Some networks without a place are better than this one" in said


def test_without_solving_again_it_is_said_why(city: sq.City) -> None:
    asked = study_of(city, n_sensors=3).question
    said = about_places.places(Study(asked, Parameters(refuse=False))).text
    assert "was switched off (parameter refuse)" in said
    assert "proven" not in said
    fewest = about_places.places(
        study_of(city, n_sensors=None, method="auto", reach="existing")
    ).text
    assert "Whether what is asked for is still reached is not looked at here" in fewest


def test_groups_of_their_own_are_named(city: sq.City) -> None:
    there = city.with_group_points(schools(city), "schools")
    groups = {"schools": sq.Group(column="schools", weight=3), "jobs": sq.Group(column="workers")}
    said = about_places.places(study_of(there, groups, n_sensors=2)).text
    (head,) = [line for line in said.splitlines() if line.startswith("Sensor ")]
    assert "All residents" in head
    assert "schools" in head
    assert "jobs" not in head


def test_alternatives_are_those_of_the_library(city: sq.City, study: Study) -> None:
    found = sq.alternatives(city, study.network, 2, min_different=1)
    said = about_places.alternatives(study).text
    for number, each in enumerate(found.found, start=1):
        (line,) = [x for x in said.splitlines() if x.startswith(f"Alternative {number} has ")]
        assert all(site in line for site in (*each.comes, *each.goes))
        (row,) = [x for x in said.splitlines() if x.startswith(f"Alternative {number}  ")]
        assert f"{100 * float(each.network.group_coverage.sel(group='workplace')):.1f} %" in row
    assert "at least one sensor stands elsewhere" in said
    assert "Each is proven to be the best of its kind." in said


def test_where_there_is_no_other_network_it_is_said(city: sq.City) -> None:
    """With a sensor at every site."""
    said = about_places.alternatives(study_of(town(8), n_sensors=8, method="auto")).text
    assert "there is none, which is proven" in said
    other = about_places.alternatives(study_of(city, n_sensors=None, method="auto", retire=1)).text
    assert "placed anew" in other
