"""A Socket.IO client as the original's were, that writes down what it hears.

::

    from wire import Wire, play

    async def script() -> None:
        async with Wire(url) as wire:
            job = await wire.ask("submitJob", {"n_sensors": 3, "theta": 500}, "job")
            await wire.until("jobFinished", lambda data: data["job_id"] == job["job_id"])

    play(script())
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

#: Longest time for anything, seconds.
PATIENCE = 120.0


class Wire:
    """A client that writes down what it hears."""

    def __init__(self, url: str, **words: Any) -> None:
        import socketio

        self.heard: list[tuple[str, Any]] = []
        self._new = asyncio.Event()
        self.client = socketio.AsyncClient(reconnection=False)
        self._url, self._words = url, words
        self.client.on("*", self._hear)

    async def _hear(self, event: str, *data: Any) -> None:
        self.heard.append((event, data[0] if data else None))
        self._new.set()

    async def __aenter__(self) -> Wire:
        await self.client.connect(self._url, wait_timeout=PATIENCE, **self._words)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.disconnect()

    async def say(self, event: str, *data: Any) -> None:
        """Send an event."""
        await self.client.emit(event, data[0] if data else None)

    async def until(self, event: str, when: Callable[[Any], Any] = lambda _: True) -> Any:
        """Wait for an event, and take it and all that came before off the list."""
        looked_at = 0
        try:
            # Not a look every few milliseconds: two hundred clients that look take all the time
            # of the gateway, which may be in the same process.
            async with asyncio.timeout(PATIENCE):
                while True:
                    for k, (name, data) in enumerate(self.heard[looked_at:], looked_at):
                        if name == event and when(data):
                            del self.heard[: k + 1]
                            return data
                    looked_at = len(self.heard)
                    self._new.clear()
                    await self._new.wait()
        except TimeoutError:
            others = [f"{name} {str(data)[:80]}" for name, data in self.heard[-5:]]
            msg = f"no {event} in {PATIENCE:.0f} s, but {len(self.heard)} others: {others}"
            raise AssertionError(msg) from None

    async def ask(self, event: str, data: Any, answer: str) -> Any:
        """Send an event, and wait for what is heard of that name afterwards."""
        self.heard.clear()
        await self.say(event, data)
        return await self.until(answer)


def play(script: Coroutine[Any, Any, None]) -> None:
    """Run a script of events."""
    asyncio.run(asyncio.wait_for(script, 2 * PATIENCE))
