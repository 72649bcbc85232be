"""The panel in JupyterLab and Chromium, as a city officer would use it."""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pytest
from browser import Console, Lab, Traffic, axe, screenshot
from panel_page import ANSWER, FIGURES, PanelPage, measured

import spineq as sq

if TYPE_CHECKING:
    from playwright.sync_api import Page

GiveLab = Callable[..., Lab]


@pytest.fixture(scope="module", autouse=True)
def _report() -> Iterator[None]:
    """Print what was measured, together."""
    yield
    print("\nMeasured in the browser:", *FIGURES, sep="\n  ")


def _open(lab: GiveLab, tab: Page, city: str, store: Path, **words: Any) -> PanelPage:
    page = PanelPage(lab(), tab)
    first = page.start(city, store=str(store), **words)
    measured(f"first paint of the panel, {city}", first, "3 s")
    return page


def test_from_set_up_to_export(lab: GiveLab, tab: Page, console: Console, tmp_path: Path) -> None:
    """Set up, preview, run, look, export on the demo city; the GeoJSON reads back equal."""
    page = _open(lab, tab, "sq.demo_city()", tmp_path / "store")
    page.headline("preview")
    page.headline("Proven best: no network of 20 sensors")
    # A wrong value is marked at its field, and nothing is submitted.
    page.put("n_sensors", 500)
    wrong = page.root.locator(".field[data-name=n_sensors] .wrong")
    wrong.get_by_text("190").wait_for()
    page.press("run")
    assert page.python("queue.ids()") == "[]"
    page.put("n_sensors", 12)
    page.headline("Proven best: no network of 12 sensors")
    took = page.timed(lambda: page.press("run"), "click", ".spineq-headline", ANSWER)
    measured("Run to the proven network, San Francisco", took, "2 s")
    page.placed(12)
    # Recolour.
    shows = page.root.locator(".spineq-map-bar select").first
    for label in shows.locator("option").all_text_contents():
        shows.select_option(label=label)
        page.until("panel.map.painted == panel.map.serial")
        page.root.locator(".spineq-legend").first.wait_for()
    shows.select_option(index=0)
    # Export.
    results = page.tab("results")
    results.get_by_text("Who is covered").wait_for()
    results.get_by_text("Counted at centroids, one point in the middle of each area").wait_for()
    with tab.expect_download() as caught:
        page.press("geojson")
    file = tmp_path / caught.value.suggested_filename
    caught.value.save_as(file)
    assert re.fullmatch(r"spineq-san-francisco-12-sensors-theta-500\.geojson", file.name)
    read = gpd.read_file(file)
    wanted = sq.optimise(sq.demo_city(), n_sensors=12, theta=500)
    assert read.crs == "EPSG:4326"
    assert list(read["site"]) == list(wanted.sensors["site"])
    back = read.to_crs(sq.demo_city().crs)
    assert abs(back.geometry.x.to_numpy() - wanted.sensors["x"].to_numpy()).max() < 0.01
    assert page.errors() == ""
    assert console.ours() == []


def test_a_click_and_an_answer_on_its_way_do_not_undo_each_other(
    lab: GiveLab, tab: Page, console: Console, tmp_path: Path
) -> None:
    """What the kernel changes while a person changes something else: both stay."""
    page = _open(lab, tab, "sq.demo_city()", tmp_path / "store")
    page.headline("Proven best: no network of 20 sensors")
    page.lab.execute(tab, _SLOW)
    page.root.locator("select[id$=-preset]").select_option("older")
    box = page.root.locator(".field[data-name=live] input")
    box.uncheck()
    page.root.get_by_text("Chosen: Older people first").wait_for()
    assert not box.is_checked()
    page.until("not panel.setup.form.values['live']")
    groups = page.python("[group['who'] for group in panel.setup.form.values['groups']]")
    assert groups == "['pop_elderly', 'pop_total']"
    assert not box.is_checked()
    assert page.errors() == ""
    assert console.ours() == []


