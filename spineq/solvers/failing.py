"""Networks whose sensors may fail: greedy, swaps, and a bound; see `failing_books`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SpanProgress
from spineq.solvers import _kernels
from spineq.solvers._kernels import failing as kernels
from spineq.solvers.exchange import LEAST_CHANGE, exchange
from spineq.solvers.failing_books import Book, Books, Chances
from spineq.solvers.failing_bound import Ranks
from spineq.solvers.greedy import NOWHERE
from spineq.solvers.greedy import place as place_plainly
from spineq.solvers.objective import BUDGET, Objective
from spineq.solvers.rules import Options, Rules, need_start
from spineq.solvers.search import Search
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

#: With an effort of 1: pairs that swaps look at; steps of the ascent and the pairs in them, times
#: ranks; and steps that are made however much work they are.
MOST_SWAPPED, MOST_STEPS, MOST_WORK, SURE_STEPS = 2_000_000_000, 2_000, 3_000_000_000, 200

# Rounds of the ascent; steps without progress before the step shrinks; its shortest; steps to the
# first network made of relaxed choices, then doubled; and progress that is worth a further round.
_ROUNDS, _PATIENCE, _LEAST_SCALE, _BETWEEN, _WORTHWHILE = 12, 25, 0.005, 100, 1e-5


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
        sites = _in_greedy_order(search, sites)
    value = books.value(sites)
    return Solution(sites, value, max(search.bound, value), search.stopped)


class FailingSearch(Search):
    """The best network so far, by what it is expected to cover.

    Parameters
    ----------
    books, options, progress
        The instance, how to look, and the watcher.
    """

    def __init__(self, books: Books, options: Options, progress: Progress) -> None:
        super().__init__(books.objective, books.rules, options, progress)
        self.books = books
        # What is expected is no whole number, whatever the benefits are.
        self._step = 0.0
        self.most_work = MOST_SWAPPED * options.effort

    def worth(self, sites: NDArray[np.int64]) -> float:
        """What a network, (sensor,), is expected to cover."""
        return self.books.value(sites)

    def ask(self, message: str) -> bool:
        """Tell the watcher of a part whose length is not known; returns whether to stop."""
        return self.report(self.fraction + 0.002 * (1.0 - self.fraction), message)

    def swap_from(self, sites: NDArray[np.int64]) -> bool:
        """Improve a network by swaps and offer it, unless it was tried; whether it is better."""
        key = np.sort(sites).tobytes()
        if key in self._tried or self.rules.broken_by(sites):
            return False
        self._tried.add(key)
        return self.offer(improved(self, sites))


def place(
    search: FailingSearch, start: NDArray[np.int64] = NOWHERE, *, by_price: bool = False
) -> NDArray[np.int64]:
    """Place one sensor after the other where it adds most, lazily (Minoux 1978).

    Parameters
    ----------
    search
        The instance, and who is asked whether to stop.
    start
        (sensor,) sensors that stand.
    by_price
        Where it adds most for its cost.

    Returns
    -------
    ndarray
        (sensor,) in order, those of the start first. Least numbers of regions may be unmet where
        spacing or prices are in the way.
    """
    books, rules = search.books, search.rules
    objective, usable = books.objective, books.usable
    book, bound = books.of(start), np.zeros(objective.n_sites)
    able = rules.allowed_beside(start, usable)
    for share in books.gains(book, able, bound):
        if search.ask(f"gains of every site, {share:.0%}"):
            return start
    price = np.ones(objective.n_sites)
    if by_price and rules.prices is not None:
        cost = rules.prices.cost
        # What costs nothing is dearest to nobody.
        price = np.maximum(cost, 1e-9 * max(float(cost.max()), 1.0))
        bound[able] /= price[able]
    fresh = np.full(objective.n_sites, len(start), dtype=np.int64)
    tree = np.empty(2 << max(objective.n_sites - 1, 0).bit_length(), dtype=np.int64)
    chosen = np.empty(max(rules.n, len(start)), dtype=np.int64)
    chosen[: len(start)] = start
    placed, n = len(start), min(rules.n, len(start) + int(able.sum()))
    _kernels.plant(bound, tree)
    while placed < n:
        before = placed
        placed = int(
            kernels.expected_greedy(
                *objective.matrix, objective.weight, books.weights, books.probability, *book,
                bound, price, fresh, tree, chosen, placed, placed + 1 if rules.named else n,
                BUDGET // 5,
            )
        )  # fmt: skip
        if placed > before and rules.named:
            # What is not allowed beside some is not beside more.
            bound[~rules.allowed_beside(chosen[:placed], usable)] = -1.0
            _kernels.plant(bound, tree)
        if placed < n and bound[tree[1]] < 0.0:
            break
        if rules.prices is not None and bound[tree[1]] <= 0.0:
            break
        if search.ask(f"{placed} of {rules.n} sensors placed"):
            break
    return chosen[:placed].copy()


def improved(search: FailingSearch, sites: NDArray[np.int64]) -> NDArray[np.int64]:
    """Swap, and add where there is room, until neither helps or the work is done.

    Each sensor in turn is taken out, and put where it adds most then.

    Parameters
    ----------
    search
        The instance, and who is asked whether to stop.
    sites
        (sensor,) a network that keeps the rules.
    """
    books, rules = search.books, search.rules
    sites, gain = np.array(sites, dtype=np.int64), np.zeros(books.objective.n_sites)
    least = LEAST_CHANGE * books.value(sites)
    slot, idle, until = 0, 0, books.work + search.most_work
    while idle < len(sites) and books.work < until:
        others = np.delete(sites, slot)
        book, able = books.of(others), rules.allowed_beside(others, books.usable)
        for _ in books.gains(book, able, gain):
            if search.ask("looking for swaps"):
                return sites
        idle += 1
        site = _best_instead(search, sites, slot, gain, book, least)
        if site >= 0:
            sites[slot], idle = site, 0
        slot += 1
        if slot >= len(sites):
            slot = 0
            if rules.named:
                more = place(search, sites)
                idle, sites = (idle, sites) if len(more) == len(sites) else (0, more)
                if search.stopped:
                    return sites
    return sites


def _best_instead(
    search: FailingSearch,
    sites: NDArray[np.int64],
    slot: int,
    gain: NDArray[np.float64],
    book: Book,
    least: float,
) -> int:
    """The site that adds most instead of one sensor, by so much at least; -1 for none."""
    here = search.books.gain(book, int(sites[slot]))
    others = np.delete(sites, slot)
    while True:
        site = int(np.argmax(gain))
        if gain[site] <= here + least or site == sites[slot]:
            return -1
        if not search.rules.named or not search.rules.broken_by(np.append(others, site)):
            return site
        gain[site] = -1.0


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
            search.offer(place_plainly(objective, rules, _Asking(search)).sites)
        return search.sites if math.isfinite(search.value) else placed
    search.swap_from(placed)
    if len(start) and not search.stopped:
        search.swap_from(place(search, start))
    if not search.stopped:
        plain = replace(options, bound="none", start=None)
        try:
            found = exchange(replace(objective, goals=None), rules, plain, _Asking(search))
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
            search.prove()
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
            pace.between *= 2
            pace.due = pace.steps + pace.between
            order = search.rules.taken_in_order(ranks.wanted(), search.books.usable)
            search.swap_from(order)
            if search.stopped:
                return False
            ranks.aim(search.value)
    return True


def _in_greedy_order(search: FailingSearch, sites: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort sites as greedy would place them; in the order given where it is stopped."""
    usable = np.zeros(search.objective.n_sites, dtype=np.bool_)
    usable[sites] = True
    own = Books(replace(search.objective, usable=usable), Rules(len(sites)), search.books.chances)
    sorting = FailingSearch(own, search.options, _Asking(search))
    ordered = place(sorting)
    search.stopped |= sorting.stopped
    return np.concatenate([ordered, sites[~np.isin(sites, ordered)]])


class _Asking:
    """Passes on only that the watcher is asked: figures of a part are not the search's."""

    def __init__(self, search: FailingSearch) -> None:
        self._search = search

    def report(
        self,
        fraction: float,
        message: str = "",
        value: float | None = None,
        bound: float | None = None,
    ) -> bool:
        """Ask the watcher; see `spineq.progress.Progress.report`."""
        del fraction, value, bound
        return self._search.ask(message)
