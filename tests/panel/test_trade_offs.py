"""Trade-offs: what may be asked, what is found again, and limits, charts and table in step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import spineq as sq
from spineq.errors import MissingExtraError
from spineq.panel import front_ask
from spineq.panel.front_ask import FrontAsk
from spineq.panel.front_table import COLUMN
from spineq.panel.state import PanelState
from spineq.panel.trade_offs import ROWS, TradeOffs


@pytest.fixture(scope="module", autouse=True)
def _libraries(needs: Callable[[str], ModuleType]) -> None:
    """What the charts and fronts are made with; skips without it, fails in CI."""
    needs("plotly")
    needs("moocore")


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=60)


@pytest.fixture(scope="module")
def front(city: sq.City) -> sq.Front:
    groups = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}
    groups["number"] = sq.Group(ages=(0, 15), title="Children")
    return sq.trade_off(city, n_sensors=4, theta=500, groups=groups, effort=0.02, size=60)


@pytest.fixture
def state(city: sq.City) -> Iterator[PanelState]:
    made = PanelState(city)
    yield made
    made.close()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[sq.JobQueue]:
    with sq.JobQueue(store=tmp_path / "jobs", connect=False) as made:
        yield made


@pytest.fixture
def view(state: PanelState, front: sq.Front) -> Iterator[TradeOffs]:
    made = TradeOffs(state)
    state.front = front
    until(lambda: made._drawn)
    yield made
    made.close()


def until(there: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def words(view: Any) -> str:
    return " ".join(item["text"] for item in view.items)


# Asking


def test_without_a_queue_it_says_so(state: PanelState) -> None:
    """And offers no form."""
    view = TradeOffs(state)
    assert "Jobs need a queue" in words(view.asking.lacking)
    assert view.asking.form.layout.display == "none"
    assert "once there is a trade-off" in words(view.summary).lower()
    view.close()


def test_a_city_of_one_group_has_no_trade_offs(queue: sq.JobQueue) -> None:
    """It is said in words."""
    import pandas as pd

    table = pd.DataFrame(
        {"area_id": ["a", "b"], "x": [0.0, 900.0], "y": [0.0, 0.0], "homes": [1, 2]}
    )
    made = PanelState(sq.City.from_frame(table, crs="EPSG:27700"), queue)
    view = FrontAsk(made)
    assert "fewer than two groups" in words(view.lacking)
    assert view.form.layout.display == "none"
    view.close()
    made.close()


def test_what_is_wrong_is_marked_and_nothing_is_submitted(
    city: sq.City, queue: sq.JobQueue
) -> None:
    """Too few groups, no number, more sensors than sites; mending takes the mark away."""
    state = PanelState(city, queue)
    view = FrontAsk(state)
    names = [name for name in view.form.values if name.startswith("group:")]
    assert view.form.values["group:pop_total"] is False
    assert sum(view.form.values[name] for name in names) == 3
    assert "37 % at 500 m" in view.form.notes["theta"]
    for wrong, field in (
        (dict.fromkeys(names, False), names[0]),
        ({"n_sensors": None}, "n_sensors"),
        ({"theta": -5}, "theta"),
        ({"n_sensors": 1_000}, "n_sensors"),
    ):
        before = view.form.values
        view.form.put(**wrong)
        view.form.press("find")
        assert list(view.form.errors) == [field]
        view.form.values = before
        assert view.form.errors == {}
    view.submission.wait()
    assert queue.jobs() == []
    assert state.error == ""
    view.close()
    state.close()


def test_existing_sensors_can_stay(city: sq.City, queue: sq.JobQueue) -> None:
    """The form offers it where there are some; the job and its words have it."""
    here = city.dataset[["x", "y"]].to_dataframe()[["x", "y"]].iloc[[0, 4]]
    state = PanelState(city.with_existing(here.reset_index(drop=True)), queue)
    view = FrontAsk(state)
    (field,) = [field for field in view.form.fields if field.get("name") == "keep"]
    assert field["label"] == "Keep the 2 existing sensors"
    view.form.put(n_sensors=4, effort="0.1", keep=True)
    view.form.press("find")
    view.submission.wait()
    (job,) = queue.jobs()
    assert job.parameters["keep"] == "existing"
    until(lambda: view.searches.rows)
    what = view.searches.rows[0]["what"]["text"]
    assert what == "4 sensors beside the existing ones, theta 500"
    queue.cancel(job.id)
    view.close()
    state.close()


def test_a_search_is_submitted_shown_and_cancelled(city: sq.City, queue: sq.JobQueue) -> None:
    """With its groups, and only for its city."""
    state = PanelState(city, queue)
    view = FrontAsk(state)
    view.form.put(n_sensors=4, theta=400, effort="0.1")
    view.form.press("find")
    view.submission.wait()
    (job,) = queue.jobs()
    assert job.task == "trade_off"
    assert set(job.parameters["groups"]) == {"pop_children", "pop_elderly", "workplace"}
    assert (job.parameters["theta"], job.parameters["effort"]) == (400, 0.1)
    until(lambda: view.searches.rows)
    (row,) = view.searches.rows
    assert row["what"]["text"] == "4 sensors, theta 400"
    assert "Children" in row["what"]["second"]
    assert row["progress"]["text"] == "Waits for its turn"
    view.searches.say(action="cancel", id=job.id)
    until(lambda: not view.searches.rows)
    assert queue.get(job.id).status == "cancelled"
    until(lambda: state.news)
    assert "before it had found anything" in state.news
    state.open_city(sq.demo_city("synthetic", n_areas=30))
    until(lambda: view.form.fields[-5]["hard_max"] == 30)
    assert state.error == ""
    view.close()
    state.close()


def test_without_moocore_it_says_how_to_mend(
    city: sq.City, queue: sq.JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words before, and as an error if somebody asks all the same."""
    monkeypatch.setattr(front_ask, "_has_moocore", lambda: False)
    state = PanelState(city, queue)
    view = FrontAsk(state)
    assert "pip install" in words(view.lacking)
    view.form.press("find")
    assert "moocore" in state.error
    assert isinstance(front_ask._no_moocore(), MissingExtraError)
    view.close()
    state.close()


