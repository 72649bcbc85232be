"""Two networks of one city, measured alike: whom one covers better than the other, and where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.jobs.tasks import NETWORK_TASKS
from spineq.measure import mean_change
from spineq.model._exports import need_same_city
from spineq.model._objective_words import in_a_sentence, objective_words, percent, points
from spineq.model._problem_words import NO_RULES
from spineq.model._words import shown_table, theta_words
from spineq.model.groups import GROUPS, title_of
from spineq.panel.job_words import name_of
from spineq.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem
    from spineq.panel.state import PanelState

#: Changes of coverage below this are shown as none, and are called none.
LEAST = 0.0005

#: Areas in each of the two tables.
MOST_AREAS = 10


#: Choices that are no name: what the map shows, and the sensors of today.
SHOWN, EXISTING = "shown", "existing"

#: How the first of them is called.
ON_THE_MAP = "What the map shows"

#: Finished jobs to choose from, and how many of the newest are looked through for them.
MOST_JOBS, MOST_LOOKED_AT = 20, 200

#: A value and its label.
Choice = tuple[str, str]


def measure_of(problem: Problem) -> tuple[Any, ...]:
    """What two networks must have in common for their coverage to be compared."""
    return problem.theta, problem.decay, problem.groups


def plainly(problem: Problem) -> Problem:
    """The same measure without goals, rules or a search for bounds: what measuring needs."""
    return replace(
        problem,
        objective="mean",
        aversion=0.0,
        failure_probability=0.0,
        n_sensors=problem.n_sensors or 1,
        keep=(),
        bound="none",
        method="auto",
        gap_limit=0.0,
        **NO_RULES,
    )


def existing_network(city: City, problem: Problem, progress: Progress | None = None) -> Network:
    """Measure the city's existing sensors, where they stand.

    Raises
    ------
    SpineqError
        There are none, or a city with a travel table has one that stands at no site.
    """
    from spineq.solve import evaluate

    return evaluate(city, "existing-points", plainly(problem), progress=progress)


def measured_like(
    city: City, network: Network, problem: Problem, progress: Progress | None = None
) -> Network:
    """Measure a network's sensors by another problem's theta, decay and groups.

    Parameters
    ----------
    city, network
        The network, and the city that it was made for.
    problem
        Whose measure is wanted; the network itself is returned where it has it already.
    progress
        Watcher.

    Raises
    ------
    SpineqError
        The network is of another city.
    """
    from spineq.solve import evaluate

    need_same_city(network, city)
    if measure_of(network.problem) == measure_of(problem):
        return network
    table = network.sensors
    at_sites = bool((table["site"] != "").all())
    sensors = table["site"].tolist() if at_sites else table[["x", "y"]]
    return evaluate(city, sensors, plainly(problem), progress=progress)


@dataclass(frozen=True, eq=False)
class Difference:
    """What one network covers more or less than another, both measured alike.

    Parameters
    ----------
    city
        The city of both.
    one, other
        The networks.
    names
        What the two are called.
    anew
        Whether the other was measured anew, since it was made for another question.
    """

    city: City
    one: Network
    other: Network
    names: tuple[str, str]
    anew: bool = False

    @property
    def change(self) -> NDArray[np.float64]:
        """Coverage by the one minus that by the other, (area,), -1 to 1."""
        return np.asarray(self.one.area_coverage.to_numpy() - self.other.area_coverage.to_numpy())

    def people(self) -> tuple[str, NDArray[np.float64]]:
        """Title of the people who are counted, and how many there are in each area, (area,)."""
        known = self.city.reported_groups(dict(self.one.problem.groups))
        name = "pop_total" if "pop_total" in known else next(iter(known))
        return title_of(name, known[name]), self.city.people(known[name]).values

    def words(self) -> list[str]:
        """Say what the difference is, in plain sentences."""
        mine, theirs = (in_quotes(name) for name in self.names)
        lines = [f"{mine} {self._mean_words(theirs)}.", self._people_words(mine, theirs)]
        if self.anew:
            of = theta_words(self.one)
            lines.append(
                f"{theirs} was made for another question. Here it is measured like {mine}: "
                f"theta {of}, the same groups."
            )
        elif self.one.problem.kinds or self.other.problem.kinds:
            lines.append(
                "Sensors of several kinds are counted here by the theta of each kind, all others "
                "by the one of their network."
            )
        return lines

    def _mean_words(self, theirs: str) -> str:
        whom = objective_words(self.one)
        # By the first network's weights, whatever the second was made for.
        change = mean_change(self.one, self.other, self.city)
        if abs(change) < LEAST:
            return f"and {theirs} cover {whom} alike, {percent(self.one.total_coverage)}"
        than = "more" if change > 0 else "less"
        return f"covers {abs(100 * change):.1f} points {than} of {whom} than {theirs}"

    def _people_words(self, mine: str, theirs: str) -> str:
        title, people = self.people()
        change = self.change
        lose = float(people[change <= -LEAST].sum())
        gain = float(people[change >= LEAST].sum())
        many = f"{lose:,.0f}" if lose else "no"
        if title == GROUPS["pop_total"].label:
            who, verb = "people", "live"
        else:
            who, verb = in_a_sentence(title), "are"
        return (
            f"With {mine} instead of {theirs}, {many} {who} {verb} in areas that lose "
            f"coverage and {gain:,.0f} in areas that gain."
        )

    def group_rows(self) -> list[dict[str, Any]]:
        """Rows of the table of groups that both report."""
        mine, theirs = shown_table(self.one), self.other.table().to_dict("index")
        rows = []
        for name, row in mine.to_dict("index").items():
            other = theirs.get(name)
            if other is None:
                continue
            title = str(row["title"])
            rows.append(
                {
                    "id": str(name),
                    "group": {"text": title, "second": "estimated"} if row["estimated"] else title,
                    "one": percent(row["coverage"]),
                    "other": percent(other["coverage"]),
                    "change": points(float(row["coverage"] - other["coverage"])),
                    "one_near": f"{row['people'] * row['within 500 m']:,.0f}",
                    "other_near": f"{other['people'] * other['within 500 m']:,.0f}",
                }
            )
        return rows

    def area_rows(self, *, lose: bool) -> list[dict[str, Any]]:
        """Rows of the areas that gain most, or lose most, those with more people first in a tie."""
        change, (_, people) = self.change, self.people()
        signed = -change if lose else change
        table = pd.DataFrame(
            {
                "area": self.one.dataset["area"].to_numpy(),
                "people": people,
                "one": self.one.area_coverage.to_numpy(),
                "other": self.other.area_coverage.to_numpy(),
                "change": change,
                "by": np.round(signed, 12),
            }
        )
        table = table[table["by"] >= LEAST].sort_values(
            ["by", "people", "area"], ascending=[False, False, True]
        )
        return [
            {
                "id": str(row["area"]),
                "area": str(row["area"]),
                "people": f"{row['people']:,.0f}",
                "one": percent(row["one"]),
                "other": percent(row["other"]),
                "change": points(float(row["change"])),
            }
            for row in table.head(MOST_AREAS).to_dict("records")
        ]


def in_quotes(name: str) -> str:
    """Write a network's name within a sentence, so that its end is seen."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"


