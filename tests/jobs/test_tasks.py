"""A job's parameters are checked before it is written, and equal questions have one name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import spineq as sq
from spineq.errors import DataError, ProblemError, UnknownTaskError
from spineq.jobs import tasks
from spineq.jobs.tasks import check_asked, family_digest, run_digest, task_named

#: A type for each parameter, and a value of it.
TYPES: dict[str, Any] = {"b": bool, "i": int, "f": float, "s": str, "l": list, "d": dict}
GOOD: dict[str, Any] = {"b": True, "i": 1, "f": 0.5, "s": "x", "l": [1], "d": {"k": 1}}


def _nothing(city: Any, progress: Any, **parameters: Any) -> None:
    """Compute nothing."""


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what a test registers."""
    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))


@pytest.fixture(scope="module")
def city() -> sq.City:
    """A city of four areas with residents and workers."""
    frame = pd.DataFrame(
        {
            "area_id": list("abcd"),
            "x": [4e5, 4e5 + 700, 4e5, 4e5 + 900],
            "y": [5e5, 5e5, 5e5 + 800, 5e5 + 900],
            "age_0_15": [10.0, 20, 30, 5],
            "age_16_plus": [50.0, 20, 10, 70],
            "workers": [5.0, 0, 100, 7],
        }
    )
    return sq.City.from_frame(frame, crs="EPSG:27700", name="Small")


@pytest.fixture(scope="module")
def other_city(city: sq.City) -> sq.City:
    """Another city of as many areas."""
    frame = pd.DataFrame({"area_id": list("abcd"), "x": [4e5] * 4, "y": 5e5, "population": 5})
    return sq.City.from_frame(frame, crs="EPSG:27700", name="Small")


def _run(city: sq.City, **words: Any) -> str:
    task = task_named("optimise")
    return run_digest(task, check_asked(task, city, words), city.digest)


def _family(city: sq.City, **words: Any) -> str:
    task = task_named("optimise")
    return family_digest(task, check_asked(task, city, words), city.digest)


# ---------------------------------------------------------------------------- own tasks


def test_parameters_of_each_type_are_taken() -> None:
    """As they are, in JSON's types."""
    task = sq.register_task("t", _nothing, parameters=TYPES)
    asked = check_asked(task, None, GOOD)
    assert asked.parameters == GOOD
    assert (asked.version, asked.family, asked.size) == ("1", "", 0)
    assert json.loads(json.dumps(asked.parameters)) == GOOD


@pytest.mark.parametrize(
    ("name", "value", "then"),
    [
        ("b", np.True_, True),
        ("i", np.int32(7), 7),
        ("i", np.array(7), 7),
        ("f", 500, 500.0),
        ("f", np.float32(0.5), 0.5),
        ("f", np.int64(5), 5.0),
        ("s", np.str_("x"), "x"),
        ("l", [(1, 2)], [[1, 2]]),
        ("d", {1: None}, {"1": None}),
    ],
)
def test_other_words_for_a_value_come_in_one_form(name: str, value: Any, then: Any) -> None:
    """Scalars of numpy, whole numbers for broken ones, tuples inside of lists."""
    task = sq.register_task("t", _nothing, parameters=TYPES)
    made = check_asked(task, None, GOOD | {name: value}).parameters[name]
    assert made == then
    assert type(made) is type(then)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("b", bad) for bad in (1, 0.0, "true", None, np.int64(1))),
        *(("i", bad) for bad in (True, 1.0, "1", None, np.float64(1), [1], np.array([1]))),
        *(("f", bad) for bad in (True, "1", None, np.nan, np.inf, -np.inf, 10**400, 1j)),
        *(("s", bad) for bad in (1, None, b"x", ["x"])),
        *(("l", bad) for bad in ("x", (1,), {}, None, [np.nan], [{1, 2}], [np.int64(1)])),
        *(("d", bad) for bad in ([], "x", None, {"k": float("inf")}, {(1, 2): 3}, {"k": {1}})),
        ("later", 5),
    ],
)
def test_what_is_bad_is_refused_by_its_name(name: str, value: Any) -> None:
    """Wrong types, unknown words, what is no number and what JSON cannot hold."""
    task = sq.register_task("t", _nothing, parameters=TYPES)
    with pytest.raises(ProblemError) as caught:
        check_asked(task, None, GOOD | {name: value})
    assert caught.value.field == name
    assert caught.value.mend


def test_values_without_a_bottom_are_refused() -> None:
    """A list that holds itself, and one of ten thousand lists."""
    task = sq.register_task("t", _nothing, parameters={"l": list})
    round_about: list[Any] = []
    round_about.append(round_about)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for bad in (round_about, deep):
        with pytest.raises(ProblemError) as caught:
            check_asked(task, None, {"l": bad})
        assert caught.value.field == "l"


def test_a_missing_parameter_is_named() -> None:
    """Unless it has a default."""
    task = sq.register_task("t", _nothing, parameters={"a": int, "b": (float, 2)})
    with pytest.raises(ProblemError, match="the parameter a is missing") as caught:
        check_asked(task, None, {"b": 1})
    assert caught.value.field == "a"
    assert check_asked(task, None, {"a": 1}).parameters == {"a": 1, "b": 2.0}


