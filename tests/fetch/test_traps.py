"""Every trap of the services is overcome, or said in one plain sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from statistics_office import (
    Act,
    Office,
    Town,
    cut,
    drop,
    edited,
    instead,
    made_town,
    slow,
    status,
)

from spineq.errors import AreaMismatchError, ProblemError, SpineqError, TotalMismatchError
from spineq.fetch import FetchError, client, fetch_city

#: Words that one question about each kind of table holds.
TABLES = [
    "LAD25_EW_LU_v3/FeatureServer/0?", "returnDistinctValues", "returnCountOnly",
    "Output_Areas_2021_EW_BGC_V2/FeatureServer/0/query", "PWC_V4/FeatureServer/0/query",
    "Boundaries_UK_BGC/FeatureServer/0/query", "c_age=101...191", "c_age=200", "odwp01ew",
    "IoD2025", "NM_2055_1",
]  # fmt: skip


@pytest.fixture
def office(town: Town) -> Iterator[Office]:
    with Office([town]) as found:
        yield found


def fetched(office: Office, folder: Path, **words: object) -> object:
    """Fetch the town with all kinds of tables."""
    given = {"columns": ["deprivation", "health"]} | words
    return fetch_city("madeby", root=office.url, store=folder, **given)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(status(503), id="503"),
        pytest.param(status(502), id="502"),
        pytest.param(status(429, "0"), id="429"),
        pytest.param(drop, id="dropped"),
        pytest.param(cut(9), id="cut"),
        pytest.param(edited(lambda body: body[: len(body) // 2 - 3]), id="half"),
        pytest.param(edited(lambda body: body[:-3]), id="end"),
        pytest.param(instead(b"<html>We are mending things</html>", "text/html"), id="page"),
    ],
)
def test_what_passes_is_overcome(town: Town, tmp_path: Path, act: Act) -> None:
    """A fault that comes twice with every kind of table is overcome by asking again."""
    with Office([town]) as office:
        for table in TABLES:
            office.spoil(table, act, times=2)
        city = fetched(office, tmp_path)
    assert not [fault for fault in office.faults if fault.times]
    assert city == fetched(office, tmp_path, offline=True)
    assert city.n_areas == 60


@pytest.mark.parametrize(
    ("act", "said"),
    [
        pytest.param(status(503), "out of order (status 503)", id="503"),
        pytest.param(status(429, "0"), "asked too often (status 429)", id="429"),
        pytest.param(status(403), "refuses the request (status 403)", id="403"),
        pytest.param(drop, "cannot be reached", id="dropped"),
        pytest.param(cut(40), "came in part, 4 times in a row", id="cut"),
        pytest.param(edited(lambda body: body[:-3]), "came in part, 4 times in a row", id="end"),
    ],
)
@pytest.mark.parametrize("table", ["PWC_V4/FeatureServer/0/query", "c_age=101...191", "odwp01ew"])
def test_what_stays_is_one_sentence(
    office: Office, tmp_path: Path, table: str, act: Act, said: str
) -> None:
    """Said once, with what to do; nothing of it is kept."""
    office.spoil(table, act, times=99)
    with pytest.raises(FetchError) as caught:
        fetched(office, tmp_path)
    sentence = str(caught.value)
    assert said in sentence
    assert "\n" not in sentence
    assert caught.value.mend
    office.faults.clear()
    assert fetched(office, tmp_path).n_areas == 60


def test_retry_after_is_waited_for(office: Office, tmp_path: Path) -> None:
    """A service that asks for a second gets it."""
    office.spoil("c_age=101...191", status(429, "1"))
    began = time.monotonic()
    fetched(office, tmp_path)
    assert time.monotonic() - began >= 1.0


def test_a_slow_service_is_waited_for(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the time-out; then it is said, and nobody waits for ever."""
    office.spoil("odwp01ew", slow(0.3))
    assert fetched(office, tmp_path).n_areas == 60
    monkeypatch.setattr(client, "TIMEOUT", (1.0, 0.05))
    monkeypatch.setattr(client, "RETRIES", 1)
    office.spoil("odwp01ew", slow(0.3), times=9)
    with pytest.raises(FetchError, match="did not answer in time"):
        fetched(office, tmp_path / "new")


def test_nobody_there(office: Office, tmp_path: Path) -> None:
    """A refused connection names the host and the way out."""
    with pytest.raises(FetchError, match=r"127\.0\.0\.1:9 cannot be reached.*read_city"):
        fetch_city("madeby", root="http://127.0.0.1:9", store=tmp_path)


