"""The original's HTTP routes."""

from __future__ import annotations

# FastAPI reads annotations when the routes are made: what they name must be there at run time.
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from spineq.errors import JobNotFoundError, ProblemError
from spineq.gateway.answers import original_error
from spineq.gateway.desk import Desk
from spineq.gateway.home import home_page
from spineq.gateway.models import OriginalRequest
from spineq.gateway.original import THETA, city_word, deleted, no_job
from spineq.gateway.safety import client_of

_TAG = "the original's routes"

_CLOSED = (
    "A link must not empty a queue: this is answered to POST, or to GET where the gateway was "
    "started with --compat."
)


def original_routes(desk: Desk) -> APIRouter:
    """Make the routes. They run on a thread."""
    router = APIRouter(tags=[_TAG])

    @router.head("/", include_in_schema=False)
    @router.get("/", response_class=HTMLResponse)
    def home() -> str:
        """Show what there is, with examples."""
        return home_page(desk.settings, desk.cities.described(desk.cities.default.digest))

    @router.get("/optimise")
    def optimise(asked: Annotated[OriginalRequest, Query()], request: Request) -> dict[str, Any]:
        """Submit a job."""
        job = desk.submit_original(asked.model_dump(), client_of(request.scope))
        return desk.described(job)

    @router.get("/job/{job_id}")
    def job(job_id: str) -> JSONResponse:
        """Look at a job, with its result."""
        return _answered(lambda: desk.job_original(job_id), job_id)

    @router.get("/queue")
    def queue() -> JSONResponse:
        """List the ids of jobs by state."""
        # As it is: checking ten thousand ids against a model would take longer than finding them.
        return JSONResponse(desk.queue_original())

    def delete_all() -> JSONResponse:
        """Delete the jobs that wait."""
        return JSONResponse(desk.clear_original())

    def delete(job_id: str) -> JSONResponse:
        """Cancel and delete a job."""
        return _answered(lambda: deleted(desk.delete(job_id)), job_id)

    for path, handler in (
        ("/queue/deleteall", delete_all),
        ("/queue/delete/{job_id}", delete),
    ):
        router.post(path)(handler)
        if desk.settings.compat:
            router.get(path)(handler)
        else:
            router.get(path, include_in_schema=False)(_closed)

    some = list(desk.cities.default.sites["area_id"][:2])

    example = {"example": {"sensors": some, "theta": THETA}}

    @router.post(
        "/coverage", openapi_extra={"requestBody": {"content": {"application/json": example}}}
    )
    async def coverage(
        given: Annotated[
            dict[str, Any],
            Body(description="sensors (ids of areas), and optionally theta (500) and lad20cd."),
        ],
    ) -> dict[str, Any]:
        """Measure the coverage of sensors in areas of the client's choice."""
        sensors, words = given.get("sensors"), {"theta": given.get("theta", THETA)}
        if not isinstance(sensors, list) or not all(isinstance(each, str) for each in sensors):
            msg = "sensors must be a list of ids of areas"
            raise ProblemError(msg, field="sensors", mend=f"Give for example {json.dumps(some)}")
        made = await desk.measured(sensors, words, city_word(given))
        # What is the coverage of a mix of groups elsewhere is that of each group here.
        return {"oa_coverage": made["oa_coverage"], "total_coverage": made["group_coverage"]}

    return router


def _answered(answer: Callable[[], dict[str, Any]], job_id: str) -> JSONResponse:
    try:
        return JSONResponse(answer())
    except JobNotFoundError:
        return JSONResponse(no_job(job_id), status_code=404)


def _closed() -> JSONResponse:
    return JSONResponse(original_error(405, _CLOSED), status_code=405, headers={"Allow": "POST"})
