"""The original's HTTP routes, to the letter."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from served import Served, served

import spineq as sq
from spineq.model.problem import Problem

JOB = {"job_id", "call_str", "status", "progress", "last_message", "result"}


def finished(gateway: Served, job_id: str) -> dict[str, Any]:
    """Ask until a job has finished."""
    end = time.monotonic() + 120
    while True:
        job: dict[str, Any] = gateway.get(f"/job/{job_id}").json()
        if job["status"] == "finished":
            return job
        assert job["status"] in ("queued", "started"), job
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.cluster
@pytest.mark.slow
def test_a_job_from_submit_to_result(live: Served) -> None:
    """With the defaults of the original, and its method."""
    made = live.get("/optimise").json()
    assert set(made) == JOB
    assert made["status"] in ("queued", "started")
    assert made["result"] is None
    job = finished(live, made["job_id"])
    assert set(job) == JOB
    assert job["progress"] == 100
    assert job["last_message"] == "Finished"
    wanted = sq.optimise(live.city, n_sensors=5, theta=500, method="greedy")
    assert job["result"]["placement_history"] == list(wanted.placement_history)
    assert job["result"] | {"seconds": 0} == wanted.to_dict() | {"seconds": 0}
    assert made["job_id"] in live.get("/queue").json()["finished"]


def test_words_become_the_problem(serve: Callable[..., Served]) -> None:
    """Ages and weights too, which the original passed over."""
    made = serve()
    words = "n_sensors=3&theta=789&min_age=3&max_age=18&population_weight=0.5&workplace_weight=0.5"
    answer = made.get(f"/optimise?{words}&lad20cd=s1").json()
    assert answer["status"] == "queued"
    assert answer["last_message"] == "Queued"
    assert answer["progress"] == 0
    (job,) = made.queue.jobs()
    wanted = Problem.from_words(
        n_sensors=3, theta=789, min_age=3, max_age=18, population_weight=0.5,
        workplace_weight=0.5, method="greedy",
    )  # fmt: skip
    assert Problem.from_dict(job.parameters) == wanted
    assert job.user == "web 127.0.0.1"
    assert answer["call_str"].startswith("spineq.optimise('Smallton', n_sensors=3, theta=789")
    other = serve(method="auto")
    job = other.queue.get(other.get("/optimise").json()["job_id"]).snapshot()
    assert "method" not in job.parameters


def test_the_queue_and_what_is_deleted_from_it(serve: Callable[..., Served]) -> None:
    """One job by id, and all that wait, by POST."""
    made = serve()
    ids = [made.get(f"/optimise?n_sensors={k}").json()["job_id"] for k in range(1, 5)]
    assert made.get("/queue").json() == {
        "queued": ids, "started": [], "finished": [], "failed": [],
    }  # fmt: skip
    said = made.post(f"/queue/delete/{ids[0]}").json()
    assert said == {"code": 200, "message": f"Successfully deleted job {ids[0]}"}
    assert made.get("/queue").json()["queued"] == ids[1:]
    assert made.post("/queue/deleteall").json() == {
        "code": 200, "message": "Removed all jobs from the queue",
        "n_jobs_removed": 3, "n_jobs_remaining": 0,
    }  # fmt: skip
    assert made.queue.jobs() == []


@pytest.mark.parametrize("job_id", ["0000000000000000", "nope", "%00", "a%2Fb", "\U0001f600" * 20])
def test_a_job_that_is_not_there(serve: Callable[..., Served], job_id: str) -> None:
    """In the original's words."""
    made = serve()
    for answer in (made.get(f"/job/{job_id}"), made.post(f"/queue/delete/{job_id}")):
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == 404
    assert made.get("/job/nope").json() == {
        "error": {"code": 404, "message": "No job with id nope"}
    }


