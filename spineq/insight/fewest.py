"""How few sensors, placed well, reach a coverage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spineq.constraints import usable_for
from spineq.errors import ProblemError, shown
from spineq.model._objective_words import counted
from spineq.progress import Progress, SpanProgress, watcher_of
from spineq.solve import optimise

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem

#: Coverage that rounding may take from what is to be reached.
_ROUNDING = 1e-12


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

    Greedy's network is lengthened until it reaches the coverage, which says how many are enough;
    between that and none the number is halved, each time by the solver of ``problem``. A number
    whose proven bound is below the coverage is too small by proof.

    Parameters
    ----------
    city, problem
        Where, and what is asked, with ``objective="mean"`` and no aversion; its number of sensors
        is not used.
    coverage
        To be reached, 0 to 1.
    progress
        Watcher; when it asks to stop, what is found by then is returned, marked.

    Raises
    ------
    ProblemError
        The coverage is no share, the objective is another one, the problem has a budget, or what
        is asked cannot be.
    DataError
        The city lacks the data of a group.
    """
    watcher = watcher_of(progress)
    if isinstance(coverage, bool) or not isinstance(coverage, int | float | np.number):
        coverage = float("nan")
    if not 0.0 < coverage <= 1.0:
        msg = f"the coverage to reach must be a number above 0, up to 1, not {shown(coverage)}"
        raise ProblemError(msg, field="coverage", mend="Give for example 0.4")
    if problem.objective != "mean" or problem.aversion > 0.0 or problem.budget is not None:
        msg = "the fewest sensors are looked for by the mean coverage, and by their number"
        mend = "Leave out objective, aversion and budget"
        raise ProblemError(msg, field="objective", mend=mend)
    wanted = float(coverage)
    enough = _by_greedy(city, problem, wanted, SpanProgress(watcher, 0.0, 0.3))
    if enough.network is None:
        return enough
    return _halved(city, problem, enough, SpanProgress(watcher, 0.3, 0.999))


def _reached(network: Network, wanted: float) -> bool:
    return network.total_coverage >= wanted * (1.0 - _ROUNDING)


def _by_greedy(city: City, problem: Problem, wanted: float, progress: Progress) -> Fewest:
    """Let greedy place sensors until they reach it: many at once are little more work."""
    quick = replace(problem, method="greedy", bound="none", start=(), gap_limit=0.0)
    usable = usable_for(city, quick)
    most = city.n_sites if usable is None else int(usable.sum())
    n, share = min(max(problem.n_sensors or 1, 16), most), 0.0
    while True:
        span = SpanProgress(progress, share, share + 0.4 * (1.0 - share), "looking how many it may")
        network = optimise(city, replace(quick, n_sensors=n), progress=span)
        share = span.stop
        if network.stopped:
            return Fewest(wanted, stopped=True)
        history = np.asarray(network.coverage_history[network.n_kept :])
        reached = np.flatnonzero(history >= wanted * (1.0 - _ROUNDING))
        if len(reached):
            first = replace(quick, n_sensors=int(reached[0]) + 1)
            return Fewest(wanted, optimise(city, first))
        placed = network.n_sensors - network.n_kept
        if n == most or placed < n:
            return Fewest(wanted)
        n = min(4 * n, most)


def _halved(city: City, problem: Problem, found: Fewest, progress: Progress) -> Fewest:
    """Halve between too few and enough."""
    low, share = 0, 0.0
    assert found.n_sensors is not None
    high, best = found.n_sensors, found
    while high - low > 1:
        n = (low + high) // 2
        span = SpanProgress(
            progress, share, share + 0.25 * (1.0 - share), f"trying {counted(n, 'sensor')}"
        )
        share = span.stop
        network = optimise(city, replace(problem, n_sensors=n, start=()), progress=span)
        if _reached(network, found.wanted):
            best, high = replace(best, network=network), n
        else:
            bound = network.upper_bound
            if bound is not None and bound < found.wanted * (1.0 - _ROUNDING):
                best = replace(best, too_few=max(best.too_few, n))
            low = n
        if network.stopped:
            return replace(best, stopped=True)
    return best
