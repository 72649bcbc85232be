"""A network under a person's hands: move, add, delete, undo, redo; no widgets."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.errors import ProblemError
from spineq.panel.asked_about import plain
from spineq.panel.geometry import places_of
from spineq.solve import evaluate

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.model.problem import Problem

#: Steps that can be undone.
MOST_STEPS = 200


@dataclass(frozen=True)
class Placed:
    """A sensor of an edited network.

    Parameters
    ----------
    site
        Id of its site; empty where it stands at none.
    x, y
        Where, metres.
    moved
        Whether a person put it there.
    """

    site: str
    x: float
    y: float
    moved: bool = False


class Editor:
    """The sensors of a network, as a person changes them.

    Sensors that stay (``keep``) are not touched: only those that were placed can be moved. A
    network that was found for another question than the best of so many, such as the fewest
    that reach a coverage, is edited as one of so many; see `spineq.panel.asked_about.plain`.

    Parameters
    ----------
    city
        Where; a sensor snaps to the city's nearest site unless placed freely.
    network
        What to begin with; or a problem, for a network from nothing.

    Raises
    ------
    ProblemError
        The network has sensors of several kinds.
    """

    def __init__(self, city: City, network: Network | Problem) -> None:
        from spineq.model.network import Network

        self.city = city
        self._places = places_of(city)
        self._lock = threading.RLock()
        sensors: tuple[Placed, ...] = ()
        if isinstance(network, Network):
            self.base: Network | None = network
            self.problem, table, self.n_kept = plain(network)
            sensors = tuple(
                Placed(str(site), float(x), float(y))
                for site, x, y in zip(table["site"], table["x"], table["y"], strict=True)
            )
        else:
            self.base, self.problem, self.n_kept = None, network, 0
        self._steps: list[tuple[Placed, ...]] = [sensors]
        self._at = 0

    @property
    def sensors(self) -> tuple[Placed, ...]:
        """Sensors as they are now."""
        return self._steps[self._at]

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return self._at + 1 < len(self._steps)

    @property
    def is_changed(self) -> bool:
        """Whether the sensors are others than at the beginning."""
        return self.sensors != self._steps[0]

    def undo(self) -> None:
        """Take the last step back."""
        with self._lock:
            self._at = max(self._at - 1, 0)

    def redo(self) -> None:
        """Take the step again that was taken back."""
        with self._lock:
            self._at = min(self._at + 1, len(self._steps) - 1)

    def move(self, sensor: int, x: float, y: float, *, freely: bool = False) -> None:
        """Put a sensor, by its place in `sensors`, somewhere else.

        Raises
        ------
        ProblemError
            There is no such sensor, or one stands at that site already.
        """
        with self._lock:
            held = self._sensor(sensor)
            placed = self._placed(x, y, freely)
            if (placed.x, placed.y) == (held.x, held.y):
                return  # snapped back
            self._need_free(placed, besides=sensor)
            self._step(tuple(placed if k == sensor else s for k, s in enumerate(self.sensors)))

    def add(self, x: float, y: float, *, freely: bool = False) -> None:
        """Put a further sensor.

        Raises
        ------
        ProblemError
            One stands at that site already.
        """
        with self._lock:
            placed = self._placed(x, y, freely)
            self._need_free(placed)
            self._step((*self.sensors, placed))

    def delete(self, sensor: int) -> None:
        """Take a sensor away.

        Raises
        ------
        ProblemError
            There is no such sensor.
        """
        with self._lock:
            self._sensor(sensor)
            self._step(tuple(s for k, s in enumerate(self.sensors) if k != sensor))

    def _sensor(self, sensor: int) -> Placed:
        if not 0 <= sensor < len(self.sensors):
            msg = f"there is no sensor {sensor + 1}"
            raise ProblemError(msg, mend=f"There are {len(self.sensors)}")
        return self.sensors[sensor]

    def _placed(self, x: float, y: float, freely: bool) -> Placed:
        if freely:
            if self.city.travel is not None:
                msg = "sensors cannot be placed freely: travel costs are known for sites only"
                raise ProblemError(msg, mend="Switch free placement off")
            return Placed("", float(x), float(y), moved=True)
        at = self._places.nearest_site((x, y))
        here = self.city.site_xy[at]
        site = str(self.city.dataset["site"].to_numpy()[at])
        return Placed(site, float(here[0]), float(here[1]), moved=True)

    def _need_free(self, placed: Placed, besides: int = -1) -> None:
        for k, other in enumerate(self.sensors):
            if k != besides and (other.x, other.y) == (placed.x, placed.y):
                msg = f"sensor {k + 1} stands there already"
                raise ProblemError(msg, mend="Choose another place")

    def _step(self, sensors: tuple[Placed, ...]) -> None:
        self._steps[self._at + 1 :] = [sensors]
        if len(self._steps) > MOST_STEPS:
            del self._steps[1]  # the beginning stays, for "is_changed"
        self._at = len(self._steps) - 1

    # What it is worth

    def given(self) -> Any:
        """The sensors as `spineq.evaluate` takes them: ids, or places where one has none."""
        if all(placed.site for placed in self.sensors):
            return [placed.site for placed in self.sensors]
        return np.array([[placed.x, placed.y] for placed in self.sensors]).reshape(-1, 2)

    def measured(self) -> Network:
        """Measure the network as it is now, without a bound: that takes too long for a drag."""
        return evaluate(self.city, self.given(), replace(self.problem, bound="none"))

    def best_problem(self) -> Problem:
        """The problem whose best network this one is held against: as many sensors, no more rules.

        Raises
        ------
        ProblemError
            There is no sensor.
        """
        n = len(self.sensors)
        return replace(
            self.problem, n_sensors=n, budget=None, site_cost=None, start=(), bound=None,
            method="auto",
        )  # fmt: skip

    def improvement(self) -> Problem:
        """The problem of improving from here: what was moved by hand stays where it is.

        Raises
        ------
        ProblemError
            A sensor stands at no site, or no sensor is left to improve, or the existing sensors
            that stay stand at no sites.
        """
        free = [k + 1 for k, placed in enumerate(self.sensors) if not placed.site]
        if free:
            msg = f"sensor {free[0]} stands at no site, and only sites can be kept"
            raise ProblemError(msg, mend="Move it without free placement, or delete it")
        moved = [placed.site for placed in self.sensors if placed.moved]
        rest = [placed.site for placed in self.sensors if not placed.moved]
        if not rest:
            msg = "every sensor was put by hand, so there is none left to improve"
            raise ProblemError(msg, mend="Leave at least one where it was")
        keep: Any = self.problem.keep
        if moved and keep == "existing":
            kept = self._kept_sites()
            keep = (*kept, *moved)
        elif moved:
            keep = (*keep, *moved)
        start = () if self.problem.min_spacing else tuple(rest)
        return replace(
            self.problem, n_sensors=len(rest), budget=None, site_cost=None, keep=keep, start=start,
            method="auto", bound=None, reach=(), retire=0, move_at_most=0, kinds=(),
        )  # fmt: skip

    def _kept_sites(self) -> list[str]:
        assert self.base is not None
        kept = self.base.sensors["site"].to_numpy()[: self.n_kept]
        if any(not site for site in kept):
            msg = "existing sensors stand beside the sites, so they cannot be kept with others"
            raise ProblemError(
                msg, mend='Undo your moves, or make their places sites, then "Improve from here"'
            )
        return [str(site) for site in kept]
