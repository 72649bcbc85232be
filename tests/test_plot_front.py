"""Pictures of fronts: what is drawn is what the front says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from solvers.instances import city_of

import spineq as sq
from spineq.errors import DataError, ProblemError

GROUPS = {
    "older": sq.Group(ages=(66, 90), title="Older people"),
    "jobs": sq.Group(column="workers"),
    "young": sq.Group(ages=(0, 15)),
}


def smallville(seed: int = 0, n: int = 25) -> Any:
    rng = np.random.default_rng(seed)
    residents = rng.integers(0, 100, (n, 3)) * rng.integers(0, 3, (n, 3)) + 1
    return city_of(rng.random((n, 2)) * 3000, residents, rng.integers(0, 400, n) + 1)


@pytest.fixture(scope="module")
def city() -> Any:
    return smallville()


@pytest.fixture(scope="module")
def front(city: Any) -> sq.Front:
    return sq.trade_off(city, 4, 500, GROUPS, effort=0.05, size=12)


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


def test_parallel_has_a_line_a_network_and_two_that_stand_out(front: sq.Front) -> None:
    """The lines are the coverage in percent, and the legend names knee and worst-off."""
    ax = sq.plot.front_parallel(front)
    lines = [line for line in ax.lines if len(line.get_xdata()) == 3]
    assert len(lines) == front.n_networks + 2
    assert np.array_equal(lines[5].get_ydata(), 100 * front.group_coverage.to_numpy()[5])
    assert np.array_equal(
        lines[-2].get_ydata(), 100 * front.group_coverage.to_numpy()[front.knee()]
    )
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend[0] == "12 networks"
    assert f"(network {front.knee()})" in legend[1]
    assert f"(network {front.worst_best()})" in legend[2]
    assert "%" in ax.get_ylabel()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["jobs", "Older people", "young"]
    assert any("Invented" in text.get_text() for text in ax.texts)
    own = plt.subplots()[1]
    assert sq.plot.front_parallel(front, ax=own) is own


def test_pairs_show_every_two_groups(front: sq.Front, tmp_path: Path) -> None:
    """Below the diagonal a group against each before it, with all networks; above nothing."""
    made = sq.plot.front_pairs(front)
    assert made.shape == (2, 2)
    assert not made[0, 1].axison
    dots = made[1, 0].collections
    assert len(dots[0].get_offsets()) == front.dataset.sizes["found"]
    assert np.allclose(dots[1].get_offsets(), 100 * front.group_coverage.to_numpy()[:, [0, 2]])
    assert made[1, 0].get_xlabel() == "jobs, %"
    assert made[1, 0].get_ylabel() == "young, %"
    legend = [text.get_text() for text in made[0, 1].get_legend().get_texts()]
    assert legend[0] == f"{front.dataset.sizes['found']} networks found"
    assert legend[1] == "12 networks of the front"
    sq.plot.save(made, tmp_path / "pairs.png")
    assert (tmp_path / "pairs.png").stat().st_size > 10_000
    two = sq.Front(front.dataset.isel(group=slice(2)).assign_attrs(problem=_two(front)))
    one = sq.plot.front_pairs(two)
    assert one.shape == (1, 1)
    assert one[0, 0].get_legend() is not None


def test_pairs_leave_out_what_was_found_where_all_is_of_the_front(front: sq.Front) -> None:
    """Dots that lie under others, every one, are neither drawn nor in the legend."""
    whole = sq.Front(front.dataset.isel(found=slice(front.n_networks)))
    made = sq.plot.front_pairs(whole)
    assert len(made[1, 0].collections) == 3
    legend = made[0, 1].get_legend().get_texts()
    assert legend[0].get_text() == "12 networks of the front"


@pytest.mark.parametrize("draw", ["pairs", "maps"])
def test_title_and_sources_stand_clear_of_the_axes(city: Any, front: sq.Front, draw: str) -> None:
    """Over and below all axes, whose titles and labels they do not touch."""
    made = (
        sq.plot.front_pairs(front) if draw == "pairs" else sq.plot.front_maps(front, city, count=3)
    )
    figure = made.flat[0].figure
    figure.canvas.draw()
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    title, sources = figure._suptitle, figure._supxlabel
    assert "theta 500 m" in title.get_text().replace("\n", " ")
    assert "Invented" in sources.get_text()
    assert title.get_window_extent().y0 >= max(box.y1 for box in boxes)
    assert sources.get_window_extent().y1 <= min(box.y0 for box in boxes)
    for text in (title, sources):
        assert text.get_window_extent().x1 <= figure.bbox.x1


def test_maps_share_a_colour_bar_and_stand_evenly(city: Any, front: sq.Front) -> None:
    """One bar for all, to their right; gaps between columns are alike."""
    made = sq.plot.front_maps(front, city, between=("jobs", "older"), count=3)
    assert len(made) == 3
    figure = made[0].figure
    figure.canvas.draw()
    (bar,) = (ax for ax in figure.axes if ax not in set(made))
    left = [ax.get_window_extent().x0 for ax in made]
    assert left[1] - left[0] == pytest.approx(left[2] - left[1], abs=1.0)
    assert bar.get_window_extent().x0 >= max(ax.get_window_extent().x1 for ax in made)


def test_what_are_no_axes_is_refused(front: sq.Front) -> None:
    """By name, and no empty figure is left behind."""
    with pytest.raises(ProblemError, match="axes are needed, not 5"):
        sq.plot.front_parallel(front, ax=5)  # type: ignore[arg-type]
    assert plt.get_fignums() == []


def _two(front: sq.Front) -> str:
    groups = dict(front.problem.groups[:2])
    return sq.Problem(n_sensors=4, theta=500, groups=groups).to_json()


def test_maps_go_from_one_best_to_the_other(city: Any, front: sq.Front) -> None:
    """The first map is the best network for a group, the last that for the other."""
    made = sq.plot.front_maps(front, city, between=("older", "jobs"), count=3)
    assert 2 <= len(made) <= 3
    best = [int(front.table()[name].argmax()) for name in ("older", "jobs")]
    titles = [ax.get_title(loc="left") for ax in made]
    assert titles[0].startswith(f"Network {best[0]}\n")
    assert titles[-1].startswith(f"Network {best[1]}\n")
    share = float(front.group_coverage.sel(group="older")[best[0]])
    assert f"Older people: {100 * share:.1f} %" in titles[0]
    sensors = made[0].collections[-1].get_offsets()
    assert len(sensors) == 4
    assert len(sq.plot.front_maps(front, city)) >= 2


def test_what_cannot_be_drawn_is_refused(city: Any, front: sq.Front) -> None:
    """Another city, an empty front, a group that is not there, too few maps."""
    empty = front.filter(at_least={"older": 1.0})
    for draw in (
        sq.plot.front_parallel,
        sq.plot.front_pairs,
        lambda one: sq.plot.front_maps(one, city),
    ):
        with pytest.raises(ProblemError, match="empty"):
            draw(empty)
    with pytest.raises(DataError, match="another city"):
        sq.plot.front_maps(front, smallville(1))
    with pytest.raises(ProblemError, match="nobody"):
        sq.plot.front_maps(front, city, between=("older", "nobody"))
    with pytest.raises(ProblemError, match="2 to 12"):
        sq.plot.front_maps(front, city, count=1)
    for between in (5, "older", ("older",), np.array(["older", "jobs"])):
        with pytest.raises(ProblemError, match="must be the names of two groups"):
            sq.plot.front_maps(front, city, between=between)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [5, None, "front.nc", sq.Front], ids=repr)
def test_what_is_no_front_or_city_is_refused(city: Any, front: sq.Front, given: Any) -> None:
    """By name, and no empty figure is left behind."""
    for draw, field in (
        (lambda: sq.plot.front_parallel(given), "front"),
        (lambda: sq.plot.front_pairs(given), "front"),
        (lambda: sq.plot.front_maps(given, city), "front"),
        (lambda: sq.plot.front_maps(front, given), "city"),
        (lambda: sq.plot.network(front, city), "network"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ProblemError, match="is needed, not") as caught:
            draw()
        assert caught.value.field == field
    assert plt.get_fignums() == []
