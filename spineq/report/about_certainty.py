"""What a report says of how sure the network is: sensors that fail, numbers that differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from spineq import plot
from spineq.model._objective_words import counted, percent
from spineq.report.parts import Shown, heading, picture, side_by_side, table, together, words
from spineq.report.questions import CHANCE, THETA

if TYPE_CHECKING:
    from spineq.insight.robustness import Robustness
    from spineq.insight.withstood import Withstood
    from spineq.report.study import Study

#: Sensors listed by how often one is near.
_LISTED = 10

#: Share of scenarios below which a place is listed as uncertain.
_UNCERTAIN = 0.9


def failures(study: Study) -> Shown:
    """Say what is left when sensors fail."""
    found = study.questions.robustness
    head = heading("When sensors fail")
    if found is None:
        return together(head, words(study.questions.lacking.get("robustness", "")))
    k, chance = found.failures, f"{100 * CHANCE:g} %"
    heads = ["", "All at work", "One fails, on average", "One fails, at worst"]
    heads += [f"{k} fail, at worst"] if k > 1 else []
    heads += [f"Each fails with a chance of {chance}, to be expected"]
    rows = [_row(found, found.total), *(_row(found, each) for each in found.groups.values())]
    if len(found.groups) == 1:
        rows = rows[1:]
    caption = "Coverage: whoever loses the nearest sensor is covered by the next one"
    if k > 1:
        caption += f". The {k} that fail are those that the mean of the groups misses most"
    return together(head, table(heads, rows, caption), words(*_said(found)))


def _row(found: Robustness, each: Withstood) -> tuple[str, ...]:
    cells = [_known(value) for value in (each.coverage, each.one_mean, each.one_worst)]
    if found.failures > 1:
        worst = each.worst
        if each is found.total and worst is not None:
            # What remains at least, as the sentence below has it: rounded down.
            worst = math.floor(1000 * worst + 1e-9) / 1000
        cells.append(_known(worst))
    return (each.title, *cells, _known(each.expected))


def _known(value: float | None) -> str:
    return "not known" if value is None else percent(value)


def _said(found: Robustness) -> list[str]:
    """Take what the answer says of itself, but for what stands in the table."""
    beginnings = tuple(f"{each.title}: " for each in found.groups.values())
    _, *lines = found.summary().split("\n")
    return [line for line in lines if not line.startswith(beginnings)]


def numbers(study: Study) -> Shown:
    """Say how far the places hang on numbers that nobody knows exactly."""
    found = study.questions.stability
    head = heading("When the numbers differ")
    if found is None:
        return together(head, words(study.questions.lacking.get("stability", "")))
    low, high = (f"{100 * one:g} %" for one in THETA)
    drawn = "the number of people in every area is drawn as counts vary by chance, and " * (
        found.poisson
    )
    about = (
        "Nobody knows exactly how many people there are and how fast coverage falls with "
        f"distance. So the network was worked out again in {counted(found.n_scenarios, 'scenario')}"
        f": in each, {drawn}theta is drawn between {low} and {high} of this report's."
    )
    parts = [head, words(about)]
    if found.n_scenarios:
        made = picture("how-often-near", plot.stability(found, study.city))
        parts.append(side_by_side(study.keep(made)))
    # The first two lines say how it was done.
    parts.append(words(*found.summary().split("\n")[2:]))
    uncertain = found.table[found.table["near"] < _UNCERTAIN].sort_values("near", kind="stable")
    if len(uncertain):
        near = f"one within {found.near:,g} m"
        rows = [
            (
                str(number),
                str(row["site"]) or f"in {row['area']}",
                _share(row["chosen"], found.n_scenarios),
                _share(row["near"], found.n_scenarios),
            )
            for number, row in uncertain.head(_LISTED).iterrows()
        ]
        caption = "The least certain places: in how many scenarios a sensor is placed"
        parts.append(table(("Sensor", "Place", "at the very place", near), rows, caption))
    return together(*parts)


def _share(value: float, n: int) -> str:
    """Write a share of scenarios as so many of so many."""
    return "-" if value != value else f"{round(value * n):,} of {n:,}"
