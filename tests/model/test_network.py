"""Networks: files, words, and what other software reads in them."""

from __future__ import annotations

import json
import sqlite3
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import xarray as xr
from solvers.instances import city_of

import spineq as sq
from spineq.errors import DataError, NetworkFileError, StoreError
from spineq.model._styles import areas_qml, sensors_qml
from spineq.model.network import Network, network_from_bytes
from spineq.progress import RecordingProgress

#: The keys of the original system's results.
ORIGINAL_KEYS = {
    "lad20cd", "n_sensors", "theta", "sensors", "total_coverage", "oa_coverage", "oa_weight",
    "placement_history", "coverage_history", "pop_age_groups", "population_weight",
    "workplace_weight",
}  # fmt: skip

OUR_KEYS = {
    "upper_bound", "gap", "proven", "method", "group_coverage", "seconds", "version",
    "objective", "objective_value", "aversion", "worst_group", "worst_group_coverage", "own_best",
    "share_of_own_best", "gini_areas", "gini_people", "worst_tenth", "kept", "spent",
}  # fmt: skip

WRITERS = {
    "to_netcdf": "net.nc",
    "to_geojson": "net.geojson",
    "to_gpkg": "net.gpkg",
    "to_json": "net.json",
}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def custom() -> sq.City:
    """City without polygons, with sites of its own, umlauts and quotes in its words."""
    city = city_of([[0, 0], [1000, 0], [3000, 50]], name='Zoë\'s <Town> & "Co"')
    sites = pd.DataFrame({"site_id": ["Süd", "S<2>"], "x": [400_100, 402_900], "y": [500_000] * 2})
    return city.with_sites(sites)


@pytest.fixture(scope="module")
def networks(city: sq.City, custom: sq.City) -> dict[str, Network]:
    groups = {
        "a&b": sq.Group(ages=(0, 15), title="Kids & <co>"),
        "jobs": sq.Group(column="workers"),
    }
    minutes = custom.with_travel(
        pd.DataFrame({"site": ["Süd"], "area": ["A0"], "cost": [1.0]}), unit="minutes"
    )
    metres = custom.with_travel(pd.DataFrame({"site": ["Süd"], "area": ["A0"], "cost": [9.0]}))
    return {
        "plain": sq.optimise(city, n_sensors=5, theta=500, method="exchange"),
        "mixed": sq.optimise(custom, n_sensors=1, groups=groups, decay="gaussian"),
        "empty": sq.optimise(city, n_sensors=5, theta=77, progress=RecordingProgress(1)),
        "custom": sq.optimise(custom, n_sensors=2),
        "areas": sq.evaluate(custom, ["A1", "Süd"]),
        "free": sq.evaluate(custom, np.array([[400_500.0, 500_300.0]])),
        "minutes": sq.optimise(minutes, n_sensors=1, theta=5),
        "out of reach": sq.optimise(metres, n_sensors=1),
        "existing": sq.evaluate(custom.with_existing(custom.sites), "existing-points"),
    }


NAMES = (
    "plain", "mixed", "empty", "custom", "areas", "free", "minutes", "out of reach", "existing",
)  # fmt: skip


# ---------------------------------------------------------------------------- figures


def test_the_empty_one_is_empty(networks: dict[str, Network]) -> None:
    """The network that was stopped at once has no sensors, is marked, and has a bound."""
    net = networks["empty"]
    assert (net.n_sensors, net.stopped, net.total_coverage) == (0, True, 0.0)
    assert net.gap == 1.0
    assert net.sensors.empty


@pytest.mark.parametrize("name", NAMES)
def test_figures_agree_with_each_other(networks: dict[str, Network], name: str) -> None:
    """Total, history, gains, areas and groups are one set of figures."""
    net = networks[name]
    data = net.dataset
    assert net.coverage_history == net.sensors["coverage"].tolist()
    assert net.sensors["gain"].sum() == pytest.approx(net.total_coverage, abs=1e-12)
    by_area = float((data["area_weight"] * net.area_coverage).sum())
    assert by_area == pytest.approx(net.total_coverage, abs=1e-12)
    mixed = float((data["group_weight"] * net.group_coverage).sum())
    assert mixed == pytest.approx(net.total_coverage, abs=1e-12)
    assert float(data["area_weight"].sum()) == pytest.approx(1.0)
    if net.upper_bound is not None and net.gap is not None:
        assert net.gap == pytest.approx(1 - net.total_coverage / net.upper_bound)
        assert net.proven == (net.gap <= 1e-9)


