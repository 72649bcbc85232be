"""Census tracts and block groups of the United States, from small files made here."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import spineq as sq
from spineq.data._geoids import with_leading_zeros
from spineq.data.us_zones import is_us_zones, read_us_zones

#: Two tracts of San Francisco, with the leading zero of California.
TRACTS = ["06075010100", "06075010200"]


def zones(ids: list[str] = TRACTS, **columns: object) -> gpd.GeoDataFrame:
    """Zones of a hundredth of a degree in a row, as TIGER has them."""
    shapes = [shapely.box(-122.42 + k / 100, 37.79, -122.41 + k / 100, 37.80) for k in range(9)]
    table = {"GEOID": ids, "ALAND": 1_000_000, "INTPTLAT": "+37.795"} | columns
    return gpd.GeoDataFrame(table, geometry=shapes[: len(ids)], crs="EPSG:4269")


def lines(men: int = 1, women: int = 2, style: str = "B01001_{:03d}E") -> dict[str, int]:
    """B01001 with the same number in each band of a sex."""
    made = {1: 23 * (men + women), 2: 23 * men, 26: 23 * women}
    made |= dict.fromkeys(range(3, 26), men) | dict.fromkeys(range(27, 50), women)
    return {style.format(line): made[line] for line in sorted(made)}


def ages_file(path: Path, ids: list[str] = TRACTS, **more: Any) -> Path:
    frame = pd.DataFrame([lines(k + 1, 2) for k in range(len(ids))])
    frame.insert(0, "GEO_ID", [f"1400000US{name}" for name in ids])
    for name, values in more.items():
        frame[name] = values
    frame.to_csv(path, index=False)
    return path


def wac_file(path: Path, rows: dict[str, int]) -> Path:
    """LODES's workplaces, zipped as they come."""
    text = "w_geocode,C000,CA01,createdate\n" + "".join(
        f"{block},{jobs},0,20231016\n" for block, jobs in rows.items()
    )
    path.write_bytes(gzip.compress(text.encode()))
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Boundaries, ages in the service's names, workplaces."""
    boundaries = tmp_path / "tl_2023_06_tract.shp"
    zones(TRACTS[::-1]).to_file(boundaries)
    ages = ages_file(tmp_path / "b01001.csv", [*TRACTS, "06075999999"])
    workplaces = wac_file(
        tmp_path / "ca_wac_S000_JT00_2021.csv.gz",
        {
            f"{TRACTS[0]}1000": 10,
            f"{TRACTS[0]}2001": 5,
            f"{TRACTS[1]}1000": 7,
            "060759999991000": 100,
            "060010001001000": 1000,
        },
    )
    return boundaries, ages, workplaces


@pytest.mark.filterwarnings("ignore:.*are estimates:spineq.errors.SpineqWarning")
def test_a_city_of_tracts(files: tuple[Path, Path, Path]) -> None:
    """Zones, residents and jobs come together by GEOID; the rest of the state is left out."""
    city = read_us_zones(*files, name="San Francisco")
    assert city.dataset["area"].to_numpy().tolist() == TRACTS
    assert city.name == "San Francisco"
    assert city.crs.to_authority() == ("EPSG", "32610")
    assert city.columns == ("workers",)
    assert city.people(sq.GROUPS["workplace"]).values.tolist() == [15, 7]
    assert city.people(sq.GROUPS["pop_total"]).values.tolist() == [23 * 3, 23 * 4]
    assert "Jobs: 22 in these zones, of 122 in their counties." in city.label.note
    assert "Census tracts." in city.label.note
    assert "Census Bureau" in city.attribution
    assert city.polygons is not None
    assert sq.optimise(city, n_sensors=1, theta=500).n_sensors == 1


