"""The best network known while a search for better ones, and for a bound, goes on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.progress import Progress, Report, Watcher
from spineq.solvers import _kernels
from spineq.solvers.exchange import improve
from spineq.solvers.objective import ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.objective import Objective
    from spineq.solvers.relaxation import Relaxation
    from spineq.solvers.rules import Options, Rules

#: Above the best value by this share begins what a search looks for; below `PROVEN_GAP`.
NOTICED = 5e-12

#: A relaxed choice that is worth so much less than the best network, as a share, is not improved.
_NEAR = 1e-4

#: With whole benefits, what lies this share of one below the next whole number is rounding.
_WHOLE = 1e-6


def whole_benefits(objective: Objective) -> bool:
    """Whether every benefit is a whole number, so that every network's value is one.

    Weights and coverages are looked at, whose products they are. Then a bound may be rounded
    down.
    """
    arrays = [objective.weight, objective.nothing(), objective.coverage.value]
    total = float(objective.weight.sum()) * float(objective.coverage.value.max(initial=0.0))
    # Beyond 2^40 sums might round, and so may the bound.
    return total < 2.0**40 and all(not np.mod(array, 1.0).any() for array in arrays)


class Search:
    """The best network so far and what is proven about it.

    Parameters
    ----------
    objective, rules, options
        The instance, and how to look.
    progress
        Watcher; asked by `report`.

    Attributes
    ----------
    sites
        (sensor,) the best network; empty before there is one.
    value
        What it is worth: the objective, or with goals the smallest share or the mean, minus
        infinity before there is one that keeps rules and floors.
    bound
        Proven bound on every allowed network.
    start
        (sensor,) a network to start multipliers from where there is no best one yet.
    enough
        A value with which the search may end.
    stopped
        The watcher has asked to stop.
    """

    def __init__(
        self, objective: Objective, rules: Rules, options: Options, progress: Progress
    ) -> None:
        self.objective, self.rules, self.options = objective, rules, options
        self._progress = progress
        self.sites: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.value, self.bound = -math.inf, math.inf
        self.enough = math.inf
        self.stopped = False
        self.start = self.sites
        self._fraction = 0.0
        self._tried: set[bytes] = set()
        self._step = 1.0 if objective.goals is None and whole_benefits(objective) else 0.0

    @property
    def target(self) -> float:
        """What a network must exceed to be of interest.

        Rounded sums differ by less than the room left here. A gap limit leaves more room.
        """
        if math.isinf(self.value):
            return -math.inf
        near = self.value + abs(self.value) * NOTICED
        if self._step > 0.0:
            near = self.value + self._step * (1.0 - _WHOLE)
        if self.options.gap_limit > 0.0:
            # With 1, whatever is known is near enough.
            near = max(near, self.value / max(1.0 - self.options.gap_limit, 1e-9))
        return near

    @property
    def settled(self) -> bool:
        """Whether the value is enough, or cannot become so."""
        return self.value >= self.enough or (
            math.isfinite(self.enough) and self.bound < self.enough
        )

    def part(self, objective: Objective) -> Search:
        """Begin the search of another objective under the same rules, for the same watcher."""
        # What every group must have is to be had in full, however near the rest may end.
        options = replace(self.options, gap_limit=0.0)
        return Search(objective, self.rules, options, _Quiet(self, "reaching the floors"))

    def prove(self) -> None:
        """Take note that nothing above the target is left."""
        # Whole benefits make whole values: the bound is the value itself.
        exact = self._step > 0.0 and self.options.gap_limit == 0.0
        self.bound = min(self.bound, self.value if exact else self.target)

    def report(self, fraction: float, message: str) -> bool:
        """Tell the watcher where the search stands; returns whether to stop."""
        self._fraction = max(self._fraction, fraction)
        value = None if math.isinf(self.value) else self.value
        bound = None if math.isinf(self.bound) else max(self.bound, self.value)
        self.stopped |= self._progress.report(self._fraction, message, value, bound)
        return self.stopped

    @property
    def fraction(self) -> float:
        """Share done that the watcher was told last, 0 to 1."""
        return self._fraction

    def lower(self, bound: float) -> None:
        """Take note of a bound on all allowed networks."""
        self.bound = min(self.bound, bound + abs(bound) * ROUNDING)

    def worth(self, sites: NDArray[np.int64]) -> float:
        """What a network is worth; minus infinity where a group's floor is not reached."""
        covered = self.objective.covered_by(sites)
        goals = self.objective.goals
        if goals is None:
            return self.objective.value(covered)
        groups = goals.groups(covered)
        if goals.shortfall(groups) > 0.0:
            return -math.inf
        return goals.smallest(groups) if goals.worst else self.objective.value(covered)

    def offer(self, sites: NDArray[np.int64]) -> bool:
        """Take a network that is better than the best; returns whether it is."""
        if self.rules.broken_by(sites):
            return False
        value = self.worth(sites)
        if value <= self.value:
            return False
        self.sites, self.value = np.array(sites, dtype=np.int64), value
        return True

    def try_from(self, sites: NDArray[np.int64], weight: NDArray[np.float64] | None = None) -> bool:
        """Improve a network by swaps and offer it.

        Parameters
        ----------
        sites
            (sensor,) a network that keeps the rules.
        weight
            (point,) weights to swap by first, where there are goals.
        """
        objective = self.objective
        if weight is None and objective.goals is None:
            # Neighbouring nodes choose alike, and swaps would end where they ended before.
            start = np.sort(sites).tobytes()
            if start in self._tried:
                return False
            self._tried.add(start)
        if weight is not None:
            objective = replace(objective, weight=weight, goals=None)
        sites, _ = improve(objective, sites, self._watch("swapping sensors"), self.rules)
        found = self.offer(sites)
        if objective.goals is None and self.objective.goals is None:
            return found
        return self.offer(self._improve_goals(sites)) or found

    def try_from_often(self, relaxation: Relaxation) -> bool:
        """Make a network of the sites most often open in relaxed choices; see `try_from`."""
        wanted = np.zeros(self.objective.n_sites)
        # Open ones first, then by how often, and never a closed one.
        wanted[relaxation.sites] = np.where(
            relaxation.state == 1, 3.0, np.where(relaxation.state == 0, 1.0 + relaxation.often, 0.0)
        )
        return self.try_order(np.argsort(-wanted, kind="stable"), relaxation)

    def try_choice(self, relaxation: Relaxation) -> bool:
        """Offer the best relaxed choice, and improve it where it is nearly the best network."""
        goals = self.objective.goals
        if goals is None and relaxation.primal <= self.value * (1 - _NEAR):
            return False
        wanted = np.zeros(self.objective.n_sites)
        wanted[relaxation.sites] = relaxation.often + np.where(relaxation.best_choice, 2.0, 0.0)
        order = np.argsort(-wanted, kind="stable")
        sites = self.rules.taken_in_order(order, self.objective.usable_sites)
        if self.worth(sites) <= self.value * (1 - _NEAR) or self.rules.broken_by(sites):
            return False
        return self.try_from(sites, None if goals is None else relaxation.weight)

    def try_order(self, order: NDArray[np.int64], relaxation: Relaxation) -> bool:
        """Take sites in an order of preference, and improve and offer what that gives."""
        sites = self.rules.taken_in_order(order, self.objective.usable_sites)
        if self.rules.broken_by(sites):
            return False
        goals = self.objective.goals
        return self.try_from(sites, None if goals is None else relaxation.weight)

    def watch(self, progress: Progress) -> None:
        """Report to another watcher from here on, from 0 to 1 again."""
        self._progress, self._fraction = progress, 0.0

    def _watch(self, message: str) -> Progress:
        return _Quiet(self, message)

    def _improve_goals(self, sites: NDArray[np.int64]) -> NDArray[np.int64]:
        """Swap while groups lack less, or the goal's value rises."""
        objective, goals = self.objective, self.objective.goals
        assert goals is not None  # only goals are swapped for here
        rows = np.vstack([goals.rows, objective.weight])
        sites = np.array(sites, dtype=np.int64)
        groups = goals.groups(objective.covered_by(sites))
        least = goals.least
        lack = float(np.maximum(least - groups, 0.0).sum())
        worth = goals.smallest(groups) if goals.worst else self._mean(sites)
        slot, idle = 0, 0
        while idle < len(sites):
            others = np.delete(sites, slot)
            site, lacks, share = _kernels.best_goal_swap(
                *objective.matrix,
                rows,
                objective.covered_by(others),
                least,
                goals.judged,
                goals.scale,
                self.rules.allowed_beside(others, objective.usable_sites),
            )
            better = lacks < lack - 1e-12 or (lacks <= lack and share > worth * (1 + 1e-12))
            idle += 1
            if site >= 0 and better:
                sites[slot], lack, worth, idle = site, lacks, share, 0
            slot = (slot + 1) % len(sites)
            if self.report(self._fraction, "swapping sensors for the groups' sake"):
                break
        return sites

    def _mean(self, sites: NDArray[np.int64]) -> float:
        return self.objective.value(self.objective.covered_by(sites))


class _Quiet(Watcher):
    """Passes on only that the watcher is asked: figures of a part are not the search's."""

    def __init__(self, search: Search, message: str) -> None:
        self._search, self._message = search, message

    def hear(self, report: Report) -> bool:
        """Ask the watcher; see `spineq.progress.Progress.report`."""
        # How much of it there is to come is not known: a little of what is left each time.
        search = self._search
        return search.report(search.fraction + 1e-5 * (1.0 - search.fraction), self._message)
