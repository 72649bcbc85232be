"""The recipe: published figures, laws, evaluating, stopping, progress."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from solvers.instances import cities, city_of, straight_lines

import spineq as sq
from spineq import instance, solve
from spineq.errors import (
    DataError,
    MissingColumnError,
    NotANumberError,
    ProblemError,
    SpineqWarning,
    UnknownSensorError,
)
from spineq.progress import RecordingProgress
from spineq.solvers import coverage as coverage_module

METHODS = ("greedy", "exchange", "random")


@pytest.fixture(scope="module")
def newcastle(shared: Path) -> sq.City:
    with warnings.catch_warnings():
        # Two polygons are not valid, which is said of them and changes no sum.
        warnings.simplefilter("ignore", SpineqWarning)
        return sq.read_city(shared / "data" / "cities" / "E08000021")


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference.json").read_text())


@pytest.fixture
def _no_kept_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the coverages of other tests, so that making them is reported."""
    monkeypatch.setattr(instance, "_KEPT", OrderedDict())


# ------------------------------------------------------------------------------ shares of own best


TWO = {name: sq.GROUPS[name] for name in ("pop_children", "workplace")}


def test_a_share_is_proven_only_of_what_is_proven() -> None:
    """A quick bound, a gap limit or little effort: no share of less than a group's own best."""
    city = sq.demo_city("synthetic", n_areas=40, seed=1)
    words: dict[str, Any] = {
        "n_sensors": 5, "groups": TWO, "objective": "worst_share", "min_spacing": 600.0,
    }  # fmt: skip
    best = sq.optimise(city, **words)
    assert best.proven
    assert best.upper_bound is not None
    own = best.dataset["group_own_best"]
    for more in ({"bound": "quick"}, {"gap_limit": 0.9}, {"effort": 0.001}):
        net = sq.optimise(city, **words, **more)
        assert net.upper_bound is not None
        # What it has of the true own bests, and what its certificate says of that.
        true = float((net.group_coverage / own).sel(group=list(TWO)).min())
        assert true <= best.objective_value + 1e-9
        assert net.upper_bound >= best.objective_value - 1e-9
        assert not net.proven or true == pytest.approx(best.objective_value, abs=1e-9)


def test_stopped_while_own_bests_are_looked_for() -> None:
    """The network that was best for the worst-off group by then is the answer, marked."""

    class Stop(RecordingProgress):
        def hear(self, report: Any) -> bool:
            super().hear(report)
            return report.message == "looking for the best of each group alone" and (
                report.fraction > 0.45
            )

    city = sq.demo_city("synthetic", n_areas=40, seed=1)
    watcher = Stop()
    net = sq.optimise(
        city, n_sensors=5, groups=TWO, objective="worst_share", min_spacing=600.0, progress=watcher
    )
    assert watcher.reports[-1].fraction < 0.5
    assert net.stopped
    assert net.n_sensors > 0
    assert not net.proven


def test_rules_that_mean_nothing_are_checked() -> None:
    """A network that is given may break rules; what is no rule is refused all the same."""
    city = city_of([[0, 0], [900, 0]])
    assert sq.evaluate(city, ["A0"], budget=1.0, site_cost="price").n_sensors == 1
    for words in ({"budget": float("nan"), "site_cost": "price"}, {"site_cost": object()}):
        with pytest.raises(ProblemError):
            sq.evaluate(city, ["A0"], **words)


# ---------------------------------------------------------------------------- published figures


def test_published_greedy(newcastle: sq.City, reference: dict[str, Any]) -> None:
    """Greedy gives the published notebook's coverage of 20 sensors."""
    expected = reference["greedy"][0]
    net = sq.optimise(
        newcastle, n_sensors=20, theta=500, method="greedy", population_weight=1, workplace_weight=0
    )
    assert net.total_coverage == pytest.approx(expected["total_coverage"], rel=0, abs=1e-12)
    assert net.coverage_history[-1] == net.total_coverage


def test_published_placement(shared: Path, newcastle: sq.City, reference: dict[str, Any]) -> None:
    """Greedy places ten sensors in the original code's areas, in its order."""
    expected = reference["greedy"][1]
    rows = expected["placement_history_rows_of_centroids_csv"]
    table = pd.read_csv(shared / "data" / "cities" / "E08000021" / "centroids.csv")
    net = sq.optimise(newcastle, n_sensors=10, theta=500, method="greedy")
    assert net.placement_history == table["oa11cd"].iloc[rows].tolist()
    assert net.total_coverage == pytest.approx(expected["total_coverage"], rel=0, abs=1e-12)


