"""A network in few words, for a job: its problem, its places and its certificate."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.measure import measured
from spineq.model._exports import need_same_city
from spineq.model.groups import known_keys
from spineq.model.network import Network
from spineq.model.problem import Problem
from spineq.progress import SilentProgress

if TYPE_CHECKING:
    from spineq.model.city import City

_WORDS = ("problem", "places", "kept", "method", "value", "bound", "own_best")


def carried(city: City, net: Network) -> dict[str, Any]:
    """Describe a network of a city in JSON's types, without what can be measured again.

    Raises
    ------
    ProblemError
        No network, or one whose sensors are of several kinds.
    DataError
        It is of another city.
    """
    need_same_city(net, city)
    if net.problem.kinds:
        msg = "such questions are about sensors of one kind, and this network has several"
        mend = "Measure them alike: evaluate(city, network, theta=...)"
        raise ProblemError(msg, field="network", mend=mend)
    places = net.sensors[["site", "area", "x", "y"]]
    own = net.dataset["group_own_best"].to_series().dropna()
    return {
        "problem": net.problem.to_dict() | {"theta": net.problem.theta},
        "places": [[str(s), str(a), float(x), float(y)] for s, a, x, y in places.to_numpy()],
        "kept": net.n_kept,
        "method": net.method,
        "value": net.objective_value,
        "bound": net.upper_bound,
        "own_best": {str(name): float(best) for name, best in own.items()},
    }


def remade(city: City, words: object) -> Network:
    """Measure what `carried` described, in the same city.

    Raises
    ------
    ProblemError
        Something else than it made.
    """
    from spineq.solvers.solution import Solution

    began = time.perf_counter()
    made = known_keys(words, _WORDS, "a network", "network")
    mend = "Give a network as network=net"
    if set(made) != set(_WORDS) or not isinstance(made["problem"], Mapping):
        msg = f"a network is needed, not {shown(words)}"
        raise ProblemError(msg, field="network", mend=mend)
    problem = Problem.from_dict(made["problem"])
    try:
        places = pd.DataFrame(made["places"], columns=["site", "area", "x", "y"])
        places = places.astype({"x": np.float64, "y": np.float64})
        kept, bound = int(made["kept"]), made["bound"]
        bound = math.nan if bound is None else float(bound)
        own_best = {str(name): float(best) for name, best in made["own_best"].items()}
    except (AttributeError, TypeError, ValueError) as error:
        msg = f"the network's places or figures cannot be read ({error})"
        raise ProblemError(msg, field="network", mend=mend) from error
    ids = pd.Index(city.dataset["site"].to_numpy(), dtype=object)
    places.insert(0, "position", ids.get_indexer(pd.Index(places["site"], dtype=object)))
    strange = places["site"][(places["position"] < 0) & (places["site"] != "")]
    if len(strange):
        msg = f"{shown(strange.iloc[0])} is no site of {city.name or 'the city'}"
        raise ProblemError(msg, field="network", mend="Give a network of this city")
    sites = places["position"].to_numpy(dtype=np.int64)
    net = measured(
        city,
        problem,
        places,
        str(made["method"]),
        Solution(sites, math.nan, math.nan, stopped=False),
        began,
        SilentProgress(),
        kept=kept,
        own_best=own_best,
    )
    # The certificate is in the units of the objective already.
    bound = bound if math.isnan(bound) else max(bound, net.objective_value)
    return Network(net.dataset.assign_attrs(upper_bound=bound))
