"""The what-if page in Chromium: the figures are Python's, whatever is done to the sensors."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from browser import Console, axe, new_context, screenshot

import spineq as sq

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from spineq.model.network import Network

#: Page and Python are to agree to this.
NEAR = 1e-9

#: Names that would be HTML, were they not data; and long.
EVIL = "</script><img src=x onerror=alert(1)> & 'O\"x' {{script}} " + "Unbreakablyverylongword" * 4


class WhatIf:
    """The page of a network in a tab, and what must hold of it at any time."""

    def __init__(self, tab: Page, network: Network, city: sq.City, path: Path) -> None:
        self.tab, self.city = tab, city
        self.console = Console(tab)
        self.requests: list[str] = []
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.on("dialog", lambda _: pytest.fail("something on the page opened a dialog"))
        self.path = sq.what_if(network, city, path)
        tab.goto(self.path.as_uri())

    def figures(self) -> dict[str, Any]:
        return dict(self.tab.evaluate("spineqWhatIf.figures()"))

    def sensors(self) -> list[dict[str, Any]]:
        return list(self.tab.evaluate("spineqWhatIf.sensors()"))

    def sites(self) -> list[str]:
        """Ids of the sites of the sensors that do not stay."""
        return [sensor["site"] for sensor in self.sensors() if not sensor["kept"]]

    def first(self, k: int) -> None:
        self.tab.locator("#count").fill(str(k))

    def choose(self, number: int) -> None:
        self.tab.locator(f"#chips [data-number='{number}']").click()

    def drag(self, number: int, site: int) -> None:
        """Drag a sensor to a site, by steps as a hand does."""
        place = self.tab.evaluate("n => spineqWhatIf.screen(n)", number)
        target = self.tab.evaluate("s => spineqWhatIf.screenOfSite(s)", site)
        self.tab.mouse.move(*place)
        self.tab.mouse.down()
        self.tab.mouse.move(*target, steps=4)
        self.tab.mouse.up()

    def press(self, button: str) -> None:
        self.tab.locator(f"#{button}").click()

    def agrees(self, network: Network) -> None:
        """Every figure on the page is the network's."""
        assert_equal(self.figures(), network)

    def is_quiet(self) -> None:
        """Nothing was asked of anyone, and nothing went wrong."""
        assert self.requests == [self.path.as_uri()]
        assert self.console.errors() == []


def assert_equal(figures: dict[str, Any], network: Network) -> None:
    data = network.dataset
    for name in figures["coverage"]:
        assert figures["coverage"][name] == pytest.approx(
            float(network.group_coverage.sel(group=name)), abs=NEAR
        )
        assert figures["within500"][name] == pytest.approx(
            float(data["people_within"].sel(group=name, within=500.0)), abs=NEAR
        )
    assert figures["objective"] == pytest.approx(network.objective_value, abs=NEAR)
    np.testing.assert_allclose(figures["areas"], network.area_coverage, rtol=0, atol=NEAR)


#: Sites at which existing sensors stand, or nearly.
KEPT = [3, 11, 17]


def small_city(n_areas: int = 60) -> sq.City:
    """One to three demand points an area, and existing sensors, one of them at a site."""
    city = sq.demo_city("synthetic", n_areas=n_areas, seed=4)
    rng = np.random.default_rng(8)
    at = city.points.loc[np.repeat(city.points.index, rng.integers(1, 4, n_areas))]
    at = at.assign(weight=rng.uniform(0.1, 2.0, len(at)))
    at[["x", "y"]] += rng.uniform(-90, 90, (len(at), 2))
    city = city.with_demand(at[["area_id", "x", "y", "weight"]].reset_index(drop=True))
    there = city.site_xy[KEPT] + [[0.0, 0.0], [41.5, -20.25], [3.0, 66.0]]
    return city.with_existing(pd.DataFrame(there, columns=["x", "y"]))


WORDS: dict[str, Any] = {"groups": sq.GROUPS, "keep": "existing"}


@pytest.mark.parametrize("decay", ["exponential", "step", "linear", "gaussian"])
def test_the_slider_shows_the_history(tab: Page, tmp_path: Path, decay: Any) -> None:
    """The first k sensors beside those that stay cover every group as Python says."""
    city = small_city()
    words = WORDS | {"theta": 700.0, "decay": decay}
    network = sq.optimise(city, n_sensors=7, method="greedy", bound="none", **words)
    assert network.n_kept > 1
    assert city.n_points > city.n_areas
    page = WhatIf(tab, network, city, tmp_path / "page.html")
    page.agrees(network)
    data = network.dataset
    for k in (0, 1, 4, 7):
        page.first(k)
        found, at = page.figures(), network.n_kept + k - 1
        assert found["shown"] == k
        for name in data["group"].to_numpy():
            expected = float(data["group_history"].sel(group=name)[at])
            assert found["coverage"][name] == pytest.approx(expected, abs=NEAR)
        assert found["objective"] == pytest.approx(network.coverage_history[at], abs=NEAR)
    page.is_quiet()


