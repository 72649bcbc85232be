"""A store in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from spineq.errors import NotInStoreError
from spineq.store._words import TEMPORARY, checked, failed, missing, taken, temporary_name, top_of

#: Age, in seconds, at which a temporary file's writer is taken for dead.
_ABANDONED = 3600.0


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
        # Another process may have another working folder.
        self.folder = folder.absolute()

    @property
    def where(self) -> str:
        """Absolute path of the folder; see `Store.where`."""
        return str(self.folder)

    def _path(self, name: str) -> Path:
        return self.folder / checked(name)

    def put(self, name: str, data: bytes, *, lasting: bool = True) -> None:
        """Write a blob; see `Store.put`."""
        path = self._path(name)
        try:
            with _written(path.parent, data, flush=lasting) as temporary:
                free = _linked(temporary, path, flush=lasting)
        except OSError as error:
            raise failed("written", name, self.where, error) from error
        if not free:
            raise taken(name, self.where)

    def replace(self, name: str, data: bytes, *, lasting: bool = False) -> None:
        """Write a blob over another; see `Store.replace`."""
        path = self._path(name)
        try:
            with _written(path.parent, data, flush=lasting) as temporary:
                temporary.replace(path)
        except OSError as error:
            raise failed("written", name, self.where, error) from error

    def get(self, name: str) -> bytes:
        """Read a blob; see `Store.get`."""
        try:
            with self._path(name).open("rb", buffering=0) as file:
                return file.read()
        except OSError as error:
            if self._leads_nowhere(error):
                raise missing(name, self.where) from error
            raise failed("read", name, self.where, error) from error

    def get_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Read many blobs; see `Store.get_many`."""
        found = {}
        for name in names:
            with contextlib.suppress(NotInStoreError):
                found[name] = self.get(name)
        return found

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        try:
            return self._path(name).is_file()
        except OSError as error:
            raise failed("looked up", name, self.where, error) from error

    def names(self, prefix: str = "") -> list[str]:
        """List names; see `Store.names`."""
        top = top_of(prefix)
        try:
            found = self._walk(f"{top}/" if top else "", temporaries=False)
            return sorted(name for name in found if name.startswith(prefix))
        except OSError as error:
            raise failed("listed", prefix, self.where, error) from error

    def delete(self, name: str) -> None:
        """Remove a blob; see `Store.delete`."""
        try:
            self._path(name).unlink()
        except OSError as error:
            if not self._leads_nowhere(error):
                raise failed("deleted", name, self.where, error) from error

    def tidy(self) -> None:
        """Remove what killed writers left; see `Store.tidy`."""
        try:
            left = [self.folder / name for name in self._walk("", temporaries=True)]
            if not left:
                return
            # The file system's clock, which may be another host's, dated them: ask it the time.
            with _written(self.folder, b"", flush=False) as probe:
                now = probe.stat().st_mtime
            for path in left:
                with contextlib.suppress(FileNotFoundError):
                    if now - path.stat().st_mtime > _ABANDONED:
                        path.unlink()
        except OSError as error:
            raise failed("tidied", TEMPORARY, self.where, error) from error

    def _walk(self, folder: str, *, temporaries: bool) -> Iterator[str]:
        """Names in a folder of the store, "" or with a slash at its end, and below it."""
        try:
            entries = os.scandir(f"{self.where}/{folder}")
        except OSError as error:
            # A folder may go while the walk is on its way to it.
            if self._leads_nowhere(error):
                return
            raise
        with entries:
            for entry in entries:
                if entry.is_dir():
                    # A link to a folder above would go round for ever.
                    if not entry.is_symlink():
                        yield from self._walk(f"{folder}{entry.name}/", temporaries=temporaries)
                elif entry.name.startswith(TEMPORARY) is temporaries:
                    yield folder + entry.name

    def _leads_nowhere(self, error: OSError) -> bool:
        """Whether an error says that a name has no blob, rather than that the store fails."""
        if isinstance(error, (NotADirectoryError, IsADirectoryError)):
            return self.folder.is_dir()
        return isinstance(error, FileNotFoundError)


@contextlib.contextmanager
def _written(folder: Path, data: bytes, *, flush: bool) -> Iterator[Path]:
    """Write a temporary file in a folder, which is made; it goes when the block ends."""
    temporary = folder / temporary_name()
    try:
        try:
            file = temporary.open("xb")
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            file = temporary.open("xb")
        with file:
            file.write(data)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _linked(temporary: Path, path: Path, *, flush: bool) -> bool:
    """Give a file its name; False where the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        if path.is_dir():
            raise
        # Over NFS a lost reply makes a link that was made report that its name exists.
        return temporary.samefile(path)
    if flush and os.name == "posix":
        # The name too must outlive a loss of power.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True
