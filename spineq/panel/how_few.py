"""How few sensors reach a coverage: today's, the shown network's, or levels by group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spineq.errors import SpineqError
from spineq.model._objective_words import counted
from spineq.model._problem_words import NO_RULES
from spineq.model.groups import title_of
from spineq.panel.asking_anew import AskingAnew, base_of
from spineq.panel.draft import sentence
from spineq.panel.state import PanelState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.model.network import Network

#: What is to be reached.
TODAY, SHOWN, LEVELS = "existing", "shown", "levels"

_LEVEL = "level:"

#: Groups that levels can be given for, at most.
_MOST_GROUPS = 8


class HowFew(AskingAnew):
    """Asks for the fewest sensors that reach a coverage.

    Parameters
    ----------
    state
        What is looked at; the answer becomes its network.
    """

    def __init__(self, state: PanelState) -> None:
        nothing = "The fewest sensors were not asked for yet."
        super().__init__(state, [], {"goal": "", "keep": False}, "fewest", nothing)
        self._groups: dict[str, Group] = {}
        self.children = (self.form, self.asking, self.words, self.again)
        self.form.observe(self._changed, "values")
        self.renew()

    def dress(self) -> None:
        """Offer what there is to reach."""
        city, network = self.state.city, self.state.ours(self.state.network)
        if city is None:
            self.form.fields = []
            return
        base, whose = base_of(self.state)
        groups = city.reported_groups(dict(base.groups))
        self._groups = {
            name: group for name, group in list(groups.items())[:_MOST_GROUPS] if city.has(group)
        }
        today = city.existing is not None and len(city.existing) > 0
        goals = [[TODAY, "What today's sensors give every group"]] if today else []
        if network is not None:
            goals.append([SHOWN, "What the network shown gives every group"])
        goals.append([LEVELS, "A coverage for each group that I choose"])
        values = dict(self.form.values)
        if values.get("goal") not in [goal for goal, _ in goals]:
            values["goal"] = goals[0][0]
        covered = {} if network is None else network.table()["coverage"].to_dict()
        for name in self._groups:
            # As much as is covered now is a beginning.
            values.setdefault(_LEVEL + name, round(100 * covered.get(name, 0.0)))
        fields = self._fields(city, goals, whose, len(city.existing) if today else 0)
        chosen = values["goal"] == LEVELS
        hidden = [] if chosen else ["levels"]
        with self.form.hold_sync():
            if self.form.fields != fields:
                self.form.fields = fields
            if self.form.values != values:
                self.form.values = values
            if self.form.hidden != hidden:
                self.form.hidden = hidden

    def _fields(
        self, city: City, goals: list[list[str]], whose: str, existing: int
    ) -> list[dict[str, Any]]:
        base, _ = base_of(self.state)
        levels = [
            {
                "kind": "number", "name": _LEVEL + name, "label": title_of(name, group),
                "min": 0, "max": 100, "step": 1, "unit": "%", "inline": True,
            }
            for name, group in self._groups.items()
        ]  # fmt: skip
        keep: list[dict[str, Any]] = []
        if existing:
            keep = [
                {
                    "kind": "check", "name": "keep",
                    "label": f"Keep {_the_existing(existing)}",
                    "help": "Then it is asked how few more are needed.",
                }
            ]  # fmt: skip
        title = "Look for the smallest number of sensors that is enough"
        button = {"name": "fewest", "label": "How few are enough?", "title": title, "primary": True}
        return [
            {
                "kind": "select", "name": "goal", "label": "What is to be reached",
                "options": goals,
                "help": f"With theta {base.theta:,g} {city.travel_unit}, as {_has(whose)}.",
            },
            {"kind": "fold", "name": "levels", "label": "Coverage by group", "open": True},
            *levels,
            {"kind": "end"},
            *keep,
            {"kind": "buttons", "buttons": [button]},
        ]  # fmt: skip

    def enter(self, city: City) -> None:
        """Ask for the fewest that reach what is entered."""
        values, goal = self.form.values, self.form.values.get("goal")
        base, _ = base_of(self.state)
        network = self.state.ours(self.state.network)
        field = "goal"
        reach: Any = TODAY
        if goal == SHOWN:
            reach = network
        elif goal == LEVELS:
            reach = self._levels(values)
            field = _LEVEL + next(iter(self._groups))
            if reach is None:
                return
        keep = TODAY if values.get("keep") and city.existing is not None else ()
        words: dict[str, Any] = {**NO_RULES, "n_sensors": None, "reach": reach, "keep": keep}
        words |= {"objective": "mean", "aversion": 0.0, "method": "auto", "bound": None}
        words |= {"gap_limit": 0.0, "effort": 1.0, "seed": 0}
        try:
            problem = replace(base, **words)
        except SpineqError as error:
            self.form.errors = {field: sentence(error) if hasattr(error, "field") else str(error)}
            return
        self.form.errors = {}
        what = {
            TODAY: "today's coverage",
            SHOWN: f"what {self.state.network_name or 'the network'} covers",
        }.get(str(goal), "the coverage asked for")
        beside = " beside those of today" if keep else ""
        self.seek(problem, f"fewest sensors{beside} for {what}")

    def _levels(self, values: Mapping[str, Any]) -> dict[str, tuple[Group, float]] | None:
        """Coverage to reach by group; None with the errors marked at their fields."""
        made, errors = {}, {}
        for name, group in self._groups.items():
            value = values.get(_LEVEL + name)
            if value is None:
                continue
            if not isinstance(value, int | float) or not 0 <= value <= 100:
                errors[_LEVEL + name] = "Give a number from 0 to 100."
            elif value > 0:
                made[name] = (group, value / 100)
        if not made and not errors:
            first = _LEVEL + next(iter(self._groups))
            errors[first] = "Give at least one group a coverage above 0."
        self.form.errors = errors
        return None if errors else made

    def told(self, found: Network) -> list[str]:
        """Say how few are enough, and what is proven."""
        lines = [found.certificate()]
        reach = found.problem.reach
        if not isinstance(reach, str):
            covered = found.table()["coverage"].to_dict()
            over = [
                f"{title_of(name, group)} {100 * covered[name]:.1f} %"
                for name, group, _ in reach
                if name in covered
            ]
            if over:
                lines.append(f"Covered with them: {', '.join(over)}.")
        return lines


def _the_existing(n: int) -> str:
    return f"the {counted(n, 'existing sensor')}" if n > 1 else "the existing sensor"


def _has(whose: str) -> str:
    return f"{whose} has it" if whose == "the network shown" else f"for {whose}"
