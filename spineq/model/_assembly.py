"""Putting a network together from what was measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spineq.model._schema import MEANINGS_2, SCHEMA, meaning
from spineq.model.groups import Group, title_of
from spineq.model.network import WITHIN, Network

if TYPE_CHECKING:
    import pandas as pd

    from spineq.model.city import City
    from spineq.model.problem import Problem

# What the variables mean, for whoever opens the file with other tools: words and unit.
_MEANINGS = {
    "sensor_x": ("easting of the sensor in the city's crs", "m"),
    "sensor_y": ("northing of the sensor in the city's crs", "m"),
    "gain": ("coverage that the sensor added to those before it", "1"),
    "coverage_history": ("coverage by the sensors up to this one", "1"),
    "group_history": ("coverage of the group by the sensors up to this one", "1"),
    "area_weight": ("weight of the area in what was maximised, sums to 1", "1"),
    "area_coverage": ("coverage of the area's people", "1"),
    "group_weight": ("weight of the group in what was maximised, sums to 1", "1"),
    "group_people": ("people of the group, or total of its column", ""),
    "group_estimated": ("whether age bands had to be split to count the group", ""),
    "group_coverage": ("coverage of the group's people", "1"),
    "people_within": ("share of the group within so many metres of a sensor", "1"),
    "distance_median": ("distance to the nearest sensor of half of the group", "m"),
    "distance_p90": ("distance to the nearest sensor of nine tenths of the group", "m"),
    **MEANINGS_2,
}


def make_network(
    *,
    problem: Problem,
    city: City,
    method: str,
    sensors: pd.DataFrame,
    area_weight: np.ndarray[Any, np.dtype[np.float64]],
    area_coverage: np.ndarray[Any, np.dtype[np.float64]],
    history: np.ndarray[Any, np.dtype[np.float64]],
    group_history: np.ndarray[Any, np.dtype[np.float64]],
    groups: dict[str, Group],
    table: pd.DataFrame,
    total_coverage: float,
    objective_value: float,
    upper_bound: float,
    stopped: bool,
    cutoff_error: float,
    gini_people: float,
    worst_tenth: float,
    seconds: float,
    sensors_given: int | None = None,
    kept: int = 0,
    spent: float = math.nan,
) -> Network:
    """Put a network together; the arrays are those of `Network.dataset`.

    Parameters
    ----------
    problem, city, method
        What was asked, of which city, and who answered.
    sensors
        Columns ``site, area, x, y``, in order; and ``kind, theta`` where there are kinds.
    area_weight, area_coverage
        (area,).
    history
        (sensor,), weighted mean coverage after each sensor.
    group_history
        (sensor, group).
    groups
        The groups that are reported, in the order of ``table``.
    table
        One row a group: ``people, estimated, coverage, own best, median, p90`` and one column
        for each of `WITHIN`.
    total_coverage, objective_value, upper_bound, stopped, cutoff_error, seconds
        Scalars; an unknown bound is NaN.
    gini_people, worst_tenth
        How coverage is spread over the people of the objective.
    sensors_given
        How many sensors the user named, where some stood in one place.
    kept
        How many of the sensors, the first ones, stood already.
    spent
        What the others cost; NaN without a budget.
    """
    from spineq import __version__

    weights = problem.group_weights
    names = list(groups)
    text: dict[str, Any] = {
        "site": ("sensor", sensors["site"].to_numpy(dtype=object)),
        "sensor_area": ("sensor", sensors["area"].to_numpy(dtype=object)),
        "group_title": (
            "group",
            np.array([title_of(name, groups[name]) for name in names], dtype=object),
        ),
    }
    data = xr.Dataset(
        text
        | {
            "sensor_x": ("sensor", sensors["x"].to_numpy(dtype=float)),
            "sensor_y": ("sensor", sensors["y"].to_numpy(dtype=float)),
            "kept": ("sensor", np.arange(len(sensors)) < kept),
            "gain": ("sensor", np.diff(history, prepend=0.0)),
            "coverage_history": ("sensor", history),
            "group_history": (("sensor", "group"), group_history),
            "area_weight": ("area", area_weight),
            "area_coverage": ("area", area_coverage),
            "group_weight": ("group", np.array([weights.get(name, 0.0) for name in names])),
            "group_people": ("group", table["people"].to_numpy(dtype=float)),
            "group_estimated": ("group", table["estimated"].to_numpy(dtype=bool)),
            "group_coverage": ("group", table["coverage"].to_numpy(dtype=float)),
            "group_own_best": ("group", table["own best"].to_numpy(dtype=float)),
            "people_within": (("group", "within"), table[list(WITHIN)].to_numpy(dtype=float)),
            "distance_median": ("group", table["median"].to_numpy(dtype=float)),
            "distance_p90": ("group", table["p90"].to_numpy(dtype=float)),
        },
        coords={
            "area": city.dataset["area"].to_numpy(),
            "x": ("area", city.dataset["x"].to_numpy()),
            "y": ("area", city.dataset["y"].to_numpy()),
            "group": np.array(names, dtype=object),
            "within": np.array(WITHIN),
        },
        attrs={
            "spineq_schema": SCHEMA,
            "spineq_version": __version__,
            "title": f"Sensor network made by spineq {__version__}",
            "problem": problem.to_json(),
            # In words too, since the problem's JSON leaves out what is at its default.
            "theta": problem.theta,
            "decay": problem.decay,
            "method": method,
            "sensors_given": len(sensors) if sensors_given is None else sensors_given,
            "total_coverage": total_coverage,
            "objective_value": objective_value,
            "upper_bound": upper_bound,
            "stopped": int(stopped),
            "cutoff_error": cutoff_error,
            "gini_people": gini_people,
            "worst_tenth": worst_tenth,
            "spent": spent,
            "seconds": seconds,
            "distance_unit": city.travel_unit,
            "city_name": city.label.name,
            "city_code": city.label.code,
            "city_note": city.label.note,
            "attribution": city.label.attribution,
            "city_digest": city.digest,
            "crs": city.crs.to_string(),
        },
    )
    if "kind" in sensors:
        data["sensor_kind"] = ("sensor", sensors["kind"].to_numpy(dtype=object))
        data["sensor_theta"] = ("sensor", sensors["theta"].to_numpy(dtype=float))
        data["sensor_kind"].attrs.update(
            meaning("kind of the sensor; none if it stood already", "")
        )
        data["sensor_theta"].attrs.update(meaning("scale of the sensor's decay", city.travel_unit))
    for name, (words, unit) in _MEANINGS.items():
        data[name].attrs.update(meaning(words, unit))
    return Network(data)


def with_gone(network: Network, today: int, gone: pd.DataFrame, coverage: float) -> Network:
    """Say which sensors of today are no longer there.

    Parameters
    ----------
    network
        The network without them.
    today
        Number of places with a sensor today.
    gone
        Columns ``sensor, area, x, y``: ids, joined by commas where several stood at one place.
    coverage
        Weighted mean coverage today, by all of them, 0 to 1.
    """
    data = network.dataset.assign_attrs(today=today, today_coverage=coverage)
    for name in ("sensor", "area"):
        data[f"gone_{name}"] = ("gone", gone[name].to_numpy(dtype=object))
    for name in ("x", "y"):
        data[f"gone_{name}"] = ("gone", gone[name].to_numpy(dtype=float))
        data[f"gone_{name}"].attrs.update(meaning("where a sensor of today no longer stands", "m"))
    return Network(data)
