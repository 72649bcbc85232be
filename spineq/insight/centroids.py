"""What it hides that an area's people are taken to stand at one point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from spineq.demand import spread as spread_over_areas
from spineq.errors import DataError, ProblemError, SpineqError, shown
from spineq.model._objective_words import counted, in_a_sentence, percent
from spineq.model._words import shown_table
from spineq.model.city import City
from spineq.model.network import Network
from spineq.solve import evaluate

#: Areas up to which people are spread over polygons unasked: beyond, it takes seconds.
MOST_AREAS = 10_000

#: Differences that are shown as none, in units of coverage.
_NOTHING = 5e-4


@dataclass(frozen=True, eq=False)
class CentroidError:
    """The coverage of one network, with people at their areas' points and at finer ones.

    Parameters
    ----------
    table
        One row per group, by name: ``title``; ``weight`` in what was maximised (0 for groups
        that are only reported); ``own_points``, whether the group stands at points of its own,
        which are no centroids and stay as they are; ``at_centroids``, coverage by the city's own
        points; ``at_points``, coverage by the finer ones; ``difference``, the second less the
        first. Coverage is 0 to 1; a difference below 0 is what the centroids flatter. A group
        of the original's four that one of the problem's own repeats is left out.
    total_at_centroids, total_at_points
        The same for the weighted mean of the problem's groups, 0 to 1.
    n_sensors
        Number of sensors, those that stay included.
    n_centroids, n_points
        Number of demand points of the city's areas, and of the finer ones; those of groups that
        stand at points of their own are not among them.
    theta
        Distance of the network's decay, in ``unit``.
    unit
        Unit of theta: ``"m"``, or that of the travel costs.
    """

    table: pd.DataFrame
    total_at_centroids: float
    total_at_points: float
    n_sensors: int
    n_centroids: int
    n_points: int
    theta: float
    unit: str = "m"

    @property
    def total_difference(self) -> float:
        """Weighted mean coverage at the points less that at the centroids, -1 to 1."""
        return self.total_at_points - self.total_at_centroids

    def summary(self) -> str:
        """Say it in plain sentences, a line for each group."""
        head = (
            f"{counted(self.n_sensors, 'sensor')}, theta {self.theta:g} {self.unit}, measured at "
            f"{counted(self.n_points, 'demand point')} instead of {self.n_centroids:,}."
        )
        said = [
            head,
            *(
                f"{row['title']}: {100 * row['at_points']:.1f} % covered instead of "
                f"{100 * row['at_centroids']:.1f} %{_change(row)}."
                for row in self._rows().values()
            ),
            self._most(),
        ]
        return "\n".join(said)

    def _most(self) -> str:
        # Of what is shown above: nothing is said to be flattered by 0.0.
        least = min(self._rows().values(), key=_shown_change)
        if _shown_change(least) >= 0.0:
            return "Taking people to stand at their areas' points does not flatter this network."
        return (
            "Taking people to stand at their areas' points flatters this network, the most for "
            f"{in_a_sentence(least['title'])}: by {abs(_shown_change(least)):.1f} percentage "
            "points."
        )

    def _rows(self) -> dict[str, dict[str, Any]]:
        """Rows of the table by group, in JSON's types."""
        columns = ("at_centroids", "at_points", "difference")
        numbers = self.table.loc[:, list(columns)].to_numpy(dtype=np.float64)
        named = zip(self.table.index, self.table["title"], numbers.tolist(), strict=True)
        return {
            str(name): {"title": str(title), **dict(zip(columns, row, strict=True))}
            for name, title, row in named
        }

    def to_dict(self) -> dict[str, Any]:
        """Describe it in JSON's types."""
        return {
            "n_sensors": self.n_sensors,
            "theta": self.theta,
            "unit": self.unit,
            "n_centroids": self.n_centroids,
            "n_points": self.n_points,
            "total": {
                "at_centroids": self.total_at_centroids,
                "at_points": self.total_at_points,
                "difference": self.total_difference,
            },
            "groups": self._rows(),
        }

    def __repr__(self) -> str:
        return (
            f"<CentroidError: coverage {self.total_at_points:.4f} at {self.n_points:,} points, "
            f"{self.total_at_centroids:.4f} at {self.n_centroids:,}>"
        )


