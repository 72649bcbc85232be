"""Files are whole or not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spineq.errors import MissingFileError, SpineqError, StoreError
from spineq.store import whole_file


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _write(path: Path, text: str, failure: type[BaseException] | None = None) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text)
        temporary.with_name(temporary.name + "-journal").write_text("SQLite's")
        if failure is not None:
            raise failure


def test_a_whole_file_replaces_an_earlier_one(tmp_path: Path) -> None:
    """The new content has the name, in a folder that is made, and nothing else is there."""
    path = tmp_path / "made" / "net.gpkg"
    for text in ("first", "second"):
        _write(path, text)
        assert path.read_text() == text
    assert _files(path.parent) == ["net.gpkg"]


@pytest.mark.parametrize("ending", [".nc", "", ".[x]"])
@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_write_leaves_the_earlier_file_alone(
    tmp_path: Path, failure: type[BaseException], ending: str
) -> None:
    """Failure and interrupt take the half-written file with them, and what lay beside it."""
    path = tmp_path / f"net{ending}"
    path.write_text("earlier")
    with pytest.raises(failure):
        _write(path, "half", failure)
    assert path.read_text() == "earlier"
    assert _files(tmp_path) == [path.name]


def _in_a_file(path: Path) -> Path:
    (path / "file").touch()
    return path / "file" / "net.nc"


def _onto_a_folder(path: Path) -> Path:
    (path / "net.nc").mkdir()
    return path / "net.nc"


@pytest.mark.parametrize("place", [_in_a_file, _onto_a_folder])
def test_a_place_that_cannot_be_written_is_a_store_error(
    tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    """The message names the file and says why."""
    path = place(tmp_path)
    with pytest.raises(StoreError, match=r"'net.nc' cannot be written in .*\(\w+"):
        _write(path, "new")
    assert len(_files(tmp_path)) == 1


def test_an_error_of_ours_inside_passes_as_it_is(tmp_path: Path) -> None:
    """A city's missing file is not taken for a place that cannot be written."""
    inside: SpineqError = MissingFileError("there is no such file", file="x")
    with pytest.raises(MissingFileError), whole_file(tmp_path / "a"):
        raise inside


@pytest.mark.parametrize("path", ["", ".", "/", "..", "a/..", "a\0b", "a\0/b", None, 5])
def test_a_path_that_names_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Any
) -> None:
    """Nothing is written, and the words are ours."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="does not name a file"), whole_file(path):
        raise AssertionError
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """The system's own refusal, in our words, and not all of the path in them."""
    for path in (tmp_path / ("a" * 5000), tmp_path / ("a" * 5000) / "b"):
        with pytest.raises(StoreError, match="cannot be written") as caught, whole_file(path) as to:
            to.write_bytes(b"x")
        assert len(str(caught.value)) < 700
    assert not list(tmp_path.iterdir())
