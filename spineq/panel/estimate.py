"""How long a run is likely to take, in words."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City
    from spineq.model.problem import Problem

#: Seconds by pairs of site and point, for the usual method: from 900, 3,000, 10,000 and 25,000
#: areas on two cores. A guess for words, not a figure.
_PAIRS = ((1e6, 1.0), (1e7, 5.0), (1e8, 35.0), (1e9, 60.0))

#: How much of that each method takes.
_SHARE = {"greedy": 0.1, "random": 0.05, "exchange": 0.2, "lagrangian": 0.7}


def words_for(city: City, problem: Problem, queue: JobQueue | None) -> str:
    """Say how long a run may take: as runs like it took, or else by the size of the city."""
    like = [] if queue is None else _earlier(city, problem, queue)
    if like:
        runs = "one run" if len(like) == 1 else f"{len(like)} runs"
        return _words(statistics.median(like), f", as {runs} like it did")
    pairs = city.n_sites * city.n_points
    seconds = next((seconds for most, seconds in _PAIRS if pairs <= most), 60.0 * pairs / 1e9)
    seconds *= _SHARE.get(problem.method, 1.0)
    if problem.objective != "mean" or problem.at_least or problem.min_spacing:
        seconds *= 10
    elif problem.keep:
        # With so much covered already, the last hundredths of a per cent are hard to prove.
        seconds *= 5
    return _words(seconds * max(problem.effort, 0.1), "")


def _words(seconds: float, why: str) -> str:
    long = " Less effort or a quicker method gives a good answer sooner." if seconds > 3600 else ""
    return f"It should take {_said(seconds)}{why}.{long}"


def _earlier(city: City, problem: Problem, queue: JobQueue) -> list[float]:
    wanted, took = problem.to_dict(), []
    alike = ("method", "objective", "min_spacing", "aversion", "keep", "at_least")
    for job in queue.jobs(state="finished", limit=200):
        if job.city != city.digest or job.task != "optimise" or job.from_cache or job.cut_short:
            continue
        if job.started is None or job.ended is None:
            continue
        held = job.parameters
        n, mine = held.get("n_sensors"), wanted.get("n_sensors")
        if not n or not mine or not 0.5 <= n / mine <= 2:
            continue
        if all(held.get(name) == wanted.get(name) for name in alike):
            effort = problem.effort / held.get("effort", 1.0)
            took.append(max((job.ended - job.started) * effort, 0.01))
        if len(took) == 9:
            break
    return took


def _said(seconds: float) -> str:
    if seconds < 1.5:
        return "about a second"
    if seconds < 50:
        return f"about {seconds:.0f} seconds"
    if seconds < 90:
        return "about a minute"
    if seconds < 3600:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds / 3600:,.1f} hours"