def test_published_example(newcastle: sq.City, reference: dict[str, Any]) -> None:
    """Evaluating gives the figures of the original's worked example."""
    expected = reference["coverage_example"]
    net = sq.evaluate(newcastle, expected["sensors"], theta=expected["theta"])
    for group, value in expected["total_coverage"].items():
        assert float(net.group_coverage.sel(group=group)) == pytest.approx(value, abs=1e-12, rel=0)
    for area, value in expected["oa_coverage"].items():
        assert float(net.area_coverage.sel(area=area)) == pytest.approx(value, abs=1e-12, rel=0)


@pytest.mark.parametrize("theta", [500, 100])
def test_existing_network(newcastle: sq.City, reference: dict[str, Any], theta: int) -> None:
    """The existing network's 55 areas cover what was computed before, to the digits given."""
    net = sq.evaluate(newcastle, "existing", theta=theta)
    assert net.n_sensors == 55
    for group, value in reference["existing_network"][f"theta_{theta}"].items():
        assert round(float(net.group_coverage.sel(group=group)), 9) == value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "theta"),
    [
        ("newcastle_theta500_n50.csv", 500),
        ("newcastle_theta250_n30.csv", 250),
        ("newcastle_theta100_n50.csv", 100),
    ],
)
def test_published_fronts(shared: Path, newcastle: sq.City, file: str, theta: int) -> None:
    """Each of 200 published networks covers each group as published."""
    table = pd.read_csv(shared / "data" / "published" / file)
    assert len(table) == 200
    groups = [column for column in table.columns if column != "sensors"]
    for row in table.to_dict("records"):
        net = sq.evaluate(newcastle, row["sensors"].split(), theta=theta, bound="none")
        found = net.group_coverage.sel(group=groups).to_numpy()
        np.testing.assert_allclose(found, [row[group] for group in groups], atol=1e-12, rtol=0)


# ---------------------------------------------------------------------------- problem and city


def test_ages_change_the_answer(newcastle: sq.City) -> None:
    """Asking for children puts sensors elsewhere, and the objective is their coverage."""
    everyone = sq.optimise(newcastle, n_sensors=10, method="greedy")
    children = sq.optimise(newcastle, n_sensors=10, method="greedy", min_age=0, max_age=15)
    assert children.placement_history != everyone.placement_history
    assert children.total_coverage == float(children.group_coverage.sel(group="pop_children"))
    assert float(everyone.group_coverage.sel(group="pop_children")) < children.total_coverage


def test_weights_mix_groups() -> None:
    """The objective of a mix is the weighted mean of the groups' coverage."""
    groups = {
        "young": sq.Group(ages=(0, 15), weight=3),
        "jobs": sq.Group(column="workers", weight=1),
    }
    city = city_of([[0, 0], [700, 0], [0, 900]], [[5, 1, 1], [2, 1, 1], [9, 1, 1]], [1, 7, 2])
    net = sq.optimise(city, n_sensors=1, groups=groups)
    young, jobs = (float(net.group_coverage.sel(group=name)) for name in groups)
    assert net.total_coverage == pytest.approx(0.75 * young + 0.25 * jobs, abs=1e-15)


def test_check_refuses_what_cannot_be() -> None:
    """More sensors than sites, and groups without data, are refused before any work."""
    city = city_of([[0, 0], [100, 0]])
    with pytest.raises(ProblemError, match="3 sensors are more than the city's 2 sites"):
        sq.optimise(city, n_sensors=3)
    with pytest.raises(MissingColumnError, match="homes"):
        instance.check(city, sq.Problem(n_sensors=1, groups={"h": sq.Group(column="homes")}))
    with pytest.raises(DataError, match="homes"):
        sq.evaluate(city, ["A0"], groups={"h": sq.Group(column="homes")})
    with pytest.raises(ProblemError, match="both given"):
        sq.optimise(city, sq.Problem(n_sensors=1), theta=3)
    instance.check(city, sq.Problem(n_sensors=2))


def test_site_values_are_single_sensor_networks() -> None:
    """What one sensor covers at each site is what evaluating it there says."""
    city = city_of([[0, 0], [300, 0], [900, 400]], [[1, 2, 3], [4, 0, 0], [0, 1, 5]])
    values = instance.site_values(city, sq.Problem(n_sensors=1, theta=400))
    for site, value in zip(["A0", "A1", "A2"], values, strict=True):
        assert sq.evaluate(city, [site], theta=400).total_coverage == pytest.approx(
            value, abs=1e-15
        )


# ---------------------------------------------------------------------------- laws


