"""What the what-if page is given: places and weights in full precision, and words."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq._plot_parts import existing_elsewhere
from spineq.constraints import usable_for
from spineq.errors import DataError
from spineq.model._exports import AT_A_PLACE, need_same_city, shown_groups
from spineq.model._objective_words import (
    explained,
    figure_name,
    in_a_sentence,
    maximised,
    objective_words,
    sensors_words,
)
from spineq.model._words import shown_table, theta_words
from spineq.report.page_shapes import packed, shapes
from spineq.report.parts import how_far

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.model.network import Network

#: Bytes of a travel table, as text in the page, up to which a page is made.
MOST_TRAVEL = 20_000_000

# How coverage falls, for someone who never heard of decays.
_DECAYS = {
    "exponential": "Someone at a sensor counts as fully covered (100 %), someone {theta} away as "
    "37 %, and someone twice as far as 14 %.",
    "step": "Someone up to {theta} from a sensor counts as covered, everyone else as not.",
    "linear": "Someone at a sensor counts as fully covered (100 %), someone half of {theta} away "
    "as 50 %, and someone {theta} away or further as not covered.",
    "gaussian": "Someone at a sensor counts as fully covered (100 %), someone {theta} away as "
    "61 %, and someone twice as far as 14 %.",
}


def payload(network: Network, city: City) -> dict[str, Any]:
    """Collect what the page needs, in JSON's types.

    Parameters
    ----------
    network, city
        The network, and the city that it was made for.

    Returns
    -------
    dict
        ``words`` (sentences and names, which are data and never HTML), ``decay``, ``theta``,
        ``unit``, ``objective``, ``groups``, ``people`` (group, area), ``points`` (area, share,
        x, y), ``sites``, ``sensors``, ``existing``, ``travel`` and ``map``. Arrays are as
        `spineq.report.page_shapes.packed` writes them.

    Raises
    ------
    ProblemError
        One of them is something else.
    DataError
        The city is another one, or its travel table is too large for a page.
    """
    need_same_city(network, city)
    groups, people = _groups(network, city)
    problem = network.problem
    return {
        "words": _words(network) | {"near": f"Within 500\u00a0m{how_far(city)}"},
        "decay": problem.decay,
        "theta": problem.theta,
        "unit": city.travel_unit,
        "objective": _objective(network),
        "groups": groups,
        "people": packed(people),
        "points": {
            "area": packed(city.point_area),
            "share": packed(city.point_share),
            **_xy(city.point_xy),
        },
        "areas": [str(name) for name in city.dataset["area"].to_numpy()],
        "sites": _sites(network, city),
        "sensors": _sensors(network, city),
        "existing": _existing(network, city),
        "travel": _travel(city),
        "map": shapes(city, network.sensors[["x", "y"]].to_numpy(dtype=np.float64)),
    }


def _xy(xy: NDArray[np.float64]) -> dict[str, Any]:
    """Places, (place, 2) metres, in float64: distances must be those of Python."""
    return {"x": packed(xy[:, 0]), "y": packed(xy[:, 1])}


def _words(network: Network) -> dict[str, Any]:
    attrs, problem = network.dataset.attrs, network.problem
    named = ("min_spacing", "region", "budget", "at_least", "reach", "changes_existing")
    return {
        "city": attrs["city_name"] or "the city",
        "attribution": attrs["attribution"],
        "note": attrs["city_note"],
        "theta": theta_words(network),
        "decay": _DECAYS[problem.decay].format(theta=theta_words(network)),
        "certificate": network.certificate(),
        "explained": explained(network),
        "given": network.method == "given",
        "stopped": network.stopped,
        "rules": any(bool(getattr(problem, name)) for name in named),
        "version": attrs["spineq_version"],
    }


def _objective(network: Network) -> dict[str, Any]:
    """What was maximised, for the page to compute again, and how it is called."""
    problem, kind = network.problem, maximised(network.problem)
    own_best = network.dataset["group_own_best"].to_series().dropna()
    name = figure_name(problem)
    if kind == "mean" and network.method == "given":
        name = "Taken together"
    return {
        "kind": kind,
        "name": name,
        "words": f"{name}: {_measured(network)}.",
        "aversion": problem.aversion,
        "form": problem.aversion_form,
        "weights": dict(problem.group_weights),
        # Whoever has no best of its own known has a share of everything, as `spineq.measure` has.
        "own_best": {str(group): float(best) for group, best in own_best.items()},
    }


def _measured(network: Network) -> str:
    """Say what the figure that was maximised is the coverage of."""
    whom = objective_words(network)
    return {
        "mean": f"the mean coverage of {whom}",
        "equivalent": f"of {whom}, with an aversion to inequality",
        "worst": "the coverage of whoever is covered least, of the groups that count here",
        "worst_share": "of the groups that count here, what the one that does worst has of the "
        f"coverage that it could have alone with {sensors_words(network)}",
    }[maximised(network.problem)]


def _groups(network: Network, city: City) -> tuple[list[dict[str, Any]], NDArray[np.float64]]:
    """Groups in the order of the network's table, and their people, (group, area)."""
    known = shown_groups(network, city)
    table = shown_table(network)
    groups = [
        {
            "name": str(name),
            "title": str(row["title"]),
            "inSentence": in_a_sentence(str(row["title"])),
            "estimated": bool(row["estimated"]),
            "weights": _at_points(city, known[str(name)]),
        }
        for name, row in zip(table.index, table.to_dict("records"), strict=True)
    ]
    return groups, np.array([city.people(known[str(name)]).values for name in table.index])


