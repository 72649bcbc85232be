"""From distances or travel costs to coverage: how well each site would cover each point.

The coverage matrix ``c[site, point] = decay(distance)`` depends on the city's places, theta
and the decay only. Weights come in later (`spineq.solvers.objective`), so that one matrix
serves every group and every mix of groups. A benefit is weight times coverage.

Small cities get a dense matrix. Large ones get neighbourhood lists: the pairs within a
cut-off radius R, nearest first. What lies beyond is below ``decay(R)``, which
`Coverage.floor` remembers, so that bounds stay valid and the error is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from spineq.errors import ProblemError
from spineq.progress import Progress, SilentProgress
from spineq.solvers import threads
from spineq.solvers.decays import Decay

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.model._contract import TravelTable

#: Up to this many pairs of site and point a dense matrix is made (32 MB, twice for swaps).
DENSE_PAIRS = 4_000_000

#: Coverage below which a pair is left out of the neighbourhood lists.
CUTOFF = 1e-4

#: Most pairs that are kept in lists, 12 bytes each, twice where sites and points are not the
#: same; the radius shrinks until they fit.
MOST_PAIRS = 100_000_000

# Metres below which shrinking the radius is given up: what is left lies at one place.
_CLOSEST = 1e-3

# Pairs that are worked on between two looks at the watcher: a few ms of distances alone, and
# of distances with a decay and memory that is touched for the first time.
_COUNTED = 4_000_000
_FILLED = 500_000

# Floats in a page of memory, at least.
_PAGE = 512


@dataclass(frozen=True, eq=False)
class Coverage:
    """Coverage of every point by every site, dense or as neighbourhood lists.

    Parameters
    ----------
    start
        (site + 1,), where each site's row begins in ``value``.
    point
        (pair,) position of the point of each pair, or None for a dense matrix, whose rows
        hold all points in order.
    value
        (pair,) coverage, 0 to 1 (or any benefit of 0 or more, as for the p-median problem).
    n_points
        Number of points.
    floor
        A pair that is not listed covers at most this much, 0 where nothing was cut off.
    radius
        Cut-off radius, metres; infinite where nothing was cut off.
    symmetric
        Sites and points are the same places, so that the coverage of point j by site i is that
        of point i by site j, and each row has the largest first, ties by position: such lists
        are their own transpose.
    """

    start: NDArray[np.int64]
    point: NDArray[np.int32] | None
    value: NDArray[np.float64]
    n_points: int
    floor: float = 0.0
    radius: float = field(default=np.inf)
    symmetric: bool = False

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.start) - 1

    @property
    def n_pairs(self) -> int:
        """Number of pairs that are held."""
        return len(self.value)

    @property
    def dense(self) -> bool:
        """Whether every pair is held."""
        return self.point is None

    @classmethod
    def from_matrix(cls, matrix: NDArray[np.float64]) -> Coverage:
        """Wrap a matrix of benefits of 0 or more, (site, point)."""
        n_sites, n_points = matrix.shape
        return cls(
            np.arange(n_sites + 1, dtype=np.int64) * n_points,
            None,
            np.ascontiguousarray(matrix, dtype=np.float64).ravel(),
            n_points,
        )

    @property
    def by_point(self) -> Coverage:
        """The same pairs, one row per point: the transpose. Made once, then kept.

        Rows of a matrix have the sites in order, those of lists the largest coverage first,
        ties by site.
        """
        if self.symmetric:
            return self
        for _ in self.flipping():
            pass
        kept: Coverage = self.__dict__["_by_point"]
        return kept

    def flipping(self) -> Iterator[float]:
        """Make `by_point` in pieces of some milliseconds; yields the share done."""
        if self.symmetric or "_by_point" in self.__dict__:
            return
        value = np.empty(self.n_pairs)
        if self.point is None:
            columns = value.reshape(self.n_points, self.n_sites)
            rows = self.value.reshape(self.n_sites, self.n_points)
            step = max(1, _FILLED // max(self.n_points, 1))
            for low in range(0, self.n_sites, step):
                columns[:, low : low + step] = rows[low : low + step].T
                yield min(low + step, self.n_sites) / self.n_sites
            made = Coverage.from_matrix(columns)
        else:
            site = np.empty(self.n_pairs, dtype=np.int32)
            start = yield from self._flip_lists(self.point, site, value)
            made = Coverage(start, site, value, self.n_sites, self.floor, self.radius)
        self.__dict__["_by_point"] = made

    def _flip_lists(
        self, point: NDArray[np.int32], site: NDArray[np.int32], value: NDArray[np.float64]
    ) -> Generator[float, None, NDArray[np.int64]]:
        from spineq.solvers import _kernels

        start = np.zeros(self.n_points + 1, dtype=np.int64)
        for low in range(0, self.n_pairs, _COUNTED):
            high = min(low + _COUNTED, self.n_pairs)
            _kernels.count_columns(point, start, low, high)
            yield 0.2 * high / self.n_pairs
        np.cumsum(start, out=start)
        fill = start[:-1].copy()
        # Rows lie all over the new arrays: without this the first of them would wait for
        # nearly every page of memory.
        for low in range(0, self.n_pairs, _FILLED):
            piece = slice(low, low + _FILLED, _PAGE)
            site[piece], value[piece] = 0, 0.0
            yield 0.2 + 0.2 * min(low + _FILLED, self.n_pairs) / self.n_pairs
        for low, high in blocks(self.start, _FILLED // 5):
            _kernels.flip_rows(self.start, point, self.value, fill, site, value, low, high)
            yield 0.4 + 0.3 * high / self.n_sites
        for pieces in _batches(start):
            threads.run([partial(_kernels.sort_rows, start, site, value, *p) for p in pieces])
            yield 0.7 + 0.3 * pieces[-1][1] / self.n_points
        return start


def _batches(start: NDArray[np.int64]) -> Iterator[list[tuple[int, int]]]:
    """Ranges of rows of some 10 ms each, as many at a time as there are threads."""
    pieces = blocks(start, _FILLED // 5)
    while batch := list(itertools.islice(pieces, threads.threads())):
        yield batch


def blocks(start: NDArray[np.int64], budget: int) -> Iterator[tuple[int, int]]:
    """Split rows into ranges that hold about so many pairs, one row at least.

    Parameters
    ----------
    start
        (row + 1,), where each row begins.
    budget
        Pairs in a range.
    """
    low, n = 0, len(start) - 1
    while low < n:
        # Rows may be empty, and rows without pairs take time too: not too many at once.
        high = int(np.searchsorted(start, start[low] + budget, side="right")) - 1
        high = min(max(high, low + 1), low + max(budget // 100, 1), n)
        yield low, high
        low = high


def straight_line(
    sites: NDArray[np.float64],
    points: NDArray[np.float64],
    decay: Decay,
    theta: float,
    *,
    dense: bool | None = None,
    cutoff: float = CUTOFF,
    progress: Progress | None = None,
) -> Coverage | None:
    """Coverage by straight-line distance.

    Parameters
    ----------
    sites, points
        (site, 2) and (point, 2), metres.
    decay, theta
        How coverage falls with distance.
    dense
        Whether to hold every pair; by default up to `DENSE_PAIRS` of them.
    cutoff
        Coverage below which a pair is not listed, above 0 and below 1.
    progress
        Watcher; None for nobody.

    Returns
    -------
    Coverage or None
        None where the watcher asked to stop.

    Raises
    ------
    ProblemError
        More than `MOST_PAIRS` pairs lie at the same places, so that no radius makes them fit.
    """
    if dense is None:
        dense = len(sites) * len(points) <= DENSE_PAIRS
    made = _matrix if dense else _lists
    return made(sites, points, decay, theta, cutoff, progress or SilentProgress())


def distances(sites: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Straight-line distances, (site, point), metres."""
    made: NDArray[np.float64] = (sites[:, 0, None] - points[None, :, 0]) ** 2
    made += (sites[:, 1, None] - points[None, :, 1]) ** 2
    return np.sqrt(made, out=made)


