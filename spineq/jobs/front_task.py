"""The task `trade_off`: a front as a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, shown
from spineq.jobs.tasks import Asked, Task, with_groups

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.front import Front
    from spineq.progress import Progress

#: Parameters, but for those of the question's own (`spineq.fronts.front_problem`).
_HOW = ("effort", "size", "method", "tolerance", "start", "seed")
_WHAT = ("n_sensors", "theta", "groups", "decay", "keep", "forbid")

#: What the parameters are called, for who writes them down.
WORDS = (*_WHAT, *_HOW)


def _version_of(parameters: Mapping[str, Any]) -> str:
    from spineq.fronts import VERSION

    return f"{parameters.get('method', 'weighted')}-{VERSION}"


def _check(city: City | None, parameters: Mapping[str, Any]) -> Asked:
    from spineq.fronts import checked, front_problem
    from spineq.jobs.records import digest

    assert city is not None  # check_asked saw to it
    words = dict(parameters)
    unknown = sorted(set(words) - set(WORDS))
    if unknown:
        msg = f"the task 'trade_off' has no parameter {shown(unknown[0])}"
        raise ProblemError(msg, field=unknown[0], mend=f"Use {', '.join(WORDS)}")
    how = {name: words.pop(name) for name in _HOW if name in words}
    problem = front_problem(city, with_groups(words))
    made = checked(problem, **how)
    # A city of travel costs wants to be told theta, also where it is the usual number.
    described = problem.to_dict() | {"theta": problem.theta} | made
    # The titles of groups make no other question: the digest is without them.
    question = digest(problem.digest, *(str(made[name]) for name in sorted(made)))
    return Asked(described, _version_of(described), question)


def _trade_off(city: City, progress: Progress, **parameters: Any) -> Front:
    from spineq.fronts import trade_off

    # Without a client: a task that waits for others could wait for ever.
    return trade_off(city, **with_groups(parameters), progress=progress)


def _dump(front: Front) -> bytes:
    return front.to_bytes()


def _load(data: bytes) -> Front:
    from spineq.model.front import front_from_bytes

    return front_from_bytes(data)


def _was_stopped(front: Front) -> bool:
    return front.stopped


#: The task of fronts.
TASK = Task(
    name="trade_off",
    function=_trade_off,
    check=_check,
    version_of=_version_of,
    dump=_dump,
    load=_load,
    is_partial=_was_stopped,
    needs_city=True,
)
