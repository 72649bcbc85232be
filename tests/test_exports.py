"""Files of a network: each is read back by what would read it, and holds what the network does."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from networks import network_of

import spineq as sq
from spineq.errors import DataError, ProblemError
from spineq.exports import KINDS, export, file_name

STRANGE = ["=1+1", "#N/A", "@cmd", "ordinary"]


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def net(city: sq.City) -> sq.Network:
    return sq.optimise(city, n_sensors=6, theta=500, keep=["001"], method="greedy")


@pytest.fixture(scope="module")
def strange() -> sq.City:
    """A city of areas whose ids Excel would take for formulas and errors."""
    table = pd.DataFrame({"area_id": STRANGE, "population": [100, 200, 300, 400]})
    table["x"], table["y"] = 420_000.0 + 300.0 * np.arange(4), 560_000.0
    return sq.City.from_frame(table, crs="EPSG:27700", name="Ünterstadt / <b>", code="X1")


@pytest.mark.parametrize("kind", list(KINDS))
def test_names_are_safe_and_say_what_it_is(
    kind: str, net: sq.Network, city: sq.City, strange: sq.City
) -> None:
    """City, number of sensors and theta; letters, digits, full stops and hyphens alone."""
    assert file_name(net, kind).startswith("spineq-san-francisco-6-new-sensors-theta-500.")
    other = file_name(network_of(strange, [0], theta=0.25), kind)
    assert re.fullmatch(r"[a-z0-9.-]+", other)
    assert other.startswith("spineq-unterstadt-b-1-sensor-theta-0.25.")
    for name in ("東京", "../..", ""):
        made = file_name(network_of(strange.labelled(name=name), [0, 1]), kind)
        assert made.startswith("spineq-x1-2-sensors-theta-600.")
    assert KINDS[kind].mime.count("/") == 1


def test_geojson_is_the_sensors(net: sq.Network, city: sq.City) -> None:
    """The points are the sensors', in degrees, with their figures."""
    name, data, mime = export(net, city, "geojson")
    assert (name[-8:], mime) == (".geojson", "application/geo+json")
    frame = gpd.read_file(io.BytesIO(data))
    assert frame.crs == "EPSG:4326"
    back = frame.to_crs(city.crs)
    sensors = net.sensors
    assert frame["site"].tolist() == sensors["site"].tolist()
    assert frame["order"].tolist() == sensors.index.tolist()
    np.testing.assert_allclose(back.geometry.x, sensors["x"], atol=0.1)
    np.testing.assert_allclose(back.geometry.y, sensors["y"], atol=0.1)
    np.testing.assert_allclose(frame["coverage"], sensors["coverage"])


def test_geopackage_has_its_layers(net: sq.Network, city: sq.City, tmp_path: Path) -> None:
    """Sensors and areas, the areas as polygons where the city has them."""
    path = tmp_path / "net.gpkg"
    path.write_bytes(export(net, city, "geopackage")[1])
    assert len(gpd.read_file(path, layer="sensors")) == net.n_sensors
    areas = gpd.read_file(path, layer="areas")
    assert len(areas) == city.n_areas
    np.testing.assert_allclose(areas["coverage"], net.area_coverage.to_numpy())


def test_csv_is_the_table_of_sensors(net: sq.Network, city: sq.City) -> None:
    """Read back, it is `Network.sensors`, and which of them stay."""
    data = export(net, city, "csv")[1]
    back = pd.read_csv(io.BytesIO(data), index_col="order", dtype={"site": str, "area": str})
    assert back.pop("kept").tolist() == [True] + 6 * [False]
    assert back.pop("number").tolist()[1:] == [1, 2, 3, 4, 5, 6]
    assert back.pop("existing").isna().all()
    pd.testing.assert_frame_equal(back, net.sensors, check_dtype=False)


def read(kind: str, data: bytes, path: Path) -> pd.DataFrame:
    """The table of sensors in a file, as what reads such a file has it."""
    path.write_bytes(data)
    if kind == "csv":
        return pd.read_csv(path)
    if kind == "xlsx":
        return pd.read_excel(path, sheet_name="Sensors")
    return gpd.read_file(path, layer="sensors")


@pytest.mark.parametrize("kind", ["geopackage", "geojson", "csv", "xlsx"])
def test_sensors_that_stay_have_their_ids(
    needs: Callable[[str], ModuleType], city: sq.City, tmp_path: Path, kind: str
) -> None:
    """Ids of all existing sensors at the place; numbers for those that were placed alone."""
    if kind == "xlsx":
        needs("openpyxl")
    p, q = city.site_xy[[3, 60]]
    # One that a projection left a hair from its site, two at one site, and one at no site.
    x, y = np.column_stack([p, q, q, p])
    x += [1e-4, 0.0, 0.0, 40.0]
    own = city.with_existing(pd.DataFrame({"sensor_id": list("pqrs"), "x": x, "y": y}))
    net = sq.optimise(own, n_sensors=2, keep="existing", method="greedy")
    name, data, _ = export(net, own, kind)
    assert name.startswith("spineq-san-francisco-2-new-sensors-")
    back = read(kind, data, tmp_path / f"net.{KINDS[kind].ending}")
    assert back["existing"].fillna("").tolist() == ["p", "q, r", "s", "", ""]
    assert back["number"].isna().tolist() == [True, True, True, False, False]
    assert back["number"].tolist()[3:] == [1, 2]
    assert back["order"].tolist() == [1, 2, 3, 4, 5]


