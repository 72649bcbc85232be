"""Sensors that stand today."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import spineq as sq
from spineq import existing

CRS = "EPSG:27700"

#: South-western corner of the areas made here, metres.
WEST, SOUTH = 420_000.0, 560_000.0


def squares(n: int = 3) -> sq.City:
    """Areas a, b, c of 100 m by 100 m in a row, 10 residents each."""
    frame = gpd.GeoDataFrame(
        {"area_id": list("abcdefghij"[:n]), "population": 10},
        geometry=[
            shapely.box(WEST + k, SOUTH, WEST + k + 100, SOUTH + 100)
            for k in range(0, 100 * n, 100)
        ],
        crs=CRS,
    )
    return sq.City.from_frame(frame)


def sensors(east: list[float], **columns: object) -> gpd.GeoDataFrame:
    """Sensors so many metres east of the corner and 50 north, with columns."""
    places = gpd.points_from_xy(np.array(east) + WEST, 50.0 + SOUTH)
    return gpd.GeoDataFrame(columns, geometry=places, crs=CRS)


def test_sensors_stand_in_the_area_that_holds_them() -> None:
    """By polygon, though the point of another area may be nearer."""
    wide = shapely.box(WEST, SOUTH, WEST + 1000, SOUTH + 100)
    near = shapely.box(WEST + 1000, SOUTH, WEST + 1100, SOUTH + 100)
    frame = gpd.GeoDataFrame(
        {"area_id": ["wide", "near"], "population": 1}, geometry=[wide, near], crs=CRS
    )
    city = sq.City.from_frame(frame)
    found = existing.from_file(city, sensors([990], sensor_id=["s"]))
    assert found["area_id"].tolist() == ["wide"]
    assert city.with_existing(found).existing_areas == ("wide",)
    bare = sq.City.from_frame(pd.DataFrame(city.to_frame().drop(columns="geometry")), crs=CRS)
    assert existing.from_file(bare, sensors([990]))["area_id"].tolist() == ["near"]


def test_sensors_outside_are_left_out_with_a_warning() -> None:
    table = sensors([50, 5000], id=["s1", "s2"])
    with pytest.warns(
        sq.SpineqWarning, match=r"1 of 2 sensors .* row 2 \(at 425000, 560050\)"
    ) as warned:
        found = existing.from_file(squares(), table)
    assert warned[0].filename == __file__  # it points at who called
    assert found["sensor_id"].tolist() == ["s1"]
    with pytest.raises(sq.SpineqError, match="the only sensor lies in no area"):
        existing.from_file(squares(), sensors([5000]))


def test_sensors_may_name_their_area() -> None:
    table = sensors([50, 50], oa11cd=["c", "z"])
    with pytest.warns(sq.SpineqWarning, match=r"row 2 \('z'\)"):
        found = existing.from_file(squares(), table, area="oa11cd")
    assert found["area_id"].tolist() == ["c"]
    with pytest.raises(sq.SpineqError, match="'lsoa' is missing"):
        existing.from_file(squares(), table, area="lsoa")
    with pytest.raises(sq.SpineqError, match="stands in an earlier row"):
        existing.from_file(squares(), sensors([50, 60], id=[1, 1]))


@pytest.mark.parametrize("ending", ["csv", "gpkg"])
def test_sensors_from_files_in_degrees(tmp_path: Path, ending: str) -> None:
    degrees, file = sensors([50, 150], id=["007", "8"]).to_crs("EPSG:4326"), tmp_path / "s"
    file = file.with_suffix(f".{ending}")
    if ending == "csv":
        x, y = degrees.geometry.x, degrees.geometry.y
        pd.DataFrame({"id": degrees["id"], "x": x, "y": y}).to_csv(file, index=False)
        found = existing.from_file(squares(), file, crs="EPSG:4326")
    else:
        degrees.to_file(file)
        found = existing.from_file(squares(), file)
    assert found["sensor_id"].tolist() == ["007", "8"]
    assert found["area_id"].tolist() == ["a", "b"]
    assert np.allclose(found.geometry.x, [WEST + 50, WEST + 150], atol=0.01)


def test_several_sensors_in_one_area_exactly_and_as_the_original() -> None:
    """By points each covers from where it stands; by areas, each area once from its point."""
    city = squares(2)
    city = city.with_existing(existing.from_file(city, sensors([10, 20, 20, 160])))
    exact = sq.evaluate(city, "existing-points", theta=100, bound="none")
    assert exact.n_sensors == 3  # two stand in one place
    assert exact.dataset.attrs["sensors_given"] == 4
    assert exact.total_coverage == pytest.approx((np.exp(-0.3) + np.exp(-0.1)) / 2)
    original = sq.evaluate(city, "existing", theta=100, bound="none")
    assert original.sensors["area"].tolist() == ["a", "b"]
    assert original.total_coverage == 1.0
    kept = sq.optimise(city, n_sensors=1, theta=100, keep="existing")
    assert kept.n_kept >= 2


def test_newcastles_sensors(shared: Path) -> None:
    """By the column of areas as the original had them: 55 areas; by polygon 53."""
    folder = shared / "data" / "cities" / "E08000021"
    with pytest.warns(sq.SpineqWarning, match="not valid"):
        city = sq.read_city(folder)
    file = folder / "uo_sensors" / "uo_sensors.shp"
    as_read = city.with_existing(existing.from_file(city, file, area="oa11cd"))
    assert as_read.existing_areas == city.existing_areas
    assert len(as_read.existing_areas) == 55
    one, other = (
        sq.evaluate(each, "existing", theta=500, bound="none").total_coverage
        for each in (as_read, city)
    )
    assert one == other
    with pytest.warns(sq.SpineqWarning, match="1 of 146 sensors lies outside"):
        by_polygon = city.with_existing(existing.from_file(city, file))
    assert len(by_polygon.existing_areas) == 53


def degrees_at(east: float) -> tuple[float, float]:
    """Longitude and latitude of a place so many metres east of the corner."""
    place = sensors([east]).to_crs("EPSG:4326").geometry.iloc[0]
    return float(place.x), float(place.y)


def first_form(name: str, east: float, broker: str = "aq") -> dict[str, Any]:
    """A sensor of version 1.1."""
    x, y = degrees_at(east)
    return {
        "Sensor Name": name,
        "Sensor Centroid Longitude": x,
        "Sensor Centroid Latitude": y,
        "Location (WKT)": f"POINT ({x} {y})",
        "Broker Name": broker,
        "Raw ID": "17",
    }


def second_form(name: str, east: float) -> dict[str, Any]:
    """A sensor of version 2."""
    x, y = degrees_at(east)
    return {
        "Sensor_Name": name,
        "Location_WKT": f"POINT({x} {y})",
        "Sensor_Centroid_Longitude": x,
        "Sensor_Centroid_Latitude": y,
        "Broker_Name": "aq",
    }


def saved(tmp_path: Path, made: object) -> Path:
    file = tmp_path / "sensors.json"
    file.write_text(made if isinstance(made, str) else json.dumps(made))
    return file


def nested(sensor: dict[str, Any]) -> dict[str, Any]:
    return {key: {"0": value} for key, value in sensor.items()}


@pytest.mark.parametrize(
    "made",
    [
        {"sensors": [first_form("PER_B", 150), first_form("PER_A", 50)]},
        {"sensors": [nested(first_form("PER_A", 50)), nested(first_form("PER_B", 150))]},
        {"Sensors": [second_form("PER_A", 50), second_form("PER_B", 150)], "Number": 2},
        {"sensors": [first_form("PER_A", 50), first_form("PER_B", 150)] * 2},
    ],
    ids=["v1.1", "v1.1 nested", "v2", "listed twice"],
)
def test_the_urban_observatorys_lists(tmp_path: Path, made: object) -> None:
    found = existing.from_urban_observatory(squares(), saved(tmp_path, made))
    assert found["sensor_id"].tolist() == ["PER_A", "PER_B"]
    assert found["area_id"].tolist() == ["a", "b"]
    assert np.allclose(found.geometry.x, [WEST + 50, WEST + 150], atol=0.01)
    squares().with_existing(found)


def test_a_path_is_taken_at_its_middle_and_a_broker_can_be_chosen(tmp_path: Path) -> None:
    road = first_form("ROAD", 150, "roads") | {"Location (WKT)": "LINESTRING (-1.7 54, -1.6 55)"}
    file = saved(tmp_path, {"sensors": [first_form("AIR", 50), road]})
    found = existing.from_urban_observatory(squares(), file, broker="roads")
    assert found["area_id"].tolist() == ["b"]
    with pytest.raises(sq.SpineqError, match="The brokers there are aq, roads"):
        existing.from_urban_observatory(squares(), file, broker="rain")


def test_what_the_list_has_elsewhere_is_left_out(tmp_path: Path) -> None:
    file = saved(tmp_path, {"sensors": [first_form("HERE", 50), first_form("THERE", 9000)]})
    with pytest.warns(sq.SpineqWarning, match="1 of 2 sensors lies outside"):
        found = existing.from_urban_observatory(squares(), file)
    assert found["sensor_id"].tolist() == ["HERE"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("<html>", "no JSON"),
        ([1], "no list of sensors"),
        ({"error": "no such theme"}, "no list of sensors"),
        ({"sensors": [1]}, "no list of sensors"),
        ({"sensors": []}, "not a single sensor"),
        ({"sensors": [{"Broker Name": "aq"}]}, "row 1.*has no name"),
        ({"sensors": [{"Sensor Name": "A"}]}, r"row A.*no place on earth \(\(None, None\)\)"),
        ({"sensors": [second_form("A", 50) | {"Location_WKT": "POINT (420000 5)"}]}, "no place"),
        ({"sensors": [first_form("A", 50), first_form("A", 60)]}, "'A' stands at two places"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, made: object, said: str) -> None:
    with pytest.raises(sq.SpineqError, match=said):
        existing.from_urban_observatory(squares(), saved(tmp_path, made))


@pytest.fixture
def service() -> Iterator[str]:
    """A service on loopback: a list, and addresses that fail."""
    body = json.dumps({"sensors": [first_form("PER_A", 50)]}).encode()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.startswith("/sensors/json") else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_list_by_its_address(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in on this machine answers as the service does; what fails is said plainly."""
    found = existing.from_urban_observatory(squares(), f"{service}/sensors/json/?theme=Air+Quality")
    assert found["sensor_id"].tolist() == ["PER_A"]
    with pytest.raises(sq.SpineqError, match=r"gave no answer .*503.*save the answer"):
        existing.from_urban_observatory(squares(), f"{service}/gone")
    with pytest.raises(sq.SpineqError, match="gave no answer"):
        existing.from_urban_observatory(squares(), "http://127.0.0.1:1/sensors/json")
    monkeypatch.setattr(existing, "_LONGEST", 10)
    with pytest.raises(sq.SpineqError, match="longer than 10 bytes"):
        existing.from_urban_observatory(squares(), f"{service}/sensors/json")
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(sq.SpineqError, match="needs requests"):
        existing.from_urban_observatory(squares(), service)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(sq.SpineqError, match="no such file"):
        existing.from_urban_observatory(squares(), tmp_path / "sensors.json")
    with pytest.raises(sq.SpineqError, match="cannot be read"):
        existing.from_urban_observatory(squares(), tmp_path)


def test_sensors_far_from_a_city_without_polygons() -> None:
    """Left out, and not counted in the areas at its edge; those around it are in the nearest."""
    city = squares()
    bare = sq.City.from_frame(pd.DataFrame(city.to_frame().drop(columns="geometry")), crs=CRS)
    with pytest.warns(sq.SpineqWarning, match="1 of 3 sensors lies outside"):
        found = existing.from_file(bare, sensors([50, 4000, 90_000]))
    assert found["area_id"].tolist() == ["a", "c"]
