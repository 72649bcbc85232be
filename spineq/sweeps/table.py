"""The results of a sweep: a row a point, and a dataset over the grid."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.model._schema import meaning
from spineq.model.baseline import Baseline, read_baseline
from spineq.model.front import Front, read_front
from spineq.model.network import Network, read_network
from spineq.model.problem import Problem
from spineq.sweeps.points import TASK_WORDS

if TYPE_CHECKING:
    import xarray as xr

    from spineq.sweeps.points import Plan, Point

# Theta of a point that names none.
_THETA = Problem(n_sensors=1).theta

#: Version of the schema that a sweep's dataset follows.
SWEEP_SCHEMA = 1

#: What the columns of coverage begin with; the rest is the group's name.
COVERAGE = "coverage_"

#: Folder of the files of each kind of answer.
NETWORKS, FRONTS, BASELINES = "networks", "fronts", "baselines"

# Figures of a point that the dataset has too: words and unit.
_FIGURES = {
    "value": ("objective, in units of coverage", "1"),
    "bound": ("proven upper bound on the objective", "1"),
    "gap": ("(bound - value) / bound", "1"),
    "seconds": ("time that the solver took", "s"),
}


@dataclass(frozen=True, eq=False)
class SweepResult:
    """What became of a sweep.

    Parameters
    ----------
    folder
        Where its files are.
    table
        One row a point, by number: ``city, task, groups``; the words of the points; ``state`` and
        ``error``; ``of``, what the figures are of; ``value``, ``bound``, ``gap`` and
        ``coverage_...`` by group (0 to 1), ``proven``; ``networks`` and ``hypervolume`` of fronts
        and baselines; ``seconds``; ``sensors`` (list of ids); ``report`` (its folder) and
        ``report_error``; ``job``, ``reused`` (answered from the store).
    dataset
        Over the grid: dimensions ``city, groups`` (the set of groups), then the words, such as
        ``theta, n_sensors``, and ``group``; None where there is no grid. NaN where a figure is
        missing.
    facts
        What must be said beside the figures; see `spineq.sweeps.facts.facts_of`.
    stopped
        Whether it was stopped before all points had ended.
    """

    folder: Path
    table: pd.DataFrame
    dataset: xr.Dataset | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    stopped: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What the configuration says in vain, in sentences."""
        return tuple(self.facts.get("notes", ()))

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.table)

    @property
    def failed(self) -> pd.DataFrame:
        """Rows of points that have ended without what was wanted of them."""
        ended = ~self.table["state"].isin(["finished", "queued", "running", "cancelling"])
        return self.table[ended | (self.table["report_error"] != "")]

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups whose coverage is in the table."""
        return tuple(groups_of(self.table))

    def answer(self, number: int) -> Network | Front | Baseline:
        """Read the answer of a point from its file.

        Raises
        ------
        ProblemError
            There is no such point, or it has no such file.
        NetworkFileError
            The file is gone or damaged.
        """
        if number not in self.table.index:
            msg = f"the sweep has no point {shown(number)}"
            raise ProblemError(msg, field="number", mend=f"Give 1 to {self.n_points}")
        row = self.table.loc[number]
        kinds: dict[str, Callable[[Path], Network | Front | Baseline]] = {
            NETWORKS: read_network, FRONTS: read_front, BASELINES: read_baseline,
        }  # fmt: skip
        for kind, read in kinds.items():
            if row["of"] == _OF[kind] and row["state"] == "finished":
                return read(answer_file(self.folder, kind, number))
        msg = f"point {number} has no network ({row['task']}, {row['state']})"
        raise ProblemError(msg, field="number", mend="Choose a point that has")

    def summary(self) -> str:
        """Say in sentences how the sweep ended."""
        counts = self.table["state"].value_counts()
        parts = [f"{n:,} {state}" for state, n in counts.items()]
        lines = [f"{_points(self.n_points)}: {', '.join(parts)}."]
        found = self.table[self.table["of"] == _OF[NETWORKS]]
        if len(found):
            proven = int(found["proven"].fillna(False).astype(bool).sum())
            lines.append(f"{proven:,} of {len(found):,} networks are proven best.")
        for number, row in self.failed.head(3).iterrows():
            why = row["error"] or row["report_error"]
            lines.append(f"Point {number} ({row['state']}): {why}")
        if (more := len(self.failed) - 3) > 0:
            lines.append(f"And {more:,} more that failed; the table says why.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<SweepResult of {_points(self.n_points)} in {self.folder}>"


#: What the figures of a row are of, by kind of answer.
_OF = {NETWORKS: "network", FRONTS: "knee of the front", BASELINES: "mean of random networks"}


def _points(n: int) -> str:
    return f"{n:,} point{'' if n == 1 else 's'}"


def groups_of(table: pd.DataFrame) -> list[str]:
    """Names of the groups whose coverage is in a table."""
    names = [str(name) for name in table.columns]
    return [name[len(COVERAGE) :] for name in names if name.startswith(COVERAGE)]


def answer_file(folder: Path, kind: str, number: int) -> Path:
    """File of the answer of a point."""
    return folder / kind / f"{number:04d}.nc"


def figures_of(answer: Any) -> dict[str, Any]:
    """Take the figures of an answer: a part of its row.

    Parameters
    ----------
    answer
        A network; a front, of which the figures of its knee are taken; a baseline, the mean; or
        anything else, which has no figures.
    """
    if isinstance(answer, Network):
        return {
            "of": _OF[NETWORKS],
            "value": answer.objective_value,
            "bound": answer.upper_bound,
            "gap": answer.gap,
            "proven": answer.proven,
            "seconds": answer.seconds,
            "sensors": answer.placement_history,
            "coverage": _coverage(answer.group_coverage),
        }
    if isinstance(answer, Front) and answer.n_networks:
        knee = answer.knee()
        return {
            "of": _OF[FRONTS],
            "networks": answer.n_networks,
            "hypervolume": answer.hypervolume,
            "seconds": answer.seconds,
            "sensors": answer.network(knee),
            "coverage": _coverage(answer.group_coverage[knee]),
        }
    if isinstance(answer, Baseline):
        return {
            "of": _OF[BASELINES],
            "value": float(answer.total_coverage.mean()),
            "networks": answer.n_networks,
            "seconds": answer.seconds,
            "coverage": _coverage(answer.group_coverage.mean("network")),
        }
    return {}


def kind_of(answer: Any) -> str | None:
    """Folder of an answer's file; None where it has none."""
    kinds = {Network: NETWORKS, Front: FRONTS, Baseline: BASELINES}
    return next((kind for each, kind in kinds.items() if isinstance(answer, each)), None)


