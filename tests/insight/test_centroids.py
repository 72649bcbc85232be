"""What the centroids hide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import spineq as sq
from spineq import demand
from spineq.insight import centroids
from spineq.insight.centroids import (
    CentroidError,
    area_points,
    centroid_error,
    not_counted,
    two_cities,
)


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


def _hand_made() -> sq.City:
    frame = pd.DataFrame(
        {"area_id": ["a", "b"], "x": [0.0, 1000.0], "y": 0.0, "population": [300, 100]}
    )
    return sq.City.from_frame(frame, crs="EPSG:27700")


def test_the_figures_by_hand() -> None:
    """Two points 100 m from the sensor in the middle are covered exp(-1) instead of 1."""
    city = _hand_made()
    net = sq.optimise(city, n_sensors=1, theta=100)
    points = pd.DataFrame(
        {"area_id": ["a", "a", "b"], "x": [-100.0, 100.0, 1000.0], "y": 0.0, "weight": 1.0}
    )
    found = centroid_error(city, net, points)
    far = np.exp(-10)
    assert found.total_at_centroids == pytest.approx(0.75 + 0.25 * far)
    assert found.total_at_points == pytest.approx(0.75 * np.exp(-1) + 0.25 * far)
    row = found.table.loc["pop_total"]
    assert row["difference"] == pytest.approx(row["at_points"] - row["at_centroids"])
    assert found.total_difference == pytest.approx(0.75 * (np.exp(-1) - 1))
    assert (found.n_sensors, found.n_centroids, found.n_points) == (1, 2, 3)
    said = found.summary()
    assert "1 sensor, theta 100 m, measured at 3 demand points instead of 2." in said
    assert "All residents: 27.6 % covered instead of 75.0 %, 47.4 percentage points lower." in said
    assert said.endswith("the most for all residents: by 47.4 percentage points.")


def test_the_difference_is_that_of_the_figures_shown() -> None:
    """7.66 and 7.34 are shown as 7.7 and 7.3: 0.4 apart, not 0.3; equal figures do not differ."""
    table = pd.DataFrame(
        {"title": ["A", "B"], "at_centroids": [0.0766, 0.0094], "at_points": [0.0734, 0.0086]},
        index=["a", "b"],
    ).assign(weight=1.0, own_points=False)
    table["difference"] = table["at_points"] - table["at_centroids"]
    said = centroids.CentroidError(table, 0.1, 0.1, 3, 2, 8, 500.0).summary()
    assert "A: 7.3 % covered instead of 7.7 %, 0.4 percentage points lower." in said
    assert "B: 0.9 % covered instead of 0.9 %, no difference." in said
    assert said.endswith("the most for a: by 0.4 percentage points.")


def test_the_same_points_make_no_difference(city: sq.City) -> None:
    """By the city's own points nothing is flattered, and the sentence says so."""
    net = sq.optimise(city, n_sensors=5, theta=500, method="greedy")
    found = centroid_error(city, net, city.points.reset_index())
    assert (found.table["difference"] == 0.0).all()
    assert "no difference" in found.summary()
    assert found.summary().endswith("does not flatter this network.")


def test_it_is_written_as_json(city: sq.City) -> None:
    net = sq.optimise(city, n_sensors=5, theta=500, method="greedy")
    found = centroid_error(city, net, demand.spread(city, 4))
    made = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert made["groups"]["workplace"]["at_points"] == found.table["at_points"]["workplace"]
    assert made["total"]["difference"] == found.total_difference < 0.0
    assert repr(found).startswith("<CentroidError: coverage 0.")


def test_sensors_that_are_no_sites_and_those_that_stay(city: sq.City) -> None:
    """All sensors are measured, whether they stood there before or stand at no site."""
    x, y = city.point_xy.mean(axis=0)
    free = sq.evaluate(city, [(x, y)], theta=500)
    again = centroid_error(city, free, city.points.reset_index())
    assert again.total_at_points == pytest.approx(free.total_coverage)
    today = city.with_existing(pd.DataFrame({"x": [x], "y": [y]}))
    net = sq.optimise(today, n_sensors=3, theta=500, keep="existing", method="greedy")
    again = centroid_error(today, net, today.points.reset_index())
    assert again.n_sensors == 4
    assert again.total_at_centroids == pytest.approx(net.total_coverage)


