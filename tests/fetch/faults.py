"""What can go wrong with a service's answer; see `statistics_office`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statistics_office import Handler

Act = Callable[["Handler", bytes, str], None]


def status(code: int, retry_after: str | None = None) -> Act:
    """Answer with a status and nothing else."""

    def act(handler: Handler, body: bytes, kind: str) -> None:
        more = {} if retry_after is None else {"Retry-After": retry_after}
        handler.reply(code, b"no", "text/plain", more)

    return act


def instead(made: bytes, kind: str = "application/json") -> Act:
    """Answer something else, with status 200."""
    return lambda handler, body, _: handler.reply(200, made, kind)


def edited(change: Callable[[bytes], bytes]) -> Act:
    """Answer with a change, with status 200 and its right length."""
    return lambda handler, body, kind: handler.reply(200, change(body), kind)


def cut(n: int) -> Act:
    """Drop the connection behind some bytes of the body."""

    def act(handler: Handler, body: bytes, kind: str) -> None:
        handler.head(200, len(body), kind)
        handler.wfile.write(body[:n])
        handler.drop()

    return act


def drop(handler: Handler, body: bytes, kind: str) -> None:
    """Drop the connection without a word."""
    handler.drop()


def slow(seconds: float) -> Act:
    """Answer late, in two pieces."""

    def act(handler: Handler, body: bytes, kind: str) -> None:
        handler.head(200, len(body), kind)
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        time.sleep(seconds)
        handler.wfile.write(body[len(body) // 2 :])

    return act


def dribbled(pieces: int, seconds: float, size: int = 1 << 17) -> Act:
    """Answer in pieces of zeros, so many seconds apart: something large over a slow line."""

    def act(handler: Handler, body: bytes, kind: str) -> None:
        handler.head(200, pieces * size, kind)
        for _ in range(pieces):
            handler.wfile.write(bytes(size))
            handler.wfile.flush()
            time.sleep(seconds)

    return act


def led(address: str) -> Act:
    """Lead to another address."""
    return lambda handler, body, kind: handler.reply(302, b"", kind, {"Location": address})


def endless(head: bytes, piece: bytes, seconds: float) -> Act:
    """Answer some bytes, again and again, until the other side hangs up."""

    def act(handler: Handler, body: bytes, kind: str) -> None:
        handler.close_connection = True
        handler.wfile.write(head)
        while True:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(seconds)

    return act
