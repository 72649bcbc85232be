"""What the map's colours mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import spineq as sq
from spineq.errors import ProblemError
from spineq.panel.palette import NO_DATA, UNKNOWN
from spineq.panel.shading import alone, area_table, choices, nearest_metres, shading


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city()


@pytest.fixture(scope="module")
def nets(city: sq.City) -> tuple[sq.Network, sq.Network]:
    jobs = {"jobs": sq.Group(column="workers", weight=2), "old": sq.Group(ages=(65, 90))}
    return (
        sq.optimise(city, n_sensors=6, theta=700, groups=jobs, method="greedy", bound="none"),
        sq.evaluate(city, sensors=["001", "064"], theta=700, bound="none"),
    )


def test_choices_follow_what_there_is(city: sq.City, nets: tuple[sq.Network, sq.Network]) -> None:
    """Without a network there is no coverage, without another one no change."""
    net, other = nets
    keys = [[key for key, _ in choices(city, *given)] for given in ((), (net,), (net, other))]
    assert keys[0][0] == "importance"
    assert "density:pop_total" in keys[0]
    assert keys[1][:2] == ["coverage", "importance"]
    assert keys[2][:2] == ["coverage", "difference"]
    # The network's own groups are there, and none twice under another name.
    titles = [title for _, title in choices(city, net)]
    assert "jobs per km²" in titles
    assert "Workers per km²" not in titles


def test_every_choice_can_be_shown(city: sq.City, nets: tuple[sq.Network, sq.Network]) -> None:
    """Each has a class an area and a legend whose colours are those of the classes."""
    for key, _ in choices(city, *nets):
        made = shading(key, city, *nets)
        assert made.key == key
        assert made.title
        assert made.classes.shape == made.values.shape == (city.n_areas,)
        known = made.classes != NO_DATA
        assert (known == np.isfinite(made.values)).all()
        shown = {made.palette[c] for c in made.classes[known]}
        assert shown <= {colour for colour, _ in made.legend}
        assert UNKNOWN not in made.palette


def test_coverage_and_its_change(city: sq.City, nets: tuple[sq.Network, sq.Network]) -> None:
    """Both are the networks' own figures."""
    net, other = nets
    covered = shading("coverage", city, net)
    np.testing.assert_array_equal(covered.values, net.area_coverage)
    change = shading("difference", city, net, other)
    np.testing.assert_array_equal(change.values, net.area_coverage - other.area_coverage)
    assert (change.classes[change.values == 0] == 11).all()
    same = shading("difference", city, net, net)
    assert set(same.classes) == {11}


def test_importance_is_what_one_sensor_covers(
    city: sq.City, nets: tuple[sq.Network, sq.Network]
) -> None:
    """At the best area it is the coverage of the best network of one sensor; rules have no say."""
    net = nets[0]
    made = shading("importance", city, net)
    one = sq.optimise(city, alone(net))
    assert made.values.max() == pytest.approx(one.total_coverage, rel=1e-9)
    area = city.dataset["area"].to_numpy()[int(made.values.argmax())]
    assert area == one.sensors.area[1]


def test_areas_without_a_site_are_not_known(city: sq.City) -> None:
    """What a sensor would cover is known where one may stand."""
    few = city.with_sites(city.sites.iloc[:20].reset_index().rename(columns={"index": "site_id"}))
    made = shading("importance", few)
    assert int((made.classes == NO_DATA).sum()) == city.n_areas - 20


def test_density_is_by_area_of_land(city: sq.City) -> None:
    """With polygons it is people per km², without them people per area."""
    made = shading("density:pop_total", city)
    polygons = city.polygons
    assert polygons is not None
    people = city.people(sq.GROUPS["pop_total"]).values
    np.testing.assert_allclose(made.values * polygons.area.to_numpy() / 1e6, people)
    assert made.unit == "per km²"
    points = sq.City.from_frame(
        pd.DataFrame({"area_id": ["a", "b"], "x": [0, 900], "y": [0, 0], "population": [5, 10]}),
        crs=city.crs,
    )
    bare = shading("density:pop_total", points)
    assert bare.unit == "per area"
    assert bare.values.tolist() == [5, 10]


def test_what_is_not_there_is_refused(city: sq.City) -> None:
    """The message names what there is."""
    for key in ("coverage", "difference", "density:nobody", "rain"):
        with pytest.raises(ProblemError, match="density:pop_total"):
            shading(key, city)


def test_table_of_areas(city: sq.City, nets: tuple[sq.Network, sq.Network]) -> None:
    """It holds what the map shows, an area a row."""
    net, other = nets
    table = area_table(city, net, other)
    assert table.index.tolist() == city.dataset["area"].to_numpy().tolist()
    assert {"jobs", "All residents", "coverage", "distance", "difference"} <= set(table.columns)
    assert (table.loc[net.sensors.area, "distance"] == 0).all()
    assert "coverage" not in area_table(city).columns
    empty = sq.evaluate(city, sensors=[], theta=700, bound="none")
    assert np.isinf(nearest_metres(empty)).all()
