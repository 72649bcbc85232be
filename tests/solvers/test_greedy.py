"""Lazy greedy against naive greedy, and where it ends early."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import as_lists, best_value, naive_greedy, objectives, value_of

from spineq.errors import ProblemError
from spineq.progress import RecordingProgress, SilentProgress
from spineq.solvers import greedy as module
from spineq.solvers import objective as objective_module
from spineq.solvers.coverage import Coverage, straight_line
from spineq.solvers.decays import DECAYS
from spineq.solvers.greedy import greedy, in_greedy_order, place
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Rules

SILENT = SilentProgress()
USUAL = Options()


@given(objective=objectives(max_sites=12), data=st.data(), budget=st.sampled_from([1, 10**6]))
def test_lazy_is_naive(objective: Objective, data: st.DataObject, budget: int) -> None:
    """Lazy evaluation places what plain evaluation places, ties and pauses included."""
    n = data.draw(st.integers(1, int(objective.usable_sites.sum())))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BUDGET", budget)
        sites, upper_bound, stopped = place(objective, Rules(n), SILENT)
        assert upper_bound >= value_of(objective, sites)
    assert sites.tolist() == naive_greedy(objective, n)
    assert not stopped


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dense", [True, False])
def test_lazy_is_naive_on_a_grid(seed: int, dense: bool) -> None:
    """On a grid, where distances tie all the time, lazy and naive choose the same sites."""
    generator = np.random.default_rng(seed)
    xy = 100.0 * generator.integers(0, 8, (60, 2))
    coverage = straight_line(xy, xy, DECAYS["step"], 150.0, dense=dense)
    assert coverage is not None
    objective = Objective(coverage, generator.integers(0, 3, 60).astype(float))
    assert place(objective, Rules(25), SILENT)[0].tolist() == naive_greedy(objective, 25)


def test_first_site_wins_a_tie() -> None:
    """Where all sites add the same, they are taken in id order."""
    objective = Objective(Coverage.from_matrix(np.eye(7)), np.ones(7))
    assert place(objective, Rules(5), SILENT)[0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("lists", [False, True])
def test_points_without_weight(lists: bool) -> None:
    """Sensors that can add nothing are still placed, in id order."""
    matrix = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    coverage = as_lists(matrix) if lists else Coverage.from_matrix(matrix)
    nobody = Objective(coverage, np.zeros(3))
    assert place(nobody, Rules(3), SILENT)[0].tolist() == [0, 1, 2]
    one = Objective(coverage, np.array([0.0, 0.0, 2.0]))
    solution = greedy(one, Rules(2), USUAL, SILENT)
    assert solution.sites.tolist() == [2, 0]
    assert solution.value == 2.0
    assert solution.upper_bound == pytest.approx(2.0, rel=1e-11)


def test_nothing_is_covered() -> None:
    """With empty lists greedy places sensors all the same, for a value and bound of zero."""
    solution = greedy(Objective(as_lists(np.zeros((4, 3))), np.ones(3)), Rules(3), USUAL, SILENT)
    assert solution.sites.tolist() == [0, 1, 2]
    assert (solution.value, solution.upper_bound, solution.stopped) == (0.0, 0.0, False)


@given(objective=objectives())
def test_all_sites(objective: Objective) -> None:
    """With as many sensors as usable sites all of them are taken, and the bound is the value."""
    n = int(objective.usable_sites.sum())
    solution = greedy(objective, Rules(n), USUAL, SILENT)
    assert sorted(solution.sites) == np.flatnonzero(objective.usable_sites).tolist()
    assert solution.value == value_of(objective, solution.sites)
    assert solution.upper_bound == pytest.approx(solution.value, rel=1e-11)


@pytest.mark.parametrize("solve", [place, greedy])
def test_more_sensors_than_usable_sites(solve: object) -> None:
    """More sensors than sites where one may stand is an error, not an endless loop."""
    usable = np.array([True, False, True])
    objective = Objective(Coverage.from_matrix(np.eye(3)), np.ones(3), usable)
    with pytest.raises(ProblemError, match="3 sensors are more than the 2 sites"):
        solve(objective, Rules(3), *(() if solve is place else (USUAL,)), SILENT)


def test_stop_keeps_the_sensors_placed_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after any report, greedy returns a beginning of its network, marked, with a bound."""
    monkeypatch.setattr(module, "BUDGET", 30)
    monkeypatch.setattr(objective_module, "BUDGET", 30)
    generator = np.random.default_rng(2)
    objective = Objective(Coverage.from_matrix(generator.random((15, 10))), generator.random(10))
    watcher = RecordingProgress()
    whole = greedy(objective, Rules(6), USUAL, watcher)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    lengths = set()
    for stop_after in range(1, len(fractions)):
        stopped = greedy(objective, Rules(6), USUAL, RecordingProgress(stop_after))
        n = len(stopped.sites)
        lengths.add(n)
        assert stopped.sites.tolist() == whole.sites[:n].tolist()
        assert stopped.value == pytest.approx(value_of(objective, stopped.sites), rel=1e-12)
        assert stopped.upper_bound >= whole.value
        assert stopped.stopped or (n == 6 and stop_after >= len(fractions) - 2)
    assert {0, 2, 6} <= lengths


@given(objective=objectives(), data=st.data())
def test_greedy_order_of_given_sites(objective: Objective, data: st.DataObject) -> None:
    """Sites are sorted as greedy restricted to them would place them."""
    marks = data.draw(
        st.lists(st.booleans(), min_size=objective.n_sites, max_size=objective.n_sites)
    )
    sites = np.flatnonzero(marks)
    restricted = Objective(objective.coverage, objective.weight, np.array(marks))
    order, stopped = in_greedy_order(objective, sites, SILENT)
    assert order.tolist() == naive_greedy(restricted, len(sites))
    assert not stopped
    # Stopped before the first gain is known, the sites stay as they are.
    same, stopped = in_greedy_order(objective, sites, RecordingProgress(stop_after=1))
    assert same.tolist() == sites.tolist()
    assert stopped


