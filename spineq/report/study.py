"""A study: a city, a question, and what a report needs to know, each computed when it is asked for.

The notebook of a report makes one, and shows what the modules ``about_...`` say of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import MissingExtraError, SpineqError
from spineq.insight.centroids import CentroidError, TwoCities, not_counted, two_cities
from spineq.insight.fewest import Fewest, fewest
from spineq.measure import group_coverage_by_area
from spineq.model._objective_words import in_a_list, in_a_sentence
from spineq.model._problem_words import NO_RULES
from spineq.model.groups import OLDEST, Group, title_of
from spineq.model.network import Network
from spineq.report.asked import Parameters, Question, question_of
from spineq.report.parts import Picture, how_far
from spineq.report.questions import Questions, staying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spineq.inequality import Equity
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City
    from spineq.model.front import Front
    from spineq.model.problem import Problem

#: Areas up to which ground is drawn: beyond, it takes long.
MOST_AREAS = 10_000

#: Areas up to which sensors are placed anew for people who are spread: many points take long.
_MOST_SEARCHED = 2_000

#: Sites up to which the trade-off is looked for with full effort. Beyond, the effort shrinks as the
#: sites grow, to a least: else a report of 25,000 areas has not ended after a quarter of an hour.
_FULL_EFFORT = 2_000

#: Effort of a trade-off at least, so that some networks between the groups are looked for.
_LEAST_EFFORT = 0.02

#: Said of existing sensors where costs lead from the sites alone, and some stand at none.
_NOT_AT_SITES = (
    "The existing sensors are not compared here: distances in this city are known from the places "
    "where a sensor can be put, and at least one existing sensor stands at none of these. Whoever "
    "prepares the data can add the existing sensors' places to the sites first, and make the "
    "travel table for all of them."
)


class Study:
    """What a report is about, and the answers that it needs.

    Answers are those of the store where the question names one, computed by the scheduler where
    it names one, and else computed here.

    Parameters
    ----------
    question
        City and problem.
    parameters
        What was asked, to be named in the report.
    """

    def __init__(self, question: Question, parameters: Parameters | None = None) -> None:
        self.question = question
        self.parameters = parameters or Parameters()
        #: Pictures made so far, for the folder of figures.
        self.pictures: list[Picture] = []
        #: Why there is no front, no measure of the existing sensors, none of what centroids hide.
        self.lacking = self.lacking_today = self.lacking_hidden = ""

    @property
    def city(self) -> City:
        """Where."""
        return self.question.city

    @property
    def problem(self) -> Problem:
        """What is asked."""
        return self.question.problem

    @property
    def groups(self) -> tuple[tuple[str, Group], ...]:
        """The problem's groups, in the order in which tables list them."""
        order = list(self.city.reported_groups(dict(self.problem.groups)))
        return tuple(sorted(self.problem.groups, key=lambda item: order.index(item[0])))

    @property
    def how_far(self) -> str:
        """How metres are measured, to stand after them."""
        return how_far(self.city)

    def keep(self, picture: Picture) -> Picture:
        """Keep a picture for the folder of figures."""
        self.pictures = [one for one in self.pictures if one.name != picture.name] + [picture]
        return picture

    @cached_property
    def network(self) -> Network:
        """The network that is asked for."""
        return self.solved(self.problem)

    def solved(self, problem: Problem) -> Network:
        """Answer of the store or the scheduler to a problem in the city, or the solver's own."""
        from spineq.solve import optimise

        found: Network | None = self.answer("optimise", problem)
        return optimise(self.city, problem) if found is None else found

    @cached_property
    def questions(self) -> Questions:
        """What planners ask about the network."""
        return Questions(self)

    @cached_property
    def existing(self) -> Network | None:
        """The existing sensors where they stand, measured like the network; None without any.

        None too where they cannot be measured; then `lacking_today` says why.
        """
        if self.city.existing is None or self.city.existing.empty:
            return None
        try:
            return self._measured_today()
        except SpineqError as error:
            self.lacking_today = (
                f"The existing sensors cannot be measured: {error}"
                if self.city.travel is None or error.field != "keep"
                else _NOT_AT_SITES
            )
            return None

    def _measured_today(self) -> Network:
        city = self.city
        if city.travel is None:
            return self.measured(city, "existing-points")
        # Costs are known from sites alone; sensors that stand at some may be measured.
        from spineq.constraints import kept_places

        places = kept_places(city, replace(self.plain, keep="existing"))
        return self.measured(city, places["site"].tolist())

    @cached_property
    def two_cities(self) -> TwoCities | None:
        """The city with people at centroids, and at finer points.

        None where there are no finer points; then `lacking_hidden` says why.
        """
        try:
            return two_cities(self.city)
        except SpineqError as error:
            self.lacking_hidden = not_counted(self.city, error)
            return None

    @cached_property
    def hidden(self) -> CentroidError | None:
        """What it hides of the network that people are at centroids; None as `two_cities`."""
        return None if self.two_cities is None else self.two_cities.error(self.network)

    @cached_property
    def hidden_today(self) -> CentroidError | None:
        """The same of the existing sensors; None also without any."""
        if self.two_cities is None or self.existing is None:
            return None
        return self.two_cities.error(self.existing)

    @property
    def spread(self) -> City | None:
        """The city with people spread evenly over their areas.

        None where they cannot be, where the data say better where in their areas they are, and
        where all that counts stands at points of its own.
        """
        two = self.two_cities
        if two is None or not two.spread or len(self.own_groups) == len(self.groups):
            return None
        return two.at_points

    @property
    def own_groups(self) -> tuple[tuple[str, Group], ...]:
        """Those of the problem's groups that stand at points of their own, such as schools."""
        own = self.city.point_groups
        return tuple(item for item in self.groups if item[1].column in own)

    def own_titles(self, *, reported: bool = False) -> str:
        """Name the groups that stand at points of their own, to be put into a sentence.

        Parameters
        ----------
        reported
            Whether also those that are only reported.
        """
        groups = dict(self.own_groups)
        if reported:
            own = self.city.point_groups
            every = self.city.reported_groups(dict(self.problem.groups))
            groups = {name: group for name, group in every.items() if group.column in own}
        # One that a group of the problem repeats under another name is named once.
        titles = {
            group.column: in_a_sentence(title_of(name, group)) for name, group in groups.items()
        }
        return in_a_list([*titles.values()] or [""])

    def covered(self, net: Network) -> NDArray[np.float64]:
        """Coverage of those in each area who count, by the groups' weights, (area,), 0 to 1."""
        everybody = net.area_coverage.to_numpy()
        if not self.own_groups:
            return everybody
        weight, reached = np.zeros(len(everybody)), np.zeros(len(everybody))
        for part, coverage in self.covered_groups(net):
            weight += part
            reached += part * coverage
        there: NDArray[np.float64] = np.divide(
            reached, weight, out=everybody.copy(), where=weight > 0.0
        )
        return there

    def covered_groups(self, net: Network) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Weight of each group in each area, summing to 1 over all, and its coverage there."""
        weights, made = self.problem.group_weights, []
        for name, group in self.groups:
            people = self.city.people(group).values
            coverage = group_coverage_by_area(net, self.city, group)
            made.append((weights[name] * people / people.sum(), coverage))
        return made

    def measured(self, city: City, sensors: Any, **words: Any) -> Network:
        """Measure sensors by the problem's theta, decay and groups, without a bound."""
        from spineq.solve import evaluate

        problem = self.problem
        asked = {"theta": problem.theta, "decay": problem.decay, "groups": dict(problem.groups)}
        return evaluate(city, sensors, **(asked | {"bound": "none"} | words))

    def again(self, city: City, **words: Any) -> Network:
        """Measure the network's own sensors once more, by other demand points or another theta."""
        net, keep = self.network, self.problem.keep
        placed = net.sensors["site"].tolist()[net.n_kept :]
        if self.problem.changes_existing:
            keep = staying(self.city, net)
            if not placed or city.digest != self.city.digest:
                return self.measured(city, net, **words)
        return self.measured(city, placed, keep=keep, **words)

    @cached_property
    def plain(self) -> Problem:
        """The question for the mean alone, without rules: for comparing numbers of sensors."""
        problem, net = self.problem, self.network
        n = None if problem.changes_existing else problem.n_sensors
        if n is None:
            # Where today's sensors change, all of them are what is compared with.
            n = net.n_sensors - (0 if problem.changes_existing else net.n_kept)
            n = min(max(n, 1), self.city.n_sites - len(problem.forbid))
        return replace(
            problem,
            n_sensors=n,
            objective="mean",
            aversion=0.0,
            failure_probability=0.0,
            keep=(),
            method="auto",
            **NO_RULES | {"forbid": problem.forbid},
        )

    @cached_property
    def as_good_as_today(self) -> Fewest | None:
        """How few sensors cover as much as the existing ones; None without any."""
        if self.existing is None or not self.existing.total_coverage > 0.0:
            return None
        return fewest(self.city, self.plain, self.existing.total_coverage)

    @cached_property
    def as_good_spread(self) -> Fewest | None:
        """The same with people spread evenly over their areas; None where they cannot be."""
        city, today = self.spread, self.hidden_today
        if city is None or today is None or city.n_areas > _MOST_SEARCHED:
            return None
        if not today.total_at_points > 0.0:
            return None
        return fewest(city, self.plain, today.total_at_points)

    @property
    def most_people(self) -> tuple[str, NDArray[np.float64]]:
        """The largest of the groups that weigh most: its title, and its people, (area,).

        Groups that stand at points of their own are none, unless there are no others.
        """
        city = self.city
        people = [item for item in self.groups if item not in self.own_groups]
        name, group = max(
            people or self.groups,
            key=lambda item: (item[1].weight, city.people(item[1]).values.sum()),
        )
        return title_of(name, group), city.people(group).values

    @cached_property
    def densities(self) -> pd.Series[float] | None:
        """Residents per hectare of each area; None without polygons or residents."""
        everybody, polygons = Group(ages=(0, OLDEST)), self.city.polygons
        if polygons is None or not self.city.has(everybody):
            return None
        hectares = polygons.area / 1e4
        people = pd.Series(self.city.people(everybody).values, index=polygons.index)
        made: pd.Series[float] = (people / hectares.where(hectares > 0)).fillna(0.0)
        return made.rename("residents per hectare")

    @cached_property
    def equity(self) -> Equity:
        """How evenly the network covers people, by tenths of the column or of density."""
        from spineq.inequality import equity

        by = self.question.by if self.question.by is not None else self.densities
        return equity(self.network, self.city, by=by)

    @property
    def front_effort(self) -> float:
        """Effort with which the trade-off is looked for: 1, and less in a large city."""
        return min(1.0, max(_LEAST_EFFORT, round(_FULL_EFFORT / self.city.n_sites, 3)))

    @cached_property
    def front(self) -> Front | None:
        """The networks between which the groups compete; None where there is nothing to weigh."""
        from spineq.fronts import trade_off

        if len(self.problem.groups) < 2:
            self.lacking = "There is no trade-off to show, since there is one group alone."
            return None
        words: dict[str, Any] = {
            "n_sensors": self.plain.n_sensors,
            "theta": self.problem.theta,
            "decay": self.problem.decay,
            "groups": {name: replace(group, weight=1.0) for name, group in self.problem.groups},
        }
        if self.front_effort < 1.0:
            words["effort"] = self.front_effort
        for name in ("keep", "forbid"):
            if getattr(self.problem, name):
                words[name] = getattr(self.problem, name)
        try:
            found = self.answer("trade_off", None, **words)
            return trade_off(self.city, **words) if found is None else found
        except MissingExtraError as error:
            self.lacking = f"There is no trade-off to show: {error}"
            return None

    def answer(self, task: str, problem: Problem | None, **words: Any) -> Any:
        """Answer of the store or the scheduler; None where it is to be computed here."""
        if self.question.store is None:
            return None
        with self._queue() as queue:
            if self.question.scheduler is None:
                return queue.answer_to(self.city, problem, task=task, **words)
            return queue.submit(self.city, problem, task=task, note="report", **words).result()

    def queue_of_scheduler(self) -> AbstractContextManager[JobQueue | None]:
        """The queue whose workers compute what a report needs; None where none was named."""
        where = self.question
        named = where.store is not None and where.scheduler is not None
        return self._queue() if named else nullcontext()

    @contextmanager
    def _queue(self) -> Iterator[JobQueue]:
        from spineq.jobs.queue import JobQueue

        where = self.question
        connect: dict[str, Any] = (
            {"connect": False} if where.scheduler is None else {"cluster": where.scheduler}
        )
        with JobQueue(store=where.store, **connect) as queue:
            yield queue


def study(**parameters: Any) -> Study:
    """Begin a report.

    Parameters
    ----------
    **parameters
        Those of `spineq.report.asked.Parameters`.

    Raises
    ------
    SpineqError
        A parameter is unknown or wrong, or the city or the question cannot be; the sentence names
        it.
    """
    checked = Parameters.from_dict(parameters)
    return Study(question_of(checked), checked)
