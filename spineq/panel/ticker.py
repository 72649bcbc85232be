"""Updates that come no faster than a browser takes them, and the last one always."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable

_LOG = logging.getLogger(__name__)

#: Seconds between two updates of one view. Jupyter drops what comes much faster.
PACE = 0.1


class Ticker:
    """One thread that runs what is due: views that asked for an update, and clocks.

    Anybody may `ask` on any thread; a view that was not updated for a while is updated at once,
    one that was is updated when its time comes. Nothing runs twice at the same time.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._asked: dict[Callable[[], object], float] = {}
        self._last: dict[Callable[[], object], float] = {}
        self._every: dict[Callable[[], object], float] = {}
        self._closed = self._paused = False
        # The thread does not hold the ticker, so that one that nobody holds ends.
        me = weakref.ref(self, lambda _: None)
        self._thread = threading.Thread(target=_run, args=(me,), name="spineq-panel", daemon=True)
        self._thread.start()

    def ask(self, update: Callable[[], object], *, after: float = 0.0) -> None:
        """Have an update run soon, once however often it is asked for.

        Parameters
        ----------
        update
            Called on the ticker's thread; it must handle its own errors.
        after
            Seconds to wait at least; asking again begins the wait anew.
        """
        with self._change:
            if self._closed:
                return
            now = time.monotonic()
            due = max(now + after, self._last.get(update, -PACE) + PACE)
            self._asked[update] = due if after else min(due, self._asked.get(update, due))
            self._change.notify()

    def every(self, seconds: float, update: Callable[[], object]) -> None:
        """Have an update run again and again."""
        with self._change:
            self._every[update] = seconds
        self.ask(update)

    def forget(self, update: Callable[[], object]) -> None:
        """Run an update no more."""
        with self._change:
            for table in (self._asked, self._last, self._every):
                table.pop(update, None)

    def pause(self) -> None:
        """Run nothing for a while, as nobody looks; what is asked for is kept."""
        with self._change:
            self._paused = True

    def go_on(self) -> None:
        """Run again, and first what was asked for meanwhile."""
        with self._change:
            self._paused = False
            self._change.notify()

    @property
    def is_running(self) -> bool:
        """Whether updates are run."""
        return not self._closed and not self._paused and self._thread.is_alive()

    def close(self) -> None:
        """End the thread; what was asked for is not run any more."""
        with self._change:
            self._closed = True
            self._asked.clear()
            self._every.clear()
            self._change.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=2.0)

    def _due(self) -> list[Callable[[], object]]:
        """Wait a moment for updates whose time has come, and take them."""
        with self._change:
            now = time.monotonic()
            waits = 1.0
            if self._asked and not self._paused:
                waits = min(self._asked.values()) - now
            if waits > 0:
                self._change.wait(min(waits, 1.0))
                now = time.monotonic()
            if self._closed or self._paused:
                return []
            due = [update for update, at in self._asked.items() if at <= now]
            for update in due:
                del self._asked[update]
                self._last[update] = now
                if update in self._every:
                    self._asked[update] = now + self._every[update]
            if len(self._last) > 1_000:
                self._last.clear()
            return due


def _run(reference: weakref.ref[Ticker]) -> None:
    while True:
        ticker = reference()
        if ticker is None or ticker._closed:
            return
        due = ticker._due()
        del ticker
        for update in due:
            try:
                update()
            except Exception:  # one that does not handle its errors must not end the others
                _LOG.exception("an update of the panel failed")
