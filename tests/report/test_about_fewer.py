"""What a report says of fewer sensors: what is given up, moved, and proven."""

from __future__ import annotations

import pytest
from studies import study_of, town

import spineq as sq
from spineq.report import about_fewer
from spineq.report.asked import Parameters
from spineq.report.study import Study


@pytest.fixture(scope="module")
def city() -> sq.City:
    return town(40)


@pytest.fixture(scope="module")
def study(city: sq.City) -> Study:
    return study_of(city, n_sensors=4, method="auto")


def test_no_group_has_less_than_today(city: sq.City, study: Study) -> None:
    net = sq.optimise(city, reach="existing", theta=500, groups=sq.GROUPS)
    said = about_fewer.enough(study).text
    assert net.proven
    assert net.certificate() in said
    assert "Today there are sensors at 6 places." in said
    rows = [line for line in said.splitlines() if line.endswith(tuple("0123456789"))]
    assert len(rows) == 4
    assert all("\N{MINUS SIGN}" not in row for row in rows)


def test_what_is_given_up_is_told(city: sq.City, study: Study) -> None:
    net = sq.optimise(city, retire=1, theta=500, groups=sq.GROUPS)
    said = about_fewer.given_up(study).text
    assert "If one of the 6 places with a sensor today has to go" in said
    assert "No other choice loses less, which is proven." in said
    assert "The one that goes" in said
    assert f"{100 * net.total_coverage:.1f} %" in said
    row = net.gone.iloc[0]
    assert f"{row['x']:,.0f}" in said


def test_what_moves_is_told(city: sq.City, study: Study) -> None:
    net = sq.optimise(city, move_at_most=1, theta=500, groups=sq.GROUPS)
    said = about_fewer.moved(study).text
    assert "Moving the sensors of one place of 6 to where they add most" in said
    assert f"to {100 * net.total_coverage:.1f} %" in said
    assert "No other choice covers more, which is proven." in said
    assert "The one that moves" in said
    assert net.placement_history[-1] in said


def test_the_curve_is_that_of_the_library(city: sq.City, study: Study) -> None:
    shown = about_fewer.by_number(study)
    curve = study.questions.curve
    assert curve is not None
    for n in (1, 4, 6):
        best = sq.optimise(city, n_sensors=n, theta=500, groups=sq.GROUPS)
        assert curve.table["value"][n] == pytest.approx(best.total_coverage, abs=1e-12)
    assert "1 sensor, placed best, covers" in shown.text
    assert "Each dot is proven" in shown.text
    gain = 100 * (curve.table["value"][5] - curve.table["value"][4])
    assert f"of 5 sensors covers {gain:.1f} percentage points more than that of 4." in shown.text
    assert [picture.name for picture in study.pictures] == ["best-by-number"]


def test_without_existing_sensors_only_the_curve_is_there() -> None:
    study = study_of(sq.demo_city("synthetic", n_areas=20, seed=1), n_sensors=2)
    assert "no existing sensors" in about_fewer.enough(study).text
    assert about_fewer.given_up(study).text == about_fewer.moved(study).text == ""
    assert "More or fewer sensors" in about_fewer.by_number(study).text


def test_the_section_can_be_switched_off(city: sq.City) -> None:
    study = Study(study_of(city, n_sensors=3).question, Parameters(sections=[]))
    assert "switched off" in about_fewer.enough(study).text
    for each in (about_fewer.given_up, about_fewer.moved, about_fewer.by_number):
        assert each(study).text == ""


def test_a_single_sensor_today_leaves_no_choice() -> None:
    bare = sq.demo_city("synthetic", n_areas=20, seed=1)
    place = bare.sites.iloc[[3]][["x", "y"]].reset_index(drop=True)
    study = study_of(bare.with_existing(place), n_sensors=2)
    assert "there is no choice" in about_fewer.given_up(study).text
    assert "Today there are sensors at 1 place." in about_fewer.enough(study).text
