"""Stored answers that are near to a question."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spineq.jobs.index import Index
from spineq.jobs.snapshot import JobSnapshot

#: What another group, decay or method counts for, against a factor of e in theta or n.
_OTHER = 1.0

#: Parameters that are compared as numbers, with their default in a problem.
_NUMBERS = {"n_sensors": 1, "theta": 500.0}


def nearest(
    index: Index, city: str, asked: Mapping[str, Any], limit: int
) -> list[tuple[float, JobSnapshot]]:
    """Finished jobs of a city that are nearest to a question, each run once.

    The distance is ``|log(theta / theta')| + |log(n / n')|``, and 1 more for each other
    parameter that differs.

    Parameters
    ----------
    index
        The jobs.
    city
        Digest of the city.
    asked
        Parameters of the task ``optimise``.
    limit
        Most jobs to return.

    Returns
    -------
    list
        Pairs of distance and job, the nearest first.
    """
    found: dict[str, tuple[float, JobSnapshot]] = {}
    for entry in index.entries.values():
        if entry.state != "finished":
            continue
        job = index.record(entry)
        if job.task != "optimise" or job.city != city or job.run in found:
            continue
        snapshot = index.snapshot(entry)
        if not snapshot.cut_short:
            found[job.run] = _distance(asked, job.parameters), snapshot
    return sorted(found.values(), key=lambda pair: (pair[0], pair[1].id))[:limit]


def _distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    numbers: float = sum(
        abs(math.log(one.get(name, default) / other.get(name, default)))
        for name, default in _NUMBERS.items()
    )
    words = (one.keys() | other.keys()) - _NUMBERS.keys()
    return numbers + _OTHER * len([word for word in words if one.get(word) != other.get(word)])
