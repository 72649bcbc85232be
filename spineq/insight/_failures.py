"""Which k sensors a network misses most: a branch and bound over sets of them.

Let the sensors of each demand point be sorted by the coverage that they give it, c_1 >= c_2 >= ...
When the set R fails, the point's coverage falls to that of the first sensor that is not in R, so
that the whole loses

    loss(R) = sum over points, and j = 1..|R|, of weight (c_j - c_(j+1)) [the first j are in R]:

a sum of worths of those "backing sets" that R contains, which is supermodular: the loss of two is
more than that of each. The most that k sensors can lose is a densest k-subhypergraph, which is
hard in general; here backing sets are small and of neighbours, and a bound is good enough.

For sensors T that fail beside R, the worth of a backing set of q sensors that still work is shared
out: to one of them whole where q is 1, else equally among its ordered pairs (or, where these are
very many, equally among the q). Then

    loss(R and T) <= loss(R) + sum over i in T of (own_i + the m - 1 largest of shared_ij over j)

with m = |T|. With m up to 2 this is exact, and the best T is found by looking. Nodes are taken
best bound first (Land and Doig 1960), so that the largest bound of those that are left is a bound
on every set when the work ends early.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import combinations, count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from spineq.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: Members of backing sets that are looked at before a proof is given up: some seconds of work.
WORK = 1_000_000_000

#: The same between two reports: some milliseconds.
_BETWEEN_REPORTS = 1_000_000

#: Loss that rounding may hide, in units of coverage.
ROUNDING = 1e-12

#: Numbers of pairs up to which a table of all of them is quicker than sorting.
_TABLE = 100_000

#: Pairs of sensors within backing sets that are looked at for one bound.
_PAIRS = 300_000

#: First sensors from which a set to begin with is looked for.
_STARTS = 12


class BackingSets(NamedTuple):
    """Sensors on which some people's coverage hangs together.

    Parameters
    ----------
    member
        (set, rank) sensors of each set, ascending, then ``n`` for none.
    worth
        (set,) weighted coverage that is lost when all of the set fail, above 0.
    n
        Number of sensors.
    """

    member: NDArray[np.int32]
    worth: NDArray[np.float64]
    n: int


def backing_sets(
    sensor: NDArray[np.int32], step: NDArray[np.float64], n: int, progress: Progress
) -> BackingSets | None:
    """Gather the backing sets of all points; None where the watcher asked to stop.

    Parameters
    ----------
    sensor
        (point, rank) the sensors that cover each point best, best first.
    step
        (point, rank) weight times what is lost from this rank to the next, 0 or more.
    n
        Number of sensors.
    """
    ranks = sensor.shape[1]
    members, worths = [], []
    for j in range(1, ranks + 1):
        some = np.flatnonzero(step[:, j - 1] > 0.0)
        ordered = np.sort(sensor[some, :j], axis=1)
        order = np.lexsort(ordered.T[::-1])
        ordered = ordered[order]
        new = np.ones(len(some), dtype=np.bool_)
        new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
        member = np.full((int(new.sum()), ranks), n, dtype=np.int32)
        member[:, :j] = ordered[new]
        members.append(member)
        which = np.cumsum(new) - 1
        worths.append(np.bincount(which, weights=step[some[order], j - 1], minlength=len(member)))
        if progress.report(j / ranks, "comparing what fails together"):
            return None
    return BackingSets(np.concatenate(members), np.concatenate(worths), n)


class Worst(NamedTuple):
    """The sensors that are missed most.

    Parameters
    ----------
    sensors
        Positions of the worst sensors found, ascending.
    bound
        What no such set's loss exceeds, in units of coverage.
    proven
        Whether none loses more, but for rounding.
    stopped
        Whether the watcher asked to stop.
    """

    sensors: tuple[int, ...]
    bound: float
    proven: bool
    stopped: bool


@dataclass(frozen=True, eq=False)
class _Node:
    """Sensors that fail already, and what each of the others may add.

    Parameters
    ----------
    gone
        Sensors that fail.
    loss
        What is lost by them.
    order
        The sensors that may follow, those that may add most first.
    most
        (sensor + 1,) sums of what the first of ``order`` may add, 0 first.
    """

    gone: tuple[int, ...]
    loss: float
    order: NDArray[np.int64]
    most: NDArray[np.float64]

    def bound(self, t: int, m: int) -> float:
        """Bound the loss of m more of which the first in ``order`` is its t-th."""
        return self.loss + float(self.most[t + m] - self.most[t])


class _Search:
    """The search and what it knows so far."""

    def __init__(self, sets: BackingSets, k: int, limit: int, progress: Progress) -> None:
        self.sets, self.k, self.limit, self.progress = sets, k, limit, progress
        self.best, self.loss = tuple(range(k)), 0.0
        self.spent, self.reported, self.share = 0, 0, 0.0
        self.root_bound = self.bound = np.inf
        self.stopped = False

    def over(self) -> bool:
        """Whether to end: the work is done, or the watcher asks to stop."""
        if self.spent - self.reported >= _BETWEEN_REPORTS and not self.stopped:
            self.reported = self.spent
            open_share = 1.0
            if np.isfinite(self.bound) and self.root_bound > self.loss:
                open_share = (self.bound - self.loss) / (self.root_bound - self.loss)
            self.share = max(self.share, 1.0 - open_share, self.spent / self.limit)
            words = "looking for the sensors that are missed most"
            self.stopped = self.progress.report(min(self.share, 1.0), words)
        return self.stopped or self.spent >= self.limit

    def take(self, sensors: Iterable[int], loss: float) -> bool:
        """Note a set of sensors; whether it loses more than the best so far."""
        if loss <= self.loss + ROUNDING:
            return False
        self.best, self.loss = tuple(sorted(int(i) for i in sensors)), loss
        return True

    def opened(
        self, gone: tuple[int, ...], allowed: NDArray[np.bool_]
    ) -> tuple[float, list[NDArray[np.int32]], list[NDArray[np.float64]]]:
        """What is lost, and what may be lost besides by so many sensors as are missing yet.

        Returns
        -------
        tuple
            Loss by those that are gone; and for q = 1, 2, ... the backing sets of which q sensors
            work yet, (set, q), and their worth.
        """
        member, worth, n = self.sets
        self.spent += member.size + 5_000
        m, off = self.k - len(gone), np.zeros(n + 1, dtype=np.bool_)
        off[list(gone)] = True
        off[n] = True
        works = ~off[member]
        left = works.sum(axis=1)
        possible = (off | np.append(allowed, True))[member].all(axis=1)
        sets, worths = [], []
        for q in range(1, m + 1):
            rows = np.flatnonzero(possible & (left == q))
            sets.append(member[rows][works[rows]].reshape(-1, q))
            worths.append(worth[rows])
        return float(worth[left == 0].sum()), sets, worths

    def complete(self, gone: tuple[int, ...], allowed: NDArray[np.bool_]) -> tuple[set[int], float]:
        """Add the one or two sensors, of the allowed ones, that lose most; and what is lost."""
        loss, sets, worths = self.opened(gone, allowed)
        n, free = self.sets.n, np.flatnonzero(allowed)
        own = _each(sets[0][:, 0], worths[0], n)
        ordered = free[np.argsort(-own[free], kind="stable")]
        m = self.k - len(gone)
        chosen, most = ordered[:m], float(own[ordered[:m]].sum())
        if m == 2 and len(sets[1]):
            key, shared = _summed(sets[1][:, 0] * np.int64(n) + sets[1][:, 1], worths[1], n)
            one, other = np.divmod(key, n)
            both = own[one] + own[other] + shared
            top = int(np.argmax(both))
            if both[top] > most:
                chosen, most = np.array([one[top], other[top]]), float(both[top])
        return {*gone, *(int(i) for i in chosen)}, loss + most

    def node(self, gone: tuple[int, ...], allowed: NDArray[np.bool_]) -> _Node:
        """Bound what each of the allowed sensors may add."""
        loss, sets, worths = self.opened(gone, allowed)
        n, m = self.sets.n, self.k - len(gone)
        add = _each(sets[0][:, 0], worths[0], n)
        keys, weights, paired = [np.empty(0, dtype=np.int64)], [np.empty(0)], 0
        for q in range(2, m + 1):
            one, other = np.triu_indices(q, 1)
            paired += len(one) * len(sets[q - 1])
            if paired > _PAIRS:
                # Shared out to single sensors: a bound too, but a looser one.
                single = sets[q - 1].ravel()
                add += _each(single, np.repeat(worths[q - 1] / q, q), n)
                continue
            pair = sets[q - 1][:, one] * np.int64(n) + sets[q - 1][:, other]
            self.spent += 4 * pair.size
            keys.append(pair.ravel())
            weights.append(np.repeat(worths[q - 1] / (q * (q - 1)), len(one)))
        key, shared = _summed(np.concatenate(keys), np.concatenate(weights), n)
        one, other = np.divmod(key, n)
        mine, shared = np.concatenate([one, other]), np.concatenate([shared, shared])
        order = np.lexsort((-shared, mine))
        mine, shared = mine[order], shared[order]
        rank = np.arange(len(mine)) - np.searchsorted(mine, mine)
        near = rank < m - 1
        add += _each(mine[near], shared[near], n)
        free = np.flatnonzero(allowed)
        ordered = free[np.argsort(-add[free], kind="stable")]
        return _Node(gone, loss, ordered, np.concatenate([[0.0], np.cumsum(add[ordered])]))

    def begin(self, first: _Node) -> None:
        """Look for a good set: one sensor after the other, then two exchanged at a time."""
        everyone = np.ones(self.sets.n, dtype=np.bool_)
        self.root_bound = self.bound = first.bound(0, self.k)
        for start in first.order[:_STARTS]:
            gone: tuple[int, ...] = (int(start),)
            while self.k - len(gone) > 2 and not self.over():
                allowed = _without(everyone, gone)
                gone = (*gone, int(self.node(gone, allowed).order[0]))
            if self.over():
                return
            self.take(*self.complete(gone, _without(everyone, gone)))
        better = True
        while better:
            better = False
            for pair in combinations(self.best, 2):
                if self.over():
                    return
                rest = tuple(i for i in self.best if i not in pair)
                if self.take(*self.complete(rest, _without(everyone, rest))):
                    better = True
                    break

    def run(self) -> Worst:
        """Branch until no set can lose more, the work is done, or a stop is asked for."""
        allowed = np.ones(self.sets.n, dtype=np.bool_)
        if self.k <= 2:
            self.take(*self.complete((), allowed))
            return Worst(self.best, self.loss, proven=True, stopped=False)
        number, root = count(), self.node((), allowed)
        self.begin(root)
        heap: list[tuple[float, int, int, _Node]] = []

        def push(node: _Node, t: int, most: float) -> None:
            m = self.k - len(node.gone)
            if t + m > len(node.order):
                return
            bound = min(most, node.bound(t, m))
            if bound > self.loss + ROUNDING:
                heapq.heappush(heap, (-bound, next(number), t, node))

        push(root, 0, np.inf)
        while heap and -heap[0][0] > self.loss + ROUNDING:
            self.bound = -heap[0][0]
            if self.over():
                return Worst(self.best, self.bound, proven=False, stopped=self.stopped)
            least, _, t, node = heapq.heappop(heap)
            push(node, t + 1, -least)
            gone = (*node.gone, int(node.order[t]))
            allowed = np.zeros(self.sets.n, dtype=np.bool_)
            allowed[node.order[t + 1 :]] = True
            if self.k - len(gone) <= 2:
                self.take(*self.complete(gone, allowed))
            else:
                push(self.node(gone, allowed), 0, -least)
        return Worst(self.best, self.loss, proven=True, stopped=False)


def most_missed(sets: BackingSets, k: int, progress: Progress, limit: int | None = None) -> Worst:
    """Find the k sensors whose failing together loses most.

    Parameters
    ----------
    sets
        From `backing_sets`, with at least k ranks.
    k
        How many fail, 1 to the number of sensors.
    progress
        Watcher; when it asks to stop, what is known by then is returned, marked.
    limit
        Members of backing sets to look at before the proof is given up; `WORK` by default.
    """
    if k == sets.n:
        return Worst(tuple(range(k)), float(sets.worth.sum()), proven=True, stopped=False)
    return _Search(sets, k, WORK if limit is None else limit, progress).run()


def _without(allowed: NDArray[np.bool_], gone: tuple[int, ...]) -> NDArray[np.bool_]:
    made = allowed.copy()
    made[list(gone)] = False
    return made


def _each(
    sensor: NDArray[np.integer[Any]], weight: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """Sum weights by sensor, (sensor,); NumPy's sums of nothing are whole numbers."""
    return np.bincount(sensor, weights=weight, minlength=n).astype(np.float64)


def _summed(
    key: NDArray[np.int64], weight: NDArray[np.float64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sum weights by key, 0 to n * n; keys ascending, those without a weight left out."""
    if n * n <= _TABLE:
        table = np.bincount(key, weights=weight, minlength=n * n).astype(np.float64)
        some = np.flatnonzero(table).astype(np.int64)
        return some, table[some]
    found, which = np.unique(key, return_inverse=True)
    return found, np.bincount(which, weights=weight, minlength=len(found)).astype(np.float64)
