"""People spread over their areas."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

import spineq as sq
from spineq.insight.spread import spread_evenly


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


def test_every_area_keeps_its_people_inside_itself(city: sq.City) -> None:
    """Shares sum to 1, the points lie in the area, and there are enough of them."""
    spread = spread_evenly(city, 16)
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
    spread = spread_evenly(city, 200)
    assert city.polygons is not None
    centroids = city.polygons.geometry.centroid
    sizes = np.sqrt(city.polygons.area.to_numpy())
    for axis, name in enumerate("xy"):
        mean = np.bincount(spread.point_area, weights=spread.point_xy[:, axis] * spread.point_share)
        away = np.abs(mean - getattr(centroids, name).to_numpy())
        assert (away < 0.05 * sizes).all()


def test_a_sensor_in_the_middle_covers_less(city: sq.City) -> None:
    """At a point everybody of the area is covered in full; spread, they are not."""
    net = sq.optimise(city, n_sensors=5, theta=500)
    places = net.sensors[["x", "y"]]
    spread = sq.evaluate(spread_evenly(city), places, theta=500, bound="none")
    assert spread.total_coverage < net.total_coverage


def test_what_cannot_be_spread() -> None:
    points = sq.demo_city("synthetic", n_areas=20)
    if points.polygons is None:
        with pytest.raises(sq.SpineqError, match="no polygons"):
            spread_evenly(points)
    with pytest.raises(sq.SpineqError, match="1 to 400"):
        spread_evenly(sq.demo_city(), 0)
