"""Random networks: the baseline that every method must beat."""

from __future__ import annotations

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SpanProgress
from spineq.solvers.greedy import in_greedy_order
from spineq.solvers.objective import Objective
from spineq.solvers.solution import Solution, certified

VERSION = 1


def random(objective: Objective, n: int, seed: int, progress: Progress) -> Solution:
    """Draw ``n`` different usable sites, each set as likely as any other.

    Parameters
    ----------
    objective
        What is measured; it does not steer the draw.
    n
        Number of sensors, at most the number of usable sites.
    seed
        Seed of the draw, 0 or more.
    progress
        Watcher.
    """
    usable = np.flatnonzero(objective.usable_sites)
    if n > len(usable):
        msg = f"{n:,} sensors are more than the {len(usable):,} sites where one may stand"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {len(usable):,}")
    generator = np.random.default_rng(seed)
    drawn = generator.choice(usable, size=n, replace=False)
    drawn = np.sort(drawn).astype(np.int64)
    sites, stopped = in_greedy_order(objective, drawn, SpanProgress(progress, 0.0, 0.3))
    return certified(objective, sites, n, SpanProgress(progress, 0.3, 1.0), stopped=stopped)
