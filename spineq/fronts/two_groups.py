"""Fronts of two groups with a proof: how far beyond it any network may lie.

Let the archive's networks be sorted by the first group's coverage, and a, b two that follow each
other. A network f that neither they nor another one covers to within eps in both groups has
f1 > a1 + eps and f2 > b2 + eps for one such pair: its gap. Two kinds of bounds close gaps:

- a weighting w (summing to 1) solved exactly, with bound h: w . f <= h for every network f, which
  closes the gap for eps >= h - w . (a1, b2), since w . f > w . (a1, b2) + eps in it;
- the best f2 among networks with f1 >= t, with bound u (the epsilon-constraint method of
  Haimes, Lasdon and Wismer 1971), which closes it for eps >= max(t - a1, u - b2).

Weightings come first, across the widest open gap's segment of the upper hull of what is known
(the sandwich of Rote 1992); where that segment is proven and something may still lie below it,
the constraint follows. Before the first network f2 > b2 + eps alone is to be excluded, after the
last f1 > a1 + eps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.fronts.search import Search
from spineq.progress import Progress, SpanProgress
from spineq.solvers import METHODS
from spineq.solvers.goals import Goals
from spineq.solvers.rules import Options, Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.fronts.landscape import Landscape

# Exact solutions with effort 1; and how many are looked for at a time, whoever does them.
_SOLVES, _BATCH = 400, 4

# Branches that constraints may take together with effort 1, and the work of each as a multiple
# of the usual: where they are needed the relaxation is at its weakest.
_BRANCHES, _FLOOR_EFFORT = 4_000, 0.05

# Share of the tolerance that a single solution may leave open.
_SLACK = 0.1


class Exact(NamedTuple):
    """A weighting to solve exactly, perhaps with a floor.

    Parameters
    ----------
    weights
        (group,) summing to 1.
    floor
        What the first group must reach; minus infinity for nothing.
    start
        (sensor,) a network that reaches it.
    n
        Number of sensors.
    slack
        How far from the bound the value may stay.
    effort
        Work allowed, as a multiple of the usual.
    """

    weights: NDArray[np.float64]
    floor: float
    start: NDArray[np.int32]
    n: int
    slack: float
    effort: float


class Solved(NamedTuple):
    """A network, (sensor,), its coverage, (group,), the bound on the weighted mean, branches."""

    sites: NDArray[np.int64]
    coverage: NDArray[np.float64]
    bound: float
    branches: int


def solve(land: Landscape, piece: Exact, progress: Progress) -> Solved | None:
    """Solve a piece; None where a stop came before there was a network."""
    objective = land.objective(piece.weights)
    if np.isfinite(piece.floor):
        row = np.ascontiguousarray(land.rows[:, :1].T)
        goals = Goals(row, np.array([piece.floor]), np.zeros(1, dtype=np.bool_), np.ones(1))
        objective = land.objective(piece.weights, goals)
    start = piece.start.astype(np.int64)
    options = Options(effort=piece.effort, gap_limit=piece.slack, start=start)
    solution = METHODS["branch_bound"].solve(objective, Rules(piece.n), options, progress)
    if len(solution.sites) < piece.n:
        return None
    sites = np.sort(solution.sites)
    return Solved(sites, land.group_coverage(sites), float(solution.upper_bound), solution.nodes)


@dataclass
class Proof:
    """Bounds on all networks, and what they say of an archive's gaps.

    Parameters
    ----------
    weights, most
        Weightings (bound, group) and what no network's weighted mean exceeds.
    floors, best
        What the first group reaches, and what the second then does not exceed.
    """

    weights: list[NDArray[np.float64]] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    best: list[float] = field(default_factory=list)

    def needed(self, a1: NDArray[np.float64], b2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Smallest eps that closes each gap, (gap,).

        Parameters
        ----------
        a1, b2
            (gap,) coverage of the first group by the network before it, minus infinity where
            there is none, and of the second by the network after it, likewise.
        """
        least: NDArray[np.float64] = np.full(len(a1), np.inf)
        for weights, most in zip(self.weights, self.most, strict=True):
            # Without a network on one side, only what leaves that group out says anything.
            first = np.where(weights[0] > 0, weights[0] * np.nan_to_num(a1, neginf=0.0), 0.0)
            other = np.where(weights[1] > 0, weights[1] * np.nan_to_num(b2, neginf=0.0), 0.0)
            eps = most - first - other
            eps[(weights[0] > 0) & np.isneginf(a1)] = np.inf
            eps[(weights[1] > 0) & np.isneginf(b2)] = np.inf
            np.minimum(least, eps, out=least)
        for floor, best in zip(self.floors, self.best, strict=True):
            np.minimum(least, np.maximum(floor - a1, best - b2), out=least)
        np.maximum(least, 0.0, out=least)
        return least


