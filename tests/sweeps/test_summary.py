"""Figures and pictures of a sweep, from a table written by hand."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import spineq as sq
from spineq.errors import ProblemError
from spineq.sweeps import figures, summary

mpl.use("Agg")

SETS: dict[str, dict[str, Any]] = {
    "jobs": {"jobs": {"column": "workers"}},
    "both $": {"jobs": {"column": "workers"}, "young": {"ages": [0, 12], "weight": 3}},
}


def _result(thetas: tuple[float, ...] = (250.0, 500.0), **more: Any) -> sq.SweepResult:
    """Coverage of jobs rises with everything; networks for jobs give the young half as much."""
    rows: list[dict[str, Any]] = []
    for label, theta, n in itertools.product(SETS, thetas, (5, 10, 20)):
        jobs = (0.5 if label == "jobs" else 0.4) * (1 - np.exp(-n * theta / 5000))
        young = jobs / 2 if label == "jobs" else jobs
        value = jobs if label == "jobs" else (jobs + 3 * young) / 4
        rows.append(
            {
                "city": "here", "task": "optimise", "groups": label, "theta": theta,
                "n_sensors": n, "state": "finished", "of": "network", "value": value,
                "proven": n < 20, "coverage_jobs": jobs, "coverage_young": young,
                "report_error": "", "error": "",
            } | more
        )  # fmt: skip
    about = {"title": "Here", "unit": "m", "attribution": "Made up", "estimated": ["young"]}
    facts = {"sets": SETS, "titles": {"young": "The young"}, "cities": {"here": about}}
    table = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="number"))
    table["proven"] = table["proven"].astype("boolean")
    return sq.SweepResult(Path("nowhere"), table, None, facts)


def test_one_more_is_the_mean_gain() -> None:
    """Between two numbers of sensors, for each theta; a hole is stepped over."""
    values = pd.DataFrame(
        [[0.1, 0.2, 0.3], [0.2, np.nan, 0.35]], index=[250.0, 500.0], columns=[5, 10, 20]
    ).rename_axis("theta")
    gains = figures.gain_of_one_more(values)
    expected = [
        (250.0, 5, 10, 0.02), (250.0, 10, 20, 0.01), (500.0, 5, 20, 0.01),
    ]  # fmt: skip
    assert [tuple(row[:3]) for row in gains.to_numpy()] == [each[:3] for each in expected]
    assert list(gains["gain"]) == pytest.approx([each[3] for each in expected])
    with pytest.raises(ProblemError, match="one number of sensors"):
        figures.gain_of_one_more(values[[5]])


def test_regret_is_what_a_group_loses() -> None:
    """By hand: each column's own network against that of the row; weights count."""
    share = 1 - np.exp(-10 * 250 / 5000)
    table = figures.regret_table(_result(), theta=250, n_sensors=10)
    assert list(table.index) == list(table.columns) == list(SETS)
    jobs, both = list(SETS)
    assert table.to_numpy().diagonal() == pytest.approx([0, 0])
    # The network for jobs gives jobs 0.5 and the young 0.25; that for both gives 0.4 each.
    assert table.at[both, jobs] == pytest.approx((0.5 - 0.4) * share)
    assert table.at[jobs, both] == pytest.approx((0.4 - (0.5 + 3 * 0.25) / 4) * share)
    last = figures.regret_table(_result())
    assert last.at[both, jobs] == pytest.approx(0.1 * (1 - np.exp(-20 * 500 / 5000)))