@given(
    city=cities(),
    data=st.data(),
    theta=st.sampled_from([50.0, 500.0, 5_000.0]),
    decay=st.sampled_from(["exponential", "step", "linear", "gaussian"]),
    dense=st.booleans(),
)
def test_evaluating_an_answer_gives_its_value(
    city: sq.City, data: st.DataObject, theta: float, decay: str, dense: bool
) -> None:
    """A network measured afresh covers what its solver said, within the cut-off's error."""
    method = data.draw(st.sampled_from(METHODS))
    n = data.draw(st.integers(1, city.n_sites))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instance, "_KEPT", OrderedDict())
        patch.setattr(coverage_module, "DENSE_PAIRS", 10**6 if dense else 0)
        net = sq.optimise(city, n_sensors=n, theta=theta, decay=decay, method=method)
    words = {"theta": theta, "decay": decay}
    again = sq.evaluate(city, [row.site for row in net.sensors.itertuples()], **words)
    assert again.total_coverage == pytest.approx(net.total_coverage, abs=1e-12, rel=0)
    assert again.coverage_history == pytest.approx(net.coverage_history, abs=1e-12, rel=0)
    assert net.dataset.attrs["cutoff_error"] <= (1e-12 if dense else 1e-4)
    assert net.upper_bound is not None
    assert net.total_coverage <= net.upper_bound
    assert again.dataset.attrs["cutoff_error"] <= 1e-12
    points = sq.evaluate(city, net.sensors[["x", "y"]].to_numpy(), **words)
    assert points.total_coverage == pytest.approx(net.total_coverage, abs=1e-12, rel=0)
    assert (np.diff(net.coverage_history, prepend=0.0) >= -1e-15).all()
    assert (net.dataset["group_history"][-1] == net.group_coverage).all()


def scattered(seed: int, n: int = 25) -> sq.City:
    """City at places that no two distances of agree, so that no tie turns on rounding."""
    generator = np.random.default_rng(seed)
    residents = generator.integers(0, 50, (n, 3)) + np.array([1, 0, 0])
    return city_of(generator.random((n, 2)) * 4_000, residents, generator.integers(1, 9, n))


def all_ways(city: sq.City) -> dict[str, sq.Network]:
    """Answers by greedy and exchange, and a network of the user's own."""
    made = {
        method: sq.optimise(city, n_sensors=6, theta=400, method=method)
        for method in ("greedy", "exchange")
    }
    return made | {"given": sq.evaluate(city, ["A3", "A11", "A7"], theta=400)}


def assert_same(ours: dict[str, sq.Network], theirs: dict[str, sq.Network]) -> None:
    """Compare sensors exactly, figures to 1e-12."""
    for name, net in ours.items():
        other = theirs[name]
        assert net.placement_history == other.placement_history
        for field in ("area_coverage", "group_coverage", "group_history", "people_within"):
            np.testing.assert_allclose(net.dataset[field], other.dataset[field], atol=1e-12, rtol=0)
        for field in ("distance_median", "distance_p90", "coverage_history"):
            np.testing.assert_allclose(net.dataset[field], other.dataset[field], rtol=1e-12)
        assert net.upper_bound == pytest.approx(other.upper_bound, abs=1e-12, rel=0)


@settings(max_examples=15)
@given(seed=st.integers(0, 999), data=st.data())
def test_a_point_split_at_its_place_changes_nothing(seed: int, data: st.DataObject) -> None:
    """People at one place may be given as one point or as several."""
    city = scattered(seed)
    rows = []
    for area, row in city.to_frame().set_index("area_id").iterrows():
        weights = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
        rows += [{"area_id": area, "x": row["x"], "y": row["y"], "weight": w} for w in weights]
    assert_same(all_ways(city), all_ways(city.with_demand(pd.DataFrame(rows))))


@settings(max_examples=10)
@given(seed=st.integers(0, 999), by=st.sampled_from(["area", "point"]))
def test_a_travel_table_of_straight_lines_changes_nothing(seed: int, by: str) -> None:
    """Distances may come from a table."""
    city = scattered(seed)
    assert_same(all_ways(city), all_ways(city.with_travel(straight_lines(city, by))))


@pytest.mark.parametrize("method", METHODS)
def test_deterministic(method: str) -> None:
    """Asked twice, also of a city read anew and pickled, the answer is the same bit for bit."""
    import pickle

    city = sq.demo_city()
    words = {"n_sensors": 7, "method": method, "seed": 3}
    one, two = sq.optimise(city, **words), sq.optimise(pickle.loads(pickle.dumps(city)), **words)
    assert one == two


def test_methods_are_ordered() -> None:
    """Random is below greedy, greedy at most exchange, and auto is proven, or ends before."""
    city = sq.demo_city()
    nets = [sq.optimise(city, n_sensors=9, method=method) for method in METHODS]
    values = {net.method: net.total_coverage for net in nets}
    assert values["random"] < values["greedy"] <= values["exchange"]
    best = sq.optimise(city, n_sensors=9)
    assert best.method == "branch_bound"
    assert best.proven
    assert best.total_coverage >= values["exchange"]
    assert sq.optimise(city, n_sensors=9, bound="quick").method == "exchange"
    nothing = sq.optimise(city, n_sensors=9, bound="none")
    assert nothing.method == "exchange"
    assert nothing.upper_bound is None


