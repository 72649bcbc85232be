"""What a network withstands: the figures of `spineq.robustness`, and how they are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.model._objective_words import counted
from spineq.model.groups import known_keys

#: Columns of the table that describe a sensor and are no numbers.
_TEXT = ("site", "area")

#: What `Robustness.from_dict` needs.
_KEYS = frozenset(
    ("about", "failures", "total", "groups", "worst_sensors", "floor", "probability", "draws")
) | {"sensors", "stopped"}


@dataclass(frozen=True)
class Withstood:
    """Coverage of the problem's groups or of one group as sensors fail, 0 to 1.

    What is not known, since it was not asked for or the watcher stopped before, is None.

    Parameters
    ----------
    title
        What sentences call it.
    weight
        In what was maximised, 0 to 1; 1 for the weighted mean itself.
    people
        How many people; None for the weighted mean.
    coverage
        With every sensor at work.
    one_mean
        Mean over which single sensor fails.
    one_worst
        When the single sensor fails that it misses most; exact.
    one_sensor
        Order of that sensor, from 1.
    worst
        When all of `Robustness.worst_sensors` fail: those that the weighted mean misses most.
    expected
        Expected value where each sensor fails by chance; exact.
    deviation, deviation_error
        Standard deviation of that, estimated from draws, and the estimate's standard error.
    low, low_from, low_to
        What remains at least in 95 % of draws; and an interval for it at 95 % confidence.
    """

    title: str
    weight: float
    people: float | None
    coverage: float
    one_mean: float | None = None
    one_worst: float | None = None
    one_sensor: int | None = None
    worst: float | None = None
    expected: float | None = None
    deviation: float | None = None
    deviation_error: float | None = None
    low: float | None = None
    low_from: float | None = None
    low_to: float | None = None


@dataclass(frozen=True, eq=False)
class Robustness:
    """What a network covers when some of its sensors fail.

    Sensors that stood already (kept) fail like the others.

    Parameters
    ----------
    table
        One row per sensor by order (from 1), for when it alone fails: ``site``, ``area``, ``x``,
        ``y`` (metres), ``kept``; ``lost``, weighted mean coverage that is lost, 0 to 1; for each
        group ``lost <name>``, the group's coverage that is lost, and ``beyond <name>``, how many
        of its people had a sensor within 500 m and then have none there. NaN where the watcher
        stopped before.
    total
        The weighted mean of the problem's groups; see `Withstood`.
    groups
        The same for each reported group by name.
    failures
        How many sensors fail at once in the worst case.
    worst_sensors
        Orders of so many sensors that are missed most by the weighted mean, of all sets that were
        looked at; empty where the watcher stopped before.
    floor
        Weighted mean coverage below which no such failure brings the network, by proof, 0 to 1;
        None where nothing is proven.
    probability
        Probability with which each sensor fails, or one for each sensor; None where none was
        given.
    draws
        Number of draws from which deviations and low cases are estimated; 0 without any.
    about
        ``city``: its name; ``groups``: the problem's groups in words; ``objective``: what was
        maximised, ``"mean"``, ``"equivalent"``, ``"expected"``, ``"worst"`` or
        ``"worst_share"``; the figures
        here are of the weighted mean, and of the groups, whatever it was.
    stopped
        Whether the watcher asked to stop.
    """

    table: pd.DataFrame
    total: Withstood
    groups: dict[str, Withstood]
    failures: int
    worst_sensors: tuple[int, ...] = ()
    floor: float | None = None
    probability: float | tuple[float, ...] | None = None
    draws: int = 0
    about: dict[str, str] = field(default_factory=dict)
    stopped: bool = False

    @property
    def n_sensors(self) -> int:
        """Number of sensors, those that stay included."""
        return len(self.table)

    @property
    def proven(self) -> bool:
        """Whether no other failure of so many sensors is worse, but for rounding."""
        if self.floor is None or self.total.worst is None:
            return False
        return self.total.worst - self.floor <= 1e-11

    def groups_table(self) -> pd.DataFrame:
        """One row a group, by name, with the figures of `Withstood`; NaN for what is not known."""
        made = pd.DataFrame([asdict(each) for each in self.groups.values()])
        made.index = pd.Index(list(self.groups), name="group")
        return made

    def summary(self) -> str:
        """Say it in plain sentences, a line each."""
        from spineq.insight._robustness_words import summary

        return summary(self)

    def to_dict(self) -> dict[str, Any]:
        """Describe it in JSON's types; what is not known is None."""
        rows = self.table.reset_index().to_dict("records")
        given = self.probability
        return {
            "about": dict(self.about),
            "n_sensors": self.n_sensors,
            "failures": self.failures,
            "total": asdict(self.total),
            "groups": {name: asdict(each) for name, each in self.groups.items()},
            "worst_sensors": list(self.worst_sensors),
            "floor": self.floor,
            "proven": self.proven,
            "probability": list(given) if isinstance(given, tuple) else given,
            "draws": self.draws,
            "sensors": [{str(key): _plain(value) for key, value in row.items()} for row in rows],
            "stopped": self.stopped,
        }

    @classmethod
    def from_dict(cls, made: Mapping[str, Any]) -> Robustness:
        """Rebuild what `to_dict` described.

        Raises
        ------
        ProblemError
            Something else is given.
        """
        if not isinstance(made, Mapping) or _KEYS - set(made):
            msg = f"{shown(made)} does not describe a Robustness"
            raise ProblemError(msg, field="made", mend="Give what Robustness.to_dict returned")
        try:
            return cls._rebuilt(made)
        except ProblemError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            msg = f"this is no Robustness ({type(error).__name__}: {error})"
            mend = "Give what Robustness.to_dict returned"
            raise ProblemError(msg, field="made", mend=mend) from error

    @classmethod
    def _rebuilt(cls, made: Mapping[str, Any]) -> Robustness:
        known = [each.name for each in fields(Withstood)]
        figures = {
            name: Withstood(**known_keys(each, known, "a group's figures", "made"))
            for name, each in made["groups"].items()
        }
        total = Withstood(**known_keys(made["total"], known, "the total's figures", "made"))
        table = pd.DataFrame(list(made["sensors"])).set_index("order")
        numbers = [name for name in table if name not in _TEXT and name != "kept"]
        table = table.astype(dict.fromkeys(numbers, np.float64)).astype({"kept": np.bool_})
        given = made["probability"]
        return cls(
            table,
            total,
            figures,
            int(made["failures"]),
            tuple(made["worst_sensors"]),
            made["floor"],
            tuple(given) if isinstance(given, list) else given,
            int(made["draws"]),
            dict(made["about"]),
            bool(made["stopped"]),
        )

    def __repr__(self) -> str:
        worst = "not known" if self.total.worst is None else f"{self.total.worst:.4f}"
        sensors = counted(self.n_sensors, "sensor")
        return (
            f"<Robustness of {sensors}: coverage {self.total.coverage:.4f}, with the worst "
            f"{self.failures} failed {worst}{', proven' if self.proven else ''}>"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else float(value)
    return int(value) if isinstance(value, np.integer) else value
