"""The fewest sensors with which every group reaches a coverage.

With targets t_k, ``max over S of min_k f_k(S) / t_k`` is at most ``best of sum_k lam_k f_k(S) /
t_k`` for any weights lam of 0 or more that sum to 1, and that is one exact solve of the plain
problem. The weights are moved by cutting planes (Kelley 1960), half-way back to the best so far
each time, which keeps them from jumping. A best that stays below 1 proves that so many sensors
cannot do it; a network whose groups all reach their targets proves that they can.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SilentProgress, SpanProgress
from spineq.solvers.branch_bound import solved_to_the_end
from spineq.solvers.goals import FLOOR_ROOM, Goals
from spineq.solvers.greedy import in_greedy_order, place
from spineq.solvers.relaxation import Relaxation
from spineq.solvers.search import Search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Options, Rules
    from spineq.solvers.solution import Solution

    Solve = Callable[[Objective, Rules, Options, Progress], Solution]

VERSION = 1

#: Weights of the groups that are tried for one number of sensors, at most.
_MOST_TRIES = 40

#: A smallest share so near to 1 is worth swaps for the groups' sake.
_NEAR = 0.98

#: Bound and model of the cutting planes so near to each other leave nothing to be learnt.
_CLOSED = 1e-9

#: Share of the effort for the search that settles what weights alone leave open, and how many
#: numbers of sensors may stay open.
_TO_SETTLE, _MOST_OPEN = 0.2, 4

#: What every group must have, as a share of its target: all of it, but for rounding.
_ENOUGH = 1.0 - FLOOR_ROOM


@dataclass(frozen=True, eq=False)
class Smallest:
    """How few sensors reach what is asked.

    Parameters
    ----------
    sites
        (sensor,) the smallest network found, in greedy order; without one, what was placed.
    share
        Smallest share that a group has of its target by it; 1 and more where it is reached.
    too_few
        Largest number of sensors that cannot do it, by proof; -1 where none are needed.
    stopped
        The watcher asked to stop.
    """

    sites: NDArray[np.int64]
    share: float
    too_few: int
    stopped: bool

    @property
    def reached(self) -> bool:
        """Whether every group reaches its target."""
        return self.share >= _ENOUGH


def fewest(
    objective: Objective, rules: Rules, options: Options, solve: Solve, progress: Progress
) -> Smallest:
    """Find the fewest sensors with which every group reaches its floor.

    Greedy for all groups alike says how many are enough; from there the number goes down, by 1,
    2, 4, ..., until one is proven too small, and the rest is halved. Fewer sensors never cover
    more, so that what is too few for one number is for all below it.

    Parameters
    ----------
    objective
        What is covered; ``goals.least`` are the targets, above 0 for one group at least, and no
        group is judged. Of networks with the fewest sensors, one is looked for that has much of
        the weighted mean; the most is not promised.
    rules
        What a network may be; ``n`` is the most sensors.
    options
        How to look, for each number of sensors.
    solve
        An exact solver, whose bounds are asked.
    progress
        Watcher; when it asks to stop, what is found by then is returned, marked.

    Raises
    ------
    ProblemError
        All usable sites together do not reach it, or no network was found that does.
    """
    trial = _Trial(objective, rules, options, solve)
    if trial.share_of(_NOWHERE) >= _ENOUGH:
        return Smallest(_NOWHERE, trial.share_of(_NOWHERE), -1, stopped=False)
    trial.need_possible()
    best, stopped = _by_greedy(trial, rules, SpanProgress(progress, 0.0, 0.15))
    if stopped:
        return Smallest(best, trial.share_of(best), 0, stopped=True)
    too_few, high, step, fraction, left_open = 0, len(best), 1, 0.15, set[int]()
    if trial.share_of(best) < _ENOUGH:
        # Greedy has its ways only: by the rules, other networks may do what it cannot.
        high = rules.n + 1
    while len(left_open) <= _MOST_OPEN:
        between = [n for n in range(too_few + 1, min(high, rules.n + 1)) if n not in left_open]
        if not between:
            break
        wanted = high - step if too_few == 0 else (too_few + high) // 2
        n = min(between, key=lambda each: (abs(each - wanted), each))
        words = f"trying {n:,} sensor{'' if n == 1 else 's'}"
        span = SpanProgress(progress, fraction, fraction + 0.25 * (0.97 - fraction), words)
        found = trial.tried(replace(rules, n=n), span)
        fraction = span.stop
        if found.value >= _ENOUGH:
            best, high, step = found.sites, len(found.sites), 2 * step
        elif found.stopped:
            return Smallest(best, trial.share_of(best), too_few, stopped=True)
        elif high > rules.n:
            raise trial.out_of_reach(rules, found)
        elif found.bound < _ENOUGH:
            too_few = n
        else:
            # Neither found nor ruled out.
            left_open.add(n)
    best, stopped = trial.finished(best, SpanProgress(progress, 0.97, 1.0))
    return Smallest(best, trial.share_of(best), too_few, stopped)


_NOWHERE: NDArray[np.int64] = np.empty(0, dtype=np.int64)


def _by_greedy(trial: _Trial, rules: Rules, progress: Progress) -> tuple[NDArray[np.int64], bool]:
    """Let greedy place sensors until every group reaches its target.

    Returns
    -------
    tuple
        The network, which reaches them unless the rules let greedy place no more; and whether
        the watcher asked to stop.
    """
    objective = trial.of(trial.alike)
    n, share = min(16, rules.n), 0.0
    while True:
        span = SpanProgress(progress, share, share + 0.5 * (1.0 - share), "looking for enough")
        share = span.stop
        try:
            placed = place(objective, replace(rules, n=n), span)
        except ProblemError:
            # So few are not enough for what regions must have, or greedy finds no way.
            sites, stopped = _NOWHERE, False
        else:
            sites, stopped = placed.sites, placed.stopped
        if stopped:
            return sites, True
        if len(sites) and trial.share_of(sites) >= _ENOUGH:
            return _shortened(trial, rules, sites), False
        if n == rules.n:
            return sites, False
        n = min(2 * n, rules.n)


def _shortened(trial: _Trial, rules: Rules, sites: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take the shortest beginning of greedy's network that reaches the targets."""
    low, high = 0, len(sites)
    while high - low > 1:
        middle = (low + high) // 2
        enough = trial.share_of(sites[:middle]) >= _ENOUGH
        low, high = (low, middle) if enough else (middle, high)
    short = sites[:high]
    return sites if rules.broken_by(short) else short


