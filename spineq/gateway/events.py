"""The original's Socket.IO events."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import socketio
from anyio.to_thread import run_sync

from spineq.errors import JobNotFoundError, SpineqError
from spineq.gateway.answers import UNEXPECTED, status_of
from spineq.gateway.original import MISSING, deleted, job_dict, no_job, progress_of
from spineq.gateway.safety import client_of, given_token, knows

if TYPE_CHECKING:
    from spineq.gateway.desk import Desk
    from spineq.gateway.news import News
    from spineq.jobs.snapshot import JobSnapshot

_LOG = logging.getLogger(__name__)

_Handler = Callable[..., Awaitable[None]]


class Events:
    """Answers the events of clients, and tells all of them of every job.

    Parameters
    ----------
    server
        The Socket.IO server.
    desk
        What does the work.
    """

    def __init__(self, server: socketio.AsyncServer, desk: Desk) -> None:
        self._server, self._desk = server, desk
        self.news: News | None = None
        # Who waits for which job: told in person where it does not finish.
        self._waiting: dict[str, str] = {}
        server.on("connect", self._connect)
        for name, handler, answer in (
            ("submitJob", self._submit, "job"),
            ("getJob", self._get, "job"),
            ("getQueue", self._queue, "queue"),
            ("deleteJob", self._delete, "message"),
            ("deleteQueue", self._clear, "message"),
        ):
            server.on(name, self._in_words(handler, answer))
        server.on("*", self._unknown)

    def _in_words(self, handler: _Handler, answer: str) -> _Handler:
        """Answer in words whatever goes wrong; clients may send anything, and any number of it."""

        @wraps(handler)
        async def handled(sid: str, *sent: Any) -> None:
            try:
                await handler(sid, sent[0] if sent else None)
            except SpineqError as error:
                said = {"code": status_of(error), "message": str(error)}
                await self._server.emit(answer, said, to=sid)
            except Exception:
                _LOG.exception("an event could not be answered")
                await self._server.emit(answer, {"code": 500, "message": UNEXPECTED}, to=sid)

        return handled

    async def _connect(self, sid: str, environ: Mapping[str, Any], auth: Any = None) -> None:
        settings = self._desk.settings
        if settings.token:
            scope = environ.get("asgi.scope", {})
            given = auth.get("token") if isinstance(auth, Mapping) else None
            if not knows(settings.token, given or given_token(scope, settings)):
                msg = "The token is missing or wrong: send it as auth={'token': ...}."
                raise socketio.exceptions.ConnectionRefusedError(msg)
        await self._server.emit("message", {"data": "Connected"}, to=sid)

    async def _submit(self, sid: str, given: Any) -> None:
        named = given if isinstance(given, Mapping) else {}
        if any(named.get(name) is None for name in ("n_sensors", "theta")):
            await self._server.emit("job", MISSING, to=sid)
            return
        assert self.news is not None
        async with self.news.submitting():
            job = await run_sync(self._desk.submit_original, given, self._client(sid))
            if not job.has_ended:
                self._waiting[job.id] = sid
            await self._server.emit("job", job_dict(job), to=sid)

    async def _get(self, sid: str, job_id: Any) -> None:
        try:
            said = await run_sync(self._desk.job_original, job_id)
        except JobNotFoundError:
            said = no_job(job_id)
        await self._server.emit("job", said, to=sid)

    async def _queue(self, sid: str, _: Any) -> None:
        await self._server.emit("queue", await run_sync(self._desk.queue_original), to=sid)

    async def _delete(self, sid: str, job_id: Any) -> None:
        try:
            said = deleted(await run_sync(self._desk.delete, job_id))
        except JobNotFoundError:
            said = no_job(job_id)
        await self._server.emit("message", said, to=sid)

    async def _clear(self, sid: str, _: Any) -> None:
        await self._server.emit("message", await run_sync(self._desk.clear_original), to=sid)

    async def _unknown(self, event: str, sid: str, *_: Any) -> None:
        words = (
            f"There is no event {str(event)[:60]!r}. Use submitJob, getJob, getQueue, deleteJob or "
            "deleteQueue."
        )
        await self._server.emit("message", {"code": 400, "message": words}, to=sid)

    def _client(self, sid: str) -> str:
        environ = self._server.get_environ(sid) or {}
        return client_of(environ.get("asgi.scope", {}))

    async def tell(self, snapshot: JobSnapshot) -> None:
        """Tell all clients how far a job is, or its result; of another end, who waits for it.

        The original said nothing of a job that failed, and its clients waited for ever.
        """
        sid = self._waiting.pop(snapshot.id, None) if snapshot.has_ended else None
        if snapshot.state == "running":
            said = {"job_id": snapshot.id, "progress": progress_of(snapshot)}
            await self._server.emit("jobProgress", said)
        elif snapshot.state == "finished":
            described = await run_sync(self._desk.described, snapshot)
            await self._server.emit("jobFinished", described)
        elif sid is not None:
            await self._server.emit("job", job_dict(snapshot), to=sid)
