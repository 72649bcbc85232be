"""What is left when sensors fail: the worst that can happen, and what is to be expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from spineq.panel.answering import Answering, answered
from spineq.panel.asked_about import KINDS
from spineq.panel.elements import Form, Table, Text
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.panel.why_words import lost
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.insight.robustness import Robustness
    from spineq.model.network import Network

#: Sensors in the table, those that are missed most.
_LISTED = 10

#: Answers that are remembered.
_MOST = 12


class Failing(View):
    """Asks what a network still covers when some of its sensors fail.

    Parameters
    ----------
    state
        Whose network is asked about.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network")

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        self._known: list[tuple[Network, Robustness]] = []
        self.form = Form(_fields(1), {"failures": 1, "chance": 5})
        self.asking = Answering(state, "Nothing was asked about failures yet.", self.ask)
        self.at_end(self.asking.close)
        self.words = Text()
        self.table = Table(
            [
                {"key": "sensor", "label": "Sensor that fails", "head": True},
                {"key": "lost", "label": "Coverage lost", "align": "right"},
                {"key": "beyond", "label": "Left without one in 500 m", "align": "right"},
            ],
        )
        self.children = (self.form, self.asking, self.words, self.table)
        self.form.hear(state.guarded(self._pressed))
        self.renew()

    def draw(self) -> None:
        """Show what is known of the network that is looked at."""
        network = self.state.ours(self.state.network)
        n = 1 if network is None else network.n_sensors
        if self.form.fields != _fields(n):
            self.form.fields = _fields(n)
        found = next((each for net, each in self._known if net is network), None)
        self.asking.about(found is not None)
        self.words.lines(*([] if found is None else found.summary().splitlines()), live=True)
        rows = [] if found is None or found.total.one_worst is None else _rows(found)
        with self.table.hold_sync():
            many = found is not None and found.n_sensors > _LISTED
            self.table.caption = (
                f"When one sensor fails: the {_LISTED} that are missed most"
                if many
                else "When one sensor fails"
            )
            self.table.rows = rows
        visible(self.table, bool(rows))

    def measure(self) -> None:
        """Work out what is left when sensors fail."""
        city, network = self.state.city, self.state.ours(self.state.network)
        if city is None or network is None:
            return
        k, chance = self.form.values.get("failures"), self.form.values.get("chance")
        self.form.errors = {}
        if not isinstance(k, int | float) or k != int(k) or not 1 <= k <= network.n_sensors:
            most = network.n_sensors
            self.form.errors = {"failures": f"Give a whole number from 1 to {most:,}."}
            return
        if not isinstance(chance, int | float) or not 0 <= chance <= 100:
            self.form.errors = {"chance": "Give a number from 0 to 100."}
            return
        if network.problem.kinds:
            self.asking.say(f"{KINDS}.", bad=True)
            return
        words: dict[str, Any] = {"network": network, "failures": int(k)}
        words["probability"] = chance / 100

        def work(progress: Progress) -> Any:
            return answered(self.state, city, "robustness", progress, **words)

        def done(found: Robustness) -> str:
            rest = [pair for pair in self._known if pair[0] is not network]
            self._known = [*rest[-_MOST + 1 :], (network, found)]
            if found.stopped:
                return "Cancelled: what is told is what was known by then."
            if found.proven:
                return "Done. The worst failure is proven to be the worst."
            return "Done. The worst failure is the worst that was found; others may be worse."

        self.asking.start("what is left when sensors fail?", work, done)

    def _pressed(self, message: Mapping[str, Any]) -> None:
        if message.get("press") == "fail":
            self.measure()


def _rows(found: Robustness) -> list[dict[str, Any]]:
    name = "pop_total" if "pop_total" in found.groups else next(iter(found.groups))
    table = found.table.sort_values("lost", ascending=False, kind="stable").head(_LISTED)
    rows, n_kept = [], int(found.table["kept"].sum())
    for order, row in table.iterrows():
        # Those that stay come first, and have no number on the map.
        number = int(str(order)) - n_kept
        place = str(row["site"]) or str(row["area"])
        rows.append(
            {
                "id": str(order),
                "sensor": {"text": place, "second": "stays" if row["kept"] else f"Sensor {number}"},
                "lost": lost(float(row["lost"]), found.total.coverage),
                "beyond": f"{row[f'beyond {name}']:,.0f} people",
            }
        )
    return rows


def _fields(n: int) -> list[dict[str, Any]]:
    title = "What remains when sensors fail; nothing about the places is changed"
    return [
        {"kind": "heading", "label": "When sensors fail"},
        {
            "kind": "number", "name": "failures", "label": "Sensors that fail at once", "min": 1,
            "max": max(n, 1), "step": 1, "unit": f"of {n:,}", "inline": True,
            "help": "The worst that can happen is looked for.",
        },
        {
            "kind": "range", "name": "chance", "label": "Chance that a sensor fails",
            "min": 0, "max": 50, "step": 1, "any": True, "hard_min": 0, "hard_max": 100,
            "unit": "%", "help": "Each by itself, whether or not others do.",
        },
        {
            "kind": "buttons",
            "buttons": [{"name": "fail", "label": "What if sensors fail?", "title": title}],
        },
    ]  # fmt: skip
