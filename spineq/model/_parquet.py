"""Writing a city as GeoParquet: the file contract, with the labels in the file's metadata."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import DataError, StoreError, UnreadableFileError, shown
from spineq.model.groups import OLDEST
from spineq.store import whole_file

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

    from spineq.model._contract import AreaTable, PlaceTable
    from spineq.model.city import City

#: Version of what is written.
FORMAT = 1

#: Files that may lie beside the areas.
PARTS = ("sites", "points", "existing", "travel")

#: Key of our JSON in a Parquet file's metadata.
METADATA_KEY = b"spineq"


def area_frame(areas: AreaTable, crs: pyproj.CRS) -> pd.DataFrame:
    """Areas as a table of the file contract, a GeoDataFrame where there are polygons."""
    bands = [band_name(first, last) for first, last in areas.bands]
    counts = np.column_stack([areas.residents, areas.values])
    frame = pd.DataFrame(counts, columns=pd.Index([*bands, *areas.columns]))
    frame.insert(0, "area_id", areas.ids)
    frame.insert(1, "x", areas.xy[:, 0])
    frame.insert(2, "y", areas.xy[:, 1])
    if areas.polygons is not None:
        import geopandas as gpd

        frame = gpd.GeoDataFrame(frame, geometry=areas.polygons, crs=crs)
    return frame


def band_name(first: int, last: int) -> str:
    """Name an age band as the file contract does: ``age_7``, ``age_0_15``, ``age_65_plus``."""
    if (first, last) == (0, OLDEST):
        return "population"
    if first == last:
        return f"age_{first}"
    return f"age_{first}_plus" if last == OLDEST else f"age_{first}_{last}"


def write_city(city: City, path: Path) -> Path:
    """Write a city into a folder, or into one file where the path ends in ``.parquet``."""
    parts = _parts(city)
    head = {"format": FORMAT, **vars(city.label), "digest": city.digest, "parts": sorted(parts)}
    if city.travel is not None:
        head |= {"travel_unit": city.travel_unit, "travel_note": city._travel_note}
    if path.suffix == ".parquet":
        if parts:
            msg = f"a single file cannot hold the city's {', '.join(sorted(parts))}"
            raise DataError(msg, file=path, mend="Write to a folder, a path without .parquet")
        _write(city.to_frame(), path, city, head)
        return path
    # A path that the system does not take is refused where it is written to.
    if os.path.exists(path / "centroids.csv"):  # noqa: PTH110 (Path.exists would raise)
        msg = "the folder holds the original system's centroids.csv, which would be read instead"
        raise StoreError(msg, file=path, mend="Write to an empty folder")
    for name in PARTS:
        if name in parts:
            _write(parts[name], path / f"{name}.parquet", city, None)
        else:
            _remove(path / f"{name}.parquet")
    # The areas come last: their digest says whether the other files belong to them.
    _write(city.to_frame(), path / "areas.parquet", city, head)
    return path


def _remove(file: Path) -> None:
    """Remove what an earlier city left, which is no part of this one."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        msg = f"the part of an earlier city cannot be removed ({error.strerror})"
        raise StoreError(msg, file=file, mend="Write to an empty folder") from error


def _parts(city: City) -> dict[str, pd.DataFrame]:
    """Tables of what differs from the default, by the name of their file."""
    areas, points, sites = city._areas, city._points, city._sites
    parts: dict[str, pd.DataFrame] = {}
    if not city.sites_are_areas or sites.columns:
        parts["sites"] = _places(city, sites, "site_id")
    at_areas = _same(points.ids, areas.ids) and _same(points.xy, areas.xy)
    if not (at_areas and (points.share == 1).all()):
        parts["points"] = _with_points(city, city.points.reset_index(), points.xy)
    if city._existing is not None:
        parts["existing"] = _places(city, city._existing, "sensor_id")
    travel = city.travel
    if travel is not None:
        targets = areas.ids if travel.by == "area" else points.ids
        parts["travel"] = pd.DataFrame(
            {
                "site": sites.ids[travel.site],
                travel.by: targets[travel.target],
                "cost": travel.cost,
            }
        )
        # Parquet keeps these; whoever reads the table alone finds its unit there.
        parts["travel"].attrs = {"unit": city.travel_unit, "note": city._travel_note}
    return parts


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape == other.shape and bool((one == other).all())


def _places(city: City, places: PlaceTable, id_column: str) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            id_column: places.ids,
            "x": places.xy[:, 0],
            "y": places.xy[:, 1],
            "area_id": places.areas,
        }
        | dict(zip(places.columns, places.values, strict=True))
    )
    return _with_points(city, frame, places.xy)


def _with_points(city: City, frame: pd.DataFrame, xy: np.ndarray[Any, Any]) -> pd.DataFrame:
    import geopandas as gpd

    points = gpd.points_from_xy(xy[:, 0], xy[:, 1])
    made: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=points, crs=city.crs)
    return made


def _write(frame: pd.DataFrame, path: Path, city: City, head: dict[str, Any] | None) -> None:
    import geopandas as gpd
    import pyarrow.parquet as pq

    if head is not None and not isinstance(frame, gpd.GeoDataFrame):
        # Without polygons the areas are points: a GIS opens them, and the CRS is in the file.
        frame = _with_points(city, frame, city._areas.xy)
    with whole_file(path) as temporary:
        frame.to_parquet(temporary, index=False)
        if head is not None:
            table = pq.read_table(temporary)
            metadata = dict(table.schema.metadata or {})
            metadata[METADATA_KEY] = json.dumps(head, sort_keys=True).encode()
            pq.write_table(table.replace_schema_metadata(metadata), temporary)


def read_head(path: Path) -> dict[str, Any]:
    """Read our JSON from a Parquet file's metadata; empty where there is none.

    Raises
    ------
    UnreadableFileError
        It is not what `write_city` writes, or is what a later version wrote.
    """
    import pyarrow.parquet as pq

    text = (pq.read_schema(path).metadata or {}).get(METADATA_KEY, b"{}")
    try:
        head = dict(json.loads(text))
        parts = head.get("parts", [])
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise TypeError(parts)
    except (ValueError, TypeError, RecursionError) as error:
        msg = "the file's metadata under 'spineq' is no JSON of ours"
        raise UnreadableFileError(
            msg, file=path, mend="Write the city again with City.to_geoparquet"
        ) from error
    if head.get("format", FORMAT) != FORMAT:
        msg = f"the file has format {shown(head['format'])}, this version of spineq knows {FORMAT}"
        raise UnreadableFileError(msg, file=path, mend="Read it with a later version of spineq")
    return head
