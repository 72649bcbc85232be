"""Workers by workplace out of a zip of journeys."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from fetch.tables import journeys
from hypothesis import given
from hypothesis import strategies as st
from statistics_office import Office, made_town

from spineq.fetch import FetchError
from spineq.fetch.catalogue import EDITIONS, Download
from spineq.fetch.desk import Desk
from spineq.fetch.failure import TornAnswer
from spineq.fetch.workplaces import _whole, workers_from_journeys

TOWN = made_town(12)
ZIP = journeys([TOWN])
DOWNLOAD = EDITIONS[2021].workers
assert isinstance(DOWNLOAD, Download)
check = partial(_whole, download=DOWNLOAD)


def test_journeys_are_summed_where_they_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People at home, abroad and elsewhere are left out; nobody is 0; chunks change nothing."""
    monkeypatch.setattr("spineq.fetch.workplaces.ROWS", 7)
    areas = [*TOWN.frame["area_id"], "E00999999"]
    with Office([TOWN]) as office, Desk(tmp_path, root=office.url) as desk:
        found = workers_from_journeys(desk, DOWNLOAD, areas[::-1])
    assert list(found.index) == areas[::-1]
    assert list(found[::-1]) == [*TOWN.frame["workers"], 0.0]


@given(st.integers(0, len(ZIP) - 1))
def test_a_zip_cut_anywhere_is_torn(at: int) -> None:
    """The directory stands at its end."""
    with pytest.raises(TornAnswer):
        check(ZIP[:at])


@given(st.integers(0, len(ZIP) - 1), st.integers(1, 255))
def test_a_zip_with_a_wrong_byte_is_never_misread(at: int, change: int) -> None:
    """It is refused, or the byte is none of the table's."""
    wrong = bytearray(ZIP)
    wrong[at] ^= change
    try:
        check(bytes(wrong))
    except (TornAnswer, FetchError):
        return
    import io
    import zipfile

    tables = [zipfile.ZipFile(io.BytesIO(data)).read("ODWP01EW_OA.csv") for data in (ZIP, wrong)]
    assert tables[0] == tables[1]


def test_another_zip() -> None:
    """What is missing is named."""
    member = Download("ODWP01EW", "", {}, "", member="ODWP01EW_OTHER.csv")
    with pytest.raises(FetchError, match=r"holds no ODWP01EW_OTHER\.csv, only ODWP01EW_L"):
        _whole(ZIP, member)
    column = Download("ODWP01EW", "", {"area": "Where"}, "", member="ODWP01EW_OA.csv")
    with pytest.raises(FetchError, match=r"ODWP01EW_OA\.csv has no column Where"):
        _whole(ZIP, column)
