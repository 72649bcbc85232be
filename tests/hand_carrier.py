"""A scheduler and workers that a test moves by hand: no Dask, no races, no waiting.

::

    with Hands("memory://some-name") as hands:
        queue = hands.open_queue(user="ann")
        job = queue.submit(task=TASK, question=3)
        worker = hands.take()              # the order that is due; run_attempt up to the task
        worker.report(0.5)                 # the task reports; told to stop, it returns its best
        worker.finish()                    # or worker.fail(error), or worker.die("answers")
        hands.hear(queue)                  # what the queue's thread would do with its inbox,
        hands.look(queue)                  # and when it looks at the ledger
        hands.pass_time(10.0, beating=[])  # a clock of the test's own; who beats meanwhile
        hands.restart()                    # the scheduler forgets everything
        hands.kill(queue)                  # the client's process dies

The worker's code is the real one (`spineq.jobs.worker.run_attempt`), in a thread that runs only
while the test waits for it. The keeper's is too, but for the loop of its thread. A worker that
is left alone is one that hangs: it may wake up after another took over.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from typing import Any, Self
from unittest.mock import patch

import spineq as sq
from spineq.jobs import worker as worker_module
from spineq.jobs.keeper import Keeper
from spineq.jobs.ledger import Ledger
from spineq.jobs.records import Beat
from spineq.jobs.worker import Order, run_attempt
from spineq.store import Store, open_store

#: Name of the task: it takes a ``question`` and answers `answer_to` it.
TASK = "by-hand"

#: Seconds of real time until a worker's thread is taken for stuck.
_STUCK = 30.0

_here = threading.local()


def answer_to(question: int) -> dict[str, int]:
    """The right answer."""
    return {"answer": question * question}


def best_of(question: int) -> dict[str, int]:
    """What the task has when it is told to stop."""
    return {"best": question}


class Killed(SystemExit):
    """Ends a worker's thread, as a kill ends a process."""


class Clock:
    """Stands for the module ``time``; goes on only when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    def time(self) -> float:
        """Seconds since 1970."""
        return 1.8e9 + self.now

    def sleep(self, seconds: float) -> None:
        """A worker waits until the test lets it go on."""
        _here.worker.at("waiting")


class Wire:
    """A store on which something may happen before each call.

    Parameters
    ----------
    store
        The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Called with the method's name and its first argument.
        self.before: Callable[[str, Any], object] = lambda method, name: None

    @property
    def where(self) -> str:
        """The store's."""
        return self._store.where

    def __getattr__(self, method: str) -> Any:
        def call(*arguments: Any, **words: Any) -> Any:
            self.before(method, arguments[0] if arguments else "")
            return getattr(self._store, method)(*arguments, **words)

        return call