# ---------------------------------------------------------------------------- going on


def assert_identical(net: sq.Network, other: sq.Network) -> None:
    """Compare bit for bit, but for the time taken."""
    assert net == other
    assert net.upper_bound == other.upper_bound
    assert net.placement_history == other.placement_history
    assert net.coverage_history == other.coverage_history
    for field in ("gain", "group_history", "area_coverage", "people_within"):
        assert (net.dataset[field].to_numpy() == other.dataset[field].to_numpy()).all()
    assert net.problem == other.problem
    assert not net.stopped


@given(
    city=cities(),
    data=st.data(),
    theta=st.sampled_from([50.0, 500.0, 5_000.0]),
    decay=st.sampled_from(["exponential", "step", "linear", "gaussian"]),
    dense=st.booleans(),
)
def test_resuming_is_starting_over(
    city: sq.City, data: st.DataObject, theta: float, decay: str, dense: bool
) -> None:
    """From greedy's answer for any other number comes the answer that optimise gives."""
    n, other = (data.draw(st.integers(1, city.n_sites)) for _ in range(2))
    words = {"theta": theta, "decay": decay, "method": "greedy"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instance, "_KEPT", OrderedDict())
        patch.setattr(coverage_module, "DENSE_PAIRS", 10**6 if dense else 0)
        problem = sq.Problem(n_sensors=n, **words)
        earlier = sq.optimise(city, n_sensors=other, seed=3, **words)
        made = solve.resume(city, problem, earlier)
        assert_identical(made, sq.optimise(city, problem))
        assert_identical(solve.resume(city, earlier.problem, made), earlier)


@pytest.mark.parametrize("kind", ["travel", "sites", "groups", "demo"])
def test_resuming_with_parts(kind: str, custom: sq.City, tmp_path: Path) -> None:
    """The same with travel costs, sites and groups of one's own, and from a file."""
    city, words = scattered(1), {"theta": 400.0}
    if kind == "travel":
        city = city.with_travel(straight_lines(city), unit="minutes")
    elif kind == "sites":
        city = custom
    elif kind == "groups":
        words["groups"] = {"jobs": sq.Group(column="workers"), "young": sq.Group(ages=(0, 15))}
    else:
        city = sq.demo_city()
    sizes = (1, 2) if kind == "sites" else (3, 17)
    for n, other in (sizes, sizes[::-1]):
        earlier = sq.optimise(city, n_sensors=other, method="greedy", **words)
        earlier = sq.read_network(earlier.to_netcdf(tmp_path / "earlier.nc"))
        problem = sq.Problem(n_sensors=n, method="greedy", **words)
        assert_identical(solve.resume(city, problem, earlier), sq.optimise(city, problem))


def test_a_prefix_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a longer network the beginning is taken without a step of greedy."""
    from spineq.solvers import _kernels

    city, words = scattered(2), {"theta": 400, "method": "greedy"}
    longer = sq.optimise(city, n_sensors=9, **words)
    expected = sq.optimise(city, n_sensors=4, **words)
    monkeypatch.setattr(_kernels, "lazy_greedy", None)
    assert_identical(solve.resume(city, sq.Problem(n_sensors=4, **words), longer), expected)


def test_networks_that_do_not_fit(custom: sq.City) -> None:
    """From another city's, another problem's or half an answer there is no going on."""
    city = scattered(4)
    problem = sq.Problem(n_sensors=4, theta=400, method="greedy")
    earlier = sq.optimise(city, problem)

    def refused(match: str, *, city: sq.City = city, net: object = earlier, **asked: Any) -> None:
        with pytest.raises(ProblemError, match=match):
            solve.resume(city, dataclasses.replace(problem, **asked), net)

    refused("was made for another city .'Smallville'.", city=scattered(5))
    refused("theta 400.0, not 300.0", theta=300)
    refused("decay 'exponential', not 'step'", decay="step")
    refused("groups", groups={"jobs": sq.Group(column="workers")})
    refused("only greedy goes on .* 'exchange'", method="exchange")
    refused("only greedy goes on .* 'auto'", method="auto")
    refused("'exchange'", net=sq.optimise(city, n_sensors=4, theta=400, method="exchange"))
    refused("'given'", net=sq.evaluate(city, ["A3"], dataclasses.replace(problem, n_sensors=1)))
    refused("was stopped", net=sq.optimise(city, problem, progress=RecordingProgress(1)))
    refused("earlier network is needed, not 'net.nc'", net="net.nc")
    refused("26 sensors are more than the city's 25 sites", n_sensors=26)
    moved = earlier.dataset.copy(deep=True)
    moved["site"][2] = "A99"
    refused("at 'A99', which is no site", net=sq.Network(moved))
    moved["site"][2] = str(moved["site"][0].item())
    refused("named twice", net=sq.Network(moved))
    with pytest.raises(ProblemError, match="Problem is needed"):
        solve.resume(city, "greedy", earlier)


@pytest.mark.parametrize("n", [3, 8])
def test_resuming_reports_and_stops(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going on is watched as optimising is; stopped, what stood already is kept, marked."""
    from spineq.solvers import greedy, objective, swaps

    for module in (greedy, objective, swaps):
        monkeypatch.setattr(module, "BUDGET", 4_000)
    city = sq.demo_city()
    problem = sq.Problem(n_sensors=n, method="greedy")
    earlier = sq.optimise(city, n_sensors=5, method="greedy")
    whole = sq.optimise(city, problem)
    fractions: list[float] = []
    for stop_after in range(1, 1_000):
        monkeypatch.setattr(instance, "_KEPT", OrderedDict())
        watcher = RecordingProgress(stop_after)
        net = solve.resume(city, problem, earlier, progress=watcher)
        fractions = [report.fraction for report in watcher.reports]
        assert fractions == sorted(fractions)
        if not net.stopped:
            break
        assert max(fractions) < 1.0
        assert min(n, 5) <= net.n_sensors <= n
        assert net.placement_history == whole.placement_history[: net.n_sensors]
        assert whole.total_coverage <= net.upper_bound
    assert len(fractions) > 10
    assert fractions.count(1.0) == 1
    assert_identical(net, whole)


