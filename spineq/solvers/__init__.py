"""Solvers, one algorithm a file, and the table of methods.

Imported late: compiling and loading machine code takes its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spineq.progress import Progress
from spineq.solvers import exchange as _exchange
from spineq.solvers import greedy as _greedy
from spineq.solvers import random as _random
from spineq.solvers.objective import Objective
from spineq.solvers.solution import Solution


@dataclass(frozen=True)
class Method:
    """A solver, its version, and how it is called to people."""

    solve: Callable[[Objective, int, int, Progress], Solution]
    version: int
    title: str


#: Solvers by the name that a problem gives. Versions are integers: a change of one means that
#: answers of the old version are not served for the new.
METHODS: dict[str, Method] = {
    "greedy": Method(_greedy.greedy, _greedy.VERSION, "greedy placement"),
    "exchange": Method(_exchange.exchange, _exchange.VERSION, "greedy placement, then swaps"),
    "random": Method(_random.random, _random.VERSION, "random placement"),
}

#: What "auto" stands for: the best method that there is.
AUTO = "exchange"


def method_named(name: str) -> tuple[str, Method]:
    """Look up a problem's method; returns its own name and the method."""
    name = AUTO if name == "auto" else name
    return name, METHODS[name]
