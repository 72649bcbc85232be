"""A city fetched by its name is the city that its files hold."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_office import CELLS, Office, Town, made_town, real_town, status

import spineq as sq
from spineq.errors import DataError, ProblemError, SpineqWarning, StoreError
from spineq.fetch import FetchError, fetch_city, fetch_with_sources, list_authorities
from spineq.fetch.catalogue import EDITIONS
from spineq.progress import RecordingProgress
from spineq.store.folder import FolderStore


@pytest.mark.parametrize("census", [2021, 2011])
def test_the_city_is_the_one_in_the_files(town: Town, tmp_path: Path, census: int) -> None:
    """Same digest, polygons and labels; every question is asked once."""
    with Office([town]) as office:
        city = fetch_city("Madeby", census=census, root=office.url, store=tmp_path)
    assert city.digest == town.city().digest
    assert city.polygons is not None
    expected = town.city().polygons.geometry.to_numpy()
    assert shapely.equals_exact(city.polygons.geometry.to_numpy(), expected).all()
    assert (city.name, city.label.code) == ("Madeby", "E08000901")
    assert city.attribution.startswith("Source: Office for National Statistics licensed under")
    assert len({str(asked) for asked in office.asked}) == len(office.asked)


def test_newcastle_is_the_original_folder(shared: Path, tmp_path: Path) -> None:
    """From pages of 100 rows and of 7,000 counts comes the city of the original's files.

    The files hold existing sensors too, which no service here has: without them the digests are
    equal.
    """
    folder = tmp_path / "E08000021"
    shutil.copytree(
        shared / "data" / "cities" / "E08000021", folder, ignore=lambda *_: ["uo_sensors"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpineqWarning)
        town, files = real_town(folder), sq.read_city(folder)
    with Office([town], arcgis_rows=100, nomis_rows=7_000) as office:
        with pytest.warns(SpineqWarning, match="2 of 910 polygons are not valid"):
            city = fetch_city(
                "NEWCASTLE-UPON-TYNE", census=2011, root=office.url, store=tmp_path / "cache"
            )
        newer = fetch_city("E08000021", root=office.url, store=tmp_path / "cache")
    assert len(office.about("NM_2010_1")) == 13
    assert city.digest == files.digest
    assert newer.digest == files.digest
    assert city.reported_groups().keys() == files.reported_groups().keys()
    assert city.n_areas == 910


@given(
    rows=st.integers(7, 100),
    advertised=st.integers(1, 300),
    nomis_rows=st.integers(300, 6000),
    swap=st.booleans(),
)
@settings(max_examples=6)
def test_no_limit_of_rows_changes_the_city(
    rows: int, advertised: int, nomis_rows: int, swap: bool
) -> None:
    """Whatever limits services say and have, all rows arrive."""
    towns = [made_town(40), made_town(25, "E08000902", "Otherby", seed=1)]
    names = ["otherby", "madeby"] if swap else ["madeby", "otherby"]
    with (
        TemporaryDirectory() as folder,
        Office(towns, arcgis_rows=rows, advertised=advertised, nomis_rows=nomis_rows) as office,
    ):
        city = fetch_city(names, root=office.url, store=folder)
        whole = fetch_city(["Madeby", "Otherby"], census=2011, root=office.url, store=folder)
    assert city == whole
    assert city.n_areas == 65
    people = sum(sum(town.population.values()) for town in towns)
    assert city.people(sq.GROUPS["pop_total"]).values.sum() == people


def test_optional_columns_are_of_the_right_areas(town: Town, tmp_path: Path) -> None:
    """Cells are told apart by name, and deciles come by the larger area."""
    columns = ["health", "deprivation", "ethnicity", "disability"]
    with Office([town]) as office:
        new = fetch_city("madeby", columns=columns, root=office.url, store=tmp_path)
        old = fetch_city("madeby", columns=columns, census=2011, root=office.url, store=tmp_path)
    assert new == old
    frame = new.to_frame().set_index("area_id")
    people = np.array([town.population[area] for area in frame.index])
    (_, health), (_, limited) = CELLS["NM_2055_1"], CELLS["NM_2056_1"]
    for column, cells in [("bad_health", health), ("disabled", limited)]:
        expected = sum(np.floor(share * people) for _, share in cells.values())
        assert (frame[column] == expected).all()
    for column, share in [("asian", 0.11), ("white", 0.8), ("other", 0.04), ("mixed", 0.02)]:
        assert (frame[f"ethnic_{column}"] == np.floor(share * people)).all()
    assert new.attribution.endswith("Ministry of Housing, Communities and Local Government")
    deciles = np.array([town.decile(k) for k in range(60)])
    assert list(frame["deprivation_decile"]) == list(deciles)
    # As a group the decile would count the least deprived most: people are what counts.
    assert 0 < frame["deprived"].sum() < people.sum()
    assert list(frame["deprived"]) == list(np.where(deciles <= 3, people, 0))
    assert "1 is the most deprived tenth" in new.label.note


def test_a_total_that_is_not_in_the_cache_is_not_done_without(town: Town, tmp_path: Path) -> None:
    """Offline: a check that could not be made would be missing in the city for good."""
    with Office([town]) as office:
        office.spoil("c_age=200", status(500), times=99)
        with pytest.raises(FetchError, match="out of order"):
            fetch_city("madeby", root=office.url, store=tmp_path)
        with pytest.raises(FetchError, match="NM_2014_1 is not in the cache"):
            fetch_city("madeby", root=office.url, store=tmp_path, offline=True)
        office.faults.clear()
        city = fetch_city("madeby", root=office.url, store=tmp_path)
    assert "No total is published" not in city.label.note


def test_another_catalogue_makes_the_city_anew(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that is asked in the place of another is in no city that was kept before."""
    with Office([town]) as office:
        fetch_city("madeby", root=office.url, store=tmp_path)
        asked = len(office.asked)
        changed = replace(EDITIONS[2021], note="Of another table.")
        monkeypatch.setitem(EDITIONS, 2021, changed)
        assert (
            "Of another table." in fetch_city("madeby", root=office.url, store=tmp_path).label.note
        )
        assert len(office.asked) == asked


