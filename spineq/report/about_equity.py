"""What a report says of equity: which group, which people and which areas are left behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from spineq import plot
from spineq.model._exports import nearest_sensor
from spineq.model._objective_words import equity_words, percent_up
from spineq.model._words import metres, percent
from spineq.report.parts import Shown, picture, side_by_side, table, together, words

if TYPE_CHECKING:
    from spineq.report.study import Study

#: Metres from which an area counts as far from any sensor.
_FAR = 500.0


def groups(study: Study) -> Shown:
    """Compare each group's coverage with what it could have alone."""
    rows = []
    for row in study.equity.groups.to_dict("records"):
        best = row["own best"]
        mark = (
            ""
            if row["proven"] or math.isnan(row["own bound"])
            else (f" (at most {percent_up(row['own bound'], 1)})")
        )
        rows.append(
            (
                f"{row['title']}{' (estimated)' if row['estimated'] else ''}",
                percent(row["coverage"]),
                "not known" if math.isnan(best) else f"{percent(best)}{mark}",
                "-" if math.isnan(best) else percent(row["share of own best"]),
            )
        )
    heads = ("Group", "Coverage", "All sensors placed for it alone", "Share of that")
    said = (
        "A group whose share is small gives most to the others: were all sensors placed for it "
        "alone, it would be covered much better."
    )
    return together(table(heads, rows), words(said if len(rows) > 1 else ""))


def people(study: Study) -> Shown:
    """Say how evenly people are covered."""
    return words(equity_words(study.network))


def tenths(study: Study) -> Shown:
    """Draw coverage by tenths of each group's people."""
    report = study.equity
    if not report.by or report.deciles.empty:
        return words(
            "Tenths of people are drawn by a column of the areas (parameter by), or by how densely "
            "people live where the data have polygons; here is neither."
        )
    made = picture(
        "by-tenths",
        plot.deciles(report),
        caption=f"Each group's people, divided into ten equal parts by {report.by} in their area.",
    )
    return side_by_side(study.keep(made))


def left_behind(study: Study) -> Shown:
    """List the areas with most people far from any sensor."""
    net = study.network
    title, people = study.most_people
    far = nearest_sensor(net)
    lacking = np.where(far > _FAR, people, 0.0)
    order = [k for k in np.argsort(-lacking, kind="stable")[:10] if lacking[k] > 0]
    if not order:
        return words(f"No area is farther than {_FAR:g} m from a sensor.")
    areas, covered = net.dataset["area"].to_numpy(), net.area_coverage.to_numpy()
    rows = [
        (str(areas[k]), f"{people[k]:,.0f}", metres(float(far[k])), percent(float(covered[k])))
        for k in order
    ]
    heads = ("Area", title, "Nearest sensor", "Coverage")
    return table(heads, rows, f"Areas more than {_FAR:g} m from any sensor, most people first")
