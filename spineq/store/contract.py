"""What a store promises, wherever it lies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Store(Protocol):
    """Named blobs, each written once. All methods raise `StoreError` where the store fails.

    A name is words joined by single slashes. A name and a longer one that begins with it and
    a slash do not go together: ``a`` and ``a/b`` (a folder cannot keep both). Stores pickle:
    another process that can reach the place gets the same store.
    """

    @property
    def where(self) -> str:
        """How to open the same store again in another process: an absolute path, or a URL.

        ``open_store(store.where)`` is this store.
        """
        ...

    def put(self, name: str, data: bytes, *, lasting: bool = True) -> None:
        """Write a blob whose name is free.

        Parameters
        ----------
        name
            Its name.
        data
            Its content.
        lasting
            Whether the content must outlive a loss of power, which costs a millisecond in a
            folder. If not, it may be gone or torn after one.

        Raises
        ------
        AlreadyExistsError
            The name is taken; its content stays as it was. Of those who race for a name, one
            succeeds.
        StoreError
            The store cannot be written.
        """
        ...

    def replace(self, name: str, data: bytes, *, lasting: bool = False) -> None:
        """Write a blob, whether or not its name is taken.

        Readers see the old content or the new, never part of it. The last of several writers
        wins.

        Parameters
        ----------
        name
            Its name.
        data
            Its content from now on.
        lasting
            As for `put`. If not, after a loss of power it may be the old one, torn, or gone.

        Raises
        ------
        StoreError
            The store cannot be written.
        """
        ...

    def get(self, name: str) -> bytes:
        """Read a blob.

        Parameters
        ----------
        name
            Its name.

        Raises
        ------
        NotInStoreError
            There is none of that name, or no store there yet.
        StoreError
            The store cannot be read, so that nobody knows whether there is.
        """
        ...

    def get_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Read many blobs at once.

        Parameters
        ----------
        names
            Their names. Those that are not there, perhaps no longer, are left out of the answer.

        Returns
        -------
        dict of str to bytes
            Content by name, in the order asked for.

        Raises
        ------
        StoreError
            The store cannot be read.
        """
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

    def tidy(self) -> None:
        """Remove what writers that were killed more than an hour ago left behind.

        No blob is touched, and no writer at work is disturbed.

        Raises
        ------
        StoreError
            The store cannot be listed or written.
        """
        ...
