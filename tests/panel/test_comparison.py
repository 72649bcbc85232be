"""Two networks compared: figures by hand, both measured alike, and what today would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import spineq as sq
from spineq.errors import ProblemError
from spineq.panel.comparing import Difference, existing_network, measured_like
from spineq.panel.job_words import name_of
from spineq.panel.state import PanelState
from spineq.panel.today import PROVEN_WORDS, Today, what_it_takes, worse_off
from spineq.progress import RecordingProgress

if TYPE_CHECKING:
    from spineq.panel.comparison import Comparison

QUICK: dict[str, Any] = {"theta": 500, "method": "greedy", "bound": "none"}


@pytest.fixture(scope="module", autouse=True)
def comparison(needs: Callable[[str], ModuleType]) -> ModuleType:
    needs("ipyleaflet")
    return needs("spineq.panel.comparison")


@pytest.fixture(scope="module")
def row() -> sq.City:
    """Ten areas in a row, 1 km apart, with more and more people; sensors of today at the ends."""
    k = np.arange(10)
    table = pd.DataFrame({"area_id": [f"a{i}" for i in k], "x": 420_000.0 + 1000.0 * k})
    table["y"], table["population"] = 560_000.0, 100.0 * (k + 1)
    city = sq.City.from_frame(table, crs="EPSG:27700", name="Row")
    return city.with_existing(table.iloc[[0, 4, 9]][["x", "y"]])


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture
def state(row: sq.City) -> Iterator[PanelState]:
    made = PanelState(row)
    yield made
    made.close()


@pytest.fixture
def view(comparison: ModuleType, state: PanelState) -> Iterator[Comparison]:
    made = comparison.Comparison(state)
    yield made
    made.close()
    assert state.error == ""


def _texts(widget: Any) -> str:
    return "\n".join(str(item["text"]) for item in widget.items)


def _button(form: Any, name: str) -> dict[str, Any]:
    every = [b for field in form.fields if field["kind"] == "buttons" for b in field["buttons"]]
    (found,) = [b for b in every if b["name"] == name]
    return dict(found)


def _ready(view: Comparison) -> Difference:
    view.renew()
    view.work.wait()
    view.renew()
    assert view.difference is not None
    return view.difference


def test_a_difference_by_hand(row: sq.City) -> None:
    """With theta tiny an area is covered by a sensor of its own, or not at all."""
    one = sq.evaluate(row, ["a9", "a8"], theta=1.0)
    other = sq.evaluate(row, ["a9", "a0"], theta=1.0)
    found = Difference(row, one, other, ("new", "old"))
    mean, people = found.words()
    # 900 of 5,500 people against 100.
    assert mean == "“new” covers 14.5 points more of all residents than “old”."
    assert "100 people live in areas that lose coverage and 900 in areas that gain" in people
    (everyone,) = found.group_rows()
    assert (everyone["one"], everyone["other"]) == ("34.5 %", "20.0 %")
    assert (everyone["change"], everyone["one_near"]) == ("+14.5", "1,900")
    assert [each["id"] for each in found.area_rows(lose=False)] == ["a8"]
    (lost,) = found.area_rows(lose=True)
    assert (lost["id"], lost["change"], lost["people"]) == ("a0", "\N{MINUS SIGN}100.0", "100")
    back = Difference(row, other, one, ("old", "new"))
    assert back.group_rows()[0]["change"] == "\N{MINUS SIGN}14.5"
    assert "14.5 points less" in back.words()[0]
    same = Difference(row, one, one, ("new", "new"))
    assert "alike" in same.words()[0]
    assert same.area_rows(lose=True) == []


def test_networks_of_two_questions_are_measured_alike(city: sq.City) -> None:
    """The other's sensors by the one's theta and groups; one of the same question is itself."""
    groups = {"jobs": sq.Group(column="workers")}
    one = sq.optimise(city, n_sensors=5, groups=groups, **QUICK)
    other = sq.optimise(city, n_sensors=5, **(QUICK | {"theta": 250}))
    alike = measured_like(city, other, one.problem)
    assert alike.placement_history == other.placement_history
    assert (alike.problem.theta, alike.problem.groups) == (500, one.problem.groups)
    assert alike.total_coverage == pytest.approx(float(alike.group_coverage.sel(group="jobs")))
    assert measured_like(city, one, one.problem) is one
    words = Difference(city, one, alike, ("A", "B"), anew=True).words()
    assert "made for another question" in words[-1]
    assert "theta 500 m" in words[-1]


def test_existing_sensors_stand_where_they_stand(row: sq.City, city: sq.City) -> None:
    """All three of them, at their places; a city without any is refused."""
    net = sq.optimise(row, n_sensors=2, **QUICK)
    today = existing_network(row, net.problem)
    assert today.sensors["x"].tolist() == [420_000.0, 424_000.0, 429_000.0]
    with pytest.raises(sq.SpineqError, match="no existing sensors"):
        existing_network(city, net.problem)


def test_the_view_compares_what_is_shown_with_today(
    view: Comparison, state: PanelState, row: sq.City
) -> None:
    """It starts by itself, shows maps side by side, and follows the network."""
    assert view.body.layout.display == "none"
    assert view.maps == []
    assert "Choose two networks" in view.choice.notes["compare"]
    # What a cell shows beside the widget; a name of ipywidgets' own must not be taken.
    assert repr(view).startswith("Comparison(")
    net = sq.optimise(row, n_sensors=3, **QUICK)
    state.show(net, "preview")
    found = _ready(view)
    assert found.names == ("preview", "existing sensors")
    assert found.one is net
    assert view.body.layout.display == ""
    assert [made.network for made in view.maps] == [found.one, found.other]
    assert view.groups.rows == found.group_rows()
    assert "“preview” covers" in _texts(view.words)
    maps = list(view.maps)
    other = sq.evaluate(row, ["a1", "a2"], net.problem)
    state.show(other, "edited")
    assert _ready(view).one is other
    assert view.maps == maps
    view.choice.put(other="network:preview")
    found = _ready(view)
    assert (found.names, found.other) == (("edited", "preview"), net)
    assert view.maps[1].network is net


def test_the_difference_goes_to_the_map(view: Comparison, state: PanelState, row: sq.City) -> None:
    """The map shows A, and the other is B as it was measured."""
    a = sq.evaluate(row, ["a1", "a2"], theta=500)
    b = sq.evaluate(row, ["a3"], theta=900)
    state.show(a, "mine")
    state.show(b, "yours")
    view.renew()
    view.choice.values = {"one": "network:mine", "other": "network:yours"}
    found = _ready(view)
    assert found.anew
    view.mapping.press("difference")
    assert (state.network, state.network_name) == (a, "mine")
    assert (state.other, state.other_name) == (found.other, "yours")
    assert state.other is not None
    assert state.other.problem.theta == 500


def test_finished_jobs_can_be_chosen(
    comparison: ModuleType, busy_queue: sq.JobQueue, until: Callable[..., None], city: sq.City
) -> None:
    """The city's own, with what they were asked; loaded when chosen."""
    job = busy_queue.submit(city, n_sensors=4, **QUICK)
    job.result(timeout=60)
    state = PanelState(city, busy_queue)
    view = comparison.Comparison(state)
    options = dict(view.choice.fields[1]["options"])
    assert options[f"job:{job.id}"] == name_of(job.snapshot())
    # Two with the same note are two.
    for theta in (400, 450):
        busy_queue.submit(city, n_sensors=4, note="improved", **(QUICK | {"theta": theta})).result(
            60
        )
    view._look()
    view.renew()
    labels = [label for _, label in view.choice.fields[1]["options"]]
    assert sum(label.startswith("improved, job ") for label in labels) == 2
    state.show(sq.evaluate(city, ["001"], theta=500, bound="none"), "edited")
    view.choice.values = {"one": "shown", "other": f"job:{job.id}"}
    found = _ready(view)
    assert found.other.n_sensors == 4
    assert state.error == ""
    view.close()
    state.close()


