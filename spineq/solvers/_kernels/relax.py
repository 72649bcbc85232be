"""The Lagrangian relaxation of "each point is served once", one pass at a time.

In units of coverage: with a multiplier v_j for each point,

    L(v) = sum_j w_j v_j + the best allowed sum of rho_i,   rho_i = sum_j w_j max(0, c_ij - v_j)

bounds every network's value from above (Cornuejols, Fisher, Nemhauser 1977, whose u_j is
``w_j v_j``). Pairs lie by point, largest coverage first, so that a pass over a point stops at
the first pair below its multiplier. ``low`` (point,) is the least that a multiplier may be: what
the point has anyway, by base or cut-off, or minus infinity once it is known that in every better
network it has more.

The file is long because each kernel says what its arrays hold; they share no code to cut along.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spineq.solvers._kernels.choose import choose
from spineq.solvers._kernels.jit import Array, jit

# Places of the ascent's memory: best bound, step scale, steps without progress, deflection of
# the step, value that the step aims at, value of the best relaxed choice, steps done, pairs seen.
BEST, SCALE, STALLED, DEFLECTION, AIM, PRIMAL, STEPS, SEEN = 0, 1, 2, 3, 4, 5, 6, 7

# A bound lower by less than this share is no progress.
_PROGRESS = 1e-7


@jit
def count_ranked(
    start: Array,
    index: Array,
    value: Array,
    usable: Array,
    rest: Array,
    low: int,
    high: int,
    count: Array,
) -> None:
    """Count the pairs of points ``low`` to ``high`` that `fill_ranked` will write."""
    for j in range(low, high):
        for p in range(start[j], start[j + 1]):
            i = p - start[j] if index is None else index[p]
            if value[p] > rest[j] and usable[i]:
                count[j] += 1


@jit
def fill_ranked(
    start: Array,
    index: Array,
    value: Array,
    usable: Array,
    rest: Array,
    low: int,
    high: int,
    new_start: Array,
    site: Array,
    coverage: Array,
) -> None:
    """Write points ``low`` to ``high`` as lists, largest coverage first, ties by site.

    Parameters
    ----------
    start, index, value
        Coverage by point.
    usable
        (site,) whether the site takes part.
    rest
        (point,) what a pair must exceed.
    low, high
        Points to write.
    new_start
        (point + 1,) where each point's pairs go.
    site, coverage
        (pair,) filled.
    """
    for j in range(low, high):
        first = new_start[j]
        q = first
        for p in range(start[j], start[j + 1]):
            i = p - start[j] if index is None else index[p]
            if value[p] > rest[j] and usable[i]:
                site[q], coverage[q] = i, value[p]
                q += 1
        in_order = True
        for k in range(first + 1, q):
            in_order = in_order and coverage[k] <= coverage[k - 1]
        if in_order:
            # As lists come, and then with ties by site.
            continue
        order = np.argsort(-coverage[first:q], kind="mergesort")
        sites, values = site[first:q].copy(), coverage[first:q].copy()
        for k in range(len(order)):
            site[first + k], coverage[first + k] = sites[order[k]], values[order[k]]


@jit
def second_best(
    start: Array,
    site: Array,
    value: Array,
    opened: Array,
    rest: Array,
    low: int,
    high: int,
    v: Array,
) -> None:
    """Write into ``v`` the second-best coverage that open sites and the rest give a point."""
    for j in range(low, high):
        found = 0
        v[j] = rest[j]
        for p in range(start[j], start[j + 1]):
            if opened[site[p]]:
                found += 1
                if found == 2:
                    v[j] = value[p]
                    break


@jit
def worths(
    start: Array,
    site: Array,
    value: Array,
    weight: Array,
    v: Array,
    rho: Array,
    low: int,
    high: int,
) -> tuple[Any, Any]:
    """Add points ``low`` to ``high`` to the worths ``rho``; returns their w v, and pairs seen."""
    total, seen = 0.0, 0
    for j in range(low, high):
        w, vj = weight[j], v[j]
        total += w * vj
        for p in range(start[j], start[j + 1]):
            over = value[p] - vj
            seen += 1
            if over <= 0.0:
                break
            rho[site[p]] += w * over
    return total, seen


@jit
def add_up(parts: Array, total: Array) -> None:
    """Write the sums of columns of ``parts`` (part, site) into ``total`` (site,), in order."""
    total[:] = parts[0]
    for k in range(1, len(parts)):
        for i in range(len(total)):
            total[i] += parts[k, i]


@jit
def serve(start: Array, index: Array, value: Array, rows: Array, v: Array, served: Array) -> None:
    """Count in ``served`` (point,) by how many of the sites ``rows`` a point is served.

    ``start, index, value`` are lists by site; a site serves where it covers more than ``v``.
    """
    for i in rows:
        for p in range(start[i], start[i + 1]):
            if value[p] > v[index[p]]:
                served[index[p]] += 1


@jit
def turn_served(
    served: Array,
    weight: Array,
    top: Array,
    deflection: float,
    d: Array,
    low: int,
    high: int,
) -> Any:
    """Turn the direction as `turn` does, where it is known how often a point is served."""
    norm = 0.0
    for j in range(low, high):
        d[j] = 1.0 - served[j] + deflection * d[j]
        norm += weight[j] * top[j] * d[j] * d[j]
    return norm


@jit
def turn(
    start: Array,
    site: Array,
    value: Array,
    weight: Array,
    top: Array,
    v: Array,
    chosen: Array,
    deflection: float,
    d: Array,
    low: int,
    high: int,
) -> Any:
    """Turn the direction ``d`` of points ``low`` to ``high``; returns their scaled square.

    ``d_j = 1 - times served + deflection x d_j of the step before``.
    """
    norm = 0.0
    for j in range(low, high):
        served, vj = 0, v[j]
        for p in range(start[j], start[j + 1]):
            if value[p] <= vj:
                break
            if chosen[site[p]]:
                served += 1
        d[j] = 1.0 - served + deflection * d[j]
        norm += weight[j] * top[j] * d[j] * d[j]
    return norm


@jit
def move(v: Array, d: Array, top: Array, lowest: Array, step: float, low: int, high: int) -> None:
    """Move the multipliers of points ``low`` to ``high``: each by its own scale ``top``."""
    for j in range(low, high):
        v[j] = max(v[j] - step * top[j] * d[j], lowest[j])


@jit
def value_of(
    start: Array,
    site: Array,
    value: Array,
    weight: Array,
    rest: Array,
    chosen: Array,
    low: int,
    high: int,
) -> Any:
    """Value of a choice at points ``low`` to ``high``, as the relaxation's pairs have it."""
    total = 0.0
    for j in range(low, high):
        best = rest[j]
        for p in range(start[j], start[j + 1]):
            if chosen[site[p]]:
                best = max(best, value[p])
                break
        total += weight[j] * best
    return total


