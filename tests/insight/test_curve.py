"""The best coverage by number of sensors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import spineq as sq
from spineq.errors import ProblemError
from spineq.insight.curve import CoverageCurve
from spineq.progress import RecordingProgress


@pytest.fixture(scope="module")
def city() -> sq.City:
    """A small city."""
    return sq.demo_city("synthetic", n_areas=40)


def test_each_point_is_what_optimise_answers(city: sq.City) -> None:
    """With bound and proof; more sensors never cover less."""
    curve = sq.coverage_curve(city, numbers=[7, 1, 3, 3], theta=400)
    assert curve.table.index.tolist() == [1, 3, 7]
    for n, row in curve.table.iterrows():
        net = sq.optimise(city, n_sensors=n, theta=400)
        assert row["value"] == net.objective_value
        assert row["bound"] == net.upper_bound
        assert row["proven"] == net.proven
        assert row["pop_total"] == float(net.group_coverage.sel(group="pop_total"))
    assert curve.proven
    assert curve.fewest(curve.table["value"][3]) == 3
    assert curve.fewest(0.999999) is None
    assert "Each is proven" in curve.summary()
    assert curve.summary().startswith("1 sensor, placed best, covers ")


def test_numbers_by_themselves(city: sq.City) -> None:
    """From a twentieth to twice as many, no more than there are sites."""
    numbers = sq.coverage_curve(city, n_sensors=30, method="greedy").table.index
    assert numbers[0] == 2
    assert numbers[-1] == 40
    assert 30 in numbers
    assert sq.coverage_curve(city, n_sensors=1).table.index.tolist() == [1, 2]


def test_there_and_back(city: sq.City) -> None:
    """As JSON, also without bounds."""
    curve = sq.coverage_curve(city, numbers=[2, 4], bound="none", objective="worst")
    assert curve.table["bound"].isna().all()
    assert curve.unit_of_value == "worst"
    assert "For 2 numbers of sensors a better network may exist." in curve.summary()
    again = CoverageCurve.from_dict(json.loads(json.dumps(curve.to_dict(), allow_nan=False)))
    assert again.table.equals(curve.table)
    assert again.to_dict() == curve.to_dict()


def test_a_stop_leaves_the_smaller_numbers(city: sq.City) -> None:
    """Marked; even before the first."""
    for stop_after in (1, 30):
        watcher = RecordingProgress(stop_after=stop_after)
        curve = sq.coverage_curve(city, numbers=range(1, 30), progress=watcher)
        assert curve.stopped
        assert not curve.proven
        assert "stopped" in curve.summary()
        assert CoverageCurve.from_dict(curve.to_dict()).to_dict() == curve.to_dict()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"numbers": [0]}, "0 is not a number of sensors"),
        ({"numbers": [41]}, "41 is not a number of sensors for 40 sites"),
        ({"numbers": [1.5]}, "1.5 is not"),
        ({"numbers": "5"}, "numbers must be"),
        ({"numbers": []}, "no number"),
        ({"reach": {"pop_total": 0.4}}, "follows from something else"),
        ({"kinds": {"a": sq.Kind(100, 2)}}, "follows from something else"),
        ({}, "number of sensors is missing"),
    ],
)
def test_what_is_wrong_is_said(city: sq.City, words: dict[str, Any], said: str) -> None:
    """In one sentence."""
    with pytest.raises(ProblemError, match=said):
        sq.coverage_curve(city, **words)


def test_by_itself_no_more_than_the_rules_allow(city: sq.City) -> None:
    """Twice as many as were asked for may find no room: then fewer are looked at."""
    far = 0.45 * float(np.ptp(city.site_xy, axis=0).max())
    curve = sq.coverage_curve(city, n_sensors=4, min_spacing=far)
    assert 4 in curve.table.index
    assert curve.table.index.max() < 8
    with pytest.raises(ProblemError, match="can stand"):
        sq.coverage_curve(city, numbers=[3, 40], min_spacing=far)


def test_what_is_said_is_what_was_maximised(city: sq.City) -> None:
    """Beside those that stay; and best is only what is proven."""
    stay = list(city.dataset["site"].to_numpy()[:2])
    curve = sq.coverage_curve(city, numbers=[1, 2], keep=stay, objective="worst")
    said = curve.summary()
    assert said.startswith("1 sensor beside the 2 that stay, placed best, covers the worst-off")
    assert CoverageCurve.from_dict(curve.to_dict()).summary() == said
    drawn = sq.coverage_curve(city, numbers=[2, 3], method="random")
    assert drawn.summary().startswith("2 sensors, placed as well as was found, cover ")
    even = sq.coverage_curve(city, numbers=[2], aversion=2.0)
    assert "have an equally-distributed equivalent coverage of" in even.summary()


def test_what_is_no_curve_or_coverage_is_refused(city: sq.City) -> None:
    """Not with an error of some library."""
    curve = sq.coverage_curve(city, numbers=[2])
    for wrong in (None, "0.4", [0.4]):
        with pytest.raises(ProblemError):
            curve.fewest(wrong)  # type: ignore[arg-type]
    for made in (None, {}, {"points": 3}):
        with pytest.raises(ProblemError, match="no curve"):
            CoverageCurve.from_dict(made)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="numbers must be"):
        sq.coverage_curve(city, numbers=np.array(3))