# Comparing


def test_the_front_in_words(view: TradeOffs, front: sq.Front) -> None:
    """Summary, all networks, the first page of the table."""
    assert "none better for every group than another" in words(view.summary)
    n = front.n_networks
    assert view.least.notes["count"] == f"{n} of {n} networks reach this."
    assert len(view.table.rows) == ROWS
    assert view.table.pages == -(-n // ROWS)
    first = view.table.rows[0]
    share = 100 * float(front.group_coverage[0, 0])
    assert first[COLUMN + front.groups[0]] == f"{share:.1f} %"
    assert view.state.error == ""


def test_form_brush_count_and_table_are_in_step(view: TradeOffs, front: sq.Front) -> None:
    """Whichever of the two is moved; and nothing may be left."""
    coverage = 100 * front.group_coverage.to_numpy()
    name, limit = front.groups[1], round(float(np.median(coverage[:, 1])), 1)
    many = int((coverage[:, 1] >= limit).sum())
    assert view.charts is not None
    dimension = view.charts.parallel.data[0].dimensions[1]

    view.least.put(**{COLUMN + name: limit})
    until(lambda: view.table.total.startswith(f"{many} "))
    until(lambda: dimension.constraintrange)
    assert dimension.constraintrange[0] == limit
    assert view.limits == {name: limit}
    assert view.least.notes["count"].startswith(f"{many} of ")
    expected = front.filter({name: limit / 100}).n_networks
    assert int(view.within.sum()) == expected == many

    higher = round(float(np.quantile(coverage[:, 1], 0.9)), 1)
    key = "dimensions[1].constraintrange"
    view.charts.parallel.plotly_restyle({key: [[higher, higher + 1]]}, [0])
    until(lambda: view.least.values[COLUMN + name] == higher)
    assert view.limits == {name: higher}

    view.least.put(**{COLUMN + name: 100})
    until(lambda: not view.table.rows)
    assert "Nothing reaches this; lower a limit." in view.least.notes["count"]

    view.least.press("clear")
    until(lambda: dimension.constraintrange is None)
    until(lambda: view.table.total.startswith(f"{front.n_networks} "))
    assert view.limits == {}


def test_the_table_is_sorted_and_turned(view: TradeOffs, front: sq.Front) -> None:
    """By any group, the best first; even by one that is called "number"."""
    key = COLUMN + "number"
    column = 100 * front.group_coverage.to_numpy()[:, front.groups.index("number")]
    view.table.say(sort=key)
    until(lambda: view.table.sort == {"key": key, "down": True})
    until(lambda: view.table.rows[0][key] == f"{column.max():.1f} %")
    view.table.say(sort=key)
    until(lambda: view.table.sort == {"key": key, "down": False})
    until(lambda: view.table.rows[0][key] == f"{column.min():.1f} %")
    view.table.say(page=1)
    until(lambda: view.table.page == 1)
    view.table.say(page=10_000)
    until(lambda: view.table.page == view.table.pages - 1)


def test_a_network_is_put_on_the_map(view: TradeOffs, front: sq.Front, city: sq.City) -> None:
    """By table, button or point: measured for the front's groups, and marked everywhere."""
    state = view.state
    view.table.say(action="show", id="3")
    wanted = sq.evaluate(city, front.network(3), theta=500, groups=dict(front.problem.groups))
    until(lambda: state.network == wanted)
    assert state.network_name == "network 3 of the trade-off"
    shown = state.network
    until(lambda: view.table.selected == "3")
    until(lambda: view.charts is not None and view.charts.swarm.data[3].visible)
    until(lambda: "Network 3 is on the map" in view.buttons.notes["shown"])
    view.buttons.press("knee")
    until(lambda: state.network_name == f"network {front.knee()} of the trade-off")
    assert view.charts is not None
    view.charts._clicked(3)
    until(lambda: state.network is shown)
    state.show(None)
    until(lambda: view.chosen == -1)
    assert view.table.selected == ""
    # A network that was shown before is known again.
    state.show(shown, "network 3 of the trade-off")
    until(lambda: view.chosen == 3)


def test_a_front_of_another_city_is_not_shown_on_this_map(view: TradeOffs, front: sq.Front) -> None:
    """The line of errors says why."""
    view.state.city = sq.demo_city("synthetic", n_areas=30)
    view.choose(1)
    view.measuring.wait()
    until(lambda: view.state.error)
    assert "another city" in view.state.error
    assert view.state.network is None
    assert view.state.error_details == ""


def test_a_hidden_view_waits(state: PanelState, front: sq.Front) -> None:
    """No charts before it is seen; then everything at once."""
    view = TradeOffs(state)
    view.active = False
    state.front = front
    time.sleep(0.3)
    assert view.charts is None
    assert view.table.rows == []
    assert not view.asking.active
    view.active = True
    until(lambda: view.charts is not None and view.table.rows)
    view.close()
    view.close()
    state.front = None
    assert state.error == ""


def test_an_empty_front(state: PanelState, front: sq.Front) -> None:
    """As one whose search was stopped at once: words, no charts."""
    view = TradeOffs(state)
    state.front = front.filter({"older": 1.0})
    until(lambda: "Networks to choose from" in words(view.summary))
    assert "reaches what was asked" in words(view.summary)
    assert view.pictures.layout.display == "none"
    assert view.charts is None
    assert state.error == ""
    view.close()


@pytest.mark.slow
@pytest.mark.cluster
def test_a_search_from_asking_to_the_map(city: sq.City, tmp_path: Path) -> None:
    """A job is followed to its front, found again by the next kernel; a stopped one is kept."""
    with sq.JobQueue(store=tmp_path / "jobs", n_workers=1) as queue:
        state = PanelState(city, queue)
        view = TradeOffs(state)
        form = view.asking.form
        form.put(n_sensors=4, effort="0.1")
        form.press("find")
        seen: list[str] = []
        view.asking.searches.observe(
            lambda change: seen.extend(row["progress"]["text"] for row in change["new"]), "rows"
        )
        until(lambda: state.front is not None or state.error, 240)
        assert state.error == ""
        assert any(text.endswith("%") for text in seen)
        until(lambda: view.asking.chooser.values["front"] == queue.jobs()[0].id)
        found = state.front
        form.put(n_sensors=9, effort="4")
        form.press("find")
        until(lambda: any(r["progress"]["fraction"] > 0.1 for r in view.asking.searches.rows), 120)
        view.asking.searches.say(action="cancel", id=queue.jobs()[0].id)
        until(lambda: state.front is not found or state.news or state.error, 60)
        assert state.error == ""
        assert state.front.stopped
        view.close()
        state.close()
    with sq.JobQueue(store=tmp_path / "jobs", connect=False) as queue:
        state = PanelState(city, queue)
        view = TradeOffs(state)
        until(lambda: len(view.asking.chooser.fields[0]["options"]) == 3)
        newest, older = view.asking.chooser.fields[0]["options"][1:]
        assert "stopped early" in newest[1]
        assert older[1].startswith("4 sensors")
        view.asking.chooser.put(front=older[0])
        until(lambda: state.front is not None)
        assert state.front == found
        view.close()
        state.close()