class HandWorker:
    """One worker with one order.

    Parameters
    ----------
    hands
        Whose.
    name
        Its address.
    order
        What it is to do.
    """

    def __init__(self, hands: Hands, name: str, order: Order) -> None:
        self.name, self.order = name, order
        self.wire = Wire(open_store(order.store))
        self.wire.before = self._step
        self.ledger = Ledger(self.wire)
        self.ledger.id = order.store_id
        # Its heart beats and looks when the test says so.
        self.ledger.look_period = 1e6
        #: "computing", "waiting" (for another worker's lease), "ended" or "dead".
        self.state = ""
        self.heart: Any = None
        self.beats = 0
        #: What `run_attempt` raised.
        self.error: BaseException | None = None
        self._hands = hands
        self._dead, self._last_words, self._said_last_words = False, "", False
        self._command: tuple[Any, ...] = ()
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        # Known before it starts: it may end at once.
        hands.working[order.attempt] = self
        hands.workers.append(self)
        self._thread.start()
        self._until_still()

    # The test's side

    @property
    def is_on(self) -> bool:
        """Whether it is at work."""
        return self.state in ("computing", "waiting")

    def report(self, fraction: float = 0.5, value: float | None = None) -> None:
        """The task reports; if it is told to stop, it returns what it has."""
        self._say("report", fraction, value)

    def finish(self) -> None:
        """The task returns its answer."""
        self._say("finish")

    def fail(self, error: BaseException) -> None:
        """The task raises."""
        self._say("fail", error)

    def go_on(self) -> None:
        """A worker that waits looks again."""
        self._say("go on")

    def beat(self) -> None:
        """A heartbeat, if it computes."""
        if self.state == "computing":
            self._say("beat")

    def die(self, after: str = "") -> None:
        """Die: now, or once the task has returned and ``answers`` or ``outcomes`` is written."""
        if self.state == "computing" and after:
            self._last_words = after
            self._say("finish")
        else:
            self._dead = True
            self._say("die")
        self._hands.died(self)

    def _say(self, *command: Any) -> None:
        assert self.is_on, self.state
        self._command = command
        self._theirs.release()
        self._until_still()

    def _until_still(self) -> None:
        assert self._mine.acquire(timeout=_STUCK), "the worker is stuck"
        if self.state == "ended":
            self._thread.join()
            self._hands.ended(self)

    # The worker's side

    def at(self, state: str) -> tuple[Any, ...]:
        """Stand still until the test says what to do."""
        self.state = state
        self._mine.release()
        self._theirs.acquire()
        if self._dead:
            raise Killed
        return self._command

    def compute(self, heart: Any, question: int) -> dict[str, int]:
        """Compute as the test says."""
        self.heart = heart
        while True:
            word, *rest = self.at("computing")
            if word == "finish":
                return answer_to(question)
            if word == "fail":
                raise rest[0]
            if word == "beat":
                self.beats += 1
                fraction, message, value, bound = heart._latest
                beat = Beat(
                    count=self.beats,
                    number=heart._events.number,
                    fraction=fraction,
                    message=message,
                    value=value,
                    bound=bound,
                )
                self.ledger.beat(heart._lease, beat)
            if word == "report":
                heart._look()
                heart._events.number += 1
                told = heart.report(rest[0], "at it", rest[1])
                self._hands.said(self)
                if told:
                    return best_of(question)

    def _step(self, method: str, name: Any) -> None:
        if self._dead:
            raise Killed
        if method in ("put", "replace", "delete") and self._last_words:
            if self._said_last_words:
                self._dead = True
                raise Killed
            self._said_last_words = method in ("put", "replace") and name.startswith(
                self._last_words
            )

    def _run(self) -> None:
        _here.worker = self
        try:
            run_attempt(self.order)
        except BaseException as error:  # whatever Dask would tell the client
            self.error = error
        # What a process remembers ends with it.
        worker_module._UNNEEDED.clear()
        self.state = "dead" if self._dead else "ended"
        self._mine.release()


def _compute(city: None, progress: Any, *, question: int) -> dict[str, int]:
    worker: HandWorker = _here.worker
    return worker.compute(progress, question)


class HandCarrier:
    """What a queue has of the scheduler; see `spineq.jobs.keeper.Carries`."""

    topic = "by-hand"
    is_own = False
    client = None

    def __init__(self, hands: Hands, keeper: Keeper) -> None:
        self.keeper, self.cluster = keeper, ""
        self.futures: set[str] = set()
        self._hands = hands

    def connect(self) -> None:
        """Learn the scheduler's name."""
        self.cluster = self._hands.cluster

    def look_after(self) -> bool:
        """Notice that there is a new scheduler."""
        if self.cluster != self._hands.cluster:
            self.futures.clear()
            self.connect()
        return True

    def carries(self, attempt: str) -> bool:
        """Whether the scheduler knows an attempt as far as this client can tell."""
        return attempt in self.futures

    def carry(self, order: Order, priority: int) -> None:
        """Give an order to the scheduler."""
        if self.cluster != self._hands.cluster:
            msg = "the scheduler is gone"
            raise ConnectionError(msg)
        self._hands.submit(order, priority)
        self.futures.add(order.attempt)

    def forget(self, attempt: str) -> None:
        """Let go of an attempt."""
        self.futures.discard(attempt)

    def drop(self, attempts: list[str]) -> None:
        """Take attempts off the scheduler."""
        self.futures.difference_update(attempts)
        self._hands.cancel(attempts)

    def close(self) -> bool:
        """Let go of the scheduler."""
        self._hands.carriers.discard(self)
        return False


