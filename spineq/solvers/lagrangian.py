"""Lagrangian bound and heuristic: steps down from greedy's and the swaps' network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import NetworkNotFoundError, ProblemError
from spineq.progress import Progress, SpanProgress
from spineq.solvers.exchange import exchange
from spineq.solvers.goals import FLOOR_ROOM, Goals
from spineq.solvers.greedy import in_greedy_order
from spineq.solvers.relaxation import Relaxation
from spineq.solvers.search import Search
from spineq.solvers.shares import Shares
from spineq.solvers.solution import Solution

if TYPE_CHECKING:
    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Options, Rules

VERSION = 1

#: Steps of the ascent, and work in them, with an effort of 1; see `Relaxation.work`. However
#: much work steps are, there are `SURE_STEPS`: with fewer a bound is far from converged.
MOST_STEPS, MOST_WORK, SURE_STEPS = 3_000, 6_000_000_000, 400

# Steps without progress after which the step shrinks; its shortest; and steps from one network
# made of the relaxed choices to the next, doubled each time in a round.
_PATIENCE, _LEAST_SCALE, _BETWEEN = 25, 0.005, 50

# Share of the effort with which what can be had is found out, where it is not enough.
_TO_TELL = 0.1

# Rounds of ascent and reduction, at most; networks are made in the first of them.
_ROUNDS, _ROUNDS_WITH_NETWORKS = 30, 5


def lagrangian(
    objective: Objective, rules: Rules, options: Options, progress: Progress
) -> Solution:
    """Bound what is possible, and improve networks by what the bound teaches.

    The bound is that of the Lagrangian relaxation (`spineq.solvers.relaxation`), which with
    converged multipliers is that of the linear programme (Geoffrion 1974). Networks come from
    the sites most often open in the relaxed choices, improved by swaps.

    Parameters
    ----------
    objective
        What is maximised.
    rules
        What a network may be. Spacing is left out of the bound but for cliques of sites too
        near to each other; all else is in it.
    options
        ``effort`` multiplies the steps and the work in them; ``gap_limit`` ends it early.
    progress
        Watcher; when it asks to stop, the best network and the bound so far are returned.

    Raises
    ------
    ProblemError
        No network keeps the rules, or greedy finds none.
    """
    search = begun(objective, rules, options, SpanProgress(progress, 0.0, 0.15), descend)
    search.watch(SpanProgress(progress, 0.15, 0.97))
    if not search.stopped:
        descend(search, Relaxation(objective, rules))
    return finished(search, SpanProgress(progress, 0.97, 1.0))


def tightened(
    objective: Objective, rules: Rules, options: Options, solution: Solution, progress: Progress
) -> Solution:
    """Give another solver's network the bound of the relaxation, where that is lower."""
    other = lagrangian(objective, rules, replace(options, start=None), progress)
    bound = max(min(solution.upper_bound, other.upper_bound), solution.value)
    return replace(solution, upper_bound=bound, stopped=other.stopped)


def begun(
    objective: Objective,
    rules: Rules,
    options: Options,
    progress: Progress,
    solve: Callable[[Search, Relaxation], bool],
) -> Search:
    """Start a search with the network of greedy and swaps, and its quick bound.

    Parameters
    ----------
    objective, rules, options, progress
        As for `lagrangian`.
    solve
        How to find a network that reaches the groups' floors, where there are any.

    Raises
    ------
    ProblemError
        Too few usable sites; or no network reaches the floors, by proof.
    """
    search = Search(objective, rules, options, SpanProgress(progress, 0.5, 1.0))
    usable = int(objective.usable_sites.sum())
    if rules.prices is None and rules.n > usable:
        msg = f"{rules.n:,} sensors are more than the {usable:,} sites where one may stand"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {usable:,}")
    goals = objective.goals
    try:
        first = exchange(plain(objective), rules, options, SpanProgress(progress, 0.0, 0.5))
    except ProblemError:
        # Greedy has its ways only; the search goes on without a network to start from.
        if not rules.named:
            raise
        return search
    search.start, search.stopped = first.sites, first.stopped
    if goals is None:
        search.offer(first.sites)
        search.lower(first.upper_bound)
        if first.stopped and not len(search.sites):
            # What was placed by then may not keep every rule yet.
            search.sites, search.value = first.sites, first.value
        return search
    if first.stopped:
        return search
    if options.start is not None:
        search.offer(options.start)
    if not math.isfinite(search.value):
        search.try_from(first.sites)
    if not math.isfinite(search.value) and not search.stopped:
        _reach_floors(search, solve)
    return search


