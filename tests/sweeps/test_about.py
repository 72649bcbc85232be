"""The summary page of a sweep: it says what the table has, on a page that needs nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import spineq as sq
from spineq.sweeps import about
from spineq.sweeps.page import write_summary

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

CONFIG: dict[str, Any] = {
    "cities": ["synthetic:40"],
    "grid": {
        "theta": [300, 600],
        "n_sensors": [2, 4],
        "groups": {
            "jobs": {"jobs": {"column": "workers"}},
            "young <b>": {"young": {"ages": [0, 15]}},
        },
    },
    "points": [
        {"task": "random", "theta": 300, "n_sensors": 2, "n_networks": 50},
        {"theta": 300, "n_sensors": 41},
    ],
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> sq.SweepResult:
    """A small sweep with a grid, random networks, and a point that cannot be."""
    place = tmp_path_factory.mktemp("sweep")
    with sq.JobQueue(store=place / "store", n_workers=1) as queue:
        return sq.sweep(CONFIG, place / "out", queue)


def test_it_says_what_the_table_has(result: sq.SweepResult) -> None:
    head = about.headline(result).text
    assert "10 points" in head
    assert "9 finished" in head
    assert "1 failed" in head
    assert "8 of 8 networks proven best" in head
    assert "Point 10" in about.failures(result).text
    assert "more than the city's 40 sites" in about.failures(result).text
    listed = about.points(result).text
    for value in result.table["value"].dropna():
        assert f"{100 * value:.1f} %" in listed
    assert "Mean of random networks" in about.others(result).text


def test_there_is_a_picture_for_each_set_and_question(result: sq.SweepResult) -> None:
    assert about.surfaces(result).html.count("<img ") == 2
    assert about.gains(result).html.count("<img ") == 2
    assert about.regrets(result).html.count("<img ") == 4


def test_what_cannot_be_drawn_is_said_once(result: sq.SweepResult) -> None:
    """One number of sensors says nothing about one more, and one set has no regret."""
    from dataclasses import replace

    rows = result.table
    few = replace(result, table=rows[(rows["n_sensors"] == 2) & (rows["groups"] == "jobs")])
    assert about.gains(few).text.count("One number of sensors") == 1
    assert "<img " not in about.regrets(few).html
    none = replace(result, table=rows[rows["task"] == "random"])
    assert "no networks to draw" in about.surfaces(none).text
    assert about.failures(none).text == "No point failed."


def test_the_page_opens_by_itself(
    result: sq.SweepResult, needs: Callable[[str], ModuleType]
) -> None:
    """Title, contents, pictures; nothing from outside, and names are data."""
    needs("papermill")
    needs("nbconvert")
    made = write_summary(result)
    assert made == result.folder.absolute() / "summary.html"
    page = Path(made).read_text(encoding="utf-8")
    assert page.count("<img ") == 8
    assert "<b>" not in page
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert (result.folder / "summary.ipynb").is_file()
    assert [path for path in result.folder.iterdir() if path.name.startswith(".")] == []
