"""What pictures and tables of a sweep must say beside its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import DataError
from spineq.model.groups import GROUPS, Group, title_of
from spineq.model.problem import WORDS, Problem

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.sweeps.points import Plan

# Words that say whom a network is for.
_WHOM = ("groups", *WORDS)


def facts_of(plan: Plan, cities: Mapping[str, City]) -> dict[str, Any]:
    """Collect what a sweep's results carry along, in JSON's types.

    Parameters
    ----------
    plan
        What was asked.
    cities
        By name.

    Returns
    -------
    dict
        ``notes``; ``sets``, the groups of each set by label, as far as no other set means other
        people by the same name; ``titles`` by group; and ``cities``: ``title``, ``digest``,
        ``unit`` of theta, ``attribution``, and ``estimated``, names of groups that are estimates.
    """
    groups = shared_groups(plan)
    everyone = dict(GROUPS) | groups
    made = {}
    for name, city in cities.items():
        made[name] = {
            "title": city.name,
            "digest": city.digest,
            "unit": city.travel_unit,
            "attribution": city.label.attribution,
            "estimated": [
                group for group, who in everyone.items() if city.has(who) and _estimated(city, who)
            ],
        }
    return {
        "notes": list(plan.notes),
        "sets": {
            label: {name: group.to_dict() for name, group in each.items()}
            for label, each in _sets(plan).items()
            if set(each) <= set(groups)
        },
        "titles": {name: title_of(name, group) for name, group in everyone.items()},
        "cities": made,
    }


def _estimated(city: City, group: Group) -> bool:
    try:
        return bool(city.people(group).estimated)
    except DataError:
        return False


def _sets(plan: Plan) -> dict[str, dict[str, Group]]:
    """Groups of each set that networks were made for, by label."""
    made: dict[str, dict[str, Group]] = {}
    for point in plan.points:
        if point.task == "optimise" and point.label not in made:
            words = {name: word for name, word in point.asked().items() if name in _WHOM}
            made[point.label] = dict(Problem.from_words(n_sensors=1, **words).groups)
    return made


def shared_groups(plan: Plan) -> dict[str, Group]:
    """Groups of all sets by name, but for names that mean other people in another set."""
    made: dict[str, Group] = {}
    mixed_up = set()
    for groups in _sets(plan).values():
        for name, group in groups.items():
            known = made.get(name) or GROUPS.get(name)
            if known is not None and not known.same_people(group):
                mixed_up.add(name)
            made[name] = group
    return {name: group for name, group in made.items() if name not in mixed_up}


def coverage_of_others(
    network: Network, city: City, groups: Mapping[str, Group]
) -> dict[str, float]:
    """Coverage by a network of groups that it does not report, 0 to 1.

    A group's coverage is the mean of the areas', weighted by its people; a group that the city
    has no data of is left out.
    """
    covered, made = network.area_coverage.to_numpy(), {}
    reported = set(network.group_coverage["group"].to_numpy())
    for name, group in groups.items():
        if name not in reported and city.has(group):
            try:
                people = city.people(group).values
            except DataError:
                continue
            made[name] = float(np.sum(people / people.sum() * covered))
    return made
