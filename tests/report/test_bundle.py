"""The files of a report as one value."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from spineq.errors import StoreError
from spineq.report.bundle import Bundle, bundle_from_bytes

FILES = {"report.html": b"<p>", "data/network.nc": b"\0\1", "figures/01-ä.png": b"png"}


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    """Packed, unpacked, written and read again; equal files make equal bytes."""
    made = bundle_from_bytes(Bundle(FILES).to_bytes())
    assert dict(made.files) == FILES
    made.write(tmp_path / "out")
    assert Bundle.of(tmp_path / "out").files == dict(sorted(FILES.items()))
    assert Bundle(FILES).to_bytes() == Bundle(FILES).to_bytes()


def test_writing_replaces_an_earlier_report_and_nothing_else(tmp_path: Path) -> None:
    """What the earlier report had and this one has not goes; what is somebody's own stays."""
    out = tmp_path / "out"
    Bundle(FILES | {"data/old.csv": b"old"}).write(out)
    (out / "mine.txt").write_text("mine")
    (out / "data" / "mine").mkdir()
    Bundle(FILES).write(out)
    assert not (out / "data" / "old.csv").exists()
    assert (out / "mine.txt").read_text() == "mine"
    assert (out / "data" / "mine").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_is_somebodys_own_is_not_replaced(tmp_path: Path) -> None:
    """Refused before anything is written, and named."""
    out = tmp_path / "out"
    (out / "data").mkdir(parents=True)
    (out / "data" / "survey.csv").write_text("mine")
    with pytest.raises(StoreError, match=r"data/survey\.csv is there already"):
        Bundle(FILES).write(out)
    assert [path.name for path in out.rglob("*")] == ["data", "survey.csv"]


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(StoreError, match="file and no folder"):
        Bundle(FILES).write(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("name", ["../up", "/root", "a/../../b", "a\\..\\b"])
def test_a_bundle_does_not_reach_outside_its_folder(name: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr(name, b"x")
    with pytest.raises(ValueError, match="outside its folder"):
        bundle_from_bytes(stream.getvalue())


def test_damaged_bytes() -> None:
    with pytest.raises(ValueError, match="damaged"):
        bundle_from_bytes(b"no zip")
