"""Start a Dask cluster of our own, or join one: loopback unless told otherwise."""

from __future__ import annotations

import ipaddress
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spineq.errors import ClusterError, shown
from spineq.jobs.settings import apply_dask_config, check_settings

if TYPE_CHECKING:
    from distributed import Client


def connect(
    where: Any = None,
    *,
    n_workers: int | None = None,
    adapt: tuple[int, int] | None = None,
    allow_remote: bool = False,
    **options: Any,
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
    adapt
        Instead of ``n_workers``: fewest and most workers of a new cluster, for example
        ``(0, 4)``. They start when jobs wait and end when they have been idle for ten
        seconds; one that holds a result stays until its future is released. Other paces are
        settings of Dask's, ``distributed.adaptive``.
    allow_remote
        Accept an unencrypted ``tcp://`` address that is not loopback. Whoever reaches such a
        scheduler can run code on it.
    **options
        Passed on to ``distributed.Client``, for example ``security``; ``silence_logs`` for a new
        cluster alone.

    Raises
    ------
    ClusterError
        The address is refused, or nobody answers there; or numbers of workers that make no
        cluster.

    Warns
    -----
    SpineqWarning
        The cluster that is joined lacks settings that jobs need; see
        `spineq.jobs.settings.check_settings`.
    """
    import dask.config
    from distributed import Client, get_client, get_worker

    if "address" in options:
        msg = "the address is the first argument"
        raise ClusterError(msg, field="address", mend='Write connect("tcp://127.0.0.1:8786")')
    if adapt is not None:
        _check_adapt(adapt, n_workers, where)
    if isinstance(where, Client):
        check_settings(where, stacklevel=3)
        return where
    apply_dask_config()
    if where is None:
        try:
            client = get_client()
        except ValueError:
            where = dask.config.get("scheduler-address", None)
        else:
            # Whoever submitted the task that asks has been told.
            with suppress(ValueError):
                get_worker()
                return client
            check_settings(client, stacklevel=3)
            return client
    security = options.get("security")
    # Without a requirement, certificates alone encrypt nothing at a tcp:// address.
    encrypted = security is True or getattr(security, "require_encryption", False)
    if where is None:
        if encrypted:
            # Dask gives it to the client alone.
            msg = "a new cluster, which listens on this machine alone, takes no certificates"
            mend = "Leave it out; or make a LocalCluster(security=...) and connect to that"
            raise ClusterError(msg, field="security", mend=mend)
        return _own_cluster(n_workers or os.cpu_count() or 1, adapt, options)
    # Of processes that are there already, somebody else says what they log.
    options.pop("silence_logs", None)
    address = where if isinstance(where, str) else getattr(where, "scheduler_address", None)
    if isinstance(address, str) and not encrypted and not allow_remote:
        _refuse_open_door(address)
    try:
        client = Client(where, **options)
    except Exception as error:  # whatever listens there may answer anything, memory errors included
        msg = f"no Dask scheduler answers at {address or where} ({error})"
        raise ClusterError(msg, mend="Check the address, and that the scheduler runs") from error
    check_settings(client, stacklevel=3)
    return client


def _check_adapt(adapt: Any, n_workers: int | None, where: object) -> None:
    if where is not None:
        msg = "only a cluster of our own can be told to adapt"
        raise ClusterError(msg, field="adapt", mend="Call adapt(...) of the cluster object")
    if n_workers is not None:
        msg = f"n_workers={n_workers} and adapt={shown(adapt)} are both given"
        raise ClusterError(msg, field="adapt", mend="Give one of them")
    whole = isinstance(adapt, tuple | list) and all(type(number) is int for number in adapt)
    if not (whole and len(adapt) == 2 and 0 <= adapt[0] <= adapt[1] and adapt[1] > 0):
        msg = f"{shown(adapt)} are not the fewest and the most workers, whole numbers from 0 up"
        raise ClusterError(msg, field="adapt", mend="Say for example adapt=(0, 4)")


def _own_cluster(n_workers: int, adapt: tuple[int, int] | None, options: dict[str, Any]) -> Client:
    try:
        # Workers that start later do so from a thread that starts here, and is alike.
        with _workers_ignore_interrupts():
            client = _started(n_workers if adapt is None else adapt[0], options)
        if adapt is not None:
            assert client.cluster is not None  # it started one
            client.cluster.adapt(minimum=adapt[0], maximum=adapt[1])
        return client
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

    # A client that starts its cluster itself also closes it. Its protocol follows from
    # Dask's settings: TLS where they require it.
    return Client(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        **options,
    )


def _refuse_open_door(address: str) -> None:
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        # dask-gateway's own scheme is TLS.
        if parts.scheme in ("tls", "wss", "gateway", "inproc") or parts.hostname == "localhost":
            return
        loopback = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:  # a name, or no address at all
        loopback = False
    if not loopback:
        msg = f"{address} is neither encrypted nor on this machine"
        raise ClusterError(
            msg,
            field="address",
            mend="Use tls:// with security=, or say allow_remote=True if the network is your own",
        )


def at_hand(where: Any) -> Client | None:
    """Client that `connect` would return without reaching out for anything; None if none."""
    from distributed import Client, get_client

    if isinstance(where, Client):
        return where
    if where is not None:
        return None
    try:
        return get_client()
    except ValueError:
        return None
