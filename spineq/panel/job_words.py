"""A job as the page tells it: what it is about, how far it is, what its answer is called."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from spineq.model._objective_words import counted, gap_words, in_a_list, in_a_sentence, percent
from spineq.model.groups import GROUPS, Group
from spineq.model.network import PROVEN_GAP

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot

#: Groups that are named in the name of an answer; of others, only how many there are.
_NAMED = 2

#: What jobs of other tasks are about.
_QUESTIONS = {
    "explain": "Why sensors stand where they do",
    "robustness": "What is left when sensors fail",
    "alternatives": "Networks that are nearly as good",
    "scenario": "How sure the places are",
}


def name_of(job: JobSnapshot) -> str:
    """Name a job's answer: its note, or what was asked, and the end of its id.

    Examples
    --------
    ``20 sensors for older people (66+), job 8qhsm1``
    """
    if job.task == "evaluate" and job.note:
        return job.note  # a name, of which there is one
    if job.note:
        return f"{job.note}, job {job.id[-6:]}"
    said = _sensors(job) or "network"
    groups = [in_a_sentence(_group(*each)) for each in job.parameters.get("groups", {}).items()]
    if 1 <= len(groups) <= _NAMED:
        said += f" for {in_a_list(groups)}"
    elif groups:
        said += f" for {len(groups)} groups"
    return f"{said}, job {job.id[-6:]}"


def what_of(job: JobSnapshot) -> dict[str, str]:
    """Say what a job is about, in a line and a second one."""
    asked = job.parameters
    sensors = _sensors(job)
    theta = f"theta {asked['theta']:g}" if "theta" in asked else ""
    if job.task == "trade_off":
        sensors = f"Trade-offs of {sensors}"
    elif job.task == "evaluate":
        sensors = f"Saved network of {sensors}"
    elif job.task == "report":
        sensors = f"Report on {sensors}"
    elif job.task == "random":
        sensors = f"Random networks of {sensors}"
    elif job.task in _QUESTIONS:
        sensors = _QUESTIONS[job.task]
    elif job.task != "optimise":
        sensors = f"Task {job.task}"
    else:
        sensors = f"{sensors[:1].upper()}{sensors[1:]}"
    groups = ", ".join(_group(name, group) for name, group in asked.get("groups", {}).items())
    second = "; ".join(filter(None, [job.note, groups, job.city_name]))
    return {"text": ", ".join(filter(None, [sensors, theta])), "second": second}


def _sensors(job: JobSnapshot) -> str:
    asked = job.parameters
    n = asked.get("n_sensors") or len(asked.get("sensors", ()))
    beside = " beside the existing ones" if asked.get("keep") == "existing" else ""
    if asked.get("reach"):
        return f"fewest sensors{beside}"
    away, moved = (int(asked.get(name) or 0) for name in ("retire", "move_at_most"))
    if away or moved:
        done = [f"take away {away:,}"] if away else []
        done += [f"move up to {moved:,}"] if moved else []
        done += [f"add {int(n):,}"] if n else []
        return f"of today's sensors {', '.join(done)}"
    return f"{counted(int(n), 'sensor')}{beside}" if n else ""


def _group(name: str, described: dict[str, Any]) -> str:
    label = GROUPS[name].label if name in GROUPS else Group.from_dict(described).label
    weight = described.get("weight", 1)
    return label if weight == 1 else f"{label} x {weight:g}"


def progress_of(job: JobSnapshot) -> dict[str, Any]:
    """Say how far a job is, for a cell of progress."""
    progress = job.progress
    best = ""
    if progress.value is not None and job.task != "trade_off":
        best = f"coverage {percent(progress.value)}"
        if progress.bound:
            gap = (progress.bound - progress.value) / progress.bound
            near = f"at most {gap_words(gap)} from the best"
            best += ", proven best" if gap <= PROVEN_GAP else f", {near}"
    if job.state in ("running", "cancelling"):
        text = f"{job.percent_done} % {progress.message}"
        return {"fraction": progress.fraction, "text": text, "second": best}
    if job.error is not None:
        return {"fraction": 0, "bar": False, "text": job.error.message, "second": ""}
    words = progress.message if job.state == "queued" else best
    if job.cut_short:
        words = f"{words}; stopped early, the best so far is kept" if words else "stopped early"
    return {"fraction": progress.fraction, "bar": False, "text": words, "second": ""}


def times_of(job: JobSnapshot) -> dict[str, str]:
    """Say when a job was submitted, and how long it takes or took."""
    at = time.strftime("%H:%M", time.localtime(job.created))
    if time.time() - job.created > 86_400:
        at = time.strftime("%d %b %H:%M", time.localtime(job.created))
    if job.from_cache:
        return {"text": at, "second": "from the store"}
    if job.started is None:
        return {"text": at, "second": ""}
    took = max((job.ended or time.time()) - job.started, 0.0)
    return {"text": at, "second": duration(took)}


def duration(seconds: float) -> str:
    """Write a time taken, so that it changes once a second at most while it is running."""
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
