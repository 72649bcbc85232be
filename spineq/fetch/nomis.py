"""Tables of Nomis: silent cuts, empty answers, pages, areas by code or by number."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from spineq.errors import shortened, shown
from spineq.fetch.catalogue import NOMIS, NOMIS_ROWS, Table
from spineq.fetch.client import Request
from spineq.fetch.desk import Desk
from spineq.fetch.failure import AGAIN, EmptyAnswerError, FetchError, TornAnswer
from spineq.fetch.paging import pages

#: Areas in one list of them: 91 ages of each fit into one page.
IN_LIST = 200


def observations(
    desk: Desk, table: Table, authority: str, areas: Sequence[str], *, named: bool = False
) -> Iterator[pd.DataFrame]:
    """Read a table for the areas of an authority, page by page.

    That an authority's code with the type of areas behind it works for this table is inferred
    from others; where Nomis sends nothing for it, the authority's own number is tried, then lists
    of the areas.

    Parameters
    ----------
    desk
        Who gets the answers.
    table
        What the catalogue says of it.
    authority
        Code of the authority.
    areas
        Codes of its areas.
    named
        Whether the cells' names are needed.

    Yields
    ------
    DataFrame
        ``date``, ``area``, ``cell`` where there are several, ``cell_name`` where it is wanted,
        and ``value``.

    Raises
    ------
    FetchError
        Nomis fails, or has nothing for any of the three.
    """
    for geographies in (_by_code, _by_number, _by_lists):
        try:
            asked = geographies(desk, table, authority, areas)
            first = _page(desk, table, asked[0], named, 0)
        except EmptyAnswerError:
            continue
        except FetchError:
            if not desk.offline:
                raise
            # Whichever of the three it was, the others are not in the cache.
            continue
        break
    else:
        if desk.offline:
            msg = f"{table.dataset} for {authority} is not in the cache, and nobody may be asked"
            raise FetchError(msg, mend="Fetch the city once without offline (--offline)")
        msg = f"Nomis has nothing in {table.dataset} for the areas of {authority}"
        raise FetchError(msg, mend="Look for a later version of spineq")
    yield from _all(desk, table, asked[0], named, first)
    for geography in asked[1:]:
        yield from _all(desk, table, geography, named, _page(desk, table, geography, named, 0))


def total_of(desk: Desk, table: Table, authority: str) -> float | None:
    """Published total of a table for a whole authority, None where it has none."""
    try:
        request = _request(desk, table, authority, False, 0, cells=table.total)
        found = read_csv(desk.answer(request, table.dataset, _single))
    except EmptyAnswerError:
        return None
    total = float(as_numbers(found["obs_value"]).sum(min_count=1))
    return total if np.isfinite(total) else None


def _by_code(desk: Desk, table: Table, authority: str, areas: Sequence[str]) -> list[str]:
    return [f"{authority}{table.kind}"]


def _by_number(desk: Desk, table: Table, authority: str, areas: Sequence[str]) -> list[str]:
    """Areas of the authority by the number that Nomis itself gives it."""
    params = dict(table.fixed) | {"geography": authority}
    if table.dimension:
        params[table.dimension] = table.total or table.cells.split("...")[0].split(",")[0]
    params |= {
        "select": "geography,geography_code,obs_value,record_count",
        "recordoffset": "0",
    }
    request = Request(desk.address(f"{NOMIS}/{table.dataset}.data.csv"), tuple(params.items()))
    check = partial(_whole, single=True, request=request)
    number = read_csv(desk.answer(request, table.dataset, check))["geography"].iloc[0]
    if not str(number).isdigit():
        msg = f"{table.dataset}: Nomis gives {authority} the number {shown(number)}"
        raise FetchError(msg, mend=AGAIN)
    return [f"{number}{table.kind}"]


def _by_lists(desk: Desk, table: Table, authority: str, areas: Sequence[str]) -> list[str]:
    return [",".join(areas[k : k + IN_LIST]) for k in range(0, len(areas), IN_LIST)]


def _all(
    desk: Desk, table: Table, geography: str, named: bool, first: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """Read every page behind the first, as large as the first turned out to be."""
    total = int(first["record_count"].iloc[0])
    yield _tidy(first, table)

    def ask(begin: int, n: int) -> Request:
        return _request(desk, table, geography, named, begin, n)

    for page in pages(
        desk,
        table.dataset,
        ask,
        read_csv,
        # Of all pages the same columns are asked.
        partial(_whole, total=total, request=ask(0, 0)),
        total=total,
        size=len(first),
        begin=len(first),
    ):
        yield _tidy(page, table)


def _page(desk: Desk, table: Table, geography: str, named: bool, begin: int) -> pd.DataFrame:
    request = _request(desk, table, geography, named, begin)
    return read_csv(desk.answer(request, table.dataset, partial(_whole, request=request)))


def _request(
    desk: Desk,
    table: Table,
    geography: str,
    named: bool,
    begin: int,
    n: int = NOMIS_ROWS,
    cells: str | None = None,
) -> Request:
    # The number of all rows comes last: where a row is cut, it is this that is missing.
    what = [table.dimension, *([f"{table.dimension}_name"] if named else [])]
    select = ["date", "geography_code", *filter(None, what), "obs_value", "record_count"]
    params = {"geography": geography} | dict(table.fixed)
    if table.dimension:
        params[table.dimension] = cells or table.cells
    params["select"] = ",".join(select)
    params |= {"recordlimit": str(n), "recordoffset": str(begin)}
    return Request(desk.address(f"{NOMIS}/{table.dataset}.data.csv"), tuple(params.items()))


def _tidy(page: pd.DataFrame, table: Table) -> pd.DataFrame:
    names = {
        "geography_code": "area",
        table.dimension: "cell",
        f"{table.dimension}_name": "cell_name",
        "obs_value": "value",
    }
    made = page.rename(columns=names)
    return made.assign(value=as_numbers(made["value"]))


def as_numbers(column: pd.Series[Any]) -> pd.Series[float]:
    """Make numbers of a column; NaN of what is none."""
    # Whole numbers of hundreds of digits come as Python's own, which fit into no float.
    text = column.astype(str) if column.dtype == object else column
    return pd.to_numeric(text, errors="coerce").astype(float)


def read_csv(body: bytes) -> pd.DataFrame:
    """Read a table of Nomis; the names of columns in small letters."""
    text: dict[str, Any] = {"GEOGRAPHY_CODE": str, "DATE": str}
    made = pd.read_csv(io.BytesIO(body), dtype=text | {k.lower(): str for k in text})
    return made.rename(columns=str.lower)


def _whole(
    body: bytes, total: int | None = None, *, single: bool = False, request: Request | None = None
) -> None:
    """Refuse answers that are empty, cut, or no table.

    Parameters
    ----------
    body
        The answer.
    total
        Rows of the whole table, None where this is the first page.
    single
        Whether the whole table may have a single row.
    request
        What was asked, where all columns of that are needed.
    """
    if not body.strip():
        msg = "Nomis sent nothing, which is how it answers a parameter that it does not know"
        raise EmptyAnswerError(msg, mend="Look for a later version of spineq")
    if body.lstrip()[:1] == b"<":
        msg = "a web page came where data should be"
        raise TornAnswer(msg)
    try:
        found = read_csv(body)
    except ValueError as error:
        msg = "the table ends in the middle"
        raise TornAnswer(msg) from error
    select = "" if request is None else dict(request.params)["select"]
    needed = {"geography_code", "obs_value", "record_count", *filter(None, select.split(","))}
    if not needed <= set(found.columns):
        msg = f"Nomis sent no table but {shown(body[:80].decode(errors='replace'))}"
        if b"\n" not in body.strip():
            # The names of the columns, cut; or words for people.
            raise TornAnswer(msg)
        if "geography_code" in found.columns:
            msg = f"Nomis sent a table without the column {min(needed - set(found.columns))}"
        raise FetchError(msg, mend="Look for a later version of spineq")
    if len(found) == 0:
        msg = "Nomis sent a table without rows"
        raise EmptyAnswerError(msg, mend="Look for a later version of spineq")
    if len(found) == 1 and total is None and not single and not body.endswith(b"\n"):
        # The number of rows may be cut itself, and there is no second row to compare it with.
        msg = "the first row ends in the middle"
        raise TornAnswer(msg)
    counted = as_numbers(found["record_count"])
    if (
        not (counted % 1 == 0).all()
        or not (counted == (counted.iloc[0] if total is None else total)).all()
    ):
        if total is not None and (counted == counted.iloc[0]).all():
            msg = f"the table had {total:,} rows a moment ago, and has {counted.iloc[0]:,.0f} now"
            raise FetchError(msg, mend="It was updated meanwhile: fetch again with refresh=True")
        msg = "a row ends in the middle"
        raise TornAnswer(msg)
    values = as_numbers(found["obs_value"])
    # None at all is an area that is missing, which is said where all tables are there.
    wrong = ~((values >= 0) & (values < np.inf)) & found["obs_value"].notna()
    if wrong.any():
        area, value = found[wrong].iloc[0][["geography_code", "obs_value"]].map(str)
        msg = f"Nomis sent {shortened(value)} for {shortened(area)}, which is no count"
        raise FetchError(msg, mend=AGAIN)


_single = partial(_whole, single=True)