def test_dragging_a_sensor_changes_the_figures(
    lab: GiveLab, tab: Page, console: Console, tmp_path: Path
) -> None:
    """Drag, undo, add by a click, delete by a key; the figures follow."""
    page = _open(lab, tab, "sq.demo_city()", tmp_path / "store")
    page.headline("Proven best: no network of 20 sensors")
    edit = page.tab("edit")
    edit.get_by_text("Proven best").wait_for()
    before = page.python("panel.network.total_coverage")
    # What a panel loads two seconds after it came is no part of the time.
    tab.wait_for_timeout(4_000)
    marker = page.sensors().first
    marker.scroll_into_view_if_needed()
    box = marker.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + 30, y + 20, steps=5)
    tab.mouse.move(x + 60, y + 40, steps=5)
    took = page.timed(tab.mouse.up, "mouseup", ".spineq-tab-edit", "below the proven best")
    measured("drag end to new figures, San Francisco", took, "150 ms")
    assert page.python("panel.network.total_coverage") != before
    page.press("undo")
    edit.get_by_text("as good as the proven best").wait_for()
    page.press("add")
    page.root.locator("button[data-name=add][aria-pressed=true]").wait_for()
    area = page.root.locator(".leaflet-container").first.bounding_box()
    assert area is not None
    tab.mouse.click(area["x"] + area["width"] * 0.35, area["y"] + area["height"] * 0.6)
    page.until("panel.network.n_sensors == 21")
    page.press("move")
    page.root.locator("button[data-name=move][aria-pressed=true]").wait_for()
    last = page.sensors().last
    last.focus()
    tab.keyboard.press("Delete")
    page.until("panel.network.n_sensors == 20")
    assert page.errors() == ""
    assert console.ours() == []


def test_progress_moves_and_another_job_can_be_cancelled(
    lab: GiveLab, tab: Page, console: Console, traffic: Traffic, tmp_path: Path
) -> None:
    """A job of twenty seconds shows at least five figures; a second one is cancelled and ends."""
    city = 'sq.demo_city("synthetic", n_areas=10_000)'
    page = _open(lab, tab, city, tmp_path / "store")
    page.root.get_by_text("could not keep up").wait_for()
    page.put("n_sensors", 100)
    page.press("run")
    page.tab("jobs")
    row = page.root.locator(".spineq-tab-jobs tbody tr").first
    row.locator(".bar").wait_for()
    page.python("queue.submit(city, n_sensors=90, theta=400, note='the other').id")
    other = page.root.locator(".spineq-tab-jobs tbody tr", has_text="the other")
    other.locator(".state", has_text="running").wait_for(timeout=60_000)
    seen: set[str] = set()
    end = time.monotonic() + 60
    first = page.root.locator(".spineq-tab-jobs tbody tr", has_text="100 sensors")
    while len(seen) < 5:
        assert time.monotonic() < end
        bar = first.locator(".bar")
        if bar.count():
            seen.add(str(bar.get_attribute("aria-valuenow", timeout=5000)))
        time.sleep(0.1)
    other.locator("button[data-action=cancel]").click()
    other.locator(".state", has_text="cancelled").wait_for(timeout=20_000)
    page.headline(ANSWER, 120)
    page.until("panel.map.painted == panel.map.serial")
    # What a recolouring costs at 10,000 areas.
    traffic.reset()
    shows = page.root.locator(".spineq-map-bar select").first
    began = time.perf_counter()
    serial = int(page.python("panel.map.serial"))
    shows.select_option(index=1)
    page.until(f"panel.map.serial > {serial} and panel.map.painted == panel.map.serial")
    measured("recolouring 10,000 areas, asking included", time.perf_counter() - began, "300 ms")
    assert traffic.received_bytes < 200_000
    assert page.errors() == ""
    assert console.ours() == []


