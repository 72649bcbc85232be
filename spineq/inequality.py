"""How evenly a network covers people: against each group's own best, and by tenths of people."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.measure import group_coverage_by_area
from spineq.model._exports import need_same_city, shown_groups
from spineq.model._inequality import equal_parts
from spineq.model._objective_words import (
    equity_words,
    in_a_sentence,
    percent,
    percent_up,
    sensors_words,
)
from spineq.model.groups import Group
from spineq.progress import Progress, SpanProgress, watcher_of
from spineq.solve import optimise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem

#: Parts into which people are divided.
_TENTHS = 10


@dataclass(frozen=True, eq=False)
class Equity:
    """How evenly a network covers people.

    Parameters
    ----------
    network
        The network.
    groups
        One row a group: ``title``, ``estimated``, ``people``, ``coverage`` (0 to 1), ``own best``
        (coverage by the best network found for this group alone, NaN where that was not looked
        for), ``own bound`` (what it cannot exceed), ``proven`` (whether there is no better one
        for the group) and ``share of own best`` (coverage over own best).
    deciles
        One row a group and tenth of its people: ``group``, ``decile`` (1 is where there is least
        of the column, 10 where there is most), ``people``, ``lowest`` and ``highest`` (of the
        column, in the tenth) and ``coverage`` (mean of the tenth's people, 0 to 1). Empty where
        no column was named.
    by
        Name of the column; empty where there is none.
    stopped
        Whether the watcher asked to stop before every group's own best was found.
    """

    network: Network
    groups: pd.DataFrame
    deciles: pd.DataFrame
    by: str
    stopped: bool

    @property
    def worst_group(self) -> str:
        """Name of the worst covered of the problem's groups."""
        return self.network.worst_group

    @property
    def gini_areas(self) -> float:
        """Gini coefficient of coverage over areas, each area alike: 0 (even) to 1."""
        return self.network.gini_areas

    @property
    def gini_people(self) -> float | None:
        """Gini coefficient of coverage over the people of the objective, 0 (even) to 1."""
        return self.network.gini_people

    @property
    def worst_tenth(self) -> float | None:
        """Mean coverage of the worst-covered tenth of the people of the objective, 0 to 1."""
        return self.network.worst_tenth

    def summary(self) -> str:
        """Say how evenly people are covered, in plain sentences."""
        city = self.network.dataset.attrs["city_name"] or "the city"
        one = self.network.n_sensors - self.network.n_kept == 1
        verb = "covers" if one else "cover"
        lines = [f"How evenly {sensors_words(self.network)} in {city} {verb} people."]
        lines += [_group_words(row) for row in self.groups.to_dict("records")]
        lines.append(equity_words(self.network))
        if self.by:
            lines += [_decile_words(self, str(name)) for name in self.groups.index]
        if self.stopped:
            lines.append("The search for each group's own best was stopped early.")
        if self.groups["estimated"].any():
            lines.append("Estimated groups come from age bands split in proportion to their years.")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Describe the figures in JSON's types; what is not known is None."""
        return {
            "groups": {
                str(name): {key: _plain(value) for key, value in row.items()}
                for name, row in self.groups.to_dict("index").items()
            },
            "worst_group": self.worst_group,
            "gini_areas": self.gini_areas,
            "gini_people": self.gini_people,
            "worst_tenth": self.worst_tenth,
            "by": self.by,
            "deciles": [
                {str(key): _plain(value) for key, value in row.items()}
                for row in self.deciles.to_dict("records")
            ],
            "stopped": self.stopped,
        }

    def __repr__(self) -> str:
        by = f", by {self.by}" if self.by else ""
        return f"<Equity of {self.network!r}{by}>"


def equity(
    network: Network,
    city: City,
    by: str | pd.Series[Any] | None = None,
    *,
    own_best: bool = True,
    progress: Progress | None = None,
) -> Equity:
    """Look at how evenly a network covers people.

    For each group that the network reports, the best network for this group alone is looked
    for, by the same rules: what the group gives up, for others or by accident, is the
    difference. That takes as long as so many calls of `spineq.optimise`.

    Parameters
    ----------
    network, city
        The network and the city that it was made for.
    by
        Column of the city, or a value for each area (a Series by area id): coverage is then
        given by tenths of each group's people, from those in whose areas there is least of it
        to those where there is most. Where areas have as much, or an area lies on the border
        of two tenths, both tenths get the same mixture of its people.
    own_best
        Whether to look for each group's own best.
    progress
        Watcher; when it asks to stop, what is found by then is returned, marked.

    Returns
    -------
    Equity

    Raises
    ------
    DataError
        The network was made for another city.
    MissingColumnError
        The city has no such column.
    ProblemError
        No network, city, truth or watcher where there must be one; or a Series without a
        finite number for some area.

    Examples
    --------
    >>> import spineq as sq
    >>> city = sq.demo_city()
    >>> net = sq.optimise(city, n_sensors=5)
    >>> sq.equity(net, city, by="workers", own_best=False).deciles.shape
    (40, 6)
    """
    need_same_city(network, city)
    if not isinstance(own_best, bool | np.bool_):
        msg = f"own_best must be True or False, not {shown(own_best)}"
        raise ProblemError(msg, field="own_best", mend="Say for example own_best=False")
    watcher = watcher_of(progress)
    values = None if by is None else _values_of(city, by)
    groups = shown_groups(network, city)
    table, stopped = _own_bests(network, city, groups, bool(own_best), watcher)
    if not stopped:
        watcher.report(1.0, "done")
    name = by if isinstance(by, str) else "" if by is None else _name_of(by)
    return Equity(network, table, _deciles_of(network, city, groups, values), name, stopped)


def _name_of(by: pd.Series[Any]) -> str:
    return "the value" if by.name is None else str(by.name)


def _values_of(city: City, by: str | pd.Series[Any]) -> NDArray[np.float64]:
    """Values of the areas, (area,), in the city's order.

    Raises
    ------
    MissingColumnError, ProblemError
        There are none, or not for every area.
    """
    if isinstance(by, str):
        return city.people(Group(column=by)).values
    mend = "Give the name of a column, or a Series of numbers by area id"
    if not isinstance(by, pd.Series):
        msg = f"{shown(by)} is no column and no Series"
        raise ProblemError(msg, field="by", mend=mend)
    if not by.index.is_unique:
        twice = by.index[by.index.duplicated()][0]
        msg = f"area {shown(twice)} has two values"
        raise ProblemError(msg, field="by", mend="Give each area one")
    areas = city.dataset["area"].to_numpy()
    found = pd.to_numeric(by.reindex(areas), errors="coerce").to_numpy(dtype=np.float64)
    lacking = np.flatnonzero(~np.isfinite(found))
    if len(lacking):
        msg = f"area {shown(areas[lacking[0]])} has no finite number"
        raise ProblemError(msg, field="by", mend=mend)
    return found


def _alone(problem: Problem, city: City, name: str, group: Group, placed: int) -> Problem:
    """The same question for one group alone, with as many sensors as are placed."""
    n = placed if problem.reach else problem.n_sensors
    return replace(
        problem,
        n_sensors=None if n is None else min(n, city.n_sites),
        groups=((name, replace(group, weight=1.0)),),
        objective="mean",
        aversion=0.0,
        failure_probability=0.0,
        at_least=(),
        reach=(),
        start=(),
        method="auto",
        bound=None,
    )


def _own_bests(
    network: Network, city: City, groups: dict[str, Group], wanted: bool, progress: Progress
) -> tuple[pd.DataFrame, bool]:
    """Make the table of groups; and whether the watcher asked to stop."""
    shown_rows = network.table().loc[list(groups)]
    table = shown_rows[["title", "estimated", "people", "coverage"]].copy()
    best, bound = np.full(len(groups), math.nan), np.full(len(groups), math.nan)
    proven, stopped = np.zeros(len(groups), dtype=np.bool_), False
    for k, (name, group) in enumerate(groups.items()):
        if not wanted or stopped:
            break
        span = SpanProgress(progress, k / len(groups), (k + 0.999) / len(groups))
        placed = max(network.n_sensors - network.n_kept, 1)
        found = optimise(city, _alone(network.problem, city, name, group, placed), progress=span)
        best[k], proven[k], stopped = found.total_coverage, found.proven, found.stopped
        bound[k] = math.nan if found.upper_bound is None else found.upper_bound
        if network.method != "given":
            # This network keeps the same rules: no best is worse than it.
            best[k] = max(best[k], float(table["coverage"].iloc[k]))
    table["own best"], table["own bound"], table["proven"] = best, bound, proven
    with np.errstate(invalid="ignore", divide="ignore"):
        table["share of own best"] = table["coverage"].to_numpy() / best
    return table, stopped


def _deciles_of(
    network: Network,
    city: City,
    groups: dict[str, Group],
    values: NDArray[np.float64] | None,
) -> pd.DataFrame:
    """Make the tidy table of tenths."""
    tables = []
    for name, group in groups.items():
        if values is None:
            break
        covered = group_coverage_by_area(network, city, group)
        parts = equal_parts(values, city.people(group).values, covered, _TENTHS)
        columns = {"group": name, "decile": np.arange(1, _TENTHS + 1), "people": parts.people}
        further = {"lowest": parts.lowest, "highest": parts.highest, "coverage": parts.mean}
        tables.append(pd.DataFrame(columns | further))
    if not tables:
        names = ["group", "decile", "people", "lowest", "highest", "coverage"]
        return pd.DataFrame({name: [] for name in names})
    return pd.concat(tables, ignore_index=True)


def _group_words(row: dict[Any, Any]) -> str:
    estimated = " (estimated)" if row["estimated"] else ""
    said = f"{row['title']}{estimated}: coverage {percent(row['coverage'])}"
    if math.isnan(row["own best"]):
        return f"{said}."
    share, best = percent(row["share of own best"]), percent(row["own best"])
    if row["proven"]:
        return f"{said}, {share} of the best that the group could have alone ({best})."
    at_most = "" if math.isnan(row["own bound"]) else f", at most {percent_up(row['own bound'], 1)}"
    return f"{said}, {share} of the best found for the group alone ({best}{at_most})."


def _decile_words(report: Equity, name: str) -> str:
    of_group = report.deciles[report.deciles["group"] == name]
    first, last = of_group.iloc[0], of_group.iloc[-1]
    title = in_a_sentence(str(report.groups.loc[name, "title"]))
    return (
        f"By {report.by}: of {title}, the tenth where it is lowest "
        f"({first['lowest']:,g} to {first['highest']:,g}) is covered {percent(first['coverage'])}, "
        f"the tenth where it is highest ({last['lowest']:,g} to {last['highest']:,g}) "
        f"{percent(last['coverage'])}."
    )


def _plain(value: Any) -> Any:
    """A number, text or truth in JSON's types; None for what is not a finite number."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