def choices(state: PanelState, jobs: Sequence[Choice], chosen: Sequence[Any]) -> list[Choice]:
    """List the networks that can be compared, each once, as pairs of value and label.

    Parameters
    ----------
    state
        What was shown, and is.
    jobs
        Those of `job_choices`.
    chosen
        Values that stay in the list although the same network is in it under another.
    """
    made = [("", "Choose a network")]
    if state.network is not None:
        made.append((SHOWN, f"{ON_THE_MAP} ({state.network_name or 'no name'})"))
    if state.city is not None and state.city.existing is not None:
        made.append((EXISTING, "Existing sensors"))
    with state.lock:
        names = list(state.networks)
    # The newest first: it is the likeliest.
    rest = [*((f"network:{name}", name) for name in reversed(names)), *jobs]
    known = set() if state.network is None else {state.network_name}
    for value, name in rest:
        if name not in known or value in chosen:
            made.append((value, name))
        known.add(name)
    return made


def job_choices(state: PanelState) -> list[Choice]:
    """List the finished jobs of the city that have a network, by name, the newest first."""
    queue, city = state.queue, state.city
    if queue is None or city is None:
        return []
    made = [
        (f"job:{job.id}", name_of(job))
        for job in queue.jobs(state="finished", limit=MOST_LOOKED_AT)
        if job.city == city.digest and job.task in NETWORK_TASKS
    ]
    return made[:MOST_JOBS]
