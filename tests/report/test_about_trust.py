"""What a report says of demand points: the table is that of `spineq.centroid_error`."""

from __future__ import annotations

import pytest
from studies import schools, study_of, town

import spineq as sq
from spineq.report import about_trust
from spineq.report.study import Study


@pytest.fixture(scope="module")
def city() -> sq.City:
    return town()


def _row(study: Study, title: str) -> list[str]:
    (line,) = [
        line for line in about_trust.demand(study).text.splitlines() if line.startswith(title)
    ]
    return line.removeprefix(title).replace(" %", "").split()


def test_the_figures_are_those_of_the_library(city: sq.City) -> None:
    study = study_of(city)
    points = sq.demand.spread(city)
    mine, today = (
        sq.centroid_error(city, net, points).table
        for net in (study.network, sq.evaluate(city, "existing-points", study.network.problem))
    )
    for name, group in sq.GROUPS.items():
        wanted = [
            f"{100 * table[column][name]:.1f}"
            for table in (mine, today)
            for column in ("at_centroids", "at_points")
        ]
        assert _row(study, str(group.title)) == wanted
    assert "one point, its centroid" in about_trust.demand(study).text


def test_a_group_is_listed_once(city: sq.City) -> None:
    """One of the problem's own that repeats a usual one takes its place."""
    study = study_of(city, {"jobs": sq.Group(column="workers")})
    said = about_trust.demand(study).text
    assert "jobs" in said
    assert "Workers" not in said


def test_a_city_with_demand_points_is_compared_with_centroids(city: sq.City) -> None:
    finer = city.with_demand(sq.demand.spread(city, 4))
    study = study_of(finer)
    said = about_trust.demand(study).text
    assert f"the {finer.n_points:,} points that the data have for the 60 areas" in said
    assert "People at centroids" in said
    assert "spread evenly" not in said
    found = sq.centroid_error(city, study.network, finer).table.loc["workplace"]
    wanted = [f"{100 * found[column]:.1f}" for column in ("at_points", "at_centroids")]
    assert _row(study, "Workers")[:2] == wanted


def test_points_of_schools_are_no_demand_points(city: sq.City) -> None:
    """A city has centroids alone also with schools, whose figures are the same in both columns."""
    there = city.with_group_points(schools(city), "schools")
    study = study_of(there, dict(sq.GROUPS) | {"schools": sq.Group(column="schools")})
    said = about_trust.demand(study).text
    assert "one point, its centroid" in said
    assert "Points of schools stay where they are" in said
    mine, spread, *_ = _row(study, "schools")
    assert mine == spread
    assert study.hidden is not None
    assert study.hidden.n_centroids == 60


def test_where_it_cannot_be_told_there_is_no_table(city: sq.City) -> None:
    costs = city.sites.reset_index()[["id"]].set_axis(["site"], axis=1)
    costs = costs.assign(area=costs["site"], cost=0.0)
    there = city.with_travel(costs, unit="minutes")
    study = study_of(there, theta=9.0)
    assert about_trust.demand(study).text == (
        "Everyone of an area counts alike, since travel costs are known for whole areas, not for "
        "places inside them."
    )


def test_another_theta_keeps_the_sensors_that_stay(city: sq.City) -> None:
    """Changed sensors of today are measured with those that stay, by whatever theta."""
    study = study_of(city, n_sensors=None, method="auto", retire=2, move_at_most=1)
    rows = about_trust.theta(study).text.splitlines()[1:4]
    for row, theta in zip(rows, (250.0, 500.0, 1000.0), strict=True):
        net = sq.evaluate(city, study.network, theta=theta, groups=sq.GROUPS)
        assert f"{100 * net.total_coverage:.1f} %" in row
    assert "4 of 4" in rows[1]


def test_another_theta_takes_another_number_of_sensors(city: sq.City) -> None:
    study = study_of(city, n_sensors=None, method="auto", reach="existing")
    rows = about_trust.theta(study).text.splitlines()
    assert rows[0].split("  ")[0] == "Theta"
    assert "Sensors needed" in rows[0]
    best = sq.optimise(city, reach="existing", theta=250, groups=sq.GROUPS)
    assert rows[1].split()[2:4] == [f"{best.n_sensors}", "yes"]
    assert "smallest number of sensors" in about_trust.method(study).text
