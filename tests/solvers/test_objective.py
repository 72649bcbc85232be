"""The objective's laws, its bound, and the books of swaps."""

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
from spineq.solvers.objective import Objective, Swaps


def subset(draw_from: st.DataObject, n: int) -> np.ndarray:
    """Draw a set of the numbers below ``n``, sorted."""
    marks = draw_from.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.flatnonzero(marks).astype(np.int64)


@given(objective=objectives(), data=st.data())
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


@given(objective=objectives(), data=st.data())
def test_gains_of_all_are_the_gains_of_each(objective: Objective, data: st.DataObject) -> None:
    """The pass over all sites gives each site's own gain, and 0 where none may stand."""
    covered = objective.covered_by(subset(data, objective.n_sites))
    gains = np.full(objective.n_sites, -7.0)
    for low, high in objective.blocks():
        objective.gains(covered, gains, low, high)
    for site, usable in enumerate(objective.usable_sites):
        assert gains[site] == (objective.gain(covered, site) if usable else 0.0)


@given(objective=objectives(max_sites=9), data=st.data())
def test_bound_is_never_below_the_optimum(objective: Objective, data: st.DataObject) -> None:
    """No set of so many usable sites exceeds the bound, whichever sites it is taken from."""
    n = data.draw(st.integers(1, int(objective.usable_sites.sum())))
    sites = subset(data, objective.n_sites)
    best = best_value(objective, n)
    assert objective.upper_bound(sites, n) >= best
    covered = objective.covered_by(sites)
    gains = np.zeros(objective.n_sites)
    objective.gains(covered, gains, 0, objective.n_sites)
    assert objective.bound_by(objective.value(covered), gains, n) >= best
    # What is known already is never made worse, and what asks for a stop learns it at once.
    assert objective.bound(covered, n, SilentProgress(), known=best) == (best, False)


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
    assert cut.upper_bound(sites, n) >= best
    covered, gains = cut.covered_by(sites), np.zeros(n_sites)
    cut.gains(covered, gains, 0, n_sites)
    assert cut.bound_by(cut.value(covered), gains, n) >= best


def test_bound_is_tight_where_it_can_be() -> None:
    """With sites that share no point the bound is the optimum, within its slack."""
    objective = Objective(Coverage.from_matrix(np.diag([3.0, 2.0, 1.0])), np.ones(3))
    assert objective.upper_bound(NOWHERE, 2) == pytest.approx(5.0, rel=1e-11)
    assert objective.upper_bound(NOWHERE, 2) >= 5.0


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
    bound, cut_short = objective.bound(covered, 2, watcher, known=99.0)
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


# ---------------------------------------------------------------------------- swaps


def changes(swaps: Swaps, n_sites: int) -> np.ndarray:
    """What the books say of every swap, (site, slot)."""
    slots = len(swaps.sites)
    made = swaps._gain[:, None] - swaps._loss[None, :]
    for key, extra in zip(swaps._keys, swaps._extra, strict=True):
        if key > 0:
            made[(key - 1) // slots, (key - 1) % slots] += extra
    return made


def recomputed(objective: Objective, sites: np.ndarray) -> np.ndarray:
    """What every swap changes, (site, slot), by computing both values; NaN for open sites."""
    before = value_of(objective, sites)
    made = np.full((objective.n_sites, len(sites)), np.nan)
    for site in set(range(objective.n_sites)) - set(sites.tolist()):
        for slot in range(len(sites)):
            after = sites.copy()
            after[slot] = site
            made[site, slot] = value_of(objective, after) - before
    return made


@given(objective=objectives(max_sites=8), data=st.data())
def test_books_are_the_recomputed_differences(objective: Objective, data: st.DataObject) -> None:
    """After any sequence of swaps the books hold what each further swap would change."""
    n = data.draw(st.integers(1, objective.n_sites))
    order = data.draw(st.permutations(range(objective.n_sites)))
    swaps = Swaps(objective, np.array(order[:n], dtype=np.int64))
    for _ in swaps.open_books():
        pass
    for _ in range(data.draw(st.integers(0, 5))):
        closed_sites = sorted(set(range(objective.n_sites)) - set(swaps.sites.tolist()))
        if not closed_sites:
            break
        opened = data.draw(st.sampled_from(closed_sites))
        for _ in swaps.make(opened, data.draw(st.integers(0, n - 1))):
            pass
    expected = recomputed(objective, swaps.sites)
    closed = ~np.isnan(expected[:, 0])
    np.testing.assert_array_equal(
        changes(swaps, objective.n_sites)[closed],
        expected[closed],
    )
    # The best of them, the first site and then the first slot where several are best.
    *_, (change, opened, slot) = swaps.best()
    expected[~(objective.usable_sites & closed)] = np.nan
    if np.isnan(expected).all():
        assert opened == -1
    else:
        first = np.unravel_index(np.nanargmax(expected), expected.shape)
        assert (opened, slot) == tuple(first)
        assert change == expected[first]


def test_books_in_pieces_are_the_same_books(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting the work into small pieces changes nothing."""
    generator = np.random.default_rng(1)
    matrix = np.round(8 * generator.random((12, 40)))
    objective = Objective(as_lists(matrix, 2.0), np.ones(40))
    found = []
    for budget in (module.BUDGET, 20):
        monkeypatch.setattr(module, "BUDGET", budget)
        swaps = Swaps(objective, np.arange(4))
        opening = list(swaps.open_books())
        making = list(swaps.make(7, 2))
        assert (len(opening) > 10) == (budget == 20)
        assert (len(making) > 3) == (budget == 20)
        *_, best = swaps.best()
        found.append((best, changes(swaps, 12)))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_long_rows_make_the_table_grow_as_often_as_it_must() -> None:
    """A point within reach of many thousand sites fits into the books."""
    n_sites = 20_000
    generator = np.random.default_rng(0)
    matrix = 1.0 + np.round(9 * generator.random((n_sites, 2)))
    matrix[:2] = [[1.0, 0.0], [0.0, 1.0]]
    objective = Objective(Coverage.from_matrix(matrix), np.ones(2))
    swaps = Swaps(objective, np.arange(2))
    for _ in swaps.open_books():
        pass
    assert swaps._used >= n_sites
    assert len(swaps._keys) > swaps._used
    *_, (change, opened, closed) = swaps.best()
    after = swaps.sites.copy()
    after[closed] = opened
    assert change == value_of(objective, after) - value_of(objective, swaps.sites)
    assert change == 10.0 + 10.0 - 1.0 - 1.0
