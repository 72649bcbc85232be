"""What a network withstands: against every set of sensors that may fail, and laws."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import network_of
from strategies import cities

import spineq as sq
from spineq.insight import _failures
from spineq.insight._chances import Draws, ranks_for
from spineq.insight.robustness import Robustness, robustness
from spineq.progress import RecordingProgress
from spineq.solvers.decays import DECAYS

DECAY: st.SearchStrategy[Any] = st.sampled_from(sorted(DECAYS))


def _matrix(city: sq.City, net: sq.Network) -> np.ndarray[Any, Any]:
    """Coverage of each point by each sensor, (sensor, point), in the plainest way."""
    decay, theta = DECAYS[net.problem.decay], net.problem.theta
    sites = list(city.dataset["site"].to_numpy())
    rows = []
    for row in net.sensors.itertuples():
        if city.travel is not None:
            distance = city.travel_costs_from(sites.index(row.site))
        else:
            distance = np.hypot(*(city.point_xy - [row.x, row.y]).T)
        rows.append(decay(distance, theta))
    return np.array(rows)


def _remains(matrix: np.ndarray[Any, Any], weight: np.ndarray[Any, Any], gone: set[int]) -> float:
    works = [i for i in range(len(matrix)) if i not in gone]
    return float(weight @ matrix[works].max(axis=0)) if works else 0.0


def _network(city: sq.City, data: st.DataObject, most: int = 6) -> sq.Network:
    """A network at some of the sites, or, where distances are straight lines, anywhere."""
    places = st.integers(0, city.n_sites - 1)
    sites = data.draw(st.lists(places, min_size=1, max_size=most, unique=True))
    theta = 20.0 if city.travel is not None else data.draw(st.sampled_from([150.0, 600.0, 3000.0]))
    groups = dict(list(city.reported_groups().items())[:2])
    words: dict[str, Any] = {"theta": theta, "decay": data.draw(DECAY), "groups": groups}
    if city.travel is None and data.draw(st.booleans()):
        xy = city.site_xy[sites] + np.linspace(0, 90, len(sites))[:, None]
        return sq.evaluate(city, xy, bound="none", **words)
    return network_of(city, sites, **words)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(city=cities(2, 10), data=st.data())
def test_it_is_what_every_set_says(city: sq.City, data: st.DataObject) -> None:
    """Each single failure, the worst of all sets, and the expectation over all 2^n cases."""
    net = _network(city, data)
    n, k = net.n_sensors, data.draw(st.integers(1, net.n_sensors))
    each = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    found = robustness(city, net, failures=k, probability=each)
    matrix = _matrix(city, net)
    weights = {"": city.weights_at_points(net.problem.groups)} | {
        name: city.weights_at_points([(name, replace(group, weight=1.0))])
        for name, group in city.reported_groups(dict(net.problem.groups)).items()
        if name in found.groups
    }
    for name, weight in weights.items():
        figures = found.groups[name] if name else found.total
        whole = _remains(matrix, weight, set())
        singles = [_remains(matrix, weight, {i}) for i in range(n)]
        assert figures.coverage == pytest.approx(whole, abs=1e-12)
        lost = found.table[f"lost {name}" if name else "lost"]
        np.testing.assert_allclose(lost, whole - np.array(singles), atol=1e-12)
        assert figures.one_worst == pytest.approx(min(singles), abs=1e-12)
        assert figures.one_mean == pytest.approx(np.mean(singles), abs=1e-12)
        gone = {order - 1 for order in found.worst_sensors}
        assert figures.worst == pytest.approx(_remains(matrix, weight, gone), abs=1e-12)
        hoped = 0.0
        for fails in range(2**n):
            off = {i for i in range(n) if fails >> i & 1}
            chance = math.prod(each[i] if i in off else 1.0 - each[i] for i in range(n))
            hoped += chance * _remains(matrix, weight, off)
        assert figures.expected == pytest.approx(hoped, abs=1e-12)
    sets = combinations(range(n), k)
    worst = min(_remains(matrix, weights[""], set(gone)) for gone in sets)
    assert len(found.worst_sensors) == k
    assert found.total.worst == pytest.approx(worst, abs=1e-11)
    assert found.proven
    assert found.floor == pytest.approx(worst, abs=1e-11)


def test_looser_bounds_are_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pairs are too many to look at, the answer is the same."""
    city, net = _clear()
    usual = robustness(city, net, failures=4)
    monkeypatch.setattr(_failures, "_PAIRS", 0)
    monkeypatch.setattr(_failures, "_TABLE", 0)
    other = robustness(city, net, failures=4)
    assert other.worst_sensors == usual.worst_sensors
    assert other.proven


