"""The followed job: how far it is, and its answer on the map when it comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from spineq.errors import JobNotFoundError
from spineq.panel.elements import Message, Table
from spineq.panel.jobs_table import name_of, progress_of, what_of
from spineq.panel.view import View

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.panel.state import PanelState


class Following(View):
    """A line about the job that was submitted last, or chosen: progress, cancel.

    When it finishes, its answer is shown; when it fails, why.

    Parameters
    ----------
    state
        Whose `job` is followed.
    """

    shows = ("job",)

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
        #: When the answer of the last job was on the state, by `time.monotonic`.
        self.answered = 0.0
        self._unwatch: Callable[[], None] = lambda: None
        if state.queue is not None:
            self._unwatch = state.queue.keeper.watch(self._moved, self._gone)
        self.ask()

    def close(self) -> None:
        """Follow no more."""
        self._unwatch()
        super().close()
        self.line.close()

    def _moved(self, snapshot: JobSnapshot) -> None:
        if snapshot.id == self.state.job:
            self.ask()

    def _gone(self, job_id: str | None) -> None:
        if job_id == self.state.job:
            self.state.job = ""

    def _pressed(self, message: Message) -> None:
        queue = self.state.queue
        if queue is not None and message.get("action") == "cancel":
            queue.cancel(str(message["id"]))
        elif message.get("action") == "close":
            self.state.job = ""

    def draw(self) -> None:
        """Bring the line up to date, and show the answer once it is there."""
        state, queue, job_id = self.state, self.state.queue, self.state.job
        if queue is None or not job_id:
            self.children = ()
            return
        try:
            job = queue.snapshot(job_id)
        except JobNotFoundError:
            state.job = ""
            return
        self._draw(job)
        turn = f"{job.id} {job.turn} {job.attempt} {job.state}"
        if job.has_ended and self._shown != turn:
            self._shown = turn
            self._ended(job)

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
        row = {
            "id": job.id,
            "what": what_of(job),
            "state": job.state,
            "progress": progress_of(job),
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
        if not job.answer or job.task not in ("optimise", "evaluate"):
            return
        if state.city is None or job.city != state.city.digest:
            return  # it is about a city that is not looked at any more
        state.show(queue.load(job), name_of(job))
        self.answered = time.monotonic()
