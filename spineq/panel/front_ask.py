"""Asking for a trade-off: the question, the searches that run, and those that are done."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from spineq.errors import MissingExtraError, ProblemError, SpineqError
from spineq.fronts import checked, front_problem
from spineq.model._words import counted
from spineq.model.groups import GROUPS, Group, title_of
from spineq.panel.draft import defaults, meaning_of_theta, sentence
from spineq.panel.elements import Form, Message, Table, Text
from spineq.panel.errand import Errand
from spineq.panel.front_jobs import FrontJobs, done_words, row
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.model.city import City
    from spineq.model.front import Front

#: What a trade-off is, for people who never heard of one.
WHAT_IT_IS = (
    "With a given number of sensors, more for one group of people often means less for another. "
    "A trade-off is a set of networks, in none of which every group could be covered better at "
    "once: which of them is right is not for a computer to say. Compare them here and choose."
)

#: How hard to look, with words.
EFFORTS = (("0.1", "Quick, a first look"), ("1", "Usual"), ("4", "Thorough, four times the work"))

#: Columns beside the usual groups that the form offers, and searches in the list, at most.
_MOST_COLUMNS, _MOST_LISTED = 12, 50

_GROUP = "group:"


def competing(city: City) -> dict[str, Group]:
    """Groups that may compete in a city, by name: the usual ones, then its other columns."""
    made = city.reported_groups()
    taken = {group.column for group in made.values()}
    for name in city.columns:
        if len(made) < len(GROUPS) + _MOST_COLUMNS and name not in taken and name not in made:
            group = Group(column=name)
            if city.has(group):
                made[name] = group
    return made


class FrontAsk(View):
    """A form that asks for a trade-off, the searches on their way, and a choice of those done.

    The answer becomes ``state.front``. A job that was submitted by another panel, or before the
    kernel was restarted, is found in the queue.

    Parameters
    ----------
    state
        What is looked at; its queue takes the jobs.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "front")

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        self.intro = Text(WHAT_IT_IS)
        self.form = Form([], {})
        self.searches = Table(
            [
                {"key": "what", "label": "Search", "head": True},
                {"key": "progress", "label": "Progress", "kind": "progress"},
                {"key": "do", "label": "Actions", "kind": "actions", "quiet": True},
            ],
            caption="Searches on their way",
        )
        self.chooser = Form([], {"front": ""})
        self.lacking = Text()
        self.children = (self.intro, self.lacking, self.form, self.searches, self.chooser)
        queue = state.queue
        self._jobs = None if queue is None else FrontJobs(queue, self.ask)
        # The search whose front is to be shown when it comes; the one that is being read; and
        # the one whose front is shown, with that front.
        self._awaited = self._reading = ""
        self._read: tuple[str, Front | None] = ("", None)
        self._city: City | None = None
        self._groups: dict[str, Group] = {}
        self.submission = Errand(state, self.ask)
        self.reading = Errand(state, self.ask)
        self._listing = Errand(state, self.ask)
        for part in (self._jobs, self.submission, self.reading, self._listing):
            if part is not None:
                self.at_end(part.close)
        self.form.hear(state.guarded(self._pressed))
        self.form.observe(state.guarded(self._entered), "values")
        self.searches.hear(state.guarded(self._acted))
        self.chooser.observe(state.guarded(self._chosen), "values")
        if self._jobs is not None:
            jobs = self._jobs
            self._listing.start(lambda _: jobs.read(), lambda _: None)
        self.renew()

    # Showing

    def draw(self) -> None:
        """Show the form of the city, how far searches are, and which are done."""
        city = self.state.city
        if city is not self._city:
            self._draw_form(city)
        mine, awaited = [], None
        if self._jobs is not None and city is not None:
            mine, awaited = self._jobs.of(city.digest), self._jobs.get(self._awaited)
        if awaited is not None and awaited.has_ended:
            self._awaited = ""
            self._read_answer(awaited.id)
        going = [row(job) for job in mine if not job.has_ended][:_MOST_LISTED]
        if going != self.searches.rows:
            self.searches.rows = going
        visible(self.searches, bool(going))
        self._draw_chooser([job for job in mine if job.answer and job.has_ended][:_MOST_LISTED])
        said = self.submission.words or self.reading.words
        if self.form.notes.get("busy", "") != said:
            self.form.note(busy=said)

    def _draw_form(self, city: City | None) -> None:
        self._city = city
        self._groups = {} if city is None else competing(city)
        lacking = self._lacking()
        self.lacking.lines(lacking)
        visible(self.lacking, bool(lacking))
        can = city is not None and len(self._groups) >= 2 and self.state.queue is not None
        visible(self.form, can)
        if not can or city is None:
            return
        usual = defaults(city)
        # All residents are the others too: they compete with nobody.
        several = len(self._groups) > 2
        values: dict[str, Any] = {
            _GROUP + name: not (several and name == "pop_total") and k < 4
            for k, name in enumerate(self._groups)
        }
        values |= {"n_sensors": min(10, usual["n_sensors"]), "theta": usual["theta"]}
        values |= {"effort": EFFORTS[1][0], "keep": False}
        draft = self.state.draft
        if draft is not None:
            # As they are set up when this form is made, so that the two can be compared.
            values |= {"n_sensors": draft.n_sensors, "theta": draft.theta}
            values["keep"] = draft.keep == "existing"
        with self.form.hold_sync():
            self.form.errors = {}
            self.form.fields = self._fields(city, usual["theta"])
            self.form.values = values
            self.form.notes = {"theta": meaning_of_theta(values["theta"], city.travel_unit)}

    def _lacking(self) -> str:
        """Why there is nothing to ask; empty if there is."""
        if self.state.queue is None:
            return (
                "Jobs need a queue, and searches are jobs. Give the panel one: "
                "queue=spineq.JobQueue()."
            )
        if self._city is None:
            return "There is no city yet. Choose one first."
        if len(self._groups) < 2:
            return (
                "This city counts people of fewer than two groups, so nobody competes. Give it "
                "ages, workers or another column."
            )
        return "" if _has_moocore() else str(_no_moocore())

    def _fields(self, city: City, theta: float) -> list[dict[str, Any]]:
        checks = [
            {"kind": "check", "name": _GROUP + name, "label": title_of(name, group)}
            for name, group in self._groups.items()
        ]
        checks[-1]["help"] = "Tick two or more; three or four can still be compared at a glance."
        keep: list[dict[str, Any]] = []
        if city.existing is not None and len(city.existing):
            keep = [
                {
                    "kind": "check", "name": "keep",
                    "label": f"Keep the {counted(len(city.existing), 'existing sensor')}",
                    "help": "They stay where they are and are not counted in the number above.",
                }
            ]  # fmt: skip
        unit, metres = city.travel_unit, city.travel is None
        top = 2_000 if metres else round(4 * theta, 1)
        return [
            {"kind": "heading", "name": "who", "label": "Which groups compete?"},
            *checks,
            {
                "kind": "range", "name": "n_sensors", "label": "Number of sensors",
                "min": 1, "max": min(city.n_sites, 100), "hard_max": city.n_sites,
                "help": "Every network of the trade-off has so many.",
            },
            {
                "kind": "range", "name": "theta", "label": "How near is near (theta)",
                "min": 50 if metres else round(theta / 10, 2), "max": top, "any": True,
                "hard_min": 0, "step": 10 if metres else round(top / 100, 3), "unit": unit,
                "help": "A choice, not a fact: how far from a sensor people still count.",
            },
            *keep,
            {
                "kind": "select", "name": "effort", "label": "How hard to look",
                "options": [list(each) for each in EFFORTS],
                "help": "More effort finds more networks, and takes longer.",
            },
            {
                "kind": "buttons", "name": "buttons",
                "buttons": [{
                    "name": "find", "label": "Find trade-offs", "primary": True,
                    "title": "Search for the networks among which to choose",
                    "disabled": not _has_moocore(),
                }],
            },
            {"kind": "say", "name": "busy"},
        ]  # fmt: skip

    def _draw_chooser(self, done: list[JobSnapshot]) -> None:
        visible(self.chooser, bool(done))
        options = [["", "None of them"], *([job.id, done_words(job)] for job in done)]
        fields = [
            {
                "kind": "select", "name": "front", "label": "Trade-offs of this city",
                "options": options, "help": "Those that were found earlier, the newest first.",
            }
        ]  # fmt: skip
        job, front = self._read
        shown = job if front is not None and self.state.front is front else ""
        shown = self._reading or shown
        if shown not in (option[0] for option in options):
            shown = ""
        with self.chooser.hold_sync():
            if fields != self.chooser.fields:
                self.chooser.fields = fields
            if self.chooser.values.get("front") != shown:
                self.chooser.values = {"front": shown}

    # What people do

    def _entered(self, change: Mapping[str, Any]) -> None:
        city = self._city
        if city is not None:
            self.form.note(theta=meaning_of_theta(change["new"].get("theta"), city.travel_unit))
        if self.form.errors:
            # Whoever mends something sees at once whether it is mended.
            self._draft()

    def _draft(self) -> dict[str, Any] | None:
        """Parameters of the job as entered; None with the errors marked at their fields."""
        values, city = self.form.values, self._city
        assert city is not None  # there is no form without one
        groups = {name: group for name, group in self._groups.items() if values.get(_GROUP + name)}
        first = _GROUP + next(iter(self._groups))
        if len(groups) < 2:
            self.form.errors = {first: "A trade-off is between groups. Tick two at least."}
            return None
        for name, example in (("n_sensors", "10"), ("theta", "500")):
            if values.get(name) is None:
                self.form.errors = {name: f"There is no number. Enter one, for example {example}."}
                return None
        words = {"n_sensors": values["n_sensors"], "theta": values["theta"], "groups": groups}
        if values.get("keep") and city.existing is not None:
            words["keep"] = "existing"
        effort = float(values.get("effort") or 1)
        try:
            checked(front_problem(city, words), effort=effort)
        except ProblemError as error:
            field = error.field if error.field in values else first
            self.form.errors = {field: sentence(error)}
            return None
        except SpineqError as error:
            self.form.errors = {first: sentence(error)}
            return None
        if self.form.errors:
            self.form.errors = {}
        return {**words, "effort": effort}

    def _pressed(self, message: Message) -> None:
        if message.get("press") != "find" or self._city is None:
            return
        if not _has_moocore():
            raise _no_moocore()
        words = self._draft()
        if words is not None:
            city = self._city
            self.submission.start(
                lambda _: self._submit(city, words), lambda _: None, "Handing the search in"
            )

    def _submit(self, city: City, words: dict[str, Any]) -> None:
        """Hand a search in; a new city is written to the store first, which may take a while."""
        queue = self.state.queue
        assert queue is not None
        assert self._jobs is not None
        job = queue.submit(city, task="trade_off", **words)
        self._awaited = job.id
        self._jobs.note(job.snapshot())

    def _acted(self, message: Message) -> None:
        queue = self.state.queue
        if message.get("action") == "cancel" and queue is not None:
            job_id = str(message.get("id"))
            # What it has found so far is shown, as that is what a person stopped it for.
            self._awaited = job_id
            queue.cancel(job_id)

    def _chosen(self, change: Mapping[str, Any]) -> None:
        job_id = str(change["new"].get("front") or "")
        if job_id and job_id not in (self._reading, self._read[0] if self._is_shown else ""):
            self._read_answer(job_id)

    @property
    def _is_shown(self) -> bool:
        front = self._read[1]
        return front is not None and self.state.front is front

    def _read_answer(self, job_id: str) -> None:
        """Read a front from the store, and show it."""
        self._reading = job_id
        self.reading.start(
            lambda _: self._answer(job_id), lambda front: self._came(job_id, front), "Reading"
        )

    def _answer(self, job_id: str) -> Any:
        queue = self.state.queue
        assert queue is not None
        try:
            job = queue.get(job_id)
            stopped = job.snapshot().state == "cancelled"
            return job.best() if stopped else job.result(timeout=0)
        except SpineqError:
            if self._reading == job_id:
                self._reading = ""
            raise

    def _came(self, job_id: str, front: Front | None) -> None:
        if self._reading == job_id:
            self._reading = ""
        city = self.state.city
        if front is None:
            self.state.news = "The search was cancelled before it had found anything."
        elif city is not None and front.dataset.attrs["city_digest"] == city.digest:
            with self.state.lock:
                self._read = (job_id, front)
                self.state.front = front


def _has_moocore() -> bool:
    return importlib.util.find_spec("moocore") is not None


def _no_moocore() -> MissingExtraError:
    msg = "trade-offs need the package moocore"
    return MissingExtraError(msg, mend='Install it: pip install "spineq[front]"')
