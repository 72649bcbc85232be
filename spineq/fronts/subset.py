"""The best few of many networks: greedy choice by hypervolume."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from spineq.fronts.aside import aside
from spineq.model.front import hypervolume
from spineq.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Networks among which the greedy choice is made; of more, those that are alike are left out.
_LOOKED_AT = 4_000


def nondominated(coverage: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the networks that no other one equals or exceeds in every group, (network,).

    Of equal ones the first is marked.
    """
    import moocore

    if len(coverage) == 0:
        return np.zeros(0, dtype=np.bool_)
    marks: NDArray[np.bool_] = moocore.is_nondominated(
        np.ascontiguousarray(coverage), maximise=True, keep_weakly=False
    )
    return marks


def thinned(coverage: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Choose networks that differ: of each cell of a grid the one with the largest sum.

    Parameters
    ----------
    coverage
        (network, group).
    most
        Networks to choose at most.

    Returns
    -------
    NDArray
        Their positions, in order.
    """
    if len(coverage) <= most:
        return np.arange(len(coverage))
    low = coverage.min(axis=0)
    width = np.maximum(coverage.max(axis=0) - low, 1e-300)
    unit = (coverage - low) / width
    # Within a cell the largest comes first, and of equal ones the first.
    order = np.argsort(-unit.sum(axis=1), kind="stable")
    unit, groups = unit[order], coverage.shape[1]
    few, many = 1, min(1024, 2 ** (62 // groups))
    chosen = order[:1]
    # The more cells, the more networks, nearly always: halve until no more would fit.
    while many - few > 1:
        cells = (few + many) // 2
        cell = np.zeros(len(unit), dtype=np.int64)
        for g in range(groups):
            cell = cell * cells + np.minimum((unit[:, g] * cells).astype(np.int64), cells - 1)
        first = np.unique(cell, return_index=True)[1]
        if len(first) <= most:
            few, chosen = cells, order[first]
        else:
            many = cells
    return np.sort(chosen)


def greedy_subset(
    coverage: NDArray[np.float64], size: int, progress: Progress
) -> tuple[NDArray[np.int64], bool]:
    """Choose networks one after the other, each adding the most hypervolume.

    At least 63 % of what the best set of as many would have, since hypervolume is submodular
    (Guerreiro, Fonseca, Paquete 2016); usually within a fraction of a percent. What a network
    adds only shrinks, so that only those at the top are computed again (Minoux 1978). Of more
    than 4,000 networks those that are alike are left out first.

    Parameters
    ----------
    coverage
        (network, group), 0 to 1.
    size
        Networks to choose.
    progress
        Watcher; when it asks to stop, those chosen so far are returned.

    Returns
    -------
    tuple
        Positions in order of choice; and whether the watcher asked to stop.
    """
    words = "choosing the best"
    looked_at = aside(lambda: thinned(coverage, max(_LOOKED_AT, size)), progress, 0.0, words)
    if looked_at is None:
        return np.empty(0, dtype=np.int64), True
    points = coverage[looked_at]
    size = min(size, len(points))
    boxes = points.prod(axis=1)
    heap = [(-float(box), k, 0) for k, box in enumerate(boxes)]
    heapq.heapify(heap)
    chosen: list[int] = []
    looks = 0
    while len(chosen) < size:
        _, k, seen = heap[0]
        if seen == len(chosen):
            heapq.heappop(heap)
            chosen.append(k)
            continue
        # Of the chosen, only what lies within the box of this one counts.
        inside = np.minimum(points[chosen], points[k])
        heapq.heapreplace(heap, (hypervolume(inside) - float(boxes[k]), k, len(chosen)))
        looks += 1
        if looks % 256 == 0 and progress.report(len(chosen) / size, words):
            return looked_at[chosen], True
    return looked_at[chosen], False
