"""The panel on a server for a team: the repository's notebook under Voila."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from browser import Console, VoilaServer, axe, screenshot
from panel_page import ANSWER, wait_for_count

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_notebook_of_the_panel_runs_under_voila(
    voila: Callable[..., VoilaServer], tab: Page, console: Console, root: Path, tmp_path: Path
) -> None:
    """Preview, Run, and the answer on the map, without JupyterLab around it."""
    file = tmp_path / "panel.ipynb"
    shutil.copy(root / "notebooks" / "panel.ipynb", file)
    notebook = nbformat.read(file, as_version=4)
    assert "panel" in json.dumps(notebook.cells)
    environment = {"SPINEQ_STORE": str(tmp_path / "store")}
    voila(file, environment=environment).open(tab)
    panel = tab.locator(".spineq-panel")
    panel.locator("button[data-name=run]").wait_for(timeout=60_000)
    headline = panel.locator(".spineq-headline")
    headline.get_by_text("Proven best: no network of 20 sensors").wait_for(timeout=60_000)
    panel.locator("button[data-name=run]").click()
    headline.get_by_text(re.compile(ANSWER)).wait_for(timeout=60_000)
    wait_for_count(panel.locator(".leaflet-marker-icon.spineq-sensor.placed"), 20)
    for name in ("jobs", "results", "edit"):
        panel.locator(f".tabs button[data-name={name}]").click()
        panel.locator(f".spineq-tab-{name} .spineq").first.wait_for()
    screenshot(tab, "panel-voila")
    assert axe(tab, ".spineq-panel") == []
    assert console.ours() == []
