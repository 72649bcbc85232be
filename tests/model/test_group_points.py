"""Points that matter by themselves, as a group of the city."""

from __future__ import annotations

import pickle
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import CRS, cities, point_frames

import spineq as sq
from spineq.data.files import read_city
from spineq.errors import DataError, DuplicateIdError, SpineqError, ZeroWeightError
from spineq.model.city import City
from spineq.model.groups import GROUPS, Group

SCHOOLS = Group(column="schools")


def town() -> City:
    """Two areas, 1 km apart, with 300 and 100 residents."""
    frame = pd.DataFrame(
        {
            "area_id": ["a", "b"],
            "x": [420_000.0, 421_000.0],
            "y": 560_000.0,
            "population": [300, 100],
            "workers": [1, 3],
        }
    )
    return City.from_frame(frame, crs=CRS)


def schools(**columns: object) -> pd.DataFrame:
    """Three schools, 100, 200 and 900 m east of area a."""
    return pd.DataFrame({"x": [420_100.0, 420_200.0, 420_900.0], "y": 560_000.0} | columns)


def test_the_points_are_a_group_and_the_areas_are_as_they_were() -> None:
    """Each school counts by its weight, exactly where it is; no share of anybody moves there."""
    city = town()
    made = city.with_group_points(schools(pupils=[2, 1, 1]), "schools", "pupils")
    assert made.point_groups == ("schools",)
    assert made.n_points == 5
    assert made.n_areas == 2
    assert made.people(SCHOOLS).values.tolist() == [3, 1]
    assert not made.people(SCHOOLS).estimated
    assert list(made.reported_groups()) == ["pop_total", "workplace", "schools"]
    weight = made.weights_at_points([("schools", SCHOOLS)])
    table = made.points.assign(weight=weight)
    of_group = table[table["group"] == "schools"]
    assert of_group["x"].tolist() == [420_100, 420_200, 420_900]
    assert of_group["weight"].tolist() == [0.5, 0.25, 0.25]
    assert of_group["area_id"].tolist() == ["a", "a", "b"]
    assert of_group["share"].tolist() == [0, 0, 0]
    assert table["weight"].sum() == 1.0
    for name, group in city.reported_groups().items():
        there = made.weights_at_points([(name, group)])
        assert (
            there[made.point_share > 0].tolist() == city.weights_at_points([(name, group)]).tolist()
        )


def test_a_mix_weighs_groups_and_not_heads() -> None:
    city = town().with_group_points(schools(), "schools")
    mix = [("pop_total", Group(ages=(0, 90), weight=2)), ("schools", SCHOOLS)]
    weight = city.weights_at_points(mix)
    assert weight[city.point_share > 0].tolist() == pytest.approx([0.5, 1 / 6])
    assert weight[city.point_share == 0].tolist() == pytest.approx([1 / 9] * 3)
    assert city.weights(mix).tolist() == pytest.approx([0.5 + 2 / 9, 1 / 6 + 1 / 9])


def test_weights_of_areas_say_nothing_about_the_points() -> None:
    """Whoever spreads weights of areas would leave the group out, and is told so."""
    city = town().with_group_points(schools(), "schools")
    with pytest.raises(DataError, match="'schools' stands at points of its own"):
        city.point_weights(city.weights([("schools", SCHOOLS)]))


def test_the_order_of_rows_and_calls_changes_nothing() -> None:
    one = town().with_group_points(schools(), "schools").with_group_points(schools(), "clinics")
    rows = schools().iloc[::-1]
    other = town().with_group_points(rows, "clinics").with_group_points(rows, "schools")
    assert one == other
    assert one.points.index.is_unique
    assert one.point_groups == ("clinics", "schools")


def test_digests() -> None:
    """That of a city without such points is as it was; with them everything counts."""
    city = town()
    assert city.digest.startswith("a84fd84d809ac167")
    seen = {city.digest}
    for frame, name in (
        (schools(), "schools"),
        (schools(), "clinics"),
        (schools(weight=[1, 1, 2]), "schools"),
        (schools(area_id=["a", "a", "a"]), "schools"),
        (schools().iloc[:2], "schools"),
        (schools(y=560_001.0), "schools"),
    ):
        seen.add(city.with_group_points(frame, name).digest)
    assert len(seen) == 7


def test_points_of_the_same_name_are_replaced() -> None:
    city = town().with_group_points(schools(), "schools")
    again = city.with_group_points(schools().iloc[:1], "schools")
    assert again == town().with_group_points(schools().iloc[:1], "schools")


def test_other_demand_points_leave_the_group_alone() -> None:
    """Unless their table has groups of its own, which then are all that there are."""
    city = town().with_group_points(schools(), "schools")
    finer = pd.DataFrame(
        {"area_id": ["a", "a", "b"], "x": [420_000.0, 420_010.0, 421_000.0], "y": 560_000.0}
    ).assign(weight=1.0)
    one = city.with_demand(finer)
    other = town().with_demand(finer).with_group_points(schools(), "schools")
    assert one == other
    assert one.with_demand(city.points.reset_index()) == city
    cleared = city.points.reset_index().assign(group="", people=np.nan)
    assert city.with_demand(cleared[cleared["share"] > 0]) == town()


def test_the_city_is_written_and_read_with_them(tmp_path: Path) -> None:
    city = town().with_group_points(schools(pupils=[2, 1, 1]), "schools", "pupils")
    city = city.with_group_points(schools(point_id=["k1", "k2", "k3"]), "clinics")
    back = read_city(city.to_geoparquet(tmp_path / "town"))
    assert back == city
    assert back.points.equals(city.points)
    assert pickle.loads(pickle.dumps(city)).points.equals(city.points)
    data = city.dataset
    assert data["point_schools_people"].sum() == 4
    assert data["point_clinics_people"].sum() == 3


