"""Every exception that spineq raises on purpose.

::

    SpineqError
    ├── DataError                  a city's data does not add up
    │   ├── MissingFileError       (FileNotFoundError) a file or folder is not there
    │   ├── UnreadableFileError    (ValueError) a file is there but is not what it should be
    │   ├── MissingColumnError     (LookupError) a table lacks a column
    │   ├── NotANumberError        (ValueError) NaN, infinity, text or 1e308 where a number must be
    │   ├── NegativeValueError     (ValueError) a count below zero
    │   ├── DuplicateIdError       (ValueError) two rows with one id, or a row without an id
    │   ├── UnknownIdError         (LookupError) a row points to an id that is not there
    │   ├── AreaMismatchError      (ValueError) two tables list different areas
    │   ├── TotalMismatchError     (ValueError) ages do not add up to the population
    │   ├── AgeBandError           (ValueError) age columns overlap or leave a hole
    │   ├── ZeroWeightError        (ValueError) a group without a single person
    │   ├── ShareError             (ValueError) shares of an area do not sum to 1
    │   ├── TravelCostError        (ValueError) a travel cost is negative or missing
    │   ├── UnknownCRSError        (ValueError) no coordinate system, or one nobody knows
    │   ├── GeographicCRSError     (ValueError) degrees where metres are needed, or the reverse
    │   └── EmptyCityError         (ValueError) a city without areas
    ├── ProblemError               (ValueError) a parameter of the problem is out of its range
    │   └── NetworkNotFoundError   (LookupError) none was found that keeps the rules; one may exist
    ├── SolverError                (RuntimeError) a solver's own process ended without an answer
    ├── UnknownSensorError         (LookupError) a sensor that is neither a site nor an area
    ├── NetworkFileError           (ValueError) a file that is not a network of ours
    ├── StoreError                 (OSError) the store cannot be read or written
    │   ├── AlreadyExistsError     (FileExistsError) a write-once name is taken
    │   └── NotInStoreError        (FileNotFoundError) nothing is written under the name
    ├── LedgerFormatError          (ValueError) a store whose jobs this version cannot read
    ├── JobError                   (RuntimeError) a job has no answer to give
    │   ├── JobNotFoundError       (LookupError) no job of that id, or not any more
    │   ├── JobNotEndedError       (TimeoutError) it has not ended within the time given
    │   ├── JobFailedError         (RuntimeError) it raised an error, or its workers died
    │   ├── JobCancelledError      (RuntimeError) somebody cancelled it
    │   └── JobExpiredError        (TimeoutError) it waited longer than its time to live
    ├── QueueFullError             (RuntimeError) more jobs wait than the queue takes
    ├── UnknownTaskError           (LookupError) a task that was not registered
    ├── NotebookError              (RuntimeError) a notebook that was run failed in one of its cells
    ├── GatewayError               (ValueError) settings with which a gateway must not open
    ├── ClusterError               (ConnectionError) no Dask cluster could be reached or made
    ├── FetchError                 (ConnectionError) a service cannot be reached or answers wrongly
    └── MissingExtraError          (ImportError) an optional package is not installed
    SpineqWarning                  (UserWarning) not wrong, but should be known

Each derives from the built-in in brackets, pickles (it may come back from a worker), and
says in one sentence what is wrong, where, and how to mend it.
"""

from __future__ import annotations

from typing import Any

#: Characters of a value that messages show, and of a file's path.
_MOST_SHOWN, _MOST_OF_A_PATH = 60, 300


def shown(value: object) -> str:
    """Show a value in a message: as Python writes it, on one line and not too long of it."""
    try:
        text = repr(value)
    except Exception:  # whatever the value's own class does
        # Python does not write whole numbers of more than 4,300 digits.
        whole = isinstance(value, int)
        text = "a number of thousands of digits" if whole else f"a {type(value).__name__}"
    return shortened(" ".join(text.split()))


