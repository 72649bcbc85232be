"""The problem: everything that defines an answer except the city."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from spineq.errors import ProblemError, shortened, shown
from spineq.model._problem_checks import (
    DEFAULT_GROUPS,
    MOST_AVERSION,
    Floor,
    between,
    checked_groups,
    choice,
    column_name,
    floors,
    floors_to_dict,
    no_groups,
    per_region,
    positive,
    site_ids,
    whole,
)
from spineq.model.groups import Group, groups_from_words, known_keys

if TYPE_CHECKING:
    from spineq.model.network import Network

DecayName = Literal["exponential", "step", "linear", "gaussian"]
MethodName = Literal["auto", "exchange", "greedy", "random", "lagrangian", "branch_bound", "milp"]
ObjectiveName = Literal["mean", "worst", "worst_share"]
AversionForm = Literal["kolm_pollak", "atkinson"]
BoundName = Literal["none", "quick", "tight"]

#: Parameters of the original system that stand for groups.
WORDS = ("population_weight", "workplace_weight", "min_age", "max_age", "pop_age_groups")


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
    objective: ObjectiveName
    bound: BoundName | None
    effort: float
    gap_limit: float
    population_weight: float | None
    workplace_weight: float | None
    min_age: int | None
    max_age: int | None
    pop_age_groups: Mapping[str, Mapping[str, Any]] | None


@dataclass(frozen=True)
class Problem:
    """What is asked of a city. Frozen, hashable, JSON-able; checked when it is made.

    What is given in one form is kept in another: ids of sites and regions as sorted tuples of
    text, floors as triples of name, Group and level. What stands for "nothing" is None or
    empty.

    Parameters
    ----------
    n_sensors
        Number of sensors to place, 1 to 1,000,000,000; with ``min_spacing`` the most that are
        placed. Either this or ``budget``.
    theta
        Scale of the decay, above 0, in metres (or in the unit of the city's travel table).
    groups
        Who matters and how much, by name; or a tuple of pairs. By default all residents.
    decay
        How coverage falls with distance; see `spineq.solvers.decays.DECAYS`.
    method
        The solver, see `spineq.solvers.METHODS`; or ``"auto"``, the best that is there.
    seed
        Seed of methods that draw at random, 0 or more and below 2**63.
    budget, site_cost
        What all sensors together may cost, 0 to 1e15, and the column of the sites that says
        what one costs there, in the same unit. Both, or neither.
    region
        Column of the sites that says in which region each lies, text or whole numbers.
    max_per_region, min_per_region
        Sensors at most and at least in every region, 1 or more; or by region, 0 or more, where
        the regions that are not named are free.
    min_spacing
        Least distance between two sensors as the crow flies, metres, 0 to 1e15.
    keep
        Sensors that stay and are not counted: ids of sites, a network, or ``"existing"``, the
        city's existing sensors.
    forbid
        Ids of sites, or a network, where no sensor may stand.
    start
        A network to improve: itself, or ids of its sites.
    aversion, aversion_form
        Aversion to inequality between people, 0 (none) to 100, in the form ``"kolm_pollak"`` or
        ``"atkinson"``, which must stay below 1: people's coverage counts through an increasing
        concave function.
    at_least
        Least coverage of groups, 0 to 1, by name (of ``groups``, else of `GROUPS`) or as pairs
        of Group and level by name; or a network, below whose coverage no reported group may be.
    objective
        What is maximised: ``"mean"``, the weighted mean of the groups; ``"worst"``, the
        coverage of the worst-off group; ``"worst_share"``, the smallest share of what a group
        could have alone.
    bound
        Which bound the answer is to have: ``"none"``, ``"quick"`` or ``"tight"``; None for what
        the method brings by itself.
    effort
        Work that may be done, above 0, as a multiple of the usual.
    gap_limit
        Gap at which the search may end, 0 to 1.

    Raises
    ------
    ProblemError
        A value of the wrong type or out of its range, or values that contradict each other,
        with the name and the mend.
    """

    n_sensors: int | None = None
    theta: float = 500.0
    groups: tuple[tuple[str, Group], ...] = ()
    decay: DecayName = "exponential"
    method: MethodName = "auto"
    seed: int = 0
    budget: float | None = None
    site_cost: str | None = None
    region: str | None = None
    max_per_region: int | tuple[tuple[str, int], ...] | None = None
    min_per_region: int | tuple[tuple[str, int], ...] | None = None
    min_spacing: float = 0.0
    keep: Literal["existing"] | tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    aversion: float = 0.0
    aversion_form: AversionForm = "kolm_pollak"
    at_least: tuple[Floor, ...] = ()
    objective: ObjectiveName = "mean"
    bound: BoundName | None = None
    effort: float = 1.0
    gap_limit: float = 0.0

    def __post_init__(self) -> None:
        """Check and normalise what was given."""
        made: dict[str, Any] = {}
        if self.n_sensors is not None:
            made["n_sensors"] = whole(self.n_sensors, "n_sensors", 1, 10**9)
        made["seed"] = whole(self.seed, "seed", 0, 2**63 - 1)
        made["theta"] = positive(self.theta, "theta", "500")
        groups = checked_groups(self.groups)
        # Sorted, so that the order in which a caller names groups changes no sum and no digest.
        made["groups"] = tuple(
            sorted((pair for pair in groups if pair[1].weight > 0), key=lambda pair: pair[0])
        )
        choice(self.decay, "decay", get_args(DecayName))
        choice(self.method, "method", get_args(MethodName))
        for name in ("site_cost", "region"):
            if getattr(self, name) is not None:
                made[name] = column_name(getattr(self, name), name)
        if self.budget is not None:
            made["budget"] = between(self.budget, "budget")
        for name in ("max_per_region", "min_per_region"):
            made[name] = per_region(getattr(self, name), name)
        made["min_spacing"] = between(self.min_spacing, "min_spacing")
        for name in ("keep", "forbid", "start"):
            if name != "keep" or not isinstance(self.keep, str) or self.keep != "existing":
                made[name] = site_ids(getattr(self, name), name)
        choice(self.objective, "objective", get_args(ObjectiveName))
        choice(self.aversion_form, "aversion_form", get_args(AversionForm))
        made["aversion"] = between(self.aversion, "aversion", MOST_AVERSION)
        if made["aversion"] == 0:
            made["aversion_form"] = "kolm_pollak"  # without aversion all forms are one
        made["at_least"] = floors(self.at_least, groups)
        if self.bound is not None:
            choice(self.bound, "bound", get_args(BoundName))
        made["effort"] = positive(self.effort, "effort", "1")
        made["gap_limit"] = between(self.gap_limit, "gap_limit", 1.0)
        for name, value in made.items():
            object.__setattr__(self, name, value)
        self._check_together()

    def _check_together(self) -> None:
        """Check that the fields do not contradict each other."""
        if self.n_sensors is None and self.budget is None:
            msg = "the number of sensors is missing"
            mend = "Say how many sensors to place, or give a budget and site_cost"
            raise ProblemError(msg, field="n_sensors", mend=mend)
        if self.n_sensors is not None and self.budget is not None:
            msg = f"both n_sensors ({self.n_sensors}) and a budget ({self.budget:g}) are given"
            raise ProblemError(msg, field="budget", mend="Give one of them")
        if (self.budget is None) != (self.site_cost is None):
            if self.site_cost is None:
                msg, field = "there is a budget, but not what a sensor costs at each site", "budget"
                mend = "Name the column of the sites that says so with site_cost"
            else:
                msg, field = "there is a site_cost, but no budget to pay from", "site_cost"
                mend = "Give a budget instead of n_sensors, or leave site_cost out"
            raise ProblemError(msg, field=field, mend=mend)
        limits = [n for n in ("max_per_region", "min_per_region") if getattr(self, n) is not None]
        if self.region is None and limits:
            msg = f"{limits[0]} is given, but not what the regions are"
            mend = "Name the column of the sites that says so with region"
            raise ProblemError(msg, field=limits[0], mend=mend)
        if self.region is not None and not limits:
            msg = f"the region {shown(self.region)} is given, but no limit for it"
            mend = "Give max_per_region or min_per_region, or leave region out"
            raise ProblemError(msg, field="region", mend=mend)
        if self.aversion > 0 and self.objective != "mean":
            msg = f"aversion is between people, and objective {self.objective!r} between groups"
            raise ProblemError(msg, field="aversion", mend="Give one of them")
        if self.aversion_form == "atkinson" and self.aversion >= 1:
            msg = f"an aversion of {self.aversion:g} has no Atkinson form here: from 1 on, who is "
            msg += "not covered at all would weigh more than all others"
            mend = "Give an aversion below 1, or use the form kolm_pollak"
            raise ProblemError(msg, field="aversion", mend=mend)
        if self.aversion > 0 and self.at_least:
            msg = "at_least is about coverage, and aversion counts something else than coverage"
            raise ProblemError(msg, field="at_least", mend="Give one of them")
        kept = () if self.keep == "existing" else self.keep
        for name, others, word in (
            ("forbid", kept, "kept"), ("start", kept, "kept"), ("start", self.forbid, "forbidden"),
        ):  # fmt: skip
            both = sorted(set(getattr(self, name)) & set(others))
            if both:
                role = "to start from" if name == "start" else "forbidden"
                msg = f"site {shown(both[0])} is both {role} and {word}"
                raise ProblemError(msg, field=name, mend="Leave it out of one of them")

    @property
    def number(self) -> int:
        """Number of sensors asked for.

        Raises
        ------
        ProblemError
            There is a budget instead.
        """
        if self.n_sensors is None:
            msg = "a number of sensors is needed here, and the problem has a budget instead"
            raise ProblemError(msg, field="n_sensors", mend="Give n_sensors instead of budget")
        return self.n_sensors

    @classmethod
    def from_words(cls, **words: Any) -> Problem:
        """Make a problem from a caller's words, the original system's among them.

        Parameters
        ----------
        **words
            Fields of `Problem`; instead of ``groups`` also ``population_weight``,
            ``workplace_weight``, ``min_age``, ``max_age``, ``pop_age_groups``
            (see `spineq.model.groups.groups_from_words`).

        Raises
        ------
        ProblemError
            A word that does not exist, neither ``n_sensors`` nor ``budget``, both kinds of
            groups, or a value out of range.
        """
        known = {field.name for field in fields(cls)}
        sugar = {name: words.pop(name) for name in WORDS if words.get(name) is not None}
        words = {name: word for name, word in words.items() if name not in WORDS}
        unknown = sorted(set(words) - known)
        if unknown:
            msg = f"there is no parameter {shown(unknown[0])}"
            raise ProblemError(msg, mend=f"Use {', '.join(sorted(known))} or {', '.join(WORDS)}")
        if sugar:
            if words.get("groups"):
                msg = f"groups and {', '.join(sugar)} say the same thing twice"
                raise ProblemError(msg, field="groups", mend="Give groups alone")
            words["groups"] = groups_from_words(**sugar)
        elif words.get("groups") is None:
            words["groups"] = ()
        return cls(**words)

    @property
    def has_families(self) -> bool:
        """Whether greedy's answer for fewer sensors is the beginning of that for more."""
        rules = self.region is not None or self.budget is not None or self.min_spacing > 0.0
        # What greedy refuses has no answer to begin with.
        return not rules and self.objective == "mean" and not self.at_least and not self.start

    @property
    def group_weights(self) -> dict[str, float]:
        """Weight of each group, scaled to sum to 1."""
        total = math.fsum(group.weight for _, group in self.groups)
        return {name: group.weight / total for name, group in self.groups}

    def to_dict(self) -> dict[str, Any]:
        """Describe the problem in JSON's types; fields at their default are left out."""
        made: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "groups":
                described = {name: group.to_dict() for name, group in value}
                # Compared as described, for two groups are equal whatever their titles.
                if described != {name: group.to_dict() for name, group in DEFAULT_GROUPS}:
                    made["groups"] = described
            elif value == field.default:
                continue
            elif field.name == "at_least":
                made["at_least"] = floors_to_dict(value)
            elif field.name in ("max_per_region", "min_per_region") and isinstance(value, tuple):
                made[field.name] = dict(value)
            else:
                made[field.name] = list(value) if isinstance(value, tuple) else value
        return made

    @classmethod
    def from_dict(cls, made: Mapping[str, Any]) -> Problem:
        """Rebuild what `to_dict` described.

        Raises
        ------
        ProblemError
            A field that does not exist, or a value out of its range.
        """
        words = known_keys(made, [field.name for field in fields(cls)], "a problem", "problem")
        groups = words.pop("groups", {})
        if not isinstance(groups, Mapping):
            raise no_groups(groups)
        return cls.from_words(
            **words,
            groups={name: Group.from_dict(group) for name, group in groups.items()},
        )

    def to_json(self) -> str:
        """Describe the problem as JSON, the same text for the same problem."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Problem:
        """Rebuild what `to_json` described.

        Raises
        ------
        ProblemError
            Text that is not JSON, a field that does not exist, or a value out of its range.
        """
        try:
            made = json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            msg = f"the problem is not JSON ({shortened(str(error), 200)})"
            raise ProblemError(msg, mend="Give what Problem.to_json wrote") from error
        return cls.from_dict(made)

    @property
    def digest(self) -> str:
        """SHA-256 over the fields that differ from their default, 64 hex digits.

        Titles are display and do not count; nor does a new field at its default, so that
        later versions keep the digests of earlier ones.
        """
        made = self.to_dict()
        if self.groups == DEFAULT_GROUPS:
            made.pop("groups", None)
        owed = [floor["group"] for floor in made.get("at_least", {}).values()]
        for group in [*made.get("groups", {}).values(), *owed]:
            group.pop("title", None)
        text = json.dumps(made, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(b"spineq-problem-1\n" + text.encode()).hexdigest()
