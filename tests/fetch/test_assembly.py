"""Checks of tables against each other, without a network."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from spineq.errors import AreaMismatchError, SpineqWarning, TotalMismatchError
from spineq.fetch.assembly import Tables, assemble, warn_of_polygons
from spineq.fetch.authorities import Authority
from spineq.fetch.catalogue import EDITIONS

EDITION = EDITIONS[2021]

#: Metres east: nearer to 0 few areas would look like degrees.
WEST = 5_000.0
ONE = Authority("E1", "Oneby")
SOURCE = {
    "source": "S", "url": "https://there", "answers": 2, "first": "2026-01-01",
    "last": "2027-02-03T04:05:06+00:00", "sha256": "f" * 64, "licence": "OGL",
}  # fmt: skip


def tables(n: int = 6) -> Tables:
    """Squares in a row, with some people of each age."""
    areas = [f"A{k}" for k in range(n)]
    boxes = {
        area: shapely.box(WEST + 100 * k, 0, WEST + 100 * k + 100, 100)
        for k, area in enumerate(areas)
    }
    ages = np.arange(n * 91, dtype=float).reshape(n, 91)
    workers = pd.Series(np.arange(1.0, n + 1), index=areas)
    return Tables(
        areas=areas,
        authorities=[ONE],
        polygons=boxes,
        points={area: shapely.Point(WEST + 100 * k + 30.00049, 70) for k, area in enumerate(areas)},
        ages=ages,
        columns={"workers": ("W", workers)},
        date="2024",
        totals={ONE: (ages.sum(), ages.sum())},
        outlines={ONE: (n * 1e4, n * 1e4)},
    )


def test_what_fits_becomes_a_city() -> None:
    """Places to the millimetre, counts as they are, words beside it."""
    city = assemble(tables(), EDITION, [SOURCE])
    assert list(city.to_frame()["x"]) == [WEST + 30.0 + 100 * k for k in range(6)]
    assert city.to_frame()["age_90"].tolist() == [90.0 + 91 * k for k in range(6)]
    assert city.crs.to_string() == "EPSG:27700"
    assert (city.name, city.label.code) == ("Oneby", "E1")
    assert city.attribution.endswith("database right 2027")
    assert city.label.note.splitlines()[-1] == (
        f"S: https://there, 2027-02-03T04:05:06+00:00, SHA-256 of 2 answers {'f' * 64}, OGL"
    )


@given(st.data())
def test_areas_that_are_missing_anywhere(data: st.DataObject) -> None:
    """Refused with their names; or left out, and the rest is as it was."""
    made, whole = tables(), assemble(tables(), EDITION, [])
    gone = data.draw(st.sets(st.sampled_from(made.areas), min_size=1, max_size=5))
    for area in gone:
        where = data.draw(st.sampled_from(["polygons", "points", "ages", "workers"]))
        if where == "ages":
            made.ages[made.areas.index(area), data.draw(st.integers(0, 90))] = np.nan
        elif where == "workers":
            made.columns["workers"] = "W", made.columns["workers"][1].drop(area)
        else:
            del getattr(made, where)[area]
    again = dataclasses.replace(made, areas=list(made.areas), ages=made.ages.copy())
    with pytest.raises(AreaMismatchError) as caught:
        assemble(made, EDITION, [])
    assert all(area in str(caught.value) for area in gone)
    city = assemble(again, EDITION, [], allow_partial=True)
    kept = whole.to_frame()
    kept = kept[~kept["area_id"].isin(gone)].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.DataFrame(city.to_frame()), pd.DataFrame(kept))
    assert f"{len(gone)} of 6 areas are left out" in city.label.note


def test_no_area_at_all_is_never_a_city() -> None:
    """Not even where parts are allowed."""
    made = dataclasses.replace(tables(), points={})
    with pytest.raises(AreaMismatchError, match="missing 6 "):
        assemble(made, EDITION, [], allow_partial=True)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"totals": {ONE: (999.0, 500.0)}}, TotalMismatchError, "sum to 500, but the published"),
        ({"outlines": {ONE: (100.0, 80.0)}}, AreaMismatchError, "the areas fill 80.0% of Oneby's"),
    ],
)
def test_sums_that_are_off(change: dict[str, Any], error: type[Exception], said: str) -> None:
    """Refused; noted where that is allowed."""
    made = dataclasses.replace(tables(), **change)
    with pytest.raises(error, match=said):
        assemble(made, EDITION, [])
    noted = assemble(made, EDITION, [], allow_partial=True).label.note
    assert said.casefold() in noted.casefold()


def test_what_could_not_be_compared_is_said() -> None:
    """A check that was not made is not passed over."""
    made = dataclasses.replace(tables(), totals={ONE: (None, 1.0)}, outlines={ONE: (None, 1.0)})
    note = assemble(made, EDITION, []).label.note
    assert "No total is published that Oneby could be compared with." in note
    assert "There is no polygon of Oneby that its areas could be compared with." in note


def test_rounding_is_no_mismatch() -> None:
    """A thousandth of the total, or one person of few."""
    for published, summed in [(100_000.0, 100_100.0), (5.0, 6.0)]:
        assemble(dataclasses.replace(tables(), totals={ONE: (published, summed)}), EDITION, [])


def test_polygons_that_are_not_valid_are_warned_of() -> None:
    """As read_city does, with the city's name."""
    made = tables()
    crossed = [(WEST + x, y) for x, y in ((100, 0), (200, 100), (200, 0), (100, 100))]
    made.polygons["A1"] = shapely.Polygon(crossed)
    with pytest.warns(SpineqWarning, match=r"Oneby: 1 of 6 polygons are not valid \(A1\)"):
        warn_of_polygons(assemble(made, EDITION, []))
