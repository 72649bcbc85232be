"""The rules as far as the Lagrangian relaxation's inner problem keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spineq.solvers import _kernels
from spineq.solvers._kernels.choose import BUDGET as PRICED
from spineq.solvers._kernels.choose import PLAIN, REGIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Rules

_Limits = tuple[
    "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]", float
]


@dataclass(frozen=True, eq=False)
class Choice:
    """What may be open together, as the kernel `choose` takes it; arrays over the sites left.

    Parameters
    ----------
    kind
        One of the kernel's kinds.
    n
        Most sites.
    region, most, least
        (site,) and (region,).
    cost
        (site,), zeros where there is no budget.
    budget
        What may be spent.
    """

    kind: int
    n: int
    region: NDArray[np.int64]
    most: NDArray[np.int64]
    least: NDArray[np.int64]
    cost: NDArray[np.float64]
    budget: float

    @property
    def arguments(self) -> _Limits:
        """What follows ``n`` among the kernels' arguments."""
        return self.region, self.most, self.least, self.cost, self.budget


def choice_of(objective: Objective, rules: Rules) -> Choice:
    """Relax the rules to those that the inner problem can keep exactly, or nearly so.

    Spacing becomes regions, where there are none: sites all too near to each other, a clique of
    the conflicts, get one sensor at most.
    """
    n_sites = objective.n_sites
    region = np.zeros(n_sites, dtype=np.int64)
    most, least = np.full(1, n_sites, dtype=np.int64), np.zeros(1, dtype=np.int64)
    kind = PLAIN
    if rules.regions is not None:
        region, most, least = rules.regions
        kind = REGIONS
    elif rules.apart is not None:
        region = _kernels.cliques(*rules.apart, objective.usable_sites)
        most = np.ones(int(region.max()) + 1, dtype=np.int64)
        least = np.zeros(len(most), dtype=np.int64)
        kind = REGIONS
    cost, budget = np.zeros(n_sites), 0.0
    if rules.prices is not None:
        cost, budget, kind = rules.prices.cost, float(rules.prices.budget), PRICED
    return Choice(kind, rules.n, region, most, least, cost, budget)
