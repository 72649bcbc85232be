"""What `read_city` sees in a path: a table, zones of the United States, a raster, a folder."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import spineq as sq
from spineq.errors import DataError, SpineqError, SpineqWarning

#: Three block groups of San Francisco, with the leading zero of California.
GROUPS = ["060750101001", "060750101002", "060750102001"]

#: South-western corners of blocks of 400 m, and their coordinate system.
WEST, SOUTH, CRS = np.array([420_000.0, 420_400.0, 420_800.0]), 565_200.0, "EPSG:32630"


def zones(**columns: Any) -> gpd.GeoDataFrame:
    """Three zones in a row, not in the order of their names."""
    shapes = [shapely.box(x, SOUTH, x + 400, SOUTH + 400) for x in WEST[::-1]]
    table = {"GEOID": GROUPS[::-1], "COUNTYFP": "075", "ALAND": [7, 8, 9]} | columns
    return gpd.GeoDataFrame(table, geometry=shapes, crs=CRS)


def written(folder: Path, frame: pd.DataFrame, name: str) -> Path:
    """Write a table as what the name's ending says."""
    path = folder / name
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_file(path)
    return path


@pytest.fixture
def ages(tmp_path: Path) -> Path:
    table = {"GEOID": GROUPS, "age_0_15": [1, 2, 3], "age_16_65": 10, "age_66_plus": [5, 0, 5]}
    return written(tmp_path, pd.DataFrame(table), "ages.csv")


@pytest.fixture
def workplaces(tmp_path: Path) -> Path:
    path = tmp_path / "ca_wac.csv.gz"
    lines = [f"{name}00{k},{10 * k}" for name in GROUPS[:2] for k in (1, 2)]
    path.write_bytes(gzip.compress("\n".join(["w_geocode,C000", *lines]).encode()))
    return path


@pytest.fixture
def raster(tmp_path: Path, needs: Callable[[str], ModuleType]) -> Path:
    """4 by 4 pixels of 100 m, 1 to 16 people."""
    rasterio: Any = needs("rasterio")
    path = tmp_path / "people.tif"
    words = {"driver": "GTiff", "height": 4, "width": 4, "count": 1, "dtype": "float32"}
    corner = rasterio.transform.from_origin(WEST[0], SOUTH + 400, 100, 100)
    with rasterio.open(path, "w", **words, crs=CRS, transform=corner) as opened:
        opened.write(np.arange(1, 17, dtype=np.float32).reshape(4, 4), 1)
    return path


# ---------------------------------------------------------------------------- what is read


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".shp", ".parquet"])
def test_zones_of_the_united_states_are_seen(
    tmp_path: Path, ending: str, ages: Path, workplaces: Path
) -> None:
    """By their column GEOID, in every kind of file: the same as by their own reader."""
    file = written(tmp_path, zones(), f"zones{ending}")
    city = sq.read_city(file, ages=ages, workplaces=workplaces)
    assert city == sq.read_us_zones(file, ages, workplaces)
    assert city.name == "zones"
    assert "Census Bureau" in city.attribution
    assert city.people(sq.GROUPS["workplace"]).values.tolist() == [30, 30, 0]
    labelled = sq.read_city(file, ages=ages, name="Frisco", attribution="me")
    assert (labelled.name, labelled.attribution) == ("Frisco", "me")


def test_a_csv_of_zones_keeps_its_zeros(tmp_path: Path) -> None:
    """Coordinates in place of polygons, and the system that the user names."""
    middle = zones(population=[3, 2, 1]).centroid
    frame = pd.DataFrame(zones(population=[3, 2, 1]).drop(columns="geometry"))
    file = written(tmp_path, frame.assign(x=middle.x, y=middle.y), "zones.csv")
    city = sq.read_city(file, crs=CRS)
    assert city.dataset["area"].to_numpy().tolist() == GROUPS
    assert city.people(sq.GROUPS["pop_total"]).values.tolist() == [1, 2, 3]
    assert city.columns == ()


