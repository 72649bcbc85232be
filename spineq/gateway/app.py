"""The whole application: routes, events, their errors in words, and the guard around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import socketio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Match

from spineq.errors import SpineqError
from spineq.gateway.answer_models import ProblemDocument
from spineq.gateway.answers import API, PROBLEM, UNEXPECTED, refusal, status_of
from spineq.gateway.api_cities import city_routes, coverage_routes
from spineq.gateway.api_jobs import front_routes, job_routes
from spineq.gateway.cities import Cities
from spineq.gateway.desk import Desk
from spineq.gateway.events import Events
from spineq.gateway.original_routes import original_routes
from spineq.gateway.packets import TolerantPacket
from spineq.gateway.refusals import field_on_wire, in_words
from spineq.gateway.safety import SOCKET_PATH, Guard

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from spineq.gateway.settings import Settings
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City

_ABOUT = """\
Where N sensors go in a city so that the people who matter are covered, as jobs of a queue. What is
submitted is kept, whatever crashes. Errors are problem documents (RFC 9457) that name the field and
the mend."""

_DOCUMENT, _JSON = "#/components/schemas/ProblemDocument", "application/json"

#: Seconds from one sign of life of a Socket.IO client to the next.
_PING = 10

#: Seconds after which a client may ask again.
_RETRY_AFTER = {429: "5", 503: "5"}


def make_app(
    queue: JobQueue, cities: Mapping[str, City], settings: Settings
) -> tuple[ASGIApp, Callable[[], None]]:
    """Make the application (ASGI).

    Parameters
    ----------
    queue
        Whose jobs. It stays open; whoever made it closes it.
    cities
        Cities to know from the start, by name; the first is meant where none is named.
    settings
        What `spineq.gateway.settings.set_up` returned.

    Returns
    -------
    app, end
        The application; and what ends, on its event loop, what would keep it from ending.
    """
    desk = Desk(queue, Cities(queue, cities), settings)
    # Its own list of origins would stand beside ours: [] leaves the question to the guard.
    server = socketio.AsyncServer(
        async_mode="asgi",
        cors_allowed_origins=[],
        max_http_buffer_size=settings.limits.body,
        ping_interval=_PING,
        # One after the other for each client: who submits and then asks finds what was submitted,
        # and who asks without end is read no faster than answered.
        async_handlers=False,
        serializer=TolerantPacket,
        logger=False,
        engineio_logger=False,
    )
    events = Events(server, desk)

    @asynccontextmanager
    async def telling(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(events.news.run())
        try:
            yield
        finally:
            task.cancel()

    api = FastAPIOffline(
        title="spineq",
        version=version("spineq"),
        description=_ABOUT,
        lifespan=telling,
        redoc_url=None,
        responses={"4XX": {"model": ProblemDocument}, "5XX": {"model": ProblemDocument}},
    )
    makers = (job_routes, front_routes, city_routes, coverage_routes, original_routes)
    routers = [make(desk) for make in makers]
    for router in routers:
        api.include_router(router)
    _answer_errors(api, desk, [route for router in routers for route in router.routes])
    _describe(api, settings)
    app: ASGIApp = Guard(
        socketio.ASGIApp(server, api, socketio_path=SOCKET_PATH.strip("/")), settings
    )
    if settings.compat or settings.origins:
        # Around the guard: a page that may use this may also read why something was refused.
        app = CORSMiddleware(
            app,
            allow_origins=["*"] if settings.compat else settings.origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Location", "Retry-After"],
        )
    return app, desk.close


def _answer_errors(api: FastAPI, desk: Desk, routes: Sequence[BaseRoute]) -> None:
    """Have every error answered in words, in the form that the clients of its path know."""

    @api.exception_handler(SpineqError)
    def ours(request: Request, error: SpineqError) -> JSONResponse:
        field, mend = field_on_wire(request.url.path, error.field), error.mend
        return _error(request, status_of(error), desk.said(error), field=field, mend=mend)

    @api.exception_handler(RequestValidationError)
    def not_as_described(request: Request, error: RequestValidationError) -> JSONResponse:
        words, field, mend = in_words(error.errors())
        return _error(request, 422, words, field=field, mend=mend)

    @api.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> JSONResponse:
        words, headers = str(error.detail), dict(error.headers or {})
        if error.status_code == 404:
            words = f"There is nothing at {request.url.path[:200]}. See / for what there is."
        elif error.status_code == 405:
            # The framework names the methods of the first route of a path alone.
            headers["Allow"] = ", ".join(_allowed(request, routes)) or headers.get("Allow", "GET")
            words = f"{request.method[:20]} is not answered here; use {headers['Allow']}."
        return _error(request, error.status_code, words, headers=headers)

    @api.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        return _error(request, 500, UNEXPECTED)


def _allowed(request: Request, routes: Sequence[BaseRoute]) -> list[str]:
    """Methods that a path is answered with."""
    found: set[str] = set()
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            match, _ = route.matches(request.scope)
            found |= set(route.methods or ()) if match is not Match.NONE else set()
    return sorted(found)


def _error(
    request: Request,
    status: int,
    words: str,
    *,
    field: str | None = None,
    mend: str | None = None,
    headers: Any = None,
) -> JSONResponse:
    made = dict(headers or {})
    if status in _RETRY_AFTER:
        made["Retry-After"] = _RETRY_AFTER[status]
    # What a client sent may be in the words, halves of characters among it.
    words = words.encode(errors="replace").decode()
    kind, body = refusal(request.url.path, status, words, field=field, mend=mend)
    return JSONResponse(body, status, headers=made, media_type=kind)


def _describe(api: FastAPI, settings: Settings) -> None:
    """Have the OpenAPI document say what is the case of errors and of the token."""
    plain = api.openapi

    def described() -> dict[str, Any]:
        if api.openapi_schema is not None:
            return api.openapi_schema
        made = plain()
        for path, operations in made["paths"].items():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if not status.startswith(("4", "5")):
                        continue
                    ours = path.startswith(API)
                    schema = {"$ref": _DOCUMENT} if ours else {"type": "object"}
                    answer["content"] = {PROBLEM if ours else _JSON: {"schema": schema}}
        if settings.token:
            schemes = {"token": {"type": "http", "scheme": "bearer"}}
            made["components"]["securitySchemes"] = schemes
            made["security"] = [{"token": []}]
        return made

    api.openapi = described  # type: ignore[method-assign]
