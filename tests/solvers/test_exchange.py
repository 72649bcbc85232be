"""Exchange: better than greedy, locally optimal, below the optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import as_lists, best_value, objectives, value_of

from spineq.progress import RecordingProgress, SilentProgress
from spineq.solvers import greedy as greedy_module
from spineq.solvers import objective as objective_module
from spineq.solvers import swaps as swaps_module
from spineq.solvers.coverage import Coverage
from spineq.solvers.exchange import exchange
from spineq.solvers.greedy import greedy, place
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Rules

SILENT = SilentProgress()
USUAL = Options()


@given(objective=objectives(kept=True), data=st.data())
def test_between_greedy_and_the_optimum(objective: Objective, data: st.DataObject) -> None:
    """Never below greedy, never above the brute-force optimum, and no single swap helps."""
    usable = np.flatnonzero(objective.usable_sites)
    n = data.draw(st.integers(1, len(usable)))
    solution = exchange(objective, Rules(n), USUAL, SILENT)
    assert len(set(solution.sites)) == n
    assert set(solution.sites) <= set(usable)
    assert solution.value == value_of(objective, solution.sites)
    assert (
        greedy(objective, Rules(n), USUAL, SILENT).value
        <= solution.value
        <= best_value(objective, n)
    )
    assert solution.upper_bound >= solution.value
    for slot in range(n):
        for site in set(usable) - set(solution.sites):
            other = solution.sites.copy()
            other[slot] = site
            assert value_of(objective, other) <= solution.value


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lists", [False, True])
def test_locally_optimal_on_real_numbers(seed: int, lists: bool) -> None:
    """With numbers that round, no swap improves the answer by more than the least change."""
    generator = np.random.default_rng(seed)
    xy = generator.random((60, 2)) * 3_000
    matrix = np.exp(-np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) / 300)
    weight = generator.random(60)
    coverage = as_lists(matrix, 1e-2) if lists else Coverage.from_matrix(matrix)
    objective = Objective(coverage, weight / weight.sum())
    solution = exchange(objective, Rules(8), USUAL, SILENT)
    assert solution.value >= greedy(objective, Rules(8), USUAL, SILENT).value
    for slot in range(8):
        for site in set(range(60)) - set(solution.sites):
            other = solution.sites.copy()
            other[slot] = site
            assert value_of(objective, other) <= solution.value * (1 + 2e-12)


def test_finds_what_greedy_misses() -> None:
    """On the textbook instance, where greedy's first site is a trap, swaps find the optimum."""
    # Site 0 covers most of both halves, sites 1 and 2 one half each.
    matrix = np.array([[1, 1, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], dtype=float)
    objective = Objective(Coverage.from_matrix(matrix), np.ones(6))
    assert greedy(objective, Rules(2), USUAL, SILENT).value == 5.0
    solution = exchange(objective, Rules(2), USUAL, SILENT)
    assert sorted(solution.sites) == [1, 2]
    assert solution.value == 6.0
    assert solution.upper_bound == pytest.approx(6.0, rel=1e-11)


def test_deterministic_and_in_greedy_order() -> None:
    """Twice the same answer whatever the seed, in the order in which greedy would place it."""
    generator = np.random.default_rng(4)
    objective = Objective(Coverage.from_matrix(generator.random((40, 30))), generator.random(30))
    one, two = (exchange(objective, Rules(6), Options(seed=seed), SILENT) for seed in (0, 9))
    assert one.sites.tolist() == two.sites.tolist()
    assert one.value == two.value
    usable = np.isin(np.arange(40), one.sites)
    again = place(Objective(objective.coverage, objective.weight, usable), Rules(6), SILENT)[0]
    assert again.tolist() == one.sites.tolist()


def test_stop_keeps_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after any report, it returns a network, marked, that never gets worse with time."""
    for module in (greedy_module, objective_module, swaps_module):
        monkeypatch.setattr(module, "BUDGET", 200)
    generator = np.random.default_rng(12)
    xy = generator.random((50, 2))
    matrix = np.exp(-6 * np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)))
    objective = Objective(Coverage.from_matrix(matrix), generator.random(50))
    # The transpose is made once: the first run has more to report than the later ones.
    exchange(objective, Rules(6), USUAL, SILENT)
    watcher = RecordingProgress()
    whole = exchange(objective, Rules(6), USUAL, watcher)
    assert any("swap made" in report.message for report in watcher.reports)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    value = 0.0
    for stop_after in range(1, len(fractions) - 1):
        stopped = exchange(objective, Rules(6), USUAL, RecordingProgress(stop_after))
        assert stopped.stopped
        assert stopped.value >= value
        assert stopped.value == pytest.approx(value_of(objective, stopped.sites), rel=1e-12)
        assert stopped.upper_bound >= whole.value
        value = stopped.value
    assert value == whole.value


@pytest.mark.parametrize("solve", [exchange, greedy_module.greedy])
def test_no_pass_over_the_sites_after_a_stop(
    solve: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the watcher has asked, at most one more piece of the gains is computed."""
    monkeypatch.setattr(objective_module, "BUDGET", 200)
    generator = np.random.default_rng(5)
    objective = Objective(Coverage.from_matrix(generator.random((50, 40))), generator.random(40))
    whole = RecordingProgress()
    solve(objective, Rules(6), USUAL, whole)
    gains = Objective.gains
    for stop_after in range(1, len(whole.reports)):
        watcher, late = RecordingProgress(stop_after), []

        def watched(
            self: Objective,
            *args: object,
            watcher: RecordingProgress = watcher,
            late: list[int] = late,
        ) -> None:
            late.append(len(watcher.reports) >= watcher.stop_after)
            gains(self, *args)

        with monkeypatch.context() as patch:
            patch.setattr(Objective, "gains", watched)
            solve(objective, Rules(6), USUAL, watcher)
        assert late
        assert sum(late) <= 1
