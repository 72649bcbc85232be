"""Fifty jobs, a cluster to harm, and whether each job was done once and rightly after all.

::

    with Cluster() as cluster, JobQueue(cluster.address, store=store) as queue:
        fifty = Fifty(tmp_path)
        fifty.submit(queue)
        fifty.await_long()
        cluster.workers[0].kill()
        fifty.check(store, queue)
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import dask_processes
import worker_side
from dask_processes import Process

import spineq as sq
from spineq.jobs.records import JobRecord, Outcome, Turn, attempt_name

#: Longest time until something happens, seconds: the two cores may be busy with other tests.
PATIENCE = 90.0

TESTS = Path(__file__).parent

#: What is asked for on the city: a family of greedy networks, and others.
_NETWORKS = [
    *({"n_sensors": n, "theta": 500} for n in (3, 9, 6)),
    *({"n_sensors": 5, "theta": theta, "method": "exchange"} for theta in (300, 400, 800)),
]

#: Seconds that the other jobs take, over and over again.
_SECONDS = (0.0, 0.05, 0.0, 0.1, 0.05, 0.3)


def register() -> None:
    """Register the tasks of `worker_side`."""
    types = {"number": int, "seconds": float, "diary": str}
    sq.register_task("square", worker_side.square, parameters=types)
    sq.register_task("poison", worker_side.poison, parameters={"diary": str})


@cache
def _city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=120)


@cache
def _network(place: int) -> sq.Network:
    return sq.optimise(_city(), **_NETWORKS[place])


def submit(queue: sq.JobQueue, number: int, diary: Path, long: float = 1.0, **words: Any) -> str:
    """Submit a job and return its id: 0 to 5 are networks, and 13 takes long, in seconds."""
    if number < len(_NETWORKS):
        return queue.submit(_city(), **_NETWORKS[number], **words).id
    seconds = long if number == 13 else _SECONDS[number % len(_SECONDS)]
    asked = {"number": number, "seconds": seconds, "diary": str(diary)}
    return queue.submit(task="square", **asked, **words).id


def submit_and_die(address: str | None, store: str, diary: str, **words: Any) -> None:
    """Submit fifty jobs, print their ids, and be killed at once; runs in a process of its own."""
    register()
    queue = sq.JobQueue(address, store=store, n_workers=None if address else 2)
    ids = [submit(queue, number, Path(diary), **words) for number in range(50)]
    os.write(1, json.dumps(ids).encode())
    os.kill(os.getpid(), signal.SIGKILL)


def submitted_by_the_dead(
    *words: Any, environment: dict[str, str] | None = None, **more: Any
) -> list[str]:
    """Run `submit_and_die` and wait until it has died, and all that it started; returns the ids."""
    program = f"import job_faults; job_faults.submit_and_die(*{words!r}, **{more!r})"
    dead = subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(TESTS)} | (environment or {}),
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        said, _ = dead.communicate(timeout=PATIENCE)
        assert dead.returncode == -signal.SIGKILL
        until(lambda: not _is_there(dead.pid), "its workers live on", 30)
    finally:
        if _is_there(dead.pid):
            os.killpg(dead.pid, signal.SIGKILL)
    ids = json.loads(said)
    assert isinstance(ids, list)
    return ids


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def clock(ahead: float) -> dict[str, str]:
    """Environment of a process on another machine, whose clock is so many seconds ahead."""
    paths = [str(TESTS / "other_machine"), str(TESTS)]
    return {"CLOCK": str(ahead), "PYTHONPATH": os.pathsep.join(paths)}


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} after {seconds:g} seconds"
        time.sleep(0.01)
    return found


@dataclass
class Cluster:
    """A scheduler and workers; where a test fails, what they wrote is a note to its error.

    Parameters
    ----------
    n_workers
        How many workers, all of them alike.
    options, environment
        Of the workers; see `dask_processes.worker`.
    """

    n_workers: int = 2
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    scheduler: Process = field(init=False)
    workers: list[Process] = field(default_factory=list, init=False)

    def __enter__(self) -> Cluster:
        self._stack = contextlib.ExitStack()
        self.scheduler = self._stack.enter_context(dask_processes.scheduler())
        for _ in range(self.n_workers):
            self.add_worker(self.options, self.environment)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            for place, process in enumerate([self.scheduler, *self.workers]):
                name = f"worker {place}" if place else f"scheduler {self.address}"
                error.add_note(f"--- {name}\n{process.log[-6000:]}")
        self._stack.close()

    def await_workers(self) -> None:
        """Wait until all workers are there."""
        for worker in self.workers:
            until(lambda worker=worker: "Registered to:" in worker.log, "no worker has come")

    def add_worker(self, options: tuple[str, ...] = (), environment: Any = None) -> None:
        """Start a worker more; it is not waited for."""
        made = dask_processes.worker(
            self.address, options=options, environment=environment, wait=False
        )
        self.workers.append(self._stack.enter_context(made))

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return self.scheduler.address


class Fifty:
    """Fifty jobs, and what they must give.

    Parameters
    ----------
    folder
        For the diary that the jobs keep.
    """

    def __init__(self, folder: Path) -> None:
        # Now, once for all tests, and not while a job is to be caught at work.
        for place in range(len(_NETWORKS)):
            _network(place)
        self.diary = folder / "diary"
        #: What each job must give, by id.
        self.expected: dict[str, Any] = {}

    def submit(self, queue: sq.JobQueue, numbers: range = range(50), **words: Any) -> None:
        """Submit jobs; see `submit`."""
        for number in numbers:
            self.expect([submit(queue, number, self.diary, **words)], number)

    def expect(self, ids: list[str], first: int = 0) -> None:
        """Take note that jobs were submitted, with the numbers from this one up."""
        for number, job_id in enumerate(ids, first):
            square = {"number": number, "square": number * number}
            self.expected[job_id] = _network(number) if number < len(_NETWORKS) else square

    def entries(self) -> list[tuple[str, str, int]]:
        """What the diary says: begin or end, of what, and the process."""
        lines = self.diary.read_text().splitlines() if self.diary.exists() else []
        words = [line.split() for line in lines]
        return [(word, what, int(process)) for word, what, process in words]

    def begun(self, what: str = "") -> list[int]:
        """Processes that have begun to compute this, or anything."""
        return [
            process
            for word, that, process in self.entries()
            if word == "begin" and that == (what or that)
        ]

    def await_long(self) -> int:
        """Wait until the job that takes long is computed; returns the process."""
        return int(until(lambda: self.begun("13"), "the long job has not begun")[-1])

    def check(self, store: Path, queue: sq.JobQueue, others: int = 0) -> list[sq.JobSnapshot]:
        """Wait until all is done, and see that each job was finished once and rightly.

        Parameters
        ----------
        store
            Where the jobs are.
        queue
            Where they are waited for.
        others
            Number of jobs beside these, which must have failed.

        Returns
        -------
        list
            The jobs as a queue that was opened anew sees them.
        """
        assert len(self.expected) >= 49
        try:
            queue.wait(self.expected, PATIENCE)
        except sq.SpineqError as error:
            error.add_note(f"{queue!r}\n" + "\n".join(map(repr, queue.jobs())))
            raise
        with sq.JobQueue(store=store, connect=False) as reader:
            seen = reader.jobs()
            counts = {"finished": len(self.expected)} | ({"failed": others} if others else {})
            assert reader.count() == counts, seen
            answers = {job.id: reader.load(job) for job in seen if job.state == "finished"}
        assert answers == self.expected
        # A worker that is killed right after the outcome leaves its lease.
        queue.prune()
        _check_files(Path(store), seen)
        return seen


def _check_files(store: Path, seen: list[sq.JobSnapshot]) -> None:
    """See that the files of a ledger say the same, and nothing else."""

    def names(kind: str) -> list[str]:
        return sorted(path.name for path in records(store / kind))

    jobs = {}
    for name in names("jobs"):
        job = JobRecord.from_bytes((store / "jobs" / name).read_bytes())
        assert job is not None
        jobs[name] = job
    assert jobs.keys() == {snapshot.id for snapshot in seen}
    waited = {name: job.attempt for name, job in jobs.items()}
    for name in names("turns"):
        turn = Turn.from_bytes((store / "turns" / name).read_bytes())
        assert turn is not None
        waited[name.partition("-")[0]] = turn.attempt
    # Jobs that were answered at once wait for nothing.
    attempts = {attempt or attempt_name(jobs[job].run, 1, None) for job, attempt in waited.items()}
    assert names("outcomes") == sorted(attempts)
    finished = set()
    for attempt in attempts:
        outcome = Outcome.from_bytes((store / "outcomes" / attempt).read_bytes())
        assert outcome is not None
        assert outcome.event in ("finished", "failed")
        if outcome.event == "finished":
            assert outcome.answer == f"answers/{attempt.partition('-')[0]}"
            assert not outcome.cut_short
            finished.add(attempt.partition("-")[0])
    assert names("answers") == sorted(finished)
    for kind in ("partial", "stops", "withdrawn"):
        assert names(kind) == []
    # A lease goes a moment after the outcome.
    until(lambda: not names("leases") + names("beats"), f"leases are left: {names('leases')}", 10)
    for line in (line for name in names("index") for line in (store / "index" / name).open()):
        assert json.loads(line)[0]["id"] in jobs


def records(folder: Path) -> set[Path]:
    """Files below a folder, without those that a writer had not finished."""
    return {
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".tmp-")
    }


def took_up(seen: list[sq.JobSnapshot]) -> Counter[int]:
    """How many jobs were taken up so many times."""
    return Counter(job.attempts for job in seen)


@contextlib.contextmanager
def unreachable(store: Path) -> Iterator[None]:
    """Make a folder lead nowhere for a while, for all processes and at once.

    The folder must be a link, as `linked` makes it: it is pointed at a file, in which nothing can
    be read or written.
    """
    folder, nowhere = store.readlink(), store.with_name("nowhere")
    nowhere.touch()
    _point(store, nowhere)
    try:
        yield
    finally:
        _point(store, folder)


def linked(folder: Path) -> Path:
    """Make a store that can be made `unreachable`."""
    (folder / "real").mkdir()
    _point(folder / "store", folder / "real")
    return folder / "store"


def _point(link: Path, target: Path) -> None:
    other = link.with_name("other")
    other.symlink_to(target)
    other.replace(link)
