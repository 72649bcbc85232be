"""Lazy greedy under rules against plain evaluation of every site."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import allowed_networks, objectives, rules_for, value_of

from spineq.progress import SilentProgress
from spineq.solvers import greedy_in_room as module
from spineq.solvers.coverage import Coverage
from spineq.solvers.greedy import place
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Prices, Rules

SILENT = SilentProgress()


def naive(objective: Objective, rules: Rules, ways: list[np.ndarray]) -> list[int]:
    """Greedy without a trick: every gain anew, only where some allowed network has it all.

    Each of the ways says by what, (site,), gains are divided; 0 leaves a site out. They are
    gone through one after the other.
    """
    networks = [set(sites.tolist()) for sites in allowed_networks(objective, rules)]
    chosen: list[int] = []
    for divisor in ways:
        while True:
            before = value_of(objective, chosen)
            worth = np.full(objective.n_sites, -1.0)
            for site in np.flatnonzero(divisor > 0.0):
                there = site not in chosen
                if there and any({*chosen, site} <= network for network in networks):
                    gain = value_of(objective, [*chosen, site]) - before
                    if gain > 0.0 or rules.prices is None:
                        worth[site] = gain / divisor[site]
            if worth.max() < 0.0:
                break
            chosen.append(int(np.argmax(worth)))
    return chosen


@given(data=st.data(), budget=st.sampled_from([1, 10**6]))
def test_lazy_is_naive_in_regions(data: st.DataObject, budget: int) -> None:
    """With regions, minima included, the same sites in the same order, ties and pauses too."""
    objective = data.draw(objectives(max_sites=8, kept=True))
    rules = data.draw(rules_for(objective, {"regions"}))
    if not allowed_networks(objective, rules):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BUDGET", budget)
        sites = place(objective, rules, SILENT).sites
    assert sites.tolist() == naive(objective, rules, [np.ones(objective.n_sites)])


@given(data=st.data(), budget=st.sampled_from([1, 10**6]))
def test_lazy_is_naive_with_a_spacing(data: st.DataObject, budget: int) -> None:
    """With a spacing too."""
    objective = data.draw(objectives(max_sites=8, kept=True))
    rules = data.draw(rules_for(objective, {"spacing"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BUDGET", budget)
        sites = place(objective, rules, SILENT).sites
    assert sites.tolist() == naive(objective, rules, [np.ones(objective.n_sites)])


@given(data=st.data(), mixed=st.booleans())
def test_better_of_two_runs_with_a_budget(data: st.DataObject, mixed: bool) -> None:
    """With a budget the better of plain gain, and free sites first and then gain per cost."""
    objective = data.draw(objectives(max_sites=8, kept=True))
    rules = data.draw(rules_for(objective, {"budget", "regions"} if mixed else {"budget"}))
    if not allowed_networks(objective, rules):
        return
    cost = rules.prices.cost
    free = (cost == 0.0).astype(float)
    plain = naive(objective, rules, [np.ones(objective.n_sites)])
    per_cost = naive(objective, rules, [free, np.where(cost > 0.0, cost, 1.0)])
    sites = place(objective, rules, SILENT).sites
    best = max(value_of(objective, plain), value_of(objective, per_cost))
    assert value_of(objective, sites) == best
    if not mixed:
        assert sites.tolist() in (plain, per_cost)


def test_room_that_is_full_is_left_as_it_is() -> None:
    """From as many sensors as may stand, nothing is computed."""
    objective = Objective(Coverage.from_matrix(np.eye(3)), np.ones(3))
    rules = Rules(2, prices=Prices(np.ones(3), 9.0))
    placed = place(objective, rules, SILENT, np.array([2, 0]))
    assert placed.sites.tolist() == [2, 0]
    assert placed.upper_bound == np.inf
