"""The search for a front: a lattice of weightings, swaps around its networks, Pareto steps.

Weighted sums reach the networks on the convex hull (the supported ones), swaps around them the
many between. Everything is counted in steps, never in seconds, and put together in one order:
the front is the same on any machine, alone or on a cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from spineq.fronts.archive import Archive, Found
from spineq.fronts.aside import aside
from spineq.fronts.crew import Crew
from spineq.fronts.lattice import best_of, between, levels
from spineq.fronts.pieces import Climb, Look, climb, look
from spineq.fronts.subset import thinned
from spineq.progress import Progress, SpanProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Made = TypeVar("_Made")

# Weightings and networks in a piece of work: some ten milliseconds each.
_CLIMBS, _LOOKS = 8, 16

#: With effort 1: weightings between those of the lattice, and networks of the archive whose
#: swaps are looked at beside those of the weightings, so many in a round.
_BETWEEN, _STEPS, _ROUND = 256, 256, 256

# Times that weightings are offered each other's networks.
_SWEEPS = 4

#: Networks that are compared at once without asking the watcher: some 50 ms.
_QUICK = 20_000

#: Networks that others are held against while swaps are judged.
_SCREEN = 1_000


@dataclass
class Search:
    """The state of a search.

    Parameters
    ----------
    crew
        Who does the work.
    archive
        What has been found.
    progress
        Watcher.
    """

    crew: Crew
    archive: Archive
    progress: Progress
    stopped: bool = False
    _weights: list[NDArray[np.float64]] = field(default_factory=list)
    _tried: set[tuple[int, bytes]] = field(default_factory=set)
    _taken: int = 0

    def run(self, effort: float) -> None:
        """Look for networks until the effort is spent, nothing more is found, or a stop."""
        fine = levels(self.archive.groups, effort)
        every, parts = np.concatenate(fine), int(fine[0][0].sum())
        climbs = (np.cumsum([0, *(len(level) for level in fine)]) / len(every)).tolist()
        for k, level in enumerate(fine):
            self._solve(level / parts, self._span(0.25 * climbs[k], 0.25 * climbs[k + 1]))
        self._share(self._span(0.25, 0.32))
        known = self.archive.known()
        more = self._aside(lambda: between(every, parts, known, round(_BETWEEN * effort)), 0.32)
        if more is not None:
            self._solve(more, self._span(0.32, 0.38))
        self._share(self._span(0.38, 0.42))
        self.archive.found = self.archive.with_bases(0).best()
        self._look_around(self._span(0.42, 0.65))
        left = round(_STEPS * effort)
        rounds = -(-left // _ROUND)
        for k in range(rounds):
            low, high = (0.65 + 0.35 * part / rounds for part in (k, k + 1))
            if self.stopped or not self._step(min(_ROUND, left), low, high):
                break
            left -= _ROUND
        self._taken = len(self.archive.bases)

    def look_at_new(self, progress: SpanProgress) -> None:
        """Take bases up that came from elsewhere, and judge their swaps."""
        if not self.stopped:
            self.archive.found = self.archive.with_bases(self._taken).best()
            self._taken = len(self.archive.bases)
            self._look_around(progress)

    def _aside(self, function: Callable[[], _Made], fraction: float) -> _Made | None:
        """Call what cannot look up by itself, unless a stop was asked for."""
        if self.stopped:
            return None
        made = aside(function, self.progress, fraction, "comparing networks")
        self.stopped = made is None
        return made

    def _take(self, found: Found, fraction: float) -> None:
        """Keep what nothing dominates."""
        best = self._aside(found.best, fraction)
        if best is not None:
            self.archive.found = best

    def _span(self, start: float, stop: float) -> SpanProgress:
        return SpanProgress(self.progress, start, stop)

    def _solve(self, weights: NDArray[np.float64], progress: Progress) -> None:
        """Solve weightings, each from the best network known for it."""
        if self.stopped or not len(weights):
            return
        self._weights.extend(weights)
        known = self.archive.known()
        if len(known):
            starts = [self.archive.bases[k] for k in best_of(weights, known)[1]]
        else:
            starts = [np.empty(0, dtype=np.int64)] * len(weights)
        self._climb(weights, starts, progress)

    def _climb(
        self,
        weights: NDArray[np.float64],
        starts: list[NDArray[np.int64]],
        progress: Progress,
    ) -> None:
        pieces = [
            Climb(
                weights[low : low + _CLIMBS],
                np.array(starts[low : low + _CLIMBS], dtype=np.int32),
                self.archive.n_sensors,
            )
            for low in range(0, len(weights), _CLIMBS)
        ]
        done, self.stopped = self.crew.do(climb, pieces, progress, "weighing the groups")
        for made in done:
            for sites, coverage in zip(made.sites, made.coverage, strict=True):
                self.archive.add(sites, coverage)

    def _share(self, progress: Progress) -> None:
        """Offer every weighting the networks of all others, until none takes another's."""
        for sweep in range(_SWEEPS):
            if self.stopped:
                return
            span = SpanProgress(progress, sweep / _SWEEPS, (sweep + 1) / _SWEEPS)
            bases, known = self.archive.bases, self.archive.known()
            best = best_of(np.array(self._weights), known)[1]
            if not self._offer([bases[k] for k in best], span):
                return

    def _offer(self, networks: list[NDArray[np.int64]], progress: Progress) -> bool:
        """Let each weighting climb from a network, unless it did; whether any had to."""
        fresh = [k for k, sites in enumerate(networks) if (k, sites.tobytes()) not in self._tried]
        self._tried.update((k, networks[k].tobytes()) for k in fresh)
        weights = np.array([self._weights[k] for k in fresh])
        if fresh:
            self._climb(weights, [networks[k] for k in fresh], progress)
        return bool(fresh)

    def _look_around(self, progress: SpanProgress, beside: list[int] | None = None) -> bool:
        """Judge the swaps of the bases in the archive that were not looked at yet.

        ``beside`` are further bases to look at. Returns whether there was anything to do.
        """
        found = self.archive.found
        own = found.base[found.slot < 0].tolist()
        numbers = self.archive.mark_looked_at(own + (beside or []))
        if self.stopped or not numbers:
            return False
        known = self.archive.known()
        near = self._aside(lambda: thinned(found.coverage, _SCREEN), progress.start)
        if near is None:
            return False
        screen = found.coverage[near]
        pieces = []
        for low in range(0, len(numbers), _LOOKS):
            these = numbers[low : low + _LOOKS]
            networks = np.array([self.archive.bases[k] for k in these], dtype=np.int32)
            pieces.append(Look(networks, np.array(these, dtype=np.int32), known[these], screen))
        done, self.stopped = self.crew.do(look, pieces, progress, "looking at swaps")
        # What was looked at before a stop is taken up all the same, where that is quick.
        # The bases themselves are taken up with their swaps: comparing all takes its time.
        here = self.archive.of_bases(numbers)
        together = Found.joined([found, here, *done])
        if not self.stopped:
            self._take(together, progress.stop)
        elif len(together) <= _QUICK:
            self.archive.found = together.best()
        return True

    def _step(self, most: int, low: float, high: float) -> bool:
        """One round of Pareto local search; returns whether there was anything to do.

        Every weighting climbs from the network of the archive that is best for it; then the
        swaps of new networks and of some that lie far apart are looked at (Paquete, Chiarandini
        and Stützle 2004).
        """
        before, found = len(self.archive.bases), self.archive.found
        weights = np.array(self._weights)
        best = self._aside(lambda: best_of(weights, found.coverage)[1], low)
        if best is None:
            return False
        networks = [self.archive.sites(int(k)) for k in best]
        middle = low + 0.3 * (high - low)
        self._offer(networks, self._span(low, middle))
        fresh = list(range(before, len(self.archive.bases)))
        swapped = np.flatnonzero(found.slot >= 0)
        chosen = self._aside(lambda: swapped[thinned(found.coverage[swapped], most)], middle)
        if chosen is None:
            return False
        beside = [self.archive.add(self.archive.sites(int(k)), found.coverage[k]) for k in chosen]
        return self._look_around(self._span(middle, high), fresh + beside)
