"""The objective: all that an algorithm may see of a city.

``f(S) = sum_j weight_j max(base_j, max over i in S of coverage_ij)``: monotone and submodular
(Cornuejols, Fisher, Nemhauser 1977; Nemhauser, Wolsey, Fisher 1978). The p-median problem
(coverage = D - distance) and maximal covering (coverage = 1 within a radius) are the same object.
``base`` is what sensors give that stand already, 0 without any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SilentProgress
from spineq.solvers import _kernels
from spineq.solvers.coverage import Coverage, blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.goals import Goals

#: Pairs that a kernel looks at before it returns: 2 to 15 ms of work.
BUDGET = 2_500_000

#: Relative slack given to a bound for the rounding of sums: far above it, far below any gap.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Objective:
    """Weighted coverage of points by a set of sites.

    Parameters
    ----------
    coverage
        Coverage of every point by every site.
    weight
        (point,) weights of 0 or more; summing to 1 for a city's mix of groups.
    usable
        (site,) whether a sensor may stand there; None for everywhere.
    base
        (point,) coverage by sensors that stand already and stay; None for none.
    goals
        What is owed to groups, or maximised instead of the weighted mean; None for nothing.
        Only solvers that honour goals look at them.
    """

    coverage: Coverage
    weight: NDArray[np.float64]
    usable: NDArray[np.bool_] | None = None
    base: NDArray[np.float64] | None = None
    goals: Goals | None = None

    def __post_init__(self) -> None:
        """Check sizes, since the kernels do not."""
        if self.weight.shape != (self.coverage.n_points,):
            msg = f"{self.coverage.n_points} points need as many weights, not {self.weight.shape}"
            raise ProblemError(msg, field="weight")
        if self.usable is not None and self.usable.shape != (self.n_sites,):
            msg = f"{self.n_sites} sites need as many marks, not {self.usable.shape}"
            raise ProblemError(msg, field="usable")
        if self.base is not None and self.base.shape != self.weight.shape:
            msg = f"{len(self.weight)} points need as much coverage, not {self.base.shape}"
            raise ProblemError(msg, field="keep")

    @property
    def n_sites(self) -> int:
        """Number of sites, the usable and the others."""
        return self.coverage.n_sites

    @property
    def usable_sites(self) -> NDArray[np.bool_]:
        """(site,) whether a sensor may stand there."""
        if self.usable is not None:
            return self.usable
        return np.ones(self.n_sites, dtype=np.bool_)

    @property
    def matrix(self) -> tuple[NDArray[np.int64], NDArray[np.int32] | None, NDArray[np.float64]]:
        """The three arrays of the coverage, as the kernels take them."""
        return self.coverage.start, self.coverage.point, self.coverage.value

    def nothing(self) -> NDArray[np.float64]:
        """Coverage without a sensor more: (point,), zeros where none stands already."""
        return np.zeros(self.coverage.n_points) if self.base is None else self.base.copy()

    def cover(self, covered: NDArray[np.float64], site: int) -> None:
        """Raise ``covered`` (point,) in place to what one more site gives."""
        _kernels.cover(*self.matrix, covered, site)

    def covered_by(self, sites: NDArray[np.int64]) -> NDArray[np.float64]:
        """Coverage of every point by a set of sites, (point,)."""
        covered = self.nothing()
        for site in sites:
            self.cover(covered, int(site))
        return covered

    def value(self, covered: NDArray[np.float64]) -> float:
        """Objective of a coverage, (point,)."""
        # Not a dot product: BLAS adds in another order when it has more threads.
        return float((self.weight * covered).sum())

    def gain(self, covered: NDArray[np.float64], site: int) -> float:
        """What one more site adds to the objective, 0 or more."""
        return float(_kernels.gain(*self.matrix, self.weight, covered, site))

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Ranges of sites whose rows hold about `BUDGET` pairs."""
        return blocks(self.coverage.start, BUDGET)

    def gains(
        self, covered: NDArray[np.float64], out: NDArray[np.float64], low: int, high: int
    ) -> None:
        """Write what each of the sites ``low`` to ``high`` adds into ``out`` (site,).

        A site that cannot be used adds 0.
        """
        usable = self.usable_sites
        _kernels.gains(*self.matrix, self.weight, covered, usable, out, low, high)

    def upper_bound(self, sites: NDArray[np.int64], n: int) -> float:
        """Bound the objective of every set of ``n`` usable sites from above; see `bound`."""
        return self.bound(self.covered_by(sites), n, SilentProgress())[0]

    def bound_by(self, value: float, gains: NDArray[np.float64], n: int) -> float:
        """Bound the objective of every set of ``n`` sites by one set's value and its gains.

        Parameters
        ----------
        value
            Objective of any set of sites, floor left out.
        gains
            (site,) what each site would add to the set, or more; below 0 for one that cannot.
        n
            Number of sensors that may be placed, 1 or more.
        """
        largest = np.maximum(np.partition(gains, -n)[-n:] if n < len(gains) else gains, 0.0)
        # The floor is added as a whole: more than it can bring, and no pass over the pairs.
        floor = self.coverage.floor * float(self.weight.sum())
        return (value + float(largest.sum()) + floor) * (1.0 + ROUNDING)

    def bound(
        self,
        covered: NDArray[np.float64],
        n: int,
        progress: Progress,
        *,
        known: float = np.inf,
    ) -> tuple[float, bool]:
        """Bound the objective of every set of ``n`` usable sites from above.

        For any set S, f(best) <= f(S) + the n largest gains beyond S (Nemhauser, Wolsey,
        Fisher 1978). Taken for a good network, for S empty and for all usable sites (whose
        gains are zero), whichever is least. Where pairs were cut off, every point counts as
        covered to the cut-off's level at least, which bounds the true objective too.

        Parameters
        ----------
        covered
            Coverage by a good network, (point,).
        n
            Number of sensors that may be placed, 1 or more.
        progress
            Watcher; when it asks to stop, what is known by then is returned.
        known
            A bound that is known already.

        Returns
        -------
        tuple
            The bound, enlarged by a rounding slack of 1e-12 of itself; and whether it might
            be lower, had the watcher not asked to stop.
        """
        least, words, floor = known, "bounding what is possible", self.coverage.floor
        for part, base in enumerate((covered, self.nothing())):
            reached, gained, stop = np.maximum(base, floor), np.zeros(self.n_sites), False
            for low, high in self.blocks():
                self.gains(reached, gained, low, high)
                stop = progress.report((part + high / self.n_sites) / 3.0, words)
                if stop and high < self.n_sites:
                    return least, True
            largest = np.partition(gained, -n)[-n:] if n < len(gained) else gained
            least = min(least, (self.value(reached) + float(largest.sum())) * (1.0 + ROUNDING))
            if stop:
                return least, True
        reached, usable = np.full(self.coverage.n_points, floor), self.usable_sites
        for low, high in self.blocks():
            _kernels.cover_all(*self.matrix, reached, usable, low, high)
            stop = progress.report((2.0 + high / self.n_sites) / 3.0, words)
            if stop and high < self.n_sites:
                return least, True
        return min(least, self.value(reached) * (1.0 + ROUNDING)), False


