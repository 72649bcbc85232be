"""Asking for another network: the question of the shown one, asked differently, as a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from spineq.panel.answering import Answering, answered
from spineq.panel.elements import Form, Text
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem

#: Answers that are remembered.
_MOST = 12


def base_of(state: PanelState) -> tuple[Problem, str]:
    """Whose people, theta and decay are asked about: of the shown network, or of the form.

    Returns
    -------
    tuple
        A problem, whose number of sensors means nothing; and in words whose it is.
    """
    from spineq.model.problem import Problem

    network = state.ours(state.network)
    if network is not None:
        return network.problem, "the network shown"
    if state.draft is not None:
        return state.draft, "what is set up"
    return Problem(n_sensors=1), "all residents"


class AskingAnew(View):
    """A form that asks for a network, how far the job is, and the answer shown on the map.

    Views of this kind say what is asked, and what is told of the answer.

    Parameters
    ----------
    state
        What is looked at; an answer becomes its network.
    fields, values
        Of the form.
    button
        Name of the button that asks.
    nothing
        What is said before anything was asked.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network", "draft")

    def __init__(
        self,
        state: PanelState,
        fields: Sequence[Mapping[str, Any]],
        values: Mapping[str, Any],
        button: str,
        nothing: str,
    ) -> None:
        super().__init__(state)
        self._button = button
        # Answers with their names, the newest last.
        self._answers: list[tuple[Network, str]] = []
        self.form = Form(fields, values)
        self.asking = Answering(state, nothing, self.ask)
        self.at_end(self.asking.close)
        self.words = Text()
        show = {"name": "show", "label": "Show it on the map", "title": "Show the last answer"}
        self.again = Form([{"kind": "buttons", "buttons": [show]}], {})
        self.form.hear(state.guarded(self._pressed))
        self.again.hear(state.guarded(self._pressed))

    @property
    def answer(self) -> Network | None:
        """The last answer, if it is of the city that is looked at."""
        return self.state.ours(self._answers[-1][0]) if self._answers else None

    def seek(self, problem: Problem, name: str) -> None:
        """Look for the answer to a problem, and show it unless the person goes on meanwhile."""
        state, city, before = self.state, self.state.city, self.state.network
        if city is None:
            return

        def work(progress: Progress) -> Network:
            found: Network = answered(state, city, "optimise", progress, note=name, problem=problem)
            return found

        def done(found: Network) -> str:
            self._answers = [*self._answers[-_MOST + 1 :], (found, name)]
            shown = state.show_over([before], city, found, name)
            if not shown:
                state.remember(found, name)
            cut = "Cancelled: this is the best by then. " if found.stopped else ""
            where = "It is on the map." if shown else "You went on meanwhile."
            return f"{cut}{where}"

        self.asking.start(name, work, done)

    def draw(self) -> None:
        """Tell of the last answer."""
        self.dress()
        found = self.answer
        self.asking.has = found is not None
        shown = found is not None and self.state.network is found
        lines = [] if found is None else self.told(found)
        self.words.lines(*lines, live=True)
        visible(self.words, bool(lines))
        visible(self.again, found is not None and not shown and not self.asking.busy)

    def dress(self) -> None:
        """Bring the form up to date with the city and the network."""

    def told(self, found: Network) -> list[str]:
        """What is told of an answer, a sentence each."""
        return [found.certificate()]

    def enter(self, city: City) -> None:
        """Ask what is entered."""

    def _pressed(self, message: Mapping[str, Any]) -> None:
        city = self.state.city
        if message.get("press") == self._button and city is not None:
            self.enter(city)
        elif message.get("press") == "show" and self.answer is not None:
            self.asking.say("")
            self.state.show(*self._answers[-1])
            self.ask()
