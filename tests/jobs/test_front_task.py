"""The task `trade_off`: its parameters, and its answer."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

import spineq as sq
from spineq.errors import DataError, ProblemError
from spineq.jobs.front_task import TASK
from spineq.jobs.tasks import check_asked, run_digest
from spineq.progress import RecordingProgress, SilentProgress

GROUPS = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=40)


def test_parameters_come_in_one_form(city: sq.City) -> None:
    """Defaults, titles, weights and the form of groups make no other question; checked twice
    they are the same.
    """
    asked = check_asked(TASK, city, {"n_sensors": 4, "groups": GROUPS})
    text = json.dumps(asked.parameters)
    again = check_asked(TASK, city, json.loads(text))
    assert again == asked
    same: list[dict[str, Any]] = [
        {"n_sensors": 4, "theta": 500, "groups": GROUPS, "effort": 1, "size": 200, "seed": 0},
        {
            "n_sensors": 4,
            "groups": {
                "jobs": {"column": "workers", "weight": 3},
                "older": sq.Group(ages=(66, 90), title="Grey"),
            },
        },
    ]
    digests = {run_digest(TASK, check_asked(TASK, city, words), "c") for words in same}
    assert digests == {run_digest(TASK, asked, "c")}
    for other in ({"effort": 2}, {"size": 10}, {"theta": 400}, {"tolerance": 0.1}):
        changed = check_asked(TASK, city, {"n_sensors": 4, "groups": GROUPS, **other})
        assert run_digest(TASK, changed, "c") not in digests


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"budget": 3}, "budget"),
        ({"client": 1}, "client"),
        ({"effort": -1}, "effort"),
        ({"size": "big"}, "size"),
        ({"method": "magic"}, "method"),
        ({"seed": -1}, "seed"),
        ({"groups": {"older": GROUPS["older"]}}, "groups"),
    ],
)
def test_what_is_bad_is_refused(city: sq.City, words: dict[str, Any], field: str) -> None:
    """Before anything is written, by name."""
    with pytest.raises(ProblemError) as refusal:
        check_asked(TASK, city, {"n_sensors": 4, "groups": GROUPS, **words})
    assert refusal.value.field == field
    with pytest.raises(DataError):
        check_asked(TASK, city, {"n_sensors": 4, "groups": {"a": GROUPS["jobs"],
                                 "b": sq.Group(column="homes")}})  # fmt: skip


def test_theta_is_told_to_a_city_of_travel_costs(city: sq.City) -> None:
    """What was checked once can be checked and run again, also with the usual number."""
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    pairs = pd.DataFrame([(one, other) for one in ids for other in ids], columns=["site", "area"])
    timed = city.with_travel(
        pairs.assign(cost=400.0 * (pairs["site"] != pairs["area"])), unit="minutes"
    )
    words = {"n_sensors": 3, "theta": 500, "groups": GROUPS, "effort": 0.02, "size": 5}
    asked = check_asked(TASK, timed, words)
    assert check_asked(TASK, timed, asked.parameters) == asked
    made = TASK.function(timed, SilentProgress(), **asked.parameters)
    assert made == sq.trade_off(timed, **words)


def test_the_answer_is_the_library_s(city: sq.City) -> None:
    """The function takes the checked parameters; bytes bring the front back; a stop is partial."""
    words = {"n_sensors": 4, "groups": GROUPS, "effort": 0.02, "size": 5}
    parameters = check_asked(TASK, city, words).parameters
    made = TASK.function(city, SilentProgress(), **parameters)
    assert made == sq.trade_off(city, **words)
    assert TASK.load(TASK.dump(made)) == made
    assert TASK.is_partial is not None
    assert not TASK.is_partial(made)
    cut = TASK.function(city, RecordingProgress(stop_after=3), **parameters)
    assert TASK.is_partial(cut)
    assert TASK.version_of(parameters) == "weighted-1"
