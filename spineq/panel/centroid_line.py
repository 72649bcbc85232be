"""A line about a network: what it hides that people are counted at centroids."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, ClassVar

from spineq.errors import SpineqError
from spineq.insight.centroids import TwoCities, not_counted, two_cities
from spineq.panel.elements import Text
from spineq.panel.errand import Errand
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network

_LOG = logging.getLogger(__name__)

_UNKNOWN = "What it hides that people are counted at centroids is not known"

#: What stands there until it is known.
WAITING = "What it hides that people are counted at centroids is being looked at ..."

#: Networks whose sentences are remembered: whoever goes back and forth need not wait again.
_MOST_SENTENCES = 20


class CentroidLine(View):
    """Says beside a network's certificate what a finer count of people makes of its coverage.

    It is counted on a thread of its own once the network is shown, by one thread at a time;
    a network that is shown meanwhile takes its place.

    Parameters
    ----------
    state
        Whose network it is about.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network")

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        self.words = Text()
        self.errand = Errand(state, lambda: None)
        # The network that is looked at, and those that were, each with its sentence.
        self._asked: Network | None = None
        self._said: list[tuple[Network, str]] = []
        # Spreading a city's people takes longer than a network: it is done once.
        self._counting = threading.Lock()
        self._spread: tuple[City, TwoCities | str] | None = None
        self.at_end(self.errand.close)
        self.children = (self.words,)
        self.renew()

    def draw(self) -> None:
        """Show the sentence of the network that is looked at, or have it made."""
        network, city = self.state.ours(self.state.network), self.state.city
        if network is not self._asked:
            self.errand.drop()
            self._asked = None
        if network is None or city is None or network.n_sensors == 0:
            self._show("")
            return
        said = next((words for each, words in self._said if each is network), None)
        if said is not None:
            self._show(said)
            return
        self._show(WAITING)
        if self._asked is None:
            self._ask_about(network, city)

    def _show(self, said: str) -> None:
        items = [{"text": said, "live": said != WAITING}] if said else []
        if self.words.items != items:
            self.words.items = items
        visible(self, bool(said))

    def _ask_about(self, network: Network, city: City) -> None:
        self._asked = network

        def work(progress: Progress) -> str | None:
            try:
                return self._sentence(network, city, progress)
            except SpineqError as error:  # nobody asked for it: no news of its own
                return f"{_UNKNOWN}: {error.what}."
            except Exception:
                _LOG.exception("what centroids hide of a network could not be counted")
                return f"{_UNKNOWN}: counting it failed, and the log says why."

        def done(said: str | None) -> None:
            if said is not None:
                self._said = [*self._said[-_MOST_SENTENCES + 1 :], (network, said)]
            self.ask()

        self.errand.start(work, done, "counting people inside their areas")

    def _sentence(self, network: Network, city: City, progress: Progress) -> str | None:
        """Make the sentence; None where nobody wants it any more."""
        with self._counting:
            if progress.report(0.0, ""):
                return None
            if self._spread is None or self._spread[0] is not city:
                self._spread = city, _two_cities(city)
            two = self._spread[1]
            if progress.report(0.5, ""):
                return None
            return two if isinstance(two, str) else two.sentence(two.error(network))


def _two_cities(city: City) -> TwoCities | str:
    """The city at centroids and at finer points, or why there is none."""
    try:
        return two_cities(city)
    except SpineqError as error:
        return not_counted(city, error)
