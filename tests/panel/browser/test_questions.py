"""The questions about a network in JupyterLab and Chromium, as somebody who has to decide asks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from browser import Console, Lab, axe, screenshot
from panel_page import ANSWER, PanelPage, wait_for_count

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

GiveLab = Callable[..., Lab]

#: San Francisco with eight sensors of today.
_CITY = (
    'sq.demo_city().with_existing(sq.demo_city().sites[["x", "y"]].iloc[[3, 20, 41, 77, 90, 120, '
    '150, 180]].rename_axis("sensor_id").reset_index().assign(x=lambda t: t["x"] + 30))'
)


class _Walk:
    """Somebody who goes from question to question, and takes pictures in both themes."""

    def __init__(self, page: PanelPage, tab: Page) -> None:
        self.page, self.tab = page, tab
        self.began = time.time()
        self.found: dict[str, list[str]] = {}

    def turn(self, name: str) -> Locator:
        """Turn to a question, and return its box."""
        self.page.root.locator(f".spineq-questions .tabs button[data-name={name}]").click()
        box = self.page.root.locator(f".spineq-tab-{name}")
        box.wait_for()
        return box

    def picture(self, name: str, *, look: bool = False) -> None:
        """Take a picture in the light and in the dark; and look there for what hinders people."""
        print(name, round(time.time() - self.began, 1))
        for dark in (False, True):
            self.page.lab.theme(self.tab, dark)
            self.tab.wait_for_timeout(200)
            screenshot(self.page.root, f"questions-{name}-{'dark' if dark else 'light'}")
        if look:
            self.found[name] = axe(self.tab, ".spineq-questions")
        wide = self.page.root.evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide <= 1, f"{name} is {wide} px too wide"


def test_every_question_is_asked_and_answered(
    lab: GiveLab, tab: Page, console: Console, tmp_path: Path
) -> None:
    """Why here and not there, how sure, how few, which to move, what else; by mouse and keys."""
    # High enough for a whole question in one picture.
    tab.set_viewport_size({"width": 1600, "height": 2450})
    page = PanelPage(lab(), tab)
    page.start(_CITY, store=str(tmp_path / "store"))
    walk = _Walk(page, tab)
    page.headline("Proven best: no network of 20 sensors")
    page.put("n_sensors", 8)
    page.headline("Proven best: no network of 8 sensors")
    page.press("run")
    page.headline(ANSWER)
    page.tab("questions")

    # Why here: by the table, by the map with a key, and by a click on a place.
    why = walk.turn("why")
    why.locator("tbody tr button").nth(1).click()
    why.get_by_text("Sensor 2 at").first.wait_for()
    marker = page.root.get_by_label("Sensor 3 of 8").first
    marker.focus()
    tab.keyboard.press("Enter")
    why.get_by_text("Sensor 3 at").first.wait_for()
    page.press("refuse")
    why.get_by_text("Looked at 8 sensors").wait_for(timeout=60_000)
    walk.picture("why-here", look=True)
    box = page.root.locator(".leaflet-container").first.bounding_box()
    assert box is not None
    tab.mouse.click(box["x"] + 0.42 * box["width"], box["y"] + 0.62 * box["height"])
    why.get_by_text("No sensor was put at").wait_for(timeout=60_000)
    page.root.locator(".leaflet-marker-icon.spineq-sensor.asked").wait_for()
    walk.picture("why-not-there")

    # How sure.
    sure = walk.turn("sure")
    page.root.locator(".leaflet-marker-icon.spineq-sensor.asked").wait_for(state="detached")
    page.put("failures", 2)
    page.press("fail")
    sure.get_by_text("Whichever 2 sensors fail").wait_for(timeout=60_000)
    page.put("number", 20)
    page.press("solve")
    sure.get_by_text("In how many scenarios").wait_for(timeout=60_000)
    page.press("colour")
    page.root.locator(".spineq-legend").get_by_text("Share of 20 scenarios").first.wait_for()
    walk.picture("how-sure", look=True)

    # A question that is cancelled.
    page.put("number", 2_000)
    page.press("solve")
    sure.locator(".bar").last.wait_for(state="attached")
    sure.get_by_text("scenarios solved").first.wait_for(timeout=30_000)
    walk.picture("running")
    sure.locator("button[data-action=cancel]:visible").click()
    sure.get_by_text("Cancelled after").wait_for(timeout=30_000)

    # What else.
    others = walk.turn("others")
    page.press("others")
    others.get_by_label("Show Alternative 2 on the map").click(timeout=60_000)
    page.headline("Alternative 2")
    walk.picture("what-else")

    # How few.
    few = walk.turn("few")
    page.press("fewest")
    few.get_by_text("today's sensors give every group").last.wait_for(timeout=60_000)
    page.headline("fewest sensors")
    walk.picture("how-few")

    # Which to move.
    change = walk.turn("change")
    page.put("retire", 2)
    page.put("move", 1)
    page.put("add", 1)
    page.press("change")
    change.get_by_text("These go").wait_for(timeout=60_000)
    wait_for_count(page.root.locator(".leaflet-marker-icon.spineq-sensor.gone"), 3)
    walk.picture("which-move", look=True)

    # The network of another question does no harm elsewhere.
    page.tab("edit").get_by_text("Coverage now").wait_for()
    page.tab("results").get_by_text("Who is covered").wait_for()
    assert page.errors() == ""
    assert console.ours() == []
    assert not any(walk.found.values()), json.dumps(walk.found, indent=1)
