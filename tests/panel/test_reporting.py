"""The button for a report: as a job, without a queue, stopped, and where there is no question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import spineq as sq
from spineq.errors import DataError
from spineq.jobs import tasks
from spineq.panel.reporting import FOLDER, Reporting
from spineq.panel.state import PanelState
from spineq.report.bundle import Bundle


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lone(needs: Callable[[str], ModuleType]) -> Any:
    """A state without a queue, that shows an answer."""
    needs("ipywidgets")
    state = PanelState(sq.demo_city())
    state.show(sq.optimise(sq.demo_city(), n_sensors=2, theta=500), "mine")
    yield state
    state.close()


def quick(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> list[dict[str, Any]]:
    """Have reports made without a notebook; returns what each was asked."""
    asked: list[dict[str, Any]] = []

    def made(city: Any, progress: Any, **parameters: Any) -> Bundle:
        asked.append(parameters)
        progress.report(0.5, "halfway")
        return Bundle(files)

    report = tasks.task_named("report")
    from dataclasses import replace

    monkeypatch.setitem(tasks._TASKS, "report", replace(report, function=made))
    return asked


def offered(view: Reporting) -> list[tuple[str, bytes]]:
    """Have the files that are handed to the browser kept."""
    files: list[tuple[str, bytes]] = []
    view.download.offer = (  # type: ignore[method-assign]
        lambda name, data, kind="": files.append((name, data))
    )
    return files


def test_the_page_goes_to_the_browser_and_all_into_a_folder(
    lone: PanelState, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = quick(monkeypatch, {"report.html": b"<p>", "data/sensors.csv": b"1"})
    view = Reporting(lone)
    files = offered(view)
    for _ in range(2):
        view._pressed({"press": "write"})
        view.errand.wait()
    assert asked[0]["n_sensors"] == 2
    assert files == [("spineq-san-francisco-2-sensors-theta-500.html", b"<p>")] * 2
    # The second does not replace the first.
    folders = sorted(path.name for path in (tmp_path / FOLDER).iterdir())
    stem = "spineq-san-francisco-2-sensors-theta-500"
    assert folders == [stem, f"{stem}-2"]
    assert (tmp_path / FOLDER / stem / "data" / "sensors.csv").read_bytes() == b"1"
    assert "all files are in the folder" in view.said
    view.close()


def test_a_stopped_report_leaves_nothing(
    lone: PanelState, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quick(monkeypatch, {})
    view = Reporting(lone)
    files = offered(view)
    view.write()
    view.errand.wait()
    assert files == []
    assert list(tmp_path.iterdir()) == []
    assert view.said == "No report was written."
    view.close()


def test_an_edited_network_has_no_question(lone: PanelState) -> None:
    """The button is not to be pressed then, and says why."""
    city = sq.demo_city()
    view = Reporting(lone)
    view.renew()
    (_, buttons, _) = view.form.fields
    assert not buttons["buttons"][0]["disabled"]
    lone.show(sq.evaluate(city, ["001", "002"], theta=500), "edited")
    view.renew()
    (_, buttons, _) = view.form.fields
    assert buttons["buttons"][0]["disabled"]
    with pytest.raises(DataError, match="edited or given"):
        view.write()
    lone.show(None)
    with pytest.raises(DataError, match="no network"):
        view.write()
    view.close()


@pytest.mark.slow
@pytest.mark.cluster
def test_with_a_queue_it_is_a_job(
    state: PanelState,
    needs: Callable[[str], ModuleType],
    tmp_path: Path,
    until: Callable[..., None],
) -> None:
    """A worker makes it, everybody sees it, and it uses the answer that is there."""
    for name in ("papermill", "nbconvert", "openpyxl", "moocore"):
        needs(name)
    queue = state.queue
    assert queue is not None
    assert state.city is not None
    net = queue.submit(state.city, n_sensors=2, theta=500).result(timeout=120)
    state.show(net, "mine")
    view = Reporting(state)
    files = offered(view)
    view.write()
    until(lambda: queue.jobs(task="report"))
    until(lambda: "%" in view.errand.words, 60.0)
    view.errand.wait(240.0)
    (job,) = queue.jobs(task="report")
    assert job.state == "finished"
    ((name, page),) = files
    assert name.endswith(".html")
    assert b"2 sensors in San Francisco" in page
    assert (tmp_path / FOLDER / name.removesuffix(".html") / "report.html").read_bytes() == page
    view.close()
