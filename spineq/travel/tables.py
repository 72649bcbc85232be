"""Travel costs from tables of other tools: r5py, OSRM, pandana, ArcGIS, or columns as named."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.data._tables import existing_path, read_table
from spineq.errors import (
    DataError,
    DuplicateIdError,
    MissingColumnError,
    TravelCostError,
    UnreadableFileError,
    shortened,
    shown,
)
from spineq.model._checks import (
    as_floats,
    distinct_texts,
    need_columns,
    need_table,
    need_text,
    quoted,
    row_name,
)
from spineq.model.groups import MOST

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Columns of ArcGIS's own numbers: where there are names too, those are the user's.
_NUMBERS = ("originid", "destinationid")

#: Names of the columns that a trip begins and ends at, in small letters: ours; r5py and R5R;
#: pandana's nodes_in_range, OSRM's matrix made long; ArcGIS.
_ENDS = (
    ("site", "point"),
    ("site", "area"),
    ("originname", "destinationname"),
    ("from_id", "to_id"),
    ("source", "destination"),
    ("origin", "destination"),
    _NUMBERS,
    ("origin_id", "destination_id"),
    ("source_id", "target_id"),
    ("from", "to"),
)

#: Names of the column of costs in small letters, and the unit where the tool fixes it.
_COSTS = {
    "cost": None,
    "travel_time": "minutes",
    "travel_time_p50": "minutes",
    "duration": "s",
    "distance": "m",
    "weight": None,
    "total_minutes": "minutes",
    "total_traveltime": "minutes",
    "total_time": "minutes",
    "total_walktime": "minutes",
    "total_meters": "m",
    "total_metres": "m",
    "total_kilometers": "km",
    "total_miles": "miles",
    "total_length": None,
    "total_distance": None,
}

#: Travel times of r5py and R5R that so many of a hundred departures do not exceed.
_PERCENTILE = re.compile(r"travel_time_p\d+", re.IGNORECASE)

#: Columns that hold a route's ends in one text, "a - b", as ArcGIS writes it.
_NAME = "name"


def from_table(
    source: str | Path | pd.DataFrame,
    *,
    site: str | None = None,
    area: str | None = None,
    point: str | None = None,
    cost: str | None = None,
    unit: str | None = None,
    origins: Sequence[object] | None = None,
    destinations: Sequence[object] | None = None,
) -> pd.DataFrame:
    """Travel costs from a table of another tool, for `City.with_travel`.

    Known are, by the names of their columns: spineq's own tables (``site``, ``area`` or
    ``point``, ``cost``); r5py and R5R (``from_id``, ``to_id``, ``travel_time``, minutes; of
    several percentiles the median, ``travel_time_p50``, unless ``cost`` names another);
    pandana's ``nodes_in_range`` (``source``, ``destination``, ``weight``); OSRM's table service,
    its JSON as it is, or made long (``source``, ``destination``, ``duration`` in seconds or
    ``distance`` in metres); lines of an ArcGIS OD cost matrix (``OriginName`` and
    ``DestinationName``, or ``Name`` as ``"a - b"``, or ``OriginID`` and ``DestinationID``; one
    ``Total_`` column). Of any other table name the columns.

    Trips are taken to lead from sites to areas. Where they lead from areas to sites, name the
    columns: ``site="to_id", area="from_id"``.

    Parameters
    ----------
    source
        A table, or a file: CSV, GeoParquet or Parquet, GeoPackage, shapefile, GeoJSON; or the
        JSON of OSRM.
    site
        Column of the sites.
    area, point
        Column of the areas or else of the demand points that the trips are about.
    cost
        Column of the costs, 0 or more. In OSRM's JSON ``"duration"`` or ``"distance"``.
    unit
        Unit of the costs, and so of theta; None for that of the tool, where it is known.
    origins, destinations
        Ids of OSRM's sources and destinations in the order in which it was asked for them: its
        JSON does not hold them.

    Returns
    -------
    DataFrame
        ``site``, ``area`` or ``point`` (text), and ``cost``, in the table's order, without the
        pairs whose cost is empty, which is how these tools say that there is no way. Its
        ``attrs`` hold the ``unit`` (None if unknown), how many were ``unreachable``, and a
        ``note`` that says which of several percentiles the costs are.

    Raises
    ------
    DataError
        One of its kinds: a file that cannot be read, columns that are missing or not
        unambiguous, a cost that is none, a pair that is there twice.
    """
    if area is not None and point is not None:
        msg = "both area and point are named"
        raise DataError(msg, field="area, point", mend="Trips lead to one or the other")
    if unit is not None:
        need_text(unit, "unit")
        if not unit.strip():
            msg = "the unit of the costs is empty"
            raise DataError(msg, field="unit", mend='Write what they are, "minutes"')
    file = None if isinstance(source, pd.DataFrame) else existing_path(source)
    if file is not None and file.suffix.lower() == ".json" and _is_osrm(file):
        frame = _of_osrm(file, origins, destinations, cost)
    else:
        if origins is not None or destinations is not None:
            msg = "origins and destinations are for the JSON of OSRM, and this is another table"
            raise DataError(msg, file=file, mend="Leave them out")
        named = {site, area, point}
        frame = source if isinstance(source, pd.DataFrame) else _read(Path(source), named)
    need_table(frame, file)
    frame = frame.rename(columns=str)
    need_columns(frame, [], file)
    points = point is not None or (area is None and "point" in _small(frame))
    by = "point" if points else "area"
    begin, finish = _trips(frame, site, point if by == "point" else area, by, file)
    column = _cost_column(frame, cost, file)
    values = as_floats(frame[column])
    no_way = frame[column].isna().to_numpy(dtype=bool) | np.isposinf(values)
    made = pd.DataFrame({"site": begin, by: finish, "cost": values})
    _check_costs(made, frame[column], no_way, by, file)
    made = made[~no_way].reset_index(drop=True)
    if unit is None:
        unit = _COSTS.get(column.lower())
    made.attrs |= {"unit": unit, "unreachable": int(no_way.sum())}
    others = [name for name in frame.columns if _PERCENTILE.fullmatch(name) and name != column]
    if _PERCENTILE.fullmatch(column) and others:
        there = shortened(", ".join(others), 100)
        made.attrs["note"] = f"Costs are {column}, of the table that also has {there}."
    return made


def _read(file: Path, named: set[str | None]) -> pd.DataFrame:
    # Ids stay as they are written: 007 is not 7.
    known = {name for pair in _ENDS for name in pair} | {_NAME}
    return pd.DataFrame(read_table(file, "travel", text=known | named))


def _small(frame: pd.DataFrame) -> dict[str, str]:
    """Names of the columns by the same in small letters; of two, the one written so."""
    return {name.lower(): name for name in sorted(frame.columns, key=lambda n: n == n.lower())}


def _trips(
    frame: pd.DataFrame, site: str | None, target: str | None, by: str, file: object
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Ids of both ends of each row, (row,) each."""
    small = _small(frame)
    pair = next((pair for pair in _ENDS if set(pair) <= set(small)), None)
    if site is None and target is None and _NAME in small and pair in (None, _NUMBERS):
        return _split_names(frame[small[_NAME]], file)
    if pair is not None:
        first, second = small[pair[0]], small[pair[1]]
        if target is None:
            target = first if site == second else second
        if site is None:
            site = second if target == first else first
    if site is None or target is None:
        there = ", ".join(shortened(name) for name in frame.columns[:12]) or "none"
        msg = f"it is not clear which columns hold the site and the {by}"
        mend = f"Name both, site= and {by}=; there are {there}"
        raise MissingColumnError(msg, file=file, field=f"site, {by}", mend=mend)
    need_columns(frame, [site, target], file)
    if site == target:
        msg = f"the column {shown(site)} is named for both ends of the trips"
        mend = f"Name one column of sites and another of {by}s"
        raise DataError(msg, file=file, field=f"site, {by}", mend=mend)
    return _texts(frame[site], file), _texts(frame[target], file)


