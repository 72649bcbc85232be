"""``spineq data``: info, fetch and list, in this process and in one of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from command_line import command, good, run, start, until
from statistics_office import Office, Town, dribbled, made_town, slow, status

import spineq as sq
from spineq.fetch import client

TOWN = made_town(40)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BACKOFF", 0.0)


@pytest.fixture
def office() -> Iterator[Office]:
    gate = Town("E08000902", "Gate's Head", made_town(20, "E08000902", seed=2).frame)
    with Office([TOWN, gate]) as found:
        yield found


@pytest.fixture
def words(office: Office, tmp_path: Path) -> list[str]:
    return ["--root", office.url, "--cache", str(tmp_path / "cache")]


@pytest.mark.parametrize("name", ["info", "fetch", "list"])
def test_help_has_an_example(name: str) -> None:
    """--help ends well and shows an example that names the command."""
    assert f"Example: spineq data {name}" in good("data", name, "--help")


def test_info_says_what_is_in_a_city() -> None:
    """The facts of a city, for people and as JSON."""
    facts = json.loads(good("data", "info", "san-francisco", "--json"))
    assert facts["areas"] == 190
    assert facts["groups"]["workplace"]["people"] == pytest.approx(747_744)
    assert "Older people (66+) (estimated)" in good("data", "info", "san-francisco")


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    """Two block groups of the United States, and jobs in one of them."""
    ids = ["060750101001", "060750101002"]
    shapes = shapely.box([0, 400], 0, [400, 800], 400)
    table = {"GEOID": ids, "NAME": ["1", "2"], "population": [30, 10]}
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:32610")
    frame.to_file(tmp_path / "zones.gpkg")
    (tmp_path / "jobs.csv").write_text(f"w_geocode,C000\n{ids[0]}001,7\n")
    return tmp_path / "zones.gpkg"


@pytest.fixture
def raster(tmp_path: Path, needs: Callable[[str], ModuleType]) -> Path:
    """8 pixels of 100 m by 100 m, 5 people in each."""
    rasterio: Any = needs("rasterio")
    words = {"driver": "GTiff", "height": 2, "width": 4, "count": 1, "dtype": "uint8"}
    corner = rasterio.transform.from_origin(400_000, 6_000_000, 100, 100)
    path = tmp_path / "people.tif"
    with rasterio.open(path, "w", **words, crs="EPSG:32630", transform=corner) as opened:
        opened.write(np.full((2, 4), 5, dtype=np.uint8), 1)
    return path


def test_zones_of_the_united_states(zones: Path) -> None:
    """Every command that takes CITY takes them, with their options."""
    jobs = zones.with_name("jobs.csv")
    facts = json.loads(
        good("data", "info", zones, "--workplaces", jobs, "--site-column", "NAME", "--json")
    )
    assert facts["areas"] == 2
    assert facts["groups"]["workplace"]["people"] == 7
    made = good("optimise", zones, "--workplaces", jobs, "-n", 1, "--json")
    assert json.loads(made)["placement_history"] == ["060750101001"]
    ages = zones.with_name("ages.csv")
    ages.write_text("GEOID,population\n060750101001,1\n060750101002,2\n")
    facts = json.loads(good("data", "info", zones, "--ages", ages, "--json"))
    assert facts["groups"]["pop_total"]["people"] == 3


def test_a_raster_of_people(raster: Path) -> None:
    """In cells of 200 m, or others; whole, or a part."""
    assert json.loads(good("data", "info", raster, "--json"))["areas"] == 2
    facts = json.loads(good("data", "info", raster, "--cell", 100, "--json"))
    assert facts["areas"] == 8
    assert facts["groups"]["pop_total"]["people"] == 40
    outline = gpd.GeoDataFrame(
        geometry=[shapely.box(399_900, 5_999_800, 400_200, 6_000_000)], crs="EPSG:32630"
    )
    west, south, east, north = outline.to_crs("EPSG:4326").total_bounds
    outline.to_file(raster.with_name("outline.gpkg"))
    for part in (f"{west},{south},{east},{north}", raster.with_name("outline.gpkg")):
        facts = json.loads(good("data", "info", raster, "--within", part, "--json"))
        assert facts["groups"]["pop_total"]["people"] == 20
    text = good("optimise", raster, "-n", 1, "--theta", 100)
    assert "Proven best" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["torn.tif"], "torn.tif: the raster cannot be read"),
        (["neither.csv", "--crs", "EPSG:32610"], "the column 'area_id' is missing"),
        (["zones.gpkg", "--cell", "100"], "cell is for a raster of people"),
        (["people.tif", "--ages", "zones.gpkg"], "ages is for a table of zones"),
        (["people.tif", "--within", "1,2,3"], "a box is WEST,SOUTH,EAST,NORTH"),
        (["people.tif", "--within", "none.gpkg"], "there is no such file"),
        (["zones.gpkg", "--workplaces", ""], "the text is empty"),
        (["san-francisco", "--cell", "100"], "san-francisco is built in and takes no cell"),
        (["synthetic:30", "--existing", "zones.gpkg"], "takes no existing"),
    ],
)
@pytest.mark.usefixtures("zones")
def test_what_is_no_city_is_said(
    raster: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence and exit status 2."""
    monkeypatch.chdir(raster.parent)
    raster.with_name("torn.tif").write_bytes(raster.read_bytes()[:-4])
    raster.with_name("neither.csv").write_text("name,x,y\na,1,2\n")
    for command_name in (["data", "info"], ["optimise", "-n", "1"]):
        made = run(*command_name, *words)
        assert made.exit_code == 2
        assert made.stdout == ""
        assert said in made.stderr
        assert made.stderr.count("\n") == 1