class Swaps:
    """The books of what every swap would bring, kept while swaps are made.

    Parameters
    ----------
    objective
        What is maximised.
    sites
        The open sites, (slot,), different from each other.
    """

    def __init__(self, objective: Objective, sites: NDArray[np.int64]) -> None:
        self._objective = objective
        self._usable = objective.usable_sites
        self.sites = np.array(sites, dtype=np.int64)
        n_points = objective.coverage.n_points
        self._slot_of = np.full(objective.n_sites, -1, dtype=np.int64)
        self._slot_of[self.sites] = np.arange(len(self.sites))
        self._best, self._second = np.zeros(n_points), np.zeros(n_points)
        self._server = np.full(n_points, -1, dtype=np.int64)
        self._runner_up = self._server.copy()

    @property
    def _columns(self) -> tuple[NDArray[np.int64], NDArray[np.int32] | None, NDArray[np.float64]]:
        by_point = self._objective.coverage.by_point
        return by_point.start, by_point.point, by_point.value

    def open_books(self) -> Iterator[float]:
        """Fill the books from scratch, in pieces of some milliseconds; yields the share done."""
        for share in self._objective.coverage.flipping():
            yield 0.5 * share
        self._gain = np.zeros(self._objective.n_sites)
        self._loss = np.zeros(len(self.sites))
        self._keys = np.zeros(1 << 12, dtype=np.int64)
        self._extra = np.zeros(1 << 12)
        self._used = 0
        n_points = self._objective.coverage.n_points
        for low, high in blocks(self._columns[0], BUDGET // 10):
            points = np.arange(low, high)
            self._look_up(points)
            for _ in self._book(points, 1.0):
                yield 0.5 + 0.5 * low / n_points
            yield 0.5 + 0.5 * high / n_points

    def _look_up(self, points: NDArray[np.int64]) -> None:
        """Find the best and second-best open site of points."""
        _kernels.nearest_two(
            *self._columns,
            self._slot_of,
            points,
            self._best,
            self._second,
            self._server,
            self._runner_up,
        )

    def _book(self, points: NDArray[np.int64], sign: float) -> Iterator[None]:
        """Put points into the books or take them out; yields while the table grows."""
        done = 0
        while True:
            done, self._used = _kernels.add_points(
                *self._columns,
                self._objective.weight,
                points,
                self._best,
                self._second,
                self._server,
                sign,
                self._gain,
                self._loss,
                self._keys,
                self._extra,
                self._used,
                done,
            )
            if done == len(points):
                return
            yield from self._grow()

    def _grow(self) -> Iterator[None]:
        size = len(self._keys)
        keys, extra = np.zeros(2 * size, dtype=np.int64), np.zeros(2 * size)
        for low in range(0, size, BUDGET // 8):
            high = min(low + BUDGET // 8, size)
            _kernels.move_table(self._keys, self._extra, keys, extra, low, high)
            yield
        self._keys, self._extra = keys, extra

    def best(self) -> Iterator[tuple[float, int, int]]:
        """Look for the best swap, in pieces of some milliseconds.

        Yields
        ------
        tuple
            The best so far, and at last the best of all: change of the objective, site to
            open, slot to close. The site is -1 where every usable site is open.
        """
        slots = len(self._loss)
        change, key = _kernels.plain_swap(self._gain, self._loss, self._slot_of, self._usable)
        if key == 0:
            yield 0.0, -1, -1
            return
        books = (self._gain, self._loss, self._keys, self._extra, self._slot_of, self._usable)
        for low in range(0, len(self._keys), BUDGET):
            high = min(low + BUDGET, len(self._keys))
            change, key = _kernels.best_swap(*books, change, key, low, high)
            yield float(change), (int(key) - 1) // slots, (int(key) - 1) % slots

    def make(self, opened: int, closed: int) -> Iterator[float]:
        """Open a site and close a slot; the site takes the slot.

        The sites are changed at once; the books follow in pieces of some milliseconds.
        Yields the share done.
        """
        points = _kernels.affected_points(
            *self._objective.matrix, opened, closed, self._second, self._server, self._runner_up
        )
        self._slot_of[self.sites[closed]] = -1
        self._slot_of[opened] = closed
        self.sites[closed] = opened
        start = self._columns[0]
        ends = np.zeros(len(points) + 1, dtype=np.int64)
        np.cumsum(start[points + 1] - start[points], out=ends[1:])
        for low, high in blocks(ends, BUDGET // 10):
            piece = points[low:high]
            for _ in self._book(piece, -1.0):
                yield low / len(points)
            self._look_up(piece)
            for _ in self._book(piece, 1.0):
                yield low / len(points)
            yield high / len(points)
