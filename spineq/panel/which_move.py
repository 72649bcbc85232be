"""Which of today's sensors go or move, and where new ones go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spineq.errors import ProblemError
from spineq.model._objective_words import changed_words, counted
from spineq.model._problem_words import NO_RULES
from spineq.panel.asking_anew import AskingAnew, base_of
from spineq.panel.draft import sentence
from spineq.panel.elements import Table
from spineq.panel.state import PanelState
from spineq.panel.view import visible

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network

#: What is said in a city without sensors.
NO_SENSORS = (
    "This city has no sensors of today, so none can go or move. Read it with a table of them."
)

_NUMBERS = ("retire", "move", "add")

#: Places in each list, at most.
_LISTED = 50


class WhichMove(AskingAnew):
    """Asks which of today's sensors to give up or move, and where to put new ones.

    Parameters
    ----------
    state
        What is looked at; the answer becomes its network.
    """

    def __init__(self, state: PanelState) -> None:
        nothing = "Nothing was asked about today's sensors yet."
        super().__init__(state, [], {"retire": 0, "move": 1, "add": 0}, "change", nothing)
        self.goes = Table(_columns("Sensor of today that goes"), caption="These go")
        self.comes = Table(_columns("Place of a new sensor"), caption="Sensors go here")
        self.children = (
            self.form, self.asking, self.words, self.again, self.goes, self.comes,
        )  # fmt: skip
        self.renew()

    def dress(self) -> None:
        """Offer numbers that the city's sensors allow, and list what is shown."""
        city, network = self.state.city, self.state.ours(self.state.network)
        today = 0 if city is None or city.existing is None else len(city.existing)
        fields = _fields(today)
        if self.form.fields != fields:
            self.form.fields = fields
        note = "" if today else NO_SENSORS
        if self.form.notes.get("none", "") != note:
            self.form.note(none=note)
        visible(self.asking, bool(today))
        changed = network is not None and network.problem.changes_existing
        gone = [] if network is None or not changed else _gone(network)
        new = [] if network is None or not changed else _new(network)
        for table, rows in ((self.goes, gone), (self.comes, new)):
            table.total = f"{counted(len(rows), 'place')}" if len(rows) > _LISTED else ""
            table.rows = rows[:_LISTED]
            visible(table, bool(rows))

    def enter(self, city: City) -> None:
        """Ask for the best change of today's sensors that is entered."""
        today = 0 if city.existing is None else len(city.existing)
        errors: dict[str, str] = {}
        numbers = {}
        for name in _NUMBERS:
            value = self.form.values.get(name)
            most = city.n_sites if name == "add" else today
            if not isinstance(value, int | float) or value != int(value) or not 0 <= value <= most:
                errors[name] = f"Give a whole number from 0 to {most:,}."
            else:
                numbers[name] = int(value)
        if not errors and not numbers["retire"] and not numbers["move"]:
            errors["move"] = (
                "Let at least one sensor go or move; new ones alone are set up as usual."
            )
        self.form.errors = errors
        if errors:
            return
        base, _ = base_of(self.state)
        words: dict[str, Any] = {**NO_RULES, "keep": (), "method": "auto", "bound": None}
        words |= {"retire": numbers["retire"], "move_at_most": numbers["move"], "seed": 0}
        words |= {"n_sensors": numbers["add"] or None, "gap_limit": 0.0, "effort": 1.0}
        try:
            problem = replace(base, **words)
        except ProblemError as error:
            field = {"retire": "retire", "n_sensors": "add"}.get(str(error.field), "move")
            self.form.errors = {field: sentence(error)}
            return
        parts = [
            f"{word} {numbers[name]:,}"
            for name, word in (("retire", "take away"), ("move", "move up to"), ("add", "add"))
            if numbers[name]
        ]
        self.seek(problem, f"today's sensors: {', '.join(parts)}")

    def told(self, found: Network) -> list[str]:
        """Say what becomes of today's sensors, and what is proven."""
        return [changed_words(found), found.certificate()]


def _gone(network: Network) -> list[dict[str, Any]]:
    """Rows of the sensors of today that no longer stand where they do."""
    gone = network.gone
    columns = (gone[name] for name in ("sensor", "area", "x", "y"))
    return [
        {"id": str(k), "place": str(name), "area": str(area), "at": f"{x:,.0f}, {y:,.0f}"}
        for k, (name, area, x, y) in enumerate(zip(*columns, strict=True))
    ]


def _new(network: Network) -> list[dict[str, Any]]:
    """Rows of the places where sensors go."""
    placed = network.sensors.iloc[network.n_kept :]
    return [
        {"id": str(k), "place": str(site), "area": str(area), "at": f"{x:,.0f}, {y:,.0f}"}
        for k, (site, area, x, y) in enumerate(
            zip(placed["site"], placed["area"], placed["x"], placed["y"], strict=True), start=1
        )
    ]


def _columns(first: str) -> list[dict[str, Any]]:
    return [
        {"key": "place", "label": first, "head": True},
        {"key": "area", "label": "Area", "narrow": "hide"},
        {"key": "at", "label": "x, y (m)", "align": "right"},
    ]


def _fields(today: int) -> list[dict[str, Any]]:
    if not today:
        return [{"kind": "say", "name": "none"}]
    return [
        {
            "kind": "number", "name": "retire", "label": "Take away", "min": 0, "max": today,
            "step": 1, "unit": f"of {today:,}", "inline": True,
            "help": "So many of today's sensors are given up.",
        },
        {
            "kind": "number", "name": "move", "label": "Move at most", "min": 0, "max": today,
            "step": 1, "unit": f"of {today:,}", "inline": True,
            "help": "Further ones may go elsewhere, if that covers more.",
        },
        {
            "kind": "number", "name": "add", "label": "Add", "min": 0, "step": 1, "inline": True,
            "help": "New sensors beside those that move.",
        },
        {
            "kind": "buttons",
            "buttons": [{
                "name": "change", "label": "Which to take or move?", "primary": True,
                "title": "Look for the change of today's sensors that covers most",
            }],
        },
    ]  # fmt: skip
