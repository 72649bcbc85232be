"""The integer programme: equal to brute force under every rule and goal, and killed when told."""

from __future__ import annotations

import itertools
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solvers.instances import NOWHERE, as_lists, matrices

from spineq.errors import MissingExtraError, ProblemError, SolverError, SpineqWarning
from spineq.model.network import PROVEN_GAP
from spineq.progress import RecordingProgress, Report, SilentProgress
from spineq.solvers import _milp_child, milp
from spineq.solvers._milp_data import Pairs, room
from spineq.solvers._milp_process import by_child
from spineq.solvers.coverage import Coverage
from spineq.solvers.goals import Goals
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Apart, Options, Prices, Regions, Rules
from spineq.solvers.search import Search
from spineq.solvers.solution import Solution

SILENT = SilentProgress()
RULES = ["regions", "budget", "spacing"]
GOALS = ["at_least", "worst", "both"]


@pytest.fixture(autouse=True, scope="module")
def _highspy(needs: Callable[[str], ModuleType]) -> None:
    needs("highspy")


@contextmanager
def here(data: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """HiGHS in this process: the same code, without the wait for a process to start."""
    told: list[dict[str, Any]] = []
    _milp_child.solve(data, lambda message: told.append(json.loads(json.dumps(message))))
    yield iter(told)


def solved(
    objective: Objective, rules: Rules, run: Any = here, *, reduced: bool = True, **options: Any
) -> Solution:
    return milp.solved(objective, rules, Options(**options), SILENT, run, reduced=reduced)


def worth(objective: Objective, sites: Any) -> float:
    """What a network is worth, minus infinity where it leaves a group below its floor."""
    covered = objective.covered_by(np.array(sites, dtype=np.int64))
    if objective.goals is None:
        return objective.value(covered)
    groups = objective.goals.groups(covered)
    if objective.goals.shortfall(groups) > 0:
        return -math.inf
    return objective.goals.smallest(groups) if objective.goals.worst else objective.value(covered)


def best_of_all(objective: Objective, rules: Rules) -> float:
    """Best value of all sets that keep the rules and the goals; minus infinity without one."""
    usable = np.flatnonzero(objective.usable_sites)
    return max(
        (
            worth(objective, sites)
            for size in range(rules.n + 1)
            for sites in itertools.combinations(usable, size)
            if not rules.broken_by(np.array(sites, dtype=np.int64))
        ),
        default=-math.inf,
    )


def apart_by(near: np.ndarray) -> Apart:
    """Lists of a symmetric matrix (site, site) of which are too near to each other."""
    row, site = np.nonzero(near)
    start = np.zeros(len(near) + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=len(near)), out=start[1:])
    return Apart(start, site)


@st.composite
def instances(draw: st.DrawFn, asked: set[str], most: int = 9) -> tuple[Objective, Rules]:
    """Objective and rules over small whole numbers, with as many of the constraints as asked."""
    matrix = draw(matrices(max_sites=most, max_points=6))
    n_sites, n_points = matrix.shape
    whole = st.integers(0, 4)

    def array(strategy: st.SearchStrategy[Any], size: int) -> np.ndarray:
        return np.array(draw(st.lists(strategy, min_size=size, max_size=size)))

    usable = None
    if draw(st.booleans()):
        usable = array(st.booleans(), n_sites)
        usable[draw(st.integers(0, n_sites - 1))] = True
    n_usable = n_sites if usable is None else int(usable.sum())
    base = array(whole, n_points).astype(float) if draw(st.booleans()) else None
    coverage = Coverage.from_matrix(matrix) if draw(st.booleans()) else as_lists(matrix)
    objective = Objective(coverage, array(whole, n_points).astype(float), usable, base)
    if asked & {"at_least", "worst", "both"}:
        k = draw(st.integers(1, 3))
        rows = np.array([array(whole, n_points) + 0.0 for _ in range(k)])
        # Floors that a network just reaches, or just does not.
        some = array(st.booleans(), n_sites) & objective.usable_sites
        reached = (rows * objective.covered_by(np.flatnonzero(some))).sum(axis=1)
        least = reached * draw(st.sampled_from([0.9, 1.0, 1.0 + 1e-6, 1.2]))
        owed = array(st.booleans(), k) if asked & {"at_least", "both"} else np.zeros(k, dtype=bool)
        judged = np.full(k, bool(asked & {"worst", "both"}))
        scale = array(st.integers(1, 5), k).astype(float)
        goals = Goals(rows, np.where(owed, least, -np.inf), judged, scale)
        objective = Objective(coverage, objective.weight, usable, base, goals)
    regions = prices = apart = None
    if "regions" in asked:
        k = draw(st.integers(1, 3))
        at_most = array(st.integers(0, 3), k)
        at_least = np.minimum(array(st.integers(0, 1), k), at_most)
        regions = Regions(array(st.integers(0, k - 1), n_sites), at_most, at_least)
    if "budget" in asked:
        cost = array(st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0]), n_sites)
        prices = Prices(cost, draw(st.sampled_from([0.0, 0.3, 0.6, 1.3])))
    if "spacing" in asked:
        near = np.triu(np.array([array(st.booleans(), n_sites) for _ in range(n_sites)]), 1)
        apart = apart_by(near | near.T)
    n = draw(st.integers(1, n_usable))
    return objective, Rules(n, regions, prices, apart)


