"""What rules leave room for, and the search for a network that keeps them at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import ProblemError
from spineq.solvers import _kernels
from spineq.solvers.rules import PENNY, Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Sites that are tried in the search for a network that keeps all minima, before it gives up.
MOST_TRIES = 20_000


class Room:
    """What rules leave room for beside some open sites.

    Parameters
    ----------
    rules
        What a network may be.
    usable
        (site,) whether a sensor may stand there.
    sites
        (sensor,) sites to open at once; they keep the rules, but for what regions lack.
    """

    def __init__(
        self, rules: Rules, usable: NDArray[np.bool_], sites: NDArray[np.int64] | None = None
    ) -> None:
        self.rules = rules
        n_sites = len(usable)
        whole, nothing = np.int64(n_sites), np.zeros(n_sites, dtype=np.int64)
        if rules.regions is not None:
            region, most, least = rules.regions
        else:
            region, most, least = nothing, np.array([whole]), np.array([0])
        cost, budget = np.zeros(n_sites), np.inf
        if rules.prices is not None:
            # Half of what is forgiven, so that sums in any order are within it.
            cost, budget = rules.prices.cost, rules.prices.budget * (1.0 + PENNY / 2)
        start, near = np.zeros(n_sites + 1, dtype=np.int64), np.empty(0, dtype=np.int64)
        if rules.apart is not None:
            start, near = rules.apart
        n_regions = len(most)
        sizes = np.bincount(region, minlength=n_regions)
        self.books = _kernels.Room(
            usable=usable.copy(),
            opened=np.zeros(n_sites, dtype=np.bool_),
            region=region.astype(np.int64),
            most=most.astype(np.int64),
            least=least.astype(np.int64),
            count=np.zeros(n_regions, dtype=np.int64),
            free=np.bincount(region[usable], minlength=n_regions),
            cost=cost.astype(np.float64),
            in_region=np.concatenate([[0], np.cumsum(sizes)]),
            by_cost=np.lexsort((cost, region)),
            dearest=np.zeros(n_regions),
            start=start.astype(np.int64),
            site=near.astype(np.int64),
            near=nothing.copy(),
            nearest=nothing.copy(),
            number=np.array([0, rules.n, np.maximum(least, 0).sum()], dtype=np.int64),
            money=np.array([0.0, budget, 0.0]),
            hits=np.zeros(n_regions, dtype=np.int64),
        )
        if rules.prices is not None:
            _kernels.price_lacking(self.books)
        if sites is not None:
            _kernels.open_sites(self.books, sites)

    @property
    def lacking(self) -> int:
        """How many sensors regions lack that they must have."""
        return int(self.books.number[2])

    def may_open(self, site: int) -> bool:
        """Whether one more site may be opened; see the kernel."""
        return bool(_kernels.may_open(self.books, site))

    def open(self, site: int) -> None:
        """Open a site."""
        _kernels.open_site(self.books, site)

    def close(self, site: int) -> None:
        """Close a site."""
        _kernels.close_site(self.books, site)

    def need_room(self) -> None:
        """Check that what regions lack is there, as far as that can be seen at once.

        Without a spacing it can: then some network keeps the rules.

        Raises
        ------
        ProblemError
            No network keeps the rules.
        """
        books = self.books
        short = np.flatnonzero(
            books.count + np.minimum(books.free, books.most - books.count) < books.least
        )
        if len(short):
            r = short[0]
            msg = (
                f"region {r} must have {books.least[r]:,} sensors, and at most "
                f"{min(books.count[r] + books.free[r], books.most[r]):,} can stand there"
            )
            raise ProblemError(msg, field="min_per_region", mend="Ask for fewer there")
        wanted, most = books.number[0] + books.number[2], books.number[1]
        if wanted > most:
            msg = f"regions must have {wanted:,} sensors, and there are {most:,}"
            raise ProblemError(msg, field="min_per_region", mend="Ask for fewer there")
        needed = books.money[0] + books.money[2]
        if needed > books.money[1]:
            msg = f"the sensors that regions must have cost {needed:g} at the least"
            mend = f"Raise the budget, which is {books.money[1] / (1.0 + PENNY / 2):g}"
            raise ProblemError(msg, field="budget", mend=mend)

    def fill_lacking(self, stop: Callable[[], bool], tries: int = MOST_TRIES) -> list[int] | None:
        """Open sites until no region lacks one, by a depth-first search.

        Regions with the least to choose from come first, and in them the sites that take the
        fewest from regions that lack some; then cheap sites, then the first.

        Parameters
        ----------
        stop
            Asked before every step whether to give up.
        tries
            Sites to try before giving up.

        Returns
        -------
        list of int or None
            The sites that were opened; None where none were found, and then none is.
        """
        opened: list[int] = []
        barred: list[list[int]] = []
        waiting: list[list[int]] = []
        books = self.books
        while self.lacking:
            if len(waiting) == len(opened):
                waiting.append(self._candidates())
                barred.append([])
            site = -1
            if stop():
                tries = 0
            while waiting[-1] and tries > 0:
                site, tries = waiting[-1].pop(), tries - 1
                if self.may_open(site):
                    break
                site = -1
            if site >= 0:
                self.open(site)
                opened.append(site)
                continue
            # Back: what was barred below a site that failed is open to others again.
            waiting.pop()
            for other in barred.pop():
                self._bar(other, barred=False)
            if not opened:
                return None
            failed = opened.pop()
            self.close(failed)
            if tries <= 0:
                continue
            # No network beside those that stand has the one that failed.
            self._bar(failed, barred=True)
            barred[-1].append(failed)
        for others in barred:
            for other in others:
                self._bar(other, barred=False)
        assert (books.count >= books.least).all()
        return opened

    def _bar(self, site: int, *, barred: bool) -> None:
        """Take a closed site out of those that may be opened, or put it back."""
        books = self.books
        books.usable[site] = not barred
        if books.near[site] == 0:
            books.free[books.region[site]] += -1 if barred else 1
        if np.isfinite(books.money[1]):
            _kernels.price_lacking(books)

    def _candidates(self) -> list[int]:
        """Free sites of the region with the least to choose from, the best of them last."""
        books = self.books
        lacks = books.least - books.count
        spare = np.where(lacks > 0, books.free - lacks, np.iinfo(np.int64).max)
        region = int(np.argmin(spare))
        free = books.usable & ~books.opened & (books.near == 0)
        sites = np.flatnonzero(free & (books.region == region))
        taken = np.empty(len(sites), dtype=np.int64)
        _kernels.takes_from_lacking(books, sites, taken)
        order = np.lexsort((-sites, -books.cost[sites], -taken))
        return [int(site) for site in sites[order]]
