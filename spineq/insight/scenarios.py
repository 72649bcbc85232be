"""Solving a network's problem again in a scenario, with people drawn anew."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.constraints import base_for, constraints_for
from spineq.errors import MissingColumnError, ProblemError, shown
from spineq.insight.changes import Scenario
from spineq.insight.trial_plan import MOST_ERROR, Plan
from spineq.instance import coverage_of, objective_of, options_for
from spineq.model._redrawn import redrawn
from spineq.model.groups import Group
from spineq.progress import Progress, SpanProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.solvers.coverage import Coverage
    from spineq.solvers.objective import Objective
    from spineq.solvers.solution import Solution

#: Version of what is drawn and of how it is solved, beside that of the solver.
VERSION = 1

#: Relative difference of two values that is rounding.
_ROUNDING = 1e-12

#: Draws in which a group has nobody, after which it is given up.
_MOST_DRAWS = 1000


@dataclass(frozen=True)
class Answer:
    """What was found in a scenario.

    Parameters
    ----------
    number
        Of the scenario.
    sites
        (sensor,) positions of the chosen sites, sorted; those of the network itself where no
        better ones were found.
    value
        What these are worth, in what was maximised, 0 to 1.
    upper_bound
        What no allowed network exceeds, at least the value; None where that is not known.
    network
        What the network that is tried is worth.
    seconds
        Time that it took.
    """

    number: int
    sites: tuple[int, ...]
    value: float
    upper_bound: float | None
    network: float
    seconds: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Describe the answer in JSON's types."""
        return asdict(self) | {"sites": list(self.sites)}

    @classmethod
    def from_dict(cls, made: Mapping[str, Any]) -> Answer:
        """Rebuild what `to_dict` described."""
        return cls(**{**made, "sites": tuple(made["sites"])})


class Trial:
    """One city in which a network is tried.

    Parameters
    ----------
    city
        Where, with the people that it has.
    plan
        What is tried, and how people are drawn.

    Raises
    ------
    ProblemError
        A sensor that is no site of the city, a rule that the city cannot keep, or a relative
        error below 0 or above 1.
    DataError
        The city has no such column of relative errors.
    """

    def __init__(self, city: City, plan: Plan) -> None:
        self._city, self._plan = city, plan
        self._constraints = constraints_for(city, plan.problem)
        data = city.dataset
        self._residents = data["residents"].to_numpy()
        self._columns = data["columns"].to_numpy()
        self._places = _places(city, plan.sensors, data["site"].to_numpy())
        self._own = self._allowed()
        self._spread = np.sqrt(np.log1p(_errors(city, plan.people_error) ** 2))
        self._coverage: tuple[tuple[object, ...], Coverage] | None = None

    def solve(self, scenario: Scenario, progress: Progress) -> Answer | None:
        """Draw the people of a scenario, and look for the best network.

        Parameters
        ----------
        scenario
            Which.
        progress
            Watcher.

        Returns
        -------
        Answer or None
            None where the watcher asked to stop before it was found.

        Raises
        ------
        ProblemError
            The method cannot do what is asked; or a group has nobody in a thousand draws.
        DataError
            The city lacks the data of a group.
        """
        from spineq.solvers import method_named, refuse_unhonoured
        from spineq.solvers.leximin import refined

        began, problem = time.perf_counter(), scenario.problem
        coverage = self._covering(problem, SpanProgress(progress, 0.0, 0.2))
        if coverage is None:
            return None
        rules, options = self._constraints.rules, options_for(problem, self._constraints)
        people = self.people(scenario)
        objective = objective_of(people, problem, coverage, None, self._constraints)
        goals = problem.objective != "mean"
        name, method = method_named(problem.method, problem.bound, goals=goals)
        refuse_unhonoured(name, method, objective, rules, options)
        refines = goals and len(problem.groups) > 1
        span = SpanProgress(progress, 0.2, 0.6 if refines else 1.0)
        solution = method.solve(objective, rules, options, span)
        if refines and not solution.stopped:
            rest = SpanProgress(progress, 0.6, 1.0)
            solution = refined(objective, rules, options, solution, method.solve, rest)
        if solution.stopped:
            return None
        return self._answer(scenario, objective, solution, began)

    def people(self, scenario: Scenario) -> City:
        """The city with the people of a scenario.

        In each area the residents of all ages are multiplied by a common factor, and each column
        by one of its own: ``exp(s z - s^2 / 2)`` with ``s^2 = log(1 + error^2)`` and z standard
        normal, which has mean 1 and the relative standard error as its standard deviation. With
        ``poisson`` each band of ages and each column is then drawn from a Poisson distribution
        around that. Groups that stand at points of their own stay as they are. A draw in which a
        group that counts has nobody is drawn again.

        Raises
        ------
        ProblemError
            That was so in a thousand draws.
        """
        if not self._plan.draws:
            return self._city
        random = np.random.default_rng([self._plan.seed, scenario.number])
        counted = [group for _, group in scenario.problem.groups]
        for _ in range(_MOST_DRAWS):
            drawn = redrawn(
                self._city,
                self._drawn(self._residents, random),
                np.column_stack(
                    [self._drawn(column[:, None], random) for column in self._columns.T]
                )
                if self._columns.shape[1]
                else self._columns,
            )
            if all(_somebody(drawn, group) for group in counted):
                return drawn
        msg = "some group has so few people that nobody is left where they are drawn anew"
        raise ProblemError(msg, field="groups", mend="Choose larger groups, or poisson=False")

    def _drawn(
        self, counts: NDArray[np.float64], random: np.random.Generator
    ) -> NDArray[np.float64]:
        """Draw counts, (area, kind), whose areas have one error each."""
        if self._spread.any():
            z = random.standard_normal(len(counts))
            counts = counts * np.exp(self._spread * z - self._spread**2 / 2.0)[:, None]
        return random.poisson(counts).astype(np.float64) if self._plan.poisson else counts

    def _covering(self, problem: Problem, progress: Progress) -> Coverage | None:
        """Coverage by the base city's sites, kept from scenario to scenario."""
        key = problem.theta, problem.decay, problem.aversion, problem.aversion_form
        if self._coverage is None or self._coverage[0] != key:
            self._coverage = None
            made = coverage_of(self._city, problem, progress)
            if made is None:
                return None
            self._coverage = key, made
        return self._coverage[1]

    def _answer(
        self, scenario: Scenario, objective: Objective, solution: Solution, began: float
    ) -> Answer:
        """Value what was found and the network itself, in float64 from their places."""
        from spineq.solvers.welfare import welfare_of

        problem, city = scenario.problem, self._city
        welfare = welfare_of(problem.aversion_form, problem.aversion)

        def worth(places: pd.DataFrame) -> float:
            covered = base_for(city, problem, places)
            assert covered is not None  # there are places
            if objective.goals is not None:
                return objective.goals.smallest(objective.goals.groups(covered))
            if welfare is not None:
                return welfare.equivalent(objective.weight, covered)
            return objective.value(covered)

        found = _at(city, solution.sites)
        kept = self._constraints.kept[list(found.columns)]
        value = worth(pd.concat([kept, found], ignore_index=True) if len(kept) else found)
        network = worth(self._places)
        sites = np.sort(solution.sites)
        if self._own is not None and network >= value * (1.0 - _ROUNDING):
            sites, value = self._own, network
        bound = solution.upper_bound
        known = math.isfinite(bound) and problem.bound != "none"
        if known and welfare is not None:
            bound = welfare.inverse(bound)
        return Answer(
            scenario.number,
            tuple(int(site) for site in sites),
            value,
            max(min(bound, 1.0), value) if known else None,
            network,
            time.perf_counter() - began,
        )

    def _allowed(self) -> NDArray[np.int64] | None:
        """Sites of the network's sensors that do not stay; None where it breaks a rule."""
        stay = set(zip(self._constraints.kept["x"], self._constraints.kept["y"], strict=True))
        placed = [
            position
            for position, x, y in self._places.itertuples(index=False)
            if (x, y) not in stay
        ]
        sites = np.array(sorted(placed), dtype=np.int64)
        usable = self._constraints.usable
        if (sites < 0).any() or (usable is not None and not usable[sites].all()):
            return None
        return None if self._constraints.rules.broken_by(sites) else sites


