"""Cities from rasters of people, such as WorldPop's: pixels gathered into square cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.data._cautions import caution
from spineq.data._tables import existing_path, located, named_after, read_table
from spineq.data._worldpop import files_by_column
from spineq.errors import (
    DataError,
    EmptyCityError,
    GeographicCRSError,
    MissingExtraError,
    NegativeValueError,
    NotANumberError,
    ProblemError,
    UnknownCRSError,
    UnreadableFileError,
    shortened,
    shown,
)
from spineq.model._checks import in_metres, known_crs
from spineq.model.city import City
from spineq.model.groups import MOST

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from numpy.typing import NDArray

#: Cells, (cell,), sorted, each one number of its column and row, and the people in each, (cell,).
Cells = tuple["NDArray[np.int64]", "NDArray[np.float64]"]

#: The one kind of raster that is read.
_DRIVER = "GTiff"

#: Side of the cells unless another is named, metres.
CELL = 200.0

#: Parts into which a pixel's side is cut before it is dealt out, so that cells are not striped
#: where pixels are not much smaller.
_PARTS = 4

#: Pixels that are dealt out at a time.
_AT_ONCE = 200_000

#: What a cell's column is multiplied with to make one number of column and row.
_COLUMN = 2**32

#: Most pixels that are read of one raster, and most cells of a city.
_MOST_PIXELS, _MOST_CELLS = 25_000_000, 1_000_000


def read_raster(
    files: str | Path | Sequence[str | Path] | Mapping[str, str | Path],
    *,
    cell: float = CELL,
    within: str | Path | gpd.GeoDataFrame | tuple[float, float, float, float] | None = None,
    crs: object = None,
    name: str | None = None,
    attribution: str = "",
) -> City:
    """Read a city from rasters of counts, each pixel so many people.

    Pixels are dealt out to square cells, which are the areas; a pixel that lies in several
    counts in each by its share. The sum over all cells is that over all pixels. Cells without
    anybody are left out.

    Parameters
    ----------
    files
        A GeoTIFF with the number of people in each pixel; or WorldPop's by age and sex, named
        as they come (``gbr_f_10_2020.tif``: women of the band that begins at 10), all bands of
        both sexes or of ``t``, both together; or a dictionary of files by what they count:
        ``population``, age bands of the file contract (``age_0_15``), ``workers`` or any other
        column. Rasters need not have pixels of one size.
    cell
        Side of the cells, metres, 20 to 100,000: twice a pixel's, or more.
    within
        What part to read: a file or table of polygons, or west, south, east and north, in
        degrees. Pixels count whose middle lies inside. None reads everything.
    crs
        System of metres in which the cells are squares; None for the UTM zone, or for the
        raster's own where that is in metres.
    name, attribution
        What to call the city, and the source to name in every picture.

    Returns
    -------
    City
        Cells named by their south-western corner (``e0422000n0565200``), which does not depend
        on what part is read.

    Raises
    ------
    MissingExtraError
        rasterio is not installed.
    DataError
        A file is no GeoTIFF of one band, has no coordinate system or numbers below 0; the bands
        of ages do not fit together; or nobody lives there.
    ProblemError
        The cells are too small or too many, or the raster too large to be read at once.

    Warns
    -----
    SpineqWarning
        As `spineq.read_city`.
    """
    counted = files_by_column(files)
    city = city_of_rasters(counted, cell=cell, within=within, crs=crs)
    caution(city, next(iter(counted.values()))[0])
    return city.labelled(name=name, attribution=attribution)


def city_of_rasters(
    by_column: Mapping[str, Sequence[Path]],
    *,
    cell: object = CELL,
    within: object = None,
    crs: object = None,
) -> City:
    """Make a city of rasters by the column that they count; see `read_raster`.

    It is named after the first file, and cautions are left to whoever calls.
    """
    rasterio = _rasterio()
    side = _side(cell)
    outline = None if within is None else _outline(within)
    target = None if crs is None else _named_system(crs)
    sums: dict[str, Cells] = {}
    for column, paths in by_column.items():
        parts = []
        for path in paths:
            with _opened(rasterio, path) as raster:
                if target is None:
                    target = _metres(raster, outline, path)
                parts.append(_dealt(raster, outline, target, side, path))
        sums[column] = _gathered(parts)
    assert target is not None  # there is a file
    return _city(sums, side, target, next(iter(by_column.values()))[0])


def _rasterio() -> Any:
    try:
        import rasterio
        import rasterio.windows
    except ImportError as error:
        msg = "reading a raster needs rasterio, which is not installed"
        raise MissingExtraError(msg, mend='Install it: pip install "spineq[raster]"') from error
    return rasterio


def _side(cell: object) -> float:
    mend = "Give metres, for example cell=200"
    if isinstance(cell, bool) or not isinstance(cell, int | float | np.number):
        msg = f"the side of the cells must be a number, not {shown(cell)}"
        raise ProblemError(msg, field="cell", mend=mend)
    if not 20.0 <= float(cell) <= 100_000.0:
        msg = f"the side of the cells must be 20 to 100,000 m, not {cell:g}"
        raise ProblemError(msg, field="cell", mend=mend)
    return float(cell)


def _named_system(crs: object) -> pyproj.CRS:
    """System for the cells that the user names, who may mean the raster's own."""
    found = known_crs(crs, None)
    if not in_metres(found):
        msg = f"cells are squares of metres, and {found.to_string()} has none"
        mend = "Leave crs out: the raster itself says what its coordinates are"
        raise GeographicCRSError(msg, field="crs", mend=mend)
    return found


