"""The best network that shares few enough sites with each of some others."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.insight._desk import Desk, Found
from spineq.model.network import PROVEN_GAP, PROVEN_GAP_OF_AVERSION
from spineq.progress import Progress, SpanProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spineq.solvers.rules import Rules

#: Branches that are looked at, with an effort of 1: a solve each.
MOST_BRANCHES = 200


class _Node(NamedTuple):
    """Limits for the cells, with a network that keeps them and the bound of all that do.

    ``fine`` where it was searched in full, as far as the effort goes.
    """

    least: NDArray[np.int64]
    most: NDArray[np.int64]
    found: Found
    fine: bool


class Branches:
    """The search for the best network that shares few enough sites with each of some others.

    Parameters
    ----------
    desk
        The city, the problem and the solver; the problem has no limits for regions.
    apart
        The others: sites, (sensor,), and how many of them a network may have at most.
    """

    def __init__(self, desk: Desk, apart: Sequence[tuple[NDArray[np.int64], int]]) -> None:
        self._desk = desk
        member = np.zeros((desk.city.n_sites, len(apart)), dtype=np.bool_)
        for number, (sites, _) in enumerate(apart):
            member[sites, number] = True
        # (cell, network) which cell's sites are of which network; and the cell of each site.
        self._of, cell = np.unique(member, axis=0, return_inverse=True)
        self._cell: NDArray[np.int64] = cell.reshape(-1).astype(np.int64)
        self._limit = np.array([limit for _, limit in apart], dtype=np.int64)
        cells = len(self._of)
        self._room = np.bincount(self._cell[desk.usable], minlength=cells).astype(np.int64)
        self._n = min(desk.rules.n, int(desk.usable.sum()))
        # Without them every network has all sensors: none is a mere part of another.
        self._full = desk.rules.prices is None and desk.rules.apart is None

    def best(self, progress: Progress) -> Found | None:
        """Find it; None where there is none, by proof.

        Its bound is what the search has proven: that of what is left open.
        """
        cells = len(self._of)
        most = np.minimum(self._room, self._n)
        first = self._node(np.zeros(cells, dtype=np.int64), most, SpanProgress(progress, 0.0, 0.3))
        if first is None or first.found.stopped:
            return None if first is None else first.found
        order, left = itertools.count(), MOST_BRANCHES * self._desk.problem.effort
        heap = [(-first.found.bound, next(order), first)]
        best: Found | None = None
        bound, solved = -math.inf, 1
        while heap and solved < max(left, 1.0):
            node = heapq.heappop(heap)[2]
            if best is not None and node.found.bound <= best.value * (1.0 + self._noise):
                break
            where = self._broken(node)
            if where is None:
                value = node.found.value
                if math.isfinite(value) and (best is None or value > best.value):
                    best = node.found
                if node.fine:
                    # Nothing in the node is better, as far as that is proven.
                    bound = max(bound, node.found.bound)
                    continue
            share = 1.0 - 0.7 * 0.9**solved
            span = SpanProgress(progress, share, share)
            # A tight bound is enough to branch; only what might be the answer is searched in full.
            again = [(node.least, node.most)] if where is None else self._halves(node, *where)
            for limits in again:
                made = self._node(*limits, span, fine=where is None)
                solved += 1
                if made is not None and made.found.stopped:
                    return made.found
                if made is not None:
                    heapq.heappush(heap, (-made.found.bound, next(order), made))
        else:
            bound = max([bound, *(-entry[0] for entry in heap)])
        if best is None:
            if not heap and math.isinf(bound) and bound < 0.0:
                return None
            return Found(np.empty(0, dtype=np.int64), -math.inf, bound, proven=False)
        bound = max(bound, best.value)
        return best._replace(bound=bound, proven=bound - best.value <= self._noise * bound)

    @property
    def _noise(self) -> float:
        return PROVEN_GAP if self._desk.welfare is None else PROVEN_GAP_OF_AVERSION

    def _node(
        self,
        least: NDArray[np.int64],
        most: NDArray[np.int64],
        progress: Progress,
        *,
        fine: bool = False,
    ) -> _Node | None:
        """Solve a node; None where no network keeps its limits."""
        from spineq.solvers.rules import Regions

        limits = self._drawn_in(least, most)
        if limits is None:
            return None
        least, most = limits
        rules = replace(self._desk.rules, n=self._n, regions=Regions(self._cell, most, least))
        found = self._desk.solve(rules, progress, coarse=not fine)
        if found is None:
            return None
        if math.isfinite(found.value):
            found = found._replace(sites=self._filled(rules, found.sites))
            if len(found.sites) == 0:
                return None
        return _Node(least, most, found, fine or found.proven)

    def _drawn_in(
        self, least: NDArray[np.int64], most: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Draw what the networks' limits imply; None where nothing is left.

        A cell may have what a network's limit leaves beside what its other cells must have.
        """
        most = most.copy()
        for number, limit in enumerate(self._limit):
            mine = self._of[:, number]
            spare = int(limit) - int(least[mine].sum())
            if spare < 0:
                return None
            most[mine] = np.minimum(most[mine], least[mine] + spare)
        impossible = (least > most).any() or int(least.sum()) > self._n
        if impossible or (self._full and int(most.sum()) < self._n):
            return None
        return least, most

    def _filled(self, rules: Rules, sites: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add sensors that add nothing, where there is room: without any it is no network."""
        while len(sites) < self._n:
            able = np.flatnonzero(rules.allowed_beside(sites, self._desk.usable))
            if len(able) == 0:
                break
            sites = np.append(sites, able[0])
        return sites

    def _broken(self, node: _Node) -> tuple[int, int] | None:
        """Where to branch: a cell of the network with too many sites in common, and a number.

        The cell is the fullest one. Limits of either half, fewer sensors in it than the number or
        at least as many, forbid what was found; of all such numbers it is the middle one.
        """
        count = np.bincount(self._cell[node.found.sites], minlength=len(self._of))
        over = self._of.T.astype(np.int64) @ count - self._limit
        if (over <= 0).all():
            return None
        worst = int(np.argmax(over))
        mine, more = self._of[:, worst], count - node.least
        cell = int(np.argmax(np.where(mine & (more > 0), count, -1)))
        rest = mine.copy()
        rest[cell] = False
        spare = int(self._limit[worst]) - int(node.least[rest].sum())
        lowest = spare - int(more[rest].max(initial=0)) + 1
        lowest = max(lowest, int(node.least[cell]) + 1)
        return cell, (min(lowest, int(count[cell])) + int(count[cell]) + 1) // 2

    def _halves(
        self, node: _Node, cell: int, number: int
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Limits of a node's two halves: fewer sensors in a cell, or at least so many."""
        fewer, more = node.most.copy(), node.least.copy()
        fewer[cell], more[cell] = number - 1, number
        return [(node.least, fewer), (more, node.most)]
