"""Equity of a network: groups against their own best, tenths of people, words and picture."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solvers.instances import cities, city_of

import spineq as sq
from spineq.errors import DataError, MissingColumnError, ProblemError
from spineq.inequality import Equity, _alone
from spineq.progress import RecordingProgress

GROUPS = {
    "old": sq.Group(ages=(66, 90), title="Older <residents> $x$"),
    "jobs": sq.Group(column="workers", title="Jobs"),
}
COLUMNS = ["group", "decile", "people", "lowest", "highest", "coverage"]


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=6, theta=700, groups=GROUPS, method="exchange")


@pytest.fixture(scope="module")
def report(net: sq.Network, city: sq.City) -> Equity:
    return sq.equity(net, city, by="workers")


# ---------------------------------------------------------------------------- own best


def test_own_best_is_the_answer_for_the_group_alone(
    report: Equity, net: sq.Network, city: sq.City
) -> None:
    """Each group's best is what optimise finds for it; the network reaches a share of that."""
    table = report.groups
    # Workers are "jobs" here, under the user's own name.
    assert sorted(table.index) == ["jobs", "old", "pop_children", "pop_total"]
    for name, row in table.iterrows():
        group = (GROUPS | dict(sq.GROUPS))[name]
        alone = sq.optimise(city, n_sensors=6, theta=700, groups={name: group})
        assert row["own best"] == alone.total_coverage
        assert row["own bound"] == alone.upper_bound
        assert row["proven"] == alone.proven
        assert row["coverage"] == float(net.group_coverage.sel(group=name))
        assert row["share of own best"] == row["coverage"] / row["own best"]
    assert (table["share of own best"] <= 1).all()
    assert (table["share of own best"] < 0.99).any()
    assert not report.stopped
    assert report.worst_group == table.loc[["jobs", "old"], "coverage"].idxmin()
    assert (report.gini_areas, report.gini_people) == (net.gini_areas, net.gini_people)
    assert report.worst_tenth == net.worst_tenth


def test_own_best_keeps_the_rules(city: sq.City) -> None:
    """What may not be used for all may not be used for one either."""
    free = sq.optimise(city, n_sensors=2, method="greedy")
    problem = sq.Problem(n_sensors=2, method="greedy", forbid=tuple(free.placement_history))
    alone = _alone(problem, city, "jobs", sq.Group(column="workers", weight=3), 2)
    assert alone.forbid == problem.forbid
    assert alone.method == "auto"
    assert alone.group_weights == {"jobs": 1.0}
    one = city_of([[0, 0]])
    assert _alone(sq.Problem(n_sensors=4), one, "jobs", GROUPS["jobs"], 1).n_sensors == 1


@settings(max_examples=10)
@given(city=cities(max_areas=5), n=st.integers(1, 2))
def test_the_best_network_of_one_group_has_all_of_its_best(city: sq.City, n: int) -> None:
    """The share of a network made for one group alone is 1, and no share is above it."""
    net = sq.optimise(city, n_sensors=min(n, city.n_sites), theta=800)
    table = sq.equity(net, city).groups
    assert table.loc["pop_total", "share of own best"] == pytest.approx(1.0, abs=1e-12)
    assert (table["share of own best"].dropna() <= 1.0 + 1e-12).all()


def test_without_looking_for_bests(net: sq.Network, city: sq.City) -> None:
    """Without them there are no shares, and nothing is solved."""
    report = sq.equity(net, city, own_best=False)
    assert report.groups["own best"].isna().all()
    assert report.groups["share of own best"].isna().all()
    assert not report.groups["proven"].any()
    assert "best" not in report.summary()
    assert report.deciles.empty
    assert list(report.deciles.columns) == COLUMNS


def test_a_network_of_places_may_beat_every_site(city: sq.City) -> None:
    """Places that are no sites are held against the best sites, without being called worse."""
    home = city_of([[0, 0], [1000, 0]])
    given_net = sq.evaluate(home.with_sites(pd.DataFrame({"x": [401_000], "y": [505_000]})), ["A0"])
    assert given_net.n_sensors == 1
    with pytest.raises(DataError, match="not for this"):
        sq.equity(given_net, city)
    free = home.with_sites(pd.DataFrame({"x": [401_000], "y": [502_000]}))
    report = sq.equity(sq.evaluate(free, np.array([[400_000.0, 500_000.0]])), free)
    assert report.groups.loc["pop_total", "share of own best"] > 1


