"""Files of a command: all of them, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from spineq.cli.files import say_where, written
from spineq.errors import StoreError


def test_files_belong_together(tmp_path: Path) -> None:
    """Where one of them fails, none is there, nor anything else."""

    def make(beside: Path) -> list[Path]:
        (beside / "a.txt").write_text("a", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left on device") as refused:
        written(tmp_path / "made", make)
    assert "--output" in refused.value.mend
    assert list((tmp_path / "made").iterdir()) == []


def test_files_replace_those_of_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And are named in one line, for a path is copied."""

    def make(beside: Path) -> list[Path]:
        path = beside / "a.txt"
        path.write_text("new", encoding="utf-8")
        return [path]

    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    files = written(tmp_path, make)
    assert files == [tmp_path / "a.txt"]
    assert files[0].read_text(encoding="utf-8") == "new"
    say_where(tmp_path, files, "maps")
    say_where(None, [], "maps")
    said = capsys.readouterr().out.splitlines()
    assert said == [f"Written to {tmp_path}: a.txt", "Write maps with --output FOLDER."]
