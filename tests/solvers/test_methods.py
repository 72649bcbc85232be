"""The table of methods: what each can honour is what it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from solvers.instances import apart_of

from spineq.errors import ProblemError
from spineq.solvers import CONSTRAINTS, METHODS, method_named, refuse_unhonoured
from spineq.solvers.coverage import Coverage
from spineq.solvers.goals import Goals
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Prices, Regions, Rules

PLAIN = Objective(Coverage.from_matrix(np.eye(3)), np.ones(3))


def with_goals(least: float, *, judged: bool) -> Objective:
    """An objective with one group, which is owed something or judged."""
    goals = Goals(np.ones((1, 3)), np.array([least]), np.array([judged]), np.ones(1))
    return Objective(PLAIN.coverage, PLAIN.weight, goals=goals)


ASKED: dict[str, tuple[Objective, Rules, Options]] = {
    "regions": (PLAIN, Rules(2, Regions(np.zeros(3, int), np.ones(1, int), np.zeros(1, int))),
                Options()),
    "budget": (PLAIN, Rules(2, prices=Prices(np.ones(3), 2.0)), Options()),
    "spacing": (PLAIN, Rules(2, apart=apart_of([(0, 1)], 3)), Options()),
    "start": (PLAIN, Rules(2), Options(start=np.array([1]))),
    "at_least": (with_goals(0.5, judged=False), Rules(2), Options()),
    "worst": (with_goals(-np.inf, judged=True), Rules(2), Options()),
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("asked", ASKED)
def test_what_a_method_cannot_honour_is_refused(name: str, asked: str) -> None:
    """Each constraint is accepted where it is honoured, else refused with methods that can."""
    assert set(ASKED) == set(CONSTRAINTS)
    method = METHODS[name]
    if asked in method.honours:
        refuse_unhonoured(name, method, *ASKED[asked])
        return
    words, field = CONSTRAINTS[asked]
    with pytest.raises(ProblemError, match=f"{name!r} cannot honour {words}") as caught:
        refuse_unhonoured(name, method, *ASKED[asked])
    assert caught.value.field == field
    able = {other for other, made in METHODS.items() if asked in made.honours}
    assert able
    assert all(f'"{other}"' in caught.value.mend for other in able)
    assert f'"{name}"' not in caught.value.mend


def test_without_constraints_nothing_is_refused() -> None:
    """Plain problems, with goals that ask for nothing too, are for every method."""
    for name, method in METHODS.items():
        refuse_unhonoured(name, method, PLAIN, Rules(2), Options())
        refuse_unhonoured(name, method, with_goals(-np.inf, judged=False), Rules(2), Options())


def test_methods_by_name() -> None:
    """A name is its own method; what greedy and exchange honour is what they say."""
    for name, method in METHODS.items():
        assert method_named(name) == (name, method)
    rules = {"regions", "budget", "spacing"}
    assert METHODS["greedy"].honours == METHODS["random"].honours == rules
    assert METHODS["exchange"].honours == rules | {"start"}
