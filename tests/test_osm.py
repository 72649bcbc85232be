"""OpenStreetMap from files of every kind, and through a stand-in for osmnx."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from osm_extracts import extracts

from spineq import _osm, _osm_services
from spineq.errors import DataError, MissingExtraError, MissingFileError, UnreadableFileError

GRID = pyproj.CRS("EPSG:27700")
DEGREES = pyproj.CRS("EPSG:4326")


@pytest.fixture(params=[".osm", ".osm.pbf"])
def extract(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return extracts(tmp_path)[request.param]


def test_features_of_an_extract(extract: Path) -> None:
    """Nodes, ways and relations with one of the tags, named as OpenStreetMap names them."""
    tags = {"amenity": ["school", "hospital", "clinic"], "highway": "street_lamp"}
    made = _osm.features(extract, tags, GRID, also=("building:levels", "ref"))
    assert list(made["osm_id"]) == ["n2", "n4", "n8", "n9", "r20", "w12"]
    assert list(made.geom_type) == ["Point"] * 4 + ["MultiPolygon"] * 2
    by_id = made.set_index("osm_id")
    assert by_id.loc["n4", "amenity"] == "school"
    assert by_id.loc["n4", "highway"] is None
    assert by_id.loc["n2", "ref"] == 'A "7"'
    assert by_id.loc["w12", "building:levels"] == "3"
    assert made.crs == GRID
    # 54.971 N, 1.61 W on the British grid, by an independent road: pyproj itself.
    x, y = pyproj.Transformer.from_crs(DEGREES, GRID, always_xy=True).transform(-1.61, 54.971)
    assert shapely.get_coordinates(by_id.loc["n2", "geometry"]).tolist() == [
        pytest.approx([x, y], abs=1e-3)
    ]


def test_any_value_and_a_box(extract: Path) -> None:
    """True takes every value; what lies outside of the bounds is left out."""
    every = _osm.features(extract, {"building": True}, GRID)
    assert list(every["osm_id"]) == ["w12"]
    lamps = _osm.features(extract, {"highway": "street_lamp"}, GRID)
    x, y = (float(v) for v in shapely.get_coordinates(lamps.geometry.iloc[1])[0])
    near = _osm.features(
        extract, {"highway": "street_lamp"}, GRID, (x - 50, y - 50, x + 50, y + 50)
    )
    assert list(near["osm_id"]) == ["n8"]
    assert len(_osm.features(extract, {"highway": "street_lamp"}, GRID, (0, 0, 1, 1))) == 0


def test_streets_that_people_walk(extract: Path) -> None:
    """No motorway, no private drive, and a cycleway where people on foot are named."""
    made = _osm.streets(extract, GRID)
    assert sorted(made["osm_id"]) == ["10", "11", "15"]
    with pytest.raises(UnreadableFileError, match="no street to walk on within the city"):
        _osm.streets(extract, GRID, (0.0, 0.0, 10.0, 10.0))


@pytest.mark.parametrize(
    ("highway", "foot", "access", "may"),
    [
        ("residential", None, None, True),
        ("residential", "no", None, False),
        ("motorway_link", None, None, False),
        ("service", None, "private", False),
        ("service", "permissive", "private", True),
        ("path", None, "no", False),
        ("cycleway", None, None, False),
        ("cycleway", "yes", None, True),
        ("steps", None, "permissive", True),
        (None, "yes", None, False),
    ],
)
def test_who_may_walk(highway: str | None, foot: str | None, access: str | None, may: bool) -> None:
    """The tags that allow and forbid."""
    assert _osm.walked(highway, foot, access) is may


@pytest.mark.parametrize(
    "held",
    [
        {"amenity": "school", "name": 'St "B"'},
        [("amenity", "school"), ("name", 'St "B"')],
        json.dumps({"amenity": "school", "name": 'St "B"'}),
        '"amenity"=>"school","name"=>"St \\"B\\""',
    ],
)
def test_tags_in_one_cell(held: object) -> None:
    """A mapping, Parquet's pairs, JSON and GDAL's own text hold the same tags."""
    assert _osm.tags_of(held) == {"amenity": "school", "name": 'St "B"'}


@pytest.mark.parametrize("held", [None, 7, "[1, 2]", "{broken", "words"])
def test_no_tags_in_a_cell(held: object) -> None:
    """What holds no tags holds none."""
    assert _osm.tags_of(held) == {}


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".parquet"])
def test_tables_of_features(tmp_path: Path, ending: str) -> None:
    """Tables as osmnx writes them, tags as columns, or all in one column."""
    frame = gpd.GeoDataFrame(
        {
            "element": ["node", "way", "node"],
            "id": [5, 6, 7],
            "amenity": ["school", None, "pub"],
            "tags": [None, '{"amenity": "hospital"}', None],
        },
        geometry=[shapely.Point(0, 0), shapely.box(0, 0, 1, 1), shapely.Point(1, 1)],
        crs=DEGREES,
    )
    path = tmp_path / f"features{ending}"
    if ending == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    made = _osm.features(path, {"amenity": ["school", "hospital"]}, DEGREES)
    assert list(made["amenity"]) == ["school", "hospital"]
    if ending != ".geojson":  # there, GDAL takes the column id for the number of the feature
        assert list(made["osm_id"]) == ["n5", "w6"]
    assert made["osm_id"].is_unique


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({}, "tags must be keys with values"),
        ("school", "not 'school'"),
        ({"amenity": []}, "'amenity': .* is no tag"),
        ({"amenity": False}, "'amenity': False is no tag"),
        ({"amenity": [1]}, "is no tag"),
        ({1: True}, "1: True is no tag"),
    ],
)
def test_bad_tags(tags: Any, words: str) -> None:
    """Refused, with an example of what to write."""
    with pytest.raises(DataError, match=words) as caught:
        _osm.need_tags(tags)
    assert "amenity" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.osm", b""),
        ("a.osm", b"<html><osm></osm></html>"),
        ("a.osm", b"<OGRVRTDataSource><osm/></OGRVRTDataSource>"),
        ("a.osm", b"<!-- <OGRVRTDataSource> --><osm></osm>"),
        ("a.osm.pbf", b"not a protobuf"),
        ("a.osm.pbf", b"\0\0\0\x0d\n\tOSMHeader then nothing"),
    ],
)
def test_files_that_are_no_extract(tmp_path: Path, name: str, content: bytes) -> None:
    """GDAL goes by the content, so that it is looked at first; broken ones are named."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"does not begin as|cannot be read"):
        _osm.features(path, {"amenity": True}, GRID)


