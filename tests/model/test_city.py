"""Cities: immutable, blind to the order of rows, one digest for all that can change an answer."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import CRS, area_frames, cities, point_frames, site_frames

from spineq.data.files import read_city
from spineq.errors import (
    AgeBandError,
    DataError,
    DuplicateIdError,
    GeographicCRSError,
    MissingColumnError,
    NegativeValueError,
    NotANumberError,
    ShareError,
    SpineqError,
    SpineqWarning,
    TravelCostError,
    UnknownCRSError,
    UnknownIdError,
    UnreadableFileError,
    ZeroWeightError,
)
from spineq.model.city import City
from spineq.model.groups import GROUPS, Group


def _squares() -> gpd.GeoDataFrame:
    """Three areas in a row, 100 m wide, their points off the middle."""
    west = np.array([420_000.0, 420_100.0, 420_200.0])
    return gpd.GeoDataFrame(
        {
            "area_id": ["A", "B", "C"],
            "x": west + 40,
            "y": 560_030.0,
            "age_0_15": [10.0, 0.0, 5.0],
            "age_16_65": [50.0, 20.0, 0.0],
            "age_66_plus": [0.0, 4.0, 16.0],
            "workers": [0.0, 75.0, 25.0],
        },
        geometry=shapely.box(west, 560_000, west + 100, 560_100),
        crs=CRS,
    )


SITES = pd.DataFrame(
    {
        "site_id": ["s1", "s2"],
        "x": [420_010.0, 420_150.0],
        "y": [560_050.0, 560_060.0],
        "area_id": ["A", "B"],
    }
)
POINTS = pd.DataFrame(
    {
        "area_id": ["A", "A", "B", "C"],
        "point_id": ["p1", "p2", "p3", "p4"],
        "x": [420_020.0, 420_080.0, 420_150.0, 420_250.0],
        "y": [560_050.0, 560_020.0, 560_050.0, 560_050.0],
        "share": [0.25, 0.75, 1.0, 1.0],
    }
)
SENSORS = pd.DataFrame(
    {
        "sensor_id": ["e1", "e2"],
        "x": [420_030.0, 420_170.0],
        "y": [560_010.0, 560_010.0],
        "area_id": ["A", "B"],
    }
)
TRAVEL = pd.DataFrame(
    {"site": ["s1", "s1", "s2"], "point": ["p1", "p3", "p4"], "cost": [1.0, 2.0, 0.5]}
)

Parts = dict[str, Any]


def _parts() -> Parts:
    return {
        "areas": _squares(),
        "sites": SITES.copy(),
        "points": POINTS.copy(),
        "existing": SENSORS.copy(),
        "travel": TRAVEL.copy(),
        "unit": "minutes",
        "crs": CRS,
        "label": {"name": "Three squares", "attribution": "made"},
    }


def _city(parts: Parts) -> City:
    areas = parts["areas"].set_crs(parts["crs"], allow_override=True)
    return (
        City.from_frame(areas, **parts["label"])
        .with_sites(parts["sites"])
        .with_demand(parts["points"])
        .with_existing(parts["existing"])
        .with_travel(parts["travel"], unit=parts["unit"])
    )


@pytest.fixture
def city() -> City:
    """A city that has every part."""
    return _city(_parts())


# ---------------------------------------------------------------------------- immutability


def test_nothing_in_a_city_can_be_written_to(city: City) -> None:
    """Fields, arrays and what they were read into refuse; so do they after pickling."""
    for one in (city, pickle.loads(pickle.dumps(city))):
        with pytest.raises(FrozenInstanceError):
            one.travel_unit = "m"  # type: ignore[misc]
        arrays = [one.point_area, one.point_share, one.site_areas, one.travel.cost]
        arrays += [
            array.to_numpy()
            for name, array in one.dataset.variables.items()
            if name not in one.dataset.dims
        ]
        arrays += [one.people(Group(column="workers")).values]
        for array in arrays:
            with pytest.raises(ValueError, match=r"read-only"):
                array[..., 0] = array[..., 0]


def test_what_a_caller_does_to_a_view_stays_with_the_caller(city: City) -> None:
    """Datasets, tables and polygons that are handed out are the caller's own."""
    before = city.dataset.copy(deep=True)
    data = city.dataset
    data["residents"] = data["residents"] * 0
    data.attrs["crs"] = "EPSG:3857"
    for frame in (city.sites, city.points, city.existing, city.to_frame()):
        frame.loc[frame.index[0], ["x", "y"]] = 0.0
    polygons = city.polygons
    polygons.loc["A", "geometry"] = polygons.loc["C", "geometry"]
    assert city.dataset.identical(before)
    assert list(city.polygons.geometry) == list(_squares().geometry)


def test_the_tables_that_made_a_city_are_not_kept() -> None:
    """Writing to them afterwards changes nothing."""
    parts = _parts()
    city = _city(parts)
    before = city.dataset.copy(deep=True)
    for name in ("areas", "sites", "points", "existing"):
        parts[name]["x"] += 1.0
    parts["travel"]["cost"] += 1.0
    assert city.dataset.identical(before)


def test_each_change_makes_a_new_city() -> None:
    """``with_`` leaves the city that it is called on as it was."""
    plain = City.from_frame(_squares())
    digest = plain.digest
    for other in (
        plain.with_sites(SITES),
        plain.with_demand(POINTS),
        plain.with_existing(SENSORS),
        plain.with_travel(pd.DataFrame({"site": ["A"], "area": ["B"], "cost": [5.0]})),
    ):
        assert other.digest != digest
        assert other != plain
    assert plain.n_sites == plain.n_points == 3
    assert plain.existing is None
    assert plain.travel is None


# ---------------------------------------------------------------------------- order of rows


@settings(max_examples=25)
@given(area_frames(), st.data())
def test_the_order_of_rows_changes_nothing(frame: pd.DataFrame, data: st.DataObject) -> None:
    """Shuffled tables of areas, sites, points and sensors make the same city."""
    sites = data.draw(site_frames())
    nameless = data.draw(site_frames()).drop(columns="site_id")
    points = data.draw(point_frames(list(frame["area_id"])))

    def make(mixed: Callable[[pd.DataFrame], pd.DataFrame]) -> City:
        city = City.from_frame(mixed(frame), crs=CRS)
        city = city.with_sites(mixed(sites)).with_existing(mixed(nameless))
        return city.with_demand(mixed(points))

    def shuffled(table: pd.DataFrame) -> pd.DataFrame:
        return table.iloc[data.draw(st.permutations(range(len(table))))]

    one, other = make(lambda table: table), make(shuffled)
    # The weights of points are summed in the order of rows, which may change a last bit.
    xr.testing.assert_allclose(one.dataset, other.dataset, rtol=1e-14)
    with_shares = one.points.reset_index()
    assert one.with_demand(with_shares).digest == one.digest
    assert one.with_demand(shuffled(with_shares)).digest == one.digest
    assert City.from_frame(shuffled(frame), crs=CRS) == City.from_frame(frame, crs=CRS)