def test_without_existing_sensors_the_button_says_why(
    comparison: ModuleType, city: sq.City
) -> None:
    """It is disabled, and the reason stands beside it."""
    state = PanelState(city)
    view = comparison.Comparison(state)
    button = _button(view.against, "today")
    assert button["disabled"]
    assert "no existing sensors" in button["title"]
    assert "no existing sensors" in view.against.notes["today"]
    view.close()
    state.close()


def test_as_many_sensors_as_today_can_leave_no_group_worse_off(
    view: Comparison, state: PanelState, row: sq.City
) -> None:
    """The answer is told, with what it costs, and can be shown."""
    shown = sq.evaluate(row, ["a0", "a1", "a2"], theta=500)
    state.show(shown, "edited")
    view.renew()
    assert not _button(view.against, "today")["disabled"]
    assert _button(view.against, "show_today")["disabled"]
    view.against.press("today")
    view.search.wait()
    view.renew()
    today = view.today
    assert today is not None
    assert today.network is not None
    assert (today.asked, today.enough) == (3, 3)
    assert worse_off(today.network, today.existing) == ()
    assert "some are worse off than today" in _texts(view.answer)
    assert "3 sensors can leave no group worse off than today" in _texts(view.answer)
    view._tell()
    view.against.press("show_today")
    assert state.network is today.network
    assert state.other is today.existing


