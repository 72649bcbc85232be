"""Networks of given sites, as if a solver had found them: for tests of figures and words."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

import spineq as sq
from spineq.measure import at_sites, measured
from spineq.model.network import Network
from spineq.progress import SilentProgress
from spineq.solvers.solution import Solution


def network_of(
    city: sq.City,
    sites: list[int],
    *,
    value: float = math.nan,
    bound: float = math.nan,
    kept: int = 0,
    own_best: dict[str, float] | None = None,
    slack: float = 1.0,
    spent: float = math.nan,
    stopped: bool = False,
    **words: Any,
) -> Network:
    """Measure a network of sites for which a solver gave such a value and bound."""
    asked = {"n_sensors": max(len(sites) - kept, 1), "theta": 600.0} | words
    positions = np.array(sites, dtype=np.int64)
    return measured(
        city,
        sq.Problem(**asked),
        at_sites(city, positions),
        "greedy",
        Solution(positions, value, bound, stopped=stopped),
        time.perf_counter(),
        SilentProgress(),
        kept=kept,
        own_best=own_best,
        slack=slack,
        spent=spent,
    )
