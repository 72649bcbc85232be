"""Long calls into libraries, in a thread, so that the watcher is asked meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from spineq.progress import Progress

_Made = TypeVar("_Made")

#: How often the watcher is asked, seconds.
LOOK_UP = 0.03


def aside(
    function: Callable[[], _Made], progress: Progress, fraction: float, words: str
) -> _Made | None:
    """Call a function that cannot look up by itself, and ask the watcher while it runs.

    Parameters
    ----------
    function
        What to call. It changes nothing that others see: after a stop it runs to its end, and
        what it gives is thrown away.
    progress, fraction, words
        Watcher, and what it is told.

    Returns
    -------
    object or None
        What the function gave; None where the watcher asked to stop.

    Raises
    ------
    BaseException
        What the function raised.
    """
    made: list[_Made] = []
    failed: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            made.append(function())
        except BaseException as error:  # raised again below
            failed.append(error)
        finally:
            ended.set()

    threading.Thread(target=run, daemon=True, name="spineq-front").start()
    while not ended.wait(LOOK_UP):
        if progress.report(fraction, words):
            return None
    if failed:
        raise failed[0]
    return made[0]