def test_travel_costs_need_a_city_of_their_own() -> None:
    """Costs lead to points: a city with the finer points brings its own."""
    plain = _hand_made()
    costs = pd.DataFrame({"site": ["a", "a", "b"], "area": ["a", "b", "b"], "cost": [0, 9, 0]})
    city = plain.with_travel(costs, unit="minutes")
    net = sq.optimise(city, n_sensors=1, theta=10)
    points = pd.DataFrame(
        {"area_id": ["a", "a", "b"], "point_id": ["a1", "a2", "b1"], "x": [0.0, 9.0, 1000.0]}
    ).assign(y=0.0, weight=1.0)
    with pytest.raises(sq.SpineqError, match="lead to the demand points that it has"):
        centroid_error(city, net, points)
    with pytest.raises(sq.SpineqError, match="travel costs in one of the two"):
        centroid_error(city, net, plain.with_demand(points))
    finer = plain.with_demand(points).with_travel(
        pd.DataFrame({"site": "a", "point": ["a1", "a2", "b1"], "cost": [0, 10, 20]}),
        unit="minutes",
    )
    found = centroid_error(city, net, finer)
    assert found.unit == "minutes"
    expected = (150 + 150 * np.exp(-1) + 100 * np.exp(-2)) / 400
    assert found.total_at_points == pytest.approx(expected)


def test_groups_at_points_of_their_own_stay_where_they_are() -> None:
    """Their figures are the same; their points are counted neither here nor there."""
    plain = _hand_made()
    city = plain.with_group_points(pd.DataFrame({"x": [100.0], "y": [0.0]}), "schools")
    groups = {"schools": sq.Group(column="schools"), "all": sq.Group(ages=(0, 90))}
    net = sq.evaluate(city, ["a"], theta=100, groups=groups)
    points = pd.DataFrame({"area_id": ["a", "a", "b"], "x": [-9.0, 9.0, 1000.0], "weight": 1.0})
    found = centroid_error(city, net, points.assign(y=0.0))
    assert found.table["own_points"].to_dict() == {"schools": True, "all": False}
    assert found.table["weight"].to_dict() == {"schools": 0.5, "all": 0.5}
    assert found.table["difference"]["schools"] == 0.0
    assert found.table["at_points"]["schools"] == pytest.approx(np.exp(-1))
    assert (found.n_centroids, found.n_points) == (2, 3)


def test_a_group_that_repeats_another_is_there_once(city: sq.City) -> None:
    net = sq.evaluate(city, ["001"], theta=500, groups={"jobs": sq.Group(column="workers")})
    found = centroid_error(city, net, city.points.reset_index())
    assert "jobs" in found.table.index
    assert "workplace" not in found.table.index


def test_a_city_with_polygons_is_spread(city: sq.City) -> None:
    two = two_cities(city)
    assert two.spread
    assert two.at_centroids is city
    assert two.at_points == city.with_demand(demand.spread(city))
    net = sq.evaluate(city, ["001"], theta=500, groups={"workplace": sq.GROUPS["workplace"]})
    found = two.error(net)
    row = found.table.loc["workplace"]
    assert two.sentence(found) == (
        "Counted at centroids, one point in the middle of each area, the coverage of "
        "workers is "
        f"{100 * row['at_centroids']:.1f} %; with people spread evenly over their areas, it is "
        f"{100 * row['at_points']:.1f} %. The truth is likely to lie between the two, nearer to "
        "the second."
    )
    nothing = sq.evaluate(city, [], theta=500)
    assert two.sentence(two.error(nothing)) == ""


def test_a_city_with_demand_points_is_put_back_to_centroids(city: sq.City) -> None:
    """Its own points are the better ones; a group's points are none of them."""
    schools = pd.DataFrame(city.site_xy[:3], columns=["x", "y"])
    city = city.with_group_points(schools, "schools")
    assert (city.n_points, area_points(city)) == (193, 190)
    assert two_cities(city).spread
    finer = city.with_demand(demand.spread(city, 2))
    two = two_cities(finer)
    assert not two.spread
    assert two.at_points is finer
    assert two.at_centroids.n_points == 193
    net = sq.evaluate(finer, list(city.sites.index[:20]), theta=200)
    again = sq.evaluate(city, list(city.sites.index[:20]), theta=200)
    found = two.error(net)
    assert found.total_at_centroids == pytest.approx(again.total_coverage)
    assert found.total_at_points == net.total_coverage
    assert "would be" in two.sentence(found)


