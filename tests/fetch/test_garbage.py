"""Answers that are whole and wrong: one sentence each, and none of them is kept."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from statistics_office import Office, Town, edited, instead, made_town, status

from spineq.errors import AreaMismatchError
from spineq.fetch import FetchError, fetch_city
from spineq.fetch.cache import Answer, Cache, sha256

POLYGONS = "Output_Areas_2021_EW_BGC_V2/FeatureServer/0/query"
POINTS = "PWC_V4/FeatureServer/0/query"
LISTED = "outFields=OA21CD&orderByFields=OA21CD&resultOffset"
AGES = "c_age=101...191"


@pytest.fixture
def office(town: Town) -> Iterator[Office]:
    with Office([town]) as found:
        yield found


def fetched(office: Office, folder: Path, **words: Any) -> Any:
    return fetch_city("madeby", root=office.url, store=folder, **words)


def of_json(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """Make a change of bytes of one of what they say."""

    def changed(body: bytes) -> bytes:
        told = json.loads(body)
        change(told)
        return json.dumps(told).encode()

    return changed


def first_is(**parts: object) -> Callable[[bytes], bytes]:
    return of_json(lambda told: told["features"][0].update(parts))


def point(x: float, y: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": [x, y]}


def ring(*corners: object) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [list(corners)]}


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        (POINTS, of_json(lambda told: told.update(features=[7])), "sends a row without OA21CD"),
        (POINTS, first_is(properties=None), "sends a row without OA21CD"),
        (POINTS, first_is(properties="x"), "sends a row without OA21CD"),
        (LISTED, first_is(attributes=None), "sends a row without OA21CD"),
        ("returnDistinctValues", first_is(attributes=[5]), "sends a row without LAD25CD"),
        (POLYGONS, first_is(geometry={"type": "Knot"}), "sends a geometry that is none"),
        (POLYGONS, first_is(geometry=ring()), "sends a geometry that is none|missing 1"),
        (POLYGONS, first_is(geometry=ring([9e5, 1], [9e5, 2], [9e5, 3], [9e5, 1])), "not on the"),
        (POINTS, first_is(geometry=point(5e5, float("nan"))), "not on the grid of EPSG:27700"),
        (POINTS, first_is(geometry=point(-2e5, 7e6)), "not on the grid of EPSG:27700"),
        (POINTS, first_is(geometry=point(3e5, 4e5)), "lies [0-9,]+ m away from its polygon"),
        (POINTS, first_is(geometry=ring([5e5, 1], [5e5, 2], [5.1e5, 3], [5e5, 1])), "a Polygon"),
        (POLYGONS, first_is(geometry=point(5e5, 3e3)), "E0090100000 is a Point"),
        ("LU_v3/FeatureServer/0?", of_json(lambda told: told.update(fields=[1])), "has no column"),
        (AGES, lambda body: b"[" * 100_000, "no table but"),
        (POINTS, lambda body: b"[" * 100_000, "came in part"),
        (AGES, lambda body: body.replace(b'"C_AGE"', b'"AGE"'), "without the column c_age"),
        (AGES, lambda body: body.replace(b",101,", b",101,-5", 1), "which is no count"),
        (AGES, lambda body: body.replace(b",101,", b',101,"x"', 1), "which is no count"),
        (AGES, lambda body: body.replace(b",101,", b",101,inf", 1), "came in part|no count"),
        (AGES, lambda body: body.replace(b",101,", b",101," + b"9" * 400, 1), "which is no count"),
        (AGES, lambda body: body.replace(b",102,", b",101,"), "two counts of area E0090100000"),
    ],
)
def test_garbage_is_said_and_not_kept(
    office: Office, tmp_path: Path, table: str, change: Callable[[bytes], bytes], said: str
) -> None:
    """In one sentence; with refresh, as it says, the city is there."""
    office.spoil(table, edited(change), times=99)
    with pytest.raises((FetchError, AreaMismatchError), match=said) as caught:
        fetched(office, tmp_path)
    assert "\n" not in str(caught.value)
    office.faults.clear()
    assert fetched(office, tmp_path, refresh=True).n_areas == 60


@pytest.mark.parametrize("most", ["x", float("nan"), float("inf"), [1], None, -5])
def test_a_limit_that_is_none(office: Office, tmp_path: Path, most: object) -> None:
    """What a service says of its pages is a hint only."""
    change = of_json(lambda told: told.update(maxRecordCount=most))
    office.spoil("FeatureServer/0?", edited(change), times=99)
    assert fetched(office, tmp_path).n_areas == 60


@pytest.mark.parametrize("table", ["returnDistinctValues", POLYGONS])
def test_pages_that_never_end(office: Office, tmp_path: Path, table: str) -> None:
    """A service that sends its first page for ever is not listened to for ever."""
    first: list[bytes] = []

    def again(body: bytes) -> bytes:
        first.append(first[0] if first else body)
        told = json.loads(first[0])
        more = {"exceededTransferLimit": True}
        return json.dumps(told | more | {"properties": more}).encode()

    office.spoil(table, edited(again), times=50)
    with pytest.raises(FetchError, match=r"again and again|more than the 60 rows"):
        fetched(office, tmp_path)
    assert len(first) < 5


def test_an_area_of_two_authorities(town: Town, tmp_path: Path) -> None:
    """It would be counted twice."""
    other = made_town(20, "E08000902", "Otherby", seed=3)
    other.frame["area_id"] = [*town.frame["area_id"][:1], *other.frame["area_id"][1:]]
    said = "area E0090100000 is of Otherby and of another"
    with Office([town, other]) as office, pytest.raises(FetchError, match=said):
        fetch_city(["madeby", "otherby"], root=office.url, store=tmp_path)


def test_an_area_that_lacks_one_of_the_cells(office: Office, tmp_path: Path) -> None:
    """Half of a sum is not taken for the whole."""

    def blank(body: bytes) -> bytes:
        head, row, *rows = body.splitlines(keepends=True)
        cells = row.split(b",")
        cells[-2] = b""
        return b"".join([head, b",".join(cells), *rows])

    office.spoil("NM_2055_1", edited(blank))
    with pytest.raises(AreaMismatchError, match=r"missing 1 \(E0090100000\) in NM_2055_1"):
        fetched(office, tmp_path, columns="health")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.splitlines()[0] + "\n", "nobody at all works"),
        (lambda text: text + "\n" + text.splitlines()[1].replace(",", ",,,"), "not understood"),
        (lambda text: text.replace(",3,", ",three,", 1), "not understood"),
    ],
)
def test_journeys_that_are_none(
    office: Office, tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    """A zip that is whole may hold a table that is not."""

    def changed(body: bytes) -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(made, "w") as new:
            for name in old.namelist():
                text = old.read(name).decode()
                new.writestr(name, change(text) if name.endswith("OA.csv") else text)
        return made.getvalue()

    office.spoil("odwp01ew", edited(changed))
    with pytest.raises(FetchError, match=said):
        fetched(office, tmp_path)


def test_deciles_that_are_none(office: Office, tmp_path: Path) -> None:
    """A row twice, or an eleventh tenth."""
    office.spoil("IoD2025", edited(lambda body: body + body.splitlines(keepends=True)[1]))
    with pytest.raises(FetchError, match="twice"):
        fetched(office, tmp_path, columns="deprivation")
    office.spoil("IoD2025", edited(lambda body: body.replace(b",10", b",11")))
    with pytest.raises(FetchError, match="the decile 11"):
        fetched(office, tmp_path, columns="deprivation")


def test_what_was_kept_and_is_wrong_is_asked_again(office: Office, tmp_path: Path) -> None:
    """Entries whose SHA-256 is right: of another question, or of an earlier version."""
    city, cache = fetched(office, tmp_path), Cache(tmp_path)
    for path in (tmp_path / "asked").iterdir():
        path.unlink()
    for path in (tmp_path / "answers").iterdir():
        body = b'{"a": 1}'
        cache.keep_answer(path.name, Answer(body, "u", "2026-01-01", sha256(body), "OGL"))
    assert fetched(office, tmp_path) == city


def test_a_redirect_is_no_successor(office: Office, tmp_path: Path) -> None:
    """A service that is listed has not moved, and is not proposed in its own place."""
    office.spoil(POINTS, status(404), times=99)
    with pytest.raises(FetchError, match="nothing at this address any more") as caught:
        fetched(office, tmp_path)
    assert "successor" not in str(caught.value)


def test_a_column_that_is_not_found_is_no_service_that_has_moved(
    office: Office, tmp_path: Path
) -> None:
    """What the service says is said, and not that it is gone."""
    body = b'{"error": {"code": 400, "message": "Field \'OA21CD\' not found"}}'
    office.spoil(POINTS, instead(body, "application/json"), times=99)
    with pytest.raises(FetchError, match="Field 'OA21CD' not found") as caught:
        fetched(office, tmp_path)
    assert "not there any more" not in str(caught.value)


def test_refresh_with_the_service_down_keeps_the_cache(office: Office, tmp_path: Path) -> None:
    """Byte for byte."""
    city = fetched(office, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    office.spoil("", instead(b"<html>login</html>", "text/html"), times=999)
    with pytest.raises(FetchError, match="a web page came"):
        fetched(office, tmp_path, refresh=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert fetched(office, tmp_path) == city
