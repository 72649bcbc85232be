"""The documented API: jobs, trade-offs, cities, coverage."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from served import Served, served

import spineq as sq
from spineq.errors import ProblemError
from spineq.gateway.answers import status_of
from spineq.model.problem import Problem

API = "/api/v1"
PROBLEM = "application/problem+json"


def ended(gateway: Served, job: dict[str, Any]) -> dict[str, Any]:
    """Ask until a job has ended."""
    end = time.monotonic() + 120
    while job["state"] in ("queued", "running", "cancelling"):
        assert time.monotonic() < end
        time.sleep(0.05)
        job = gateway.get(job["links"]["self"]).json()
    return job


def events(gateway: Served, job: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Events of a job, until the stream ends."""
    import httpx

    with httpx.stream("GET", gateway.url + job["links"]["events"], timeout=120) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


@pytest.mark.cluster
@pytest.mark.slow
def test_a_job_from_submit_to_result(live: Served) -> None:
    """Submitted, followed to its end, its network read; the same as the library's."""
    problem = {
        "n_sensors": 4, "theta": 300, "method": "greedy",
        "groups": {"kids": {"ages": [0, 15], "weight": 2}, "jobs": {"column": "workers"}},
    }  # fmt: skip
    body = {"problem": problem, "tags": ["north", "b"], "note": "Mine", "priority": 3}
    answer = live.post(f"{API}/jobs", json=body)
    assert answer.status_code == 201
    job = answer.json()
    assert answer.headers["location"] == job["links"]["self"] == f"{API}/jobs/{job['id']}"
    assert (job["tags"], job["note"], job["priority"]) == (["b", "north"], "Mine", 3)
    assert job["city_name"] == "Smallton"
    heard = list(events(live, job))
    assert {name for name, _ in heard[:-1]} <= {"progress"}
    assert heard[-1][0] == "end"
    assert heard[-1][1]["state"] == "finished"
    assert heard[-1][1]["has_result"]
    found = live.get(heard[-1][1]["links"]["result"]).json()
    groups = {"kids": sq.Group(ages=(0, 15), weight=2), "jobs": sq.Group(column="workers")}
    wanted = sq.optimise(live.city, n_sensors=4, theta=300, groups=groups, method="greedy")
    assert found | {"seconds": 0} == json.loads(json.dumps(wanted.to_dict())) | {"seconds": 0}
    sensors = live.get(f"{job['links']['self']}/sensors")
    assert sensors.headers["content-type"] == "application/geo+json"
    features = sensors.json()["features"]
    assert [each["properties"]["area"] for each in features] == found["placement_history"]
    assert all(abs(each["geometry"]["coordinates"][0]) <= 180 for each in features)
    # A browser that comes back after the end is told to stop.
    assert live.get(job["links"]["events"], headers={"Last-Event-ID": "end"}).status_code == 204
    # Followed once more, it has ended; and whoever asks the same is answered from the store.
    assert [name for name, _ in events(live, job)] == ["end"]
    assert live.post(f"{API}/jobs", json=body).json()["from_store"]


@pytest.mark.cluster
@pytest.mark.slow
def test_a_trade_off(live: Served) -> None:
    """A job of its own kind, with a front at its end; the other kind's routes do not show it."""
    made = live.post(f"{API}/trade-offs", json={"problem": {"n_sensors": 3, "size": 20}})
    assert made.status_code == 201
    job = ended(live, made.json())
    assert job["state"] == "finished", job
    front = live.get(job["links"]["result"]).json()
    assert len(front["networks"]) > 1
    assert 0 < front["hypervolume"] < 1
    listed = live.get(f"{API}/trade-offs").json()["jobs"]
    assert [each["id"] for each in listed] == [job["id"]]
    for path in ("result", "sensors"):
        wrong = live.get(f"{API}/jobs/{job['id']}/{path}")
        assert wrong.status_code == 409
        assert "Ask /api/v1/trade-offs" in wrong.json()["detail"]
    # On the original's wire it is a job without a result.
    told = live.get(f"/job/{job['id']}").json()
    assert (told["status"], told["result"]) == ("finished", None)
    # What a job says was asked may be asked again, and its links lead somewhere.
    again = live.post(f"{API}/trade-offs", json={"problem": job["problem"]}).json()
    assert again["from_store"]
    assert live.delete(again["links"]["self"]).status_code == 204
    assert live.post(job["links"]["cancel"]).json()["state"] == "finished"
    assert live.post(job["links"]["retry"]).status_code == 409
    assert live.get(job["links"]["events"]).status_code == 200
    assert live.delete(job["links"]["self"]).status_code == 204
    assert live.get(job["links"]["self"]).status_code == 404


