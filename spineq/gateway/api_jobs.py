"""The documented API: jobs, and trade-offs, which are jobs too."""

from __future__ import annotations

# FastAPI reads annotations when the routes are made: what they name must be there at run time.
import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from spineq.gateway.answer_models import (
    Deleted,
    FrontModel,
    JobList,
    JobModel,
    NetworkModel,
)
from spineq.gateway.answers import API
from spineq.gateway.desk import Desk
from spineq.gateway.maps import GEOJSON, geojson
from spineq.gateway.models import FrontSubmission, JobSubmission, words_of
from spineq.gateway.paging import Limit, Offset, next_page, no_other_words
from spineq.gateway.safety import client_of
from spineq.jobs.requests import MOST_KEY
from spineq.jobs.states import State
from spineq.jobs.watch import Watch

#: Seconds of silence after which a stream shows that it is alive.
KEEP_ALIVE = 15.0

#: An event of a stream.
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["progress", "end", "gone"]},
        "id": {"type": "string"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "The job; of one that is gone, its id.",
        },
    },
}

#: Id of the event after which nothing follows.
_LAST = "end"

JobId = Annotated[str, Path(description="Id of a job.", max_length=100)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MOST_KEY,
        description="A name of your own for this submission: sent again with it, it is the same "
        "job and not a second one.",
    ),
]


def job_routes(desk: Desk) -> APIRouter:
    """Make the routes of jobs. Those that are no coroutines run on a thread."""
    router = APIRouter(prefix=f"{API}/jobs", tags=["jobs"], dependencies=[Depends(no_other_words)])

    @router.post("", status_code=201)
    def submit_job(
        asked: JobSubmission, request: Request, response: Response, key: Key = None
    ) -> JobModel:
        """Submit a question. When this answers, the job is kept and will be done."""
        return _submitted(desk, "optimise", asked, request, response, key)

    @router.get("")
    def list_jobs(
        request: Request,
        state: Annotated[list[State] | None, Query(description="Only in these states.")] = None,
        task: Annotated[
            str | None, Query(max_length=200, description="`optimise`, `trade_off`, or another.")
        ] = None,
        user: Annotated[
            str | None, Query(max_length=200, description="Such as `web 127.0.0.1`.")
        ] = None,
        tag: Annotated[str | None, Query(max_length=2000, description="That a job has.")] = None,
        city: Annotated[
            str | None, Query(max_length=200, description="Code, name or digest.")
        ] = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> JobList:
        """List jobs of everybody, the latest first."""
        where = None if city is None else desk.cities.digest_of(city)
        filters = {"state": state or None, "task": task, "user": user, "tag": tag, "city": where}
        return _page(desk, request, limit, offset, **filters)

    @router.delete("")
    def delete_jobs(
        state: Annotated[
            list[State],
            Query(min_length=1, description="Delete all jobs in these states, of everybody."),
        ],
    ) -> Deleted:
        """Cancel and delete all jobs in some states."""
        return Deleted(deleted=desk.queue.clear(state=state))

    @router.get("/{job_id}")
    def get_job(job_id: JobId) -> JobModel:
        """Look at a job."""
        return JobModel.of(desk.snapshot(job_id))

    @router.delete("/{job_id}", status_code=204)
    def delete_job(job_id: JobId) -> None:
        """Cancel a job that has not ended, and remove it."""
        desk.delete(job_id)

    @router.post("/{job_id}/cancel")
    def cancel_job(job_id: JobId) -> JobModel:
        """Withdraw a job; what it has found by then is kept. One that has ended stays as it is."""
        job = desk.snapshot(job_id)
        desk.queue.cancel(job)
        return JobModel.of(desk.snapshot(job_id))

    @router.post("/{job_id}/retry")
    def retry_job(job_id: JobId) -> JobModel:
        """Give a job that failed, was cancelled or has expired a new attempt."""
        job = desk.snapshot(job_id)
        desk.queue.retry(job)
        return JobModel.of(desk.snapshot(job_id))

    @router.get("/{job_id}/result")
    def get_result(job_id: JobId) -> NetworkModel:
        """Network that a job has found; of one that was cut short, the best so far."""
        return NetworkModel.model_validate(desk.network(desk.snapshot(job_id)).to_dict())

    @router.get("/{job_id}/sensors", **geojson("Sensors of the network, for a map."))
    def get_sensors(job_id: JobId) -> Response:
        return Response(desk.sensors(desk.snapshot(job_id)), media_type=GEOJSON)

    @router.get(
        "/{job_id}/events",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Events `progress`, with the job, until one of `end` or `gone`.",
                "content": {"text/event-stream": {"schema": _EVENT}},
            },
            204: {"description": "To a browser that asks again after the end: it asks no more."},
        },
    )
    async def follow_job(
        job_id: JobId,
        last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=200)] = None,
    ) -> Response:
        """Follow a job until it has ended, as Server-Sent Events; the present state comes first.

        A browser's EventSource sends no header of one's own: it brings the token in the address.
        """
        if last == _LAST:
            return Response(status_code=204)
        watch = await run_sync(desk.watch, job_id)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            _events(desk, watch, job_id), media_type="text/event-stream", headers=headers
        )

    return router


