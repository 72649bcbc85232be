"""What the documented API takes: models of its requests.

They say what JSON may hold; what makes sense is for `spineq.model.problem.Problem` to say, with
the same fields; a test holds the two together.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from spineq.gateway.original import N_SENSORS, OPTIONAL, THETA
from spineq.model.problem import (
    AversionForm,
    BoundName,
    DecayName,
    MethodName,
    ObjectiveName,
)

# Strict: the text "3" is no number, and true is not 1.
Whole = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


_Weight = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]


class Asked(BaseModel):
    """Base of requests: a word that does not exist is refused, and so is what no file can hold."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _is_unicode(cls, given: Any) -> Any:
        """Refuse halves of characters, which JSON can escape and UTF-8 cannot hold."""
        try:
            json.dumps(given, ensure_ascii=False, default=repr).encode()
        except UnicodeEncodeError:
            msg = "it has half a character (a lone surrogate) in it"
            raise ValueError(msg) from None
        return given


class GroupModel(Asked):
    """People who matter: residents of some ages, or a column of the city; and how much."""

    ages: Annotated[
        tuple[Annotated[Whole, Field(ge=0, le=200)], Annotated[Whole, Field(ge=0, le=200)]] | None,
        Field(description="Youngest and oldest, both included; 90 stands for 90 and older."),
    ] = None
    column: Name | None = Field(None, description="Column of the areas, such as workers.")
    weight: Annotated[Real, Field(ge=0)] = Field(1.0, description="Importance, not head count.")
    title: Name | None = Field(None, description="What people call it.")

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if (self.ages is None) == (self.column is None):
            msg = 'must have either ages, such as [0, 15], or column, such as "workers"'
            raise ValueError(msg)
        return self


Groups = Annotated[
    dict[Name, GroupModel] | None,
    Field(
        max_length=100,
        description="Who matters, by name; by default all residents, and for a trade-off the four "
        "groups of results.",
        examples=[{"children": {"ages": [0, 15], "weight": 2}, "jobs": {"column": "workers"}}],
    ),
]
Theta = Annotated[
    Real,
    Field(
        gt=0,
        description="Distance at which coverage has fallen to 37 %, metres, or the unit of the "
        "city's travel table.",
    ),
]
Ids = Annotated[list[Name], Field(max_length=100_000)]
PerRegion = Annotated[Whole, Field(ge=1)] | dict[Name, Annotated[Whole, Field(ge=0)]]


class FloorModel(Asked):
    """Coverage that people must reach who are no group of the question."""

    group: GroupModel
    level: Annotated[Real, Field(ge=0, le=1)]


#: Coverage by name of a group.
Levels = Annotated[
    dict[Name, Annotated[Real, Field(ge=0, le=1)] | FloorModel], Field(max_length=100)
]


class KindModel(Asked):
    """A kind of sensors: its theta, how many at most, what one costs."""

    theta: Theta
    n_sensors: Annotated[Whole, Field(ge=1)] | None = Field(None, description="At most.")
    cost: Annotated[Real, Field(ge=0)] = Field(0.0, description="In the unit of the budget.")


class WhereAndWho(Asked):
    """What every question says."""

    theta: Theta | None = Field(None, description="By default 500 metres.")
    groups: Groups = None
    decay: DecayName = Field("exponential", description="How coverage falls.")


class ProblemModel(WhereAndWho):
    """What is asked of a city; the fields of `spineq.Problem`."""

    n_sensors: Annotated[Whole, Field(ge=1)] | None = Field(
        None, description="Sensors to place; or give budget and site_cost.", examples=[20]
    )
    method: MethodName = Field("auto", description="Solver; auto is the best there is.")
    seed: Annotated[Whole, Field(ge=0)] = Field(0, description="Of the random method.")
    budget: Annotated[Real, Field(ge=0)] | None = Field(
        None, description="What all sensors together may cost."
    )
    site_cost: Name | None = Field(None, description="Column of the sites with their prices.")
    region: Name | None = Field(None, description="Column of the sites that names their region.")
    max_per_region: PerRegion | None = Field(None, description="For all regions, or by region.")
    min_per_region: PerRegion | None = Field(None, description="For all regions, or by region.")
    min_spacing: Annotated[Real, Field(ge=0)] = Field(
        0.0, description="Least distance between two sensors, metres."
    )
    keep: Literal["existing"] | Ids = Field(
        default_factory=list, description="Sites whose sensors stay and are not counted."
    )
    forbid: Ids = Field(default_factory=list, description="Sites where no sensor may stand.")
    start: Ids = Field(default_factory=list, description="Sites of a network to improve.")
    aversion: Annotated[Real, Field(ge=0, le=100)] = Field(
        0.0, description="Aversion to inequality between people; 0 is none."
    )
    aversion_form: AversionForm = Field("kolm_pollak", description="Its form.")
    failure_probability: Annotated[Real, Field(ge=0, lt=1)] = Field(
        0.0, description="Of each sensor, whether or not others fail."
    )
    at_least: Levels = Field(
        default_factory=dict,
        description="Coverage that groups must reach, 0 to 1, by name.",
    )
    reach: Literal["existing"] | Levels = Field(
        default_factory=dict,
        description="Instead of n_sensors: the fewest sensors that reach a coverage, 0 to 1, by "
        "name; or what today's sensors give every group.",
    )
    retire: Annotated[Whole, Field(ge=0)] = Field(
        0, description="How many of today's sensors are taken away; n_sensors new ones beside it."
    )
    move_at_most: Annotated[Whole, Field(ge=0)] = Field(
        0, description="How many of today's sensors may move."
    )
    kinds: dict[Name, KindModel] = Field(
        default_factory=dict, max_length=20, description="Kinds of sensors by name."
    )
    objective: ObjectiveName = Field("mean", description="What is maximised.")
    bound: BoundName | None = Field(None, description="Which bound the answer is to have.")
    effort: Annotated[Real, Field(gt=0)] = Field(1.0, description="Multiple of the usual work.")
    gap_limit: Annotated[Real, Field(ge=0, le=1)] = Field(
        0.0, description="Gap at which the search may end."
    )