def test_areas_sites_and_points_are_sorted_by_id(city: City) -> None:
    """Ties go to the first in that order, so it has to be the same everywhere."""
    backwards = {
        name: part.iloc[::-1] if isinstance(part, pd.DataFrame) else part
        for name, part in _parts().items()
    }
    other = _city(backwards)
    assert other.dataset.identical(city.dataset)
    assert list(other.dataset["area"].to_numpy()) == ["A", "B", "C"]
    assert list(other.dataset["point"].to_numpy()) == ["p1", "p2", "p3", "p4"]


# ---------------------------------------------------------------------------- the digest


def _set(part: str, column: str, value: Any, row: int = 0) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        parts[part].loc[row, column] = value

    return change


def _put(part: str, value: Any) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        parts[part] = value

    return change


def _rename(part: str, **columns: str) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        parts[part] = parts[part].rename(columns=columns)

    return change


def _together(*changes: Callable[[Parts], None]) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        for one in changes:
            one(parts)

    return change


COVERED = {
    "area id": _together(_set("areas", "area_id", "D", 2), _set("points", "area_id", "D", 3)),
    "area x": _set("areas", "x", 420_041.0),
    "area y": _set("areas", "y", 560_030.5),
    "residents": _set("areas", "age_0_15", 11.0),
    "ages of the bands": _rename("areas", age_0_15="age_0_17", age_16_65="age_18_65"),
    "residents of another band": _rename("areas", age_0_15="age_16_65", age_16_65="age_0_15"),
    "workers": _set("areas", "workers", 1.0),
    "name of a column": _rename("areas", workers="jobs"),
    "a further column": lambda parts: parts["areas"].insert(1, "homes", 1),
    "point id": _set("points", "point_id", "p9", 1),
    "point x": _set("points", "x", 420_021.0),
    "point y": _set("points", "y", 560_051.0),
    "point share": _together(_set("points", "share", 0.5), _set("points", "share", 0.5, 1)),
    # The shares of the areas that the point moves between have to sum to 1 again.
    "point area": _together(
        _set("points", "area_id", "B", 0),
        _set("points", "share", 1.0, 1),
        _set("points", "share", 0.75, 2),
    ),
    "site id": _together(_set("sites", "site_id", "s3", 1), _set("travel", "site", "s3", 2)),
    "site x": _set("sites", "x", 420_011.0),
    "site y": _set("sites", "y", 560_051.0),
    "site area": _set("sites", "area_id", "C", 1),
    "a number of the sites": lambda parts: parts["sites"].insert(1, "price", [3.5, 4.0]),
    "a text of the sites": lambda parts: parts["sites"].insert(1, "ward", ["Byker", "Ouseburn"]),
    "a further site": lambda parts: parts.update(
        sites=pd.concat([SITES, SITES.iloc[:1].assign(site_id="s3")])
    ),
    "sensor id": _set("existing", "sensor_id", "e3", 1),
    "sensor x": _set("existing", "x", 420_031.0),
    "sensor y": _set("existing", "y", 560_011.0),
    "sensor area": _set("existing", "area_id", "C", 1),
    "travel site": _set("travel", "site", "s2", 1),
    "travel target": _set("travel", "point", "p4", 1),
    "travel cost": _set("travel", "cost", 1.5),
    "a pair out of reach": lambda parts: parts.update(travel=TRAVEL.iloc[:2]),
    "travel unit": _put("unit", "m"),
    "crs": _put("crs", "EPSG:3035"),
}


@pytest.mark.parametrize("change", COVERED.values(), ids=COVERED)
def test_the_digest_is_changed_by_every_value_that_it_covers(
    city: City, change: Callable[[Parts], None]
) -> None:
    """One value is another: the digest is, and the cities are not equal."""
    parts = _parts()
    change(parts)
    other = _city(parts)
    assert other.digest != city.digest
    assert other != city


@pytest.mark.parametrize("part", ["sites", "points", "existing", "travel"])
def test_the_digest_knows_that_a_part_is_there(part: str) -> None:
    """A city with one part alone differs from the plain one and from the others."""
    plain = City.from_frame(_squares())
    made = {
        "sites": plain.with_sites(SITES),
        "points": plain.with_demand(POINTS),
        "existing": plain.with_existing(SENSORS),
        "travel": plain.with_travel(pd.DataFrame({"site": ["A"], "area": ["A"], "cost": [0.0]})),
    }
    digests = [plain.digest, *(city.digest for city in made.values())]
    assert digests.count(made[part].digest) == 1


NOT_COVERED = {
    "polygons": lambda parts: parts.update(
        areas=_squares().set_geometry(_squares().buffer(5, cap_style="square"))
    ),
    "name": lambda parts: parts["label"].update(name="Another"),
    "code, attribution, note": lambda parts: parts["label"].update(
        code="E1", attribution="others", note="careful"
    ),
    "whole numbers or broken": lambda parts: parts.update(
        areas=_squares().astype({"workers": int})
    ),
    "text that no computation reads": lambda parts: parts["areas"].insert(1, "ward", "Byker"),
    "dates of the sites": lambda parts: parts["sites"].insert(
        1, "seen", pd.Timestamp("2020-05-01")
    ),
    "a column of the sites without a value": lambda parts: parts["sites"].insert(1, "ward", None),
    "texts of the existing sensors": lambda parts: parts["existing"].insert(1, "ward", "Byker"),
    "minus zero": _set("areas", "workers", -0.0),
    "spaces around an id": _set("areas", "area_id", " A "),
}


@pytest.mark.parametrize("change", NOT_COVERED.values(), ids=NOT_COVERED)
def test_the_digest_is_not_changed_by_display(city: City, change: Callable[[Parts], None]) -> None:
    """Polygons, labels and the form in which a value is written do not count."""
    parts = _parts()
    change(parts)
    other = _city(parts)
    assert other.digest == city.digest
    assert other == city
    assert hash(other) == hash(city)


def test_the_digest_is_the_same_in_another_process(city: City) -> None:
    """It depends on no hash seed, and is computed anew there, not carried along."""
    code = (
        "import pickle, sys\n"
        "city = pickle.load(sys.stdin.buffer)\n"
        "del city.__dict__['digest']\n"
        "print(city.digest)\n"
    )
    for seed in ("1", "2"):
        answer = subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(city),
            capture_output=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        assert answer.stdout.decode().strip() == city.digest


def test_the_digest_of_a_city_stays_what_it_was() -> None:
    """A digest of yesterday finds today's city: this one is written down."""
    city = City.from_frame(_squares(), name="Three squares")
    assert city.digest == "8e86407b40e6dadf657f16a44099c923a53449238fb73b61c7e1ef226617d51c"


