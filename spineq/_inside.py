"""Which area's polygon a place lies in, and places from one coordinate system in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City


def polygons_of(city: City) -> NDArray[np.object_] | None:
    """Polygons of the areas in the city's order, (area,), mended where they cross themselves."""
    import shapely

    held = city.polygons
    if held is None:
        return None
    made: NDArray[np.object_] = held.geometry.to_numpy()
    broken = ~shapely.is_valid(made)
    made[broken] = shapely.make_valid(made[broken])
    return made


def points_at(xy: NDArray[np.float64]) -> Any:
    """Points at places, (place, 2), as geometries, (place,)."""
    import shapely

    return np.atleast_1d(np.asarray(shapely.points(xy)))


def area_around(polygons: NDArray[np.object_], xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position of the first polygon that holds each place or has it on its border, or -1."""
    import shapely

    made = np.full(len(xy), len(polygons), dtype=np.int64)
    tree = shapely.STRtree(polygons)
    for low in range(0, len(xy), 100_000):
        place, area = tree.query(points_at(xy[low : low + 100_000]), predicate="intersects")
        np.minimum.at(made, place + low, area)
    made[made == len(polygons)] = -1
    return made


def areas_of(city: City, xy: NDArray[np.float64]) -> NDArray[np.object_]:
    """Id of the area that each place lies in, else of the one with the nearest point."""
    made = city.areas_at(xy)
    polygons = polygons_of(city)
    if polygons is not None:
        area = area_around(polygons, xy)
        made[area >= 0] = city.dataset["area"].to_numpy()[area[area >= 0]]
    return made


def moved(frame: Any, xy: NDArray[np.float64], crs: Any) -> NDArray[np.float64]:
    """Bring places of a table into another system, (place, 2)."""
    import geopandas as gpd
    import shapely

    points = gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=frame.crs).to_crs(crs)
    made: NDArray[np.float64] = shapely.get_coordinates(points.to_numpy())
    return made