def _clear(n: int = 8, **words: Any) -> tuple[sq.City, sq.Network]:
    city = sq.demo_city("synthetic", n_areas=60, seed=3)
    return city, sq.optimise(city, n_sensors=n, theta=500, **words)


@pytest.fixture(scope="module")
def clear() -> tuple[sq.City, sq.Network]:
    return _clear(groups=sq.GROUPS)


def test_laws(clear: tuple[sq.City, sq.Network]) -> None:
    """More failures leave less, whatever is likelier leaves less, and nothing beats the whole."""
    city, net = clear
    worst = [robustness(city, net, failures=k).total.worst for k in range(1, 9)]
    assert all(a is not None and b is not None and a >= b for a, b in pairwise(worst))
    assert worst[-1] == 0.0
    hoped = [robustness(city, net, probability=p).total for p in (0.0, 0.01, 0.2, 0.6, 1.0)]
    assert hoped[0].expected == pytest.approx(net.total_coverage, abs=1e-15)
    assert hoped[0].deviation == 0.0
    assert hoped[0].low == pytest.approx(net.total_coverage, abs=1e-12)
    for one, other in pairwise(hoped):
        assert one.expected is not None
        assert other.expected is not None
        assert 0.0 <= other.expected < one.expected <= net.total_coverage + 1e-12
    assert hoped[-1].expected == 0.0
    assert hoped[-1].low == 0.0


def test_a_number_is_one_for_all(clear: tuple[sq.City, sq.Network]) -> None:
    """One probability, and the same for each sensor, mean the same."""
    city, net = clear
    one, all_alike = (robustness(city, net, probability=p) for p in (0.1, [0.1] * 8))
    assert one.total == all_alike.total
    assert one.probability == 0.1
    assert all_alike.probability == (0.1,) * 8
    assert "a probability of its own" in all_alike.summary()


def test_draws_agree_with_what_is_exact(clear: tuple[sq.City, sq.Network]) -> None:
    """Their mean is the expected value, and deviation and low case those of all 2^n cases."""
    city, net = clear
    found, p = robustness(city, net, probability=0.3), 0.3
    matrix, weight = _matrix(city, net), city.weights_at_points(net.problem.groups)
    values, chances = [], []
    for fails in range(2**8):
        off = {i for i in range(8) if fails >> i & 1}
        values.append(_remains(matrix, weight, off))
        chances.append(p ** len(off) * (1 - p) ** (8 - len(off)))
    mean = np.dot(chances, values)
    exact = math.sqrt(np.dot(chances, (np.array(values) - mean) ** 2))
    total = found.total
    assert total.expected == pytest.approx(mean, abs=1e-12)
    assert total.deviation is not None
    assert total.deviation_error is not None
    assert 0.0 < total.deviation_error < 0.03 * total.deviation
    assert abs(total.deviation - exact) < 4 * total.deviation_error
    order = np.argsort(values)
    low = np.array(values)[order][np.searchsorted(np.cumsum(np.array(chances)[order]), 0.05)]
    assert total.low_from is not None
    assert total.low_to is not None
    assert total.low_from <= low <= total.low_to
    assert robustness(city, net, probability=0.3).to_dict() == found.to_dict()


