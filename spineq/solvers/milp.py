"""The integer programme, solved by HiGHS in a process of its own.

It keeps every rule and every goal there is, and proves its answers; the price is time. Without
rules the other exact solver is far faster.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from spineq.errors import (
    MissingExtraError,
    NetworkNotFoundError,
    ProblemError,
    SolverError,
    SpineqWarning,
)
from spineq.model._objective_words import in_a_list
from spineq.progress import Progress, Report, SilentProgress, SpanProgress, Watcher
from spineq.solvers._milp_data import Left, gathered, room
from spineq.solvers._milp_process import Run, by_child
from spineq.solvers.lagrangian import begun, descend, finished
from spineq.solvers.objective import Objective
from spineq.solvers.relaxation import Relaxation
from spineq.solvers.rules import Options, Rules
from spineq.solvers.search import Search, whole_benefits
from spineq.solvers.solution import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray


VERSION = 1

#: Pairs of site and point beyond which the programme is not even begun.
MOST_PAIRS = 3_000_000


def milp(objective: Objective, rules: Rules, options: Options, progress: Progress) -> Solution:
    """Maximise by an integer programme, with a proof.

    `spineq.solvers.lagrangian` first; what its reductions leave is the programme of
    `spineq.solvers._milp_child`, for HiGHS's branch and cut, started from the best network.
    Values are computed anew from the sites, and HiGHS's bound is enlarged by what its tolerances
    may hide (`spineq.solvers._milp_data.room`), 2.5e-12 of it at most. What coverage lists leave
    out is added to the bound, but helps no group to reach its floor.

    Parameters
    ----------
    objective
        What is maximised; goals are honoured.
    rules
        What a network may be; all rules are honoured.
    options
        ``effort`` times `NODES` nodes, beside what `lagrangian` does with it; the gap limit; the
        network to start from; the seed is HiGHS's.
    progress
        Watcher, asked every 50 ms; when it asks to stop, HiGHS's process is killed and the best
        network so far is returned.

    Raises
    ------
    ProblemError
        No network keeps all rules and goals; none was found within the effort; or none is known
        and more than `MOST_PAIRS` pairs are left.
    MissingExtraError
        highspy is not installed.
    SolverError
        HiGHS's process ended without an answer, and no network is known; where one is, that is
        the answer, with a `SpineqWarning`.
    """
    return solved(objective, rules, options, progress, by_child)


def solved(
    objective: Objective,
    rules: Rules,
    options: Options,
    progress: Progress,
    run: Run,
    *,
    reduced: bool = True,
) -> Solution:
    """Do what `milp` does.

    Parameters
    ----------
    objective, rules, options, progress
        As for `milp`.
    run
        How to run HiGHS.
    reduced
        Whether to reduce the programme first.
    """
    need_highspy()
    if not reduced:
        _need_small(objective.coverage.n_pairs)
    search = begun(objective, rules, options, SpanProgress(progress, 0.0, 0.1), descend)
    search.watch(SpanProgress(progress, 0.1, 0.4))
    left, nodes, settled = Left(), 0, False
    if reduced and not search.stopped:
        relaxation = Relaxation(objective, rules)
        settled = descend(search, relaxation)
        if not settled and not search.stopped:
            left = Left.of(search, relaxation)
    search.watch(SpanProgress(progress, 0.4, 0.97))
    # With a network and a bound at hand, too large a programme is no reason to lose them.
    too_large = left.pairs is not None and len(left.pairs.site) > MOST_PAIRS
    if not settled and not search.stopped and not (too_large and math.isfinite(search.value)):
        nodes = finish(search, left, run)
    if not search.stopped:
        if search.bound == search.value == -math.inf:
            _raise_impossible(search)
        _fill(search)
    return finished(search, SpanProgress(progress, 0.97, 1.0), nodes)


def _need_bound(search: Search) -> None:
    """Give the search a bound, where it has none yet: the quick one, of each judged group."""
    objective, rules = search.objective, search.rules
    worst = objective.goals is not None and objective.goals.worst
    if math.isfinite(search.bound) and not worst:
        return
    plain, weights = replace(objective, goals=None), _weights(objective)
    covered = objective.covered_by(search.sites)
    for k, weight in enumerate(weights):
        part = _Part(search, 0.1 * k / len(weights), 0.1 * (k + 1) / len(weights))
        search.lower(replace(plain, weight=weight).bound(covered, rules, part)[0])
        if search.stopped:
            return


def _weights(objective: Objective) -> list[NDArray[np.float64]]:
    """Weights of means that are each never below what is maximised."""
    goals = objective.goals
    if goals is None or not goals.worst:
        return [objective.weight]
    return [goals.rows[k] / goals.scale[k] for k in np.flatnonzero(goals.judged)]


class _Part(Watcher):
    """A part of the search: its fraction is passed on, its figures are not."""

    def __init__(self, search: Search, low: float, high: float) -> None:
        self._search, self._low, self._high = search, low, high

    def hear(self, report: Report) -> bool:
        """Ask the watcher; see `spineq.progress.Progress.report`."""
        share = self._low + (self._high - self._low) * report.fraction
        return self._search.report(share, report.message)


def finish(search: Search, left: Left, run: Run | None = None) -> int:
    """Decide what is left by the integer programme.

    Parameters
    ----------
    search
        The search; it is offered every better network, and its bound is lowered.
    left
        What is undecided.
    run
        How to run HiGHS; by default in a process of its own.

    Returns
    -------
    int
        Nodes of the branch and bound.

    Raises
    ------
    ProblemError, MissingExtraError, SolverError
        As `milp`; that no network keeps all rules only where none is known and none was lost.
    """
    _need_bound(search)
    nodes, end, above = 0, "optimal", math.inf
    # The room in HiGHS's bound is a share of the bound before it: where that was far too high,
    # the programme is solved once more, scaled by what is known now.
    while end == "optimal" and search.value < search.bound < 0.5 * above:
        above = search.bound
        try:
            more, end = _programme(search, left, run or by_child)
        except SolverError as error:
            if not math.isfinite(search.value):
                raise
            # What is known by then is an answer, and its gap is true.
            words = f"{error} The answer is the best network known without it."
            warnings.warn(words, SpineqWarning, stacklevel=2)
            break
        nodes += more
    if math.isinf(search.value) and not search.stopped and math.isinf(left.target):
        msg = f"no network that keeps {_names(search)} was found in {nodes:,} nodes"
        raise NetworkNotFoundError(msg, field="effort", mend="Ask for more effort, or for less")
    return nodes


def _programme(search: Search, left: Left, run: Run) -> tuple[int, str]:
    """Solve the programme once; give its nodes and how it ended, "" where it was stopped."""
    objective = search.objective
    if search.stopped:
        return 0, ""
    extra = objective.coverage.floor * max(float(row.sum()) for row in _weights(objective))
    data = gathered(search, left)
    if data is None:
        _conclude(search, left, "infeasible", -math.inf)
        return 0, "infeasible"
    only = data["inside"]
    if len(data["free"]) == 0 or data["n"] == 0:
        # That network is the only one, if it is one.
        search.offer(only)
        value = -math.inf if search.rules.broken_by(only) else search.worth(only)
        end = "optimal" if math.isfinite(value) else "infeasible"
        _conclude(search, left, end, value + extra)
        return 0, end
    _need_small(len(data["site"]))
    need_highspy()
    unsure = room(objective.coverage.n_points, search.rules.n) / float(data["factor"])
    nodes, first_bound, end = 0, search.bound, ""
    with run({name: data[name] for name in data if name != "free"}) as messages:
        for message in messages:
            if message is not None and "error" in message:
                raise SolverError(f"HiGHS failed: {message['error']}")
            if message is not None and "sites" in message:
                found = data["free"][np.array(message["sites"], dtype=np.int64)]
                search.offer(np.concatenate([only, found]))
            if message is not None and "bound" in message:
                nodes = int(message["nodes"])
                bound = message["bound"]
                if "end" in message:
                    end = message["end"]
                    _conclude(search, left, end, bound + unsure + extra)
                elif bound is not None:
                    _lower(search, left, bound + unsure + extra)
            share = nodes / float(data["nodes"])
            if math.isfinite(search.value) and first_bound > search.value:
                gone = first_bound - max(search.bound, search.value)
                share = max(share, gone / (first_bound - search.value))
            words = "integer programme by HiGHS" + (f", {nodes:,} nodes" if nodes else "")
            if not end and search.report(0.1 + 0.9 * min(share, 1.0), words):
                break
    return nodes, end


def _conclude(search: Search, left: Left, end: str, bound: float) -> None:
    """Take note of how the programme ended."""
    if end != "infeasible":
        _lower(search, left, bound)
    elif math.isfinite(left.target):
        _lower(search, left, left.target)
    elif math.isinf(search.value):
        _raise_impossible(search)


def _raise_impossible(search: Search) -> NoReturn:
    msg = f"no network keeps {_names(search)}"
    raise ProblemError(msg, mend="Ask for less of one of them")


def _lower(search: Search, left: Left, bound: float) -> None:
    lost = left.target
    if not math.isfinite(bound):
        return
    if search.objective.goals is None and whole_benefits(search.objective):
        # Every value is a whole number, and the room in these bounds is far less than one.
        bound = float(np.floor(bound + 1e-6))
        lost = float(np.floor(lost)) if math.isfinite(lost) else lost
    elif search.value <= 0.0 and bound < 0.5 * _least_worth(search.objective):
        # Otherwise a value of 0 is never proven: the room in these bounds is more than 0.
        bound = 0.0
    search.lower(max(bound, lost, search.value))


def _least_worth(objective: Objective) -> float:
    """Value that every network is worth at least, if it is worth anything.

    Values are sums of weight times coverage, none negative: a sum above 0 has a term above 0.
    """
    if objective.coverage.floor > 0.0:
        return 0.0  # what lists leave out has no such least term
    weights = np.concatenate(_weights(objective))
    covered = [objective.coverage.value, objective.covered_by(np.empty(0, dtype=np.int64))]
    least = [float(part[part > 0.0].min(initial=math.inf)) for part in (weights, *covered)]
    return least[0] * min(least[1:])


def _names(search: Search) -> str:
    """Name all that networks must keep to, for a sentence."""
    words = {
        "regions": "the numbers of sensors in the regions",
        "budget": "the budget",
        "spacing": "the spacing",
        "at_least": "the coverage that groups must reach",
    }
    goals = search.objective.goals
    asked = search.rules.named | (goals.named if goals is not None else frozenset())
    n = search.rules.n
    named = [f"the limit of {n:,} sensor{'' if n == 1 else 's'}"]
    named += [text for name, text in words.items() if name in asked]
    return in_a_list(named) if len(named) == 1 else f"{in_a_list(named)} together"


def _need_small(pairs: int) -> None:
    if pairs > MOST_PAIRS:
        msg = (
            f"an integer programme of {pairs:,} pairs of site and point is too large; "
            f"{MOST_PAIRS:,} can be solved"
        )
        raise ProblemError(msg, field="method", mend='Ask for method "auto", or for fewer sites')


def need_highspy() -> None:
    """Check that HiGHS is there, without importing it.

    Raises
    ------
    MissingExtraError
        It is not.
    """
    if importlib.util.find_spec("highspy") is None:
        msg = "integer programmes need highspy, which is not installed"
        raise MissingExtraError(msg, field="method", mend='Install it: pip install "spineq[milp]"')


def _fill(search: Search) -> None:
    """Place the sensors that may still stand, where each adds most; with prices if it adds."""
    objective, rules = search.objective, search.rules
    gains = np.zeros(objective.n_sites)
    while math.isfinite(search.value) and len(search.sites) < rules.n:
        allowed = rules.allowed_beside(search.sites, objective.usable_sites)
        if not allowed.any():
            return
        covered = objective.covered_by(search.sites)
        for low, high in objective.blocks():
            objective.gains(covered, gains, low, high)
            if search.report(1.0, "placing what is left"):
                return
        best = int(np.argmax(np.where(allowed, gains, -1.0)))
        if rules.prices is not None and gains[best] <= 0.0:
            return
        search.sites = np.append(search.sites, best)
        search.value = max(search.value, search.worth(search.sites))


def whole_programme(objective: Objective, n: int) -> dict[str, NDArray[Any]]:
    """Gather the programme of a plain problem for `by_child`, nothing known and nothing reduced.

    Beside what the process takes there is ``free`` (site,): positions of its sites.

    Parameters
    ----------
    objective
        What is maximised; a site at least is usable.
    n
        Number of sensors.

    Raises
    ------
    ProblemError
        There are more than `MOST_PAIRS` pairs.
    """
    _need_small(objective.coverage.n_pairs)
    search = Search(objective, Rules(n), Options(), SilentProgress())
    _need_bound(search)
    data = gathered(search, Left())
    assert data is not None  # without rules there is always a network
    return data
