"""spineq: where sensors go in a city, so that the people who matter are covered.

Everything public is a name of this package; what is heavy is imported when it is first used.

>>> import spineq as sq
>>> city = sq.demo_city()
>>> net = sq.optimise(city, n_sensors=5, theta=500)
"""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spineq import demand as demand
    from spineq import existing as existing
    from spineq import panel as panel
    from spineq import plot as plot
    from spineq import sites as sites
    from spineq import travel as travel
    from spineq.baseline import random_networks as random_networks
    from spineq.data.demo import demo_city as demo_city
    from spineq.data.files import read_city as read_city
    from spineq.data.raster import read_raster as read_raster
    from spineq.data.us_zones import read_us_zones as read_us_zones
    from spineq.errors import SpineqError as SpineqError
    from spineq.errors import SpineqWarning as SpineqWarning
    from spineq.fetch.fetching import fetch_city as fetch_city
    from spineq.fronts import trade_off as trade_off
    from spineq.inequality import equity as equity
    from spineq.insight.alternatives import Alternatives as Alternatives
    from spineq.insight.alternatives import alternatives as alternatives
    from spineq.insight.centroids import CentroidError as CentroidError
    from spineq.insight.centroids import centroid_error as centroid_error
    from spineq.insight.curve import CoverageCurve as CoverageCurve
    from spineq.insight.curve import coverage_curve as coverage_curve
    from spineq.insight.explain import Explanation as Explanation
    from spineq.insight.explain import explain as explain
    from spineq.insight.robustness import robustness as robustness
    from spineq.insight.stability import Stability as Stability
    from spineq.insight.stability import stability as stability
    from spineq.insight.withstood import Robustness as Robustness
    from spineq.jobs.cluster import connect as connect
    from spineq.jobs.events import DaskProgress as DaskProgress
    from spineq.jobs.events import follow as follow
    from spineq.jobs.job import Job as Job
    from spineq.jobs.queue import JobQueue as JobQueue
    from spineq.jobs.settings import apply_dask_config as apply_dask_config
    from spineq.jobs.snapshot import JobSnapshot as JobSnapshot
    from spineq.jobs.tasks import register_task as register_task
    from spineq.model.baseline import Baseline as Baseline
    from spineq.model.baseline import read_baseline as read_baseline
    from spineq.model.city import City as City
    from spineq.model.front import Front as Front
    from spineq.model.front import read_front as read_front
    from spineq.model.groups import GROUPS as GROUPS
    from spineq.model.groups import Group as Group
    from spineq.model.kinds import Kind as Kind
    from spineq.model.network import Network as Network
    from spineq.model.network import read_network as read_network
    from spineq.model.problem import Problem as Problem
    from spineq.panel import Panel as Panel
    from spineq.report.making import write_report as write_report
    from spineq.report.page import what_if as what_if
    from spineq.solve import evaluate as evaluate
    from spineq.solve import optimise as optimise
    from spineq.sweeps.files import read_sweep as read_sweep
    from spineq.sweeps.running import sweep as sweep
    from spineq.sweeps.table import SweepResult as SweepResult

__version__ = metadata.version("spineq")

_HOMES = {
    "Alternatives": "spineq.insight.alternatives",
    "Baseline": "spineq.model.baseline",
    "CentroidError": "spineq.insight.centroids",
    "City": "spineq.model.city",
    "CoverageCurve": "spineq.insight.curve",
    "DaskProgress": "spineq.jobs.events",
    "Explanation": "spineq.insight.explain",
    "Front": "spineq.model.front",
    "GROUPS": "spineq.model.groups",
    "Group": "spineq.model.groups",
    "Job": "spineq.jobs.job",
    "JobQueue": "spineq.jobs.queue",
    "JobSnapshot": "spineq.jobs.snapshot",
    "Kind": "spineq.model.kinds",
    "Network": "spineq.model.network",
    "Panel": "spineq.panel",
    "Problem": "spineq.model.problem",
    "Robustness": "spineq.insight.withstood",
    "SpineqError": "spineq.errors",
    "SpineqWarning": "spineq.errors",
    "Stability": "spineq.insight.stability",
    "SweepResult": "spineq.sweeps.table",
    "alternatives": "spineq.insight.alternatives",
    "apply_dask_config": "spineq.jobs.settings",
    "centroid_error": "spineq.insight.centroids",
    "connect": "spineq.jobs.cluster",
    "coverage_curve": "spineq.insight.curve",
    "demo_city": "spineq.data.demo",
    "equity": "spineq.inequality",
    "evaluate": "spineq.solve",
    "explain": "spineq.insight.explain",
    "fetch_city": "spineq.fetch.fetching",
    "follow": "spineq.jobs.events",
    "optimise": "spineq.solve",
    "random_networks": "spineq.baseline",
    "read_baseline": "spineq.model.baseline",
    "read_city": "spineq.data.files",
    "read_front": "spineq.model.front",
    "read_network": "spineq.model.network",
    "read_raster": "spineq.data.raster",
    "read_sweep": "spineq.sweeps.files",
    "read_us_zones": "spineq.data.us_zones",
    "register_task": "spineq.jobs.tasks",
    "robustness": "spineq.insight.robustness",
    "stability": "spineq.insight.stability",
    "sweep": "spineq.sweeps.running",
    "trade_off": "spineq.fronts",
    "what_if": "spineq.report.page",
    "write_report": "spineq.report.making",
}

#: Modules whose functions are public.
_MODULES = ("demand", "existing", "panel", "plot", "sites", "travel")

__all__ = [*sorted(_HOMES), *_MODULES]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _MODULES:
        return importlib.import_module(f"spineq.{name}")
    if name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = found
        return found
    msg = f"module 'spineq' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
