"""A browser for the gateway's pages, and for pages of others that would like to use it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from browser import new_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A page, 1280 x 900."""
    context = new_context(chromium, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@contextmanager
def _site(html: str) -> Iterator[int]:
    """A web server of somebody else's, with one page; its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture
def site() -> Iterator[Callable[[str], int]]:
    """``site(html)``: the port of a web server of somebody else's."""
    with ExitStack() as stack:
        yield lambda html: stack.enter_context(_site(html))