class Hands:
    """The scheduler, the clock and all workers and queues of one store.

    Parameters
    ----------
    where
        The store.
    """

    def __init__(self, where: str) -> None:
        self.where, self.clock = where, Clock()
        self.cluster = "cluster-1"
        #: Orders that wait: priority and order by attempt.
        self.waiting: dict[str, tuple[int, Order]] = {}
        #: Who works at an attempt as far as the scheduler knows.
        self.working: dict[str, HandWorker] = {}
        self.workers: list[HandWorker] = []
        self.carriers: set[HandCarrier] = set()
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        sq.register_task(TASK, _compute, parameters={"question": int})
        for module in ("keeper", "ledger", "prune", "queue", "worker"):
            self._exits.enter_context(patch(f"spineq.jobs.{module}.time", self.clock))
        # The test does what the thread would do.
        self._exits.enter_context(patch.object(Keeper, "_keep", lambda keeper: None))
        # The same ids in the same history, so that sets of them have the same order.
        numbers = itertools.count(1)
        self._exits.enter_context(
            patch("spineq.jobs.queue.new_job_id", lambda: f"{next(numbers):016d}")
        )
        self._exits.enter_context(
            patch("spineq.jobs.ledger.open_store", lambda where: Wire(open_store(where)))
        )
        for name, mine in (
            ("_ledger_at", lambda where: _here.worker.ledger),
            ("_address", lambda: _here.worker.name),
            # This process lives on when one of its threads plays dead.
            ("process_name", lambda: ""),
            ("_tell", lambda order: self.hear_all({"ended": order.attempt})),
        ):
            self._exits.enter_context(patch.object(worker_module, name, mine))
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker.is_on:
                worker.die()
        self._exits.close()

    # Queues

    def open_queue(self, user: str = "ann", **options: Any) -> sq.JobQueue:
        """Open a queue on the store, joined to the scheduler."""
        queue = sq.JobQueue(store=self.where, user=user, connect=False, **options)
        # A queue that is forgotten by the test must not close: that writes to the store.
        queue._close.detach()
        carrier = HandCarrier(self, queue.keeper)
        carrier.connect()
        queue.keeper.carrier = carrier
        self.carriers.add(carrier)
        return queue

    def kill(self, queue: sq.JobQueue) -> None:
        """The process of a queue dies."""
        self.carriers = {each for each in self.carriers if each.keeper is not queue.keeper}

    def hear(self, queue: sq.JobQueue) -> None:
        """Do what the queue's thread does with its inbox."""
        keeper = queue.keeper
        keeper._handle(keeper._take(0.0))
        keeper.tell()

    def look(self, queue: sq.JobQueue) -> None:
        """Do what the queue's thread does every second."""
        self.hear(queue)
        queue.keeper._look()
        queue.keeper.tell()

    # The scheduler

    def submit(self, order: Order, priority: int) -> None:
        """Take an order; the same one twice is one."""
        if order.attempt not in self.working:
            self.waiting.setdefault(order.attempt, (priority, order))

    def cancel(self, attempts: Iterable[str]) -> None:
        """Drop orders; a worker that is at one goes on, and nobody hears of it."""
        for attempt in attempts:
            self.waiting.pop(attempt, None)
            self.working.pop(attempt, None)
            self._tell(attempt, ConnectionResetError("the task is cancelled"))

    def take(self, attempt: str | None = None) -> HandWorker:
        """Start a worker on an order, by default on the one that is due."""
        due = attempt or max(self.waiting, key=lambda each: self.waiting[each][0])
        _, order = self.waiting.pop(due)
        return HandWorker(self, f"worker-{len(self.workers) + 1}", order)

    def restart(self, *, killing: bool = True) -> None:
        """Another scheduler, which knows nothing; the workers die with the old one, or hang."""
        self.waiting.clear()
        self.working.clear()
        self.cluster = f"cluster-{int(self.cluster.rpartition('-')[2]) + 1}"
        for carrier in self.carriers:
            for attempt in carrier.futures:
                carrier.keeper.hear_done(attempt, ConnectionResetError("the task is lost"))
        for worker in self.workers:
            if killing and worker.is_on:
                worker.die()

    def pass_time(self, seconds: float, beating: Collection[HandWorker] | None = None) -> None:
        """Let the clock go on, at once; workers that compute beat at its end, or some of them."""
        self.clock.now += seconds
        for worker in self.workers if beating is None else beating:
            worker.beat()

    # From the workers

    def said(self, worker: HandWorker) -> None:
        """A worker reported: the event goes to all queues."""
        fraction, message, value, bound = worker.heart._latest
        event = {
            "lease": worker.heart._lease.to_dict(),
            "number": worker.heart._events.number,
            "fraction": fraction,
            "message": message,
            "value": value,
            "bound": bound,
        }
        self.hear_all(event)

    def hear_all(self, event: dict[str, Any]) -> None:
        """An event goes to all queues."""
        for carrier in self.carriers:
            carrier.keeper.hear(event)

    def ended(self, worker: HandWorker) -> None:
        """A worker is done with its order."""
        if self.working.get(worker.order.attempt) is worker:
            del self.working[worker.order.attempt]
            self._tell(worker.order.attempt, worker.error)

    def died(self, worker: HandWorker) -> None:
        """A worker died: its order waits for another."""
        if self.working.get(worker.order.attempt) is worker:
            del self.working[worker.order.attempt]
            self.waiting[worker.order.attempt] = 0, worker.order

    def _tell(self, attempt: str, error: BaseException | None) -> None:
        for carrier in self.carriers:
            if attempt in carrier.futures:
                carrier.keeper.hear_done(attempt, error)
