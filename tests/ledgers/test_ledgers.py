"""Ledgers of earlier versions are read by every later one: each folder here is a promise."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import spineq as sq
from spineq.errors import JobCancelledError, JobExpiredError, JobFailedError
from spineq.jobs import tasks
from spineq.jobs.index import Index
from spineq.jobs.ledger import Ledger
from spineq.jobs.tasks import check_asked, run_digest, task_named
from spineq.jobs.worker import city_at

HERE = Path(__file__).parent

RESULTS: dict[str, Any] = {"1hf7yat01vbt2m07": {"sum": 10}}
ERRORS = {
    "1hf7yat01vbt2m04": JobFailedError,
    "1hf7yat01vbt2m05": JobCancelledError,
    "1hf7yat01vbt2m06": JobExpiredError,
    "1hf7yat01vbt2m08": JobFailedError,
    "1hf7yat01vbt2m12": JobCancelledError,
}


@pytest.fixture(params=sorted(path.stem for path in HERE.glob("v*.json")))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """Copy of an old ledger, and what its version knew of it."""
    shutil.copytree(HERE / request.param, tmp_path / "store")
    known = json.loads((HERE / f"{request.param}.json").read_text(encoding="utf-8"))
    return str(tmp_path / "store"), known


@pytest.fixture
def queue(
    old: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[sq.JobQueue]:
    """A queue that looks at the copy."""
    monkeypatch.setattr(tasks, "_TASKS", dict(tasks._TASKS))
    sq.register_task("count", lambda city, progress, *, up_to: up_to, parameters={"up_to": int})
    with sq.JobQueue(store=old[0], connect=False) as made:
        yield made


def _known_of(found: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The part of what is found that the old version knew."""
    return {
        name: _known_of(found[name], value) if isinstance(value, dict) else found[name]
        for name, value in known.items()
    }


def test_every_job_is_what_it_was(old: tuple[str, dict[str, Any]]) -> None:
    """State, times, words and figures, by the segment and by the jobs' own files."""
    where, known = old
    for with_segments in (True, False):
        ledger = Ledger.open(where)
        if not with_segments:
            for name in ledger.segment_names():
                ledger.delete_segment(name)
        index = Index(ledger)
        index.refresh()
        found = {job: index.snapshot(entry).to_dict() for job, entry in index.entries.items()}
        assert found.keys() == known["jobs"].keys()
        for job, was in known["jobs"].items():
            assert _known_of(found[job], was) == was


def test_all_states_are_there(old: tuple[str, dict[str, Any]], queue: sq.JobQueue) -> None:
    """The listing has the latest first, and every state that a job can be in."""
    found = queue.jobs()
    assert [job.id for job in found] == sorted(old[1]["jobs"], reverse=True)
    assert len({job.state for job in found}) == 7
    assert {job.user for job in queue.jobs(user="björn", tag="old")} == {"björn"}


def test_answers_are_read(old: tuple[str, dict[str, Any]], queue: sq.JobQueue) -> None:
    """Networks, one of them cut short, and what another task returned."""
    for job, was in old[1]["networks"].items():
        network = queue.get(job).result()
        assert json.loads(json.dumps(_known_of(network.to_dict(), was))) == was
        assert network.stopped == (queue.get(job).snapshot().cut_short != "")
    for job, result in RESULTS.items():
        assert queue.get(job).result() == result
    assert queue.get("1hf7yat01vbt2m03").result() == queue.get("1hf7yat01vbt2m01").result()
    assert queue.get("1hf7yat01vbt2m05").best() == [1, 2]


def test_other_ends_are_the_errors_that_they_were(queue: sq.JobQueue) -> None:
    """Failed, cancelled and expired jobs say so."""
    for job, error in ERRORS.items():
        with pytest.raises(error):
            queue.get(job).result()


def test_the_city_is_read_and_its_question_has_the_same_name(
    old: tuple[str, dict[str, Any]],
) -> None:
    """So that an answer of the same solver is found again."""
    ledger, job = Ledger.open(old[0]), "1hf7yat01vbt2m01"
    record = ledger.job(job)
    city = city_at(ledger, record.city)
    assert city.digest == record.city
    task = task_named("optimise")
    asked = check_asked(task, city, {"n_sensors": 2, "method": "greedy"})
    if asked.version == record.version:
        assert run_digest(task, asked, city.digest) == record.run


def test_what_is_kept_here_is_small() -> None:
    """It stays in the history for ever."""
    for folder in HERE.glob("v*/"):
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        assert size < 200_000
