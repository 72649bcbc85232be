"""Greedy placement with lazy evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SpanProgress
from spineq.solvers import _kernels
from spineq.solvers.greedy_in_room import place_in_room
from spineq.solvers.objective import BUDGET, Objective
from spineq.solvers.rules import Options, Rules
from spineq.solvers.solution import Placement, Solution, certified

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 2


#: What greedy starts from by itself.
NOWHERE: NDArray[np.int64] = np.empty(0, dtype=np.int64)


def greedy(
    objective: Objective,
    rules: Rules,
    options: Options,
    progress: Progress,
    start: NDArray[np.int64] = NOWHERE,
) -> Solution:
    """Place one sensor after the other where it adds most.

    The value is at least 63 % of the best (Nemhauser, Wolsey, Fisher 1978); under rules see
    `spineq.solvers.greedy_in_room.place_in_room`. A site's gain can
    only shrink while others are placed, so the last gain computed for it bounds the next one:
    only sites at the top are computed again (Minoux 1978). Same sensors as plain evaluation;
    ties go to the first site in id order.

    Parameters
    ----------
    objective
        What is maximised.
    rules
        What a network may be; without prices and a spacing, at most as many sensors as there
        are usable sites.
    options
        Which bound is wanted. The rest is not used: greedy draws nothing and improves nothing.
    progress
        Watcher; when it asks to stop, the sensors placed so far are returned.
    start
        (sensor,) what greedy placed for another number of sensors, in order, where the rules
        let it go on from there (`goes_on`); the answer is the same as without it, bit for bit.

    Raises
    ------
    ProblemError
        More sensors than usable sites, a start that greedy cannot have placed, or no network
        was found that keeps the rules.
    """
    if len(start) and not goes_on(rules):
        msg = "with a budget or sensors that regions must have, greedy does not go on from another"
        raise ProblemError(msg, field="start", mend="Start greedy from nothing")
    placed = place(objective, rules, SpanProgress(progress, 0.0, 0.7), start)
    made = certified(
        objective,
        placed.sites,
        rules,
        SpanProgress(progress, 0.7, 1.0),
        stopped=placed.stopped,
        bound=options.bound,
    )
    if not made.stopped:
        # The bound that placing left would not lower it: it adds up gains computed earlier,
        # which are not below those computed anew. But rounding could, by way of which of them
        # were computed when, and that depends on the start.
        return made
    bound = max(min(made.upper_bound, placed.upper_bound), made.value)
    return replace(made, upper_bound=bound)


def goes_on(rules: Rules) -> bool:
    """Whether greedy's network for these rules begins with its network for a smaller number."""
    owed = rules.regions is not None and bool((rules.regions.least > 0).any())
    return rules.prices is None and not owed


def place(
    objective: Objective, rules: Rules, progress: Progress, start: NDArray[np.int64] = NOWHERE
) -> Placement:
    """Run lazy greedy.

    Parameters
    ----------
    objective
        What is maximised.
    rules
        What a network may be; without prices and a spacing, at most as many sensors as there
        are usable sites.
    progress
        Watcher; when it asks to stop, the sensors placed so far are returned.
    start
        (sensor,) sites that greedy placed before, in order; of more than allowed the first.

    Raises
    ------
    ProblemError
        More sensors than usable sites, a start with a site twice or one that is not usable, or
        no network was found that keeps the rules.
    """
    n, n_sites, n_usable = rules.n, objective.n_sites, int(objective.usable_sites.sum())
    if n > n_usable and rules.named <= {"regions"}:
        msg = f"{n:,} sensors are more than the {n_usable:,} sites where one may stand"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {n_usable:,}")
    if rules.named:
        return place_in_room(objective, rules, progress, _checked(objective, start)[:n])
    start = _checked(objective, start)[:n]
    if len(start) == n > 0:
        return Placement(start, np.inf, stopped=False)
    covered = objective.nothing()
    standing = objective.value(covered)
    chosen, gained = np.empty(n, dtype=np.int64), np.empty(n)
    for k, site in enumerate(start):
        chosen[k], gained[k] = site, objective.gain(covered, site)
        objective.cover(covered, site)
    bound = np.zeros(n_sites)
    for low, high in objective.blocks():
        objective.gains(covered, bound, low, high)
        if progress.report(0.3 * high / n_sites, "gains of every site"):
            return Placement(start, np.inf, stopped=True)
    bound[~objective.usable_sites] = -1.0
    bound[start] = -1.0
    placed = len(start)
    fresh = np.full(n_sites, placed, dtype=np.int64)
    tree = np.empty(2 << (n_sites - 1).bit_length(), dtype=np.int64)
    _kernels.plant(bound, tree)
    while placed < n:
        placed = int(
            _kernels.lazy_greedy(
                *objective.matrix,
                objective.weight,
                covered,
                bound,
                fresh,
                tree,
                chosen,
                gained,
                placed,
                BUDGET,
            )
        )
        value = standing + float(gained[:placed].sum())
        if progress.report(0.3 + 0.7 * placed / n, f"{placed} of {n} sensors placed", value):
            break
    # Gains that were computed earlier are never below the present ones: a sum in a fixed order
    # of terms that fall stays monotone when it is rounded.
    upper_bound = objective.bound_by(standing + float(gained[:placed].sum()), bound, rules)
    return Placement(chosen[:placed], upper_bound, stopped=placed < n)


def _checked(objective: Objective, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Check sites to start from, since the kernels do not."""
    mend = "Start from what greedy placed for the same objective"
    strange = start[~np.isin(start, np.flatnonzero(objective.usable_sites))]
    if len(strange):
        msg = f"no sensor may stand at {strange[0]}"
        raise ProblemError(msg, field="start", mend=mend)
    if len(np.unique(start)) < len(start):
        msg = "a site is named twice"
        raise ProblemError(msg, field="start", mend=mend)
    return start


def in_greedy_order(
    objective: Objective, sites: NDArray[np.int64], progress: Progress
) -> tuple[NDArray[np.int64], bool]:
    """Sort sites as greedy would place them, so that the first k are a sensible network.

    Returns
    -------
    tuple
        The sites, in the order given from where the watcher asked to stop; and whether it did.
    """
    usable = np.zeros(objective.n_sites, dtype=np.bool_)
    usable[sites] = True
    placed = place(replace(objective, usable=usable), Rules(len(sites)), progress)
    rest = sites[~np.isin(sites, placed.sites)]
    return np.concatenate([placed.sites, rest]), placed.stopped
