"""The thread behind a queue: it keeps the index up to date and the unfinished jobs on the way.

Longer than most files, since all that is done under the one lock should be seen together.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from spineq.errors import StoreError, UnknownTaskError
from spineq.jobs._host import clock_name
from spineq.jobs.index import Entry, Index
from spineq.jobs.ledger import Ledger
from spineq.jobs.listing import list_names
from spineq.jobs.prune import prune
from spineq.jobs.records import (
    Beat,
    JobRecord,
    Lease,
    Outcome,
    Stop,
    Turn,
    Withdrawal,
)
from spineq.jobs.snapshot import JobSnapshot
from spineq.jobs.tasks import task_named
from spineq.jobs.worker import Order, described

if TYPE_CHECKING:
    from distributed import Client

_LOG = logging.getLogger(__name__)


#: Shortest time from one look at the whole ledger to the next, and the share of all time that
#: looking may take.
TICK, _SHARE = 1.0, 0.05

#: Shortest time to the next look when somebody asks for one.
_SOONEST = 0.1

#: Weight of a priority against a start tag when Dask sorts the jobs.
_PRIORITY_WEIGHT = 10**12

#: Longest pause before a job is carried again after the store failed under it, seconds.
_MOST_PAUSE = 60.0

#: Seconds from one pruning to the next.
_PRUNE = 3600.0

Watcher = Callable[[JobSnapshot], object]

#: Called with the id of a job that was deleted, or None when the queue closes.
Mourner = Callable[[str | None], object]


class Carries(Protocol):
    """What the keeper asks of a carrier; see `spineq.jobs.carrier.Carrier`."""

    topic: str
    cluster: str

    @property
    def client(self) -> Client | None: ...  # noqa: D102
    @property
    def is_own(self) -> bool: ...  # noqa: D102
    def connect(self) -> None: ...  # noqa: D102
    def look_after(self) -> bool: ...  # noqa: D102
    def carries(self, attempt: str) -> bool: ...  # noqa: D102
    def carry(self, order: Order, priority: int) -> None: ...  # noqa: D102
    def forget(self, attempt: str) -> None: ...  # noqa: D102
    def drop(self, attempts: list[str]) -> None: ...  # noqa: D102
    def close(self) -> bool: ...  # noqa: D102


class Keeper:
    """Keeps the index, reconciles the ledger with the cluster, and tells watchers.

    Everything that Dask's threads have to say goes through one inbox to one thread. What the
    queue's caller does holds `lock` only while it looks at the index.

    Parameters
    ----------
    ledger
        The ledger.
    user
        Who withdraws what has waited for too long.
    retention_days
        Days for which jobs that have ended are kept.
    """

    def __init__(self, ledger: Ledger, user: str, retention_days: float) -> None:
        self.ledger, self.user, self.retention_days = ledger, user, retention_days
        #: The cluster; None for a queue that only looks and cancels. Set before `open`.
        self.carrier: Carries | None = None
        self.index = Index(ledger)
        self.lock = threading.RLock()
        #: Notified whenever a job changed.
        self.change = threading.Condition(self.lock)
        #: Why the store or the cluster cannot be used at the moment; empty if they can.
        self.trouble = ""
        self._said_end = False
        self._inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._watchers: dict[object, tuple[Watcher, Mourner]] = {}
        self._seen: dict[tuple[str, int], float] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        self._adopted: set[str] = set()
        self._closing = False
        self._next_prune = 0.0
        self._thread = threading.Thread(target=self._keep, name="spineq-keeper", daemon=True)

    def open(self) -> None:
        """Read the ledger, connect, and begin to keep.

        Raises
        ------
        StoreError, ClusterError
            The store cannot be read; no cluster can be reached or made.
        """
        self.index.refresh()
        self.index.changed()
        if self.carrier is not None:
            try:
                self.carrier.connect()
            except BaseException:
                self.carrier.close()
                raise
        self._thread.start()

    def close(self) -> None:
        """Stop keeping, and let go of the cluster."""
        if self._closing:
            return
        self._closing = True
        self._inbox.put(("close", None))
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=30)
        if self.carrier is not None and self.carrier.close():
            with suppress(StoreError):
                self._hand_back(self.carrier.cluster)
        if self.carrier is not None:
            with suppress(StoreError), self.lock:
                self.index.compact(least=2)
        self.tell()

    def _hand_back(self, cluster: str) -> None:
        """Remove the leases of workers that ended with our cluster: they did not die of a job."""
        for attempt, number in self.ledger.leases().items():
            if self.ledger.lease(attempt, number).cluster == cluster:
                self.ledger.release(attempt, number)

    @property
    def is_here(self) -> bool:
        """Whether this is the keeper's own thread, which must not wait for itself."""
        return threading.current_thread() is self._thread

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing

    # From other threads

    def hear(self, event: dict[str, Any]) -> None:
        """Take an event from a worker; returns at once."""
        self._inbox.put(("event", event))

    def hear_done(self, attempt: str, error: BaseException | None) -> None:
        """Take the end of a task; returns at once."""
        self._inbox.put(("done", (attempt, error)))

    def look(self) -> None:
        """Ask for a look at the whole ledger now; returns at once."""
        self._inbox.put(("look", None))

    def watch(self, watcher: Watcher, gone: Mourner = lambda _: None) -> Callable[[], None]:
        """Call a watcher with every job that changed, on the keeper's thread.

        Parameters
        ----------
        watcher
            Called with snapshots.
        gone
            Called with the id of a job that was deleted; with None when the queue closes.

        Returns
        -------
        callable
            Ends the watching.
        """
        mark = object()
        with self.lock:
            self._watchers[mark] = watcher, gone

        def end() -> None:
            with self.lock:
                self._watchers.pop(mark, None)

        return end

    def nudge(self) -> None:
        """Have waiters and watchers told of what changed; returns at once."""
        self._inbox.put(("tell", None))

    def carry(self, job: JobRecord, attempt: str) -> None:
        """Give a job's attempt to the cluster; the lock is held."""
        assert self.carrier is not None
        try:
            task = task_named(job.task)
        except UnknownTaskError:
            # Another queue knows it, or will.
            return
        if task.version_of(job.parameters) != job.version:
            # Likewise: this process would give another answer than was asked for.
            return
        order = Order(
            store=self.ledger.store.where,
            store_id=self.ledger.id,
            cluster=self.carrier.cluster,
            topic=self.carrier.topic,
            attempt=attempt,
            run=job.run,
            task=task,
            version=job.version,
            city=job.city,
            parameters=job.parameters,
            time_limit=job.time_limit,
            earlier=job.earlier,
            fresh=any(
                (other := self.index.entries[each].record) is not None and other.fresh
                for each in self.index.wanted_by(attempt)
            ),
        )
        start_tag = self.index.entries[job.id].order
        self.carrier.carry(order, job.priority * _PRIORITY_WEIGHT - round(start_tag * 1000))

    def start(self, job: JobRecord, attempt: str) -> None:
        """Give a job's attempt to the cluster if it can be done now; the lock is held.

        What cannot be done now is found by the next look: the ledger is the promise.
        """
        if self.carrier is None or self.carrier.carries(attempt):
            return
        try:
            self.carry(job, attempt)
        except Exception as error:  # whatever a cluster that is going down makes of it
            _LOG.info("%s is carried later: %s", attempt, error)
            self.look()

    def withdraw(self, ids: Iterable[str], event: str = "withdrawn") -> None:
        """Write that jobs are not wanted any more, and stop what nobody wants; the lock is held.

        The index must be up to date. Jobs that have ended or were withdrawn are passed over.
        """
        left: set[str] = set()
        for job_id in ids:
            entry = self.index.entries.get(job_id)
            if entry is None or job_id not in self.index.open:
                continue
            attempt = entry.attempt
            left.add(attempt)
            if entry.withdrawal is not None:
                # Whoever withdrew it may have died before the attempt was stopped.
                continue
            known = self.index.attempts[attempt]
            is_last = self.index.wanted_by(attempt) == {job_id}
            # Whoever holds the attempt says what becomes of it; nobody else can tell.
            waits = is_last and known.lease is not None and known.alive
            word = event if event == "overdue" else "withdrawn" if waits else "left"
            withdrawal = Withdrawal(event=word, at=time.time(), by=self.user)
            self.ledger.withdraw(job_id, entry.turn, withdrawal)
            self.index.note_withdrawal(job_id, withdrawal)
        # Jobs that share an attempt may leave at the same moment, by other queues too: only
        # afterwards is it certain.
        self._read_withdrawals(left)
        unwanted = [attempt for attempt in left if not self.index.wanted_by(attempt)]
        for attempt in unwanted:
            self.ledger.stop(attempt, Stop(at=time.time(), by=self.user))
            if not self.ledger.leases(attempt):
                self._publish(attempt, "stopped")
        if unwanted:
            # A scheduler that does not answer must not keep the lock.
            self._inbox.put(("drop", unwanted))

    def refresh(self) -> None:
        """Bring the index up to date now, on the caller's thread; the lock is not held."""
        with self.lock:
            known = self.index.known()
        listing = list_names(self.ledger, known)
        with self.lock:
            self.index.refresh(listing)
        self.nudge()

    def _read_withdrawals(self, attempts: set[str]) -> None:
        turns = {
            job: self.index.entries[job].turn
            for attempt in attempts
            for job in self.index.wanted_by(attempt)
        }
        # Deleted, it has no withdrawal any more.
        for gone in turns.keys() - self.ledger.jobs(turns).keys():
            self.index.remove(gone)
        for name, withdrawal in self.ledger.withdrawals(turns.items()).items():
            self.index.note_withdrawal(name.rpartition("-")[0], withdrawal)

    def _publish(self, attempt: str, event: str, error: dict[str, str] | None = None) -> None:
        outcome = Outcome(event=event, ended=time.time(), error=error or {})
        if self.ledger.publish(attempt, outcome):
            self.index.note_outcomes({attempt: outcome})

    # The thread

    def _keep(self) -> None:
        next_look = soonest = time.monotonic()
        while not self._closing:
            items = self._take(max(0.0, next_look - time.monotonic()))
            if any(kind == "look" for kind, _ in items):
                next_look = min(next_look, max(soonest, time.monotonic()))
            try:
                self._handle(items)
                if time.monotonic() >= next_look:
                    began = time.monotonic()
                    self.trouble = self._look()
                    ended = time.monotonic()
                    next_look = began + max(TICK, (ended - began) / _SHARE)
                    soonest = ended + max(_SOONEST, ended - began)
            except StoreError as error:
                self.trouble = str(error)
                _LOG.info("the store fails: %s", error)
                next_look = time.monotonic() + TICK
            except Exception as error:  # the thread must live; the next look finds it all again
                self.trouble = f"{type(error).__name__}: {error}"
                _LOG.exception("the queue stumbled; it goes on")
                next_look = time.monotonic() + TICK
            self.tell()

    def _take(self, timeout: float) -> list[tuple[str, Any]]:
        """Take all that lies in the inbox; wait for the first of it."""
        items = []
        with suppress(queue.Empty):
            items.append(self._inbox.get(timeout=timeout))
            while True:
                items.append(self._inbox.get_nowait())
        return items

    def _handle(self, items: list[tuple[str, Any]]) -> None:
        done: dict[str, BaseException | None] = {}
        unwanted: list[str] = []
        with self.lock:
            for kind, what in items:
                if kind == "done":
                    done[what[0]] = what[1]
                elif kind == "event" and "ended" in what:
                    done[what["ended"]] = None
                elif kind == "drop":
                    unwanted += what
                elif kind == "event" and (lease := Lease.from_dict(what.get("lease"))):
                    beat = Beat.from_dict(what)
                    if beat is not None:
                        self.index.note_progress(lease.attempt, lease, beat)
        if self.carrier is not None:
            self.carrier.drop(unwanted)
        if done:
            self._handle_done(done)

    def _handle_done(self, done: dict[str, BaseException | None]) -> None:
        assert self.carrier is not None
        for attempt in done:
            self.carrier.forget(attempt)
        outcomes = self.ledger.outcomes(done)
        # Dask would keep what a task returned for ever, where somebody else had carried it before,
        # and would give that in place of running it again.
        self.carrier.drop(
            [
                attempt
                for attempt, error in done.items()
                if (attempt in self._adopted if attempt in outcomes else error is None)
            ]
        )
        self._adopted -= done.keys()
        with self.lock:
            # A job that somebody withdrew before does not end as its run did.
            self._read_withdrawals(set(outcomes))
            self.index.note_outcomes(outcomes)
            for attempt in done.keys() - outcomes.keys():
                error = done[attempt]
                if error is None or isinstance(error, ConnectionResetError):
                    # Elsewhere, cancelled, or forgotten with its scheduler: the next look tells.
                    self.look()
                elif isinstance(error, StoreError):
                    _, pause = self._pauses.get(attempt, (0.0, TICK / 2))
                    pause = min(2 * pause, _MOST_PAUSE)
                    self._pauses[attempt] = time.monotonic() + pause, pause
                else:
                    self._publish(attempt, "failed", _words(error))

    def _look(self) -> str:
        """Look at the whole ledger, and do what is to be done; returns what stands in the way."""
        ready = self.carrier is not None and self.carrier.look_after()
        # A store may be far away: whoever asks the queue meanwhile does not wait for the listing.
        self.refresh()
        with self.lock:
            self._expire()
            self._end_unwanted()
            self._move_on()
            if ready:
                self._reconcile()
            if self.carrier is None:
                return ""
            self.index.compact()
            if time.monotonic() >= self._next_prune:
                self._next_prune = time.monotonic() + _PRUNE
                prune(self.index, self.ledger, self.retention_days)
        return "" if ready else "the cluster does not answer; jobs wait"

    def _expire(self) -> None:
        """Withdraw jobs that have waited for too long."""
        now, here, late = time.monotonic(), clock_name(), []
        seen: dict[tuple[str, int], float] = {}
        for job_id in self.index.open:
            entry = self.index.entries[job_id]
            job = entry.record
            if job is None or job.expires_in is None or entry.state != "queued":
                continue
            if self.index.attempts[entry.attempt].lease is not None:
                # Its worker died: it has not only waited.
                continue
            # By turn: a retry may go unseen, and has not waited for what its first turn did.
            turn = job_id, entry.turn
            seen[turn] = self._seen.get(turn, now)
            waited = now - seen[turn]
            if job.clock == here and entry.turn == 0:
                waited = max(waited, time.time() - job.created)
            if waited >= job.expires_in:
                late.append(job_id)
        self._seen = seen
        self.withdraw(late, "overdue")

    def _end_unwanted(self) -> None:
        """End attempts that nobody wants, and whose worker died before it could."""
        for name, attempt in list(self.index.attempts.items()):
            if attempt.outcome or self.index.wanted_by(name):
                continue
            # Again, for whoever withdrew the last job may have died before that.
            self.ledger.stop(name, Stop(at=time.time(), by=self.user))
            if attempt.lease is None or not attempt.alive:
                self._publish(name, "stopped")

    def _move_on(self) -> None:
        """Give a new attempt to jobs whose attempt was stopped for others."""
        for attempt in list(self.index.attempts.values()):
            if attempt.outcome is not None and attempt.outcome.event == "stopped":
                for job_id in list(attempt.jobs):
                    self.new_turn(self.index.entries[job_id], retried=False)

    def new_turn(self, entry: Entry, *, retried: bool) -> None:
        """Give a job a new attempt; the lock is held."""
        job, number = self.index.record(entry), entry.turn + 1
        order = self.index.next_order(job.priority, job.user) if retried else entry.order
        turn = Turn(
            attempt=self.ledger.open_attempt(job.run, job.time_limit),
            at=time.time(),
            order=order,
            retried=retried,
        )
        while not self.ledger.put_turn(entry.id, number, turn):
            if read := self.ledger.turns([(entry.id, number)]):
                # Somebody was quicker.
                self.index.note_turn(entry.id, number, *read.values())
                return
            number += 1  # that one is torn
        self.index.note_turn(entry.id, number, turn)

    def _reconcile(self) -> None:
        """Carry what is wanted, has not ended, and is not on its way."""
        assert self.carrier is not None
        now, orders = time.monotonic(), []
        for name, attempt in self.index.attempts.items():
            if attempt.outcome is not None or self.carrier.carries(name):
                continue
            lease = attempt.lease
            if lease and attempt.alive and lease.cluster != self.carrier.cluster:
                continue
            if self._pauses.get(name, (0.0, 0.0))[0] > now:
                continue
            jobs = [
                (-entry.record.priority, entry.order, entry.id, entry.record)
                for job in self.index.wanted_by(name)
                if (entry := self.index.entries[job]).record is not None
            ]
            if jobs:
                orders.append((*min(jobs, key=lambda job: job[:3]), name))
        for *_, job, name in sorted(orders, key=lambda order: order[:3]):
            self._adopted.add(name)
            try:
                self.carry(job, name)
            except Exception as error:  # one job must not hold up the others
                _LOG.warning("%s cannot be carried: %s", name, error)
        for name in self._pauses.keys() - self.index.attempts.keys():
            del self._pauses[name]

    def tell(self) -> None:
        """Tell waiters and watchers what changed."""
        with self.change:
            changed = self.index.changed()
            if not changed and not self._closing:
                return
            self.change.notify_all()
            watchers = list(self._watchers.values())
            if not watchers:
                return
            entries = [self.index.entries[job] for job in changed if job in self.index.entries]
            snapshots = [self.index.snapshot(entry) for entry in entries]
            gone: list[str | None] = [job for job in changed if job not in self.index.entries]
        if self._closing and not self._said_end:
            self._said_end = True
            gone.append(None)
        for watcher, mourner in watchers:
            try:
                for snapshot in snapshots:
                    watcher(snapshot)
                for job in gone:
                    mourner(job)
            except BaseException:  # even sys.exit() must not end the keeper
                _LOG.exception("a watcher of jobs failed; the others go on")


def _words(error: BaseException) -> dict[str, str]:
    """Describe why Dask could not run a task."""
    described_error = described(error)
    name, mend = type(error).__name__, ""
    if name == "KilledWorker":
        mend = "the workers died under this job; perhaps it needs more memory than they have"
    elif isinstance(error, ImportError):
        mend = "the workers need the same packages as this computer, spineq among them"
    if mend:
        described_error["message"] = f"{mend} ({described_error['message']})"
    return described_error
