"""What runs on a worker: an attempt, from its lease to its outcome.

Longer than most files: it is one story, to be read from the top, and the worker's alone.
"""

from __future__ import annotations

import logging
import math
import pickle
import secrets
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from spineq.errors import ClusterError, NotInStoreError, SpineqError, StoreError, shortened
from spineq.jobs._host import process_name
from spineq.jobs.events import DaskProgress
from spineq.jobs.ledger import Busy, Ledger, Vigil, claim
from spineq.jobs.records import Beat, Lease, Outcome, attempt_name
from spineq.jobs.tasks import Task
from spineq.progress import Report, Watcher

if TYPE_CHECKING:
    from spineq.model.city import City

_LOG = logging.getLogger(__name__)

#: Seconds for which a worker tries again when the store fails, before it gives the job back.
PATIENCE = 60.0

#: Seconds from one look at somebody else's lease to the next.
_WAIT = 0.25

#: Cities that a worker keeps.
_MOST_CITIES = 4

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Order:
    """All that a worker needs to know of an attempt: a kilobyte.

    Parameters
    ----------
    store, store_id
        How to open the ledger, and the id that it must have there.
    cluster
        Id of the scheduler that carries the order.
    topic
        Topic for the events about its progress.
    attempt, run, version, city, parameters, time_limit, earlier, fresh
        As in `spineq.jobs.records.JobRecord`.
    task
        What is to be done; it travels with its function, which need not be registered there.
    """

    store: str
    store_id: str
    cluster: str
    topic: str
    attempt: str
    run: str
    task: Task
    version: str
    city: str
    parameters: dict[str, Any]
    time_limit: float | None
    earlier: str
    fresh: bool


def run_attempt(order: Order) -> str:
    """Take an attempt, compute, and publish its outcome.

    Safe to be called any number of times for one attempt, on any worker and at the same time:
    one lease is held at a time, and one outcome is published.

    Returns
    -------
    str
        ``"ended"``: there is an outcome. ``"elsewhere"``: a worker of another cluster is at it.

    Raises
    ------
    ClusterError
        The worker has another store under that name, or another version of the task.
    StoreError
        The store failed for longer than `PATIENCE`; nothing is half-written, and the attempt
        may be taken up again.
    """
    ledger = _ledger_at(order.store)
    _check(order, ledger)
    _release_unneeded()
    taken = _take(order, ledger)
    if not isinstance(taken, Lease):
        return taken
    try:
        outcome = _computed(order, ledger, taken)
        _publish(ledger, order, outcome)
    finally:
        # After a failure of the store, the lease of a living worker must not look like a death.
        _UNNEEDED[order.attempt] = ledger, taken.number
        _release_unneeded()
    if outcome.event == "stopped":
        # Dask has cancelled the task, and will not tell anybody that it has ended.
        _tell(order)
    return "ended"


def _check(order: Order, ledger: Ledger) -> None:
    if ledger.id != order.store_id:
        msg = f"the workers have another store at {order.store} than this computer"
        raise ClusterError(msg, mend="Name a folder that all of them share, or a bucket")
    here = order.task.version_of(order.parameters)
    if here != order.version:
        msg = f"the workers have version {here} of {order.task.name}, not {order.version}"
        raise ClusterError(msg, mend="Install the same spineq everywhere")


#: Leases of this process that are not needed any more, but may still be in the store.
_UNNEEDED: dict[str, tuple[Ledger, int]] = {}


def _release_unneeded() -> None:
    for attempt, (ledger, number) in list(_UNNEEDED.items()):
        try:
            ledger.release(attempt, number)
        except StoreError as error:
            _LOG.warning("the lease of %s is released later: %s", attempt, error)
        else:
            _UNNEEDED.pop(attempt, None)


def run_packed(order: bytes) -> str:
    """`run_attempt` with a pickled order.

    Dask reads a task's arguments as soon as they arrive, and a worker that lacks the module of
    the order's function would die of that. Read here, it is the task that fails.
    """
    return run_attempt(pickle.loads(order))