def test_the_digest_of_sites_without_columns_stays_what_it_was(city: City) -> None:
    """These were written down before sites had columns."""
    sites = City.from_frame(_squares()).with_sites(SITES)
    assert sites.digest == "18eee9a876cc54396a5e2b36d74df31d25be81bdb8282ed6f76ccd403816afe2"
    assert city.digest == "ea7e888f03d09920648deea3f2fabe6058e815ed6925f38feefe6d818308eea3"


def test_dask_names_a_city_by_its_digest(city: City, needs: Callable[[str], Any]) -> None:
    """Equal cities have one token, which is made without reading the arrays."""
    tokenize = needs("dask.base").tokenize
    assert city.__dask_tokenize__() == ("spineq.City", city.digest)
    assert tokenize(city) == tokenize(_city(_parts()))
    assert tokenize(city) != tokenize(City.from_frame(_squares()))


# ---------------------------------------------------------------------------- columns of the sites


def _with_columns() -> City:
    """Two sites with a price, a ward and its number, one of each missing."""
    sites = SITES.assign(price=[3, np.nan], ward=[" Byker ", None], number=[7, 8], deep=["a", 1])
    return City.from_frame(_squares()).with_sites(sites)


def test_sites_keep_the_columns_of_their_table() -> None:
    """Numbers as floats and texts as texts, in the order of the sites; missing is NaN or empty."""
    city = _with_columns()
    assert city.site_columns == ("deep", "number", "price", "ward", "area_id")
    np.testing.assert_array_equal(city.site_column("price"), [3.0, np.nan])
    assert city.site_column("ward").tolist() == ["Byker", ""]
    assert city.site_column("number").tolist() == [7.0, 8.0]
    assert city.site_column("deep").tolist() == ["a", "1"]
    assert city.site_column("area_id").tolist() == ["A", "B"]
    assert city.sites.columns.tolist() == ["x", "y", "area_id", "deep", "number", "price", "ward"]
    assert city.dataset["site_numbers"].sel(site_number="number").to_numpy().tolist() == [7.0, 8.0]
    assert city.dataset["site_texts"].sel(site="s1", site_text="ward") == "Byker"
    with pytest.raises(MissingColumnError, match=r"no column 'cost'.*use one of deep, number"):
        city.site_column("cost")


def test_columns_of_the_sites_are_the_same_whatever_the_order_of_rows_and_columns() -> None:
    """Sites are sorted, and so are their columns; whole numbers are numbers."""
    sites = SITES.assign(price=[3.0, 4.0], ward=["a", "b"])
    plain = City.from_frame(_squares())
    other = sites.astype({"price": int})[::-1][["ward", "price", *SITES.columns]]
    assert plain.with_sites(sites).digest == plain.with_sites(other).digest
    objects = sites.astype({"price": object})
    assert plain.with_sites(sites).digest == plain.with_sites(objects).digest


def test_whole_numbers_too_large_for_a_float_stay_whole() -> None:
    """A code of many digits is kept as text."""
    sites = SITES.assign(code=[2**60 + 1, 2**60])
    city = City.from_frame(_squares()).with_sites(sites)
    assert city.site_column("code").tolist() == [str(2**60 + 1), str(2**60)]


def test_columns_of_the_sites_cannot_be_written_to() -> None:
    """Neither here nor after a journey by pickle."""
    for city in (_with_columns(), pickle.loads(pickle.dumps(_with_columns()))):
        for name in city.site_columns:
            with pytest.raises(ValueError, match="read-only"):
                city.site_column(name)[0] = city.site_column(name)[1]


def test_areas_hand_columns_on_to_their_sites() -> None:
    """Those that are named; what is a weight is known of the sites without that."""
    frame = _squares().assign(ward=["Byker", "Byker", "Ouseburn"]).iloc[::-1]
    city = City.from_frame(frame, site_columns=["ward", "workers"])
    assert city.site_columns == ("ward", "workers", "area_id")
    assert city.site_column("ward").tolist() == ["Byker", "Byker", "Ouseburn"]
    assert city.site_column("workers").tolist() == [0.0, 75.0, 25.0]
    assert city.columns == ("workers",)
    plain = City.from_frame(_squares())
    assert plain.site_columns == ("workers", "area_id")
    assert City.from_frame(_squares(), site_columns=["workers"]).digest == plain.digest
    assert city.digest != plain.digest
    # Other sites are other places, of which the areas know nothing.
    assert city.with_sites(SITES).site_columns == ("area_id",)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["wards"], "the column 'wards' is missing"),
        (5, "site_columns must be a list of names, not 5"),
        ([5], "site_columns must be a list of names"),
        (["ward"], r"row 3 \(C\), field ward: the value is empty or NaN"),
        (["x"], "the column 'x' holds neither numbers nor texts about the sites"),
        (["seen"], "the column 'seen' holds neither numbers nor texts"),
    ],
)
def test_columns_that_areas_cannot_hand_on_are_refused(names: Any, message: str) -> None:
    """Those that are not there, that lack a value, or that are neither numbers nor texts."""
    frame = _squares().assign(ward=["Byker", "", None], seen=pd.Timestamp("2020-05-01"))
    frame.loc[1, "ward"] = "Byker"
    with pytest.raises(DataError, match=message):
        City.from_frame(frame, site_columns=names)


def test_a_text_that_no_file_can_hold_is_refused() -> None:
    """Also in a column of the sites."""
    sites = SITES.assign(ward=["a", "b\0"])
    with pytest.raises(UnreadableFileError, match=r"row 2, field ward.*control character U\+0000"):
        City.from_frame(_squares()).with_sites(sites)


# ---------------------------------------------------------------------------- pickling


@given(cities())
def test_a_city_survives_pickle(city: City) -> None:
    """Everything but the polygons comes back, equal and ready to use."""
    back = pickle.loads(pickle.dumps(city))
    assert back == city
    assert back.dataset.identical(city.dataset)
    assert back.label == city.label
    assert back.crs == city.crs
    assert back.existing_areas == city.existing_areas


def test_pickling_leaves_the_polygons_out() -> None:
    """However fine the boundaries are, the pickle is as large as without them."""
    fine = _squares().set_geometry(_squares().centroid.buffer(50, quad_segs=5000))
    plain = pd.DataFrame(_squares().drop(columns="geometry"))
    with_polygons, without = City.from_frame(fine), City.from_frame(plain, crs=CRS)
    assert with_polygons.polygons is not None
    assert len(pickle.dumps(with_polygons)) < len(pickle.dumps(without)) + 100
    assert pickle.loads(pickle.dumps(with_polygons)).polygons is None


