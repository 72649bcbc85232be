"""Sensors that may fail: gains, and the relaxation of "each rank of a point is filled once".

Each sensor works with probability 1 - p. With c_0 >= c_1 >= ... the coverages of a point by the
open sites, the coverage to be expected is ``sum_k d_k c_k``, ``d_k = (1 - p) p^k``. Books hold
for every point the first ranks, ``table`` (point, rank), and what can be expected of those from
each rank on, ``tail`` (point, rank): ``tail_k = (1 - p) c_k + p tail_(k+1)``. A site that would
come at rank q then adds ``d_q (c - tail_q)``: those behind it fall back by one rank.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spineq.solvers._kernels.gains import climb
from spineq.solvers._kernels.jit import Array, jit


@jit
def insert(table: Array, j: int, c: float) -> bool:
    """Put a coverage into the ranks of a point, the last of which is dropped; if it has a rank."""
    k = table.shape[1] - 1
    if c <= table[j, k]:
        return False
    while k > 0 and table[j, k - 1] < c:
        table[j, k] = table[j, k - 1]
        k -= 1
    table[j, k] = c
    return True


@jit
def insert_all(table: Array, covered: Array) -> None:
    """Put one sensor's coverage, (point,), into the ranks of every point."""
    for j in range(len(covered)):
        insert(table, j, covered[j])


@jit
def settle(table: Array, tail: Array, p: float, low: int, high: int) -> None:
    """Find what can be expected from each rank on, of points ``low`` to ``high``."""
    for j in range(low, high):
        more = 0.0
        for k in range(table.shape[1] - 1, -1, -1):
            more = (1.0 - p) * table[j, k] + p * more
            tail[j, k] = more


@jit
def stand(start: Array, index: Array, value: Array, table: Array, row: int) -> None:
    """Put a site into the ranks of its points; `settle` is the caller's."""
    for q in range(start[row], start[row + 1]):
        insert(table, q - start[row] if index is None else index[q], value[q])


@jit
def expected_gain(
    start: Array,
    index: Array,
    value: Array,
    weight: Array,
    d: Array,
    table: Array,
    tail: Array,
    row: int,
) -> Any:
    """What one more site adds to the weighted coverage to be expected, 0 or more."""
    total, last = 0.0, table.shape[1] - 1
    for q in range(start[row], start[row + 1]):
        j = q - start[row] if index is None else index[q]
        c = value[q]
        if c <= table[j, last]:
            continue
        # The first rank with less, by halving: all before k have c or more.
        k, end = 0, last
        while k < end:
            middle = (k + end) // 2
            if table[j, middle] >= c:
                k = middle + 1
            else:
                end = middle
        total += weight[j] * d[k] * (c - tail[j, k])
    return total


@jit
def expected_gains(
    start: Array,
    index: Array,
    value: Array,
    weight: Array,
    d: Array,
    table: Array,
    tail: Array,
    able: Array,
    out: Array,
    low: int,
    high: int,
) -> None:
    """Write what sites ``low`` to ``high`` add into ``out``; -1 where none may stand."""
    for row in range(low, high):
        out[row] = -1.0
        if able[row]:
            out[row] = expected_gain(start, index, value, weight, d, table, tail, row)


@jit
def expected_greedy(
    start: Array,
    index: Array,
    value: Array,
    weight: Array,
    d: Array,
    p: float,
    table: Array,
    tail: Array,
    bound: Array,
    price: Array,
    fresh: Array,
    tree: Array,
    chosen: Array,
    placed: int,
    until: int,
    budget: int,
) -> int:
    """Place sensors by lazy greedy; as `gains.lazy_greedy`, but for the gain.

    Parameters
    ----------
    start, index, value, weight
        Coverage by site, and the points' weights.
    d, p
        (rank,) weights of the ranks, and the probability of failing.
    table, tail
        The books, kept up to date.
    bound
        (site,) gain last computed, divided by ``price``; -1 for a site that cannot be used.
    price
        (site,) by what gains are divided, above 0.
    fresh
        (site,) how many sensors stood then.
    tree
        Tournament over ``bound``.
    chosen
        (sensor,) filled from ``placed`` up to ``until``.
    placed, until
        Sensors that stand, and that shall stand at the return.
    budget
        Pairs to look at before returning.
    """
    while placed < until and budget > 0:
        best = tree[1]
        if bound[best] < 0.0:
            break
        if fresh[best] == placed:
            chosen[placed] = best
            stand(start, index, value, table, best)
            settle(table, tail, p, 0, len(table))
            bound[best] = -1.0
            placed += 1
            budget -= table.size
        else:
            gain = expected_gain(start, index, value, weight, d, table, tail, best)
            bound[best] = gain / price[best]
            fresh[best] = placed
        budget -= start[best + 1] - start[best] + 100
        climb(bound, tree, best)
    return placed


