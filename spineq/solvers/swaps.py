"""What every swap of one site against another would bring, and the making of swaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from spineq.solvers import _kernels
from spineq.solvers.coverage import blocks
from spineq.solvers.objective import BUDGET, Objective
from spineq.solvers.room import Room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spineq.solvers.rules import Rules


class Swaps:
    """The books of what every swap would bring, kept while swaps are made.

    Parameters
    ----------
    objective
        What is maximised.
    sites
        The open sites, (slot,), different from each other.
    rules
        Rules to be kept, which the sites keep; None for no other than the number.
    """

    def __init__(
        self, objective: Objective, sites: NDArray[np.int64], rules: Rules | None = None
    ) -> None:
        self._objective = objective
        self._room: Room | None = None
        if rules is not None and rules.named:
            self._room = Room(rules, objective.usable_sites, sites)
        self._usable = objective.usable_sites
        self.sites = np.array(sites, dtype=np.int64)
        n_points = objective.coverage.n_points
        self._slot_of = np.full(objective.n_sites, -1, dtype=np.int64)
        self._slot_of[self.sites] = np.arange(len(self.sites))
        self._base = objective.nothing()
        self._best, self._second = np.zeros(n_points), np.zeros(n_points)
        self._server = np.full(n_points, -1, dtype=np.int64)
        self._runner_up = self._server.copy()

    @property
    def gains(self) -> NDArray[np.float64]:
        """(site,) what each site would add to the open ones; open books only."""
        return self._gain

    @property
    def losses(self) -> NDArray[np.float64]:
        """(slot,) what closing each slot would lose; open books only."""
        return self._loss

    @property
    def _columns(self) -> tuple[NDArray[np.int64], NDArray[np.int32] | None, NDArray[np.float64]]:
        by_point = self._objective.coverage.by_point
        return by_point.start, by_point.point, by_point.value

    def open_books(self) -> Iterator[float]:
        """Fill the books from scratch, in pieces of some milliseconds; yields the share done."""
        for share in self._objective.coverage.flipping():
            yield 0.5 * share
        self._gain = np.zeros(self._objective.n_sites)
        self._loss = np.zeros(len(self.sites))
        self._keys = np.zeros(1 << 12, dtype=np.int64)
        self._extra = np.zeros(1 << 12)
        self._used = 0
        n_points = self._objective.coverage.n_points
        for low, high in blocks(self._columns[0], BUDGET // 10):
            points = np.arange(low, high)
            self._look_up(points)
            for _ in self._book(points, 1.0):
                yield 0.5 + 0.5 * low / n_points
            yield 0.5 + 0.5 * high / n_points

    def _look_up(self, points: NDArray[np.int64]) -> None:
        """Find the best and second-best open site of points."""
        _kernels.nearest_two(
            *self._columns,
            self._slot_of,
            self._base,
            points,
            self._best,
            self._second,
            self._server,
            self._runner_up,
        )

    def _book(self, points: NDArray[np.int64], sign: float) -> Iterator[None]:
        """Put points into the books or take them out; yields while the table grows."""
        done = 0
        while True:
            done, self._used = _kernels.add_points(
                *self._columns,
                self._objective.weight,
                points,
                self._best,
                self._second,
                self._server,
                sign,
                self._gain,
                self._loss,
                self._keys,
                self._extra,
                self._used,
                done,
            )
            if done == len(points):
                return
            yield from self._grow()

    def _grow(self) -> Iterator[None]:
        size = len(self._keys)
        keys, extra = np.zeros(2 * size, dtype=np.int64), np.zeros(2 * size)
        for low in range(0, size, BUDGET // 8):
            high = min(low + BUDGET // 8, size)
            _kernels.move_table(self._keys, self._extra, keys, extra, low, high)
            yield
        self._keys, self._extra = keys, extra

    def best(self) -> Iterator[tuple[float, int, int]]:
        """Look for the best swap, in pieces of some milliseconds.

        Yields
        ------
        tuple
            The best so far, and at last the best of all: change of the objective, site to
            open, slot to close. The site is -1 where every usable site is open, or the rules
            allow no swap at all.
        """
        slots = len(self._loss)
        if self._room is not None:
            yield from self._best_allowed(self._room.books)
            return
        change, key = _kernels.plain_swap(self._gain, self._loss, self._slot_of, self._usable)
        if key == 0:
            yield 0.0, -1, -1
            return
        books = (self._gain, self._loss, self._keys, self._extra, self._slot_of, self._usable)
        for low in range(0, len(self._keys), BUDGET):
            high = min(low + BUDGET, len(self._keys))
            change, key = _kernels.best_swap(*books, change, key, low, high)
            yield float(change), (int(key) - 1) // slots, (int(key) - 1) % slots

    def _best_allowed(self, room: _kernels.Room) -> Iterator[tuple[float, int, int]]:
        """Look for the best swap that the rules allow, as `best` does."""
        slots, n_sites = len(self._loss), self._objective.n_sites
        if slots == 0:
            yield 0.0, -1, -1
            return
        by_loss = np.argsort(self._loss, kind="stable")
        # Asking the rules takes longer than looking at a pair.
        work = max(BUDGET // 5, 1)
        change, key, low = -np.inf, 0, 0

        def found() -> tuple[float, int, int]:
            if key == 0:
                return 0.0, -1, -1
            return float(change), (int(key) - 1) // slots, (int(key) - 1) % slots

        while low < n_sites:
            change, key, low = _kernels.plain_swap_in_room(
                self._gain, self._loss, by_loss, self.sites, room, change, key, low, work
            )
            yield found()
        books = (self._gain, self._loss, self._keys, self._extra, self.sites, room)
        for low in range(0, len(self._keys), BUDGET):
            high = min(low + BUDGET, len(self._keys))
            change, key = _kernels.best_swap_in_room(*books, change, key, low, high)
            yield found()

    def make(self, opened: int, closed: int) -> Iterator[float]:
        """Open a site and close a slot; the site takes the slot.

        The sites are changed at once; the books follow in pieces of some milliseconds.
        Yields the share done.
        """
        points = _kernels.affected_points(
            *self._objective.matrix, opened, closed, self._second, self._server, self._runner_up
        )
        if self._room is not None:
            self._room.close(int(self.sites[closed]))
            self._room.open(opened)
        self._slot_of[self.sites[closed]] = -1
        self._slot_of[opened] = closed
        self.sites[closed] = opened
        start = self._columns[0]
        ends = np.zeros(len(points) + 1, dtype=np.int64)
        np.cumsum(start[points + 1] - start[points], out=ends[1:])
        for low, high in blocks(ends, BUDGET // 10):
            piece = points[low:high]
            for _ in self._book(piece, -1.0):
                yield low / len(points)
            self._look_up(piece)
            for _ in self._book(piece, 1.0):
                yield low / len(points)
            yield high / len(points)
