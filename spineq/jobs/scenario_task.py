"""The task `scenario`: a network's problem solved again under other numbers of people.

`spineq.stability` asks for its jobs; each has a few scenarios of the city that the store has
anyway, and its worker draws the people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, shown
from spineq.jobs.tasks import Asked, Task

if TYPE_CHECKING:
    from spineq.insight.changes import Scenario
    from spineq.insight.scenario_jobs import Found
    from spineq.insight.trial_plan import Plan
    from spineq.model.city import City
    from spineq.progress import Progress

#: What the parameters are called.
WORDS = ("problem", "sensors", "seed", "poisson", "people_error", "scenarios")


def _read(parameters: Mapping[str, Any]) -> tuple[Plan, list[Scenario]]:
    """Read the parameters of a job.

    Raises
    ------
    ProblemError
        One is unknown, missing, or wrong.
    """
    from spineq.insight.changes import Scenario
    from spineq.insight.trial_plan import Plan

    words = dict(parameters)
    unknown = sorted(set(words) - set(WORDS))
    if unknown:
        msg = f"the task 'scenario' has no parameter {shown(unknown[0])}"
        raise ProblemError(msg, field=unknown[0], mend=f"Use {', '.join(WORDS)}")
    listed = words.pop("scenarios", None)
    if not isinstance(listed, list | tuple) or not listed:
        msg = f"the scenarios must be a list of dictionaries, not {shown(listed)}"
        raise ProblemError(msg, field="scenarios", mend='Write [{"number": 0}]')
    plan = Plan.from_dict(words)
    return plan, [Scenario.from_dict(plan.problem, each) for each in listed]


def _version_of(parameters: Mapping[str, Any]) -> str:
    from spineq.insight.scenarios import VERSION
    from spineq.model.problem import Problem
    from spineq.solvers import method_named

    problem = Problem.from_dict(parameters["problem"])
    goals = problem.objective != "mean"
    name, method = method_named(problem.method, problem.bound, goals=goals)
    return f"{name}-{method.version}-{VERSION}"


def _check(city: City | None, parameters: Mapping[str, Any]) -> Asked:
    from spineq.insight.scenario_jobs import job_words
    from spineq.insight.scenarios import Trial
    from spineq.jobs.records import digest

    assert city is not None  # check_asked saw to it
    plan, scenarios = _read(parameters)
    for scenario in scenarios:
        city.weights(scenario.problem.groups)
    Trial(city, plan)
    described = job_words(plan, scenarios) | plan.to_dict()
    # The titles of groups make no other question: the digest is without them.
    how = {name: described[name] for name in ("sensors", "seed", "poisson", "people_error")}
    asked = [f"{each.number} {each.problem.digest}" for each in scenarios]
    question = digest(plan.problem.digest, json.dumps(how, sort_keys=True), *asked)
    return Asked(described, _version_of(described), question)


def _scenario(city: City, progress: Progress, **parameters: Any) -> Found:
    from spineq.insight.scenario_jobs import solve_here

    return solve_here(city, *_read(parameters), progress)


def _dump(found: Found) -> bytes:
    answers, stopped = found
    made = {"answers": [answer.to_dict() for answer in answers], "stopped": stopped}
    return json.dumps(made, allow_nan=False).encode()


def _load(data: bytes) -> Found:
    from spineq.insight.scenarios import Answer

    try:
        made = json.loads(data)
        answers = [Answer.from_dict(each) for each in made["answers"]]
    except (TypeError, KeyError) as error:
        msg = f"these are no answers of scenarios ({error})"
        raise ValueError(msg) from error
    return answers, bool(made["stopped"])


def _was_stopped(found: Found) -> bool:
    return found[1]


#: The task of scenarios.
TASK = Task(
    name="scenario",
    function=_scenario,
    check=_check,
    version_of=_version_of,
    dump=_dump,
    load=_load,
    is_partial=_was_stopped,
    needs_city=True,
)
