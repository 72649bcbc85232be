"""Running a notebook: strict parameters, failures that say where, and a stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from spineq.errors import NotebookError, ProblemError
from spineq.progress import RecordingProgress
from spineq.report.execution import run_notebook

pytestmark = pytest.mark.slow


@pytest.fixture
def make(tmp_path: Path, needs: Callable[[str], ModuleType]) -> Callable[..., Path]:
    """Write a notebook of cells; the first is the parameters'."""
    needs("papermill")
    v4: Any = needs("nbformat.v4")

    def made(*cells: str) -> Path:
        notebook = v4.new_notebook()
        spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.metadata["kernelspec"] = spec

        for number, text in enumerate(cells):
            new = v4.new_markdown_cell if text.startswith("#") else v4.new_code_cell
            tags = {"tags": ["parameters"]} if number == 0 else {}
            notebook.cells.append(new(text, metadata=tags))
        path = tmp_path / "made.ipynb"
        path.write_text(v4.writes(notebook), encoding="utf-8")
        return path

    return made


def test_it_runs_in_its_folder_and_tells_how_far_it_is(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    """With this Python, the parameters given, and the headings as messages."""
    folder = tmp_path / "work"
    folder.mkdir()
    text = "import sys, pathlib\npathlib.Path('said').write_text(f'{n} {sys.executable}')"
    notebook = make("n = 1", "# First part", text, "print('noise')")
    watch = RecordingProgress()
    assert run_notebook(notebook, tmp_path / "out.ipynb", {"n": 2}, folder, progress=watch)
    assert (folder / "said").read_text() == f"2 {sys.executable}"
    assert "First part" in {report.message for report in watch.reports}
    fractions = [report.fraction for report in watch.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.5


def test_a_cell_that_fails_is_named_and_kept(make: Callable[..., Path], tmp_path: Path) -> None:
    notebook = make("n = 1", "# The hard part", "1 / 0", "print('never')")
    with pytest.raises(NotebookError, match=r"cell 3.*'The hard part'.*ZeroDivisionError"):
        run_notebook(notebook, tmp_path / "out.ipynb", {}, tmp_path)
    assert "ZeroDivisionError" in (tmp_path / "out.ipynb").read_text()


def test_an_unknown_parameter_runs_nothing(make: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"has no parameter 'm'. Use n"):
        run_notebook(make("n = 1"), tmp_path / "out.ipynb", {"m": 2}, tmp_path)
    assert not (tmp_path / "out.ipynb").exists()


def test_a_kernel_that_dies_is_told(make: Callable[..., Path], tmp_path: Path) -> None:
    notebook = make("n = 1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(NotebookError, match=r"[Kk]ernel"):
        run_notebook(notebook, tmp_path / "out.ipynb", {}, tmp_path)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _ended(pid: int, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not _alive(pid):
            return True
        time.sleep(0.05)
    return False


WAITING = (
    "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(120)"
)


class _StopAtPid(RecordingProgress):
    """Asks to stop when the kernel has said which process it is."""

    file: Path

    def hear(self, report: Any) -> bool:
        super().hear(report)
        return self.file.exists() and self.file.read_text() != ""


def test_a_stop_ends_the_kernel_too(make: Callable[..., Path], tmp_path: Path) -> None:
    watch = _StopAtPid()
    watch.file = tmp_path / "pid"
    notebook = make("n = 1", WAITING)
    assert not run_notebook(notebook, tmp_path / "out.ipynb", {}, tmp_path, progress=watch)
    assert _ended(int(watch.file.read_text()))


def test_nothing_is_left_running_when_whoever_asked_is_killed(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    """kill -9 leaves no time to say so: the process notices that nobody listens."""
    notebook = make("n = 1", WAITING)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from spineq.report.execution import run_notebook\n"
        f"run_notebook(Path({str(notebook)!r}), Path('out.ipynb'), {{}}, Path('.'))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    file = tmp_path / "pid"
    end = time.monotonic() + 60.0
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert _ended(int(file.read_text()))
