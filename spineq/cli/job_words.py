"""Jobs in words: a table of many, the particulars of one."""

from __future__ import annotations

import json
import math
import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from spineq.jobs.states import State
from spineq.jobs.tasks import NETWORK_TASKS
from spineq.model._objective_words import counted

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot

#: Characters of an id that the table shows where room is short: the last ones tell jobs apart.
_SHORT_ID = 6

#: Tasks about sensors, whose parameters are those of a problem; and those that answer with one
#: network.
_PLACING = ("optimise", "trade_off", "evaluate", "random", "report")

#: Tasks that ask about a network, whose parameters have it.
_ASKING = ("explain", "robustness", "alternatives", "scenario")

#: Widths below which a column is rather left out than cut.
_LEAST_NOTE, _LEAST_CITY, _LEAST_TASK = 12, 13, 22


@dataclass
class _Column:
    """A column of the table of jobs; ``least`` is how narrow it may become."""

    head: str
    cells: list[str]
    least: int = 0
    right: bool = False

    @property
    def width(self) -> int:
        return max(_cells(text) for text in (self.head, *self.cells))

    @property
    def narrowest(self) -> int:
        return min(self.width, self.least) if self.least else self.width


def job_table(jobs: Sequence[JobSnapshot], width: int | None, ids: Sequence[str] = ()) -> str:
    """Write jobs as a table.

    Parameters
    ----------
    jobs
        What to list.
    width
        Characters of a line: what does not fit is shortened or left out. None for no limit.
    ids
        Of all jobs of the store, from which shortened ids must differ.
    """
    now = time.time()
    full = _Column("id", [job.id for job in jobs])
    short = _Column("id", _endings([job.id for job in jobs], ids))
    state = _Column("state", [state_words(job) for job in jobs])
    done = _Column("done", [_done(job) for job in jobs], right=True)
    task = _Column("task", [task_words(job) for job in jobs], _LEAST_TASK)
    coverage = _Column("coverage", [_value(job) for job in jobs], right=True)
    city = _Column("city", [plain(job.city_name) or "-" for job in jobs], _LEAST_CITY)
    user = _Column("user", [plain(job.user) for job in jobs])
    age = _Column("age", [span(now - job.created) for job in jobs], right=True)
    note = _Column("note and tags", [_note(job) for job in jobs], _LEAST_NOTE)
    noted = [note] if any(note.cells) else []
    layouts = [
        [full, state, done, task, city, coverage, user, age, *noted],
        [short, state, done, task, city, coverage, user, age, *noted],
        [short, state, done, task, city, user, age, *noted],
        [short, state, done, task, city, age, *noted],
        [short, state, done, task, city, user, age],
        [short, state, done, task, city, age],
        [short, state, done, task, age],
        [short, state, done],
    ]
    for columns in layouts:
        gaps = 2 * (len(columns) - 1)
        if width is None or sum(column.narrowest for column in columns) + gaps <= width:
            break
    room = None if width is None else width - gaps
    widths = {id(column): column.width for column in columns}
    for column in (note, city, task):
        if room is not None and id(column) in widths:
            over = sum(widths.values()) - room
            if over > 0:
                widths[id(column)] = max(column.narrowest, column.width - over)
    rows = zip(*(column.cells for column in columns), strict=True)
    head = _line(columns, widths, [column.head for column in columns])
    rule = "-" * (sum(widths.values()) + gaps)
    return "\n".join([head, rule, *(_line(columns, widths, row) for row in rows)])


def _line(columns: list[_Column], widths: Mapping[int, int], texts: Sequence[str]) -> str:
    parts = []
    for column, whole in zip(columns, texts, strict=True):
        text = _cut(whole, widths[id(column)])
        space = " " * (widths[id(column)] - _cells(text))
        parts.append(space + text if column.right else text + space)
    return "  ".join(parts).rstrip()


