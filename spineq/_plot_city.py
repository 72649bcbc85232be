"""Maps of a city before any sensor: where people are, and what one sensor would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from spineq._plot_parts import draw_map, head, split_bands
from spineq.errors import ProblemError, shown
from spineq.model._exports import need_city
from spineq.model._words import in_a_sentence
from spineq.model.groups import Group, title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spineq.model.city import City
    from spineq.model.problem import Problem, ProblemWords

#: Share of the areas whose density is told apart; the densest few would leave the rest dark.
_TOP = 0.98


def density(city: City, group: Group, *, name: str = "", ax: Axes | None = None) -> Axes:
    """Draw how densely a group's people live or work.

    Parameters
    ----------
    city
        Where. Without polygons areas have no size, and their numbers of people are drawn.
    group
        Who.
    name
        Name of the group, for the title where the group has none of its own.
    ax
        Where to draw; a figure of its own by default.

    Raises
    ------
    ProblemError
        No city, or no group.
    DataError
        The city lacks the data of the group.
    """
    need_city(city)
    if not isinstance(group, Group):
        msg = f"a group is needed, not {shown(group)}"
        raise ProblemError(msg, field="group", mend="Write for example sq.Group(ages=(0, 15))")
    people, polygons = city.people(group), city.polygons
    title = title_of(name, group)
    who = title if group.column in city.point_groups else "People"
    values, label = people.values, f"{who} of the area"
    if polygons is not None:
        hectares = polygons.area.to_numpy() / 1e4
        values = np.divide(values, hectares, out=np.zeros(len(values)), where=hectares > 0)
        label = f"{who} per hectare"
    top = float(np.quantile(values, _TOP))
    ax = draw_map(
        city,
        values,
        ax,
        label=label,
        top=top if top > 0 else max(float(values.max()), 1.0),
        notes=[city.attribution, split_bands([title] if people.estimated else [])],
        shares=False,
    )
    head(ax, f"{city.name or 'City'}: {in_a_sentence(title)}, {people.values.sum():,.0f}")
    return ax


def importance(
    city: City,
    problem: Problem | None = None,
    *,
    ax: Axes | None = None,
    **words: Unpack[ProblemWords],
) -> Axes:
    """Draw how much a single sensor would cover, at each area's point.

    Parameters
    ----------
    city
        The city; with sites of its own, an area shows the best site inside it.
    problem
        Groups, theta and decay; or give them as keywords, as for `spineq.optimise`.
    ax
        Where to draw; a figure of its own by default.

    Raises
    ------
    ProblemError
        A parameter is wrong.
    DataError
        The city lacks the data of a group.
    """
    from spineq.instance import area_values, problem_for

    problem = problem_for(city, problem, {"n_sensors": 1, **words} if problem is None else words)
    by_area = area_values(city, problem)
    titles = [title_of(name, group) for name, group in problem.groups]
    split = [
        title
        for title, (_, group) in zip(titles, problem.groups, strict=True)
        if city.people(group).estimated
    ]
    ax = draw_map(
        city,
        by_area,
        ax,
        label="Coverage by one sensor there",
        top=float(np.nanmax(by_area)),
        notes=[city.attribution, split_bands(split)],
        decimals=1,
        unknown="no site in the area",
    )
    whom = in_a_sentence(titles[0]) if len(titles) == 1 else f"{len(titles)} weighted groups"
    head(
        ax,
        f"{city.name or 'City'}: share of {whom} that one sensor would cover "
        f"(theta {problem.theta:,g} {city.travel_unit})",
    )
    return ax
