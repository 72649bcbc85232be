"""Areas with fewer corners, to look at: the only place where polygons are simplified.

Figures never use them: sizes of areas, centroids and what lies where are from the city's own
polygons.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Corners of all areas together that a page or a drawing bears.
MOST_CORNERS = 200_000

#: Metres between the corners that are left, beyond which no more of them are left out.
_COARSEST = 10_000.0


def n_corners(city: City) -> int:
    """Count the corners of a city's areas; 0 without polygons."""
    import shapely

    polygons = city.polygons
    return 0 if polygons is None else int(shapely.count_coordinates(polygons.geometry.to_numpy()))


def outlines(
    city: City, steps: int, *, most_metres: float = math.inf, most_corners: float = math.inf
) -> NDArray[np.object_] | None:
    """Leave out corners that nobody sees.

    Parameters
    ----------
    city
        The city, which stays as it is.
    steps
        A corner is left out where the line moves by less than about this part of the city's
        longer side.
    most_metres
        And by less than this, where people may look closely.
    most_corners
        While there are more, twice as much is left out.

    Returns
    -------
    array or None
        (area,) polygons; None where the city has none. Neighbours are simplified alike, so that
        no gap opens between them. An area that would vanish is drawn as it is.
    """
    import shapely

    polygons = city.polygons
    if polygons is None:
        return None
    west, south, east, north = polygons.total_bounds
    tolerance = min(max(float(east - west), float(north - south), 1.0) / steps, most_metres)
    made = _simpler(polygons.geometry.to_numpy(), tolerance)
    while shapely.count_coordinates(made) > most_corners and tolerance < _COARSEST:
        tolerance *= 2.0
        made = _simpler(made, tolerance)
    return made


def _simpler(polygons: NDArray[np.object_], tolerance: float) -> NDArray[np.object_]:
    import shapely

    whole, broken = polygons.copy(), ~shapely.is_valid(polygons)
    # Simplifying takes no invalid polygon, and this is a picture.
    whole[broken] = shapely.make_valid(polygons[broken])
    # What a broken polygon was made into may have a line beside a polygon: it stays as it was.
    able = np.isin(
        shapely.get_type_id(whole),
        (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON),
    )
    made = polygons.copy()
    made[able] = shapely.coverage_simplify(whole[able], tolerance)
    gone = shapely.is_empty(made)
    made[gone] = polygons[gone]
    return made