def _shown_change(row: dict[str, Any]) -> float:
    """Difference in percentage points of the two figures as they are shown beside it."""
    after, before = (round(100 * float(row[name]), 1) for name in ("at_points", "at_centroids"))
    return round(after - before, 1)


def _change(row: dict[str, Any]) -> str:
    change = _shown_change(row)
    if change == 0.0:
        return ", no difference"
    return f", {abs(change):.1f} percentage points {'lower' if change < 0 else 'higher'}"


def centroid_error(city: City, net: Network, points: pd.DataFrame | City) -> CentroidError:
    """Measure a network's sensors once more, with people at finer points.

    The sensors stay where they are; theta, decay and groups are the network's own. An area that
    holds a sensor counts as covered in full where its people are taken to stand at its point,
    so that the coverage reported is mostly too high, the more the smaller theta.

    Parameters
    ----------
    city
        The city with people at the points that it has: its areas' centroids.
    net
        A network of this city, or of the same city with other demand points.
    points
        A table of demand points, as those of `spineq.demand` and as `City.with_demand` takes;
        or the same city with finer points, and with travel costs to them where it has some.

    Returns
    -------
    CentroidError

    Raises
    ------
    ProblemError
        Something else than a network or a city is given; or the sensors stand at places that
        are no sites, and distances are travel costs.
    DataError
        The points do not fit the city; the city has travel costs, which lead to its own points,
        and a table is given; or the finer city has other areas, people or costs.
    """
    if not isinstance(city, City):
        msg = f"a City is needed, not {shown(city)}"
        raise ProblemError(msg, field="city", mend="Read one with spineq.read_city")
    if not isinstance(net, Network):
        msg = f"a Network is needed, not {shown(net)}"
        raise ProblemError(msg, field="net", mend="Make one with spineq.optimise")
    finer = _finer(city, points)
    coarse, fine = _measured(city, net), _measured(finer, net)
    one, other = shown_table(coarse), shown_table(fine)
    own = {
        name: group.column in city.point_groups
        for name, group in city.reported_groups(dict(net.problem.groups)).items()
    }
    table = pd.DataFrame(
        {
            "title": one["title"],
            "weight": one["weight"],
            "own_points": [own.get(str(name), False) for name in one.index],
            "at_centroids": one["coverage"],
            "at_points": other["coverage"],
            "difference": other["coverage"] - one["coverage"],
        }
    )
    return CentroidError(
        table,
        coarse.total_coverage,
        fine.total_coverage,
        net.n_sensors,
        area_points(city),
        area_points(finer),
        net.problem.theta,
        city.travel_unit,
    )


def _finer(city: City, points: pd.DataFrame | City) -> City:
    """The city with the finer points."""
    if not isinstance(points, City):
        if city.travel is not None:
            msg = "the city's travel costs lead to the demand points that it has"
            mend = "Give a City with the finer points, and with travel costs to them"
            raise DataError(msg, field="points", mend=mend)
        return city.with_demand(points)
    if (city.travel is None) != (points.travel is None) or city.travel_unit != points.travel_unit:
        msg = "distances are travel costs in one of the two cities, or of another unit"
        raise DataError(msg, field="points", mend="Give both straight lines, or both costs")
    names = (city.columns, city.point_groups) == (points.columns, points.point_groups)
    same = names and all(
        np.array_equal(city.dataset[name].to_numpy(), points.dataset[name].to_numpy())
        for name in ("area", "residents", "columns")
    )
    if not same:
        msg = "the city with the finer points has other areas or other people"
        raise DataError(msg, field="points", mend="Make it with city.with_demand(...)")
    return points


def _measured(city: City, net: Network) -> Network:
    """Measure the network's sensors in a city, without a bound."""
    problem, sensors = net.problem, net.sensors
    # Costs are known from sites alone; straight lines from everywhere.
    placed: Any = sensors[["x", "y"]] if city.travel is None else net.placement_history
    groups = dict(problem.groups)
    return evaluate(
        city, placed, theta=problem.theta, decay=problem.decay, groups=groups, bound="none"
    )