def _outline(within: Any) -> gpd.GeoSeries:
    """What part of the rasters is wanted, as polygons in a system that is known."""
    import geopandas as gpd
    import shapely

    if isinstance(within, tuple | list):
        right = len(within) == 4 and all(isinstance(end, int | float | np.number) for end in within)
        west, south, east, north = (float(end) for end in (within if right else [math.nan] * 4))
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            msg = f"{shown(within)} are not west, south, east and north in degrees"
            raise DataError(msg, field="within", mend="Write (-1.8, 54.9, -1.5, 55.1)")
        return gpd.GeoSeries([shapely.box(west, south, east, north)], crs="EPSG:4326")
    file = None if isinstance(within, gpd.GeoDataFrame) else existing_path(within)
    table = within if file is None else read_table(file)
    placed = located(table, None, file).geometry  # type: ignore[arg-type]
    if not placed.geom_type.isin(["Polygon", "MultiPolygon"]).all() or len(placed) == 0:
        msg = "the outline holds something else than polygons"
        raise DataError(msg, file=file, field="within", mend="Give the city's outline")
    return placed


@contextmanager
def _opened(rasterio: Any, path: Path) -> Iterator[Any]:
    """Open a GeoTIFF of one band, as nothing else: other kinds may name further files."""
    try:
        with rasterio.open(path.absolute(), driver=_DRIVER) as raster:
            if raster.count != 1:
                msg = f"the raster has {raster.count} bands, and not one"
                mend = "Write one band alone to a file: gdal_translate -b 1 in.tif out.tif"
                raise UnreadableFileError(msg, file=path, mend=mend)
            if "complex" in raster.dtypes[0]:
                msg = "the raster's numbers are complex"
                raise UnreadableFileError(msg, file=path, mend="Write real numbers")
            if raster.crs is None:
                msg = "the raster has no coordinate reference system"
                mend = "Write it into the file, for example with gdal_edit"
                raise UnknownCRSError(msg, file=path, field="crs", mend=mend)
            yield raster
    except rasterio.errors.RasterioError as error:
        # rasterio itself says no more than that an exception before says it.
        said = shortened(
            (str(error.__cause__ or error).strip().splitlines() or [""])[0].rstrip("."), 200
        )
        msg = f"the raster cannot be read ({said or type(error).__name__})"
        mend = "Check that it is a whole GeoTIFF, and download it again if not"
        raise UnreadableFileError(msg, file=path, mend=mend) from error


def _window(raster: Any, outline: gpd.GeoSeries | None, path: Path) -> Any:
    """Part of a raster that holds the outline."""
    import geopandas as gpd
    import shapely
    from rasterio.windows import Window, from_bounds

    whole = Window(0, 0, raster.width, raster.height)
    if outline is not None:
        found = from_bounds(*_bounds_in(outline, raster.crs), raster.transform)
        # One pixel more on each side: bounds turn a little when they are projected.
        left, top = math.floor(found.col_off) - 1, math.floor(found.row_off) - 1
        right = math.ceil(found.col_off + found.width) + 1
        bottom = math.ceil(found.row_off + found.height) + 1
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, raster.width), min(bottom, raster.height)
        if left >= right or top >= bottom:
            msg = "the raster does not reach to the part that is to be read"
            box = gpd.GeoSeries([shapely.box(*raster.bounds)], crs=raster.crs)
            its = ", ".join(f"{end:.6g}" for end in _bounds_in(box, "EPSG:4326"))
            mend = "Use another raster, or check that within is west, south, east, north"
            mend += f"; the raster covers {its} in degrees"
            raise EmptyCityError(msg, file=path, field="within", mend=mend)
        whole = Window(left, top, right - left, bottom - top)
    if whole.width * whole.height > _MOST_PIXELS:
        msg = f"{whole.width:,} by {whole.height:,} pixels are too many to be read at once"
        mend = "Say what part is wanted with within=, at most about 5,000 by 5,000 pixels"
        raise ProblemError(msg, field="within", mend=mend)
    return whole


