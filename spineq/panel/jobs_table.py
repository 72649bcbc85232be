"""The jobs of a queue as a table: live, paged, with what can be done about each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from spineq.errors import JobNotFoundError
from spineq.jobs.tasks import NETWORK_TASKS
from spineq.model._objective_words import counted
from spineq.model.problem import Problem
from spineq.panel.draft import without_field
from spineq.panel.elements import Form, Message, Table
from spineq.panel.job_words import name_of, progress_of, times_of, what_of
from spineq.panel.state import PanelState
from spineq.panel.view import View

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot

#: Rows of a page.
PAGE = 20

#: More pages than there can be; a later one is brought back to the last when it is drawn.
MOST_PAGES = 1_000_000

#: What the table can be restricted to, and the states of each.
_SHOWN: dict[str, tuple[str, list[str] | None]] = {
    "all": ("All jobs", None),
    "active": ("Waiting or running", ["queued", "running", "cancelling"]),
    "finished": ("Finished", ["finished"]),
    "ended badly": ("Failed, cancelled or expired", ["failed", "cancelled", "expired"]),
}

_COLUMNS: list[dict[str, Any]] = [
    {"key": "state", "label": "State", "kind": "state", "sortable": True},
    {"key": "what", "label": "Job", "head": True},
    {"key": "progress", "label": "Progress and best so far", "kind": "progress"},
    {"key": "time", "label": "Time", "align": "right", "sortable": True, "narrow": "hide"},
    {"key": "user", "label": "User", "sortable": True, "narrow": "hide"},
    {"key": "actions", "label": "What can be done", "kind": "actions", "quiet": True},
]

#: By what a column sorts.
_KEYS: dict[str, Callable[[JobSnapshot], Any]] = {
    "state": lambda job: (job.state, job.created),
    "time": lambda job: job.created,
    "user": lambda job: (job.user, job.created),
}


class JobsTable(View):
    """One row a job, from this or any other session on the queue.

    Parameters
    ----------
    queue_or_state
        The queue; or the panel's state, for the table inside a panel.
    """

    shows = ("job",)

    def __init__(self, queue_or_state: JobQueue | PanelState) -> None:
        own_state = not isinstance(queue_or_state, PanelState)
        state = (
            queue_or_state
            if isinstance(queue_or_state, PanelState)
            else PanelState(queue=queue_or_state)
        )
        super().__init__(state)
        if own_state:
            self.at_end(state.close)
        self.controls = Form(
            [
                {
                    "kind": "select", "name": "shown", "label": "Show", "inline": True,
                    "options": [[key, label] for key, (label, _) in _SHOWN.items()],
                },
                {
                    "kind": "text", "name": "text", "label": "Find", "inline": True,
                    "help": "Words of the job, its city, note, tags, user or id.",
                },
                {"kind": "check", "name": "mine", "label": "Only mine"},
            ],
            {"shown": "all", "text": "", "mine": False},
        )  # fmt: skip
        self.table = Table(
            _COLUMNS,
            caption="Jobs",
            sort={"key": "time", "down": True},
            page_words=["Previous page", "Next page"],
        )
        self.clearing = Form(_CLEARING, {})
        self.clearing.hidden = ["clear all", "keep"]
        #: The job whose deletion was asked for once.
        self._sure = ""
        self.children = (self.controls, self.table, self.clearing)
        self.controls.observe(state.guarded(self._filtered), "values")
        self.table.hear(state.guarded(self._heard))
        self.clearing.hear(state.guarded(self._pressed))
        if state.queue is not None:
            self.at_end(state.queue.watch(self._moved, self._moved))
        # Times of running jobs go on also where nothing is reported.
        state.ticker.every(1.0, self._renewal)

    def _moved(self, _job: object) -> None:
        if self.active:
            self.ask()

    def _ask_first(self, job_id: str) -> None:
        """Have the deletion of a job asked for again, by another button."""
        self._sure = job_id

    def _filtered(self, _change: object) -> None:
        self.table.page, self._sure = 0, ""
        self.ask()

    # What is shown

    def draw(self) -> None:
        """Bring the page up to date."""
        queue = self.state.queue
        if queue is None:
            self.table.empty = "There is no queue: open the panel with sq.JobQueue()."
            return
        page, total = self._page(queue)
        pages = max(-(-total // PAGE), 1)
        if self.table.page >= pages:
            self.table.page = pages - 1
            page, total = self._page(queue)
        rows = [self._row(job) for job in page]
        with self.table.hold_sync():
            if rows != self.table.rows:
                self.table.rows = rows
            self.table.selected = self.state.job
            self.table.pages = pages
            self.table.total = _total(queue, total, self.controls.values)
            self.table.empty = _empty(self.controls.values)
        self.clearing.disabled = [] if total else ["clear"]

    def _page(self, queue: JobQueue) -> tuple[list[JobSnapshot], int]:
        """Snapshots of the page, and how many jobs there are in all."""
        values, sort = self.controls.values, self.table.sort
        _, states = _SHOWN.get(str(values.get("shown")), _SHOWN["all"])
        user = queue.user if values.get("mine") else None
        text = str(values.get("text") or "").strip().lower()
        first = self.table.page * PAGE
        if not text and sort == {"key": "time", "down": True}:
            # The usual case: only the page itself is put together.
            if states is None and user is None:
                return queue.jobs(limit=PAGE, offset=first), sum(queue.count().values())
            if user is None and states is not None:
                count = queue.count()
                total = sum(count.get(state, 0) for state in states)  # type: ignore[call-overload]
                return queue.jobs(state=states, limit=PAGE, offset=first), total  # type: ignore[arg-type]
        found = queue.jobs(state=states, user=user)  # type: ignore[arg-type]
        if text:
            found = [job for job in found if all(word in _words(job) for word in text.split())]
        found.sort(key=_KEYS[sort["key"]], reverse=bool(sort["down"]))
        return found[first : first + PAGE], len(found)

    def _row(self, job: JobSnapshot) -> dict[str, Any]:
        form, sure = self.state.city is not None, self._sure == job.id
        return {
            "id": job.id,
            "state": job.state,
            "what": what_of(job),
            "progress": progress_of(job),
            "time": times_of(job),
            "user": job.user,
            "actions": _actions(job, form=form, sure=sure),
        }

    # What is done

    def _heard(self, message: Message) -> None:
        page, key = message.get("page"), message.get("sort")
        self._sure = ""
        if isinstance(key, str) and key in _KEYS:
            before = self.table.sort
            down = not before["down"] if before.get("key") == key else False
            self.table.sort = {"key": key, "down": down}
            self.table.page = 0
        elif isinstance(page, int):
            self.table.page = min(max(page, 0), MOST_PAGES)
        elif "action" in message:
            self._act(str(message["action"]), str(message.get("id")))
        self.ask()

    def _act(self, action: str, job_id: str) -> None:
        queue = self.state.queue
        if queue is None:
            return
        actions: dict[str, Callable[[str], None]] = {
            "show": lambda job: self._show(queue, job),
            "settings": lambda job: self._put_into_form(queue, job),
            "cancel": queue.cancel,
            "retry": queue.retry,
            "delete": self._ask_first,
            "delete for sure": queue.delete,
        }
        if action not in actions:
            return
        try:
            actions[action](job_id)
        except JobNotFoundError:
            # Somebody else deleted it a moment ago: that is what the table shows next.
            queue.refresh()
        if action == "delete for sure":
            self.state.unfollow(job_id)

    def _show(self, queue: JobQueue, job_id: str) -> None:
        """Show a job's answer; or follow it, if it has none yet."""
        job = queue.snapshot(job_id)
        if not job.answer:
            self.state.follow(job_id)
            return
        state = self.state
        self._turn_to(queue, job)
        answer = queue.load(job)
        if job.task == "trade_off":
            state.front = answer
            state.news = "The trade-offs are on their tab."
        elif job.task in NETWORK_TASKS:
            # In this order: whoever follows the job sees that its answer is shown.
            state.show(answer, name_of(job))
            state.follow(job_id)
        elif job.task == "report":
            count = counted(len(answer.files), "file")
            line = f"spineq jobs result {job.id} --store {queue.store} --output my-report"
            state.news = f"A report of {count}. Write them into a folder with: {line}"
        else:
            state.news = f"The answer of task {job.task}: {str(answer)[:200]}"

    def _turn_to(self, queue: JobQueue, job: JobSnapshot) -> None:
        """Look at the job's city."""
        now = self.state.city
        if now is not None and job.city and job.city != now.digest:
            city = queue.city(job.id)
            if city is not None:
                self.state.open_city(city)

    def _put_into_form(self, queue: JobQueue, job_id: str) -> None:
        """Have the form show what a job was asked, to be changed there."""
        job = queue.snapshot(job_id)
        self._turn_to(queue, job)
        state, problem = self.state, Problem.from_dict(job.parameters)
        # Also where the same was asked for before.
        state.asked = None
        state.asked = problem
        left = without_field(problem)
        rest = f" The form has no field for its {', '.join(left)}." if left else ""
        state.news = f"What this job was asked is on the tab Set up.{rest}"

    def _pressed(self, message: Message) -> None:
        press = message.get("press")
        if press == "clear":
            self.clearing.hidden = ["clear"]
            self.clearing.note(clearing="This cancels and deletes all jobs, everybody's. Sure?")
            return
        self.clearing.hidden = ["clear all", "keep"]
        self.clearing.note(clearing="")
        if press == "clear all" and self.state.queue is not None:
            count = self.state.queue.clear()
            self.state.job = ""
            self.state.news = f"{counted(count, 'job')} {'was' if count == 1 else 'were'} deleted."
            self.ask()