@jit
def take_note(
    bound: float,
    v: Array,
    best_v: Array,
    often: Array,
    chosen: Array,
    memory: Array,
    patience: int,
    least_scale: float,
) -> int:
    """Keep the best multipliers and pace the steps.

    Returns
    -------
    int
        0 to move on; 1 to start again from the best multipliers, which ``v`` now holds; 2 to end.
    """
    memory[STEPS] += 1
    if bound < memory[BEST]:
        memory[STALLED] = 0.0 if bound < memory[BEST] * (1 - _PROGRESS) else memory[STALLED] + 1
        memory[BEST] = bound
        best_v[:] = v
    else:
        memory[STALLED] += 1
    for i in range(len(often)):
        often[i] = 0.9 * often[i] + (0.1 if chosen[i] else 0.0)
    if memory[STALLED] < patience:
        return 0
    memory[SCALE] *= 0.6
    memory[STALLED] = 0.0
    memory[DEFLECTION] = 0.7 if memory[DEFLECTION] == 0.0 else 0.0
    v[:] = best_v
    return 2 if memory[SCALE] < least_scale else 1


@jit
def ascend(
    start: Array,
    site: Array,
    value: Array,
    weight: Array,
    top: Array,
    lowest: Array,
    rest: Array,
    constant: float,
    kind: int,
    state: Array,
    n: int,
    region: Array,
    most: Array,
    least: Array,
    cost: Array,
    budget: float,
    v: Array,
    best_v: Array,
    d: Array,
    rho: Array,
    chosen: Array,
    often: Array,
    best_choice: Array,
    memory: Array,
    steps: int,
    target: float,
    patience: int,
    least_scale: float,
) -> tuple[Any, Any]:
    """Make subgradient steps down from the multipliers ``v`` (Held, Wolfe, Crowder 1974).

    The step of point j is scaled by its largest coverage ``top``: ``v_j -= t top_j d_j`` with
    ``t = scale (L - aim) / sum_j w_j top_j d_j^2``. After ``patience`` steps without progress
    the scale shrinks, and it goes on from the best multipliers.

    Returns
    -------
    tuple
        Steps made; and whether the ascent has ended: the best bound is at the target or no
        allowed choice is left (then it is minus infinity), the scale is used up, or the
        relaxed choice serves every point once.
    """
    points = len(v)
    for done in range(steps):
        rho[:] = 0.0
        base, seen = worths(start, site, value, weight, v, rho, 0, points)
        memory[SEEN] += 2 * seen
        worth, _ = choose(kind, rho, state, n, region, most, least, cost, budget, chosen)
        bound = constant + base + worth
        action = take_note(bound, v, best_v, often, chosen, memory, patience, least_scale)
        if memory[BEST] <= target:
            return done + 1, True
        if action == 2:
            return done + 1, True
        if action == 1:
            d[:] = 0.0
            continue
        norm = turn(start, site, value, weight, top, v, chosen, memory[DEFLECTION], d, 0, points)
        if int(memory[STEPS]) % 5 == 1 or norm <= 0.0:
            primal = constant + value_of(start, site, value, weight, rest, chosen, 0, points)
            if primal > memory[PRIMAL]:
                memory[PRIMAL] = primal
                best_choice[:] = chosen
        if norm <= 0.0:
            return done + 1, True
        # Where the aim is met already, a small step all the same.
        step = memory[SCALE] * max(bound - memory[AIM], 1e-9 * abs(bound)) / norm
        move(v, d, top, lowest, step, 0, points)
    return steps, False


