"""A study: a city, a question, and what a report needs to know, each computed when it is asked for.

The notebook of a report makes one, and shows what the modules ``about_...`` say of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from spineq.errors import MissingExtraError, SpineqError
from spineq.insight.fewest import Fewest, fewest
from spineq.insight.spread import spread_evenly
from spineq.model.groups import OLDEST, Group, title_of
from spineq.model.network import Network
from spineq.report.asked import Parameters, Question, question_of
from spineq.report.parts import Picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spineq.inequality import Equity
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City
    from spineq.model.front import Front
    from spineq.model.problem import Problem

#: Areas up to which people are spread over polygons, and ground is drawn: beyond, it takes long.
MOST_AREAS = 10_000

#: Areas up to which sensors are placed anew for people who are spread: many points take long.
_MOST_SEARCHED = 2_000

_DENSITY = "residents per hectare"


class Spread(NamedTuple):
    """People spread evenly over their areas, and both networks measured so."""

    city: City
    network: Network
    existing: Network | None


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
        #: Why there is no front, no measure of the existing sensors, no spreading of people.
        self.lacking = self.lacking_today = self.lacking_spread = ""

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

    def keep(self, picture: Picture) -> Picture:
        """Keep a picture for the folder of figures."""
        self.pictures = [one for one in self.pictures if one.name != picture.name] + [picture]
        return picture

    @cached_property
    def network(self) -> Network:
        """The network that is asked for."""
        from spineq.solve import optimise

        found = self._answer("optimise", self.problem)
        return optimise(self.city, self.problem) if found is None else found

    @cached_property
    def existing(self) -> Network | None:
        """The existing sensors where they stand, measured like the network; None without any.

        None too where they cannot be measured; then `lacking_today` says why.
        """
        if self.city.existing is None or self.city.existing.empty:
            return None
        try:
            return self._existing_in(self.city)
        except SpineqError as error:
            self.lacking_today = f"The existing sensors cannot be measured: {error}"
            return None

    def _existing_in(self, city: City) -> Network:
        """Measure the existing sensors in a city that has them."""
        if city.travel is None:
            return self.measured(city, "existing-points")
        # Costs are known from sites alone; sensors that stand at some may be measured.
        from spineq.constraints import kept_places

        places = kept_places(city, replace(self.plain, keep="existing"))
        return self.measured(city, places["site"].tolist())

    @cached_property
    def spread(self) -> Spread | None:
        """The network and the existing sensors with people spread over their areas.

        None where that cannot be done; then `lacking_spread` says why.
        """
        if self.city.n_areas > MOST_AREAS:
            self.lacking_spread = "For so large a city it is not shown by how much."
            return None
        try:
            city = spread_evenly(self.city)
            today = None if self.existing is None else self._existing_in(city)
            return Spread(city, self.again(city), today)
        except SpineqError as error:
            self.lacking_spread = f"It is not shown by how much: {error}"
            return None

    def measured(self, city: City, sensors: Any, **words: Any) -> Network:
        """Measure sensors by the problem's theta, decay and groups, without a bound."""
        from spineq.solve import evaluate

        problem = self.problem
        asked = {"theta": problem.theta, "decay": problem.decay, "groups": dict(problem.groups)}
        return evaluate(city, sensors, **(asked | {"bound": "none"} | words))

    def again(self, city: City, **words: Any) -> Network:
        """Measure the network's own sensors once more, by other demand points or another theta."""
        net = self.network
        placed = net.sensors["site"].tolist()[net.n_kept :]
        return self.measured(city, placed, keep=self.problem.keep, **words)

    @cached_property
    def plain(self) -> Problem:
        """The question for the mean alone, without rules: for comparing numbers of sensors."""
        problem = self.problem
        return replace(
            problem,
            n_sensors=problem.n_sensors or max(self.network.n_sensors - self.network.n_kept, 1),
            budget=None,
            site_cost=None,
            objective="mean",
            aversion=0.0,
            keep=(),
            start=(),
            at_least=(),
            region=None,
            max_per_region=None,
            min_per_region=None,
            min_spacing=0.0,
            method="auto",
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
        spread = self.spread
        if spread is None or spread.existing is None or self.city.n_areas > _MOST_SEARCHED:
            return None
        if not spread.existing.total_coverage > 0.0:
            return None
        return fewest(spread.city, self.plain, spread.existing.total_coverage)

    @property
    def most_people(self) -> tuple[str, NDArray[np.float64]]:
        """The largest of the groups that weigh most: its title, and its people, (area,)."""
        city = self.city
        name, group = max(
            self.groups, key=lambda item: (item[1].weight, city.people(item[1]).values.sum())
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
        return made.rename(_DENSITY)

    @cached_property
    def equity(self) -> Equity:
        """How evenly the network covers people, by tenths of the column or of density."""
        from spineq.inequality import equity

        by = self.question.by if self.question.by is not None else self.densities
        return equity(self.network, self.city, by=by)

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
        for name in ("keep", "forbid"):
            if getattr(self.problem, name):
                words[name] = getattr(self.problem, name)
        try:
            found = self._answer("trade_off", None, **words)
            return trade_off(self.city, **words) if found is None else found
        except MissingExtraError as error:
            self.lacking = f"There is no trade-off to show: {error}"
            return None

    def _answer(self, task: str, problem: Problem | None, **words: Any) -> Any:
        """Answer of the store or the scheduler; None where it is to be computed here."""
        if self.question.store is None:
            return None
        with self._queue() as queue:
            if self.question.scheduler is None:
                return queue.answer_to(self.city, problem, task=task, **words)
            return queue.submit(self.city, problem, task=task, note="report", **words).result()

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
