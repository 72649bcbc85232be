"""Cities that a gateway knows: those it was started with, and those of the store's jobs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from spineq.errors import UnknownIdError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        Cities that the gateway was started with; the first is meant where none is named.
    """

    def __init__(self, queue: JobQueue, given: Sequence[City]) -> None:
        self._queue = queue
        self._given = {city.digest: city for city in given}
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
        """
        if name is None:
            return self.default
        wanted = name.strip().casefold()
        for city in self._given.values():
            if wanted in (city.digest, city.label.code.casefold(), city.name.casefold()):
                return city
        digests = self.digests()
        if wanted in digests:
            return self.load(wanted)
        described = [self.described(digest) for digest in digests]
        for each in described:
            if wanted in (each["code"].casefold(), each["name"].casefold()):
                return self.load(each["digest"])
        some = dict.fromkeys(each["code"] or each["name"] or each["digest"] for each in described)
        known = ", ".join(list(some)[:_MOST_NAMED])
        msg = f"there is no city {shown(name)}"
        raise UnknownIdError(msg, field="city", mend=f"Use one of {known}, or leave it out")

    def areas(self, name: str) -> str:
        """GeoJSON of a city's areas, with ``id``; points where it has no outlines.

        Raises
        ------
        UnknownIdError
            There is no city of that name.
        """
        import geopandas as gpd

        city = self.named(name)
        frame = city.to_frame().set_index("area_id")
        outlines = city.polygons
        where = gpd.points_from_xy(frame["x"], frame["y"]) if outlines is None else frame.geometry
        text: str = gpd.GeoSeries(where, frame.index, crs=city.crs).to_crs("EPSG:4326").to_json()
        return text

    def described(self, digest: str) -> dict[str, Any]:
        """Describe a city: what people call it, how large it is, whom it knows.

        Raises
        ------
        UnknownIdError
            The store does not have it any more.
        """
        with self._lock:
            found = self._descriptions.get(digest)
        if found is None:
            found = _described(self.load(digest))
            with self._lock:
                self._descriptions[digest] = found
        return found


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
        "site_columns": list(city.site_columns),
        "existing_sensors": len(city.existing_areas),
        "crs": city.crs.to_string(),
        "theta_unit": city.travel_unit if city.travel is not None else "m",
        "groups": groups,
    }