def check(objective: Objective, rules: Rules, run: Any = here, *, reduced: bool = False) -> None:
    """Hold an answer against brute force; by the whole programme, unless it is to be reduced."""
    best = best_of_all(objective, rules)
    if math.isinf(best):
        with pytest.raises(ProblemError, match="no network"):
            solved(objective, rules, run, reduced=reduced)
        return
    made = solved(objective, rules, run, reduced=reduced)
    assert rules.broken_by(made.sites) == ""
    assert objective.usable_sites[made.sites].all()
    assert made.value == pytest.approx(best, rel=1e-12)
    assert made.value == worth(objective, made.sites)
    assert made.upper_bound >= best
    # A floor may be missed by its room: what that is worth is in the bound, at the floor's price.
    owed = objective.goals is not None and bool(np.isfinite(objective.goals.least).any())
    assert made.upper_bound - made.value <= (1e-9 if owed else PROVEN_GAP) * made.upper_bound
    if not rules.named & {"budget", "spacing", "regions"}:
        assert len(made.sites) == rules.n


@pytest.mark.parametrize("asked", ["nothing", *RULES, *GOALS])
def test_the_answer_is_that_of_brute_force(asked: str) -> None:
    """Under each rule and goal in turn: the best value, rules kept, proven, bound never below."""

    @settings(max_examples=25)
    @given(instances({asked}))
    def holds(instance: tuple[Objective, Rules]) -> None:
        check(*instance)

    holds()


@settings(max_examples=40)
@given(st.sampled_from(GOALS).flatmap(lambda goal: instances({*RULES, goal}, most=12)))
def test_the_answer_is_that_of_brute_force_under_everything(
    instance: tuple[Objective, Rules],
) -> None:
    """All rules and a goal together, up to 12 sites."""
    check(*instance)


@settings(max_examples=40)
@given(st.sampled_from([*GOALS, "nothing"]).flatmap(lambda goal: instances({*RULES, goal})))
def test_the_reduced_programme_gives_the_same(instance: tuple[Objective, Rules]) -> None:
    """What the relaxation takes out is not needed for the best network, nor for its proof."""
    check(*instance, reduced=True)


@settings(max_examples=4)
@given(st.sampled_from([*GOALS, "nothing"]).flatmap(lambda goal: instances({*RULES, goal})))
def test_the_process_gives_the_same(instance: tuple[Objective, Rules]) -> None:
    """What travels to the process and back is the whole problem and the whole answer."""
    check(*instance, run=by_child)


@given(instances({"nothing"}), st.data())
def test_bounds_hold_with_what_others_decided(
    instance: tuple[Objective, Rules], data: st.DataObject
) -> None:
    """With sites fixed in and out, the best that is left is found; without any, the target."""
    objective, rules = instance
    usable = np.flatnonzero(objective.usable_sites)
    fixed = np.zeros(objective.n_sites, dtype=np.int8)
    fixed[usable] = data.draw(
        st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=len(usable), max_size=len(usable))
    )
    left = [
        worth(objective, sites)
        for size in range(rules.n + 1)
        for sites in itertools.combinations(usable, size)
        if set(np.flatnonzero(fixed > 0)) <= set(sites) and not (fixed[list(sites)] < 0).any()
    ]
    search = Search(objective, rules, Options(), SILENT)
    first = usable[: rules.n]
    search.offer(first)
    search.lower(worth(objective, usable))
    milp.finish(search, milp.Left(fixed, target=search.target), here)
    best = max([*left, worth(objective, first)])
    assert search.value == pytest.approx(best, rel=1e-12)
    assert search.bound >= best