def test_regret_of_a_real_sweep_is_what_evaluate_says() -> None:
    """The matrix of a table equals networks measured one by one."""
    city = sq.demo_city("synthetic", n_areas=50)
    groups = {
        label: {name: sq.Group.from_dict(each) for name, each in who.items()}
        for label, who in SETS.items()
    }
    nets = {label: sq.optimise(city, n_sensors=4, groups=who) for label, who in groups.items()}
    young = {"young": sq.Group(ages=(0, 12)), "jobs": sq.Group(column="workers")}
    rows = []
    for label, net in nets.items():
        judged = sq.evaluate(city, net.placement_history, groups=young, bound="none")
        covered = judged.group_coverage.to_series()
        rows.append(
            {
                "city": "here", "groups": label, "n_sensors": 4, "theta": 500.0, "of": "network",
                "state": "finished", "coverage_jobs": covered["jobs"],
                "coverage_young": covered["young"], "proven": net.proven,
            }
        )  # fmt: skip
    result = sq.SweepResult(Path("nowhere"), pd.DataFrame(rows), None, {"sets": SETS})
    table = figures.regret_table(result)
    for made_for, judged_for in itertools.product(SETS, SETS):
        ids, who = nets[made_for].placement_history, groups[judged_for]
        here = sq.evaluate(city, ids, groups=who, bound="none").total_coverage
        expected = nets[judged_for].total_coverage - here
        assert table.at[made_for, judged_for] == pytest.approx(expected, abs=1e-12)


def _words(ax: Any) -> str:
    ax.figure.canvas.draw()
    texts = [each.get_text() for each in ax.findobj(mpl.text.Text)]
    return " ".join(" ".join(texts).split())


@pytest.fixture(autouse=True)
def _closed() -> Any:
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_a_surface_is_lines_or_a_heat_map() -> None:
    """Few thetas are lines with a legend, many a map with numbers; both say what is not proven."""
    ax = summary.surface(_result())
    assert [line.get_label() for line in ax.get_lines()] == ["theta 250 m", "theta 500 m"]
    drawn = ax.get_lines()[1].get_ydata()
    assert drawn == pytest.approx(100 * 0.5 * (1 - np.exp(-np.array([5, 10, 20]) / 10)))
    words = _words(ax)
    assert "Here: coverage of jobs" in words
    assert "2 of 6 networks are not proven best" in words
    assert "Made up" in words
    many = summary.surface(_result((100.0, 200.0, 300.0, 400.0, 500.0)), group="young")
    assert len(many.images) == 1
    words = _words(many)
    assert "coverage of The young" in words
    assert "Estimated from split age bands: The young" in words
    assert f"{25 * (1 - np.exp(-2)):.1f}" in words


def test_pictures_of_gains_and_regret() -> None:
    """Steps for each theta; a matrix with its numbers, and labels as they are written."""
    ax = summary.one_more(_result(), groups="both $")
    assert len(ax.patches) == 2
    assert "one sensor more brings to both $" in _words(ax)
    words = _words(summary.regret(_result(), theta=250, n_sensors=10))
    assert "10 sensors, theta 250 m" in words
    assert f"{10 * (1 - np.exp(-0.5)):.1f}" in words
    # For matplotlib each tick has two names, below and above, or left and right.
    assert words.count("both $") == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"city": "York"}, "city 'York'"),
        ({"groups": "nobody"}, "groups 'nobody'"),
        ({"group": "old"}, "no group 'old'"),
        ({"where": {"method": "greedy"}}, "no word 'method'"),
    ],
)
def test_what_is_not_there_is_named(words: dict[str, Any], said: str) -> None:
    """With what there is."""
    with pytest.raises(ProblemError, match=said):
        summary.surface(_result(), **words)


def test_what_is_not_clear_is_asked() -> None:
    """Two networks at one place; none at all; one set of groups alone."""
    result = _result()
    twice = pd.concat([result.table.assign(method="greedy"), result.table.assign(method="auto")])
    both = sq.SweepResult(result.folder, twice, None, result.facts)
    with pytest.raises(ProblemError, match="same theta and sensors"):
        summary.surface(both)
    assert len(summary.surface(both, where={"method": "auto"}).get_lines()) == 2
    with pytest.raises(ProblemError, match="no network"):
        summary.surface(_result(state="failed"))
    with pytest.raises(ProblemError, match="different groups"):
        summary.regret(_result(groups="jobs"))
    with pytest.raises(ProblemError, match="theta 3"):
        summary.regret(_result(), theta=3)
