"""Drawing random networks: the baseline that every other network must beat."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from spineq.constraints import constraints_for
from spineq.errors import ProblemError, shown
from spineq.instance import check, coverage_of, group_weights, objective_of, problem_for
from spineq.model._schema import meaning
from spineq.model.baseline import BASELINE_SCHEMA, Baseline
from spineq.model.groups import Group, title_of
from spineq.model.problem import DecayName, Problem
from spineq.progress import Progress, SpanProgress, watcher_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Raised when the same question gets other networks.
VERSION = 1

#: Networks of a baseline at most.
MOST_NETWORKS = 1_000_000

# Pairs of sensor and point that are looked at between two questions to the watcher: a few ms.
_BUDGET = 2_500_000

# What the variables mean, for whoever opens the file with other tools: words and unit.
_MEANINGS = {
    "total_coverage": ("weighted mean coverage of the groups by the network", "1"),
    "group_coverage": ("coverage of the group's people by the network", "1"),
    "network_site": ("places of the network's sensors", ""),
    "group_people": ("people of the group, or total of its column", ""),
    "group_weight": ("weight of the group in the weighted mean", "1"),
    "group_estimated": ("whether age bands had to be split to count the group", ""),
    "sensor_x": ("easting of the site in the city's crs", "m"),
    "sensor_y": ("northing of the site in the city's crs", "m"),
}


def random_networks(
    city: City,
    n_sensors: int,
    theta: float | None = None,
    groups: Mapping[str, Group] | None = None,
    *,
    n_networks: int = 1000,
    seed: int = 0,
    decay: DecayName = "exponential",
    keep: Literal["existing"] | Sequence[str] = (),
    forbid: Sequence[str] = (),
    progress: Progress | None = None,
) -> Baseline:
    """Draw networks at random and measure each: the baseline that every other one must beat.

    Every set of so many usable sites is as likely as any other; no site is drawn twice for one
    network. With the same seed the first networks of more are the networks of fewer.

    Parameters
    ----------
    city
        Where.
    n_sensors
        How many sensors a network has, beside those that stay.
    theta
        Distance at which coverage has fallen to 37 % (with the default decay), metres, 500 by
        default; in the unit of the travel table where the city has one, and then to be given.
    groups
        Who matters, and how much in the weighted mean; by default all residents.
    n_networks
        How many networks, 1 to 1,000,000.
    seed
        Seed of the draw, 0 or more.
    decay
        How coverage falls with distance; see `spineq.solvers.decays.DECAYS`.
    keep, forbid
        Sensors that stay, and sites where none may stand, as for `spineq.optimise`.
    progress
        Watcher; when it asks to stop, the networks so far are returned, marked.

    Returns
    -------
    Baseline
        Coverage in float64. In a city so large that far pairs are left out of the matrix, the
        attribute ``cutoff`` says how much more each may be at most; else it is 0.

    Raises
    ------
    ProblemError
        A parameter is wrong, or the city has fewer sites than sensors.
    DataError
        The city lacks the data of a group.

    Examples
    --------
    >>> import spineq as sq
    >>> city = sq.demo_city("synthetic", n_areas=60)
    >>> from spineq.baseline import random_networks
    >>> random_networks(city, 5, n_networks=100).n_networks
    100
    """
    began = time.perf_counter()
    watcher = watcher_of(progress)
    question = {
        "n_sensors": n_sensors, "theta": theta, "groups": groups, "decay": decay, "keep": keep,
        "forbid": forbid,
    }  # fmt: skip
    problem = baseline_problem(city, question)
    n_networks, seed = checked_draw(n_networks, seed)
    coverage = coverage_of(city, problem, SpanProgress(watcher, 0.0, 0.2))
    reported = city.reported_groups(dict(problem.groups))
    people = {name: city.people(group) for name, group in reported.items()}
    drawn = np.empty((0, problem.number), dtype=np.int32)
    measured = np.empty((0, 1 + len(reported)))
    if coverage is not None:
        rows = [city.weights_at_points(problem.groups)]
        rows += [group_weights(city, group) for group in reported.values()]
        weights = np.ascontiguousarray(np.array(rows).T)
        objective = objective_of(city, problem, coverage, None, constraints_for(city, problem))
        usable = np.flatnonzero(objective.usable_sites)
        drawn, measured = _drawn(
            objective.matrix, objective.nothing(), usable, weights, problem.number, n_networks,
            seed, SpanProgress(watcher, 0.2, 0.999),
        )  # fmt: skip
    stopped = len(drawn) < n_networks
    made = _assembled(city, problem, reported, people, drawn, measured)
    facts = {
        "seed": seed,
        "n_networks_asked": n_networks,
        "cutoff": 0.0 if coverage is None else coverage.floor,
        "stopped": int(stopped),
        "seconds": time.perf_counter() - began,
    }
    if not stopped:
        watcher.report(1.0, "done")
    return Baseline(made.assign_attrs(facts))


def baseline_problem(city: City, words: Mapping[str, Any]) -> Problem:
    """Make the problem that random networks are measured by, and check it against the city.

    Parameters
    ----------
    city
        Where.
    words
        ``n_sensors, theta, groups, decay, keep, forbid``; what is None or missing is at its
        default.

    Raises
    ------
    ProblemError
        A value is wrong, or the city has fewer sites than sensors.
    DataError
        The city lacks the data of a group.
    """
    given = {name: word for name, word in words.items() if word is not None}
    problem = problem_for(city, None, given)
    check(city, problem)
    return problem


def checked_draw(n_networks: object, seed: object) -> tuple[int, int]:
    """Check how many networks are drawn, and with which seed.

    Raises
    ------
    ProblemError
        A value of the wrong type or out of its range.
    """
    whole = isinstance(n_networks, Integral) and not isinstance(n_networks, bool)
    number = int(n_networks) if whole else 0  # type: ignore[call-overload]
    if not 1 <= number <= MOST_NETWORKS:
        msg = f"n_networks must be a whole number from 1 to {MOST_NETWORKS:,}, not "
        msg += shown(n_networks)
        raise ProblemError(msg, field="n_networks", mend="Say for example n_networks=1000")
    return number, Problem(n_sensors=1, seed=seed).seed  # type: ignore[arg-type]


def _drawn(
    matrix: tuple[NDArray[np.int64], NDArray[np.int32] | None, NDArray[np.float64]],
    base: NDArray[np.float64],
    usable: NDArray[np.int64],
    weights: NDArray[np.float64],
    n_sensors: int,
    n_networks: int,
    seed: int,
    progress: Progress,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Draw networks and measure them, some at a time.

    Returns
    -------
    tuple
        Sites (network, sensor), in order, and coverage by each row of weights (network, row);
        fewer networks where the watcher asked to stop.
    """
    from spineq.solvers._kernels import fronts as kernels

    start = matrix[0]
    per_network = n_sensors * (int(start[-1]) // max(len(start) - 1, 1)) + 4 * len(base)
    step = max(1, _BUDGET // max(per_network, 1))
    generator = np.random.default_rng(seed)
    drawn = np.empty((n_networks, n_sensors), dtype=np.int32)
    measured = np.empty((n_networks, weights.shape[1]))
    for low in range(0, n_networks, step):
        high = min(low + step, n_networks)
        for k in range(low, high):
            # Shuffled or not, each set is as likely as any other; sorted, it is one.
            chosen = generator.choice(usable, size=n_sensors, replace=False, shuffle=False)
            drawn[k] = np.sort(chosen)
        networks = drawn[low:high].astype(np.int64)
        kernels.cover_networks(*matrix, weights, base, networks, measured[low:high])
        stop = progress.report(high / n_networks, f"{high:,} random networks")
        if stop and high < n_networks:
            return drawn[:high], measured[:high]
    return drawn, measured


def _assembled(
    city: City,
    problem: Problem,
    groups: Mapping[str, Group],
    people: Mapping[str, Any],
    drawn: NDArray[np.int32],
    measured: NDArray[np.float64],
) -> xr.Dataset:
    from spineq import __version__

    used, where = np.unique(drawn, return_inverse=True)
    # Two bytes a sensor, where they are enough.
    small = np.int16 if len(used) <= np.iinfo(np.int16).max else np.int32
    titles = [title_of(name, group) for name, group in groups.items()]
    shares = problem.group_weights
    made = xr.Dataset(
        {
            "total_coverage": ("network", measured[:, 0]),
            "group_coverage": (("network", "group"), np.ascontiguousarray(measured[:, 1:])),
            "network_site": (("network", "sensor"), where.reshape(drawn.shape).astype(small)),
            "group_title": ("group", np.array(titles, dtype=object)),
            "group_people": ("group", np.array([float(p.values.sum()) for p in people.values()])),
            "group_weight": ("group", np.array([shares.get(name, 0.0) for name in groups])),
            "group_estimated": ("group", np.array([p.estimated for p in people.values()])),
            "site": ("place", city.dataset["site"].to_numpy()[used].astype(object)),
            "sensor_x": ("place", city.site_xy[used, 0]),
            "sensor_y": ("place", city.site_xy[used, 1]),
        },
        coords={"group": np.array(list(groups), dtype=object)},
        attrs={
            "spineq_baseline_schema": BASELINE_SCHEMA,
            "spineq_version": __version__,
            "title": f"Random networks of sensors made by spineq {__version__}",
            "problem": problem.to_json(),
            "theta": problem.theta,
            "decay": problem.decay,
            "distance_unit": city.travel_unit,
            "city_name": city.label.name,
            "city_code": city.label.code,
            "city_note": city.label.note,
            "attribution": city.label.attribution,
            "city_digest": city.digest,
            "crs": city.crs.to_string(),
        },
    )
    for name, (words, unit) in _MEANINGS.items():
        made[name].attrs.update(meaning(words, unit))
    return made
