"""The fewest sensors, sensors of today that go or move, and kinds, against every choice."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spineq as sq
from spineq.errors import DataError, ProblemError
from spineq.model.network import network_from_bytes
from spineq.model.problem import Problem
from spineq.progress import RecordingProgress

CRS, THETA = "EPSG:27700", 400.0
GROUPS = {"young": sq.Group(ages=(0, 15)), "jobs": sq.Group(column="workers", weight=2)}
PLACE = st.tuples(st.integers(0, 12), st.integers(0, 12))


def city_of(
    areas: list[tuple[int, int]], existing: list[tuple[int, int]] = (), seed: int = 0
) -> sq.City:
    """A city of areas in hundreds of metres, each a site, with sensors of today."""
    rng = np.random.default_rng(seed)
    xy = 100.0 * np.array(areas) + [420_000.0, 560_000.0]
    frame = pd.DataFrame({"area_id": [f"A{k:02d}" for k in range(len(xy))], "x": xy[:, 0]})
    frame["y"] = xy[:, 1]
    for name in ("age_0_15", "age_16_90", "workers"):
        frame[name] = rng.integers(1, 50, len(xy)).astype(float)
    city = sq.City.from_frame(frame, crs=CRS, name="Smallville")
    if len(existing):
        there = 100.0 * np.array(existing) + [420_000.0, 560_000.0]
        table = pd.DataFrame({"sensor_id": [f"S{k}" for k in range(len(there))], "x": there[:, 0]})
        city = city.with_existing(table.assign(y=there[:, 1]))
    return city


def far(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distances between places, metres."""
    return np.sqrt(((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2))


def subsets(n: int, most: int) -> Iterator[tuple[int, ...]]:
    """Every set of up to so many of n things."""
    for k in range(min(most, n) + 1):
        yield from itertools.combinations(range(n), k)


@st.composite
def changes(draw: st.DrawFn) -> tuple[sq.City, dict[str, Any]]:
    """A city with sensors of today, and what is to become of them."""
    areas = draw(st.lists(PLACE, min_size=2, max_size=7, unique=True))
    place = st.sampled_from(areas) | PLACE
    existing = draw(st.lists(place, min_size=2, max_size=5))
    city = city_of(areas, existing, draw(st.integers(0, 99)))
    ids = list(city.sites.index)
    keep = draw(st.lists(st.sampled_from([*ids[:3], "S0"]), max_size=1, unique=True))
    forbid = draw(st.lists(st.sampled_from(ids[3:]), max_size=2, unique=True)) if ids[3:] else []
    words: dict[str, Any] = {
        "retire": draw(st.integers(0, 2)),
        "move_at_most": draw(st.integers(0, 2)),
        "n_sensors": draw(st.integers(0, 2)),
        "keep": keep,
        "forbid": forbid,
        "min_spacing": draw(st.sampled_from([0.0, 150.0, 450.0])),
    }
    if words["retire"] + words["move_at_most"] == 0:
        words["retire"] = 1
    return city, words


def best_change(city: sq.City, words: dict[str, Any]) -> float | None:
    """Mean coverage of the best of all choices; None where what is asked cannot be."""
    sites, places = city.sites, city.existing[["x", "y"]].drop_duplicates()
    known = pd.concat([sites[["x", "y"]], city.existing[["x", "y"]]])
    kept = known.loc[list(dict.fromkeys(words["keep"]))].drop_duplicates()
    at_kept = {tuple(row) for row in kept.to_numpy()}
    may_go = np.array([row for row in places.to_numpy() if tuple(row) not in at_kept])
    may_go = may_go.reshape(-1, 2)
    taken = at_kept | {tuple(row) for row in may_go}
    free = sites[~sites.index.isin(words["forbid"])][["x", "y"]].to_numpy()
    new = np.array([row for row in free if tuple(row) not in taken]).reshape(-1, 2)
    if len(kept):
        new = new[(far(new, kept.to_numpy()) >= words["min_spacing"]).all(axis=1)]
    retire, moved, more = words["retire"], words["move_at_most"], words["n_sensors"]
    moved = min(moved, len(may_go) - retire)
    n, weight = len(may_go) - retire + more, city.weights_at_points(GROUPS.items())
    if retire > len(may_go) or more > len(new) or n == 0:
        return None
    best = -np.inf
    for stay in subsets(len(may_go), n):
        if len(stay) < len(may_go) - retire - moved:
            continue
        for chosen in subsets(len(new), min(more + moved, n - len(stay))):
            stands = np.concatenate([kept.to_numpy(), may_go[list(stay)]])
            others = new[list(chosen)]
            near = far(others, np.concatenate([stands, others]))
            near[:, len(stands) :] += np.diag([np.inf] * len(others)) if len(others) else 0.0
            if (near < words["min_spacing"]).any():
                continue
            every = np.concatenate([stands, others])
            if len(every):
                covered = np.exp(-far(every, city.point_xy).min(axis=0) / THETA)
                best = max(best, float(weight @ covered))
    return best


@settings(max_examples=30)
@given(changes())
def test_the_change_is_the_best_there_is(asked: tuple[sq.City, dict[str, Any]]) -> None:
    """With sensors that stay for sure, forbidden sites and spacing, at sites and elsewhere."""
    city, words = asked
    try:
        net = sq.optimise(city, theta=THETA, groups=GROUPS, **words)
    except ProblemError as error:
        assert error.field in ("retire", "n_sensors"), error  # noqa: PT017
        assert best_change(city, words) is None
        return
    assert net.proven
    assert net.objective_value == pytest.approx(best_change(city, words), abs=1e-12)
    # What stays is where it was; what is new is as many as may be.
    new = net.n_sensors - net.n_kept
    assert new <= words["n_sensors"] + words["move_at_most"]
    today = {tuple(row) for row in city.existing[["x", "y"]].to_numpy()}
    known = today | {tuple(row) for row in city.sites.loc[:, ["x", "y"]].to_numpy()}
    stays = net.sensors[["x", "y"]].to_numpy()[: net.n_kept]
    assert all(tuple(row) in known for row in stays)
    assert not set(net.sensors["site"][net.n_kept :]) & set(words["forbid"])
    assert Problem.from_json(net.problem.to_json()) == net.problem
    assert network_from_bytes(net.to_bytes()) == net


@st.composite
def goals(draw: st.DrawFn) -> tuple[sq.City, dict[str, Any]]:
    """A city, and coverage that some network of it has."""
    areas = draw(st.lists(PLACE, min_size=2, max_size=8, unique=True))
    city = city_of(areas, draw(st.lists(PLACE, min_size=1, max_size=3)), draw(st.integers(0, 99)))
    ids = list(city.sites.index)
    some = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=5, unique=True))
    net = sq.evaluate(city, some, theta=THETA, groups=GROUPS, bound="none")
    share = draw(st.sampled_from([1.0, 0.97]))
    reach = {name: share * float(net.group_coverage.sel(group=name)) for name in GROUPS}
    words: dict[str, Any] = {"reach": draw(st.sampled_from([reach, "existing"]))}
    if draw(st.booleans()):
        words["keep"] = draw(st.sampled_from([ids[:1], "existing"]))
    if draw(st.booleans()):
        words["min_spacing"] = draw(st.sampled_from([150.0, 450.0]))
    return city, words


