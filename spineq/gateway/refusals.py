"""What pydantic found wrong with a request, in plain sentences with a mend.

Its own words speak of Python's types, and of each of the forms that a field may have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from spineq.errors import shown
from spineq.gateway.answers import API
from spineq.gateway.models import FIELDS, ProblemModel

#: Errors that an answer names.
_MOST_NAMED = 5

_SEE = "See /docs for what it may be"

#: Sentence by kind of error, for its field; ``{...}`` is what pydantic says beside it.
_WORDS = {
    "missing": "is missing",
    "int_type": "must be a whole number, not {given}",
    "int_parsing": "must be a whole number, not {given}",
    "int_from_float": "must be a whole number, not {given}",
    "float_type": "must be a number, not {given}",
    "float_parsing": "must be a number, not {given}",
    "finite_number": "must be a finite number, not {given}",
    "string_type": "must be text, not {given}",
    "bool_type": "must be true or false, not {given}",
    "list_type": "must be a list, not {given}",
    "tuple_type": "must be a list, not {given}",
    "dict_type": "must be an object, not {given}",
    "model_type": "must be an object, not {given}",
    "model_attributes_type": "must be an object, not {given}",
    "literal_error": "must be {expected}, not {given}",
    "enum": "must be {expected}, not {given}",
    "greater_than": "must be above {gt}, not {given}",
    "greater_than_equal": "must be {ge} or more, not {given}",
    "less_than": "must be below {lt}, not {given}",
    "less_than_equal": "must be {le} or less, not {given}",
    "too_short": "must have {min_length} or more",
    "too_long": "must have {max_length} or fewer",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters or fewer",
    "value_error": "{error}",
}

#: Names that pydantic gives to the forms of a field that may have several.
_FORMS = re.compile(r"int|float|str|constrained-\w+|FloorModel|.*\[.*")


def in_words(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str | None, str]:
    """Say what is wrong with a request.

    Parameters
    ----------
    errors
        What pydantic found.

    Returns
    -------
    words, field, mend
        Sentences; the first field that is wrong, None for the request as a whole; and what to do
        about that one.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for error in errors:
        field = _field_of(error)
        # Of the forms that a field may have, the one that what was sent comes nearest to.
        if field not in found or len(error["loc"]) > len(found[field]["loc"]):
            found[field] = error
    said = [_said(field, error) for field, error in list(found.items())[:_MOST_NAMED]]
    words = "; ".join(what for what, _ in said)
    mend = next((mend for _, mend in said if mend), _SEE)
    return f"{words}. {mend}.", next(iter(found)) or None, mend


def field_on_wire(path: str, field: str | None) -> str | None:
    """Name on the wire of what the library calls by a name of its own."""
    if field == "key":
        return "Idempotency-Key"
    has_problem = path.startswith((f"{API}/jobs", f"{API}/trade-offs"))
    return f"problem.{field}" if has_problem and field in ProblemModel.model_fields else field


def _field_of(error: Mapping[str, Any]) -> str:
    """Dotted name of the field that an error is about; empty for the whole."""
    if error["type"] == "json_invalid":
        return ""
    # The first part says whether it is in the body, the path or the query.
    parts = [str(part) for part in error["loc"][1:]]
    return ".".join(part for part in parts if not _FORMS.fullmatch(part))[:200]


def _said(field: str, error: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong with a field, and what to do about it; empty for nothing in particular."""
    kind = error["type"]
    if kind == "json_invalid":
        return f"the body is no JSON ({error['ctx']['error']})", "Send a JSON object"
    if not field and kind != "value_error":
        what = "is missing" if kind == "missing" else "is no JSON object"
        return (
            f"the body {what}",
            "Send a JSON object, and the header Content-Type: application/json",
        )
    if kind == "extra_forbidden":
        return _unknown(field)
    context = {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in error.get("ctx", {}).items()
    }
    words = _WORDS.get(kind, error["msg"])
    if kind in _WORDS:
        words = words.format(given=shown(error.get("input")), **context)
    return f"{field} {words}".strip(), ""


def _unknown(field: str) -> tuple[str, str]:
    """A field that does not exist: perhaps it was misspelt, or stands in the wrong place."""
    home, _, name = field.rpartition(".")
    words = f"there is no field {shown(field)}"
    if not home and name in ProblemModel.model_fields:
        return words, f"Put {name} inside problem"
    near = get_close_matches(name, FIELDS, 1)
    return words, f"Perhaps {near[0]} is meant" if near else ""
