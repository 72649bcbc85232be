"""Checks of tables, each with an error of its own that names file, row, field and mend."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import (
    DataError,
    DuplicateIdError,
    GeographicCRSError,
    MissingColumnError,
    NegativeValueError,
    NotANumberError,
    UnknownCRSError,
    UnreadableFileError,
    ZeroWeightError,
    shortened,
    shown,
)
from spineq.model.groups import MOST, unprintable

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray


#: How to do without a column, for messages.
WITHOUT = "leave the column out (columns= names those to take)"


def need_table(frame: object, file: object) -> None:
    """Check that something is a table at all.

    Raises
    ------
    UnreadableFileError
        It is not a DataFrame, or a column has a name that is no text.
    """
    if not isinstance(frame, pd.DataFrame):
        msg = f"a table is needed, not {shown(frame)}"
        raise UnreadableFileError(msg, file=file, mend="Read it with pandas or geopandas first")
    for name in frame.columns:
        try:
            str(name).encode()
        except ValueError as error:  # half a surrogate pair, or a number of 5,000 digits
            msg = f"no file can hold the name of the column {shown(name)}"
            raise UnreadableFileError(msg, file=file, mend="Rename it") from error


def need_text(text: object, field: str, file: object = None, *, lines: bool = False) -> None:
    """Check that words for people are text that every file and picture can hold.

    Parameters
    ----------
    text
        What was given.
    field, file
        Its name and where it comes from, for messages.
    lines
        Whether it may have several lines.

    Raises
    ------
    DataError
        It is no text, or holds a control character.
    """
    if not isinstance(text, str):
        msg = f"{field} must be text, not {shown(text)}"
        raise DataError(msg, file=file, field=field, mend="Write it in quotation marks")
    if strange := unprintable(text, "\n\r\t" if lines else ""):
        msg = f"{shown(text)} holds the control character {strange}"
        raise DataError(msg, file=file, field=field, mend="Take it out")


def geometry_of(frame: pd.DataFrame) -> Any:
    """Geometry of a table, with its ``crs``, or None; a column of that name alone is none."""
    import geopandas as gpd

    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        return frame.geometry
    return None


def crs_of(frame: pd.DataFrame) -> Any:
    """Coordinate reference system that a table carries, or None."""
    geometry = geometry_of(frame)
    return None if geometry is None else geometry.crs


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
        msg = f"there are two columns {shown(str(twice[0]))}"
        raise UnreadableFileError(msg, file=file, field=twice[0], mend="Keep one of them")
    missing = [name for name in names if name not in frame.columns]
    if missing:
        there = ", ".join(shortened(str(column)) for column in frame.columns[:12]) or "none"
        msg = f"the column {shown(missing[0])} is missing"
        raise MissingColumnError(
            msg, file=file, field=missing[0], mend=f"Add it; the columns there are {there}"
        )


def row_name(row: int, ids: NDArray[np.object_] | None = None) -> str:
    """Name a row as a person would: its number from 1, and its identifier where it has one."""
    return str(row + 1) if ids is None else f"{row + 1} ({shortened(ids[row], 40)})"


def distinct_texts(
    values: pd.Series[Any], file: object
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Make identifiers text: without spaces around them, and 7 where a table says 7.0.

    Returns
    -------
    texts
        (text,), one for each distinct value; empty where there is none.
    codes
        (row,), position of each row's text.

    Raises
    ------
    UnreadableFileError
        An identifier that is a list or the like, or holds a control character.
    """

    def refused(row: int, what: str) -> UnreadableFileError:
        msg = f"the identifier {shown(values.iloc[row])} {what}"
        return UnreadableFileError(
            msg, file=file, row=row_name(row), field=values.name, mend="Write text or a number"
        )

    try:
        codes, distinct = pd.factorize(values, use_na_sentinel=False)
    except TypeError as error:  # something that has no hash
        row = next((k for k, value in enumerate(values) if not pd.api.types.is_scalar(value)), 0)
        raise refused(row, "is neither text nor a number") from error
    made = np.empty(len(distinct), dtype=object)
    for k, value in enumerate(distinct):
        if not pd.api.types.is_scalar(value) or isinstance(value, bytes):
            raise refused(int(np.argmax(codes == k)), "is neither text nor a number")
        whole = isinstance(value, float) and value.is_integer()
        try:
            made[k] = "" if pd.isna(value) else str(int(value) if whole else value).strip()
        except ValueError as error:  # Python does not write numbers of more than 4,300 digits
            raise refused(int(np.argmax(codes == k)), "is too long") from error
        if strange := unprintable(made[k]):
            msg = f"holds the control character {strange}"
            raise refused(int(np.argmax(codes == k)), msg)
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
    UnreadableFileError
        An identifier that is a list or the like, or holds a control character.
    """
    distinct, codes = distinct_texts(values, file)
    made = distinct[codes]
    mend = "Give every row an identifier of its own"
    if (made == "").any():
        row = int(np.flatnonzero(made == "")[0])
        msg = "the row has no identifier"
        raise DuplicateIdError(msg, file=file, row=row_name(row), field=field, mend=mend)
    twice = pd.Series(made).duplicated().to_numpy()
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        msg = f"{shown(made[row])} stands in an earlier row too"
        raise DuplicateIdError(msg, file=file, row=row_name(row), field=field, mend=mend)
    return made


def as_floats(values: pd.Series[Any]) -> NDArray[np.float64]:
    """Read a column as numbers, (row,); NaN where there is none, such as for a date."""
    kind = pd.api.types
    if kind.is_numeric_dtype(values) and not kind.is_complex_dtype(values):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    if isinstance(values.dtype, pd.StringDtype):
        return pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    made = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):
        number = isinstance(value, (Real, Decimal, np.bool_))
        # A whole number may be too large for a float; text may be one as well.
        fits = not isinstance(value, int) or abs(value) <= MOST
        made[k] = (
            value if isinstance(value, str) or (number and fits) else np.inf if number else np.nan
        )
    return pd.to_numeric(pd.Series(made), errors="coerce").to_numpy(np.float64, na_value=np.nan)


def numbers(
    values: pd.Series[Any],
    ids: NDArray[np.object_] | None,
    field: str,
    file: object,
    *,
    least: float | None = 0.0,
    mend: str = "Write a number; where there is nobody, write 0",
) -> NDArray[np.float64]:
    """Check that a column holds numbers up to `MOST`, by default of 0 or more.

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
        NaN, infinity, text, a date, or a number beyond `MOST`.
    NegativeValueError
        A value below ``least``.
    """
    made = as_floats(values)
    # NaN is not within either.
    bad = ~(np.abs(made) <= MOST)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        said = values.iloc[row]
        if is_nothing(said):
            msg = "the value is empty or NaN"
        elif np.isfinite(made[row]):
            msg = f"{made[row]:g} is beyond {MOST:g}, more than can be meant"
        else:
            msg = f"{quoted(said)} is not a finite number"
        raise NotANumberError(msg, file=file, row=row_name(row, ids), field=field, mend=mend)
    if least is not None and (made < least).any():
        row = int(np.flatnonzero(made < least)[0])
        msg = f"{made[row]:g} is below {least:g}"
        raise NegativeValueError(msg, file=file, row=row_name(row, ids), field=field, mend=mend)
    # Minus zero and zero are one value and must have one digest.
    return made + 0.0


def is_nothing(value: object) -> bool:
    """Whether a cell of a table is empty."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))  # type: ignore[call-overload]


def quoted(value: object) -> str:
    """Show a cell of a table in a message, in quotation marks."""
    try:
        return shown(str(value))
    except ValueError:
        return shown(value)


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
        msg = f"nobody knows the coordinate reference system {shown(given)}"
        raise UnknownCRSError(msg, file=file, field="crs", mend=mend) from error
    if theirs is not None and theirs != found:
        msg = f"the table itself says {shortened(theirs.to_string())}, but crs is {shown(given)}"
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
