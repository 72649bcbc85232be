"""Cities by name: the same from a text and from the Python that is written for it."""

from __future__ import annotations

from pathlib import Path

import pytest

import spineq as sq
from spineq.data.named import city_named, is_built_in, python_of
from spineq.errors import MissingFileError


@pytest.mark.parametrize(
    "where", ["san-francisco", "demo", "synthetic:30", "synthetic:30:2", " synthetic:30:2:7 "]
)
def test_the_python_makes_the_city_of_the_name(where: str) -> None:
    """Towns and seed included."""
    assert is_built_in(where)
    assert eval(python_of(where), {"sq": sq}) == city_named(where)


def test_a_folder_is_read(tmp_path: Path) -> None:
    """What is no built-in name is a path."""
    city = sq.demo_city("synthetic", n_areas=30)
    folder = city.to_geoparquet(tmp_path / "it's here")
    assert not is_built_in(str(folder))
    assert eval(python_of(str(folder)), {"sq": sq}) == city_named(folder) == city


def test_nothing_and_nowhere_are_refused(tmp_path: Path) -> None:
    """In words."""
    with pytest.raises(MissingFileError, match="empty"):
        city_named("  ")
    with pytest.raises(MissingFileError):
        city_named(tmp_path / "nowhere")
