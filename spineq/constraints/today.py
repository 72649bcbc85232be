"""Sensors of today that may be taken away or moved: they are candidates like the sites.

A network is then a choice among the places of today's sensors and the sites: of the e sensors
of today that may go, at least e - retire - move_at_most are chosen again, of the others at most
n_sensors + move_at_most, and e - retire + n_sensors in all. That is a limit by region, with
which every solver is at home.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq._places import at_sites
from spineq.constraints.places import existing_places, kept_places, usable_sites
from spineq.constraints.rules import apart_of
from spineq.errors import ProblemError
from spineq.model._exports import existing_ids
from spineq.model._objective_words import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem
    from spineq.solvers.rules import Rules


@dataclass(frozen=True, eq=False)
class Today:
    """The sensors of today as candidates.

    Parameters
    ----------
    place
        The city, with the places of today's sensors among its sites.
    may_go
        (site of ``place``,) whether a sensor of today stands there that may be taken away.
    places
        The sensors of today that may go, a table as `spineq.constraints.kept_places` makes it,
        in the order of ``at``.
    at
        (sensor,) their positions in ``place``.
    n_kept
        How many more sensors of today stay for sure.
    """

    place: City
    may_go: NDArray[np.bool_]
    places: pd.DataFrame
    at: NDArray[np.int64]
    n_kept: int

    @property
    def n(self) -> int:
        """Number of places with a sensor today."""
        return len(self.places) + self.n_kept

    def stay(self, sites: NDArray[np.int64]) -> pd.DataFrame:
        """Table of the sensors of today among chosen sites of ``place``, in their order."""
        row = np.full(self.place.n_sites, -1, dtype=np.int64)
        row[self.at] = np.arange(len(self.at))
        rows = row[sites]
        return self.places.iloc[rows[rows >= 0]]

    def gone(self, city: City, sites: NDArray[np.int64]) -> pd.DataFrame:
        """Table of the sensors of today that are not among chosen sites: sensor, area, x, y.

        Those at one place are one row, their ids joined by commas.
        """
        left = self.places[~np.isin(self.at, sites)].reset_index(drop=True)
        xy = left[["x", "y"]].to_numpy(dtype=np.float64)
        ids = existing_ids(xy, np.ones(len(left), dtype=np.bool_), city)
        return left[["area", "x", "y"]].assign(sensor=pd.Series(ids, dtype=object))

    def new(self, city: City, sites: NDArray[np.int64]) -> pd.DataFrame:
        """Table of the new sensors among chosen sites of ``place``, in their order."""
        chosen = self.place.dataset["site"].to_numpy()[sites[~self.may_go[sites]]]
        ids = pd.Index(city.dataset["site"].to_numpy(), dtype=object)
        return at_sites(city, ids.get_indexer(pd.Index(chosen, dtype=object)).astype(np.int64))


def today_of(city: City, problem: Problem) -> Today:
    """Make the sensors of today candidates.

    Raises
    ------
    ProblemError
        There are none, or fewer that may go than are to be taken away.
    """
    which = "retire" if problem.retire else "move_at_most"
    every, kept = existing_places(city, which), kept_places(city, problem)
    stays = pd.MultiIndex.from_frame(every[["x", "y"]]).isin(
        pd.MultiIndex.from_frame(kept[["x", "y"]])
    )
    places = every[~stays].reset_index(drop=True)
    if problem.retire > len(places):
        may = "is one" if len(places) == 1 else f"are {len(places):,}" if len(places) else "is none"
        msg = f"{counted(problem.retire, 'sensor')} of today cannot be taken away: there {may} "
        msg += "that may go, those at one place counted once"
        raise ProblemError(msg, field="retire", mend=f"Ask for at most {len(places):,}")
    place, at = _with_places(city, places)
    may_go = np.zeros(place.n_sites, dtype=np.bool_)
    may_go[at] = True
    return Today(place, may_go, places, at, int(stays.sum()))


def _with_places(city: City, places: pd.DataFrame) -> tuple[City, NDArray[np.int64]]:
    """Add places that are no sites to a city's sites; returns it, and where they all are."""
    at = places["position"].to_numpy(dtype=np.int64).copy()
    elsewhere = np.flatnonzero(at < 0)
    if len(elsewhere) == 0:
        return city, at
    sites = city.sites[["x", "y", "area_id"]]
    word = "existing"
    while any(str(name).startswith(word) for name in sites.index):
        word += "'"
    names = pd.Index([f"{word} {k}" for k in elsewhere], name=sites.index.name)
    more = places.iloc[elsewhere][["x", "y", "area"]].set_axis(["x", "y", "area_id"], axis=1)
    table = pd.concat([sites, more.set_index(names)])
    place = city.with_sites(table.rename_axis("site_id").reset_index())
    ids = pd.Index(place.dataset["site"].to_numpy(), dtype=object)
    wanted = city.dataset["site"].to_numpy()[np.maximum(at, 0)].astype(object)
    wanted[elsewhere] = names
    return place, ids.get_indexer(pd.Index(wanted, dtype=object)).astype(np.int64)


def usable_today(
    city: City, problem: Problem, kept: pd.DataFrame, today: Today
) -> NDArray[np.bool_]:
    """Mark where a sensor may stand, (site of ``today.place``,): new ones, or those of today."""
    usable = usable_sites(city, problem, kept)
    made = today.may_go.copy()
    if (problem.n_sensors or 0) + problem.move_at_most == 0:
        return made
    ids = pd.Index(today.place.dataset["site"].to_numpy(), dtype=object)
    mine = city.dataset["site"].to_numpy()
    new = mine if usable is None else mine[usable]
    made[ids.get_indexer(pd.Index(new, dtype=object))] = True
    return made


def rules_of_today(problem: Problem, today: Today, usable: NDArray[np.bool_]) -> Rules:
    """Make the rules of a problem that takes away or moves sensors of today.

    Raises
    ------
    ProblemError
        No sensor would be left, or there are fewer sites than new sensors.
    """
    from spineq.solvers.rules import Regions, Rules

    more, may_go = problem.n_sensors or 0, len(today.places)
    n = may_go - problem.retire + more
    if n == 0:
        if today.n_kept:
            msg = "all sensors of today that may go are to be taken away: there is no choice"
        else:
            msg = "all sensors of today are to be taken away, and no new one is asked for"
        mend = "Take fewer away, or ask for new ones with n_sensors"
        raise ProblemError(msg, field="retire", mend=mend)
    room = int((usable & ~today.may_go).sum())
    if more > room:
        msg = f"{counted(more, 'new sensor')} are more than the {counted(room, 'site')} left"
        raise ProblemError(msg, field="n_sensors", mend=f"Ask for at most {room:,}")
    moved = min(problem.move_at_most, may_go - problem.retire)
    regions = Regions(
        today.may_go.astype(np.int64),
        np.array([more + moved, may_go], dtype=np.int64),
        np.array([0, may_go - problem.retire - moved], dtype=np.int64),
    )
    # Sensors of today may be as near to each other as they are.
    apart = (
        None if problem.min_spacing == 0 else apart_of(today.place, problem, together=today.may_go)
    )
    return Rules(n, regions, None, apart)
