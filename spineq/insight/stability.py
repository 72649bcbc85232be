"""How far the places of a network's sensors hang on numbers that nobody knows exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.insight import stability_words
from spineq.insight.changes import (
    MOST_SCENARIOS,
    Scenario,
    listed_changes,
    made_scenarios,
    theta_range,
)
from spineq.insight.scenario_jobs import need_queue, solve_here, solve_on
from spineq.insight.scenarios import Answer, Trial
from spineq.insight.trial_plan import planned, sensors_of
from spineq.model._exports import need_same_city
from spineq.model._objective_words import counted
from spineq.model._problem_checks import between, whole
from spineq.model.groups import known_keys
from spineq.model.network import PROVEN_GAP, PROVEN_GAP_OF_AVERSION
from spineq.progress import Progress, watcher_of

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network

#: Largest distance that is called near, metres.
_FARTHEST = 1e7

_TABLES = ("table", "sites", "scenarios")
_FIELDS = (
    "near", "n_asked", "stopped", "seed", "poisson", "people_error", "theta", "n_listed",
    "city_name", "city_digest", "unit", "seconds",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Stability:
    """How often each place is chosen where the numbers differ, and what the network is worth.

    Parameters
    ----------
    table
        One row per sensor of the network that does not stay, by its number from 1: ``site`` (empty
        for a place that is none), ``area``, ``x``, ``y`` (metres); ``chosen``, the share of
        scenarios in which the same site is chosen, 0 to 1 (NaN for a place that is no site);
        ``near``, the share in which a site within `near` of it is.
    sites
        One row per site of the city, by id: ``x``, ``y`` (metres), ``area``; ``in_network``;
        ``chosen``, as above; ``near``, the share of scenarios in which any sensor, also one
        that stays, is within `near` of it.
    scenarios
        One row per scenario, by its number from 0: ``theta``; ``listed``, which of the listed
        changes it has (from 0; -1 without any); ``value`` of the best network found, in what
        was maximised, 0 to 1; ``upper_bound``, what no allowed network exceeds (NaN where that
        is not known); ``network``, what the network that is tried is worth; ``lost``,
        (bound - network) / bound, or with the value where there is no bound: the share of the
        best that is given up by having this network (below 0 where it stands at places that
        are no sites, or breaks a rule, and is better for it); ``gap``, (bound - value) / bound;
        ``proven``, whether the best found is the best there is.
    near
        What is called near, in metres as the crow flies.
    n_asked
        How many scenarios were to be solved.
    stopped
        Whether the watcher asked to stop; the figures are about those solved by then.
    seed, poisson, people_error, theta, n_listed
        What was drawn and changed; see `stability`.
    city_name, city_digest
        The city's.
    unit
        Unit of theta.
    seconds
        Time that solving took, all scenarios together, on whatever did it.
    """

    table: pd.DataFrame
    sites: pd.DataFrame
    scenarios: pd.DataFrame
    near: float
    n_asked: int
    stopped: bool = False
    seed: int = 0
    poisson: bool = True
    people_error: float | str = 0.0
    theta: tuple[float, float] | None = None
    n_listed: int = 0
    city_name: str = ""
    city_digest: str = ""
    unit: str = "m"
    seconds: float = 0.0

    @property
    def n_scenarios(self) -> int:
        """Number of scenarios that were solved."""
        return len(self.scenarios)

    def summary(self) -> str:
        """Say it in plain sentences, a line each."""
        return stability_words.summary(self)

    def sentence(self, number: int) -> str:
        """Say how certain the place of one sensor is.

        Parameters
        ----------
        number
            Of the sensor, as in `table`.

        Raises
        ------
        ProblemError
            There is none of that number.
        """
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not whole or number not in self.table.index:
            msg = f"there is no sensor {shown(number)} that was placed"
            first, last = self.table.index.min(), self.table.index.max()
            raise ProblemError(msg, field="number", mend=f"Give {first} to {last}")
        return stability_words.sentence(self, int(number))

    def to_dict(self) -> dict[str, Any]:
        """Describe it in JSON's types; tables are dictionaries of columns."""
        made: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        made["theta"] = None if self.theta is None else list(self.theta)
        return made | {name: _columns(getattr(self, name)) for name in _TABLES}

    @classmethod
    def from_dict(cls, made: Mapping[str, Any]) -> Stability:
        """Rebuild what `to_dict` described.

        Raises
        ------
        ProblemError
            It is something else.
        """
        words = known_keys(made, (*_FIELDS, *_TABLES), "a stability", "stability")
        try:
            for name, index in zip(_TABLES, ("number", "site", "number"), strict=True):
                words[name] = _frame(words[name], index)
            ends = words["theta"]
            words["theta"] = None if ends is None else (float(ends[0]), float(ends[1]))
            return cls(**words)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            msg = f"this is no stability ({type(error).__name__}: {error})"
            raise ProblemError(msg, mend="Give what Stability.to_dict made") from error

    def __repr__(self) -> str:
        cut = ", stopped" if self.stopped else ""
        share = f": near share {self.table['near'].mean():.2f}" if self.n_scenarios else ""
        return (
            f"<Stability of {counted(len(self.table), 'sensor')} in "
            f"{counted(self.n_scenarios, 'scenario')}{cut}{share}>"
        )


