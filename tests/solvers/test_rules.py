"""Rules: every heuristic keeps them, below brute force, with a bound above it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import (
    allowed_networks,
    apart_of,
    best_allowed,
    objectives,
    rules_for,
    value_of,
)

from spineq.errors import ProblemError
from spineq.progress import RecordingProgress, SilentProgress
from spineq.solvers import greedy as greedy_module
from spineq.solvers import greedy_in_room as room_module
from spineq.solvers import objective as objective_module
from spineq.solvers import swaps as swaps_module
from spineq.solvers.coverage import Coverage
from spineq.solvers.exchange import exchange, improve
from spineq.solvers.greedy import greedy, place
from spineq.solvers.objective import Objective
from spineq.solvers.random import random
from spineq.solvers.rules import Apart, Options, Prices, Regions, Rules, need_start
from spineq.solvers.solution import Solution

SILENT = SilentProgress()
USUAL = Options()
SOLVERS = [greedy, exchange, random]


def check(objective: Objective, rules: Rules, solution: Solution) -> None:
    """The rules are kept, the value is right, and brute force lies between it and the bound."""
    assert rules.broken_by(solution.sites) == ""
    assert objective.usable_sites[solution.sites].all()
    assert not solution.stopped
    assert solution.value == value_of(objective, solution.sites)
    assert solution.value <= best_allowed(objective, rules) <= solution.upper_bound


@pytest.mark.parametrize("solve", SOLVERS)
@given(data=st.data())
def test_rules_are_kept(solve: Callable[..., Solution], data: st.DataObject) -> None:
    """A network is found wherever there is one, hard mixes included; else that is said."""
    objective = data.draw(objectives(max_sites=8, kept=True))
    rules = data.draw(rules_for(objective))
    if allowed_networks(objective, rules):
        check(objective, rules, solve(objective, rules, USUAL, SILENT))
        return
    with pytest.raises(ProblemError, match="must have"):
        solve(objective, rules, USUAL, SILENT)


@given(data=st.data())
def test_exchange_is_locally_optimal(data: st.DataObject) -> None:
    """Never below greedy; no allowed swap and no allowed addition improves it."""
    objective = data.draw(objectives(max_sites=8, kept=True))
    rules = data.draw(rules_for(objective))
    if not allowed_networks(objective, rules):
        return
    solution = exchange(objective, rules, USUAL, SILENT)
    assert solution.value >= greedy(objective, rules, USUAL, SILENT).value
    closed = set(np.flatnonzero(objective.usable_sites)) - set(solution.sites)
    neighbours = [np.append(solution.sites, site) for site in closed]
    for site, slot in itertools.product(closed, range(len(solution.sites))):
        other = solution.sites.copy()
        other[slot] = site
        neighbours.append(other)
    for other in neighbours:
        if not rules.broken_by(other):
            assert value_of(objective, other) <= solution.value
            # Without prices there are as many sensors as may be.
            assert rules.prices is not None or len(other) == len(solution.sites)


@pytest.mark.parametrize("solve", SOLVERS)
@given(data=st.data())
def test_rules_that_forbid_nothing(solve: Callable[..., Solution], data: st.DataObject) -> None:
    """With rules that every network keeps, the sites are those without rules."""
    objective = data.draw(objectives(kept=True))
    n_sites = objective.n_sites
    n = data.draw(st.integers(1, int(objective.usable_sites.sum())))
    regions = Regions(np.zeros(n_sites, dtype=np.int64), np.array([n_sites]), np.array([0]))
    for rules in (Rules(n, regions), Rules(n, apart=apart_of([], n_sites))):
        found = solve(objective, rules, USUAL, SILENT)
        if solve is random:
            assert len(found.sites) == n
            continue
        plain = solve(objective, Rules(n), USUAL, SILENT)
        assert found.value == plain.value
        if solve is greedy:
            assert found.sites.tolist() == plain.sites.tolist()


@pytest.mark.parametrize("solve", SOLVERS)
@given(data=st.data())
def test_what_stands_is_as_if_placed(solve: Callable[..., Solution], data: st.DataObject) -> None:
    """A base of kept sites gives what those sites add to every network, bound included."""
    plain = data.draw(objectives(max_sites=7, some_usable=False))
    kept = np.array(sorted(data.draw(st.sets(st.integers(0, plain.n_sites - 1)))), dtype=np.int64)
    usable = ~np.isin(np.arange(plain.n_sites), kept)
    if not usable.any():
        return
    base = plain.covered_by(kept)
    objective = Objective(plain.coverage, plain.weight, usable, base)
    n = data.draw(st.integers(1, int(usable.sum())))
    solution = solve(objective, Rules(n), USUAL, SILENT)
    together = np.concatenate([kept, solution.sites])
    assert len(set(together.tolist())) == len(together)
    assert solution.value == value_of(plain, together)
    others = itertools.combinations(np.flatnonzero(usable), n)
    best = max(value_of(plain, [*kept, *sites]) for sites in others)
    assert solution.value <= best <= solution.upper_bound
    if solve is exchange:
        for slot, site in itertools.product(range(n), np.flatnonzero(usable)):
            if site not in solution.sites:
                other = together.copy()
                other[len(kept) + slot] = site
                assert value_of(plain, other) <= solution.value


# ---------------------------------------------------------------------------- starts


@given(data=st.data())
def test_start_is_improved_from(data: st.DataObject) -> None:
    """From any network that keeps the rules, the answer is no worse than it or than greedy."""
    objective = data.draw(objectives(max_sites=7, kept=True))
    kinds = data.draw(st.sampled_from([set(), None]))
    rules = data.draw(rules_for(objective, kinds))
    networks = [sites for sites in allowed_networks(objective, rules) if len(sites)]
    if not networks:
        return
    start = data.draw(st.sampled_from(networks))
    solution = exchange(objective, rules, Options(start=start), SILENT)
    check(objective, rules, solution)
    assert solution.value >= value_of(objective, start)
    assert solution.value >= greedy(objective, rules, USUAL, SILENT).value
    if rules.named == frozenset():
        assert len(solution.sites) == rules.n


def test_start_leads_out_of_a_trap() -> None:
    """Where greedy's network is a local optimum, a better start is what is answered."""
    # Two pairs, each good together; a swap of one site alone never pays.
    generator = np.random.default_rng(0)
    for seed in range(200):
        generator = np.random.default_rng(seed)
        objective = Objective(
            Coverage.from_matrix(generator.integers(0, 5, (9, 9)).astype(float)), np.ones(9)
        )
        alone = exchange(objective, Rules(3), USUAL, SILENT)
        best = max(
            itertools.combinations(range(9), 3), key=lambda sites: value_of(objective, sites)
        )
        if value_of(objective, best) > alone.value:
            break
    start = np.array(best)
    found = exchange(objective, Rules(3), Options(start=start), SILENT)
    assert found.value == value_of(objective, best) > alone.value


