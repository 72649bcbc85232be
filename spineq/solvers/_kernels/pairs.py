"""Pairs of site and point within a radius, sorted and flipped."""

from __future__ import annotations

import numpy as np

from spineq.solvers._kernels.jit import Array, jit


@jit
def make_grid(points: Array, radius: float) -> tuple[Array, Array, float, float, float, int, int]:
    """Sort points into square cells a little larger than the radius.

    Returns first (cell + 1,), member (point,), west, south, cell size, columns, rows.
    """
    west, south = points[:, 0].min(), points[:, 1].min()
    width, height = points[:, 0].max() - west, points[:, 1].max() - south
    # Larger by a hair: rounding must not put a point at the radius into the cell after the
    # next. And not more cells than some millions, however small the radius is.
    size = max(radius * (1.0 + 1e-9), max(width, height) / 2000.0, 1e-9)
    columns, rows = int(width / size) + 1, int(height / size) + 1
    first = np.zeros(columns * rows + 1, dtype=np.int64)
    cell = np.empty(len(points), dtype=np.int64)
    for j in range(len(points)):
        cell[j] = int((points[j, 1] - south) / size) * columns + int((points[j, 0] - west) / size)
        first[cell[j] + 1] += 1
    for c in range(columns * rows):
        first[c + 1] += first[c]
    member = np.empty(len(points), dtype=np.int64)
    fill = first[:-1].copy()
    for j in range(len(points)):
        member[fill[cell[j]]] = j
        fill[cell[j]] += 1
    return first, member, west, south, size, columns, rows


@jit
def _cells(
    x: float, y: float, west: float, south: float, size: float, columns: int, rows: int
) -> tuple[int, int, int, int]:
    # Floor, not truncation: a site may lie outside the points' box, and far outside it.
    column = int(min(max(np.floor((x - west) / size), -2.0), columns + 1.0))
    row = int(min(max(np.floor((y - south) / size), -2.0), rows + 1.0))
    return (
        min(max(column - 1, 0), columns),
        max(min(column + 2, columns), 0),
        min(max(row - 1, 0), rows),
        max(min(row + 2, rows), 0),
    )


@jit
def count_pairs(
    sites: Array,
    points: Array,
    first: Array,
    member: Array,
    west: float,
    south: float,
    size: float,
    columns: int,
    rows: int,
    radius: float,
    start: Array,
    low: int,
    step: int,
    budget: int,
) -> int:
    """Write into ``start[i + 1]`` how many points lie within the radius of site i.

    Parameters
    ----------
    sites, points
        (site, 2) and (point, 2), metres.
    first, member, west, south, size, columns, rows
        From `make_grid`.
    radius
        Metres.
    start
        (site + 1,), written.
    low, step
        The first site to look at; then every ``step``-th.
    budget
        Distances to compute before returning.

    Returns
    -------
    int
        The site to go on with: the number of sites, or more, when all are done.
    """
    i = low
    while i < len(sites) and budget > 0:
        x, y = sites[i, 0], sites[i, 1]
        left, right, bottom, top = _cells(x, y, west, south, size, columns, rows)
        count = 0
        for row in range(bottom, top):
            a, b = first[row * columns + left], first[row * columns + right]
            for k in range(a, b):
                j = member[k]
                dx, dy = x - points[j, 0], y - points[j, 1]
                if np.sqrt(dx * dx + dy * dy) <= radius:
                    count += 1
            budget -= b - a
        start[i + 1] = count
        budget -= 10
        i += step
    return i


@jit
def fill_pairs(
    sites: Array,
    points: Array,
    first: Array,
    member: Array,
    west: float,
    south: float,
    size: float,
    columns: int,
    rows: int,
    radius: float,
    start: Array,
    point: Array,
    distance: Array,
    low: int,
    high: int,
) -> None:
    """Write the points within the radius of sites ``low`` to ``high``, and distances, metres.

    As `count_pairs`, with ``point`` and ``distance`` (pair,) written where ``start`` says.
    """
    for i in range(low, high):
        x, y = sites[i, 0], sites[i, 1]
        left, right, bottom, top = _cells(x, y, west, south, size, columns, rows)
        p = start[i]
        for row in range(bottom, top):
            a, b = first[row * columns + left], first[row * columns + right]
            for k in range(a, b):
                j = member[k]
                dx, dy = x - points[j, 0], y - points[j, 1]
                d = np.sqrt(dx * dx + dy * dy)
                if d <= radius:
                    point[p] = j
                    distance[p] = d
                    p += 1


@jit
def count_columns(index: Array, count: Array, low: int, high: int) -> None:
    """Add to ``count[column + 1]`` how often pairs ``low`` to ``high`` name a column."""
    for p in range(low, high):
        count[index[p] + 1] += 1


@jit
def flip_rows(
    start: Array,
    index: Array,
    value: Array,
    fill: Array,
    row_of: Array,
    moved: Array,
    low: int,
    high: int,
) -> None:
    """Move rows ``low`` to ``high`` of the lists into columns, in order.

    Parameters
    ----------
    start, index, value
        The lists, by row.
    fill
        (column,) where the next entry of each column goes; moved on.
    row_of, moved
        (pair,) the lists by column, written.
    low, high
        Rows to move.
    """
    for row in range(low, high):
        for p in range(start[row], start[row + 1]):
            q = fill[index[p]]
            row_of[q] = row
            moved[q] = value[p]
            fill[index[p]] = q + 1


# Rows, or parts of them, up to this length are sorted by insertion.
_SHORT = 20


@jit
def sort_rows(start: Array, index: Array, value: Array, low: int, high: int) -> None:
    """Sort rows ``low`` to ``high`` in place: largest value first, ties by index.

    Quicksort with the median of three (Hoare 1962): no two entries of a row are equal, since
    their indices differ. The longer part waits, so that few ever do.
    """
    waiting = np.empty((64, 2), dtype=np.int64)
    for row in range(low, high):
        a, b, n = start[row], start[row + 1], 0
        while True:
            while b - a > _SHORT:
                middle = (a + b) // 2
                _in_order(index, value, a, middle)
                _in_order(index, value, middle, b - 1)
                _in_order(index, value, a, middle)
                c, k = value[middle], index[middle]
                i, j = a, b - 1
                while True:
                    while value[i] > c or (value[i] == c and index[i] < k):
                        i += 1
                    while value[j] < c or (value[j] == c and index[j] > k):
                        j -= 1
                    if i >= j:
                        break
                    value[i], value[j] = value[j], value[i]
                    index[i], index[j] = index[j], index[i]
                    i += 1
                    j -= 1
                cut = j + 1
                if cut - a > b - cut:
                    waiting[n, 0], waiting[n, 1] = a, cut
                    a = cut
                else:
                    waiting[n, 0], waiting[n, 1] = cut, b
                    b = cut
                n += 1
            for p in range(a + 1, b):
                c, k, q = value[p], index[p], p - 1
                while q >= a and (value[q] < c or (value[q] == c and index[q] > k)):
                    value[q + 1], index[q + 1] = value[q], index[q]
                    q -= 1
                value[q + 1], index[q + 1] = c, k
            if n == 0:
                break
            n -= 1
            a, b = waiting[n, 0], waiting[n, 1]


@jit
def _in_order(index: Array, value: Array, i: int, j: int) -> None:
    if value[j] > value[i] or (value[j] == value[i] and index[j] < index[i]):
        value[i], value[j] = value[j], value[i]
        index[i], index[j] = index[j], index[i]
