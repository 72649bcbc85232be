"""Types of a problem's fields, and the keywords that stand for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from spineq.model.groups import Group
from spineq.model.kinds import Kind

if TYPE_CHECKING:
    from spineq.model.network import Network

DecayName = Literal["exponential", "step", "linear", "gaussian"]
MethodName = Literal["auto", "exchange", "greedy", "random", "lagrangian", "branch_bound", "milp"]
ObjectiveName = Literal["mean", "worst", "worst_share"]
AversionForm = Literal["kolm_pollak", "atkinson"]
BoundName = Literal["none", "quick", "tight"]


#: What leaves the rules of a problem out: what may be placed where, and how many of what.
NO_RULES: dict[str, Any] = {
    "budget": None,
    "site_cost": None,
    "region": None,
    "max_per_region": None,
    "min_per_region": None,
    "min_spacing": 0.0,
    "forbid": (),
    "start": (),
    "at_least": (),
    "reach": (),
    "retire": 0,
    "move_at_most": 0,
    "kinds": (),
}


class ProblemWords(TypedDict, total=False):
    """The keywords that stand for a problem; see `Problem` and `Problem.from_words`."""

    n_sensors: int | None
    theta: float
    groups: Mapping[str, Group] | None
    decay: DecayName
    method: MethodName
    seed: int
    budget: float | None
    site_cost: str | None
    region: str | None
    max_per_region: int | Mapping[Any, int] | None
    min_per_region: int | Mapping[Any, int] | None
    min_spacing: float
    keep: Network | Iterable[str | int] | None
    forbid: Iterable[str | int] | None
    start: Network | Iterable[str | int] | None
    aversion: float
    aversion_form: AversionForm
    at_least: Network | Mapping[str, float | tuple[Group, float]] | None
    reach: Literal["existing"] | Network | Mapping[str, float | tuple[Group, float]] | None
    retire: int
    move_at_most: int
    kinds: Mapping[str, Kind | Mapping[str, float]] | None
    failure_probability: float
    objective: ObjectiveName
    bound: BoundName | None
    effort: float
    gap_limit: float
    population_weight: float | None
    workplace_weight: float | None
    min_age: int | None
    max_age: int | None
    pop_age_groups: Mapping[str, Mapping[str, Any]] | None
