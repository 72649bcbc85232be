"""GEOIDs of the Census Bureau that lost the leading zero of their state in a table program."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Numbers of states and territories; 3, 7, 14, 43 and 52 are none.
_STATES = frozenset(
    f"{number:02d}"
    for number in [*range(1, 57), 60, 66, 69, 72, 78]
    if number not in (3, 7, 14, 43, 52)
)

#: Largest number of a county, or of what counts as one, where there are even ones too.
_ANY_COUNTY = {
    "02": 290, "09": 190, "12": 133, "24": 510, "29": 510, "32": 510, "46": 137, "51": 840,
    "66": 10, "69": 120, "78": 30,
}  # fmt: skip

#: Largest number of a county elsewhere, one of Texas.
_LAST_COUNTY = 507

#: Digits of a zone of each kind.
_LENGTHS = (5, 11, 12, 15)


def in_a_state(text: str) -> bool:
    """Whether a GEOID begins with the number of a state or territory."""
    return text[:2] in _STATES


def with_leading_zeros(
    ids: NDArray[np.object_], others: Collection[str] = ()
) -> NDArray[np.object_]:
    """Put leading zeros back where zones cannot be meant without them.

    A block group without it (11 digits) looks like a tract. It is one with a zero lost if
    another table has it so, or if no county has the number that it would then begin with, and one
    may have the number with the zero.

    Parameters
    ----------
    ids
        GEOIDs as a table has them, (zone,).
    others
        GEOIDs of another table about the same zones, which may know better.

    Returns
    -------
    ndarray of str
        The GEOIDs, (zone,), as they were where it is not clear; what is wrong with them is then
        for others to say.
    """
    if not all(text.isascii() and text.isdigit() for text in ids):
        return ids
    longest = max(map(len, ids))
    lengths = {len(text) for text in ids}
    if longest in _LENGTHS and lengths == {longest - 1, longest}:
        full = longest  # some states have a zero to lose and others have none
    elif len(lengths) == 1 and longest + 1 in _LENGTHS:
        full = longest + 1
    else:
        return ids
    short = np.array([len(text) < full for text in ids], dtype=np.bool_)
    made = np.array([text.zfill(full) for text in ids], dtype=object)
    known = set(others)
    agrees = known.issuperset(made) and not known.issuperset(ids)
    may_be = all(map(_plausible, made[short]))
    is_none = longest not in _LENGTHS or len(lengths) == 2 or not all(map(_plausible, ids))
    return made if all(map(in_a_state, made)) and (agrees or (may_be and is_none)) else ids


def _plausible(text: str) -> bool:
    """Whether a GEOID may be one: there is the state, and it may have such a county."""
    state, county = text[:2], int(text[2:5])
    if state == "60":  # American Samoa
        return county in (10, 20, 30, 40, 50)
    if state in _ANY_COUNTY:
        return 0 < county <= _ANY_COUNTY[state]
    return state in _STATES and county % 2 == 1 and county <= _LAST_COUNTY