def _take(order: Order, ledger: Ledger) -> Lease | str:
    """Get a lease, or what `run_attempt` returns without one."""
    vigil = Vigil()
    met: tuple[Lease, dict[str, Beat]] | None = None
    mine = Lease(
        attempt=order.attempt,
        number=0,
        worker=_address(),
        cluster=order.cluster,
        process=process_name(),
        period=ledger.beat_period,
        token=secrets.token_hex(8),
    )
    while True:
        if _patiently(lambda: ledger.has_ended(order.attempt)):
            return "ended"
        if _patiently(lambda: ledger.is_stopped(order.attempt)):
            _publish(ledger, order, Outcome(event="stopped", ended=time.time()))
            return "ended"
        claimed = _patiently(lambda: claim(ledger, replace(mine, at=time.time()), vigil))
        if isinstance(claimed, Lease):
            # Its last owner may have published since we looked.
            if _patiently(lambda: ledger.has_ended(order.attempt)):
                ledger.release(order.attempt, claimed.number)
                return "ended"
            return claimed
        if isinstance(claimed, Outcome):
            _publish(ledger, order, claimed)
            ledger.release(order.attempt, claimed.lease)
            return "ended"
        if isinstance(claimed, Busy):
            if claimed.lease.cluster != order.cluster:
                now = claimed.lease, _patiently(partial(ledger.beats, [claimed.lease]))
                met = met or now
                if now != met:
                    # It beats. Until that is seen it may be dead, and nobody else would find out.
                    return "elsewhere"
            # Dask runs the job of a dead worker again before its lease is stale.
            time.sleep(_WAIT)


def _publish(ledger: Ledger, order: Order, outcome: Outcome) -> None:
    _patiently(lambda: ledger.publish(order.attempt, outcome))


def _computed(order: Order, ledger: Ledger, lease: Lease) -> Outcome:
    """Compute the answer, write it, and say what the outcome is."""
    task, answer = order.task, f"answers/{order.run}"
    if not order.fresh and _patiently(lambda: ledger.has_answer(order.run)):
        # An earlier worker died between the answer and the outcome.
        value, bound = figures_of(task, ledger, order.run)
        return replace(
            _ended(lease, "finished"), answer=answer, fraction=1.0, value=value, bound=bound
        )
    with _Heart(order, ledger, lease) as heart:
        try:
            city = _patiently(lambda: city_at(ledger, order.city)) if order.city else None
        except (NotInStoreError, ValueError) as error:
            return heart.failed(error)
        words = dict(order.parameters)
        if order.earlier and (earlier := _earlier(task, ledger, order.earlier)) is not None:
            words["earlier"] = earlier
        try:
            result = _call(task, city, heart, words)
            value, bound = task.figures(result) if task.figures else heart.figures
            data = task.dump(result)
        except BaseException as error:  # Dask would end the worker for some of them
            return heart.failed(error)
        partial = heart.reason if _is_partial(task, result, heart) else ""
        if partial:
            answer = f"partial/{order.attempt}"
        # Where the store fails, that is not the job's failure: let it be known as such.
        _patiently(lambda: ledger.put_answer(answer, data, anew=order.fresh))
    return replace(
        heart.ended("stopped" if partial == "cancelled" else "finished"),
        fraction=heart.fraction if partial else 1.0,
        answer=answer,
        cut_short=partial,
        value=_finite(value),
        bound=_finite(bound),
    )


def _call(task: Task, city: City | None, heart: _Heart, words: dict[str, Any]) -> Any:
    from spineq.errors import ProblemError

    try:
        return task.function(city, heart, **words)
    except ProblemError:
        if "earlier" not in words:
            raise
        # The earlier answer does not fit after all: never mind.
        words.pop("earlier")
        return task.function(city, heart, **words)


def _is_partial(task: Task, result: Any, heart: _Heart) -> bool:
    if not heart.reason:
        return False
    return task.is_partial(result) if task.is_partial else heart.was_told


def _ended(lease: Lease, event: str) -> Outcome:
    return Outcome(
        event=event, ended=time.time(), began=lease.at, lease=lease.number, worker=lease.worker
    )


def described(error: BaseException) -> dict[str, str]:
    """Describe an exception for the ledger."""
    try:
        message = str(error)
    except Exception:  # whatever the exception's own class does
        message = ""
    lines = traceback.format_exception(error)
    return {
        "type": type(error).__name__,
        "message": (message or type(error).__name__)[:4000],
        "traceback": shortened("".join(lines), 20_000),
    }


