"""Edit a network on the map, and see what that does to whom."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import ProblemError
from spineq.model._objective_words import (
    counted,
    percent,
    points,
    sensors_words,
    worst_of,
    worst_title,
)
from spineq.model._words import shown_table
from spineq.panel.asked_about import has_another_question
from spineq.panel.best_known import BestKnown
from spineq.panel.editing import Editor
from spineq.panel.elements import Form, Message, Table, Text
from spineq.panel.view import View

if TYPE_CHECKING:
    from spineq.model.network import Network
    from spineq.panel.map import NetworkMap
    from spineq.panel.state import PanelState

#: Name of the network under the hands.
EDITED = "edited"

_MODES = ("move", "add", "delete")

_BUTTONS: list[dict[str, Any]] = [
    {"name": "move", "label": "Move", "toggle": True, "title": "Drag sensors on the map"},
    {"name": "add", "label": "Add", "toggle": True, "title": "Click on the map to add a sensor"},
    {
        "name": "delete",
        "label": "Delete",
        "toggle": True,
        "title": "Click on a sensor to delete it",
    },
    {"name": "undo", "label": "Undo", "title": "Take the last change back"},
    {"name": "redo", "label": "Redo", "title": "Make the change again"},
]


class EditView(View):
    """Tools for editing the network that the map shows.

    Parameters
    ----------
    state
        Whose network is edited.
    network_map
        The map on which it is done.
    """

    def __init__(self, state: PanelState, network_map: NetworkMap | None = None) -> None:
        super().__init__(state)
        self.map = network_map
        self.editor: Editor | None = None
        self._mine: Network | None = None
        self._stale = False
        # Why the network cannot be edited; empty where it can.
        self._refusal = ""
        self.best = BestKnown(state, state.guarded(self._renew))
        self.at_end(self.best.stop)
        self.tools = Form([], {"free": False})
        self.words = Text()
        self.figures = Table(
            [
                {"key": "group", "label": "Group", "head": True},
                {"key": "now", "label": "Coverage now", "align": "right"},
                {"key": "change", "label": "Change", "align": "right"},
            ],
            caption="What the edit does",
            empty="No network yet: set one up and press Run, or add sensors on the map.",
        )
        self.after = Form(_AFTER, {"name": ""})
        self.children = (self.tools, self.words, self.figures, self.after)
        self.tools.hear(state.guarded(self._pressed))
        self.after.hear(state.guarded(self._pressed))
        if network_map is not None:
            network_map.on_edit(state.guarded(self.edit))
        self.follow(self._shown, "network")
        self.follow(self._city, "city")
        self._city(None)
        self.observe(state.guarded(self._opened), "active")

    def _opened(self, change: Any) -> None:
        if change["new"] and self._stale:
            self._begin()
        if not change["new"]:
            self._mode("look")
        elif self.map is not None and self.map.mode == "look":
            self._mode("move")

    def _city(self, _change: Any) -> None:
        city = self.state.city
        straight = city is not None and city.travel is None
        free = {
            "kind": "check",
            "name": "free",
            "label": "Place freely",
            "help": "Off: a sensor snaps to the nearest site. On: it stays where you put it.",
        }
        self.tools.fields = [
            {"kind": "buttons", "buttons": _BUTTONS},
            *([free] if straight else []),
            {"kind": "say", "name": "edit"},
        ]
        self.best.clear()
        self._begin()

    def _shown(self, change: Any) -> None:
        if change["new"] is not self._mine:
            # While nobody edits, a network is only noted: it comes at every move of a slider.
            self._stale = not self.active
            if self.active:
                self._begin()

    def _begin(self) -> None:
        """Edit what the map shows now, from the beginning."""
        with self.state.guard():
            self._stale = False
            self.best.stop()
            network, city = self.state.network, self.state.city
            self.editor, self._refusal = None, ""
            if network is not None and city is not None:
                try:
                    self.editor = Editor(city, network)
                except ProblemError as error:
                    self._refusal = f"{error.what[:1].upper()}{error.what[1:]}."
            editor = self.editor
            if network is not None and editor is not None and editor.sensors:
                self._learn(editor, network)
            self._renew()

    def _learn(self, editor: Editor, network: Network) -> None:
        # Of another question, the bound says nothing about the best of so many.
        if not has_another_question(network):
            self.best.learn(editor.best_problem(), network)

    # Acting

    def _mode(self, mode: str) -> None:
        if self.map is not None:
            self.map.mode = mode
        self.tools.pressed = [mode] if mode in _MODES else []

    def _pressed(self, message: Message) -> None:
        press = message.get("press")
        if press in _MODES:
            here = "" if self.map is None else self.map.mode
            self._mode("look" if press == here else str(press))
        elif press in ("undo", "redo") and self.editor is not None:
            editor = self.editor
            getattr(editor, str(press))()
            self._measure(editor)
        elif press == "improve":
            self._improve()
        elif press == "save":
            self._save()

    def edit(self, event: dict[str, Any]) -> None:
        """Take an edit from the map: kind, sensor (counted over the map's sensors), x, y."""
        city, editor = self.state.city, self.editor
        if city is None or not _is_edit(event):
            return
        if self._refusal:
            self.tools.note(edit=self._refusal)
            self._put_back()
            return
        if editor is None:
            editor = self.editor = self._from_nothing()
        self.tools.errors = {}
        kept = editor.n_kept
        free = bool(self.tools.values.get("free"))
        before = editor.sensors
        try:
            if event["kind"] == "add":
                editor.add(event["x"], event["y"], freely=free)
            else:
                sensor = int(event["sensor"]) - kept
                if sensor < 0:
                    msg = "this sensor stands already and stays"
                    raise ProblemError(msg, mend="Move those that were placed")
                if event["kind"] == "delete":
                    editor.delete(sensor)
                else:
                    editor.move(sensor, event["x"], event["y"], freely=free)
        except ProblemError as error:
            self.tools.note(edit=str(error))
            self._put_back()
            return
        self.tools.note(edit="")
        if editor.sensors is before:
            self._put_back()  # it snapped back to its own site
        else:
            self._measure(editor)

    def _put_back(self) -> None:
        """Have the map's markers go back to where the sensors are."""
        if self.map is not None:
            self.map.redraw_sensors()

    def _from_nothing(self) -> Editor:
        from spineq.model.problem import Problem

        city = self.state.city
        assert city is not None
        return Editor(city, Problem(n_sensors=1))

    def _measure(self, editor: Editor) -> None:
        empty = not editor.sensors and editor.n_kept == 0
        measured = None if empty else editor.measured()
        with self.state.lock:
            if editor is not self.editor:
                return  # another network came in between, on another thread
            self._mine = measured
            self.state.show(measured, "" if empty else EDITED)
        if editor.sensors:
            self.best.look_for(editor.best_problem())
        else:
            self.best.stop()
        self._renew()

    # What is said

    def _renew(self) -> None:
        # What is found on the cluster comes on another thread than edits.
        with self.state.lock:
            self._say()

    def _say(self) -> None:
        editor, now = self.editor, self.state.network
        self.tools.disabled = [
            name
            for name, off in (
                ("undo", editor is None or not editor.can_undo),
                ("redo", editor is None or not editor.can_redo),
                ("delete", editor is None or not editor.sensors),
            )
            if off
        ]
        self.after.disabled = ["improve", "save"] if editor is None or now is None else []
        if editor is None or now is None:
            self.figures.rows = []
            self.words.lines(self._refusal)
            return
        base = editor.base
        before: dict[str, float] = {}
        if base is not None:
            before = dict(
                zip(base.dataset["group"].to_numpy(), base.group_coverage.to_numpy(), strict=True)
            )
        rows = []
        for name, row in shown_table(now).iterrows():
            change = row["coverage"] - before.get(str(name), np.nan)
            rows.append(
                {
                    "id": str(name),
                    "group": f"{row['title']}{' (estimated)' if row['estimated'] else ''}",
                    "now": percent(row["coverage"]),
                    "change": "" if np.isnan(change) else points(change),
                }
            )
        self.figures.rows = rows
        problem = editor.best_problem() if editor.sensors else None
        how_near = self.best.words(now, problem)
        if now is self._mine:
            self.state.remark = how_near
        lines = [f"{sensors_words(now)}. {how_near}"]
        if len(now.problem.groups) > 1:
            worst = percent(now.worst_group_coverage)
            lines.append(f"{worst_of(now)} is {worst_title(now)}, covered {worst}.")
        self.words.lines(*lines, live=True)

    # What comes after

    def _improve(self) -> None:
        state, editor = self.state, self.editor
        if editor is None or state.queue is None or state.city is None:
            return
        try:
            problem = editor.improvement()
        except ProblemError as error:
            self.after.note(after=str(error))
            return
        moved = sum(placed.moved for placed in editor.sensors)
        note = f"improved, {counted(moved, 'sensor')} kept as placed" if moved else "improved"
        self.after.note(after="")
        state.follow(state.queue.submit(state.city, problem, note=note, tags=["panel"]).id)

    def _is_taken(self, name: str) -> bool:
        queue, city = self.state.queue, self.state.city
        if queue is None or city is None:
            return False
        return any(job.note == name for job in queue.jobs(task="evaluate", city=city.digest))

    def _save(self) -> None:
        state, editor = self.state, self.editor
        name = str(self.after.values.get("name") or "").strip()
        if not name:
            self.after.errors = {"name": "Give the network a name first."}
            return
        self.after.errors = {}
        if editor is None or state.city is None or state.network is None:
            return
        if self._is_taken(name):
            words = "A network of this city is saved under this name already: give another one."
            self.after.errors = {"name": words}
            return
        if state.queue is None:
            self._mine = state.network
            state.show(state.network, name)
            self._renew()
            state.news = f"Remembered as {name}, until the notebook ends: there is no queue."
            return
        given = editor.given()
        sensors = given if isinstance(given, list) else given.tolist()
        state.queue.submit(
            state.city, editor.problem, task="evaluate", sensors=sensors, note=name, tags=["saved"]
        )
        self._mine = state.network
        self.after.put(name="")
        state.show(state.network, name)
        self._renew()
        state.news = f"Saved as {name}. It is among the jobs, for everybody on this queue."


_AFTER: list[dict[str, Any]] = [
    {
        "kind": "text",
        "name": "name",
        "label": "Name",
        "most": 80,
        "enter": "save",
        "help": "To find the network again, here and in other sessions.",
    },
    {
        "kind": "buttons",
        "buttons": [
            {"name": "save", "label": "Save", "title": "Keep the network under this name"},
            {
                "name": "improve",
                "label": "Improve from here",
                "title": "Submit a job that keeps the sensors you moved and improves the others",
            },
        ],
        "help": "Improving keeps the sensors that you moved, added and put by hand, all at sites, "
        "and looks for better places for the others.",
    },
    {"kind": "say", "name": "after"},
]


def _is_edit(event: Any) -> bool:
    """Whether an event of the page says what is done to which sensor, or where."""
    if not isinstance(event, dict):
        return False
    kind, places = event.get("kind"), (event.get("x"), event.get("y"))
    somewhere = all(
        isinstance(each, int | float) and math.isfinite(each) and abs(each) < 1e9 for each in places
    )
    some = isinstance(event.get("sensor"), int)
    return {"add": somewhere, "move": some and somewhere, "delete": some}.get(str(kind), False)
