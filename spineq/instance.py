"""From a city and a problem to what solvers take: coverage, objective, rules and options."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._places import places_of
from spineq.constraints import Constraints, base_for, constraints_for
from spineq.errors import ProblemError, shown
from spineq.measure import ranked_coverage
from spineq.model._exports import need_city as need_city
from spineq.model._problem_checks import Floor, floors
from spineq.model.problem import Problem
from spineq.progress import Progress, SilentProgress, SpanProgress

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.solvers.coverage import Coverage
    from spineq.solvers.failing_books import Chances
    from spineq.solvers.goals import Goals
    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Options


def problem_for(city: City, problem: Problem | None, words: Mapping[str, Any]) -> Problem:
    """Make the problem that a caller means by a Problem or by words, for this city.

    Raises
    ------
    ProblemError
        Both are given, a word is wrong, no city, or no theta for a city whose costs are not
        metres.
    """
    need_city(city)
    if problem is None:
        if city.travel_unit != "m" and words.get("theta") is None and not words.get("kinds"):
            msg = f"the city's distances are {city.travel_unit}, so theta must be given in them"
            raise ProblemError(msg, field="theta", mend="Say for example theta=10")
        return Problem.from_words(**words)
    if not isinstance(problem, Problem):
        msg = f"a Problem is needed, not {shown(problem)}"
        raise ProblemError(msg, field="problem", mend="Write optimise(city, n_sensors=20)")
    if words:
        msg = f"a problem and {', '.join(sorted(words))} are both given"
        raise ProblemError(msg, mend="Give either a Problem or its fields")
    return problem


def check(city: City, problem: Problem) -> None:
    """Check a problem against a city, before anything is computed.

    Raises
    ------
    ProblemError
        More sensors than sites, or rules that clash with each other or the city: the message
        says which, and by how much.
    DataError
        The city lacks the data of a group.
    """
    city.weights(problem.groups)
    for _, group, _ in (*problem.at_least, *reached_for(city, problem)):
        city.people(group)
    constraints_for(city, problem)


def coverage_of(city: City, problem: Problem, progress: Progress) -> Coverage | None:
    """Coverage of the city's points by its sites; small ones are kept for the next call.

    Returns
    -------
    Coverage or None
        None where the watcher asked to stop.
    """
    from spineq.solvers.coverage import DENSE_PAIRS

    # By digest, so that a city unpickled for every task is still one.
    thetas = tuple(kind.theta for _, kind in problem.kinds) or (problem.theta,)
    key = (city.digest, thetas, problem.decay, problem.aversion_form, problem.aversion)
    with _KEPT_LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]
    made = make_coverage(city, problem, progress)
    if made is not None and made.n_pairs <= DENSE_PAIRS:
        with _KEPT_LOCK:
            _KEPT[key] = made
            while len(_KEPT) > _KEPT_MOST:
                _KEPT.popitem(last=False)
    return made


# Coverages made last, for a notebook or a worker that asks the same city again and again.
_KEPT: OrderedDict[tuple[str, tuple[float, ...], str, str, float], Coverage] = OrderedDict()
_KEPT_LOCK = threading.Lock()
_KEPT_MOST = 2


def make_coverage(city: City, problem: Problem, progress: Progress) -> Coverage | None:
    """Compute what `coverage_of` returns, whether or not it is kept already."""
    from spineq.solvers.coverage import from_travel, stacked, straight_line
    from spineq.solvers.decays import DECAYS
    from spineq.solvers.welfare import transformed, welfare_of

    if problem.kinds:
        k, parts = len(problem.kinds), []
        for number, (_, kind) in enumerate(problem.kinds):
            # A number, since a problem needs one where no kind says how many.
            alike = replace(problem, kinds=(), theta=kind.theta, n_sensors=1, **_NO_BUDGET)
            part = make_coverage(city, alike, SpanProgress(progress, number / k, (number + 1) / k))
            if part is None:
                return None
            parts.append(part)
        return stacked(parts)
    decay = DECAYS[problem.decay]
    welfare = welfare_of(problem.aversion_form, problem.aversion)
    watcher = progress if welfare is None else SpanProgress(progress, 0.0, 0.8)
    if city.travel is not None:
        n_sites, areas = city.n_sites, city.point_area
        made = from_travel(city.travel, n_sites, areas, decay, problem.theta, watcher)
    else:
        made = straight_line(city.site_xy, city.point_xy, decay, problem.theta, progress=watcher)
    if welfare is None or made is None:
        return made
    return transformed(made, welfare, SpanProgress(progress, 0.8, 1.0))


_NO_BUDGET: dict[str, Any] = {"budget": None, "site_cost": None}


def group_weights(city: City, group: Group) -> NDArray[np.float64]:
    """Weights of a group's people over the demand points, (point,), summing to 1."""
    return city.weights_at_points([(group.label, replace(group, weight=1.0))])