@pytest.mark.parametrize("arrow", ["0", "1"])
def test_a_truncated_extract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrow: str) -> None:
    """Half an extract is refused and not read as a small one, however pyogrio is set up."""
    monkeypatch.setenv("PYOGRIO_USE_ARROW", arrow)
    for path in extracts(tmp_path).values():
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(UnreadableFileError, match="cannot be read"):
            _osm.features(path, {"amenity": True}, GRID)


def test_missing_files_and_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is not there is no name of a place, and an empty name is neither."""
    with pytest.raises(MissingFileError, match="no such file"):
        _osm.features("nowhere/town.osm.pbf", {"amenity": True}, GRID)
    with pytest.raises(MissingFileError, match="no such file"):
        _osm.features(tmp_path / "town", {"amenity": True}, GRID)
    monkeypatch.setitem(sys.modules, "osmnx", SimpleNamespace())
    with pytest.raises(MissingFileError, match="name of a place"):
        _osm.features(" ", {"amenity": True}, GRID)
    with pytest.raises(MissingFileError, match="neither a file nor a place"):
        _osm.features(None, {"amenity": True}, GRID)


def test_packed_extracts(tmp_path: Path) -> None:
    """To be unpacked first."""
    path = tmp_path / "town.osm.bz2"
    path.write_bytes(b"BZh9")
    with pytest.raises(UnreadableFileError, match="Unpack it first"):
        _osm.features(path, {"amenity": True}, GRID)


def test_an_extract_that_is_cut(tmp_path: Path) -> None:
    """Ways and relations whose nodes lie beyond the border of an extract do no harm."""
    path = tmp_path / "cut.osm"
    path.write_text(
        """<osm version="0.6"><node id="1" version="1" lat="54.97" lon="-1.61"/>
        <node id="2" version="1" lat="54.971" lon="-1.61"/>
        <node id="3" version="1" lat="54.972" lon="-1.609"/>
        <way id="10" version="1"><nd ref="1"/><nd ref="2"/><nd ref="99"/>
        <tag k="highway" v="path"/></way>
        <way id="11" version="1"><nd ref="1"/><nd ref="98"/><tag k="highway" v="path"/></way>
        <way id="12" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>
        <tag k="building" v="yes"/></way>
        <relation id="20" version="1"><member type="way" ref="77" role="outer"/>
        <tag k="type" v="multipolygon"/><tag k="building" v="yes"/></relation></osm>"""
    )
    assert list(_osm.features(path, {"building": True}, GRID)["osm_id"]) == ["w12"]
    assert list(_osm.streets(path, GRID)["osm_id"]) == ["10"]


def test_without_osmnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking by name needs the extra, and the message says which."""
    monkeypatch.setitem(sys.modules, "osmnx", None)
    with pytest.raises(MissingExtraError, match=r"spineq\[osm\]"):
        _osm.features("Gateshead", {"amenity": True}, GRID)
    with pytest.raises(MissingExtraError, match=r"spineq\[osm\]"):
        _osm_services.asked_streets("Gateshead", None, GRID)