@jit
def rank_worths(
    start: Array,
    site: Array,
    value: Array,
    weight: Array,
    d: Array,
    standing: Array,
    v: Array,
    rho: Array,
    low: int,
    high: int,
) -> tuple[Any, Any]:
    """Add points ``low`` to ``high`` to the sites' worths; returns the rest of the bound.

    ``rho_i = sum_j w_j max(0, max_k d_k (c_ij - v_jk))``, with v (point x rank) flat.

    Returns
    -------
    tuple
        ``sum_j w_j sum_k d_k v_jk`` and the worths of what stands; and pairs seen.
    """
    ranks, total, seen = len(d), 0.0, 0
    # Sites come in falling order, whose best rank then only rises where the weights fall.
    falls = ranks < 2 or d[ranks - 1] < d[ranks - 2]
    for j in range(low, high):
        w, at = weight[j], j * ranks
        least, own = v[at], 0.0
        for k in range(ranks):
            least = min(least, v[at + k])
            own += d[k] * v[at + k]
        for r in range(standing.shape[1]):
            if standing[j, r] <= least:
                break
            best = 0.0
            for k in range(ranks):
                best = max(best, d[k] * (standing[j, r] - v[at + k]))
            own += best
        total += w * own
        first = 0
        for q in range(start[j], start[j + 1]):
            c = value[q]
            seen += 1
            if c <= least:
                break
            best, rank = 0.0, first
            for k in range(first, ranks):
                worth = d[k] * (c - v[at + k])
                if worth >= best:
                    best, rank = worth, k
            if falls:
                first = rank
            rho[site[q]] += w * best
    return total, seen


@jit
def rank_turn(
    start: Array,
    site: Array,
    value: Array,
    weight: Array,
    d: Array,
    standing: Array,
    top: Array,
    lowest: Array,
    v: Array,
    chosen: Array,
    deflection: float,
    direction: Array,
    low: int,
    high: int,
) -> Any:
    """Turn the direction, (point x rank) flat, of points ``low`` to ``high``; its scaled square.

    ``1 - times served + deflection x that of the step before``, 0 where a multiplier would fall
    below the least that it may be.
    """
    ranks, norm = len(d), 0.0
    served = np.zeros(ranks)
    for j in range(low, high):
        at = j * ranks
        served[:] = 0.0
        least = v[at]
        for k in range(ranks):
            least = min(least, v[at + k])
        for r in range(standing.shape[1]):
            c = standing[j, r]
            if c <= least:
                break
            best, rank = 0.0, 0
            for k in range(ranks):
                worth = d[k] * (c - v[at + k])
                if worth >= best:
                    best, rank = worth, k
            served[rank] += 1.0
        for q in range(start[j], start[j + 1]):
            c = value[q]
            if c <= least:
                break
            if chosen[site[q]]:
                best, rank = 0.0, 0
                for k in range(ranks):
                    worth = d[k] * (c - v[at + k])
                    if worth >= best:
                        best, rank = worth, k
                served[rank] += 1.0
        for k in range(ranks):
            turned = 1.0 - served[k] + deflection * direction[at + k]
            if turned > 0.0 and v[at + k] <= lowest[at + k]:
                turned = 0.0
            direction[at + k] = turned
            norm += weight[j] * d[k] * top[at + k] * turned * turned
    return norm
