"""Cities from files of every kind; bad input is named by file, row, field and mend."""

from __future__ import annotations

import json
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from spineq.data.files import read_city, read_table
from spineq.errors import (
    AgeBandError,
    AreaMismatchError,
    DataError,
    DuplicateIdError,
    EmptyCityError,
    GeographicCRSError,
    MissingColumnError,
    MissingFileError,
    NegativeValueError,
    NotANumberError,
    ShareError,
    SpineqWarning,
    StoreError,
    TotalMismatchError,
    TravelCostError,
    UnknownCRSError,
    UnknownIdError,
    UnreadableFileError,
    ZeroWeightError,
)
from spineq.model.city import City
from spineq.model.groups import GROUPS, Group

CRS = "EPSG:27700"
ENDINGS = [".parquet", ".gpkg", ".geojson", ".shp", ".csv"]

WEST = np.array([420_000.0, 420_100.0, 420_200.0])


def _areas() -> gpd.GeoDataFrame:
    """Three square areas, 100 m wide, out of order."""
    frame = gpd.GeoDataFrame(
        {
            "area_id": ["007", "NA", "B"],
            "age_0_15": [10, 0, 5],
            "age_16_65": [50, 20, 0],
            "age_66_plus": [0, 4, 16],
            "workers": [0, 75, 25],
        },
        geometry=shapely.box(WEST, 560_000, WEST + 100, 560_100),
        crs=CRS,
    )
    return frame.iloc[[2, 0, 1]].reset_index(drop=True)


def _csv_areas() -> pd.DataFrame:
    frame = _areas()
    inner = frame.representative_point()
    return pd.DataFrame(frame.drop(columns="geometry")).assign(x=inner.x, y=inner.y)


