"""What the map's colours can mean: coverage, change, what one sensor would cover, people."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq.errors import ProblemError, shown
from spineq.model._exports import nearest_sensor, people_columns
from spineq.model._words import in_a_sentence
from spineq.model.groups import GROUPS, title_of
from spineq.model.problem import Problem
from spineq.panel.palette import (
    Legend,
    breaks,
    changes_legend,
    classes,
    classes_between,
    end_of_scale,
    palette,
    shares_legend,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.model.network import Network
    from spineq.panel.marks import Overlay

#: Key of what a question has made of the areas.
OVERLAY = "overlay"

#: How keys begin that name a group.
PEOPLE = "density:"


@dataclass(frozen=True, eq=False)
class Shading:
    """Values of areas and the classes that colour them.

    Parameters
    ----------
    key
        Which shading, one of those of `choices`.
    title
        What the legend says above its colours.
    unit
        Unit of the legend's labels; empty where they carry it.
    values
        (area,); shares 0 to 1, changes of shares, or people per km² or per area.
    classes
        (area,) positions in `palette`; 255 where the value is not known.
    palette
        Colours of the classes.
    legend
        Pairs of colour and label; labels may be empty.
    """

    key: str
    title: str
    unit: str
    values: NDArray[np.float64]
    classes: NDArray[np.uint8]
    palette: tuple[str, ...]
    legend: Legend


def groups_of(city: City, network: Network | None = None) -> dict[str, Group]:
    """Groups whose people can be shown: the city's and the network's, each people once."""
    own = dict(network.problem.groups) if network is not None else {}
    made = city.reported_groups({name: group for name, group in own.items() if city.has(group)})
    return {
        name: group
        for name, group in made.items()
        if name in own
        or name not in GROUPS
        or not any(group.same_people(theirs) for theirs in own.values())
    }


def choices(
    city: City,
    network: Network | None = None,
    other: Network | None = None,
    overlay: Overlay | None = None,
) -> list[tuple[str, str]]:
    """Keys and titles of the shadings that there are at the moment, the likeliest first."""
    made = []
    if network is not None:
        made.append(("coverage", "Coverage"))
        if other is not None:
            made.append(("difference", "Change of coverage"))
    if overlay is not None and overlay.network is network:
        made.append((OVERLAY, overlay.title))
    if network is not None or city.travel_unit == "m":
        made.append(("importance", "What one sensor would cover"))
    per = _per(city)
    made += [
        (PEOPLE + name, f"{title_of(name, group)} per {per}")
        for name, group in groups_of(city, network).items()
    ]
    return made


def shading(
    key: str,
    city: City,
    network: Network | None = None,
    other: Network | None = None,
    overlay: Overlay | None = None,
) -> Shading:
    """Compute a shading.

    Parameters
    ----------
    key
        One of those of `choices` for the same city and networks.
    city
        The city.
    network, other
        The network that is shown, and the one that it is compared with, both of this city.
    overlay
        What a question has made of the areas.

    Raises
    ------
    ProblemError
        There is no such shading, or it wants a network that is not there.
    DataError
        The city lacks the data of a group.
    """
    if key == "coverage" and network is not None:
        values = network.area_coverage.to_numpy()
        return _shares(key, "Coverage of the area", values, 1.0)
    if key == OVERLAY and overlay is not None and overlay.network is network:
        return _shares(key, overlay.legend, overlay.values, 1.0)
    if key == "difference" and network is not None and other is not None:
        return _difference(network, other)
    if key == "importance" and (network is not None or city.travel_unit == "m"):
        return _importance(city, network)
    groups = groups_of(city, network)
    name = key.removeprefix(PEOPLE)
    if key.startswith(PEOPLE) and name in groups:
        return _density(key, city, title_of(name, groups[name]), groups[name])
    msg = f"the map has nothing to show that is called {shown(key)} at the moment"
    known = ", ".join(repr(each) for each, _ in choices(city, network, other, overlay))
    raise ProblemError(msg, field="shading", mend=f"Use one of {known}")


def _shares(key: str, title: str, values: NDArray[np.float64], top: float) -> Shading:
    return Shading(key, title, "", values, classes(values, top), palette(), shares_legend(top))


def _difference(network: Network, other: Network) -> Shading:
    values = network.area_coverage.to_numpy() - other.area_coverage.to_numpy()
    top = end_of_scale(float(np.abs(values).max(initial=0.0)), 0.01)
    return Shading(
        "difference",
        "Change of coverage",
        "percentage points",
        values,
        classes(values, top, diverging=True),
        palette(diverging=True),
        changes_legend(top),
    )


def _importance(city: City, network: Network | None) -> Shading:
    from spineq.instance import area_values

    problem = alone(network)
    values = area_values(city, problem)
    titles = [title_of(name, group) for name, group in problem.groups]
    whom = in_a_sentence(titles[0]) if len(titles) == 1 else f"{len(titles)} weighted groups"
    top = end_of_scale(float(np.nanmax(values)), 1e-4)
    return _shares("importance", f"Share of {whom} that one sensor there would cover", values, top)


def alone(network: Network | None) -> Problem:
    """Problem of a single sensor, with a network's theta, decay and groups, and no rules."""
    if network is None:
        return Problem.from_words(n_sensors=1)
    asked = network.problem
    return Problem(n_sensors=1, theta=asked.theta, decay=asked.decay, groups=asked.groups)


def _per(city: City) -> str:
    return "area" if _square_km(city) is None else "km²"


def _square_km(city: City) -> NDArray[np.float64] | None:
    """Size of each area, (area,); None without polygons.

    It is kept while the city lives: a city hands its polygons out as a copy each time.
    """
    key = id(city)
    held = _SIZES.get(key)
    if held is not None and held[0]() is city:
        return held[1]
    polygons = city.polygons
    made = None if polygons is None else polygons.area.to_numpy() / 1e6
    _SIZES[key] = weakref.ref(city, lambda _: _SIZES.pop(key, None)), made
    return made


# By identity: a city without its polygons is equal to the one with them.
_SIZES: dict[int, tuple[weakref.ref[City], NDArray[np.float64] | None]] = {}


def _density(key: str, city: City, title: str, group: Group) -> Shading:
    people = city.people(group).values.astype(np.float64)
    size = _square_km(city)
    if size is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            people = people / size
        people[~np.isfinite(people)] = np.nan
    made, legend = classes_between(people, breaks(people))
    return Shading(key, title, f"per {_per(city)}", people, made, palette(), legend)


def nearest_metres(network: Network) -> NDArray[np.float64]:
    """Metres from each area's point to the nearest sensor, straight, (area,); inf without one."""
    return np.nan_to_num(nearest_sensor(network), nan=np.inf)


def area_table(
    city: City, network: Network | None = None, other: Network | None = None
) -> pd.DataFrame:
    """Table of what the map shows, one row an area.

    Returns
    -------
    DataFrame
        By id of the area: people of each group by title, ``coverage`` (0 to 1), ``distance`` (to
        the nearest sensor, metres) and ``difference`` of coverage (-1 to 1), as far as there are
        networks.
    """
    made = people_columns(city, groups_of(city, network))
    if network is not None:
        made["coverage"] = network.area_coverage.to_numpy()
        made["distance"] = nearest_metres(network)
        if other is not None:
            made["difference"] = made["coverage"] - other.area_coverage.to_numpy()
    ids = city.dataset["area"].to_numpy()
    return pd.DataFrame(made, index=pd.Index(ids, name="area_id"))
