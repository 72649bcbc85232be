"""The map in JupyterLab: what is drawn, what the mouse and the keyboard do, how fast."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from browser import Console, Lab, Traffic, axe, screenshot

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SETUP = """
import json, threading, time
import spineq as sq
from spineq.panel.map import NetworkMap
from spineq.panel.state import PanelState

def until(ready, seconds=15):
    end = time.perf_counter() + seconds
    while not ready() and time.perf_counter() < end:
        time.sleep(0.005)

def colour(key):
    "Milliseconds from the choice of what the map shows until a page has painted it."
    began, wanted = time.perf_counter(), view.serial + 1
    view.shading = key
    until(lambda: view.painted >= wanted)
    return 1000 * (time.perf_counter() - began)

def colours():
    "Run outside the cell, as a cell that blocks hears nothing of the page."
    for k in range(8):
        times.append(colour("density:pop_total" if k % 2 == 0 else "coverage"))
        time.sleep(0.2)

times, edits = [], []
"""

SAN_FRANCISCO = (
    SETUP
    + """
city = sq.demo_city()
net = sq.optimise(city, n_sensors=20, theta=500, method="greedy", bound="none")
state = PanelState(city)
state.show(net, "result")

def edit(event):
    edits.append(event)
    places = net.sensors[["x", "y"]].to_numpy().copy()
    if event["kind"] == "move":
        places[event["sensor"]] = event["x"], event["y"]
    state.network = sq.evaluate(city, sensors=places, theta=500, bound="none")

view = NetworkMap(state)
view.on_edit(edit)
view
"""
)

SYNTHETIC = (
    SETUP
    + """