def _endings(shown: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Shorten ids as far as their endings differ from those of all others."""
    everything = set(ids) | set(shown)
    for length in range(_SHORT_ID, 16):
        if len({name[-length:] for name in everything}) == len(everything):
            return [name[-length:] for name in shown]
    return list(shown)


def _cells(text: str) -> int:
    """Width of a text on a terminal: Chinese, say, is two cells a character."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _cut(text: str, width: int) -> str:
    if _cells(text) <= width:
        return text
    while text and _cells(text) > width - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def plain(text: str) -> str:
    """Put a text on one line, without what would move a terminal's cursor."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def state_words(job: JobSnapshot) -> str:
    """State of a job; one whose answer is the best so far only ``finished early``."""
    return "finished early" if job.state == "finished" and job.cut_short else job.state


def _done(job: JobSnapshot) -> str:
    return "-" if job.state in ("queued", "expired") else percent_done(job)


def percent_done(job: JobSnapshot) -> str:
    """Share of the work that is done; 100 % only when it has finished."""
    return f"{job.percent_done} %"


def _value(job: JobSnapshot) -> str:
    value = job.progress.value
    return "-" if value is None or job.task not in NETWORK_TASKS else f"{100 * value:.1f} %"


def _note(job: JobSnapshot) -> str:
    tags = ", ".join(plain(tag) for tag in job.tags)
    return " ".join(filter(None, [plain(job.note), f"[{tags}]" if tags else ""]))


def task_words(job: JobSnapshot) -> str:
    """Name what a job does: ``optimise, 20 sensors``, or ``trade_off, 5 sensors, 4 groups``."""
    asked = dict(job.parameters)
    if job.task in _ASKING and (said := _question_words(job.task, asked)):
        return said
    sensors = asked.get("sensors")
    if job.task == "evaluate" and isinstance(sensors, list | str):
        here = isinstance(sensors, str)
        return f"evaluate, {'existing sensors' if here else counted(len(sensors), 'sensor')}"
    if job.task in _PLACING and isinstance(n := asked.get("n_sensors"), int):
        words = [job.task, counted(n, "sensor")]
        if job.task == "trade_off":
            words.append(counted(len(asked.get("groups") or {}), "group"))
        if job.task == "random":
            words.append(counted(asked.get("n_networks", 1000), "network"))
    else:
        words = [plain(job.task), *(f"{plain(key)} {plain(_json(asked[key]))}" for key in asked)]
    return ", ".join(words)


def _question_words(task: str, asked: Mapping[str, Any]) -> str:
    """Name a question about a network: ``robustness, 20 sensors, 2 fail``; empty if it is none."""
    found, listed = asked.get("network"), asked.get("scenarios")
    sensors = found.get("places") if isinstance(found, Mapping) else asked.get("sensors")
    if not isinstance(sensors, list):
        return ""
    words = [task, counted(len(sensors), "sensor")]
    if task == "scenario":
        words += [counted(len(listed), "scenario")] if isinstance(listed, list) else []
    elif task == "explain":
        words += [f"why none at {plain(str(asked['site']))}"] if asked.get("site") else []
        words += [] if asked.get("refuse", True) else ["without what each is worth"]
    elif task == "robustness":
        n = asked.get("failures", 1)
        words.append(f"{n} {'fails' if n == 1 else 'fail'}")
        if isinstance(chance := asked.get("probability"), float):
            words.append(f"probability {chance:g}")
        elif chance:
            words.append("probabilities of their own")
    else:
        words += [counted(asked.get("k", 3), "network")]
        words += [f"{n} different at least"] if (n := asked.get("min_different", 1)) != 1 else []
    return ", ".join(words)


def _asked_about(job: JobSnapshot) -> Mapping[str, Any] | None:
    """What was asked for the network that a job is about; None where it is about none."""
    if job.task not in _ASKING:
        return None
    found = job.parameters.get("network", job.parameters)
    problem = found.get("problem") if isinstance(found, Mapping) else None
    return problem if isinstance(problem, Mapping) else None


def asked_lines(job: JobSnapshot) -> list[tuple[str, str]]:
    """All that was asked, in words."""
    if (problem := _asked_about(job)) is not None:
        decay = f"{problem.get('decay', 'exponential')} decay"
        network = f"theta {problem.get('theta', 500):,g}, {decay}"
        groups = _groups_line(problem.get("groups"))
        return [("asked", task_words(job)), ("network", network), groups]
    if job.task not in _PLACING:
        return [("asked", task_words(job))]
    asked: dict[str, Any] = {
        "theta": 500.0,
        "method": "weighted" if job.task == "trade_off" else "auto",
        "decay": "exponential",
    } | job.parameters
    words = [f"theta {asked['theta']:,g}", f"{asked['decay']} decay"]
    if job.task not in ("evaluate", "random"):
        words.append(f"method {asked['method']}")
    if job.task == "trade_off":
        words += _search_words(asked)
    elif "seed" in asked:
        words.append(f"seed {asked['seed']}")
    lines = [("asked", ", ".join([task_words(job), *words]))]
    return [*lines, _groups_line(asked.get("groups"))]


def _groups_line(groups: Mapping[str, Any] | None) -> tuple[str, str]:
    words = "; ".join(_group(*each) for each in (groups or {}).items())
    return "groups", words or "all residents"


def _search_words(asked: Mapping[str, Any]) -> list[str]:
    """How a front is looked for, as far as it is not the usual."""
    words = []
    if (keep := asked.get("keep")) == "existing":
        words.append("the existing sensors stay")
    elif keep:
        words.append(f"{counted(len(keep), 'sensor')} {'stays' if len(keep) == 1 else 'stay'}")
    if forbid := asked.get("forbid"):
        words.append(counted(len(forbid), "forbidden site"))
    if asked.get("tolerance") is not None:
        words.append(f"tolerance {asked['tolerance']:g}")
    if asked.get("size", 200) != 200:
        words.append(f"{counted(asked['size'], 'network')} at most")
    usual = {"effort": 1.0, "seed": 0, "start": "cold"}
    words += [
        f"{name} {asked[name]}" for name, value in usual.items() if asked.get(name, value) != value
    ]
    return words


def _group(name: str, group: Mapping[str, Any]) -> str:
    ages = group.get("ages")
    who = f"ages {ages[0]} to {ages[1]}" if ages else f"column {plain(str(group.get('column')))}"
    weight = f", weight {group['weight']:g}" if "weight" in group else ""
    return f"{plain(name)} ({who}{weight})"


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def span(seconds: float) -> str:
    """Write an age: ``12 s``, ``5 min``, ``3 h``, ``4 days``."""
    for unit, name, until in ((1, "s", 60), (60, "min", 60), (3600, "h", 48)):
        if seconds < unit * until:
            return f"{max(0, int(seconds // unit))} {name}"
    return f"{int(seconds // 86_400):,} days"


def duration(seconds: float) -> str:
    """Write how long something took: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


def counts_words(counts: Mapping[State, int]) -> str:
    """Write numbers of jobs by state: ``12 jobs: 1 running, 11 finished``."""
    total = sum(counts.values())
    parts = [f"{counts[state]:,} {state}" for state in get_args(State) if counts.get(state)]
    return f"{total:,} job{'' if total == 1 else 's'}: {', '.join(parts)}"


def job_lines(job: JobSnapshot) -> list[tuple[str, str]]:
    """Everything about a job, as pairs of a label and words."""
    now = time.time()
    lines = asked_lines(job)
    lines.append(("city", plain(job.city_name) or "none"))
    by = [plain(job.user)]
    if job.priority:
        by.append(f"priority {job.priority}")
    if job.time_limit is not None:
        by.append(f"at most {duration(job.time_limit)} of computing")
    if job.expires_in is not None:
        by.append(f"at most {duration(job.expires_in)} of waiting")
    lines.append(("by", ", ".join(by)))
    lines.append(("tags", ", ".join(plain(tag) for tag in job.tags)))
    lines.append(("note", plain(job.note)))
    lines.append(("submitted", f"{_moment(job.created)}, {span(now - job.created)} ago"))
    if job.reused != "answer":
        lines += _times(job)
    last = plain(job.progress.message)
    lines.append(("progress", ", ".join(filter(None, [percent_done(job), last]))))
    lines.append(("coverage" if job.task in NETWORK_TASKS else "value", _figures(job)))
    lines.append(("computed", _how(job)))
    lines.append(("why", "" if job.error is None else failure_words(job)))
    return [(label, words) for label, words in lines if words]


def _times(job: JobSnapshot) -> list[tuple[str, str]]:
    lines = []
    if job.started is not None:
        waited = f", after {duration(job.started - job.created)}" if job.turn == 0 else ""
        lines.append(("started", f"{_moment(job.started)}{waited}"))
    if job.ended is not None:
        took = "" if job.started is None else f", took {duration(job.ended - job.started)}"
        lines.append(("ended", f"{_moment(job.ended)}{took}"))
    if job.worker:
        again = f", attempt {job.attempts}" if job.attempts > 1 else ""
        lines.append(("worker", f"{plain(job.worker)}{again}"))
    return lines


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _figures(job: JobSnapshot) -> str:
    value, bound = job.progress.value, job.progress.bound
    if value is None:
        return ""
    if job.task not in NETWORK_TASKS:
        return f"{value:g}" + ("" if bound is None else f", at most {bound:g} is possible")
    # What is claimed as a bound is rounded up.
    most = "" if bound is None else math.ceil(1000 * min(bound, 1.0) - 1e-6) / 10
    return f"{100 * value:.1f} %" + (f", at most {most:.1f} % is possible" if most else "")


def _how(job: JobSnapshot) -> str:
    return {
        "answer": "answered from the store: the same question had been computed before",
        "longer": "from a stored answer for more sensors",
        "shorter": "from a stored answer for fewer sensors",
    }.get(job.reused, "")


def failure_words(job: JobSnapshot) -> str:
    """Say why a job failed, without a full stop."""
    assert job.error is not None
    return plain(job.error.message).rstrip(".")


def early_words(job: JobSnapshot) -> str:
    """Say why an answer is the best so far only; empty where it is whole."""
    if job.cut_short == "time limit" and job.time_limit is not None:
        return f"This is the best found within the time limit of {duration(job.time_limit)}."
    if job.cut_short:
        return "This is the best found before the job was cancelled."
    return ""
