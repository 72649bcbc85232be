"""Where a city's areas are on a web map: longitudes and latitudes, shapes, pictures."""

from __future__ import annotations

import gzip
import io
import json
import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from spineq._outlines import outlines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from spineq.model.city import City

_T = TypeVar("_T")

#: Cities with more areas are drawn as one picture: a browser takes too long over shapes.
MOST_SHAPES = 10_000

#: Pixels on the longer side of such a picture: more than a screen has, for a look from closer by.
PIXELS = 2_400

#: Corners are left out by a third of a pixel where the city is as wide as a screen, and by no more
#: than a kerb's width, metres, unless there are more than a browser moves with ease.
_STEPS, _KERB, _MOST_CORNERS = 3000, 4.0, 300_000

#: South, west, north, east, degrees.
Bounds = tuple[float, float, float, float]


class Areas(Protocol):
    """How the areas come to the browser, once, and their colours, again and again."""

    #: "polygons", "points" or "image": what the page makes of it.
    kind: str
    bounds: Bounds

    def shapes(self) -> bytes:
        """Return what is sent once: GeoJSON, gzipped; nothing for a picture."""

    def paint(self, classes: NDArray[np.uint8], palette: Sequence[str], unknown: str) -> bytes:
        """Return what is sent with each colouring of areas in classes, (area,)."""

    def area_at(self, longitude: float, latitude: float) -> int | None:
        """Position of the area at a place; None where there is none."""


