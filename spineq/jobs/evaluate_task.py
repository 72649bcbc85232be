"""The task `evaluate`: a network of the user's own as a job; its note is the network's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError
from spineq.jobs.tasks import (
    Asked,
    Task,
    dump_network,
    figures_of_network,
    load_network,
    was_stopped,
    with_groups,
)

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.progress import Progress

#: Raise it when the same network is measured to other figures.
_VERSION = 1


def _version_of(parameters: Mapping[str, Any]) -> str:
    from spineq.solvers import METHODS, failing_version, method_named

    if parameters.get("failure_probability"):
        return f"given-{_VERSION},{failing_version('auto', None)}"
    # The bound is one of these two's; what a group could have alone, the problem's method's.
    names = {"greedy", "lagrangian"}
    if parameters.get("objective") == "worst_share":
        asked = parameters.get("method", "auto")
        names.add(method_named(asked, parameters.get("bound"), goals=True)[0])
    return ",".join([f"given-{_VERSION}", *(f"{n}-{METHODS[n].version}" for n in sorted(names))])


def _check(city: City | None, parameters: Mapping[str, Any]) -> Asked:
    from spineq._places import in_one_form
    from spineq.jobs.records import digest
    from spineq.solve import given_network

    assert city is not None  # check_asked saw to it
    words = with_groups(parameters)
    if "sensors" not in words:
        msg = "the parameter sensors is missing"
        mend = 'Give ids of sites or areas, pairs of x and y, or "existing"'
        raise ProblemError(msg, field="sensors", mend=mend)
    made = in_one_form(city, words.pop("sensors"))
    given = given_network(city, made, words.pop("problem", None), words)
    problem, places = given.problem, given.places
    described = problem.to_dict()
    # It follows from the sensors; and a city of travel costs wants to be told theta.
    del described["n_sensors"]
    described |= {
        "sensors": made if isinstance(made, str | list) else made.tolist(),
        "theta": problem.theta,
    }
    # The places themselves are asked about, however they were named; the titles of groups make
    # no other question, and the digest of a problem is without them.
    where = [places[name].tolist() for name in ("site", "area")]
    where += [(places[name] + 0.0).tolist() for name in ("x", "y")]
    question = digest(problem.digest, given.n_named, *where)
    return Asked(described, _version_of(described), question)


def _evaluate(city: City, progress: Progress, *, sensors: Any, **parameters: Any) -> Network:
    from spineq.solve import evaluate

    return evaluate(city, sensors, **with_groups(parameters), progress=progress)


#: The task of networks that are given.
TASK = Task(
    name="evaluate",
    function=_evaluate,
    check=_check,
    version_of=_version_of,
    dump=dump_network,
    load=load_network,
    is_partial=was_stopped,
    figures=figures_of_network,
    needs_city=True,
)
