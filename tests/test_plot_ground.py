"""Maps of people and of the ground: what is drawn is what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from solvers.instances import city_of

import spineq as sq
from spineq.errors import DataError, ProblemError


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def pair(city: sq.City) -> tuple[sq.Network, sq.Network]:
    """Two networks of one question: the best and another."""
    best = sq.optimise(city, n_sensors=3, theta=500)
    return best, sq.evaluate(city, ["001", "064"], theta=500)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def values_of(ax: Axes) -> Any:
    (image,) = ax.images
    return image.get_array()


def test_density_is_people_per_hectare(city: sq.City) -> None:
    group = sq.GROUPS["workplace"]
    ax = sq.plot.density(city, group)
    assert city.polygons is not None
    drawn = ax.collections[0].get_array()
    assert drawn is not None
    people = city.people(group).values
    # A polygon of several parts is drawn as often.
    expected = people / (city.polygons.area.to_numpy() / 1e4)
    assert set(np.round(np.asarray(drawn, dtype=float), 9)) == set(np.round(expected, 9))
    bar = ax.figure.axes[-1]
    assert bar.get_ylabel() == "People per hectare"
    assert f"{people.sum():,.0f}" in ax.get_title()


def test_without_polygons_people_are_drawn() -> None:
    plain = city_of([[0, 0], [1000, 0], [3000, 500], [2000, 900]])
    ax = sq.plot.density(plain, sq.Group(ages=(0, 90)))
    assert ax.figure.axes[-1].get_ylabel() == "People of the area"


def test_a_group_at_points_of_its_own_is_drawn_at_them(city: sq.City) -> None:
    """Each dot as large as its weight, on pale areas, with a legend of weights."""
    x, y = city.dataset["x"].to_numpy()[:3], city.dataset["y"].to_numpy()[:3]
    schools = pd.DataFrame({"x": x + 7, "y": y - 7, "weight": [100.0, 300.0, 50.0]})
    there = city.with_group_points(schools, "schools")
    ax = sq.plot.density(there, sq.Group(column="schools"), name="schools")
    dots = ax.collections[-1]
    np.testing.assert_allclose(np.sort(dots.get_offsets()[:, 0]), np.sort(x + 7))
    sizes = np.sort(dots.get_sizes())
    np.testing.assert_allclose(sizes / sizes[-1], np.array([50, 100, 300]) / 300)
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "Weight of a point"
    assert "450" in ax.get_title(loc="left") + ax.get_title()


def test_sites_that_are_no_areas_are_dots(city: sq.City) -> None:
    """What one sensor would cover is drawn where it would stand, the best on top."""
    grid = city.with_sites(sq.sites.grid(city, 900))
    ax = sq.plot.importance(grid, theta=500)
    dots = ax.collections[-1]
    values = np.asarray(dots.get_array())
    assert len(values) == grid.n_sites
    assert (np.diff(values) >= 0).all()
    best = sq.optimise(grid, n_sensors=1, theta=500)
    np.testing.assert_allclose(values[-1], best.total_coverage)
    np.testing.assert_allclose(dots.get_offsets()[-1], best.sensors[["x", "y"]].to_numpy()[0])


def test_an_estimated_group_says_so(city: sq.City) -> None:
    ax = sq.plot.density(city, sq.GROUPS["pop_children"], name="pop_children")
    assert any("Estimated" in text.get_text() for text in ax.texts)


def test_the_ground_has_the_coverage_of_each_place(
    city: sq.City, pair: tuple[sq.Network, sq.Network]
) -> None:
    """The middle of a cell is covered as a demand point there would be."""
    best, other = pair
    ax = sq.plot.difference_grid(best, other, city, cell=200, labels=("new", "old"))
    values = values_of(ax)
    west, east, south, _ = ax.images[0].get_extent()
    columns = values.shape[1]
    assert (east - west) / columns == pytest.approx(200)
    inside = np.argwhere(np.isfinite(np.ma.filled(values, np.nan)))
    assert len(inside) > 100
    for row, column in inside[:: len(inside) // 7]:
        x = west + (column + 0.5) * 200
        y = south + (row + 0.5) * 200
        near = [np.hypot(net.sensors["x"] - x, net.sensors["y"] - y).min() for net in (best, other)]
        expected = np.exp(-near[0] / 500) - np.exp(-near[1] / 500)
        assert values[row, column] == pytest.approx(expected, abs=1e-12)
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "3 sensors: new", "2 sensors: old",
    ]  # fmt: skip
    assert any("Cells of 200 m" in text.get_text() for text in ax.texts)


def test_too_many_cells_become_fewer(city: sq.City, pair: tuple[sq.Network, sq.Network]) -> None:
    ax = sq.plot.difference_grid(*pair, city, cell=1)
    assert values_of(ax).size <= 250_000
    assert any("Cells of" in text.get_text() for text in ax.texts)


def test_nothing_is_drawn_outside_the_city(
    city: sq.City, pair: tuple[sq.Network, sq.Network]
) -> None:
    values = np.ma.filled(values_of(sq.plot.difference_grid(*pair, city)), np.nan)
    assert np.isnan(values).any()
    assert np.isfinite(values).any()


@pytest.mark.parametrize("cell", [0, -1, float("nan"), float("inf"), "wide", True])
def test_a_cell_of_no_size(
    cell: object, city: sq.City, pair: tuple[sq.Network, sq.Network]
) -> None:
    with pytest.raises(ProblemError, match="metres above 0"):
        sq.plot.difference_grid(*pair, city, cell=cell)  # type: ignore[arg-type]


def test_what_cannot_be_compared(city: sq.City, pair: tuple[sq.Network, sq.Network]) -> None:
    best, _ = pair
    far = sq.evaluate(city, ["001"], theta=900)
    with pytest.raises(ProblemError, match="different theta or decay"):
        sq.plot.difference_grid(best, far, city)
    with pytest.raises(DataError):
        sq.plot.difference_grid(best, best, sq.demo_city("synthetic", n_areas=20))
    with pytest.raises(ProblemError, match="a group is needed"):
        sq.plot.density(city, "children")  # type: ignore[arg-type]
