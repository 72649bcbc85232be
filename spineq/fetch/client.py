"""Asking services over HTTP: politely, with patience, and in words where it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

from spineq.errors import MissingExtraError, shortened
from spineq.fetch.failure import FetchError, MovedError, TornAnswer

if TYPE_CHECKING:
    import requests
    from requests import Response

#: Seconds between the beginnings of two requests. A host on this machine is asked at once.
PAUSE = 0.1

#: Seconds to wait for a connection, and for the next bytes of an answer.
TIMEOUT = (10.0, 60.0)

#: How often a request is made again, and an answer asked for again that came in part.
RETRIES, TORN_RETRIES = 4, 3

#: How often a question may be led elsewhere.
REDIRECTS = 5

#: Seconds: growth of the waits between requests, and the longest one that a service may ask for.
BACKOFF, LONGEST_WAIT = 0.5, 120.0

#: Most bytes that are read at once, and most of a whole answer.
CHUNK, LARGEST = 1 << 16, 1 << 29

#: Bytes a second that an answer must have brought on average when the time-out for the next bytes
#: has passed: else a byte a minute would keep it alive for ever.
SLOWEST = 1000.0

#: Status codes that may be others a little later.
PASSING = (429, 500, 502, 503, 504)

# What is in the cache was looked for before: offline=True would find no more.
_LATER = "Try again later: what has arrived is kept"
_CHECK = "Check the connection; without one, read_city takes files that you have"


@dataclass(frozen=True)
class Request:
    """A question to a service.

    Parameters
    ----------
    url
        Address without parameters.
    params
        Parameters, in order.
    post
        Whether they go in the body, being too long for an address.
    """

    url: str
    params: tuple[tuple[str, str], ...] = ()
    post: bool = False

    @property
    def asked(self) -> list[Any]:
        """What is asked, as JSON."""
        return [self.url, sorted(self.params)]

    @property
    def shown(self) -> str:
        """The address, with the parameters where they are short."""
        return shortened(f"{self.url}?{urlencode(self.params)}" if self.params else self.url, 400)


def is_here(url: str) -> bool:
    """Whether an address is on this machine."""
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


class Client:
    """Asks services; may be used from several threads.

    A request that fails in passing (429 and 5xx, a dropped connection) is made again after a
    growing wait, or after the one that the service asks for.
    """

    def __init__(self) -> None:
        try:
            import requests  # noqa: F401
        except ModuleNotFoundError as error:
            msg = "fetching needs the package requests"
            raise MissingExtraError(msg, mend='Install it: pip install "spineq[fetch]"') from error
        self._mine = threading.local()
        self._turn = threading.Lock()
        self._next = 0.0
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let requests that wait give up, so that nobody waits for them."""
        self._stopped.set()

    def send(self, request: Request, check: Callable[[bytes], object]) -> bytes:
        """Ask until an answer is whole.

        Parameters
        ----------
        request
            What to ask.
        check
            Raises `TornAnswer` for an answer that came in part, and any other error for one that
            would be the same another time.

        Raises
        ------
        FetchError
            The service cannot be reached, refuses, or sends part of its answer each time.
        """
        for attempt in range(TORN_RETRIES + 1):
            try:
                body = self._once(request)
                check(body)
                return body
            except TornAnswer as error:
                if attempt == TORN_RETRIES or self._stopped.wait(BACKOFF * 2**attempt):
                    msg = f"the answer came in part, {attempt + 1} times in a row ({error})"
                    raise FetchError(msg, file=request.url, mend=_LATER) from error
        raise AssertionError

    def _once(self, request: Request) -> bytes:
        import requests
        import urllib3

        host = urlsplit(request.url).netloc
        self._wait_for_turn(request.url)
        try:
            with self._session(request.url).request(
                "POST" if request.post else "GET",
                request.url,
                params=None if request.post else request.params,
                data=request.params if request.post else None,
                timeout=TIMEOUT,
                stream=True,
                # A query that is led elsewhere would arrive there without its body.
                allow_redirects=not request.post,
            ) as response:
                self._refuse(request, response)
                return self._body(request, response)
        except (urllib3.exceptions.ReadTimeoutError, requests.exceptions.Timeout) as error:
            msg = f"{host} did not answer in time"
            raise FetchError(msg, file=request.url, mend=_LATER) from error
        except requests.exceptions.ConnectionError as error:
            reason = _reason(error)
            if "timed out" in reason:
                msg = f"{host} did not answer in time"
                raise FetchError(msg, file=request.url, mend=_LATER) from error
            msg = f"{host} cannot be reached ({reason})"
            raise FetchError(msg, file=request.url, mend=_CHECK) from error
        except (urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError):
            msg = "the connection was dropped in the middle"
            raise TornAnswer(msg) from None
        except (
            requests.exceptions.RequestException,
            # Of an address that none can be, also one that is led to: handed on as they are.
            urllib3.exceptions.HTTPError,
            ValueError,
        ) as error:
            msg = f"the request cannot be made ({_reason(error)})"
            raise FetchError(msg, file=request.url, mend=_CHECK) from error

    def _body(self, request: Request, response: Response) -> bytes:
        """Read a body, until somebody interrupts: one may be large and slow."""
        host = urlsplit(request.url).netloc
        made, began = bytearray(), time.monotonic()
        # What is there already, and not as many bytes as fit: else a slow service is not seen.
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            if self._stopped.is_set():
                msg = "it was interrupted"
                raise TornAnswer(msg)
            made += chunk
            if len(made) > LARGEST:
                msg = f"{host} sends more than the {LARGEST:,} bytes that any answer has"
                raise FetchError(msg, file=request.url, mend="Look for a later version of spineq")
            taken = time.monotonic() - began
            if taken > TIMEOUT[1] and len(made) < SLOWEST * taken:
                msg = f"{host} sends too slowly: {len(made):,} bytes in {taken:,.0f} seconds"
                raise FetchError(msg, file=request.url, mend=_LATER)
        return bytes(made)

    @staticmethod
    def _refuse(request: Request, response: Response) -> None:
        status = response.status_code
        if status == 200:
            return
        if status == 429:
            msg = "the service is asked too often (status 429)"
            raise FetchError(msg, file=request.url, mend=_LATER)
        if status in PASSING:
            msg = f"the service is out of order (status {status})"
            raise FetchError(msg, file=request.url, mend=_LATER)
        if response.is_redirect:
            msg = f"the service has moved to {shortened(response.headers['Location'], 200)}"
            raise MovedError(msg, file=request.url, mend="Look for a later version of spineq")
        if status in (404, 410):
            msg = f"there is nothing at this address any more (status {status})"
            mend = "It may have moved: look for a later version of spineq"
            raise MovedError(msg, file=request.url, mend=mend)
        msg = f"the service refuses the request (status {status})"
        raise FetchError(msg, file=request.url, mend="Look for a later version of spineq")

    def _wait_for_turn(self, url: str) -> None:
        if is_here(url):
            return
        with self._turn:
            now = time.monotonic()
            begin = max(now, self._next)
            self._next = begin + PAUSE
        self._stopped.wait(begin - now)

    def _session(self, url: str) -> requests.Session:
        """Return this thread's session."""
        session: requests.Session | None = getattr(self._mine, "session", None)
        if session is None:
            import requests
            from requests.adapters import HTTPAdapter

            from spineq import __version__

            session = requests.Session()
            adapter = HTTPAdapter(max_retries=_patience(self._stopped))
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            session.max_redirects = REDIRECTS
            session.headers["User-Agent"] = f"spineq/{__version__}"
            # No proxy leads to this machine.
            session.trust_env = not is_here(url)
            self._mine.session = session
        return session


