"""Several cores for one computation, with the same bits on any number of them.

Kernels run without the GIL, so that plain threads suffice. numba's own ``prange`` is not used:
its workqueue layer aborts the process when two threads enter parallel loops at once, as two
workers of a queue may, and its omp layer aborts after a fork. Who calls cuts the work into a
number of pieces that has nothing to do with the cores, and adds the pieces' sums in order.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

#: Environment variable that says how many threads a process may use at most, 1 up.
VARIABLE = "SPINEQ_THREADS"

_Made = TypeVar("_Made")


def threads() -> int:
    """How many threads are used: the cores that this process may use, or fewer.

    `VARIABLE` can make it fewer; what is no whole number of 1 or more there is passed over.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    wanted = os.environ.get(VARIABLE, "")
    return min(cores, int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else cores


def run(tasks: Sequence[Callable[[], _Made]], most: int | None = None) -> list[_Made]:
    """Call functions that do not depend on each other; returns what they return, in order.

    Parameters
    ----------
    tasks
        The functions. They must not call `run` themselves.
    most
        Threads to use at most; `threads` of them by default.
    """
    most = threads() if most is None else most
    if most == 1 or len(tasks) < 2:
        return [task() for task in tasks]
    futures = [_pool(most).submit(task) for task in tasks]
    return [future.result() for future in futures]


def _pool(size: int) -> ThreadPoolExecutor:
    """The threads of this process; those of another, which a fork leaves behind, are dead."""
    key = os.getpid(), size
    with _LOCK:
        if key not in _POOLS:
            _POOLS[key] = ThreadPoolExecutor(size, thread_name_prefix="spineq")
        return _POOLS[key]


_POOLS: dict[tuple[int, int], ThreadPoolExecutor] = {}
_LOCK = threading.Lock()
