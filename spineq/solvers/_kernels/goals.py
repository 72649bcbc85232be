"""Swaps where several groups' coverage counts at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from spineq.solvers._kernels.jit import Array, jit


@jit
def best_goal_swap(
    start: Array,
    index: Array,
    value: Array,
    rows: Array,
    without: Array,
    least: Array,
    judged: Array,
    scale: Array,
    allowed: Array,
) -> tuple[Any, Any, Any]:
    """Find the site that, opened beside others, leaves groups best off.

    Parameters
    ----------
    start, index, value
        Coverage by site.
    rows
        (group + 1, point) weights of the groups, and last those of the mean.
    without
        (point,) coverage by the others.
    least, judged, scale
        (group,) of the goals.
    allowed
        (site,) whether it may be opened.

    Returns
    -------
    tuple
        The site, -1 where none may be opened; what all groups lack to their floors; and the
        smallest share of the judged groups, or the mean where none is judged. Least lack first,
        then the largest share, then the first site.
    """
    n_groups = len(least)
    standing = np.zeros(n_groups + 1)
    for k in range(n_groups + 1):
        for j in range(len(without)):
            standing[k] += rows[k, j] * without[j]
    worst = judged.any()
    found, lack_found, share_found = -1, np.inf, -np.inf
    reached = np.empty(n_groups + 1)
    for i in range(len(allowed)):
        if not allowed[i]:
            continue
        reached[:] = standing
        for p in range(start[i], start[i + 1]):
            j = p - start[i] if index is None else index[p]
            more = value[p] - without[j]
            if more > 0.0:
                for k in range(n_groups + 1):
                    reached[k] += rows[k, j] * more
        lack = 0.0
        share = np.inf if worst else reached[n_groups]
        for k in range(n_groups):
            # A floor of minus infinity is never lacked.
            lack += max(least[k] - reached[k], 0.0)
            if judged[k]:
                share = min(share, reached[k] / scale[k])
        if lack < lack_found or (lack == lack_found and share > share_found):
            found, lack_found, share_found = i, lack, share
    return found, lack_found, share_found