def test_pairs_that_do_not_serve_may_be_gone() -> None:
    """The programme has the pairs that are left; values are still those of all pairs."""
    matrix = np.array([[3.0, 1.0], [1.0, 3.0], [2.5, 2.5]])
    objective = Objective(Coverage.from_matrix(matrix), np.ones(2))
    site, point = np.nonzero(matrix > 1)
    less = Pairs(site, point, matrix[site, point])
    search = Search(objective, Rules(1), Options(), SILENT)
    search.lower(9.0)
    milp.finish(search, milp.Left(pairs=less), here)
    assert (search.sites.tolist(), search.value) == ([2], 5.0)
    # The pairs of 1 are not there: by those left the others are worth 3, and the bound is tight.
    assert search.bound == pytest.approx(5.0, rel=1e-11)


def test_a_best_of_nothing_is_proven() -> None:
    """Where no network is worth anything the bound is 0, whatever HiGHS's tolerances may hide."""
    coverage = as_lists(
        np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    )
    never = np.full(2, -np.inf)
    floors = Goals(
        np.array([[0.0] * 4, [1.0, 0.0, 0.0, 0.0]]), np.array([-np.inf, 0.9]), never > 0, np.ones(2)
    )
    apart = Goals(np.eye(4)[[3, 0]], never, np.array([True, True]), np.ones(2))
    for weight, goals in [(np.eye(4)[3], floors), (np.zeros(4), apart)]:
        made = solved(Objective(coverage, weight, goals=goals), Rules(1), reduced=False)
        assert (made.value, made.upper_bound) == (0.0, 0.0)


def test_what_lists_leave_out_is_in_the_bound() -> None:
    """A pair that was cut off covers up to the floor: the bound holds for the true objective."""
    matrix = np.array([[0.5, 0.04, 0.0], [0.05, 0.4, 0.03]])
    objective = Objective(as_lists(matrix, floor=0.05), np.ones(3))
    made = solved(objective, Rules(1))
    assert made.value == 0.5
    assert made.upper_bound >= 0.54
    assert made.upper_bound <= 0.65 * (1 + 1e-9)


def test_degenerate_instances() -> None:
    """No weight, no pair, a single site, every site: the answer is there, and proven."""
    ones = Coverage.from_matrix(np.ones((3, 2)))
    for objective, n, value in [
        (Objective(ones, np.zeros(2)), 2, 0.0),
        (Objective(as_lists(np.zeros((3, 2))), np.ones(2)), 2, 0.0),
        (Objective(ones, np.ones(2)), 3, 2.0),
        (Objective(ones, np.ones(2), np.array([False, True, False])), 1, 2.0),
        (Objective(ones, np.ones(2), base=np.full(2, 5.0)), 2, 10.0),
    ]:
        made = solved(objective, Rules(n))
        assert (len(made.sites), made.value) == (n, value)
        assert made.upper_bound == pytest.approx(value, rel=1e-11)
    with pytest.raises(ProblemError, match=r"4 sensors are more than the 3 sites"):
        solved(Objective(ones, np.ones(2)), Rules(4))
    # With spacing the number is one at most.
    made = solved(Objective(ones, np.ones(2)), Rules(3, apart=apart_by(~np.eye(3, dtype=bool))))
    assert (len(made.sites), made.value) == (1, 2.0)


def test_words_for_what_cannot_be() -> None:
    """The sentence names all that clashes."""
    objective = Objective(Coverage.from_matrix(np.eye(3)), np.ones(3))
    regions = Regions(np.array([0, 0, 1]), np.array([3, 3]), np.array([2, 0]))
    near = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    with pytest.raises(ProblemError, match="no network keeps the limit of 3 sensors, the numbers "
                       "of sensors in the regions and the spacing together"):  # fmt: skip
        solved(objective, Rules(3, regions, apart=apart_by(near)))


def test_too_large_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A programme of more pairs than can be solved is refused before anything is computed."""
    monkeypatch.setattr(milp, "MOST_PAIRS", 8)
    objective = Objective(Coverage.from_matrix(np.eye(3)), np.ones(3))
    with pytest.raises(ProblemError, match="of 9 pairs of site and point is too large; 8 can be"):
        solved(objective, Rules(1), reduced=False)


def test_without_highspy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One plain sentence with the mend."""
    monkeypatch.setitem(sys.modules, "highspy", None)
    objective, rules = large(30)
    with pytest.raises(MissingExtraError, match=r'pip install "spineq\[milp\]"'):
        solved(objective, rules)


