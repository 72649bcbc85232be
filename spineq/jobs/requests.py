"""What a person says about a job beside its parameters, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral, Real

from spineq.errors import ProblemError, shortened, shown
from spineq.jobs.records import digest

#: Highest and, below zero, lowest priority.
MOST_PRIORITY = 1000

_MOST_TEXT, _MOST_TAGS = 2000, 50

#: Characters of a caller's own name for a submission.
MOST_KEY = 200


@dataclass(frozen=True)
class Request:
    """The fields of `spineq.jobs.records.JobRecord` that a person gives."""

    priority: int
    tags: list[str]
    note: str
    time_limit: float | None
    expires_in: float | None


def key_digest(user: str, key: object) -> str:
    """Name in the ledger of a caller's own name for a submission; empty for none.

    Raises
    ------
    ProblemError
        It is no text, or too long.
    """
    if key is None:
        return ""
    if not isinstance(key, str) or not 0 < len(key) <= MOST_KEY or not key.isprintable():
        msg = f"{shown(key)} cannot name a submission"
        raise ProblemError(msg, field="key", mend=f"Give 1 to {MOST_KEY} plain characters")
    return digest(user, key)


def checked_request(
    priority: object,
    tags: Iterable[str],
    note: object,
    time_limit: object,
    expires_in: object,
) -> Request:
    """Check what goes with a job.

    Raises
    ------
    ProblemError
        A value of the wrong type or out of its range.
    """
    if isinstance(priority, bool) or not isinstance(priority, Integral):
        msg = f"the priority must be a whole number, not {shown(priority)}"
        raise ProblemError(msg, field="priority", mend="Give a number such as 0 or 10")
    if abs(int(priority)) > MOST_PRIORITY:
        msg = f"the priority {shown(priority)} is beyond {MOST_PRIORITY}"
        raise ProblemError(msg, field="priority", mend="Give -1000 to 1000")
    words = [tags] if isinstance(tags, str) or not isinstance(tags, Iterable) else list(tags)
    for word in words:
        if not isinstance(word, str) or not word.strip() or not word.isprintable():
            msg = f"{shown(word)} is no tag"
            raise ProblemError(msg, field="tags", mend='Give words, such as tags=["north"]')
    if len(words) > _MOST_TAGS or any(len(word) > _MOST_TEXT for word in words):
        msg = "there are too many tags, or one is too long"
        raise ProblemError(msg, field="tags", mend=f"Give up to {_MOST_TAGS} short words")
    if not isinstance(note, str) or len(note) > _MOST_TEXT:
        msg = f"the note must be text of up to {_MOST_TEXT} characters, not {shortened(str(note))}"
        raise ProblemError(msg, field="note", mend="Shorten it")
    return Request(
        priority=int(priority),
        tags=sorted(set(words)),
        note=note,
        time_limit=_seconds(time_limit, "time_limit"),
        expires_in=_seconds(expires_in, "expires_in"),
    )


def _seconds(value: object, name: str) -> float | None:
    if value is None:
        return None
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
    if not 0 < number < math.inf:
        msg = f"{name} must be a number of seconds above 0, not {shown(value)}"
        raise ProblemError(msg, field=name, mend="Give for example 60, or leave it out")
    return number
