"""The race of fronts: who reaches how much hypervolume in how many seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pytest

import spineq as sq
from spineq import bench_front
from spineq.bench_front import Reached
from spineq.progress import RecordingProgress


def city_of_60() -> Any:
    return sq.demo_city("synthetic", n_areas=60)


def test_everybody_runs(needs: Callable[[str], Any]) -> None:
    """Each source runs with each effort, and ours is above pymoo's."""
    needs("pymoo")
    watcher = RecordingProgress()
    made = bench_front.race(city_of_60(), 5, effort=0.01, progress=watcher)
    runs = [(source, share) for source, _, shares in bench_front._RUNS for share in shares]
    assert [(each.source, each.effort / 0.01) for each in made] == [
        (source, pytest.approx(share)) for source, share in runs
    ]
    best = {each.source: each.hypervolume for each in made}
    assert best["ours"] > max(best["NSGA-II"], best["NSGA-III"])
    assert all(each.seconds > 0 and each.networks > 0 for each in made)
    fractions = [report.fraction for report in watcher.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    said = list(dict.fromkeys(report.message for report in watcher.reports))
    assert said[:2] == ["making ready", "ours, effort 0.0001"]
    assert len(said) == 1 + len(made)


def test_a_stop_returns_the_runs_that_ended(needs: Callable[[str], Any]) -> None:
    """The run that was stopped is none: its time and its front are of nothing whole."""
    needs("pymoo")
    assert bench_front.race(city_of_60(), 5, progress=RecordingProgress(stop_after=1)) == []

    class UpTo(RecordingProgress):
        def hear(self, report: Any) -> bool:
            super().hear(report)
            return bool(report.message == "NSGA-II, effort 0.01")

    made = bench_front.race(city_of_60(), 5, effort=0.01, progress=UpTo())
    assert [each.source for each in made] == ["ours"] * 5 + ["NSGA-II"] * 3


def test_a_picture_has_a_line_a_source_and_published_levels() -> None:
    """The legend names what each reached at best."""
    made = [
        Reached("ours", 0.1, 0.5, 0.25, 200, 900),
        Reached("ours", 1.0, 4.0, 0.3, 200, 9_000),
        Reached("NSGA-II", 1.0, 20.0, 0.2, 150, 150),
    ]
    ax = bench_front.draw(made, "A race", {"something of $5$": 0.1})
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["ours: 0.3000", "NSGA-II: 0.2000"]
    assert list(ax.lines[0].get_xdata()) == [0.5, 4.0]
    assert any(text.get_text() == "published: something of $5$, 0.1000" for text in ax.texts)
    assert ax.get_title() == "A race"
    plt.close("all")
