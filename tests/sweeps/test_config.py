"""A sweep's configuration: what it means, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spineq.errors import (
    MissingFileError,
    ProblemError,
    SpineqError,
    UnknownTaskError,
    UnreadableFileError,
)
from spineq.sweeps.config import read_plan

GROUPS = {"jobs": {"jobs": {"column": "workers"}}, "young": {"children": {"ages": [0, 15]}}}
SMALL: dict[str, Any] = {"cities": "san-francisco", "grid": {"n_sensors": [5, 10]}}


def test_a_grid_is_every_combination() -> None:
    """Cities, words and sets of groups; a value alone is a list of one; fixed words are in all."""
    plan = read_plan(
        {
            "cities": ["san-francisco", {"name": "small", "path": "synthetic:50"}],
            "grid": {"theta": 250, "n_sensors": [5, 10, 20], "groups": GROUPS},
            "fixed": {"method": "greedy"},
        }
    )
    assert len(plan.points) == 12
    assert [point.number for point in plan.points] == list(range(1, 13))
    assert {name: tuple(labels) for name, labels in plan.axes.items()} == {
        "city": ("san-francisco", "small"), "groups": ("jobs", "young"), "theta": (250,),
        "n_sensors": (5, 10, 20),
    }  # fmt: skip
    last = plan.points[-1]
    assert (last.city, last.label, last.task) == ("small", "young", "optimise")
    assert last.words == {
        "method": "greedy", "theta": 250, "n_sensors": 20,
        "groups": {"children": {"ages": [0, 15]}},
    }  # fmt: skip
    assert last.at == {"city": 1, "groups": 1, "theta": 0, "n_sensors": 2}
    assert last.places["n_sensors"] == "grid.n_sensors[2]"
    assert len({tuple((point.at or {}).items()) for point in plan.points}) == 12


def test_points_stand_beside_the_grid_or_alone() -> None:
    """With a task, groups by label, and a city of their own, or all of them."""
    words = {
        "cities": ["san-francisco", "synthetic:50"],
        "grid": {"n_sensors": 5, "groups": GROUPS},
    }
    listed = [
        {"n_sensors": 7, "task": "random", "groups": "jobs", "city": "synthetic:50"},
        {"n_sensors": 8, "groups": {"a": {"ages": [0, 5]}, "b": {"column": "workers"}}},
    ]
    plan = read_plan(words | {"points": listed})
    extra = plan.points[4:]
    assert [(each.city, each.task, each.label) for each in extra] == [
        ("synthetic:50", "random", "jobs"),
        ("san-francisco", "optimise", "a, b"),
        ("synthetic:50", "optimise", "a, b"),
    ]
    assert all(each.at is None for each in extra)
    alone = read_plan({"cities": "san-francisco", "points": [{"n_sensors": 3, "theta": 100}]})
    assert len(alone.points) == 1
    assert alone.axes == {}
    assert alone.points[0].label == "all residents"


def test_a_file_is_read_from_where_it_lies(tmp_path: Path) -> None:
    """Paths of cities are relative to the file's folder; a name without a file stays a name."""
    (tmp_path / "areas.csv").write_text("area_id,x,y\n")
    file = tmp_path / "sweep.yml"
    file.write_text("cities: [areas.csv, Newcastle upon Tyne]\ngrid: {n_sensors: 3}\n")
    plan = read_plan(file)
    assert [city.where for city in plan.cities] == [str(tmp_path / "areas.csv"), None]
    assert plan.text == file.read_text()
    assert plan.file == str(file)
    zones = {
        "name": "zones", "path": "tracts.csv", "ages": "ages.csv",
        "workplaces": ["a.csv.gz", "b.csv.gz"],
    }  # fmt: skip
    cells = {"name": "cells", "path": "people.tif", "cell": 500, "within": [0, 0, 1, 1]}
    file.write_text(json.dumps({"cities": [zones, cells], "grid": {"n_sensors": [3]}}))
    first, second = (city.options for city in read_plan(file).cities)
    assert first == {
        "ages": str(tmp_path / "ages.csv"),
        "workplaces": [str(tmp_path / "a.csv.gz"), str(tmp_path / "b.csv.gz")],
    }
    assert second == {"cell": 500, "within": [0, 0, 1, 1]}


def test_a_report_is_of_a_network() -> None:
    """Points of other tasks have none; who asks for one without the task is told."""
    words = SMALL | {"points": [{"n_sensors": 4, "task": "random"}]}
    assert not any(point.report for point in read_plan(words).points)


