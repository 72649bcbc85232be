"""Every compiled function. Nothing here knows of cities, problems or progress.

A coverage matrix comes as three arrays: ``start`` (row + 1,), ``index`` (pair,) or None, and
``value`` (pair,). With None the rows are dense and hold all columns in order; numba compiles
either case from the same source. Long loops come in pieces with a budget of pairs, so that
the caller can look up between them. numba checks no bounds: sizes are the caller's promise.

No fastmath: sums keep one order on every processor. Sums of non-negative terms in a fixed
order are monotone in each term also after rounding, so a gain that was computed earlier is
never below a fresh one, and lazy evaluation picks what plain evaluation picks, ties included.
"""

from spineq.solvers._kernels.choose import choose, falls
from spineq.solvers._kernels.cliques import cliques
from spineq.solvers._kernels.gains import (
    climb,
    cover,
    cover_all,
    cover_each,
    gain,
    gains,
    lazy_greedy,
    plant,
)
from spineq.solvers._kernels.goals import best_goal_swap
from spineq.solvers._kernels.nearer import approaches, may_come_nearer
from spineq.solvers._kernels.pairs import (
    count_columns,
    count_pairs,
    fill_pairs,
    flip_rows,
    make_grid,
    sort_rows,
)
from spineq.solvers._kernels.room import (
    Room,
    best_swap_in_room,
    close_site,
    fill_in_order,
    lazy_greedy_in_room,
    may_open,
    may_swap,
    open_site,
    open_sites,
    plain_swap_in_room,
    price_lacking,
    takes_from_lacking,
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
    "Room",
    "add_points",
    "affected_points",
    "approaches",
    "best_goal_swap",
    "best_swap",
    "best_swap_in_room",
    "choose",
    "climb",
    "cliques",
    "close_site",
    "count_columns",
    "count_pairs",
    "cover",
    "cover_all",
    "cover_each",
    "falls",
    "fill_in_order",
    "fill_pairs",
    "flip_rows",
    "gain",
    "gains",
    "lazy_greedy",
    "lazy_greedy_in_room",
    "make_grid",
    "may_come_nearer",
    "may_open",
    "may_swap",
    "move_table",
    "nearest_two",
    "open_site",
    "open_sites",
    "plain_swap",
    "plain_swap_in_room",
    "plant",
    "price_lacking",
    "sort_rows",
    "takes_from_lacking",
]
