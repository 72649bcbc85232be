"""How kernels are compiled."""

from __future__ import annotations

import numba
import pytest

from spineq.solvers._kernels import jit as module


@pytest.mark.parametrize("error", [RuntimeError("no locator available"), PermissionError()])
def test_without_a_place_for_machine_code(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where numba finds no folder for its cache, functions are compiled without one."""
    asked = []

    def refuse(*, nogil: bool, cache: bool = False) -> object:
        asked.append((cache, nogil))
        if cache:
            raise error
        return lambda function: function

    monkeypatch.setattr(numba, "njit", refuse)
    assert module.jit(abs) is abs
    assert asked == [(True, True), (False, True)]