def fewest(city: sq.City, words: dict[str, Any]) -> int | None:
    """Fewest sensors of all networks that reach it; None where none does."""
    xy = city.sites[["x", "y"]].to_numpy()
    kept = np.empty((0, 2))
    if words.get("keep") == "existing":
        kept = city.existing[["x", "y"]].to_numpy()
    elif "keep" in words:
        kept = city.sites.loc[words["keep"], ["x", "y"]].to_numpy()
    groups, levels = dict(GROUPS), words["reach"]
    if levels == "existing":
        net = sq.evaluate(city, "existing", theta=THETA, groups=GROUPS, bound="none")
        levels = net.group_coverage.to_series().to_dict()
        groups = city.reported_groups(GROUPS)
    rows = np.array([city.weights_at_points([(name, groups[name])]) for name in levels])
    least = np.array(list(levels.values()))
    free = [k for k in range(len(xy)) if (far(xy[[k]], kept) > 0).all()]
    for chosen in subsets(len(free), len(free)):
        new = xy[[free[k] for k in chosen]]
        stands = np.concatenate([kept, new])
        near = far(new, stands)
        near[:, len(kept) :] += np.diag([np.inf] * len(new)) if len(new) else 0.0
        if not len(stands) or (near < words.get("min_spacing", 0.0)).any():
            continue
        covered = np.exp(-far(stands, city.point_xy).min(axis=0) / THETA)
        if (rows @ covered >= least * (1 - 1e-11)).all():
            return len(chosen)
    return None


