"""What a scenario asks: the network's problem, with another theta, other weights, other groups."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spineq.errors import ProblemError, shown
from spineq.model._problem_checks import positive
from spineq.model.groups import Group, groups_from_words, known_keys, weight_number
from spineq.model.problem import WORDS, Problem

#: Fields of a problem that a scenario may change: no rule among them, so that a network that
#: the problem allows is allowed in each scenario.
FIELDS = ("theta", "decay", "groups", "aversion", "aversion_form")

#: What a scenario may say.
CHANGES = (*FIELDS, "weights", *WORDS)

#: Step of the golden-ratio sequence: any beginning of it is spread evenly over 0 to 1.
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0

#: Most scenarios.
MOST_SCENARIOS = 100_000


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    Parameters
    ----------
    number
        From 0; with the seed it says how people are drawn.
    problem
        What is asked in it.
    listed
        Which of the listed changes it has, from 0; None where none are listed.
    """

    number: int
    problem: Problem
    listed: int | None = None

    def to_dict(self, base: Problem) -> dict[str, Any]:
        """Describe the scenario by what its problem changes, in JSON's types."""
        made: dict[str, Any] = {"number": self.number}
        for name in FIELDS:
            value = getattr(self.problem, name)
            if value != getattr(base, name):
                of_groups = name == "groups"
                made[name] = {who: group.to_dict() for who, group in value} if of_groups else value
        return made

    @classmethod
    def from_dict(cls, base: Problem, made: object) -> Scenario:
        """Rebuild what `to_dict` described.

        Raises
        ------
        ProblemError
            It has another field than those of a scenario, or a value out of its range.
        """
        words = known_keys(made, ("number", *FIELDS), "a scenario", "scenarios")
        number = words.pop("number", None)
        if type(number) is not int or number < 0:
            msg = f"the number of a scenario must be a whole number from 0 up, not {shown(number)}"
            raise ProblemError(msg, field="scenarios", mend="Give each a number")
        return cls(number, changed(base, words))


def changed(base: Problem, words: object) -> Problem:
    """Change a problem by the words of a scenario.

    Parameters
    ----------
    base
        The network's problem.
    words
        Of `CHANGES`: fields of the problem; ``weights``, new weights by name for some of its
        groups; or the original's words, which stand for groups.

    Raises
    ------
    ProblemError
        An unknown word, two that contradict each other, or a value out of its range.
    """
    given = known_keys(words, CHANGES, "a scenario", "scenarios")
    sugar = {name: given.pop(name) for name in WORDS if given.get(name) is not None}
    given = {name: value for name, value in given.items() if name not in WORDS}
    weights = given.pop("weights", None)
    if sugar:
        if "groups" in given or weights is not None:
            msg = f"{', '.join(sugar)} and groups or weights say the same thing twice"
            raise ProblemError(msg, field="scenarios", mend="Give one of them")
        given["groups"] = groups_from_words(**sugar)
    if "groups" in given:
        given["groups"] = _groups(given["groups"])
    made = replace(base, **given)
    return made if weights is None else replace(made, groups=_weighted(made, weights))


def _groups(groups: object) -> tuple[tuple[str, Group], ...]:
    if not isinstance(groups, Mapping) or not groups:
        msg = f"the groups of a scenario must be a dictionary by name, not {shown(groups)}"
        raise ProblemError(msg, field="groups", mend='Write {"children": Group(ages=(0, 15))}')
    return tuple(
        (name, Group.from_dict(group) if isinstance(group, Mapping) else group)
        for name, group in groups.items()
    )


def _weighted(problem: Problem, weights: object) -> tuple[tuple[str, Group], ...]:
    """Groups of a problem with new weights for some."""
    names = [name for name, _ in problem.groups]
    if not isinstance(weights, Mapping) or not weights:
        msg = f"the weights of a scenario must be a dictionary by group, not {shown(weights)}"
        raise ProblemError(msg, field="weights", mend=f"Write {{{shown(names[0])}: 2}}")
    unknown = [name for name in weights if name not in names]
    if unknown:
        msg = f"the network's problem has no group {shown(unknown[0])}"
        mend = f"Use {', '.join(names)}; or give groups"
        raise ProblemError(msg, field="weights", mend=mend)
    return tuple(
        (name, replace(group, weight=weight_number(weights.get(name, group.weight), "weights")))
        for name, group in problem.groups
    )


def listed_changes(base: Problem, scenarios: object) -> list[Problem]:
    """Problems of the scenarios that a caller lists.

    Raises
    ------
    ProblemError
        They are no list, there is none, or one is wrong; the message says which.
    """
    scalar = isinstance(scenarios, np.ndarray) and scenarios.ndim == 0
    if scalar or isinstance(scenarios, Mapping | str) or not isinstance(scenarios, Iterable):
        msg = f"scenarios must be a list of dictionaries, not {shown(scenarios)}"
        raise ProblemError(msg, field="scenarios", mend='Write [{"theta": 400}, {"theta": 600}]')
    made = []
    for number, words in enumerate(scenarios):
        try:
            made.append(changed(base, words))
        except ProblemError as error:
            msg = f"scenario {number}: {error.what}"
            raise ProblemError(msg, field=error.field, mend=error.mend) from error
    if not made:
        msg = "the list of scenarios is empty"
        raise ProblemError(msg, field="scenarios", mend="List some, or leave it out")
    return made


def theta_range(theta: object) -> tuple[float, float] | None:
    """Check the range of which theta is drawn; None for none.

    Raises
    ------
    ProblemError
        It is no pair of numbers above 0, the smaller first.
    """
    if theta is None:
        return None
    if not isinstance(theta, tuple | list) or len(theta) != 2:
        msg = f"theta must be the two ends of a range, not {shown(theta)}"
        raise ProblemError(msg, field="theta", mend="Write theta=(400, 600)")
    low, high = (positive(end, "theta", "400") for end in theta)
    if not low < high:
        msg = f"theta from {low:g} to {high:g} is no range"
        raise ProblemError(msg, field="theta", mend="Give the smaller end first")
    return low, high


def made_scenarios(
    base: Problem,
    n_scenarios: int,
    theta: tuple[float, float] | None,
    listed: list[Problem] | None,
    *,
    drawn: bool,
) -> list[Scenario]:
    """All scenarios, those that are listed by turns.

    The first of many are those of fewer, so that more of them can be asked for later. Theta is
    ``low (high / low)^u`` with ``u = (1/2 + number (sqrt 5 - 1) / 2) mod 1``: evenly spread on a
    logarithmic scale, however many there are.

    Parameters
    ----------
    base
        The network's problem.
    n_scenarios
        How many.
    theta
        Range of which theta is drawn; None leaves it as it is.
    listed
        What `listed_changes` made; None for none.
    drawn
        Whether people are drawn. Where neither they nor theta are, scenarios would repeat each
        other: each of those listed is there once.

    Raises
    ------
    ProblemError
        Theta is drawn, and a listed scenario says what it is.
    """
    problems = [base] if listed is None else listed
    if theta is not None and any(problem.theta != base.theta for problem in problems):
        msg = "theta is drawn from a range, and a scenario in the list says what it is"
        raise ProblemError(msg, field="theta", mend="Give one of them")
    if not drawn and theta is None:
        n_scenarios = len(problems)
    made = []
    for number in range(n_scenarios):
        turn = number % len(problems)
        problem = problems[turn]
        if theta is not None:
            share = (0.5 + number * _GOLDEN) % 1.0
            problem = replace(problem, theta=theta[0] * (theta[1] / theta[0]) ** share)
        made.append(Scenario(number, problem, None if listed is None else turn))
    return made
