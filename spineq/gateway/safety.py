"""Who may ask what: a layer around the whole application, HTTP and Socket.IO alike."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from starlette.exceptions import HTTPException

from spineq.gateway.answers import refusal
from spineq.gateway.settings import is_loopback

if TYPE_CHECKING:
    from spineq.gateway.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Where Socket.IO lives; its token comes with its first packet.
SOCKET_PATH = "/socket.io"

#: Paths that change something although they are asked for by GET.
_CHANGING = ("/optimise", "/queue/delete", SOCKET_PATH)

#: Longest time for taking a packet of Socket.IO, seconds.
_PATIENCE = 10.0

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class _TooLargeError(HTTPException):
    """More came than is taken. FastAPI passes on what is an answer already."""


class Guard:
    """Refuses what must not come in: foreign hosts and pages, strangers, and what is too large.

    Parameters
    ----------
    app
        What is guarded.
    settings
        Whom to trust.
    """

    def __init__(self, app: App, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it in words."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        refusal = (
            self._wrong_host(headers)
            or self._foreign(scope, headers)
            or self._stranger(scope, headers)
            or self._announced(headers)
        )
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        token = self._settings.token
        if token and scope["method"] == "GET" and knows(token, _asked_token(scope)):
            send = self._with_cookie(send)
        await self._limited(scope, receive, send)

    def _wrong_host(self, headers: dict[str, str]) -> tuple[int, str] | None:
        """A name of somebody's that was made to point at this machine (DNS rebinding)."""
        if not self._settings.is_local:
            return None
        host = _host_of(headers.get("host", ""))
        if is_loopback(host):
            return None
        return 400, (
            f"This gateway answers on this machine alone, not as {host[:60]!r}. "
            f"Use {self._settings.url}."
        )

    def _foreign(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """A page of another origin that submits or deletes, with the reader's browser."""
        # What a browser adds by itself, a cookie, is no sign that its user means it.
        is_open = self._settings.compat and "cookie" not in headers
        if is_open or not _changes(scope):
            return None
        origin, came_from = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and origin.lower() in self._settings.origins:
            return None
        own = headers.get("host", "").lower()
        if origin is not None:
            foreign = urlsplit(origin).netloc.lower() != own
        elif came_from is not None:
            foreign = came_from not in ("same-origin", "none")
        else:
            # Programs send neither; an old browser says at least where the link stood.
            referer = headers.get("referer", "")
            foreign = bool(referer) and urlsplit(referer).netloc.lower() != own
        if not foreign:
            return None
        return 403, (
            "A web page of another origin may not change the queue. Start the gateway with "
            "--cors and the page's origin, or with --compat."
        )

    def _stranger(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        if not self._settings.token or scope["path"].startswith(SOCKET_PATH):
            return None  # Socket.IO may bring it in its first packet, and is asked there
        if scope.get("method") == "OPTIONS":
            return None  # browsers ask without it whether they may ask
        if knows(self._settings.token, given_token(scope, self._settings)):
            return None
        return 401, (
            "The token is missing or wrong. It was printed when the gateway started: send the "
            "header 'Authorization: Bearer TOKEN', or add ?token=TOKEN to the address."
        )

    def _announced(self, headers: dict[str, str]) -> tuple[int, str] | None:
        length = headers.get("content-length", "")
        # What is no number is refused by the server.
        return self._too_large() if length.isdigit() and int(length[:15]) > self._most else None

    def _with_cookie(self, send: Send) -> Send:
        """Have the links of a page work that was opened with ``?token=``."""
        token = quote(self._settings.token)
        words = f"{_cookie(self._settings)}={token}; HttpOnly; SameSite=Strict; Path=/"

        async def sending(message: MutableMapping[str, Any]) -> None:
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
        """Count what really comes, for nothing need be announced."""
        came, answered = 0, False

        async def counting() -> MutableMapping[str, Any]:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise _TooLargeError(*self._too_large())
            return message

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal answered
            answered = True
            await send(message)

        # Socket.IO's library waits for a client that sent a packet of no kind to fetch its answer.
        says = scope["path"].startswith(SOCKET_PATH) and scope["method"] == "POST"
        try:
            async with asyncio.timeout(_PATIENCE if says else None):
                await self._app(scope, counting, noting)
        except _TooLargeError:
            if not answered:
                await _refuse(scope, receive, send, *self._too_large())
        except TimeoutError:
            if not answered:
                await _refuse(scope, receive, send, 400, "This packet cannot be read.")


def given_token(scope: Scope, settings: Settings) -> str:
    """Token that came with a request: in its header, its address or a cookie; empty for none."""
    headers = headers_of(scope)
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return _asked_token(scope) or _in_cookie(headers, _cookie(settings))


def _cookie(settings: Settings) -> str:
    # Browsers share cookies among the ports of a machine.
    return f"spineq-{settings.port}"


def _asked_token(scope: Scope) -> str:
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1")).get("token", [""])[-1]


def _in_cookie(headers: dict[str, str], name: str) -> str:
    for part in headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return unquote(value)
    return ""


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers of a request by their name in small letters."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in scope.get("headers", [])
    }


def client_of(scope: Scope) -> str:
    """Name of a client in the list of jobs: its address."""
    address = scope.get("client")
    return f"web {address[0]}" if address else "web"


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


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        # A server turns that into a plain 403.
        await send({"type": "websocket.close", "code": 1008, "reason": words[:120]})
        return
    kind, body = refusal(scope["path"], status, words)
    data = json.dumps(body).encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(data)).encode()),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
