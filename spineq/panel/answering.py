"""A question on its way: by a worker or by this notebook, how far it is, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from spineq.errors import JobCancelledError, JobFailedError, SpineqError
from spineq.panel.elements import Message, Table, Text
from spineq.panel.errand import Errand
from spineq.panel.state import PanelState
from spineq.panel.view import View, visible
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.model.city import City

#: Seconds from one look at a job to the next.
_PERIOD = 0.2

_FAILED = "This could not be worked out; the line at the top says why."


def answered(
    state: PanelState, city: City, task: str, progress: Progress, *, note: str = "", **words: Any
) -> Any:
    """Have a task done: by the queue's workers where there are any, else by this notebook.

    Parameters
    ----------
    state
        Whose queue it is.
    city, task, note, words
        What `spineq.JobQueue.submit` takes.
    progress
        Watcher; when it asks to stop, the job is cancelled, and what it has found is returned.

    Returns
    -------
    object
        The task's answer; None where it was cancelled before it had found anything.

    Raises
    ------
    SpineqError
        What was asked is wrong, or the job failed.
    """
    queue = state.queue
    if queue is None or queue.keeper.carrier is None:
        from spineq.jobs.tasks import check_asked, task_named

        made = task_named(task)
        asked = check_asked(made, city, words)
        return made.function(city, progress, **asked.parameters)
    job = queue.submit(city, task=task, tags=["panel"], note=note, **words)
    watch = job.watch()
    try:
        while True:
            snapshot = watch.next(_PERIOD) or job.snapshot()
            if snapshot.has_ended:
                break
            said = snapshot.progress.message or "waiting for its turn"
            if progress.report(snapshot.progress.fraction, said):
                job.cancel()
    finally:
        watch.stop()
    try:
        return job.result()
    except JobCancelledError:
        return job.best()


class Answering(View):
    """How far one question is, with a button that cancels it; and what became of it, in words.

    Parameters
    ----------
    state
        What is looked at.
    nothing
        What is said before anything is asked.
    changed
        Called when a question begins or ends, on the ticker's thread.
    """

    def __init__(
        self, state: PanelState, nothing: str = "", changed: Callable[[], object] | None = None
    ) -> None:
        super().__init__(state)
        self._nothing = nothing
        self._told = changed or (lambda: None)
        #: What became of the last question, in a sentence; whether that is bad news.
        self.said, self.bad = "", False
        #: Whether an answer is there already, so that nothing need be said of none.
        self.has = False
        self._what = ""
        self.errand = Errand(state, self._moved)
        self.at_end(self.errand.close)
        self.line = Table(
            [
                {"key": "what", "label": "Question", "head": True, "quiet": True},
                {"key": "progress", "label": "Progress", "kind": "progress", "quiet": True},
                {"key": "do", "label": "What can be done", "kind": "actions", "quiet": True},
            ],
            caption="The question on its way",
            quiet=True,
        )
        self.words = Text()
        self.line.hear(state.guarded(self._acted))
        self.children = (self.line, self.words)
        self.renew()

    @property
    def busy(self) -> bool:
        """Whether a question is on its way."""
        return self.errand.busy

    def start(self, what: str, work: Callable[[Progress], Any], done: Callable[[Any], str]) -> None:
        """Ask something; a question that is on its way is overtaken.

        Parameters
        ----------
        what
            The question, a few words.
        work
            Answers it on a thread; a watcher is given.
        done
            Called with the answer; returns what is said of it, for example that it was stopped.
        """
        self.said, self.bad, self._what = "", False, f"{what[:1].upper()}{what[1:]}"

        def tried(progress: Progress) -> Any:
            try:
                return work(progress)
            except SpineqError as error:
                return _Failure(_plainly(error))
            except Exception:
                self.said, self.bad = _FAILED, True
                raise

        def came(answer: Any) -> None:
            if isinstance(answer, _Failure):
                self.said, self.bad = answer.words, True
            elif answer is None:
                self.said = "It was cancelled before anything was found."
            else:
                self.said = done(answer)
            self._moved()

        self.errand.start(tried, came, "handing it in")
        self.ask()

    def about(self, has: bool) -> None:
        """Note whether there is an answer about what is looked at; without one, begin anew."""
        if not has and self.said and not self.bad and not self.busy:
            self.said = ""
        self.has = has
        self.ask()

    def say(self, words: str, *, bad: bool = False) -> None:
        """Say something in place of what became of the last question."""
        self.said, self.bad = words, bad
        self.ask()

    def drop(self) -> None:
        """Cancel what is on its way, and forget what was said."""
        self.errand.drop()
        self.say("")

    def draw(self) -> None:
        """Show how far it is, or what became of it."""
        busy, errand = self.errand.busy, self.errand
        if busy:
            stopping = errand.stopping
            cancel = {
                "name": "cancel", "label": "Cancel", "disabled": stopping,
                "title": f"Cancel: {self._what}; what is found by then is kept",
            }  # fmt: skip
            self.line.rows = [
                {
                    "id": "question",
                    "what": self._what,
                    "progress": {
                        "fraction": errand.fraction,
                        "text": "Stops ..."
                        if stopping
                        else errand.words.replace(" %", "\N{NO-BREAK SPACE}%"),
                        "second": "",
                        "label": f"Progress of: {self._what}",
                    },
                    "do": [cancel],
                }
            ]
        visible(self.line, busy)
        said = "" if busy else self.said or ("" if self.has else self._nothing)
        kind = "message bad" if self.bad else ""
        items = [{"text": said, "kind": kind, "live": True}] if said else []
        if self.words.items != items:
            self.words.items = items
        visible(self.words, bool(said))

    def _moved(self) -> None:
        self.ask()
        self._told()

    def _acted(self, message: Message) -> None:
        if message.get("action") == "cancel":
            self.errand.stop()
            self.ask()


class _Failure:
    """Why a question has no answer."""

    def __init__(self, words: str) -> None:
        self.words = words


def _plainly(error: SpineqError) -> str:
    """Write an error as a sentence or two; what is for scripts alone is left out."""
    if isinstance(error, JobFailedError):
        _, _, said = error.what.partition("failed: ")
        return f"It failed: {said or error.what}."
    return str(error)
