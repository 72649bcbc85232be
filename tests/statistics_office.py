"""A statistics office on loopback that answers like ArcGIS and Nomis do, traps included.

::

    with Office([made_town(60)]) as office:
        city = fetch_city("Madeby", root=office.url, store=tmp_path)
        office.asked                          # every question, in order
        office.spoil("NM_2014_1", cut(1000))  # the next answer about it is cut

Names, columns and formats are written out here a second time, so that a slip in the catalogue is
seen; none of them was tried against the services themselves. The rows of services keep to the
limits of ``arcgis_rows`` and ``nomis_rows``, silently where the real ones are silent.
"""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import shapely
from fetch.faults import Act as Act
from fetch.faults import cut as cut
from fetch.faults import dribbled as dribbled
from fetch.faults import drop as drop
from fetch.faults import edited as edited
from fetch.faults import endless as endless
from fetch.faults import instead as instead
from fetch.faults import led as led
from fetch.faults import slow as slow
from fetch.faults import status as status
from fetch.tables import CELLS as CELLS
from fetch.tables import deprivation, feature_tables, journeys
from fetch.towns import AGES
from fetch.towns import Town as Town
from fetch.towns import made_town as made_town
from fetch.towns import real_town as real_town

SERVICES = "/ESMARspQHYMw9BZ9/arcgis/rest/services"


@dataclass(frozen=True)
class Asked:
    """A question."""

    path: str
    params: dict[str, str]

    def __str__(self) -> str:
        return f"{self.path}?{'&'.join(f'{k}={v}' for k, v in self.params.items())}"


@dataclass
class Fault:
    """What is done instead of a plain answer to questions that hold some words."""

    words: str
    act: Act
    times: float
    skip: int = 0


