"""Candidate sites: grids, files, OpenStreetMap, and brought to streets, lines or points."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from osm_extracts import extracts
from streets import CRS, ORIGIN, river_lines, river_tables, sites_at, town

import spineq as sq
from spineq import sites
from spineq.errors import (
    DataError,
    DuplicateIdError,
    GeographicCRSError,
    MissingColumnError,
    MissingExtraError,
    MissingFileError,
    NotANumberError,
    SpineqWarning,
    UnknownCRSError,
    UnreadableFileError,
)
from spineq.model.city import City
from spineq.travel.sources import read_streets


def blocks(*boxes: tuple[float, float, float, float], crs: str = CRS) -> City:
    """A city of rectangles, called a, b, c, in metres from the town's corner."""
    shapes = [shapely.box(*(np.array(box) + np.tile(ORIGIN, 2))) for box in boxes]
    frame = gpd.GeoDataFrame(
        {"area_id": list("abcdefgh"[: len(boxes)]), "population": 10.0}, geometry=shapes, crs=crs
    )
    return City.from_frame(frame)


TWO = blocks((0, 0, 200, 200), (200, 0, 500, 200))


def places(frame: pd.DataFrame) -> list[tuple[float, float]]:
    """Places from the town's corner, in order."""
    xy = shapely.get_coordinates(frame.geometry.to_numpy()) - ORIGIN
    return [(float(x), float(y)) for x, y in np.round(xy, 6)]


def test_a_grid_inside_the_polygons() -> None:
    """At whole multiples of the spacing, on borders too, each in the first area that holds it."""
    made = sites.grid(TWO, 100)
    assert places(made) == [(x, y) for x in range(0, 501, 100) for y in range(0, 201, 100)]
    assert list(made["area_id"]) == ["a"] * 9 + ["b"] * 9
    assert made["site_id"].iloc[0] == "g4200-5600"
    assert made["site_id"].is_unique
    assert made.crs == TWO.crs
    city = TWO.with_sites(made)
    assert city.n_sites == 18
    assert list(city.site_areas) == list(made["area_id"])


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=4, unique=True
    ),
    st.sampled_from([35, 70, 99.5, 200]),
)
def test_a_larger_city_has_the_same_sites_and_more(
    corners: list[tuple[int, int]], spacing: float
) -> None:
    """Each polygon's places of the grid are there whatever else the city holds; all are inside."""
    boxes = [(50.0 * x, 50.0 * y, 50.0 * x + 210, 50.0 * y + 230) for x, y in corners]
    whole = sites.grid(blocks(*boxes), spacing)
    alone = [sites.grid(blocks(box), spacing) for box in boxes]
    every = {(row.site_id, row.geometry.wkt) for part in alone for row in part.itertuples()}
    assert {(row.site_id, row.geometry.wkt) for row in whole.itertuples()} == every
    assert whole.intersects(shapely.union_all(list(blocks(*boxes).polygons.geometry))).all()  # type: ignore[union-attr]


