"""A browser, and servers for it.

Nothing here outlives the tests of one file: while Playwright runs, its event loop is the main
thread's, and tests elsewhere could not start one of their own. (pytest takes "package" for
"session" where folders have no __init__.py.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from browser import (
    Console,
    Lab,
    Traffic,
    VoilaServer,
    failed_name,
    new_context,
    screenshot,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = Path(__file__).parent

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are slow, and start processes."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.cluster)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test failed, for `tab`."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def tab(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a fresh context, 1600 x 1000; how it looks after a failed test is kept."""
    context = new_context(chromium)
    page = context.new_page()
    yield page
    if request.node.stash.get(_FAILED, False):
        screenshot(page, failed_name(request.node.name))
    context.close()


@pytest.fixture
def console(tab: Page) -> Console:
    """What the tab says of errors."""
    return Console(tab)


@pytest.fixture
def traffic(tab: Page) -> Traffic:
    """What goes between the tab and its kernels."""
    return Traffic(tab)


@pytest.fixture(scope="module")
def _labs() -> Iterator[Callable[..., Lab]]:
    # A server takes three seconds to start: those of a file share one.
    with ExitStack() as stack:
        running: dict[tuple[object, ...], Lab] = {}

        def start(folder: Path, environment: Mapping[str, str]) -> Lab:
            key = tuple(sorted(environment.items()))
            if key not in running:
                running[key] = stack.enter_context(Lab(folder, environment))
            return running[key]

        yield start


@pytest.fixture
def lab(
    needs: Callable[[str], ModuleType],
    _labs: Callable[..., Lab],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Lab]]:
    """Start JupyterLab, or take the one with these variables: ``lab(SPINEQ_STORE="...")``.

    Its kernels end after each test. Notebooks of the same name replace each other.
    """
    needs("jupyterlab")
    used = []

    def give(**environment: str) -> Lab:
        used.append(_labs(tmp_path_factory.mktemp("notebooks"), environment))
        return used[-1]

    yield give
    for one in used:
        one.end_kernels()


@pytest.fixture
def voila(needs: Callable[[str], ModuleType]) -> Iterator[Callable[..., VoilaServer]]:
    """Start Voila for a notebook: ``voila(path, dark=True, environment={...})``."""
    needs("voila")
    with ExitStack() as stack:

        def start(
            notebook: Path, *, dark: bool = False, environment: Mapping[str, str] | None = None
        ) -> VoilaServer:
            return stack.enter_context(VoilaServer(notebook, environment, dark=dark))

        yield start
