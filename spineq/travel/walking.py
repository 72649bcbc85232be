"""Walking distances along streets, from every site to every demand point within reach."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq.errors import DataError, SpineqWarning, shortened, shown
from spineq.travel.network import Streets, account
from spineq.travel.snapping import FAR, Snapped, snap_to_streets
from spineq.travel.sources import read_streets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model.city import City

#: More pairs of a site and a point than this are refused: they would be gigabytes.
MOST_PAIRS = 200_000_000

#: Bytes of distances that are worked on at once.
_BLOCK = 64_000_000


def from_streets(
    city: City,
    streets: Any = None,
    limit: float = 1500.0,
    by: str = "point",
    *,
    crs: object = None,
    least_part: float = 0.0,
) -> pd.DataFrame:
    """Walking distances from the sites of a city along its streets.

    Sites and points go straight to the nearest place on any street (not only to a junction, for
    blocks of houses are long), and then along the streets: Dijkstra's algorithm (1959) as SciPy
    has it. The way to the street counts; of several equally near streets one is taken. A site
    and a point at the same place are 0 apart.
    One-way streets are walked in both directions. Streets are joined where they share a vertex
    or a node, not where they merely cross: a bridge leads over a street without meeting it.

    Parameters
    ----------
    city
        Where the sites and the points are.
    streets
        One of: the path of an OpenStreetMap extract (``.osm``, ``.osm.pbf``), of a GraphML file
        as osmnx writes it (needs networkx), or of a file of lines (GeoPackage, GeoJSON,
        shapefile, GeoParquet); a GeoDataFrame of lines; a networkx graph; two tables
        ``(nodes, edges)``: nodes with an id and ``x``, ``y`` or a point, edges with ``u`` and
        ``v`` and optionally a geometry or a ``length`` in metres; the name of a place, or None
        for the city's surroundings, both of which osmnx asks of OpenStreetMap's services (tried
        against a stand-in only).
    limit
        Longest walk that is listed, metres, above 0 to 100,000.
    by
        What the walks lead to: ``"point"``, every demand point, or ``"area"``, the point of
        every area. Where the city has demand points of its own, they differ.
    crs
        Coordinate reference system of streets that carry none; by default the city's.
    least_part
        Parts of the network that are not connected with the rest, and whose streets are less
        than this share of all, 0 to 1, are left out: nobody is brought to a path that leads
        nowhere. 0 keeps every part.

    Returns
    -------
    DataFrame
        ``site``, ``point`` or ``area`` (both categorical), ``cost`` in metres, sorted by site
        and point: for `City.with_travel`. Its ``attrs["streets"]`` say how large the network is,
        how far sites and points are from it, and how many of them reach nothing; its ``unit``
        and ``note`` tell the city so.

    Raises
    ------
    DataError
        One of its kinds: a parameter out of its range, streets that are none or lie elsewhere,
        not a single pair within the limit.
    MissingExtraError
        The source needs osmnx or networkx, which is not installed.

    Warns
    -----
    SpineqWarning
        Sites or points more than 100 m from any street, on streets that do not hang together
        with most others, or without anything in reach.
    """
    limit = _checked(limit, "limit", 100_000.0)
    least_part = _checked(least_part, "least_part", 1.0, zero=True)
    if by not in ("point", "area"):
        msg = f"walks lead to a point or to an area, not to {shown(by)}"
        raise DataError(msg, field="by", mend='Say by="point" or by="area"')
    held = city.dataset
    site_ids, target_ids = held["site"].to_numpy(), held[by].to_numpy()
    target_xy = city.point_xy
    if by == "area":
        target_xy = np.column_stack([held["x"].to_numpy(), held["y"].to_numpy()])
    site_xy = city.site_xy
    everywhere = np.concatenate([site_xy, target_xy])
    west, south = everywhere.min(axis=0) - limit
    east, north = everywhere.max(axis=0) + limit
    network = read_streets(streets, city.crs, (west, south, east, north), crs)
    said = dict(account(network))
    network = _without_small_parts(network, least_part)
    sites, targets = snap_to_streets(network, site_xy), snap_to_streets(network, target_xy)
    pairs, n_pairs = [], 0
    for block in walks(network, sites, targets, site_xy, target_xy, limit):
        pairs.append(block)
        n_pairs += len(block[2])
        if n_pairs > MOST_PAIRS:
            msg = f"there are more than {MOST_PAIRS:,} walks of at most {limit:g} m"
            raise DataError(msg, field="limit", mend="Give a smaller limit, or fewer sites")
    site, target, cost = (np.concatenate([block[k] for block in pairs]) for k in range(3))
    del pairs
    if len(cost) == 0:
        msg = f"no site reaches any {by} within {limit:g} m along the streets"
        raise DataError(msg, field="limit", mend="Give a larger limit, or check the streets' crs")
    order = np.lexsort((target, site))
    made = pd.DataFrame(
        {
            "site": pd.Categorical.from_codes(site[order], pd.Index(site_ids)),
            by: pd.Categorical.from_codes(target[order], pd.Index(target_ids)),
            "cost": cost[order],
        },
        copy=False,
    )
    n_sites, n_targets = len(site_ids), len(target_ids)
    idle = int((np.bincount(site, minlength=n_sites) == 0).sum())
    missed = int((np.bincount(target, minlength=n_targets) == 0).sum())
    largest = float(network.parts[0] / network.parts.sum())
    scattered = largest < 0.5 and float((sites.part > 0).mean()) > 0.5
    if scattered:
        msg = (
            f"{(sites.part > 0).sum():,} of {n_sites:,} sites are on streets that are not "
            f"connected with the longest of {len(network.parts):,} parts. Lines that merely cross "
            "share no vertex, and nobody turns from one into the other there: where they do meet, "
            "split them first (node them, for example with shapely.node)."
        )
        warnings.warn(msg, SpineqWarning, stacklevel=2)
    said |= {
        "snapped_to": "the nearest place on any street",
        "limit": limit,
        "unit": "m",
        "pairs": len(cost),
        "sites": _told(sites, idle, site_ids, "site", scattered),
        f"{by}s": _told(targets, missed, target_ids, by, scattered),
    }
    made.attrs |= {"streets": said, "unit": "m", "note": _in_words(said, by)}
    return made


def _in_words(said: Mapping[str, Any], by: str) -> str:
    """Say in the city's note, and so in its reports, what the distances are."""
    places = " and ".join(
        f"{kind} {said[kind]['median_snap']:,.0f} m (at most {said[kind]['largest_snap']:,.0f} m)"
        for kind in ("sites", f"{by}s")
    )
    alone = said[f"{by}s"]["reach_nothing"]
    return (
        f"Distances are walks of at most {said['limit']:,g} m along {said['kilometres']:,.0f} km "
        f"of streets, with the way to the nearest street: in the median, {places}."
        + (f" {alone:,} {by}s reach no site." if alone else "")
    )