def front_routes(desk: Desk) -> APIRouter:
    """Make the routes of trade-offs."""
    router = APIRouter(
        prefix=f"{API}/trade-offs", tags=["trade-offs"], dependencies=[Depends(no_other_words)]
    )
    task = "trade_off"

    @router.post("", status_code=201)
    def submit_trade_off(
        asked: FrontSubmission, request: Request, response: Response, key: Key = None
    ) -> JobModel:
        """Ask for the networks among which more for one group means less for another."""
        return _submitted(desk, task, asked, request, response, key)

    @router.get("")
    def list_trade_offs(request: Request, limit: Limit = 50, offset: Offset = 0) -> JobList:
        """List these jobs of everybody, the latest first."""
        return _page(desk, request, limit, offset, task=task)

    @router.get("/{job_id}")
    def get_trade_off(job_id: JobId) -> JobModel:
        """Look at such a job."""
        return JobModel.of(desk.snapshot(job_id, task))

    @router.delete("/{job_id}", status_code=204)
    def delete_trade_off(job_id: JobId) -> None:
        """Cancel such a job if it has not ended, and remove it."""
        desk.delete(job_id, task)

    @router.get("/{job_id}/result")
    def get_front(job_id: JobId) -> FrontModel:
        """Front that such a job has found."""
        return FrontModel.model_validate(desk.answer(desk.snapshot(job_id, task)).to_dict())

    return router


def _page(desk: Desk, request: Request, limit: int, offset: int, **filters: Any) -> JobList:
    found = desk.jobs(**filters, limit=limit + 1, offset=offset)
    jobs = [JobModel.of(job) for job in found[:limit]]
    return JobList(jobs=jobs, next=next_page(request, len(found) > limit, limit, offset))


def _submitted(
    desk: Desk,
    task: str,
    asked: JobSubmission | FrontSubmission,
    request: Request,
    response: Response,
    key: str | None,
) -> JobModel:
    job = desk.submit(
        task,
        words_of(asked.problem),
        client=client_of(request.scope),
        city=asked.city,
        key=key,
        **asked.words(),
    )
    made = JobModel.of(job)
    response.headers["Location"] = made.links.self
    return made


async def _events(desk: Desk, watch: Watch, job_id: str) -> AsyncIterator[str]:
    """Write what happens to a job, until it has ended, is deleted or nobody listens any more."""
    try:
        while True:
            try:
                job = await asyncio.wait_for(anext(watch), KEEP_ALIVE)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            except StopAsyncIteration:
                # Or the queue closes, and the client comes again.
                if not await run_sync(desk.has, job_id):
                    yield _event("gone", json.dumps({"id": job_id}), is_last=True)
                return
            name, said = "end" if job.has_ended else "progress", JobModel.of(desk.public(job))
            yield _event(name, said.model_dump_json(), is_last=job.has_ended)
            if job.has_ended:
                return
    finally:
        desk.unwatch(watch)


def _event(name: str, data: str, *, is_last: bool) -> str:
    # Browsers ask again when a stream ends, and say which event they heard last.
    number = f"id: {_LAST}\n" if is_last else ""
    return f"event: {name}\n{number}data: {data}\n\n"