def test_what_is_there_is_not_asked_again(town: Town, tmp_path: Path) -> None:
    """The city at once; another city of the same areas only for what is new."""
    with Office([town]) as office:
        first = fetch_city("madeby", root=office.url, store=tmp_path)
        asked = len(office.asked)
        again, sources = fetch_with_sources("  MADEBY ", root=office.url, store=tmp_path)
        assert len(office.asked) == asked
        fetch_city("E08000901", columns="health", root=office.url, store=tmp_path)
        assert [a.path for a in office.asked[asked:]] == ["/api/v01/dataset/NM_2055_1.data.csv"]
    # The server is gone, and the city is still there.
    offline = fetch_city("madeby", root=office.url, store=tmp_path, offline=True)
    assert first == again == offline
    assert first.label == again.label == offline.label
    assert offline.polygons is not None
    assert [source["source"] for source in sources][-1] == "ODWP01EW"


def test_refresh_takes_what_is_new(town: Town, tmp_path: Path) -> None:
    """What a service changed is seen with refresh alone."""
    with Office([town]) as office:
        fetch_city("madeby", root=office.url, store=tmp_path)
        office.date = "2025"
        old = fetch_city("madeby", root=office.url, store=tmp_path)
        new = fetch_city("madeby", root=office.url, store=tmp_path, refresh=True)
        last = fetch_city("madeby", root=office.url, store=tmp_path, offline=True)
    assert "estimates for 2024" in old.label.note
    assert "estimates for 2025" in new.label.note
    assert last.label == new.label


def test_the_label_says_where_everything_came_from(town: Town, tmp_path: Path) -> None:
    """Address, time, SHA-256 and licence of every table; and what hides in the workers."""
    with Office([town]) as office:
        city, sources = fetch_with_sources("madeby", root=office.url, store=tmp_path)
    assert len(sources) == 6
    for source in sources:
        line = next(line for line in city.label.note.splitlines() if source["sha256"] in line)
        assert source["url"] in line
        assert source["last"] in line
        assert "Open Government Licence v3.0" in line
    assert "in a lockdown" in city.label.note


def test_progress_grows_to_one_and_can_stop(town: Town, tmp_path: Path) -> None:
    """A watcher sees the work grow; asked to stop, the fetch ends, and goes on another time."""
    with Office([town]) as office:
        watcher = RecordingProgress(stop_after=4)
        with pytest.raises(FetchError, match="the fetch was stopped"):
            fetch_city("madeby", root=office.url, store=tmp_path, progress=watcher)
        asked = len(office.asked)
        watcher = RecordingProgress()
        fetch_city("madeby", root=office.url, store=tmp_path, progress=watcher)
        assert len({str(one) for one in office.asked}) == len(office.asked) > asked
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)


