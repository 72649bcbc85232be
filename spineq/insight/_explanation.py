"""What `spineq.insight.explain.explain` answers with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Integral
from typing import Any, Self

import pandas as pd

from spineq.errors import ProblemError, UnknownSensorError, shown
from spineq.insight._explain_words import place_words, sensor_words, summary
from spineq.model.groups import known_keys


@dataclass(frozen=True)
class GroupFacts:
    """A group that people are counted by.

    Parameters
    ----------
    name, title
        Its name in the network, and what people call it.
    ages, column
        Ages, years, both included; or the column that it is.
    estimated
        Whether an age band had to be split to count it.
    judged
        Whether it is one of the objective's.
    """

    name: str
    title: str
    ages: tuple[int, int] | None
    column: str | None
    estimated: bool
    judged: bool


@dataclass(frozen=True)
class SolvedAgain:
    """The best network when one thing is decided otherwise.

    Parameters
    ----------
    value, bound
        Its objective, as `Network.objective_value`, and what it can be at most, by proof; None
        where no allowed network was found.
    proven
        Whether no such network is better; or, where none was found, whether there is none.
    comes, goes
        Ids of the sites with a sensor in it and not in the network, and the reverse: the
        site that was decided about first.
    """

    value: float | None
    bound: float | None
    proven: bool
    comes: tuple[str, ...] = ()
    goes: tuple[str, ...] = ()

    def with_comes(self, comes: tuple[str, ...]) -> Self:
        """Return it with other sites named."""
        return replace(self, comes=comes)


@dataclass(frozen=True)
class Substitute:
    """A site that would do instead of a sensor's.

    Parameters
    ----------
    site
        Its id.
    loss
        What the objective loses, 0 to 1; below 0 for a gain.
    metres
        How far it is from the sensor in a straight line.
    """

    site: str
    loss: float
    metres: float


@dataclass(frozen=True)
class SensorFacts:
    """One sensor of a network.

    Parameters
    ----------
    order
        Its place in the network, from 1, those that stay included.
    number
        Its place among those that do not stay, from 1; None for one that stays.
    site, area
        Ids; the site is empty for a place that is none.
    x, y
        Where it stands, metres.
    kept
        Whether it stands already and stays.
    people_near, people_only
        People by group within the distance of it; and of it and of no other sensor.
    area_coverage, area_coverage_without
        Coverage of its own area by the network, and by the network without it, 0 to 1.
    loss
        What the objective loses where it is taken away and nothing put in its place, 0 to 1.
    n_tenth, n_half
        Other sites that in its place, the others fixed and the rules kept, lose at most 0.1 %
        and 0.5 % of the objective; None where that was not looked at.
    substitutes
        Up to five sites that lose at most 0.5 %, those that lose the least first.
    nearest
        Of all that lose at most 0.5 %, the one that is nearest to it.
    refusable
        Whether it can be asked what the best network without it is.
    replacement
        That network; None where that was not asked, or not found out before a stop.
    """

    order: int
    number: int | None
    site: str
    area: str
    x: float
    y: float
    kept: bool
    people_near: dict[str, float]
    people_only: dict[str, float]
    area_coverage: float
    area_coverage_without: float
    loss: float
    n_tenth: int | None = None
    n_half: int | None = None
    substitutes: tuple[Substitute, ...] = ()
    nearest: Substitute | None = None
    refusable: bool = True
    replacement: SolvedAgain | None = None


@dataclass(frozen=True)
class PlaceFacts:
    """A site where no sensor was put.

    Parameters
    ----------
    site, area
        Ids.
    allowed
        Whether the problem allows a sensor there.
    adds
        What a sensor there would add to the objective beside all others, 0 to 1.
    nearest, nearest_metres
        The nearest sensor, and how far it is in a straight line, metres; None without sensors.
    looked_for_swaps
        Whether swaps were looked at.
    swap_out, swap_value
        The sensor in whose place it loses the least, and the objective then; None where the
        rules allow no swap.
    insisting
        The best network with a sensor there; None where a stop came first or none is allowed.
    """

    site: str
    area: str
    allowed: bool
    adds: float
    nearest: SensorFacts | None = None
    nearest_metres: float | None = None
    looked_for_swaps: bool = False
    swap_out: SensorFacts | None = None
    swap_value: float | None = None
    insisting: SolvedAgain | None = None


@dataclass(frozen=True)
class Explanation:
    """Why the sensors of a network stand where they do.

    Parameters
    ----------
    city
        The city's name.
    kind
        What was maximised: ``mean``, ``equivalent``, ``worst`` or ``worst_share``.
    value
        The network's objective, as `Network.objective_value`, 0 to 1.
    near
        Distance within which people are near a sensor, metres.
    groups
        Whom people are counted by.
    sensors
        The network's sensors, those that stay first.
    refused
        Whether it was asked what the best network without each sensor is.
    stopped
        Whether the watcher asked to stop.
    place
        A site where no sensor was put, where that was asked.
    """

    city: str
    kind: str
    value: float
    near: float
    groups: tuple[GroupFacts, ...]
    sensors: tuple[SensorFacts, ...]
    refused: bool = True
    stopped: bool = False
    place: PlaceFacts | None = None

    @property
    def proven(self) -> bool:
        """Whether everything that was to be found out by solving again was, with proof."""
        asked = [s.replacement for s in self.sensors if self.refused and s.refusable]
        if self.place is not None and self.place.allowed:
            asked.append(self.place.insisting)
        return not self.stopped and all(found is not None and found.proven for found in asked)

    @property
    def table(self) -> pd.DataFrame:
        """One row a sensor by ``order``; what is not known is None or NaN.

        Columns: ``number``, ``site``, ``area``, ``kept``; ``near <group>`` and ``only <group>``,
        people within the distance of it, and of no other; ``area coverage`` and ``area coverage
        without``; ``loss``; ``replacement cost``, the objective less that of the best network
        found without it, and ``replacement cost at least``, the same by that network's bound;
        ``proven``; ``comes``, ids joined by commas; ``within 0.1 %`` and ``within 0.5 %``, numbers
        of substitutes; ``best substitute`` and ``nearest substitute``.
        """
        rows = [self._row(sensor) for sensor in self.sensors]
        index = pd.Index([sensor.order for sensor in self.sensors], name="order")
        return pd.DataFrame(rows, index=index)

    def _row(self, sensor: SensorFacts) -> dict[str, Any]:
        found = sensor.replacement
        known = found is not None and found.value is not None and found.bound is not None
        row: dict[str, Any] = {
            "number": sensor.number,
            "site": sensor.site,
            "area": sensor.area,
            "kept": sensor.kept,
        }
        row |= {f"near {name}": people for name, people in sensor.people_near.items()}
        row |= {f"only {name}": people for name, people in sensor.people_only.items()}
        row |= {
            "area coverage": sensor.area_coverage,
            "area coverage without": sensor.area_coverage_without,
            "loss": sensor.loss,
            "replacement cost": self.cost(sensor) if known else math.nan,
            "replacement cost at least": (
                self.value - found.bound
                if known and found and found.bound is not None
                else math.nan
            ),
            "proven": found is not None and found.proven,
            "comes": "" if found is None else ",".join(found.comes),
            "within 0.1 %": sensor.n_tenth,
            "within 0.5 %": sensor.n_half,
            "best substitute": sensor.substitutes[0].site if sensor.substitutes else "",
            "nearest substitute": "" if sensor.nearest is None else sensor.nearest.site,
        }
        return row

    def cost(self, sensor: SensorFacts) -> float | None:
        """Objective less that of the best network found without a sensor; None where unknown.

        Where that is proven it is what the sensor's place is worth; below 0 where the network is
        not the best.
        """
        found = sensor.replacement
        return None if found is None or found.value is None else self.value - found.value

    def sensor(self, which: int | str) -> SensorFacts:
        """Return a sensor by its number, from 1, or by the id of its site (or area, if none).

        Raises
        ------
        UnknownSensorError
            There is none.
        """
        for sensor in self.sensors:
            if isinstance(which, str):
                if which and which in (sensor.site, "" if sensor.site else sensor.area):
                    return sensor
            elif isinstance(which, Integral) and type(which) is not bool and sensor.number == which:
                return sensor
        number = sum(not sensor.kept for sensor in self.sensors)
        msg = f"the network has no sensor {shown(which)}"
        mend = f"Give the id of a sensor's site, or a number from 1 to {number:,}"
        raise UnknownSensorError(msg, field="sensor", mend=mend)

    def sentence(self, which: int | str) -> str:
        """Explain a sensor, by number or site, in plain sentences.

        The place that was asked about is explained by its id too.

        Raises
        ------
        UnknownSensorError
            There is no such sensor.
        """
        if self.place is not None and which == self.place.site:
            return place_words(self.place, self)
        return sensor_words(self.sensor(which), self)

    def summary(self) -> str:
        """Say what stands out, in plain sentences."""
        return summary(self)

    def to_dict(self) -> dict[str, Any]:
        """Describe it in JSON's types; `from_dict` rebuilds it."""
        made: dict[str, Any] = _plain(asdict(self))
        return made | {"proven": self.proven}

    @classmethod
    def from_dict(cls, made: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` described.

        Raises
        ------
        ProblemError
            A key that is not one of its own, one that is missing, or something else for a list.
        """
        words = _fields(Explanation, made, "proven")
        words.pop("proven", None)
        try:
            words["groups"] = tuple(_group(each) for each in words["groups"])
            words["sensors"] = tuple(_sensor(each) for each in words["sensors"])
            words["place"] = None if words["place"] is None else _place(words["place"])
        except TypeError as error:
            msg = f"this is no explanation ({error})"
            mend = "Give what Explanation.to_dict made"
            raise ProblemError(msg, field="explanation", mend=mend) from error
        return cls(**words)

    def __repr__(self) -> str:
        number = f"{len(self.sensors):,} sensor{'' if len(self.sensors) == 1 else 's'}"
        said = "stopped" if self.stopped else "proven" if self.proven else "not all proven"
        return f"<Explanation of {number} in {self.city or 'a city'}: {said}>"


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _fields(of: Any, made: object, *more: str) -> dict[str, Any]:
    names = [field.name for field in fields(of)]
    words = known_keys(made, [*names, *more], "an explanation", "explanation")
    missing = [name for name in names if name not in words]
    if missing:
        msg = f"an explanation lacks {shown(missing[0])}"
        raise ProblemError(msg, field="explanation", mend="Give what Explanation.to_dict made")
    return words


def _group(made: object) -> GroupFacts:
    words = _fields(GroupFacts, made)
    words["ages"] = None if words["ages"] is None else tuple(words["ages"])
    return GroupFacts(**words)


def _again(made: object) -> SolvedAgain | None:
    if made is None:
        return None
    words = _fields(SolvedAgain, made)
    return SolvedAgain(**words | {"comes": tuple(words["comes"]), "goes": tuple(words["goes"])})


def _sensor(made: object) -> SensorFacts:
    words = _fields(SensorFacts, made)
    others = [Substitute(**_fields(Substitute, each)) for each in words["substitutes"]]
    words["substitutes"] = tuple(others)
    if words["nearest"] is not None:
        words["nearest"] = Substitute(**_fields(Substitute, words["nearest"]))
    words["replacement"] = _again(words["replacement"])
    return SensorFacts(**words)


def _place(made: object) -> PlaceFacts:
    words = _fields(PlaceFacts, made)
    for name in ("nearest", "swap_out"):
        words[name] = None if words[name] is None else _sensor(words[name])
    words["insisting"] = _again(words["insisting"])
    return PlaceFacts(**words)