def _texts(values: pd.Series[Any], file: object) -> NDArray[np.object_]:
    named, codes = distinct_texts(values, file)
    made = named[codes]
    empty = np.flatnonzero(made == "")
    if len(empty):
        msg = "the row has no identifier"
        raise DuplicateIdError(
            msg, file=file, row=row_name(empty[0]), field=values.name, mend="Give it one"
        )
    return made


def _split_names(
    values: pd.Series[Any], file: object
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Ids of both ends from names such as "a - b"."""
    names = _texts(values, file)
    parts = [name.split(" - ") for name in names]
    bad = next((row for row, part in enumerate(parts) if len(part) != 2), None)
    if bad is not None:
        msg = f"{shown(names[bad])} is not two names with ' - ' between them"
        mend = "Name the columns of both ends, site= and area="
        raise UnreadableFileError(msg, file=file, row=row_name(bad), field=values.name, mend=mend)
    made = np.array([[one.strip() for one in part] for part in parts], dtype=object)
    made = made.reshape(-1, 2)
    return made[:, 0], made[:, 1]


def _cost_column(frame: pd.DataFrame, named: str | None, file: object) -> str:
    if named is not None:
        need_columns(frame, [named], file)
        return named
    small = _small(frame)
    found = [small[name] for name in _COSTS if name in small]
    found += [
        name for name in frame.columns if name.lower().startswith("total_") and name not in found
    ]
    if "cost" in small:
        found = [small["cost"]]
    if len(found) != 1:
        there = ", ".join(shortened(name) for name in (found or frame.columns)[:12]) or "none"
        what = "several columns could be the costs" if found else "no column is known to be costs"
        raise MissingColumnError(
            what, file=file, field="cost", mend=f"Name it, cost=; there are {there}"
        )
    return found[0]


def _check_costs(
    made: pd.DataFrame,
    said: pd.Series[Any],
    no_way: NDArray[np.bool_],
    by: str,
    file: object,
) -> None:
    """Check costs and pairs here, where rows still have the numbers that the file gives them."""
    values = made["cost"].to_numpy()
    bad = np.flatnonzero(~no_way & ~((values >= 0) & (values <= MOST)))
    if len(bad):
        row = int(bad[0])
        pair = f"{shortened(made['site'][row])} to {shortened(made[by][row])}"
        value = quoted(said.iloc[row]).strip("'\"")
        msg = f"the travel cost from {pair} is {value}"
        mend = f"Give 0 to {MOST:g}, and nothing where there is no way"
        raise TravelCostError(msg, file=file, row=row_name(row), field=said.name, mend=mend)
    if no_way.all():
        msg = "no row has a cost, so nothing is in reach of anything"
        raise TravelCostError(msg, file=file, field=said.name, mend="Give at least one pair")
    twice = np.flatnonzero(made.duplicated(["site", by]).to_numpy())
    if len(twice):
        row = int(twice[0])
        pair = f"{shortened(made['site'][row])} to {shortened(made[by][row])}"
        msg = f"the pair {pair} stands in the table twice"
        raise DuplicateIdError(
            msg, file=file, row=row_name(row), field=f"site, {by}", mend="Keep one of the rows"
        )


def _is_osrm(file: Path) -> bool:
    try:
        made = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(made, dict) and bool({"durations", "distances", "code"} & set(made))


def _of_osrm(
    file: Path,
    origins: Sequence[object] | None,
    destinations: Sequence[object] | None,
    cost: str | None,
) -> pd.DataFrame:
    """Make the answer of OSRM's table service long."""
    made: dict[str, Any] = json.loads(file.read_text(encoding="utf-8-sig"))
    if made.get("code", "Ok") != "Ok":
        msg = f"OSRM answered {shown(made.get('code'))}: {shown(made.get('message', ''))}"
        raise UnreadableFileError(msg, file=file, mend="Ask it again, and keep its answer")
    there = [name for name in ("duration", "distance") if name + "s" in made]
    if cost not in (None, *there):
        msg = f"the answer holds no {shown(cost)}"
        mend = f"Say cost={there[0]!r}" if there else "Ask OSRM for durations or distances"
        raise MissingColumnError(msg, file=file, field="cost", mend=mend)
    if cost is None and len(there) != 1:
        msg = "the answer holds both durations and distances" if there else "it holds no costs"
        mend = 'Say cost="duration" (seconds) or cost="distance" (metres)'
        raise MissingColumnError(msg, file=file, field="cost", mend=mend)
    name = cost or there[0]
    rows = made[name + "s"]
    square = isinstance(rows, list) and all(isinstance(row, list) for row in rows) and rows
    if not square or len({len(row) for row in rows}) != 1:
        msg = f"its {name}s are no matrix"
        raise UnreadableFileError(msg, file=file, field=name + "s", mend="Ask OSRM again")
    shape = (len(rows), len(rows[0]))
    given: list[NDArray[np.object_]] = []
    for words, ids, size in zip(
        ("origins", "destinations"), (origins, destinations), shape, strict=True
    ):
        # A set has no order.
        kinds = (Sequence, pd.Series, pd.Index, np.ndarray)
        listed = list(ids) if isinstance(ids, kinds) and not isinstance(ids, str) else None
        if listed is None or len(listed) != size:
            many = f"{shown(ids)} is no list of them" if listed is None else f"not {len(listed):,}"
            many = "none are given" if ids is None else many
            msg = f"OSRM's answer is for {size:,} {words}, whose ids it does not hold, and {many}"
            mend = f"Give {words}= with their ids in the order in which OSRM was asked for them"
            raise UnreadableFileError(msg, file=file, field=words, mend=mend)
        held = np.empty(size, dtype=object)
        held[:] = listed
        given.append(held)
    return pd.DataFrame(
        {
            "source": np.repeat(given[0], shape[1]),
            "destination": np.tile(given[1], shape[0]),
            name: [value for row in rows for value in row],
        }
    )
