"""Where people are inside their areas."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import spineq as sq
from spineq import demand
from spineq.demand import _buildings

CRS = "EPSG:27700"

#: South-western corner of the areas made here, metres.
WEST, SOUTH = 420_000.0, 560_000.0


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


def box(west: float, south: float, width: float, height: float) -> shapely.Polygon:
    """Rectangle, from the south-western corner of the areas."""
    west, south = west + WEST, south + SOUTH
    return shapely.box(west, south, west + width, south + height)


def eastings(table: gpd.GeoDataFrame) -> list[float]:
    """Metres east of the corner."""
    return [round(float(x) - WEST, 6) for x in table.geometry.x]


def squares(n: int = 3) -> sq.City:
    """Areas a, b, c of 100 m by 100 m in a row, 10 residents each."""
    shapes = [box(100 * k, 0, 100, 100) for k in range(n)]
    frame = gpd.GeoDataFrame(
        {"area_id": list("abcdefghij"[:n]), "population": 10}, geometry=shapes, crs=CRS
    )
    return sq.City.from_frame(frame)


def points(**columns: object) -> gpd.GeoDataFrame:
    """Points x metres east and 50 north of the corner, with columns."""
    frame = pd.DataFrame(columns)
    return gpd.GeoDataFrame(
        frame.drop(columns="x"),
        geometry=gpd.points_from_xy(frame["x"] + WEST, 50.0 + SOUTH),
        crs=CRS,
    )


def test_every_area_keeps_its_people_inside_itself(city: sq.City) -> None:
    """Shares sum to 1, the points lie in the area, and there are enough of them."""
    spread = city.with_demand(demand.spread(city, 16))
    counts = np.bincount(spread.point_area, minlength=city.n_areas)
    shares = np.bincount(spread.point_area, weights=spread.point_share, minlength=city.n_areas)
    assert np.allclose(shares, 1.0)
    assert counts.min() >= 16
    assert city.polygons is not None
    shapes = city.polygons.geometry.to_numpy()[spread.point_area]
    assert shapely.contains_xy(shapes, *spread.point_xy.T).all()
    assert spread.sites.equals(city.sites)


def test_the_mean_of_the_points_is_the_middle_of_the_area(city: sq.City) -> None:
    """Evenly: their mean lies near the centroid, as the middles of many small cells must."""
    spread = city.with_demand(demand.spread(city, 200))
    assert city.polygons is not None
    centroids = city.polygons.geometry.centroid
    sizes = np.sqrt(city.polygons.area.to_numpy())
    for axis, name in enumerate("xy"):
        mean = np.bincount(spread.point_area, weights=spread.point_xy[:, axis] * spread.point_share)
        away = np.abs(mean - getattr(centroids, name).to_numpy())
        assert (away < 0.05 * sizes).all()


def test_spreading_is_the_same_each_time_and_square_by_square() -> None:
    """Four points of a square are the middles of its quarters."""
    city = squares(2)
    found = demand.spread(city, 4)
    assert found.equals(demand.spread(city, 4))
    assert found.crs == city.crs
    xy = shapely.get_coordinates(found.geometry[found["area_id"] == "b"])
    assert (xy - [WEST, SOUTH]).tolist() == [[125, 25], [125, 75], [175, 25], [175, 75]]


def test_a_sensor_in_the_middle_covers_less(city: sq.City) -> None:
    """At a point everybody of the area is covered in full; spread, they are not."""
    net = sq.optimise(city, n_sensors=5, theta=500, method="greedy")
    places = net.sensors[["x", "y"]]
    finer = city.with_demand(demand.spread(city))
    spread = sq.evaluate(finer, places, theta=500, bound="none")
    assert spread.total_coverage < net.total_coverage


def test_a_thread_of_an_area_keeps_its_point() -> None:
    thread = shapely.LineString([(0, 0), (1e6, 1e6)]).buffer(1e-4)
    frame = gpd.GeoDataFrame({"area_id": ["a"], "population": 1}, geometry=[thread], crs=CRS)
    city = sq.City.from_frame(frame)
    found = demand.spread(city)
    assert shapely.get_coordinates(found.geometry).tolist() == city.point_xy.tolist()


def test_what_cannot_be_spread() -> None:
    flat = pd.DataFrame({"area_id": ["a"], "x": 0.0, "y": 0.0, "population": 1})
    with pytest.raises(sq.SpineqError, match="no polygons"):
        demand.spread(sq.City.from_frame(flat, crs=CRS))
    for wrong in (0, 401, 4.0, True, "many"):
        with pytest.raises(sq.SpineqError, match="1 to 400"):
            demand.spread(sq.demo_city(), wrong)  # type: ignore[arg-type]
    costs = pd.DataFrame({"site": ["a"], "area": ["a"], "cost": [0.0]})
    with pytest.raises(sq.SpineqError, match="the city's own points alone"):
        demand.spread(squares().with_travel(costs))


def test_points_belong_to_the_area_that_holds_them() -> None:
    """People go to the points by weight; how many they are is the area's to say."""
    city = squares()
    found = demand.from_points(city, points(x=[10, 90, 150, 250], people=[3, 1, 7, 0.5]), "people")
    assert found["area_id"].tolist() == ["a", "a", "b", "c"]
    finer = city.with_demand(found)
    assert finer.point_share.tolist() == [0.75, 0.25, 1.0, 1.0]
    assert eastings(found) == [10, 90, 150, 250]


