"""The tasks that ask about a network: their parameters, their answers, and a queue's workers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spineq as sq
from spineq.errors import DataError, ProblemError
from spineq.insight.alternatives import Alternatives
from spineq.insight.carried import carried
from spineq.insight.explain import Explanation
from spineq.insight.robustness import Robustness
from spineq.jobs.question_tasks import TASKS
from spineq.jobs.tasks import check_asked, run_digest, task_named
from spineq.progress import RecordingProgress, SilentProgress

GROUPS = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}

CITY = sq.demo_city("synthetic", n_areas=40)
SITES = [str(site) for site in CITY.dataset["site"].to_numpy()]
NET = sq.optimise(CITY, n_sensors=4, groups=GROUPS)
FREE = next(site for site in SITES if site not in NET.placement_history)

#: What each task may be asked, beside the network, in the forms in which people say it.
ASKED: dict[str, dict[str, Any]] = {
    "explain": {"site": FREE, "near": 400},
    "robustness": {"failures": 2, "probability": (0.1, 0.2, 0, 1)},
    "alternatives": {"k": 2, "min_different": 2},
}


@pytest.mark.parametrize("name", TASKS)
def test_parameters_come_in_one_form(name: str) -> None:
    """Defaults, forms of numbers, and the titles of groups make no other question; checked twice
    they are the same.
    """
    task = task_named(name)
    assert task.name == name
    usual = check_asked(task, CITY, {"network": NET})
    asked = check_asked(task, CITY, {"network": NET, **ASKED[name]})
    for each in (usual, asked):
        assert check_asked(task, CITY, json.loads(json.dumps(each.parameters))) == each
        assert task.version_of(each.parameters) == each.version
    assert run_digest(task, usual, "c") != run_digest(task, asked, "c")
    same = {word: np.asarray(value)[()] for word, value in ASKED[name].items()}
    again = check_asked(task, CITY, {"network": carried(CITY, NET), **same})
    assert again == asked
    titled = {k: sq.Group(g.ages, g.column, title=k.upper()) for k, g in GROUPS.items()}
    other = sq.optimise(CITY, n_sensors=4, groups=titled)
    renamed = check_asked(task, CITY, {"network": other, **ASKED[name]})
    assert run_digest(task, renamed, "c") == run_digest(task, asked, "c")
    smaller = sq.optimise(CITY, n_sensors=3, groups=GROUPS)
    assert run_digest(task, check_asked(task, CITY, {"network": smaller}), "c") != run_digest(
        task, usual, "c"
    )


BAD: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "no such word": ("explain", {"places": 3}, "places"),
    "no such site": ("explain", {"site": "zzz"}, "site"),
    "a site with a sensor": ("explain", {"site": NET.placement_history[0]}, "site"),
    "a distance": ("explain", {"near": -1}, "near"),
    "no flag": ("explain", {"refuse": "no"}, "refuse"),
    "none fail": ("robustness", {"failures": 0}, "failures"),
    "more fail than there are": ("robustness", {"failures": 5}, "failures"),
    "half a failure": ("robustness", {"failures": 1.5}, "failures"),
    "no probability": ("robustness", {"probability": 1.5}, "probability"),
    "a word for one": ("robustness", {"probability": "often"}, "probability"),
    "too few probabilities": ("robustness", {"probability": [0.1, 0.2]}, "probability"),
    "a list in a list": ("robustness", {"probability": [[0.1] * 4]}, "probability"),
    "none": ("alternatives", {"k": 0}, "k"),
    "too many": ("alternatives", {"k": 101}, "k"),
    "more than placed": ("alternatives", {"min_different": 5}, "min_different"),
    "nothing": ("alternatives", {"k": None}, "k"),
}


@pytest.mark.parametrize(("name", "words", "field"), BAD.values(), ids=BAD)
def test_what_is_bad_is_refused(name: str, words: dict[str, Any], field: str) -> None:
    """Before anything is written, by name."""
    with pytest.raises(ProblemError) as refusal:
        check_asked(TASKS[name], CITY, {"network": NET, **words})
    assert refusal.value.field == field


@pytest.mark.parametrize("name", TASKS)
def test_networks_that_are_none_are_refused(name: str) -> None:
    """No network, no city, one of another city, and one of several kinds."""
    task = TASKS[name]
    for words in ({}, {"network": None}, {"network": "net.nc"}, {"network": {"places": []}}):
        with pytest.raises(ProblemError) as refusal:
            check_asked(task, CITY, words)
        assert refusal.value.field == "network"
    with pytest.raises(ProblemError, match="needs a city"):
        check_asked(task, None, {"network": NET})
    with pytest.raises(DataError):
        check_asked(task, sq.demo_city("synthetic", n_areas=41), {"network": NET})
    kinds = {"good": sq.Kind(theta=700, n_sensors=1), "cheap": sq.Kind(theta=300, n_sensors=2)}
    several = sq.optimise(CITY, kinds=kinds, method="greedy")
    with pytest.raises(ProblemError):
        check_asked(task, CITY, {"network": several})


@pytest.mark.parametrize("name", ["explain", "alternatives"])
def test_problems_that_cannot_be_asked_again_are_refused(name: str) -> None:
    """By the question's own words, before it is a job."""
    net = sq.optimise(CITY, reach={"pop_elderly": 0.2})
    with pytest.raises(ProblemError) as refusal:
        check_asked(TASKS[name], CITY, {"network": net})
    assert refusal.value.field == "reach"


