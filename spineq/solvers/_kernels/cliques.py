"""Sets of sites all too near to each other."""

from __future__ import annotations

import numpy as np

from spineq.solvers._kernels.jit import Array, jit


@jit
def cliques(start: Array, near: Array, usable: Array) -> Array:
    """Part the sites into cliques of the conflicts, greedily, in order.

    Parameters
    ----------
    start, near
        Lists of the sites too near to each site, symmetric.
    usable
        (site,); a site that is not usable is a clique of its own.

    Returns
    -------
    array
        (site,) number of each site's clique, 0 up.
    """
    n = len(usable)
    clique = np.full(n, -1, dtype=np.int64)
    # How many of the clique's members a site is too near to.
    touches = np.zeros(n, dtype=np.int64)
    made = 0
    for first in range(n):
        if clique[first] >= 0:
            continue
        clique[first] = made
        if usable[first]:
            for p in range(start[first], start[first + 1]):
                touches[near[p]] += 1
            members = 1
            for p in range(start[first], start[first + 1]):
                i = near[p]
                if usable[i] and clique[i] < 0 and touches[i] == members:
                    clique[i] = made
                    members += 1
                    for q in range(start[i], start[i + 1]):
                        touches[near[q]] += 1
            for p in range(start[first], start[first + 1]):
                i = near[p]
                touches[i] = 0
                if clique[i] == made:
                    for q in range(start[i], start[i + 1]):
                        touches[near[q]] = 0
            touches[first] = 0
        made += 1
    return clique
