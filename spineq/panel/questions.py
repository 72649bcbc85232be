"""Questions about the shown network: why here, how sure, how few, which to move, what else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets

from spineq.panel.asked_about import what_else
from spineq.panel.elements import Tabs, Text
from spineq.panel.how_few import HowFew
from spineq.panel.how_sure import HowSure
from spineq.panel.near_best import NearBest
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.panel.which_move import WhichMove
from spineq.panel.why_here import WhyHere

if TYPE_CHECKING:
    from spineq.panel.map import NetworkMap

#: Names and titles of the questions.
QUESTIONS = (
    ("why", "Why here"),
    ("sure", "How sure"),
    ("few", "How few"),
    ("change", "Which to move"),
    ("others", "What else"),
)

#: Questions that need no network.
_WITHOUT = ("few", "change")

NOTHING = (
    "No network yet, so there is nothing to ask about one. Press Run, click sites on the map, or "
    "choose a finished job."
)


class Questions(View):
    """One question at a time about the network that the map shows.

    Parameters
    ----------
    state
        Whose network is asked about.
    network_map
        The map, on which sensors and places can be clicked.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network", "network_name")

    def __init__(self, state: PanelState, network_map: NetworkMap | None = None) -> None:
        super().__init__(state)
        self.words = Text()
        self.tabs = Tabs(QUESTIONS, label="Questions about the network")
        self.why = WhyHere(state, network_map)
        self.sure = HowSure(state, network_map)
        self.few = HowFew(state)
        self.change = WhichMove(state)
        self.others = NearBest(state)
        self.parts: dict[str, View] = {
            "why": self.why, "sure": self.sure, "few": self.few, "change": self.change,
            "others": self.others,
        }  # fmt: skip
        boxes = []
        for name, part in self.parts.items():
            self.at_end(part.close)
            part.active = False
            box = ipywidgets.VBox([part], layout={"padding": "8px 0 0"})
            box.add_class(f"spineq-tab-{name}")
            boxes.append(box)
        self._boxes = dict(zip(self.parts, boxes, strict=True))
        self.children = (self.words, self.tabs, *boxes)
        self.add_class("spineq-questions")
        self.tabs.observe(state.guarded(self._turn), "chosen")
        self.observe(state.guarded(self._turn), "active")
        self._turn(None)
        self.renew()

    def draw(self) -> None:
        """Say which network is asked about, and show the question that is chosen."""
        network = self.state.ours(self.state.network)
        chosen = str(self.tabs.chosen)
        name = self.state.network_name or "the network shown"
        about = "" if network is None else f"About: {name}."
        some = network is not None and network.n_sensors > 0
        lines = [about] if some or chosen in _WITHOUT else [NOTHING]
        if some and chosen not in _WITHOUT:
            lines.append(what_else(network))
        items = [{"text": line} for line in lines if line]
        if self.words.items != items:
            self.words.items = items
        for each, box in self._boxes.items():
            visible(box, each == chosen and (some or chosen in _WITHOUT))

    def _turn(self, _change: Any) -> None:
        """See to it that the chosen question alone is active."""
        chosen = str(self.tabs.chosen)
        for name, part in self.parts.items():
            on = self.active and name == chosen
            if part.active != on:
                part.active = on
        self.ask()