def test_ranks_and_draws_that_are_enough() -> None:
    """What is left out of an expectation changes no digit; large cities are drawn less often."""
    assert [ranks_for(np.full(60, p)) for p in (0.0, 0.1, 0.5, 1.0)] == [1, 18, 60, 60]
    numbers = [Draws(np.full(3, 0.1), size, 1).number for size in (900, 40_000, 200_000)]
    assert numbers == [10_000, 1_125, 500]


def test_people_who_lose_their_last_sensor() -> None:
    """By hand: two sensors 300 m apart and one far away; and the words for it."""
    import pandas as pd

    frame = pd.DataFrame(
        {
            "area_id": ["a", "b", "c"],
            "x": [0.0, 300.0, 9000.0],
            "y": 0.0,
            "population": [300, 100, 200],
        }
    )
    city = sq.City.from_frame(frame, crs="EPSG:27700", name="Threeton")
    net = sq.evaluate(city, ["a", "b", "c"], theta=500)
    found = robustness(city, net, failures=2)
    assert found.table["beyond pop_total"].tolist() == [0.0, 0.0, 200.0]
    assert found.worst_sensors == (1, 2)
    said = found.summary()
    assert "With all 3 sensors at work in Threeton" in said
    assert "Of all residents, 200 have sensor 3 (c) and no other within 500 m" in said
    assert "Whichever 2 sensors fail, 33.3 % remains at worst, which is proven" in said
    assert "the worst to lose together are sensors 1 (a) and 2 (b)." in said
    together = robustness(city, sq.evaluate(city, ["a", "b"], theta=500))
    assert "No single failure takes the last sensor within 500 m from any of" in together.summary()
    everyone = robustness(city, net, failures=3)
    assert everyone.total.worst == 0.0
    assert "If all sensors fail, nobody is covered." in everyone.summary()


def test_one_sensor_alone() -> None:
    """Without it nothing is left."""
    city, net = _clear(1)
    found = robustness(city, net, probability=0.25)
    assert found.total.one_worst == 0.0
    assert found.total.expected == pytest.approx(0.75 * net.total_coverage)
    said = found.summary()
    assert "With its one sensor at work" in said
    assert "If its one sensor fails, nobody is covered." in said
    assert "If its one sensor fails with a probability of 25 %, " in said


def test_sensors_that_stay_fail_too() -> None:
    """They count as the others do, and that is said."""
    city = sq.demo_city("synthetic", n_areas=60, seed=3)
    sites = list(city.dataset["site"].to_numpy()[:2])
    net = sq.optimise(city, n_sensors=3, theta=500, keep=sites)
    found = robustness(city, net, failures=2)
    assert found.n_sensors == 5
    assert found.table["kept"].tolist() == [True, True, False, False, False]
    assert "The 2 sensors that stay are taken to fail like any other." in found.summary()


def test_another_objective_is_named() -> None:
    """The figures are of the mean and of the groups, and that is said."""
    city, net = _clear(3, groups=sq.GROUPS, objective="worst")
    found = robustness(city, net)
    assert found.total.coverage == net.total_coverage
    assert "was made for the worst-off group; what follows is about the mean" in found.summary()
    for name, each in found.groups.items():
        assert f"{each.title}: " in found.summary()
        assert each.coverage == float(net.group_coverage.sel(group=name))


