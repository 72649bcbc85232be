"""How fast the solvers are: ratios measured in one run, against what others would write."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.instance import check, make_coverage, objective_of
from spineq.model.problem import Problem
from spineq.progress import SilentProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.solvers.coverage import Coverage
    from spineq.solvers.objective import Objective

#: Candidates that the original's way is timed on; the rest is extrapolated.
TIMED_CANDIDATES = 60


@dataclass(frozen=True)
class Timing:
    """One way to do the same thing.

    Parameters
    ----------
    name
        What was timed.
    seconds
        Median over the repetitions, or extrapolated.
    ratio
        Its time over that of our greedy, measured in the same run.
    remark
        How it was measured, and whether the answer is the same.
    """

    name: str
    seconds: float
    ratio: float
    remark: str


def bench(city: City, n_sensors: int = 55, theta: float = 500.0, repeat: int = 5) -> list[Timing]:
    """Time greedy against other ways of placing the same sensors.

    Parameters
    ----------
    city
        Where; with at most some thousand sites, since the others need the whole matrix.
    n_sensors, theta
        The problem, for all residents (or the city's first column).
    repeat
        Repetitions of the fast ones; the median counts.

    Returns
    -------
    list of Timing
        The first one is our greedy, ratio 1.
    """
    from spineq.solvers.exchange import exchange
    from spineq.solvers.greedy import greedy, place
    from spineq.solvers.rules import Options, Rules

    silent = SilentProgress()
    rules, options = Rules(n_sensors), Options()
    problem, _, objective = _prepared(city, n_sensors, theta)
    ours = place(objective, rules, silent).sites  # compiles
    exchange(objective, rules, options, silent)
    alone = _median(repeat * 3, lambda: place(objective, rules, silent))
    made = [Timing("spineq greedy", alone, 1.0, "solver only")]

    def add(name: str, seconds: float, remark: str) -> None:
        made.append(Timing(name, seconds, seconds / alone, remark))

    matrix = _matrix(objective.coverage)
    build = _median(repeat, lambda: make_coverage(city, problem, silent))
    add("spineq greedy and matrix", alone + build, "with building the coverage matrix")
    add(
        "spineq greedy and bound",
        _median(repeat, lambda: greedy(objective, rules, options, silent)),
        "with its certificate",
    )
    add(
        "spineq exchange",
        _median(repeat, lambda: exchange(objective, rules, options, silent)),
        "greedy, swaps and certificate",
    )
    seconds, timed, all_of_them = _original(matrix, objective.weight, ours, n_sensors)
    add(
        "original, re-stated",
        seconds,
        f"{timed} of {all_of_them:,} candidates timed, the rest extrapolated",
    )
    add(
        "original and matrix",
        seconds + build,
        f"the same, with building the matrix; {(seconds + build) / (alone + build):,.0f} x ours",
    )
    for name, way in (
        ("Python loop over sites", _incremental_loop),
        ("vectorised naive greedy", _vectorised),
    ):
        began = time.perf_counter()
        theirs = way(matrix, objective.weight, n_sensors)
        add(name, time.perf_counter() - began, _same(objective, ours, theirs))
    found = _apricot(matrix, objective.weight, n_sensors)
    if found is not None:
        whole, compiling, theirs = found
        add("apricot, lazy", whole, _same(objective, ours, theirs))
        add("apricot, compiled", whole - compiling, "the same, less what it compiles at every fit")
    return made


def bench_lists(
    city: City, n_sensors: int = 500, theta: float = 500.0, repeat: int = 5, memory: int = 0
) -> list[Timing]:
    """Time greedy on neighbourhood lists against one pass over the pairs in them.

    Parameters
    ----------
    city
        Where; of any size.
    n_sensors, theta
        The problem, for all residents (or the city's first column).
    repeat
        Repetitions of the fast ones; the median counts.
    memory
        Peak memory of the process before the city was made, bytes; the remark of the greedy
        run says how much was needed beyond it.

    Returns
    -------
    list of Timing
        The first one is the pass, ratio 1.
    """
    from spineq.solve import evaluate
    from spineq.solvers.exchange import exchange
    from spineq.solvers.greedy import greedy, place
    from spineq.solvers.rules import Options, Rules

    silent = SilentProgress()
    rules, options = Rules(n_sensors), Options()
    _prepared(city, n_sensors, theta)  # compiles
    problem, listing, objective = _prepared(city, n_sensors, theta)
    place(objective, rules, silent)  # compiles
    out = np.zeros(city.n_sites)
    one_pass = _median(repeat, lambda: objective.gains(objective.nothing(), out, 0, city.n_sites))
    alone = _median(repeat, lambda: place(objective, rules, silent))
    used = (peak_memory() - memory) / 1e6
    solution = greedy(objective, rules, options, silent)
    exact = evaluate(city, city.sites.index[solution.sites].tolist(), problem).total_coverage
    pairs = objective.coverage.n_pairs
    exchange(objective, rules, options, silent)  # compiles
    began = time.perf_counter()
    exchange(objective, rules, options, silent)
    swapped = time.perf_counter() - began

    def row(name: str, seconds: float, remark: str) -> Timing:
        return Timing(name, seconds, seconds / one_pass, remark)

    return [
        row("one pass over the pairs", one_pass,
            f"{pairs / 1e6:,.1f} million pairs, {pairs / one_pass / 1e6:,.0f} million a second"),
        row("spineq greedy", alone, f"solver only; peak memory {used:,.0f} MB above the imports"),
        row("listing the pairs", listing,
            f"within {objective.coverage.radius:,.0f} m; what is beyond changes this network's "
            f"coverage by {abs(exact - solution.value):.1e}"),
        row("spineq exchange", swapped, "greedy, swaps and certificate"),
    ]  # fmt: skip


def peak_memory() -> int:
    """Peak memory of this process so far, bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    # Kilobytes on Linux, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _prepared(city: City, n_sensors: int, theta: float) -> tuple[Problem, float, Objective]:
    """Make the problem and its objective; also the seconds that the coverage took."""
    from spineq.model.groups import GROUPS, Group

    everyone = GROUPS["pop_total"]
    group = everyone if city.has(everyone) else Group(column=city.columns[0])
    problem = Problem(n_sensors=n_sensors, theta=theta, groups=(("pop_total", group),))
    check(city, problem)
    began = time.perf_counter()
    coverage = make_coverage(city, problem, SilentProgress())
    assert coverage is not None  # nobody asked to stop
    return problem, time.perf_counter() - began, objective_of(city, problem, coverage)


def _median(repeat: int, call: Callable[[], Any]) -> float:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _matrix(coverage: Coverage) -> NDArray[np.float64]:
    if coverage.point is None:
        made: NDArray[np.float64] = coverage.value.reshape(coverage.n_sites, coverage.n_points)
        return made
    made = np.zeros((coverage.n_sites, coverage.n_points))
    rows = np.repeat(np.arange(coverage.n_sites), np.diff(coverage.start))
    made[rows, coverage.point] = coverage.value
    return made


def _same(objective: Objective, ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> str:
    if np.array_equal(ours, theirs):
        return "same sensors"
    change = objective.value(objective.covered_by(theirs)) - objective.value(
        objective.covered_by(ours)
    )
    return f"other sensors, value {change:+.1e}"


def _original(
    matrix: NDArray[np.float64], weight: NDArray[np.float64], ours: NDArray[np.int64], n: int
) -> tuple[float, int, int]:
    """Time the original's way: the maximum over the whole masked matrix for each candidate."""
    n_sites = len(matrix)
    chosen = np.zeros(n_sites)
    chosen[ours[: n // 2]] = 1.0
    candidates = np.flatnonzero(chosen == 0)[:TIMED_CANDIDATES]
    began = time.perf_counter()
    for candidate in candidates:
        chosen[candidate] = 1.0
        covered = (matrix * chosen[:, np.newaxis]).max(axis=0)
        (weight * covered).sum()
        chosen[candidate] = 0.0
    each = (time.perf_counter() - began) / len(candidates)
    evaluations = sum(n_sites - placed for placed in range(n))
    return each * evaluations, len(candidates), evaluations


def _incremental_loop(
    matrix: NDArray[np.float64], weight: NDArray[np.float64], n: int
) -> NDArray[np.int64]:
    covered = np.zeros(matrix.shape[1])
    chosen: list[int] = []
    for _ in range(n):
        best, best_value = -1, -1.0
        for site in range(len(matrix)):
            if site in chosen:
                continue
            value = float(weight @ np.maximum(covered, matrix[site]))
            if value > best_value:
                best, best_value = site, value
        chosen.append(best)
        covered = np.maximum(covered, matrix[best])
    return np.array(chosen)


def _vectorised(
    matrix: NDArray[np.float64], weight: NDArray[np.float64], n: int
) -> NDArray[np.int64]:
    covered = np.zeros(matrix.shape[1])
    chosen: list[int] = []
    for _ in range(n):
        values = np.maximum(matrix, covered) @ weight
        values[chosen] = -1.0
        chosen.append(int(values.argmax()))
        covered = np.maximum(covered, matrix[chosen[-1]])
    return np.array(chosen)


def _apricot(
    matrix: NDArray[np.float64], weight: NDArray[np.float64], n: int
) -> tuple[float, float, NDArray[np.int64]] | None:
    """Time apricot's lazy facility location, where it is installed (extra ``compare``).

    Returns seconds of the whole fit, seconds of them that it spends on compiling (at every
    fit anew), and the sites in order.
    """
    try:
        from apricot import FacilityLocationSelection
    except ImportError:
        return None
    benefits = matrix * weight
    compiling = 0.0

    class Watched(FacilityLocationSelection):  # type: ignore[misc]
        def _initialize(self, *arguments: Any, **words: Any) -> Any:
            nonlocal compiling
            began = time.perf_counter()
            made = super()._initialize(*arguments, **words)
            compiling = time.perf_counter() - began
            return made

    def run() -> Any:
        return Watched(n, metric="precomputed", optimizer="lazy").fit(benefits)

    run()  # imports
    began = time.perf_counter()
    found = run()
    return time.perf_counter() - began, compiling, np.asarray(found.ranking)
