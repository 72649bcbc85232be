"""A street network as arrays: junctions, the streets between them, which parts hang together.

People on foot mind no one-way streets, so that it is undirected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import UnreadableFileError
from spineq.model.groups import MOST

if TYPE_CHECKING:
    import pyproj
    import shapely
    from numpy.typing import NDArray

#: Vertices of two lines that are nearer than this are one junction, metres.
ONE_PLACE = 1e-3


@dataclass(frozen=True, eq=False)
class Streets:
    """Junctions, and edges between them; sorted by place, so that row order changes nothing.

    Parameters
    ----------
    xy
        Junctions, (node, 2), metres.
    ends
        Positions of the junctions at both ends of an edge, (edge, 2); a loop has one twice.
    lines
        Course of each edge, (edge,) LineStrings from its first end to its second.
    length
        What walking along an edge costs, (edge,), 0 or more, metres.
    part
        Number of the connected part that each junction belongs to, (node,); 0 is the part with
        the longest streets.
    parts
        Length of the streets of each part, (part,), metres, the longest first.
    crs
        Coordinate reference system, in metres.
    """

    xy: NDArray[np.float64]
    ends: NDArray[np.int64]
    lines: NDArray[np.object_]
    length: NDArray[np.float64]
    part: NDArray[np.int64]
    parts: NDArray[np.float64]
    crs: pyproj.CRS

    @property
    def n_nodes(self) -> int:
        """Number of junctions."""
        return len(self.xy)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return len(self.ends)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the edges by place."""
        import shapely

        return shapely.STRtree(self.lines)

    def kept(self, edges: NDArray[np.bool_]) -> Streets:
        """Keep some edges, (edge,); junctions and the account of parts stay as they are."""
        return Streets(
            self.xy,
            self.ends[edges],
            self.lines[edges],
            self.length[edges],
            self.part,
            self.parts,
            self.crs,
        )

    def within(self, bounds: tuple[float, float, float, float]) -> Streets:
        """Keep the edges that come near a box, and their junctions.

        What is left out is not forgotten in the account of parts.
        """
        import shapely

        west, south, east, north = bounds
        box = shapely.bounds(self.lines).reshape(-1, 4)
        near = (box[:, 0] <= east) & (box[:, 2] >= west)
        near &= (box[:, 1] <= north) & (box[:, 3] >= south)
        if near.all():
            return self
        held, ends = np.unique(self.ends[near], return_inverse=True)
        return Streets(
            self.xy[held],
            ends.reshape(-1, 2),
            self.lines[near],
            self.length[near],
            self.part[held],
            self.parts,
            self.crs,
        )


def need_streets(number: int, file: object) -> None:
    """Check that there is a street at all.

    Raises
    ------
    UnreadableFileError
        There is none.
    """
    if number == 0:
        msg = "there is not a single street"
        raise UnreadableFileError(msg, file=file, mend="Give lines, or edges between nodes")


def need_finite(lines: NDArray[np.object_], file: object) -> None:
    """Check that lines, (line,), have coordinates that are numbers.

    Raises
    ------
    UnreadableFileError
        One has not.
    """
    import shapely

    if not (np.abs(shapely.get_coordinates(lines)) <= MOST).all():
        msg = "a line has coordinates that are not finite"
        raise UnreadableFileError(msg, file=file, mend="Check the coordinate reference system")


