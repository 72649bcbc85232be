"""Exact search: equal to brute force, with every rule and every goal; its bound never below."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solvers.instances import objectives, value_of

from spineq.errors import ProblemError
from spineq.progress import RecordingProgress, SilentProgress
from spineq.solvers import branch_bound as module
from spineq.solvers.branch_bound import branch_bound
from spineq.solvers.coverage import Coverage
from spineq.solvers.exchange import exchange
from spineq.solvers.goals import Goals
from spineq.solvers.lagrangian import lagrangian
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Apart, Options, Prices, Regions, Rules
from spineq.solvers.search import Search

SILENT = SilentProgress()


@st.composite
def rules_for(draw: st.DrawFn, n_sites: int) -> Rules:
    """Rules over a few sites: any mix of regions, prices and spacing."""
    regions = prices = apart = None
    if draw(st.booleans()):
        many = draw(st.integers(1, 3))
        of = draw(st.lists(st.integers(0, many - 1), min_size=n_sites, max_size=n_sites))
        least = draw(st.lists(st.integers(0, 1), min_size=many, max_size=many))
        more = draw(st.lists(st.integers(0, 3), min_size=many, max_size=many))
        regions = Regions(np.array(of), np.array(least) + np.array(more), np.array(least))
    if draw(st.booleans()):
        cost = draw(st.lists(st.integers(0, 5), min_size=n_sites, max_size=n_sites))
        prices = Prices(np.array(cost, dtype=np.float64), float(draw(st.integers(0, 12))))
    if draw(st.booleans()):
        near = np.zeros((n_sites, n_sites), dtype=np.bool_)
        for i, j in itertools.combinations(range(n_sites), 2):
            near[i, j] = near[j, i] = draw(st.integers(0, 3)) == 0
        apart = Apart(np.concatenate([[0], np.cumsum(near.sum(axis=1))]), np.nonzero(near)[1])
    n = n_sites if prices is not None else draw(st.integers(1, n_sites))
    return Rules(n, regions, prices, apart)


def allowed(objective: Objective, rules: Rules) -> list[tuple[int, ...]]:
    """All networks that keep the rules."""
    usable = np.flatnonzero(objective.usable_sites)
    return [
        sites
        for size in range(min(rules.n, len(usable)) + 1)
        for sites in itertools.combinations(usable, size)
        if not rules.broken_by(np.array(sites, dtype=np.int64))
    ]


def check(objective: Objective, rules: Rules, worth: object) -> None:
    """Hold the exact solver and the bound against brute force."""
    truth = max((worth(sites) for sites in allowed(objective, rules)), default=-math.inf)
    if not math.isfinite(truth):
        with pytest.raises(ProblemError):
            branch_bound(objective, rules, Options(), SILENT)
        return
    solution = branch_bound(objective, rules, Options(), SILENT)
    assert not rules.broken_by(solution.sites)
    assert worth(tuple(solution.sites)) == pytest.approx(solution.value, rel=1e-12)
    assert solution.value == pytest.approx(truth, rel=1e-11, abs=1e-12)
    assert truth <= solution.upper_bound <= truth * (1 + 1e-11) + 1e-12
    try:
        rough = lagrangian(objective, rules, Options(), SILENT)
    except ProblemError:
        # Its ways to a network are few: with a floor or a spacing it may find none.
        assert rules.named or objective.goals is not None
        return
    assert not rules.broken_by(rough.sites)
    assert rough.value <= truth * (1 + 1e-12) <= rough.upper_bound * (1 + 1e-11) + 1e-12


def with_base(draw: st.DrawFn, objective: Objective) -> Objective:
    """The objective, perhaps with sensors that stand already."""
    if not draw(st.booleans()):
        return objective
    points = objective.coverage.n_points
    base = draw(st.lists(st.integers(0, 4), min_size=points, max_size=points))
    return Objective(
        objective.coverage, objective.weight, objective.usable, np.array(base, dtype=np.float64)
    )


@settings(max_examples=150)
@given(data=st.data())
def test_equals_brute_force_under_every_rule(data: st.DataObject) -> None:
    """On small instances the answer is the best network that keeps the rules, and proven."""
    objective = with_base(data.draw, data.draw(objectives(max_sites=8)))
    rules = data.draw(rules_for(objective.n_sites))
    if rules.prices is None:
        n = min(rules.n, int(objective.usable_sites.sum()))
        rules = Rules(n, rules.regions, rules.prices, rules.apart)
    check(
        objective, rules, lambda sites: objective.value(objective.covered_by(np.array(sites, int)))
    )


@settings(max_examples=150)
@given(data=st.data())
def test_equals_brute_force_with_every_goal(data: st.DataObject) -> None:
    """Floors, the worst-off group, and both; alone and with rules."""
    objective = with_base(data.draw, data.draw(objectives(max_sites=7)))
    points = objective.coverage.n_points
    many = data.draw(st.integers(1, 3))
    row = st.lists(st.integers(0, 3), min_size=points, max_size=points)
    rows = np.array(data.draw(st.lists(row, min_size=many, max_size=many)), dtype=np.float64)
    judged = np.array(data.draw(st.lists(st.booleans(), min_size=many, max_size=many)))
    scale = np.array(
        data.draw(st.lists(st.integers(1, 3), min_size=many, max_size=many)), dtype=np.float64
    )
    least = np.full(many, -np.inf)
    for k in range(many):
        if data.draw(st.booleans()):
            least[k] = data.draw(st.integers(0, 12))
    goals = Goals(rows, least, judged, scale)
    objective = Objective(
        objective.coverage, objective.weight, objective.usable, objective.base, goals
    )
    rules = Rules(data.draw(st.integers(1, int(objective.usable_sites.sum()))))
    if data.draw(st.booleans()):
        drawn = data.draw(rules_for(objective.n_sites))
        rules = Rules(rules.n, drawn.regions, drawn.prices, drawn.apart)

    def worth(sites: tuple[int, ...]) -> float:
        covered = objective.covered_by(np.array(sites, dtype=np.int64))
        groups = (rows * covered).sum(axis=1)
        if (groups < least * (1 - 1e-11)).any():
            return -math.inf
        if judged.any():
            return float((groups / scale)[judged].min())
        return float(objective.weight @ covered)

    check(objective, rules, worth)


def towns(seed: int, n: int = 60) -> Objective:
    """Points in a few towns, which are their own sites."""
    generator = np.random.default_rng(seed)
    centres = generator.random((6, 2)) * 6_000
    xy = centres[generator.integers(0, 6, n)] + generator.normal(0, 500, (n, 2))
    matrix = np.exp(-np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) / 400)
    weight = generator.random(n)
    return Objective(Coverage.from_matrix(matrix), weight / weight.sum())


def anything(seed: int) -> Objective:
    """Random coverages, whose relaxation leaves a gap that only a tree closes."""
    generator = np.random.default_rng(seed)
    return Objective(Coverage.from_matrix(generator.random((40, 40))), generator.random(40))


@pytest.mark.parametrize("seed", range(6))
def test_proves_towns_and_is_not_below_exchange(seed: int) -> None:
    """Real numbers: proven to 1e-11, never below exchange, the same twice."""
    objective, rules = towns(seed), Rules(7)
    solution, again = (branch_bound(objective, rules, Options(), SILENT) for _ in range(2))
    assert solution.upper_bound <= solution.value * (1 + 1e-11)
    assert solution.value >= exchange(objective, rules, Options(), SILENT).value
    assert solution.value == pytest.approx(value_of(objective, solution.sites), rel=1e-12)
    assert again.sites.tolist() == solution.sites.tolist()
    assert again.nodes == solution.nodes


def test_stop_at_any_moment_leaves_a_network_and_an_honest_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped after any report, the bound is not below the optimum nor the value above it."""
    # Few steps, so that the tree has something to do.
    monkeypatch.setattr(module, "_STEPS", 20)
    objective, rules = anything(2), Rules(5)
    watcher = RecordingProgress()
    whole = branch_bound(objective, rules, Options(), watcher)
    assert whole.nodes > 3
    assert whole.upper_bound <= whole.value * (1 + 1e-11)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    bounds = [report.bound for report in watcher.reports if report.bound is not None]
    assert min(bounds) >= whole.value
    for stop_after in range(1, len(fractions), 3):
        stopped = branch_bound(objective, rules, Options(), RecordingProgress(stop_after))
        # Asked when all is done, there is nothing left to stop.
        assert stopped.stopped or stop_after > len(fractions) - 6
        assert stopped.value <= whole.value * (1 + 1e-12)
        assert stopped.upper_bound >= whole.value