def _write(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table as what the ending says, with text columns short enough for a shapefile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about shapefiles' short names
            frame.to_file(path)
    return path


def _points(*rows: tuple[Any, ...], names: str) -> gpd.GeoDataFrame:
    """Table with the names' columns, and points 10 m apart."""
    frame = pd.DataFrame(list(rows), columns=names.split())
    xy = gpd.points_from_xy(420_010.0 + 10 * np.arange(len(frame)), [560_050.0] * len(frame))
    return gpd.GeoDataFrame(frame, geometry=xy, crs=CRS)


def _in_columns(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(frame.drop(columns="geometry")).assign(
        x=frame.geometry.x, y=frame.geometry.y
    )


SITES = _points(("s2",), ("s1",), names="site_id")
DEMAND = _points(("007", 0.25), ("007", 0.75), ("NA", 1), ("B", 1), names="area_id share")
SENSORS = _points(("e1", "007"), ("e2", "B"), names="sensor_id area_id")
TRAVEL = pd.DataFrame({"site": ["s1", "s2"], "area": ["NA", "007"], "cost": [3.5, 0]})


# ---------------------------------------------------------------------------- kinds of files


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_kind_of_file_gives_the_same_city(tmp_path: Path, ending: str) -> None:
    """Ids stay text, numbers stay numbers, and the file's name is the city's."""
    frame = _csv_areas() if ending == ".csv" else _areas()
    if ending == ".shp":
        frame = frame.rename(columns={"age_66_plus": "age_66_90"})
    path = _write(frame, tmp_path / f"town{ending}")
    city = read_city(path, crs=CRS if ending == ".csv" else None)
    expected = City.from_frame(_areas())
    if ending == ".geojson":
        # Written with its system as a member: GeoJSON in metres is read where it says so.
        assert city.crs == CRS
    assert city.digest == expected.digest
    assert city.name == "town"
    assert list(city.dataset["area"].to_numpy()) == ["007", "B", "NA"]
    assert list(city.people(GROUPS["pop_total"]).values) == [60, 21, 24]
    assert (city.polygons is None) == (ending == ".csv")


@pytest.mark.parametrize("ending", [".parquet", ".gpkg", ".geojson", ".csv"])
def test_degrees_go_to_the_utm_zone(tmp_path: Path, ending: str) -> None:
    """Distances become metres to a part in a thousand, and the note says what was done."""
    frame = _areas().to_crs("EPSG:4326")
    if ending == ".csv":
        inner = _areas().representative_point().to_crs("EPSG:4326")
        frame = pd.DataFrame(frame.drop(columns="geometry")).assign(x=inner.x, y=inner.y)
    path = _write(frame, tmp_path / f"town{ending}")
    city = read_city(path, crs="EPSG:4326" if ending == ".csv" else None)
    assert city.crs == "EPSG:32630"
    assert city.label.note == "Projected from EPSG:4326 to EPSG:32630."
    x, y = city.dataset["x"].to_numpy(), city.dataset["y"].to_numpy()
    # In id order: 007, B (two squares on), NA (the one between them).
    assert np.hypot(x[1] - x[0], y[1] - y[0]) == pytest.approx(200, rel=1e-3)


def test_polygons_in_degrees_take_their_points_along(tmp_path: Path) -> None:
    """x and y beside polygons are in the polygons' system, and move with them."""
    inner = _areas().representative_point().to_crs("EPSG:4326")
    frame = _areas().to_crs("EPSG:4326").assign(x=inner.x, y=inner.y)
    city = read_city(_write(frame, tmp_path / "town.geojson"))
    polygons = city.polygons.geometry.to_numpy()
    points = shapely.points(city.dataset["x"].to_numpy(), city.dataset["y"].to_numpy())
    assert shapely.contains(polygons, points).all()


def test_geojson_that_is_not_in_degrees_needs_to_be_told(tmp_path: Path) -> None:
    """Without a system GeoJSON counts as degrees; the user may know better."""
    path = tmp_path / "town.geojson"
    made = json.loads(_areas().to_json(drop_id=True))
    made.pop("crs", None)
    path.write_text(json.dumps(made))
    with pytest.raises(
        GeographicCRSError, match=r"EPSG:4326 counts in degrees, and 420000, 560000"
    ):
        read_city(path)
    assert read_city(path, crs=CRS) == City.from_frame(_areas())


def test_a_system_that_the_file_contradicts_is_refused(tmp_path: Path) -> None:
    """Naming another system does not relabel a file that has one."""
    path = _write(_areas(), tmp_path / "town.parquet")
    assert read_city(path, crs=CRS) == City.from_frame(_areas())
    with pytest.raises(UnknownCRSError, match="says EPSG:27700, but crs is 'EPSG:3035'"):
        read_city(path, crs="EPSG:3035")


def test_a_geopackage_with_layers_gives_the_one_that_is_asked_for(tmp_path: Path) -> None:
    """The layer is called as the part; where none is, nothing is guessed."""
    path = tmp_path / "town.gpkg"
    SITES.to_file(path, layer="sites")
    _areas().to_file(path, layer="areas")
    city = read_city(path, sites=path)
    assert list(city.sites.index) == ["s1", "s2"]
    assert city.n_areas == 3
    with pytest.raises(UnreadableFileError, match=r"2 layers \(sites, areas\).*none.*'existing'"):
        read_city(path, existing=path)


def test_a_csv_of_identifiers_keeps_them_as_text(tmp_path: Path) -> None:
    """007 is not 7, NA is a name; a number called area is a number where it is a weight."""
    areas = _write(_csv_areas().assign(area=[2.5, 1, 1]), tmp_path / "areas.csv")
    travel = _write(TRAVEL.replace({"s1": "007", "s2": "NA"}), tmp_path / "travel.csv")
    city = read_city(areas, crs=CRS, travel=travel)
    assert city.columns == ("area", "workers")
    assert list(city.travel.cost) == [3.5, 0]


# ---------------------------------------------------------------------------- parts


@pytest.mark.parametrize("ending", [".parquet", ".gpkg", ".geojson", ".csv"])
@pytest.mark.parametrize("how", ["named", "folder"])
def test_parts_are_files_of_their_own(tmp_path: Path, ending: str, how: str) -> None:
    """Named one by one, or beside the areas in a folder: the city is the one made in memory."""
    plain = ending == ".csv"
    tables = {"areas": _csv_areas() if plain else _areas()}
    for name, part in (("sites", SITES), ("points", DEMAND), ("existing", SENSORS)):
        tables[name] = _in_columns(part) if plain else part
    files = {name: _write(part, tmp_path / f"{name}{ending}") for name, part in tables.items()}
    files["travel"] = _write(TRAVEL, tmp_path / "travel.csv")
    if how == "named":
        city = read_city(files.pop("areas"), **files, crs=CRS if plain else None, travel_unit="min")
    else:
        city = read_city(tmp_path, crs=CRS if plain else None, travel_unit="min")
    expected = City.from_frame(_areas()).with_sites(SITES).with_demand(DEMAND)
    expected = expected.with_existing(SENSORS).with_travel(TRAVEL, unit="min")
    assert city.digest == expected.digest
    assert city.name == tmp_path.name


@pytest.mark.parametrize("ending", [".parquet", ".gpkg", ".geojson", ".csv"])
def test_sites_keep_their_columns_from_every_kind_of_file(tmp_path: Path, ending: str) -> None:
    """A price and a ward, one of each missing."""
    sites = SITES.assign(price=[2.5, None], ward=["Byker", None])
    table = _in_columns(sites) if ending == ".csv" else sites
    city = read_city(
        _write(_areas(), tmp_path / "areas.gpkg"), sites=_write(table, tmp_path / f"sites{ending}")
    )
    assert city.digest == City.from_frame(_areas()).with_sites(sites).digest
    assert {"price", "ward"} <= set(city.site_columns)


def test_areas_in_a_file_hand_columns_on_to_their_sites(tmp_path: Path) -> None:
    """By name; with a table of sites there is nothing to hand on."""
    file = _write(_areas().assign(ward=["a", "b", "b"]), tmp_path / "areas.gpkg")
    city = read_city(file, site_columns=["ward"])
    assert sorted(city.site_column("ward")) == ["a", "b", "b"]
    sites = _write(SITES, tmp_path / "sites.gpkg")
    with pytest.raises(DataError, match=r"sites.gpkg.*site_columns are for sites at the areas"):
        read_city(file, site_columns=["ward"], sites=sites)
    folder = city.to_geoparquet(tmp_path / "city")
    assert read_city(folder) == city


def test_the_system_that_is_named_holds_for_the_parts_too(tmp_path: Path) -> None:
    """A CSV of sites in degrees lands in a city that was read in degrees, not at 0, 0."""
    inner = _areas().representative_point().to_crs("EPSG:4326")
    areas = pd.DataFrame(_areas().drop(columns="geometry")).assign(x=inner.x, y=inner.y)
    sites = _in_columns(SITES.to_crs("EPSG:4326"))
    city = read_city(
        _write(areas, tmp_path / "areas.csv"),
        sites=_write(sites, tmp_path / "sites.csv"),
        crs="EPSG:4326",
    )
    expected = SITES.to_crs(city.crs).geometry
    np.testing.assert_allclose(city.sites.loc["s2", ["x", "y"]].tolist(), expected[0].coords[0])


def test_a_part_in_degrees_that_nobody_names_is_refused(tmp_path: Path) -> None:
    """Degrees in a city of metres are not taken for metres."""
    sites = _write(_in_columns(SITES.to_crs("EPSG:4326")), tmp_path / "sites.csv")
    with pytest.raises(GeographicCRSError, match="look like degrees"):
        read_city(_write(_areas(), tmp_path / "areas.gpkg"), sites=sites)


def test_a_named_part_takes_the_place_of_the_folders(tmp_path: Path) -> None:
    """Also in a folder that was written with a digest; its unit goes with its table."""
    city = City.from_frame(_areas()).with_sites(SITES).with_travel(TRAVEL, unit="minutes")
    city.to_geoparquet(tmp_path / "city")
    travel = _write(TRAVEL.assign(cost=60), tmp_path / "seconds.csv")
    other = read_city(tmp_path / "city", travel=travel, travel_unit="seconds")
    assert other.travel_unit == "seconds"
    assert read_city(tmp_path / "city").travel_unit == "minutes"


def test_a_table_of_ways_brings_its_unit_and_what_is_said_of_it(tmp_path: Path) -> None:
    """Through Parquet too; what was said of a table goes when another takes its place."""
    ways, others = TRAVEL.copy(), TRAVEL.assign(cost=60)
    ways.attrs = {"unit": "minutes", "note": "By bus."}
    others.attrs = {"unit": "seconds", "note": "On foot."}
    city = City.from_frame(_areas(), note="A town.").with_sites(SITES).with_travel(ways)
    assert city.label.note == "A town.\nBy bus."
    folder = city.to_geoparquet(tmp_path / "city")
    again = read_city(folder)
    assert (again.label.note, again.travel_unit) == ("A town.\nBy bus.", "minutes")
    assert again == city
    others.to_parquet(tmp_path / "others.parquet")
    for changed in (
        city.with_travel(others),
        again.with_travel(others),
        read_city(folder, travel=tmp_path / "others.parquet"),
    ):
        assert (changed.label.note, changed.travel_unit) == ("A town.\nOn foot.", "seconds")


# ---------------------------------------------------------------------------- the original's folder


def _make_original(folder: Path) -> Path:
    """Write a small city as the original system lays one out, each file in its own order."""
    codes = ["E01", "E02", "E03"]
    folder.mkdir()
    centroids = pd.DataFrame({"oa11cd": codes, "x": WEST + 50, "y": [560_050.0] * 3})
    centroids.iloc[[2, 0, 1]].to_csv(folder / "centroids.csv", index=False)
    ages = pd.DataFrame({str(age): [1, 0, age % 2] for age in range(91)})
    ages.insert(0, "oa11cd", codes)
    ages.to_csv(folder / "population_ages.csv", index=False)
    total = pd.DataFrame({"oa11cd": codes, "population": [91, 0, 45]})
    total.iloc[::-1].to_csv(folder / "population_total.csv", index=False)
    workers = pd.DataFrame({"oa11cd": codes, "workers": [0, 75, 25]})
    workers.iloc[[1, 2, 0]].to_csv(folder / "workplace.csv", index=False)
    _write(
        gpd.GeoDataFrame(
            {"oa11cd": codes}, geometry=shapely.box(WEST, 560_000, WEST + 100, 560_100), crs=CRS
        ),
        folder / "oa_shape" / "oa.shp",
    )
    _write(
        gpd.GeoDataFrame(
            {"lad20cd": ["E08"], "lad20nm": ["Smallton"]},
            geometry=[shapely.box(420_000, 560_000, 420_300, 560_100)],
            crs=CRS,
        ),
        folder / "la_shape" / "la.shp",
    )
    _write(
        _points((1, "E01"), (2, "E01"), (3, "E03"), names="id oa11cd"),
        folder / "uo_sensors" / "uo_sensors.shp",
    )
    return folder


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A small folder as the original system processed them."""
    return _make_original(tmp_path / "E08")


def test_the_original_folder_is_read_as_it_lies(original: Path) -> None:
    """Tables in different orders are aligned by area; names, polygons and sensors come along."""
    city = read_city(original)
    assert (city.name, city.label.code) == ("Smallton", "E08")
    assert "Office for National Statistics" in city.attribution
    assert city.crs == CRS
    assert list(city.dataset["area"].to_numpy()) == ["E01", "E02", "E03"]
    assert list(city.people(GROUPS["pop_total"]).values) == [91, 0, 45]
    assert list(city.people(Group(ages=(1, 1))).values) == [1, 0, 1]
    assert list(city.people(GROUPS["workplace"]).values) == [0, 75, 25]
    squares = shapely.box(WEST, 560_000, WEST + 100, 560_100)
    assert shapely.equals(city.polygons.geometry.to_numpy(), squares).all()
    assert city.existing_areas == ("E01", "E03")
    assert list(city.existing.index) == ["1", "2", "3"]


def test_the_original_folder_hands_columns_on_to_its_sites(original: Path) -> None:
    """Those of centroids.csv, which is the table of the areas."""
    centroids = pd.read_csv(original / "centroids.csv")
    wards = [f"ward {k % 2}" for k in range(len(centroids))]
    centroids.assign(ward=wards).to_csv(original / "centroids.csv", index=False)
    city = read_city(original, site_columns=["ward"])
    by_area = dict(zip(centroids["oa11cd"], wards, strict=True))
    assert city.site_column("ward").tolist() == [by_area[a] for a in city.site_areas]
    assert read_city(original).site_columns == ("workers", "area_id")


@pytest.mark.parametrize("gone", ["oa_shape", "la_shape", "uo_sensors", "population_total.csv"])
def test_what_the_original_may_lack_it_may_lack(original: Path, gone: str) -> None:
    """Shapes, sensors and the total are extras: the residents and workers stay the same."""
    full = read_city(original)
    path = original / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    city = read_city(original)
    np.testing.assert_array_equal(city.dataset["residents"], full.dataset["residents"])
    assert (city.polygons is None) == (gone == "oa_shape")
    assert (city.name == "E08") == (gone == "la_shape")
    assert (city.existing is None) == (gone == "uo_sensors")


def test_newcastle_is_read_as_it_lies(shared: Path) -> None:
    """The reference city: areas, people, the 55 areas with a sensor, and two bad polygons."""
    with pytest.warns(SpineqWarning, match="2 of 910 polygons are not valid"):
        city = read_city(shared / "data" / "cities" / "E08000021")
    assert city.n_areas == city.n_sites == 910
    assert (city.name, city.label.code) == ("Newcastle upon Tyne", "E08000021")
    assert city.people(GROUPS["pop_total"]).values.sum() == 302_820
    assert city.people(GROUPS["workplace"]).values.sum() == 169_652
    assert len(city.existing_areas) == 55
    assert not any(city.people(group).estimated for group in GROUPS.values())


def test_newcastle_goes_through_the_file_contract(shared: Path, tmp_path: Path) -> None:
    """Written with all its parts and read again, it is the same city."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpineqWarning)
        city = read_city(shared / "data" / "cities" / "E08000021")
        back = read_city(city.to_geoparquet(tmp_path / "newcastle"))
    assert back == city
    assert back.dataset.identical(city.dataset)
    assert back.existing_areas == city.existing_areas


# ---------------------------------------------------------------------------- bad input, contract

Change = Callable[[pd.DataFrame], pd.DataFrame]


def _cell(row: int, column: str, value: Any) -> Change:
    return lambda frame: frame.astype({column: object}).assign(
        **{column: [value if k == row else old for k, old in enumerate(frame[column])]}
    )


BAD_AREAS: dict[str, tuple[Change, type[DataError], str]] = {
    "NaN": (_cell(1, "workers", None), NotANumberError, r"row 2 \(007\), field workers: .* empty"),
    "NaN age": (_cell(2, "age_0_15", None), NotANumberError, r"row 3 \(NA\), field age_0_15: .*"),
    "text": (_cell(1, "age_0_15", "ten"), NotANumberError, r"row 2 \(007\), .*: 'ten' is not"),
    "infinity": (_cell(0, "workers", "inf"), NotANumberError, r"row 1 \(B\), .*: 'inf' is not"),
    "negative": (_cell(2, "workers", -3), NegativeValueError, r"row 3 \(NA\), field workers: -3 "),
    "extra column": (
        lambda frame: frame.assign(income=[1, -2, 3]),
        NegativeValueError,
        r"field income: -2 is below 0.*columns=",
    ),
    "extra NaN": (
        lambda frame: frame.assign(income=[1, None, 3]),
        NotANumberError,
        r"row 2 \(007\), field income: .*columns=",
    ),
    "coordinate": (_cell(1, "x", None), NotANumberError, r"row 2 \(007\), field x: .*coordinate"),
    "text coordinate": (_cell(1, "y", "N"), NotANumberError, r"row 2 \(007\), field y: 'N'"),
    "duplicate id": (_cell(2, "area_id", "B"), DuplicateIdError, "row 3, field area_id: 'B' stan"),
    "no id": (_cell(2, "area_id", None), DuplicateIdError, "row 3, field area_id: .*no identif"),
    "zero sum": (lambda f: f.assign(workers=0), ZeroWeightError, "workers is 0 in every row"),
    "nobody": (
        lambda frame: frame.assign(age_0_15=0, age_16_65=0, age_66_plus=0),
        ZeroWeightError,
        "the sum of the ages is 0 in every row",
    ),
    "no area_id": (
        lambda frame: frame.drop(columns="area_id"),
        MissingColumnError,
        "'area_id' is missing.*age_0_15",
    ),
    "no x": (lambda frame: frame.drop(columns="x"), MissingColumnError, "'x' is missing"),
    "empty": (lambda frame: frame.iloc[:0], EmptyCityError, "not a single area"),
    "total": (
        lambda frame: frame.assign(population=[21, 60, 25]),
        TotalMismatchError,
        r"row 3 \(NA\), field population: the ages sum to 24, but the population is 25",
    ),
    "overlap": (
        lambda frame: frame.rename(columns={"age_16_65": "age_15_65"}),
        AgeBandError,
        r"age_15_65 overlaps the band before it \(age 16 was next\)",
    ),
    "hole": (
        lambda frame: frame.rename(columns={"age_16_65": "age_17_65"}),
        AgeBandError,
        r"age_17_65 leaves a hole before it \(age 16 was next\)",
    ),
    "no youngest": (
        lambda frame: frame.drop(columns="age_0_15"),
        AgeBandError,
        r"age_16_65 leaves a hole before it \(age 0 was next\)",
    ),
    "closed end": (
        lambda frame: frame.rename(columns={"age_66_plus": "age_66_80"}),
        AgeBandError,
        "the ages stop at age_66_80.*age_66_plus",
    ),
    "beyond 90": (
        lambda frame: frame.rename(columns={"age_66_plus": "age_66_100"}),
        AgeBandError,
        "age_66_100 goes beyond age 90",
    ),
    "backwards": (
        lambda frame: frame.rename(columns={"age_16_65": "age_65_16"}),
        AgeBandError,
        "age_65_16 ends before it begins. Call it age_16_65",
    ),
    "degrees": (
        lambda frame: frame.assign(x=-1.6, y=54.9),
        GeographicCRSError,
        "look like degrees.*EPSG:4326",
    ),
}


@pytest.mark.parametrize("name", BAD_AREAS)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_bad_areas_are_refused(tmp_path: Path, name: str, ending: str) -> None:
    """Each mistake has an error of its own with file, row or field, and mend; none is repaired."""
    change, error, message = BAD_AREAS[name]
    frame = change(_csv_areas())
    if ending == ".parquet":
        # A typed table cannot hold a number and a text in one column.
        frame = frame.apply(lambda c: c.astype(str) if c.map(type).eq(str).any() else c)
        frame = frame.replace({"None": None, "nan": None})
    path = _write(frame, tmp_path / f"areas{ending}")
    with pytest.raises(error, match=message) as caught:
        read_city(path, crs=CRS)
    assert caught.value.file == str(path)
    assert caught.value.mend
    assert _is_plain(str(caught.value))


def _is_plain(text: str) -> bool:
    """One line of sentences, without Python's own words for things."""
    return (
        "\n" not in text and ".." not in text and not re.search(r"np\.|<class|dtype|object", text)
    )


def test_a_missing_system_is_asked_for(tmp_path: Path) -> None:
    """A CSV says nothing about its coordinates, and nothing is assumed."""
    path = _write(_csv_areas(), tmp_path / "areas.csv")
    with pytest.raises(UnknownCRSError, match=r"areas.csv, field crs: no coordinate.*--crs"):
        read_city(path)
    with pytest.raises(UnknownCRSError, match=r"nobody knows .* 'EPSG:99999'"):
        read_city(path, crs="EPSG:99999")
    with pytest.raises(GeographicCRSError, match="counts in degrees, and 420050, 560050 are none"):
        read_city(path, crs="EPSG:4326")


@pytest.mark.parametrize("ending", [".parquet", ".gpkg", ".shp"])
def test_a_system_is_asked_for_where_the_file_could_have_one(tmp_path: Path, ending: str) -> None:
    """Polygons without a system are read in the one that the user names, and in no other."""
    frame = _areas().rename(columns={"age_66_plus": "age_66_90"})
    path = _write(frame.set_crs(None, allow_override=True), tmp_path / f"areas{ending}")
    with pytest.raises(UnknownCRSError, match="no coordinate reference system is given") as caught:
        read_city(path)
    assert caught.value.file == str(path)
    assert read_city(path, crs=CRS) == City.from_frame(_areas())


def test_areas_without_a_geometry_are_refused(tmp_path: Path) -> None:
    """A row without a polygon has no place."""
    frame = _areas()
    frame.loc[1, "geometry"] = None
    with pytest.raises(UnreadableFileError, match=r"row 2 \(007\), field geometry: .*no geometry"):
        read_city(_write(frame, tmp_path / "areas.parquet"))
    frame.loc[1, "geometry"] = shapely.Point(np.inf, 0)
    with pytest.raises(NotANumberError, match=r"row 2 \(007\), field geometry: .*finite"):
        City.from_frame(frame)


@pytest.mark.parametrize("ending", [".parquet", ".gpkg", ".geojson", ".csv"])
def test_a_truncated_file_is_refused(tmp_path: Path, ending: str) -> None:
    """Half a file is not half a city."""
    path = _write(_csv_areas() if ending == ".csv" else _areas(), tmp_path / f"areas{ending}")
    data = path.read_bytes()
    # A CSV is cut in the row before the last: a row that is cut has fewer values.
    cut = data.rstrip().rfind(b"\n") + 9 if ending == ".csv" else len(data) // 2
    path.write_bytes(data[:cut])
    with pytest.raises((UnreadableFileError, NotANumberError)) as caught:
        read_city(path, crs=CRS if ending == ".csv" else None)
    assert caught.value.file == str(path)
    assert _is_plain(str(caught.value))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("areas.csv", "", r"cannot be read \(No columns to parse from file\)"),
        ("areas.csv", "area_id,x,y,workers\nA,1,2,3,\nB,1,2,3,\n", "more values than .* columns"),
        ("areas.csv", "area_id,x,y,workers,workers\nA,1,2,3,4\n", "two columns 'workers'"),
        ("areas.csv", "area_id,x\nA,1,2,3\nB,1,2\nC,1,2,3,4,5\n", "cannot be read"),
        ("areas.gpkg", "no package", "the file is no GeoPackage.*rename it"),
        ("areas.parquet", "no parquet", "cannot be read .*whole parquet file"),
        ("areas.json", "{", "cannot be read"),
        ("areas.xlsx", "x", "files that end in .xlsx are not read"),
        ("areas", "x", "the name has no ending"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    """What cannot be read says so in our words."""
    (tmp_path / name).write_text(text)
    with pytest.raises(UnreadableFileError, match=message) as caught:
        read_city(tmp_path / name, crs=CRS)
    assert caught.value.file == str(tmp_path / name)
    assert caught.value.mend
    assert _is_plain(str(caught.value))


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    """The city, a part, a folder without areas, and a table by itself."""
    areas = _write(_areas(), tmp_path / "a.gpkg")
    with pytest.raises(MissingFileError, match=r"file .*nowhere: there is no such file or folder"):
        read_city(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match=r"file .*sites.csv: there is no such file"):
        read_city(areas, sites=tmp_path / "sites.csv")
    with pytest.raises(
        MissingFileError, match=r"neither a file areas nor centroids.csv.*areas.csv"
    ):
        read_city(tmp_path)
    with pytest.raises(MissingFileError, match="there is no such file"):
        read_table(tmp_path / "x.csv")


BAD_PARTS: dict[str, tuple[str, pd.DataFrame, type[DataError], str]] = {
    "shares": (
        "points",
        DEMAND.assign(share=[0.25, 0.7, 1, 1]),
        ShareError,
        "row 007, field share: the shares of area '007' sum to 0.95",
    ),
    "negative cost": (
        "travel",
        TRAVEL.assign(cost=[-1, 0]),
        TravelCostError,
        "row 1, field cost: the travel cost from s1 to NA is -1",
    ),
    "missing cost": (
        "travel",
        TRAVEL.assign(cost=[1, None]),
        TravelCostError,
        "row 2, field cost: the travel cost from s2 to 007 is missing",
    ),
    "unknown site": ("travel", TRAVEL.assign(site="s9"), UnknownIdError, "row 1, field site: 's9'"),
    "unknown area": (
        "existing",
        SENSORS.assign(area_id=["B", "Z"]),
        UnknownIdError,
        r"row 2 \(e2\), field area_id: 'Z' is not in the city",
    ),
    "duplicate site": (
        "sites",
        SITES.assign(site_id="s"),
        DuplicateIdError,
        "row 2, field site_id",
    ),
    "no column": ("travel", TRAVEL.drop(columns="cost"), MissingColumnError, "'cost' is missing"),
}


@pytest.mark.parametrize("name", BAD_PARTS)
def test_a_bad_part_is_refused_with_its_own_file(tmp_path: Path, name: str) -> None:
    """The error names the part's file, not the city's."""
    part, table, error, message = BAD_PARTS[name]
    plain = _in_columns(table) if isinstance(table, gpd.GeoDataFrame) else table
    path = _write(plain, tmp_path / f"{part}.csv")
    files = {"sites": _write(SITES, tmp_path / "sites.gpkg")} | {part: path}
    with pytest.raises(error, match=message) as caught:
        read_city(_write(_areas(), tmp_path / "areas.gpkg"), **files)
    assert caught.value.file == str(path)
    assert _is_plain(str(caught.value))


# ---------------------------------------------------------------------------- bad input, original


def _in_csv(name: str, change: Change) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        file = folder / name
        change(pd.read_csv(file)).to_csv(file, index=False)
        return file

    return spoil


def _in_shape(name: str, change: Change) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        file = folder / name
        frame = change(gpd.read_file(file))
        shutil.rmtree(file.parent)
        return _write(frame, file)

    return spoil


def _gone(name: str) -> Callable[[Path], Path]:
    def spoil(folder: Path) -> Path:
        (folder / name).unlink()
        return folder / name

    return spoil


def _drop(column: str) -> Change:
    return lambda frame: frame.drop(columns=column)


BAD_ORIGINALS: dict[str, tuple[Callable[[Path], Path], type[DataError], str]] = {
    "NaN": (
        _in_csv("workplace.csv", _cell(1, "workers", None)),
        NotANumberError,
        r"row 2 \(E03\), field workers",
    ),
    "text": (
        _in_csv("population_ages.csv", _cell(2, "17", "many")),
        NotANumberError,
        r"row 3 \(E03\), field 17: 'many' is not",
    ),
    "negative": (
        _in_csv("population_ages.csv", _cell(1, "3", -1)),
        NegativeValueError,
        r"row 2 \(E02\), field 3: -1 is below 0",
    ),
    "coordinate": (
        _in_csv("centroids.csv", _cell(0, "x", None)),
        NotANumberError,
        r"row 1 \(E03\), field x",
    ),
    "duplicate id": (
        _in_csv("workplace.csv", _cell(2, "oa11cd", "E03")),
        DuplicateIdError,
        "row 3, field oa11cd: 'E03' stands in an earlier row",
    ),
    "zero sum": (
        _in_csv("workplace.csv", lambda frame: frame.assign(workers=0)),
        ZeroWeightError,
        "field workers: workers is 0 in every row",
    ),
    "other areas": (
        _in_csv("workplace.csv", _cell(1, "oa11cd", "E99")),
        AreaMismatchError,
        r"row 2 \(E99\), field oa11cd: area 'E99' is not in centroids.csv",
    ),
    "fewer areas": (
        _in_csv("population_ages.csv", lambda frame: frame.iloc[:2]),
        AreaMismatchError,
        "area 'E03' is in centroids.csv but not here",
    ),
    "fewer polygons": (
        _in_shape("oa_shape/oa.shp", lambda frame: frame.iloc[1:]),
        AreaMismatchError,
        "area 'E01' is in centroids.csv but not here",
    ),
    "polygons twice": (
        _in_shape("oa_shape/oa.shp", lambda frame: frame.iloc[[0, 1, 2, 0]]),
        DuplicateIdError,
        "row 4, field oa11cd: 'E01' stands",
    ),
    "total": (
        _in_csv("population_total.csv", _cell(2, "population", 90)),
        TotalMismatchError,
        r"row 3 \(E01\), field population: the ages sum to 91, but the population is 90",
    ),
    "hole in the ages": (
        _in_csv("population_ages.csv", _drop("40")),
        AgeBandError,
        "41 leaves",
    ),
    "no ages": (
        _in_csv("population_ages.csv", lambda frame: frame[["oa11cd"]]),
        UnreadableFileError,
        "no column of an age",
    ),
    "no workers": (_in_csv("workplace.csv", _drop("workers")), MissingColumnError, "'workers' is"),
    "no code": (_in_csv("workplace.csv", _drop("oa11cd")), MissingColumnError, "'oa11cd' is miss"),
    "no total": (_in_csv("population_total.csv", _drop("population")), MissingColumnError, "'popu"),
    "no x": (_in_csv("centroids.csv", _drop("x")), MissingColumnError, "'x' is missing"),
    "no name": (_in_shape("la_shape/la.shp", _drop("lad20nm")), MissingColumnError, "'lad20nm' is"),
    "no sensor's area": (
        _in_shape("uo_sensors/uo_sensors.shp", _drop("oa11cd")),
        MissingColumnError,
        "'oa11cd' is missing",
    ),
    "a sensor elsewhere": (
        _in_shape("uo_sensors/uo_sensors.shp", _cell(1, "oa11cd", "E99")),
        UnknownIdError,
        r"row 2 \(2\), field area_id: 'E99' is not in the city",
    ),
    "two authorities": (
        _in_shape("la_shape/la.shp", lambda frame: frame.iloc[[0, 0]]),
        UnreadableFileError,
        "there are 2 local authorities",
    ),
    "empty": (
        _in_csv("centroids.csv", lambda frame: frame.iloc[:0]),
        EmptyCityError,
        "not a single area",
    ),
    "no workplace.csv": (_gone("workplace.csv"), MissingFileError, "there is no such file"),
    "no population_ages.csv": (_gone("population_ages.csv"), MissingFileError, "no such file"),
    "no oa.shp": (_gone("oa_shape/oa.shp"), MissingFileError, "no such file"),
    "no oa.dbf": (
        lambda folder: _gone("oa_shape/oa.dbf")(folder).with_suffix(".shp"),
        MissingColumnError,
        "'oa11cd' is missing",
    ),
}


@pytest.mark.parametrize("name", BAD_ORIGINALS)
def test_a_bad_original_folder_is_refused(original: Path, name: str) -> None:
    """The error names the one of its files that is wrong, and the row as that file has it."""
    spoil, error, message = BAD_ORIGINALS[name]
    file = spoil(original)
    with pytest.raises(error, match=message) as caught:
        read_city(original)
    assert caught.value.file == str(file)
    assert caught.value.mend
    assert _is_plain(str(caught.value))


def test_the_originals_system_is_known(original: Path) -> None:
    """Its coordinates are the national grid; to call them something else is refused."""
    assert read_city(original, crs=CRS) == read_city(original)
    with pytest.raises(UnknownCRSError, match="says EPSG:27700, but crs is 'EPSG:4326'"):
        read_city(original, crs="EPSG:4326")


# ---------------------------------------------------------------------------- warnings and speed


def test_polygons_that_are_not_valid_are_kept_and_said(tmp_path: Path) -> None:
    """The sums do not use them, so they change nothing but get a warning."""
    frame = _areas().assign(x=WEST + 50, y=560_050.0)
    bow_tie = shapely.Polygon(
        [(420_000, 560_000), (420_100, 560_100), (420_100, 560_000), (420_000, 560_100)]
    )
    frame.loc[1, "geometry"] = bow_tie
    with pytest.warns(SpineqWarning, match=r"1 of 3 polygons are not valid \(007\)"):
        city = read_city(_write(frame, tmp_path / "areas.parquet"))
    assert city == City.from_frame(_areas().assign(x=WEST + 50, y=560_050.0))
    assert city.polygons.geometry["007"] == bow_tie


def test_bands_that_cut_through_a_group_are_said(tmp_path: Path) -> None:
    """Which of the four groups are estimates is known when the city is read."""
    frame = _csv_areas().rename(columns={"age_0_15": "age_0_17", "age_16_65": "age_18_65"})
    with pytest.warns(SpineqWarning, match=r"cut through Children \(0-15\); these groups are est"):
        read_city(_write(frame, tmp_path / "areas.csv"), crs=CRS)


@pytest.fixture
def no_warnings() -> Iterator[None]:
    """Turn every warning into an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("no_warnings")
def test_a_city_in_order_gets_no_warning(tmp_path: Path) -> None:
    """Silence means that nothing is odd."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = _write(_areas(), tmp_path / "areas.parquet")
    read_city(path)


def test_a_large_city_is_read_in_seconds(tmp_path: Path) -> None:
    """25,000 areas with single years of age in under 2 s."""
    rng = np.random.default_rng(0)
    size = 25_000
    frame = pd.DataFrame(
        rng.integers(0, 9, (size, 91)), columns=[f"age_{age}" for age in range(91)]
    )
    frame = frame.assign(
        area_id=[f"E{number:08d}" for number in rng.permutation(size)],
        workers=rng.integers(0, 99, size),
    )
    x, y = rng.uniform(400_000, 420_000, (2, size))
    areas = gpd.GeoDataFrame(frame, geometry=shapely.box(x, y, x + 50, y + 50), crs=CRS)
    path = _write(areas, tmp_path / "areas.parquet")
    read_city(path)  # what is imported on the way is not what is measured
    began = time.perf_counter()
    city = read_city(path)
    assert city.digest
    assert time.perf_counter() - began < 2.0


# ---------------------------------------------------------------------------- what is not trusted


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".json", ".shp"])
@pytest.mark.parametrize("kind", ["vrt", "polyglot", "pipeline"])
def test_a_file_cannot_name_other_files(tmp_path: Path, ending: str, kind: str) -> None:
    """GDAL's virtual data sets and pipelines are not run, also inside JSON that is valid."""
    other = _write(_areas(), tmp_path / "other.gpkg")
    layer = f"<OGRVRTLayer name='other'><SrcDataSource>{other}</SrcDataSource></OGRVRTLayer>"
    vrt = f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"
    path = tmp_path / f"areas{ending}"
    path.write_text(
        {
            "vrt": vrt,
            "polyglot": json.dumps({"type": "FeatureCollection", "x": vrt, "features": []}),
            "pipeline": json.dumps(
                {
                    "type": "gdal_streamed_alg",
                    "command_line": f"gdal vector pipeline ! read {other} ! write --of stream x",
                }
            ),
        }[kind]
    )
    with pytest.raises((UnreadableFileError, EmptyCityError)):
        read_city(path)


def test_the_virtual_data_set_would_have_been_read(tmp_path: Path) -> None:
    """The attack works where nothing stands against it, so that the test above tests something."""
    other = _write(_areas(), tmp_path / "other.gpkg")
    layer = f"<OGRVRTLayer name='other'><SrcDataSource>{other}</SrcDataSource></OGRVRTLayer>"
    path = tmp_path / "areas.geojson"
    vrt = f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"
    path.write_text(json.dumps({"type": "FeatureCollection", "x": vrt, "features": []}))
    assert len(gpd.read_file(path)) == 3


def test_brackets_and_one_feature_in_geojson_stay_what_they_are(tmp_path: Path) -> None:
    """What is escaped on the way is the same text; a mark at the beginning does no harm."""
    frame = _areas().assign(area_id=["<a>", "b<", "\u003c"])
    path = _write(frame, tmp_path / "areas.geojson")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(read_city(path).dataset["area"].to_numpy()) == ["<", "<a>", "b<"]
    made = json.loads(path.read_text(encoding="utf-8-sig"))
    path.write_text(json.dumps(made["features"][0] | {"crs": made["crs"]}))
    one = read_city(path)
    assert (one.n_areas, one.crs) == (1, CRS)


@pytest.mark.parametrize(
    "text", ["[]", "5", '{"type": "Topology"}', '{"type": "FeatureCollection"}']
)
def test_json_that_is_no_geojson_is_refused(tmp_path: Path, text: str) -> None:
    """In our words."""
    (tmp_path / "areas.json").write_text(text)
    with pytest.raises(UnreadableFileError, match="no collection of GeoJSON features"):
        read_city(tmp_path / "areas.json")


@pytest.mark.parametrize(
    "path",
    [
        "/vsicurl/http://localhost/areas.gpkg",
        "/vsizip/a.zip/areas.gpkg",
        "https://example.org/areas.gpkg",
        "PG://host/areas.gpkg",
        "a" * 5000,
        "a" * 5000 + ".csv",
        "a\0b.csv",
        None,
        5,
        b"areas.csv",
    ],
)
def test_a_path_that_can_be_no_file_is_refused(tmp_path: Path, path: Any) -> None:
    """Everywhere where a path is given."""
    with pytest.raises(MissingFileError) as caught:
        read_city(path)
    assert len(str(caught.value)) < 500
    if path is not None:
        areas = _write(_areas(), tmp_path / "areas.gpkg")
        with pytest.raises(MissingFileError):
            read_city(areas, sites=path)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    """pyarrow would read whatever lies in it."""
    areas = _write(_areas(), tmp_path / "areas.gpkg")
    (tmp_path / "sites.parquet").mkdir()
    with pytest.raises(UnreadableFileError, match=r"sites.parquet: a file is needed"):
        read_city(areas, sites=tmp_path / "sites.parquet")


def test_a_name_that_looks_like_a_driver_is_a_name(tmp_path: Path, monkeypatch: Any) -> None:
    """GDAL takes words before a colon for a driver's."""
    monkeypatch.chdir(tmp_path)
    _write(_areas(), tmp_path / "x.gpkg").rename(tmp_path / "PG:x.gpkg")
    assert read_city("PG:x.gpkg").n_areas == 3


@pytest.mark.parametrize(
    "head",
    [b'{"parts": 5}', b'{"parts": [5]}', b"no JSON", b"5", b"[" * 100_000, b'{"travel_unit": 5}'],
)
def test_metadata_that_we_did_not_write_is_refused(tmp_path: Path, head: bytes) -> None:
    """Crafted words in a Parquet file end in an error of ours, or do nothing."""
    city = City.from_frame(_areas()).with_travel(
        pd.DataFrame({"site": ["B"], "area": ["NA"], "cost": [1.0]})
    )
    city.to_geoparquet(tmp_path)
    table = pq.read_table(tmp_path / "areas.parquet")
    metadata = dict(table.schema.metadata) | {b"spineq": head}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "areas.parquet")
    with pytest.raises(DataError):
        read_city(tmp_path)


def test_a_city_is_not_written_beside_the_original_s(tmp_path: Path) -> None:
    """The folder would be read back as the other city."""
    (tmp_path / "centroids.csv").write_text("oa11cd,x,y\n")
    with pytest.raises(StoreError, match=r"centroids.csv.*Write to an empty folder"):
        City.from_frame(_areas()).to_geoparquet(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["centroids.csv"]


def test_a_file_s_name_that_is_no_text_is_cleaned(tmp_path: Path) -> None:
    """The city is called after its file as far as text can."""
    path = _write(_areas(), tmp_path / "x.parquet").rename(tmp_path / "a\nb.parquet")
    assert read_city(path).name == "a?b"