def test_what_is_not_proven_is_not_said_to_be(
    clear: tuple[sq.City, sq.Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that ends early says what it found, and a floor that holds, rounded down."""
    city, net = clear
    best = robustness(city, net, failures=4)
    monkeypatch.setattr(_failures, "WORK", 1)
    early = robustness(city, net, failures=4)
    assert not early.proven
    assert not early.stopped
    assert early.floor is not None
    assert best.total.worst is not None
    assert early.total.worst is not None
    assert early.floor < best.total.worst <= early.total.worst + 1e-12
    said = early.summary()
    assert "to lose together that were found are sensors" in said
    floor = math.floor(1000 * early.floor) / 10
    assert f"Whichever 4 fail, at least {floor:.1f} % remains, which is proven." in said


def test_json_and_back(clear: tuple[sq.City, sq.Network]) -> None:
    """Everything comes back from JSON, also what is not known."""
    city, net = clear
    for found in (
        robustness(city, net, failures=3, probability=0.1),
        robustness(city, net, probability=[0.1] * 8),
        robustness(city, net, progress=RecordingProgress(stop_after=1)),
    ):
        text = json.dumps(found.to_dict(), allow_nan=False)
        again = Robustness.from_dict(json.loads(text))
        assert again.to_dict() == found.to_dict()
        assert again.summary() == found.summary()
        assert again.table.equals(found.table)
        assert again.groups_table().equals(found.groups_table())
        assert repr(again) == repr(found)
    for wrong in (None, {}, {**found.to_dict(), "total": {"titel": ""}}):
        with pytest.raises(sq.SpineqError):
            Robustness.from_dict(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("failures", [0, 9, -1, 1.5, 2.0, True, None, "2"])
def test_a_number_of_failures_that_is_none(
    failures: Any, clear: tuple[sq.City, sq.Network]
) -> None:
    with pytest.raises(sq.SpineqError, match=r"failures: .*must be whole, 1 to 8, not"):
        robustness(*clear, failures=failures)


@pytest.mark.parametrize(
    "chance", [-0.1, 1.1, math.nan, math.inf, "half", True, [0.1, 2.0], {}, 10**400]
)
def test_a_probability_that_is_none(chance: Any, clear: tuple[sq.City, sq.Network]) -> None:
    with pytest.raises(sq.SpineqError, match=r"probability: a probability is a number from 0 to 1"):
        robustness(*clear, probability=chance)


def test_what_does_not_fit(clear: tuple[sq.City, sq.Network]) -> None:
    """Too few probabilities, another city, no city, no network, no sensors."""
    city, net = clear
    with pytest.raises(sq.SpineqError, match="8 sensors need as many probabilities, not 2"):
        robustness(city, net, probability=[0.1, 0.2])
    other = sq.demo_city("synthetic", n_areas=60, seed=4)
    with pytest.raises(sq.SpineqError, match="the network was made for"):
        robustness(other, net)
    with pytest.raises(sq.SpineqError, match="city"):
        robustness(net, net)  # type: ignore[arg-type]
    with pytest.raises(sq.SpineqError, match="network"):
        robustness(city, city)  # type: ignore[arg-type]
    with pytest.raises(sq.SpineqError, match="no sensors that could fail"):
        robustness(city, sq.evaluate(city, [], theta=500))


def test_it_can_be_stopped(clear: tuple[sq.City, sq.Network]) -> None:
    """After any report; what is known by then is there and true, and the rest is not said."""
    city, net = clear
    whole = RecordingProgress()
    full = robustness(city, net, failures=4, probability=0.1, progress=whole)
    shares = [report.fraction for report in whole.reports]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert not full.stopped
    for after in range(1, len(shares)):
        found = robustness(
            city, net, failures=4, probability=0.1, progress=RecordingProgress(stop_after=after)
        )
        assert found.stopped
        assert "stopped early" in found.summary()
        assert found.total.coverage == full.total.coverage
        assert found.total.one_worst in (None, full.total.one_worst)
        if found.floor is not None:
            assert full.total.worst is not None
            assert found.floor <= full.total.worst + 1e-12


class _Stop:
    """Asks for a stop after some time, and notes when."""

    def __init__(self, seconds: float) -> None:
        self.asked: float | None = None
        self.when = time.perf_counter() + seconds

    def report(self, *_: object, **__: object) -> bool:
        now = time.perf_counter()
        if now >= self.when and self.asked is None:
            self.asked = now
        return self.asked is not None


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.4])
def test_a_stop_takes_no_time(seconds: float) -> None:
    """A hard question about many sensors ends at once."""
    city = sq.demo_city("synthetic", n_areas=2000, seed=1)
    net = sq.optimise(city, n_sensors=100, theta=2000, method="greedy", bound="none")
    watcher = _Stop(seconds)
    found = robustness(city, net, failures=40, probability=0.3, progress=watcher)
    assert found.stopped
    assert watcher.asked is not None
    assert time.perf_counter() - watcher.asked < 0.25


def test_newcastle_without_each_sensor(shared: Path, lacking: Callable[[str], NoReturn]) -> None:
    """One failure is what evaluate says of the network without the sensor; several are proven."""
    with pytest.warns(sq.SpineqWarning):
        city = sq.read_city(shared / "data" / "cities" / "E08000021")
    net = sq.optimise(city, n_sensors=55, theta=500, groups=sq.GROUPS, method="greedy")
    found = robustness(city, net)
    assert found.total.worst == pytest.approx(found.total.one_worst, abs=1e-12)
    for order, site in enumerate(net.placement_history, start=1):
        without = [name for name in net.placement_history if name != site]
        less = sq.evaluate(city, without, theta=500, groups=sq.GROUPS, bound="none")
        row = found.table.loc[order]
        assert net.total_coverage - row["lost"] == pytest.approx(less.total_coverage, abs=1e-12)
        for name in found.groups:
            was = net.table().loc[name]
            left = less.table().loc[name]
            assert was["coverage"] - row[f"lost {name}"] == pytest.approx(left["coverage"])
            beyond = (was["within 500 m"] - left["within 500 m"]) * was["people"]
            assert row[f"beyond {name}"] == pytest.approx(beyond, abs=1e-6)
    pairs = robustness(city, net, failures=2)
    every = [
        _remains(_matrix(city, net), city.weights_at_points(net.problem.groups), set(gone))
        for gone in combinations(range(12), 2)
    ]
    assert pairs.proven
    assert pairs.total.worst is not None
    assert pairs.total.worst <= min(every) + 1e-12
    assert all(robustness(city, net, failures=k).proven for k in (3, 5))


@pytest.mark.parametrize("decay", ["exponential", "step", "linear", "gaussian"])
def test_each_kind_of_sensors_has_its_own_theta(decay: Any) -> None:
    """All that is said of a network with several kinds is counted by the theta of each."""
    city = sq.demo_city("synthetic", n_areas=40)
    kinds = {"far": sq.Kind(900.0, 2), "near": sq.Kind(250.0, 3)}
    net = sq.optimise(city, kinds=kinds, theta=500, decay=decay)
    sensors = net.sensors
    metres = np.linalg.norm(city.point_xy[:, None] - sensors[["x", "y"]].to_numpy(), axis=2)
    each = np.stack(
        [DECAYS[decay](metres[:, k], theta) for k, theta in enumerate(sensors["theta"])]
    )
    weight = city.weights_at_points(net.problem.groups)

    def left(*failed: int) -> float:
        return float(weight @ np.delete(each, failed, axis=0).max(axis=0))

    found = sq.robustness(city, net, failures=2, probability=0.3)
    assert found.total.coverage == pytest.approx(left(), abs=1e-12)
    lost = [left() - left(k) for k in range(5)]
    assert found.table["lost"].to_numpy() == pytest.approx(lost, abs=1e-12)
    pairs = combinations(range(5), 2)
    assert found.total.worst == pytest.approx(min(left(*pair) for pair in pairs), abs=1e-12)
    sets = [s for n in range(5) for s in combinations(range(5), n)]
    expected = sum(0.3 ** len(s) * 0.7 ** (5 - len(s)) * left(*s) for s in sets)
    assert found.total.expected == pytest.approx(expected, abs=1e-12)


def test_what_is_no_robustness_is_refused(clear: tuple[sq.City, sq.Network]) -> None:
    """Not with an error of some library."""
    told = robustness(*clear).to_dict()
    for name, wrong in (("sensors", None), ("total", {}), ("failures", "x"), ("about", 3)):
        with pytest.raises(sq.SpineqError, match="Robustness"):
            Robustness.from_dict(told | {name: wrong})
