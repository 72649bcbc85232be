"""The task `report`: a report as a job, whose result is its files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, shown
from spineq.jobs.records import digest
from spineq.jobs.tasks import Asked, Task, task_named
from spineq.model.problem import Problem
from spineq.report.asked import Parameters, absolute_store, question_of
from spineq.report.bundle import Bundle, bundle_from_bytes

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.progress import Progress

#: Raise it when the same question makes another report.
_VERSION = 2

#: Parameters of a report that a job has, beside the fields of a problem.
_BESIDE = ("by", "weights", "sections", "refuse", "scenarios", "store", "what_if")

#: Fields of a problem that are parameters of their own.
_OWN = ("n_sensors", "theta", "groups", "method")


def _version_of(parameters: Mapping[str, Any]) -> str:
    asked = dict(parameters["rules"]) | {"method": parameters["method"]}
    parts = [task_named("optimise").version_of(asked)]
    others = ("trade_off", "explain", "robustness", "alternatives")
    parts += [task_named(name).version_of({}) for name in others]
    return ",".join([f"report-{_VERSION}", *parts])


def _check(city: City | None, parameters: Mapping[str, Any]) -> Asked:
    assert city is not None  # check_asked saw to it
    words = dict(parameters)
    problem = words.pop("problem", None)
    if problem is not None:
        if not isinstance(problem, Problem):
            msg = f"a Problem is needed, not {shown(problem)}"
            raise ProblemError(msg, field="problem", mend="Write for example n_sensors=20")
        # Also what is at its default there: a report's own usual groups are others.
        words |= problem.to_dict() | {"groups": dict(problem.groups), "theta": problem.theta}
    what_if = words.pop("what_if", False)
    if not isinstance(what_if, bool):
        msg = f"what_if must be true or false, not {shown(what_if)}"
        raise ProblemError(msg, field="what_if", mend="Write what_if=True")
    asked = _parameters(words)
    question = question_of(asked, city)
    problem = question.problem
    rules = {name: value for name, value in problem.to_dict().items() if name not in _OWN}
    # In one form, however it was asked.
    chosen = {
        "sections": None if asked.sections is None else sorted(set(asked.sections)),
        "refuse": asked.refuse,
        "scenarios": asked.scenarios,
    }
    described = {
        "n_sensors": problem.n_sensors,
        "theta": problem.theta,
        "groups": {name: group.to_dict() for name, group in problem.groups},
        "method": problem.method,
        "rules": rules,
        "by": asked.by,
        **chosen,
        # The worker may stand in another folder.
        "store": absolute_store(asked.store),
        "what_if": what_if,
    }
    # Where answers are looked up makes no other question.
    unusual = {name: value for name, value in chosen.items() if value is not None}
    named = digest(
        problem.digest,
        described["groups"],
        asked.by or "",
        what_if,
        *([unusual] if unusual else []),
    )
    return Asked(described, _version_of(described), named)


def _parameters(words: Mapping[str, Any]) -> Parameters:
    """Sort a job's words into a report's parameters and further rules."""
    from spineq.model.groups import Group

    known = {one.name for one in fields(Problem)}
    unknown = sorted(set(words) - known - {*_BESIDE, *_OWN, "rules"})
    if unknown:
        msg = f"the task 'report' has no parameter {shown(unknown[0])}"
        mend = f"Use {', '.join([*_BESIDE, *sorted(known)])}"
        raise ProblemError(msg, field=unknown[0], mend=mend)
    rules = {name: value for name, value in words.items() if name in known - set(_OWN)}
    made = {name: value for name, value in words.items() if name not in rules}
    if rules:
        given = made.get("rules") or {}
        # What is none of a mapping is refused with the rest.
        made["rules"] = {**given, **rules} if isinstance(given, Mapping) else given
    groups = made.get("groups")
    if isinstance(groups, Mapping):
        made["groups"] = {
            name: group.to_dict() if isinstance(group, Group) else group
            for name, group in groups.items()
        }
    return Parameters.from_dict(made)


def _report(city: City, progress: Progress, *, what_if: bool, **parameters: Any) -> Bundle:
    from spineq.report.making import write_report

    asked = Parameters.from_dict(parameters)
    with tempfile.TemporaryDirectory(prefix="spineq-report-") as place:
        folder = Path(place) / "report"
        made = write_report(asked, folder, city=city, what_if=what_if, progress=progress)
        return Bundle({}) if made is None else Bundle.of(folder)


def _dump(bundle: Bundle) -> bytes:
    return bundle.to_bytes()


def _was_stopped(bundle: Bundle) -> bool:
    return not bundle.files


#: The task of reports.
TASK = Task(
    name="report",
    function=_report,
    check=_check,
    version_of=_version_of,
    dump=_dump,
    load=bundle_from_bytes,
    is_partial=_was_stopped,
    needs_city=True,
)