def test_a_default_and_the_same_value_given_are_one_run() -> None:
    """Also when the one is a whole number."""
    task = sq.register_task(
        "t", _nothing, parameters={"f": (float, 500), "n": (int, None), "l": (list, [1])}
    )
    runs = {
        run_digest(task, check_asked(task, None, given), "")
        for given in ({}, {"f": 500}, {"f": 500.0, "l": [1]}, {"f": np.float64(500)})
    }
    assert len(runs) == 1
    assert check_asked(task, None, {}).parameters["n"] is None


@pytest.mark.parametrize("name", ["", " ", "a\nb", None, 5, "\udc80"])
def test_a_task_needs_a_name(name: Any) -> None:
    """A word that can be shown."""
    with pytest.raises(ProblemError) as caught:
        sq.register_task(name, _nothing)
    assert caught.value.field == "name"


@pytest.mark.parametrize("version", [True, 1.0, "1", None])
def test_a_version_is_a_whole_number(version: Any) -> None:
    """Nothing else counts."""
    with pytest.raises(ProblemError) as caught:
        sq.register_task("t", _nothing, version=version)
    assert caught.value.field == "version"


@pytest.mark.parametrize(
    "kind", [set, "int", None, int | None, [], (), (int,), (int, 1, 2), (set, 1), (int, "x")]
)
def test_a_type_of_a_parameter_is_one_of_six(kind: Any) -> None:
    """Alone or with a default that is of it."""
    with pytest.raises(ProblemError) as caught:
        sq.register_task("t", _nothing, parameters={"a": kind})
    assert caught.value.field == "a"


def test_a_task_that_nobody_registered_is_named() -> None:
    """With those that there are."""
    with pytest.raises(UnknownTaskError, match=r"'tt'.*optimise") as caught:
        task_named("tt")
    assert caught.value.field == "task"


def test_a_later_registration_replaces_the_earlier() -> None:
    """With another version, its runs are others."""
    old = sq.register_task("t", _nothing)
    new = sq.register_task("t", _nothing, version=2)
    assert task_named("t") is new
    runs = {run_digest(task, check_asked(task, None, {}), "") for task in (old, new)}
    assert len(runs) == 2


def test_a_city_is_given_to_the_tasks_that_need_one(city: sq.City) -> None:
    """And to no others."""
    with_city = sq.register_task("with", _nothing, needs_city=True)
    without = sq.register_task("without", _nothing)
    for task, place in [(with_city, None), (without, city), (task_named("optimise"), None)]:
        with pytest.raises(ProblemError) as caught:
            check_asked(task, place, {})
        assert caught.value.field == "city"
    assert check_asked(with_city, city, {}).parameters == {}


def test_results_are_json_or_refused() -> None:
    """In words; what is good comes back."""
    task = sq.register_task("t", _nothing)
    for good in (None, 1, [1, {"a": "ä"}], "\udc80"):
        assert task.load(task.dump(good)) == good
    for bad in ({1, 2}, float("nan"), b"x", object()):
        with pytest.raises(ProblemError, match="the task's result is not JSON"):
            task.dump(bad)


# ---------------------------------------------------------------------------- optimise


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({}, "n_sensors"),
        ({"n_sensors": 5}, "n_sensors"),
        ({"n_sensors": 0}, "n_sensors"),
        ({"n_sensors": 1.0}, "n_sensors"),
        ({"n_sensors": True}, "n_sensors"),
        ({"n_sensors": 2, "theta": np.nan}, "theta"),
        ({"n_sensors": 2, "theta": "500"}, "theta"),
        ({"n_sensors": 2, "theta": -1}, "theta"),
        ({"n_sensors": 2, "method": "best"}, "method"),
        ({"n_sensors": 2, "decay": "none"}, "decay"),
        ({"n_sensors": 2, "seed": -1}, "seed"),
        ({"n_sensors": 2, "groups": 5}, "groups"),
        ({"problem": "text"}, "problem"),
    ],
)
def test_a_bad_problem_is_refused_by_its_field(
    city: sq.City, words: dict[str, Any], field: str
) -> None:
    """As by optimise itself, more sensors than sites among them."""
    with pytest.raises(ProblemError) as caught:
        check_asked(task_named("optimise"), city, words)
    assert caught.value.field == field


def test_an_unknown_word_is_named(city: sq.City) -> None:
    """With those that there are."""
    with pytest.raises(ProblemError, match=r"no parameter 'teta'.*theta"):
        check_asked(task_named("optimise"), city, {"n_sensors": 2, "teta": 5})


def test_a_group_that_the_city_lacks_is_a_fault_of_the_data(city: sq.City) -> None:
    """Before anything is computed."""
    groups = {"g": sq.Group(column="homes")}
    with pytest.raises(DataError, match="homes"):
        check_asked(task_named("optimise"), city, {"n_sensors": 2, "groups": groups})


def test_what_is_no_city_is_refused() -> None:
    """By name."""
    with pytest.raises(ProblemError):
        check_asked(task_named("optimise"), 5, {"n_sensors": 2})  # type: ignore[arg-type]