def _patience(stopped: threading.Event) -> Any:
    """Make the rule by which a request is made again; its waits end when the client is stopped."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util.retry import Retry

    class Patience(Retry):
        def increment(self, *args: Any, **words: Any) -> Self:
            # Where nobody waits any more, this request was the last.
            last = self.new(total=0) if stopped.is_set() else self
            return super(Patience, last).increment(*args, **words)

        def get_retry_after(self, response: Any) -> float | None:
            try:
                asked = super().get_retry_after(response)
            except (InvalidHeader, ValueError, OverflowError):  # a wait that is none
                return None
            return None if asked is None else min(asked, LONGEST_WAIT)

        def sleep(self, response: Any = None) -> None:
            asked = None if response is None else self.get_retry_after(response)
            stopped.wait(self.get_backoff_time() if asked is None else asked)

    return Patience(
        total=RETRIES,
        allowed_methods=("GET", "POST"),  # a query changes nothing
        status_forcelist=PASSING,
        backoff_factor=BACKOFF,
        raise_on_status=False,
    )


def _reason(error: Exception) -> str:
    """Say the innermost reason of a library's chain of errors, without addresses in memory."""
    inner: BaseException = error
    while isinstance(getattr(inner, "reason", None), BaseException):
        inner = inner.reason  # type: ignore[attr-defined]
    while inner.args and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
        while isinstance(getattr(inner, "reason", None), BaseException):
            inner = inner.reason  # type: ignore[attr-defined]
    text = str(inner).rsplit(">: ", 1)[-1].rsplit("): ", 1)[-1]
    return shortened(" ".join(text.split()).rstrip(".") or type(inner).__name__, 120)
