"""Every store keeps each name once, whoever races, and tells what is missing from what fails."""

from __future__ import annotations

import pickle
import secrets
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pretended_s3 import S3
from races import race

from spineq.errors import AlreadyExistsError, NotInStoreError, StoreError
from spineq.store import FolderStore, Store, open_store


def _place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    folder = tmp_path / "not" / "yet"
    if kind == "s3":
        s3: S3 = request.getfixturevalue("s3")
        return s3.url()
    memory = f"memory://spineq-{secrets.token_hex(8)}"
    return {"folder": str(folder), "file": f"file://{folder}", "memory": memory}[kind]


@pytest.fixture(params=["folder", "file", "memory", "s3"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Place of a store of each kind: the contract below holds for all."""
    return _place(request.param, request, tmp_path)


@pytest.fixture
def store(where: str) -> Store:
    """An empty store of each kind."""
    return open_store(where)


@pytest.fixture(params=["folder", "s3"])
def shared_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Place of a store of each kind that other processes see."""
    return _place(request.param, request, tmp_path)


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
    store.put("runs/there", b"")
    for name in ("runs/none", "none", "runs/there/none"):
        with pytest.raises(NotInStoreError, match=f"'{name}' cannot be read"):
            store.get(name)
        store.delete(name)


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
    with pytest.raises(NotInStoreError):
        store.get("a")
    store.delete("a")
    assert store.names() == ["a/b"]
    assert store.names("a/b/") == []


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", ".tmp-1", "a/.tmp-1", "a\0b", "a\\b"]
)
def test_names_that_lead_elsewhere_are_refused(store: Store, name: str) -> None:
    """No name leaves the store, and none looks like a file that is being written."""
    for act in (
        store.get,
        store.exists,
        store.delete,
        lambda name: store.put(name, b""),
        lambda name: store.replace(name, b""),
        lambda name: store.get_many([name]),
    ):
        with pytest.raises(StoreError, match="not a name that a store can keep"):
            act(name)


@pytest.mark.parametrize("prefix", ["../", "/", "a/../../"])
def test_a_prefix_does_not_lead_elsewhere(store: Store, prefix: str) -> None:
    """Listing stays inside the store."""
    with pytest.raises(StoreError, match="not a name that a store can keep"):
        store.names(prefix)


# ---------------------------------------------------------------------------- overwriting


def test_replace_writes_and_overwrites(store: Store) -> None:
    """The name need not be free; for others it is taken from then on."""
    for data in (b"first", b"", b"third, longer than the others"):
        store.replace("beats/1", data)
        assert store.get("beats/1") == data
    assert store.names() == ["beats/1"]
    with pytest.raises(AlreadyExistsError):
        store.put("beats/1", b"put")
    store.put("b", b"put")
    store.replace("b", b"replaced")
    assert store.get("b") == b"replaced"


def test_readers_of_a_blob_that_is_replaced_never_see_part_of_it(store: Store) -> None:
    """Old or new, and always there."""
    contents = [letter * 200_000 for letter in (b"a", b"b")]
    store.replace("beat", contents[0])

    def write() -> None:
        for k in range(60):
            store.replace("beat", contents[k % 2])

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        while not writer.done():
            assert store.get("beat") in contents
        writer.result()


# ---------------------------------------------------------------------------- many at once


def test_many_are_read_at_once(store: Store) -> None:
    """In the order asked for; what is not there is left out, and "*" is a letter like others."""
    blobs = {f"runs/{k}": b"%d" % k for k in range(20)} | {"runs/*": b"star", "[a]?": b""}
    for name, data in blobs.items():
        store.put(name, data)
    asked = ["runs/none", *reversed(blobs), "none", "runs", "runs/1/none"]
    found = store.get_many(name for name in asked)
    assert found == blobs
    assert list(found) == [*reversed(blobs)]
    assert store.get_many([]) == {}
    assert store.get_many(["none"]) == {}


# ---------------------------------------------------------------------------- other processes


def test_where_and_pickle_lead_to_the_same_store(where: str, store: Store) -> None:
    """A store goes to another process as itself or as a text."""
    store.put("a", b"1")
    for again in (open_store(store.where), pickle.loads(pickle.dumps(store))):
        assert type(again) is type(store)
        assert again.where == store.where
        assert again.get("a") == b"1"
    assert where.endswith(store.where)


def test_what_another_process_does_is_seen_at_once(shared_place: str) -> None:
    """Nothing that was looked up or listed before is remembered."""
    store = open_store(shared_place)
    store.put("runs/1", b"")
    for name in ("runs/2", "runs/3"):
        assert not store.exists(name)
        assert name not in store.names("runs/")
        code = (
            "import sys; from spineq.store import *; open_store(sys.argv[1]).put(sys.argv[2], b'')"
        )
        subprocess.run([sys.executable, "-c", code, shared_place, name], check=True)
        assert store.exists(name)
        assert name in store.names("runs/")
        assert store.get(name) == b""


def test_racing_threads_have_one_winner_a_name(store: Store) -> None:
    """Eight threads put one name, ten times of ten one succeeds and its content stays."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for name in map(str, range(10)):
            together = threading.Barrier(8)

            def put(me: int, name: str = name, together: threading.Barrier = together) -> bool:
                together.wait()
                try:
                    store.put(name, b"%d" % me)
                except AlreadyExistsError:
                    return False
                return True

            with ThreadPoolExecutor(8) as pool:
                won = list(pool.map(put, range(8)))
            assert sum(won) == 1
            assert store.get(name) == b"%d" % won.index(True)
    finally:
        sys.setswitchinterval(interval)


GET_READY = """
from spineq.errors import AlreadyExistsError
from spineq.store import open_store
store = open_store(where)
store.names()
"""

PUT = """
won = 0
for k in range(50):
    try:
        store.put(f"race/{k}", me.encode() * 1000)
        won += 1
    except AlreadyExistsError:
        pass
print(won)
"""


def test_racing_processes_have_one_winner_a_name(shared_place: str) -> None:
    """Four processes put the same fifty names: fifty puts succeed, and no blob is mixed."""
    wins = race(GET_READY, PUT, shared_place, "abcd")
    store = open_store(shared_place)
    blobs = [store.get(name) for name in store.names("race/")]
    assert len(blobs) == 50 == sum(wins.values())
    for letter, won in wins.items():
        assert blobs.count(letter.encode() * 1000) == won


def test_tidying_leaves_blobs_alone(store: Store) -> None:
    """An empty store stays empty, and what is there stays there."""
    store.tidy()
    assert store.names() == []
    store.put("a/b", b"1")
    store.tidy()
    assert store.get_many(["a/b"]) == {"a/b": b"1"}


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


def test_a_folder_stays_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is of the process that named it."""
    monkeypatch.chdir(tmp_path)
    store = open_store("runs")
    monkeypatch.chdir("/")
    assert store.where == str(tmp_path / "runs")


@pytest.mark.parametrize("name", [None, 5, "a\0", "\udc80"])
def test_a_name_that_is_no_text_is_refused(tmp_path: Path, name: Any) -> None:
    """As one that a store cannot keep."""
    with pytest.raises(StoreError, match="not a name that a store can keep"):
        open_store(tmp_path).get(name)


def test_a_store_needs_a_place_that_can_be() -> None:
    """NUL ends a path."""
    with pytest.raises(StoreError, match="not a place"):
        open_store("a\0b")
