"""What a report says of equity: which group, which people and which areas are left behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq import plot
from spineq._approaches import approaches
from spineq.model._objective_words import equity_words, in_a_sentence, percent_up
from spineq.model._words import metres, percent
from spineq.model.groups import title_of
from spineq.report.parts import Shown, picture, side_by_side, table, together, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    net = study.network
    one = net.n_sensors - net.n_kept == 1
    alone = "The sensor placed for it alone" if one else "All sensors placed for it alone"
    heads = ("Group", "Coverage", alone, "Share of that")
    were = "were the sensor" if one else "were all sensors"
    said = (
        f"A group whose share is small gives most to the others: {were} placed for it alone, it "
        "would be covered much better."
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
    city, limit, nearest = study.city, _limit(study), _nearest(study)
    beyond = np.bincount(
        city.point_area, weights=city.point_share * (nearest > limit), minlength=city.n_areas
    )
    # Points without people, as those of schools, must not make 0 times infinity of an average.
    each = np.multiply(
        city.point_share, nearest, out=np.zeros(city.n_points), where=city.point_share > 0
    )
    mean = np.bincount(city.point_area, weights=each, minlength=city.n_areas)
    lacking = np.where(beyond > 0.5, beyond * people, 0.0)
    order = [k for k in np.argsort(-lacking, kind="stable")[:10] if lacking[k] > 0]
    far = f"{_cost(study, limit)}{_how(study)}"
    if not order:
        return words(f"In no area are most people farther than {far} from a sensor.")
    areas, covered = net.dataset["area"].to_numpy(), net.area_coverage.to_numpy()
    rows = [
        (
            str(areas[k]),
            f"{people[k]:,.0f}",
            percent(float(beyond[k])),
            _cost(study, float(mean[k])),
            percent(float(covered[k])),
        )
        for k in order
    ]
    heads = ("Area", title, "Of them farther", "Nearest sensor, on average", "Coverage")
    caption = (
        f"Areas most of whose people are more than {far} from any sensor, those with most "
        "such people first"
    )
    return table(heads, rows, caption)


def _limit(study: Study) -> float:
    """Distance or cost from which somebody is far: no metres where costs are in another unit."""
    return _FAR if study.city.travel_unit == "m" else study.problem.theta


def _cost(study: Study, cost: float) -> str:
    """Write a distance or cost with its unit."""
    if not math.isfinite(cost):
        return "out of reach"
    unit = study.city.travel_unit
    return metres(cost) if unit == "m" else f"{cost:,.3g} {unit}"


def _how(study: Study) -> str:
    """Say how it is measured, where that is not in a straight line."""
    if study.city.travel_unit != "m":
        return " by the travel table"
    return study.how_far


def _nearest(study: Study) -> NDArray[np.float64]:
    """Distance or cost from each demand point to the nearest sensor, (point,), as in coverage."""
    city = study.city
    places = study.network.sensors[["site", "x", "y"]].reset_index(drop=True)
    sites = pd.Index(city.dataset["site"].to_numpy())
    places["position"] = sites.get_indexer(pd.Index(places["site"]))
    nearest = np.full(city.n_points, np.inf)
    for _, _, point, distance in approaches(city, places):
        np.minimum.at(nearest, point, distance)
    return nearest


def _points_behind(study: Study, name: str, group: Group) -> Shown:
    """List the points of a group that stands at points of its own, the heaviest first."""
    title = in_a_sentence(title_of(name, group))
    points = study.city.points
    points = points.assign(far=_nearest(study))
    points = points[points["group"] == group.column]
    limit = _limit(study)
    far = f"{_cost(study, limit)}{_how(study)}"
    lacking = points[(points["far"] > limit) & (points["people"] > 0)]
    if lacking.empty:
        return words(f"No point of {title} is farther than {far} from a sensor.")
    lacking = lacking.sort_values(["people", "far"], ascending=False, kind="stable")
    rows = [
        (str(point), str(row["area_id"]), f"{row['people']:,g}", _cost(study, float(row["far"])))
        for point, row in lacking.head(10).to_dict("index").items()
    ]
    caption = (
        f"Points of {title} more than {far} from any sensor, {len(lacking):,} of "
        f"{len(points):,}; those of most weight first"
    )
    return table(("Point", "Area", "Weight", "Nearest sensor"), rows, caption)
