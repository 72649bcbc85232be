"""Measuring: what was maximised, by its definition, and how evenly people are covered."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import network_of
from solvers.instances import cities, city_of

import spineq as sq
from spineq.measure import at_sites, group_coverage_by_area, mean_change
from spineq.solvers.welfare import Welfare

GROUPS = {
    "young": sq.Group(ages=(0, 15), weight=2),
    "jobs": sq.Group(column="workers"),
    "all": sq.Group(ages=(0, 90)),
}


def covered_by(city: sq.City, sites: list[int], theta: float = 600.0) -> np.ndarray:
    """Coverage of the city's points by its definition, (point,)."""
    xy = city.site_xy[sites]
    apart = np.hypot(*(xy[:, None, :] - city.point_xy[None, :, :]).T)
    return np.exp(-apart / theta).max(axis=1)


def weights_of(city: sq.City, groups: dict[str, sq.Group]) -> np.ndarray:
    """Weight of the points in a mix of groups, (point,)."""
    return city.point_weights(city.weights(groups.items()))


@st.composite
def placed(draw: st.DrawFn) -> tuple[sq.City, list[int]]:
    """A small city, perhaps with several points an area, and some of its sites."""
    city = draw(cities())
    if draw(st.booleans()):
        rows = [
            {"area_id": area, "x": x + shift, "y": y, "weight": 1 + shift / 100}
            for area, x, y in city.to_frame()[["area_id", "x", "y"]].itertuples(index=False)
            for shift in (0, 200)
        ]
        city = city.with_demand(pd.DataFrame(rows))
    site = st.integers(0, city.n_sites - 1)
    return city, draw(st.lists(site, min_size=1, max_size=4, unique=True))


# ---------------------------------------------------------------------------- what was maximised


@given(where=placed())
def test_the_mean_is_the_total(where: tuple[sq.City, list[int]]) -> None:
    """Where the mean is maximised, it is the objective, to the bit; so it is without a value."""
    city, sites = where
    net = network_of(city, sites, groups=GROUPS, bound=2.0)
    assert net.objective_value == net.total_coverage
    assert net.upper_bound == 1.0
    assert net.gap == 1.0 - net.total_coverage


@given(
    where=placed(),
    welfare=st.floats(0.01, 9).map(lambda k: Welfare("kolm_pollak", k))
    | st.floats(0.01, 0.9).map(lambda e: Welfare("atkinson", e)),
    above=st.floats(0, 0.2),
)
def test_with_an_aversion_it_is_the_equivalent_coverage(
    where: tuple[sq.City, list[int]], welfare: Welfare, above: float
) -> None:
    """Value and bound are the coverage that, the same for all, gives the solver's welfare."""
    city, sites = where
    weight, covered = weights_of(city, GROUPS), covered_by(city, sites)
    value = float(weight @ welfare(covered))
    words = {"aversion": welfare.aversion, "aversion_form": welfare.form, "groups": GROUPS}
    net = network_of(city, sites, value=value, bound=value + above, **words)
    assert net.objective_value == pytest.approx(welfare.inverse(value), abs=1e-10)
    assert net.objective_value <= net.total_coverage + 1e-15
    assert net.upper_bound == pytest.approx(welfare.inverse(value + above), abs=1e-10)
    assert net.upper_bound >= net.objective_value
    assert net.proven == (net.gap <= 1e-9)
    assert net.dataset.attrs["cutoff_error"] <= 1e-10
    # Coverage itself is not transformed.
    assert net.total_coverage == network_of(city, sites, groups=GROUPS).total_coverage


def test_an_aversion_is_proven_where_its_welfare_is() -> None:
    """A bound that is the value but for its slack proves an answer, in welfare and coverage."""
    city = city_of([[0, 0], [900, 0], [0, 1200]])
    welfare = Welfare("kolm_pollak", 5.0)
    value = float(weights_of(city, GROUPS) @ welfare(covered_by(city, [0, 1])))
    words = {"aversion": 5.0, "groups": GROUPS, "value": value}
    assert network_of(city, [0, 1], bound=value * (1 + 2e-12), **words).proven
    assert not network_of(city, [0, 1], bound=value * (1 + 1e-9), **words).proven
    assert not network_of(city, [0, 1], **words).proven