def stability(
    city: City,
    net: Network,
    *,
    n_scenarios: int = 200,
    people_error: float | str = 0.0,
    poisson: bool = True,
    theta: tuple[float, float] | None = None,
    scenarios: Iterable[Mapping[str, Any]] | None = None,
    near: float = 300.0,
    seed: int = 0,
    queue: Any = None,
    progress: Progress | None = None,
) -> Stability:
    """Solve a network's problem again and again under other numbers, and count what recurs.

    In each scenario the people of every area are drawn, theta is one of a range, or the question
    is changed as a list says; the network's problem is solved with that, by its own method and
    under its own rules. Counted is how often each place is chosen; and the network itself is
    valued with the scenario's numbers, so that it is known what having built it costs. Where it
    is as good as the best that was found, it is the answer.

    An area's residents of all ages are multiplied by one factor, and each column, such as
    workers, by another: ``exp(s z - s^2 / 2)`` with ``s^2 = log(1 + people_error^2)`` and z
    standard normal, which has mean 1 and the standard deviation ``people_error``. Around that,
    each band of ages and each column is drawn from a Poisson distribution, as counts. Theta is
    ``low (high / low)^u`` with u evenly spread over 0 to 1. Scenario k of a seed is the same
    however many there are.

    Parameters
    ----------
    city, net
        The network, of `spineq.optimise` or `spineq.evaluate`, and the city that it was made for.
        Objectives ``"mean"``, with or without an aversion, and ``"worst"``.
    n_scenarios
        How many scenarios, 1 to 100,000. Where nothing is drawn, neither people nor theta, each
        listed one is solved once instead.
    people_error
        Relative standard error of the number of people of an area, 0 to 1, beside Poisson's; or
        the name of a column of the city that has it for each area.
    poisson
        Whether people are drawn as counts vary. Columns that are no counts want False. Groups
        that stand at points of their own, such as schools, are never drawn.
    theta
        Ends of the range of theta, above 0, in its unit; None leaves it as it is.
    scenarios
        Changes of the question, which take turns: ``{"theta": 400}``, ``{"decay": "linear"}``,
        ``{"groups": {"older": Group(ages=(66, 90))}}``, ``{"weights": {"workplace": 2}}`` (new
        weights for some of the network's groups), ``aversion``, ``aversion_form``, the
        original's words (``min_age`` and its like), or several of them; ``{}`` changes nothing.
    near
        Distance within which a sensor counts as at a place, 0 to 10,000,000 metres as the crow
        flies.
    seed
        Of the draws, 0 or more.
    queue
        A `spineq.JobQueue`, whose workers solve the scenarios; None solves them here, with the
        same answers. What its store has is not solved again: after a stop, the same call goes on.
    progress
        Watcher. When it asks to stop, jobs that have not ended are withdrawn, and what is solved
        by then is counted, marked.

    Returns
    -------
    Stability

    Raises
    ------
    ProblemError
        A value of the wrong kind or out of its range, no network or city, a network without
        sensors, a word that a scenario does not have, a list of none; or an objective, floors or
        a method with which this cannot be done.
    DataError
        The network is of another city; or the city lacks the data of a group or such a column.
    JobError, ClusterError, QueueFullError, StoreError
        A job of the queue failed, the queue was closed, or it cannot take or keep jobs.

    Examples
    --------
    >>> import spineq as sq
    >>> city = sq.demo_city("synthetic", n_areas=60)
    >>> found = sq.stability(city, sq.optimise(city, n_sensors=3), n_scenarios=5)
    >>> found.n_scenarios
    5
    """
    watcher = watcher_of(progress)
    need_same_city(net, city)
    placed = net.sensors[~net.dataset["kept"].to_numpy()]
    if placed.empty:
        msg = "the network has no sensor that was placed, so no place can be tried"
        raise ProblemError(msg, field="net", mend="Make one with spineq.optimise")
    n_scenarios = whole(n_scenarios, "n_scenarios", 1, MOST_SCENARIOS)
    near = between(near, "near", _FARTHEST)
    ends = theta_range(theta)
    plan = planned(net.problem, sensors_of(net), seed, poisson, people_error)
    listed = None if scenarios is None else listed_changes(plan.problem, scenarios)
    for problem in listed or []:
        city.weights(problem.groups)
    asked = made_scenarios(plan.problem, n_scenarios, ends, listed, drawn=plan.draws)
    if queue is None:
        answers, stopped = solve_here(city, plan, asked, watcher)
    else:
        need_queue(queue)
        Trial(city, plan)  # what is wrong is refused here, not by a job
        answers, stopped = solve_on(queue, city, plan, asked, watcher)
    table, sites = _shares(city, net, placed, answers, near)
    if not stopped:
        watcher.report(1.0, "done")
    return Stability(
        table,
        sites,
        _scenario_table(asked, answers),
        near,
        len(asked),
        stopped,
        plan.seed,
        plan.poisson,
        plan.people_error,
        ends,
        len(listed or []),
        city.name,
        city.digest,
        city.travel_unit,
        float(sum(answer.seconds for answer in answers)),
    )


