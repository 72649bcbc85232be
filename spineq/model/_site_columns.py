"""Columns of the sites beside their place: numbers (a price) and texts (a ward)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import NotANumberError, UnreadableFileError, shown
from spineq.model._checks import (
    as_floats,
    distinct_texts,
    identifiers,
    is_nothing,
    need_columns,
    need_text,
    row_name,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Columns of a table of sites that say where a site is; an id is there besides.
PLACE = ("x", "y", "area_id", "geometry")

#: Whole numbers up to here are floats without loss; beyond, they are kept as text.
_EXACT = 2**53

#: Names, sorted, and for each its values: floats, NaN where missing, or texts, empty there.
SiteColumns = tuple[tuple[str, ...], "tuple[NDArray[Any], ...]"]


def read_site_columns(
    frame: pd.DataFrame, reserved: Iterable[str], order: NDArray[np.intp], file: object
) -> SiteColumns:
    """Read whatever numbers and texts a table of sites has beside places and ids.

    A column of other things, dates or lists, or without any value, is left out.

    Parameters
    ----------
    frame
        One row per site; names of columns are text.
    reserved
        Names of columns that are no such columns, beside those of the place.
    order
        (site,) rows in the order of the sites.
    file
        Where the table comes from, for messages.

    Raises
    ------
    DataError
        A name or a text that holds a control character.
    """
    left_out = {*PLACE, *reserved}
    made = {}
    for name in sorted(name for name in frame.columns if name not in left_out):
        values = _values(frame[name], file)
        if values is not None:
            need_text(name, "the name of a column", file)
            made[name] = values[order]
    return tuple(made), tuple(made.values())


def named_site_columns(
    frame: pd.DataFrame, names: Sequence[str] | None, kept: Sequence[str], file: object
) -> SiteColumns:
    """Read the columns of a table of areas that their sites are to have.

    Parameters
    ----------
    frame
        The table of areas.
    names
        What the user names; None for nothing.
    kept
        Columns that the city keeps as weights: they need not be there twice.
    file
        Where the table comes from, for messages.

    Raises
    ------
    UnreadableFileError
        The names are no names, or a column holds neither numbers nor texts.
    MissingColumnError
        There is no such column.
    NotANumberError
        A value is missing.
    """
    if names is None:
        return (), ()
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        msg = f"site_columns must be a list of names, not {shown(names)}"
        raise UnreadableFileError(msg, file=file, field="site_columns", mend='Write ["ward"]')
    frame = frame.rename(columns=str)
    need_columns(frame, list(names), file)
    ids = identifiers(frame["area_id"], "area_id", file)
    order = np.argsort(ids)
    made = {}
    for name in sorted(set(names) - set(kept) - {"area_id"}):
        need_text(name, "the name of a column", file)
        values = None if name in PLACE else _values(frame[name], file)
        if values is None:
            msg = f"the column {shown(name)} holds neither numbers nor texts about the sites"
            mend = "Name a column such as a ward or a price"
            raise UnreadableFileError(msg, file=file, field="site_columns", mend=mend)
        missing = np.flatnonzero(is_missing(values))
        if len(missing):
            msg = "the value is empty or NaN"
            row = row_name(int(missing[0]), ids)
            mend = "Fill it in, or leave the column out of site_columns"
            raise NotANumberError(msg, file=file, row=row, field=name, mend=mend)
        made[name] = values[order]
    return tuple(made), tuple(made.values())


def is_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each value of a site column is missing, (site,)."""
    made: NDArray[np.bool_] = values == "" if values.dtype == object else np.isnan(values)
    return made


def _values(column: pd.Series[Any], file: object) -> NDArray[Any] | None:
    """Values of a column as floats or texts, (row,); None for a column of neither."""
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if not numeric:
        cells = column.astype(object).to_numpy()
        there = [cell for cell in cells if not is_nothing(cell)]
        numeric = all(isinstance(c, Real | Decimal) and not isinstance(c, bool) for c in there)
        if not all(isinstance(cell, str | Real | np.bool_) for cell in there) and not numeric:
            return None
        column = pd.Series(cells, index=column.index, name=column.name, dtype=object)
    if column.isna().all():
        return None
    if numeric and not _beyond(column):
        made = as_floats(column) + 0.0
        made[np.isnan(made)] = np.nan  # of one kind, for the digest
        return made
    texts, codes = distinct_texts(column, file)
    found = texts[codes]
    return None if (found == "").all() else found


def _beyond(column: pd.Series[Any]) -> bool:
    """Whether whole numbers of a column are too large to be floats without loss."""
    whole = [cell for cell in column if isinstance(cell, Integral) and not is_nothing(cell)]
    return any(abs(int(cell)) > _EXACT for cell in whole)