def test_sensors_are_moved_and_removed(tab: Page, tmp_path: Path) -> None:
    """Mouse, keyboard, removing, undo and reset: each time the page has evaluate's figures."""
    city, words = small_city(), WORDS | {"theta": 600.0}
    network = sq.optimise(city, n_sensors=6, method="greedy", bound="none", **words)
    page = WhatIf(tab, network, city, tmp_path / "page.html")
    first = page.sites()

    def as_python() -> None:
        assert tab.locator("#list").input_value() == ",".join(page.sites())
        page.agrees(sq.evaluate(city, page.sites(), bound="none", **words))

    ids = list(city.sites.index)
    free = next(k for k, name in enumerate(ids) if name not in first)
    page.drag(2, free)
    assert page.sites()[1] == ids[free]
    as_python()

    before = {sensor["number"]: sensor for sensor in page.sensors()}[4]
    page.choose(4)
    tab.keyboard.press("ArrowRight")
    after = {sensor["number"]: sensor for sensor in page.sensors()}[4]
    assert after["x"] - before["x"] >= abs(after["y"] - before["y"])
    assert "moved east" in tab.locator("#told").inner_text()
    as_python()
    moved = page.sites()

    page.choose(1)
    tab.keyboard.press("Delete")
    assert len(page.sites()) == 5
    assert "5 sensors" in tab.locator("#count-words").inner_text()
    assert "2 moved, 1 removed" in tab.locator("#count-words").inner_text()
    assert "says nothing about what you see now" in tab.locator("#means").inner_text()
    as_python()

    page.press("undo")
    assert page.sites() == moved
    page.choose(3)
    tab.keyboard.press("Control+z")
    page.press("undo")
    assert page.sites() == first
    page.agrees(network)
    assert tab.locator("#undo").is_disabled()

    page.choose(5)
    for _ in range(2):
        page.press("closer")
    here = city.site_xy[ids.index(first[4])]
    near = np.argsort(np.hypot(*(city.site_xy - here).T))
    neighbour = next(int(k) for k in near[1:] if k not in KEPT and ids[k] not in first)
    page.drag(5, neighbour)
    assert page.sites()[4] == ids[neighbour]
    as_python()
    page.press("whole")
    page.press("remove")
    page.first(2)
    page.press("reset")
    assert page.sites() == first
    page.agrees(network)
    page.is_quiet()


def test_arrow_keys_go_to_the_neighbour(tab: Page, tmp_path: Path) -> None:
    """An arrow moves to the nearest free site of its quarter, on the map as in the list."""
    city = sq.demo_city("synthetic", n_areas=40, seed=2)
    middle = int(np.argmin(np.hypot(*(city.site_xy - city.site_xy.mean(axis=0)).T)))
    first = list(dict.fromkeys([city.sites.index[middle], *city.sites.index[:4]]))
    page = WhatIf(tab, sq.evaluate(city, first, bound="none"), city, tmp_path / "page.html")
    to = city.site_xy - city.site_xy[middle]
    keys = {"ArrowUp": (0, 1), "ArrowLeft": (-1, 0), "ArrowDown": (0, -1), "ArrowRight": (1, 0)}
    for key, (east, north) in keys.items():
        page.choose(1)
        tab.locator("#map").press(key)
        ahead, aside = to @ [east, north], np.abs(to @ [north, east])
        quarter = (ahead > 0) & (aside <= ahead) & ~city.sites.index.isin(first)
        assert quarter.any()
        distance = np.where(quarter, np.hypot(*to.T), np.inf)
        assert page.sites()[0] == city.sites.index[int(np.argmin(distance))]
        page.press("undo")
    assert page.sites() == first


