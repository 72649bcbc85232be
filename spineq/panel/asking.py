"""Questions to the queue's cluster beside its ledger: plain futures that can be taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spineq.model.problem import Problem
    from spineq.panel.state import PanelState

#: A ``distributed.Future``.
Answer = Any


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

    def send(
        self, problem: Problem, priority: int, came: Callable[[Answer], object]
    ) -> Answer | None:
        """Have a problem solved; None where there is nobody to ask.

        Parameters
        ----------
        problem
            What is asked of the state's city.
        priority
            Dask's: above 0 goes before the queue's jobs.
        came
            Called with the future when it has ended, on a thread of Dask's; read it with
            `answer_of`.
        """
        from spineq.jobs.events import DaskProgress
        from spineq.solve import optimise

        queue, city = self._state.queue, self._state.city
        client = None if queue is None else queue.client
        if client is None or city is None:
            return None
        with self._lock:
            mark = id(client), city.digest
            held = self._there
            if held is None or held[:2] != mark or held[2].status != "finished":
                # Once for each cluster and city: a city is large, a problem small.
                self._there = held = (*mark, client.scatter(city, timeout=10))
        future = client.submit(
            optimise,
            held[2],
            problem,
            progress=DaskProgress("spineq-preview"),
            pure=False,
            priority=priority,
        )
        future.add_done_callback(came)
        return future


def answer_of(future: Answer) -> Any:
    """Answer of a future that has ended; None for one that was cancelled.

    Raises
    ------
    Exception
        What the task raised.
    """
    if future.status == "error":
        raise future.exception()
    return future.result() if future.status == "finished" else None


def take_back(future: Answer | None) -> None:
    """Cancel a question whose answer nobody wants any more."""
    if future is not None and future.status == "pending":
        # On a thread of its own: a scheduler that is gone lets callers wait.
        threading.Thread(target=_cancel, args=(future,), daemon=True).start()


def _cancel(future: Answer) -> None:
    with suppress(Exception):
        future.cancel(force=True)
