"""The task `evaluate`: its parameters, and its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spineq as sq
from spineq.errors import DataError, ProblemError, SpineqError, UnknownSensorError
from spineq.jobs.evaluate_task import TASK
from spineq.jobs.tasks import check_asked, run_digest
from spineq.progress import RecordingProgress, SilentProgress

GROUPS = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}


def _city() -> sq.City:
    city = sq.demo_city("synthetic", n_areas=40)
    x, y = city.point_xy[3]
    return city.with_existing(pd.DataFrame({"x": [x + 1, x, x + 5000], "y": [y, y, y + 1]}))


CITY = _city()
SITES = [str(site) for site in CITY.dataset["site"].to_numpy()]
PLACES = [[float(x) + 20, float(y)] for x, y in CITY.point_xy[[4, 9, 4]]]

SENSORS: dict[str, Any] = {
    "ids": [SITES[7], SITES[2], SITES[7]],
    "places": PLACES,
    "existing": "existing",
    "existing-points": "existing-points",
    "none": [],
    "one": SITES[5],
}


def _run(words: dict[str, Any]) -> str:
    return run_digest(TASK, check_asked(TASK, CITY, words), "c")


@pytest.mark.parametrize("sensors", SENSORS.values(), ids=list(SENSORS))
@pytest.mark.parametrize(
    "words",
    [
        {"theta": 500},
        {"groups": GROUPS, "decay": "step", "theta": 900.0, "keep": SITES[:2]},
        {"groups": GROUPS, "objective": "worst_share", "bound": "quick", "keep": "existing"},
        {"aversion": 2.0, "bound": "none", "max_per_region": 3, "region": "ward"},
        {"population_weight": 1, "workplace_weight": 0.5},
    ],
    ids=["plain", "groups", "share", "aversion", "original"],
)
def test_the_answer_is_the_library_s(sensors: Any, words: dict[str, Any]) -> None:
    """By way of JSON too: the same network, bit for bit, in the order given; checked twice, the
    parameters are the same.
    """
    asked = check_asked(TASK, CITY, {"sensors": sensors, **words})
    parameters = json.loads(json.dumps(asked.parameters, allow_nan=False))
    assert check_asked(TASK, CITY, parameters) == asked
    made = TASK.function(CITY, SilentProgress(), **parameters)
    assert made == sq.evaluate(CITY, sensors, **words)
    assert TASK.load(TASK.dump(made)) == made
    assert TASK.figures is not None
    assert TASK.figures(made) == (made.objective_value, made.upper_bound)
    assert TASK.is_partial is not None
    assert not TASK.is_partial(made)
    assert "n_sensors" not in parameters


@given(st.data())
def test_equal_runs_are_equal_networks(data: st.DataObject) -> None:
    """Two questions are one run exactly where the library's answers to them are equal."""
    named = st.lists(st.sampled_from(SITES[:3]), max_size=3)
    placed = st.lists(st.sampled_from(PLACES), max_size=3)
    words = st.fixed_dictionaries(
        {"sensors": named | placed | st.sampled_from(["existing", "existing-points"])},
        optional={"theta": st.sampled_from([400, 500.0]), "seed": st.sampled_from([0, 1])},
    )
    one, other = data.draw(words), data.draw(words)
    equal = sq.evaluate(CITY, **one, bound="none") == sq.evaluate(CITY, **other, bound="none")
    assert (_run(one) == _run(other)) is equal


