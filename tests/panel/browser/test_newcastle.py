"""The panel on a real city with existing sensors: against today, and between groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
from browser import Console, Lab, Traffic
from panel_page import ANSWER, PanelPage, measured

if TYPE_CHECKING:
    from playwright.sync_api import Page

GiveLab = Callable[..., Lab]


def test_better_for_older_people_than_today(
    lab: GiveLab, tab: Page, console: Console, shared: Path, tmp_path: Path
) -> None:
    """Twenty sensors beside the existing ones, compared with today, exported for a GIS."""
    folder = shared / "data" / "cities" / "E08000021"
    page = PanelPage(lab(), tab)
    page.start(f"sq.read_city({str(folder)!r})", store=str(tmp_path / "store"))
    page.root.locator("select[id$=-preset]").select_option("older")
    page.root.locator(".field[data-name=keep] input").check()
    page.put("n_sensors", 20)
    page.headline("beside the .* that stay", 60)
    page.press("run")
    page.headline(ANSWER, 60)
    page.until(
        "panel.network.n_kept > 100 and panel.network.n_sensors - panel.network.n_kept == 20"
    )

    compare = page.tab("compare")
    compare.locator("select").nth(1).select_option(label="Existing sensors")
    compare.locator("th", has_text="Older people (66+)").first.wait_for()
    assert page.python("panel.later['compare'].difference is not None") == "True"
    compare.locator("button[data-name=difference]").click()
    page.until("panel.map.shown_shading.key == 'difference'")

    results = page.tab("results")
    results.get_by_text("Who is covered").first.wait_for()
    with tab.expect_download() as caught:
        page.press("geojson")
    file = tmp_path / caught.value.suggested_filename
    caught.value.save_as(file)
    sensors = gpd.read_file(file)
    assert len(sensors) == int(page.python("panel.network.n_sensors"))
    assert sensors.crs == "EPSG:4326"
    assert page.errors() == ""
    assert console.ours() == []


def test_a_trade_off_is_found_brushed_and_put_on_the_map(
    lab: GiveLab, tab: Page, console: Console, shared: Path, tmp_path: Path
) -> None:
    """Children, older people and workers of Newcastle: a limit leaves fewer networks."""
    folder = shared / "data" / "cities" / "E08000021"
    page = PanelPage(lab(), tab)
    page.start(f"sq.read_city({str(folder)!r})", store=str(tmp_path / "store"))
    page.headline("Proven best", 60)
    box = page.tab("tradeoffs")
    box.get_by_text("Which groups compete").wait_for()
    box.locator("select[id$=-effort]").select_option(index=0)
    page.press("find")
    page.until("panel.state.front is not None", 120)
    box.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
    networks = int(page.python("panel.state.front.n_networks"))
    within = "int(panel.later['tradeoffs'].within.sum())"
    assert int(page.python(within)) == networks
    slider = box.locator(".field.range:visible input[type=range]").last
    slider.evaluate(
        """(slider) => {
             slider.value = (Number(slider.min) + Number(slider.max)) / 2;
             slider.dispatchEvent(new Event("input", {bubbles: true}));
           }"""
    )
    page.until(f"0 < {within} < {networks}")
    page.press("clear")
    page.until(f"{within} == {networks}")
    page.press("knee")
    page.headline("trade-off")
    assert page.errors() == ""
    assert console.ours() == []


def test_a_hundred_thousand_areas(
    lab: GiveLab, tab: Page, console: Console, traffic: Traffic, tmp_path: Path
) -> None:
    """They are a picture, and are recoloured as one."""
    page = PanelPage(lab(), tab)
    city = 'sq.demo_city("synthetic", n_areas=100_000)'
    first = page.start(city, store=str(tmp_path / "store"))
    measured("first paint of the panel, 100,000 areas", first)
    page.until("panel.map.painted == panel.map.serial", 60)
    page.lab.execute(tab, _RECOLOURED)
    page.until("len(times) == 8", 60)
    measured("recolouring 100,000 areas", float(page.python("sorted(times)[4]")), "500 ms")
    assert page.errors() == ""
    assert console.ours() == []


#: Colours the map eight times over, and notes how long each took to be painted.
_RECOLOURED = """
import threading, time
times = []
def recolour():
    keys = [key for key, _ in panel.map.bridge.options if key.startswith("density")][:2]
    for k in range(8):
        before, began = panel.map.painted, time.perf_counter()
        panel.map.shading = keys[(k + 1) % 2]
        while panel.map.painted <= before:
            time.sleep(0.002)
        times.append(time.perf_counter() - began)
threading.Thread(target=recolour, daemon=True).start()
"""