def test_a_grid_over_parts_far_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the boxes of the polygons are looked at, each place once, in the same order."""
    far = blocks((0, 0, 200, 200), (100, 0, 300, 200), (500_000, 600_000, 500_100, 600_100))
    seen: list[int] = []
    around = sites.area_around

    def counted(polygons: Any, xy: Any) -> Any:
        seen.append(len(xy))
        return around(polygons, xy)

    monkeypatch.setattr(sites, "area_around", counted)
    made = sites.grid(far, 50)
    assert seen == [7 * 5 + 3 * 3]
    assert places(made) == sorted(places(made))
    assert len(made) == 7 * 5 + 3 * 3


def test_a_grid_leaves_holes_and_takes_broken_polygons() -> None:
    """A lake is no place for a sensor; a polygon that crosses itself is taken as what it covers."""
    lake = shapely.Polygon(
        [(0, 0), (400, 0), (400, 400), (0, 400)], [[(50, 50), (350, 50), (350, 350), (50, 350)]]
    )
    bow = shapely.Polygon([(500, 0), (700, 200), (700, 0), (500, 200)])
    frame = gpd.GeoDataFrame(
        {"area_id": ["a", "b"], "population": 1.0},
        geometry=[shapely.affinity.translate(shape, *ORIGIN) for shape in (lake, bow)],
        crs=CRS,
    )
    made = sites.grid(City.from_frame(frame), 100)
    assert (200, 200) not in places(made)
    assert (0, 200) in places(made)
    assert (600, 100) in places(made)
    assert (600, 0) not in places(made)


@pytest.mark.parametrize("spacing", [0, -5, float("nan"), float("inf"), "100", True, None])
def test_spacings_that_are_none(spacing: Any) -> None:
    """Refused with the value."""
    with pytest.raises(DataError, match="spacing must be metres above 0"):
        sites.grid(TWO, spacing)


def test_grids_that_cannot_be() -> None:
    """Too fine, too coarse, and over a city without polygons."""
    for spacing in (0.01, 1e-310):
        with pytest.raises(DataError, match="too many places"):
            sites.grid(TWO, spacing)
    # Refused by area, before the places are made.
    with pytest.raises(DataError, match=r"about [0-9,]+ sites are more than the 2,000,000"):
        sites.grid(TWO, 0.12)
    with pytest.raises(DataError, match="no place of a grid"):
        sites.grid(blocks((10, 10, 20, 20)), 100)
    with pytest.raises(DataError, match="no polygons"):
        sites.grid(town({"a": (0, 0)}), 100)


LAMPS = pd.DataFrame(
    {
        "lamp": ["007", "8", "NA"],
        "x": ORIGIN[0] + np.array([50.0, 450.0, 900.0]),
        "y": ORIGIN[1] + np.array([50.0, 50.0, 50.0]),
        "price": [1.5, np.nan, 3.0],
        "ward": ["Byker", None, "Elm"],
    }
)


@pytest.mark.parametrize("ending", [".csv", ".gpkg", ".geojson", ".parquet"])
def test_sites_from_files(tmp_path: Path, ending: str) -> None:
    """Ids stay as written; areas by polygon, and outside of all by the nearest point."""
    path = tmp_path / f"lamps{ending}"
    frame = gpd.GeoDataFrame(
        LAMPS.drop(columns=["x", "y"]), geometry=gpd.points_from_xy(LAMPS["x"], LAMPS["y"]), crs=CRS
    )
    if ending == ".csv":
        LAMPS.to_csv(path, index=False)
    elif ending == ".parquet":
        frame.to_parquet(path)
    else:
        (frame.to_crs("EPSG:4326") if ending == ".geojson" else frame).to_file(path)
    made = sites.from_file(TWO, path, id="lamp")
    assert list(made["site_id"]) == ["007", "8", "NA"]
    assert list(made["area_id"]) == ["a", "b", "b"]
    assert np.allclose(places(made), [(50, 50), (450, 50), (900, 50)], atol=1e-2)
    city = TWO.with_sites(made)
    assert city.site_columns == ("price", "ward", "area_id")
    assert list(city.site_column("ward")) == ["Byker", "", "Elm"]
    few = sites.from_file(TWO, path, id="lamp", columns=["price"])
    assert [*few.columns] == ["site_id", "area_id", "price", "geometry"]
    numbered = TWO.with_sites(sites.from_file(TWO, path, columns=[]))
    assert list(numbered.dataset["site"].to_numpy()) == ["site-1", "site-2", "site-3"]


def test_grounds_count_as_a_place_inside_them(tmp_path: Path) -> None:
    """A school's polygon is a site inside it, and an area that the file names is kept."""
    path = tmp_path / "schools.gpkg"
    ring = shapely.box(*ORIGIN, *(ORIGIN + 100)).difference(
        shapely.box(*(ORIGIN + 10), *(ORIGIN + 90))
    )
    gpd.GeoDataFrame({"id": ["s"], "area_id": ["b"]}, geometry=[ring], crs=CRS).to_file(path)
    made = sites.from_file(TWO, path)
    assert made.geometry.iloc[0].within(ring)
    assert list(made["area_id"]) == ["b"]


