"""Tables that arrive in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from spineq.fetch.client import Request
from spineq.fetch.desk import Check, Desk
from spineq.fetch.failure import AGAIN, FetchError


class _Page(Protocol):
    def __len__(self) -> int: ...


P = TypeVar("P", bound=_Page)


def pages(
    desk: Desk,
    source: str,
    ask: Callable[[int, int], Request],
    read: Callable[[bytes], P],
    check: Check,
    *,
    total: int,
    size: int,
    begin: int = 0,
) -> Iterator[P]:
    """Read the rows of a table, page by page, until all are there.

    A page may hold fewer rows than were asked for, whatever a service says of its limits: the
    rest is asked for behind it.

    Parameters
    ----------
    desk, source
        Who gets the answers, and what they are of.
    ask
        Makes the request for rows from an offset, so many of them.
    read, check
        Make a page of an answer, and refuse one that is not whole.
    total
        Number of rows that the service counts.
    size
        Most rows of a page.
    begin
        Rows that are there already.

    Raises
    ------
    FetchError
        The service counts more rows than it sends, or sends more than were asked for.
    """
    begins = range(begin, total, size)
    requests = (ask(offset, min(size, total - offset)) for offset in begins)
    for offset, body in zip(begins, desk.answers(requests, source, check), strict=True):
        wanted = min(size, total - offset)
        page = read(body)
        got = len(page)
        yield page
        while len(page) > 0 and got < wanted:
            page = read(desk.answer(ask(offset + got, wanted - got), source, check))
            got += len(page)
            yield page
        if got != wanted:
            msg = (
                f"{source}: the service counts {total:,} rows, but of the {wanted:,} from row "
                f"{offset + 1:,} on it sent {got:,}"
            )
            raise FetchError(msg, mend=AGAIN)
