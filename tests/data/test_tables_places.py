"""Tables of places as public services publish them: other names of columns, ids with zeros."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import spineq as sq
from spineq import demand, existing, sites
from spineq.data._tables import read_table

CRS = "EPSG:27700"
WEST, SOUTH = 420_000.0, 560_000.0

#: Two places, in the areas 001 and NA.
XY = np.array([[WEST + 50, SOUTH + 50], [WEST + 150, SOUTH + 50]])

READERS: list[Callable[..., gpd.GeoDataFrame]] = [
    demand.from_points,
    demand.group_points,
    existing.from_file,
    sites.from_file,
]


def squares() -> sq.City:
    """Areas 001 and NA of 100 m by 100 m in a row."""
    shapes = [shapely.box(WEST + x, SOUTH, WEST + x + 100, SOUTH + 100) for x in (0, 100)]
    table = {"area_id": ["001", "NA"], "population": 10}
    return sq.City.from_frame(gpd.GeoDataFrame(table, geometry=shapes, crs=CRS))


def degrees() -> np.ndarray[Any, Any]:
    return shapely.get_coordinates(
        gpd.GeoSeries(gpd.points_from_xy(*XY.T), crs=CRS).to_crs("EPSG:4326").to_numpy()
    )


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("names", "metres"),
    [
        (("oseast1m", "osnrth1m"), True),
        (("Easting", "Northing"), True),
        (("EASTINGS", "NORTHINGS"), True),
        (("X", "Y"), True),
        (("long", "lat"), False),
        (("Longitude", "Latitude"), False),
        (("lon", "Lat"), False),
    ],
)
def test_usual_names_of_coordinates(
    tmp_path: Path, read: Callable[..., gpd.GeoDataFrame], names: tuple[str, str], metres: bool
) -> None:
    """A postcode directory needs no renaming, and its degrees no word of their system."""
    file = tmp_path / "places.csv"
    there = XY if metres else degrees()
    pd.DataFrame(there, columns=list(names)).to_csv(file, index=False)
    found = read(squares(), file)
    assert found["area_id"].tolist() == ["001", "NA"]
    assert np.allclose(shapely.get_coordinates(found.geometry.to_numpy()), XY, atol=0.01)
    assert not set(names) & set(found.columns)


def test_of_several_sorts_of_coordinates_x_and_y_win() -> None:
    """And metres win over degrees, as a postcode directory has both."""
    table = pd.DataFrame(XY, columns=["x", "y"]).assign(lat=0.0, long="nowhere", oseast1m=0)
    found = existing.from_file(squares(), table)
    assert found["area_id"].tolist() == ["001", "NA"]
    both = pd.DataFrame(XY, columns=["oseast1m", "osnrth1m"]).assign(lat=99.9, long=0.0)
    assert existing.from_file(squares(), both)["area_id"].tolist() == ["001", "NA"]


def test_names_mean_what_the_user_says() -> None:
    """In the system that is named; and a coordinate that is none is named by its column."""
    there = pd.DataFrame(degrees(), columns=["easting", "northing"])
    found = existing.from_file(squares(), there, crs="EPSG:4326")
    assert found["area_id"].tolist() == ["001", "NA"]
    with pytest.raises(sq.SpineqError, match=r"row 2, field oseast1m: the value is empty"):
        existing.from_file(squares(), pd.DataFrame({"oseast1m": [WEST, None], "osnrth1m": SOUTH}))


@pytest.mark.parametrize("read", READERS)
def test_degrees_without_a_system(tmp_path: Path, read: Callable[..., gpd.GeoDataFrame]) -> None:
    """What is to be mended is said of the function at hand."""
    file = tmp_path / "places.csv"
    pd.DataFrame(degrees(), columns=["x", "y"]).to_csv(file, index=False)
    with pytest.raises(sq.SpineqError, match=r"look like degrees.*give crs='EPSG:4326' here"):
        read(squares(), file)


def test_ids_in_columns_that_the_user_names_stay_text(tmp_path: Path) -> None:
    """001 is not 1, and NA is a name."""
    file = tmp_path / "places.csv"
    table = pd.DataFrame(XY, columns=["x", "y"])
    table.assign(zone=["001", "NA"], code=["007", "NA"]).to_csv(file, index=False)
    assert existing.from_file(squares(), file, area="zone")["area_id"].tolist() == ["001", "NA"]
    for read in (demand.from_points, demand.group_points):
        found = read(squares(), file, area="zone", id="code")
        assert found["area_id"].tolist() == ["001", "NA"]
        assert found["point_id"].tolist() == ["007", "NA"]
        with pytest.raises(sq.SpineqError, match="'URN' is missing"):
            read(squares(), file, id="URN")
    assert sites.from_file(squares(), file, id="code")["site_id"].tolist() == ["007", "NA"]
    assert read_table(file, "points", ("zone", None))["zone"].tolist() == ["001", "NA"]


def test_order_of_sensors_without_ids_changes_nothing() -> None:
    table = pd.DataFrame(
        {"x": WEST + np.array([90, 10, 150, 10]), "y": SOUTH + np.array([50, 9, 50, 5])}
    )
    found = existing.from_file(squares(), table)
    assert found.equals(existing.from_file(squares(), table.iloc[::-1]))
    assert (found.geometry.y - SOUTH).tolist() == [5, 9, 50, 50]


def test_points_with_nobody_are_left_out_and_said() -> None:
    table = pd.DataFrame({"x": [WEST + 1, WEST + 2, WEST + 3, 0.0], "y": SOUTH, "n": [1, 0, 0, 5]})
    with pytest.warns(
        sq.SpineqWarning, match=r"1 of 4 points lies outside .* 2 of 4 points weigh 0 and are left"
    ):
        assert len(demand.group_points(squares(), table, "n")) == 1


def test_an_area_that_crosses_itself_is_spread_over() -> None:
    """A bow-tie has as many points as a square: those inside of its mended polygon."""
    corners = np.array([[0, 0], [100, 100], [100, 0], [0, 100]]) + XY[0]
    frame = gpd.GeoDataFrame(
        {"area_id": ["tie"], "population": 10}, geometry=[shapely.Polygon(corners)], crs=CRS
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        city = sq.City.from_frame(frame)
    assert len(demand.spread(city, 16)) >= 16
