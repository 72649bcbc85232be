"""Many groups at once: every swap of a network, judged for each group.

The books are those of `spineq.solvers._kernels.swaps`, with one weight a group and filled from
scratch for each network: with every point's sites in descending order of coverage, a point is
done at the first site that would not be its second best, and no table of extras is needed where
points are taken by the slot that serves them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spineq.solvers._kernels.jit import Array, jit


@jit
def sort_rows(
    start: Array, index: Array, value: Array, site: Array, falling: Array, low: int, high: int
) -> None:
    """Sort rows ``low`` to ``high`` by falling value; equal ones keep their order.

    Parameters
    ----------
    start, index, value
        Coverage by point.
    site, falling
        (pair,) sites and their coverage, written.
    low, high
        Rows to sort.
    """
    for row in range(low, high):
        a, b = start[row], start[row + 1]
        order = np.argsort(-value[a:b], kind="mergesort")
        for k in range(b - a):
            site[a + k] = order[k] if index is None else index[a + order[k]]
            falling[a + k] = value[a + order[k]]


@jit
def best_two(
    start: Array,
    index: Array,
    value: Array,
    sites: Array,
    best: Array,
    second: Array,
    server: Array,
) -> None:
    """Find each point's best and second-best coverage, and the slot that gives the best.

    Parameters
    ----------
    start, index, value
        Coverage by site.
    sites
        (slot,) the open sites.
    best, second
        (point,) coverage by what stands already when called; then by that and the open sites.
    server
        (point,) written: slot of the best, -1 where that is what stood already.
    """
    server[:] = -1
    for slot in range(len(sites)):
        a, b = start[sites[slot]], start[sites[slot] + 1]
        for p in range(a, b):
            j = p - a if index is None else index[p]
            c = value[p]
            if c > best[j]:
                second[j] = best[j]
                best[j] = c
                server[j] = slot
            elif c > second[j]:
                second[j] = c


@jit
def by_server(server: Array, slots: int, first: Array, served: Array) -> None:
    """Sort points by the slot that serves them, in order; -1 comes first.

    ``first`` (slot + 2,), and ``served`` (point,) are written: the points of slot r are
    ``served[first[r + 1] : first[r + 2]]``.
    """
    first[:] = 0
    for j in range(len(server)):
        first[server[j] + 2] += 1
    for r in range(slots + 1):
        first[r + 1] += first[r]
    fill = first.copy()
    for j in range(len(server)):
        served[fill[server[j] + 1]] = j
        fill[server[j] + 1] += 1


@jit
def gains_by_group(
    start: Array,
    site: Array,
    falling: Array,
    rows: Array,
    best: Array,
    gain: Array,
    low: int,
    high: int,
) -> None:
    """Add what each site would bring each group, by points ``low`` to ``high``.

    Parameters
    ----------
    start, site, falling
        Coverage by point, from `sort_rows`.
    rows
        (point, group) weights of 0 or more.
    best
        (point,) coverage so far.
    gain
        (site, group), added to.
    low, high
        Points to look at.
    """
    groups = rows.shape[1]
    for j in range(low, high):
        for p in range(start[j], start[j + 1]):
            more = falling[p] - best[j]
            if more <= 0.0:
                break
            i = site[p]
            for g in range(groups):
                gain[i, g] += rows[j, g] * more


@jit
def ascend(
    start: Array,
    index: Array,
    value: Array,
    row_start: Array,
    site: Array,
    falling: Array,
    weight: Array,
    base: Array,
    usable: Array,
    sites: Array,
    least: float,
    budget: int,
) -> tuple[Any, Any]:
    """Make the best swap again and again, until none brings more than ``least``.

    Parameters
    ----------
    start, index, value
        Coverage by site.
    row_start, site, falling
        Coverage by point, from `sort_rows`.
    weight
        (point,) weights of 0 or more.
    base
        (point,) coverage by what stands already.
    usable
        (site,) whether a sensor may stand there.
    sites
        (slot,) the open sites, changed in place.
    least
        What a swap must bring.
    budget
        Pairs to look at before returning.

    Returns
    -------
    tuple
        Swaps made, and whether no swap helps any more.
    """
    n_sites, n_points, slots = len(start) - 1, len(weight), len(sites)
    best, second = np.empty(n_points), np.empty(n_points)
    server = np.empty(n_points, dtype=np.int64)
    first, served = np.empty(slots + 2, dtype=np.int64), np.empty(n_points, dtype=np.int64)
    rows = np.ascontiguousarray(weight).reshape(n_points, 1)
    extra = np.zeros(n_sites)
    seen, touched = np.empty(n_sites, dtype=np.int64), np.empty(n_sites, dtype=np.int64)
    closed = usable.copy()
    for slot in range(slots):
        closed[sites[slot]] = False
    made = 0
    while budget > 0:
        best[:], second[:] = base, base
        best_two(start, index, value, sites, best, second, server)
        by_server(server, slots, first, served)
        gain = np.zeros((n_sites, 1))
        gains_by_group(row_start, site, falling, rows, best, gain, 0, n_points)
        opened, greatest = -1, 0.0
        for i in range(n_sites):
            if closed[i] and (opened < 0 or gain[i, 0] > greatest):
                opened, greatest = i, gain[i, 0]
        if opened < 0:
            return made, True
        change, change_site, change_slot = -np.inf, -1, -1
        seen[:] = -1
        for slot in range(slots):
            loss, n_touched = 0.0, 0
            for k in range(first[slot + 1], first[slot + 2]):
                j = served[k]
                w, c1, c2 = weight[j], best[j], second[j]
                loss += w * (c1 - c2)
                if w == 0.0:
                    continue
                for p in range(row_start[j], row_start[j + 1]):
                    c = falling[p]
                    if c <= c2:
                        break
                    i = site[p]
                    budget -= 1
                    if closed[i]:
                        if seen[i] != slot:
                            seen[i] = slot
                            extra[i] = 0.0
                            touched[n_touched] = i
                            n_touched += 1
                        extra[i] += w * (min(c, c1) - c2)
            if greatest - loss > change:
                change, change_site, change_slot = greatest - loss, opened, slot
            for k in range(n_touched):
                i = touched[k]
                brings = gain[i, 0] - loss + extra[i]
                # Ties go to the first slot, then to the first site.
                if brings > change or (
                    brings == change and slot == change_slot and i < change_site
                ):
                    change, change_site, change_slot = brings, i, slot
        budget -= 3 * n_points + slots * (start[sites[0] + 1] - start[sites[0]])
        if change <= least:
            return made, True
        closed[sites[change_slot]] = usable[sites[change_slot]]
        closed[change_site] = False
        sites[change_slot] = change_site
        made += 1
    return made, False


@jit
def _reached(known: Array, low: int, high: int, reached: Array) -> int:
    """First of rows ``low`` to ``high`` that is nowhere below; -1 where there is none."""
    for k in range(low, high):
        dominates = True
        for g in range(len(reached)):
            if known[k, g] < reached[g]:
                dominates = False
                break
        if dominates:
            return k
    return -1


@jit
def swaps_of_slots(
    row_start: Array,
    site: Array,
    falling: Array,
    rows: Array,
    best: Array,
    second: Array,
    first: Array,
    served: Array,
    gain: Array,
    now: Array,
    closed: Array,
    screen: Array,
    made: Array,
    made_slot: Array,
    made_site: Array,
    n_made: int,
    low: int,
    budget: int,
) -> tuple[Any, Any]:
    """Keep the swaps of slots ``low`` on that nothing known dominates.

    Parameters
    ----------
    row_start, site, falling
        Coverage by point, from `sort_rows`.
    rows
        (point, group) weights of 0 or more.
    best, second, first, served
        From `best_two` and `by_server`.
    gain
        (site, group) from `gains_by_group`, of all points.
    now
        (group,) coverage by the network.
    closed
        (site,) whether a sensor may stand there and none does.
    screen
        (known, group) coverage by other networks: what one of them reaches in every group is
        left out.
    made, made_slot, made_site
        (kept, group) and (kept,): the swaps kept, written from ``n_made`` on.
    n_made
        How many are kept so far.
    low
        The first slot to look at.
    budget
        Comparisons and pairs to do before returning; one slot at least is done.

    Returns
    -------
    tuple
        The slot to go on with, and how many are kept. Where the room for them is full, the slot
        is that which did not fit: go on with more.
    """
    n_sites, groups = gain.shape
    slots, room = len(first) - 2, len(made)
    extra = np.zeros((n_sites, groups))
    # Sites that bring much come first: what they reach dominates what others do.
    order = np.argsort(-gain.sum(axis=1), kind="mergesort")
    loss, reached = np.empty(groups), np.empty(groups)
    latest = 0
    slot = low
    while slot < slots and budget > 0:
        extra[:] = 0.0
        loss[:] = 0.0
        for k in range(first[slot + 1], first[slot + 2]):
            j = served[k]
            c1, c2 = best[j], second[j]
            for g in range(groups):
                loss[g] += rows[j, g] * (c1 - c2)
            for p in range(row_start[j], row_start[j + 1]):
                c = falling[p]
                if c <= c2:
                    break
                i = site[p]
                budget -= 1
                for g in range(groups):
                    extra[i, g] += rows[j, g] * (min(c, c1) - c2)
        kept_before = n_made
        for k in range(n_sites):
            i = order[k]
            if not closed[i]:
                continue
            # A swap that brings no group anything is dominated by the network itself.
            better = False
            for g in range(groups):
                change = gain[i, g] - loss[g] + extra[i, g]
                reached[g] = now[g] + change
                better = better or change > 0.0
            if not better:
                continue
            # The slot's own swaps first: they lose the same. Then other networks, the one that
            # dominated last before all others.
            dominated = _reached(made, kept_before, n_made, reached) >= 0
            if not dominated and len(screen) > 0:
                dominated = _reached(screen, latest, latest + 1, reached) >= 0
            if not dominated:
                other = _reached(screen, 0, len(screen), reached)
                if other >= 0:
                    dominated, latest = True, other
            budget -= 1 + (len(screen) + n_made - kept_before) // 16
            if dominated:
                continue
            if n_made == room:
                return slot, kept_before
            made[n_made] = reached
            made_slot[n_made] = slot
            made_site[n_made] = i
            n_made += 1
        budget -= n_sites
        slot += 1
    return slot, n_made


@jit
def cover_networks(
    start: Array,
    index: Array,
    value: Array,
    rows: Array,
    base: Array,
    networks: Array,
    reached: Array,
) -> None:
    """Write the coverage of each group by each network.

    Parameters
    ----------
    start, index, value
        Coverage by site.
    rows
        (point, group) weights of 0 or more.
    base
        (point,) coverage by what stands already.
    networks
        (network, sensor) sites.
    reached
        (network, group), written.
    """
    for k in range(len(networks)):
        covered = base.copy()
        for i in networks[k]:
            for p in range(start[i], start[i + 1]):
                j = p - start[i] if index is None else index[p]
                covered[j] = max(covered[j], value[p])
        reached[k] = 0.0
        for j in range(len(rows)):
            for g in range(rows.shape[1]):
                reached[k, g] += rows[j, g] * covered[j]
