"""Networks for points that matter by themselves: every solver, bound and report."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import CRS

import spineq as sq
from spineq.measure import group_coverage_by_area, mean_change
from spineq.model.groups import Group
from spineq.report import page_figures

STOPS = Group(column="stops")

#: South-western corner of the cities made here, metres.
CORNER = np.array([420_000.0, 560_000.0])


def town(seed: int, n: int = 8, stops: int = 5) -> tuple[sq.City, pd.DataFrame]:
    """A city of random places, and stops of random weight."""
    draw = np.random.default_rng(seed)
    xy = draw.uniform(0, 2000, (n, 2)) + CORNER
    frame = pd.DataFrame(
        {
            "area_id": [f"a{k}" for k in range(n)],
            "x": xy[:, 0],
            "y": xy[:, 1],
            "population": draw.integers(1, 300, n),
            "workers": draw.integers(0, 300, n) + 1,
        }
    )
    place = draw.uniform(0, 2000, (stops, 2)) + CORNER
    table = pd.DataFrame({"x": place[:, 0], "y": place[:, 1], "weight": draw.integers(1, 9, stops)})
    return sq.City.from_frame(frame, crs=CRS), table


def as_areas(city: sq.City, stops: pd.DataFrame) -> sq.City:
    """The same question in old words: each stop an area of its own, sites where they were."""
    frame = city.to_frame().assign(stops=0.0)
    more = stops[["x", "y"]].assign(
        area_id=[f"stop{k}" for k in range(len(stops))],
        population=0.0,
        workers=0.0,
        stops=stops["weight"].astype(float),
    )
    made = sq.City.from_frame(pd.concat([frame, more], ignore_index=True), crs=CRS)
    return made.with_sites(city.sites.reset_index())


#: The mixes that are asked for.
MIXES: list[dict[str, Group]] = [
    {"stops": STOPS},
    {"pop_total": Group(ages=(0, 90)), "stops": Group(column="stops", weight=0.5)},
    {"workplace": Group(column="workers"), "pop_total": Group(ages=(0, 90)), "stops": STOPS},
]


@pytest.mark.parametrize("mix", MIXES, ids=["alone", "two", "three"])
@pytest.mark.parametrize("method", ["auto", "lagrangian", "exchange", "greedy"])
def test_every_method_answers_as_if_each_point_were_an_area(
    method: str, mix: dict[str, Group]
) -> None:
    """Sensors, value, bound and every group's figures: those of the question in old words."""
    for seed in range(3):
        city, stops = town(seed)
        words = {"n_sensors": 3, "theta": 400, "groups": mix, "method": method}
        ours = sq.optimise(city.with_group_points(stops, "stops"), **words)  # type: ignore[arg-type]
        theirs = sq.optimise(as_areas(city, stops), **words)  # type: ignore[arg-type]
        assert ours.placement_history == theirs.placement_history
        assert ours.objective_value == pytest.approx(theirs.objective_value, rel=1e-12)
        assert ours.upper_bound == pytest.approx(theirs.upper_bound, rel=1e-9)
        columns = ["coverage", "people", "within 500 m", "median distance", "90 % within"]
        one, other = ours.table()[columns], theirs.table().loc[ours.table().index, columns]
        assert np.allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize(
    "words",
    [
        {"objective": "worst"},
        {"objective": "worst_share"},
        {"aversion": 2.0},
        {"at_least": {"stops": 0.3}},
    ],
    ids=["worst", "worst_share", "aversion", "at_least"],
)
def test_other_objectives(words: dict[str, object]) -> None:
    for seed in range(2):
        city, stops = town(seed)
        asked = {"n_sensors": 3, "theta": 400, "groups": MIXES[1]} | words
        ours = sq.optimise(city.with_group_points(stops, "stops"), **asked)  # type: ignore[arg-type]
        theirs = sq.optimise(as_areas(city, stops), **asked)  # type: ignore[arg-type]
        assert ours.objective_value == pytest.approx(theirs.objective_value, rel=1e-9)
        assert ours.upper_bound == pytest.approx(theirs.upper_bound, rel=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 3))