class _Trial:
    """Tries numbers of sensors, and remembers the weights of the groups that tell most.

    Parameters
    ----------
    objective, rules, options, solve
        As for `fewest`.
    """

    def __init__(self, objective: Objective, rules: Rules, options: Options, solve: Solve) -> None:
        goals = objective.goals
        assert goals is not None  # only goals are reached for
        owed = np.isfinite(goals.least) & (goals.least > 0.0)
        self._objective, self._rules = objective, rules
        self._options, self._solve = options, solve
        # Each group's coverage as a share of its target: all must reach 1.
        self._rows = goals.rows[owed] / goals.least[owed][:, None]
        n_groups = len(self._rows)
        nothing, ones = np.full(n_groups, -np.inf), np.ones(n_groups)
        judged = np.ones(n_groups, dtype=np.bool_)
        self._shares = replace(objective, goals=Goals(self._rows, nothing, judged, ones))
        self.alike = ones / n_groups
        self._weights = self.alike

    def of(self, weights: NDArray[np.float64]) -> Objective:
        """Mean share of the targets, by weights of the groups, (group,), as an objective."""
        return replace(self._objective, weight=weights @ self._rows, goals=None)

    def shares_of(self, sites: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share that each group has of its target, (group,)."""
        made: NDArray[np.float64] = (self._rows * self._objective.covered_by(sites)).sum(axis=1)
        return made

    def share_of(self, sites: NDArray[np.int64]) -> float:
        """Smallest share that a group has of its target."""
        return float(self.shares_of(sites).min())

    def tried(self, rules: Rules, progress: Progress) -> Search:
        """Find out whether so many sensors can do it.

        Returns
        -------
        Search
            Its best network by smallest share, and the bound of that.
        """
        search = Search(self._shares, rules, self._options, SilentProgress())
        planes: list[NDArray[np.float64]] = []
        weights, best, seen = self._weights, math.inf, set[bytes]()
        for number in range(_MOST_TRIES):
            first, end = 1.0 - 0.8**number, 1.0 - 0.8 ** (number + 1)
            span = SpanProgress(progress, 0.8 * first, 0.8 * end)
            search.watch(span)
            try:
                found = self._solve(self.of(weights), rules, self._options, span)
            except ProblemError:
                # No network of so few keeps the rules.
                if not rules.named:
                    raise
                search.bound = -math.inf
                return search
            search.offer(found.sites)
            search.stopped |= found.stopped
            if found.upper_bound < best:
                best, self._weights = found.upper_bound, weights
                search.lower(best)
            if self._is_over(search):
                return search
            planes.append(self.shares_of(found.sites))
            if search.worth(found.sites) > _NEAR and found.sites.tobytes() not in seen:
                seen.add(found.sites.tobytes())
                search.try_from(found.sites, self.of(weights).weight)
                if self._is_over(search):
                    return search
            wanted, model = _lowest(planes)
            if best - model <= _CLOSED or number == _MOST_TRIES - 1:
                break
            weights = 0.5 * (self._weights + wanted)
        return self._settled(search, SpanProgress(progress, 0.8, 1.0))

    @staticmethod
    def _is_over(search: Search) -> bool:
        return search.stopped or search.value >= _ENOUGH or search.bound < _ENOUGH

    def _settled(self, search: Search, progress: Progress) -> Search:
        """Search for one network where mixtures of several do it."""
        search.watch(progress)
        effort = _TO_SETTLE * self._options.effort
        search.options = replace(self._options, effort=effort, gap_limit=0.0)
        search.enough, search.start = _ENOUGH, search.sites
        solved_to_the_end(search, Relaxation(self._shares, search.rules))
        return search

    def need_possible(self) -> None:
        """Refuse what all usable sites together do not reach."""
        usable = np.flatnonzero(self._objective.usable_sites)
        covered = np.maximum(self._objective.covered_by(usable), self._objective.coverage.floor)
        most = float((self._rows * covered).sum(axis=1).min())
        if most < _ENOUGH:
            msg = (
                "no number of sensors reaches what is asked: with one at every site there are "
                f"{_of_it(most)} of it for the group that has least"
            )
            raise ProblemError(msg, field="reach", mend="Ask for less, or allow more sites")

    def out_of_reach(self, rules: Rules, found: Search) -> ProblemError:
        """What to raise where the most sensors that the rules allow do not reach it."""
        sure = found.bound < _ENOUGH
        number = "1 sensor" if rules.n == 1 else f"{rules.n:,} sensors"
        msg = f"no network of up to {number} that keeps the rules reaches what is asked"
        if not sure:
            msg = f"no network of up to {number} was found that reaches what is asked by the rules"
        return ProblemError(msg, field="reach", mend="Ask for less, or leave a rule out")

    def finished(
        self, sites: NDArray[np.int64], progress: Progress
    ) -> tuple[NDArray[np.int64], bool]:
        """Swap for the mean while the targets stay reached, and put sites in greedy order.

        Returns
        -------
        tuple
            The sites, and whether the watcher asked to stop.
        """
        rules = replace(self._rules, n=len(sites))
        search = Search(self._objective, rules, self._options, progress)
        search.offer(sites)
        search.try_from(sites, self._objective.weight)
        if search.stopped:
            return search.sites, True
        return in_greedy_order(self._objective, search.sites, progress)


def _of_it(share: float) -> str:
    """Write a share as percent, rounded up: what is claimed as a bound must be one."""
    return f"{math.ceil(share * 1e4) / 100:.2f} %"


def _lowest(planes: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], float]:
    """Weights, (group,), for which the best of the networks seen is worst, and how good it is."""
    from scipy.optimize import linprog

    k = len(planes[0])
    cost = np.append(np.zeros(k), 1.0)
    rows = np.column_stack([np.array(planes), -np.ones(len(planes))])
    simplex = np.append(np.ones(k), 0.0)[None, :]
    bounds = [(0.0, 1.0)] * k + [(None, None)]
    made = linprog(cost, rows, np.zeros(len(planes)), simplex, [1.0], bounds, method="highs")
    weights = np.maximum(made.x[:k], 0.0)
    return weights / weights.sum(), float(made.fun)
