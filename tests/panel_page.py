"""What the tests of the panel do on its page, by what a person sees."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from browser import Lab

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

#: What the name of a job's answer ends with: the end of the job's id.
ANSWER = r", job [a-z0-9]{6}:"

#: Written by `measured`, and printed at the end of a file's tests.
FIGURES: list[str] = []


def measured(what: str, seconds: float, goal: str = "") -> None:
    """Note a time for the report; no test fails by it."""
    FIGURES.append(f"{what}: {1000 * seconds:,.0f} ms{f' (goal {goal})' if goal else ''}")
    print(FIGURES[-1])


def wait_for_count(found: Locator, count: int, seconds: float = 30.0) -> None:
    """Wait until a locator finds exactly so many elements."""
    from playwright.sync_api import expect

    expect(found).to_have_count(count, timeout=1000 * seconds)


class PanelPage:
    """A panel in a notebook of JupyterLab.

    Parameters
    ----------
    lab, page
        The server and the tab.
    name
        Name of the notebook.
    """

    def __init__(self, lab: Lab, page: Page, name: str = "panel") -> None:
        self.lab, self.page, self.name = lab, page, name
        self.root = page.locator(".spineq-panel").last

    def start(self, city: str, *, store: str, workers: int = 2, more: Sequence[str] = ()) -> float:
        """Open a notebook with the panel; returns seconds from its cell to its first paint."""
        cells = [
            "import spineq as sq",
            f"queue = sq.JobQueue(store={store!r}, n_workers={workers})\ncity = {city}",
            "import time\nbegan = time.time()\npanel = sq.Panel(city, queue)\npanel",
            *more,
        ]
        self.lab.open(self.page, self.lab.notebook(self.name, cells))
        self.lab.collapse_sidebars(self.page)
        self.lab.run_all(self.page)
        self.ready()
        return time.time() - float(self.python("began"))

    def ready(self) -> None:
        """Wait until form and map are there."""
        self.root.locator("button[data-name=run]").wait_for()
        self.root.locator(".leaflet-container").first.wait_for()

    def tab(self, name: str) -> Locator:
        """Open a tab, and return its box."""
        self.root.locator(f".tabs button[data-name={name}]").click()
        box = self.root.locator(f".spineq-tab-{name}")
        box.wait_for()
        return box

    def press(self, name: str) -> None:
        """Press the button that is shown and has this name."""
        self.root.locator(f".buttons button[data-name='{name}']:visible").first.click()

    def put(self, field: str, value: object) -> None:
        """Type into the number of a field."""
        box = self.root.locator(f".field[data-name={field}]:visible input[type=number]").first
        box.fill(str(value))

    def slide(self, field: str, value: object) -> None:
        """Move a field's slider, as a drag that ends there."""
        self.root.locator(f".field[data-name={field}]:visible input[type=range]").first.evaluate(
            """(slider, value) => {
                 slider.value = value;
                 slider.dispatchEvent(new Event("input", {bubbles: true}));
               }""",
            str(value),
        )

    def python(self, expression: str) -> str:
        """Value of an expression in the kernel, as printed."""
        return self.lab.execute(self.page, f"print({expression})").strip()

    def until(self, expression: str, seconds: float = 30.0) -> None:
        """Wait until an expression in the kernel is true."""
        end = time.monotonic() + seconds
        while self.python(f"bool({expression})") != "True":
            assert time.monotonic() < end, f"{expression} did not become true; {self.errors()}"
            time.sleep(0.1)

    def errors(self) -> str:
        """What the panel's line of errors says."""
        return self.python("panel.state.error + panel.state.error_details")

    def headline(self, words: str, seconds: float = 30.0) -> None:
        """Wait until the words under the map hold these."""
        found = self.root.locator(".spineq-headline").get_by_text(re.compile(words, re.I)).first
        found.wait_for(timeout=1000 * seconds)

    def sensors(self) -> Locator:
        """Markers of the main map's sensors."""
        return self.root.locator(".leaflet-marker-icon.spineq-sensor.placed")

    def placed(self, count: int) -> None:
        """Wait until so many sensors are on the map, which is drawn after the words under it."""
        wait_for_count(self.sensors(), count)

    def timed(self, act: Callable[[], Any], event: str, where: str, words: str) -> float:
        """Seconds in the page itself from an event that an act causes to words that follow.

        Parameters
        ----------
        act
            What is done, for example a drag.
        event
            Name of the DOM event that begins the time: the last of that name before the words.
        where, words
            CSS selector in the panel, and a pattern of the text that is to be there.
        """
        self.page.evaluate(
            """([event, where, words]) => {
                 const panel = [...document.querySelectorAll(".spineq-panel")].at(-1);
                 const pattern = new RegExp(words, "i");
                 const time = window.spineqTime = {began: null, took: null};
                 const begin = () => { if (time.took === null) time.began = performance.now(); };
                 document.addEventListener(event, begin, true);
                 const look = () => {
                   if (time.began === null || time.took !== null) return;
                   const found = [...panel.querySelectorAll(where)];
                   if (!found.some(one => pattern.test(one.textContent))) return;
                   requestAnimationFrame(() => {
                     time.took ??= performance.now() - time.began;
                     document.removeEventListener(event, begin, true);
                     observer.disconnect();
                   });
                 };
                 const observer = new MutationObserver(look);
                 observer.observe(panel, {childList: true, subtree: true, characterData: true,
                                          attributes: true});
               }""",
            [event, where, words],
        )
        act()
        self.page.wait_for_function("() => window.spineqTime.took !== null", timeout=30_000)
        took: float = self.page.evaluate("() => window.spineqTime.took")
        return took / 1000
