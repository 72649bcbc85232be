"""How few sensors, placed well, reach a coverage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.constraints import constraints_for
from spineq.errors import ProblemError, shown
from spineq.instance import coverage_of, objective_of, options_for
from spineq.model._objective_words import counted
from spineq.progress import Progress, SpanProgress, watcher_of
from spineq.solve import evaluate, optimise

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem

#: What else may say how many sensors there are, or what coverage is.
_OTHERWISE = ("aversion", "failure_probability", "budget", "reach", "kinds", "changes_existing")


@dataclass(frozen=True, eq=False)
class Fewest:
    """How few sensors reach a coverage.

    Parameters
    ----------
    wanted
        Weighted mean coverage that was to be reached, 0 to 1.
    network
        The smallest network found that reaches it; None where no number of sensors does, or the
        watcher stopped before one was found.
    too_few
        Largest number of sensors that cannot reach it, by proof; 0 where nothing is proven.
    stopped
        Whether the watcher asked to stop.
    """

    wanted: float
    network: Network | None = None
    too_few: int = 0
    stopped: bool = False

    @property
    def n_sensors(self) -> int | None:
        """Number of sensors of the network, those that stay not counted; None without one."""
        return None if self.network is None else self.network.n_sensors - self.network.n_kept

    @property
    def proven(self) -> bool:
        """Whether fewer sensors cannot reach it."""
        return self.network is not None and self.n_sensors == self.too_few + 1

    def summary(self) -> str:
        """Say it in a sentence."""
        goal = f"a coverage of {100 * self.wanted:.1f} %"
        if self.network is None:
            if self.stopped:
                return f"The search for the fewest sensors that reach {goal} was stopped early."
            return f"No number of sensors at these sites reaches {goal}."
        number = counted(self.n_sensors or 0, "sensor")
        verb = "reaches" if self.n_sensors == 1 else "reach"
        at_least = goal.replace("a coverage of", "a coverage of at least")
        said = f"{number}, placed anew, {verb} {at_least}"
        if self.proven:
            return f"{said}; fewer cannot, which is proven."
        if self.too_few:
            return f"{said}; {counted(self.too_few, 'sensor')} cannot, which is proven."
        return f"{said}; fewer may do, too."


def fewest(
    city: City, problem: Problem, coverage: float, *, progress: Progress | None = None
) -> Fewest:
    """Find how few sensors reach a weighted mean coverage.

    As ``optimise(city, reach=...)`` does for each group, with the mean as the only one; see
    `spineq.solvers.reach`.

    Parameters
    ----------
    city, problem
        Where, and what is asked, with ``objective="mean"``, no aversion and no failures; its
        number of sensors is not used.
    coverage
        To be reached, above 0, up to 1.
    progress
        Watcher; when it asks to stop, what is found by then is returned, marked.

    Raises
    ------
    ProblemError
        The coverage is no share, the objective is another one, the problem's number of sensors
        follows from something else, or what is asked cannot be.
    DataError
        The city lacks the data of a group.
    """
    from spineq.solvers import method_named, reach
    from spineq.solvers.goals import Goals

    watcher = watcher_of(progress)
    if isinstance(coverage, bool) or not isinstance(coverage, int | float | np.number):
        coverage = float("nan")
    if not 0.0 < coverage <= 1.0:
        msg = f"the coverage to reach must be a number above 0, up to 1, not {shown(coverage)}"
        raise ProblemError(msg, field="coverage", mend="Give for example 0.4")
    if problem.objective != "mean" or any(bool(getattr(problem, name)) for name in _OTHERWISE):
        msg = "the fewest sensors are looked for by the mean coverage, and by their number"
        mend = f"Leave out objective, {', '.join(_OTHERWISE[:-1])} and changes of today's sensors"
        raise ProblemError(msg, field="objective", mend=mend)
    wanted = float(coverage)
    # Only so that no number of sensors is asked for: the goal is put in below.
    free = tuple((name, group, wanted) for name, group in problem.groups)
    asked = replace(
        problem, n_sensors=None, reach=free, start=(), method="auto", bound=None, gap_limit=0.0
    )
    limits = constraints_for(city, asked)
    covering = coverage_of(city, asked, SpanProgress(watcher, 0.0, 0.1))
    if covering is None:
        return Fewest(wanted, stopped=True)
    mean = objective_of(city, asked, covering, None, limits)
    goal = Goals(mean.weight[None], np.array([wanted]), np.zeros(1, dtype=np.bool_), np.ones(1))
    _, method = method_named("auto", goals=True)
    try:
        found = reach.fewest(
            replace(mean, goals=goal),
            limits.rules,
            options_for(asked, limits),
            method.solve,
            SpanProgress(watcher, 0.1, 0.95),
        )
    except ProblemError as error:
        if error.field != "reach":
            raise
        return Fewest(wanted)
    if not found.reached:
        return Fewest(wanted, too_few=max(found.too_few, 0), stopped=found.stopped)
    sites = city.dataset["site"].to_numpy()[found.sites].tolist()
    plain = replace(problem, n_sensors=max(len(sites), 1), start=(), method="auto")
    # Where the sensors that stay do already, one more is the fewest that a network has.
    network = (
        evaluate(city, sites, replace(plain, bound="none")) if sites else optimise(city, plain)
    )
    return Fewest(wanted, network, max(found.too_few, 0), found.stopped)
