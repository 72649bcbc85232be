"""The integer programme, and the process of its own that HiGHS runs in.

HiGHS cannot be stopped within a quarter of a second, whatever it is told (median 0.5 s, worst
9 s), so it runs in a process that can be killed. Started by its path, not as a part of the
package: it needs neither the package nor its compiled kernels, only numpy and highspy. So it is
one file, and longer than most. The problem arrives on standard input, which stays open: its end
means that whoever asked is gone. Standard output carries one JSON object a line.

The programme assigns each demand point to one open site (the strong form: Cornuejols, Fisher and
Nemhauser 1977). Over the pairs whose benefit b is above the point's base::

    maximise    sum_j w_j (base_j + sum_i (b_ij - base_j) y_ij)
    subject to  sum_i y_ij <= 1,  y_ij <= x_i,  sum_i x_i <= n,  x 0 or 1

Only x need be whole: for whole x the best y are whole by themselves. The cumulative form, in
which a point's benefits are levels that are reached or not, took HiGHS twice as long and more
(250 sites, unreduced: 19 s against 9 s).
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Tell = Callable[[dict[str, Any]], None]

#: What rows of floors and of the worst-off group sum to: HiGHS's tolerances are absolute, 1e-6.
ROW_TOTAL = 1e5

# HiGHS's number for the rule of presolve that tries each site at both values.
_PROBING = 1 << 15

#: Seconds from one bound that is told to the next.
EVERY = 0.04


@dataclass(frozen=True, eq=False)
class Programme:
    """An integer programme: maximise; first the sites' columns, the pairs', the worst share's.

    Parameters
    ----------
    cost, low, high
        (column,) what is maximised, and bounds.
    n_sites
        Columns that must be whole: the first ones.
    offset
        Added to the objective.
    least, most
        (row,) bounds of the rows.
    start, column, value
        The rows, compressed.
    known
        (column,) a point that keeps the rows, or empty.
    """

    cost: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n_sites: int
    offset: float
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    start: NDArray[np.int32]
    column: NDArray[np.int32]
    value: NDArray[np.float64]
    known: NDArray[np.float64]


class _Rows:
    """Rows of a programme, block by block."""

    def __init__(self) -> None:
        self._blocks: list[tuple[NDArray[Any], ...]] = []

    def add(
        self,
        length: NDArray[np.int64],
        column: NDArray[np.int64],
        value: NDArray[np.float64],
        least: NDArray[np.float64],
        most: NDArray[np.float64],
    ) -> None:
        """Add rows: how long each is, their entries one after the other, their bounds."""
        self._blocks.append((length, column, value, least, most))

    def add_one(
        self, column: NDArray[np.int64], value: NDArray[np.float64], least: float, most: float
    ) -> None:
        """Add one row."""
        self.add(np.array([len(column)]), column, value, np.array([least]), np.array([most]))

    def joined(self) -> tuple[NDArray[Any], ...]:
        """All rows: starts, columns, values, least, most."""
        length, column, value, least, most = map(np.concatenate, zip(*self._blocks, strict=True))
        start = np.zeros(len(length) + 1, dtype=np.int32)
        np.cumsum(length, out=start[1:])
        return start, column.astype(np.int32), value, least, most


def build(data: Mapping[str, NDArray[Any]]) -> Programme:
    """Make the programme.

    Parameters
    ----------
    data
        What `spineq.solvers.milp` sends: ``n_sites``, all free; ``site, point, value`` (pair,);
        ``base`` (point,), ``weight`` (point,) of the mean or zeros, ``rows`` (group, point),
        ``least, judged, scale`` (group,), ``n``, ``exact`` (whether exactly n must be open),
        ``factor`` (of the objective), ``known`` (sensor,), and as they are asked for
        ``region, region_most, region_least``, ``cost, budget``, ``apart_start, apart_site``.
    """
    n_sites = int(data["n_sites"])
    weight, rows = data["weight"], data["rows"]
    # Of many rows of weights the objective's comes first.
    table = np.vstack([weight[np.newaxis], rows])
    made = _Rows()
    sums, known = _assigned(made, data, table, n_sites)
    n_columns = sums.shape[1]
    consts = (table * data["base"]).sum(axis=1)
    factor, judged = float(data["factor"]), data["judged"].astype(bool)
    worst = bool(judged.any())
    cost, low = np.zeros(n_columns + worst), np.zeros(n_columns + worst)
    high = np.ones(n_columns + worst)
    if worst:
        cost[-1], low[-1], high[-1], offset = 1.0, -np.inf, np.inf, 0.0
        for k in np.flatnonzero(judged):
            # factor * f_k / scale_k - t >= 0
            unit = factor / data["scale"][k]
            here = np.flatnonzero(sums[k + 1])
            made.add_one(
                np.append(here, n_columns),
                np.append(sums[k + 1][here] * unit, -1.0),
                -consts[k + 1] * unit,
                np.inf,
            )
    else:
        cost[:n_columns], offset = sums[0] * factor, float(consts[0]) * factor
    for k in np.flatnonzero(np.isfinite(data["least"])):
        here = np.flatnonzero(sums[k + 1])
        unit = ROW_TOTAL / max(float(sums[k + 1].sum()), 1e-300)
        unit = unit if len(here) else 1.0
        lacking = (float(data["least"][k]) - consts[k + 1]) * unit
        made.add_one(here, sums[k + 1][here] * unit, lacking, np.inf)
    _add_rules(made, data, n_sites)
    start, entry, value, least, most = made.joined()
    if worst and len(known):
        shares = (sums[1:] @ known + consts[1:])[judged] / data["scale"][judged]
        known = np.append(known, factor * float(shares.min()))
    return Programme(cost, low, high, n_sites, offset, least, most, start, entry, value, known)


def _assigned(
    made: _Rows, data: Mapping[str, NDArray[Any]], table: NDArray[np.float64], n_sites: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add the rows of points and pairs.

    Returns
    -------
    tuple
        What each column adds by each row of weights, (row, column); and the known network,
        completed to all columns, (column,), empty without one.
    """
    site, point, value = data["site"], data["point"], data["value"]
    gain = value - data["base"][point]
    matters: NDArray[np.bool_] = np.any(table > 0, axis=0)
    keep = matters[point] & (gain > 0)
    site, point, gain = site[keep], point[keep], gain[keep]
    order = np.lexsort((site, -gain, point))
    site, point, gain = site[order], point[order], gain[order]
    pairs = np.arange(len(site))
    sums = np.zeros((len(table), n_sites + len(site)))
    sums[:, n_sites:] = table[:, point] * gain
    entry = np.column_stack([n_sites + pairs, site]).ravel()
    value = np.tile([1.0, -1.0], len(site))
    two = np.full(len(site), 2)
    made.add(two, entry, value, np.full(len(site), -np.inf), np.zeros(len(site)))
    length = np.bincount(point)
    length = length[length > 0]
    free = np.full(len(length), -np.inf)
    made.add(length, n_sites + pairs, np.ones(len(site)), free, np.ones(len(length)))
    if not data["has_known"]:
        return sums, np.empty(0)
    known = np.zeros(n_sites + len(site))
    known[data["known"]] = 1.0
    serving = np.flatnonzero(known[site])
    _, first = np.unique(point[serving], return_index=True)
    known[n_sites + serving[first]] = 1.0
    return sums, known


