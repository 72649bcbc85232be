"""A job as a reader sees it: frozen, complete, without the queue behind it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from spineq.jobs.records import Beat, JobRecord, Lease, Outcome, Withdrawal
from spineq.jobs.states import ENDED, State


@dataclass(frozen=True)
class JobProgress:
    """How far a job is.

    Parameters
    ----------
    fraction
        Share of the work that is done, 0 to 1.
    message
        What is being done, a few words.
    value, bound
        Best objective and its proven bound so far; None before there are any.
    """

    fraction: float = 0.0
    message: str = ""
    value: float | None = None
    bound: float | None = None


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed: the name of the exception's class, its sentence, its traceback."""

    type: str
    message: str
    traceback: str = ""


@dataclass(frozen=True, repr=False)
class JobSnapshot:
    """A job at one moment.

    Parameters
    ----------
    id
        Its name.
    state
        ``queued, running, cancelling, finished, failed, cancelled`` or ``expired``; see
        `spineq.jobs.states`.
    task, parameters
        What was asked, in JSON's types.
    city, city_name
        Digest of the city, and its name.
    user, tags, note, priority, time_limit, expires_in
        As the person gave them.
    created, started, ended
        Seconds since 1970: by the clock of who submitted it, and of the worker; None where that
        is still to come.
    worker
        Address of the worker.
    attempts
        How many times a worker took the job up, this turn; 0 for an answer from the store.
    progress
        How far it is, the last word if it has ended.
    error
        Why it failed.
    reused
        ``"answer"``: the same run had been computed. ``"longer"``, ``"shorter"``: the worker
        starts from a stored answer for more, or fewer, sensors. Empty: computed from nothing.
    cut_short
        ``"time limit"`` or ``"cancelled"`` where the answer is the best so far only.
    answer
        Name of the answer in the store; empty where there is none.
    run, attempt, turn
        Names in the ledger: what is computed, the attempt at it, and how often the job was
        given a new one.
    """

    id: str
    state: State
    task: str
    parameters: dict[str, Any]
    city: str
    city_name: str
    user: str
    tags: tuple[str, ...]
    note: str
    priority: int
    time_limit: float | None
    expires_in: float | None
    created: float
    started: float | None
    ended: float | None
    worker: str
    attempts: int
    progress: JobProgress
    error: JobFailure | None
    reused: str
    cut_short: str
    answer: str
    run: str
    attempt: str
    turn: int

    def __repr__(self) -> str:
        where = f", {self.city_name}" if self.city_name else ""
        share = f" {self.progress.fraction:.0%}" if self.state == "running" else ""
        return f"<JobSnapshot {self.id}: {self.state}{share}, {self.task}{where}>"

    @property
    def has_ended(self) -> bool:
        """Whether nothing happens any more, unless somebody retries."""
        return self.state in ENDED

    @property
    def percent_done(self) -> int:
        """Share of the work that is done, percent, rounded down; 100 only when it has finished."""
        share = math.floor(100 * self.progress.fraction + 1e-9)
        return share if self.state == "finished" else min(share, 99)

    @property
    def from_cache(self) -> bool:
        """Whether the answer was in the store when the job was submitted."""
        return self.reused == "answer"

    def to_dict(self) -> dict[str, Any]:
        """Describe the snapshot in JSON's types."""
        made = asdict(self)
        made["tags"] = list(self.tags)
        made["from_cache"] = self.from_cache
        return made


def snapshot_of(
    job: JobRecord,
    *,
    state: State,
    turn: int,
    attempt: str,
    withdrawal: Withdrawal | None,
    lease: Lease | None,
    beat: Beat | None,
    outcome: Outcome | None,
) -> JobSnapshot:
    """Put together what the ledger knows of a job."""
    started = ended = None
    progress, worker, attempts = JobProgress(), "", 0
    answer, cut_short, error = "", "", None
    if lease is not None:
        started, worker, attempts = lease.at or None, lease.worker, lease.number
    if beat is not None:
        progress = JobProgress(beat.fraction, beat.message, beat.value, beat.bound)
    if state == "queued" and attempts:
        # Nobody is at it, whatever its last worker wrote.
        message = f"interrupted at {progress.fraction:.0%}, starts again"
        started, worker, progress = None, "", JobProgress(message=message)
    if outcome is not None:
        started, worker, attempts = outcome.began, outcome.worker, outcome.lease
        progress = JobProgress(outcome.fraction, outcome.message, outcome.value, outcome.bound)
        if state in ENDED:
            ended, answer, cut_short = outcome.ended, outcome.answer, outcome.cut_short
        if state == "failed":
            words = {"type": "Error", "message": "it failed"} | outcome.error
            error = JobFailure(words["type"], words["message"], words.get("traceback", ""))
    if withdrawal is not None and state in ("cancelled", "expired"):
        ended = ended or withdrawal.at
    if not attempt:
        started = ended = job.created
        answer = f"answers/{job.run}"
        progress = JobProgress(1.0, "answered from the store", job.value, job.bound)
    return JobSnapshot(
        id=job.id,
        state=state,
        task=job.task,
        parameters=job.parameters,
        city=job.city,
        city_name=job.city_name,
        user=job.user,
        tags=tuple(job.tags),
        note=job.note,
        priority=job.priority,
        time_limit=job.time_limit,
        expires_in=job.expires_in,
        created=job.created,
        started=started,
        ended=ended,
        worker=worker,
        attempts=attempts,
        progress=progress,
        error=error,
        reused=job.reused,
        cut_short=cut_short,
        answer=answer,
        run=job.run,
        attempt=attempt,
        turn=turn,
    )
