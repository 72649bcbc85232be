"""Pictures: they draw on given axes and on their own, with all that a map must carry."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from networks import network_of
from solvers.instances import city_of

import spineq as sq
from spineq.errors import DataError, ProblemError, StoreError
from spineq.model.network import Network
from spineq.progress import RecordingProgress


@pytest.fixture(scope="module")
def city() -> sq.City:
    city = sq.demo_city()
    return city.with_existing(city.sites.iloc[:3])


@pytest.fixture(scope="module")
def net(city: sq.City) -> Network:
    return sq.optimise(city, n_sensors=6)


@pytest.fixture(scope="module")
def plain() -> sq.City:
    """City without polygons, with sites of its own, two of its areas without any."""
    city = city_of([[0, 0], [1000, 0], [3000, 500], [2000, 900]])
    sites = pd.DataFrame(
        {"site_id": ["a", "b", "c"], "x": [400_100, 400_200, 402_900], "y": [500_000] * 3}
    )
    return city.with_sites(sites)


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


def texts(ax: Axes) -> str:
    """Everything that is written on the axes, each text on a line of its own."""
    legend = ax.get_legend()
    entries = [] if legend is None else [text.get_text() for text in legend.get_texts()]
    written = [ax.get_title(), *(text.get_text() for text in ax.texts), *entries]
    return "\n".join(text.replace("\n", " ") for text in written)


def is_map(ax: Axes) -> bool:
    """Whether there are a scale bar of a round length, a colour bar, and equal axes."""
    bars = [artist for artist in ax.artists if isinstance(artist, AnchoredSizeBar)]
    length = bars[0].txt_label.get_text() if bars else ""
    round_length = length.split()[0].strip("0").replace(".", "") in ("1", "2", "5")
    return len(bars) == 1 and round_length and len(ax.figure.axes) > 1 and ax.get_aspect() == 1.0


def drawn(ax: Axes) -> None:
    """Render, so that what only fails when drawn fails here."""
    ax.figure.canvas.draw()


def test_sensors_that_stay_are_drawn_apart(city: sq.City) -> None:
    """They have a mark and an entry of their own; the others keep their numbers."""
    ax = sq.plot.network(network_of(city, [3, 60, 100, 150], kept=2), city, existing=False)
    drawn(ax)
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["2 sensors, numbered in order of placement", "2 that stay"]
    marks = [mark for mark in ax.collections if isinstance(mark, PathCollection)][-2:]
    assert [len(mark.get_offsets()) for mark in marks] == [2, 2]
    np.testing.assert_array_equal(marks[1].get_offsets(), city.site_xy[[3, 60]])
    assert {"1", "2"} <= {text.get_text() for text in ax.texts}
    assert not {"3", "4"} & {text.get_text() for text in ax.texts}
    assert "2 sensors beside the 2 that stay" in texts(ax)


def test_existing_sensors_that_stay_are_counted_once(city: sq.City) -> None:
    """Two ids at one place are said to be so, and no second entry counts them again."""
    sites = city.sites.iloc[[3, 60, 60]].set_axis(["p", "q", "r"])
    # A hair away from its site is at it.
    sites = sites.assign(x=sites["x"] + [0.0, 0.0, 1e-4])
    doubled = city.with_existing(sites)
    ax = sq.plot.network(network_of(doubled, [3, 60, 100], kept=2, keep="existing"), doubled)
    drawn(ax)
    labels = ax.get_legend_handles_labels()[1]
    assert labels == [
        "1 sensor, numbered in order of placement",
        "3 existing at 2 places, which stay",
    ]


def test_numbers_are_of_those_placed(city: sq.City) -> None:
    """Up to 60 sensors that were placed have numbers, however many stay; no more have."""
    for placed, numbered in ((60, True), (61, False)):
        net = network_of(city, list(range(placed + 40)), kept=40)
        written = {text.get_text() for text in sq.plot.network(net, city).texts}
        assert ({str(k) for k in range(1, placed + 1)} <= written) == numbered
        assert ("1" in written) == numbered


def test_history_names_the_mean_for_other_objectives(city: sq.City) -> None:
    """The line of the weighted mean is not called what was maximised where it was not."""
    groups = {"jobs": sq.Group(column="workers"), "young": sq.Group(ages=(0, 15))}
    for asked, name in (({}, "What was maximised"), ({"aversion": 2.0}, "Weighted mean")):
        net = network_of(city, [3, 60], groups=groups, **asked)
        assert sq.plot.history(net).get_legend_handles_labels()[1][0] == name


def test_network(net: Network, city: sq.City) -> None:
    """The map has title, certificate, legend, numbers, scale bar and attribution."""
    ax = sq.plot.network(net, city)
    drawn(ax)
    assert is_map(ax)
    text = texts(ax)
    value = f"{100 * net.total_coverage:.1f} %"
    assert f"San Francisco: 6 sensors, mean coverage of all residents {value} (theta 500 m)" in text
    assert net.certificate() in text
    assert "6 sensors, numbered in order of placement\n3 existing" in text
    assert {str(k) for k in range(1, 7)} <= set(text.split("\n"))
    assert (
        "An area's colour is the coverage of its people, who are taken to be at its point" in text
    )
    assert f"{city.attribution}." in text
    # Only what the picture shows is said to be estimated.
    assert "Estimated" not in text
    children = sq.optimise(city, n_sensors=2, groups={"pop_children": sq.GROUPS["pop_children"]})
    assert "Estimated from split age bands: Children (0-15)." in texts(
        sq.plot.network(children, city)
    )


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"aversion": 5.0}, "equally-distributed equivalent (inequality aversion 5) {:.1f} %"),
        ({"objective": "worst"}, "worst-off group ({}) {:.1f} %"),
        ({"objective": "worst_share"}, "smallest share of own best {:.1f} %"),
    ],
    ids=repr,
)
def test_network_states_what_was_maximised(
    city: sq.City, asked: dict[str, Any], words: str
) -> None:
    """Where it was not the mean, the title has its name and figure before the mean's."""
    groups = {"jobs": sq.Group(column="workers"), "young": sq.Group(ages=(0, 15))}
    made = sq.optimise(city, n_sensors=3, groups=groups, **asked)
    figure = 100 * made.objective_value
    said = words.format(*([made.worst_group] if "{}" in words else []), figure)
    mean = f"mean coverage of 2 weighted groups {100 * made.total_coverage:.1f} %"
    assert f": 3 sensors, {said}, {mean} (theta 500 m)" in texts(sq.plot.network(made, city))


