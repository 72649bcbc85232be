"""Names that a store can keep, and the errors that all stores share."""

from __future__ import annotations

import secrets

from spineq.errors import AlreadyExistsError, NotInStoreError, StoreError, shortened, shown

#: How names of files begin that are still being written.
TEMPORARY = ".tmp-"


def temporary_name() -> str:
    """Name of a file that is being written, which nobody else has."""
    return f"{TEMPORARY}{secrets.token_hex(8)}"


def checked(name: str) -> str:
    """Refuse a name that leads out of the store or cannot be kept everywhere."""
    parts = name.split("/") if isinstance(name, str) else [""]
    if (
        any(part in ("", ".", "..") or part.startswith(TEMPORARY) for part in parts)
        or "\\" in name
        or not name.isprintable()
    ):
        msg = f"{shown(name)} is not a name that a store can keep"
        raise StoreError(msg, mend="Use words joined by single slashes")
    return name


def top_of(prefix: str) -> str:
    """Folder that every name with the prefix lies in: the rest of the store is not walked."""
    top = prefix.rpartition("/")[0]
    return checked(top) if "/" in prefix else ""


def taken(name: str, where: str) -> AlreadyExistsError:
    """Error for a name that is written already."""
    return AlreadyExistsError(
        f"{shown(name)} is already in the store {_place(where)}", mend="Choose another name"
    )


def missing(name: str, where: str) -> NotInStoreError:
    """Error for a name that nothing is written under."""
    return NotInStoreError(
        f"{shown(name)} cannot be read in {_place(where)}: there is nothing of that name",
        mend="List the names that are there",
    )


def failed(done: str, name: str, where: str, error: Exception) -> StoreError:
    """Error for a store that does not do what it should, with the reason that it gave."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    mend = (
        "Check the address, your right to use it and the connection"
        if "://" in where
        else "Check that the place exists, has room and lets you write"
    )
    return StoreError(
        f"{shown(name)} cannot be {done} in {_place(where)} ({shortened(reason, 300)})", mend=mend
    )


def _place(where: str) -> str:
    return shortened(where, 300)