def test_through_a_stand_in_for_osmnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """What osmnx 2 is asked, and what becomes of its answer; its errors become plain words."""
    asked: list[Any] = []
    answer = gpd.GeoDataFrame(
        {"element": ["node", "way"], "id": [1, 2], "amenity": ["school", "school"]},
        geometry=[shapely.Point(-1.61, 54.97), shapely.box(-1.61, 54.97, -1.609, 54.971)],
        crs=DEGREES,
    ).set_index(["element", "id"])

    def ask(*given: Any, **more: Any) -> gpd.GeoDataFrame:
        asked.append((given, more))
        if "Nowhere" in given:
            msg = "Nominatim could not geocode query 'Nowhere'."
            raise ValueError(msg)
        return answer

    names = ("features_from_place", "features_from_bbox", "graph_from_place", "graph_from_bbox")
    monkeypatch.setitem(sys.modules, "osmnx", SimpleNamespace(**dict.fromkeys(names, ask)))
    made = _osm.features("Gateshead", {"amenity": "school"}, GRID)
    assert list(made["osm_id"]) == ["n1", "w2"]
    assert asked.pop() == (("Gateshead", {"amenity": "school"}), {})
    box = (425_000.0, 564_000.0, 426_000.0, 565_000.0)
    _osm.features(None, {"amenity": True}, GRID, box)
    west, south, east, north = asked.pop()[0][0]
    assert west < -1.60 < east
    assert south < 54.97 < north
    assert np.isclose(north - south, 1000 / 111_300, atol=5e-4)
    _osm_services.asked_streets(None, box, GRID)
    assert asked.pop()[1] == {"network_type": "walk", "retain_all": True}
    with pytest.raises(DataError, match=r"no answer for 'Nowhere' .*could not geocode"):
        _osm.features("Nowhere", {"amenity": True}, GRID)
    with pytest.raises(DataError, match="name its file instead"):
        _osm_services.asked_streets("Nowhere", None, GRID)
