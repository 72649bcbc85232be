"""Every compiled function. Nothing here knows of cities, problems or progress.

A coverage matrix comes as three arrays: ``start`` (row + 1,), ``index`` (pair,) or None, and
``value`` (pair,). With None the rows are dense and hold all columns in order; numba compiles
either case from the same source. Long loops come in pieces with a budget of pairs, so that
the caller can look up between them. numba checks no bounds: sizes are the caller's promise.

No fastmath: sums keep one order on every processor. Sums of non-negative terms in a fixed
order are monotone in each term also after rounding, so a gain that was computed earlier is
never below a fresh one, and lazy evaluation picks what plain evaluation picks, ties included.
"""

from spineq.solvers._kernels.gains import (
    climb,
    cover,
    cover_all,
    gain,
    gains,
    lazy_greedy,
    plant,
)
from spineq.solvers._kernels.pairs import (
    approaches,
    count_columns,
    count_pairs,
    fill_pairs,
    flip_rows,
    make_grid,
)
from spineq.solvers._kernels.swaps import (
    add_points,
    affected_points,
    best_swap,
    move_table,
    nearest_two,
    plain_swap,
)

__all__ = [
    "add_points",
    "affected_points",
    "approaches",
    "best_swap",
    "climb",
    "count_columns",
    "count_pairs",
    "cover",
    "cover_all",
    "fill_pairs",
    "flip_rows",
    "gain",
    "gains",
    "lazy_greedy",
    "make_grid",
    "move_table",
    "nearest_two",
    "plain_swap",
    "plant",
]