def test_equal_questions_are_one_run() -> None:
    """However places are written down, and groups are named; titles make no other question."""
    table = pd.DataFrame(PLACES, columns=["x", "y"])
    points = gpd.GeoSeries.from_xy(table["x"], table["y"], crs=CITY.crs)
    same = [PLACES, [tuple(pair) for pair in PLACES], np.array(PLACES), table, points]
    assert len({_run({"sensors": sensors, "theta": 500}) for sensors in same}) == 1
    ids = [SITES[2], SITES[1]]
    spaced = [f" {name} " for name in ids]
    problem = sq.Problem(n_sensors=9, theta=500, groups=tuple(GROUPS.items()))
    titled = {"jobs": {"column": "workers"}, "older": sq.Group(ages=(66, 90), title="Grey")}
    words: list[dict[str, Any]] = [
        {"sensors": ids, "groups": GROUPS},
        {"sensors": spaced, "groups": titled, "theta": 500.0, "effort": 1},
        {"sensors": np.array(ids), "groups": titled, "forbid": [SITES[0]], "min_spacing": 10},
        {"sensors": ids, "problem": problem},
    ]
    assert len({_run(each) for each in words}) == 1
    existing = CITY.existing
    assert existing is not None
    stand = existing[["x", "y"]].to_numpy().tolist()
    assert _run({"sensors": "existing-points"}) == _run({"sensors": stand})
    for other in (
        {"sensors": ids[::-1]},
        {"sensors": [*ids, ids[0]]},
        {"sensors": ids, "theta": 400},
        {"sensors": ids, "objective": "worst"},
        {"sensors": ids, "keep": SITES[5]},
    ):
        assert _run(other | {"groups": GROUPS}) != _run(words[0])


def test_the_version_is_of_what_is_used() -> None:
    """The solvers that give bounds, and with shares the method; not others."""
    share = {"objective": "worst_share", "method": "exchange"}
    assert TASK.version_of({}) == TASK.version_of({"method": "exchange"})
    assert TASK.version_of(share) != TASK.version_of({}) == TASK.version_of({"method": "milp"})
    assert "exchange" in TASK.version_of(share)


@pytest.mark.parametrize(
    "words",
    [
        {"sensors": ["nowhere"]},
        {"sensors": SITES[1] + "x"},
        {"sensors": None},
        {"sensors": {"a": 1}},
        {"sensors": [True]},
        {"sensors": [SITES[0], PLACES[0]]},
        {"sensors": [[0.0, 1.0]]},
        {"sensors": [[float("nan"), 1.0]]},
        {"sensors": [[10**400, 1]]},
        {"sensors": [[1.0, 2.0, 3.0]]},
        {"sensors": SITES[:1], "budgit": 3},
        {"sensors": SITES[:1], "client": 1},
        {"sensors": SITES[:1], "n_sensors": 1},
        {"sensors": SITES[:1], "theta": -1},
        {"sensors": SITES[:1], "theta": "500"},
        {"sensors": SITES[:1], "objective": "best"},
        {"sensors": SITES[:1], "keep": ["nowhere"]},
        {"sensors": SITES[:1], "budget": 3.0},
        {"sensors": SITES[:1], "groups": {"homes": sq.Group(column="homes")}},
        {"sensors": SITES[:1], "groups": {"older": 3}},
        {"sensors": SITES[:1], "groups": 7},
        {"sensors": SITES[:1], "problem": 7},
        {"sensors": SITES[:1], "problem": sq.Problem(n_sensors=1), "theta": 400},
    ],
)
def test_what_is_bad_is_refused(words: dict[str, Any]) -> None:
    """Before anything is written, by the error that the library raises."""
    with pytest.raises(SpineqError) as there:
        sq.evaluate(CITY, **words)
    with pytest.raises(SpineqError) as here:
        check_asked(TASK, CITY, words)
    assert str(here.value) == str(there.value)
    assert type(here.value) is type(there.value)


def test_what_only_a_job_can_have_wrong() -> None:
    """Sensors that are missing, groups in JSON's types, a city without existing sensors."""
    with pytest.raises(ProblemError, match="sensors is missing"):
        check_asked(TASK, CITY, {"theta": 500})
    for group in ({"age": [0, 5]}, {"ages": [5, 0]}, {}):
        with pytest.raises(ProblemError, match=r"group|ages"):
            check_asked(TASK, CITY, {"sensors": SITES[:1], "groups": {"young": group}})
    plain = sq.demo_city("synthetic", n_areas=40)
    with pytest.raises(UnknownSensorError, match="no existing sensors"):
        check_asked(TASK, plain, {"sensors": "existing"})