# ---------------------------------------------------------------------------- evaluating


@pytest.fixture
def custom() -> sq.City:
    """City with sites of its own, none of them at an area's point, and existing sensors."""
    city = city_of([[0, 0], [1000, 0], [3000, 0]])
    sites = pd.DataFrame({"site_id": ["S1", "S2"], "x": [400_100, 402_900], "y": [500_000] * 2})
    sensors = pd.DataFrame({"x": [400_050, 400_060, 403_000], "y": [500_010] * 3})
    return city.with_sites(sites).with_existing(sensors)


def test_sensors_by_any_name(custom: sq.City) -> None:
    """Sites, areas, places and geometries all mean the sensors that they name."""
    by_site = sq.evaluate(custom, ["S1"])
    assert by_site.placement_history == ["S1"]
    assert by_site.upper_bound is not None
    assert sq.evaluate(custom, "S1") == by_site
    by_area = sq.evaluate(custom, ["A1", "S2", "A1"])
    assert by_area.placement_history == ["A1", "S2"]
    assert by_area.sensors["site"].tolist() == ["", "S2"]
    assert by_area.sensors["x"].tolist() == [401_000, 402_900]
    places = gpd.GeoSeries.from_xy([401_000, 402_900], [500_000, 500_000], crs="EPSG:27700")
    for same in (np.array([[401_000, 500_000], [402_900, 500_000]]), places):
        net = sq.evaluate(custom, same)
        assert net.total_coverage == pytest.approx(by_area.total_coverage, abs=1e-15)
        assert net.upper_bound is None
        assert net.gap is None
        assert not net.proven
    for elsewhere in (places.to_crs(4326), gpd.GeoDataFrame(geometry=places.to_crs(4326))):
        net = sq.evaluate(custom, elsewhere)
        assert net.sensors["x"].tolist() == pytest.approx([401_000, 402_900], abs=1e-3)
        assert net.total_coverage == pytest.approx(by_area.total_coverage, abs=1e-6)


def test_order_given_is_kept(custom: sq.City) -> None:
    """Sensors stay in the order in which they are named or placed; twice is once."""
    xy = np.array([[403_000, 5e5], [400_000, 5e5], [403_000, 5e5], [401_000, 5e5]])
    assert sq.evaluate(custom, xy).sensors["x"].tolist() == [403_000, 400_000, 401_000]
    assert sq.evaluate(custom, ["S2", "S1", "S2"]).placement_history == ["S2", "S1"]


def test_existing_sensors(custom: sq.City) -> None:
    """Existing sensors count at their areas' points, or where they stand."""
    areas = sq.evaluate(custom, "existing")
    assert areas.sensors["area"].tolist() == ["A0", "A2"]
    assert areas.sensors["x"].tolist() == [400_000, 403_000]
    points = sq.evaluate(custom, "existing-points")
    assert points.sensors["x"].tolist() == [400_050, 400_060, 403_000]
    assert points.sensors["area"].tolist() == ["A0", "A0", "A2"]
    with pytest.raises(UnknownSensorError, match="no existing sensors"):
        sq.evaluate(city_of([[0, 0], [1, 1]]), "existing")


