"""Gains of sites, and lazy greedy."""

from __future__ import annotations

from typing import Any

from spineq.solvers._kernels.jit import Array, jit


@jit
def gain(start: Array, index: Array, value: Array, weight: Array, covered: Array, row: int) -> Any:
    """Added value of one site: sum over points of weight x max(0, value - covered)."""
    # Slices, whose positions from 0 up spare a check each; four running sums, since one alone
    # would have to wait for each addition to end.
    low, high = start[row], start[row + 1]
    found = value[low:high]
    if index is not None:
        columns = index[low:high]
    a = b = c = d = 0.0
    whole = len(found) - len(found) % 4
    for k in range(0, whole, 4):
        if index is None:
            j0, j1, j2, j3 = k, k + 1, k + 2, k + 3
        else:
            j0, j1, j2, j3 = columns[k], columns[k + 1], columns[k + 2], columns[k + 3]
        a += weight[j0] * max(found[k] - covered[j0], 0.0)
        b += weight[j1] * max(found[k + 1] - covered[j1], 0.0)
        c += weight[j2] * max(found[k + 2] - covered[j2], 0.0)
        d += weight[j3] * max(found[k + 3] - covered[j3], 0.0)
    for k in range(whole, len(found)):
        j = k if index is None else columns[k]
        a += weight[j] * max(found[k] - covered[j], 0.0)
    return (a + b) + (c + d)


@jit
def gains(
    start: Array,
    index: Array,
    value: Array,
    weight: Array,
    covered: Array,
    usable: Array,
    out: Array,
    low: int,
    high: int,
) -> None:
    """Write the added value of sites ``low`` to ``high`` into ``out``; 0 where not usable."""
    for row in range(low, high):
        out[row] = gain(start, index, value, weight, covered, row) if usable[row] else 0.0


@jit
def cover(start: Array, index: Array, value: Array, covered: Array, row: int) -> None:
    """Raise ``covered`` (point,) to what the site gives where that is more."""
    for p in range(start[row], start[row + 1]):
        j = p - start[row] if index is None else index[p]
        covered[j] = max(covered[j], value[p])


@jit
def cover_each(start: Array, index: Array, value: Array, covered: Array, rows: Array) -> None:
    """Raise ``covered`` (point,) to what each of the sites ``rows`` gives."""
    for row in rows:
        cover(start, index, value, covered, row)


@jit
def cover_all(
    start: Array, index: Array, value: Array, covered: Array, usable: Array, low: int, high: int
) -> None:
    """Raise ``covered`` (point,) to what the usable ones of sites ``low`` to ``high`` give."""
    for row in range(low, high):
        if usable[row]:
            cover(start, index, value, covered, row)


@jit
def lazy_greedy(
    start: Array,
    index: Array,
    value: Array,
    weight: Array,
    covered: Array,
    bound: Array,
    fresh: Array,
    tree: Array,
    chosen: Array,
    gained: Array,
    placed: int,
    budget: int,
) -> int:
    """Place sensors by lazy greedy (Minoux 1978) until all stand or the budget is spent.

    Parameters
    ----------
    start, index, value, weight
        Coverage by site, and the points' weights.
    covered
        (point,) coverage so far; raised as sensors are placed.
    bound
        (site,) the gain last computed for each site, -1 for a site that cannot be used.
    fresh
        (site,) how many sensors stood when that gain was computed.
    tree
        Tournament over ``bound``, see `plant`.
    chosen, gained
        (sensor,) filled from ``placed`` on.
    placed
        Sensors that stand already.
    budget
        Pairs to look at before returning.

    Returns
    -------
    int
        Sensors that stand now. Fewer than wanted, and ``bound[tree[1]] < 0``: no site is left.
    """
    while placed < len(chosen) and budget > 0:
        best = tree[1]
        if bound[best] < 0.0:
            break
        if fresh[best] == placed:
            chosen[placed] = best
            gained[placed] = bound[best]
            cover(start, index, value, covered, best)
            bound[best] = -1.0
            placed += 1
        else:
            bound[best] = gain(start, index, value, weight, covered, best)
            fresh[best] = placed
        # The tournament takes its time too, also where rows are empty.
        budget -= start[best + 1] - start[best] + 100
        climb(bound, tree, best)
    return placed


@jit
def plant(bound: Array, tree: Array) -> None:
    """Fill a tournament tree over ``bound``: tree[1] is the first of the largest.

    ``tree`` has twice as many entries as the power of two that holds all sites; a leaf
    without a site repeats the last one, which never beats itself.
    """
    leaves = len(tree) // 2
    for leaf in range(leaves):
        tree[leaves + leaf] = min(leaf, len(bound) - 1)
    for node in range(leaves - 1, 0, -1):
        left, right = tree[2 * node], tree[2 * node + 1]
        tree[node] = left if bound[left] >= bound[right] else right


@jit
def climb(bound: Array, tree: Array, site: int) -> None:
    """Put the tournament right after one site's bound has changed."""
    node = (len(tree) // 2 + site) // 2
    while node >= 1:
        left, right = tree[2 * node], tree[2 * node + 1]
        tree[node] = left if bound[left] >= bound[right] else right
        node //= 2
