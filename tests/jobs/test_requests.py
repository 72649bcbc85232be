"""What goes with a job is checked before it is written, each value by its own name."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from spineq.errors import ProblemError
from spineq.jobs.requests import MOST_PRIORITY, Request, checked_request

PLAIN: dict[str, Any] = {
    "priority": 0,
    "tags": (),
    "note": "",
    "time_limit": None,
    "expires_in": None,
}


def test_nothing_said_is_nothing_asked() -> None:
    """The plain request."""
    assert checked_request(**PLAIN) == Request(0, [], "", None, None)


@pytest.mark.parametrize(
    ("field", "value", "then"),
    [
        ("priority", MOST_PRIORITY, 1000),
        ("priority", -MOST_PRIORITY, -1000),
        ("priority", np.int64(5), 5),
        ("tags", "north", ["north"]),
        ("tags", ("b", "a", "b"), ["a", "b"]),
        ("tags", (word for word in "ba"), ["a", "b"]),
        ("tags", {"ä ö": 1}, ["ä ö"]),
        ("note", "two\nlines", "two\nlines"),
        ("time_limit", 60, 60.0),
        ("time_limit", np.float32(0.5), 0.5),
        ("time_limit", np.int64(5), 5.0),
        ("expires_in", Fraction(1, 2), 0.5),
    ],
)
def test_what_is_good_comes_in_one_form(field: str, value: Any, then: Any) -> None:
    """In JSON's types."""
    made = getattr(checked_request(**PLAIN | {field: value}), field)
    assert made == then
    assert type(made) is type(then)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("priority", bad) for bad in (True, 1.0, "1", None, 1001, -1001, 10**4000)),
        *(("tags", bad) for bad in (None, 5, [""], [" "], [5], ["a\n"], ["\udc80"], "\0")),
        *(("tags", bad) for bad in ([str(k) for k in range(51)], ["x" * 2001])),
        *(("note", bad) for bad in (None, 5, b"x", "x" * 2001)),
        *(
            (field, bad)
            for field in ("time_limit", "expires_in")
            for bad in (0, -1, True, "5", np.nan, np.inf, -np.inf, 10**400, 1j, [5], b"")
        ),
    ],
)
def test_what_is_bad_is_refused_by_its_name(field: str, value: Any) -> None:
    """With what to do instead."""
    with pytest.raises(ProblemError) as caught:
        checked_request(**PLAIN | {field: value})
    assert caught.value.field == field
    assert caught.value.mend