def test_a_huge_aversion_is_not_proven_by_rounding() -> None:
    """Where 1e-12 of welfare is a lot of coverage, the gap in coverage is told as it is."""
    city = city_of([[0, 0], [100, 0], [0, 300]])
    welfare = Welfare("kolm_pollak", 60.0)
    value = float(weights_of(city, GROUPS) @ welfare(covered_by(city, [0])))
    net = network_of(
        city, [0], value=value, bound=value * (1 + 1e-12), aversion=60.0, groups=GROUPS
    )
    assert net.objective_value < net.total_coverage
    assert net.gap > 1e-6
    assert not net.proven


@given(where=placed())
def test_the_worst_group_is_the_smallest(where: tuple[sq.City, list[int]]) -> None:
    """The objective is the least coverage of the problem's groups, and not of others."""
    city, sites = where
    some = {"all": GROUPS["all"], "jobs": GROUPS["jobs"]}
    net = network_of(city, sites, objective="worst", groups=some, bound=0.9)
    covered = {name: float(net.group_coverage.sel(group=name)) for name in some}
    assert net.objective_value == min(covered.values()) == net.worst_group_coverage
    assert net.worst_group == min(covered, key=lambda name: (covered[name], name))
    assert net.upper_bound == max(0.9, net.objective_value)
    assert "young" not in net.group_coverage["group"]


@given(where=placed(), best=st.tuples(*[st.floats(0.05, 1)] * 3))
def test_the_smallest_share_of_own_best(
    where: tuple[sq.City, list[int]], best: tuple[float, ...]
) -> None:
    """Each group is measured against its own best; that of others is not known."""
    city, sites = where
    own_best = dict(zip(GROUPS, best, strict=True))
    words = {"objective": "worst_share", "groups": GROUPS, "own_best": own_best}
    net = network_of(city, sites, bound=1.25, **words)
    shares = net.share_of_own_best.to_series()
    for name, value in own_best.items():
        assert shares[name] == pytest.approx(float(net.group_coverage.sel(group=name)) / value)
    assert net.objective_value == shares[list(GROUPS)].min()
    assert math.isnan(shares["pop_elderly"])
    # A share may be more than all of the best that was found, where that is not proven.
    assert net.upper_bound == max(1.0, net.objective_value)
    for slack, bound in [(1.1, 1.1 * 1.1), (1.5, 1.25 * 1.5)]:
        net = network_of(city, sites, bound=1.25, slack=slack, **words)
        assert net.upper_bound == max(bound, net.objective_value)
    assert network_of(city, sites, bound=math.inf, **words).upper_bound is None
    assert network_of(city, sites, bound=1.0, slack=math.inf, **words).upper_bound is None
    # Without the bests, the share of everything that one can have is certain.
    unknown = network_of(city, sites, objective="worst_share", groups=GROUPS)
    assert unknown.objective_value == unknown.worst_group_coverage


