"""Where each sensor may fail: the answer against every network and every set that fails."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spineq as sq
from spineq.errors import ProblemError
from spineq.instance import objective_of
from spineq.jobs.tasks import check_asked, run_digest, task_named
from spineq.model.network import network_from_bytes
from spineq.model.problem import Problem
from spineq.progress import Report, Watcher

CRS, THETA = "EPSG:27700", 400.0
GROUPS = {"young": sq.Group(ages=(0, 15)), "jobs": sq.Group(column="workers", weight=2)}
PLACE = st.tuples(st.integers(0, 12), st.integers(0, 12))


def city_of(areas: list[tuple[int, int]], existing: Any = (), seed: int = 0) -> sq.City:
    """A city of areas in hundreds of metres, each a site with a price and a ward."""
    rng = np.random.default_rng(seed)
    xy = 100.0 * np.array(areas) + [420_000.0, 560_000.0]
    ids = [f"A{k:02d}" for k in range(len(xy))]
    frame = pd.DataFrame({"area_id": ids, "x": xy[:, 0], "y": xy[:, 1]})
    for name in ("age_0_15", "age_16_90", "workers"):
        frame[name] = rng.integers(1, 50, len(xy)).astype(float)
    city = sq.City.from_frame(frame, crs=CRS, name="Smallville")
    table = pd.DataFrame({"site_id": ids, "x": xy[:, 0], "y": xy[:, 1]})
    table["price"] = rng.integers(1, 4, len(xy)).astype(float)
    table["ward"] = [f"w{k % 2}" for k in range(len(xy))]
    city = city.with_sites(table)
    if len(existing):
        there = 100.0 * np.array(existing) + [420_000.0, 560_000.0]
        table = pd.DataFrame({"sensor_id": [f"S{k}" for k in range(len(there))], "x": there[:, 0]})
        city = city.with_existing(table.assign(y=there[:, 1]))
    return city


def far(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distances between places, metres."""
    return np.sqrt(((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2))


def expected(city: sq.City, places: np.ndarray, p: float) -> float:
    """Mean coverage over all sets of sensors, places (sensor, 2), that fail."""
    covered = np.exp(-far(places, city.point_xy) / THETA)
    weight, total = city.weights_at_points(GROUPS.items()), 0.0
    for works in itertools.product([False, True], repeat=len(places)):
        chance = (1.0 - p) ** sum(works) * p ** (len(places) - sum(works))
        total += chance * float(weight @ covered[list(works)].max(axis=0, initial=0.0))
    return total


def by_rank(city: sq.City, places: np.ndarray, p: float) -> float:
    """The same by its formula, which is quicker."""
    covered = -np.sort(-np.exp(-far(places, city.point_xy) / THETA), axis=0)
    d = (1.0 - p) * p ** np.arange(len(places))
    return float(city.weights_at_points(GROUPS.items()) @ (d @ covered))


@st.composite
def asked(draw: st.DrawFn) -> tuple[sq.City, dict[str, Any]]:
    """A city, and up to four sensors beside those that stay, under rules."""
    areas = draw(st.lists(PLACE, min_size=3, max_size=9, unique=True))
    existing = draw(st.lists(PLACE, max_size=2))
    city = city_of(areas, existing, draw(st.integers(0, 99)))
    ids = list(city.dataset["site"].to_numpy())
    words: dict[str, Any] = {
        "n_sensors": draw(st.integers(1, min(4, len(areas) - 2))),
        "failure_probability": draw(st.sampled_from([1e-9, 0.05, 0.2, 0.6])),
        "keep": draw(st.sampled_from(["existing", ids[:1]] if existing else [[], ids[:1]])),
        "forbid": ids[1 : draw(st.integers(1, 2))],
        "min_spacing": draw(st.sampled_from([0.0, 0.0, 150.0, 450.0])),
    }
    if draw(st.booleans()):
        most = draw(st.integers(1, 2))
        words |= {"region": "ward", "max_per_region": most}
        words["n_sensors"] = min(words["n_sensors"], 2 * most)
    elif draw(st.booleans()):
        del words["n_sensors"]
        words |= {"budget": float(draw(st.integers(3, 6))), "site_cost": "price"}
    return city, words


def best_of(city: sq.City, words: dict[str, Any], stays: np.ndarray) -> float:
    """The most that an allowed network is expected to cover beside the places that stay."""
    table = city.sites
    xy, best = table[["x", "y"]].to_numpy(), -np.inf
    taken = {tuple(row) for row in stays}
    free = [
        k
        for k, name in enumerate(table.index)
        if name not in words["forbid"] and tuple(xy[k]) not in taken
    ]
    most = words.get("n_sensors", len(free))
    for size in range(min(most, len(free)) + 1):
        for chosen in itertools.combinations(free, size):
            rows = table.iloc[list(chosen)]
            places = np.concatenate([stays, xy[list(chosen)]])
            near = far(xy[list(chosen)], places)
            near[:, len(stays) :] += np.diag(np.full(size, np.inf)) if size else 0.0
            if (near < words["min_spacing"]).any() or rows["price"].sum() > words.get("budget", 99):
                continue
            if "region" in words and rows["ward"].value_counts().max() > words["max_per_region"]:
                continue
            if len(places):
                best = max(best, by_rank(city, places, words["failure_probability"]))
    return best


@settings(max_examples=25)
@given(asked())
def test_value_and_bound_hold_against_every_network(
    made: tuple[sq.City, dict[str, Any]],
) -> None:
    """With sensors that stay, at sites and elsewhere, forbidden sites, spacing, wards, prices."""
    city, words = made
    p = words["failure_probability"]
    try:
        net = sq.optimise(city, theta=THETA, groups=GROUPS, **words)
    except ProblemError as error:
        # Not enough sites, or not in the wards.
        assert error.field in ("n_sensors", "max_per_region"), error  # noqa: PT017
        return
    places = net.sensors[["x", "y"]].to_numpy()
    assert net.objective_value == pytest.approx(expected(city, places, p), abs=1e-12)
    best = best_of(city, words, places[: net.n_kept])
    assert net.objective_value <= best + 1e-12
    assert net.upper_bound >= best * (1.0 - 1e-12)
    if net.proven:
        assert net.objective_value == pytest.approx(best, abs=1e-10)
    if p < 1e-6:
        plain = sq.optimise(
            city, theta=THETA, groups=GROUPS, **words | {"failure_probability": 0.0}
        )
        assert net.objective_value == pytest.approx(plain.objective_value, abs=1e-8)
    assert net.objective_value <= net.total_coverage
    assert network_from_bytes(net.to_bytes()) == net
    assert Problem.from_json(net.problem.to_json()) == net.problem
    json.dumps(net.to_dict(), allow_nan=False)
    again = sq.evaluate(
        city, places[net.n_kept :] if net.n_sensors > net.n_kept else places, theta=THETA,
        groups=GROUPS, failure_probability=p, bound="none",
        keep=words["keep"] if net.n_sensors > net.n_kept else None,
    )  # fmt: skip
    assert again.objective_value == pytest.approx(net.objective_value, abs=1e-12)


TOWN = [(0, 0), (3, 0), (6, 0), (9, 0), (12, 0)]
WORDS: dict[str, Any] = {"theta": THETA, "groups": GROUPS}


def test_words() -> None:
    """Both figures are said, what they mean, and how good the network is."""
    city = city_of(TOWN, [(0, 0)])
    net = sq.optimise(city, n_sensors=2, failure_probability=0.05, keep="existing", **WORDS)
    assert net.proven
    assert net.method == "lagrangian"
    value, mean = 100 * net.objective_value, 100 * net.total_coverage
    whom = "the groups (weighted 66.7 % jobs, 33.3 % young)"
    lines = net.summary().split("\n")
    assert lines[0] == (
        f"2 sensors beside the one that stays in Smallville: the coverage of {whom} to be expected "
        f"when each sensor fails with a probability of 5 % is {value:.1f} %, with all at work "
        f"{mean:.1f} %."
    )
    assert lines[1] == (
        "Proven best: no network of 2 sensors beside the one that stays can be expected to cover "
        "more."
    )
    assert lines[2] == (
        "Sensors fail independently of each other, also those that stay; who is near several "
        "counts by the best of those at work. The figures below are with all at work."
    )
    assert "coverage to be expected 0." in repr(net)
    assert "when each sensor fails" in net._repr_html_()
    quick = sq.optimise(city, n_sensors=2, failure_probability=0.125, bound="quick", **WORDS)
    assert "No network of 2 sensors can be expected to cover more than" in quick.certificate()
    assert "probability of 12.5 %" in quick.summary()
    assert quick.method == "exchange"
    none = sq.optimise(city, n_sensors=2, failure_probability=0.125, bound="none", **WORDS)
    assert none.upper_bound is None
    assert "no bound was asked for" in none.certificate()


def test_one_sensor_that_fails_is_worth_less() -> None:
    """Of one alone what works is the share; two at work cover more than either."""
    city = city_of(TOWN)
    one = sq.optimise(city, n_sensors=1, failure_probability=0.25, **WORDS)
    plain = sq.optimise(city, n_sensors=1, **WORDS)
    assert one.placement_history == plain.placement_history
    assert one.objective_value == pytest.approx(0.75 * plain.objective_value, abs=1e-14)
    assert one.total_coverage == plain.total_coverage
    # Where sensors nearly always fail, several in the middle are worth more than spread ones.
    sure = sq.optimise(city, n_sensors=2, **WORDS)
    unsure = sq.optimise(city, n_sensors=2, failure_probability=0.9, **WORDS)
    assert unsure.proven
    assert set(unsure.placement_history) != set(sure.placement_history)


def test_a_network_of_ones_own() -> None:
    """Is measured, and bounded where all stand at sites."""
    city = city_of(TOWN, [(0, 0)])
    words = {"failure_probability": 0.2, **WORDS}
    best = sq.optimise(city, n_sensors=2, **words)
    for sites in itertools.combinations(city.dataset["site"].to_numpy(), 2):
        net = sq.evaluate(city, list(sites), **words)
        assert net.objective_value <= best.objective_value + 1e-14 <= net.upper_bound + 1e-13
        assert net.gap < 1.0
    quick = sq.evaluate(city, ["A00", "A01"], bound="quick", **words)
    assert quick.upper_bound >= best.objective_value
    elsewhere = sq.evaluate(city, [(420_050.0, 560_000.0)], **words)
    assert elsewhere.upper_bound is None
    covered = np.exp(-far(np.array([[420_050.0, 560_000.0]]), city.point_xy)[0] / THETA)
    weight = city.weights_at_points(GROUPS.items())
    assert elsewhere.objective_value == pytest.approx(0.8 * float(weight @ covered), abs=1e-14)
    # More sensors than there are sites where one may stand, and one that is forbidden to others.
    kept = sq.evaluate(city, ["A01", "A02", "A03", "A04"], keep="existing", **words)
    assert kept.n_kept == 1
    assert kept.proven


def test_by_travel_costs_and_lists() -> None:
    """Costs instead of lines, a pair out of reach, and lists instead of a matrix."""
    city = city_of(TOWN)
    ids, areas = list(city.sites.index), list(city.dataset["area"].to_numpy())
    rows = [
        (s, a, 2.0 * abs(i - j))
        for i, s in enumerate(ids)
        for j, a in enumerate(areas)
        if abs(i - j) < 4
    ]
    timed = city.with_travel(pd.DataFrame(rows, columns=["site", "area", "cost"]), unit="minutes")
    net = sq.optimise(
        timed, n_sensors=2, theta=3.0, groups=GROUPS, failure_probability=0.2, keep=["A00"]
    )
    cover = np.array(
        [[np.exp(-2.0 * abs(i - j) / 3.0) if abs(i - j) < 4 else 0.0 for j in range(5)]
         for i in range(5)]
    )  # fmt: skip
    weight = timed.weights_at_points(GROUPS.items())
    d = 0.8 * 0.2 ** np.arange(3)
    best = max(
        float(weight @ (d @ -np.sort(-cover[[0, i, j]], axis=0)))
        for i, j in itertools.combinations(range(1, 5), 2)
    )
    assert net.objective_value == pytest.approx(best, abs=1e-12)
    assert net.upper_bound >= best * (1 - 1e-12)


def test_methods_do_what_they_can() -> None:
    """Greedy is not above swaps, nor those above their bound; a start is improved."""
    city = sq.demo_city()
    words = {"n_sensors": 8, "failure_probability": 0.1, "effort": 0.1}
    greedy, swaps, best = (
        sq.optimise(city, method=method, **words) for method in ("greedy", "exchange", "auto")
    )
    assert [net.method for net in (greedy, swaps, best)] == ["greedy", "exchange", "lagrangian"]
    values = [net.objective_value for net in (greedy, swaps, best)]
    assert values == sorted(values)
    assert best.upper_bound <= swaps.upper_bound
    assert best.gap < 0.005
    again = sq.optimise(city, method="exchange", start=best, **words)
    assert again.objective_value >= best.objective_value - 1e-12
    tight = sq.optimise(city, method="greedy", bound="tight", **words)
    assert tight.placement_history == greedy.placement_history
    assert tight.upper_bound <= greedy.upper_bound
    with pytest.raises(ProblemError, match="'greedy' cannot honour a network to start from"):
        sq.optimise(city, method="greedy", start=best, **words)
    # What robustness finds by its own way for the same sensors.
    plain = sq.evaluate(city, best.placement_history, bound="none")
    withstood = sq.robustness(city, plain, probability=0.1)
    assert withstood.total.expected == pytest.approx(best.objective_value, abs=1e-12)


class _Stopper(Watcher):
    """Asks to stop after so many seconds, and measures how long that takes."""

    def __init__(self, after: float) -> None:
        self.ends, self.asked = time.perf_counter() + after, 0.0

    def hear(self, report: Report) -> bool:
        """Ask from then on."""
        now = time.perf_counter()
        if now >= self.ends and not self.asked:
            self.asked = now
        return now >= self.ends


@pytest.mark.parametrize("after", [0.0, 0.3, 1.5])
def test_a_stop_ends_it_soon(after: float) -> None:
    """With the best so far, marked; of lists too."""
    city = sq.demo_city("synthetic", n_areas=2_500)
    words: dict[str, Any] = {"n_sensors": 60, "failure_probability": 0.2}
    sq.optimise(city, effort=1e-6, **words)
    watcher = _Stopper(after)
    net = sq.optimise(city, progress=watcher, **words)
    assert time.perf_counter() - watcher.asked < 1.0  # 0.25 s on a machine that is not shared
    assert net.stopped
    assert "stopped early" in net.summary()


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ({"failure_probability": 1.0}, "failure_probability", "below 1"),
        ({"failure_probability": 1.5}, "failure_probability", "from 0 to 1"),
        ({"failure_probability": -0.1}, "failure_probability", "from 0 to 1"),
        ({"failure_probability": "often"}, "failure_probability", "number"),
        ({"objective": "worst"}, "objective", "never fail"),
        ({"objective": "worst_share"}, "objective", "never fail"),
        ({"aversion": 2}, "aversion", "never fail"),
        ({"at_least": {"young": 0.1}}, "at_least", "never fail"),
        ({"n_sensors": None, "reach": {"young": 0.1}}, "reach", "never fail"),
        ({"n_sensors": None, "retire": 1}, "retire", "never fail"),
        ({"n_sensors": None, "move_at_most": 1}, "move_at_most", "never fail"),
        ({"kinds": {"a": {"theta": 300, "n_sensors": 2}}}, "kinds", "never fail"),
        ({"method": "milp"}, "method", "cannot honour that sensors may fail"),
        ({"method": "branch_bound"}, "method", "cannot honour that sensors may fail"),
        ({"method": "random"}, "method", "cannot honour that sensors may fail"),
    ],
)
def test_what_is_not_honoured_is_refused(words: dict[str, Any], field: str, said: str) -> None:
    """One plain sentence that names the field and what to do."""
    city = city_of(TOWN, [(0, 0)])
    with pytest.raises(ProblemError, match=said) as refused:
        sq.optimise(city, **{"n_sensors": 2, "failure_probability": 0.1, **WORDS} | words)
    assert refused.value.field == field
    assert refused.value.mend


