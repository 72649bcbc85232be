"""The task `random`: many random networks as a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError, shown
from spineq.jobs.tasks import Asked, Task, with_groups

if TYPE_CHECKING:
    from spineq.model.baseline import Baseline
    from spineq.model.city import City
    from spineq.progress import Progress

#: Parameters, but for those of the question's own (`spineq.baseline.baseline_problem`).
_HOW = ("n_networks", "seed")
_WHAT = ("n_sensors", "theta", "groups", "decay", "keep", "forbid")

#: What the parameters are called, for who writes them down.
WORDS = (*_WHAT, *_HOW)


def _version_of(parameters: Mapping[str, Any]) -> str:
    from spineq.baseline import VERSION

    return f"random-{VERSION}"


def _check(city: City | None, parameters: Mapping[str, Any]) -> Asked:
    from spineq.baseline import baseline_problem, checked_draw
    from spineq.jobs.records import digest

    assert city is not None  # check_asked saw to it
    words = dict(parameters)
    unknown = sorted(set(words) - set(WORDS))
    if unknown:
        msg = f"the task 'random' has no parameter {shown(unknown[0])}"
        raise ProblemError(msg, field=unknown[0], mend=f"Use {', '.join(WORDS)}")
    n_networks, seed = checked_draw(words.pop("n_networks", 1000), words.pop("seed", 0))
    problem = baseline_problem(city, with_groups(words))
    # A city of travel costs wants to be told theta, also where it is the usual number.
    described = problem.to_dict() | {"theta": problem.theta}
    described |= {"n_networks": n_networks, "seed": seed}
    # The titles of groups make no other question: the digest is without them.
    question = digest(problem.digest, n_networks, seed)
    return Asked(described, _version_of(described), question)


def _random(city: City, progress: Progress, **parameters: Any) -> Baseline:
    from spineq.baseline import random_networks

    return random_networks(city, **with_groups(parameters), progress=progress)


def _dump(baseline: Baseline) -> bytes:
    return baseline.to_bytes()


def _load(data: bytes) -> Baseline:
    from spineq.model.baseline import baseline_from_bytes

    return baseline_from_bytes(data)


def _was_stopped(baseline: Baseline) -> bool:
    return baseline.stopped


#: The task of random networks.
TASK = Task(
    name="random",
    function=_random,
    check=_check,
    version_of=_version_of,
    dump=_dump,
    load=_load,
    is_partial=_was_stopped,
    needs_city=True,
)
