"""What stands behind the question mark of an address: pages of lists, and nothing unknown."""

from __future__ import annotations

# FastAPI reads annotations when the routes are made: what they name must be there at run time.
from difflib import get_close_matches
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request

from spineq.errors import ProblemError, shown

Limit = Annotated[int, Query(ge=1, le=500, description="Most to list.")]
Offset = Annotated[int, Query(ge=0, le=10**9, description="How many to leave out before.")]


def next_page(request: Request, more: bool, limit: int, offset: int) -> str | None:
    """Address of the page that follows, with the filters of this one; None after the last."""
    if not more:
        return None
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in ("limit", "offset", "token")
    ]
    return f"{request.url.path}?{urlencode([*kept, ('limit', limit), ('offset', offset + limit)])}"


def no_other_words(request: Request) -> None:
    """Refuse words that a route does not have: misspelt, a filter would let everything through.

    Raises
    ------
    ProblemError
        There is such a word.
    """
    route: Any = request.scope["route"]
    known = [field.alias for field in route.dependant.query_params]
    for name in request.query_params:
        if name not in (*known, "token"):
            near = get_close_matches(name, known, 1)
            mend = f"Perhaps {near[0]} is meant" if near else f"Use {', '.join(known) or 'none'}"
            msg = f"there is no parameter {shown(name)} here"
            raise ProblemError(msg, field=name[:60], mend=mend)
