"""A synthetic city has Newcastle's statistics, whole geometry, and is the same every time."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from data.city_statistics import NEWCASTLE, allowed, city_statistics

from spineq.data._synthetic import SyntheticTables, synthetic_tables


@cache
def statistics_of(seed: int) -> dict[str, float]:
    """Statistics of the city of 910 areas with this seed."""
    city = synthetic_tables(910, seed=seed)
    hectares = shapely.area(city.polygons) / 10_000
    return city_statistics(city.xy, city.residents, city.workers, hectares)


def same(a: SyntheticTables, b: SyntheticTables) -> bool:
    """Whether two cities agree to the last bit."""
    return (
        np.array_equal(a.xy, b.xy)
        and np.array_equal(a.residents, b.residents)
        and np.array_equal(a.workers, b.workers)
        and np.array_equal(shapely.to_wkb(a.polygons), shapely.to_wkb(b.polygons))
    )


def assert_whole(city: SyntheticTables, n_areas: int) -> None:
    """Shapes, types and geometry are as promised."""
    assert city.xy.shape == (n_areas, 2)
    assert city.xy.dtype == np.float64
    assert np.isfinite(city.xy).all()
    assert city.residents.shape == (n_areas, 91)
    assert city.workers.shape == city.polygons.shape == (n_areas,)
    assert city.residents.dtype == city.workers.dtype == np.int64
    assert city.residents.min() >= 0
    assert city.residents.sum(axis=1).min() > 0
    assert city.workers.min() > 0
    assert (shapely.get_type_id(city.polygons) == shapely.GeometryType.POLYGON).all()
    assert shapely.is_valid(city.polygons).all()
    assert shapely.contains_xy(city.polygons, city.xy).all()
    land = shapely.area(city.polygons)
    assert land.min() > 0
    assert shapely.union_all(city.polygons).area == pytest.approx(land.sum(), rel=1e-9)


@pytest.mark.parametrize("name", NEWCASTLE)
def test_statistic_is_newcastles(name: str) -> None:
    """Each statistic of the city with seed 0 is close to that of Newcastle's output areas."""
    low, high = allowed(name)
    assert low <= statistics_of(0)[name] <= high


@pytest.mark.parametrize("seed", [3, 7])
def test_other_seeds_are_newcastles_too(seed: int) -> None:
    """No statistic leaves its range with another seed."""
    found = statistics_of(seed)
    outside = {
        name: value
        for name, value in found.items()
        if not allowed(name)[0] <= value <= allowed(name)[1]
    }
    assert not outside


def test_definitions_give_newcastles_figures(shared: Path) -> None:
    """On the real output areas the definitions give the figures of the table."""
    real = shared / "data" / "cities" / "E08000021"
    points = pd.read_csv(real / "centroids.csv", index_col="oa11cd").sort_index()
    ages = pd.read_csv(real / "population_ages.csv", index_col="oa11cd").loc[points.index]
    workers = pd.read_csv(real / "workplace.csv", index_col="oa11cd").loc[points.index, "workers"]
    shapes = gpd.read_file(real / "oa_shape").set_index("oa11cd").loc[points.index]
    found = city_statistics(
        points[["x", "y"]].to_numpy(dtype=np.float64),
        ages.to_numpy(dtype=np.int64),
        workers.to_numpy(dtype=np.int64),
        shapes.area.to_numpy() / 10_000,
    )
    # The table has two or three figures: 3 % is half a step of 0.08, its coarsest.
    assert found == pytest.approx(NEWCASTLE, rel=0.03)


def test_same_seed_same_city() -> None:
    """The same numbers give the same city to the last bit."""
    assert same(synthetic_tables(300, towns=3, seed=5), synthetic_tables(300, towns=3, seed=5))


def test_other_seed_other_city() -> None:
    """Another seed gives other places and other people."""
    one, other = synthetic_tables(50, seed=1), synthetic_tables(50, seed=2)
    assert not np.allclose(one.xy, other.xy)
    assert not np.array_equal(one.residents, other.residents)