def test_a_file_in_degrees(tmp_path: Path) -> None:
    """A CSV of longitude and latitude, whose system the caller names."""
    path = tmp_path / "lamps.csv"
    there = gpd.GeoSeries(gpd.points_from_xy(LAMPS["x"], LAMPS["y"]), crs=CRS).to_crs("EPSG:4326")
    LAMPS.assign(x=there.x, y=there.y).to_csv(path, index=False)
    made = sites.from_file(TWO, path, id="lamp", crs="EPSG:4326")
    assert np.allclose(places(made), [(50, 50), (450, 50), (900, 50)], atol=1e-2)
    with pytest.raises(DataError, match=r"look like degrees.*give crs='EPSG:4326' here"):
        sites.from_file(TWO, path, id="lamp")
    LAMPS.assign(y=LAMPS["y"] + 90_000).to_csv(path, index=False)
    with pytest.warns(SpineqWarning, match=r"not one of the 3 sites is within 5 km.*crs"):
        sites.from_file(TWO, path, id="lamp")


def test_files_that_are_no_sites(tmp_path: Path) -> None:
    """Refused with the file, the row and the column."""
    path = tmp_path / "lamps.csv"
    with pytest.raises(MissingFileError, match="no such file"):
        sites.from_file(TWO, path)
    LAMPS.to_csv(path, index=False)
    with pytest.raises(MissingColumnError, match="'number' is missing"):
        sites.from_file(TWO, path, id="number")
    with pytest.raises(MissingColumnError, match="'cost' is missing"):
        sites.from_file(TWO, path, columns=["cost"])
    LAMPS.assign(lamp="7").to_csv(path, index=False)
    with pytest.raises(DuplicateIdError, match="row 2"):
        sites.from_file(TWO, path, id="lamp")
    LAMPS.assign(x=[1.0, np.nan, 2.0]).to_csv(path, index=False)
    with pytest.raises(NotANumberError, match=r"row 2 \(8\), field x"):
        sites.from_file(TWO, path, id="lamp")
    LAMPS.head(0).to_csv(path, index=False)
    with pytest.raises(DataError, match="not a single site"):
        sites.from_file(TWO, path, id="lamp")


@pytest.fixture
def ouse() -> City:
    """A city of two areas in the hand-made extract, the second around its houses and its school."""
    boxes = [shapely.box(-1.62, 54.965, -1.6095, 54.98), shapely.box(-1.6095, 54.965, -1.60, 54.98)]
    frame = gpd.GeoDataFrame({"area_id": ["w", "e"], "population": 1.0}, geometry=boxes, crs=4326)
    return City.from_frame(frame.to_crs(CRS))


@pytest.mark.parametrize("ending", [".osm", ".osm.pbf"])
def test_sites_from_openstreetmap(tmp_path: Path, ouse: City, ending: str) -> None:
    """Lamps in the city alone; schools and hospitals, grounds as a place inside them."""
    file = extracts(tmp_path)[ending]
    lamps = sites.from_osm(ouse, {"highway": "street_lamp"}, file)
    assert list(lamps["site_id"]) == ["n2", "n8"]
    assert list(lamps["area_id"]) == ["w", "w"]
    far = sites.from_osm(ouse, {"highway": "street_lamp"}, file, outside=30_000)
    assert list(far["site_id"]) == ["n2", "n8", "n9"]
    care = sites.from_osm(ouse, {"amenity": ["school", "hospital", "clinic"]}, file)
    assert list(care["site_id"]) == ["n4", "r20", "w12"]
    assert list(care["amenity"]) == ["school", "clinic", "hospital"]
    assert (care.geom_type == "Point").all()
    city = ouse.with_sites(care)
    assert list(city.site_areas) == ["e", "e", "e"]
    net = sq.optimise(city, n_sensors=2, theta=200)
    assert net.proven