@given(objective=objectives(), data=st.data())
def test_bound_of_a_stopped_run_is_one(objective: Objective, data: st.DataObject) -> None:
    """The bound that greedy has in hand when it is stopped is never below the best network."""
    n = data.draw(st.integers(1, int(objective.usable_sites.sum())))
    best = best_value(objective, n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BUDGET", 10)
        patch.setattr(objective_module, "BUDGET", 10)
        for stop_after in range(1, 9):
            placed = place(objective, Rules(n), RecordingProgress(stop_after))
            assert placed.upper_bound >= best
            assert (placed.upper_bound == np.inf) <= (len(placed.sites) == 0)


@given(objective=objectives(max_sites=12), data=st.data(), budget=st.sampled_from([1, 10**6]))
def test_going_on_is_starting_over(objective: Objective, data: st.DataObject, budget: int) -> None:
    """From what was placed for any other number, greedy goes on to the same answer."""
    n_usable = int(objective.usable_sites.sum())
    n = data.draw(st.integers(1, n_usable))
    earlier = place(objective, Rules(data.draw(st.integers(1, n_usable))), SILENT).sites
    whole = greedy(objective, Rules(n), USUAL, SILENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BUDGET", budget)
        resumed = greedy(objective, Rules(n), USUAL, SILENT, earlier)
    assert resumed.sites.tolist() == whole.sites.tolist() == naive_greedy(objective, n)
    assert (resumed.value, resumed.upper_bound) == (whole.value, whole.upper_bound)
    assert not resumed.stopped


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("decay", ["step", "exponential"])
def test_going_on_with_broken_numbers(seed: int, dense: bool, decay: str) -> None:
    """On a grid, where sums are rounded and gains tie, the answers agree to the last bit."""
    generator = np.random.default_rng(seed)
    xy = 100.0 * generator.integers(0, 8, (60, 2))
    coverage = straight_line(xy, xy, DECAYS[decay], 70.0, dense=dense)
    assert coverage is not None
    weight = generator.random(60)
    objective = Objective(coverage, weight / weight.sum(), generator.random(60) < 0.8)
    for n in (1, 7, 25, 40):
        whole = greedy(objective, Rules(n), USUAL, SILENT)
        for k in (1, 6, 24, 40):
            earlier = place(objective, Rules(k), SILENT).sites
            resumed = greedy(objective, Rules(n), USUAL, SILENT, earlier)
            assert resumed.sites.tolist() == whole.sites.tolist()
            assert (resumed.value, resumed.upper_bound) == (whole.value, whole.upper_bound)


@given(objective=objectives(max_sites=12), data=st.data())
def test_bound_of_placing_is_never_below_the_certificate(
    objective: Objective, data: st.DataObject
) -> None:
    """Without the bound that placing leaves, the certificate is no worse, but for rounding."""
    n = data.draw(st.integers(1, int(objective.usable_sites.sum())))
    weight = data.draw(
        st.lists(st.floats(0, 9), min_size=len(objective.weight), max_size=len(objective.weight))
    )
    broken = Objective(objective.coverage, np.array(weight), objective.usable)
    for asked in (objective, broken):
        known = place(asked, Rules(n), SILENT).upper_bound
        assert greedy(asked, Rules(n), USUAL, SILENT).upper_bound <= known * (1 + 1e-13)


@pytest.mark.parametrize("floor", [0.0, 1e-4])
def test_bound_of_placing_in_lists(floor: float) -> None:
    """The same where pairs were cut off, each point counting as covered to the cut-off."""
    generator = np.random.default_rng(3)
    matrix = generator.random((40, 300)) ** 8
    for n in (1, 5, 20, 40):
        objective = Objective(as_lists(matrix, floor), generator.random(300))
        known = place(objective, Rules(n), SILENT).upper_bound
        assert greedy(objective, Rules(n), USUAL, SILENT).upper_bound <= known * (1 + 1e-13)


def test_starts_that_greedy_cannot_have_placed() -> None:
    """A site that is none, is not usable, or comes twice is refused before a kernel sees it."""
    objective = Objective(
        Coverage.from_matrix(np.eye(3)), np.ones(3), np.array([True, False, True])
    )
    for start in ([3], [-1], [1]):
        with pytest.raises(ProblemError, match=f"no sensor may stand at {start[0]}"):
            place(objective, Rules(2), SILENT, np.array(start))
    with pytest.raises(ProblemError, match="named twice"):
        place(objective, Rules(2), SILENT, np.array([2, 2]))


def test_stopped_while_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after any report, what was there and what came to it is returned, marked."""
    monkeypatch.setattr(module, "BUDGET", 30)
    monkeypatch.setattr(objective_module, "BUDGET", 30)
    generator = np.random.default_rng(2)
    objective = Objective(Coverage.from_matrix(generator.random((15, 10))), generator.random(10))
    start = place(objective, Rules(3), SILENT).sites
    watcher = RecordingProgress()
    whole = greedy(objective, Rules(6), USUAL, watcher, start)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    lengths = set()
    for stop_after in range(1, len(fractions) - 2):
        stopped = greedy(objective, Rules(6), USUAL, RecordingProgress(stop_after), start)
        lengths.add(len(stopped.sites))
        assert stopped.stopped
        assert stopped.sites.tolist() == whole.sites[: len(stopped.sites)].tolist()
        assert stopped.upper_bound >= whole.value
    assert lengths >= {3, 6}
