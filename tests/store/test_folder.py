"""Folders: whoever dies leaves nothing to read, and what he leaves is cleared away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spineq.errors import AlreadyExistsError, NotInStoreError, StoreError
from spineq.store import FolderStore

DIE = """
import os, sys, pathlib, time
from spineq.store import FolderStore
def last_words(_):
    print("written", flush=True)
    time.sleep(60)
setattr(os, sys.argv[2], lambda *_: last_words(0))
FolderStore(pathlib.Path(sys.argv[1])).put("runs/1", b"half of it")
"""


@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_put_that_is_killed_leaves_nothing_to_read(tmp_path: Path, step: str) -> None:
    """After kill -9 in mid-write the name is free: not torn, and not refused for ever."""
    process = subprocess.Popen(
        [sys.executable, "-c", DIE, str(tmp_path), step], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(list((tmp_path / "runs").iterdir())) == 1
    store = FolderStore(tmp_path)
    assert store.names() == []
    assert not store.exists("runs/1")
    store.put("runs/1", b"whole")
    assert store.get("runs/1") == b"whole"


def test_a_link_whose_answer_was_lost_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over NFS a link may be made and be reported as "exists": then it is ours all the same."""
    link = os.link

    def repeated(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", repeated)
    store = FolderStore(tmp_path)
    store.put("a", b"mine")
    with pytest.raises(AlreadyExistsError):
        store.put("a", b"theirs")
    assert store.get("a") == b"mine"


@pytest.mark.parametrize("name", ["a/b", "c"])
def test_a_name_in_the_way_is_not_taken_for_written(tmp_path: Path, name: str) -> None:
    """A file where a folder must be, or the reverse, is a failure and no lost race."""
    store = FolderStore(tmp_path)
    store.put("a", b"")
    store.put("c/d", b"")
    with pytest.raises(StoreError, match="cannot be written") as caught:
        store.put(name, b"")
    assert not isinstance(caught.value, AlreadyExistsError)


def test_a_store_that_is_a_file_fails(tmp_path: Path) -> None:
    """Nothing can be read there, which is not the same as that nothing is there."""
    place = tmp_path / "file"
    place.touch()
    store = FolderStore(place)
    for act in (store.get, store.delete, store.names, lambda name: store.get_many([name])):
        with pytest.raises(StoreError, match="Not a directory") as caught:
            act("a")
        assert not isinstance(caught.value, NotInStoreError)


def test_links_are_followed_to_files_and_not_round_in_circles(tmp_path: Path) -> None:
    """A link to a folder above does not make a listing endless."""
    store = FolderStore(tmp_path)
    store.put("a/b", b"1")
    (tmp_path / "a" / "above").symlink_to(tmp_path)
    (tmp_path / "c").symlink_to(tmp_path / "a" / "b")
    assert store.names() == ["a/b", "c"]
    assert store.get("c") == b"1"


def test_a_failed_replace_leaves_the_earlier_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file goes, the blob stays."""
    store = FolderStore(tmp_path)
    store.replace("a", b"earlier")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError, match=r"'a' cannot be written in .*No space left"):
        store.replace("a", b"new")
    assert store.get("a") == b"earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_tidying_removes_what_was_left_an_hour_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the file system's clock, however wrong the observer's is."""
    store = FolderStore(tmp_path)
    store.put("runs/1", b"old blob")
    old, young = tmp_path / "runs" / ".tmp-old", tmp_path / ".tmp-young"
    for path in (old, young):
        path.write_bytes(b"half of")
    hour = 3600
    now = old.stat().st_mtime
    os.utime(young, (now - 0.9 * hour,) * 2)
    for path in (old, tmp_path / "runs" / "1"):
        os.utime(path, (now - 1.1 * hour,) * 2)
    monkeypatch.setattr(time, "time", lambda: now + 100 * hour)
    store.tidy()
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".tmp-young", "1", "runs"]
