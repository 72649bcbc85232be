"""Start a Dask cluster of our own, or join one: loopback unless told otherwise."""

from __future__ import annotations

import ipaddress
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spineq.errors import ClusterError

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


def connect(
    where: Any = None, *, n_workers: int | None = None, allow_remote: bool = False, **options: Any
) -> Client:
    """Connect to a Dask cluster, or start one on this machine.

    Parameters
    ----------
    where
        A ``distributed.Client`` (returned as it is), a cluster object (of dask-jobqueue,
        dask-kubernetes, dask-gateway, ...), a scheduler's address, or None: the client of the
        task that is running, else the address that Dask is configured with
        (``DASK_SCHEDULER_ADDRESS``), else a new cluster on the loopback address, which closes
        with the client.
    n_workers
        Workers of a new cluster: processes of one thread each; by default one a core.
    allow_remote
        Accept an unencrypted ``tcp://`` address that is not loopback. Whoever reaches such a
        scheduler can run code on it.
    **options
        Passed on to ``distributed.Client``, for example ``security``.

    Raises
    ------
    ClusterError
        The address is refused, or nobody answers there.
    """
    import dask.config
    from distributed import Client, get_client

    if "address" in options:
        msg = "the address is the first argument"
        raise ClusterError(msg, field="address", mend='Write connect("tcp://127.0.0.1:8786")')
    if isinstance(where, Client):
        return where
    apply_dask_config()
    if where is None:
        try:
            return get_client()
        except ValueError:
            where = dask.config.get("scheduler-address", None)
    if where is None:
        return _own_cluster(n_workers or os.cpu_count() or 1, options)
    address = where if isinstance(where, str) else getattr(where, "scheduler_address", None)
    if isinstance(address, str) and options.get("security") is None and not allow_remote:
        _refuse_open_door(address)
    try:
        return Client(where, **options)
    except Exception as error:  # whatever listens there may answer anything, memory errors included
        msg = f"no Dask scheduler answers at {address or where} ({error})"
        raise ClusterError(msg, mend="Check the address, and that the scheduler runs") from error


def _own_cluster(n_workers: int, options: dict[str, Any]) -> Client:
    try:
        with _workers_ignore_interrupts():
            return _started(n_workers, options)
    except RuntimeError as error:
        msg = f"the workers did not start ({error})"
        mend = 'In a script, put the code under if __name__ == "__main__": (workers read it too)'
        raise ClusterError(msg, mend=mend) from error


@contextmanager
def _workers_ignore_interrupts() -> Iterator[None]:
    """Let processes that are started here not see Ctrl-C, which a terminal sends to all of them.

    The client's process alone answers it, and closes them. A process inherits that a signal is
    blocked; one that arrives here meanwhile waits until the block is over.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Started on the way otherwise, it would lift the block.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _started(n_workers: int, options: dict[str, Any]) -> Client:
    from distributed import Client

    # A client that starts its cluster itself also closes it.
    return Client(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        protocol="tcp://",
        dashboard_address="127.0.0.1:0",
        **options,
    )


def _refuse_open_door(address: str) -> None:
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme in ("tls", "wss", "inproc") or parts.hostname == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        msg = f"{address} is neither encrypted nor on this machine"
        raise ClusterError(
            msg,
            field="address",
            mend="Use tls:// with security=, or say allow_remote=True if the network is your own",
        )