def shortened(text: str, most: int = _MOST_SHOWN) -> str:
    """Cut the middle out of a text that is too long for a message."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


class SpineqError(Exception):
    """Base of all exceptions of spineq.

    Parameters
    ----------
    what
        What is wrong, naming the value, without a full stop.
    file
        File that holds the value.
    row
        Row of the table, as a person would name it (an id, or "row 17").
    field
        Column or parameter.
    mend
        What to do about it, a sentence without a full stop.
    """

    def __init__(
        self,
        what: str,
        *,
        file: object = None,
        row: object = None,
        field: object = None,
        mend: str | None = None,
    ) -> None:
        self.what = what
        self.file = None if file is None else str(file)
        self.row = None if row is None else str(row)
        self.field = None if field is None else str(field)
        self.mend = mend
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        place = [
            f"{name} {shortened(value, _MOST_OF_A_PATH if name == 'file' else _MOST_SHOWN)}"
            for name, value in self._place().items()
            if value
        ]
        text = f"{', '.join(place)}: {self.what}" if place else self.what
        return f"{text}. {self.mend}." if self.mend else f"{text}."

    def _place(self) -> dict[str, str | None]:
        return {"file": self.file, "row": self.row, "field": self.field}

    def __str__(self) -> str:
        # LookupError and OSError print their arguments in ways of their own.
        return self._sentence()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.what, self._place() | {"mend": self.mend})


def _restore(kind: type[SpineqError], what: str, rest: dict[str, str | None]) -> SpineqError:
    return kind(what, **rest)


class SpineqWarning(UserWarning):
    """Something in the data is not wrong, but should be known."""


class DataError(SpineqError):
    """A city's data does not add up."""


class MissingFileError(DataError, FileNotFoundError):
    """A file or folder is not there."""


class UnreadableFileError(DataError, ValueError):
    """A file is there but is not what it should be."""


class MissingColumnError(DataError, LookupError):
    """A table lacks a column."""


class NotANumberError(DataError, ValueError):
    """NaN, infinity, text or a number beyond 1e15 stands where a count or coordinate must."""


class NegativeValueError(DataError, ValueError):
    """A count is below zero."""


class DuplicateIdError(DataError, ValueError):
    """Two rows have one id, or a row has none."""


class UnknownIdError(DataError, LookupError):
    """A row points to an id that is not there."""


class AreaMismatchError(DataError, ValueError):
    """Two tables of one city list different areas."""


class TotalMismatchError(DataError, ValueError):
    """Residents by age do not add up to the population given beside them."""


class AgeBandError(DataError, ValueError):
    """Age columns overlap, leave a hole, or split an age that a group cannot split."""


class ZeroWeightError(DataError, ValueError):
    """A group holds not a single person, so nothing can be covered for it."""


class ShareError(DataError, ValueError):
    """Shares of an area's demand points do not sum to 1."""


class TravelCostError(DataError, ValueError):
    """A travel cost is negative or missing."""


class UnknownCRSError(DataError, ValueError):
    """No coordinate reference system is given, or one that nobody knows."""


class GeographicCRSError(DataError, ValueError):
    """Coordinates are degrees where metres are needed, or the reverse."""


class EmptyCityError(DataError, ValueError):
    """A city has no areas."""


class ProblemError(SpineqError, ValueError):
    """A parameter of the problem is of the wrong type or out of its range."""


class NetworkNotFoundError(ProblemError, LookupError):
    """No network was found that keeps the rules; that there is none is not proven."""


class SolverError(SpineqError, RuntimeError):
    """A solver's own process ended without an answer."""


class UnknownSensorError(SpineqError, LookupError):
    """A sensor is neither a site nor an area of the city."""


class NetworkFileError(SpineqError, ValueError):
    """A file is not a network written by spineq."""


class StoreError(SpineqError, OSError):
    """The store cannot be read or written."""


class AlreadyExistsError(StoreError, FileExistsError):
    """A write-once name is taken."""


class NotInStoreError(StoreError, FileNotFoundError):
    """Nothing is written under the name."""


class LedgerFormatError(SpineqError, ValueError):
    """A store's jobs were written by a version that this one does not know."""


class JobError(SpineqError, RuntimeError):
    """A job has no answer to give."""


class JobNotFoundError(JobError, LookupError):
    """There is no job of that id, or not any more."""


class JobNotEndedError(JobError, TimeoutError):
    """A job has not ended within the time that somebody was willing to wait."""


class JobFailedError(JobError, RuntimeError):
    """A job raised an error, or its workers died; the error's notes hold the traceback."""


class JobCancelledError(JobError, RuntimeError):
    """Somebody cancelled the job."""


class JobExpiredError(JobError, TimeoutError):
    """A job waited in the queue for longer than its time to live."""


class QueueFullError(SpineqError, RuntimeError):
    """More jobs wait than the queue takes."""


class UnknownTaskError(SpineqError, LookupError):
    """A task was not registered in this process."""


class NotebookError(SpineqError, RuntimeError):
    """A notebook that was run failed in one of its cells, or its kernel died."""


class GatewayError(SpineqError, ValueError):
    """A gateway cannot open with these settings, or must not."""


class ClusterError(SpineqError, ConnectionError):
    """No Dask cluster could be reached or made."""


class FetchError(SpineqError, ConnectionError):
    """A statistics office's service cannot be reached, or does not answer as it should."""


class MissingExtraError(SpineqError, ImportError):
    """An optional package is not installed."""
