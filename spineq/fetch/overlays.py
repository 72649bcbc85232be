"""Optional columns: deprivation of the areas, and residents by ethnic group, disability, health."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial

import pandas as pd

from spineq.errors import ProblemError, shortened, shown
from spineq.fetch.authorities import Authority
from spineq.fetch.catalogue import COLUMNS, Download, Overlay
from spineq.fetch.client import Request
from spineq.fetch.desk import Desk
from spineq.fetch.failure import AGAIN, FetchError, TornAnswer
from spineq.fetch.nomis import as_numbers, observations

#: Name of the column of deprivation: 1 is the most deprived tenth of England, 10 the least.
DECILE = "deprivation_decile"

#: Name of the column of residents in the most deprived areas, and its least deprived decile.
DEPRIVED, MOST_DEPRIVED = "deprived", 3


def checked_columns(columns: object) -> tuple[str, ...]:
    """Check which optional columns a caller names; each once, in the catalogue's order.

    Raises
    ------
    ProblemError
        There is no such column.
    """
    given = [columns] if isinstance(columns, str) else columns
    wanted = list(given) if isinstance(given, Iterable) else [given]
    for name in wanted:
        if not isinstance(name, str) or name not in COLUMNS:
            msg = f"there is no optional column {shown(name)}"
            near = get_close_matches(str(name), COLUMNS, 1)
            mend = f"Did you mean {near[0]}?" if near else f"Use {', '.join(COLUMNS)}"
            raise ProblemError(msg, field="columns", mend=mend)
    return tuple(name for name in COLUMNS if name in wanted)


def counted(
    desk: Desk, overlay: Overlay, groups: Sequence[tuple[Authority, Sequence[str]]]
) -> Iterator[pd.DataFrame]:
    """Count an overlay's residents, authority by authority.

    The cells are told apart by their names: numbers of cells change from table to table.

    Parameters
    ----------
    desk
        Who gets the answers.
    overlay
        Its table and columns.
    groups
        Authorities, each with the codes of its areas.

    Yields
    ------
    DataFrame
        (area, column) residents, indexed by area.

    Raises
    ------
    FetchError
        No cell of the table is called what is looked for, or a count is there twice.
    """
    for authority, areas in groups:
        pages = observations(desk, overlay.table, authority.code, areas, named=True)
        found = pd.concat(list(pages), ignore_index=True)
        twice = found.duplicated(["area", "cell"])
        if twice.any():
            msg = f"{overlay.table.dataset} has two counts of area {found['area'][twice].iloc[0]}"
            raise FetchError(msg, mend=AGAIN)
        names = found["cell_name"].astype(str).str.casefold()
        made = {}
        for column in overlay.columns:
            kept = found[names.str.contains(column.words, regex=False)]
            if len(kept) == 0:
                msg = f"{overlay.table.dataset}: no cell is called {column.words!r}"
                raise FetchError(msg, mend=AGAIN)
            # An area that lacks one of the cells has no sum.
            needed = kept["cell"].nunique()
            made[column.column] = kept.groupby("area")["value"].sum(min_count=needed)
        yield pd.DataFrame(made)


def deciles(desk: Desk, download: Download, lsoas: pd.Series[str]) -> pd.Series[float]:
    """Look up the deprivation decile of each area, by the larger area that it lies in.

    Parameters
    ----------
    desk
        Who gets the file.
    download
        What the catalogue says of it.
    lsoas
        Code of the lower layer super output area of each area, indexed by area.

    Returns
    -------
    Series
        1 (most deprived) to 10, by area; areas that the file does not have are left out.

    Raises
    ------
    ProblemError
        All areas are in Wales, which has an index of its own.
    FetchError
        The file arrives in part each time, or lacks a column.
    """
    if len(lsoas) and lsoas.str.startswith("W").all():
        msg = "the indices of deprivation are of England, and the city is in Wales"
        raise ProblemError(msg, field="columns", mend="Leave deprivation out")
    check = partial(_whole, download=download)
    body = desk.answer(Request(desk.address(download.url)), download.name, check)
    found = _read(body, download)
    return lsoas.map(found).dropna()


def _read(body: bytes, download: Download) -> pd.Series[float]:
    lsoa, decile = download.columns["lsoa"], download.columns["decile"]
    table = pd.read_csv(io.BytesIO(body), dtype={lsoa: str}, encoding="utf-8-sig")
    return pd.to_numeric(table.set_index(lsoa)[decile], errors="coerce")


def _whole(body: bytes, download: Download) -> None:
    """Refuse a file that ends in the middle, or is another."""
    if body.lstrip()[:1] == b"<":
        msg = "a web page came where data should be"
        raise TornAnswer(msg)
    try:
        table = pd.read_csv(io.BytesIO(body), encoding="utf-8-sig")
    except ValueError as error:
        msg = "the table ends in the middle"
        raise TornAnswer(msg) from error
    missing = [name for name in download.columns.values() if name not in table.columns]
    if missing:
        msg = f"{download.name}: the file has no column {missing[0]}"
        raise FetchError(msg, mend="Look for a later version of spineq")
    # Cut off is what has no end of the last line, unless something stands behind what is needed.
    last = table.iloc[-1:]
    behind = 1 + max(list(table.columns).index(name) for name in download.columns.values())
    if not body.endswith(b"\n") and last.iloc[:, behind:].isna().all(axis=None):
        msg = "the last row ends in the middle"
        raise TornAnswer(msg)
    lsoas = table[download.columns["lsoa"]]
    if lsoas.duplicated().any():
        twice = shortened(str(lsoas[lsoas.duplicated()].iloc[0]))
        msg = f"{download.name}: the file has {twice} twice"
        raise FetchError(msg, mend=AGAIN)
    given = table[download.columns["decile"]]
    wrong = given.notna() & ~as_numbers(given).isin(range(1, 11))
    if wrong.any():
        msg = f"{download.name}: the file has the decile {shortened(str(given[wrong].iloc[0]))}"
        raise FetchError(msg, mend=AGAIN)
