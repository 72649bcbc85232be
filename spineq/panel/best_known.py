"""The best of as many sensors, while one edits: what is known of it, and the search for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from spineq.model._objective_words import figure_name, maximised, percent
from spineq.panel.asking import Asking, Question

if TYPE_CHECKING:
    from spineq.model.network import Network
    from spineq.model.problem import Problem
    from spineq.panel.state import PanelState

#: Areas up to which it is looked for.
MOST_AREAS = 5_000

#: Below the jobs' previews, and above jobs.
_PRIORITY = 900


class Best(NamedTuple):
    """Value of the best network that is known, what none can be above, and whether they meet."""

    value: float
    bound: float
    proven: bool


class BestKnown:
    """The best of as many sensors, by the question that it answers.

    Parameters
    ----------
    state
        Whose city, and whose queue has the cluster.
    found
        Called when something was found, or looking for it came to nothing.
    """

    def __init__(self, state: PanelState, found: Callable[[], object]) -> None:
        self._state, self._found = state, found
        self._asking = Asking(state)
        self._lock = threading.Lock()
        self._best: dict[tuple[str, str], Best] = {}
        self._looking: Question | None = None

    @property
    def is_looking(self) -> bool:
        """Whether something is being looked for."""
        return self._looking is not None

    def clear(self) -> None:
        """Know nothing: it is another city."""
        self.stop()
        self._best.clear()

    def learn(self, problem: Problem, network: Network) -> None:
        """Remember what a network says of the best of a problem."""
        if network.upper_bound is not None:
            best = Best(network.objective_value, network.upper_bound, network.proven)
            self._best[_key(problem, network)] = best

    def look_for(self, problem: Problem) -> None:
        """Find it on the cluster, if it is not known."""
        self.stop()
        city = self._state.city
        if city is None or city.n_areas > MOST_AREAS or not self._asking.can:
            return
        if (city.digest, problem.digest) in self._best:
            return

        def came(question: Question) -> None:
            # Whoever comes back waits until it is known what for.
            with self._lock:
                if question is not self._looking:
                    return
                self._looking = None
            network = None
            with suppress(Exception):  # nobody asked for it: what is not known is not said
                network = question.answer()
            if network is not None:
                self.learn(problem, network)
            self._found()

        with self._lock:
            self._looking = self._asking.ask(problem, _PRIORITY, came)

    def stop(self) -> None:
        """Look for nothing any more."""
        with self._lock:
            looking, self._looking = self._looking, None
        if looking is not None:
            looking.take_back()

    def words(self, now: Network, problem: Problem | None) -> str:
        """Say how far a network is from the best.

        Parameters
        ----------
        now
            The network.
        problem
            Whose best it is held against; None where it has no sensors.
        """
        if now.upper_bound is not None or now.too_few is not None:
            return now.certificate()
        best = None if problem is None else self._best.get(_key(problem, now))
        mean = maximised(now.problem) == "mean"
        name = "Mean coverage" if mean else figure_name(now.problem)
        said = f"{name}: {percent(now.objective_value)}"
        if best is None:
            wait = " The best of as many is being looked for." if self.is_looking else ""
            return f"{said}.{wait}"
        if best.bound - now.objective_value < 5e-7:
            return f"{said}, as good as the proven best."
        top, what = (
            (best.value, "the proven best") if best.proven else (best.bound, "what is possible")
        )
        # Of the figures as they are shown, so that they add up.
        lost = round(100 * top, 1) - round(100 * now.objective_value, 1)
        short = f"{lost:.1f} points" if lost >= 0.05 else "less than 0.1 points"
        return f"{said}, {short} below {what} ({percent(top)})."


def _key(problem: Problem, network: Network) -> tuple[str, str]:
    """What the best of a problem is known by: the city, and the problem."""
    return str(network.dataset.attrs["city_digest"]), problem.digest