class Request(Asked):
    """What goes with a job beside its question."""

    city: Name | None = Field(
        None,
        description="Code, name or digest of a city that the gateway knows; by default the one "
        "it was started with.",
    )
    priority: Annotated[Whole, Field(ge=-1000, le=1000)] = Field(
        0, description="Higher goes first; within a priority, clients take turns."
    )
    tags: list[Name] = Field(default_factory=list, max_length=50)
    note: Annotated[str, Field(max_length=2000)] = Field("", description="A line of text.")
    time_limit: Annotated[Real, Field(gt=0)] | None = Field(
        None,
        description="Seconds of computing; then the answer is the best so far, marked. By "
        "default, and at most, the gateway's own limit.",
    )
    expires_in: Annotated[Real, Field(gt=0)] | None = Field(
        None, description="Seconds of waiting, after which the job is not wanted any more."
    )
    reuse: Flag = Field(True, description="False to compute although there is an answer.")

    def words(self) -> dict[str, Any]:
        """Words of `JobQueue.submit` that were said, without the question and the city."""
        return self.model_dump(exclude_unset=True, exclude={"city", "problem"})


class JobSubmission(Request):
    """A question for the network that covers people best."""

    problem: ProblemModel

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"problem": {"n_sensors": 5, "theta": 500}},
                {
                    "problem": {
                        "n_sensors": 20,
                        "theta": 400,
                        "groups": {"children": {"ages": [0, 15]}, "jobs": {"column": "workers"}},
                        "objective": "worst_share",
                    },
                    "tags": ["north"],
                    "note": "For the meeting",
                    "time_limit": 60,
                },
            ]
        },
    )


class FrontProblem(WhereAndWho):
    """Between which groups networks are a trade-off; see `spineq.trade_off`."""

    n_sensors: Annotated[Whole, Field(ge=1)] = Field(description="Sensors to place.")
    keep: Literal["existing"] | Ids = Field(default_factory=list)
    forbid: Ids = Field(default_factory=list)
    effort: Annotated[Real, Field(gt=0)] = 1.0
    size: Annotated[Whole, Field(ge=1, le=5000)] = Field(
        200, description="Networks of the front at most."
    )
    tolerance: Annotated[Real, Field(gt=0)] | None = Field(
        None,
        description="For two groups: how far beyond the front a network may lie at most, to be "
        "proven.",
    )
    seed: Annotated[Whole, Field(ge=0)] = 0


class FrontSubmission(Request):
    """A question for the networks between which groups compete."""

    problem: FrontProblem

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"problem": {"n_sensors": 10, "theta": 500}}]},
    )


class OriginalRequest(BaseModel):
    """What a link of the original's may say; other words are passed over, as the original did."""

    n_sensors: Annotated[int, Field(ge=1, le=10**9)] = N_SENSORS
    theta: Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)] = THETA
    min_age: Annotated[int, Field(ge=0, le=90)] = OPTIONAL["min_age"]
    max_age: Annotated[int, Field(ge=0, le=90)] = OPTIONAL["max_age"]
    population_weight: _Weight = OPTIONAL["population_weight"]
    workplace_weight: _Weight = OPTIONAL["workplace_weight"]
    lad20cd: Annotated[str, Field(max_length=200)] | None = None


class CoverageRequest(WhereAndWho):
    """A network of the client's own, to be measured."""

    city: Name | None = Field(None, description="As for a job.")
    sensors: (
        Literal["existing", "existing-points"]
        | Annotated[list[Name], Field(min_length=1, max_length=100_000)]
        | Annotated[list[tuple[Real, Real]], Field(min_length=1, max_length=100_000)]
    ) = Field(
        description="Ids of sites or areas; or pairs of x and y in the city's CRS; or what stands "
        "there today."
    )

    @field_validator("sensors", mode="before")
    @classmethod
    def _are_places(cls, given: Any) -> Any:
        """Say of all the forms together what is wrong."""
        is_list = isinstance(given, list) and bool(given)
        ids = is_list and all(isinstance(each, str) for each in given)
        pairs = is_list and all(
            isinstance(each, list | tuple) and [type(x) in (int, float) for x in each] == [True] * 2
            for each in given
        )
        if ids or pairs or given in ("existing", "existing-points"):
            return given
        msg = 'must be a list of ids, such as ["001", "064"], or of pairs of x and y, or "existing"'
        raise ValueError(msg)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"sensors": ["001", "064", "120"], "theta": 500}]},
    )


def words_of(model: WhereAndWho) -> dict[str, Any]:
    """Words of a question that were said; others keep the defaults of the library."""
    return model.model_dump(exclude_unset=True, exclude={"city"}, exclude_none=True)


#: Names of all fields.
FIELDS = sorted(
    {
        name
        for model in (JobSubmission, ProblemModel, FrontProblem, GroupModel, CoverageRequest)
        for name in model.model_fields
    }
)
