"""Points that matter by themselves: schools, hospitals, road junctions as a group of their own.

Such a group's people are not spread over areas; they stand exactly at its points. In the table
of demand points these have no share in the people of their area, so that nothing about areas
changes, but so many people of their group. The area of such a point is where tables and maps
by area count it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import DataError, DuplicateIdError, UnreadableFileError, shown
from spineq.model._checks import (
    identifiers,
    need_columns,
    need_table,
    need_text,
    numbers,
    positive_sum,
)
from spineq.model._contract import AreaTable, PointTable, areas_at, coordinates
from spineq.model._parts import positions_of
from spineq.model.groups import GROUPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Columns of a table of demand points that belong to a group: its name, and how many people.
NAME, PEOPLE = "group", "people"


def read_group_points(
    frame: pd.DataFrame, name: str, weight: str | None, areas: AreaTable, file: object
) -> PointTable:
    """Read a table of points that matter by themselves.

    Parameters
    ----------
    frame
        One row per point: a point geometry or ``x`` and ``y``; optionally ``point_id`` or
        ``id``, and ``area_id`` (else that of the nearest area point).
    name
        What the group is called.
    weight
        Column with what each point weighs; None for ``weight`` where there is one, else all
        weigh the same.
    areas
        The city's areas.
    file
        Where the table comes from, for messages.
    """
    _need_name(name, areas, file)
    need_table(frame, file)
    frame = frame.rename(columns=str)
    need_columns(frame, [], file)
    if len(frame) == 0:
        msg = f"the group {shown(name)} has not a single point"
        raise DataError(msg, file=file, mend="Give at least one place")
    given = next((column for column in ("point_id", "id") if column in frame.columns), None)
    ids = None if given is None else identifiers(frame[given], given, file)
    xy = coordinates(frame, ids, file)
    column = "weight" if weight is None and "weight" in frame.columns else weight
    people = np.ones(len(frame))
    if column is not None:
        need_columns(frame, [column], file)
        people = numbers(frame[column], ids, column, file, mend="Write 0 where nobody is")
        positive_sum(people, column, file)
    if "area_id" in frame.columns:
        area = positions_of(frame["area_id"], areas.ids, ids, file)
    else:
        area = np.searchsorted(areas.ids, areas_at(areas, xy)).astype(np.int64)
    if ids is None:
        ids = _numbered(name, xy, people)
    return _sorted(
        PointTable(
            ids,
            xy,
            area,
            np.zeros(len(ids)),
            (name,),
            np.zeros(len(ids), dtype=np.int64),
            people,
        )
    )


def _need_name(name: object, areas: AreaTable, file: object) -> None:
    """Check that a group's name is text, and is not that of something else."""
    need_text(name, "name", file)
    text = str(name)
    if not text or text != text.strip():
        msg = f"the name of the group, {shown(name)}, is empty or has spaces around it"
        raise DataError(msg, file=file, field="name", mend='Write for example "schools"')
    if text in (*areas.columns, "population", "area_id", "x", "y", "geometry", *GROUPS):
        msg = f"{shown(name)} is the name of a column of the city, or of a group that it has"
        raise DataError(msg, file=file, field="name", mend="Call the group otherwise")


def _numbered(
    name: str, xy: NDArray[np.float64], people: NDArray[np.float64]
) -> NDArray[np.object_]:
    # By coordinate, so that the order of rows does not name the points.
    order = np.lexsort((people, xy[:, 1], xy[:, 0]))
    width = len(str(len(xy)))
    ids = np.empty(len(xy), dtype=object)
    ids[order] = [f"{name}#{number:0{width}d}" for number in range(1, len(xy) + 1)]
    return ids


