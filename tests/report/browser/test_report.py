"""The report on Newcastle in Chromium, the network cut: every picture, nothing from outside."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import pytest
from browser import Console, axe, screenshot
from command_line import good

import spineq as sq
from spineq.report.html import write_page

if TYPE_CHECKING:
    from playwright.sync_api import Page


# Two polygons of the city are not valid, which is said each time it is read.
pytestmark = pytest.mark.filterwarnings("ignore::spineq.SpineqWarning")


@pytest.fixture(scope="module")
def report(
    shared: Path, tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], ModuleType]
) -> Path:
    """55 sensors, theta 500, the four groups, with the existing network."""
    for name in ("papermill", "nbconvert", "openpyxl", "moocore"):
        needs(name)
    out = tmp_path_factory.mktemp("newcastle") / "report"
    city = shared / "data" / "cities" / "E08000021"
    began = time.monotonic()
    good("report", city, "-n", 55, "--theta", 500, "--output", out)
    print(f"the report took {time.monotonic() - began:.0f} s")
    return out


def test_every_picture_is_there_and_nothing_is_asked_for(report: Path, tab: Page) -> None:
    """Opened as by double click: one file, no request, no broken picture, no error."""
    console, asked = Console(tab), list[str]()
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto((report / "report.html").as_uri())
    pictures = "() => [...document.images].map((i) => i.complete && i.naturalWidth)"
    tab.wait_for_function("() => [...document.images].every((i) => i.complete)")
    widths = tab.evaluate(pictures)
    assert len(widths) == len(list((report / "figures").glob("*.png"))) == 14
    assert min(widths) > 500
    words = tab.evaluate("() => [...document.images].map((i) => i.alt)")
    assert all(len(text) > 20 for text in words)

    frame = tab.locator("iframe.map")
    frame.scroll_into_view_if_needed()
    canvas = tab.frame_locator("iframe.map").locator("canvas").first
    canvas.wait_for(timeout=30_000)
    outside = [url for url in asked if not url.startswith(("file:", "data:", "about:", "blob:"))]
    assert outside == []
    assert [url for url in asked if url.startswith("file:")] == [(report / "report.html").as_uri()]
    assert console.ours() == []
    screenshot(tab, "report-map")


def test_the_figures_are_those_of_the_library(report: Path, tab: Page, shared: Path) -> None:
    city = sq.read_city(shared / "data" / "cities" / "E08000021")
    net = sq.optimise(city, n_sensors=55, theta=500, groups=sq.GROUPS)
    now = sq.evaluate(city, "existing-points", theta=500, groups=sq.GROUPS, bound="none")
    tab.goto((report / "report.html").as_uri())
    page = tab.inner_text("main").replace("\N{NO-BREAK SPACE}", " ")
    for value in (net.total_coverage, now.total_coverage, *net.group_coverage.to_numpy()):
        assert f"{100 * float(value):.1f} %" in page
    assert "22 sensors, placed anew, reach a coverage of at least 36.7 %" in page
    assert "146" in page
    made = json.loads((report / "data" / "places.json").read_text(encoding="utf-8"))
    assert made["proven"]
    assert "All of these losses are proven." in page
    fewest = sq.optimise(city, reach="existing", theta=500, groups=sq.GROUPS)
    assert f"Proven fewest: {fewest.n_sensors} sensors reach what today's sensors give" in page
    assert "If 14 of the 143 places with a sensor today have to go" in page
    assert "Moving the sensors of 14 places of 143" in page
    assert "in 20 scenarios" in page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light")])
def test_it_reads_well(
    report: Path, tab: Page, width: int, scheme: Literal["light", "dark"]
) -> None:
    """By machine: contrast, names, order; nothing is wider than the window. Seen by hand too.

    Where windows are dark the page stays light, as a print does.
    """
    tab.emulate_media(color_scheme=scheme)
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto((report / "report.html").as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    if scheme == "light":
        assert axe(tab, "body") == []
    _pictures(tab, f"{scheme}-{width}", width)
    # Also what can be opened.
    for summary in tab.locator("main summary").all():
        summary.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    screenshot(tab, f"report-{scheme}-{width}")


#: Sections about what planners ask, and what their pictures are called.
SECTIONS = {
    "Why these places": "why-here",
    "Near-best alternatives": "what-else",
    "How few, and which to move": "how-few",
    "How sure": "how-sure",
}


def _pictures(tab: Page, suffix: str, width: int) -> None:
    """Keep a picture of each section about what planners ask, from its heading to the next."""
    places = tab.evaluate(
        "[...document.querySelectorAll('main h2')]"
        ".map((each) => [each.innerText, each.getBoundingClientRect().top + scrollY])"
    )
    found = {}
    for (title, top), (_, bottom) in itertools.pairwise(places):
        if title in SECTIONS:
            clip = {"x": 0, "y": top - 12, "width": width, "height": bottom - top}
            name = f"report-{SECTIONS[title]}-{suffix}"
            found[title] = screenshot(tab, name, full_page=True, clip=clip)
    assert set(found) == set(SECTIONS)


def test_widgets_of_a_notebook_do_not_break_its_page(
    root: Path, tmp_path: Path, tab: Page, needs: Callable[[str], ModuleType]
) -> None:
    """The panel's notebook, executed by papermill, becomes a page that says what is missing."""
    papermill = needs("papermill")
    needs("ipyleaflet")
    made = tmp_path / "panel.ipynb"
    papermill.execute_notebook(
        root / "notebooks" / "panel.ipynb", made, parameters={"store": str(tmp_path / "store")},
        cwd=tmp_path, kernel_name="python3", progress_bar=False,
    )  # fmt: skip
    page = write_page(made, tmp_path / "panel.html", title="The panel")
    console, asked = Console(tab), list[str]()
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    assert "there when the notebook is opened in JupyterLab" in tab.inner_text("main")
    assert console.ours() == []
    assert asked == [page.as_uri()]