def objective_of(
    city: City,
    problem: Problem,
    coverage: Coverage,
    own_best: Mapping[str, float] | None = None,
    constraints: Constraints | None = None,
    *,
    failing: bool = False,
) -> Objective:
    """Weigh coverage by the problem's groups.

    Parameters
    ----------
    city, problem
        What is asked, of which city.
    coverage
        From `coverage_of`.
    own_best
        Best coverage of each group alone, which ``objective="worst_share"`` needs.
    constraints
        Those of the problem, where they are at hand.
    failing
        Whether who asks sees to it that sensors may fail; the objective itself says nothing of it.

    Raises
    ------
    ProblemError
        The problem has sensors that may fail, and who asks does not see to it.
    """
    if problem.failure_probability > 0.0 and not failing:
        msg = "that sensors may fail is looked at by optimise and evaluate only"
        mend = "Leave failure_probability out here"
        raise ProblemError(msg, field="failure_probability", mend=mend)
    from spineq.solvers.objective import Objective
    from spineq.solvers.welfare import welfare_of

    constraints = constraints or constraints_for(city, problem)
    base = base_for(city, problem, constraints.kept)
    welfare = welfare_of(problem.aversion_form, problem.aversion)
    if base is not None and welfare is not None:
        base = welfare(base)
    return Objective(
        coverage,
        city.weights_at_points(problem.groups),
        constraints.usable,
        base,
        _goals(city, problem, own_best or {}),
    )


def chances_of(city: City, problem: Problem, kept: pd.DataFrame) -> Chances:
    """With which probability sensors fail, and what those give that stay.

    Parameters
    ----------
    city, problem
        What is asked, of which city; with a probability above 0.
    kept
        The sensors that stay.
    """
    from spineq.solvers.failing_books import Chances, ranks_for

    ranks = ranks_for(problem.failure_probability, len(kept)) if len(kept) else 0
    table = ranked_coverage(city, problem, kept, ranks)
    return Chances(problem.failure_probability, table, len(kept))


def _goals(city: City, problem: Problem, own_best: Mapping[str, float]) -> Goals | None:
    from spineq.solvers.goals import Goals

    judged = [] if problem.objective == "mean" else list(problem.groups)
    owed = list(reached_for(city, problem) if problem.reach else problem.at_least)
    if not judged and not owed:
        return None
    groups = [group for _, group in judged] + [group for _, group, _ in owed]
    return Goals(
        np.array([group_weights(city, group) for group in groups]),
        np.array([-np.inf] * len(judged) + [level for _, _, level in owed]),
        np.array([True] * len(judged) + [False] * len(owed)),
        np.array([own_best.get(name, 1.0) for name, _ in judged] + [1.0] * len(owed)),
    )


def reached_for(city: City, problem: Problem) -> tuple[Floor, ...]:
    """Coverage that groups are to reach: triples of name, group and level, 0 to 1.

    Raises
    ------
    ProblemError
        Today's coverage is meant, and there are no existing sensors, or none covers anybody; or
        one is at no site of a city with a travel table.
    """
    if not isinstance(problem.reach, str):
        return problem.reach
    if not city.existing_areas:
        msg = f"{city.name or 'the city'} has no existing sensors whose coverage could be reached"
        mend = "Add them with with_existing, or say how much each group is to have"
        raise ProblemError(msg, field="reach", mend=mend)
    places, _ = places_of(city, "existing")
    if city.travel is not None and (places["position"] < 0).any():
        msg = "travel costs are known for sites only, and an area with a sensor of today has none"
        raise ProblemError(msg, field="reach", mend="Add the areas' points to the sites")
    covered = base_for(city, problem, places)
    assert covered is not None  # there are some
    levels = {
        # Sums in another order may exceed 1 by their rounding.
        name: (group, min(float((group_weights(city, group) * covered).sum()), 1.0))
        for name, group in city.reported_groups(dict(problem.groups)).items()
    }
    made = floors(levels, problem.groups, "reach")
    if not made:
        msg = "the existing sensors cover nobody"
        raise ProblemError(msg, field="reach", mend="Say how much each group is to have")
    return made


def options_for(problem: Problem, constraints: Constraints) -> Options:
    """How to look for a network, as the problem has it."""
    from spineq.solvers.rules import Options

    return Options(
        problem.seed, problem.effort, problem.bound, problem.gap_limit, constraints.start
    )


def site_values(city: City, problem: Problem) -> NDArray[np.float64]:
    """Objective of a single sensor at each site, (site,), 0 to 1.

    Raises
    ------
    DataError
        The city lacks the data of a group.
    """
    coverage = coverage_of(city, problem, SilentProgress())
    assert coverage is not None  # nobody asked to stop
    objective = objective_of(city, problem, coverage, failing=True)
    values = np.zeros(city.n_sites)
    for low, high in objective.blocks():
        objective.gains(objective.nothing(), values, low, high)
    return values


def area_values(city: City, problem: Problem) -> NDArray[np.float64]:
    """Objective of a single sensor in each area, (area,), 0 to 1; NaN where no site is.

    An area with several sites has the value of its best one.

    Raises
    ------
    DataError
        The city lacks the data of a group.
    """
    import pandas as pd

    position = pd.Index(city.dataset["area"].to_numpy()).get_indexer(pd.Index(city.site_areas))
    values = np.full(city.n_areas, np.nan)
    np.fmax.at(values, position, site_values(city, problem))
    return values
