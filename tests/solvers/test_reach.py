"""The fewest sensors, on matrices of small whole numbers: every set of sites is looked at."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solvers.instances import objectives

from spineq.errors import ProblemError
from spineq.progress import SilentProgress
from spineq.solvers.branch_bound import branch_bound
from spineq.solvers.goals import Goals
from spineq.solvers.objective import Objective
from spineq.solvers.reach import fewest
from spineq.solvers.rules import Options, Rules


@st.composite
def goals(draw: st.DrawFn) -> tuple[Objective, Rules]:
    """An objective with one to three groups, and what they are to reach."""
    objective = draw(objectives(7, kept=True))
    n_points, n_groups = len(objective.weight), draw(st.integers(1, 3))
    row = st.lists(st.integers(0, 3), min_size=n_points, max_size=n_points)
    rows = np.array([draw(row.filter(any)) for _ in range(n_groups)], dtype=np.float64)
    # A part of what all sites give, so that it can mostly be had.
    every = objective.covered_by(np.flatnonzero(objective.usable_sites))
    share = np.array([draw(st.sampled_from([0.3, 0.7, 0.9, 1.0])) for _ in range(n_groups)])
    least = np.maximum(share * (rows * every).sum(axis=1), 0.5)
    nobody = np.zeros(n_groups, dtype=np.bool_)
    made = replace(objective, goals=Goals(rows, least, nobody, np.ones(n_groups)))
    return made, Rules(max(int(objective.usable_sites.sum()), 1))


@settings(max_examples=60)
@given(goals())
def test_no_smaller_set_reaches_it(asked: tuple[Objective, Rules]) -> None:
    """And what is proven too few is; matrices and lists, with what stands already."""
    objective, rules = asked
    goal = objective.goals
    assert goal is not None
    usable = np.flatnonzero(objective.usable_sites)
    wanted = None
    for n in range(len(usable) + 1):
        for sites in itertools.combinations(usable, n):
            covered = objective.covered_by(np.array(sites, dtype=np.int64))
            if goal.shortfall(goal.groups(covered)) == 0.0:
                wanted = n
                break
        if wanted is not None:
            break
    if wanted is None:
        with pytest.raises(ProblemError, match="no number of sensors"):
            fewest(objective, rules, Options(), branch_bound, SilentProgress())
        return
    found = fewest(objective, rules, Options(), branch_bound, SilentProgress())
    assert found.reached
    assert len(found.sites) == wanted
    assert found.too_few == wanted - 1
    assert objective.usable_sites[found.sites].all()