def test_travel_costs_want_theta_and_sites() -> None:
    """What is checked once can be checked and run again, also with the usual number for theta."""
    plain = sq.demo_city("synthetic", n_areas=20)
    ids = [str(site) for site in plain.dataset["site"].to_numpy()]
    pairs = [(one, other) for one in ids for other in ids]
    table = pd.DataFrame(pairs, columns=["site", "area"])
    timed = plain.with_travel(table.assign(cost=[float(a != b) for a, b in pairs]), unit="minutes")
    with pytest.raises(ProblemError, match="theta must be given"):
        check_asked(TASK, timed, {"sensors": ids[:2]})
    asked = check_asked(TASK, timed, {"sensors": ids[:2], "theta": 500})
    assert check_asked(TASK, timed, asked.parameters) == asked
    made = TASK.function(timed, SilentProgress(), **asked.parameters)
    assert made == sq.evaluate(timed, ids[:2], theta=500)
    with pytest.raises(ProblemError, match="sites only"):
        check_asked(TASK, timed, {"sensors": (plain.point_xy[:2] + 5.0).tolist(), "theta": 5})


def test_a_stop_is_partial() -> None:
    """Told to stop, it has the network without its bound."""
    parameters = check_asked(TASK, CITY, {"sensors": SITES[:3], "theta": 777}).parameters
    cut = TASK.function(CITY, RecordingProgress(stop_after=1), **parameters)
    assert TASK.is_partial is not None
    assert TASK.is_partial(cut)
    assert cut.upper_bound is None


# ---------------------------------------------------------------------------- in a queue


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[sq.JobQueue]:
    """Queue without a cluster."""
    with sq.JobQueue(store=tmp_path / "store", user="ann", connect=False) as queue:
        yield queue


def test_what_is_refused_leaves_nothing(idle: sq.JobQueue) -> None:
    """Neither a job nor the city is written."""
    store = idle.keeper.ledger.store
    before = sorted(store.names())
    for words in ({"sensors": ["nowhere"]}, {"sensors": SITES[:1], "budgit": 1}, {}):
        with pytest.raises(SpineqError):
            idle.submit(CITY, task="evaluate", **words)
    with pytest.raises(DataError):
        idle.submit(CITY, task="evaluate", sensors=SITES[:1], groups={"a": sq.Group(column="b")})
    with pytest.raises(ProblemError, match="needs a city"):
        idle.submit(task="evaluate", sensors=SITES[:1])
    assert sorted(store.names()) == before


def test_a_job_waits_under_its_name(idle: sq.JobQueue) -> None:
    """The note is the network's name; equal questions share a run."""
    one = idle.submit(CITY, task="evaluate", sensors=SITES[:3], theta=500, note="My network")
    two = idle.submit(CITY, task="evaluate", sensors=SITES[:3], note="The same")
    found = [idle.snapshot(job) for job in (one, two)]
    assert [job.note for job in found] == ["My network", "The same"]
    assert found[0].parameters == {"sensors": SITES[:3], "theta": 500.0}
    assert len({idle.keeper.index.entries[job.id].attempt for job in (one, two)}) == 1


@pytest.mark.cluster
def test_a_network_is_saved_by_a_job(tmp_path: Path) -> None:
    """Its answer is the library's; the second question is answered from the store, also in
    another queue and by the city's digest.
    """
    words: dict[str, Any] = {"sensors": PLACES, "theta": 500, "groups": GROUPS}
    with sq.JobQueue(store=tmp_path / "store", n_workers=1) as queue:
        job = queue.submit(CITY, task="evaluate", note="My network", **words)
        network = job.result(timeout=60)
        assert network == sq.evaluate(CITY, **words)
        assert job.snapshot().progress.value == network.objective_value
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        again = queue.submit(CITY.digest, task="evaluate", note="Again", **words)
        assert again.snapshot().from_cache
        assert again.result(timeout=1) == network
        assert again.snapshot().progress.value == network.objective_value
