"""Checks of tables, each with an error of its own that names file, row, field and mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import (
    DuplicateIdError,
    GeographicCRSError,
    MissingColumnError,
    NegativeValueError,
    NotANumberError,
    UnknownCRSError,
    UnreadableFileError,
    ZeroWeightError,
)

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray


#: How to do without a column, for messages.
WITHOUT = "leave the column out (columns= names those to take)"


def need_columns(frame: pd.DataFrame, names: Sequence[str], file: object) -> None:
    """Check that a table has its columns, each of them once.

    Raises
    ------
    MissingColumnError
        One is not there; the message lists those that are.
    UnreadableFileError
        Two columns have the same name.
    """
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        msg = f"there are two columns {str(twice[0])!r}"
        raise UnreadableFileError(msg, file=file, field=twice[0], mend="Keep one of them")
    missing = [name for name in names if name not in frame.columns]
    if missing:
        there = ", ".join(str(column) for column in frame.columns[:12]) or "none"
        msg = f"the column {missing[0]!r} is missing"
        raise MissingColumnError(
            msg, file=file, field=missing[0], mend=f"Add it; the columns there are {there}"
        )


def row_name(row: int, ids: NDArray[np.object_] | None = None) -> str:
    """Name a row as a person would: its number from 1, and its identifier where it has one."""
    return str(row + 1) if ids is None else f"{row + 1} ({ids[row]})"


def distinct_texts(values: pd.Series[Any]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Make identifiers text: without spaces around them, and 7 where a table says 7.0.

    Returns
    -------
    texts
        (text,), one for each distinct value; empty where there is none.
    codes
        (row,), position of each row's text.
    """
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    made = np.empty(len(distinct), dtype=object)
    for k, value in enumerate(distinct):
        whole = isinstance(value, float) and value.is_integer()
        made[k] = "" if pd.isna(value) else str(int(value) if whole else value).strip()
    return made, codes


def identifiers(values: pd.Series[Any], field: str, file: object) -> NDArray[np.object_]:
    """Check that identifiers are there and unique, and make them text.

    Returns
    -------
    ndarray of str
        (row,), in the table's order.

    Raises
    ------
    DuplicateIdError
        A row without an identifier, or two rows with the same one.
    """
    distinct, codes = distinct_texts(values)
    made = distinct[codes]
    mend = "Give every row an identifier of its own"
    if (made == "").any():
        row = int(np.flatnonzero(made == "")[0])
        msg = "the row has no identifier"
        raise DuplicateIdError(msg, file=file, row=row_name(row), field=field, mend=mend)
    twice = pd.Series(made).duplicated().to_numpy()
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        msg = f"{made[row]!r} stands in an earlier row too"
        raise DuplicateIdError(msg, file=file, row=row_name(row), field=field, mend=mend)
    return made


def numbers(
    values: pd.Series[Any],
    ids: NDArray[np.object_] | None,
    field: str,
    file: object,
    *,
    least: float | None = 0.0,
    mend: str = "Write a number; where there is nobody, write 0",
) -> NDArray[np.float64]:
    """Check that a column holds finite numbers, by default of 0 or more.

    Parameters
    ----------
    values
        The column, (row,).
    ids
        Identifier of each row, for messages; None where rows have none.
    field, file
        Name of the column and the file, for messages.
    least
        Smallest value allowed, None for any.
    mend
        What to do about a value that is refused, for messages.

    Returns
    -------
    ndarray of float
        (row,).

    Raises
    ------
    NotANumberError
        NaN, infinity or text.
    NegativeValueError
        A value below ``least``.
    """
    made = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~np.isfinite(made)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        said = values.iloc[row]
        msg = "the value is empty or NaN" if pd.isna(said) else f"'{said}' is not a finite number"
        raise NotANumberError(msg, file=file, row=row_name(row, ids), field=field, mend=mend)
    if least is not None and (made < least).any():
        row = int(np.flatnonzero(made < least)[0])
        msg = f"{made[row]:g} is below {least:g}"
        raise NegativeValueError(msg, file=file, row=row_name(row, ids), field=field, mend=mend)
    # Minus zero and zero are one value and must have one digest.
    return made + 0.0


def positive_sum(values: NDArray[np.float64], field: str, file: object) -> None:
    """Check that a weight is not zero everywhere.

    Raises
    ------
    ZeroWeightError
        It sums to zero.
    """
    if not values.sum() > 0:
        msg = f"{field} is 0 in every row, so that it can weigh nothing"
        raise ZeroWeightError(msg, file=file, field=field, mend=f"Fill it in, or {WITHOUT}")


def known_crs(given: object, file: object, carried: object = None) -> pyproj.CRS:
    """Make a coordinate reference system of what the user gave and what the table carries.

    Raises
    ------
    UnknownCRSError
        There is neither, PROJ does not know it, or the two differ.
    """
    import pyproj

    mend = "Name it, for example crs='EPSG:27700' (--crs on the command line)"
    theirs = None if carried is None else pyproj.CRS.from_user_input(carried)
    if given is None or given == "":
        if theirs is not None:
            return theirs
        msg = "no coordinate reference system is given"
        raise UnknownCRSError(msg, file=file, field="crs", mend=mend)
    try:
        found = pyproj.CRS.from_user_input(given)
    except pyproj.exceptions.CRSError as error:
        msg = f"nobody knows the coordinate reference system {given!r}"
        raise UnknownCRSError(msg, file=file, field="crs", mend=mend) from error
    if theirs is not None and theirs != found:
        msg = f"the table itself says {theirs.to_string()}, but crs is {given!r}"
        raise UnknownCRSError(
            msg, file=file, field="crs", mend="Leave crs out, or correct what the table says"
        )
    return found


def in_metres(crs: pyproj.CRS) -> bool:
    """Whether the axes of the coordinate reference system are metres on a plane."""
    return crs.is_projected and all(
        abs(axis.unit_conversion_factor - 1.0) < 1e-9 for axis in crs.axis_info[:2]
    )


def look_like_degrees(xy: NDArray[np.float64]) -> bool:
    """Whether coordinates, (place, 2), could be longitude and latitude."""
    return bool((np.abs(xy) <= [180, 90]).all())


def need_metres(crs: pyproj.CRS, xy: NDArray[np.float64], file: object) -> None:
    """Check that distances between coordinates are metres, as theta is.

    Raises
    ------
    GeographicCRSError
        The system counts in degrees or feet, or the coordinates look like degrees.
    """
    if not in_metres(crs):
        unit = crs.axis_info[0].unit_name if crs.axis_info else "unknown"
        kind = "" if crs.is_projected else ", not on a plane"
        msg = f"{crs.name} (unit: {unit}{kind}) does not give metres, but theta is in metres"
        raise GeographicCRSError(
            msg,
            file=file,
            field="crs",
            mend="Project the data first, for example frame.to_crs(frame.estimate_utm_crs())",
        )
    # One place alone may well stand near the origin, and has no distances.
    if len(xy) > 1 and look_like_degrees(xy):
        msg = (
            f"the coordinates look like degrees (the first is {xy[0, 0]:g}, {xy[0, 1]:g}), "
            f"but {crs.name} counts in metres"
        )
        raise GeographicCRSError(
            msg,
            file=file,
            field="x, y",
            mend="If they are longitude and latitude, say crs='EPSG:4326' to read_city",
        )