@settings(max_examples=30)
@given(goals())
def test_no_fewer_sensors_reach_it(asked: tuple[sq.City, dict[str, Any]]) -> None:
    """The number is that of every network looked at; the proof is for one fewer."""
    city, words = asked
    wanted = fewest(city, words)
    try:
        net = sq.optimise(city, theta=THETA, groups=GROUPS, **words)
    except ProblemError as error:
        # Where sensors stay at every site there is none left, whatever they reach.
        assert wanted is None or "no site left" in str(error), error  # noqa: PT017
        return
    assert net.n_sensors - net.n_kept == wanted
    if net.proven:
        assert net.too_few == wanted - 1
        assert "Proven fewest" in net.certificate() or "no more are needed" in net.certificate()
    assert net.too_few < wanted
    assert net.to_dict()["too_few"] == net.too_few
    assert network_from_bytes(net.to_bytes()) == net


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[sq.City, dict[str, Any]]:
    """A city, and sensors of two or three kinds."""
    city = city_of(draw(st.lists(PLACE, min_size=3, max_size=6, unique=True)), (), 3)
    names, ids = ["cheap", "dear", "other"][: draw(st.integers(2, 3))], list(city.sites.index)
    kinds = {
        name: {
            "theta": draw(st.sampled_from([150.0, 400.0, 900.0])),
            "n_sensors": draw(st.integers(1, 2)),
        }
        for name in names
    }
    words: dict[str, Any] = {"kinds": kinds}
    if draw(st.booleans()):
        for kind in kinds.values():
            kind["cost"] = draw(st.sampled_from([1.0, 2.5]))
        words["budget"] = draw(st.sampled_from([3.0, 5.0]))
    elif draw(st.booleans()):
        words["n_sensors"] = 2
    words["keep"] = ids[: draw(st.integers(0, 1))]
    words["forbid"] = ids[1 : draw(st.integers(1, 2))]
    words["min_spacing"] = draw(st.sampled_from([0.0, 250.0]))
    return city, words


def best_mixture(city: sq.City, words: dict[str, Any]) -> float | None:
    """Mean coverage of the best of all mixtures; None where there are fewer sites than sensors."""
    xy, kinds = city.sites[["x", "y"]].to_numpy(), list(words["kinds"].values())
    ids = list(city.sites.index)
    weight, apart = city.weights_at_points(GROUPS.items()), far(xy, xy)
    kept = [ids.index(name) for name in words["keep"]]
    free = [k for k, name in enumerate(ids) if name not in [*words["keep"], *words["forbid"]]]
    room = sum(all(apart[k, other] >= words["min_spacing"] for other in kept) for k in free)
    wanted = words.get("n_sensors", sum(kind["n_sensors"] for kind in kinds))
    if room == 0 or ("budget" not in words and wanted > room):
        return None
    best = -np.inf
    for choice in itertools.product(range(-1, len(kinds)), repeat=len(free)):
        new = [(site, kind) for site, kind in zip(free, choice, strict=True) if kind >= 0]
        counts = np.bincount([kind for _, kind in new], minlength=len(kinds))
        if any(n > kind["n_sensors"] for n, kind in zip(counts, kinds, strict=True)):
            continue
        if sum(counts) > words.get("n_sensors", 99):
            continue
        if sum(kinds[kind].get("cost", 0.0) for _, kind in new) > words.get("budget", np.inf):
            continue
        sites = [site for site, _ in new]
        pairs = [(a, b) for a, b in itertools.combinations([*kept, *sites], 2) if b in sites]
        if any(apart[a, b] < words["min_spacing"] for a, b in pairs):
            continue
        stands = [(k, THETA) for k in kept] + [(site, kinds[kind]["theta"]) for site, kind in new]
        covered = np.zeros(city.n_points)
        for site, theta in stands:
            covered = np.maximum(covered, np.exp(-far(xy[[site]], city.point_xy)[0] / theta))
        best = max(best, float(weight @ covered))
    return best


