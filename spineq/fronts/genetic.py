"""Genetic fronts by pymoo, to compare with: NSGA-II and NSGA-III.

A network is a list of whole numbers, one site a sensor, with the operators that pymoo has for
whole numbers, as the original used them. They need hundreds of generations for what weightings
and swaps find in seconds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import MissingExtraError
from spineq.fronts.archive import Archive
from spineq.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.fronts.landscape import Landscape

# Generations with effort 1: those of the published fronts.
_GENERATIONS = 1_000


def need_pymoo() -> None:
    """Check that pymoo is there.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import pymoo.core.problem  # noqa: F401
    except ImportError as error:
        msg = "genetic fronts need the package pymoo"
        raise MissingExtraError(msg, mend='Install it: pip install "spineq[compare]"') from error


def evolve(
    land: Landscape,
    n: int,
    method: str,
    effort: float,
    size: int,
    seed: int,
    first: NDArray[np.int64],
    progress: Progress,
) -> tuple[Archive, bool]:
    """Let a population of networks evolve.

    Parameters
    ----------
    land
        What there is to cover.
    n
        Number of sensors.
    method
        ``"nsga2"`` (Deb et al. 2002) or ``"nsga3"`` (Deb and Jain 2014).
    effort
        Generations, as a multiple of 1,000.
    size
        Networks of the population.
    seed
        For what is drawn.
    first
        (network, sensor) networks of the first population; what is missing is drawn.
    progress
        Watcher, asked after every generation.

    Returns
    -------
    tuple
        What nothing of the last population dominates; and whether the watcher asked to stop.

    Raises
    ------
    MissingExtraError
        pymoo is not installed.
    """
    need_pymoo()
    from pymoo.core.problem import Problem

    usable = np.flatnonzero(land.usable)

    class Networks(Problem):  # type: ignore[misc]
        """Networks as whole numbers; what is minimised is coverage below zero."""

        def __init__(self) -> None:
            super().__init__(n_var=n, n_obj=land.n_groups, xl=0, xu=len(usable) - 1, vtype=int)

        def _evaluate(self, x: Any, out: dict[str, Any], *_: Any, **__: Any) -> None:
            out["F"] = -land.coverage_of_many(usable[different(x.astype(np.int64), len(usable))])

    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(len(usable))[:n] for _ in range(max(0, size - len(first)))]
    given = np.searchsorted(usable, first[:size])
    population = np.concatenate([given.reshape(-1, n), np.array(drawn).reshape(-1, n)])
    algorithm = _algorithm(method, land.n_groups, size, population)
    generations = max(1, round(_GENERATIONS * effort))
    algorithm.setup(Networks(), termination=("n_gen", generations), seed=seed, verbose=False)
    stopped, done = False, 0
    while algorithm.has_next() and not stopped:
        algorithm.next()
        done += 1
        stopped = progress.report(done / generations, f"{done:,} generations")
    archive = Archive(n, land.n_groups)
    last = usable[different(algorithm.pop.get("X").astype(np.int64), len(usable))]
    last.sort(axis=1)
    for sites, coverage in zip(last, land.coverage_of_many(last), strict=True):
        archive.add(sites, coverage)
    archive.found = archive.with_bases(0).best()
    return archive, stopped and done < generations


def different(networks: NDArray[np.int64], n_sites: int) -> NDArray[np.int64]:
    """Put the first free sites in place of those that a network names twice.

    Coverage never falls by that.

    Parameters
    ----------
    networks
        (network, sensor) numbers from 0 to below ``n_sites``.
    n_sites
        Number of sites, at least as many as sensors.
    """
    made = networks.copy()
    for row in made:
        first = np.zeros(len(row), dtype=np.bool_)
        first[np.unique(row, return_index=True)[1]] = True
        if not first.all():
            free = np.setdiff1d(np.arange(min(n_sites, 2 * len(row))), row[first])
            row[~first] = free[: int((~first).sum())]
    return made


def _algorithm(method: str, groups: int, size: int, population: NDArray[np.int64]) -> Any:
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.util.ref_dirs import get_reference_directions

    words: dict[str, Any] = {
        "pop_size": size,
        "sampling": population,
        "crossover": SBX(vtype=float, repair=RoundingRepair()),
        "mutation": PM(vtype=float, repair=RoundingRepair()),
    }
    if method == "nsga2":
        return NSGA2(**words)
    parts = 1
    while math.comb(parts + groups, groups - 1) <= size:
        parts += 1
    directions = get_reference_directions("das-dennis", groups, n_partitions=parts)
    return NSGA3(ref_dirs=directions, **words)
