"""The gateway's own pages: the first one, and the documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from browser import Console, axe, screenshot
from served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_first_page(tab: Page, serve: Callable[..., Served], dark: bool) -> None:
    """It reads well on a screen and a phone, in light and dark, and its links lead somewhere."""
    gateway = serve()
    console = Console(tab)
    tab.emulate_media(color_scheme="dark" if dark else "light")
    for width in (1280, 360):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(gateway.url)
        assert axe(tab, "body") == []
        assert tab.evaluate("() => document.documentElement.scrollWidth") <= width
        screenshot(tab, f"gateway-{'dark' if dark else 'light'}-{width}", full_page=True)
    links = tab.locator("a").evaluate_all("all => all.map(one => one.href)")
    assert len(links) >= 4
    for link in set(links):
        assert gateway.get(link).status_code == 200, link
    assert console.ours() == []


def test_the_documentation_can_be_tried_out(tab: Page, serve: Callable[..., Served]) -> None:
    """Asked from its page, the gateway answers; nothing comes from elsewhere."""
    gateway = serve()
    console, asked = Console(tab), list[str]()
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{gateway.url}/docs")
    tab.get_by_text("Submit Job", exact=False).first.wait_for()
    screenshot(tab, "gateway-docs")
    block = tab.locator("#operations-jobs-submit_job_api_v1_jobs_post")
    block.locator(".opblock-summary").click()
    block.get_by_role("button", name="Try it out").click()
    screenshot(tab, "gateway-docs-open", full_page=True)
    block.get_by_role("button", name="Execute").click()
    block.locator(".live-responses-table").get_by_text("201").first.wait_for()
    (job,) = gateway.queue.jobs()
    assert job.parameters["n_sensors"] == 5
    assert [url for url in asked if not url.startswith((gateway.url, "data:", "blob:"))] == []
    assert console.ours() == []


def test_the_documentation_behind_a_token(tab: Page, serve: Callable[..., Served]) -> None:
    """Opened as the command printed it, it works; without the token nobody gets it."""
    token = "a-token-of-mine-1234"
    gateway = serve(token=token)
    refused = tab.goto(f"{gateway.url}/docs")
    assert refused is not None
    assert refused.status == 401
    console = Console(tab)
    tab.goto(f"{gateway.url}/docs?token={token}")
    tab.get_by_text("Submit Job", exact=False).first.wait_for()
    block = tab.locator("#operations-jobs-list_jobs_api_v1_jobs_get")
    block.locator(".opblock-summary").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    block.locator(".live-responses-table").get_by_text("200").first.wait_for()
    assert console.ours() == []
