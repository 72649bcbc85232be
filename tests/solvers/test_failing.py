"""Sensors that may fail, against every choice of sensors and of those that fail."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solvers.instances import (
    NOWHERE,
    allowed_networks,
    as_lists,
    as_matrix,
    matrices,
    objectives,
    rules_for,
)

from spineq.errors import ProblemError
from spineq.progress import RecordingProgress, SilentProgress
from spineq.solvers import failing_books, failing_named, failing_version
from spineq.solvers.coverage import Coverage
from spineq.solvers.failing import DEPTHS, depth_named, failing
from spineq.solvers.failing_books import Books, Chances, rank_weights, ranks_for
from spineq.solvers.failing_bound import Ranks
from spineq.solvers.failing_networks import FailingSearch, improved
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Regions, Rules

PROBABILITIES = st.sampled_from([1e-9, 0.05, 0.2, 0.5, 0.8])


def expected(rows: np.ndarray, weight: np.ndarray, p: float) -> float:
    """Mean over all sets of sensors that fail, of rows (sensor, point)."""
    total = 0.0
    for works in itertools.product([False, True], repeat=len(rows)):
        chance = (1.0 - p) ** sum(works) * p ** (len(rows) - sum(works))
        covered = rows[list(works)].max(axis=0, initial=0.0)
        total += chance * float(weight @ covered)
    return total


def by_rank(rows: np.ndarray, weight: np.ndarray, p: float) -> float:
    """The same by its formula, which is quicker."""
    falling = -np.sort(-rows, axis=0)
    return float(weight @ (rank_weights(p, len(rows)) @ falling)) if len(rows) else 0.0


def standing_of(rows: np.ndarray, p: float) -> np.ndarray:
    """Coverage by rank, (point, rank), of sensors that stay, (sensor, point)."""
    ranks = ranks_for(p, len(rows)) if len(rows) else 0
    return -np.sort(-rows, axis=0).T[:, :ranks].copy()


@st.composite
def instances(draw: st.DrawFn, ruled: bool = False) -> tuple[Objective, Rules, Chances, np.ndarray]:
    """An objective, rules, chances, and the rows of sensors that stay."""
    objective = draw(objectives(max_sites=8))
    n_points = objective.coverage.n_points
    row = st.lists(st.integers(0, 6), min_size=n_points, max_size=n_points)
    kept = np.array(draw(st.lists(row, max_size=3)), dtype=np.float64).reshape(-1, n_points)
    p = draw(PROBABILITIES)
    n = draw(st.integers(1, min(4, int(objective.usable_sites.sum()))))
    rules = replace(draw(rules_for(objective)), n=n) if ruled else Rules(n)
    return objective, rules, Chances(p, standing_of(kept, p), len(kept)), kept


def value_of(objective: Objective, sites: np.ndarray, kept: np.ndarray, p: float) -> float:
    """What a network is expected to cover, with those that stay."""
    rows = np.vstack([as_matrix(objective.coverage)[list(sites)], kept])
    return by_rank(rows, objective.weight, p)


def best_of(objective: Objective, rules: Rules, kept: np.ndarray, p: float) -> float:
    """The most that an allowed network is expected to cover; minus infinity without one."""
    networks = allowed_networks(objective, rules)
    return max((value_of(objective, sites, kept, p) for sites in networks), default=-np.inf)


@settings(max_examples=60)
@given(instances(), st.data())
def test_books_are_the_mean_over_all_failures(
    made: tuple[Objective, Rules, Chances, np.ndarray], data: st.DataObject
) -> None:
    """Value and gains, by matrix and by lists, are those of every set of sensors that fail."""
    objective, _, chances, kept = made
    n_sites, p = objective.n_sites, chances.probability
    some = data.draw(st.lists(st.integers(0, n_sites - 1), max_size=4, unique=True))
    sites, matrix = np.array(some, dtype=np.int64), as_matrix(objective.coverage)
    books = Books(objective, Rules(n_sites), chances)
    rows = np.vstack([matrix[sites], kept])
    whole = expected(rows, objective.weight, p)
    assert books.value(sites) == pytest.approx(whole, abs=1e-11)
    assert by_rank(rows, objective.weight, p) == pytest.approx(whole, abs=1e-11)
    gains = np.zeros(n_sites)
    for _ in books.gains(books.of(sites), objective.usable_sites, gains):
        pass
    for site in range(n_sites):
        more = expected(np.vstack([rows, matrix[[site]]]), objective.weight, p) - whole
        if objective.usable_sites[site]:
            assert gains[site] == pytest.approx(more, abs=1e-11)
            assert books.gain(books.of(sites), site) == gains[site]
        else:
            assert gains[site] == -1.0


@settings(max_examples=50)
@given(instances())
def test_greedy_is_plain_greedy(made: tuple[Objective, Rules, Chances, np.ndarray]) -> None:
    """Lazy evaluation places what looking at every site each time does, but for rounding."""
    objective, rules, chances, kept = made
    solution = failing(
        objective, rules, Options(), SilentProgress(), chances=chances, depth="greedy"
    )
    assert len(solution.sites) == rules.n
    for k in range(rules.n):
        before = value_of(objective, solution.sites[:k], kept, chances.probability)
        adds = [
            value_of(objective, np.append(solution.sites[:k], site), kept, chances.probability)
            for site in np.flatnonzero(objective.usable_sites)
            if site not in solution.sites[:k]
        ]
        mine = value_of(objective, solution.sites[: k + 1], kept, chances.probability)
        assert mine >= before - 1e-11
        assert mine == pytest.approx(max(adds), abs=1e-10)


@settings(max_examples=60)
@given(
    instances(ruled=False) | instances(ruled=True), st.sampled_from(sorted(set(DEPTHS.values())))
)
def test_the_bound_holds_for_every_allowed_network(
    made: tuple[Objective, Rules, Chances, np.ndarray], depth: str
) -> None:
    """With regions, budget, spacing, forbidden sites and sensors that stay."""
    objective, rules, chances, kept = made
    p, best = chances.probability, best_of(objective, rules, kept, chances.probability)
    try:
        found = failing(objective, rules, Options(), SilentProgress(), chances=chances, depth=depth)
    except ProblemError:
        # Greedy has its ways only, and may miss a network where minima meet spacing or prices.
        assert best == -np.inf or rules.regions is not None
        return
    assert not rules.broken_by(found.sites)
    assert objective.usable_sites[found.sites].all()
    assert found.value == pytest.approx(value_of(objective, found.sites, kept, p), abs=1e-10)
    assert found.value <= best + 1e-10
    assert found.upper_bound >= best * (1.0 - 1e-12) - 1e-12
    if not rules.named:
        stands = by_rank(kept, objective.weight, p)
        assert found.value - stands >= (1.0 - np.exp(-1.0)) * (best - stands) - 1e-10
    if depth == "lagrangian":
        # Swaps end where no swap helps.
        for slot, site in itertools.product(range(len(found.sites)), range(objective.n_sites)):
            other = found.sites.copy()
            other[slot] = site
            if objective.usable_sites[site] and not rules.broken_by(other):
                assert value_of(objective, other, kept, p) <= found.value * (1 + 1e-11) + 1e-11


@settings(max_examples=40)
@given(instances(), st.data())
def test_any_multipliers_make_a_bound(
    made: tuple[Objective, Rules, Chances, np.ndarray], data: st.DataObject
) -> None:
    """From whatever network they begin, at every step, and with fewer ranks than sensors too."""
    objective, rules, chances, kept = made
    books = Books(objective, rules, chances)
    some = data.draw(st.lists(st.integers(0, objective.n_sites - 1), max_size=4, unique=True))
    ranks = Ranks(books, data.draw(st.integers(1, 4)))
    for _ in ranks.open():
        pass
    ranks.begin(books.of(np.array(some, dtype=np.int64)))
    ranks.restart(1.0, 0.0)
    best = best_of(objective, rules, kept, chances.probability)
    for _ in range(5):
        for _ in ranks.step(-np.inf, 2, 0.005):
            pass
        assert ranks.bound >= best * (1.0 - 1e-12) - 1e-12


@settings(max_examples=40)
@given(matrices(max_sites=7), st.integers(1, 3), PROBABILITIES, st.sampled_from([1.0, 3.0]))
def test_pairs_that_are_cut_off_are_bounded_too(
    matrix: np.ndarray, n: int, p: float, floor: float
) -> None:
    """No network by the whole matrix exceeds a bound by lists that end at a floor."""
    n = min(n, len(matrix))
    weight = np.ones(matrix.shape[1])
    chances = Chances(p, np.zeros((matrix.shape[1], 0)))
    cut, whole = as_lists(matrix, floor), Objective(Coverage.from_matrix(matrix), weight)
    best = best_of(whole, Rules(n), np.zeros((0, matrix.shape[1])), p)
    for bound in ("quick", "tight"):
        found = failing(
            Objective(cut, weight),
            Rules(n),
            Options(bound=bound),
            SilentProgress(),
            chances=chances,
        )
        assert found.upper_bound >= best * (1.0 - 1e-12)


def scattered(n: int = 60, *, lists: bool = False, seed: int = 3) -> Objective:
    """Sites on a plane, each a point."""
    rng = np.random.default_rng(seed)
    xy = rng.random((n, 2))
    matrix = np.exp(-10.0 * np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(axis=2)))
    weight = rng.random(n)
    coverage = as_lists(matrix, 1e-3) if lists else Coverage.from_matrix(matrix)
    return Objective(coverage, weight / weight.sum())


NONE_STAY = np.zeros((60, 0))


@pytest.mark.parametrize("p", [0.05, 0.3, 0.7])
def test_more_ranks_than_multipliers(p: float) -> None:
    """With more sensors than ranks have multipliers the bound is near, and many ranks agree."""
    objective, rules, chances = scattered(), Rules(14), Chances(p, NONE_STAY)
    found = failing(objective, rules, Options(), SilentProgress(), chances=chances)
    assert found.value <= found.upper_bound <= found.value * (1.01 if p < 0.5 else 1.05)
    assert found.value == pytest.approx(
        by_rank(as_matrix(objective.coverage)[found.sites], objective.weight, p), abs=1e-12
    )
    quick = failing(objective, rules, Options(bound="quick"), SilentProgress(), chances=chances)
    assert quick.upper_bound >= found.upper_bound
    none = failing(objective, rules, Options(bound="none"), SilentProgress(), chances=chances)
    assert none.upper_bound == np.inf
    assert none.value <= found.value + 1e-15
    other = failing(
        scattered(lists=True), rules, Options(bound="tight"), SilentProgress(), chances=chances
    )
    assert other.value <= found.upper_bound
    assert other.upper_bound >= found.value


@pytest.mark.parametrize("depth", ["greedy", "exchange", "lagrangian"])
@pytest.mark.parametrize("lists", [False, True])
def test_a_stop_is_obeyed_at_once(depth: str, lists: bool) -> None:
    """Wherever it comes: nothing is asked after it but once, and the best so far is the answer."""
    objective, rules, chances = scattered(lists=lists), Rules(6), Chances(0.2, NONE_STAY)
    whole = RecordingProgress()
    answer = failing(objective, rules, Options(effort=0.1), whole, chances=chances, depth=depth)
    fractions = [each.fraction for each in whole.reports]
    assert fractions == sorted(fractions)
    assert 0.0 <= fractions[0] <= fractions[-1] <= 1.0
    assert not answer.stopped
    step = max(1, len(fractions) // 40)
    for stop_after in range(1, len(fractions), step):
        # Anew, since a transposed matrix is kept and takes no reports the second time.
        objective, watcher = scattered(lists=lists), RecordingProgress(stop_after)
        found = failing(
            objective, rules, Options(effort=0.1), watcher, chances=chances, depth=depth
        )
        assert found.stopped
        assert len(watcher.reports) <= stop_after + 1
        assert not rules.broken_by(found.sites)
        assert found.upper_bound >= answer.value * (1 - 1e-12)
        assert found.value <= found.upper_bound


def test_the_same_again() -> None:
    """Bit for bit; and a start that is better than all else is taken."""
    objective, rules, chances = scattered(), Rules(6), Chances(0.2, NONE_STAY)
    one, other = (
        failing(objective, rules, Options(), SilentProgress(), chances=chances) for _ in range(2)
    )
    assert one.sites.tolist() == other.sites.tolist()
    assert (one.value, one.upper_bound) == (other.value, other.upper_bound)
    again = failing(
        objective, rules, Options(start=one.sites), SilentProgress(), chances=chances,
        depth="exchange",
    )  # fmt: skip
    assert again.value >= one.value * (1 - 1e-12)
    near = failing(objective, rules, Options(gap_limit=0.5), SilentProgress(), chances=chances)
    assert near.upper_bound >= one.value


def test_swaps_end_with_the_work_that_may_be_done() -> None:
    """However small the effort, the network is whole and the bound is one."""
    objective, chances = scattered(), Chances(0.2, NONE_STAY)
    search = FailingSearch(Books(objective, Rules(6), chances), Options(), SilentProgress())
    search.most_work = 0
    assert improved(search, np.arange(6)).tolist() == list(range(6))
    found = failing(objective, Rules(6), Options(effort=1e-6), SilentProgress(), chances=chances)
    assert len(found.sites) == 6
    assert np.isfinite(found.upper_bound)


def test_without_a_usable_network() -> None:
    """Too many sensors, and regions that cannot be served, are refused with the reason."""
    objective, chances = scattered(), Chances(0.2, NONE_STAY)
    with pytest.raises(ProblemError, match="61 sensors are more than the 60 sites") as refused:
        failing(objective, Rules(61), Options(), SilentProgress(), chances=chances)
    assert refused.value.field == "n_sensors"
    region = Regions(np.zeros(60, dtype=np.int64), np.array([9]), np.array([8]))
    for depth in ("greedy", "exchange"):
        with pytest.raises(ProblemError, match="must have 8 sensors"):
            failing(
                objective, Rules(5, region), Options(), SilentProgress(), chances=chances,
                depth=depth,
            )  # fmt: skip
    with pytest.raises(ProblemError, match="breaks a rule"):
        failing(objective, Rules(1), Options(start=np.arange(2)), SilentProgress(), chances=chances)
    for p in (0.0, 1.0, -1.0):
        with pytest.raises(ProblemError, match="out of range"):
            Chances(p, NONE_STAY)


def test_books_that_would_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before memory is taken."""
    monkeypatch.setattr(failing_books, "_MOST_HELD", 60 * 5)
    Books(scattered(), Rules(4), Chances(0.9, NONE_STAY))
    with pytest.raises(ProblemError, match="6 sensors matter to each of 60 points") as refused:
        Books(scattered(), Rules(5), Chances(0.9, NONE_STAY))
    assert refused.value.field == "failure_probability"


