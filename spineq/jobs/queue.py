"""The queue: jobs in, answers out, on any Dask cluster, and no crash loses one."""

from __future__ import annotations

import getpass
import os
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args

from spineq.errors import (
    ClusterError,
    JobError,
    JobNotEndedError,
    JobNotFoundError,
    NotInStoreError,
    ProblemError,
    QueueFullError,
    SpineqError,
    UnknownIdError,
    shown,
)
from spineq.jobs._host import clock_name
from spineq.jobs.carrier import Carrier
from spineq.jobs.job import Job
from spineq.jobs.keeper import Keeper
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import JobRecord, attempt_name, new_job_id
from spineq.jobs.requests import checked_request
from spineq.jobs.similar import nearest
from spineq.jobs.snapshot import JobSnapshot
from spineq.jobs.states import State, after
from spineq.jobs.sweep import sweep
from spineq.jobs.tasks import Asked, Task, check_asked, family_digest, run_digest, task_named
from spineq.jobs.watch import Watch
from spineq.jobs.worker import city_at

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.problem import Problem

#: Days for which jobs that have ended are kept, unless told otherwise.
RETENTION_DAYS = 30.0

#: Jobs that may wait, unless told otherwise.
MOST_WAITING = 100_000


def default_store() -> str:
    """Folder of the jobs, unless told otherwise: ``SPINEQ_STORE``, or the user's data folder."""
    import platformdirs

    named = os.environ.get("SPINEQ_STORE", "").strip()
    return named or str(Path(platformdirs.user_data_dir("spineq", appauthor=False)) / "store")


