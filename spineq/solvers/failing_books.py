"""Sensors that may fail: what a network is expected to cover, and what one more would add.

Each sensor works with probability 1 - p, independently of the others, those that stand already
too. Who is near several is covered by the best of those that work:

    f_p(S) = sum_j weight_j sum_k (1 - p) p^(k-1) c_(k)j

with c_(1)j >= c_(2)j >= ... the coverages of point j by the sensors of S: the k-th serves where it
works and all better ones have failed (Snyder and Daskin 2005, Transportation Science 39, 400-416).
As a mean of f(those that work), each monotone and submodular in S, f_p is so too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.errors import ProblemError
from spineq.solvers._kernels import failing as kernels
from spineq.solvers.coverage import blocks
from spineq.solvers.objective import BUDGET, ROUNDING, Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.rules import Rules

#: Chance that so many sensors fail at once, below which a network's figure does not change.
NEVER = 1e-18

# The same while networks are looked for; bounds are raised by what it leaves out.
_HARDLY = 1e-13

# Numbers that the books may hold: 2 GB with their tails.
_MOST_HELD = 125_000_000


def ranks_for(probability: float, n: int, never: float = NEVER) -> int:
    """Count the best sensors of a point that matter, 1 to n, where each fails by chance.

    Parameters
    ----------
    probability
        Of failing, 0 up to but below 1.
    n
        Sensors that there are, 1 or more.
    never
        Chance that counts as none, 0 to 1.
    """
    if probability <= 0.0:
        return 1
    return max(1, min(n, math.ceil(math.log(never) / math.log(probability))))


def rank_weights(probability: float, ranks: int) -> NDArray[np.float64]:
    """Chance that a sensor of each rank serves, (rank,): it works, and all better ones failed."""
    made: NDArray[np.float64] = np.power(probability, np.arange(ranks, dtype=np.float64))
    return made * (1.0 - probability)


@dataclass(frozen=True, eq=False)
class Chances:
    """That sensors may fail, and what those give that stand already.

    Parameters
    ----------
    probability
        Of each sensor's failing, above 0 and below 1.
    standing
        (point, rank) coverage by sensors that stay, the best first; no rank where none stay.
    n_standing
        How many sensors stay, those of no rank too.

    Raises
    ------
    ProblemError
        A probability out of its range.
    """

    probability: float
    standing: NDArray[np.float64]
    n_standing: int = 0

    def __post_init__(self) -> None:
        """Check the probability."""
        if not 0.0 < self.probability < 1.0:
            msg = f"a probability of failing of {self.probability:g} is out of range"
            raise ProblemError(msg, field="failure_probability", mend="Give 0 up to but below 1")


class Book(NamedTuple):
    """Coverage by rank, and what can be expected from each rank on; (point, rank) both."""

    table: NDArray[np.float64]
    tail: NDArray[np.float64]


class Books:
    """What networks are expected to cover.

    Parameters
    ----------
    objective
        The instance; its base is not looked at, for what stands is in ``chances``.
    rules
        What a network may be.
    chances
        That sensors may fail.

    Attributes
    ----------
    work
        Pairs looked at so far.

    Raises
    ------
    ProblemError
        The books would not fit into memory.
    """

    def __init__(self, objective: Objective, rules: Rules, chances: Chances) -> None:
        self.objective, self.rules, self.chances = objective, rules, chances
        self.usable = objective.usable_sites
        self.most = min(rules.n, objective.n_sites) + chances.n_standing
        p, n_points = chances.probability, objective.coverage.n_points
        # One rank more than there are sensors: that of what one more would add.
        self.ranks = ranks_for(p, self.most + 1, _HARDLY)
        if self.ranks * n_points > _MOST_HELD:
            msg = (
                f"with a probability of failing of {p:g}, {self.ranks:,} sensors matter to each of "
                f"{n_points:,} points, which is more than memory is kept for"
            )
            raise ProblemError(msg, field="failure_probability", mend="Give a smaller probability")
        self.weights = rank_weights(p, self.ranks)
        standing = chances.standing[:, : self.ranks]
        self._blank = np.zeros((n_points, self.ranks))
        self._blank[:, : standing.shape[1]] = standing
        self.work = 0

    @property
    def probability(self) -> float:
        """Probability of each sensor's failing, above 0 and below 1."""
        return self.chances.probability

    def of(self, sites: NDArray[np.int64]) -> Book:
        """Open the books of a network, (sensor,) positions of sites."""
        table, matrix = self._blank.copy(), self.objective.matrix
        start = self.objective.coverage.start
        for site in sites:
            kernels.stand(*matrix, table, int(site))
            self.work += int(start[site + 1] - start[site])
        tail = np.empty_like(table)
        kernels.settle(table, tail, self.probability, 0, len(table))
        return Book(table, tail)

    def worth(self, book: Book) -> float:
        """Weighted coverage that is to be expected."""
        return float((self.objective.weight * book.tail[:, 0]).sum())

    def value(self, sites: NDArray[np.int64]) -> float:
        """Weighted coverage to be expected of a network, (sensor,) positions of sites."""
        return self.worth(self.of(sites))

    def gain(self, book: Book, site: int) -> float:
        """What one more site adds, 0 or more."""
        return float(
            kernels.expected_gain(
                *self.objective.matrix, self.objective.weight, self.weights, *book, site
            )
        )

    def gains(
        self, book: Book, able: NDArray[np.bool_], out: NDArray[np.float64]
    ) -> Iterator[float]:
        """Write what each site adds into ``out`` (site,), -1 where it may not; yields the share.

        In pieces of some milliseconds.
        """
        objective = self.objective
        for low, high in blocks(objective.coverage.start, BUDGET // 5):
            kernels.expected_gains(
                *objective.matrix, objective.weight, self.weights, *book, able, out, low, high
            )
            yield high / objective.n_sites
        self.work += objective.coverage.n_pairs

    def bound(self, book: Book) -> Iterator[float]:
        """Bound every allowed network by one network's books; yields infinity, then the bound.

        f_p(T) <= f_p(S) + the gains beyond S of the sites of T (Nemhauser, Wolsey, Fisher 1978);
        see `Objective.bound`. What was cut off of the pairs, and of the ranks, is added whole.
        """
        out = np.zeros(self.objective.n_sites)
        for _ in self.gains(book, self.usable, out):
            yield np.inf
        yield self.raised(self.worth(book) + self.rules.most_worth(out))

    def raised(self, bound: float) -> float:
        """Raise a bound by what pairs and ranks that were left out can bring."""
        coverage, total = self.objective.coverage, float(self.objective.weight.sum())
        beyond = 0.0
        if self.ranks <= self.most:
            most = float(max(coverage.value.max(initial=0.0), self._blank.max(initial=0.0)))
            beyond = self.probability**self.ranks * most
        return (bound + (coverage.floor + beyond) * total) * (1.0 + ROUNDING)