def test_the_bands_of_the_survey_are_those_of_the_city(files: tuple[Path, Path, Path]) -> None:
    """23 bands, men and women together; groups that cut through one are estimates."""
    with pytest.warns(sq.SpineqWarning, match=r"Children \(0-15\) and Older people \(66\+\)"):
        city = read_us_zones(*files)
    bands = city.dataset["age"].to_numpy(), city.dataset["age_last"].to_numpy()
    assert bands[0].tolist()[:6] == [0, 5, 10, 15, 18, 20]
    assert bands[1].tolist()[-3:] == [79, 84, 90]
    assert len(bands[0]) == 23
    # Ages 0 to 14 whole, and one of the three years from 15 to 17.
    assert city.people(sq.Group(ages=(0, 15))).values.tolist() == pytest.approx([10, 40 / 3])
    assert not city.people(sq.Group(ages=(0, 17))).estimated


@pytest.mark.filterwarnings("ignore::spineq.errors.SpineqWarning")
@pytest.mark.parametrize("style", ["B01001_{:03d}E", "B01001e{}", "B01001_{:03d}", "b01001{:03d}"])
def test_ages_may_stand_in_the_table_of_zones(tmp_path: Path, style: str) -> None:
    file = tmp_path / "zones.gpkg"
    zones(TRACTS, **lines(style=style)).to_file(file)
    city = read_us_zones(file)
    assert city.people(sq.GROUPS["pop_total"]).values.tolist() == [69, 69]
    assert city.columns == ()


@pytest.mark.filterwarnings("ignore::spineq.errors.SpineqWarning")
def test_tables_as_other_services_write_them(tmp_path: Path) -> None:
    """A line of explanations; the identifier in parts; age bands; coordinates for polygons."""
    file = tmp_path / "zones.csv"
    table = pd.DataFrame({"GEOID": TRACTS, "x": [0.0, 500.0], "y": 4_000_000.0})
    table.to_csv(file, index=False)
    plain = ages_file(tmp_path / "plain.csv")
    explained = pd.read_csv(plain, dtype=str)
    head = dict.fromkeys(explained, "Estimate!!Total") | {"GEO_ID": "Geography"}
    pd.concat([pd.DataFrame([head]), explained]).to_csv(tmp_path / "data.csv", index=False)
    parts = explained.drop(columns="GEO_ID").assign(
        state="06", county="075", tract=[name[5:] for name in TRACTS]
    )
    parts.to_csv(tmp_path / "parts.csv", index=False)
    pd.DataFrame({"GEOID": TRACTS, "age_0_15": [1, 2], "age_16_plus": [3, "1,004"]}).to_csv(
        tmp_path / "bands.csv", index=False
    )
    cities = {
        name: read_us_zones(file, tmp_path / f"{name}.csv", crs="EPSG:32610")
        for name in ("plain", "data", "parts", "bands")
    }
    assert cities["plain"] == cities["data"] == cities["parts"]
    assert cities["bands"].people(sq.GROUPS["pop_total"]).values.tolist() == [4, 1006]


def test_block_groups_and_several_files_of_workplaces(tmp_path: Path) -> None:
    ids = [f"{TRACTS[0]}1", f"{TRACTS[0]}2"]
    file = tmp_path / "zones.geojson"
    zones(ids, population=[5, 6]).to_crs("EPSG:4326").to_file(file)
    main = wac_file(tmp_path / "main.csv.gz", {f"{ids[0]}000": 3})
    other = wac_file(tmp_path / "other.csv.gz", {f"{ids[1]}999": 4, f"{ids[0]}001": 1})
    city = read_us_zones(file, workplaces=[main, other])
    assert city.people(sq.GROUPS["workplace"]).values.tolist() == [4, 4]
    assert "Census block groups." in city.label.note