def test_effort_and_gap_limit_end_it_early_with_an_honest_gap() -> None:
    """With little effort, or a gap that is good enough, the bound says what is left."""
    objective, rules = anything(2), Rules(5)
    whole = branch_bound(objective, rules, Options(), SILENT)
    hasty = branch_bound(objective, rules, Options(effort=1e-4), SILENT)
    assert hasty.nodes < whole.nodes
    assert hasty.upper_bound >= whole.value >= hasty.value
    content = branch_bound(objective, rules, Options(gap_limit=0.05), SILENT)
    assert content.nodes <= whole.nodes
    assert 1 - content.value / content.upper_bound <= 0.05 + 1e-12
    assert content.upper_bound >= whole.value
    anything_goes = branch_bound(objective, rules, Options(gap_limit=1.0), SILENT)
    assert anything_goes.nodes <= content.nodes
    assert anything_goes.upper_bound >= whole.value >= anything_goes.value


def test_floors_are_searched_for_in_full_whatever_gap_is_good_enough() -> None:
    """A gap is for what is maximised, not for what every group must have."""
    objective, rules = anything(2), Rules(5)
    search = Search(objective, rules, Options(gap_limit=0.5, effort=2.0), SILENT)
    part = search.part(objective)
    assert part.options.gap_limit == 0.0
    assert part.options.effort == 2.0
