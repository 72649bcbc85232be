"""What a report says of the existing sensors: who gains and who loses, and what fewer could do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spineq import plot
from spineq.insight.centroids import area_points
from spineq.model._objective_words import points
from spineq.model._words import counted, percent, shown_table
from spineq.report.parts import (
    Shown,
    heading,
    key_figures,
    picture,
    side_by_side,
    table,
    together,
    words,
)
from spineq.report.study import MOST_AREAS

if TYPE_CHECKING:
    from spineq.report.study import Study

NONE = (
    "The data of this city have no existing sensors, so there is nothing to compare with. Give a "
    "file of them (parameter existing) and this section shows who would be better and worse off."
)

_LABELS = ("this network", "the network of today")

_HEADS = ("Existing sensors", "This network", "Change (points)")

#: Change of coverage, as a share, from which an area counts as better or worse covered.
_FELT = 0.01


def comparison(study: Study) -> Shown:
    """Compare coverage by group."""
    today = study.existing
    if today is None:
        return words(study.lacking_today or NONE)
    mine, theirs = shown_table(study.network), shown_table(today)
    rows = []
    for name in mine.index.intersection(theirs.index, sort=False):
        one, other = mine.loc[name], theirs.loc[name]
        near = points(one["within 500 m"] - other["within 500 m"])
        rows.append(
            (
                f"{one['title']}{' (estimated)' if one['estimated'] else ''}",
                percent(other["coverage"]),
                percent(one["coverage"]),
                points(one["coverage"] - other["coverage"]),
                near,
            )
        )
    heads = ("Group", *_HEADS, f"Within 500 m{study.how_far} (points)")
    return together(_sizes(study), table(heads, rows), words(*_felt(study), _spread(study)))


def _sizes(study: Study) -> Shown:
    assert study.existing is not None
    net, today = study.network, study.existing
    change = net.total_coverage - today.total_coverage
    assert study.city.existing is not None
    placed, now = net.n_sensors - net.n_kept, len(study.city.existing)
    number = f"{placed:,}" if not net.n_kept else f"{placed:,} more"
    of = "of this network" if not net.n_kept else "beside those that stay"
    what = f"{'sensor' if placed == 1 else 'sensors'} {of}"
    if net.problem.changes_existing:
        number = f"{net.n_sensors:,}"
        what = "place with a sensor then" if net.n_sensors == 1 else "places with a sensor then"
    existing = "existing sensor" if now == 1 else "existing sensors"
    return key_figures(
        [
            (f"{now:,}", f"{existing}: {percent(today.total_coverage)}"),
            (number, f"{what}: {percent(net.total_coverage)}"),
            (points(change), "percentage points of coverage"),
        ]
    )


def _felt(study: Study) -> list[str]:
    """Say how many of the people of the groups are better and worse covered."""
    assert study.existing is not None
    net, today = study.network, study.existing
    better = worse = 0.0
    pairs = zip(study.covered_groups(net), study.covered_groups(today), strict=True)
    for (weight, mine), (_, theirs) in pairs:
        better += float(weight[mine - theirs > _FELT].sum())
        worse += float(weight[mine - theirs < -_FELT].sum())
    whom, which = "groups' people, by the groups' weights, live or work", "that"
    if study.own_groups:
        # Schools do not live or work anywhere.
        whom, which = "groups, by their weights, are", "where they"
    said = (
        f"{percent(better)} of the {whom} in areas {which} are covered better than today by more "
        f"than a percentage point, {percent(worse)} in areas {which} are covered worse."
    )
    assert study.city.existing is not None
    number = len(study.city.existing)
    places = (
        f"The {number:,} existing sensors stand at {today.n_sensors:,} different places."
        if today.n_sensors < number
        else ""
    )
    kept = "" if net.n_kept else "The existing sensors are not part of this network."
    more = "Changes are of the figures before they were rounded."
    return [said, f"{places} {kept} {more}".strip()]


def _spread(study: Study) -> str:
    """Say how much of the change is owed to people being at points."""
    mine, today = study.hidden, study.hidden_today
    if study.spread is None or mine is None or today is None:
        return ""
    here = mine.total_at_centroids - today.total_at_centroids
    there = mine.total_at_points - today.total_at_points
    flatters = (
        "These figures flatter the new network: its sensors stand at the very points where people "
        "are taken to be, the existing ones where they are. "
        if study.city.sites_are_areas and there < here
        else ""
    )
    return (
        f"{flatters}With people spread evenly over their areas instead, the change is "
        f"{points(there)} points, not {points(here)}; the section on trust has both for each group."
    )


def difference_map(study: Study) -> Shown:
    """Draw the change of coverage, by area and on the ground."""
    if study.existing is None:
        return words()
    net, today, city = study.network, study.existing, study.city
    pictures = [
        study.keep(picture("difference-by-area", plot.difference(net, today, city, labels=_LABELS)))
    ]
    one = area_points(city) == city.n_areas
    its = "the one point where all of its people are" if one else "the points where its people are"
    said = (
        f"On the map by area, a large area takes the colour of {its} taken to be; on the ground, "
        "colours are of the places themselves."
    )
    if city.travel is not None:
        said = "The change on the ground is not drawn: between points no travel costs are known."
    elif city.n_areas > MOST_AREAS:
        said = "The change on the ground is not drawn for so large a city."
    else:
        ground = plot.difference_grid(net, today, city, labels=_LABELS)
        pictures.append(study.keep(picture("difference-on-the-ground", ground)))
    titles = study.own_titles()
    own = f"The colours of areas say nothing of {titles}, which stand at points of their own."
    return together(side_by_side(*pictures), words(said, own if titles else ""))


def fewer(study: Study) -> Shown:
    """Say how few sensors would do as much as the existing ones."""
    if study.existing is None:
        return words()
    head = heading("How few sensors would do as much")
    found = study.as_good_as_today
    if found is None:
        return together(head, words("The existing sensors cover nobody: none do as much."))
    assert study.city.existing is not None
    now = len(study.city.existing)
    lines = [found.summary()]
    if found.n_sensors is not None and found.n_sensors < now:
        well = counted(found.n_sensors, "well-placed sensor")
        lines.append(f"So many is today's coverage: {well} instead of {now:,}.")
    lines += [_fewer_spread(study), _REASONS]
    return together(head, words(*lines))


_REASONS = (
    "Existing sensors may stand where they do for other reasons than this report's: roads, power, "
    "a study. What they measure is not judged here."
)


def _fewer_spread(study: Study) -> str:
    """Say how many it takes where people are not at points."""
    again, found = study.as_good_spread, study.as_good_as_today
    if again is None or again.n_sensors is None or found is None or found.n_sensors is None:
        return ""
    number = counted(again.n_sensors, "sensor")
    proof = ", fewer cannot" if again.proven else ""
    if again.n_sensors == found.n_sensors:
        return f"With people spread evenly over their areas it takes as many{proof}."
    return (
        f"With people spread evenly over their areas it takes {number} instead{proof}: the first "
        "number owes something to people being taken to be at points, where sensors are put."
    )


def worst_off(study: Study) -> Shown:
    """List the areas that lose most, by people and coverage lost."""
    if study.existing is None:
        return words()
    net, today = study.network, study.existing
    covered, before = study.covered(net), study.covered(today)
    change = covered - before
    lost = net.dataset["area_weight"].to_numpy() * np.minimum(change, 0.0)
    order = [k for k in np.argsort(lost, kind="stable")[:10] if change[k] < -_FELT and lost[k] < 0]
    if not order:
        return words("No area is covered worse than today by more than a percentage point.")
    areas = net.dataset["area"].to_numpy()
    title, people = study.most_people
    rows = [
        (
            str(areas[k]),
            f"{people[k]:,.0f}",
            percent(before[k]),
            percent(covered[k]),
            points(float(change[k])),
        )
        for k in order
    ]
    caption = "Where most would be lost, by the groups' weights and the change"
    titles = study.own_titles()
    own = f"Coverage is that of all who count in the area, points of {titles} among them."
    shown = table(("Area", title, *_HEADS), rows, caption)
    return together(shown, words(own if titles else ""))