@pytest.mark.cluster
@pytest.mark.slow
def test_cancelled_and_retried(live: Served) -> None:
    """What a job had found by then is its result; a retry goes to the end."""
    city = sq.demo_city("synthetic", n_areas=8_000)
    digest = live.queue.submit(city, n_sensors=1, method="greedy").snapshot().city
    body = {"city": digest, "problem": {"n_sensors": 60, "method": "greedy"}}
    job = live.post(f"{API}/jobs", json=body).json()
    for name, heard in events(live, job):
        if name == "progress" and heard["progress"]["fraction"] > 0.05:
            break
    early = live.get(job["links"]["result"])
    assert early.status_code == 409
    assert "has no answer yet" in early.json()["detail"]
    cancelled = ended(live, live.post(f"{job['links']['self']}/cancel").json())
    assert cancelled["state"] == "cancelled"
    again = live.post(f"{job['links']['self']}/retry").json()
    assert again["state"] in ("queued", "running")
    assert ended(live, again)["state"] == "finished"
    refused = live.post(f"{job['links']['self']}/retry")
    assert refused.status_code == 409


def test_followed_until_it_is_deleted(serve: Callable[..., Served]) -> None:
    """The stream says so, and ends; whoever stops listening leaves nothing behind."""
    made = serve()
    job = made.post(f"{API}/jobs", json={"problem": {"n_sensors": 2}}).json()
    heard = events(made, job)
    assert next(heard)[1]["state"] == "queued"
    made.delete(job["links"]["self"])
    assert list(heard) == [("gone", {"id": job["id"]})]
    other = made.post(f"{API}/jobs", json={"problem": {"n_sensors": 3}}).json()
    listening = events(made, other)
    next(listening)
    before = len(made.queue.keeper._watchers)
    listening.close()
    end = time.monotonic() + 30
    while len(made.queue.keeper._watchers) >= before:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_lists_with_filters_and_pages(serve: Callable[..., Served]) -> None:
    """The latest first, each once; the address of the next page keeps the filters."""
    made = serve()
    for k in range(1, 6):
        body = {"problem": {"n_sensors": k}, "tags": [f"t{k % 2}"]}
        assert made.post(f"{API}/jobs", json=body).status_code == 201
    made.queue.submit(sq.demo_city("synthetic", n_areas=50), n_sensors=1, user="ann")
    seen, page = [], f"{API}/jobs?tag=t1&city=S1&limit=2"
    while page:
        answer = made.get(page).json()
        assert len(answer["jobs"]) <= 2
        seen += [job["problem"]["n_sensors"] for job in answer["jobs"]]
        page = answer["next"]
    assert seen == [5, 3, 1]
    for query, number in (
        ("", 6), ("user=ann", 1), ("user=nobody", 0), ("state=queued&state=running", 6),
        ("state=finished", 0), ("task=optimise", 6), ("task=trade_off", 0), ("offset=4", 2),
        ("offset=1000000000", 0), ("city=smallton", 5), (f"city={made.city.digest}", 5),
    ):  # fmt: skip
        assert len(made.get(f"{API}/jobs?{query}").json()["jobs"]) == number, query
    for query in ("state=done", "limit=0", "limit=501", "offset=-1", "limit=x", "city=nowhere"):
        answer = made.get(f"{API}/jobs?{query}")
        assert answer.status_code in (404, 422), query
        assert answer.headers["content-type"] == PROBLEM
    assert made.delete(f"{API}/jobs?state=finished").json() == {"deleted": 0}
    assert made.delete(f"{API}/jobs").status_code == 422
    assert made.delete(f"{API}/jobs?state=queued").json() == {"deleted": 6}