def join(
    xy: NDArray[np.float64],
    ends: NDArray[np.int64],
    lines: NDArray[np.object_],
    length: NDArray[np.float64],
    crs: pyproj.CRS,
    file: object = None,
) -> Streets:
    """Make a network of junctions and edges: sorted, each street once, parts found.

    Parameters
    ----------
    xy, ends, lines, length, crs
        As `Streets` has them, in any order; a street may be there in both directions.
    file
        Where they come from, for messages.

    Raises
    ------
    UnreadableFileError
        There is not a single street.
    """
    import shapely
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    need_streets(len(ends), file)
    held, ends = np.unique(ends, return_inverse=True)
    xy, ends = xy[held], ends.reshape(-1, 2)
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    xy, ends = xy[order], rank[ends]
    backwards = ends[:, 0] > ends[:, 1]
    lines = lines.copy()
    lines[backwards] = shapely.reverse(lines[backwards])
    ends = np.sort(ends, axis=1)
    # A street in both directions is the same street where its middle is at the same place.
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    keys = np.column_stack([ends, np.rint(middle / 0.01).astype(np.int64)])
    order = np.lexsort((length, keys[:, 3], keys[:, 2], keys[:, 1], keys[:, 0]))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (np.diff(keys[order], axis=0) == 0).all(axis=1)
    order = order[~same]
    ends, lines, length = ends[order], lines[order], length[order]
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(xy), len(xy)))
    n_parts, part = connected_components(graph, directed=False)
    total: NDArray[np.float64] = np.bincount(
        part[ends[:, 0]], weights=length, minlength=n_parts
    ).astype(np.float64)
    # Of equally long parts the one with the first junction.
    longest = np.lexsort((np.unique(part, return_index=True)[1], -total))
    rank = np.empty(n_parts, dtype=np.int64)
    rank[longest] = np.arange(n_parts)
    return Streets(xy, ends, lines, length, rank[part], total[longest], crs)


def from_lines(lines: NDArray[np.object_], crs: pyproj.CRS, file: object = None) -> Streets:
    """Make a network of lines that are joined where they share a vertex.

    Lines that merely cross are not joined: a bridge leads over a street without meeting it.

    Parameters
    ----------
    lines
        (line,) LineStrings, metres; longer than a point.
    crs
        Their coordinate reference system.
    file
        Where they come from, for messages.

    Raises
    ------
    UnreadableFileError
        There is none, or coordinates are not finite.
    """
    import shapely

    need_finite(lines, file)
    vertices, line = shapely.get_coordinates(lines, return_index=True)
    codes = _places(vertices)
    # A vertex twice in a row is one vertex.
    fresh = np.ones(len(codes), dtype=bool)
    fresh[1:] = (np.diff(codes) != 0) | (np.diff(line) != 0)
    vertices, line, codes = vertices[fresh], line[fresh], codes[fresh]
    begins = np.ones(len(line), dtype=bool)
    begins[1:] = np.diff(line) != 0
    finishes = np.roll(begins, -1)
    # A line that is a single place is no street.
    whole = ~(begins & finishes)
    vertices, codes = vertices[whole], codes[whole]
    begins, finishes = begins[whole], finishes[whole]
    if len(codes) == 0:
        return join(np.empty((0, 2)), np.empty((0, 2), int), lines[:0], np.empty(0), crs, file)
    junction = begins | finishes | (np.bincount(codes)[codes] > 1)
    # Each vertex but the last of its line begins a segment, and at a junction an edge.
    starts = np.flatnonzero(~finishes)
    edge = np.cumsum(junction[starts]) - 1
    last = np.append(np.flatnonzero(np.diff(edge)), len(edge) - 1)
    owner = np.concatenate([edge, edge[last]])
    place = np.concatenate([starts, starts[last] + 1])
    order = np.lexsort((place, owner))
    made = shapely.linestrings(vertices[place[order]], indices=owner[order])
    first = starts[np.append(0, last[:-1] + 1)]
    ends = np.column_stack([codes[first], codes[starts[last] + 1]])
    xy = np.empty((int(codes.max()) + 1, 2))
    xy[codes[::-1]] = vertices[::-1]
    return join(xy, ends, made, shapely.length(made), crs, file)


def _places(vertices: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number places, (vertex,), by x and then y; what is within `ONE_PLACE` is one."""
    x, y = (np.unique(np.rint(vertices[:, k] / ONE_PLACE), return_inverse=True)[1] for k in (0, 1))
    made: NDArray[np.int64] = np.unique(
        x * (int(y.max()) + 1 if len(y) else 1) + y, return_inverse=True
    )[1]
    return made


def account(streets: Streets) -> Mapping[str, Any]:
    """Say how large a network is, for people: plain numbers."""
    total = float(streets.parts.sum())
    return {
        "junctions": streets.n_nodes,
        "streets": streets.n_edges,
        "kilometres": round(total / 1000, 3),
        "parts": len(streets.parts),
        "share_of_largest_part": round(float(streets.parts[0]) / total, 6) if total else 1.0,
    }