def test_watching_and_stopping(net: sq.Network, city: sq.City) -> None:
    """Fractions rise to 1; stopped, the groups that are left have no best, and it is said."""
    watcher = RecordingProgress()
    whole = sq.equity(net, city, progress=watcher)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert fractions.count(1.0) == 1
    early = sq.equity(net, city, progress=RecordingProgress(1))
    assert early.stopped
    assert early.groups["own best"].isna().sum() == 3
    assert "stopped early" in early.summary()
    assert "stopped early" not in whole.summary()
    json.dumps(early.to_dict(), allow_nan=False)


# ---------------------------------------------------------------------------- tenths


def test_tenths_add_up(report: Equity) -> None:
    """Ten tenths a group, as many people in each, and their mean is the group's coverage."""
    table = report.deciles
    assert list(table.columns) == COLUMNS
    assert report.by == "workers"
    for name, row in report.groups.iterrows():
        tenths = table[table["group"] == name]
        assert tenths["decile"].tolist() == list(range(1, 11))
        np.testing.assert_allclose(tenths["people"], row["people"] / 10)
        assert tenths["coverage"].mean() == pytest.approx(row["coverage"], abs=1e-12)
        assert (tenths["highest"].to_numpy()[:-1] <= tenths["lowest"].to_numpy()[1:]).all()


def test_tenths_by_a_series(net: sq.Network, city: sq.City, report: Equity) -> None:
    """A Series by area id in any order is the same as the column, under its own name."""
    column = city.to_frame().set_index("area_id")["workers"].rename("Jobs here")
    made = sq.equity(net, city, by=column.sample(frac=1.0, random_state=0), own_best=False)
    assert made.by == "Jobs here"
    pd.testing.assert_frame_equal(made.deciles, report.deciles)
    # A rank may be below zero, which a column of a city may not.
    turned = sq.equity(net, city, by=-column, own_best=False).deciles
    first = turned[turned["decile"] == 1].set_index("group")["coverage"]
    last = report.deciles[report.deciles["decile"] == 10].set_index("group")["coverage"]
    np.testing.assert_allclose(first, last, atol=1e-12)
    assert sq.equity(net, city, by=column.rename(None), own_best=False).by == "the value"


def test_the_population_may_be_the_column(net: sq.Network, city: sq.City) -> None:
    """Residents count as a column too."""
    table = sq.equity(net, city, by="population", own_best=False).deciles
    residents = city.people(sq.Group(ages=(0, 90))).values
    assert table["highest"].max() == residents.max()


def test_what_is_no_column(net: sq.Network, city: sq.City) -> None:
    """A column that is not there, and a Series with gaps, are refused by name."""
    column = city.to_frame().set_index("area_id")["workers"]
    area = column.index[3]
    with pytest.raises(MissingColumnError, match="no column 'income'"):
        sq.equity(net, city, by="income")
    with pytest.raises(ProblemError, match=f"area '{area}' has no finite number"):
        sq.equity(net, city, by=column.drop(area))
    with pytest.raises(ProblemError, match=f"area '{area}' has no finite number"):
        sq.equity(net, city, by=column.astype(object).where(column.index != area, "many"))
    with pytest.raises(ProblemError, match="has two values"):
        sq.equity(net, city, by=pd.concat([column, column[:1]]))
    with pytest.raises(ProblemError, match="no column and no Series"):
        sq.equity(net, city, by=3)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"network": 5}, "network"),
        ({"network": None}, "network"),
        ({"network": sq.Network}, "network"),
        ({"city": 5}, "city"),
        ({"own_best": "no"}, "own_best"),
        ({"own_best": math.nan}, "own_best"),
        ({"own_best": np.array([True, False])}, "own_best"),
        ({"progress": 5}, "progress"),
        ({"progress": ""}, "progress"),
    ],
)
def test_what_is_no_network_city_truth_or_watcher(
    net: sq.Network, city: sq.City, words: dict[str, Any], field: str
) -> None:
    """Refused by name, before anything is solved."""
    with pytest.raises(ProblemError, match=" not ") as caught:
        sq.equity(**{"network": net, "city": city, **words})
    assert caught.value.field == field
    assert caught.value.mend