def test_degrees_where_metres_were_asked_for(office: Office, tmp_path: Path) -> None:
    """GeoJSON is in degrees by its own rules, and some service may keep to them."""

    def in_degrees(body: bytes) -> bytes:
        told = json.loads(body)
        for feature in told["features"]:
            feature["geometry"]["coordinates"] = [-1.6, 54.9]
        return json.dumps(told).encode()

    office.spoil("PWC_V4/FeatureServer/0/query", edited(in_degrees))
    with pytest.raises(FetchError, match="sends degrees, though asked for EPSG:27700"):
        fetched(office, tmp_path)


def test_two_counts_of_one_area(office: Office, tmp_path: Path) -> None:
    """Where there are two, neither is taken, and nothing is added up twice."""

    def twice(body: bytes) -> bytes:
        head, *rows = body.splitlines(keepends=True)
        return b"".join([head, rows[0], rows[0], *rows[2:]])

    for table in ("NM_1300_1", "NM_531_1"):
        office.faults.clear()
        office.spoil(table, edited(twice))
        with pytest.raises(FetchError, match=f"{table} has two counts of area E0090100000"):
            fetched(office, tmp_path / table, census=2011)


def test_ages_that_nobody_asked_for(office: Office, tmp_path: Path) -> None:
    """A cell beyond the last age is not taken for one."""
    office.spoil("c_age=101...191", edited(lambda body: body.replace(b",191,", b",200,")))
    with pytest.raises(FetchError, match="NM_2014_1 sends ages that nobody asked for"):
        fetched(office, tmp_path)


def test_an_error_with_status_200(office: Office, tmp_path: Path) -> None:
    """Its words are in the sentence."""
    wrong = {"error": {"code": 400, "message": "Cannot perform query.", "details": ["No such x"]}}
    office.spoil("PWC_V4/FeatureServer/0/query", instead(json.dumps(wrong).encode()), times=9)
    with pytest.raises(FetchError, match=r"Cannot perform query\. No such x \(code 400\)"):
        fetched(office, tmp_path)


def test_an_error_with_status_200_that_passes(office: Office, tmp_path: Path) -> None:
    """Too many requests, said with status 200."""
    wrong = {"error": {"code": 429, "message": "Too many requests.", "details": []}}
    office.spoil("PWC_V4/FeatureServer/0/query", instead(json.dumps(wrong).encode()))
    assert fetched(office, tmp_path).n_areas == 60


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("OA21_WD25_LAD25_EW_LU_v3", "OA21_WD26_LAD26_EW_LU"),
        ("Output_Areas_2021_EW_BGC_V2", "Output_Areas_2021_EW_BGC_V3"),
        ("OA_December_2021_EW_PWC_V4", "OA_December_2021_EW_PWC_V5"),
        (
            "Local_Authority_Districts_December_2024_Boundaries_UK_BGC",
            "Local_Authority_Districts_May_2025_Boundaries_UK_BGC_V2",
        ),
    ],
)
def test_a_service_that_moved_is_named(office: Office, tmp_path: Path, old: str, new: str) -> None:
    """The sentence names the likely successor, and naming it in turn mends it."""
    office.moved[old] = new
    with pytest.raises(FetchError, match=f"{old} is not there any more") as caught:
        fetched(office, tmp_path)
    assert f"Its likely successor is {new}" in str(caught.value)
    city = fetched(office, tmp_path, services={old: new})
    assert city.n_areas == 60


def test_a_service_that_moves_between_two_cities(town: Town, tmp_path: Path) -> None:
    """What is cached of a service does not hide that it is gone."""
    other = made_town(20, "E08000902", "Otherby", seed=3)
    with Office([town, other]) as office:
        fetched(office, tmp_path)
        office.moved["Output_Areas_2021_EW_BGC_V2"] = "Output_Areas_2021_EW_BGC_V3"
        with pytest.raises(FetchError, match="likely successor is Output_Areas_2021_EW_BGC_V3"):
            fetch_city("otherby", root=office.url, store=tmp_path)


def test_a_service_that_is_gone_altogether(office: Office, tmp_path: Path) -> None:
    """No name is made up."""
    office.moved["OA_December_2021_EW_PWC_V4"] = "Something_Else"
    with pytest.raises(FetchError, match="PWC_V4 is not there any more") as caught:
        fetched(office, tmp_path)
    assert "successor" not in str(caught.value)


@pytest.mark.parametrize(("by_number", "asked"), [(True, 3), (False, 4)])
def test_nomis_that_does_not_know_codes(
    town: Town, tmp_path: Path, by_number: bool, asked: int
) -> None:
    """An empty answer leads to the authority's number, and that to lists of areas."""
    with Office([town], by_code=False, by_number=by_number) as office:
        city = fetched(office, tmp_path, census=2011)
        assert len(office.about("NM_1300_1")) == asked
        # Offline, what worked is found again.
        assert fetched(office, tmp_path, census=2011, columns=(), offline=True).n_areas == 60
    assert city.n_areas == 60


