"""Set up: checked as it is typed, run when it is right, the same in Python."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import spineq as sq
from spineq.panel import controls, preview
from spineq.panel.controls import SetUp
from spineq.panel.following import Following
from spineq.panel.jobs_table import JobsTable
from spineq.panel.state import PanelState

pytestmark = pytest.mark.cluster

Until = Callable[..., None]


def test_run_submits_what_is_entered_and_its_answer_is_shown(
    state: PanelState, busy_queue: sq.JobQueue, until: Until
) -> None:
    """The network of the job is the one that optimise gives."""
    setup, following = SetUp(state), Following(state)
    setup.form.put(live=False, n_sensors=7, theta=350, note="a try")
    setup.form.press("run")
    until(lambda: state.network is not None and state.network_name.startswith("a try, job "))
    assert state.network == sq.optimise(state.city, n_sensors=7, theta=350)
    [job] = busy_queue.jobs()
    assert state.job == job.id
    assert "panel" in job.tags
    assert following.line.rows[0]["state"] == "finished"
    following.close()
    setup.close()


def test_nothing_wrong_is_submitted(
    state: PanelState, busy_queue: sq.JobQueue, until: Until
) -> None:
    """It is marked at its field while it is typed, and Run does nothing."""
    setup = SetUp(state)
    setup.form.put(n_sensors=500)
    until(lambda: "n_sensors" in setup.form.errors)
    assert "190" in setup.form.errors["n_sensors"]
    setup.form.press("run")
    assert busy_queue.ids() == []
    setup.form.put(n_sensors=5)
    until(lambda: not setup.form.errors)
    setup.close()


def test_a_stored_answer_is_offered_before_a_new_run(
    state: PanelState, busy_queue: sq.JobQueue, until: Until
) -> None:
    """Exactly this one, and one that is like it, are told apart; a press shows it."""
    made = busy_queue.submit(state.city, n_sensors=6, theta=500).result(timeout=60)
    setup = SetUp(state)
    setup.form.put(live=False, n_sensors=6)
    until(lambda: "exactly this" in setup.form.notes.get("similar", ""))
    assert "similar" not in setup.form.hidden
    setup.form.put(n_sensors=7)
    until(lambda: "something like it: 6 sensors" in setup.form.notes.get("similar", ""))
    setup.form.press("similar")
    assert state.network == made
    setup.close()


def test_a_preset_fills_the_form(state: PanelState, until: Until) -> None:
    """And is then over, so that it can be chosen again."""
    setup = SetUp(state)
    setup.form.put(preset="older", live=False)
    until(lambda: setup.form.values["preset"] == "")
    assert [row["who"] for row in setup.form.values["groups"]] == ["pop_elderly", "pop_total"]
    until(lambda: setup.problem is not None and len(setup.problem.groups) == 2)
    assert setup.problem is not None
    assert setup.problem.group_weights == {"pop_elderly": 0.75, "pop_total": 0.25}
    # What was chosen stays to be read until it does not hold any more.
    assert setup.form.notes["preset"] == "Chosen: Older people first."
    setup.form.put(n_sensors=7)
    assert setup.form.notes["preset"] == "Chosen: Older people first."
    setup.form.put(groups=[{"who": "workers", "ages": [0, 15], "weight": 1.0}])
    assert setup.form.notes["preset"] == ""
    setup.close()


def test_the_python_is_that_of_the_city(state: PanelState, until: Until) -> None:
    """With the city as it was named."""
    setup = SetUp(state, "synthetic:300")
    until(lambda: "queue.submit" in setup.form.notes.get("python", ""))
    assert 'sq.demo_city("synthetic", n_areas=300)' in setup.form.notes["python"]
    assert '"city": "synthetic:300"' in setup.form.notes["parameters"]
    setup.close()


def test_another_city_can_be_opened(
    state: PanelState, busy_queue: sq.JobQueue, tmp_path: Path, until: Until
) -> None:
    """From the store, from a file; a file that is none is said at the field."""
    other = sq.demo_city("synthetic", n_areas=40)
    busy_queue.submit(other, n_sensors=3).result(timeout=60)
    setup = SetUp(state)
    offered = dict(map(tuple, setup.place.fields[0]["options"]))
    assert "Synthetic" in offered[other.digest]
    setup.place.put(city=other.digest)
    until(lambda: state.city == other)
    until(lambda: setup.form.fields and setup.form.values["n_sensors"] == 20)

    setup.place.put(city="file")
    setup.place.put(path=str(tmp_path / "nowhere.gpkg"))
    setup.place.press("open")
    until(lambda: "path" in setup.place.errors)
    assert "nowhere.gpkg" in setup.place.errors["path"]
    folder = sq.demo_city("synthetic", n_areas=30).to_geoparquet(tmp_path / "city")
    setup.place.put(path=str(folder))
    setup.place.press("open")
    until(lambda: state.city.n_areas == 30)
    assert setup.place.values["city"] == ""
    assert state.error == ""
    setup.close()


def test_without_a_queue_it_says_so() -> None:
    """The form can be looked at, and Run says what is missing."""
    state = PanelState(sq.demo_city())
    setup = SetUp(state)
    setup.form.press("run")
    assert "queue" in setup.form.notes["run"]
    setup.close()
    state.close()


def test_the_city_that_was_asked_for_last_is_opened(
    state: PanelState, tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes long to read does not take the place of a later one."""
    gate = threading.Event()
    read = controls.city_named

    def slow(where: str) -> sq.City:
        if where == "synthetic:70":
            gate.wait(20)
        return read(where)

    monkeypatch.setattr(controls, "city_named", slow)
    setup = SetUp(state)
    setup._open("synthetic:70")
    setup._open("synthetic:80")
    until(lambda: state.city.n_areas == 80)
    gate.set()
    time.sleep(0.3)
    assert state.city.n_areas == 80
    assert setup.where == "synthetic:80"
    # Opened by another view: the Python must not name the one before.
    other = sq.demo_city("synthetic", n_areas=90)
    state.open_city(other)
    until(lambda: other.digest in setup.form.notes.get("python", ""))
    assert "queue.load_city" in setup.form.notes["python"]
    setup.close()


