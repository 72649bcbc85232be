"""What a network may be, and how hard to look for it: the same for every solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from spineq.errors import ProblemError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Which bound an answer comes with: none; the quick one from gains; or that of the relaxation.
Bound = Literal["none", "quick", "tight"]

#: Room given to sums of costs for rounding: 0.1 + 0.2 pays for what costs 0.3.
PENNY = 1e-9


class Regions(NamedTuple):
    """Regions of sites, each site in one, and how many sensors each may and must get.

    Parameters
    ----------
    of
        (site,) number of the region, 0 up.
    most, least
        (region,) sensors at most and at least.
    """

    of: NDArray[np.int64]
    most: NDArray[np.int64]
    least: NDArray[np.int64]


class Prices(NamedTuple):
    """What a sensor costs at each site, and what there is to spend.

    Parameters
    ----------
    cost
        (site,) 0 or more.
    budget
        0 or more, in the same unit.
    """

    cost: NDArray[np.float64]
    budget: float


class Apart(NamedTuple):
    """Which sites are too near to each other to have a sensor both: symmetric lists.

    Parameters
    ----------
    start
        (site + 1,), where each site's row begins.
    site
        (pair,) the sites too near to each row's, in order, itself left out.
    """

    start: NDArray[np.int64]
    site: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rules:
    """What a network may be. That it stands on usable sites is the objective's to say.

    Sensors that stand already are no matter of rules: they are `Objective.base`, and sites too
    near to one of them are not usable.

    Parameters
    ----------
    n
        Most sensors. The objective never falls with a sensor more, so that this is also how
        many there are, unless spacing or prices leave no room for so many.
    regions, prices, apart
        Further rules; None for none.
    """

    n: int
    regions: Regions | None = None
    prices: Prices | None = None
    apart: Apart | None = None

    @property
    def named(self) -> frozenset[str]:
        """Names of the rules beside the number, as `Method.honours` has them."""
        rules = {"regions": self.regions, "budget": self.prices, "spacing": self.apart}
        return frozenset(name for name, rule in rules.items() if rule is not None)

    def most_worth(self, worth: NDArray[np.float64]) -> float:
        """Bound the sum of worths that the sites of an allowed network can have, from above.

        The sum of the n largest bounds every set of n. With regions the bound is exact: some
        best set has the largest of each region, so the ``least_r`` largest of each are in it,
        and the rest are the largest of what is left of each region's ``most_r`` largest. With
        prices, sites in the order of worth per cost fill the budget, the last one in part
        (Dantzig 1957): the linear relaxation of the knapsack. A spacing forbids sets only, and
        of several bounds the least holds.

        Parameters
        ----------
        worth
            (site,) worths; below 0 counts as 0.
        """
        n = min(self.n, len(worth))
        if n == 0:
            return 0.0
        if self.regions is None:
            largest = np.partition(worth, -n)[-n:] if n < len(worth) else worth
            most = float(np.maximum(largest, 0.0).sum())
        else:
            most = self._most_in_regions(self.regions, np.maximum(worth, 0.0), n)
        if self.prices is not None:
            most = min(most, self._most_for_money(self.prices, np.maximum(worth, 0.0)))
        return most

    @staticmethod
    def _most_in_regions(regions: Regions, worth: NDArray[np.float64], n: int) -> float:
        order = np.lexsort((-worth, regions.of))
        sizes = np.bincount(regions.of, minlength=len(regions.most))
        # A site's place among its region's, by worth.
        rank = np.empty(len(worth), dtype=np.int64)
        rank[order] = np.arange(len(worth)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        owed = rank < regions.least[regions.of]
        rest = np.sort(worth[~owed & (rank < regions.most[regions.of])])[::-1]
        return float(worth[owed].sum()) + float(rest[: max(n - int(owed.sum()), 0)].sum())

    @staticmethod
    def _most_for_money(prices: Prices, worth: NDArray[np.float64]) -> float:
        budget = prices.budget * (1 + PENNY)
        able = (prices.cost <= budget) & (worth > 0.0)
        worth, cost = worth[able], prices.cost[able]
        free = cost == 0.0
        most = float(worth[free].sum())
        worth, cost = worth[~free], cost[~free]
        order = np.argsort(-(worth / cost), kind="stable")
        worth, cost = worth[order], cost[order]
        spent = np.cumsum(cost)
        whole = int(np.searchsorted(spent, budget, side="right"))
        most += float(worth[:whole].sum())
        if whole < len(worth):
            left = budget - (spent[whole - 1] if whole else 0.0)
            most += float(worth[whole] * min(max(left / cost[whole], 0.0), 1.0))
        return most

    def broken_by(self, sites: NDArray[np.int64]) -> str:
        """Say which rule a network breaks, and how; nothing where it keeps them all.

        Parameters
        ----------
        sites
            (sensor,) positions of sites.
        """
        if len(set(sites.tolist())) < len(sites):
            return "a site is named twice"
        if len(sites) > self.n:
            return f"{len(sites):,} sensors are more than {self.n:,}"
        if self.prices is not None:
            spent = float(self.prices.cost[sites].sum())
            if spent > self.prices.budget * (1 + PENNY):
                return f"it costs {spent:g}, more than the budget of {self.prices.budget:g}"
        if self.regions is not None:
            counts = np.bincount(self.regions.of[sites], minlength=len(self.regions.most))
            if (counts > self.regions.most).any() or (counts < self.regions.least).any():
                return "a region has too many sensors or too few"
        if self.apart is not None:
            taken = np.zeros(len(self.apart.start) - 1, dtype=np.bool_)
            taken[sites] = True
            for site in sites:
                row = self.apart.site[self.apart.start[site] : self.apart.start[site + 1]]
                if taken[row].any():
                    return "two sensors are too near to each other"
        return ""

    def allowed_beside(
        self, sites: NDArray[np.int64], usable: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Mark where one sensor more may stand beside others, (site,).

        Least numbers of regions are kept too where they can only just be: with as many places
        left as regions lack, only those regions get one.

        Parameters
        ----------
        sites
            (sensor,) the others.
        usable
            (site,) where a sensor may stand at all.
        """
        made = usable.copy()
        made[sites] = False
        if len(sites) >= self.n:
            made[:] = False
        if self.prices is not None:
            left = self.prices.budget * (1 + PENNY) - float(self.prices.cost[sites].sum())
            made &= self.prices.cost <= left
        if self.regions is not None:
            of, most, least = self.regions
            counts = np.bincount(of[sites], minlength=len(most))
            made &= (counts < most)[of]
            lacking = np.maximum(least - counts, 0)
            if lacking.sum() >= self.n - len(sites):
                made &= (lacking > 0)[of]
        if self.apart is not None:
            for site in sites:
                made[self.apart.site[self.apart.start[site] : self.apart.start[site + 1]]] = False
        return made

    def taken_in_order(
        self, order: NDArray[np.int64], usable: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Take sites in an order of preference, each where it may stand beside those taken.

        Regions that must have sensors are seen to first. The rules' least numbers may stay
        unmet where spacing or prices are in the way: ask `broken_by`.

        Parameters
        ----------
        order
            (site,) positions, most wanted first.
        usable
            (site,) where a sensor may stand at all.
        """
        order = order[usable[order]]
        if not self.named:
            return order[: self.n]
        taken = np.empty(0, dtype=np.int64)
        if self.regions is not None:
            for region in np.flatnonzero(self.regions.least > 0):
                for _ in range(int(self.regions.least[region])):
                    here = self.allowed_beside(taken, usable) & (self.regions.of == region)
                    taken = np.append(taken, order[here[order]][:1])
        while True:
            found = order[self.allowed_beside(taken, usable)[order]]
            if len(found) == 0:
                return taken
            taken = np.append(taken, found[0])


@dataclass(frozen=True, eq=False)
class Options:
    """How to look for a network.

    Parameters
    ----------
    seed
        Seed of what is drawn at random, 0 or more.
    effort
        Work that may be done, as a multiple of the usual; counted in steps and nodes, never in
        seconds, so that the same problem has the same answer everywhere. Above 0.
    bound
        Which bound is wanted; None for what the method brings by itself.
    gap_limit
        A gap with which the search may end, 0 up.
    start
        (sensor,) a network to improve, which keeps the rules; None for none.
    """

    seed: int = 0
    effort: float = 1.0
    bound: Bound | None = None
    gap_limit: float = 0.0
    start: NDArray[np.int64] | None = None


def need_start(rules: Rules, options: Options, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Check the network to start from; empty where there is none.

    Raises
    ------
    ProblemError
        It stands where no sensor may, or breaks a rule.
    """
    if options.start is None:
        return np.empty(0, dtype=np.int64)
    mend = "Start from a network that keeps the rules, or leave start out"
    strange = options.start[~np.isin(options.start, np.flatnonzero(usable))]
    if len(strange):
        msg = f"no sensor may stand at site {strange[0]} of the network to start from"
        raise ProblemError(msg, field="start", mend=mend)
    if broken := rules.broken_by(options.start):
        msg = f"the network to start from breaks a rule: {broken}"
        raise ProblemError(msg, field="start", mend=mend)
    return options.start