def _checked(value: object, field: str, most: float, *, zero: bool = False) -> float:
    right = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    number = float(value) if right else math.nan  # type: ignore[arg-type]
    if not (0 <= number <= most if zero else 0 < number <= most):
        words = f"0 to {most:g}" if zero else f"above 0 and at most {most:,.0f} (metres)"
        msg = f"{field} must be {words}, not {shown(value)}"
        raise DataError(msg, field=field, mend="Correct it")
    return number


def _without_small_parts(streets: Streets, least: float) -> Streets:
    """Leave out what is not connected, and less than a share of all streets."""
    large = streets.parts >= least * streets.parts.sum()
    if least == 0 or large.all():
        return streets
    if not large.any():
        msg = f"no part of the streets is {least:g} of all that there are"
        mend = f"Say at most {streets.parts[0] / streets.parts.sum():.3f}"
        raise DataError(msg, field="least_part", mend=mend)
    return streets.kept(large[streets.part[streets.ends[:, 0]]])


def _told(
    places: Snapped, alone: int, ids: NDArray[np.object_], what: str, scattered: bool
) -> dict[str, float | int]:
    """Count what a person should know of sites or points, and warn of what is bad.

    Where most streets are ``scattered``, another warning says so.
    """
    far, apart = places.distance > FAR, places.part > 0
    n = len(ids)
    if far.any():
        farthest = int(places.distance.argmax())
        msg = (
            f"{far.sum():,} of {n:,} {what}s are more than {FAR:g} m from any street, the farthest "
            f"{shortened(str(ids[farthest]))} by {places.distance[farthest]:,.0f} m, which its "
            "walks count. Check that the streets cover the city."
        )
        warnings.warn(msg, SpineqWarning, stacklevel=3)
    if apart.any() and not scattered:
        first = int(apart.argmax())
        msg = (
            f"{apart.sum():,} of {n:,} {what}s are on streets that are not connected with most "
            f"others, {shortened(str(ids[first]))} for example. Where these are mere fragments, "
            "say least_part=0.01."
        )
        warnings.warn(msg, SpineqWarning, stacklevel=3)
    if alone and not scattered:
        msg = f"{alone:,} of {n:,} {what}s have nothing within reach along the streets."
        warnings.warn(msg, SpineqWarning, stacklevel=3)
    return {
        "median_snap": round(float(np.median(places.distance)), 3),
        "largest_snap": round(float(places.distance.max()), 3),
        "far": int(far.sum()),
        "not_on_largest_part": int(apart.sum()),
        "reach_nothing": int(alone),
    }


