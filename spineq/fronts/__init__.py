"""Fronts: many networks of one problem, between which one has to choose."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from spineq.errors import MissingExtraError, ProblemError, shown
from spineq.instance import check, problem_for
from spineq.model.front import Front
from spineq.model.groups import GROUPS, Group, real_number
from spineq.model.problem import DecayName, Problem
from spineq.progress import Progress, SilentProgress, SpanProgress, watcher_of

if TYPE_CHECKING:
    from spineq.fronts.archive import Archive
    from spineq.fronts.crew import Crew
    from spineq.model.city import City

FrontMethod = Literal["weighted", "nsga2", "nsga3"]
StartName = Literal["cold", "ours"]

#: Raised when the same question gets another front.
VERSION = 1

#: Networks of a front at most: each is measured anew.
MOST_NETWORKS = 5_000


def trade_off(
    city: City,
    n_sensors: int,
    theta: float | None = None,
    groups: Mapping[str, Group] | None = None,
    *,
    decay: DecayName = "exponential",
    keep: Literal["existing"] | Sequence[str] = (),
    forbid: Sequence[str] = (),
    effort: float = 1.0,
    size: int = 200,
    method: FrontMethod = "weighted",
    tolerance: float | None = None,
    start: StartName = "cold",
    seed: int = 0,
    client: Any = None,
    progress: Progress | None = None,
) -> Front:
    """Find the networks between which groups of people compete.

    A network dominates another one if it covers no group less and one more. What is looked for
    are networks that nothing dominates: first the best for many weightings of the groups (a
    lattice, closer where something better may be hidden), each by swaps from the best network
    known for it; then every single swap of these; then the same around the best of what was
    found (Pareto local search: Paquete, Chiarandini and Stützle 2004). Everything that nothing
    dominates is kept, and the ``size`` networks that together dominate most are the front.

    Parameters
    ----------
    city
        Where.
    n_sensors
        How many sensors to place.
    theta
        Distance at which coverage has fallen to 37 % (with the default decay), metres, 500 by
        default; in the unit of the travel table where the city has one, and then to be given.
    groups
        Who competes: two groups at least, by default the four of `GROUPS`. Their weights play
        no part, but one of weight 0 is left out.
    decay
        How coverage falls with distance; see `spineq.solvers.decays.DECAYS`.
    keep
        Sensors that stand already and stay, not counted in ``n_sensors``: ``"existing"``, or
        ids of sites.
    forbid
        Ids of sites where no sensor may stand.
    effort
        How hard to look, as a multiple of the usual; above 0. It counts steps, not seconds, so
        that the answer is the same everywhere.
    size
        Networks of the front at most, 1 to 5,000.
    method
        ``"weighted"``, as above. ``"nsga2"`` and ``"nsga3"`` are pymoo's genetic algorithms, for
        comparison only: ``size`` networks and 1,000 generations with an effort of 1.
    tolerance
        For two groups: how far beyond the front a network may lie at most, to be proven; see
        `Front.tolerance` for what that means and what was proven. None proves nothing.
    start
        What genetic algorithms begin with: networks drawn at random (``"cold"``), or those that
        ``"weighted"`` finds with an effort of 1 (``"ours"``).
    seed
        For genetic algorithms; ``"weighted"`` draws nothing.
    client
        A Dask client (not asynchronous) whose workers take the parts of the work. The front is
        the same with and without. Within a task of a worker leave it out.
    progress
        Watcher; when it asks to stop, what was found by then is returned, marked.

    Returns
    -------
    Front
        Its networks' coverage is computed anew in float64.

    Raises
    ------
    ProblemError
        A parameter is wrong, fewer than two groups, or the city has fewer sites than sensors.
    DataError
        The city lacks the data of a group.
    MissingExtraError
        moocore is not installed, or for a genetic algorithm pymoo.
    ClusterError
        The cluster gave up parts of the work.

    Examples
    --------
    >>> import spineq as sq
    >>> city = sq.demo_city("synthetic", n_areas=60)
    >>> groups = {"older": sq.Group(ages=(66, 90)), "jobs": sq.Group(column="workers")}
    >>> front = sq.trade_off(city, n_sensors=5, theta=500, groups=groups, effort=0.1)
    >>> front.groups
    ('jobs', 'older')
    """
    began = time.perf_counter()
    watcher = watcher_of(progress)
    question = {
        "n_sensors": n_sensors, "theta": theta, "groups": groups, "decay": decay, "keep": keep,
        "forbid": forbid,
    }  # fmt: skip
    problem = front_problem(city, question)
    how = checked(
        problem,
        effort=effort,
        size=size,
        method=method,
        tolerance=tolerance,
        start=start,
        seed=seed,
    )
    _need_moocore()
    front = _found(city, problem, client=client, watcher=watcher, **how)
    front = Front(front.dataset.assign_attrs(seconds=time.perf_counter() - began))
    if not front.stopped:
        watcher.report(1.0, "done")
    return front


def _found(
    city: City,
    problem: Problem,
    *,
    effort: float,
    size: int,
    method: FrontMethod,
    tolerance: float | None,
    start: StartName,
    seed: int,
    client: Any,
    watcher: Progress,
) -> Front:
    from spineq.fronts.archive import Archive
    from spineq.fronts.assembly import Facts, make_front
    from spineq.fronts.crew import Here, OnCluster
    from spineq.fronts.landscape import landscape_of
    from spineq.fronts.search import Search
    from spineq.solvers.coverage import DENSE_PAIRS

    archive = Archive(problem.number, len(problem.groups))
    crew: Crew | None = None
    proven = np.inf
    on_cluster = None if client is None else OnCluster(client, city, problem)
    if on_cluster is not None and city.n_sites * city.n_points > DENSE_PAIRS:
        # It would not be kept until the networks are measured.
        crew = on_cluster
    else:
        land = landscape_of(city, problem, SpanProgress(watcher, 0.0, 0.04))
        crew = None if land is None else on_cluster or Here(land)
    stopped = crew is None
    if crew is not None and method != "weighted":
        archive, stopped = _evolved(
            city, problem, crew, method, effort, size, start, seed, SpanProgress(watcher, 0.04, 0.9)
        )
    elif crew is not None:
        end = 0.9 if tolerance is None else 0.4
        search = Search(crew, archive, SpanProgress(watcher, 0.04, end))
        search.run(effort)
        if tolerance is not None and not search.stopped:
            from spineq.fronts.two_groups import Prover

            proven = Prover(search, tolerance, effort).run(SpanProgress(watcher, 0.4, 0.9))
        stopped = search.stopped
    asked = np.nan if tolerance is None else tolerance
    proven = proven if np.isfinite(proven) else np.nan
    facts = Facts(method, effort, seed, proven, asked, stopped)
    choosing = SilentProgress() if stopped else SpanProgress(watcher, 0.9, 0.999)
    return make_front(city, problem, archive, size, facts, choosing)


def _evolved(
    city: City,
    problem: Problem,
    crew: Crew,
    method: str,
    effort: float,
    size: int,
    start: StartName,
    seed: int,
    watcher: Progress,
) -> tuple[Archive, bool]:
    """Let a genetic algorithm look, from nothing or from our networks."""
    from spineq.fronts.archive import Archive
    from spineq.fronts.genetic import evolve
    from spineq.fronts.landscape import landscape_of
    from spineq.fronts.search import Search
    from spineq.fronts.subset import greedy_subset

    n = problem.number
    archive = Archive(n, len(problem.groups))
    land = landscape_of(city, problem, SpanProgress(watcher, 0.0, 0.02))
    if land is None:
        return archive, True
    first = np.empty((0, n), dtype=np.int64)
    begun = 0.02
    if start == "ours":
        begun = 0.5
        search = Search(crew, archive, SpanProgress(watcher, 0.02, 0.45))
        search.run(1.0)
        chosen, cut = greedy_subset(
            archive.found.coverage, size, SpanProgress(watcher, 0.45, begun)
        )
        if search.stopped or cut:
            return archive, True
        first = np.array([archive.sites(int(k)) for k in chosen], dtype=np.int64)
    evolving = SpanProgress(watcher, begun, 1.0)
    return evolve(land, n, method, effort, size, seed, first, evolving)


def front_problem(city: City, words: Mapping[str, Any]) -> Problem:
    """Make the problem whose weightings a front is about, and check it against the city.

    Parameters
    ----------
    city
        Where.
    words
        ``n_sensors, theta, groups, decay, keep, forbid``; what is None or missing is at its
        default.

    Raises
    ------
    ProblemError
        A value is wrong, fewer than two groups, or the city has fewer sites than sensors.
    DataError
        The city lacks the data of a group.
    """
    given = {name: word for name, word in words.items() if word is not None}
    groups = given.setdefault("groups", dict(GROUPS))
    problem = problem_for(city, None, given)
    if len(problem.groups) < 2:
        msg = f"a trade-off is between groups, and {shown(list(groups))} is one"
        raise ProblemError(msg, field="groups", mend="Give two groups at least")
    # Weights are what is varied: they make no other question.
    alike = {name: replace(group, weight=1.0) for name, group in problem.groups}
    problem = replace(problem, groups=tuple(alike.items()))
    check(city, problem)
    return problem


def checked(
    problem: Problem,
    *,
    effort: object = 1.0,
    size: object = 200,
    method: object = "weighted",
    tolerance: object = None,
    start: object = "cold",
    seed: object = 0,
) -> dict[str, Any]:
    """Check how a front is to be looked for; returns the same words in JSON's types.

    Raises
    ------
    ProblemError
        A value of the wrong type or out of its range.
    """
    if not isinstance(method, str) or method not in get_args(FrontMethod):
        msg = f"method {shown(method)} does not exist"
        raise ProblemError(msg, field="method", mend=f"Use {', '.join(get_args(FrontMethod))}")
    if not isinstance(start, str) or start not in get_args(StartName):
        msg = f"start {shown(start)} does not exist"
        raise ProblemError(msg, field="start", mend=f"Use {', '.join(get_args(StartName))}")
    genetic = method != "weighted"
    if start != "cold" and not genetic:
        msg = "the weighted search has no other start"
        raise ProblemError(msg, field="start", mend="Leave it out, or name a genetic method")
    if tolerance is not None and genetic:
        msg = f"the method {method!r} proves nothing"
        raise ProblemError(msg, field="tolerance", mend='Leave it out, or ask for "weighted"')
    return {
        "effort": _effort(effort),
        "size": _size(size),
        "method": method,
        "tolerance": _tolerance(tolerance, problem),
        "start": start,
        "seed": replace(problem, seed=seed).seed,  # type: ignore[arg-type]
    }


def _effort(effort: object) -> float:
    mend = "Give a number above 0, for example 1"
    number = real_number(effort, "effort", mend)
    if not 0 < number <= 1e6:
        msg = f"effort must be above 0 and at most 1,000,000, not {number:g}"
        raise ProblemError(msg, field="effort", mend=mend)
    return number


def _size(size: object) -> int:
    number = int(size) if isinstance(size, Integral) and not isinstance(size, bool) else 0
    if not 1 <= number <= MOST_NETWORKS:
        msg = f"size must be a whole number from 1 to {MOST_NETWORKS:,}, not {shown(size)}"
        raise ProblemError(msg, field="size", mend="Say for example size=200")
    return number


def _tolerance(tolerance: object, problem: Problem) -> float | None:
    if tolerance is None:
        return None
    mend = "Give a coverage above 0, for example 0.001, or leave it out"
    number = real_number(tolerance, "tolerance", mend)
    if not 0 < number < 1:
        msg = f"tolerance must be above 0 and below 1, not {number:g}"
        raise ProblemError(msg, field="tolerance", mend=mend)
    if len(problem.groups) != 2:
        msg = f"a tolerance can be proven for two groups, not for {len(problem.groups)}"
        raise ProblemError(msg, field="tolerance", mend="Leave it out, or give two groups")
    return number


def _need_moocore() -> None:
    try:
        import moocore  # noqa: F401
    except ImportError as error:
        msg = "fronts need the package moocore"
        raise MissingExtraError(msg, mend='Install it: pip install "spineq[front]"') from error