def test_too_few_sensors_are_proven_too_few(row: sq.City) -> None:
    """With one sensor nobody reaches what three at the ends give; the least number is found."""
    shown = sq.optimise(row, n_sensors=1, theta=1.0)
    found = what_it_takes(row, shown)
    # The three of today cover 100 + 500 + 1,000 of 5,500 people; the last two areas are enough.
    assert (found.enough, found.proven_short) == (2, 1)
    assert found.network is not None
    assert worse_off(found.network, found.existing) == ()
    assert "It takes at least 2 sensors" in found.words()[1]
    assert "proven" in found.words()[1]


def test_a_network_that_is_fair_already_needs_no_search(row: sq.City) -> None:
    """It is said, and nothing is solved."""
    shown = sq.optimise(row, n_sensors=5, **QUICK)
    found = what_it_takes(row, shown)
    assert found.network is shown
    assert found.words() == ["With the network shown, no group is worse off than today."]


def test_words_claim_no_more_than_is_proven(row: sq.City) -> None:
    """What was not found is not called impossible."""
    shown = sq.optimise(row, n_sensors=2, **QUICK)
    existing = existing_network(row, shown.problem)
    made = Today(shown, existing, 2, shown, 6, 0, 5, (("workers", 0.1),))
    # Another object, as if it had been found.
    made = Today(shown, existing, 2, existing, 6, 3, 5, (("workers", 0.1),))
    assert "it takes at least 4, which is proven" in made.words()[1]
    made = Today(shown, existing, 2, existing, 6, 0, 5, (("workers", 0.1),))
    assert "which is no proof that there is none" in made.words()[1]
    made = Today(shown, existing, 2, None, 0, 0, 9, (("workers", 0.1),))
    assert "there may be one" in made.words()[1]
    made = Today(shown, existing, 2, None, 0, 9, 9, (("workers", 0.1),))
    assert "that is proven" in made.words()[1]


def test_solvers_say_what_is_proven_in_these_words(row: sq.City) -> None:
    """The sentence that is looked for is the one that a solver writes."""
    with pytest.raises(ProblemError) as raised:
        sq.optimise(row, n_sensors=1, theta=1.0, at_least={"pop_total": 0.9})
    assert raised.value.field == "at_least"
    assert raised.value.what.startswith(PROVEN_WORDS)


def test_it_can_be_stopped(row: sq.City) -> None:
    """What is told then claims nothing."""
    shown = sq.optimise(row, n_sensors=1, theta=1.0)
    found = what_it_takes(row, shown, RecordingProgress(stop_after=1))
    assert found.stopped
    assert found.network is None
    assert "stopped early" in found.words()[-1]


def test_what_the_question_had_else_is_said(row: sq.City) -> None:
    """Aversion cannot go with floors, and is left out aloud."""
    shown = sq.optimise(row, n_sensors=1, theta=300.0, aversion=2.0)
    found = what_it_takes(row, shown)
    assert any("without aversion" in line for line in found.words())


@pytest.mark.slow
def test_newcastle_needs_23_sensors_to_match_today(shared: Path) -> None:
    """Its sensors of today are where people work; 22 cannot do it, by proof."""
    city = sq.read_city(shared / "data" / "cities" / "E08000021")
    shown = sq.optimise(city, n_sensors=20, theta=500)
    found = what_it_takes(city, shown)
    assert (found.enough, found.proven_short) == (23, 22)
    assert found.network is not None
    assert worse_off(found.network, found.existing) == ()