def test_network_without_numbers_and_existing(net: Network, city: sq.City) -> None:
    """Numbers and existing sensors can be left out."""
    text = texts(sq.plot.network(net, city, number=False, existing=False))
    assert "existing" not in text
    assert "numbered" not in text
    assert "\n6\n" not in text
    given = sq.evaluate(city, net.placement_history)
    assert "6 sensors, numbered in the order given" in texts(sq.plot.network(given, city))


def test_given_axes_are_drawn_on(net: Network, city: sq.City) -> None:
    """Every function draws on the axes it is given and returns them, and opens no figure."""
    other = sq.evaluate(city, "existing")
    figure, (axes) = plt.subplots(2, 2)
    a, b, c, d = axes.ravel()
    assert sq.plot.network(net, city, ax=a) is a
    assert sq.plot.history(net, ax=b) is b
    assert sq.plot.difference(net, other, city, ax=c) is c
    assert sq.plot.importance(city, ax=d) is d
    assert len(plt.get_fignums()) == 1
    assert all(ax.get_title() for ax in (a, b, c, d))
    # A small part of a larger figure has no room for sentences.
    assert net.certificate() not in texts(a)
    figure.canvas.draw()


def test_own_axes_are_made(net: Network, city: sq.City) -> None:
    """Without axes, each function makes a figure of its own."""
    other = sq.evaluate(city, "existing")
    made = [
        sq.plot.network(net, city),
        sq.plot.history(net),
        sq.plot.difference(net, other, city),
        sq.plot.importance(city),
    ]
    assert len({ax.figure for ax in made}) == 4
    for ax in made:
        assert ax.get_title()
        drawn(ax)


