"""Edit a network on the map, and see what that does to whom."""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import ProblemError
from spineq.model._objective_words import counted, figure_name, percent, worst_title
from spineq.model._words import shown_table
from spineq.panel.asking import Asking, answer_of, take_back
from spineq.panel.editing import Editor
from spineq.panel.elements import Form, Message, Table, Text
from spineq.panel.view import View

if TYPE_CHECKING:
    from spineq.model.network import Network
    from spineq.panel.map import NetworkMap
    from spineq.panel.state import PanelState

#: Name of the network under the hands.
EDITED = "edited"

#: Areas up to which the best of as many sensors is looked for while one edits.
MOST_AREAS = 5_000

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
        #: Proven bounds by digest of the problem: value of the best known, bound.
        self._best: dict[str, tuple[float, float, bool]] = {}
        self._asking = Asking(state)
        self._looking: Any = None
        self._asked = threading.Lock()
        #: Seconds from the last edit to its figures.
        self.seconds = 0.0
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
        state.observe(self._shown, "network")
        state.observe(self._city, "city")
        self._city(None)
        self.observe(state.guarded(self._opened), "active")

    def _opened(self, change: Any) -> None:
        if change["new"] and self._stale:
            self._begin()
        if not change["new"]:
            self._mode("look")
        elif self.map is not None and self.map.mode == "look":
            self._mode("move")

    def close(self) -> None:
        """Stop editing."""
        self._forget_search()
        self.state.unobserve(self._shown, "network")
        self.state.unobserve(self._city, "city")
        super().close()

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
        self._best.clear()
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
            self._forget_search()
            network, city = self.state.network, self.state.city
            self.editor = None if network is None or city is None else Editor(city, network)
            if network is not None and network.upper_bound is not None and self.editor is not None:
                self._learn(network)
            self._renew()

    def _learn(self, network: Network) -> None:
        """Remember a bound, for networks of as many sensors under the same question."""
        editor = self.editor
        if editor is None or network.upper_bound is None or not editor.sensors:
            return
        asked = editor.best_problem().digest
        self._best[asked] = (network.objective_value, network.upper_bound, network.proven)

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
        if editor is None:
            editor = self.editor = self._from_nothing()
        self.tools.errors = {}
        kept = 0 if editor.base is None else editor.base.n_kept
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
        began = time.perf_counter()
        empty = not editor.sensors and (editor.base is None or editor.base.n_kept == 0)
        measured = None if empty else editor.measured()
        with self.state.lock:
            if editor is not self.editor:
                return  # another network came in between, on another thread
            self._mine = measured
            self.state.show(measured, "" if empty else EDITED)
        self._renew()
        if empty:
            return
        self.seconds = time.perf_counter() - began
        self._look_for_best()

    # What is said

    def _renew(self) -> None:
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
            self.words.items = []
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
                    "change": "" if np.isnan(change) else in_points(change),
                }
            )
        self.figures.rows = rows
        lines = [f"{counted(now.n_sensors, 'sensor')}. {self._distance(now)}"]
        if len(now.problem.groups) > 1:
            worst = percent(now.worst_group_coverage)
            lines.append(f"The worst-off group is {worst_title(now)}, covered {worst}.")
        self.words.lines(*lines, live=True)

    def _distance(self, now: Network) -> str:
        """Say how far the network is from the best of as many sensors."""
        editor = self.editor
        assert editor is not None
        if now.upper_bound is not None:
            return now.certificate()
        best = self._best.get(editor.best_problem().digest) if editor.sensors else None
        name = figure_name(now.problem)
        if best is None:
            wait = " The best of as many is being looked for." if self._looking else ""
            return f"{name}: {percent(now.objective_value)}.{wait}"
        value, bound, proven = best
        lost = max(bound - now.objective_value, 0.0)
        if lost < 5e-7:
            return f"{name}: {percent(now.objective_value)}, as good as the proven best."
        what = (
            f"the proven best ({percent(value)})"
            if proven
            else f"what is possible ({percent(bound)})"
        )
        short = f"{100 * lost:.1f} points below" if lost >= 5e-4 else "less than 0.1 points below"
        return f"{name}: {percent(now.objective_value)}, {short} {what}."

    def _look_for_best(self) -> None:
        """Find the best of as many sensors, on the cluster, if it is not known."""
        editor, city = self.editor, self.state.city
        self._forget_search()
        if editor is None or not editor.sensors or city is None or city.n_areas > MOST_AREAS:
            return
        problem = editor.best_problem()
        if problem.digest in self._best:
            return

        def came(done: Any) -> None:
            with self.state.guard():
                with self._asked:
                    if done is not self._looking:
                        return
                    self._looking = None
                found = None
                with suppress(Exception):  # nobody asked for it: what is not known is not said
                    found = answer_of(done)
                if found is None or found.upper_bound is None:
                    return
                value, bound = found.objective_value, found.upper_bound
                self._best[problem.digest] = (value, bound, found.proven)
                self._renew()

        # Whoever is called back waits until it is known what for.
        with self._asked, suppress(Exception):  # whatever a dying scheduler makes of a call
            self._looking = self._asking.send(problem, 900, came)

    def _forget_search(self) -> None:
        looking, self._looking = self._looking, None
        take_back(looking)

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
        state.job = state.queue.submit(state.city, problem, note=note, tags=["panel"]).id

    def _save(self) -> None:
        state, editor = self.state, self.editor
        name = str(self.after.values.get("name") or "").strip()
        if not name:
            self.after.errors = {"name": "Give the network a name first."}
            return
        self.after.errors = {}
        if editor is None or state.city is None or state.network is None:
            return
        if state.queue is None:
            state.show(state.network, name)
            state.news = f"Remembered as {name}, until the notebook ends: there is no queue."
            return
        given = editor.given()
        sensors = given if isinstance(given, list) else given.tolist()
        words = editor.problem.to_dict()
        for rule in _NOT_MEASURED:
            words.pop(rule, None)
        state.queue.submit(
            state.city, task="evaluate", sensors=sensors, note=name, tags=["saved"], **words
        )
        self._mine = state.network
        state.show(state.network, name)
        state.news = f"Saved as {name}. It is among the jobs, for everybody on this queue."


#: Words of a problem that mean nothing to a network that is given.
_NOT_MEASURED = (
    "n_sensors", "budget", "site_cost", "region", "max_per_region", "min_per_region",
    "min_spacing", "forbid", "start", "at_least", "method", "effort", "gap_limit", "seed", "bound",
)  # fmt: skip

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


def in_points(change: float) -> str:
    """Write a change of coverage in percentage points: ``+1.2``, ``0.0``."""
    rounded = round(100 * change, 1) + 0.0
    sign = "" if rounded == 0 else f"{rounded:+.1f}"[0].replace("-", "\N{MINUS SIGN}")
    return f"{sign}{abs(rounded):.1f}"