def test_a_city_is_fetched_written_and_read_again(words: list[str], tmp_path: Path) -> None:
    """What fetch writes is what read_city reads, with its sources beside it."""
    folder = tmp_path / "madeby"
    text = good("data", "fetch", "madeby", "--output", folder, *words)
    assert "Madeby" in text
    assert "tables fetched; --json says where" in " ".join(text.split())
    assert "127.0.0.1" not in text
    assert f"Next: spineq optimise {folder} -n 20" in " ".join(text.split())
    city = sq.read_city(folder)
    assert city == TOWN.city()
    assert "SHA-256" in city.label.note
    sources = json.loads((folder / "sources.json").read_text())
    assert {source["licence"] for source in sources} == {"Open Government Licence v3.0"}


def test_json_is_json_and_nothing_else(words: list[str]) -> None:
    """Facts, sources and the folder; several names make one city."""
    text = good("data", "fetch", "E08000901", "gates head", "--column", "health", "--json", *words)
    made = json.loads(text)
    assert made["name"] == "Madeby and Gate's Head"
    assert made["code"] == "E08000901+E08000902"
    assert made["areas"] == 60
    assert made["columns"] == ["bad_health", "workers"]
    assert made["folder"] is None
    assert all(len(source["sha256"]) == 64 for source in made["sources"])


def test_offline_uses_the_cache_only(words: list[str], office: Office) -> None:
    """Before the city is there: one sentence; afterwards: no question."""
    made = run("data", "fetch", "madeby", "--offline", *words)
    assert made.exit_code == 2
    good("data", "fetch", "madeby", *words)
    asked = len(office.asked)
    assert "Madeby" in good("data", "fetch", "madeby", "--offline", *words)
    assert len(office.asked) == asked
    good("data", "fetch", "madeby", "--refresh", *words)
    assert len(office.asked) == 2 * asked


def test_partial_cities_are_taken_only_if_that_is_said(words: list[str], office: Office) -> None:
    """--allow-partial leaves the area out."""
    gone = TOWN.frame["area_id"].iloc[3]
    office.lacking["OA_December_2021_EW_PWC_V4"] = {gone}
    made = run("data", "fetch", "madeby", *words)
    assert gone in made.stderr
    facts = json.loads(good("data", "fetch", "madeby", "--allow-partial", "--json", *words))
    assert facts["areas"] == 39
    assert gone in facts["note"]


def test_a_service_that_moved_can_be_named(words: list[str], office: Office) -> None:
    """The sentence names the option, and the option works."""
    office.moved["OA21_WD25_LAD25_EW_LU_v3"] = "OA21_WD26_LAD26_EW_LU"
    made = run("data", "list", *words)
    assert "OA21_WD26_LAD26_EW_LU" in made.stderr
    pair = "OA21_WD25_LAD25_EW_LU_v3=OA21_WD26_LAD26_EW_LU"
    assert "Madeby" in good("data", "list", "--service", pair, *words)


def test_list_searches_names_and_codes(words: list[str]) -> None:
    """A table for people, JSON for machines."""
    everyone = json.loads(good("data", "list", "--json", *words))
    assert [one["name"] for one in everyone] == ["Gate's Head", "Madeby"]
    assert "E08000902" in good("data", "list", "--search", "GATES", *words)
    assert "Madeby" in good("data", "list", "--search", "0901", *words)
    assert "No local authority" in good("data", "list", "--search", "nowhere", *words)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["fetch", "madebi"], "Did you mean Madeby (E08000901)"),
        (["fetch", "madeby", "--column", "wealth"], "there is no optional column 'wealth'"),
        (["fetch", "madeby", "--offline", "--refresh"], "without asking anybody"),
        (["fetch", "madeby", "--root", "nowhere"], "is not the address of a web server"),
        (["list", "--service", "one"], "--service takes OLD=NEW"),
        (["fetch", "madeby", "--offline"], "is not in the cache"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], given: list[str], said: str) -> None:
    """In a process of its own: exit status 2, no traceback, nothing on standard output."""
    made = subprocess.run(
        command("data", given[0], *words, *given[1:]), capture_output=True, text=True, timeout=120
    )
    assert made.returncode == 2
    assert said in made.stderr
    assert made.stderr.count("\n") == 1
    assert made.stdout == ""


def test_a_service_out_of_order_is_one_sentence(words: list[str], office: Office) -> None:
    """A 503 that stays is said in words."""
    office.spoil("odwp01ew", status(503), times=99)
    made = run("data", "fetch", "madeby", *words)
    assert "out of order (status 503)" in made.stderr


def test_ctrl_c_ends_a_slow_fetch_at_once(words: list[str], office: Office) -> None:
    """Status 130 and one sentence, long before the file would have arrived; then it goes on."""
    office.spoil("odwp01ew", dribbled(300, 0.1))
    process = start("data", "fetch", "madeby", *words)
    until(lambda: office.about("odwp01ew"))
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert said.strip() == "spineq: stopped; nothing was left half-written."
    asked = len(office.asked)
    good("data", "fetch", "madeby", *words)
    assert [one.path for one in office.asked[asked:]] == ["/output/census/2021/odwp01ew.zip"]


def test_ctrl_c_does_not_wait_for_a_silent_service(words: list[str], office: Office) -> None:
    """Not for the next bytes, nor for asking again."""
    office.spoil("odwp01ew", slow(15), times=9)
    process = start("data", "fetch", "madeby", *words)
    until(lambda: office.about("odwp01ew"))
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert time.monotonic() - began < 8
    assert process.returncode == 130
