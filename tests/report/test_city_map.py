"""The report's map to zoom into and to point at."""

from __future__ import annotations

import pytest
from bent_cities import bent_city

import spineq as sq
from spineq.report import city_map
from spineq.report.city_map import interactive_map


def test_size_and_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corners that nobody sees are left out; beyond some areas there are no lines, nor a map."""
    city = bent_city(60)
    network = sq.evaluate(city, sensors=list(city.sites.index[:3]), theta=500, bound="none")
    whole = interactive_map(network, city)
    assert "#ffffff" in whole.html
    monkeypatch.setattr(city_map, "MOST_CORNERS", 500)
    monkeypatch.setattr(city_map, "_MOST_LINED", 59)
    small = interactive_map(network, city)
    assert len(small.html) < len(whole.html) - 10_000
    monkeypatch.setattr(city_map, "MOST_AREAS", 59)
    assert "60 areas are too many" in interactive_map(network, city).html
