"""What tests of fetching share: no waits, and a small town."""

from __future__ import annotations

import pytest
from statistics_office import Town, made_town

from spineq.fetch import client


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again without a wait, other than what a service asks for."""
    monkeypatch.setattr(client, "BACKOFF", 0.0)


@pytest.fixture(scope="session")
def town() -> Town:
    return made_town(60)