def test_points_in_another_system_and_with_a_geometry() -> None:
    flat = schools()
    degrees = gpd.GeoDataFrame(
        {"id": [7, 8, 9]}, geometry=gpd.points_from_xy(flat["x"], flat["y"]), crs=CRS
    ).to_crs("EPSG:4326")
    city = town().with_group_points(degrees, "schools")
    found = city.points[city.points["group"] == "schools"]
    assert found.index.tolist() == ["7", "8", "9"]
    assert np.allclose(found["x"], flat["x"], atol=0.01)


def test_travel_costs() -> None:
    """Costs to areas hold for the points in them; costs to points must know them."""
    costs = pd.DataFrame({"site": ["a", "a"], "area": ["a", "b"], "cost": [0.0, 10.0]})
    by_area = town().with_travel(costs, unit="minutes").with_group_points(schools(), "schools")
    net = sq.evaluate(by_area, ["a"], theta=10, bound="none")
    expected = (2 + np.exp(-1)) / 3
    assert float(net.group_coverage.sel(group="schools")) == pytest.approx(expected)
    points = costs.rename(columns={"area": "point"})
    with pytest.raises(DataError, match="with_group_points first"):
        town().with_travel(points).with_group_points(schools(), "schools")
    both = town().with_group_points(schools(), "schools")
    more = pd.DataFrame({"site": "a", "point": both.points.index, "cost": range(5)})
    by_point = both.with_travel(more, unit="minutes")
    assert by_point.travel_costs_from(0).tolist() == [0, 1, 2, 3, 4]


def test_coverage_is_measured_at_the_points() -> None:
    """The schools' by hand; the areas' as without the schools."""
    city = town().with_group_points(schools(pupils=[2, 1, 1]), "schools", "pupils")
    net = sq.evaluate(city, ["a"], theta=100, bound="none")
    plain = sq.evaluate(town(), ["a"], theta=100, bound="none")
    expected = 0.5 * np.exp(-1) + 0.25 * np.exp(-2) + 0.25 * np.exp(-9)
    row = net.table().loc["schools"]
    assert row["coverage"] == pytest.approx(expected)
    assert row["title"] == "schools"
    assert row["people"] == 4
    assert row["within 250 m"] == 0.75
    assert row["median distance"] == 100.0
    assert net.area_coverage.equals(plain.area_coverage)
    assert net.table().drop("schools").equals(plain.table())
    assert net.total_coverage == plain.total_coverage


@pytest.mark.parametrize(
    ("frame", "name", "weight", "error", "said"),
    [
        (schools(), "workers", None, DataError, "name of a column of the city"),
        (schools(), "pop_total", None, DataError, "a group that it has"),
        (schools(), "", None, DataError, "is empty"),
        (schools(), " schools", None, DataError, "spaces around"),
        (schools(), 3, None, DataError, "must be text"),
        (schools().iloc[:0], "schools", None, DataError, "not a single point"),
        (schools(n=[1, -1, 1]), "schools", "n", SpineqError, "-1 is below 0"),
        (schools(n=0), "schools", "n", ZeroWeightError, "0 in every row"),
        (schools(), "schools", "pupils", SpineqError, "'pupils' is missing"),
        (schools(area_id=["a", "a", "z"]), "schools", None, SpineqError, "'z' is not in the city"),
        (schools(id=["k", "k", "l"]), "schools", None, DuplicateIdError, "earlier row"),
        (schools(id=["a", "k", "l"]), "schools", None, DuplicateIdError, "another point 'a'"),
        (schools().drop(columns="x"), "schools", None, SpineqError, "'x' is missing"),
        (schools(x=[1.0, 1.1, 1.2], y=54.0), "schools", None, SpineqError, "look like degrees"),
        ("schools.csv", "schools", None, SpineqError, "a table is needed"),
    ],
)
def test_what_is_refused(
    frame: pd.DataFrame, name: str, weight: str | None, error: type[SpineqError], said: str
) -> None:
    with pytest.raises(error, match=said):
        town().with_group_points(frame, name, weight)


def test_a_table_of_points_with_groups_that_are_none() -> None:
    table = town().points.reset_index().assign(group=[3, ""])
    with pytest.raises(SpineqError, match="must be text, not 3"):
        town().with_demand(table)
    with pytest.raises(SpineqError, match="'people' is missing"):
        town().with_demand(table.assign(group=["schools", ""]))


@given(cities(min_areas=2, travel=False), st.data())
def test_laws_of_any_city(city: City, data: st.DataObject) -> None:
    """Weights sum to 1, areas keep theirs bit for bit, and it is read back from its own table."""
    frame = data.draw(point_frames(city.dataset["area"].to_numpy().tolist()))
    made = city.with_group_points(frame, "stops")
    mix = [*city.reported_groups().items(), ("stops", Group(column="stops", weight=0.5))]
    assert made.weights_at_points(mix).sum() == pytest.approx(1.0)
    assert made.weights(mix).sum() == pytest.approx(1.0)
    by_area = np.bincount(made.point_area, weights=made.weights_at_points(mix))
    assert np.allclose(by_area, made.weights(mix))
    own = made.point_share > 0
    for name, group in city.reported_groups().items():
        there = made.weights_at_points([(name, group)])
        kept = city.weights_at_points([(name, group)])[city.point_share > 0]
        assert there[own].tolist() == kept.tolist()
        assert (there[~own] == 0).all()
    assert (np.diff(made.point_area) >= 0).all()
    assert city.with_demand(made.points.reset_index()) == made
    assert set(GROUPS) >= set(city.reported_groups())