@settings(max_examples=30)
@given(mixtures())
def test_the_mixture_is_the_best_there_is(asked: tuple[sq.City, dict[str, Any]]) -> None:
    """Of kinds with a number or a price, one sensor at most a site."""
    city, words = asked
    try:
        net = sq.optimise(city, theta=THETA, groups=GROUPS, **words)
    except ProblemError as error:
        assert error.field in ("n_sensors", "min_spacing", "forbid", "keep"), error  # noqa: PT017
        assert best_mixture(city, words) is None
        return
    assert net.proven
    assert net.objective_value == pytest.approx(best_mixture(city, words), abs=1e-12)
    assert net.sensors["site"].is_unique
    assert network_from_bytes(net.to_bytes()) == net
    assert Problem.from_json(net.problem.to_json()) == net.problem
    found = [each["kind"] for each in net.to_dict()["sensors"]]
    assert found == net.sensors["kind"].tolist()
    assert set(found[net.n_kept :]) <= set(words["kinds"])
    json.dumps(net.to_dict(), allow_nan=False)


TOWN = [(0, 0), (3, 0), (6, 0), (9, 0), (12, 0)]


def test_words_of_the_fewest() -> None:
    """What is proven is said, in one and in many, and without a number that is none."""
    city = city_of(TOWN, [(0, 0), (12, 0)])
    goal = {"young": 0.999}
    net = sq.optimise(city, reach=goal, theta=THETA, groups=GROUPS)
    assert net.proven
    assert net.certificate() == (
        "Proven fewest: 5 sensors reach the coverage asked for (young 99.9 %); 4 cannot."
    )
    assert "proven fewest" in repr(net)
    net = sq.optimise(city, reach={"young": 0.1}, theta=THETA, groups=GROUPS)
    assert net.certificate() == (
        "Proven fewest: 1 sensor reaches the coverage asked for (young 10.0 %); without it that "
        "is not reached."
    )
    net = sq.optimise(city, reach="existing", keep="existing", theta=THETA, groups=GROUPS)
    assert net.n_sensors == net.n_kept == 2
    assert net.certificate() == (
        "The sensors that stay already reach what today's sensors give every group, each counted "
        "at its area's point: no more are needed."
    )
    net = sq.optimise(city, reach=goal, keep="existing", theta=THETA, groups=GROUPS)
    assert net.certificate().startswith("Proven fewest: 3 more sensors reach the coverage")
    assert net.upper_bound is None
    assert net.gap is None


