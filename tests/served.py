"""A gateway that is served in this process, on a thread and a free port.

::

    from served import Served, served, wait_for

    with served(queue, city, compat=True) as gateway:
        gateway.get("/queue").json()
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import spineq as sq


@dataclass
class Served:
    """A gateway that runs: its address, its queue, and the settings that it has."""

    url: str
    queue: sq.JobQueue
    settings: Any
    city: sq.City
    #: Ends it.
    stop: Callable[[], None]
    #: Headers that clients bring.
    headers: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def streamed(self, path: str) -> Iterator[Iterator[str]]:
        """Lines of an answer, as they come."""
        import httpx

        with httpx.stream("GET", self.url + path, headers=self.headers, timeout=60) as answer:
            yield answer.iter_lines()

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """``served.get(path)``, ``post``, ``delete``, ``request``, ``options``: httpx's."""
        import httpx

        def ask(*words: Any, **more: Any) -> Any:
            headers = self.headers | more.pop("headers", {})
            with httpx.Client(base_url=self.url, headers=headers, timeout=60) as client:
                return getattr(client, method)(*words, **more)

        return ask


@contextmanager
def served(queue: sq.JobQueue, city: sq.City, **settings: Any) -> Iterator[Served]:
    """Serve a queue on a free port of this machine, on a thread."""
    from spineq.gateway.serving import Gateway, listen
    from spineq.gateway.settings import Settings, set_up

    listening, made = listen(set_up(Settings(**{"port": 0} | settings)))
    gateway = Gateway(queue, {"here": city}, listening, made)
    thread = threading.Thread(target=gateway.run, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{made.port}"
        wait_for(url)
        yield Served(url, queue, made, city, gateway.stop)
    finally:
        gateway.stop()
        thread.join(timeout=30)
        assert not thread.is_alive()


def wait_for(url: str, seconds: float = 60.0) -> None:
    """Wait until somebody answers at an address, with whatever."""
    import httpx

    end = time.monotonic() + seconds
    while True:
        try:
            httpx.get(url, timeout=10)
        except httpx.TransportError:
            assert time.monotonic() < end, "nobody answers"
            time.sleep(0.05)
        else:
            return
