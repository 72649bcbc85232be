"""Cities that a gateway knows: those it was started with, and those of the store's jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from spineq.errors import DataError, UnknownIdError, shown

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City

#: Cities that a message names.
_MOST_NAMED = 8


class Cities:
    """Finds cities by their authority's code, name or digest.

    Parameters
    ----------
    queue
        Whose store has more of them.
    given
        Cities that the gateway was started with, by a name of whoever started it; the first is
        meant where none is named.
    """

    def __init__(self, queue: JobQueue, given: Mapping[str, City]) -> None:
        self._queue = queue
        self._given = {city.digest: city for city in given.values()}
        self._names: dict[str, str] = {}
        for name, city in given.items():
            for each in (name, city.digest, city.label.code, city.name):
                self._names.setdefault(each.casefold(), city.digest)
        self._names.pop("", None)
        self._lock = threading.Lock()
        self._descriptions: dict[str, dict[str, Any]] = {}

    @property
    def default(self) -> City:
        """City that is meant where none is named."""
        return next(iter(self._given.values()))

    def digests(self) -> list[str]:
        """Digests of all cities: those given first, then those of jobs, the latest first."""
        return list(dict.fromkeys([*self._given, *self._queue.cities()]))

    def load(self, digest: str) -> City:
        """City of a digest that `digests` lists.

        Raises
        ------
        UnknownIdError
            The store does not have it any more.
        """
        return self._given.get(digest) or self._queue.load_city(digest)

    def named(self, name: str | None) -> City:
        """Find a city.

        Parameters
        ----------
        name
            Code (``lad20cd``), name or digest, however it is capitalised; None for the default.

        Raises
        ------
        UnknownIdError
            There is none of that name.
        UnreadableFileError
            It is damaged.
        """
        return self.default if name is None else self.load(self.digest_of(name))

    def digest_of(self, name: str) -> str:
        """Find the digest of a city.

        Raises
        ------
        UnknownIdError
            There is none of that name.
        """
        wanted = name.strip().casefold()
        if wanted in self._names:
            return self._names[wanted]
        stored = self._queue.cities()
        for digest, called in stored.items():
            if wanted and wanted in (digest, called.casefold()):
                return digest
        # Codes stand in the cities themselves, each of which is read once.
        described = self.described_all([*self._given, *stored])
        for each in described:
            if wanted and wanted == each["code"].casefold():
                return str(each["digest"])
        some = dict.fromkeys(each["code"] or each["name"] or each["digest"] for each in described)
        known = ", ".join(list(some)[:_MOST_NAMED])
        msg = f"there is no city {shown(name)}"
        raise UnknownIdError(msg, field="city", mend=f"Use one of {known}, or leave it out")

    def areas(self, name: str) -> str:
        """GeoJSON of a city's areas, with ``id``; points where it has no outlines.

        Their properties are the people of each group that results report.

        Raises
        ------
        UnknownIdError
            There is no city of that name.
        """
        city = self.named(name)
        frame = city.to_frame().set_index("area_id")
        where = city.polygons
        people = {group: city.people(each).values for group, each in city.reported_groups().items()}
        table = pd.DataFrame(people, index=frame.index)
        points = gpd.points_from_xy(frame["x"], frame["y"])
        return _geojson(table, points if where is None else where.geometry, city)

    def sites(self, name: str) -> str:
        """GeoJSON of where sensors may stand: points with ``id``, area and the sites' columns.

        Raises
        ------
        UnknownIdError
            There is no city of that name.
        """
        city = self.named(name)
        return _places(city.sites, city)

    def existing(self, name: str) -> str:
        """GeoJSON of the sensors of today: points with ``id`` and area.

        Raises
        ------
        UnknownIdError
            There is no city of that name.
        """
        city = self.named(name)
        return _places(city.existing, city)

    def described_all(self, digests: Iterable[str]) -> list[dict[str, Any]]:
        """Describe cities; those that the store has lost or that are damaged are left out."""
        made = []
        for digest in digests:
            with suppress(UnknownIdError, DataError):
                made.append(self.described(digest))
        return made

    def described(self, digest: str) -> dict[str, Any]:
        """Describe a city: what people call it, how large it is, whom it knows.

        Raises
        ------
        UnknownIdError
            The store does not have it any more.
        UnreadableFileError
            It is damaged.
        """
        with self._lock:
            found = self._descriptions.get(digest)
        if found is None:
            found = _described(self.load(digest))
            with self._lock:
                self._descriptions[digest] = found
        return found


def _places(table: pd.DataFrame | None, city: City) -> str:
    if table is None:
        table = pd.DataFrame(columns=["x", "y", "area_id"])
    points = gpd.points_from_xy(table["x"], table["y"])
    return _geojson(table.drop(columns=["x", "y"]), points, city)


def _geojson(table: pd.DataFrame, where: Any, city: City) -> str:
    frame = gpd.GeoDataFrame(table, geometry=list(where), crs=city.crs)
    text: str = frame.to_crs("EPSG:4326").to_json()
    return text


def _described(city: City) -> dict[str, Any]:
    from spineq.model.groups import title_of

    groups = {}
    for name, group in city.reported_groups().items():
        people = city.people(group)
        groups[name] = {
            "title": title_of(name, group),
            "people": float(people.values.sum()),
            "estimated": people.estimated,
        }
    return {
        "digest": city.digest,
        "code": city.label.code,
        "name": city.name,
        "attribution": city.attribution,
        "areas": city.n_areas,
        "demand_points": city.n_points,
        "sites": city.n_sites,
        "columns": list(city.columns),
        "site_columns": list(city.site_columns),
        "existing_sensors": len(city.existing_areas),
        "crs": city.crs.to_string(),
        "theta_unit": city.travel_unit if city.travel is not None else "m",
        "groups": groups,
    }
