"""How good and how fast proofs are: a city's problems, HiGHS on the same, and p-medians."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spineq.data.orlib import read_pmedian
from spineq.errors import ProblemError
from spineq.instance import check, coverage_of, objective_of
from spineq.model.groups import GROUPS
from spineq.model.network import PROVEN_GAP
from spineq.model.problem import Problem
from spineq.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.solvers.objective import Objective

#: Distances, metres, and numbers of sensors: with the original's four groups 24 problems.
THETAS, COUNTS = (500.0, 100.0), (10, 20, 55)

#: Seconds that HiGHS gets for a problem.
LIMIT = 60.0

#: Seconds beyond its limit that HiGHS is waited for; it looks at its clock rarely.
_GRACE = 5.0

#: Published values have nine decimals.
_SAME = 1e-9


@dataclass(frozen=True)
class Proof:
    """A problem, its answer, and what is proven of it.

    Parameters
    ----------
    group, theta, n_sensors
        The problem.
    greedy
        What greedy placement reaches.
    value, bound, gap
        The answer's value, the proven upper bound, and ``(bound - value) / bound``.
    proven
        Whether no network is better.
    nodes
        Nodes of the branch and bound, 0 where the root sufficed.
    seconds
        Time of the solver, its greedy start included, the coverage matrix not.
    reference
        Published value, if there is one.
    """

    group: str
    theta: float
    n_sensors: int
    greedy: float
    value: float
    bound: float
    gap: float
    proven: bool
    nodes: int
    seconds: float
    reference: float | None = None

    @property
    def equal(self) -> bool | None:
        """Whether the value is the published one, to 1e-9; None without one."""
        return None if self.reference is None else abs(self.value - self.reference) <= _SAME


@dataclass(frozen=True)
class Plain:
    """What HiGHS made of the plain integer programme of a problem.

    Parameters
    ----------
    value
        Of its best network, computed anew from the sites; None where it has none.
    bound
        Its bound; None where it has none.
    proven
        Whether it ended with a proof.
    seconds
        Its running time, without the time to build the programme; the limit where that was met.
    """

    value: float | None
    bound: float | None
    proven: bool
    seconds: float


def prove(
    city: City,
    *,
    method: str = "auto",
    reference: Mapping[tuple[str, float, int], float] | None = None,
    progress: Progress | None = None,
) -> list[Proof]:
    """Solve each of a city's problems: the original's groups, `THETAS` and `COUNTS`.

    Parameters
    ----------
    city
        Where; groups that it has no data of are left out.
    method
        Solver, by the name that a problem gives.
    reference
        Published values, by group, theta and number of sensors.
    progress
        Watcher; when it asks to stop, the problems solved by then are returned.

    Raises
    ------
    ProblemError
        The city has fewer sites than sensors, or none of the groups.
    """
    reference = reference or {}
    return [proof for proof, _ in _proofs(city, method, reference, progress)]


def prove_beside_highs(
    city: City, *, limit: float = LIMIT, progress: Progress | None = None
) -> list[tuple[Proof, Plain]]:
    """Solve each of a city's problems as `prove` does, and by HiGHS without our reductions.

    HiGHS gets the whole integer programme (`spineq.solvers._milp_child`), no network to start
    from, and one thread: in the form of assignment and without probing, with which it is
    faster than in the cumulative form, and with probing.

    Parameters
    ----------
    city
        Where.
    limit
        Seconds that HiGHS gets for each problem.
    progress
        Watcher; when it asks to stop, the problems solved by then are returned.

    Raises
    ------
    ProblemError
        As `prove`.
    MissingExtraError
        highspy is not installed.
    """
    from spineq.solvers.milp import need_highspy

    need_highspy()
    made = []
    for proof, objective in _proofs(city, "auto", {}, progress):
        made.append((proof, plain_programme(objective, proof.n_sensors, limit)))
    return made


def _proofs(
    city: City,
    method: str,
    reference: Mapping[tuple[str, float, int], float],
    progress: Progress | None,
) -> Iterator[tuple[Proof, Objective]]:
    groups = [name for name, group in GROUPS.items() if city.has(group)]
    if not groups:
        msg = f"{city.name} has the data of none of the groups {', '.join(GROUPS)}"
        raise ProblemError(msg, field="groups", mend="Give it residents by age, or workers")
    asked = [(theta, name, n) for theta in THETAS for name in groups for n in COUNTS]
    problems = [
        Problem(n_sensors=n, theta=theta, groups=((name, GROUPS[name]),))
        for theta, name, n in asked
    ]
    check(city, max(problems, key=lambda problem: problem.n_sensors or 0))
    watcher = progress or SilentProgress()
    _warm_up(method)
    for k, ((theta, name, n), problem) in enumerate(zip(asked, problems, strict=True)):
        if watcher.report(k / len(asked), f"{name}, theta {theta:g}, {n} sensors"):
            return
        coverage = coverage_of(city, problem, SilentProgress())
        assert coverage is not None  # nobody asked to stop
        objective = objective_of(city, problem, coverage)
        yield _proof(objective, name, theta, n, method, reference.get((name, theta, n))), objective


def _proof(
    objective: Objective, group: str, theta: float, n: int, method: str, published: float | None
) -> Proof:
    from spineq.solvers import method_named
    from spineq.solvers.greedy import place
    from spineq.solvers.rules import Options, Rules

    silent, rules = SilentProgress(), Rules(n)
    greedy = objective.value(objective.covered_by(place(objective, rules, silent).sites))
    # The transpose of the coverage matrix is kept with it, and counts as part of it.
    _ = objective.coverage.by_point
    solve = method_named(method)[1].solve
    began = time.perf_counter()
    made = solve(objective, rules, Options(), silent)
    seconds = time.perf_counter() - began
    gap = (made.upper_bound - made.value) / made.upper_bound if made.upper_bound > 0 else 0.0
    return Proof(
        group, theta, n, greedy, made.value, made.upper_bound, gap, gap <= PROVEN_GAP,
        made.nodes, seconds, published,
    )  # fmt: skip


def _warm_up(method: str) -> None:
    """Load or compile what the method needs, on an instance that needs branching."""
    from spineq.solvers.coverage import Coverage
    from spineq.solvers.objective import Objective

    rng = np.random.default_rng(0)
    place = rng.random((60, 2))
    far = np.hypot(*(place[:, None] - place[None]).T)
    objective = Objective(Coverage.from_matrix(np.exp(-far / 0.2)), rng.random(60))
    _proof(objective, "", 0.2, 7, method, None)


def plain_programme(objective: Objective, n: int, limit: float = LIMIT) -> Plain:
    """Give HiGHS the whole integer programme of a problem, and see how far it gets.

    Parameters
    ----------
    objective
        What is maximised.
    n
        Number of sensors.
    limit
        Seconds that it gets.

    Raises
    ------
    SolverError
        Its process ended without an answer.
    """
    from spineq.errors import SolverError
    from spineq.solvers._milp_process import by_child
    from spineq.solvers.milp import whole_programme

    data = whole_programme(objective, n) | {"seconds": np.array(limit)}
    began: float | None = None
    value = bound = None
    with by_child(data) as messages:
        for message in messages:
            passed = 0.0 if began is None else time.perf_counter() - began
            if message is None:
                if passed > limit + _GRACE:
                    break
                continue
            if "error" in message:
                msg = f"HiGHS failed: {message['error']}"
                raise SolverError(msg)
            if "began" in message:
                began = time.perf_counter()
            if "sites" in message:
                sites = data["free"][np.array(message["sites"], dtype=np.int64)]
                value = objective.value(objective.covered_by(sites))
            if "bound" in message and math.isfinite(message["bound"]):
                bound = float(message["bound"])
            if message.get("end") == "optimal":
                return Plain(value, bound, True, passed)
    return Plain(value, bound, False, limit)


@dataclass(frozen=True)
class MedianProof:
    """A p-median instance and its answer: distances are whole numbers, and so are bounds.

    Parameters
    ----------
    name, sites, n_medians
        The instance.
    value, bound, gap
        Sum of the distances to the nearest median, proven lower bound on it, and
        ``(value - bound) / value``.
    proven
        Whether no set of medians is better.
    nodes, seconds
        As in `Proof`.
    reference
        Published optimum, if there is one.
    """

    name: str
    sites: int
    n_medians: int
    value: int
    bound: int
    gap: float
    proven: bool
    nodes: int
    seconds: float
    reference: float | None = None

    @property
    def equal(self) -> bool | None:
        """Whether the value is the published one; None without one."""
        return None if self.reference is None else self.value == self.reference


def prove_medians(
    files: Iterable[object],
    *,
    method: str = "auto",
    reference: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> list[MedianProof]:
    """Solve p-median instances of the OR-Library's format.

    The p-median problem is the same object with benefits ``D - distance`` for a D that no
    distance exceeds: whole numbers, so that bounds are rounded.

    Parameters
    ----------
    files
        Paths.
    method
        Solver, by the name that a problem gives.
    reference
        Published optima by the file's name without its ending.
    progress
        Watcher; when it asks to stop, the instances solved by then are returned.

    Raises
    ------
    MissingFileError, UnreadableFileError
        A file is not there or is not of that format.
    """
    watcher, made = progress or SilentProgress(), []
    # All are read first, so that a file that cannot be is known at once.
    instances = [read_pmedian(path) for path in files]
    _warm_up(method)
    for k, (name, distance, p) in enumerate(instances):
        if watcher.report(k / len(instances), name):
            break
        made.append(_median_proof(name, distance, p, method, (reference or {}).get(name)))
    return made


def _median_proof(
    name: str, distance: NDArray[np.float64], p: int, method: str, published: float | None
) -> MedianProof:
    from spineq.solvers.coverage import Coverage
    from spineq.solvers.objective import Objective

    n, longest = len(distance), float(distance.max())
    objective = Objective(Coverage.from_matrix(longest - distance), np.ones(n))
    proof = _proof(objective, name, 0.0, p, method, None)
    value = round(n * longest - proof.value)
    # A whole number, so that a bound just above the one before it is the next one.
    bound = min(math.ceil(n * longest - proof.bound - 1e-6), value)
    gap = (value - bound) / value if value > 0 else 0.0
    return MedianProof(
        name, n, p, value, bound, gap, bound == value, proof.nodes, proof.seconds, published
    )
