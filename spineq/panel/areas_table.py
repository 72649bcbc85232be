"""The table twin of the map: the same figures by area, for whoever cannot see colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from spineq.model._objective_words import counted, percent, points
from spineq.model._words import metres
from spineq.panel.elements import Form, Message, Table
from spineq.panel.shading import area_table
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible

if TYPE_CHECKING:
    from spineq.model.city import City

#: Rows of a page.
PAGE = 10

_AREA = "area"

#: Columns that are not people: label, and how a value is written.
_FIGURES = {
    "coverage": ("Coverage", percent),
    "difference": ("Change (points)", points),
    "distance": ("Nearest sensor", metres),
}


class AreasTable(View):
    """One row an area: people, coverage, nearest sensor, change; folded until it is asked for.

    Parameters
    ----------
    city_or_state
        A city; or the panel's state, for the table inside a panel.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network", "other")

    def __init__(self, city_or_state: City | PanelState) -> None:
        given = city_or_state
        super().__init__(given if isinstance(given, PanelState) else PanelState(given))
        if self.state is not given:
            self.at_end(self.state.close)
        # What the rows are of, and the whole table.
        self._of: tuple[object, object, object] = (None, None, None)
        self._whole = pd.DataFrame()
        self.controls = Form([], {"find": ""})
        self.controls.fields = [
            {
                "kind": "buttons",
                "buttons": [
                    {
                        "name": "open",
                        "label": "The areas as a table",
                        "toggle": True,
                        "title": "The figures of the map, to sort and to find areas in",
                    }
                ],
            },
            {"kind": "text", "name": "find", "label": "Find an area", "help": "A part of its id."},
        ]
        self.controls.hidden = ["find"]
        self.table = Table(
            [],
            caption="Areas",
            empty="No area has an id like that.",
            page_words=["Previous areas", "Next areas"],
            sort={"key": _AREA, "down": False},
        )
        self.children = (self.controls, self.table)
        self.controls.hear(self.state.guarded(self._pressed))
        self.controls.observe(self._first_page, "values")
        self.table.hear(self.state.guarded(self._heard))
        self.renew()

    @property
    def is_open(self) -> bool:
        """Whether the table is unfolded."""
        return "open" in self.controls.pressed

    def unfold(self, unfolded: bool = True) -> None:
        """Unfold the table, or fold it."""
        self.controls.pressed = ["open"] if unfolded else []
        self.controls.hidden = [] if unfolded else ["find"]
        self.renew()

    def draw(self) -> None:
        """Show the page that is looked at."""
        visible(self.table, self.is_open)
        city = self.state.city
        if not self.is_open or city is None:
            return
        whole = self._measured(city)
        ids = whole.index.to_series().astype(str)
        found = str(self.controls.values.get("find") or "").strip().lower()
        shown = whole[ids.str.lower().str.contains(found, regex=False)] if found else whole
        key, down = self.table.sort["key"], bool(self.table.sort["down"])
        if key in shown.columns:
            # Areas that are alike stay in their order.
            order = np.argsort(shown[key].to_numpy() * (-1 if down else 1), kind="stable")
            shown = shown.iloc[order]
        elif down:
            shown = shown.iloc[::-1]
        pages = max(-(-len(shown) // PAGE), 1)
        page = min(self.table.page, pages - 1)
        with self.table.hold_sync():
            self.table.columns = _columns(whole)
            self.table.page, self.table.pages = page, pages
            self.table.total = counted(len(shown), "area")
            self.table.rows = _rows(shown.iloc[page * PAGE : (page + 1) * PAGE])

    def _measured(self, city: City) -> pd.DataFrame:
        network, other = (self.state.ours(each) for each in (self.state.network, self.state.other))
        of = (city, network, other)
        if any(mine is not theirs for mine, theirs in zip(of, self._of, strict=True)):
            self._whole, self._of = area_table(city, network, other), of
            if self.table.sort["key"] not in (_AREA, *self._whole.columns):
                self.table.sort = {"key": _AREA, "down": False}
        return self._whole

    def _pressed(self, message: Message) -> None:
        if message.get("press") == "open":
            self.unfold(not self.is_open)

    def _first_page(self, _change: object) -> None:
        self.table.page = 0
        self.ask()

    def _heard(self, message: Message) -> None:
        key, page = message.get("sort"), message.get("page")
        if isinstance(key, str) and key in (_AREA, *self._whole.columns):
            before = self.table.sort
            down = not before["down"] if before["key"] == key else False
            self.table.sort = {"key": key, "down": down}
            self.table.page = 0
        elif isinstance(page, int):
            self.table.page = max(page, 0)
        self.ask()


def _columns(whole: pd.DataFrame) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = [
        {"key": _AREA, "label": "Area", "head": True, "sortable": True}
    ]
    people = [str(name) for name in whole.columns if name not in _FIGURES]
    for name in [*(each for each in _FIGURES if each in whole.columns), *people]:
        label = _FIGURES[name][0] if name in _FIGURES else name
        column = {"key": name, "label": label, "align": "right", "sortable": True}
        columns.append(column | ({"narrow": "hide"} if name in people[1:] else {}))
    return columns


def _rows(page: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {"id": str(area), _AREA: str(area)}
        | {
            str(name): _FIGURES[str(name)][1](value) if name in _FIGURES else f"{value:,.0f}"
            for name, value in row.items()
        }
        for area, row in zip(page.index, page.to_dict("records"), strict=True)
    ]