@pytest.mark.parametrize("n_areas", [1, 2, 3, 4, 10, 50, 910])
def test_any_size(n_areas: int) -> None:
    """A city of any size has whole tables; its polygons hold their points and do not overlap."""
    for seed in range(3):
        assert_whole(synthetic_tables(n_areas, seed=seed), n_areas)


def test_numpy_integers_are_whole_numbers() -> None:
    """Numbers from an array do as well as Python's own."""
    assert same(synthetic_tables(np.int64(7), towns=np.int32(2)), synthetic_tables(7, towns=2))


@pytest.mark.parametrize(
    ("n_areas", "towns"), [(2, 2), (5, 3), (40, 12), (60, 60), (3000, 25), (15_000, 8)]
)
def test_towns_lie_apart(n_areas: int, towns: int) -> None:
    """There are as many towns as asked for, with land between them."""
    city = synthetic_tables(n_areas, towns=towns, seed=1)
    assert_whole(city, n_areas)
    # A hair's breadth joins cells whose common border is rounded differently.
    land = shapely.union_all(shapely.buffer(city.polygons, 1.0))
    assert len(shapely.get_parts(land)) == towns


def test_towns_differ_in_size() -> None:
    """The largest town has several times the areas of the middle one, and none is without."""
    city = synthetic_tables(3000, towns=25, seed=1)
    parts = shapely.get_parts(shapely.union_all(shapely.buffer(city.polygons, 1.0)))
    land = np.sort(shapely.area(parts))
    assert land[-1] > 4 * np.median(land)
    tree = shapely.STRtree(parts)
    town = tree.query(shapely.points(city.xy), predicate="within")[1]
    assert np.bincount(town, minlength=25).min() >= 3


def test_land_goes_with_the_number_of_areas() -> None:
    """An area has 12.5 hectares of land on average, as in Newcastle, whatever the size."""
    for n_areas in (10, 910, 4000):
        land = shapely.area(synthetic_tables(n_areas).polygons).sum() / 10_000
        assert land / n_areas == pytest.approx(113.4e2 / 910, rel=0.03)


def test_density_holds_at_another_size() -> None:
    """A city four times as large has Newcastle's residents, land and density for each area."""
    city = synthetic_tables(3640, seed=2)
    total = city.residents.sum(axis=1)
    hectares = shapely.area(city.polygons) / 10_000
    for name, values in {
        "residents": total,
        "hectares": hectares,
        "density": total / hectares,
    }.items():
        for percent in (5, 50, 95):
            low, high = allowed(f"{name}_p{percent}")
            assert low <= np.percentile(values, percent) <= high, f"{name}_p{percent}"


def test_place_is_open_sea() -> None:
    """The city lies at the equator in UTM zone 31, where there is no land."""
    city = synthetic_tables(910, towns=4)
    assert city.xy[:, 1].min() >= 0
    assert abs(city.xy[:, 0] - 500_000).max() < 50_000
    assert city.xy[:, 1].max() < 100_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n_areas": 0}, "n_areas is 0"),
        ({"n_areas": -3}, "n_areas is -3"),
        ({"n_areas": 2.5}, "n_areas is 2.5"),
        ({"n_areas": True}, "n_areas is True"),
        ({"n_areas": "many"}, "n_areas is 'many'"),
        ({"n_areas": 10, "towns": 0}, "towns is 0"),
        ({"n_areas": 10, "towns": 11}, "towns is 11, more than the 10 areas"),
        ({"n_areas": 10, "towns": 1.0}, "towns is 1.0"),
        ({"n_areas": 10, "seed": -1}, "seed is -1"),
        ({"n_areas": 10, "seed": None}, "seed is None"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, object], said: str) -> None:
    """What is not a number of areas, towns or a seed is named in the error."""
    with pytest.raises(ValueError, match=said):
        synthetic_tables(**arguments)  # type: ignore[arg-type]
