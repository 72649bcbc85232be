"""The objective's laws, and its bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import (
    NOWHERE,
    as_lists,
    best_value,
    matrices,
    objectives,
    value_of,
)

from spineq.errors import ProblemError
from spineq.progress import RecordingProgress, SilentProgress
from spineq.solvers import objective as module
from spineq.solvers.coverage import Coverage
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Rules


def subset(draw_from: st.DataObject, n: int) -> np.ndarray:
    """Draw a set of the numbers below ``n``, sorted."""
    marks = draw_from.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.flatnonzero(marks).astype(np.int64)


@given(objective=objectives(kept=True), data=st.data())
def test_monotone_and_submodular(objective: Objective, data: st.DataObject) -> None:
    """More sensors never cover less, and one more adds less the more there are."""
    small = subset(data, objective.n_sites)
    large = np.union1d(small, subset(data, objective.n_sites))
    site = data.draw(st.integers(0, objective.n_sites - 1))
    with_small, with_large = objective.covered_by(small), objective.covered_by(large)
    assert objective.value(with_small) <= objective.value(with_large)
    assert objective.gain(with_small, site) >= objective.gain(with_large, site) >= 0
    more = np.append(small, site)
    gained = objective.value(objective.covered_by(more)) - objective.value(with_small)
    assert objective.gain(with_small, site) == gained
    assert objective.value(with_small) == value_of(objective, small)


@given(objective=objectives(kept=True), data=st.data())
def test_gains_of_all_are_the_gains_of_each(objective: Objective, data: st.DataObject) -> None:
    """The pass over all sites gives each site's own gain, and 0 where none may stand."""
    covered = objective.covered_by(subset(data, objective.n_sites))
    gains = np.full(objective.n_sites, -7.0)
    for low, high in objective.blocks():
        objective.gains(covered, gains, low, high)
    for site, usable in enumerate(objective.usable_sites):
        assert gains[site] == (objective.gain(covered, site) if usable else 0.0)


@given(objective=objectives(max_sites=9, kept=True), data=st.data())
def test_bound_is_never_below_the_optimum(objective: Objective, data: st.DataObject) -> None:
    """No set of so many usable sites exceeds the bound, whichever sites it is taken from."""
    n = data.draw(st.integers(1, int(objective.usable_sites.sum())))
    sites = subset(data, objective.n_sites)
    best = best_value(objective, n)
    assert objective.upper_bound(sites, Rules(n)) >= best
    covered = objective.covered_by(sites)
    gains = np.zeros(objective.n_sites)
    objective.gains(covered, gains, 0, objective.n_sites)
    assert objective.bound_by(objective.value(covered), gains, Rules(n)) >= best
    # What is known already is never made worse, and what asks for a stop learns it at once.
    assert objective.bound(covered, Rules(n), SilentProgress(), known=best) == (best, False)


@given(matrix=matrices(), data=st.data(), floor=st.sampled_from([1.0, 2.0, 4.0]))
def test_bound_holds_for_what_was_cut_off(
    matrix: np.ndarray, data: st.DataObject, floor: float
) -> None:
    """A bound from cut lists is none the less above the optimum of the whole matrix."""
    n_sites, n_points = matrix.shape
    weight = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=n_points, max_size=n_points)), dtype=float
    )
    n = data.draw(st.integers(1, n_sites))
    cut = Objective(as_lists(matrix, floor), weight)
    best = best_value(Objective(Coverage.from_matrix(matrix), weight), n)
    sites = subset(data, n_sites)
    assert cut.upper_bound(sites, Rules(n)) >= best
    covered, gains = cut.covered_by(sites), np.zeros(n_sites)
    cut.gains(covered, gains, 0, n_sites)
    assert cut.bound_by(cut.value(covered), gains, Rules(n)) >= best


def test_bound_is_tight_where_it_can_be() -> None:
    """With sites that share no point the bound is the optimum, within its slack."""
    objective = Objective(Coverage.from_matrix(np.diag([3.0, 2.0, 1.0])), np.ones(3))
    assert objective.upper_bound(NOWHERE, Rules(2)) == pytest.approx(5.0, rel=1e-11)
    assert objective.upper_bound(NOWHERE, Rules(2)) >= 5.0


@pytest.mark.parametrize("stop_after", range(1, 20))
def test_bound_stopped_at_any_report_is_a_bound(
    stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the watcher stops it, what comes back is a bound and says if it was cut short."""
    monkeypatch.setattr(module, "BUDGET", 12)
    generator = np.random.default_rng(3)
    objective = Objective(Coverage.from_matrix(generator.random((6, 6))), generator.random(6))
    covered = objective.covered_by(np.array([0, 3]))
    watcher = RecordingProgress(stop_after=stop_after)
    bound, cut_short = objective.bound(covered, Rules(2), watcher, known=99.0)
    assert bound >= best_value(objective, 2)
    assert (bound == 99.0) == (stop_after < 6)
    # Three passes over six sites; the last report comes when all is done.
    assert cut_short == (stop_after < 18)
    # Nothing more is done after the watcher asked.
    assert len(watcher.reports) == min(stop_after, 18)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1.0


def test_sizes_are_checked() -> None:
    """Weights or marks of another length than points or sites are refused."""
    coverage = Coverage.from_matrix(np.ones((2, 3)))
    with pytest.raises(ProblemError, match="3 points"):
        Objective(coverage, np.ones(2))
    with pytest.raises(ProblemError, match="2 sites"):
        Objective(coverage, np.ones(3), np.ones(3, dtype=bool))
