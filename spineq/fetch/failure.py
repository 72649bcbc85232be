"""What goes wrong while a city is fetched."""

from __future__ import annotations

from spineq.errors import FetchError as FetchError

#: What to do about answers that are kept, being whole, and then do not fit.
AGAIN = "Fetch again later with refresh=True (--refresh), or look for a later version of spineq"


class MovedError(FetchError):
    """Nothing is at an address, or not any more."""


class EmptyAnswerError(FetchError):
    """A service sent nothing, or a table without rows."""


class TornAnswer(Exception):  # noqa: N818 (nobody but the client sees it)
    """An answer that arrived in part, so that asking again may help; says what is wrong."""
