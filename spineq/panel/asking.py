"""Questions to the queue's cluster beside its ledger: plain futures that can be taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem
    from spineq.panel.state import PanelState

#: Seconds that the city may take to a worker: busy ones let whoever sends it wait.
_PATIENCE = 10


class Question:
    """A question on its way, which may be taken back before it was even sent.

    Parameters
    ----------
    state
        Whose threads take it back.
    """

    def __init__(self, state: PanelState) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._future: Any = None  # a distributed.Future
        self._error: Exception | None = None
        self.is_dropped = False

    def answer(self) -> Network | None:
        """Return the network that came; None where the question was taken back.

        Raises
        ------
        Exception
            What the task raised, or why it could not be sent.
        """
        if self._error is not None:
            raise self._error
        future = self._future
        if future is None or future.status not in ("finished", "error"):
            return None
        found: Network = future.result()
        return found

    def take_back(self) -> None:
        """Want no answer any more."""
        with self._lock:
            self.is_dropped = True
            future = self._future
        if future is not None and future.status == "pending":
            # A scheduler that is gone lets callers wait.
            self._state.beside(lambda: _cancel(future))

    def sent(self, future: Any) -> None:
        """Note the future of the question; it is cancelled where nobody wants it any more."""
        with self._lock:
            self._future = future
        if self.is_dropped:
            _cancel(future)

    def failed(self, error: Exception) -> None:
        """Note why it could not be sent."""
        self._error = error


class Asking:
    """Sends problems about the state's city to the workers.

    Parameters
    ----------
    state
        Whose city, and whose queue has the cluster.
    """

    def __init__(self, state: PanelState) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._there: tuple[int, str, Any] | None = None

    @property
    def can(self) -> bool:
        """Whether there are workers to ask."""
        queue = self._state.queue
        return queue is not None and queue.client is not None

    def ask(self, problem: Problem, priority: int, came: Callable[[Question], object]) -> Question:
        """Have a problem solved; nobody waits for its way to the workers.

        Parameters
        ----------
        problem
            What is asked of the state's city.
        priority
            Dask's: above 0 goes before the queue's jobs.
        came
            Called with the question when it has ended, on another thread.
        """
        question, queue, city = Question(self._state), self._state.queue, self._state.city

        def send() -> None:
            sent = False
            try:
                if queue is not None and city is not None:
                    sent = self._send(question, problem, priority, came, queue, city)
            except Exception as error:  # whatever a dying scheduler makes of a call
                question.failed(error)
            if not sent:
                came(question)

        self._state.beside(send)
        return question

    def _send(
        self,
        question: Question,
        problem: Problem,
        priority: int,
        came: Callable[[Question], object],
        queue: JobQueue,
        city: City,
    ) -> bool:
        """Send a question; whether it is on its way."""
        from spineq.jobs.events import DaskProgress
        from spineq.solve import optimise

        client = queue.client
        if client is None:
            return False
        with self._lock:
            if question.is_dropped:
                return False
            mark = id(client), city.digest
            held = self._there
            if held is None or held[:2] != mark or held[2].status != "finished":
                # Once for each cluster and city: a city is large, a problem small.
                self._there = held = (*mark, client.scatter(city, timeout=_PATIENCE))
        if question.is_dropped:
            return False
        future = client.submit(
            optimise,
            held[2],
            problem,
            progress=DaskProgress("spineq-preview"),
            pure=False,
            priority=priority,
        )
        question.sent(future)
        future.add_done_callback(lambda _: came(question))
        return True


def _cancel(future: Any) -> None:
    with suppress(Exception):
        future.cancel(force=True)
