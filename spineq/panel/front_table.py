"""The table of a front's networks: which, in what order, and in what words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.model._front_words import titles
from spineq.model._words import percent
from spineq.panel.front_points import MARKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.front import Front

#: Before the names of groups, so that one may be called "number".
COLUMN = "group:"


def columns(front: Front) -> list[dict[str, Any]]:
    """Columns of the table: the number, the groups, what is special, and a button."""
    groups = [
        {"key": COLUMN + name, "label": title, "align": "right", "sortable": True}
        for name, title in zip(front.groups, titles(front), strict=True)
    ]
    return [
        {"key": "number", "label": "Network", "head": True, "sortable": True},
        *groups,
        {"key": "marks", "label": "What is special", "narrow": "hide"},
        {"key": "do", "label": "Actions", "kind": "actions", "quiet": True},
    ]


def ordered(front: Front, numbers: NDArray[np.intp], key: str, down: bool) -> NDArray[np.intp]:
    """Put networks, (network,), in the order of a column; of equals the worthier one is first."""
    if key.startswith(COLUMN):
        group = front.groups.index(key.removeprefix(COLUMN))
        coverage = front.group_coverage.to_numpy()[numbers, group]
        return numbers[np.argsort(-coverage if down else coverage, kind="stable")]
    return numbers[::-1] if down else numbers


def rows(front: Front, numbers: NDArray[np.intp], chosen: int) -> list[dict[str, Any]]:
    """Describe networks in words; the one on the map is among what is special."""
    marks: dict[int, list[str]] = {}
    for number, mark in zip((front.knee(), front.worst_best(), chosen), MARKS, strict=True):
        marks.setdefault(number, []).append(mark.label)
    coverage = front.group_coverage.to_numpy()
    made = []
    for k in numbers.tolist():
        row = {
            "id": str(k),
            "number": str(k),
            "marks": ", ".join(marks.get(k, [])),
            "do": [{"name": "show", "label": "Show", "title": f"Show network {k} on the map"}],
        }
        for name, share in zip(front.groups, coverage[k], strict=True):
            row[COLUMN + name] = percent(share)
        made.append(row)
    return made