def test_what_cannot_be_reached_is_refused() -> None:
    """By all sites together, or by the rules; and says how much there is."""
    xy = [(0, 0), (5, 0), (5, 1)]
    city = city_of(xy).with_sites(
        pd.DataFrame({"site_id": ["a"], "x": [420_000.0], "y": [560_000.0]})
    )
    with pytest.raises(ProblemError, match=r"no number of sensors reaches.*every site") as refused:
        sq.optimise(city, reach={"young": 0.99}, theta=THETA, groups=GROUPS)
    assert refused.value.field == "reach"
    with pytest.raises(ProblemError, match=r"by the rules|keeps the rules"):
        sq.optimise(
            city_of(xy), reach={"young": 0.999}, min_spacing=200, theta=THETA, groups=GROUPS
        )
    with pytest.raises(ProblemError, match="no existing sensors whose coverage"):
        sq.optimise(city_of(xy), reach="existing", groups=GROUPS)
    with pytest.raises(ProblemError, match=r"at_least|method"):
        sq.optimise(city_of(xy), reach={"young": 0.5}, method="greedy", groups=GROUPS)


def test_a_stop_leaves_what_was_found() -> None:
    """The network so far, marked; nothing is claimed of the number."""
    city = sq.demo_city()
    words: dict[str, Any] = {"reach": {"pop_total": 0.6, "workplace": 0.7}, "theta": 500.0}
    whole = sq.optimise(city, groups=sq.GROUPS, **words)
    assert whole.proven
    for stop_after in (1, 5, 40, 120):
        watcher = RecordingProgress(stop_after=stop_after)
        net = sq.optimise(city, groups=sq.GROUPS, **words, progress=watcher)
        if not net.stopped:
            assert net == whole
            continue
        assert not net.proven
        assert net.too_few <= whole.too_few
        assert "not known: the search was stopped early" in net.certificate()


def test_words_of_changes() -> None:
    """How many sensors of today stay, go, move, and are added."""
    city = city_of(TOWN, [(0, 0), (0, 0), (1, 0), (12, 0)])
    net = sq.optimise(city, retire=1, theta=THETA, groups=GROUPS)
    assert net.certificate() == "Proven best: no way to take away 1 of today's sensors covers more."
    assert net.summary().splitlines()[0].startswith("The 2 sensors that stay in Smallville: ")
    assert "Of the 3 places with a sensor today, 2 keep it and 1 is given up." in net.summary()
    west = city_of(TOWN, [(0, 0), (1, 0), (0, 1)])
    net = sq.optimise(west, retire=1, move_at_most=1, n_sensors=1, theta=THETA, groups=GROUPS)
    said = "take away 1 of today's sensors, move at most 1 other and add 1 covers more"
    assert said in net.certificate()
    said = "Of the 3 places with a sensor today, 1 keeps it, 1 is given up and 1 is moved elsewhere"
    assert f"{said}; 1 sensor is added." in net.summary()
    net = sq.optimise(city, move_at_most=2, keep=["S0"], theta=THETA, groups=GROUPS)
    assert net.sensors["site"][1] == "A00"
    assert "no way to move at most 2 of today's sensors covers more" in net.certificate()


