"""Functions that tests send to workers, which import them from here."""

from __future__ import annotations

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

    found = {name: getattr(_kernels, name) for name in _kernels.__all__}
    return {name: len(kernel.signatures) for name, kernel in found.items()}


def ignores_interrupts() -> bool:
    """Whether Ctrl-C cannot reach the thread that runs this."""
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def timed_optimise(city: Any, **words: Any) -> tuple[Any, float]:
    """Optimise; returns the network and the seconds from the first import to the answer."""
    began = time.perf_counter()
    import spineq as sq

    return sq.optimise(city, **words), time.perf_counter() - began
