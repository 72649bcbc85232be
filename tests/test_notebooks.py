"""Every notebook runs from top to bottom, with parameters that papermill gives."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))

#: Parameters that keep a run short and its files in the test's own folder.
RUNS: dict[str, dict[str, Any]] = {
    "01-first-network": {"n_sensors": 6, "thetas": [250, 1000]},
    "02-your-own-city": {},
    "03-trade-offs-and-equity": {"n_sensors": 3, "effort": 0.05},
    "04-on-a-cluster": {"store": "store", "n_workers": 1, "n_sensors": 5, "n_areas": 3000},
    "05-not-only-sensors": {
        "n_defibrillators": 6,
        "n_libraries": 4,
        "n_chargers": 4,
        "homes_per_area": 8,
        "places_per_area": 2,
    },
    "06-any-city": {"n_sensors": 3, "per_area": 4},
    "07-published-findings": {"n_networks": 1000, "tolerance": 0.002, "effort": 0.1},
    "panel": {"store": "store"},
}

#: Parameters that name reference data beside the source tree; without them the run is skipped.
OF_SHARED: dict[str, dict[str, str]] = {
    "07-published-findings": {
        "city_folder": "data/cities/E08000021",
        "published_front": "data/published/newcastle_theta500_n50.csv",
    }
}

#: Notebooks that are no tour of their own: tests/report and tests/sweeps run them.
ELSEWHERE = {"report", "sweep"}

#: What no notebook may say of this machine, or of where an answer came from.
FORBIDDEN = re.compile(r"/home/|/tmp/|/work/|[A-Z]:\\")


def sources(path: Path) -> list[dict[str, Any]]:
    """Cells of a notebook as they are in its file, their text whole."""
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def test_every_notebook_is_run() -> None:
    """No notebook is forgotten, and none is run that is not there."""
    there = {path.stem for path in NOTEBOOKS}
    assert set(RUNS) <= there
    assert there - set(RUNS) <= ELSEWHERE


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_how_a_notebook_is_kept(path: Path, needs: Callable[[str], ModuleType]) -> None:
    """Without output, as nbformat would write it, with one cell of parameters that are used."""
    nbformat = needs("nbformat")
    text = path.read_text(encoding="utf-8")
    read = nbformat.reads(text, as_version=4)
    nbformat.validate(read)
    assert (read.nbformat, read.nbformat_minor) == (4, 5)
    assert nbformat.writes(read) == text.rstrip("\n")
    assert read.metadata.kernelspec.name == "python3"
    code = [cell for cell in read.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    (parameters,) = [cell for cell in code if "parameters" in cell.metadata.get("tags", ())]
    names: dict[str, Any] = {}
    exec(parameters.source, names)
    given = RUNS.get(path.stem, {}) | OF_SHARED.get(path.stem, {})
    assert set(given) <= set(names), "papermill would only warn"
    assert not FORBIDDEN.search("\n".join(cell.source for cell in read.cells))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path, root: Path) -> None:
    """Notebooks name each other, and headings of their own, by names that are there."""
    text = "\n".join(cell["source"] for cell in sources(path) if cell["cell_type"] == "markdown")
    headings = {line.lstrip("# ").replace(" ", "-") for line in re.findall(r"^#+ .*$", text, re.M)}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif "://" not in target:
            assert (path.parent / target).is_file(), target


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_python_in_the_text_can_be_read(path: Path) -> None:
    """Recipes that no test runs are Python at least."""
    for cell in sources(path):
        if cell["cell_type"] == "markdown":
            for block in re.findall(r"^```python\n(.*?)^```$", cell["source"], re.M | re.S):
                compile(block, path.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_notebook_runs(
    name: str,
    root: Path,
    tmp_path: Path,
    needs: Callable[[str], ModuleType],
    request: pytest.FixtureRequest,
) -> None:
    """It runs from a fresh kernel without an error, and leaves nothing but its store behind."""
    papermill = needs("papermill")
    parameters = dict(RUNS[name])
    for key, path in OF_SHARED.get(name, {}).items():
        parameters[key] = str(request.getfixturevalue("shared") / path)
    made = papermill.execute_notebook(
        root / "notebooks" / f"{name}.ipynb",
        tmp_path / "made.ipynb",
        parameters=parameters,
        cwd=tmp_path,
        kernel_name="python3",
        progress_bar=False,
    )
    assert not made.metadata.papermill["exception"]
    outputs = [output for cell in made.cells for output in cell.get("outputs", ())]
    # Warnings and logs on standard error are not what a reader should see.
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert {path.name for path in tmp_path.iterdir()} <= {"made.ipynb", "store"}