def walks(
    streets: Streets,
    sites: Snapped,
    targets: Snapped,
    site_xy: NDArray[np.float64],
    target_xy: NDArray[np.float64],
    limit: float,
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]]:
    """Walks of at most a limit, in blocks: positions of site and target, metres.

    The search begins at whichever there are fewer of, for an undirected walk is as long both
    ways.

    Parameters
    ----------
    streets
        The network.
    sites, targets
        Where both meet it.
    site_xy, target_xy
        Where both are, (site, 2) and (target, 2): at the same place a walk is 0.
    limit
        Longest walk, metres.
    """
    from scipy.sparse.csgraph import dijkstra

    graph, node_xy, node = _with_places(streets, [sites, targets])
    flip = len(targets.edge) < len(sites.edge)
    few, many = (targets, sites) if flip else (sites, targets)
    from_node, to_node = (node[1], node[0]) if flip else (node[0], node[1])
    _, place = np.unique(np.concatenate([site_xy, target_xy]), axis=0, return_inverse=True)
    site_place, target_place = place[: len(site_xy)], place[len(site_xy) :]
    from_place, to_place = (target_place, site_place) if flip else (site_place, target_place)
    for neighbours in _neighbourhoods(node_xy[from_node], limit):
        # Nobody gets farther than the limit, and what lies beyond need not be looked at.
        own = node_xy[from_node[neighbours]]
        low, high = own.min(axis=0) - limit - 1.0, own.max(axis=0) + limit + 1.0
        inside = ((node_xy >= low) & (node_xy <= high)).all(axis=1)
        near = np.flatnonzero(inside)
        number = np.cumsum(inside) - 1
        part = graph[near][:, near]
        others = np.flatnonzero(inside[to_node])
        # Those at one place on a street are searched from once.
        order = neighbours[np.argsort(from_node[neighbours], kind="stable")]
        step = max(1, _BLOCK // (8 * (len(near) + len(others) + 1)))
        for first in range(0, len(order), step):
            rows = order[first : first + step]
            starts, row = np.unique(number[from_node[rows]], return_inverse=True)
            found = dijkstra(part, directed=False, indices=starts, limit=limit)
            cost = found[:, number[to_node[others]]][row]
            cost += few.distance[rows, None]
            cost += many.distance[None, others]
            cost[from_place[rows, None] == to_place[None, others]] = 0.0
            a, b = np.nonzero(cost <= limit)
            one, other = rows[a].astype(np.int32), others[b].astype(np.int32)
            yield (other, one, cost[a, b]) if flip else (one, other, cost[a, b])


def _neighbourhoods(xy: NDArray[np.float64], side: float) -> Iterator[NDArray[np.int64]]:
    """Positions of the places, (place, 2), in each square of a grid that has any."""
    # Of 1,000 squares at most: taking a part of a network takes time too.
    side = max(side, float(np.ptp(xy, axis=0).max()) / 30.0)
    square = np.floor(xy / side).astype(np.int64)
    order = np.lexsort((square[:, 1], square[:, 0]))
    change = np.flatnonzero((np.diff(square[order], axis=0) != 0).any(axis=1)) + 1
    yield from np.split(order, change)


def _with_places(
    streets: Streets, places: list[Snapped]
) -> tuple[Any, NDArray[np.float64], list[NDArray[np.int64]]]:
    """Put places into the network as nodes of its edges.

    Returns
    -------
    graph
        (node, node) sparse, each edge once.
    xy
        Where the nodes are, (node, 2), metres.
    nodes
        For each of the sets of places the node of each, (place,).
    """
    from scipy.sparse import csr_array

    n = streets.n_nodes
    edge = np.concatenate([held.edge for held in places])
    share = np.concatenate([held.share for held in places])
    node = np.where(share <= 0.0, streets.ends[edge, 0], streets.ends[edge, 1])
    inner = np.flatnonzero((share > 0.0) & (share < 1.0))
    order = inner[np.lexsort((share[inner], edge[inner]))]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(edge[order]) != 0) | (np.diff(share[order]) != 0)
    number = np.cumsum(fresh) - 1
    node[order] = n + number
    inner_first = order[fresh]
    on, at = edge[inner_first], share[inner_first]
    # Every edge is a chain: its first end, the places on it, its second end.
    edges = np.arange(streets.n_edges)
    chain = np.concatenate([edges, on, edges])
    position = np.concatenate([np.zeros(len(edges)), at, np.ones(len(edges))])
    named = np.concatenate([streets.ends[:, 0], n + np.arange(len(on)), streets.ends[:, 1]])
    kind = np.repeat([0, 1, 2], [len(edges), len(on), len(edges)])
    order = np.lexsort((position, kind, chain))
    chain, position, named = chain[order], position[order], named[order]
    same = chain[1:] == chain[:-1]
    tail, head = named[:-1][same], named[1:][same]
    length = (np.diff(position)[same]) * streets.length[chain[1:][same]]
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    # Of streets between the same two nodes the shortest; SciPy would add them up.
    order = np.lexsort((length, high, low))
    low, high, length = low[order], high[order], length[order]
    first = np.ones(len(low), dtype=bool)
    first[1:] = (np.diff(low) != 0) | (np.diff(high) != 0)
    first &= low != high
    size = n + len(on)
    graph = csr_array((length[first], (low[first], high[first])), shape=(size, size))
    there = np.concatenate([held.xy for held in places])
    xy = np.concatenate([streets.xy, there[inner_first]])
    splits = np.cumsum([len(held.edge) for held in places])[:-1]
    return graph, xy, np.split(node, splits)
