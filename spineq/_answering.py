"""Solving a checked problem: from what solvers take to a network that is measured."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from spineq.constraints import Constraints, base_for, constraints_for
from spineq.instance import chances_of, coverage_of, objective_of, options_for
from spineq.measure import measured
from spineq.model._assembly import with_gone
from spineq.model.network import Network
from spineq.progress import Progress, SilentProgress, SpanProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.solvers import Method
    from spineq.solvers.coverage import Coverage
    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Options, Rules
    from spineq.solvers.solution import Solution


def answered(
    city: City,
    problem: Problem,
    start: NDArray[np.int64] | None,
    watcher: Progress,
    began: float,
) -> Network:
    """Solve a checked problem, for greedy from the sites placed earlier, and measure it."""
    from spineq.solvers import refuse_unhonoured
    from spineq.solvers.greedy import NOWHERE
    from spineq.solvers.solution import Solution

    constraints = constraints_for(city, problem)
    name, method = _method_for(city, problem, constraints)
    rules, options = constraints.rules, options_for(problem, constraints)
    own, place, too_few = OwnBests(), constraints.place_in(city), None
    coverage = coverage_of(place, problem, SpanProgress(watcher, 0.0, 0.25))
    if coverage is None:
        # Stopped before there was anything to choose by.
        sites = NOWHERE if start is None else start[: rules.n]
        solution = Solution(sites, float("nan"), np.inf, stopped=True)
    else:
        if problem.objective == "worst_share":
            span = SpanProgress(watcher, 0.25, 0.5, "looking for the best of each group alone")
            own = own_bests(place, problem, constraints, coverage, span)
        objective = objective_of(place, problem, coverage, own.value, constraints, failing=True)
        refuse_unhonoured(name, method, objective, rules, options)
        solving = SpanProgress(watcher, 0.5 if own.value else 0.25, 0.95)
        if problem.reach:
            solution, too_few = _fewest(method, objective, rules, options, solving)
        elif own.stopped_with is None:
            solution = _solved(method, objective, problem, rules, options, start, solving)
        else:
            solution = Solution(own.stopped_with, float("nan"), np.inf, stopped=True)
    if problem.bound == "none":
        solution = replace(solution, upper_bound=float("nan"))
    # Measuring is short and is not stopped: a network without its figures is none.
    measuring = SilentProgress() if solution.stopped else SpanProgress(watcher, 0.95, 0.999)
    prices = rules.prices
    stay, placed = constraints.placed(city, problem, solution.sites)
    made = measured(
        city,
        problem,
        pd.concat([stay, placed], ignore_index=True) if len(stay) else placed,
        name,
        solution,
        began,
        measuring,
        kept=len(stay),
        own_best=own.value,
        slack=own.slack,
        spent=math.nan if prices is None else float(prices.cost[solution.sites].sum()),
    )
    if too_few is not None:
        made = Network(made.dataset.assign_attrs(too_few=too_few))
    if constraints.today is not None:
        gone = constraints.today.gone(city, solution.sites)
        made = with_gone(made, constraints.today.n, gone, _today(city, problem, constraints))
    if not solution.stopped:
        watcher.report(1.0, "done", made.objective_value, made.upper_bound)
    return made


def _method_for(city: City, problem: Problem, constraints: Constraints) -> tuple[str, Method]:
    """Look up the method that a problem means; its own name, and the method."""
    from spineq.solvers import failing_named, method_named

    if problem.failure_probability > 0.0:
        chances = chances_of(city, problem, constraints.kept)
        return failing_named(problem.method, problem.bound, chances)
    return method_named(problem.method, problem.bound, goals=_has_goals(problem))


def _has_goals(problem: Problem) -> bool:
    return problem.objective != "mean" or bool(problem.at_least) or bool(problem.reach)


def _fewest(
    method: Method, objective: Objective, rules: Rules, options: Options, progress: Progress
) -> tuple[Solution, int]:
    """Look for the fewest sensors; also returns how many are too few by proof."""
    from spineq.solvers.reach import fewest
    from spineq.solvers.solution import Solution

    found = fewest(objective, rules, options, method.solve, progress)
    value = objective.value(objective.covered_by(found.sites))
    # No bound: it is the number of sensors that is minimised.
    return Solution(found.sites, value, math.nan, found.stopped), found.too_few


def _solved(
    method: Method,
    objective: Objective,
    problem: Problem,
    rules: Rules,
    options: Options,
    start: NDArray[np.int64] | None,
    progress: Progress,
) -> Solution:
    """Run the method, and what the problem wants beside it."""
    from spineq.solvers.greedy import greedy
    from spineq.solvers.lagrangian import tightened
    from spineq.solvers.leximin import refined

    solve = method.solve if start is None else partial(greedy, start=start)
    refines = problem.objective != "mean" and len(problem.groups) > 1
    tightens = problem.bound == "tight" and not method.tight
    ends = 0.6 if refines or tightens else 1.0
    solution = solve(objective, rules, options, SpanProgress(progress, 0.0, ends))
    rest = SpanProgress(progress, ends, 1.0)
    if refines and not solution.stopped:
        return refined(objective, rules, options, solution, solve, rest)
    if tightens and not solution.stopped:
        return tightened(objective, rules, options, solution, rest)
    return solution


def _today(city: City, problem: Problem, constraints: Constraints) -> float:
    """Weighted mean coverage by what stays and all of today's sensors, 0 to 1."""
    assert constraints.today is not None  # who asks has them
    every = pd.concat([constraints.kept, constraints.today.places], ignore_index=True)
    covered = base_for(city, problem, every)
    weight = city.weights_at_points(problem.groups)
    return 0.0 if covered is None else float((weight * covered).sum())


