"""The best network of sensors that may fail, and how good any can be; see `failing_books`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SpanProgress
from spineq.solvers.exchange import exchange
from spineq.solvers.failing_books import Books, Chances
from spineq.solvers.failing_bound import Ranks
from spineq.solvers.failing_networks import Asking, FailingSearch, in_greedy_order, place
from spineq.solvers.greedy import NOWHERE
from spineq.solvers.greedy import place as place_plainly
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Rules, need_start
from spineq.solvers.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 1

#: How far to go: greedy; swaps from its network; a tight bound, and networks by what it teaches.
Depth = Literal["greedy", "exchange", "lagrangian"]

#: Methods that can do it, by the name that a problem gives; with a loose bound or none, "auto"
#: ends after the swaps.
DEPTHS: dict[str, Depth] = {
    "auto": "lagrangian",
    "lagrangian": "lagrangian",
    "exchange": "exchange",
    "greedy": "greedy",
}

#: With an effort of 1: steps of the ascent and the pairs in them, times ranks; and steps that are
#: made however much work they are.
MOST_STEPS, MOST_WORK, SURE_STEPS = 2_000, 3_000_000_000, 200

# Rounds of the ascent; steps without progress before the step shrinks; its shortest; steps to the
# first network made of relaxed choices, and so many more each time to the next; and progress that
# is worth a further round.
_ROUNDS, _PATIENCE, _LEAST_SCALE, _BETWEEN, _WORTHWHILE = 12, 25, 0.005, 50, 1e-5


def depth_named(name: str, bound: str | None = None) -> Depth:
    """Look up how far to go for a problem's method and the bound that is wanted.

    Raises
    ------
    ProblemError
        The method cannot honour that sensors may fail.
    """
    if name not in DEPTHS:
        able = ", ".join(f'"{each}"' for each in DEPTHS)
        msg = f"the method {name!r} cannot honour that sensors may fail"
        raise ProblemError(msg, field="method", mend=f"Ask for one of {able}")
    if name == "auto" and bound in ("none", "quick"):
        return "exchange"
    return DEPTHS[name]


def failing(
    objective: Objective,
    rules: Rules,
    options: Options,
    progress: Progress,
    *,
    chances: Chances,
    depth: Depth = "lagrangian",
) -> Solution:
    """Find a network that is expected to cover most when each sensor may fail.

    Greedy, lazily (its value is at least 63 % of the best without rules: Nemhauser, Wolsey, Fisher
    1978); swaps of one sensor against another until none helps, from greedy's network, from that
    of sensors that never fail, and from one to start from; then the Lagrangian bound of
    `spineq.solvers.failing_bound`, and swaps from the sites most often open in its choices. There
    is no branching: what is left of the gap stays.

    Parameters
    ----------
    objective
        The instance: weights, coverage, usable sites. Its base is that of sensors that never fail.
    rules
        What a network may be.
    options
        Effort, gap limit, a network to start from and which bound is wanted: by default the quick
        one of gains where the depth is less than ``"lagrangian"``.
    progress
        Watcher; when it asks to stop, the best network so far is returned.
    chances
        With which probability each sensor fails, and what stands already.
    depth
        How far to go.

    Returns
    -------
    Solution
        Value and bound are of the coverage to be expected.

    Raises
    ------
    ProblemError
        More sensors than usable sites, a network to start from that breaks a rule, or no network
        was found that keeps the rules.
    """
    usable = int(objective.usable_sites.sum())
    if rules.n > usable and rules.named <= {"regions"}:
        msg = f"{rules.n:,} sensors are more than the {usable:,} sites where one may stand"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {usable:,}")
    tight = options.bound == "tight" or (depth == "lagrangian" and options.bound is None)
    books = Books(replace(objective, base=None, goals=None), rules, chances)
    search = FailingSearch(books, options, progress)
    first, second = (0.3, 0.4) if tight else (0.9, 0.97)
    search.watch(SpanProgress(progress, 0.0, first))
    placed = _begun(search, objective, depth)
    search.watch(SpanProgress(progress, first, second))
    if not search.stopped and options.bound != "none":
        _bound_quickly(search)
    if tight and not search.stopped:
        search.watch(SpanProgress(progress, second, 0.98))
        _descend(search, swaps=depth == "lagrangian")
    search.watch(SpanProgress(progress, 0.98, 1.0))
    sites = search.sites if math.isfinite(search.value) else placed
    if not search.stopped and depth != "greedy":
        sites = in_greedy_order(search, sites)
    value = books.value(sites)
    return Solution(sites, value, max(search.bound, value), search.stopped)


def _begun(search: FailingSearch, objective: Objective, depth: Depth) -> NDArray[np.int64]:
    """Look for first networks; returns greedy's, which may not keep the rules yet if stopped."""
    rules, options = search.rules, search.options
    start = need_start(rules, options, search.books.usable)
    placed = place(search)
    search.offer(placed)
    if rules.prices is not None and not search.stopped:
        other = place(search, by_price=True)
        if search.offer(other):
            placed = other
    if search.stopped:
        return placed
    if len(start):
        search.offer(start)
    if depth == "greedy":
        if not math.isfinite(search.value):
            search.offer(place_plainly(objective, rules, Asking(search)).sites)
        return search.sites if math.isfinite(search.value) else placed
    search.swap_from(placed)
    if len(start) and not search.stopped:
        search.swap_from(place(search, start))
    if not search.stopped:
        plain = replace(options, bound="none", start=None)
        try:
            found = exchange(replace(objective, goals=None), rules, plain, Asking(search))
        except ProblemError:
            if not math.isfinite(search.value):
                raise
            return placed
        if not search.stopped:
            search.offer(found.sites)
            search.swap_from(found.sites)
    return placed


