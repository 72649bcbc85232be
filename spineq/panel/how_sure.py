"""How sure a network is: when sensors fail, and when the numbers are others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spineq.panel.failing import Failing
from spineq.panel.other_numbers import OtherNumbers
from spineq.panel.state import PanelState
from spineq.panel.view import View

if TYPE_CHECKING:
    from spineq.panel.map import NetworkMap


class HowSure(View):
    """Both questions, one below the other.

    Parameters
    ----------
    state
        Whose network is asked about.
    network_map
        The map, which can be coloured by an answer.
    """

    def __init__(self, state: PanelState, network_map: NetworkMap | None = None) -> None:
        super().__init__(state)
        self.failing = Failing(state)
        self.others = OtherNumbers(state, network_map)
        self.at_end(self.failing.close)
        self.at_end(self.others.close)
        self.children = (self.failing, self.others)
        self.observe(self._hand_on, "active")

    def _hand_on(self, change: Any) -> None:
        self.failing.active = self.others.active = change["new"]
