"""How areas come to the what-if page: small outlines for display, and arrays as text."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._outlines import MOST_CORNERS, outlines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City

#: Steps of the display's grid on the longer side of the city: a quarter of a pixel at most,
#: still when a wide screen's map is magnified eight times.
GRID = 40_000

# Decimals that a number is looked at for: tables of coordinates and minutes seldom have more.
_SCALES = (1, 10, 100, 1000)


def packed(values: NDArray[Any]) -> dict[str, Any]:
    """Write numbers as text, each in as few bytes as hold it exactly.

    Parameters
    ----------
    values
        Any shape, finite; written in C order.

    Returns
    -------
    dict
        ``kind`` (NumPy's name of the little-endian type), ``scale`` and ``data`` (base64): a
        value is the number in ``data`` divided by the scale, in float64 and bit for bit.
    """
    flat = np.ravel(values).astype(np.float64)
    for scale in _SCALES:
        whole = np.rint(flat * scale)
        if np.array_equal(whole / scale, flat) and (whole >= 0).all():
            most = float(whole.max(initial=0.0))
            kinds = [kind for kind in ("u1", "u2", "u4") if most <= np.iinfo(kind).max]
            if kinds:
                return _as_text(whole, kinds[0], scale)
    return _as_text(flat, "f8", 1)


def _as_text(values: NDArray[np.float64], kind: str, scale: int) -> dict[str, Any]:
    data = base64.b64encode(values.astype(f"<{kind}").tobytes()).decode()
    return {"kind": kind, "scale": scale, "data": data}


def shapes(city: City, sensors: NDArray[np.float64]) -> dict[str, Any]:
    """Describe where the areas are drawn.

    Parameters
    ----------
    city
        The city; without polygons its areas are drawn as dots at their points.
    sensors
        Places that must be on the map too, (sensor, 2), metres.

    Returns
    -------
    dict
        ``west``, ``north`` and ``step`` (metres): a place on the grid is ``west + x step,
        north - y step``; ``width`` and ``height`` (metres); ``x`` and ``y`` (packed, on the
        grid); for polygons ``rings``, how many each area has (area,), and ``corners``, how many
        each ring has (ring,). Neighbours are simplified alike, so that no gap opens between
        them; figures never use outlines.
    """
    outlines = _outlines(city)
    data = city.dataset
    xy = np.column_stack([data["x"].to_numpy(), data["y"].to_numpy()])
    made: dict[str, Any] = {}
    around = [xy, city.site_xy, sensors]
    if outlines is not None:
        xy, made = outlines
        around.append(xy)
    everything = np.concatenate(around)
    (west, south), (east, north) = everything.min(axis=0), everything.max(axis=0)
    # One area is a dot: its map is as wide as a village.
    step = max(float(max(east - west, north - south)), 100.0) / GRID
    made |= {"west": float(west), "north": float(north), "step": step}
    made |= {"width": float(east - west), "height": float(north - south)}
    return made | {
        "x": packed(np.rint((xy[:, 0] - west) / step)),
        "y": packed(np.rint((north - xy[:, 1]) / step)),
    }


def _outlines(city: City) -> tuple[NDArray[np.float64], dict[str, Any]] | None:
    """Corners of the simplified polygons, (corner, 2) metres, and how they belong together."""
    import shapely

    polygons = outlines(city, 4000, most_corners=MOST_CORNERS)
    if polygons is None:
        return None
    parts, area = shapely.get_parts(polygons, return_index=True)
    ring_of, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(ring_of, return_index=True)
    # A ring ends where it began: its last corner need not be said.
    last = np.append(ring[1:] != ring[:-1], True) if len(ring) else np.empty(0, dtype=bool)
    rings = np.bincount(area[part], minlength=city.n_areas)
    corners = np.bincount(ring[~last], minlength=len(ring_of))
    return xy[~last], {"rings": packed(rings), "corners": packed(corners)}