def test_a_weight_column_is_found_or_named_or_all_are_alike() -> None:
    city = squares(1)
    alike = demand.from_points(city, points(x=[10, 90], floors=[1, 3]))
    assert alike["weight"].tolist() == [1.0, 1.0]
    found = demand.from_points(city, points(x=[10, 90], weight=[1, 3]))
    assert found["weight"].tolist() == [1.0, 3.0]
    with pytest.raises(sq.SpineqError, match="'floor' is missing"):
        demand.from_points(city, points(x=[10, 90], floors=[1, 3]), "floor")
    with pytest.raises(sq.SpineqError, match=r"row 2.*-3 is below 0"):
        demand.from_points(city, points(x=[10, 90], floors=[1, -3]), "floors")
    with pytest.raises(sq.SpineqError, match="weighs more than 0"):
        demand.from_points(city, points(x=[10, 90], floors=[0, 0]), "floors")


def test_areas_without_a_point_keep_their_own() -> None:
    """And the warning says how many, and which is the first."""
    city = squares()
    city = city.with_demand(demand.spread(city, 4))
    with (
        pytest.warns(sq.SpineqWarning, match="1 of 2 points weighs 0 and is left out"),
        pytest.warns(sq.SpineqWarning, match="2 of 3 areas .* the first of them b") as warned,
    ):
        found = demand.from_points(city, points(x=[10, 150], n=[1, 0]), "n")
    assert warned[0].filename == __file__  # it points at who called
    assert found["area_id"].value_counts().to_dict() == {"a": 1, "b": 4, "c": 4}


def test_points_outside_are_left_out_with_a_warning() -> None:
    city = squares(1)
    with pytest.warns(
        sq.SpineqWarning, match=r"1 of 2 points .* row 2 \(at 421000, 560050\)"
    ) as warned:
        found = demand.from_points(city, points(x=[10, 1000]))
    assert warned[0].filename == __file__
    assert len(found) == 1
    with pytest.raises(sq.SpineqError, match="the only point lies in no area"):
        demand.from_points(city, points(x=[1000]))


def test_points_may_name_their_area() -> None:
    """By a column of any name; then polygons have no say, and ids of elsewhere are left out."""
    city = squares(2)
    named = points(x=[10, 20, 30], oa21cd=["b", "a", "z"], n=[1, 1, 1])
    with pytest.warns(sq.SpineqWarning, match=r"1 of 3 points .* row 3 \('z'\)"):
        found = demand.from_points(city, named, area="oa21cd")
    assert found["area_id"].tolist() == ["a", "b"]
    with pytest.raises(sq.SpineqError, match="'lsoa' is missing"):
        demand.from_points(city, named, area="lsoa")
    bare = sq.City.from_frame(pd.DataFrame(city.to_frame().drop(columns="geometry")), crs=CRS)
    found = demand.from_points(bare, named.iloc[:2], area="oa21cd")
    assert found["area_id"].tolist() == ["a", "b"]
    with pytest.raises(sq.SpineqError, match="no polygons that could say"):
        demand.from_points(bare, named.iloc[:2])


def test_ids_of_points_are_kept() -> None:
    """A table of travel costs to the points names them."""
    city = squares(2)
    with pytest.warns(sq.SpineqWarning, match="1 of 2 areas"):
        found = demand.from_points(city, points(x=[90, 10], point_id=["p", "q"]))
    assert found["point_id"].tolist() == ["q", "p", "b"]
    assert city.with_demand(found).points.index.tolist() == ["p", "q", "b"]


def test_on_a_border_it_is_the_first_area() -> None:
    with pytest.warns(sq.SpineqWarning, match="2 of 3 areas"):
        found = demand.from_points(squares(), points(x=[100]))
    assert found["area_id"].tolist()[0] == "a"


