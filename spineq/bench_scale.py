"""How far the solvers go: synthetic instances of the size of a nation, each in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spineq.bench import peak_memory
from spineq.data.demo import demo_city
from spineq.errors import SpineqError
from spineq.progress import Report, Watcher
from spineq.solve import optimise

if TYPE_CHECKING:
    from spineq.model.city import City


@dataclass(frozen=True)
class Instance:
    """A synthetic instance.

    Parameters
    ----------
    areas, towns
        Number of areas, and of the towns that they are spread over.
    n_sensors, theta
        The problem; theta in metres.
    points
        Demand points in each area, scattered around its point where there are more than 1.
    sites
        Number of sites, scattered as the points are; 0 for the areas' points themselves.
    """

    areas: int
    towns: int
    n_sensors: int
    theta: float
    points: int = 1
    sites: int = 0


#: A large city, a nation, and a city with several points an area and many sites.
INSTANCES = (
    Instance(25_000, 1, 500, 500.0),
    Instance(189_000, 300, 2_000, 500.0),
    Instance(910, 1, 55, 100.0, points=20, sites=20_000),
)

# Metres by which points of an area, and sites, lie away from the area's point.
_SCATTER = 150.0


@dataclass(frozen=True)
class Scale:
    """What came of an instance.

    Parameters
    ----------
    instance
        The instance.
    value, bound, gap
        The answer's value, the proven upper bound, and ``(bound - value) / bound``.
    seconds
        Time of the whole call, from the city to the network; machine code was loaded before.
    megabytes
        Peak memory of the whole process, libraries and the making of the city included.
    silence
        Longest time between two reports to the watcher, seconds.
    still
        Longest time without the bar moving or the best value or bound getting better, seconds.
    """

    instance: Instance
    value: float
    bound: float
    gap: float
    seconds: float
    megabytes: float
    silence: float
    still: float


def run(instance: Instance) -> Scale:
    """Solve an instance in a process of its own, whose peak memory is that of the run.

    Raises
    ------
    SpineqError
        The process failed, for example because memory ran out; with its last words.
    """
    command = [sys.executable, "-m", "spineq.bench_scale", json.dumps(asdict(instance))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["without a word"]
        msg = f"the process ended with {done.returncode}: {last[0]}"
        raise SpineqError(msg)
    found = json.loads(done.stdout)
    return Scale(**found | {"instance": Instance(**found["instance"])})


def city_of(instance: Instance) -> City:
    """Make an instance's city; the same each time."""
    city = demo_city("synthetic", n_areas=instance.areas, towns=instance.towns)
    generator = np.random.default_rng(0)
    xy, areas = city.point_xy, city.to_frame()["area_id"].to_numpy()
    if instance.points > 1:
        k = instance.points
        moved = np.repeat(xy, k, axis=0) + generator.normal(0, _SCATTER, (len(xy) * k, 2))
        city = city.with_demand(
            pd.DataFrame(
                {"area_id": np.repeat(areas, k), "x": moved[:, 0], "y": moved[:, 1], "share": 1 / k}
            )
        )
    if instance.sites:
        near = xy[generator.integers(0, len(xy), instance.sites)]
        near = near + generator.normal(0, _SCATTER, near.shape)
        city = city.with_sites(pd.DataFrame({"x": near[:, 0], "y": near[:, 1]}))
    return city


@dataclass
class Stopwatch(Watcher):
    """Watches how long a computation is silent, and how long it seems to stand still.

    Parameters
    ----------
    heard, moved
        When it last reported, and when the bar, value or bound last changed.
    silence, still
        The longest times between these, seconds.
    """

    heard: float = field(default_factory=time.perf_counter)
    moved: float = field(default_factory=time.perf_counter)
    silence: float = 0.0
    still: float = 0.0
    _last: tuple[object, ...] = ()

    def hear(self, report: Report) -> bool:
        """Look at the clock."""
        now = time.perf_counter()
        self.silence = max(self.silence, now - self.heard)
        self.heard = now
        self.still = max(self.still, now - self.moved)
        shown = report.fraction, report.value, report.bound
        if shown != self._last:
            self._last, self.moved = shown, now
        return False


def measure(instance: Instance) -> Scale:
    """Solve an instance in this process."""
    # Machine code is loaded, or compiled, before the clock starts, on a city that is just large
    # enough for the ways of large ones.
    small = Instance(8_000, 1, 20, 500.0)
    optimise(city_of(small), n_sensors=small.n_sensors, theta=small.theta, effort=0.01)
    city = city_of(instance)
    watch = Stopwatch()
    began = time.perf_counter()
    network = optimise(city, n_sensors=instance.n_sensors, theta=instance.theta, progress=watch)
    seconds = time.perf_counter() - began
    assert network.upper_bound is not None  # auto has a bound
    assert network.gap is not None
    return Scale(
        instance,
        network.total_coverage,
        network.upper_bound,
        network.gap,
        seconds,
        peak_memory() / 1e6,
        watch.silence,
        watch.still,
    )


if __name__ == "__main__":
    json.dump(asdict(measure(Instance(**json.loads(sys.argv[1])))), sys.stdout)
