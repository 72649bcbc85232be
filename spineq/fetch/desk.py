"""Answers to requests: from the cache where they are, else from the service, in parallel."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from spineq.errors import ProblemError, shown
from spineq.fetch.cache import Answer, Cache, key_of, sha256
from spineq.fetch.catalogue import LICENCE
from spineq.fetch.client import Client, Request
from spineq.fetch.failure import FetchError

#: Requests under way at once.
WORKERS = 4

Check = Callable[[bytes], None]


def checked_root(root: object) -> str:
    """Check the address of a mirror; empty for none.

    Raises
    ------
    ProblemError
        It is no address of a web server.
    """
    if root is None:
        return ""
    parts = urlsplit(root) if isinstance(root, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        msg = f"{shown(root)} is not the address of a web server"
        raise ProblemError(msg, field="root", mend='Write it as "https://mirror.example.org"')
    return str(root).rstrip("/")


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
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="spineq-fetch")
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
        self._pool.shutdown(wait=False, cancel_futures=True)

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
                under_way.append(self._pool.submit(self._one, request, check))
                if len(under_way) > 2 * WORKERS:
                    yield self._note(source, under_way.popleft().result())
            while under_way:
                yield self._note(source, under_way.popleft().result())
        finally:
            for future in under_way:
                future.cancel()

    def _note(self, source: str, answer: Answer) -> bytes:
        # The body is not kept twice.
        told = Answer(b"", answer.url, answer.when, answer.sha256, answer.licence)
        self._told.setdefault(source, []).append(told)
        return answer.body

    def _one(self, request: Request, check: Check) -> Answer:
        key = key_of(request.asked)
        if not self.refresh:
            found = self.cache.answer(key)
            if found is not None:
                return found
        if self.offline:
            msg = "this is not in the cache, and nobody may be asked"
            mend = "Fetch the city once without offline (--offline)"
            raise FetchError(msg, file=request.shown, mend=mend)
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
