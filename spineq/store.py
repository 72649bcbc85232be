"""Write-once blobs in a folder or behind any fsspec URL, and files that are never half-written.

A name is written once: a second `Store.put` of the same name raises `AlreadyExistsError` and
leaves the first content alone, however many processes race. A reader never sees part of a
blob: content is complete before its name exists.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from spineq.errors import AlreadyExistsError, SpineqError, StoreError, shortened, shown

#: How names of files begin that are still being written.
_TEMPORARY = ".tmp-"


class Store(Protocol):
    """Named blobs, each written once. All methods raise `StoreError` where the store fails.

    A name is words joined by single slashes. A name and a longer one that begins with it and
    a slash do not go together: ``a`` and ``a/b`` (a folder cannot keep both).
    """

    def put(self, name: str, data: bytes) -> None:
        """Write a blob; raises `AlreadyExistsError` where the name is taken."""
        ...

    def get(self, name: str) -> bytes:
        """Read a blob; raises `StoreError` where there is none of that name."""
        ...

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        ...

    def names(self, prefix: str = "") -> list[str]:
        """List the names that begin with the prefix, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Remove a blob; nothing happens where there is none."""
        ...


def open_store(where: str | Path) -> Store:
    """Open the store at a folder or URL; a folder is made at the first write.

    Parameters
    ----------
    where
        A folder, or a URL that fsspec knows (``memory://name``, ``s3://bucket/prefix``).

    Raises
    ------
    StoreError
        The URL's protocol is unknown or its package is not installed.
    """
    text = str(where)
    if "\0" in text:
        msg = f"{shown(text)} is not a place for a store"
        raise StoreError(msg, mend="Name a folder or a URL")
    for local in ("file://", "local://"):
        if text.startswith(local):
            return FolderStore(Path(text.removeprefix(local)))
    return UrlStore(text) if "://" in text else FolderStore(Path(text).expanduser())


def _checked(name: str) -> str:
    parts = name.split("/") if isinstance(name, str) else [""]
    if (
        any(part in ("", ".", "..") or part.startswith(_TEMPORARY) for part in parts)
        or "\\" in name
        or not name.isprintable()
    ):
        msg = f"{shown(name)} is not a name that a store can keep"
        raise StoreError(msg, mend="Use words joined by single slashes")
    return name


def _top(prefix: str) -> str:
    """Folder that every name with the prefix lies in: the rest of the store is not walked."""
    top = prefix.rpartition("/")[0]
    return _checked(top) if "/" in prefix else ""


class FolderStore:
    """A store in a folder, also one shared by several hosts.

    The blob goes to a temporary file, is flushed to the disk, and gets its name by a hard
    link, which fails where the name exists: an atomic "create" on local and network file
    systems alike. (Opening with O_EXCL and writing leaves a torn file when killed.)

    Parameters
    ----------
    folder
        Where the blobs lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, name: str) -> Path:
        return self.folder / _checked(name)

    def put(self, name: str, data: bytes) -> None:
        """Write a blob; see `Store.put`."""
        path = self._path(name)
        temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                taken = not _linked(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise _failed("written", name, self.folder, error) from error
        if taken:
            raise _taken(name, self.folder)

    def get(self, name: str) -> bytes:
        """Read a blob; see `Store.get`."""
        try:
            return self._path(name).read_bytes()
        except OSError as error:
            raise _failed("read", name, self.folder, error) from error

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        try:
            return self._path(name).is_file()
        except OSError as error:
            raise _failed("looked up", name, self.folder, error) from error

    def names(self, prefix: str = "") -> list[str]:
        """List names; see `Store.names`."""

        def refuse(error: OSError) -> None:
            # A folder may go while the walk is on its way to it.
            if not isinstance(error, FileNotFoundError):
                raise _failed("listed", prefix, self.folder, error) from error

        found = (
            (Path(folder) / file).relative_to(self.folder).as_posix()
            for folder, _, files in os.walk(self.folder / _top(prefix), onerror=refuse)
            for file in files
            if not file.startswith(_TEMPORARY)
        )
        return sorted(name for name in found if name.startswith(prefix))

    def delete(self, name: str) -> None:
        """Remove a blob; see `Store.delete`."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise _failed("deleted", name, self.folder, error) from error


def _linked(temporary: Path, path: Path) -> bool:
    """Give a file its name; False where the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        if path.is_dir():
            raise
        # Over NFS a lost reply makes a link that was made report that its name exists.
        return temporary.samefile(path)
    if os.name == "posix":
        # The name too must outlive a loss of power.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True


class UrlStore:
    """A store behind an fsspec URL.

    ``put`` is fsspec's ``pipe_file(mode="create")``: atomic where the service's own put is
    (object stores, memory). For local folders use `FolderStore`.

    Parameters
    ----------
    url
        For example ``memory://name`` or ``s3://bucket/prefix``.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            # Other processes write to the store too, so a listing is never remembered.
            fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            msg = f"the store {url!r} cannot be opened: {error}"
            raise StoreError(msg, mend="Use a folder, or install the package it names") from error
        self.url = url
        self._fs: Any = fs
        self._root = root.rstrip("/")

    def _path(self, name: str) -> str:
        return f"{self._root}/{_checked(name)}"

    def put(self, name: str, data: bytes) -> None:
        """Write a blob; see `Store.put`."""
        try:
            self._fs.pipe_file(self._path(name), data, mode="create")
        except FileExistsError as error:
            raise _taken(name, self.url) from error
        except OSError as error:
            raise _failed("written", name, self.url, error) from error

    def get(self, name: str) -> bytes:
        """Read a blob; see `Store.get`."""
        try:
            return bytes(self._fs.cat_file(self._path(name)))
        except OSError as error:
            raise _failed("read", name, self.url, error) from error

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        path = self._path(name)
        try:
            return bool(self._fs.isfile(path))
        except OSError as error:
            raise _failed("looked up", name, self.url, error) from error

    def names(self, prefix: str = "") -> list[str]:
        """List names; see `Store.names`."""
        top = f"{self._root}/{_top(prefix)}".rstrip("/")
        try:
            found = self._fs.find(top)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _failed("listed", prefix, self.url, error) from error
        names = (path[len(self._root) :].lstrip("/") for path in found)
        return sorted(name for name in names if name.startswith(prefix))

    def delete(self, name: str) -> None:
        """Remove a blob; see `Store.delete`."""
        path = self._path(name)
        try:
            with contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(path)
        except OSError as error:
            raise _failed("deleted", name, self.url, error) from error


def _taken(name: str, where: object) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"{shown(name)} is already in the store {where}", mend="Choose another name"
    )


def _failed(done: str, name: str, where: object, error: OSError) -> StoreError:
    reason = error.strerror or str(error) or type(error).__name__
    return StoreError(
        f"{shown(name)} cannot be {done} in {shortened(str(where), 300)} ({reason})",
        mend="Check that the place exists, has room and lets you write",
    )


def _named(path: Path) -> bool:
    return path.name not in ("", "..")


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write a file so that nobody ever sees half of it.

    Yields a temporary path in the same folder with the same ending. When the block ends
    well, the file takes its name in one step and replaces an earlier one; when it fails or
    is interrupted, the temporary file goes and an earlier file stays as it was.

    Parameters
    ----------
    path
        The file to write; its folder is made where it is missing.

    Raises
    ------
    StoreError
        The path names no file, or the folder cannot be written.
    """
    # A folder's last part may be "..", and NUL ends a path where the system reads it.
    if not isinstance(path, (str, os.PathLike)) or "\0" in str(path) or not _named(Path(path)):
        msg = f"{shown(path)} does not name a file"
        raise StoreError(msg, mend="Give the path of the file to write")
    path = Path(path)
    mine = f"{_TEMPORARY}{secrets.token_hex(8)}"
    temporary = path.with_name(mine + path.suffix)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _failed("written", path.name, path.parent, error) from error
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, SpineqError):
            raise
        raise _failed("written", path.name, path.parent, error) from error
    finally:
        # Writers leave files of their own beside it, such as SQLite's journals.
        for leftover in path.parent.glob(f"{mine}*"):
            leftover.unlink(missing_ok=True)
