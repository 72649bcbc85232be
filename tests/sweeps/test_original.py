"""The original system's configuration as a sweep."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from spineq.errors import ProblemError
from spineq.sweeps.config import read_plan

ORIGINAL: dict[str, Any] = {
    "la": "Somewhere",
    "save_dir": "results",
    "objectives": {
        "population_groups": {
            "pop_total": {"min": 0, "max": 90, "weight": 1, "title": "Total Residents"},
            "pop_children": {"min": 0, "max": 15, "weight": 1, "title": "Residents Under 16"},
        },
        "workplace": {"weight": 1, "title": "Workers"},
    },
    "optimisation": {
        "theta": {"default": 500, "generate": [100, 500]},
        "n_sensors": {"default": 55, "generate": [10, 55]},
        "networks_dir": "networks",
        "single_objective": {"filename": "networks_singleobj.json"},
        "multi_objectives": {"gen": 20000, "population_size": 200, "seed": 123, "filename": "x"},
        "two_objectives": {
            "gen": 10000, "population_size": 200, "seed": 234, "filename": "y",
            "objectives": ["pop_children", "workplace"],
        },
        "random": {"n": 10000, "filename": "z"},
    },
    "urb_obs": {"save_dir": "urb_obs", "filename": "uo_sensors.shp"},
    "figures": {"save_dir": "figures", "multi_objectives": {"all_coverage_threshold": 0.45}},
    "report": {"fig_width": 1000},
}  # fmt: skip


def _changed(path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(ORIGINAL)
    *parents, last = path.split(".")
    at = made
    for name in parents:
        at = at[name]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return made


def test_every_network_of_the_original_is_a_point(shared: Path) -> None:
    """The file as it is: each objective alone, both fronts and the random networks, for every
    theta and number of sensors that it generates.
    """
    plan = read_plan(shared / "data" / "original" / "config.yml")
    content = yaml.safe_load(plan.text)
    counts = Counter((each.task, each.label) for each in plan.points)
    assert counts == {
        ("optimise", "pop_total"): 4,
        ("optimise", "pop_children"): 4,
        ("optimise", "pop_elderly"): 4,
        ("optimise", "workplace"): 4,
        ("trade_off", "all objectives"): 4,
        ("trade_off", "pop_elderly, workplace"): 4,
        ("random", "all objectives"): 4,
    }
    spots = {(each.words["theta"], each.words["n_sensors"]) for each in plan.points}
    assert spots == {(theta, n) for theta in (100, 500) for n in (10, 55)}
    assert {each.words["n_networks"] for each in plan.points if each.task == "random"} == {10_000}
    assert plan.axes["groups"] == (*content["objectives"]["population_groups"], "workplace")
    assert plan.cities[0].name == "Newcastle upon Tyne"
    assert plan.cities[0].where is None


def test_what_means_nothing_is_named_once() -> None:
    """In one sentence, and nothing that has a meaning is in it."""
    (note,) = read_plan(ORIGINAL).notes
    for key in ("save_dir", "gen", "population_size", "filename", "urb_obs", "figures", "report"):
        assert note.count(f" {key}") == 1
    for key in ("generate", "default", "title", "objectives", " n,"):
        assert key not in note
    assert "fig_width" not in note


def test_groups_are_those_of_the_objectives() -> None:
    """With ages, weights and titles; the workplace is the workers."""
    plan = read_plan(_changed("objectives.workplace.weight", 0.5))
    front = next(each for each in plan.points if each.task == "trade_off")
    assert front.words["groups"] == {
        "pop_total": {"ages": [0, 90], "title": "Total Residents"},
        "pop_children": {"ages": [0, 15], "title": "Residents Under 16"},
        "workplace": {"column": "workers", "weight": 0.5, "title": "Workers"},
    }
    grid = [each for each in plan.points if each.at is not None]
    assert len(grid) == 12
    assert all(list(each.words["groups"]) == [each.label] for each in grid)


def test_parts_may_be_left_out() -> None:
    """What is not there is not computed; the default stands for values to generate."""
    plan = read_plan(_changed("optimisation.single_objective", None))
    assert {each.task for each in plan.points} == {"trade_off", "random"}
    assert plan.axes == {}
    plan = read_plan(_changed("optimisation.theta.generate", None))
    assert {each.words["theta"] for each in plan.points} == {500}
    few = {"theta": {"default": 5}, "n_sensors": {"default": 2}, "random": {"n": 10, "seed": 4}}
    plan = read_plan(_changed("objectives.workplace", None) | {"optimisation": few})
    assert plan.points[0].words["seed"] == 4
    assert list(plan.points[0].words["groups"]) == ["pop_total", "pop_children"]


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("lad", 1, "lad"),
        ("la", 3, "la"),
        ("optimisation.thta", 1, "optimisation.thta"),
        ("optimisation.random.m", 1, "optimisation.random.m"),
        ("optimisation.random.n", "x", "optimisation.random.n"),
        ("optimisation.theta.generate", [100, "x"], "optimisation.theta.generate[1]"),
        ("optimisation.theta.generate", [100, -1], "optimisation.theta.generate[1]"),
        ("optimisation.theta.generate", [100, 100], "optimisation.theta.generate[1]"),
        ("optimisation.theta.generate", [], "optimisation.theta"),
        ("optimisation.n_sensors.generate", [2.5], "optimisation.n_sensors.generate[0]"),
        ("optimisation.theta", 3, "optimisation.theta"),
        ("objectives.workers", {}, "objectives.workers"),
        ("objectives", {}, "objectives"),
        (
            "objectives.population_groups.pop_total.mx", 3,
            "objectives.population_groups.pop_total.mx",
        ),
        (
            "objectives.population_groups.pop_total.max", 300,
            "objectives.population_groups.pop_total",
        ),
        (
            "optimisation.two_objectives.objectives", ["pop_total"],
            "optimisation.two_objectives.objectives",
        ),
        (
            "optimisation.two_objectives.objectives", ["pop_total", "nobody"],
            "optimisation.two_objectives.objectives[1]",
        ),
        ("optimisation", {"theta": {"default": 5}, "n_sensors": {"default": 2}}, "optimisation"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(path: str, value: Any, place: str) -> None:
    """One sentence that names the place."""
    with pytest.raises(ProblemError) as refusal:
        read_plan(_changed(path, value))
    assert refusal.value.field == place
    assert refusal.value.mend
