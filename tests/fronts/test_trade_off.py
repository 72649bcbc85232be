"""trade_off: the whole way from a city to a front."""

from __future__ import annotations

import itertools
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fronts.landscapes import best_of_all
from solvers.instances import city_of, straight_lines

import spineq as sq
from spineq import fronts
from spineq.errors import DataError, MissingExtraError, ProblemError, SpineqWarning
from spineq.fronts.landscape import landscape_of
from spineq.progress import RecordingProgress, SilentProgress

GROUPS = {
    "older": sq.Group(ages=(66, 90)),
    "young": sq.Group(ages=(0, 15)),
    "jobs": sq.Group(column="workers"),
}


def smallville(n: int = 30, seed: int = 0) -> Any:
    """City of areas strewn over 3 km, groups that live apart."""
    rng = np.random.default_rng(seed)
    residents = rng.integers(0, 100, (n, 3)) * rng.integers(0, 3, (n, 3)) + 1
    return city_of(rng.random((n, 2)) * 3000, residents, rng.integers(0, 400, n) + 1)


def coverage_of(city: Any, sites: list[str], front: Any) -> np.ndarray:
    """Coverage of the front's groups by a network, as `evaluate` has it."""
    problem = front.problem
    net = sq.evaluate(
        city, sites, theta=problem.theta, groups=dict(problem.groups), decay=problem.decay
    )
    return net.group_coverage.sel(group=list(front.groups)).to_numpy()


@pytest.fixture(scope="module")
def city() -> Any:
    return smallville()


@pytest.fixture(scope="module")
def front(city: Any) -> Any:
    return sq.trade_off(city, 5, 400, GROUPS, effort=0.2, size=40)


def test_the_front_is_what_it_says(city: Any, front: Any) -> None:
    """Each network has its sensors and the coverage that evaluate finds; none dominates another."""
    assert front.groups == ("jobs", "older", "young")
    assert front.n_networks == 40
    coverage = front.group_coverage.to_numpy()
    assert best_of_all(coverage).all()
    for number in range(front.n_networks):
        sites = front.network(number)
        assert len(set(sites)) == 5
        assert coverage_of(city, sites, front) == pytest.approx(coverage[number], abs=1e-12)


