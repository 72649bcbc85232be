"""Having scenarios solved: one after the other here, or as jobs of a queue.

The queue is one of `spineq.JobQueue`, of which nothing is imported: only its public methods are
used.
"""

from __future__ import annotations

import queue as queues
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from spineq.errors import ClusterError, JobError, ProblemError, QueueFullError, SpineqError, shown
from spineq.insight.changes import Scenario
from spineq.insight.scenarios import Answer, Trial
from spineq.insight.trial_plan import Plan
from spineq.progress import Progress, Report, SpanProgress, Watcher

if TYPE_CHECKING:
    from spineq.model.city import City

#: Name of the task, and what finds its jobs in a list.
TASK, TAG = "scenario", "stability"

#: Seconds from one look at the watcher to the next.
_LOOK_UP = 0.04

#: Seconds for which a watcher here is not asked again.
_PAUSE = 0.02

#: Jobs that wait beside half as many as run: enough for no worker to be idle, and few to withdraw.
_AHEAD = 2

#: Pairs of sites and points that the scenarios of a job have together, and how many scenarios at
#: most: with less work than that, a job's own overhead would be felt. It depends on the city
#: alone, so that the same jobs are found again.
_WORK, _TOGETHER = 4_000_000, 20

#: What a job has found: the answers of its scenarios, and whether they are all.
Found = tuple[list[Answer], bool]


def solve_here(
    city: City, plan: Plan, scenarios: Sequence[Scenario], progress: Progress
) -> tuple[list[Answer], bool]:
    """Solve scenarios one after the other.

    Returns
    -------
    tuple
        The answers, in order; and whether the watcher asked to stop, in which case those are
        there that were found by then.
    """
    trial, latch = Trial(city, plan), _Latch(progress)
    answers: list[Answer] = []
    total = len(scenarios)
    for done, scenario in enumerate(scenarios):
        span = SpanProgress(latch, done / total, (done + 1) / total, _words(done, total))
        answer = trial.solve(scenario, span)
        if answer is not None:
            answers.append(answer)
        if not latch.stopped:
            latch.tell(len(answers) / total, _words(len(answers), total))
        if latch.stopped:
            break
    return answers, len(answers) < total


def _words(done: int, total: int) -> str:
    return f"{done:,} of {total:,} scenarios solved"


class _Latch(Watcher):
    """Remembers that the watcher asked to stop, and asks it no more often than it needs.

    Solvers report hundreds of times a scenario, each of which would cost a worker its look at
    the cluster.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress, self._next = progress, 0.0
        self.stopped = False

    def hear(self, report: Report) -> bool:
        """Pass the report on, if the last one was not just now."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PAUSE
            self.tell(report.fraction, report.message)
        return self.stopped

    def tell(self, fraction: float, message: str) -> None:
        """Pass a report on at any rate."""
        self.stopped = self._progress.report(fraction, message) or self.stopped


def need_queue(queue: object) -> None:
    """Check that something can be asked to do jobs.

    Raises
    ------
    ProblemError
        It cannot.
    """
    methods = ("submit", "answer_to", "watch", "get", "cancel")
    if isinstance(queue, type) or not all(callable(getattr(queue, each, None)) for each in methods):
        msg = f"a JobQueue is needed, not {shown(queue)}"
        raise ProblemError(msg, field="queue", mend="Make one with spineq.JobQueue")


