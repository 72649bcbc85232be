"""Goals for groups apart from one another: floors, and the worst-off group.

With rows of weights, one for each group, ``f_k(S) = sum_j w_kj max(base_j, max over i in S of
c_ij)``. A network may have to reach ``f_k >= least_k``, and what is maximised may be the smallest
``f_k / scale_k`` of the judged groups instead of a weighted mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Relative room given to a floor for the rounding of sums.
FLOOR_ROOM = 1e-11


@dataclass(frozen=True, eq=False)
class Goals:
    """What groups are owed.

    Parameters
    ----------
    rows
        (group, point) weights of 0 or more, each row summing to 1 where its coverage is meant.
    least
        (group,) coverage that a group must reach; minus infinity where it is not owed any.
    judged
        (group,) whether the group is one of those whose smallest share is maximised. Where none
        is, what is maximised is the objective's weighted mean.
    scale
        (group,) what a judged group's coverage is divided by, above 0.
    """

    rows: NDArray[np.float64]
    least: NDArray[np.float64]
    judged: NDArray[np.bool_]
    scale: NDArray[np.float64]

    @property
    def worst(self) -> bool:
        """Whether the smallest share is maximised, and not a mean."""
        return bool(self.judged.any())

    @property
    def named(self) -> frozenset[str]:
        """Names of the goals, as `Method.honours` has them."""
        floors = {"at_least"} if np.isfinite(self.least).any() else set()
        return frozenset(floors | ({"worst"} if self.worst else set()))

    def groups(self, covered: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coverage of each group, (group,), by the points' coverage, (point,)."""
        made: NDArray[np.float64] = (self.rows * covered).sum(axis=1)
        return made

    def shortfall(self, groups: NDArray[np.float64]) -> float:
        """Sum of what groups lack to their floors, 0 where they reach them but for rounding."""
        lacking = self.least * (1.0 - FLOOR_ROOM) - groups
        return float(np.maximum(lacking[np.isfinite(self.least)], 0.0).sum())

    def smallest(self, groups: NDArray[np.float64]) -> float:
        """Smallest share of the judged groups."""
        return float((groups / self.scale)[self.judged].min())
