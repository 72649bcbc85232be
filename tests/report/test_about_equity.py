"""Who is left behind: areas with people, and schools at their own points."""

from __future__ import annotations

import numpy as np
import pytest
from studies import schools, study_of, town

import spineq as sq
from spineq.report import about_equity


@pytest.fixture(scope="module")
def city() -> sq.City:
    made = town()
    return made.with_group_points(schools(made), "schools")


def test_schools_are_listed_one_by_one(city: sq.City) -> None:
    """By how far each is itself, whatever the distance of its area's centroid."""
    study = study_of(city, {"schools": sq.Group(column="schools")}, n_sensors=2)
    points = city.points.query("group == 'schools'")
    sensors = study.network.sensors[["x", "y"]].to_numpy()
    far = np.hypot(*(points[["x", "y"]].to_numpy()[:, None] - sensors[None]).T).min(axis=0)
    behind = points[far > 500].sort_values("people", ascending=False)
    assert len(behind) > 2
    lines = about_equity.left_behind(study).text.splitlines()
    assert f"{len(behind)} of 14" in lines[0]
    assert [line.split()[0] for line in lines[2:]] == list(behind.index[:10])


def test_areas_are_listed_by_people(city: sq.City) -> None:
    """A group of people and one of schools have a table each; the areas' counts people."""
    groups = {
        "pop_total": sq.GROUPS["pop_total"],
        "schools": sq.Group(column="schools", weight=5),
    }
    said = about_equity.left_behind(study_of(city, groups, n_sensors=2)).text
    assert "All residents" in said
    assert "Points of schools more than 500 m from any sensor" in said
    assert "Points of" not in about_equity.left_behind(study_of(town())).text


def test_nobody_is_behind(city: sq.City) -> None:
    study = study_of(city, {"schools": sq.Group(column="schools")}, n_sensors=60)
    assert about_equity.left_behind(study).text == (
        "No point of schools is farther than 500 m from a sensor."
    )
    assert "Points of schools count among these people" in about_equity.people(study).text
