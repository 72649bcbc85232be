"""Tasks that jobs may ask for: each with a name, a function, a version and its parameters."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, UnknownTaskError, shortened, shown
from spineq.jobs.records import digest

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.progress import Progress


@dataclass(frozen=True)
class Asked:
    """Parameters that were checked, and what follows from them.

    Parameters
    ----------
    parameters
        In JSON's types, complete and in one form only, so that equal questions look equal.
    version
        What the answer depends on beside parameters and city.
    question
        What makes the question another one, where that is less than the parameters; else empty.
    family, size
        What a longer or shorter answer shares with this one, and its place among them; empty
        where no other answer helps.
    """

    parameters: dict[str, Any]
    version: str
    question: str = ""
    family: str = ""
    size: int = 0


@dataclass(frozen=True)
class Task:
    """A computation that jobs may ask for by name.

    Parameters
    ----------
    name
        Name of the task.
    function
        ``function(city, progress, **parameters)`` returns the result. It reports to
        ``progress`` (`spineq.progress.Progress`) at least every 50 ms, and when that answers
        True it returns what it has. It gets ``earlier=`` too where the task has families.
    check
        ``check(city, parameters)`` returns what is `Asked`, or raises ProblemError.
    version_of
        ``version_of(parameters)`` is the version that this process has, for checked parameters.
    dump, load
        Bytes of a result, and back.
    is_partial
        Whether a result is the best so far only; by default what was asked to stop.
    figures
        Value and bound of a result, for the list of jobs.
    needs_city
        Whether a job of this task needs a city.
    """

    name: str
    function: Callable[..., Any]
    check: Callable[[City | None, Mapping[str, Any]], Asked]
    version_of: Callable[[Mapping[str, Any]], str]
    dump: Callable[[Any], bytes]
    load: Callable[[bytes], Any]
    is_partial: Callable[[Any], bool] | None = None
    figures: Callable[[Any], tuple[float | None, float | None]] | None = None
    needs_city: bool = False


_TASKS: dict[str, Task] = {}

#: Tasks whose answer is a network.
NETWORK_TASKS = ("optimise", "evaluate")

#: Words that no parameter of a task can have.
_RESERVED = frozenset(
    ["city", "problem", "task", "priority", "tags", "note", "time_limit", "expires_in"]
) | {"reuse", "user", "key", "progress", "earlier"}

#: Types that a parameter may have.
_TYPES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"} | {
    list: "a list",
    dict: "a dictionary",
}


def register_task(
    name: str,
    function: Callable[..., Any],
    *,
    version: int = 1,
    parameters: Mapping[str, type | tuple[type, Any]] | None = None,
    needs_city: bool = False,
) -> Task:
    """Make a function a task that `spineq.JobQueue.submit` knows by name.

    Parameters
    ----------
    name
        Name of the task; an earlier task of that name is replaced.
    function
        ``function(city, progress, **parameters)``. The workers must be able to import it, or it
        must be defined in a notebook or script. What it returns must be JSON. It calls
        ``progress.report(fraction, words)`` at least every 50 ms, and returns what it has when
        that answers True: that is the only way to stop it, by a cancel or a time limit.
    version
        A whole number; raise it when the same parameters give another answer, so that stored
        answers of the old version are not served.
    parameters
        Type of each parameter by name (bool, int, float, str, list or dict), or a pair of
        type and default.
    needs_city
        Whether it needs a city; the function gets None where it does not.

    Returns
    -------
    Task
        The task.

    Raises
    ------
    ProblemError
        The name is empty, the version no whole number, a type is none of those, or a default
        not of its type (nor None).

    Examples
    --------
    >>> def count(city, progress, *, up_to):
    ...     total = 0
    ...     for number in range(up_to):
    ...         total += number
    ...         if progress.report(number / up_to, f"at {number}"):
    ...             break
    ...     return total
    >>> task = register_task("count", count, parameters={"up_to": int})
    """
    if not isinstance(name, str) or not name.isprintable() or not name.strip():
        msg = f"{shown(name)} is no name of a task"
        raise ProblemError(msg, field="name", mend="Give a word, such as 'sweep'")
    if isinstance(version, bool) or not isinstance(version, int):
        msg = f"the version must be a whole number, not {shown(version)}"
        raise ProblemError(msg, field="version", mend="Write version=1")
    schema: dict[str, type | tuple[type, Any]] = {}
    for word, kind in dict(parameters or {}).items():
        if word in _RESERVED:
            msg = f"{word!r} means something else to submit or to the task"
            raise ProblemError(msg, field=word, mend="Give the parameter another name")
        wanted, *default = kind if isinstance(kind, tuple) and len(kind) == 2 else (kind,)
        if not isinstance(wanted, type) or wanted not in _TYPES:
            msg = f"{shown(kind)} is no type of a parameter"
            allowed = ", ".join(each.__name__ for each in _TYPES)
            raise ProblemError(msg, field=word, mend=f"Use one of {allowed}")
        schema[word] = wanted
        if default:
            # None stands for a parameter that was not given.
            given = None if default[0] is None else _typed(word, default[0], wanted)
            schema[word] = wanted, given

    task = Task(
        name=name,
        function=function,
        check=_Schema(name, str(version), schema),
        version_of=_Constant(str(version)),
        dump=_to_json,
        load=json.loads,
        needs_city=needs_city,
    )
    _TASKS[name] = task
    return task


def add_task(task: Task) -> None:
    """Make a task of our own known under its name."""
    _TASKS[task.name] = task


@dataclass(frozen=True)
class _Constant:
    """The same version for all parameters."""

    version: str

    def __call__(self, parameters: Mapping[str, Any]) -> str:
        return self.version


#: Tasks that stand on this module, each in one that is imported when somebody asks for it.
_ELSEWHERE = {
    "alternatives": "spineq.jobs.question_tasks",
    "evaluate": "spineq.jobs.evaluate_task",
    "explain": "spineq.jobs.question_tasks",
    "trade_off": "spineq.jobs.front_task",
    "random": "spineq.jobs.random_task",
    "report": "spineq.report.task",
    "robustness": "spineq.jobs.question_tasks",
    "scenario": "spineq.jobs.scenario_task",
}


def task_named(name: str) -> Task:
    """Look up a task.

    Raises
    ------
    UnknownTaskError
        It was not registered in this process.
    """
    if name not in _TASKS and name in _ELSEWHERE:
        module = importlib.import_module(_ELSEWHERE[name])
        add_task(module.TASKS[name] if hasattr(module, "TASKS") else module.TASK)
    if name not in _TASKS:
        msg = f"there is no task {shown(name)}"
        known = sorted({*_TASKS, *_ELSEWHERE})
        mend = f"Use one of {', '.join(known)}, or register it with register_task"
        raise UnknownTaskError(msg, field="task", mend=mend)
    return _TASKS[name]


def check_asked(task: Task, city: City | None, parameters: Mapping[str, Any]) -> Asked:
    """Check the parameters of a job before it is submitted.

    Raises
    ------
    ProblemError
        A parameter is unknown, missing, of the wrong type or out of its range; or the city is.
    DataError
        The city lacks the data of a group.
    """
    if task.needs_city and city is None:
        msg = f"the task {task.name!r} needs a city"
        raise ProblemError(msg, field="city", mend="Give it as the first argument of submit")
    if not task.needs_city and city is not None:
        msg = f"the task {task.name!r} takes no city"
        raise ProblemError(msg, field="city", mend="Leave it out")
    return task.check(city, parameters)


@dataclass(frozen=True)
class _Schema:
    """Checks parameters against their types."""

    task: str
    version: str
    types: Mapping[str, type | tuple[type, Any]]

    def __call__(self, city: City | None, parameters: Mapping[str, Any]) -> Asked:
        unknown = sorted(set(parameters) - set(self.types))
        if unknown:
            msg = f"the task {self.task!r} has no parameter {shown(unknown[0])}"
            mend = f"Use {', '.join(sorted(self.types))}" if self.types else "It takes none"
            raise ProblemError(msg, field=unknown[0], mend=mend)
        made = {}
        for name, kind in self.types.items():
            wanted = kind[0] if isinstance(kind, tuple) else kind
            if name in parameters:
                made[name] = _typed(name, parameters[name], wanted)
            elif isinstance(kind, tuple):
                made[name] = kind[1]
            else:
                msg = f"the parameter {name} is missing"
                raise ProblemError(msg, field=name, mend=f"Give {_TYPES[wanted]}")
        return Asked(made, self.version)


def _typed(name: str, value: Any, wanted: type) -> Any:
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        with suppress(OverflowError):
            value = float(value)
    endless = isinstance(value, float) and not math.isfinite(value)
    if type(value) is not wanted or endless:
        msg = f"{name} must be {_TYPES[wanted]}, not {shown(value)}"
        raise ProblemError(msg, field=name, mend=f"Give {_TYPES[wanted]}")
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"{name} holds what JSON cannot hold ({shortened(str(error), 200)})"
        raise ProblemError(msg, field=name, mend="Use numbers, text and lists") from error


def _to_json(result: Any) -> bytes:
    try:
        return json.dumps(result, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"the task's result is not JSON ({shortened(str(error), 200)})"
        raise ProblemError(msg, mend="Return numbers, text, lists or dictionaries") from error


def run_digest(task: Task, asked: Asked, city: str) -> str:
    """Name of a run: the same for everybody who asks the same."""
    return digest(task.name, asked.version, city, asked.question or asked.parameters)


def family_digest(task: Task, asked: Asked, city: str) -> str:
    """Name of a family of runs; empty where the task has none."""
    return digest(task.name, asked.version, city, asked.family) if asked.family else ""


def with_groups(words: Mapping[str, Any]) -> dict[str, Any]:
    """Words whose groups are `Group`, also where they were described in JSON's types.

    Raises
    ------
    ProblemError
        What describes a group has a key that no group has, or a value out of its range.
    """
    from spineq.model.groups import Group

    made, groups = dict(words), words.get("groups")
    if isinstance(groups, Mapping):
        made["groups"] = {
            name: Group.from_dict(group) if isinstance(group, Mapping) else group
            for name, group in groups.items()
        }
    return made


def _version_of_optimise(parameters: Mapping[str, Any]) -> str:
    from spineq.solvers import failing_version, method_named

    if parameters.get("failure_probability"):
        return failing_version(parameters.get("method", "auto"), parameters.get("bound"))
    goals = parameters.get("objective", "mean") != "mean" or any(
        parameters.get(name) for name in ("at_least", "reach")
    )
    method = parameters.get("method", "auto")
    name, made = method_named(method, parameters.get("bound"), goals=goals)
    return f"{name}-{made.version}"


def _check_optimise(city: City | None, parameters: Mapping[str, Any]) -> Asked:
    from spineq.instance import check, problem_for

    assert city is not None  # check_asked saw to it
    words = with_groups(parameters)
    problem = problem_for(city, words.pop("problem", None), words)
    check(city, problem)
    # The titles of groups make no other question: the digest is without them.
    asked = Asked(problem.to_dict(), _version_of_optimise(problem.to_dict()), problem.digest)
    if problem.method != "greedy" or not problem.has_families:
        return asked
    # The first sensors of a greedy network are the greedy network of so many.
    return replace(asked, family=replace(problem, n_sensors=1).digest, size=problem.number)


def _optimise(
    city: City, progress: Progress, *, earlier: Network | None = None, **parameters: Any
) -> Network:
    from spineq.model.problem import Problem
    from spineq.solve import optimise, resume

    problem = Problem.from_dict(parameters)
    if earlier is not None:
        return resume(city, problem, earlier, progress=progress)
    return optimise(city, problem, progress=progress)


def dump_network(network: Network) -> bytes:
    """Write a network."""
    return network.to_bytes()


def load_network(data: bytes) -> Network:
    """Read a network.

    Raises
    ------
    NetworkFileError
        The bytes are no network.
    """
    from spineq.model.network import network_from_bytes

    return network_from_bytes(data)


def was_stopped(network: Network) -> bool:
    """Whether a network is the best so far only."""
    return network.stopped


def figures_of_network(network: Network) -> tuple[float | None, float | None]:
    """Value and bound of a network."""
    return network.objective_value, network.upper_bound


_TASKS["optimise"] = Task(
    name="optimise",
    function=_optimise,
    check=_check_optimise,
    version_of=_version_of_optimise,
    dump=dump_network,
    load=load_network,
    is_partial=was_stopped,
    figures=figures_of_network,
    needs_city=True,
)
