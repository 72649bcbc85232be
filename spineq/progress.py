"""The protocol between whoever computes and whoever watches.

A solver calls ``report`` at least every 50 ms. The answer is the only way to stop it: True
means "stop now and return what you have". Watchers are small and picklable, so that the same
call works in this process and on a Dask worker; the solvers import no display code.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self, TextIO, runtime_checkable

from spineq.errors import ProblemError, shown

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


@runtime_checkable
class Progress(Protocol):
    """What a solver reports to and is stopped by."""

    def report(
        self,
        fraction: float,
        message: str = "",
        value: float | None = None,
        bound: float | None = None,
    ) -> bool:
        """Take note of where the computation stands.

        Parameters
        ----------
        fraction
            Share of the work that is done, 0 to 1.
        message
            What is being done, a few words.
        value
            Best objective so far, None before there is one.
        bound
            Proven upper bound on the objective so far, None before there is one.

        Returns
        -------
        bool
            True to ask the computation to stop and return what it has.
        """
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """One call of `Progress.report`."""

    fraction: float
    message: str = ""
    value: float | None = None
    bound: float | None = None


class Watcher(ABC):
    """A watcher in few lines: what follows it says in `hear` what it does with a report."""

    def report(
        self,
        fraction: float,
        message: str = "",
        value: float | None = None,
        bound: float | None = None,
    ) -> bool:
        """Take note of where the computation stands; see `Progress.report`."""
        return self.hear(Report(fraction, message, value, bound))

    @abstractmethod
    def hear(self, report: Report) -> bool:
        """Take note of a report; True asks the computation to stop."""


class SilentProgress(Watcher):
    """Watches nothing and never stops anything."""

    def hear(self, report: Report) -> bool:
        """Do nothing."""
        return False


def watcher_of(progress: object) -> Progress:
    """Check what a caller gave as a watcher; None is one that is silent.

    Raises
    ------
    ProblemError
        It has no method ``report`` that could be called.
    """
    if progress is None:
        return SilentProgress()
    # A class has the method too, but none to call.
    if isinstance(progress, type) or not callable(getattr(progress, "report", None)):
        msg = f"{shown(progress)} is not a watcher: it has no method report"
        raise ProblemError(msg, field="progress", mend="Give a TextProgress(), or leave it out")
    watcher: Progress = progress  # type: ignore[assignment]
    return watcher


@dataclass
class RecordingProgress(Watcher):
    """Keeps every report, and can stop the computation; for tests and for curious people.

    Parameters
    ----------
    stop_after
        Number of reports after which to ask for a stop; None never asks.
    """

    stop_after: int | None = None
    reports: list[Report] = field(default_factory=list)

    def hear(self, report: Report) -> bool:
        """Keep the report."""
        self.reports.append(report)
        return self.stop_after is not None and len(self.reports) >= self.stop_after


@dataclass(frozen=True)
class SpanProgress(Watcher):
    """A part of a larger computation: its 0 to 1 is ``start`` to ``stop`` of the whole.

    Parameters
    ----------
    whole
        The watcher of the larger computation.
    start, stop
        Share of the whole at which the part begins and ends, 0 to 1.
    instead
        Words that are passed on instead of the part's own, whose figures are then kept back:
        they are of something else than the whole's.
    """

    whole: Progress
    start: float
    stop: float
    instead: str | None = None

    def hear(self, report: Report) -> bool:
        """Pass the report on in the whole's terms."""
        share = self.start + (self.stop - self.start) * report.fraction
        if self.instead is not None:
            return self.whole.report(share, self.instead)
        return self.whole.report(share, report.message, report.value, report.bound)


class TextProgress(Watcher):
    """A bar on a terminal, and nothing where the stream is not one.

    Use it as a context manager, so that the bar is taken down also when something fails.

    Parameters
    ----------
    stream
        Where to draw, standard error by default: standard output is for results.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Draw the empty bar."""
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        stream = self._stream if self._stream is not None else sys.stderr
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=Console(file=stream),
            disable=not stream.isatty(),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("starting", total=1.0)
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar down."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None

    def __reduce__(self) -> tuple[type[TextProgress], tuple[()]]:
        # A stream does not travel; on the other side the bar is drawn on its standard error.
        return TextProgress, ()

    def hear(self, report: Report) -> bool:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            value = "" if report.value is None else f"coverage {report.value:.1%}"
            text = ", ".join(filter(None, [report.message, value]))
            self._bar.update(self._task, completed=report.fraction, description=text)
        return False
