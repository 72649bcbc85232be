"""Work that takes seconds, beside the page: on a thread, told of, stopped, or overtaken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from spineq.panel.state import PanelState
from spineq.progress import Progress, Report, Watcher


class Errand:
    """One piece of work at a time; a newer one stops the older, whose answer nobody gets.

    Parameters
    ----------
    state
        Where errors go.
    told
        Called, on the ticker's thread, when `words` or `busy` have changed.
    """

    def __init__(self, state: PanelState, told: Callable[[], object]) -> None:
        self.state = state
        #: What is being done, and how far it is; empty when nothing is.
        self.words = ""
        #: How far it is, 0 to 1.
        self.fraction = 0.0
        self._told = state.guarded(told)
        self._lock = threading.RLock()
        self._now: _Watch | None = None
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._now is not None

    @property
    def stopping(self) -> bool:
        """Whether what is being done was asked to stop."""
        now = self._now
        return now is not None and now.stop

    def start(
        self,
        work: Callable[[Progress], Any],
        done: Callable[[Any], object],
        words: str = "Working",
    ) -> None:
        """Do something on a thread of its own.

        Parameters
        ----------
        work
            Given a watcher, which asks it to stop when that is wanted.
        done
            Called with the answer, on that thread; also with that of work that a person
            stopped, not with that of work that a newer piece overtook.
        words
            What is being done, a few words.
        """
        with self._lock:
            self.stop()
            watch = self._now = _Watch(self, words)
            self.words, self.fraction = f"{words} ...", 0.0
            self._thread = threading.Thread(
                target=self._run, args=(watch, work, done), name="spineq-errand", daemon=True
            )
            self._thread.start()
        self.state.ticker.ask(self._told)

    def stop(self) -> None:
        """Ask what is being done to stop; its answer so far still comes."""
        with self._lock:
            if self._now is not None:
                self._now.stop = True

    def drop(self) -> None:
        """Stop what is being done, and want no answer."""
        with self._lock:
            self.stop()
            self._now, self.words = None, ""
        self.state.ticker.ask(self._told)

    def wait(self, seconds: float = 60.0) -> None:
        """Wait for the newest piece of work to end; for tests and scripts."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def close(self) -> None:
        """Stop, and tell nobody any more."""
        with self._lock:
            self.stop()
            self._now = None
        self.state.ticker.forget(self._told)

    def hear(self, watch: _Watch, report: Report) -> bool:
        """Take note of how far the work is; whether to stop it."""
        with self._lock:
            if watch is not self._now:
                return True
            message = report.message if report.message else watch.words
            self.fraction = min(max(report.fraction, 0.0), 1.0)
            words = f"{message} ({100 * self.fraction:.0f} %)"
            changed, self.words = words != self.words, words
        if changed:
            self.state.ticker.ask(self._told)
        return watch.stop

    def _run(
        self, watch: _Watch, work: Callable[[Progress], Any], done: Callable[[Any], object]
    ) -> None:
        with self.state.guard():
            try:
                answer = work(watch)
            except BaseException:
                # What went wrong with something that nobody wants any more is no news.
                if self._ended(watch):
                    raise
                return
            with self._lock:
                if self._ended(watch):
                    done(answer)

    def _ended(self, watch: _Watch) -> bool:
        """Take the work off the list; whether it was still wanted."""
        with self._lock:
            if watch is not self._now:
                return False
            self._now, self.words = None, ""
        self.state.ticker.ask(self._told)
        return True


class _Watch(Watcher):
    """Hears of one piece of work."""

    def __init__(self, errand: Errand, words: str) -> None:
        self.errand, self.words, self.stop = errand, words, False

    def hear(self, report: Report) -> bool:
        """Pass the report on."""
        return self.errand.hear(self, report)
