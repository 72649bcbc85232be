"""What rules leave room for: which sites may be opened, or opened in the place of another."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spineq.solvers._kernels.gains import climb, cover, gain
from spineq.solvers._kernels.jit import Array, jit


class Room(NamedTuple):
    """The books of the rules, changed in place by `open_site` and `close_site`.

    A site is free where it is usable, closed, and not too near to an open one. A region lacks
    sensors as long as it has fewer than it must have.

    Parameters
    ----------
    usable, opened
        (site,) marks.
    region, most, least
        (site,) region, (region,) sensors at most and at least.
    count, free
        (region,) open sites and free sites.
    cost
        (site,) 0 or more.
    in_region, by_cost
        (region + 1,) where each region's sites begin in ``by_cost`` (site,), cheapest first.
    dearest
        (region,) the dearest of the cheapest free sites that a region lacks; 0 where it lacks
        none.
    start, site
        Lists of the sites too near to each, as in `Apart`.
    near, nearest
        (site,) how many open sites are too near, and the sum of their positions: with one, its
        position.
    number
        Open sites, most of them, and how many all regions lack.
    money
        Spent, to spend (infinite where there are no prices), and the cost of the cheapest free
        sites that the regions lack.
    hits
        (region,) zeros, to count in.
    """

    usable: Array
    opened: Array
    region: Array
    most: Array
    least: Array
    count: Array
    free: Array
    cost: Array
    in_region: Array
    by_cost: Array
    dearest: Array
    start: Array
    site: Array
    near: Array
    nearest: Array
    number: Array
    money: Array
    hits: Array


@jit
def price_lacking(room: Room) -> None:
    """Find the cheapest free sites that regions lack; infinite where there are too few."""
    total = 0.0
    for r in range(len(room.least)):
        lacks = room.least[r] - room.count[r]
        room.dearest[r] = 0.0
        for k in range(room.in_region[r], room.in_region[r + 1]):
            if lacks <= 0:
                break
            i = room.by_cost[k]
            if room.usable[i] and not room.opened[i] and room.near[i] == 0:
                total += room.cost[i]
                room.dearest[r] = room.cost[i]
                lacks -= 1
        if lacks > 0:
            total = np.inf
    room.money[2] = total


@jit
def may_open(room: Room, i: int) -> bool:
    """Whether one more site may be opened, so that what the regions lack stays in reach.

    Without a spacing, no is said only where no allowed network has the open sites and this
    one, and yes only where there is one, provided that there was one before: the sites that
    regions lack are any, or with prices the cheapest. With a spacing yes may be wrong: that
    each region has enough free sites by itself does not say that they are far enough apart.

    Once it is no, it stays no until a site is closed: room only shrinks. (What is left beyond
    the cheapest completion never grows, and a site's part in that never does.)
    """
    r = room.region[i]
    if not room.usable[i] or room.opened[i] or room.near[i] > 0:
        return False
    if room.number[0] >= room.number[1] or room.count[r] >= room.most[r]:
        return False
    lacks = room.count[r] < room.least[r]
    if not lacks and room.number[0] + 1 + room.number[2] > room.number[1]:
        return False
    # A site of a region that lacks one takes the place of the dearest of the cheapest.
    saved = min(room.cost[i], room.dearest[r]) if lacks else 0.0
    if room.money[0] + room.cost[i] + (room.money[2] - saved) > room.money[1]:
        return False
    if room.number[2] == 0 or room.start[i] == room.start[i + 1]:
        return True
    enough = True
    for k in range(room.start[i], room.start[i + 1]):
        j = room.site[k]
        if room.usable[j] and not room.opened[j] and room.near[j] == 0:
            q = room.region[j]
            room.hits[q] += 1
            # For the site's own region, one place less to fill and one free site less.
            lacking = room.least[q] - room.count[q]
            enough = enough and (lacking <= 0 or room.free[q] - room.hits[q] >= lacking)
    for k in range(room.start[i], room.start[i + 1]):
        room.hits[room.region[room.site[k]]] = 0
    return enough


@jit
def open_site(room: Room, i: int) -> None:
    """Open a site."""
    _turn(room, i, 1)


@jit
def open_sites(room: Room, sites: Array) -> None:
    """Open several sites."""
    for i in sites:
        _turn(room, i, 1)


@jit
def close_site(room: Room, i: int) -> None:
    """Close a site."""
    _turn(room, i, -1)


@jit
def _turn(room: Room, i: int, sign: int) -> None:
    r = room.region[i]
    if room.usable[i] and room.near[i] == 0:
        room.free[r] -= sign
    room.opened[i] = sign > 0
    room.number[0] += sign
    before = max(room.least[r] - room.count[r], 0)
    room.count[r] += sign
    room.number[2] += max(room.least[r] - room.count[r], 0) - before
    room.money[0] += sign * room.cost[i]
    for k in range(room.start[i], room.start[i + 1]):
        j = room.site[k]
        was_near = room.near[j] > 0
        room.near[j] += sign
        room.nearest[j] += sign * i
        if was_near != (room.near[j] > 0) and room.usable[j] and not room.opened[j]:
            room.free[room.region[j]] -= sign
    if np.isfinite(room.money[1]):
        price_lacking(room)


@jit
def may_swap(room: Room, i: int, out: int) -> bool:
    """Whether site ``i`` may be opened when the open site ``out`` is closed.

    The network keeps the rules before; whether it does afterwards.
    """
    if not room.usable[i] or room.opened[i]:
        return False
    r, q = room.region[i], room.region[out]
    if r != q and (room.count[r] >= room.most[r] or room.count[q] <= room.least[q]):
        return False
    if room.money[0] - room.cost[out] + room.cost[i] > room.money[1]:
        return False
    return bool(room.near[i] == 0 or (room.near[i] == 1 and room.nearest[i] == out))


@jit
def fill_in_order(room: Room, order: Array, low: int, high: int) -> None:
    """Open those of the sites in ``order[low:high]`` that may be, one after the other."""
    for k in range(low, high):
        if may_open(room, order[k]):
            open_site(room, order[k])


@jit
def takes_from_lacking(room: Room, sites: Array, out: Array) -> None:
    """Count the free sites of regions that lack some which each of the sites is too near to."""
    for s in range(len(sites)):
        out[s] = 0
        for k in range(room.start[sites[s]], room.start[sites[s] + 1]):
            j = room.site[k]
            free = room.usable[j] and not room.opened[j] and room.near[j] == 0
            if free and room.count[room.region[j]] < room.least[room.region[j]]:
                out[s] += 1


@jit
def lazy_greedy_in_room(
    start: Array,
    index: Array,
    value: Array,
    weight: Array,
    covered: Array,
    room: Room,
    per_cost: bool,
    gains: Array,
    key: Array,
    fresh: Array,
    tree: Array,
    chosen: Array,
    gained: Array,
    placed: int,
    budget: int,
) -> int:
    """Place sensors by lazy greedy where there is room, until there is none or for some time.

    As `lazy_greedy`, but for what is said here. A site that may not be opened is left for
    good, since it never may again.

    Parameters
    ----------
    room
        Books of the rules.
    per_cost
        Whether the gain is divided by the cost, where that is not 0, to choose by.
    gains
        (site,) the gain last computed for each site: an upper bound on its gain.
    key
        (site,) the same, or divided by the cost; -1 for a site that is placed or left.
    chosen, gained
        (sensor,) filled from ``placed`` on, long enough.

    Returns
    -------
    int
        Sensors that stand now. It has ended where ``key[tree[1]] < 0``.
    """
    # Money is not spent on what adds nothing.
    priced = np.isfinite(room.money[1])
    while budget > 0:
        best = tree[1]
        if key[best] < 0.0:
            break
        budget -= 100 + room.start[best + 1] - room.start[best]
        if not may_open(room, best) or (priced and key[best] == 0.0):
            key[best] = -1.0
        elif fresh[best] == placed:
            chosen[placed] = best
            gained[placed] = gains[best]
            cover(start, index, value, covered, best)
            gains[best] = 0.0
            key[best] = -1.0
            open_site(room, best)
            placed += 1
            budget -= start[best + 1] - start[best]
            if priced and room.number[2] > 0:
                budget -= len(room.cost)
        else:
            gains[best] = gain(start, index, value, weight, covered, best)
            key[best] = gains[best]
            if per_cost and room.cost[best] > 0.0:
                key[best] /= room.cost[best]
            fresh[best] = placed
            budget -= start[best + 1] - start[best]
        climb(key, tree, best)
    return placed


@jit
def plain_swap_in_room(
    gain: Array,
    loss: Array,
    by_loss: Array,
    sites: Array,
    room: Room,
    change: float,
    key: int,
    low: int,
    work: int,
) -> tuple[Any, Any, Any]:
    """Find the best allowed swap that leaves the extras out; ties as in `best_swap`.

    Parameters
    ----------
    gain, loss
        The books.
    by_loss
        (slot,) slots, those with the smallest loss first.
    sites
        (slot,) the open sites.
    room
        Books of the rules.
    change, key
        The best swap so far; minus infinity and 0 where there is none.
    low
        The first site to look at.
    work
        Pairs of site and slot to look at before returning.

    Returns
    -------
    tuple
        Change of the value, the key of the swap, and the site to go on with.
    """
    slots = len(loss)
    for i in range(low, len(gain)):
        if work <= 0:
            return change, key, i
        work -= 1
        if not room.usable[i] or room.opened[i]:
            continue
        for slot in by_loss:
            work -= 1
            brings = gain[i] - loss[slot]
            if brings < change:
                # The others lose more.
                break
            other = 1 + i * slots + slot
            if (brings > change or other < key) and may_swap(room, i, sites[slot]):
                change, key = brings, other
    return change, key, len(gain)


@jit
def best_swap_in_room(
    gain: Array,
    loss: Array,
    keys: Array,
    extra: Array,
    sites: Array,
    room: Room,
    change: float,
    key: int,
    low: int,
    high: int,
) -> tuple[Any, Any]:
    """Find a better allowed swap among places ``low`` to ``high`` of the table of extras."""
    slots = len(loss)
    for place in range(low, high):
        other = keys[place]
        if other != 0:
            i = (other - 1) // slots
            slot = other - 1 - i * slots
            brings = gain[i] - loss[slot] + extra[place]
            better = brings > change or (brings == change and other < key)
            if better and may_swap(room, i, sites[slot]):
                change, key = brings, other
    return change, key
