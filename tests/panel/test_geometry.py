"""Where areas are on a web map."""

from __future__ import annotations

import io
import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from bent_cities import bent_city

import spineq as sq
from spineq.panel.geometry import MOST_SHAPES, Picture, Places, Shapes, areas_of
from spineq.panel.palette import NO_DATA, SEQUENTIAL, UNKNOWN


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def points(city: sq.City) -> sq.City:
    data = city.dataset
    table = {"area_id": data["area"], "x": data["x"], "y": data["y"], "population": 1.0}
    return sq.City.from_frame(pd.DataFrame(table), crs=city.crs)


def test_there_and_back(city: sq.City) -> None:
    """Places come back to a millimetre, and San Francisco is where it is."""
    places = Places(city)
    lonlat = places.to_lonlat(city.site_xy)
    assert (np.abs(lonlat - [-122.44, 37.76]) < 0.2).all()
    np.testing.assert_allclose(places.to_xy(lonlat), city.site_xy, atol=1e-3)
    assert [places.nearest_site(xy + 1.0) for xy in city.site_xy[:5]] == [0, 1, 2, 3, 4]


def test_shapes_are_the_polygons(city: sq.City) -> None:
    """In order, valid, to six decimals, and no different to the eye."""
    shapes = Shapes(city)
    made = shapes.geojson()
    text = json.dumps(made)
    drawn = gpd.GeoDataFrame.from_features(json.loads(text), crs="EPSG:4326").to_crs(city.crs)
    polygons = city.polygons
    assert polygons is not None
    assert drawn.is_valid.all()
    change = shapely.symmetric_difference(drawn.geometry.to_numpy(), polygons.geometry.to_numpy())
    assert shapely.area(change).sum() < 0.002 * polygons.area.sum()
    assert max(map(len, re.findall(r"\.(\d+)", text))) <= 6
    assert shapes.kind == "polygons"
    south, west, north, east = shapes.bounds
    assert 37.6 < south < north < 37.9
    assert -122.6 < west < east < -122.3


def test_points_where_there_are_no_polygons(points: sq.City) -> None:
    """An area is then a point."""
    shapes = Shapes(points)
    assert shapes.kind == "points"
    features: list = shapes.geojson()["features"]  # type: ignore[assignment, type-arg]
    assert [feature["geometry"]["type"] for feature in features] == ["Point"] * points.n_areas


@pytest.mark.parametrize("with_polygons", [True, False])
def test_the_picture_finds_each_area(city: sq.City, points: sq.City, with_polygons: bool) -> None:
    """An area's own point is in the area; far outside there is none."""
    shown = city if with_polygons else points
    picture = Picture(shown, pixels=800)
    data = shown.dataset
    places = Places(shown).to_lonlat(np.column_stack([data["x"], data["y"]]))
    found = [picture.area_at(*place) for place in places]
    same = np.mean(np.array(found, dtype=float) == np.arange(shown.n_areas))
    assert same > 0.97
    assert picture.area_at(0.0, 0.0) is None
    assert picture.area_at(-122.52, 37.83) is None
    assert max(picture.labels.shape) == 800


def test_shapes_and_picture_agree(city: sq.City) -> None:
    """Both know the same area at the same place."""
    shapes, picture = Shapes(city), Picture(city)
    south, west, north, east = shapes.bounds
    random = np.random.default_rng(1)
    places = random.uniform([west, south], [east, north], (400, 2))
    same = [shapes.area_at(*place) == picture.area_at(*place) for place in places]
    assert np.mean(same) > 0.98


def test_png(city: sq.City) -> None:
    """Each pixel has the colour of its area; where there is none it is transparent."""
    from PIL import Image

    picture = Picture(city, pixels=400)
    classes = (np.arange(city.n_areas) % 24).astype(np.uint8)
    classes[5] = NO_DATA
    with Image.open(io.BytesIO(picture.png(classes, SEQUENTIAL, UNKNOWN))) as image:
        pixels = np.asarray(image.convert("RGBA"))
    assert (pixels[..., 3] == np.where(picture.labels < 0, 0, 255)).all()
    for area, colour in ((0, SEQUENTIAL[0]), (5, UNKNOWN), (30, SEQUENTIAL[6])):
        here = pixels[picture.labels == area]
        assert len(here)
        assert (here[:, :3] == list(bytes.fromhex(colour[1:]))).all()


def test_a_hole_shows_what_lies_in_it() -> None:
    """An island area in a ring is drawn over it; an empty hole is no area."""
    ring = shapely.box(0, 0, 1000, 1000)
    ring = ring.difference(shapely.box(200, 200, 400, 400))
    ring = ring.difference(shapely.box(600, 600, 800, 800))
    inner = shapely.box(200, 200, 400, 400)
    frame = gpd.GeoDataFrame(
        {"area_id": ["a", "b"], "population": [1, 1]}, geometry=[inner, ring], crs="EPSG:27700"
    )
    city = sq.City.from_frame(frame)
    picture, places = Picture(city, pixels=200), Places(city)
    spots = places.to_lonlat(np.array([[300, 300], [700, 700], [100, 100]], dtype=float))
    assert [picture.area_at(*spot) for spot in spots] == [0, None, 1]


def test_many_areas_are_a_picture() -> None:
    """Beyond the limit one picture is drawn; a city is not drawn twice."""
    n = MOST_SHAPES + 1
    side = np.arange(n)
    table = {"area_id": [f"{k:05}" for k in side], "x": side % 101 * 90.0, "y": side // 101 * 90.0}
    city = sq.City.from_frame(pd.DataFrame({**table, "population": 1.0}), crs="EPSG:27700")
    made = areas_of(city)
    assert made.kind == "image"
    assert made.shapes() == b""
    assert areas_of(city) is made
    assert made.paint(np.zeros(n, dtype=np.uint8), SEQUENTIAL, UNKNOWN).startswith(b"\x89PNG")


def test_shapes_of_real_detail_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are too many corners, more are left out; neighbours still fit."""
    city = bent_city(60)
    fine = Shapes(city)
    monkeypatch.setattr("spineq.panel.geometry._MOST_CORNERS", 1_000)
    coarse = Shapes(city)
    assert len(coarse.shapes()) < len(fine.shapes()) / 2
    drawn = gpd.GeoDataFrame.from_features(coarse.geojson(), crs="EPSG:4326").geometry
    assert drawn.count_coordinates().sum() <= 1_000
    assert shapely.coverage_is_valid(drawn.to_numpy())
    assert fine.bounds == pytest.approx(coarse.bounds, abs=0.005)