def test_starts_that_break_a_rule() -> None:
    """A start that is not allowed is refused, with the rule that it breaks."""
    objective = Objective(
        Coverage.from_matrix(np.eye(4)), np.ones(4), np.array([True, True, True, False])
    )
    rules = Rules(2, apart=apart_of([(0, 1)], 4))
    for start, words in (([3], "site 3"), ([0, 1], "too near"), ([0, 2, 1], "more than 2")):
        with pytest.raises(ProblemError, match=words):
            exchange(objective, rules, Options(start=np.array(start)), SILENT)
    assert need_start(rules, USUAL, objective.usable_sites).tolist() == []


def test_greedy_goes_on_under_rules_that_let_it() -> None:
    """With a spacing or most in each region greedy goes on, bit for bit; else it is refused."""
    generator = np.random.default_rng(4)
    objective = Objective(Coverage.from_matrix(generator.random((30, 40))), generator.random(40))
    pairs = generator.integers(0, 30, (25, 2))
    of = generator.integers(0, 4, 30)
    most = Regions(of, np.full(4, 3), np.zeros(4, dtype=np.int64))
    for rules in (Rules(9, apart=apart_of(pairs, 30)), Rules(9, most)):
        whole = greedy(objective, rules, USUAL, SILENT)
        for k in (1, 4, 9):
            earlier = place(objective, Rules(k, rules.regions, None, rules.apart), SILENT).sites
            found = greedy(objective, rules, USUAL, SILENT, earlier)
            assert found.sites.tolist() == whole.sites.tolist()
            assert (found.value, found.upper_bound) == (whole.value, whole.upper_bound)
    for rules in (
        Rules(9, prices=Prices(np.ones(30), 5.0)),
        Rules(9, Regions(of, np.full(4, 3), np.ones(4, dtype=np.int64))),
    ):
        with pytest.raises(ProblemError, match="does not go on"):
            greedy(objective, rules, USUAL, SILENT, np.array([1]))


