"""Swaps: the books against recomputed differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import as_lists, objectives, value_of

from spineq.solvers import swaps as module
from spineq.solvers.coverage import Coverage
from spineq.solvers.objective import Objective
from spineq.solvers.swaps import Swaps


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


@given(objective=objectives(max_sites=8, kept=True), data=st.data())
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
