"""Branch and bound on the Lagrangian relaxation, depth first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.progress import Progress, SpanProgress
from spineq.solvers._kernels.choose import PLAIN
from spineq.solvers.lagrangian import begun, descend, finished, worth_a_tree
from spineq.solvers.relaxation import Relaxation
from spineq.solvers.search import Search
from spineq.solvers.shares import Shares
from spineq.solvers.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.objective import Objective
    from spineq.solvers.rules import Options, Rules

VERSION = 1

#: Nodes, and work in them, with an effort of 1; see `Relaxation.work`.
MOST_NODES, MOST_WORK = 20_000, 2_000_000_000

# With goals, every so many nodes a network is made of the choices and improved: swaps for the
# groups' sake find what relaxed choices alone do not.
_BETWEEN = 8

# In a node: rounds of ascent and fixing, steps of a round, patience, shortest step.
_ROUNDS, _STEPS, _PATIENCE, _LEAST_SCALE = 3, 80, 30, 0.01


class _Node(NamedTuple):
    """A restriction of the instance, with what its parent knew."""

    bound: float
    depth: int
    state: NDArray[np.int8]
    v: NDArray[np.float64]
    shares: NDArray[np.float64] | None


def branch_bound(
    objective: Objective, rules: Rules, options: Options, progress: Progress
) -> Solution:
    """Find the best network and prove it.

    `lagrangian` first; what its reductions leave is searched depth first, each node with an
    ascent of its own from its parent's multipliers (Christofides and Beasley 1982); where they
    leave millions of pairs or no work to be done, the answer is that of `lagrangian`. A node
    branches on the free site whose place in the relaxed choices is the least settled.

    Parameters
    ----------
    objective
        What is maximised.
    rules
        What a network may be, all of it.
    options
        ``effort`` multiplies steps, nodes and pairs looked at; where they do not suffice, the
        answer has the bound of what is left. ``gap_limit`` ends it early.
    progress
        Watcher; when it asks to stop, the best network and the bound so far are returned.

    Raises
    ------
    ProblemError
        No network keeps the rules, or greedy finds none.
    """
    search = begun(objective, rules, options, SpanProgress(progress, 0.0, 0.1), solved_to_the_end)
    search.watch(SpanProgress(progress, 0.1, 0.4))
    relaxation = Relaxation(objective, rules)
    nodes = 0
    left = not search.stopped and not descend(search, relaxation) and not search.stopped
    if left and worth_a_tree(search, relaxation):
        search.watch(SpanProgress(progress, 0.4, 0.98))
        nodes = _Tree(search, relaxation).explore()
    return finished(search, SpanProgress(progress, 0.98, 1.0), nodes)


def solved_to_the_end(search: Search, relaxation: Relaxation) -> bool:
    """Search to the end, as far as the effort goes; returns whether it got there."""
    if descend(search, relaxation):
        return True
    if not search.stopped and worth_a_tree(search, relaxation):
        _Tree(search, relaxation).explore()
    return search.settled


class _Tree:
    """The tree below the root that `descend` has left."""

    def __init__(self, search: Search, relaxation: Relaxation) -> None:
        self._search, self._relaxation = search, relaxation
        self._shares = Shares(search, relaxation)
        first = _Node(
            search.bound, 0, relaxation.state.copy(), relaxation.best_v.copy(), relaxation.shares
        )
        self._open = [first]
        # Share of the tree that is done with, each node's half as large as its parent's.
        self._done = 0.0
        self._nodes = 0
        self._work_before = relaxation.work

    def explore(self) -> int:
        """Work through the tree; returns the number of nodes."""
        search, relaxation = self._search, self._relaxation
        effort = search.options.effort
        while self._open:
            if self._nodes >= MOST_NODES * effort:
                break
            if relaxation.work - self._work_before >= MOST_WORK * effort:
                break
            if search.settled:
                break
            node = self._open.pop()
            if node.bound <= search.target:
                self._done += 0.5**node.depth
                continue
            self._nodes += 1
            bound = self._work_on(node)
            if search.stopped:
                self._open.append(node._replace(bound=min(bound, node.bound)))
                break
            if bound <= search.target or not self._branch(node, bound):
                self._done += 0.5**node.depth
            self._lower()
            if search.report(self._done, f"{self._nodes:,} branches looked at"):
                break
        self._lower()
        return self._nodes

    def _lower(self) -> None:
        left = [node.bound for node in self._open if node.bound > self._search.target]
        if left:
            self._search.lower(max(left))
        else:
            self._search.prove()

    def _work_on(self, node: _Node) -> float:
        """Bound a node, fix sites in it, and try networks; returns its bound."""
        search, relaxation, shares = self._search, self._relaxation, self._shares
        relaxation.enter(node.state, node.v)
        if node.shares is not None:
            relaxation.reweigh(node.shares)
        bound = node.bound
        for _ in range(_ROUNDS):
            relaxation.settle()
            if relaxation.impossible:
                return -math.inf
            relaxation.restart(1.0, shares.aim())
            shares.restart()
            ended = False
            while not ended and relaxation.steps < _STEPS:
                ended = relaxation.ascend(20, search.target, _PATIENCE, _LEAST_SCALE)
                shares.update()
                if search.report(self._done, "branching"):
                    return min(bound, relaxation.bound)
            bound = min(bound, relaxation.bound)
            if bound <= search.target:
                return bound
            shares.recall()
            here = relaxation.look()
            if np.isneginf(here):
                return here
            if search.objective.goals is not None and self._nodes % _BETWEEN == 0:
                search.try_from_often(relaxation)
            else:
                search.try_choice(relaxation)
            if search.stopped:
                return bound
            if self._is_last(here):
                return -math.inf
            if relaxation.fix(search.target) == 0:
                break
        return bound

    def _is_last(self, here: float) -> bool:
        """Whether at most one network is left in the node; it is offered."""
        search, relaxation = self._search, self._relaxation
        opened, free = relaxation.state == 1, relaxation.state == 0
        choice = relaxation.choice
        if choice.kind == PLAIN and search.rules.apart is None:
            room = choice.n - int(opened.sum())
            if int(free.sum()) <= room:
                # All that may be opened is.
                opened, free = opened | free, np.zeros_like(free)
            elif room == 0:
                free = np.zeros_like(free)
        if free.any():
            return False
        search.offer(relaxation.sites[opened])
        return True

    def _branch(self, node: _Node, bound: float) -> bool:
        """Put a node's two halves on the pile, the likelier one on top; False without any."""
        relaxation = self._relaxation
        free = np.flatnonzero(relaxation.state == 0)
        if len(free) == 0:
            return False
        often = relaxation.often[free]
        site = free[np.argmax(often * (1.0 - often))]
        halves = []
        for state in (-1, 1) if relaxation.often[site] >= 0.5 else (1, -1):
            decided = relaxation.state.copy()
            decided[site] = state
            halves.append(
                _Node(bound, node.depth + 1, decided, relaxation.best_v.copy(), relaxation.shares)
            )
        self._open.extend(halves)
        return True