_CLEARING: list[dict[str, Any]] = [
    {"kind": "say", "name": "clearing"},
    {
        "kind": "buttons",
        "buttons": [
            {"name": "clear", "label": "Clear ...", "title": "Cancel and delete all jobs"},
            {"name": "clear all", "label": "Yes, delete all jobs"},
            {"name": "keep", "label": "No, keep them"},
        ],
    },
]


def _is_all(values: dict[str, Any]) -> bool:
    """Whether no filter is set."""
    return not (values.get("text") or values.get("mine") or values.get("shown", "all") != "all")


def _empty(values: dict[str, Any]) -> str:
    if _is_all(values):
        return "No jobs yet. Set one up and press Run."
    return "No job is like that. Show all jobs, or find other words."


def _total(queue: JobQueue, total: int, values: dict[str, Any]) -> str:
    counts = queue.count()
    if not _is_all(values):
        return f"{total:,} of {counted(sum(counts.values()), 'job')}"
    moving = [
        f"{counts[state]:,} {word}"  # type: ignore[index]
        for state, word in (("running", "running"), ("queued", "waiting"))
        if counts.get(state)  # type: ignore[call-overload]
    ]
    return ", ".join([counted(total, "job"), *moving])


def _words(job: JobSnapshot) -> str:
    what = what_of(job)
    parts = (what["text"], what["second"], job.note, *job.tags, job.user, job.id, job.state)
    return " ".join(parts).lower()


def _actions(job: JobSnapshot, *, form: bool, sure: bool) -> list[dict[str, Any]]:
    what = what_of(job)["text"]
    made: list[dict[str, Any]] = []
    if job.answer:
        made.append({"name": "show", "label": "Show", "title": f"Show {what}"})
    if job.state in ("queued", "running", "cancelling"):
        made.append(
            {
                "name": "cancel",
                "label": "Cancel",
                "title": f"Cancel {what}; the best network so far is kept",
                "disabled": job.state == "cancelling",
            }
        )
    if form and job.task == "optimise":
        title = f"Put what {what} was asked into the form, to change it"
        made.append({"name": "settings", "label": "Settings", "title": title})
    if job.state in ("failed", "cancelled", "expired"):
        made.append({"name": "retry", "label": "Retry", "title": f"Try {what} again"})
    if job.has_ended:
        name, label = ("delete for sure", "Yes, delete") if sure else ("delete", "Delete")
        made.append({"name": name, "label": label, "title": f"{label} {what}"})
    return made
