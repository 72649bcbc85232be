"""Serving a gateway until somebody ends it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from spineq.errors import GatewayError
from spineq.gateway.app import make_app

if TYPE_CHECKING:
    from spineq.gateway.settings import Settings
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City

#: Seconds for which open requests may go on once it is to end.
_PATIENCE = 3

#: Seconds within which a connection has to ask for something.
_HEADERS = 10.0

#: Connections at once; more are closed.
_MOST_CONNECTIONS = 10_000


def listen(settings: Settings) -> tuple[socket.socket, Settings]:
    """Take the port, before anything is started for it.

    Parameters
    ----------
    settings
        What `spineq.gateway.settings.set_up` returned.

    Returns
    -------
    socket, settings
        What listens; and the settings with the port that was taken.

    Raises
    ------
    GatewayError
        The port cannot be listened to.
    """
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Of a socket that does not say TCP asyncio does not know that answers should go at once.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        # Who asks from now on waits for what is started.
        taken.listen(2048)
    except (OSError, UnicodeError) as error:
        taken.close()
        msg = f"{host} port {port} cannot be listened to ({error})"
        raise GatewayError(msg, mend="Give another --port or --host") from error
    return taken, replace(settings, port=taken.getsockname()[1])


class Gateway:
    """A queue over HTTP and Socket.IO.

    Parameters
    ----------
    queue
        Whose jobs. It stays open; whoever made it closes it.
    cities
        Cities to know from the start, by name; the first is meant where none is named.
    listening, settings
        What `listen` returned. The socket is closed after `run`.
    """

    def __init__(
        self,
        queue: JobQueue,
        cities: Mapping[str, City],
        listening: socket.socket,
        settings: Settings,
    ) -> None:
        self._socket = listening
        app, end = make_app(queue, cities, settings)
        config = uvicorn.Config(
            app,
            http=_patient(_room_for_connections()),
            log_level="warning",
            access_log=False,
            server_header=False,
            # Else anybody on this machine could say to be somebody else.
            proxy_headers=bool(settings.proxy),
            forwarded_allow_ips=settings.proxy,
            ws_max_size=settings.limits.body,
            timeout_graceful_shutdown=_PATIENCE,
            lifespan="on",
        )
        self._server = _Server(config, end)

    def run(self) -> None:
        """Serve until Ctrl-C, SIGTERM or `stop`; once."""
        log = logging.getLogger("uvicorn.error")
        log.addFilter(_is_worth_saying)
        try:
            with self._socket:
                self._server.run(sockets=[self._socket])
        finally:
            log.removeFilter(_is_worth_saying)

    def stop(self) -> None:
        """End `run`, on any thread."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Ends what would go on for ever before it waits for requests to end."""

    def __init__(self, config: uvicorn.Config, end: Callable[[], None]) -> None:
        super().__init__(config)
        self._end = end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end()
        await super().shutdown(sockets)


def _room_for_connections() -> int:
    """Raise the number of files that may be open, and return how many connections that allows."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return _MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _MOST_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return (
        _MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(_MOST_CONNECTIONS, soft // 2)
    )


def _patient(most: int) -> type[asyncio.Protocol]:
    """Protocol of uvicorn, which has no limit of its own for connections that ask for nothing."""

    class Patient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        _is_timed = False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.close()
            else:
                self._time()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._time()

        def _time(self) -> None:
            if self._is_idle() and not self._is_timed:
                self._is_timed = True
                self.loop.call_later(_HEADERS, self._look)

        def _look(self) -> None:
            self._is_timed = False
            # One that became a WebSocket is in other hands.
            if self in self.connections and self._is_idle():
                self.transport.close()

        def _is_idle(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

    return Patient


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """Whoever follows a job never hangs up: that such requests are cut off is no error."""
    return "timeout graceful shutdown exceeded" not in record.getMessage()
