"""The followed job: its answer is shown, unless the person has gone on meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import spineq as sq
from spineq.panel.edit_view import EDITED, EditView
from spineq.panel.following import Following
from spineq.panel.job_words import name_of
from spineq.panel.jobs_table import JobsTable
from spineq.panel.state import PanelState

pytestmark = pytest.mark.cluster

Until = Callable[..., None]
OTHER = sq.demo_city("synthetic", n_areas=60)


@pytest.fixture
def following(state: PanelState) -> Iterator[Following]:
    """The line of that state."""
    made = Following(state)
    yield made
    made.close()


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[PanelState, sq.JobQueue]]:
    """A state whose jobs wait until another queue on the same store has workers for them."""
    with sq.JobQueue(store=tmp_path / "store", connect=False) as queue:
        state = PanelState(sq.demo_city(), queue)
        yield state, queue
        state.close()


def test_an_edit_is_not_taken_out_of_the_hands(
    waiting: tuple[PanelState, sq.JobQueue], tmp_path: Path, until: Until
) -> None:
    """An answer that comes while a person edits is offered; a press shows it."""
    state, queue = waiting
    view, following = EditView(state), Following(state)
    state.show(sq.optimise(state.city, n_sensors=3, method="greedy"), "mine")
    job = queue.submit(state.city, n_sensors=4)
    state.job = job.id
    x, y = state.city.site_xy[7]
    view.edit({"kind": "add", "x": float(x), "y": float(y)})
    edited = state.network
    with sq.JobQueue(store=tmp_path / "store", n_workers=1):
        until(lambda: following.line.rows and following.line.rows[0]["state"] == "finished", 60)
    until(lambda: following.line.rows[0]["actions"][0]["name"] == "show")
    assert state.network is edited
    assert state.network_name == EDITED
    assert view.editor is not None
    assert view.editor.can_undo
    name = name_of(job.snapshot())
    assert name in state.networks  # to compare with
    following.line.say(action="show", id=job.id)
    assert state.network == job.result()
    assert state.network_name == name
    until(lambda: [each["name"] for each in following.line.rows[0]["actions"]] == ["close"])
    view.close()
    following.close()


def test_what_was_shown_before_run_gives_way(
    state: PanelState, busy_queue: sq.JobQueue, following: Following, until: Until
) -> None:
    """Also where it was edited, and where the answer is its equal under another name."""
    proven = sq.optimise(state.city, n_sensors=4)
    for shown in (sq.optimise(state.city, n_sensors=3, method="greedy"), proven):
        state.show(shown, "preview")
        job = busy_queue.submit(state.city, n_sensors=4)
        state.job = job.id
        name = name_of(job.snapshot())
        until(lambda name=name: state.network_name == name and state.network == proven)
    assert following.line.rows[0]["id"] == state.job


def test_show_in_the_table_shows_once(
    state: PanelState, busy_queue: sq.JobQueue, following: Following, until: Until
) -> None:
    """A second showing would end what is edited in the meantime."""
    job = busy_queue.submit(state.city, n_sensors=4)
    job.result(timeout=60)
    table = JobsTable(state)
    seen: list[object] = []
    state.observe(lambda change: seen.append(change["new"]), "network")
    table.table.say(action="show", id=job.id)
    until(lambda: following.line.rows)
    time.sleep(0.3)
    assert len(seen) == 1
    assert [each["name"] for each in following.line.rows[0]["actions"]] == ["close"]
    table.close()


def test_an_answer_about_another_city_is_not_shown(state: PanelState) -> None:
    """Nor one over a network that came meanwhile, be it an equal."""
    city = state.city
    one, equal = (sq.optimise(city, n_sensors=2, method="greedy") for _ in range(2))
    state.show(one, "one")
    assert not state.show_over([equal, None], city, equal, "equal")
    assert state.show_over([one], city, equal, "equal")
    state.open_city(OTHER)
    assert not state.show_over([None], city, one, "one")
    assert state.network is None


def test_a_page_that_sends_nonsense_changes_nothing(
    state: PanelState, busy_queue: sq.JobQueue, following: Following, until: Until
) -> None:
    """Ids that do not exist, actions that nobody knows, messages with parts missing."""
    job = busy_queue.submit(state.city, n_sensors=4)
    job.result(timeout=60)
    state.job = job.id
    until(lambda: following.line.rows)
    for message in ({}, {"action": "cancel"}, {"action": "cancel", "id": None}, {"action": ["x"]}):
        following.line.say(**message)
    following.line.say(action="show", id=job.id)  # there is nothing to offer
    assert state.error == ""
    busy_queue.delete(job.id)  # somebody else
    until(lambda: following.children == ())
    assert state.job == ""
    assert state.network is not None


def test_the_line_goes_when_the_map_goes_on(
    state: PanelState, busy_queue: sq.JobQueue, following: Following, until: Until
) -> None:
    """A finished job says nothing of what is shown next."""
    job = busy_queue.submit(state.city, n_sensors=4)
    state.job = job.id
    name = name_of(job.snapshot())
    until(lambda: state.network is not None and state.network_name == name)
    until(lambda: following.line.rows[0]["state"] == "finished")
    state.show(sq.optimise(state.city, n_sensors=3, method="greedy"), "trade-off 3")
    until(lambda: state.job == "" and following.children == ())
    # Shown again from the table of jobs, and gone again, also for its equal of another name.
    answer = job.result()
    state.show(answer, name)
    state.follow(job.id)
    until(lambda: following._answer == job.id)
    state.show(answer, "mine")
    until(lambda: state.job == "" and following.children == ())
    # A job that somebody turned to meanwhile stays.
    state.follow("another")
    state.unfollow(job.id)
    assert state.job == "another"
    state.unfollow("another")
    assert state.error == ""
