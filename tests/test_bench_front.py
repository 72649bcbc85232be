"""The race of fronts: who reaches how much hypervolume in how many seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pytest

import spineq as sq
from spineq import bench_front


@pytest.mark.slow
def test_everybody_runs(needs: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each method runs with each effort, ours is above pymoo's, and all of it is drawn."""
    needs("pymoo")
    runs = tuple((name, words, (0.01,)) for name, words, _ in bench_front._RUNS)
    monkeypatch.setattr(bench_front, "_RUNS", runs)
    told: list[str] = []
    city = sq.demo_city("synthetic", n_areas=60)
    made = bench_front.race(city, 5, 500.0, tell=told.append)
    assert [each.name for each in made] == [name for name, _, _ in runs]
    assert len(told) == len(made)
    assert made[0].hypervolume > max(made[1].hypervolume, made[2].hypervolume)
    assert all(each.seconds > 0 and each.networks > 0 for each in made)
    ax = bench_front.draw(made, "A race", {"something": 0.01})
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend[0] == f"ours: {made[0].hypervolume:.4f}"
    assert len(legend) == len(made)
    assert any("recorded: something" in text.get_text() for text in ax.texts)
    plt.close("all")


def test_recorded_figures_are_about_newcastle() -> None:
    """They are shown beside no other city, number or theta."""
    city = sq.demo_city("synthetic", n_areas=60)
    assert bench_front.recorded(city, 55, 500.0) == {}
    newcastle = city.labelled(code="E08000021")
    assert bench_front.recorded(newcastle, 55, 500.0) == bench_front.RECORDED
    assert bench_front.recorded(newcastle, 50, 500.0) == {}
