"""Cities whose areas have as many corners as real ones: every edge is bent, neighbours alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

import spineq as sq

if TYPE_CHECKING:
    from numpy.typing import NDArray


def bent_city(n_areas: int, *, halvings: int = 4) -> sq.City:
    """Make a synthetic city; an edge becomes ``2**halvings`` edges."""
    city = sq.demo_city("synthetic", n_areas=n_areas)
    polygons = city.polygons
    assert polygons is not None
    shapes = bent(polygons.geometry.to_numpy(), halvings)
    table = city.to_frame().drop(columns="geometry")
    return sq.City.from_frame(gpd.GeoDataFrame(table, geometry=shapes, crs=city.crs))


def bent(polygons: NDArray[np.object_], halvings: int) -> NDArray[np.object_]:
    """Move the middles of edges to a side that depends on where they are; holes are left out."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(shapely.get_exterior_ring(parts), return_index=True)
    edge = ring[1:] == ring[:-1]
    start, end = xy[:-1][edge], xy[1:][edge]
    # Both neighbours bend an edge in one direction.
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    line = np.stack([start, end], axis=1)
    line[turned] = line[turned, ::-1]
    for _ in range(halvings):
        middle, along = (line[:, :-1] + line[:, 1:]) / 2, np.diff(line, axis=1)
        chance = np.modf(np.sin(middle @ [12.9898, 78.233]) * 43758.5453)[0]
        aside = chance[..., None] * np.stack([-along[..., 1], along[..., 0]], axis=-1)
        finer = np.empty((len(line), 2 * line.shape[1] - 1, 2))
        finer[:, ::2], finer[:, 1::2] = line, np.round(middle + 0.04 * aside, 2)
        line = finer
    line[turned] = line[turned, ::-1]
    corners = line[:, :-1]
    made = shapely.linearrings(
        corners.reshape(-1, 2), indices=np.repeat(ring[:-1][edge], corners.shape[1])
    )
    found: NDArray[np.object_] = shapely.multipolygons(shapely.polygons(made), indices=owner)
    return found
