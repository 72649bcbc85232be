"""Multipliers on the groups: how much each counts in the relaxation of goals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.relaxation import Relaxation
    from spineq.solvers.search import Search

# Weight of a choice in the running mean of the groups' coverage.
_NEWS = 0.1


class Shares:
    """Moves the groups' shares towards those that fall short; does nothing without goals.

    Any shares give a valid bound (`Relaxation.reweigh`); these are subgradient steps in them,
    paced as the points' multipliers are.

    Parameters
    ----------
    search, relaxation
        The search and its relaxation.
    """

    def __init__(self, search: Search, relaxation: Relaxation) -> None:
        self._search, self._relaxation = search, relaxation
        self._goals = search.objective.goals
        self._best = relaxation.shares
        self._best_bound = math.inf
        self._mean: NDArray[np.float64] | None = None

    def restart(self) -> None:
        """Begin a new ascent from the best shares."""
        self._best_bound = math.inf
        self._mean = None

    def aim(self) -> float:
        """Value that steps aim at: the best one, or a little below the bound without any."""
        search, bound = self._search, self._search.bound
        if math.isfinite(search.value):
            return search.value
        return bound - 0.05 * abs(bound) if math.isfinite(bound) else 0.0

    def update(self) -> None:
        """Keep the shares of the best bound, and move on from the present ones."""
        goals, relaxation = self._goals, self._relaxation
        if goals is None or not math.isfinite(relaxation.bound):
            return
        if relaxation.bound < self._best_bound:
            self._best_bound, self._best = relaxation.bound, relaxation.shares
        slopes = relaxation.slopes()
        self._mean = slopes if self._mean is None else (1 - _NEWS) * self._mean + _NEWS * slopes
        shares, scale = relaxation.shares, relaxation.pace
        assert shares is not None  # goals have shares
        over = max(self._best_bound - self.aim(), 1e-6 * abs(self._best_bound))
        moved = shares.copy()
        owed = np.isfinite(goals.least) & ~goals.judged
        if owed.any():
            lack = np.where(owed, np.where(owed, goals.least, 0.0) - self._mean, 0.0)
            square = float((lack**2).sum())
            if square > 0.0:
                moved = np.maximum(shares + 0.3 * scale * over / square * lack, 0.0)
        if goals.worst:
            judged = goals.judged
            reached = (self._mean / goals.scale)[judged]
            apart = reached - float((reached * shares[judged]).sum())
            square = float((apart**2).sum())
            if square > 0.0:
                pull = np.clip(0.3 * scale * over / square * apart, -0.5, 0.5)
                pulled = shares[judged] * np.exp(-pull)
                # Nobody's share is quite lost, or it could not come back.
                pulled = np.maximum(pulled / pulled.sum(), 1e-6)
                moved[judged] = pulled / pulled.sum()
        relaxation.reweigh(moved)

    def recall(self) -> None:
        """Go back to the shares of the best bound."""
        if self._goals is not None and self._best is not None:
            self._relaxation.reweigh(self._best)