def _add_rules(made: _Rows, data: Mapping[str, NDArray[Any]], n_sites: int) -> None:
    n, everywhere = float(data["n"]), np.arange(n_sites)
    made.add_one(everywhere, np.ones(n_sites), n if data["exact"] else -np.inf, n)
    if "region" in data:
        for k in range(len(data["region_most"])):
            inside = np.flatnonzero(data["region"] == k)
            least, most = float(data["region_least"][k]), float(data["region_most"][k])
            if least > 0 or most < min(n, len(inside)):
                made.add_one(inside, np.ones(len(inside)), least, most)
    if "cost" in data:
        cost, budget = data["cost"], float(data["budget"])
        unit = ROW_TOTAL / max(budget, float(cost.max(initial=0.0)), 1e-300)
        priced = np.flatnonzero(cost)
        made.add_one(priced, cost[priced] * unit, -np.inf, budget * unit)
    if "apart_start" in data:
        for clique in cliques(data["apart_start"], data["apart_site"]):
            made.add_one(clique, np.ones(len(clique)), -np.inf, 1.0)


def cliques(start: NDArray[np.int64], near: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Cover the pairs of sites that are too near by sets of sites that all are.

    ``at most one of a clique`` is stronger than ``at most one of each pair``. Greedy: from a
    pair that is not covered yet, sites are added that are near to all so far, first those whose
    pair with the first site is not covered either.

    Parameters
    ----------
    start, near
        Symmetric lists, as in `spineq.solvers.rules.Apart`.
    """
    n = len(start) - 1
    # Python's long numbers are sets of bits, and their intersections are fast.
    around = [0] * n
    for site in range(n):
        for other in near[start[site] : start[site + 1]].tolist():
            around[site] |= 1 << other
    open_pairs = around.copy()
    found = []
    for site in range(n):
        while ahead := open_pairs[site] >> (site + 1) << (site + 1):
            members, common = [site], around[site]
            while wanted := (common & ahead) or common:
                other = (wanted & -wanted).bit_length() - 1
                members.append(other)
                common &= around[other]
                ahead &= ~(1 << other)
            everyone = sum(1 << member for member in members)
            for member in members:
                open_pairs[member] &= ~everyone
            found.append(np.array(sorted(members)))
    return found


def solve(data: Mapping[str, NDArray[Any]], tell: Tell) -> None:
    """Build and solve; tell every better network, the bound, and at last how it ended.

    Told are ``{"began": true}``, ``{"bound": b, "nodes": k}``, ``{"sites": [...]}``, and at last
    ``{"end": "optimal" | "infeasible" | "limit", "bound": b, "nodes": k}``, where bounds are in
    the units of the objective, still without room for HiGHS's tolerances.
    """
    import highspy

    programme, factor = build(data), float(data["factor"])
    library: Any = highspy  # what types it has differ from one version to the next
    highs = library.Highs()
    highs.setOptionValue("output_flag", False)
    for name, value in {
        "threads": 1,
        "mip_rel_gap": float(data["gap"]),
        "mip_abs_gap": 0.0,
        "mip_max_nodes": int(data["nodes"]),
        "random_seed": int(data["seed"]),
        "time_limit": float(data["seconds"]),
    }.items():
        if highs.setOptionValue(name, value) == library.HighsStatus.kError:
            msg = f"HiGHS does not take {name} = {value}"
            raise ValueError(msg)
    # Probing alone took minutes with 600,000 pairs. Older versions do not know the option.
    highs.setOptionValue("presolve_rule_off", _PROBING)
    highs.passModel(_as_lp(library, programme))
    if len(programme.known):
        solution = library.HighsSolution()
        solution.col_value = programme.known.tolist()
        highs.setSolution(solution)
    kinds = library.cb.HighsCallbackType
    last, trouble = [0.0], []

    def watch(kind: int, _message: str, out: Any, _back: Any, _data: Any) -> None:
        # HiGHS would swallow what is raised here.
        try:
            if kind == int(kinds.kCallbackMipImprovingSolution):
                opened = np.array(out.mip_solution)[: programme.n_sites] > 0.5
                tell({"sites": np.flatnonzero(opened).tolist()})
            elif time.monotonic() - last[0] >= EVERY:
                last[0] = time.monotonic()
                tell({"bound": out.mip_dual_bound / factor, "nodes": out.mip_node_count})
        except Exception as error:
            trouble.append(error)

    highs.setCallback(watch, None)
    highs.startCallback(kinds.kCallbackMipImprovingSolution)
    highs.startCallback(kinds.kCallbackMipInterrupt)
    tell({"began": True})
    highs.run()
    if trouble:
        raise trouble[0]
    status, info = highs.getModelStatus(), highs.getInfo()
    states = library.HighsModelStatus
    end = {
        states.kOptimal: "optimal",
        states.kInfeasible: "infeasible",
        states.kUnboundedOrInfeasible: "infeasible",
        states.kTimeLimit: "limit",
        states.kIterationLimit: "limit",
        states.kSolutionLimit: "limit",
    }.get(status)
    if end is None:
        msg = f"HiGHS ended with status {highs.modelStatusToString(status)!r}"
        raise RuntimeError(msg)
    if info.primal_solution_status == 2:
        opened = np.array(highs.getSolution().col_value)[: programme.n_sites] > 0.5
        tell({"sites": np.flatnonzero(opened).tolist()})
    nodes = max(int(info.mip_node_count), 0)
    tell({"end": end, "bound": info.mip_dual_bound / factor, "nodes": nodes})


def _as_lp(library: Any, programme: Programme) -> Any:
    lp = library.HighsLp()
    lp.num_col_, lp.num_row_ = len(programme.cost), len(programme.least)
    lp.sense_ = library.ObjSense.kMaximize
    lp.offset_ = programme.offset
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = programme.cost, programme.low, programme.high
    lp.row_lower_, lp.row_upper_ = programme.least, programme.most
    lp.a_matrix_.format_ = library.MatrixFormat.kRowwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = lp.num_col_, lp.num_row_
    lp.a_matrix_.start_, lp.a_matrix_.index_ = programme.start, programme.column
    lp.a_matrix_.value_ = programme.value
    whole, any_number = library.HighsVarType.kInteger, library.HighsVarType.kContinuous
    rest = lp.num_col_ - programme.n_sites
    lp.integrality_ = [whole] * programme.n_sites + [any_number] * rest
    return lp


def main() -> None:
    """Read a problem from standard input, solve it, and end when whoever asked has gone."""
    # What libraries print must not come between the lines.
    lines = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)

    def tell(message: dict[str, Any]) -> None:
        lines.write(json.dumps(message) + "\n")
        lines.flush()

    length = int(sys.stdin.buffer.readline())
    packed = sys.stdin.buffer.read(length)
    if len(packed) < length:
        return
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with np.load(io.BytesIO(packed)) as data:
            solve(dict(data), tell)
    except BrokenPipeError:
        return
    except BaseException as error:  # it is told, and the process ends
        tell({"error": f"{type(error).__name__}: {error}"})


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
