"""The task `report`: strict parameters, and a report that a worker makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from command_line import good

import spineq as sq
from spineq.jobs.tasks import check_asked, task_named
from spineq.report.bundle import Bundle


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=30)


def asked(city: sq.City, **words: Any) -> Any:
    return check_asked(task_named("report"), city, words)


def test_the_same_question_is_the_same_report(city: sq.City) -> None:
    """However it is asked, and wherever answers are looked up."""
    groups = {"children": sq.Group(ages=(0, 15)), "jobs": sq.Group(column="workers")}
    problem = sq.Problem(n_sensors=3, theta=400, groups=groups)
    one = asked(city, problem=problem)
    other = asked(
        city, n_sensors=3, theta=400, store="somewhere",
        groups={"children": {"ages": [0, 15]}, "jobs": {"column": "workers"}},
    )  # fmt: skip
    assert one.question == other.question
    assert one.version == other.version
    others = [
        asked(city, problem=problem, what_if=True),
        asked(city, problem=problem, by="workers"),
        asked(city, n_sensors=3, theta=400),
        asked(city, n_sensors=3, theta=400, groups=groups, keep=[str(city.sites.index[0])]),
        asked(city, problem=problem, sections=["sure"]),
        asked(city, problem=problem, sections=["places", "sure"]),
        asked(city, problem=problem, refuse=False),
        asked(city, problem=problem, scenarios=7),
    ]
    assert len({each.question for each in [one, *others]}) == 9
    # In whatever order sections are named.
    assert others[-3].question == asked(city, problem=problem, sections=["sure", "places"]).question


def test_a_problem_is_reported_on_as_it_is(city: sq.City) -> None:
    """One for all residents stays one, although a report's usual groups are four."""
    problem = sq.Problem(n_sensors=3)
    assert list(asked(city, problem=problem).parameters["groups"]) == ["pop_total"]
    assert len(asked(city, n_sensors=3).parameters["groups"]) == 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"n_sensor": 3}, "task 'report' has no parameter 'n_sensor'"),
        ({"n_sensors": 31}, "more than the city's 30 sites"),
        ({"n_sensors": 3, "what_if": "yes"}, "what_if must be true or false"),
        ({"problem": 3}, "a Problem is needed"),
        ({"n_sensors": 3, "output": "x"}, "no parameter 'output'"),
        ({"n_sensors": 3, "sections": ["x"]}, "no section 'x'"),
    ],
)
def test_what_is_wrong_is_refused_before_a_job_is_made(
    words: dict[str, Any], sentence: str, city: sq.City
) -> None:
    with pytest.raises(sq.SpineqError, match=sentence):
        asked(city, **words)


@pytest.mark.slow
@pytest.mark.cluster
def test_a_worker_makes_it_and_it_can_be_cancelled(
    city: sq.City, tmp_path: Path, needs: Callable[[str], ModuleType]
) -> None:
    """It reads the finished answer, its files come back by the queue, and a stop ends it."""
    for name in ("papermill", "nbconvert", "openpyxl", "moocore"):
        needs(name)
    store = tmp_path / "store"
    words: dict[str, Any] = {"n_sensors": 3, "theta": 400, "groups": sq.GROUPS}
    with sq.JobQueue(store=store, n_workers=2) as queue:
        net = queue.submit(city, **words).result(timeout=120)
        job = queue.submit(city, task="report", store=str(store), **words)
        stopped = queue.submit(city, task="report", what_if=True, **words)
        while not stopped.progress.message.startswith(("The", "Where", "What", "Against", "Who")):
            assert not stopped.has_ended
        stopped.cancel()
        assert stopped.wait(timeout=60).state == "cancelled"
        messages = [snapshot.progress.message for snapshot in job.watch()]
        bundle = job.result(timeout=240)
    assert isinstance(bundle, Bundle)
    assert any("network" in message for message in messages)
    out = bundle.write(tmp_path / "out")
    assert sq.read_network(out / "data" / "network.nc") == net
    # The seconds are those of the answer in the store: it was not computed again.
    assert sq.read_network(out / "data" / "network.nc").seconds == net.seconds
    text = good("jobs", "result", job.id, "--store", store, "--output", tmp_path / "again")
    assert "report.html" in text
    assert (tmp_path / "again" / "report.html").is_file()
