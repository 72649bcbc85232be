"""What a report says against the existing sensors, with a group that stands at its own points."""

from __future__ import annotations

import numpy as np
import pytest
from studies import schools, study_of, town

import spineq as sq
from spineq.report import about_today
from spineq.report.study import Study

SCHOOLS = {"schools": sq.Group(column="schools")}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return town()


@pytest.fixture(scope="module")
def mixed(city: sq.City) -> Study:
    """Workers, and schools that count twice as much."""
    there = city.with_group_points(schools(city), "schools")
    groups = {"jobs": sq.Group(column="workers"), "schools": sq.Group(column="schools", weight=2)}
    return study_of(there, groups)


def _by_school(study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pupils of each school, and its coverage by the network and by today's, from distances."""
    points = study.city.points
    points = points[points["group"] == "schools"]
    place = points[["x", "y"]].to_numpy()
    covered = []
    for sensors in (study.network.sensors, study.city.existing):
        assert sensors is not None
        far = np.hypot(*(place[:, None] - sensors[["x", "y"]].to_numpy()[None]).T).min(axis=0)
        covered.append(np.exp(-far / 500.0))
    return points["people"].to_numpy(), covered[0], covered[1]


def test_people_live_and_work_and_schools_do_not(city: sq.City, mixed: Study) -> None:
    assert "live or work in areas that are covered better" in (
        about_today.comparison(study_of(city)).text
    )
    said = about_today.comparison(mixed).text
    assert "live or work" not in said
    assert "of the groups, by their weights, are in areas where they are covered better" in said


def test_schools_count_where_they_stand(city: sq.City) -> None:
    """How many gain is told by the schools' own coverage, not by that of their areas' people."""
    study = study_of(city.with_group_points(schools(city), "schools"), SCHOOLS)
    pupils, mine, theirs = _by_school(study)
    areas = study.city.points.query("group == 'schools'")["area_id"]
    lost, total = 0.0, pupils.sum()
    for area in areas.unique():
        inside = (areas == area).to_numpy()
        change = pupils[inside] @ (mine - theirs)[inside] / pupils[inside].sum()
        lost += pupils[inside].sum() / total * (change < -0.01)
    said = about_today.comparison(study).text
    assert f"point, {100 * lost:.1f} % in areas where they are covered worse" in said
    # Nothing is owed to centroids where all that counts has points of its own.
    assert "spread evenly" not in said + about_today.fewer(study).text


def test_the_areas_that_lose_are_those_whose_schools_lose(city: sq.City) -> None:
    study = study_of(city.with_group_points(schools(city), "schools"), SCHOOLS)
    pupils, mine, theirs = _by_school(study)
    points = study.city.points.query("group == 'schools'")
    worst = int(np.argmin(pupils * np.minimum(mine - theirs, 0.0)))
    lines = about_today.worst_off(study).text.splitlines()
    rows = [line.split() for line in lines[2:] if line.startswith("A")]
    assert rows[0][:2] == [points["area_id"].iloc[worst], f"{pupils[worst]:,.0f}"]
    assert rows[0][2] == f"{100 * theirs[worst]:.1f}"
    assert all(row[1] != "0" for row in rows)
    assert "points of schools among them" in lines[-1]


def test_the_mixture_adds_up(mixed: Study) -> None:
    """Coverage by area of all who count gives the network's mean."""
    for net in (mixed.network, mixed.existing):
        assert net is not None
        weight = net.dataset["area_weight"].to_numpy()
        assert weight @ mixed.covered(net) == pytest.approx(net.total_coverage)


def test_the_map_says_what_its_colours_leave_out(city: sq.City, mixed: Study) -> None:
    said = about_today.difference_map(mixed).text
    assert "one point where all of its people are taken to be" in said
    assert "say nothing of schools, which stand at points of their own" in said
    finer = city.with_demand(sq.demand.spread(city, 4))
    said = about_today.difference_map(study_of(finer)).text
    assert "the points where its people are taken to be" in said
    assert "schools" not in said


def test_the_change_is_told_with_people_spread(city: sq.City) -> None:
    """By the same two networks, measured by `sq.centroid_error`; not where the data know better."""
    study = study_of(city)
    found = [
        sq.centroid_error(city, net, sq.demand.spread(city))
        for net in (study.network, study.existing)
        if net is not None
    ]
    there = found[0].total_at_points - found[1].total_at_points
    assert f"the change is {100 * there:+.1f} points" in about_today.comparison(study).text
    finer = city.with_demand(sq.demand.spread(city, 4))
    assert "spread evenly" not in about_today.comparison(study_of(finer)).text