city = sq.demo_city("synthetic", n_areas={n})
net = sq.evaluate(city, sensors=list(city.sites.index[::200]), theta=500, bound="none")
state = PanelState(city)
state.show(net, "given")
view = NetworkMap(state)
view
"""
)


def opened(lab: Lab, tab: Page, name: str, cell: str) -> Locator:
    """Open a notebook of one cell, and wait until its map is drawn."""
    lab.open(tab, lab.notebook(name, [cell]))
    lab.run_all(tab)
    lab.collapse_sidebars(tab)
    place = tab.locator(".spineq-map").first
    waited(lab, tab, "view.shown")
    place.locator(".leaflet-container").evaluate("map => map.scrollIntoView({block: 'center'})")
    return place


def waited(lab: Lab, tab: Page, what: str) -> None:
    """Wait until something is true in the kernel, which hears the page between the questions."""
    for _ in range(100):
        if lab.execute(tab, f"print(bool({what}))").strip() == "True":
            return
        tab.wait_for_timeout(50)
    pytest.fail(f"never true: {what}")


def said(lab: Lab, tab: Page, what: str) -> Any:
    """Value of an expression in the kernel."""
    return json.loads(lab.execute(tab, f"print(json.dumps({what}))"))


def test_mouse_and_keyboard(lab: Callable[..., Lab], tab: Page, console: Console) -> None:
    """Sensors are moved, added and deleted by mouse and by keyboard; the page has no errors."""
    jupyter = lab()
    view = opened(jupyter, tab, "map-edit", SAN_FRANCISCO)
    third = view.get_by_label("Sensor 3 of 20", exact=True)
    assert view.locator(".spineq-sensor.placed").and_(view.locator("[aria-label]")).count() == 20
    # Looking changes nothing.
    third.focus()
    tab.keyboard.press("Delete")
    assert said(jupyter, tab, "edits") == []

    jupyter.execute(tab, "view.mode = 'move'")
    box = third.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + 30, y + 10, steps=5)
    tab.mouse.up()
    waited(jupyter, tab, "len(edits) == 1")
    assert said(jupyter, tab, "[edits[0]['kind'], edits[0]['sensor']]") == ["move", 2]
    moved = "edits[0]['x'] - net.sensors.x[3]"
    assert 300 < said(jupyter, tab, moved) < 3000

    third.focus()
    tab.keyboard.press("ArrowLeft")
    waited(jupyter, tab, "len(edits) == 2")
    assert third.evaluate("element => element === document.activeElement")
    assert said(jupyter, tab, "edits[1]['x'] < edits[0]['x']")

    jupyter.execute(tab, "view.mode = 'add'")
    tab.mouse.click(x + 60, y)
    waited(jupyter, tab, "len(edits) == 3 and edits[2]['kind'] == 'add'")
    view.locator(".leaflet-container").focus()
    tab.keyboard.press("Enter")
    waited(jupyter, tab, "len(edits) == 4 and edits[3]['kind'] == 'add'")

    jupyter.execute(tab, "view.mode = 'delete'; state.network = net")
    waited(jupyter, tab, "view.network is net")
    view.get_by_label("Sensor 12 of 20", exact=True).click()
    waited(jupyter, tab, "len(edits) == 5")
    view.get_by_label("Sensor 4 of 20", exact=True).focus()
    tab.keyboard.press("Delete")
    waited(jupyter, tab, "len(edits) == 6")
    assert said(jupyter, tab, "edits[4:]") == [
        {"kind": "delete", "sensor": 11},
        {"kind": "delete", "sensor": 3},
    ]
    assert said(jupyter, tab, "state.error") == ""
    assert console.ours() == []


def test_the_city_comes_back(lab: Callable[..., Lab], tab: Page, console: Console) -> None:
    """A sensor that is dragged far does not take the map along; a button shows the whole city."""
    jupyter = lab()
    view = opened(jupyter, tab, "map-home", SAN_FRANCISCO)
    home = view.get_by_role("button", name="Show the whole city")
    map_box, button = view.locator(".leaflet-container").bounding_box(), home.bounding_box()
    assert map_box is not None
    assert button is not None
    assert (button["width"], button["height"]) == (30, 30)
    third = view.get_by_label("Sensor 3 of 20", exact=True)
    place = _within(view, third)

    jupyter.execute(tab, "view.mode = 'move'")
    before = _where(view)
    box = third.bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(map_box["x"] + 5, map_box["y"] + 100, steps=10)
    tab.wait_for_timeout(1_500)
    # Less than a quarter of the map's width, however long the sensor is held there.
    assert abs(_where(view) - before) < map_box["width"] / 4
    tab.mouse.up()
    waited(jupyter, tab, "len(edits) == 1")

    jupyter.execute(tab, "state.network = net")
    waited(jupyter, tab, "view.network is net")
    view.locator(".leaflet-control-zoom-in").click(click_count=3, delay=50)
    home.focus()
    tab.keyboard.press("Enter")
    for _ in range(100):
        if _within(view, third) == place:
            break
        tab.wait_for_timeout(50)
    assert _within(view, third) == place
    assert said(jupyter, tab, "state.error") == ""
    assert console.ours() == []


def _within(view: Locator, part: Locator) -> tuple[float, float]:
    """Where a part is on the map, pixels."""
    outer, inner = view.locator(".leaflet-container").bounding_box(), part.bounding_box()
    assert outer is not None
    assert inner is not None
    return inner["x"] - outer["x"], inner["y"] - outer["y"]


def _where(view: Locator) -> float:
    """How far the map was moved to the right, pixels."""
    pane = view.locator(".leaflet-map-pane")
    return float(pane.evaluate("pane => new DOMMatrix(getComputedStyle(pane).transform).e"))


def test_looks(lab: Callable[..., Lab], tab: Page, console: Console) -> None:
    """Controls have names, light and dark both have contrast, and a place is told of."""
    jupyter = lab()
    view = opened(jupyter, tab, "map-looks", SAN_FRANCISCO)
    box = view.locator(".leaflet-container").bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] * 0.42, box["y"] + box["height"] * 0.5)
    view.locator(".spineq-hover strong").wait_for()
    assert "Nearest sensor" in view.locator(".spineq-hover").inner_text()
    assert axe(tab, ".spineq-map") == []
    screenshot(view, "map-light")
    view.get_by_label("Map shows").select_option("density:pop_total")
    view.get_by_text("or more").wait_for()
    screenshot(view, "map-density")
    jupyter.theme(tab, dark=True)
    tab.set_viewport_size({"width": 900, "height": 1000})
    waited(jupyter, tab, "state.dark")
    assert axe(tab, ".spineq-map") == []
    screenshot(view, "map-dark")
    jupyter.theme(tab, dark=False)
    assert console.ours() == []


def test_no_internet(lab: Callable[..., Lab], tab: Page, console: Console) -> None:
    """A background map that does not come is told of in words, and leaves no trace."""
    jupyter = lab()
    tab.context.route("https://tile.openstreetmap.org/**", lambda route: route.abort())
    view = opened(jupyter, tab, "map-tiles", SAN_FRANCISCO)
    view.get_by_label("Background map (needs internet)").check()
    view.get_by_text("cannot be reached").wait_for()
    waited(jupyter, tab, "not view.tiles")
    assert view.locator(".leaflet-tile-pane img").count() == 0
    assert said(jupyter, tab, "state.error") == ""
    assert console.ours("ERR_FAILED") == []


@pytest.mark.parametrize(
    ("n", "most_bytes", "most_ms"), [(1_000, 20_000, 500), (10_000, 200_000, 1_000)]
)
def test_colours_come_fast(
    lab: Callable[..., Lab],
    tab: Page,
    traffic: Traffic,
    console: Console,
    n: int,
    most_bytes: int,
    most_ms: int,
) -> None:
    """A new colouring is one small message and is soon painted; polygons are not sent again."""
    jupyter = lab()
    opened(jupyter, tab, f"map-{n}", SYNTHETIC.replace("{n}", str(n)))
    tab.wait_for_timeout(500)
    traffic.reset()
    jupyter.execute(tab, "threading.Thread(target=colours).start()")
    waited(jupyter, tab, "len(times) == 8")
    times = said(jupyter, tab, "times")
    print(f"{n:,} areas: painted after {sorted(round(each) for each in times)} ms")
    print(f"{traffic.received_bytes / 8:,.0f} bytes each, with all other messages")
    assert traffic.received_bytes / 8 < most_bytes
    # The median: other processes share the cores.
    assert sorted(times)[4] < most_ms
    assert console.ours() == []


def test_as_many_areas_as_london(
    lab: Callable[..., Lab], tab: Page, traffic: Traffic, console: Console
) -> None:
    """25,000 areas are a picture: a small message, which can be pointed at and coloured anew."""
    jupyter = lab()
    view = opened(jupyter, tab, "map-london", SYNTHETIC.replace("{n}", "25_000"))
    assert traffic.received_bytes < 2_000_000
    assert view.locator(".leaflet-marker-icon").count() == 125
    assert view.locator("path.leaflet-interactive").count() == 0
    picture = view.locator("img.leaflet-image-layer")
    before = picture.get_attribute("src")
    traffic.reset()
    jupyter.execute(tab, "threading.Thread(target=colour, args=['density:pop_total']).start()")
    waited(jupyter, tab, "view.painted == view.serial == 2")
    assert traffic.received_bytes < 1_500_000
    assert picture.get_attribute("src") != before
    box = view.locator(".leaflet-container").bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] * 0.42, box["y"] + box["height"] * 0.52)
    view.locator(".spineq-hover strong").wait_for()
    assert "Nearest sensor" in view.locator(".spineq-hover").inner_text()
    assert console.ours() == []


def test_sites_that_are_no_areas(lab: Callable[..., Lab], tab: Page, console: Console) -> None:
    """20,000 lamp posts send no markers of their own; a sensor says at which of them it is."""
    posts = """
import numpy as np, pandas as pd
polygons = city.polygons
xy = polygons.sample_points(22, rng=1).explode().to_frame("geometry")
posts = pd.DataFrame({"x": xy.geometry.x.to_numpy(), "y": xy.geometry.y.to_numpy()})
city = city.with_sites(posts.assign(site_id=[f"post {k}" for k in range(len(posts))]))
net = sq.optimise(city, n_sensors=20, theta=500, method="greedy", bound="none")
"""
    cell = SYNTHETIC.replace("{n}", "910").replace("state = Panel", f"{posts}\nstate = Panel", 1)
    jupyter = lab()
    view = opened(jupyter, tab, "map-posts", cell)
    assert said(jupyter, tab, "city.n_sites") > 20_000
    assert view.locator(".leaflet-marker-icon").count() == 20
    assert said(jupyter, tab, "len(json.dumps(view.bridge.markers))") < 5_000
    view.get_by_label("Sensor 3 of 20", exact=True).hover()
    view.locator(".spineq-hover").get_by_text("post ").wait_for()
    assert console.ours() == []
