"""The two cities that are built in."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import shapely

from spineq.data.demo import demo_city
from spineq.errors import ProblemError
from spineq.model.groups import GROUPS, Group


def test_san_francisco_has_the_totals_of_its_source() -> None:
    """Residents, residents by band and jobs, as the land use table has them."""
    city = demo_city()
    assert city.n_areas == city.n_sites == city.n_points == 190
    assert city.crs == "EPSG:26910"
    assert city.people(GROUPS["pop_total"]).values.sum() == 908_578
    assert city.people(GROUPS["workplace"]).values.sum() == 747_744
    assert city.people(Group(column="households")).values.sum() == 389_502
    assert city.polygons is not None
    assert shapely.is_valid(city.polygons.geometry.to_numpy()).all()


def test_san_francisco_names_its_source_and_its_limits() -> None:
    """The attribution goes with the city, and the note says what the figures are not."""
    city = demo_city()
    assert city.name == "San Francisco"
    assert "Metropolitan Transportation Commission" in city.attribution
    assert "ActivitySim (BSD-3-Clause)" in city.attribution
    assert "not a census" in city.label.note


def test_san_francisco_marks_its_two_estimated_groups() -> None:
    """Children and older people come from split bands; everyone and workers do not."""
    city = demo_city()
    estimated = {name for name, group in GROUPS.items() if city.people(group).estimated}
    assert estimated == {"pop_children", "pop_elderly"}
    bands = city.dataset["residents"].to_numpy()
    children = bands[:, 0] + bands[:, 1] * 11 / 15
    np.testing.assert_allclose(city.people(GROUPS["pop_children"]).values, children, rtol=1e-12)


def test_a_demo_city_needs_no_warning() -> None:
    """What is odd about it stands in its note."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        demo_city()
        demo_city("synthetic", n_areas=30)


def test_a_synthetic_city_depends_on_its_seed_alone() -> None:
    """The same words give the same city, another seed another one."""
    one, again, other = (demo_city("synthetic", n_areas=60, seed=seed) for seed in (4, 4, 5))
    assert one == again
    assert one != other


@pytest.mark.parametrize(("n_areas", "towns"), [(1, 1), (12, 3), (150, 2)])
def test_a_synthetic_city_has_the_size_that_is_asked_for(n_areas: int, towns: int) -> None:
    """Areas with polygons, single years of age and workers, and it says that it is made."""
    city = demo_city("synthetic", n_areas=n_areas, towns=towns)
    assert city.n_areas == n_areas
    assert city.polygons is not None
    assert city.dataset.sizes["age"] == 91
    assert city.reported_groups() == dict(GROUPS)
    assert not any(city.people(group).estimated for group in GROUPS.values())
    assert city.attribution.startswith("Synthetic, calibrated to ONS statistics")
    assert "nobody lives there" in city.label.note


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"name": "gotham"}, "there is no demo city 'gotham'.*san-francisco"),
        ({"name": "synthetic", "n_areas": 0}, "n_areas"),
        ({"name": "synthetic", "n_areas": 2.5}, "n_areas"),
        ({"name": "synthetic", "n_areas": "ten"}, "n_areas"),
        ({"name": "synthetic", "towns": 0}, "towns"),
        ({"name": "synthetic", "n_areas": 5, "towns": 6}, "towns is 6, more than the 5 areas"),
        ({"name": "synthetic", "seed": -1}, "seed"),
    ],
)
def test_a_demo_city_that_cannot_be_is_refused(words: dict[str, Any], message: str) -> None:
    """Bad sizes are errors of ours, in one line."""
    with pytest.raises(ProblemError, match=message) as caught:
        demo_city(**words)
    assert "\n" not in str(caught.value)
    assert ".." not in str(caught.value)


@pytest.mark.parametrize("words", [{"n_areas": 500}, {"towns": 2}, {"seed": 1}])
def test_san_francisco_takes_no_size(words: dict[str, int]) -> None:
    """A size that would be ignored is refused, with the city that it is meant for."""
    with pytest.raises(ProblemError, match=r"as large as it is.*synthetic"):
        demo_city(**words)