class JobQueue:
    """Jobs on a Dask cluster, kept in a store.

    What is submitted is written to the store first and is then a promise: if this process, the
    scheduler or all workers die, whoever opens the store next brings it to its end. Several
    queues may share a store, from several notebooks, terminals or machines; each sees the jobs
    of all.

    Parameters
    ----------
    cluster
        A ``distributed.Client``, a cluster object (of dask-jobqueue, dask-kubernetes,
        dask-gateway, ...), or a scheduler's address. None: the client of this notebook or task,
        the address that Dask is configured with, the cluster that serves the store already, or
        else a new one on this machine, which ends with the queue.
    store
        Folder or URL (``s3://bucket/prefix``); by default `default_store`.
    user
        Name for the list of jobs, and for fairness: users take turns. By default the system's.
    n_workers, adapt, allow_remote, security
        As in `spineq.connect`.
    max_waiting
        Jobs that may wait; more are refused.
    retention_days
        Days for which jobs that have ended are kept.
    look_only
        Do not connect to any cluster: list, watch, cancel and delete, but run nothing.

    Raises
    ------
    StoreError
        The store cannot be read or written.
    LedgerFormatError
        A later version of spineq wrote it.
    ClusterError
        The address is refused, or nobody answers there.

    Examples
    --------
    >>> queue = sq.JobQueue()                                     # doctest: +SKIP
    >>> job = queue.submit(sq.demo_city(), n_sensors=20, theta=500)  # doctest: +SKIP
    >>> job.result().summary()                                    # doctest: +SKIP
    """

    def __init__(
        self,
        cluster: Any = None,
        *,
        store: str | os.PathLike[str] | None = None,
        user: str | None = None,
        n_workers: int | None = None,
        adapt: tuple[int, int] | None = None,
        allow_remote: bool = False,
        security: Any = None,
        max_waiting: int = MOST_WAITING,
        retention_days: float = RETENTION_DAYS,
        look_only: bool = False,
    ) -> None:
        self.store = str(default_store() if store is None else store)
        self.user = user or _system_user()
        self.max_waiting = max_waiting
        ledger = Ledger.open(self.store)
        options: dict[str, Any] = {
            name: value
            for name, value in (("n_workers", n_workers), ("adapt", adapt), ("security", security))
            if value is not None
        }
        keeper = Keeper(ledger, self.user, retention_days)
        if not look_only:
            options["allow_remote"] = allow_remote
            keeper.carrier = Carrier(cluster, ledger, keeper.hear, keeper.hear_done, options)
        keeper.open()
        self.keeper = keeper
        self._known_cities: set[str] = set()
        # The keeper's thread does not hold the queue, so that one that nobody holds is closed.
        self._close = weakref.finalize(self, keeper.close)

    # Submitting

    def submit(
        self,
        city: City | str | None = None,
        problem: Problem | None = None,
        *,
        task: str = "optimise",
        priority: int = 0,
        tags: Iterable[str] = (),
        note: str = "",
        time_limit: float | None = None,
        expires_in: float | None = None,
        reuse: bool = True,
        **parameters: Any,
    ) -> Job:
        """Submit a job; when this returns, it is in the store and will be done.

        A run that was computed before is answered from the store at once, and one that is being
        computed is shared. Answers that were cut short are never reused, nor are those of an
        older version of the solver.

        Parameters
        ----------
        city
            Where, or the digest of a city that the store has.
        problem
            What is asked, as a `Problem`; or its fields as keywords, as for `spineq.optimise`.
        task
            Name of the task; see `spineq.register_task` for others than ``optimise``.
        priority
            -1000 to 1000; higher goes first. Within a priority, users take turns.
        tags, note
            For finding the job again: words, and a line of text.
        time_limit
            Seconds of computing; then the answer is the best so far, marked, and not reused.
        expires_in
            Seconds of waiting, after which the job is not wanted any more.
        reuse
            False to compute although there is an answer.
        **parameters
            Of the task.

        Raises
        ------
        ProblemError, DataError
            A parameter is unknown, of the wrong type or out of its range; more sensors than
            sites; or the city lacks the data of a group.
        UnknownTaskError
            The task was not registered.
        UnknownIdError
            A digest of a city that the store does not have.
        QueueFullError
            Too many jobs wait.
        StoreError
            The job cannot be written; it was not submitted.
        """
        self._need_open()
        if self.keeper.carrier is None:
            msg = "this queue only looks, it runs nothing"
            raise ClusterError(msg, mend="Open it without look_only=True")
        request = checked_request(priority, tags, note, time_limit, expires_in)
        known = task_named(task)
        place = self._city(city)
        if problem is not None:
            parameters["problem"] = problem
        asked = check_asked(known, place, parameters)
        if place is not None:
            self._keep_city(place)
        digest = "" if place is None else place.digest
        job = JobRecord(
            id=new_job_id(),
            run=run_digest(known, asked, digest),
            task=task,
            version=asked.version,
            created=time.time(),
            clock=clock_name(),
            city=digest,
            city_name="" if place is None else place.name,
            parameters=asked.parameters,
            family=family_digest(known, asked, digest),
            size=asked.size,
            user=self.user,
            fresh=not reuse,
            **vars(request),
        )
        return self._submitted(job)

    def _submitted(self, job: JobRecord) -> Job:
        keeper, ledger = self.keeper, self.keeper.ledger
        if not job.fresh and ledger.has_answer(job.run):
            first = ledger.outcome(attempt_name(job.run, 1, None))
            value, bound = (first.value, first.bound) if first else (None, None)
            job = replace(job, reused="answer", value=value, bound=bound)
            with keeper.lock:
                job = _put(ledger, job)
                keeper.index.add(job)
        else:
            with keeper.lock:
                index = keeper.index
                if len(index.open) >= self.max_waiting:
                    msg = f"{len(index.open):,} jobs wait, and the queue takes no more"
                    raise QueueFullError(msg, mend="Wait for some, or clear(waiting=True)")
                reused, earlier = ("", "") if job.fresh else index.relative_of(job)
                job = replace(
                    job,
                    reused=reused,
                    earlier=earlier,
                    order=index.tags.next(job.priority, job.user, index.open.__contains__),
                    attempt=ledger.open_attempt(job.run, job.time_limit),
                )
                job = _put(ledger, job)
                index.add(job)
                keeper.start(job, job.attempt)
        keeper.nudge()
        return Job(self, job.id)

    def _city(self, city: City | str | None) -> City | None:
        if not isinstance(city, str):
            return city
        try:
            return city_at(self.keeper.ledger, city)
        except (NotInStoreError, ValueError) as error:
            if isinstance(error, SpineqError) and not isinstance(error, NotInStoreError):
                raise
            msg = f"the store has no city {shown(city)}"
            raise UnknownIdError(msg, field="city", mend="Give the city itself") from error

    def _keep_city(self, city: City) -> None:
        if city.digest in self._known_cities:
            return
        ledger = self.keeper.ledger
        if not ledger.has_city(city.digest):
            from spineq.data.packed import pack_city

            ledger.put_city(city.digest, pack_city(city))
        self._known_cities.add(city.digest)

    # Looking

    def get(self, job: str | Job | JobSnapshot) -> Job:
        """Job of an id.

        Raises
        ------
        JobNotFoundError
            There is none.
        """
        found = self._id(job)
        self.snapshot(found)
        return Job(self, found)

    def snapshot(self, job: str | Job | JobSnapshot) -> JobSnapshot:
        """Everything about a job at this moment, as far as this process knows.

        Raises
        ------
        JobNotFoundError
            There is no such job.
        """
        job_id, index = self._id(job), self.keeper.index
        with self.keeper.lock:
            if job_id not in index.entries:
                index.refresh()
            if job_id not in index.entries:
                raise _no_such(job_id)
            return index.snapshot(index.entries[job_id])

    def jobs(
        self,
        *,
        state: State | Iterable[State] | None = None,
        user: str | None = None,
        tag: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[JobSnapshot]:
        """List jobs, the latest first.

        Parameters
        ----------
        state
            Only in this state, or in one of these.
        user, tag
            Only of this user, or with this tag.
        limit, offset
            A page: so many, after so many.
        """
        states = _states(state)
        for name, number in (("limit", limit), ("offset", offset)):
            if number is not None and (type(number) is not int or number < 0):
                msg = f"{name} must be a whole number from 0 up, not {shown(number)}"
                raise ProblemError(msg, field=name, mend="Give for example 50")
        with self.keeper.lock:
            index = self.keeper.index
            found = [
                entry
                for entry in index.entries.values()
                if (states is None or entry.state in states)
                and (user is None or entry.user == user)
                and (tag is None or tag in entry.tags)
            ]
            found.sort(key=lambda entry: entry.id, reverse=True)
            page = found[offset : None if limit is None else offset + limit]
            return [index.snapshot(entry) for entry in page]

    def count(self) -> dict[State, int]:
        """Number of jobs by state."""
        with self.keeper.lock:
            return dict(Counter(entry.state for entry in self.keeper.index.entries.values()))

    def refresh(self) -> None:
        """Look at the store now; otherwise it is looked at every second."""
        with self.keeper.lock:
            self.keeper.index.refresh()
        self.keeper.nudge()

    def similar(
        self,
        city: City | str,
        problem: Problem | None = None,
        *,
        limit: int = 5,
        **parameters: Any,
    ) -> list[JobSnapshot]:
        """Finished jobs nearest to a question, in theta and in number of sensors.

        Parameters
        ----------
        city, problem, **parameters
            As for `submit`.
        limit
            Most jobs to return.

        Raises
        ------
        ProblemError, DataError
            As for `submit`.
        """
        if problem is not None:
            parameters["problem"] = problem
        place = self._city(city)
        asked: Asked = check_asked(task_named("optimise"), place, parameters)
        assert place is not None  # checked
        with self.keeper.lock:
            near = nearest(self.keeper.index, place.digest, asked.parameters, limit)
        return [snapshot for _, snapshot in near]

    def load(self, job: str | Job | JobSnapshot) -> Any:
        """Answer of a job that has one.

        Raises
        ------
        JobError
            The answer is damaged or gone from the store.
        UnknownTaskError
            The job's task was not registered in this process.
        """
        snapshot = job if isinstance(job, JobSnapshot) else self.snapshot(job)
        task: Task = task_named(snapshot.task)
        try:
            return task.load(self.keeper.ledger.answer(snapshot.answer))
        except (NotInStoreError, ValueError) as error:
            msg = f"the answer of job {snapshot.id} is damaged or gone ({error})"
            raise JobError(msg, mend="Submit it again with reuse=False") from error

    # Waiting

    def wait_for(self, job: str | Job | JobSnapshot, timeout: float | None = None) -> JobSnapshot:
        """Wait until a job has ended; see `Job.wait`."""
        job_id, keeper = self._id(job), self.keeper
        end = None if timeout is None else time.monotonic() + timeout
        self.snapshot(job_id)
        with keeper.change:
            while True:
                entry = keeper.index.entries.get(job_id)
                if entry is None:
                    raise _no_such(job_id)
                if job_id not in keeper.index.open:
                    return keeper.index.snapshot(entry)
                self._need_open()
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    trouble = f" ({keeper.trouble})" if keeper.trouble else ""
                    msg = f"job {job_id} is {entry.state} after {timeout:g} seconds{trouble}"
                    raise JobNotEndedError(msg, mend="Wait longer; the job goes on")
                keeper.change.wait(left)

    def wait(
        self, jobs: Iterable[str | Job | JobSnapshot] | None = None, timeout: float | None = None
    ) -> list[JobSnapshot]:
        """Wait until jobs have ended, by default all of them.

        Raises
        ------
        JobNotEndedError
            They have not within so many seconds; they go on.
        """
        if jobs is None:
            self.refresh()
            with self.keeper.lock:
                jobs = sorted(self.keeper.index.open)
        end = None if timeout is None else time.monotonic() + timeout
        ended = []
        for job in jobs:
            left = None if end is None else max(0.0, end - time.monotonic())
            ended.append(self.wait_for(job, left))
        return ended

    def watch(
        self, callback: Callable[[JobSnapshot], object] | None = None
    ) -> Watch | Callable[[], None]:
        """Follow all jobs.

        Parameters
        ----------
        callback
            Called with a snapshot of each job that changes, on a thread of the queue: it must
            return soon.

        Returns
        -------
        Watch or callable
            Without a callback an iterator of snapshots, which ends when its ``stop`` is called
            or the queue closes; with one, a function that ends the following.
        """
        return Watch(self.keeper) if callback is None else self.keeper.watch(callback)

    # Changing

    def cancel(self, *jobs: str | Job | JobSnapshot) -> None:
        """Withdraw jobs; see `Job.cancel`.

        Raises
        ------
        JobNotFoundError
            One of them does not exist; then none is withdrawn.
        """
        ids = [self._id(job) for job in jobs]
        with self.keeper.lock:
            self._need_all(ids)
            self.keeper.withdraw(ids)
        self.keeper.nudge()

    def retry(self, job: str | Job | JobSnapshot) -> Job:
        """Give a failed, cancelled or expired job a new attempt; see `Job.retry`."""
        job_id, keeper = self._id(job), self.keeper
        with keeper.lock:
            self._need_all([job_id])
            entry = keeper.index.entries[job_id]
            if after(entry.state, "retried") == entry.state:
                msg = f"job {job_id} is {entry.state}"
                mend = "Only a job that failed, was cancelled or has expired can be retried"
                raise JobError(msg, mend=mend)
            keeper.new_turn(entry, retried=True)
            if keeper.carrier is not None and entry.record is not None:
                keeper.start(entry.record, entry.attempt)
        keeper.nudge()
        return Job(self, job_id)

    def delete(self, *jobs: str | Job | JobSnapshot) -> None:
        """Cancel jobs that have not ended, and remove them from the ledger.

        Answers stay for other jobs of the same run, until the sweep.

        Raises
        ------
        JobNotFoundError
            One of them does not exist; then none is deleted.
        """
        ids = [self._id(job) for job in jobs]
        with self.keeper.lock:
            self._need_all(ids)
            self._delete(ids)
        self.keeper.nudge()

    def clear(self, *, waiting: bool = False) -> int:
        """Cancel and delete all jobs of the store, of whoever they are.

        Parameters
        ----------
        waiting
            Only those that wait.

        Returns
        -------
        int
            Number of jobs deleted.
        """
        with self.keeper.lock:
            index = self.keeper.index
            index.refresh()
            ids = [
                entry.id
                for entry in index.entries.values()
                if not waiting or entry.state == "queued"
            ]
            self._delete(ids)
        self.keeper.nudge()
        return len(ids)

    def _delete(self, ids: list[str]) -> None:
        index = self.keeper.index
        self.keeper.withdraw(ids)
        for job_id in ids:
            if entry := index.entries.get(job_id):
                self.keeper.ledger.delete_job(job_id, entry.turn)
                index.remove(job_id)

    def sweep(self) -> int:
        """Remove jobs that ended longer ago than the retention; returns how many.

        An open queue does so every hour.
        """
        with self.keeper.lock:
            self.keeper.index.refresh()
            removed = sweep(self.keeper.index, self.keeper.ledger, self.keeper.retention_days)
        self.keeper.nudge()
        return removed

    # Closing

    def close(self) -> None:
        """Let go of the cluster; one that was started by this queue ends.

        Jobs that have not ended stay in the store, for whoever opens it next; on a cluster of
        somebody else's they go on.
        """
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        counts = ", ".join(f"{number:,} {state}" for state, number in sorted(self.count().items()))
        trouble = f"; {self.keeper.trouble}" if self.keeper.trouble else ""
        return f"<JobQueue {self.store}: {counts or 'no jobs'}{trouble}>"

    # Inside

    def _need_open(self) -> None:
        if self.keeper.is_closed:
            msg = "the queue is closed"
            raise ClusterError(msg, mend="Open another: JobQueue(store=...) knows the same jobs")

    def _need_all(self, ids: list[str]) -> None:
        self.keeper.index.refresh()
        for job_id in ids:
            if job_id not in self.keeper.index.entries:
                raise _no_such(job_id)

    def _id(self, job: object) -> str:
        return job.id if isinstance(job, Job | JobSnapshot) else str(job)


def _put(ledger: Ledger, job: JobRecord) -> JobRecord:
    while not ledger.put_job(job):
        job = replace(job, id=new_job_id())
    return job


def _no_such(job_id: str) -> JobNotFoundError:
    msg = f"there is no job {shown(job_id)}, or not any more"
    return JobNotFoundError(msg, mend="List the jobs to see their ids")


def _states(state: State | Iterable[State] | None) -> set[str] | None:
    if state is None:
        return None
    states = {state} if isinstance(state, str) else set(state)
    for each in states:
        if each not in get_args(State):
            msg = f"{shown(each)} is no state of a job"
            raise ProblemError(msg, field="state", mend=f"Use {', '.join(get_args(State))}")
    return set(states)


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run as a number that no table has a name for.
        return "nobody"
