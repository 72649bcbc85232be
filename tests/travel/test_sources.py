"""Street networks from graphs, tables, GraphML, extracts and files of lines: all the same walks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from osm_extracts import extracts
from streets import CRS, ORIGIN, river_lines, river_tables, town, walk

from spineq.errors import (
    DataError,
    GeographicCRSError,
    MissingColumnError,
    MissingExtraError,
    MissingFileError,
    SpineqWarning,
    UnknownCRSError,
    UnknownIdError,
    UnreadableFileError,
)
from spineq.model.city import City
from spineq.travel import from_streets

PLACES = {"sw": (0.0, 0.0), "bank": (0.0, 400.0), "over": (0.0, 500.0), "ne": (1000.0, 900.0)}


def is_by_hand(streets: Any, **more: Any) -> None:
    made = from_streets(town(PLACES), streets, limit=9000, **more)
    assert len(made) == len(PLACES) ** 2
    for site, point, cost in made.itertuples(index=False):
        assert cost == pytest.approx(walk(PLACES[site], PLACES[point]), abs=0.01)


class Graph:
    """What is used of a networkx graph, without networkx."""

    def __init__(self, nodes: Any, edges: Any, **graph: Any) -> None:
        self._nodes, self._edges, self.graph = nodes, edges, graph

    def nodes(self, data: bool) -> Any:
        return self._nodes

    def edges(self, data: bool) -> Any:
        return self._edges


def graph_of(crs: Any = CRS, **edge: Any) -> Graph:
    nodes, edges = river_tables()
    places = gpd.GeoSeries(gpd.points_from_xy(nodes["x"], nodes["y"]), crs=CRS).to_crs(crs)
    return Graph(
        [(n, {"x": p.x, "y": p.y}) for n, p in zip(nodes["osmid"], places, strict=True)],
        [(u, v, dict(edge)) for u, v in zip(edges["u"], edges["v"], strict=True)],
        crs=crs,
    )


def test_a_graph_as_networkx_has_it() -> None:
    """Nodes with x and y; in the city's system, in degrees, with lengths of the edges."""
    is_by_hand(graph_of())
    is_by_hand(graph_of("EPSG:4326"))
    is_by_hand(graph_of(length=100.0))


def test_a_system_that_contradicts_the_graphs_own() -> None:
    """As for lines: it is an error, and not the one or the other."""
    is_by_hand(graph_of("EPSG:4326"), crs="EPSG:4326")
    for streets in (graph_of("EPSG:32630"), river_lines().to_crs("EPSG:32630")):
        with pytest.raises(UnknownCRSError, match="the table itself says EPSG:32630"):
            from_streets(town(PLACES), streets, crs=CRS)


def test_nodes_that_are_named_by_their_places() -> None:
    """As momepy and networkx make them from lines."""
    nodes, edges = river_tables()
    at = {n: (x, y) for n, x, y in nodes.itertuples(index=False)}
    is_by_hand(
        Graph([(p, {}) for p in at.values()], [(at[u], at[v], {}) for u, v in edges.to_numpy()])
    )


def test_a_length_that_is_given_counts_and_one_too_short_does_not() -> None:
    """A longer way is believed; no street is shorter than the straight line between its ends."""
    nodes = pd.DataFrame(
        {"id": [1, 2, 3], "x": ORIGIN[0] + np.array([0, 100, 200]), "y": ORIGIN[1]}
    )
    edges = pd.DataFrame({"from": [1, 2], "to": [2, 3], "length": [150.0, 20.0]})
    city = town({"a": (0, 0), "b": (100, 0), "c": (200, 0), "half": (50, 0)})
    made = from_streets(city, (nodes, edges)).set_index(["site", "point"])["cost"]
    assert made["a", "b"] == pytest.approx(150)
    assert made["b", "c"] == pytest.approx(100)
    assert made["a", "half"] == pytest.approx(75)


def test_courses_of_edges_count() -> None:
    """An edge with a course is as long as it, whichever way it runs; a gap at its end is walked."""
    nodes = pd.DataFrame({"id": ["1", "2"], "x": ORIGIN[0] + np.array([0, 100]), "y": ORIGIN[1]})
    bent = np.array([[0, 0], [0, 50], [100, 50], [100, 10]]) + ORIGIN
    for course in (shapely.LineString(bent), shapely.LineString(bent[::-1]).wkt):
        edges = pd.DataFrame({"u": [1], "v": [2], "geometry": [course]})
        made = from_streets(town({"a": (0, 0), "b": (100, 0)}), (nodes, edges))
        assert made["cost"].max() == pytest.approx(200)


