"""Putting a front together from an archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spineq.constraints import kept_places
from spineq.fronts.landscape import landscape_of
from spineq.fronts.subset import greedy_subset, nondominated, thinned
from spineq.instance import group_weights
from spineq.model._schema import meaning
from spineq.model.front import FRONT_SCHEMA, Front
from spineq.model.groups import title_of
from spineq.progress import Progress, SilentProgress, SpanProgress
from spineq.solvers.coverage import DENSE_PAIRS
from spineq.solvers.decays import DECAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.fronts.archive import Archive
    from spineq.model.city import City
    from spineq.model.problem import Problem

# What the variables mean, for whoever opens the file with other tools: words and unit.
_MEANINGS = {
    "group_coverage": ("coverage of the group's people by the network", "1"),
    "network_site": ("places of the network's sensors", ""),
    "group_people": ("people of the group, or total of its column", ""),
    "group_estimated": ("whether age bands had to be split to count the group", ""),
    "sensor_x": ("easting of the site in the city's crs", "m"),
    "sensor_y": ("northing of the site in the city's crs", "m"),
    "archive_coverage": ("coverage of the group's people, to 12 decimals", "1"),
    "archive_base": ("position of the network's base", ""),
    "archive_slot": ("position of the sensor that leaves the base, -1 for none", ""),
    "archive_site": ("place that comes instead, -1 for none", ""),
    "base_site": ("places of the base's sensors", ""),
    "kept_x": ("easting of a sensor that stays", "m"),
    "kept_y": ("northing of a sensor that stays", "m"),
}


@dataclass(frozen=True)
class Facts:
    """What is known of a search beside its networks."""

    method: str
    effort: float
    seed: int
    tolerance: float
    asked: float
    stopped: bool


def measured(
    city: City, problem: Problem, networks: NDArray[np.int64], progress: Progress
) -> NDArray[np.float64]:
    """Coverage of each group by networks, (network, group), from distances, no pair left out.

    Parameters
    ----------
    city, problem
        Theta, decay, groups and the sensors that stay.
    networks
        (network, sensor) positions of sites.
    progress
        Watcher. It cannot stop this: a network without its coverage is none.
    """
    from scipy.spatial import cKDTree

    if len(networks) == 0:
        return np.empty((0, len(problem.groups)))
    if city.n_sites * city.n_points <= DENSE_PAIRS:
        # The whole matrix is at hand, which leaves no pair out.
        land = landscape_of(city, problem, SilentProgress())
        assert land is not None  # nobody asked to stop
        if land.coverage.floor == 0.0:
            return land.coverage_of_many(networks)
    decay = DECAYS[problem.decay]
    rows = [group_weights(city, group) for _, group in problem.groups]
    kept = kept_places(city, problem)
    kept_xy = kept[["x", "y"]].to_numpy(dtype=np.float64)
    kept_at = kept["position"].to_numpy(dtype=np.int64)
    made = np.empty((len(networks), len(rows)))
    for k, sites in enumerate(networks):
        if city.travel is None:
            places = np.concatenate([city.site_xy[sites], kept_xy])
            nearest = cKDTree(places).query(city.point_xy)[0]
        else:
            nearest = np.full(city.n_points, np.inf)
            for site in [*sites, *kept_at]:
                np.minimum(nearest, city.travel_costs_from(int(site)), out=nearest)
        covered = decay(nearest, problem.theta)
        made[k] = [float((row * covered).sum()) for row in rows]
        progress.report((k + 1) / len(networks), "measuring the networks")
    return made


def make_front(
    city: City,
    problem: Problem,
    archive: Archive,
    size: int,
    facts: Facts,
    progress: Progress,
) -> Front:
    """Choose the best networks of an archive and put a front together.

    Parameters
    ----------
    city, problem
        What was asked, of which city.
    archive
        What was found.
    size
        Networks of the front, at most.
    facts
        How it was found.
    progress
        Watcher. After a stop the front is made all the same, of networks that lie far apart.
    """
    from spineq import __version__

    bases, found = archive.compact()
    cut = facts.stopped
    if not cut:
        chosen, cut = greedy_subset(found.coverage, size, SpanProgress(progress, 0.0, 0.9))
    if cut:
        # Who asks to stop does not wait for a choice either.
        chosen = thinned(found.coverage, size)
    networks = np.array([archive.sites(int(k)) for k in chosen], dtype=np.int64)
    networks = networks.reshape(len(chosen), archive.n_sensors)
    coverage = measured(city, problem, networks, SpanProgress(progress, 0.9, 1.0))
    # Where far pairs were left out in the search, the true coverage may sort networks anew.
    keep = nondominated(coverage)
    networks, coverage = networks[keep], coverage[keep]
    used, where = np.unique(
        np.concatenate([networks.ravel(), bases.ravel(), found.site[found.site >= 0]]),
        return_inverse=True,
    )
    split = np.split(where.astype(np.int32), [networks.size, networks.size + bases.size])
    site = np.full(len(found), -1, dtype=np.int32)
    site[found.site >= 0] = split[2]
    data = city.dataset
    kept = kept_places(city, problem)
    names = [name for name, _ in problem.groups]
    people = [city.people(group) for _, group in problem.groups]
    titles = [title_of(name, group) for name, group in problem.groups]
    text: dict[str, Any] = {
        "group_title": ("group", np.array(titles, dtype=object)),
        "site": ("place", data["site"].to_numpy()[used].astype(object)),
        "sensor_area": ("place", city.site_areas[used].astype(object)),
    }
    made = xr.Dataset(
        text
        | {
            "group_coverage": (("network", "group"), coverage),
            "network_site": (("network", "sensor"), split[0].reshape(networks.shape)),
            "group_people": ("group", np.array([float(each.values.sum()) for each in people])),
            "group_estimated": ("group", np.array([each.estimated for each in people])),
            "sensor_x": ("place", city.site_xy[used, 0]),
            "sensor_y": ("place", city.site_xy[used, 1]),
            "archive_coverage": (("found", "group"), found.coverage),
            "archive_base": ("found", found.base),
            "archive_slot": ("found", found.slot),
            "archive_site": ("found", site),
            "base_site": (("base", "sensor"), split[1].reshape(bases.shape)),
            "kept_x": ("kept", kept["x"].to_numpy(dtype=np.float64)),
            "kept_y": ("kept", kept["y"].to_numpy(dtype=np.float64)),
        },
        coords={"group": np.array(names, dtype=object)},
        attrs={
            "spineq_front_schema": FRONT_SCHEMA,
            "spineq_version": __version__,
            "title": f"Front of sensor networks made by spineq {__version__}",
            "problem": problem.to_json(),
            "theta": problem.theta,
            "decay": problem.decay,
            "method": facts.method,
            "effort": facts.effort,
            "seed": facts.seed,
            "size": size,
            "tolerance": facts.tolerance,
            "tolerance_asked": facts.asked,
            "stopped": int(cut),
            "seconds": 0.0,
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
    return Front(made)
