"""People by the area that they work in."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import IO

import pandas as pd

from spineq.errors import shortened
from spineq.fetch.catalogue import WORKS_ELSEWHERE, Download
from spineq.fetch.client import Request
from spineq.fetch.desk import Desk
from spineq.fetch.failure import AGAIN, FetchError, TornAnswer

#: Rows of the table of journeys that are looked at in one go; it has some nine million.
ROWS = 250_000

#: Bytes of its first line that are looked at.
MOST_OF_A_LINE = 1 << 16


def workers_from_journeys(desk: Desk, download: Download, areas: Sequence[str]) -> pd.Series[float]:
    """Count those who work in each area in a table of journeys from home to work.

    Parameters
    ----------
    desk
        Who gets the file.
    download
        What the catalogue says of it.
    areas
        Codes of the areas that are wanted.

    Returns
    -------
    Series
        Workers by area. An area that nobody travels to has 0: the table lists journeys.

    Raises
    ------
    FetchError
        The zip arrives in part each time, or does not hold what it should.
    """
    check = partial(_whole, download=download)
    body = desk.answer(Request(desk.address(download.url)), download.name, check)
    area, place, count = (download.columns[role] for role in ("area", "place", "count"))
    made = pd.Series(0.0, index=pd.Index(list(areas), dtype=object))
    with _opened(body, download) as opened, _plainly(download):
        for chunk in pd.read_csv(
            opened, usecols=[area, place, count], dtype={area: str}, chunksize=ROWS
        ):
            # A word among the numbers would make words of all.
            numbers = chunk[[place, count]].apply(pd.to_numeric)
            kept = (numbers[place] == WORKS_ELSEWHERE) & chunk[area].isin(made.index)
            found = numbers.loc[kept, count].groupby(chunk[area]).sum(min_count=1)
            made = made.add(found, fill_value=0.0)
    if not made.sum() > 0:
        msg = f"{download.name}: nobody at all works in the {len(made):,} areas"
        raise FetchError(msg, mend=AGAIN)
    return made.loc[list(areas)]


@contextlib.contextmanager
def _plainly(download: Download) -> Iterator[None]:
    """Say of a table whose rows are none that it is so."""
    try:
        yield
    except ValueError as error:
        reason = shortened(" ".join(str(error).split()), 120)
        msg = f"{download.name}: {download.member} has a row that is not understood ({reason})"
        raise FetchError(msg, mend=AGAIN) from error


@contextlib.contextmanager
def _opened(body: bytes, download: Download) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        member = _member(archive, download)
        with archive.open(member) as opened:
            yield opened


def _member(archive: zipfile.ZipFile, download: Download) -> str:
    names = archive.namelist()
    for name in names:
        if name.rpartition("/")[2].casefold() == download.member.casefold():
            return name
    msg = f"{download.name}: the zip holds no {download.member}, only {', '.join(names[:8])}"
    raise FetchError(msg, mend="Look for a later version of spineq")


def _whole(body: bytes, download: Download) -> None:
    """Refuse a zip that ends in the middle, whose bytes changed, or that is another."""
    try:
        with _opened(body, download) as opened:
            head = opened.readline(MOST_OF_A_LINE).decode("utf-8-sig")
            while opened.read(1 << 20):  # the sum of the bytes is checked at their end
                pass
    except FetchError:
        raise
    # A wrong bit says of a file that it is encrypted, or written in a way that nobody knows.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        msg = "the zip is damaged, or ends in the middle"
        raise TornAnswer(msg) from error
    there = {name.strip() for name in next(csv.reader([head]), [])}
    missing = sorted(set(download.columns.values()) - there)
    if missing:
        msg = f"{download.name}: {download.member} has no column {missing[0]}"
        raise FetchError(msg, mend="Look for a later version of spineq")