def split_groups(
    frame: pd.DataFrame, earlier: PointTable, areas: AreaTable, file: object
) -> tuple[pd.DataFrame, PointTable | None]:
    """Take the points of groups out of a table of demand points that has some.

    Parameters
    ----------
    frame
        The table; ``group`` and ``people`` in the rows of groups.
    earlier
        The city's points, whose groups stay where the table has no column of groups.
    areas
        The city's areas.
    file
        Where the table comes from, for messages.

    Returns
    -------
    tuple
        The other rows, and the points of groups; None where there are none.
    """
    frame = frame.rename(columns=str)
    if NAME not in frame.columns:
        return frame, of_groups(earlier)
    names = frame[NAME]
    bad = [cell for cell in names if not (isinstance(cell, str) or pd.isna(cell))]
    if bad:
        msg = f"the name of a group must be text, not {shown(bad[0])}"
        raise UnreadableFileError(msg, file=file, field=NAME, mend="Leave it empty, or write text")
    belongs = (names.notna() & (names != "")).to_numpy()
    rest = frame[~belongs].drop(columns=[NAME, PEOPLE], errors="ignore")
    made: PointTable | None = None
    for name in sorted(set(names[belongs])):
        rows = frame[belongs & (names == name).to_numpy()]
        made = joined(read_group_points(rows, name, PEOPLE, areas, file), made, file)
    return rest, made


def joined(points: PointTable, more: PointTable | None, file: object) -> PointTable:
    """Put two tables of points together, the groups of each with them.

    Raises
    ------
    DuplicateIdError
        A point of one has the id of a point of the other.
    """
    if more is None:
        return points
    twice = np.flatnonzero(pd.Index(more.ids).isin(pd.Index(points.ids)))
    if len(twice):
        msg = f"the city has another point {shown(more.ids[twice[0]])}"
        mend = "Give every point an id of its own, in all tables of points"
        raise DuplicateIdError(msg, file=file, field="point_id", mend=mend)
    groups = tuple(sorted({*points.groups, *more.groups}))

    def renumbered(table: PointTable) -> NDArray[np.int64]:
        place = [*(groups.index(name) for name in table.groups), -1]
        return np.array(place, dtype=np.int64)[group_of(table)]

    return _sorted(
        PointTable(
            np.concatenate([points.ids, more.ids]),
            np.concatenate([points.xy, more.xy]),
            np.concatenate([points.area, more.area]),
            np.concatenate([points.share, more.share]),
            groups,
            np.concatenate([renumbered(points), renumbered(more)]),
            np.concatenate([people_at(points), people_at(more)]),
        )
    )


def group_of(points: PointTable) -> NDArray[np.int64]:
    """Position of each point's group, (point,); -1 for the points of areas."""
    return np.full(len(points.ids), -1, dtype=np.int64) if points.group is None else points.group


def people_at(points: PointTable) -> NDArray[np.float64]:
    """People of its group at each point, (point,); 0 for the points of areas."""
    return np.zeros(len(points.ids)) if points.people is None else points.people


def people_of(points: PointTable, name: str) -> NDArray[np.float64]:
    """People of a group at each point, (point,); 0 for points that are not the group's."""
    return np.where(group_of(points) == points.groups.index(name), people_at(points), 0.0)


def of_areas(points: PointTable) -> PointTable:
    """Points of the areas, without those of groups."""
    keep = group_of(points) < 0
    plain = (points.ids[keep], points.xy[keep], points.area[keep], points.share[keep])
    return PointTable(*plain)


def of_groups(points: PointTable, but: object = None) -> PointTable | None:
    """Points of groups, without those of one of them; None where there are none."""
    groups = tuple(name for name in points.groups if name != but)
    place = [groups.index(name) if name in groups else -1 for name in points.groups]
    group = np.array([*place, -1], dtype=np.int64)[group_of(points)]
    keep = group >= 0
    if not keep.any():
        return None
    plain = (points.ids[keep], points.xy[keep], points.area[keep], points.share[keep])
    return PointTable(*plain, groups, group[keep], people_at(points)[keep])


def _sorted(points: PointTable) -> PointTable:
    """Sort points by area and id, as everything that reads them expects."""
    order = np.lexsort((pd.factorize(points.ids, sort=True)[0], points.area))
    more: dict[str, Any] = {}
    if points.group is not None and points.people is not None:
        more = {"group": points.group[order], "people": points.people[order]}
    return replace(
        points,
        ids=points.ids[order],
        xy=points.xy[order],
        area=points.area[order],
        share=points.share[order],
        **more,
    )


def frame_columns(points: PointTable) -> dict[str, NDArray[Any]]:
    """Columns that say which points belong to groups; none where there are no groups."""
    if not points.groups:
        return {}
    group = group_of(points)
    names = np.array([*points.groups, ""], dtype=object)[group]
    return {NAME: names, PEOPLE: np.where(group >= 0, people_at(points), np.nan)}
