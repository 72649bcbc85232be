"""Make ``san_francisco.parquet``, the city that comes with the package.

What it makes
    One GeoParquet file in EPSG:26910 with the 190 travel analysis zones of San
    Francisco: residents in five age bands, jobs, households, a point and a
    polygon each. ``README.md`` beside this script describes the columns.
Source
    Metropolitan Transportation Commission (MTC), Travel Model One: land use table
    and zone boundaries, as carried by the Python package ActivitySim, version
    1.6.0. It is input to a travel model, not a census, and the package names no
    year for it.
Licence
    BSD 3-Clause, Copyright (c) Zephyr Foundation; the text is in ``README.md``.

To make the file again::

    pip download --no-deps activitysim==1.6.0
    python extract_san_francisco.py activitysim-1.6.0-py3-none-any.whl

The same input and the same versions of geopandas, shapely, pyproj and pyarrow give
the same bytes.
"""

import argparse
import io
import json
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

# The ignores hold whether or not stubs are installed for these packages.
import geopandas as gpd  # type: ignore[import-untyped, unused-ignore]
import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]
import shapely  # type: ignore[import-untyped, unused-ignore]

ACTIVITYSIM = "1.6.0"
CRS = "EPSG:26910"
ZONES = 190
RESIDENTS = 908_578
JOBS = 747_744

LAND_USE = "example_estimation/data_sf/land_use.csv"
SHAPES = "prototype_mtc/notebooks/zone_shapefile/bayarea_rtaz1454_rev1"
MEMBERS = (LAND_USE, *(SHAPES + suffix for suffix in (".shp", ".shx", ".dbf", ".prj")))

COLUMNS = {
    "AGE0004": "age_0_4",
    "AGE0519": "age_5_19",
    "AGE2044": "age_20_44",
    "AGE4564": "age_45_64",
    "AGE65P": "age_65_plus",
    "TOTEMP": "workers",
    "TOTHH": "households",
}
BANDS = tuple(name for name in COLUMNS if name.startswith("AGE"))

# Parts of a zone further than this from the mainland are left off the map. Yerba
# Buena, Treasure Island and Alcatraz are nearer; the Farallon Islands, 40 km out at
# sea, the tip of Alameda and Red Rock are not, and would shrink the city.
FAR_M = 3_000.0
TOLERANCE_M = 20.0  # of the simplified boundaries
POINT_DECIMALS = 1

METADATA = {
    "format": 1,
    "name": "San Francisco",
    "code": "",
    "attribution": (
        "Metropolitan Transportation Commission (MTC) Travel Model One land use and"
        " zones, via ActivitySim (BSD-3-Clause)"
    ),
    "note": (
        "Model input for a travel model, not a census; the source names no year."
        " Residents come in five age bands (0-4, 5-19, 20-44, 45-64, 65 and over), so"
        " children 0-15 and older people 66+ are estimated from split bands. Workers"
        " are jobs in the zone."
    ),
}


def _members(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each wanted file in a wheel, an sdist or a folder."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file() and path.as_posix().endswith(MEMBERS):
                yield path.as_posix(), path.read_bytes()
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as wheel:
            for name in wheel.namelist():
                if name.endswith(MEMBERS):
                    yield name, wheel.read(name)
    else:
        with tarfile.open(source) as sdist:
            for entry in sdist:
                content = sdist.extractfile(entry) if entry.name.endswith(MEMBERS) else None
                if content is not None:
                    yield entry.name, content.read()


def read(source: Path) -> gpd.GeoDataFrame:
    """
    Read the zones of San Francisco with their land use, and check them.

    Parameters
    ----------
    source
        The wheel, the sdist or an unpacked folder of ActivitySim.

    Returns
    -------
    zones
        One row per zone, in the order of ``ZONE``.
    """
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder)
        for name, content in _members(source):
            (unpacked / Path(name).name).write_bytes(content)
        missing = [name for name in MEMBERS if not (unpacked / Path(name).name).is_file()]
        if missing:
            msg = f"{source.name} does not hold {', '.join(missing)}"
            raise FileNotFoundError(msg)
        land_use = pd.read_csv(unpacked / Path(LAND_USE).name)
        shapes = gpd.read_file(unpacked / f"{Path(SHAPES).name}.shp")

    zones = shapes[["TAZ1454", "geometry"]].merge(
        land_use, left_on="TAZ1454", right_on="ZONE", validate="one_to_one"
    )
    zones = zones.sort_values("ZONE", ignore_index=True)
    checks = {
        f"{ZONES} zones with a land use row": len(land_use) == ZONES,
        "a polygon for every zone": len(zones) == ZONES,
        f"coordinates in {CRS}": shapes.crs is not None and shapes.crs.equals(CRS),
        f"{RESIDENTS:,} residents": land_use["TOTPOP"].sum() == RESIDENTS,
        f"{JOBS:,} jobs": land_use["TOTEMP"].sum() == JOBS,
        "age bands that sum to the residents": bool(
            (land_use[list(BANDS)].sum(axis=1) == land_use["TOTPOP"]).all()
        ),
        "whole numbers of 0 or more": all(
            land_use[name].dtype.kind == "i" and land_use[name].min() >= 0 for name in COLUMNS
        ),
        "valid polygons without gaps or overlaps": bool(zones.is_valid.all())
        and shapely.coverage_is_valid(zones.geometry.to_numpy()),
    }
    failed = [what for what, held in checks.items() if not held]
    if failed:
        msg = f"{source.name} is not what ActivitySim {ACTIVITYSIM} holds: expected {failed[0]}"
        raise ValueError(msg)
    return zones


