"""A sweep from its configuration to its table: jobs in, rows out, and no point twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import (
    ClusterError,
    JobError,
    NotInStoreError,
    QueueFullError,
    SpineqError,
    StoreError,
)
from spineq.jobs.tasks import check_asked, run_digest, task_named
from spineq.model.network import Network
from spineq.progress import Progress, watcher_of
from spineq.sweeps.facts import coverage_of_others, facts_of, shared_groups
from spineq.sweeps.files import (
    STORE,
    attributes,
    claim,
    write_answer,
    write_report,
    write_result,
)
from spineq.sweeps.pace import Pace
from spineq.sweeps.points import report_words
from spineq.sweeps.preparing import Prepared, prepare
from spineq.sweeps.table import SweepResult, figures_of, grid_of, kind_of, table_of

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.jobs.snapshot import JobSnapshot
    from spineq.model.city import City

#: Seconds from one look for a stop to the next.
_PERIOD = 0.1

#: What is not the fault of a point: it ends the sweep, which can be gone on with.
_OF_ALL = (StoreError, ClusterError, QueueFullError)


def sweep(
    config: str | Path | Mapping[str, Any],
    output: str | Path,
    queue: JobQueue | None = None,
    *,
    city: str | Path | Mapping[str, str | Path] | None = None,
    anew: bool = False,
    progress: Progress | None = None,
) -> SweepResult:
    """Ask many questions at once: each is a job, and the answers are one table.

    Whatever ends it, the same call goes on with it: what has finished is not computed again.
    What a point asks that cannot be, such as more sensors than sites, is said in its row.

    Parameters
    ----------
    config
        A YAML file or its content; see `spineq.sweeps.config.read_plan`.
    output
        Folder for the results; see `spineq.sweeps.files` for what is in it.
    queue
        The queue that does the jobs; by default a new one, on the store in ``output`` and a
        cluster on this machine. A script that makes one needs the line
        ``if __name__ == "__main__":``.
    city
        File or folder with the data of the city that the configuration only names, or a
        dictionary of them by name.
    anew
        Whether to compute everything again, and to replace what another sweep left in the folder.
    progress
        Watcher. When it asks to stop, what has ended is returned; nothing is written but the
        answers so far.

    Returns
    -------
    SweepResult

    Raises
    ------
    MissingFileError, UnreadableFileError
        The configuration or a city's file is not there, or is not what it should be.
    ProblemError
        The configuration is wrong, or the folder holds another sweep.
    DataError
        A city's data does not add up.
    UnknownTaskError
        A task that was not registered.
    StoreError
        The folder or the store cannot be written.

    Examples
    --------
    >>> result = sq.sweep("sweep.yml", "results")  # doctest: +SKIP
    >>> result.table[["theta", "n_sensors", "value", "gap"]]  # doctest: +SKIP
    """
    from spineq.jobs.queue import JobQueue

    watcher, folder = watcher_of(progress), Path(output)
    prepared = prepare(config, city)
    claim(folder, prepared.digest, prepared.plan.text, anew=anew)
    if queue is not None:
        return run(prepared, folder, queue, watcher, anew=anew)
    with JobQueue(store=folder / STORE) as own:
        return run(prepared, folder, own, watcher, anew=anew)


def run(
    prepared: Prepared, folder: Path, queue: JobQueue, progress: Progress, *, anew: bool = False
) -> SweepResult:
    """Submit what has no answer yet, wait, and write the table; see `sweep`.

    Parameters
    ----------
    prepared
        From `prepare`.
    folder
        For the results; `spineq.sweeps.files.claim` has made it that of the sweep.
    queue
        Does the jobs.
    progress
        Watcher.
    anew
        Whether to compute everything again.
    """
    made = _Run(prepared, folder, queue, progress, anew)
    stopped = made.work()
    plan = prepared.plan
    table = table_of(plan.points, made.rows)
    digests = {name: city.digest for name, city in prepared.cities.items()}
    dataset = grid_of(plan, table, attributes(prepared.digest, digests))
    result = SweepResult(folder, table, dataset, facts_of(plan, prepared.cities), stopped)
    if not stopped:
        write_result(result)
        progress.report(1.0, "done")
    return result


class _News:
    """What a queue says of its jobs, the latest of each."""

    def __init__(self) -> None:
        self._latest: dict[str, JobSnapshot | None] = {}
        self._came = threading.Condition()
        #: Whether nothing will come any more.
        self.is_over = False

    def hear(self, snapshot: JobSnapshot) -> None:
        """Take a snapshot; returns at once."""
        with self._came:
            self._latest[snapshot.id] = snapshot
            self._came.notify()

    def gone(self, job: str | None) -> None:
        """Take note that a job was deleted; or that the queue was closed, for None."""
        with self._came:
            if job is None:
                self.is_over = True
            else:
                self._latest[job] = None
            self._came.notify()

    def take(self, seconds: float) -> dict[str, JobSnapshot | None]:
        """What came since the last call; waits for so long where that is nothing."""
        with self._came:
            if not self._latest and not self.is_over:
                self._came.wait(seconds)
            taken, self._latest = self._latest, {}
            return taken


class _Run:
    """One run of a sweep.

    A job is known by its point, and whether it is the point's own or its report.
    """

    def __init__(
        self, prepared: Prepared, folder: Path, queue: JobQueue, progress: Progress, anew: bool
    ) -> None:
        self._prepared, self._folder, self._queue = prepared, folder, queue
        self._progress, self._anew = progress, anew
        self._tag = f"sweep:{prepared.digest}"
        self._points = {each.number: each for each in prepared.plan.points}
        self._of: dict[str, tuple[int, str]] = {}
        self._open: dict[str, JobSnapshot] = {}
        self._shared = shared_groups(prepared.plan)
        self._again: set[tuple[int, str]] = set()
        #: What is known of each point, by number; see `spineq.sweeps.table.table_of`.
        self.rows: dict[int, dict[str, Any]] = {number: {} for number in self._points}
        wanted = [(number, "point") for number in self._points]
        # After all networks, which they then find in the store.
        wanted += [(number, "report") for number, each in self._points.items() if each.report]
        self._wanted = wanted
        self._pace = Pace(len(wanted))

    def work(self) -> bool:
        """Do all of it; returns whether the watcher asked to stop."""
        news = _News()
        with _listening(self._queue, news):
            stop = self._submit_all()
            while self._open and not stop:
                for job, snapshot in news.take(_PERIOD).items():
                    if job in self._open:
                        self._hear(job, snapshot)
                if self._open and news.is_over:
                    msg = "the queue was closed before the sweep had ended"
                    raise ClusterError(msg, mend="Open another, and start the sweep again")
                stop = self._said()
        for job, snapshot in self._open.items():
            number, kind = self._of[job]
            if kind == "point":
                self.rows[number] |= {"state": snapshot.state, "job": job}
        for row in self.rows.values():
            row.setdefault("state", "queued")
        return stop

    def _said(self) -> bool:
        words = self._queue.trouble or self._pace.words(self._open)
        if not self._queue.trouble and self._open and not self._queue.is_served:
            words = f"nobody works at the store; {words}"
        return self._progress.report(self._pace.fraction(self._open), words)

    # Submitting

    def _submit_all(self) -> bool:
        """Take up the jobs that are in the ledger, and submit the others."""
        queue = self._queue
        queue.refresh()
        earlier = {} if self._anew else self._earlier()
        retried: list[tuple[str, int, str]] = []
        for k, (number, kind) in enumerate(self._wanted):
            try:
                job = self._taken_up(number, kind, earlier.get((number, kind), ()), retried)
            except SpineqError as error:
                if isinstance(error, _OF_ALL):
                    raise
                self._failed(number, kind, "failed", str(error))
                self._pace.note(None)
                continue
            if job is not None:
                self._follow(job, number, kind)
            if k % 10 == 0 and self._progress.report(
                0.0, f"submitting {k:,} of {len(self._wanted):,}"
            ):
                return True
        if retried:
            queue.retry(*(job for job, _, _ in retried))
            for job, number, kind in retried:
                self._follow(job, number, kind)
        return self._said()

    def _follow(self, job: str, number: int, kind: str) -> None:
        self._of[job] = number, kind
        snapshot = self._queue.snapshot(job)
        self._open[job] = snapshot
        if snapshot.has_ended:
            self._hear(job, snapshot, here=False)

    def _earlier(self) -> dict[tuple[int, str], list[JobSnapshot]]:
        """Jobs of this sweep that are in the ledger, by point and kind.

        The latest comes first, but for those that have no answer and will have none.
        """
        found: dict[tuple[int, str], list[JobSnapshot]] = {}
        for job in self._queue.jobs(tag=self._tag):
            for tag in job.tags:
                kind, _, number = tag.partition(":")
                if kind in ("point", "report") and number.isdecimal():
                    found.setdefault((int(number), kind), []).append(job)
        for jobs in found.values():
            jobs.sort(key=lambda job: job.state not in ("finished", "running", "queued"))
        return found

    def _taken_up(
        self,
        number: int,
        kind: str,
        earlier: Any,
        retried: list[tuple[str, int, str]],
    ) -> str | None:
        """Find or submit the job of a point; None where it is to be retried."""
        if earlier:
            job: JobSnapshot = earlier[0]
            if job.run == self._run_of(number, kind) and not job.cut_short:
                if job.state in ("failed", "cancelled", "expired"):
                    retried.append((job.id, number, kind))
                    return None
                if job.state != "cancelling":
                    return job.id
        return self._submitted(number, kind, reuse=not self._anew)

    def _question(self, number: int, kind: str) -> tuple[str, City | None, dict[str, Any]]:
        point = self._points[number]
        name, words = point.task, point.asked()
        if kind == "report":
            name, words = "report", report_words(words)
        if name == "report":
            words["store"] = self._queue.store
        city = self._prepared.cities[point.city] if task_named(name).needs_city else None
        return name, city, words

    def _run_of(self, number: int, kind: str) -> str:
        name, city, words = self._question(number, kind)
        task = task_named(name)
        asked = check_asked(task, city, words)
        return run_digest(task, asked, "" if city is None else city.digest)

    def _submitted(self, number: int, kind: str, *, reuse: bool) -> str:
        name, city, words = self._question(number, kind)
        tags = [self._tag, f"{kind}:{number}"]
        return self._queue.submit(city, task=name, tags=tags, reuse=reuse, **words).id

    # Collecting

    def _hear(self, job: str, snapshot: JobSnapshot | None, *, here: bool = True) -> None:
        number, kind = self._of[job]
        if snapshot is not None and not snapshot.has_ended:
            self._open[job] = snapshot
            return
        del self._open[job]
        if snapshot is None:
            self._failed(number, kind, "deleted", "somebody deleted the job")
        elif snapshot.state != "finished":
            self._failed(number, kind, snapshot.state, _why(snapshot))
        elif not self._collected(number, kind, snapshot):
            return
        if snapshot is not None:
            self._note(number, kind, snapshot)
        self._pace.note(snapshot, here=here)

    def _note(self, number: int, kind: str, job: JobSnapshot) -> None:
        if kind == "report":
            return
        row = self.rows[number]
        row |= {"job": job.id, "reused": job.from_cache}
        if job.started is not None and job.ended is not None and not job.from_cache:
            row.setdefault("seconds", job.ended - job.started)

    def _collected(self, number: int, kind: str, job: JobSnapshot) -> bool:
        """Read an answer, keep its figures and write its file; False where it is asked again."""
        try:
            content = self._queue.keeper.ledger.answer(job.answer)
            answer = task_named(job.task).load(content)
        except (NotInStoreError, JobError, ValueError) as error:
            # Pruned or damaged since; once more, but not for ever.
            if (number, kind) in self._again:
                self._failed(number, kind, "failed", f"its answer is damaged or gone ({error})")
                return True
            self._again.add((number, kind))
            self._follow(self._submitted(number, kind, reuse=False), number, kind)
            return False
        row, point = self.rows[number], self._points[number]
        if kind == "report" or point.task == "report":
            row["report"] = write_report(self._folder, number, answer)
        if kind == "point":
            row |= figures_of(answer) | {"state": "finished"}
            if isinstance(answer, Network):
                city = self._prepared.cities[point.city]
                row["coverage"] |= coverage_of_others(answer, city, self._shared)
            if job.cut_short:
                row["error"] = f"cut short by the {job.cut_short}"
            if (folder := kind_of(answer)) is not None:
                write_answer(self._folder, folder, number, content)
        return True

    def _failed(self, number: int, kind: str, state: str, why: str) -> None:
        if kind == "report":
            self.rows[number]["report_error"] = why
        else:
            self.rows[number] |= {"state": state, "error": why}


def _why(job: JobSnapshot) -> str:
    if job.error is not None:
        return job.error.message
    return {"cancelled": "somebody cancelled the job", "expired": "it waited for too long"}.get(
        job.state, job.state
    )


@contextmanager
def _listening(queue: JobQueue, news: _News) -> Iterator[None]:
    end = queue.watch(news.hear, news.gone)
    try:
        yield
    finally:
        end()