def test_one_key_one_job(serve: Callable[..., Served]) -> None:
    """Sent again, by a client whose answer was lost, it is the same job; another asks for more."""
    made = serve()
    body, key = {"problem": {"n_sensors": 2}}, {"Idempotency-Key": "mine-1"}
    first = made.post(f"{API}/jobs", json=body, headers=key).json()
    assert made.post(f"{API}/jobs", json=body, headers=key).json()["id"] == first["id"]
    assert made.post(f"{API}/jobs", json=body).json()["id"] != first["id"]
    other = made.post(f"{API}/jobs", json={"problem": {"n_sensors": 3}}, headers=key)
    assert other.status_code == 422
    assert "this key was given to another job" in other.json()["detail"]
    assert len(made.queue.jobs()) == 2
    made.delete(first["links"]["self"])
    anew = made.post(f"{API}/jobs", json=body, headers=key)
    assert anew.status_code == 201
    long = made.post(f"{API}/jobs", json=body, headers={"Idempotency-Key": "x" * 201})
    assert long.status_code == 422


def test_cities(serve: Callable[..., Served]) -> None:
    """That of the start, then those of jobs; by code, name or digest; with their areas."""
    made = serve()
    other = sq.demo_city("synthetic", n_areas=50).labelled(name="Otherton", code="S2")
    made.queue.submit(other, n_sensors=1)
    listed = made.get(f"{API}/cities").json()
    assert [each["name"] for each in listed["cities"]] == ["Smallton", "Otherton"]
    assert listed["next"] is None
    first = made.get(f"{API}/cities?limit=1").json()
    assert len(first["cities"]) == 1
    assert [each["name"] for each in made.get(first["next"]).json()["cities"]] == ["Otherton"]
    for name in ("S2", "s2", "OTHERTON", other.digest):
        found = made.get(f"{API}/cities/{name}").json()
        assert found["digest"] == other.digest
    assert found["areas"] == 50
    assert found["groups"]["pop_total"]["people"] == pytest.approx(
        other.people(sq.GROUPS["pop_total"]).values.sum()
    )
    assert found["columns"] == ["workers"]
    ids = list(made.city.dataset["area"].to_numpy())
    for path, number in (("areas", 60), ("sites", 60), ("existing", 0)):
        shown = made.get(f"{API}/cities/S1/{path}")
        assert shown.headers["content-type"] == "application/geo+json"
        features = shown.json()["features"]
        assert len(features) == number
        assert [each["id"] for each in features] == ids[:number]
        if path == "areas":
            people = sum(each["properties"]["pop_total"] for each in features)
            assert people == made.city.people(sq.GROUPS["pop_total"]).values.sum()
    # By the name that whoever started it gave it, too.
    assert made.get(f"{API}/cities/here").json()["name"] == "Smallton"
    unknown = made.get(f"{API}/cities/nowhere")
    assert unknown.status_code == 404
    assert "Use one of S1, S2" in unknown.json()["detail"]
    job = made.post(f"{API}/jobs", json={"city": "S2", "problem": {"n_sensors": 1}}).json()
    assert job["city"] == other.digest


