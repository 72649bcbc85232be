"""What is wrong with a request, in words with field and mend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from job_records import job_of
from served import Served

from spineq.errors import (
    ClusterError,
    DataError,
    JobError,
    JobNotEndedError,
    JobNotFoundError,
    MissingExtraError,
    ProblemError,
    QueueFullError,
    SpineqError,
    StoreError,
    UnknownIdError,
    UnknownSensorError,
    UnknownTaskError,
)
from spineq.gateway.answers import public_words, refusal, status_of
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import Outcome

API, PROBLEM = "/api/v1", "application/problem+json"
JSON = {"Content-Type": "application/json"}


def problem(**words: Any) -> dict[str, Any]:
    """A submission."""
    return {"problem": {"n_sensors": 3} | words}


@pytest.mark.parametrize(
    ("body", "field", "match"),
    [
        ({}, "problem", "problem is missing"),
        ({"n_sensors": 3}, "problem", "Put n_sensors inside problem"),
        ([1], None, "the body is no JSON object"),
        ({"problem": {}}, "problem.n_sensors", "the number of sensors is missing"),
        ({"problem": [3]}, "problem", "problem must be an object, not [3]"),
        (problem(n_sensors="3"), "problem.n_sensors", "must be a whole number, not '3'"),
        (problem(n_sensors=3.5), "problem.n_sensors", "must be a whole number, not 3.5"),
        (problem(theta="x"), "problem.theta", "problem.theta must be a number, not 'x'"),
        (problem(theta=-1), "problem.theta", "problem.theta must be above 0, not -1"),
        (problem(effort=0), "problem.effort", "must be above 0"),
        (problem(aversion=101), "problem.aversion", "must be 100 or less, not 101"),
        (problem(seed=-1), "problem.seed", "must be 0 or more, not -1"),
        (problem(nsensors=1), "problem.nsensors", "Perhaps n_sensors is meant"),
        (problem(colour=1), "problem.colour", "there is no field 'problem.colour'"),
        (problem(method="best"), "problem.method", "must be 'auto', 'exchange', 'greedy'"),
        (problem(groups=3), "problem.groups", "must be an object, not 3"),
        (problem(groups={"a": {}}), "problem.groups.a", "must have either ages"),
        (
            problem(groups={"a": {"ages": [0, 9], "column": "workers"}}), "problem.groups.a",
            "must have either ages",
        ),
        (
            problem(groups={"a": {"ages": "0-15"}}), "problem.groups.a.ages",
            "problem.groups.a.ages must be a list, not '0-15'",
        ),
        (
            problem(groups={f"g{k}": {"column": "workers"} for k in range(101)}),
            "problem.groups", "must have 100 or fewer",
        ),
        (problem(groups={"a": {"column": "cats"}}), None, "cats"),
        (problem(at_least={"a": 3}), "problem.at_least.a", "must be"),
        (problem(n_sensors=99), "problem.n_sensors", "99"),
        (problem(forbid="A01"), "problem.forbid", "must be a list, not 'A01'"),
        (problem(forbid=["nowhere"]), "problem.forbid", "nowhere"),
        (problem() | {"tags": [""]}, "tags.0", "tags.0 must not be empty"),
        (problem() | {"note": "x" * 2001}, "note", "must have 2000 characters or fewer"),
        (problem() | {"note": "\ud800"}, None, "half a character"),
        (problem() | {"reuse": "no"}, "reuse", "reuse must be true or false, not 'no'"),
        (problem() | {"user": "root"}, "user", "there is no field 'user'"),
        (problem() | {"city": "nowhere"}, "city", "there is no city"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_question(
    serve: Callable[..., Served], body: Any, field: str | None, match: str
) -> None:
    """A problem document with sentence, field and mend; and nothing is submitted."""
    made = serve()
    answer = made.post(f"{API}/jobs", content=json.dumps(body), headers=JSON)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == PROBLEM
    said = answer.json()
    assert said["status"] == answer.status_code
    assert match in said["detail"], said["detail"]
    assert said["mend"] in said["detail"]
    assert "Input should" not in said["detail"]
    if field is not None:
        assert said["field"] == field
    assert made.queue.jobs() == []


@pytest.mark.parametrize(
    ("content", "headers", "match"),
    [
        (b"", JSON, "the body is missing"),
        (b"{bad", JSON, "the body is no JSON (Expecting"),
        (b"\xff\xfe", JSON, "the body is no JSON"),
        (b'{"problem": {"n_sensors": 3}}', {}, "the header Content-Type: application/json"),
        (b"problem=3", {"Content-Type": "application/x-www-form-urlencoded"}, "Content-Type"),
    ],
)
def test_what_is_no_question(
    serve: Callable[..., Served], content: bytes, headers: dict[str, str], match: str
) -> None:
    """The commonest mistakes of whoever writes requests by hand."""
    answer = serve().post(f"{API}/jobs", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert match in answer.json()["detail"]


@pytest.mark.parametrize("sensors", [[1, 64], [[1]], "x", [["a", 2]], [], [True], [[1, True]], 3])
def test_what_is_no_network(serve: Callable[..., Served], sensors: Any) -> None:
    """All forms that sensors may have in one sentence."""
    said = serve().post(f"{API}/coverage", json={"sensors": sensors}).json()
    assert said["field"] == "sensors"
    assert said["detail"].startswith('sensors must be a list of ids, such as ["001", "064"], or')


def test_the_key_by_its_name_on_the_wire(serve: Callable[..., Served]) -> None:
    """It comes in a header."""
    made, key = serve(), {"Idempotency-Key": "mine"}
    made.post(f"{API}/jobs", json=problem(), headers=key)
    said = made.post(f"{API}/jobs", json=problem(theta=9), headers=key).json()
    assert said["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (JobNotFoundError("x"), 404), (UnknownIdError("x"), 404), (QueueFullError("x"), 429),
        (JobNotEndedError("x"), 409), (JobError("x"), 409), (UnknownSensorError("x"), 422),
        (UnknownTaskError("x"), 422), (ProblemError("x"), 422), (DataError("x"), 422),
        (StoreError("x"), 503), (ClusterError("x"), 503), (MissingExtraError("x"), 501),
        (SpineqError("x"), 500),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_each_error_has_its_status(error: SpineqError, status: int) -> None:
    """Whose fault it is, and whether it is worth asking again."""
    assert status_of(error) == status


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/nothing", "/queue", "/api", "/apiary"])
def test_the_form_of_a_refusal_is_that_of_its_path(path: str) -> None:
    """One rule for all that is refused, wherever."""
    kind, body = refusal(path, 404, "No.")
    assert (kind == PROBLEM) == path.startswith("/api/v1/")
    assert "No." in (body["detail"] if kind == PROBLEM else body["error"]["message"])


@pytest.mark.parametrize(
    ("store", "text", "said"),
    [
        ("/data/my store", "'jobs/1' in /data/my store is gone", "'jobs/1' in the store is gone"),
        ("jobs", f"{Path.cwd()}/jobs has no jobs", "the store has no jobs"),
        ("file:///data/x", "/data/x or file:///data/x", "the store or the store"),
        ("s3://bucket/x", "s3://bucket/x/jobs", "the store/jobs"),
    ],
)
def test_nobody_hears_where_the_store_is(store: str, text: str, said: str) -> None:
    """A word that is no place is left alone."""
    assert public_words(text, store) == said


def test_a_store_that_is_gone(serve: Callable[..., Served]) -> None:
    """503 in words, and no place of this machine; once it is back, all goes on."""
    made = serve()
    store = Path(made.queue.store)
    job = made.post(f"{API}/jobs", json=problem()).json()
    aside = store.rename(store.with_name("aside"))
    store.write_text("no folder")
    answers = [
        made.post(f"{API}/jobs", json=problem(theta=450)),
        made.get("/optimise?n_sensors=4"),
        made.post("/queue/deleteall"),
        made.delete(job["links"]["self"]),
    ]
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert "cannot be used at the moment" in answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert str(store.parent) not in answer.text
    store.unlink()
    aside.rename(store)
    assert made.post(f"{API}/jobs", json=problem(theta=450)).status_code == 201


def test_a_job_that_failed_names_no_place(serve: Callable[..., Served]) -> None:
    """Its error is for clients too; the traceback is not."""
    made = serve()
    ledger = Ledger.open(made.queue.store)
    job = job_of(task="optimise", city_name="Smallton")
    words = f"the workers have another store at {made.queue.store} than this computer"
    error = {"type": "StoreError", "message": words, "traceback": "File secret.py"}
    ledger.put_job(job)
    ledger.publish(job.attempt, Outcome(event="failed", ended=1.7e9, lease=1, error=error))
    made.queue.refresh()
    paths = (f"{API}/jobs", f"{API}/jobs/{job.id}", f"/job/{job.id}", f"{API}/jobs/{job.id}/events")
    for path in paths:
        answer = made.get(path)
        assert answer.status_code == 200
        assert "the workers have another store at the store" in answer.text
        assert made.queue.store not in answer.text
        assert "secret" not in answer.text
    result = made.get(f"{API}/jobs/{job.id}/result")
    assert result.status_code == 409
    assert "has failed without an answer: the workers have another" in result.json()["detail"]
    assert made.queue.store not in result.text