def test_a_finger_drags_a_sensor_and_scrolls_the_page(chromium: Browser, tmp_path: Path) -> None:
    """On a phone, a finger on a sensor moves it, and beside it the page."""
    phone = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
    context = new_context(chromium, offline=True, **phone)
    tab, city = context.new_page(), sq.demo_city("synthetic", n_areas=40, seed=2)
    first = list(city.sites.index[:4])
    page = WhatIf(tab, sq.evaluate(city, first, bound="none"), city, tmp_path / "page.html")
    tab.locator("#stage").scroll_into_view_if_needed()
    touch, top = context.new_cdp_session(tab), tab.evaluate("scrollY")

    def swipe(x: float, y: float, dx: float, dy: float) -> None:
        for kind, k in [("touchStart", 0), *[("touchMove", k) for k in range(1, 6)]]:
            at = {"x": x + k * dx / 5, "y": y + k * dy / 5}
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        tab.evaluate("new Promise((done) => setTimeout(done, 100))")

    place = tab.evaluate("spineqWhatIf.screen(2)")
    far = max(range(4, 40), key=lambda k: float(np.hypot(*(city.site_xy[k] - city.site_xy[1]))))
    target = tab.evaluate("s => spineqWhatIf.screenOfSite(s)", far)
    swipe(*place, target[0] - place[0], target[1] - place[1])
    assert page.sites() == [first[0], city.sites.index[far], *first[2:]]
    assert tab.evaluate("scrollY") == top
    page.agrees(sq.evaluate(city, page.sites(), bound="none"))
    box = tab.locator("#stage").bounding_box()
    assert box is not None
    swipe(box["x"] + 6, box["y"] + box["height"] / 2, 0, 80)
    assert tab.evaluate("scrollY") < top
    context.close()


@pytest.mark.parametrize("by", ["area", "point"])
def test_travel_costs_are_those_of_the_table(tab: Page, tmp_path: Path, by: str) -> None:
    """Minutes from a table, with pairs that are not in it; distances stay straight lines."""
    city, rng = small_city(25), np.random.default_rng(1)
    targets = city.dataset[by].to_numpy()
    table = pd.DataFrame(
        [(site, target) for site in city.sites.index for target in targets], columns=["site", by]
    ).assign(cost=rng.uniform(0.0, 40.0, city.n_sites * len(targets)))
    city = city.with_travel(table[rng.random(len(table)) < 0.8], unit="minutes")
    words: dict[str, Any] = {"theta": 8.0, "groups": sq.GROUPS, "bound": "none"}
    network = sq.optimise(city, n_sensors=4, method="greedy", **words)
    page = WhatIf(tab, network, city, tmp_path / "page.html")
    page.agrees(network)
    page.choose(2)
    page.press("remove")
    page.agrees(sq.evaluate(city, page.sites(), **words))
    assert "8 minutes" in tab.locator("#means").inner_text()


@pytest.mark.parametrize(
    "goal",
    [
        {"objective": "worst"},
        {"objective": "worst_share"},
        {"aversion": 3.0},
        {"aversion": 0.4, "aversion_form": "atkinson"},
    ],
    ids=["worst", "worst_share", "kolm_pollak", "atkinson"],
)
def test_what_was_maximised_is_computed_too(
    tab: Page, tmp_path: Path, goal: dict[str, Any]
) -> None:
    """The other objectives, for the network as it came and after a sensor was moved."""
    city = small_city(30)
    words = {"groups": sq.GROUPS, "theta": 700.0} | goal
    network = sq.optimise(city, n_sensors=4, **words)
    page = WhatIf(tab, network, city, tmp_path / "page.html")
    page.agrees(network)
    page.drag(3, next(k for k in range(30) if city.sites.index[k] not in page.sites()))
    assert len(set(page.sites()) - set(network.placement_history)) == 1
    page.agrees(sq.evaluate(city, page.sites(), **words))


def test_places_that_are_no_sites(tab: Page, tmp_path: Path) -> None:
    """They may stay where they are; the list is then a table that evaluate takes."""
    city = sq.demo_city("synthetic", n_areas=20, seed=2)
    places = city.site_xy[:3] + np.array([[31.25, -7.0], [0.5, 0.125], [90.0, 90.0]])
    network = sq.evaluate(city, places, theta=500)
    page = WhatIf(tab, network, city, tmp_path / "page.html")
    page.agrees(network)
    page.choose(3)
    page.press("remove")
    page.choose(1)
    page.press("north")
    assert page.sites()[0] in city.sites.index
    table = pd.read_csv(io.StringIO(tab.locator("#list").input_value()))
    page.agrees(sq.evaluate(city, table, theta=500))


