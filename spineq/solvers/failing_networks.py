"""Networks where sensors may fail: greedy placement, and swaps; see `failing_books`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.progress import Progress, Report, Watcher
from spineq.solvers import _kernels
from spineq.solvers._kernels import failing as kernels
from spineq.solvers.exchange import LEAST_CHANGE
from spineq.solvers.failing_books import Books
from spineq.solvers.greedy import NOWHERE
from spineq.solvers.objective import BUDGET, ROUNDING
from spineq.solvers.rules import Options, Rules
from spineq.solvers.search import Search

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pairs that one series of swaps looks at, with an effort of 1.
MOST_SWAPPED = 2_000_000_000


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

    Each sensor in turn is taken out, and put where it adds most then. A site adds no more beside
    all others than beside those that are not of the sensor's group, for which it is known once for
    the whole group: only sites at the top are looked at again, as in lazy greedy.

    Parameters
    ----------
    search
        The instance, and who is asked whether to stop.
    sites
        (sensor,) a network that keeps the rules.
    """
    books, rules = search.books, search.rules
    sites, until = np.array(sites, dtype=np.int64), books.work + search.most_work
    value, better = books.value(sites), True
    least, gain = LEAST_CHANGE * value, np.zeros(books.objective.n_sites)
    while better:
        better, n_groups = False, max(len(sites) // max(math.isqrt(len(sites)), 1), 1)
        for group in range(n_groups):
            slots = np.arange(group, len(sites), n_groups)
            rest, able = np.delete(sites, slots), books.usable.copy()
            able[rest] = False
            for _ in books.gains(books.of(rest), able, gain):
                if search.ask("looking for swaps"):
                    return sites
            for slot in slots:
                if books.work >= until:
                    return sites
                found, worth = _best_instead(search, sites, int(slot), gain)
                if search.stopped:
                    return sites
                if found >= 0 and worth > value + least:
                    sites[slot], value, better = found, worth, True
        if rules.named:
            more = place(search, sites)
            better = better or len(more) > len(sites)
            sites, value = more, books.value(more)
            if search.stopped:
                return sites
    return sites


def _best_instead(
    search: FailingSearch, sites: NDArray[np.int64], slot: int, most: NDArray[np.float64]
) -> tuple[int, float]:
    """Find the site that adds most instead of one sensor, and what the network is worth with it.

    ``most`` (site,) is what a site adds at most. The site is -1 where none is allowed, or where
    the watcher asked to stop.
    """
    books, rules, others = search.books, search.rules, np.delete(sites, slot)
    objective, n_sites = books.objective, len(most)
    able = rules.allowed_beside(others, books.usable)
    tree = np.empty(2 << max(n_sites - 1, 0).bit_length(), dtype=np.int64)
    chosen, price = np.empty(1, dtype=np.int64), np.ones(n_sites)
    while True:
        book = books.of(others)
        # Room for rounding, so that what is computed anew is never above.
        bound = np.where(able, most * (1.0 + ROUNDING) + 1e-300, -1.0)
        fresh = np.full(n_sites, -1, dtype=np.int64)
        _kernels.plant(bound, tree)
        placed = 0
        while placed == 0 and bound[tree[1]] >= 0.0:
            placed = int(
                kernels.expected_greedy(
                    *objective.matrix, objective.weight, books.weights, books.probability, *book,
                    bound, price, fresh, tree, chosen, 0, 1, BUDGET // 5,
                )
            )  # fmt: skip
            if search.ask("looking for swaps"):
                return -1, 0.0
        books.work += int(np.diff(objective.coverage.start)[fresh == 0].sum())
        if placed == 0:
            return -1, 0.0
        site = int(chosen[0])
        if site == sites[slot] or not rules.named or not rules.broken_by(np.append(others, site)):
            return site, books.worth(book)
        able[site] = False


def in_greedy_order(search: FailingSearch, sites: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort sites as greedy would place them; in the order given where it is stopped."""
    usable = np.zeros(search.objective.n_sites, dtype=np.bool_)
    usable[sites] = True
    own = Books(replace(search.objective, usable=usable), Rules(len(sites)), search.books.chances)
    sorting = FailingSearch(own, search.options, Asking(search))
    ordered = place(sorting)
    search.stopped |= sorting.stopped
    return np.concatenate([ordered, sites[~np.isin(sites, ordered)]])


class Asking(Watcher):
    """Passes on only that the watcher is asked: figures of a part are not the search's."""

    def __init__(self, search: FailingSearch) -> None:
        self._search = search

    def hear(self, report: Report) -> bool:
        """Ask the watcher; see `spineq.progress.Progress.report`."""
        return self._search.ask(report.message)