def test_what_does_not_add_up(tmp_path: Path, files: tuple[Path, Path, Path]) -> None:
    boundaries, ages, workplaces = files
    missing = ages_file(tmp_path / "missing.csv", TRACTS[:1])
    with pytest.raises(sq.SpineqError, match="zone '06075010200' is not in the table"):
        read_us_zones(boundaries, missing)
    below = ages_file(tmp_path / "below.csv", B01001_005E=[1, -666666666])
    with pytest.raises(sq.SpineqError, match=r"B01001_005E.*below 0.*no estimate"):
        read_us_zones(boundaries, below)
    total = ages_file(tmp_path / "total.csv", B01001_001E=[69, 1])
    with pytest.raises(sq.SpineqError, match="ages sum to 92, but the population is 1"):
        read_us_zones(boundaries, total)
    part = tmp_path / "part.csv"
    pd.read_csv(ages, dtype=str).drop(columns="B01001_049E").to_csv(part, index=False)
    with pytest.raises(sq.SpineqError, match="'B01001_049E' is missing"):
        read_us_zones(boundaries, part)
    with pytest.raises(sq.SpineqError, match="neither lines of B01001"):
        read_us_zones(boundaries)
    elsewhere = wac_file(tmp_path / "ny.csv.gz", {"360610001001000": 1})
    with pytest.raises(sq.SpineqError, match="not one of 1 blocks lies in a zone"):
        read_us_zones(boundaries, ages, elsewhere)
    short = wac_file(tmp_path / "short.csv.gz", {f"{TRACTS[0]}1000"[1:]: 1})
    with pytest.raises(sq.SpineqError, match="'60750101001000' is no block of 15 digits"):
        read_us_zones(boundaries, ages, short)
    with pytest.raises(sq.SpineqError, match="'S000' is missing"):
        read_us_zones(boundaries, ages, workplaces, jobs="S000")
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(workplaces.read_bytes()[:30])
    with pytest.raises(sq.SpineqError, match="cannot be read"):
        read_us_zones(boundaries, ages, torn)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["6075010100", "7075010200"], "no GEOID of a tract.*drops it"),
        (["99075010100", "99075010200"], "no state has the number 99"),
        ([TRACTS[0], f"{TRACTS[0]}1"], "not of the same kind of zones"),
        ([TRACTS[0], TRACTS[0]], "stands in an earlier row"),
        (["06075x10100", TRACTS[0]], "no GEOID"),
    ],
)
def test_identifiers_that_are_none(tmp_path: Path, ids: list[str], said: str) -> None:
    file = tmp_path / "zones.gpkg"
    zones(ids, population=[1, 2]).to_file(file)
    with pytest.raises(sq.SpineqError, match=said):
        read_us_zones(file)


#: Block groups of the tracts, which without their zero look like tracts.
GROUPS = [f"{TRACTS[0]}1", f"{TRACTS[1]}2"]


@pytest.mark.filterwarnings("ignore:.*are estimates:spineq.errors.SpineqWarning")
@pytest.mark.parametrize("ids", [TRACTS, GROUPS])
@pytest.mark.parametrize("both", [True, False])
def test_leading_zeros_that_a_table_program_dropped(
    tmp_path: Path, ids: list[str], both: bool
) -> None:
    """A block group of 11 digits is no tract where no county has such a number."""
    file = tmp_path / "zones.csv"
    table = pd.DataFrame({"GEOID": [name[1:] for name in ids], "x": [0.0, 500.0], "y": 4_000_000.0})
    table.to_csv(file, index=False)
    ages = ages_file(tmp_path / "ages.csv", [name[1:] for name in ids] if both else ids)
    jobs = wac_file(tmp_path / "wac.csv.gz", {(ids[0] + "0001000")[:15]: 7})
    city = read_us_zones(file, ages, jobs, crs="EPSG:26910")
    assert city.dataset["area"].to_numpy().tolist() == ids
    assert "zeros of identifiers were put back" in city.label.note
    assert city.people(sq.GROUPS["pop_total"]).values.tolist() == [69, 92]


def test_ages_alone_without_their_zero(tmp_path: Path) -> None:
    zones(GROUPS).to_file(tmp_path / "zones.gpkg")
    ages = ages_file(tmp_path / "ages.csv", [name[1:] for name in GROUPS])
    with pytest.warns(sq.SpineqWarning, match="are estimates"):
        city = read_us_zones(tmp_path / "zones.gpkg", ages)
    assert city.dataset["area"].to_numpy().tolist() == GROUPS
    assert "put back" not in city.label.note