def test_a_network_is_judged_in_another_city(custom: sq.City) -> None:
    """By its sites where they are sites there too, and else by its places."""
    city = sq.demo_city("synthetic", n_areas=40)
    net = sq.optimise(city, n_sensors=3, theta=400)
    assert sq.evaluate(city, net, theta=400).total_coverage == net.total_coverage
    finer = city.with_demand(sq.demand.spread(city, 4))
    judged = sq.evaluate(finer, net, theta=400)
    assert list(judged.sensors["site"]) == list(net.sensors["site"])
    assert judged.total_coverage != net.total_coverage
    # Sites of the same names elsewhere are not these.
    moved = city.dataset[["site", "site_x", "site_y"]].to_dataframe().reset_index()
    elsewhere = city.with_sites(
        pd.DataFrame({"site_id": moved["site"], "x": moved["site_x"] + 70.0, "y": moved["site_y"]})
    )
    there = sq.evaluate(elsewhere, net, theta=400)
    assert there.total_coverage == pytest.approx(net.total_coverage, abs=1e-12)
    assert set(there.sensors["site"]) == {""}
    with pytest.raises(UnknownSensorError, match="far outside"):
        sq.evaluate(custom, net, theta=400)


def test_places_that_are_none(custom: sq.City) -> None:
    """Unknown ids, NaN, wrong shapes, lines and free places by travel cost are refused."""
    with pytest.raises(
        UnknownSensorError, match="'A9' is neither a site nor an area of Smallville"
    ):
        sq.evaluate(custom, ["A0", "A9"])
    with pytest.raises(UnknownSensorError, match="finite"):
        sq.evaluate(custom, np.array([[1.0, np.nan]]))
    with pytest.raises(UnknownSensorError, match="two columns"):
        sq.evaluate(custom, np.ones(4))
    line = gpd.GeoSeries([shapely.LineString([(0, 0), (1, 1)])], crs="EPSG:27700")
    with pytest.raises(UnknownSensorError, match="LineString"):
        sq.evaluate(custom, line)
    table = pd.DataFrame({"site": ["S1"], "area": ["A0"], "cost": [3.0]})
    timed = custom.with_travel(table, unit="minutes")
    with pytest.raises(ProblemError, match=r"sites only, and at .* is none"):
        sq.evaluate(timed, ["A1"], theta=10)
    assert sq.evaluate(timed, ["S1"], theta=10).total_coverage == pytest.approx(
        np.exp(-0.3) / 3, abs=1e-15
    )
    # A sensor that stands where a site is stands at the site; two there are one.
    place = timed.site_xy[list(timed.dataset["site"].to_numpy()).index("S1")]
    at_place = sq.evaluate(timed, np.stack([place, place + 5e-4]), theta=10)
    assert list(at_place.sensors["site"]) == ["S1"]
    assert at_place.total_coverage == pytest.approx(np.exp(-0.3) / 3, abs=1e-15)


@pytest.mark.parametrize(
    "sensors",
    [
        None, 5, 2.5, True, {"A0": 1}, b"A0", object, [None], [("A0", 1)], [[4e5, 5e5, 0]],
        ["A0", (4e5, 5e5)], [True], [2.5], {"A0", 3}, [(4e5, None)], [np.nan],
    ],
)  # fmt: skip
def test_what_is_no_sensor(custom: sq.City, sensors: object) -> None:
    """Anything that is neither ids nor places is refused in a sentence."""
    with pytest.raises(UnknownSensorError, match="names no sensor"):
        sq.evaluate(custom, sensors)


def test_tables_of_places(custom: sq.City) -> None:
    """A table's x and y count, whatever its other columns are called; text is refused."""
    table = pd.DataFrame({"x": [401_000], "y": ["500000"], "geometry": ["here"], "crs": [7]})
    assert sq.evaluate(custom, table).sensors["area"].tolist() == ["A1"]
    with pytest.raises(NotANumberError, match="'here' is not a finite number"):
        sq.evaluate(custom, table.assign(x="here"))
    with pytest.raises(MissingColumnError, match="'y'"):
        sq.evaluate(custom, table[["x"]])
    with pytest.raises(UnknownSensorError, match="no column of geometries"):
        sq.evaluate(custom, gpd.GeoDataFrame(table[["x", "y"]]))
    square = gpd.GeoSeries([shapely.box(4e5, 5e5, 4.01e5, 5.01e5)], crs="EPSG:27700")
    with pytest.raises(UnknownSensorError, match="a Polygon is not a place for a sensor"):
        sq.evaluate(custom, square)
    nowhere = gpd.GeoSeries([shapely.Point(4e5, 5e5), None], crs="EPSG:27700")
    with pytest.raises(UnknownSensorError, match=r"row 2.*the geometry is empty"):
        sq.evaluate(custom, nowhere)


