"""Functions that tests send to workers, which import them from here."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from spineq.jobs.warm_up import NAME


def warming() -> bool:
    """Whether this process is warming up at the moment."""
    return any(thread.name == NAME for thread in threading.enumerate())


def wait_until_warm(seconds: float = 120.0) -> float:
    """Wait until this process has warmed up; returns for how long."""
    began = time.monotonic()
    while warming():
        assert time.monotonic() - began < seconds
        time.sleep(0.01)
    return time.monotonic() - began


def compiled() -> dict[str, int]:
    """How many versions of each kernel this process has compiled or loaded."""
    from spineq.solvers import _kernels
    from spineq.solvers._kernels import relax

    everything = [*vars(_kernels).items(), *vars(relax).items()]
    found = {name: kernel for name, kernel in everything if hasattr(kernel, "signatures")}
    return {name: len(kernel.signatures) for name, kernel in found.items()}


def ignores_interrupts() -> bool:
    """Whether Ctrl-C cannot reach the thread that runs this."""
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def timed_optimise(city: Any, **words: Any) -> tuple[Any, float]:
    """Optimise; returns the network and the seconds from the first import to the answer."""
    began = time.perf_counter()
    import spineq as sq

    return sq.optimise(city, **words), time.perf_counter() - began


def square(_: None, progress: Any, *, number: int, seconds: float, diary: str) -> dict[str, int]:
    """Square a number in so many seconds, and say in a diary who begins and who ends."""
    _enter(diary, f"begin {number}")
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if progress.report(1 - left / seconds, f"squaring {number}"):
            return {}
        time.sleep(min(left, 0.02))
    _enter(diary, f"end {number}")
    return {"number": number, "square": number * number}


def poison(_: None, progress: Any, *, diary: str) -> None:
    """Kill the process that runs this."""
    _enter(diary, "begin poison")
    os.kill(os.getpid(), signal.SIGKILL)


def _enter(diary: str, words: str) -> None:
    # Appended in one piece, however many processes write.
    file = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, f"{words} {os.getpid()}\n".encode())
    finally:
        os.close(file)
