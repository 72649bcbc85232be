"""Maps of a city before any sensor: where people are, and what one sensor would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from spineq._plot_parts import (
    LINES,
    colour_bar,
    colours_to,
    draw_dots,
    draw_map,
    head,
    split_bands,
)
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

#: Size of the heaviest point of a group, in points of print, squared.
_LARGEST_DOT = 220.0


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
    said = f"{city.name or 'City'}: {in_a_sentence(title)}, {people.values.sum():,.0f}"
    if group.column in city.point_groups:
        ax = _at_points(city, str(group.column), ax)
        head(ax, said)
        return ax
    values, label = people.values, "People of the area"
    if polygons is not None:
        hectares = polygons.area.to_numpy() / 1e4
        values = np.divide(values, hectares, out=np.zeros(len(values)), where=hectares > 0)
        label = "People per hectare"
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
    head(ax, said)
    return ax


def _at_points(city: City, group: str, ax: Axes | None) -> Axes:
    """Draw a group that stands at points of its own, each as large as its weight."""
    points = city.points[city.points["group"] == group]
    weights = points["people"].to_numpy(dtype=np.float64)
    scale = _LARGEST_DOT / max(float(weights.max(initial=0.0)), 1e-300)
    ax, dots = draw_dots(
        city,
        points[["x", "y"]].to_numpy(dtype=np.float64),
        ax,
        notes=[city.attribution],
        s=scale * weights,
        color=LINES[0],
        alpha=0.75,
    )
    sizes = dots.legend_elements(
        "sizes", num=3, func=lambda size: size / scale, fmt="{x:,g}", color=LINES[0]
    )
    ax.legend(*sizes, title="Weight of a point", loc="best", frameon=False, labelspacing=1.1)
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
        The city. Sites that are not at the areas' own points are drawn as dots, the better ones
        over the others.
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
    from spineq.instance import area_values, problem_for, site_values

    problem = problem_for(city, problem, {"n_sensors": 1, **words} if problem is None else words)
    titles = [title_of(name, group) for name, group in problem.groups]
    split = [
        title
        for title, (_, group) in zip(titles, problem.groups, strict=True)
        if city.people(group).estimated
    ]
    notes, label = [city.attribution, split_bands(split)], "Coverage by one sensor there"
    if _sites_at_areas(city):
        values = area_values(city, problem)
        top = float(np.nanmax(values))
        ax = draw_map(
            city, values, ax, label=label, top=top, notes=notes, decimals=1,
            unknown="no site in the area",
        )  # fmt: skip
    else:
        values = site_values(city, problem)
        last, top = np.argsort(values, kind="stable"), float(values.max())
        size = float(np.clip(8000 / len(values), 4, 60))
        ax, _ = draw_dots(
            city, city.site_xy[last], ax, notes=notes, c=values[last], s=size, **colours_to(top)
        )
        colour_bar([ax], label=label, top=top, decimals=1)
    whom = in_a_sentence(titles[0]) if len(titles) == 1 else f"{len(titles)} weighted groups"
    head(
        ax,
        f"{city.name or 'City'}: share of {whom} that one sensor would cover "
        f"(theta {problem.theta:,g} {city.travel_unit})",
    )
    return ax


def _sites_at_areas(city: City) -> bool:
    """Whether every site stands at its area's own point."""
    areas = city.dataset[["x", "y"]].to_dataframe()
    return bool((areas.loc[list(city.site_areas)].to_numpy() == city.site_xy).all())