def test_openstreetmap_without_anything(tmp_path: Path, ouse: City) -> None:
    """Nothing found is said, and so is a parameter that is none."""
    file = extracts(tmp_path)[".osm"]
    with pytest.raises(DataError, match=r"nothing with .*pub.* lies in the city"):
        sites.from_osm(ouse, {"amenity": "pub"}, file)
    with pytest.raises(DataError, match="tags must be"):
        sites.from_osm(ouse, {}, file)
    with pytest.raises(DataError, match="outside must be"):
        sites.from_osm(ouse, {"amenity": "pub"}, file, outside=-1)


def test_openstreetmap_by_the_citys_outline(monkeypatch: pytest.MonkeyPatch, ouse: City) -> None:
    """Without a file osmnx is asked, here a stand-in; without osmnx the extra is named."""
    answer = gpd.GeoDataFrame(
        {"element": ["node"], "id": [5], "highway": ["street_lamp"]},
        geometry=[shapely.Point(-1.605, 54.97)],
        crs=4326,
    ).set_index(["element", "id"])
    stand_in = SimpleNamespace(features_from_bbox=lambda *_: answer)
    monkeypatch.setitem(sys.modules, "osmnx", stand_in)
    made = sites.from_osm(ouse, {"highway": "street_lamp"})
    assert list(made["site_id"]) == ["n5"]
    assert list(made["area_id"]) == ["e"]
    monkeypatch.setitem(sys.modules, "osmnx", None)
    with pytest.raises(MissingExtraError, match=r"spineq\[osm\]"):
        sites.from_osm(ouse, {"highway": "street_lamp"})


def in_town(**at: tuple[float, float]) -> gpd.GeoDataFrame:
    frame = sites_at(at)
    return gpd.GeoDataFrame(
        frame[["site_id"]], geometry=gpd.points_from_xy(frame["x"], frame["y"]), crs=CRS
    )


@pytest.mark.parametrize("to", [river_lines(), river_tables()], ids=["lines", "tables"])
def test_snapped_to_streets(to: Any) -> None:
    """To the nearest place on any street, not to a junction."""
    made = sites.snap(in_town(a=(130, 110), b=(300, 300)).assign(price=[1, 2]), to)
    assert places(made) == [(130, 100), (300, 300)]
    assert list(made["snap_distance"]) == pytest.approx([10, 0])
    assert list(made["price"]) == [1, 2]
    assert made.crs == CRS


def test_snapped_to_points_and_files(tmp_path: Path) -> None:
    """To the nearest point, in whatever system it is; from a file; a table of x and y moves too."""
    lamps = in_town(l1=(0, 0), l2=(100, 0)).rename(columns={"site_id": "lamp"})
    moving = in_town(a=(30, 40), b=(90, 0))
    made = sites.snap(moving, lamps)
    assert places(made) == [(0, 0), (100, 0)]
    assert list(made["snap_distance"]) == pytest.approx([50, 10])
    path = tmp_path / "lamps.geojson"
    lamps.to_crs("EPSG:4326").to_file(path)
    assert np.allclose(places(sites.snap(moving, path)), [(0, 0), (100, 0)], atol=0.01)
    path = tmp_path / "kerbs.gpkg"
    river_lines().to_file(path)
    assert places(sites.snap(moving, str(path))) == [(0, 40), (90, 0)]
    plain = sites_at({"a": (30, 40), "b": (90, 0)})
    made = sites.snap(plain, lamps)
    assert places(made) == [(0, 0), (100, 0)]
    assert "x" not in made.columns
    assert town({"z": (0, 0)}).with_sites(made).n_sites == 2


