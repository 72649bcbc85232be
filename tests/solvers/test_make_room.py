"""With a budget or a spacing: moves that are no swap of one for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solvers.instances import allowed_networks, apart_of, objectives, rules_for, value_of

from spineq.progress import RecordingProgress, SilentProgress
from spineq.solvers import exchange as exchange_module
from spineq.solvers.coverage import Coverage
from spineq.solvers.exchange import exchange
from spineq.solvers.greedy import greedy
from spineq.solvers.make_room import WORK, make_room, tries_for
from spineq.solvers.objective import Objective
from spineq.solvers.rules import Options, Prices, Regions, Rules

SILENT = SilentProgress()


def three(worths: list[float], costs: list[float], budget: float) -> tuple[Objective, Rules]:
    """Sites that share no point, with what each is worth and costs."""
    objective = Objective(Coverage.from_matrix(np.diag(worths)), np.ones(len(worths)))
    return objective, Rules(len(worths), prices=Prices(np.array(costs), budget))


@pytest.mark.parametrize(
    ("before", "after", "dear"), [([0], [1, 2], 3.0), ([1, 2], [0], 5.0)], ids=["two", "one"]
)
def test_one_for_two_and_two_for_one(before: list[int], after: list[int], dear: float) -> None:
    """Where no swap can be paid for or helps, the dear one and the cheap two change places."""
    objective, rules = three([dear, 2.0, 2.0], [2.0, 1.0, 1.0], 2.0)
    sites, left, stopped = make_room(objective, rules, np.array(before), 5, SILENT)
    assert sorted(sites) == after
    assert left < 5
    assert not stopped


def test_a_sensor_goes_for_good() -> None:
    """A sensor whose money buys more elsewhere goes, and does not come back at once."""
    # Site 0 fills the budget; nothing that is left may be opened together with 1 and 2.
    objective, rules = three([4.0, 3.0, 3.0], [2.0, 1.0, 1.0], 2.0)
    assert greedy(objective, rules, Options(), SILENT).value == 6.0
    sites, _, _ = make_room(objective, rules, np.array([0]), 5, SILENT)
    assert value_of(objective, sites) == 6.0


def test_without_tries_nothing_changes() -> None:
    """The number of tries is kept to, and depends on the effort and on the number of pairs."""
    objective, rules = three([3.0, 2.0, 2.0], [2.0, 1.0, 1.0], 2.0)
    start = np.array([0])
    assert make_room(objective, rules, start, 0, SILENT) == (start, 0, False)
    assert tries_for(objective, 1.0) == WORK // 18
    assert tries_for(objective, 0.5) == WORK // 36
    assert tries_for(objective, 1e-12) == 10


@given(data=st.data())
def test_rules_are_kept_and_nothing_is_lost(data: st.DataObject) -> None:
    """From any allowed network: another one that is allowed and better, or the same one."""
    objective = data.draw(objectives(max_sites=7, kept=True))
    others = data.draw(st.sets(st.sampled_from(["regions", "spacing"])))
    rules = data.draw(rules_for(objective, {"budget", *others}))
    networks = allowed_networks(objective, rules)
    if not networks:
        return
    start = data.draw(st.sampled_from(networks))
    sites, _, stopped = make_room(objective, rules, start, 50, SILENT)
    assert not stopped
    assert rules.broken_by(sites) == ""
    assert objective.usable_sites[sites].all()
    if sites is not start:
        assert value_of(objective, sites) > value_of(objective, start)


def test_neighbours_and_regions_are_respected() -> None:
    """A newcomer drives out those too near to it, and no region's last sensor that must stay."""
    objective = Objective(Coverage.from_matrix(np.diag([9.0, 2.0, 2.0, 1.0])), np.ones(4))
    prices = Prices(np.array([2.0, 1.0, 1.0, 0.5]), 2.5)
    regions = Regions(np.array([0, 0, 0, 1]), np.array([4, 4]), np.array([0, 1]))
    rules = Rules(4, regions, prices, apart_of([(0, 1)], 4))
    sites, _, _ = make_room(objective, rules, np.array([1, 2, 3])[[0, 2]], 20, SILENT)
    assert sorted(sites) == [0, 3]


def test_stops() -> None:
    """Stopped after any report, the network so far comes back, no worse than it was."""
    generator = np.random.default_rng(0)
    objective = Objective(Coverage.from_matrix(generator.random((20, 30))), generator.random(30))
    rules = Rules(20, prices=Prices(generator.integers(1, 9, 20).astype(float), 14.0))
    start = np.flatnonzero(np.cumsum(rules.prices.cost) <= 14.0)
    # The transpose is made once: the first run has more to report than the later ones.
    make_room(objective, rules, start, 30, SILENT)
    watcher = RecordingProgress()
    whole, _, _ = make_room(objective, rules, start, 30, watcher)
    assert value_of(objective, whole) > value_of(objective, start)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1.0
    for stop_after in range(1, len(fractions) + 1):
        found, _, stopped = make_room(objective, rules, start, 30, RecordingProgress(stop_after))
        assert stopped
        assert value_of(objective, found) >= value_of(objective, start)
        assert rules.broken_by(found) == ""


def test_exchange_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some random instance is solved better by making room than without."""
    better = 0
    for seed in range(12):
        generator = np.random.default_rng(seed)
        objective = Objective(Coverage.from_matrix(generator.random((25, 30)) ** 4), np.ones(30))
        rules = Rules(25, prices=Prices(generator.integers(1, 9, 25).astype(float), 20.0))
        least = greedy(objective, rules, Options(), SILENT).value
        more = exchange(objective, rules, Options(), SILENT)
        with monkeypatch.context() as patch:
            patch.setattr(exchange_module, "tries_for", lambda *_: 0)
            some = exchange(objective, rules, Options(), SILENT)
        assert least <= some.value <= more.value
        better += some.value < more.value
    assert better


def test_those_too_near_make_room() -> None:
    """One in the middle goes for two beside it, which no swap of one for one can do."""
    # Sites 1 and 2 may stand together, and neither beside 0, which greedy takes first.
    objective = Objective(Coverage.from_matrix(np.diag([3.0, 2.0, 2.0])), np.ones(3))
    rules = Rules(2, apart=apart_of([(0, 1), (0, 2)], 3))
    assert greedy(objective, rules, Options(), SILENT).value == 3.0
    assert exchange(objective, rules, Options(), SILENT).value == 4.0
