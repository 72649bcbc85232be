"""The queue: jobs in, answers out, on any Dask cluster, and no crash loses one.

A little longer than most files, by the docstrings of the public class.
"""

from __future__ import annotations

import getpass
import os
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from spineq.errors import JobError, ProblemError, shown
from spineq.jobs._host import clock_name
from spineq.jobs.job import Job
from spineq.jobs.keeper import Keeper
from spineq.jobs.ledger import Ledger
from spineq.jobs.prune import prune
from spineq.jobs.reading import Named, Reading, name_of, no_such, states_of
from spineq.jobs.records import JobRecord, new_job_id
from spineq.jobs.requests import checked_request, key_digest
from spineq.jobs.states import State, after
from spineq.jobs.submission import check_room, submitted
from spineq.jobs.tasks import check_asked, family_digest, run_digest, task_named

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


class JobQueue(Reading):
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
    max_waiting, max_waiting_per_user
        Jobs that may wait, of all and of one user; more are refused.
    retention_days
        Days for which jobs that have ended are kept.
    connect
        False to leave clusters alone: such a queue lists, watches, cancels and deletes jobs, and
        what it submits waits for a queue that connects.
    silence_logs
        Level of `logging` up to which a new cluster's processes keep Dask's own words to
        themselves; by default warnings are seen.

    Raises
    ------
    StoreError
        The store cannot be read or written.
    LedgerFormatError
        A later version of spineq wrote it.
    ClusterError
        The address is refused, or nobody answers there.

    Notes
    -----
    All methods raise `StoreError` where the store fails. On a cluster that is nearly idle, Dask
    sends the first few jobs straight to workers, where a more urgent one does not overtake them.

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
        max_waiting_per_user: int | None = None,
        retention_days: float = RETENTION_DAYS,
        connect: bool = True,
        silence_logs: int | None = None,
    ) -> None:
        self.store = str(default_store() if store is None else store)
        self.user = _user(user)
        self.max_waiting, self.max_waiting_per_user = max_waiting, max_waiting_per_user
        ledger = Ledger.open(self.store)
        options: dict[str, Any] = {
            name: value
            for name, value in (
                ("n_workers", n_workers),
                ("adapt", adapt),
                ("security", security),
                ("silence_logs", silence_logs),
            )
            if value is not None
        }
        keeper = Keeper(ledger, self.user, retention_days)
        if connect:
            # Whoever only looks need not wait for Dask to be imported.
            from spineq.jobs.carrier import Carrier

            options["allow_remote"] = allow_remote
            keeper.carrier = Carrier(cluster, ledger, keeper.hear, keeper.hear_done, options)
        keeper.open()
        super().__init__(keeper)
        self._known_cities: set[str] = set()
        # The keeper's thread does not hold the queue, so that one that nobody holds is closed.
        self._close = weakref.finalize(self, keeper.close)

    @property
    def owns_cluster(self) -> bool:
        """Whether this queue started its cluster, which then ends with it."""
        carrier = self.keeper.carrier
        return carrier is not None and carrier.is_own

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
        user: str | None = None,
        key: str | None = None,
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
            Name of the task: ``optimise``; ``trade_off``, with the parameters of
            `spineq.trade_off`; ``evaluate``, with those of `spineq.evaluate`, ``sensors`` among
            them; or what `spineq.register_task` made known.
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
        user
            Whose job it is, for the list and for turns; by default the queue's own user.
        key
            A name of the caller's own for this submission, up to 200 characters. Who never heard
            whether it went through submits it again under that name: it is never a second job.
        **parameters
            Of the task.

        Raises
        ------
        ProblemError, DataError
            A parameter is unknown, of the wrong type or out of its range; more sensors than
            sites; the city lacks the data of a group; or the key was given to another job.
        UnknownSensorError
            What ``evaluate`` is given as sensors names none of the city.
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
        whose = self.user if user is None else _user(user)
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
            user=whose,
            fresh=not reuse,
            key=key_digest(whose, key),
            **vars(request),
        )
        job_id = submitted(
            self.keeper,
            job,
            most_waiting=self.max_waiting,
            most_of_a_user=self.max_waiting_per_user,
        )
        self.keeper.nudge()
        return Job(self, job_id)

    def _keep_city(self, city: City) -> None:
        if city.digest in self._known_cities:
            return
        ledger = self.keeper.ledger
        if not ledger.has_city(city.digest):
            from spineq.data.packed import pack_city

            ledger.put_city(city.digest, pack_city(city))
        self._known_cities.add(city.digest)

    # Changing

    def get(self, job: str | Named) -> Job:
        """Job of an id.

        Raises
        ------
        JobNotFoundError
            There is none.
        """
        found = name_of(job)
        self.snapshot(found)
        return Job(self, found)

    def cancel(self, *jobs: str | Named) -> None:
        """Withdraw jobs; see `Job.cancel`.

        Raises
        ------
        JobNotFoundError
            One of them does not exist; then none is withdrawn.
        """
        ids = [name_of(job) for job in jobs]
        self.keeper.refresh()
        with self.keeper.lock:
            self._need_all(ids)
            self.keeper.withdraw(ids)
        self.keeper.nudge()

    def retry(self, *jobs: str | Named) -> None:
        """Give failed, cancelled or expired jobs a new attempt; see `Job.retry`.

        Raises
        ------
        JobNotFoundError, JobError
            One of them does not exist, or is in another state; then none is retried.
        QueueFullError
            Too many jobs would wait.
        """
        ids, keeper = [name_of(job) for job in jobs], self.keeper
        keeper.refresh()
        with keeper.lock:
            self._need_all(ids)
            entries = [keeper.index.entries[job_id] for job_id in ids]
            for entry in entries:
                if after(entry.state, "retried") == entry.state:
                    msg = f"job {entry.id} is {entry.state}"
                    mend = "Only a job that failed, was cancelled or has expired can be retried"
                    raise JobError(msg, mend=mend)
            users = [entry.user for entry in entries]
            check_room(keeper, users, self.max_waiting, self.max_waiting_per_user)
            for entry in entries:
                keeper.new_turn(entry, retried=True)
                if entry.record is not None:
                    keeper.start(entry.record, entry.attempt)
        keeper.nudge()

    def delete(self, *jobs: str | Named) -> None:
        """Cancel jobs that have not ended, and remove them from the ledger.

        Answers stay for other jobs of the same run, until they are pruned.

        Raises
        ------
        JobNotFoundError
            One of them does not exist; then none is deleted.
        """
        ids = [name_of(job) for job in jobs]
        self.keeper.refresh()
        with self.keeper.lock:
            self._need_all(ids)
            self._delete(ids)
        self.keeper.nudge()

    def clear(self, *, waiting: bool = False, state: State | Iterable[State] | None = None) -> int:
        """Cancel and delete all jobs of the store, of whoever they are.

        Parameters
        ----------
        waiting
            Only those that wait.
        state
            Only those in this state, or in one of these.

        Returns
        -------
        int
            Number of jobs deleted.
        """
        states = {"queued"} if waiting else states_of(state)
        self.keeper.refresh()
        with self.keeper.lock:
            index = self.keeper.index
            ids = [
                entry.id
                for entry in index.entries.values()
                if states is None or entry.state in states
            ]
            self._delete(ids)
        self.keeper.nudge()
        return len(ids)

    def _delete(self, ids: list[str]) -> None:
        index = self.keeper.index
        self.keeper.withdraw(ids)
        for job_id in ids:
            if entry := index.entries.get(job_id):
                key = index.record(entry).key
                self.keeper.ledger.delete_job(job_id, entry.turn, key)
                index.remove(job_id)

    def prune(self) -> int:
        """Remove jobs that ended longer ago than the retention; returns how many.

        An open queue does so every hour.
        """
        self.keeper.refresh()
        with self.keeper.lock:
            removed = prune(self.keeper.index, self.keeper.ledger, self.keeper.retention_days)
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
        closed = ", closed" if self.keeper.is_closed else ""
        where = self.keeper.ledger.store.where
        return f"<JobQueue {where}: {counts or 'no jobs'}{closed}{trouble}>"

    # Inside

    def _need_all(self, ids: list[str]) -> None:
        for job_id in ids:
            if job_id not in self.keeper.index.entries:
                raise no_such(job_id)


def _user(user: object) -> str:
    if user is not None and not (isinstance(user, str) and user.strip() and user.isprintable()):
        msg = f"{shown(user)} is no name of a user"
        raise ProblemError(msg, field="user", mend="Give a word, or leave it out")
    if isinstance(user, str):
        return user
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run as a number that no table has a name for.
        return "nobody"
