"""Workers that compile or load the solvers' machine code before the first job comes."""

from __future__ import annotations

import importlib
import logging
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from distributed import WorkerPlugin

if TYPE_CHECKING:
    from distributed import Client, Worker

    from spineq.solvers.objective import Objective

NAME = "spineq-warm-up"

#: Areas of the city that the solvers are tried on, and sensors: the fewest, in round numbers,
#: with which every table grows and swaps are made. A test holds that no kernel is left out.
_AREAS, _SENSORS = 800, 20

#: What jobs import, packages before what lies in them.
_MODULES = (
    "pyproj",
    "shapely",
    "geopandas",
    "spineq.model.city",
    "spineq.data.packed",
    "spineq.data.demo",
    "spineq.data._synthetic",
    "spineq.solvers",
    "spineq.solvers.leximin",
    "spineq.solvers.welfare",
    "spineq.constraints",
    "spineq.instance",
    "spineq.solve",
    "spineq.jobs.worker",
)

# Below Dask's own, so that it shows up in client.get_worker_logs().
_LOG = logging.getLogger("distributed.worker.spineq")


class WarmUp(WorkerPlugin):
    """Imports what jobs need, and compiles or loads the solvers beside the worker's event loop.

    A job that comes meanwhile runs at once and waits only for what it needs itself: numba
    compiles one function at a time. Whatever goes wrong stays in the worker's log.
    """

    name = NAME
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Import, and start the thread; called by Dask in the worker's event loop."""
        # Here, although the loop waits for a second: a thread that imports a package beside one
        # that imports a module of it may find it half made. Where that is the loop, which imports
        # what it reads, the worker waits for ever for the city that it was being sent
        # (distributed 2026.8, its issue 6705).
        _import()
        self._unwanted = threading.Event()
        # A daemon, so that a process that ends does not wait for it.
        threading.Thread(target=_run, args=(self._unwanted,), name=NAME, daemon=True).start()

    def teardown(self, worker: Worker) -> None:
        """Let the thread end after the step that it is at; called by Dask when a worker ends."""
        self._unwanted.set()


def _import() -> None:
    try:
        for name in _MODULES:
            importlib.import_module(name)
    except Exception:
        _LOG.warning("spineq could not be imported whole; jobs will say more", exc_info=True)


def _run(unwanted: threading.Event) -> None:
    try:
        exercise(unwanted)
    except Exception:
        _LOG.warning("spineq could not warm up; jobs run all the same", exc_info=True)


def exercise(unwanted: threading.Event | None = None) -> None:
    """Run every method on a tiny city, with a dense matrix and with neighbourhood lists.

    Parameters
    ----------
    unwanted
        Ends it early when set.
    """
    from spineq.constraints import constraints_for
    from spineq.data.demo import demo_city
    from spineq.instance import objective_of, options_for
    from spineq.model.groups import GROUPS
    from spineq.model.problem import Problem
    from spineq.progress import SilentProgress
    from spineq.solve import optimise
    from spineq.solvers import METHODS
    from spineq.solvers.coverage import straight_line
    from spineq.solvers.decays import DECAYS

    city = demo_city("synthetic", n_areas=_AREAS)
    ward = np.arange(_AREAS) % 4
    city = city.with_sites(city.sites.assign(ward=ward, price=1.0 + ward))
    rules = (
        {"region": "ward", "max_per_region": 6, "min_per_region": 1, "min_spacing": 100.0},
        {"n_sensors": None, "budget": 40.0, "site_cost": "price"},
        {"objective": "worst", "groups": GROUPS},
    )
    names = [name for name in METHODS if name != "milp"]  # which has a process of its own
    for dense in (True, False):
        for name in names:
            method, goals = METHODS[name], "worst" in METHODS[name].honours
            for words in ({}, *rules[: 3 if goals else 2]):
                if unwanted is not None and unwanted.is_set():
                    return
                given: dict[str, Any] = {"n_sensors": _SENSORS, "method": name, "effort": 0.01}
                problem = Problem.from_words(**given | words)
                if dense:
                    optimise(city, problem)
                    continue
                # No city is too large for a matrix and yet quickly done.
                coverage = straight_line(
                    city.site_xy, city.point_xy, DECAYS[problem.decay], problem.theta, dense=False
                )
                assert coverage is not None  # nobody asked to stop
                constraints = constraints_for(city, problem)
                objective = objective_of(city, problem, coverage, None, constraints)
                options = options_for(problem, constraints)
                method.solve(objective, constraints.rules, options, SilentProgress())
                if name == "lagrangian" and not words:
                    _exercise_large(objective)


def _exercise_large(objective: Objective) -> None:
    """Make steps as on a city so large that its pairs are looked at in pieces."""
    from spineq.solvers.relaxation import Relaxation
    from spineq.solvers.rules import Rules

    relaxation = Relaxation(objective, Rules(_SENSORS), large_from=0)
    for _ in relaxation.open():
        pass
    relaxation.begin(np.arange(_SENSORS))
    relaxation.restart(1.0, 0.0)
    while relaxation.steps < 2 * _SENSORS:
        relaxation.ascend(_SENSORS, 0.0, _SENSORS, 0.0)


def warm_up(client: Client) -> None:
    """Let every worker of a cluster, those that join later too, prepare for spineq's jobs.

    Returns before they are ready. A second call does nothing; a new scheduler wants a new one.

    Parameters
    ----------
    client
        Client of the cluster.
    """
    client.register_plugin(WarmUp())