def test_sets_are_sorted_and_ids_stripped(custom: sq.City) -> None:
    """The order of a set does not depend on hashes, and spaces around an id do not count."""
    assert sq.evaluate(custom, {"S2", "A1", "S1"}).placement_history == ["A1", "S1", "S2"]
    places = frozenset({(403_000.0, 5e5), (401_000.0, 5e5)})
    assert sq.evaluate(custom, places).sensors["x"].tolist() == [401_000, 403_000]
    assert sq.evaluate(custom, [" S1 ", "S1"]).placement_history == ["S1"]


def test_an_id_of_two_things(custom: sq.City) -> None:
    """An id that is an area's, and that of a site in another area, is not guessed at."""
    sites = pd.DataFrame({"site_id": ["A1", "A2"], "x": [400_100, 402_900], "y": [500_000] * 2})
    city = custom.with_sites(sites)
    with pytest.raises(UnknownSensorError, match="'A1' is an area, and a site in another area"):
        sq.evaluate(city, ["A1"])
    assert sq.evaluate(city, ["A2"]).sensors["x"].tolist() == [402_900]


@pytest.mark.parametrize("progress", [True, "bar", RecordingProgress])
def test_what_is_no_watcher(custom: sq.City, progress: object) -> None:
    """A watcher that cannot be reported to is refused at once."""
    with pytest.raises(ProblemError, match="is not a watcher"):
        sq.optimise(custom, n_sensors=1, progress=progress)
    with pytest.raises(ProblemError, match="is not a watcher"):
        sq.evaluate(custom, ["S1"], progress=progress)


def test_no_sensors_at_all(custom: sq.City) -> None:
    """A network of no sensors covers nothing and has the bound of one sensor."""
    net = sq.evaluate(custom, [])
    assert (net.n_sensors, net.total_coverage) == (0, 0.0)
    assert net.upper_bound == pytest.approx(sq.evaluate(custom, ["S1"]).upper_bound)
    assert not net.proven


def test_number_of_sensors_follows_from_them(custom: sq.City) -> None:
    """A problem for another number of sensors is measured, and bounded, for those that stand."""
    problem = sq.Problem(n_sensors=2, theta=700)
    net = sq.evaluate(custom, ["S1"], problem)
    assert net.problem == sq.Problem(n_sensors=1, theta=700)
    assert net == sq.evaluate(custom, ["S1"], theta=700)


def test_proven_best_where_it_is() -> None:
    """All sites taken is proven best; a poor choice is not."""
    city = city_of([[0, 0], [5000, 0], [0, 6000]], [[9, 9, 9], [1, 1, 1], [1, 1, 1]])
    assert sq.evaluate(city, ["A0", "A1", "A2"]).proven
    assert not sq.evaluate(city, ["A1"]).proven


# ---------------------------------------------------------------------------- distances


def test_distances_by_hand() -> None:
    """Shares within 250, 500, 1,000 m, median and 90th percentile, counted by hand."""
    city = city_of(
        [[0, 0], [300, 0], [600, 0], [0, 2000]],
        [[1, 1, 8], [4, 8, 8], [1, 28, 1], [4, 36, 0]],
        [0, 0, 0, 5],
    )
    table = sq.evaluate(city, ["A0"]).table()
    assert table.loc["pop_total"].filter(like="within ").tolist() == pytest.approx([0.1, 0.3, 0.6])
    assert table.loc["pop_children"].filter(like="within ").tolist() == pytest.approx(
        [0.1, 0.5, 0.6]
    )
    # Half of the children live at most 300 m away, exactly.
    assert table["median distance"].to_dict() == {
        "pop_total": 600.0,
        "pop_children": 300.0,
        "pop_elderly": 300.0,
        "workplace": 2000.0,
    }
    assert table["90 % within"].to_dict() == {
        "pop_total": 2000.0,
        "pop_children": 2000.0,
        "pop_elderly": 300.0,
        "workplace": 2000.0,
    }
    both = sq.evaluate(city, ["A0", "A3"]).table()
    assert both["median distance"].to_dict() == {
        "pop_total": 0.0,
        "pop_children": 0.0,
        "pop_elderly": 300.0,
        "workplace": 0.0,
    }


def test_out_of_reach_and_other_units() -> None:
    """By metres of travel, who is not in the table is out of reach; by minutes, metres count."""
    city = city_of([[0, 0], [600, 0], [4000, 0]], [[1, 1, 1]] * 3)
    table = pd.DataFrame({"site": ["A0", "A0"], "area": ["A0", "A1"], "cost": [0.0, 800.0]})
    metres = sq.evaluate(city.with_travel(table), ["A0"]).table().loc["pop_total"]
    assert metres["within 500 m"] == pytest.approx(1 / 3)
    assert metres["within 1000 m"] == pytest.approx(2 / 3)
    assert metres["median distance"] == 800.0
    assert metres["90 % within"] == np.inf
    timed = city.with_travel(table.assign(cost=[0.0, 5.0]), unit="minutes")
    minutes = sq.evaluate(timed, ["A0"], theta=10).table().loc["pop_total"]
    assert minutes["coverage"] == pytest.approx((1 + np.exp(-0.5)) / 3)
    assert minutes["median distance"] == 600.0
    assert minutes["90 % within"] == 4000.0