@dataclass
class Office:
    """The server; use it as a context manager."""

    towns: Sequence[Town]
    arcgis_rows: int = 2000
    advertised: int | None = None
    nomis_rows: int = 25_000
    by_code: bool = True
    by_number: bool = True
    date: str = "2024"
    moved: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, set[str]] = field(default_factory=dict)
    totals_off: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    before: Callable[[int, Asked], None] | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.office = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def spoil(self, words: str, act: Act, times: float = 1, skip: int = 0) -> None:
        """Let an act take the place of the answers to questions that hold the words."""
        self.faults.append(Fault(words, act, times, skip))

    def put(self, asked: Asked) -> tuple[int, Fault | None]:
        """Write a question down; its number, and what is to go wrong with its answer."""
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked)
            for fault in self.faults:
                if fault.words in str(asked) and fault.times > 0:
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return number, fault
        return number, None

    def about(self, words: str) -> list[Asked]:
        """Questions that hold the words."""
        return [asked for asked in self.asked if words in str(asked)]

    def answer(self, asked: Asked) -> tuple[int, bytes, str]:
        """Status, body and type of an answer."""
        if asked.path.startswith(SERVICES):
            told = self._arcgis(asked.path.removeprefix(SERVICES).strip("/"), asked.params)
            return 200, json.dumps(told).encode(), "application/json"
        if found := re.fullmatch(r"/api/v01/dataset/(\w+)\.data\.csv", asked.path):
            return 200, self._nomis(found[1], asked.params), "text/csv"
        if asked.path == "/output/census/2021/odwp01ew.zip":
            return 200, self._journeys, "application/zip"
        if "_IoD20" in asked.path:
            return 200, deprivation(self.towns, newer="2025" in asked.path), "text/csv"
        return 404, b"not found", "text/plain"

    # ArcGIS

    @cached_property
    def _tables(self) -> dict[str, list[dict[str, Any]]]:
        return feature_tables(self.towns)

    @cached_property
    def _by_value(self) -> dict[tuple[str, str], dict[str, list[dict[str, Any]]]]:
        """Rows by service, column and value."""
        found: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
        for name, rows in self._tables.items():
            for row in rows:
                for column, value in row.items():
                    if isinstance(value, str):
                        of_column = found.setdefault((name, column), {})
                        of_column.setdefault(value, []).append(row)
        return found

    def _arcgis(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        there = {self.moved.get(name, name): name for name in self._tables}
        if not path:
            listed = [{"name": name, "type": "FeatureServer"} for name in sorted(there)]
            return {"currentVersion": 11.2, "services": listed}
        new, _, rest = path.partition("/FeatureServer/0")
        if new not in there:
            return {"error": {"code": 400, "message": "Invalid URL", "details": ["Invalid URL"]}}
        old = there[new]
        # A service of another year has columns of another year.
        years = dict(
            zip(re.findall(r"[A-Z]+\d\d", old), re.findall(r"[A-Z]+\d\d", new), strict=True)
        )
        rename = lambda name: re.sub(  # noqa: E731
            r"^([A-Z]+\d\d)", lambda found: years.get(found[1], found[1]), name
        )
        back = {rename(name): name for name in self._columns(old)}
        if rest != "/query":
            fields = [{"name": name, "type": "esriFieldTypeString"} for name in back]
            limit = self.arcgis_rows if self.advertised is None else self.advertised
            return {"name": new, "maxRecordCount": limit, "fields": fields}
        return self._query(old, params, back)

    def _columns(self, name: str) -> list[str]:
        rows = self._tables[name]
        return ["FID", *(column for column in (rows[0] if rows else {}) if column != "geometry")]

    def _query(
        self, name: str, params: Mapping[str, str], back: Mapping[str, str]
    ) -> dict[str, Any]:
        rows = self._where(name, params["where"], back)
        if rows is None or params.get("outSR", "27700") != "27700":
            words = "'where' clause is invalid"
            return {"error": {"code": 400, "message": "Cannot perform query.", "details": [words]}}
        rows = [
            row for row in rows if not self.lacking.get(name, set()) & set(map(str, row.values()))
        ]
        if params.get("returnCountOnly") == "true":
            return {"count": len(rows)}
        names = params["outFields"].split(",")
        kept = [
            {n: row.get(back[n]) for n in names} | {"geometry": row.get("geometry")} for row in rows
        ]
        if params.get("returnDistinctValues") == "true":
            kept = list({tuple(row[n] for n in names): row for row in kept}.values())
        order = params.get("orderByFields", names[0])
        kept.sort(key=lambda row: str(row[order]))
        begin = int(params.get("resultOffset", 0))
        limit = min(int(params.get("resultRecordCount", self.arcgis_rows)), self.arcgis_rows)
        page, more = kept[begin : begin + limit], len(kept) > begin + limit
        with_geometry = params.get("returnGeometry", "true") == "true"
        if params["f"] == "geojson":
            made: dict[str, Any] = {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {n: row[n] for n in names},
                        "geometry": shapely.geometry.mapping(row["geometry"])
                        if with_geometry
                        else None,
                    }
                    for row in page
                ],
            }
            return made | ({"properties": {"exceededTransferLimit": True}} if more else {})
        features = [{"attributes": {n: row[n] for n in names}} for row in page]
        return {"features": features} | ({"exceededTransferLimit": True} if more else {})

    def _where(self, name: str, where: str, back: Mapping[str, str]) -> list[dict[str, Any]] | None:
        if where == "1=1":
            return self._tables[name]
        found = re.fullmatch(r"(\w+) ?(?:=|IN) ?\(?((?:'(?:[^']|'')*',?)+)\)?", where)
        if found is None or found[1] not in back:
            return None
        values = [v.replace("''", "'") for v in re.findall(r"'((?:[^']|'')*)'", found[2])]
        by_value = self._by_value.get((name, back[found[1]]), {})
        return [row for value in values for row in by_value.get(value, [])]

    # Nomis

    @cached_property
    def _areas(self) -> dict[str, tuple[Town, int]]:
        return {
            area: (town, k) for town in self.towns for k, area in enumerate(town.frame["area_id"])
        }

    def _nomis(self, dataset: str, params: Mapping[str, str]) -> bytes:
        """Rows of a table, or nothing for what is not understood."""
        of_ages = dataset in ("NM_2014_1", "NM_2010_1")
        # The table of workplaces has one count of each area, and no column of what is counted.
        dimension = "c_age" if of_ages else CELLS.get(dataset, ("",))[0]
        known = {"geography", "date", "gender", "measures", "rural_urban", "select", dimension}
        words = {key.lower(): value for key, value in params.items()}
        if set(words) - known - {"recordlimit", "recordoffset", "uid"}:
            return b""
        cells = _cells(words.get(dimension, "")) if dimension else ["0"]
        places = self._places(words["geography"], dataset)
        if places is None or not cells or words.get("measures") != "20100":
            return b""
        places = [place for place in places if place not in self.lacking.get(dataset, set())]
        total = len(places) * len(cells)
        begin = int(words.get("recordoffset", 0))
        limit = min(int(words.get("recordlimit", self.nomis_rows)), self.nomis_rows)
        select = [name.upper() for name in words["select"].split(",")]
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
        writer.writerow(select)
        for number in range(begin, min(begin + limit, total)):
            place, cell = places[number // len(cells)], cells[number % len(cells)]
            name, value = self._value(dataset, place, cell)
            row = {
                "DATE": self.date, "GEOGRAPHY": self._number(place), "GEOGRAPHY_CODE": place,
                dimension.upper(): int(cell), f"{dimension.upper()}_NAME": name,
                "OBS_VALUE": int(value), "RECORD_COUNT": total,
            }  # fmt: skip
            writer.writerow([row[column] for column in select])
        return text.getvalue().encode()

    def _number(self, place: str) -> int:
        return 1_900_000_000 + int(place[-6:])

    def _places(self, geography: str, dataset: str) -> list[str] | None:
        by_code = {town.code: town for town in self.towns}
        if found := re.fullmatch(r"(\w+)TYPE(\d+)", geography):
            kind = (
                "299"
                if dataset in ("NM_2010_1", "NM_1300_1", "NM_608_1", "NM_532_1", "NM_531_1")
                else "150"
            )
            numbered = {str(self._number(town.code)): town for town in self.towns}
            named = by_code if self.by_code else {}
            town = {**named, **(numbered if self.by_number else {})}.get(found[1])
            return None if town is None or found[2] != kind else list(town.frame["area_id"])
        places = geography.split(",")
        return places if all(place in by_code or place in self._areas for place in places) else None

    def _value(self, dataset: str, place: str, cell: str) -> tuple[str, float]:
        towns = [town for town in self.towns if town.code == place]
        if towns:
            off = self.totals_off if cell == "200" else 0.0
            return "All Ages", sum(towns[0].population.values()) + off
        town, k = self._areas[place]
        if dataset in ("NM_2014_1", "NM_2010_1"):
            return "", self._counts[town.code][0][k, int(cell) - 101]
        if dataset == "NM_1300_1":
            return "All usual residents", self._counts[town.code][1][k]
        name, share = CELLS[dataset][1][cell]
        return name, np.floor(share * town.population[place])

    @cached_property
    def _counts(self) -> dict[str, tuple[Any, Any]]:
        return {
            town.code: (town.frame[AGES].to_numpy(), town.frame["workers"].to_numpy())
            for town in self.towns
        }

    @cached_property
    def _journeys(self) -> bytes:
        return journeys(self.towns)


def _cells(text: str) -> list[str]:
    cells = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("...")
        cells += [str(cell) for cell in range(int(first), int(last or first) + 1)]
    return cells


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    office: Office

    def handle_error(self, *_: object) -> None:
        """Keep quiet about those who hang up."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve(urlsplit(self.path).query)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._serve(self.rfile.read(length).decode())

    def _serve(self, query: str) -> None:
        asked = Asked(urlsplit(self.path).path, dict(parse_qsl(query, keep_blank_values=True)))
        office = self.server.office
        number, fault = office.put(asked)
        if office.before is not None:
            office.before(number, asked)
        code, body, kind = office.answer(asked)
        if fault is not None:
            fault.act(self, body, kind)
        else:
            self.reply(code, body, kind)

    def head(
        self, code: int, length: int, kind: str, more: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def reply(
        self, code: int, body: bytes, kind: str, more: Mapping[str, str] | None = None
    ) -> None:
        self.head(code, len(body), kind, more)
        self.wfile.write(body)

    def drop(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
