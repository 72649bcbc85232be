"""The catalogue: complete, dated, and one file."""

from __future__ import annotations

from pathlib import Path

import pytest

import spineq.fetch
from spineq.errors import ProblemError
from spineq.fetch.catalogue import COLUMNS, EDITIONS, Download, Service, Table, edition


def test_everything_says_when_it_was_seen() -> None:
    """No name stands without its evidence."""
    for asked in EDITIONS.values():
        tables = [overlay.table for overlay in asked.overlays.values()]
        for item in [*vars(asked).values(), *tables]:
            if isinstance(item, Service | Table | Download):
                assert item.seen


def test_every_census_has_every_optional_column() -> None:
    """The same names, and the same columns in the city."""
    assert set(EDITIONS) == {2011, 2021}
    for asked in EDITIONS.values():
        assert {"deprivation", *asked.overlays} == set(COLUMNS)
    old, new = (EDITIONS[year].overlays for year in (2011, 2021))
    for name in new:
        assert old[name].columns == new[name].columns


def test_no_other_file_names_a_service() -> None:
    """A service that moves is a change in one file."""
    for path in Path(spineq.fetch.__file__).parent.glob("*.py"):
        if path.stem != "catalogue":
            text = path.read_text()
            assert "https://" not in text.replace("https://mirror.example.org", "").replace(
                'session.mount("https://"', ""
            )
            assert "NM_" not in text
            assert "FeatureServer/1" not in text


@pytest.mark.parametrize("census", [2001, "2021", True, None, 2021.5])
def test_other_censuses_are_refused(census: object) -> None:
    """Each in a sentence."""
    with pytest.raises(ProblemError, match="Use 2021 or 2011"):
        edition(census)