@pytest.mark.parametrize("ending", ["csv", "gpkg", "geojson", "parquet"])
def test_points_from_files_in_any_system(tmp_path: Path, ending: str) -> None:
    """Degrees are turned into the city's metres."""
    city, file = squares(2), tmp_path / f"homes.{ending}"
    degrees = points(x=[10, 90, 150], dwellings=[1, 2, 3]).to_crs("EPSG:4326")
    if ending == "csv":
        table = pd.DataFrame({"x": degrees.geometry.x, "y": degrees.geometry.y})
        table.assign(dwellings=degrees["dwellings"]).to_csv(file, index=False)
        with pytest.raises(sq.SpineqError, match="look like degrees"):
            demand.from_points(city, file)
        found = demand.from_points(city, file, "dwellings", crs="EPSG:4326")
    else:
        degrees.to_parquet(file) if ending == "parquet" else degrees.to_file(file)
        found = demand.from_points(city, file, "dwellings")
    assert found["weight"].tolist() == [1.0, 2.0, 3.0]
    assert np.allclose(eastings(found), [10, 90, 150], atol=0.01)


def test_polygons_are_taken_at_a_point_inside() -> None:
    cells = gpd.GeoDataFrame({"people": [5.0]}, geometry=[box(10, 10, 10, 10)], crs=CRS)
    found = demand.from_points(squares(1), cells, "people")
    assert eastings(found) == [15]
    given = cells.assign(x=WEST + 11, y=SOUTH + 12)
    assert eastings(demand.from_points(squares(1), given, "people")) == [11]
    moved = given.to_crs("EPSG:32630")  # x and y stay behind
    assert np.allclose(eastings(demand.from_points(squares(1), moved, "people")), 15, atol=0.01)


def test_tables_that_are_none(tmp_path: Path) -> None:
    city = squares(1)
    with pytest.raises(sq.SpineqError, match="no such file"):
        demand.from_points(city, tmp_path / "nowhere.csv")
    with pytest.raises(sq.SpineqError, match="not a single row"):
        demand.from_points(city, points(x=[]))
    with pytest.raises(sq.SpineqError, match="no geometry"):
        demand.from_points(city, gpd.GeoDataFrame(geometry=[shapely.Point(1, 1), None], crs=CRS))


@given(
    st.lists(
        st.tuples(
            st.floats(-50, 350), st.floats(-50, 150), st.one_of(st.just(0.0), st.floats(0.1, 1e6))
        ),
        min_size=1,
        max_size=30,
    )
)
@pytest.mark.filterwarnings("ignore::spineq.errors.SpineqWarning")
def test_laws_of_points(drawn: list[tuple[float, float, float]]) -> None:
    """Whatever the points: every area has its people, inside it, in proportion to the weight."""
    city = squares()
    x, y, w = np.array(drawn).T
    table = pd.DataFrame({"x": x + WEST, "y": y + SOUTH, "w": w})
    x, y = table["x"] - WEST, table["y"] - SOUTH
    inside = x.between(0, 300) & y.between(0, 100) & (table["w"] > 0)
    if not inside.any():
        with pytest.raises(sq.SpineqError):
            demand.from_points(city, table, "w")
        return
    found = demand.from_points(city, table, "w")
    finer = city.with_demand(found)
    assert np.allclose(np.bincount(finer.point_area, weights=finer.point_share), 1.0)
    assert city.polygons is not None
    shapes = city.polygons.geometry.to_numpy()[finer.point_area]
    assert shapely.intersects_xy(shapes, *finer.point_xy.T).all()
    again = demand.from_points(city, table.iloc[::-1], "w")
    assert city.with_demand(again) == finer


def test_points_that_matter_by_themselves(tmp_path: Path) -> None:
    """Schools of a file become a group of the city; those outside are left out."""
    city, file = squares(), tmp_path / "schools.gpkg"
    points(x=[10, 250, 9000], id=[1, 2, 3], pupils=[300, 100, 50]).to_crs(4326).to_file(file)
    with pytest.warns(sq.SpineqWarning, match="1 of 3 points") as warned:
        found = demand.group_points(city, file, "pupils")
    assert warned[0].filename == __file__
    assert found["point_id"].tolist() == ["1", "2"]
    assert found["area_id"].tolist() == ["a", "c"]
    made = city.with_group_points(found, "schools")
    assert made.people(sq.Group(column="schools")).values.tolist() == [300, 0, 100]
    assert made.n_areas == city.n_areas
    bare = sq.City.from_frame(pd.DataFrame(city.to_frame().drop(columns="geometry")), crs=CRS)
    far = points(x=[10, 4000, 9000])
    with pytest.warns(sq.SpineqWarning, match="1 of 3 points lies outside"):
        assert demand.group_points(bare, far)["area_id"].tolist() == ["a", "c"]


def houses(*rows: tuple[float, float, dict[str, str]]) -> gpd.GeoDataFrame:
    """Buildings of 10 m depth: west, width, tags."""
    shapes = [box(west, 10, width, 10) for west, width, _ in rows]
    return gpd.GeoDataFrame([tags for *_, tags in rows], geometry=shapes, crs=CRS)


