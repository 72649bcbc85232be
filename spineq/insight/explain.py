"""Why each sensor of a network stands where it does, and what it costs to do without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spineq.errors import ProblemError, shown
from spineq.insight._desk import Desk, Found
from spineq.insight._explanation import Explanation as Explanation
from spineq.insight._explanation import (
    GroupFacts,
    PlaceFacts,
    SensorFacts,
    SolvedAgain,
    Substitute,
)
from spineq.instance import group_weights
from spineq.model._objective_words import maximised, owed
from spineq.model._problem_checks import positive
from spineq.progress import Progress, SpanProgress, watcher_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.groups import Group
    from spineq.model.network import Network

#: Shares of the objective that a substitute may lose at most.
TENTH, HALF = 1e-3, 5e-3

#: Substitutes that are named.
_NAMED = 5

# What rounding may add to a loss, as a share of the objective.
_ROUNDING = 1e-12


def explain(
    city: City,
    net: Network,
    *,
    site: str | None = None,
    refuse: bool = True,
    near: float = 500.0,
    progress: Progress | None = None,
) -> Explanation:
    """Explain why sensors stand where they do, and what each place is worth.

    With f the objective, S the network's sites and c a site of S: what is lost where c's sensor is
    taken away and nothing put in its place, ``f(S) - f(S - c)``; the sites d in whose place of c
    little is lost, ``f(S) - f(S - c + d)``; and what it costs to do without c, ``f(S) - max f(T)``
    over the allowed networks T without c, each of which the solver is asked for anew and bounds by
    proof. Sensors that stay are described, but not refused.

    Parameters
    ----------
    city, net
        A network of this city, from `spineq.optimise` or `spineq.evaluate` (whose networks
        have no rules to keep but for the sensors that stay).
    site
        Id of a site that has no sensor, to be told why: what one there would add, the best swap
        that puts one there, and what it costs to insist on it, ``f(S) - max f(T)`` over the allowed
        networks T with it.
    refuse
        Whether to find out what it costs to do without each sensor: a solve each, of about the
        time that the network took.
    near
        Distance within which people are near a sensor, metres, above 0; in a straight line,
        or by the city's travel table where that is in metres.
    progress
        Watcher; when it asks to stop, what is found by then is returned, marked.

    Returns
    -------
    Explanation
        With values in units of the objective, 0 to 1. The shares that all groups have of their own
        best, ``objective="worst_share"``, are measured by the bests that the network knows.

    Raises
    ------
    DataError
        The network is of another city.
    ProblemError
        Something else than a city and a network; a site that does not exist or has a sensor; a
        distance that is none, or another value of the wrong type.
    """
    watcher = watcher_of(progress)
    near = positive(near, "near", "500")
    if not isinstance(refuse, bool | np.bool_):
        msg = f"refuse must be true or false, not {shown(refuse)}"
        raise ProblemError(msg, field="refuse", mend="Write refuse=False")
    desk = Desk(city, net, SpanProgress(watcher, 0.0, 0.05))
    position = None if site is None else _asked_site(desk, site)
    problem = net.problem
    made = Explanation(
        city.name,
        maximised(problem),
        net.objective_value,
        near,
        _groups(city, net),
        (),
        refused=bool(refuse),
    )
    layers = None if desk.stopped else _layers(desk, near, SpanProgress(watcher, 0.05, 0.08))
    if layers is None:
        return replace(made, stopped=True)
    made = replace(
        made, sensors=tuple(_sensors(desk, layers, made.groups, SpanProgress(watcher, 0.08, 0.1)))
    )
    if len(made.sensors) < net.n_sensors:
        # Some alone would be taken for all.
        return replace(made, sensors=(), stopped=True)
    if watcher.report(0.1, "looking at each sensor"):
        return replace(made, stopped=True)
    if position is not None:
        made = _with_place(desk, layers, made, position, SpanProgress(watcher, 0.1, 0.15))
    if not made.stopped:
        made = _with_substitutes(desk, layers, made, SpanProgress(watcher, 0.15, 0.25))
    if refuse and not made.stopped:
        made = _with_replacements(desk, made, SpanProgress(watcher, 0.25, 0.999))
    if not made.stopped:
        watcher.report(1.0, "done")
    return made


def _asked_site(desk: Desk, site: object) -> int:
    """Position of a site that has no sensor."""
    found = np.flatnonzero(desk.ids == (site.strip() if isinstance(site, str) else str(site)))
    if len(found) == 0:
        msg = f"{shown(site)} is no site of {desk.city.name or 'the city'}"
        mend = f"Use ids of sites, such as {shown(desk.ids[0])}"
        raise ProblemError(msg, field="site", mend=mend)
    position = int(found[0])
    taken = np.flatnonzero(desk.at == position)
    if len(taken):
        order = int(taken[0])
        number = order + 1 - int(desk.kept[: order + 1].sum())
        who = "a sensor that stays" if desk.kept[order] else f"sensor {number}"
        msg = f"{shown(site)} is chosen already: {who} stands there"
        mend = "Leave site out: its sentence is among those of the sensors"
        raise ProblemError(msg, field="site", mend=mend)
    return position


def _reported(city: City, net: Network) -> Iterator[tuple[str, Group]]:
    """Groups of a network with the names that it reports them by."""
    groups = city.reported_groups({name: group for name, group, _ in owed(net.problem)})
    groups |= dict(net.problem.groups)
    for name in net.dataset["group"].to_numpy():
        if str(name) in groups:
            yield str(name), groups[str(name)]


def _groups(city: City, net: Network) -> tuple[GroupFacts, ...]:
    table = net.table()
    return tuple(
        GroupFacts(
            name,
            str(table["title"][name]),
            group.ages,
            group.column,
            bool(table["estimated"][name]),
            bool(table["weight"][name] > 0.0),
        )
        for name, group in _reported(city, net)
    )


class _Layers(NamedTuple):
    """What the sensors cover, one over the other.

    Parameters
    ----------
    best, second
        (point,) coverage by the sensor that covers it best, and by the best of the others.
    owner
        (point,) that sensor's place in the network; -1 without sensors.
    near
        For each sensor, the points within the distance.
    near_by
        (point,) number of sensors within the distance.
    """

    best: NDArray[np.float64]
    second: NDArray[np.float64]
    owner: NDArray[np.int64]
    near: list[NDArray[np.int64]]
    near_by: NDArray[np.int64]

    def without(self, sensor: int) -> NDArray[np.float64]:
        """Coverage without a sensor, (point,)."""
        return np.where(self.owner == sensor, self.second, self.best)


def _layers(desk: Desk, near: float, progress: Progress) -> _Layers | None:
    city, net = desk.city, desk.net
    best, second = np.zeros(city.n_points), np.zeros(city.n_points)
    owner = np.full(city.n_points, -1, dtype=np.int64)
    points, near_by = [], np.zeros(city.n_points, dtype=np.int64)
    by_table = city.travel is not None and city.travel_unit == "m"
    xy = np.column_stack([net.dataset["sensor_x"].to_numpy(), net.dataset["sensor_y"].to_numpy()])
    for sensor, ((x, y), position) in enumerate(zip(xy, desk.at, strict=True)):
        row = desk.row(int(position), float(x), float(y))
        higher = row > best
        second = np.where(higher, best, np.maximum(second, row))
        best = np.where(higher, row, best)
        owner[higher] = sensor
        if by_table:
            metres = city.travel_costs_from(int(position))
        else:
            metres = desk.metres_to_points(float(x), float(y))
        within = np.flatnonzero(metres <= near)
        near_by[within] += 1
        points.append(within)
        if progress.report((sensor + 1) / len(xy), "looking at each sensor"):
            return None
    return _Layers(best, second, owner, points, near_by)


def _sensors(
    desk: Desk, layers: _Layers, groups: tuple[GroupFacts, ...], progress: Progress
) -> Iterator[SensorFacts]:
    city, data = desk.city, desk.net.dataset
    reported = dict(_reported(city, desk.net))
    people = {
        each.name: group_weights(city, reported[each.name])
        * float(city.people(reported[each.name]).values.sum())
        for each in groups
    }
    areas = {name: k for k, name in enumerate(city.dataset["area"].to_numpy())}
    value, number = desk.worth(layers.best), 0
    for k, kept in enumerate(desk.kept):
        if progress.report(k / len(desk.kept), "looking at each sensor"):
            return
        number += not kept
        without = layers.without(k)
        area = str(data["sensor_area"].to_numpy()[k])
        own = np.flatnonzero(city.point_area == areas[area])
        share = city.point_share[own]
        only = layers.near[k][layers.near_by[layers.near[k]] == 1]
        yield SensorFacts(
            order=k + 1,
            number=None if kept else number,
            site=str(data["site"].to_numpy()[k]),
            area=area,
            x=float(data["sensor_x"].to_numpy()[k]),
            y=float(data["sensor_y"].to_numpy()[k]),
            kept=bool(kept),
            people_near={name: float(row[layers.near[k]].sum()) for name, row in people.items()},
            people_only={name: float(row[only].sum()) for name, row in people.items()},
            area_coverage=float((share * layers.best[own]).sum()),
            area_coverage_without=float((share * without[own]).sum()),
            loss=max(value - desk.worth(without), 0.0),
            refusable=not kept and desk.at[k] >= 0 and bool(desk.usable[desk.at[k]]),
        )


def _others(desk: Desk, sensor: int) -> NDArray[np.int64]:
    """Sites of the sensors that do not stay, but for one."""
    keep = ~desk.kept & (desk.at >= 0)
    keep[sensor] = False
    return desk.at[keep]


def _with_substitutes(
    desk: Desk, layers: _Layers, made: Explanation, progress: Progress
) -> Explanation:
    """Look for sites that would do nearly as well, sensor by sensor."""
    done = list(made.sensors)
    for k, sensor in enumerate(done):
        if sensor.kept:
            continue
        span = SpanProgress(progress, k / len(done), (k + 1) / len(done))
        tried = desk.in_place(_others(desk, k), layers.without(k), span)
        if tried is None:
            return replace(made, sensors=tuple(done), stopped=True)
        # The sites of the network itself are no others.
        other = ~np.isin(tried[0], desk.at)
        sites, values = tried[0][other], tried[1][other]
        loss = made.value - values
        half = loss <= (HALF + _ROUNDING) * made.value
        tenth = int((loss <= (TENTH + _ROUNDING) * made.value).sum())
        sites, loss = sites[half], loss[half]
        off = desk.city.site_xy[sites] - np.array([sensor.x, sensor.y])
        metres = np.sqrt((off**2).sum(axis=1))
        others = [
            Substitute(str(desk.ids[sites[i]]), float(loss[i]), float(metres[i]))
            for i in range(len(sites))
        ]
        done[k] = replace(
            sensor,
            n_tenth=tenth,
            n_half=len(sites),
            substitutes=tuple(others[i] for i in np.lexsort((sites, loss))[:_NAMED]),
            nearest=others[int(np.argmin(metres))] if others else None,
        )
    return replace(made, sensors=tuple(done))


def _again(desk: Desk, found: Found | None, first: str) -> SolvedAgain:
    """Name the sites of a network that was found, the one that was decided about first."""
    if found is None or np.isinf(found.value):
        return SolvedAgain(None, None, proven=found is None)
    before, after = set(desk.placed.tolist()), set(found.sites.tolist())

    def named(sites: set[int]) -> tuple[str, ...]:
        ids = [str(desk.ids[site]) for site in sorted(sites)]
        return tuple(sorted(ids, key=lambda name: name != first))

    return SolvedAgain(
        found.value, found.bound, found.proven, named(after - before), named(before - after)
    )


def _with_replacements(desk: Desk, made: Explanation, progress: Progress) -> Explanation:
    """Solve again without each sensor's site."""
    done = list(made.sensors)
    asked = [k for k, sensor in enumerate(done) if sensor.refusable]
    for n, k in enumerate(asked):
        words = f"doing without sensor {done[k].number}"
        span = SpanProgress(progress, n / len(asked), (n + 1) / len(asked), words)
        if span.report(0.0):
            return replace(made, sensors=tuple(done), stopped=True)
        found = desk.without(int(desk.at[k]), span)
        if found is not None and found.stopped:
            return replace(made, sensors=tuple(done), stopped=True)
        done[k] = replace(done[k], replacement=_again(desk, found, done[k].site))
    return replace(made, sensors=tuple(done))


