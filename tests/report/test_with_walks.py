"""What a report says of a city whose distances are walks, and of one that is very large."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streets import CRS, ORIGIN, river_lines
from studies import study_of, town

import spineq as sq
from spineq.report import about_equity, about_front, about_network, about_today
from spineq.report.page_figures import payload
from spineq.report.study import Study

EVERYBODY = {"pop_total": sq.GROUPS["pop_total"]}


def _by_the_river() -> sq.City:
    """Twenty areas at the river, with two existing sensors that stand at no area's point."""
    places = ORIGIN + np.random.default_rng(0).uniform(0, [1000.0, 900.0], (20, 2))
    areas = pd.DataFrame(places, columns=["x", "y"])
    areas = areas.assign(area_id=[f"a{k}" for k in range(20)], population=100)
    today = pd.DataFrame(ORIGIN + np.array([[330.0, 220.0], [710.0, 650.0]]), columns=["x", "y"])
    return sq.City.from_frame(areas, crs=CRS).with_existing(today)


def _walked(city: sq.City) -> sq.City:
    return city.with_travel(sq.travel.from_streets(city, river_lines(), limit=3000))


@pytest.fixture(scope="module")
def walks() -> Study:
    return study_of(_walked(_by_the_river()), EVERYBODY, n_sensors=1, theta=300.0)


def test_walks_are_not_called_straight_lines(walks: Study) -> None:
    """Metres along streets, by another travel table, and straight beside costs in minutes."""
    assert "metres of a sensor along streets\n" in about_network.people(walks).text
    assert "within 500 m of a sensor along streets" in about_network.headline(walks).text
    said = payload(walks.network, walks.city)["words"]["near"]
    assert said == "Within 500\u00a0m along streets"
    table = sq.travel.from_streets(_by_the_river(), river_lines(), limit=3000)
    table.attrs.clear()
    for unit, words in (("m", "by the travel table"), ("minutes", "in a straight line")):
        study = study_of(_by_the_river().with_travel(table, unit=unit), EVERYBODY, n_sensors=1)
        assert f"of a sensor {words}\n" in about_network.people(study).text


def test_areas_are_left_behind_by_walks(walks: Study) -> None:
    """By the costs of the table: the river makes areas far that are near in a straight line."""
    city, net = walks.city, walks.network
    site = list(city.sites.index).index(net.sensors["site"].iloc[0])
    areas = list(city.dataset["area"].to_numpy())
    costs = city.travel_costs_from(site)
    lines = about_equity.left_behind(walks).text.splitlines()
    assert "more than 500 m along streets" in lines[0]
    assert len(lines) == 2 + min(10, int((costs > 500).sum()))
    for line in lines[2:]:
        area = areas.index(line.split()[0])
        assert f"  {costs[area]:,.0f} m  " in line


def test_areas_are_left_behind_by_their_own_points() -> None:
    """Nobody is listed whose own place is near, however far the area's middle is."""
    frame = pd.DataFrame(
        {"area_id": ["a", "b"], "x": [0.0, 2000.0], "y": 0.0, "population": [300, 100]}
    )
    near = pd.DataFrame({"area_id": ["a", "b"], "x": [0.0, 250.0], "y": 0.0, "weight": 1.0})
    city = sq.City.from_frame(frame, crs=CRS)
    lines = about_equity.left_behind(study_of(city, EVERYBODY, n_sensors=1)).text.splitlines()
    assert lines[2].split()[:4] == ["b", "100", "100.0", "%"]
    said = about_equity.left_behind(study_of(city.with_demand(near), EVERYBODY, n_sensors=1)).text
    assert said == "In no area are most people farther than 500 m from a sensor."


def test_existing_sensors_at_no_site_are_told_in_plain_words(walks: Study) -> None:
    """And what the sentence advises works."""
    said = about_today.comparison(walks).text
    assert "at least one existing sensor stands at none of these" in said
    assert "field" not in said
    city = _by_the_river()
    assert city.existing is not None
    today = city.existing[["x", "y"]].assign(site_id=["e0", "e1"])
    both = pd.concat([city.sites[["x", "y"]].rename_axis("site_id").reset_index(), today])
    mended = study_of(_walked(city.with_sites(both)), EVERYBODY, n_sensors=2, theta=300.0)
    assert "Within 500 m along streets (points)" in about_today.comparison(mended).text


def test_one_sensor_is_no_ten(walks: Study) -> None:
    assert "the one sensor" in about_network.steps(walks).text
    assert "first ten" not in about_network.history(walks).html
    assert "The sensor placed for it alone" in about_equity.groups(walks).text
    many = study_of(town(), n_sensors=11)
    assert "first ten" in about_network.history(many).html


def test_a_large_city_is_searched_with_less_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the sites grow, and said; a small one as ever."""
    study = study_of(town(), n_sensors=2)
    assert study.front_effort == 1.0
    monkeypatch.setattr("spineq.report.study._FULL_EFFORT", 6)
    assert study.front_effort == 0.1
    asked: list[float] = []
    true = sq.trade_off

    def trade_off(*args: object, **words: object) -> sq.Front:
        asked.append(words["effort"])  # type: ignore[arg-type]
        return true(*args, **words)  # type: ignore[arg-type]

    monkeypatch.setattr("spineq.fronts.trade_off", trade_off)
    assert "with 10.0 % of the usual effort" in about_front.summary(study).text
    assert asked == [0.1]