@pytest.mark.parametrize("path", ["/queue/deleteall", "/queue/delete/0000000000000000"])
def test_a_link_empties_no_queue(serve: Callable[..., Served], path: str) -> None:
    """405 in words, and what to do instead."""
    made = serve()
    made.get("/optimise")
    answer = made.get(path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "A link must not empty a queue" in answer.json()["error"]["message"]
    assert len(made.queue.jobs()) == 1


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ("n_sensors=0", "n_sensors must be 1 or more"),
        ("n_sensors=five", "n_sensors must be a whole number, not 'five'"),
        ("n_sensors=1e9", "n_sensors must be a whole number"),
        ("theta=-1", "theta must be above 0"),
        ("theta=nan", "theta must be a finite number"),
        ("theta=inf", "theta must be a finite number"),
        ("min_age=50&max_age=10", "field min_age|youngest|ages"),
        ("max_age=91", "max_age must be 90 or less"),
        ("population_weight=0", "weight"),
        ("n_sensors=61", "61"),
        ("lad20cd=E99999999", "there is no city 'E99999999'. Use one of S1"),
    ],
)
def test_bad_words_are_refused_in_words(
    serve: Callable[..., Served], query: str, match: str
) -> None:
    """In the original's form of an error, and nothing is submitted."""
    import re

    made = serve()
    answer = made.get(f"/optimise?{query}")
    assert answer.status_code in (404, 422)
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    assert re.search(match, error["message"]), error
    assert made.queue.jobs() == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b"null", b"\xff\xfe", b'{"sensors": "001"}', b'{"sensors": [1]}',
        b"{}", b'{"sensors": ["nowhere"]}', b'{"sensors": ["1"], "theta": "x"}',
        b'{"sensors": ["1"], "theta": NaN}', b'{"sensors": ["1"], "theta": 0}',
        b'{"sensors": ["1"], "lad20cd": 7}', b'{"sensors": ["1"], "lad20cd": "nope"}',
        b'{"sensors": ["\\ud800"]}', b"[" * 5000, b'{"theta": 1' + b"0" * 5000 + b"}",
    ],
)  # fmt: skip
def test_bad_coverage_is_refused_in_words(serve: Callable[..., Served], body: bytes) -> None:
    """Whatever is sent."""
    answer = serve().post("/coverage", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 404, 422)
    assert answer.json()["error"]["code"] == answer.status_code
    assert answer.json()["error"]["message"]


@pytest.fixture(scope="module")
def newcastle(
    _web: None, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A gateway for the original's own city."""
    city = sq.read_city(shared / "data" / "cities" / "E08000021")
    store = tmp_path_factory.mktemp("newcastle") / "store"
    with sq.JobQueue(store=store, connect=False) as queue, served(queue, city) as made:
        yield made


@pytest.mark.filterwarnings("ignore::spineq.SpineqWarning")
def test_the_worked_example_of_the_original(newcastle: Served, shared: Path) -> None:
    """Its figures to 1e-12, with and without the city's code, and with its defaults."""
    wanted = json.loads((shared / "reference.json").read_text())["coverage_example"]
    asked = {"sensors": wanted["sensors"], "theta": wanted["theta"], "lad20cd": "E08000021"}
    answers = [
        newcastle.post("/coverage", json=asked).json(),
        newcastle.post("/coverage", json={"sensors": wanted["sensors"]}).json(),
    ]
    assert answers[0] == answers[1]
    assert set(answers[0]) == {"oa_coverage", "total_coverage"}
    total = answers[0]["total_coverage"]
    assert total == pytest.approx(wanted["total_coverage"], abs=1e-12, rel=0)
    areas = {each["oa11cd"]: each["coverage"] for each in answers[0]["oa_coverage"]}
    assert len(areas) == newcastle.city.n_areas
    for area, coverage in wanted["oa_coverage"].items():
        assert areas[area] == pytest.approx(coverage, abs=1e-12, rel=0)


def test_the_first_page_says_what_there_is(serve: Callable[..., Served]) -> None:
    """With the city, the routes and how deleting works."""
    page = serve().get("/")
    assert page.headers["content-type"].startswith("text/html")
    for words in ("Smallton", "/optimise", "/api/v1/jobs", "submitJob", "need the gateway"):
        assert words in page.text
    assert "Started with <code>--compat</code>" in serve(compat=True).get("/").text
    assert serve().get("/nowhere").json() == {
        "error": {"code": 404, "message": "There is nothing at /nowhere. See / for what there is."}
    }
