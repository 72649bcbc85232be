"""Errors on the wire: problem documents (RFC 9457) for the API, the original's form elsewhere."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

from spineq.errors import (
    ClusterError,
    DataError,
    JobError,
    JobNotFoundError,
    MissingExtraError,
    ProblemError,
    QueueFullError,
    SpineqError,
    StoreError,
    UnknownIdError,
    UnknownSensorError,
    UnknownTaskError,
)

#: Where the documented API begins.
API = "/api/v1"

#: Type of a problem document.
PROBLEM = "application/problem+json"

#: Status by error, the nearest class first.
_STATUS: tuple[tuple[type[SpineqError], int], ...] = (
    (JobNotFoundError, 404),
    (UnknownIdError, 404),
    (QueueFullError, 429),
    (JobError, 409),
    (UnknownSensorError, 422),
    (UnknownTaskError, 422),
    (ProblemError, 422),
    (DataError, 422),
    (StoreError, 503),
    (ClusterError, 503),
    (MissingExtraError, 501),
)

#: What a client may hear of an error that nobody expected: no traceback, no path.
UNEXPECTED = "Something went wrong here that should not have. The gateway's log says what."


#: And of a store or cluster that cannot be reached.
UNAVAILABLE = "The store or the cluster cannot be used at the moment. The gateway's log says why."


def public_words(text: str, store: str) -> str:
    """A text without the place of the store, which is nobody's business elsewhere."""
    places = {store, store.removeprefix("file://")} if "/" in store else set()
    if "://" not in store:
        places.add(str(Path(store).absolute()))
    for place in sorted(places, key=len, reverse=True):
        text = text.replace(place, "the store")
    return text


def status_of(error: SpineqError) -> int:
    """Status of the answer that tells of an error."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 500


def refusal(
    path: str, status: int, words: str, *, field: str | None = None, mend: str | None = None
) -> tuple[str, dict[str, Any]]:
    """Media type and body of a refusal, as the clients of a path know it.

    A problem document has ``type``, ``title``, ``status``, ``detail`` and, where they are known,
    ``field`` and ``mend``.
    """
    if not path.startswith(f"{API}/"):
        return "application/json", original_error(status, words)
    made: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": words,
    }
    if field:
        made["field"] = field
    if mend:
        made["mend"] = mend
    return PROBLEM, made


def original_error(status: int, message: str) -> dict[str, Any]:
    """Make an error in the original's form."""
    return {"error": {"code": status, "message": message}}
