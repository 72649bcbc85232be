"""With a budget or a spacing: sensors make room for others, one for several, several for one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.progress import Progress, SpanProgress
from spineq.solvers.greedy import place
from spineq.solvers.objective import Objective
from spineq.solvers.room import Room
from spineq.solvers.rules import Rules
from spineq.solvers.swaps import Swaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pairs of site and point that all tries together may look at.
WORK = 200_000_000

# Passes over all pairs that a try takes, about.
_PASSES = 2


def tries_for(objective: Objective, effort: float) -> int:
    """How many tries are usual for an objective of this size: 10 at least."""
    return max(10, int(effort * WORK / max(_PASSES * objective.coverage.n_pairs, 1)))


def make_room(
    objective: Objective,
    rules: Rules,
    sites: NDArray[np.int64],
    tries: int,
    progress: Progress,
) -> tuple[NDArray[np.int64], int, bool]:
    """Look for a better network by moves that are no swap of one for one.

    Either a site is opened that cannot be paid for or is too near to others: those go that are,
    and then those that bring least for their cost until it can be paid. Or a sensor goes for
    good. What room is left then is filled by greedy. The first network that is better is taken.

    Parameters
    ----------
    objective
        What is maximised.
    rules
        What a network may be; with prices or a spacing.
    sites
        (sensor,) a network that keeps the rules.
    tries
        Moves that may be tried.
    progress
        Watcher.

    Returns
    -------
    tuple
        The better network, or the same one; tries that are left; whether the watcher asked to
        stop.
    """
    words = "making room for other sensors"
    swaps = Swaps(objective, sites, rules)
    for share in swaps.open_books():
        if progress.report(0.1 * share, words):
            return sites, tries, True
    value = objective.value(objective.covered_by(sites))
    done, left = 0, tries
    for kept, usable in _moves(objective, rules, sites, swaps):
        if left == 0:
            break
        left, done = left - 1, done + 1
        low = 0.1 + 0.9 * (1 - 0.5 ** (done / 50))
        high = 0.1 + 0.9 * (1 - 0.5 ** ((done + 1) / 50))
        watcher = SpanProgress(progress, low, high, words)
        placed = place(replace(objective, usable=usable), rules, watcher, kept)
        reached = objective.value(objective.covered_by(placed.sites))
        if reached > value * (1 + 1e-12):
            return placed.sites, left, placed.stopped
        if placed.stopped:
            return sites, left, True
    return sites, left, False


def _moves(
    objective: Objective, rules: Rules, sites: NDArray[np.int64], swaps: Swaps
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Yield networks to complete, and where; those that promise most come first."""
    usable = objective.usable_sites
    cost = np.ones(objective.n_sites) if rules.prices is None else rules.prices.cost
    # What is free goes last.
    dearness = np.full(len(sites), np.inf)
    np.divide(swaps.losses, cost[sites], out=dearness, where=cost[sites] > 0.0)
    slots = np.argsort(dearness, kind="stable")
    worth = np.where(cost > 0.0, swaps.gains, 0.0)
    worth[~usable] = 0.0
    worth[sites] = 0.0
    wanted = int((worth > 0.0).sum())
    worth[worth <= 0.0] = -np.inf
    if rules.apart is not None:
        # What must go for a site, taken as if it went alone.
        for site, loss in zip(sites, swaps.losses, strict=True):
            worth[rules.apart.site[rules.apart.start[site] : rules.apart.start[site + 1]]] -= loss
    np.divide(worth, cost, out=worth, where=cost > 0.0)
    newcomers = np.argsort(-worth, kind="stable")[:wanted]
    for k in range(max(len(newcomers), len(slots))):
        if k < len(newcomers):
            kept = _with(rules, usable, sites, slots, int(newcomers[k]))
            if kept is not None:
                yield kept, usable
        if k < len(slots):
            room = Room(rules, usable, sites)
            gone = int(sites[slots[k]])
            room.close(gone)
            if not room.lacking:
                others = usable.copy()
                others[gone] = False
                yield np.delete(sites, slots[k]), others


def _with(
    rules: Rules,
    usable: NDArray[np.bool_],
    sites: NDArray[np.int64],
    slots: NDArray[np.int64],
    site: int,
) -> NDArray[np.int64] | None:
    """Open a site; those too near go, and others in order until it fits. None if it does not."""
    room = Room(rules, usable, sites)
    books = room.books
    near = books.site[books.start[site] : books.start[site + 1]]
    gone = {int(other) for other in near if books.opened[other]}
    for other in gone:
        room.close(other)
    for slot in slots:
        if room.may_open(site):
            break
        other = int(sites[slot])
        region = books.region[other]
        own = region == books.region[site]
        if other not in gone and books.count[region] > books.least[region] - own:
            room.close(other)
            gone.add(other)
    if not room.may_open(site):
        return None
    room.open(site)
    if room.lacking:
        return None
    stay = [other for other in sites.tolist() if other not in gone]
    return np.array([*stay, site], dtype=np.int64)
