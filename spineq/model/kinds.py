"""Kinds of sensors: each with a theta of its own, a number and a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spineq.errors import ProblemError, shown
from spineq.model._problem_checks import between, positive, whole
from spineq.model.groups import known_keys, unprintable

#: Most kinds: each multiplies the candidates.
MOST_KINDS = 20


@dataclass(frozen=True)
class Kind:
    """A kind of sensor.

    Parameters
    ----------
    theta
        Scale of its decay, above 0, in metres (or in the unit of the city's travel table).
    n_sensors
        How many of it there are at most, 1 or more; None for as many as the number of sensors
        or the budget lets.
    cost
        What one costs, 0 to 1e15, in the unit of the budget; beside what the site costs.

    Raises
    ------
    ProblemError
        A value of the wrong type or out of its range.
    """

    theta: float
    n_sensors: int | None = None
    cost: float = 0.0

    def __post_init__(self) -> None:
        """Check what was given."""
        object.__setattr__(self, "theta", positive(self.theta, "kinds", "500"))
        if self.n_sensors is not None:
            object.__setattr__(self, "n_sensors", whole(self.n_sensors, "kinds", 1, 10**9))
        object.__setattr__(self, "cost", between(self.cost, "kinds"))

    def to_dict(self) -> dict[str, Any]:
        """Describe the kind in JSON's types; fields at their default are left out."""
        made: dict[str, Any] = {"theta": self.theta}
        if self.n_sensors is not None:
            made["n_sensors"] = self.n_sensors
        if self.cost:
            made["cost"] = self.cost
        return made


#: Kinds by name, as a problem keeps them.
Kinds = tuple[tuple[str, Kind], ...]


def checked_kinds(kinds: object) -> Kinds:
    """Check kinds by name; a kind may be described in JSON's types. Sorted by name.

    Raises
    ------
    ProblemError
        They are no kinds by name, or too many.
    """
    mend = 'Write {"reference": Kind(theta=800, n_sensors=5)}'
    if kinds is None:
        return ()
    if isinstance(kinds, Mapping):
        kinds = tuple(kinds.items())
    if not isinstance(kinds, tuple) or not all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in kinds
    ):
        msg = f"kinds must be a dictionary of names and Kinds, not {shown(kinds)}"
        raise ProblemError(msg, field="kinds", mend=mend)
    made: dict[str, Kind] = {}
    for name, kind in kinds:
        if not isinstance(name, str) or not name.strip() or unprintable(name):
            msg = f"a kind's name must be text, not {shown(name)}"
            raise ProblemError(msg, field="kinds", mend=mend)
        if name in made:
            msg = f"two kinds have the name {shown(name)}"
            raise ProblemError(msg, field="kinds", mend="Give each a name of its own")
        made[name] = kind if isinstance(kind, Kind) else _described(name, kind)
    if len(made) > MOST_KINDS:
        msg = f"{len(made):,} kinds of sensors are more than {MOST_KINDS}"
        raise ProblemError(msg, field="kinds", mend="Put some together")
    return tuple((name, made[name]) for name in sorted(made))


def number_of(kinds: Kinds) -> int:
    """Add up how many sensors of all kinds there are.

    Raises
    ------
    ProblemError
        A kind does not say.
    """
    for name, kind in kinds:
        if kind.n_sensors is None:
            msg = f"kind {shown(name)} has no number of sensors"
            mend = "Give it n_sensors, or give n_sensors for all kinds together, or a budget"
            raise ProblemError(msg, field="kinds", mend=mend)
    return sum(kind.n_sensors or 0 for _, kind in kinds)


def _described(name: str, kind: object) -> Kind:
    fields = known_keys(kind, ("theta", "n_sensors", "cost"), f"kind {shown(name)}", "kinds")
    if "theta" not in fields:
        msg = f"kind {shown(name)} has no theta"
        raise ProblemError(msg, field="kinds", mend="Give it in metres, such as 500")
    return Kind(**fields)