def test_a_spacing_may_leave_a_sensor_without_room() -> None:
    """One new place may be worth more than two of today's, which is said."""
    x = 400_000.0 + np.array([0, 400, 200, 5000, 5400, 5200])
    table = pd.DataFrame({"area_id": list("abcdef"), "x": x, "y": 500_000.0})
    city = sq.City.from_frame(table.assign(population=[1.0, 1, 500, 1, 1, 500]), crs=CRS)
    today = table.iloc[[0, 1, 3, 4]].rename(columns={"area_id": "sensor_id"})
    net = sq.optimise(city.with_existing(today), theta=100, min_spacing=300, move_at_most=2)
    assert net.proven
    said = "Of the 4 places with a sensor today, 2 keep it, 1 is moved elsewhere and 1 has no room"
    assert f"{said} beside the others." in net.summary()


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ({"retire": 4}, "retire", "4 sensors of today cannot be taken away: there are 3"),
        ({"retire": 3}, "retire", "no new one is asked for"),
        ({"retire": 2, "keep": ["S0", "S2", "S3"]}, "retire", "there is none that may go"),
        ({"retire": 1, "keep": "existing"}, "retire", "all existing sensors stay"),
        ({"retire": 1, "reach": {"young": 0.3}}, "reach", "does not go with"),
        ({"retire": 1, "budget": 3, "site_cost": "x"}, "budget", "does not go with"),
        ({"retire": 1, "start": ["A00"]}, "start", "does not go with"),
        ({"retire": 1, "n_sensors": 9}, "n_sensors", "9 new sensors are more than the 3 sites"),
        ({"move_at_most": 1.5}, "move_at_most", "whole number"),
        ({"n_sensors": 2, "reach": {"young": 0.3}}, "n_sensors", "fewest sensors"),
        ({"reach": {"young": 0.3}, "start": ["A00"]}, "start", "from nothing"),
        ({"reach": {"young": 0.3}, "aversion": 2}, "aversion", "fewest"),
        ({"reach": {"young": 0.0}}, "reach", "asks for nothing"),
        ({"reach": {"young": 1.5}}, "reach", "to reach for 'young' must be from 0 to 1"),
        ({"reach": "today"}, "reach", "levels by name"),
        ({"kinds": {"a": {}}}, "kinds", "has no theta"),
        ({"kinds": {"a": {"theta": 300}}}, "kinds", "no number of sensors"),
        ({"kinds": {"a": {"theta": 300, "n": 1}}}, "kinds", "no field 'n'"),
        ({"kinds": {"a": {"theta": -1, "n_sensors": 1}}}, "kinds", "above 0"),
        ({"kinds": {"": {"theta": 1, "n_sensors": 1}}}, "kinds", "name must be text"),
        ({"kinds": [1]}, "kinds", "dictionary of names"),
        ({"kinds": {"a": {"theta": 1, "n_sensors": 1, "cost": 3}}}, "kinds", "no budget"),
        ({"kinds": {"a": {"theta": 1, "n_sensors": 1}}, "n_sensors": 2}, "n_sensors", "together"),
        (
            {"kinds": {"a": {"theta": 1, "n_sensors": 9}}},
            "n_sensors",
            "9 sensors are more than the city's 5",
        ),
        ({"kinds": {"a": {"theta": 1, "cost": 9}}, "budget": 3}, "budget", "cheapest sensor"),
        ({"kinds": {"a": {"theta": 1, "n_sensors": 1}}, "retire": 1}, "retire", "do not go"),
    ],
)
def test_what_is_wrong_is_said(words: dict[str, Any], field: str, said: str) -> None:
    """One plain sentence that names the field and what to do."""
    city = city_of(TOWN, [(0, 0), (0, 0), (1, 0), (12, 0)])
    with pytest.raises(ProblemError, match=said) as refused:
        sq.optimise(city, groups=GROUPS, **words)
    assert refused.value.field == field
    assert refused.value.mend


def test_sensors_of_today_must_be_there() -> None:
    """A city without any says so."""
    for words in ({"retire": 1}, {"move_at_most": 1}):
        with pytest.raises(ProblemError, match=r"no existing sensors to (take away|move)"):
            sq.optimise(city_of(TOWN), groups=GROUPS, **words)
    with pytest.raises(ProblemError, match="'S9' is no site of Smallville"):
        sq.optimise(city_of(TOWN, [(0, 0)]), n_sensors=1, keep=["S9"], groups=GROUPS)


def test_a_sensor_of_today_is_kept_by_its_id() -> None:
    """Where it stands, also at no site."""
    city = city_of(TOWN, [(0, 0), (1, 1)])
    net = sq.optimise(city, n_sensors=1, keep=["S1", "A04"], groups=GROUPS)
    assert net.n_kept == 2
    assert net.sensors["site"].tolist()[:2] == ["A04", ""]
    assert net.sensors["x"].tolist()[1] == 420_100.0


