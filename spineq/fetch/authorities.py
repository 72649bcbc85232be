"""Local authorities by name or by code, as people write them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spineq.errors import ProblemError, shortened, shown
from spineq.fetch.arcgis import Layer

_CODE = re.compile(r"[EWSN]\d{8}", re.IGNORECASE)

#: Words that authorities have in their full names and people leave out, or the reverse.
_COMMON = {"city", "county", "borough", "district", "council", "metropolitan", "royal", "london"}
_SMALL = {"of", "the", "and"}


@dataclass(frozen=True, order=True)
class Authority:
    """A local authority of England or Wales."""

    code: str
    name: str


def plain(name: str) -> str:
    """Write a name without capitals, accents and punctuation: ``newcastle upon tyne``."""
    # An apostrophe joins (King's Lynn), however it is typed; whatever else parts words.
    bare = re.sub("['`\u00b4\u2018\u2019\u02bc.]", "", name.casefold()).replace("&", " and ")
    bare = unicodedata.normalize("NFKD", bare)
    bare = "".join(char for char in bare if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare).split())


def _core(name: str) -> str:
    """Return what is left of a name without words that only say what kind of authority it is."""
    words = [word for word in plain(name).split() if word not in _SMALL]
    return " ".join([word for word in words if word not in _COMMON] or words)


def all_authorities(lookup: Layer) -> list[Authority]:
    """List the authorities that areas can be looked up for, by name."""
    rows = lookup.distinct(["authority", "name"])
    found = {
        Authority(str(row["authority"]), str(row["name"]))
        for row in rows
        if row.get("authority") and row.get("name")
    }
    return sorted(found, key=lambda one: (plain(one.name), one.code))


def searched(found: Iterable[Authority], text: str) -> list[Authority]:
    """Keep the authorities whose name or code holds a text, capitals and punctuation aside.

    Raises
    ------
    ProblemError
        It is no text.
    """
    if not isinstance(text, str):
        msg = f"part of a name or code is needed, not {shown(text)}"
        raise ProblemError(msg, field="search", mend='Write "newcastle", or "" for all')
    wanted = plain(text)
    if text.strip() and not wanted:
        # Letters that no name here has, which are not the same as none.
        return []
    return [one for one in found if wanted in plain(one.name) or wanted in one.code.casefold()]


def checked_names(names: object) -> tuple[str, ...]:
    """Check what a caller names: one authority, or several.

    Raises
    ------
    ProblemError
        It is neither a text nor a list of them, or is empty.
    """
    given = [names] if isinstance(names, str) else names
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        given = [None]
    made = [name.strip() if isinstance(name, str) else None for name in given]
    if not made or not all(made):
        msg = (
            f"a name or code of a local authority is needed, or a list of them, not {shown(names)}"
        )
        raise ProblemError(msg, field="names", mend='Write "Newcastle upon Tyne" or "E08000021"')
    return tuple(dict.fromkeys(name for name in made if name))


def resolve(names: Sequence[str], known: Sequence[Authority]) -> list[Authority]:
    """Find the authorities that people name, each once, in their order.

    Raises
    ------
    ProblemError
        There is none of a name, or several; the message names those that are near.
    """
    return list(dict.fromkeys(_one(name, known) for name in names))


def _one(name: str, known: Sequence[Authority]) -> Authority:
    if _CODE.fullmatch(name):
        for one in known:
            if one.code == name.upper():
                return one
        raise _nobody(name, known)
    for writing in (plain, _core):
        wanted = writing(name)
        found = [one for one in known if wanted and writing(one.name) == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            codes = ", ".join(f"{one.name} ({one.code})" for one in found)
            msg = f"there are {len(found)} local authorities called {shown(name)}: {codes}"
            raise ProblemError(msg, field="names", mend="Use the code of the one that is meant")
    raise _nobody(name, known)


def _nobody(name: str, known: Sequence[Authority]) -> ProblemError:
    if name[:1].upper() in ("S", "N") and _CODE.fullmatch(name):
        msg = f"{name.upper()} is not in England or Wales, whose areas alone are here"
        return ProblemError(msg, field="names", mend="Read its data from files with read_city")
    msg = f"there is no local authority {shown(name)} in England or Wales"
    near = _near(name, known)
    if near:
        listed = " or ".join(f"{one.name} ({one.code})" for one in near)
        return ProblemError(msg, field="names", mend=f"Did you mean {listed}?")
    return ProblemError(
        msg, field="names", mend='See "spineq data list --search" for what there is'
    )


def _near(name: str, known: Sequence[Authority]) -> list[Authority]:
    """Find at most four authorities with a name like another, the nearest first."""
    if _CODE.fullmatch(name):
        by_code = {one.code: one for one in known}
        return [by_code[code] for code in difflib.get_close_matches(name.upper(), by_code, 3, 0.85)]
    wanted = _core(shortened(name, 100))

    def nearness(one: Authority) -> float:
        theirs = _core(one.name)
        same = difflib.SequenceMatcher(None, wanted, theirs).ratio()
        # The beginning of a name counts for much: Newcastle.
        return same + 0.5 * (theirs.startswith(wanted) or wanted.startswith(theirs))

    ranked = sorted(known, key=lambda one: (-nearness(one), one.name))
    return [one for one in ranked[:4] if nearness(one) >= 0.7]