def test_a_pickled_city_goes_on_as_the_city_does() -> None:
    """Places without an area get the same one from a city that lost its polygons on the way."""
    place = pd.DataFrame({"x": [420_099.0], "y": [560_090.0]})
    city = City.from_frame(_squares())
    back = pickle.loads(pickle.dumps(city))
    made = [one.with_sites(place).with_existing(place) for one in (city, back)]
    assert made[0].digest == made[1].digest
    for one in (*made, pickle.loads(pickle.dumps(made[0]))):
        assert list(one.site_areas) == ["B"]
        assert one.existing_areas == ("B",)


def test_a_copy_is_the_city_itself(city: City) -> None:
    """What cannot change needs no copy, and keeps its polygons."""
    assert copy.copy(city) is city
    assert copy.deepcopy([city])[0] is city


# ---------------------------------------------------------------------------- people and weights


def test_people_are_counted_by_age_and_by_column() -> None:
    """Whole bands add up exactly, and are no estimate."""
    city = City.from_frame(_squares())
    for group, expected in [
        (GROUPS["pop_total"], [60, 24, 21]),
        (GROUPS["pop_children"], [10, 0, 5]),
        (GROUPS["pop_elderly"], [0, 4, 16]),
        (GROUPS["workplace"], [0, 75, 25]),
        (Group(column="population"), [60, 24, 21]),
    ]:
        people = city.people(group)
        assert list(people.values) == expected
        assert people.estimated is False


def test_a_band_that_a_group_cuts_counts_by_its_years() -> None:
    """16 to 65 has 50 years; the answer is marked as an estimate."""
    people = City.from_frame(_squares()).people(Group(ages=(0, 25)))
    np.testing.assert_allclose(people.values, [10 + 50 / 5, 20 / 5, 5])
    assert people.estimated is True


@given(cities(), st.integers(0, 89))
def test_the_two_sides_of_an_age_are_everyone(city: City, age: int) -> None:
    """However bands are split, those up to an age and those above it add up."""
    young, old, everyone = Group(ages=(0, age)), Group(ages=(age + 1, 90)), GROUPS["pop_total"]
    if not (city.has(young) and city.has(old)):
        return
    total = city.people(young).values + city.people(old).values
    np.testing.assert_allclose(total, city.people(everyone).values, rtol=1e-12)
    assert city.people(young).estimated == city.people(old).estimated


@pytest.mark.parametrize(
    ("columns", "group", "error", "message"),
    [
        (["workers"], Group(column="homes"), MissingColumnError, "no column 'homes'.*are workers"),
        (["workers"], GROUPS["pop_total"], MissingColumnError, "no residents"),
        (["population"], GROUPS["pop_children"], AgeBandError, "ages 0 to 15 cannot be told"),
        (["population"], Group(column="workers"), MissingColumnError, "columns are none"),
        (["age_0_15", "age_16_plus"], Group(ages=(20, 30)), ZeroWeightError, "nobody .* 20 to 30"),
    ],
)
def test_a_group_without_data_is_refused(
    columns: list[str], group: Group, error: type[SpineqError], message: str
) -> None:
    """The city says what it lacks, and ``has`` says the same."""
    frame = _squares()[["area_id", "x", "y", "geometry", "workers"]].assign(
        population=[1, 2, 3], age_0_15=[1, 2, 3], age_16_plus=0
    )
    city = City.from_frame(frame[["area_id", "x", "y", "geometry", *columns]])
    with pytest.raises(error, match=message) as caught:
        city.people(group)
    assert caught.value.mend
    assert not city.has(group)


def test_reported_groups_are_the_four_where_there_is_data_and_more() -> None:
    """A group of the user's own with a name of the four takes its place."""
    city = City.from_frame(_squares())
    mine = Group(ages=(0, 17))
    assert city.reported_groups() == dict(GROUPS)
    assert city.reported_groups({"pop_children": mine, "extra": mine}) == dict(GROUPS) | {
        "pop_children": mine,
        "extra": mine,
    }
    jobs = City.from_frame(_squares()[["area_id", "geometry", "workers"]])
    assert list(jobs.reported_groups()) == ["workplace"]


def test_weights_mix_groups_that_are_scaled_to_one() -> None:
    """By hand: children 10, 0, 5 of 15 with weight 3; workers 0, 75, 25 of 100 with weight 1."""
    city = City.from_frame(_squares())
    groups = {"a": Group(ages=(0, 15), weight=3), "b": Group(column="workers")}
    expected = np.array([3 * 10 / 15, 0.75, 3 * 5 / 15 + 0.25]) / 4
    np.testing.assert_allclose(city.weights(groups.items()), expected, rtol=1e-15)


@given(cities(), st.lists(st.floats(1e-300, 1e15), min_size=2, max_size=2))
def test_weights_sum_to_one_and_so_do_those_of_points(city: City, scale: list[float]) -> None:
    """However unequal the groups' weights, the mix is one; splitting areas keeps the sum."""
    groups = list(city.reported_groups().items())[:2]
    mix = [
        (name, Group(ages=group.ages, column=group.column, weight=weight))
        for (name, group), weight in zip(groups, scale, strict=False)
    ]
    weights = city.weights(mix)
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    assert (weights >= 0).all()
    spread = city.point_weights(weights)
    by_area = np.bincount(city.point_area, weights=spread, minlength=city.n_areas)
    np.testing.assert_allclose(by_area, weights, rtol=2e-6)


def test_weights_name_the_group_that_the_city_lacks() -> None:
    """The error is the one of the group, with its name."""
    city = City.from_frame(_squares())
    with pytest.raises(MissingColumnError, match="group homes: the city has no column 'houses'"):
        city.weights([("homes", Group(column="houses"))])


@pytest.mark.parametrize("groups", [[], [("a", Group(column="workers", weight=0))]])
def test_weights_of_nobody_are_refused(groups: list[tuple[str, Group]]) -> None:
    """No group, or none with a weight above zero, is no mix."""
    with pytest.raises(ZeroWeightError, match="no group has a weight above zero"):
        City.from_frame(_squares()).weights(groups)


# ---------------------------------------------------------------------------- parts


def test_every_area_is_by_default_one_point_and_one_site() -> None:
    """Where nothing else is said, people and sites are at the areas' points."""
    city = City.from_frame(_squares())
    data = city.dataset
    for kind in ("point", "site"):
        assert list(data[kind].to_numpy()) == ["A", "B", "C"]
        assert list(data[f"{kind}_x"].to_numpy()) == list(data["x"].to_numpy())
    assert list(city.point_share) == [1, 1, 1]
    assert list(city.site_areas) == ["A", "B", "C"]
    assert city.existing_areas == ()