# ---------------------------------------------------------------------------- watching


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.usefixtures("_no_kept_coverage")
def test_progress_goes_forward_to_the_end(
    method: str, lists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fractions never fall, end at 1 with the answer's value and bound, once."""
    if lists:
        monkeypatch.setattr(coverage_module, "DENSE_PAIRS", 0)
    watcher = RecordingProgress()
    net = sq.optimise(sq.demo_city(), n_sensors=8, method=method, progress=watcher)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions.count(1.0) == 1
    last = watcher.reports[-1]
    assert (last.fraction, last.value, last.bound) == (1.0, net.total_coverage, net.upper_bound)
    assert not net.stopped


@pytest.mark.parametrize("method", METHODS)
def test_stopped_anywhere(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after any report, what stands by then comes back, marked, with a bound."""
    from spineq.solvers import greedy, objective, swaps

    for module in (greedy, objective, swaps):
        monkeypatch.setattr(module, "BUDGET", 4_000)
    monkeypatch.setattr(coverage_module, "_FILLED", 9_000)
    city = sq.demo_city()
    words = {"n_sensors": 6, "method": method}
    sq.optimise(city, **words)
    sizes, fractions = set(), []
    for stop_after in range(1, 1_000):
        monkeypatch.setattr(instance, "_KEPT", OrderedDict())
        watcher = RecordingProgress(stop_after)
        net = sq.optimise(city, **words, progress=watcher)
        assert net.problem.n_sensors == 6
        assert net.upper_bound is not None
        assert net.upper_bound >= net.total_coverage
        assert len(net.coverage_history) == net.n_sensors
        sizes.add(net.n_sensors)
        if not net.stopped:
            break
        assert len(watcher.reports) >= stop_after
        # After it was stopped it does not say that it is done.
        fractions.append(watcher.reports[-1].fraction)
    assert max(fractions) < 1.0
    # Nothing more was cut short from there on: the answer is the whole one.
    monkeypatch.setattr(instance, "_KEPT", OrderedDict())
    assert net == sq.optimise(city, **words)
    assert len(fractions) > 20
    assert {0, 6} <= sizes
    assert len(sizes) > (1 if method == "random" else 3)


@pytest.mark.usefixtures("_no_kept_coverage")
def test_evaluating_reports_and_stops() -> None:
    """Evaluating is watched too; stopped, it measures the network without a bound."""
    city = sq.demo_city()
    sensors = city.dataset["site"].to_numpy()[:4].tolist()
    watcher = RecordingProgress()
    whole = sq.evaluate(city, sensors, progress=watcher)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    # Greedy runs for its bound: its own value is not this network's.
    values = {report.value for report in watcher.reports} - {None}
    assert list(values) == pytest.approx([whole.total_coverage] * len(values))
    for stop_after in range(2, len(fractions) - 1):
        instance._KEPT.clear()
        early = sq.evaluate(city, sensors, progress=RecordingProgress(stop_after))
        assert early.upper_bound is None or whole.total_coverage <= early.upper_bound <= 1.0
    instance._KEPT.clear()
    stopped = sq.evaluate(city, sensors, progress=RecordingProgress(1))
    assert stopped.stopped
    assert stopped.upper_bound is None
    assert stopped.total_coverage == whole.total_coverage
    assert "stopped early" in stopped.certificate()


@pytest.mark.usefixtures("_no_kept_coverage")
def test_coverages_are_kept_and_few() -> None:
    """Asking the same city again makes no new coverage; only the last two are kept."""
    city = sq.demo_city()
    for theta in (400, 500, 600):
        sq.optimise(city, n_sensors=2, theta=theta)
    first = dict(instance._KEPT)
    assert [thetas for _, thetas, *_ in first] == [(500,), (600,)]
    sq.optimise(city, n_sensors=3, theta=500)
    assert all(instance._KEPT[key] is value for key, value in first.items())


@pytest.mark.slow
def test_cut_off_of_a_large_city_is_below_the_limit() -> None:
    """On 25,000 areas the neighbourhood lists' cut-off costs less than 1e-5 of coverage."""
    city = sq.demo_city("synthetic", n_areas=25_000)
    watcher = RecordingProgress()
    net = sq.optimise(city, n_sensors=500, method="greedy", progress=watcher)
    assert 0 < net.dataset.attrs["cutoff_error"] < 1e-5
    assert net.upper_bound > net.total_coverage
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
