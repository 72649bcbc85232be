"""The land of a synthetic city: borders of towns, and the cells of their areas."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Delaunay

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LLOYD_SHARE: Final = 0.6
"""Part of the way to the centroid of its cell that a point is moved, to keep points apart."""

_LLOYD_MOST: Final = 20.0
"""Metres that it is moved at most: homes in large areas stay on their side of the open land."""

VERTICES: Final = 144
"""Corners of a town's outline."""


def directions(count: int) -> Floats:
    """Unit vectors (count, 2) evenly round the circle, starting eastwards."""
    angle = np.arange(count) * (2 * np.pi / count)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def border_at(outlines: Floats, town: Ints, angle: Floats) -> Floats:
    """Distance (point,), metres, from the middle to the border in the directions given."""
    step = 2 * np.pi / VERTICES
    sector = np.floor(angle / step).astype(np.int64)
    past = angle - sector * step
    right = outlines[town, sector % VERTICES]
    left = outlines[town, (sector + 1) % VERTICES]
    border: Floats = right * left * np.sin(step)
    border /= right * np.sin(past) + left * np.sin(step - past)
    return border


def pull_inside(local: Floats, town: Ints, outlines: Floats) -> Floats:
    """Points (point, 2), metres from the middle, with those past the border drawn back inside.

    Seen from its middle every piece of the border is in sight, so the way back is straight.
    """
    # A little short of the border, so that rounding cannot put the point outside.
    border = 0.98 * border_at(outlines, town, np.arctan2(local[:, 1], local[:, 0]))
    distance = np.hypot(local[:, 0], local[:, 1])
    factor = np.minimum(1, border / np.maximum(distance, 1e-9))
    return local * factor[:, np.newaxis]


def _voronoi(xy: Floats) -> tuple[Floats, Ints]:
    """Corners of the Voronoi cells: coordinates (corner, 2) and the point (corner,) they go round.

    From the Delaunay triangles: a cell's corners are the centres of the circles
    through the triangles that meet in its point.
    """
    centre = (xy.min(axis=0) + xy.max(axis=0)) / 2
    # A ring of points far out closes the cells at the rim.
    far = 3 * max(1000.0, float(np.ptp(xy, axis=0).max()))
    points = np.concatenate([xy - centre, far * directions(12)])
    triangles = Delaunay(points).simplices.astype(np.int64)
    a, b, c = points[triangles].transpose(1, 0, 2)
    b, c = b - a, c - a
    cross = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])[:, np.newaxis]
    bb, cc = (b**2).sum(axis=1), (c**2).sum(axis=1)
    across = np.stack([c[:, 1] * bb - b[:, 1] * cc, b[:, 0] * cc - c[:, 0] * bb], axis=1)
    corners = np.repeat(a + across / cross, 3, axis=0)
    owner = triangles.ravel()
    direction = corners - points[owner]
    order = np.lexsort((np.arctan2(direction[:, 1], direction[:, 0]), owner))
    order = order[: np.searchsorted(owner[order], len(xy))]
    return corners[order] + centre, owner[order]


def even_out(local: Floats, town: Ints, middle: Floats, outlines: Floats) -> Floats:
    """Points (area, 2) moved part of the way to the centroid of their cell (Lloyd 1982).

    Real areas are drawn to hold alike numbers of homes, so their points keep
    more distance than chance would.
    """
    corners, owner = _voronoi(middle[town] + local)
    corners = pull_inside(corners - middle[town[owner]], town[owner], outlines)
    x, y = (corners - local[owner]).T
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    after = np.arange(1, len(owner) + 1)
    after[np.append(first[1:], len(owner)) - 1] = first
    wedge = x * y[after] - x[after] * y
    land = np.maximum(np.add.reduceat(wedge, first), 1e-9)
    shift = [np.add.reduceat((v + v[after]) * wedge, first) / (3 * land) for v in (x, y)]
    move = _LLOYD_SHARE * np.stack(shift, axis=1)
    length = np.maximum(np.hypot(move[:, 0], move[:, 1]), 1e-9)
    move *= np.minimum(1, _LLOYD_MOST / length)[:, np.newaxis]
    return pull_inside(local + move, town, outlines)


def cells(xy: Floats, town: Ints, middle: Floats, outlines: Floats) -> NDArray[np.object_]:
    """Polygon (area,) of each area: its Voronoi cell, as far as it lies in the town."""
    corners, owner = _voronoi(xy)
    rings = shapely.linearrings(corners, indices=owner)
    cells: NDArray[np.object_] = np.asarray(shapely.polygons(rings), dtype=np.object_)
    # Corners that all but coincide can swap places; the cell is convex, so its hull is right.
    broken = ~shapely.is_valid(cells)
    cells[broken] = shapely.convex_hull(cells[broken])

    border = middle[:, np.newaxis, :] + outlines[:, :, np.newaxis] * directions(VERTICES)
    towns: NDArray[np.object_] = np.asarray(shapely.polygons(border), dtype=np.object_)
    shapely.prepare(towns)
    across = np.flatnonzero(~shapely.covers(towns[town], cells))
    clipped = shapely.intersection(cells[across], towns[town[across]])
    # A bay of the border can cut a cell in two: the part with the point is the area.
    parts, of = shapely.get_parts(clipped, return_index=True)
    holds = shapely.intersects_xy(parts, xy[across][of])
    cells[across[of[holds]]] = parts[holds]
    return cells
