"""A report as one value: its files, as a job of a queue hands them back."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spineq.report.folders import LIST, beside, moved

#: Time of every file in a bundle, so that equal files make equal bundles.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Bundle:
    """The files of a report.

    Parameters
    ----------
    files
        Content by name, with ``/`` between folders; empty where the report was stopped.
    """

    files: Mapping[str, bytes]

    def write(self, folder: str | Path) -> Path:
        """Write the files into a folder, made where it is missing.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        StoreError
            It cannot be written.
        """
        target = Path(folder)
        with beside(target, {PurePosixPath(name).parts[0] for name in self.files}) as work:
            for name, content in self.files.items():
                path = work.joinpath(*PurePosixPath(name).parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            moved(work, target)
        return target

    @classmethod
    def of(cls, folder: Path) -> Bundle:
        """Read the files of a folder."""
        return cls(
            {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file() and path.name != LIST
            }
        )

    def to_bytes(self) -> bytes:
        """Pack the files into one blob; see `bundle_from_bytes`."""
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in self.files.items():
                packed.writestr(zipfile.ZipInfo(name, _NO_TIME), content, zipfile.ZIP_DEFLATED)
        return stream.getvalue()

    def __repr__(self) -> str:
        return f"<Report of {len(self.files):,} files>"


def bundle_from_bytes(data: bytes) -> Bundle:
    """Unpack what `Bundle.to_bytes` packed.

    Raises
    ------
    ValueError
        The bytes are no bundle, or name files outside a folder.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            files = {name: packed.read(name) for name in packed.namelist()}
    # A damaged byte may also name a way of packing that Python does not have (the last of these).
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        msg = f"the report is damaged ({error})"
        raise ValueError(msg) from error
    for name in files:
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts or "\\" in name:
            msg = f"the report names a file outside its folder: {name!r}"
            raise ValueError(msg)
    return Bundle(files)