def _reach_floors(search: Search, solve: Callable[[Search, Relaxation], bool]) -> None:
    """Look for a network that reaches the floors: the smallest ``f_k / least_k`` must be 1."""
    objective, goals = search.objective, search.objective.goals
    assert goals is not None  # only goals have floors
    owed = np.isfinite(goals.least) & (goals.least > 0.0)
    nothing = np.full(len(owed), -np.inf)
    scale = np.where(owed, goals.least, 1.0)
    first = replace(objective, goals=Goals(goals.rows, nothing, owed, scale))
    share = search.part(first)
    share.start, share.enough = search.start, 1.0 - FLOOR_ROOM
    solve(share, Relaxation(first, search.rules))
    search.stopped = share.stopped
    if share.value >= share.enough:
        search.offer(share.sites)
    elif share.bound < share.enough:
        # The search ended where that was sure. How much can be had takes a little more of it.
        fuller = search.part(first)
        fuller.options = replace(search.options, effort=_TO_TELL * search.options.effort)
        fuller.start = share.start
        fuller.offer(share.sites)
        solve(fuller, Relaxation(first, search.rules))
        had, can = fuller.value, min(share.bound, fuller.bound)
        number = "1 sensor" if search.rules.n == 1 else f"{search.rules.n:,} sensors"
        msg = (
            f"no network of {number} reaches what at_least asks: at most "
            f"{math.ceil(can * 1e4) / 100:.2f} % of it can be had for all groups at once"
        )
        mend = "Ask for less, or for more sensors"
        if 0.0 < had < can:
            mend = f"Ask for {math.floor(had * 1e4) / 100:.2f} % of it, or for more sensors"
        raise ProblemError(msg, field="at_least", mend=mend)


def plain(objective: Objective) -> Objective:
    """Leave goals out: what is maximised is the mean, of the judged groups where there are."""
    goals = objective.goals
    if goals is None or not goals.worst:
        return replace(objective, goals=None)
    judged = goals.rows[goals.judged] / goals.scale[goals.judged][:, None]
    return replace(objective, goals=None, weight=judged.mean(axis=0))


def descend(search: Search, relaxation: Relaxation) -> bool:
    """Converge the bound and reduce the instance, again and again.

    Returns
    -------
    bool
        Whether nothing above the target is left: the best network is proven.
    """
    effort = search.options.effort
    most_steps, most_work, sure = MOST_STEPS * effort, MOST_WORK * effort, SURE_STEPS * effort
    for share in relaxation.open():
        if search.report(0.1 * share, "sorting pairs of site and point"):
            return False
    relaxation.begin(search.sites if len(search.sites) else search.start)
    shares = Shares(search, relaxation)
    steps = 0
    for round_ in range(_ROUNDS):
        relaxation.restart(1.0 if round_ < 2 else 0.5, shares.aim())
        shares.restart()
        ended, due, between = False, _BETWEEN, _BETWEEN
        while not ended:
            before = relaxation.steps
            ended = relaxation.ascend(10, search.target, _PATIENCE, _LEAST_SCALE)
            steps += relaxation.steps - before
            search.lower(max(relaxation.bound, search.target))
            shares.update()
            done = max(steps / most_steps, min(relaxation.work / most_work, steps / sure))
            if search.report(0.1 + 0.9 * min(done, 1.0), "bounding what is possible"):
                return False
            if search.settled:
                return True
            if relaxation.bound <= search.target:
                break
            if round_ < _ROUNDS_WITH_NETWORKS and (relaxation.steps >= due or ended):
                between *= 2
                due += between
                if search.try_from_often(relaxation):
                    relaxation.aim(shares.aim())
                if search.stopped or search.settled:
                    return search.settled
            ended = ended or done >= 1.0
        if relaxation.bound <= search.target:
            search.prove()
            return True
        shares.recall()
        bound = relaxation.look()
        fixed = relaxation.fix(search.target)
        pairs = relaxation.n_pairs
        if not np.isneginf(bound) and not relaxation.impossible:
            for _ in relaxation.reduce(search.target):
                if search.report(0.0, "taking out what no better network needs"):
                    return False
        if np.isneginf(bound) or relaxation.impossible:
            search.prove()
            return True
        if done >= 1.0 or (round_ > 0 and fixed == 0 and relaxation.n_pairs > 0.9 * pairs):
            break
    return False


def worth_a_tree(search: Search, relaxation: Relaxation) -> bool:
    """Whether a tree might get far below what `descend` has left.

    It would not where millions of pairs are left, or the work was used up before it.
    """
    return not relaxation.large and relaxation.work < MOST_WORK * search.options.effort


def finished(search: Search, progress: Progress, nodes: int = 0) -> Solution:
    """Turn what a search has found into a solution.

    Raises
    ------
    ProblemError
        It has found no network that keeps the rules and reaches the floors.
    """
    sites, stopped = search.sites, search.stopped
    if not math.isfinite(search.value):
        if stopped:
            return Solution(search.start, search.worth(search.start), search.bound, True, nodes)
        sure = search.bound == -math.inf
        msg = "no network keeps all rules" if sure else "no network was found that keeps all rules"
        field = "at_least" if search.objective.goals is not None else "n_sensors"
        kind = ProblemError if sure else NetworkNotFoundError
        raise kind(msg, field=field, mend="Leave a rule out, or ask for less of it")
    if not stopped:
        sites, stopped = in_greedy_order(search.objective, sites, progress)
    bound = max(search.bound, search.value)
    if not stopped:
        progress.report(1.0, f"{len(sites)} sensors placed", search.value, bound)
    return Solution(sites, search.value, bound, stopped, nodes)
