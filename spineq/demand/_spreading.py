"""People spread evenly over the polygons of their areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._inside import polygons_of
from spineq.demand._placing import table_of_points
from spineq.errors import DataError, ProblemError, shown

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Most points of a grid that are looked at for one area: a thread of a polygon has many outside.
_MOST_TRIED = 200_000


def spread(city: City, per_area: int = 16) -> gpd.GeoDataFrame:
    """Spread each area's people evenly over its polygon.

    The points are the middles of a square grid over the polygon, the same every time. An area
    too thin for any grid keeps its one point.

    Parameters
    ----------
    city
        A city with polygons.
    per_area
        Demand points for each area, 1 to 400: the grid is so fine that about this many lie
        inside, rather more than fewer, each with the same share.

    Returns
    -------
    GeoDataFrame
        For `City.with_demand`: ``area_id``, ``weight`` (1 each), points in the city's system.

    Raises
    ------
    ProblemError
        The number of points is out of its range.
    DataError
        The city has no polygons, or travel costs, which are of the points that it has.
    """
    if (
        isinstance(per_area, bool)
        or not isinstance(per_area, int | np.integer)
        or not 1 <= per_area <= 400
    ):
        msg = f"the number of points must be 1 to 400, not {shown(per_area)}"
        raise ProblemError(msg, field="per_area", mend="Say for example per_area=16")
    polygons = polygons_of(city)
    if polygons is None:
        msg = "the city has no polygons to spread people over"
        raise DataError(msg, mend="Read it from a file of polygons")
    if city.travel is not None:
        msg = "travel costs are known for the city's own points alone"
        mend = "Spread people first, then add the travel costs to the new points"
        raise DataError(msg, field="travel", mend=mend)
    data = city.dataset
    middle = np.column_stack([data["x"].to_numpy(), data["y"].to_numpy()])
    places = [_inside(shape, int(per_area)) for shape in polygons]
    places = [xy if len(xy) else middle[[k]] for k, xy in enumerate(places)]
    area = np.repeat(np.arange(city.n_areas), [len(xy) for xy in places])
    return table_of_points(city, area, np.concatenate(places), weight=np.ones(len(area)))


def _inside(shape: Any, wanted: int) -> NDArray[np.float64]:
    """Middles of the cells of a square grid inside a polygon, (point, 2)."""
    import shapely

    found = np.empty((0, 2))
    west, south, east, north = shapely.bounds(shape)
    area = float(shapely.area(shape))
    if not area > 0.0:
        return found
    shapely.prepare(shape)
    for finer in (1.0, 1.5, 2.0, 3.0):
        side = float(np.sqrt(area / wanted)) / finer
        x, y = (
            low + (np.arange(max(int(np.ceil((high - low) / side)), 1)) + 0.5) * side
            for low, high in ((west, east), (south, north))
        )
        if len(x) * len(y) > _MOST_TRIED:
            break
        across, along = np.meshgrid(x, y)
        held = shapely.contains_xy(shape, across, along)
        found = np.column_stack([across[held], along[held]])
        if len(found) >= wanted:
            break
    return found
