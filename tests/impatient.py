"""Make a Dask worker give up soon when the store fails: a preload of ``dask worker``."""

from __future__ import annotations

from spineq.jobs import worker


def dask_setup(_: object) -> None:
    """Shorten the patience; called by Dask when the worker starts."""
    worker.PATIENCE = 0.5
