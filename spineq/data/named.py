"""Cities by name, as a person writes them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import MissingFileError

if TYPE_CHECKING:
    from spineq.model.city import City

#: What may stand for a city, for help and messages.
CITY_WORDS = "a file, a folder, 'san-francisco' or 'synthetic:AREAS[:TOWNS[:SEED]]'"

_DEMO = ("san-francisco", "demo")
_SIZES = ("n_areas", "towns", "seed")
_SYNTHETIC = re.compile(r"synthetic:(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?")


def is_built_in(where: str) -> bool:
    """Whether a text names a city that is here without a file."""
    text = where.strip()
    return text in _DEMO or _SYNTHETIC.fullmatch(text) is not None


def python_of(where: str) -> str:
    """Write the Python that makes the city which a text names, as `city_named` does."""
    text = where.strip()
    if text in _DEMO:
        return "sq.demo_city()"
    if match := _SYNTHETIC.fullmatch(text):
        more = [
            f"{name}={int(part)}" for name, part in zip(_SIZES, match.groups(), strict=True) if part
        ]
        return f'sq.demo_city("synthetic", {", ".join(more)})'
    return f"sq.read_city({text!r})"


def city_named(where: str | Path, **options: Any) -> City:
    """Make the city that a text names.

    Parameters
    ----------
    where
        ``"san-francisco"``, ``"synthetic:AREAS[:TOWNS[:SEED]]"``, or a file or folder.
    **options
        For a file, as for `spineq.read_city`.

    Raises
    ------
    MissingFileError
        The text is empty, or there is no such file.
    DataError, ProblemError
        The file's data do not add up, or there is no such city.
    """
    from spineq.data.demo import demo_city
    from spineq.data.files import read_city

    text = str(where).strip()
    if not text:
        msg = "the text is empty"
        raise MissingFileError(msg, field="city", mend="Name a file or a folder")
    if text in _DEMO:
        return demo_city()
    match = _SYNTHETIC.fullmatch(text)
    if match:
        towns, seed = int(match[2] or 1), int(match[3] or 0)
        return demo_city("synthetic", n_areas=int(match[1]), towns=towns, seed=seed)
    return read_city(text, **options)
