"""Greedy placement under rules, with lazy evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.errors import NetworkNotFoundError
from spineq.progress import Progress, SpanProgress
from spineq.solvers import _kernels
from spineq.solvers.objective import BUDGET, Objective
from spineq.solvers.room import MOST_TRIES, Room
from spineq.solvers.rules import Rules
from spineq.solvers.solution import Placement

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Beginnings of a network that are kept, as shares of it, while what regions lack is looked for.
_KEPT = (1.0, 0.75, 0.5, 0.25, 0.0)


class _Run(NamedTuple):
    """Sites in order of placement, the objective, and whether the watcher asked to stop."""

    sites: NDArray[np.int64]
    value: float
    stopped: bool


def place_in_room(
    objective: Objective, rules: Rules, progress: Progress, start: NDArray[np.int64]
) -> Placement:
    """Run lazy greedy, where only those sites are looked at that the rules leave room for.

    With prices twice: by gain, and by gain over cost after the free sites that add something;
    the better network counts. Its value is at least (1 - 1/e) / 2 of the best where nothing but
    the budget is to be kept (Leskovec et al. 2007, theorem 2), at least half where nothing but
    the number and the most for each region is (Fisher, Nemhauser, Wolsey 1978).

    Parameters
    ----------
    objective
        What is maximised.
    rules
        What a network may be.
    progress
        Watcher; when it asks to stop, the sensors placed so far are returned, and regions may
        lack some.
    start
        (sensor,) sites that stand and stay; they keep the rules, but for what regions lack.

    Raises
    ------
    ProblemError
        No network was found that keeps the rules.
    """
    room = Room(rules, objective.usable_sites, start)
    room.need_room()
    if len(start) >= rules.n:
        return Placement(start, np.inf, stopped=False)
    lazy = _Lazy(objective, rules, start)
    for share in lazy.open():
        if progress.report(0.2 * share, "gains of every site"):
            return Placement(start, np.inf, stopped=True)
    ways = (False,) if rules.prices is None else (True, False)
    best = _Run(start, -np.inf, stopped=False)
    for k, per_cost in enumerate(ways):
        low, high = 0.2 + 0.8 * k / len(ways), 0.2 + 0.8 * (k + 1) / len(ways)
        run = lazy.run(per_cost, SpanProgress(progress, low, high))
        if k == 0 or (run.value > best.value and not run.stopped):
            best = _Run(run.sites, run.value, best.stopped)
        if run.stopped:
            return Placement(best.sites, lazy.upper_bound, stopped=True)
    return Placement(best.sites, lazy.upper_bound, stopped=False)


class _Lazy:
    """Runs of lazy greedy from the same sites, whose gains are computed once."""

    def __init__(self, objective: Objective, rules: Rules, start: NDArray[np.int64]) -> None:
        self._objective, self._rules, self._start = objective, rules, start
        self._usable = objective.usable_sites
        self._covered = objective.covered_by(start)
        self._gains = np.zeros(objective.n_sites)
        self.upper_bound = np.inf

    def open(self) -> Iterator[float]:
        """Compute the gain of every site; yields the share done."""
        for low, high in self._objective.blocks():
            self._objective.gains(self._covered, self._gains, low, high)
            yield high / self._objective.n_sites
        value = self._objective.value(self._covered)
        self.upper_bound = self._objective.bound_by(value, self._gains, self._rules)

    def run(self, per_cost: bool, progress: Progress) -> _Run:
        """Place sensors while there is room, and see to it that no region lacks one."""
        room = Room(self._rules, self._usable, self._start)
        sites, stopped = self._start, False
        if per_cost:
            free, watcher = self._usable & (room.books.cost == 0.0), SpanProgress(progress, 0, 0.3)
            if free.any():
                sites, stopped = self._go_on(room, sites, free, False, watcher)
        if not stopped:
            watcher = SpanProgress(progress, 0.3, 0.7)
            sites, stopped = self._go_on(room, sites, self._usable, per_cost, watcher)
        if not stopped and room.lacking:
            sites, stopped = self._mended(sites, SpanProgress(progress, 0.7, 0.8))
            if not stopped:
                room = Room(self._rules, self._usable, sites)
                watcher = SpanProgress(progress, 0.8, 1.0)
                sites, stopped = self._go_on(room, sites, self._usable, per_cost, watcher)
        value = self._objective.value(self._objective.covered_by(sites))
        return _Run(sites, value, stopped)

    def _go_on(
        self,
        room: Room,
        sites: NDArray[np.int64],
        usable: NDArray[np.bool_],
        per_cost: bool,
        progress: Progress,
    ) -> tuple[NDArray[np.int64], bool]:
        """Place sensors at some of the sites while there is room."""
        objective, books = self._objective, room.books
        covered = objective.covered_by(sites)
        key, placed = self._gains.copy(), len(sites)
        if per_cost:
            np.divide(key, books.cost, out=key, where=books.cost > 0.0)
        key[~usable] = -1.0
        key[sites] = -1.0
        # Gains beyond the start are none beyond more than the start, but no less than those.
        fresh = np.full(objective.n_sites, placed if placed == len(self._start) else -1)
        tree = np.empty(2 << (objective.n_sites - 1).bit_length(), dtype=np.int64)
        _kernels.plant(key, tree)
        most = min(self._rules.n, placed + int(usable.sum()))
        chosen, gained = np.empty(most, dtype=np.int64), np.zeros(most)
        chosen[:placed] = sites
        gains, value = self._gains.copy(), objective.value(covered)
        while key[tree[1]] >= 0.0:
            placed = int(
                _kernels.lazy_greedy_in_room(
                    *objective.matrix,
                    objective.weight,
                    covered,
                    books,
                    per_cost,
                    gains,
                    key,
                    fresh,
                    tree,
                    chosen,
                    gained,
                    placed,
                    BUDGET,
                )
            )
            reached = value + float(gained[:placed].sum())
            done = placed / most
            if 0.0 < books.money[1] < np.inf:
                done = max(done, min(float(books.money[0] / books.money[1]), 1.0))
            if progress.report(done, f"{placed} sensors placed", reached):
                return chosen[:placed], True
        return chosen[:placed], False

    def _mended(
        self, sites: NDArray[np.int64], progress: Progress
    ) -> tuple[NDArray[np.int64], bool]:
        """Place what regions lack, giving up some of the sensors placed last where need be."""
        added = len(sites) - len(self._start)
        for share in _KEPT:
            kept = sites[: len(self._start) + int(share * added)]
            room = Room(self._rules, self._usable, kept)
            asked = _Asked(progress, "looking for sites that regions lack")
            tries = MOST_TRIES if share == _KEPT[-1] else MOST_TRIES // 10
            found = room.fill_lacking(asked, tries)
            if found is not None:
                return np.concatenate([kept, np.array(found, dtype=np.int64)]), False
            if asked.stopped:
                return sites, True
        rules = "spacing, budget and regions" if self._rules.prices else "spacing and regions"
        msg = f"no network was found that has what each region must have and keeps {rules}"
        mend = "Ask for fewer sensors in each region, or for less spacing"
        raise NetworkNotFoundError(msg, field="min_per_region", mend=mend)


class _Asked:
    """Asks the watcher, as a function without arguments, and remembers."""

    def __init__(self, progress: Progress, words: str) -> None:
        self._progress, self._words = progress, words
        self.stopped = False

    def __call__(self) -> bool:
        self.stopped = self.stopped or self._progress.report(0.0, self._words)
        return self.stopped
