"""The scheduler settings that spineq's jobs need: applied where we start one, checked elsewhere."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import ClusterError, SpineqWarning, shown

if TYPE_CHECKING:
    from distributed import Client


@cache
def apply_dask_config() -> Path:
    """Make dask-config.yaml, the one place of scheduler settings, Dask's defaults.

    What the user has configured otherwise stands. The file lies at the root of the
    repository, and in the package where that was installed from a wheel.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ClusterError
        It is in neither place.
    """
    import dask.config
    import distributed  # noqa: F401  its own defaults must come first

    package = Path(__file__).parents[1]
    for folder in (package, package.parent):
        file = folder / "dask-config.yaml"
        if file.is_file():
            dask.config.update_defaults(dask.config.collect([str(file)], env={}))
            return file
    msg = "dask-config.yaml is missing"
    raise ClusterError(msg, file=package, mend="Install spineq again")


@dataclass(frozen=True)
class _Need:
    """What a setting of the scheduler has to be, and what goes wrong otherwise."""

    #: Below distributed.scheduler.
    setting: str
    #: The scheduler's attribute that holds it (distributed 2026.8).
    attribute: str
    #: Whether a value will do in place of ours.
    enough: Callable[[Any, Any], bool]
    #: How the sentence goes on before our value.
    rule: str
    harm: str


_NEEDS = (
    _Need(
        "worker-saturation",
        "WORKER_SATURATION",
        lambda found, ours: bool(found == ours),
        "",
        "jobs are sent ahead of time to workers, where a more urgent one cannot overtake them",
    ),
    _Need(
        "allowed-failures",
        "allowed_failures",
        lambda found, ours: bool(found >= ours),
        "at least ",
        "a job fails because of workers that other jobs have killed",
    ),
    _Need(
        "no-workers-timeout",
        "no_workers_timeout",
        lambda found, ours: found is None,
        "",
        "jobs fail that wait while a cluster has scaled down to none",
    ),
    _Need(
        "worker-ttl",
        "worker_ttl",
        lambda found, ours: found is None or bool(found >= ours),
        "at least ",
        "a worker that a long loop keeps busy is taken for dead, and its job starts again",
    ),
)

# Clients that have been checked: nobody is told twice.
_CHECKED: weakref.WeakSet[Client] = weakref.WeakSet()


def check_settings(client: Client, *, stacklevel: int = 2) -> None:
    """Warn where the scheduler that runs has other settings than spineq's jobs need.

    It costs one round trip, once per client. A scheduler that does not let itself be asked is
    taken as it is, and so is one behind an asynchronous client.

    Parameters
    ----------
    client
        Client of the scheduler, wherever that runs: a LocalCluster that was made before
        spineq's settings were applied lacks them too.
    stacklevel
        Whose line the warning names; 2 is the caller's.

    Warns
    -----
    SpineqWarning
        Names each setting, its value, what it should be, what goes wrong otherwise, and how
        to set it; and workers that run more than one job at a time.
    """
    if client in _CHECKED:
        return
    _CHECKED.add(client)
    file = apply_dask_config()
    facts = scheduler_facts(client)
    faults, mends = _faults(facts, file)
    if faults:
        text = "; ".join(faults) + ". " + " ".join(mends)
        msg = f"the Dask cluster at {facts.get('address')} is not set up for spineq's jobs: {text}"
        warnings.warn(msg, SpineqWarning, stacklevel=stacklevel)


def _faults(facts: dict[str, Any], file: Path) -> tuple[list[str], list[str]]:
    """What is wrong, and what to do about it, in words."""
    import dask.config
    from dask.utils import parse_timedelta

    ours = dask.config.collect([str(file)], env={})["distributed"]["scheduler"]
    faults, mends = [], []
    for need in _NEEDS:
        # A Dask that knows no such setting does not act by it either.
        if need.attribute not in facts:
            continue
        found, wanted, unit = facts[need.attribute], ours[need.setting], ""
        if need.setting.endswith(("-timeout", "-ttl")):
            wanted, unit = parse_timedelta(wanted), " s"
        if not need.enough(found, wanted):
            # As a configuration file writes it.
            said, should = (
                "null" if value is None else f"{shown(value)}{unit}" for value in (found, wanted)
            )
            faults.append(
                f"distributed.scheduler.{need.setting} is {said}, should be {need.rule}{should}, "
                f"or {need.harm}"
            )
    if faults:
        mends.append(
            f"Copy {file} to where the scheduler starts, and start it with "
            "DASK_CONFIG=dask-config.yaml (or put the file into ~/.config/dask); make a "
            "LocalCluster by spineq.connect()."
        )
    threads = facts.get("threads", [])
    many = [count for count in threads if count > 1]
    if many:
        faults.append(
            f"{len(many)} of {len(threads)} workers run up to {max(many)} jobs at a time, should "
            "be 1, or a worker that dies takes all of its jobs along"
        )
        mends.append("Start workers with --nthreads 1 (threads_per_worker=1).")
    return faults, mends


def scheduler_facts(client: Client) -> dict[str, Any]:
    """Ask a scheduler for the settings that it runs with, in one round trip.

    This is the one place that runs code on the scheduler and reads its attributes, which are
    not documented (distributed 2026.8).

    Returns
    -------
    dict
        Its address; the attributes that `check_settings` compares, as far as it has them,
        times in seconds; and ``threads``, a list of each worker's threads. Empty where the
        scheduler does not let itself be asked.
    """
    names = ["address", *(need.attribute for need in _NEEDS)]

    # Inside, so that it travels by value: a scheduler need not have spineq.
    def look(dask_scheduler: Any) -> dict[str, Any]:
        facts = {n: getattr(dask_scheduler, n) for n in names if hasattr(dask_scheduler, n)}
        workers = getattr(dask_scheduler, "workers", {})
        return {**facts, "threads": [worker.nthreads for worker in workers.values()]}

    # On a loop's own thread nothing can be waited for.
    if client.asynchronous:
        return {}
    try:
        return dict(client.run_on_scheduler(look))
    except Exception:  # forbidden, or another Dask: whatever it says, jobs may still run there
        return {}