def test_a_restarted_kernel_finds_its_job_again(lab: GiveLab, tab: Page, tmp_path: Path) -> None:
    """In the middle of a job: the panel comes back with it, its progress, and then its answer."""
    city = 'sq.demo_city("synthetic", n_areas=10_000)'
    page = _open(lab, tab, city, tmp_path / "store")
    page.put("n_sensors", 80)
    page.press("run")
    page.root.locator("tbody tr .bar").first.wait_for()
    job = page.python("panel.state.job")
    page.lab.restart_and_run_all(tab)
    page.ready()
    assert page.python("panel.state.job") == job
    page.root.locator("tbody tr .bar").first.wait_for(timeout=60_000)
    page.headline(ANSWER, 120)


def test_a_page_that_is_opened_again_shows_the_same(
    lab: GiveLab, tab: Page, tmp_path: Path
) -> None:
    """The browser tab is closed, a job finishes meanwhile, and the panel is there again."""
    page = _open(lab, tab, "sq.demo_city()", tmp_path / "store")
    page.headline("Proven best: no network of 20 sensors")
    page.put("n_sensors", 14)
    page.headline("of 14 sensors")
    page.press("run")
    page.headline(ANSWER)
    tab.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    tab.wait_for_function(
        "() => !window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=20_000
    )
    again = tab.context.new_page()
    tab.close()
    page.lab.open(again, "panel.ipynb")
    same = PanelPage(page.lab, again)
    same.ready()
    same.headline(ANSWER)
    same.placed(14)
    number = same.root.locator(".field[data-name=n_sensors]:visible input[type=number]").first
    assert number.input_value() == "14"
    same.tab("jobs").locator(".state", has_text="finished").wait_for()


def test_a_killed_scheduler_is_said_and_got_over(lab: GiveLab, tab: Page, tmp_path: Path) -> None:
    """In words; a job that was submitted is done all the same, and the line goes."""
    page = _open(lab, tab, "sq.demo_city()", tmp_path / "store")
    page.headline("Proven best: no network of 20 sensors")
    page.lab.execute(tab, "import asyncio\nqueue.client.sync(queue.client.cluster.scheduler.close)")
    page.root.locator(".message.bad").first.wait_for(timeout=30_000)
    words = page.root.locator(".message.bad").first.text_content() or ""
    assert "Jobs are safe" in words
    page.put("n_sensors", 9)
    page.press("run")
    page.headline(ANSWER, 90)
    page.root.locator(".message.bad").first.wait_for(state="detached", timeout=60_000)


def test_two_notebooks_see_each_others_jobs(lab: GiveLab, tab: Page, tmp_path: Path) -> None:
    """A job of one appears in the other within a second, and can be cancelled there."""
    store = tmp_path / "store"
    city = 'sq.demo_city("synthetic", n_areas=10_000)'
    one = _open(lab, tab, city, store)
    second = tab.context.new_page()
    two = PanelPage(one.lab, second, "second")
    two.start(city, store=str(store))
    rows = two.tab("jobs").locator("tbody tr")
    one.put("n_sensors", 100)
    # What a panel loads two seconds after it came is no part of the time.
    second.wait_for_timeout(5_000)
    # From the click itself: before it, Playwright waits for a page that is not in front.
    tab.evaluate(
        """() => document.addEventListener("click", () => { window.spineqClicked = Date.now(); },
                                           {capture: true, once: true})"""
    )
    one.press("run")
    rows.first.wait_for()
    took = time.time() - tab.evaluate("() => window.spineqClicked") / 1000
    measured("submitted in one notebook to seen in the other", took, "1 s")
    rows.first.locator(".state", has_text="running").wait_for(timeout=30_000)
    rows.first.locator("button[data-action=cancel]").click()
    mine = one.tab("jobs").locator("tbody tr").first
    mine.locator(".state", has_text="cancelled").wait_for(timeout=20_000)
    second.close()