def test_history(net: Network) -> None:
    """One line a group from 0 to the group's coverage, with its figure in the legend."""
    ax = sq.plot.history(net)
    assert len(ax.lines) == len(net.group_coverage)
    for line, group in zip(ax.lines, net.group_coverage, strict=True):
        x, y = line.get_data()
        assert list(x) == list(range(7))
        assert (y[0], y[-1]) == (0.0, pytest.approx(100 * float(group)))
    assert "All residents: " in texts(ax)
    assert "(estimated)" in texts(ax)
    assert f"{net.dataset.attrs['attribution']}." in texts(ax)
    assert "Estimated from split age bands: Children (0-15), Older people (66+)." in texts(ax)


@pytest.mark.parametrize("size", [(7.0, 4.5), (3.0, 3.0)])
def test_legend_of_the_history_covers_no_line(net: Network, size: tuple[float, float]) -> None:
    """The legend stands above the lines, also in small axes."""
    _, ax = plt.subplots(figsize=size, layout="constrained")
    drawn(sq.plot.history(net, ax=ax))
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_window_extent().y0 >= ax.get_window_extent().y1


def test_history_of_a_mix_shows_the_objective(plain: sq.City) -> None:
    """With several groups in the objective, the objective is a line too."""
    groups = {"young": sq.Group(ages=(0, 15)), "jobs": sq.Group(column="workers")}
    mixed = sq.optimise(plain, n_sensors=2, groups=groups)
    assert "What was maximised" in texts(sq.plot.history(mixed))
    assert "2 weighted groups" in texts(sq.plot.network(mixed, plain))


def test_difference(net: Network, city: sq.City) -> None:
    """The difference has both networks in the legend and the change in the title."""
    other = sq.evaluate(city, "existing")
    ax = sq.plot.difference(net, other, city)
    drawn(ax)
    assert is_map(ax)
    change = 100 * (net.total_coverage - other.total_coverage)
    words = "6 sensors against 3, mean coverage of all residents"
    assert f"{words} {change:+.1f} percentage points (theta 500 m)" in texts(ax)
    assert "6 sensors only in this network\n3 sensors only in the other" in texts(ax)
    assert city.attribution in texts(ax)
    back = texts(sq.plot.difference(other, net, city, labels=("now", "best")))
    assert "3 sensors only in now\n6 sensors only in best" in back
    assert f"all residents \N{MINUS SIGN}{change:.1f} percentage points" in back


def test_difference_marks_what_both_have(net: Network, city: sq.City) -> None:
    """A sensor of both networks has a mark of its own, so that neither hides the other."""
    fewer = sq.evaluate(city, net.placement_history[:4])
    text = texts(sq.plot.difference(net, fewer, city))
    assert "2 sensors only in this network\n4 sensors in both" in text
    assert "the other" not in text


def test_difference_compares_like_with_like(net: Network, city: sq.City) -> None:
    """Against a network made for other people, the change is that of the first one's people."""
    jobs = sq.optimise(city, n_sensors=6, groups={"workplace": sq.GROUPS["workplace"]})
    change = 100 * (net.total_coverage - float(jobs.group_coverage.sel(group="pop_total")))
    assert change > 0
    assert f"all residents {change:+.1f} percentage points" in texts(
        sq.plot.difference(net, jobs, city)
    )


def test_difference_states_both_thetas(net: Network, city: sq.City) -> None:
    """Networks made with different theta are said to be."""
    wide = sq.evaluate(city, net.placement_history, theta=900)
    assert "(theta 500 m against 900 m)" in texts(sq.plot.difference(net, wide, city))


def test_difference_of_a_network_and_itself(net: Network, city: sq.City) -> None:
    """No difference at all is drawn as none."""
    assert " 0.0 percentage points" in texts(sq.plot.difference(net, net, city))


