"""What the documented API answers: models of its answers."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from spineq.gateway.answers import API
from spineq.gateway.models import FrontProblem
from spineq.jobs.states import State

if TYPE_CHECKING:
    from spineq.jobs.snapshot import JobSnapshot

#: Fields of a snapshot that are those of the answer.
_AS_THEY_ARE = (
    "id", "state", "task", "city", "city_name", "user", "note", "priority", "time_limit",
    "expires_in", "created", "started", "ended", "cut_short",
)  # fmt: skip

#: Where the jobs of a task are found.
_HOMES = {"trade_off": "trade-offs"}


class ProblemDocument(BaseModel):
    """What is wrong, where, and how to mend it (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="One or two plain sentences.")
    field: str | None = Field(None, description="Parameter that is wrong.")
    mend: str | None = Field(None, description="What to do about it.")


class ProgressModel(BaseModel):
    """How far a job is."""

    fraction: float = Field(ge=0, le=1)
    message: str
    value: float | None = Field(description="Best objective so far, 0 to 1.")
    bound: float | None = Field(description="What no network can exceed, as far as is proven.")


class FailureModel(BaseModel):
    """Why a job failed."""

    type: str
    message: str


class LinksModel(BaseModel):
    """Where more about a job is."""

    self: str
    result: str
    events: str
    cancel: str = Field(description="To POST to.")
    retry: str = Field(description="To POST to.")


class JobModel(BaseModel):
    """A job at one moment."""

    id: str
    state: State
    task: str
    city: str = Field(description="Digest of the city.")
    city_name: str
    problem: dict[str, Any] = Field(description="What was asked, as it may be asked again.")
    user: str
    tags: list[str]
    note: str
    priority: int
    time_limit: float | None
    expires_in: float | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    progress: ProgressModel
    error: FailureModel | None
    from_store: bool = Field(description="Whether the answer was there when it was asked for.")
    cut_short: str = Field(description="Why the answer is the best so far only; else empty.")
    has_result: bool
    links: LinksModel

    @classmethod
    def of(cls, job: JobSnapshot) -> JobModel:
        """Describe a job."""
        plain = f"{API}/jobs/{job.id}"
        home = f"{API}/{_HOMES.get(job.task, 'jobs')}/{job.id}"
        error = job.error
        made = {name: getattr(job, name) for name in _AS_THEY_ARE} | {
            "problem": _problem_of(job),
            "tags": list(job.tags),
            "progress": vars(job.progress),
            # Without the traceback, which is for whoever looks after the gateway.
            "error": error and {"type": error.type, "message": error.message},
            "from_store": job.from_cache,
            "has_result": bool(job.answer),
            "links": {
                "self": home,
                "result": f"{home}/result",
                "events": f"{plain}/events",
                "cancel": f"{plain}/cancel",
                "retry": f"{plain}/retry",
            },
        }
        # The store may hold halves of characters, which no answer can: they become marks.
        return cls.model_validate_json(
            json.dumps(made, ensure_ascii=False).encode(errors="replace")
        )


def _problem_of(job: JobSnapshot) -> dict[str, Any]:
    """What was asked, as it may be asked again."""
    known = FrontProblem.model_fields if job.task == "trade_off" else job.parameters
    return {name: job.parameters[name] for name in sorted(job.parameters) if name in known}


class JobList(BaseModel):
    """A page of jobs, the latest first."""

    jobs: list[JobModel]
    next: str | None = Field(description="Where the next page is; null on the last.")


class Deleted(BaseModel):
    """How many jobs were deleted."""

    deleted: int


class CityGroup(BaseModel):
    """A group that results report."""

    title: str
    people: float
    estimated: bool = Field(description="Whether wider age bands had to be split to count them.")


class CityModel(BaseModel):
    """A city that the gateway knows."""

    digest: str = Field(description="Equal digests mean equal answers.")
    code: str
    name: str
    attribution: str
    areas: int
    demand_points: int
    sites: int
    columns: list[str] = Field(description="Columns of the areas that groups may name.")
    site_columns: list[str] = Field(description="Columns of the sites, for prices and regions.")
    existing_sensors: int
    crs: str = Field(description="Coordinate system of x and y.")
    theta_unit: str
    groups: dict[str, CityGroup]


class CityList(BaseModel):
    """A page of cities."""

    cities: list[CityModel]
    next: str | None


class NetworkModel(BaseModel):
    """A network: the original system's keys, and more; see `spineq.Network.to_dict`."""

    model_config = ConfigDict(extra="allow")

    lad20cd: str
    n_sensors: int
    theta: float
    sensors: list[dict[str, Any]] = Field(description="x, y, oa11cd (the area) and gain.")
    total_coverage: float = Field(description="Weighted mean of the groups that matter, 0 to 1.")
    group_coverage: dict[str, float] = Field(description="Mean over each group's people.")
    oa_coverage: list[dict[str, Any]] = Field(description="oa11cd and coverage of each area.")
    upper_bound: float | None = Field(description="What no network of this kind can exceed.")
    gap: float | None = Field(description="(bound - value) / bound.")
    proven: bool
    method: str


class FrontModel(BaseModel):
    """The networks between which groups compete; see `spineq.Front.to_dict`."""

    model_config = ConfigDict(extra="allow")

    lad20cd: str
    n_sensors: int
    theta: float
    groups: list[dict[str, Any]]
    networks: list[dict[str, Any]] = Field(description="number, coverage by group, and sites.")
    hypervolume: float
    knee: int | None
