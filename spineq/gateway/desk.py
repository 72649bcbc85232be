"""What routes and events do with the queue, in one place and with the limits of the gateway.

Its methods block: for files and for locks. Whoever serves requests calls them on a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spineq.errors import JobError, JobNotEndedError, JobNotFoundError, ProblemError, shown
from spineq.gateway.original import emptied, job_dict, problem_words
from spineq.jobs.records import is_job_id
from spineq.jobs.tasks import with_groups

if TYPE_CHECKING:
    from spineq.gateway.cities import Cities
    from spineq.gateway.settings import Settings
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.model.network import Network

#: Networks that are measured at once; more wait.
_MEASURED_AT_ONCE = 2


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
        self._measuring = threading.Semaphore(_MEASURED_AT_ONCE)

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
        return self.queue.submit(place, task=task, user=client, **request, **words).snapshot()

    def _check_number(self, number: object) -> None:
        most = self.settings.limits.sensors
        if isinstance(number, int) and number > most:
            msg = f"{shown(number)} sensors are more than this gateway takes"
            raise ProblemError(msg, field="n_sensors", mend=f"Give up to {most:,}")

    def measure(self, sensors: Any, words: Mapping[str, Any], city: str | None = None) -> Network:
        """Measure a network that somebody else has chosen, at once and without a bound.

        Raises
        ------
        UnknownSensorError, ProblemError, DataError, UnknownIdError
            As `spineq.evaluate`, and for more sensors than the gateway takes.
        """
        from spineq.solve import evaluate

        if isinstance(sensors, Sequence) and not isinstance(sensors, str):
            self._check_number(len(sensors))
        place = self.cities.named(city)
        with self._measuring:
            return evaluate(place, sensors, bound="none", **with_groups(words))

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
        if is_job_id(job_id):
            found = self.queue.snapshot(str(job_id))
            if task in (None, found.task):
                return found
        msg = f"there is no job {shown(job_id)}, or not any more"
        raise JobNotFoundError(msg, mend="Give the id that came with the job")

    def result(self, job: JobSnapshot) -> Any:
        """Answer of a job, in JSON's types; of one that was stopped, the best that it had.

        Raises
        ------
        JobNotEndedError
            It is still waiting or being done.
        JobError
            It has no answer, or the answer is damaged or gone.
        """
        if job.answer:
            found = self.queue.load(job)
            return found.to_dict() if hasattr(found, "to_dict") else found
        if not job.has_ended:
            msg = f"job {job.id} is {job.state} and has no answer yet"
            raise JobNotEndedError(msg, mend="Follow its events, or ask again later")
        why = f": {job.error.message.rstrip('.')}" if job.error else ""
        msg = f"job {job.id} has {job.state} without an answer{why}"
        if job.state == "cancelled":
            msg = f"job {job.id} was cancelled before it had found anything"
        raise JobError(msg, mend="Mend what is wrong, then retry it")

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
        city = given.get("lad20cd")
        if city is not None and not isinstance(city, str):
            msg = f"lad20cd must be text, not {shown(city)}"
            raise ProblemError(msg, field="lad20cd", mend="Give a code, or leave it out")
        return self.submit("optimise", words, client=client, city=city)

    def job_original(self, job_id: object) -> dict[str, Any]:
        """Describe a job, with its result, as the original did.

        Raises
        ------
        JobNotFoundError
            There is none of that id.
        """
        return self.described(self.snapshot(job_id))

    def described(self, job: JobSnapshot) -> dict[str, Any]:
        """Describe a job as the original did, with its result if it has finished."""
        return job_dict(job, self.result(job) if job.state == "finished" else None)

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
