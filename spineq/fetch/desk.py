"""Answers to requests: from the cache where they are, else from the service, in parallel."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from spineq.errors import ProblemError, shown
from spineq.fetch.cache import Answer, Cache, key_of, sha256
from spineq.fetch.catalogue import LICENCE
from spineq.fetch.client import Client, Request
from spineq.fetch.failure import FetchError, TornAnswer

#: Requests under way at once, and seconds that one answer may take with all that is asked again.
WORKERS, LONGEST = 4, 3600.0

#: Raises an error for an answer that is not whole or not right; what it returns is not looked at.
Check = Callable[[bytes], object]

T = TypeVar("T")


def checked_root(root: object) -> str:
    """Check the address of a mirror; empty for none.

    Raises
    ------
    ProblemError
        It is no address of a web server, or holds more than that.
    """
    if root is None:
        return ""
    mend = 'Write it as "https://mirror.example.org"'
    text = root if isinstance(root, str) and re.fullmatch(r"[!-~]+", root) else ""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port, or of a bracket
        fits = False
    if not fits:
        msg = f"{shown(root)} is not the address of a web server"
        raise ProblemError(msg, field="root", mend=mend)
    if parts.username is not None or parts.query or parts.fragment:
        # A city's label and file of sources say where everything came from.
        msg = "the address of a mirror holds a name, a password, or something behind ? or #"
        raise ProblemError(msg, field="root", mend=mend)
    return text.rstrip("/")


class Desk:
    """Where every question goes; use it as a context manager.

    Parameters
    ----------
    cache
        Folder of the cache, None for the platform's.
    root
        Address that takes the place of each service's scheme and host; empty for none.
    offline
        Whether to ask nobody.
    refresh
        Whether to ask again what is in the cache.
    """

    def __init__(
        self,
        cache: str | Path | None = None,
        *,
        root: str | None = None,
        offline: bool = False,
        refresh: bool = False,
    ) -> None:
        if offline and refresh:
            msg = "nothing can be fetched again without asking anybody"
            raise ProblemError(msg, field="offline, refresh", mend="Leave one of them out")
        self.cache = Cache(cache)
        self.root = checked_root(root)
        self.offline, self.refresh = offline, refresh
        self._client: Client | None = None
        self._making = threading.Lock()
        self._crew = _Crew(WORKERS)
        self._told: dict[str, list[Answer]] = {}

    def __enter__(self) -> Self:
        """Begin."""
        if not self.offline:
            self.cache.tidy()
        return self

    def __exit__(self, *_: object) -> None:
        """End, without waiting for what is still under way."""
        if self._client is not None:
            self._client.stop()
        self._crew.dismiss()

    def address(self, url: str) -> str:
        """Return the address to ask for one of the catalogue's."""
        return self.root + urlsplit(url).path if self.root else url

    def answer(self, request: Request, source: str, check: Check) -> bytes:
        """Get one answer; see `answers`."""
        return next(self.answers([request], source, check))

    def ask(self, request: Request, check: Check) -> bytes:
        """Get an answer that is neither looked up nor kept, being of this moment."""
        return self.client.send(request, check)

    def answers(self, requests: Iterable[Request], source: str, check: Check) -> Iterator[bytes]:
        """Get answers, in the order of the requests, several at once.

        Each is in the cache before it is handed on, so that whoever is interrupted finds it there.

        Parameters
        ----------
        requests
            What to ask.
        source
            What the answers are of, as people are told.
        check
            Raises an error for an answer that is not whole or not right; it is not kept.

        Raises
        ------
        FetchError
            A service fails, or the answer is not in the cache and nobody may be asked.
        """
        # Few at a time: pages of polygons are large.
        under_way: deque[Future[Answer]] = deque()
        try:
            for request in requests:
                under_way.append(self._crew.submit(partial(self._one, request, source, check)))
                if len(under_way) > 2 * WORKERS:
                    yield self._note(source, _waited_for(source, under_way.popleft()))
            while under_way:
                yield self._note(source, _waited_for(source, under_way.popleft()))
        finally:
            for future in under_way:
                future.cancel()

    def _note(self, source: str, answer: Answer) -> bytes:
        # The body is not kept twice.
        told = Answer(b"", answer.url, answer.when, answer.sha256, answer.licence)
        self._told.setdefault(source, []).append(told)
        return answer.body

    def _one(self, request: Request, source: str, check: Check) -> Answer:
        key = key_of(request.asked)
        if not self.refresh:
            found = self.cache.answer(key)
            # What an earlier version took for right need not be so.
            if found is not None and _passes(found.body, check):
                return found
        if self.offline:
            msg = f"{source} is not in the cache, or not all of it, and nobody may be asked"
            mend = "Fetch the city once without offline (--offline), or read files with read_city"
            raise FetchError(msg, mend=mend)
        body = self.client.send(request, check)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        made = Answer(body, request.shown, when, sha256(body), LICENCE)
        self.cache.keep_answer(key, made)
        return made

    @property
    def client(self) -> Client:
        """Who asks; made when somebody is asked first, by one of the threads that want it."""
        with self._making:
            if self._client is None:
                self._client = Client()
            return self._client

    def sources(self) -> list[dict[str, Any]]:
        """Where everything came from, in the order asked.

        Returns
        -------
        list of dict
            ``source``, ``url`` without parameters, ``answers`` (how many), ``first`` and ``last``
            (when, ISO 8601), ``sha256`` (of the answer, or of the digests of several), ``licence``.
        """
        made = []
        for source, told in self._told.items():
            when = sorted(answer.when for answer in told)
            digests = [answer.sha256 for answer in told]
            made.append(
                {
                    "source": source,
                    "url": told[0].url.split("?")[0],
                    "answers": len(told),
                    "first": when[0],
                    "last": when[-1],
                    "sha256": digests[0] if len(told) == 1 else sha256("".join(digests).encode()),
                    "licence": told[0].licence,
                }
            )
        return made


def _passes(body: bytes, check: Check) -> bool:
    try:
        check(body)
    except (FetchError, TornAnswer):
        return False
    return True


def _waited_for(source: str, future: Future[Answer]) -> Answer:
    try:
        return future.result(LONGEST)
    except TimeoutError as error:
        if not future.done():
            msg = f"{source}: no whole answer came within {LONGEST / 60:,.0f} minutes"
            raise FetchError(msg, mend="Try again later (what has arrived is kept)") from error
        raise


class _Crew:
    """Threads that work off what is submitted, and keep no process alive.

    `ThreadPoolExecutor` waits for its threads when Python ends: whoever interrupts a fetch would
    wait for a service that is silent.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Let a thread do something; as many are begun as are needed."""
        future: Future[T] = Future()
        self._tasks.put((future, task))
        if len(self._threads) < self._n:
            name = f"spineq-fetch-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def dismiss(self) -> None:
        """Send the threads home, each when it is done with what it does."""
        for _ in self._threads:
            self._tasks.put(None)

    def _work(self) -> None:
        while (given := self._tasks.get()) is not None:
            future, task = given
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(task())
            except BaseException as error:  # whoever waits raises it
                future.set_exception(error)