def _bounds_in(outline: gpd.GeoSeries, crs: Any) -> tuple[float, float, float, float]:
    """West, south, east and north of an outline in another system, whose sides may be curves."""
    import pyproj

    if outline.crs != crs:
        turned = pyproj.Transformer.from_crs(outline.crs, crs, always_xy=True)
        west, south, east, north = outline.total_bounds
        found = turned.transform_bounds(west, south, east, north, densify_pts=51)
        # Across the date line the west is the larger.
        if np.isfinite(found).all() and found[0] < found[2]:
            return found
    west, south, east, north = outline.to_crs(crs).total_bounds
    return west, south, east, north


def _metres(raster: Any, outline: gpd.GeoSeries | None, path: Path) -> pyproj.CRS:
    """System of metres for the cells: the raster's own, or its UTM zone."""
    import geopandas as gpd
    import pyproj
    import shapely

    own = pyproj.CRS.from_user_input(raster.crs)
    if in_metres(own):
        return own
    part = _window(raster, outline, path)
    columns = part.col_off + np.array([0, part.width, 0, part.width])
    x, y = _places(raster.transform, columns, part.row_off + np.array([0, 0, 1, 1]) * part.height)
    west, south, east, north = x.min(), y.min(), x.max(), y.max()
    # Longitudes may go on beyond 180, across the date line or from 0 to 360.
    turns = 360.0 * math.floor((west + east + 360.0) / 720.0) if own.is_geographic else 0.0
    box = shapely.box(west - turns, south, east - turns, north)
    try:
        found: pyproj.CRS = gpd.GeoSeries([box], crs=own).estimate_utm_crs()
    except (RuntimeError, ValueError) as error:
        place = f"{west:g}, {south:g} to {east:g}, {north:g}"
        msg = f"there is no UTM zone for {place} in {shortened(own.to_string())}"
        mend = "Name a system of metres for the cells, crs= (--crs on the command line)"
        raise UnknownCRSError(msg, file=path, field="crs", mend=mend) from error
    return found


def _dealt(
    raster: Any, outline: gpd.GeoSeries | None, target: pyproj.CRS, side: float, path: Path
) -> Cells:
    """Deal the pixels of a raster out to cells."""
    import pyproj
    import shapely

    window = _window(raster, outline, path)
    read = raster.read(1, window=window, masked=True)
    # What is stored may be people in tens, say: the file tells how to make numbers of it.
    values = np.ma.filled(read.astype(np.float64), np.nan) * raster.scales[0] + raster.offsets[0]
    row, column = np.nonzero(~np.isnan(values) & (values != 0.0))
    people = values[row, column]
    _check(people, path)
    row, column = row + window.row_off, column + window.col_off
    grid = raster.transform
    if outline is not None and len(people):
        shapes = shapely.union_all(shapely.make_valid(outline.to_numpy()))
        shapely.prepare(shapes)
        east, north = _places(grid, column + 0.5, row + 0.5)
        if outline.crs != raster.crs:
            # Pixels and not the outline: a straight side is a curve in the raster's system.
            there = pyproj.Transformer.from_crs(raster.crs, outline.crs, always_xy=True)
            east, north = there.transform(east, north)
        inside = shapely.contains_xy(shapes, east, north)
        row, column, people = row[inside], column[inside], people[inside]
    turned = pyproj.Transformer.from_crs(raster.crs, target, always_xy=True)
    _need_coarse(grid, window, turned, side, path)
    steps = (np.arange(_PARTS) + 0.5) / _PARTS
    parts = []
    for some in (slice(low, low + _AT_ONCE) for low in range(0, len(people), _AT_ONCE)):
        x = np.add.outer(column[some], np.tile(steps, _PARTS))
        y = np.add.outer(row[some], np.repeat(steps, _PARTS))
        east, north = turned.transform(*_places(grid, x, y))
        if not np.isfinite([east, north]).all():
            msg = f"places of the raster have no coordinates in {target.to_string()}"
            raise UnknownCRSError(msg, file=path, field="crs", mend="Choose another crs, or none")
        cells = np.floor(east / side) * _COLUMN + np.floor(north / side)
        each = np.repeat(people[some] / _PARTS**2, _PARTS**2)
        # Added up at once, for all the parts of all pixels would be gigabytes.
        parts.append(_gathered([(cells.astype(np.int64).ravel(), each)]))
    return _gathered(parts)


