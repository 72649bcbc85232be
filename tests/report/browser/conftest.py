"""A browser without internet for pages that must not need any.

Nothing here outlives the tests of one file: while Playwright runs, its event loop is the main
thread's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import failed_name, new_context, screenshot

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = Path(__file__).parent

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are slow."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test failed, for `tab`."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def tab(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page without internet, 1280 x 900; how it looks after a failed test is kept."""
    context = new_context(chromium, viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    yield page
    if request.node.stash.get(_FAILED, False):
        screenshot(page, failed_name(request.node.name))
    context.close()