def test_networks_differ_by_more_than_time(networks: dict[str, Network]) -> None:
    """Equality ignores the seconds and nothing else."""
    net = networks["plain"]
    assert Network(net.dataset.assign_attrs(seconds=99.0)) == net
    assert Network(net.dataset.assign_attrs(method="given")) != net
    nudged = net.dataset.copy(deep=True)
    nudged["gain"][0] = np.nextafter(float(nudged["gain"][0]), 1.0)
    assert Network(nudged) != net
    assert (net == "a word") is False


# ---------------------------------------------------------------------------- NetCDF


@pytest.mark.parametrize("name", NAMES)
def test_netcdf_round_trip_is_exact(
    networks: dict[str, Network], name: str, tmp_path: Path
) -> None:
    """What is read back equals what was written, bit for bit, seconds included."""
    net = networks[name]
    path = net.to_netcdf(tmp_path / "made" / "net.nc")
    back = sq.read_network(path)
    assert back == net
    assert back.seconds == net.seconds
    assert back.problem == net.problem
    assert back.summary() == net.summary()
    assert back.to_dict() == net.to_dict()
    # And once more: what was read can be written.
    assert sq.read_network(back.to_netcdf(path)) == net


def test_files_that_are_no_network(tmp_path: Path) -> None:
    """A missing file, text, a foreign NetCDF and a later schema each get their own words."""
    with pytest.raises(NetworkFileError, match="no such file"):
        sq.read_network(tmp_path / "none.nc")
    text = tmp_path / "text.nc"
    text.write_text("hello")
    with pytest.raises(NetworkFileError, match="cannot be read as NetCDF"):
        sq.read_network(text)
    foreign = tmp_path / "foreign.nc"
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(foreign)
    with pytest.raises(NetworkFileError, match="not a network"):
        sq.read_network(foreign)
    later = tmp_path / "later.nc"
    xr.Dataset(attrs={"spineq_schema": 99, "problem": "{}"}).to_netcdf(later)
    with pytest.raises(NetworkFileError, match="schema 99"):
        sq.read_network(later)


@pytest.mark.parametrize("schema", ["abc", -1, 0, 1.5, [1, 2]])
def test_schemas_that_are_none(tmp_path: Path, schema: object) -> None:
    """A schema that is no whole number of 1 or more is refused in words."""
    path = tmp_path / "odd.nc"
    xr.Dataset(attrs={"spineq_schema": schema, "problem": "{}"}).to_netcdf(path)
    with pytest.raises(NetworkFileError, match="no number of a schema"):
        sq.read_network(path)


def test_files_that_were_changed(networks: dict[str, Network], tmp_path: Path) -> None:
    """Missing or other variables and attributes are noticed by the file's digest."""
    path = networks["plain"].to_netcdf(tmp_path / "net.nc")
    with xr.open_dataset(path) as opened:
        whole = opened.load()
    nudged = whole.copy(deep=True)
    nudged["gain"][0] = np.nextafter(float(nudged["gain"][0]), 1.0)
    moved = whole.copy(deep=True)
    moved["site"] = moved["site"][::-1]
    other = whole.copy()
    del other.attrs["problem"]
    for changed in (
        nudged,
        moved,
        other,
        whole.drop_vars("gain"),
        whole.assign_attrs(total_coverage="much"),
        whole.assign_attrs(problem="{}"),
        whole.assign_attrs(spineq_digest="0"),
        whole.assign(more=("x", [1.0])),
    ):
        changed.to_netcdf(path)
        with pytest.raises(NetworkFileError, match="damaged or changed"):
            sq.read_network(path)
    whole.to_netcdf(path)
    assert sq.read_network(path) == networks["plain"]