@pytest.mark.filterwarnings("ignore:.*are estimates:spineq.errors.SpineqWarning")
def test_parts_of_identifiers_without_their_zeros(tmp_path: Path) -> None:
    """As the service answers, after a table program; and ages of which some lost a zero."""
    table = pd.DataFrame({"state": 6, "county": 75, "tract": [10100, 10200]})
    table.assign(x=[0.0, 500.0], y=4e6).to_csv(tmp_path / "zones.csv", index=False)
    ages = ages_file(tmp_path / "ages.csv", [TRACTS[0], TRACTS[1][1:], "11001000100"])
    city = read_us_zones(tmp_path / "zones.csv", ages, crs="EPSG:26910")
    assert city.dataset["area"].to_numpy().tolist() == TRACTS
    assert city.people(sq.GROUPS["pop_total"]).values.tolist() == [69, 92]


def test_zones_of_two_states_of_which_one_lost_its_zero() -> None:
    ids = np.array(["6075010100", "11001000100"], dtype=object)
    assert with_leading_zeros(ids).tolist() == ["06075010100", "11001000100"]


@pytest.mark.parametrize(
    ("ids", "others", "whole"),
    [
        # Tracts of Kansas, Virginia, Samoa, Alaska and the islands are what they are.
        (["20209040100"], (), False),
        (["51510200100"], (), False),
        (["60010950100"], (), False),
        (["02020000101"], (), False),
        (["72001956300"], (), False),
        (["060750101001"], (), False),
        # As another table has it, where both may be, and else as it is.
        (["20013000101"], (), False),
        (["60030010001"], ("060030010001",), True),
        (["60030010001"], (), False),
        (["6075"], (), True),
        (["60750101001000"], (), True),
        (["0", "x"], (), False),
    ],
)
def test_zeros_come_back_only_where_they_are_missing(
    ids: list[str], others: tuple[str, ...], whole: bool
) -> None:
    made = with_leading_zeros(np.array(ids, dtype=object), others).tolist()
    assert made == ([f"0{name}" for name in ids] if whole else ids)


def test_a_table_without_identifiers(tmp_path: Path) -> None:
    file = tmp_path / "zones.gpkg"
    zones(population=[1, 2]).rename(columns={"GEOID": "NAME"}).to_file(file)
    with pytest.raises(sq.SpineqError, match="no column of identifiers"):
        read_us_zones(file)
    zones().iloc[:0].to_file(file)
    with pytest.raises(sq.SpineqError, match="not a single zone"):
        read_us_zones(file)


def test_which_tables_are_of_the_census() -> None:
    assert is_us_zones(zones())
    assert not is_us_zones(zones().assign(area_id="a"))
    assert not is_us_zones(pd.DataFrame({"x": np.zeros(1)}))


def test_no_job_counts_twice(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """A block twice in a file, a file twice, and a column that is made of other tables."""
    boundaries, ages, workplaces = files
    with pytest.raises(sq.SpineqError, match=r"row 1, .*'060750101001000' stands in an earlier"):
        read_us_zones(boundaries, ages, [workplaces, workplaces])
    torn = tmp_path / "twice.csv"
    torn.write_text(f"w_geocode,C000\n{TRACTS[0]}1000,1\n{TRACTS[0]}1000,1\n")
    with pytest.raises(sq.SpineqError, match="row 2, field w_geocode"):
        read_us_zones(boundaries, ages, torn)
    with pytest.raises(sq.SpineqError, match="not a single file of workplaces"):
        read_us_zones(boundaries, ages, [])
    with pytest.raises(sq.SpineqError, match="a path is needed, not 5"):
        read_us_zones(boundaries, ages, 5)  # type: ignore[arg-type]
    own = tmp_path / "zones.gpkg"
    zones(workers=[1, 2]).to_file(own)
    with pytest.raises(sq.SpineqError, match="'workers' would be there twice"):
        read_us_zones(own, ages, workplaces, columns=["workers"])
