"""The inner problem of the relaxation: which sites to open, when each has a worth of its own.

Given worths ``rho`` (site,) of 0 or more, the best allowed set is that of the largest sum. Which
sets are allowed depends on ``kind``:

- `PLAIN`: at most n sites;
- `REGIONS`: besides, at most and at least so many in each region. These sets form a generalised
  matroid, where taking the largest first is exact and where the best set with one site's
  decision turned over differs from the best set by one exchange (Murota 2003, Discrete Convex
  Analysis, sections 4 and 6);
- `BUDGET`: costs up to a budget, and regions. With a multiplier mu of 0 or more on the budget,
  ``mu budget + the best of sum (rho - mu cost)`` bounds every allowed set (the continuous
  knapsack, Dantzig 1957); mu is the best one, or near it.

A site's state is 1 (open), -1 (closed) or 0 (free). An impossible node has the worth -inf.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spineq.solvers._kernels.jit import Array, jit

PLAIN, REGIONS, BUDGET = 0, 1, 2

# Halvings of the interval of mu: any mu gives a bound, so that few will do.
_HALVINGS = 30


@jit
def choose(
    kind: int,
    rho: Array,
    state: Array,
    n: int,
    region: Array,
    most: Array,
    least: Array,
    cost: Array,
    budget: float,
    chosen: Array,
) -> tuple[Any, Any]:
    """Choose the best allowed set.

    Parameters
    ----------
    kind
        Which sets are allowed.
    rho, state
        (site,) worth and state.
    n
        Most sites, the open ones included.
    region, most, least
        (site,) region, (region,) most and least sites there, the open ones included.
    cost, budget
        (site,) and all that may be spent, the open ones included.
    chosen
        (site,) filled.

    Returns
    -------
    tuple
        Sum of the worths, or a bound on it where there is a budget; and the multiplier mu.
    """
    if kind == PLAIN:
        return _choose_plain(rho, state, n, chosen), 0.0
    if kind == REGIONS:
        return _choose_regions(rho, state, n, region, most, least, chosen), 0.0
    return _choose_budget(rho, state, region, most, least, cost, budget, chosen)


@jit
def _choose_plain(rho: Array, state: Array, n: int, chosen: Array) -> float:
    total, free, left = 0.0, 0, n
    for i in range(len(rho)):
        chosen[i] = state[i] == 1
        if state[i] == 1:
            total += rho[i]
            left -= 1
        elif state[i] == 0:
            free += 1
    if left < 0:
        return -np.inf
    if left == 0:
        return total
    if left >= free:
        for i in range(len(rho)):
            if state[i] == 0:
                chosen[i] = True
                total += rho[i]
        return total
    worths = np.empty(free)
    k = 0
    for i in range(len(rho)):
        if state[i] == 0:
            worths[k] = rho[i]
            k += 1
    last = np.partition(worths, free - left)[free - left]
    for i in range(len(rho)):
        if state[i] == 0 and rho[i] > last:
            chosen[i] = True
            total += rho[i]
            left -= 1
    # Ties go to the first sites.
    for i in range(len(rho)):
        if left == 0:
            break
        if state[i] == 0 and rho[i] == last:
            chosen[i] = True
            total += rho[i]
            left -= 1
    return total


@jit
def _free_in_order(worth: Array, state: Array) -> Array:
    """Positions of the free sites, largest worth first; ties go to the first site."""
    order = np.argsort(-worth, kind="mergesort")
    made = np.empty(len(worth), dtype=np.int64)
    k = 0
    for i in order:
        if state[i] == 0:
            made[k] = i
            k += 1
    return made[:k]


@jit
def _choose_regions(
    rho: Array, state: Array, n: int, region: Array, most: Array, least: Array, chosen: Array
) -> float:
    total, left = 0.0, n
    count = np.zeros(len(most), dtype=np.int64)
    for i in range(len(rho)):
        chosen[i] = state[i] == 1
        if state[i] == 1:
            total += rho[i]
            left -= 1
            count[region[i]] += 1
    order = _free_in_order(rho, state)
    for i in order:
        if count[region[i]] < least[region[i]]:
            chosen[i] = True
            total += rho[i]
            left -= 1
            count[region[i]] += 1
    if left < 0 or (count < least).any() or (count > most).any():
        return -np.inf
    for i in order:
        if left == 0:
            break
        if not chosen[i] and count[region[i]] < most[region[i]]:
            chosen[i] = True
            total += rho[i]
            left -= 1
            count[region[i]] += 1
    return total


@jit
def _take(
    worth: Array, state: Array, region: Array, most: Array, least: Array, chosen: Array
) -> bool:
    """Choose the best set when only regions count, worths of any sign; False if there is none."""
    count = np.zeros(len(most), dtype=np.int64)
    for i in range(len(worth)):
        chosen[i] = state[i] == 1
        if state[i] == 1:
            count[region[i]] += 1
    if len(most) == 1 and least[0] <= count[0] and most[0] >= len(worth):
        # No region to speak of: whatever is worth its price.
        for i in range(len(worth)):
            if state[i] == 0 and worth[i] > 0.0:
                chosen[i] = True
        return True
    if (count > most).any():
        return False
    for i in _free_in_order(worth, state):
        r = region[i]
        if count[r] < least[r] or (worth[i] > 0.0 and count[r] < most[r]):
            chosen[i] = True
            count[r] += 1
    return not (count < least).any()


@jit
def _spent(cost: Array, chosen: Array) -> float:
    total = 0.0
    for i in range(len(cost)):
        if chosen[i]:
            total += cost[i]
    return total


@jit
def _choose_budget(
    rho: Array,
    state: Array,
    region: Array,
    most: Array,
    least: Array,
    cost: Array,
    budget: float,
    chosen: Array,
) -> tuple[Any, Any]:
    opened = 0.0
    for i in range(len(rho)):
        if state[i] == 1:
            opened += cost[i]
    # What is dearer than all that is left cannot be opened.
    left = budget - opened
    room = 1e-9 * budget
    if left < -room:
        return -np.inf, 0.0
    able = state.copy()
    for i in range(len(rho)):
        if able[i] == 0 and cost[i] > left + room:
            able[i] = -1
    # The cheapest way to keep the regions must be within the budget.
    if not _take(-cost, able, region, most, least, chosen) or _spent(cost, chosen) > budget + room:
        return -np.inf, 0.0
    _take(rho, able, region, most, least, chosen)
    mu = 0.0
    if _spent(cost, chosen) > budget + room:
        low, high = 0.0, 0.0
        for i in range(len(rho)):
            if able[i] == 0 and cost[i] > 0.0:
                high = max(high, rho[i] / cost[i])
        while True:
            _take(rho - high * cost, able, region, most, least, chosen)
            if _spent(cost, chosen) <= budget + room or high > 1e300:
                break
            low, high = high, max(2.0 * high, 1e-300)
        for _ in range(_HALVINGS):
            mu = 0.5 * (low + high)
            _take(rho - mu * cost, able, region, most, least, chosen)
            if _spent(cost, chosen) <= budget + room:
                high = mu
            else:
                low = mu
        mu = high
        _take(rho - mu * cost, able, region, most, least, chosen)
    # The room is part of what may be spent: a bound must not be below what the rules allow.
    total = mu * (budget + room)
    for i in range(len(rho)):
        if chosen[i]:
            total += rho[i] - mu * cost[i]
    return total, mu


@jit
def falls(
    kind: int,
    rho: Array,
    state: Array,
    n: int,
    region: Array,
    most: Array,
    least: Array,
    cost: Array,
    budget: float,
    chosen: Array,
    mu: float,
    fall: Array,
) -> None:
    """Find by how much the worth falls when one free site's decision is turned over.

    Parameters
    ----------
    kind, rho, state, n, region, most, least, cost, budget, chosen, mu
        As `choose` took and left them.
    fall
        (site,) filled for free sites: how much less the best set is worth, 0 or more (but for
        rounding), that leaves the site out where it is chosen, or takes it where it is not;
        inf where there is no such set. With a budget, at this mu: not more than it really is.
    """
    if kind == BUDGET:
        opened = 0.0
        for i in range(len(rho)):
            if state[i] == 1:
                opened += cost[i]
        left, room = budget - opened, 1e-9 * budget
        able = state.copy()
        for i in range(len(rho)):
            if able[i] == 0 and cost[i] > left + room:
                able[i] = -1
        _falls(rho - mu * cost, able, len(rho) + 1, region, most, least, chosen, fall)
        for i in range(len(rho)):
            if state[i] == 0 and able[i] == -1:
                fall[i] = np.inf
    elif kind == REGIONS:
        _falls(rho, state, n, region, most, least, chosen, fall)
    else:
        none = np.zeros(len(rho), dtype=np.int64)
        all_of_them = np.full(1, len(rho), dtype=np.int64)
        _falls(rho, state, n, none, all_of_them, np.zeros(1, dtype=np.int64), chosen, fall)


@jit
def _falls(
    worth: Array,
    state: Array,
    n: int,
    region: Array,
    most: Array,
    least: Array,
    chosen: Array,
    fall: Array,
) -> None:
    n_regions = len(most)
    count = np.zeros(n_regions, dtype=np.int64)
    # Of each region's free sites: the best that is not chosen, the worst that is.
    best_out, worst_in = np.full(n_regions, -np.inf), np.full(n_regions, np.inf)
    total = 0
    for i in range(len(worth)):
        r = region[i]
        if chosen[i]:
            count[r] += 1
            total += 1
            if state[i] == 0:
                worst_in[r] = min(worst_in[r], worth[i])
        elif state[i] == 0:
            best_out[r] = max(best_out[r], worth[i])
    # Over all regions that have room for one more, or can spare one; where the best two differ
    # by region is of no matter, since a region's own is looked at anyway.
    anywhere_out, anywhere_in = -np.inf, np.inf
    for r in range(n_regions):
        if count[r] < most[r]:
            anywhere_out = max(anywhere_out, best_out[r])
        if count[r] > least[r]:
            anywhere_in = min(anywhere_in, worst_in[r])
    for i in range(len(worth)):
        if state[i] != 0:
            continue
        r = region[i]
        if chosen[i]:
            instead = best_out[r]
            if count[r] > least[r]:
                # Nothing instead is allowed too.
                instead = max(instead, 0.0, anywhere_out)
            fall[i] = worth[i] - instead
        else:
            gone = worst_in[r]
            if count[r] < most[r]:
                gone = min(gone, anywhere_in)
                if total < n:
                    # Nothing need go.
                    gone = min(gone, 0.0)
            fall[i] = gone - worth[i]
