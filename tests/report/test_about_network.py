"""What a report says of the network: the sentence about centroids, and groups that have points."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from studies import schools, study_of, town

import spineq as sq
from spineq.report import about_network

WORKERS = {"workplace": sq.GROUPS["workplace"]}


@pytest.fixture(scope="module")
def city() -> sq.City:
    return town()


def test_what_centroids_hide_stands_beside_the_gap(city: sq.City) -> None:
    """One sentence with the figures of `sq.centroid_error`, after the certificate."""
    study = study_of(city, WORKERS)
    found = sq.centroid_error(city, study.network, sq.demand.spread(city))
    row = found.table.loc["workplace"]
    said = about_network.headline(study).text.splitlines()
    assert said[-2] == study.network.certificate()
    assert said[-1] == (
        "Counted at centroids, one point in the middle of each area, the coverage of workers is "
        f"{100 * row['at_centroids']:.1f} %; with people spread evenly over their areas, it is "
        f"{100 * row['at_points']:.1f} %. The truth is likely to lie between the two, nearer to "
        "the second."
    )


def test_of_several_groups_the_one_that_is_flattered_most_is_named(city: sq.City) -> None:
    study = study_of(city)
    said = about_network.headline(study).text.splitlines()[-1]
    assert study.hidden is not None
    assert f"groups is {100 * study.hidden.total_at_centroids:.1f} %" in said
    row = study.hidden.table.loc["workplace"]
    assert said.endswith(
        f"The difference is largest for workers: {100 * row['at_centroids']:.1f} % falls to "
        f"{100 * row['at_points']:.1f} %."
    )


def test_a_city_that_knows_better_says_what_centroids_would_have_hidden(city: sq.City) -> None:
    finer = city.with_demand(sq.demand.spread(city, 4))
    said = about_network.headline(study_of(finer, WORKERS)).text
    assert "one point in the middle of each area, the coverage of workers would be" in said
    assert f"at the {finer.n_points:,} points that the data have, as everywhere here, it is" in said
    assert "spread evenly" not in said


def test_where_it_cannot_be_told_that_is_said() -> None:
    """Points alone: a sentence, and no figures."""
    frame = pd.DataFrame({"area_id": list("ab"), "x": [0.0, 900.0], "y": 0.0, "population": 9})
    city = sq.City.from_frame(frame, crs="EPSG:27700")
    study = study_of(city, {"all": sq.Group(ages=(0, 90))}, n_sensors=1)
    assert about_network.headline(study).text.endswith(
        "People are counted at centroids, one point for each area. What that hides is not shown "
        "here: the city has no polygons to spread people over. Read it from a file of polygons."
    )


def test_schools_are_no_people(city: sq.City) -> None:
    """They are never the people of the first sentence, and the tables say what is counted."""
    there = city.with_group_points(schools(city).assign(weight=1e6), "schools")
    study = study_of(there, {"schools": sq.Group(column="schools")})
    said = about_network.headline(study).text
    assert "of all residents are within 500 m" in said
    assert said.endswith("Schools are counted at the points where they stand, so that no centroid "
                         "hides anything.")  # fmt: skip
    assert "that of schools, over the points where they stand" in about_network.meaning(study).text
    assert "For schools, it is the points" in about_network.people(study).text
    assert "schools" not in about_network.people(study_of(city)).text


@pytest.mark.parametrize(("pupils", "words"), [(True, ", by their weights,"), (False, "")])
def test_a_city_of_schools_alone(city: sq.City, pupils: bool, words: str) -> None:
    """Without residents the share is that of schools, by weight where they weigh differently."""
    frame = city.to_frame()[["area_id", "geometry"]].assign(spots=1.0)
    bare = sq.City.from_frame(frame, crs=city.crs)
    bare = bare.with_group_points(schools(city, pupils=pupils), "schools")
    study = study_of(bare, {"schools": sq.Group(column="schools")})
    assert f" % of schools{words} are within 500 m" in about_network.headline(study).text


@pytest.mark.parametrize(
    ("rule", "said", "not_said"),
    [
        (
            {"reach": "existing"},
            ["proven fewer sensors do not reach it"],
            ["of so many sensors is"],
        ),
        (
            {"retire": 2, "move_at_most": 1},
            ["3 places keep their sensors", "2 given up", "1 is moved elsewhere"],
            ["placed\n", "stays\n"],
        ),
        ({"retire": 1}, ["5 places keep their sensors", "1 is given up"], ["0 sensors"]),
        (
            {"retire": 1, "n_sensors": 2},
            ["5 places keep their sensors", "2 sensors added", "proven no other choice is better"],
            ["moved"],
        ),
    ],
)
def test_what_becomes_of_today_is_counted(
    rule: dict[str, Any], said: list[str], not_said: list[str]
) -> None:
    study = study_of(town(30), **({"n_sensors": None, "method": "auto"} | rule))
    text = about_network.headline(study).text
    for words in said:
        assert words in text
    for words in not_said:
        assert words not in text
    # Also where no sensor is placed.
    assert about_network.sensors(study).text
    placed = study.network.n_sensors - study.network.n_kept
    assert bool(about_network.steps(study).text) == (placed > 0)