def test_the_archive_is_what_it_says(city: Any, front: Any) -> None:
    """Networks of the archive have the coverage said, and none dominates another."""
    archive = front.archive
    coverage = archive["coverage"].to_numpy()
    assert best_of_all(coverage).all()
    for number in range(0, len(coverage), max(1, len(coverage) // 25)):
        sites = front.archived(number)
        assert len(set(sites)) == 5
        assert coverage_of(city, sites, front) == pytest.approx(coverage[number], abs=1e-11)
        out, into = str(archive["out"][number].item()), str(archive["into"][number].item())
        assert (out == "") == (into == "")
        assert into == "" or into in sites
        assert out not in sites
    off = np.abs(front.group_coverage.to_numpy()[:, None, :] - coverage[None]).max(axis=2)
    assert off.min(axis=1).max() < 1e-11


def test_the_best_of_each_group_is_there(city: Any, front: Any) -> None:
    """For each group alone the archive is as good as optimise."""
    for name in front.groups:
        best = sq.optimise(city, n_sensors=5, theta=400, groups={name: GROUPS[name]})
        reached = float(front.archive["coverage"].sel(group=name).max())
        assert reached == pytest.approx(best.total_coverage, abs=1e-9)


def test_order_and_weight_of_groups_change_nothing(city: Any, front: Any) -> None:
    """Groups in another order and with other weights make the same front."""
    other = {
        name: sq.Group(ages=group.ages, column=group.column, weight=k + 2)
        for k, (name, group) in enumerate(reversed(GROUPS.items()))
    }
    assert sq.trade_off(city, 5, 400, other, effort=0.2, size=40) == front
    nobody = {**GROUPS, "nobody": sq.Group(ages=(16, 65), weight=0)}
    assert sq.trade_off(city, 5, 400, nobody, effort=0.2, size=40) == front


def test_a_smaller_front_is_the_beginning_of_a_larger(city: Any, front: Any) -> None:
    """The first networks are those that were chosen first."""
    small = sq.trade_off(city, 5, 400, GROUPS, effort=0.2, size=7)
    assert np.array_equal(small.group_coverage, front.group_coverage[:7])


def test_a_size_may_be_any_whole_number() -> None:
    """One of numpy's is JSON's afterwards."""
    problem = sq.Problem(3, groups=GROUPS)  # type: ignore[arg-type]
    made = fronts.checked(problem, size=np.int64(20))["size"]
    assert (made, type(made)) == (20, int)


def test_travel_costs_are_distances(city: Any) -> None:
    """With a table of straight-line distances the front is that of straight lines."""
    plain = sq.trade_off(city, 3, 400, GROUPS, effort=0.02, size=20)
    other = city.with_travel(straight_lines(city))
    table = sq.trade_off(other, 3, 400, GROUPS, effort=0.02, size=20)
    assert np.allclose(table.group_coverage, plain.group_coverage, atol=1e-12)


def test_kept_and_forbidden_sites(city: Any) -> None:
    """Sensors that stay count for coverage, and none is placed where it must not be."""
    sites = [str(name) for name in city.dataset["site"].to_numpy()]
    kept, forbidden = sites[:2], sites[2:10]
    made = sq.trade_off(city, 3, 400, GROUPS, keep=kept, forbid=forbidden, effort=0.02, size=15)
    for number in range(made.n_networks):
        placed = made.network(number)
        assert len(placed) == 3
        assert not set(placed) & {*kept, *forbidden}
        coverage = coverage_of(city, placed + kept, made)
        assert coverage == pytest.approx(made.group_coverage.to_numpy()[number], abs=1e-12)
    assert made.dataset.sizes["kept"] == 2


def test_lists_and_matrix_agree(city: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbourhood lists in place of the matrix leave the coverage as it is."""
    plain = sq.trade_off(city, 4, 100, GROUPS, effort=0.02, size=20)
    monkeypatch.setattr("spineq.solvers.coverage.DENSE_PAIRS", 0)
    fresh = city_of_same(city)
    listed = sq.trade_off(fresh, 4, 100, GROUPS, effort=0.02, size=20)
    assert np.allclose(
        listed.group_coverage.max("network"), plain.group_coverage.max("network"), atol=1e-3
    )
    for number in range(listed.n_networks):
        coverage = coverage_of(fresh, listed.network(number), listed)
        assert coverage == pytest.approx(listed.group_coverage.to_numpy()[number], abs=1e-12)


def city_of_same(city: Any) -> Any:
    """The city with a site moved by a millimetre, so that nothing kept is of it."""
    sites = city.sites.reset_index().rename(columns={"site": "site_id"})
    sites.loc[0, "x"] += 0.001
    return city.with_sites(sites)


def test_every_site_taken(city: Any) -> None:
    """As many sensors as sites leave one network."""
    small = smallville(6)
    made = sq.trade_off(small, 6, 400, GROUPS)
    assert made.n_networks == 1
    assert made.knee() == made.worst_best() == 0


def test_a_tolerance_is_proven(city: Any) -> None:
    """For two groups of a small city no network of all lies further beyond the archive."""
    small = smallville(11, 3)
    two = {name: GROUPS[name] for name in ("older", "jobs")}
    made = sq.trade_off(small, 3, 500, two, tolerance=0.001, effort=0.1)
    assert made.tolerance is not None
    assert made.tolerance <= 0.001
    land = landscape_of(small, made.problem, SilentProgress())
    assert land is not None
    every = np.array(
        [land.group_coverage(np.array(c)) for c in itertools.combinations(range(11), 3)]
    )
    archive = made.archive["coverage"].to_numpy()
    worst = (every[:, None, :] - archive[None]).max(axis=2).min(axis=1).max()
    assert worst <= made.tolerance + 1e-12
    assert "Proven" in made.summary()


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"groups": {"older": GROUPS["older"]}}, "groups"),
        ({"groups": {"older": GROUPS["older"], "no": sq.Group(ages=(0, 5), weight=0)}}, "groups"),
        ({"effort": 0}, "effort"),
        ({"effort": "much"}, "effort"),
        ({"size": 0}, "size"),
        ({"size": 2.5}, "size"),
        ({"size": True}, "size"),
        ({"size": np.int64(5001)}, "size"),
        ({"size": 10**5000}, "size"),
        ({"progress": 1}, "progress"),
        ({"progress": 0}, "progress"),
        ({"progress": []}, "progress"),
        ({"method": "magic"}, "method"),
        ({"tolerance": 0.001}, "tolerance"),
        ({"tolerance": 0, "groups": {k: GROUPS[k] for k in ("older", "jobs")}}, "tolerance"),
        ({"n_sensors": 31}, "n_sensors"),
        ({"theta": -1}, "theta"),
        ({"client": "tcp://127.0.0.1:1"}, "client"),
    ],
)
def test_refused(city: Any, words: dict[str, Any], field: str) -> None:
    """What cannot be is refused by name, before anything is computed."""
    given = {"n_sensors": 3, "theta": 400, "groups": GROUPS, **words}
    with pytest.raises(ProblemError) as refusal:
        sq.trade_off(city, **given)
    assert refusal.value.field == field


def test_a_group_that_the_city_lacks(city: Any) -> None:
    """A column that is not there is refused as the city's fault."""
    with pytest.raises(DataError):
        sq.trade_off(city, 3, 400, {**GROUPS, "homes": sq.Group(column="homes")})


def test_without_moocore(city: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where moocore is missing, the error says how to get it."""
    monkeypatch.setitem(__import__("sys").modules, "moocore", None)
    with pytest.raises(MissingExtraError, match=r"spineq\[front\]"):
        sq.trade_off(city, 3, 400, GROUPS)


def test_stopped_at_any_moment(city: Any) -> None:
    """A stop is obeyed soon, is marked, and leaves a front of what there was; fractions rise."""
    watcher = RecordingProgress()
    whole = sq.trade_off(city, 4, 400, GROUPS, effort=0.05, size=20, progress=watcher)
    assert not whole.stopped
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    sizes = []
    for after in [1, 2, 3, *range(5, len(fractions) - 30, max(1, len(fractions) // 8))]:
        made = sq.trade_off(
            smallville(), 4, 400, GROUPS, effort=0.05, size=20,
            progress=RecordingProgress(stop_after=after),
        )  # fmt: skip
        assert made.stopped
        assert made == sq.Front(made.dataset)
        assert made.summary()
        assert made.to_dict()["stopped"]
        sizes.append(made.n_networks)
    assert sizes[-1] > 1


@pytest.fixture(scope="module")
def newcastle(shared: Path) -> Any:
    with warnings.catch_warnings():
        # Two polygons are not valid, which is said of them and changes no sum.
        warnings.simplefilter("ignore", SpineqWarning)
        return sq.read_city(shared / "data" / "cities" / "E08000021")


@pytest.mark.slow
@pytest.mark.parametrize(("theta", "n"), [(500, 50), (250, 30), (100, 50)])
def test_published_fronts_are_dominated(shared: Path, newcastle: Any, theta: int, n: int) -> None:
    """All 200 published networks are dominated by one of ours, and none of ours by theirs."""
    path = shared / "data" / "published" / f"newcastle_theta{theta}_n{n}.csv"
    made = sq.trade_off(newcastle, n, theta)
    theirs = pd.read_csv(path)[list(made.groups)].to_numpy()
    ours = made.archive["coverage"].to_numpy()
    for row in theirs:
        assert ((ours >= row).all(axis=1) & (ours > row).any(axis=1)).any()
        assert not ((row >= ours).all(axis=1) & (row > ours).any(axis=1)).any()


@pytest.mark.slow
def test_hypervolume_of_newcastle(shared: Path, newcastle: Any) -> None:
    """55 sensors, theta 500: the best 200 beat the recorded lattice and the paper's settings."""
    recorded = json.loads((shared / "reference.json").read_text())["nsga2_paper_settings"]
    made = sq.trade_off(newcastle, 55, 500)
    assert made.hypervolume >= 0.1165 > recorded["hypervolume"]


@pytest.mark.slow
def test_newcastle_is_stopped_at_once(newcastle: Any) -> None:
    """Asked to stop at several moments, the search returns at once with what it has."""

    class Impatient:
        def __init__(self, fraction: float) -> None:
            self.fraction, self.asked = fraction, 0.0

        def report(self, fraction: float, *_: object) -> bool:
            if fraction >= self.fraction and not self.asked:
                self.asked = time.perf_counter()
            return bool(self.asked)

    took = []
    for fraction in (0.02, 0.06, 0.2, 0.5, 0.7, 0.92):
        watcher = Impatient(fraction)
        made = sq.trade_off(newcastle, 20, 500, progress=watcher)
        took.append(time.perf_counter() - watcher.asked)
        assert made.stopped
    # A quarter of a second is what `spineq jobs bench` measures against, on a quiet machine.
    assert sorted(took)[len(took) // 2] < 1.0


def test_version_is_a_number() -> None:
    """Stored answers are known by it."""
    assert isinstance(fronts.VERSION, int)
