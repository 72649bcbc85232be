"""Every notebook runs from top to bottom, with parameters that papermill gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

#: Parameters that keep a run short and its files in the test's own folder.
RUNS: dict[str, dict[str, Any]] = {
    "panel": {"store": "store"},
    "queue": {"store": "store", "n_sensors": 5, "n_areas": 3000},
}


def test_every_notebook_is_run_here(root: Path) -> None:
    """No notebook is forgotten."""
    assert {path.stem for path in (root / "notebooks").glob("*.ipynb")} == set(RUNS)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_notebook_runs(
    name: str, root: Path, tmp_path: Path, needs: Callable[[str], ModuleType]
) -> None:
    """It runs without an error, and is kept in the repository without output."""
    papermill, nbformat = needs("papermill"), needs("nbformat")
    kept = nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in kept.cells)
    made = papermill.execute_notebook(
        root / "notebooks" / f"{name}.ipynb",
        tmp_path / "made.ipynb",
        parameters=RUNS[name],
        cwd=tmp_path,
        kernel_name="python3",
        progress_bar=False,
    )
    assert not made.metadata.papermill["exception"]
    outputs = [output for cell in made.cells for output in cell.get("outputs", ())]
    # Warnings and logs on standard error are not what a reader should see.
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]