def _matrix(
    sites: NDArray[np.float64],
    points: NDArray[np.float64],
    decay: Decay,
    theta: float,
    cutoff: float,
    progress: Progress,
) -> Coverage | None:
    matrix = np.empty((len(sites), len(points)))
    step = max(1, _FILLED // max(len(points), 1))
    for low in range(0, len(sites), step):
        matrix[low : low + step] = decay.apply(distances(sites[low : low + step], points), theta)
        done = min(low + step, len(sites)) / len(sites)
        if progress.report(done, "distances of every pair"):
            return None
    return Coverage.from_matrix(matrix)


def _lists(
    sites: NDArray[np.float64],
    points: NDArray[np.float64],
    decay: Decay,
    theta: float,
    cutoff: float,
    progress: Progress,
) -> Coverage | None:
    from spineq.solvers import _kernels

    words = "listing neighbours"
    # Nothing is further apart than the corners of the box, however large theta is.
    everything = np.concatenate([sites, points])
    diagonal = float(np.hypot(*np.ptp(everything, axis=0))) * (1.0 + 1e-9)
    radius = min(decay.radius(theta, cutoff), diagonal)
    n_sites, share = len(sites), 0.0
    # Every so many sites first, which shows whether the lists would be too long.
    step = max(1, n_sites // 256)
    while True:
        grid = _kernels.make_grid(points, radius)
        start = np.zeros(n_sites + 1, dtype=np.int64)
        site = 0
        while site < n_sites:
            site = _kernels.count_pairs(sites, points, *grid, radius, start, site, step, _COUNTED)
            if progress.report(share + 0.15 * min(site / n_sites, 1.0) * (1 - share), words):
                return None
        share += 0.15 * (1 - share)
        if int(start.sum()) * step > MOST_PAIRS:
            radius *= 0.8
            if radius < _CLOSEST:
                msg = f"more than {MOST_PAIRS:,} pairs of site and point lie at the same places"
                raise ProblemError(msg, mend="Put sites or points at one place together")
        elif step == 1:
            break
        else:
            step = 1
    np.cumsum(start, out=start)
    point = np.empty(start[-1], dtype=np.int32)
    value = np.empty(start[-1], dtype=np.float64)

    def fill(low: int, high: int) -> None:
        _kernels.fill_pairs(sites, points, *grid, radius, start, point, value, low, high)
        decay.apply(value[start[low] : start[high]], theta)
        _kernels.sort_rows(start, point, value, low, high)

    for pieces in _batches(start):
        threads.run([partial(fill, *piece) for piece in pieces])
        if progress.report(share + (1 - share) * pieces[-1][1] / n_sites, words):
            return None
    cut = radius < diagonal and not (decay.ends and radius >= decay.radius(theta, cutoff))
    floor = float(decay(np.array([radius]), theta)[0]) if cut else 0.0
    symmetric = np.array_equal(sites, points)
    radius = radius if cut else np.inf
    return Coverage(start, point, value, len(points), floor, radius, symmetric)


def from_travel(
    travel: TravelTable,
    n_sites: int,
    point_area: NDArray[np.int64],
    decay: Decay,
    theta: float,
    progress: Progress | None = None,
) -> Coverage | None:
    """Coverage by travel cost; a pair that is not in the table is out of reach.

    Parameters
    ----------
    travel
        The city's table, sorted by site and target.
    n_sites
        Number of sites.
    point_area
        (point,) position of each point's area: costs to an area hold for all of its points.
    decay, theta
        How coverage falls with cost; theta has the table's unit.
    progress
        Watcher; None for nobody.

    Returns
    -------
    Coverage or None
        None where the watcher asked to stop.

    Raises
    ------
    ProblemError
        Nothing in the table covers anything with so small a theta.
    """
    progress = progress or SilentProgress()
    n_pairs, n_points = len(travel.site), len(point_area)
    if travel.by == "area":
        # Points are sorted by area: those of area a are a run that begins at first[a].
        many = np.bincount(point_area)
    else:
        many = np.ones(n_points, dtype=np.int64)
    first = np.cumsum(many) - many
    row = np.searchsorted(travel.site, np.arange(n_sites + 1))
    ends = np.zeros(n_pairs + 1, dtype=np.int64)
    np.cumsum(many[travel.target], out=ends[1:])
    point = np.empty(ends[-1], dtype=np.int32)
    value = np.empty(ends[-1])
    reached = False
    for low, high in blocks(ends, _FILLED):
        repeat = many[travel.target[low:high]]
        run = np.arange(ends[low], ends[high]) - np.repeat(ends[low:high], repeat)
        piece = slice(ends[low], ends[high])
        point[piece] = np.repeat(first[travel.target[low:high]], repeat) + run
        value[piece] = np.repeat(decay(travel.cost[low:high], theta), repeat)
        reached = reached or bool((value[piece] > 0).any())
        if progress.report(high / n_pairs, "travel costs of every pair"):
            return None
    if not reached:
        msg = f"with theta {theta:g}, no pair of the travel table covers anything"
        raise ProblemError(msg, field="theta", mend="Give theta in the unit of the table's costs")
    return Coverage(ends[row], point, value, n_points)


def stacked(parts: Sequence[Coverage]) -> Coverage:
    """Put coverages of the same points one below the other: all sites of the first come first.

    Parameters
    ----------
    parts
        All dense or all lists. A pair that is not listed in one covers at most the largest of
        their floors.
    """
    first = parts[0]
    ends = np.cumsum([0, *(part.n_pairs for part in parts)])
    start = [part.start[:-1] + end for part, end in zip(parts, ends[:-1], strict=True)]
    point = None
    if first.point is not None:
        point = np.concatenate([part.point for part in parts if part.point is not None])
    return Coverage(
        np.append(np.concatenate(start), ends[-1]).astype(np.int64),
        point,
        np.concatenate([part.value for part in parts]),
        first.n_points,
        max(part.floor for part in parts),
        max(part.radius for part in parts),
    )