def solve_on(
    queue: Any, city: City, plan: Plan, scenarios: Sequence[Scenario], progress: Progress
) -> tuple[list[Answer], bool]:
    """Have a queue's workers solve scenarios; see `solve_here`.

    What the queue's store has is not computed again. When the watcher asks to stop, or anything
    goes wrong, the jobs that have not ended are withdrawn; what the others found stays.

    Raises
    ------
    JobError
        A job failed, or somebody cancelled or deleted it.
    ClusterError
        The queue was closed.
    QueueFullError
        It takes not a single job.
    StoreError
        The store fails.
    """
    together = min(max(_WORK // (city.n_sites * city.n_points), 1), _TOGETHER)
    bundles = [scenarios[k : k + together] for k in range(0, len(scenarios), together)]
    return _Errand(queue, city, plan, len(scenarios), progress).run(bundles)


class _Errand:
    """All the jobs of one call."""

    def __init__(self, queue: Any, city: City, plan: Plan, total: int, progress: Progress) -> None:
        self._queue, self._city, self._plan = queue, city, plan
        self._total, self._progress = total, progress
        self._news: queues.SimpleQueue[tuple[str | None, str]] = queues.SimpleQueue()
        self._open: dict[str, Sequence[Scenario]] = {}
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._answers: dict[int, Answer] = {}

    def run(self, bundles: Sequence[Sequence[Scenario]]) -> tuple[list[Answer], bool]:
        """Ask for all of them, so many at a time, and wait."""
        left = list(reversed(bundles))
        stop = False
        with self._listening():
            try:
                while (left or self._open) and not stop:
                    running = len(self._running)
                    room = len(self._open) < running + running // 2 + _AHEAD
                    if left and room and self._asked(left[-1]):
                        left.pop()
                        self._hear(0.0)
                    else:
                        self._hear(_LOOK_UP)
                    stop = self._said()
            finally:
                if self._open:
                    self._withdraw()
        answers = [self._answers[number] for number in sorted(self._answers)]
        return answers, len(answers) < self._total

    def _said(self) -> bool:
        words, trouble = _words(len(self._answers), self._total), self._queue.trouble
        if trouble:
            words = f"{words} ({trouble})"
        elif self._open and not self._queue.is_served:
            words = f"{words} (nobody works at the store)"
        return self._progress.report(len(self._answers) / self._total, words)

    def _asked(self, bundle: Sequence[Scenario]) -> bool:
        """Ask for the scenarios of a job; False where it has to wait for others to end."""
        words = job_words(self._plan, bundle)
        problem = words.pop("problem")
        stored = self._queue.answer_to(self._city, problem, task=TASK, **words)
        if stored is not None:
            self._note(stored)
            return True
        try:
            self._submit(bundle)
        except QueueFullError:
            if not self._open:
                raise
            return False
        return True

    def _submit(self, bundle: Sequence[Scenario], *, reuse: bool = True) -> None:
        words = job_words(self._plan, bundle)
        problem = words.pop("problem")
        first, last = bundle[0].number, bundle[-1].number
        note = f"scenario {first}" if first == last else f"scenarios {first} to {last}"
        job = self._queue.submit(
            self._city, problem, task=TASK, tags=[TAG], note=note, reuse=reuse, **words
        )
        self._open[job.id] = bundle
        if not reuse:
            self._again.add(job.id)
        # What was answered from the store, or ended before it was listened to, makes no news.
        self._take(job.id, job.status)

    def _hear(self, seconds: float) -> None:
        """Take what the queue says, waiting for so long where that is nothing."""
        with suppress(queues.Empty):
            self._take(*self._news.get(timeout=seconds) if seconds else self._news.get_nowait())
            while True:
                self._take(*self._news.get_nowait())

    def _take(self, job: str | None, state: str) -> None:
        if job is None:
            self._open.clear()
            msg = "the queue was closed before all scenarios were solved"
            raise ClusterError(msg, mend="Open another on the same store, and ask again")
        if job not in self._open:
            return
        if state == "running":
            self._running.add(job)
        if state in ("queued", "running", "cancelling"):
            return
        bundle = self._open.pop(job)
        self._running.discard(job)
        if state == "deleted":
            msg = f"somebody deleted the job {job}"
            raise JobError(msg, mend="Ask again: what has been solved is not solved again")
        try:
            self._note(self._queue.get(job).result(timeout=10.0))
        except JobError:
            if state != "finished" or job in self._again:
                raise
            # Its answer is damaged, or was pruned in this moment.
            self._submit(bundle, reuse=False)

    def _note(self, found: Found) -> None:
        self._answers.update({answer.number: answer for answer in found[0]})

    def _withdraw(self) -> None:
        """Take back what has not ended; of jobs that somebody deleted there is nothing to take."""
        jobs, self._open = list(self._open), {}
        # All at once: of those that wait, none takes the place of one that stops.
        try:
            self._queue.cancel(*jobs)
        except SpineqError:
            for job in jobs:
                with suppress(SpineqError):
                    self._queue.cancel(job)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        end: Callable[[], None] = self._queue.watch(
            lambda snapshot: self._news.put((snapshot.id, snapshot.state)),
            lambda job: self._news.put((job, "deleted")),
        )
        try:
            yield
        finally:
            end()


def job_words(plan: Plan, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """Parameters of the job that solves scenarios, but that the problem is one."""
    words = plan.to_dict() | {"problem": plan.problem}
    return words | {"scenarios": [each.to_dict(plan.problem) for each in scenarios]}
