"""What planners ask about the network of a study, each answered when a section needs it.

How much is asked follows from the size of the city and not from time, so that the same report
says the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from spineq.errors import SpineqError
from spineq.insight.alternatives import Alternatives, alternatives
from spineq.insight.curve import CoverageCurve, coverage_curve
from spineq.insight.explain import Explanation, explain
from spineq.insight.robustness import Robustness, robustness
from spineq.insight.stability import Stability, stability

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.report.study import Study

#: Sensors that fail at once, and the chance that each fails.
FAILURES, CHANCE = 3, 0.05

#: Alternatives that are looked for, and the share of the places in which each differs.
ALTERNATIVES, DIFFERENT = 2, 0.1

#: Share of the places of today that are taken away, or moved.
AWAY = 0.1

#: Theta between these multiples of its own, where it is asked how sure the places are.
THETA = (0.8, 1.25)

# Work of one search for the best network, in millions of pairs of a site and a point; 910 areas
# are 0.8 of them, and take about 0.6 s.
_PAIRS = 1e6

#: Work of all searches without a place, above which these are left out: about half a minute.
_REFUSED = 50.0

#: Work of looking for substitutes above which nothing is said of single places.
_SUBSTITUTES = 5_000.0

#: Scenarios by the work of one.
_SCENARIOS = ((0.1, 50), (1.0, 20), (4.0, 10))

#: Numbers of sensors on the curve, as multiples of the report's, by the work of one.
_NUMBERS: tuple[tuple[float, tuple[float, ...]], ...] = (
    (2.0, (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.15, 1.3, 1.5)),
    (20.0, (0.1, 0.25, 0.5, 0.75, 1.0, 1.5)),
)

#: Work of one search above which there are no alternatives, and no fewest for every group.
_ALTERNATIVES, _FEWEST = 2.0, 10.0

_Answer = TypeVar("_Answer")


def staying(city: City, net: Network) -> tuple[str, ...]:
    """Ids of the existing sensors of a city that a network, which changes them, leaves there."""
    assert city.existing is not None  # the network's problem is about them
    gone = set(net.gone[["x", "y"]].itertuples(index=False, name=None))
    places = city.existing[["x", "y"]].itertuples(name=None)
    return tuple(str(name) for name, *place in places if tuple(place) not in gone)


class Questions:
    """What is asked about the network of a study.

    Each answer is None where the question was switched off, makes no sense or would take too
    long; `lacking` then says why.

    Parameters
    ----------
    study
        The study.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        #: Why an answer is None, by the name of the question.
        self.lacking: dict[str, str] = {}

    @property
    def work(self) -> float:
        """Work of one search for the best network, in millions of pairs of a site and a point."""
        return self.study.city.n_sites * self.study.city.n_points / _PAIRS

    def wanted(self, section: str) -> bool:
        """Whether the parameters ask for a section."""
        asked = self.study.parameters.sections
        return asked is None or section in asked

    def _asked(self, section: str, name: str, ask: Callable[[], _Answer | None]) -> _Answer | None:
        """Ask, unless the section was switched off; what cannot be asked is said."""
        if not self.wanted(section):
            self.lacking[name] = "This section was switched off (parameter sections)."
            return None
        try:
            return ask()
        except SpineqError as error:
            what = getattr(error, "what", str(error)).rstrip(".")
            self.lacking[name] = f"This cannot be worked out here: {what}."
            return None

    def _too_large(self, name: str, what: str) -> None:
        self.lacking[name] = f"{what} would take too long for a city of this size."

    @cached_property
    def single(self) -> Network:
        """The network as one of so many sensors.

        What was asked for by something else than their number, or changes today's sensors, is
        measured as it stands.
        """
        study, net = self.study, self.study.network
        problem = net.problem
        return study.again(study.city) if problem.reach or problem.changes_existing else net

    @property
    def by_number(self) -> bool:
        """Whether the network is one of so many sensors, or for a budget, placed anew."""
        problem = self.study.problem
        return not problem.reach and not problem.changes_existing

    @property
    def refuses(self) -> bool:
        """Whether it is worked out what it costs to do without each place."""
        net, asked = self.study.network, self.study.parameters.refuse
        if not self.by_number:
            return False
        return (net.n_sensors - net.n_kept) * self.work <= _REFUSED if asked is None else asked

    @cached_property
    def explanation(self) -> Explanation | None:
        """Why the sensors stand where they do."""
        return self._asked("places", "explanation", self._explained)

    def _explained(self) -> Explanation | None:
        if self.single.n_sensors * self.work > _SUBSTITUTES:
            self._too_large("explanation", "Looking at each place")
            return None
        words: dict[str, Any] = {"refuse": self.refuses}
        found = self.study.answer("explain", None, network=self.single, **words)
        return explain(self.study.city, self.single, **words) if found is None else found

    @cached_property
    def robustness(self) -> Robustness | None:
        """What is left when sensors fail."""
        return self._asked("sure", "robustness", self._withstood)

    def _withstood(self) -> Robustness | None:
        net = self.study.network
        if net.n_sensors == 0:
            return None
        words: dict[str, Any] = {
            "failures": min(FAILURES, net.n_sensors),
            "probability": CHANCE,
        }
        found = self.study.answer("robustness", None, network=net, **words)
        return robustness(self.study.city, net, **words) if found is None else found

    @property
    def n_scenarios(self) -> int:
        """Number of scenarios: what was asked for, or by the size of the city."""
        asked = self.study.parameters.scenarios
        if asked is not None:
            return asked
        return next((n for most, n in _SCENARIOS if self.work <= most), 0)

    @cached_property
    def stability(self) -> Stability | None:
        """How far places hang on numbers that nobody knows exactly."""
        return self._asked("sure", "stability", self._tried)

    def _tried(self) -> Stability | None:
        study, problem, n = self.study, self.study.problem, self.n_scenarios
        if n == 0:
            if study.parameters.scenarios == 0:
                self.lacking["stability"] = "No scenarios were asked for (parameter scenarios)."
            else:
                self._too_large("stability", "Working the network out again with other numbers")
            return None
        if not self.by_number:
            self.lacking["stability"] = (
                "How far the places hang on the numbers is not worked out for this question: it "
                "is for networks of so many sensors that are placed anew."
            )
            return None
        theta = (THETA[0] * problem.theta, THETA[1] * problem.theta)
        how: dict[str, Any] = {"n_scenarios": n, "theta": theta, "poisson": self._counts}
        with study.queue_of_scheduler() as queue:
            return stability(study.city, study.network, queue=queue, **how)

    @property
    def _counts(self) -> bool:
        """Whether whoever counts is counted: whole numbers, or ages."""
        city = self.study.city
        columns = [group for _, group in self.study.groups if group.column is not None]
        values = [city.people(group).values for group in columns]
        return all(bool(np.all(each == np.rint(each))) for each in values)

    @cached_property
    def alternatives(self) -> Alternatives | None:
        """Other networks that are nearly as good."""
        return self._asked("alternatives", "alternatives", self._others)

    def _others(self) -> Alternatives | None:
        net = self.study.network
        placed = net.n_sensors - net.n_kept
        if not self.by_number:
            self.lacking["alternatives"] = (
                "Alternatives are not looked for with this question: they are other networks of "
                "so many sensors that are placed anew."
            )
            return None
        if self.work > _ALTERNATIVES:
            self._too_large("alternatives", "Looking for alternatives")
            return None
        words: dict[str, Any] = {
            "k": ALTERNATIVES,
            "min_different": max(1, math.ceil(DIFFERENT * placed - 1e-9)),
        }
        found = self.study.answer("alternatives", None, network=net, **words)
        return alternatives(self.study.city, net, **words) if found is None else found

    @cached_property
    def curve(self) -> CoverageCurve | None:
        """The best mean coverage by number of sensors."""
        return self._asked("fewer", "curve", self._by_number)

    def _by_number(self) -> CoverageCurve | None:
        study, plain = self.study, self.study.plain
        shares = next((each for most, each in _NUMBERS if self.work <= most), None)
        if shares is None:
            self._too_large("curve", "Working out the best for each of several numbers of sensors")
            return None
        room = study.city.n_sites - len(plain.forbid)
        numbers = sorted({min(max(round(share * plain.number), 1), room) for share in shares})
        return coverage_curve(study.city, plain, numbers=numbers)

    @property
    def _today(self) -> Network | None:
        """The existing sensors, where something can be asked about them."""
        today = self.study.existing
        return None if today is None or not today.total_coverage > 0.0 else today

    @cached_property
    def fewest(self) -> Network | None:
        """The fewest sensors, placed anew, that give every group what it has today."""
        return self._asked("fewer", "fewest", self._enough)

    def _enough(self) -> Network | None:
        study = self.study
        if self._today is None:
            return None
        if study.problem.reach == "existing" and not study.problem.keep:
            return study.network
        if self.work > _FEWEST:
            self._too_large("fewest", "Looking for the fewest sensors")
            return None
        return study.solved(replace(study.plain, n_sensors=None, reach="existing"))

    @cached_property
    def n_away(self) -> int:
        """Number of today's places that are taken away, and that are moved; 0 for too few."""
        places = 0 if self._today is None else self._today.n_sensors
        return min(max(1, round(AWAY * places)), places - 1) if places else 0

    @cached_property
    def without_some(self) -> Network | None:
        """What today's sensors do with some of their places given up, at the least loss."""
        return self._asked("fewer", "without_some", lambda: self._changed(retire=self.n_away))

    @cached_property
    def with_moved(self) -> Network | None:
        """What they do with some of them moved to where they add most."""
        return self._asked("fewer", "with_moved", lambda: self._changed(move_at_most=self.n_away))

    def _changed(self, *, retire: int = 0, move_at_most: int = 0) -> Network | None:
        if self._today is None or self.n_away == 0:
            return None
        if move_at_most and self.work > _FEWEST:
            self._too_large("with_moved", "Looking for what to move")
            return None
        plain = self.study.plain
        return self.study.solved(
            replace(plain, n_sensors=None, retire=retire, move_at_most=move_at_most)
        )