def test_streets_between_the_same_nodes_count_as_the_shortest() -> None:
    """Two ways round a square, and a loop: each is there, and the shorter one is walked."""
    lines = [[(0, 0), (100, 0)], [(0, 0), (0, 80), (100, 80), (100, 0)],
             [(100, 0), (150, 50), (150, -50), (100, 0)]]  # fmt: skip
    streets = gpd.GeoDataFrame(
        geometry=[shapely.LineString(np.array(line) + ORIGIN) for line in lines], crs=CRS
    )
    city = town({"a": (0, 0), "b": (100, 0), "up": (50, 80), "loop": (150, 0)})
    made = from_streets(city, streets).set_index(["site", "point"])["cost"]
    assert made["a", "b"] == pytest.approx(100)
    assert made["a", "up"] == pytest.approx(130)
    assert made["a", "loop"] == pytest.approx(100 + np.hypot(50, 50) + 50)


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".shp", ".parquet"])
def test_files_of_lines(tmp_path: Path, ending: str) -> None:
    """In the city's system or another; of several pieces; with heights."""
    whole = river_lines()
    frame = gpd.GeoDataFrame(
        geometry=[shapely.MultiLineString(list(whole.geometry[:3])), *whole.geometry[3:]], crs=CRS
    )
    frame.geometry = shapely.force_3d(frame.geometry.to_numpy(), 7.0)
    if ending == ".geojson":
        frame = frame.to_crs("EPSG:4326")
    path = tmp_path / f"streets{ending}"
    if ending == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    is_by_hand(str(path))


def test_a_geopackage_as_osmnx_writes_it(tmp_path: Path) -> None:
    """Of the layers nodes and edges the edges are read."""
    path = tmp_path / "graph.gpkg"
    river_lines().to_file(path, layer="edges")
    gpd.GeoDataFrame(geometry=[shapely.Point(ORIGIN)], crs=CRS).to_file(path, layer="nodes")
    is_by_hand(path)


def test_graphml(tmp_path: Path, needs: Callable[[str], ModuleType]) -> None:
    """As osmnx writes it: everything text, courses as WKT, the system named in the graph."""
    networkx = needs("networkx")
    nodes, edges = river_tables()
    graph = networkx.MultiDiGraph(crs=CRS)
    at = {n: (x, y) for n, x, y in nodes.itertuples(index=False)}
    for name, (x, y) in at.items():
        graph.add_node(name, x=str(x), y=str(y))
    for k, (u, v) in enumerate(edges.to_numpy()):
        course = {"geometry": shapely.LineString([at[u], at[v]]).wkt} if k % 3 == 0 else {}
        graph.add_edge(u, v, length="100.0", **course)
    path = tmp_path / "town.graphml"
    networkx.write_graphml(graph, path)
    is_by_hand(path)
    is_by_hand(graph)
    path.write_text("<graphml><broken")
    with pytest.raises(UnreadableFileError, match="cannot be read as GraphML"):
        from_streets(town(PLACES), path)


def test_graphml_without_networkx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which extra."""
    path = tmp_path / "town.graphml"
    path.write_text("<graphml/>")
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)
    with pytest.raises(MissingExtraError, match=r"spineq\[osm\]"):
        from_streets(town(PLACES), path)


def test_extracts(tmp_path: Path) -> None:
    """Both formats give the same walks; the first is two blocks north, one west to east."""
    places = gpd.GeoSeries(
        gpd.points_from_xy([-1.61, -1.608, -1.61], [54.97, 54.971, 54.973]), crs="EPSG:4326"
    ).to_crs(CRS)
    table = pd.DataFrame({"area_id": list("abc"), "x": places.x, "y": places.y, "population": 1.0})
    city = City.from_frame(table, crs=CRS)
    made = [from_streets(city, path) for path in extracts(tmp_path).values()]
    assert made[0].equals(made[1])
    cost = made[0].set_index(["site", "point"])["cost"]
    straight = np.hypot(*(city.point_xy[0] - city.point_xy[2]))
    assert cost["a", "c"] == pytest.approx(straight, rel=1e-4)  # one street after another
    corner = gpd.GeoSeries([shapely.Point(-1.61, 54.971)], crs="EPSG:4326").to_crs(CRS)[0]
    by_corner = sum(corner.distance(shapely.Point(city.point_xy[k])) for k in (0, 1))
    assert cost["a", "b"] == pytest.approx(by_corner, rel=1e-9)


def test_a_place_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no file is asked of osmnx, here a stand-in; None asks for the surroundings."""
    asked: list[Any] = []

    def answer(*given: Any, **more: Any) -> Graph:
        asked.append(given)
        return graph_of("EPSG:4326")

    stand_in = SimpleNamespace(graph_from_place=answer, graph_from_bbox=answer)
    monkeypatch.setitem(__import__("sys").modules, "osmnx", stand_in)
    is_by_hand("Rivertown, Utopia")
    assert asked == [("Rivertown, Utopia",)]
    is_by_hand(None)
    west, south, east, north = asked[1][0]
    assert west < east
    assert south < north


