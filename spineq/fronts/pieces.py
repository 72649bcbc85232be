"""Pieces of the search that need nothing of each other: each runs here or on a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.fronts.archive import DECIMALS, Found
from spineq.fronts.subset import nondominated
from spineq.progress import Progress
from spineq.solvers.greedy import place
from spineq.solvers.rules import Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.fronts.landscape import Landscape

#: Networks of the screen that a network's swaps are held against: those nearest to it.
_NEAREST = 64


class Climb(NamedTuple):
    """Weightings to solve, each from a network.

    Parameters
    ----------
    weights
        (weighting, group).
    starts
        (weighting, sensor); without a column, greedy's networks.
    n
        Number of sensors.
    """

    weights: NDArray[np.float64]
    starts: NDArray[np.int32]
    n: int


class Climbed(NamedTuple):
    """Networks of weightings, in the order of these; fewer where the watcher asked to stop.

    Parameters
    ----------
    sites
        (weighting, sensor).
    coverage
        (weighting, group).
    """

    sites: NDArray[np.int64]
    coverage: NDArray[np.float64]


class Look(NamedTuple):
    """Networks whose swaps are to be judged.

    Parameters
    ----------
    networks
        (network, sensor).
    numbers
        (network,) what the archive calls them.
    coverage
        (network, group).
    screen
        (known, group) coverage by networks that are known already.
    """

    networks: NDArray[np.int32]
    numbers: NDArray[np.int32]
    coverage: NDArray[np.float64]
    screen: NDArray[np.float64]


def climb(land: Landscape, piece: Climb, progress: Progress) -> Climbed:
    """Solve weightings by swaps."""
    sites, coverage = [], []
    for weights, start in zip(piece.weights, piece.starts, strict=True):
        begin = start.astype(np.int64)
        if len(start) < piece.n:
            placed = place(land.objective(weights), Rules(piece.n), progress)
            if placed.stopped:
                break
            begin = placed.sites
        found, stopped = land.climb(weights, begin, progress)
        sites.append(found)
        coverage.append(land.group_coverage(found))
        if stopped:
            break
    return Climbed(
        np.array(sites, dtype=np.int64).reshape(len(sites), piece.n),
        np.array(coverage).reshape(len(sites), land.n_groups),
    )


def look(land: Landscape, piece: Look, progress: Progress) -> Found:
    """Judge the swaps of networks; of all of them those are kept that no other one matches."""
    found = [Found.none(land.n_groups)]
    width = np.maximum(np.ptp(piece.screen, axis=0), 1e-12) if len(piece.screen) else 1.0
    for sites, number, coverage in zip(piece.networks, piece.numbers, piece.coverage, strict=True):
        far = np.abs((piece.screen - coverage) / width).max(axis=1)
        nearest = np.argsort(far, kind="stable")[:_NEAREST]
        screen = np.ascontiguousarray(piece.screen[nearest])
        made = land.neighbours(sites.astype(np.int64), screen, progress)
        if made is None:
            break
        reached = np.round(made.coverage, DECIMALS)
        keep = nondominated(reached)
        found.append(
            Found(
                reached[keep],
                np.full(int(keep.sum()), number, dtype=np.int32),
                made.slot[keep],
                made.site[keep],
            )
        )
    return Found.joined(found).best()
