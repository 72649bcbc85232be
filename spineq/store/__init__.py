"""Write-once blobs in a folder or behind any fsspec URL, and files that are never half-written.

A name is written once: a second `Store.put` of the same name raises `AlreadyExistsError` and
leaves the first content alone, however many processes race. A reader never sees part of a
blob: content is complete before its name exists.
"""

from __future__ import annotations

from pathlib import Path

from spineq.errors import StoreError, shown
from spineq.store.contract import Store
from spineq.store.folder import FolderStore
from spineq.store.url import UrlStore
from spineq.store.whole import whole_file

__all__ = ["Store", "open_store", "FolderStore", "UrlStore", "whole_file"]


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