def test_sliding_previews_within_moments(
    lab: GiveLab, tab: Page, traffic: Traffic, tmp_path: Path
) -> None:
    """910 areas: slider to greedy, to the proven best; bytes of an update."""
    page = _open(lab, tab, 'sq.demo_city("synthetic", n_areas=910)', tmp_path / "store")
    page.headline("Proven best: no network of 20 sensors", 60)
    quick, proven = [], []
    for n in (21, 23, 26, 30, 24):
        move = functools.partial(page.slide, "n_sensors", n)
        quick.append(page.timed(move, "input", ".spineq-headline", "preview \\(greedy\\)"))
        page.headline(f"Proven best: no network of {n} sensors")
    for n in (21, 23, 26, 30, 24):
        move = functools.partial(page.slide, "n_sensors", n)
        proven.append(page.timed(move, "input", ".spineq-headline", f"best: no network of {n} "))
    measured("slider to greedy preview, 910 areas", sorted(quick)[2], "150 ms")
    measured("slider to proven preview, 910 areas", sorted(proven)[2], "1.5 s")
    assert page.python("queue.ids()") == "[]"
    # One recolouring, alone.
    shows = page.root.locator(".spineq-map-bar select").first
    traffic.reset()
    shows.select_option(index=1)
    tab.wait_for_timeout(500)
    assert traffic.received_bytes < 20_000, traffic.received_bytes


def test_a_city_of_the_size_of_london(
    lab: GiveLab, tab: Page, traffic: Traffic, console: Console, tmp_path: Path
) -> None:
    """25,000 areas: set up, run and look; its map is a picture, and no message is heavy."""
    page = _open(lab, tab, 'sq.demo_city("synthetic", n_areas=25_000)', tmp_path / "store")
    page.root.get_by_text("No preview: with 25,000 areas it could not keep up").wait_for()
    assert traffic.received_bytes < 6_000_000, traffic.received_bytes
    page.put("n_sensors", 30)
    began = time.monotonic()
    page.press("run")
    page.headline(ANSWER, 240)
    measured("Run to a network with its bound, 25,000 areas", time.monotonic() - began)
    page.placed(30)
    page.tab("results").get_by_text("Who is covered").wait_for()
    screenshot(page.root, "panel-25000-areas")
    shows = page.root.locator(".spineq-map-bar select").first
    traffic.reset()
    shows.select_option(index=1)
    page.until("panel.map.painted == panel.map.serial")
    assert traffic.received_bytes < 1_500_000, traffic.received_bytes
    assert page.errors() == ""
    assert console.ours() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_tab_is_accessible_and_looks_right(
    lab: GiveLab, tab: Page, console: Console, tmp_path: Path, dark: bool
) -> None:
    """No violation of axe-core in our part, and a picture of every tab in two widths."""
    page = _open(lab, tab, "sq.demo_city()", tmp_path / "store")
    page.lab.theme(tab, dark)
    page.headline("Proven best: no network of 20 sensors")
    page.press("run")
    page.headline(ANSWER)
    found = {}
    for width in (1600, 900):
        tab.set_viewport_size({"width": width, "height": 1000})
        for name in ("setup", "jobs", "results", "edit", "compare", "tradeoffs"):
            box = page.tab(name)
            box.locator(".spineq").first.wait_for()
            if name == "results":
                box.get_by_text("Counted at centroids").wait_for()
            tab.wait_for_timeout(1500 if width == 1600 else 500)
            screenshot(page.root, f"panel-{name}-{'dark' if dark else 'light'}-{width}")
            if width == 1600:
                found[name] = axe(tab, ".spineq-panel")
            wide = page.root.evaluate("e => e.scrollWidth - e.clientWidth")
            assert wide <= 1, f"{name} is {wide} px too wide at {width} px"
    assert not any(found.values()), json.dumps(found, indent=1)
    assert console.ours() == []


#: A preset that takes its time.
_SLOW = """
from spineq.panel import controls
real = controls.preset_values
def slowly(*words):
    time.sleep(1.5)
    return real(*words)
controls.preset_values = slowly
"""
