"""The recipe: a city and a problem in, a network with its certificate out.

The file is long because of what `optimise` and `evaluate` promise for each argument.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
import pandas as pd

from spineq._answering import OwnBests, answered, own_bests
from spineq._earlier import start_of
from spineq.constraints import (
    Constraints,
    kept_places,
    usable_for,
)
from spineq.errors import ProblemError
from spineq.instance import (
    chances_of,
    check,
    coverage_of,
    need_city,
    objective_of,
    problem_for,
)
from spineq.measure import measured, places_of
from spineq.model._problem_words import NO_RULES
from spineq.model.network import Network
from spineq.model.problem import Problem, ProblemWords
from spineq.progress import Progress, SilentProgress, SpanProgress, watcher_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.solvers.failing_books import Chances
    from spineq.solvers.objective import Objective
    from spineq.solvers.solution import Solution


def optimise(
    city: City,
    problem: Problem | None = None,
    *,
    progress: Progress | None = None,
    **words: Unpack[ProblemWords],
) -> Network:
    """Place sensors so that the people who matter are covered as well as possible.

    Someone's coverage is 1 at a sensor and falls with the distance to the nearest one:
    ``exp(-distance / theta)`` by default. What is maximised is its mean over the people of
    the groups, ``sum_j weight_j max over sensors i of decay(d_ij)`` over the city's demand
    points j (in the field's words: uncapacitated facility location with a fixed number of
    sites). Existing sensors count where ``keep`` says so. Every answer has its certificate: a
    proven bound on what any network could cover.

    Parameters
    ----------
    city
        Where.
    problem
        What is asked, as a `Problem`; or give its fields as keywords.
    n_sensors : int
        How many sensors to place, 1 up to the number of sites.
    theta : float, default 500
        Distance at which coverage has fallen to 37 % (with the default decay), metres; in the
        unit of the travel table where the city has one, and then to be given.
    groups : dict of str to Group, default all residents
        Who matters. Each group's people are scaled to sum to 1 first, so that its weight is
        importance and not head count: weights 2 and 1 mean two thirds and one third.
    decay : {"exponential", "step", "linear", "gaussian"}
        How coverage falls with distance; see `spineq.solvers.decays.DECAYS`.
    method : {"auto", "branch_bound", "lagrangian", "exchange", "greedy", "random", "milp"}
        ``"auto"``, the default, is ``"branch_bound"``: swaps, then a tight bound, then a search
        for the proven best while ``effort`` lasts. ``"lagrangian"`` is that without the last
        part. ``"greedy"`` places one sensor after the other where it adds most; ``"exchange"``
        then swaps sensors until no swap helps; both have a quick, loose bound. ``"random"`` is a
        baseline, drawn with ``seed``; ``"milp"`` asks an integer programme's solver (extra
        ``milp``).
    effort : float, default 1
        Work that may be done, as a multiple of the usual: steps and branches, never seconds, so
        that the answer is the same on every machine.
    bound : {None, "none", "quick", "tight"}
        Which bound is wanted; None for what the method brings. With ``"none"`` or ``"quick"``
        ``"auto"`` ends after the swaps.
    gap_limit : float, default 0
        A gap with which the search may end.
    budget, site_cost
        Instead of ``n_sensors``: what there is to spend, and the column of the sites with the
        price of a sensor there.
    region, max_per_region, min_per_region
        Column of the sites that names their region, and how many sensors a region may or must
        get: a number for all, or one by region.
    min_spacing : float, metres
        No two sensors nearer to each other than this; ``n_sensors`` is then the most.
    keep, forbid, start
        Sensors that stay and are not counted (``"existing"``, or ids of sites, or a network);
        sites where none may stand; a network to improve.
    objective : {"mean", "worst", "worst_share"}
        The weighted mean of the groups; or the coverage of the worst-off group; or the smallest
        share that a group has of the best it could have alone. The last two are refined: of
        networks that are equally good for the worst-off group, one that is best for the next.
    aversion, aversion_form
        Aversion to inequality between people: see `spineq.solvers.welfare.Welfare`.
    at_least : dict of str to float, or Network
        Coverage that groups must reach; or a network: no group may be worse off than by it.
    reach : dict of str to float, Network, or "existing"
        Instead of ``n_sensors``: the fewest sensors with which groups reach a coverage, or what
        a network gives every group, or the existing sensors (each at its area's point, as
        ``evaluate(city, "existing")`` counts them). `Network.too_few` says how many sensors
        provably cannot.
    kinds : dict of str to Kind
        Kinds of sensors, each with its own theta, number and cost; one sensor at most a site,
        and one number or budget for all. ``theta`` is then that of the sensors that stay.
    retire, move_at_most : int, default 0
        How many of the existing sensors are taken away, and how many may move at most; with
        ``n_sensors`` new ones, none by default. The others stay where they stand, and sensors
        at one place count as one; those that ``keep`` names, by id or by site, stay for sure.
        ``forbid`` and ``min_spacing`` are about new places.
    failure_probability : float, default 0
        Probability with which each sensor fails, those that stay too, independently of each
        other, below 1. What is maximised is then the coverage that is to be expected:
        ``sum_j weight_j sum_k (1 - p) p^(k-1) c_kj``, with ``c_kj`` the coverage of point j by
        the sensor that covers it k-th best. ``"auto"`` is then ``"lagrangian"``, which does not
        branch; ``"exchange"`` and ``"greedy"`` can do it too.
    seed : int, default 0
        For ``"random"`` alone.
    population_weight, workplace_weight, min_age, max_age, pop_age_groups
        The groups in the words of the original system (Spatial Inequality in the Smart City);
        see `spineq.model.groups.groups_from_words`.
    progress
        Watcher; when it asks to stop, the best network so far is returned, marked.

    Returns
    -------
    Network
        With its value recomputed in float64 from the chosen sites, and a proven upper bound.

    Raises
    ------
    ProblemError
        A parameter is wrong, the city has fewer sites than sensors, what is asked clashes with
        itself, or the method cannot honour it.
    DataError
        The city lacks the data of a group.

    Examples
    --------
    >>> import spineq as sq
    >>> net = sq.optimise(sq.demo_city(), n_sensors=5, theta=500)
    >>> net.n_sensors
    5
    """
    began = time.perf_counter()
    watcher = watcher_of(progress)
    problem = problem_for(city, problem, dict(words))
    check(city, problem)
    return answered(city, problem, None, watcher, began)


def resume(
    city: City, problem: Problem, earlier: Network, *, progress: Progress | None = None
) -> Network:
    """Answer a greedy problem from greedy's answer for another number of sensors.

    Of a longer network the beginning is taken, which only needs its figures and its bound; a
    shorter one is continued.

    Parameters
    ----------
    city
        Where.
    problem
        What is asked, with ``method="greedy"``.
    earlier
        What `optimise` answered, not stopped, for this city and a problem that differs in
        ``n_sensors`` alone (and in ``seed``, which greedy does not use).
    progress
        Watcher; when it asks to stop, the best network so far is returned, marked.

    Returns
    -------
    Network
        What ``optimise(city, problem)`` returns, bit for bit, but for the time taken.

    Raises
    ------
    ProblemError
        The earlier network is of another city or problem, or is not greedy's whole answer; or
        the city has fewer sites than sensors.
    DataError
        The city lacks the data of a group.
    """
    began = time.perf_counter()
    watcher = watcher_of(progress)
    problem = problem_for(city, problem, {})
    check(city, problem)
    return answered(city, problem, start_of(city, problem, earlier), watcher, began)


def evaluate(
    city: City,
    sensors: Any,
    problem: Problem | None = None,
    *,
    progress: Progress | None = None,
    **words: Unpack[ProblemWords],
) -> Network:
    """Measure a network of the user's own; its sensors stay in the order given.

    Parameters
    ----------
    city
        Where.
    sensors
        Ids of sites or areas (an area means its point, and an id of both the site); or places:
        pairs of x and y in the city's CRS, an array (sensor, 2), a table with columns x and y,
        or a GeoSeries or GeoDataFrame of points; or ``"existing"``: the areas that have an
        existing sensor, each once, at its point; or ``"existing-points"``: the existing sensors
        where they stand; or a network, which may be of another city: its sensors, where they
        stand. A set has no order: its sensors are sorted.
    problem, theta, groups, decay, ...
        As for `optimise`, ``failure_probability`` too; ``n_sensors`` follows from the sensors.
        ``method`` and ``seed`` mean nothing, nor do the rules but for ``keep``: the network may
        break them.
    progress
        Watcher; when it asks to stop, the network comes without a bound, marked.

    Returns
    -------
    Network
        With an upper bound where all sensors stand at sites. Sensors that are named twice
        count once.

    Raises
    ------
    UnknownSensorError
        An id that is neither a site nor an area, or a site and another area; a place far from
        the city; or something that names no sensor.
    MissingColumnError, NotANumberError
        A table lacks x or y, or has something else than numbers there.
    ProblemError
        A parameter is wrong, or a place that is no site in a city with a travel table.
    """
    from spineq.solvers.rules import Rules
    from spineq.solvers.solution import Solution

    began = time.perf_counter()
    watcher = watcher_of(progress)
    places, sensors_given, problem, kept, usable = given_network(city, sensors, problem, words)
    # As many sensors as are given, or as all that can stand: rules that can be kept.
    room = city.n_sites if usable is None else int(usable.sum())
    constraints = Constraints(Rules(min(problem.number, room)), usable, kept, None)
    sites = places["position"].to_numpy(dtype=np.int64)
    solution = Solution(sites, float("nan"), float("nan"), stopped=False)
    own = OwnBests()
    at_sites_alone = not (sites < 0).any()
    # Without a bound, measuring alone says everything.
    if (at_sites_alone and problem.bound != "none") or problem.objective == "worst_share":
        coverage = coverage_of(city, problem, SpanProgress(watcher, 0.0, 0.4))
        if coverage is None:
            solution = replace(solution, stopped=True)
        else:
            if problem.objective == "worst_share":
                span = SpanProgress(watcher, 0.4, 0.6, "looking for the best of each group alone")
                own = own_bests(city, problem, constraints, coverage, span)
            if at_sites_alone:
                objective = objective_of(
                    city, problem, coverage, own.value, constraints, failing=True
                )
                span, certified = SpanProgress(watcher, 0.6, 0.9), _certified
                if problem.failure_probability > 0.0:
                    certified = partial(_certified_failing, chances_of(city, problem, kept))
                solution = certified(problem, objective, sites, span)
    if np.isinf(solution.upper_bound):
        solution = replace(solution, upper_bound=float("nan"))
    measuring = SilentProgress() if solution.stopped else SpanProgress(watcher, 0.9, 0.999)
    made = measured(
        city,
        problem,
        pd.concat([kept, places], ignore_index=True) if len(kept) else places,
        "given",
        solution,
        began,
        measuring,
        sensors_given,
        kept=len(kept),
        own_best=own.value,
        slack=own.slack,
    )
    if not solution.stopped:
        watcher.report(1.0, "done", made.objective_value, made.upper_bound)
    return made


class Given(NamedTuple):
    """What `evaluate` is asked, checked.

    Parameters
    ----------
    places
        The sensors in the order given, each once: position (-1 for a place that is no site),
        site, area, x, y.
    n_named
        How many sensors were named.
    problem
        The problem, for as many sensors as there are places, without the rules.
    kept
        Sensors that stay, a table like ``places``.
    usable
        Whether a sensor may stand at each site, (site,); None for all.
    """

    places: pd.DataFrame
    n_named: int
    problem: Problem
    kept: pd.DataFrame
    usable: NDArray[np.bool_] | None


def given_network(
    city: City, sensors: Any, problem: Problem | None, words: Mapping[str, Any]
) -> Given:
    """Check what `evaluate` is asked, before anything is computed.

    Raises
    ------
    SpineqError
        As `evaluate`.
    """
    need_city(city)
    places, n_named = places_of(city, sensors)
    # The bound is that of as many sensors; of one, where there is none.
    n_sensors = max(len(places), 1)
    given = dict(words)
    if given.get("n_sensors") is not None:
        msg = "the number of sensors follows from the sensors"
        raise ProblemError(msg, field="n_sensors", mend="Leave it out")
    if problem is None:
        spending = {name: given.pop(name, None) for name in ("budget", "site_cost")}
        if any(value is not None for value in spending.values()):
            # They mean nothing here, but what is wrong is wrong.
            problem_for(city, None, given | spending)
        given["n_sensors"] = n_sensors
    asked = problem_for(city, problem, given)
    if asked.kinds:
        msg = "a network that is given is measured with one theta, and kinds have several"
        raise ProblemError(msg, field="kinds", mend="Leave kinds out, or let optimise place them")
    problem = replace(asked, n_sensors=n_sensors, **NO_RULES)
    city.weights(problem.groups)
    kept, usable = kept_places(city, problem), usable_for(city, problem)
    if (places["position"] < 0).any() and city.travel is not None:
        lone = places[places["position"] < 0].iloc[0]
        msg = f"travel costs are known for sites only, and at {lone['x']:g}, {lone['y']:g} is none"
        mend = "Name sites, or add the place to them before the costs are computed"
        raise ProblemError(msg, field="sensors", mend=mend)
    return Given(places, n_named, problem, kept, usable)


def _certified(
    problem: Problem, objective: Objective, sites: NDArray[np.int64], progress: Progress
) -> Solution:
    """Value and bound of a user's network, whose sites need not be usable ones.

    By default the bound is a tight one where that takes a moment. A quick one comes by way of
    greedy's network, whose own may be far below the given one's; with goals it is that of the
    judged groups' mean, which the smallest share does not exceed.
    """
    from spineq.solvers.coverage import DENSE_PAIRS
    from spineq.solvers.greedy import greedy
    from spineq.solvers.lagrangian import lagrangian, plain
    from spineq.solvers.rules import Options, Rules
    from spineq.solvers.solution import Solution, certified

    covered, goals = objective.covered_by(sites), objective.goals
    value = objective.value(covered) if goals is None else goals.smallest(goals.groups(covered))
    # More sensors than can stand are as good as all that can; for none it is the bound of one.
    n = min(max(len(sites), 1), int(objective.usable_sites.sum()))
    if problem.bound == "none" or n == 0:
        bound = math.nan if problem.bound == "none" else value
        return Solution(sites, value, bound, stopped=False)
    small = objective.coverage.n_pairs <= DENSE_PAIRS
    if problem.bound == "tight" or (problem.bound is None and small):
        words = "bounding what is possible"
        span = SpanProgress(progress, 0.0, 1.0, words)
        best = lagrangian(objective, Rules(n), Options(effort=problem.effort), span)
        bound = best.upper_bound
    else:
        mean = plain(objective)
        given = certified(mean, sites, Rules(n), SpanProgress(progress, 0.0, 0.5))
        best = given
        if not given.stopped:
            best = greedy(mean, Rules(n), Options(), SpanProgress(progress, 0.5, 1.0, "bounding"))
        bound = min(given.upper_bound, best.upper_bound)
    return Solution(sites, value, max(bound, value), stopped=best.stopped)


def _certified_failing(
    chances: Chances,
    problem: Problem,
    objective: Objective,
    sites: NDArray[np.int64],
    progress: Progress,
) -> Solution:
    """Value and bound of a user's network whose sensors may fail; see `_certified`."""
    from spineq.solvers import failing_named
    from spineq.solvers.coverage import DENSE_PAIRS
    from spineq.solvers.failing_books import Books
    from spineq.solvers.rules import Options, Rules
    from spineq.solvers.solution import Solution

    value = Books(objective, Rules(len(sites)), chances).value(sites)
    n = min(max(len(sites), 1), int(objective.usable_sites.sum()))
    if n == 0:
        return Solution(sites, value, value, stopped=False)
    small = objective.coverage.n_pairs <= DENSE_PAIRS
    tight = problem.bound == "tight" or (problem.bound is None and small)
    options = Options(effort=problem.effort, bound="tight" if tight else "quick")
    _, method = failing_named("exchange" if tight else "greedy", None, chances)
    watcher = SpanProgress(progress, 0.0, 1.0, "bounding what is possible")
    best = method.solve(objective, Rules(n), options, watcher)
    return Solution(sites, value, max(best.upper_bound, value), stopped=best.stopped)
