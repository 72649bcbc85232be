"""The documented API: jobs, and trade-offs, which are jobs too."""

from __future__ import annotations

# FastAPI reads annotations when the routes are made: what they name must be there at run time.
import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import urlencode

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Path, Query, Request, Response
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
from spineq.gateway.models import FrontSubmission, JobSubmission, problem_words
from spineq.gateway.safety import client_of
from spineq.jobs.requests import MOST_KEY
from spineq.jobs.states import State

#: Seconds of silence after which a stream shows that it is alive.
KEEP_ALIVE = 15.0

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
Limit = Annotated[int, Query(ge=1, le=500, description="Most to list.")]
Offset = Annotated[int, Query(ge=0, le=10**9, description="How many to leave out before.")]


def job_routes(desk: Desk) -> APIRouter:
    """Make the routes of jobs. Those that are no coroutines run on a thread."""
    router = APIRouter(prefix=f"{API}/jobs", tags=["jobs"])

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
        task: Annotated[str | None, Query(max_length=200)] = None,
        user: Annotated[str | None, Query(max_length=200)] = None,
        tag: Annotated[str | None, Query(max_length=2000)] = None,
        city: Annotated[
            str | None, Query(max_length=200, description="Code, name or digest.")
        ] = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> JobList:
        """List jobs of everybody, the latest first."""
        where = None if city is None else desk.cities.named(city)
        found = desk.queue.jobs(
            state=state or None,
            task=task,
            user=user,
            tag=tag,
            city=where,
            limit=limit + 1,
            offset=offset,
        )
        jobs = [JobModel.of(job) for job in found[:limit]]
        return JobList(jobs=jobs, next=next_page(request, len(found) > limit, limit, offset))

    @router.delete("")
    def delete_jobs(
        state: Annotated[
            list[State],
            Query(min_length=1, description="Delete all jobs in these states, of everybody."),
        ],
    ) -> Deleted:
        """Cancel and delete all jobs in some states."""
        ids = [job.id for job in desk.queue.jobs(state=state)]
        desk.queue.delete(*ids)
        return Deleted(deleted=len(ids))

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
        job = desk.snapshot(job_id)
        _need_network(job.task)
        return NetworkModel.model_validate(desk.result(job))

    @router.get(
        "/{job_id}/events",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Events `progress`, with the job, until one of `end` or `gone`.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            }
        },
    )
    async def follow_job(job_id: JobId) -> StreamingResponse:
        """Follow a job until it has ended, as Server-Sent Events; the present state comes first."""
        await run_sync(desk.snapshot, job_id)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            _events(desk, job_id), media_type="text/event-stream", headers=headers
        )

    return router


def front_routes(desk: Desk) -> APIRouter:
    """Make the routes of trade-offs."""
    router = APIRouter(prefix=f"{API}/trade-offs", tags=["trade-offs"])
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
        found = desk.queue.jobs(task=task, limit=limit + 1, offset=offset)
        jobs = [JobModel.of(job) for job in found[:limit]]
        return JobList(jobs=jobs, next=next_page(request, len(found) > limit, limit, offset))

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
        return FrontModel.model_validate(desk.result(desk.snapshot(job_id, task)))

    return router


def next_page(request: Request, more: bool, limit: int, offset: int) -> str | None:
    """Address of the page that follows, with the filters of this one; None after the last."""
    if not more:
        return None
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in ("limit", "offset", "token")
    ]
    return f"{request.url.path}?{urlencode([*kept, ('limit', limit), ('offset', offset + limit)])}"


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
        problem_words(asked.problem),
        client=client_of(request.scope),
        city=asked.city,
        key=key,
        **asked.words(),
    )
    made = JobModel.of(job)
    response.headers["Location"] = made.links.self
    return made


def _need_network(task: str) -> None:
    from spineq.errors import JobError

    if task not in ("optimise", "evaluate"):
        msg = f"the result of the task {task!r} is no network"
        mend = f"Ask {API}/trade-offs" if task == "trade_off" else "Read it with the library"
        raise JobError(msg, mend=mend)


async def _events(desk: Desk, job_id: str) -> AsyncIterator[str]:
    """Write what happens to a job, until it has ended, is deleted or nobody listens any more."""
    watch = aiter(desk.queue.get(job_id))
    try:
        while True:
            try:
                job = await asyncio.wait_for(anext(watch), KEEP_ALIVE)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            except StopAsyncIteration:
                yield _event("gone", {"id": job_id})
                return
            yield _event("end" if job.has_ended else "progress", JobModel.of(job).model_dump_json())
            if job.has_ended:
                return
    finally:
        watch.stop()


def _event(name: str, data: Any) -> str:
    text = data if isinstance(data, str) else json.dumps(data)
    return f"event: {name}\ndata: {text}\n\n"
