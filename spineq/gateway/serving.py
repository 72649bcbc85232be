"""Serving a gateway until somebody ends it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn

from spineq.errors import GatewayError
from spineq.gateway.app import make_app

if TYPE_CHECKING:
    from spineq.gateway.settings import Settings
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City

#: Seconds for which open requests may go on once it is to end.
_PATIENCE = 3


class Gateway:
    """A queue over HTTP and Socket.IO, on a port that is taken when this is made.

    Parameters
    ----------
    queue
        Whose jobs. It stays open; whoever made it closes it.
    cities
        Cities to know from the start; the first is meant where none is named.
    settings
        What `spineq.gateway.settings.set_up` returned.

    Raises
    ------
    GatewayError
        The port cannot be listened to.
    """

    def __init__(self, queue: JobQueue, cities: Sequence[City], settings: Settings) -> None:
        self._socket = _taken(settings.host, settings.port)
        #: The settings, with the port that was taken.
        self.settings = replace(settings, port=self._socket.getsockname()[1])
        config = uvicorn.Config(
            make_app(queue, cities, self.settings),
            log_level="warning",
            access_log=False,
            server_header=False,
            ws_max_size=settings.limits.body,
            timeout_graceful_shutdown=_PATIENCE,
            lifespan="on",
        )
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until Ctrl-C, SIGTERM or `stop`; once."""
        log = logging.getLogger("uvicorn.error")
        log.addFilter(_is_news)
        try:
            with self._socket:
                self._server.run(sockets=[self._socket])
        finally:
            log.removeFilter(_is_news)

    def stop(self) -> None:
        """End `run`, on any thread."""
        self._server.should_exit = True


def _is_news(record: logging.LogRecord) -> bool:
    """Whoever follows a job never hangs up: that such requests are cut off is no error."""
    return "timeout graceful shutdown exceeded" not in record.getMessage()


def _taken(host: str, port: int) -> socket.socket:
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except (OSError, UnicodeError) as error:
        taken.close()
        msg = f"{host} port {port} cannot be listened to ({error})"
        raise GatewayError(msg, field="port", mend="Give another --port, or --host") from error
    return taken
