"""A made town: streets every 100 m, a river from west to east, and one bridge at its east end."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from spineq.model.city import City

CRS = "EPSG:27700"
ORIGIN = np.array([420_000.0, 560_000.0])

#: The river flows between these streets, and is crossed at this x alone.
SOUTH, NORTH, BRIDGE = 400.0, 500.0, 1000.0


def river_lines(bridge: bool = True, step: float = 100.0) -> gpd.GeoDataFrame:
    """Streets from x 0 to 1000 and y 0 to 900, each one line with a vertex at every crossing."""
    across, along = np.arange(0, 1001, step), np.arange(0, 901, step)
    made = [np.column_stack([across, np.full(len(across), y)]) for y in along]
    for x in across:
        whole = np.column_stack([np.full(len(along), x), along])
        if bridge and x == BRIDGE:
            made.append(whole)
        else:
            made += [whole[along <= SOUTH], whole[along >= NORTH]]
    lines = [shapely.LineString(line + ORIGIN) for line in made]
    return gpd.GeoDataFrame(geometry=lines, crs=CRS)


def river_tables(bridge: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same streets as nodes and edges, each edge in both directions as osmnx has it."""
    places = [(x, y) for x in range(0, 1001, 100) for y in range(0, 901, 100)]
    names = {place: f"{place[0]}/{place[1]}" for place in places}
    nodes = pd.DataFrame(
        [(names[place], *(ORIGIN + place)) for place in places], columns=["osmid", "x", "y"]
    )
    edges = []
    for x, y in places:
        for other in ((x + 100, y), (x, y + 100)):
            wet = y == SOUTH and other[1] == NORTH and not (bridge and x == BRIDGE)
            if other in names and not wet:
                edges += [(names[x, y], names[other]), (names[other], names[x, y])]
    return nodes, pd.DataFrame(edges, columns=["u", "v"])


def walk(a: Any, b: Any) -> float:
    """Hand-made formula: the walk between two places on the streets, at crossings, metres."""
    (x1, y1), (x2, y2) = a, b
    if (y1 <= SOUTH) == (y2 <= SOUTH):
        return abs(x1 - x2) + abs(y1 - y2)
    return abs(BRIDGE - x1) + abs(BRIDGE - x2) + abs(y1 - y2)


def town(areas: dict[str, tuple[float, float]], people: list[float] | None = None) -> City:
    """A city with areas at places of the town."""
    xy = np.array(list(areas.values())) + ORIGIN
    table = pd.DataFrame({"area_id": list(areas), "x": xy[:, 0], "y": xy[:, 1]})
    table["population"] = people if people is not None else 100.0
    return City.from_frame(table, crs=CRS, name="Rivertown")


def sites_at(places: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """A table of sites at places of the town."""
    xy = np.array(list(places.values())) + ORIGIN
    return pd.DataFrame({"site_id": list(places), "x": xy[:, 0], "y": xy[:, 1]})