def test_snapped_to_an_extract(tmp_path: Path) -> None:
    """Streets that people walk on."""
    at = gpd.GeoSeries([shapely.Point(-1.6099, 54.9705)], crs=4326).to_crs(CRS)
    moving = gpd.GeoDataFrame({"site_id": ["a"]}, geometry=at, crs=CRS)
    made = sites.snap(moving, extracts(tmp_path)[".osm.pbf"])
    back = made.to_crs("EPSG:4326").geometry.iloc[0]
    assert back.x == pytest.approx(-1.61, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 900)), min_size=1, max_size=8))
def test_snapping_twice_is_snapping_once(at: list[tuple[int, int]]) -> None:
    """What is on a street stays; no street is nearer than the distance that is told."""
    first = sites.snap(in_town(**{f"s{k}": place for k, place in enumerate(at)}), river_lines())
    again = sites.snap(first, river_lines())
    assert np.allclose(places(first), places(again), atol=1e-6)
    assert (again["snap_distance"] < 1e-6).all()
    moving = in_town(**{f"s{k}": place for k, place in enumerate(at)})
    nearest = [river_lines().distance(point).min() for point in moving.geometry]
    assert list(first["snap_distance"]) == pytest.approx(nearest, abs=1e-6)


def test_a_limit_leaves_out_and_says_so() -> None:
    """Farther sites are left out with a warning; where none is left, that is refused."""
    moving = in_town(a=(130, 110), b=(150, 150))
    with pytest.warns(SpineqWarning, match=r"1 of 2 sites are farther than 20 m \(up to 50 m\)"):
        made = sites.snap(moving, river_lines(), limit=20)
    assert list(made["site_id"]) == ["a"]
    with pytest.raises(DataError, match="no site is within 5 m; the nearest is 10 m away"):
        sites.snap(moving, river_lines(), limit=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(sites.snap(moving, river_lines(), limit=50)) == 2


def test_bad_snapping() -> None:
    """Refused in plain words."""
    moving = in_town(a=(130, 110))
    with pytest.raises(DataError, match="limit must be metres"):
        sites.snap(moving, river_lines(), limit=-1)
    with pytest.raises(UnreadableFileError, match="a table is needed"):
        sites.snap([1, 2], river_lines())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="not a single site"):
        sites.snap(moving.head(0), river_lines())
    with pytest.raises(DataError, match="not a single point"):
        sites.snap(moving, moving.head(0))
    with pytest.raises(GeographicCRSError, match="does not give metres"):
        sites.snap(moving.to_crs("EPSG:4326"), river_lines())
    with pytest.raises(UnreadableFileError, match="neither the sites nor"):
        sites.snap(sites_at({"a": (0, 0)}), sites_at({"b": (0, 0)}))
    with pytest.raises(UnreadableFileError, match="7 is no street network"):
        sites.snap(moving, 7)
    with pytest.raises(MissingFileError, match="no such file"):
        sites.snap(moving, "nowhere/kerbs.gpkg")
    streets = read_streets(river_lines(), moving.crs, (-1e9, -1e9, 1e9, 1e9))
    with pytest.raises(UnknownCRSError, match=r"streets are in EPSG:27700, and .* in EPSG:32630"):
        sites.snap(moving.to_crs("EPSG:32630"), streets)
    assert places(sites.snap(moving, streets)) == [(130, 100)]


def test_sites_on_the_demo_city() -> None:
    """A grid over San Francisco goes through the solver, its sites being no areas."""
    city = sq.demo_city()
    made = sites.grid(city, 1000)
    net = sq.optimise(city.with_sites(made), n_sensors=5, theta=500)
    assert set(net.sensors["site"]) <= set(made["site_id"])
    assert json.dumps(net.to_dict())
    assert pyproj.CRS(made.crs) == city.crs


def test_how_far_outside_as_numpy_writes_it(tmp_path: Path, ouse: City) -> None:
    """A whole number of numpy is a number; a truth value is none."""
    file, tags = extracts(tmp_path)[".osm"], {"highway": "street_lamp"}
    assert len(sites.from_osm(ouse, tags, file, outside=np.int64(5)))
    with pytest.raises(DataError, match="outside must be metres"):
        sites.from_osm(ouse, tags, file, outside=True)
