"""Weightings of the groups: an even lattice, and where to look closer."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Weightings of the finest lattice at most, with effort 1: four groups in steps of 1/12 are 455.
MOST_WEIGHTS = 500

# Parts into which a lattice divides the whole weight. Each is a multiple of the one before, so
# that the weightings of the coarse are among those of the fine.
_PARTS = (1, 3, 6, 12, 24, 48, 96)


def lattice(groups: int, parts: int) -> NDArray[np.int64]:
    """All ways to give ``parts`` equal parts to the groups, (weighting, group).

    The lattice of Das and Dennis (1998); divided by ``parts`` each sums to 1. The corners, one
    group alone, are among them.
    """
    cuts = combinations(range(parts + groups - 1), groups - 1)
    edges = np.array([(-1, *cut, parts + groups - 1) for cut in cuts], dtype=np.int64)
    made: NDArray[np.int64] = np.diff(edges, axis=1) - 1
    return made


def levels(groups: int, effort: float) -> list[NDArray[np.int64]]:
    """Lattices from the corners to the finest, in parts of the finest.

    Each holds only weightings that are in none before it.

    Parameters
    ----------
    groups
        Number of groups, 2 or more.
    effort
        The finest lattice has at most 500 times as many weightings, but the corners at least.
    """
    most = MOST_WEIGHTS * effort
    parts = [p for p in _PARTS if p == 1 or math.comb(p + groups - 1, groups - 1) <= most]
    made, seen = [], set[tuple[int, ...]]()
    for p in parts:
        fine = lattice(groups, p) * (parts[-1] // p)
        fresh = [row for row in fine.tolist() if tuple(row) not in seen]
        seen.update(tuple(row) for row in fresh)
        made.append(np.array(fresh, dtype=np.int64))
    return made


def between(
    weights: NDArray[np.int64], parts: int, reached: NDArray[np.float64], most: int
) -> NDArray[np.float64]:
    """Weightings half way between neighbours, where most could be hidden.

    The best value ``h(w)`` of a weighting is a maximum of linear functions of w, hence convex:
    half way between two weightings it is at most the mean of theirs. What is known there may
    fall short of that by so much, and where it falls short most something better may be hidden
    (the sandwich of Rote 1992; here with the values found in place of the best ones).

    Parameters
    ----------
    weights
        (weighting, group) of the lattice, in whole parts.
    parts
        What they sum to.
    reached
        (network, group) coverage by all networks known.
    most
        Weightings to return at most.

    Returns
    -------
    NDArray
        (weighting, group), each summing to 1; the most promising first.
    """
    number = {tuple(row): k for k, row in enumerate(weights.tolist())}
    groups = weights.shape[1]
    pairs = []
    for row, k in number.items():
        for a in range(groups):
            for b in range(groups):
                if a != b and row[a] > 0:
                    other = list(row)
                    other[a] -= 1
                    other[b] += 1
                    far = number.get(tuple(other))
                    if far is not None and far > k:
                        pairs.append((k, far))
    if not pairs:
        return np.empty((0, groups))
    ends = np.array(pairs, dtype=np.int64)
    middle = (weights[ends[:, 0]] + weights[ends[:, 1]]) / (2.0 * parts)
    known = best_of(middle, reached)[0]
    value = best_of(weights / parts, reached)[0]
    hidden = value[ends].mean(axis=1) - known
    order = np.argsort(-hidden, kind="stable")[:most]
    return np.ascontiguousarray(middle[order][hidden[order] > 1e-12])


def best_of(
    weights: NDArray[np.float64], reached: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Best value of each weighting among networks, (weighting,), and which has it.

    Of equal ones the first.
    """
    value = np.full(len(weights), -np.inf)
    which = np.zeros(len(weights), dtype=np.int64)
    columns = np.ascontiguousarray(reached.T)
    mean, more = np.empty(len(reached)), np.empty(len(reached))
    for k, row in enumerate(weights):
        # Added up in one order, not by BLAS, whose last bits depend on the machine.
        np.multiply(columns[0], row[0], out=mean)
        for column, weight in zip(columns[1:], row[1:], strict=True):
            np.multiply(column, weight, out=more)
            mean += more
        which[k] = int(np.argmax(mean))
        value[k] = mean[which[k]]
    return value, which