# ---------------------------------------------------------------------------- each rule


def test_free_sites_are_taken_first() -> None:
    """A site that costs nothing and adds something is in, however little it adds."""
    objective = Objective(Coverage.from_matrix(np.diag([9.0, 1.0, 5.0, 0.0])), np.ones(4))
    rules = Rules(4, prices=Prices(np.array([2.0, 0.0, 1.0, 1.0]), 2.0))
    solution = greedy(objective, rules, USUAL, SILENT)
    # 9 for 2 is less per cost than 5 for 1, but plain gain finds it.
    assert sorted(solution.sites) == [0, 1]
    assert solution.value == 10.0
    # Nothing is spent on a site that adds nothing.
    rich = Rules(4, prices=Prices(rules.prices.cost, 99.0))
    assert sorted(greedy(objective, rich, USUAL, SILENT).sites) == [0, 1, 2]


def test_gain_per_cost_where_plain_gain_is_a_trap() -> None:
    """Ten cheap sites beat the dear one that adds most by itself."""
    matrix = np.diag([2.0] + 10 * [1.0])
    objective = Objective(Coverage.from_matrix(matrix), np.ones(11))
    rules = Rules(11, prices=Prices(np.array([10.0] + 10 * [1.0]), 10.0))
    solution = greedy(objective, rules, USUAL, SILENT)
    assert solution.value == 10.0
    assert solution.upper_bound == pytest.approx(10.0, rel=1e-8)


def test_minima_that_greedy_would_spoil() -> None:
    """Where the best site takes the last free one of a region that lacks it, it is left out."""
    objective = Objective(Coverage.from_matrix(np.diag([9.0, 1.0, 2.0])), np.ones(3))
    regions = Regions(np.array([0, 1, 0]), np.array([2, 1]), np.array([0, 1]))
    rules = Rules(2, regions, apart=apart_of([(0, 1)], 3))
    for solve in SOLVERS:
        assert sorted(solve(objective, rules, USUAL, SILENT).sites) == [1, 2]


