"""Feature services as ArcGIS has them: counts, pages, flags in two places, errors that say 200."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from spineq.errors import shortened
from spineq.fetch.catalogue import ARCGIS, CRS, Service
from spineq.fetch.client import Request
from spineq.fetch.desk import Check, Desk
from spineq.fetch.failure import AGAIN, FetchError, MovedError, TornAnswer
from spineq.fetch.paging import pages

#: Most rows of a page that are asked for, and most identifiers in one list of them.
ROWS, IN_LIST = 2000, 500

#: Where the grid of `CRS` has places, and some way beyond: what is further off is of another one.
_WITHIN = (-100_000, -100_000), (800_000, 1_400_000)

_MOVED = re.compile("invalid url|not found|does not exist|service .*not started", re.IGNORECASE)


class Page(list[dict[str, Any]]):
    """Rows of an answer, each a dict of its columns and ``geometry``; may know that more follow."""

    more: bool = False


@dataclass(frozen=True)
class Layer:
    """The only layer of a feature service.

    Parameters
    ----------
    desk
        Who gets the answers.
    service
        What the catalogue says of it.
    columns
        The names that its columns have today.
    size
        Most rows of a page.
    """

    desk: Desk
    service: Service
    columns: Mapping[str, str]
    size: int

    @classmethod
    def open(cls, desk: Desk, service: Service, renamed: Mapping[str, str]) -> Layer:
        """Ask a service what its columns are called.

        Parameters
        ----------
        desk
            Who gets the answers.
        service
            What the catalogue says of it.
        renamed
            Names of services that have moved, and where to.

        Raises
        ------
        FetchError
            There is no such service any more (the message names its likely successor), or a
            column is gone.
        """
        name = renamed.get(service.name, service.name)
        service = Service(name, service.columns, service.seen)
        url = desk.address(f"{ARCGIS}/{name}/FeatureServer/0")
        with _naming_successor(desk, service):
            body = desk.answer(Request(url, (("f", "json"),)), name, _described)
        told = json.loads(body)
        there = [str(item.get("name")) for item in told["fields"] if isinstance(item, dict)]
        columns = {role: _column(service, name, there) for role, name in service.columns.items()}
        most = told.get("maxRecordCount")
        # Whatever it says, shorter pages than were asked for are understood.
        size = min(ROWS, most) if isinstance(most, int) and most > 0 else ROWS
        return cls(desk, service, columns, size)

    def rows(self, where: str, roles: Sequence[str]) -> Iterator[Page]:
        """Read the rows that meet a condition, without geometry.

        Raises
        ------
        FetchError
            The service fails, or sends more or fewer rows than it counts.
        """
        query = {"where": where, "returnGeometry": "false"} | self._out(roles)
        asked = query | {"returnCountOnly": "true", "f": "json"}
        request = Request(self._url, tuple(asked.items()), post=True)
        more = False
        with _naming_successor(self.desk, self.service):
            body = self.desk.answer(request, self.service.name, _counted)
            total = int(json.loads(body)["count"])
            for page in pages(
                self.desk,
                self.service.name,
                lambda begin, n: self._asked(query, "json", begin, n),
                read := partial(self._read, roles=roles),
                read,
                total=total,
                size=self.size,
            ):
                yield page
                more = page.more
        if more:
            raise self._too_many(total)

    def distinct(self, roles: Sequence[str]) -> list[dict[str, Any]]:
        """Read the different values that columns have together, sorted by the first."""
        # Services differ in whether their count is of rows or of different ones, and in whether
        # different ones come in pages: only the flag says whether there are more.
        query = {"where": "1=1", "returnGeometry": "false"} | self._out(roles)
        query["returnDistinctValues"] = "true"
        request = Request(self._url, tuple((query | {"f": "json"}).items()), post=True)
        with _naming_successor(self.desk, self.service):
            read = partial(self._read, roles=roles)
            first = read(self.desk.answer(request, self.service.name, read))
            made: list[dict[str, Any]] = list(first)
            for page in self._behind(first, query, "json", roles):
                if all(row in made for row in page):
                    # A service that does not know offsets sends its first page for ever.
                    msg = f"{self.service.name}: the service sends the same rows again and again"
                    raise FetchError(msg, mend=AGAIN)
                made += page
        return made

    def shapes(self, role: str, values: Sequence[str], roles: Sequence[str]) -> Iterator[Page]:
        """Read the rows whose column holds one of many values, with geometry in `CRS`.

        Values that the service does not have are missing in what it sends.

        Raises
        ------
        FetchError
            The service fails, or sends a row twice.
        """
        n = min(IN_LIST, self.size)
        lists = [values[begin : begin + n] for begin in range(0, len(values), n)]
        queries = [self._in_list(role, listed, roles) for listed in lists]
        requests = (self._asked(query, "geojson", 0, self.size) for query in queries)
        read = partial(self._read, roles=[role, *roles], shaped=True)
        bodies = self.desk.answers(requests, self.service.name, read)
        with _naming_successor(self.desk, self.service):
            for listed, query, body in zip(lists, queries, bodies, strict=True):
                first, got = read(body), 0
                behind = self._behind(first, query, "geojson", [role, *roles], shaped=True)
                for page in itertools.chain([first], behind):
                    got += len(page)
                    # At once: a service that does not know offsets never comes to an end.
                    if got > len(listed):
                        raise self._too_many(len(listed))
                    yield page

    def _behind(
        self,
        page: Page,
        query: Mapping[str, str],
        kind: str,
        roles: Sequence[str],
        *,
        shaped: bool = False,
    ) -> Iterator[Page]:
        """Pages behind the first one, for as long as the service says that there are more."""
        got = len(page)
        read = partial(self._read, roles=roles, shaped=shaped)
        while page.more and len(page) > 0:
            request = self._asked(query, kind, got, self.size)
            page = read(self.desk.answer(request, self.service.name, read))
            got += len(page)
            yield page

    def _in_list(self, role: str, values: Sequence[str], roles: Sequence[str]) -> dict[str, str]:
        quoted = ",".join(f"'{value}'" for value in values)
        return {
            "where": f"{self.columns[role]} IN ({quoted})",
            "returnGeometry": "true",
            "outSR": CRS.removeprefix("EPSG:"),
        } | self._out([role, *roles])

    def _out(self, roles: Sequence[str]) -> dict[str, str]:
        names = [self.columns[role] for role in roles]
        return {"outFields": ",".join(names), "orderByFields": names[0]}

    @property
    def _url(self) -> str:
        return self.desk.address(f"{ARCGIS}/{self.service.name}/FeatureServer/0/query")

    def _asked(self, query: Mapping[str, str], kind: str, begin: int, n: int) -> Request:
        more = {"resultOffset": str(begin), "resultRecordCount": str(n), "f": kind}
        return Request(self._url, tuple((dict(query) | more).items()), post=True)

    def _read(self, body: bytes, roles: Sequence[str], *, shaped: bool = False) -> Page:
        """Make a page of an answer, or refuse it: an answer that is not understood is not kept."""
        _with_rows(body)
        told = json.loads(body)
        page = Page()
        for feature in told["features"]:
            parts = feature if isinstance(feature, dict) else {}
            found = parts.get("properties") or parts.get("attributes")
            found = found if isinstance(found, dict) else {}
            row = {role: found[self.columns[role]] for role in roles if self.columns[role] in found}
            if len(row) < len(set(roles)):
                gone = next(self.columns[role] for role in roles if role not in row)
                msg = f"{self.service.name}: the service sends a row without {gone}"
                raise FetchError(msg, mend=AGAIN)
            page.append(row | {"geometry": self._shape(parts.get("geometry")) if shaped else None})
        # In GeoJSON the flag stands among the properties, else at the top.
        inside = told.get("properties")
        inside = inside if isinstance(inside, dict) else {}
        flags = (told.get("exceededTransferLimit"), inside.get("exceededTransferLimit"))
        page.more = any(flag is True or flag == "true" for flag in flags)
        return page

    def _shape(self, told: Any) -> Any:
        """Make a geometry in `CRS` of GeoJSON; None where there is none."""
        from shapely import get_coordinates
        from shapely.errors import ShapelyError
        from shapely.geometry import shape

        if told is None:
            return None
        try:
            made = shape(told)
        except (AttributeError, LookupError, TypeError, ValueError, ShapelyError) as error:
            msg = f"{self.service.name}: the service sends a geometry that is none"
            raise FetchError(msg, mend=AGAIN) from error
        if made.is_empty:
            return None
        corners = get_coordinates(made)
        if abs(corners).max() <= 180:
            msg = f"{self.service.name}: the service sends degrees, though asked for {CRS}"
            raise FetchError(msg, mend=AGAIN)
        # Neither NaN nor infinity is within.
        if not ((corners >= _WITHIN[0]) & (corners <= _WITHIN[1])).all():
            msg = f"{self.service.name}: the service sends a place that is not on the grid of {CRS}"
            raise FetchError(msg, mend=AGAIN)
        return made

    def _too_many(self, total: int) -> FetchError:
        msg = f"{self.service.name}: the service sends more than the {total:,} rows that it counts"
        return FetchError(msg, mend=AGAIN)


def _answered(body: bytes) -> None:
    """Refuse what is no JSON, and errors that come with status 200."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        if body.lstrip()[:1] == b"<":
            # A page for people, of a proxy or of a service that is being mended.
            msg = "a web page came where data should be"
            raise TornAnswer(msg) from error
        msg = "the JSON is damaged, or ends in the middle"
        raise TornAnswer(msg) from error
    wrong = told.get("error") if isinstance(told, dict) else {"message": "no JSON object"}
    if not wrong:
        return
    wrong = wrong if isinstance(wrong, dict) else {"message": str(wrong)}
    details = wrong.get("details")
    details = details if isinstance(details, list) else [details or ""]
    # On one line, and no more of them than a sentence holds.
    words = " ".join(" ".join([str(wrong.get("message", "")), *map(str, details)]).split())
    words = shortened(words, 300)
    code = wrong.get("code")
    if code in (404, 410) or _MOVED.search(words):
        msg = f"the service says {words.strip() or code}"
        raise MovedError(msg, mend="Look for a later version of spineq")
    if code in (429, 500, 502, 503, 504):
        msg = f"the service says {words.strip() or 'no more'} (code {code})"
        raise TornAnswer(msg)
    msg = f"the service refuses the query: {words.strip() or 'no reason given'} (code {code})"
    raise FetchError(msg, mend="Look for a later version of spineq")


