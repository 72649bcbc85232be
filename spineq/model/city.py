"""City: an immutable, checked description of who is where and where sensors may stand.

The file is long because it is one class and the contract of each of its methods; the work is
done in the private files beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from spineq.errors import DataError, MissingColumnError, shortened, shown
from spineq.model._checks import crs_of, known_crs, need_metres, need_table, need_text
from spineq.model._contract import (
    AreaTable,
    PlaceTable,
    PointTable,
    TravelTable,
    areas_at,
    read_areas,
)
from spineq.model._counting import People, mixed, mixed_at_points, people
from spineq.model._digest import digest_of
from spineq.model._group_points import (
    frame_columns,
    joined,
    of_areas,
    of_groups,
    people_of,
    read_group_points,
    split_groups,
)
from spineq.model._parquet import area_frame, write_city
from spineq.model._parts import read_places, read_points, read_travel
from spineq.model._site_columns import named_site_columns
from spineq.model.groups import GROUPS, Group

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Label:
    """What is shown beside a city and changes no answer."""

    name: str = ""
    code: str = ""
    attribution: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Check that each is text, and that files and pictures can hold it."""
        for name, text in vars(self).items():
            need_text(text, name, lines=name in ("attribution", "note"))


@dataclass(frozen=True, eq=False)
class City:
    """Areas with people, demand points, sites, existing sensors, optionally travel costs.

    Make one with `City.from_frame`, `spineq.read_city` or `spineq.demo_city`. It cannot be
    changed: ``with_demand``, ``with_group_points``, ``with_sites``, ``with_existing`` and
    ``with_travel`` return a new one. Areas, points and sites are sorted by id, so that the
    order of rows in a file changes nothing. Equal digests mean equal answers.

    Pickling leaves the polygons out: no computation needs them, and they are most of the
    bytes. To hand polygons on, write the city with `to_geoparquet`.
    """

    _areas: AreaTable
    _points: PointTable
    _sites: PlaceTable
    _existing: PlaceTable | None
    _travel: TravelTable | None
    crs: pyproj.CRS
    label: Label = field(default_factory=Label)
    travel_unit: str = "m"
    #: What the label's note says of the travel table: it goes when another takes its place.
    _travel_note: str = ""

    @classmethod
    def from_frame(
        cls,
        areas: pd.DataFrame,
        *,
        crs: object = None,
        name: str = "",
        code: str = "",
        attribution: str = "",
        note: str = "",
        columns: Sequence[str] | None = None,
        site_columns: Sequence[str] | None = None,
        file: object = None,
    ) -> City:
        """Make a city from a table that follows the file contract.

        Parameters
        ----------
        areas
            One row per area: ``area_id``; polygons or points (a GeoDataFrame) or ``x`` and
            ``y`` in metres; optionally ``population``, ``workers``, ages as ``age_0`` to
            ``age_90`` or bands (``age_0_15``, ``age_65_plus``), any other numeric column.
        crs
            Coordinate reference system of metres, where the table carries none.
        name, code, attribution, note
            Display: the city's name, its authority's code, the source to be named in every
            picture, a caution.
        columns
            Further columns to take as weights; None takes every numeric one.
        site_columns
            Columns of numbers or texts to hand on to the sites at the areas' points, such as
            a ward; no value may be missing. What is taken as a weight is known of them anyway.
        file
            Where the table comes from, for messages.

        Raises
        ------
        DataError
            One of its kinds for whatever does not add up, see `spineq.errors`.
        """
        need_table(areas, file)
        found = known_crs(crs, file, carried=crs_of(areas))
        table = read_areas(areas, file, columns)
        need_metres(found, table.xy, file)
        everyone = np.arange(len(table.ids), dtype=np.int64)
        return cls(
            _areas=table,
            _points=PointTable(table.ids, table.xy, everyone, np.ones(len(table.ids))),
            _sites=PlaceTable(
                table.ids,
                table.xy,
                table.ids,
                *named_site_columns(areas, site_columns, table.columns, file),
            ),
            _existing=None,
            _travel=None,
            crs=found,
            label=Label(name, code, attribution, note),
        )

    def with_demand(self, points: pd.DataFrame, *, file: object = None) -> City:
        """Put the areas' people at demand points of their own.

        Parameters
        ----------
        points
            One row per point: ``area_id``; a point geometry or ``x`` and ``y``; ``share``,
            which sums to 1 over an area, or ``weight``, which is divided by its sum over the
            area; optionally ``point_id``. Rows with a ``group`` are not the areas' but that
            group's, with so many ``people``, and replace all that `with_group_points` added;
            without such a column those stay.
        file
            Where the table comes from, for messages.

        Raises
        ------
        DataError
            Shares that do not sum to 1, an unknown area, a number that is none, or a travel
            table whose costs lead to the old points.
        """
        if self._travel is not None and self._travel.by == "point":
            msg = "the city's travel table leads to the demand points that would be replaced"
            raise DataError(msg, file=file, mend="Call with_demand first, then with_travel")
        frame = self._in_my_crs(points, file)
        frame, groups = split_groups(frame, self._points, self._areas, file)
        table = read_points(frame, self._areas.ids, file)
        need_metres(self.crs, table.xy, file)
        return replace(self, _points=joined(table, groups, file))

    def with_group_points(
        self, points: pd.DataFrame, name: str, weight: str | None = None, *, file: object = None
    ) -> City:
        """Add points that matter by themselves: schools, hospitals, road junctions.

        They are a group of their own, ``Group(column=name)``, which stands exactly at these
        points: nothing of it is spread over areas, and nothing about the areas' people changes.
        The group is reported with every network. Points of an earlier group of that name are
        replaced.

        Parameters
        ----------
        points
            One row per point, as `spineq.demand.group_points` reads them from a file: a point
            geometry or ``x`` and ``y``; optionally ``point_id`` or ``id``, and ``area_id``, the
            area that counts the point where tables and maps are by area, and whose travel
            costs hold for it; else the one with the nearest point.
        name
            What the group is called, such as ``"schools"``.
        weight
            Column with what each point weighs, 0 or more: pupils, beds. None takes the column
            ``weight`` where there is one; else every point weighs 1.
        file
            Where the table comes from, for messages.

        Raises
        ------
        DataError
            No point, a weight that is no number, weights of 0 alone, an unknown area, an id
            that another point has, a name that something else has; or a travel table whose
            costs lead to the old points.
        """
        if self._travel is not None and self._travel.by == "point":
            msg = "the city's travel table leads to the demand points that it has"
            mend = "Call with_group_points first, then with_travel"
            raise DataError(msg, file=file, mend=mend)
        table = read_group_points(self._in_my_crs(points, file), name, weight, self._areas, file)
        need_metres(self.crs, table.xy, file)
        groups = joined(table, of_groups(self._points, but=name), file)
        return replace(self, _points=joined(of_areas(self._points), groups, file))

    def with_sites(self, sites: pd.DataFrame, *, file: object = None) -> City:
        """Say where sensors may stand, instead of at the areas' points.

        Parameters
        ----------
        sites
            One row per site: ``site_id`` (or ``id``); a point geometry or ``x`` and ``y``;
            optionally ``area_id``, else the site belongs to the nearest area's point. Further
            columns of numbers (a price) or texts (a ward) are kept, see `site_columns`.
        file
            Where the table comes from, for messages.

        Raises
        ------
        DataError
            A duplicate id, an unknown area, a number that is none, or a travel table whose
            costs start at the old sites.
        """
        if self._travel is not None:
            msg = "the city's travel table starts at the sites that would be replaced"
            raise DataError(msg, file=file, mend="Call with_sites first, then with_travel")
        table = read_places(self._in_my_crs(sites, file), "site", self._areas, file)
        if len(table.ids) == 0:
            msg = "there is not a single site"
            raise DataError(msg, file=file, mend="Give at least one place where a sensor may stand")
        need_metres(self.crs, table.xy, file)
        return replace(self, _sites=table)

    def with_existing(self, sensors: pd.DataFrame, *, file: object = None) -> City:
        """Say where sensors stand today.

        Parameters
        ----------
        sensors
            One row per sensor: optionally ``sensor_id`` (or ``id``); a point geometry or
            ``x`` and ``y``; optionally ``area_id``, else the sensor belongs to the nearest
            area's point.
        file
            Where the table comes from, for messages.

        Raises
        ------
        DataError
            A duplicate id, an unknown area, a number that is none.
        """
        table = read_places(self._in_my_crs(sensors, file), "sensor", self._areas, file)
        need_metres(self.crs, table.xy, file)
        return replace(self, _existing=table)

    def with_travel(
        self, table: pd.DataFrame, *, unit: str | None = None, file: object = None
    ) -> City:
        """Let distances come from a table instead of straight lines.

        Parameters
        ----------
        table
            Long table: ``site``, ``area`` or ``point``, ``cost``. A pair that is not in it
            is out of reach. Costs to an area hold for each of its points.
        unit
            Unit of the costs, and so of theta: ``"m"``, ``"minutes"``, whatever it is. None for
            the table's own, ``attrs["unit"]``, which `spineq.travel` writes, or else metres.
        file
            Where the table comes from, for messages.

        Returns
        -------
        City
            Where the table's ``attrs["note"]`` say how the costs came about, its note does too.

        Raises
        ------
        DataError
            A negative or missing cost, an unknown site, area or point, a pair given twice,
            or a unit that is no text.
        """
        if unit is None:
            unit = getattr(table, "attrs", {}).get("unit") or "m"
        need_text(unit, "unit", file)
        if not unit.strip():
            msg = "the unit of the travel costs is empty"
            raise DataError(msg, file=file, field="unit", mend='Write what they are, "minutes"')
        made = read_travel(table, self._sites.ids, self._areas.ids, self._points.ids, file)
        said = str(table.attrs.get("note") or "")
        lines = [line for line in self.label.note.splitlines() if line != self._travel_note]
        if said and said not in lines:
            lines.append(said)
        label = replace(self.label, note="\n".join(lines))
        return replace(self, _travel=made, travel_unit=unit, label=label, _travel_note=said)

    def labelled(self, **label: str | None) -> City:
        """Change what is shown beside the city: ``name``, ``code``, ``attribution``, ``note``.

        Raises
        ------
        DataError
            Something else is named, or the words are no text.
        """
        unknown = sorted(set(label) - set(vars(self.label)))
        if unknown:
            msg = f"a city has no {shown(unknown[0])} beside it"
            raise DataError(msg, mend=f"Use {', '.join(vars(self.label))}")
        given = {key: text for key, text in label.items() if text is not None}
        return replace(self, label=replace(self.label, **given))

    def _in_my_crs(self, frame: pd.DataFrame, file: object) -> pd.DataFrame:
        need_table(frame, file)
        theirs = crs_of(frame)
        if theirs is None or theirs == self.crs:
            return frame
        moved: pd.DataFrame = frame.to_crs(self.crs)  # type: ignore[operator]
        # x and y columns are in the old system; the geometry now holds the right numbers.
        return moved.drop(columns=["x", "y"], errors="ignore")

    @property
    def name(self) -> str:
        """Name of the city, for display."""
        return self.label.name

    @property
    def attribution(self) -> str:
        """Source of the data, to be shown in every picture."""
        return self.label.attribution

    @property
    def n_areas(self) -> int:
        """Number of areas."""
        return len(self._areas.ids)

    @property
    def n_points(self) -> int:
        """Number of demand points."""
        return len(self._points.ids)

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self._sites.ids)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the weight columns beside the ages, such as ``"workers"``."""
        return self._areas.columns

    @property
    def point_groups(self) -> tuple[str, ...]:
        """Names of the groups that stand at points of their own, see `with_group_points`."""
        return self._points.groups

    @property
    def travel(self) -> TravelTable | None:
        """Travel costs, or None where distances are straight lines."""
        return self._travel

    @property
    def site_xy(self) -> NDArray[np.float64]:
        """Places of the sites, (site, 2), metres."""
        return self._sites.xy

    @property
    def point_xy(self) -> NDArray[np.float64]:
        """Places of the demand points, (point, 2), metres."""
        return self._points.xy

    @property
    def point_area(self) -> NDArray[np.int64]:
        """Position of each demand point's area, (point,)."""
        return self._points.area

    @property
    def point_share(self) -> NDArray[np.float64]:
        """Share of its area's people at each demand point, (point,), 0 to 1.

        It is 0 for points of groups that stand at points of their own.
        """
        return self._points.share

    def travel_costs_from(self, site: int) -> NDArray[np.float64]:
        """Travel cost from the site at a position to every point, (point,); inf out of reach.

        Raises
        ------
        DataError
            The city has no travel table.
        """
        travel = self._travel
        if travel is None:
            msg = "the city has no travel table"
            raise DataError(msg, mend="Add one with with_travel")
        low, high = np.searchsorted(travel.site, [site, site + 1])
        costs = np.full(self.n_areas if travel.by == "area" else self.n_points, np.inf)
        costs[travel.target[low:high]] = travel.cost[low:high]
        return costs[self._points.area] if travel.by == "area" else costs

    @property
    def site_areas(self) -> NDArray[np.object_]:
        """Id of each site's area, (site,): the one that its table names, else the nearest."""
        return self._sites.areas

    @property
    def sites_are_areas(self) -> bool:
        """Whether the sites are the areas' points, one each and of the same id."""
        sites, areas = self._sites, self._areas
        return (
            np.array_equal(sites.ids, areas.ids)
            and np.array_equal(sites.xy, areas.xy)
            and np.array_equal(sites.areas, areas.ids)
        )

    @property
    def site_columns(self) -> tuple[str, ...]:
        """Names of what is known of each site: its table's columns, and ``"area_id"``.

        Where the sites are the areas' points, also the areas' weight columns.
        """
        of_areas = self.columns if self.sites_are_areas else ()
        return tuple(dict.fromkeys([*self._sites.columns, *of_areas, "area_id"]))

    def site_column(self, name: str) -> NDArray[Any]:
        """Values of a column of the sites.

        Parameters
        ----------
        name
            One of `site_columns`.

        Returns
        -------
        ndarray
            (site,) floats, NaN where a value is missing; or texts, empty there.

        Raises
        ------
        MissingColumnError
            There is no such column; the message lists those that are there.
        """
        if name in self._sites.columns:
            return self._sites.values[self._sites.columns.index(name)]
        if name in self.columns and self.sites_are_areas:
            return self._areas.values[:, self.columns.index(name)]
        if name == "area_id":
            return self._sites.areas
        msg = f"the sites have no column {shown(name)}"
        there = ", ".join(shortened(column) for column in self.site_columns[:12])
        mend = f"Add it to their table, or use one of {there}"
        raise MissingColumnError(msg, field=name, mend=mend)

    @property
    def existing_areas(self) -> tuple[str, ...]:
        """Ids of the areas with an existing sensor, sorted; empty where there are none."""
        return () if self._existing is None else tuple(sorted(set(self._existing.areas)))

    @property
    def dataset(self) -> xr.Dataset:
        """Everything but the polygons as one Dataset; its arrays are read-only.

        Dimensions: ``area``, ``age`` (band; coordinates ``age`` and ``age_last`` are its
        youngest and oldest year), ``column``, ``point``, ``site``, and where there are any
        ``sensor`` (existing) and ``travel``. Coordinates are metres in the city's CRS,
        residents and columns are counts, ``point_share`` sums to 1 over an area; a group that
        stands at points of its own has a ``point_..._people`` with its name. Columns of a
        table of sites are in ``site_numbers`` (site, site_number) and ``site_texts`` (site,
        site_text), where there are any.
        """
        # A copy of the frame around the arrays: what a caller puts in stays with the caller.
        return self._dataset.copy()

    @cached_property
    def _dataset(self) -> xr.Dataset:
        areas, points, sites = self._areas, self._points, self._sites
        bands = np.array(areas.bands, dtype=np.int64).reshape(-1, 2)
        bands.setflags(write=False)
        at_points = {
            f"point_{name}_people": ("point", people_of(points, name)) for name in points.groups
        }
        made = xr.Dataset(
            {
                "residents": (("area", "age"), areas.residents),
                "columns": (("area", "column"), areas.values),
                "point_area": ("point", points.area),
                "point_share": ("point", points.share),
                **at_points,
            },
            coords={
                "area": areas.ids,
                "x": ("area", areas.xy[:, 0]),
                "y": ("area", areas.xy[:, 1]),
                "age": bands[:, 0],
                "age_last": ("age", bands[:, 1]),
                "column": np.array(areas.columns, dtype=object),
                "point": points.ids,
                "point_x": ("point", points.xy[:, 0]),
                "point_y": ("point", points.xy[:, 1]),
                "site": sites.ids,
                "site_x": ("site", sites.xy[:, 0]),
                "site_y": ("site", sites.xy[:, 1]),
            },
            attrs={"crs": self.crs.to_string(), **vars(self.label), "digest": self.digest},
        )
        if self._existing is not None:
            made = made.assign_coords(
                sensor=self._existing.ids,
                sensor_x=("sensor", self._existing.xy[:, 0]),
                sensor_y=("sensor", self._existing.xy[:, 1]),
            )
        for name, of_texts in (("number", False), ("text", True)):
            held = {
                column: values
                for column, values in zip(sites.columns, sites.values, strict=True)
                if (values.dtype == object) == of_texts
            }
            if held:
                table = np.column_stack(list(held.values()))
                table.setflags(write=False)
                made[f"site_{name}s"] = (("site", f"site_{name}"), table)
                made = made.assign_coords({f"site_{name}": np.array(list(held), dtype=object)})
        if self._travel is not None:
            made["travel_site"] = ("travel", self._travel.site)
            made["travel_target"] = ("travel", self._travel.target)
            made["travel_cost"] = ("travel", self._travel.cost, {"unit": self.travel_unit})
        return made

    @property
    def polygons(self) -> gpd.GeoDataFrame | None:
        """The areas as a GeoDataFrame indexed by id, or None where there are no polygons."""
        import geopandas as gpd

        if self._areas.polygons is None:
            return None
        return gpd.GeoDataFrame(
            index=pd.Index(self._areas.ids, name="area_id"),
            geometry=self._areas.polygons.copy(),
            crs=self.crs,
        )

    @property
    def existing(self) -> pd.DataFrame | None:
        """The existing sensors as a table ``x, y, area_id`` indexed by id, or None."""
        return None if self._existing is None else _place_frame(self._existing)

    @property
    def sites(self) -> pd.DataFrame:
        """The sites as a table ``x, y, area_id`` and what columns theirs had, indexed by id."""
        return _place_frame(self._sites)

    @property
    def points(self) -> pd.DataFrame:
        """The demand points as a table ``area_id, x, y, share`` indexed by id.

        With ``group`` and ``people`` where groups stand at points of their own.
        """
        points = self._points
        return pd.DataFrame(
            {
                "area_id": self._areas.ids[points.area],
                "x": points.xy[:, 0],
                "y": points.xy[:, 1],
                "share": points.share,
            }
            | frame_columns(points),
            index=pd.Index(points.ids, name="point_id"),
        )

    def areas_at(self, xy: NDArray[np.float64]) -> NDArray[np.object_]:
        """Id of the area whose point is nearest to each place, (place,).

        Of several equally near it is the first id. Polygons have no say: they are display,
        and the same city without them must answer the same.

        Parameters
        ----------
        xy
            Places, (place, 2), metres in the city's CRS.
        """
        return areas_at(self._areas, xy)

    def people(self, group: Group) -> People:
        """Count a group's people in each area.

        An age band that the group cuts through counts in proportion to its years, and the
        answer is marked as estimated. A group that stands at points of its own is counted in
        the areas that these belong to.

        Raises
        ------
        MissingColumnError
            The city has no such column, or no residents.
        AgeBandError
            The city knows its residents' total only, so there is nothing to split.
        ZeroWeightError
            The group has nobody in the city.
        """
        return people(self._areas, self._points, group)

    def has(self, group: Group) -> bool:
        """Whether the city has the data to count the group's people."""
        try:
            self.people(group)
        except DataError:
            return False
        return True

    def reported_groups(self, groups: Mapping[str, Group] | None = None) -> dict[str, Group]:
        """Groups that a result reports: the original's four where there is data, and more.

        Those that stand at points of their own are among them.

        Parameters
        ----------
        groups
            Further groups; one with a name of the four takes its place.
        """
        made = {name: group for name, group in GROUPS.items() if self.has(group)}
        made |= {name: Group(column=name) for name in self.point_groups}
        return made | dict(groups or {})

    def weights(self, groups: Iterable[tuple[str, Group]]) -> NDArray[np.float64]:
        """Weight of each area in a mix of groups, (area,), summing to 1.

        Each group's people are scaled to sum to 1 over the city, times its weight, and the
        whole to sum to 1: ``sum_k w_k r_kj / sum_j r_kj / sum_k w_k``.

        Raises
        ------
        DataError
            The city lacks a group's data, or the group has nobody; the message names it.
        """
        return mixed(self._areas, self._points, groups)

    def weights_at_points(self, groups: Iterable[tuple[str, Group]]) -> NDArray[np.float64]:
        """Weight of each demand point in a mix of groups, (point,), summing to 1.

        As `weights`, each area's weight spread over its points by their share; groups that stand
        at points of their own weigh there, in proportion to their people.

        Raises
        ------
        DataError
            The city lacks a group's data, or the group has nobody; the message names it.
        """
        return mixed_at_points(self._areas, self._points, groups)

    def point_weights(self, area_weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Spread weights of areas, (area,), over their demand points, (point,).

        Raises
        ------
        DataError
            Groups stand at points of their own, which weights of areas know nothing about.
        """
        if self.point_groups:
            msg = f"the group {shown(self.point_groups[0])} stands at points of its own"
            raise DataError(msg, field="groups", mend="Use City.weights_at_points")
        return area_weights[self._points.area] * self._points.share

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that can change an answer, 64 hex digits.

        Covered: ids, coordinates, residents, columns, points with their shares and groups,
        sites with their area and columns, existing sensors with the area of each, travel costs
        with their unit, and CRS. Not covered, being display: polygons and labels.
        """
        return digest_of(
            self.crs,
            self._areas,
            self._points,
            self._sites,
            self._existing,
            self._travel,
            self.travel_unit,
        )

    def __eq__(self, other: object) -> bool:
        """Two cities are equal where their digests are."""
        return self.digest == other.digest if isinstance(other, City) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def __dask_tokenize__(self) -> tuple[str, str]:
        """Name the city by its digest, so that Dask need not read its arrays."""
        return "spineq.City", self.digest

    def __getstate__(self) -> dict[str, Any]:
        mine = {name: getattr(self, name) for name in self.__dataclass_fields__}
        mine["_areas"] = replace(self._areas, polygons=None)
        mine["digest"] = self.digest
        return mine

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __copy__(self) -> City:
        # What cannot change needs no copy, and one by way of pickle would lose the polygons.
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> City:
        return self

    def __repr__(self) -> str:
        counts = [f"{self.n_areas:,} areas"]
        if self._areas.bands:
            counts.append(f"{self._areas.residents.sum():,.0f} residents")
        if "workers" in self.columns:
            counts.append(f"{self.people(GROUPS['workplace']).values.sum():,.0f} workers")
        counts += [f"{self.n_sites:,} sites", f"{self.n_points:,} demand points"]
        return f"<City {self.name or 'without a name'}: {', '.join(counts)}>"

    def to_frame(self) -> pd.DataFrame:
        """Return the areas as a table of the file contract (with polygons where there are any)."""
        return area_frame(self._areas, self.crs)

    def to_geoparquet(self, folder: str | Path) -> Path:
        """Write the city as a folder that `spineq.read_city` reads back with the same digest.

        Parameters
        ----------
        folder
            Made where it is missing. Gets ``areas.parquet`` and, where they differ from the
            default, ``sites.parquet``, ``points.parquet``, ``existing.parquet`` and
            ``travel.parquet``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        StoreError
            The folder cannot be written, or `spineq.read_city` would read another city there.
        """
        return write_city(self, Path(folder))


def _place_frame(places: PlaceTable) -> pd.DataFrame:
    return pd.DataFrame(
        {"x": places.xy[:, 0], "y": places.xy[:, 1], "area_id": places.areas}
        | dict(zip(places.columns, places.values, strict=True)),
        index=pd.Index(places.ids, name="id"),
    )
