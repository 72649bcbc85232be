"""A store behind an fsspec URL."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from spineq.errors import SpineqError, StoreError
from spineq.store._words import checked, failed, missing, taken, top_of

#: Held while a blob is created where fsspec itself looks first and writes then.
_CREATING = threading.Lock()

#: How often a put is tried that S3 does not decide.
_TRIES = 5


class UrlStore:
    """A store behind an fsspec URL.

    ``put`` is fsspec's ``pipe_file(mode="create")``: atomic where the service's own put is
    (object stores; memory within a process). For local folders use `FolderStore`. S3 itself and
    most services like it heed the condition; one that does not would overwrite in silence. A
    put whose answer is lost on the way is sent again, and may find its own name taken.

    Parameters
    ----------
    url
        For example ``memory://name`` or ``s3://bucket/prefix``.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            # Other processes write to the store too, so a listing is never remembered.
            fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False, **_options(url))
        except (ValueError, ImportError) as error:
            msg = f"the store {url!r} cannot be opened: {error}"
            raise StoreError(msg, mend="Use a folder, or install the package it names") from error
        self.where = url
        self._fs: Any = fs
        self._root = root.rstrip("/")

    def __reduce__(self) -> tuple[type[UrlStore], tuple[str]]:
        # Connections and what the environment says of credentials stay in their process.
        return UrlStore, (self.where,)

    def _path(self, name: str) -> str:
        return f"{self._root}/{checked(name)}"

    @contextlib.contextmanager
    def _doing(self, done: str, name: str) -> Iterator[None]:
        """Turn whatever a service raises into a `StoreError`; botocore's are no OSErrors."""
        try:
            yield
        except SpineqError:
            raise
        except Exception as error:
            raise failed(done, name, self.where, error) from error

    def put(self, name: str, data: bytes, *, lasting: bool = True) -> None:
        """Write a blob; see `Store.put`."""
        path = self._path(name)
        creating = contextlib.nullcontext() if self._fs.async_impl else _CREATING
        with self._doing("written", name), creating:
            for left in reversed(range(_TRIES)):
                try:
                    self._fs.pipe_file(path, data, mode="create")
                    break
                except FileExistsError as error:
                    raise taken(name, self.where) from error
                except OSError as error:
                    # S3 may tell racers to try again, while none of them has won yet.
                    if not left or not _says("ConditionalRequestConflict", error):
                        raise

    def replace(self, name: str, data: bytes, *, lasting: bool = False) -> None:
        """Write a blob over another; see `Store.replace`."""
        path = self._path(name)
        with self._doing("written", name):
            self._fs.pipe_file(path, data)

    def get(self, name: str) -> bytes:
        """Read a blob; see `Store.get`."""
        path = self._path(name)
        with self._doing("read", name):
            try:
                return bytes(self._fs.cat_file(path))
            except FileNotFoundError as error:
                if _says("NoSuchBucket", error):
                    raise
                raise missing(name, self.where) from error

    def get_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Read many blobs; see `Store.get_many`."""
        paths = {name: self._path(name) for name in names}
        found = {}
        with self._doing("read", "many blobs"):
            # Unlike fsspec's cat, this does not take "*" in a name for a pattern.
            answers = self._fs.cat_ranges([*paths.values()], None, None, on_error="return")
            for name, answer in zip(paths, answers, strict=True):
                if not isinstance(answer, Exception):
                    found[name] = bytes(answer)
                elif not isinstance(answer, FileNotFoundError) or _says("NoSuchBucket", answer):
                    raise failed("read", name, self.where, answer) from answer
        return found

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        path = self._path(name)
        with self._doing("looked up", name):
            # Not fsspec's isfile, which says False where a service does not answer.
            try:
                return bool(self._fs.info(path)["type"] == "file")
            except FileNotFoundError as error:
                if _says("NoSuchBucket", error):
                    raise
                return False

    def names(self, prefix: str = "") -> list[str]:
        """List names; see `Store.names`."""
        top = f"{self._root}/{top_of(prefix)}".rstrip("/")
        with self._doing("listed", prefix):
            try:
                found = self._fs.find(top)
            except FileNotFoundError as error:
                if _says("NoSuchBucket", error):
                    raise
                return []
        names = (path[len(self._root) :].removeprefix("/") for path in found)
        # S3's console marks a folder by an empty object with a slash at its end.
        return sorted(n for n in names if n.startswith(prefix) and n and not n.endswith("/"))

    def delete(self, name: str) -> None:
        """Remove a blob; see `Store.delete`."""
        path = self._path(name)
        with self._doing("deleted", name):
            try:
                self._fs.rm_file(path)
            except FileNotFoundError as error:
                if _says("NoSuchBucket", error):
                    raise

    def tidy(self) -> None:
        """Do nothing: a service drops by itself what was not written to its end."""


def _options(url: str) -> dict[str, Any]:
    """What a file system is told beside its URL."""
    if not url.startswith(("s3://", "s3a://")):
        return {}
    import fsspec

    # A dead endpoint is given up after some ten seconds, not after minutes. What the user set
    # for fsspec goes first.
    config = {"connect_timeout": 2, "retries": {"mode": "standard", "total_max_attempts": 3}}
    config |= fsspec.config.conf.get("s3", {}).get("config_kwargs", {})
    # Blobs are small: to read one in parts, s3fs would first ask for its size.
    return {"max_concurrency": 1, "config_kwargs": config}


def _says(code: str, error: OSError) -> bool:
    """Whether S3 gave this code for an error that s3fs translated."""
    return f"({code})" in str(error.__cause__)
