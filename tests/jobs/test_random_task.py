"""The task `random`: its parameters, and its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

import spineq as sq
from spineq.errors import DataError, ProblemError
from spineq.jobs.random_task import TASK
from spineq.jobs.tasks import check_asked, run_digest
from spineq.progress import RecordingProgress, SilentProgress

GROUPS = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=40)


def test_parameters_come_in_one_form(city: sq.City) -> None:
    """Defaults, titles and the form of groups make no other question; checked twice they are the
    same.
    """
    asked = check_asked(TASK, city, {"n_sensors": 4, "groups": GROUPS})
    again = check_asked(TASK, city, json.loads(json.dumps(asked.parameters)))
    assert again == asked
    same: dict[str, Any] = {
        "n_sensors": 4, "theta": 500, "seed": 0, "n_networks": 1000,
        "groups": {"jobs": {"column": "workers"}, "older": sq.Group(ages=(66, 90), title="Grey")},
    }  # fmt: skip
    run = run_digest(TASK, asked, "c")
    assert run_digest(TASK, check_asked(TASK, city, same), "c") == run
    site = str(city.dataset["site"].to_numpy()[0])
    for other in ({"n_networks": 10}, {"seed": 1}, {"theta": 400}, {"keep": [site]}):
        changed = check_asked(TASK, city, {**same, **other})
        assert run_digest(TASK, changed, "c") != run


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"budget": 3}, "budget"),
        ({"n_networks": "many"}, "n_networks"),
        ({"seed": -1}, "seed"),
        ({"n_sensors": 99}, "n_sensors"),
        ({"theta": 0}, "theta"),
    ],
)
def test_what_is_bad_is_refused(city: sq.City, words: dict[str, Any], field: str) -> None:
    """Before anything is written, by name."""
    with pytest.raises(ProblemError) as refusal:
        check_asked(TASK, city, {"n_sensors": 4, **words})
    assert refusal.value.field == field
    with pytest.raises(DataError):
        check_asked(TASK, city, {"n_sensors": 4, "groups": {"b": sq.Group(column="homes")}})


def test_the_answer_is_the_library_s(city: sq.City) -> None:
    """The function takes the checked parameters; bytes bring it back; a stop is partial."""
    words: dict[str, Any] = {"n_sensors": 4, "groups": GROUPS, "n_networks": 50, "seed": 3}
    parameters = check_asked(TASK, city, words).parameters
    made = TASK.function(city, SilentProgress(), **parameters)
    assert made == sq.random_networks(city, **words)
    assert TASK.load(TASK.dump(made)) == made
    assert TASK.is_partial is not None
    assert not TASK.is_partial(made)
    many = {**parameters, "n_networks": 500_000}
    cut = TASK.function(city, RecordingProgress(stop_after=3), **many)
    assert TASK.is_partial(cut)
    assert TASK.version_of(parameters) == "random-1"