def test_weights_of_points_become_shares() -> None:
    """They are divided by their sum over the area; points are numbered in their area."""
    points = POINTS.drop(columns=["share", "point_id"]).assign(weight=[1.0, 3.0, 0.1, 7.0])
    city = City.from_frame(_squares()).with_demand(points)
    assert list(city.points.index) == ["A#1", "A#2", "B#1", "C#1"]
    assert list(city.point_share) == [0.25, 0.75, 1.0, 1.0]


def test_places_without_an_id_are_numbered_from_west_to_east() -> None:
    """The names depend on where they are, not on the row."""
    sensors = SENSORS.drop(columns="sensor_id").iloc[::-1]
    city = City.from_frame(_squares()).with_existing(sensors)
    assert list(city.existing.index) == ["sensor-1", "sensor-2"]
    assert list(city.existing["area_id"]) == ["A", "B"]


def test_parts_in_another_system_are_brought_to_the_citys() -> None:
    """Points in degrees land where they are, and their old x and y are forgotten."""
    points = gpd.GeoDataFrame(
        SITES.drop(columns="area_id"), geometry=gpd.points_from_xy(SITES.x, SITES.y), crs=CRS
    )
    moved = points.to_crs("EPSG:4326").assign(x=lambda f: f.geometry.x, y=lambda f: f.geometry.y)
    city = City.from_frame(_squares()).with_sites(moved)
    np.testing.assert_allclose(city.sites[["x", "y"]], SITES[["x", "y"]], atol=0.01)
    assert list(city.site_areas) == ["A", "B"]


def _without(column: str, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=column)


@pytest.mark.parametrize(
    ("method", "table", "error", "message"),
    [
        (
            "with_demand",
            POINTS.assign(share=0.5),
            ShareError,
            "row B.*shares of area 'B' sum to 0.5",
        ),
        ("with_demand", POINTS.iloc[:3], ShareError, "row C.*area 'C' has no point"),
        ("with_demand", POINTS.iloc[:0], ShareError, "area 'A' has no point"),
        (
            "with_demand",
            POINTS.assign(share=[0.5, -0.5, 1, 1]),
            NegativeValueError,
            r"row 2 \(p2\)",
        ),
        ("with_demand", POINTS.assign(share=[0.5, None, 1, 1]), NotANumberError, r"row 2 \(p2\)"),
        ("with_demand", POINTS.assign(x=["a", 1, 2, 3]), NotANumberError, r"row 1 \(p1\), field x"),
        ("with_demand", POINTS.assign(area_id="Z"), UnknownIdError, "'Z' is not in the city"),
        ("with_demand", POINTS.assign(area_id=None), UnknownIdError, "a row without an id"),
        ("with_demand", POINTS.assign(point_id="p"), DuplicateIdError, "row 2.*'p' stands"),
        ("with_demand", POINTS.assign(weight=1), MissingColumnError, "both share and weight"),
        ("with_demand", _without("share", POINTS), MissingColumnError, "'share' is missing"),
        ("with_demand", _without("x", POINTS), MissingColumnError, "'x' is missing"),
        (
            "with_demand",
            _without("share", POINTS).assign(weight=[0, 0, 1, 1]),
            ShareError,
            "the weights of area 'A' sum to 0",
        ),
        ("with_sites", SITES.iloc[:0], DataError, "not a single site"),
        ("with_sites", SITES.assign(site_id=["s", " s"]), DuplicateIdError, "'s' stands"),
        ("with_sites", SITES.assign(site_id=["s", ""]), DuplicateIdError, "row 2.*no identifier"),
        ("with_sites", SITES.assign(area_id="Z"), UnknownIdError, r"row 1 \(s1\), field area_id"),
        ("with_sites", SITES.assign(y=np.inf), NotANumberError, "'inf' is not a finite number"),
        ("with_sites", SITES.assign(x=-1.6, y=55.0), GeographicCRSError, "look like degrees"),
        ("with_sites", pd.concat([SITES, SITES], axis=1), UnreadableFileError, "two columns"),
        ("with_existing", SENSORS.assign(sensor_id="e"), DuplicateIdError, "'e' stands"),
        ("with_existing", _without("y", SENSORS), MissingColumnError, "'y' is missing"),
        ("with_travel", TRAVEL.iloc[:0], TravelCostError, "empty"),
        ("with_travel", TRAVEL.assign(cost=[1, -2, 3]), TravelCostError, "row 2.*s1 to p3 is -2"),
        ("with_travel", TRAVEL.assign(cost=[1, 2, None]), TravelCostError, "row 3.*is missing"),
        ("with_travel", TRAVEL.assign(cost=[1, "x", 2]), TravelCostError, "row 2.*is x"),
        ("with_travel", TRAVEL.assign(cost=np.inf), TravelCostError, "row 1.*is inf"),
        ("with_travel", TRAVEL.assign(site="s9"), UnknownIdError, "row 1, field site: 's9'"),
        ("with_travel", TRAVEL.assign(point="p9"), UnknownIdError, "field point: 'p9'"),
        ("with_travel", TRAVEL.iloc[[0, 1, 0]], DuplicateIdError, "row 3.*s1 to p1 stands"),
        ("with_travel", _without("cost", TRAVEL), MissingColumnError, "'cost' is missing"),
        ("with_travel", _without("point", TRAVEL), MissingColumnError, "'area' is missing"),
    ],
)
def test_a_part_that_does_not_add_up_is_refused(
    method: str, table: pd.DataFrame, error: type[SpineqError], message: str
) -> None:
    """Each table names its file, the row, and what to do."""
    city = City.from_frame(_squares())
    if method == "with_travel":
        city = city.with_sites(SITES).with_demand(POINTS)
    with pytest.raises(error, match=message) as caught:
        getattr(city, method)(table, file="part.csv")
    assert caught.value.file == "part.csv"
    assert caught.value.mend


@pytest.mark.parametrize(("method", "table"), [("with_sites", SITES), ("with_demand", POINTS)])
def test_travel_costs_are_not_left_behind(city: City, method: str, table: pd.DataFrame) -> None:
    """The places that a travel table leads between cannot be taken from under it."""
    with pytest.raises(DataError, match=rf"Call {method} first, then with_travel"):
        getattr(city, method)(table)


def test_travel_costs_to_an_area_hold_for_each_of_its_points(city: City) -> None:
    """What is not in the table is out of reach."""
    assert list(city.travel_costs_from(0)) == [1.0, np.inf, 2.0, np.inf]
    plain = City.from_frame(_squares()).with_demand(POINTS)
    by_area = pd.DataFrame({"site": ["B", "B"], "area": ["A", "C"], "cost": [3.0, 0.0]})
    assert list(plain.with_travel(by_area).travel_costs_from(1)) == [3.0, 3.0, np.inf, 0.0]
    with pytest.raises(DataError, match="no travel table"):
        plain.travel_costs_from(0)


