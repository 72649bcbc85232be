"""Rasters of people gathered into cells, from small files made here."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spineq as sq
from spineq.data import raster
from spineq.data.raster import read_raster

pytestmark = pytest.mark.filterwarnings("ignore:.*are estimates:spineq.errors.SpineqWarning")

#: Metres: eastings and northings of the north-western corner of rasters made here.
WEST, NORTH = 420_000.0, 565_000.0


@pytest.fixture(scope="module")
def rasterio(needs: Callable[[str], ModuleType]) -> Any:
    return needs("rasterio")


@pytest.fixture
def written(rasterio: Any, tmp_path: Path) -> Callable[..., Path]:
    """Write numbers as a GeoTIFF of pixels of so many metres, or of the given grid."""

    def write(values: Any, name: str = "people.tif", pixel: float = 100.0, **profile: Any) -> Path:
        array = np.atleast_2d(np.asarray(values, dtype=np.float32))
        path = tmp_path / name
        corner = rasterio.transform.from_origin(WEST, NORTH, pixel, pixel)
        words = {
            "driver": "GTiff", "height": array.shape[0], "width": array.shape[1], "count": 1,
            "dtype": "float32", "crs": "EPSG:32630", "transform": corner, "nodata": -99999,
        }  # fmt: skip
        with rasterio.open(path, "w", **(words | profile)) as opened:
            for band in range(1, opened.count + 1):
                opened.write(array, band)
        return path

    return write


def people(city: sq.City, group: sq.Group = sq.GROUPS["pop_total"]) -> list[float]:
    return [float(number) for number in city.people(group).values]


def test_four_pixels_make_a_cell(written: Callable[..., Path]) -> None:
    """Cells lie on a grid of their own, named by their corner; empty ones are left out."""
    values = [[1, 2, 0, 0], [3, 4, 0, -99999], [0, 0, 5, 0], [0, 0, 0, 6]]
    city = read_raster(written(values), name="Town")
    assert city.dataset["area"].to_numpy().tolist() == ["e0420000n0564800", "e0420200n0564600"]
    assert people(city) == [10, 11]
    assert city.point_xy.tolist() == [[420100, 564900], [420300, 564700]]
    assert city.crs.to_authority() == ("EPSG", "32630")
    assert city.name == "Town"
    assert city.polygons is not None
    assert city.polygons.area.tolist() == [40_000, 40_000]
    assert "cells of 200 m" in city.label.note
    assert sq.optimise(city, n_sensors=1, theta=200).n_sensors == 1


def test_a_pixel_across_cells_counts_in_each_by_its_share(
    written: Callable[..., Path], rasterio: Any
) -> None:
    """A pixel of 400 m over cells of 200 m: in quarters, or half a cell off in sixteenths."""
    assert people(read_raster(written([[16]], pixel=400.0), cell=200)) == [4, 4, 4, 4]
    shifted = rasterio.transform.from_origin(WEST + 100, NORTH + 100, 400, 400)
    off = written([[16]], name="off.tif", transform=shifted)
    assert sorted(people(read_raster(off))) == [1, 1, 1, 1, 2, 2, 2, 2, 4]


def test_degrees_are_turned_into_the_utm_zone(written: Callable[..., Path], rasterio: Any) -> None:
    """As WorldPop writes them: three seconds of arc, the sum kept to the last person."""
    grid = rasterio.transform.from_origin(-1.7, 55.0, 1 / 1200, 1 / 1200)
    values = np.random.default_rng(0).gamma(1.0, 5.0, (60, 80))
    city = read_raster(written(values, crs="EPSG:4326", transform=grid))
    assert city.crs.to_authority() == ("EPSG", "32630")
    assert sum(people(city)) == pytest.approx(np.float32(values).sum(dtype=np.float64))
    half = read_raster(written(values, crs="EPSG:4326", transform=grid), cell=400)
    assert half.n_areas < city.n_areas / 3


def test_a_part_alone(written: Callable[..., Path], rasterio: Any, tmp_path: Path) -> None:
    """By a box in degrees or an outline: pixels whose middle lies inside."""
    grid = rasterio.transform.from_origin(-1.7, 55.0, 0.001, 0.001)
    file = written(np.ones((40, 40)), crs="EPSG:4326", transform=grid)
    box = (-1.695, 54.99, -1.685, 54.995)
    city = read_raster(file, within=box)
    assert sum(people(city)) == pytest.approx(50)
    outline = gpd.GeoDataFrame(geometry=[shapely.box(*box)], crs="EPSG:4326").to_crs("EPSG:27700")
    outline.to_file(tmp_path / "outline.gpkg")
    again = read_raster(file, within=tmp_path / "outline.gpkg")
    assert sum(people(again)) == pytest.approx(50)
    assert sum(people(read_raster(file, within=outline))) == pytest.approx(50)
    # The names of cells do not depend on the part.
    everything = read_raster(file)
    assert set(city.dataset["area"].to_numpy()) <= set(everything.dataset["area"].to_numpy())
    with pytest.raises(
        sq.SpineqError,
        match=r"does not reach .* is west, south, .* covers -1.7, 54.96, -1.66, 55 in degrees",
    ):
        read_raster(file, within=(54.99, -1.695, 54.995, -1.685))


def test_a_part_whose_sides_are_curves(written: Callable[..., Path], rasterio: Any) -> None:
    """Over five degrees a parallel is an arc in metres: what lies within it is all there."""
    grid = rasterio.transform.from_origin(300_000, 6_100_000, 10_000, 10_000)
    file = written(np.ones((40, 50)), transform=grid)
    west, south, east, north = -4.8, 52.0, 0.0, 54.0
    box = (west, south, east, north)
    x, y = np.meshgrid(305_000 + 10_000 * np.arange(50), 6_095_000 - 10_000 * np.arange(40))
    middle = gpd.GeoSeries(gpd.points_from_xy(x.ravel(), y.ravel()), crs="EPSG:32630").to_crs(4326)
    inside = middle.x.between(west, east) & middle.y.between(south, north)
    assert sum(people(read_raster(file, within=box, cell=20_000))) == pytest.approx(inside.sum())


def test_no_warning_of_a_way_to_write_that_is_going(written: Callable[..., Path]) -> None:
    file = written(np.ones((4, 4)))
    with warnings.catch_warnings():
        warnings.simplefilter("error", PendingDeprecationWarning)
        read_raster(file, within=(-4.0, 5.0, -3.0, 6.0))


def test_ages_and_sexes_by_worldpops_names(written: Callable[..., Path]) -> None:
    """Women and men of a band are added; the last band is open."""
    files = [
        written([[k + 1]], name=f"gbr_{sex}_{age}_2020.tif")
        for k, sex in enumerate("fm")
        for age in (0, 1, 5, 66)
    ]
    city = read_raster(files)
    assert city.dataset["age"].to_numpy().tolist() == [0, 1, 5, 66]
    assert city.dataset["age_last"].to_numpy().tolist() == [0, 4, 65, 90]
    assert people(city) == [12]
    assert people(city, sq.Group(ages=(66, 90))) == [3]
    both = [written([[7]], name=f"gbr_t_{age:02d}_2024_CN.tif") for age in (0, 16, 66)]
    assert people(read_raster(both)) == [21]


def test_rasters_by_what_they_count(written: Callable[..., Path]) -> None:
    """Of different pixels too: each is gathered by itself, and 0 where another has cells."""
    residents = written([[4, 0], [0, 0]], name="r.tif")
    jobs = written([[8]], name="j.tif", pixel=400.0)
    city = read_raster({"population": residents, "workers": jobs})
    assert people(city) == [0, 4, 0, 0]
    assert people(city, sq.GROUPS["workplace"]) == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["gbr_f_0_2020.tif"], None),
        (["gbr_f_0_2020.tif", "gbr_m_1_2020.tif"], "ages differ between the sexes"),
        (["gbr_f_0_2020.tif", "gbr_f_1_2020.tif"], "a sex is missing"),
        (["gbr_t_5_2020.tif", "gbr_t_10_2020.tif"], "youngest age is 5"),
        (["gbr_t_0_2020.tif", "gbr_t_0_2021.tif"], "two files of sex t and age 0"),
        (["gbr_t_0_2020.tif", "people.tif"], "neither sex nor age"),
    ],
)
def test_bands_that_do_not_fit(
    written: Callable[..., Path], names: list[str], said: str | None
) -> None:
    """One file alone is everybody, whatever its name."""
    files = [written([[1]], name=name) for name in names]
    if said is None:
        assert people(read_raster(files)) == [1]
        return
    with pytest.raises(sq.SpineqError, match=said):
        read_raster(files)


def test_what_is_no_raster_of_people(written: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(sq.SpineqError, match=r"a pixel has -3 people.*-a_nodata -3 file.tif"):
        read_raster(written([[-3]]))
    with pytest.raises(sq.SpineqError, match="more than can be meant"):
        read_raster(written([[np.inf]]))
    with pytest.raises(sq.SpineqError, match="nobody lives"):
        read_raster(written([[0, -99999]]))
    with pytest.raises(sq.SpineqError, match=r"2 bands.*gdal_translate -b 1"):
        read_raster(written([[1]], count=2))
    with pytest.raises(sq.SpineqError, match="no coordinate reference system"):
        read_raster(written([[1]], crs=None))
    torn = tmp_path / "torn.tif"
    torn.write_bytes(b"II*\0 and no more")
    with pytest.raises(sq.SpineqError, match="cannot be read"):
        read_raster(torn)
    virtual = tmp_path / "virtual.tif"
    virtual.write_text('<VRTDataset rasterXSize="1" rasterYSize="1"></VRTDataset>')
    with pytest.raises(sq.SpineqError, match="cannot be read"):
        read_raster(virtual)
    with pytest.raises(sq.SpineqError, match=r"ends in \.tif"):
        read_raster(tmp_path)
    with pytest.raises(sq.SpineqError, match="no such file"):
        read_raster(tmp_path / "nowhere.tif")
    with pytest.raises(sq.SpineqError, match="not a single raster"):
        read_raster({})


def test_words_out_of_range(written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    file = written([[1, 1]])
    for cell in (10, 1e6, float("nan")):
        with pytest.raises(sq.SpineqError, match="20 to 100,000 m"):
            read_raster(file, cell=cell)
    with pytest.raises(sq.SpineqError, match="must be a number"):
        read_raster(file, cell="200")  # type: ignore[arg-type]
    with pytest.raises(sq.SpineqError, match="not west, south, east and north"):
        read_raster(file, within=(1, 2, 0, 3))
    monkeypatch.setattr(raster, "_MOST_PIXELS", 1)
    with pytest.raises(sq.SpineqError, match="2 by 1 pixels are too many"):
        read_raster(file)


def test_without_rasterio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "people.tif").touch()
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(sq.SpineqError, match=r"spineq\[raster\]"):
        read_raster(tmp_path / "people.tif")


@given(st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_is_lost(written: Callable[..., Path], data: st.DataObject) -> None:
    """Whatever the pixels and the cells: people sum to what they were, and come out sorted."""
    shape = st.tuples(st.integers(1, 6), st.integers(1, 6))
    rows, columns = data.draw(shape)
    counts = st.integers(0, 50)
    values = data.draw(
        st.lists(counts, min_size=rows * columns, max_size=rows * columns).filter(any)
    )
    pixel, cell = data.draw(st.floats(30, 400)), data.draw(st.floats(100, 1000))
    file = written(np.reshape(values, (rows, columns)), pixel=pixel)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(raster, "_AT_ONCE", 7)
        city = read_raster(file, cell=cell)
    assert sum(people(city)) == pytest.approx(sum(values))
    assert read_raster(file, cell=cell).n_areas == city.n_areas


def test_across_the_date_line_and_from_0_to_360(
    rasterio: Any, written: Callable[..., Path]
) -> None:
    """Longitudes beyond 180 are those of the other side; at the poles there is no UTM zone."""

    def read(west: float, north: float) -> sq.City:
        grid = rasterio.transform.from_origin(west, north, 1 / 1200, 1 / 1200)
        return read_raster(written(np.ones((4, 8)), crs="EPSG:4326", transform=grid))

    fiji = read(179.9975, -16.0)
    assert fiji.crs.to_epsg() == 32701
    assert np.isclose(sum(people(fiji)), 32)
    assert read(358.4, 55.0) == read(-1.6, 55.0)
    with pytest.raises(sq.SpineqError, match=r"there is no UTM zone for 15, .* in EPSG:4326"):
        read(15.0, 89.9)


def test_scale_and_offset_of_the_file(rasterio: Any, written: Callable[..., Path]) -> None:
    """What is stored is not always the number itself."""
    file = written([[1, 3], [-99999, 2]])
    with rasterio.open(file, "r+") as opened:
        opened.scales, opened.offsets = (10.0,), (1.0,)
    assert people(read_raster(file)) == [11 + 31 + 21]


def test_cells_smaller_than_pixels_and_numbers_that_are_complex(
    written: Callable[..., Path],
) -> None:
    """Some cells would get nobody of a pixel that covers them."""
    with pytest.raises(sq.SpineqError, match="cells of 20 m are too small for pixels of about 100"):
        read_raster(written([[1, 1]]), cell=20)
    with pytest.raises(sq.SpineqError, match="complex"):
        read_raster(written([[1, 1]], dtype="complex64"))


def test_columns_that_no_raster_counts(written: Callable[..., Path]) -> None:
    """A count would take the place of the cells' own coordinates."""
    file = written([[1, 1]])
    for column in ("x", "area_id", "geometry", " "):
        with pytest.raises(sq.SpineqError, match="no raster can count"):
            read_raster({column: file})
    with pytest.raises(sq.SpineqError, match="not a single raster"):
        read_raster([])


def test_many_pixels_take_little_memory(
    written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch of pixels is added up before the next; how many are in one changes nothing."""
    file = written(np.arange(64 * 64).reshape(64, 64))
    whole = read_raster(file)
    held: list[int] = []
    gathered = raster._gathered

    def seen(parts: Any) -> Any:
        held.append(sum(len(cells) for cells, _ in parts))
        return gathered(parts)

    monkeypatch.setattr(raster, "_AT_ONCE", 64)
    monkeypatch.setattr(raster, "_gathered", seen)
    assert read_raster(file) == whole
    # A batch of 64 pixels, 16 parts each; then cells, of 4 pixels.
    assert max(held) <= max(64 * 16, 64 * 64)