def test_several_kinds_by_travel_costs_lists_and_aversion() -> None:
    """Costs instead of lines, lists instead of a matrix, and transformed coverage."""
    city = city_of(TOWN)
    ids, areas = list(city.sites.index), list(city.dataset["area"].to_numpy())
    rows = [(s, a, 2.0 * abs(i - j)) for i, s in enumerate(ids) for j, a in enumerate(areas)]
    timed = city.with_travel(pd.DataFrame(rows, columns=["site", "area", "cost"]), unit="minutes")
    kinds = {"near": sq.Kind(theta=1.0, n_sensors=1), "far": sq.Kind(theta=6.0, n_sensors=1)}
    net = sq.optimise(timed, kinds=kinds, groups=GROUPS)
    cost = np.array([[abs(i - j) * 2.0 for j in range(5)] for i in range(5)])
    weight = timed.weights_at_points(GROUPS.items())
    best = max(
        float(weight @ np.maximum(np.exp(-cost[i] / 1.0), np.exp(-cost[j] / 6.0)))
        for i, j in itertools.permutations(range(5), 2)
    )
    assert net.proven
    assert net.objective_value == pytest.approx(best, abs=1e-12)
    averse = sq.optimise(timed, kinds=kinds, groups=GROUPS, aversion=3)
    assert averse.proven
    assert averse.objective_value <= averse.total_coverage <= net.total_coverage + 1e-12
    assert "theta is 6 minutes for 'far', 1 minutes for 'near'" in net.summary()
    with pytest.raises(ProblemError, match="measured with one theta"):
        sq.evaluate(timed, ids[:1], kinds=kinds, groups=GROUPS)


def test_large_cities_take_kinds_too() -> None:
    """Beyond what a matrix holds, lists of neighbours are put one below the other."""
    city = sq.demo_city("synthetic", n_areas=2_001)
    kinds = {"dear": sq.Kind(theta=800, n_sensors=3), "cheap": sq.Kind(theta=300, n_sensors=12)}
    net = sq.optimise(city, kinds=kinds, effort=0.01)
    assert net.n_sensors == 15
    assert net.gap is not None
    alone = sq.optimise(city, n_sensors=15, theta=300, method="greedy")
    assert net.total_coverage > alone.total_coverage


@pytest.mark.slow
def test_newcastle(shared: Any) -> None:
    """What 55 areas with sensors do today, 29 placed anew do, and 28 provably cannot."""
    reference = json.loads((shared / "reference.json").read_text())
    with pytest.warns(sq.SpineqWarning, match="polygons"):
        city = sq.read_city(shared / "data" / "cities" / "E08000021")
    net = sq.optimise(city, reach="existing", groups=sq.GROUPS, theta=500)
    assert net.n_sensors == reference["reach_existing"]["n_sensors"]
    assert net.proven
    today = sq.evaluate(city, "existing", groups=sq.GROUPS, theta=500, bound="none")
    assert (net.group_coverage >= today.group_coverage - 1e-12).all()
    assert len(city.existing_areas) == 55
    mixed = sq.optimise(
        city,
        kinds={"reference": sq.Kind(800, 5), "low-cost": sq.Kind(300, 50)},
        groups=sq.GROUPS,
    )
    assert mixed.n_sensors == 55
    assert mixed.gap is not None
    assert mixed.gap <= 1e-3
    for words in (
        {"retire": 5},
        {"move_at_most": 3},
        {"retire": 5, "move_at_most": 5, "n_sensors": 5},
    ):
        assert sq.optimise(city, groups=sq.GROUPS, theta=500, **words).proven


def test_exports_know_the_kinds(tmp_path: Any) -> None:
    """A GIS says which kind stands where; the city must be the network's own."""
    city = city_of(TOWN)
    kinds = {"near": sq.Kind(theta=200, n_sensors=1), "far": sq.Kind(theta=900, n_sensors=1)}
    net = sq.optimise(city, kinds=kinds, groups=GROUPS)
    assert gpd.read_file(net.to_geojson(tmp_path / "a.geojson"))["kind"].tolist() == list(
        net.sensors["kind"]
    )
    with pytest.raises(DataError, match="was made for Smallville, not for this"):
        net.to_geojson(tmp_path / "b.geojson", city_of(TOWN[:3]))
