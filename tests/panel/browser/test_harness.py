"""The machinery of the browser tests: what it opens, waits for, counts and finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import Console, Lab, Traffic, VoilaServer, axe, screenshot, write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: A map, a button that answers from Python, and a widget that reaches the map's Leaflet object.
CELLS = [
    "import anywidget\nimport ipyleaflet\nimport ipywidgets\nimport traitlets",
    '''
class Bridge(anywidget.AnyWidget):
    _esm = """
    export default {
      render({model, el}) {
        const said = document.createElement("p");
        said.className = "said";
        el.append(said);
        let gone = false;
        (async () => {
          const map = await model.widget_manager.get_model(model.get("map"));
          while (!gone) {
            const views = await Promise.all(Object.values(map.views ?? {}));
            const view = views.find(view => view.obj);
            if (view) {
              said.textContent = `${window.L.version} ${view.obj instanceof window.L.Map} `
                + `${view.obj.getZoom()}`;
              return;
            }
            await new Promise(resolve => setTimeout(resolve, 30));
          }
        })();
        return () => { gone = true; };
      },
    };
    """
    map = traitlets.Unicode().tag(sync=True)
''',
    """
map_ = ipyleaflet.Map(layers=(), max_zoom=18, center=(54.97, -1.61), zoom=12)
button = ipywidgets.Button(description="Press")
answer = ipywidgets.Label("not yet")
button.on_click(lambda _: setattr(answer, "value", "pressed"))
box = ipywidgets.VBox([Bridge(map=map_.model_id), map_, button, answer])
box.add_class("harness")
box
""",
]

#: What `Bridge` says: Leaflet's version, that it is the page's own Leaflet, the map's zoom.
BRIDGED = "1.9.4 true 12"


def works(page: Page) -> None:
    """Look at the widgets, and press the button."""
    ours = page.locator(".harness")
    ours.locator(".leaflet-container").wait_for()
    ours.locator(".said", has_text=BRIDGED).wait_for()
    ours.get_by_role("button", name="Press").click()
    ours.get_by_text("pressed").wait_for()


def background(page: Page) -> int:
    """Red of the page's background, 0 to 255."""
    red: int = page.evaluate(
        """() => {
             const probe = document.createElement("div");
             probe.style.color = "var(--jp-layout-color0)";
             document.body.append(probe);
             return Number(getComputedStyle(probe).color.match(/\\d+/)[0]);
           }"""
    )
    return red


def test_a_notebook_runs_in_lab(
    lab: Callable[..., Lab], tab: Page, console: Console, traffic: Traffic
) -> None:
    """Widgets of three kinds are drawn, answer, and say nothing on the console; twice."""
    server = lab()
    server.open(tab, server.notebook("harness", CELLS))
    server.collapse_sidebars(tab)
    server.run_all(tab)
    works(tab)
    assert traffic.types["comm_open"] > 5

    traffic.reset()
    tab.locator(".harness").get_by_role("button", name="Press").click()
    tab.wait_for_timeout(300)
    assert traffic.sent >= 1
    assert 0 < traffic.received_bytes < 20_000

    server.restart_and_run_all(tab)
    works(tab)
    assert server.execute(tab, "print(answer.value)") == "pressed\n"
    assert console.ours() == []


def test_themes(lab: Callable[..., Lab], tab: Page) -> None:
    """Lab turns dark and light again, and pictures of it are kept."""
    server = lab()
    server.open(tab, server.notebook("themes", ["print('hello')"]))
    for dark in (True, False):
        server.theme(tab, dark)
        assert (background(tab) < 128) is dark
        assert screenshot(tab, f"harness-{'dark' if dark else 'light'}").stat().st_size > 5_000


def test_a_failing_cell_fails(lab: Callable[..., Lab], tab: Page) -> None:
    """The traceback is in the message, and so is one of code run beside the cells."""
    server = lab()
    server.open(tab, server.notebook("fails", ["wanted = 0", "1 / wanted"]))
    with pytest.raises(AssertionError, match="ZeroDivisionError: division by zero"):
        server.run_all(tab)
    with pytest.raises(AssertionError, match="NameError"):
        server.execute(tab, "missing")


