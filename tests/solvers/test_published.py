"""Solvers on published instances: OR-Library p-medians, and Newcastle's proven optima."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from spineq.data.files import read_city
from spineq.errors import SpineqWarning
from spineq.instance import coverage_of, objective_of
from spineq.model.groups import GROUPS
from spineq.model.problem import Problem
from spineq.progress import SilentProgress
from spineq.solvers.coverage import Coverage
from spineq.solvers.exchange import exchange
from spineq.solvers.greedy import greedy
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Rules

SILENT = SilentProgress()
USUAL = Options()


def pmedian(path: Path) -> tuple[np.ndarray, int]:
    """Read distances between all places, and how many medians are wanted."""
    numbers = np.array(path.read_text().split(), dtype=np.int64)
    n, n_edges, p = numbers[:3]
    # Where an edge is given twice, the last one counts.
    costs = {(min(i, j), max(i, j)): c for i, j, c in numbers[3 : 3 + 3 * n_edges].reshape(-1, 3)}
    rows, columns = np.array(list(costs)).T - 1
    graph = csr_array((np.array(list(costs.values()), dtype=float), (rows, columns)), (n, n))
    return shortest_path(graph, directed=False), int(p)


@pytest.mark.parametrize("name", ["pmed1", "pmed2", "pmed3", "pmed4", "pmed5"])
def test_pmedian(shared: Path, name: str) -> None:
    """On OR-Library's p-medians exchange is within 1 % of the optimum and never beats it."""
    optimum = json.loads((shared / "reference.json").read_text())["orlib_pmedian"]["optimum"][name]
    distances, p = pmedian(shared / "data" / "orlib" / f"{name}.txt")
    assert np.isfinite(distances).all()
    # Benefit = D - d with D above every distance: the sum of distances is n D - value.
    most = distances.max() + 1
    objective = Objective(Coverage.from_matrix(most - distances), np.ones(len(distances)))
    solution = exchange(objective, Rules(p), USUAL, SILENT)
    total = distances[solution.sites].min(axis=0).sum()
    assert total == len(distances) * most - solution.value
    assert optimum <= total <= 1.01 * optimum
    assert solution.upper_bound >= len(distances) * most - optimum


@pytest.fixture(scope="module")
def newcastle(shared: Path) -> Any:
    with warnings.catch_warnings():
        # Two polygons are not valid, which is said of them and changes no sum.
        warnings.simplefilter("ignore", SpineqWarning)
        return read_city(shared / "data" / "cities" / "E08000021")


@pytest.mark.parametrize("theta", [500, 100])
@pytest.mark.parametrize("group", list(GROUPS))
@pytest.mark.parametrize("n", [10, 20, 55])
def test_below_the_proven_optimum(
    shared: Path, newcastle: Any, theta: int, group: str, n: int
) -> None:
    """Greedy <= exchange <= the optimum that was proven in three ways <= the bound."""
    optima = json.loads((shared / "reference.json").read_text())["optimum"]
    optimum = optima[f"theta_{theta}"][group][str(n)]
    problem = Problem(n_sensors=n, theta=theta, groups=((group, GROUPS[group]),))
    coverage = coverage_of(newcastle, problem, SILENT)
    assert coverage is not None
    objective = objective_of(newcastle, problem, coverage)
    plain, swapped = (
        greedy(objective, Rules(n), USUAL, SILENT),
        exchange(objective, Rules(n), USUAL, SILENT),
    )
    assert plain.value <= swapped.value <= optimum + 1e-9
    assert swapped.value >= 0.98 * optimum
    assert min(plain.upper_bound, swapped.upper_bound) >= optimum - 1e-9