def test_cliques_cover_every_pair_once_or_more_and_nothing_else() -> None:
    """At most one of a clique is what the conflicts say, no more and no less."""
    near = np.zeros((6, 6), dtype=bool)
    for i, j in [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (4, 5), (3, 5)]:
        near[i, j] = near[j, i] = True
    found = [clique.tolist() for clique in _milp_child.cliques(*apart_by(near))]
    assert found == [[0, 1, 2], [2, 3], [3, 4, 5]]


def test_the_programme_is_what_it_says() -> None:
    """By hand: a column for each site and each pair above the base, a row for each pair."""
    matrix = np.array([[3.0, 6.0, 1.0], [2.0, 5.0, 2.0]])
    data = {
        "n_sites": np.array(2), "site": np.repeat(np.arange(2), 3),
        "point": np.tile(np.arange(3), 2), "value": matrix.ravel(),
        "base": np.array([0.0, 5.0, 0.0]), "weight": np.array([1.0, 2.0, 0.0]),
        "rows": np.empty((0, 3)), "least": np.empty(0), "judged": np.empty(0),
        "scale": np.empty(0), "n": np.array(1), "exact": np.array(True),
        "factor": np.array(10.0), "has_known": np.array(True), "known": np.array([1]),
    }  # fmt: skip
    made = _milp_child.build(data)
    # The third point has no weight, and at the second one only the first site is above the base.
    assert made.cost.tolist() == [0, 0, 30, 20, 20]
    assert made.offset == 100.0
    assert len(made.least) == 3 + 2 + 1
    assert (made.least[-1], made.most[-1]) == (1, 1)
    assert made.known.tolist() == [0, 1, 0, 1, 0]


def large(n_sites: int, n: int = 10, seed: int = 5) -> tuple[Objective, Rules]:
    """Instance that keeps HiGHS busy."""
    rng = np.random.default_rng(seed)
    where = rng.random((n_sites, 2))
    far = np.hypot(*(where[:, None] - where[None]).T)
    return Objective(Coverage.from_matrix(np.exp(-far / 0.1)), rng.random(n_sites)), Rules(n)


def in_a_process(objective: Objective, rules: Rules, progress: Any) -> Solution:
    """The whole programme, which the reductions would leave nothing of, by the process."""
    return milp.solved(objective, rules, Options(), progress, by_child, reduced=False)


@pytest.mark.parametrize("seed", range(4))
def test_the_room_covers_what_highs_hides(seed: int) -> None:
    """HiGHS's own bound comes out below the optimum where benefits are tiny; with room never."""
    rng = np.random.default_rng(seed)
    where = rng.random((40, 2))
    far = np.hypot(*(where[:, None] - where[None]).T)
    objective = Objective(Coverage.from_matrix(np.exp(-far / 0.02)), rng.random(40))
    best = best_of_all(objective, Rules(3))
    data = milp.whole_programme(objective, 3)
    with here(data) as messages:
        *_, end = messages
    factor = float(data["factor"])
    assert end["end"] == "optimal"
    assert end["bound"] + room(40, 3) / factor >= best
    assert abs(end["bound"] - best) <= room(40, 3) / factor
    assert 1.2e-12 <= room(40, 3) / factor / objective.upper_bound(NOWHERE, Rules(3)) <= 2.5e-12


class Stopper:
    """Asks for a stop once HiGHS has been at work for some time, and notes when it asked."""

    def __init__(self, after: float) -> None:
        self._after = after
        self._began = math.inf
        self.asked = math.inf
        self.reports: list[Report] = []
        self.times: list[float] = []

    def report(
        self,
        fraction: float,
        message: str = "",
        value: float | None = None,
        bound: float | None = None,
    ) -> bool:
        now = time.perf_counter()
        self.reports.append(Report(fraction, message, value, bound))
        self.times.append(now)
        if "HiGHS" in message:
            self._began = min(self._began, now)
        if now - self._began >= self._after:
            self.asked = min(self.asked, now)
            return True
        return False