def _says(name: str, kind: type, what: str) -> Check:
    """Make a check that an answer says something."""

    def check(body: bytes) -> None:
        _answered(body)
        if not isinstance(json.loads(body).get(name), kind):
            msg = f"the service does not say {what}"
            raise FetchError(msg, mend="Look for a later version of spineq")

    return check


_counted = _says("count", int, "how many rows there are")
_described = _says("fields", list, "what its columns are")
_listed = _says("services", list, "what services there are")
_with_rows = _says("features", list, "what its rows are")


def _column(service: Service, name: str, there: Sequence[str]) -> str:
    """Find a column whose name may have got another year."""
    same = [other for other in there if other.casefold() == name.casefold()]
    pattern = re.compile(re.sub(r"\d+", r"\\d+", name), re.IGNORECASE)
    found = same or [other for other in there if pattern.fullmatch(other)]
    if not found:
        listed = ", ".join(shortened(other) for other in there[:12])
        msg = f"{service.name}: the service has no column {name}, only {listed}"
        raise FetchError(msg, mend="Look for a later version of spineq")
    return found[0]


@contextlib.contextmanager
def _naming_successor(desk: Desk, service: Service) -> Iterator[None]:
    """Say of a service that is gone which other is likely to have taken its place."""
    try:
        yield
    except MovedError as error:
        url = desk.address(f"{ARCGIS}/{service.name}")
        msg = f"the service {service.name} is not there any more"
        try:
            listed = desk.ask(Request(desk.address(ARCGIS), (("f", "json"),)), _listed)
            names = [str(item["name"]) for item in json.loads(listed)["services"]]
        except (FetchError, KeyError, TypeError):
            names = []
        if service.name in names:
            # It is there: something else was not found, and no other has taken its place.
            raise
        new = successor(service.name, names)
        mend = "Look for a later version of spineq"
        if new is not None:
            pair = f'services={{"{service.name}": "{new}"}}'
            mend = f"Its likely successor is {new}: try {pair} (--service)"
        raise FetchError(msg, file=url, mend=mend) from error


def successor(name: str, names: Sequence[str]) -> str | None:
    """Find the service that is most likely to have taken another's place.

    Years and versions aside it is called the same, or nearly; of several it is the latest.

    Parameters
    ----------
    name
        Name of the service that is gone.
    names
        Names of those that are there.
    """

    def stem(text: str) -> str:
        # A hash that tells two uploads of one name apart, a version, years.
        text = re.sub(r"_[0-9a-f]{32}$", "", text.casefold())
        return re.sub(r"\d+", "#", re.sub(r"_\(?v\d+\)?$", "", text))

    def rank(other: str) -> tuple[float, list[int], str]:
        near = difflib.SequenceMatcher(None, stem(name), stem(other)).ratio()
        return round(near, 6), [int(digits) for digits in re.findall(r"\d{1,9}", other)], other

    ranked = sorted(map(rank, names))
    return ranked[-1][2] if ranked and ranked[-1][0] >= 0.85 else None
