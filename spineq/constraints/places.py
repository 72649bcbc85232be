"""Where new sensors may stand: what is kept, forbidden, and to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq._places import at_sites
from spineq.errors import ProblemError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.problem import Problem

#: A sensor so near to a site stands at it, metres: what projecting coordinates may lose.
_AT_A_SITE = 1e-3


def usable_for(city: City, problem: Problem) -> NDArray[np.bool_] | None:
    """Mark the sites where a new sensor may stand, (site,); None for all of them.

    It may not where it is forbidden, where a sensor stays, and nearer than ``min_spacing`` to
    one that stays.

    Raises
    ------
    ProblemError
        A site to keep or forbid that does not exist.
    """
    return usable_sites(city, problem, kept_places(city, problem))


def kept_places(city: City, problem: Problem) -> pd.DataFrame:
    """Table of the sensors that stay: position, site, area, x, y.

    Existing sensors are where they stand, those at one place once, in the order of their ids;
    position is -1 and the site empty where that is no site.

    Raises
    ------
    ProblemError
        An id of neither a site nor an existing sensor; no existing sensors to keep; or one that
        stands at no site of a city with a travel table.
    """
    if problem.keep == "existing":
        return existing_places(city, "keep")
    ids = pd.Index(city.dataset["site"].to_numpy(), dtype=object)
    existing = () if city.existing is None else city.existing.index.astype(str)
    # An id of both is the site.
    sensors = [name for name in problem.keep if name not in ids and name in existing]
    sites = [name for name in problem.keep if name not in sensors]
    made = at_sites(city, positions(city, sites, "keep"))
    if not sensors:
        return made
    rows = _where_existing(city, "keep")[np.isin(existing, sensors)]
    return pd.concat([made, rows]).drop_duplicates(["x", "y"], ignore_index=True)


def existing_places(city: City, field: str) -> pd.DataFrame:
    """Table of the places of existing sensors, as `kept_places` makes it.

    Parameters
    ----------
    city
        The city.
    field
        Of the problem, that asks for them.

    Raises
    ------
    ProblemError
        There are none, or one stands at no site of a city with a travel table.
    """
    return _where_existing(city, field).drop_duplicates(["x", "y"], ignore_index=True)


def _where_existing(city: City, field: str) -> pd.DataFrame:
    """Place of each existing sensor, in the order of their ids."""
    existing = city.existing
    if existing is None or len(existing) == 0:
        verb = {"retire": "take away", "move_at_most": "move"}.get(field, "keep")
        msg = f"{city.name or 'the city'} has no existing sensors to {verb}"
        mend = "Add them with with_existing" + (", or name sites" if field == "keep" else "")
        raise ProblemError(msg, field=field, mend=mend)
    position = _sites_at(city, existing[["x", "y"]].to_numpy())
    if city.travel is not None and (position < 0).any():
        name = existing.index[int(np.argmax(position < 0))]
        msg = f"travel costs are known for sites only, and the existing sensor {shown(name)} "
        msg += "stands at none"
        mend = "Add its place to the sites" + (", or name the sites to keep" * (field == "keep"))
        raise ProblemError(msg, field=field, mend=mend)
    made = at_sites(city, np.maximum(position, 0))
    made["position"] = position
    elsewhere = position < 0
    made.loc[elsewhere, "site"] = ""
    made.loc[elsewhere, "area"] = existing["area_id"].to_numpy()[elsewhere]
    for axis in ("x", "y"):
        made.loc[elsewhere, axis] = existing[axis].to_numpy()[elsewhere]
    return made


def base_for(city: City, problem: Problem, kept: pd.DataFrame) -> NDArray[np.float64] | None:
    """Coverage of the demand points by the sensors that stay, (point,), 0 to 1.

    Parameters
    ----------
    city, problem
        Where, and with which decay and theta.
    kept
        What `kept_places` made.

    Returns
    -------
    ndarray or None
        Coverage without any aversion; None where no sensor stays.
    """
    from scipy.spatial import cKDTree

    from spineq.solvers.decays import DECAYS

    if len(kept) == 0:
        return None
    if city.travel is None:
        nearest, _ = cKDTree(kept[["x", "y"]].to_numpy()).query(city.point_xy)
    else:
        nearest = np.full(city.n_points, np.inf)
        for position in kept["position"]:
            np.minimum(nearest, city.travel_costs_from(int(position)), out=nearest)
    return DECAYS[problem.decay](nearest, problem.theta)


def positions(city: City, names: Sequence[str], field: str) -> NDArray[np.int64]:
    """Positions of sites by id, (site,), in order.

    Raises
    ------
    ProblemError
        A site that does not exist, of the problem's field.
    """
    ids = city.dataset["site"].to_numpy()
    found = pd.Index(ids, dtype=object).get_indexer(pd.Index(list(names), dtype=object))
    strange = np.flatnonzero(found < 0)
    if len(strange):
        msg = f"{shown(names[strange[0]])} is no site of {city.name or 'the city'}"
        mend = f"Use ids of sites, such as {shown(ids[0])}"
        if field == "keep" and city.existing is not None:
            mend += ", or of existing sensors"
        if field == "keep" and names[strange[0]] == "existing":
            mend = 'The word "existing" stands alone, in no list and without ids beside it'
        raise ProblemError(msg, field=field, mend=mend)
    made: NDArray[np.int64] = np.sort(found).astype(np.int64)
    return made


def _sites_at(city: City, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position of the first site at each place, (place,); -1 where there is none."""
    from scipy.spatial import cKDTree

    found = cKDTree(city.site_xy).query_ball_point(xy, _AT_A_SITE)
    return np.array([min(sites, default=-1) for sites in found], dtype=np.int64)


def usable_sites(city: City, problem: Problem, kept: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Mark the sites where a new sensor may stand, by the sensors that `kept_places` found."""
    usable = np.ones(city.n_sites, dtype=np.bool_)
    usable[positions(city, problem.forbid, "forbid")] = False
    at = kept["position"].to_numpy(dtype=np.int64)
    usable[at[at >= 0]] = False
    if problem.min_spacing > 0 and len(kept):
        usable &= ~_too_near(city, problem, kept)
    return None if usable.all() else usable


def _too_near(city: City, problem: Problem, kept: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each site is too near to a sensor that stays, (site,)."""
    from scipy.spatial import cKDTree

    distance, _ = cKDTree(kept[["x", "y"]].to_numpy()).query(city.site_xy)
    made: NDArray[np.bool_] = distance < problem.min_spacing
    return made
