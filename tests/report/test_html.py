"""A notebook as a page: no code, nothing from outside, widgets as a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from spineq.errors import StoreError
from spineq.report.html import write_page

WIDGET = {
    "application/vnd.jupyter.widget-view+json": {"model_id": "abc", "version_major": 2},
    "text/plain": "IntSlider(value=0)",
}


@pytest.fixture
def notebook(needs: Callable[[str], ModuleType]) -> Any:
    needs("nbconvert")
    v4: Any = needs("nbformat.v4")
    made = v4.new_notebook(metadata={"widgets": {"state": {"big": "x" * 1000}}})
    shown = v4.new_output("display_data", data={"text/html": "<p id='mine'>54 %</p>"})
    widget = v4.new_output("display_data", data=dict(WIDGET))
    loud = v4.new_output("stream", name="stderr", text="a warning of some library")
    plain = v4.new_output("stream", name="stdout", text="in words")
    hidden = v4.new_output("display_data", data={"text/html": "<p>not for the page</p>"})
    made.cells = [
        v4.new_markdown_cell("## The city & its people"),
        v4.new_code_cell("secret_code()", outputs=[shown, widget, loud, plain]),
        v4.new_markdown_cell("## The network"),
        v4.new_code_cell("write()", outputs=[hidden], metadata={"tags": ["not-in-the-page"]}),
    ]
    return made


def test_the_page_has_what_was_shown_and_no_code(notebook: Any, tmp_path: Path) -> None:
    path = write_page(notebook, tmp_path / "page.html", title="A <title>", lead="Said")
    text = path.read_text(encoding="utf-8")
    assert '<p id="mine">54 %</p>' in text
    assert "in words" in text
    assert "A &lt;title&gt;" in text
    for gone in ("secret_code", "a warning", "not for the page", "widget-view", "IntSlider"):
        assert gone not in text
    assert "opened in JupyterLab" in text


def test_the_contents_lead_to_the_headings(notebook: Any, tmp_path: Path) -> None:
    text = write_page(notebook, tmp_path / "p.html", title="T").read_text(encoding="utf-8")
    links = re.findall(r"<a href='#([^']+)'>([^<]+)</a>", text)
    assert [words for _, words in links] == ["The city &amp; its people", "The network"]
    for name, _ in links:
        assert f"id='{name}'" in text


def test_nothing_comes_from_outside(notebook: Any, tmp_path: Path) -> None:
    text = write_page(notebook, tmp_path / "p.html", title="T").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    assert "default-src 'none'" in text


def test_the_notebook_stays_as_it_was(notebook: Any, tmp_path: Path) -> None:
    """Its widgets are there when somebody opens it."""
    write_page(notebook, tmp_path / "p.html", title="T")
    assert notebook.cells[1].outputs[1].data == WIDGET
    assert "widgets" in notebook.metadata


def test_a_place_that_cannot_be_written(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        write_page(notebook, tmp_path / "file" / "p.html", title="T")
