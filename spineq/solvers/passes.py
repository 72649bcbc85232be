"""Passes over the pairs of a large instance's relaxation, on several cores."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from spineq.solvers import _kernels, threads
from spineq.solvers._kernels import relax

if TYPE_CHECKING:
    from numpy.typing import NDArray

Lists = tuple["NDArray[np.int64]", "NDArray[np.int32]", "NDArray[np.float64]"]

# Pieces that the points are cut into, on any number of cores: their sums are added in order, so
# that the bits are the same everywhere.
_PIECES = 8


class Passes:
    """What the relaxation's kernels do in one go, in a fixed number of pieces.

    Parameters
    ----------
    lists
        The relaxation's pairs by point, largest coverage first.
    n_sites
        Number of its sites.
    by_site
        The same pairs by site, and perhaps some that no multiplier is below; None where there
        are none. With them, what is asked about the chosen sites alone is answered from these
        sites' rows, a small part of all.
    """

    def __init__(self, lists: Lists, n_sites: int, by_site: Lists | None) -> None:
        self._lists, self._by_site = lists, by_site
        start = lists[0]
        n_points = len(start) - 1
        cuts = np.searchsorted(start, np.linspace(0, start[-1], _PIECES + 1)[1:-1])
        ends = [0, *np.minimum(cuts, n_points).tolist(), n_points]
        self._pieces = list(itertools.pairwise(ends))
        self._rho = np.zeros((_PIECES, n_sites))
        self._served = np.zeros(n_points, dtype=np.int32)

    def worths(
        self, weight: NDArray[np.float64], v: NDArray[np.float64], rho: NDArray[np.float64]
    ) -> tuple[float, int]:
        """Fill the sites' worths; see `relax.worths`."""

        def work(k: int) -> tuple[float, int]:
            own = self._rho[k]
            own[:] = 0.0
            found: tuple[float, int] = relax.worths(*self._lists, weight, v, own, *self._pieces[k])
            return found

        found = threads.run([partial(work, k) for k in range(_PIECES)])
        relax.add_up(self._rho, rho)
        return sum(float(base) for base, _ in found), sum(int(seen) for _, seen in found)

    def turn(
        self,
        weight: NDArray[np.float64],
        top: NDArray[np.float64],
        v: NDArray[np.float64],
        chosen: NDArray[np.bool_],
        deflection: float,
        d: NDArray[np.float64],
    ) -> float:
        """Turn the direction; see `relax.turn`."""
        if self._by_site is None:
            work = partial(relax.turn, *self._lists, weight, top, v, chosen, deflection, d)
            norms = threads.run([partial(work, *piece) for piece in self._pieces])
        else:
            self._served[:] = 0
            relax.serve(*self._by_site, np.flatnonzero(chosen), v, self._served)
            norms = [
                relax.turn_served(self._served, weight, top, deflection, d, *piece)
                for piece in self._pieces
            ]
        return sum(float(norm) for norm in norms)

    def value_of(
        self,
        weight: NDArray[np.float64],
        rest: NDArray[np.float64],
        chosen: NDArray[np.bool_],
    ) -> float:
        """Value of a choice; see `relax.value_of`."""
        if self._by_site is None:
            work = partial(relax.value_of, *self._lists, weight, rest, chosen)
            return sum(map(float, threads.run([partial(work, *piece) for piece in self._pieces])))
        covered = rest.copy()
        _kernels.cover_each(*self._by_site, covered, np.flatnonzero(chosen))
        return float((weight * covered).sum())
