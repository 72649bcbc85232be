"""People by the area that they work in."""

from __future__ import annotations

import contextlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import IO

import pandas as pd

from spineq.fetch.catalogue import WORKS_ELSEWHERE, Download
from spineq.fetch.client import Request
from spineq.fetch.desk import Desk
from spineq.fetch.failure import FetchError, TornAnswer

#: Rows of the table of journeys that are looked at in one go; it has some nine million.
ROWS = 250_000


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
    with _opened(body, download) as opened:
        for chunk in pd.read_csv(
            opened, usecols=[area, place, count], dtype={area: str}, chunksize=ROWS
        ):
            kept = chunk[(chunk[place] == WORKS_ELSEWHERE) & chunk[area].isin(made.index)]
            made = made.add(kept.groupby(area)[count].sum(), fill_value=0.0)
    return made.loc[list(areas)]


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
            head = opened.readline().decode("utf-8-sig")
            while opened.read(1 << 20):  # the sum of the bytes is checked at their end
                pass
    except FetchError:
        raise
    # A wrong bit says of a file that it is encrypted, or written in a way that nobody knows.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        msg = "the zip is damaged, or ends in the middle"
        raise TornAnswer(msg) from error
    there = set(pd.read_csv(io.StringIO(head)).columns)
    missing = sorted(set(download.columns.values()) - there)
    if missing:
        msg = f"{download.name}: {download.member} has no column {missing[0]}"
        raise FetchError(msg, mend="Look for a later version of spineq")