class Places:
    """A city's own coordinates and those of web maps.

    Parameters
    ----------
    city
        The city.
    """

    def __init__(self, city: City) -> None:
        from pyproj import Transformer

        self.city = city
        self._transformer = Transformer.from_crs(city.crs, "EPSG:4326", always_xy=True)

    def to_lonlat(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn metres, (place, 2), into longitudes and latitudes, (place, 2), degrees."""
        return np.column_stack(self._transformer.transform(*np.asarray(xy, dtype=np.float64).T))

    def to_xy(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn longitudes and latitudes, (place, 2), degrees, into metres, (place, 2)."""
        east, north = np.asarray(lonlat, dtype=np.float64).T
        return np.column_stack(self._transformer.transform(east, north, direction="INVERSE"))

    def nearest_site(self, xy: Sequence[float]) -> int:
        """Position of the site that is nearest to a place (x, y), metres."""
        return int(self._sites.query(np.asarray(xy, dtype=np.float64))[1])

    @cached_property
    def _sites(self) -> _Tree:
        from scipy.spatial import cKDTree

        tree: _Tree = cKDTree(self.city.site_xy)
        return tree


class _Tree(Protocol):
    def query(self, places: NDArray[np.float64]) -> tuple[object, int]: ...


class Shapes:
    """Areas as shapes of their own: polygons, or points where the city has none.

    Parameters
    ----------
    city
        The city.
    """

    def __init__(self, city: City) -> None:
        import shapely

        polygons = city.polygons
        self.kind = "points" if polygons is None else "polygons"
        found: Any
        if polygons is None:
            found = shapely.points(np.round(_lonlat(city), 6))
        else:
            drawn = outlines(city, _STEPS, most_metres=_KERB, most_corners=_MOST_CORNERS)
            made = polygons.set_geometry(drawn, crs=polygons.crs).to_crs("EPSG:4326").geometry
            found = shapely.transform(made.to_numpy(), lambda xy: np.round(xy, 6))
        self._geometries = found
        self.bounds = _bounds(shapely.total_bounds(found))
        self._lock = threading.Lock()

    def shapes(self) -> bytes:
        """Return the geometries as a list in GeoJSON, gzipped, in the order of the areas."""
        import shapely

        text = f"[{','.join(shapely.to_geojson(self._geometries))}]"
        return gzip.compress(text.encode(), 3, mtime=0)

    def geojson(self) -> dict[str, object]:
        """Return the areas as a FeatureCollection; each one's id is its position."""
        features = [
            {"type": "Feature", "id": k, "properties": {}, "geometry": geometry}
            for k, geometry in enumerate(json.loads(gzip.decompress(self.shapes())))
        ]
        return {"type": "FeatureCollection", "features": features}

    def paint(self, classes: NDArray[np.uint8], palette: Sequence[str], unknown: str) -> bytes:
        """Return the classes themselves: the page knows the colours, and finds them faster."""
        return classes.tobytes()

    def area_at(self, longitude: float, latitude: float) -> int | None:
        """Position of the area at a place; the page finds it sooner. None where there is none."""
        import shapely

        with self._lock:
            if not hasattr(self, "_tree"):
                self._tree = shapely.STRtree(self._geometries)
        place = shapely.Point(longitude, latitude)
        if self.kind == "points":
            return int(self._tree.nearest(place))
        found = self._tree.query(place, predicate="intersects")
        return int(found.min()) if len(found) else None


class Picture:
    """Areas as a picture of their labels, for cities of very many.

    Parameters
    ----------
    city
        The city.
    pixels
        On the longer side.

    Attributes
    ----------
    labels
        (row, column) position of the area of each pixel, -1 where there is none. Rows are even
        in web Mercator, from the north.
    """

    kind = "image"

    def __init__(self, city: City, pixels: int = PIXELS) -> None:
        polygons = city.polygons
        if polygons is None:
            places = _mercator(_lonlat(city))
            self._frame(*_roomy(places))
            self.labels = self._from_points(places, pixels)
        else:
            moved = polygons.geometry.to_crs("EPSG:4326")
            west, south, east, north = moved.total_bounds
            self._frame(*_mercator(np.array([[west, south], [east, north]])))
            self.labels = self._from_polygons(moved.to_numpy(), pixels)

    def _frame(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
        self._low, self._high = low, high
        west, south, east, north = _degrees(np.array([low, high])).ravel()
        self.bounds = _bounds((west, south, east, north))

    def _size(self, pixels: int) -> tuple[int, int]:
        wide, tall = self._high - self._low
        scale = pixels / max(wide, tall)
        return max(round(wide * scale), 1), max(round(tall * scale), 1)

    def _from_polygons(self, polygons: NDArray[np.object_], pixels: int) -> NDArray[np.int32]:
        import shapely
        from PIL import Image, ImageDraw

        width, height = self._size(pixels)
        image = Image.new("I", (width, height), -1)
        draw = ImageDraw.Draw(image)
        parts, owner = shapely.get_parts(polygons, return_index=True)
        # The largest first: what lies in another one's hole is drawn over it.
        order = np.argsort(-shapely.area(parts), kind="stable")
        rings, of = shapely.get_rings(parts[order], return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        pixel = self._pixels(xy, width, height)
        start = np.searchsorted(ring, np.arange(len(rings) + 1))
        outer = np.r_[True, of[1:] != of[:-1]] if len(of) else np.empty(0, dtype=bool)
        for k in range(len(rings)):
            corners = pixel[start[k] : start[k + 1]].ravel().tolist()
            if len(corners) >= 6:
                draw.polygon(corners, fill=int(owner[order[of[k]]]) if outer[k] else -1)
        return np.asarray(image, dtype=np.int32)

    def _from_points(self, places: NDArray[np.float64], pixels: int) -> NDArray[np.int32]:
        from scipy.spatial import cKDTree

        width, height = self._size(pixels)
        tree = cKDTree(places)
        step = float(max((self._high - self._low) / (width, height)))
        reach = max(_spacing(tree, places), 1.5 * step)
        across = self._low[0] + (np.arange(width) + 0.5) / width * (self._high - self._low)[0]
        labels = np.empty((height, width), dtype=np.int32)
        for row in range(height):
            up = self._high[1] - (row + 0.5) / height * (self._high - self._low)[1]
            pixel = np.column_stack([across, np.full(width, up)])
            found = tree.query(pixel, distance_upper_bound=reach)[1]
            labels[row] = np.where(found == len(places), -1, found)
        return labels

    def _pixels(self, lonlat: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
        """Pixel (column, row) of places, (place, 2), as fractions."""
        share = (_mercator(lonlat) - self._low) / (self._high - self._low)
        return np.column_stack([share[:, 0] * width - 0.5, (1.0 - share[:, 1]) * height - 0.5])

    def shapes(self) -> bytes:
        """Return nothing: a picture has no shapes."""
        return b""

    def paint(self, classes: NDArray[np.uint8], palette: Sequence[str], unknown: str) -> bytes:
        """Return the picture as PNG, transparent where there is no area."""
        return self.png(classes, palette, unknown)

    def png(self, classes: NDArray[np.uint8], palette: Sequence[str], unknown: str) -> bytes:
        """Draw areas in classes, (area,), as a PNG with 256 colours.

        Parameters
        ----------
        classes
            Positions in the palette; 255 where nothing is known.
        palette
            Colours, as ``"#rrggbb"``.
        unknown
            Colour where nothing is known.
        """
        from PIL import Image

        from spineq.panel.palette import NO_AREA

        # The label -1 finds the last entry.
        image = Image.fromarray(np.append(classes, np.uint8(NO_AREA))[self.labels])
        colours = [*palette, *[unknown] * (256 - len(palette))]
        image.putpalette(b"".join(bytes.fromhex(colour[1:]) for colour in colours))
        opaque = bytearray(b"\xff" * 256)
        opaque[NO_AREA] = 0
        file = io.BytesIO()
        # Speed, not size: the way to the browser is short.
        image.save(file, "PNG", compress_level=1, transparency=bytes(opaque))
        return file.getvalue()

    def area_at(self, longitude: float, latitude: float) -> int | None:
        """Position of the area at a place; None where there is none."""
        height, width = self.labels.shape
        column, row = self._pixels(np.array([[longitude, latitude]]), width, height)[0]
        column, row = round(column), round(row)
        if not (0 <= column < width and 0 <= row < height):
            return None
        label = int(self.labels[row, column])
        return None if label < 0 else label


class _Kept(Generic[_T]):
    """What was made of the last cities: a comparison shows one twice, an edit begins anew."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, bool], _T] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, city: City, make: Callable[[City], _T]) -> _T:
        """Return what is kept of a city, or make it."""
        key = (city.digest, city.polygons is None)
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make(city)
        with self._lock:
            self._made[key] = made
            while len(self._made) > 2:
                self._made.popitem(last=False)
        return made


_AREAS: _Kept[Areas] = _Kept()
_PLACES: _Kept[Places] = _Kept()


def areas_of(city: City) -> Areas:
    """Shapes or picture of a city; those of the last cities are kept."""
    return _AREAS.of(city, lambda _: Shapes(city) if city.n_areas <= MOST_SHAPES else Picture(city))


def places_of(city: City) -> Places:
    """Coordinates of a city and of web maps; those of the last cities are kept."""
    return _PLACES.of(city, Places)


def _lonlat(city: City) -> NDArray[np.float64]:
    data = city.dataset
    return Places(city).to_lonlat(np.column_stack([data["x"].to_numpy(), data["y"].to_numpy()]))


def _bounds(west_south_east_north: Sequence[float] | NDArray[np.float64]) -> Bounds:
    west, south, east, north = (float(each) for each in west_south_east_north)
    return south, west, north, east


def _mercator(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Web Mercator in radians: even pixels of it are even pixels of the map."""
    east, north = np.radians(lonlat).T
    return np.column_stack([east, np.arcsinh(np.tan(north))])


def _degrees(mercator: NDArray[np.float64]) -> NDArray[np.float64]:
    east, north = mercator.T
    made: NDArray[np.float64] = np.degrees(np.column_stack([east, np.arctan(np.sinh(north))]))
    return made


def _roomy(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners around places, with a margin of a hundredth."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = 0.01 * max(float((high - low).max()), 1e-6)
    return low - room, high + room


def _spacing(tree: object, places: NDArray[np.float64]) -> float:
    """How far an area reaches from its point, where only points are known."""
    if len(places) < 2:
        return 0.0
    nearest = tree.query(places, k=2)[0][:, 1]  # type: ignore[attr-defined]
    return 1.5 * float(np.quantile(nearest, 0.9))