def _coverage(values: xr.DataArray) -> dict[str, float]:
    names = [str(name) for name in values["group"].to_numpy()]
    return dict(zip(names, map(float, values.to_numpy()), strict=True))


def table_of(points: Sequence[Point], rows: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    """Make the table.

    Parameters
    ----------
    points
        In order.
    rows
        What is known of each, by number: ``state, error, job, reused, report, report_error``, and
        what `figures_of` gives.
    """
    words = list(dict.fromkeys(word for each in points for word in each.words if word != "groups"))
    if "theta" not in words and any(each.task in TASK_WORDS for each in points):
        words.insert(0, "theta")
    groups = list(dict.fromkeys(name for n in sorted(rows) for name in rows[n].get("coverage", {})))
    made: dict[str, Any] = {
        "city": [each.city for each in points],
        "task": [each.task for each in points],
        "groups": [each.label for each in points],
    }
    for word in words:
        name = f"{word}_" if word in _COLUMNS else word
        made[name] = _typed([_plain(_value(each, word)) for each in points])
    known = [rows.get(each.number, {}) for each in points]
    for name, otherwise in _COLUMNS.items():
        if name in ("city", "task", "groups"):
            continue
        column = [each.get(name) for each in known]
        if otherwise is not None:
            column = [otherwise if value is None else value for value in column]
            made[name] = pd.Series(column, dtype=_KINDS.get(name), index=range(len(column)))
        else:
            made[name] = [[] if value is None else list(value) for value in column]
        if name == "proven":
            for group in groups:
                covered = [each.get("coverage", {}).get(group, math.nan) for each in known]
                made[f"{COVERAGE}{group}"] = covered
    index = pd.Index([each.number for each in points], name="number")
    columns = {
        name: values.to_numpy() if isinstance(values, pd.Series) and values.dtype == object
        else values.array if isinstance(values, pd.Series) else values
        for name, values in made.items()
    }  # fmt: skip
    return pd.DataFrame(columns, index=index)


#: Columns that every table has, with what stands there where nothing is known.
_COLUMNS: dict[str, Any] = {
    "city": "",
    "task": "",
    "groups": "",
    "state": "",
    "error": "",
    "of": "",
    "value": math.nan,
    "bound": math.nan,
    "gap": math.nan,
    "proven": pd.NA,
    "networks": pd.NA,
    "hypervolume": math.nan,
    "seconds": math.nan,
    "sensors": None,
    "report": "",
    "report_error": "",
    "job": "",
    "reused": False,
}
_KINDS: dict[str, Any] = {"proven": "boolean", "networks": "Int64", "reused": "bool"}


def _value(point: Point, word: str) -> Any:
    usual = _THETA if word == "theta" and point.task in TASK_WORDS else None
    return point.words.get(word, usual)


def _plain(value: Any) -> Any:
    """Value of a word as a cell: what is no number or text as JSON."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, sort_keys=True)


def _typed(values: list[Any]) -> Any:
    """Column of one type: whole numbers, numbers, or else text."""
    given = [value for value in values if value is not None]
    if given and all(type(value) is int for value in given):
        return pd.array(values, dtype="Int64")
    if given and all(type(value) in (int, float) for value in given):
        return np.array([math.nan if value is None else value for value in values], dtype=float)
    return ["" if value is None else str(value) for value in values]


def grid_of(plan: Plan, table: pd.DataFrame, attrs: Mapping[str, Any]) -> xr.Dataset | None:
    """Put the figures of the grid's points in a dataset; None where there is no grid.

    Parameters
    ----------
    plan
        Points and axes.
    table
        From `table_of`.
    attrs
        Attributes beside those of every such dataset.
    """
    import xarray as xr

    if not plan.axes:
        return None
    names = {axis: _dimension(axis) for axis in plan.axes}
    shape = tuple(len(labels) for labels in plan.axes.values())
    on_grid = [each for each in plan.points if each.at is not None]
    where = tuple(
        np.array([(each.at or {})[axis] for each in on_grid], dtype=np.int64) for axis in plan.axes
    )
    rows = table.loc[[each.number for each in on_grid]]
    dims = tuple(names.values())

    def spread(values: Any, nothing: Any, kind: type) -> np.ndarray[Any, Any]:
        made: np.ndarray[Any, Any] = np.full(shape, nothing, dtype=kind)
        made[where] = values
        return made

    found: dict[str, Any] = {
        name: (dims, spread(rows[name].to_numpy(dtype=float), math.nan, float), meaning(*words))
        for name, words in _FIGURES.items()
    }
    words = meaning("number of the point in the table, 0 for none", "")
    found["point"] = (dims, spread(rows.index.to_numpy(), 0, np.int64), words)
    groups = groups_of(table)
    if groups:
        columns = [spread(rows[COVERAGE + name].to_numpy(), math.nan, float) for name in groups]
        words = meaning("coverage of the group's people", "1")
        found["coverage"] = ((*dims, "group"), np.stack(columns, axis=-1), words)
    coords: dict[str, Any] = {
        names[axis]: (names[axis], _coordinate(labels)) for axis, labels in plan.axes.items()
    }
    if groups:
        coords["group"] = ("group", np.array(groups, dtype=object))
    return xr.Dataset(found, coords, {"spineq_sweep_schema": SWEEP_SCHEMA, **attrs})


def _dimension(axis: str) -> str:
    # A word may be called like a figure, or like the dimension of groups.
    return f"{axis}_" if axis in (*_FIGURES, "point", "coverage", "group") else axis


def _coordinate(labels: Sequence[Any]) -> np.ndarray[Any, Any]:
    kinds = {type(label) for label in labels}
    if kinds <= {int}:
        return np.array(labels, dtype=np.int64)
    if kinds <= {int, float}:
        return np.array(labels, dtype=np.float64)
    return np.array([str(label) for label in labels], dtype=object)