def test_areas_at_goes_by_the_nearest_point_whether_or_not_there_are_polygons() -> None:
    """Of two that are equally near it is the first id; polygons have no say."""
    places = np.array(
        [
            [420_099.0, 560_090.0],  # in A's polygon, nearest to B's point
            [420_100.0, 560_050.0],  # on the border of A and B
            [420_250.0, 560_050.0],  # in C
            [420_300.5, 560_500.0],  # in none, nearest to C
        ]
    )
    city = City.from_frame(_squares())
    points_only = City.from_frame(pd.DataFrame(_squares().drop(columns="geometry")), crs=CRS)
    for one in (city, points_only, pickle.loads(pickle.dumps(city))):
        assert list(one.areas_at(places)) == ["B", "B", "C", "C"]
    grid = pd.DataFrame({"x": [1e4, 1e4, 2e4, 2e4], "y": [1e4, 2e4, 1e4, 2e4], "workers": 1})
    city = City.from_frame(grid.assign(area_id=["d", "b", "c", "a"]), crs=CRS)
    between = np.array([[1.5e4, 1.5e4], [1.5e4, 1e4], [1e4, 1.5e4]])
    assert list(city.areas_at(between)) == ["a", "c", "b"]


# ---------------------------------------------------------------------------- making one


@pytest.mark.parametrize(
    ("crs", "error", "message"),
    [
        (None, UnknownCRSError, "no coordinate reference system is given.*crs='EPSG:27700'"),
        ("", UnknownCRSError, "no coordinate reference system is given"),
        ("EPSG:0", UnknownCRSError, "nobody knows .* 'EPSG:0'"),
        ("EPSG:4326", GeographicCRSError, r"WGS 84 \(unit: degree, not on a plane\)"),
        ("EPSG:4978", GeographicCRSError, r"WGS 84 \(unit: metre, not on a plane\)"),
        ("EPSG:2263", GeographicCRSError, r"\(unit: US survey foot\) does not give metres"),
    ],
)
def test_a_system_that_gives_no_metres_is_refused(
    crs: Any, error: type[SpineqError], message: str
) -> None:
    """Theta is metres, so coordinates have to be."""
    frame = pd.DataFrame(_squares().drop(columns="geometry"))
    with pytest.raises(error, match=message) as caught:
        City.from_frame(frame, crs=crs, file="areas.csv")
    assert (caught.value.file, caught.value.field) == ("areas.csv", "crs")
    assert caught.value.mend


def test_degrees_under_the_name_of_metres_are_refused() -> None:
    """Coordinates that are all within 180 and 90 are no city in metres."""
    frame = pd.DataFrame(_squares().drop(columns="geometry")).assign(x=[-1.6, -1.5, -1.4], y=54.9)
    with pytest.raises(GeographicCRSError, match=r"look like degrees \(the first is -1.6, 54.9\)"):
        City.from_frame(frame, crs=CRS)


def test_a_system_beside_the_tables_own_is_refused() -> None:
    """Naming a system does not relabel a table that has one."""
    with pytest.raises(UnknownCRSError, match="says EPSG:27700, but crs is 'EPSG:3035'"):
        City.from_frame(_squares(), crs="EPSG:3035")
    assert City.from_frame(_squares(), crs=CRS) == City.from_frame(_squares())


def test_columns_of_any_name_and_type_are_read() -> None:
    """Numbers as names, nullable and small types; text and truth are no weights."""
    frame = _squares().assign(
        ward="Byker", old=True, small=np.float32(0.5), nullable=pd.array([1, 2, 3], dtype="Int64")
    )
    frame[2021] = [7, 0, 0]
    city = City.from_frame(frame)
    assert city.columns == ("2021", "nullable", "small", "workers")
    assert list(city.people(Group(column="2021")).values) == [7, 0, 0]


@pytest.mark.parametrize(
    ("columns", "taken"),
    [(None, ("homes", "workers")), (["homes"], ("homes",)), ("homes", ("homes",)), ([], ())],
)
def test_columns_names_the_weights_to_take(columns: Any, taken: tuple[str, ...]) -> None:
    """Residents are read in any case."""
    city = City.from_frame(_squares().assign(homes=1), columns=columns)
    assert city.columns == taken
    assert city.has(GROUPS["pop_children"])


def test_a_city_without_polygons_has_none() -> None:
    """Points alone are enough for every computation."""
    frame = _squares()
    city = City.from_frame(frame.set_geometry(gpd.points_from_xy(frame.x, frame.y, crs=CRS)))
    assert city.polygons is None
    assert city == City.from_frame(frame)


def test_an_area_without_x_and_y_is_at_a_point_inside() -> None:
    """For a polygon, one that GEOS picks inside it."""
    city = City.from_frame(_squares().drop(columns=["x", "y"]))
    inside = shapely.points(city.dataset["x"].to_numpy(), city.dataset["y"].to_numpy())
    assert shapely.contains(_squares().geometry.to_numpy(), inside).all()


def test_a_city_describes_itself(city: City) -> None:
    """The repr counts what is there."""
    expected = "<City Three squares: 3 areas, 105 residents, 100 workers, 2 sites, 4 demand points>"
    assert repr(city) == expected
    jobs = City.from_frame(_squares()[["area_id", "geometry", "workers"]])
    assert repr(jobs).startswith("<City without a name: 3 areas, 100 workers, 3 sites")


# ---------------------------------------------------------------------------- writing


@given(cities())
def test_a_table_makes_the_city_that_it_came_from(city: City) -> None:
    """``to_frame`` is the file contract: areas come back with the same digest."""
    plain = City.from_frame(city.to_frame(), crs=city.crs)
    assert plain.dataset["residents"].identical(city.dataset["residents"])
    again = City.from_frame(plain.to_frame(), crs=city.crs)
    assert again == plain
    assert again.columns == city.columns


def test_a_folder_makes_the_city_that_was_written(city: City, tmp_path: Path) -> None:
    """All parts, polygons, labels and the unit come back, and the digest is the same."""
    assert city.to_geoparquet(tmp_path / "city") == tmp_path / "city"
    files = sorted(path.name for path in (tmp_path / "city").iterdir())
    assert files == [
        f"{part}.parquet" for part in ("areas", "existing", "points", "sites", "travel")
    ]
    back = read_city(tmp_path / "city")
    assert back == city
    assert back.dataset.identical(city.dataset)
    assert back.label == city.label
    assert back.travel_unit == "minutes"
    assert list(back.polygons.geometry) == list(city.polygons.geometry)


