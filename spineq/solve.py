"""The recipe: a city and a problem in, a network with its certificate out."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from spineq._earlier import start_of
from spineq.errors import ProblemError
from spineq.measure import at_sites, measured, places_of
from spineq.model.network import Network
from spineq.model.problem import Problem, ProblemWords
from spineq.progress import Progress, SilentProgress, SpanProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.solvers.coverage import Coverage
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
    sites). Existing sensors do not count: ask `evaluate` what they cover.

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
    method : {"auto", "exchange", "greedy", "random"}
        ``"greedy"`` places one sensor after the other where it adds most; ``"exchange"`` then
        swaps sensors until no swap helps; ``"auto"``, the best that there is, is
        ``"exchange"``; ``"random"`` is a baseline, drawn with ``seed``.
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
        A parameter is wrong, or the city has fewer sites than sensors.
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
    watcher = _watcher(progress)
    problem = problem_for(city, problem, dict(words))
    check(city, problem)
    return _answer(city, problem, None, watcher, began)


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
    watcher = _watcher(progress)
    problem = problem_for(city, problem, {})
    check(city, problem)
    return _answer(city, problem, start_of(city, problem, earlier), watcher, began)


def _answer(
    city: City,
    problem: Problem,
    start: NDArray[np.int64] | None,
    watcher: Progress,
    began: float,
) -> Network:
    """Solve a checked problem, for greedy from the sites placed earlier, and measure it."""
    from spineq.solvers import method_named
    from spineq.solvers.greedy import NOWHERE, greedy
    from spineq.solvers.solution import Solution

    name, method = method_named(problem.method)
    solve = method.solve if start is None else partial(greedy, start=start)
    coverage = coverage_of(city, problem, SpanProgress(watcher, 0.0, 0.25))
    if coverage is None:
        # Stopped before there was anything to choose by.
        sites = NOWHERE if start is None else start[: problem.n_sensors]
        solution = Solution(sites, float("nan"), np.inf, stopped=True)
    else:
        objective = objective_of(city, problem, coverage)
        solution = solve(
            objective, problem.n_sensors, problem.seed, SpanProgress(watcher, 0.25, 0.95)
        )
    # Measuring is short and is not stopped: a network without its figures is none.
    measuring = SilentProgress() if solution.stopped else SpanProgress(watcher, 0.95, 0.999)
    places = at_sites(city, solution.sites)
    made = measured(city, problem, places, name, solution, began, measuring)
    if not solution.stopped:
        watcher.report(1.0, "done", made.total_coverage, made.upper_bound)
    return made


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
        where they stand. A set has no order: its sensors are sorted.
    problem, theta, groups, decay, ...
        As for `optimise`; ``n_sensors`` follows from the sensors, and ``method`` and ``seed``
        mean nothing.
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
    from spineq.solvers.solution import Solution, certified

    began = time.perf_counter()
    watcher = _watcher(progress)
    _need_city(city)
    places, sensors_given = places_of(city, sensors)
    # The bound is that of as many sensors; of one, where there is none.
    n_sensors = max(len(places), 1)
    given: dict[str, Any] = dict(words)
    if "n_sensors" in given:
        msg = "the number of sensors follows from the sensors"
        raise ProblemError(msg, field="n_sensors", mend="Leave it out")
    if problem is None:
        given["n_sensors"] = n_sensors
    problem = replace(problem_for(city, problem, given), n_sensors=n_sensors)
    city.weights(problem.groups)
    sites = places["position"].to_numpy(dtype=np.int64)
    solution = Solution(sites, float("nan"), float("nan"), stopped=False)
    if (sites < 0).any():
        if city.travel is not None:
            msg = "travel costs are known for sites only"
            raise ProblemError(msg, field="sensors", mend="Name sites of the city")
    else:
        coverage = coverage_of(city, problem, SpanProgress(watcher, 0.0, 0.5))
        if coverage is None:
            solution = replace(solution, stopped=True)
        else:
            objective = objective_of(city, problem, coverage)
            solution = certified(objective, sites, n_sensors, SpanProgress(watcher, 0.5, 0.7))
            solution = _better_bound(
                objective, solution, SpanProgress(watcher, 0.7, 0.9, "bounding what is possible")
            )
    if np.isinf(solution.upper_bound):
        solution = replace(solution, upper_bound=float("nan"))
    measuring = SilentProgress() if solution.stopped else SpanProgress(watcher, 0.9, 0.999)
    made = measured(city, problem, places, "given", solution, began, measuring, sensors_given)
    if not solution.stopped:
        watcher.report(1.0, "done", made.total_coverage, made.upper_bound)
    return made


def _better_bound(objective: Objective, solution: Solution, progress: Progress) -> Solution:
    """Bound a user's network also by way of greedy's, whose bound may be far below its own."""
    from spineq.solvers.greedy import greedy

    # More sensors than can stand are as good as all that can.
    n = min(len(solution.sites), int(objective.usable_sites.sum()))
    if solution.stopped or n == 0:
        return solution
    best = greedy(objective, n, 0, progress)
    bound = max(min(solution.upper_bound, best.upper_bound), solution.value)
    return replace(solution, upper_bound=bound, stopped=best.stopped)


def check(city: City, problem: Problem) -> None:
    """Check a problem against a city, before anything is computed.

    Raises
    ------
    ProblemError
        More sensors than sites.
    DataError
        The city lacks the data of a group.
    """
    if problem.n_sensors > city.n_sites:
        msg = f"{problem.n_sensors:,} sensors are more than the city's {city.n_sites:,} sites"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {city.n_sites:,}")
    city.weights(problem.groups)


def site_values(city: City, problem: Problem) -> NDArray[np.float64]:
    """Objective of a single sensor at each site, (site,), 0 to 1.

    Raises
    ------
    DataError
        The city lacks the data of a group.
    """
    coverage = coverage_of(city, problem, SilentProgress())
    assert coverage is not None  # nobody asked to stop
    objective = objective_of(city, problem, coverage)
    values = np.zeros(city.n_sites)
    for low, high in objective.blocks():
        objective.gains(objective.nothing(), values, low, high)
    return values


def _watcher(progress: object) -> Progress:
    if progress is None:
        return SilentProgress()
    # A class has the method too, but none to call.
    if isinstance(progress, type) or not callable(getattr(progress, "report", None)):
        msg = f"{progress!r} is not a watcher: it has no method report"
        raise ProblemError(msg, field="progress", mend="Give a TextProgress(), or leave it out")
    watcher: Progress = progress  # type: ignore[assignment]
    return watcher


def _need_city(city: object) -> None:
    from spineq.model.city import City

    if not isinstance(city, City):
        msg = f"a city is needed, not {city!r}"
        raise ProblemError(msg, field="city", mend="Read it with read_city(path)")


def problem_for(city: City, problem: Problem | None, words: Mapping[str, Any]) -> Problem:
    """Make the problem that a caller means by a Problem or by words, for this city.

    Raises
    ------
    ProblemError
        Both are given, a word is wrong, no city, or no theta for a city whose costs are not
        metres.
    """
    _need_city(city)
    if problem is None:
        if city.travel_unit != "m" and words.get("theta") is None:
            msg = f"the city's distances are {city.travel_unit}, so theta must be given in them"
            raise ProblemError(msg, field="theta", mend="Say for example theta=10")
        return Problem.from_words(**words)
    if not isinstance(problem, Problem):
        msg = f"a Problem is needed, not {problem!r}"
        raise ProblemError(msg, field="problem", mend="Write optimise(city, n_sensors=20)")
    if words:
        msg = f"a problem and {', '.join(sorted(words))} are both given"
        raise ProblemError(msg, mend="Give either a Problem or its fields")
    return problem


def coverage_of(city: City, problem: Problem, progress: Progress) -> Coverage | None:
    """Coverage of the city's points by its sites; small ones are kept for the next call.

    Returns
    -------
    Coverage or None
        None where the watcher asked to stop.
    """
    from spineq.solvers.coverage import DENSE_PAIRS

    # By digest, so that a city unpickled for every task is still one.
    key = city.digest, problem.theta, problem.decay
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
_KEPT: OrderedDict[tuple[str, float, str], Coverage] = OrderedDict()
_KEPT_LOCK = threading.Lock()
_KEPT_MOST = 2


def make_coverage(city: City, problem: Problem, progress: Progress) -> Coverage | None:
    """Compute what `coverage_of` returns, whether or not it is kept already."""
    from spineq.solvers.coverage import from_travel, straight_line
    from spineq.solvers.decays import DECAYS

    decay = DECAYS[problem.decay]
    if city.travel is not None:
        n_sites, areas = city.n_sites, city.point_area
        return from_travel(city.travel, n_sites, areas, decay, problem.theta, progress)
    return straight_line(city.site_xy, city.point_xy, decay, problem.theta, progress=progress)


def objective_of(city: City, problem: Problem, coverage: Coverage) -> Objective:
    """Weigh coverage by the problem's groups."""
    from spineq.solvers.objective import Objective

    return Objective(coverage, city.point_weights(city.weights(problem.groups)))
