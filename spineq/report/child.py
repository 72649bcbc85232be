"""The process in which papermill runs a notebook: ``python -m spineq.report.child``.

A process of its own, since a notebook has a working directory, may be run by a thread or a worker
of Dask, and must be stopped in one step. It takes one line of JSON, the request, tells its
progress and its end in lines of JSON, and ends itself when whoever asked is gone.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NoReturn

from spineq.errors import shortened

_ENGINE = "spineq"

#: Characters of an error that are told; the notebook has all of it.
_MOST_TOLD = 2_000


def run(request: dict[str, Any], say: Any) -> None:
    """Run a notebook with papermill.

    Parameters
    ----------
    request
        ``notebook``, ``output`` (paths), ``parameters`` and ``folder`` (the working directory).
    say
        ``say(**words)`` tells progress (``cell``, ``of``, ``heading``) and a failure
        (``failed``, ``cell``, ``heading``).
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    _register(say)
    headings: dict[int, str] = {}
    # Beside the executed notebook: where this process is killed, whoever asked clears that away.
    beside = Path(request["output"]).absolute().parent
    with tempfile.TemporaryDirectory(prefix=".spineq-kernel-", dir=beside) as place:
        _this_python(Path(place))
        try:
            papermill.execute_notebook(
                request["notebook"],
                request["output"],
                parameters=request["parameters"],
                engine_name=_ENGINE,
                kernel_name="python3",
                cwd=request["folder"],
                progress_bar=False,
                request_save_on_cell_execute=False,
                headings=headings,
            )
        except PapermillExecutionError as error:
            said = shortened(f"{error.ename}: {error.evalue}", _MOST_TOLD)
            heading = headings.get(error.cell_index, "")
            say(failed=said, cell=error.cell_index + 1, heading=heading)


def _register(say: Any) -> None:
    """Give papermill an engine that tells which cell it is at."""
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):  # type: ignore[misc]
        """Papermill's own, with its steps told."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **words: Any) -> Any:
            """Run the notebook."""
            headings = words.pop("headings")
            headings.update(_headings(nb_man.nb.cells))
            start, count = nb_man.cell_start, len(nb_man.nb.cells)

            def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> None:
                start(cell, cell_index=cell_index, **more)
                if cell_index is not None:
                    say(cell=cell_index + 1, of=count, heading=headings[cell_index])

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, kernel_name, **words)

    papermill_engines.register(_ENGINE, Engine)


def _headings(cells: list[Any]) -> dict[int, str]:
    """The heading below which each cell stands, by its index."""
    found, made = "", {}
    for index, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            lines = [line for line in cell.source.splitlines() if line.startswith("#")]
            found = lines[-1].lstrip("# ").strip() if lines else found
        made[index] = found
    return made


def _this_python(place: Path) -> None:
    """Make the kernel ``python3`` this Python, whichever kernels a user has installed."""
    folder = place / "kernels" / "python3"
    folder.mkdir(parents=True)
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {"argv": words, "display_name": "Python 3", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(described), encoding="utf-8")
    before = os.environ.get("JUPYTER_PATH", "")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(place), before]))


def _end_with(asker: Any) -> None:
    """End this process when the other end of its input is closed: whoever asked is gone."""

    def wait() -> NoReturn:
        asker.read()
        os._exit(1)

    threading.Thread(target=wait, name="spineq-asker", daemon=True).start()


def main() -> None:
    """Take the request, run the notebook, and say how it went."""
    # What libraries print must not be taken for our lines.
    mine = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.disable(logging.WARNING)
    request = json.loads(sys.stdin.readline())
    _end_with(sys.stdin)

    def say(**words: Any) -> None:
        print(json.dumps(words), file=mine, flush=True)

    try:
        run(request, say)
    except Exception as error:
        say(failed=shortened(f"{type(error).__name__}: {error}", _MOST_TOLD), cell=0, heading="")


if __name__ == "__main__":
    main()
