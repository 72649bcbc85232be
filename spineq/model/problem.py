"""The problem: everything that defines an answer except the city."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any, Literal, TypedDict, get_args

from spineq.errors import ProblemError, shortened, shown
from spineq.model.groups import (
    GROUPS,
    Group,
    groups_from_words,
    known_keys,
    real_number,
    unprintable,
)

DecayName = Literal["exponential", "step", "linear", "gaussian"]
MethodName = Literal["auto", "exchange", "greedy", "random"]

#: Parameters of the original system that stand for groups.
WORDS = ("population_weight", "workplace_weight", "min_age", "max_age", "pop_age_groups")


class ProblemWords(TypedDict, total=False):
    """The keywords that stand for a problem; see `Problem` and `Problem.from_words`."""

    n_sensors: int
    theta: float
    groups: Mapping[str, Group] | None
    decay: DecayName
    method: MethodName
    seed: int
    population_weight: float | None
    workplace_weight: float | None
    min_age: int | None
    max_age: int | None
    pop_age_groups: Mapping[str, Mapping[str, Any]] | None


@dataclass(frozen=True)
class Problem:
    """What is asked of a city. Frozen, hashable, JSON-able; checked when it is made.

    Parameters
    ----------
    n_sensors
        Number of sensors to place, 1 to 1,000,000,000.
    theta
        Scale of the decay, above 0, in metres (or in the unit of the city's travel table).
    groups
        Who matters and how much, by name; or a tuple of pairs. By default all residents.
    decay
        How coverage falls with distance; see `spineq.solvers.decays.DECAYS`.
    method
        The solver: ``"exchange"``, ``"greedy"``, ``"random"`` (a baseline), or ``"auto"``,
        the best that is there.
    seed
        Seed of methods that draw at random, 0 or more and below 2**63.

    Raises
    ------
    ProblemError
        A value of the wrong type or out of its range, with its name and the mend.
    """

    n_sensors: int
    theta: float = 500.0
    groups: tuple[tuple[str, Group], ...] = ()
    decay: DecayName = "exponential"
    method: MethodName = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check and normalise what was given."""
        object.__setattr__(self, "n_sensors", _whole(self.n_sensors, "n_sensors", 1, 10**9))
        object.__setattr__(self, "seed", _whole(self.seed, "seed", 0, 2**63 - 1))
        object.__setattr__(self, "theta", _positive(self.theta, "theta"))
        object.__setattr__(self, "groups", _groups(self.groups))
        _choice(self.decay, "decay", get_args(DecayName))
        _choice(self.method, "method", get_args(MethodName))

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
            A word that does not exist, a missing ``n_sensors``, both kinds of groups, or a
            value out of range.
        """
        known = {field.name for field in fields(cls)}
        sugar = {name: words.pop(name) for name in WORDS if words.get(name) is not None}
        words = {name: word for name, word in words.items() if name not in WORDS}
        unknown = sorted(set(words) - known)
        if unknown:
            msg = f"there is no parameter {shown(unknown[0])}"
            raise ProblemError(msg, mend=f"Use {', '.join(sorted(known))} or {', '.join(WORDS)}")
        if "n_sensors" not in words:
            msg = "the number of sensors is missing"
            raise ProblemError(msg, field="n_sensors", mend="Say how many sensors to place")
        if sugar:
            if words.get("groups"):
                msg = f"groups and {', '.join(sugar)} say the same thing twice"
                raise ProblemError(msg, field="groups", mend="Give groups alone")
            words["groups"] = groups_from_words(**sugar)
        elif words.get("groups") is None:
            words["groups"] = ()
        return cls(**words)

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
                if described != {name: group.to_dict() for name, group in _DEFAULT_GROUPS}:
                    made["groups"] = described
            elif value != field.default:
                made[field.name] = value
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
            raise _no_groups(groups)
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
        if self.groups == _DEFAULT_GROUPS:
            made.pop("groups", None)
        for group in made.get("groups", {}).values():
            group.pop("title", None)
        text = json.dumps(made, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(b"spineq-problem-1\n" + text.encode()).hexdigest()


def _whole(value: object, name: str, least: int, most: int) -> int:
    mend = f"Give a whole number, {least} or more"
    if isinstance(value, bool) or not isinstance(value, Integral):
        msg = f"{name} must be a whole number, not {shown(value)}"
        raise ProblemError(msg, field=name, mend=mend)
    whole = int(value)
    if whole < least:
        msg = f"{name} must be {least} or more, not {shown(whole)}"
        raise ProblemError(msg, field=name, mend=mend)
    if whole > most:
        msg = f"{name} must be {most:,} or less, not {shown(whole)}"
        raise ProblemError(msg, field=name, mend="Give a smaller number")
    return whole


def _positive(value: object, name: str) -> float:
    mend = "Give a number above 0, for example 500"
    number = real_number(value, name, mend)
    if not 0 < number < math.inf:
        msg = f"{name} must be above 0 and finite, not {number:g}"
        raise ProblemError(msg, field=name, mend=mend)
    return number


def _choice(value: object, name: str, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        msg = f"{name} {shown(value)} does not exist"
        raise ProblemError(msg, field=name, mend=f"Use one of {', '.join(allowed)}")


def _no_groups(groups: object) -> ProblemError:
    msg = f"groups must be a dictionary of names and Groups, not {shown(groups)}"
    return ProblemError(msg, field="groups", mend='Write {"children": Group(ages=(0, 15))}')


def _groups(groups: object) -> tuple[tuple[str, Group], ...]:
    if isinstance(groups, Mapping):
        groups = tuple(groups.items())
    if not isinstance(groups, tuple) or not all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in groups
    ):
        raise _no_groups(groups)
    if not groups:
        return _DEFAULT_GROUPS
    for name, group in groups:
        if not isinstance(name, str) or not name:
            msg = f"a group's name must be text, not {shown(name)}"
            raise ProblemError(msg, field="groups", mend='Write {"children": Group(ages=(0, 15))}')
        if strange := unprintable(name):
            msg = f"the name of group {shown(name)} holds the control character {strange}"
            raise ProblemError(msg, field="groups", mend="Take it out")
        if not isinstance(group, Group):
            msg = f"group {shown(name)} must be a Group, not {shown(group)}"
            raise ProblemError(msg, field="groups", mend="Write Group(ages=(0, 15))")
    names = [name for name, _ in groups]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"two groups have the name {shown(twice[0])}"
        raise ProblemError(msg, field="groups", mend="Give each a name of its own")
    kept = tuple(pair for pair in groups if pair[1].weight > 0)
    if not kept:
        msg = "no group has a weight above zero"
        raise ProblemError(msg, field="groups", mend="Give at least one group a positive weight")
    # Sorted, so that the order in which a caller names groups changes neither a sum nor a digest.
    return tuple(sorted(kept, key=lambda pair: pair[0]))


_DEFAULT_GROUPS: tuple[tuple[str, Group], ...] = (("pop_total", GROUPS["pop_total"]),)
