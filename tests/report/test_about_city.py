"""What a report says of the city, with a group that stands at points of its own."""

from __future__ import annotations

from studies import schools, study_of, town

import spineq as sq
from spineq.report import about_city, about_trust


def test_schools_are_counted_as_points() -> None:
    """Their number in the overview, their weight in the table of groups; and they live nowhere."""
    city = town()
    there = city.with_group_points(schools(city), "schools")
    study = study_of(there, {"schools": sq.Group(column="schools")})
    assert "14 points of schools" in about_city.overview(study).text
    said = about_city.groups(study).text
    assert f"{there.points['people'].sum():,.0f}" in said
    assert "the total is that of the weights of the points where they stand" in said
    assert "each as large as its weight" in about_city.density_maps(study).html
    assert "points of" not in about_city.overview(study_of(city)).text
    assert "points" not in about_city.groups(study_of(city)).text


def test_addresses_of_tables_stand_at_the_end() -> None:
    """Not before the city's people; the rest of its note does."""
    source = "Ages: https://example.org/ages, 2026-11-01, SHA-256 of 3 answers 0af1, OGL 3.0"
    study = study_of(town().labelled(note=f"A town.\n{source}"))
    first = about_city.overview(study).text
    assert "A town." in first
    assert "example.org" not in first
    assert "under How this was made" in first
    assert source in about_trust.versions(study).text
    assert "How this was made" not in about_city.overview(study_of(town())).text
