"""Stores keep each name once, whoever races and whoever dies; files are whole or not there."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spineq.errors import AlreadyExistsError, MissingFileError, SpineqError, StoreError
from spineq.store import FolderStore, Store, UrlStore, open_store, whole_file


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind: the contract below holds for all."""
    if request.param == "folder":
        return FolderStore(tmp_path / "not" / "yet")
    return UrlStore(f"memory://spineq-{secrets.token_hex(8)}")


# ---------------------------------------------------------------------------- the contract


def test_what_is_put_is_got(store: Store) -> None:
    """Bytes come back as they were, empty and binary ones too."""
    for name, data in [("a", b"text"), ("b/c/d", bytes(range(256)) * 999), ("b/e", b"")]:
        store.put(name, data)
        assert store.exists(name)
        assert store.get(name) == data


def test_a_name_is_written_once(store: Store) -> None:
    """The second put is refused and changes nothing."""
    store.put("runs/1", b"first")
    with pytest.raises(AlreadyExistsError, match="'runs/1' is already in the store"):
        store.put("runs/1", b"second")
    assert store.get("runs/1") == b"first"
    assert store.names() == ["runs/1"]


def test_names_are_sorted_and_begin_with_the_prefix(store: Store) -> None:
    """A prefix is text, not a folder: it may end within a word."""
    for name in ["b/2", "b/10", "a", "ab/1", "b/1/x"]:
        store.put(name, b"")
    assert store.names() == ["a", "ab/1", "b/1/x", "b/10", "b/2"]
    assert store.names("b/1") == ["b/1/x", "b/10"]
    assert store.names("a") == ["a", "ab/1"]
    assert store.names("c/") == []


def test_an_empty_store_has_no_names(store: Store) -> None:
    """Nothing is made by looking."""
    assert store.names() == []
    assert not store.exists("a")


def test_a_missing_name_is_an_error_to_read_and_none_to_delete(store: Store) -> None:
    """Reading says which name; deleting is done when there is nothing."""
    with pytest.raises(StoreError, match="'runs/none' cannot be read"):
        store.get("runs/none")
    store.delete("runs/none")


def test_a_deleted_name_is_free_again(store: Store) -> None:
    """After a delete the name can be written anew."""
    store.put("a/b", b"old")
    store.delete("a/b")
    assert not store.exists("a/b")
    assert store.names() == []
    store.put("a/b", b"new")
    assert store.get("a/b") == b"new"


def test_a_folder_of_names_is_no_name(store: Store) -> None:
    """What only leads to names neither exists nor can be read."""
    store.put("a/b", b"")
    assert not store.exists("a")
    with pytest.raises(StoreError):
        store.get("a")


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", ".tmp-1", "a/.tmp-1", "a\0b", "a\\b"]
)
def test_names_that_lead_elsewhere_are_refused(store: Store, name: str) -> None:
    """No name leaves the store, and none looks like a file that is being written."""
    for act in (store.get, store.exists, store.delete, lambda name: store.put(name, b"")):
        with pytest.raises(StoreError, match="not a name that a store can keep"):
            act(name)


@pytest.mark.parametrize("prefix", ["../", "/", "a/../../"])
def test_a_prefix_does_not_lead_elsewhere(store: Store, prefix: str) -> None:
    """Listing stays inside the store."""
    with pytest.raises(StoreError, match="not a name that a store can keep"):
        store.names(prefix)


# ---------------------------------------------------------------------------- folders


def _python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )


RACE = """
import sys, pathlib, time
from spineq.errors import AlreadyExistsError
from spineq.store import FolderStore
folder, me = sys.argv[1:]
store = FolderStore(pathlib.Path(folder))
print("ready", flush=True)
while not (pathlib.Path(folder) / "go").exists():
    time.sleep(0.0005)
won = 0
for k in range(50):
    try:
        store.put(f"race/{k}", me.encode() * 1000)
        won += 1
    except AlreadyExistsError:
        pass
print(won)
"""


def test_racing_processes_have_one_winner_a_name(tmp_path: Path) -> None:
    """Four processes put the same fifty names: fifty puts succeed, and no blob is mixed."""
    racers = [_python(RACE, tmp_path, letter) for letter in "abcd"]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    wins = dict(zip("abcd", (int(racer.communicate()[0]) for racer in racers), strict=True))
    store = FolderStore(tmp_path)
    blobs = [store.get(name) for name in store.names("race/")]
    assert len(blobs) == 50 == sum(wins.values())
    for letter, won in wins.items():
        assert blobs.count(letter.encode() * 1000) == won
    assert not list((tmp_path / "race").glob(".tmp-*"))


DIE = """
import os, sys, pathlib, time
from spineq import store
def last_words(_):
    print("written", flush=True)
    time.sleep(60)
setattr(store.os, sys.argv[2], lambda *_: last_words(0))
store.FolderStore(pathlib.Path(sys.argv[1])).put("runs/1", b"half of it")
"""


@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_put_that_is_killed_leaves_nothing_to_read(tmp_path: Path, step: str) -> None:
    """After kill -9 in mid-write the name is free: not torn, and not refused for ever."""
    process = _python(DIE, tmp_path, step)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(_files(tmp_path / "runs")) == 1
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


# ---------------------------------------------------------------------------- opening


@pytest.mark.parametrize("form", ["{}", "file://{}", "local://{}"])
def test_local_places_open_as_folders(tmp_path: Path, form: str) -> None:
    """Whatever a local folder is called, it gets the store that survives a kill."""
    store = open_store(form.format(tmp_path / "s"))
    assert isinstance(store, FolderStore)
    assert store.folder == tmp_path / "s"


def test_a_url_opens_once_for_all(tmp_path: Path) -> None:
    """Two stores at one URL see each other's blobs."""
    url = f"memory://spineq-{secrets.token_hex(8)}/deep"
    open_store(url).put("a", b"1")
    assert open_store(url).get("a") == b"1"


def test_an_unknown_protocol_is_refused() -> None:
    """The message names the URL and what to do."""
    with pytest.raises(StoreError, match=r"'nothing://x' cannot be opened.*install the package"):
        open_store("nothing://x")


# ---------------------------------------------------------------------------- whole files


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


@pytest.mark.parametrize("name", [None, 5, "a\0", "\udc80"])
def test_a_name_that_is_no_text_is_refused(tmp_path: Path, name: Any) -> None:
    """As one that a store cannot keep."""
    with pytest.raises(StoreError, match="not a name that a store can keep"):
        open_store(tmp_path).get(name)


def test_a_store_needs_a_place_that_can_be() -> None:
    """NUL ends a path."""
    with pytest.raises(StoreError, match="not a place"):
        open_store("a\0b")