def test_a_damaged_city_hides_no_other(serve: Callable[..., Served]) -> None:
    """Neither from the list nor from who looks for another by its code."""
    made = serve()
    cities = [
        sq.demo_city("synthetic", n_areas=n).labelled(name=f"City {n}", code=f"C{n}")
        for n in (50, 51)
    ]
    for city in cities:
        made.queue.submit(city, n_sensors=1)
    (file,) = Path(made.queue.store).glob(f"cities/{cities[1].digest}*")
    file.write_bytes(b"torn")
    with served(sq.JobQueue(store=made.queue.store, connect=False), made.city) as other:
        listed = other.get(f"{API}/cities").json()["cities"]
        assert [each["code"] for each in listed] == ["S1", "C50"]
        assert other.get(f"{API}/cities/c50").json()["name"] == "City 50"
        assert other.get(f"{API}/cities/nowhere").status_code == 404
        assert other.get("/optimise?lad20cd=nope").status_code == 404
        assert other.get(f"{API}/cities/{cities[1].digest}").status_code == 422
        assert len(other.get(f"{API}/jobs?city=city+51").json()["jobs"]) == 1
        other.queue.close()


def test_what_a_job_says_was_asked_may_be_asked_again(serve: Callable[..., Served]) -> None:
    """With groups, floors and limits, as it stands in the answer."""
    made = serve()
    problem = {
        "n_sensors": 3, "theta": 400, "objective": "worst",
        "groups": {"kids": {"ages": [0, 15], "weight": 2}, "jobs": {"column": "workers"}},
        "at_least": {"pop_elderly": 0.01}, "region": "area_id", "max_per_region": {"A01": 1},
        "forbid": ["A02"],
    }  # fmt: skip
    first = made.post(f"{API}/jobs", json={"problem": problem})
    assert first.status_code == 201, first.text
    again = made.post(f"{API}/jobs", json={"problem": first.json()["problem"]})
    assert again.status_code == 201, again.text
    assert again.json()["problem"] == first.json()["problem"]
    ledger = made.queue.keeper.ledger
    assert len({ledger.job(each.json()["id"]).run for each in (first, again)}) == 1


def test_networks_that_wait_to_be_measured_hold_up_nothing(serve: Callable[..., Served]) -> None:
    """Two at a time; the rest of the gateway answers meanwhile, and too many are refused."""
    made = serve()
    groups = {f"g{k}": {"ages": [0, k]} for k in range(1, 91)}
    body = {"sensors": [str(a) for a in made.city.dataset["area"].to_numpy()], "groups": groups}
    answers: list[int] = []

    def ask() -> None:
        answers.append(made.post(f"{API}/coverage", json=body).status_code)

    threads = [threading.Thread(target=ask) for _ in range(60)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert made.get("/queue").status_code == 200
    print(f"GET /queue beside 60 measurements: {time.monotonic() - began:.2f} s")
    for thread in threads:
        thread.join(120)
    assert set(answers) <= {200, 429}
    assert answers.count(200) >= 32
    assert len(answers) == 60


def test_a_retry_finds_no_room_either(serve: Callable[..., Served]) -> None:
    """What was cancelled and is wanted again counts as what is new."""
    made = serve(room={"max_waiting": 3, "max_waiting_per_user": 2})
    jobs = []
    for k in (1, 2, 3):
        job = made.post(f"{API}/jobs", json={"problem": {"n_sensors": k}}).json()
        made.post(job["links"]["cancel"])
        jobs.append(job)
    for job in jobs[:2]:
        assert made.post(job["links"]["retry"]).json()["state"] == "queued"
    refused = made.post(jobs[2]["links"]["retry"])
    assert refused.status_code == 429
    assert "2 jobs of 'web 127.0.0.1' wait" in refused.json()["detail"]
    assert made.get(jobs[2]["links"]["self"]).json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("path", "method"),
    [("jobs?stat=queued", "GET"), ("jobs?state=queued&tagg=x", "DELETE"), ("cities?page=2", "GET"),
     ("trade-offs?state=queued", "GET"), ("jobs/0000000000000000?x=1", "DELETE")],
)  # fmt: skip
def test_a_misspelt_filter_lets_nothing_through(
    serve: Callable[..., Served], path: str, method: str
) -> None:
    """Least of all where it deletes."""
    made = serve()
    made.post(f"{API}/jobs", json={"problem": {"n_sensors": 1}})
    answer = made.request(method, f"{API}/{path}")
    assert answer.status_code == 422
    assert "there is no parameter" in answer.json()["detail"]
    assert len(made.queue.jobs()) == 1


