"""The live preview: while a slider moves, the greedy answer, and a moment later the proven one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from spineq.errors import SpineqError
from spineq.panel.asking import Asking, Question

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem
    from spineq.panel.state import PanelState

#: Pairs of site and point up to which a preview is tried: 5,000 areas that are their own sites.
MOST_PAIRS = 25_000_000

#: Seconds of quiet after which the proven answer is looked for.
QUIET = 0.15

#: A greedy answer that took longer, seconds, this often in a row, and the preview is put off.
_TOO_LONG, _OFTEN = 1.0, 3

_TOO_SLOW = "The preview could not keep up and is off. Press Run, or switch it on again."

#: Names of what is shown.
QUICK, PROVEN = "preview (greedy)", "preview"


class Preview:
    """Solves problems while they change, on the queue's cluster and outside of its ledger.

    At most one greedy run and one proven run are on their way; a run that nobody waits for any
    more is cancelled.

    Parameters
    ----------
    state
        Shows the answers.
    said
        Called with words about what the preview does.
    """

    def __init__(self, state: PanelState, said: Callable[[str], object]) -> None:
        self._state, self._said = state, said
        self._lock = threading.RLock()
        # Number and problem of the latest wish: one attribute, so that they belong together.
        self._wish: tuple[int, Problem | None] = 0, None
        self._asking = Asking(state)
        self._quick: Question | None = None
        self._proving: Question | None = None
        self._slow = 0
        #: What was shown when the latest wish was made, and what was shown for it.
        self._before: Network | None = None
        self._shown: Network | None = None
        #: Number of the latest wish whose proven answer was shown.
        self._proved = 0
        #: Whether the person wants it.
        self.on = True
        #: Seconds that the last greedy and the last proven answer took, from the wish to the state.
        self.seconds: dict[str, float] = {}
        state.at_close(self.stop)

    def why_not(self) -> str:
        """Say why there can be no preview; empty where there can."""
        city = self._state.city
        if city is None:
            return ""
        if not self._asking.can:
            return "No preview: it needs a queue with a cluster."
        if city.n_sites * city.n_points > MOST_PAIRS:
            size = f"{city.n_areas:,} areas"
            return f"No preview: with {size} it could not keep up. Press Run."
        return ""

    def switch(self, on: bool) -> None:
        """Switch it on or off."""
        self.on = on
        self._slow = 0
        if not on:
            self.stop()

    def want(self, problem: Problem) -> None:
        """Show the answer to a problem as soon as it can be had; a later wish takes its place."""
        if not self.on or self.why_not():
            self.stop()
            return
        with self._state.lock:
            self._wish = self._wish[0] + 1, problem
            self._before, self._shown = self._state.network, None
        self._cancel_proof()
        self._next()
        self._state.ticker.ask(self._prove, after=QUIET)

    def stop(self) -> None:
        """Cancel what is on its way."""
        with self._state.lock:  # an answer that is being shown is so before, and none is after
            self._wish = self._wish[0] + 1, None
        self._cancel_proof()
        with self._lock:
            quick, self._quick = self._quick, None
        self._state.ticker.forget(self._prove)
        if quick is not None:
            quick.take_back()

    def _next(self) -> None:
        """Send the latest wish to greedy, if nothing is on its way."""
        with self._lock:
            number, problem = self._wish
            if problem is None or self._quick is not None:
                return
            if problem.objective != "mean" or problem.at_least:
                return  # greedy knows no such goals
            quick = replace(problem, method="greedy", bound="none", effort=1.0)
            self._quick = self._ask(quick, QUICK, number)

    def _prove(self) -> None:
        with self._state.guard():
            self._cancel_proof()
            with self._lock:
                number, problem = self._wish
                if problem is not None:
                    self._proving = self._ask(problem, PROVEN, number)

    def _ask(self, problem: Problem, name: str, number: int) -> Question:
        began, city = time.monotonic(), self._state.city
        # Before jobs, since somebody waits with a hand on the slider.
        return self._asking.ask(
            problem, 1000, lambda question: self._came(question, name, number, began, city)
        )

    def _came(
        self, question: Question, name: str, number: int, began: float, city: City | None
    ) -> None:
        with self._state.guard():
            words, network = "", None
            try:
                network = question.answer()
            except SpineqError as error:
                words = str(error)
            except Exception as error:  # of a worker, which the panel must not fall over
                words = f"No preview at the moment: {type(error).__name__}."
            if network is None and not words and not question.is_dropped:
                words = "No preview at the moment: the cluster does not answer."
            took = time.monotonic() - began
            with self._lock:
                if question is self._quick:
                    self._quick = None
                    self._slow = self._slow + 1 if took > _TOO_LONG else 0
                elif question is self._proving:
                    self._proving = None
            late = self._take(network, name, number, city, took)
            if late:
                self._next()
            if words and not late:
                self._said(words)
            elif self._slow >= _OFTEN:
                self.switch(False)
                self._said(_TOO_SLOW)

    def _take(
        self, network: Network | None, name: str, number: int, city: City | None, took: float
    ) -> bool:
        """Show an answer, if it is still wanted; whether another one is wanted by now."""
        # Not with both locks: others take them in the other order.
        with self._state.lock:
            late = number != self._wish[0]
            # A late greedy answer is still better to look at than none; a late proof is not.
            wanted = self._wish[1] is not None and not (late and name == PROVEN)
            if not wanted or network is None:
                return late
            self.seconds[name] = took
            # What was proven already stays, however late greedy comes.
            # So does what the person has turned to since: an edit, a result, a city.
            over = [self._before, *([] if self._shown is None else [self._shown])]
            behind = name == QUICK and (number <= self._proved or self._is_proven())
            if not behind and self._state.show_over(over, city, network, name, remember=False):
                self._shown = network
                if name == PROVEN:
                    self._proved = number
            return late

    def _is_proven(self) -> bool:
        """Whether the answer that is wanted is shown already."""
        shown, wanted = self._state.network, self._wish[1]
        if shown is None or wanted is None or self._state.network_name != PROVEN:
            return False
        digest: str = shown.problem.digest
        return digest == wanted.digest

    def _cancel_proof(self) -> None:
        with self._lock:
            proving, self._proving = self._proving, None
        if proving is not None:
            proving.take_back()
