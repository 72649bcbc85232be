"""How every kernel is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

# numba's array types are not mypy's.
Array = Any

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def jit(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Compile at the first call, keep the machine code on disk, run without the GIL."""
    compiled: Callable[_Arguments, _Result]
    try:
        compiled = numba.njit(cache=True, nogil=True)(function)
    except (RuntimeError, OSError):
        # No folder can be written, as in some containers: compile in every process.
        compiled = numba.njit(nogil=True)(function)
    return compiled