def _without_far_parts(zones: gpd.GeoSeries) -> gpd.GeoSeries:
    """Leave off the parts of zones that lie far from the mainland."""
    mainland = max(shapely.get_parts(zones.union_all()), key=lambda part: part.area)
    parts = zones.explode(index_parts=False)
    near = parts[parts.distance(mainland) <= FAR_M]
    return near.groupby(level=0).agg(shapely.union_all).set_crs(zones.crs)


def _simplified(zones: gpd.GeoSeries) -> gpd.GeoSeries:
    """Simplify all boundaries together, so that neighbours still share theirs."""
    shapes = shapely.coverage_simplify(zones.to_numpy(), TOLERANCE_M)
    # Whole metres are finer than the tolerance, and take half the bytes.
    shapes = shapely.orient_polygons(shapely.transform(shapes, np.round))
    if not (shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes)):
        msg = "the simplified polygons are invalid, or no longer fit each other"
        raise ValueError(msg)
    return gpd.GeoSeries(shapes, index=zones.index, crs=CRS)


def _points(zones: gpd.GeoSeries, simplified: gpd.GeoSeries) -> gpd.GeoSeries:
    """Centroids, or another point of the zone where the centroid is outside."""

    def rounded(points: gpd.GeoSeries) -> gpd.GeoSeries:
        return points.transform(lambda xy: np.round(xy, POINT_DECIMALS))

    both = zones.intersection(simplified)
    points = rounded(zones.centroid)
    points = points.where(points.within(both), rounded(both.representative_point()))
    if not points.within(both).all():
        msg = "a point lies outside its zone"
        raise ValueError(msg)
    return points


def build(zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Turn the zones of the source into the rows of the file.

    Parameters
    ----------
    zones
        What `read` returned.

    Returns
    -------
    city
        One row per zone, in the order of ``area_id``.
    """
    near = _without_far_parts(zones.geometry)
    shapes = _simplified(near)
    points = _points(near, shapes)
    columns = {
        "area_id": zones["ZONE"].astype(str).str.zfill(len(str(ZONES))),
        "x": points.x,
        "y": points.y,
        **{name: zones[source].astype("int64") for source, name in COLUMNS.items()},
    }
    city = gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)
    return city.sort_values("area_id", ignore_index=True)


def write(city: gpd.GeoDataFrame, output: Path) -> None:
    """
    Write the GeoParquet file with our own metadata beside ``geo``.

    Parameters
    ----------
    city
        What `build` returned.
    output
        The file to write.
    """
    buffer = io.BytesIO()
    city.to_parquet(buffer, index=False)
    buffer.seek(0)
    table = pq.read_table(buffer)
    # Only the two keys: pandas would add its own version, and nothing reads it.
    table = table.replace_schema_metadata(
        {
            b"geo": table.schema.metadata[b"geo"],
            b"spineq": json.dumps(METADATA, ensure_ascii=False).encode(),
        }
    )
    # pandas 3 writes large strings, older versions do not.
    at = table.schema.get_field_index("area_id")
    table = table.set_column(at, "area_id", table["area_id"].cast(pa.string()))
    pq.write_table(table, output, compression="zstd", compression_level=19)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the script.

    Parameters
    ----------
    arguments
        The command line, without the program; by default that of the process.

    Returns
    -------
    status
        0 when the file was written.
    """
    parser = argparse.ArgumentParser(
        description="Make san_francisco.parquet from the Python package ActivitySim.",
        epilog=f"Get the package with: pip download --no-deps activitysim=={ACTIVITYSIM}",
    )
    parser.add_argument("source", type=Path, help="wheel, sdist or unpacked folder of activitysim")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).with_name("san_francisco.parquet"),
        help="file to write (default: beside this script)",
    )
    options = parser.parse_args(arguments)
    city = build(read(options.source))
    write(city, options.output)
    residents = city[[COLUMNS[band] for band in BANDS]].to_numpy().sum()
    sys.stdout.write(
        f"{options.output.name}: {len(city)} zones, {residents:,} residents,"
        f" {city['workers'].sum():,} jobs, {options.output.stat().st_size:,} bytes\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