class OwnBests(NamedTuple):
    """What each group could have alone.

    Parameters
    ----------
    value
        Coverage of the best network known for each group, above 0.
    slack
        How many times as much the best of all may be, 1 where each is proven.
    stopped_with
        Where the watcher asked to stop, the sites of that network of all found whose worst-off
        group is best off.
    """

    value: dict[str, float] = {}  # noqa: RUF012 - nobody writes into it
    slack: float = 1.0
    stopped_with: NDArray[np.int64] | None = None


def own_bests(
    city: City,
    problem: Problem,
    constraints: Constraints,
    coverage: Coverage,
    progress: Progress,
) -> OwnBests:
    """Look for the best coverage that each group could have alone, under the same rules."""
    from spineq.model.network import PROVEN_GAP
    from spineq.solvers import method_named

    # By the method that the answer itself is found by: a share of less than the best is none.
    _, method = method_named(problem.method, problem.bound, goals=True)
    options = replace(options_for(problem, constraints), start=None, gap_limit=0.0)
    plain = replace(problem, objective="mean", at_least=())
    made, slack, k = dict[str, float](), 1.0, len(problem.groups)
    objectives = [
        objective_of(city, replace(plain, groups=(group,)), coverage, None, constraints)
        for group in problem.groups
    ]
    networks = []
    for number, ((name, _), objective) in enumerate(zip(problem.groups, objectives, strict=True)):
        span = SpanProgress(progress, number / k, (number + 1) / k)
        found = method.solve(objective, constraints.rules, options, span)
        networks.append(found.sites)
        if found.stopped:
            covered = [objective.covered_by(sites) for sites in networks]
            worst = [min(each.value(every) for each in objectives) for every in covered]
            return OwnBests({}, 1.0, networks[int(np.argmax(worst))])
        # Whoever cannot be covered at all counts as covered in full.
        made[name] = found.value if found.value > 0.0 else 1.0
        if found.upper_bound - found.value > PROVEN_GAP * found.upper_bound:
            # Of a best of which nothing is known yet, any coverage may be all of it.
            slack = max(slack, found.upper_bound / found.value if found.value > 0.0 else math.inf)
    return OwnBests(made, slack)