def area_points(city: City) -> int:
    """Count the demand points of a city's areas, without those of groups that have their own."""
    if not city.point_groups:
        return city.n_points
    return int((city.points["group"] == "").sum())


class TwoCities(NamedTuple):
    """One city twice: with people at centroids, one point for each area, and at finer points.

    Parameters
    ----------
    at_centroids, at_points
        The city with people at one point for each area, and at several.
    spread
        Whether the finer points are people spread evenly over polygons; else the data have them.
    """

    at_centroids: City
    at_points: City
    spread: bool

    def error(self, net: Network) -> CentroidError:
        """Measure a network of either city in both."""
        return centroid_error(self.at_centroids, net, self.at_points)

    def sentence(self, found: CentroidError) -> str:
        """Say what `error` found in a sentence for whoever decides; nothing without sensors."""
        judged = found.table[found.table["weight"] > 0]
        if found.n_sensors == 0:
            return ""
        if judged["own_points"].all():
            whom = str(judged["title"].iloc[0]) if len(judged) == 1 else "All groups here"
            return (
                f"{whom[:1].upper()}{whom[1:]} are counted at the points where they stand, so "
                "that no centroid hides anything."
            )
        alone = in_a_sentence(str(judged["title"].iloc[0])) if len(judged) == 1 else ""
        whom = f"the coverage of {alone}" if alone else "the mean coverage of the groups"
        where = (
            "with people spread evenly over their areas"
            if self.spread
            else f"at the {found.n_points:,} points that the data have, as everywhere here"
        )
        before, after = percent(found.total_at_centroids), percent(found.total_at_points)
        start = "Counted at centroids, one point in the middle of each area,"
        verb = "is" if self.spread else "would be"
        if before == after:
            return f"{start} or {where}, {whom} is the same: {after}."
        said = f"{start} {whom} {verb} {before}; {where}, it is {after}."
        believe = (
            " The truth is likely to lie between the two, nearer to the second."
            if self.spread
            else ""
        )
        least = judged.sort_values("difference", kind="stable").iloc[0]
        was, now = percent(least["at_centroids"]), percent(least["at_points"])
        if alone or was == now or least["difference"] > -_NOTHING:
            return f"{said}{believe}"
        most = in_a_sentence(str(least["title"]))
        return f"{said}{believe} The difference is largest for {most}: {was} falls to {now}."


def two_cities(city: City) -> TwoCities:
    """Put people at centroids and at finer points, as far as the data allow it unasked.

    The finer points are those that the city has; else people are spread evenly over polygons.

    Raises
    ------
    DataError
        The city has no polygons, or too many areas, or travel costs, which lead to the points
        that it has; `not_counted` makes a sentence of it.
    """
    if city.travel is not None:
        msg = "travel costs are known for the city's own points alone"
        mend = "Give spineq.centroid_error a city with finer points and costs to them"
        raise DataError(msg, field="travel", mend=mend)
    if area_points(city) > city.n_areas:
        areas = city.dataset[["area", "x", "y"]].to_dataframe().reset_index()
        centroids = areas.rename(columns={"area": "area_id"}).assign(weight=1.0)
        return TwoCities(city.with_demand(centroids), city, spread=False)
    if city.polygons is not None and city.n_areas > MOST_AREAS:
        msg = f"for {city.n_areas:,} areas that takes long"
        mend = "Call spineq.centroid_error(city, net, spineq.demand.spread(city))"
        raise DataError(msg, mend=mend)
    return TwoCities(city, city.with_demand(spread_over_areas(city)), spread=True)


def not_counted(city: City, error: SpineqError) -> str:
    """Say where people are counted, and why it is not said what that hides.

    Parameters
    ----------
    city
        A city that `two_cities` refused.
    error
        What it raised.
    """
    if city.travel is not None and city.travel.by == "area":
        return (
            "Everyone of an area counts alike, since travel costs are known for whole areas, not "
            "for places inside them."
        )
    number = area_points(city)
    if number > city.n_areas:
        return f"People are counted at the {number:,} points that the data have, not at centroids."
    mend = f" {error.mend}." if error.mend else ""
    return (
        "People are counted at centroids, one point for each area. What that hides is not shown "
        f"here: {error.what}.{mend}"
    )
