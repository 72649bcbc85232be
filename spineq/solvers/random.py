"""Random networks: the baseline that every method must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SpanProgress
from spineq.solvers import _kernels
from spineq.solvers.greedy import in_greedy_order
from spineq.solvers.objective import Objective
from spineq.solvers.room import Room
from spineq.solvers.rules import Options, Rules
from spineq.solvers.solution import Solution, certified

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 1

# Orders that are tried where a spacing may leave a region without what it must have.
_ORDERS = 100

# Sites that are looked at between two questions to the watcher.
_LOOKED_AT = 20_000


def random(objective: Objective, rules: Rules, options: Options, progress: Progress) -> Solution:
    """Draw as many different usable sites as there are sensors.

    Without rules each set is as likely as any other. Under rules the sites come in a random
    order, and each is taken that they leave room for; with prices too until nothing more can be
    paid for.

    Parameters
    ----------
    objective
        What is measured; it does not steer the draw.
    rules
        What a network may be; without prices and a spacing, at most as many sensors as there
        are usable sites.
    options
        The seed of the draw, and which bound is wanted.
    progress
        Watcher.

    Raises
    ------
    ProblemError
        More sensors than usable sites, or no network was found that keeps the rules.
    """
    n = rules.n
    usable = np.flatnonzero(objective.usable_sites)
    if n > len(usable) and rules.named <= {"regions"}:
        msg = f"{n:,} sensors are more than the {len(usable):,} sites where one may stand"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {len(usable):,}")
    generator = np.random.default_rng(options.seed)
    if rules.named:
        watcher = SpanProgress(progress, 0.0, 0.2)
        drawn, stopped = _in_room(objective, rules, generator, usable, watcher)
    else:
        drawn, stopped = generator.choice(usable, size=n, replace=False), False
    sites = np.sort(drawn).astype(np.int64)
    if not stopped:
        sites, stopped = in_greedy_order(objective, sites, SpanProgress(progress, 0.2, 0.3))
    return certified(
        objective,
        sites,
        rules,
        SpanProgress(progress, 0.3, 1.0),
        stopped=stopped,
        bound=options.bound,
    )


def _in_room(
    objective: Objective,
    rules: Rules,
    generator: np.random.Generator,
    usable: NDArray[np.int64],
    progress: Progress,
) -> tuple[NDArray[np.int64], bool]:
    """Take sites in random orders until no region lacks one; also whether it was stopped."""
    words = "drawing sites"
    for tried in range(_ORDERS + 1):
        room, stopped = Room(rules, objective.usable_sites), False
        room.need_room()
        if tried == _ORDERS:

            def stop() -> bool:
                nonlocal stopped
                stopped = stopped or progress.report(1.0, words)
                return stopped

            if room.fill_lacking(stop) is None:
                break
        order = generator.permutation(usable)
        for low in range(0, len(order), _LOOKED_AT):
            _kernels.fill_in_order(room.books, order, low, min(low + _LOOKED_AT, len(order)))
            stopped = stopped or progress.report(tried / _ORDERS, words)
            if stopped:
                break
        if stopped or not room.lacking:
            return np.flatnonzero(room.books.opened), stopped
    if stopped:
        return np.empty(0, dtype=np.int64), True
    msg = "no network was found that has what each region must have and keeps the other rules"
    mend = "Ask for fewer sensors in each region, or for less spacing"
    raise ProblemError(msg, field="min_per_region", mend=mend)