@settings(max_examples=15)
@given(city=cities())
def test_any_city_makes_the_round_trip(
    tmp_path_factory: pytest.TempPathFactory, city: City
) -> None:
    """Whatever parts it has, the folder holds them and no others."""
    folder = tmp_path_factory.mktemp("city")
    city.to_geoparquet(folder)
    with warnings.catch_warnings():
        # Drawn bands may cut through groups, which is worth a warning to a user.
        warnings.simplefilter("ignore", SpineqWarning)
        back = read_city(folder)
    assert back == city
    assert back.dataset.identical(city.dataset)


def test_columns_of_default_sites_are_written_beside_the_areas(tmp_path: Path) -> None:
    """The sites are no default any more, and a single file cannot hold them."""
    frame = _squares().assign(ward=["Byker", "007", "Ouseburn"])
    city = City.from_frame(frame, site_columns=["ward"])
    back = read_city(city.to_geoparquet(tmp_path / "city"))
    assert back == city
    assert back.site_column("ward").tolist() == ["Byker", "007", "Ouseburn"]
    assert back.site_columns == city.site_columns
    with pytest.raises(DataError, match="a single file cannot hold the city's sites"):
        city.to_geoparquet(tmp_path / "city.parquet")


def test_a_folder_forgets_the_parts_of_an_earlier_city(city: City, tmp_path: Path) -> None:
    """Writing a plainer city over a richer one leaves no part behind."""
    city.to_geoparquet(tmp_path)
    plain = City.from_frame(_squares())
    plain.to_geoparquet(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["areas.parquet"]
    assert read_city(tmp_path) == plain


def test_one_file_holds_a_plain_city_and_no_other(city: City, tmp_path: Path) -> None:
    """A path that ends in .parquet is a file; parts need a folder."""
    plain = City.from_frame(_squares(), name="Plain", note="n")
    file = plain.to_geoparquet(tmp_path / "plain.parquet")
    assert read_city(file) == plain
    assert read_city(file).label == plain.label
    with pytest.raises(DataError, match="cannot hold the city's existing, points, sites, travel"):
        city.to_geoparquet(tmp_path / "city.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["plain.parquet"]


def test_a_folder_whose_files_do_not_belong_together_is_refused(city: City, tmp_path: Path) -> None:
    """A part that is gone, that came later, or that is of another city."""
    folder = city.to_geoparquet(tmp_path / "city")
    with pytest.raises(DataError, match="written with sites, points, existing and travel"):
        read_city(folder / "areas.parquet")
    (folder / "existing.parquet").unlink()
    with pytest.raises(DataError, match="written with existing, not found here"):
        read_city(folder)
    other = City.from_frame(_squares()).with_existing(SENSORS.iloc[:1])
    other.to_geoparquet(tmp_path / "other")
    (tmp_path / "other" / "existing.parquet").rename(folder / "existing.parquet")
    with pytest.raises(DataError, match="may not belong together"):
        read_city(folder)
    plain = City.from_frame(_squares()).to_geoparquet(tmp_path / "plain")
    SITES.to_csv(plain / "sites.csv", index=False)
    with pytest.raises(DataError, match="written without sites, found beside it"):
        read_city(plain)
    assert read_city(plain, sites=plain / "sites.csv").n_sites == 2


def test_a_written_city_can_be_read_in_part(city: City, tmp_path: Path) -> None:
    """``columns`` takes fewer weights, which is not taken for damage."""
    folder = city.to_geoparquet(tmp_path)
    assert read_city(folder, columns=[]).columns == ()


# ---------------------------------------------------------------------------- what is refused


def _plain(**columns: Any) -> pd.DataFrame:
    made = {"area_id": ["a", "b"], "x": [4e5, 5e5], "y": [5e5, 6e5], "workers": [1.0, 2.0]}
    return pd.DataFrame(made | columns)


@given(st.permutations(range(30)))
def test_the_order_of_weighted_points_changes_no_bit(order: list[int]) -> None:
    """Weights whose sum depends on their order, with points at one place among them."""
    rng = np.random.default_rng(3)
    points = pd.DataFrame(
        {
            "area_id": np.repeat(["a", "b"], 15),
            "x": rng.integers(0, 3, 30) * 100.0 + 4e5,
            "y": rng.integers(0, 3, 30) * 100.0 + 5e5,
            "weight": rng.random(30) * 10.0 ** rng.integers(-9, 9, 30),
        }
    )
    city = City.from_frame(_plain(), crs=CRS)
    expected = city.with_demand(points)
    shuffled = city.with_demand(points.iloc[order])
    assert shuffled.digest == expected.digest
    assert shuffled.points.equals(expected.points)


@pytest.mark.parametrize(
    "crs",
    [
        "+proj=lcc +lat_1=49.1 +lat_2=44.2 +lat_0=46.5 +lon_0=3 +x_0=7e5 +ellps=GRS80",
        "+proj=tmerc +lon_0=9.123456789 +k=0.9996 +x_0=5e5 +ellps=bessel +towgs84=598,73,418",
        "+proj=aea +lat_1=29.5 +lat_2=45.1 +lat_0=37.5 +lon_0=-96.1 +datum=NAD83",
    ],
)
@pytest.mark.parametrize("ending", [".shp", ".gpkg", ".parquet"])
def test_a_system_of_ones_own_survives_files(tmp_path: Path, crs: str, ending: str) -> None:
    """From a shapefile's WKT to PROJJSON and back, the digest stays."""
    frame = _plain()
    frame = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame.x, frame.y), crs=crs)
    frame = frame.drop(columns=["x", "y"])
    path = tmp_path / f"town{ending}"
    frame.to_parquet(path) if ending == ".parquet" else frame.to_file(path)
    city = read_city(path)
    assert city.crs.to_authority() is None
    back = read_city(city.to_geoparquet(tmp_path / "written"))
    assert back.digest == city.digest
    assert pickle.loads(pickle.dumps(city)).digest == city.digest
    assert City.from_frame(frame.to_crs(CRS)).digest != city.digest


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("workers", 1e308, r"row 1 \(a\), field workers: 1e\+308 is beyond 1e\+15"),
        ("workers", 10**400, "field workers: '1000.* is not a finite number"),
        pytest.param(
            "workers",
            10**5000,
            "a number of thousands of digits is not a finite number",
            id="5,001 digits",
        ),
        ("x", -1e300, r"-1e\+300 is beyond"),
        pytest.param("workers", "9" * 5000, "'9999.*9999' is not a finite number", id="text"),
        ("workers", pd.Timestamp("2020-01-01"), "'2020-01-01.* is not a finite number"),
        ("workers", pd.Timedelta("1s"), "is not a finite number"),
        ("workers", 1j, "'1j' is not a finite number"),
        ("workers", [1], r"'\[1\]' is not a finite number"),
        ("workers", {"a": 1}, "is not a finite number"),
    ],
)
@pytest.mark.parametrize("as_object", [True, False])
def test_what_no_number_can_be_is_refused(
    column: str, value: Any, message: str, as_object: bool
) -> None:
    """Numbers that overflow in sums, dates, durations, complex numbers, lists."""
    cells = pd.Series([value, value], dtype=object)
    frame = _plain(**{column: cells if as_object else cells.infer_objects()})
    with pytest.raises(NotANumberError, match=message) as caught:
        City.from_frame(frame, crs=CRS, columns=["workers"])
    assert len(str(caught.value)) < 300