def test_authorities_are_listed_by_name(town: Town, tmp_path: Path) -> None:
    """All, or those that hold a text."""
    other = made_town(5, "E06000003", "Árby-on-Sea")
    # One row a page: that there are more is said at the top of the answer, and nowhere else.
    with Office([town, other], arcgis_rows=1, advertised=2000) as office:
        words = {"root": office.url, "store": tmp_path}
        assert [one.name for one in list_authorities(**words)] == ["Árby-on-Sea", "Madeby"]
        assert [one.code for one in list_authorities("arby on", **words)] == ["E06000003"]
        assert list_authorities("nowhere", **words) == []
        # Letters that no name here has are not the same as no text at all.
        assert list_authorities("\u5317\u4eac", **words) == []
        with pytest.raises(ProblemError, match="part of a name or code is needed, not 5"):
            list_authorities(5, **words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"names": ""}, "a name or code of a local authority is needed"),
        ({"names": []}, "a name or code of a local authority is needed"),
        ({"names": ["Madeby", 7]}, "a name or code of a local authority is needed"),
        ({"names": 7}, "a name or code of a local authority is needed"),
        ({"census": 2001}, "there are no areas of a census of 2001"),
        ({"census": True}, "there are no areas of a census of True"),
        ({"columns": "wealth"}, "there is no optional column 'wealth'"),
        ({"columns": 3}, "there is no optional column 3"),
        ({"root": "ftp://here"}, "is not the address of a web server"),
        ({"root": "http://[::1"}, "is not the address of a web server"),
        ({"root": "http://here:99999999"}, "is not the address of a web server"),
        ({"root": "http://here\n"}, "is not the address of a web server"),
        ({"root": "http://me:secret@here"}, "holds a name, a password"),
        ({"root": "http://here/?a=1"}, "something behind"),
        ({"census": [2021]}, r"there are no areas of a census of \[2021\]"),
        ({"services": {"OA21": "OA26"}}, "nothing is asked of a service 'OA21'. Name one of"),
        ({"store": ""}, "'' is not the path of a folder"),
        ({"store": 5}, "5 is not the path of a folder"),
        ({"store": "a\0b"}, "is not the path of a folder"),
        ({"store": "~nobody-of-that-name/x"}, "is not the path of a folder"),
        ({"store": "s3://bucket/x"}, "is not the path of a folder"),
        ({"store": __file__}, "is a file, and no folder"),
        ({"services": ["a"]}, "services must say which name takes the place of which"),
        ({"offline": True, "refresh": True}, "nothing can be fetched again"),
    ],
)
def test_bad_words_are_refused_before_anybody_is_asked(
    tmp_path: Path, words: dict[str, object], said: str
) -> None:
    """Each is one sentence that names the mend."""
    given = {"names": "madeby", "root": "http://127.0.0.1:9", "store": tmp_path} | words
    with pytest.raises(ProblemError, match=said):
        fetch_city(**given)


def test_a_welsh_city_has_no_english_deciles(tmp_path: Path) -> None:
    """The indices are of England: said, not filled in."""
    town = made_town(20, "W06000001", "Llanmade")
    town.lsoa = lambda position: f"W01{position:06d}"  # type: ignore[method-assign]
    with Office([town]) as office, pytest.raises(ProblemError, match="the city is in Wales"):
        fetch_city("llanmade", columns="deprivation", root=office.url, store=tmp_path)


def test_errors_of_data_are_data_errors(town: Town, tmp_path: Path) -> None:
    """Whoever catches DataError or ConnectionError catches what goes wrong here."""
    with Office([town], totals_off=5000) as office, pytest.raises(DataError):
        fetch_city("madeby", root=office.url, store=tmp_path)
    with pytest.raises(ConnectionError):
        fetch_city("madeby", root="http://127.0.0.1:9", store=tmp_path / "new", offline=True)


def test_numbers_of_numpy_are_numbers(town: Town, tmp_path: Path) -> None:
    """Years and flags come from tables too, and name the same entry of the cache."""
    with Office([town]) as office:
        words = {"root": office.url, "store": tmp_path}
        city = fetch_city("madeby", census=np.int64(2021), allow_partial=np.bool_(False), **words)
        asked = len(office.asked)
        assert fetch_city("madeby", **words) == city
        assert len(office.asked) == asked


def test_offline_needs_no_right_to_write(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that others filled may be one that nobody here writes to."""
    with Office([town]) as office:
        city = fetch_city("madeby", root=office.url, store=tmp_path)
    shutil.rmtree(tmp_path / "asked")

    def refused(*_: object, **__: object) -> None:
        msg = "no room"
        raise StoreError(msg)

    monkeypatch.setattr(FolderStore, "replace", refused)
    monkeypatch.setattr(FolderStore, "tidy", refused)
    assert fetch_city("madeby", root=office.url, store=tmp_path, offline=True) == city
    with pytest.raises(StoreError):
        fetch_city("madeby", root=office.url, store=tmp_path)
