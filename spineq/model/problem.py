"""The problem: everything that defines an answer except the city."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any, Literal, get_args

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
from spineq.model._problem_clashes import check_together
from spineq.model._problem_words import AversionForm as AversionForm
from spineq.model._problem_words import BoundName as BoundName
from spineq.model._problem_words import DecayName as DecayName
from spineq.model._problem_words import MethodName as MethodName
from spineq.model._problem_words import ObjectiveName as ObjectiveName
from spineq.model._problem_words import ProblemWords as ProblemWords
from spineq.model.groups import Group, groups_from_words, known_keys
from spineq.model.kinds import Kinds, checked_kinds, number_of

#: Parameters of the original system that stand for groups.
WORDS = ("population_weight", "workplace_weight", "min_age", "max_age", "pop_age_groups")


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
        placed. Either this or ``budget`` or ``reach``; beside ``retire`` and ``move_at_most``
        the number of new ones, None for none.
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
    reach
        Coverage that groups must reach with as few sensors as can be, in the forms of
        ``at_least``; or ``"existing"``, today's coverage of every reported group.
    retire, move_at_most
        How many of the existing sensors are taken away, and how many may move, 0 or more. The
        others stay, those that ``keep`` names for sure.
    kinds
        Kinds of sensors by name, each with a theta of its own; then ``theta`` is that of the
        sensors that stay. A site gets one sensor at most. Without ``n_sensors`` and ``budget``
        there are as many as the kinds say.
    failure_probability
        Probability with which each sensor fails, those that stay too, independently of the others:
        0 (none ever does) up to but below 1. What is maximised is then the coverage that is to
        be expected.
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
    reach: Literal["existing"] | tuple[Floor, ...] = ()
    retire: int = 0
    move_at_most: int = 0
    kinds: Kinds = ()
    failure_probability: float = 0.0
    bound: BoundName | None = None
    effort: float = 1.0
    gap_limit: float = 0.0

    def __post_init__(self) -> None:
        """Check and normalise what was given."""
        made: dict[str, Any] = {}
        made["retire"] = whole(self.retire, "retire", 0, 10**9)
        made["move_at_most"] = whole(self.move_at_most, "move_at_most", 0, 10**9)
        made["kinds"] = checked_kinds(self.kinds)
        if made["kinds"] and self.n_sensors is None and self.budget is None:
            made["n_sensors"] = number_of(made["kinds"])
        elif _is_none_new(self.n_sensors) and (made["retire"] or made["move_at_most"]):
            made["n_sensors"] = None
        elif self.n_sensors is not None:
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
        made["failure_probability"] = between(self.failure_probability, "failure_probability", 1.0)
        made["at_least"] = floors(self.at_least, groups)
        if not isinstance(self.reach, str) or self.reach != "existing":
            made["reach"] = floors(self.reach, groups, "reach")
            if self.reach and not made["reach"]:
                msg = "reach asks for nothing: every coverage to reach is 0"
                raise ProblemError(msg, field="reach", mend='Write {"pop_elderly": 0.45}')
        if self.bound is not None:
            choice(self.bound, "bound", get_args(BoundName))
        made["effort"] = positive(self.effort, "effort", "1")
        made["gap_limit"] = between(self.gap_limit, "gap_limit", 1.0)
        for name, value in made.items():
            object.__setattr__(self, name, value)
        check_together(self)

    @property
    def number(self) -> int:
        """Number of sensors asked for.

        Raises
        ------
        ProblemError
            There is something else instead.
        """
        if self.n_sensors is None:
            other = "budget" if self.budget is not None else "reach" if self.reach else "retire"
            words = {"budget": "a budget", "reach": "coverage to reach"}
            has = words.get(other, "changes of today's sensors")
            msg = f"a number of sensors is needed here, and the problem has {has} instead"
            raise ProblemError(msg, field="n_sensors", mend=f"Give n_sensors instead of {other}")
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
        rules = rules or bool(self.reach) or self.changes_existing or self.failure_probability > 0.0
        # What greedy refuses has no answer to begin with.
        return not rules and self.objective == "mean" and not self.at_least and not self.start

    @property
    def changes_existing(self) -> bool:
        """Whether existing sensors may be taken away or moved."""
        return self.retire > 0 or self.move_at_most > 0

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
            elif field.name == "kinds":
                made["kinds"] = {name: kind.to_dict() for name, kind in value}
            elif field.name in ("at_least", "reach") and not isinstance(value, str):
                made[field.name] = floors_to_dict(value)
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
        levels = [made.get(name, {}) for name in ("at_least", "reach")]
        owed = [
            floor["group"]
            for named in levels
            if isinstance(named, dict)
            for floor in named.values()
        ]
        for group in [*made.get("groups", {}).values(), *owed]:
            group.pop("title", None)
        text = json.dumps(made, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(b"spineq-problem-1\n" + text.encode()).hexdigest()


def _is_none_new(n_sensors: object) -> bool:
    """Whether 0 sensors are asked for, or no number."""
    number = isinstance(n_sensors, Integral) and not isinstance(n_sensors, bool)
    return n_sensors is None or (number and n_sensors == 0)