def _with_place(
    desk: Desk, layers: _Layers, made: Explanation, position: int, progress: Progress
) -> Explanation:
    """Say why a site has no sensor."""
    site, row = str(desk.ids[position]), desk.site_row(position)
    adds = max(desk.worth(np.maximum(layers.best, row)) - desk.worth(layers.best), 0.0)
    place = PlaceFacts(site, str(desk.city.site_areas[position]), bool(desk.usable[position]), adds)
    if made.sensors:
        x, y = desk.city.site_xy[position]
        metres = np.array([np.hypot(each.x - x, each.y - y) for each in made.sensors])
        nearest = int(np.argmin(metres))
        place = replace(place, nearest=made.sensors[nearest], nearest_metres=float(metres[nearest]))
    if not place.allowed:
        return replace(made, place=place)
    swapped = _with_swap(desk, layers, made, place, position, SpanProgress(progress, 0.0, 0.2))
    if swapped is None:
        return replace(made, place=place, stopped=True)
    place = swapped
    words = f"insisting on {site}"
    found = desk.insisting(position, SpanProgress(progress, 0.2, 1.0, words))
    if found is not None and found.stopped:
        return replace(made, place=place, stopped=True)
    return replace(made, place=replace(place, insisting=_again(desk, found, site)))


def _with_swap(
    desk: Desk,
    layers: _Layers,
    made: Explanation,
    place: PlaceFacts,
    position: int,
    progress: Progress,
) -> PlaceFacts | None:
    """Find the sensor in whose place a site loses the least; None where asked to stop."""
    row, goals = desk.site_row(position), desk.objective.goals
    place = replace(place, looked_for_swaps=True)
    for k, sensor in enumerate(made.sensors):
        if progress.report(k / len(made.sensors), "trying swaps"):
            return None
        if sensor.kept or not desk.rules.allowed_beside(_others(desk, k), desk.usable)[position]:
            continue
        covered = np.maximum(layers.without(k), row)
        if goals is not None and goals.shortfall(goals.groups(covered)) > 0.0:
            continue
        value = desk.worth(covered)
        if place.swap_value is None or value > place.swap_value:
            place = replace(place, swap_out=sensor, swap_value=value)
    return place
