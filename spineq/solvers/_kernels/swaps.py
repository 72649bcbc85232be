"""Bookkeeping of swaps: what it brings to open one site and close another.

For every point j keep the best and second-best coverage that the open sites give it, c1 and
c2, and the slot r1 of the open site that gives the best (Whitaker 1983). What stands already is
an open site without a slot: it serves as best, as second-best, or as both. With weights w,

    gain(i)     = sum_j w max(0, c_ij - c1)
    loss(r)     = sum over j served by r of w (c1 - c2)
    extra(i, r) = sum over j served by r with c_ij > c2 of w (min(c_ij, c1) - c2)

opening i and closing r changes the value by gain(i) - loss(r) + extra(i, r) (Resende and
Werneck 2007). Only few pairs (i, r) have an extra: they live in a hash table. After a swap
only points whose c1, c2 or r1 changed are taken out and put in again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spineq.solvers._kernels.jit import Array, jit

#: An empty place of the hash table: zero, so that a new table costs nothing until it is used.
EMPTY = 0


@jit
def nearest_two(
    start: Array,
    index: Array,
    value: Array,
    slot_of: Array,
    base: Array,
    points: Array,
    best: Array,
    second: Array,
    server: Array,
    runner_up: Array,
) -> None:
    """Find the best and second-best open site of each of the points.

    Parameters
    ----------
    start, index, value
        Coverage by point, rows of lists with the largest first.
    slot_of
        (site,) slot of an open site, -1 for a closed one.
    base
        (point,) coverage by what stands already and never closes, 0 or more.
    points
        Points to look at.
    best, second
        (point,) coverage by the best and second-best open site, or the base where that is no
        less.
    server, runner_up
        (point,) slot of these; -1 where there is none or the base is no less.
    """
    for k in range(len(points)):
        j = points[k]
        c1 = c2 = base[j]
        r1 = r2 = -1
        for p in range(start[j], start[j + 1]):
            i = p - start[j] if index is None else index[p]
            c = value[p]
            if index is not None and c <= c2:
                break
            slot = slot_of[i]
            if slot >= 0:
                if c > c1:
                    c1, c2, r1, r2 = c, c1, slot, r1
                elif c > c2:
                    c2, r2 = c, slot
        best[j], second[j], server[j], runner_up[j] = c1, c2, r1, r2


@jit
def _place(keys: Array, key: int) -> int:
    """Find a key's place in the table, or the empty place where it would go."""
    mask = len(keys) - 1
    # Fibonacci hashing: neighbouring keys land far apart.
    place = ((key * -7046029254386353131) >> 20) & mask
    while keys[place] != EMPTY and keys[place] != key:
        place = (place + 1) & mask
    return place


@jit
def add_points(
    start: Array,
    index: Array,
    value: Array,
    weight: Array,
    points: Array,
    best: Array,
    second: Array,
    server: Array,
    sign: float,
    gain: Array,
    loss: Array,
    keys: Array,
    extra: Array,
    used: int,
    low: int,
) -> tuple[int, int]:
    """Put points into the books (sign 1) or take them out (sign -1).

    Parameters
    ----------
    start, index, value, weight
        Coverage by point, rows of lists with the largest first, and the points' weights.
    points
        Points to put in or take out.
    best, second, server
        (point,) from `nearest_two`.
    sign
        1.0 or -1.0.
    gain, loss
        (site,) and (slot,), changed in place.
    keys, extra, used
        Hash table of the extras, and how many places are taken. Keys are 1 + site x number of
        slots + slot.
    low
        The first of the points to look at.

    Returns
    -------
    tuple
        Where to go on, and how many places are taken. Not all points are done where the
        table might become too full: move it into a larger one with `move_table` first.
    """
    slots = len(loss)
    for k in range(low, len(points)):
        j = points[k]
        if weight[j] == 0.0:
            continue
        # A point may bring as many new keys as its row is long.
        if used + (start[j + 1] - start[j]) > len(keys) * 0.6:
            return k, used
        c1, c2, r = best[j], second[j], server[j]
        w = sign * weight[j]
        if r >= 0:
            loss[r] += w * (c1 - c2)
        for p in range(start[j], start[j + 1]):
            c = value[p]
            if c > c2:
                i = p - start[j] if index is None else index[p]
                if c > c1:
                    gain[i] += w * (c - c1)
                if r >= 0:
                    key = 1 + i * slots + r
                    place = _place(keys, key)
                    if keys[place] == EMPTY:
                        keys[place] = key
                        used += 1
                    extra[place] += w * (min(c, c1) - c2)
            elif index is not None:
                break
    return len(points), used


@jit
def move_table(
    keys: Array, extra: Array, new_keys: Array, new_extra: Array, low: int, high: int
) -> None:
    """Move places ``low`` to ``high`` of the table of extras into a larger one."""
    for place in range(low, high):
        if keys[place] != EMPTY:
            new = _place(new_keys, keys[place])
            new_keys[new] = keys[place]
            new_extra[new] = extra[place]


@jit
def plain_swap(gain: Array, loss: Array, slot_of: Array, usable: Array) -> tuple[Any, Any]:
    """Find the best swap that leaves the extras out; ties go to the first site and slot.

    Returns
    -------
    tuple
        Change of the value, and the key of the swap: 0 where no site can be opened.
    """
    opened = -1
    for i in range(len(gain)):
        if usable[i] and slot_of[i] < 0 and (opened < 0 or gain[i] > gain[opened]):
            opened = i
    if opened < 0:
        return 0.0, 0
    closed = np.argmin(loss)
    return gain[opened] - loss[closed], 1 + opened * len(loss) + closed


@jit
def best_swap(
    gain: Array,
    loss: Array,
    keys: Array,
    extra: Array,
    slot_of: Array,
    usable: Array,
    change: float,
    key: int,
    low: int,
    high: int,
) -> tuple[Any, Any]:
    """Find a better swap among places ``low`` to ``high`` of the table of extras.

    Extras are never below zero, so a pair without one that beats `plain_swap` does not exist.
    Ties go to the first site, then to the first slot.

    Parameters
    ----------
    gain, loss, keys, extra, slot_of, usable
        The books.
    change, key
        The best swap so far.
    low, high
        Places to look at.

    Returns
    -------
    tuple
        Change of the value, and the key of the swap.
    """
    slots = len(loss)
    for place in range(low, high):
        other = keys[place]
        if other != EMPTY:
            i = (other - 1) // slots
            if usable[i] and slot_of[i] < 0:
                brings = gain[i] - loss[other - 1 - i * slots] + extra[place]
                if brings > change or (brings == change and other < key):
                    change, key = brings, other
    return change, key


@jit
def affected_points(
    start: Array,
    index: Array,
    value: Array,
    opened: int,
    closed: int,
    second: Array,
    server: Array,
    runner_up: Array,
) -> Array:
    """Find the points whose best two change when a site opens and a slot closes, in order.

    Parameters
    ----------
    start, index, value
        Coverage by site.
    opened, closed
        Site to open and slot to close.
    second, server, runner_up
        (point,) from `nearest_two`.
    """
    touched = np.zeros(len(second), dtype=np.bool_)
    for j in range(len(second)):
        touched[j] = server[j] == closed or runner_up[j] == closed
    for p in range(start[opened], start[opened + 1]):
        j = p - start[opened] if index is None else index[p]
        if value[p] > second[j]:
            touched[j] = True
    return np.flatnonzero(touched)