def test_coverage_of_sensors_of_one_s_own(serve: Callable[..., Served]) -> None:
    """As the library measures it: by ids, by places, for groups."""
    made = serve()
    ids = [str(area) for area in made.city.dataset["area"].to_numpy()[:3]]
    xy = made.city.dataset[["x", "y"]].to_dataframe()[["x", "y"]].iloc[:3].to_numpy().tolist()
    group = {"kids": sq.Group(ages=(0, 15))}
    wanted = sq.evaluate(made.city, ids, theta=300, groups=group, decay="linear", bound="none")
    for sensors in (ids, xy):
        body = {
            "sensors": sensors, "theta": 300, "decay": "linear", "city": "S1",
            "groups": {"kids": {"ages": [0, 15]}},
        }  # fmt: skip
        answer = made.post(f"{API}/coverage", json=body)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["total_coverage"] == wanted.total_coverage
        assert found["group_coverage"]["kids"] == wanted.total_coverage
        assert found["upper_bound"] is None
    assert made.queue.jobs() == []
    for sensors in ([], "nowhere", ["nowhere"], [[1e9, 1e9]], [[1]], [1], None, "existing"):
        answer = made.post(f"{API}/coverage", json={"sensors": sensors})
        assert answer.status_code == 422, sensors
        assert answer.json()["detail"]


def test_problems_that_a_rule_makes_are_refused_when_they_are_submitted(
    serve: Callable[..., Served],
) -> None:
    """What the library refuses the API refuses, with its words."""
    made = serve()
    words = {"n_sensors": 3, "keep": ["000001"], "forbid": ["000001"]}
    with pytest.raises(ProblemError) as refused:
        Problem.from_words(**words)
    answer = made.post(f"{API}/jobs", json={"problem": words})
    assert answer.json()["detail"] == str(refused.value)
    assert answer.status_code == status_of(refused.value)


def test_its_documentation_asks_nobody_else(serve: Callable[..., Served]) -> None:
    """The page, its script and the description come from the gateway."""
    made = serve()
    page = made.get("/docs").text
    assert "https://" not in page
    assert "http://" not in page
    for part in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/static-offline-docs/{part}" in page
        assert made.get(f"/static-offline-docs/{part}").status_code == 200
    described = made.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert f"{API}/jobs/{{job_id}}/events" in described["paths"]
    for path, operations in described["paths"].items():
        for operation in operations.values():
            kind = PROBLEM if path.startswith(API) else "application/json"
            assert set(operation["responses"]["4XX"]["content"]) == {kind}


def test_a_method_that_is_not_answered(serve: Callable[..., Served]) -> None:
    """405, and all that are."""
    made = serve()
    for path, allowed in (
        (f"{API}/jobs", "DELETE, GET, POST"), (f"{API}/jobs/0000000000000000", "DELETE, GET"),
        ("/queue/deleteall", "POST"), ("/coverage", "POST"), ("/queue", "GET"),
    ):  # fmt: skip
        answer = made.request("PATCH", path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == allowed
        assert f"use {allowed}" in answer.text


def test_an_error_of_ours_shows_nothing_of_the_inside(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, no path: a sentence, and the log for whoever looks after it."""
    made = serve()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("/secret/place")

    monkeypatch.setattr(made.queue, "ids_by_state", broken)
    monkeypatch.setattr(made.queue, "jobs", broken)
    for path in ("/queue", f"{API}/jobs"):
        answer = made.get(path)
        assert answer.status_code == 500
        assert "The gateway's log says what" in answer.text
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
