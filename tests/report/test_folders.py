"""Folders of reports: whole or not at all, and nothing of anybody else's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spineq.errors import StoreError
from spineq.report.folders import LIST, beside, moved


def put(work: Path, *names: str) -> None:
    for name in names:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != LIST
    )


def test_nothing_moved_leaves_nothing(tmp_path: Path) -> None:
    """Not even the folders that were made on the way; one that was there stays."""
    with beside(tmp_path / "a" / "b") as work:
        put(work, "x")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "there").mkdir()
    with pytest.raises(RuntimeError), beside(tmp_path / "there") as work:
        raise RuntimeError
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_what_is_moved_is_listed_and_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with beside(folder) as work:
        put(work, "page", "data/one", "data/two")
        moved(work, folder)
    assert files(folder) == ["data/one", "data/two", "page"]
    assert json.loads((folder / LIST).read_text()) == files(folder)
    with beside(folder, ["page", "data"]) as work:
        put(work, "page", "figures/three")
        moved(work, folder)
    assert files(folder) == ["figures/three", "page"]
    assert not (folder / "data").exists()


def test_some_files_leave_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with beside(folder) as work:
        put(work, "page", "data/one")
        moved(work, folder)
    with beside(folder) as work:
        put(work, "page", "other")
        moved(work, folder, ["other", "missing"])
    assert files(folder) == ["data/one", "other", "page"]


def test_a_damaged_list_makes_everything_somebodys(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with beside(folder) as work:
        put(work, "page")
        moved(work, folder)
    (folder / LIST).write_text("no list")
    with pytest.raises(StoreError, match="page is there already"), beside(folder, ["page"]):
        pass
    assert files(folder) == ["page"]


def test_what_a_killed_process_left_is_taken_away(tmp_path: Path) -> None:
    """And what one that lives is working at stays."""
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from spineq.report.folders import beside\n"
        "with beside(Path(sys.argv[1])) as work:\n"
        "    (work / 'half').write_text('x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    folder = tmp_path / "out"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    (left,) = folder.glob(".spineq-work-*")
    with beside(folder) as living, beside(folder):
        assert not left.exists()
        assert living.exists()
    assert list(folder.iterdir()) == []


def test_another_disk_and_a_full_one_are_sentences(tmp_path: Path) -> None:
    """Whatever the system says inside comes out as ours."""
    with pytest.raises(StoreError, match="No space left"), beside(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    with pytest.raises(StoreError, match="file and no folder"), beside(Path(__file__)):
        pass
