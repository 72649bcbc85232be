"""Street networks from what people have: graphs, frames, GraphML, extracts, files of lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spineq import _osm
from spineq._osm_services import asked_streets
from spineq.data._tables import existing_path, located, read_table
from spineq.errors import (
    GeographicCRSError,
    MissingColumnError,
    MissingExtraError,
    NegativeValueError,
    NotANumberError,
    UnknownCRSError,
    UnknownIdError,
    UnreadableFileError,
    shortened,
    shown,
)
from spineq.model._checks import (
    as_floats,
    crs_of,
    distinct_texts,
    geometry_of,
    identifiers,
    known_crs,
    look_like_degrees,
    numbers,
    row_name,
)
from spineq.model.groups import MOST
from spineq.travel.network import Streets, from_lines, join, need_finite, need_streets

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

#: Names of the columns of an edge's ends, and of a node's id, as tools write them.
_ENDS = (("u", "v"), ("from", "to"), ("source", "target"), ("from_id", "to_id"), ("start", "end"))
_NODE_IDS = ("osmid", "node_id", "node", "id")

_MEND = (
    "Give nodes and edges as two tables, a networkx graph, lines, or the path of an extract "
    "(.osm, .osm.pbf), a GraphML file or a file of lines"
)


def read_streets(
    source: Any,
    crs: pyproj.CRS,
    bounds: tuple[float, float, float, float],
    given: object = None,
) -> Streets:
    """Make a street network of whatever holds one.

    Parameters
    ----------
    source
        Nodes and edges as two tables; a networkx graph; a GeoDataFrame of lines; the path of a
        GraphML file, of an OpenStreetMap extract or of a file of lines; the name of a place;
        None for what OpenStreetMap has within the bounds.
    crs
        Coordinate reference system of the answer and of the bounds, in metres.
    bounds
        West, south, east, north; of what lies outside nothing is needed.
    given
        Coordinate reference system of a source that carries none; None for ``crs``.

    Raises
    ------
    DataError
        One of its kinds, where the source is no network.
    MissingExtraError
        It needs networkx or osmnx, which is not installed.
    """
    if isinstance(source, Streets):
        if source.crs != crs:
            theirs, ours = (shortened(system.to_string()) for system in (source.crs, crs))
            msg = f"the streets are in {theirs}, and the places to be joined to them in {ours}"
            mend = "Read the streets for this city, or bring the places into their system"
            raise UnknownCRSError(msg, field="crs", mend=mend)
        return source.within(bounds)
    if source is None:
        return _of_graph(asked_streets(None, bounds, crs), crs, given).within(bounds)
    if isinstance(source, (str, Path)):
        return _of_path(source, crs, bounds, given).within(bounds)
    if isinstance(source, pd.DataFrame):
        return _of_lines(source, crs, given, None).within(bounds)
    if isinstance(source, Sequence) and len(source) == 2:
        return _of_frames(source[0], source[1], crs, given, None).within(bounds)
    if all(hasattr(source, name) for name in ("nodes", "edges", "graph")):
        return _of_graph(source, crs, given).within(bounds)
    msg = f"{shown(source)} is no street network"
    raise UnreadableFileError(msg, mend=_MEND)


def _of_path(
    source: str | Path,
    crs: pyproj.CRS,
    bounds: tuple[float, float, float, float],
    given: object,
) -> Streets:
    if not _osm.is_file(source):
        return _of_graph(asked_streets(str(source), None, crs), crs, given)
    path = _osm.unpacked(existing_path(source))
    if _osm.is_extract(path):
        ways = _osm.streets(path, crs, bounds)
        return from_lines(_lines_of(ways, path), crs, path)
    if path.suffix.lower() == ".graphml":
        return _of_graph(_graphml(path), crs, given, path)
    if path.suffix.lower() == ".csv":
        msg = "a CSV file holds no lines"
        raise UnreadableFileError(msg, file=path, mend=_MEND)
    # Of a GeoPackage with several layers, such as osmnx writes, the one of the edges.
    return _of_lines(read_table(path, "edges"), crs, given, path)


def _graphml(path: Path) -> Any:
    try:
        import networkx
    except ImportError as error:
        msg = "GraphML files are read with networkx, which is not installed"
        raise MissingExtraError(msg, mend='Install it: pip install "spineq[osm]"') from error
    try:
        return networkx.read_graphml(path)
    except Exception as error:  # XML's errors, and networkx's own
        first = shortened((str(error).strip().splitlines() or [""])[0].rstrip("."), 200)
        msg = f"the file cannot be read as GraphML ({first or type(error).__name__})"
        raise UnreadableFileError(
            msg, file=path, mend="Write it with osmnx.save_graphml"
        ) from error


def _of_lines(frame: pd.DataFrame, crs: pyproj.CRS, given: object, file: Any) -> Streets:
    geometry = geometry_of(frame)
    if geometry is None:
        msg = "the table of streets has no geometry"
        raise UnreadableFileError(msg, file=file, mend=_MEND)
    carried = geometry.crs if given is None else None
    whole = located(frame, carried or given or crs, file).to_crs(crs)
    return from_lines(_lines_of(whole, file), crs, file)


def _lines_of(frame: Any, file: object) -> NDArray[np.object_]:
    """Lines of a table, (line,), those of several pieces in pieces, without heights."""
    import shapely

    shapes = frame.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    pieces, row = shapely.get_parts(shapes[there], return_index=True)
    kinds = shapely.get_type_id(pieces)
    # LineString and LinearRing.
    bad = np.flatnonzero((kinds != 1) & (kinds != 2))
    if len(bad):
        number = int(np.flatnonzero(there)[row[bad[0]]])
        msg = f"a {pieces[bad[0]].geom_type} stands where a line must"
        raise UnreadableFileError(
            msg, file=file, row=row_name(number), field="geometry", mend="Give lines alone"
        )
    made: NDArray[np.object_] = shapely.force_2d(pieces)
    return made


def _of_graph(graph: Any, crs: pyproj.CRS, given: object, file: object = None) -> Streets:
    """Take a graph of networkx apart, as osmnx, momepy and others make them."""
    rows = []
    for name, held in graph.nodes(data=True):
        x, y = held.get("x", held.get("lon")), held.get("y", held.get("lat"))
        pair = held.get("pos", name)
        if x is None and isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2:
            x, y = pair  # the node is named by its place
        rows.append((str(name), x, y))
    nodes = pd.DataFrame(rows, columns=["node", "x", "y"])
    edges = pd.DataFrame(
        [
            (str(tail), str(head), held.get("length"), held.get("geometry"))
            for tail, head, held in graph.edges(data=True)
        ],
        columns=["u", "v", "length", "geometry"],
    )
    if edges["length"].isna().all():
        edges = edges.drop(columns="length")
    carried = graph.graph.get("crs")
    carried = None if carried is None or carried == "" else known_crs(carried, file)
    # Both, for it is an error where they contradict each other, as for lines.
    theirs = known_crs(given, file, carried) if given is not None else carried
    return _of_frames(nodes, edges, crs, theirs, file)


def _of_frames(nodes: Any, edges: Any, crs: pyproj.CRS, given: object, file: object) -> Streets:
    """Join nodes and edges: ends by id, courses by geometry or else straight."""
    import geopandas as gpd
    import shapely

    for table in (nodes, edges):
        if not isinstance(table, pd.DataFrame):
            msg = f"tables of nodes and edges are needed, not {shown(table)}"
            raise UnreadableFileError(msg, file=file, mend=_MEND)
    if len(nodes) == 0 or len(edges) == 0:
        need_streets(0, file)
    ids, nodes = _named_nodes(nodes, file)
    carried = crs_of(nodes) if crs_of(nodes) is not None else crs_of(edges)
    theirs = known_crs(given, file, carried) if given is not None or carried is not None else None
    xy = _node_places(nodes, ids, file)
    if theirs is None:
        if look_like_degrees(xy):
            msg = "the nodes look like degrees, and no coordinate reference system is given"
            mend = "If they are longitude and latitude, give crs='EPSG:4326' here"
            raise GeographicCRSError(msg, file=file, field="crs", mend=mend)
        theirs = crs
    moved = gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=theirs).to_crs(crs)
    xy = shapely.get_coordinates(moved.to_numpy())
    if not (np.abs(xy) <= MOST).all():
        bad = int(np.flatnonzero(~(np.abs(xy) <= MOST).all(axis=1))[0])
        msg = f"the node has no coordinates in {shortened(crs.to_string())}"
        mend = "Check its x and y, and the coordinate reference system of the nodes (crs)"
        raise NotANumberError(msg, file=file, row=row_name(bad, ids), field="x, y", mend=mend)
    ends = _ends(edges, ids, file)
    straight = shapely.linestrings(xy[ends].reshape(-1, 2, 2))
    lines, drawn = np.array(straight, dtype=object), np.zeros(len(edges), dtype=bool)
    if "geometry" in edges.columns:
        shapes = _shapes(edges["geometry"], file)
        drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        lines[drawn] = gpd.GeoSeries(shapes[drawn], crs=theirs).to_crs(crs).to_numpy()
        need_finite(lines, file)
        lines = _fastened(shapely.force_2d(lines), xy[ends])
    length = shapely.length(lines)
    if "length" in edges.columns and not drawn.all():
        said = as_floats(edges["length"])
        told = edges["length"].notna().to_numpy()
        wrong = np.flatnonzero(~drawn & told & ~((said >= 0) & (said <= MOST)))
        if len(wrong):
            row = int(wrong[0])
            kind = NegativeValueError if said[row] < 0 else NotANumberError
            msg = f"an edge's length is {shown(edges['length'].iloc[row])}"
            mend = "Give metres, 0 or more, or nothing for a straight line"
            raise kind(msg, file=file, row=row_name(row), field="length", mend=mend)
        # No street is shorter than the straight line between its ends.
        length = np.where(drawn | np.isnan(said), length, np.maximum(said, length))
    return join(xy, ends, lines, length, crs, file)


def _named_nodes(nodes: pd.DataFrame, file: object) -> tuple[NDArray[np.object_], pd.DataFrame]:
    """Ids of the nodes, (node,), from a column, else from the index."""
    nodes = nodes.rename(columns=str)
    column = next((name for name in _NODE_IDS if name in nodes.columns), None)
    values = nodes.index.to_series(name="node") if column is None else nodes[column]
    return identifiers(values.reset_index(drop=True), str(values.name), file), nodes


def _node_places(
    nodes: pd.DataFrame, ids: NDArray[np.object_], file: object
) -> NDArray[np.float64]:
    geometry = geometry_of(nodes)
    if geometry is not None and (geometry.geom_type == "Point").all():
        nodes = pd.DataFrame({"x": geometry.x, "y": geometry.y})
    missing = [name for name in ("x", "y") if name not in nodes.columns]
    if missing:
        msg = "the nodes have no places"
        raise MissingColumnError(
            msg, file=file, field=missing[0], mend="Give each node x and y, or a point"
        )
    mend = "Write the coordinate as a number"
    return np.column_stack(
        [numbers(nodes[name], ids, name, file, least=None, mend=mend) for name in ("x", "y")]
    )


def _ends(edges: pd.DataFrame, ids: NDArray[np.object_], file: object) -> NDArray[np.int64]:
    """Positions of the nodes at both ends of each edge, (edge, 2)."""
    edges = edges.rename(columns=str)
    if any(name is not None for name in edges.index.names):
        edges = edges.reset_index()  # osmnx names edges by u, v and key
    pair = next((pair for pair in _ENDS if set(pair) <= set(edges.columns)), None)
    if pair is None:
        there = ", ".join(shortened(name) for name in edges.columns[:12]) or "none"
        msg = "the edges do not say which nodes they join"
        raise MissingColumnError(
            msg, file=file, field="u, v", mend=f"Call the columns u and v; there are {there}"
        )
    made = np.empty((len(edges), 2), dtype=np.int64)
    for k, name in enumerate(pair):
        named, codes = distinct_texts(edges[name], file)
        found = pd.Index(ids, dtype=object).get_indexer(pd.Index(named, dtype=object))[codes]
        bad = np.flatnonzero(found < 0)
        if len(bad):
            msg = f"there is no node {shown(named[codes[bad[0]]])}"
            raise UnknownIdError(
                msg, file=file, row=row_name(bad[0]), field=name, mend="Add it, or drop the edge"
            )
        made[:, k] = found
    return made


def _shapes(values: Iterable[Any], file: object) -> NDArray[np.object_]:
    """Courses of edges, (edge,), None where there is none; text is read as WKT."""
    import shapely

    held = list(values)
    made = np.empty(len(held), dtype=object)
    for row, value in enumerate(held):
        if isinstance(value, str):
            try:
                value = shapely.from_wkt(value)
            except shapely.GEOSException as error:
                msg = f"{shown(value)} is no line"
                raise UnreadableFileError(
                    msg, file=file, row=row_name(row), field="geometry", mend="Write WKT"
                ) from error
        if isinstance(value, shapely.Geometry):
            if not isinstance(value, shapely.LineString):
                msg = f"a {type(value).__name__} stands where a line must"
                raise UnreadableFileError(
                    msg, file=file, row=row_name(row), field="geometry", mend="Give LineStrings"
                )
            made[row] = value
    return made


def _fastened(lines: NDArray[np.object_], ends: NDArray[np.float64]) -> NDArray[np.object_]:
    """Let each course lead from its edge's first end to its second; ``ends`` are (edge, 2, 2)."""
    import shapely

    begin, finish = (shapely.get_coordinates(shapely.get_point(lines, k)) for k in (0, -1))
    first, second = (np.hypot(*(begin - ends[:, k]).T) for k in (0, 1))
    lines[second < first] = shapely.reverse(lines[second < first])
    begin, finish = (shapely.get_coordinates(shapely.get_point(lines, k)) for k in (0, -1))
    # No gap between a course and its nodes could be walked for nothing.
    for edge in np.flatnonzero(
        (begin != ends[:, 0]).any(axis=1) | (finish != ends[:, 1]).any(axis=1)
    ):
        between = shapely.get_coordinates(lines[edge])
        lines[edge] = shapely.linestrings(np.vstack([ends[edge, :1], between, ends[edge, 1:]]))
    return lines