ONE, TWO = sq.Group(column="workers", weight=2), sq.Group(ages=(0, 15))

EQUAL: dict[str, list[dict[str, Any]]] = {
    "numbers": [
        {"n_sensors": 2, "theta": 500},
        {"n_sensors": np.int64(2), "theta": 500.0},
        {"n_sensors": 2, "theta": np.float32(500)},
        {"n_sensors": 2},
        {"problem": sq.Problem(n_sensors=2)},
        {"n_sensors": 2, "decay": "exponential", "method": "auto", "seed": 0},
    ],
    "groups": [
        {"n_sensors": 2, "groups": {"a": ONE, "b": TWO}},
        {"n_sensors": 2, "groups": {"b": TWO, "a": ONE}},
        {"problem": sq.Problem(2, groups={"b": TWO, "a": ONE})},  # type: ignore[arg-type]
    ],
    "titles": [
        {"n_sensors": 2, "groups": {"a": sq.Group(ages=(0, 15), title="young")}},
        {"n_sensors": 2, "groups": {"a": sq.Group(ages=(0, 15))}},
    ],
    "no groups": [
        {"n_sensors": 2},
        {"n_sensors": 2, "groups": None},
        {"n_sensors": 2, "groups": {}},
        {"n_sensors": 2, "population_weight": None},
        {"n_sensors": 2, "population_weight": 1},
    ],
}


@pytest.mark.parametrize("questions", EQUAL.values(), ids=EQUAL)
def test_equal_questions_are_one_run(city: sq.City, questions: list[dict[str, Any]]) -> None:
    """In whatever words they are asked."""
    assert len({_run(city, **words) for words in questions}) == 1


def test_the_original_systems_words_are_one_run_with_its_groups(city: sq.City) -> None:
    """A weight for workplaces is a group."""
    from spineq.model.groups import groups_from_words

    words = {"population_weight": 1.0, "workplace_weight": 2}
    groups = groups_from_words(**words)  # type: ignore[arg-type]
    assert _run(city, n_sensors=2, **words) == _run(city, n_sensors=2, groups=groups)


def test_other_questions_are_other_runs(
    city: sq.City, other_city: sq.City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another city, parameter or version of the solver."""
    from spineq import solvers

    plain = {"n_sensors": 2, "method": "greedy"}
    others: list[dict[str, Any]] = [
        {"n_sensors": 3},
        {"theta": 501},
        {"method": "exchange"},
        {"method": "random"},
        {"decay": "step"},
        {"groups": {"a": ONE}},
        {"groups": {"a": TWO}},
    ]
    runs = [_run(city, **plain), _run(other_city, **plain)]
    runs += [_run(city, **plain | other) for other in others]
    random = [_run(city, n_sensors=2, method="random", seed=seed) for seed in (1, 2)]
    method = solvers.METHODS["greedy"]
    monkeypatch.setitem(solvers.METHODS, "greedy", replace(method, version=method.version + 1))
    newer = _run(city, **plain)
    assert len({*runs, *random, newer}) == len(runs) + 3
    assert _run(city, **plain | {"method": "random"}) in runs


def test_greedy_answers_of_every_length_are_a_family(
    city: sq.City, other_city: sq.City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one city, problem and version; other methods have none."""
    from spineq import solvers

    plain = {"n_sensors": 2, "method": "greedy"}
    task = task_named("optimise")
    sizes = [check_asked(task, city, {"n_sensors": n, "method": "greedy"}).size for n in (1, 2, 4)]
    assert sizes == [1, 2, 4]
    family = _family(city, **plain)
    assert family == _family(city, **plain | {"n_sensors": 4, "theta": 500.0})
    for words in ({"theta": 400}, {"groups": {"a": ONE}}, {"decay": "step"}):
        assert _family(city, **plain | words) != family
    assert _family(other_city, **plain) != family
    for method in ("auto", "exchange", "random"):
        assert _family(city, n_sensors=2, method=method) == ""
    method = solvers.METHODS["greedy"]
    monkeypatch.setitem(solvers.METHODS, "greedy", replace(method, version=method.version + 1))
    assert _family(city, **plain) != family


def test_what_was_asked_is_answered_from_its_parameters(city: sq.City) -> None:
    """The worker gets JSON, and gives what optimise gives; an earlier answer serves greedy."""
    task = task_named("optimise")
    progress = sq.progress.SilentProgress()
    asked = check_asked(task, city, {"n_sensors": 2, "groups": {"a": ONE}, "method": "greedy"})
    words = json.loads(json.dumps(asked.parameters))
    made = task.function(city, progress, **words)
    direct = sq.optimise(city, n_sensors=2, groups={"a": ONE}, method="greedy")
    assert made.sensors.equals(direct.sensors)
    again = task.load(task.dump(made))
    assert task.figures is not None
    assert task.figures(again) == (direct.total_coverage, direct.upper_bound)
    longer = task.function(city, progress, **words | {"n_sensors": 4}, earlier=None)
    assert task.function(city, progress, **words, earlier=longer).sensors.equals(made.sensors)
