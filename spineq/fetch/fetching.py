"""A city by its name: everything asked in order, checked, and kept."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import AreaMismatchError, ProblemError, StoreError, shortened, shown
from spineq.fetch.arcgis import Layer
from spineq.fetch.assembly import Tables, assemble, warn_of_polygons
from spineq.fetch.authorities import (
    Authority,
    all_authorities,
    checked_names,
    plain,
    resolve,
    searched,
)
from spineq.fetch.cache import key_of
from spineq.fetch.catalogue import SERVICES, Edition, Service, Table, edition
from spineq.fetch.desk import Desk
from spineq.fetch.failure import AGAIN, FetchError
from spineq.fetch.nomis import as_numbers, observations, total_of
from spineq.fetch.overlays import DECILE, DEPRIVED, MOST_DEPRIVED, checked_columns, counted, deciles
from spineq.fetch.workplaces import workers_from_journeys
from spineq.progress import Progress, watcher_of

if TYPE_CHECKING:
    import pandas as pd

    from spineq.model.city import City

#: Version of how a city is made of the answers: another one makes cached cities anew.
FORMAT = 2

#: What is done, with its share of the work.
_STEPS = {
    "authorities": 0.04, "areas": 0.06, "polygons": 0.3, "centroids": 0.12, "outlines": 0.03,
    "residents": 0.3, "workers": 0.1, "further columns": 0.03, "putting together": 0.02,
}  # fmt: skip


def fetch_city(
    names: str | Sequence[str],
    *,
    census: int = 2021,
    columns: str | Sequence[str] = (),
    store: str | Path | None = None,
    offline: bool = False,
    refresh: bool = False,
    allow_partial: bool = False,
    progress: Progress | None = None,
    root: str | None = None,
    services: Mapping[str, str] | None = None,
) -> City:
    """Fetch a city of England or Wales by the name or code of its local authority.

    The city's areas are census output areas, with their polygons, population-weighted centroids
    (where people are taken to be, and where sensors may stand), residents by single year of age
    to 90 and over, and workers by where they work. All answers are kept, so that the same city is
    there at once another time, and a fetch that was broken off goes on where it was.

    None of the services was called live when this was written: the formats are those of public
    sources, and everything is tested against a server on this machine that answers like them.

    Parameters
    ----------
    names
        Name (``"Newcastle upon Tyne"``) or code (``"E08000021"``) of a local authority, capitals
        and punctuation aside; several make one city.
    census
        Of which census the output areas are: 2021, or 2011 (residents up to 2020 then, and
        workers of 2011).
    columns
        Optional columns: ``"deprivation"`` (England only: ``deprivation_decile``, 1 for the most
        deprived tenth to 10, to look at people by, and ``deprived``, residents of areas in the
        three most deprived tenths, as a group),
        ``"ethnicity"`` (``ethnic_asian`` and four others), ``"disability"`` (``disabled``),
        ``"health"`` (``bad_health``).
    store
        Folder of the cache; None takes the platform's.
    offline
        Whether to use what is in the cache only.
    refresh
        Whether to fetch again what is in the cache. One that was broken off must be made again.
    allow_partial
        Whether a city may lack areas that a table lacks, or miss the published total; its note
        says so.
    progress
        Who watches; asked to stop, the fetch ends with an error and keeps what has arrived.
    root
        Address of a mirror, in the place of the services' own scheme and host.
    services
        Names of feature services that have moved, and where to, as an error message proposes.

    Returns
    -------
    City
        Its attribution names the source and licence, its note the addresses, times and SHA-256.

    Raises
    ------
    ProblemError
        There is no such authority, census or column; near misses are named.
    FetchError
        A service cannot be reached or does not answer as it should, or something is not in the
        cache and nobody may be asked. Derives from ConnectionError.
    DataError
        Areas are missing in a table, or the residents do not add up to the published total.
    MissingExtraError
        The package requests is not installed.
    StoreError
        The cache cannot be read or written.

    Warns
    -----
    SpineqWarning
        Polygons that are not valid.
    """
    city, _ = fetch_with_sources(
        names, census=census, columns=columns, store=store, offline=offline, refresh=refresh,
        allow_partial=allow_partial, progress=progress, root=root, services=services,
    )  # fmt: skip
    warn_of_polygons(city)
    return city


def fetch_with_sources(
    names: str | Sequence[str],
    *,
    census: int = 2021,
    columns: str | Sequence[str] = (),
    store: str | Path | None = None,
    offline: bool = False,
    refresh: bool = False,
    allow_partial: bool = False,
    progress: Progress | None = None,
    root: str | None = None,
    services: Mapping[str, str] | None = None,
) -> tuple[City, list[dict[str, Any]]]:
    """Fetch a city as `fetch_city` does, and say where each table came from.

    Returns
    -------
    city
        The city.
    sources
        As `Desk.sources` has them.
    """
    wanted, asked, further = checked_names(names), edition(census), checked_columns(columns)
    renamed = _checked_services(services)
    steps = _Steps(watcher_of(progress))
    with Desk(store, root=root, offline=offline, refresh=refresh) as desk:
        key = key_of(
            [FORMAT, [plain(name) for name in wanted], asdict(asked), further, bool(allow_partial),
             desk.root, renamed]
        )  # fmt: skip
        found = None if refresh else desk.cache.city(key)
        if found is not None:
            steps.tell("putting together", 1, 1)
            return found
        tables = _Fetcher(desk, asked, renamed, steps).all(wanted, further)
        sources = desk.sources()
        city = assemble(tables, asked, sources, allow_partial=allow_partial)
        # Who asks nobody may use a cache that others write to.
        with contextlib.suppress(*([StoreError] if offline else [])):
            desk.cache.keep_city(key, city, sources)  # type: ignore[arg-type]
        steps.tell("putting together", 1, 1)
        return city, sources


def list_authorities(
    search: str = "",
    *,
    census: int = 2021,
    store: str | Path | None = None,
    offline: bool = False,
    refresh: bool = False,
    root: str | None = None,
    services: Mapping[str, str] | None = None,
) -> list[Authority]:
    """List the local authorities that `fetch_city` knows, by name.

    Parameters
    ----------
    search
        Part of a name or code; empty for all.
    census, store, offline, refresh, root, services
        As for `fetch_city`.

    Raises
    ------
    FetchError
        The service fails, or the list is not in the cache and nobody may be asked.
    """
    asked, renamed = edition(census), _checked_services(services)
    with Desk(store, root=root, offline=offline, refresh=refresh) as desk:
        return searched(all_authorities(Layer.open(desk, asked.lookup, renamed)), search)


class _Steps:
    """Progress of the whole, told step by step."""

    def __init__(self, watcher: Progress) -> None:
        self._watcher = watcher

    def tell(self, step: str, done: int, total: int) -> None:
        """Say how much of a step is done, and stop where the watcher asks for it."""
        names = list(_STEPS)
        begin = sum(_STEPS[name] for name in names[: names.index(step)])
        share = _STEPS[step] * (done / total if total else 1.0)
        if self._watcher.report(min(begin + share, 1.0), f"fetching {step}"):
            msg = "the fetch was stopped"
            raise FetchError(msg, mend="Fetch again to go on: what has arrived is kept")


class _Fetcher:
    """Asks for one table after the other."""

    def __init__(
        self, desk: Desk, asked: Edition, renamed: Mapping[str, str], steps: _Steps
    ) -> None:
        self._desk, self._asked, self._renamed, self._steps = desk, asked, renamed, steps

    def all(self, names: Sequence[str], further: Sequence[str]) -> Tables:
        """Fetch everything for the authorities that are named."""
        lookup = self._open(self._asked.lookup)
        authorities = resolve(names, all_authorities(lookup))
        self._steps.tell("authorities", 1, 1)
        groups, lsoas = self._areas(lookup, authorities)
        tables = Tables(sorted(area for _, areas in groups for area in areas), authorities)
        lsoas |= self._shapes(tables)
        self._outlines(tables, groups)
        self._ages(tables, groups)
        self._workers(tables, groups)
        self._further(tables, groups, lsoas, further)
        return tables

    def _open(self, service: Service) -> Layer:
        return Layer.open(self._desk, service, self._renamed)

    def _areas(
        self, lookup: Layer, authorities: Sequence[Authority]
    ) -> tuple[list[tuple[Authority, list[str]]], dict[str, str]]:
        groups: list[tuple[Authority, list[str]]] = []
        lsoas: dict[str, str] = {}
        for k, one in enumerate(authorities):
            where = f"{lookup.columns['authority']}='{one.code}'"
            roles = ["area", *(["lsoa"] if "lsoa" in lookup.columns else [])]
            rows = [row for page in lookup.rows(where, roles) for row in page]
            areas = [str(row["area"]) for row in rows]
            if len(set(areas)) < len(areas) or not areas:
                what = "an area twice" if areas else "no areas"
                msg = f"{lookup.service.name}: the service sends {what} for {one.name}"
                raise FetchError(msg, mend=AGAIN)
            lsoas |= {str(row["area"]): str(row["lsoa"]) for row in rows if "lsoa" in row}
            twice = set(areas) & {area for _, others in groups for area in others}
            if twice:
                msg = f"{lookup.service.name}: area {min(twice)} is of {one.name} and of another"
                raise FetchError(msg, mend=AGAIN)
            groups.append((one, areas))
            self._steps.tell("areas", k + 1, len(authorities))
        return groups, lsoas

    def _shapes(self, tables: Tables) -> dict[str, str]:
        """Fetch polygons and centroids; the answer is what the polygons' table says of LSOAs."""
        lsoas: dict[str, str] = {}
        for service, into, step, kinds in (
            (self._asked.polygons, tables.polygons, "polygons", ("Polygon", "MultiPolygon")),
            (self._asked.centroids, tables.points, "centroids", ("Point",)),
        ):
            layer = self._open(service)
            roles = ["lsoa"] if "lsoa" in layer.columns else []
            for page in layer.shapes("area", tables.areas, roles):
                for row in page:
                    if row["geometry"] is not None:
                        kind = row["geometry"].geom_type
                        if kind not in kinds:
                            msg = f"{layer.service.name}: area {row['area']} is a {kind}"
                            raise FetchError(msg, mend=AGAIN)
                        into[str(row["area"])] = row["geometry"]
                    if "lsoa" in row:
                        lsoas[str(row["area"])] = str(row["lsoa"])
                self._steps.tell(step, len(into), len(tables.areas))
        return lsoas

    def _outlines(self, tables: Tables, groups: Sequence[tuple[Authority, list[str]]]) -> None:
        """Fetch the authorities' polygons, which their areas must fill."""
        layer = self._open(self._asked.outline)
        # Some have got another code since; those that are no more (of 2011) have no outline.
        names = [one.name.replace("'", "''") for one in tables.authorities]
        found = {
            str(row["name"]): row["geometry"].area
            for page in layer.shapes("name", names, [])
            for row in page
            if row["geometry"] is not None and row["geometry"].area > 0
        }
        for one, areas in groups:
            filled = sum(tables.polygons[a].area for a in areas if a in tables.polygons)
            tables.outlines[one] = found.get(one.name), filled
        self._steps.tell("outlines", 1, 1)

    def _ages(self, tables: Tables, groups: Sequence[tuple[Authority, list[str]]]) -> None:
        import pandas as pd

        table = self._asked.ages
        index = pd.Index(tables.areas)
        first, last = (int(cell) for cell in table.cells.split("..."))
        tables.ages = np.full((len(index), last - first + 1), np.nan)
        dates: set[str] = set()
        done = 0
        for one, areas in groups:
            for page in observations(self._desk, table, one.code, areas):
                place = index.get_indexer(pd.Index(page["area"]))
                self._need_known(page["area"], place, table)
                age = as_numbers(page["cell"]).to_numpy() - first
                if not ((age >= 0) & (age <= last - first) & (age % 1 == 0)).all():
                    msg = f"{table.dataset} sends ages that nobody asked for"
                    raise FetchError(msg, mend=AGAIN)
                at = place, age.astype(int)
                twice = page.duplicated(["area", "cell"]) | np.isfinite(tables.ages[at])
                self._need_single(page["area"], twice, table)
                tables.ages[at] = page["value"]
                dates |= set(page["date"].dropna().astype(str))
                done += len(page)
                self._steps.tell("residents", done, tables.ages.size)
            mine = index.get_indexer(pd.Index(areas))
            total = total_of(self._desk, table, one.code)
            tables.totals[one] = total, float(np.nansum(tables.ages[mine]))
        if len(dates) > 1:
            msg = f"{table.dataset}: the answers are of {shortened(' and of '.join(sorted(dates)))}"
            raise FetchError(msg, mend="It was updated meanwhile: fetch again with refresh=True")
        tables.date = dates.pop() if dates else ""

    def _workers(self, tables: Tables, groups: Sequence[tuple[Authority, list[str]]]) -> None:
        asked = self._asked.workers
        if isinstance(asked, Table):
            values = self._column(asked, tables, groups)
            tables.columns["workers"] = asked.dataset, values
        else:
            values = workers_from_journeys(self._desk, asked, tables.areas)
            tables.columns["workers"] = asked.name, values
        self._steps.tell("workers", 1, 1)

    def _column(
        self, table: Table, tables: Tables, groups: Sequence[tuple[Authority, list[str]]]
    ) -> pd.Series[float]:
        import pandas as pd

        index = pd.Index(tables.areas)
        values = np.full(len(index), np.nan)
        for one, areas in groups:
            for page in observations(self._desk, table, one.code, areas):
                place = index.get_indexer(pd.Index(page["area"]))
                self._need_known(page["area"], place, table)
                twice = page["area"].duplicated() | np.isfinite(values[place])
                self._need_single(page["area"], twice, table)
                values[place] = page["value"]
        return pd.Series(values, index=index)

    def _further(
        self,
        tables: Tables,
        groups: Sequence[tuple[Authority, list[str]]],
        lsoas: Mapping[str, str],
        further: Sequence[str],
    ) -> None:
        import pandas as pd

        for k, name in enumerate(further):
            if name == "deprivation":
                download = self._asked.deprivation
                index = pd.Series({area: lsoas.get(area, "") for area in tables.areas}, dtype=str)
                found = deciles(self._desk, download, index)
                tables.columns[DECILE] = download.name, found
                residents = pd.Series(tables.ages.sum(axis=1), index=tables.areas)
                deprived = residents[found.index].where(found <= MOST_DEPRIVED, 0.0)
                tables.columns[DEPRIVED] = download.name, deprived
            else:
                overlay = self._asked.overlays[name]
                people = pd.concat(list(counted(self._desk, overlay, groups)))
                for column in people.columns:
                    tables.columns[column] = overlay.table.dataset, people[column]
            self._steps.tell("further columns", k + 1, len(further))

    @staticmethod
    def _need_single(areas: pd.Series[str], twice: pd.Series[bool], table: Table) -> None:
        if twice.any():
            msg = f"{table.dataset} has two counts of area {shortened(str(areas[twice].iloc[0]))}"
            raise FetchError(msg, mend=AGAIN)

    @staticmethod
    def _need_known(areas: pd.Series[str], place: np.ndarray[Any, Any], table: Table) -> None:
        if (place < 0).any():
            unknown = shortened(str(areas.iloc[int(np.argmin(place))]))
            msg = f"{table.dataset} has area {unknown}, the lookup not"
            raise AreaMismatchError(msg, mend=AGAIN)


def _checked_services(services: Mapping[str, str] | None) -> dict[str, str]:
    given = {} if services is None else services
    if not isinstance(given, Mapping) or not all(
        isinstance(name, str) and name for pair in given.items() for name in pair
    ):
        msg = f"services must say which name takes the place of which, not {shown(services)}"
        raise ProblemError(msg, field="services", mend='Write {"OLD_NAME": "NEW_NAME"}')
    for name in given:
        if name not in SERVICES:
            msg = f"nothing is asked of a service {shown(name)}"
            raise ProblemError(msg, field="services", mend=f"Name one of {', '.join(SERVICES)}")
    return dict(sorted(given.items()))
