"""What a report says of the city: who lives and works there, and where one sensor would do most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq import plot
from spineq.model._words import counted, in_a_sentence, is_source, percent
from spineq.model.groups import OLDEST, Group, title_of
from spineq.report.parts import Shown, key_figures, picture, side_by_side, table, together, words

if TYPE_CHECKING:
    from spineq.report.study import Study


def overview(study: Study) -> Shown:
    """Say how large the city is."""
    city = study.city
    figures = [(f"{city.n_areas:,}", "small areas")]
    for column, label in ((None, "residents"), ("workers", "people who work there")):
        group = Group(ages=(0, OLDEST)) if column is None else Group(column=column)
        if city.has(group):
            figures.append((f"{city.people(group).values.sum():,.0f}", label))
    figures.append((f"{city.n_sites:,}", "places where a sensor can stand"))
    for name in city.point_groups:
        number = int((city.points["group"] == name).sum())
        figures.append((f"{number:,}", f"points of {title_of(name, Group(column=name))}"))
    if city.existing is not None:
        figures.append((f"{len(city.existing):,}", "existing sensors"))
    said = [line for line in city.label.note.splitlines() if not is_source(line)]
    if len(said) < len(city.label.note.splitlines()):
        said.append("Where each table comes from stands at the end, under How this was made.")
    return together(key_figures(figures), words(*said, city.attribution))


def groups(study: Study) -> Shown:
    """List who matters in this report, and how much."""
    rows, weights = list[tuple[str, ...]](), study.problem.group_weights
    estimated = False
    for name, group in study.groups:
        people = study.city.people(group)
        estimated = estimated or people.estimated
        mark = " (estimated)" if people.estimated else ""
        title, who = title_of(name, group), group.label
        called = title if title.casefold() == who.casefold() else f"{title}: {who}"
        rows.append((f"{called}{mark}", f"{people.values.sum():,.0f}", percent(weights[name])))
    heads = ("Group", "People or total", "Weight here")
    said = (
        "A weight is importance, not head count: groups of the same weight count alike, however "
        "many people each has, and whoever is in two groups counts in both. Workers are counted "
        "where they work."
    )
    more = "Estimated groups come from age bands split in proportion to their years."
    titles = study.own_titles()
    own = f"For {titles}, the total is that of the weights of the points where they stand."
    notes = words(said if len(rows) > 1 else "", own if titles else "", more if estimated else "")
    return together(table(heads, rows), notes)


def density_maps(study: Study) -> Shown:
    """Draw where the people of each group are."""
    pictures = []
    for number, (name, group) in enumerate(study.groups, start=1):
        said = (
            f"Points of {in_a_sentence(title_of(name, group))}, each as large as its weight."
            if (name, group) in study.own_groups
            else ""
        )
        drawn = plot.density(study.city, group, name=name)
        pictures.append(study.keep(picture(f"density-{number}", drawn, caption=said)))
    return side_by_side(*pictures)


def importance_map(study: Study) -> Shown:
    """Draw what one sensor would cover, wherever it stood."""
    problem = study.plain
    made = picture(
        "importance",
        plot.importance(study.city, problem),
        caption="The brighter, the more of those who matter here a single sensor at that "
        f"place would cover. The best of {counted(study.city.n_sites, 'place')} are not the best "
        "places for several sensors: two next to each other cover the same people.",
    )
    return side_by_side(study.keep(made))
