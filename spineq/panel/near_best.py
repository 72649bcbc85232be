"""Other networks that are nearly as good: a choice between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from spineq.model._objective_words import counted
from spineq.panel.answering import Answering, answered
from spineq.panel.asked_about import askable
from spineq.panel.elements import Form, Table, Text
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.panel.why_words import lost
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.insight.alternatives import Alternatives
    from spineq.model.network import Network

#: Networks that are looked for at most.
_MOST = 20

#: Ids that are written out in a cell.
_NAMED = 4

_ITSELF = "0"


class NearBest(View):
    """Asks for networks that are nearly as good as the shown one, and differ from it.

    Parameters
    ----------
    state
        Whose network is asked about; one that is chosen here becomes its network.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network")

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        #: The network that was asked about, and its name; and the answer.
        self.base: tuple[Network, str] | None = None
        self.found: Alternatives | None = None
        self.form = Form(_fields(), {"k": 3, "different": 1})
        self.asking = Answering(state, "No other networks were asked for yet.", self.ask)
        self.at_end(self.asking.close)
        self.words = Text()
        self.table = Table(
            [
                {"key": "name", "label": "Network", "head": True},
                {"key": "loss", "label": "Loses", "align": "right"},
                {"key": "comes", "label": "New places"},
                {"key": "goes", "label": "Given up", "narrow": "hide"},
                {"key": "do", "label": "Show", "kind": "actions", "quiet": True},
            ],
            caption="Networks to choose from",
        )
        self.children = (self.form, self.asking, self.words, self.table)
        self.form.hear(state.guarded(self._pressed))
        self.table.hear(state.guarded(self._acted))
        self.renew()

    def draw(self) -> None:
        """Show what was found, as long as the city is the same."""
        if self.base is not None and self.state.ours(self.base[0]) is None:
            self.base = self.found = None
            self.asking.drop()
        base, found = self.base, self.found
        self.asking.has = found is not None
        if base is None or found is None:
            self.words.lines()
            visible(self.table, False)
            return
        what = f"Beside “{base[1]}”."
        lines = [line for line in (what, _said(found)) if line]
        self.words.lines(*lines, live=True)
        with self.table.hold_sync():
            self.table.rows = self._rows(base, found)
            shown = [number for number, net in self._networks() if net is self.state.network]
            self.table.selected = str(shown[0]) if shown else ""
        visible(self.table, True)

    def _networks(self) -> list[tuple[int, Network]]:
        made = [] if self.base is None else [(0, self.base[0])]
        if self.found is not None:
            made += [(k, each.network) for k, each in enumerate(self.found.found, start=1)]
        return made

    def _rows(self, base: tuple[Network, str], found: Alternatives) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [
            {
                "id": _ITSELF,
                "name": base[1],
                "loss": "",
                "comes": "",
                "goes": "",
                "do": _show(base[1]),
            }
        ]
        value = found.network.objective_value
        for k, each in enumerate(found.found, start=1):
            name = f"Alternative {k}"
            loss: Any = lost(each.loss, value)
            if not each.proven:
                loss = {"text": loss, "second": "not proven"}
            rows.append(
                {
                    "id": str(k),
                    "name": name,
                    "loss": loss,
                    "comes": _listed(each.comes),
                    "goes": _listed(each.goes),
                    "do": _show(name),
                }
            )
        return rows

    def seek(self) -> None:
        """Look for networks that are nearly as good as the shown one."""
        city, network = self.state.city, self.state.ours(self.state.network)
        if city is None or network is None:
            return
        values, errors = self.form.values, {}
        k, different = values.get("k"), values.get("different")
        placed = max(network.n_sensors - network.n_kept, 1)
        if not isinstance(k, int | float) or k != int(k) or not 1 <= k <= _MOST:
            errors["k"] = f"Give a whole number from 1 to {_MOST}."
        whole = isinstance(different, int | float) and different == int(different)
        if not whole or not 1 <= different <= placed:
            errors["different"] = f"Give a whole number from 1 to {placed:,}."
        self.form.errors = errors
        if errors:
            return
        assert isinstance(k, int | float)
        name = self.state.network_name or "the network"
        words: dict[str, Any] = {"k": int(k), "min_different": int(different)}

        def work(progress: Progress) -> Any:
            plain = askable(city, network)
            return answered(self.state, city, "alternatives", progress, network=plain, **words)

        def done(found: Alternatives) -> str:
            self.base, self.found = (network, name), found
            if found.stopped:
                return f"Cancelled after {counted(len(found.found), 'network')}."
            return ""

        self.asking.start(f"{counted(int(k), 'network')} beside {name}", work, done)

    def show(self, number: int) -> None:
        """Put an alternative on the map, by its number; 0 is the network that was asked about."""
        if self.base is None or self.found is None:
            return
        if number == 0:
            self.state.show(*self.base)
        elif number <= len(self.found.found):
            with self.state.lock:
                name = f"alternative {number} to {self.base[1]}"
                self.state.show(self.found.found[number - 1].network, name)
                self.state.remark = self.found.sentence(number)

    def _pressed(self, message: Mapping[str, Any]) -> None:
        if message.get("press") == "others":
            self.seek()

    def _acted(self, message: Mapping[str, Any]) -> None:
        if message.get("action") == "show":
            self.show(int(message["id"]))


def _said(found: Alternatives) -> str:
    """What is not in the table."""
    if not found.found:
        return found.summary()
    lines = []
    if all(each.proven for each in found.found):
        lines.append("Each is the best of those that differ so much, which is proven.")
    if found.exhausted:
        lines.append("There are no more, which is proven.")
    if found.stopped:
        lines.append("The search was stopped early.")
    return " ".join(lines)


def _listed(ids: tuple[str, ...]) -> str:
    rest = len(ids) - _NAMED
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"{', '.join(ids[:_NAMED])}{more}"


def _show(name: str) -> list[dict[str, Any]]:
    return [{"name": "show", "label": "Show", "title": f"Show {name} on the map"}]


def _fields() -> list[dict[str, Any]]:
    title = "Look for the best networks that differ from the one shown"
    return [
        {
            "kind": "number", "name": "k", "label": "How many", "min": 1, "max": _MOST, "step": 1,
            "inline": True, "help": "The best first.",
        },
        {
            "kind": "number", "name": "different", "label": "Places given up at least", "min": 1,
            "step": 1, "inline": True, "help": "Of the network, and of each found before.",
        },
        {
            "kind": "buttons",
            "buttons": [
                {"name": "others", "label": "What else is nearly as good?", "title": title}
            ],
        },
    ]  # fmt: skip