def test_who_does_not_look_at_failures_says_so() -> None:
    """Nothing else takes the plain objective for the expected one."""
    city = city_of(TOWN)
    problem = Problem.from_words(n_sensors=2, failure_probability=0.1)
    with pytest.raises(ProblemError, match="by optimise and evaluate only"):
        objective_of(city, problem, None)  # type: ignore[arg-type]
    net = sq.optimise(city, problem)
    for ask in (sq.explain, sq.alternatives):
        with pytest.raises(ProblemError) as refused:
            ask(city, net)
        assert refused.value.field == "failure_probability"


def test_the_default_is_in_no_digest() -> None:
    """Nor in the problem's JSON; a probability is in both, and no family goes with it."""
    plain = Problem.from_words(n_sensors=3)
    assert "failure_probability" not in plain.to_dict()
    assert Problem.from_words(n_sensors=3, failure_probability=0).digest == plain.digest
    some = Problem.from_words(n_sensors=3, failure_probability=0.1)
    assert some.to_dict()["failure_probability"] == 0.1
    assert some.digest != plain.digest
    assert plain.has_families
    assert not some.has_families


def test_jobs_know_who_answers() -> None:
    """Each way has a version of its own, and a plain job keeps its run's name."""
    city, optimise = city_of(TOWN), task_named("optimise")
    words: dict[str, Any] = {"n_sensors": 2, "failure_probability": 0.1}
    versions = {
        check_asked(optimise, city, words | {"method": method}).version
        for method in ("auto", "exchange", "greedy")
    }
    assert versions == {"failing-lagrangian-1", "failing-exchange-1", "failing-greedy-1"}
    quick = check_asked(optimise, city, words | {"bound": "quick"})
    assert quick.version == "failing-exchange-1"
    assert not quick.family
    greedy = check_asked(optimise, city, words | {"method": "greedy"})
    assert not greedy.family
    plain = check_asked(optimise, city, {"n_sensors": 2})
    zero = check_asked(optimise, city, {"n_sensors": 2, "failure_probability": 0.0})
    assert run_digest(optimise, plain, city.digest) == run_digest(optimise, zero, city.digest)
    evaluate = task_named("evaluate")
    given_ = check_asked(evaluate, city, {"sensors": ["A00"], "failure_probability": 0.1})
    assert given_.version == "given-1,failing-lagrangian-1"


@pytest.mark.slow
def test_newcastle(shared: Any) -> None:
    """Within half a percent of the best possible, and better than who reckons without failures."""
    with pytest.warns(sq.SpineqWarning, match="polygons"):
        city = sq.read_city(shared / "data" / "cities" / "E08000021")
    words: dict[str, Any] = {"groups": sq.GROUPS, "theta": 500}
    plain = sq.optimise(city, n_sensors=55, **words)
    for p in (0.05, 0.2):
        net = sq.optimise(city, n_sensors=55, failure_probability=p, **words)
        assert net.gap < 5e-4
        names = plain.placement_history
        unaware = sq.evaluate(city, names, failure_probability=p, bound="none", **words)
        assert net.objective_value > unaware.objective_value
    assert sq.optimise(city, n_sensors=20, failure_probability=0.05, **words).proven
