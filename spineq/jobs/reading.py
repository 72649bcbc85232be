"""What anybody may ask of the jobs in a store: list, look, wait, watch.

A little longer than most files, by the docstrings of the public class.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, get_args, overload

from spineq.errors import (
    ClusterError,
    JobError,
    JobNotEndedError,
    JobNotFoundError,
    NotInStoreError,
    ProblemError,
    UnknownIdError,
    shown,
)
from spineq.jobs import meeting
from spineq.jobs.records import is_job_id
from spineq.jobs.similar import nearest
from spineq.jobs.snapshot import JobSnapshot
from spineq.jobs.states import State
from spineq.jobs.tasks import Asked, Task, check_asked, run_digest, task_named
from spineq.jobs.watch import Watch
from spineq.jobs.worker import city_at

if TYPE_CHECKING:
    from distributed import Client

    from spineq.jobs.keeper import Keeper
    from spineq.model.city import City
    from spineq.model.problem import Problem


class Named(Protocol):
    """A job, or a snapshot of one."""

    @property
    def id(self) -> str:
        """Its name."""
        ...


class Reading:
    """The side of a queue that changes nothing.

    Parameters
    ----------
    keeper
        Keeps the index of all jobs.
    """

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper

    @property
    def trouble(self) -> str:
        """Why the store or the cluster cannot be used at the moment; empty if they can."""
        return self.keeper.trouble

    @property
    def is_served(self) -> bool:
        """Whether a cluster is known that runs the jobs of this store."""
        return self.keeper.carrier is not None or meeting.address(self.keeper.ledger) is not None

    @property
    def client(self) -> Client | None:
        """The Dask client that carries the jobs; None where there is none or it is not connected.

        It may be another one when a scheduler was replaced, or None for as long as the scheduler
        does not answer: ask anew each time, on any thread. Leave it to the queue to close it.
        """
        carrier = self.keeper.carrier
        # Read once: the queue's thread may put another one in its place.
        client = None if carrier is None else carrier.client
        if client is None or self.keeper.is_closed or client.status != "running":
            return None
        return client

    def snapshot(self, job: str | Named) -> JobSnapshot:
        """Everything about a job at this moment, as far as this process knows.

        Raises
        ------
        JobNotFoundError
            There is no such job.
        """
        job_id, index = name_of(job), self.keeper.index
        # Another process may have submitted it in this moment. Only then is all that is new listed:
        # strangers may ask for anything.
        if job_id not in index.entries and is_job_id(job_id) and self.keeper.ledger.has_job(job_id):
            self.keeper.refresh()
        with self.keeper.lock:
            if job_id not in index.entries:
                raise no_such(job_id)
            return index.snapshot(index.entries[job_id])

    def jobs(
        self,
        *,
        state: State | Iterable[State] | None = None,
        user: str | None = None,
        tag: str | None = None,
        task: str | None = None,
        city: City | str | None = None,
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
        task, city
            Only of this task, or about this city (or the one of this digest).
        limit, offset
            A page: so many, after so many.
        """
        states = states_of(state)
        where = city if city is None or isinstance(city, str) else city.digest
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
                and (where is None or entry.city == where)
            ]
            found.sort(key=lambda entry: entry.id, reverse=True)
            if task is not None:
                found = [entry for entry in found if index.record(entry).task == task]
            page = found[offset : None if limit is None else offset + limit]
            return [index.snapshot(entry) for entry in page]

    def ids(self) -> list[str]:
        """Ids of all jobs, the latest first."""
        with self.keeper.lock:
            return sorted(self.keeper.index.entries, reverse=True)

    def ids_by_state(self) -> dict[State, list[str]]:
        """Ids of all jobs, the oldest first, by state; every state is there."""
        made: dict[State, list[str]] = {state: [] for state in get_args(State)}
        with self.keeper.lock:
            for entry in self.keeper.index.entries.values():
                made[entry.state].append(entry.id)
        for ids in made.values():
            ids.sort()
        return made

    def count(self) -> dict[State, int]:
        """Number of jobs by state."""
        with self.keeper.lock:
            return dict(Counter(entry.state for entry in self.keeper.index.entries.values()))

    def refresh(self) -> None:
        """Look at the store now; otherwise it is looked at every second."""
        self.keeper.refresh()

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

    def answer_to(
        self,
        city: City | str,
        problem: Problem | None = None,
        *,
        task: str = "optimise",
        **parameters: Any,
    ) -> Any:
        """Answer that the store has to a question, whoever asked it; None where it has none.

        Parameters
        ----------
        city, problem, task, **parameters
            As for `submit`. Nothing is submitted.

        Raises
        ------
        ProblemError, DataError
            As for `submit`.
        UnknownTaskError
            There is no such task.
        """
        if problem is not None:
            parameters["problem"] = problem
        place, known = self._city(city), task_named(task)
        asked: Asked = check_asked(known, place, parameters)
        ledger = self.keeper.ledger
        run = run_digest(known, asked, "" if place is None else place.digest)
        if not ledger.has_answer(run):
            return None
        try:
            return known.load(ledger.answer(f"answers/{run}"))
        except (NotInStoreError, ValueError):
            # Pruned in this moment, or damaged: as good as none.
            return None

    def load(self, job: str | Named) -> Any:
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

    def wait_for(self, job: str | Named, timeout: float | None = None) -> JobSnapshot:
        """Wait until a job has ended; see `Job.wait`."""
        return self._wait_until(
            name_of(job), None if timeout is None else time.monotonic() + timeout, timeout
        )

    def _wait_until(self, job_id: str, end: float | None, timeout: float | None) -> JobSnapshot:
        keeper = self.keeper
        if keeper.is_here and not self.snapshot(job_id).has_ended:
            msg = "a callback of watch() cannot wait for a job"
            raise JobError(msg, mend="Wait in another thread")
        self.snapshot(job_id)
        with keeper.change:
            while True:
                entry = keeper.index.entries.get(job_id)
                if entry is None:
                    raise no_such(job_id)
                if job_id not in keeper.index.open:
                    return keeper.index.snapshot(entry)
                self._need_open()
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    trouble = keeper.trouble or ("" if self.is_served else "nobody runs its jobs")
                    trouble = trouble and f" ({trouble})"
                    msg = f"job {job_id} is {entry.state} after {timeout:g} seconds{trouble}"
                    raise JobNotEndedError(msg, mend="Wait longer; the job goes on")
                keeper.change.wait(left)

    def wait(
        self, jobs: Iterable[str | Named] | None = None, timeout: float | None = None
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
        return [self._wait_until(name_of(job), end, timeout) for job in jobs]

    @overload
    def watch(self, callback: None = None) -> Watch: ...

    @overload
    def watch(
        self,
        callback: Callable[[JobSnapshot], object],
        gone: Callable[[str | None], object] = ...,
    ) -> Callable[[], None]: ...

    def watch(
        self,
        callback: Callable[[JobSnapshot], object] | None = None,
        gone: Callable[[str | None], object] = lambda _: None,
    ) -> Watch | Callable[[], None]:
        """Follow all jobs.

        Parameters
        ----------
        callback
            Called with a snapshot of each job that changes, on a thread of the queue: it must
            return soon.
        gone
            Beside a callback: called with the id of a job that was deleted, and with None when the
            queue closes.

        Returns
        -------
        Watch or callable
            Without a callback an iterator of snapshots, which ends when its ``stop`` is called
            or the queue closes; with one, a function that ends the following.
        """
        return Watch(self.keeper) if callback is None else self.keeper.watch(callback, gone)

    def cities(self) -> dict[str, str]:
        """Names of the cities that jobs are about and the store still has, by digest.

        The city of the latest job comes first, and it is called what that job called it: two
        cities that differ in their label alone are one. To read one, give its digest to
        `load_city`. The store is asked for a list of its cities, no job is read from it.

        Raises
        ------
        StoreError
            The store cannot be listed.
        """
        with self.keeper.lock:
            named = self.keeper.index.city_names()
        # Without the lock: the store may be far away. One listing costs less than many looks.
        there = set(self.keeper.ledger.cities()) if named else set()
        return {digest: name for digest, name in named.items() if digest in there}

    def load_city(self, digest: str) -> City:
        """Read a city from the store; those used last are kept in this process.

        Parameters
        ----------
        digest
            Its `City.digest`, such as `cities` lists.

        Raises
        ------
        UnknownIdError
            The store does not have it.
        UnreadableFileError
            It is damaged.
        """
        if not isinstance(digest, str):
            msg = f"the digest of a city is text, not {shown(digest)}"
            raise UnknownIdError(msg, field="city", mend="Give one that cities() lists")
        found = self._city(digest)
        assert found is not None  # only None is no city
        return found

    def _city(self, city: City | str | None) -> City | None:
        if not isinstance(city, str):
            return city
        msg = f"the store has no city {shown(city)}"
        unknown = UnknownIdError(msg, field="city", mend="Give the city itself")
        if not (city.isascii() and city.isalnum()):
            # Not even a name that a store can keep.
            raise unknown
        try:
            return city_at(self.keeper.ledger, city)
        except NotInStoreError as error:
            raise unknown from error

    def city(self, job: str | Named) -> City | None:
        """City of a job; None for a task without one.

        Raises
        ------
        JobNotFoundError
            There is no such job.
        UnknownIdError
            The store does not have its city any more.
        """
        return self._city(self.snapshot(job).city or None)

    def _need_open(self) -> None:
        if self.keeper.is_closed:
            msg = "the queue is closed"
            raise ClusterError(msg, mend="Open another: JobQueue(store=...) knows the same jobs")


def name_of(job: str | Named) -> str:
    """Id of a job, however it is given."""
    return job if isinstance(job, str) else job.id


def no_such(job_id: object) -> JobNotFoundError:
    """Error for a job that does not exist."""
    msg = f"there is no job {shown(job_id)}, or not any more"
    return JobNotFoundError(msg, mend="List the jobs to see their ids")


def states_of(state: State | Iterable[State] | None) -> set[str] | None:
    """States that are meant; None for all."""
    if state is None:
        return None
    states = {state} if isinstance(state, str) else set(state)
    for each in states:
        if each not in get_args(State):
            msg = f"{shown(each)} is no state of a job"
            raise ProblemError(msg, field="state", mend=f"Use {', '.join(get_args(State))}")
    return set(states)