def test_variables_reach_the_kernel(lab: Callable[..., Lab], tab: Page) -> None:
    """Kernels have the variables that the test names."""
    server = lab(SPINEQ_STORE="/somewhere")
    server.open(tab, server.notebook("variables", ["import os"]))
    server.run_all(tab)
    assert server.execute(tab, "print(os.environ['SPINEQ_STORE'])") == "/somewhere\n"


@pytest.mark.parametrize("dark", [False, True])
def test_the_same_notebook_in_voila(
    voila: Callable[..., VoilaServer], tab: Page, console: Console, tmp_path: Path, dark: bool
) -> None:
    """Voila draws the same widgets, which answer, in either theme."""
    notebook = tmp_path / "harness.ipynb"
    write_notebook(notebook, CELLS)
    voila(notebook, dark=dark).open(tab)
    works(tab)
    assert (background(tab) < 128) is dark
    assert console.ours() == []


def test_voila_shows_a_failing_cell(
    voila: Callable[..., VoilaServer], tab: Page, tmp_path: Path
) -> None:
    """Opening a notebook whose cell fails fails with the traceback."""
    notebook = tmp_path / "fails.ipynb"
    write_notebook(notebook, ["1 / 0"])
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        voila(notebook).open(tab)


def test_console_keeps_what_is_ours(tab: Page, console: Console) -> None:
    """Errors of a page's own are kept, known noise is not counted."""
    tab.set_content("<script>console.warn('mild'); console.error('ours');</script>")
    tab.evaluate("() => console.error('no https://cdn.jsdelivr.net/x.css')")
    tab.evaluate("() => { setTimeout(() => { throw new Error('thrown'); }, 0); }")
    tab.wait_for_timeout(100)
    assert len(console.errors()) == 3
    ours = console.ours()
    assert len(ours) == 2
    assert "ours" in ours[0]
    assert "thrown" in ours[1]
    assert len(console.ours("thrown")) == 1


#: An input without a name, and grey on white.
BAD = """<html lang="en"><body><div class="mine"><input type="text">
<p style="color: #aaa; background: #fff">Too faint to read</p></div></body></html>"""

GOOD = """<html lang="en"><body><div class="mine"><label>Name <input type="text"></label>
<p style="color: #222; background: #fff">Easy to read</p></div></body></html>"""


def test_axe(needs: Callable[[str], object], tab: Page) -> None:
    """axe finds what is wrong in a part of a page, and nothing in a good one."""
    needs("axe_playwright_python")
    tab.set_content(BAD)
    found = axe(tab, ".mine")
    assert sorted(one.split()[0] for one in found) == ["color-contrast", "label"]
    assert "#aaaaaa" in found[0] + found[1]
    assert [one.split()[0] for one in axe(tab, "p", without=["label"])] == ["color-contrast"]
    assert axe(tab, ".mine", without=["label", "color-contrast"]) == []
    tab.set_content(GOOD)
    assert axe(tab, ".mine") == []
    with pytest.raises(AssertionError, match="nothing"):
        axe(tab, ".missing")


def test_axe_sees_what_lab_clips(
    needs: Callable[[str], object], lab: Callable[..., Lab], tab: Page
) -> None:
    """Faint text far down in a notebook's output is found, though Lab clips and scrolls."""
    needs("axe_playwright_python")
    server = lab()
    faint = "<p style='color: #aaa; background: #fff'>Too faint to read</p>"
    fine = "<p style='color: #222; background: #fff'>Easy to read</p>" * 80
    cell = f'from ipywidgets import HTML\nmade = HTML("{fine}{faint}")\nmade.add_class("far")\nmade'
    server.open(tab, server.notebook("axe", [cell]))
    server.run_all(tab)
    (found,) = axe(tab, ".far")
    assert found.startswith("color-contrast")
    assert "Too faint" in found
