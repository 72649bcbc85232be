"""Running a notebook of ours, with strict parameters, in a process of its own."""

from __future__ import annotations

import ast
import importlib.util
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from spineq.errors import MissingExtraError, MissingFileError, NotebookError, ProblemError, shown
from spineq.progress import Progress, watcher_of

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: Seconds between two looks at whether to stop.
_PERIOD = 0.05

#: Characters of what the process said on standard error that are told where it died.
_MOST_HEARD = 600


def notebook_named(name: str) -> Path:
    """Path of a notebook that comes with spineq: in the package, or beside it in the source tree.

    Raises
    ------
    MissingFileError
        There is none of that name.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        path = folder / f"{name}.ipynb"
        if path.is_file():
            return path
    msg = f"the notebook {name}.ipynb is not there"
    raise MissingFileError(msg, mend="Install spineq again")


def parameters_of(path: Path) -> dict[str, Any]:
    """Parameters of a notebook with their defaults, as its cell tagged ``parameters`` has them."""
    import nbformat

    notebook: NotebookNode = nbformat.read(path, as_version=4)
    made = {}
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    made[node.targets[0].id] = ast.literal_eval(node.value)
    return made


def run_notebook(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    folder: Path,
    *,
    progress: Progress | None = None,
) -> bool:
    """Run a notebook with papermill, in a process of its own.

    Parameters
    ----------
    notebook, output
        The notebook, and where the executed one goes; also one that failed, with the error in it.
    parameters
        By name, in JSON's types.
    folder
        Working directory of the notebook.
    progress
        Watcher; when it asks to stop, the process is ended.

    Returns
    -------
    bool
        Whether it ran to its end; False where the watcher asked to stop.

    Raises
    ------
    ProblemError
        A parameter that the notebook does not have.
    NotebookError
        A cell failed; the sentence names it. Or the process died.
    MissingExtraError
        Papermill is not installed.
    """
    need_libraries()
    known = parameters_of(notebook)
    unknown = [name for name in parameters if name not in known]
    if unknown:
        msg = f"the notebook {notebook.name} has no parameter {shown(unknown[0])}"
        raise ProblemError(msg, field=unknown[0], mend=f"Use {', '.join(known)}")
    request = {
        "notebook": str(notebook),
        "output": str(output),
        "parameters": dict(parameters),
        "folder": str(folder),
    }
    watcher = watcher_of(progress)
    with subprocess.Popen(
        [sys.executable, "-m", "spineq.report.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        # Ctrl-C is for whoever asked, and stops it by way of the watcher.
        start_new_session=True,
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return _followed(process, watcher)
        finally:
            if process.poll() is None:
                process.kill()


def _followed(process: subprocess.Popen[str], watcher: Progress) -> bool:
    """Pass progress on until the process has ended; returns whether it was left to do so."""
    assert process.stdout is not None
    assert process.stderr is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    heard: list[str] = []
    threading.Thread(target=_read, args=(process.stdout, lines.put), daemon=True).start()
    errors = threading.Thread(target=_read, args=(process.stderr, heard.append), daemon=True)
    errors.start()
    fraction, message = 0.0, "starting a kernel"
    failure: dict[str, Any] = {}
    while True:
        if watcher.report(fraction, message):
            return False
        try:
            line = lines.get(timeout=_PERIOD)
        except queue.Empty:
            continue
        if line is None:
            break
        told = json.loads(line)
        if "failed" in told:
            failure = told
        else:
            fraction, message = 0.99 * (told["cell"] - 1) / told["of"], told["heading"]
    status = process.wait()
    errors.join(timeout=1.0)
    if failure:
        raise _failed(failure)
    if status != 0:
        said = "".join(part for part in heard if part)[-_MOST_HEARD:].strip()
        msg = f"the process that ran the notebook ended with status {status}"
        raise NotebookError(f"{msg} ({' '.join(said.split())})" if said else msg)
    return True


def _read(stream: IO[str], hear: Any) -> None:
    # After a stop, the stream is closed while it is read.
    with suppress(ValueError):
        for line in stream:
            hear(line)
    hear(None)


def _failed(failure: Mapping[str, Any]) -> NotebookError:
    said = str(failure["failed"]).rstrip(".")
    if not failure["cell"]:
        return NotebookError(f"the notebook could not be run: {said}")
    under = f", under the heading {failure['heading']!r}" if failure["heading"] else ""
    return NotebookError(f"the notebook failed in its cell {failure['cell']}{under}: {said}")


def need_libraries() -> None:
    """Check that all is there that a report needs, before anything is computed.

    Raises
    ------
    MissingExtraError
        A package is not installed.
    """
    for needed in ("papermill", "ipykernel", "nbformat", "nbconvert", "openpyxl"):
        if importlib.util.find_spec(needed) is None:
            msg = f"a report needs {needed}, which is not installed"
            raise MissingExtraError(msg, mend='Install it: pip install "spineq[report]"')