def test_lines_without_a_system_are_in_the_citys() -> None:
    """Unless the caller names another; degrees that nobody named are refused."""
    bare = gpd.GeoDataFrame(geometry=list(river_lines().geometry))
    is_by_hand(bare)
    degrees = gpd.GeoDataFrame(geometry=list(river_lines().to_crs("EPSG:4326").geometry))
    is_by_hand(degrees, crs="EPSG:4326")
    nodes, edges = river_tables()
    places = gpd.GeoSeries(gpd.points_from_xy(nodes["x"], nodes["y"]), crs=CRS).to_crs("EPSG:4326")
    nodes = nodes.assign(x=places.x, y=places.y)
    is_by_hand((nodes, edges), crs="EPSG:4326")
    with pytest.raises(GeographicCRSError, match="EPSG:4326"):
        from_streets(town(PLACES), (nodes, edges))


def test_only_what_is_near_is_used() -> None:
    """Streets far away change no walk, but are counted."""
    here = river_lines()
    there = here.translate(50_000, 0)
    both = gpd.GeoDataFrame(geometry=[*here.geometry, *there], crs=CRS)
    made = from_streets(town(PLACES), both, limit=9000)
    assert made.attrs["streets"]["parts"] == 2
    assert made.equals(from_streets(town(PLACES), here, limit=9000))


@pytest.mark.parametrize(
    ("edges", "kind", "words"),
    [
        (
            {"u": ["0/0"], "v": ["nowhere"]},
            UnknownIdError,
            "row 1, field v: there is no node 'nowhere'",
        ),
        (
            {"a": ["0/0"], "b": ["0/100"]},
            MissingColumnError,
            "Call the columns u and v; there are a, b",
        ),
        ({"u": ["0/0"], "v": ["0/100"], "length": [-1.0]}, DataError, "length is .*-1"),
        ({"u": ["0/0"], "v": ["0/100"], "length": [np.inf]}, DataError, "length is .*inf"),
        ({"u": ["0/0"], "v": ["0/100"], "length": ["far"]}, DataError, "length is 'far'"),
        (
            {"u": ["0/0"], "v": ["0/100"], "geometry": ["LINESTRING (nan 0, 1 1)"]},
            UnreadableFileError,
            "coordinates that are not finite",
        ),
        (
            {"u": ["0/0"], "v": ["0/100"], "geometry": ["LINE"]},
            UnreadableFileError,
            "'LINE' is no line",
        ),
        (
            {"u": ["0/0"], "v": ["0/100"], "geometry": ["POINT (0 0)"]},
            UnreadableFileError,
            "a Point stands",
        ),
        ({"u": [], "v": []}, UnreadableFileError, "not a single street"),
    ],
)
def test_tables_that_are_no_network(
    edges: dict[str, Any], kind: type[Exception], words: str
) -> None:
    """Refused with the row and the column."""
    with pytest.raises(kind, match=words):
        from_streets(town(PLACES), (river_tables()[0], pd.DataFrame(edges)))


def test_nodes_without_places_and_things_that_are_no_table() -> None:
    """Refused in plain words."""
    edges = river_tables()[1]
    with pytest.raises(MissingColumnError, match="the nodes have no places"):
        from_streets(town(PLACES), (pd.DataFrame({"id": ["0/0"]}), edges))
    with pytest.raises(UnreadableFileError, match="tables of nodes and edges are needed, not 7"):
        from_streets(town(PLACES), (7, edges))
    graph = Graph([("a", {})], [("a", "a", {})])
    with pytest.raises(DataError, match="field x"):
        from_streets(town(PLACES), graph)


def test_files_that_are_no_streets(tmp_path: Path) -> None:
    """A file that is missing, a CSV, polygons, and degrees that are none."""
    with pytest.raises(MissingFileError, match="no such file"):
        from_streets(town(PLACES), tmp_path / "none.gpkg")
    path = tmp_path / "streets.csv"
    path.write_text("u,v\n1,2\n")
    with pytest.raises(UnreadableFileError, match="a CSV file holds no lines"):
        from_streets(town(PLACES), path)
    path = tmp_path / "houses.gpkg"
    gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=CRS).to_file(path)
    with pytest.raises(UnreadableFileError, match=r"row 1.*a Polygon stands where a line must"):
        from_streets(town(PLACES), path)


def test_no_warning_without_a_reason() -> None:
    """An orderly town says nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SpineqWarning)
        from_streets(town(PLACES), river_lines(), limit=9000)


def test_nodes_that_are_nowhere() -> None:
    """None at all, or so far from the system's part of the earth that it has no numbers."""
    nodes, edges = river_tables()
    with pytest.raises(UnreadableFileError, match="not a single street"):
        from_streets(town(PLACES), (nodes.iloc[:0], edges))
    with pytest.raises(DataError, match=r"row 1 .*: the node has no coordinates in EPSG:27700"):
        from_streets(town(PLACES), (nodes, edges), crs="EPSG:4326")
