"""The bench of scale: the cities it makes, its clock, and a run in a process of its own."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from click.testing import CliRunner

from spineq.bench_scale import Instance, Stopwatch, city_of, run
from spineq.cli import cli
from spineq.errors import SpineqError


def test_a_city_has_the_points_and_sites_that_were_asked_for() -> None:
    """Points an area and sites are as many as asked, near the areas, and the same each time."""
    instance = Instance(40, 2, 5, 500.0, points=3, sites=25)
    city, again = city_of(instance), city_of(instance)
    assert (city.n_areas, city.n_points, city.n_sites) == (40, 120, 25)
    np.testing.assert_array_equal(city.point_xy, again.point_xy)
    np.testing.assert_array_equal(city.site_xy, again.site_xy)
    plain = city_of(Instance(40, 2, 5, 500.0))
    assert (plain.n_points, plain.n_sites) == (40, 40)
    away = city.point_xy - np.repeat(plain.point_xy, 3, axis=0)
    assert 0 < np.hypot(*away.T).max() < 1_000


def test_the_stopwatch_tells_silence_from_standing_still() -> None:
    """A report ends a silence; only a new fraction, value or bound ends standing still."""
    watch = Stopwatch()
    watch.report(0.1, "here")
    for _ in range(3):
        time.sleep(0.02)
        assert watch.report(0.1, "there") is False
    watch.report(0.1, "there", 0.5)
    assert watch.still >= 0.06 > watch.silence >= 0.02


@pytest.mark.slow
def test_an_instance_is_solved_in_a_process_of_its_own() -> None:
    """The command prints what came of it, and a process that fails says why."""
    given = ["--areas", "300", "-n", "5", "--points", "2", "--sites", "60", "--json"]
    found = CliRunner().invoke(cli, ["bench", "scale", *given])
    (row,) = json.loads(found.output)
    assert row["instance"]["sites"] == 60
    assert 0.0 < row["value"] <= row["bound"] <= 1.0
    assert row["gap"] == pytest.approx(1 - row["value"] / row["bound"], abs=1e-9)
    assert row["megabytes"] > 50
    assert 0.0 < row["silence"] < row["seconds"]
    with pytest.raises(SpineqError, match="n_sensors"):
        run(Instance(300, 1, 301, 500.0))
