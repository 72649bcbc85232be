"""A city of London's size is fetched in one process of under 1.5 GB."""

from __future__ import annotations

import multiprocessing
import re
from pathlib import Path

import pytest
from statistics_office import Office, made_town

import spineq as sq
from spineq.fetch import fetch_city

AREAS = 25_000


def _fetch(url: str, folder: str, peak: multiprocessing.Value) -> None:  # type: ignore[valid-type]
    fetch_city("madeby", root=url, store=folder)
    # Not ru_maxrss, in which the size of the process that began this one is left.
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found is not None
    peak.value = int(found[1]) / 1e6


@pytest.mark.slow
def test_a_city_of_25_000_areas(tmp_path: Path) -> None:
    """Memory of the process that fetches, the city it leaves, and how often it asks."""
    town = made_town(AREAS)
    processes = multiprocessing.get_context("spawn")
    peak = processes.Value("d", 0.0)
    with Office([town]) as office:
        process = processes.Process(target=_fetch, args=(office.url, str(tmp_path), peak))
        process.start()
        process.join(600)
        url = office.url
        questions = len(office.asked)
    assert process.exitcode == 0
    assert peak.value < 1.5, "GB"
    city = fetch_city("madeby", root=url, store=tmp_path, offline=True)
    assert city == town.city()
    assert city.people(sq.GROUPS["pop_total"]).values.sum() == sum(town.population.values())
    # 13 pages of the lookup, 50 lists each of polygons and centroids, 91 pages of ages, and few.
    assert questions < 230
    print(f"peak {peak.value:.2f} GB, {questions} questions")
