"""Workers that compile or load the solvers' machine code before the first job comes."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from distributed import WorkerPlugin

if TYPE_CHECKING:
    from distributed import Client, Worker

NAME = "spineq-warm-up"

#: Areas of the city that the solvers are tried on, and sensors: the fewest, in round numbers,
#: with which every table grows and swaps are made. A test holds that no kernel is left out.
_AREAS, _SENSORS = 800, 20

# Below Dask's own, so that it shows up in client.get_worker_logs().
_LOG = logging.getLogger("distributed.worker.spineq")


class WarmUp(WorkerPlugin):
    """Compiles or loads the solvers when a worker starts, beside its event loop.

    A job that comes meanwhile runs at once and waits only for what it needs itself: numba
    compiles one function at a time. Whatever goes wrong stays in the worker's log.
    """

    name = NAME
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Start the thread; called by Dask in the worker's event loop, which must not wait."""
        self._unwanted = threading.Event()
        # A daemon, so that a process that ends does not wait for it.
        threading.Thread(target=_run, args=(self._unwanted,), name=NAME, daemon=True).start()

    def teardown(self, worker: Worker) -> None:
        """Let the thread end after the step that it is at; called by Dask when a worker ends."""
        self._unwanted.set()


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
    from spineq.data.demo import demo_city
    from spineq.model.problem import Problem
    from spineq.progress import SilentProgress
    from spineq.solve import objective_of, optimise
    from spineq.solvers import METHODS
    from spineq.solvers.coverage import straight_line
    from spineq.solvers.decays import DECAYS

    city = demo_city("synthetic", n_areas=_AREAS)
    for dense in (True, False):
        for name, method in METHODS.items():
            if unwanted is not None and unwanted.is_set():
                return
            problem = Problem.from_words(n_sensors=_SENSORS, method=name)
            if dense:
                optimise(city, problem)
                continue
            # No city is too large for a matrix and yet quickly done.
            coverage = straight_line(
                city.site_xy, city.point_xy, DECAYS[problem.decay], problem.theta, dense=False
            )
            assert coverage is not None  # nobody asked to stop
            objective = objective_of(city, problem, coverage)
            method.solve(objective, _SENSORS, problem.seed, SilentProgress())


def warm_up(client: Client) -> None:
    """Let every worker of a cluster, those that join later too, prepare for spineq's jobs.

    Returns before they are ready. A second call does nothing; a new scheduler wants a new one.

    Parameters
    ----------
    client
        Client of the cluster.
    """
    client.register_plugin(WarmUp())
