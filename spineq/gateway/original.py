"""The original system's words: what its clients send, and what they are answered.

Facts of the wire are those of the system that spineq follows (its ``api/app.py``): names,
defaults and texts are the same to the letter. ``min_age`` and ``max_age`` work here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, shown

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot

#: What `/optimise` and `/coverage` take where nothing is said.
N_SENSORS, THETA = 5, 500.0

#: Defaults of what a job need not say.
OPTIONAL: dict[str, Any] = {
    "min_age": 0,
    "max_age": 90,
    "population_weight": 1.0,
    "workplace_weight": 0.0,
}

#: Words of a problem; others are passed over, as the original did.
_WORDS = ("n_sensors", "theta", *OPTIONAL)

#: What the original called our states; ours that it did not have keep their names.
_STATES = {"running": "started"}

MISSING = {"code": 400, "message": "Must supply n_sensors and theta."}


def problem_words(given: Mapping[str, Any]) -> dict[str, Any]:
    """Words of a problem, from those of a request.

    Raises
    ------
    ProblemError
        A value of the wrong type.
    """
    made = {**OPTIONAL, **{name: given[name] for name in _WORDS if given.get(name) is not None}}
    for name in ("n_sensors", "min_age", "max_age"):
        made[name] = _whole(made[name], name)
    return made


def city_word(given: Mapping[str, Any]) -> str | None:
    """City that a request names; None for the default.

    Raises
    ------
    ProblemError
        It is no text.
    """
    city = given.get("lad20cd")
    if city is None or isinstance(city, str):
        return city
    msg = f"lad20cd must be text, not {shown(city)}"
    raise ProblemError(msg, field="lad20cd", mend="Give a code, or leave it out")


def _whole(value: Any, name: str) -> Any:
    """A whole number that came as 3.0, as JSON and the original's ages may; else the value."""
    if isinstance(value, float):
        if value.is_integer():
            return int(value)
        msg = f"{name} must be a whole number, not {shown(value)}"
        raise ProblemError(msg, field=name, mend="Give for example 10")
    return value


def job_dict(job: JobSnapshot, result: Any = None) -> dict[str, Any]:
    """Describe a job by the original's keys."""
    return {
        "job_id": job.id,
        "call_str": call_of(job),
        "status": _STATES.get(job.state, job.state),
        "progress": progress_of(job),
        "last_message": message_of(job),
        "result": result,
    }


def progress_of(job: JobSnapshot) -> float:
    """Percent that is done, 0 to 100."""
    return round(100.0 * job.progress.fraction, 3)


def message_of(job: JobSnapshot) -> str:
    """What a job did last, in words; the original's own where it had some."""
    if job.error is not None:
        return job.error.message
    if job.state not in ("running", "cancelling"):
        return job.state.capitalize()
    number = job.parameters.get("n_sensors")
    if job.parameters.get("method") == "greedy" and isinstance(number, int):
        placed = min(int(job.progress.fraction * number), number - 1)
        return f"Placing sensor {placed + 1} out of {number}"
    return job.progress.message or "Started"


def call_of(job: JobSnapshot) -> str:
    """Write the call that a job stands for."""
    first = ("n_sensors", "theta")
    names = sorted(job.parameters, key=lambda name: (name not in first, name))
    words = [f"{name}={shown(job.parameters[name])}" for name in names]
    return f"spineq.{job.task}({', '.join([repr(job.city_name), *words])})"


def no_job(job_id: object) -> dict[str, Any]:
    """Answer where there is no job of an id."""
    name = job_id if isinstance(job_id, str) else shown(job_id)
    return {"error": {"code": 404, "message": f"No job with id {name[:80]}"}}


def deleted(job_id: str) -> dict[str, Any]:
    """Answer to a job's deletion."""
    return {"code": 200, "message": f"Successfully deleted job {job_id}"}


def emptied(removed: int, remaining: int) -> dict[str, Any]:
    """Answer to the deletion of all jobs."""
    code, words = 200, "Removed all jobs from the queue"
    if remaining:
        code, words = 400, "Failed to remove some jobs from the queue."
    return {
        "code": code,
        "message": words,
        "n_jobs_removed": removed,
        "n_jobs_remaining": remaining,
    }
