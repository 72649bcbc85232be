"""The table twin of the map."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import spineq as sq
from spineq.panel.areas_table import PAGE, AreasTable
from spineq.panel.state import PanelState

Until = Callable[..., None]
CITY = sq.demo_city()


@pytest.fixture
def table() -> Iterator[AreasTable]:
    """Of the demo city, unfolded."""
    made = AreasTable(CITY)
    made.unfold()
    yield made
    made.close()


def _column(table: AreasTable, key: str) -> list[str]:
    return [row[key] for row in table.table.rows]


def test_it_is_folded_until_it_is_asked_for() -> None:
    """Nothing is sent before; a press unfolds it, another folds it."""
    table = AreasTable(CITY)
    assert table.table.rows == []
    assert table.table.layout.display == "none"
    table.controls.press("open")
    assert len(table.table.rows) == PAGE
    assert table.table.layout.display != "none"
    table.controls.press("open")
    assert not table.is_open
    assert table.controls.hidden == ["find"]
    table.close()


def test_every_area_is_on_one_of_the_pages(table: AreasTable, until: Until) -> None:
    """In the city's order, with its people."""
    ids = CITY.dataset["area"].to_numpy().tolist()
    assert table.table.pages == 19
    for page in range(table.table.pages):
        table.table.say(page=page)
        wanted = ids[page * PAGE : (page + 1) * PAGE]
        until(lambda wanted=wanted: _column(table, "area") == wanted)
    assert table.table.total == "190 areas"


def test_it_says_what_the_map_shows(table: AreasTable, until: Until) -> None:
    """Coverage, change and distance come and go with the networks; the worst come first."""
    net, other = (sq.optimise(CITY, n_sensors=n, method="greedy") for n in (9, 5))
    table.state.show(net)
    table.state.other = other
    until(lambda: any(column["key"] == "difference" for column in table.table.columns))
    table.table.say(sort="coverage")
    least, most = float(net.area_coverage.min()), float(net.area_coverage.max())
    until(lambda: table.table.sort["key"] == "coverage" and table.table.rows[0]["coverage"])
    until(lambda: table.table.rows[0]["coverage"] == f"{100 * least:.1f} %")
    table.table.say(sort="coverage")
    until(lambda: table.table.rows[0]["coverage"] == f"{100 * most:.1f} %")
    # What it was sorted by is gone, and so is the order.
    table.state.show(None)
    until(lambda: all(column["key"] != "coverage" for column in table.table.columns))
    until(lambda: _column(table, "area")[0] == str(CITY.dataset["area"].values[0]))


def test_an_area_is_found_by_a_part_of_its_id(table: AreasTable, until: Until) -> None:
    """Whatever the case; and nothing found is said."""
    wanted = str(CITY.dataset["area"].to_numpy()[77])
    table.table.say(page=3)
    table.controls.put(find=wanted.upper())
    until(lambda: _column(table, "area") == [wanted])
    table.controls.put(find="no such area (")
    until(lambda: table.table.rows == [])


def test_a_network_of_the_city_before_is_not_shown(until: Until) -> None:
    """Between two cities there may be one."""
    state = PanelState(CITY)
    table = AreasTable(state)
    table.unfold()
    state.show(sq.optimise(CITY, n_sensors=3, method="greedy"))
    state.city = sq.demo_city("synthetic", n_areas=60)
    until(lambda: table.table.total == "60 areas")
    assert all(column["key"] != "coverage" for column in table.table.columns)
    assert state.error == ""
    table.close()
    state.close()


def test_a_group_may_be_called_as_a_column_is(until: Until) -> None:
    """Ids, coverage and people stay apart."""
    titles = ["area", "id", "coverage", "difference", "distance"]
    groups = {f"g{k}": sq.Group(column="workers", title=title) for k, title in enumerate(titles)}
    net = sq.evaluate(CITY, ["001", "002"], theta=500, groups=groups, bound="none")
    state = PanelState(CITY)
    state.show(net)
    table = AreasTable(state)
    table.unfold()
    [row, *_] = table.table.rows
    assert row["id"] == row["area"] == "001"
    assert row["coverage"] == "100.0 %"
    workers = f"{CITY.people(sq.Group(column='workers')).values[0]:,.0f}"
    assert [row[f"{title} (people)"] for title in titles] == [workers] * len(titles)
    assert len(table.table.columns) == len(row) - 1
    table.close()
    state.close()
