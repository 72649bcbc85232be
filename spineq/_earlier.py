"""What an earlier network is good for: the sites from which greedy can go on."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.model.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem

_MEND = "Ask with optimise instead"


def start_of(city: City, problem: Problem, earlier: Network) -> NDArray[np.int64]:
    """Positions of an earlier greedy network's sites, (sensor,), in order of placement.

    Raises
    ------
    ProblemError
        The network is not greedy's whole answer for this city and this problem with any number
        of sensors.
    """
    if not isinstance(earlier, Network):
        msg = f"an earlier network is needed, not {shown(earlier)}"
        raise ProblemError(msg, field="earlier", mend="Give what optimise returned")
    if earlier.dataset.attrs["city_digest"] != city.digest:
        name = shown(earlier.dataset.attrs["city_name"])
        msg = f"the earlier network was made for another city ({name})"
        mend = "Give the city that it was made for, with the same sites, points and distances"
        raise ProblemError(msg, field="earlier", mend=mend)
    before = earlier.problem
    for method in (problem.method, before.method, earlier.method):
        if method != "greedy":
            msg = f"only greedy goes on from an earlier network, and {method!r} is asked or given"
            raise ProblemError(msg, field="method", mend=_MEND)
    for each in fields(problem):
        asked, given = getattr(problem, each.name), getattr(before, each.name)
        if asked != given and each.name not in ("n_sensors", "seed"):
            msg = f"the earlier network is for {each.name} {shown(given)}, not {shown(asked)}"
            raise ProblemError(msg, field=each.name, mend=_MEND)
    if not problem.has_families:
        msg = "with such rules a shorter network is not the beginning of a longer one"
        raise ProblemError(msg, field="earlier", mend="Ask optimise for a new one")
    if earlier.stopped:
        msg = "the search for the earlier network was stopped"
        raise ProblemError(msg, field="earlier", mend=_MEND)
    index = pd.Index(city.dataset["site"].to_numpy())
    sites = earlier.dataset["site"].to_numpy()
    start: NDArray[np.int64] = index.get_indexer(pd.Index(sites, dtype=object)).astype(np.int64)
    if (start < 0).any():
        unknown = sites[np.flatnonzero(start < 0)[0]]
        msg = f"the earlier network has a sensor at {shown(unknown)}, which is no site"
        raise ProblemError(msg, field="earlier", mend=_MEND)
    return start
