"""Places brought to the nearest place on any street.

To the nearest edge and not to the nearest junction: blocks of houses are often 200 m long, and
somebody in the middle of one steps out of the door and not first to its corner. The straight way
to the street counts into what the walk costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import UnreadableFileError
from spineq.travel.network import Streets

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Places that are farther from any street than this are warned of, metres.
FAR = 100.0

#: Places that are looked up at once.
_AT_ONCE = 50_000


@dataclass(frozen=True, eq=False)
class Snapped:
    """Where places meet the streets.

    Parameters
    ----------
    edge
        (place,) position of the nearest edge, the first of several.
    share
        (place,) how far along the edge, 0 to 1.
    xy
        (place, 2) the place on the street, metres.
    distance
        (place,) straight to it, metres.
    part
        (place,) number of the connected part of the streets, 0 for the longest.
    """

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    xy: NDArray[np.float64]
    distance: NDArray[np.float64]
    part: NDArray[np.int64]


def snap_to_streets(streets: Streets, xy: NDArray[np.float64]) -> Snapped:
    """Bring places, (place, 2), to the nearest place on any street."""
    if streets.n_edges == 0:
        msg = "there is no street anywhere near the city"
        raise UnreadableFileError(
            msg, mend="Check that the streets are of this city, and their coordinate system (crs)"
        )
    edge, share, place = nearest_on_lines(streets, xy)
    distance = np.hypot(*(xy - place).T)
    return Snapped(edge, share, place, distance, streets.part[streets.ends[edge, 0]])


def nearest_on_lines(
    streets: Streets, xy: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Find the nearest line of each place, the share of its length, and the place there."""
    import shapely

    edge = np.empty(len(xy), dtype=np.int64)
    for low in range(0, len(xy), _AT_ONCE):
        points = np.atleast_1d(np.asarray(shapely.points(xy[low : low + _AT_ONCE])))
        # All of them, for which one the index finds first depends on how it was built.
        place, found = streets.tree.query_nearest(points, all_matches=True)
        order = np.lexsort((found, place))
        first = np.unique(place[order], return_index=True)[1]
        edge[low : low + len(points)] = found[order][first]
    lines = streets.lines[edge]
    share = shapely.line_locate_point(lines, shapely.points(xy), normalized=True)
    there = shapely.get_coordinates(shapely.line_interpolate_point(lines, share, normalized=True))
    return edge, np.clip(share, 0.0, 1.0), there