def test_ranks_that_matter() -> None:
    """As many as may all fail with a chance that changes no digit."""
    assert ranks_for(0.0, 9) == 1
    assert ranks_for(0.5, 9) == 9
    assert ranks_for(0.5, 99) == 60
    assert ranks_for(0.999, 10**6) > 40_000
    assert rank_weights(0.25, 3).tolist() == [0.75, 0.1875, 0.046875]
    assert rank_weights(0.5, 70).sum() == pytest.approx(1.0)


def test_methods() -> None:
    """Auto ends after the swaps where no tight bound is wanted; the others are refused."""
    assert depth_named("auto") == "lagrangian"
    assert depth_named("auto", "tight") == "lagrangian"
    assert depth_named("auto", "quick") == depth_named("auto", "none") == "exchange"
    assert depth_named("greedy") == "greedy"
    for name in ("milp", "branch_bound", "random"):
        with pytest.raises(ProblemError, match="cannot honour that sensors may fail") as refused:
            depth_named(name)
        assert refused.value.field == "method"
        assert '"lagrangian"' in refused.value.mend
    name, method = failing_named("auto", None, Chances(0.1, NONE_STAY))
    assert name == "lagrangian"
    assert failing_version("auto", None) == f"failing-lagrangian-{method.version}"
    found = method.solve(scattered(), Rules(3), Options(effort=0.1), SilentProgress())
    assert len(found.sites) == 3
    assert len(NOWHERE) == 0