@pytest.mark.parametrize(
    ("words", "place", "said"),
    [
        ({"grad": 1}, "grad", "no key 'grad'"),
        ({"cities": []}, "cities", "no city"),
        ({"cities": ["san-francisco", "san-francisco"]}, "cities[1]", "two cities"),
        ({"cities": [3]}, "cities[0]", "3"),
        ({"cities": [{"name": "x", "file": "y"}]}, "cities[0].file", "Use name, path"),
        ({"cities": [{"crs": "EPSG:1"}]}, "cities[0]", "neither"),
        ({"grid": {}}, "grid", "no points"),
        ({"grid": None}, "grid", "no points"),
        ({"grid": [1]}, "grid", "[1]"),
        ({"grid": {"theta": []}}, "grid.theta", "no points"),
        ({"grid": {"theta": [500]}}, "grid", "number of sensors is missing"),
        ({"grid": {"n_sensors": [5, 5.0]}}, "grid.n_sensors[1]", "twice"),
        ({"grid": {"n_sensors": 5, "thta": [1]}}, "grid.thta", "no word 'thta'"),
        ({"grid": {"n_sensors": 5, "theta": [500, "far"]}}, "grid.theta[1]", "'far'"),
        ({"grid": {"n_sensors": 5, "theta": [500, -1]}}, "grid.theta[1]", "-1"),
        ({"grid": {"n_sensors": [5, 2.5]}}, "grid.n_sensors[1]", "2.5"),
        ({"grid": {"n_sensors": [5, True]}}, "grid.n_sensors[1]", "True"),
        ({"grid": {"n_sensors": 5, "groups": ["a"]}}, "grid.groups", "sets of groups"),
        ({"grid": {"n_sensors": 5, "groups": {"a": {}}}}, "grid.groups.a", "not a set"),
        (
            {"grid": {"n_sensors": 5, "groups": {"a": {"b": {"age": 3}}}}},
            "grid.groups.a.b", "no field 'age'",
        ),
        (
            {"grid": {"n_sensors": 5, "groups": {"a": {"b": {"ages": [9, 3]}}}}},
            "grid.groups.a.b", "not a range",
        ),
        ({"fixed": {"method": "magic"}}, "fixed.method", "magic"),
        ({"fixed": {"n_sensors": 3}}, "grid.n_sensors", "both in the grid and fixed"),
        ({"fixed": {"region": "ward"}}, "fixed.region", "no limit"),
        ({"fixed": 3}, "fixed", "3"),
        ({"task": 3}, "task", "3"),
        ({"task": "magic"}, "task", "no task 'magic'"),
        ({"task": "trade_off", "fixed": {"size": 0}}, "fixed.size", "size"),
        ({"task": "trade_off", "fixed": {"method": "auto"}}, "fixed.method", "auto"),
        ({"task": "random", "fixed": {"n_networks": "x"}}, "fixed.n_networks", "'x'"),
        ({"task": "random", "fixed": {"effort": 1}}, "fixed.effort", "no word 'effort'"),
        ({"report": "yes"}, "report", "'yes'"),
        ({"points": {"theta": 1}}, "points", "list of points"),
        ({"points": [3]}, "points[0]", "3"),
        ({"points": [{"n_sensors": 3, "city": "york"}]}, "points[0].city", "no city 'york'"),
        ({"points": [{"n_sensors": 3, "groups": "jobs"}]}, "points[0].groups", "no set of groups"),
        ({"points": [{"n_sensors": 3}, {"n_sensors": 0}]}, "points[1].n_sensors", "0"),
        ({"points": [{"n_sensors": 3, "task": "no"}]}, "points[0].task", "no task"),
        ({"points": [{"theta": 3}]}, "points[0]", "number of sensors is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(
    words: dict[str, Any], place: str, said: str
) -> None:
    """One sentence that names the place and the mend."""
    with pytest.raises(SpineqError) as refusal:
        read_plan(SMALL | words)
    assert refusal.value.field == place
    assert said in str(refusal.value)
    assert refusal.value.mend
    assert isinstance(refusal.value, ProblemError | UnknownTaskError)


def test_what_clashes_at_one_point_is_not_refused() -> None:
    """Values that are right alone make a point that fails, and no reason against the others."""
    grid = {"n_sensors": 5, "objective": ["mean", "worst"], "aversion": [0, 2]}
    assert len(read_plan(SMALL | {"grid": grid}).points) == 4


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("a: [1\n", UnreadableFileError, "line 2"),
        ("grid: {theta: 1}\ngrid: {theta: 2}\n", UnreadableFileError, "grid stands twice"),
        ("- 1\n", UnreadableFileError, "a list"),
        ("", UnreadableFileError, "nothing"),
        ("a: !!python/object:os.system {}\n", UnreadableFileError, "not YAML"),
        ("cities: san-francisco\nfixed: {theta: 2026-01-01}\n", ProblemError, "quotation marks"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, text: str, kind: type[SpineqError], said: str
) -> None:
    """With its name, and the line where there is one."""
    file = tmp_path / "sweep.yml"
    file.write_text(text)
    with pytest.raises(kind) as refusal:
        read_plan(file)
    assert said in str(refusal.value)
    assert refusal.value.file == str(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So are a folder, and what is no text."""
    with pytest.raises(MissingFileError, match="no such file"):
        read_plan(tmp_path / "none.yml")
    with pytest.raises(MissingFileError, match="cannot be read"):
        read_plan(tmp_path)
    (tmp_path / "bytes.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableFileError, match="not text"):
        read_plan(tmp_path / "bytes.yml")


def test_a_digest_names_what_is_asked() -> None:
    """Not where the city's files lie, nor how the file is laid out."""
    plan = read_plan(SMALL)
    digest = plan.digest({"san-francisco": "c"})
    again = read_plan({"grid": {"n_sensors": [5, 10]}, "cities": ["san-francisco"]})
    assert again.digest({"san-francisco": "c"}) == digest
    assert plan.digest({"san-francisco": "d"}) != digest
    other = read_plan(SMALL | {"grid": {"n_sensors": [5, 11]}})
    assert other.digest({"san-francisco": "c"}) != digest
