"""Set up a job: the city, who matters, how many sensors; with a live preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spineq.data.named import city_named, python_of
from spineq.errors import SpineqError
from spineq.jobs.queue import default_store
from spineq.model._objective_words import in_a_list
from spineq.panel.draft import (
    as_parameters,
    as_python,
    defaults,
    drafted,
    meaning_of_theta,
    sentence,
    values_of,
)
from spineq.panel.elements import Form, Message
from spineq.panel.estimate import words_for
from spineq.panel.job_words import name_of, what_of
from spineq.panel.presets import PRESETS, preset_values
from spineq.panel.preview import Preview
from spineq.panel.question import fields_for
from spineq.panel.view import View

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.panel.state import PanelState

#: What a stored answer may differ in from what is asked, and how that is said.
_OTHER = (
    ("groups", "other groups"),
    ("objective", "another goal"),
    ("aversion", "another aversion"),
    ("keep", "other sensors that stay"),
    ("min_spacing", "another distance between sensors"),
    ("method", "another method"),
)

#: Days and hours, for "answered three days ago".
_AGES = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


class SetUp(View):
    """The form that asks for a network.

    Nothing wrong is ever submitted: every change is checked at once, and what is wrong is said at
    its field.

    Parameters
    ----------
    state
        Whose city is set up and whose queue gets the job.
    where
        How the city was named, for the Python that can be copied.
    """

    def __init__(self, state: PanelState, where: str = "san-francisco") -> None:
        super().__init__(state)
        #: How a city was named, and its digest.
        self._named = where, "" if state.city is None else state.city.digest
        self._opening: object = None
        self.place = Form([], {"city": "", "path": ""})
        self.form = Form([], {})
        self.preview = Preview(state, self._say_preview)
        # Whether somebody has changed the form since it was made for its city.
        self._by_hand = False
        self._ran: Problem | None = None
        self._similar: JobSnapshot | None = None
        self._cities: dict[str, str] = {}
        self.children = (self.place, self.form)
        self.place.hear(state.guarded(self._pressed_place))
        self.form.hear(state.guarded(self._pressed))
        self.place.observe(state.guarded(self._chose_city), "values")
        self.form.observe(state.guarded(self._entered), "values")
        self.follow(self._city_changed, "city")
        self.follow(self._asked, "asked")
        self._say_stale_soon = state.guarded(self._say_stale)
        self.follow(lambda _: state.ticker.ask(self._say_stale_soon), "network")
        self.at_end(self._stop)
        self._list_cities()
        self._build()

    @property
    def problem(self) -> Problem | None:
        """What is asked at the moment; None where something is wrong."""
        found: Problem | None = self.state.draft
        return found

    @property
    def where(self) -> str:
        """How the city is named: as it was opened; its digest where it was given or is stored."""
        where, digest = self._named
        city = self.state.city
        if city is None or (city.digest == digest and where != "city"):
            return where
        return str(city.digest)

    def _python_of_city(self, city: City) -> str:
        where = self.where
        if where != city.digest:
            return python_of(where)
        return f"queue.load_city({where!r})  # once a job on it is in the store"

    def _store(self) -> str:
        """Return the store of the queue, where it is not the usual one."""
        queue = self.state.queue
        return "" if queue is None or queue.store == default_store() else queue.store

    def _stop(self) -> None:
        self._opening = None  # a city that is being read is not shown any more
        self.preview.stop()
        for update in (self._check, self._look_around, self._say_stale_soon):
            self.state.ticker.forget(update)

    # The city

    def _list_cities(self) -> None:
        """Offer the demo and whatever the store's jobs are about."""
        city = self.state.city
        here = [] if city is None else [("", city.name or "A city without a name")]
        queue = self.state.queue
        stored = {} if queue is None else queue.cities()
        self._cities = stored
        known = [
            (digest, f"{name or digest[:8]} (from the store)")
            for digest, name in stored.items()
            if city is None or digest != city.digest
        ]
        built_in = [("san-francisco", "San Francisco (demo)"), ("synthetic:910", "Made-up city")]
        options = [*here, *known, *built_in, ("file", "A file or folder ...")]
        fields: list[dict[str, Any]] = [
            {
                "kind": "select",
                "name": "city",
                "label": "City",
                "options": [list(option) for option in options],
                "help": "Whose people are to be covered.",
            },
        ]
        if self.place.values.get("city") == "file":
            fields.append(
                {
                    "kind": "text",
                    "name": "path",
                    "label": "File or folder",
                    "help": "A table of areas as GeoPackage, GeoJSON, GeoParquet, shapefile or "
                    "CSV, or a folder with such tables; the README says which columns.",
                    "enter": "open",
                }
            )
            fields.append(
                {"kind": "buttons", "buttons": [{"name": "open", "label": "Open the file"}]}
            )
        self.place.fields = fields

    def _chose_city(self, change: Any) -> None:
        chosen, before = change["new"].get("city"), change["old"].get("city")
        if chosen == before or not chosen:
            return
        self.place.errors = {}
        if chosen == "file" or before == "file":
            self._list_cities()
        if chosen != "file":
            self._open(chosen)

    def _pressed_place(self, message: Message) -> None:
        if message.get("press") == "open":
            self._open(str(self.place.values.get("path", "")))

    def _open(self, where: str) -> None:
        """Open a city on a thread: a large one takes seconds to read."""
        self.place.note(city="Opening ...")
        # Of two that are being opened, the one that was asked for last is shown.
        asked = self._opening = object()

        def work() -> None:
            try:
                queue = self.state.queue
                if where in self._cities and queue is not None:
                    city = queue.load_city(where)
                else:
                    city = city_named(where)
            except SpineqError as error:
                if asked is not self._opening:
                    return
                field = "path" if self.place.values.get("city") == "file" else "city"
                self.place.errors = {field: sentence(error)}
                return
            finally:
                if asked is self._opening:
                    self.place.note(city="")
            if asked is not self._opening:
                return
            self._named = where, city.digest
            self.place.put(city="", path="")
            self.state.open_city(city)

        self.state.beside(work)

    def _city_changed(self, _change: Any) -> None:
        with self.state.guard():
            # What is being opened was asked for before somebody turned to this one.
            self._opening = None
            self.place.note(city="")
            self._similar = None
            self._list_cities()
            self._build()

    # The form

    def _build(self) -> None:
        city = self.state.city
        self.state.draft = self._ran = None
        if city is None:
            self.form.fields = []
            return
        values = defaults(city) | {"preset": "", "live": self.preview.on}
        self.form.fields = fields_for(city)
        self.form.values = values
        self._by_hand = False
        self.state.ticker.ask(self._check)

    def _asked(self, change: Any) -> None:
        """Put a problem's settings into the form, to be changed there."""
        city, problem = self.state.city, change["new"]
        if city is not None and problem is not None:
            self.form.values = {**self.form.values, **values_of(city, problem)}

    def _entered(self, change: Any) -> None:
        new, old = change["new"], change["old"]
        if new.get("preset") != old.get("preset") and new.get("preset"):
            city = self.state.city
            assert city is not None
            self.form.put(**preset_values(str(new["preset"]), city), preset="")
            label = dict(PRESETS).get(str(new["preset"]), "")
            fair = " The goal is an equal share, under Fairness." if new["preset"] == "fair" else ""
            self.form.note(preset=f"Chosen: {label}.{fair}" if label else "")
            return
        if any(new.get(name) != old.get(name) for name in ("groups", "goal")):
            self.form.note(preset="")
        # They are alike where the preview has put itself off.
        if (live := bool(new.get("live"))) != self.preview.on:
            self.preview.switch(live)
            self._say_preview(self.preview.why_not() if live else "The preview is off.")
            if live and self.problem is not None:
                self.preview.want(self.problem)
        self._by_hand = True
        self.state.ticker.ask(self._check)

    def _check(self) -> None:
        """Check what is entered, preview it, and say what it means."""
        with self.state.guard():
            city = self.state.city
            if city is None:
                return
            values = self.form.values
            made = drafted(city, values)
            changed = made.problem != self.problem
            with self.state.lock:
                if self.state.city is not city:
                    return  # another city has been opened, and is checked next
                self.state.draft = made.problem
            if self.form.errors != made.errors:
                self.form.errors = made.errors
            self._renew_hidden()
            self.form.note(theta=meaning_of_theta(values.get("theta"), city.travel_unit))
            if made.problem is None:
                self.preview.stop()
                self.form.note(estimate="", similar="", python="", parameters="", run="")
                return
            self._say_stale()
            if changed:
                if self.preview.on:
                    self._say_preview(self.preview.why_not())
                # A network that is shown with a city, as a job's answer is, stays.
                if self._by_hand or self.state.network is None:
                    self.preview.want(made.problem)
                # The rest can wait until the slider rests.
                self.state.ticker.ask(self._look_around, after=0.4)

    def _look_around(self) -> None:
        """Say how long a run may take, and what the store has already."""
        with self.state.guard():
            problem, city, queue = self.problem, self.state.city, self.state.queue
            if problem is None or city is None:
                return
            near, similar = ("", None) if queue is None else self._near(problem, city)
            if self.state.city is not city:
                return
            self._similar = similar
            self.form.note(
                estimate=words_for(city, problem, queue),
                similar=near,
                python=as_python(self._python_of_city(city), problem, self._store()),
                parameters=as_parameters(self.where, problem, self._store()),
            )
            self._renew_hidden()

    def _near(self, problem: Problem, city: City) -> tuple[str, JobSnapshot | None]:
        """Say what the store has that is like it, and return that job."""
        import time

        queue = self.state.queue
        assert queue is not None
        found = queue.similar(city, problem, limit=1)
        if not found:
            return "", None
        job = found[0]
        age = time.time() - (job.ended or job.created)
        size = next(
            (f"{age / unit:.0f} {name}s ago" for unit, name in _AGES if age >= 1.5 * unit),
            "just now",
        )
        if job.parameters == problem.to_dict():
            return f"The store has the answer to exactly this already ({size}).", job
        asked = problem.to_dict()
        other = [word for name, word in _OTHER if job.parameters.get(name) != asked.get(name)]
        but = f", but with {in_a_list(other)}" if other else ""
        return f"The store has something like it: {what_of(job)['text']}{but} ({size}).", job

    def _say_stale(self) -> None:
        """Say where the map still answers what was asked before: without a preview."""
        shown = self.state.network
        stale = (
            shown is not None
            and self._ran is not None
            and shown.problem == self._ran
            and self.problem != self._ran
            and not (self.preview.on and not self.preview.why_not())
        )
        words = "The map shows the answer to the settings before: press Run." if stale else ""
        if self.form.notes.get("run", "") != words:
            self.form.note(run=words)

    def _renew_hidden(self) -> None:
        hidden = [] if self._similar is not None else ["similar"]
        if self.form.values.get("goal") != "aversion":
            hidden.append("aversion")
        if self.form.hidden != hidden:
            self.form.hidden = hidden

    def _say_preview(self, words: str) -> None:
        if self.form.values.get("live") and not self.preview.on:
            self.form.put(live=False)
        if self.form.notes.get("live") != words:
            self.form.note(live=words)

    # Buttons

    def _pressed(self, message: Message) -> None:
        if message.get("press") == "run":
            self.run()
        elif message.get("press") == "similar":
            queue, job = self.state.queue, self._similar
            if queue is not None and job is not None:
                self.state.show(queue.load(job), name_of(job))

    def run(self) -> None:
        """Submit what is entered, if nothing is wrong with it, and follow the job."""
        state, city, queue = self.state, self.state.city, self.state.queue
        if city is None:
            return
        made = drafted(city, self.form.values)
        self.form.errors = made.errors
        if made.problem is None:
            return
        if queue is None:
            self.form.note(run="There is no queue to run it: open the panel with one.")
            return
        self.preview.stop()
        self._ran = made.problem
        self._say_stale()
        state.forgive()
        note = str(self.form.values.get("note") or "")
        job = queue.submit(city, made.problem, note=note, tags=["panel"])
        state.follow(job.id)
