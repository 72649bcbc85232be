"""The digest of a city: one number for everything that can change an answer."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyproj

    from spineq.model._contract import AreaTable, PlaceTable, PointTable, TravelTable


class _Hasher:
    """SHA-256 over named arrays, the same on every machine."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256(b"spineq-city-1\n")

    def add(self, field: str, values: Any) -> None:
        array = np.asarray(values)
        if array.dtype == object:
            texts = [str(text).encode() for text in array]
            head = f"{field} text {len(texts)}\n"
            # Each text with its length, so that no two lists run together to the same bytes.
            body = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
        else:
            kind = "<f8" if array.dtype.kind == "f" else "<i8"
            head = f"{field} {kind} {array.shape}\n"
            body = np.ascontiguousarray(array, dtype=kind).tobytes()
        self._sha.update(head.encode() + body)

    def add_places(self, field: str, places: PlaceTable) -> None:
        self.add(f"{field} id", places.ids)
        self.add(f"{field} xy", places.xy)
        self.add(f"{field} area", places.areas)

    def hex(self) -> str:
        return self._sha.hexdigest()


def digest_of(
    crs: pyproj.CRS,
    areas: AreaTable,
    points: PointTable,
    sites: PlaceTable,
    existing: PlaceTable | None,
    travel: TravelTable | None,
    travel_unit: str,
) -> str:
    """SHA-256 of a city's parts, 64 hex digits; polygons are display and do not count."""
    hasher = _Hasher()
    hasher.add("crs", np.array([_name(crs)], dtype=object))
    hasher.add("area id", areas.ids)
    hasher.add("area xy", areas.xy)
    hasher.add("band", np.array(areas.bands, dtype=np.int64).reshape(-1, 2))
    hasher.add("residents", areas.residents)
    hasher.add("column", np.array(areas.columns, dtype=object))
    hasher.add("values", areas.values)
    hasher.add("point id", points.ids)
    hasher.add("point xy", points.xy)
    hasher.add("point area", points.area)
    hasher.add("point share", points.share)
    if points.groups:
        # Only where there are any, as for the sites' columns below.
        hasher.add("point groups", np.array(points.groups, dtype=object))
        hasher.add("point group", points.group)
        hasher.add("point people", points.people)
    hasher.add_places("site", sites)
    if sites.columns:
        # Only where there are any: digests of cities without them are older than they are.
        hasher.add("site column", np.array(sites.columns, dtype=object))
        for number, values in enumerate(sites.values):
            hasher.add(f"site column {number}", values)
    if existing is not None:
        hasher.add_places("existing", existing)
    if travel is not None:
        hasher.add("travel", np.array([travel.by, travel_unit], dtype=object))
        hasher.add("travel site", travel.site)
        hasher.add("travel target", travel.target)
        hasher.add("travel cost", travel.cost)
    return hasher.hex()


def _name(crs: pyproj.CRS) -> str:
    """Name a coordinate reference system the same before and after it was written to a file."""
    authority = crs.to_authority()
    if authority:
        # Descriptions differ between versions of PROJ, an authority's code does not.
        return ":".join(authority)
    # Files hold PROJJSON, and WKT does not come back from it as it was.
    made = {key: value for key, value in crs.to_json_dict().items() if key != "$schema"}
    return json.dumps(made, sort_keys=True)