def test_areas_have_people_and_distance(
    needs: Callable[[str], ModuleType], city: sq.City, tmp_path: Path
) -> None:
    """People of the network's groups by title, and metres; a title of a column is told apart."""
    needs("openpyxl")
    groups = {
        "jobs": sq.Group(column="workers", title="Coverage"),
        "pop_total": sq.GROUPS["pop_total"],
    }
    net = network_of(city, [3, 60], groups=groups)
    path = tmp_path / "net.gpkg"
    path.write_bytes(export(net, city, "geopackage")[1])
    layer = gpd.read_file(path, layer="areas")
    sheet = pd.read_excel(io.BytesIO(export(net, city, "xlsx")[1]), sheet_name="Areas")
    site = city.site_xy[[3, 60]]
    apart = np.hypot(*(city.sites[["x", "y"]].to_numpy()[:, None] - site).T).min(axis=0)
    for table in (layer, sheet):
        np.testing.assert_allclose(table["nearest_sensor_m"], apart)
        np.testing.assert_allclose(table["coverage"], net.area_coverage)
        for column, name in (("All residents", "pop_total"), ("Children (0-15)", "pop_children")):
            np.testing.assert_allclose(table[column], city.people(sq.GROUPS[name]).values)
        workers = city.people(sq.Group(column="workers")).values
        np.testing.assert_allclose(table["Coverage (people)"], workers)


def test_netcdf_is_the_network(net: sq.Network, city: sq.City, tmp_path: Path) -> None:
    """`read_network` reads back the same."""
    path = tmp_path / "net.nc"
    path.write_bytes(export(net, city, "netcdf")[1])
    assert sq.read_network(path) == net


def test_png_is_a_picture(net: sq.Network, city: sq.City) -> None:
    """It begins like one, and no figure stays open."""
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    data = export(net, city, "png")[1]
    assert data.startswith(b"\x89PNG")
    assert plt.get_fignums() == before


def test_the_workbook_has_sheets_and_words(
    needs: Callable[[str], ModuleType], net: sq.Network, city: sq.City
) -> None:
    """The summary, what was asked, certificate, source and version; tables as they are."""
    needs("openpyxl")
    sheets = pd.read_excel(
        io.BytesIO(export(net, city, "xlsx")[1]), sheet_name=None, dtype={"site": str, "area": str}
    )
    assert list(sheets) == ["Summary", "Sensors", "Groups", "Areas"]
    words = sheets["Summary"]
    assert words[words["What"] == "Summary"]["Words"].tolist() == net.summary().splitlines()
    said = dict(zip(words["What"], words["Words"], strict=True))
    assert said["Certificate"] == net.certificate()
    assert said["Source of the data"] == city.attribution
    assert said["Made with"] == f"spineq {sq.__version__}"
    assert (said["Asked: theta"], said["Asked: number of sensors"]) == ("500 m", "6")
    assert said["Asked: groups"] == "All residents, weight 1"
    assert said["Asked: keep"] == '["001"]'
    assert sheets["Sensors"]["site"].tolist() == net.sensors["site"].tolist()
    np.testing.assert_allclose(sheets["Sensors"]["gain"], net.sensors["gain"])
    assert sheets["Groups"]["title"].tolist()[0] == "All residents"
    np.testing.assert_allclose(sheets["Areas"]["coverage"], net.area_coverage.to_numpy())


def test_no_id_becomes_a_formula(needs: Callable[[str], ModuleType], strange: sq.City) -> None:
    """Whatever an id begins with, its cell holds text."""
    openpyxl = needs("openpyxl")
    net = network_of(strange, [0, 1, 2, 3])
    book = openpyxl.load_workbook(io.BytesIO(export(net, strange, "xlsx")[1]))
    cells: list[Any] = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type in ("f", "e")]
    table = book["Areas"]
    assert [table.cell(k, 1).value for k in range(2, 6)] == strange.dataset[
        "area"
    ].to_numpy().tolist()
    assert set(STRANGE) == {table.cell(k, 1).value for k in range(2, 6)}


def test_what_is_out_of_reach_has_an_empty_cell(
    needs: Callable[[str], ModuleType], strange: sq.City
) -> None:
    """A network of no sensors has no median distance, and can be written."""
    needs("openpyxl")
    net = sq.evaluate(strange, [], theta=500)
    groups = pd.read_excel(io.BytesIO(export(net, strange, "xlsx")[1]), sheet_name="Groups")
    assert groups["median distance"].isna().all()


def test_what_cannot_be_written_is_refused(
    net: sq.Network, city: sq.City, strange: sq.City
) -> None:
    """An unknown format, and a network of another city."""
    with pytest.raises(ProblemError, match=r"no file format 'shp'.*geopackage"):
        export(net, city, "shp")
    with pytest.raises(DataError, match="was made for San Francisco"):
        export(net, strange, "csv")


def test_a_group_that_is_only_owed_something_has_its_people(tmp_path: Path) -> None:
    """It is none of those that are weighed, and is in the network's tables all the same."""
    city = sq.demo_city()
    owed = {"old": (sq.Group(ages=(65, 90), title="Aged"), 0.01)}
    net = sq.optimise(city, n_sensors=3, theta=500, at_least=owed)
    net.to_gpkg(tmp_path / "net.gpkg", city)
    areas = gpd.read_file(tmp_path / "net.gpkg", layer="areas")
    assert areas["Aged"].sum() == city.people(owed["old"][0]).values.sum()
