"""How far a sweep is, and how long it may still take."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from spineq.jobs.snapshot import JobSnapshot


class Pace:
    """Counts what has ended, and estimates the time left from what was done in this run.

    The work of a job is taken to be the mean time of those of its task that have ended. The
    speed is the work that was done over the time since the beginning, so that it counts as many
    workers as there are.

    Parameters
    ----------
    n_jobs
        Jobs in all.
    clock
        Seconds, for tests.
    """

    def __init__(self, n_jobs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._n_jobs, self._clock, self._began = n_jobs, clock, clock()
        self._ended = self._failed = 0
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)

    def note(self, snapshot: JobSnapshot | None, *, here: bool = True) -> None:
        """Take note that a job has ended.

        Parameters
        ----------
        snapshot
            The job; None for one that was deleted or could not be submitted.
        here
            Whether it ended while this run went on; else its time says nothing about its speed.
        """
        self._ended += 1
        if snapshot is None or snapshot.state != "finished":
            self._failed += 1
        elif here and not snapshot.from_cache and snapshot.started and snapshot.ended:
            self._seconds[snapshot.task].append(max(snapshot.ended - snapshot.started, 0.0))

    def left(self, open_jobs: Mapping[str, JobSnapshot]) -> float | None:
        """Seconds that the jobs that are open may still take; None where that is not known yet."""
        everything = [seconds for each in self._seconds.values() for seconds in each]
        elapsed = self._clock() - self._began
        if not everything or elapsed <= 0:
            return None
        usual = sum(everything) / len(everything)
        mean = {task: sum(each) / len(each) for task, each in self._seconds.items()}
        done, rest = sum(everything), 0.0
        for job in open_jobs.values():
            work = mean.get(job.task, usual)
            share = job.progress.fraction if job.state == "running" else 0.0
            done, rest = done + share * work, rest + (1.0 - share) * work
        return rest * elapsed / done if done > 0 else None

    def fraction(self, open_jobs: Mapping[str, JobSnapshot]) -> float:
        """Share of all jobs that is done, 0 to 1."""
        parts = sum(job.progress.fraction for job in open_jobs.values() if job.state == "running")
        return min((self._ended + parts) / max(self._n_jobs, 1), 1.0)

    def words(self, open_jobs: Mapping[str, JobSnapshot]) -> str:
        """Say how many have ended, how many run, and about how long the others may take."""
        counts = Counter(job.state for job in open_jobs.values())
        parts = [f"{self._ended:,} of {self._n_jobs:,} done"]
        if self._failed:
            parts.append(f"{self._failed:,} failed")
        if counts["running"]:
            parts.append(f"{counts['running']:,} running")
        seconds = self.left(open_jobs)
        if open_jobs and seconds is not None:
            parts.append(f"about {rounded(seconds)} left")
        return ", ".join(parts)


def rounded(seconds: float) -> str:
    """Write a time that is only estimated: ``10 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 57.5:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60:,} h {minutes % 60} min"
