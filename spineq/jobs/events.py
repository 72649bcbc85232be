"""Progress of tasks that run on Dask workers, as events on a topic."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Worker

#: Shortest time between two events of one task, seconds.
PERIOD = 0.1


class DaskProgress:
    """Reports from a Dask task as events, and stops the task when it is cancelled.

    Pass it to `spineq.optimise` in ``client.submit``, and follow the topic with
    ``client.subscribe_topic(topic, handler)``: the handler gets ``(time, event)``, where the
    event is a dict of ``key, number, fraction, message, value, bound``. At most ten events a
    second are sent, and always the last one. Outside of a worker it is silent.

    Parameters
    ----------
    topic
        Name of the topic; one for all tasks, which their key tells apart.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._number = 0
        self._next = 0.0

    def __reduce__(self) -> tuple[type[DaskProgress], tuple[str]]:
        return DaskProgress, (self.topic,)

    def report(
        self,
        fraction: float,
        message: str = "",
        value: float | None = None,
        bound: float | None = None,
    ) -> bool:
        """Send an event; see `spineq.progress.Progress.report`."""
        from distributed import get_worker

        try:
            worker = get_worker()
        except ValueError:
            return False
        key = worker.get_current_task()
        now = time.monotonic()
        if now >= self._next or fraction >= 1.0:
            self._next = now + PERIOD
            self._number += 1
            event: dict[str, Any] = {
                "key": str(key),
                "number": self._number,
                # Plain floats: numpy's do not travel in events.
                "fraction": float(fraction),
                "message": message,
                "value": None if value is None else float(value),
                "bound": None if bound is None else float(bound),
            }
            worker.log_event(self.topic, event)
        return not still_wanted(worker, key)


def still_wanted(worker: Worker, key: Any) -> bool:
    """Whether a task that runs on this worker is still wanted by anybody.

    Dask cannot interrupt a running task; it only changes the task's state on the worker. This
    is the one place that looks at it (distributed 2026.8: the state is ``"cancelled"`` after a
    cancel, ``"executing"`` or ``"long-running"`` otherwise).
    """
    task = worker.state.tasks.get(key)
    return task is not None and task.state in ("executing", "long-running")
