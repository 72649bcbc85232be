"""Requests of the API and the library's own problem: the same fields, the same defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from types import ModuleType
from typing import Any

import pytest

import spineq as sq
from spineq.model.problem import Problem

pytestmark = pytest.mark.usefixtures("_web")


@pytest.fixture(scope="module")
def models(_web: None, needs: Callable[[str], ModuleType]) -> ModuleType:
    """The models; they need pydantic."""
    return needs("spineq.gateway.models")


def test_the_model_has_the_fields_of_a_problem(models: ModuleType) -> None:
    """All of them, and no more, with the same values where nothing is said."""
    model = models.ProblemModel
    assert set(model.model_fields) == {field.name for field in fields(Problem)}
    empty = model(n_sensors=3).model_dump()
    given = Problem(n_sensors=3)
    for name, value in empty.items():
        wanted = getattr(given, name)
        if name not in ("theta", "groups"):  # None: the library's own default
            assert type(wanted)(value) == wanted if isinstance(wanted, tuple) else value == wanted


def test_the_model_has_the_words_of_a_trade_off(models: ModuleType) -> None:
    """All of them but those for comparing with others' methods; with the same defaults."""
    from spineq.jobs.front_task import WORDS

    fields_of = models.FrontProblem.model_fields
    assert set(fields_of) == set(WORDS) - {"method", "start"}
    plain = inspect.signature(sq.trade_off).parameters
    for name in ("decay", "effort", "size", "tolerance", "seed"):
        assert fields_of[name].default == plain[name].default


@pytest.mark.parametrize("text", ["한국", r"C:\udata", "Zürich", "\U0001f600"])
def test_whole_characters_are_taken(models: ModuleType, text: str) -> None:
    """Only halves of characters are refused."""
    said = models.JobSubmission(problem={"n_sensors": 3, "region": text}, note=text)
    assert said.note == said.problem.region == text


@pytest.mark.parametrize(
    "words",
    [
        {"n_sensors": 3},
        {"n_sensors": 3, "theta": 250, "groups": {"a": {"ages": [0, 15], "weight": 2.5}}},
        {"n_sensors": 3, "groups": {"a": {"column": "workers", "title": "Jobs"}}},
        {"budget": 7.5, "site_cost": "price"},
        {"n_sensors": 2, "region": "ward", "max_per_region": 1, "min_per_region": {"x": 0}},
        {"n_sensors": 2, "keep": "existing", "forbid": ["1"], "start": ["2"], "min_spacing": 4},
        {"n_sensors": 2, "at_least": {"pop_total": 0.5}, "objective": "worst"},
        {"n_sensors": 2, "aversion": 0.5, "aversion_form": "atkinson", "effort": 2, "seed": 4},
    ],
)
def test_what_is_asked_is_what_the_library_is_asked(
    models: ModuleType, words: dict[str, Any]
) -> None:
    """JSON becomes the same problem as keywords do."""
    from spineq.jobs.tasks import with_groups

    said = models.words_of(models.ProblemModel(**words))
    made = Problem.from_words(**with_groups(said))
    groups = {
        name: sq.Group(**group | ({"ages": tuple(group["ages"])} if "ages" in group else {}))
        for name, group in words.get("groups", {}).items()
    }
    assert made == Problem.from_words(**words | ({"groups": groups} if groups else {}))


@pytest.mark.parametrize(
    "words",
    [
        {"n_sensors": "3"}, {"n_sensors": True}, {"n_sensors": 2.5}, {"n_sensors": 0},
        {"n_sensors": 10**30}, {"n_sensors": 3, "theta": float("nan")},
        {"n_sensors": 3, "theta": float("inf")}, {"n_sensors": 3, "theta": 0},
        {"n_sensors": 3, "colour": "red"}, {"n_sensors": 3, "method": "best"},
        {"n_sensors": 3, "groups": {"a": {"ages": [0]}}}, {"n_sensors": 3, "forbid": "001"},
        {"n_sensors": 3, "region": "\ud800"}, {"n_sensors": 3, "groups": {"\ud800": {}}},
    ],
)  # fmt: skip
def test_what_json_must_not_hold_is_refused(models: ModuleType, words: dict[str, Any]) -> None:
    """Numbers are numbers; there is no NaN, no word of nobody's, and no half of a character."""
    import pydantic

    with pytest.raises(pydantic.ValidationError):
        models.ProblemModel(**words)
