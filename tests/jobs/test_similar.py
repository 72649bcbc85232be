"""Stored answers near to a question, the nearest first."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from job_records import finished, submitted

from spineq.jobs.index import Index
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import Outcome, digest
from spineq.jobs.similar import nearest


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger in a folder."""
    return Ledger.open(str(tmp_path))


def answered(ledger: Ledger, parameters: dict[str, Any], **fields: Any) -> str:
    """Write a finished job of these parameters; returns its id."""
    words = {"task": "optimise", "city": "here", "run": digest(parameters)} | fields
    job = submitted(ledger, parameters=parameters, **words)
    ledger.publish(job.attempt, finished(job.run))
    return job.id


def near(ledger: Ledger, asked: dict[str, Any], limit: int = 99) -> list[tuple[float, str]]:
    """Distances and ids by a fresh index."""
    index = Index(ledger)
    index.refresh()
    return [(distance, job.id) for distance, job in nearest(index, "here", asked, limit)]


def test_the_distance_is_of_ratios_and_of_other_words(ledger: Ledger) -> None:
    """Half and double are equally far; a default that is left out is the default."""
    jobs = {
        answered(ledger, parameters): distance
        for parameters, distance in [
            ({"n_sensors": 10}, 0.0),
            ({"n_sensors": 11}, math.log(1.1)),
            ({"n_sensors": 20}, math.log(2)),
            ({"n_sensors": 5, "theta": 1000.0}, 2 * math.log(2)),
            ({"n_sensors": 10, "method": "greedy"}, 1.0),
            ({"n_sensors": 10, "groups": {"a": {"column": "x"}}, "decay": "step"}, 2.0),
        ]
    }
    found = near(ledger, {"n_sensors": 10})
    assert {job: pytest.approx(distance) for distance, job in found} == jobs
    assert found == sorted(found)
    assert near(ledger, {"n_sensors": 10}, limit=2) == found[:2]
    assert near(ledger, {"n_sensors": 10}, limit=0) == []


def test_only_whole_answers_for_the_city_are_near(ledger: Ledger) -> None:
    """Not those of other cities or tasks, that failed, wait, or were cut short."""
    parameters = {"n_sensors": 10}
    good = answered(ledger, parameters)
    answered(ledger, parameters, city="there")
    answered(ledger, parameters, task="other", run="b")
    for outcome in (
        None,
        Outcome(event="failed", ended=1.0),
        finished("c", cut_short="time limit"),
    ):
        job = submitted(ledger, task="optimise", city="here", parameters=parameters)
        if outcome is not None:
            ledger.publish(job.attempt, outcome)
    assert near(ledger, parameters) == [(0.0, good)]


def test_each_run_is_there_once(ledger: Ledger) -> None:
    """However many jobs asked for it."""
    for _ in range(3):
        answered(ledger, {"n_sensors": 3})
    assert len(near(ledger, {"n_sensors": 3})) == 1


def test_answers_in_segments_are_near_too(ledger: Ledger) -> None:
    """With their figures."""
    for n in range(1, 41):
        answered(ledger, {"n_sensors": n})
    before = near(ledger, {"n_sensors": 7})
    index = Index(ledger)
    index.refresh()
    index.compact()
    assert near(ledger, {"n_sensors": 7}) == before
    assert len(before) == 40
