"""All that the search for a front may see: coverage, and one weight a group."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.instance import coverage_of, group_weights, objective_of
from spineq.progress import Progress, SpanProgress
from spineq.solvers._kernels import fronts as kernels
from spineq.solvers.coverage import DENSE_PAIRS, Coverage, blocks
from spineq.solvers.exchange import LEAST_CHANGE
from spineq.solvers.objective import BUDGET, Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.solvers.goals import Goals


class Neighbours(NamedTuple):
    """Networks that are one swap away from another.

    Parameters
    ----------
    coverage
        (swap, group), 0 to 1.
    slot
        (swap,) position, in the other network, of the sensor that goes.
    site
        (swap,) the site that comes.
    """

    coverage: NDArray[np.float64]
    slot: NDArray[np.int32]
    site: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Landscape:
    """Coverage of points by sites, and the groups' weights.

    Parameters
    ----------
    coverage
        Coverage of every point by every site.
    rows
        (point, group) weights of 0 or more, each group's summing to 1.
    usable
        (site,) whether a sensor may stand there.
    base
        (point,) coverage by sensors that stand already and stay.
    site, falling
        (pair,) coverage by point with the sites of each point from the best down; where each
        point's begin says ``coverage.by_point.start``.
    """

    coverage: Coverage
    rows: NDArray[np.float64]
    usable: NDArray[np.bool_]
    base: NDArray[np.float64]
    site: NDArray[np.int32]
    falling: NDArray[np.float64]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.rows.shape[1])

    @property
    def _by_site(self) -> tuple[NDArray[np.int64], NDArray[np.int32] | None, NDArray[np.float64]]:
        return self.coverage.start, self.coverage.point, self.coverage.value

    @property
    def _by_point(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        return self.coverage.by_point.start, self.site, self.falling

    def objective(self, weights: NDArray[np.float64], goals: Goals | None = None) -> Objective:
        """Weighted mean of the groups' coverage, for weights (group,), as solvers take it."""
        return Objective(self.coverage, self.mixed(weights), self.usable, self.base, goals)

    def mixed(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of the points, (point,), by those of the groups, (group,)."""
        # Not a BLAS product: its last bits depend on the number of threads.
        made: NDArray[np.float64] = (self.rows * weights).sum(axis=1)
        return made

    def group_coverage(self, sites: NDArray[np.int64]) -> NDArray[np.float64]:
        """Coverage of each group by a network, (group,), 0 to 1."""
        covered = Objective(self.coverage, self.rows[:, 0], base=self.base).covered_by(sites)
        made: NDArray[np.float64] = (self.rows * covered[:, None]).sum(axis=0)
        return made

    def coverage_of_many(self, networks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Coverage of each group by each of some networks, (network, group).

        Parameters
        ----------
        networks
            (network, sensor) positions of sites.
        """
        made = np.empty((len(networks), self.n_groups))
        kernels.cover_networks(*self._by_site, self.rows, self.base, networks, made)
        return made

    def climb(
        self, weights: NDArray[np.float64], sites: NDArray[np.int64], progress: Progress
    ) -> tuple[NDArray[np.int64], bool]:
        """Swap sensors until no swap betters the weighted mean of the groups.

        Parameters
        ----------
        weights
            (group,) 0 or more.
        sites
            (sensor,) the network to start from.
        progress
            Watcher; when it asks to stop, the network so far is returned.

        Returns
        -------
        tuple
            The sites, in the order of their numbers; and whether the watcher asked to stop.
        """
        sites = np.array(sites, dtype=np.int64)
        weight = self.mixed(weights)
        least = LEAST_CHANGE * float(weights @ self.group_coverage(sites))
        done = False
        while not done:
            _, done = kernels.ascend(
                *self._by_site, *self._by_point, weight, self.base, self.usable, sites, least,
                BUDGET,
            )  # fmt: skip
            if progress.report(0.5, "swapping sensors"):
                return np.sort(sites), True
        return np.sort(sites), False

    def neighbours(
        self, sites: NDArray[np.int64], screen: NDArray[np.float64], progress: Progress
    ) -> Neighbours | None:
        """Judge every swap of a network for every group.

        Parameters
        ----------
        sites
            (sensor,) the network.
        screen
            (known, group) coverage by other networks.
        progress
            Watcher.

        Returns
        -------
        Neighbours or None
            The swaps but for those that the network itself, one of the screen or another swap
            of the same sensor matches in every group; None where the watcher asked to stop.
        """
        slots, n_points, groups = len(sites), self.coverage.n_points, self.n_groups
        best, second = self.base.copy(), self.base.copy()
        server, served = np.empty(n_points, dtype=np.int64), np.empty(n_points, dtype=np.int64)
        first = np.empty(slots + 2, dtype=np.int64)
        kernels.best_two(*self._by_site, sites, best, second, server)
        kernels.by_server(server, slots, first, served)
        gain = np.zeros((self.coverage.n_sites, groups))
        for low, high in blocks(self._by_point[0], BUDGET):
            kernels.gains_by_group(*self._by_point, self.rows, best, gain, low, high)
            if progress.report(0.1, "looking at swaps"):
                return None
        closed = self.usable.copy()
        closed[sites] = False
        now = (self.rows * best[:, None]).sum(axis=0)
        found: list[Neighbours] = []
        slot, room = 0, 4 * self.coverage.n_sites
        while slot < slots:
            made = Neighbours(
                np.empty((room, groups)),
                np.empty(room, dtype=np.int32),
                np.empty(room, dtype=np.int32),
            )
            slot, n = kernels.swaps_of_slots(
                *self._by_point, self.rows, best, second, first, served, gain, now, closed,
                screen, *made, 0, slot, BUDGET,
            )  # fmt: skip
            found.append(Neighbours(made.coverage[:n], made.slot[:n], made.site[:n]))
            if progress.report(slot / slots, "looking at swaps"):
                return None
        return Neighbours(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def landscape_of(city: City, problem: Problem, progress: Progress) -> Landscape | None:
    """Make what the search may see; that of small cities is kept for the next call.

    Parameters
    ----------
    city, problem
        What is asked, of which city: theta, decay, groups, keep and forbid count.
    progress
        Watcher.

    Returns
    -------
    Landscape or None
        None where the watcher asked to stop.
    """
    # The groups' names change nothing, but the digest is at hand.
    key = city.digest, problem.digest
    with _KEPT_LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]
    coverage = coverage_of(city, problem, SpanProgress(progress, 0.0, 0.5))
    if coverage is None:
        return None
    made = _sorted(city, problem, coverage, SpanProgress(progress, 0.5, 1.0))
    if made is not None and coverage.n_pairs <= DENSE_PAIRS:
        with _KEPT_LOCK:
            _KEPT[key] = made
            while len(_KEPT) > _KEPT_MOST:
                _KEPT.popitem(last=False)
    return made


_KEPT: OrderedDict[tuple[str, str], Landscape] = OrderedDict()
_KEPT_LOCK = threading.Lock()
_KEPT_MOST = 2


def _sorted(
    city: City, problem: Problem, coverage: Coverage, progress: Progress
) -> Landscape | None:
    words = "sorting neighbours"
    for share in coverage.flipping():
        if progress.report(0.5 * share, words):
            return None
    flipped = coverage.by_point
    site = np.empty(flipped.n_pairs, dtype=np.int32)
    falling = np.empty(flipped.n_pairs)
    for low, high in blocks(flipped.start, BUDGET // 10):
        kernels.sort_rows(flipped.start, flipped.point, flipped.value, site, falling, low, high)
        if progress.report(0.5 + 0.5 * high / coverage.n_points, words):
            return None
    rows = [group_weights(city, group) for _, group in problem.groups]
    objective = objective_of(city, problem, coverage)
    return Landscape(
        coverage,
        np.ascontiguousarray(np.array(rows).T),
        objective.usable_sites,
        objective.nothing(),
        site,
        falling,
    )