def _shares(
    city: City, net: Network, placed: pd.DataFrame, answers: Sequence[Answer], near: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count how often places are chosen: tables of the network's sensors, and of all sites."""
    from scipy.spatial import cKDTree

    xy, mine = city.site_xy, placed[["x", "y"]].to_numpy()
    stay = net.sensors.loc[net.dataset["kept"].to_numpy(), ["x", "y"]].to_numpy()
    # A site at just that distance is near, whatever rounding says.
    reach = near * (1.0 + 1e-12)
    chosen, near_site, near_mine = np.zeros(len(xy)), np.zeros(len(xy)), np.zeros(len(mine))
    for answer in answers:
        sites = np.array(answer.sites, dtype=np.int64)
        chosen[sites] += 1
        tree = cKDTree(xy[sites])
        near_mine += tree.query(mine)[0] <= reach
        every = tree if not len(stay) else cKDTree(np.concatenate([xy[sites], stay]))
        near_site += every.query(xy)[0] <= reach
    n = len(answers) or np.nan
    ids = pd.Index(city.dataset["site"].to_numpy(), name="site")
    sites_table = pd.DataFrame(
        {
            "x": xy[:, 0],
            "y": xy[:, 1],
            "area": city.site_areas,
            "in_network": ids.isin(net.sensors["site"]),
            "chosen": chosen / n,
            "near": near_site / n,
        },
        index=ids,
    )
    table = placed[["site", "area", "x", "y"]].copy()
    table.index = pd.RangeIndex(1, len(table) + 1, name="number")
    # Only a place that is a site can be chosen.
    table["chosen"] = sites_table["chosen"].reindex(table["site"]).to_numpy()
    table["near"] = near_mine / n
    return table, sites_table


def _scenario_table(asked: Sequence[Scenario], answers: Sequence[Answer]) -> pd.DataFrame:
    """What was found in each scenario that was solved."""
    by_number = {scenario.number: scenario for scenario in asked}
    rows = []
    for answer in answers:
        scenario = by_number[answer.number]
        bound = np.nan if answer.upper_bound is None else answer.upper_bound
        best = answer.value if answer.upper_bound is None else bound
        gap = (bound - answer.value) / bound if bound > 0 else bound
        noise = PROVEN_GAP if scenario.problem.aversion == 0.0 else PROVEN_GAP_OF_AVERSION
        rows.append(
            {
                "theta": scenario.problem.theta,
                "listed": -1 if scenario.listed is None else scenario.listed,
                "value": answer.value,
                "upper_bound": bound,
                "network": answer.network,
                "lost": (best - answer.network) / best if best > 0 else 0.0,
                "gap": gap,
                "proven": bool(gap <= noise),
            }
        )
    columns = ["theta", "listed", "value", "upper_bound", "network", "lost", "gap", "proven"]
    numbers = pd.Index([answer.number for answer in answers], name="number", dtype=np.int64)
    return pd.DataFrame(rows, index=numbers, columns=columns)


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """A table in JSON's types, its index the first of its columns."""
    return {
        str(name): [
            None if isinstance(value, float) and np.isnan(value) else value
            for value in column.tolist()
        ]
        for name, column in table.reset_index().items()
    }


def _frame(columns: Mapping[str, Sequence[Any]], index: str) -> pd.DataFrame:
    made = pd.DataFrame(
        {
            name: [np.nan if value is None else value for value in values]
            for name, values in columns.items()
        }
    ).set_index(index)
    whole = index == "number" and isinstance(made.index, pd.RangeIndex | pd.Index)
    return made.set_axis(made.index.astype(np.int64), axis=0) if whole else made
