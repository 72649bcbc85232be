"""What is asked about a study's network follows from its size, its problem, and parameters."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from studies import study_of, town

import spineq as sq
from spineq.report.asked import SECTIONS, Parameters
from spineq.report.study import Study

NAMES = {
    "explanation": "places",
    "alternatives": "alternatives",
    "fewest": "fewer",
    "without_some": "fewer",
    "with_moved": "fewer",
    "curve": "fewer",
    "robustness": "sure",
    "stability": "sure",
}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return town(30)


def _study(city: sq.City, problem: dict[str, Any], **asked: Any) -> Study:
    made = study_of(city, **problem)
    return Study(made.question, Parameters(**asked))


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_can_be_switched_off(city: sq.City, section: str) -> None:
    """Its questions have no answer, and say why; nothing is computed."""
    rest = [name for name in SECTIONS if name != section]
    study = _study(city, {"n_sensors": 3}, sections=rest)
    for name, of in NAMES.items():
        if of == section:
            assert getattr(study.questions, name) is None
            assert "switched off" in study.questions.lacking[name]
    assert "network" not in vars(study) or section != "places"


def test_the_larger_the_city_the_less_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its sites and points alone, so that the same report says the same everywhere."""
    study = study_of(town(30), n_sensors=3)
    asked = study.questions
    seen = []
    for work in (0.03, 0.8, 3.0, 12.0, 600.0):
        monkeypatch.setattr(type(asked), "work", work)
        seen.append((asked.n_scenarios, asked.refuses))
    assert seen == [(50, True), (20, True), (10, True), (0, True), (0, False)]
    assert asked.stability is None
    assert "city of this size" in asked.lacking["stability"]
    assert asked.curve is None
    assert "city of this size" in asked.lacking["curve"]
    assert asked.alternatives is None
    assert asked.fewest is None
    assert asked.with_moved is None


def test_what_was_asked_for_goes_before_the_size(city: sq.City) -> None:
    study = _study(city, {"n_sensors": 3}, scenarios=3, refuse=False)
    assert study.questions.stability is not None
    assert study.questions.stability.n_scenarios == 3
    assert study.questions.explanation is not None
    assert not study.questions.explanation.refused
    none = _study(city, {"n_sensors": 3}, scenarios=0).questions
    assert none.stability is None
    assert "No scenarios were asked for" in none.lacking["stability"]


def test_answers_are_those_of_the_library(city: sq.City) -> None:
    study = study_of(city, n_sensors=3, method="auto")
    net, asked = study.network, study.questions
    assert asked.explanation == sq.explain(city, net)
    assert asked.fewest is not None
    assert asked.fewest == sq.optimise(city, reach="existing", theta=500, groups=sq.GROUPS)
    assert asked.n_away == 1
    assert asked.without_some == sq.optimise(city, retire=1, theta=500, groups=sq.GROUPS)
    assert asked.with_moved == sq.optimise(city, move_at_most=1, theta=500, groups=sq.GROUPS)
    assert asked.robustness is not None
    assert asked.robustness.failures == 3
    assert asked.alternatives is not None
    assert asked.alternatives.min_different == 1


@pytest.mark.parametrize("rule", [{"reach": "existing"}, {"retire": 2, "move_at_most": 1}])
def test_other_questions_than_a_number(city: sq.City, rule: dict[str, Any]) -> None:
    """What is for so many sensors, placed anew, is left out and said; the rest is answered."""
    study = study_of(city, n_sensors=None, method="auto", **rule)
    asked = study.questions
    assert asked.explanation is not None
    assert not asked.explanation.refused
    assert asked.robustness is not None
    assert asked.robustness.n_sensors == study.network.n_sensors
    assert asked.alternatives is None
    assert asked.stability is None
    assert {"alternatives", "stability"} <= set(asked.lacking)
    if "reach" in rule:
        assert asked.fewest is study.network


def test_what_cannot_be_asked_is_said(city: sq.City) -> None:
    """What the library refuses is a sentence in the report, and no error."""
    study = study_of(city, n_sensors=3, method="auto", at_least={"pop_total": 0.1})
    assert study.questions.stability is None
    assert "what groups are owed" in study.questions.lacking["stability"]


def test_a_city_without_existing_sensors_has_none_to_reach() -> None:
    study = study_of(sq.demo_city("synthetic", n_areas=20, seed=1), n_sensors=2)
    asked = study.questions
    assert (asked.fewest, asked.without_some, asked.with_moved) == (None, None, None)
    assert asked.n_away == 0
    assert asked.curve is not None


def test_what_is_no_count_is_not_drawn_as_one(city: sq.City) -> None:
    """The number of people varies as counts do where it is a count: ages, or whole numbers."""
    frame = pd.DataFrame({"area_id": ["a", "b"], "x": [0.0, 900.0], "y": 0.0, "need": [0.25, 0.75]})
    needs = {"need": sq.Group(column="need")}
    other = sq.City.from_frame(frame, crs="EPSG:32631")
    study = study_of(other, needs, n_sensors=1)
    study = Study(study.question, Parameters(scenarios=2))
    assert study.questions.stability is not None
    assert not study.questions.stability.poisson
    counted = Study(study_of(city, n_sensors=2).question, Parameters(scenarios=2))
    assert counted.questions.stability is not None
    assert counted.questions.stability.poisson