def test_damaged_bytes_are_noticed(networks: dict[str, Network], tmp_path: Path) -> None:
    """A file with flipped or missing bytes is refused, or what counts in it is whole."""
    net = networks["custom"]
    good = net.to_netcdf(tmp_path / "net.nc").read_bytes()
    bad = tmp_path / "bad.nc"
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        data = bytearray(good)
        for place in generator.integers(0, len(data), 8):
            data[place] ^= 1 << int(generator.integers(8))
        bad.write_bytes(data)
        try:
            assert sq.read_network(bad) == net
        except NetworkFileError:
            refused += 1
    assert refused > 0
    for length in (0, 7, len(good) // 2):
        bad.write_bytes(good[:length])
        with pytest.raises(NetworkFileError):
            sq.read_network(bad)


def test_damaged_bytes_do_not_come_to_hdf5(
    networks: dict[str, Network], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HDF5 may never return from them: a changed byte is noticed before it sees any."""
    net = networks["plain"]
    good = net.to_netcdf(tmp_path / "net.nc").read_bytes()
    end = good.index(b"\nspineq-sha256:")
    monkeypatch.setattr("spineq.model._netcdf.decoded", lambda _: pytest.fail("it was read"))
    for place in [*range(0, end, 997), end - 1, len(good) - 1]:
        data = bytearray(good)
        data[place] ^= 8
        with pytest.raises(NetworkFileError, match="damaged or changed"):
            network_from_bytes(bytes(data))


def test_what_other_software_wrote_anew_is_read(
    networks: dict[str, Network], tmp_path: Path
) -> None:
    """xarray opens our file, and what it writes, without the bytes behind the end, is ours too."""
    net = networks["plain"]
    with xr.open_dataset(net.to_netcdf(tmp_path / "net.nc")) as data:
        data.to_netcdf(tmp_path / "again.nc")
    assert b"spineq-sha256:" not in (tmp_path / "again.nc").read_bytes()
    assert sq.read_network(tmp_path / "again.nc") == net


@pytest.mark.parametrize("path", [5, None, []])
def test_what_names_no_file(networks: dict[str, Network], path: Any) -> None:
    """Neither read nor written."""
    net = networks["plain"]
    with pytest.raises(NetworkFileError, match="does not name a file"):
        sq.read_network(path)
    for write in (net.to_netcdf, net.to_json, net.to_geojson, net.to_gpkg):
        with pytest.raises(StoreError, match="does not name a file"):
            write(path)


@pytest.mark.parametrize("name", NAMES)
def test_bytes_round_trip_is_exact(networks: dict[str, Network], name: str, tmp_path: Path) -> None:
    """Through bytes a network stays as it is, and they are the content of a file."""
    net = networks[name]
    back = network_from_bytes(net.to_bytes())
    assert back == net
    assert back.seconds == net.seconds
    assert back.dataset.coords.keys() == net.dataset.coords.keys()
    assert network_from_bytes(back.to_bytes()) == net
    path = net.to_netcdf(tmp_path / "net.nc")
    assert network_from_bytes(path.read_bytes()) == net


@pytest.mark.parametrize("name", NAMES)
def test_what_xarray_reads_and_writes(
    networks: dict[str, Network], name: str, tmp_path: Path
) -> None:
    """Xarray sees in a file the same dataset, and a file that it wrote of it is read."""
    net = networks[name]
    with xr.open_dataset(net.to_netcdf(tmp_path / "net.nc")) as opened:
        theirs = opened.load()
    written = theirs.attrs["spineq_digest"]
    for field, ours in net.dataset.variables.items():
        assert theirs[field].attrs == ours.attrs
        assert theirs[field].dims == ours.dims
        np.testing.assert_array_equal(theirs[field].to_numpy(), ours.to_numpy())
    assert theirs.coords.keys() == net.dataset.coords.keys()
    # As earlier versions wrote it.
    net.dataset.assign_attrs(spineq_digest=written).to_netcdf(tmp_path / "earlier.nc")
    assert sq.read_network(tmp_path / "earlier.nc") == net


def test_bytes_that_are_no_network(networks: dict[str, Network], tmp_path: Path) -> None:
    """Foreign, cut and changed bytes are refused in words that name no file."""
    good = networks["custom"].to_bytes()
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "foreign.nc")
    foreign = (tmp_path / "foreign.nc").read_bytes()
    for data in (b"", b"hello", bytes(4096), good[:100], good[: len(good) // 2]):
        with pytest.raises(NetworkFileError, match=r"data cannot be read as NetCDF .*to_bytes"):
            network_from_bytes(data)
    with pytest.raises(NetworkFileError, match="data is NetCDF, but not a network"):
        network_from_bytes(foreign)
    at = good.index(np.float64(networks["custom"].dataset["gain"][0]).tobytes())
    with pytest.raises(NetworkFileError, match="data was damaged or changed"):
        network_from_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])


def test_bytes_from_many_threads(networks: dict[str, Network]) -> None:
    """Networks are written and read by several threads at once."""
    names = ["plain", "mixed", "custom", "areas"] * 20
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda name: network_from_bytes(networks[name].to_bytes()), names)
        assert all(net == networks[name] for net, name in zip(made, names, strict=True))


def test_a_folder_is_no_network(tmp_path: Path) -> None:
    """Where a folder is named instead of a file, that is said."""
    with pytest.raises(NetworkFileError, match="cannot be read"):
        sq.read_network(tmp_path)


# ---------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("name", NAMES)
def test_dict_has_the_original_keys_and_is_json(networks: dict[str, Network], name: str) -> None:
    """The description has the original's keys and ours, in JSON's types, without NaN."""
    net = networks[name]
    made = net.to_dict()
    assert set(made) >= ORIGINAL_KEYS | OUR_KEYS
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["n_sensors"] == len(made["sensors"]) == len(made["placement_history"])
    assert all({"x", "y", "oa11cd"} <= set(sensor) for sensor in made["sensors"])
    assert all(set(entry) == {"oa11cd", "coverage"} for entry in made["oa_coverage"])
    assert all(set(entry) == {"oa11cd", "weight"} for entry in made["oa_weight"])


def test_dict_says_what_was_asked_in_the_original_words(city: sq.City) -> None:
    """Weights and age groups come back as the original's parameters, scaled to sum to 1."""
    net = sq.optimise(
        city, n_sensors=1, population_weight=3, workplace_weight=1, min_age=0, max_age=15
    )
    made = net.to_dict()
    assert (made["population_weight"], made["workplace_weight"]) == (0.75, 0.25)
    assert made["pop_age_groups"] == {"pop_children": {"min": 0, "max": 15, "weight": 3.0}}
    assert made["theta"] == 500.0


def test_unknown_bound_and_distances_are_null(networks: dict[str, Network]) -> None:
    """What is not known, or infinite, is null in JSON."""
    made = networks["free"].to_dict()
    assert (made["upper_bound"], made["gap"], made["proven"]) == (None, None, False)
    assert networks["out of reach"].to_dict()["distance_median"]["pop_total"] is None


def test_json_file(networks: dict[str, Network], tmp_path: Path) -> None:
    """The JSON file holds the description."""
    path = networks["mixed"].to_json(tmp_path / "net.json")
    assert json.loads(path.read_text()) == networks["mixed"].to_dict()


# ---------------------------------------------------------------------------- for a GIS


@pytest.mark.parametrize("name", ["plain", "custom", "free"])
def test_geojson_is_longitude_and_latitude(
    networks: dict[str, Network], name: str, tmp_path: Path
) -> None:
    """GeoJSON is in EPSG:4326 as its standard says, and reads back to the sensors."""
    net = networks[name]
    path = net.to_geojson(tmp_path / "net.geojson")
    raw = json.loads(path.read_text())
    assert "crs" not in raw
    for feature in raw["features"]:
        longitude, latitude = feature["geometry"]["coordinates"]
        assert -180 <= longitude <= 180
        assert 35 < latitude < 56
    back = gpd.read_file(path)
    assert back.crs.to_epsg() == 4326
    metres = back.to_crs(net.dataset.attrs["crs"])
    # Seven decimals of a degree, the standard's advice, are a centimetre.
    np.testing.assert_allclose(metres.geometry.x, net.sensors["x"], atol=0.02)
    np.testing.assert_allclose(metres.geometry.y, net.sensors["y"], atol=0.02)
    assert back["order"].tolist() == list(range(1, net.n_sensors + 1))
    np.testing.assert_allclose(back["gain"], net.sensors["gain"], rtol=1e-12)
    assert back["area"].tolist() == net.sensors["area"].tolist()


@pytest.mark.parametrize("with_city", [True, False])
def test_geopackage(
    networks: dict[str, Network], city: sq.City, with_city: bool, tmp_path: Path
) -> None:
    """Two layers in the city's CRS, areas as polygons where the city is given."""
    net = networks["plain"]
    path = net.to_gpkg(tmp_path / "net.gpkg", city if with_city else None)
    kinds = dict(pyogrio.list_layers(path))
    assert kinds["sensors"] == "Point"
    assert ("Polygon" in kinds["areas"]) == with_city
    areas, sensors = (gpd.read_file(path, layer=layer) for layer in ("areas", "sensors"))
    assert areas.crs == sensors.crs == city.crs
    assert areas["area_id"].tolist() == city.dataset["area"].to_numpy().tolist()
    np.testing.assert_array_equal(areas["coverage"], net.area_coverage)
    np.testing.assert_array_equal(areas["weight"], net.dataset["area_weight"])
    np.testing.assert_array_equal(sensors.geometry.x, net.sensors["x"])
    np.testing.assert_array_equal(sensors["gain"], net.sensors["gain"])
    assert not sensors["kept"].any()
    if with_city:
        # Each polygon is the one of its row's area.
        assert areas.geometry.geom_equals(city.polygons.geometry.reset_index(drop=True)).all()


def test_geopackage_carries_default_styles(
    networks: dict[str, Network], city: sq.City, tmp_path: Path
) -> None:
    """Both layers have a style, the default one, that is well-formed and names real columns."""
    path = networks["plain"].to_gpkg(tmp_path / "net.gpkg", city)
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        ).fetchall()
        geometry = dict(
            database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns")
        )
        listed = {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
    assert {row[0] for row in rows} == {"sensors", "areas"}
    assert listed == {"sensors", "areas", "layer_styles"}
    for layer, column, qml, default in rows:
        assert default == 1
        assert geometry[layer] == column
        assert ET.fromstring(qml).tag == "qgis"
    qml = {row[0]: ET.fromstring(row[2]) for row in rows}
    renderer = qml["areas"].find("renderer-v2")
    assert renderer is not None
    assert renderer.get("attr") == "coverage"
    assert qml["sensors"].find(".//text-style").get("fieldName") == "number"


@pytest.mark.parametrize("top", [0.0, 1e-9, 0.24, 0.25, 0.61, 1.0])
@pytest.mark.parametrize("polygons", [True, False])
def test_style_classes_reach_the_top(top: float, polygons: bool) -> None:
    """The classes join, start at 0, reach the largest coverage, and each has its symbol."""
    root = ET.fromstring(areas_qml(polygons=polygons, top=top))
    ranges = root.findall(".//range")
    lower, upper = ([float(found.get(key)) for found in ranges] for key in ("lower", "upper"))
    assert lower[0] == 0.0
    assert lower[1:] == upper[:-1]
    assert upper[-1] >= top
    symbols = {found.get("name") for found in root.findall(".//symbols/symbol")}
    assert {found.get("symbol") for found in ranges} == symbols
    kind = "fill" if polygons else "marker"
    assert {found.get("type") for found in root.findall(".//symbols/symbol")} == {kind}


def test_sensor_style_is_well_formed() -> None:
    """New sensors and those that stay have a symbol and a legend's text each."""
    root = ET.fromstring(sensors_qml())
    symbols = {found.get("name"): found for found in root.findall(".//symbol")}
    told = {}
    for rule in root.findall(".//rule"):
        options = symbols[rule.get("symbol")].findall(".//Option[@name]")
        told[rule.get("label")] = {o.get("name"): o.get("value") for o in options}["name"]
        assert '"kept"' in rule.get("filter")
    assert told == {"Sensor that stays": "square", "New sensor": "circle"}


@pytest.mark.parametrize("name", ["empty", "custom", "free", "areas"])
def test_unusual_networks_can_be_exported(
    networks: dict[str, Network], name: str, tmp_path: Path
) -> None:
    """Networks without sensors, or with sensors that are no sites, are written and read too."""
    net = networks[name]
    points = gpd.read_file(net.to_geojson(tmp_path / "net.geojson"))
    assert len(points) == net.n_sensors
    path = net.to_gpkg(tmp_path / "net.gpkg")
    assert len(gpd.read_file(path, layer="sensors")) == net.n_sensors
    assert len(gpd.read_file(path, layer="areas")) == net.dataset.sizes["area"]


def test_another_city_is_refused(networks: dict[str, Network], custom: sq.City) -> None:
    """Areas of another city are not written beside a network, and no file is left."""
    with pytest.raises(DataError, match="made for San Francisco, not for this Zoë's"):
        networks["plain"].to_gpkg("never-written.gpkg", custom)
    assert not Path("never-written.gpkg").exists()


# ---------------------------------------------------------------------------- failing writes


@pytest.mark.parametrize("writer", WRITERS)
def test_a_folder_that_is_a_file(networks: dict[str, Network], writer: str, tmp_path: Path) -> None:
    """Where no folder can be, a StoreError says so and nothing is left."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="cannot be written"):
        getattr(networks["plain"], writer)(tmp_path / "taken" / WRITERS[writer])
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def _torn(*_: object, **__: object) -> Any:
    """Fail as GDAL, HDF5 and SQLite do when the disk is full."""
    raise RuntimeError("No space left on device")


@pytest.mark.parametrize("writer", WRITERS)
def test_a_write_that_breaks_off_leaves_the_old_file(
    networks: dict[str, Network], writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a library fails half-way, an earlier file stays and no half-written one appears."""
    net, path = networks["plain"], tmp_path / WRITERS[writer]
    getattr(net, writer)(path)
    before = path.read_bytes()

    def half(frame: Any, target: Any, *_: object, **__: object) -> None:
        # SQLite's companion, which a torn write leaves beside the file.
        for torn in (target, f"{target}-journal"):
            with Path(torn).open("wb") as file:
                file.write(b"half")
        _torn()

    monkeypatch.setattr(gpd.GeoDataFrame, "to_file", half)
    monkeypatch.setattr(Path, "write_bytes", lambda path, _: half(None, path))
    monkeypatch.setattr(Path, "write_text", lambda path, _: half(None, path))
    with pytest.raises(StoreError, match="No space left"):
        getattr(net, writer)(path)
    assert [left.name for left in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_a_name_that_the_locale_cannot_write(
    networks: dict[str, Network], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system cannot encode the file's name, a StoreError says so."""

    def refuse(*_: object, **__: object) -> Any:
        "ü".encode("ascii")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(StoreError, match="cannot be written"):
        networks["plain"].to_netcdf(tmp_path / "ü.nc")
    assert list(tmp_path.iterdir()) == []


def test_styles_that_cannot_be_written_leave_no_geopackage(
    networks: dict[str, Network], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GeoPackage without its styles, for want of room, is not left behind."""

    def full(*_: object) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("spineq.model._exports.sqlite3.connect", full)
    with pytest.raises(StoreError, match="disk is full"):
        networks["plain"].to_gpkg(tmp_path / "net.gpkg")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------- words


def fabricated(net: Network, **attrs: object) -> Network:
    """Network with other figures in its attributes; the mean is what was maximised."""
    if "total_coverage" in attrs:
        attrs.setdefault("objective_value", attrs["total_coverage"])
    return Network(net.dataset.assign_attrs(**attrs))


def test_certificate_rounds_bounds_up(networks: dict[str, Network]) -> None:
    """A bound is never said to be lower than it is, nor what is reached higher."""
    net = fabricated(networks["plain"], total_coverage=0.4, upper_bound=0.50001)
    assert net.certificate() == (
        "No network of 5 sensors can cover more than 50.1 %, "
        "so this one reaches at least 79.9 % of the best possible."
    )
    close = fabricated(networks["plain"], total_coverage=0.5, upper_bound=0.5 + 1e-7)
    assert "within 0.0001 %" in close.certificate()
    assert "more than 50.1 %" in close.certificate()
    closer = fabricated(networks["plain"], total_coverage=0.5, upper_bound=0.5 + 1e-10)
    assert "more than 50.0 %" in closer.certificate()
    exact = fabricated(networks["plain"], total_coverage=0.2, upper_bound=0.4)
    assert "more than 40.0 %" in exact.certificate()


def test_proven_best_only_when_proven(networks: dict[str, Network]) -> None:
    """Best is said where the gap is rounding, and nowhere else."""
    proven = fabricated(networks["plain"], total_coverage=0.5, upper_bound=0.5 * (1 + 2e-12))
    assert proven.proven
    assert proven.certificate() == "Proven best: no network of 5 sensors covers more."
    for name, net in networks.items():
        assert ("Proven best" in net.certificate()) == net.proven, name
        assert ("Proven best" in net.summary()) == net.proven, name
        assert "optimal" not in net.summary().lower()
    assert not networks["plain"].proven


def test_summary_says_what_the_cut_off_changed(networks: dict[str, Network]) -> None:
    """Where far pairs were left out to a visible effect, summary and notebook say so."""
    words = "that changes this network's coverage by 1.2 percentage points"
    cut = fabricated(networks["plain"], cutoff_error=0.012)
    assert words in cut.summary()
    assert words in "".join(ET.fromstring(cut._repr_html_()).itertext())
    assert "left out" not in fabricated(networks["plain"], cutoff_error=1e-6).summary()


def test_certificate_without_a_bound(networks: dict[str, Network]) -> None:
    """Without a bound it is said that nothing is known, and why."""
    assert "not every sensor stands at a site" in networks["free"].certificate()
    assert "not known" in networks["free"].summary()


def test_summary_singular_and_plural(city: sq.City) -> None:
    """One sensor is not "1 sensors"."""
    one = sq.optimise(city, n_sensors=1)
    assert one.summary().startswith("One sensor in San Francisco: the mean coverage of ")
    assert "No network of one sensor can" in one.certificate() or one.proven
    assert "1 sensors" not in one._repr_html_()
    two = sq.optimise(city, n_sensors=2)
    assert two.summary().startswith("2 sensors in San Francisco: the mean coverage of ")
    assert "(estimated)" in two.summary()


@pytest.mark.parametrize("name", NAMES)
def test_summary_says_what_the_numbers_hide(networks: dict[str, Network], name: str) -> None:
    """Every summary says theta's meaning and unit, and that people are taken to be at points."""
    net = networks[name]
    text = net.summary()
    assert "People are taken to be at points, and theta is a choice" in text
    assert f"{net.problem.theta:,g} {net.dataset.attrs['distance_unit']}" in text
    assert ("stopped early" in text) == net.stopped
    assert "nan" not in text.lower()
    assert "inf " not in text.lower()


@pytest.mark.parametrize("name", NAMES)
def test_html_is_well_formed(networks: dict[str, Network], name: str) -> None:
    """The notebook's view is well-formed, escapes names, and draws every sensor."""
    net = networks[name]
    root = ET.fromstring(net._repr_html_())
    rings = [mark for mark in root.iter() if mark.get("stroke") == "#d1495b"]
    assert len(rings) == net.n_sensors
    text = " ".join(root.itertext())
    assert net.dataset.attrs["city_name"] in text
    assert net.dataset.attrs["attribution"] in text
    assert net.certificate() in text


def test_html_of_a_large_city_stays_small() -> None:
    """The small picture has some thousand dots at most."""
    n = 9_001
    generator = np.random.default_rng(0)
    city = city_of(generator.random((n, 2)) * 9_000)
    net = sq.evaluate(city, np.array([[404_000.0, 504_000.0]]))
    assert net._repr_html_().count("<circle") < 3_000


@pytest.mark.parametrize(
    ("decay", "words"),
    [
        ("exponential", "someone 500 m away as 37 %"),
        ("step", "up to 500 m from a sensor counts as covered"),
        ("linear", "falling evenly to nothing at 500 m"),
        ("gaussian", "someone 500 m away as 61 %"),
    ],
)
def test_summary_explains_the_decay(custom: sq.City, decay: str, words: str) -> None:
    """Each decay is explained in a sentence."""
    assert words in sq.optimise(custom, n_sensors=1, decay=decay).summary()


def test_repr(networks: dict[str, Network]) -> None:
    """The short form names size, city, coverage, gap and method."""
    assert repr(networks["plain"]).startswith("<Network of 5 sensors in San Francisco: coverage 0.")
    assert "no bound, given>" in repr(networks["free"])


def test_html_has_a_key_and_its_rows(networks: dict[str, Network]) -> None:
    """The dots' colours are explained, and every group has its row of figures."""
    root = ET.fromstring(networks["plain"]._repr_html_())
    text = " ".join(root.itertext())
    assert "Coverage 0" in text
    assert "100 %" in text
    rows = root.findall(".//tbody/tr")
    assert len(rows) == networks["plain"].dataset.sizes["group"]
    assert all(len(row) == 4 for row in rows)