def test_costs_and_shares_that_overflow_are_refused() -> None:
    """As counts are."""
    city = City.from_frame(_plain(), crs=CRS)
    for cost in (1e16, "x" * 5000, pd.Timestamp("2020-01-01"), 1j, [1], 10**5000):
        table = pd.DataFrame(
            {"site": ["a"], "area": ["b"], "cost": pd.Series([cost], dtype=object)}
        )
        with pytest.raises(TravelCostError, match="the travel cost from a to b is") as caught:
            city.with_travel(table)
        assert len(str(caught.value)) < 300
    with pytest.raises(NotANumberError, match="beyond"):
        city.with_demand(_plain(weight=1e308))


@pytest.mark.parametrize("bad", ["a\0", "a\nb", "a\x1b[31m", "\udc80", "a\u2028b", "\uffff"])
def test_control_characters_are_refused(bad: str) -> None:
    """In ids, names of columns, labels and units: no file or picture could hold them."""
    city = City.from_frame(_plain(), crs=CRS)
    # pandas itself refuses half a surrogate pair in its own kind of text.
    ids = pd.Series(["a", bad], dtype=object)
    tries = [
        lambda: City.from_frame(_plain(area_id=ids), crs=CRS),
        lambda: City.from_frame(_renamed(bad), crs=CRS),
        lambda: city.with_sites(_plain(site_id=ids).drop(columns="area_id")),
        lambda: city.with_existing(_plain(sensor_id=ids)),
        lambda: city.with_demand(_plain(share=1, point_id=ids)),
        lambda: City.from_frame(_plain(), crs=CRS, name=bad),
        lambda: City.from_frame(_plain(), crs=CRS, code=bad),
        lambda: city.labelled(name=bad),
        lambda: city.with_travel(pd.DataFrame({"site": ["a"], "area": ["b"], "cost": 1}), unit=bad),
    ]
    for one in tries:
        with pytest.raises(DataError, match=r"control character U\+[0-9A-F]{4}|can hold the name"):
            one()


def _renamed(bad: str) -> pd.DataFrame:
    frame = _plain(extra=1)
    frame.columns = pd.Index([*frame.columns[:-1], bad], dtype=object)
    return frame


def test_a_note_may_have_lines_and_joiners_are_letters() -> None:
    """Line ends separate paragraphs; zero-width joiners belong to scripts."""
    city = City.from_frame(
        _plain(area_id=["\u0645\u06cc\u200c\u062e", "b\u00a0c"]), crs=CRS, note="a\nb"
    )
    assert city.label.note == "a\nb"


@pytest.mark.parametrize("field", ["name", "code", "attribution", "note"])
@pytest.mark.parametrize("value", [None, 5, b"x", ["a"]])
def test_a_label_must_be_text(field: str, value: Any) -> None:
    """Not what a picture would fail over later."""
    with pytest.raises(DataError, match=f"field {field}: {field} must be text, not"):
        City.from_frame(_plain(), crs=CRS, **{field: value})


def test_labels_and_units_must_be_what_they_are() -> None:
    """Unknown labels and empty units are refused."""
    city = City.from_frame(_plain(), crs=CRS)
    with pytest.raises(DataError, match=r"no 'nmae' beside it\. Use name, code"):
        city.labelled(nmae="x")
    table = pd.DataFrame({"site": ["a"], "area": ["b"], "cost": 1})
    for unit in (5, "", " "):
        with pytest.raises(DataError, match="unit"):
            city.with_travel(table, unit=unit)


@pytest.mark.parametrize("table", [None, "areas.csv", [1, 2], {"area_id": ["a"]}, 5])
def test_what_is_no_table_is_refused(table: Any) -> None:
    """Everywhere in the same words."""
    city = City.from_frame(_plain(), crs=CRS)
    for take in (
        lambda table: City.from_frame(table, crs=CRS),
        city.with_demand,
        city.with_sites,
        city.with_existing,
        city.with_travel,
    ):
        with pytest.raises(UnreadableFileError, match="a table is needed, not"):
            take(table)


@pytest.mark.parametrize("value", [["a"], {"a": 1}, ("a",), b"a", np.array([1])])
def test_ids_must_be_text_or_numbers(value: Any) -> None:
    """Lists have no identity, and bytes no letters."""
    _refuse_id(value)


def test_ids_of_thousands_of_digits_are_refused() -> None:
    """Python does not write them."""
    _refuse_id(10**5000)


def _refuse_id(value: Any) -> None:
    ids = pd.Series(["b", value], dtype=object)
    with pytest.raises(UnreadableFileError, match=r"row 2, field area_id: the identifier"):
        City.from_frame(_plain(area_id=ids), crs=CRS)
    city = City.from_frame(_plain(), crs=CRS)
    table = pd.DataFrame({"site": ["a", "a"], "area": ids, "cost": 1})
    with pytest.raises(UnreadableFileError, match=r"row 2, field area: the identifier"):
        city.with_travel(table)


def test_columns_named_as_attributes_are_columns() -> None:
    """A table is in a system only where it is a GeoDataFrame with geometry."""
    frame = _plain(crs=["x", "y"], geometry=["POINT (0 0)", "b"])
    city = City.from_frame(frame, crs=CRS)
    assert city.columns == ("workers",)
    assert city == City.from_frame(_plain(), crs=CRS)
    assert city.with_sites(frame).with_existing(frame).with_demand(frame.assign(share=1))
    counted = City.from_frame(_plain(crs=[1, 2], geometry=[3, 4]), crs=CRS)
    assert counted.columns == ("crs", "workers")
    without = gpd.GeoDataFrame(_plain())
    assert City.from_frame(without, crs=CRS) == city


@pytest.mark.parametrize("columns", [5, [5], [None], [["a"]]])
def test_columns_must_be_names(columns: Any) -> None:
    """One name or several."""
    with pytest.raises(UnreadableFileError, match="columns must be a list of names"):
        City.from_frame(_plain(), crs=CRS, columns=columns)


@pytest.mark.parametrize("name", [f"age_{'9' * 5000}", f"age_0_{'9' * 5000}", "age_1000"])
def test_ages_of_too_many_digits_are_refused(name: str) -> None:
    """As any age beyond the oldest, and without all the digits."""
    with pytest.raises(AgeBandError, match="goes beyond age 90") as caught:
        City.from_frame(_plain(**{name: 1}), crs=CRS)
    assert len(str(caught.value)) < 300
