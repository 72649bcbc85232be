"""Records are read as they were written, by this version and by others, or not at all."""

from __future__ import annotations

import json
import time
from dataclasses import MISSING, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineq.jobs import records
from spineq.jobs.records import (
    Beat,
    JobRecord,
    KeyRecord,
    Lease,
    Outcome,
    Record,
    Stop,
    Turn,
    Withdrawal,
    attempt_name,
    digest,
    dumps,
    is_job_id,
    loads,
    new_job_id,
    run_of,
)

KINDS: tuple[type[Record], ...] = (
    JobRecord,
    KeyRecord,
    Turn,
    Withdrawal,
    Lease,
    Beat,
    Stop,
    Outcome,
)

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates among them
NUMBER = st.floats(allow_nan=False) | st.integers(-(2**60), 2**60)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)

TIME = st.floats(-1e11, 1e11) | st.integers(-(10**11), 10**11)

#: Fields that name something in the store, which no content may lead out of.
NAMES = {"run", "city", "family", "attempt", "earlier", "key", "job", "asked"}

#: What may stand in a field, by its type.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXT,
    "int": st.integers(-(10**6) + 1, 10**6 - 1),
    "float": TIME,
    "float | None": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "list[str]": st.lists(TEXT, max_size=3),
    "dict[str, str]": st.dictionaries(TEXT, TEXT, max_size=3),
    "dict[str, Any]": st.dictionaries(TEXT, JSON, max_size=3),
}


def made(kind: type[Record]) -> st.SearchStrategy[Record]:
    """Records of a kind, with any content."""
    names = NAMES if kind in (JobRecord, KeyRecord, Turn) else set()
    name = st.from_regex(r"[0-9a-f][-.0-9a-f]{0,20}", fullmatch=True)
    values = {
        f.name: name if f.name in names else VALUES[str(f.type)]
        for f in fields(kind)  # type: ignore[arg-type]
    }
    return st.builds(kind, **values)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_record_is_read_as_it_was_written(kind: type[Record], data: st.DataObject) -> None:
    """Whatever it holds, in the same bytes each time, and in JSON's types."""
    record = data.draw(made(kind))
    written = record.to_bytes()
    assert kind.from_bytes(written) == record
    assert kind.from_dict(json.loads(written)) == record
    assert record.to_bytes() == written


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_no_content_of_a_file_raises(kind: type[Record], data: st.DataObject) -> None:
    """It is a record whose fields have their types, or nothing."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    content = data.draw(st.dictionaries(st.sampled_from(names), JSON) | JSON)
    record = kind.from_bytes(dumps(content))
    if record is not None:
        assert kind.from_bytes(record.to_bytes()) == record
    assert kind.from_bytes(data.draw(st.binary(max_size=40))) is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_field_is_held_to_its_type(kind: type[Record], data: st.DataObject) -> None:
    """One wrong value, and the file is none of ours."""
    content = data.draw(made(kind)).to_dict()
    for field in fields(kind):  # type: ignore[arg-type]
        assert kind.from_dict(content | {field.name: object()}) is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_later_version_may_add_fields(kind: type[Record], data: st.DataObject) -> None:
    """What is not known is passed over, and what is not there has its default."""
    record = data.draw(made(kind))
    content = record.to_dict()
    assert kind.from_dict(content | {"in_a_later_version": [1]}) == record
    for field in fields(kind):  # type: ignore[arg-type]
        left = {name: value for name, value in content.items() if name != field.name}
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        assert (kind.from_dict(left) is not None) is has_default


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_no_record_is_none(kind: type[Record]) -> None:
    """Torn, foreign, bottomless or not there."""
    for data in (None, b"", b"{", b"[]", b"null", b"5", b"\xff\x00", b"[" * 200_000, b"{}x"):
        assert kind.from_bytes(data) is None


def test_fields_at_their_default_take_no_room() -> None:
    """A record holds what was said."""
    assert Beat().to_bytes() == b"{}"
    assert Beat(count=3).to_bytes() == b'{"count":3}'
    assert Withdrawal(event="left", at=1.5).to_bytes() == b'{"at":1.5,"event":"left"}'


@given(JSON)
def test_json_is_written_in_one_form(value: Any) -> None:
    """Equal content, equal bytes; and it is read again."""
    assert loads(dumps(value)) == value
    if isinstance(value, dict):
        assert dumps(dict(reversed(value.items()))) == dumps(value)


def test_digests_tell_their_parts_apart() -> None:
    """32 hex digits, other ones when the same letters are divided elsewhere."""
    parts: list[tuple[Any, ...]] = [("ab", "c"), ("a", "bc"), ("abc",), ("ab", ["c"]), ("ab", 1)]
    assert len({digest(*each) for each in parts}) == len(parts)
    assert all(len(digest(*each)) == 32 and int(digest(*each), 16) for each in parts)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_ids_of_jobs_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one millisecond in no order, the others in that of their clock."""
    now = 1.7e9
    monkeypatch.setattr(time, "time", lambda: now)
    ids = []
    for _ in range(200):
        now += 0.0015
        ids.append(new_job_id())
    assert ids == sorted(ids)
    assert all(map(is_job_id, ids))
    now = 4.1e9  # the year 2099
    assert new_job_id() > ids[-1]


def test_ids_of_one_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand jobs at once have ten thousand names."""
    monkeypatch.setattr(time, "time", lambda: 1.7e9)
    assert len({new_job_id() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    "text", ["", "x", "a" * 15, "a" * 17, "A" * 16, "../../../etc/pw", 5, None]
)
def test_what_is_no_id_of_a_job(text: object) -> None:
    """Other lengths, letters and types."""
    assert not is_job_id(text)


def test_names_of_attempts() -> None:
    """Run, number and time limit make the name, and lead back to the run."""
    run = digest("run")
    names = [attempt_name(run, k, limit) for k in (1, 2, 11) for limit in (None, 1.0, 11.0, 1e-5)]
    assert len(set(names)) == len(names)
    assert {run_of(name) for name in names} == {run}


def test_the_documentation_names_every_record() -> None:
    """The page of the files has all kinds."""
    for kind in KINDS:
        assert f"`{kind.__name__}`" in (records.__doc__ or "")