def _at(city: City, sites: NDArray[np.int64]) -> pd.DataFrame:
    xy = city.site_xy[sites]
    return pd.DataFrame({"position": sites, "x": xy[:, 0], "y": xy[:, 1]})


def _places(
    city: City, sensors: Sequence[str | tuple[float, float]], ids: NDArray[np.object_]
) -> pd.DataFrame:
    """Table of a network's sensors: position (-1 where there is no site), x, y."""
    names = [each for each in sensors if isinstance(each, str)]
    elsewhere = np.array([each for each in sensors if not isinstance(each, str)], dtype=np.float64)
    found = pd.Index(ids, dtype=object).get_indexer(pd.Index(names, dtype=object))
    if (found < 0).any():
        msg = f"{shown(names[int(np.argmax(found < 0))])} is no site of {city.name or 'the city'}"
        raise ProblemError(msg, field="sensors", mend="Give a network of this city")
    if len(elsewhere) and city.travel is not None:
        msg = "travel costs are known for sites only, and a sensor stands at none"
        raise ProblemError(msg, field="sensors", mend="Give a network of this city")
    at_sites = _at(city, np.asarray(found, dtype=np.int64))
    if not len(elsewhere):
        return at_sites
    free = pd.DataFrame({"position": -1, "x": elsewhere[:, 0], "y": elsewhere[:, 1]})
    return pd.concat([at_sites, free], ignore_index=True) if len(at_sites) else free


def _errors(city: City, people_error: float | str) -> NDArray[np.float64]:
    """Relative standard error of the people of each area, (area,)."""
    if not isinstance(people_error, str):
        return np.full(city.n_areas, people_error)
    if people_error not in city.columns:
        msg = f"the city has no column {shown(people_error)}"
        there = ", ".join(city.columns) or "none"
        mend = f"Give a number, or a column of relative errors; its columns are {there}"
        raise MissingColumnError(msg, field="people_error", mend=mend)
    errors = city.people(Group(column=people_error)).values
    if not float(errors.max()) <= MOST_ERROR:
        area = city.dataset["area"].to_numpy()[int(np.argmax(errors))]
        msg = f"the relative error of {area}, {errors.max():g}, is above {MOST_ERROR:g}"
        raise ProblemError(msg, field="people_error", mend="Give shares, such as 0.1 for 10 %")
    return errors


def _somebody(city: City, group: Group) -> bool:
    """Whether a group has anybody in a city."""
    from spineq.errors import ZeroWeightError

    try:
        return bool(city.people(group).values.sum() > 0.0)
    except ZeroWeightError:
        return False
