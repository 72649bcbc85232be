"""What the queue costs on top of bare Dask: ratios measured in one run, on a store of its own."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import UnknownTaskError
from spineq.jobs.cluster import connect
from spineq.jobs.job import Job
from spineq.jobs.queue import JobQueue
from spineq.jobs.tasks import register_task, task_named

if TYPE_CHECKING:
    from distributed import Client

    from spineq.model.city import City
    from spineq.progress import Progress

_TASK = "spineq-overhead"

#: Cancels of each kind of job.
_CANCELS = 20


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
        Measure how fast every method's running job stops, too: twenty times each.
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


@dataclass(frozen=True)
class CancelCase:
    """A kind of job that runs for long enough to be cancelled on its way.

    Parameters
    ----------
    name
        What is measured: the method or task, and where.
    city
        Arguments of `spineq.data.demo.demo_city` for a synthetic city.
    words
        What is submitted, beside the number of sensors.
    n_sensors
        Sensors of the first job; each further one has one more, so that no two share a run.
    after
        Share of the work at which it may be cancelled: the solver itself is at it by then.
    within
        Seconds after that over which the cancels are spread.
    """

    name: str
    city: Mapping[str, int]
    words: Mapping[str, Any]
    n_sensors: int
    after: float
    within: float

    def submit(self, queue: JobQueue, number: int) -> Job:
        """Submit the job of a number."""
        city = _synthetic(tuple(sorted(self.city.items())))
        n_sensors = self.n_sensors + number
        return queue.submit(city, n_sensors=n_sensors, theta=500.0, **self.words)

    def cancel(self, queue: JobQueue, number: int, share: float) -> float | None:
        """Cancel the job of a number on its way; None where it ended before.

        Parameters
        ----------
        queue
            A queue with workers.
        number
            Which job.
        share
            When, as a share of ``within``.

        Returns
        -------
        float or None
            Seconds from the cancel until the job had ended, what it had found written.
        """
        job = self.submit(queue, number)
        while job.progress.fraction < self.after and not job.has_ended:
            time.sleep(0.002)
        time.sleep(share * self.within)
        began = time.perf_counter()
        job.cancel()
        ended = job.wait(60)
        return time.perf_counter() - began if ended.state == "cancelled" else None


@lru_cache(maxsize=1)
def _synthetic(sizes: tuple[tuple[str, int], ...]) -> City:
    from spineq.data.demo import demo_city

    return demo_city("synthetic", **dict(sizes))


def cancel_cases() -> list[CancelCase]:
    """Jobs for every method there is, and for fronts; hard ones for those that prove."""
    from spineq.model.groups import GROUPS
    from spineq.solvers import METHODS

    large, usual = {"n_areas": 25_000, "towns": 5}, {"n_areas": 910}
    # Share of the work by which the solver has begun, and the tree or HiGHS.
    began, proves = 0.26, {"branch_bound": 0.42, "milp": 0.54}
    # Of the quick ones the most is over when the coverage is there.
    quick = {"greedy": (0.1, 0.5), "random": (0.1, 0.5), "exchange": (began, 2.0)}
    cases = []
    for name in METHODS:
        if name == "milp":
            continue  # which refuses so many pairs
        n_sensors = 2000 if name in quick else 500
        after, within = quick.get(name, (began, 10.0))
        title, words = f"{name}, 25,000 areas", {"method": name}
        cases.append(CancelCase(title, large, words, n_sensors, after, within))
    apart: dict[str, Any] = {"min_spacing": 700.0}
    worst: dict[str, Any] = {"groups": GROUPS, "objective": "worst"}
    for name in METHODS:
        if name in proves:
            by = {"method": name}
            title = f"{name}, spacing"
            cases.append(CancelCase(title, usual, by | apart, 55, proves[name], 4.0))
            cases.append(CancelCase(f"{name}, worst", usual, by | worst, 55, began, 2.0))
    with suppress(UnknownTaskError):
        task = task_named("trade_off").name
        cases.append(CancelCase(task, usual, {"task": task}, 55, 0.06, 3.0))
    return cases


def _cancels(queue: JobQueue, tell: Callable[[str], object]) -> list[Figure]:
    figures = []
    for case in cancel_cases():
        tell(f"cancelling {case.name}")
        took = [case.cancel(queue, number, number / _CANCELS) for number in range(_CANCELS)]
        seconds = [each for each in took if each is not None]
        if not seconds:
            tell(f"{case.name}: every job ended before it could be cancelled")
            continue
        name = f"cancel {case.name}"
        if len(seconds) < _CANCELS:
            name += f" ({_CANCELS - len(seconds)} of {_CANCELS} ended before)"
        figures.append(Figure(name, 1e3 * statistics.median(seconds), "ms"))
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
