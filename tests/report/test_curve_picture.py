"""The picture of coverage by number of sensors, as the report has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

import spineq as sq


@pytest.fixture(scope="module")
def city() -> sq.City:
    return sq.demo_city("synthetic", n_areas=20, seed=1)


def test_dots_are_full_where_they_are_proven(city: sq.City) -> None:
    found = sq.coverage_curve(city, numbers=[1, 2, 4], groups=sq.GROUPS, theta=500)
    ax = sq.plot.curve(found, city, today=(5, 0.2))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "proven: none does better" in labels
    assert "a better one may exist" not in labels
    assert "today: 5 places, 20.0 %" in labels
    assert any(label.startswith("Workers: ") and label.endswith("with 4") for label in labels)
    table = found.table.assign(proven=[True, False, True])
    ax = sq.plot.curve(replace(found, table=table), city)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "a better one may exist" in labels
    assert ax.get_xlabel() == "Number of sensors, each time placed anew"
    assert ax.get_ylabel() == "Coverage (%)"


def test_what_is_no_curve_is_refused(city: sq.City) -> None:
    with pytest.raises(sq.SpineqError, match="a curve is needed, not 3"):
        sq.plot.curve(3, city)  # type: ignore[arg-type]
    found = sq.coverage_curve(city, numbers=[1])
    with pytest.raises(sq.SpineqError, match="nothing to draw"):
        sq.plot.curve(replace(found, table=found.table.iloc[:0]), city)
    with pytest.raises(sq.SpineqError, match="city"):
        sq.plot.curve(found, None)  # type: ignore[arg-type]