def test_what_is_owed_is_reported() -> None:
    """Groups with a floor are among the groups, beside one of the problem's of the same name."""
    city = city_of([[0, 0], [900, 0], [0, 1200]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    floors = {
        "middle": (sq.Group(ages=(16, 65)), 0.2),
        "young": (sq.Group(ages=(0, 65)), 0.1),
        "jobs": 0.1,
    }
    net = network_of(city, [0], groups=GROUPS, at_least=floors)
    names = net.dataset["group"].to_numpy().tolist()
    assert [names.count(name) for name in ("middle", "young", "jobs", "young owed")] == [1] * 4
    assert net.dataset["group_weight"].sel(group="middle") == 0.0
    people = net.table()["people"]
    assert (people["young"], people["young owed"]) == (12.0, 27.0)


# ---------------------------------------------------------------------------- evenness


@given(where=placed())
def test_gini_and_worst_tenth_by_their_definitions(where: tuple[sq.City, list[int]]) -> None:
    """Over areas each counts once, over people each point by its weight in the objective."""
    city, sites = where
    net = network_of(city, sites, groups=GROUPS)
    weight, covered = weights_of(city, GROUPS), covered_by(city, sites)
    for values, shares, found in (
        (covered, weight, net.gini_people),
        (net.area_coverage.to_numpy(), np.full(city.n_areas, 1 / city.n_areas), net.gini_areas),
    ):
        pairs = shares @ np.abs(values[:, None] - values[None, :]) @ shares
        assert found == pytest.approx(pairs / (2 * shares @ values), abs=1e-12)
    # The least mean of a tenth: of all thresholds, the best of t - E[max(t - c, 0)] / 0.1.
    worst = max(t - float(weight @ np.maximum(t - covered, 0)) / 0.1 for t in covered)
    assert net.worst_tenth == pytest.approx(worst, abs=1e-12)
    assert net.worst_tenth <= net.total_coverage + 1e-12


def test_nobody_covered() -> None:
    """A network without sensors covers nobody, evenly."""
    net = network_of(city_of([[0, 0], [900, 0]]), [], groups=GROUPS, aversion=3.0)
    assert (net.objective_value, net.worst_tenth, net.gini_people) == (0.0, 0.0, 0.0)
    assert net.gini_areas == 0.0


# ---------------------------------------------------------------------------- sensors that stay


@given(where=placed(), data=st.data())
def test_sensors_that_stay_come_first(
    where: tuple[sq.City, list[int]], data: st.DataObject
) -> None:
    """They are marked, and the history begins with them."""
    city, sites = where
    kept = data.draw(st.integers(0, len(sites)))
    net = network_of(city, sites, kept=kept, groups=GROUPS)
    assert net.dataset["kept"].to_numpy().tolist() == [k < kept for k in range(len(sites))]
    assert (net.n_kept, net.n_sensors) == (kept, len(sites))
    assert (
        net.placement_history[:kept] == at_sites(city, np.array(sites[:kept], int))["site"].tolist()
    )
    if kept:
        standing = network_of(city, sites[:kept], groups=GROUPS)
        assert net.coverage_history[kept - 1] == pytest.approx(standing.total_coverage, abs=1e-14)
    assert net.to_dict()["kept"] == net.placement_history[:kept]


# ---------------------------------------------------------------- groups at points of their own


def _with_stops(stops: dict[str, list[float]]) -> sq.City:
    areas = {"area_id": ["a", "b"], "x": [0.0, 1000.0], "y": 0.0, "population": [3, 1]}
    city = sq.City.from_frame(pd.DataFrame(areas), crs="EPSG:27700")
    return city.with_group_points(pd.DataFrame(stops).assign(y=0.0), "stops")


def test_a_group_at_points_is_covered_there_by_area() -> None:
    """The mean over its points of an area; people of areas are covered as their areas are."""
    city = _with_stops({"x": [100.0, 200.0], "weight": [3, 1]})
    net = sq.evaluate(city, ["a"], theta=100, bound="none")
    stops = group_coverage_by_area(net, city, sq.Group(column="stops"))
    assert stops.tolist() == pytest.approx([0.75 * math.exp(-1) + 0.25 * math.exp(-2), 0.0])
    everybody = group_coverage_by_area(net, city, sq.Group(ages=(0, 90)))
    assert everybody.tolist() == net.area_coverage.to_numpy().tolist()


def test_the_change_is_by_the_first_networks_groups() -> None:
    """With and without points of a group: the difference of what the two cover of them."""
    city = _with_stops({"x": [0.0, 1000.0]})
    mix = {"all": sq.Group(ages=(0, 90)), "stops": sq.Group(column="stops")}
    one, other = (sq.evaluate(city, [s], theta=1, groups=mix, bound="none") for s in ("a", "b"))
    assert mean_change(one, other, city) == pytest.approx(0.25)
    table = city.points.reset_index()
    plain = city.with_demand(table[table["share"] > 0.0])
    one, other = (sq.evaluate(plain, [s], theta=1, bound="none") for s in ("a", "b"))
    assert mean_change(one, other, plain) == pytest.approx(0.5)
