"""Kernels stay inside their arrays, which numba does not check by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILES = (
    "test_coverage.py",
    "test_objective.py",
    "test_greedy.py",
    "test_swaps.py",
    "test_exchange.py",
    "test_rules.py",
    "test_greedy_in_room.py",
    "test_room.py",
    "test_failing.py",
    "test_reach.py",
    "test_make_room.py",
    "test_relaxation.py",
    "test_branch_bound.py",
    "../fronts/test_landscape.py",
    "../fronts/test_search.py",
    "../fronts/test_genetic.py",
)


@pytest.mark.slow
def test_kernels_stay_in_bounds(tmp_path: Path, root: Path) -> None:
    """The solvers' own tests pass when every access of an array is checked."""
    ours = Path(__file__).parent
    environment = os.environ | {
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "HYPOTHESIS_PROFILE": "spineq-ci",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(str(ours / name) for name in FILES)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


@pytest.mark.slow
def test_the_check_is_on(tmp_path: Path) -> None:
    """With the same setting, a kernel that is asked for a row too many raises IndexError."""
    script = (
        "import numpy as np\n"
        "from spineq.solvers import _kernels\n"
        "_kernels.cover(np.array([0, 2]), None, np.ones(2), np.zeros(2), 1)\n"
    )
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert "IndexError" in done.stderr
