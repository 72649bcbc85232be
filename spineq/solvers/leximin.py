"""The worst-off group first, then the next worst-off, and so on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.progress import Progress, SpanProgress
from spineq.solvers.goals import Goals

if TYPE_CHECKING:
    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Options, Rules
    from spineq.solvers.solution import Solution

#: Effort of each refinement, as a share of that for the worst-off group itself.
_EFFORT = 0.25


def refined(
    objective: Objective,
    rules: Rules,
    options: Options,
    solution: Solution,
    solve: Callable[[Objective, Rules, Options, Progress], Solution],
    progress: Progress,
) -> Solution:
    """Among networks as good for the worst-off group, look for one that is better for the others.

    The group that the network leaves worst off must keep what it has, and the smallest share
    of the others is maximised; then the next one must keep what it has, until none is left
    (lexicographic maximin, Ogryczak 1997, European Journal of Operational Research 100).

    Parameters
    ----------
    objective
        What is maximised, with judged groups.
    rules, options
        What a network may be, and how to look.
    solution
        The best network found for the worst-off group.
    solve
        Solver that honours goals.
    progress
        Watcher; when it asks to stop, what has been refined by then is returned.

    Returns
    -------
    Solution
        With the worst-off group's value and bound; its value is never below the solution's.
    """
    goals = objective.goals
    assert goals is not None  # only goals are refined
    judged, least = goals.judged.copy(), goals.least.copy()
    sites, stopped, nodes = solution.sites, False, solution.nodes
    stages = int(judged.sum()) - 1
    for stage in range(stages):
        share = goals.groups(objective.covered_by(sites)) / goals.scale
        lowest = int(np.argmin(np.where(judged, share, np.inf)))
        judged[lowest] = False
        least[lowest] = max(least[lowest], share[lowest] * goals.scale[lowest])
        part = replace(objective, goals=Goals(goals.rows, least.copy(), judged.copy(), goals.scale))
        hints = replace(options, start=sites, effort=_EFFORT * options.effort)
        span = SpanProgress(
            progress, stage / stages, (stage + 1) / stages, "then for the next worst-off group"
        )
        found = solve(part, rules, hints, span)
        sites, nodes = found.sites, nodes + found.nodes
        if found.stopped:
            stopped = True
            break
    value = goals.smallest(goals.groups(objective.covered_by(sites)))
    if value < solution.value:
        # Rounding of a floor, or a search that was stopped before it knew its start.
        sites, value = solution.sites, solution.value
    return replace(solution, sites=sites, value=value, stopped=stopped, nodes=nodes)
