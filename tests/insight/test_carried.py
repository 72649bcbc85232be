"""A network in few words for a job: measured again it is the same, and what is none is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import spineq as sq
from spineq.errors import DataError, ProblemError
from spineq.insight.carried import carried, remade
from spineq.progress import RecordingProgress

GROUPS = {
    "older": sq.Group(ages=(66, 90), title="Grey"),
    "jobs": sq.Group(column="workers", weight=2),
}

#: What is about how a network was made, and not about it.
_MAKING = {"seconds": 0.0, "cutoff_error": 0.0, "sensors_given": 0}


def city_of(n_areas: int = 40, *, prices: bool = False) -> sq.City:
    """A made-up city with five sensors of today, two of which stand at one place."""
    city = sq.demo_city("synthetic", n_areas=n_areas)
    if prices:
        city = city.with_sites(city.sites[["x", "y"]].assign(cost=range(1, n_areas + 1)))
    xy = city.site_xy[[3, 3, 9, 17, 30]] + np.array([[40.0], [40.0], [0.0], [-90.0], [55.5]])
    ids = [f"S{k}" for k in range(len(xy))]
    table = pd.DataFrame({"sensor_id": ids, "x": xy[:, 0], "y": xy[:, 1]})
    return city.with_existing(table)


@pytest.fixture(scope="module")
def city() -> sq.City:
    return city_of()


def again(city: sq.City, net: sq.Network) -> sq.Network:
    """A network that went through JSON."""
    return remade(city, json.loads(json.dumps(carried(city, net), allow_nan=False)))


def about(net: sq.Network) -> sq.Network:
    """A network without what is about its making."""
    return sq.Network(net.dataset.assign_attrs(**_MAKING))


#: What is asked of `optimise`.
ASKED: dict[str, dict[str, Any]] = {
    "plain": {"n_sensors": 4},
    "original words": {"n_sensors": 3, "population_weight": 1, "workplace_weight": 0.5},
    "groups": {"n_sensors": 4, "groups": GROUPS, "theta": 321.5, "decay": "gaussian"},
    "kept sites": {"n_sensors": 3, "keep": 2, "forbid": 3},
    "existing": {"n_sensors": 3, "keep": "existing"},
    "aversion": {"n_sensors": 4, "groups": GROUPS, "aversion": 3.0},
    "atkinson": {"n_sensors": 4, "aversion": 0.5, "aversion_form": "atkinson"},
    "worst": {"n_sensors": 4, "groups": GROUPS, "objective": "worst"},
    "worst share": {"n_sensors": 3, "groups": GROUPS, "objective": "worst_share"},
    "unproven share": {
        "n_sensors": 3, "groups": GROUPS, "objective": "worst_share", "effort": 0.001,
    },
    "floors": {"n_sensors": 4, "groups": GROUPS, "at_least": {"older": 0.05}},
    "spacing": {"n_sensors": 4, "min_spacing": 900.0},
    "no bound": {"n_sensors": 4, "bound": "none"},
    "greedy": {"n_sensors": 4, "method": "greedy"},
    "retired": {"retire": 1, "n_sensors": 2},
    "moved": {"move_at_most": 2},
    "reached": {"reach": {"pop_elderly": 0.2}},
    "failing": {"n_sensors": 3, "failure_probability": 0.2},
    "reached today": {"reach": "existing", "keep": ["S2"]},
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_network_that_was_searched_for_comes_back(city: sq.City, asked: dict[str, Any]) -> None:
    """Bit for bit: value, bound, proof, tables, what is gone; and so do its words."""
    ids = list(city.sites.index)
    words = dict(asked)
    for name in ("keep", "forbid"):
        if isinstance(words.get(name), int):
            words[name] = ids[5 : 5 + words[name]] if name == "keep" else ids[-words[name] :]
    net = sq.optimise(city, **words)
    made = again(city, net)
    assert about(made) == about(net)
    assert made.proven == net.proven
    assert made.problem == net.problem
    assert carried(city, made) == carried(city, net)


def test_a_budget_comes_back() -> None:
    """With what is spent."""
    city = city_of(prices=True)
    net = sq.optimise(city, budget=30, site_cost="cost")
    made = again(city, net)
    assert about(made) == about(net)
    assert made.spent == net.spent


#: Sensors that are given to `evaluate`, from a city.
GIVEN: dict[str, Callable[[sq.City], Any]] = {
    "sites": lambda city: list(city.sites.index[[7, 2, 30]]),
    "twice": lambda city: list(city.sites.index[[7, 7, 2]]),
    "no sites": lambda city: city.site_xy[:3] + 123.456,
    "one a site": lambda city: np.vstack([city.site_xy[4], city.site_xy[5] + 1 / 3]),
    "today's": lambda _: "existing",
    "today's places": lambda _: "existing-points",
}


@pytest.mark.parametrize("sensors", GIVEN.values(), ids=GIVEN)
@pytest.mark.parametrize("keep", [(), "existing"])
def test_a_network_that_was_given_comes_back(
    city: sq.City, sensors: Callable[[sq.City], Any], keep: Any
) -> None:
    """At places that are no sites too, and beside sensors that stay."""
    net = sq.evaluate(city, sensors(city), groups=GROUPS, keep=keep, aversion=2.0)
    made = again(city, net)
    assert about(made) == about(net)
    assert carried(city, made) == carried(city, net)


def test_a_network_that_was_stopped_stays_so(city: sq.City) -> None:
    """What was cut short is no proof."""
    net = sq.optimise(city, n_sensors=5, progress=RecordingProgress(stop_after=4))
    assert net.stopped
    assert about(again(city, net)) == about(net)


def test_travel_costs_are_measured_again() -> None:
    """Theta is told, though it is the usual number, and costs come from the table."""
    city = sq.demo_city("synthetic", n_areas=20)
    ids = list(city.sites.index)
    pairs = pd.DataFrame([(one, other) for one in ids for other in ids], columns=["site", "area"])
    cost = 60.0 * (pairs["site"] != pairs["area"]) + pairs.index % 7
    timed = city.with_travel(pairs.assign(cost=cost), unit="minutes")
    net = sq.optimise(timed, n_sensors=3, theta=500)
    assert about(again(timed, net)) == about(net)


def test_other_cities_and_kinds_are_refused(city: sq.City) -> None:
    """Before anything is described."""
    net = sq.optimise(city, n_sensors=2, method="greedy")
    with pytest.raises(DataError, match="was made for"):
        carried(sq.demo_city("synthetic", n_areas=41), net)
    with pytest.raises(ProblemError):
        carried(city, {"problem": {}})  # type: ignore[arg-type]
    kinds = {"good": sq.Kind(theta=700, n_sensors=1), "cheap": sq.Kind(theta=300, n_sensors=2)}
    several = sq.optimise(city, kinds=kinds, method="greedy")
    with pytest.raises(ProblemError, match="several"):
        carried(city, several)


#: What is done to a network's words, and what is then said.
SPOILT: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no words": (lambda _: "net", "must be a dictionary"),
    "a list": (lambda _: [1], "must be a dictionary"),
    "nothing": (lambda _: {}, "a network is needed"),
    "another word": (lambda made: made | {"size": 3}, "no field 'size'"),
    "no problem": (lambda made: made | {"problem": 3}, "a network is needed"),
    "bad problem": (lambda made: made | {"problem": {"n_sensors": -2}}, "n_sensors must be"),
    "no places": (lambda made: made | {"places": None}, "cannot be read"),
    "short places": (lambda made: made | {"places": [["a", "b"]]}, "cannot be read"),
    "nowhere": (lambda made: made | {"places": [["", "x", "nan", 1]]}, "cannot be read"),
    "too many stay": (lambda made: made | {"kept": 99}, "99 stay of 2"),
    "fewer than none stay": (lambda made: made | {"kept": -1}, "-1 stay of 2"),
    "endless": (lambda made: made | {"kept": float("inf")}, "cannot be read"),
    "bound": (lambda made: made | {"bound": float("inf")}, "bound inf"),
    "bound below": (lambda made: made | {"bound": -1.0}, "bound -1"),
    "value": (lambda made: made | {"value": made["value"] + 1e-3}, "as is said"),
    "no value": (lambda made: made | {"value": None}, "cannot be read"),
    "own best": (lambda made: made | {"own_best": {"pop_total": 0}}, "own bests"),
    "gone": (lambda made: made | {"gone": []}, "cannot be read"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT)
def test_what_is_no_network_is_refused(
    city: sq.City, spoil: Callable[[dict[str, Any]], Any], said: str
) -> None:
    """It may come from a program of somebody's own, by way of a store or HTTP."""
    net = sq.optimise(city, n_sensors=2, method="greedy")
    with pytest.raises(ProblemError, match=said) as refused:
        remade(city, spoil(carried(city, net)))
    assert refused.value.mend


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (0, "zzz", "'zzz' is no site of Synthetic city"),
        (1, "zzz", "'zzz' is no area of Synthetic city"),
        (2, 1.0, "stands elsewhere"),
    ],
)
def test_places_of_other_cities_are_refused(
    city: sq.City, column: int, value: Any, said: str
) -> None:
    """A site, an area or a place that this city does not have."""
    words = copy.deepcopy(carried(city, sq.optimise(city, n_sensors=2, method="greedy")))
    words["places"][1][column] = value
    with pytest.raises(ProblemError, match=said):
        remade(city, words)
