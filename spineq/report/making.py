"""Making a report: the notebook run, its page, figures, data and the what-if page in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.data.named import is_built_in
from spineq.errors import NotebookError
from spineq.model._words import counted
from spineq.progress import Progress, SpanProgress, watcher_of
from spineq.report.asked import Parameters, Question, absolute_store, question_of
from spineq.report.execution import need_libraries, notebook_named, run_notebook
from spineq.report.folders import beside, moved

if TYPE_CHECKING:
    from spineq.model.city import City

#: The files of a report.
PAGE, NOTEBOOK, WHAT_IF = "report.html", "report.ipynb", "what-if.html"

#: Folder of the city inside a report's folder, by which the notebook can be run again.
_CITY = "data/city"


def write_report(
    parameters: Parameters | Mapping[str, Any],
    output: str | Path,
    *,
    city: City | None = None,
    what_if: bool = False,
    progress: Progress | None = None,
) -> Path | None:
    """Write a report into a folder.

    Parameters
    ----------
    parameters
        Those of the notebook, ``notebooks/report.ipynb``: see `spineq.report.asked.Parameters`.
    output
        Folder to write into, made where it is missing. It gets ``report.html`` (one page that
        opens offline), ``report.ipynb`` (the executed notebook), ``figures/`` and ``data/``;
        what an earlier report left there is replaced, and nothing else.
    city
        The city itself, in place of the name that the parameters have.
    what_if
        Whether to write ``what-if.html`` too; see `spineq.what_if`.
    progress
        Watcher; when it asks to stop, nothing is written.

    Returns
    -------
    Path or None
        ``report.html``; None where the watcher asked to stop.

    Raises
    ------
    SpineqError
        A parameter is unknown or wrong, or what is asked cannot be: then nothing is written.
    StoreError
        The folder cannot be written, or holds something else under one of these names.
    NotebookError
        The notebook failed: the sentence names the cell, and the notebook with the error is in
        the folder.
    MissingExtraError
        Papermill or nbconvert is not installed.

    Examples
    --------
    >>> sq.write_report({"city": "san-francisco", "n_sensors": 20}, "my-report")  # doctest: +SKIP
    """
    watcher, folder = watcher_of(progress), Path(output)
    asked = parameters if isinstance(parameters, Parameters) else Parameters.from_dict(parameters)
    watcher.report(0.0, "reading the city")
    question = question_of(asked, city)
    need_libraries()
    with beside(folder, (PAGE, NOTEBOOK, WHAT_IF, "figures", "data")) as work:
        words = _for_notebook(asked, question.city, work, given=city is not None)
        span = SpanProgress(watcher, 0.02, 0.9)
        try:
            ended = run_notebook(
                notebook_named("report"), work / NOTEBOOK, words, work, progress=span
            )
        except NotebookError as error:
            if not _is_whole(work / NOTEBOOK):
                raise
            moved(work, folder, [NOTEBOOK])
            mend = f"The notebook with the error is {folder / NOTEBOOK}"
            raise NotebookError(error.what, mend=mend) from error
        if not ended or watcher.report(0.9, "writing the page"):
            return None
        _write_page(work, question)
        if what_if:
            if watcher.report(0.95, "writing the what-if page"):
                return None
            _write_what_if(work, question)
        moved(work, folder)
    watcher.report(1.0, "done")
    return folder / PAGE


def _is_whole(notebook: Path) -> bool:
    """Whether a notebook was written, and to its end."""
    try:
        return isinstance(json.loads(notebook.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False


def _for_notebook(asked: Parameters, city: City, work: Path, *, given: bool) -> dict[str, Any]:
    """Parameters for a notebook that runs in the report's folder."""
    words = {name: value for name, value in asdict(asked).items() if value not in (None, {})}
    words["output"] = "."
    if asked.store is not None:
        words["store"] = absolute_store(asked.store)
    if given or not is_built_in(asked.city) or asked.existing is not None:
        # The city lies beside the report: so the notebook can be run again, anywhere.
        city.to_geoparquet(work / _CITY)
        words["city"] = _CITY
        for name in ("city_options", "existing"):
            words.pop(name, None)
    return words


def _write_page(work: Path, question: Question) -> None:
    from spineq.report.html import write_page

    title, about = _title(question)
    today = date.today()
    lead = f"{about} Made on {today.day} {today:%B %Y} with spineq."
    write_page(work / NOTEBOOK, work / PAGE, title=title, lead=lead)


def _title(question: Question) -> tuple[str, str]:
    """Say in a line, and in a sentence, what a report is about."""
    problem, where = question.problem, question.city.name or "the city"
    if problem.reach:
        return (
            f"The fewest sensors in {where}",
            "How few reach the coverage that is asked for, where they stand, and how sure that is.",
        )
    if problem.changes_existing:
        go, move = problem.retire > 0, problem.move_at_most > 0
        done = "to give up and to move" if go and move else "to give up" if go else "to move"
        return (
            f"Sensors {done} in {where}",
            "Which of today's sensors, what that does for those who matter, and how sure it is.",
        )
    one = problem.n_sensors == 1
    sensors = "Sensors" if problem.n_sensors is None else counted(problem.n_sensors, "sensor")
    verb = "it covers" if one else "they cover"
    return (
        f"{sensors} in {where}",
        f"Where {verb} the people who matter best, and how sure that is.",
    )


def _write_what_if(work: Path, question: Question) -> None:
    from spineq.model.network import read_network
    from spineq.report.page import what_if

    what_if(read_network(work / "data" / "network.nc"), question.city, work / WHAT_IF)
