"""What a report says of equity: which group, which people and which areas are left behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from spineq import plot
from spineq.model._exports import nearest_sensor
from spineq.model._objective_words import equity_words, in_a_sentence, percent_up
from spineq.model._words import metres, percent
from spineq.model.groups import title_of
from spineq.report.parts import Shown, picture, side_by_side, table, together, words

if TYPE_CHECKING:
    from spineq.model.groups import Group
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
    titles = study.own_titles()
    own = f"Points of {titles} count among these people, by the groups' weights." if titles else ""
    return words(equity_words(study.network), own)


def tenths(study: Study) -> Shown:
    """Draw coverage by tenths of each group's people."""
    report = study.equity
    if not report.by or report.deciles.empty:
        return words(
            "Tenths of people are drawn by a column of the areas (parameter by), or by how densely "
            "people live where the data have polygons; here is neither."
        )
    titles = study.own_titles(reported=True)
    own = f" Points of {titles} have the value of the area that they belong to." if titles else ""
    made = picture(
        "by-tenths",
        plot.deciles(report),
        caption=f"Each group's people, divided into ten equal parts by {report.by} in their area."
        + own,
    )
    return side_by_side(study.keep(made))


def left_behind(study: Study) -> Shown:
    """List the areas with most people far from any sensor, and points of groups that have some."""
    far = [_points_behind(study, name, group) for name, group in study.own_groups]
    return together(*([] if len(far) == len(study.groups) else [_areas_behind(study)]), *far)


def _areas_behind(study: Study) -> Shown:
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


def _points_behind(study: Study, name: str, group: Group) -> Shown:
    """List the points of a group that stands at points of its own, the heaviest first."""
    from scipy.spatial import cKDTree

    title = in_a_sentence(title_of(name, group))
    points = study.city.points
    points = points[points["group"] == group.column]
    tree = cKDTree(study.network.sensors[["x", "y"]].to_numpy(dtype=np.float64))
    distance = tree.query(points[["x", "y"]].to_numpy(dtype=np.float64))[0]
    points = points.assign(far=distance)
    lacking = points[(points["far"] > _FAR) & (points["people"] > 0)]
    if lacking.empty:
        return words(f"No point of {title} is farther than {_FAR:g} m from a sensor.")
    lacking = lacking.sort_values(["people", "far"], ascending=False, kind="stable")
    rows = [
        (str(point), str(row["area_id"]), f"{row['people']:,g}", metres(float(row["far"])))
        for point, row in lacking.head(10).to_dict("index").items()
    ]
    caption = (
        f"Points of {title} more than {_FAR:g} m from any sensor, {len(lacking):,} of "
        f"{len(points):,}; those of most weight first"
    )
    return table(("Point", "Area", "Weight", "Nearest sensor"), rows, caption)