class _Heart(Watcher):
    """Beats while an attempt is computed, passes progress on, and says when to stop.

    A thread of its own writes the heartbeats and looks for a stop, so that a task that reports
    rarely is alive all the same.
    """

    def __init__(self, order: Order, ledger: Ledger, lease: Lease) -> None:
        self._order, self._ledger, self._lease = order, ledger, lease
        # The lease goes along, so that followers need not read it.
        self._events = DaskProgress(order.topic, {"lease": lease.to_dict()})
        self._latest: tuple[float, str, float | None, float | None] = (0.0, "", None, None)
        self._end = None if order.time_limit is None else time.monotonic() + order.time_limit
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="spineq-heart", daemon=True)
        self._reason_lock = threading.Lock()
        #: Why the task is to stop: "cancelled", "time limit", or "" while it is not.
        self.reason = ""
        #: Whether the task was told to stop.
        self.was_told = False

    def __enter__(self) -> _Heart:
        self.report(0.0, "started")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def hear(self, report: Report) -> bool:
        """Pass progress on; see `spineq.progress.Progress.report`."""
        before = self._latest
        self._latest = (
            float(report.fraction),
            str(report.message) or before[1],
            before[2] if report.value is None else _finite(report.value),
            before[3] if report.bound is None else _finite(report.bound),
        )
        if self._events.report(*self._latest) and not self.reason:
            # Dask wants the task no more. The ledger decides: a lost connection is no cancel.
            self._look()
        if self._end is not None and time.monotonic() >= self._end:
            self._stop("time limit")
        self.was_told = self.was_told or bool(self.reason)
        return self.was_told

    def ended(self, event: str) -> Outcome:
        """Outcome with the last progress."""
        fraction, message, value, bound = self._latest
        return replace(
            _ended(self._lease, event),
            fraction=fraction,
            message=message,
            value=value,
            bound=bound,
        )

    def failed(self, error: BaseException) -> Outcome:
        """Outcome of an attempt that raised an error."""
        return replace(self.ended("failed"), error=described(error))

    @property
    def fraction(self) -> float:
        """The last share of the work that was done."""
        return self._latest[0]

    @property
    def figures(self) -> tuple[float | None, float | None]:
        """The last value and bound."""
        return self._latest[2:]

    def _stop(self, reason: str) -> None:
        # The first reason counts, whichever thread has it.
        with self._reason_lock:
            self.reason = self.reason or reason

    def _look(self) -> None:
        try:
            if self._ledger.is_stopped(self._order.attempt):
                self._stop("cancelled")
        except StoreError as error:
            _LOG.warning("no look for a stop of %s: %s", self._order.attempt, error)

    def _beat(self) -> None:
        count, due = 0, time.monotonic() + self._lease.period
        while not self._over.wait(self._ledger.look_period):
            if not self.reason:
                self._look()
            if time.monotonic() < due:
                continue
            due, count = time.monotonic() + self._lease.period, count + 1
            fraction, message, value, bound = self._latest
            beat = Beat(
                count=count,
                number=self._events.number,
                fraction=fraction,
                message=message,
                value=value,
                bound=bound,
            )
            try:
                self._ledger.beat(self._lease, beat)
            except StoreError as error:
                _LOG.warning("no heartbeat of %s: %s", self._order.attempt, error)


# By store too: the same city may have another name in another one.
_cities: OrderedDict[tuple[str, str], City] = OrderedDict()
_cities_lock = threading.Lock()


def city_at(ledger: Ledger, digest: str) -> City:
    """Read a city from the store; those used last are kept in this process.

    Raises
    ------
    NotInStoreError
        The store does not have it.
    UnreadableFileError
        It is damaged.
    """
    from spineq.data.packed import unpack_city

    key = ledger.id, digest
    with _cities_lock:
        if key in _cities:
            _cities.move_to_end(key)
            return _cities[key]
    city = unpack_city(ledger.city(digest), digest)
    with _cities_lock:
        _cities[key] = city
        while len(_cities) > _MOST_CITIES:
            _cities.popitem(last=False)
    return city


def _earlier(task: Task, ledger: Ledger, run: str) -> Any:
    """Read an answer to start from; None where it is gone or damaged."""
    try:
        return task.load(ledger.answer(f"answers/{run}"))
    except (SpineqError, ValueError):
        return None


def _finite(number: float | None) -> float | None:
    # A bound is infinite before there is one; JSON has no word for that.
    return None if number is None or not math.isfinite(number) else float(number)


def figures_of(task: Task, ledger: Ledger, run: str) -> tuple[float | None, float | None]:
    """Value and bound of the answer of a run, as far as they can be told."""
    answer = f"answers/{run}"
    first = ledger.outcome(attempt_name(run, 1, None))
    if first is not None and first.answer == answer:
        return first.value, first.bound
    if task.figures is None:
        return None, None
    try:
        return task.figures(task.load(ledger.answer(answer)))
    except (SpineqError, ValueError):
        return None, None


@lru_cache(maxsize=8)
def _ledger_at(where: str) -> Ledger:
    return Ledger.open(where)


def _tell(order: Order) -> None:
    from distributed import get_worker

    with suppress(ValueError):
        get_worker().log_event(order.topic, {"ended": order.attempt})


def _address() -> str:
    from distributed import get_worker

    try:
        return str(get_worker().address)
    except ValueError:
        return ""


def _patiently(do: Callable[[], _Value]) -> _Value:
    """Do something with the store; where it fails, try again for `PATIENCE` seconds."""
    end, pause = time.monotonic() + PATIENCE, 0.1
    while True:
        try:
            return do()
        except NotInStoreError:
            raise
        except StoreError:
            if time.monotonic() + pause > end:
                raise
            time.sleep(pause)
            pause = min(2 * pause, 5.0)
