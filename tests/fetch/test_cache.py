"""What is kept is whole, or counts as not there."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spineq as sq
from spineq.fetch.cache import Answer, Cache, default_folder, key_of, sha256

BODY = b"\x00\nlines\r\n\xff"
ANSWER = Answer(BODY, "https://there/x?a=1", "2026-01-02T03:04:05+00:00", sha256(BODY), "OGL")


def test_an_answer_comes_back(tmp_path: Path) -> None:
    """Bytes and where they came from; another one takes its place."""
    cache = Cache(tmp_path / "new")
    assert cache.answer("a") is None
    cache.keep_answer("a", ANSWER)
    assert Cache(tmp_path / "new").answer("a") == ANSWER
    newer = Answer(b"", "u", "w", sha256(b""), "l")
    cache.keep_answer("a", newer)
    assert cache.answer("a") == newer


@given(st.data())
def test_a_damaged_entry_counts_as_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """After a loss of power anything may stand there; it is never taken for an answer."""
    folder = tmp_path_factory.mktemp("cache")
    cache = Cache(folder)
    cache.keep_answer("a", ANSWER)
    path = folder / "answers" / "a"
    whole = path.read_bytes()
    if data.draw(st.booleans()):
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    else:
        path.write_bytes(data.draw(st.binary(max_size=60)))
    assert cache.answer("a") is None


def test_a_city_comes_back_with_its_sources(tmp_path: Path) -> None:
    """By what was asked; a damaged or a missing file makes it anew."""
    cache, city = Cache(tmp_path), sq.demo_city("synthetic", n_areas=12)
    assert cache.city("k") is None
    cache.keep_city("k", city, [{"source": "S"}])
    found = cache.city("k")
    assert found is not None
    assert found[0] == city
    assert found[0].label == city.label
    assert found[1] == [{"source": "S"}]
    (file,) = (tmp_path / "cities").iterdir()
    assert file.stem == sha256(file.read_bytes())
    file.write_bytes(file.read_bytes()[:-9])
    assert cache.city("k") is None
    file.unlink()
    assert cache.city("k") is None
    (tmp_path / "asked" / "k").write_bytes(b'{"sha')
    assert cache.city("k") is None


def test_the_same_city_is_kept_once(tmp_path: Path) -> None:
    """Two questions with one answer share a file."""
    cache, city = Cache(tmp_path), sq.demo_city("synthetic", n_areas=12)
    cache.keep_city("one", city, [])
    cache.keep_city("two", city, [])
    assert len(list((tmp_path / "cities").iterdir())) == 1


def test_the_default_folder_is_the_platforms() -> None:
    """Where everything may be deleted that can be fetched again."""
    assert str(default_folder()).startswith(platformdirs.user_cache_dir("spineq", appauthor=False))


def test_keys_do_not_depend_on_the_order_of_names() -> None:
    """Equal questions have equal keys."""
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1}) != key_of({"a": 1})


def test_a_copy_under_another_name_is_not_its_answer(tmp_path: Path) -> None:
    """Whole, and of another question; entries of earlier versions do not say of which."""
    cache = Cache(tmp_path)
    cache.keep_answer("a", ANSWER)
    data = (tmp_path / "answers" / "a").read_bytes()
    (tmp_path / "answers" / "b").write_bytes(data)
    assert cache.answer("b") is None
    (tmp_path / "answers" / "b").write_bytes(data.replace(b', "key": "a"', b""))
    assert cache.answer("b") == ANSWER
    (tmp_path / "answers" / "a").write_bytes(data.replace(b'"https://there/x?a=1"', b"5"))
    assert cache.answer("a") is None


@pytest.mark.parametrize(
    "made", [b'{"sha256": "../../x", "sources": []}', b"[1]", b"[" * 99_999, b'{"sources": [5]}']
)
def test_what_names_no_city_counts_as_none(tmp_path: Path, made: bytes) -> None:
    """Whatever stands where a city is named."""
    cache = Cache(tmp_path)
    cache.keep_city("k", sq.demo_city("synthetic", n_areas=12), [])
    (tmp_path / "asked" / "k").write_bytes(made)
    assert cache.city("k") is None