def test_importance(city: sq.City, plain: sq.City) -> None:
    """The importance map is drawn by problem or by groups and theta; sites may be elsewhere."""
    problem = sq.Problem(n_sensors=3, theta=300, groups={"w": sq.Group(column="workers")})
    ax = sq.plot.importance(city, problem)
    drawn(ax)
    assert is_map(ax)
    assert "theta 300 m" in texts(ax)
    ax = sq.plot.importance(plain, groups={"w": sq.Group(column="workers")}, theta=900)
    drawn(ax)
    assert "theta 900 m" in texts(ax)
    assert "share of w that one sensor would cover" in texts(ax)
    assert "\narea" in texts(ax)
    # Areas beneath, and a dot for each of the three sites.
    below, dots = (c for c in ax.collections if isinstance(c, PathCollection))
    assert below.get_array() is None
    assert len(dots.get_array()) == 3


def test_another_city_is_refused(net: Network, plain: sq.City, city: sq.City) -> None:
    """A network is not drawn on a city that it was not made for."""
    with pytest.raises(DataError, match="not for this Smallville"):
        sq.plot.network(net, plain)
    theirs = sq.optimise(plain, n_sensors=1)
    with pytest.raises(DataError, match="made for Smallville"):
        sq.plot.difference(net, theirs, city)
    with pytest.raises(DataError, match="made for Smallville"):
        sq.plot.difference(theirs, net, city)


@pytest.mark.parametrize("given", [5, None, "net.nc", Network], ids=repr)
def test_what_is_no_network_or_city_is_refused(net: Network, city: sq.City, given: Any) -> None:
    """By name, and no empty figure is left behind."""
    for draw, field in (
        (lambda: sq.plot.network(given, city), "network"),
        (lambda: sq.plot.network(city, city), "network"),
        (lambda: sq.plot.network(net, given), "city"),
        (lambda: sq.plot.history(given), "network"),
        (lambda: sq.plot.difference(net, given, city), "network"),
        (lambda: sq.plot.importance(given), "city"),
    ):
        with pytest.raises(ProblemError, match="is needed, not") as caught:
            draw()
        assert caught.value.field == field
    assert plt.get_fignums() == []


@pytest.mark.parametrize("sensors", [["a"], ["A1", "c"], ["a", "b", "c"]])
def test_city_without_polygons_and_with_own_sites(plain: sq.City, sensors: list[str]) -> None:
    """Areas without polygons are dots, which the legend names; one sensor is no sensors."""
    net = sq.evaluate(plain, sensors)
    ax = sq.plot.network(net, plain)
    drawn(ax)
    assert is_map(ax)
    words = "1 sensor" if len(sensors) == 1 else f"{len(sensors)} sensors"
    assert f"Smallville: {words}, mean coverage of all residents" in texts(ax)
    assert "\narea\n" in texts(ax)
    drawn(sq.plot.history(net))
    drawn(sq.plot.difference(net, net, plain))


def test_words_of_the_user_are_no_formulas() -> None:
    """Dollar signs in names, titles and labels are written as they are."""
    city = city_of([[0, 0], [1000, 0], [3000, 500]], name="$a_b^c$ $\\frac$")
    groups = {"g": sq.Group(ages=(0, 15), title="$x_$ and $y^$"), "h": sq.Group(column="workers")}
    net = sq.optimise(city, n_sensors=2, groups=groups)
    one = sq.optimise(city, n_sensors=1, groups={"g": groups["g"]})
    for ax in (
        sq.plot.network(one, city),
        sq.plot.history(net),
        sq.plot.difference(net, one, city, labels=("$_$", "$^$")),
        sq.plot.importance(city, groups={"g": groups["g"]}),
    ):
        drawn(ax)
        assert "$a_b^c$ $\\frac$" in texts(ax)


def test_many_sensors(city: sq.City) -> None:
    """With many sensors the numbers are left out by default."""
    ax = sq.plot.network(sq.optimise(city, n_sensors=120, method="greedy"), city)
    drawn(ax)
    assert "120 sensors" in texts(ax)
    assert "\n119\n" not in texts(ax)


def test_no_sensors(city: sq.City) -> None:
    """A search that was stopped at once can be drawn."""
    empty = sq.optimise(city, n_sensors=4, theta=123, progress=RecordingProgress(1))
    assert empty.n_sensors == 0
    for ax in (sq.plot.network(empty, city), sq.plot.history(empty)):
        drawn(ax)