def test_the_same_and_schools_alone_are_said_so(city: sq.City) -> None:
    far = sq.evaluate(city, ["001"], theta=1e7)
    two = two_cities(city)
    said = two.sentence(two.error(far))
    assert said.endswith("over their areas, the coverage of all residents is the same: 99.9 %.")
    schools = pd.DataFrame(city.site_xy[:3], columns=["x", "y"])
    there = city.with_group_points(schools, "schools")
    net = sq.evaluate(there, ["001"], groups={"schools": sq.Group(column="schools")})
    two = two_cities(there)
    assert two.sentence(two.error(net)).startswith("Schools are counted at the points where they")


def test_what_is_not_counted_unasked(city: sq.City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many areas, no polygons, travel costs: each with a sentence of its own."""
    plain = _hand_made()
    sites = list(plain.sites.index)
    by_area = plain.with_travel(pd.DataFrame({"site": sites, "area": sites, "cost": 0.0}))
    by_point = plain.with_travel(pd.DataFrame({"site": sites, "point": sites, "cost": 0.0}))
    points = pd.DataFrame({"area_id": ["a", "a", "b"], "point_id": ["1", "2", "3"], "x": 500.0})
    finer = plain.with_demand(points.assign(y=0.0, weight=1.0))
    costs = pd.DataFrame({"site": "a", "point": ["1", "2", "3"], "cost": 0.0})
    monkeypatch.setattr(centroids, "MOST_AREAS", 100)
    for place, words in (
        (city, "190 areas that takes long. Call spineq.centroid_error(city, net, "),
        (plain, "the city has no polygons to spread people over. Read it from"),
        (by_area, "Everyone of an area counts alike"),
        (by_point, "travel costs are known for the city's own points alone. Give"),
        (finer.with_travel(costs), "People are counted at the 3 points that the data have"),
    ):
        with pytest.raises(sq.SpineqError) as error:
            two_cities(place)
        assert words in not_counted(place, error.value)


def test_what_is_refused(city: sq.City) -> None:
    net = sq.optimise(city, n_sensors=2, theta=500, method="greedy")
    with pytest.raises(sq.SpineqError, match="a City is needed"):
        centroid_error("city", net, city)  # type: ignore[arg-type]
    with pytest.raises(sq.SpineqError, match="a Network is needed"):
        centroid_error(city, "net", city)  # type: ignore[arg-type]
    with pytest.raises(sq.SpineqError, match="other areas or other people"):
        centroid_error(city, net, _hand_made())


#: Coverage at the centroids and with people spread over the areas, as measured for the notes:
#: greedy networks of 55 sensors of Newcastle, each for the group itself.
_MEASURED = {
    ("pop_total", 100): (0.195, 0.084),
    ("workplace", 100): (0.642, 0.140),
    ("pop_total", 500): (0.533, 0.486),
}


@pytest.mark.filterwarnings("ignore::spineq.errors.SpineqWarning")
def test_newcastle_as_it_was_measured(shared: Path) -> None:
    """The figures of the notes within 5 %, and placing by the points is better at the points."""
    city = sq.read_city(shared / "data" / "cities" / "E08000021")
    points = demand.spread(city, 20)
    fine = city.with_demand(points)
    for (name, theta), (at_centroids, at_points) in _MEASURED.items():
        words: dict[str, Any] = {"n_sensors": 55, "theta": theta, "groups": {name: sq.GROUPS[name]}}
        net = sq.optimise(city, method="greedy", bound="none", **words)
        found = centroid_error(city, net, points)
        assert isinstance(found, CentroidError)
        row = found.table.loc[name]
        assert row["at_centroids"] == pytest.approx(at_centroids, rel=0.005)
        assert row["at_points"] == pytest.approx(at_points, rel=0.05)
        better = sq.optimise(fine, method="greedy", bound="none", **words)
        assert better.total_coverage > found.total_at_points
        # At the centroids it looks worse: that is what misleads.
        assert centroid_error(city, better, points).total_at_centroids < found.total_at_centroids
