"""Progress of tasks that run on Dask workers, as events on a topic, and how to follow them."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from spineq.progress import Report, Watcher

if TYPE_CHECKING:
    from distributed import Client, Worker

_LOG = logging.getLogger(__name__)

#: Shortest time between two events of one task, seconds.
PERIOD = 0.1


class DaskProgress(Watcher):
    """Reports from a Dask task as events, and stops the task when it is cancelled.

    Pass it to `spineq.optimise` in ``client.submit``, and `follow` the topic, or use Dask's
    ``client.subscribe_topic(topic, handler)``: the handler gets ``(time, event)``, where the
    event is a dict of ``key, number, fraction, message, value, bound``. At most ten events a
    second are sent, and always the last one. Outside of a worker it is silent.

    Parameters
    ----------
    topic
        Name of the topic; one for all tasks, which their key tells apart.
    labels
        Further entries of every event, in JSON's types.

    Attributes
    ----------
    number
        Number of the last event.
    """

    def __init__(self, topic: str, labels: dict[str, Any] | None = None) -> None:
        self.topic = topic
        self.labels = labels or {}
        self.number = 0
        self._next = 0.0

    def __reduce__(self) -> tuple[type[DaskProgress], tuple[str, dict[str, Any]]]:
        return DaskProgress, (self.topic, self.labels)

    def hear(self, report: Report) -> bool:
        """Send an event; see `spineq.progress.Progress.report`."""
        from distributed import get_worker

        try:
            worker = get_worker()
        except ValueError:
            return False
        key = worker.get_current_task()
        now = time.monotonic()
        if now >= self._next or report.fraction >= 1.0:
            self._next = now + PERIOD
            self.number += 1
            event: dict[str, Any] = self.labels | {
                "key": str(key),
                "number": self.number,
                # Plain floats: numpy's do not travel in events.
                "fraction": float(report.fraction),
                # A text that is no text would break the stream for all.
                "message": report.message.encode(errors="replace").decode(),
                "value": None if report.value is None else float(report.value),
                "bound": None if report.bound is None else float(report.bound),
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


class _Handlers:
    """The handlers of one topic and client, which to Dask are one."""

    def __init__(self) -> None:
        # Replaced, never changed: the loop's thread may be walking through it.
        self.all: tuple[Callable[[Any], object], ...] = ()

    def __call__(self, event: Any) -> None:
        for handler in self.all:
            try:
                handler(event)
            except Exception:
                _LOG.exception("a handler of events failed; the others go on")


# Weak on both sides, for handlers may know their client: it is Dask's client that holds them.
_FOLLOWED: weakref.WeakKeyDictionary[Client, weakref.WeakValueDictionary[str, _Handlers]]
_FOLLOWED = weakref.WeakKeyDictionary()
_LOCK = threading.RLock()


def follow(client: Client, topic: str, handler: Callable[[Any], object]) -> Callable[[], None]:
    """Call a handler for every event of a topic, beside the other handlers of that topic.

    Dask itself keeps one handler per topic and client: do not call ``subscribe_topic`` for a
    topic that is followed. Events that were sent before the scheduler knew, some milliseconds
    after this returns, do not come: ``client.get_events(topic)`` has the latest of them.

    Parameters
    ----------
    client
        Client of the cluster. After it has lost its scheduler, call `resubscribe`.
    topic
        Name of the topic.
    handler
        Called with ``(time, event)`` on the thread of the client's event loop, which brings all
        results too: it must return at once, and must not wait for anything of Dask's. Keep the
        event and look at it elsewhere. Where it raises, the log says so.

    Returns
    -------
    callable
        Ends the following; may be called twice.
    """

    # One of its own each time: somebody may follow with the same handler twice.
    def own(event: Any) -> None:
        handler(event)

    with _LOCK:
        topics = _FOLLOWED.setdefault(client, weakref.WeakValueDictionary())
        handlers = topics.get(topic)
        if handlers is None:
            topics[topic] = handlers = _Handlers()
        first = not handlers.all
        handlers.all = (*handlers.all, own)
        if first:
            client.subscribe_topic(topic, handlers)
    weakly = weakref.ref(client)

    def end() -> None:
        with _LOCK:
            if own not in handlers.all:
                return
            handlers.all = tuple(kept for kept in handlers.all if kept is not own)
            known = weakly()
            # A client that is closed follows nothing any more, and says so by an error.
            if known is not None and not handlers.all and known.status != "closed":
                known.unsubscribe_topic(topic)

    return end


def resubscribe(client: Client) -> None:
    """Follow all topics anew, after the client has reached a new scheduler.

    A scheduler knows nothing of what was followed at the one before it, nor of what a client
    followed whose connection was cut. Doing so in vain does no harm; see `connection_of`.
    """
    with _LOCK:
        for topic, handlers in _FOLLOWED.get(client, {}).items():
            if handlers.all:
                client.subscribe_topic(topic, handlers)


def connection_of(client: Client) -> object:
    """Give something that is another object after each reconnection; None while there is none.

    This is the one place that looks at a client's connection (distributed 2026.8: the stream
    to the scheduler, made anew each time). Compare by ``is``, and keep the object meanwhile.
    """
    stream = client.scheduler_comm
    if client.status != "running" or stream is None or stream.closed():
        return None
    return stream
