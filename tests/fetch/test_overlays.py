"""Optional columns, and the file of deprivation cut at any place."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from fetch.tables import deprivation
from hypothesis import given
from hypothesis import strategies as st
from statistics_office import Office, edited, made_town

from spineq.errors import ProblemError
from spineq.fetch import FetchError, fetch_city
from spineq.fetch.catalogue import EDITIONS, Download
from spineq.fetch.failure import TornAnswer
from spineq.fetch.overlays import _read, _whole, checked_columns

TOWN = made_town(15)
DOWNLOAD = EDITIONS[2021].deprivation
FILE = deprivation([TOWN], newer=True)
check = partial(_whole, download=DOWNLOAD)


def test_columns_are_named_once_in_one_order() -> None:
    """Whatever the order and the repetitions of the caller."""
    assert checked_columns(["health", "ethnicity", "health"]) == ("ethnicity", "health")
    assert checked_columns("disability") == ("disability",)
    assert checked_columns(()) == ()


@given(st.integers(0, len(FILE)))
def test_a_file_cut_anywhere_is_never_misread(at: int) -> None:
    """It is refused, or what is read are whole rows; areas of others are then missing."""
    try:
        check(FILE[:at])
    except (TornAnswer, FetchError):
        return
    found, whole = _read(FILE[:at], DOWNLOAD), _read(FILE, DOWNLOAD)
    pd.testing.assert_series_equal(found, whole.iloc[: len(found)])


def test_a_file_whose_last_line_does_not_end() -> None:
    """It is whole where something stands behind what is needed."""
    lines = FILE.decode().splitlines()
    wider = "\n".join([f"{lines[0]},Rank", *(f"{line},7" for line in lines[1:])]).encode()
    check(wider)
    with pytest.raises(TornAnswer):
        check(wider.rsplit(b",", 1)[0])
    with pytest.raises(TornAnswer):
        check(FILE.rstrip())


def test_a_near_miss_of_a_column() -> None:
    """It is proposed; else all are."""
    with pytest.raises(ProblemError, match=r"Did you mean deprivation\?"):
        checked_columns("deprivations")
    with pytest.raises(ProblemError, match="Use deprivation, ethnicity"):
        checked_columns("people")


def test_a_file_without_the_column() -> None:
    """The column is named."""
    other = Download("IoD2025", "", {"lsoa": "LSOA code (2021)", "decile": "Rank"}, "")
    with pytest.raises(FetchError, match="IoD2025: the file has no column Rank"):
        _whole(FILE, other)
    assert len(pd.read_csv(io.BytesIO(FILE))) == 3


def test_cells_that_are_called_otherwise(tmp_path: Path) -> None:
    """A table whose words changed is refused, not read by position."""
    with Office([TOWN]) as office:
        office.spoil(
            "NM_2055_1", edited(lambda body: body.replace(b"bad health", b"poor health")
                                .replace(b"Bad health", b"Poor health")), times=9,
        )  # fmt: skip
        with pytest.raises(FetchError, match="NM_2055_1: no cell is called 'bad health'"):
            fetch_city("madeby", columns="health", root=office.url, store=tmp_path)