@pytest.mark.parametrize("xy", [[[0, 0]], [[5, 5], [5, 5]], [[0, 0], [0, 9_000]]])
def test_cities_of_no_extent(xy: list[list[float]]) -> None:
    """One area, areas at one place, and areas in a line have maps too."""
    city = city_of(xy)
    net = sq.optimise(city, n_sensors=1)
    for ax in (
        sq.plot.network(net, city),
        sq.plot.difference(net, net, city),
        sq.plot.importance(city),
    ):
        drawn(ax)
        assert is_map(ax)


def test_save_writes_a_whole_file_or_none(net: Network, city: sq.City, tmp_path: Path) -> None:
    """The picture is written and its figure closed; a failure leaves nothing."""
    path = tmp_path / "picture.png"
    sq.plot.save(sq.plot.network(net, city), path, dpi=50)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert plt.get_fignums() == []
    with pytest.raises(StoreError):
        sq.plot.save(sq.plot.history(net), path / "inside-a-file.png")
    assert [left.name for left in tmp_path.iterdir()] == ["picture.png"]
    assert plt.get_fignums() == []


def test_save_takes_all_axes_of_one_figure(tmp_path: Path) -> None:
    """An array of axes is saved as its figure; several figures, or no axes, are refused."""
    path = tmp_path / "picture.png"
    sq.plot.save(plt.subplots(2, 2)[1], path, dpi=50)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert plt.get_fignums() == []
    path.unlink()
    of_two = np.array([plt.subplots()[1], plt.subplots()[1]])
    with pytest.raises(ProblemError, match="of one figure"):
        sq.plot.save(of_two, path)
    for none in (None, 5, np.array([]), np.arange(3), np.array([of_two[0], 5])):
        with pytest.raises(ProblemError, match="axes are needed, not") as caught:
            sq.plot.save(none, path)  # type: ignore[arg-type]
        assert caught.value.field == "ax"
    assert not path.exists()


@pytest.mark.parametrize("given", [5, "ax", Axes, np.array([None])], ids=repr)
def test_what_are_no_axes_is_refused(net: Network, city: sq.City, given: Any) -> None:
    """By name, and no empty figure is left behind."""
    for draw in (
        lambda: sq.plot.network(net, city, ax=given),
        lambda: sq.plot.history(net, ax=given),
        lambda: sq.plot.difference(net, net, city, ax=given),
        lambda: sq.plot.importance(city, ax=given),
        lambda: sq.plot.deciles(sq.equity(net, city, by="workers"), ax=given),
    ):
        with pytest.raises(ProblemError, match="axes are needed, not") as caught:
            draw()
        assert caught.value.field == "ax"
    assert plt.get_fignums() == []


def test_help_lists_every_picture_and_nothing_else() -> None:
    """All public functions of the module are its ``__all__``, which help reads."""
    public = {
        name
        for name, value in vars(sq.plot).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and value.__module__.startswith(("spineq.plot", "spineq._plot_"))
        and not value.__module__.endswith("_parts")
    }
    assert set(sq.plot.__all__) == public


def test_very_many_areas_are_a_picture_in_a_drawing(
    city: sq.City, net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SVG and PDF would have megabytes of corners; words and sensors stay lines."""
    sq.plot.save(sq.plot.network(net, city), tmp_path / "lines.svg")
    monkeypatch.setattr("spineq._plot_parts.MOST_CORNERS", 100)
    sq.plot.save(sq.plot.network(net, city), tmp_path / "picture.svg")
    lines, picture = ((tmp_path / f"{name}.svg").read_text() for name in ("lines", "picture"))
    assert picture.count("<image") == lines.count("<image") + 1
    assert picture.count("<path") < lines.count("<path") - city.n_areas / 2


def test_areas_without_a_site_are_named(city: sq.City) -> None:
    """The legend says what the grey of an area without a value means."""
    few = city.with_sites(city.sites.iloc[::2].reset_index(names="site_id"))
    written = texts(sq.plot.importance(few))
    assert "no site in the area" in written
    assert "NaN" not in written
    assert "no site" not in texts(sq.plot.importance(city))