def gaps(coverage: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gaps of networks that do not dominate each other: `Proof.needed`'s a1 and b2, (gap,).

    Parameters
    ----------
    coverage
        (network, group) of two groups.
    """
    sort = coverage[np.argsort(coverage[:, 0], kind="stable")]
    return np.append(-np.inf, sort[:, 0]), np.append(sort[:, 1], -np.inf)


def upper_hull(coverage: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of the upper right hull of networks, (corner, group), by the first group."""
    sort = coverage[np.lexsort((coverage[:, 1], coverage[:, 0]))]
    hull: list[NDArray[np.float64]] = []
    for point in sort:
        while hull and hull[-1][1] <= point[1]:
            hull.pop()
        while len(hull) > 1:
            (x0, y0), (x1, y1) = hull[-2], hull[-1]
            if (x1 - x0) * (point[1] - y0) - (y1 - y0) * (point[0] - x0) < 0:
                break
            hull.pop()
        hull.append(point)
    return np.array(hull)


class Prover:
    """Closes an archive's gaps.

    Parameters
    ----------
    search
        A search that has run.
    tolerance
        What is to be proven, above 0.
    effort
        Exact solutions are allowed in proportion.
    """

    def __init__(self, search: Search, tolerance: float, effort: float) -> None:
        self.proof = Proof()
        self._search = search
        self._archive = search.archive
        self._tolerance = tolerance
        self._effort = effort
        self._branches_left = round(_BRANCHES * effort)
        self._asked: set[tuple[float, float]] = set()

    def run(self, progress: Progress) -> float:
        """Prove the tolerance, as far as the effort goes; returns what is proven."""
        self._search.progress = progress
        left = allowed = round(_SOLVES * self._effort)
        while left > 0 and not self._search.stopped:
            if self.proven() <= self._tolerance:
                break
            pieces = self._next(min(_BATCH, left))
            if not pieces:
                break
            left -= len(pieces)
            # How many it will take is not known: half of what is left for every 50.
            done = 1 - 0.5 ** ((allowed - left) / 50)
            span = SpanProgress(progress, done, done)
            made, self._search.stopped = self._search.crew.do(
                solve, pieces, span, "proving what lies between"
            )
            for piece, solved in zip(pieces, made, strict=False):
                if solved is not None:
                    self._note(piece, solved)
            self._search.look_at_new(span)
        return self.proven()

    def proven(self) -> float:
        """Smallest tolerance that is proven by now; infinite where none is."""
        if not len(self._archive.found):
            return float("inf")
        return float(self.proof.needed(*gaps(self._archive.found.coverage)).max())

    def _note(self, piece: Exact, solved: Solved) -> None:
        self._archive.add(solved.sites, solved.coverage)
        if np.isfinite(piece.floor):
            self.proof.floors.append(piece.floor)
            self.proof.best.append(solved.bound)
            self._branches_left -= 1 + solved.branches
        else:
            self.proof.weights.append(piece.weights)
            self.proof.most.append(solved.bound)

    def _next(self, most: int) -> list[Exact]:
        """What to solve next for the widest open gaps, each question once.

        A constraint costs a hundred times what a weighting does: weightings first, also those
        for gaps that are not the widest.
        """
        coverage = self._archive.found.coverage
        a1, b2 = gaps(coverage)
        needed = self.proof.needed(a1, b2)
        order = [k for k in np.argsort(-needed, kind="stable") if needed[k] > self._tolerance]
        hull = upper_hull(coverage)
        made: list[Exact] = []
        for k in order:
            if len(made) < most:
                made += self._ask(_across(hull, a1[k], b2[k]), -np.inf, coverage)
        for k in order if not made else []:
            floor = float(a1[k]) + self._tolerance * (1 - 1e-6)
            # Where nothing known reaches it, the first group's own best says enough.
            known = np.isfinite(floor) and bool((coverage[:, 0] >= floor).any())
            if known and len(made) < most and self._branches_left > 0:
                made += self._ask(np.array([0.0, 1.0]), floor, coverage)
        return made

    def _ask(
        self, weights: NDArray[np.float64], floor: float, coverage: NDArray[np.float64]
    ) -> list[Exact]:
        question = float(weights[0]), floor
        if question in self._asked:
            return []
        self._asked.add(question)
        return [self._piece(weights, floor, coverage)]

    def _piece(
        self, weights: NDArray[np.float64], floor: float, coverage: NDArray[np.float64]
    ) -> Exact:
        mean = weights[0] * coverage[:, 0] + weights[1] * coverage[:, 1]
        mean[coverage[:, 0] < floor] = -np.inf
        start = self._archive.sites(int(np.argmax(mean))).astype(np.int32)
        return Exact(
            weights,
            floor,
            start,
            self._archive.n_sensors,
            _SLACK * self._tolerance / max(float(mean.max()), 1e-9),
            1.0 if np.isneginf(floor) else _FLOOR_EFFORT,
        )


def _across(hull: NDArray[np.float64], a1: float, b2: float) -> NDArray[np.float64]:
    """Weighting for which the hull's segment over a gap is level."""
    if np.isneginf(a1) or len(hull) == 1 or a1 < hull[0, 0]:
        return np.array([0.0, 1.0])
    if np.isneginf(b2) or a1 >= hull[-1, 0]:
        return np.array([1.0, 0.0])
    k = int(np.searchsorted(hull[:, 0], a1, side="right")) - 1
    rise, run = hull[k, 1] - hull[k + 1, 1], hull[k + 1, 0] - hull[k, 0]
    level: NDArray[np.float64] = np.array([rise, run]) / (rise + run)
    return level
