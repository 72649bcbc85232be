"""Random networks: the draw, what they cover, and their file."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import spineq as sq
from spineq.errors import DataError, NetworkFileError, ProblemError
from spineq.model.baseline import baseline_from_bytes
from spineq.progress import RecordingProgress

GROUPS = {"older": sq.Group(ages=(66, 90), weight=2), "jobs": sq.Group(column="workers")}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=60)


@pytest.fixture(scope="module")
def made(city: sq.City) -> sq.Baseline:
    return sq.random_networks(city, 5, 400, GROUPS, n_networks=300, seed=7)


def _same(city: sq.City, made: sq.Baseline, number: int, **words: Any) -> None:
    net = sq.evaluate(city, made.network(number), theta=made.problem.theta, bound="none", **words)
    assert abs(net.total_coverage - float(made.total_coverage[number])) < 1e-12
    difference = net.group_coverage - made.group_coverage[number]
    assert set(net.group_coverage["group"].to_numpy()) == set(made.groups)
    assert float(abs(difference).max()) < 1e-12


def test_each_network_covers_what_evaluate_says(city: sq.City, made: sq.Baseline) -> None:
    """To 1e-12, for the weighted mean and every reported group; also with other rules."""
    for number in (0, made.best(), made.best("jobs"), made.n_networks - 1):
        _same(city, made, number, groups=GROUPS)
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    kept = sq.random_networks(
        city, 3, 300, GROUPS, n_networks=20, decay="gaussian", keep=ids[:2], forbid=ids[2:50]
    )
    for number in range(20):
        assert set(kept.network(number)) <= set(ids[50:])
        _same(city, kept, number, groups=GROUPS, decay="gaussian", keep=ids[:2])


def test_travel_costs_count_as_they_do_elsewhere(city: sq.City) -> None:
    """A pair that is not in the table is out of reach; theta has to be told."""
    ids = [str(site) for site in city.dataset["site"].to_numpy()]
    pairs = pd.DataFrame(itertools.product(ids, ids[::2]), columns=["site", "area"])
    cost = [float(abs(ids.index(a) - ids.index(b))) for a, b in pairs.to_numpy()]
    timed = city.with_travel(pairs.assign(cost=cost), unit="minutes")
    made = sq.random_networks(timed, 4, 10, n_networks=10)
    for number in range(10):
        _same(timed, made, number)
    with pytest.raises(ProblemError, match="minutes"):
        sq.random_networks(timed, 4)


def test_a_draw_is_its_seed(city: sq.City, made: sq.Baseline) -> None:
    """The same seed gives the same networks, more of them begin with the fewer; another others."""
    again = sq.random_networks(city, 5, 400, GROUPS, n_networks=300, seed=7)
    assert again == made
    few = sq.random_networks(city, 5, 400, GROUPS, n_networks=20, seed=7)
    assert [few.network(k) for k in range(20)] == [made.network(k) for k in range(20)]
    other = sq.random_networks(city, 5, 400, GROUPS, n_networks=300, seed=8)
    assert other != made


def test_every_site_is_as_likely_as_any_other(city: sq.City) -> None:
    """No site stands twice in a network; how often each is drawn is a matter of chance alone."""
    made = sq.random_networks(city, 6, n_networks=4000)
    nets = [made.network(k) for k in range(made.n_networks)]
    assert all(len(set(net)) == 6 for net in nets)
    counts = pd.Series(list(itertools.chain(*nets))).value_counts()
    assert len(counts) == city.n_sites
    # 4000 networks, each holding a site with chance 1 in 10: within five deviations.
    assert (abs(counts - 400) < 5 * np.sqrt(4000 * 0.1 * 0.9)).all()


def test_figures_over_the_networks(made: sq.Baseline) -> None:
    """Mean, quantiles and best are those of the table."""
    table = made.table()
    assert table.shape == (300, 1 + len(made.groups))
    assert made.mean()["jobs"] == pytest.approx(table["jobs"].mean())
    quantiles = made.quantiles([0.0, 0.5, 1.0])
    assert quantiles["total"].iloc[-1] == table["total"].max() == table["total"][made.best()]
    assert table["older"][made.best("older")] == table["older"].max()
    described = made.to_dict()
    assert described["total"]["best"] == table["total"].max()
    assert described["best_network"] == made.network(made.best())
    assert "300 random networks of 5 sensors" in made.summary()
    weights = made.dataset["group_weight"].to_series()
    assert weights["older"] == pytest.approx(2 / 3)
    assert weights["pop_total"] == 0


def test_the_file_brings_it_back(made: sq.Baseline, tmp_path: Path) -> None:
    """Exactly; damage is noticed, and another kind of file refused."""
    path = made.to_netcdf(tmp_path / "baseline.nc")
    assert sq.read_baseline(path) == made
    content = bytearray(made.to_bytes())
    assert baseline_from_bytes(bytes(content)) == made
    content[len(content) // 2] ^= 1
    with pytest.raises(NetworkFileError, match="damaged or changed"):
        baseline_from_bytes(bytes(content))
    with pytest.raises(NetworkFileError, match="not a network"):
        sq.read_network(path)


def test_a_stop_keeps_what_there_is(city: sq.City) -> None:
    """Networks so far, marked; none at all where it is stopped before the first."""
    progress = RecordingProgress(stop_after=4)
    made = sq.random_networks(city, 5, n_networks=500_000, progress=progress)
    assert made.stopped
    assert 0 < made.n_networks < 500_000
    assert "stopped early" in made.summary()
    few = sq.random_networks(city, 5, n_networks=10, seed=0)
    assert made.network(3) == few.network(3)
    none = sq.random_networks(
        sq.demo_city("synthetic", n_areas=61), 5, n_networks=10,
        progress=RecordingProgress(stop_after=1),
    )  # fmt: skip
    assert none.n_networks == 0
    assert baseline_from_bytes(none.to_bytes()) == none
    assert none.to_dict()["total"]["mean"] is None
    with pytest.raises(ProblemError, match="empty"):
        none.best()


def test_it_reports_often_enough(city: sq.City) -> None:
    """A report for every piece of work, and fractions that only rise."""
    progress = RecordingProgress()
    sq.random_networks(city, 20, n_networks=20_000, progress=progress)
    shares = [report.fraction for report in progress.reports]
    assert len(shares) > 10
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"n_networks": 0}, "n_networks"),
        ({"n_networks": True}, "n_networks"),
        ({"n_networks": 10**7}, "n_networks"),
        ({"n_networks": 2.5}, "n_networks"),
        ({"seed": -1}, "seed"),
        ({"theta": -3}, "theta"),
        ({"n_sensors": 99}, "n_sensors"),
        ({"decay": "magic"}, "decay"),
        ({"forbid": ["nowhere"]}, "forbid"),
    ],
)
def test_what_is_bad_is_refused(city: sq.City, words: dict[str, Any], field: str) -> None:
    """By name."""
    with pytest.raises(ProblemError) as refusal:
        sq.random_networks(city, **{"n_sensors": 5, **words})
    assert refusal.value.field == field


def test_data_that_is_missing_is_named(city: sq.City, made: sq.Baseline) -> None:
    """A group without data; a network, a level or a group that does not exist."""
    with pytest.raises(DataError, match="homes"):
        sq.random_networks(city, 5, groups={"homes": sq.Group(column="homes")})
    wrongs: list[Any] = [-1, 300, True, "first"]
    for wrong in wrongs:
        with pytest.raises(ProblemError, match="no network"):
            made.network(wrong)
    with pytest.raises(ProblemError, match="levels"):
        made.quantiles([1.5])
    with pytest.raises(ProblemError, match="no group"):
        made.best("nobody")