def test_dead_ends_are_mended() -> None:
    """Where each region alone has room but greedy's choice does not fit, another is found."""
    # Region 0's best site 0 excludes 2 and 3 of region 1, whose other site 4 excludes 5 of
    # region 2, which has but one more, excluded by 0 too.
    matrix = np.diag([9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    objective = Objective(Coverage.from_matrix(matrix), np.ones(7))
    regions = Regions(np.array([0, 0, 1, 1, 1, 2, 2]), np.full(3, 1), np.full(3, 1))
    pairs = [(0, 2), (0, 3), (4, 5), (4, 6)]
    rules = Rules(3, regions, apart=apart_of(pairs, 7))
    for solve in SOLVERS:
        solution = solve(objective, rules, USUAL, SILENT)
        assert rules.broken_by(solution.sites) == ""
    assert greedy(objective, rules, USUAL, SILENT).value == 3.0
    # With one pair more nothing is left, and every solver says so.
    closed = Rules(3, regions, apart=apart_of([*pairs, (1, 2), (1, 3)], 7))
    assert not allowed_networks(objective, closed)
    for solve in SOLVERS:
        with pytest.raises(ProblemError, match="no network was found"):
            solve(objective, closed, USUAL, SILENT)


@pytest.mark.parametrize("solve", SOLVERS)
def test_what_cannot_be_is_said(solve: Callable[..., Solution]) -> None:
    """Too few sites in a region, too few sensors, too little money: which, and by how much."""
    objective = Objective(Coverage.from_matrix(np.eye(4)), np.ones(4))
    of = np.array([0, 0, 1, 1])
    short = Rules(4, Regions(of, np.full(2, 4), np.array([3, 0])))
    with pytest.raises(ProblemError, match=r"region 0 must have 3 sensors, and at most 2"):
        solve(objective, short, USUAL, SILENT)
    many = Rules(3, Regions(of, np.full(2, 2), np.full(2, 2)))
    with pytest.raises(ProblemError, match="regions must have 4 sensors, and there are 3"):
        solve(objective, many, USUAL, SILENT)
    prices = Prices(np.array([2.0, 3.0, 1.0, 5.0]), 2.5)
    poor = Rules(4, Regions(of, np.full(2, 2), np.full(2, 1)), prices)
    with pytest.raises(ProblemError, match="cost 3 at the least"):
        solve(objective, poor, USUAL, SILENT)


# ---------------------------------------------------------------------------- larger


def town(seed: int, n: int = 60) -> tuple[Objective, Rules]:
    """Sites of a plane in a few regions, with prices and a spacing."""
    generator = np.random.default_rng(seed)
    xy = generator.random((n, 2)) * 3_000
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    weight = generator.random(n)
    objective = Objective(
        Coverage.from_matrix(np.exp(-distance / 300)),
        weight / weight.sum(),
        generator.random(n) < 0.9,
    )
    near = np.argwhere((distance < 400) & (distance > 0))
    regions = Regions((xy[:, 0] // 1_000).astype(np.int64), np.full(3, 5), np.full(3, 2))
    prices = Prices(np.round(generator.random(n), 2), 4.0)
    return objective, Rules(12, regions, prices, apart_of(near, n))


def some_of(rules: Rules, names: tuple[str, ...]) -> Rules:
    """Some of the rules."""
    return Rules(
        rules.n,
        rules.regions if "regions" in names else None,
        rules.prices if "budget" in names else None,
        rules.apart if "spacing" in names else None,
    )


KINDS = [
    names
    for size in (1, 2, 3)
    for names in itertools.combinations(["regions", "budget", "spacing"], size)
]


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
@pytest.mark.parametrize("seed", range(3))
def test_on_real_numbers(seed: int, kinds: tuple[str, ...]) -> None:
    """With numbers that round: kept rules, and locally optimal but for the least change."""
    objective, rules = town(seed)
    rules = some_of(rules, kinds)
    solution = exchange(objective, rules, USUAL, SILENT)
    assert rules.broken_by(solution.sites) == ""
    assert solution.upper_bound >= solution.value >= greedy(objective, rules, USUAL, SILENT).value
    assert solution.value > random(objective, rules, USUAL, SILENT).value
    closed = set(np.flatnonzero(objective.usable_sites)) - set(solution.sites)
    for site in closed:
        assert rules.broken_by(np.append(solution.sites, site))
        for slot in range(len(solution.sites)):
            other = solution.sites.copy()
            other[slot] = site
            if not rules.broken_by(other):
                assert value_of(objective, other) <= solution.value * (1 + 2e-12)


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("started", [False, True])
def test_stopped_anywhere(
    solve: Callable[..., Solution],
    kinds: tuple[str, ...],
    started: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped after any report: no rule broken but what regions lack, marked, with a bound."""
    if started and solve is not exchange:
        return
    for module in (greedy_module, room_module, objective_module, swaps_module):
        monkeypatch.setattr(module, "BUDGET", 3_000)
    objective, rules = town(1, 40)
    rules = some_of(rules, kinds)
    start = random(objective, rules, USUAL, SILENT).sites if started else None
    options = Options(start=start)
    solve(objective, rules, options, SILENT)
    watcher = RecordingProgress()
    whole = solve(objective, rules, options, watcher)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(fractions) > 4
    regions = rules.regions
    lenient = Rules(
        rules.n,
        None if regions is None else Regions(regions.of, regions.most, 0 * regions.least),
        rules.prices,
        rules.apart,
    )
    for stop_after in range(1, len(fractions), max(1, len(fractions) // 80)):
        watcher = RecordingProgress(stop_after)
        stopped = solve(objective, rules, options, watcher)
        assert len(watcher.reports) <= stop_after + 1
        assert lenient.broken_by(stopped.sites) == ""
        assert stopped.stopped or not rules.broken_by(stopped.sites)
        assert stopped.value == pytest.approx(value_of(objective, stopped.sites), rel=1e-12)
        assert stopped.upper_bound >= whole.value
        if start is not None:
            assert rules.broken_by(stopped.sites) == ""
            assert stopped.value >= value_of(objective, start) * (1 - 1e-12)


def test_improve_stops_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under rules too, what has been swapped so far comes back and keeps them."""
    monkeypatch.setattr(swaps_module, "BUDGET", 500)
    objective, rules = town(2)
    sites = random(objective, rules, USUAL, SILENT).sites
    improve(objective, sites, SILENT, rules)
    watcher = RecordingProgress()
    whole, _ = improve(objective, sites, watcher, rules)
    value = 0.0
    for stop_after in range(1, len(watcher.reports), 7):
        found, stopped = improve(objective, sites, RecordingProgress(stop_after), rules)
        assert stopped
        assert rules.broken_by(found) == ""
        assert value_of(objective, found) >= value * (1 - 1e-12)
        value = value_of(objective, found)
    assert value_of(objective, whole) >= value > value_of(objective, sites)


# ---------------------------------------------------------------------------- bound


@given(data=st.data())
def test_most_worth_bounds_every_network(data: st.DataObject) -> None:
    """No allowed network has more worth; with the number or regions alone one has as much."""
    objective = data.draw(objectives(max_sites=8, some_usable=False))
    kinds = data.draw(st.sampled_from([set(), {"regions"}, None]))
    rules = data.draw(rules_for(objective, kinds))
    worth = np.array(
        data.draw(
            st.lists(st.integers(-1, 6), min_size=objective.n_sites, max_size=objective.n_sites)
        ),
        dtype=np.float64,
    )
    networks = allowed_networks(objective, rules)
    if not networks:
        return
    most = max(float(np.maximum(worth, 0.0)[sites].sum()) for sites in networks)
    assert rules.most_worth(worth) >= most * (1 - 1e-14)
    if rules.named <= {"regions"}:
        assert rules.most_worth(worth) == most


def test_bound_from_the_budget_is_tighter() -> None:
    """With a budget for two of ten equal sites, the bound is what two bring."""
    objective = Objective(Coverage.from_matrix(np.eye(10)), np.ones(10))
    rules = Rules(10, prices=Prices(np.full(10, 0.1), 0.2))
    assert greedy(objective, rules, USUAL, SILENT).upper_bound == pytest.approx(2.0, rel=1e-8)
    half = Rules(10, prices=Prices(np.full(10, 0.1), 0.25))
    assert greedy(objective, half, USUAL, SILENT).upper_bound == pytest.approx(2.5, rel=1e-8)


@pytest.mark.parametrize("solve", SOLVERS)
def test_no_bound_where_none_is_wanted(solve: Callable[..., Solution]) -> None:
    """With bound="none" the same network comes without a bound, and the last report says done."""
    objective, rules = town(0)
    watcher = RecordingProgress()
    found = solve(objective, rules, Options(bound="none"), watcher)
    assert found.upper_bound == np.inf
    assert not found.stopped
    assert found.sites.tolist() == solve(objective, rules, USUAL, SILENT).sites.tolist()
    assert (watcher.reports[-1].fraction, watcher.reports[-1].bound) == (1.0, None)


def test_apart_of_is_symmetric() -> None:
    """The lists that the tests make are what `Apart` asks for."""
    made = apart_of([(0, 2), (2, 1), (1, 1)], 3)
    assert isinstance(made, Apart)
    assert made.start.tolist() == [0, 1, 2, 4]
    assert made.site.tolist() == [2, 2, 0, 1]
