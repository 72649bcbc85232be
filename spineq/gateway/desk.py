"""What routes and events do with the queue, in one place and with the limits of the gateway.

Its methods block, for files and for locks: whoever serves requests calls them on a thread. Those
that are coroutines see to that themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from spineq.errors import (
    ClusterError,
    JobError,
    JobNotEndedError,
    JobNotFoundError,
    ProblemError,
    QueueFullError,
    SpineqError,
    StoreError,
    shown,
)
from spineq.gateway.answers import API, UNAVAILABLE, public_words
from spineq.gateway.original import city_word, emptied, job_dict, problem_words
from spineq.jobs.reading import no_such
from spineq.jobs.tasks import NETWORK_TASKS, with_groups

if TYPE_CHECKING:
    from spineq.gateway.cities import Cities
    from spineq.gateway.settings import Settings
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.jobs.watch import Watch
    from spineq.model.network import Network

_LOG = logging.getLogger(__name__)

#: Networks that are measured at once, and that wait for it; they hold up nothing else.
_MEASURED_AT_ONCE, _MOST_MEASURED = 2, 30


class Desk:
    """Submits, shows and deletes jobs for clients.

    Parameters
    ----------
    queue
        Whose jobs.
    cities
        About which cities.
    settings
        With which limits.
    """

    def __init__(self, queue: JobQueue, cities: Cities, settings: Settings) -> None:
        self.queue, self.cities, self.settings = queue, cities, settings
        self._measuring = CapacityLimiter(_MEASURED_AT_ONCE)
        self._watches: set[Watch] = set()

    # Words

    def said(self, error: SpineqError) -> str:
        """What clients may hear of an error: no place of this machine."""
        if isinstance(error, StoreError | ClusterError):
            _LOG.error("%s", error)
            return UNAVAILABLE
        return public_words(str(error), self.queue.store)

    def public(self, job: JobSnapshot) -> JobSnapshot:
        """Snapshot with nothing in it that is not for clients."""
        if job.error is None:
            return job
        message = public_words(job.error.message, self.queue.store)
        return replace(job, error=replace(job.error, message=message, traceback=""))

    # Submitting

    def submit(
        self,
        task: str,
        words: Mapping[str, Any],
        *,
        client: str,
        city: str | None = None,
        **request: Any,
    ) -> JobSnapshot:
        """Submit a job in a client's name.

        Parameters
        ----------
        task, words
            What is asked.
        client
            Whose job it is.
        city
            Code, name or digest; None for the default.
        **request
            As for `JobQueue.submit`; no job computes for longer than the gateway lets it.

        Raises
        ------
        ProblemError, DataError, UnknownIdError, QueueFullError, StoreError
            As `JobQueue.submit`, and for more sensors than the gateway takes.
        """
        self._check_number(words.get("n_sensors"))
        most = self.settings.limits.seconds
        if (asked := request.get("time_limit")) is None or asked > most:
            request["time_limit"] = most
        place = self.cities.named(city)
        job = self.queue.submit(place, task=task, user=client, **request, **words)
        return self.public(job.snapshot())

    def _check_number(self, number: object) -> None:
        most = self.settings.limits.sensors
        if isinstance(number, int) and number > most:
            msg = f"{shown(number)} sensors are more than this gateway takes"
            raise ProblemError(msg, field="n_sensors", mend=f"Give up to {most:,}")

    async def measured(
        self, sensors: Any, words: Mapping[str, Any], city: str | None = None
    ) -> dict[str, Any]:
        """Measure a network that somebody else has chosen, at once and without a bound.

        Raises
        ------
        UnknownSensorError, ProblemError, DataError, UnknownIdError
            As `spineq.evaluate`, and for more sensors than the gateway takes.
        QueueFullError
            Too many wait for that.
        """
        if self._measuring.statistics().tasks_waiting >= _MOST_MEASURED:
            msg = "too many networks are being measured"
            raise QueueFullError(msg, mend="Ask again in some seconds")
        if isinstance(sensors, Sequence) and not isinstance(sensors, str):
            self._check_number(len(sensors))

        def measure() -> dict[str, Any]:
            from spineq.solve import evaluate

            place = self.cities.named(city)
            return evaluate(place, sensors, bound="none", **with_groups(words)).to_dict()

        # Not waited for where the gateway is to end.
        return await run_sync(measure, limiter=self._measuring, abandon_on_cancel=True)

    # Looking

    def snapshot(self, job_id: object, task: str | None = None) -> JobSnapshot:
        """Look at a job.

        Parameters
        ----------
        job_id
            Its id; whatever a client sent for one.
        task
            Only a job of this task.

        Raises
        ------
        JobNotFoundError
            There is none of that id.
        """
        found = self.queue.snapshot(job_id) if isinstance(job_id, str) else None
        if found is None or task not in (None, found.task):
            raise no_such(job_id)
        return self.public(found)

    def jobs(self, **filters: Any) -> list[JobSnapshot]:
        """List jobs; words as for `JobQueue.jobs`."""
        return [self.public(job) for job in self.queue.jobs(**filters)]

    def has(self, job_id: str) -> bool:
        """Whether there is a job of that id."""
        try:
            self.queue.snapshot(job_id)
        except JobNotFoundError:
            return False
        return True

    def watch(self, job_id: str) -> Watch:
        """Follow a job, beginning with its present state.

        Raises
        ------
        JobNotFoundError
            There is none of that id.
        """
        watch: Watch = self.queue.get(job_id).watch()
        self._watches.add(watch)
        return watch

    def unwatch(self, watch: Watch) -> None:
        """End the following of a job."""
        self._watches.discard(watch)
        watch.stop()

    def close(self) -> None:
        """End what follows jobs: the gateway is to end."""
        for watch in list(self._watches):
            self.unwatch(watch)

    def network(self, job: JobSnapshot) -> Network:
        """Network that a job has found; as `answer`.

        Raises
        ------
        JobError
            Jobs of its task find none.
        """
        if job.task not in NETWORK_TASKS:
            msg = f"the result of the task {job.task!r} is no network"
            mend = "Read it with the library"
            raise JobError(msg, mend=f"Ask {API}/trade-offs" if job.task == "trade_off" else mend)
        found: Network = self.answer(job)
        return found

    def sensors(self, job: JobSnapshot) -> str:
        """GeoJSON of the sensors that a job has placed, by longitude and latitude; as `network`."""
        from spineq.model._exports import sensor_frame

        text: str = sensor_frame(self.network(job)).to_crs("EPSG:4326").to_json()
        return text

    def answer(self, job: JobSnapshot) -> Any:
        """Answer of a job; of one that was stopped, the best that it had.

        Raises
        ------
        JobNotEndedError
            It is still waiting or being done.
        JobError
            It has no answer, or the answer is damaged or gone.
        """
        if job.answer:
            return self.queue.load(job)
        if not job.has_ended:
            msg = f"job {job.id} is {job.state} and has no answer yet"
            raise JobNotEndedError(msg, mend="Follow its events, or ask again later")
        why = f": {job.error.message.rstrip('.')}" if job.error else ""
        msg = f"job {job.id} has {job.state} without an answer{why}"
        if job.state == "cancelled":
            msg = f"job {job.id} was cancelled before it had found anything"
        raise JobError(msg, mend="Retry it, or mend the question and submit that")

    # Changing

    def delete(self, job_id: object, task: str | None = None) -> str:
        """Cancel and delete a job; returns its id.

        Raises
        ------
        JobNotFoundError
            There is none of that id.
        """
        job = self.snapshot(job_id, task)
        self.queue.delete(job.id)
        return job.id

    # As the original

    def submit_original(self, given: Mapping[str, Any], client: str) -> JobSnapshot:
        """Submit what an original client asks for; see `submit`."""
        words = problem_words(given)
        words["method"] = self.settings.method
        return self.submit("optimise", words, client=client, city=city_word(given))

    def job_original(self, job_id: object) -> dict[str, Any]:
        """Describe a job, with its result, as the original did.

        Raises
        ------
        JobNotFoundError
            There is none of that id.
        """
        return self.described(self.snapshot(job_id))

    def described(self, job: JobSnapshot) -> dict[str, Any]:
        """Describe a job as the original did, with its network if it has finished."""
        has_network = job.state == "finished" and job.task in NETWORK_TASKS
        return job_dict(job, self.network(job).to_dict() if has_network else None)

    def queue_original(self) -> dict[str, list[str]]:
        """Ids of jobs by state, as the original listed them, the oldest first."""
        ids = self.queue.ids_by_state()
        return {
            "queued": ids["queued"],
            "started": sorted(ids["running"] + ids["cancelling"]),
            "finished": ids["finished"],
            "failed": ids["failed"],
        }

    def clear_original(self) -> dict[str, Any]:
        """Delete the jobs that wait, as the original did, and say how many."""
        removed = self.queue.clear(waiting=True)
        return emptied(removed, self.queue.count().get("queued", 0))
