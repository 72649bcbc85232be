"""People spread over their areas: how much it flatters that they are taken to be at a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import DataError, ProblemError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City


def spread_evenly(city: City, points: int = 16) -> City:
    """Spread each area's people evenly over its polygon.

    Parameters
    ----------
    city
        A city with polygons.
    points
        Demand points for each area at least, 1 to 400: the middles of a square grid over the
        polygon, so many that at least this many lie inside, each with the same share. An area
        too thin for any grid keeps its one point.

    Returns
    -------
    City
        The same city, sites and sensors where they were, with these demand points.

    Raises
    ------
    ProblemError
        The number of points is out of its range.
    DataError
        The city has no polygons, or travel costs, which are of the points that it has.
    """
    if isinstance(points, bool) or not isinstance(points, int) or not 1 <= points <= 400:
        msg = f"the number of points must be 1 to 400, not {shown(points)}"
        raise ProblemError(msg, field="points", mend="Say for example points=16")
    polygons = city.polygons
    if polygons is None:
        msg = "the city has no polygons to spread people over"
        raise DataError(msg, mend="Read it from a file of polygons")
    if city.travel is not None:
        msg = "travel costs are known for the city's own points alone"
        raise DataError(msg, field="travel", mend="Use a city without travel costs")
    middle = city.dataset[["x", "y"]].to_dataframe()
    places = []
    for area, shape in zip(polygons.index, polygons.geometry, strict=True):
        xy = _inside(shape, points)
        if len(xy) == 0:
            xy = middle.loc[[area], ["x", "y"]].to_numpy()
        places.append(pd.DataFrame({"area_id": area, "x": xy[:, 0], "y": xy[:, 1], "weight": 1.0}))
    return city.with_demand(pd.concat(places, ignore_index=True))


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
        if len(x) * len(y) > 200_000:
            break
        across, along = np.meshgrid(x, y)
        held = shapely.contains_xy(shape, across, along)
        found = np.column_stack([across[held], along[held]])
        if len(found) >= wanted:
            break
    return found