def test_the_answer_that_a_city_was_opened_with_stays(
    state: PanelState, busy_queue: sq.JobQueue, until: Until
) -> None:
    """A job of another city is shown: the preview waits until somebody changes the form."""
    setup, table = SetUp(state), JobsTable(state)
    other = sq.demo_city("synthetic", n_areas=60)
    job = busy_queue.submit(other, n_sensors=3, theta=400)
    answer = job.result(timeout=60)
    table.table.say(action="show", id=job.id)
    assert state.city == other
    until(lambda: setup.problem is not None)
    time.sleep(1.0)
    assert state.network == answer
    setup.form.put(n_sensors=4)
    until(lambda: state.network is not None and state.network.n_sensors == 4)
    for view in (setup, table):
        view.close()


def test_a_preview_that_is_too_slow_unticks_itself(
    state: PanelState, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so; ticked again, it tries again."""
    monkeypatch.setattr(preview, "_TOO_LONG", 0.0)
    monkeypatch.setattr(preview, "_OFTEN", 1)
    setup = SetUp(state)
    until(lambda: "could not keep up" in setup.form.notes.get("live", ""))
    assert setup.form.values["live"] is False
    assert not setup.preview.on
    monkeypatch.setattr(preview, "_TOO_LONG", 60.0)
    setup.form.put(live=True, n_sensors=3)
    until(lambda: state.network is not None and state.network.n_sensors == 3)
    assert setup.form.notes["live"] == ""
    # Also where nothing has changed since.
    setup.form.put(live=False)
    state.show(None)
    setup.form.put(live=True)
    until(lambda: state.network is not None and state.network.n_sensors == 3)
    setup.close()


def test_without_a_preview_an_answer_to_other_settings_is_called_so(
    state: PanelState, until: Until
) -> None:
    """Until they are as before, or run."""
    setup, following = SetUp(state), Following(state)
    setup.form.put(live=False, n_sensors=4)
    until(lambda: setup.problem is not None and setup.problem.n_sensors == 4)
    setup.form.press("run")
    until(lambda: state.network is not None and state.network.n_sensors == 4)
    setup.form.put(n_sensors=5)
    until(lambda: "settings before" in setup.form.notes.get("run", ""))
    setup.form.put(n_sensors=4)
    until(lambda: setup.form.notes.get("run") == "")
    setup.form.put(n_sensors=5)
    until(lambda: "settings before" in setup.form.notes.get("run", ""))
    # Another network is no answer to anything here.
    state.show(sq.optimise(state.city, n_sensors=2, method="greedy"), "edited")
    until(lambda: setup.form.notes.get("run") == "")
    for view in (setup, following):
        view.close()


def test_what_is_like_it_says_in_what_it_differs(
    state: PanelState, busy_queue: sq.JobQueue, until: Until
) -> None:
    """Other groups are no detail."""
    groups = {"workers": sq.Group(column="workers")}
    busy_queue.submit(state.city, n_sensors=6, groups=groups, objective="worst").result(timeout=60)
    setup = SetUp(state)
    setup.form.put(live=False, n_sensors=6)
    until(lambda: "other groups and another goal" in setup.form.notes.get("similar", ""))
    setup.close()


def test_the_python_finds_a_city_and_a_store_of_ones_own(
    state: PanelState, busy_queue: sq.JobQueue, until: Until
) -> None:
    """What is copied runs, once a job on the city is in the store."""
    setup = SetUp(state, "city")
    setup.form.put(live=False, n_sensors=5)
    until(lambda: "n_sensors=5" in setup.form.notes.get("python", ""))
    assert f"sq.JobQueue(store={busy_queue.store!r})" in setup.form.notes["python"]
    assert f'"store": "{busy_queue.store}"' in setup.form.notes["parameters"]
    assert f'"city": "{state.city.digest}"' in setup.form.notes["parameters"]
    busy_queue.submit(state.city, n_sensors=5)
    there: dict[str, object] = {}
    lines = setup.form.notes["python"].splitlines()
    lines[2] = "queue = given"  # another queue would want workers of its own
    exec("\n".join(lines), {"given": busy_queue}, there)
    assert there["job"].result() == sq.optimise(state.city, n_sensors=5)  # type: ignore[attr-defined]
    setup.close()
