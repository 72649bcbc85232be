"""The original's Socket.IO events."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import socketio
from anyio.to_thread import run_sync
from starlette.requests import HTTPConnection

from spineq.errors import JobNotFoundError, SpineqError
from spineq.gateway.answers import UNEXPECTED, status_of
from spineq.gateway.news import News
from spineq.gateway.original import MISSING, deleted, job_dict, no_job, progress_of
from spineq.gateway.safety import client_of, given_token, knows

if TYPE_CHECKING:
    from spineq.gateway.desk import Desk
    from spineq.jobs.snapshot import JobSnapshot

_LOG = logging.getLogger(__name__)

#: Packets that a client may leave unread; one that asks for more is cut off.
_MOST_UNREAD = 1_000

_Handler = Callable[..., Awaitable[None]]


def _unread(server: socketio.AsyncServer, sid: str) -> int:
    """Packets that wait for a client to read them. The library has no limit for them."""
    socket = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, "/"))
    return 0 if socket is None else int(socket.queue.qsize())


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
        #: What is told to all.
        self.news = News(desk.queue, self._tell)
        # Who is here, and who waits for a job: told in person where it does not finish.
        self._clients: dict[str, set[str]] = {}
        self._waits: dict[str, str] = {}
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
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
            if await self._is_cut_off(sid):
                return
            try:
                await handler(sid, sent[0] if sent else None)
            except SpineqError as error:
                said = {"code": status_of(error), "message": self._desk.said(error)}
                await self._server.emit(answer, said, to=sid)
            except Exception:
                _LOG.exception("an event could not be answered")
                await self._server.emit(answer, {"code": 500, "message": UNEXPECTED}, to=sid)

        return handled

    async def _is_cut_off(self, sid: str) -> bool:
        """Cut off who asks and does not read; returns whether."""
        if _unread(self._server, sid) <= _MOST_UNREAD:
            return False
        await self._server.disconnect(sid)
        return True

    async def _connect(self, sid: str, environ: Mapping[str, Any], auth: Any = None) -> None:
        settings = self._desk.settings
        if settings.token:
            given = auth.get("token") if isinstance(auth, Mapping) else None
            asked = HTTPConnection(environ["asgi.scope"])
            if not knows(settings.token, given or given_token(asked, settings)):
                msg = "The token is missing or wrong: send it as auth={'token': ...}."
                raise socketio.exceptions.ConnectionRefusedError(msg)
        self._clients[sid] = set()
        await self._server.emit("message", {"data": "Connected"}, to=sid)

    async def _disconnect(self, sid: str, *_: Any) -> None:
        for job_id in self._clients.pop(sid, ()):
            self._waits.pop(job_id, None)

    async def _submit(self, sid: str, given: Any) -> None:
        named = given if isinstance(given, Mapping) else {}
        if any(named.get(name) is None for name in ("n_sensors", "theta")):
            await self._server.emit("job", MISSING, to=sid)
            return
        with self.news.submitting() as told:
            job, said = await run_sync(self._submitted, given, self._client(sid))
            end = told.get(job.id)
            if end is None and not job.has_ended and (mine := self._clients.get(sid)) is not None:
                mine.add(job.id)
                self._waits[job.id] = sid
            await self._server.emit("job", said, to=sid)
            if end is not None:
                await self._server.emit(*end, to=sid)

    def _submitted(self, given: Any, client: str) -> tuple[JobSnapshot, dict[str, Any]]:
        """Submit a job, and describe it, in one turn of a thread: others wait for one too."""
        job = self._desk.submit_original(given, client)
        return job, self._desk.described(job)

    async def _get(self, sid: str, job_id: Any) -> None:
        try:
            said = await run_sync(self._desk.job_original, job_id)
        except JobNotFoundError:
            said = no_job(job_id)
        await self._server.emit("job", said, to=sid)

    async def _queue(self, sid: str, _: Any) -> None:
        await self._server.emit("queue", await run_sync(self._desk.queue_original), to=sid)

    async def _delete(self, sid: str, job_id: Any) -> None:
        if isinstance(job_id, str) and self._waits.get(job_id) == sid:
            self._forget(job_id)  # whoever deletes it need not be told that it is gone
        try:
            said = deleted(await run_sync(self._desk.delete, job_id))
        except JobNotFoundError:
            said = no_job(job_id)
        await self._server.emit("message", said, to=sid)

    async def _clear(self, sid: str, _: Any) -> None:
        await self._server.emit("message", await run_sync(self._desk.clear_original), to=sid)

    async def _unknown(self, event: str, sid: str, *_: Any) -> None:
        if await self._is_cut_off(sid):
            return
        words = (
            f"There is no event {str(event)[:60]!r}. Use submitJob, getJob, getQueue, deleteJob or "
            "deleteQueue."
        )
        await self._server.emit("message", {"code": 400, "message": words}, to=sid)

    def _client(self, sid: str) -> str:
        environ = self._server.get_environ(sid) or {}
        return client_of(environ.get("asgi.scope", {}))

    async def _tell(self, job_id: str, job: JobSnapshot | None) -> None:
        """Tell all clients how far a job is, or its result; of another end, who waits for it.

        The original said nothing of a job that failed, and its clients waited for ever.
        """
        if job is not None and job.state == "running":
            said = {"job_id": job_id, "progress": progress_of(job)}
            await self._server.emit("jobProgress", said)
            return
        if not self._clients or (job is not None and not job.has_ended):
            return
        if job is None:
            end = "job", no_job(job_id)
        elif job.state == "finished":
            end = "jobFinished", await run_sync(self._described, job)
        else:
            end = "job", job_dict(self._desk.public(job))
        # Nobody has a turn from here to the telling: a submitter has his job's id by now, or
        # finds the end among those that he was told too early.
        self.news.note_end(job_id, end)
        sid = self._forget(job_id)
        if end[0] == "jobFinished":
            await self._server.emit(*end)
        elif sid is not None:
            await self._server.emit(*end, to=sid)

    def _forget(self, job_id: str) -> str | None:
        """Nobody waits for a job any more; returns who did."""
        sid = self._waits.pop(job_id, None)
        if sid is not None and sid in self._clients:
            self._clients[sid].discard(job_id)
        return sid

    def _described(self, job: JobSnapshot) -> dict[str, Any]:
        try:
            return self._desk.described(job)
        except SpineqError:
            # The answer is damaged or gone: whoever asks for it is told so.
            return job_dict(job)