@pytest.mark.parametrize("name", list(TASKS))
def test_checking_asks_no_solver(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is answered while somebody waits: what takes long is left to the job."""

    def asked(*_: object, **__: object) -> None:
        pytest.fail("a check began to solve")

    for solver in (
        "spineq.solvers.branch_bound.branch_bound",
        "spineq.solvers.lagrangian.lagrangian",
        "spineq.insight._failures.most_missed",
    ):
        monkeypatch.setattr(solver, asked)
    task = task_named(name)
    parameters = check_asked(task, CITY, {"network": NET, **ASKED[name]}).parameters
    # The same is asked where the job runs.
    with pytest.raises(pytest.fail.Exception, match="began to solve"):
        task.function(city=CITY, progress=SilentProgress(), **parameters)


def same(one: Any, other: Any) -> bool:
    """Whether two answers are the same, networks but for the time that they took."""
    alike = one.to_dict() == other.to_dict()
    if isinstance(one, Alternatives):
        pairs = zip(
            [one.network, *(each.network for each in one.found)],
            [other.network, *(each.network for each in other.found)],
            strict=True,
        )
        return alike and all(mine == theirs for mine, theirs in pairs)
    return alike and one.summary() == other.summary()


@pytest.mark.parametrize("name", TASKS)
def test_the_answer_is_the_library_s(name: str) -> None:
    """The function takes the checked parameters; bytes bring it back; a stop is partial."""
    task, words = TASKS[name], ASKED[name]
    asked = check_asked(task, CITY, {"network": NET, **words})
    made = task.function(CITY, SilentProgress(), **json.loads(json.dumps(asked.parameters)))
    expected = getattr(sq, name)(CITY, NET, **words)
    assert isinstance(made, Explanation | Robustness | Alternatives)
    assert made.to_dict() == expected.to_dict()
    assert same(task.load(task.dump(made)), made)
    assert task.is_partial is not None
    assert not task.is_partial(made)
    cut = task.function(CITY, RecordingProgress(stop_after=2), **asked.parameters)
    assert task.is_partial(cut)
    assert same(task.load(task.dump(cut)), cut)


@pytest.mark.parametrize("name", ["explain", "robustness"])
def test_places_that_are_no_sites_are_asked_about(name: str) -> None:
    """Sensors of one's own, wherever they stand."""
    net = sq.evaluate(CITY, CITY.site_xy[:3] + 50.0)
    task = TASKS[name]
    asked = check_asked(task, CITY, {"network": net})
    made = task.function(CITY, SilentProgress(), **asked.parameters)
    assert made.to_dict() == getattr(sq, name)(CITY, net).to_dict()
    assert same(task.load(task.dump(made)), made)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"{}", b'{"found": [{}]}', b"null"])
def test_damaged_answers_are_no_answers(name: str, data: bytes) -> None:
    """ValueError is what the queue takes for damage."""
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        TASKS[name].load(data)


@pytest.mark.cluster
def test_questions_are_answered_by_a_worker(tmp_path: Path) -> None:
    """As here; the second time from the store."""
    with sq.JobQueue(store=tmp_path / "store", n_workers=1) as queue:
        jobs = {name: queue.submit(CITY, task=name, network=NET, **ASKED[name]) for name in TASKS}
        for name, job in jobs.items():
            expected = getattr(sq, name)(CITY, NET, **ASKED[name])
            assert job.result(timeout=60).to_dict() == expected.to_dict()
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        again = queue.submit(CITY.digest, task="explain", network=NET, **ASKED["explain"])
        assert again.snapshot().from_cache
        assert again.result(timeout=1).place.site == FREE
