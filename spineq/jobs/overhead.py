"""What the queue costs on top of bare Dask: ratios measured in one run, on a store of its own."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.jobs.cluster import connect
from spineq.jobs.job import Job
from spineq.jobs.queue import JobQueue
from spineq.jobs.tasks import register_task

if TYPE_CHECKING:
    from distributed import Client

    from spineq.progress import Progress

_TASK = "spineq-overhead"


@dataclass(frozen=True)
class Figure:
    """One thing that was measured.

    Parameters
    ----------
    name
        What.
    value, unit
        How much.
    ratio
        Its time over bare Dask's for the same, None where there is no such thing.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None


def measure(
    n_jobs: int = 1000,
    *,
    cancels: bool = True,
    tell: Callable[[str], object] = lambda words: None,
) -> list[Figure]:
    """Measure the queue against bare ``client.submit``, with two workers on this machine.

    Parameters
    ----------
    n_jobs
        Trivial jobs submitted at once, and 1,000 more at a time until there are ten thousand if
        it is that many.
    cancels
        Measure how fast running solvers stop, too: twenty times each, on 25,000 areas.
    tell
        Called with a few words at each step.

    Returns
    -------
    list of Figure
        Round trip, batch, answer from the store, listing, memory, cancels.
    """
    register_task(_TASK, _nothing, parameters={"number": int})
    with (
        tempfile.TemporaryDirectory(prefix="spineq-overhead-") as folder,
        connect(n_workers=2, set_as_default=False) as client,
    ):
        with JobQueue(client, store=Path(folder) / "store") as queue:
            figures = _times(client, queue, n_jobs, tell)
            if cancels:
                figures += _cancels(queue, tell)
        tell("listing the jobs in a queue that was just opened")
        began = time.perf_counter()
        with JobQueue(store=Path(folder) / "store", connect=False) as fresh:
            n_listed = len(fresh.jobs())
            seconds = time.perf_counter() - began
        figures.append(Figure(f"open a store and list its {n_listed:,} jobs", seconds, "s"))
    return figures


def _times(
    client: Client, queue: JobQueue, n_jobs: int, tell: Callable[[str], object]
) -> list[Figure]:
    def one(number: int) -> Job:
        return queue.submit(task=_TASK, number=number)

    for number in range(5):
        one(-1 - number).result()
        client.submit(_bare, number, pure=False).result()
    tell("round trips")
    bare = _median(100, lambda n: client.submit(_bare, n, pure=False).result())
    trip = _median(100, lambda n: one(-100 - n).wait())
    cached = _median(100, lambda n: one(-100 - n).result())
    figures = [
        Figure("round trip of bare Dask", 1e3 * bare, "ms", 1.0),
        Figure("submit to finished", 1e3 * trip, "ms", trip / bare),
        Figure("the same job again, answered from the store", 1e3 * cached, "ms", cached / bare),
    ]
    batch = min(n_jobs, 1000)
    starts = range(0, max(n_jobs // batch, 1) * batch, batch)
    for start in starts:
        tell(f"{batch:,} jobs at once, from {start:,}")
        bare = _timed(lambda: _bare_batch(client, batch))
        ours = _timed(lambda: queue.wait([one(n) for n in range(start, start + batch)]))  # noqa: B023
        if start in (starts[0], starts[-1]):
            figures += [
                Figure(f"{batch:,} of bare Dask", bare, "s", 1.0),
                Figure(f"{batch:,} jobs from {start:,}", ours, "s", ours / bare),
                Figure(f"memory of this process after {start + batch:,} jobs", _memory(), "MB"),
            ]
    return figures


def _cancels(queue: JobQueue, tell: Callable[[str], object]) -> list[Figure]:
    from spineq.data.demo import demo_city

    figures = []
    city = demo_city("synthetic", n_areas=25_000, towns=5)
    for method in ("greedy", "exchange"):
        tell(f"cancelling {method}")
        seconds = []
        for number in range(20):
            job = queue.submit(city, n_sensors=2000 + number, theta=500.0, method=method)
            # At another moment each time, once there is something to stop.
            while job.progress.fraction <= 0.05 + 0.04 * number and not job.has_ended:
                time.sleep(0.002)
            began = time.perf_counter()
            job.cancel()
            job.wait(30)
            seconds.append(time.perf_counter() - began)
        figures.append(Figure(f"cancel {method}", 1e3 * statistics.median(seconds), "ms"))
    return figures


def _bare_batch(client: Client, number: int) -> None:
    client.gather([client.submit(_bare, n, pure=False) for n in range(number)])


def _nothing(city: None, progress: Progress, *, number: int) -> int:
    return number


def _bare(number: int) -> int:
    return number


def _median(times: int, do: Callable[[int], Any]) -> float:
    return statistics.median(_timed(lambda: do(n)) for n in range(times))  # noqa: B023


def _timed(do: Callable[[], Any]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _memory() -> float:
    """Memory of this process in MB; NaN where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
