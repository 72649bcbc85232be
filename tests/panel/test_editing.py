"""Editing: sensors snap, steps can be undone, and what comes of it is what evaluate says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import spineq as sq
from spineq.errors import ProblemError
from spineq.panel.editing import Editor

CITY = sq.demo_city()
NET = sq.optimise(CITY, n_sensors=4, theta=500)


def test_a_moved_sensor_snaps_to_the_nearest_site() -> None:
    """A few metres beside a site is that site; its place in the order stays."""
    editor = Editor(CITY, NET)
    site = next(s for s in CITY.sites.index if s not in NET.placement_history)
    x, y = CITY.sites.loc[site, ["x", "y"]]
    editor.move(1, x + 3, y - 2)
    assert [placed.site for placed in editor.sensors][1] == site
    assert (editor.sensors[1].x, editor.sensors[1].y) == (x, y)
    assert editor.sensors[1].moved
    assert editor.measured().placement_history == [
        NET.placement_history[0], site, *NET.placement_history[2:],
    ]  # fmt: skip


def test_a_sensor_can_be_placed_freely() -> None:
    """Where distances are straight lines; then it is measured where it stands."""
    editor = Editor(CITY, NET)
    x, y = NET.sensors.loc[1, ["x", "y"]]
    editor.move(0, x + 37, y, freely=True)
    net = editor.measured()
    assert net.sensors.loc[1, "x"] == pytest.approx(x + 37)
    assert net.upper_bound is None
    with pytest.raises(ProblemError, match="stands at no site"):
        editor.improvement()


def test_two_sensors_cannot_stand_at_one_site() -> None:
    """Neither by moving nor by adding; nothing has changed then."""
    editor = Editor(CITY, NET)
    other = NET.sensors.loc[2]
    for act in (
        lambda: editor.move(0, other["x"], other["y"]),
        lambda: editor.add(other["x"], other["y"]),
    ):
        with pytest.raises(ProblemError, match="sensor 2 stands there already"):
            act()
    assert not editor.is_changed
    assert not editor.can_undo


def test_a_sensor_that_snaps_back_is_no_step() -> None:
    """A drag that ends where it began changes nothing."""
    editor = Editor(CITY, NET)
    x, y = NET.sensors.loc[1, ["x", "y"]]
    editor.move(0, x + 1, y + 1)
    assert not editor.can_undo


def test_improving_keeps_what_was_moved_and_starts_from_the_rest() -> None:
    """The improved network holds the moved sensors, and covers at least as much."""
    editor = Editor(CITY, NET)
    site = next(s for s in CITY.sites.index if s not in NET.placement_history)
    editor.move(0, *CITY.sites.loc[site, ["x", "y"]])
    problem = editor.improvement()
    assert problem.keep == (site,)
    assert problem.n_sensors == 3
    assert set(problem.start) == set(NET.placement_history[1:])
    better = sq.optimise(CITY, problem)
    assert site in better.placement_history
    assert better.n_sensors == 4
    assert better.total_coverage >= editor.measured().total_coverage - 1e-12


def test_without_a_sensor_left_there_is_nothing_to_improve() -> None:
    """Every sensor that was put by hand stays."""
    editor = Editor(CITY, sq.optimise(CITY, n_sensors=1, theta=500))
    site = next(s for s in CITY.sites.index if s != editor.sensors[0].site)
    editor.move(0, *CITY.sites.loc[site, ["x", "y"]])
    with pytest.raises(ProblemError, match="none left to improve"):
        editor.improvement()


def test_existing_sensors_that_stay_are_not_edited() -> None:
    """Of a network beside existing ones, those that were placed can be moved."""
    here = CITY.sites.iloc[[3, 9]][["x", "y"]]
    city = CITY.with_existing(here.reset_index(drop=True))
    net = sq.optimise(city, n_sensors=3, theta=500, keep="existing")
    editor = Editor(city, net)
    assert len(editor.sensors) == 3
    site = next(s for s in city.sites.index if s not in net.placement_history)
    editor.move(0, *city.sites.loc[site, ["x", "y"]])
    assert editor.measured().n_kept == 2
    problem = editor.improvement()
    assert set(problem.keep) == {site, *city.sites.index[[3, 9]]}
    assert sq.optimise(city, problem).n_sensors == 5


class Edits(RuleBasedStateMachine):
    """Against a plain list of the states that were."""

    @initialize()
    def begin(self) -> None:
        """Begin with a network of four."""
        self.editor = Editor(CITY, NET)
        self.past, self.future = [self.editor.sensors], []

    def _done(self, act: object) -> None:
        before = self.editor.sensors
        try:
            act()  # type: ignore[operator]
        except ProblemError:
            assert self.editor.sensors == before
            return
        if self.editor.sensors != before:
            self.past.append(self.editor.sensors)
            self.future = []

    @rule(sensor=st.integers(-1, 6), site=st.integers(0, 189))
    def move(self, sensor: int, site: int) -> None:
        """Move a sensor, which may not exist, to a site, which may be taken."""
        self._done(lambda: self.editor.move(sensor, *CITY.site_xy[site]))

    @rule(site=st.integers(0, 189))
    def add(self, site: int) -> None:
        """Add a sensor."""
        self._done(lambda: self.editor.add(*CITY.site_xy[site]))

    @rule(sensor=st.integers(-1, 6))
    def delete(self, sensor: int) -> None:
        """Delete a sensor."""
        self._done(lambda: self.editor.delete(sensor))

    @rule()
    def undo(self) -> None:
        """Take a step back."""
        self.editor.undo()
        if len(self.past) > 1:
            self.future.append(self.past.pop())

    @rule()
    def redo(self) -> None:
        """Take it again."""
        self.editor.redo()
        if self.future:
            self.past.append(self.future.pop())

    @invariant()
    def it_is_as_the_list_says(self) -> None:
        """Sensors, and whether there is a step to take either way."""
        assert self.editor.sensors == self.past[-1]
        assert self.editor.can_undo == (len(self.past) > 1)
        assert self.editor.can_redo == bool(self.future)
        assert len({(s.x, s.y) for s in self.editor.sensors}) == len(self.editor.sensors)


TestEdits = Edits.TestCase
TestEdits.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)


def test_measuring_is_what_evaluate_says() -> None:
    """Bit for bit, under the network's own problem."""
    editor = Editor(CITY, NET)
    editor.delete(2)
    wanted = sq.evaluate(CITY, [p.site for p in editor.sensors], replace(NET.problem, bound="none"))
    assert editor.measured() == wanted
