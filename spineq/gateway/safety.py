"""Who may ask what: a layer around the whole application, HTTP and Socket.IO alike."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from spineq.gateway.answers import UNEXPECTED, refusal
from spineq.gateway.settings import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from spineq.gateway.settings import Settings

#: Where Socket.IO lives; its token comes with its first packet.
SOCKET_PATH = "/socket.io"

#: Paths that change something although they are asked for by GET.
_CHANGING = ("/optimise", "/queue/delete", SOCKET_PATH)

#: Longest time for each piece of a request, and for taking packets of Socket.IO, seconds.
_PATIENCE, _PACKETS = 10.0, 30.0

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class _RefusedError(HTTPException):
    """More came than is taken, or too slowly. FastAPI passes on what is an answer already."""


class Guard:
    """Refuses what must not come in: foreign hosts and pages, strangers, and what is too large.

    Parameters
    ----------
    app
        What is guarded.
    settings
        Whom to trust.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it in words."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        refused = (
            self._wrong_host(asked)
            or self._foreign(asked)
            or self._stranger(asked)
            or self._announced(asked)
        )
        if refused is not None:
            await _refuse(scope, receive, send, *refused)
            return
        if scope["type"] == "websocket":
            # The server ends, and somebody does not read that it does.
            with suppress(asyncio.CancelledError):
                await self._app(scope, receive, send)
            return
        token = self._settings.token
        if token and scope["method"] == "GET" and knows(token, _asked_token(asked)):
            send = self._with_cookie(send)
        await self._limited(scope, receive, send)

    def _wrong_host(self, asked: HTTPConnection) -> tuple[int, str] | None:
        """A name of somebody's that was made to point at this machine (DNS rebinding)."""
        if not self._settings.is_local:
            return None
        host = _host_of(asked.headers.get("host", ""))
        if is_loopback(host):
            return None
        return 400, (
            f"This gateway answers on this machine alone, not as {host[:60]!r}. "
            f"Use {self._settings.url}."
        )

    def _foreign(self, asked: HTTPConnection) -> tuple[int, str] | None:
        """A page of another origin that submits or deletes, with the reader's browser."""
        # What a browser adds by itself, our cookie, is no sign that its user means it.
        by_cookie = bool(self._settings.token) and _cookie(self._settings) in asked.cookies
        if (self._settings.compat and not by_cookie) or not _changes(asked.scope):
            return None
        headers = asked.headers
        origin, came_from = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and origin.lower() in self._settings.origins:
            return None
        own = headers.get("host", "").lower()
        if origin is not None:
            foreign = _netloc(origin) != own
        elif came_from is not None:
            foreign = came_from not in ("same-origin", "none")
        else:
            # Programs send neither; an old browser says at least where the link stood.
            referer = headers.get("referer", "")
            foreign = bool(referer) and _netloc(referer) != own
        if not foreign:
            return None
        return 403, (
            "A web page of another origin may not change the queue. Start the gateway with "
            "--cors and the page's origin, or with --compat."
        )

    def _stranger(self, asked: HTTPConnection) -> tuple[int, str] | None:
        scope = asked.scope
        if not self._settings.token or scope["path"].startswith(SOCKET_PATH):
            return None  # Socket.IO may bring it in its first packet, and is asked there
        if scope.get("method") == "OPTIONS":
            return None  # browsers ask without it whether they may ask
        if knows(self._settings.token, given_token(asked, self._settings)):
            return None
        return 401, (
            "The token is missing or wrong. It was printed when the gateway started: send the "
            "header 'Authorization: Bearer TOKEN', or add ?token=TOKEN to the address."
        )

    def _announced(self, asked: HTTPConnection) -> tuple[int, str] | None:
        length = asked.headers.get("content-length", "")
        # What is no number is refused by the server.
        return self._too_large() if length.isdigit() and int(length[:15]) > self._most else None

    def _with_cookie(self, send: Send) -> Send:
        """Have the links of a page work that was opened with ``?token=``."""
        token = quote(self._settings.token)
        words = f"{_cookie(self._settings)}={token}; HttpOnly; SameSite=Strict; Path=/"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"set-cookie", words.encode())]
            await send(message)

        return sending

    @property
    def _most(self) -> int:
        return self._settings.limits.body

    def _too_large(self) -> tuple[int, str]:
        return 413, f"The request is larger than {self._most:,} bytes, which is all that is taken."

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what really comes, Socket.IO's too, for nothing need be announced."""
        came, answered = 0, False

        async def counting() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise _RefusedError(*self._too_large())
            return message

        async def noting(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        # Who waits for an answer has none to receive but that it went away.
        waits = True

        async def receiving() -> Message:
            nonlocal waits
            if not waits:
                return await counting()
            try:
                async with asyncio.timeout(_PATIENCE):
                    message = await counting()
            except TimeoutError:
                words = f"The request came too slowly: it took more than {_PATIENCE:g} s."
                raise _RefusedError(408, words) from None
            waits = bool(message.get("more_body"))
            return message

        # Socket.IO's library waits for a client that sent a packet of no kind to fetch its answer.
        says = scope["path"].startswith(SOCKET_PATH) and scope["method"] == "POST"
        try:
            async with asyncio.timeout(_PACKETS if says else None):
                await self._app(scope, receiving, noting)
        except _RefusedError as error:
            if not answered:
                await _refuse(scope, receive, send, error.status_code, error.detail)
        except TimeoutError:
            if not answered:
                words = "This packet cannot be read, or came too slowly."
                await _refuse(scope, receive, send, 400, words)
        except asyncio.CancelledError:
            # The server ends, and has waited for its clients for long enough.
            if not answered:
                await _refuse(scope, receive, send, 503, "The gateway ends. Ask again later.")
        except Exception:
            if not answered:
                await _refuse(scope, receive, send, 500, UNEXPECTED)
            raise


def given_token(asked: HTTPConnection, settings: Settings) -> str:
    """Token that came with a request: in its header, its address or a cookie; empty for none."""
    kind, _, token = asked.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return _asked_token(asked) or unquote(asked.cookies.get(_cookie(settings), ""))


def _cookie(settings: Settings) -> str:
    # Browsers share cookies among the ports of a machine.
    return f"spineq-{settings.port}"


def _asked_token(asked: HTTPConnection) -> str:
    token: str = asked.query_params.get("token", "")
    return token


def client_of(scope: Scope) -> str:
    """Name of a client in the list of jobs: its address."""
    address = scope.get("client")
    try:
        return f"web {ipaddress.ip_address(address[0])}" if address else "web"
    except ValueError:
        return "web"  # what a server before this one passed on is no address


def knows(token: str, given: object) -> bool:
    """Compare tokens in a time that tells nothing of how much of one was right."""
    # A text may hold what UTF-8 cannot.
    mine = given.encode(errors="replace") if isinstance(given, str) else b""
    return secrets.compare_digest(mine, token.encode())


def _changes(scope: Scope) -> bool:
    path: str = scope["path"]
    if scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS:
        return True
    return scope["method"] != "OPTIONS" and path.startswith(_CHANGING)


def _host_of(header: str) -> str:
    """Name in a Host header, without its port."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _netloc(address: str) -> str:
    """Host and port of an address; of what is none a dash, which is no host either."""
    try:
        return urlsplit(address).netloc.lower() or "-"
    except ValueError:
        return "-"


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        # A server turns that into a plain 403.
        await send({"type": "websocket.close", "code": 1008, "reason": words[:120]})
        return
    kind, body = refusal(scope["path"], status, words)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    await JSONResponse(body, status, headers, kind)(scope, receive, send)
