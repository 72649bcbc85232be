"""The relaxation: its inner problem is exact, its bound valid, and its fixing safe."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import matrices, objectives, value_of

from spineq.solvers import _kernels, threads
from spineq.solvers import relaxation as module
from spineq.solvers._kernels.choose import BUDGET, PLAIN, REGIONS
from spineq.solvers.coverage import straight_line
from spineq.solvers.decays import DECAYS
from spineq.solvers.objective import Objective
from spineq.solvers.relaxation import Relaxation
from spineq.solvers.rules import Rules

N_SITES = 7


@st.composite
def inner_problems(draw: st.DrawFn) -> tuple:
    """Worths, states and limits of an inner problem over a few sites."""
    whole = st.integers(0, 6)
    many = {"min_size": N_SITES, "max_size": N_SITES}
    rho = np.array(draw(st.lists(whole, **many)), dtype=np.float64)
    state = np.array(draw(st.lists(st.sampled_from([0, 0, 0, 0, 1, -1]), **many)), dtype=np.int8)
    kind = draw(st.sampled_from([PLAIN, REGIONS, BUDGET]))
    n_regions = 1 if kind == PLAIN else draw(st.integers(1, 3))
    region = np.array(draw(st.lists(st.integers(0, n_regions - 1), **many)))
    least = np.array(draw(st.lists(st.integers(0, 2), min_size=n_regions, max_size=n_regions)))
    most = least + np.array(
        draw(st.lists(st.integers(0, 3), min_size=n_regions, max_size=n_regions))
    )
    if kind == PLAIN:
        least, most = np.array([0]), np.array([N_SITES])
    n = draw(st.integers(1, N_SITES)) if kind != BUDGET else N_SITES
    cost = np.array(draw(st.lists(whole, **many)), dtype=np.float64)
    budget = float(draw(st.integers(0, 20)))
    return kind, rho, state, n, region, most, least, cost, budget


def allowed_sets(problem: tuple) -> list[frozenset[int]]:
    """All sets of sites that an inner problem allows."""
    kind, rho, state, n, region, most, least, cost, budget = problem
    able = [i for i in range(len(rho)) if state[i] >= 0]
    must = {i for i in range(len(rho)) if state[i] == 1}
    made = []
    for size in range(len(able) + 1):
        for sites in itertools.combinations(able, size):
            count = np.bincount(region[list(sites)], minlength=len(most))
            if must <= set(sites) and size <= n:
                within = ((count <= most) & (count >= least)).all()
                affordable = kind != BUDGET or cost[list(sites)].sum() <= budget
                if (kind == PLAIN or within) and affordable:
                    made.append(frozenset(sites))
    return made


def best(sets: list[frozenset[int]], rho: np.ndarray) -> float:
    """Largest worth of a set; minus infinity where there is none."""
    return max((float(rho[list(sites)].sum()) for sites in sets), default=-np.inf)


@given(problem=inner_problems())
def test_the_choice_is_the_best_and_its_falls_are_exact(problem: tuple) -> None:
    """Without a budget exact, falls too; with one a bound, and falls that are not too large."""
    kind, rho, state, n, region, most, least, cost, budget = problem
    limits = region, most, least, cost, budget
    chosen = np.zeros(N_SITES, dtype=np.bool_)
    total, mu = _kernels.choose(kind, rho, state, n, *limits, chosen)
    sets = allowed_sets(problem)
    truth = best(sets, rho)
    if kind == BUDGET:
        assert total >= truth - 1e-9
    else:
        assert total == truth
    if not sets:
        return
    if kind != BUDGET:
        assert frozenset(np.flatnonzero(chosen).tolist()) in sets
    fall = np.zeros(N_SITES)
    _kernels.falls(kind, rho, state, n, *limits, chosen, mu, fall)
    for i in np.flatnonzero(state == 0):
        turned = best([sites for sites in sets if (i in sites) != chosen[i]], rho)
        if kind == BUDGET:
            assert total - fall[i] >= turned - 1e-6
        else:
            assert total - fall[i] == turned


def relaxation_of(objective: Objective, rules: Rules, v: np.ndarray) -> Relaxation:
    """Relaxation looked at with multipliers of our own."""
    made = Relaxation(objective, rules)
    for _ in made.open():
        pass
    made.begin(np.empty(0, dtype=np.int64))
    made.best_v = np.maximum(v, made.lowest)
    made.restart(1.0, 0.0)
    return made


@given(objective=objectives(max_sites=7), data=st.data())
def test_any_multipliers_bound_every_network(objective: Objective, data: st.DataObject) -> None:
    """The bound holds wherever the multipliers are; fixing and reducing lose nothing better."""
    usable = np.flatnonzero(objective.usable_sites)
    n = data.draw(st.integers(1, len(usable)))
    base = data.draw(st.none() | matrices(1).map(lambda matrix: matrix[0]))
    if base is not None:
        base = np.resize(base, objective.coverage.n_points)
        objective = Objective(objective.coverage, objective.weight, objective.usable, base)
    points = objective.coverage.n_points
    v = np.array(
        data.draw(st.lists(st.floats(0, 7), min_size=points, max_size=points)), dtype=np.float64
    )
    networks = list(itertools.combinations(usable, n))
    values = {sites: _value(objective, sites) for sites in networks}
    relaxation = relaxation_of(objective, Rules(n), v)
    bound = relaxation.look()
    assert bound >= max(values.values()) - 1e-9
    target = data.draw(st.sampled_from(sorted(set(values.values()))))
    if bound <= target:
        return
    relaxation.fix(target + 1e-9)
    for _ in relaxation.reduce(target + 1e-9):
        pass
    better = [set(sites) for sites in networks if values[sites] > target + 1e-6]
    if relaxation.impossible:
        assert not better
    for network in better:
        opened = set(relaxation.sites[relaxation.state == 1])
        left = set(relaxation.sites[relaxation.state >= 0])
        assert opened <= network <= left
    if better:
        # In what is left, the bound still holds for them.
        relaxation.best_v = np.maximum(v, relaxation.lowest)
        best_left = max(values[tuple(sorted(network))] for network in better)
        assert relaxation.look() >= best_left - 1e-6


def _value(objective: Objective, sites: tuple[int, ...]) -> float:
    if objective.base is None:
        return value_of(objective, sites)
    return objective.value(objective.covered_by(np.array(sites, dtype=np.int64)))


@pytest.mark.parametrize("seed", range(5))
def test_cliques_part_the_sites(seed: int) -> None:
    """Every site is in one clique, and members of a clique are all too near to each other."""
    generator = np.random.default_rng(seed)
    near = generator.random((30, 30)) < 0.5
    near = np.triu(near, 1) | np.triu(near, 1).T
    start = np.concatenate([[0], np.cumsum(near.sum(axis=1))])
    usable = generator.random(30) < 0.8
    clique = _kernels.cliques(start, np.nonzero(near)[1], usable)
    assert (clique >= 0).all()
    assert len(set(clique)) == clique.max() + 1 < 30
    for i, j in itertools.combinations(range(30), 2):
        if clique[i] == clique[j]:
            assert near[i, j]
            assert usable[i]
            assert usable[j]


def places_of_towns(seed: int, n: int) -> np.ndarray:
    """Random places in a few clusters, metres."""
    generator = np.random.default_rng(seed)
    towns = generator.random((4, 2)) * 8_000
    return towns[generator.integers(0, 4, n)] + generator.normal(0, 600, (n, 2))


def objective_in_towns(kind: str) -> Objective:
    """Lists over some hundred places: of points as sites, of other sites, or with a base."""
    points = places_of_towns(1, 400)
    sites = points if kind == "same places" else places_of_towns(2, 300)
    coverage = straight_line(sites, points, DECAYS["exponential"], 500.0, dense=False, cutoff=0.01)
    assert coverage is not None
    weight = np.random.default_rng(3).random(len(points))
    usable = base = None
    if kind == "some usable":
        usable = np.arange(len(sites)) % 5 > 0
        base = np.where(np.arange(len(points)) % 7 == 0, 0.3, 0.0)
    return Objective(coverage, weight / weight.sum(), usable, base)


def descended(objective: Objective, steps: int) -> tuple[Relaxation, list[float]]:
    """Relaxation after some steps, a reduction and some steps more; bounds on the way."""
    relaxation = Relaxation(objective, Rules(12))
    for _ in relaxation.open():
        pass
    relaxation.begin(np.flatnonzero(objective.usable_sites)[:12])
    bounds = []
    for _ in range(2):
        relaxation.restart(1.0, 0.5)
        while relaxation.steps < steps and not relaxation.ascend(7, 0.0, 25, 1e-9):
            bounds.append(relaxation.bound)
        bounds.append(relaxation.look())
        target = 0.9 * bounds[-1]
        relaxation.fix(target)
        for _ in relaxation.reduce(target):
            pass
    return relaxation, bounds


@pytest.mark.parametrize("kind", ["same places", "other sites", "some usable"])
def test_large_instances_take_the_steps_of_small_ones(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pieces or in one go, the first steps are the same but for rounding."""
    small, bounds = descended(objective_in_towns(kind), 40)
    assert small._passes is None
    # From a few pairs on an instance is a large one, and is always written anew.
    monkeypatch.setattr(module, "LARGE", 100)
    monkeypatch.setattr(module, "_WORTH_WRITING", 1.0)
    large, others = descended(objective_in_towns(kind), 40)
    assert large._passes is not None
    assert (large.steps, large.n_pairs) == (small.steps, small.n_pairs)
    np.testing.assert_allclose(others, bounds, rtol=1e-9)
    np.testing.assert_allclose(large.v, small.v, rtol=1e-6, atol=1e-9)
    assert large.primal == pytest.approx(small.primal, rel=1e-9)
    np.testing.assert_array_equal(large.sites, small.sites)
    np.testing.assert_array_equal(large.state, small.state)


def test_steps_are_the_same_on_any_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """One, two or three threads: every bit is the same."""
    monkeypatch.setattr(module, "LARGE", 100)
    objective = objective_in_towns("same places")
    made = []
    for number in (1, 2, 3):
        monkeypatch.setattr(threads, "threads", lambda number=number: number)
        relaxation, bounds = descended(objective, 60)
        made.append((bounds, relaxation.v.tolist(), relaxation.rho.tolist(), relaxation.work))
    assert made[0] == made[1] == made[2]


def test_large_instances_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The relaxation takes the lists as they are, and keeps them where most pairs are left."""
    monkeypatch.setattr(module, "LARGE", 100)
    objective = objective_in_towns("same places")
    relaxation = relaxation_of(objective, Rules(12), np.zeros(400))
    assert relaxation._value is objective.coverage.value
    bound = relaxation.look()
    relaxation.fix(0.0)
    for _ in relaxation.reduce(0.0):
        pass
    assert relaxation._value is objective.coverage.value
    assert relaxation.look() == bound
