"""What every test may use: the reference data, optional modules, Hypothesis profiles.

Test folders mirror the package and hold no ``__init__.py``. Helpers that several tests import
are modules under ``tests``, which is on the path: ``from strategies import cities``,
``from data.city_statistics import ...``. Fixtures live here.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import HealthCheck, settings
from pretended_s3 import S3, pretended_s3

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]


def _said(name: str) -> bool:
    return os.environ.get(name, "").lower() not in ("", "0", "false", "no")


#: Whether a test that lacks something must fail rather than skip.
IN_CI = _said("SPINEQ_CI") or _said("CI")

# No window and no display: the pictures are looked at as files.
os.environ.setdefault("MPLBACKEND", "Agg")

# No deadlines: the first example of a test may wait for a compiler. In CI the same examples each
# time, so that a change that has nothing to do with a failure does not meet it.
settings.register_profile(
    "spineq-ci",
    deadline=None,
    derandomize=True,
    max_examples=75,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "spineq-dev", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "spineq-ci" if IN_CI else "spineq-dev"))


def _missing(reason: str) -> NoReturn:
    if IN_CI:
        pytest.fail(f"{reason}; in CI that is an error", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], NoReturn]:
    """Skip for want of something, naming it; in CI fail."""
    return _missing


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the reference data beside the source tree; skips without it, fails in CI."""
    folder = ROOT.parent / "shared"
    if not (folder / "reference.json").is_file():
        _missing("the reference data, ../shared, is not here")
    return folder


@pytest.fixture(scope="session")
def needs() -> Callable[[str], ModuleType]:
    """Import an optional module: ``apricot = needs("apricot")``; skips without it, fails in CI."""

    def load(module: str) -> ModuleType:
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            _missing(f"{module} is not installed ({error})")

    return load


@pytest.fixture(scope="session")
def s3(needs: Callable[[str], ModuleType]) -> Iterator[S3]:
    """S3 on a loopback port, for this process and those it starts; skips without moto."""
    needs("s3fs")
    needs("moto.server")
    with pretended_s3() as service:
        yield service


@pytest.fixture(scope="module")
def chromium(
    needs: Callable[[str], ModuleType], lacking: Callable[[str], NoReturn]
) -> Iterator[Browser]:
    """Chromium; skips without it or Playwright, fails in CI.

    It does not outlive the tests of one file: while Playwright runs, its event loop is the main
    thread's, and tests elsewhere could not start one of their own.
    """
    from browser import started

    with started(needs, lacking) as browser:
        yield browser
