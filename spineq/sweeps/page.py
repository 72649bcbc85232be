"""The summary page of a sweep: its notebook, run by papermill, as one page that opens offline."""

from __future__ import annotations

from pathlib import Path

from spineq.progress import Progress
from spineq.report.execution import notebook_named, run_notebook
from spineq.report.folders import beside
from spineq.report.html import write_page
from spineq.sweeps.files import NOTEBOOK, PAGE
from spineq.sweeps.table import SweepResult

#: Cities that the title names.
_NAMED = 3


def write_summary(result: SweepResult, *, progress: Progress | None = None) -> Path | None:
    """Write the summary page beside a sweep's results.

    Parameters
    ----------
    result
        A sweep whose files are written.
    progress
        Watcher; when it asks to stop, nothing is written.

    Returns
    -------
    Path or None
        ``summary.html`` in the sweep's folder, with ``summary.ipynb`` beside it; None where the
        watcher asked to stop.

    Raises
    ------
    MissingExtraError
        Papermill or nbconvert is not installed.
    NotebookError
        The notebook failed; the sentence names the cell.
    StoreError
        The folder cannot be written.
    """
    folder = result.folder.absolute()
    with beside(folder) as work:
        made = work / NOTEBOOK
        words = {"folder": "."}
        # In the sweep's own folder, so that the notebook runs again wherever it is moved.
        if not run_notebook(notebook_named("sweep"), made, words, folder, progress=progress):
            return None
        write_page(
            made,
            work / PAGE,
            title=f"Sweep over {_cities(result)}",
            lead="What the answers to many questions have in common, and where they differ.",
        )
        for name in (PAGE, NOTEBOOK):
            (work / name).replace(folder / name)
    return folder / PAGE


def _cities(result: SweepResult) -> str:
    """Names of the cities, as they call themselves; of many, how many there are."""
    about = dict(result.facts.get("cities", {}))
    names = list(dict.fromkeys(map(str, result.table["city"])))
    if len(names) > _NAMED:
        return f"{len(names):,} cities"
    return ", ".join(str(about.get(name, {}).get("title") or name) for name in names)