def children() -> set[int]:
    """Processes that this one started and that are still listed, zombies included."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(stat.parent.name))
    return found


@pytest.mark.slow
def test_a_stop_is_honoured_at_once() -> None:
    """At any moment of the run; the best so far comes with its bound, and nothing is left."""
    objective, rules = large(700)
    before, threads = children(), threading.active_count()
    waits = []
    for after in (0.0, 0.1, 0.3, 0.6, 1.2):
        watcher = Stopper(after)
        made = in_a_process(objective, rules, watcher)
        waits.append(time.perf_counter() - watcher.asked)
        assert made.stopped
        assert len(made.sites) == rules.n
        assert made.value == objective.value(objective.covered_by(made.sites))
        assert made.value <= made.upper_bound < math.inf
        fractions = [report.fraction for report in watcher.reports]
        assert fractions == sorted(fractions)
        # Two cores may be busy with other tests.
        assert statistics.median(np.diff(watcher.times)) < 0.05
    assert statistics.median(waits) < 0.1
    assert children() == before
    assert threading.active_count() == threads


def test_a_stop_before_there_is_anything() -> None:
    """The first report stops it: no network, no process, no error."""
    objective, rules = large(60)
    made = milp.milp(objective, rules, Options(), RecordingProgress(stop_after=1))
    assert made.stopped
    assert made.value <= made.upper_bound


@pytest.mark.slow
def test_a_killed_process_is_said() -> None:
    """Killed from outside, as by a system short of memory: what is known, and a sentence."""
    objective, rules = large(700)
    before = children()

    class Killer(RecordingProgress):
        def report(self, *arguments: Any, **words: Any) -> bool:
            if "HiGHS" in arguments[1]:
                for process in children() - before:
                    os.kill(process, signal.SIGKILL)
            return super().report(*arguments, **words)

    with pytest.warns(SpineqWarning, match="the process of HiGHS was killed by signal 9"):
        made = in_a_process(objective, rules, Killer())
    assert len(made.sites) == rules.n
    assert 0.0 < made.value < made.upper_bound < math.inf
    assert not made.stopped
    assert children() == before


@pytest.mark.slow
def test_the_process_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Its standard input ends when the parent is killed, and then it ends too."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = [{str(Path(__file__).parents[1])!r}]\n"
        "from solvers.test_milp import in_a_process, large\n"
        "from spineq.progress import SilentProgress\n"
        "from spineq.solvers import _milp_process\n"
        "start = _milp_process.subprocess.Popen\n"
        "def told(*arguments, **words):\n"
        "    process = start(*arguments, **words)\n"
        "    print(process.pid, flush=True)\n"
        "    return process\n"
        "_milp_process.subprocess.Popen = told\n"
        "in_a_process(*large(700), SilentProgress())\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(1.0)
        assert (Path("/proc") / str(child)).exists()
        parent.kill()
    deadline = time.monotonic() + 10
    while (Path("/proc") / str(child)).exists():
        stat = (Path("/proc") / str(child) / "stat").read_text()
        if stat.rpartition(")")[2].split()[0] in "ZX":
            break
        assert time.monotonic() < deadline, "the process was left behind"
        time.sleep(0.05)


def test_an_error_in_the_process_is_told() -> None:
    """What goes wrong there comes back as a sentence; an error where no network is known."""
    objective, rules = large(20)

    @contextmanager
    def broken(data: Any) -> Iterator[Any]:
        with by_child({"site": data["site"]}) as messages:
            yield messages

    with pytest.warns(SpineqWarning, match="HiGHS failed: KeyError"):
        made = solved(objective, rules, broken, reduced=False)
    assert len(made.sites) == rules.n
    search = Search(objective, rules, Options(), SILENT)
    with pytest.raises(SolverError, match="HiGHS failed: KeyError"):
        milp.finish(search, milp.Left(), broken)


def test_the_same_every_time() -> None:
    """Twice the same problem: the same sites, value, bound and nodes."""
    objective, rules = large(80, 5)
    first, second = solved(objective, rules), solved(objective, rules)
    assert first.sites.tolist() == second.sites.tolist()
    assert (first.value, first.upper_bound, first.nodes) == (
        second.value, second.upper_bound, second.nodes,
    )  # fmt: skip


def test_effort_limits_the_nodes_and_the_bound_stays_honest() -> None:
    """With one node the gap may stay open; more effort never makes the bound worse."""
    objective, rules = large(120, 8, seed=11)
    little = solved(objective, rules, effort=1e-9, reduced=False)
    much = solved(objective, rules, reduced=False)
    assert little.nodes <= 1
    assert little.upper_bound >= much.value
    assert much.upper_bound - much.value <= PROVEN_GAP * much.upper_bound
    near = solved(objective, rules, gap_limit=0.05)
    assert (near.upper_bound - near.value) / near.upper_bound <= 0.05 + 1e-9


def test_a_start_is_checked_and_used() -> None:
    """It must keep the rules; the answer is never below it."""
    objective, rules = large(40, 4)
    with pytest.raises(ProblemError, match="no sensor may stand at site 99"):
        solved(objective, rules, start=np.array([99]))
    best = solved(objective, rules)
    again = solved(objective, rules, start=best.sites, effort=1e-9, reduced=False)
    assert again.value == best.value
