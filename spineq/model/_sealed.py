"""Datasets in NetCDF files that carry a digest of their content, so that damage is noticed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from spineq.errors import NetworkFileError
from spineq.model._exports import content_digest, exported, file_to_read, file_to_write

# Attribute of a file that holds the digest of everything else in it.
_DIGEST = "spineq_digest"

# Behind the end that HDF5 knows of stand these words and the digest of all bytes before them:
# over damaged bytes HDF5 may never return, and they must not come to it. Other software does not
# look there, and what it writes anew has no such words; then there is only the digest within.
_MARK, _HEX = b"\nspineq-sha256:", 64


@dataclass(frozen=True)
class Kind:
    """A kind of dataset that is kept in files.

    Parameters
    ----------
    name
        What people call it.
    attribute
        The attribute that holds the number of its schema, 1 up.
    newest
        The latest schema that this version knows.
    """

    name: str
    attribute: str
    newest: int


def sealed(data: xr.Dataset) -> bytes:
    """Content of the file that `write_sealed` writes."""
    from spineq.model._netcdf import encoded

    content = encoded(data.assign_attrs({_DIGEST: content_digest(data)}))
    return content + _MARK + hashlib.sha256(content).hexdigest().encode()


def write_sealed(data: xr.Dataset, path: str | Path) -> Path:
    """Write a dataset with its digest; an earlier file is replaced in one step.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    path = file_to_write(path)
    with exported(path) as temporary:
        temporary.write_bytes(sealed(data))
    return path


def read_sealed(path: str | Path, kind: Kind) -> xr.Dataset:
    """Read what `write_sealed` wrote.

    Raises
    ------
    NetworkFileError
        The file is not there, is not of this kind, or was changed since it was written.
    """
    path = file_to_read(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        msg = "there is no such file"
        raise NetworkFileError(msg, file=path, mend="Check the path") from error
    except OSError as error:
        msg = f"the file cannot be read ({error.strerror})"
        raise NetworkFileError(msg, file=path, mend="Check the path") from error
    return unsealed(content, kind, path)


def unsealed(content: bytes, kind: Kind, path: Path | None = None) -> xr.Dataset:
    """Check what `sealed` returned, and take it apart.

    Parameters
    ----------
    content
        The bytes.
    kind
        What they are to be.
    path
        The file that they come from, for errors; None where they come from none.

    Raises
    ------
    NetworkFileError
        The bytes are not of this kind, or were changed since they were written.
    """
    from spineq.model._netcdf import UNREADABLE, decoded

    what = "data" if path is None else "file"
    mend = f"Give {'what to_bytes returned' if path is None else 'a file written by to_netcdf'}"
    changed = f"the {what} was damaged or changed since spineq wrote it"
    again = "Use a copy of it, or write it again"
    end = len(content) - _HEX - len(_MARK)
    if end > 0 and content[end : end + len(_MARK)] == _MARK:
        if hashlib.sha256(content[:end]).hexdigest().encode() != content[-_HEX:]:
            raise NetworkFileError(changed, file=path, mend=again)
        content = content[:end]
    try:
        data = decoded(content)
    except UNREADABLE as error:
        msg = f"the {what} cannot be read as NetCDF ({error})"
        raise NetworkFileError(msg, file=path, mend=mend) from error
    schema = data.attrs.get(kind.attribute)
    if schema is None:
        msg = f"the {what} is NetCDF, but not a {kind.name} of spineq's"
        raise NetworkFileError(msg, file=path, mend=mend)
    if not isinstance(schema, int | np.integer) or schema < 1:
        msg = f"{schema!s:.60} is no number of a schema"
        raise NetworkFileError(msg, file=path, field=kind.attribute, mend=mend)
    if schema > kind.newest:
        msg = f"the {what} follows schema {schema}, this version knows up to {kind.newest}"
        raise NetworkFileError(msg, file=path, mend="Update spineq")
    written = data.attrs.pop(_DIGEST, None)
    try:
        intact = written == content_digest(data)
    except UNREADABLE:
        intact = False
    if not intact:
        raise NetworkFileError(changed, file=path, mend=again)
    return data
