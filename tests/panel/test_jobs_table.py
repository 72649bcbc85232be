"""The table of jobs: one row a job, paged, filtered, with what can be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import spineq as sq
from spineq.panel.controls import SetUp
from spineq.panel.job_words import duration, what_of
from spineq.panel.jobs_table import PAGE, JobsTable
from spineq.panel.state import PanelState

CITY = sq.demo_city()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[sq.JobQueue]:
    """A queue without a cluster: what is submitted waits."""
    with sq.JobQueue(store=tmp_path / "store", user="ann", connect=False) as made:
        yield made


@pytest.fixture
def table(queue: sq.JobQueue) -> Iterator[JobsTable]:
    """The table of that queue."""
    made = JobsTable(queue)
    yield made
    made.close()


def _ids(table: JobsTable) -> list[str]:
    return [row["id"] for row in table.table.rows]


def test_an_empty_queue_says_what_to_do(table: JobsTable, until: Callable[..., None]) -> None:
    """In words, and there is nothing to clear."""
    until(lambda: table.table.empty)
    assert "press Run" in table.table.empty
    assert table.clearing.disabled == ["clear"]


def test_a_job_appears_and_goes(
    queue: sq.JobQueue, table: JobsTable, until: Callable[..., None]
) -> None:
    """Submitted, cancelled, retried and deleted, each seen soon after."""
    job = queue.submit(CITY, n_sensors=5, theta=400, note="for the mayor")
    until(lambda: _ids(table) == [job.id])
    [row] = table.table.rows
    assert row["state"] == "queued"
    assert row["what"]["text"] == "5 sensors, theta 400"
    assert "for the mayor" in row["what"]["second"]
    assert [action["name"] for action in row["actions"]] == ["cancel"]
    table.table.say(action="cancel", id=job.id)
    until(lambda: table.table.rows[0]["state"] == "cancelled")
    assert [action["name"] for action in table.table.rows[0]["actions"]] == ["retry", "delete"]
    table.table.say(action="retry", id=job.id)
    until(lambda: table.table.rows[0]["state"] == "queued")
    queue.cancel(job.id)
    table.table.say(action="delete", id=job.id)
    until(lambda: table.table.rows[0]["actions"][-1]["label"] == "Yes, delete")
    # Whoever looks at something else has thought better of it.
    table.table.say(sort="user")
    until(lambda: table.table.rows[0]["actions"][-1]["label"] == "Delete")
    table.table.say(action="delete", id=job.id)
    until(lambda: table.table.rows[0]["actions"][-1]["name"] == "delete for sure")
    table.table.say(action="delete for sure", id=job.id)
    until(lambda: not table.table.rows)
    assert table.state.error == ""


def test_what_a_job_was_asked_goes_into_the_form(
    queue: sq.JobQueue, until: Callable[..., None]
) -> None:
    """Whatever the form has a field for; the rest is named."""
    state = PanelState(CITY, queue)
    setup, table = SetUp(state), JobsTable(state)
    setup.form.put(live=False)
    asked = sq.Problem.from_words(
        n_sensors=7, theta=350, groups={"workers": sq.Group(column="workers", weight=2)},
        objective="worst", min_spacing=120, forbid=[str(CITY.dataset["site"].values[0])],
    )  # fmt: skip
    job = queue.submit(CITY, asked)
    table.table.say(action="settings", id=job.id)
    until(lambda: setup.problem is not None and setup.problem.n_sensors == 7)
    assert setup.problem == replace(asked, forbid=())
    assert "no field for its sites that are forbidden" in state.news
    # Again, after something was changed by hand.
    setup.form.put(n_sensors=9)
    table.table.say(action="settings", id=job.id)
    assert setup.form.values["n_sensors"] == 7
    # Of another city: that one is turned to.
    other = sq.demo_city("synthetic", n_areas=60)
    there = queue.submit(other, n_sensors=3)
    table.table.say(action="settings", id=there.id)
    assert state.city == other
    assert setup.form.values["n_sensors"] == 3
    assert state.error == ""
    for view in (setup, table):
        view.close()
    state.close()


def test_a_thousand_jobs_are_paged(
    queue: sq.JobQueue, table: JobsTable, until: Callable[..., None]
) -> None:
    """A page is small however many there are, and every job is on one of them, newest first."""
    jobs = [queue.submit(CITY, n_sensors=1 + k % 190, theta=100 + k).id for k in range(300)]
    until(lambda: table.table.total.startswith("300 jobs"))
    assert len(table.table.rows) == PAGE
    assert table.table.pages == 15
    seen = []
    for page in range(15):
        table.table.say(page=page)
        until(lambda page=page: table.table.page == page and jobs[::-1][page * PAGE] in _ids(table))
        seen += _ids(table)
    assert seen == jobs[::-1]
    began = time.perf_counter()
    table.draw()
    assert time.perf_counter() - began < 1.0


def test_a_page_that_is_gone_is_the_last_one(
    queue: sq.JobQueue, table: JobsTable, until: Callable[..., None]
) -> None:
    """After a deletion nobody looks at an empty page."""
    jobs = [queue.submit(CITY, n_sensors=5, theta=100 + k).id for k in range(PAGE + 1)]
    table.table.say(page=1)
    until(lambda: _ids(table) == jobs[:1])
    queue.delete(jobs[0])
    until(lambda: table.table.page == 0 and len(table.table.rows) == PAGE)


def test_jobs_can_be_found_and_sorted(
    queue: sq.JobQueue, table: JobsTable, until: Callable[..., None]
) -> None:
    """By words, by state, by user; and by a column, both ways."""
    one = queue.submit(CITY, n_sensors=5, theta=300, note="schools")
    two = queue.submit(CITY, n_sensors=6, theta=300, tags=["budget"])
    queue.cancel(two)
    with sq.JobQueue(store=queue.store, user="bob", connect=False) as other:
        three = other.submit(CITY, n_sensors=7, theta=300)
        until(lambda: len(table.table.rows) == 3)
        for values, wanted in (
            ({"text": "SCHOOLS 5"}, [one.id]),
            ({"text": "budget"}, [two.id]),
            ({"text": "bob"}, [three.id]),
            ({"text": "", "shown": "active"}, [three.id, one.id]),
            ({"shown": "ended badly"}, [two.id]),
            ({"shown": "all", "mine": True}, [two.id, one.id]),
        ):
            table.controls.put(**values)
            until(lambda wanted=wanted: _ids(table) == wanted)
        table.controls.put(mine=False, text="unicorn")
        until(lambda: not table.table.rows)
        assert "other words" in table.table.empty
        table.controls.put(text="")
        table.table.say(sort="user")
        until(lambda: _ids(table) == [one.id, two.id, three.id])
        table.table.say(sort="user")
        until(lambda: _ids(table) == [three.id, two.id, one.id])


def test_all_jobs_are_cleared_only_when_that_is_said_twice(
    queue: sq.JobQueue, table: JobsTable
) -> None:
    """The first press asks."""
    queue.submit(CITY, n_sensors=5)
    table.clearing.press("clear")
    assert "Sure?" in table.clearing.notes["clearing"]
    assert "clear all" not in table.clearing.hidden
    table.clearing.press("keep")
    assert len(queue.ids()) == 1
    table.clearing.press("clear")
    table.clearing.press("clear all")
    assert queue.ids() == []
    assert table.state.news == "1 job was deleted."


def test_a_job_that_is_gone_is_no_error(queue: sq.JobQueue, table: JobsTable) -> None:
    """Somebody else deleted it while the row was on the screen."""
    job = queue.submit(CITY, n_sensors=5)
    queue.delete(job)
    table.table.say(action="cancel", id=job.id)
    assert table.state.error == ""


def test_closing_stops_listening(queue: sq.JobQueue) -> None:
    """No watcher is left on the queue, and no thread."""
    before = len(queue.keeper._watchers)
    table = JobsTable(queue)
    assert len(queue.keeper._watchers) == before + 1
    table.close()
    assert len(queue.keeper._watchers) == before
    assert not table.state.ticker.is_running


@pytest.mark.cluster
@pytest.mark.slow
def test_progress_moves_and_a_cancelled_job_ends(
    tmp_path: Path, until: Callable[..., None]
) -> None:
    """A real job: at least five figures of progress, then cancelling, then cancelled.

    Another is before it, so that it is sure to be seen waiting.
    """
    with sq.JobQueue(store=tmp_path / "store", n_workers=1) as queue:
        table = JobsTable(queue)
        fractions: set[float] = set()
        states: list[str] = []

        def note(_change: Any) -> None:
            for row in table.table.rows:
                if not job or row["id"] != job[0].id:
                    continue
                fractions.add(row["progress"]["fraction"])
                if not states or states[-1] != row["state"]:
                    states.append(row["state"])

        job: list[sq.Job] = []
        table.table.observe(note, "rows")
        city = sq.demo_city("synthetic", n_areas=12_000)
        before = queue.submit(city, n_sensors=99, theta=500)
        job.append(queue.submit(city, n_sensors=100, theta=500))
        until(lambda: bool(states), 60)
        before.cancel()
        until(lambda: len(fractions) >= 5, 120)
        table.table.say(action="cancel", id=job[0].id)
        until(lambda: states[-1] == "cancelled", 20)
        table.close()
    assert states[0] == "queued"
    assert "running" in states


def test_times_are_written_for_people() -> None:
    """Tenths while it is short, minutes and hours later."""
    written = [duration(s) for s in (0.04, 9.94, 31.2, 61, 3600, 7325)]
    assert written == ["0.0 s", "9.9 s", "31 s", "1 min 01 s", "1 h 00 min", "2 h 02 min"]


def test_what_a_job_is_about_is_said_in_words(queue: sq.JobQueue) -> None:
    """Groups by their titles, with weights; other tasks by what they are."""
    groups = {"pop_children": sq.Group(ages=(0, 15), weight=2), "workplace": sq.GROUPS["workplace"]}
    job = queue.submit(CITY, n_sensors=1, groups=groups)
    said = what_of(job.snapshot())
    assert said["text"] == "1 sensor"
    assert said["second"] == "Children (0-15) x 2, Workers; San Francisco"
    front = queue.submit(CITY, task="trade_off", n_sensors=4, theta=250)
    assert what_of(front.snapshot())["text"] == "Trade-offs of 4 sensors, theta 250"
    saved = queue.submit(CITY, task="evaluate", sensors=["001", "002"], theta=500, note="Mine")
    assert what_of(saved.snapshot())["text"] == "Saved network of 2 sensors, theta 500"


NONSENSE = (None, "x", "", float("nan"), float("inf"), -1, 1e308, [], {}, [1], 10**400, "<b>")


def test_a_page_that_sends_nonsense_changes_nothing(
    queue: sq.JobQueue, table: JobsTable, until: Callable[..., None]
) -> None:
    """Pages, columns, actions, filters and ids that do not exist; the table goes on."""
    job = queue.submit(CITY, n_sensors=5, note="<script>alert(1)</script>")
    for odd in NONSENSE:
        table.table.say(page=odd)
        table.table.say(sort=odd)
        table.table.say(action=odd, id=job.id)
        for action in ("cancel", "retry", "delete", "show"):
            table.table.say(action=action, id=odd)
            table.table.say(action=action)
        table.clearing.say(press=odd)
        for name in ("shown", "text", "mine"):
            table.controls.put(**{name: odd})
            table.draw()
        table.controls.values = {}
        table.draw()
    assert table.state.error == ""
    table.table.say(page=10**9)
    until(lambda: table.table.page == 0 and _ids(table) == [job.id])
    assert queue.ids() == [job.id]
