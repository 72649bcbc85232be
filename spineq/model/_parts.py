"""Sites, existing sensors, demand points and travel costs, from tables as users have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import (
    DuplicateIdError,
    MissingColumnError,
    ShareError,
    TravelCostError,
    UnknownIdError,
    shortened,
    shown,
)
from spineq.model._checks import (
    as_floats,
    distinct_texts,
    identifiers,
    is_nothing,
    need_columns,
    need_table,
    numbers,
    quoted,
    row_name,
)
from spineq.model._contract import (
    AreaTable,
    PlaceTable,
    PointTable,
    TravelTable,
    areas_at,
    coordinates,
)
from spineq.model._site_columns import read_site_columns
from spineq.model.groups import MOST

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How far the shares of an area may be from 1: what six written decimals lose.
SHARE_TOLERANCE = 1e-6


def read_places(frame: pd.DataFrame, what: str, city_areas: AreaTable, file: object) -> PlaceTable:
    """Read a table of sites or existing sensors.

    Parameters
    ----------
    frame
        One row per place: ``{what}_id`` or ``id`` (numbered by coordinate where there is
        none), a point or ``x`` and ``y``, optionally ``area_id`` (else that of the nearest
        area point). Further columns of sites are kept.
    what
        ``"site"`` or ``"sensor"``.
    city_areas
        The city's areas.
    file
        Where the table comes from, for messages.
    """
    need_table(frame, file)
    frame = frame.rename(columns=str)
    need_columns(frame, [], file)
    id_column = next((name for name in (f"{what}_id", "id") if name in frame.columns), None)
    given = None if id_column is None else identifiers(frame[id_column], id_column, file)
    xy = coordinates(frame, given, file)
    if "area_id" in frame.columns:
        areas = city_areas.ids[positions_of(frame["area_id"], city_areas.ids, given, file)]
    else:
        areas = areas_at(city_areas, xy) if len(xy) else np.empty(0, dtype=object)
    ids = given if given is not None else _numbered(xy, areas, what)
    order = np.argsort(ids)
    if what == "sensor":
        return PlaceTable(ids[order], xy[order], areas[order])
    reserved = [] if id_column is None else [id_column]
    columns, values = read_site_columns(frame, reserved, order, file)
    return PlaceTable(ids[order], xy[order], areas[order], columns, values)


def _numbered(
    xy: NDArray[np.float64], areas: NDArray[np.object_], what: str
) -> NDArray[np.object_]:
    # By coordinate, so that the order of rows does not name the places.
    order = np.lexsort((pd.factorize(areas, sort=True)[0], xy[:, 1], xy[:, 0]))
    width = len(str(len(xy)))
    ids = np.empty(len(xy), dtype=object)
    ids[order] = [f"{what}-{number:0{width}d}" for number in range(1, len(xy) + 1)]
    return ids


def positions_of(
    values: pd.Series[Any],
    known: NDArray[np.object_],
    rows: NDArray[np.object_] | None,
    file: object,
) -> NDArray[np.int64]:
    """Find each row's position among the known ids; the column's name says of what."""
    # Looked up once for each distinct id: a travel table names each many times.
    named, codes = distinct_texts(values, file)
    found = pd.Index(known, dtype=object).get_indexer(pd.Index(named, dtype=object))[codes]
    if (found < 0).any():
        row = int(np.flatnonzero(found < 0)[0])
        name = named[codes[row]]
        which = shown(name) if name else "a row without an id"
        msg = f"{which} is not in the city (which has {shown(known[0])}, for example)"
        raise UnknownIdError(
            msg,
            file=file,
            row=row_name(row, rows),
            field=values.name,
            mend="Correct it, or leave the row out",
        )
    return found.astype(np.int64)


def read_points(frame: pd.DataFrame, area_ids: NDArray[np.object_], file: object) -> PointTable:
    """Read a table of demand points.

    Parameters
    ----------
    frame
        One row per point: ``area_id``, a point or ``x`` and ``y``, and ``share`` (summing to
        1 over an area) or ``weight`` (people, floor area: divided by its sum over the area);
        optionally ``point_id``.
    area_ids
        Ids of the areas, sorted, (area,).
    file
        Where the table comes from, for messages.
    """
    need_table(frame, file)
    frame = frame.rename(columns=str)
    need_columns(frame, ["area_id"], file)
    given = [name for name in ("share", "weight") if name in frame.columns]
    if len(given) != 1:
        msg = "there are both share and weight" if given else "the column 'share' is missing"
        raise MissingColumnError(
            msg, file=file, field="share", mend="Give either a share or a weight column"
        )
    field = given[0]
    ids = None
    if "point_id" in frame.columns:
        ids = identifiers(frame["point_id"], "point_id", file)
    xy = coordinates(frame, ids, file)
    area = positions_of(frame["area_id"], area_ids, ids, file)
    share = numbers(frame[field], ids, field, file)
    if ids is None:
        ids = _points_numbered(area_ids[area], xy, share)
    # Before anything is summed: the last bits of a sum depend on the order of its rows.
    order = np.lexsort((pd.factorize(ids, sort=True)[0], area))
    ids, xy, area, share = ids[order], xy[order], area[order], share[order]
    total = np.bincount(area, weights=share, minlength=len(area_ids))
    bad = np.flatnonzero(total <= 0 if field == "weight" else np.abs(total - 1) > SHARE_TOLERANCE)
    if len(bad):
        name = area_ids[bad[0]]
        msg = f"the {field}s of area {shown(name)} sum to {total[bad[0]]:.9g}"
        if not (area == bad[0]).any():
            msg = f"area {shown(name)} has no point"
        raise ShareError(
            msg,
            file=file,
            row=name,
            field=field,
            mend="Give every area points whose shares sum to 1, or a weight column instead",
        )
    if field == "weight":
        share = share / total[area]
    return PointTable(ids, xy, area, share)


def _points_numbered(
    names: NDArray[np.object_], xy: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.object_]:
    if len(xy) == 0:
        return np.empty(0, dtype=object)
    frame = pd.DataFrame({"area": names, "x": xy[:, 0], "y": xy[:, 1], "share": share})
    number = frame.sort_values(["area", "x", "y", "share"]).groupby("area").cumcount().sort_index()
    width = len(str(int(number.max()) + 1))
    return np.array(
        [f"{name}#{k + 1:0{width}d}" for name, k in zip(names, number, strict=True)], dtype=object
    )


def read_travel(
    frame: pd.DataFrame,
    site_ids: NDArray[np.object_],
    area_ids: NDArray[np.object_],
    point_ids: NDArray[np.object_],
    file: object,
) -> TravelTable:
    """Read a long table of travel costs; a pair that is not in it is out of reach.

    Parameters
    ----------
    frame
        One row per pair: ``site``, ``area`` or ``point``, ``cost`` (0 or more).
    site_ids, area_ids, point_ids
        Ids of the city, sorted as the city has them.
    file
        Where the table comes from, for messages.
    """
    need_table(frame, file)
    frame = frame.rename(columns=str)
    by = "point" if "point" in frame.columns else "area"
    need_columns(frame, ["site", by, "cost"], file)
    if len(frame) == 0:
        msg = "the travel table is empty, so nothing is in reach of anything"
        raise TravelCostError(msg, file=file, mend="Give at least one pair")
    site = positions_of(frame["site"], site_ids, None, file)
    targets = area_ids if by == "area" else point_ids
    target = positions_of(frame[by], targets, None, file)
    cost = as_floats(frame["cost"]) + 0.0

    def pair(row: int) -> str:
        return f"{shortened(site_ids[site[row]])} to {shortened(targets[target[row]])}"

    bad = np.flatnonzero(~((cost >= 0) & (cost <= MOST)))
    if len(bad):
        row = int(bad[0])
        value = frame["cost"].iloc[row]
        said = "missing" if is_nothing(value) else quoted(value).strip("'\"")
        msg = f"the travel cost from {pair(row)} is {said}"
        raise TravelCostError(
            msg,
            file=file,
            row=row_name(row),
            field="cost",
            mend=f"Give 0 to {MOST:g}; leave the row out if the place is out of reach",
        )
    step = np.diff(site)
    if ((step > 0) | ((step == 0) & (np.diff(target) > 0))).all():
        # Large tables come in order, and sorting would be most of the work.
        return TravelTable(by, site, target, cost)
    order = np.lexsort((target, site))
    site_, target_ = site[order], target[order]
    twice = np.flatnonzero((np.diff(site_) == 0) & (np.diff(target_) == 0))
    if len(twice):
        row = int(order[twice[0] + 1])
        msg = f"the pair {pair(row)} stands in the table twice"
        raise DuplicateIdError(
            msg, file=file, row=row_name(row), field=f"site, {by}", mend="Keep one of the rows"
        )
    return TravelTable(by, site_, target_, cost[order])
