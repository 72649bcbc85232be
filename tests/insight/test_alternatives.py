"""Networks beside the best: against every network of small cities."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import cities

import spineq as sq
from spineq.errors import DataError, ProblemError
from spineq.insight.alternatives import Alternatives, alternatives
from spineq.progress import RecordingProgress


class Every:
    """Every allowed network of a small city with its value, by the definition."""

    def __init__(self, city: sq.City, problem: sq.Problem) -> None:
        self.ids = [str(site) for site in city.dataset["site"].to_numpy()]
        xy, spacing = city.site_xy, problem.min_spacing
        off = xy[:, None, :] - city.point_xy[None, :, :]
        self.rows = np.exp(-np.sqrt((off**2).sum(axis=2)) / problem.theta)
        self.weight = city.weights_at_points(problem.groups)
        self.kept = [self.ids.index(site) for site in problem.keep]
        near = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1)) < spacing
        banned = {*problem.keep, *problem.forbid}
        able = [k for k, site in enumerate(self.ids) if site not in banned]
        able = [k for k in able if not near[k, self.kept].any()]
        sizes = range(1, len(able) + 1)
        if problem.n_sensors is not None:
            n = min(problem.n_sensors, len(able))
            # With room to be kept, fewer may stand.
            sizes = range(1, n + 1) if spacing else range(n, n + 1)
        price = None if problem.budget is None else city.site_column(str(problem.site_cost))
        self.networks = {
            frozenset(sites): self.value(sites)
            for size in sizes
            for sites in itertools.combinations(able, size)
            if not any(near[a, b] for a, b in itertools.combinations(sites, 2))
            and (price is None or price[list(sites)].sum() <= (problem.budget or 0.0))
        }

    def value(self, sites: tuple[int, ...]) -> float:
        covered = self.rows[[*sites, *self.kept]].max(axis=0, initial=0.0)
        return float((self.weight * covered).sum())

    def check(self, made: Alternatives) -> None:
        """Each alternative is the best of what is left, and is proven to be."""
        m = made.min_different

        def sites(net: sq.Network) -> frozenset[int]:
            return frozenset(self.ids.index(s) for s in net.sensors["site"][net.n_kept :])

        before = [sites(made.network)]
        for each in made.found:
            left = [
                value
                for other, value in self.networks.items()
                if all(len(other & one) <= len(one) - m for one in before)
            ]
            mine = sites(each.network)
            assert mine in self.networks
            assert all(len(mine & one) <= len(one) - m for one in before)
            assert each.value == pytest.approx(max(left), abs=1e-9)
            assert each.value == pytest.approx(each.network.objective_value, abs=1e-12)
            assert each.proven
            before.append(mine)
        assert made.exhausted == (len(made.found) < made.asked)
        if made.exhausted:
            assert not any(
                all(len(other & one) <= len(one) - m for one in before) for other in self.networks
            )
        assert made.proven


@settings(max_examples=20)
@given(city=cities(3, 9, existing=False, travel=False), drawn=st.data())
def test_each_is_the_best_of_all_that_differ(city: sq.City, drawn: st.DataObject) -> None:
    """From the given network and from the alternatives before, under the same rules."""
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    assume(len(ids) >= 3)
    some = drawn.draw(st.permutations(ids))
    n = drawn.draw(st.integers(1, min(4, len(ids) - 2)))
    group = "pop_total" if city.has(sq.GROUPS["pop_total"]) else "workplace"
    problem = sq.Problem(
        n_sensors=n,
        theta=700,
        groups={group: sq.GROUPS[group]},
        keep=some[:1] if drawn.draw(st.booleans()) else [],
        forbid=some[1:2] if drawn.draw(st.booleans()) else [],
        min_spacing=drawn.draw(st.sampled_from([0.0, 0.0, 300.0])),
    )
    try:
        net = sq.optimise(city, problem)
    except sq.SpineqError:
        assume(False)
    placed = net.n_sensors - net.n_kept
    m = drawn.draw(st.integers(1, placed))
    made = alternatives(city, net, drawn.draw(st.integers(1, 4)), min_different=m)
    Every(city, problem).check(made)
    assert made.summary()


@pytest.fixture(scope="module")
def city() -> sq.City:
    """Twelve areas with prices."""
    plain = sq.demo_city("synthetic", n_areas=12, seed=7)
    data = plain.dataset
    sites = {name: data[name].to_numpy() for name in ("x", "y")}
    ids = data["area"].to_numpy()
    more = {"price": 1.0 + np.arange(12) % 3, "ward": [f"w{k % 2}" for k in range(12)]}
    return plain.with_sites(pd.DataFrame({"site_id": ids, "area_id": ids} | sites | more))


@pytest.mark.parametrize("m", [1, 2, 3])
def test_many_alternatives(city: sq.City, m: int) -> None:
    """Ten overlapping networks, each the best that is left."""
    problem = sq.Problem(n_sensors=3, theta=500)
    made = alternatives(city, sq.optimise(city, problem), 10, min_different=m)
    Every(city, problem).check(made)
    losses = [each.loss for each in made.found]
    assert losses == sorted(losses)
    assert losses[0] >= -1e-12


def test_with_a_budget(city: sq.City) -> None:
    problem = sq.Problem(budget=5.0, site_cost="price", theta=500)
    made = alternatives(city, sq.optimise(city, problem), 4)
    Every(city, problem).check(made)
    for each in made.found:
        assert each.network.spent is not None
        assert each.network.spent <= 5.0


def test_other_objectives(city: sq.City) -> None:
    """The worst-off group, an aversion, floors: the second best is what all networks say."""
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    both = {name: sq.GROUPS[name] for name in ("pop_children", "workplace")}
    kinds: list[dict[str, Any]] = [
        {"objective": "worst", "groups": both},
        {"aversion": 4.0},
        {"objective": "worst_share", "groups": both},
    ]
    for words in kinds:
        net = sq.optimise(city, n_sensors=2, theta=500, **words)
        made = alternatives(city, net, 2)
        assert made.proven
        assert len(made.found) == 2
        assert made.found[0].loss <= made.found[1].loss + 1e-11
        if words.get("objective") == "worst_share":
            assert all(each.value <= net.objective_value + 1e-11 for each in made.found)
            continue
        values = sorted(
            sq.evaluate(city, pair, theta=500, bound="none", **words).objective_value
            for pair in itertools.combinations(ids, 2)
        )
        found = [net.objective_value, *(each.value for each in made.found)]
        assert found == pytest.approx(values[:-4:-1], abs=1e-9)


def test_a_network_of_ones_own(city: sq.City) -> None:
    """The best network is an alternative to it, and better."""
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    made = alternatives(city, sq.evaluate(city, ids[:3], theta=500), 1)
    best = sq.optimise(city, n_sensors=3, theta=500)
    assert made.found[0].value == pytest.approx(best.objective_value, abs=1e-12)
    assert "% more (proven)" in made.sentence(1)
    x, y = (float(each) for each in city.site_xy[5])
    free = sq.evaluate(city, [(x + 40.0, y), (x + 900.0, y)], theta=500)
    made = alternatives(city, free, 1, min_different=2)
    best = sq.optimise(city, n_sensors=2, theta=500)
    assert made.found[0].value == pytest.approx(best.objective_value, abs=1e-12)


def test_where_there_are_no_more() -> None:
    """Of three sites, two sensors can stand at three pairs."""
    city = sq.demo_city("synthetic", n_areas=3, seed=1)
    net = sq.optimise(city, n_sensors=2, theta=500)
    made = alternatives(city, net, 5)
    assert len(made.found) == 2
    assert made.exhausted
    assert made.proven
    assert made.summary().startswith("Two other networks; each gives up at least one of")
    assert made.summary().endswith("There are no more (proven).")
    none = alternatives(city, net, 5, min_different=2)
    assert none.found == ()
    assert "There is none (proven)." in none.summary()
    assert len(none.table) == 0


def test_what_they_say_of_themselves(city: sq.City) -> None:
    net = sq.optimise(city, n_sensors=3, theta=500)
    made = alternatives(city, net, 2, min_different=2)
    assert [*made.table.columns] == ["value", "bound", "proven", "loss", "comes", "goes"]
    assert len(made.table) == 2
    first = made.found[0]
    assert set(first.network.placement_history) == (
        set(net.placement_history) - set(first.goes) | set(first.comes)
    )
    assert len(first.goes) >= 2
    assert made.sentence(1).startswith("Alternative 1 covers ")
    assert " (proven), with sensors at " in made.sentence(1)
    assert "at least two of the given network's sites" in made.summary()
    assert json.loads(json.dumps(made.to_dict(), allow_nan=False))["proven"] is True
    again = alternatives(city, net, 2, min_different=2)
    assert again.to_dict() == made.to_dict()
    assert repr(made) == "<Alternatives: 2 of 2, proven>"
    # Each is a network like any other.
    assert sq.explain(city, first.network, refuse=False).value == first.value


def test_what_is_refused(city: sq.City) -> None:
    net = sq.optimise(city, n_sensors=3, theta=500)
    with pytest.raises(ProblemError, match="min_different"):
        alternatives(city, net, min_different=4)
    with pytest.raises(ProblemError, match="k"):
        alternatives(city, net, 0)
    with pytest.raises(DataError, match="the network was made for"):
        alternatives(sq.demo_city("synthetic", n_areas=12, seed=8), net)
    with pytest.raises(ProblemError, match="no sensors that could stand elsewhere"):
        alternatives(city, sq.evaluate(city, [], theta=500))
    wards = sq.optimise(city, n_sensors=3, theta=500, region="ward", max_per_region=2)
    with pytest.raises(ProblemError, match="limits for regions"):
        alternatives(city, wards)
    made = alternatives(city, net)
    for wrong in (4, "1", None, 1.5, True, np.array([1, 2])):
        with pytest.raises(ProblemError, match="no alternative"):
            made.sentence(wrong)  # type: ignore[arg-type]


def test_it_can_be_stopped_at_any_time(city: sq.City) -> None:
    """Those found by then are what would be found."""
    net = sq.optimise(city, n_sensors=3, theta=500)
    watcher = RecordingProgress()
    whole = alternatives(city, net, progress=watcher)
    shares = [report.fraction for report in watcher.reports]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    for after in range(1, len(shares), max(len(shares) // 20, 1)):
        part = alternatives(city, net, progress=RecordingProgress(stop_after=after))
        found = [each.network.placement_history for each in part.found]
        assert found == [each.network.placement_history for each in whole.found][: len(found)]
        if part.stopped:
            assert not part.proven
            assert "stopped early" in part.summary()
        else:
            assert len(found) == 3
