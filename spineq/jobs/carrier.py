"""Carries attempts to a Dask cluster, and notices when the cluster forgot them."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from spineq.errors import ClusterError, SpineqError
from spineq.jobs import meeting
from spineq.jobs.cluster import at_hand, connect
from spineq.jobs.events import connection_of, follow, resubscribe
from spineq.jobs.warm_up import warm_up
from spineq.jobs.worker import Order, run_packed

if TYPE_CHECKING:
    from distributed import Client, Future

    from spineq.jobs.ledger import Ledger

_LOG = logging.getLogger(__name__)

#: Seconds for which a client looks for a scheduler that is gone, and between two new clients.
_TIMEOUT, _PAUSE = 5, 5.0

#: ``on_done(attempt, error)``: the task has ended; an error if it was not by returning.
OnDone = Callable[[str, BaseException | None], None]


class _Cluster:
    """A cluster that this process started for a store, and who uses it.

    In a notebook whose cell is run again there are two queues for a moment, and the old one
    must not take the cluster away from the new one.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.users = 0


_CLUSTERS: dict[str, _Cluster] = {}
# Held again by the queue that is garbage-collected while another one starts its cluster.
_CLUSTERS_LOCK = threading.RLock()


class Carrier:
    """The Dask side of a queue.

    ``carry`` and ``drop`` may be called on any thread; what a change of the scheduler makes of
    that is mended by the next look, since the same order twice is one task.

    Parameters
    ----------
    where
        As in `spineq.connect`. For None, a cluster that serves the same store comes before a
        new one.
    ledger
        Whose attempts.
    on_event
        Called with each event about progress, on the client's loop: it must return at once.
    on_done
        Called when a task has ended, on some thread.
    options
        Further arguments of `spineq.connect`.
    """

    def __init__(
        self,
        where: Any,
        ledger: Ledger,
        on_event: Callable[[dict[str, Any]], None],
        on_done: OnDone,
        options: dict[str, Any],
    ) -> None:
        self._where, self._ledger, self._options = where, ledger, options
        self._on_event, self._on_done = on_event, on_done
        #: Topic of the events: the same for all queues of one store.
        self.topic = f"spineq-{hashlib.sha256(ledger.store.where.encode()).hexdigest()[:16]}"
        #: Id of the scheduler; empty while there is none.
        self.cluster = ""
        self.client: Client | None = None
        self._ours = False
        self._own: _Cluster | None = None
        self._connection: object = None
        self._futures: dict[str, Future[Any]] = {}
        self._unfollow: Callable[[], None] = lambda: None
        self._next_try = 0.0

    @property
    def is_own(self) -> bool:
        """Whether the cluster was started here, and so ends with the queue."""
        return self._own is not None

    def connect(self) -> None:
        """Reach the cluster, or start one.

        Raises
        ------
        ClusterError
            Nobody answers, or the address is refused.
        """
        self._unfollow()
        self._leave_own()
        before = at_hand(self._where)
        self.client = self._reached() if before is None else connect(before)
        self._ours = before is None
        if self.client.asynchronous:
            msg = "the client is asynchronous"
            raise ClusterError(msg, field="cluster", mend="Give its address, or a plain Client")
        self._unfollow = follow(self.client, self.topic, self._hear)
        self._greet()

    def _reached(self) -> Client:
        quietly: dict[str, Any] = {"set_as_default": False}
        if self._where is not None:
            return connect(self._where, **quietly | {"timeout": _TIMEOUT} | self._options)
        with _CLUSTERS_LOCK:
            own = _CLUSTERS.get(self._ledger.store.where)
            if own is None or own.client.status != "running":
                address = meeting.address(self._ledger)
                if address is not None:
                    try:
                        return connect(address, **quietly, timeout=_TIMEOUT)
                    except ClusterError as error:
                        _LOG.info("nobody serves the store any more: %s", error)
                # What becomes of a job is in its ledger; Dask's warnings about it are not news.
                quietly["silence_logs"] = logging.ERROR
                client = connect(**quietly | self._options)
                if client.cluster is None:
                    # Dask is configured with an address.
                    return client
                own = _CLUSTERS[self._ledger.store.where] = _Cluster(client)
            own.users += 1
            self._own = own
            return own.client

    def _greet(self) -> None:
        """Learn what is new after a connection was made."""
        assert self.client is not None
        connection = connection_of(self.client)
        info = self.client.scheduler_info()
        self.cluster = str(info["id"])
        warm_up(self.client)
        meeting.announce(self._ledger, str(info["address"]), ours=self.is_own)
        # Last, so that what failed is tried again.
        self._connection = connection

    def look_after(self) -> bool:
        """Look whether the connection stands, and mend it if it does not.

        Returns
        -------
        bool
            Whether orders can be carried now.
        """
        client = self.client
        if client is not None and client.status == "running":
            if connection_of(client) is not self._connection:
                try:
                    resubscribe(client)
                    self._greet()
                except Exception as error:  # whatever a dying scheduler makes of a call
                    _LOG.info("the scheduler does not answer yet: %s", error)
                    return False
                self._futures.clear()
            return True
        if client is not None and client.status == "connecting":
            return False
        if (client is not None and not self._ours) or time.monotonic() < self._next_try:
            # A client that is not ours was closed by whoever it belongs to.
            return False
        self._next_try = time.monotonic() + _PAUSE
        self._futures.clear()
        try:
            self.connect()
        except SpineqError as error:
            _LOG.warning("%s", error)
            return False
        return True

    def carries(self, attempt: str) -> bool:
        """Whether the cluster knows an attempt as far as this client can tell."""
        return attempt in self._futures

    def carry(self, order: Order, priority: int) -> None:
        """Give an order to the cluster; the same order twice is one task."""
        from distributed import fire_and_forget
        from distributed.protocol.pickle import dumps

        assert self.client is not None
        future = self.client.submit(
            run_packed,
            dumps(order),
            key=self._key(order.attempt),
            priority=priority,
            # Dask would put a batch that was submitted at once into one generation.
            fifo_timeout="0ms",
        )
        # It goes on when this client is gone.
        fire_and_forget(future)
        self._futures[order.attempt] = future
        attempt, done = order.attempt, self._on_done
        future.add_done_callback(lambda future: done(attempt, _error_of(future)))

    def forget(self, attempt: str) -> None:
        """Let go of an attempt that has ended."""
        self._futures.pop(attempt, None)

    def drop(self, attempts: list[str]) -> None:
        """Take attempts off the cluster; what runs is told by the ledger to stop."""
        from distributed import Future

        if not attempts or self.client is None or self.client.status != "running":
            return
        futures = []
        for attempt in attempts:
            carried = self._futures.pop(attempt, None)
            futures.append(Future(self._key(attempt), self.client) if carried is None else carried)
        self.client.cancel(futures, force=True)

    def close(self) -> bool:
        """Let go of the cluster; returns whether it was started here, and so ended."""
        self._unfollow()
        self._futures.clear()
        own = self._own
        if own is None:
            if self.client is not None and self._ours:
                self.client.close()
            return False
        if not self._leave_own():
            return False
        meeting.leave(self._ledger)
        own.client.close()
        return True

    def _leave_own(self) -> bool:
        """Leave the cluster that this process started; returns whether nobody uses it now."""
        with _CLUSTERS_LOCK:
            own, self._own = self._own, None
            if own is None:
                return False
            own.users -= 1
            if own.users == 0 and _CLUSTERS.get(self._ledger.store.where) is own:
                del _CLUSTERS[self._ledger.store.where]
            return own.users == 0

    def _key(self, attempt: str) -> str:
        # Two stores may have an attempt of one name. One prefix and no dash after it: otherwise
        # Dask takes each job for a group of its own, and runs the last one first.
        name = f"{self._ledger.store.where}\n{attempt}"
        return f"spineq-{hashlib.sha256(name.encode()).hexdigest()[:32]}"

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        self._on_event(event[1])


def _error_of(future: Future[Any]) -> BaseException | None:
    if future.status == "finished":
        return None
    if future.status == "error":
        error: BaseException | None = future.exception()
        return error
    return ConnectionResetError(f"the task is {future.status}")