def _at_points(city: City, group: Group) -> dict[str, Any] | None:
    """Weights over the demand points of a group that stands at some of its own, else None."""
    if group.column not in city.point_groups:
        return None
    return packed(city.weights_at_points([(group.label, replace(group, weight=1.0))]))


def _sites(network: Network, city: City) -> dict[str, Any]:
    """Sites, whether a sensor may be moved there, and whether `evaluate` knows them by name."""
    ids, names = city.dataset["site"].to_numpy(), pd.Index(city.dataset["area"].to_numpy())
    usable = usable_for(city, network.problem)
    strange = pd.Index(ids).isin(names) & (city.site_areas != ids)
    strange |= np.array([not _nameable(str(name)) for name in ids])
    made: dict[str, Any] = {
        "closed": [] if usable is None else np.flatnonzero(~usable).tolist(),
        "unnamed": np.flatnonzero(strange).tolist(),
    }
    if city.sites_are_areas:
        # None says: those of the areas, which the page has already.
        return made | {"ids": None, "areas": None, **_xy(city.site_xy)}
    areas = names.get_indexer(pd.Index(city.site_areas))
    return made | {
        "ids": [str(name) for name in ids],
        "areas": packed(areas),
        **_xy(city.site_xy),
    }


def _nameable(name: str) -> bool:
    """Whether an id can stand in a list with commas."""
    return "," not in name and name == name.strip()


def _sensors(network: Network, city: City) -> list[dict[str, Any]]:
    """Sensors in order: position of the site (-1 for none), area, place, and what names it."""
    sites = pd.Index(city.dataset["site"].to_numpy())
    table = network.sensors
    position = sites.get_indexer(pd.Index(table["site"].to_numpy(), dtype=object))
    data = city.dataset
    area = pd.Index(data["area"].to_numpy()).get_indexer(pd.Index(table["area"], dtype=object))
    at = np.column_stack([data["x"].to_numpy()[area], data["y"].to_numpy()[area]])
    away = np.hypot(*(at - table[["x", "y"]].to_numpy(dtype=np.float64)).T)
    return [
        {
            "site": int(site),
            "area": str(row["area"]),
            "x": float(row["x"]),
            "y": float(row["y"]),
            "kept": k < network.n_kept,
            # A place at an area's point that is no site is known by the area.
            "named": bool(site < 0 and apart <= AT_A_PLACE and _nameable(str(row["area"]))),
        }
        for k, (site, row, apart) in enumerate(
            zip(position, table.to_dict("records"), away, strict=True)
        )
    ]


def _existing(network: Network, city: City) -> list[list[float]]:
    """Places of the existing sensors that are not in the network, [x, y] metres each."""
    elsewhere = existing_elsewhere(city, network)
    return [] if elsewhere is None else elsewhere[["x", "y"]].to_numpy(dtype=float).tolist()


def _travel(city: City) -> dict[str, Any] | None:
    """Travel costs of all sites; a table with every pair need not say which."""
    travel = city.travel
    if travel is None:
        return None
    targets = city.n_areas if travel.by == "area" else city.n_points
    start = np.searchsorted(travel.site, np.arange(city.n_sites + 1))
    full = len(travel.cost) == city.n_sites * targets
    made = {
        "by": travel.by,
        "start": packed(start),
        "target": None if full else packed(travel.target),
        "cost": packed(travel.cost),
    }
    size = sum(len(part["data"]) for part in made.values() if isinstance(part, dict))
    if size > MOST_TRAVEL:
        msg = (
            f"the travel table has {len(travel.cost):,} pairs, {math.ceil(size / 1e6):,} MB in a "
            f"page, and a page holds {MOST_TRAVEL / 1e6:g} MB of it"
        )
        mend = "Leave out pairs that are too far to matter, or round the costs to tenths"
        raise DataError(msg, field="travel", mend=mend)
    return made
