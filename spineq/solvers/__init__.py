"""Solvers, one algorithm a file, and the table of methods.

Imported late: compiling and loading machine code takes its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from spineq.errors import ProblemError
from spineq.progress import Progress
from spineq.solvers import branch_bound as _branch_bound
from spineq.solvers import exchange as _exchange
from spineq.solvers import failing as _failing
from spineq.solvers import greedy as _greedy
from spineq.solvers import lagrangian as _lagrangian
from spineq.solvers import milp as _milp
from spineq.solvers import random as _random
from spineq.solvers.failing_books import Chances
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Rules
from spineq.solvers.solution import Solution


@dataclass(frozen=True)
class Method:
    """A solver, its version, how it is called to people, and what it can keep to.

    Parameters
    ----------
    solve
        The solver.
    version
        Its version, an integer.
    title
        A few words.
    honours
        Names of the rules, goals and options that it can honour: of `CONSTRAINTS`.
    tight
        Whether its bound is a tight one by itself.
    """

    solve: Callable[[Objective, Rules, Options, Progress], Solution]
    version: int
    title: str
    honours: frozenset[str] = frozenset()
    tight: bool = False


#: What a method may be unable to honour: name, what it is to people, field of the problem.
CONSTRAINTS: dict[str, tuple[str, str]] = {
    "regions": ("at most or at least so many sensors in a region", "region"),
    "budget": ("a budget", "budget"),
    "spacing": ("a spacing between sensors", "min_spacing"),
    "start": ("a network to start from", "start"),
    "at_least": ("coverage that groups must reach", "at_least"),
    "worst": ("the worst-off group instead of the mean", "objective"),
}

_RULES = frozenset({"regions", "budget", "spacing"})

#: Solvers by the name that a problem gives. Versions are integers: a change of one means that
#: answers of the old version are not served for the new.
METHODS: dict[str, Method] = {
    "greedy": Method(_greedy.greedy, _greedy.VERSION, "greedy placement", _RULES),
    "exchange": Method(
        _exchange.exchange, _exchange.VERSION, "greedy placement, then swaps", _RULES | {"start"}
    ),
    "lagrangian": Method(
        _lagrangian.lagrangian,
        _lagrangian.VERSION,
        "Lagrangian bound and heuristic",
        frozenset(CONSTRAINTS),
        tight=True,
    ),
    "branch_bound": Method(
        _branch_bound.branch_bound,
        _branch_bound.VERSION,
        "branch and bound, from a Lagrangian bound",
        frozenset(CONSTRAINTS),
        tight=True,
    ),
    "milp": Method(
        _milp.milp,
        _milp.VERSION,
        "integer programme, by HiGHS",
        frozenset(CONSTRAINTS),
        tight=True,
    ),
    "random": Method(_random.random, _random.VERSION, "random placement", _RULES),
}

#: What "auto" stands for: swaps, then the bound, then exact while effort remains.
AUTO = "branch_bound"


def method_named(name: str, bound: str | None = None, *, goals: bool = False) -> tuple[str, Method]:
    """Look up a problem's method; returns its own name and the method.

    Parameters
    ----------
    name
        A name of `METHODS`, or "auto".
    bound
        The bound that is wanted. Where it need not be a tight one, "auto" ends after the swaps.
    goals
        Whether groups have goals, which swaps alone cannot honour.
    """
    if name == "auto":
        name = AUTO if goals or bound not in ("none", "quick") else "exchange"
    return name, METHODS[name]


def failing_named(name: str, bound: str | None, chances: Chances) -> tuple[str, Method]:
    """Look up a problem's method where sensors may fail; its own name, and the method.

    Parameters
    ----------
    name, bound
        As for `method_named`: "auto" is "lagrangian", or "exchange" where the bound need not be
        a tight one.
    chances
        With which probability sensors fail.

    Raises
    ------
    ProblemError
        The method cannot honour that sensors may fail.
    """
    depth = _failing.depth_named(name, bound)
    # A tight bound where it is asked for is its own matter, so that none is added by others.
    return depth, Method(
        partial(_failing.failing, chances=chances, depth=depth),
        _failing.VERSION,
        METHODS[depth].title,
        _RULES if depth == "greedy" else _RULES | {"start"},
        tight=True,
    )


def failing_version(name: str, bound: str | None) -> str:
    """Name and version of what answers where sensors may fail; see `failing_named`.

    Raises
    ------
    ProblemError
        The method cannot honour that sensors may fail.
    """
    return f"failing-{_failing.depth_named(name, bound)}-{_failing.VERSION}"


def refuse_unhonoured(
    method_name: str, method: Method, objective: Objective, rules: Rules, options: Options
) -> None:
    """Refuse what is asked where the method would not keep to it.

    Parameters
    ----------
    method_name, method
        The method and its own name, as from `method_named`.
    objective, rules, options
        What the method is to be given.

    Raises
    ------
    ProblemError
        Some of it is beyond the method; it says what, and which methods can do it all.
    """
    asked = set(rules.named)
    if options.start is not None:
        asked.add("start")
    if objective.goals is not None:
        asked |= objective.goals.named
    beyond = [name for name in CONSTRAINTS if name in asked - method.honours]
    if not beyond:
        return
    words, field = CONSTRAINTS[beyond[0]]
    able = [f'"{name}"' for name, other in METHODS.items() if asked <= other.honours]
    mend = f"Ask for method {' or '.join(able)}" if able else "No method can do all that is asked"
    msg = f"the method {method_name!r} cannot honour {words}"
    raise ProblemError(msg, field=field, mend=mend)