def test_zones_take_columns_if_asked(tmp_path: Path) -> None:
    """As weights and at sites; unasked, land area would be counted as people."""
    file = written(tmp_path, zones(population=1, low_income=[3, 2, 1]), "zones.gpkg")
    city = sq.read_city(file, columns=["low_income"], site_columns=["COUNTYFP"])
    assert city.columns == ("low_income",)
    assert city.dataset["columns"].to_numpy().ravel().tolist() == [1, 2, 3]
    assert city.site_column("COUNTYFP").tolist() == ["075"] * 3
    with pytest.raises(SpineqError, match="'rent' is missing"):
        sq.read_city(file, columns=["rent"])


def test_zones_in_a_folder_with_parts(tmp_path: Path) -> None:
    """The table of areas may be one of zones; sites and sensors lie beside it as ever."""
    folder = tmp_path / "Frisco"
    folder.mkdir()
    written(folder, zones(population=1), "areas.gpkg")
    sites = pd.DataFrame({"site_id": ["a", "b"], "x": WEST[:2] + 10, "y": SOUTH + 10})
    written(folder, sites, "sites.csv")
    city = sq.read_city(folder)
    assert (city.name, city.n_areas, city.n_sites) == ("Frisco", 3, 2)


def test_a_table_with_area_id_is_none_of_zones(tmp_path: Path) -> None:
    """Whatever else it has."""
    file = written(tmp_path, zones(area_id=["a", "b", "c"], population=1), "areas.gpkg")
    city = sq.read_city(file)
    assert city.dataset["area"].to_numpy().tolist() == ["a", "b", "c"]
    assert city.columns == ("ALAND",)
    assert city.attribution == ""


@pytest.mark.parametrize("name", ["people.tif", "PEOPLE.TIFF"])
def test_a_raster_is_seen(raster: Path, name: str) -> None:
    """By its ending, and gathered into cells of 200 m; the same as by its own reader."""
    file = raster.rename(raster.with_name(name))
    city = sq.read_city(file)
    assert city == sq.read_raster(file)
    assert city.name == file.stem
    assert city.people(sq.GROUPS["pop_total"]).values.tolist() == [46, 14, 54, 22]
    assert sq.read_city(file, cell=400.0, name="Town").n_areas == 1
    outline = gpd.GeoDataFrame(geometry=[shapely.box(WEST[0], SOUTH, WEST[1], 565_400)], crs=CRS)
    assert sq.read_city(file, within=outline).n_areas == 2
    assert sq.read_city(file, crs="EPSG:3035").crs.to_epsg() == 3035


def test_a_raster_with_parts(raster: Path, tmp_path: Path) -> None:
    """Sites and points are in the cells' system unless they say otherwise."""
    sites = pd.DataFrame({"site_id": ["a"], "x": [420_050], "y": [565_250]})
    points = pd.DataFrame(
        {"area_id": ["e0420000n0565200"] * 2, "x": 420_010, "y": [565_210, 565_220], "weight": 1}
    )
    only = sq.read_city(raster, within=(-9, 4, 9, 6), cell=200)
    cells = [str(name) for name in only.dataset["area"].to_numpy()]
    middle = pd.DataFrame({"area_id": cells[1:], "x": 420_100, "y": 565_300, "weight": 1})
    city = sq.read_city(
        raster,
        sites=written(tmp_path, sites, "sites.csv"),
        points=written(tmp_path, pd.concat([points, middle]), "points.csv"),
    )
    assert (city.n_sites, city.n_points) == (1, 5)
    assert sq.optimise(city, n_sensors=1, theta=100).placement_history == ["a"]


def test_points_of_groups_in_a_csv(raster: Path, tmp_path: Path) -> None:
    """Rows with a group are that group's; its name stays text, and may look like a number."""
    cells = sq.read_city(raster).dataset
    points = pd.DataFrame(
        {
            "area_id": cells["area"].to_numpy(), "x": cells["x"].to_numpy(),
            "y": cells["y"].to_numpy(), "weight": 1,
        }
    )  # fmt: skip
    school = pd.DataFrame({"x": [420_070.0], "y": [565_270.0], "group": "101", "people": [300.0]})
    school["area_id"] = "e0420000n0565200"
    file = written(tmp_path, pd.concat([points, school]), "points.csv")
    city = sq.read_city(raster, points=file)
    assert city.point_groups == ("101",)
    assert city.people(sq.Group(column="101")).values.sum() == 300
    net = sq.optimise(city, n_sensors=1, theta=100, groups={"pupils": sq.Group(column="101")})
    assert net.placement_history == ["e0420000n0565200"]