@jit
def count_reduced(
    start: Array,
    site: Array,
    value: Array,
    weight: Array,
    v: Array,
    state: Array,
    chosen: Array,
    fall: Array,
    bound: float,
    target: float,
    low: int,
    high: int,
    keep: Array,
    count: Array,
) -> None:
    """Mark the pairs of points ``low`` to ``high`` that a better network may use.

    In the relaxation with point j served by site i, which must then be open, the bound is
    ``L + w_j (c_ij - v_j)``, less what opening i costs where it is not chosen (``fall``). Where
    that is not above the target, no network above the target serves j by i.
    """
    for j in range(low, high):
        for p in range(start[j], start[j + 1]):
            i = site[p]
            if state[i] < 0:
                continue
            if value[p] < v[j]:
                opening = 0.0 if chosen[i] or state[i] == 1 else max(fall[i], 0.0)
                if bound + weight[j] * (value[p] - v[j]) - opening <= target:
                    continue
            keep[p] = True
            count[j] += 1


@jit
def fill_reduced(
    start: Array,
    site: Array,
    value: Array,
    keep: Array,
    new_id: Array,
    new_start: Array,
    new_site: Array,
    new_value: Array,
    low: int,
    high: int,
) -> None:
    """Write the kept pairs of points ``low`` to ``high``, with the sites' new positions."""
    for j in range(low, high):
        q = new_start[j]
        for p in range(start[j], start[j + 1]):
            if keep[p]:
                new_site[q], new_value[q] = new_id[site[p]], value[p]
                q += 1


@jit
def group_slopes(
    start: Array,
    site: Array,
    value: Array,
    v: Array,
    chosen: Array,
    rows: Array,
    out: Array,
    low: int,
    high: int,
) -> None:
    """Add each group's coverage by a relaxed choice to ``out`` (group,).

    ``sum_j row_kj (v_j + sum over chosen i of max(0, c_ij - v_j))``: the slope of L in the
    group's weight.
    """
    for j in range(low, high):
        total = v[j]
        for p in range(start[j], start[j + 1]):
            if value[p] <= v[j]:
                break
            if chosen[site[p]]:
                total += value[p] - v[j]
        for k in range(len(rows)):
            out[k] += rows[k, j] * total