def _osm_file(path: Path, buildings: gpd.GeoDataFrame) -> Path:
    """Write buildings as an extract does, with every tag in a column."""
    buildings.to_crs("EPSG:4326").to_file(path)
    return path


def test_homes_come_first(tmp_path: Path) -> None:
    """By floor space; buildings of unknown use only where homes are few; sheds never."""
    buildings = houses(
        # In a, homes: 100 m2 by 2 levels, 50 m2 by 4.
        (5, 10, {"building": "house"}),
        (20, 5, {"building": "apartments", "building:levels": "4"}),
        (40, 5, {"building": "yes"}),
        (50, 40, {"building": "retail"}),
        # In b, one bungalow among many of unknown use, one of which is a shop.
        (105, 5, {"building": "bungalow"}),
        (120, 10, {"building": "yes", "height": "9 m"}),
        (140, 10, {"building": "yes", "shop": "bakery"}),
        # In c, neither.
        (205, 10, {"building": "warehouse"}),
        (220, 10, {"building": "garage"}),
    )
    file = _osm_file(tmp_path / "extract.gpkg", buildings)
    found = demand.from_osm(squares(), file)
    assert found["area_id"].tolist() == ["a", "a", "b", "b", "c"]
    assert np.allclose(found["weight"], [200, 200, 50, 300, 200], rtol=0.01)
    assert found.crs == CRS
    squares().with_demand(found)


def test_areas_without_buildings_keep_their_points(tmp_path: Path) -> None:
    file = _osm_file(tmp_path / "extract.geojson", houses((5, 10, {"building": "house"})))
    with pytest.warns(sq.SpineqWarning, match="1 of 2 areas"):
        found = demand.from_osm(squares(2), file)
    assert found["area_id"].tolist() == ["a", "b"]
    sheds = _osm_file(tmp_path / "sheds.geojson", houses((5, 10, {"building": "shed"})))
    with pytest.raises(sq.SpineqError, match="no building in which somebody may be"):
        demand.from_osm(squares(2), sheds)


def test_buildings_of_an_extract(tmp_path: Path) -> None:
    """OpenStreetMap's own XML, tags and all."""
    city = squares(1)
    x, y = shapely.get_coordinates(box(10, 10, 10, 10))[:4].T
    corners = gpd.GeoSeries.from_xy(x, y, crs=CRS).to_crs("EPSG:4326")
    nodes = "".join(
        f'<node id="{k}" version="1" lat="{p.y:.9f}" lon="{p.x:.9f}"/>'
        for k, p in enumerate(corners, start=1)
    )
    refs = "".join(f'<nd ref="{k}"/>' for k in (1, 2, 3, 4, 1))
    tags = '<tag k="building" v="terrace"/><tag k="building:levels" v="3"/>'
    file = tmp_path / "town.osm"
    file.write_text(f'<osm version="0.6">{nodes}<way id="7" version="1">{refs}{tags}</way></osm>')
    found = demand.from_osm(city, file)
    assert np.allclose(found["weight"], 300, rtol=0.01)
    assert np.allclose(eastings(found), 15, atol=0.1)


def test_levels_as_people_write_them() -> None:
    """The first number counts; without levels the height, without height what is usual."""
    tags = [
        {"building": "house", "building:levels": "3;4"},
        {"building": "house", "building:levels": "2.5", "height": "30"},
        {"building": "house", "height": "about 9"},
        {"building": "yes", "height": "1.5 m"},
        {"building": "bungalow"},
        {"building": "Cabin", "building:levels": "0"},
    ]
    buildings = houses(*((20.0 * k, 10.0, each) for k, each in enumerate(tags)))
    assert _buildings.floor_space(buildings).tolist() == [300, 250, 200, 100, 100, 100]
    assert json.dumps(_buildings.kinds(buildings).tolist()) == "[0, 0, 0, 1, 0, 0]"


def test_levels_that_no_building_has_are_not_used() -> None:
    """A slip of the finger would draw all people of its area."""
    tags = [
        {"building": "house", "building:levels": "99999"},
        {"building": "house", "building:levels": "5000", "height": "12"},
        {"building": "house", "height": "1e9", "building:levels": "x"},
        {"building": "house", "height": "30000"},
    ]
    buildings = houses(*((20.0 * k, 10.0, each) for k, each in enumerate(tags)))
    assert _buildings.floor_space(buildings).tolist() == [200, 400, 100, 200]


def test_a_building_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    """As in two extracts put together; what is cut in two at a border counts in both pieces."""
    tags = {"osm_id": "w1", "building": "house"}
    twice = houses((5, 10, tags), (5, 10, tags), (20, 5, tags))
    found = demand.from_osm(squares(1), _osm_file(tmp_path / "extract.gpkg", twice))
    assert np.allclose(sorted(found["weight"]), [100, 200], rtol=0.01)