def test_a_truth_of_numpy_s_is_one(net: sq.Network, city: sq.City) -> None:
    """``own_best`` may come from a comparison of arrays."""
    assert sq.equity(net, city, own_best=np.False_).groups["own best"].isna().all()


# ---------------------------------------------------------------------------- words, picture


def test_one_sensor_covers(city: sq.City) -> None:
    """The verb follows the number of sensors that are placed."""
    sites = list(city.sites.index[:4])
    for n, keep, words in (
        (1, [], "1 sensor in San Francisco covers people."),
        (1, sites[:2], "1 sensor beside the 2 that stay in San Francisco covers people."),
        (2, [], "2 sensors in San Francisco cover people."),
    ):
        net = sq.evaluate(city, sites[-n:], keep=keep)
        first = sq.equity(net, city, own_best=False).summary().splitlines()[0]
        assert first == f"How evenly {words}"


def test_summary(report: Equity) -> None:
    """Every group has its line, with its share and its tenths."""
    lines = report.summary().splitlines()
    assert lines[0] == "How evenly 6 sensors in San Francisco cover people."
    jobs = report.groups.loc["jobs"]
    assert (
        f"Jobs: coverage {100 * jobs['coverage']:.1f} %, {100 * jobs['share of own best']:.1f} % "
        f"of the best that the group could have alone ({100 * jobs['own best']:.1f} %)."
    ) in lines
    assert sum(line.startswith("By workers: of ") for line in lines) == 4
    assert any("Gini" in line for line in lines)
    assert "nan" not in report.summary()
    assert repr(report).startswith("<Equity of <Network of 6 sensors in San Francisco")


def test_a_best_that_is_not_proven(report: Equity) -> None:
    """Nothing is called the best that a group could have unless that is proven."""
    groups = report.groups.assign(proven=False)
    groups["own bound"] = groups["own best"] * 1.01
    unsure = Equity(report.network, groups, report.deciles, report.by, stopped=False).summary()
    assert unsure.count("of the best found for the group alone (") == 4
    assert unsure.count(", at most ") == 4
    assert "could have alone (" not in unsure


def test_dictionary_is_json(report: Equity) -> None:
    """The description is of JSON's types and has every figure."""
    made = report.to_dict()
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert len(made["deciles"]) == len(report.deciles)
    assert made["groups"]["jobs"]["own best"] == report.groups.loc["jobs", "own best"]
    assert not math.isnan(made["gini_areas"])


def test_picture_of_tenths(report: Equity, net: sq.Network, city: sq.City, tmp_path: Path) -> None:
    """One line a group with its ten points; names with dollars and brackets are text."""
    ax = sq.plot.deciles(report)
    assert len(ax.lines) == len(report.groups)
    for line, (name, row) in zip(ax.lines, report.groups.iterrows(), strict=True):
        tenths = report.deciles[report.deciles["group"] == name]
        np.testing.assert_array_equal(line.get_xdata(), tenths["decile"])
        np.testing.assert_allclose(line.get_ydata(), 100 * tenths["coverage"])
        assert str(row["title"]) in line.get_label()
    assert "workers" in ax.get_xlabel()
    assert "coverage by workers, 6 sensors" in " ".join(ax.get_title().split())
    sq.plot.save(ax, tmp_path / "tenths.png")
    assert (tmp_path / "tenths.png").stat().st_size > 10_000
    own = mpl.pyplot.subplots()[1]
    assert sq.plot.deciles(report, ax=own) is own
    mpl.pyplot.close(own.figure)
    with pytest.raises(ProblemError, match="no column was named"):
        sq.plot.deciles(sq.equity(net, city, own_best=False))


@pytest.mark.parametrize("given", [5, None, Equity], ids=repr)
def test_what_is_no_report_is_not_drawn(given: Any) -> None:
    """Tenths are those of a report."""
    with pytest.raises(ProblemError, match="a report on equity is needed, not") as caught:
        sq.plot.deciles(given)
    assert caught.value.field == "report"
