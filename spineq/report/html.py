"""A notebook as one page: no code, nothing from outside, opens by double click."""

from __future__ import annotations

import html
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spineq.errors import MissingExtraError
from spineq.store import whole_file

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: Tag of cells that are for the notebook alone.
HIDDEN = "not-in-the-page"

#: What a widget leaves in a notebook: it needs a kernel, and scripts from outside.
_WIDGETS = ("application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json")

_A_WIDGET = "(Something to click, which is there when the notebook is opened in JupyterLab.)"

#: Nothing may come from outside, whatever an output says.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; "
    "script-src 'unsafe-inline' 'unsafe-eval'; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)

#: A second-level heading as nbconvert writes it.
_HEADING = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)


def write_page(
    notebook: NotebookNode | Path, path: str | Path, *, title: str, lead: str = ""
) -> Path:
    """Write an executed notebook as a page.

    Parameters
    ----------
    notebook
        Its file, or as nbformat reads it. Cells of code show their outputs alone; those tagged
        ``not-in-the-page`` nothing. Widgets become a sentence, and what was said on standard
        error is left out.
    path
        File to write; an earlier one is replaced in one step.
    title
        Title of the page.
    lead
        A sentence below the title.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingExtraError
        nbconvert is not installed.
    StoreError
        The file cannot be written.
    """
    body, headings = _anchored(_body(_read(notebook)))
    links = "".join(f"<li><a href='#{to}'>{words}</a></li>" for to, words in headings.items())
    static = resources.files("spineq.report") / "static"
    style = (static / "page.css").read_text(encoding="utf-8")
    contents = f"<nav aria-label='Contents'><ol>{links}</ol></nav>" if links else ""
    said = f"<p class='lead'>{html.escape(lead)}</p>" if lead else ""
    text = (
        "<!DOCTYPE html>\n"
        "<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{html.escape(title)}</title><style>{style}</style></head>\n"
        f"<body><header><h1>{html.escape(title)}</h1>{said}</header>\n{contents}\n"
        f"<main>{body}</main>\n</body></html>\n"
    )
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")
    return Path(path)


def _read(notebook: NotebookNode | Path) -> NotebookNode:
    if not isinstance(notebook, Path):
        return notebook
    import nbformat

    made: NotebookNode = nbformat.read(notebook, as_version=4)
    return made


def _body(notebook: NotebookNode) -> str:
    """Text, tables and pictures of a notebook as HTML."""
    try:
        from nbconvert import HTMLExporter
    except ImportError as error:
        msg = "a page of a notebook needs nbconvert, which is not installed"
        raise MissingExtraError(msg, mend='Install it: pip install "spineq[report]"') from error
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    text, _ = exporter.from_notebook_node(_plain(notebook))
    return str(text)


def _anchored(body: str) -> tuple[str, dict[str, str]]:
    """Give the headings names to link to; returns the body, and the headings by name."""
    headings: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        name = f"section-{len(headings) + 1}"
        headings[name] = found[1].strip()
        return f"<h2 id='{name}'>{headings[name]}</h2>"

    return _HEADING.sub(named, body), headings


def _plain(notebook: NotebookNode) -> NotebookNode:
    """Copy a notebook without what a page cannot show."""
    import copy

    made = copy.deepcopy(notebook)
    made.metadata.pop("widgets", None)
    made.cells = [
        cell for cell in made.cells if HIDDEN not in cell.get("metadata", {}).get("tags", ())
    ]
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                _without_widgets(output)
                for output in cell.outputs
                if output.get("name") != "stderr"
            ]
    return made


def _without_widgets(output: Any) -> Any:
    """Put a sentence in place of a widget."""
    data = output.get("data", {})
    if any(kind in data for kind in _WIDGETS):
        for kind in list(data):
            del data[kind]
        data["text/html"] = f"<p><em>{html.escape(_A_WIDGET)}</em></p>"
    return output
