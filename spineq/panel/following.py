"""The followed job: how far it is, and its answer on the map when it comes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from spineq.errors import JobNotFoundError
from spineq.jobs.tasks import NETWORK_TASKS
from spineq.panel.elements import Message, Table
from spineq.panel.job_words import name_of, progress_of, what_of
from spineq.panel.view import View

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.model.network import Network
    from spineq.panel.state import PanelState


class Following(View):
    """A line about the job that was submitted last, or chosen: progress, cancel.

    When it finishes, its answer is shown; when it fails, why.

    Parameters
    ----------
    state
        Whose `job` is followed.
    """

    shows = ("job", "network", "network_name")

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        self.line = Table(
            [
                {"key": "state", "label": "State", "kind": "state", "quiet": True},
                {"key": "what", "label": "Job", "head": True, "quiet": True},
                {"key": "progress", "label": "Progress", "kind": "progress", "quiet": True},
                {"key": "actions", "label": "What can be done", "kind": "actions", "quiet": True},
            ],
            caption="The job that is followed",
            quiet=True,
        )
        self.line.hear(state.guarded(self._pressed))
        self._shown = ""
        # What is shown when a job begins to be followed: its answer may take the place of that.
        self._before: Network | None = state.network
        self._offered = ""
        # The job whose answer is on the map.
        self._answer = ""
        # It is not always among the children.
        self.at_end(self.line.close)
        if state.queue is not None:
            self.at_end(state.queue.watch(self._moved, self._gone))
        self.follow(self._began, "job")
        self.ask()

    def _began(self, _change: object) -> None:
        self._before = self.state.network
        self._offered = self._answer = self._shown = ""

    def _moved(self, snapshot: JobSnapshot) -> None:
        if snapshot.id == self.state.job:
            self.ask()

    def _gone(self, job_id: str | None) -> None:
        self.state.unfollow(job_id or "")

    def _pressed(self, message: Message) -> None:
        queue = self.state.queue
        if queue is not None and message.get("action") == "cancel":
            with suppress(JobNotFoundError):  # deleted a moment ago, which is told otherwise
                queue.cancel(str(message.get("id")))
        elif message.get("action") == "close":
            self.state.job = ""
        elif queue is not None and message.get("action") == "show" and self._offered:
            job = queue.snapshot(self._offered)
            self.state.show(queue.load(job), name_of(job))
            self._offered, self._answer = "", job.id
            self.ask()

    def draw(self) -> None:
        """Bring the line up to date, and show the answer once it is there."""
        state, queue, job_id = self.state, self.state.queue, self.state.job
        if queue is None or not job_id:
            self.children = ()
            return
        try:
            job = queue.snapshot(job_id)
        except JobNotFoundError:
            state.unfollow(job_id)
            return
        if self._answer == job.id and state.network_name != name_of(job):
            state.unfollow(job_id)  # the map has gone on to something else
            return
        self._draw(job)
        turn = f"{job.id} {job.turn} {job.attempt} {job.state}"
        if job.has_ended and self._shown != turn:
            self._shown = turn
            self._ended(job)
            if self._offered:
                self._draw(job)

    def _draw(self, job: JobSnapshot) -> None:
        actions: list[dict[str, Any]] = [
            {"name": "close", "label": "Close", "title": "Close this line; the job stays"}
        ]
        if not job.has_ended:
            cancel = {
                "name": "cancel",
                "label": "Cancel",
                "title": "Cancel the job; the best network so far is kept",
                "disabled": job.state == "cancelling",
            }
            actions = [cancel]
        progress = progress_of(job)
        if self._offered == job.id:
            show = {"name": "show", "label": "Show", "title": "Show the job's answer on the map"}
            actions = [show, *actions]
            progress["second"] = "You went on meanwhile: press Show to see its answer."
        row = {
            "id": job.id,
            "what": what_of(job),
            "state": job.state,
            "progress": progress,
            "actions": actions,
        }
        if self.line.rows != [row]:
            self.line.rows = [row]
        if not self.children:
            self.children = (self.line,)

    def _ended(self, job: JobSnapshot) -> None:
        state, queue = self.state, self.state.queue
        assert queue is not None
        if job.error is not None:
            state.error_details = job.error.traceback
            state.error = f"The job failed. {job.error.message}"
        if not job.answer or job.task not in NETWORK_TASKS:
            return
        city, before = state.city, self._before
        if city is None or job.city != city.digest:
            return  # it is about a city that is not looked at any more
        answer = queue.load(job)
        if before is not None and before == answer and state.network_name == name_of(job):
            self._answer = job.id
            return  # whoever chose the job has shown it
        # What was edited or looked at meanwhile is not taken out of the person's hands.
        shown = state.show_over([before], city, answer, name_of(job))
        if shown:
            self._answer = job.id
        elif state.city is city and state.job == job.id:
            state.remember(answer, name_of(job))
            self._offered = job.id