@settings(max_examples=15)
def test_the_best_is_the_best_of_all(seed: int, n: int) -> None:
    """Against every network there is, the coverage of the stops summed by hand."""
    city, stops = town(seed, n=6)
    made = city.with_group_points(stops, "stops")
    net = sq.optimise(made, n_sensors=n, theta=300, groups={"stops": STOPS})
    away = np.hypot(*(stops[["x", "y"]].to_numpy()[:, None] - city.site_xy[None]).T)
    weight = (stops["weight"] / stops["weight"].sum()).to_numpy()
    best = max(
        float(weight @ np.exp(-away[list(sites)] / 300).max(axis=0))
        for sites in itertools.combinations(range(6), n)
    )
    assert net.objective_value == pytest.approx(best, rel=1e-9)
    assert net.proven
    assert float(net.group_coverage.sel(group="stops")) == pytest.approx(best, rel=1e-9)


def test_baselines_fronts_and_equity(needs: Callable[[str], ModuleType]) -> None:
    """Random networks, trade-offs and tenths, as if each point were an area."""
    city, stops = town(3)
    ours, theirs = city.with_group_points(stops, "stops"), as_areas(city, stops)
    words = {"n_sensors": 2, "theta": 400, "groups": MIXES[1]}
    one, other = (
        sq.random_networks(each, n_networks=50, seed=1, **words).group_coverage  # type: ignore[arg-type]
        for each in (ours, theirs)
    )
    assert np.allclose(one.sel(group="stops"), other.sel(group="stops"))
    needs("moocore")
    fronts = [sq.trade_off(each, **words) for each in (ours, theirs)]  # type: ignore[arg-type]
    covered = [np.asarray(front.dataset["group_coverage"]) for front in fronts]
    assert np.allclose(np.sort(covered[0], axis=0), np.sort(covered[1], axis=0))


def test_coverage_of_a_group_by_area() -> None:
    """Of a group at points of its own it is the mean over those in the area."""
    city, stops = town(4)
    made = city.with_group_points(stops, "stops")
    net = sq.optimise(made, n_sensors=2, theta=400, groups=MIXES[1])
    by_area = group_coverage_by_area(net, made, STOPS)
    people = made.people(STOPS).values
    mean = float((by_area * people).sum() / people.sum())
    assert mean == pytest.approx(float(net.group_coverage.sel(group="stops")), rel=1e-12)
    assert (by_area[people == 0] == 0).all()
    everybody = group_coverage_by_area(net, made, sq.GROUPS["pop_total"])
    assert everybody.tolist() == net.area_coverage.to_numpy().tolist()
    found = sq.equity(net, made, by="population", own_best=False)
    tenths = found.deciles[found.deciles["group"] == "stops"]
    assert np.average(tenths["coverage"], weights=tenths["people"]) == pytest.approx(mean)


def test_the_change_from_one_network_to_another() -> None:
    """By the first one's groups: of networks measured alike, the difference of their means."""
    city, stops = town(5)
    made = city.with_group_points(stops, "stops")
    for mix in MIXES:
        one, other = (
            sq.optimise(made, n_sensors=n, theta=400, groups=mix, method="greedy") for n in (3, 1)
        )
        change = one.total_coverage - other.total_coverage
        assert mean_change(one, other, made) == pytest.approx(change, rel=1e-9)
    plain = [sq.optimise(city, n_sensors=n, theta=400, method="greedy") for n in (3, 1)]
    change = plain[0].total_coverage - plain[1].total_coverage
    assert mean_change(plain[0], plain[1], city) == pytest.approx(change, rel=1e-9)


def test_a_page_has_the_weights_at_the_points() -> None:
    """What the page computes again in the browser: a group's weights where it stands."""
    city, stops = town(6)
    made = city.with_group_points(stops, "stops")
    net = sq.optimise(made, n_sensors=2, theta=400, groups=MIXES[1], method="greedy")
    found = {each["name"]: each["weights"] for each in page_figures.payload(net, made)["groups"]}
    assert found["pop_total"] is None
    assert found["stops"] is not None
