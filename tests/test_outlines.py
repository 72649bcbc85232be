"""Areas with fewer corners: for display, and for nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from bent_cities import bent_city

import spineq as sq
from spineq._outlines import n_corners, outlines


@pytest.fixture(scope="module")
def city() -> sq.City:
    return bent_city(60)


def test_neighbours_still_fit(city: sq.City) -> None:
    """Most corners go; no gap or overlap opens, and each area is nearly as it was."""
    polygons = city.polygons
    assert polygons is not None
    before = polygons.geometry.to_numpy()
    after = outlines(city, 500)
    assert after is not None
    assert shapely.count_coordinates(after) < n_corners(city) / 4
    assert shapely.coverage_is_valid(before)
    assert shapely.coverage_is_valid(after)
    change = shapely.area(shapely.symmetric_difference(before, after)).sum()
    assert change < 0.03 * polygons.area.sum()


def test_more_goes_where_there_are_too_many(city: sq.City) -> None:
    """The most corners hold; the most metres hold more back."""
    fine = outlines(city, 500, most_metres=0.5)
    few = outlines(city, 500, most_corners=500)
    assert fine is not None
    assert few is not None
    assert shapely.count_coordinates(few) <= 500
    assert shapely.coverage_is_valid(few)
    assert shapely.count_coordinates(fine) > 2 * shapely.count_coordinates(outlines(city, 500))
    assert not shapely.is_empty(few).any()


def test_a_broken_area_costs_the_others_nothing(city: sq.City) -> None:
    """An invalid polygon is drawn somehow; the others are simplified as ever."""
    polygons = city.polygons
    assert polygons is not None
    shapes = polygons.geometry.to_numpy().copy()
    west, south, _, _ = shapes[7].bounds
    corner = np.array([west, south])
    bow = np.add(corner, [[0, 0], [50, 50], [50, 0], [0, 50]])
    shapes[7] = shapely.MultiPolygon([shapely.Polygon(bow)])
    spike = [[0, 0], [50, 0], [50, 50], [50, 0], [90, 0], [50, 0], [0, 50]]
    shapes[9] = shapely.Polygon(np.add(corner, spike))
    assert (~shapely.is_valid(shapes)).sum() == 2
    table = city.to_frame().drop(columns="geometry")
    broken = sq.City.from_frame(gpd.GeoDataFrame(table, geometry=shapes, crs=city.crs))
    after = outlines(broken, 500)
    assert after is not None
    assert not shapely.is_empty(after).any()
    assert shapely.count_coordinates(after) < n_corners(broken) / 4


def test_a_tiny_area_stays() -> None:
    """An area that is smaller than what is left out is drawn as it is."""
    shapes = [shapely.box(0, 0, 90_000, 90_000), shapely.Point(95_000, 0).buffer(0.5)]
    table = {"area_id": ["a", "b"], "population": [1, 1]}
    city = sq.City.from_frame(gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:27700"))
    after = outlines(city, 500)
    assert after is not None
    assert (shapely.area(after) > 0).all()


def test_figures_are_from_whole_polygons(city: sq.City) -> None:
    """Looking at a city changes nothing of it; only rooms that draw have outlines."""
    polygons, digest = city.polygons, city.digest
    assert polygons is not None
    outlines(city, 50)
    again = city.polygons
    assert again is not None
    assert shapely.equals_exact(polygons.geometry.to_numpy(), again.geometry.to_numpy(), 0).all()
    assert city.digest == digest
    package = Path(sq.__file__).parent
    using = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "spineq._outlines"
    }
    drawing = ("_plot_parts.py", "panel/geometry.py", "report/city_map.py", "report/page_shapes.py")
    assert using == set(drawing)
    simplifying = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if "simplify(" in path.read_text() and "embedded" not in path.parts
    }
    assert simplifying == {"_outlines.py"}


def test_points_have_no_outlines() -> None:
    """A city without polygons has none to simplify."""
    table = sq.demo_city("synthetic", n_areas=5).to_frame().drop(columns="geometry")
    city = sq.City.from_frame(table, crs="EPSG:32631")
    assert outlines(city, 500) is None
    assert n_corners(city) == 0
