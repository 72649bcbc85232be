"""What a report says of the trade-off: what more for one group costs the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq import plot
from spineq.model import _front_words
from spineq.model._words import percent
from spineq.report.parts import Shown, picture, side_by_side, table, together, words

if TYPE_CHECKING:
    from spineq.report.study import Study

#: Maps from the best network of one group to that of another.
_MAPS = 4


def summary(study: Study) -> Shown:
    """Say how far the groups compete, and which networks stand out."""
    front = study.front
    if front is None:
        return words(study.lacking)
    if not front.n_networks:
        return words("The search found no network.")
    coverage = front.group_coverage.to_numpy()
    knee, fair = front.knee(), front.worst_best()
    mine = study.network.group_coverage
    marks = front.dataset["group_estimated"].to_numpy()
    rows = []
    titles = _front_words.titles(front)
    for name, _ in study.groups:
        k = front.groups.index(name)
        title, column = titles[k], coverage[:, k]
        cells = (column.min(), column.max(), column[knee], column[fair], mine.sel(group=name))
        shown = f"{title}{' (estimated)' if marks[k] else ''}"
        rows.append((shown, *(percent(float(cell)) for cell in cells)))
    heads = (
        "Coverage of",
        "lowest",
        "highest",
        "at the knee",
        "best for the worst-off",
        "this report's network",
    )
    said = (
        f"{front.n_networks:,} networks of which none is better for every group than another; that "
        "there are no others is not proven. The knee is where the curve bends most: beyond it, a "
        "little more for one group costs the others much. Best for the worst-off is the one of "
        "these networks whose worst covered group is covered best."
    )
    return together(words(said), table(heads, rows), words(_less(study), _stopped(study)))


def _less(study: Study) -> str:
    """Say where the search was shorter than usual."""
    if study.front_effort >= 1.0:
        return ""
    return (
        f"Since the city has {study.city.n_sites:,} places for a sensor, the networks were looked "
        f"for with {100 * study.front_effort:.1f} % of the usual effort: longer searching may find "
        "better ones."
    )


def _stopped(study: Study) -> str:
    stopped = study.front is not None and study.front.stopped
    return "The search was stopped early: better networks may be easy to find." if stopped else ""


def pairs(study: Study) -> Shown:
    """Draw the groups' coverage against each other."""
    front = study.front
    if front is None or not front.n_networks:
        return words()
    made = picture("trade-off", plot.front_pairs(front))
    return side_by_side(study.keep(made))


def spectrum(study: Study) -> Shown:
    """Draw networks from the best for one group to the best for another."""
    front = study.front
    if front is None or front.n_networks < 2:
        return words()
    made = picture("trade-off-maps", plot.front_maps(front, study.city, count=_MAPS))
    return side_by_side(study.keep(made))