def _bound_quickly(search: FailingSearch) -> None:
    """Bound by the gains beyond the best network, and beyond nothing."""
    for sites in (search.sites, NOWHERE):
        bound = math.inf
        for bound in search.books.bound(search.books.of(sites)):  # noqa: B007 - the last is meant
            if search.ask("bounding what is possible"):
                return
        search.lower(bound)


def _descend(search: FailingSearch, *, swaps: bool) -> None:
    """Converge the tight bound and fix sites, and try networks of sites that are often open."""
    ranks = Ranks(search.books)
    for share in ranks.open():
        if search.report(0.05 * share, "sorting pairs of site and point"):
            return
    ranks.begin(search.books.of(search.sites))
    pace = _Pace(ranks, search.options.effort)
    for number in range(_ROUNDS):
        ranks.restart(1.0 if number < 2 else 0.5, search.value)
        bound, value = search.bound, search.value
        if not _ascended(search, ranks, pace, swaps=swaps) or search.bound <= search.target:
            return
        fixed = 0
        for fixed in ranks.fix(search.target):  # noqa: B007 - the last is meant
            if search.report(pace.done, "deciding sites"):
                return
        opened = np.flatnonzero(ranks.state == 1)
        if len(opened) >= search.rules.n or not (ranks.state == 0).any():
            # What is above the target consists of these, or of some of them.
            search.offer(opened)
            left = search.books.raised(search.books.value(opened))
            search.lower(max(left, search.target))
            return
        gained = bound - search.bound > _WORTHWHILE * search.bound
        if pace.done >= 1.0 or not (gained or fixed > 0 or search.value > value):
            return


class _Pace:
    """How far the ascent has come of what may be done."""

    def __init__(self, ranks: Ranks, effort: float) -> None:
        self._ranks, self._effort = ranks, effort
        self.steps, self.due, self.between = 0, _BETWEEN, _BETWEEN

    @property
    def done(self) -> float:
        """Share, 0 to 1."""
        work = min(self._ranks.work / MOST_WORK, self.steps / SURE_STEPS)
        return min(max(self.steps / MOST_STEPS, work) / self._effort, 1.0)


def _ascended(search: FailingSearch, ranks: Ranks, pace: _Pace, *, swaps: bool) -> bool:
    """Make a round of steps; whether it ended by itself, and not by the watcher's wish."""
    ended = False
    while not ended:
        for ended in ranks.step(search.target, _PATIENCE, _LEAST_SCALE):  # noqa: B007
            if search.report(0.05 + 0.95 * pace.done, "bounding what is possible"):
                # The best bound of whole steps holds.
                search.lower(max(ranks.bound, search.target))
                return False
        pace.steps += 1
        # What sites are fixed for is that there is nothing else above the target.
        search.lower(max(ranks.bound, search.target))
        ended = ended or search.bound <= search.target or pace.done >= 1.0
        if swaps and (ended or pace.steps >= pace.due) and search.bound > search.target:
            pace.between += _BETWEEN
            pace.due = pace.steps + pace.between
            order = search.rules.taken_in_order(ranks.wanted(), search.books.usable)
            search.swap_from(order)
            if search.stopped:
                return False
            ranks.aim(search.value)
    return True
