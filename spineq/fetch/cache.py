"""Answers as they came and cities as they were made, kept in a folder of the user's own.

Each is one blob of a store, so that a reader sees all of it or nothing, whenever a writer is
killed. An answer lies under the SHA-256 of what was asked, behind one line of JSON that says where
it came from; a city under the SHA-256 of its own content. What does not have the SHA-256 that it
should have (after a loss of power) counts as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import DataError, NotInStoreError, ProblemError, SpineqWarning, StoreError, shown
from spineq.store import FolderStore

if TYPE_CHECKING:
    from spineq.model.city import City


@dataclass(frozen=True)
class Answer:
    """What a service sent.

    Parameters
    ----------
    body
        The bytes.
    url
        Where they came from, with the parameters that fit into an address.
    when
        When, ISO 8601 in UTC.
    sha256
        Of the bytes, 64 hex digits.
    licence
        Under which they may be used.
    """

    body: bytes
    url: str
    when: str
    sha256: str
    licence: str


def sha256(data: bytes) -> str:
    """SHA-256 of bytes, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def key_of(asked: object) -> str:
    """Name of what was asked: SHA-256 of its JSON."""
    return sha256(json.dumps(asked, sort_keys=True).encode())


def default_folder() -> Path:
    """Return the platform's folder for what can be fetched again."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("spineq", appauthor=False)) / "fetched"


def checked_folder(folder: object) -> Path:
    """Check which folder a caller names for the cache; None takes the platform's.

    Raises
    ------
    ProblemError
        It is no path of a folder.
    """
    if folder is None:
        return default_folder()
    mend = "Name a folder that you can write to, or leave it out"
    try:
        path = os.fspath(folder) if isinstance(folder, os.PathLike) else folder
        if not isinstance(path, str) or not path.strip() or "\0" in path or "://" in path:
            raise ValueError
        made = Path(path).expanduser()
        os.fsencode(made)
    except (RuntimeError, ValueError) as error:  # a user whom nobody knows; half a character
        msg = f"{shown(folder)} is not the path of a folder"
        raise ProblemError(msg, field="store", mend=mend) from error
    if os.path.isfile(made):  # noqa: PTH113 (which raises nothing for a folder of somebody else)
        msg = f"{shown(str(made))} is a file, and no folder"
        raise ProblemError(msg, field="store", mend=mend)
    return made


class Cache:
    """Answers and cities in a folder.

    Parameters
    ----------
    folder
        Made at the first write; None takes the platform's cache folder.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = checked_folder(folder)
        self._store = FolderStore(self.folder)

    def tidy(self) -> None:
        """Remove what writers that were killed left behind, where one may write."""
        with contextlib.suppress(StoreError):
            self._store.tidy()

    def answer(self, key: str) -> Answer | None:
        """Look an answer up; None where there is none that is whole."""
        found = self._read(f"answers/{key}")
        if found is None:
            return None
        head, _, body = found.partition(b"\n")
        with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
            told = json.loads(head)
            # Entries of earlier versions do not say what they answer.
            if told.pop("key", key) != key or not all(isinstance(x, str) for x in told.values()):
                return None
            made = Answer(body=body, **told)
            if made.sha256 == sha256(body):
                return made
        return None

    def keep_answer(self, key: str, answer: Answer) -> None:
        """Keep an answer in the place of an earlier one."""
        head = {item.name: getattr(answer, item.name) for item in fields(answer)}
        del head["body"]
        head["key"] = key  # so that a copy under another name is not taken for its answer
        self._store.replace(f"answers/{key}", json.dumps(head).encode() + b"\n" + answer.body)

    def city(self, key: str) -> tuple[City, list[dict[str, Any]]] | None:
        """Look up the city that was made for a request, and its sources."""
        from spineq.data.files import read_city

        found = self._read(f"asked/{key}")
        if found is None:
            return None
        # What cannot be read counts as not there either: the city is made anew of the answers.
        damaged = (ValueError, TypeError, LookupError, AttributeError, DataError, StoreError)
        with contextlib.suppress(*damaged, RecursionError):
            told = json.loads(found)
            if told.get("key", key) != key or not all(isinstance(x, dict) for x in told["sources"]):
                return None
            name = f"cities/{told['sha256']}.parquet"
            if sha256(self._read(name) or b"") == told["sha256"]:
                with warnings.catch_warnings():
                    # Whoever fetches warns of the same, in words that name no file of ours.
                    warnings.simplefilter("ignore", SpineqWarning)
                    return read_city(self.folder / name), list(told["sources"])
        return None

    def keep_city(self, key: str, city: City, sources: list[Mapping[str, Any]]) -> None:
        """Keep a city and say what request it answers; in this order, so that both are there."""
        with tempfile.TemporaryDirectory() as folder:
            data = city.to_geoparquet(Path(folder) / "city.parquet").read_bytes()
        found = sha256(data)
        self._store.replace(f"cities/{found}.parquet", data)
        told = {"key": key, "sha256": found, "sources": [dict(source) for source in sources]}
        self._store.replace(f"asked/{key}", json.dumps(told).encode())

    def _read(self, name: str) -> bytes | None:
        try:
            return self._store.get(name)
        except NotInStoreError:
            return None
