"""How a network is tried: its problem, its sensors, and how people are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import ProblemError, shown
from spineq.model._problem_checks import between, whole
from spineq.model.groups import known_keys
from spineq.model.problem import Problem

if TYPE_CHECKING:
    from spineq.model.network import Network

#: Largest relative standard error of a count.
MOST_ERROR = 1.0

_PLAN = ("problem", "sensors", "seed", "poisson", "people_error")

#: What may be asked of a network that is tried: fields of its problem. What others say depends
#: on the people, or makes another network than one of so many sensors.
_TRIED = frozenset(
    ["n_sensors", "theta", "groups", "decay", "method", "seed", "budget", "site_cost", "region"]
) | {"max_per_region", "min_per_region", "min_spacing", "keep", "forbid", "start", "aversion"} | {
    "aversion_form", "objective", "bound", "effort", "gap_limit",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How a network is tried: all that an answer depends on but the city and the scenario.

    Parameters
    ----------
    problem
        The network's problem.
    sensors
        The network: the site of each sensor, or where it stands, x and y in metres, where that
        is no site. Sorted, for their order changes nothing.
    seed
        Of the draws, 0 or more; 0 where nothing is drawn.
    poisson
        Whether the people of each area are drawn around their number, as counts vary.
    people_error
        Relative standard error of the number of people of an area, 0 to 1, or the column of the
        city that has it.
    """

    problem: Problem
    sensors: tuple[str | tuple[float, float], ...]
    seed: int = 0
    poisson: bool = True
    people_error: float | str = 0.0

    @property
    def draws(self) -> bool:
        """Whether people are drawn."""
        return self.poisson or self.people_error != 0.0

    def to_dict(self) -> dict[str, Any]:
        """Describe the plan in JSON's types."""
        return {
            "problem": self.problem.to_dict() | {"theta": self.problem.theta},
            "sensors": [each if isinstance(each, str) else list(each) for each in self.sensors],
            "seed": self.seed,
            "poisson": self.poisson,
            "people_error": self.people_error,
        }

    @classmethod
    def from_dict(cls, made: object) -> Plan:
        """Rebuild and check what `to_dict` described.

        Raises
        ------
        ProblemError
            A field that a plan does not have, or a value of another kind or out of its range.
        """
        words = known_keys(made, _PLAN, "a scenario's job", "scenarios")
        problem, sensors = words.get("problem"), words.get("sensors")
        if not isinstance(problem, Problem):
            problem = Problem.from_dict(problem)  # type: ignore[arg-type]
        if not isinstance(sensors, list | tuple) or not sensors:
            msg = f"the sensors must be a list of sites or places, not {shown(sensors)}"
            raise ProblemError(msg, field="sensors", mend="Give the network's sensors")
        return planned(
            problem,
            tuple(_sensor(each) for each in sensors),
            words.get("seed", 0),
            words.get("poisson", True),
            words.get("people_error", 0.0),
        )


def planned(
    problem: Problem,
    sensors: Iterable[str | tuple[float, float]],
    seed: object,
    poisson: object,
    people_error: object,
) -> Plan:
    """Make a plan in its one form.

    Raises
    ------
    ProblemError
        A value of another kind or out of its range, or a problem that cannot be tried so.
    """
    need_tried(problem)
    if not isinstance(poisson, bool | np.bool_):
        msg = f"poisson must be true or false, not {shown(poisson)}"
        raise ProblemError(msg, field="poisson", mend="Write poisson=True")
    if not isinstance(people_error, str):
        try:
            people_error = between(people_error, "people_error", MOST_ERROR)
        except ProblemError as error:
            mend = "Give a share, 0.1 for 10 %, or the name of a column of the city"
            raise ProblemError(error.what, field="people_error", mend=mend) from error
    number = whole(seed, "seed", 0, 2**63 - 1)
    names = sorted(each for each in sensors if isinstance(each, str))
    places = sorted(each for each in sensors if not isinstance(each, str))
    plan = Plan(
        # Where the search for the network began is no part of what is asked.
        replace(problem, start=()), (*names, *places), number, bool(poisson), people_error
    )  # fmt: skip
    return plan if plan.draws else replace(plan, seed=0)


def need_tried(problem: Problem) -> None:
    """Refuse a problem whose answer cannot be looked for again under other numbers of people.

    Raises
    ------
    ProblemError
        Its objective is the share of what each group could have alone, which would have to be
        found out in each scenario; groups are owed a coverage, which in a scenario may be out of
        reach; it is about something else than so many sensors; or its method looks for no best
        network.
    """
    if problem.objective == "worst_share":
        msg = "the share that each group has of its own best is another one in each scenario"
        mend = 'Use a network of objective "mean" or "worst"'
        raise ProblemError(msg, field="objective", mend=mend)
    if problem.at_least:
        msg = "what groups are owed may be out of reach where there are other people"
        mend = "Use a network that was made without at_least"
        raise ProblemError(msg, field="at_least", mend=mend)
    for each in fields(problem):
        if each.name not in _TRIED and getattr(problem, each.name) != each.default:
            msg = f"a network that was made with {each.name} cannot be tried under other numbers"
            mend = "Evaluate it first: sq.evaluate(city, net)"
            mend += ", which then has one theta for all" * (each.name == "kinds")
            raise ProblemError(msg, field=each.name, mend=mend)
    if problem.method == "random":
        msg = "a random network is drawn, not chosen"
        mend = "Evaluate it first: sq.evaluate(city, net)"
        raise ProblemError(msg, field="method", mend=mend)


def _sensor(given: object) -> str | tuple[float, float]:
    if isinstance(given, str):
        return given
    numbers = isinstance(given, list | tuple) and len(given) == 2
    if not numbers or not all(type(each) in (int, float) for each in given):  # type: ignore[attr-defined]
        msg = f"a sensor is a site or two coordinates, not {shown(given)}"
        raise ProblemError(msg, field="sensors", mend="Give the network's sensors")
    return float(given[0]), float(given[1])  # type: ignore[index]


def sensors_of(net: Network) -> list[str | tuple[float, float]]:
    """The sensors of a network, those that stay included, as a plan names them."""
    return [
        str(site) or (float(x), float(y))
        for site, x, y in net.sensors[["site", "x", "y"]].itertuples(index=False)
    ]