def test_names_are_never_html(tab: Page, tmp_path: Path) -> None:
    """Names of city, group and area, attribution and note are shown as they are written."""
    people, n = np.arange(1.0, 7.0), 6
    frame = pd.DataFrame(
        {
            "area_id": [f"<b>{k}</b>, &amp; {EVIL}" for k in range(n)],
            "x": 300.0 * np.arange(n),
            "y": np.array([0, 900, 50, 400, 800, 10.0]),
            "population": people,
            EVIL: people[::-1],
        }
    )
    city = sq.City.from_frame(frame, crs="EPSG:27700", name=EVIL, attribution=EVIL, note=EVIL)
    groups = {EVIL: sq.Group(column=EVIL)}
    network = sq.optimise(city, n_sensors=2, theta=300, groups=groups)
    page = WhatIf(tab, network, city, tmp_path / "page.html")
    page.choose(1)
    assert tab.locator("img, b").count() == 0
    assert EVIL in tab.locator("#rows").inner_text()
    assert EVIL in tab.locator("#source").inner_text()
    assert EVIL in tab.locator("#chosen").inner_text()
    assert tab.title() == f"Sensors in {EVIL}: what if?"
    tab.set_viewport_size({"width": 360, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
    screenshot(tab, "what-if-long-names", full_page=True)
    page.is_quiet()


def test_nothing_to_show_is_said(tab: Page, tmp_path: Path) -> None:
    """One area and no sensors: the page says so, and nothing can be pressed that means nothing."""
    frame = pd.DataFrame({"area_id": ["a"], "x": [5.0], "y": [5.0], "population": [7]})
    city = sq.City.from_frame(frame, crs="EPSG:27700", name="Hamlet")
    page = WhatIf(tab, sq.evaluate(city, []), city, tmp_path / "page.html")
    assert page.figures()["coverage"] == {"pop_total": 0.0}
    assert "There are no sensors." in tab.locator("#count-words").inner_text()
    assert tab.locator("#count").is_disabled()
    assert tab.locator("#copy").is_disabled()
    assert axe(tab, "body") == []
    page.is_quiet()


def test_a_damaged_file_says_so(tab: Page, tmp_path: Path) -> None:
    """Half a file shows a sentence and not an empty page."""
    city = sq.demo_city()
    path = sq.what_if(sq.evaluate(city, ["001"], bound="none"), city, tmp_path / "page.html")
    path.write_text(path.read_text(encoding="utf-8").replace('"decay":', '"decay"', 1))
    tab.goto(path.as_uri())
    assert "cannot be shown" in tab.locator("#broken").inner_text()


def test_newcastle(
    tab: Page, tmp_path: Path, shared: Path, needs: Callable[[str], ModuleType]
) -> None:
    """A real city: small, accessible in both lights and on a phone, and copied with a word."""
    needs("axe_playwright_python")
    with pytest.warns(sq.SpineqWarning, match="not valid"):
        city = sq.read_city(shared / "data" / "cities" / "E08000021")
    words: dict[str, Any] = {"theta": 500.0, "groups": sq.GROUPS}
    network = sq.optimise(city, n_sensors=55, method="greedy", bound="none", **words)
    page = WhatIf(tab, network, city, tmp_path / "page.html")
    assert page.path.stat().st_size < 250_000
    page.agrees(network)
    page.choose(5)
    tab.keyboard.press("ArrowUp")
    tab.select_option("#colour", "change")
    page.agrees(sq.evaluate(city, page.sites(), bound="none", **words))
    page.press("copy")
    tab.locator("#copied", has_text="Copied: 55 sensors.").wait_for()
    screenshot(tab, "what-if", full_page=True)
    # So high that all is in sight: axe is slow where it has to scroll.
    tab.set_viewport_size({"width": 1280, "height": 2600})
    assert axe(tab, "body") == []
    tab.emulate_media(color_scheme="dark")
    tab.set_viewport_size({"width": 360, "height": 740})
    tab.select_option("#colour", "missed")
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
    screenshot(tab, "what-if-phone-dark", full_page=True)
    tab.set_viewport_size({"width": 360, "height": 4400})
    for part in (".words-side", ".choices", ".under", "footer"):
        assert axe(tab, part) == []
    tab.emulate_media(media="print", color_scheme="light")
    assert not tab.locator("#chips").is_visible()
    assert tab.locator("#rows").is_visible()
    page.is_quiet()


def test_ten_thousand_areas_move_at_once(tab: Page, tmp_path: Path) -> None:
    """A city of 10,000 areas and 500 sensors: 1.5 MB at most, and a move takes under 0.1 s."""
    city = sq.demo_city("synthetic", n_areas=10_000, seed=1)
    network = sq.evaluate(city, list(city.sites.index[::20]), bound="none")
    page = WhatIf(tab, network, city, tmp_path / "page.html")
    assert page.path.stat().st_size < 1_500_000
    page.choose(3)
    times = []
    for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowRight", "ArrowUp"):
        tab.keyboard.press(key)
        times.append(page.figures()["milliseconds"])
    print(f"\nten thousand areas: {times} ms")
    assert np.median(times) < 100
    page.agrees(sq.evaluate(city, page.sites(), bound="none"))
