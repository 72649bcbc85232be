"""Pages of a table, whatever a service makes of the rows that are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineq.fetch import FetchError
from spineq.fetch.client import Request
from spineq.fetch.paging import pages


class _Desk:
    """A service without a network that sends at most so many rows of those it has."""

    def __init__(self, rows: int, most: int) -> None:
        self.rows, self.most, self.asked = rows, most, 0

    def answer(self, request: Request, source: str, check: Any) -> bytes:
        self.asked += 1
        begin, n = (int(value) for _, value in request.params)
        return json.dumps(list(range(self.rows))[begin : begin + min(n, self.most)]).encode()

    def answers(self, requests: Iterable[Request], source: str, check: Any) -> Iterator[bytes]:
        return (self.answer(request, source, check) for request in requests)


def ask(begin: int, n: int) -> Request:
    return Request("u", (("begin", str(begin)), ("n", str(n))))


@given(st.integers(0, 80), st.integers(1, 30), st.integers(1, 30), st.integers(0, 10))
def test_every_row_arrives_once(rows: int, size: int, most: int, begin: int) -> None:
    """In order, for every limit said and every one had."""
    desk = _Desk(rows, most)
    begin = min(begin, rows)
    made = pages(desk, "S", ask, json.loads, lambda _: None, total=rows, size=size, begin=begin)  # type: ignore[type-var]
    assert [row for page in made for row in page] == list(range(begin, rows))
    assert desk.asked <= -(-rows // min(size, most)) + -(-rows // size) + 1


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 15))
def test_rows_that_never_come_are_missed(rows: int, lost: int, size: int) -> None:
    """The count is held against what arrives."""
    made = pages(
        _Desk(rows, 99), "S", ask, json.loads, lambda _: None, total=rows + lost, size=size
    )  # type: ignore[type-var]
    with pytest.raises(FetchError, match="S: the service counts"):
        list(made)
