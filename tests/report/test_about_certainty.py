"""What a report says of sensors that fail and numbers that differ."""

from __future__ import annotations

import pytest
from studies import study_of, town

import spineq as sq
from spineq.report import about_certainty
from spineq.report.asked import Parameters
from spineq.report.study import Study


@pytest.fixture(scope="module")
def study() -> Study:
    made = study_of(town(40), n_sensors=4, method="auto")
    return Study(made.question, Parameters(scenarios=6))


def test_the_figures_are_those_of_robustness(study: Study) -> None:
    found = sq.robustness(study.city, study.network, failures=3, probability=0.05)
    said = about_certainty.failures(study).text
    (row,) = [line for line in said.splitlines() if line.startswith("Workers")]
    each = found.groups["workplace"]
    values = (each.coverage, each.one_mean, each.one_worst, each.worst, each.expected)
    assert row.removeprefix("Workers").replace("%", "").split() == [
        f"{100 * value:.1f}" for value in values if value is not None
    ]
    assert "Whichever 3 sensors fail" in said
    assert "which is proven" in said
    # What stands in the table is not told again.
    assert "Workers:" not in said


def test_one_sensor_that_fails_leaves_nothing() -> None:
    said = about_certainty.failures(study_of(town(20), n_sensors=1)).text
    assert "If its one sensor fails, nobody is covered." in said
    assert "1 fail" not in said


def test_the_scenarios_are_those_of_stability(study: Study) -> None:
    shown = about_certainty.numbers(study)
    found = sq.stability(study.city, study.network, n_scenarios=6, theta=(400.0, 625.0))
    assert "in 6 scenarios" in shown.text
    assert "between 80 % and 125 %" in shown.text
    for line in found.summary().split("\n")[2:]:
        assert line in shown.text
    assert [picture.name for picture in study.pictures] == ["how-often-near"]


def test_without_scenarios_it_is_said(study: Study) -> None:
    none = Study(study.question, Parameters(scenarios=0))
    assert "No scenarios were asked for" in about_certainty.numbers(none).text
    off = Study(study.question, Parameters(sections=["places"]))
    assert "switched off" in about_certainty.numbers(off).text
    assert "switched off" in about_certainty.failures(off).text