def test_nomis_that_knows_nothing(office: Office, tmp_path: Path) -> None:
    """Empty answers for everything end in a sentence."""
    office.spoil("NM_2014_1", instead(b"", "text/csv"), times=9)
    with pytest.raises(FetchError, match="Nomis has nothing in NM_2014_1 for the areas of E08"):
        fetched(office, tmp_path)


def test_a_table_that_is_updated_meanwhile(town: Town, tmp_path: Path) -> None:
    """Pages of two years are never mixed."""
    with Office([town], nomis_rows=2000) as office:
        office.spoil("recordoffset=4000", edited(lambda body: body.replace(b'"2024"', b'"2025"')))
        with pytest.raises(FetchError, match="the answers are of 2024 and of 2025"):
            fetched(office, tmp_path)
        assert fetched(office, tmp_path, refresh=True).n_areas == 60


def test_fewer_rows_than_counted(office: Office, tmp_path: Path) -> None:
    """A page that stays short is not taken for the whole."""

    def short(body: bytes) -> bytes:
        told = json.loads(body)
        return json.dumps(told | {"features": told["features"][:-1]}).encode()

    office.spoil("'&returnGeometry=false&outFields=OA21CD", edited(short), times=99, skip=1)
    with pytest.raises(FetchError, match="the service counts 60 rows"):
        fetched(office, tmp_path)


@pytest.mark.parametrize(
    "table", ["Output_Areas_2021_EW_BGC_V2", "OA_December_2021_EW_PWC_V4", "NM_2014_1", "NM_2055_1"]
)
def test_areas_that_a_table_lacks(office: Office, tmp_path: Path, table: str) -> None:
    """Named and refused; left out and noted where that is allowed."""
    gone = {office.towns[0].frame["area_id"].iloc[k] for k in (2, 17)}
    office.lacking[table] = gone
    with pytest.raises(AreaMismatchError, match=f"there are missing 2 .* in {table}") as caught:
        fetched(office, tmp_path)
    assert all(area in str(caught.value) for area in gone)
    city = fetched(office, tmp_path, allow_partial=True)
    assert city.n_areas == 58
    assert not gone & set(city.to_frame()["area_id"])
    assert f"missing: 2 ({', '.join(sorted(gone))}) in {table}" in city.label.note
    # Once the table is mended, the words of the error lead to the whole city.
    assert "refresh=True" in str(caught.value)
    office.lacking.clear()
    assert fetched(office, tmp_path, refresh=True).n_areas == 60


def test_residents_that_miss_the_published_total(town: Town, tmp_path: Path) -> None:
    """Refused with both figures; noted where that is allowed."""
    with Office([town], totals_off=300) as office:
        with pytest.raises(TotalMismatchError, match="but the published total is"):
            fetched(office, tmp_path)
        city = fetched(office, tmp_path, allow_partial=True)
        assert "but the published total is" in city.label.note
        office.spoil("c_age=200", instead(b"", "text/csv"))
        city = fetched(office, tmp_path / "new")
    assert "No total is published that Madeby could be compared with." in city.label.note


def test_areas_that_do_not_fill_the_authority(town: Town, tmp_path: Path) -> None:
    """A lookup that lacks areas is seen by the authority's polygon."""
    with Office([town]) as office:
        lost = set(town.frame["area_id"].iloc[:20])
        office.lacking = {"OA21_WD25_LAD25_EW_LU_v3": lost, "NM_2014_1": lost}
        office.totals_off = -sum(town.population[area] for area in lost)
        with pytest.raises(AreaMismatchError, match=r"the areas fill \d+\.\d% of Madeby's own"):
            fetch_city("madeby", root=office.url, store=tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("madebi", "Did you mean Madeby (E08000901)"),
        ("E08000910", "Did you mean Madeby (E08000901)"),
        ("S12000033", "is not in England or Wales"),
        ("Atlantis", "spineq data list --search"),
    ],
)
def test_an_authority_that_is_not_there(
    office: Office, tmp_path: Path, name: str, said: str
) -> None:
    """Near misses are named."""
    with pytest.raises(ProblemError) as caught:
        fetch_city(name, root=office.url, store=tmp_path)
    assert said in str(caught.value)


def test_every_sentence_is_a_spineq_error(office: Office, tmp_path: Path) -> None:
    """Garbage of every kind ends in an error of ours.

    Without a published total there is only a note, and without an outline nothing to fill.
    """
    for table in [table for table in TABLES if table not in ("c_age=200",)]:
        for garbage in (b"null", b"{}", b"a,b\n1,2\n", b"\0\1\2"):
            office.faults.clear()
            office.spoil(table, instead(garbage), times=99)
            folder = tmp_path / f"{table.replace('/', '_')}{garbage!r}".replace("/", "_")[:80]
            with pytest.raises(SpineqError) as caught:
                fetched(office, folder)
            assert "\n" not in str(caught.value)
