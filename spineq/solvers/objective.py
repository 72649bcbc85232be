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
    from spineq.solvers.rules import Rules

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
        _kernels.cover_each(*self.matrix, covered, np.asarray(sites, dtype=np.int64))
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

    def upper_bound(self, sites: NDArray[np.int64], rules: Rules) -> float:
        """Bound the objective of every allowed set of usable sites from above; see `bound`."""
        return self.bound(self.covered_by(sites), rules, SilentProgress())[0]

    def bound_by(self, value: float, gains: NDArray[np.float64], rules: Rules) -> float:
        """Bound the objective of every allowed set of sites by one set's value and its gains.

        Parameters
        ----------
        value
            Objective of any set of sites, floor left out.
        gains
            (site,) what each site would add to the set, or more; below 0 for one that cannot.
        rules
            What a network may be.
        """
        most = rules.most_worth(gains)
        # The floor is added as a whole: more than it can bring, and no pass over the pairs.
        floor = self.coverage.floor * float(self.weight.sum())
        return (value + most + floor) * (1.0 + ROUNDING)

    def bound(
        self,
        covered: NDArray[np.float64],
        rules: Rules,
        progress: Progress,
        *,
        known: float = np.inf,
    ) -> tuple[float, bool]:
        """Bound the objective of every allowed set of usable sites from above.

        For any set S and any allowed set T, f(T) <= f(S or T) <= f(S) + the sum of the gains
        beyond S of the sites of T (Nemhauser, Wolsey, Fisher 1978): f(best) is at most f(S) and
        the largest such sum that an allowed set has, without rules the n largest gains; see
        `Rules.most_worth`. Taken for a good network, for S empty and for all usable sites (whose
        gains are zero), whichever is least. What stands already is part of every set. Where
        pairs were cut off, every point counts as covered to the cut-off's level at least, which
        bounds the true objective too.

        Parameters
        ----------
        covered
            Coverage by a good network, (point,).
        rules
            What a network may be.
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
            most = self.value(reached) + rules.most_worth(gained)
            least = min(least, most * (1.0 + ROUNDING))
            if stop:
                return least, True
        reached, usable = np.maximum(self.nothing(), floor), self.usable_sites
        for low, high in self.blocks():
            _kernels.cover_all(*self.matrix, reached, usable, low, high)
            stop = progress.report((2.0 + high / self.n_sites) / 3.0, words)
            if stop and high < self.n_sites:
                return least, True
        return min(least, self.value(reached) * (1.0 + ROUNDING)), False
