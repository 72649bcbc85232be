"""An instance under its Lagrangian relaxation: multipliers, bound, and what is decided already.

The instance shrinks while it is worked on: sites are fixed open or closed, and pairs of site and
point are taken out, where no network above the *target* (the best value known, and a little)
needs them. Each rule is safe by itself: it bounds all networks with the opposite decision, by the
relaxation with that decision forced, and finds the bound not above the target. Since all such
sentences are about the same networks (those above the target), any number of them may be used
together, and in any restriction of the instance. What is fixed may cut off the best network
known; "nothing is left" then is the proof that nothing is better.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.solvers import _kernels
from spineq.solvers._kernels import relax
from spineq.solvers.choice import choice_of
from spineq.solvers.coverage import blocks
from spineq.solvers.objective import BUDGET
from spineq.solvers.passes import Lists, Passes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Rules

#: Pairs that are sorted between two looks at the watcher.
_SORTED = 100_000

#: Pairs, at most, that steps may look at between two looks at the watcher.
_LOOKED_AT = 4_000_000

#: From so many pairs on, several cores are worth the trouble.
LARGE = 4_000_000

# Of a large instance, what is left is written anew where it is at most this share: the old
# lists stay in memory beside the new ones.
_WORTH_WRITING = 0.5


class Relaxation:
    """The relaxation of an instance, and its multipliers.

    Parameters
    ----------
    objective, rules
        The instance.
    large_from
        Pairs from which an instance is a large one, whose steps are made in pieces; by
        default `LARGE`.

    Attributes
    ----------
    sites
        (site,) positions, in the objective, of the sites left.
    state
        (site,) 1 for open, -1 for closed, 0 for free.
    v, best_v
        (point,) multipliers: those of the next step and those of the best bound.
    often
        (site,) how often a site was open in the latest relaxed choices, 0 to 1.
    impossible
        Nothing above the target is left.
    work
        Pairs looked at so far, and sites and points passed by: some 150 million a second.
    """

    def __init__(self, objective: Objective, rules: Rules, large_from: int | None = None) -> None:
        self._objective, self._rules = objective, rules
        self._large_from = LARGE if large_from is None else large_from
        self.sites = np.arange(objective.n_sites)
        self.state = np.where(objective.usable_sites, 0, -1).astype(np.int8)
        floor = objective.coverage.floor
        self._rest = np.maximum(objective.nothing(), floor)
        self.lowest = self._rest.copy()
        self.choice = choice_of(objective, rules)
        self.impossible = False
        self.work = 0
        self._passes: Passes | None = None
        goals = objective.goals
        self.shares: NDArray[np.float64] | None = None
        self._weight, self._constant = objective.weight, 0.0
        if goals is not None:
            judged = goals.judged.astype(np.float64)
            self.reweigh(judged / max(float(judged.sum()), 1.0))

    @property
    def weight(self) -> NDArray[np.float64]:
        """(point,) weights, with the groups' shares where there are goals."""
        return self._weight

    @property
    def n_pairs(self) -> int:
        """Number of pairs of site and point that are left."""
        return len(self._site)

    @property
    def large(self) -> bool:
        """Whether so many pairs are left that a step takes some milliseconds."""
        return self._passes is not None

    @property
    def lists(self) -> Lists:
        """Pairs left, by point, largest coverage first: start, site and coverage."""
        return self._start, self._site, self._value

    def open(self) -> Iterator[float]:
        """Sort the pairs, in pieces of some milliseconds; yields the share done.

        Where all sites are usable and nothing stands already, the pairs of a matrix are kept
        sorted with it, for the next objective, and those of lists are the lists' own.
        """
        objective = self._objective
        coverage = objective.coverage
        same = coverage.dense and objective.usable is None and objective.base is None
        kept: Lists | None = coverage.__dict__.get("_ranked") if same else None
        if kept is None:
            kept = yield from self._ranked()
            if same:
                coverage.__dict__["_ranked"] = kept
        self._start, self._site, self._value = kept
        self._make_room()
        if not coverage.dense and self._passes is not None:
            assert coverage.point is not None  # not dense
            by_site = coverage.start, coverage.point, coverage.value
            self._passes = Passes(self.lists, len(self.sites), by_site)

    def _ranked(self) -> Generator[float, None, Lists]:
        objective = self._objective
        for share in objective.coverage.flipping():
            yield 0.3 * share
        by_point = objective.coverage.by_point
        if by_point.point is not None and objective.usable is None and objective.base is None:
            # Sorted already. A pair that is not above the rest is never above a multiplier.
            return by_point.start, by_point.point, by_point.value
        columns = by_point.start, by_point.point, by_point.value
        usable, n_points = objective.usable_sites, objective.coverage.n_points
        count = np.zeros(n_points + 1, dtype=np.int64)
        for low, high in blocks(by_point.start, BUDGET):
            relax.count_ranked(*columns, usable, self._rest, low, high, count[1:])
            yield 0.3 + 0.1 * high / n_points
        start = np.cumsum(count)
        site, value = np.empty(start[-1], dtype=np.int32), np.empty(start[-1])
        for low, high in blocks(by_point.start, _SORTED):
            relax.fill_ranked(*columns, usable, self._rest, low, high, start, site, value)
            yield 0.4 + 0.6 * high / n_points
        return start, site, value

    def _make_room(self) -> None:
        """Make the arrays that go with the sites left, and the points' largest coverage."""
        n_sites, n_points = len(self.sites), len(self._start) - 1
        self.rho = np.zeros(n_sites)
        self.chosen = np.zeros(n_sites, dtype=np.bool_)
        self.best_choice = np.zeros(n_sites, dtype=np.bool_)
        self._fall = np.zeros(n_sites)
        filled = np.diff(self._start) > 0
        self._top = self._rest.copy()
        self._top[filled] = self._value[self._start[:-1][filled]]
        self._d = np.zeros(n_points)
        if not hasattr(self, "often"):
            self.often = np.zeros(n_sites)
        self.memory = np.zeros(8)
        self._seen = self.n_pairs
        large = self.n_pairs >= self._large_from
        self._passes = Passes(self.lists, n_sites, None) if large else None

    @property
    def _a_pass(self) -> int:
        """Work of a step beside its pairs."""
        return 4 * len(self._rest) + 8 * len(self.sites)

    def begin(self, network: NDArray[np.int64]) -> None:
        """Start from the second-best coverage that a network, (sensor,), gives each point."""
        opened = np.isin(self.sites, network)
        self.v = np.empty(len(self._rest))
        relax.second_best(*self.lists, opened, self._rest, 0, len(self.v), self.v)
        self.best_v = self.v.copy()

    def reweigh(self, shares: NDArray[np.float64]) -> None:
        """Give groups other shares of what is maximised; see `Goals`.

        With shares of 0 or more, (group,), of the judged groups summing to 1, the smallest
        ``f_k / scale_k`` is at most their mean with these shares; and what a floor lacks, times
        a share of 0 or more, may be added to the bound's network: ``f + sum share_k (f_k -
        least_k)`` is not below f where the floors are kept.
        """
        goals = self._objective.goals
        assert goals is not None  # only goals have shares
        owed = np.isfinite(goals.least) & ~goals.judged
        by_scale = np.where(goals.judged, shares / goals.scale, np.where(owed, shares, 0.0))
        mean = np.zeros_like(self._objective.weight) if goals.worst else self._objective.weight
        self._weight = mean + by_scale @ goals.rows
        self._constant = -float((shares * np.where(owed, goals.least, 0.0))[owed].sum())
        self.shares = shares

    def slopes(self) -> NDArray[np.float64]:
        """Coverage of each group by the relaxed choice at ``v``, (group,)."""
        goals = self._objective.goals
        assert goals is not None  # only goals have groups
        out = np.zeros(len(goals.rows))
        relax.group_slopes(*self.lists, self.v, self.chosen, goals.rows, out, 0, len(self.v))
        return out

    def restart(self, scale: float, aim: float) -> None:
        """Forget the pace of the ascent, and aim at a value; the multipliers stay."""
        self._d[:] = 0.0
        self.memory[:] = 0.0
        self.memory[relax.BEST] = np.inf
        self.memory[relax.SCALE] = scale
        self.memory[relax.DEFLECTION] = 0.7
        self.memory[relax.AIM] = aim
        self.memory[relax.PRIMAL] = -np.inf

    @property
    def bound(self) -> float:
        """Best bound of the ascent; minus infinity where no allowed choice is left."""
        return float(self.memory[relax.BEST])

    @property
    def steps(self) -> int:
        """Steps of the ascent so far."""
        return int(self.memory[relax.STEPS])

    @property
    def pace(self) -> float:
        """Present scale of the steps, 1 down to 0."""
        return float(self.memory[relax.SCALE])

    @property
    def primal(self) -> float:
        """Value of the ascent's best relaxed choice, by the pairs left; see `best_choice`."""
        return float(self.memory[relax.PRIMAL])

    def aim(self, value: float) -> None:
        """Let the steps aim at another value."""
        self.memory[relax.AIM] = value

    def ascend(self, steps: int, target: float, patience: int, least_scale: float) -> bool:
        """Make steps, fewer where they are long; returns whether the ascent has ended."""
        steps = max(1, min(steps, _LOOKED_AT // max(2 * self._seen, 1)))
        if self._passes is not None:
            return self._ascend_large(self._passes, steps, target, patience, least_scale)
        before = self.memory[relax.SEEN]
        choice = self.choice
        made, ended = relax.ascend(
            *self.lists,
            self._weight,
            self._top,
            self.lowest,
            self._rest,
            self._constant,
            choice.kind,
            self.state,
            choice.n,
            choice.region,
            choice.most,
            choice.least,
            choice.cost,
            choice.budget,
            self.v,
            self.best_v,
            self._d,
            self.rho,
            self.chosen,
            self.often,
            self.best_choice,
            self.memory,
            steps,
            target,
            patience,
            least_scale,
        )
        self.work += int(self.memory[relax.SEEN] - before) + int(made) * self._a_pass
        return bool(ended)

    def _ascend_large(
        self, passes: Passes, steps: int, target: float, patience: int, least_scale: float
    ) -> bool:
        """Make steps as `relax.ascend` does, each pass over the pairs on several cores."""
        memory, choice = self.memory, self.choice
        for _ in range(steps):
            base, self._seen = passes.worths(self._weight, self.v, self.rho)
            self.work += self._seen + self._a_pass
            memory[relax.SEEN] += self._seen
            worth, _mu = _kernels.choose(
                choice.kind, self.rho, self.state, choice.n, *choice.arguments, self.chosen
            )
            bound = self._constant + base + float(worth)
            action = relax.take_note(
                bound, self.v, self.best_v, self.often, self.chosen, memory, patience, least_scale
            )
            if memory[relax.BEST] <= target or action == 2:
                return True
            if action == 1:
                self._d[:] = 0.0
                continue
            norm = passes.turn(
                self._weight, self._top, self.v, self.chosen, memory[relax.DEFLECTION], self._d
            )
            if self.steps % 5 == 1 or norm <= 0.0:
                primal = passes.value_of(self._weight, self._rest, self.chosen) + self._constant
                if primal > memory[relax.PRIMAL]:
                    memory[relax.PRIMAL] = primal
                    self.best_choice[:] = self.chosen
            if norm <= 0.0:
                return True
            step = memory[relax.SCALE] * max(bound - memory[relax.AIM], 1e-9 * abs(bound)) / norm
            relax.move(self.v, self._d, self._top, self.lowest, float(step), 0, len(self.v))
        return False

    def look(self) -> float:
        """Bound at the best multipliers, where `fix` and `reduce` work."""
        self.v[:] = self.best_v
        if self._passes is not None:
            base, seen = self._passes.worths(self._weight, self.v, self.rho)
        else:
            self.rho[:] = 0.0
            base, seen = relax.worths(*self.lists, self._weight, self.v, self.rho, 0, len(self.v))
        self.work += int(seen) + self._a_pass
        worth, mu = _kernels.choose(
            self.choice.kind, self.rho, self.state, self.choice.n, *self.choice.arguments,
            self.chosen,
        )  # fmt: skip
        bound = self._constant + float(base) + float(worth)
        if np.isfinite(bound):
            _kernels.falls(
                self.choice.kind, self.rho, self.state, self.choice.n, *self.choice.arguments,
                self.chosen, mu, self._fall,
            )  # fmt: skip
        self._bound_here = bound
        return bound

    def fix(self, target: float) -> int:
        """Decide sites after `look`; returns how many.

        A free site that the relaxed choice leaves out is closed where the bound of all choices
        with it, ``L - fall``, is not above the target; one that it takes is opened where that of
        all choices without it is not. Sites too near to an open one are closed.
        """
        free = self.state == 0
        decided = free & (self._bound_here - self._fall <= target)
        self.state[decided & self.chosen] = 1
        self.state[decided & ~self.chosen] = -1
        self.settle()
        return int(free.sum() - (self.state == 0).sum())

    def settle(self) -> None:
        """Close what is too near to an open site; two open ones too near are impossible."""
        apart = self._rules.apart
        if apart is None:
            return
        position = np.full(self._objective.n_sites, -1, dtype=np.int64)
        position[self.sites] = np.arange(len(self.sites))
        for site in self.sites[self.state == 1]:
            near = position[apart.site[apart.start[site] : apart.start[site + 1]]]
            near = near[near >= 0]
            if (self.state[near] == 1).any():
                self.impossible = True
            self.state[near] = -1

    def reduce(self, target: float) -> Iterator[float]:
        """Take out closed sites and needless pairs, after `look`; yields the share done."""
        lists, n_points = self.lists, len(self.v)
        keep = np.zeros(self.n_pairs, dtype=np.bool_)
        count = np.zeros(n_points + 1, dtype=np.int64)
        here = self._bound_here
        for low, high in blocks(self._start, BUDGET):
            relax.count_reduced(
                *lists, self._weight, self.v, self.state, self.chosen, self._fall, here, target,
                low, high, keep, count[1:],
            )  # fmt: skip
            yield 0.5 * high / n_points
        # A point that has no more than the rest: the relaxation with that forced.
        served = here + self._weight * (self._rest - self.v) <= target
        self.lowest[served] = -np.inf
        if self.n_pairs >= self._large_from and count.sum() > _WORTH_WRITING * self.n_pairs:
            return
        left = self.state >= 0
        new_id = np.where(left, np.cumsum(left) - 1, -1).astype(np.int32)
        start = np.cumsum(count)
        site, value = np.empty(start[-1], dtype=np.int32), np.empty(start[-1])
        for low, high in blocks(self._start, BUDGET):
            relax.fill_reduced(*lists[:3], keep, new_id, start, site, value, low, high)
            yield 0.5 + 0.5 * high / n_points
        self._start, self._site, self._value = start, site, value
        self.sites, self.state = self.sites[left], self.state[left]
        self.often = self.often[left]
        self.choice = replace(
            self.choice, region=self.choice.region[left], cost=self.choice.cost[left]
        )
        memory = self.memory
        self._make_room()
        self.memory = memory
        if ((count[1:] == 0) & np.isneginf(self.lowest)).any():
            self.impossible = True

    def enter(self, state: NDArray[np.int8], v: NDArray[np.float64]) -> None:
        """Go to a restriction of the instance, with the multipliers to start from."""
        self.impossible = False
        self.state[:], self.v[:], self.best_v[:] = state, v, v