# ---------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        ("raster", {"ages": "a.csv"}, "ages is for a table of zones .* this is a raster"),
        ("raster", {"workplaces": ["w"]}, "workplaces is for a table of zones"),
        ("raster", {"columns": []}, "columns is for tables of areas, and this is a raster"),
        ("raster", {"site_columns": ["ward"]}, "site_columns is for tables of areas"),
        ("table", {"cell": 200}, r"cell is for a raster of people, a file that ends in \.tif"),
        ("table", {"within": (0, 0, 1, 1)}, "within is for a raster .* this is a table of areas"),
        ("table", {"ages": "a.csv"}, "ages is for .* GEOID and none called area_id"),
        ("zones", {"cell": 200}, "cell is for a raster .* this is a table of zones"),
        ("original", {"cell": 200}, "cell is for a raster .* a folder of the original system"),
        ("original", {"workplaces": "w"}, "workplaces is for a table of zones"),
    ],
)
def test_words_of_another_kind_are_refused(
    tmp_path: Path, raster: Path, kind: str, words: dict[str, Any], said: str
) -> None:
    """In one sentence, that names the word and what it belongs to."""
    (tmp_path / "original").mkdir()
    (tmp_path / "original" / "centroids.csv").touch()
    paths = {
        "raster": raster,
        "table": written(tmp_path, zones(area_id=["a", "b", "c"], population=1), "areas.gpkg"),
        "zones": written(tmp_path, zones(population=1), "zones.gpkg"),
        "original": tmp_path / "original",
    }
    with pytest.raises(DataError, match=said) as caught:
        sq.read_city(paths[kind], **words)
    assert caught.value.field == next(iter(words))
    assert str(caught.value).count("\n") == 0


def test_what_is_no_city(tmp_path: Path, raster: Path) -> None:
    """Torn rasters, tables that are neither, names of zones elsewhere."""
    torn = tmp_path / "torn.tif"
    torn.write_bytes(raster.read_bytes()[:-30])
    with pytest.raises(SpineqError, match=r"torn\.tif: the raster cannot be read"):
        sq.read_city(torn)
    bare = written(tmp_path, zones(), "bare.gpkg")
    with pytest.raises(SpineqError, match=r"neither lines of B01001.*ages= \(--ages\)"):
        sq.read_city(bare)
    other = written(tmp_path, zones(population=1).rename(columns={"GEOID": "name"}), "other.gpkg")
    with pytest.raises(SpineqError, match="'area_id' is missing"):
        sq.read_city(other)
    german = written(tmp_path, zones(GEOID=["DE1", "DE2", "DE3"], population=1), "german.gpkg")
    with pytest.raises(SpineqError, match=r"'DE1' is no GEOID.*other countries.*area_id"):
        sq.read_city(german)
    with pytest.raises(SpineqError, match="squares of metres, and EPSG:4326 has none"):
        sq.read_city(raster, crs="EPSG:4326")
    within: Any = ("a", 0, 1, 1)
    with pytest.raises(SpineqError, match="not west, south, east and north"):
        sq.read_city(raster, within=within)


def test_a_caution_names_the_line_of_the_user(tmp_path: Path) -> None:
    """Of whichever reader was called, and once."""
    table = zones(age_0_19=1, age_20_plus=1)
    file = written(tmp_path, table, "zones.gpkg")
    for read in (sq.read_city, sq.read_us_zones):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SpineqWarning)
            read(file)
        (one,) = [each for each in caught if each.category is SpineqWarning]
        assert one.filename == __file__
        assert "are estimates" in str(one.message)
