"""A tight bound where sensors may fail: the Lagrangian relaxation of the ranks.

With x_ijk = 1 where site i is the k-th best of point j, y_i = 1 where it is open, each rank is
filled once at most, and a site has one rank at most and none while it is closed. Relaxing
``sum_i x_ijk <= 1`` with multipliers leaves, in units of coverage,

    L(v) = sum_j w_j sum_k d_k v_jk + the best allowed sum of rho_i
    rho_i = sum_j w_j max(0, max_k d_k (c_ij - v_jk)),   d_k = (1 - p) p^(k-1)

a bound for every v (with p = 0 and rank 1 alone, that of Cornuejols, Fisher, Nemhauser 1977; the
ranks are those of Snyder and Daskin 2005). What stands already is open, and its worth is added.
Of K ranks, where there are more sensors, the last one has the weight p^(K-1) of all that come
after it: none of those covers more. With pairs cut off no multiplier may be below the cut-off's
level. Sites are fixed as in `spineq.solvers.relaxation`, and a network is begun from as there: with
what can be expected, in its books, of the sensors behind the k-th.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.solvers import _kernels
from spineq.solvers._kernels import failing as kernels
from spineq.solvers._kernels import relax
from spineq.solvers.coverage import blocks
from spineq.solvers.failing_books import rank_weights, ranks_for
from spineq.solvers.relaxation import Relaxation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.failing_books import Book, Books

#: Ranks with a multiplier of their own, at most; and the chance of more failures that is left to
#: the last of them, where fewer will do.
MOST_RANKS, _LEFT = 8, 1e-6

#: Pairs that are looked at in one go: some milliseconds.
_LOOKED_AT = 400_000


class Ranks:
    """The relaxation of an instance, and its multipliers.

    Parameters
    ----------
    books
        The instance.
    most_ranks
        Ranks with a multiplier of their own, at most, 1 up.

    Attributes
    ----------
    often
        (site,) how often a site was open in the latest relaxed choices, 0 to 1.
    state
        (site,) 1 for open, -1 for closed, 0 for free, in every network above the target.
    work
        Pairs looked at so far, times ranks.
    """

    def __init__(self, books: Books, most_ranks: int = MOST_RANKS) -> None:
        self._books = books
        plain = replace(books.objective, base=None, goals=None)
        self._relaxation = Relaxation(plain, books.rules)
        self._choice, self.state = self._relaxation.choice, self._relaxation.state
        p, most = books.probability, max(books.most, 1)
        ranks = most if most <= most_ranks else min(most_ranks, ranks_for(p, most, _LEFT))
        self._d = rank_weights(p, ranks)
        if ranks < most:
            self._d[-1] = p ** (ranks - 1)
        self._standing = np.ascontiguousarray(books.chances.standing[:, :ranks])
        self.often = np.zeros(plain.n_sites)
        self._rho, self._chosen = np.zeros(plain.n_sites), np.zeros(plain.n_sites, dtype=np.bool_)
        self._memory = np.zeros(8)
        self.work = 0

    def open(self) -> Iterator[float]:
        """Sort the pairs, in pieces of some milliseconds; yields the share done."""
        yield from self._relaxation.open()
        start, _, value = self._lists = self._relaxation.lists
        n_points, ranks = len(start) - 1, len(self._d)
        floor = self._books.objective.coverage.floor
        top = np.full(n_points, floor)
        filled = np.diff(start) > 0
        np.maximum(top, self._standing.max(axis=1, initial=0.0), out=top)
        top[filled] = np.maximum(top[filled], value[start[:-1][filled]])
        self._top = np.repeat(top, ranks)
        self._lowest = np.full(n_points * ranks, floor)
        self._direction = np.zeros(n_points * ranks)

    def begin(self, book: Book) -> None:
        """Start from what can be expected behind each rank of a network."""
        ranks = len(self._d)
        v = np.zeros((len(book.tail), ranks))
        behind = book.tail[:, 1 : ranks + 1]
        v[:, : behind.shape[1]] = behind
        self._v = np.maximum(v.ravel(), self._lowest)
        self._best_v = self._v.copy()

    def restart(self, scale: float, aim: float) -> None:
        """Forget the pace of the ascent, and aim at a value; go on from the best multipliers."""
        self._v[:] = self._best_v
        self._direction[:] = 0.0
        self._memory[:] = 0.0
        self._memory[relax.BEST] = np.inf
        self._memory[relax.SCALE] = scale
        self._memory[relax.DEFLECTION] = 0.7
        self._memory[relax.AIM] = aim

    @property
    def bound(self) -> float:
        """Best bound of the ascent since it was restarted."""
        return float(self._memory[relax.BEST])

    def aim(self, value: float) -> None:
        """Let the steps aim at another value."""
        self._memory[relax.AIM] = value

    def step(self, target: float, patience: int, least_scale: float) -> Iterator[bool]:
        """Make one step as `relax.ascend` does, in pieces of some milliseconds.

        Yields
        ------
        bool
            False after each piece; at last whether the ascent has ended.
        """
        memory, choice, weight = self._memory, self._choice, self._books.objective.weight
        start = self._lists[0]
        self._rho[:] = 0.0
        base = 0.0
        for low, high in blocks(start, _LOOKED_AT):
            part, seen = kernels.rank_worths(
                *self._lists, weight, self._d, self._standing, self._v, self._rho, low, high
            )
            base += float(part)
            self.work += (2 * int(seen) + high - low) * len(self._d)
            yield False
        worth, _ = _kernels.choose(
            choice.kind, self._rho, self.state, choice.n, *choice.arguments, self._chosen
        )
        bound = base + float(worth)
        action = relax.take_note(
            bound, self._v, self._best_v, self.often, self._chosen, memory, patience, least_scale
        )
        if memory[relax.BEST] <= target or action == 2:
            yield True
            return
        if action == 1:
            self._direction[:] = 0.0
            return
        norm = 0.0
        for low, high in blocks(start, _LOOKED_AT):
            norm += float(
                kernels.rank_turn(
                    *self._lists, weight, self._d, self._standing, self._top, self._lowest,
                    self._v, self._chosen, memory[relax.DEFLECTION], self._direction, low, high,
                )
            )  # fmt: skip
            yield False
        if norm <= 0.0:
            yield True
            return
        length = memory[relax.SCALE] * max(bound - memory[relax.AIM], 1e-9 * abs(bound)) / norm
        relax.move(
            self._v, self._direction, self._top, self._lowest, float(length), 0, len(self._v)
        )
        yield False

    def fix(self, target: float) -> Iterator[int]:
        """Decide sites at the best multipliers; yields after each piece, at last how many.

        A free site that the relaxed choice leaves out is closed where the bound of all choices
        with it is not above the target; one that it takes is opened where that of all choices
        without it is not.
        """
        weight, choice = self._books.objective.weight, self._choice
        self._rho[:] = 0.0
        base = 0.0
        for low, high in blocks(self._lists[0], _LOOKED_AT):
            part, _ = kernels.rank_worths(
                *self._lists, weight, self._d, self._standing, self._best_v, self._rho, low, high
            )
            base += float(part)
            yield 0
        arguments = (choice.kind, self._rho, self.state, choice.n, *choice.arguments, self._chosen)
        worth, mu = _kernels.choose(*arguments)
        bound, free = base + float(worth), self.state == 0
        if not np.isfinite(bound):
            yield 0
            return
        fall = np.zeros(len(free))
        _kernels.falls(*arguments, mu, fall)
        decided = free & (bound - fall <= target)
        self.state[decided & self._chosen] = 1
        self.state[decided & ~self._chosen] = -1
        yield int(decided.sum())

    def wanted(self) -> NDArray[np.int64]:
        """Positions of sites, (site,): open ones first, then by how often they were chosen."""
        wish = np.where(self.state == 1, 3.0, np.where(self.state == 0, 1.0 + self.often, 0.0))
        return np.argsort(-wish, kind="stable")