def _need_coarse(grid: Any, window: Any, turned: Any, side: float, path: Path) -> None:
    """Check that cells are not so small that some within a pixel would get nobody."""
    column, row = window.col_off + window.width / 2, window.row_off + window.height / 2
    corners = np.array([[column, column + 1, column], [row, row, row + 1]])
    east, north = turned.transform(*_places(grid, *corners))
    pixel = float(max(np.hypot(east[k] - east[0], north[k] - north[0]) for k in (1, 2)))
    if np.isfinite(pixel) and side < 0.999 * pixel / _PARTS:
        msg = f"cells of {side:g} m are too small for pixels of about {pixel:,.0f} m"
        mend = f"Say at least cell={math.ceil(pixel / _PARTS)}, better twice a pixel's side"
        raise ProblemError(msg, file=path, field="cell", mend=mend)


def _places(
    grid: Any, column: NDArray[np.floating], row: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Coordinates of places between pixels, in the raster's system."""
    east = grid.a * column + grid.b * row + grid.c
    return east, grid.d * column + grid.e * row + grid.f


def _check(people: NDArray[np.float64], path: Path) -> None:
    mend = "Say in the file which number stands for no data"
    if (people < 0.0).any():
        mend += f": gdal_edit.py -a_nodata {people.min():g} file.tif"
        msg = f"a pixel has {people.min():g} people"
        raise NegativeValueError(msg, file=path, mend=mend)
    if not (people <= MOST).all():
        msg = f"a pixel has {people.max():g} people, more than can be meant"
        raise NotANumberError(msg, file=path, mend=mend)


def _gathered(parts: Sequence[Cells]) -> Cells:
    """Add up the people of cells that are there several times."""
    cells = np.concatenate([np.empty(0, dtype=np.int64), *(held for held, _ in parts)])
    people = np.concatenate([np.empty(0), *(count for _, count in parts)])
    found, place = np.unique(cells, return_inverse=True)
    total = np.bincount(place, weights=people, minlength=len(found))
    return found, total.astype(np.float64)


def _city(sums: Mapping[str, Cells], side: float, crs: pyproj.CRS, file: Path) -> City:
    """Put the cells together."""
    import geopandas as gpd
    import shapely

    cells = np.unique(np.concatenate([held for held, _ in sums.values()]))
    if len(cells) == 0:
        msg = "nobody lives in the part that is to be read"
        raise EmptyCityError(msg, file=file, mend="Read another part, or another raster")
    if len(cells) > _MOST_CELLS:
        msg = f"there are {len(cells):,} cells, more than {_MOST_CELLS:,}"
        raise ProblemError(msg, field="cell", mend="Make the cells larger, or read a part")
    column, row = np.divmod(cells + _COLUMN // 2, _COLUMN)
    west, south = column * side, (row - _COLUMN // 2) * side
    table: dict[str, Any] = {
        "area_id": [
            f"{_coordinate(x, 'ew')}{_coordinate(y, 'ns')}"
            for x, y in zip(west, south, strict=True)
        ],
        # The middle, and not a point that GEOS finds inside.
        "x": west + side / 2,
        "y": south + side / 2,
    }
    for counted, (held, people) in sums.items():
        table[counted] = np.zeros(len(cells))
        table[counted][np.searchsorted(cells, held)] = people
    frame = gpd.GeoDataFrame(
        table, geometry=shapely.box(west, south, west + side, south + side), crs=crs
    )
    note = f"Pixels gathered into cells of {side:g} m."
    return City.from_frame(frame, name=named_after(file), note=note, file=file)


def _coordinate(metres: float, signs: str) -> str:
    sign = signs[0] if metres >= 0 else signs[1]
    return f"{sign}{abs(metres):07.0f}"
