"""Who does the pieces: this process, on its cores, or a cluster's workers."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from spineq.errors import ClusterError, ProblemError, shown
from spineq.fronts.aside import aside
from spineq.fronts.landscape import Landscape, landscape_of
from spineq.progress import Progress, Report, SilentProgress, Watcher
from spineq.solvers.threads import threads

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.problem import Problem

_Piece = TypeVar("_Piece")
_Done = TypeVar("_Done")

#: How often the watcher is asked while others work, seconds.
_LOOK_UP = 0.04


class Crew(Protocol):
    """Does pieces of work, each by a function of the landscape, the piece and a watcher."""

    def do(
        self,
        function: Callable[[Landscape, _Piece, Progress], _Done],
        pieces: Sequence[_Piece],
        progress: Progress,
        words: str,
    ) -> tuple[list[_Done], bool]:
        """Do pieces.

        Returns
        -------
        tuple
            What they gave, in their order; and whether the watcher asked to stop, in which case
            only what was done by then is there.
        """
        ...


class Here:
    """Does the pieces in this process, on its cores; the kernels run without the GIL."""

    def __init__(self, land: Landscape) -> None:
        self._land = land

    def do(
        self,
        function: Callable[[Landscape, _Piece, Progress], _Done],
        pieces: Sequence[_Piece],
        progress: Progress,
        words: str,
    ) -> tuple[list[_Done], bool]:
        """Do pieces; see `Crew.do`."""
        if not pieces:
            return [], False
        stop, shares = threading.Event(), [0.0] * len(pieces)
        # A pool of its own: pieces may use that of the solvers.
        pool = ThreadPoolExecutor(min(threads(), len(pieces)), thread_name_prefix="spineq-front")
        try:
            futures = [
                pool.submit(function, self._land, piece, _Asked(stop, shares, k))
                for k, piece in enumerate(pieces)
            ]
            open_ones, stopped = set(futures), False
            while open_ones and not stopped:
                ended, open_ones = wait(open_ones, _LOOK_UP, FIRST_COMPLETED)
                for future in ended:
                    future.result()  # raises what went wrong there
                share = sum(shares) + sum(
                    1.0 - each
                    for each, future in zip(shares, futures, strict=True)
                    if future.done()
                )
                stopped = progress.report(min(share / len(pieces), 1.0), words)
        finally:
            # Those that have not begun never do; the others end at their next look.
            stop.set()
            pool.shutdown(cancel_futures=True)
        return [each.result() for each in futures if not each.cancelled()], stopped


class _Asked(Watcher):
    """Notes how far a piece is, and asks whether to stop."""

    def __init__(self, stop: threading.Event, shares: list[float], number: int) -> None:
        self._stop, self._shares, self._number = stop, shares, number

    def hear(self, report: Report) -> bool:
        """Take note; what is done never becomes less."""
        self._shares[self._number] = max(self._shares[self._number], min(report.fraction, 1.0))
        return self._stop.is_set()


class OnCluster:
    """Has a cluster's workers do the pieces.

    The city travels once, by its digest; a piece is some kilobytes. What is asked and in what
    order it is put together does not depend on who does it, so that the front is the same.

    Parameters
    ----------
    client
        A Dask client that is not asynchronous.
    city, problem
        From which each worker makes its landscape, once.

    Raises
    ------
    ProblemError
        That is no such client.
    """

    def __init__(self, client: Any, city: City, problem: Problem) -> None:
        if not all(callable(getattr(client, name, None)) for name in ("submit", "scatter")):
            msg = f"{shown(client)} is no Dask client"
            raise ProblemError(msg, field="client", mend="Give Client(...), or leave it out")
        if getattr(client, "asynchronous", False):
            msg = "the client is asynchronous"
            raise ProblemError(msg, field="client", mend="Give a client that waits for answers")
        self._client = client
        self._problem = problem
        # By the city's token; to all of them, since all will ask for it.
        self._city = client.scatter(city, broadcast=True)

    def do(
        self,
        function: Callable[[Landscape, _Piece, Progress], _Done],
        pieces: Sequence[_Piece],
        progress: Progress,
        words: str,
    ) -> tuple[list[_Done], bool]:
        """Do pieces; see `Crew.do`."""
        batch = uuid.uuid4().hex
        futures: list[Any] = []
        woken = threading.Event()
        stopped = False
        try:
            for k, piece in enumerate(pieces):
                future = self._client.submit(
                    _work,
                    self._city,
                    self._problem,
                    function,
                    piece,
                    key=f"spineq-front-{batch}-{k}",
                    pure=False,
                    # In their order.
                    priority=-k,
                )
                future.add_done_callback(lambda _: woken.set())
                futures.append(future)
                if k % 8 == 7 and progress.report(0.0, words):
                    return [], True
            while not stopped and not all(future.done() for future in futures):
                ended = sum(future.done() for future in futures)
                stopped = progress.report(ended / max(len(futures), 1), words)
                woken.wait(_LOOK_UP)
                woken.clear()
            ended_well = [future for future in futures if future.status == "finished"]
            if not stopped and len(ended_well) < len(futures):
                self._raise(futures)
            watcher = SilentProgress() if stopped else progress
            made = aside(lambda: self._client.gather(ended_well), watcher, 1.0, words)
            return ([], True) if made is None else (list(made), stopped)
        finally:
            self._client.cancel(futures)

    @staticmethod
    def _raise(futures: Sequence[Any]) -> None:
        """Raise why a piece failed."""
        for future in futures:
            if future.status == "error":
                raise future.exception()
        msg = "the cluster gave up parts of the front"
        raise ClusterError(msg, mend="Look at the cluster's workers, then ask again")


def _work(city: City, problem: Problem, function: Callable[..., Any], piece: Any) -> Any:
    """Do one piece on a worker."""
    land = landscape_of(city, problem, SilentProgress())
    assert land is not None  # nobody asked to stop
    return function(land, piece, SilentProgress())
